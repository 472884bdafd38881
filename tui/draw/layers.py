"""Layers of a picture: which cells one draws in, one laid on another, and dots left out.

A cell is two dots wide in every alphabet, so two dots side by side are read and moved as one number of two bytes, and
all lines of a cell are joined by one operation along whole rows: a twentieth of the time of looking at each dot of each
cell, and a picture has three layers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .raster import Canvas

Flags: TypeAlias = NDArray[np.bool_]


def pairs(canvas: Canvas) -> NDArray[np.uint16]:
    """The dots by cell, (H, lines of a cell, W): 0 where neither of two is set. A view: what is written is drawn."""
    return canvas.dots.view(np.uint16).reshape(canvas.height, canvas.down, canvas.width)


def dotted(canvas: Canvas) -> Flags:
    """Which cells have a dot (H, W)."""
    found: Flags = np.bitwise_or.reduce(pairs(canvas), axis=1) != 0
    return found


def lay(canvas: Canvas, layer: Canvas) -> None:
    """Put a layer on top: in each cell that it draws in, its dots stand instead of those below.

    A cell has one ink. Were dots joined, a bright line over a dozen faint ones would light up all of theirs.
    """
    drawn = dotted(layer)
    if drawn.any():
        np.copyto(pairs(canvas), pairs(layer), where=drawn[:, None, :])
        np.copyto(canvas.ink, layer.ink, where=drawn)
        # A glyph hides dots: what lay below makes room.
        canvas.glyph[drawn] = 0
    stamped = layer.glyph != 0
    if stamped.any():
        np.copyto(canvas.glyph, layer.glyph, where=stamped)
        np.copyto(canvas.ink, layer.ink, where=stamped)


def sift(canvas: Canvas, slope: int, every: int) -> None:
    """Leave every so manieth dot of a line, on diagonals of that slope: a hundred whole lines would make one carpet."""
    canvas.dots &= _sieve(canvas.dots_w, canvas.dots_h, slope, every)


@lru_cache(maxsize=16)
def _sieve(wide: int, high: int, slope: int, every: int) -> Flags:
    kept: Flags = (np.arange(wide)[None, :] + slope * np.arange(high)[:, None]) % every == 0
    return kept
