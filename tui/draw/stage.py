"""Positions of the peers in a picture: the placement, the progress of its last change, and the zoom.

After a change of placement peers move gradually, so that a viewer can follow one from the map to its place on the ring;
then none moves until the meaning of its place changes. Rings of hops and communities follow the links at most once a
second: under churn links change all the time, and a picture that always moves cannot be read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine import Fixed, Snapshot, Trace

from . import layout
from .force_layout import Communities
from .layout import Box, Positions, View
from .raster import Floats
from .routes import LEAST, MOST, Bundle, Routes

Placement: TypeAlias = Literal["world", "ring", "hops", "ask", "identifiers", "communities"]
PLACEMENTS: tuple[Placement, ...] = ("world", "ring", "hops", "ask", "identifiers", "communities")
ABOUT: dict[Placement, str] = {
    "world": "Each peer in its city, on a map.",
    "ring": "A circle in the order of their names.",
    "hops": "Rings by distance in links from the selected peer.",
    "ask": "Rings by the hop at which the chosen ask came to each peer.",
    "identifiers": "The circle of a hash table's identifiers, each peer at its own.",
    "communities": "Links attract, all peers repel each other, until they are at rest.",
}
MOVE_S = 0.6
REST_S = 1.0
SPREAD_S = 0.4
"""Rings of an ask follow it more often, since the growth of these rings is what is watched."""
MARGIN = 6.0
"""Dots left free around the picture: room for the ring around a peer at the edge."""
STATIONS = 0.22
"""Size of the inner circle for infrastructure when peers form a ring."""
SHAPES: dict[Placement, float] = dict.fromkeys(PLACEMENTS, 2.2) | {"world": 5.0, "communities": 3.2}
"""How much wider than tall each may be drawn: circles stay nearly round, a map and communities may fill a wide
screen."""
APART_MOST = 1_500
"""Up to so many peers, those that would share a cell are drawn in cells beside it. With more peers most cells have
several, and none is moved."""
RELAX_S = 0.004
"""Seconds a frame may spend on forces; a step of 10,000 peers takes longer, and then one step is made."""


def why_not(placed: Placement, snapshot: Snapshot, trace: Trace | None) -> str:
    """Why a placement has no meaning for this swarm, in a sentence; empty if it has one."""
    fixed = snapshot.fixed
    if placed == "world" and not len(fixed.places.names):
        return "These peers have no places on a map."
    if placed == "ask" and trace is None:
        return "No ask is chosen yet: press {ask.here} to ask."
    if placed == "identifiers" and not np.isfinite(snapshot.ident).any():
        return f"Peers of {fixed.protocol} have no identifiers; those of a hash table do."
    if placed == "communities" and not len(snapshot.links.a):
        return "No peer has a link now, so there are no communities to show."
    return ""


class Stage:
    """Positions in dots for a box that may change its size. Give it each snapshot with `follow`."""

    def __init__(self, placed: Placement = "world") -> None:
        self.placed: Placement = placed
        self.view = View()
        self.box = Box(2, 4, MARGIN)
        self.animate = True
        self.version = 0
        """Increases whenever the result of `dots` changes."""
        self.hop: layout.Ints = np.zeros(0, np.int64)
        self.crowd = Communities()
        self._fixed: Fixed | None = None
        self._key: tuple[object, ...] = ()
        self._old: Positions = np.zeros((0, 2), np.float32)
        self._new: Positions = np.zeros((0, 2), np.float32)
        self._began_s = -1e9
        self._since_s = -1e9
        self._seen: tuple[object, ...] = ()
        self._cell = (2, 4)
        self._stations: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._was_aside: Floats = np.zeros((0, 2))
        self._aside: Floats = np.zeros((0, 2))
        self._aside_of: Positions = self._new
        self._aside_key: tuple[object, ...] = ()
        self._routes: Routes | None = None
        self._routes_of: Positions = self._new
        self._bundle: Bundle | None = None
        self._bundle_of: Positions = self._new
        self._bundle_key: tuple[object, ...] = ()

    def resize(self, dots_w: int, dots_h: int, dot_aspect: float, cell: tuple[int, int] = (2, 4), top: int = 0) -> None:
        """Set the size of the canvas and of a cell, in dots, and how many rows of dots stay free at the top."""
        box = Box(dots_w, dots_h - top, MARGIN, dot_aspect, SHAPES[self.placed], top)
        self._cell = cell
        if box != self.box:
            self.box = box
            self.version += 1

    def place(self, placed: Placement) -> None:
        """Change to another placement, without zoom."""
        self.placed = placed
        self.box = replace(self.box, shape=SHAPES[placed])
        self.look(View())

    def look(self, view: View) -> None:
        """Zoom or pan."""
        self.view = view
        self.version += 1

    def follow(self, snapshot: Snapshot, centre: int, wall_s: float, trace: Trace | None = None) -> None:
        """Place the peers of `snapshot` anew if the meaning of their places changed.

        centre: for rings of hops; trace: of the chosen ask, for rings by its hops.
        """
        n = len(snapshot.state)
        other = self._fixed is None or self._fixed.run is not snapshot.fixed.run
        if other:
            self.crowd.forget()
            if self._fixed is not None and why_not(self.placed, snapshot, trace):
                self.place("world" if len(snapshot.fixed.places.names) else "ring")
        self._fixed = snapshot.fixed
        key: tuple[object, ...] = (self.placed, n, self._due(snapshot, centre, trace, wall_s))
        if key == self._key and not other:
            self._relax(wall_s)
            return
        restless = self.placed == "communities" == (self._key[0] if self._key else "") and not other
        here, aside = self._now(wall_s), self._aside_now(wall_s)
        self._stations = snapshot.fixed.infrastructure
        fresh = not self._key or other
        self._key = key
        moving = self.moving(wall_s)
        self._new = self._positions(snapshot, centre, trace)
        self.version += 1
        if restless and len(here) == n:
            # The heat of the forces rises, and they go on from the present positions.
            self._old = self._old if moving else self._new
            return
        if len(here) < n:
            here = np.concatenate((here, layout.from_edge(self._new[len(here) :])))
        self._old = here[:n] if self.animate and not fresh else self._new
        self._was_aside = aside
        self._began_s = wall_s

    def _due(self, snapshot: Snapshot, centre: int, trace: Trace | None, wall_s: float) -> tuple[object, ...]:
        """What the places in this placement depend on, read again once in `REST_S`; a new centre or ask at once."""
        seen: tuple[object, ...] = ()
        if self.placed == "hops":
            seen = ("hops", centre, snapshot.links.version)
        elif self.placed == "communities":
            seen = ("communities", 0, snapshot.links.version)
        elif self.placed == "ask" and trace is not None:
            seen = ("ask", trace.ask, int(np.count_nonzero(trace.hop >= 0)))
        elif self.placed == "identifiers":
            seen = ("identifiers", 0, hash(snapshot.ident.tobytes()))
        rest_s = SPREAD_S if self.placed == "ask" else REST_S
        if seen != self._seen and (seen[:2] != self._seen[:2] or wall_s - self._since_s >= rest_s):
            self._seen, self._since_s = seen, wall_s
        return self._seen

    def _relax(self, wall_s: float) -> None:
        """Make steps of the force-directed layout for a moment, until it is at rest."""
        if self.placed != "communities" or self.crowd.resting:
            return
        if self.animate:
            self.crowd.relax(RELAX_S)
        else:
            self.crowd.settle()
        moving = self._old is not self._new and wall_s - self._began_s < MOVE_S
        self._new = self.crowd.positions
        if not moving:
            self._old = self._new
        self.version += 1

    def _positions(self, snapshot: Snapshot, centre: int, trace: Trace | None) -> Positions:
        n, fixed = len(snapshot.state), snapshot.fixed
        links = snapshot.links
        if self.placed == "communities":
            self.crowd.link(n, links.a, links.b)
            if not self.animate:
                self.crowd.settle()
            return self.crowd.positions
        if self.placed == "hops":
            self.hop = layout.distances(n, links.a, links.b, centre)
            return layout.hops(n, links.a, links.b, centre)
        if self.placed == "ask" and trace is not None:
            self.hop, frm = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
            self.hop[: len(trace.hop)], frm[: len(trace.frm)] = trace.hop[:n], trace.frm[:n]
            return layout.hop_rings(n, self.hop, frm)
        if self.placed == "identifiers" and np.isfinite(snapshot.ident).any():
            return layout.identifiers(snapshot.ident)
        if self.placed != "world" or not len(fixed.places.names):
            made = np.full((n, 2), 0.5, np.float32)
            stations = np.flatnonzero(fixed.infrastructure)
            made[~fixed.infrastructure] = layout.ring(n - len(stations))
            if len(stations) > 1:
                made[stations] = 0.5 + (layout.ring(len(stations)) - 0.5) * STATIONS
            return made
        return layout.world(fixed.places.lat, fixed.places.lon, fixed.place)

    def moving(self, wall_s: float) -> bool:
        """Whether peers are on their way to new places."""
        if self.placed == "communities" and not self.crowd.resting:
            return True
        return wall_s - self._began_s < MOVE_S and self._old is not self._new

    def _now(self, wall_s: float) -> Positions:
        return layout.blend(self._old, self._new, (wall_s - self._began_s) / MOVE_S)

    def dots(self, wall_s: float) -> tuple[Floats, Floats]:
        """x and y of each peer in dots. Where several would be in one cell, all but one are moved to free cells beside
        it."""
        x, y = self.view.to_dots(self._now(wall_s), self.box)
        aside = self._aside_now(wall_s)
        return (x + aside[:, 0], y + aside[:, 1]) if len(aside) == len(x) else (x, y)

    def _aside_now(self, wall_s: float) -> Floats:
        """How far peers are moved from their places now, in dots (N, 2); empty if none is."""
        aside = self._moved_aside()
        t = (wall_s - self._began_s) / MOVE_S
        if t >= 1.0 or self._old is self._new:
            return aside
        n = len(self._new)
        old, new = np.zeros((n, 2)), aside if len(aside) else np.zeros((n, 2))
        kept = min(n, len(self._was_aside))
        old[:kept] = self._was_aside[:kept]
        share = max(t, 0.0)
        share = share * share * (3.0 - 2.0 * share)
        return old + (new - old) * share

    def _moved_aside(self) -> Floats:
        """How far peers are moved from the places where they will be at rest, in dots (N, 2); empty if none is."""
        if self.placed == "communities" and not self.crowd.resting:
            return self._aside[:0]
        key = (self.view, self.box, self._cell)
        if self._aside_of is self._new and self._aside_key == key:
            return self._aside
        self._aside_of, self._aside_key = self._new, key
        x, y = self.view.to_dots(self._new, self.box)
        across, down = self._cell
        col, row = (np.floor((v + 0.5) / per).astype(np.int64) for v, per in ((x, across), (y, down)))
        wide, high = self.box.width // across, (self.box.top + self.box.height) // down
        inside = (col >= 0) & (col < wide) & (row >= 0) & (row < high)
        if np.count_nonzero(inside) > APART_MOST:
            self._aside = np.zeros((0, 2))
        else:
            dx, dy = layout.apart(col, row, self._stations, wide, high, self.box.top // down)
            self._aside = np.stack((dx * across, dy * down), axis=-1).astype(np.float64)
        return self._aside

    def bundle(self, wall_s: float) -> Bundle | None:
        """How lines of a map are bundled, or None where all are straight."""
        if self.placed != "world" or self.moving(wall_s) or not LEAST <= len(self._new) <= MOST:
            return None
        if self._routes is None or self._routes_of is not self._new:
            self._routes, self._routes_of = Routes(self._new), self._new
        key = (self.view, self.box, self._cell)
        if self._bundle is None or self._bundle_of is not self._new or self._bundle_key != key:
            self._bundle = Bundle(self._routes, *self.dots(wall_s), self.view, self.box, self._cell)
            self._bundle_of, self._bundle_key = self._new, key
        return self._bundle

    def place_of_key(self, trace: Trace | None) -> tuple[float, float] | None:
        """Where the key of the chosen ask is marked, in dots; None where identifiers are not shown, or it has none."""
        if self.placed != "identifiers" or trace is None or trace.key_place is None:
            return None
        x, y = self.view.to_dots(layout.key_on_circle(trace.key_place), self.box)
        return float(x[0]), float(y[0])

    def rings(self) -> tuple[float, float, Floats, Floats] | None:
        """Middle and radii of the rings behind the peers in dots, or None in a placement that has none."""
        if self.placed in ("hops", "ask") and self.hop.size:
            radii = layout.ring_radii(self.hop)[1:] * self.view.zoom
        elif self.placed == "identifiers":
            radii = np.array([0.5]) * self.view.zoom
        else:
            return None
        across, down = self.box.span
        x, y = self.view.to_dots(np.array([[0.5, 0.5]], np.float32), self.box)
        return float(x[0]), float(y[0]), radii * across, radii * down
