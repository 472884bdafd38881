"""Places for words on the picture, so that each reads as belonging to its own peer.

A word stands beside the mark of its peer, or outside of the ring around it, where no mark of another peer follows it at
its other end; where there is no such room it may stand elsewhere, with a line to its peer. No word covers a mark, or
another word. Places depend on where peers are, and not on messages under way, so that words stay where they are.
"""

from __future__ import annotations

import math

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

    def led(
        self,
        col: int,
        row: int,
        text: str,
        ink: int,
        owner: int,
        *,
        ringed: bool,
        far: float = FAR,
        everywhere: bool = False,
    ) -> bool:
        """Write a word at the nearest free place, with a line to its mark. False if none is free within `far` columns.

        everywhere: search all of the canvas at once, and not the surroundings of the mark first.
        """
        wide, long = self._canvas.width, len(text)
        if not 0 <= row < self._canvas.height or not 0 <= col < wide or wide < long or not self._height:
            return False
        # Only an area around the mark is searched, since most words find a place there.
        reach = wide + 2 * self._height if everywhere else int(FAR)
        left, right = max(col - reach - long, 0), min(col + reach + long + 1, wide)
        top, bottom = max(row - reach // 2, 0), min(row + reach // 2 + 1, self._height)
        if top >= bottom or right - left < long:
            return False
        # A free cell at both ends keeps it apart from its neighbours; at the edge there is none.
        taken = np.zeros((bottom - top, right - left + 3), np.int16)
        taken[:, 2:-1] = self._taken[top:bottom, left:right]
        taken[:, 1] = self._taken[top:bottom, left - 1] if left else 0
        taken[:, -1] = self._taken[top:bottom, right] if right < wide else 0
        sums = np.cumsum(taken, axis=1, dtype=np.int16)
        free = sums[:, long + 2 :] == sums[:, : -long - 2]
        starts = np.arange(left, left + free.shape[1])
        aside = np.maximum(np.maximum(starts - col, col - starts - long + 1), 0)
        down = np.abs(np.arange(top, bottom) - row) * 2
        away = (aside * aside)[None, :] + (down * down)[:, None]
        least = RING_CELLS if ringed else 2
        away[~free | (away < least * least)] = NOWHERE
        best = int(away.argmin())
        line, start = divmod(best, away.shape[1])
        if away[line, start] > min(far * far, NOWHERE - 1):
            wider = far > FAR and not everywhere
            return wider and self.led(col, row, text, ink, owner, ringed=ringed, far=far, everywhere=True)
        line, start = line + top, start + left
        self._lead(col, row, line, start, long, ink, ringed)
        self._write(start, line, text, ink, owner)
        return True

    def _lead(self, col: int, row: int, line: int, start: int, long: int, ink: int, ringed: bool) -> None:
        """The line from a mark, or from the ring around it, to the nearer end of a word. It passes below all marks."""
        canvas = self._canvas
        layer = Canvas(canvas.width, canvas.height, canvas.mode)
        to_col = min(max(col, start - 1), start + long) if line == row else min(max(col, start), start + long - 1)
        x0, y0 = (col + 0.5) * canvas.across, (row + 0.5) * canvas.down
        x1, y1 = (to_col + 0.5) * canvas.across, (line + 0.5) * canvas.down
        dx, dy = x1 - x0, y1 - y0
        # The ring is an ellipse of 2.2 columns and 1.1 rows.
        reach = math.hypot(dx / (2.2 * canvas.across), dy / (1.1 * canvas.down))
        share = min(1.0 / reach, 1.0) if ringed and reach else 0.0
        raster.lines(layer, [x0 + dx * share], [y0 + dy * share], [x1], [y1], ink)
        bare = raster.dotted(layer) & (canvas.glyph == 0)
        np.copyto(raster.pairs(canvas), raster.pairs(layer), where=bare[:, None, :])
        np.copyto(canvas.ink, layer.ink, where=bare)

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
