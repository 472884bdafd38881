"""Time series of bounded memory: as a run grows longer, its samples become means over longer spans.

There is one row a sample, up to `ROWS_MOST` rows. Then every two neighbouring rows become one, their mean, and from
then on a row is the mean of twice as many samples as before. So a series always reaches from its first sample to the
present, in some 1.2 MB for thirty columns, whatever the swarm's size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .snapshot import Series

ROWS_MOST = 5_000
ROWS_LEAST = 64
"""Rows for which there is room at first; the room is doubled as it is needed."""

F64 = NDArray[np.float64]


class TimeSeries:
    """Samples of named columns over time, one row at a time."""

    def __init__(self, names: Sequence[str], beside: TimeSeries | None = None) -> None:
        """beside: a series that gets its samples at the same times. This one begins with the rows of that one, in which
        nothing is measured."""
        self.names = list(names)
        self.rows = 0
        self.per_row = 1
        """Samples of which a row is the mean."""
        self._pending: list[F64] = []
        """Samples of the row that is not complete yet; none while each sample is a row."""
        width = len(self.names) + 1
        self._table = np.full((ROWS_LEAST, width), np.nan)
        if beside is not None:
            self.rows, self.per_row = beside.rows, beside.per_row
            self._table = np.full((len(beside._table), width), np.nan)
            self._table[: self.rows, 0] = beside._table[: self.rows, 0]
            self._pending = [np.array((row[0], *(np.nan for _ in self.names))) for row in beside._pending]
        self._latest: Series | None = None

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_table": self._table[: self.rows], "_latest": None}

    def add(self, t_s: float, values: Sequence[float]) -> None:
        """One sample of each name, in their order; NaN for what could not be measured."""
        self._latest = None
        self._pending.append(np.array((t_s, *values), np.float64))
        if len(self._pending) < self.per_row:
            return
        row = _mean(np.array(self._pending)) if self.per_row > 1 else self._pending[0]
        self._pending.clear()
        if self.rows == len(self._table):
            room = min(ROWS_MOST, max(ROWS_LEAST, 2 * self.rows)) - self.rows
            self._table = np.concatenate([self._table, np.full((room, self._table.shape[1]), np.nan)])
        self._table[self.rows] = row
        self.rows += 1
        if self.rows == ROWS_MOST:
            self._merge()

    def _merge(self) -> None:
        pairs = self._table[: self.rows].reshape(self.rows // 2, 2, -1)
        self.rows //= 2
        self.per_row *= 2
        self._table[: self.rows] = np.stack([_mean(pair) for pair in pairs])

    def add_column(self, name: str, zero_from_s: float = np.inf) -> None:
        """One more column: 0 in the rows after that time, and not measured before."""
        self._latest = None
        self.names.append(name)
        column = np.where(self._table[:, :1] > zero_from_s, 0.0, np.nan)
        self._table = np.concatenate([self._table, column], axis=1)
        self._pending = [np.append(row, 0.0 if row[0] > zero_from_s else np.nan) for row in self._pending]

    def take_over(self, other: TimeSeries, until_s: float) -> None:
        """Fill in, by name, what another copy of the same run has measured up to a time and this one has not."""
        self._latest = None
        theirs = other.series()
        times = self._table[: self.rows, 0]
        if not len(theirs.t_s) or not self.rows:
            return
        at = np.minimum(np.searchsorted(theirs.t_s, times), len(theirs.t_s) - 1)
        known = (times <= until_s) & (times <= theirs.t_s[-1])
        for place, name in enumerate(self.names, 1):
            if name in theirs.columns:
                mine = self._table[: self.rows, place]
                missing = known & np.isnan(mine)
                mine[missing] = theirs.columns[name][at][missing]

    def series(self) -> Series:
        """All rows, the last one perhaps of fewer samples: the same object until another sample comes."""
        if self._latest is None:
            table = self._table[: self.rows].copy()
            if self._pending:
                table = np.concatenate([table, _mean(np.array(self._pending))[None]])
            columns = {name: table[:, place] for place, name in enumerate(self.names, 1)}
            self._latest = Series(t_s=table[:, 0], columns=columns)
        return self._latest


def _mean(table: F64) -> F64:
    """The mean of what was measured in each column; the time is that of the last row."""
    known = np.isfinite(table)
    count = known.sum(axis=0)
    row: F64 = np.where(count > 0, np.where(known, table, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    row[0] = table[-1, 0]
    return row
