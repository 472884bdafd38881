"""A partition, to be seen: the sides stand on grounds of their own, and what crosses between them is marked as lost.

A message between two sides is judged when it arrives, so it is drawn on its way like any other; but it will not
arrive, and on the last part of its way it carries the mark of the reason.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine import Snapshot

from .glyphs import Mode
from .layers import dotted
from .raster import SPACE, Canvas
from .styles import SIDE_BITS, SIDES

WALL: dict[Mode, str] = {"braille": "╫", "block": "╫", "ascii": "!"}
"""What dies at the border of a partition carries this."""
LAST = 0.6
"""From this share of its way on."""


def sides(snapshot: Snapshot) -> NDArray[np.uint8]:
    """The side of each peer, 0 to len(SIDES) - 1 (N,); all 0 when the network is whole."""
    group = snapshot.group
    if not len(group) or (group == group[0]).all():
        return np.zeros(len(group), np.uint8)
    _, side = np.unique(group, return_inverse=True)
    return np.minimum(side.ravel(), len(SIDES) - 1).astype(np.uint8)


def tint(canvas: Canvas, snapshot: Snapshot) -> None:
    """Lay the ground of each side under its peers and a cell to both sides of them, where nothing else stands."""
    side = sides(snapshot)
    if not side.any():
        return
    held = (canvas.owner >= 0) & (canvas.glyph != 0)
    of = np.where(held, side[canvas.owner], 0).astype(np.uint8)
    for to, frm in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
        ground = held[:, frm] & ~held[:, to]
        of[:, to] = np.where(ground, np.maximum(of[:, to], side[canvas.owner[:, frm]]), of[:, to])
    # An empty cell has no ink of its own, and would take that of its neighbour.
    empty = (of > 0) & (canvas.glyph == 0) & ~dotted(canvas)
    canvas.glyph[empty] = SPACE
    canvas.ink[empty] = 0
    canvas.ink |= of << SIDE_BITS


def doomed(snapshot: Snapshot, frm: NDArray[np.int32], to: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which messages cross between sides and will not arrive."""
    lost: NDArray[np.bool_] = snapshot.group[frm] != snapshot.group[to]
    return lost
