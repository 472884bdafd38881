"""The state of a swarm at one moment, as columns: everything that a screen draws. Index = PeerId unless stated.

Arrays are copies, or are never written again, so a snapshot may be kept while the swarm runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from ..api import FIND, AskId, Goal, PeerId, Shown, Sought
from ..values import dataclass

ALIVE, DEAD, LEFT = 0, 1, 2
STATES = ("alive", "dead", "left")

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Links:
    """Links as undirected pairs: a, b, int32 (L,), a < b. `version` changes when they do.

    contacts: whether these are not open streams but the peers that each could ask next (`Peer.contacts`), as this
    network keeps no streams. They are read on demand (`Swarm.snapshot`), about once a second.
    """

    version: int
    a: I32
    b: I32
    contacts: bool = False


@dataclass(frozen=True, slots=True)
class CutLinks:
    """Links that are cut: the same object until a command is carried out.

    a, b: those between two peers, int32 (K,), a < b, at most 2,000; whole: a flag for each peer that has all of its
    links cut (N,), empty if there is none.
    """

    a: I32 = field(default_factory=lambda: np.zeros(0, np.int32))
    b: I32 = field(default_factory=lambda: np.zeros(0, np.int32))
    whole: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))


@dataclass(frozen=True, slots=True)
class LinkMarks:
    """The marks of the two ends of each link (`Host.mark`), in the rows of `Snapshot.links`.

    version: changes when a mark does; words: "" for no mark at 0, then the texts, those of `Peer.link_words` first;
    a, b: uint8 (L,), index into `words` of the mark of the end a and of the end b; topics: the topics of all marks.
    """

    version: int
    words: tuple[str, ...]
    a: U8
    b: U8
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths over several peers, as the peers at which they begin believe them to be (`Host.path`).

    version: changes when any of them does; hops: int32 (P, W), the peer at which a path begins, the peers that it leads
    over, and -1 after the last; word: uint8 (P,), what each is called, index into `words`, "" at 0; following: int32
    (P,), the row of the path that continues it, -1 where there is none, and -2 for a path without `onward`; loops: bool
    (P,), whether it comes back to itself in this manner. `following` and `loops` are what is true, whatever the peers
    believe.
    """

    version: int = 0
    hops: I32 = field(default_factory=lambda: np.zeros((0, 1), np.int32))
    word: U8 = field(default_factory=lambda: np.zeros(0, np.uint8))
    words: tuple[str, ...] = ("",)
    following: I32 = field(default_factory=lambda: np.zeros(0, np.int32))
    loops: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))


@dataclass(frozen=True, slots=True)
class ShownColumn:
    """One of the columns that a network shows of its peers (`Peer.shows`), at one moment. Index = PeerId.

    values: float64 (N,), NaN where there is none; a share is 0 to 1. Empty for a category
    codes: of a category, uint8 (N,), index into `names`. Empty for others
    names: of a category: "" for none at 0, then at most six values, each of which keeps its place while it is among the
           most frequent; all further values are "other", at 7
    counts: of a category: living peers (not infrastructure) with each of `names`
    """

    shown: Shown
    values: F64 = field(default_factory=lambda: np.zeros(0, np.float64))
    codes: U8 = field(default_factory=lambda: np.zeros(0, np.uint8))
    names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Flight:
    """Messages under way, at most 2,000 rows, in order of arrival; `total` is the number of all.

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
    """Cities in which peers are: names, and latitude and longitude in degrees, float32 (K,)."""

    names: tuple[str, ...]
    lat: F32
    lon: F32


class Run:
    """Identifies a swarm: the same object in all its snapshots, also after newcomers have arrived."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of message: its name, its part (one of `api.PARTS`), and its transport ("stream" or "datagram")."""

    name: str
    part: str
    over: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """What does not change while a peer exists. The same object in all snapshots until newcomers arrive; then a longer
    one, in which the ids of the other peers are the same."""

    protocol: str
    seed: int
    labels: tuple[str, ...]
    operator: tuple[str, ...]
    place: I32
    places: Places
    up_kbit_s: I32
    """Rates of the access lines, see `world.access_links`; 0 without a limit."""
    down_kbit_s: I32
    nat: U8
    """The kind of NAT that each peer is behind (`api.NatKind`): with any NAT it opens connections and accepts none."""
    infrastructure: Flags
    """Servers, indexes, trackers: added to the peers that were asked for. Their ids follow those of these peers, and
    come before the ids of newcomers."""
    bootstrap: tuple[PeerId, ...]
    """Peers that each newcomer knows when it starts."""
    shares_files: Flags
    """Peers whose program shares the files of a library; only these can serve decoys."""
    begun_with: int
    """Number of peers at the start of the run, infrastructure included: higher ids are newcomers."""
    run: Run
    kinds: tuple[Kind, ...] = ()
    """Kinds of message, by their number."""
    goals: tuple[Goal, ...] = (FIND,)
    """What its users can want, see `Peer.goals`; the first is the default."""
    shows: tuple[Shown, ...] = ()
    """The columns that the programs of this network show, each name once: `Swarm.snapshot(shown=…)` reads them."""

    def goal(self, name: str) -> Goal | None:
        """The goal of this name; None for one that users of this network cannot have."""
        return next((goal for goal in self.goals if goal.name == name), None)


@dataclass(frozen=True, slots=True)
class Totals:
    """Numbers of messages, and bytes sent, since the start of the run. by_kind: sent; dropped_by: reason -> number."""

    sent: int
    delivered: int
    dropped: int
    bytes: int
    duplicates: int
    by_kind: Mapping[str, int]
    dropped_by: Mapping[str, int]
    bytes_by_kind: Mapping[str, int] = field(default_factory=dict)
    """Bytes delivered, by kind."""
    dropped_kinds: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Kind -> reason -> messages dropped; without kinds of which none was dropped."""
    malformed: Mapping[str, str] = field(default_factory=dict)
    """Class of a message -> a sentence: which field of the first one that was malformed was not what its annotation
    says."""
    stray_hits: int = 0
    """Hits that belong to no ask of the peer that reported them: a mistake in the code of a network, or a message of a
    peer that breaks the rules."""

    @property
    def in_flight(self) -> int:
        return self.sent - self.delivered - self.dropped


SPREAD = (50, 90, 99)
"""Shares of an audience, in %, for which the time until an ask had reached them is recorded."""


@dataclass(frozen=True, slots=True)
class AskRow:
    """The record of one ask, without its path. bytes: of all messages that descend from it."""

    id: AskId
    origin: PeerId
    text: str
    goal: str
    by: str
    issued_us: int
    closed_us: int | None
    reached: int
    messages: int
    """Questions sent. `reached`: distinct peers at which one arrived, the origin left out."""
    bytes: int
    duplicates: int
    hits: int
    first_hit_us: int | None
    """Virtual time in us from issue to first hit, or None."""
    hops: int
    """Greatest depth at which a question reached a new peer."""
    losses: Mapping[str, int]
    """Messages of this ask that were dropped, by reason."""
    verdict: str
    decoys: int = 0
    """Holders that served a decoy."""
    fetched: int = 0
    """Holders from which the wanted file was fetched completely."""
    outcome: str = ""
    """What became of an ask that has closed: `answered`, `not fetched` (it was found, and its download broke off), `no
    answer`, `published`, `not published` or `told`."""

    sought: Sought = "answer"
    """What makes it a success: an answer, a share of its audience, or nothing, see `Goal`."""
    answerers: int = 0
    """Peers that named the holders that were found."""
    done: float = 0.0
    of: float = 0.0
    """How much is done, and of how much, in any unit (`Host.progress`); 0 and 0 if that was never called."""
    stale: int = 0
    """Of the holders, those that were dead or had left when they were named: they are no success."""
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The remarks on it (`Host.remark`): key -> values, in alphabetical order."""
    alive: int = 0
    """Peers that were alive when it was issued, the origin left out. Stations count, except if it is for everyone."""
    transfers: int = 0
    """Messages sent that moved data for it."""
    spread_us: tuple[int | None, ...] = ()
    """For an ask with an audience, once it has closed: the times in us from issue until it had reached the shares
    `SPREAD` of the audience that was alive when it closed; None for a share that it did not reach."""

    @property
    def others(self) -> int:
        """The number of peers of which `reached` is a part: `alive`, or `reached` if that is more, as peers that
        started later are reached too."""
        return max(self.alive, self.reached)

    @property
    def found(self) -> int:
        """Holders that were alive when they were named."""
        return self.hits - self.stale

    @property
    def lost(self) -> int:
        return sum(self.losses.values())


@dataclass(frozen=True, slots=True)
class Series:
    """Samples over virtual time, one each `Setup.sample_s`: `t_s`, and a column of floats for each name. NaN: not
    measured. In a long run a row is the mean of 2, 4, … samples, and its time that of the last, see `timeseries`.

    alive, censored               numbers of peers
    messages_per_s, bytes_per_s   sent
    duplicates_per_s              deliveries without anything new for their receiver
    dropped_per_s                 messages dropped
    decoys_per_s                  decoys that users opened
    success                       share of the asks of the last three times `Goal.success_s` of the first goal (30 s for
                                  a goal of 10 s) that had a hit within the time of their goal
    first_hit_s, first_hit_p95_s  from issue to first hit, median and 95th percentile of the same asks
    reach                         peers that a question reached, mean of the same asks
    load .. belief_error          see `gauges.Gauges`
    bytes_per_s.KIND              delivered, by kind of message
    COLUMN, COLUMN.VALUE, role.ROLE
                                  shown columns that are followed, see `Swarm.follow`: the mean of the living users; of
                                  a category, and of the roles, how many have each value
    """

    t_s: NDArray[np.float64]
    columns: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class CourtStatus:
    """The session of a court: delay from an answer to its order in us, orders carried out, orders pending, hits since
    the session began, and how many of these came after the first order."""

    after_us: int
    orders: int
    pending: int
    answers: int
    answers_after: int


@dataclass(frozen=True, slots=True)
class RunningAttack:
    """An attack with steps left, the last of them at `until_us`: name and title of its preset."""

    name: str
    title: str
    until_us: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment. `state` is ALIVE, DEAD or LEFT; `censored`, `colluding` and `poisoned` are flags beside it.

    load: messages delivered to the peer in the last whole second of virtual time; last_heard_us: when a message from
    this peer was last delivered, -1 for never; files: how many it shares; up_since_us: when its present or last session
    began, below 0 for one that was under way when the run began; group: 0, or its group of a partition; role: what it
    is called in its specification, index into `roles`, which are all that the network knows.
    """

    now_us: int
    fixed: Fixed
    state: U8
    role: U8
    roles: tuple[str, ...]
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
    """The last 200, oldest first; before them, where the network opens asks by itself, further ones of users, at most
    200."""
    asks_total: int
    series: Series
    settings: Mapping[str, object] = field(default_factory=dict)
    """Present values of the parameters that `Set` changes: churn, polite, arrivals, loss, latency (a factor), asks (per
    s), jitter (ms), capacity (a factor, if lines are limited), and the protocol's options by name."""
    horizon: int | None = None
    """Hops that a question travels with the present options, see `Peer.horizon`; None without a limit."""
    spreading: frozenset[AskId] = frozenset()
    """Asks that have a question under way. An open ask without one waits for an answer, or fetches a file."""
    searching: frozenset[AskId] = frozenset()
    """Answered asks that have no question under way, but may send one later: a call or a timer of the ask is waiting,
    such as for the next ring of an expanding ring search. See `Host.after`."""
    held: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))
    """Peers with a held link (N,); empty if no link is held."""
    cut: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))
    """Peers with a cut link (N,); empty if no link is cut."""
    cut_links: CutLinks = field(default_factory=CutLinks)
    """Which links are cut."""
    ident: F32 = field(default_factory=lambda: np.zeros(0, np.float32))
    """Identifier of each peer as a share of the identifier space, 0 to 1 (N,), see `Peer.identifier`; NaN where it has
    none; empty in networks without identifiers."""
    court: CourtStatus | None = None
    """The session of the court, if there is one."""
    attacks: tuple[RunningAttack, ...] = ()
    """Attacks with steps left, in the order in which they were begun."""
    marks: LinkMarks = field(default_factory=lambda: LinkMarks(0, ("",), np.zeros(0, np.uint8), np.zeros(0, np.uint8)))
    """The marks of the ends of each of `links`."""
    paths: Paths = field(default_factory=Paths)
    """Paths over several peers."""
    shown: Mapping[str, ShownColumn] = field(default_factory=dict)
    """The shown columns that were asked for, by name."""


def _ids() -> I32:
    return np.zeros(0, np.int32)


def _times() -> I64:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Delivered messages of one ask, in order of arrival: columns (k,), limited, see `asks`; `total` counts all."""

    frm: I32 = field(default_factory=_ids)
    to: I32 = field(default_factory=_ids)
    sent_us: I64 = field(default_factory=_times)
    at_us: I64 = field(default_factory=_times)
    total: int = 0


@dataclass(frozen=True, slots=True)
class Losses:
    """Dropped messages of one ask: columns (k,) of the first 2,000; `total` counts all.

    at_us: when it was dropped; reason: uint8, index into `reasons`, see `AskRow.losses`.
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
    """The path of one ask. Index = PeerId.

    frm: int32, the sender of the first question that reached the peer (-1: none); hop: int32, its depth (0: the origin,
    -1: not reached); at_us: int64, its arrival (-1: not reached); repeats: int32, further questions that arrived.
    answers_*: each delivered answer, (k,); holders: the holders found, in order; answerers: who named them, in order.
    questions: each delivered question, repeated ones included; lost: dropped messages.

    Where a message was sent `via` a peer, `frm` is that peer, and the depth is one more than its depth. For a goal with
    other parts in `reached_by`, "question" means a message of one of these.

    key_place: the position of the key of the text among the identifiers of the peers (`Peer.place_of`), or None.
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
    answerers: tuple[PeerId, ...] = ()
    key_place: float | None = None
    spread_us: tuple[int | None, ...] = ()
    """As in `AskRow`, so far."""
