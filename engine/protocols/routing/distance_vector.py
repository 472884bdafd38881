"""The routing table of a distance vector router, by the rules of RIP version 2 (RFC 2453).

A router knows for each destination a distance and a neighbour, and tells its neighbours its distances. Nobody has the
map; so a route that is gone can come back from a neighbour that learned it from here (count to infinity).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ...api import PeerId

INFINITY = 16
"""A destination at this distance cannot be reached (RFC 2453, 3.6)."""
TIMEOUT_US = 180_000_000
GARBAGE_US = 120_000_000
SplitHorizon = Literal["off", "simple", "poisoned"]
Entry = tuple[int, int]
"""(destination, metric)."""


@dataclass(slots=True)
class Route:
    """A route. `dead_us`: since when its metric is 16, None while it can be used; `changed`: not told in a triggered
    update yet."""

    metric: int
    next_hop: PeerId
    heard_us: int
    changed: bool = True
    dead_us: int | None = None


@dataclass(slots=True)
class Table:
    """The routes of one router. Its own networks have metric 0 and no next hop (-1)."""

    routes: dict[int, Route] = field(default_factory=dict)

    def add_own(self, destination: int, now_us: int) -> None:
        """A network that is attached to this router."""
        self.routes[destination] = Route(0, -1, now_us)

    def next_hop(self, destination: int) -> PeerId | None:
        """Where a packet goes; None: nowhere. -1: it has arrived."""
        route = self.routes.get(destination)
        return route.next_hop if route is not None and route.metric < INFINITY else None

    def response(self, sender: PeerId, cost: int, entries: Iterable[Entry], now_us: int) -> bool:
        """A neighbour at distance `cost` told its routes (3.9.2). Returns whether a route changed."""
        changed = False
        for destination, told in entries:
            metric = min(INFINITY, told + cost)
            route = self.routes.get(destination)
            if route is None:
                if metric < INFINITY:
                    self.routes[destination] = Route(metric, sender, now_us)
                    changed = True
            elif route.next_hop == sender:
                if metric < INFINITY or route.metric < INFINITY:
                    route.heard_us = now_us if metric < INFINITY else route.heard_us
                    changed |= self._set(route, metric, sender, now_us)
            elif metric < route.metric:
                route.heard_us = now_us
                changed |= self._set(route, metric, sender, now_us)
            elif metric == route.metric < INFINITY and now_us - route.heard_us >= TIMEOUT_US // 2:
                # An equal route from somebody else, while the present one is half timed out.
                route.next_hop, route.heard_us = sender, now_us
        return changed

    def _set(self, route: Route, metric: int, next_hop: PeerId, now_us: int) -> bool:
        if route.next_hop == -1 or (route.metric, route.next_hop) == (metric, next_hop):
            return False
        changed = route.metric != metric
        route.metric, route.next_hop = metric, next_hop
        route.dead_us = now_us if metric >= INFINITY else None
        route.changed |= changed
        return changed

    def lose(self, neighbour: PeerId, now_us: int) -> bool:
        """A link is gone: routes over it cannot be used any more. Returns whether there were some."""
        lost = [one for one in self.routes.values() if one.next_hop == neighbour and one.metric < INFINITY]
        for route in lost:
            self._set(route, INFINITY, neighbour, now_us)
        return bool(lost)

    def expire(self, now_us: int) -> bool:
        """Time out routes that were not heard of for 180 s, and remove those that were dead for 120 s. Returns whether
        one timed out."""
        changed = False
        for destination, route in list(self.routes.items()):
            if route.dead_us is not None:
                if now_us - route.dead_us >= GARBAGE_US:
                    del self.routes[destination]
            elif route.next_hop != -1 and now_us - route.heard_us >= TIMEOUT_US:
                changed |= self._set(route, INFINITY, route.next_hop, now_us)
        return changed

    def told_to(self, neighbour: PeerId, horizon: SplitHorizon, *, changed_only: bool = False) -> list[Entry]:
        """What a neighbour is told: all routes or those that changed. Those learned from it are left out (simple split
        horizon), or told as unreachable (poisoned reverse)."""
        told: list[Entry] = []
        for destination, route in self.routes.items():
            if changed_only and not route.changed:
                continue
            if route.next_hop == neighbour and horizon != "off":
                if horizon == "poisoned":
                    told.append((destination, INFINITY))
                continue
            told.append((destination, route.metric))
        return told

    def all_told(self) -> None:
        """Every neighbour was told what changed."""
        for route in self.routes.values():
            route.changed = False
