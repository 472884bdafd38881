"""What a selector means: the nodes of a parsed one, and what they ask of a swarm.

The language is told in `selectors`. A node is a function from a `View` to flags, one for each peer, and draws
from the stream that it is given; nodes are frozen values and good for any swarm.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, nearest, plain
from ..sim.rng import Stream
from ..world.cities import CITIES

Flags: TypeAlias = NDArray[np.bool_]

STATES = ("alive", "dead", "left", "censored", "poisoned")
MEASURES = ("degree", "load", "betweenness", "uptime")
LEADING = ("random", "top", "holds", "not", "all", "near", "bootstrap", "newcomers")
KEYS = ("role", "state", "city", "operator", "degree", "load", "nat", "betweenness", "uptime")
ANSWERS = ("yes", "no")
COMPARE: dict[str, Callable[[NDArray[np.float64], float], Flags]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}


class View(Protocol):
    """What a selector asks of a swarm. Each column has n entries and is only asked for when a term needs it."""

    @property
    def n(self) -> int:
        """How many peers there are, infrastructure included."""
        ...

    @property
    def labels(self) -> Sequence[str]:
        """Index = PeerId."""
        ...

    @property
    def label_ids(self) -> Mapping[str, int]:
        """PeerId of each label."""
        ...

    def infrastructure(self) -> Sequence[bool]:
        """Whether it is a server, index or tracker."""
        ...

    def roles(self) -> Sequence[str]:
        """What each is called in its specification."""
        ...

    def states(self) -> Sequence[str]:
        """alive, dead or left."""
        ...

    def censored(self) -> Sequence[bool]:
        """A flag beside the state."""
        ...

    def poisoned(self) -> Sequence[bool]:
        """A flag beside the state."""
        ...

    def cities(self) -> Sequence[str]:
        """Where each lives."""
        ...

    def operators(self) -> Sequence[str]:
        """Who runs each peer, "" for its own user."""
        ...

    def nats(self) -> Sequence[bool]:
        """Whether each stands behind a NAT."""
        ...

    def degrees(self) -> Sequence[float]:
        """Open streams of each."""
        ...

    def loads(self) -> Sequence[float]:
        """Messages delivered in the last second."""
        ...

    def betweenness(self) -> Sequence[float]:
        """Pairs of others whose shortest ways over the open streams lead through each, see `graphs`."""
        ...

    def uptimes(self) -> Sequence[float]:
        """How long each has been up, in seconds; 0 for who is not."""
        ...

    def holds(self, text: str) -> Sequence[bool]:
        """Whether it shares a file whose name has every word of the text."""
        ...

    def bootstrap(self) -> Sequence[bool]:
        """Whether everybody knows it, who comes later too."""
        ...

    def newcomers(self) -> Sequence[bool]:
        """Whether it came after the run had begun."""
        ...

    def near(self, peer: int) -> Sequence[int]:
        """Who has an open stream to a peer."""
        ...


@dataclass(frozen=True, slots=True)
class Term:
    """A node of a parsed selector."""

    def __call__(self, view: View, rng: Stream) -> Flags:
        """Which peers it names, bool (n,). Raises InputError for a name that the swarm does not have."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Everyone(Term):
    """`all`."""

    def __call__(self, view: View, rng: Stream) -> Flags:
        """True throughout."""
        return np.ones(view.n, dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Label(Term):
    """`p017`."""

    label: str

    def __call__(self, view: View, rng: Stream) -> Flags:
        """One peer; raises InputError for a label nobody has."""
        peer = view.label_ids.get(self.label)
        if peer is None:
            # A hundred thousand labels are too many to measure a typing mistake against: those of its size
            # that begin alike are enough.
            alike = (x for x in view.label_ids if abs(len(x) - len(self.label)) < 2 and x[:1] == self.label[:1])
            tail = nearest(self.label, [label for label, _ in zip(alike, range(2000), strict=False)])
            misspelt = nearest(self.label, (*KEYS, *LEADING))
            if not tail.startswith(";") and misspelt.startswith(";"):
                tail = misspelt
            raise InputError(f'no peer is called "{plain(self.label)}"{tail}')
        made = np.zeros(view.n, dtype=np.bool_)
        made[peer] = True
        return made


@dataclass(frozen=True, slots=True)
class Flagged(Term):
    """`bootstrap`, `newcomers`."""

    word: str

    def __call__(self, view: View, rng: Stream) -> Flags:
        """Those that are."""
        column = {"bootstrap": view.bootstrap, "newcomers": view.newcomers}[self.word]()
        return np.fromiter(column, dtype=np.bool_, count=view.n)


@dataclass(frozen=True, slots=True)
class Near(Term):
    """`near p017`: its neighbours of this moment."""

    term: Term

    def __call__(self, view: View, rng: Stream) -> Flags:
        """Those linked to one of these, them left out; raises InputError as the term does."""
        those = self.term(view, rng)
        made = np.zeros(view.n, dtype=np.bool_)
        for peer in np.flatnonzero(those).tolist():
            made[list(view.near(peer))] = True
        made &= ~those
        return made


@dataclass(frozen=True, slots=True)
class Id(Term):
    """`#17`."""

    peer: int

    def __call__(self, view: View, rng: Stream) -> Flags:
        """One peer; raises InputError for an id beyond the last."""
        if self.peer >= view.n:
            raise InputError(f"there is no peer #{self.peer}; the last one is #{view.n - 1}")
        made = np.zeros(view.n, dtype=np.bool_)
        made[self.peer] = True
        return made


@dataclass(frozen=True, slots=True)
class Named(Term):
    """`role=index`, `state=dead`, `city=Lisbon`, `operator=acme`, `nat=yes`."""

    key: str
    value: str

    def __call__(self, view: View, rng: Stream) -> Flags:
        """Those whose column has the value; raises InputError for a value nobody could have."""
        if self.key == "state":
            if self.value in ("censored", "poisoned"):
                flags = view.censored() if self.value == "censored" else view.poisoned()
                return np.fromiter(flags, dtype=np.bool_, count=view.n)
            return _same(view.states(), self.value)
        if self.key == "nat":
            return np.fromiter(view.nats(), dtype=np.bool_, count=view.n) ^ (self.value == "no")
        column = {"role": view.roles, "city": view.cities, "operator": view.operators}[self.key]()
        known = dict.fromkeys(column)
        if self.key == "city":
            known.update(dict.fromkeys(city for city, *_ in CITIES))
        wanted = self.value.casefold()
        spelled = [name for name in known if name and name.casefold() == wanted]
        if not spelled:
            tail = nearest(self.value, filter(None, known)) or "; no peer has one" * (not any(known))
            raise InputError(f'no {self.key} is called "{plain(self.value)}"{tail}')
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

    def __call__(self, view: View, rng: Stream) -> Flags:
        """Those whose measure compares so."""
        return COMPARE[self.sign](_measure(view, self.measure), self.limit)


@dataclass(frozen=True, slots=True)
class HeldLinks(Term):
    """`holds "blue train"`."""

    text: str

    def __call__(self, view: View, rng: Stream) -> Flags:
        """Those that share such a file."""
        return np.fromiter(view.holds(self.text), dtype=np.bool_, count=view.n)


@dataclass(frozen=True, slots=True)
class Choice(Term):
    """`random 10%`, `top 5 degree`: some of a pool. `amount` is a count, or a percentage when `percent`;
    `measure` is "" for random."""

    amount: float
    percent: bool
    measure: str = ""

    def __call__(self, view: View, rng: Stream) -> Flags:
        """Some of the living users, for want of other company."""
        return self.choose(_users(view), view, rng)

    def choose(self, pool: Flags, view: View, rng: Stream) -> Flags:
        """The chosen ones among those flagged in `pool`."""
        ids = np.flatnonzero(pool)
        count = min(len(ids), self._count(len(ids)))
        if self.measure:
            # Equal peers stand in order of id, which a stable sort of the negative keeps.
            ids = ids[np.argsort(-_measure(view, self.measure)[ids], kind="stable")[:count]]
        else:
            ids = ids[rng.sample(range(len(ids)), count)]
        made = np.zeros(view.n, dtype=np.bool_)
        made[ids] = True
        return made

    def _count(self, size: int) -> int:
        if not self.percent:
            return int(self.amount)
        return max(int(self.amount > 0), math.floor(size * self.amount / 100 + 0.5))


@dataclass(frozen=True, slots=True)
class Not(Term):
    """`not TERM`: everybody else; of a choice, what it leaves of its pool."""

    term: Term

    def __call__(self, view: View, rng: Stream) -> Flags:
        """The others."""
        if isinstance(self.term, Choice):
            return self.choose(_users(view), view, rng)
        return ~self.term(view, rng)

    def choose(self, pool: Flags, view: View, rng: Stream) -> Flags:
        """What a negated choice leaves of `pool`."""
        assert isinstance(self.term, Choice)
        return pool & ~self.term.choose(pool, view, rng)


@dataclass(frozen=True, slots=True)
class And(Term):
    """`A and B`: conditions first, then choices among what they left, from left to right."""

    terms: tuple[Term, ...]

    def __call__(self, view: View, rng: Stream) -> Flags:
        """Those that pass all conditions and all choices."""
        conditions = [term for term in self.terms if not _chooses(term)]
        pool = np.ones(view.n, dtype=np.bool_) if conditions else _users(view)
        for term in conditions:
            pool &= term(view, rng)
        for term in self.terms:
            if isinstance(term, Choice) or (isinstance(term, Not) and _chooses(term)):
                pool = term.choose(pool, view, rng)
        return pool


@dataclass(frozen=True, slots=True)
class Or(Term):
    """`A or B`, and `A, B`."""

    terms: tuple[Term, ...]

    def __call__(self, view: View, rng: Stream) -> Flags:
        """Those that any term names, the left asked first."""
        made = np.zeros(view.n, dtype=np.bool_)
        for term in self.terms:
            made |= term(view, rng)
        return made


def _chooses(term: Term) -> bool:
    return isinstance(term, Choice) or (isinstance(term, Not) and isinstance(term.term, Choice))


def _users(view: View) -> Flags:
    """Living peers that are no infrastructure: the pool of a choice without company."""
    return _same(view.states(), "alive") & ~np.fromiter(view.infrastructure(), dtype=np.bool_, count=view.n)


def _same(column: Iterable[str], value: str) -> Flags:
    return np.fromiter((entry == value for entry in column), dtype=np.bool_)


def _measure(view: View, name: str) -> NDArray[np.float64]:
    columns = {"degree": view.degrees, "load": view.loads, "betweenness": view.betweenness, "uptime": view.uptimes}
    return np.asarray(columns[name](), dtype=np.float64)
