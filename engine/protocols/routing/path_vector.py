"""The routes of an autonomous system: what it hears, which it takes, whom it tells, by the rules of BGP 4 (RFC 4271)
with the policies of Gao and Rexford.

A route carries the path of systems that it came by, so that nobody takes one that has itself in it. Customers pay
their provider, peers pay nobody: a route is preferred from a customer, then from a peer, then from a provider, and
routes of peers and providers are told to customers only. Then all paths are valley-free and all systems come to rest
(Gao and Rexford, "Stable Internet routing without global coordination", 2001).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ...api import PeerId

Relation = Literal["customer", "peer", "provider"]
"""What a neighbour is to this system."""
PREFERENCE: dict[Relation, int] = {"customer": 300, "peer": 200, "provider": 100}
OWN = 1_000


class Prefix(NamedTuple):
    """`10.3.0.0/16`: the network part as a number, and its length in bits."""

    network: int
    length: int

    def covers(self, address: int) -> bool:
        """Whether an IPv4 address lies in it."""
        return not self.length or address >> (32 - self.length) == self.network >> (32 - self.length)

    def __str__(self) -> str:
        return f"{'.'.join(str(self.network >> shift & 255) for shift in (24, 16, 8, 0))}/{self.length}"


def prefix_of(text: str) -> Prefix:
    """`10.3.0.0/16` as a Prefix. Raises ValueError for what is none."""
    address, slash, length = text.partition("/")
    parts = address.split(".")
    if not slash or not length.isdecimal() or int(length) > 32 or len(parts) != 4:
        raise ValueError(f'a prefix reads as "10.3.0.0/16", not "{text}"')
    if not all(part.isdecimal() and len(part) < 4 and int(part) < 256 for part in parts):
        raise ValueError(f'a prefix has four numbers from 0 to 255, not "{address}"')
    network = sum(int(part) << shift for part, shift in zip(parts, (24, 16, 8, 0), strict=True))
    if network & ((1 << (32 - int(length))) - 1):
        raise ValueError(f'"{text}" has bits of hosts: only the first {length} may be set')
    return Prefix(network, int(length))


class Route(NamedTuple):
    """A route to a prefix: the systems on the way, the next one first; empty for an own prefix."""

    path: tuple[PeerId, ...]
    relation: Relation | None

    @property
    def preference(self) -> int:
        """The local preference."""
        return OWN if self.relation is None else PREFERENCE[self.relation]


@dataclass(slots=True)
class Rib:
    """The routing information base of one system. `heard`: prefix -> neighbour -> route; `best`: the one that is used;
    `own`: prefixes that it announces itself."""

    me: PeerId
    heard: dict[Prefix, dict[PeerId, Route]] = field(default_factory=dict)
    best: dict[Prefix, Route] = field(default_factory=dict)
    own: dict[Prefix, None] = field(default_factory=dict)

    def announce(self, prefix: Prefix) -> bool:
        """Announce an own prefix, whether it is really one's own or not. Returns whether the best route changed."""
        self.own[prefix] = None
        return self._decide(prefix)

    def withdraw(self, prefix: Prefix) -> bool:
        """Announce it no more."""
        self.own.pop(prefix, None)
        return self._decide(prefix)

    def update(self, neighbour: PeerId, relation: Relation, prefix: Prefix, path: tuple[PeerId, ...] | None) -> bool:
        """A neighbour told a path, which begins with itself, or withdrew its route (None). A path with this system in
        it counts as withdrawn. Returns whether the best route changed."""
        routes = self.heard.setdefault(prefix, {})
        if path is None or self.me in path:
            routes.pop(neighbour, None)
            if not routes:
                del self.heard[prefix]
        else:
            routes[neighbour] = Route(path, relation)
        return self._decide(prefix)

    def lose(self, neighbour: PeerId) -> list[Prefix]:
        """A session has ended: all its routes are withdrawn. Returns prefixes whose best route changed."""
        theirs = [prefix for prefix, routes in self.heard.items() if neighbour in routes]
        changed = []
        for prefix in theirs:
            del self.heard[prefix][neighbour]
            if not self.heard[prefix]:
                del self.heard[prefix]
            if self._decide(prefix):
                changed.append(prefix)
        return changed

    def _decide(self, prefix: Prefix) -> bool:
        """Choose the best route: by local preference, then the shorter path, then the lower neighbour (9.1.2)."""
        before = self.best.get(prefix)
        found: Iterable[Route] = self.heard.get(prefix, {}).values()
        if prefix in self.own:
            found = (Route((), None),)
        now = min(found, key=lambda one: (-one.preference, len(one.path), one.path), default=None)
        if now is None:
            self.best.pop(prefix, None)
        else:
            self.best[prefix] = now
        return before != now

    def told_to(self, neighbour: PeerId, relation: Relation, prefix: Prefix) -> tuple[PeerId, ...] | None:
        """The path that a neighbour is told, None for none: everything to customers, to peers and providers only what
        is one's own or a customer's; never back to where it came from."""
        route = self.best.get(prefix)
        if route is None or (route.path and route.path[0] == neighbour):
            return None
        if relation != "customer" and route.relation not in (None, "customer"):
            return None
        return (self.me, *route.path)

    def next_hop(self, address: int) -> PeerId | None:
        """Where a packet to an address goes: the longest prefix that covers it decides. None: nowhere; `me`: it has
        arrived."""
        covering = [prefix for prefix in self.best if prefix.covers(address)]
        if not covering:
            return None
        route = self.best[max(covering, key=lambda one: one.length)]
        return route.path[0] if route.path else self.me


def valley_free(relations: Iterable[Relation]) -> bool:
    """Whether a path goes up to providers, over at most one link of peers, then down to customers. relations: what each
    next system on the way of a packet is to the one before."""
    order = {"provider": 0, "peer": 1, "customer": 2}
    steps = [order[one] for one in relations]
    return steps == sorted(steps) and steps.count(1) <= 1
