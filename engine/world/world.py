"""The world as a run begins, drawn once from the setup: who is linked to whom, how long messages take, who has what.

It stands apart from the swarm that is put into it because it never changes. A second swarm may begin in the same
world, checkpoints need not carry it, and a recording that carries it replays though the files that it came from are
gone and the generators have learned new ways.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ..api import File, Line, Station
from ..setup import Setup
from ..sim.rng import Stream
from . import access_links, content, topology
from . import latency as places
from .readers import sessions


@dataclass(frozen=True, eq=False)
class World:
    """graph: the links of peers 0..graph.n-1; delays: of these and, from graph.n on, of the stations; catalogue: what
    there is to find and, for each peer, the shelf that it begins with; lines: of peers and stations, none where nothing
    limits anybody; trace: who comes and goes when, if that is what the churn of the setup names; notes: sentences for
    the person about what is not quite as asked for, or how a file was understood.

    Nobody may change any of it.
    """

    graph: topology.Topology
    delays: places.Latency
    catalogue: content.Catalogue
    lines: tuple[Line, ...] = ()
    trace: sessions.Trace | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def files(self) -> tuple[File, ...]:
        """All files there are at the start, once each, those of the catalogue first."""
        held = (file for shelf in self.catalogue.shelves for file in shelf.files())
        return tuple(dict.fromkeys((*self.catalogue.files, *held)))

    @classmethod
    def draw(cls, setup: Setup, stations: Callable[[int], Sequence[Station]]) -> World:
        """What a setup says; `stations(peers)` is what infrastructure so many peers have.

        Raises InputError for a topology, a latency or a content that cannot be.
        """
        graph = topology.build(setup.topology, setup.peers, Stream(f"{setup.seed}/topology"))
        count = len(stations(graph.n))
        delays = places.build(setup.latency, graph.n + count, setup.seed)
        lines = tuple(access_links.draw(setup.links, graph.n, count, setup.seed))
        notes = (*graph.notes, *delays.notes)
        made = cls(graph, delays, content.Catalogue.draw(setup.content, graph.n, setup.seed), lines, notes=notes)
        if not sessions.is_trace(setup.churn):
            return made
        labels = (*made.names(), *(station.label for station in stations(graph.n)))
        trace = sessions.load(setup.churn.strip(), labels)
        return replace(made, trace=trace, notes=(*notes, *trace.notes))

    @property
    def width(self) -> int:
        """Digits of a peer's label."""
        return len(str(self.graph.n - 1)) if self.graph.n > 1000 else 3

    def names(self) -> tuple[str, ...]:
        """Labels of the peers: those of a loaded file, or p000 and so on."""
        return self.graph.labels or tuple(f"p{i:0{self.width}d}" for i in range(self.graph.n))

    def shelves(self) -> list[content.Shelf]:
        """A fresh copy of each peer's shelf."""
        return [content.Shelf(shelf.files(), self.catalogue.lexicon) for shelf in self.catalogue.shelves]
