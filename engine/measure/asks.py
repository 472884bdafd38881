"""The record of each ask: what it cost, whom it reached, what it found. The same for every protocol.

What a sender counts (messages, bytes, pending) is written as it happens; what only a reader needs (who was reached
first by whom, at which hop) is read by columns from the log of deliveries, see `metrics.Metrics`.

The path of an ask is kept message by message: when each was sent and arrived, and where others were dropped. It has
three limits. Of one ask the first `ROWS_MOST` questions and answers each, and `LOSSES_MOST` losses, are kept; no
picture can show more, and the record counts all of them. Paths of closed asks share one cache
(`PathCache`) of `PATHS_BYTES`, with at most `PATHS_MOST` of them; the oldest are forgotten first. Most asks
of a busy run are background asks, which are seldom looked at one by one: a tenth of the rows is kept of these, which is
the whole ask in a swarm of 500 peers.

The sending time of a message is in its envelope and in no column of the log, and reading it there costs as much as
reading its sender. So it is read only for rows that are kept: in a flood of 180,000 messages, that is 20,000 times.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..api import AskId, PeerId, Want
from ..sim.memory import set_apart
from .snapshot import Arrivals, AskRow, Losses, Trace

ROWS_MOST = 20_000
"""Arrivals kept of one ask, of questions and of answers each."""
ROWS_BACKGROUND = ROWS_MOST // 10
"""The same for a background ask."""
LOSSES_MOST = 2_000
PATHS_BYTES = 24 << 20
"""Bytes of the paths of closed asks; the oldest are removed first."""
PATHS_MOST = 256
"""Most paths of closed asks: a table shows the last 200 asks, and no screen shows earlier ones."""
FIRST = 64

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]


class Deliveries:
    """Deliveries in order of arrival, at most `most`; `total` counts all.

    Arrays that `view` has returned are never written again: rows are only added after theirs.
    """

    __slots__ = ("_ends", "_times", "count", "most", "total")

    def __init__(self, most: int = ROWS_MOST) -> None:
        self.most = most
        self._ends = np.empty((2, 0), np.int32)
        self._times = np.empty((2, 0), np.int64)
        self.count = 0
        self.total = 0

    @property
    def room(self) -> int:
        """Number of rows that can be added."""
        return self.most - self.count

    @property
    def bytes(self) -> int:
        """Memory that it takes."""
        return int(self._ends.nbytes + self._times.nbytes)

    def add(self, frm: I64, to: I64, sent_us: I64, at_us: I64) -> None:
        """Add deliveries, columns (k,) with k <= `room`."""
        first, count = self.count, self.count + len(frm)
        if count > self._ends.shape[1]:
            size = min(self.most, max(FIRST, 2 * count))
            ends, times = np.empty((2, size), np.int32), np.empty((2, size), np.int64)
            ends[:, :first], times[:, :first] = self._ends[:, :first], self._times[:, :first]
            self._ends, self._times = ends, times
        self._ends[0, first:count], self._ends[1, first:count] = frm, to
        self._times[0, first:count], self._times[1, first:count] = sent_us, at_us
        self.count = count

    def view(self) -> Arrivals:
        ends, times = self.columns()
        return Arrivals(ends[0], ends[1], times[0], times[1], self.total)

    def columns(self) -> tuple[I32, I64]:
        """The rows without unused memory: (from, to) and (sent, arrived)."""
        return self._ends[:, : self.count], self._times[:, : self.count]

    def replace(self, ends: I32, times: I64) -> None:
        """Use these copies of `columns` from now on."""
        self._ends, self._times = ends, times

    def __getstate__(self) -> tuple[Any, ...]:
        return self.most, self.total, *(np.ascontiguousarray(column) for column in self.columns())

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.most, self.total, self._ends, self._times = state
        self.count = self._ends.shape[1]


class Drops:
    """Dropped messages of an ask, at most LOSSES_MOST. They become columns when they are read."""

    __slots__ = ("_kept", "_rows", "taken_back", "total")

    def __init__(self) -> None:
        self._kept = Losses()
        self._rows: list[tuple[int, int, int, int, str]] = []
        self.total = 0
        self.taken_back = 0

    @property
    def bytes(self) -> int:
        """Memory that it takes. A row that is not in columns yet takes ten times as much as one that is."""
        return 25 * len(self._kept.frm) + 250 * len(self._rows)

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
        self.taken -= self._kept.pop(record.id, (record, 0))[1]
        record.pack_path()
        size = record.path_bytes
        self._kept[record.id] = (record, size)
        self.taken += size
        while (self.taken > self.room or len(self._kept) > self.most) and len(self._kept) > 1:
            oldest, size = self._kept.pop(next(iter(self._kept)))
            self.taken -= size
            if oldest.closed_us is not None:
                oldest.forget_path()


QUESTION, ANSWER = 0, 1


class AskRecord:
    """The record of one ask. `pending`: number of messages and timers that descend from it and are under way."""

    __slots__ = (
        "answers",
        "at_us",
        "by",
        "by_part",
        "bytes",
        "closed_us",
        "decoys",
        "deepest",
        "duplicates",
        "fetched",
        "frm",
        "hits",
        "hop",
        "id",
        "issued_us",
        "losses",
        "lost",
        "origin",
        "pending",
        "questions",
        "reached",
        "repeats",
        "setback",
        "text",
        "verdict",
        "want",
    )

    def __init__(self, ask: AskId, origin: PeerId, text: str, want: Want, by: str, now_us: int) -> None:
        self.id = ask
        self.origin = origin
        self.text = text
        self.want = want
        self.by = by
        self.issued_us = now_us
        self.closed_us: int | None = None
        self.pending = 0
        self.by_part = [0, 0, 0, 0]
        self.bytes = 0.0
        self.duplicates = 0
        self.losses: dict[str, int] = {}
        self.hits: dict[PeerId, int] = {}
        self.decoys: dict[PeerId, int] = {}
        """Holders that served a decoy, and when the user opened it, in us."""
        self.fetched: dict[PeerId, int] = {}
        """Holders that served the wanted file, and when it was complete, in us."""
        self.reached = 0
        self.deepest = 0
        self.verdict = ""
        self.setback = ""
        """Why the file that was found was not fetched, in words of the protocol."""
        self.frm: NDArray[np.int32] | None = None
        self.hop: NDArray[np.int32] | None = None
        self.at_us: NDArray[np.int64] | None = None
        self.repeats: NDArray[np.int32] | None = None
        self.questions: Deliveries
        self.answers: Deliveries
        self.lost: Drops
        self.forget_path()

    def reach(
        self,
        n: int,
        frm: NDArray[np.int64],
        to: NDArray[np.int64],
        hop: NDArray[np.int64],
        at_us: NDArray[np.int64],
    ) -> None:
        """Add delivered questions of this ask, in order of arrival: columns (k,). n: peers of the swarm."""
        if self.hop is None:
            self._begin(n)
        elif len(self.hop) < n:
            self._grow(n)
        assert self.frm is not None
        assert self.hop is not None
        assert self.at_us is not None
        assert self.repeats is not None
        self.deepest = max(self.deepest, int(hop.max()))
        self.repeats += np.bincount(to, minlength=n).astype(np.int32)
        new = np.flatnonzero(self.hop[to] < 0)
        if not len(new):
            return
        # The first arrival at each peer: rows are written in reverse order, and the last one that is written stays.
        # Sorting them takes much longer (measured: a third of `Metrics.flush`).
        row = np.full(n, -1)
        row[to[new[::-1]]] = new[::-1]
        peers = np.flatnonzero(row >= 0)
        first = row[peers]
        self.hop[peers] = hop[first]
        self.frm[peers] = frm[first]
        self.at_us[peers] = at_us[first]
        self.repeats[peers] -= 1
        self.reached += len(peers)

    def _begin(self, n: int) -> None:
        """Make columns for `n` peers, of which the origin alone is reached."""
        self.frm = np.full(n, -1, np.int32)
        self.hop = np.full(n, -1, np.int32)
        self.at_us = np.full(n, -1, np.int64)
        self.repeats = np.zeros(n, np.int32)
        self.hop[self.origin] = 0
        self.at_us[self.origin] = self.issued_us

    def _grow(self, n: int) -> None:
        """Extend the columns to `n` peers, after newcomers have arrived."""
        assert self.frm is not None
        assert self.hop is not None
        assert self.at_us is not None
        assert self.repeats is not None
        more = n - len(self.hop)
        self.frm, self.hop, self.at_us = (
            np.concatenate([column, np.full(more, -1, column.dtype)]) for column in (self.frm, self.hop, self.at_us)
        )
        self.repeats = np.concatenate([self.repeats, np.zeros(more, np.int32)])

    def _begun(self, n: int) -> AskRecord:
        """A copy with columns, for an ask of which nothing has arrived yet."""
        made = copy(self)
        made._begin(n)
        return made

    def heard(self, peer: PeerId) -> bool:
        """Whether a question of this ask reached a peer."""
        return self.hop is not None and peer < len(self.hop) and bool(self.hop[peer] >= 0)

    def take_back(self, frm: int, to: int, sent_us: int, reason: str) -> None:
        """A message that counted as lost is delivered after all."""
        self.losses[reason] -= 1
        if not self.losses[reason]:
            del self.losses[reason]
        self.lost.take_back(frm, to, sent_us, reason)

    def forget_path(self) -> None:
        """Remove the path; all other values stay."""
        self.frm = self.hop = self.at_us = self.repeats = None
        most = ROWS_BACKGROUND if self.by == "background" else ROWS_MOST
        self.questions, self.answers, self.lost = Deliveries(most), Deliveries(most), Drops()

    def packed(self) -> tuple[Any, ...]:
        """All values but the path, as a tuple."""
        return tuple(getattr(self, name) for name in FIGURES)

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
        return self.questions.total + self.answers.total + self.lost.total + 2 * self.lost.taken_back

    @property
    def path_bytes(self) -> int:
        """Memory of the path: 20 bytes for each peer of the swarm, and the rows."""
        size = 0 if self.hop is None else 20 * len(self.hop)
        return size + self.questions.bytes + self.answers.bytes + self.lost.bytes

    def pack_path(self) -> None:
        """Move the path of a closed ask into one block of memory, without unused rows."""
        assert self.frm is not None
        assert self.hop is not None
        assert self.at_us is not None
        assert self.repeats is not None
        lost = self.lost.view()
        losses = (lost.frm, lost.to, lost.sent_us, lost.at_us, lost.reason)
        rows = (*self.questions.columns(), *self.answers.columns())
        made = set_apart([self.frm, self.hop, self.at_us, self.repeats, *rows, *losses])
        self.frm, self.hop, self.at_us, self.repeats = made[:4]
        self.questions.replace(made[4], made[5])
        self.answers.replace(made[6], made[7])
        self.lost.replace(made[8], made[9], made[10], made[11], made[12])

    def drop_hit_times(self) -> None:
        """Replace the times of all hits by that of the first, the only one that is read: the others would be half of a
        compressed record."""
        if self.hits:
            self.hits = dict.fromkeys(self.hits, min(self.hits.values()))

    def opened(self, holder: object, decoy: bool, now_us: int) -> None:
        """The user has opened the file that a holder served."""
        if isinstance(holder, int) and holder >= 0:
            (self.decoys if decoy else self.fetched).setdefault(holder, now_us)

    def first_hit_us(self) -> int | None:
        """Virtual time in us from issue to first hit, or None."""
        return min(self.hits.values()) - self.issued_us if self.hits else None

    def row(self) -> AskRow:
        return AskRow(
            id=self.id,
            origin=self.origin,
            text=self.text,
            want=self.want,
            by=self.by,
            issued_us=self.issued_us,
            closed_us=self.closed_us,
            reached=self.reached,
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
        )

    def trace(self, n: int) -> Trace | None:
        """Its path in a swarm of `n` peers. None if it has closed without a message, or if its path was removed."""
        if self.hop is not None and len(self.hop) < n:
            self._grow(n)
        if self.hop is None and self.id and (self.closed_us is None or self.lost.total):
            return self._begun(n).trace(n)
        if self.hop is None or self.frm is None or self.at_us is None or self.repeats is None:
            return None
        answers = self.answers.view()
        return Trace(
            ask=self.id,
            origin=self.origin,
            frm=self.frm.copy(),
            hop=self.hop.copy(),
            at_us=self.at_us.copy(),
            repeats=self.repeats.copy(),
            answers_frm=answers.frm,
            answers_to=answers.to,
            answers_at_us=answers.at_us,
            holders=tuple(self.hits),
            answers_sent_us=answers.sent_us,
            questions=self.questions.view(),
            lost=self.lost.view(),
        )


PATH = ("frm", "hop", "at_us", "repeats", "questions", "answers", "lost")
"""Attributes that make up the path."""
FIGURES = tuple(name for name in AskRecord.__slots__ if name not in PATH)


class JointRecord:
    """Represents several records while one message that descends from all of them is under way.

    The sender has divided the message's cost among them; what becomes known on arrival (a duplicate, a loss) is added
    to each record when the last copy has arrived.
    """

    __slots__ = ("by_part", "bytes", "duplicates", "losses", "pending", "records")

    def __init__(self, records: Sequence[AskRecord]) -> None:
        self.records = tuple(records)
        self.pending = 0
        self.by_part = [0, 0, 0, 0]
        self.bytes = 0.0
        self.duplicates = 0
        self.losses: dict[str, int] = {}
        for record in records:
            record.pending += 1


class NullRecord(AskRecord):
    """The record of messages that no ask caused. It never closes."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(0, -1, "", "find", "", 0)
        self.pending = 1 << 60


def record_drop(
    record: AskRecord | JointRecord, frm: PeerId, to: PeerId, sent_us: int, at_us: int, reason: str
) -> None:
    """A message of these asks never arrived: keep where it was lost. What no ask caused is not kept."""
    for each in record.records if isinstance(record, JointRecord) else (record,):
        if each.id:
            each.lost.add(frm, to, sent_us, at_us, reason)
