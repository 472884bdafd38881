"""The world at the start of a run, generated from the setup: links, delays, access links, files, recorded sessions.

It is separate from the swarm because it never changes. So another swarm may begin in the same world, and checkpoints
need not contain it. A recording contains it, so that it can be replayed even if the files that the world was read from
are gone or the generators have changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property

from ..api import File, Line, Station
from ..commands import Set
from ..errors import InputError
from ..files import read_packed
from ..setup import Setup
from ..sim.rng import Stream
from ..values import dataclass
from . import access_links, churn, content, latency, topology


@dataclass(frozen=True, eq=False)
class World:
    """All that does not change while a swarm runs. Nothing may modify it.

    graph      links between peers 0..graph.n-1
    delays     latency between these peers and the stations, whose ids begin at graph.n
    catalogue  titles, and the library of each peer at the start
    lines      access links of peers and stations; empty where nothing is limited
    trace      recorded sessions, where the setup's churn names a file
    inputs     contents of the files that commands of the schedule name, by the name, as `files.read_packed` returns
               them: they are parsed when the command is carried out, since they may name peers that arrive before it
    notes      sentences for the user: where the world is not exactly what the setup says, and how a file was understood
    """

    graph: topology.Topology
    delays: latency.Latency
    catalogue: content.Catalogue
    lines: tuple[Line, ...] = ()
    trace: churn.SessionTrace | None = None
    notes: tuple[str, ...] = ()
    inputs: Mapping[str, bytes] = field(default_factory=dict)

    @cached_property
    def files(self) -> tuple[File, ...]:
        """All files at the start, each once, those of the catalogue first."""
        held = (file for library in self.catalogue.libraries for file in library.files())
        return tuple(dict.fromkeys((*self.catalogue.files, *held)))

    @classmethod
    def generate(cls, setup: Setup, stations: Callable[[int], Sequence[Station]]) -> World:
        """Generate the world of a setup. `stations(n)` returns the infrastructure of a network with n peers.

        Raises InputError for a topology, latency, capacity, content or session file that cannot be used.
        """
        graph = topology.build(setup.topology, setup.peers, Stream(f"{setup.seed}/topology"))
        count = len(stations(graph.n))
        delays = latency.build(setup.latency, graph.n + count, setup.seed)
        lines = tuple(access_links.generate(setup.links, graph.n, count, setup.seed))
        catalogue = content.Catalogue.generate(setup.content, graph.n, setup.seed)
        notes = (*graph.notes, *delays.notes, *catalogue.notes)
        made = cls(graph, delays, catalogue, lines, notes=notes, inputs=_inputs_of(setup))
        if not churn.is_trace(setup.churn):
            return made
        from .readers import sessions  # readers of files are imported where a file is read

        labels = (*made.names(), *(station.label for station in stations(graph.n)))
        trace = sessions.load(setup.churn.strip(), labels)
        return replace(made, trace=trace, notes=(*notes, *trace.notes))

    @property
    def width(self) -> int:
        """Digits in a peer's label."""
        return len(str(self.graph.n - 1)) if self.graph.n > 1000 else 3

    def names(self) -> tuple[str, ...]:
        """Labels of the peers: those of a loaded file, or p000, p001, ..."""
        return self.graph.labels or tuple(f"p{i:0{self.width}d}" for i in range(self.graph.n))

    def libraries(self) -> list[content.SharedFiles]:
        """A fresh copy of each peer's library."""
        return [library.copy() for library in self.catalogue.libraries]


def _inputs_of(setup: Setup) -> dict[str, bytes]:
    """Contents of the files that commands of the schedule name. Raises InputError, with the time of the command."""
    inputs: dict[str, bytes] = {}
    for at_us, command in setup.schedule:
        spec = str(command.value).strip() if isinstance(command, Set) and command.name == "churn" else ""
        if spec and spec not in inputs and churn.is_trace(spec):
            from .readers import sessions  # readers of files are imported where a file is read

            try:
                inputs[spec] = read_packed(spec, sessions.EXPECTED)
            except InputError as error:
                raise InputError(f"at {at_us / 1e6:g} s, set: {error}") from None
    return inputs
