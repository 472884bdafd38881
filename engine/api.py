"""Everything that a protocol is written with: messages, handlers, the `Host` that a peer acts through, and `Peer`.

A network is one file or folder in `engine/protocols/`: `@message` classes, an options dataclass, and subclasses of
`Peer` with `@on` handlers. A peer is plain data: it has no clock, socket, thread, file or random source of its own. It
gets them from the `Host` that is passed to each handler. A peer must not store its host: used outside of a handler it
would send with the cause of another message, and a peer that holds one cannot be pickled, so no checkpoint could be
taken.

Start reading at `Host` and `Peer`; `engine/protocols/gossip.py` is the smallest complete example.
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

# --- what is shown of a peer and of an ask -----------------------------------------------------------------------


@dataclass(slots=True)
class Belief:
    """What one peer knows, or believes, of another.

    heard_us  virtual time at which it was last heard from directly, None where it is known from others only
    what      the relation, in the protocol's own words
    alive     whether it is believed to be alive, None where this peer has no opinion
    files     how many files it is said to share, None where that is not known
    """

    heard_us: int | None = None
    what: str = ""
    alive: bool | None = None
    files: int | None = None


@dataclass(slots=True)
class Beliefs:
    """What one peer knows: other peers, and further facts (name -> text) for the inspector."""

    known: dict[int, Belief] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Theory:
    """A figure that theory expects of an ask.

    of     the measured figure that it stands beside ("reached", "messages", "duplicates", "hops"), or any other name,
           which is shown on a line of its own
    value  the expected value, in the unit of that figure
    why    the formula, in a few words
    """

    of: str
    value: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One figure of a peer that its network wants to be seen: see `Peer.shows`.

    name   a word, as `pieces`: the name of the column, of the selector (`pieces<50`) and of the time series
    about  what it is, in a few words
    kind   "share" (0 to 1, shown in %), "count" (0 and up), "number" (with a sign), "rate" (bytes a second) or
           "category" (any short text)
    """

    name: str
    about: str
    kind: Literal["share", "count", "number", "rate", "category"]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Peers of an ask that have a thing, or a record that points to it, counted by what became of them.

    beyond: alive, and further away than a question travels; parted: alive, on the other side of a partition
    """

    living: int = 0
    dead: int = 0
    left: int = 0
    censored: int = 0
    colluding: int = 0
    beyond: int = 0
    parted: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is so about an ask when it ends, for `Peer.verdict`.

    goal       name of its goal
    origin     who asked; alive: whether it still is
    reached    peers that it came to, hits: holders that its origin learned of, answerers: who told it of them
    holders    who has the thing; keepers: who keeps a record that points to holders (`Peer.keeps`)
    distance   hops to the nearest living holder over the links as they are, None where there is no way
    horizon    `Peer.horizon`
    losses     reason -> messages of the ask that were dropped
    stations   label -> state, of the infrastructure
    done, of   the last `Host.progress`, 0 and 0 without one
    """

    goal: str
    text: str
    origin: PeerId
    alive: bool
    reached: int
    hits: int
    answerers: int
    holders: Whereabouts
    keepers: Whereabouts
    distance: int | None
    horizon: int | None
    losses: Mapping[str, int]
    stations: Mapping[str, str]
    done: float = 0
    of: float = 0


# --- messages --------------------------------------------------------------------------------------------------

Over: TypeAlias = Literal["stream", "datagram"]
Part: TypeAlias = Literal["question", "answer", "transfer", "upkeep", "notice"]

PARTS: tuple[Part, ...] = ("question", "answer", "transfer", "upkeep", "notice")
"""In the order of their codes in a `Snapshot`."""

M = TypeVar("M")


class Message:
    """Base class that `@message` adds. `about` and `without` may be overridden, for peers that ban a word."""

    __slots__ = ()
    over: ClassVar[Over] = "stream"
    part: ClassVar[Part] = "upkeep"
    part_code: ClassVar[int] = 3
    kind: ClassVar[str] = "Message"
    _size: int
    """Bytes on the wire, 0 until they have been counted. `message` adds the slot."""

    def about(self) -> Iterable[str]:
        """Lower-case words that a handler can read in it: none where the content is encrypted."""
        return ()

    def without(self, word: str) -> object | None:
        """The message as a peer that bans `word` treats it: what is left, or None to drop it.

        A request becomes a request that finds nothing, a list loses the banned entries, a flooded query is dropped.
        Called only when `mentions(self.about(), word)`.
        """
        return None


@dataclass_transform(frozen_default=True)
def message(*, over: Over = "stream", part: Part = "upkeep") -> Callable[[type[M]], type[M]]:
    """Turn a class of annotated fields into a message: a slotted dataclass that crosses a link.

    over: "stream" (in order per pair, lost only when an end stops) or "datagram" (may be lost)
    part: what it does for an ask: "question", "answer", "transfer" (moves data), "upkeep", or "notice" (tells that
          something exists, as Inv, IHave or Have do: it costs, and reaches nobody)

    Type checkers see it as frozen. It is not frozen at run time, which would double the time to make one; the
    conformance suite finds a protocol that changes a message it received.
    """

    def build(cls: type[M]) -> type[M]:
        space = {k: v for k, v in cls.__dict__.items() if k not in ("__dict__", "__weakref__")}
        space.update(over=over, part=part, part_code=PARTS.index(part), kind=cls.__name__)
        # The size is set to 0 when a message is made, since testing for an empty slot takes eight times as long. It is
        # taken out of the fields again, which are what is counted, compared and shown.
        space["__annotations__"] = {**get_annotations(cls), "_size": int}
        space["_size"] = field(default=0, init=False, repr=False, compare=False)
        bases = (*(b for b in cls.__bases__ if b is not object), Message)
        made: Any = dataclass(slots=True)(type(cls.__name__, bases, space))
        del made.__dataclass_fields__["_size"]
        return cast("type[M]", made)

    return build


@dataclass(frozen=True, slots=True)
class Blob:
    """File data: `size` bytes that count on the wire and do not exist in memory. `digest` is the hash of the bytes."""

    size: int
    digest: int = 0


def part_of(digest: int, begin: int) -> int:
    """The digest of the bytes of a file from `begin` on, as far as they are sent in one `Blob`: what `Host.blob` puts
    into it. digest: of the whole file. A receiver that has the hashes of all parts, as in a .torrent file, compares."""
    return (digest + (begin + 1) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF


def words_of(text: str) -> tuple[str, ...]:
    """Lower-case words of a text, in order. What is neither a letter nor a digit separates words."""
    return tuple("".join(ch if ch.isalnum() else " " for ch in text.lower()).split())


def mentions(about: Iterable[str], ban: str) -> bool:
    """Whether every word of the phrase `ban` is among the words `about`; False for a phrase without words."""
    have = set(about)
    banned = words_of(ban)
    return bool(banned) and all(word in have for word in banned)


PeerId: TypeAlias = int
"""Dense index of a peer, 0..n-1. Peers asked for come first, then infrastructure, then newcomers."""

AskId: TypeAlias = int
"""Asks count from 1 in order of issue."""

Cause: TypeAlias = int | tuple[int, ...]
"""Opaque: the ask or asks that a message descends from, with the number of hops from each. 0 means none."""

INHERIT: int = -1
"""Default of `cause=`: what a handler sends has the cause of what it handles."""

CauseLike: TypeAlias = int | Sequence[Cause] | None

Audience: TypeAlias = Literal["holders", "everyone", "one"]
Want: TypeAlias = Literal["find", "publish", "fetch", "broadcast"]

DUPLICATE: Final = "duplicate"
Known: TypeAlias = Literal["duplicate"] | None
"""What the handler of a message returns: `DUPLICATE` if the message held nothing new for this peer, else None."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Goal:
    """A thing that a user can want of a network.

    name        as it stands in records and in `--json`
    verb        what the ask bar and the menu call it ("find", "download", "pay")
    about       one sentence
    success_s   an ask without success by then counts as unanswered
    audience    whom a question has to come to, see `Audience`
    reached_by  the parts whose arrival counts as reaching a peer: an answer for a rumour that is pulled, a transfer for
                a block
    draw        how background asks get their text: "title" (by popularity), or a function at the top of a module
                (catalogue, rng) -> text

    Records and recordings hold the name alone.
    """

    name: str
    verb: str
    about: str
    success_s: float = 10.0
    audience: Audience = "holders"
    reached_by: frozenset[Part] = frozenset({"question"})
    draw: Literal["title"] | Callable[[Sequence[str], Rng], str] = "title"


# --- what a peer has and wants ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class File:
    """A shared file: `name` as its holder calls it, `size` in bytes, `digest` of its bytes.

    A decoy has the name of another file, and passes the check of its hash: the digest is that of its own bytes.
    `genuine` is set only in what `Swarm.library` returns; protocols always see True, and it is not part of a message.
    """

    name: str
    size: int
    digest: int
    genuine: bool = field(default=True, metadata={"sent": False})


class Library(Protocol):
    """The files that a peer shares. A kill does not lose them, as they are on disk."""

    def matching(self, text: str) -> Sequence[File]:
        """Files whose name has every word of `text`; nothing for a text without words."""
        ...

    def files(self) -> Sequence[File]:
        """All files, in the order in which they were added."""
        ...

    def add(self, file: File) -> bool:
        """Share one more file (a finished download, a publication). A name that is there already changes nothing.

        Returns False when the user opened it and deleted it, since it is not what its name says. The protocol then
        calls `host.note("decoy", holder=…, content=…)` and tries another holder.
        """
        ...

    def serves(self, file: File) -> File:
        """The file whose bytes this peer sends when it is asked for `file`: the same, or a decoy where it is
        poisoned."""
        ...

    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that a user wants of the network, named by `text`. For `publish` the file is in the library already."""

    id: AskId
    want: Want
    text: str


class Timer(Protocol):
    """A handle for `Host.cancel`. A peer may store it."""


class Call(Protocol):
    """A handle of an open `Host.call`, for `Host.cancel`. A peer may store it."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Whom to reply to: a request that is being handled, see `Host.request`. Plain data, which may be kept."""

    sender: PeerId
    token: int
    cause: Cause
    kind: str


class Rng(Protocol):
    """A named random stream (64 bits of state). The names are those of `random.Random`."""

    def random(self) -> float: ...
    def getrandbits(self, bits: int) -> int: ...
    def randrange(self, stop: int) -> int: ...
    def uniform(self, low: float, high: float) -> float: ...
    def choice(self, items: Sequence[T]) -> T: ...
    def sample(self, items: Sequence[T], k: int) -> list[T]: ...
    def shuffle(self, items: list[Any]) -> None: ...
    def expovariate(self, rate: float) -> float: ...
    def bytes(self, n: int) -> bytes: ...


class Line(NamedTuple):
    """A peer's access line: rates in kbit/s, 0 where the run sets no limit. `nat`: it is behind a NAT, so it can open
    connections to others and accepts none."""

    up_kbit_s: int = 0
    down_kbit_s: int = 0
    nat: bool = False


# --- what a peer acts through ----------------------------------------------------------------------------------


class Host(Protocol):
    """Everything that a peer can do, and what it knows without a message. Each peer has one."""

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
        """The protocol's options dataclass. All peers share the object, and its values may change during a run."""
        ...

    @property
    def library(self) -> Library: ...
    @property
    def line(self) -> Line:
        """Its own access line. Where that has rates the network delays transfers: a protocol must not pace them too."""
        ...

    @property
    def cause(self) -> Cause:
        """The cause of what is being handled. May be stored beside an item that is passed on later."""
        ...

    # SIGNATURES AGREED, NOT BUILT YET (see issue 16): part, via; queued, sent, blob, withdraw; call, request, reply;
    # begin, duplicate, hit, unhit, progress, fetched, decoy, failed, keep_open, let_close; log, set_role, mark; emit.
    #
    # def send(self, to, message, *, cause=INHERIT, part: Part | None = None, via: PeerId | None = None) -> None
    # def multicast(self, to, message, *, cause=INHERIT, part: Part | None = None) -> None
    # def queued(self, to: PeerId) -> int                 bytes behind the uplink
    # def sent(self, to: PeerId) -> int                   bytes that have left
    # def withdraw(self, to: PeerId, message: object) -> bool
    # def call(self, to: PeerId, request: object, *, timeout_us: int | Sequence[int], context: object = None,
    #          answers: int | None = 1, cause=INHERIT, via: PeerId | None = None, part: Part | None = None) -> Call
    # request: Ticket                                     (property) of the request being handled
    # def reply(self, answer: object, *, to: Ticket | None = None) -> None
    # def begin(self, text: str, goal: Goal, *, key: object = None) -> Cause
    # def duplicate(self, cause: Cause) -> None
    # def hit(self, holder: PeerId, content: str, *, by: PeerId | None = None, cause=INHERIT) -> None
    # def unhit(self, holder: PeerId, *, cause=INHERIT) -> None
    # def progress(self, done: float, of: float, *, cause=INHERIT) -> None
    # def fetched(self, holder: PeerId, content: str, *, cause=INHERIT) -> None
    # def decoy(self, holder: PeerId, content: str, *, cause=INHERIT) -> None
    # def failed(self, why: str, *, cause=INHERIT) -> None
    # def keep_open(self, cause: Cause) -> None
    # def let_close(self, cause: Cause) -> None
    # def log(self, kind: str, **facts: Any) -> None      the event feed; changes nothing
    # def set_role(self, role: str) -> None
    # def mark(self, to: PeerId, word: str = "", *, topic: str | None = None) -> None
    # def emit(self, value: object) -> None               in a component: to the owner's @on handler, at once

    def send(self, to: PeerId, message: object, *, cause: CauseLike = INHERIT) -> None: ...
    def multicast(self, to: Iterable[PeerId], message: object, *, cause: CauseLike = INHERIT) -> None: ...
    def after(self, delay_us: int, tick: object, *, cause: CauseLike = INHERIT) -> Timer:
        """Call the `@on` handler of `tick` once, `delay_us` from now."""
        ...

    def every(self, period_us: int, tick: object) -> Timer:
        """Call the `@on` handler of `tick` each period, without a cause. The first call comes at a random phase of the
        period, drawn from this peer's own random stream, so that peers do not tick at the same instant."""
        ...

    def blob(self, file: File, offset: int, size: int) -> Blob:
        """Data of a shared file: `size` bytes from `offset` on. Their digest is `part_of` that of the file. A poisoned
        peer sends other bytes, so that the comparison fails."""
        ...

    def cancel(self, timer: Timer) -> None: ...
    def link(self, to: PeerId) -> None:
        """State that a stream to `to` is open: it is drawn, and it is closed when an end stops. Stating it again, or at
        both ends, changes nothing."""
        ...

    def unlink(self, to: PeerId) -> None:
        """Close the stream. `closed` is called at the other end one latency later."""
        ...

    def note(self, kind: str, *, cause: CauseLike = INHERIT, **facts: Any) -> None:
        """Write an event of the protocol into the event log: a hit, a graft, a choke.

        A note on a download states the cause of its ask, since the download may end by something that no ask caused, as
        a stream that is closed. The verdict is made from "downloaded", "decoy", and "download failed" or "download
        stopped", with `why=` where there is more to tell.

        `note("hit", holder=…, content=…)` is called at the origin of an ask, once for each holder. A handler reports a
        duplicate by returning `DUPLICATE`; `note("duplicate")` is for code that handles no message.
        """
        ...


@dataclass(frozen=True, slots=True)
class Station:
    """One piece of infrastructure (a server, index or tracker), added to the peers that were asked for."""

    program: type[Peer]
    label: str
    operator: str
    # AGREED, NOT BUILT YET:
    # known: bool = True     it is among the contacts of every peer
    # linked: bool = False   every peer has an open stream with it at t = 0


class Peer:
    """One participant: plain data and handlers.

    `class Gossiper(Peer, name="gossip", options=GossipOptions)` declares a network. Other roles of the same network
    derive from `Peer` without a name and are placed by `stations`.

    Class attributes that may be set:
    role          what it is called in its specification ("servent", "index")
    wants         the goal of an ask, unless the command states another
    audience      whom a question has to come to: "holders" (any peer may have it, so it is passed on), "everyone" (a
                  rumour), or "one" (a server that answers for all: how many it reached says nothing)
    knows         what `contacts` are when a run begins: "overlay" (a few living peers; the neighbours in the topology
                  are told by `neighbours`) or "everyone" (all peers). A peer that starts later gets the bootstrap peers
                  alone, some of which may be dead by then. Stations always come first
    overlay       whether the links of the topology are open streams when the run begins
    has_all       whether it answers every question, whatever its library holds: the server of client and server
    shares_files  whether it shares the files of its library, so that decoys can be among them
    ledger        whether what it stores grows with all that was ever asked or published, as a blockchain does. The
                  conformance suite then allows it to grow, in proportion to the asks and not faster
    """

    role: ClassVar[str] = "peer"
    wants: ClassVar[Want] = "find"
    audience: ClassVar[Audience] = "holders"
    knows: ClassVar[Literal["overlay", "everyone"]] = "overlay"
    overlay: ClassVar[bool] = True
    has_all: ClassVar[bool] = False
    shares_files: ClassVar[bool] = True
    ledger: ClassVar[bool] = False
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
        """Infrastructure of the network, for a swarm of `peers` peers."""
        return ()

    @classmethod
    def horizon(cls, options: Any) -> int | None:
        """How many hops a question travels, or None where nothing limits it. Used for verdicts and minimum cuts."""
        return None

    @classmethod
    def explain(cls, facts: Mapping[str, Any], options: Any) -> str | None:
        """Why an ask had no answer, in the terms of this protocol, or None for the general sentence.

        `facts` has the keys of `analysis.verdict.verdict`: want, text, origin, alive, reached, hits, holders, dead,
        left, censored, colluding, parted, distance (hops to the nearest living holder over the links as they are, or
        None), horizon, losses {reason: n}, stations {label: state}.
        """
        return None

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: Any) -> Sequence[Theory]:
        """What theory expects of an ask, shown beside what is measured. Empty where there is no theory.

        `facts`: want; peers (asked for); others (all but the asker, infrastructure left out); living (of these);
        degree (open streams of the asker); mean_degree (of the living peers); levels, for each distance 0, 1, … over
        the open streams: (peers at that distance, sum of their degrees); stations {label: state}.
        """
        return ()

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """The process starts. `saved` is what `saved()` returned before it last stopped, None at its first start."""

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        """Called at t = 0 only, after `start`: these streams of the overlay are open, their handshakes done."""

    def stop(self, host: Host) -> None:
        """The peer leaves politely. Not called when it is killed."""

    def joined(self, links: Sequence[PeerId]) -> bool:
        """Whether it has joined the network, given its open streams. A newcomer that has not after some seconds is
        reported as adrift."""
        return bool(links) or not self.overlay

    def ask(self, host: Host, ask: Ask) -> None:
        """A user of this peer wants something."""

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        """A message over a stream was refused: `to` is dead or has left, and its machine answered with a reset."""

    def closed(self, host: Host, peer: PeerId) -> None:
        """The other end closed an open stream, or died."""

    def saved(self) -> object | None:
        """What is on disk and outlives a kill, as plain data: host cache, address book, guards."""
        return None

    def beliefs(self) -> Beliefs:
        """What this peer knows and believes, for the inspector."""
        return Beliefs()

    def contacts(self) -> Iterable[PeerId] | None:
        """Whom it would pass a question to next, for minimum cuts; or None: everyone that it has an open stream with.
        States which of its streams are links of the network, where others only carry files. Asked on demand."""
        return None

    def identifier(self) -> float | None:
        """Its identifier as a share of the identifier space, 0 to 1, for networks that have one, such as hash tables:
        the screen can then place peers on a circle. Called about once a second."""
        return None


P = TypeVar("P")


class _On(Generic[T]):
    """The decorator that `on` returns, for a message handler (…, sender, message) or a tick handler (…, tick)."""

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
    """Mark a method as the handler of a message (host, sender, message; may return `DUPLICATE`) or of a tick (host,
    tick)."""
    return _On((kind,))


def option(
    default: T,
    about: str,
    *,
    low: float | None = None,
    high: float | None = None,
    example: str = "",
    names_file: bool = False,
    unit: str = "",
    fixed: bool = False,
) -> T:
    """A field of an options dataclass: the default (from the specification), what it is, the smallest and the largest
    value allowed; for a text also an example, and whether it may name a file. `options.allowed_of` reads this.

    unit: of a number, as `hops`; not needed where the name ends in it, as in `ping_s`. fixed: it is read when a run
    begins, so that `set` refuses it.
    """
    meta = {"about": about, "low": low, "high": high, "example": example, "names_file": names_file}
    meta |= {"unit": unit, "fixed": fixed}
    made: T = field(default=default, metadata=meta)
    return made
