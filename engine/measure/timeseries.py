"""Time series of bounded memory: the last ten minutes to the second, and coarser means for as long as a run may last.

Three rings of 600 rows, of one, ten and a hundred samples each: ten minutes, an hour and forty minutes, and sixteen
hours, in some 400 KB for thirty columns, whatever the swarm's size. Rows that leave the first ring have been averaged
into the second before; those that leave the last are forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .snapshot import Series

ROWS = 600
TEN = 10
"""Rows of a ring that make one of the next."""

F64 = NDArray[np.float64]


class Ring:
    """The last `ROWS` rows; the first column is the time in s. `pending`: rows still to be averaged."""

    def __init__(self, columns: int) -> None:
        self._table = np.full((ROWS, columns), np.nan)
        self._added = 0
        self.pending: list[F64] = []

    def add(self, row: F64) -> None:
        """One more; the oldest may go."""
        self._table[self._added % ROWS] = row
        self._added += 1

    def rows(self) -> F64:
        """A copy, the oldest first, (at most ROWS, columns)."""
        if self._added <= ROWS:
            return self._table[: self._added].copy()
        return np.roll(self._table, -(self._added % ROWS), axis=0)


class TimeSeries:
    """Samples of named columns over time, one row at a time."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._rings = [Ring(len(self.names) + 1) for _ in range(3)]
        self._latest: Series | None = None

    def add(self, t_s: float, values: Sequence[float]) -> None:
        """One sample of each name, in their order; NaN for what could not be measured."""
        self._latest = None
        row = np.array((t_s, *values), np.float64)
        for ring in self._rings:
            ring.add(row)
            ring.pending.append(row)
            if len(ring.pending) < TEN:
                break
            table = np.array(ring.pending)
            ring.pending.clear()
            known = np.isfinite(table)
            count = known.sum(axis=0)
            total = np.where(known, table, 0.0).sum(axis=0)
            row = np.where(count > 0, total / np.maximum(count, 1), np.nan)
            row[0] = table[-1, 0]

    def latest(self) -> Series:
        """The last ten minutes: the same object until another sample comes."""
        if self._latest is None:
            self._latest = self._series(self._rings[0].rows())
        return self._latest

    def whole(self) -> Series:
        """All rows. One of a coarser ring is the mean of the ten or hundred samples up to its time."""
        table = self._rings[0].rows()
        for ring in self._rings[1:]:
            older = ring.rows()
            if len(older) and len(table) == 0:
                table = older
            elif len(older):
                table = np.concatenate([older[older[:, 0] < table[0, 0]], table])
        return self._series(table)

    def _series(self, table: F64) -> Series:
        return Series(t_s=table[:, 0], columns={name: table[:, i + 1] for i, name in enumerate(self.names)})
