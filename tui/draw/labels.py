"""Places for words on the picture, so that each reads as belonging to its own peer.

A word stands beside the mark of its peer, or outside of the ring around it, where no mark of another peer follows it at
its other end; where there is no such room it may stand elsewhere, with a line to its peer. No word covers a mark, or
another word. Places depend on where peers are, and not on messages under way, so that words stay where they are.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from . import raster
from .raster import Canvas

Flags = NDArray[np.bool_]

RING_CELLS = 3
"""From the mark of a peer to the first column outside of the ring around it."""
FAR = 16.0
"""The longest line to a word that is not about a selected peer, in columns."""
FARTHEST = 1e6
"""Any length."""
NOWHERE = 1 << 40
"""A distance that no place has, squared."""


class Labels:
    """The cells of a canvas that are taken: make it when all peers are drawn.

    head, foot: rows at the top and the bottom in which other text stands.
    """

    def __init__(self, canvas: Canvas, head: int = 0, foot: int = 0) -> None:
        self._canvas = canvas
        self._taken: Flags = canvas.owner >= 0
        self._height = max(canvas.height - foot, 0)
        self._taken[: min(head, self._height)] = True

    def beside(self, col: int, row: int, text: str, ink: int, owner: int, *, ringed: bool = False) -> bool:
        """Write a word to the right of a mark, or to the left of it. False if there is no room."""
        gap, long = RING_CELLS if ringed else 1, len(text)
        for start, first, end in (
            (col + gap, col + 1, col + gap + long + 1),
            (col - gap - long + 1, col - gap - long, col),
        ):
            if start >= 0 and start + long <= self._canvas.width and self._free(row, first, end):
                self._write(start, row, text, ink, owner)
                return True
        return False

    def near(self, col: int, row: int, text: str, ink: int, owner: int) -> bool:
        """Write a word in the row above a mark, or below, where no other mark is near. False if there is no room."""
        start = min(max(0, col - len(text) // 2), max(0, self._canvas.width - len(text)))
        for line in (row - 1, row + 1):
            if self._clear(line, start, text):
                self._write(start, line, text, ink, owner)
                return True
        return False

    def led(self, col: int, row: int, text: str, ink: int, owner: int, *, ringed: bool, far: float = FAR) -> bool:
        """Write a word at the nearest free place within `far` columns, with a line to its mark; False if none is."""
        wide, long = self._canvas.width, len(text)
        if not 0 <= row < self._canvas.height or not 0 <= col < wide or wide < long or not self._height:
            return False
        area = self._taken[: self._height]
        found = _nearest(area.tobytes(), wide, col, row, long, RING_CELLS if ringed else 2, far)
        if found is None:
            return False
        line, start = found
        self._lead(col, row, line, start, long, ink, ringed)
        self._write(start, line, text, ink, owner)
        return True

    def _lead(self, col: int, row: int, line: int, start: int, long: int, ink: int, ringed: bool) -> None:
        """The line from a mark, or from the ring around it, to the nearer end of a word. It passes below all marks."""
        canvas = self._canvas
        to_col = min(max(col, start - 1), start + long) if line == row else min(max(col, start), start + long - 1)
        x0, y0 = (col + 0.5) * canvas.across, (row + 0.5) * canvas.down
        x1, y1 = (to_col + 0.5) * canvas.across, (line + 0.5) * canvas.down
        dx, dy = x1 - x0, y1 - y0
        # The ring is an ellipse of 2.2 columns and 1.1 rows.
        reach = math.hypot(dx / (2.2 * canvas.across), dy / (1.1 * canvas.down))
        first = min(1.0 / reach, 1.0) if ringed and reach else 0.0
        share = np.linspace(first, 1.0, int(max(abs(dx), abs(dy))) + 2)
        x = np.clip(np.floor(x0 + dx * share), 0, canvas.dots_w - 1).astype(np.int64)
        y = np.clip(np.floor(y0 + dy * share), 0, canvas.dots_h - 1).astype(np.int64)
        cell = y // canvas.down, x // canvas.across
        bare = canvas.glyph[cell] == 0
        rows, cols = cell[0][bare], cell[1][bare]
        raster.pairs(canvas)[rows, :, cols] = 0
        canvas.dots[y[bare], x[bare]] = True
        canvas.ink[rows, cols] = ink

    def _clear(self, row: int, start: int, text: str) -> bool:
        """Whether a word may stand there: it is inside, and no mark and no word is in it or beside it."""
        end = start + len(text)
        return start >= 0 and end <= self._canvas.width and self._free(row, start - 1, end + 1)

    def _free(self, row: int, first: int, end: int) -> bool:
        """Whether no cell from `first` to before `end` is taken."""
        return 0 <= row < self._height and not self._taken[row, max(first, 0) : max(end, 0)].any()

    def _write(self, start: int, row: int, text: str, ink: int, owner: int) -> None:
        raster.text(self._canvas, start, row, text, ink, owner)
        self._taken[row, max(start, 0) : start + len(text)] = True


@lru_cache(maxsize=64)
def _nearest(taken: bytes, wide: int, col: int, row: int, long: int, least: int, far: float) -> tuple[int, int] | None:
    """Row and column of the nearest free place for a word of `long` cells, between `least` and `far` columns away.

    It is the same as long as no peer moves, so it is kept. taken: a flag for each cell, `wide` in a row."""
    cells = np.frombuffer(taken, np.bool_).reshape(-1, wide)
    # A free cell at both ends keeps a word apart from its neighbours; at the edge there is none.
    padded = np.zeros((len(cells), wide + 3), np.int32)
    padded[:, 2:-1] = cells
    sums = np.cumsum(padded, axis=1)
    free = sums[:, long + 2 :] == sums[:, : -long - 2]
    starts = np.arange(free.shape[1])
    aside = np.maximum(np.maximum(starts - col, col - starts - long + 1), 0)
    down = np.abs(np.arange(len(cells)) - row) * 2
    away = (aside * aside)[None, :] + (down * down)[:, None]
    away[~free | (away < least * least)] = NOWHERE
    line, start = divmod(int(away.argmin()), away.shape[1])
    return (line, start) if away[line, start] <= min(far * far, NOWHERE - 1) else None
