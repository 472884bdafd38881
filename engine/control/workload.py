"""Churn, background asks, samples, and commands that are due: what happens without a person. By engine timers.

A peer that a person killed stays dead: churn leaves it alone until that is undone. Each peer
has a churn stream of its own, so that a kill of one does not shift the sessions of another; whether a session ends
politely is drawn from another stream, so that it shifts no session either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..analysis.gauges import Gauges
from ..api import PeerId
from ..commands import Command
from ..errors import InputError
from ..measure.events import Churned
from ..measure.snapshot import ALIVE, DEAD, LEFT
from ..sim.kernel import Timer
from ..sim.rng import Stream
from ..simulation import Simulation
from ..world.churn import Churn, parse
from ..world.content import Catalogue
from ..world.readers import sessions

SAMPLE_US = 1_000_000
ASKERS_TRIED = 8
ASKS_PER_S_MAX = 10_000.0
LONG_US = 10**15
"""Thirty years: what is due later than that is not armed."""


@dataclass(slots=True)
class SessionEnds:
    """A peer's session is over: it is killed, or it leaves."""

    peer: PeerId
    round: int


@dataclass(slots=True)
class Returns:
    """A peer's downtime is over."""

    peer: PeerId
    round: int


@dataclass(slots=True)
class NextAsk:
    """The next background ask."""

    round: int


@dataclass(slots=True)
class Sample:
    """A second has passed."""


@dataclass(slots=True)
class Due:
    """A command of the scenario, or a step of the attack of this number."""

    command: Command
    by: str = "scenario"
    attack: int = 0


class Workload:
    """Churn, background asks and due commands of a simulation."""

    def __init__(self, sim: Simulation, catalogue: Catalogue, seed: int) -> None:
        self.simulation = sim
        self.catalogue = catalogue
        self.gauges = Gauges(sim)
        self.seed = seed
        self.churn: Churn | None = None
        self.trace: sessions.SessionTrace | None = None
        """One of the two at most."""
        self.churn_spec = "none"
        self.polite = 0.0
        """The share of sessions that end in a goodbye."""
        self.asks_per_s = 0.0
        self._streams = [Stream(f"{seed}/churn/{peer}") for peer in range(sim.n)]
        self._polite_streams: dict[PeerId, Stream] = {}
        self._rounds = [0] * sim.n
        self._stopped = [False] * sim.n
        """Peers that a person has stopped: churn does not start them again."""
        self.attack = 0
        """The attack whose step is being done, 0 where it is none's. What that sets in motion is the attack's too."""
        self.off: dict[int, None] = {}
        """Attacks that were called off: what is due of them is not done."""
        self._asking = Stream(f"{seed}/asks")
        self._asking_round = 0

    def later(self, delay_us: int, tick: Any, period_us: int = 0) -> None:
        """Set an engine timer."""
        sim = self.simulation
        sim.kernel.arm(sim.kernel.now_us + delay_us, Timer(-1, 0, tick, 0, sim.null_record, period_us))

    def enqueue(self, due: Due) -> None:
        """Have a command done at the end of this instant."""
        self.simulation.kernel.due.append(due)

    def fire(self, tick: Any) -> None:
        """An engine timer of this file is due."""
        match tick:
            case Sample():
                sim = self.simulation
                alive = sim.state == ALIVE
                sim.metrics.sample(int(alive.sum()), int((alive & sim.censored).sum()), self.gauges.read)
                sim.network.links.forget(sim.n, sim.kernel.now_us)
            case Due():
                self.enqueue(tick)
            case NextAsk(number) if number == self._asking_round:
                self._issue_ask()
                self._next_ask()
            case SessionEnds(peer, number) if number == self._rounds[peer]:
                politely = self._politely(peer)
                self.simulation.end(peer, LEFT if politely else DEAD)
                self.simulation.event_log.append(Churned, peer, "leave" if politely else "kill")
                self._wait(peer, Returns, self._away_us(peer))
            case Returns(peer, number) if number == self._rounds[peer]:
                back = "revive" if self.simulation.state[peer] == DEAD else "join"
                self.simulation.start(peer)
                self.simulation.event_log.append(Churned, peer, back)
                self._wait(peer, SessionEnds, self._stay_us(peer))

    # --- churn ---------------------------------------------------------------------------------------------

    def begin(self, spec: str, polite: float, trace: sessions.SessionTrace | None) -> list[PeerId]:
        """Churn from the start, at equilibrium: returns the peers that are up at t = 0. `trace`: that of the spec, if
        it names one."""
        self._follow(spec, trace)
        self.polite = polite
        sim, up = self.simulation, []
        for peer in sim.users():
            alive, left_us = True, None
            if self.churn is not None:
                begun = self.churn.start(self._streams[peer])
                alive, left_us = begun.up, _us(begun.left_s)
                sim.since_us[peer] = -_us(begun.age_s)
            elif self.trace is not None:
                alive = self.trace.up(peer, 0)
                left_us = self.trace.stay_us(peer, 0) if alive else self.trace.away_us(peer, 0)
                sim.since_us[peer] = self.trace.since_us(peer, 0)
            if alive:
                up.append(peer)
            self._wait(peer, SessionEnds if alive else Returns, left_us)
        return up

    def set_churn(self, spec: str, contents_of: Callable[[str], bytes | None]) -> None:
        """From now on sessions are drawn anew: those that run, run on for a fresh session. A trace is followed from
        where it stands now: who should be up or down by it, soon is. `contents_of` returns the contents of the file
        that a spec names, None if it names none. Raises InputError, and has then changed nothing."""
        contents = contents_of(spec)
        trace = None if contents is None else sessions.load(spec.strip(), self.simulation.labels, contents)
        self._follow(spec, trace)
        now_us = self.simulation.kernel.now_us
        for peer in self.simulation.users():
            self._rounds[peer] += 1
            alive = bool(self.simulation.state[peer] == ALIVE)
            if not alive and self._stopped[peer]:
                continue
            if self.trace is not None and self.trace.up(peer, now_us) != alive:
                self._wait(peer, SessionEnds if alive else Returns, 1)
            elif alive:
                self._wait(peer, SessionEnds, self._stay_us(peer))
            else:
                self._wait(peer, Returns, self._away_us(peer))

    def grow(self, peers: Sequence[PeerId]) -> None:
        """Room for newcomers."""
        self._streams += [Stream(f"{self.seed}/churn/{peer}") for peer in peers]
        self._rounds += [0] * len(peers)
        self._stopped += [False] * len(peers)

    def settle(self, peer: PeerId) -> None:
        """A newcomer has started: its first session."""
        self._wait(peer, SessionEnds, self._stay_us(peer))

    def touched(self, peer: PeerId) -> None:
        """A person started or stopped this peer: its churn begins anew, or waits until it lives again."""
        if self.simulation.infrastructure[peer]:
            return
        self._rounds[peer] += 1
        self._stopped[peer] = bool(self.simulation.state[peer] != ALIVE)
        if not self._stopped[peer]:
            self._wait(peer, SessionEnds, self._stay_us(peer))

    def _follow(self, spec: str, trace: sessions.SessionTrace | None) -> None:
        """Read a spec. Raises InputError, and has then changed nothing."""
        if trace is None and sessions.is_trace(spec):
            trace = sessions.load(spec.strip(), self.simulation.labels)
        self.churn = parse(spec) if trace is None else None
        self.trace = trace
        self.churn_spec = spec

    def _stay_us(self, peer: PeerId) -> int | None:
        """How long a session that begins now, or is drawn anew now, lasts; None for good."""
        if self.trace is not None:
            return self.trace.stay_us(peer, self.simulation.kernel.now_us)
        return None if self.churn is None else _us(self.churn.session_s(self._streams[peer]))

    def _away_us(self, peer: PeerId) -> int | None:
        """How long who goes now stays away; None for good."""
        if self.trace is not None:
            return self.trace.away_us(peer, self.simulation.kernel.now_us)
        return None if self.churn is None else _us(self.churn.downtime_s(self._streams[peer]))

    def _politely(self, peer: PeerId) -> bool:
        if not self.polite:
            return False
        rng = self._polite_streams.get(peer)
        if rng is None:
            rng = self._polite_streams[peer] = Stream(f"{self.seed}/polite/{peer}")
        return rng.random() < self.polite

    def _wait(self, peer: PeerId, tick: type[SessionEnds] | type[Returns], us: int | None) -> None:
        if us is not None and us < LONG_US:
            self.later(max(1, us), tick(peer, self._rounds[peer]))

    # --- background asks --------------------------------------------------------------------------------------

    def set_asks(self, per_s: float, first_us: int | None = None) -> None:
        """From now on, so many asks a second by all peers together, at exponential intervals; the first in `first_us`
        if that is given."""
        self.asks_per_s = per_s
        self._asking_round += 1
        if first_us is None or per_s <= 0:
            self._next_ask()
        else:
            self.later(first_us, NextAsk(self._asking_round))

    def _next_ask(self) -> None:
        if self.asks_per_s > 0:
            wait_us = _us(self._asking.expovariate(self.asks_per_s))
            if wait_us < LONG_US:
                self.later(max(1, wait_us), NextAsk(self._asking_round))

    def _issue_ask(self) -> None:
        """A living user asks for a popular title that it does not have."""
        sim, rng = self.simulation, self._asking
        alive = np.flatnonzero((sim.state == ALIVE) & ~sim.infrastructure)
        if not len(alive):
            return
        peer = int(alive[rng.randrange(len(alive))])
        want = sim.program.wants
        text = self.catalogue.sample_title(rng)
        if want in ("find", "fetch"):
            for _ in range(ASKERS_TRIED):
                if not sim.libraries[peer].matching(text):
                    break
                text = self.catalogue.sample_title(rng)
        sim.ask(peer, text, want, "background")


def check_asks(per_s: float) -> None:
    """Raise InputError unless so many background asks a second can be."""
    if not 0 <= per_s <= ASKS_PER_S_MAX:
        raise InputError(f"asks per second are a number from 0 to {ASKS_PER_S_MAX:,.0f}, not {per_s}")


def _us(seconds: float) -> int:
    return int(min(seconds * 1e6, LONG_US))
