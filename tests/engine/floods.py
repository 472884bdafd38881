"""What a flood should reach and cost: closed forms, computed without code of the engine.

At TTL T a question of `source` reaches the nodes at distances 1 to T. It costs deg(source) messages at its source, and
each node v at a distance from 1 to T-1 passes it on to all its neighbours but the one it came from: deg(v) - 1. A
flood that ends because there are no new nodes has crossed each link of its component twice, except the links by which
the question first came: 2E - (N - 1).

Ritter ("Why Gnutella Can't Scale", 2001) counts the nodes that a flood can reach in an infinite tree in which each node
has N connections: N at the first hop, and N - 1 for each of those at the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from engine import Setup, Swarm
from engine.commands import AskFor, Set

NOBODY_HAS_IT = "no such thing"
HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Crawl:
    """A graph: the ids in its file, ascending, and the neighbours of each by their places in that order."""

    path: Path
    ids: list[int]
    near: list[list[int]]

    @classmethod
    def read(cls, path: Path) -> Crawl:
        pairs = [tuple(map(int, line.split())) for line in path.read_text().splitlines() if line[:1] not in ("#", "")]
        ids = sorted({node for pair in pairs for node in pair})
        place = {node: at for at, node in enumerate(ids)}
        near: list[set[int]] = [set() for _ in ids]
        for one, other in pairs:
            if one != other:
                near[place[one]].add(place[other])
                near[place[other]].add(place[one])
        return cls(path, ids, [sorted(row) for row in near])

    def distances(self, source: int) -> dict[int, int]:
        """Node -> hops from `source`, for each node that it can reach."""
        found, front, hops = {source: 0}, [source], 0
        while front:
            hops += 1
            front = list(dict.fromkeys(v for u in front for v in self.near[u] if v not in found))
            found.update((v, hops) for v in front)
        return found

    @cached_property
    def largest(self) -> list[int]:
        """The nodes of the largest component, ascending."""
        best: list[int] = []
        seen: set[int] = set()
        for node in range(len(self.near)):
            if node not in seen:
                component = self.distances(node)
                seen.update(component)
                best = max(best, sorted(component), key=len)
        return best

    def busiest(self, count: int) -> list[int]:
        """The nodes with the most neighbours."""
        return sorted(range(len(self.near)), key=lambda node: (-len(self.near[node]), node))[:count]

    def spread(self, count: int) -> list[int]:
        """So many nodes of the largest component, at equal steps of their ids."""
        return [self.largest[len(self.largest) * i // count] for i in range(count)]

    def expected(self, source: int, ttls: Iterable[int]) -> list[tuple[int, int]]:
        """(reached, messages) of a flood of each TTL."""
        hops = self.distances(source)
        made = []
        for ttl in ttls:
            reached = sum(1 for d in hops.values() if 0 < d <= ttl)
            passed_on = sum(len(self.near[v]) - 1 for v, d in hops.items() if 0 < d < ttl)
            made.append((reached, len(self.near[source]) + passed_on))
        return made

    def whole(self) -> tuple[int, int]:
        """(reached, messages) of a flood of the largest component without a TTL: N - 1 and 2E - N + 1."""
        ends = sum(len(self.near[v]) for v in self.largest)
        return len(self.largest) - 1, ends - len(self.largest) + 1


def ritter(degree: int, ttl: int) -> int:
    """How many peers a flood reaches in Ritter's tree: his f(N, T)."""
    return sum(degree * (degree - 1) ** (hop - 1) for hop in range(1, ttl + 1))


def still(topology: str | Path, peers: int = 1) -> Swarm:
    """Gnutella in which every hop takes 50 ms, without loss, churn and background asks."""
    options = {"download": False}
    return Swarm(Setup("gnutella", peers, topology=str(topology), latency="constant:50", options=options, asks_per_s=0))


def flood(swarm: Swarm, source: int, ttls: Iterable[int]) -> list[tuple[int, int]]:
    """(reached, messages) of an ask of each TTL, one after the other."""
    made = []
    swarm.do(Set("hop_limit", 15))
    for ttl in ttls:
        swarm.do(Set("ttl", ttl))
        swarm.do(AskFor(f"#{source}", NOBODY_HAS_IT))
        assert swarm.advance_quiet(swarm.now_us + HOUR_US)
        row = swarm.asks()[-1]
        made.append((row.reached, row.messages))
    return made
