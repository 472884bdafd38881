"""Columns for one frame: all that a screen may draw. Index = PeerId unless said otherwise.

Arrays are copies or never written again: a frame may be kept while the swarm goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..api import AskId, PeerId

ALIVE, DEAD, LEFT = 0, 1, 2
STATES = ("alive", "dead", "left")

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Links:
    """Open streams as undirected pairs; `version` changes when they do. a, b: int32 (L,)."""

    version: int
    a: I32
    b: I32


@dataclass(frozen=True, slots=True)
class Flight:
    """Messages under way, at most 2,000 rows, the soonest to arrive first; `total` is the true count.

    frm, to: int32; sent_us, arrives_us: int64; part: uint8, index into `api.PARTS`; ask: int32, 0 = none.
    """

    frm: I32
    to: I32
    sent_us: I64
    arrives_us: I64
    part: U8
    ask: I32
    total: int


@dataclass(frozen=True, slots=True)
class Places:
    """Cities of the world in use: names, and latitude/longitude in degrees, float32 (K,)."""

    names: tuple[str, ...]
    lat: F32
    lon: F32


class Run:
    """One swarm. It is the same object in all that is shown of it, however it grows: what a screen may compare."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of message: its name, its part (one of `api.PARTS`), and over what it travels (stream or datagram)."""

    name: str
    part: str
    over: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """What each peer is from its first moment to the last. The same object in every snapshot of a swarm that does not
    grow; with newcomers a longer one takes its place, ids of those who were there unchanged."""

    protocol: str
    seed: int
    labels: tuple[str, ...]
    roles: tuple[str, ...]
    role: U8
    operator: tuple[str, ...]
    place: I32
    places: Places
    up_kbit_s: I32
    """Lines, as `world.capacity` drew them; 0 where nothing limits them."""
    down_kbit_s: I32
    nat: Flags
    """Who can call and cannot be called."""
    infrastructure: Flags
    """Servers, indexes, trackers: added to the peers asked for. They may stand anywhere among the ids."""
    bootstrap: tuple[PeerId, ...]
    """Through whom a newcomer finds the network."""
    shares_files: Flags
    """Whose network, or whose part in it, is about files of a library: only they can serve decoys."""
    begun_with: int
    """How many there were when the run began, infrastructure among them: ids from there on are newcomers."""
    run: Run
    kinds: tuple[Kind, ...] = ()
    """Of messages, by their number."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Since the start. in_flight = sent - delivered - dropped."""

    sent: int
    delivered: int
    dropped: int
    bytes: int
    duplicates: int
    by_kind: Mapping[str, int]
    dropped_by: Mapping[str, int]
    bytes_by_kind: Mapping[str, int] = field(default_factory=dict)
    """Bytes delivered."""
    dropped_kinds: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Kind -> reason -> messages that never arrived; kinds that lost none are not in it."""

    @property
    def in_flight(self) -> int:
        return self.sent - self.delivered - self.dropped


@dataclass(frozen=True, slots=True)
class AskRow:
    """One ask for a table: a small copy of its account."""

    id: AskId
    origin: PeerId
    text: str
    want: str
    by: str
    issued_us: int
    closed_us: int | None
    reached: int
    messages: int
    """Questions sent, as a cost; `reached` counts distinct peers that one arrived at, the origin left out."""
    bytes: int
    duplicates: int
    hits: int
    first_hit_us: int | None
    """Virtual time from issue to first hit, or None."""
    hops: int
    """The deepest a question went."""
    losses: Mapping[str, int]
    """Messages of this ask that never arrived, by reason."""
    verdict: str
    decoys: int = 0
    """Holders that served something which was not what its name said."""
    fetched: int = 0
    """Holders that served what was wanted. With a decoy and without one of these, the user went away with nothing."""

    @property
    def lost(self) -> int:
        return sum(self.losses.values())


@dataclass(frozen=True, slots=True)
class Series:
    """Samples over virtual time, one a second, the last 600: t_s and one float column a name. NaN: nothing to measure.

    alive, censored               peers
    messages_per_s, bytes_per_s, duplicates_per_s, dropped_per_s, decoys_per_s
                                  what was sent, told nothing new, never arrived, and was noticed as a decoy
    success                       share of the asks of the last 30 s that had a hit within 10 s
    first_hit_s, first_hit_p95_s  from issue to first hit, median and 95th percentile of the same asks
    reach                         peers that a question came to, mean of the same asks
    load .. belief_error          see `gauges.Gauges`
    bytes_per_s.KIND              delivered, by kind of message
    """

    t_s: NDArray[np.float64]
    columns: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class CourtStatus:
    """A court that sits: how long after an answer it acts, the orders it had served and those to come, the answers
    since it convened, and how many of them came after its first order."""

    after_us: int
    orders: int
    pending: int
    answers: int
    answers_after: int


@dataclass(frozen=True, slots=True)
class RunningAttack:
    """An attack that has something still to do, the last of it at `until_us`: its preset's name and title."""

    name: str
    title: str
    until_us: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment. `state` is ALIVE, DEAD or LEFT; `censored`, `colluding` and `poisoned` are flags beside it.

    load: messages delivered to the peer in the last whole second of virtual time; last_heard_us: when a message of
    this peer last arrived anywhere, -1 for never; files: how many it shares; up_since_us: when its present or last
    session began, below 0 for one that was under way when the run began; group: 0, or the side of a partition.
    """

    now_us: int
    fixed: Fixed
    state: U8
    censored: Flags
    colluding: Flags
    poisoned: Flags
    group: I32
    load: F32
    last_heard_us: I64
    files: I32
    up_since_us: I64
    links: Links
    flight: Flight
    totals: Totals
    asks: tuple[AskRow, ...]
    """The last 200, oldest first."""
    asks_total: int
    series: Series
    settings: Mapping[str, object] = field(default_factory=dict)
    """Current world parameters: churn, loss, latency (factor), asks (per s), jitter (ms), capacity (factor, if lines
    have any), and the protocol's options by name."""
    spreading: frozenset[AskId] = frozenset()
    """Asks that have a question under way. An open ask without one waits, or fetches what it found."""
    held: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))
    """Peers with a link that is held (N,); empty while nothing is."""
    ident: F32 = field(default_factory=lambda: np.zeros(0, np.float32))
    """Place of each peer on the circle of identifiers, 0 to 1 (N,), NaN where none was ever told (see
    `Peer.identifier`); empty in networks without identifiers."""
    court: CourtStatus | None = None
    """The court, while it sits."""
    attacks: tuple[RunningAttack, ...] = ()
    """Attacks that can be called off, in the order in which they were begun."""


def _ids() -> I32:
    return np.zeros(0, np.int32)


def _times() -> I64:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Messages of one ask that arrived, in order of arrival, all (k,), see `paths` for how many; `total` counts all."""

    frm: I32 = field(default_factory=_ids)
    to: I32 = field(default_factory=_ids)
    sent_us: I64 = field(default_factory=_times)
    at_us: I64 = field(default_factory=_times)
    total: int = 0


@dataclass(frozen=True, slots=True)
class Losses:
    """Messages of one ask that never arrived, where and when they died, all (k,): the first 2,000; `total` counts all.

    reason: uint8, index into `reasons`, the words of an account's losses.
    """

    frm: I32 = field(default_factory=_ids)
    to: I32 = field(default_factory=_ids)
    sent_us: I64 = field(default_factory=_times)
    at_us: I64 = field(default_factory=_times)
    reason: U8 = field(default_factory=lambda: np.zeros(0, np.uint8))
    reasons: tuple[str, ...] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """The path of one ask. Index = PeerId: who first asked each peer (-1: nobody), at which hop, and when.

    frm: int32, hop: int32 (origin 0, not reached -1), at_us: int64 (-1 when not reached). answers_*: each delivered
    message of part answer: the way of the hits. holders: who the hits named, in order. repeats: int32, how many
    further questions of this ask each peer was sent in vain. questions: each delivered question, the vain ones too;
    answers_sent_us goes with the other columns of answers; lost: what died on its way.
    """

    ask: AskId
    origin: PeerId
    frm: I32
    hop: I32
    at_us: I64
    repeats: I32
    answers_frm: I32
    answers_to: I32
    answers_at_us: I64
    holders: tuple[PeerId, ...]
    answers_sent_us: I64 = field(default_factory=_times)
    questions: Arrivals = field(default_factory=Arrivals)
    lost: Losses = field(default_factory=Losses)
