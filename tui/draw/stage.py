"""Where the peers of this picture stand now: a placement, how far the last change of it has come, and the zoom.

A change of placement glides, so that an eye can follow one peer from the map to its place on the ring; then nothing
moves until meaning does. Rings of hops follow the links at most once a second: under churn they change all the time,
and a picture that never rests cannot be read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np

from engine import Snapshot

from . import placement
from .placement import Box, Positions, View
from .scene import Floats

Placement: TypeAlias = Literal["world", "ring", "hops"]
PLACEMENTS: tuple[Placement, ...] = ("world", "ring", "hops")
GLIDE_S = 0.6
REST_S = 1.0
MARGIN = 6.0
"""Dots left free around the picture: room for the ring about a peer at the edge."""
STATIONS = 0.22
"""Size of the inner circle on which stations stand when peers form a ring."""
SHAPES: dict[Placement, float | None] = {"world": 5.0, "ring": 2.2, "hops": 2.2}


class Stage:
    """Positions in dots for a box that may change its size. Hand it each snapshot with `follow`."""

    def __init__(self, placed: Placement = "world") -> None:
        self.placed: Placement = placed
        self.view = View()
        self.box = Box(2, 4, MARGIN)
        self.animate = True
        self.version = 0
        """Rises whenever `dots` would give something else."""
        self.hop: placement.Ints = np.zeros(0, np.int64)
        self._key: tuple[object, ...] = ()
        self._old: Positions = np.zeros((0, 2), np.float32)
        self._new: Positions = np.zeros((0, 2), np.float32)
        self._began_s = -1e9
        self._since_s = -1e9
        self._links = -1

    def resize(self, dots_w: int, dots_h: int, dot_aspect: float) -> None:
        """A canvas of so many dots."""
        box = Box(dots_w, dots_h, MARGIN, dot_aspect, SHAPES[self.placed])
        if box != self.box:
            self.box = box
            self.version += 1

    def place(self, placed: Placement) -> None:
        """Another placement; the whole of it is looked at."""
        self.placed = placed
        self.box = replace(self.box, shape=SHAPES[placed])
        self.look(View())

    def look(self, view: View) -> None:
        """Zoom or pan."""
        self.view = view
        self.version += 1

    def follow(self, snapshot: Snapshot, centre: int, wall_s: float) -> None:
        """Place the peers of `snapshot` anew if their places mean something else now. centre: for rings of hops."""
        key: tuple[object, ...] = (self.placed, len(snapshot.state), id(snapshot.fixed))
        if self.placed == "hops":
            if snapshot.links.version != self._links and wall_s - self._since_s >= REST_S:
                self._links, self._since_s = snapshot.links.version, wall_s
            key = (*key, centre, self._links)
        if key == self._key:
            return
        fresh = not self._key or self._key[1] != key[1]
        self._key = key
        here = self._now(wall_s)
        self._new = self._positions(snapshot, centre)
        self._old = here if self.animate and not fresh else self._new
        self._began_s = wall_s
        self.version += 1

    def _positions(self, snapshot: Snapshot, centre: int) -> Positions:
        n, fixed = len(snapshot.state), snapshot.fixed
        if self.placed == "hops":
            self.hop = placement.distances(n, snapshot.links.a, snapshot.links.b, centre)
            return placement.hops(n, snapshot.links.a, snapshot.links.b, centre)
        if self.placed == "ring" or not len(fixed.places.names):
            outer = placement.ring(fixed.peers)
            if n == fixed.peers:
                return outer
            many = n - fixed.peers
            inner = placement.ring(many) if many > 1 else np.full((1, 2), 0.5, np.float32)
            return np.concatenate((outer, 0.5 + (inner - 0.5) * STATIONS)).astype(np.float32)
        return placement.world(fixed.places.lat, fixed.places.lon, fixed.place)

    def moving(self, wall_s: float) -> bool:
        """Whether peers are on their way to new places."""
        return wall_s - self._began_s < GLIDE_S and self._old is not self._new

    def _now(self, wall_s: float) -> Positions:
        return placement.blend(self._old, self._new, (wall_s - self._began_s) / GLIDE_S)

    def dots(self, wall_s: float) -> tuple[Floats, Floats]:
        """x and y of each peer in dots."""
        return self.view.to_dots(self._now(wall_s), self.box)

    def rings(self) -> tuple[float, float, Floats, Floats] | None:
        """Middle and radii of the rings of hops in dots, or None in another placement."""
        if self.placed != "hops":
            return None
        across, down = self.box.span
        radii = placement.ring_radii(self.hop)[1:] * self.view.zoom
        x, y = self.view.to_dots(np.array([[0.5, 0.5]], np.float32), self.box)
        return float(x[0]), float(y[0]), radii * across, radii * down
