"""Selectors: texts that name peers, in commands, scenarios and the filter of the dashboard.

    p017                    a label; "all" in quotes is a label too, if a file has such a one
    #17                     a PeerId
    all                     all peers, dead ones and infrastructure included
    role=index  state=dead  city="New York"  operator=acme      (city, role and operator in any case)
    nat=yes  nat=no         whether it is behind a NAT; nat=full, address, port, symmetric, blocked: behind which kind
    degree>10  load<=100    with > >= < <= =; so have betweenness (see `graphs`) and uptime (seconds)
    pieces<50               a column that the network shows (`Peer.shows`); a share is in %
    epidemic=infected       one of its categories
    holds "blue train"      shares a file with all these words
    keeps "blue train"      lives, and keeps a record that points to holders of it (`Peer.keeps`)
    near p017               has an open stream to it; "near (role=index)" too. Its contacts, where the network
                            keeps no streams; degree and betweenness likewise
    bootstrap  newcomers    the bootstrap peers; peers that arrived after the start of the run
    random 10%  random 5    drawn from the run's own stream
    top 5 degree  top 5% betweenness  top 5 pieces
    not, and, or, brackets  `not` binds strongest, then `and`, then `or`; a comma is an `or` that binds weakest

state is alive, dead, left, censored or poisoned. The last two are flags beside the other three, so a censored peer that
runs is `state=alive` as well.

`random` and `top` choose among the peers that the other conditions leave: `role=servent and random 10%`, in either
order, is a tenth of the servents. Of several, the left one chooses first. Alone, they choose among living peers that
are no infrastructure, since "kill 10 %" means users. `not random 10%` is what such a draw leaves. A share is rounded,
halves up, and is at least one peer if there is any.

A selector is parsed without a swarm, so a scenario is checked before it runs. Names of peers, roles, places, operators
and shown columns are checked when peers are picked. An unknown name is an error and not an empty result. Two names give
an empty result instead: a role that the network declares and no peer has, and a value of a category whose values the
network does not list.

A parsed selector is a tree of `Term`s, which are frozen and can be used for any swarm. A term is a function from the
columns of a swarm to a flag for each peer; it draws from the stream that it gets. The parser is a recursive descent
over a list of tokens that have their position in the text, so that each error can state it.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import NamedTuple, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..api import Shown, words_of
from ..commands import SELECTOR_JOINING as JOINING
from ..commands import SELECTOR_KEYS as KEYS
from ..commands import SELECTOR_LEADING as LEADING
from ..commands import SELECTOR_MEASURES as MEASURES
from ..errors import InputError, nearest, plain
from ..registry import NAME
from ..sim.rng import Stream
from ..values import dataclass
from ..world.access_links import NAT_KINDS
from ..world.cities import CITIES
from .capture import PeerColumns

Flags: TypeAlias = NDArray[np.bool_]

STATES = ("alive", "dead", "left", "censored", "poisoned")
ANSWERS = ("yes", "no")
NAT_VALUES = (*ANSWERS, *NAT_KINDS)
COMPARE: dict[str, Callable[[NDArray[np.float64], float], Flags]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


@dataclass(frozen=True, slots=True)
class Term:
    """A node of a parsed selector."""

    def __call__(self, columns: PeerColumns, rng: Stream) -> Flags:
        """The peers that it names, bool (n,). Raises InputError for a name that the swarm does not have."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Everyone(Term):
    """`all`."""

    def __call__(self, columns: PeerColumns, rng: Stream) -> Flags:
        return np.ones(columns.n, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Label(Term):
    """`p017`."""

    label: str

    def __call__(self, columns: PeerColumns, rng: Stream) -> Flags:
        """Raises InputError for a label that no peer has."""
        peer = columns.label_ids.get(self.label)
        if peer is None:
            # Comparing a wrong label with a hundred thousand others takes too long: those of its length
            # that begin alike are enough.
            alike = (x for x in columns.label_ids if abs(len(x) - len(self.label)) < 2 and x[:1] == self.label[:1])
            tail = nearest(self.label, [label for label, _ in zip(alike, range(2000), strict=False)])
            misspelt = nearest(self.label, (*KEYS, *LEADING))
            if not tail.startswith(";") and misspelt.startswith(";"):
                tail = misspelt
            raise InputError(f'no peer is called "{plain(self.label)}"{tail}')
        made = np.zeros(columns.n, dtype=np.bool_)
        made[peer] = True
        return made


@dataclass(frozen=True, slots=True)
class Flagged(Term):
    """`bootstrap`, `newcomers`."""

    word: str

    def __call__(self, columns: PeerColumns, rng: Stream) -> Flags:
        column = {"bootstrap": columns.bootstrap, "newcomers": columns.newcomers}[self.word]()
        return np.fromiter(column, dtype=np.bool_, count=columns.n)


@dataclass(frozen=True, slots=True)
class Near(Term):
    """`near p017`: its present neighbours."""

    term: Term

    def __call__(self, columns: PeerColumns, rng: Stream) -> Flags:
        """Peers linked to one of these, which are left out. Raises InputError as the term does."""
        those = self.term(columns, rng)
        made = np.zeros(columns.n, dtype=np.bool_)
        for peer in np.flatnonzero(those).tolist():
            made[list(columns.near(peer))] = True
        made &= ~those
        return made


@dataclass(frozen=True, slots=True)
class Id(Term):
    """`#17`."""

    peer: int

    def __call__(self, columns: PeerColumns, rng: Stream) -> Flags:
        """Raises InputError for an id above the last."""
        if self.peer >= columns.n:
            raise InputError(f"there is no peer #{self.peer}; the last one is #{columns.n - 1}")
        made = np.zeros(columns.n, dtype=np.bool_)
        made[self.peer] = True
        return made


@dataclass(frozen=True, slots=True)
class Named(Term):
    """`role=index`, `state=dead`, `city=Lisbon`, `operator=acme`, `nat=yes`."""

    key: str
    value: str

    def __call__(self, columns: PeerColumns, rng: Stream) -> Flags:
        """Raises InputError for a value that no peer can have, UnknownRoleError for a role that no peer had and no
        program declares."""
        if self.key == "state":
            if self.value in ("censored", "poisoned"):
                flags = columns.censored() if self.value == "censored" else columns.poisoned()
                return np.fromiter(flags, dtype=np.bool_, count=columns.n)
            return _same(columns.states(), self.value)
        if self.key == "nat":
            kinds = np.fromiter(columns.nats(), dtype=np.uint8, count=columns.n)
            if self.value not in ANSWERS:
                same: Flags = kinds == NAT_KINDS[self.value]
                return same
            behind: Flags = (kinds > 0) ^ (self.value == "no")
            return behind
        column = {"role": columns.roles, "city": columns.cities, "operator": columns.operators}[self.key]()
        known = dict.fromkeys(column)
        if self.key == "city":
            known.update(dict.fromkeys(city for city, *_ in CITIES))
        if self.key == "role":
            known.update(dict.fromkeys(columns.known_roles()))
        wanted = self.value.casefold()
        spelled = [name for name in known if name and name.casefold() == wanted]
        if not spelled:
            tail = nearest(self.value, filter(None, known)) or "; no peer has one" * (not any(known))
            said = UnknownRoleError if self.key == "role" else InputError
            raise said(f'no {self.key} is called "{plain(self.value)}"{tail}')
        made = _same(column, spelled[0])
        for other in spelled[1:]:
            made |= _same(column, other)
        return made


@dataclass(frozen=True, slots=True)
class Measured(Term):
    """`degree>10`, `load<=100`."""

    measure: str
    sign: str
    limit: float

    def __call__(self, columns: PeerColumns, rng: Stream) -> Flags:
        return COMPARE[self.sign](_measure(columns, self.measure), self.limit)


@dataclass(frozen=True, slots=True)
class ShownFigure(Term):
    """`pieces<50`, `epidemic=infected`: a column that the network shows."""

    column: str
    sign: str
    value: str

    def __call__(self, columns: PeerColumns, rng: Stream) -> Flags:
        """Raises InputError for a column or a value that cannot be here."""
        known = columns.shows
        if self.column not in known:
            near = nearest(self.column, (*KEYS, *known))
            raise InputError(f'"{plain(self.column, 40)}" is no property of a peer here{near}')
        shown = known[self.column]
        if shown.kind != "category":
            return COMPARE[self.sign](_shown_values(columns, shown), self._limit(shown))
        if self.sign != "=":
            raise InputError(f'{self.column} takes "=", not "{self.sign}"')
        wanted = self.value.casefold()
        if shown.values and wanted not in map(str.casefold, shown.values):
            raise InputError(f'no {self.column} is called "{plain(self.value)}"{nearest(self.value, shown.values)}')
        texts = columns.shown()[self.column]
        return np.fromiter((text.casefold() == wanted for text in texts), np.bool_, columns.n)

    def _limit(self, shown: Shown) -> float:
        text = self.value.removesuffix("%").rstrip() if shown.kind == "share" else self.value
        if not _NUMBER.fullmatch(text):
            what = "a percentage" if shown.kind == "share" else "a number"
            raise InputError(f'{self.column} is {what}, so it is not compared with "{plain(self.value, 40)}"')
        return float(text)


@dataclass(frozen=True, slots=True)
class Holds(Term):
    """`holds "blue train"`."""

    text: str

    def __call__(self, columns: PeerColumns, rng: Stream) -> Flags:
        return np.fromiter(columns.holds(self.text), dtype=np.bool_, count=columns.n)


@dataclass(frozen=True, slots=True)
class Keeps(Term):
    """`keeps "blue train"`."""

    text: str

    def __call__(self, columns: PeerColumns, rng: Stream) -> Flags:
        return np.fromiter(columns.keeps(self.text), dtype=np.bool_, count=columns.n)


@dataclass(frozen=True, slots=True)
class Choice(Term):
    """`random 10%`, `top 5 degree`: some of a pool. `amount` is a count, or a percentage when `percent`;
    `measure` is "" for random."""

    amount: float
    percent: bool
    measure: str = ""

    def __call__(self, columns: PeerColumns, rng: Stream) -> Flags:
        """The chosen ones among the living users, for a choice without conditions."""
        return self.choose(_users(columns), columns, rng)

    def choose(self, pool: Flags, columns: PeerColumns, rng: Stream) -> Flags:
        """The chosen ones among those flagged in `pool`."""
        ids = np.flatnonzero(pool)
        count = min(len(ids), self._count(len(ids)))
        if self.measure:
            # Peers with equal values are in order of id, which a stable sort of the negative keeps.
            values = _measure(columns, self.measure)
            ids = ids[~np.isnan(values[ids])]
            count = min(len(ids), self._count(len(ids)))
            ids = ids[np.argsort(-values[ids], kind="stable")[:count]]
        else:
            ids = ids[rng.sample(range(len(ids)), count)]
        made = np.zeros(columns.n, dtype=np.bool_)
        made[ids] = True
        return made

    def _count(self, size: int) -> int:
        if not self.percent:
            return int(self.amount)
        return max(int(self.amount > 0), math.floor(size * self.amount / 100 + 0.5))


@dataclass(frozen=True, slots=True)
class Not(Term):
    """`not TERM`: all other peers; if the term is a choice, the peers of its pool that it does not choose."""

    term: Term

    def __call__(self, columns: PeerColumns, rng: Stream) -> Flags:
        if isinstance(self.term, Choice):
            return self.choose(_users(columns), columns, rng)
        return ~self.term(columns, rng)

    def choose(self, pool: Flags, columns: PeerColumns, rng: Stream) -> Flags:
        """What a negated choice leaves of `pool`."""
        assert isinstance(self.term, Choice)
        return pool & ~self.term.choose(pool, columns, rng)


@dataclass(frozen=True, slots=True)
class And(Term):
    """`A and B`: conditions first, then choices among what they left, from left to right."""

    terms: tuple[Term, ...]

    def __call__(self, columns: PeerColumns, rng: Stream) -> Flags:
        conditions = [term for term in self.terms if not _chooses(term)]
        pool = np.ones(columns.n, dtype=np.bool_) if conditions else _users(columns)
        for term in conditions:
            pool &= term(columns, rng)
        for term in self.terms:
            if isinstance(term, Choice) or (isinstance(term, Not) and _chooses(term)):
                pool = term.choose(pool, columns, rng)
        return pool


@dataclass(frozen=True, slots=True)
class Or(Term):
    """`A or B`, and `A, B`."""

    terms: tuple[Term, ...]

    def __call__(self, columns: PeerColumns, rng: Stream) -> Flags:
        # The left term draws first.
        made = np.zeros(columns.n, dtype=np.bool_)
        for term in self.terms:
            made |= term(columns, rng)
        return made


def _chooses(term: Term) -> bool:
    return isinstance(term, Choice) or (isinstance(term, Not) and isinstance(term.term, Choice))


def _users(columns: PeerColumns) -> Flags:
    """Living peers that are no infrastructure: the pool of a choice without conditions."""
    return _same(columns.states(), "alive") & ~np.fromiter(columns.infrastructure(), dtype=np.bool_, count=columns.n)


def _same(column: Iterable[str], value: str) -> Flags:
    return np.fromiter((entry == value for entry in column), dtype=np.bool_)


def _measure(columns: PeerColumns, name: str) -> NDArray[np.float64]:
    if name not in MEASURES:
        known = columns.shows
        figures = [one for one, shown in known.items() if shown.kind != "category"]
        if name not in figures:
            sentence = f'"top" expected {" or ".join((*MEASURES, *figures))}, found "{plain(name, 40)}"'
            raise InputError(sentence + nearest(name, (*MEASURES, *figures), listed=False))
        return _shown_values(columns, known[name])
    measures = {
        "degree": columns.degrees,
        "load": columns.loads,
        "betweenness": columns.betweenness,
        "uptime": columns.uptimes,
    }
    return np.asarray(measures[name](), dtype=np.float64)


def _shown_values(columns: PeerColumns, shown: Shown) -> NDArray[np.float64]:
    """A column of figures as a person writes them: a share in %. NaN for peers without a value."""
    values = np.asarray(columns.shown()[shown.name], np.float64)
    # 0.29 is 29 %: later digits are rounding errors.
    return np.round(values * 100, 9) if shown.kind == "share" else values


LENGTH_MAX = 100_000
DEPTH_MAX = 40
SHOWN_MAX = 8
COMMON = 7
"""Keys that `complete` returns first."""

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
"""Stricter than float(): no "nan", no "1_000", no digits of other scripts."""

_TOKEN = re.compile(
    r"""\s*(?: "(?P<double>[^"]*)" | '(?P<single>[^']*)' | (?P<sign>>=|<=|[<>=]) | (?P<mark>[(),])
        | (?P<word>[^\s"'<>=(),]+) | (?P<bad>\S) )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Selector:
    """A parsed selector, for any swarm."""

    text: str
    root: Term

    def pick(self, columns: PeerColumns, rng: Stream) -> tuple[int, ...]:
        """The peers that it names now, in ascending order, perhaps none.

        Raises InputError for a name that the swarm does not have. `rng`: the stream from which `random` draws.
        """
        return tuple(np.flatnonzero(self.root(columns, rng)).tolist())


class UnknownRoleError(InputError):
    """A selector names a role that no peer had so far and no program declares."""


class Token(NamedTuple):
    """kind: word, quoted, sign, mark or end; at: its character in the selector, from 1."""

    kind: str
    text: str
    at: int


def parse(text: str, columns: Collection[str] | None = None) -> Selector:
    """Read a selector. columns: the names of all shown columns of the network, if they are known; else names that are
    no property of every peer are checked when peers are picked. Raises InputError, one sentence with the character that
    is wrong."""
    if len(text) > LENGTH_MAX:
        raise InputError(f"a selector of {len(text):,} characters is too long; {LENGTH_MAX:,} are read")
    return Selector(text, _Reader(text, columns).read())


class _Reader:
    def __init__(self, text: str, columns: Collection[str] | None) -> None:
        self.text = text
        self.columns = columns
        self.tokens = list(self._tokens())
        self.next = 0
        self.depth = 0

    def _tokens(self) -> Iterator[Token]:
        end = len(self.text.rstrip())
        at = 0
        while at < end:
            found = _TOKEN.match(self.text, at)
            assert found is not None
            assert found.lastgroup is not None
            kind, inner = found.lastgroup, found[found.lastgroup]
            start = found.start(kind) + 1
            if kind == "bad":
                self._fail(start, f"the quote {inner} is not closed")
            if kind in ("double", "single"):
                kind, start = "quoted", start - 1
            yield Token(kind, inner, start)
            at = found.end()
        yield Token("end", "", end + 1)

    def _fail(self, at: int, why: str) -> NoReturn:
        raise InputError(f'selector "{plain(self.text, limit=60)}", character {at}: {why}')

    def _expected(self, what: str) -> NoReturn:
        token = self.peek
        found = "the end" if token.kind == "end" else f'"{plain(token.text, limit=40)}"'
        self._fail(token.at, f"expected {what}, found {found}")

    @property
    def peek(self) -> Token:
        return self.tokens[self.next]

    def take(self) -> Token:
        token = self.tokens[self.next]
        self.next += token.kind != "end"
        return token

    def took(self, kind: str, *texts: str) -> bool:
        if self.peek.kind == kind and self.peek.text in texts:
            self.next += 1
            return True
        return False

    def read(self) -> Term:
        if self.peek.kind == "end":
            raise InputError('a selector is empty; expected a label, #17, role=…, random 10%, "all" …')
        term = self.listed()
        if self.peek.kind != "end":
            # `p1 nad p2` and `randon 5`: the slip is in this word or in the one before it.
            for word, known in ((self.peek.text, JOINING), (self.tokens[self.next - 1].text, LEADING)):
                tail = nearest(word, known)
                if tail.startswith(";"):
                    self._fail(self.peek.at, f'expected "and", "or" or the end, found "{plain(self.peek.text)}"{tail}')
            self._expected('"and", "or" or the end')
        return term

    def listed(self) -> Term:
        terms = [self.either()]
        while self.took("mark", ","):
            terms.append(self.either())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def either(self) -> Term:
        terms = [self.both()]
        while self.took("word", "or"):
            terms.append(self.both())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def both(self) -> Term:
        terms = [self.negated()]
        while self.took("word", "and"):
            terms.append(self.negated())
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def negated(self) -> Term:
        odd = False
        while self.took("word", "not"):
            odd = not odd
        term = self.single()
        if not odd:
            return term
        return term.term if isinstance(term, Not) else Not(term)

    def single(self) -> Term:
        token = self.peek
        if token.kind == "quoted":
            return Label(self.take().text)
        if self.took("mark", "("):
            return self._bracketed(token)
        if token.kind != "word" or token.text in JOINING:
            self._expected("a label, #17, role=…, random 10% …")
        self.take()
        if self.peek.kind == "sign":
            return self._compared(token)
        if token.text.startswith("#"):
            digits = token.text[1:]
            if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
                self._fail(token.at, f'expected "#" and a number such as #17, found "{plain(token.text)}"')
            return Id(int(digits))
        if token.text == "all":
            return Everyone()
        if token.text in ("bootstrap", "newcomers"):
            return Flagged(token.text)
        if token.text == "near":
            return self._near(token)
        if token.text in ("holds", "keeps"):
            at = self.peek.at
            text = self._text('a name such as "blue train"')
            if not words_of(text):
                self._fail(at, f'"{token.text}" needs at least one letter or digit')
            return Holds(text) if token.text == "holds" else Keeps(text)
        if token.text == "random":
            amount, percent = self._amount()
            return Choice(amount, percent)
        if token.text == "top":
            amount, percent = self._amount()
            known = (*MEASURES, *(self.columns or ()))
            if self.peek.kind != "word" or (self.columns is not None and self.peek.text not in known):
                self._expected(" or ".join(known))
            return Choice(amount, percent, self.take().text)
        return Label(token.text)

    def _near(self, token: Token) -> Term:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            self._fail(token.at, f'"near" is nested deeper than {DEPTH_MAX}')
        term = Near(self.single())
        self.depth -= 1
        return term

    def _bracketed(self, opened: Token) -> Term:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            self._fail(opened.at, f"brackets are nested deeper than {DEPTH_MAX}")
        term = self.listed()
        if not self.took("mark", ")"):
            self._expected(f'")" for the bracket at character {opened.at}')
        self.depth -= 1
        return term

    def _compared(self, key: Token) -> Term:
        if key.text not in KEYS:
            known = (*KEYS, *(self.columns or ()))
            if (self.columns is not None and key.text not in known) or not NAME.fullmatch(key.text):
                self._fail(key.at, f'"{plain(key.text)}" is no property of a peer{nearest(key.text, known)}')
            sign = self.take()
            return ShownFigure(key.text, sign.text, self._text(f"a value of {plain(key.text, 40)}"))
        sign = self.take()
        if key.text in MEASURES:
            return Measured(key.text, sign.text, self._number("a number"))
        if sign.text != "=":
            self._fail(sign.at, f'{key.text} takes "=", not "{sign.text}"')
        at = self.peek.at
        value = self._text(f"a {key.text}")
        if key.text == "state":
            value = value.lower()
            if value not in STATES:
                self._fail(at, f'no state is called "{plain(value)}"{nearest(value, STATES)}')
        if key.text == "nat":
            value = value.lower()
            if value not in NAT_VALUES:
                self._fail(at, f'nat is {", ".join(NAT_VALUES[:-1])} or {NAT_VALUES[-1]}, not "{plain(value)}"')
        return Named(key.text, value)

    def _text(self, what: str) -> str:
        """A quoted text, or words up to the next `and`, `or` or mark: `city=New York` reads as it is meant."""
        if self.peek.kind == "quoted":
            return self.take().text
        words: list[str] = []
        while self.peek.kind == "word" and self.peek.text not in JOINING:
            words.append(self.take().text)
        if not words:
            self._expected(what)
        return " ".join(words)

    def _number(self, what: str) -> float:
        token = self.peek
        if token.kind != "word" or not _NUMBER.fullmatch(token.text):
            self._expected(what)
        return float(self.take().text)

    def _amount(self) -> tuple[float, bool]:
        """`5` or `10%` or `2.5 %`: the number, and whether it is a percentage."""
        token = self.peek
        found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(%?)", token.text) if token.kind == "word" else None
        if found is None:
            self._expected("how many, such as 5 or 10%")
        self.take()
        percent = found[2] == "%" or self.took("word", "%")
        amount = float(found[1])
        if percent and amount > 100:
            self._fail(token.at, f"expected at most 100%, found {found[1]}%")
        if not percent and amount != int(amount):
            self._fail(token.at, f"expected a whole number or a percentage, found {found[1]}")
        return amount, percent


def last_word(text: str) -> tuple[str, str]:
    """Split a text in two: what stays, and the word being typed, which a completion replaces. A key and its sign are
    part of what stays; an open quote is part of the word."""
    marks = ' \t(,<>="'
    at = text.rindex('"') if text.count('"') % 2 else max(text.rfind(mark) for mark in marks) + 1
    return text[:at], text[at:]


def complete(text: str, columns: PeerColumns) -> list[str]:
    """At most 8 words that could replace the last one (see `last_word`), the likeliest first."""
    head, word = last_word(text)
    typed = word.lstrip('"').casefold()
    fitting = (choice for choice in _choices(head, columns) if choice.casefold().startswith(typed))
    seen: dict[str, None] = {}
    for choice in fitting:
        if choice != word:
            seen[f'"{choice}"' if " " in choice else choice] = None
        if len(seen) == SHOWN_MAX:
            break
    return list(seen)


def _choices(head: str, columns: PeerColumns) -> Iterable[str]:
    """What may follow a text, in the order in which it is offered."""
    before = head.rstrip()
    key = re.search(r"([\w.]+)\s*=$", before)
    if key:
        return _values(key[1], columns)
    if before.endswith((*COMPARE, "holds", "keeps")):
        return ()
    if re.search(r"\btop\s+[0-9.]+\s*%?$", before):
        shown = columns.shows.values()
        return (*MEASURES, *(one.name for one in shown if one.kind != "category"))
    if re.search(r"\b(top|random)$", before):
        return ("5", "10%")
    try:
        parse(before)
    except InputError:
        return _openings(columns)
    return JOINING if head != before else ()


def _values(key: str, columns: PeerColumns) -> Iterable[str]:
    if key in ("state", "nat"):
        return STATES if key == "state" else NAT_VALUES
    shown = columns.shows.get(key)
    if shown is not None and shown.kind == "category":
        return dict.fromkeys((*shown.values, *sorted(filter(None, dict.fromkeys(map(str, columns.shown()[key]))))))
    named = {"role": columns.known_roles, "city": columns.cities, "operator": columns.operators}
    return sorted(filter(None, dict.fromkeys(named[key]()))) if key in named else ()


def _openings(columns: PeerColumns) -> Iterator[str]:
    signed = [f"{key}=" if key not in MEASURES else f"{key}>" for key in KEYS]
    yield from signed[:COMMON]
    yield from (f"{one.name}{'=' if one.kind == 'category' else '>'}" for one in columns.shows.values())
    yield from LEADING
    yield from signed[COMMON:]
    yield from columns.labels
