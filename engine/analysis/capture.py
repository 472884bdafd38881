"""Views of a simulation: the columns that selectors read, and the snapshot of a frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from heapq import nsmallest
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..api import PARTS, NatKind, Peer, PeerId, Shown
from ..errors import InputError, nearest, plain
from ..measure.asks import QUESTION, QUESTIONS, AskRecord
from ..measure.shown import CategoryNames, ShownReader, Values, shown_columns
from ..measure.snapshot import (
    ALIVE,
    STATES,
    AskRow,
    CourtStatus,
    CutLinks,
    Fixed,
    Flight,
    Kind,
    LinkMarks,
    Links,
    Paths,
    Places,
    Run,
    RunningAttack,
    Series,
    ShownColumn,
    Snapshot,
    Totals,
    Trace,
)
from ..sim.calls import PendingCall
from ..sim.kernel import HOP_BITS, KIND_MASK, KIND_SHIFT, split
from ..sim.words import role_text
from ..simulation import Simulation
from ..values import dataclass
from . import graphs
from .contacts import contacts_of_all, have_contacts, pairs_of
from .verdict import keepers_of

FLIGHT_ROWS = 2_000
ASK_ROWS = 200
ASKS_LOOKED_AT = 2_000
"""Asks among which those of users are looked for."""
FILES_US = 1_000_000
"""Longest age of the column of files in us, since counting the files of 10,000 peers takes too long for each frame."""

SHOWN_PEERS = 2_000
SHOWN_US = 100_000
"""Longest age of shown columns in a view, in us for each `SHOWN_PEERS` peers; in smaller swarms they are read in the
present instant."""


CONTACTS_US = 1_000_000
"""Longest age of contacts in a view, in us, since reading those of all peers takes long."""

WAITING = attrgetter("waiting")
"""The timers of a host that keep an ask open."""


@dataclass(slots=True)
class ContactLinks:
    """Contacts at one moment: those of each peer, and as undirected pairs, int32 (L,)."""

    at_us: int
    rows: list[list[int]]
    a: NDArray[np.int32]
    b: NDArray[np.int32]
    betweenness: Sequence[float] | None = None

    def near(self, peers: Collection[int]) -> tuple[int, ...]:
        """Other peers that are contacts of some of these, or that have some of these as contacts, ascending."""
        chosen = np.zeros(len(self.rows), np.bool_)
        chosen[list(peers)] = True
        found = np.zeros(len(self.rows), np.bool_)
        found[self.b[chosen[self.a]]] = True
        found[self.a[chosen[self.b]]] = True
        return tuple(np.flatnonzero(found & ~chosen).tolist())


class PeerColumns:
    """What is known of all peers of a simulation, for selectors, attacks and snapshots. Columns have length `n` and
    index = PeerId; each is made only when something asks for it."""

    def __init__(self, sim: Simulation, protocol: str, places: Places, kinds: tuple[Kind, ...]) -> None:
        self._simulation = sim
        self._protocol = protocol
        self._places = places
        self._kinds = kinds
        self.run = Run()
        self.begun_with = sim.n
        """How many there were when the run began: ids from there on are newcomers."""
        self.shown_reader = ShownReader(sim.all_programs)
        self._have_contacts = (-1, False)
        """(peers, `have_contacts`)."""
        self._contacts: ContactLinks | None = None
        """As they were read last, at most `CONTACTS_US` ago."""
        self._shown: tuple[int, int, Values] = (-1, -1, {})
        """(time, peers, values) of the last reading of the shown columns: only what is being watched reads it again."""
        self._fixed: Fixed | None = None
        self._operators: list[str] | None = None
        self._label_ids: dict[str, int] = {}
        self._betweenness: tuple[int, int, Sequence[float]] = (-1, -1, ())
        """(version of the streams, peers, values): slow to compute, and read for each letter of a selector."""

    def __getstate__(self) -> dict[str, Any]:
        empty: dict[str, Any] = {
            "_fixed": None,
            "_operators": None,
            "_label_ids": {},
            "_betweenness": (-1, -1, ()),
            "_shown": (-1, -1, {}),
            "_contacts": None,
        }
        return {**self.__dict__, **empty}

    @property
    def n(self) -> int:
        return self._simulation.n

    @property
    def labels(self) -> Sequence[str]:
        return self._simulation.labels

    @property
    def label_ids(self) -> Mapping[str, int]:
        """PeerId of each label."""
        labels = self._simulation.labels
        for peer in range(len(self._label_ids), len(labels)):
            self._label_ids[labels[peer]] = peer
        return self._label_ids

    def fixed(self) -> Fixed:
        """What does not change while a peer exists. The same object until newcomers arrive, or peers have another
        operator."""
        sim = self._simulation
        if self._fixed is None or len(self._fixed.labels) != sim.n or self._operators is not sim.operators:
            self._operators = sim.operators
            lines = sim.network.lines
            self._fixed = Fixed(
                protocol=self._protocol,
                seed=sim.seed,
                labels=tuple(sim.labels),
                operator=tuple(sim.operators),
                place=np.array(sim.network.links.place, np.int32),
                places=self._places,
                up_kbit_s=np.array([line.up_kbit_s for line in lines] or [0] * sim.n, np.int32),
                down_kbit_s=np.array([line.down_kbit_s for line in lines] or [0] * sim.n, np.int32),
                nat=np.array([line.nat for line in lines] or [NatKind.OPEN] * sim.n, np.uint8),
                infrastructure=sim.infrastructure.copy(),
                bootstrap=sim.bootstrap,
                shares_files=np.array([kind.shares_files for kind in sim.program_types], np.bool_),
                begun_with=self.begun_with,
                run=self.run,
                kinds=self._kinds,
                shows=tuple(self.shown_reader.columns.values()),
                goals=sim.program.goals,
            )
        return self._fixed

    def fresh(self) -> PeerColumns:
        """These columns as they are now, for a command. The log of deliveries is read, from which loads are counted.
        What was read of programs for a view is not used, so that a run does not depend on who looks at it."""
        self.forget_views()
        return self.counted()

    def counted(self) -> PeerColumns:
        """These columns for a view: as `fresh`, but contacts may have been read up to a second ago."""
        self._simulation.metrics.flush()
        return self

    def forget_views(self) -> None:
        """Discard what was read of programs, so that it is read again."""
        self._shown = (-1, -1, {})
        self._contacts = None

    def contacts(self) -> ContactLinks | None:
        """The contacts of all peers where these are the links of the network: no stream is open, and some program has
        contacts. Else None. Raises PeerFailed."""
        sim = self._simulation
        if sim.streams.count:
            return None
        if self._have_contacts[0] != sim.n:
            self._have_contacts = (sim.n, have_contacts(sim))
        if not self._have_contacts[1]:
            return None
        known, now_us = self._contacts, sim.kernel.now_us
        # In a large swarm they may be older, so that reading them takes no larger share of the time.
        age_us = CONTACTS_US * max(1, sim.n // SHOWN_PEERS)
        if known is None or len(known.rows) != sim.n or not 0 <= now_us - known.at_us < age_us:
            rows = contacts_of_all(sim)
            known = self._contacts = ContactLinks(now_us, rows, *pairs_of(rows))
        return known

    @property
    def shows(self) -> Mapping[str, Shown]:
        """The shown columns of this network, by name."""
        return self.shown_reader.columns

    def shown_column(self, name: str) -> Shown:
        """The shown column of a name. Raises InputError for one that this network does not have."""
        columns = self.shown_reader.columns
        if name not in columns:
            near = nearest(name, columns) or "; this network shows none" * (not columns)
            raise InputError(f'no column is called "{plain(name, 40)}"{near}')
        return columns[name]

    def shown(self, age_us: int = 0) -> Values:
        """The values of all shown columns, at most `age_us` of virtual time old. Raises PeerFailed."""
        sim = self._simulation
        at_us, n, values = self._shown
        if n != sim.n or not 0 <= sim.kernel.now_us - at_us <= age_us:
            values = self.shown_reader.read(sim.programs, sim.kernel.now_us)
            self._shown = (sim.kernel.now_us, sim.n, values)
        return values

    def infrastructure(self) -> Sequence[bool]:
        """Servers, indexes and trackers."""
        flags: list[bool] = self._simulation.infrastructure.tolist()
        return flags

    def roles(self) -> Sequence[str]:
        """What each is called in its specification."""
        return self._simulation.roles.all()

    def known_roles(self) -> Sequence[str]:
        """The roles that are known: those that programs declare, and those that peers were given so far. A peer may be
        given another one later."""
        sim = self._simulation
        return tuple(dict.fromkeys((*sim.roles.names, *(role_text(kind.role) for kind in sim.all_programs))))

    def states(self) -> Sequence[str]:
        """alive, dead or left."""
        return [STATES[s] for s in self._simulation.state.tolist()]

    def censored(self) -> Sequence[bool]:
        """Whether each is censored."""
        return self._simulation.faults.censored

    def poisoned(self) -> Sequence[bool]:
        """Whether each is poisoned."""
        return self._simulation.poisoned.tolist()

    def cities(self) -> Sequence[str]:
        """Names of the cities in which they are."""
        names = self.fixed().places.names
        return [names[i] for i in self._simulation.network.links.place]

    def operators(self) -> Sequence[str]:
        """The operator of each, "" for none."""
        return self._simulation.operators

    def bootstrap(self) -> Sequence[bool]:
        """Whether each is a bootstrap peer."""
        known = set(self._simulation.bootstrap)
        return [peer in known for peer in range(self.n)]

    def newcomers(self) -> Sequence[bool]:
        """Whether each arrived after the start of the run."""
        return [peer >= self.begun_with for peer in range(self.n)]

    def near(self, peer: int) -> Sequence[int]:
        """Peers with which this one has an open stream; its contacts where the network keeps no streams."""
        contacts = self.contacts()
        return list(self._simulation.streams.near[peer]) if contacts is None else contacts.rows[peer]

    def nats(self) -> Sequence[int]:
        """The kind of NAT that each is behind: `NatKind`."""
        nats: list[int] = self.fixed().nat.tolist()
        return nats

    def degrees(self) -> Sequence[float]:
        """Number of open streams of each; where the network keeps none, number of peers that are its contacts or have
        it as a contact."""
        contacts = self.contacts()
        if contacts is None:
            return [len(near) for near in self._simulation.streams.near]
        counts: Sequence[float] = np.bincount(np.concatenate([contacts.a, contacts.b]), minlength=self.n).tolist()
        return counts

    def loads(self) -> Sequence[float]:
        """Messages delivered in the last whole second."""
        loads: list[float] = self._simulation.metrics.load.tolist()
        return loads

    def betweenness(self) -> Sequence[float]:
        """Pairs of others whose shortest paths lead through each, see `graphs`: over the open streams, or over contacts
        where the network keeps no streams."""
        contacts, streams = self.contacts(), self._simulation.streams
        if contacts is not None:
            if contacts.betweenness is None:
                contacts.betweenness = graphs.betweenness(self.n, contacts.a, contacts.b).tolist()
            return contacts.betweenness
        if self._betweenness[:2] != (streams.version, self.n):
            made: list[float] = graphs.betweenness(self.n, *streams.columns()).tolist()
            self._betweenness = (streams.version, self.n, made)
        return self._betweenness[2]

    def uptimes(self) -> Sequence[float]:
        """How long each has been up, in seconds; 0 for those that are not."""
        sim = self._simulation
        since_s = (sim.kernel.now_us - sim.since_us) / 1e6
        made: list[float] = np.where(sim.state == ALIVE, since_s, 0.0).tolist()
        return made

    def holds(self, text: str) -> Sequence[bool]:
        """Whether each shares a file whose name has every word of the text."""
        flags = [False] * self.n
        for peer in self._simulation.holders.of(text):
            flags[peer] = True
        return flags

    def keeps(self, text: str) -> Sequence[bool]:
        """Whether each lives and keeps a record that points to holders of the text. Raises PeerFailed."""
        flags = [False] * self.n
        for peer in keepers_of(self._simulation, text):
            flags[peer] = True
        return flags


class SnapshotBuilder:
    """Makes snapshots. Links and rows of closed asks are kept until they change, since making them takes long."""

    def __init__(self, sim: Simulation, columns: PeerColumns) -> None:
        self._simulation = sim
        self._columns = columns
        self._links = Links(-1, np.zeros(0, np.int32), np.zeros(0, np.int32))
        self._contacts_version = -1
        """Of links that are contacts: below 0, which versions of streams never are."""
        self._marks = LinkMarks(0, ("",), np.zeros(0, np.uint8), np.zeros(0, np.uint8))
        self._marks_key: tuple[object, ...] = ()
        self._paths = Paths()
        self._categories: dict[str, CategoryNames] = {}
        self._rows: dict[int, AskRow] = {}
        self._asked: deque[int] = deque(maxlen=ASK_ROWS)
        """The last asks of users."""
        self._looked_at = 1
        """The first ask of which `_users_asks` has not read yet who issued it."""
        self._own_asks = False
        """Whether the network has opened an ask by itself."""
        self._files = np.zeros(sim.n, np.int32)
        self._files_us = -1
        self._held = self._cut = np.zeros(0, np.bool_)
        self._cut_links = CutLinks()
        self._ident = np.zeros(0, np.float32)
        self._traced: tuple[tuple[object, ...], Trace | None] = ((), None)
        self._identified = any(kind.identifier is not Peer.identifier for kind in dict.fromkeys(sim.program_types))
        self._look_up_links()

    def commanded(self) -> None:
        """To be called after a command: files are counted again, programs read, held and cut links looked up."""
        self._files_us = -1
        self._columns.forget_views()
        self._look_up_links()

    def _look_up_links(self) -> None:
        self._held = self._flags(self._simulation.network.held_links.ends())
        cut_links = self._simulation.faults.cut_links
        self._cut = self._flags(cut_links.ends())
        if cut_links or len(self._cut_links.a) or len(self._cut_links.whole):
            pairs = np.array(list(islice(cut_links.pairs, FLIGHT_ROWS)), np.int32).reshape(-1, 2)
            whole = self._flags(set(cut_links.whole))
            self._cut_links = CutLinks(pairs[:, 0], pairs[:, 1], whole)

    def _grown(self) -> CutLinks:
        """The cut links, for more peers than there were at the last command."""
        whole = np.concatenate([self._cut_links.whole, np.zeros(self._simulation.n, np.bool_)])[: self._simulation.n]
        self._cut_links = replace(self._cut_links, whole=whole)
        return self._cut_links

    def _flags(self, peers: set[PeerId]) -> NDArray[np.bool_]:
        """A flag for each of these peers; empty without any."""
        ends = sorted(peers)
        flags = np.zeros(self._simulation.n if ends else 0, np.bool_)
        flags[ends] = True
        return flags

    def snapshot(
        self,
        settings: Mapping[str, object],
        court: CourtStatus | None,
        attacks: tuple[RunningAttack, ...],
        series: Series,
        shown: Sequence[str] = (),
        topic: str = "",
        contacts: bool = False,
    ) -> Snapshot:
        """One moment, see `engine.measure.snapshot.Snapshot`. shown, topic, contacts: see `Swarm.snapshot`."""
        sim = self._simulation
        metrics, kernel = sim.metrics, sim.kernel
        metrics.flush()
        pairs = self._columns.contacts() if contacts else None
        if pairs is not None:
            same = self._links.contacts and np.array_equal(self._links.a, pairs.a)
            if not same or not np.array_equal(self._links.b, pairs.b):
                self._contacts_version -= 1
                self._links = Links(self._contacts_version, pairs.a, pairs.b, contacts=True)
        elif self._links.version != sim.streams.version:
            self._links = Links(sim.streams.version, *sim.streams.columns())
        if kernel.now_us >= self._files_us + FILES_US or self._files_us < 0 or len(self._files) < sim.n:
            self._files = np.fromiter(map(len, sim.libraries), np.int32, sim.n)
            self._files_us = kernel.now_us
            if self._identified:
                self._ident = self._identifiers()
        flight = self._flight()
        spreading = self._spreading(flight)
        return Snapshot(
            now_us=kernel.now_us,
            fixed=self._columns.fixed(),
            state=sim.state.copy(),
            role=sim.roles.column.copy(),
            roles=sim.roles.names,
            censored=sim.censored.copy(),
            colluding=sim.colluding.copy(),
            poisoned=sim.poisoned.copy(),
            group=sim.group.copy(),
            load=metrics.load,
            last_heard_us=metrics.last_heard_us.copy(),
            files=self._files,
            up_since_us=sim.since_us.copy(),
            links=self._links,
            flight=flight,
            totals=self._totals(),
            asks=self._asks(),
            asks_total=len(sim.shared.records) - 1,
            series=series,
            settings=settings,
            horizon=sim.program.horizon(sim.shared.options),
            spreading=spreading,
            searching=self._searching(spreading),
            held=self._held,
            cut=self._cut,
            cut_links=self._cut_links if len(self._cut_links.whole) in (0, sim.n) else self._grown(),
            ident=self._ident,
            court=court,
            attacks=attacks,
            marks=self._marked(topic),
            paths=self._ways(),
            shown=self._shown(shown),
        )

    def _ways(self) -> Paths:
        """The paths that peers state: the same object until one changes."""
        ways = self._simulation.ways
        if ways.version != self._paths.version:
            self._paths = Paths(ways.version, *ways.columns(), tuple(ways.words.codes), *ways.onward())
        return self._paths

    def _shown(self, wanted: Sequence[str]) -> Mapping[str, ShownColumn]:
        sim = self._simulation
        if not wanted:
            return {}
        for name in wanted:
            self._columns.shown_column(name)
        # In a large swarm they may be older, so that reading them takes no larger share of the time.
        values = self._columns.shown(SHOWN_US * (sim.n // SHOWN_PEERS))
        return shown_columns(
            wanted, self._columns.shown_reader, values, self._categories, (sim.state == ALIVE) & ~sim.infrastructure
        )

    def _marked(self, topic: str) -> LinkMarks:
        """The marks of the ends of the links: the same object until one changes."""
        streams = self._simulation.streams
        key = (streams.marks_version, self._links.version, topic)
        if key != self._marks_key:
            self._marks_key = key
            says = streams.says_of(self._links.a, self._links.b, topic) if self._links.contacts else streams.says(topic)
            words, topics = tuple(streams.words.codes), tuple(streams.topics)
            self._marks = LinkMarks(self._marks.version + 1, words, *says, topics)
        return self._marks

    def trace(self, record: AskRecord) -> Trace | None:
        """The path of an ask: the same object until it changes, so that columns are not copied for each frame."""
        rows = record.questions.total, record.answers.total, record.lost.total, len(record.hits)
        key = (record, self._simulation.n, record.firsts is None, *rows)
        if key != self._traced[0]:
            made = record.trace(self._simulation.n)
            if made is not None:
                place, spread_us = self._simulation.program.place_of(record.text), self._simulation.spread_of(record)
                made = made if place is None and not spread_us else replace(made, key_place=place, spread_us=spread_us)
            self._traced = key, made
        return self._traced[1]

    def _identifiers(self) -> NDArray[np.float32]:
        """Identifiers of the living peers now; of others, the last ones."""
        places = np.full(self._simulation.n, np.nan, np.float32)
        places[: len(self._ident)] = self._ident
        for peer, program in enumerate(self._simulation.programs):
            if program is not None:
                place = program.identifier()
                places[peer] = np.nan if place is None else place
        return places

    def _spreading(self, flight: Flight) -> frozenset[int]:
        """Asks with a question under way. If not all messages are in the rows of `flight`, all open asks."""
        if flight.total > len(flight.frm):
            return frozenset(self._simulation.open_asks)
        by_others = {ask: each for ask, each in self._simulation.open_asks.items() if each.reached_by != QUESTIONS}
        spreading = set(flight.ask[flight.part == QUESTION].tolist()) - by_others.keys()
        for ask, record in by_others.items():
            if np.any(record.reached_by >> flight.part[flight.ask == ask] & 1):
                spreading.add(ask)
        return frozenset(spreading)

    def _searching(self, spreading: Collection[int]) -> frozenset[int]:
        """Answered asks for which a peer waits to send further questions. Timers are looked through only while there is
        an ask that has an answer, is open, and has no question under way."""
        left = {
            ask
            for ask, record in self._simulation.open_asks.items()
            if record.hits and record.sought == "answer" and ask not in spreading
        }
        searching = []
        # Most hosts have no such timer: `filter` skips them without a step of this loop.
        for timers in filter(None, map(WAITING, self._simulation.peer_hosts)) if left else ():
            for timer in timers.values():
                for cause in timer.cause if timer.cause.__class__ is tuple else (timer.cause,):
                    ask = cause >> HOP_BITS
                    if ask in left and asks_further(timer.tick):
                        searching.append(ask)
                        left.remove(ask)
            if not left:
                break
        return frozenset(searching)

    def _totals(self) -> Totals:
        sim = self._simulation
        names = sim.metrics.kind_names
        return Totals(
            sent=sim.shared.sent,
            delivered=sim.kernel.delivered,
            dropped=sim.metrics.dropped,
            bytes=sim.shared.sent_bytes,
            duplicates=sim.kernel.duplicates,
            by_kind={names[i]: count for i, count in enumerate(sim.shared.sent_by_kind)},
            dropped_by=dict(sim.metrics.dropped_by),
            bytes_by_kind=dict(zip(names, sim.metrics.bytes_by_kind.tolist(), strict=True)),
            dropped_kinds=self._dropped_kinds(),
            malformed=dict(sim.metrics.malformed),
            stray_hits=sim.metrics.stray_hits,
        )

    def _dropped_kinds(self) -> dict[str, dict[str, int]]:
        metrics = self._simulation.metrics
        counts: dict[str, dict[str, int]] = {}
        for (kind, reason), count in metrics.dropped_kinds.items():
            counts.setdefault(metrics.kind_names[kind], {})[reason] = count
        return counts

    def _users_asks(self) -> list[int]:
        """The last asks of users, as many as `ASK_ROWS`, where the network opens asks by itself; else none."""
        records = self._simulation.shared.records
        count = len(records)
        begun = max(self._looked_at, count - ASKS_LOOKED_AT)
        for ask in range(begun, count):
            if records[ask].by == "network":
                self._own_asks = True
            else:
                self._asked.append(ask)
        self._looked_at = count
        return list(self._asked) if self._own_asks else []

    def _asks(self) -> tuple[AskRow, ...]:
        out = []
        kept: dict[int, AskRow] = {}
        records = self._simulation.shared.records
        first = max(1, len(records) - ASK_ROWS)
        # Many asks of the network must not displace those of users.
        for ask in self._users_asks():
            if ask < first:
                row = self._rows.get(ask)
                if row is None or row.closed_us is None:
                    row = records[ask].row()
                kept[ask] = row
                out.append(row)
        for record in self._simulation.shared.records.latest(ASK_ROWS):
            row = self._rows.get(record.id)
            if row is None or record.closed_us is None or row.closed_us != record.closed_us:
                row = record.row()
            kept[record.id] = row
            out.append(row)
        self._rows = kept
        return tuple(out)

    def _flight(self) -> Flight:
        """The messages that arrive first. Only as many buckets are read as fill the rows."""
        sim = self._simulation
        kernel, parts = sim.kernel, sim.shared.parts
        rows: list[tuple[int, int, int, int, int, int]] = []
        waiting = kernel.messages
        instants = nsmallest(FLIGHT_ROWS, waiting) if len(waiting) > FLIGHT_ROWS else sorted(waiting)
        # Messages of the present instant that are left after a limited `advance` are under way too.
        due = (kernel.now_us, kernel.unfinished())
        for at_us, (tos, envelopes) in (due, *((at, split(waiting[at])) for at in instants)):
            for to, envelope in zip(tos, envelopes, strict=True):
                ask = _ask_of(envelope[2])
                for one in to if to.__class__ is tuple else (to,):
                    target = one if one >= 0 else -1 - one
                    rows.append(
                        (envelope[0], target, envelope[3], at_us, parts[envelope[5] >> KIND_SHIFT & KIND_MASK], ask)
                    )
            if len(rows) >= FLIGHT_ROWS:
                break
        outside = [
            (envelope[0], to, sent_us, at_us, parts[envelope[5] >> KIND_SHIFT & KIND_MASK], _ask_of(envelope[2]))
            for sent_us, at_us, to, envelope in sim.network.outside_buckets()
        ]
        if outside:
            rows = nsmallest(FLIGHT_ROWS, rows + outside, key=itemgetter(3))
        table = np.array(rows[:FLIGHT_ROWS], np.int64).reshape(-1, 6)
        return Flight(
            frm=table[:, 0].astype(np.int32),
            to=table[:, 1].astype(np.int32),
            sent_us=table[:, 2],
            arrives_us=table[:, 3],
            part=table[:, 4].astype(np.uint8),
            ask=table[:, 5].astype(np.int32),
            total=max(0, sim.shared.sent - kernel.delivered - sim.metrics.dropped),
        )


def asks_further(tick: Any) -> bool:
    """Whether a question may follow when this call or tick is due: it may, unless the request or the class of the tick
    (`Host.after`) states that it is of another part."""
    part = tick.part or tick.request.part if isinstance(tick, PendingCall) else getattr(type(tick), "part", None)
    return part == "question" or part not in PARTS


def _ask_of(cause: Any) -> int:
    """The ask of a message; of several, the first."""
    ask: int = (cause[0] if cause.__class__ is tuple else cause) >> HOP_BITS
    return ask
