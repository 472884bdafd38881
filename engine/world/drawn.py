"""The world as a run begins, drawn once from the setup: who is linked to whom, how long messages take, who has what.

It stands apart from the swarm that is put into it because it never changes. A second swarm may begin in the same
world, checkpoints need not carry it, and a recording that carries it replays though the files that it came from are
gone and the generators have learned new ways.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from ..api import File, Line
from ..core.rand import Stream
from ..setup import Setup
from . import capacity, content, places, topology


@dataclass(frozen=True, eq=False)
class World:
    """graph: the links of peers 0..graph.n-1; delays: of these and, from graph.n on, of the stations; catalogue: what
    there is to find and, for each peer, the shelf that it begins with; lines: of peers and stations, none where nothing
    limits anybody. Nobody may change any of it."""

    graph: topology.Topology
    delays: places.Latency
    catalogue: content.Catalogue
    lines: tuple[Line, ...] = ()

    @cached_property
    def files(self) -> tuple[File, ...]:
        """All files there are at the start, once each, those of the catalogue first."""
        held = (file for shelf in self.catalogue.shelves for file in shelf.files())
        return tuple(dict.fromkeys((*self.catalogue.files, *held)))

    @classmethod
    def draw(cls, setup: Setup, stations: Callable[[int], int]) -> World:
        """What a setup says; `stations(peers)` is how much infrastructure so many peers have.

        Raises InputError for a topology, a latency or a content that cannot be.
        """
        graph = topology.build(setup.topology, setup.peers, Stream(f"{setup.seed}/topology"))
        count = stations(graph.n)
        delays = places.build(setup.latency, graph.n + count, setup.seed)
        lines = tuple(capacity.draw(setup.links, graph.n, count, setup.seed))
        return cls(graph, delays, content.Catalogue.draw(setup.content, graph.n, setup.seed), lines)

    def shelves(self) -> list[content.Shelf]:
        """A fresh copy of each peer's shelf."""
        return [content.Shelf(shelf.files()) for shelf in self.catalogue.shelves]
