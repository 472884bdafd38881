"""Pictures of many peers: a heat map where cells hold several peers, dots where there is room for one dot a peer.

Both are drawn below messages, which matter most; peers that are few and important (a holder that answered, the asker, a
server) are drawn on top of everything with their own shapes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import raster
from .colours import Colouring
from .raster import Canvas, Floats
from .rounding import rounded
from .styles import HEAT, SHADES, STEPS

HOT = 2.5
"""Average number of peers in an occupied cell from which on a heat map is drawn."""


def draw(canvas: Canvas, x: Floats, y: Floats, ids: NDArray[np.intp], colours: Colouring) -> int:
    """Draw peers `ids` at x, y (N,) in dots. Returns the number of peers in the fullest cell of a heat map, 0 for a
    picture of dots."""
    col, row = raster.cells(canvas, x[ids], y[ids])
    size = canvas.width * canvas.height
    flat = row * canvas.width + col
    many = np.bincount(flat, minlength=size)
    where = np.flatnonzero(many)
    looks = _prevailing(flat, colours.of[ids], colours, size)[where]
    inks = colours.inks[looks]
    owner = np.full(size, -1, np.int64)
    # The pointer finds the peer of a cell that has the most important look; of several, the first.
    order = np.lexsort((-ids, colours.of[ids]))
    owner[flat[order]] = ids[order]
    if len(ids) < HOT * len(where):
        # A dot for each peer; a cell has the ink of the look that most of its peers have.
        raster.points(canvas, x[ids], y[ids], 0)
        inked = canvas.ink.reshape(-1)
        inked[where] = inks
        canvas.owner.reshape(-1)[where] = owner[where]
        return 0
    smooth = _smoothed(many.reshape(canvas.height, canvas.width))
    fullest = max(round(float(smooth.max(initial=1.0))), 1)
    share = rounded(np.sqrt(smooth.reshape(-1)[where] / max(float(smooth.max(initial=1.0)), 1.0)))
    shades = np.array([ord(ch) for ch in SHADES[canvas.mode]], np.uint32)
    codes = shades[np.clip(np.ceil(share * len(shades)).astype(np.int64) - 1, 0, len(shades) - 1)]
    if colours.by == "state":
        counted = np.array([look.counted for look in colours.looks])[looks]
        plain = np.array([look.name == "alive" for look in colours.looks])[looks]
        hot = np.asarray(HEAT, np.uint8)[np.clip((share * STEPS).astype(np.int64), 0, STEPS - 1)]
        inks = np.where(plain & counted, hot, inks).astype(np.uint8)
    raster.stamp(canvas, where % canvas.width, where // canvas.width, codes, inks, owner[where])
    return fullest


def _smoothed(many: NDArray[np.int64]) -> Floats:
    """Counts averaged with those of the cells beside, above and below, (H, W), for a smooth heat map."""
    wide = np.pad(many.astype(np.float64), 1)
    beside = wide[1:-1, :-2] + wide[1:-1, 2:]
    across = wide[:-2, 1:-1] + wide[2:, 1:-1]
    mean: Floats = (2.0 * wide[1:-1, 1:-1] + beside + 0.5 * across) / 5.0
    return mean


def _prevailing(flat: NDArray[np.int64], of: NDArray[np.uint8], colours: Colouring, size: int) -> NDArray[np.int64]:
    """The look of each cell (size,): what most of its peers have; on a gradient, their mean."""
    votes = np.zeros((len(colours.looks), size), np.int64)
    for look in range(len(colours.looks)):
        votes[look] = np.bincount(flat[of == look], minlength=size)
    winner: NDArray[np.int64] = votes.argmax(axis=0)
    steps = [number for number, look in enumerate(colours.looks) if look.name.startswith("heat-")]
    if steps:
        low, high = steps[0], steps[-1] + 1
        several = votes[low:high].sum(axis=0)
        mean = (votes[low:high] * np.arange(low, high)[:, None]).sum(axis=0) / np.maximum(several, 1)
        winner = np.where((winner >= low) & (winner < high), np.round(mean).astype(np.int64), winner)
    return winner


def kept(ids: NDArray[np.intp], colours: Colouring) -> NDArray[np.intp]:
    """Those of `ids` with looks that are always drawn, by rising importance."""
    table = np.zeros(len(colours.looks), np.bool_)
    table[list(colours.kept)] = True
    rare = ids[table[colours.of[ids]]]
    return rare[np.argsort(colours.of[rare], kind="stable")]


class Sharing:
    """Which peers are in which cell: one sort at the beginning, then constant time for each cell."""

    def __init__(self, col: NDArray[np.int64], row: NDArray[np.int64], width: int, height: int) -> None:
        inside = np.flatnonzero((col >= 0) & (col < width) & (row >= 0) & (row < height))
        flat = row[inside] * width + col[inside]
        order = np.argsort(flat, kind="stable")
        self._ids = inside[order]
        self._first = np.zeros(width * height + 1, np.int64)
        np.cumsum(np.bincount(flat, minlength=width * height), out=self._first[1:])
        self._width, self._height = width, height

    def at(self, col: int, row: int) -> NDArray[np.intp]:
        """The peers of a cell, by their ids."""
        if not (0 <= col < self._width and 0 <= row < self._height):
            return self._ids[:0]
        cell = row * self._width + col
        return self._ids[self._first[cell] : self._first[cell + 1]]
