"""Distance vector routing, by the rules of RIP version 2 (RFC 2453).

A router knows for each destination a distance and a neighbour, and tells its neighbours its distances. Nobody has the
map; so a route that is gone can come back from a neighbour that learned it from this router (count to infinity).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Literal, TypeAlias

from ...api import DUPLICATE, Cause, Component, Host, Known, Part, PeerId, message, on, option
from .packets import HERE, ROUTES_MOST, Attached, Prefix, TableChanged, ask_of_change, lan_of, link_text

INFINITY = 16
"""A destination at this distance cannot be reached (RFC 2453, 3.6)."""
TIMEOUT_US = 180_000_000
GARBAGE_US = 120_000_000
ENTRIES_MOST = 25
"""Entries in one datagram (3.6)."""
NOWHERE: PeerId = -2
SplitHorizon = Literal["off", "simple", "poisoned"]
Entry = tuple[Prefix, int]
"""(destination, metric)."""


# --- the table ---------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Route:
    """A route. `dead_us`: since when its metric is 16, None while it can be used; `lost`: the cause of the change that
    made it unusable, until the destination can be reached again."""

    metric: int
    next_hop: PeerId
    heard_us: int
    dead_us: int | None = None
    lost: Cause = 0


@dataclass(slots=True)
class Table:
    """The routes of one router. Its own networks have the next hop `HERE`, and metric 0, or 1 for that of a host.
    `fresh`: destinations whose routes changed and were not told yet -> the cause of the change; `changes`: how often a
    route has changed. `due_us`: before then no route times out."""

    routes: dict[Prefix, Route] = field(default_factory=dict)
    fresh: dict[Prefix, Cause] = field(default_factory=dict)
    changes: int = 0
    due_us: int = 0

    def add_own(self, destination: Prefix, now_us: int, cause: Cause = 0, metric: int = 0) -> None:
        """Add a network that is attached to this router."""
        self.routes[destination] = Route(metric, HERE, now_us)
        self.fresh[destination] = cause
        self.changes += 1

    def drop_own(self, destination: Prefix, now_us: int, cause: Cause = 0) -> None:
        """Mark a network as not attached to this router any more."""
        route = self.routes.get(destination)
        if route is not None and route.next_hop == HERE:
            route.next_hop = NOWHERE
            self._set(destination, route, INFINITY, NOWHERE, now_us, cause)

    def next_hop(self, address: int) -> PeerId | None:
        """Where a packet goes; None: nowhere; `HERE`: it has arrived. The longest prefix that covers the address and
        has a usable route counts."""
        routes = self.routes
        for rest in range(33):
            route = routes.get(address >> rest << rest << 6 | 32 - rest)
            if route is not None and route.metric < INFINITY:
                return route.next_hop
        return None

    def response(self, sender: PeerId, cost: int, entries: Iterable[Entry], now_us: int, cause: Cause = 0) -> bool:
        """A neighbour at distance `cost` told its routes (3.9.2). Returns whether a route changed."""
        changed = False
        routes, half_us = self.routes, now_us - TIMEOUT_US // 2
        for destination, told in entries:
            metric = told + cost
            if metric > INFINITY:
                metric = INFINITY
            route = routes.get(destination)
            if told < 0:
                continue
            if route is None:
                if metric < INFINITY and len(routes) < ROUTES_MOST and 0 <= destination < 1 << 38:
                    routes[destination] = Route(metric, sender, now_us)
                    self.fresh[destination] = cause
                    self.changes += 1
                    changed = True
            elif route.next_hop == sender:
                if metric < INFINITY:
                    route.heard_us = now_us
                if metric != route.metric:
                    changed |= self._set(destination, route, metric, sender, now_us, cause)
            elif metric < route.metric:
                route.heard_us = now_us
                changed |= self._set(destination, route, metric, sender, now_us, cause)
            elif metric == route.metric < INFINITY and route.next_hop != HERE and route.heard_us <= half_us:
                # An equal route of another neighbour replaces the present one, if half of its timeout is over.
                route.next_hop, route.heard_us = sender, now_us
        return changed

    def _set(self, to: Prefix, route: Route, metric: int, next_hop: PeerId, now_us: int, cause: Cause) -> bool:
        if route.next_hop == HERE or (route.metric, route.next_hop) == (metric, next_hop):
            return False
        changed = route.metric != metric
        route.metric, route.next_hop = metric, next_hop
        if metric < INFINITY:
            # A new route that came with a regular update has no cause: it gets that of the change that it repairs.
            cause, route.lost = cause or route.lost, 0
            route.dead_us = None
        elif route.dead_us is None:
            route.dead_us, route.lost = now_us, cause
            self.due_us = min(self.due_us, now_us + GARBAGE_US)
        if changed:
            self.changes += 1
            self.fresh[to] = cause
        return changed

    def lose(self, neighbour: PeerId, now_us: int, cause: Cause = 0) -> bool:
        """A link is gone: routes over it cannot be used any more. Returns whether there were some."""
        lost = [(to, one) for to, one in self.routes.items() if one.next_hop == neighbour and one.metric < INFINITY]
        for to, route in lost:
            self._set(to, route, INFINITY, neighbour, now_us, cause)
        return bool(lost)

    def expire(self, now_us: int) -> dict[Prefix, PeerId]:
        """Time out routes that were not heard of for 180 s, and remove those that were dead for 120 s. Returns for each
        destination that timed out the neighbour that was silent."""
        silent: dict[Prefix, PeerId] = {}
        if now_us < self.due_us:
            return silent
        due_us = now_us + TIMEOUT_US
        for to, route in list(self.routes.items()):
            if route.dead_us is not None:
                if now_us - route.dead_us >= GARBAGE_US:
                    del self.routes[to]
                    self.fresh.pop(to, None)
                    continue
            elif route.next_hop != HERE and now_us - route.heard_us >= TIMEOUT_US:
                self._set(to, route, INFINITY, route.next_hop, now_us, 0)
                silent[to] = route.next_hop
            if route.dead_us is not None:
                due_us = min(due_us, route.dead_us + GARBAGE_US)
            elif route.next_hop != HERE:
                due_us = min(due_us, route.heard_us + TIMEOUT_US)
        self.due_us = due_us
        return silent

    def told_to(
        self, neighbour: PeerId, horizon: SplitHorizon, *, changed_only: bool = False, lies: bool = False
    ) -> list[Entry]:
        """The entries that a neighbour is told: of all routes, or of those that changed. Routes learned from it are
        left out (simple split horizon), or told as unreachable (poisoned reverse). lies: all destinations that can be
        reached are told at distance 0."""
        told: list[Entry] = []
        routes = self.routes
        for destination in self.fresh if changed_only else routes:
            route = routes[destination]
            metric = route.metric
            if lies and metric < INFINITY:
                metric = 0
            elif route.next_hop == neighbour and horizon != "off":
                if horizon == "simple":
                    continue
                metric = INFINITY
            told.append((destination, metric))
        return told

    def causes(self) -> list[Cause]:
        """The causes of changes that were not told yet, each once."""
        return list(dict.fromkeys(cause for cause in self.fresh.values() if cause))

    def all_told(self) -> None:
        """Note that every neighbour was told what changed."""
        self.fresh = {}


# --- the protocol ------------------------------------------------------------------------------------------------


@message(over="datagram")
class Request:
    """Tell me all your routes (3.9.1): family 0 and metric 16."""

    def wire_size(self) -> int:
        return 52


@message(over="datagram", part="question")
class Response:
    """Routes of the sender, at most 25. It counts as upkeep if nothing has changed since its last ones."""

    entries: tuple[tuple[int, int], ...]

    def wire_size(self) -> int:
        return 32 + 20 * len(self.entries)


@dataclass(slots=True)
class Regular:
    """Time for a regular update."""


@dataclass(slots=True)
class Triggered:
    """Routes have changed, and the last triggered update is long enough ago."""


@dataclass(slots=True)
class Aging:
    """Time to look for routes that timed out."""


@dataclass(slots=True)
class RipOptions:
    """The timers and rules of RIP."""

    update_s: float = option(30.0, "time from one regular update to the next, in s", low=5.0, high=300.0, fixed=True)
    jitter_s: float = option(5.0, "each regular update comes up to that much earlier or later, in s", low=0.0, high=5.0)
    in_order: bool = option(
        False,
        "regular updates come in the order of the routers' numbers, 0.1 s apart, and without jitter",
        fixed=True,
    )
    horizon: Literal["off", "simple", "poisoned"] = option(
        "poisoned", "split horizon: what a neighbour is told of routes learned from it"
    )
    triggered: bool = option(True, "tell changes at once, then at most once in 1 to 5 s")
    metric: Literal["hops", "weight"] = option(
        "hops",
        "what a link costs: 1, or its weight in the file of the topology, where 16 and more is too far",
        fixed=True,
    )


@dataclass(slots=True, eq=False)
class DistanceVector(Component, options=RipOptions):
    """RIP at one router. `costs`: neighbour -> metric of the link with it; `quiet_us`: no triggered update is sent
    before then; `waits`: a triggered update is planned; `lies`: it tells that it is next to everything."""

    table: Table = field(default_factory=Table)
    costs: dict[PeerId, int] = field(default_factory=dict)
    quiet_us: int = 0
    waits: bool = False
    lies: bool = False

    @classmethod
    def fill(
        cls, routers: Mapping[PeerId, DistanceVector], near: Mapping[PeerId, Attached], hosts: Mapping[PeerId, Host]
    ) -> None:
        """Fill the tables as they are after a long time: with the cheapest ways, and of equally cheap ones with that
        over the neighbour of the lowest number."""
        for me, router in routers.items():
            router.costs = {one: router.cost(hosts[me], one) for one in near[me].links}
        alike = all(cost == 1 for router in routers.values() for cost in router.costs.values())
        for root in routers:
            far, hops = _by_links(root, near) if alike else _by_costs(root, routers)
            for prefix, more in ((lan_of(root), 0), *((lan_of(one), 1) for one in near[root].hosts)):
                for at, metric in far.items():
                    if metric + more < INFINITY:
                        routers[at].table.routes[prefix] = Route(metric + more, hops[at], 0)
        for router in routers.values():
            router.table.fresh = {}

    def begin(self, host: Host) -> None:
        """The router starts."""
        options = host.options
        period = int(options.update_s * 1e6)
        if options.in_order:
            host.every(period, Regular(), phase=host.me * 100_000)
        else:
            host.after(int(host.rng.random() * period), Regular(), cause=None)
        host.every(1_000_000, Aging())

    def cost(self, host: Host, neighbour: PeerId) -> int:
        return min(INFINITY, host.cost(neighbour)) if host.options.metric == "weight" else 1

    def up(self, host: Host, neighbour: PeerId, cause: Cause) -> None:
        """There is a link with a neighbour: ask it for its routes."""
        self.costs[neighbour] = self.cost(host, neighbour)
        host.send(neighbour, Request(), cause=cause or None, part="question" if cause else "upkeep")

    def down(self, host: Host, neighbour: PeerId, cause: Cause) -> None:
        """The link with a neighbour is gone."""
        if self.costs.pop(neighbour, None) is not None and self.table.lose(neighbour, host.now_us, cause):
            self.trigger(host, cause)

    def announce(self, host: Host, prefix: Prefix, cause: Cause, *, behind: bool = False) -> None:
        self.table.add_own(prefix, host.now_us, cause, int(behind))
        self.trigger(host, cause)

    def withdraw(self, host: Host, prefix: Prefix, cause: Cause) -> None:
        self.table.drop_own(prefix, host.now_us, cause)
        self.trigger(host, cause)

    def lie(self, host: Host, lies: bool, cause: Cause) -> None:
        self.lies = lies
        self.table.fresh = dict.fromkeys(self.table.routes, cause)
        self.trigger(host, cause)

    def next_hop(self, address: int) -> PeerId | None:
        return self.table.next_hop(address)

    def routes(self) -> list[tuple[Prefix, PeerId, int]]:
        """(destination, next hop, distance) of the routes that can be used."""
        return [
            (prefix, one.next_hop, one.metric) for prefix, one in self.table.routes.items() if one.metric < INFINITY
        ]

    def changes(self) -> int:
        return self.table.changes

    def link_to(self, neighbour: PeerId) -> str:
        return f"costs {self.costs.get(neighbour, INFINITY)}"

    @on(Request)
    def requested(self, host: Host, sender: PeerId, message: Request) -> None:
        if sender in self.costs:
            self.tell(host, (sender,), changed_only=False, causes=[host.cause] if host.cause else [])

    @on(Response)
    def heard(self, host: Host, sender: PeerId, message: Response) -> Known:
        cost = self.costs.get(sender)
        if cost is None or not self.table.response(sender, cost, message.entries, host.now_us, host.cause):
            return DUPLICATE
        self.trigger(host, host.cause)
        return None

    @on(Regular)
    def regular(self, host: Host, tick: Regular) -> None:
        """Tell all neighbours all routes."""
        options = host.options
        if not options.in_order:
            next_us = options.update_s + host.rng.uniform(-options.jitter_s, options.jitter_s)
            host.after(max(1_000_000, int(next_us * 1e6)), Regular(), cause=None)
        self.tell(host, self.costs, changed_only=False, causes=self.table.causes())
        self.table.all_told()

    def trigger(self, host: Host, cause: Cause) -> None:
        """Routes have changed: tell them now, or when the last triggered update is long enough ago (3.10.1)."""
        host.emit(TableChanged())
        if not host.options.triggered or self.waits:
            return
        if host.now_us >= self.quiet_us:
            self.triggered(host, Triggered())
        else:
            self.waits = True
            host.after(self.quiet_us - host.now_us, Triggered(), cause=cause)

    @on(Triggered)
    def triggered(self, host: Host, tick: Triggered) -> None:
        """Tell the routes that have changed, unless a regular update has told them meanwhile."""
        self.waits = False
        if self.table.fresh:
            self.tell(host, self.costs, changed_only=True, causes=self.table.causes())
            self.table.all_told()
            self.quiet_us = host.now_us + int(host.rng.uniform(1.0, 5.0) * 1e6)

    @on(Aging)
    def age(self, host: Host, tick: Aging) -> None:
        """Time out routes, and open an ask for each neighbour that was silent."""
        silent = self.table.expire(host.now_us)
        for neighbour in dict.fromkeys(silent.values()):
            link = link_text(host.me, neighbour)
            cause = ask_of_change(host, f"{link}: nothing was heard for 180 s", "silent", link)
            for to in [to for to, one in silent.items() if one == neighbour]:
                self.table.fresh[to] = self.table.routes[to].lost = cause
            self.trigger(host, cause)

    def tell(self, host: Host, whom: Iterable[PeerId], *, changed_only: bool, causes: list[Cause]) -> None:
        """Send routes to some neighbours, to each those that it may be told. causes: those of the changes in them."""
        horizon = host.options.horizon
        part: Part = "question" if causes else "upkeep"
        for neighbour in whom:
            told = self.table.told_to(neighbour, horizon, changed_only=changed_only, lies=self.lies)
            for at in range(0, len(told), ENTRIES_MOST):
                host.send(neighbour, Response(tuple(told[at : at + ENTRIES_MOST])), cause=causes, part=part)


# --- the tables at the beginning ---------------------------------------------------------------------------------


Ways: TypeAlias = tuple[dict[PeerId, int], dict[PeerId, PeerId]]
"""Router -> its distance from a given router (the root), and router -> the neighbour on its way to the root."""


def _by_links(root: PeerId, near: Mapping[PeerId, Attached]) -> Ways:
    """The ways where each link costs 1: by breadth-first search."""
    far = {root: 0}
    hops = {root: HERE}
    queue = [root]
    for at in queue:
        if far[at] + 1 < INFINITY:
            for one in near[at].links:
                if one not in far:
                    far[one], hops[one] = far[at] + 1, at
                    queue.append(one)
                elif far[one] == far[at] + 1:
                    hops[one] = min(hops[one], at)
    return far, hops


def _by_costs(root: PeerId, routers: Mapping[PeerId, DistanceVector]) -> Ways:
    """The ways by the costs of links: by Dijkstra's algorithm."""
    far = {root: 0}
    hops = {root: HERE}
    heap = [(0, root)]
    while heap:
        distance, at = heappop(heap)
        if distance > far[at]:
            continue
        for one in routers[at].costs:
            there = distance + routers[one].costs[at]
            if there < far.get(one, INFINITY):
                far[one], hops[one] = there, at
                heappush(heap, (there, one))
            elif there == far.get(one):
                hops[one] = min(hops[one], at)
    return far, hops
