"""What is kept of the way of an ask, message by message: when each was sent and when it arrived, and where others died.

Bounded three times. Of one ask the first `ROWS_MOST` questions and as many answers are kept, and `LOSSES_MOST` losses:
a picture of more lines than that is a black page, and the counts of all of them are in the account anyway. The paths
of asks that are closed share one room (`Shelf`), and there are so many of them at most; the oldest are forgotten first.

When a message was sent stands in its parcel and in no column of the books, and reading it there costs as much as
reading its sender does. So it is read only for rows that are kept: a flood of 180,000 messages pays for 20,000. Asks
that peers issue by themselves are seldom looked at one by one, and a busy run is made of them: of these a tenth is
kept, which is all there is to one among 500 peers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .snapshot import Arrivals, Losses

if TYPE_CHECKING:
    from .asks import Account

ROWS_MOST = 20_000
"""Arrivals kept of one ask, of questions and of answers each."""
ROWS_BACKGROUND = ROWS_MOST // 10
"""And of one that nobody but the dice issued."""
LOSSES_MOST = 2_000
PATHS_BYTES = 24 << 20
"""Room for the paths of closed asks; the oldest are forgotten first."""
PATHS_MOST = 256
"""And how many there are at most: a table of asks shows the last 200, and nobody gets at those before."""
FIRST = 64

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]


class Rows:
    """Arrivals in the order they were posted, at most `most`. `total` counts those beyond as well.

    What was handed out by `view` is never written again: rows are only added behind it.
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
        """How many more are kept."""
        return self.most - self.count

    @property
    def bytes(self) -> int:
        """What it takes."""
        return int(self._ends.nbytes + self._times.nbytes)

    def add(self, frm: I64, to: I64, sent_us: I64, at_us: I64) -> None:
        """Rows (k,), no more than there is room for."""
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
        """The columns as they are now."""
        ends, times = self.columns()
        return Arrivals(ends[0], ends[1], times[0], times[1], self.total)

    def columns(self) -> tuple[I32, I64]:
        """What there is, without the room for more."""
        return self._ends[:, : self.count], self._times[:, : self.count]

    def settle(self, ends: I32, times: I64) -> None:
        """Stand in these copies of `columns` from now on."""
        self._ends, self._times = ends, times

    def __getstate__(self) -> tuple[Any, ...]:
        return self.most, self.total, *(np.ascontiguousarray(column) for column in self.columns())

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.most, self.total, self._ends, self._times = state
        self.count = self._ends.shape[1]


class Lost:
    """Messages of an ask that died, at most LOSSES_MOST. What nobody has looked at yet stands in rows."""

    __slots__ = ("_kept", "_rows", "total")

    def __init__(self) -> None:
        self._kept = Losses()
        self._rows: list[tuple[int, int, int, int, str]] = []
        self.total = 0

    @property
    def bytes(self) -> int:
        """What it takes; a row that is no column yet, ten times what it will."""
        return 25 * len(self._kept.frm) + 250 * len(self._rows)

    def add(self, frm: int, to: int, sent_us: int, at_us: int, reason: str) -> None:
        """One more."""
        self.total += 1
        if len(self._rows) + len(self._kept.frm) < LOSSES_MOST:
            self._rows.append((frm, to, sent_us, at_us, reason))

    def view(self) -> Losses:
        """As columns; made anew only when there are more."""
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

    def settle(self, frm: I32, to: I32, sent_us: I64, at_us: I64, reason: NDArray[np.uint8]) -> None:
        """Stand in these copies of the columns of `view` from now on."""
        self._kept = Losses(frm, to, sent_us, at_us, reason, self._kept.reasons, self.total)

    def __getstate__(self) -> Losses:
        return self.view()

    def __setstate__(self, state: Losses) -> None:
        self._kept, self._rows, self.total = state, [], state.total


class Shelf:
    """Closed asks whose path is kept, the one that closed first in front. Each stands in a block of its own."""

    def __init__(self, room: int = PATHS_BYTES, most: int = PATHS_MOST) -> None:
        self.room = room
        self.most = most
        self.taken = 0
        self._kept: dict[int, tuple[Account, int]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, account: Account) -> None:
        """An ask closed (again); who makes room for it forgets its path."""
        self.taken -= self._kept.pop(account.id, (account, 0))[1]
        account.settle_path()
        size = account.path_bytes
        self._kept[account.id] = (account, size)
        self.taken += size
        while (self.taken > self.room or len(self._kept) > self.most) and len(self._kept) > 1:
            oldest, size = self._kept.pop(next(iter(self._kept)))
            self.taken -= size
            if oldest.closed_us is not None:
                oldest.forget_path()
