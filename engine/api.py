"""Everything that a protocol is written with: messages, handlers, the `Host` that a peer acts through, and `Peer`.

A network is one file or folder in `engine/protocols/`: `@message` classes, an options dataclass, and subclasses of
`Peer` with `@on` handlers. A peer is plain data: it has no clock, socket, thread, file or random source of its own. It
gets them from the `Host` that is passed to each handler. A peer must not store its host: used outside of a handler it
would send with the cause of another message, and a peer that holds one cannot be pickled, so no checkpoint could be
taken.

Start reading at `Host` and `Peer`; `engine/protocols/gossip.py` is the smallest complete example.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import Field, field, fields, is_dataclass, make_dataclass
from enum import Enum, IntEnum
from functools import lru_cache, wraps
from inspect import CO_VARARGS, CO_VARKEYWORDS, get_annotations, unwrap
from operator import attrgetter
from types import FunctionType
from typing import (
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    NamedTuple,
    Protocol,
    Self,
    TypeAlias,
    TypeVar,
    cast,
    dataclass_transform,
    get_args,
    overload,
)

from .errors import InputError as InputError
from .errors import NothingToReplyTo as NothingToReplyTo
from .errors import nearest
from .values import dataclass, slotted

# --- what is shown of a peer and of an ask -----------------------------------------------------------------------


@dataclass(slots=True)
class Belief:
    """What one peer knows, or believes, of another.

    heard_us  virtual time at which it was last heard from directly, None where it is known from others only
    what      the relation, in the protocol's own words
    alive     whether it is believed to be alive, None where this peer has no opinion
    files     how many files it is said to share, None where that is not known
    hops      how many links away it is thought to be, as a router has it in its table; None where it has no opinion
    """

    heard_us: int | None = None
    what: str = ""
    alive: bool | None = None
    files: int | None = None
    hops: int | None = None


@dataclass(slots=True)
class Beliefs:
    """What one peer knows: other peers, and further facts (name -> text) for the inspector."""

    known: dict[int, Belief] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, peers: Iterable[int], what: str, facts: Mapping[str, str] | None = None) -> Beliefs:
        """The same relation `what` to each of these peers, none of which was heard from."""
        return cls(dict.fromkeys(peers, Belief(what=what)), dict(facts or {}))


@dataclass(frozen=True, slots=True)
class Theory:
    """A figure that theory expects of an ask.

    of     the measured figure that it is compared with ("reached", "messages", "duplicates", "hops"), or any other
           name, which is shown on a line of its own
    value  the expected value, in the unit of that figure
    why    the formula, in a few words
    """

    of: str
    value: float
    why: str = ""


ShownKind: TypeAlias = Literal["share", "count", "number", "rate", "age", "category"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A column of values that a network shows of its peers, one value a peer: see `Peer.shows`.

    name   a word, as `pieces`: the name of the column, of the selector (`pieces<50`) and of the time series
    about  what it is, in a few words
    kind   "share" (0 to 1, shown in %), "count" (0 and up), "number" (with a sign), "rate" (bytes a second), "age" (a
           virtual time in us, as `host.now_us` was then: it is shown as how long ago that was, in s) or "category" (any
           short text)
    values what a category may be, in their order, where that is known: the order of a legend and of stacked curves, and
           a selector with another value is refused
    """

    name: str
    about: str
    kind: ShownKind
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """How many peers have the thing that an ask wants, or a record that points to it, by what became of them.

    Each is counted once. beyond: alive, but no question reaches it: it is further away than a question travels, or no
    links lead to it; parted: alive, on the other side of a partition; colluding: alive, but it enforces a ban on all
    that it could name in an answer; living: alive, and none of these
    """

    living: int = 0
    dead: int = 0
    left: int = 0
    censored: int = 0
    colluding: int = 0
    beyond: int = 0
    parted: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.living + self.dead + self.left + self.censored + self.colluding + self.beyond + self.parted

    @property
    def up(self) -> int:
        """How many are alive and not censored."""
        return self.living + self.colluding + self.beyond + self.parted


@dataclass(frozen=True, slots=True)
class Need:
    """A group of peers of which at least one has to answer: otherwise an ask cannot succeed. See `Peer.needs`.

    what   what each of them is, in the singular, to be read after "no other": "index site with its .torrent file"
    until  what replaces them where the network repairs itself, to be read after "until": "it attaches to another".
           "" where nothing does
    """

    what: str
    peers: tuple[int, ...]
    until: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about an ask when it ends, for `Peer.verdict`.

    goal       name of its goal
    origin     who asked; alive: whether it still is
    trouble    why that peer cannot be answered any more, as "is dead", "is gone", "has been restarted", "is censored"
               or "is colluding"; "" where it can
    joined     whether it has joined the network (`Peer.joined`); None where that is not known, as of a dead peer
    reached    peers that a question reached, hits: holders that its origin learned of, answerers: peers that named them
    stale      of the hits, those that were dead or had left when its origin learned of them: with only such hits an ask
               is not answered
    holders    who has the thing; keepers: who keeps a record that points to holders (`Peer.keeps`), or kept one when it
               died or left. Keepers are counted only for an ask that wants an answer and has none
    distance   hops over the links as they are to the nearest living holder that a question cannot get to, None where
               there is none, where no links lead there, and for an ask with hits
    horizon    `Peer.horizon`
    losses     reason -> messages of the ask that were dropped
    stations   label -> state, of the infrastructure: alive, dead, left, censored, colluding (on this ask) or "behind
               the partition"
    done, of   the last `Host.progress`, 0 and 0 without one
    fetched    holders that served the genuine thing, decoys: those that served another
    remarks    the remarks on it, see `Host.remark`: key -> values, in alphabetical order
    setback    the text of the last `Host.failed`, if nothing was fetched after it, else ""
    hops       greatest depth at which a question reached a new peer
    shortest   hops over the open streams, as they are, to the nearest of the hits; None without one, or without a way
    lasted_s   from its issue until nothing of it was under way any more, or until now
    """

    goal: str
    text: str
    origin: PeerId
    alive: bool = True
    reached: int = 0
    hits: int = 0
    answerers: int = 0
    holders: Whereabouts = Whereabouts()
    keepers: Whereabouts = Whereabouts()
    distance: int | None = None
    horizon: int | None = None
    losses: Mapping[str, int] = field(default_factory=dict)
    stations: Mapping[str, str] = field(default_factory=dict)
    done: float = 0
    of: float = 0
    trouble: str = ""
    joined: bool | None = None
    stale: int = 0
    fetched: int = 0
    decoys: int = 0
    setback: str = ""
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hops: int = 0
    shortest: int | None = None
    lasted_s: float = 0.0


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
    stated_size: ClassVar[int] = 0
    """Bytes on the wire that the class states, see `message`; 0 for none. A class whose size differs from message to
    message may have a method `wire_size(self) -> int` instead."""
    _size: int
    """Bytes on the wire, 0 until they have been counted. `message` adds the slot."""

    def about(self) -> Iterable[str | bytes | int]:
        """Lower-case words that a handler can read in it, and the keys by which the network names things
        (`Peer.key_of`): none where the content is encrypted."""
        return ()

    def without(self, word: str) -> object | None:
        """The message as a peer that bans `word` treats it: what is left, or None to drop it.

        A request becomes a request that finds nothing, a list loses the banned entries, a flooded query is dropped.
        Called only when `mentions(self.about(), word)`. `word` is a `Ban`, so `mentions([key], word)` tests whether a
        key names something banned.
        """
        return None


@dataclass_transform(frozen_default=True)
def message(
    *, over: Over = "stream", part: Part = "upkeep", size: int = 0, about: str = ""
) -> Callable[[type[M]], type[M]]:
    """Turn a class of annotated fields into a message: a slotted dataclass that crosses a link.

    over: "stream" (in order per pair, lost only when an end stops) or "datagram" (may be lost)
    part: what it does for an ask: "question", "answer", "transfer" (moves data), "upkeep", or "notice" (tells that
          something exists, as Inv, IHave or Have do: it costs, and reaches nobody)
    size: bytes on the real wire, where every message of this class has as many (a Tor cell: 514). Without it a method
          `wire_size(self) -> int` returns them; without either the length of the MessagePack encoding counts
    about: the name of a field with a text: its words are what a handler can read in the message, see `Message.about`,
          which a class whose words come from elsewhere defines itself

    A message whose fields are not what their annotations say is dropped when it is sent, with the reason "malformed":
    a handler may rely on the types. Raises ValueError for a size that is negative or does not fit into 32 bits, for
    other values of `over` and `part`, and for an `about` that is no field.

    Type checkers see it as frozen. It is not frozen at run time, which would double the time to make one; the
    conformance suite finds a protocol that changes a message it received.
    """

    for name, word, words in (("over", over, get_args(Over)), ("part", part, PARTS)):
        if word not in words:
            raise ValueError(f"{name} of a message should be one of {', '.join(words)}, not {word!r}")
    if type(size) is not int or not 0 <= size < 1 << 32:
        raise ValueError(f"the size of a message should be 0 to 4,294,967,295 bytes, not {size!r}")

    def build(cls: type[M]) -> type[M]:
        space = {k: v for k, v in cls.__dict__.items() if k not in ("__dict__", "__weakref__")}
        if about:
            named = [name for base in reversed(cls.__mro__) for name in get_annotations(base)]
            if about not in named:
                raise ValueError(
                    f'{cls.__name__} is about "{about}", which is none of its fields{nearest(about, named)}'
                )
            space["about"] = _words_in(about)
        space.update(over=over, part=part, part_code=PARTS.index(part), kind=cls.__name__, stated_size=size)
        # The size is set to 0 when a message is made, since testing for an empty slot takes eight times as long. It is
        # taken out of the fields again, which are what is counted, compared and shown.
        space["__annotations__"] = {**get_annotations(cls), "_size": int}
        space["_size"] = field(default=0, init=False, repr=False, compare=False)
        bases = (*(b for b in cls.__bases__ if b is not object), Message)
        return slotted(type(cls.__name__, bases, space), hidden=("_size",))

    return build


def _words_in(name: str) -> Callable[[Any], Iterable[str]]:
    """A method `about` that reads a field of this name."""

    def about(self: Any) -> Iterable[str]:
        return words_of(str(getattr(self, name)))

    return about


@dataclass(frozen=True, slots=True)
class Blob:
    """File data: `size` bytes that count on the wire and do not exist in memory. `digest` is the hash of the bytes."""

    size: int
    digest: int = 0


def weak_of(digest: int) -> int:
    """The weak hash of a file with this digest: what `File.weak` is, unless the file is a decoy that was made so that
    its weak hash is that of another one."""
    return (digest * 0xD6E8FEB86659FD93 + 0x632BE59BD9B4E019) & 0xFFFFFFFFFFFFFFFF


def part_of(digest: int, begin: int) -> int:
    """The digest of the bytes of a file from `begin` on, as far as they are sent in one `Blob`: what `Host.blob` puts
    into it. digest: of the whole file. A receiver that has the hashes of all parts, as in a .torrent file, compares."""
    return (digest + (begin + 1) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF


KEPT_TEXT = 200
"""Characters of the longest text whose words are cached."""


def words_of(text: str) -> tuple[str, ...]:
    """Lower-case words of a text, in order. What is neither a letter nor a digit separates words."""
    return _words_of(text) if len(text) <= KEPT_TEXT else _words_of.__wrapped__(text)


@lru_cache(4_096)
def _words_of(text: str) -> tuple[str, ...]:
    return tuple("".join(ch if ch.isalnum() else " " for ch in text.lower()).split())


class Ban(str):
    """A banned phrase. `keys`: the keys of all titles that contain it, where the network has keys (`Peer.key_of`)."""

    keys: frozenset[object]

    def __new__(cls, phrase: str, keys: Iterable[object] = ()) -> Ban:
        made = super().__new__(cls, phrase)
        made.keys = frozenset(keys)
        return made

    def __getnewargs__(self) -> tuple[str]:
        return (str(self),)


def mentions(about: Iterable[object], ban: str) -> bool:
    """Whether `about` (words and keys) contains every word of the phrase `ban`, or, if that is a `Ban`, one of its
    keys. A phrase without words is never contained."""
    have = set(about)
    banned = words_of(ban)
    if banned and all(word in have for word in banned):
        return True
    return isinstance(ban, Ban) and not ban.keys.isdisjoint(have)


PeerId: TypeAlias = int
"""Dense index of a peer, 0..n-1. Peers asked for come first, then infrastructure, then newcomers."""

AskId: TypeAlias = int
"""Asks count from 1 in order of issue."""

Cause: TypeAlias = int | tuple[int, ...]
"""Opaque: the ask or asks that a message descends from, with the number of hops from each. 0 means none."""


class Causes(tuple[int, ...]):
    """Several causes as one, as `Host.cause` returns it while a message of several asks is handled."""

    __slots__ = ()


class Inherit(Enum):
    """The type of `INHERIT`."""

    INHERIT = "inherit"


INHERIT: Final = Inherit.INHERIT
"""Default of `cause=`: what a handler sends has the cause of what it handles."""
COST_MAX: Final = 65_535
"""The largest cost of a link that a file may state: OSPF has 16 bits for it (RFC 2328, A.4.2)."""

CauseLike: TypeAlias = int | Sequence[Cause | tuple[Cause, float]] | Inherit | None
"""What `cause=` accepts: a cause, several, `INHERIT`, or None for none. Several asks share the bytes of a message
equally; `[(cause, bytes), …]` states the share of each, and they divide the size of the message in proportion."""

Audience: TypeAlias = (
    Literal["holders", "everyone", "one", "nobody"] | Callable[[str, "Sequence[Peer | None]"], "Iterable[PeerId]"]
)
"""Which peers a question has to reach, by what an ask is for:

"holders"   any peer may have it, so the question is passed on; success is a hit
"one"       a server or index that answers for all: how many it reached says nothing; success is a hit
"everyone"  a rumour: success is the share of the living users that it reached in time
a function  (text, programs) -> peers, at the top of a module: success is the share of these, as far as they live, that
            it reached in time. `programs[p]` is None while p does not live
"nobody"    a publication, which wants no answer: it is left out of success
"""
Sought: TypeAlias = Literal["answer", "share", "nothing"]

DUPLICATE: Final = "duplicate"
Known: TypeAlias = Literal["duplicate"] | None
"""What the handler of a message returns: `DUPLICATE` if the message held nothing new for this peer, else None."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Goal:
    """A thing that a user can want of a network.

    name        as it is written in records and in `--json`
    verb        what the ask bar and the menu call it ("find", "download", "pay")
    about       one sentence
    success_s   an ask without success by then counts as unanswered
    audience    which peers a question has to reach, see `Audience`
    reached_by  the parts whose arrival counts as reaching a peer: an answer for a rumour that is pulled, a transfer for
                a block
    draw        how background asks get their text: "title" (by popularity; one of `examples`, each as often, where
                these are texts), or a function at the top of a module (titles, rng, now_us) -> text. titles: the most
                popular first
    fetched     it is a success only when `Host.fetched` is called: a holder that was found is not enough. The time to
                success is then that of the whole download
    did         what the asker has done, before the text: "p007 asked for “blue train”"
    doing       the state of an ask that has a hit and is not over. By default "downloading" once data has been moved
                for it, and "under way" before that
    one         what a peer that has the thing is called: "one holder answered"
    what        what a user types as its text: "a title, or some words of it"
    examples    texts that can be asked for, the best first: "title" (the most popular titles), a tuple of texts, or a
                function at the top of a module (titles, users) -> texts. users: how many peers there are, #0 to
                #users-1, without stations
    another     a peer that has the thing itself looks for other peers that have it, as users who look for those that
                write the same as they do
    asked       users can ask for it; False: only the network itself opens it, with `Host.begin`

    Records, recordings and `Ask.goal` hold the name alone. A goal equals its name, so for an ask with this goal both
    `ask.goal == GET` and `ask.goal == GET.name` are true.
    """

    name: str
    verb: str
    about: str
    success_s: float = 10.0
    audience: Audience = "holders"
    reached_by: frozenset[Part] = frozenset({"question"})
    draw: Literal["title"] | Callable[[Sequence[str], Rng, int], str] = "title"
    fetched: bool = False
    did: str = "asked for"
    doing: str = ""
    one: str = "holder"
    what: str = "a title, or some words of it"
    examples: Literal["title"] | tuple[str, ...] | Callable[[Sequence[str], int], Sequence[str]] = "title"
    another: bool = False
    asked: bool = True

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return self.name == other
        if not isinstance(other, Goal):
            return NotImplemented
        return all(getattr(self, each) == getattr(other, each) for each in self.__dataclass_fields__)

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def sought(self) -> Sought:
        """What makes it a success: an answer, a share of its audience, or nothing."""
        if self.audience == "nobody":
            return "nothing"
        return "answer" if self.audience in ("holders", "one") else "share"


FIND: Final = Goal("find", "find", "Find peers that have it.")
FETCH: Final = Goal("fetch", "fetch", "Find it and get it.")
PUBLISH: Final = Goal("publish", "publish", "Share it, so that others find it.", audience="nobody")
BROADCAST: Final = Goal(
    "broadcast", "tell", "Tell it to everyone.", audience="everyone", did="spread", what="a rumour: any words"
)


def goals_to_ask(goals: Sequence[Goal]) -> tuple[Goal, ...]:
    """Those of the goals of a network that a user can choose for an ask: without those that the network alone opens
    (`Goal.asked`), and without publications, for which there is the command `publish`. The first goal is always one."""
    return (goals[0], *(goal for goal in goals[1:] if goal.asked and goal.audience != "nobody"))


# --- what a peer has and wants ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class File:
    """A shared file: `name` as its holder calls it, `size` in bytes, `digest` of its bytes.

    A decoy has the name of another file, and passes the check of its hash: the digest is that of its own bytes.
    `genuine` is set only in what `Swarm.library` returns; protocols always see True, and it is not part of a message.

    weak: a hash of some samples of the bytes, as the UUHash of FastTrack is: it tells files apart as `digest` does,
    except for decoys that have the right samples and other bytes between them (`Poison.weak`). It follows from the
    digest (`weak_of`) if it is not stated. It is not sent with the file: a message that has to carry it has a field of
    its own for it.
    """

    name: str
    size: int
    digest: int
    genuine: bool = field(default=True, metadata={"sent": False})
    weak: int = field(default=-1, compare=False, metadata={"sent": False})

    def __post_init__(self) -> None:
        # A stranger's message may hold one whose fields have other types; it is refused before it arrives.
        if self.weak == -1 and isinstance(self.digest, int):
            object.__setattr__(self, "weak", weak_of(self.digest))


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
        calls `host.decoy` and tries another holder.
        """
        ...

    def spoilt(self, digests: Iterable[int]) -> tuple[int, ...]:
        """Those of these digests that are digests of decoys. For a file that was put together from parts that came from
        several holders: a user who opens it finds the parts of decoys. If there are none the file is whole and can be
        added; else the protocol calls `host.decoy` when its user has opened it."""
        ...

    def serves(self, file: File) -> File:
        """The file whose bytes this peer sends when it is asked for `file`: the same, or a decoy where it is
        poisoned."""
        ...

    def __len__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that a user wants of the network, named by `text`; `goal` is the name of its goal, to be compared with
    the goal: `ask.goal == GET`. For `publish` the file is in the library already."""

    id: AskId
    goal: str
    text: str


class Timer(Protocol):
    """A handle for `Host.cancel`. A peer may store it."""


class Call(Protocol):
    """A handle of an open `Host.call`, for `Host.cancel`. A peer may store it."""


CallEnd: TypeAlias = Literal["silent", "refused", "closed"]
"""Why a call ended without the answers that it asked for."""


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that waits for an answer, for the inspector.

    to, kind  whom was asked, and the class of the request
    since_us  when it was first sent, tries: how often it has been sent
    due_us    when the present wait is over
    answers   how many have come
    """

    to: PeerId
    kind: str
    since_us: int
    tries: int
    due_us: int
    answers: int = 0


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


class NatKind(IntEnum):
    """What is between a peer and the network: nothing, or a NAT that can open connections and accepts none. What a NAT
    lets in differs for datagrams (RFC 4787, sections 4 and 5; the names are those of RFC 3489):

    OPEN                a public address, no NAT. It alone is false as a truth value
    FULL_CONE           from anyone, once it has sent to anybody
    ADDRESS_RESTRICTED  from addresses that it has sent to
    PORT_RESTRICTED     from addresses and ports that it has sent to. The kind where only a share of NATs is stated
    SYMMETRIC           the same, and it has another port for each peer that it sends to
    UDP_BLOCKED         no datagrams in or out
    """

    OPEN = 0
    PORT_RESTRICTED = 1
    FULL_CONE = 2
    ADDRESS_RESTRICTED = 3
    SYMMETRIC = 4
    UDP_BLOCKED = 5


NAT_WORDS: Final = {
    NatKind.OPEN: "open",
    NatKind.FULL_CONE: "full cone",
    NatKind.ADDRESS_RESTRICTED: "address-restricted",
    NatKind.PORT_RESTRICTED: "port-restricted",
    NatKind.SYMMETRIC: "symmetric",
    NatKind.UDP_BLOCKED: "UDP blocked",
}
"""The name of each kind of NAT in texts that people read."""


def can_meet(a: NatKind, b: NatKind) -> bool:
    """Whether two peers get a direct path when both are told by a third at the same time to send to each other.

    All pairs do but these: a symmetric NAT sends from a port that a port-restricted or symmetric one does not expect;
    where datagrams are blocked a connection has to be accepted, which only an open peer does.
    """
    if NatKind.UDP_BLOCKED in (a, b):
        return NatKind.OPEN in (a, b)
    picky = (NatKind.SYMMETRIC, NatKind.PORT_RESTRICTED)
    return not (NatKind.SYMMETRIC in (a, b) and a in picky and b in picky)


class Line(NamedTuple):
    """A peer's access line: rates in kbit/s, 0 where the run sets no limit. `nat`: behind which kind of NAT it is; with
    any it can open connections to others and accepts none."""

    up_kbit_s: int = 0
    down_kbit_s: int = 0
    nat: NatKind = NatKind.OPEN


class Machine(NamedTuple):
    """A peer's computer: the speed of its processor in GFLOPS (10**9 floating-point operations a second), and its
    memory in MB."""

    gflops: float = 1.0
    memory_mb: int = 1_024


# --- what a peer acts through ----------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Numbers:
    """Numbers of values that a network knows by their hashes: 0, 1, ... in the order in which they were first asked
    for. All peers of a run share them.

    A number identifies a value as its hash of 32 bytes does. But a set of numbers is one integer, of which bit n is set
    where number n is in the set. So what peers compute with lists of hashes (which of these do I not have, which of
    these have I not sent to that peer) is one operation on integers, however long the lists are. A peer may read only
    values that it has received: a hash alone does not give it the value.

    values: by their numbers.
    """

    values: list[Any] = field(default_factory=list)
    found: dict[Any, int] = field(default_factory=dict)

    def of(self, value: Hashable) -> int:
        """The number of a value: a new one, if nobody has asked for it before."""
        number = self.found.get(value)
        if number is None:
            number = self.found[value] = len(self.values)
            self.values.append(value)
        return number


class Host(Protocol):
    """Everything that a peer can do, and what it knows without having received a message. Each peer has one."""

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
    def numbers(self) -> Numbers:
        """Numbers of values that this network knows by their hashes."""
        ...

    @property
    def library(self) -> Library: ...
    @property
    def line(self) -> Line:
        """Its own access line. Where that has rates the network delays transfers: a protocol must not pace them too."""
        ...

    @property
    def machine(self) -> Machine:
        """Its own computer, which stays the same for the whole run. That of a station is a fast one."""
        ...

    @property
    def stopped_us(self) -> int | None:
        """When its process ended last, in us of virtual time; None if it has not ended yet. From this a program that
        writes checkpoints to its disk finds which of them is the last."""
        ...

    def address(self, peer: PeerId) -> int:
        """The IPv4 address of a peer, a number of 32 bits: `address >> 16` is its network. Peers of one place and
        operator share some networks. It stays the same for the whole run; a number that is no peer has one, too."""
        ...

    @property
    def cause(self) -> Cause:
        """The cause of what is being handled. May be stored beside an item that is passed on later."""
        ...

    def send(
        self,
        to: PeerId,
        message: object,
        *,
        cause: CauseLike = INHERIT,
        part: Part | None = None,
        via: PeerId | None = None,
    ) -> None:
        """Send a message.

        part: what this one does for its ask, if not what its class says: a FIND_NODE is a question in a lookup, and
              upkeep where it refreshes a bucket. Upkeep has no cause
        via:  the peer that referred us to `to`. The tree and the depth of the ask follow it: `to` is then one hop
              further away than `via` is, and not than this peer
        """
        ...

    def multicast(
        self, to: Iterable[PeerId], message: object, *, cause: CauseLike = INHERIT, part: Part | None = None
    ) -> None:
        """Send one message to several peers."""
        ...

    def queued(self, to: PeerId) -> int:
        """Bytes for a peer that wait for this peer's uplink. 0 where lines have no limit."""
        ...

    def sent(self, to: PeerId) -> int:
        """Bytes for a peer that have left this peer's uplink since its process started: the difference of two calls is
        what has left between them. Where lines have no limit, counting begins with the first call for that peer."""
        ...

    def withdraw(self, to: PeerId, message: object) -> bool:
        """Take back the last message to a peer that equals this one and that the uplink has not begun to send. It is
        dropped with the reason `withdrawn`. Returns False if there is none: where lines have no limit, there never
        is."""
        ...

    def limit(self, to: PeerId, kbit_s: int, queue_bytes: int) -> None:
        """From now on, what it sends over its link with a peer leaves at that rate, in kbit/s, one message after the
        other. A datagram is dropped with the reason `queue` where more than `queue_bytes` would wait, the one that is
        leaving included; a stream waits without limit. The other end limits the other direction."""
        ...

    def kbit_s(self, to: PeerId) -> int:
        """The rate that it has set for its link with a peer, 0 without a limit."""
        ...

    def after(self, delay_us: int, tick: object, *, cause: CauseLike = INHERIT) -> Timer:
        """Call the `@on` handler of `tick` once, `delay_us` from now. Raises NetworkFault for a fraction: seconds are
        for `after_s`.

        The search of an answered ask counts as over when no question or answer of it is under way, and no timer of it
        is set after which it may send more questions. A timer after which it sends none, as one of a download, has a
        tick whose class says so: `part: ClassVar = "transfer"`.
        """
        ...

    def after_s(self, delay_s: float, tick: object, *, cause: CauseLike = INHERIT) -> Timer:
        """The same with a delay in seconds, as options have it."""
        ...

    def every(self, period_us: int, tick: object, *, phase: int | None = None) -> Timer:
        """Call the `@on` handler of `tick` each period, without a cause. The first call comes at a random phase of the
        period, drawn from this peer's own random stream, so that peers do not tick at the same instant.

        phase: in us: the calls then come at these times after whole multiples of the period. With 0 all that have the
        same period tick at once. Raises NetworkFault for a fraction, and for a period of less than 1 ms.
        """
        ...

    def every_s(self, period_s: float, tick: object, *, phase: int | None = None) -> Timer:
        """The same with a period in seconds."""
        ...

    def cost(self, peer: PeerId) -> int:
        """The cost of a link with a peer: its weight in the file of the topology, from 1 to `COST_MAX`, if links have
        weights there (for a link that is not in the file, the median of all weights); else `delay_ms`."""
        ...

    def delay_ms(self, peer: PeerId) -> int:
        """The latency between this peer and another in whole milliseconds as the run began, at least 1."""
        ...

    def blob(self, file: File, offset: int, size: int) -> Blob:
        """Data of a shared file: `size` bytes from `offset` on. Their digest is `part_of(file.digest, offset)`. A
        poisoned peer sends other bytes, so that the comparison fails."""
        ...

    def cancel(self, timer: Timer | Call) -> None:
        """End a timer or a call. Nothing happens if it has ended already."""
        ...

    def call(
        self,
        to: PeerId,
        request: object,
        *,
        timeout_us: int | Sequence[int] | None = None,
        timeout_s: float | Sequence[float] | None = None,
        context: object = None,
        answers: int | None = 1,
        cause: CauseLike = INHERIT,
        via: PeerId | None = None,
        part: Part | None = None,
    ) -> Call:
        """Send a request that waits for `answers` answers, or, with None, for any number until it is cancelled.

        The receiver handles the request with `@on(Request)` and answers with `reply`. Each answer is handed to
        `@on_reply(Request)`, with `context`, which is plain data. `timeout_us`, or `timeout_s` in seconds, is how
        long to wait for an answer, and begins anew after each one. A sequence has one time for each try: the request is
        sent again when the time of a try is over, unless an answer has come; an answer to any try counts. When the last
        time is over, `@on_timeout(Request)` is called with the reason "silent". It is called at once, and there is no
        further try, if the receiver's machine refuses the request ("refused") or the stream with it is closed
        ("closed"). The call has then ended. A program without an `@on_timeout(Request)` has an `@on_reply(Request)`
        whose `answer` may be None (`answer: Ack | None`), which is then called with None; the file of a network that
        has neither is refused.

        An answer that is late, that is a second copy, or that comes from another peer is not handed over; nor is one
        of a class that the annotation of the handler's parameter does not have. While a call waits, the ask that
        caused it is open. A call ends with the process. Raises ValueError for times or a number of answers that are not
        possible, and NetworkFault for a `timeout_us` that is a fraction.
        """
        ...

    @property
    def request(self) -> Ticket:
        """The request that is being handled: plain data, which may be kept to reply later. A request that was sent
        without a call (`send`), as a hostile peer may do, has a ticket too, to which a reply sends nothing. Raises
        NothingToReplyTo if what is handled is no request, or nothing is being handled."""
        ...

    def reply(self, answer: object, *, to: Ticket | None = None) -> None:
        """Answer the request that is being handled, or the one that `to` names. The answer has the cause of the
        request. Raises NothingToReplyTo where there is no such request. A request that was sent without a call, as a
        hostile peer may do, is not answered, since nobody waits for it."""
        ...

    def link(self, to: PeerId) -> None:
        """State that a stream to `to` is open: it is drawn, and it is closed when an end stops. Stating it again, or at
        both ends, changes nothing."""
        ...

    def unlink(self, to: PeerId) -> None:
        """Close the stream. `closed` is called at the other end one latency later."""
        ...

    # `hit`, `progress`, `fetched` and the like write into the record of an ask. Only the peer at which the ask began
    # can do so: called by another peer they change nothing. Where the occasion has no cause, as when a stream is
    # closed, the ask is named by `cause=`: a `host.cause` that was kept. An ask that has closed is open again for that
    # instant.

    def begin(self, text: str, goal: Goal, *, key: object = None) -> Cause:
        """Open an ask of the network itself: a block, a suspicion, a routing update. It begins at this peer, which
        states the returned cause for what it sends for this ask.

        key: any hashable value. If an ask with the same goal and key is open, this peer joins that one, and may then
        write into its record too
        """
        ...

    def set_role(self, role: str) -> None:
        """What this peer is called from now on, until its process ends: a word of its specification. `Peer.roles` lists
        those that a network knows; another one is accepted. Raises ValueError for a text without a visible character.
        """
        ...

    def mark(self, to: PeerId, word: str = "", *, topic: str | None = None) -> None:
        """Mark the link with `to` by a word or two of this end: "choked", "eager"; "" removes the mark. topic: tells
        several marks on one link apart: a topic, a circuit or a destination.

        A mark ends with its stream, and with this peer. Without a stream only a peer whose class has `contacts` can
        set marks, and it should set them only on these contacts. To mark a peer whose stream has just been closed from
        the other end changes nothing.
        """
        ...

    def path(self, key: Hashable, hops: Sequence[PeerId], word: str = "", *, onward: bool = False) -> None:
        """State a path over several peers that begins at this one, as it believes the path to be: a circuit, a relayed
        call, a chain of next hops. It is drawn. Without hops the path is removed; it also goes when this peer stops.

        key: tells the paths of one peer apart; the same key replaces the earlier hops. hops: the peers after this one,
        in order, at most 32. word: what it is, in a word or two. onward: the path is continued by the path with the
        same key of the peer at the last hop, as in a chain of next hops, of which each peer knows its own. If it comes
        back to a peer on it, it is a loop: the picture shows it, though perhaps no peer knows it.
        """
        ...

    # --- components ---

    def inside(self, component: Component) -> Host:
        """The host of a component of this peer: that of its owner, but for `options`, `emit` and `log`.

        Methods of a component call it themselves, so an owner passes its own host: `self.dht.find(host, key)`.
        """
        ...

    def emit(self, value: object) -> None:
        """In a component: call the `@on` handler of its owner for this value, (self, host, value), at once and with the
        same cause. Nothing happens where there is no owner, or it has no such handler. Not for messages."""

    def hit(self, holder: PeerId, content: str, *, by: PeerId | None = None, cause: CauseLike = INHERIT) -> None:
        """Record that the ask has found a holder of `content`; once for each holder. by: the peer that named the
        holder, if not the holder itself.

        A holder that is dead or has left at this moment counts as a hit, but not as a success.
        """
        ...

    def unhit(self, holder: PeerId, *, cause: CauseLike = INHERIT) -> None:
        """Take back a hit, as after a reorganisation of a chain; also after the ask has closed."""
        ...

    def progress(self, done: float, of: float, *, cause: CauseLike = INHERIT) -> None:
        """Record how much of an ask is done, of how much in all, in any unit: pieces, bytes, confirmations. `done`
        never decreases, and is at most `of`."""
        ...

    def fetched(self, holder: PeerId, content: str, *, cause: CauseLike = INHERIT) -> None:
        """Record that what was found has come completely from this holder, and is what its name says."""
        ...

    def decoy(self, holder: PeerId, content: str, *, cause: CauseLike = INHERIT) -> None:
        """Record that this holder served something that is not what its name says, so that the user of this peer
        deleted it (`Library.add`)."""
        ...

    def failed(self, why: str, *, cause: CauseLike = INHERIT) -> None:
        """Record that what was found cannot be fetched, that nothing was found, or that what was asked for cannot be
        done. why: the end of a sentence of the verdict, "but it could not be fetched: …" or "No answer: …", or of a
        sentence of the network itself (`Facts.setback`). Logged as "failed"."""
        ...

    def keep_open(self, cause: CauseLike = INHERIT) -> None:
        """Keep an ask open although no message and no timer of it is under way, until `let_close` or the end of this
        peer. A second call of the same peer for the same ask changes nothing."""
        ...

    def let_close(self, cause: CauseLike = INHERIT) -> None:
        """Take back `keep_open` of this peer; does nothing without one."""
        ...

    def duplicate(self, cause: CauseLike = INHERIT) -> None:
        """Count a duplicate: for one of several causes of a message, or in code that handles no message. A handler
        whose message held nothing new returns `DUPLICATE` instead."""
        ...

    def remark(self, key: str, value: str, *, cause: CauseLike = INHERIT) -> None:
        """Keep a remark in the record of an ask, as `remark("watcher", "client")`: who could have known what. Any peer
        that handles something of the ask may call this; the run does not depend on it. Different values of one key are
        all kept, and the asks are counted by them. Raises ValueError for a key that `Peer.remark_keys` does not
        list."""
        ...

    def log(self, kind: str, *, cause: CauseLike = INHERIT, **facts: Any) -> None:
        """Write into the event log: a graft, a choke, a silent neighbour. The run does not depend on it."""
        ...


@dataclass(frozen=True, slots=True)
class Station:
    """One piece of infrastructure (a server, index or tracker), added to the peers that were asked for.

    known: it is among the contacts of every peer. linked: every peer that runs at t = 0 has an open stream with it
    then, of which `neighbours` tells both ends.
    """

    program: type[Peer]
    label: str
    operator: str
    known: bool = True
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A peer for which `Peer.cast` chooses the program."""

    id: PeerId
    line: Line
    library: Library
    machine: Machine


@dataclass(frozen=True, slots=True)
class Member:
    """A peer or station that runs at t = 0: `peer` is its program (in `NetworkStart.inside`: the component)."""

    id: PeerId
    label: str
    line: Line
    library: Library
    host: Host
    peer: Any


@dataclass(frozen=True, slots=True)
class NetworkStart:
    """What `Peer.converge` may fill: all that run at t = 0, in the order of their ids."""

    members: tuple[Member, ...]

    def of(self, program: type[Peer]) -> tuple[Member, ...]:
        """Those that run this program, or one derived from it."""
        return tuple(one for one in self.members if isinstance(one.peer, program))

    def inside(self, name: str) -> NetworkStart:
        """The same for the component of this name, with those that have one."""
        found = ((one, getattr(one.peer, name, None)) for one in self.members)
        return NetworkStart(
            tuple(
                Member(one.id, one.label, one.line, one.library, one.host.inside(part), part)
                for one, part in found
                if isinstance(part, Component)
            )
        )


class Peer:
    """One participant: plain data and handlers.

    `class Gossiper(Peer, name="gossip", options=GossipOptions)` declares a network. Other roles of the same network
    derive from `Peer` without a name and are placed by `stations`.

    Class attributes that may be set:
    role          what it is called in its specification ("servent", "index")
    goals         what its users can want; the first is the goal of an ask that names none, and of background asks
    knows         what `contacts` are when a run begins: "overlay" (a few living peers; the neighbours in the topology
                  are told by `neighbours`) or "everyone" (all peers). A peer that starts later gets the bootstrap peers
                  alone, some of which may be dead by then. Stations always come first
    overlay       whether the links of the topology are open streams when the run begins
    has_all       whether it answers every question, whatever its library holds: the server of client and server
    shares_files  whether it shares the files of its library, so that decoys can be among them
    usual_nat     behind which kinds of NAT its users are where a run does not state it: as `--nat`, with the shares
    ledger        whether what it stores grows with everything that was ever asked or published, as a blockchain does.
                  The conformance suite then allows it to grow, in proportion to the asks and not faster
    roles         further roles that `Host.set_role` gives, in the order of a legend
    shows         the columns whose values `shown` returns. Programs of one network may have different ones
    link_words    words of `Host.mark`, in the order of a legend
    remark_keys   keys of `Host.remark`, those of all programs of a network together: any other is an error, so that one
                  that is misspelt in an expectation of a scenario is noticed
    reach         whom it can send to: "anyone", or "links": those that it has a link with, as a router. All programs of
                  a network have the same. With "links" a message to another peer is dropped with the reason `no link`.
                  Links are cables then: those of the topology, and those that `Host.link` has made. They stay when an
                  end stops or they are cut, and are open again, which `opened` tells, when both ends live and they are
                  mended; `neighbours` tells a peer that starts, at whatever time, which of its links are open
    """

    role: ClassVar[str] = "peer"
    goals: ClassVar[tuple[Goal, ...]] = (FIND,)
    knows: ClassVar[Literal["overlay", "everyone"]] = "overlay"
    overlay: ClassVar[bool] = True
    has_all: ClassVar[bool] = False
    shares_files: ClassVar[bool] = True
    usual_nat: ClassVar[str] = ""
    ledger: ClassVar[bool] = False
    roles: ClassVar[tuple[str, ...]] = ()
    shows: ClassVar[tuple[Shown, ...]] = ()
    link_words: ClassVar[tuple[str, ...]] = ()
    remark_keys: ClassVar[tuple[str, ...]] = ()
    reach: ClassVar[Literal["anyone", "links"]] = "anyone"
    name: ClassVar[str] = ""
    options_type: ClassVar[type[Any]]
    handlers: ClassVar[dict[type, Callable[..., Known]]] = {}
    replies: ClassVar[dict[type, Callable[..., Known]]] = {}
    """By the class of the request, see `on_reply`; likewise `timeouts`, see `on_timeout`."""
    timeouts: ClassVar[dict[type, Callable[..., Known]]] = {}
    components: ClassVar[dict[str, type[Component]]] = {}
    """Attribute -> class of each `component`."""
    __slots__ = ()

    def __init_subclass__(cls, *, name: str = "", options: type[Any] | None = None, **kw: Any) -> None:
        super().__init_subclass__(**kw)
        _repair_super(cls)
        if name:
            cls.name = name
        if options is not None:
            cls.options_type = options
        _add_switches(cls)
        cls.components = _components_of(cls)
        if cls.components:
            _add_options(cls)
            cls.__new__ = _new_with_components  # type: ignore[method-assign, assignment]
        cls.handlers = _table(cls, "handlers", "_handles")
        cls.replies = _table(cls, "replies", "_handles_replies")
        cls.timeouts = _table(cls, "timeouts", "_handles_timeouts")

    @classmethod
    def stations(cls, options: Any, peers: int) -> Sequence[Station]:
        """Infrastructure of the network, for a swarm of `peers` peers."""
        return ()

    @classmethod
    def cast(cls, options: Any, members: Sequence[Candidate], rng: Rng) -> Sequence[type[Peer]]:
        """Which program each of these peers runs, in their order; the same after a restart. By default all run `cls`.

        Called for all peers before t = 0, and for each newcomer alone, so that a share is a chance. What it returns are
        classes without a network name of their own in the module of `cls`, or `cls`. Draw from `rng` only.
        """
        return (cls,) * len(members)

    @classmethod
    def converge(cls, world: NetworkStart, options: Any, rng: Rng) -> None:
        """Fill what a network that has been running for long would hold: tables, neighbours, keys. Called at t = 0,
        when all have started and the streams of the overlay are open. It sends nothing, and draws from `rng` only.

        By default, and by `super().converge(...)`, the components of `cls` converge.
        """
        for name, kind in cls.components.items():
            kind.converge(world.inside(name), getattr(options, name, None), rng)

    @classmethod
    def horizon(cls, options: Any) -> int | None:
        """How many hops a question travels, or None where nothing limits it. Used for verdicts and minimum cuts."""
        return None

    @classmethod
    def needs(
        cls, text: str, goal: str, origin: PeerId, programs: Sequence[Peer | None], options: Any
    ) -> Sequence[Need] | None:
        """Which peers `origin` needs to get `text`, for minimum cuts: from each group one peer has to answer. None
        where paths over links and contacts decide, as in a network that passes questions on. goal: the name of one of
        `goals`. programs: of all peers, None for those that do not live; they must not be changed. `origin` is treated
        as if it asked for the first time: what earlier asks have brought it does not count here; `brought` describes
        it."""
        return None

    def brought(self, text: str, goal: str) -> str:
        """What earlier asks for this goal have brought this peer of `text`, before it has all: as "3 of 40 pieces and 5
        neighbours". "" for nothing. A minimum cut says that it does not count this."""
        return ""

    @classmethod
    def verdict(cls, facts: Facts, options: Any) -> str | None:
        """What became of an ask, as one sentence in the terms of this protocol, or None for the general sentence.

        Called at the end of every ask, answered or not; the asker may be dead by then (`Facts.trouble`).
        """
        return None

    @classmethod
    def key_of(cls, text: str) -> object | None:
        """The opaque key by which this network names a thing: an info-hash, the SHA-1 of a name. A hashable value. A
        ban on a word covers the keys of all titles that mention it, so that a colluder recognises them in a message."""
        return None

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: Any) -> Sequence[Theory]:
        """What theory expects of an ask, shown beside what is measured. Empty where there is no theory.

        `facts`: goal (its name); peers (asked for); others (all but the asker, infrastructure left out); living (of
        these); degree (open streams of the asker); mean_degree (of the living peers); levels, for each distance 0, 1, …
        over the open streams: (peers at that distance, sum of their degrees); nats {kind: share} of the living peers,
        empty where none is behind a NAT; stations {label: state}.
        """
        return ()

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """The process starts. `saved` is what `saved()` returned before it last stopped, None at its first start."""

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        """Called at t = 0 only, after `start`: these streams of the overlay are open, their handshakes done. Where
        `reach` is "links" it is called after each `start`."""

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

    def opened(self, host: Host, peer: PeerId) -> None:
        """A stream with this peer is open that was not: one end has called `Host.link`, or a link of the topology is
        there again (`reach`). Told to both ends, one latency later."""

    def closed(self, host: Host, peer: PeerId) -> None:
        """The other end closed an open stream, or died."""

    def saved(self) -> object | None:
        """What is on disk and outlives a kill, as plain data: host cache, address book, guards."""
        return None

    def beliefs(self) -> Beliefs:
        """What this peer knows and believes, for the inspector."""
        return Beliefs()

    def shown(self) -> tuple[float | str, ...]:
        """The value of each column of `shows`, in their order; nan or "" where there is none. Called when somebody
        reads a column, perhaps several times an instant, and once for one peer of each program when a run begins. It
        must not change the peer."""
        return ()

    def contacts(self) -> Iterable[PeerId] | None:
        """The peers that it would pass a question to next, for minimum cuts; or None: all that it has an open stream
        with. So a network says which of its streams are links of the network, where others only carry files. Where no
        stream is open, the contacts are the links of the network: for degree, betweenness, `near` and attacks. Called
        when somebody needs it."""
        return None

    def keeps(self, text: str) -> bool:
        """Whether it keeps a record that points to holders of `text`: an index, a tracker, a node of a hash table. A
        file in its own library is not such a record. But in a network without files (`shares_files`), where only its
        peers know who has something, a peer that has it itself counts as a keeper too. Called when somebody needs it;
        a network without keepers does not define it. Where some program defines it, minimum cuts separate an asker
        from keepers alone, not from holders: a holder is asked there only when a keeper has named it."""
        return False

    @classmethod
    def place_of(cls, text: str) -> float | None:
        """The position of the key of a text in the identifier space, 0 to 1 as `identifier`: the screen marks the key
        of the chosen ask on the circle. None where keys and identifiers are not in one space."""
        return None

    def identifier(self) -> float | None:
        """Its identifier as a share of the identifier space, 0 to 1, for networks that have one, such as hash tables:
        the screen can then place peers on a circle. Called about once a second."""
        return None


# --- verbs -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Switch:
    """A field of a peer with a pair of verbs, see `switch`."""

    on: str
    off: str
    about: str
    off_about: str
    then: str


def _add_switches(cls: type[Peer]) -> None:
    """Give a class the methods of the two verbs of each `switch`."""
    for name, value in list(vars(cls).items()):
        made = value.metadata.get("switch") if isinstance(value, Field) else None
        if isinstance(made, Switch):
            setattr(cls, f"_{name}_on", _switching(cls, name, made, True))
            setattr(cls, f"_{name}_off", _switching(cls, name, made, False))


def _switching(cls: type[Peer], name: str, made: Switch, value: bool) -> Callable[[Any, Host], None]:
    def why_not(peer: Any) -> str | None:
        if getattr(peer, name) is not value:
            return None
        return "it does so already" if value else f'"{made.on}" has not been done to it'

    def change(self: Any, host: Host) -> None:
        setattr(self, name, value)
        if made.then:
            getattr(self, made.then)(host)

    change.__name__ = change.__qualname__ = f"_{name}_{'on' if value else 'off'}"
    change.__module__ = cls.__module__
    verbs, texts = (made.on, made.off), (made.about, made.off_about)
    this, other = (0, 1) if value else (1, 0)
    return verb(verbs[this], about=texts[this], undo=verbs[other], why_not=why_not)(change)


# --- components ------------------------------------------------------------------------------------------------


C = TypeVar("C", bound="Component")


class _Maker(Generic[C]):
    """The default factory of a field that holds a component; `name` is that of the field, once the class exists."""

    def __init__(self, kind: type[C]) -> None:
        self.kind = kind
        self.name = ""

    def __call__(self) -> C:
        made = self.kind()
        made.part_name = self.name
        return made


def _components_of(cls: type[Peer]) -> dict[str, type[Component]]:
    found: dict[str, type[Component]] = {}
    for base in reversed(cls.__mro__):
        # A dataclass removes its fields from the class: those that were found before that are in `components`.
        found.update(vars(base).get("components", {}))
        for attribute, value in vars(base).items():
            if isinstance(value, Field) and isinstance(value.default_factory, _Maker):
                value.default_factory.name = attribute
                found[attribute] = value.default_factory.kind
    return found


def _add_options(cls: type[Peer]) -> None:
    """Give the options of a class a field for those of each component, unless they have one."""
    own = getattr(cls, "options_type", None)
    declared = {f.name for f in fields(own)} if own is not None and is_dataclass(own) else set()
    missing = [
        (name, kind.options_type, field(default_factory=kind.options_type))
        for name, kind in cls.components.items()
        if hasattr(kind, "options_type") and name not in declared
    ]
    if missing:
        made = make_dataclass("options_type", missing, bases=(own,) if own is not None else (), slots=True)
        # So pickle finds the class.
        made.__module__, made.__qualname__ = cls.__module__, f"{cls.__qualname__}.options_type"
        made.__doc__ = own.__doc__ if own is not None else None
        cls.options_type = made


def _new_with_components(cls: type[Peer], *args: Any, **kw: Any) -> Peer:
    """`__new__` of classes with components: a plain class gets them here, a dataclass in its `__init__`."""
    made = Component.__new__(cls) if issubclass(cls, Component) else object.__new__(cls)
    for name in cls.components:
        value = getattr(cls, name, None)
        if isinstance(value, Field):
            setattr(made, name, cast("_Maker[Any]", value.default_factory)())
    return made


def _table(cls: type[Peer], name: str, mark: str) -> dict[type, Callable[..., Known]]:
    """The handlers of a class, by the class of what they handle: its own, which have the attribute `mark`, and those
    of its components, which are in their tables called `name`."""
    table: dict[type, Callable[..., Known]] = {}
    for attribute, kind in cls.components.items():
        for each, handler in getattr(kind, name).items():
            table[each] = _routed(attribute, handler)
    for base in reversed(cls.__mro__):
        for value in vars(base).values():
            for each in getattr(value, mark, ()):
                # A caller that uses the table passes the right host already.
                table[each] = value.__wrapped__ if hasattr(value, "_from_inside") else value
    return table


def _routed(attribute: str, method: Callable[..., Known]) -> Callable[..., Known]:
    """A handler of a component as a handler of its owner."""
    component_of = attrgetter(attribute)

    # `Host.inside`, inlined for an engine's host that has made the host of this component before, as it mostly has.

    def tick(peer: Peer, host: Any, one: Any) -> Known:
        part = component_of(peer)
        try:
            inner = host.component_hosts[part.__class__]
        except (KeyError, TypeError, AttributeError):
            inner = host.inside(part)
        return method(part, inner, one)

    def message(peer: Peer, host: Any, one: Any, other: Any) -> Known:
        part = component_of(peer)
        try:
            inner = host.component_hosts[part.__class__]
        except (KeyError, TypeError, AttributeError):
            inner = host.inside(part)
        return method(part, inner, one, other)

    def end_of_call(peer: Peer, host: Any, one: Any, other: Any, context: Any) -> Known:
        part = component_of(peer)
        try:
            inner = host.component_hosts[part.__class__]
        except (KeyError, TypeError, AttributeError):
            inner = host.inside(part)
        return method(part, inner, one, other, context)

    def any_other(peer: Peer, host: Host, *args: Any) -> Known:
        part = component_of(peer)
        return method(part, host.inside(part), *args)

    # A call with a fixed number of arguments takes half the time of one with `*args`.
    counted: dict[int, Callable[..., Known]] = {3: tick, 4: message, 5: end_of_call}
    handle: Callable[..., Known] = any_other
    if isinstance(method, FunctionType) and not method.__defaults__:
        code = method.__code__
        if not code.co_flags & (CO_VARARGS | CO_VARKEYWORDS):
            handle = counted.get(code.co_argcount, any_other)
    return wraps(method)(handle)


def _takes_host(method: FunctionType) -> bool:
    code = method.__code__
    return code.co_argcount > 1 and code.co_varnames[1] == "host" and not hasattr(method, "_from_inside")


def _from_inside(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of a component that gets the component's own host, whichever host it is called with."""

    @wraps(method)
    def called(self: Component, host: Host, *args: Any, **kw: Any) -> Any:
        return method(self, host.inside(self) if self.part_name else host, *args, **kw)

    called._from_inside = True  # type: ignore[attr-defined]
    return called


def _repair_super(cls: type) -> None:
    """Let `super()` without arguments work in a slotted dataclass.

    `dataclass(slots=True)` makes the class a second time, while its methods still refer to the first one (Python mends
    that itself from version 3.14 on: https://github.com/python/cpython/issues/90562).
    """
    for function in _functions_in(cls):
        for cell in function.__closure__ or ():
            try:
                first = cell.cell_contents
            except ValueError:  # an empty cell
                continue
            if (
                isinstance(first, type)
                and first is not cls
                and (first.__module__, first.__name__, first.__bases__) == (cls.__module__, cls.__name__, cls.__bases__)
                and "__class__" in function.__code__.co_freevars
            ):
                cell.cell_contents = cls


def _functions_in(cls: type) -> Iterator[FunctionType]:
    for value in vars(cls).values():
        for each in (value.fget, value.fset, value.fdel) if isinstance(value, property) else (value,):
            function = getattr(each, "__func__", each)  # of a classmethod
            if isinstance(function, FunctionType):
                found = unwrap(function)
                if isinstance(found, FunctionType):
                    yield found


class Component(Peer):
    """A part of a peer with handlers, ticks, options, verbs and a state of its own: a hash table, a choker, a gossip.

        class Downloader(Peer, name="bittorrent", options=DownloadOptions):
            dht: Dht = component(Dht)

    It is written as a peer is, and may also be a network by itself. In an owner its kinds of message, its columns,
    verbs, options and events have the name of the attribute before theirs: `dht.Ping`, `dht.k`. The engine calls its
    `start`, `neighbours`, `stop`, `opened`, `closed`, `refused` (of its own messages), `saved` and `beliefs` beside
    those of the owner: `start` before the owner's, `stop` after it. All else (`ask`, `joined`, `contacts`,
    `identifier`, ...) is the owner's, which may call the component. Every method whose second parameter is called
    `host` gets the host of the component, see `Host.inside`, whichever host it was called with.

    One class is a component once in a network, and no two parts of a peer handle the same message or tick.
    """

    __slots__ = ("part_name",)
    part_name: str
    """The attribute of its owner; "" for one that is nobody's component."""

    def __new__(cls, *args: Any, **kw: Any) -> Self:
        made = super().__new__(cls)
        made.part_name = ""
        return made

    def __init_subclass__(cls, **kw: Any) -> None:
        for attribute, value in list(vars(cls).items()):
            if isinstance(value, FunctionType) and _takes_host(value):
                setattr(cls, attribute, _from_inside(value))
        super().__init_subclass__(**kw)


def component(kind: type[C]) -> C:
    """An attribute of a peer, or of another component, that holds a component made when the peer starts. The class may
    be a dataclass (slotted or not) or a plain class. Raises TypeError for a class that is not derived from
    `Component`."""
    if not (isinstance(kind, type) and issubclass(kind, Component)):
        raise TypeError(f"component(...) takes a class that derives from Component, not {kind!r}")
    made: C = field(default_factory=_Maker(kind), init=False)
    return made


P = TypeVar("P")
F = TypeVar("F", bound=Callable[..., None])
A = TypeVar("A")
X = TypeVar("X")


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


class _OnReply:
    """The decorator that `on_reply` returns, for a handler (…, sender, answer, context)."""

    def __init__(self, kinds: tuple[type[Any], ...]) -> None:
        self.kinds = kinds

    def __call__(self, handler: Callable[[P, Host, PeerId, A, X], Known]) -> Callable[[P, Host, PeerId, A, X], Known]:
        marked: Any = handler
        marked._handles_replies = (*getattr(handler, "_handles_replies", ()), *self.kinds)
        return handler


def on_reply(kind: type[Any]) -> _OnReply:
    """Mark a method as the handler of answers to requests of this class that were sent by `Host.call` (host, sender,
    answer, context; may return `DUPLICATE`). An answer of a class that the annotation of `answer` does not have is not
    handed over. With `answer: Ack | None` it is also called with None when a call has ended without an answer, where
    the class has no `@on_timeout` for that."""
    return _OnReply((kind,))


class _OnTimeout:
    """The decorator that `on_timeout` returns, for a handler (…, to, context, reason)."""

    def __init__(self, kinds: tuple[type[Any], ...]) -> None:
        self.kinds = kinds

    def __call__(
        self, handler: Callable[[P, Host, PeerId, X, CallEnd], None]
    ) -> Callable[[P, Host, PeerId, X, CallEnd], None]:
        marked: Any = handler
        marked._handles_timeouts = (*getattr(handler, "_handles_timeouts", ()), *self.kinds)
        return handler


def on_timeout(kind: type[Any]) -> _OnTimeout:
    """Mark a method as the handler that is called when a call with a request of this class ends without its answers
    (host, to, context, reason: see `Host.call`)."""
    return _OnTimeout((kind,))


@dataclass(frozen=True, slots=True)
class Verb:
    """What a person can do with a peer of one network, see `verb`. method: the name of the method that does it."""

    name: str
    method: str
    about: str
    undo: str = ""
    why_not: Callable[[Any], str | None] | None = None
    examples: Mapping[str, str] = field(default_factory=dict)
    checks: Mapping[str, Callable[[Any], object]] = field(default_factory=dict)


def verb(
    name: str,
    *,
    about: str,
    undo: str = "",
    why_not: Callable[[Any], str | None] | None = None,
    values: Mapping[str, str] | None = None,
    checks: Mapping[str, Callable[[Any], object]] | None = None,
) -> Callable[[F], F]:
    """Mark a method (self, host, and values by name) as something that a person can do with a peer: it is offered in
    menu and palette, and written in scenarios and recordings, as the command `Act`. It runs without a cause.

    name      a word, as `hijack`; not that of a command of the engine
    about     one sentence
    undo      the verb of this class that takes it back
    why_not   (peer) -> why it cannot be done to this peer now, as the end of a sentence, or None
    values    parameter -> a hint that ends in an example, as "seconds, e.g. 3600": what follows "e.g. " can be given,
              and is what `swarmtop check` gives. The annotation of a parameter says what it may be: str, int, float,
              bool or a Literal; one that has a default may be left out
    checks    parameter -> a function that raises ValueError, with a sentence, for a value that is not possible: the
              value is refused with that sentence before anything is done
    """

    def mark(method: F) -> F:
        made = Verb(name, method.__name__, about, undo, why_not, values or {}, checks or {})
        method._verb = made  # type: ignore[attr-defined]
        return method

    return mark


def switch(on: str, off: str, *, about: str, off_about: str, then: str = "") -> bool:
    """A field of a peer, False at first, and the two verbs that a person has for it: `on` makes it True, `off` False
    again. Each undoes the other, and cannot be done where the field has that value already.

        muted: bool = switch("mute", "speak", about="It sends nothing.", off_about="It sends again.")

    about, off_about  a sentence on each verb, see `verb`
    then              a method (self, host) that is called after the field has changed, by either verb
    """
    made: bool = field(default=False, metadata={"switch": Switch(on, off, about, off_about, then)})
    return made


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
