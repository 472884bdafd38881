"""Lines of a map in bundles: peers that are near each other share a hub, and lines run from hub to hub.

Sixty-four peers in cities of five continents have links that cross the same few rows of cells, and straight lines fill
these. So the map is divided into regions, each with a hub at its middle; hubs are joined to their neighbours (Gabriel
graph), and a line between two regions takes the shortest way over these joints. Lines of the same way cover each other.
Hubs depend on where peers are and on nothing else, so no line moves when a link opens or closes. Messages move along
the same ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .layout import Box, Positions, View
from .rounding import rounded

Floats: TypeAlias = NDArray[np.float64]

LEAST = 24
"""Fewer peers have straight lines."""
MOST = 150
"""More peers have too: only few of their links are drawn."""
REACH = 0.2
"""Peers within this distance of a middle are of its region, in heights of the map."""
WIDE = 2.0
"""Width of the map over its height, for distances."""
INNER = 12
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


@dataclass(frozen=True, slots=True)
class Bundle:
    """Routes as they are seen in a picture."""

    routes: Routes
    view: View
    box: Box

    def paths(self, frm: NDArray[np.integer], to: NDArray[np.integer], x: Floats, y: Floats) -> Floats:
        """See `Routes.paths`."""
        return self.routes.paths(frm, to, x, y, self.view, self.box)


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
    """Middles of regions (k, 2): again and again of the peers that have the most others near them."""
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
