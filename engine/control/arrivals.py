"""Newcomers and departures while a swarm runs, singly or many within some seconds.

A newcomer is a new peer. It gets the next PeerId, a place, a library like those of the others and random streams of its
own, and starts. Its protocol has to find the network; the engine only gives it the bootstrap peers. `LOOK_US` later
the engine checks whether it has joined; if not, an `Adrift` event states the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..api import PeerId
from ..commands import Arrive, Depart
from ..errors import InputError
from ..measure.events import Adrift, Arrived, Churned
from ..measure.snapshot import ALIVE, DEAD, LEFT
from ..options import as_number, as_whole
from ..setup import ArrivalSpec, LinkSpec
from ..sim.rng import Stream
from ..simulation import Simulation
from ..values import dataclass
from ..world import access_links
from ..world.churn import Churn, parse_arrivals
from ..world.content import NewcomerLibraries
from ..world.latency import Latency
from ..world.topology import PEERS_MAX
from .workload import Workload

LOOK_US = 12_000_000
"""Time after which a newcomer is checked: long enough for two rounds of calls that are not answered."""


@dataclass(slots=True)
class NextArrival:
    """The next newcomer of the law of arrivals."""

    round: int


@dataclass(slots=True)
class Arrival:
    """A newcomer of a crowd is due."""

    operator: str
    via: tuple[PeerId, ...] | None
    attack: int


@dataclass(slots=True)
class Departure:
    """A peer of a crowd leaves, unless it has restarted meanwhile."""

    peer: PeerId
    epoch: int
    state: int
    attack: int


@dataclass(slots=True)
class JoinCheck:
    """Check whether a newcomer has joined."""

    peer: PeerId
    epoch: int


TICKS = (NextArrival, Arrival, Departure, JoinCheck)


class ArrivalProcess:
    """Arrivals and departures of a simulation. `newcomer_libraries` generates the files of newcomers, `delays` their
    places, and `links` their access links."""

    def __init__(
        self,
        sim: Simulation,
        workload: Workload,
        newcomer_libraries: NewcomerLibraries,
        delays: Latency,
        links: LinkSpec,
        width: int,
    ) -> None:
        self.simulation = sim
        self.workload = workload
        self.newcomer_libraries = newcomer_libraries
        self.delays = delays
        self.links = links
        self.width = width
        """Digits of a label."""
        self.law: Churn | None = None
        self.spec = ArrivalSpec()
        self.came = 0
        """Number of newcomers by the law so far."""
        self._round = 0
        self._gaps = Stream(f"{sim.seed}/arrivals")
        self._crowd = Stream(f"{sim.seed}/crowd")
        self._leaving = Stream(f"{sim.seed}/departures")

    # --- by a law ---------------------------------------------------------------------------------------

    def set_law(self, spec: ArrivalSpec) -> None:
        """Replace the law of arrivals. Raises InputError, and has then changed nothing."""
        law = parse_arrivals(spec.law)
        as_whole(spec.most, "arrivals: most", 0, PEERS_MAX)
        self.law, self.spec = law, spec
        self._round += 1
        if law is not None:
            self._next(law.first_s(self._gaps))

    def _next(self, seconds: float) -> None:
        if self.came < self.spec.most:
            self.workload.later(max(1, int(seconds * 1e6)), NextArrival(self._round))

    def fire(self, tick: Any) -> None:
        """An engine timer of this file is due."""
        match tick:
            case NextArrival(number):
                if number == self._round and self.law is not None and self.simulation.n < PEERS_MAX:
                    self.came += 1
                    self._come(1, "", None)
                    self._next(self.law.session_s(self._gaps))
            case Arrival(operator, via, attack):
                if self.simulation.n < PEERS_MAX and attack not in self.workload.off:
                    self._come(1, operator, via)
            case Departure(peer, epoch, state, attack):
                if self.simulation.kernel.epoch[peer] == epoch and attack not in self.workload.off:
                    self._go(peer, state)
                    self.simulation.event_log.append(Churned, peer, "kill" if state == DEAD else "leave")
            case JoinCheck(peer, epoch):
                self._look(peer, epoch)

    # --- crowds ------------------------------------------------------------------------------------------------

    def arrive(self, command: Arrive, via: tuple[PeerId, ...] | None) -> tuple[PeerId, ...]:
        """Schedule newcomers at random moments of the next `over_s` seconds. Returns those that arrived at once. Raises
        InputError."""
        as_whole(command.count, "arrive: count", 1, PEERS_MAX)
        if self.simulation.n + command.count > PEERS_MAX:
            raise InputError(f"arrive: with {command.count:,} more there would be more than {PEERS_MAX:,} peers")
        _check_span("arrive", command.over_s)
        operator = command.operator or ""
        if not command.over_s:
            return self._come(command.count, operator, via)
        for _ in range(command.count):
            delay_us = max(1, int(self._crowd.random() * command.over_s * 1e6))
            self.workload.later(delay_us, Arrival(operator, via, self.workload.attack))
        return ()

    def depart(self, command: Depart, peers: Sequence[PeerId]) -> tuple[PeerId, ...]:
        """Schedule departures of these peers at random moments of the next `over_s` seconds. Raises InputError."""
        _check_span("depart", command.over_s)
        as_number(command.polite, "depart: polite", 0, 1)
        sim, rng = self.simulation, self._leaving
        going = tuple(peer for peer in peers if sim.state[peer] == ALIVE)
        for peer in going:
            state = LEFT if rng.random() < command.polite else DEAD
            if command.over_s:
                delay_us = max(1, int(rng.random() * command.over_s * 1e6))
                self.workload.later(delay_us, Departure(peer, sim.kernel.epoch[peer], state, self.workload.attack))
            else:
                self._go(peer, state)
        return going

    def _go(self, peer: PeerId, state: int) -> None:
        self.simulation.end(peer, state)
        self.workload.touched(peer)

    def _come(self, count: int, operator: str, via: tuple[PeerId, ...] | None) -> tuple[PeerId, ...]:
        sim, seed = self.simulation, self.simulation.seed
        new = range(sim.n, sim.n + count)
        sim.add_peers(
            [self.newcomer_libraries.generate(peer, seed) for peer in new],
            [self.delays.newcomer_place(peer, seed) for peer in new],
            [access_links.newcomer_line(self.links, peer, seed) for peer in new],
            [f"p{peer:0{self.width}d}" for peer in new],
            operator,
        )
        self.workload.grow(new)
        for peer in new:
            sim.joining[peer] = None
            sim.event_log.append(Arrived, peer, operator)
            sim.start(peer, via)
            self.workload.settle(peer)
            self.workload.later(LOOK_US, JoinCheck(peer, sim.kernel.epoch[peer]))
        return tuple(new)

    # --- whether newcomers have joined --------------------------------------------------------------------------------

    def _look(self, peer: PeerId, epoch: int) -> None:
        sim = self.simulation
        if sim.programs[peer] is None or sim.kernel.epoch[peer] != epoch:
            return
        if sim.has_joined(peer):
            del sim.joining[peer]
        else:
            sim.event_log.append(Adrift, peer, sim.bootstrap_status())


def _check_span(verb: str, over_s: float) -> None:
    as_number(over_s, f"{verb}: over_s", 0, 1e6)
