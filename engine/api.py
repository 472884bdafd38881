"""The words protocols are written in.

A network is one file in `engine/protocols/`: `@message` values, an options dataclass, and `Peer`s with
`@on` handlers. A peer is plain data: it holds no clock, socket, thread, file or random source. All of
that is the `Host` which is handed to each handler and must not be kept: a stored host used out of turn
would speak for the wrong peer, and a peer that holds one no longer pickles, so it could not be rewound.

What crosses a link has a file of its own (`words`) and is named here as well. Start reading at `Host` and `Peer`;
`engine/protocols/gossip.py` is the smallest complete example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import get_annotations
from typing import (
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    NamedTuple,
    Protocol,
    TypeAlias,
    TypeVar,
    cast,
    dataclass_transform,
    overload,
)

# What a peer can tell a watcher of itself: what it believes, and what a textbook foretells for its network.
#
# A part of `api`, which protocols import it from; apart from it for length.


@dataclass(slots=True)
class Belief:
    """What one peer holds to be so about another. `heard_us` is None for hearsay, else when it last spoke; `what` is
    in the protocol's own words; `alive` whether it is counted on, None for no opinion; `files` how many it is said
    to share, None for no idea."""

    heard_us: int | None = None
    what: str = ""
    alive: bool | None = None
    files: int | None = None


@dataclass(slots=True)
class Beliefs:
    """What one peer knows: other peers, and facts in the protocol's own words for the inspector."""

    known: dict[int, Belief] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Theory:
    """A figure that a protocol foretells for an ask. `of` is a figure of the account ("reached", "messages",
    "duplicates", "hops"), or any other name, which is told by itself; `why` the formula, in a few words."""

    of: str
    value: float
    why: str = ""


# What crosses a link: messages, what they weigh and what they are about. A part of `api`, where protocols find it.

Over: TypeAlias = Literal["stream", "datagram"]
Part: TypeAlias = Literal["question", "answer", "transfer", "upkeep"]

PARTS: tuple[Part, ...] = ("question", "answer", "transfer", "upkeep")
"""In the order of their codes in a `Snapshot`."""

M = TypeVar("M")


class Message:
    """Base that `@message` mixes in. Two methods may be overridden to say what a message is *about*."""

    __slots__ = ()
    over: ClassVar[Over] = "stream"
    part: ClassVar[Part] = "upkeep"
    part_code: ClassVar[int] = 3
    kind: ClassVar[str] = "Message"
    _size: int
    """Bytes on the wire, once they are known; until then 0. A slot that `message` adds."""

    def about(self) -> Iterable[str]:
        """Lower-case words that a handler could read in it. A sealed cell is about nothing."""
        return ()

    def without(self, word: str) -> object | None:
        """What is left of the message for a peer that bans `word`: the rest, or None for nothing.

        A request returns a request that lawfully finds nothing; a list returns the list less the banned
        entries; a flooded query returns None. Called only when `mentions(self.about(), word)`.
        """
        return None


@dataclass_transform(frozen_default=True)
def message(*, over: Over = "stream", part: Part = "upkeep") -> Callable[[type[M]], type[M]]:
    """Turn a class of annotations into a message: a slotted value that crosses a link.

    Type checkers see it as frozen. It is not frozen at run time: that would double the price of making
    one, and the conformance suite catches a protocol that changes a message it got.
    """

    def build(cls: type[M]) -> type[M]:
        space = {k: v for k, v in cls.__dict__.items() if k not in ("__dict__", "__weakref__")}
        space.update(over=over, part=part, part_code=PARTS.index(part), kind=cls.__name__)
        # The size is set when a message is made: to find out that a slot is empty costs eight times as much. It is no
        # field, though, for whoever goes through those.
        space["__annotations__"] = {**get_annotations(cls), "_size": int}
        space["_size"] = field(default=0, init=False, repr=False, compare=False)
        bases = (*(b for b in cls.__bases__ if b is not object), Message)
        made: Any = dataclass(slots=True)(type(cls.__name__, bases, space))
        del made.__dataclass_fields__["_size"]
        return cast("type[M]", made)

    return build


@dataclass(frozen=True, slots=True)
class Blob:
    """File data: `size` bytes that count on the wire and do not exist in memory. `digest` proves them."""

    size: int
    digest: int = 0


def words_of(text: str) -> tuple[str, ...]:
    """Lower-case words of a text, punctuation as blanks, in order."""
    return tuple("".join(ch if ch.isalnum() else " " for ch in text.lower()).split())


def mentions(about: Iterable[str], ban: str) -> bool:
    """Whether every word of the banned phrase is among the words a message is about."""
    have = set(about)
    banned = words_of(ban)
    return bool(banned) and all(word in have for word in banned)


PeerId: TypeAlias = int
"""Dense index of a peer, 0..n-1. Peers asked for come first, then infrastructure, then newcomers."""

AskId: TypeAlias = int
"""Asks count from 1 in order of issue."""

Cause: TypeAlias = int | tuple[int, ...]
"""Opaque: the ask(s) a message descends from and how many hops away that was. 0 means none."""

INHERIT: int = -1
"""Default of `cause=`: what a handler sends descends from what it handles."""

CauseLike: TypeAlias = int | Sequence[Cause] | None

Want: TypeAlias = Literal["find", "publish", "fetch", "broadcast"]

DUPLICATE: Final = "duplicate"
Known: TypeAlias = Literal["duplicate"] | None
"""What a handler of a message returns: `DUPLICATE` of one that told this peer nothing new, else None."""

T = TypeVar("T")


# --- what a peer has and wants ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class File:
    """A shared file: `name` as its holder calls it, `size` in bytes, `digest` of its bytes.

    A decoy carries a name it does not deserve, and verifies all the same: its digest is that of its bytes. `genuine` is
    marked only in what a watcher is shown (`Swarm.library`); for protocols it is always true, and it crosses no link.
    """

    name: str
    size: int
    digest: int
    genuine: bool = field(default=True, metadata={"sent": False})


class Library(Protocol):
    """What a peer shares. It outlives a kill, as a disk does."""

    def matching(self, text: str) -> Sequence[File]:
        """Files whose name has every word of `text`; nothing for a text without words."""
        ...

    def files(self) -> Sequence[File]:
        """All of them, in the order they came."""
        ...

    def add(self, file: File) -> bool:
        """Share one more (a finished download, a publication). The same name twice is one file.

        False when the user looked at it and threw it away: it was not what its name says. Then say
        `host.note("decoy", holder=…, content=…)` and ask somebody else.
        """
        ...

    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing a user wants. `text` names it; for `publish`, the file is in the library already."""

    id: AskId
    want: Want
    text: str


class Timer(Protocol):
    """A handle to give back to `Host.cancel`. It pickles; it may be kept."""


class Rng(Protocol):
    """A named random stream (64 bits of state). The names are those of `random.Random`."""

    def random(self) -> float: ...
    def getrandbits(self, bits: int) -> int: ...
    def randrange(self, stop: int) -> int: ...
    def randint(self, low: int, high: int) -> int: ...
    def uniform(self, low: float, high: float) -> float: ...
    def choice(self, items: Sequence[T]) -> T: ...
    def sample(self, items: Sequence[T], k: int) -> list[T]: ...
    def shuffle(self, items: list[Any]) -> None: ...
    def expovariate(self, rate: float) -> float: ...
    def bytes(self, n: int) -> bytes: ...


class Line(NamedTuple):
    """A peer's own connection, as its user knows it: rates in kbit/s, 0 for one that nothing is known to limit; `nat`:
    it can call others and cannot be called."""

    up_kbit_s: int = 0
    down_kbit_s: int = 0
    nat: bool = False


# --- the seam between a peer and the world ----------------------------------------------------------------


class Host(Protocol):
    """All that a peer can do to the world, and all it may know without being told. One object a peer."""

    @property
    def me(self) -> PeerId: ...
    @property
    def now_us(self) -> int:
        """Virtual time in microseconds."""
        ...

    @property
    def rng(self) -> Rng: ...
    @property
    def options(self) -> Any:
        """The protocol's options dataclass; the same object for all, and it may change while running."""
        ...

    @property
    def library(self) -> Library: ...
    @property
    def line(self) -> Line:
        """Its own connection. Where it has rates, the link makes transfers take their time: do not pace them again."""
        ...

    @property
    def cause(self) -> Cause:
        """Of what is being handled. Keep it beside an item that will be passed on later."""
        ...

    def send(self, to: PeerId, message: object, *, cause: CauseLike = INHERIT) -> None: ...
    def multicast(self, to: Iterable[PeerId], message: object, *, cause: CauseLike = INHERIT) -> None: ...
    def after(self, delay_us: int, tick: object, *, cause: CauseLike = INHERIT) -> Timer:
        """Hand `tick` to its `@on` handler once, `delay_us` from now."""
        ...

    def every(self, period_us: int, tick: object) -> Timer:
        """Upkeep: hand over `tick` each period. The first falls at a random phase of the period, from this
        peer's own stream, so that a thousand peers do not tick as one."""
        ...

    def cancel(self, timer: Timer) -> None: ...
    def link(self, to: PeerId) -> None:
        """A stream to `to` is open. Drawn, and closed by a kill. Saying it twice, or at both ends, is once."""
        ...

    def unlink(self, to: PeerId) -> None:
        """Close it. The other end hears `closed` one latency later."""
        ...

    def note(self, kind: str, **facts: Any) -> None:
        """Tell the watcher what just happened, in meaning rather than packets: hit, graft, choke.

        `note("hit", holder=…, content=…)` is said at the origin of an ask, once per holder. That a message told the
        peer nothing new is said by returning `DUPLICATE`, or here (`note("duplicate")`) where no message is handled.
        """
        ...


@dataclass(frozen=True, slots=True)
class Station:
    """One piece of infrastructure: a server, index or tracker, added to the peers asked for."""

    program: type[Peer]
    label: str
    operator: str


class Peer:
    """One participant's program: plain data and handlers.

    `class Servent(Peer, name="gnutella", options=GnutellaOptions)` declares the network; other roles of the
    same file derive from `Peer` too, without a name, and are placed by `stations`.

    Class attributes that may be set:
    role          what it is called in its specification ("servent", "index")
    wants         what an ask of this network is, unless the command says otherwise
    knows         what a peer's `contacts` are when a run begins: "overlay" (a few living peers; who its neighbours in
                  the topology are, it is told by `neighbours`) or "everyone" (all peers). Who starts later is told of
                  the bootstrap peers alone, a few well-known ones that may be dead by then. Stations are always among
                  them, first
    overlay       whether the topology's links stand as open streams when the run begins
    model         a textbook's model that foretells its asks ("infect and die"), where `theory` says nothing of its own
    has_all       whether it answers whatever is asked for, and not from its library: the server of a client and server
    shares_files  whether it shares the files of its library, so that decoys could be among them
    """

    role: ClassVar[str] = "peer"
    wants: ClassVar[Want] = "find"
    knows: ClassVar[Literal["overlay", "everyone"]] = "overlay"
    overlay: ClassVar[bool] = True
    model: ClassVar[str] = ""
    has_all: ClassVar[bool] = False
    shares_files: ClassVar[bool] = True
    name: ClassVar[str] = ""
    options_type: ClassVar[type[Any]]
    handlers: ClassVar[dict[type, Callable[..., Known]]] = {}
    __slots__ = ()

    def __init_subclass__(cls, *, name: str = "", options: type[Any] | None = None, **kw: Any) -> None:
        super().__init_subclass__(**kw)
        if name:
            cls.name = name
        if options is not None:
            cls.options_type = options
        table: dict[type, Callable[..., Known]] = {}
        for base in reversed(cls.__mro__):
            for value in vars(base).values():
                for kind in getattr(value, "_handles", ()):
                    table[kind] = value
        cls.handlers = table

    @classmethod
    def stations(cls, options: Any, peers: int) -> Sequence[Station]:
        """Infrastructure of the network, for a swarm of so many peers."""
        return ()

    @classmethod
    def explain(cls, facts: Mapping[str, Any], options: Any) -> str | None:
        """Why an ask had no answer, in this protocol's own terms, or None for the general sentence.

        `facts` has the keys of `verdict.verdict`: want, text, origin, alive, reached, hits, holders, dead, left,
        censored, colluding, parted, distance (hops to the nearest living holder over the links as they stand, or
        None), losses {reason: n}, stations {label: state}.
        """
        return None

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: Any) -> Sequence[Theory]:
        """What a textbook foretells for an ask, beside which the account is shown. Nothing, when there is none.

        `facts`: want; peers (asked for), others (all but the asker, infrastructure left out), living (of these);
        degree (open streams of the asker), mean_degree (of those up); levels, one entry a distance 0, 1, …: (peers at
        that distance over the open streams, sum of their degrees); stations {label: state}.
        """
        return ()

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """Begin. `saved` is what an earlier life of this peer left on disk."""

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        """Only at t = 0 and after `start`: the overlay as it stands, streams open, handshakes behind us."""

    def stop(self, host: Host) -> None:
        """A polite leave. A kill gives no notice."""

    def joined(self, links: Sequence[PeerId]) -> bool:
        """Whether it has found its way into the network, given its open streams. A newcomer that has not, after some
        seconds, is told of as adrift."""
        return bool(links) or not self.overlay

    def ask(self, host: Host, ask: Ask) -> None:
        """A user at this peer wants something."""

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        """A stream message found nobody: `to` is dead or gone, and its machine said so."""

    def closed(self, host: Host, peer: PeerId) -> None:
        """An open stream was closed by the other end, or by its death."""

    def saved(self) -> object | None:
        """What would be on disk: host cache, address book, guards. Plain data."""
        return None

    def beliefs(self) -> Beliefs:
        """What this peer knows."""
        return Beliefs()

    def identifier(self) -> float | None:
        """Its place on the circle of identifiers, 0 to 1 (the identifier over the size of its space): for networks
        that have one, such as hash tables. The screen can then show the circle. Asked for about once a second."""
        return None


P = TypeVar("P")


class _On(Generic[T]):
    """What `on(kinds)` returns: takes a message handler (…, sender, message) or a tick handler (…, tick)."""

    def __init__(self, kinds: tuple[type[Any], ...]) -> None:
        self.kinds = kinds

    @overload
    def __call__(self, handler: Callable[[P, Host, PeerId, T], Known]) -> Callable[[P, Host, PeerId, T], Known]: ...
    @overload
    def __call__(self, handler: Callable[[P, Host, T], None]) -> Callable[[P, Host, T], None]: ...
    def __call__(self, handler: Any) -> Any:
        handler._handles = (*getattr(handler, "_handles", ()), *self.kinds)
        return handler


def on(kind: type[T]) -> _On[T]:
    """Mark the handler of a message (host, sender, message; may return `DUPLICATE`) or of a tick (host, tick)."""
    return _On((kind,))


def option(default: T, about: str, *, low: float | None = None, high: float | None = None) -> T:
    """A field of an options dataclass: its default (from the specification), a sentence with its unit, its range."""
    made: T = field(default=default, metadata={"about": about, "low": low, "high": high})
    return made
