"""Places of peers: positions in the unit square, and their conversion to dots.

A random overlay is an expander, in which no force-directed layout finds structure, so places here always have a
meaning: a city, an id, a number of hops. Positions are float32 (N, 2), x to the right and y downwards, in [0, 1].
All is deterministic, so that a peer moves only when the meaning of its place changes.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine import dataclass

from .rounding import cos, direction, mean, rounded, sin

Positions = NDArray[np.float32]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Direction = Literal["up", "down", "left", "right"]

NORTH, SOUTH = 72.0, -56.0
GOLDEN = math.pi * (3.0 - math.sqrt(5.0))
TURN = 2.0 * math.pi

SPIRAL_STEP = 0.007
"""Distance of neighbours in a city, about two braille dots of a screen 160 cells wide."""
SPIRAL_MOST = 0.05
"""A city of any number of peers keeps within this radius, so that the peers of Lisbon do not reach Madrid."""
SPIRAL_TALL = 1.8
"""Height over width of a spiral in the unit square, so that it looks round on a map twice as wide as tall."""

RING_GAP = 0.011
"""Peers of one ring that are closer than this are placed in several tracks of a band."""
RING_SLOTS = 180
"""Angles of an identifier ring: on a small screen about two dots apart."""
KEY_RADIUS = 0.8
"""Radius at which the mark of a key is; the peers with the nearest identifiers are at 1."""
RING_BAND = 0.55
"""Thickness of the fullest band, as a share of the distance between rings."""
NEAR = 6
"""Decimals to which angles and gaps of a ring are compared; those that are mathematically equal are equal to so
many."""
EVEN = 0.45
"""0 puts each peer at the mean angle of the peers before it, 1 spaces a ring evenly."""


# --- The world ---


def project(lat: ArrayLike, lon: ArrayLike) -> Positions:
    """Degrees to the unit square, equirectangular, of 56 degrees south to 72 north; beyond is outside [0, 1]."""
    x = (np.asarray(lon, np.float32) + 180.0) / 360.0
    y = (NORTH - np.asarray(lat, np.float32)) / (NORTH - SOUTH)
    return np.stack((x, y), axis=-1).astype(np.float32)


def world(lat: ArrayLike, lon: ArrayLike, place: ArrayLike, ids: ArrayLike | None = None) -> Positions:
    """Peers at their cities: lat, lon in degrees (K,), place: city of each peer (N,), -1 for none (mid-Atlantic).

    Peers of one city fill a sunflower spiral, in order of `ids` (N,), by default their index: the first is on the
    city itself. A new peer takes the next place and no other peer moves, until there are so many that the spiral
    shrinks.
    """
    where = np.asarray(place, np.int64)
    n = where.size
    latitudes = np.append(np.asarray(lat, np.float64), 0.0)
    longitudes = np.append(np.asarray(lon, np.float64), -30.0)
    nowhere = latitudes.size - 1
    where = np.where((where >= 0) & (where < nowhere), where, nowhere)
    centre = project(latitudes, longitudes)[where]
    order = np.lexsort((np.arange(n) if ids is None else np.asarray(ids), where))
    many = np.bincount(where, minlength=nowhere + 1)
    seat = np.empty(n, np.int64)
    seat[order] = np.arange(n) - np.repeat(np.cumsum(many) - many, many)
    step = np.minimum(SPIRAL_STEP, SPIRAL_MOST / np.sqrt(np.maximum(many, 1)))[where]
    radius, angle = step * np.sqrt(seat), GOLDEN * seat
    spread = np.stack((radius * cos(angle), radius * SPIRAL_TALL * sin(angle)), axis=-1)
    at: Positions = np.clip(centre + spread, 0.0, 1.0).astype(np.float32)
    return at


# --- Rings ---


def ring(n: int) -> Positions:
    """n peers around one circle by id, the first at the top, clockwise."""
    return _polar(np.arange(n) * (TURN / max(n, 1)), np.ones(n))


def identifiers(ident: ArrayLike) -> Positions:
    """Peers around a circle by their own positions on it, 0 to 1 clockwise from the top (N,); NaN: in the middle.

    Peers whose places would touch are placed one behind the other, outwards, so that a crowded arc is visible as such.
    """
    at = np.asarray(ident, np.float64) % 1.0
    n = at.size
    known = np.flatnonzero(np.isfinite(at))
    angle, radius = GOLDEN * np.arange(n), 0.16 * np.sqrt(np.arange(n) / max(n, 1))
    slots = max(8, min(RING_SLOTS, 2 * max(known.size, 1)))
    slot = np.floor(at[known] * slots).astype(np.int64)
    order = np.lexsort((known, at[known], slot))
    first = np.searchsorted(slot[order], slot[order])
    depth = np.arange(order.size) - first
    deepest = max(int(depth.max(initial=0)), 1)
    angle[known], inward = at[known] * TURN, np.empty(known.size)
    inward[order] = depth * min(0.03, 0.45 / deepest)
    radius[known] = 1.0 - inward
    return _polar(angle, radius)


def key_on_circle(place: float) -> Positions:
    """The position of the mark of a key, inside the circle of `identifiers` (1, 2). place: of the key on the circle, 0
    to 1 clockwise from the top."""
    return _polar(np.array([place % 1.0]) * TURN, np.array([KEY_RADIUS]))


def from_edge(positions: Positions) -> Positions:
    """Where new peers start to move from: straight outwards from the middle, just outside the picture's edge (N, 2)."""
    away = np.asarray(positions, np.float64) - 0.5
    far = np.abs(away).max(axis=1, keepdims=True)
    out = np.where(far > 1e-6, away / np.maximum(far, 1e-6), np.array([[0.0, -1.0]]))
    return (0.5 + 0.56 * out).astype(np.float32)


def hops(n: int, links_a: ArrayLike, links_b: ArrayLike, centre: int) -> Positions:
    """Rings by distance in links from a peer, which is in the middle; unreachable peers are on the outermost ring.

    Each peer is near the mean angle of its neighbours on the next inner ring, so that few links cross.
    """
    a, b = np.asarray(links_a, np.int64), np.asarray(links_b, np.int64)
    return _rings(distances(n, a, b, centre), np.concatenate((a, b)), np.concatenate((b, a)))


def hop_rings(n: int, hop: ArrayLike, frm: ArrayLike | None = None) -> Positions:
    """Rings by a given number of hops (N,), -1 for not reached; frm: the peer that each was asked by (N,), -1 for
    none."""
    number = np.asarray(hop, np.int64)[:n]
    child = np.arange(n)
    parent = np.full(n, -1) if frm is None else np.asarray(frm, np.int64)[:n]
    known = parent >= 0
    return _rings(number, parent[known], child[known])


def ring_radii(hop: ArrayLike) -> Floats:
    """Radius of each ring 0, 1, .. of a placement by hops, in the unit square, to draw the rings as circles."""
    number = np.asarray(hop, np.int64)
    most = int(number.max(initial=0))
    outer = most + int(bool((number < 0).any()))
    return 0.5 * np.arange(most + 1) / max(outer, 1)


def distances(n: int, links_a: ArrayLike, links_b: ArrayLike, start: int) -> Ints:
    """Number of links on the shortest way from `start` to each of n peers, int64 (N,); -1 where there is none."""
    hop = np.full(n, -1, np.int64)
    if not 0 <= start < n:
        return hop
    a, b = np.asarray(links_a, np.int64), np.asarray(links_b, np.int64)
    # Sorting values that contain both ends is faster than an argsort, and the order of ties is defined.
    pairs = np.concatenate(((a << 32) | b, (b << 32) | a))
    pairs.sort()
    to = pairs & 0xFFFFFFFF
    first = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(pairs >> 32, minlength=n), out=first[1:])
    degree = np.diff(first)
    hop[start] = 0
    front = np.array([start])
    level = 0
    mark = np.empty(n, np.int64)
    while front.size:
        level += 1
        many = degree[front]
        ends = np.cumsum(many)
        row = np.repeat(first[front] - ends + many, many)
        row += np.arange(row.size)
        near = to[row]
        near = near[hop[near] < 0]
        hop[near] = level
        # Of peers found twice, keep the last one written: cheaper than sorting each front.
        seat = np.arange(near.size)
        mark[near] = seat
        front = near[mark[near] == seat]
    return hop


def _rings(hop: Ints, inner: Ints, outer: Ints) -> Positions:
    """Concentric rings, each in order of its peers' mean angle over links (inner -> outer) from the ring inside."""
    n = hop.size
    most = int(hop.max(initial=0))
    lost = hop < 0
    last = most + int(bool(lost.any()))
    level = np.where(lost, last, hop)
    down = (hop[outer] == hop[inner] + 1) & ~lost[inner]
    inner, outer = inner[down], outer[down]
    by_level = np.argsort(hop[outer], kind="stable")
    inner, outer = inner[by_level], outer[by_level]
    link_ends = np.searchsorted(hop[outer], np.arange(last + 2))
    order = np.argsort(level, kind="stable")
    ends = np.searchsorted(level[order], np.arange(last + 2))
    angle, radius = np.zeros(n), np.zeros(n)
    seat = np.empty(n, np.int64)
    for ring_no in range(last + 1):
        members = order[ends[ring_no] : ends[ring_no + 1]]
        count = members.size
        seat[members] = np.arange(count)
        rows = slice(link_ends[ring_no], link_ends[ring_no + 1])
        from_angle, to_seat = angle[inner[rows]], seat[outer[rows]]
        x = rounded(np.bincount(to_seat, cos(from_angle), count))
        y = rounded(np.bincount(to_seat, sin(from_angle), count))
        # The mean of opposite neighbours has no direction.
        has_mean = (x != 0.0) | (y != 0.0)
        if ring_no < 2 or ring_no > most or not has_mean.any():
            turned = np.arange(count) * (TURN / max(count, 1))
        else:
            wish = np.where(has_mean, direction(y, x) % TURN, np.arange(count) * (TURN / count))
            ranked = np.lexsort((members, rounded(wish, NEAR)))
            members, wish = members[ranked], wish[ranked]
            # Begin the ring at its widest gap, so that a group of peers at angle 0 is not divided. Of equal gaps, the
            # first is taken.
            cut = (int(np.argmax(rounded(np.diff(wish, append=wish[0] + TURN), NEAR))) + 1) % count
            members, wish = np.roll(members, -cut), np.roll(wish, -cut)
            wish[count - cut :] += TURN if cut else 0.0
            even = np.arange(count) * (TURN / count)
            even += mean(wish - even)
            # Both rise around the ring, so their mean does too: the order of peers stays.
            turned = EVEN * even + (1.0 - EVEN) * wish
        angle[members] = turned
        radius[members] = _staggered(ring_no, last, count)
    return _polar(angle, radius)


def _staggered(ring_no: int, last: int, count: int) -> Floats:
    """Radii of the peers of a ring: all the same, or in several tracks of a band when they would touch."""
    pitch = 1.0 / max(last, 1)
    room = TURN * 0.5 * ring_no * pitch / RING_GAP
    tracks = int(min(max(math.ceil(count / room), 1), 24)) if ring_no else 1
    track = np.arange(count) % tracks
    within = (track + 0.5) / tracks - 0.5
    thick = RING_BAND * (1.0 - 1.0 / tracks)
    # The outermost band grows inwards only, to stay in the picture.
    shift = 0.5 * thick if ring_no == last else 0.0
    return pitch * (ring_no + thick * within - shift)


def _polar(angle: NDArray[np.floating], radius: NDArray[np.floating]) -> Positions:
    """Radius 1 touches the edge of the unit square; angle 0 is up, clockwise."""
    return np.stack((0.5 + 0.5 * radius * sin(angle), 0.5 - 0.5 * radius * cos(angle)), axis=-1).astype(np.float32)


# --- From the unit square to dots ---


@dataclass(frozen=True, slots=True)
class Box:
    """The area of a picture in dots. margin: dots left free at each side; dot_aspect: height of a dot over its width.

    top: rows of dots above the area, which are not part of `height`.
    shape: the picture is at most this many times as wide as tall, and as tall as wide; 1 keeps circles round, and
    None fills the whole box.
    """

    width: int
    height: int
    margin: float = 0.0
    dot_aspect: float = 1.0
    shape: float | None = None
    top: int = 0

    @property
    def span(self) -> tuple[float, float]:
        """Dots across and down that the unit square takes, at least one each."""
        across = max(self.width - 1 - 2 * self.margin, 1.0)
        down = max(self.height - 1 - 2 * self.margin, 1.0)
        if self.shape is not None:
            tall = down * self.dot_aspect
            across, tall = min(across, tall * self.shape), min(tall, across * self.shape)
            down = tall / self.dot_aspect
        return across, down


@dataclass(frozen=True, slots=True)
class View:
    """The visible part of the unit square: its middle, and the zoom factor."""

    cx: float = 0.5
    cy: float = 0.5
    zoom: float = 1.0

    def to_dots(self, positions: Positions, box: Box) -> tuple[Floats, Floats]:
        """x and y (N,) in dots; may be outside the box when enlarged."""
        across, down = box.span
        at = np.asarray(positions, np.float64).reshape(-1, 2)
        x = (at[:, 0] - self.cx) * (across * self.zoom) + (box.width - 1) / 2.0
        y = (at[:, 1] - self.cy) * (down * self.zoom) + (box.height - 1) / 2.0 + box.top
        return x, y

    def to_unit(self, x: float, y: float, box: Box) -> tuple[float, float]:
        """The point of the unit square under a dot, such as the mouse's."""
        across, down = box.span
        return (
            (x - (box.width - 1) / 2.0) / (across * self.zoom) + self.cx,
            (y - box.top - (box.height - 1) / 2.0) / (down * self.zoom) + self.cy,
        )

    def zoomed_at(self, x: float, y: float, factor: float, most: float = 32.0) -> View:
        """Enlarged by a factor about a point of the unit square, which stays where it is. Between 1 and `most`."""
        zoom = min(max(self.zoom * factor, 1.0), most)
        if zoom == 1.0:
            return View()
        keep = self.zoom / zoom
        return View(x + (self.cx - x) * keep, y + (self.cy - y) * keep, zoom).bounded()

    def panned(self, dx: float, dy: float) -> View:
        """Moved by shares of what is visible: panned(0.25, 0) looks a quarter of the picture further right."""
        return replace(self, cx=self.cx + dx / self.zoom, cy=self.cy + dy / self.zoom).bounded()

    def bounded(self) -> View:
        """Moved back so that only the unit square is visible."""
        half = 0.5 / self.zoom
        return replace(self, cx=min(max(self.cx, half), 1.0 - half), cy=min(max(self.cy, half), 1.0 - half))


def fit(
    positions: Positions,
    width: int,
    height: int,
    margin: float = 0.0,
    dot_aspect: float = 1.0,
    shape: float | None = None,
) -> tuple[Floats, Floats]:
    """x and y (N,) in dots with all of the unit square in view; see `Box` for the arguments."""
    return View().to_dots(positions, Box(width, height, margin, dot_aspect, shape))


# --- Peers that would share a cell ---

NUDGES: tuple[tuple[int, int], ...] = tuple(
    sorted(
        ((dx, dy) for dy in (-2, -1, 0, 1, 2) for dx in range(-4, 5) if (dx or dy) and abs(dx) + 2 * abs(dy) <= 5),
        key=lambda way: (abs(way[0]) + 2 * abs(way[1]), abs(way[1]), way),
    )
)
"""Cells beside a cell, the nearest first, up to five columns away; a row counts as two."""


def apart(col: Ints, row: Ints, first: NDArray[np.bool_], width: int, height: int, top: int = 0) -> tuple[Ints, Ints]:
    """Move peers that share a cell to the nearest free cells, where there are any: columns and rows to go (N,).

    The peer with the lowest number stays, or the one of those in `first` (N,). Peers outside of
    the area, of rows `top` to `height`, are left out.
    """
    dx, dy = np.zeros(len(col), np.int64), np.zeros(len(col), np.int64)
    inside = (col >= 0) & (col < width) & (row >= top) & (row < height)
    order = np.flatnonzero(inside)
    order = order[np.argsort(~first[order], kind="stable")]
    cell = row[order] * width + col[order]
    _, keepers = np.unique(cell, return_index=True)
    taken = set(cell.tolist())
    stay = np.zeros(len(order), np.bool_)
    stay[keepers] = True
    for peer in order[~stay].tolist():
        at_col, at_row = int(col[peer]), int(row[peer])
        for go_x, go_y in NUDGES:
            to_col, to_row = at_col + go_x, at_row + go_y
            to = to_row * width + to_col
            if 0 <= to_col < width and top <= to_row < height and to not in taken:
                taken.add(to)
                dx[peer], dy[peer] = go_x, go_y
                break
    return dx, dy


# --- Motion, and going from peer to peer ---


def blend(old: Positions, new: Positions, t: float) -> Positions:
    """Positions between old and new, t from 0 to 1, slow at both ends; peers that are not in old are at their new
    places."""
    if t >= 1.0 or not old.size:
        return new
    share = max(t, 0.0)
    share = share * share * (3.0 - 2.0 * share)
    way = new.copy()
    both = min(len(old), len(new))
    way[:both] = old[:both] + (new[:both] - old[:both]) * np.float32(share)
    return way


def nearest(
    cells: ArrayLike, start: int, direction: Direction, shown: NDArray[np.bool_] | None = None, tall: float = 2.0
) -> int | None:
    """The peer to go to from `start` with an arrow key, or None if there is none in that direction.

    cells: columns and rows (N, 2); shown: which may be chosen (N,); tall: height of a cell over its width. Peers in a
    cone of 45 degrees to each side come first, where the distance sideways counts double; then any in that direction.
    """
    at = np.asarray(cells, np.float64)
    if not 0 <= start < len(at):
        return None
    dx, dy = at[:, 0] - at[start, 0], (at[:, 1] - at[start, 1]) * tall
    ahead, aside = {"right": (dx, dy), "left": (-dx, dy), "down": (dy, dx), "up": (-dy, dx)}[direction]
    aside = np.abs(aside)
    open_to = (ahead > 0) & np.isfinite(aside)
    if shown is not None:
        open_to &= shown
    cost = np.where(open_to, ahead + 2.0 * aside + np.where(aside <= ahead, 0.0, 1e6), np.inf)
    best = int(np.argmin(cost))
    return best if math.isfinite(cost[best]) else None
