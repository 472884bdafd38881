"""Letters on peers, to go to one by typing them: which peer gets which letters, and how they are drawn.

A tag covers its peer and the cell beside it, so two tags need room side by side. Where a picture is crowded, peers that
matter get theirs first and others none: zooming in makes room. All tags on one picture have the same length, so none
is the beginning of another, and the first letter typed leaves the tags that begin with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from . import raster
from .raster import Canvas
from .scene import Scene, in_sight
from .styles import INK

LETTERS = "fjdkslaghrueiwotyvnbcmxzpq"
"""Letters of the home row first."""


def spell(count: int) -> list[str]:
    """This many different tags: of one letter each if there are enough letters, else of two."""
    if count <= len(LETTERS):
        return list(LETTERS[:count])
    return [a + b for a, b in product(LETTERS, repeat=2)][:count]


def tag(canvas: Canvas, scene: Scene, first: Sequence[int] = ()) -> tuple[dict[str, int], int]:
    """Tags for the peers in sight that have room for one, `first` before all others: peer by tag, and how many peers
    are in sight."""
    seen = np.flatnonzero(in_sight(canvas, scene.x, scene.y))
    chosen, place = _room(canvas, scene, seen, first, 1)
    if len(chosen) > len(LETTERS):
        chosen, place = _room(canvas, scene, seen, first, 2)
    # Tags are given in order of place, from the top left.
    chosen.sort(key=lambda peer: (place[peer][1], place[peer][0]))
    return dict(zip(spell(len(chosen)), chosen, strict=True)), len(seen)


def _room(
    canvas: Canvas, scene: Scene, seen: NDArray[np.intp], first: Sequence[int], wide: int
) -> tuple[list[int], dict[int, tuple[int, int]]]:
    """Which peers have room for a tag of this length, and the cell of each peer in sight."""
    col, row = raster.cells(canvas, scene.x[seen], scene.y[seen])
    place = {int(peer): (int(c), int(r)) for peer, c, r in zip(seen, col, row, strict=True)}
    by_look = seen[np.argsort(-scene.colours.of[seen].astype(np.int64), kind="stable")]
    taken = np.zeros((canvas.height, canvas.width), np.bool_)
    chosen: list[int] = []
    for peer in dict.fromkeys([*(p for p in first if p in place), *by_look.tolist()]):
        c, r = place[peer]
        c = min(c, canvas.width - wide)
        if c >= 0 and 0 <= r < canvas.height and not taken[r, c : c + wide].any():
            # A cell more on both sides, so that two tags are not read as one.
            taken[r, max(0, c - 1) : c + wide + 1] = True
            chosen.append(peer)
        if len(chosen) == len(LETTERS) ** 2:
            break
    return chosen, place


def draw(canvas: Canvas, scene: Scene, tags: Mapping[str, int], typed: str = "") -> None:
    """Write the tags that begin with the typed letters, without these letters."""
    known = [(text, peer) for text, peer in tags.items() if text.startswith(typed) and peer < len(scene.x)]
    if not known:
        return
    peers = np.array([peer for _, peer in known], np.int64)
    inside = in_sight(canvas, scene.x[peers], scene.y[peers])
    cols, rows = raster.cells(canvas, scene.x[peers], scene.y[peers])
    for (text, peer), col, row, seen in zip(known, cols.tolist(), rows.tolist(), inside.tolist(), strict=True):
        if seen:
            raster.text(canvas, min(col, canvas.width - len(text)), row, text[len(typed) :], INK["tag"], peer)
