"""A town from a setup: the overlay, places, libraries, peers and stations, before anybody has started."""

from __future__ import annotations

from dataclasses import dataclass

from .api import PARTS, Peer
from .control.workload import ASKS_PER_S_MAX
from .errors import InputError
from .measure.snapshot import Kind
from .options import options_for
from .registry import messages_of, network
from .setup import Setup
from .sim.links import Links
from .sim.rng import Stream
from .simulation import Town
from .world import access_links, content
from .world.world import World


@dataclass(frozen=True, slots=True)
class Founded:
    """What a swarm begins with. kinds: of messages, by their number; width: digits of a peer's label."""

    town: Town
    world: World
    kinds: tuple[Kind, ...]
    width: int


def found(setup: Setup, program: type[Peer] | None, world: World | None) -> Founded:
    """Peers asked for come first, stations after them. `world` stands in for the one that would be drawn.

    Raises InputError when the setup cannot be, or the world is not one for it.
    """
    if program is None:
        program = network(setup.protocol)
    if not 0 <= setup.loss < 1:
        raise InputError(f"loss is a share from 0 to less than 1, not {setup.loss}")
    if not 0 <= setup.asks_per_s <= ASKS_PER_S_MAX:
        raise InputError(f"asks per second are a number from 0 to {ASKS_PER_S_MAX:,.0f}, not {setup.asks_per_s}")
    options = options_for(program, setup.options, "options")
    access_links.check(setup.links)
    if world is None:
        world = World.draw(setup, lambda peers: program.stations(options, peers))
    graph, delays = world.graph, world.delays
    stations = program.stations(options, graph.n)
    n = graph.n + len(stations)
    if len(delays.place) != n or len(world.catalogue.shelves) != graph.n:
        raise InputError(f"the world should have {graph.n:,} peers and {len(stations):,} stations")
    shelves = [*world.shelves(), *(content.Shelf((), world.catalogue.lexicon) for _ in stations)]
    crew = [program] * graph.n + [station.program for station in stations]
    links = Links(delays, setup.loss, Stream(f"{setup.seed}/loss"))
    messages = messages_of(program, *(station.program for station in stations))
    town = Town(program, crew, messages, links, shelves, setup.seed, options)
    town.stations = tuple(range(graph.n, n))
    town.infrastructure[graph.n :] = True
    town.lay(world.lines)
    links.set_jitter(round(setup.links.jitter_ms * 1000), town.kernel)
    town.labels = [*world.names(), *(station.label for station in stations)]
    town.operators = [""] * graph.n + [station.operator for station in stations]
    kinds = tuple(Kind(kind.kind, PARTS[kind.part_code], kind.over) for kind in messages)
    return Founded(town, world, kinds, world.width)
