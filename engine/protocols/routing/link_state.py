"""The link state database of a router and its shortest paths, by the rules of OSPF version 2 (RFC 2328).

Each router describes its own links in an LSA, which is flooded to all. So each has the whole map, and computes its own
shortest paths on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Literal, NamedTuple

from ...api import PeerId

FIRST_SEQUENCE = -0x7FFFFFFF
"""InitialSequenceNumber, 0x80000001 as a signed number (12.1.6)."""
MAX_AGE_S, REFRESH_S = 3_600, 1_800
MIN_LS_INTERVAL_US, MIN_LS_ARRIVAL_US = 5_000_000, 1_000_000
MAX_AGE_DIFF_S = 900


class Lsa(NamedTuple):
    """A router LSA. `links`: (neighbour, cost), by neighbour. `age_s`: when it was sent on."""

    router: PeerId
    sequence: int
    age_s: int
    links: tuple[tuple[PeerId, int], ...]


Verdict = Literal["newer", "same", "older"]


def compare(new: Lsa, old: Lsa | None) -> Verdict:
    """Which of two LSAs of one router is more recent: by sequence, then one that has reached MaxAge, then by an age
    that differs by more than 15 minutes (13.1)."""
    if old is None or new.sequence != old.sequence:
        return "newer" if old is None or new.sequence > old.sequence else "older"
    if (new.age_s >= MAX_AGE_S) != (old.age_s >= MAX_AGE_S):
        return "newer" if new.age_s >= MAX_AGE_S else "older"
    if abs(new.age_s - old.age_s) > MAX_AGE_DIFF_S:
        return "newer" if new.age_s < old.age_s else "older"
    return "same"


@dataclass(slots=True)
class Stored:
    """An LSA in the database, and when it came."""

    lsa: Lsa
    at_us: int

    def aged(self, now_us: int) -> Lsa:
        """The LSA with its present age."""
        return self.lsa._replace(age_s=min(MAX_AGE_S, self.lsa.age_s + (now_us - self.at_us) // 1_000_000))


@dataclass(slots=True)
class Database:
    """The LSAs of all routers that this one has heard of."""

    stored: dict[PeerId, Stored] = field(default_factory=dict)

    def get(self, router: PeerId, now_us: int) -> Lsa | None:
        """The LSA of a router, with its present age."""
        one = self.stored.get(router)
        return None if one is None else one.aged(now_us)

    def install(self, lsa: Lsa, now_us: int) -> bool:
        """Put an LSA in that is newer. Returns whether the map changed by it."""
        old = self.stored.get(lsa.router)
        self.stored[lsa.router] = Stored(lsa, now_us)
        before = () if old is None or old.lsa.age_s >= MAX_AGE_S else old.lsa.links
        return before != (() if lsa.age_s >= MAX_AGE_S else lsa.links)

    def expire(self, now_us: int) -> list[PeerId]:
        """Remove LSAs that reached MaxAge; returns whose."""
        gone = [router for router, one in self.stored.items() if one.aged(now_us).age_s >= MAX_AGE_S]
        for router in gone:
            del self.stored[router]
        return gone

    def shortest_paths(self, root: PeerId) -> dict[PeerId, tuple[int, PeerId]]:
        """Destination -> (distance, next hop), by Dijkstra (16.1). A link counts only if both of its ends list it. Of
        equal paths the one over the lower next hop is taken."""
        links = {router: dict(one.lsa.links) for router, one in self.stored.items()}
        best: dict[PeerId, tuple[int, PeerId]] = {root: (0, root)}
        done: set[PeerId] = set()
        heap: list[tuple[int, PeerId, PeerId]] = [(0, root, root)]
        while heap:
            distance, hop, router = heappop(heap)
            if router in done:
                continue
            done.add(router)
            for neighbour, cost in links.get(router, {}).items():
                if neighbour in done or router not in links.get(neighbour, {}):
                    continue
                first = neighbour if router == root else hop
                there = (distance + cost, first)
                if neighbour not in best or there < best[neighbour]:
                    best[neighbour] = there
                    heappush(heap, (*there, neighbour))
        del best[root]
        return best
