"""The record of each ask: what it cost, whom it reached, what it found. The same for every protocol.

What a sender counts (messages, bytes, pending) is written at once; what only a reader needs (who was reached first by
whom, at which hop) is read later, as columns, from the log of deliveries, see `metrics.Metrics`.

The path of an ask is kept message by message: when each was sent and arrived, and where others were dropped. It has
three limits. Of one ask the first `ROWS_MOST` questions, as many answers, and `LOSSES_MOST` losses are kept; no picture
can show more, and the record counts all of them. Paths of closed asks share one cache (`PathCache`) of `PATHS_BYTES`,
with at most `PATHS_MOST` of them; the oldest are forgotten first. Most asks of a busy run are background asks, which
are seldom looked at one by one: for these a tenth of the rows is kept, which is the whole ask in a swarm of 500 peers.

The memory and time of a record should depend on what its ask does, not on the number of peers. So the peers that it
reached are kept in a dictionary while they are few, and in columns as long as the swarm from then on (`FirstArrivals`);
and rows that come one by one are tuples until there are enough of them for columns.

The sending time of a message is in its envelope and in no column of the log, and reading it there costs as much as
reading its sender. So it is read only for rows that are kept: in a flood of 180,000 messages, that is 20,000 times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..api import FIND, PARTS, AskId, Goal, PeerId, Sought
from ..sim.kernel import HOP_BITS, HOP_MASK, KIND_MASK, KIND_SHIFT, Envelope, Via
from ..sim.memory import set_apart
from .snapshot import SPREAD, Arrivals, AskRow, Losses, Trace

ROWS_MOST = 20_000
"""Arrivals kept of one ask, of questions and of answers each."""
ROWS_BACKGROUND = ROWS_MOST // 10
"""The same for a background ask, and for one that the network itself opened."""
LOSSES_MOST = 2_000
PATHS_BYTES = 24 << 20
"""Bytes of the paths of closed asks; the oldest are removed first."""
PATHS_MOST = 256
"""Most paths of closed asks: a table shows the last 200 asks, and no screen shows earlier ones."""
ROWS_FOLDED = 64
"""Rows that are kept as tuples before they become columns."""
FEW_REACHED = 64
SPARSE_SHARE = 32
"""Peers that an ask has reached are kept in a dictionary while they are at most `FEW_REACHED`, or at most one in
`SPARSE_SHARE` of all peers."""
PATH_PACKED = 1_024
"""Bytes from which the path of a closed ask gets a block of memory of its own."""

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
K = TypeVar("K")
V = TypeVar("V")
Columns: TypeAlias = tuple[I32, I32, I64, I32]
Row: TypeAlias = tuple[int, int, int, int, int]
"""A delivery: from, to, sent, arrived, hop. While an ask has reached few peers, the row of the first question at each
peer is one object, which is kept both among the questions and by its receiver."""


class Deliveries:
    """Deliveries in order of arrival, at most `most`; `total` counts all.

    Arrays that `view` has returned are never written again: rows are only added after theirs.
    """

    __slots__ = ("_ends", "_times", "beyond", "kept", "most", "room_for_rows", "rows")

    def __init__(self, most: int = ROWS_MOST) -> None:
        self.most = most
        self.beyond = 0
        """Deliveries that were counted and not kept."""
        self._ends: I32 | None = None
        """(from, to) and (sent, arrived) of the first `kept` rows, with room for more; None without any."""
        self._times: I64 | None = None
        self.kept = 0
        self.rows: list[Row] = []
        """The rows after these, as tuples."""
        self.room_for_rows = min(ROWS_FOLDED, most)
        """While `rows` has fewer entries than this, one may be added to it; see `append`."""

    @property
    def total(self) -> int:
        """Deliveries that were counted, kept or not."""
        return self.kept + len(self.rows) + self.beyond

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.kept + len(self.rows)

    @property
    def room(self) -> int:
        """Number of rows that can be added."""
        return self.most - self.kept - len(self.rows)

    @property
    def bytes(self) -> int:
        """Memory of the rows as columns."""
        return 24 * (self.kept + len(self.rows))

    def append(self, row: Row) -> None:
        """Count one delivery, and add it if there is room."""
        if len(self.rows) >= self.room_for_rows:
            self.fold()
        if self.room_for_rows:
            self.rows.append(row)
        else:
            self.beyond += 1

    def add(self, frm: I64, to: I64, sent_us: I64, at_us: I64) -> None:
        """Add deliveries, columns (k,) with k <= `room`."""
        self.fold()
        first, count = self.kept, self.kept + len(frm)
        ends, times = self._ends, self._times
        if ends is None or times is None or count > ends.shape[1]:
            size = min(self.most, max(ROWS_FOLDED, 2 * count))
            ends, times = np.empty((2, size), np.int32), np.empty((2, size), np.int64)
            if self._ends is not None and self._times is not None:
                ends[:, :first], times[:, :first] = self._ends[:, :first], self._times[:, :first]
            self._ends, self._times = ends, times
        ends[0, first:count], ends[1, first:count] = frm, to
        times[0, first:count], times[1, first:count] = sent_us, at_us
        self.kept = count
        self.room_for_rows = min(ROWS_FOLDED, self.most - count)

    def fold(self) -> None:
        """Move the rows that are tuples into the columns."""
        if self.rows:
            table = np.array(self.rows, np.int64)
            self.rows = []
            self.add(table[:, 0], table[:, 1], table[:, 2], table[:, 3])

    def view(self) -> Arrivals:
        ends, times = self.columns()
        return Arrivals(ends[0], ends[1], times[0], times[1], self.total)

    def columns(self) -> tuple[I32, I64]:
        """The rows without unused memory: (from, to) and (sent, arrived)."""
        self.fold()
        if self._ends is None or self._times is None:
            return np.empty((2, 0), np.int32), np.empty((2, 0), np.int64)
        return self._ends[:, : self.kept], self._times[:, : self.kept]

    def replace(self, ends: I32, times: I64) -> None:
        """Use these copies of `columns` from now on."""
        self._ends, self._times = ends, times

    def __getstate__(self) -> tuple[Any, ...]:
        # So equal deliveries have an equal state, in whatever steps they were filled and read.
        return self.most, self.total, *(np.ascontiguousarray(column) for column in self.columns())

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.most, total, ends, times = state
        self._ends, self._times, self.kept, self.rows = ends, times, ends.shape[1], []
        self.beyond, self.room_for_rows = total - self.kept, min(ROWS_FOLDED, self.most - self.kept)


NO_LOSSES = Losses()
NONE: dict[Any, Any] = {}
"""The empty dictionary that all records share. Most records have nothing to keep, and each dictionary is one more
object that the garbage collector visits. It must never be written to: to add to an empty dictionary of a record,
replace it."""


class Drops:
    """Dropped messages of an ask, at most LOSSES_MOST. They become columns when they are read."""

    __slots__ = ("_kept", "_rows", "taken_back", "total")

    def __init__(self) -> None:
        self._kept = NO_LOSSES
        self._rows: list[tuple[int, int, int, int, str]] = []
        self.total = 0
        self.taken_back = 0

    @property
    def bytes(self) -> int:
        """Memory of the rows as columns."""
        return 25 * (len(self._kept.frm) + len(self._rows))

    def add(self, frm: int, to: int, sent_us: int, at_us: int, reason: str) -> None:
        self.total += 1
        if len(self._rows) + len(self._kept.frm) < LOSSES_MOST:
            self._rows.append((frm, to, sent_us, at_us, reason))

    def take_back(self, frm: int, to: int, sent_us: int, reason: str) -> None:
        """Remove a loss: the message is delivered after all."""
        if not self.total:
            return  # The path was removed.
        old = self.view()
        self.total -= 1
        self.taken_back += 1
        rows = (old.frm == frm) & (old.to == to) & (old.sent_us == sent_us)
        if reason in old.reasons:
            rows &= old.reason == old.reasons.index(reason)
        found = np.flatnonzero(rows)[:1]
        self._kept = Losses(
            np.delete(old.frm, found),
            np.delete(old.to, found),
            np.delete(old.sent_us, found),
            np.delete(old.at_us, found),
            np.delete(old.reason, found),
            old.reasons,
            self.total,
        )

    def view(self) -> Losses:
        """As columns: the same object until another row is added."""
        if self._kept.total != self.total:
            old = self._kept
            frm, to, sent, at, why = zip(*self._rows, strict=True) if self._rows else ((), (), (), (), ())
            reasons = tuple(dict.fromkeys((*old.reasons, *why)))
            number = {reason: i for i, reason in enumerate(reasons)}
            self._kept = Losses(
                np.concatenate([old.frm, np.array(frm, np.int32)]),
                np.concatenate([old.to, np.array(to, np.int32)]),
                np.concatenate([old.sent_us, np.array(sent, np.int64)]),
                np.concatenate([old.at_us, np.array(at, np.int64)]),
                np.concatenate([old.reason, np.array([number[reason] for reason in why], np.uint8)]),
                reasons,
                self.total,
            )
            self._rows = []
        return self._kept

    def replace(self, frm: I32, to: I32, sent_us: I64, at_us: I64, reason: NDArray[np.uint8]) -> None:
        """Use these copies of the columns of `view` from now on."""
        self._kept = Losses(frm, to, sent_us, at_us, reason, self._kept.reasons, self.total)

    def __getstate__(self) -> Losses:
        return self.view()

    def __setstate__(self, state: Losses) -> None:
        self._kept, self._rows, self.total, self.taken_back = state, [], state.total, 0


def _with(values: dict[K, V], key: K, value: V) -> dict[K, V]:
    """The same dictionary with one more entry; a new one if it is empty, since it may be `NONE`."""
    if not values:
        return {key: value}
    values[key] = value
    return values


class PeerSet(Protocol):
    """Some peers of the swarm, such as the living users."""

    count: int

    @property
    def flags(self) -> NDArray[np.bool_]:
        """A flag for each peer of the swarm."""

    def __contains__(self, peer: PeerId) -> bool:
        """Whether a peer is one of them."""


class FirstArrivals:
    """The peers that an ask has reached, the origin included: the first question that arrived at each (from whom, at
    which hop, when), and how many others arrived there.

    They are in a dictionary while they are few, in columns as long as the swarm otherwise. After `replace` they are in
    columns with a row for each reached peer, or for each peer of the swarm. Which of the two depends only on these two
    numbers, not on how the deliveries were cut into batches, since the size decides which paths are kept.
    """

    __slots__ = ("_columns", "_count", "_peers", "by_peer", "n", "repeats")

    def __init__(self, origin: PeerId, issued_us: int) -> None:
        self.n = 0
        """Peers of the swarm when the last question arrived, or when more than `FEW_REACHED` were reached."""
        self._count = 0
        self.by_peer: dict[PeerId, Row] | None = {origin: (-1, origin, issued_us, issued_us, 0)}
        """Peer -> its first question."""
        self.repeats: dict[PeerId, int] = NONE
        self._columns: Columns | None = None
        """from, hop (-1: not reached), when, repeats: a row for each peer, or for each in `_peers`."""
        self._peers: I32 | None = None
        """Packed and few: those who are reached, in the order in which they were."""

    @property
    def count(self) -> int:
        """How many peers are reached."""
        return self._count if self.by_peer is None else len(self.by_peer)

    @property
    def few(self) -> bool:
        """Whether a dictionary takes less memory than a row for each peer."""
        return self.count <= max(FEW_REACHED, self.n // SPARSE_SHARE)

    @property
    def bytes(self) -> int:
        """Memory when it is packed."""
        return 24 * self.count if self.few else 20 * self.n

    def add(self, n: int, frm: PeerId, to: PeerId, hop: int, at_us: int) -> bool:
        """Add a question that has arrived in a swarm of `n` peers. Returns whether it was the first at its receiver."""
        self.n = n
        few = self._unpacked() if self.by_peer is None else self.by_peer
        if few is not None:
            if to in few:
                self.repeat(to)
                return False
            few[to] = (frm, to, at_us, at_us, hop)
            if len(few) > FEW_REACHED and not self.few:
                self._spread_out()
            return True
        columns = self._wide()
        if columns[1][to] >= 0:
            columns[3][to] += 1
            return False
        columns[0][to], columns[1][to], columns[2][to] = frm, hop, at_us
        self._count += 1
        return True

    def repeat(self, to: PeerId) -> None:
        """One more question has arrived at a peer that was reached before. Only while they are in a dictionary."""
        self.repeats = _with(self.repeats, to, self.repeats.get(to, 0) + 1)

    def add_all(self, n: int, frm: I64, to: I64, hop: I64, at_us: I64) -> tuple[int, int]:
        """Add questions in order of arrival, columns (k,). Returns how many were the first at their receivers, and the
        greatest hop of these, 0 without any."""
        self.n = n
        before = self.count
        few = self._unpacked()
        if few is not None:
            if before + len(to) <= max(FEW_REACHED, n // SPARSE_SHARE):
                depth = 0
                for values in zip(frm.tolist(), to.tolist(), hop.tolist(), at_us.tolist(), strict=True):
                    if self.add(n, *values) and values[2] > depth:
                        depth = values[2]
                return self.count - before, depth
            self._spread_out()
        frms, hops, times, repeats = self._wide()
        repeats += np.bincount(to, minlength=n).astype(np.int32)
        new = np.flatnonzero(hops[to] < 0)
        if not len(new):
            return 0, 0
        # The first arrival at each peer: rows are written in reverse order, and the last one that is written stays.
        # Sorting them takes much longer (measured: a third of `Metrics.flush`).
        row = np.full(n, -1)
        row[to[new[::-1]]] = new[::-1]
        peers = np.flatnonzero(row >= 0)
        first = row[peers]
        hops[peers] = hop[first]
        frms[peers] = frm[first]
        times[peers] = at_us[first]
        repeats[peers] -= 1
        self._count += len(peers)
        return len(peers), int(hop[first].max())

    def hop(self, peer: PeerId) -> int:
        """The depth at which a peer was reached; -1 where it was not."""
        if self.by_peer is not None:
            return self.by_peer[peer][4] if peer in self.by_peer else -1
        assert self._columns is not None
        if self._peers is not None:
            found = np.flatnonzero(self._peers == peer)
            return int(self._columns[1][found[0]]) if len(found) else -1
        return int(self._columns[1][peer]) if peer < len(self._columns[1]) else -1

    def heard(self, peer: PeerId) -> bool:
        """Whether a peer is reached."""
        if self.by_peer is not None:
            return peer in self.by_peer
        assert self._columns is not None
        if self._peers is not None:
            return bool((self._peers == peer).any())
        return peer < len(self._columns[1]) and bool(self._columns[1][peer] >= 0)

    def among(self, peers: PeerSet, until_us: int | None = None) -> int:
        """How many of these are reached, the origin included; until a time if that is given."""
        if self.by_peer is not None:
            if until_us is None:
                return sum([peer in peers for peer in self.by_peer])
            return sum(row[3] <= until_us and peer in peers for peer, row in self.by_peer.items())
        assert self._columns is not None
        _, hop, at, _ = self._columns
        heard = peers.flags[: len(hop)] & (hop >= 0) if self._peers is None else peers.flags[self._peers]
        if until_us is not None:
            heard = heard & (at <= until_us)
        return int(np.count_nonzero(heard))

    def times(self, peers: PeerSet, origin: PeerId) -> Sequence[int]:
        """When each of these but the origin was reached, in us, ascending."""
        if self.by_peer is not None:
            return sorted([row[3] for peer, row in self.by_peer.items() if peer in peers and peer != origin])
        who, rows = self._rows()
        times: list[int] = np.sort(rows[2][peers.flags[who] & (who != origin)]).tolist()
        return times

    def columns(self, n: int) -> Columns:
        """From, hop, when and repeats of each of `n` peers, see `Trace`: copies."""
        frm, hop, at_us = np.full(n, -1, np.int32), np.full(n, -1, np.int32), np.full(n, -1, np.int64)
        repeats = np.zeros(n, np.int32)
        peers, rows = self._rows()
        frm[peers], hop[peers], at_us[peers], repeats[peers] = rows
        return frm, hop, at_us, repeats

    def packed(self) -> list[NDArray[Any]]:
        """The columns to be moved into one block of memory: the arguments of `replace`."""
        if not self.few:
            self._unpacked()
            self._spread_out()
            return list(self._wide())
        peers, rows = self._rows()
        return [*rows, peers]

    def replace(self, made: Sequence[NDArray[Any]]) -> None:
        """Use these copies of what `packed` returned from now on."""
        self._columns = (made[0], made[1], made[2], made[3])
        self._peers = made[4] if len(made) > 4 else None
        if self.by_peer is not None:
            self._count = len(self.by_peer)
        self.by_peer, self.repeats = None, NONE

    def _rows(self) -> tuple[I32, Columns]:
        """Those who are reached, and a row for each of them."""
        if self.by_peer is not None:
            repeats = self.repeats
            rows = [(peer, row[0], row[4], row[3], repeats.get(peer, 0)) for peer, row in self.by_peer.items()]
            table = np.array(rows, np.int64).T
            peers, frm, hop, repeated = (table[i].astype(np.int32) for i in (0, 1, 2, 4))
            return peers, (frm, hop, table[3], repeated)
        assert self._columns is not None
        if self._peers is not None:
            return self._peers, self._columns
        frm, hop, at_us, repeats_ = self._columns
        reached = np.flatnonzero(hop >= 0).astype(np.int32)
        return reached, (frm[reached], hop[reached], at_us[reached], repeats_[reached])

    def _unpacked(self) -> dict[PeerId, Row] | None:
        """The dictionary, if they are few."""
        if self._peers is not None:
            assert self._columns is not None
            frm, hop, at_us, repeats = (column.tolist() for column in self._columns)
            peers = self._peers.tolist()
            self.by_peer = dict(zip(peers, zip(frm, peers, at_us, at_us, hop, strict=True), strict=True))
            self.repeats = {peer: often for peer, often in zip(peers, repeats, strict=True) if often}
            self._columns = self._peers = None
        return self.by_peer

    def _spread_out(self) -> None:
        """Have a row for each peer from now on."""
        if self.by_peer is not None:
            self._columns = self.columns(self.n)
            self._count = len(self.by_peer)
            self.by_peer, self.repeats = None, NONE

    def _wide(self) -> Columns:
        """A row for each peer; newcomers get theirs."""
        assert self._columns is not None
        frm, hop, at_us, repeats = self._columns
        more = self.n - len(hop)
        if more > 0:
            frm, hop, at_us = (
                np.concatenate([column, np.full(more, -1, column.dtype)]) for column in (frm, hop, at_us)
            )
            self._columns = (frm, hop, at_us, np.concatenate([repeats, np.zeros(more, np.int32)]))
        return self._columns


class PathCache:
    """Closed asks whose path is kept, in order of closing. Each path is in one block of memory, see `sim.memory`."""

    def __init__(self, room: int = PATHS_BYTES, most: int = PATHS_MOST) -> None:
        self.room = room
        self.most = most
        self.taken = 0
        self._kept: dict[int, tuple[AskRecord, int]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, record: AskRecord) -> None:
        """Add an ask that has closed, perhaps again. Removes the oldest paths if there are too many."""
        kept = self._kept
        if record.id in kept:
            self.taken -= kept.pop(record.id)[1]
        size = record.path_bytes
        if size >= PATH_PACKED:
            record.pack_path()
        kept[record.id] = (record, size)
        self.taken += size
        while (self.taken > self.room or len(kept) > self.most) and len(kept) > 1:
            oldest, size = kept.pop(next(iter(kept)))
            self.taken -= size
            if oldest.closed_us is not None:
                oldest.forget_path()


QUESTION, ANSWER = 0, 1
TRANSFER = PARTS.index("transfer")
QUESTIONS = 1 << QUESTION
"""`AskRecord.reached_by` of most goals."""
NO_COSTS = [0] * len(PARTS)
REMARKS_MOST = 16
"""Keys of the remarks of one ask, and values of each, at most."""


def parts_of(goal: Goal) -> int:
    """The parts of `Goal.reached_by` as bits."""
    return _bits_of(frozenset(goal.reached_by))


@lru_cache(64)
def _bits_of(parts: frozenset[str]) -> int:
    return sum(1 << PARTS.index(part) for part in parts)


class AskRecord:
    """The record of one ask. `pending`: number of messages and timers of it that are under way, plus the number of
    peers that keep it open."""

    __slots__ = (
        "_answers",
        "_lost",
        "_questions",
        "alive",
        "by",
        "by_part",
        "bytes",
        "closed_us",
        "decoys",
        "deepest",
        "done",
        "duplicates",
        "fetched",
        "firsts",
        "goal",
        "hits",
        "id",
        "issued_us",
        "losses",
        "named_by",
        "of",
        "origin",
        "outcome",
        "pending",
        "reached",
        "reached_by",
        "referred",
        "remarks",
        "setback",
        "share",
        "sought",
        "spread_us",
        "stale",
        "success_us",
        "text",
        "verdict",
        "wants_file",
    )

    def __init__(self, ask: AskId, origin: PeerId, text: str, goal: Goal, by: str, now_us: int, alive: int = 0) -> None:
        """alive: peers that lived when it was issued, the origin left out."""
        self.id = ask
        self.origin = origin
        self.text = text
        self.goal = goal.name
        self.sought: Sought = goal.sought
        self.success_us = round(goal.success_s * 1e6)
        self.wants_file = goal.fetched
        self.reached_by = parts_of(goal)
        """The parts whose arrival counts as reaching a peer, as bits."""
        self.by = by
        self.alive = alive
        self.issued_us = now_us
        self.closed_us: int | None = None
        self.pending = 0
        self.by_part = [*NO_COSTS]
        self.bytes = 0.0
        self.duplicates = 0
        self.losses: dict[str, int] = NONE
        self.hits: dict[PeerId, int] = NONE
        """Holders that were found, and when, in us."""
        self.stale: dict[PeerId, None] = NONE
        """Of these, those that were dead or had left when they were found."""
        self.named_by: dict[PeerId, tuple[PeerId, ...]] = NONE
        """Which peers named a holder, where it was not only the holder itself."""
        self.done = 0.0
        self.of = 0.0
        self.referred = False
        """Whether anything was sent `via` a peer: the hop of what arrives is then one more than that of the peer that
        it came from, or was referred by."""
        self.decoys: dict[PeerId, int] = NONE
        """Holders that served a decoy, and when the user opened it, in us."""
        self.fetched: dict[PeerId, int] = NONE
        """Holders that served the wanted file, and when it was complete, in us."""
        self.reached = 0
        self.deepest = 0
        self.verdict = ""
        self.outcome = ""
        """The verdict in a word or two, see `AskRow`."""
        self.setback = ""
        """Why the file that was found was not fetched, in words of the protocol."""
        self.remarks: dict[str, tuple[str, ...]] = NONE
        """Key -> values, in alphabetical order."""
        self.share: float | None = None
        """Of a closed ask with an audience: the share of the audience that it reached in time, 0 to 1."""
        self.spread_us: tuple[int | None, ...] = ()
        """Of a closed ask with an audience: see `AskRow`."""
        self.firsts: FirstArrivals | None = None
        """None before the first question, and once the path is forgotten."""
        self._questions: Deliveries | None = None
        self._answers: Deliveries | None = None
        self._lost: Drops | None = None

    @property
    def _rows_most(self) -> int:
        return ROWS_BACKGROUND if self.by in ("background", "network") else ROWS_MOST

    @property
    def questions(self) -> Deliveries:
        """Deliveries whose part counts as reaching a peer, see `reached_by`."""
        if self._questions is None:
            self._questions = Deliveries(self._rows_most)
        return self._questions

    @property
    def answers(self) -> Deliveries:
        if self._answers is None:
            self._answers = Deliveries(self._rows_most)
        return self._answers

    @property
    def lost(self) -> Drops:
        if self._lost is None:
            self._lost = Drops()
        return self._lost

    def reach(self, n: int, frm: I64, to: I64, hop: I64, at_us: I64) -> None:
        """Add delivered questions of this ask, in order of arrival: columns (k,). n: peers of the swarm."""
        if self.firsts is None:
            self.firsts = FirstArrivals(self.origin, self.issued_us)
        new, depth = self.firsts.add_all(n, frm, to, hop, at_us)
        self.reached += new
        self.deepest = max(self.deepest, depth)

    def arrived(
        self, part: int, n: int, frm: PeerId, to: PeerId, hop: int, sent_us: int, at_us: int, via: PeerId = -1
    ) -> None:
        """Add one delivered message, as `reach` and `Deliveries.add` add many. via: the peer that referred its sender
        to its receiver, -1 for none."""
        if not self.reached_by >> part & 1:
            if part == ANSWER:
                self.answers.append((frm, to, sent_us, at_us, 0))
            return
        row = (frm, to, sent_us, at_us, hop)
        self.questions.append(row)
        if self.firsts is None:
            self.firsts = FirstArrivals(self.origin, self.issued_us)
        # `FirstArrivals.add` is inlined for the usual case that few peers are reached.
        firsts = self.firsts
        few = firsts.by_peer
        if via >= 0 or self.referred:
            self.referred = True
            if via >= 0 and via != to and firsts.hop(via) >= 0:
                frm = via
            if (before := firsts.hop(frm)) >= 0:
                hop = before + 1
            row = (frm, to, sent_us, at_us, hop)
        if few is not None and len(few) < FEW_REACHED:
            if to in few:
                firsts.repeat(to)
                return
            few[to] = row
        elif not firsts.add(n, frm, to, hop, at_us):
            return
        self.reached += 1
        if hop > self.deepest:
            self.deepest = hop

    def hop_of(self, peer: PeerId) -> int:
        """The depth at which a question of this ask reached a peer, -1 where none did."""
        return -1 if self.firsts is None else self.firsts.hop(peer)

    def heard(self, peer: PeerId) -> bool:
        """Whether a question of this ask reached a peer."""
        return self.firsts is not None and self.firsts.heard(peer)

    def unheard(self, peers: Sequence[PeerId]) -> list[PeerId]:
        """Those of some peers that no question of this ask reached."""
        firsts = self.firsts
        if firsts is None:
            return list(peers)
        if firsts.by_peer is not None:
            return [peer for peer in peers if peer not in firsts.by_peer]
        return [peer for peer in peers if not firsts.heard(peer)]

    def heard_by(self, peers: PeerSet, within_us: int | None = None) -> int:
        """How many of these but the origin a question reached, within a time if that is given. Without a path, at most
        as many as it reached in all."""
        itself = self.origin in peers
        if self.firsts is None:
            return min(self.reached, peers.count - itself)
        return self.firsts.among(peers, None if within_us is None else self.issued_us + within_us) - itself

    def spread_over(self, peers: PeerSet) -> tuple[int | None, ...]:
        """The times in us from issue until questions had reached the shares `SPREAD` of these peers, the origin left
        out; None for a share that was not reached. Empty without a path, and where there are no other peers."""
        others = peers.count - (self.origin in peers)
        if self.firsts is None or not others:
            return ()
        at_us = self.firsts.times(peers, self.origin)
        wanted = [-(-percent * others // 100) for percent in SPREAD]
        return tuple([at_us[count - 1] - self.issued_us if count <= len(at_us) else None for count in wanted])

    def take_back(self, frm: int, to: int, sent_us: int, reason: str) -> None:
        """A message that counted as lost is delivered after all."""
        self.losses[reason] -= 1
        if not self.losses[reason]:
            del self.losses[reason]
        self.lost.take_back(frm, to, sent_us, reason)

    def forget_path(self) -> None:
        """Remove the path; all other values stay."""
        self.firsts = self._questions = self._answers = self._lost = None

    def packed(self) -> tuple[Any, ...]:
        """All values but the path, as a tuple."""
        values: tuple[Any, ...] = VALUES_OF(self)
        return values

    @staticmethod
    def unpacked(values: tuple[Any, ...]) -> AskRecord:
        """A record of these values, without a path."""
        made = AskRecord.__new__(AskRecord)
        for name, value in zip(FIGURES, values, strict=True):
            setattr(made, name, value)
        made.forget_path()
        return made

    @property
    def path_version(self) -> int:
        """Increases with each row of the path."""
        lost = 0 if self._lost is None else self._lost.total + 2 * self._lost.taken_back
        return lost + sum(path.total for path in (self._questions, self._answers) if path is not None)

    @property
    def path_bytes(self) -> int:
        """Memory of the path once the ask has closed: 20 bytes for each peer of the swarm or 24 for each that was
        reached, and the rows."""
        size = 0 if self.firsts is None else self.firsts.bytes
        if self._questions is not None:
            size += self._questions.bytes
        if self._answers is not None:
            size += self._answers.bytes
        if self._lost is not None and self._lost.total:
            size += self._lost.bytes
        return size

    def pack_path(self) -> None:
        """Move the path of a closed ask into one block of memory, without unused rows. `path_bytes` does not
        change."""
        firsts = self.firsts
        if firsts is None:
            return
        lost = self.lost.view()
        losses = (lost.frm, lost.to, lost.sent_us, lost.at_us, lost.reason)
        rows = (*self.questions.columns(), *self.answers.columns())
        made = set_apart([*rows, *losses, *firsts.packed()])
        self.questions.replace(made[0], made[1])
        self.answers.replace(made[2], made[3])
        self.lost.replace(made[4], made[5], made[6], made[7], made[8])
        firsts.replace(made[9:])

    def drop_hit_times(self) -> None:
        """Replace the times of all hits by that of the first, the only one that is read: the others would be half of a
        compressed record."""
        if self.hits:
            first = self.first_hit_us()
            self.hits = dict.fromkeys(self.hits, min(self.hits.values()) if first is None else first + self.issued_us)

    def hit(self, holder: PeerId, by: PeerId, living: bool, now_us: int) -> bool:
        """`by` has named a holder. living: whether the holder is alive now. Returns whether the holder is new, or was
        named before but is alive for the first time."""
        new = holder not in self.hits
        before = () if new else self.named_by.get(holder, (holder,))
        if by not in before and (before or by != holder):
            self.named_by = _with(self.named_by, holder, (*before, by))
        if new and not living:
            self.stale = _with(self.stale, holder, None)
        if not new and not (living and holder in self.stale):
            return False
        if living:
            self.stale.pop(holder, None)
        self.hits = _with(self.hits, holder, now_us)
        return True

    def file_opened(self, holder: PeerId, decoy: bool, now_us: int) -> None:
        """The user has opened what a holder served: a decoy, or the wanted file."""
        if decoy:
            self.decoys = _with(self.decoys, holder, self.decoys.get(holder, now_us))
        else:
            self.fetched = _with(self.fetched, holder, self.fetched.get(holder, now_us))

    def unhit(self, holder: PeerId) -> bool:
        """A hit is taken back. Returns whether there was one."""
        self.stale.pop(holder, None)
        self.named_by.pop(holder, None)
        return self.hits.pop(holder, None) is not None

    def lose(self, reason: str, count: int = 1) -> None:
        """Count messages that never arrived."""
        self.losses = _with(self.losses, reason, self.losses.get(reason, 0) + count)

    def remark(self, key: str, value: str) -> None:
        """Keep a remark, see `Host.remark`: at most `REMARKS_MOST` keys, and as many values of each."""
        values = self.remarks.get(key, ())
        if value not in values and len(values) < REMARKS_MOST and (values or len(self.remarks) < REMARKS_MOST):
            self.remarks = {**self.remarks, key: tuple(sorted((*values, value)))}

    def answerers(self) -> tuple[PeerId, ...]:
        """Who named holders, each once, in the order in which they did."""
        by = self.named_by
        return tuple(dict.fromkeys(one for holder in self.hits for one in by.get(holder, (holder,))))

    def first_hit_us(self) -> int | None:
        """Virtual time in us from issue to the first hit whose holder was alive then, or None."""
        hits, stale = self.hits, self.stale
        if not hits:
            return None
        times = [hits[holder] for holder in hits if holder not in stale] if stale else hits.values()
        first = min(times, default=None)
        return None if first is None else first - self.issued_us

    def success_after_us(self) -> int | None:
        """Virtual time in us from issue to what makes it a success: the first such hit, or the end of the first
        download where that is what its goal wants (`Goal.fetched`). None without."""
        if not self.wants_file:
            return self.first_hit_us()
        first = min(self.fetched.values(), default=None)
        return None if first is None else first - self.issued_us

    def row(self) -> AskRow:
        return AskRow(
            id=self.id,
            origin=self.origin,
            text=self.text,
            goal=self.goal,
            sought=self.sought,
            by=self.by,
            issued_us=self.issued_us,
            closed_us=self.closed_us,
            reached=self.reached,
            alive=self.alive,
            messages=self.by_part[QUESTION],
            bytes=round(self.bytes),
            duplicates=self.duplicates,
            hits=len(self.hits),
            first_hit_us=self.first_hit_us(),
            hops=self.deepest,
            losses=dict(self.losses),
            verdict=self.verdict,
            decoys=len(self.decoys),
            fetched=len(self.fetched),
            outcome=self.outcome,
            answerers=len(self.answerers()) if self.named_by else len(self.hits),
            done=self.done,
            of=self.of,
            stale=len(self.stale),
            remarks=self.remarks,
            transfers=self.by_part[TRANSFER],
            spread_us=self.spread_us,
        )

    def trace(self, n: int) -> Trace | None:
        """Its path in a swarm of `n` peers. None if it has closed without a message and without a hit, or if its path
        was removed."""
        firsts = self.firsts
        if firsts is None:
            # The asker itself may have had a record of a holder, so that no message was sent.
            alone = self.hits and not any(self.by_part)
            if not self.id or (self.closed_us is not None and not self.lost.total and not alone):
                return None
            firsts = FirstArrivals(self.origin, self.issued_us)
        frm, hop, at_us, repeats = firsts.columns(n)
        answers = self.answers.view()
        return Trace(
            ask=self.id,
            origin=self.origin,
            frm=frm,
            hop=hop,
            at_us=at_us,
            repeats=repeats,
            answers_frm=answers.frm,
            answers_to=answers.to,
            answers_at_us=answers.at_us,
            holders=tuple(self.hits),
            answerers=self.answerers(),
            answers_sent_us=answers.sent_us,
            questions=self.questions.view(),
            lost=self.lost.view(),
        )


PATH = ("firsts", "_questions", "_answers", "_lost")
"""Attributes that make up the path."""
FIGURES = tuple(name for name in AskRecord.__slots__ if name not in PATH)
VALUES_OF = attrgetter(*FIGURES)


def add_arrivals(
    rows: Iterable[tuple[int, Any, Envelope]],
    n: int,
    parts: Sequence[int],
    traced: int,
    reopen: Callable[[AskId], AskRecord],
) -> None:
    """Add what has arrived in a swarm of `n` peers to the records of its asks.

    rows: time in us, receiver or receivers, and envelope, in order of arrival; parts: the part of each kind by its
    number; traced: parts that are kept in paths, as bits; reopen: the record of an ask, to write to.
    """
    for at_us, to, envelope in rows:
        frm, _, cause, sent_us, record, header = envelope
        if not cause:
            continue
        part = parts[header >> KIND_SHIFT & KIND_MASK]
        if cause.__class__ is not int or to.__class__ is not int:
            if traced >> part & 1:
                for one in cause if cause.__class__ is tuple else (cause,):
                    record = reopen(one >> HOP_BITS)
                    via = one.via if one.__class__ is Via else -1
                    for peer in to if to.__class__ is tuple else (to,):
                        record.arrived(part, n, frm, peer, one & HOP_MASK, sent_us, at_us, via)
            continue
        # One ask and one receiver. The record was open at this delivery, and records are completed whenever an ask
        # closes, so it is not archived. `AskRecord.arrived` is inlined for asks that have reached few peers.
        if record.reached_by >> part & 1:
            path, firsts = record._questions, record.firsts
            if (
                path is None
                or firsts is None
                or record.referred
                or len(path.rows) >= path.room_for_rows
                or (few := firsts.by_peer) is None
                or len(few) >= FEW_REACHED
            ):
                record.arrived(part, n, frm, to, cause & HOP_MASK, sent_us, at_us)
                continue
            hop = cause & HOP_MASK
            row = (frm, to, sent_us, at_us, hop)
            path.rows.append(row)
            if to in few:
                firsts.repeat(to)
            else:
                few[to] = row
                record.reached += 1
                if hop > record.deepest:
                    record.deepest = hop
        elif part == ANSWER:
            path = record._answers
            if path is None or len(path.rows) >= path.room_for_rows:
                record.arrived(part, n, frm, to, 0, sent_us, at_us)
            else:
                path.rows.append((frm, to, sent_us, at_us, 0))


class JointRecord:
    """Represents several records while one message that descends from all of them is under way.

    The sender has divided the message's cost among them; what becomes known on arrival (a duplicate, a loss) is added
    to each record when the last copy has arrived.
    """

    __slots__ = ("by_part", "bytes", "duplicates", "losses", "pending", "records")

    def __init__(self, records: Sequence[AskRecord]) -> None:
        self.records = tuple(records)
        self.pending = 0
        self.by_part = [*NO_COSTS]
        self.bytes = 0.0
        self.duplicates = 0
        self.losses: dict[str, int] = {}
        for record in records:
            record.pending += 1

    def lose(self, reason: str, count: int = 1) -> None:
        """Count messages that never arrived."""
        self.losses[reason] = self.losses.get(reason, 0) + count


class NullRecord(AskRecord):
    """The record of messages that no ask caused. It never closes, and counts no messages."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(0, -1, "", FIND, "", 0)
        # Never 0, and a small integer: it changes with each message.
        self.pending = 1 << 29


def record_drop(
    record: AskRecord | JointRecord, frm: PeerId, to: PeerId, sent_us: int, at_us: int, reason: str
) -> None:
    """A message of these asks never arrived: keep where it was lost. What no ask caused is not kept."""
    for each in record.records if isinstance(record, JointRecord) else (record,):
        if each.id:
            each.lost.add(frm, to, sent_us, at_us, reason)
