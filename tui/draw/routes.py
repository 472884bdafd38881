"""Lines of a map in bundles: peers that are near each other share a hub, and lines run from hub to hub.

Sixty-four peers in cities of five continents have links that cross the same few rows of cells, and straight lines fill
these. So the map is divided into regions, each with a hub at its middle; hubs are joined to their neighbours (Gabriel
graph), and a line between two regions takes the shortest way over these joints. Lines of the same way cover each other.
Hubs depend on where peers are and on nothing else, so no line moves when a link opens or closes. Messages move along
the same ways.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine import sorted_once

from .layout import Box, Positions, View
from .raster import Canvas
from .rounding import rounded

Floats: TypeAlias = NDArray[np.float64]

LEAST = 24
"""With fewer peers all lines are straight."""
MOST = 150
"""With more peers too: only few of their links are drawn."""
REACH = 0.2
"""Peers within this distance of the middle of a region belong to it, in heights of the map."""
WIDE = 2.0
"""Width of the map over its height, for distances."""
INNER = 8
"""Points of a way between its ends."""
DETOUR = 1.3
"""A way longer than the straight line by more than this is not taken."""


class Routes:
    """Ways between peers at `at` (N, 2) in the unit square."""

    def __init__(self, at: Positions) -> None:
        flat = np.asarray(at, np.float64) * (WIDE, 1.0)
        hubs = _hubs(flat)
        apart = _distances(flat, hubs)
        self._hub = apart.argmin(axis=1)
        self._ways = _ways(hubs) / (WIDE, 1.0)

    def paths(
        self, frm: NDArray[np.integer], to: NDArray[np.integer], x: Floats, y: Floats, view: View, box: Box
    ) -> Floats:
        """Points in dots at equal distances along the way of each pair (m, INNER + 2, 2), its ends included.

        x, y: where peers are, in dots (N,).
        """
        a, b = np.stack((x[frm], y[frm]), axis=-1), np.stack((x[to], y[to]), axis=-1)
        share = np.linspace(0.0, 1.0, INNER + 2)[None, :, None]
        straight = a[:, None] + (b - a)[:, None] * share
        inner = self._ways[self._hub[frm], self._hub[to]]
        inner = np.stack(view.to_dots(inner.reshape(-1, 2).astype(np.float32), box), axis=-1).reshape(inner.shape)
        # A peer beyond its hub, seen from the other end, joins the way where it is nearest to it.
        half = INNER // 2
        first = ((inner[:, :half] - a[:, None]) ** 2).sum(axis=2).argmin(axis=1)
        last = INNER - 1 - ((inner[:, :half:-1] - b[:, None]) ** 2).sum(axis=2).argmin(axis=1)
        where = first[:, None] + (last - first)[:, None] * np.linspace(0.0, 1.0, INNER)[None, :]
        inner = _at(inner, where)
        made = np.concatenate((a[:, None], inner, b[:, None]), axis=1)
        made[:, 1:-1] = (made[:, :-2] + 2.0 * made[:, 1:-1] + made[:, 2:]) / 4.0
        made, long = _even(made)
        direct = np.sqrt(((b - a) ** 2).sum(axis=1))
        bent = (self._hub[frm] != self._hub[to]) & (long <= DETOUR * direct)
        return rounded(np.where(bent[:, None, None], made, straight), 6)


class Bundle:
    """Routes in one picture, whose peers are at x, y in dots (N,) and stay there. Each way is computed once."""

    def __init__(
        self, routes: Routes, x: Floats, y: Floats, view: View, box: Box, cell: tuple[int, int] = (2, 4)
    ) -> None:
        self._routes, self._x, self._y, self._view, self._box, self._cell = routes, x, y, view, box, cell
        self._dots: list[NDArray[np.int32]] = []
        """Of each way that is known: the dots along it by their number in the canvas, -1 outside of it."""
        self._row = np.full(len(x) * len(x), -1, np.int32)
        """Of each pair of peers: its row among the ways that are known, or -1."""
        self._known = np.zeros((0, INNER + 2, 2))

    def paths(self, frm: NDArray[np.integer], to: NDArray[np.integer]) -> Floats:
        """The ways of pairs (m, INNER + 2, 2), see `Routes.paths`."""
        rows = self._rows(frm, to)  # it adds to what is known
        found: Floats = self._known[rows]
        return found

    def draw(
        self,
        canvas: Canvas,
        frm: NDArray[np.integer],
        to: NDArray[np.integer],
        inks: NDArray[np.uint8],
        part: tuple[Floats, Floats] | None = None,
    ) -> None:
        """Draw ways (m,), later ones above earlier ones. part: from which share of each to which, all if None.

        Dots of a way are computed once: to draw it again takes a tenth of the time of drawing a line.
        """
        rows = self._rows(frm, to).tolist()
        if part is None:
            pieces = [self._dots[row] for row in rows]
        else:
            ends = zip(rows, part[0].tolist(), part[1].tolist(), strict=True)
            pieces = [_piece(self._dots[row], first, last) for row, first, last in ends]
        if not pieces:
            return
        dots, ink = np.concatenate(pieces), np.repeat(inks, [len(piece) for piece in pieces])
        if dots.min(initial=0) < 0:
            inside = dots >= 0
            dots, ink = dots[inside], ink[inside]
        canvas.dots.reshape(-1)[dots] = True
        row, col = np.divmod(dots, canvas.dots_w)
        canvas.ink[row // canvas.down, col // canvas.across] = ink

    def _rows(self, frm: NDArray[np.integer], to: NDArray[np.integer]) -> NDArray[np.int32]:
        """Of each pair its row among the ways that are known."""
        n = len(self._x)
        pair = frm.astype(np.int64) * n + to
        row = self._row[pair]
        if row.size and row.min() < 0:
            new = sorted_once(pair[row < 0])
            made = self._routes.paths(new // n, new % n, self._x, self._y, self._view, self._box)
            self._row[new] = np.arange(len(self._known), len(self._known) + len(new))
            self._known = np.concatenate((self._known, made))
            self._dots += [self._dots_of(path) for path in made]
            row = self._row[pair]
        return row

    def _dots_of(self, path: Floats) -> NDArray[np.int32]:
        across, down = self._cell
        wide = self._box.width // across * across
        high = (self._box.top + self._box.height) // down * down
        step = np.abs(path[1:] - path[:-1]).max()
        # A way that leaves the picture may be much longer than it: no more dots than would fill it are computed.
        many = int(min(math.ceil(step) * (len(path) - 1), 4 * (wide + high))) + 1
        at = np.floor(along(path[None], np.linspace(0.0, 1.0, many)[None])[0] + 0.5).astype(np.int64)
        at = at[np.concatenate(([True], (at[1:] != at[:-1]).any(axis=1)))]
        inside = ((at >= 0) & (at < (wide, high))).all(axis=1)
        return np.where(inside, at[:, 1] * wide + at[:, 0], -1).astype(np.int32)


def _piece(dots: NDArray[np.int32], first: float, last: float) -> NDArray[np.int32]:
    """The dots of a way from one share of it to another."""
    return dots[int(first * (len(dots) - 1)) : int(last * (len(dots) - 1)) + 1]


def along(paths: Floats, share: Floats) -> Floats:
    """Points at shares (m, k) of ways (m, p, 2): (m, k, 2)."""
    return _at(paths, share * (paths.shape[1] - 1))


def _at(paths: Floats, where: Floats) -> Floats:
    """Points between those of ways, by fractions of their numbers (m, k)."""
    low = np.clip(np.floor(where).astype(np.int64), 0, paths.shape[1] - 2)
    rest = (where - low)[..., None]
    row = np.arange(len(paths))[:, None]
    found: Floats = paths[row, low] * (1.0 - rest) + paths[row, low + 1] * rest
    return found


def _even(paths: Floats) -> tuple[Floats, Floats]:
    """The same ways with points at equal distances, and their lengths (m,)."""
    step = np.sqrt(((paths[:, 1:] - paths[:, :-1]) ** 2).sum(axis=2))
    gone = np.concatenate((np.zeros((len(paths), 1)), np.cumsum(step, axis=1)), axis=1)
    wanted = gone[:, -1:] * np.linspace(0.0, 1.0, paths.shape[1])[None, :]
    low = np.clip((gone[:, None, :] <= wanted[:, :, None]).sum(axis=2) - 1, 0, paths.shape[1] - 2)
    row = np.arange(len(paths))[:, None]
    part = np.clip((wanted - gone[row, low]) / np.maximum(step[row, low], 1e-9), 0.0, 1.0)
    return _at(paths, low + part), gone[:, -1]


def _distances(one: Floats, other: Floats) -> Floats:
    made: Floats = np.sqrt(((one[:, None] - other[None]) ** 2).sum(axis=2))
    return made


def _hubs(at: Floats) -> Floats:
    """Middles of regions (k, 2). Again and again, the peer with the most free peers near it makes a region of these."""
    near = _distances(at, at) <= REACH
    free = np.ones(len(at), np.bool_)
    hubs = []
    while free.any():
        many = np.where(free, (near & free[None, :]).sum(axis=1), -1)
        region = near[int(many.argmax())] & free
        hubs.append(np.round(at[region].mean(axis=0), 3))
        free &= ~region
    return np.array(hubs)


def _ways(hubs: Floats) -> Floats:
    """Points at equal distances on the shortest way between each two hubs (k, k, INNER, 2)."""
    k, apart = len(hubs), _distances(hubs, hubs)
    square = apart * apart
    # Two hubs are joined unless another lies in the circle over the line between them.
    blocked = (square[:, None, :] + square[None, :, :] < square[:, :, None] - 1e-9).any(axis=2)
    cost = np.where(blocked, np.inf, apart)
    following = np.where(np.isfinite(cost), np.arange(k)[None, :], -1)
    for over in range(k):
        through = cost[:, over, None] + cost[None, over, :]
        better = through < cost - 1e-9
        cost = np.where(better, through, cost)
        following = np.where(better, following[:, over, None], following)
    made = np.empty((k, k, INNER, 2))
    for a in range(k):
        for b in range(k):
            stops = [a]
            while stops[-1] != b:
                stops.append(int(following[stops[-1], b]))
            made[a, b] = _sampled(hubs[stops])
    return made


def _sampled(points: Floats) -> Floats:
    """INNER points at equal distances on a line through points."""
    step = np.sqrt(((points[1:] - points[:-1]) ** 2).sum(axis=1))
    gone = np.concatenate((np.zeros(1), np.cumsum(step)))
    wanted = np.linspace(0.0, float(gone[-1]), INNER)
    return np.stack([np.interp(wanted, gone, points[:, axis]) for axis in (0, 1)], axis=-1)
