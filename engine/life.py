"""What goes on by itself: churn, background asks, samples, the schedule of a scenario. All as engine timers.

A peer that a person killed stays dead: churn lets go of whom a person touched until that is undone. Each peer
has a churn stream of its own, so that a kill of one does not shift the sessions of another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .api import PeerId
from .commands import Command
from .core.kernel import Timer
from .core.rand import Stream
from .gauges import Gauges
from .snapshot import ALIVE, DEAD
from .town import Town
from .world.churn import Churn, parse
from .world.content import Catalogue

SAMPLE_US = 1_000_000
ASKERS_TRIED = 8
ASKS_PER_S_MAX = 100_000.0


@dataclass(slots=True)
class SessionEnds:
    """A peer's session is over: it is killed."""

    peer: PeerId
    round: int


@dataclass(slots=True)
class Returns:
    """A peer's downtime is over."""

    peer: PeerId
    round: int


@dataclass(slots=True)
class NextAsk:
    """A user somewhere wants something."""

    round: int


@dataclass(slots=True)
class Sample:
    """A second has passed."""


@dataclass(slots=True)
class Due:
    """A command of the scenario."""

    command: Command


class Life:
    """Churn and background asks of a town. `due(command)` takes what the schedule brings."""

    def __init__(self, town: Town, catalogue: Catalogue, seed: int, due: Callable[[Command], None]) -> None:
        self.town = town
        self.catalogue = catalogue
        self.due = due
        self.gauges = Gauges(town)
        self.churn: Churn | None = None
        self.churn_spec = "none"
        self.asks_per_s = 0.0
        self._streams = [Stream(f"{seed}/churn/{peer}") for peer in range(town.peers)]
        self._rounds = [0] * town.peers
        self._held = [False] * town.peers
        """Whom a person has stopped: not for churn to bring back."""
        self._asking = Stream(f"{seed}/asks")
        self._asking_round = 0

    def later(self, delay_us: int, tick: Any, period_us: int = 0) -> None:
        """Ring in `delay_us`."""
        town = self.town
        town.kernel.arm(town.kernel.now_us + delay_us, Timer(-1, 0, tick, 0, town.nothing, period_us))

    def rang(self, tick: Any) -> None:
        """An engine timer that is not the town's."""
        match tick:
            case Sample():
                town = self.town
                alive = town.state == ALIVE
                town.books.sample(int(alive.sum()), int((alive & town.censored).sum()), self.gauges.read)
                town.desk.links.forget(town.n, town.kernel.now_us)
            case Due(command):
                self.due(command)
            case NextAsk(number) if number == self._asking_round:
                self._ask()
                self._next_ask()
            case SessionEnds(peer, number) if number == self._rounds[peer]:
                self.town.die(peer, DEAD)
                self.town.tell("churned", peer, "kill")
                self._wait(peer, Returns, self._downtime_s(peer))
            case Returns(peer, number) if number == self._rounds[peer]:
                self.town.start(peer)
                self.town.tell("churned", peer, "revive")
                self._wait(peer, SessionEnds, self._session_s(peer))

    # --- churn ---------------------------------------------------------------------------------------------

    def begin(self, spec: str) -> list[PeerId]:
        """Churn from the start, at equilibrium: returns the peers that are up at t = 0."""
        churn = self.churn = parse(spec)
        self.churn_spec = spec
        if churn is None:
            return list(range(self.town.peers))
        up = []
        for peer, rng in enumerate(self._streams):
            alive, left_s = churn.start(rng)
            if alive:
                up.append(peer)
            self._wait(peer, SessionEnds if alive else Returns, left_s)
        return up

    def set_churn(self, spec: str) -> None:
        """From now on sessions are drawn anew: those that run, run on for a fresh session."""
        churn = self.churn = parse(spec)
        self.churn_spec = spec
        for peer in range(self.town.peers):
            self._rounds[peer] += 1
            if churn is None:
                continue
            if self.town.state[peer] == ALIVE:
                self._wait(peer, SessionEnds, self._session_s(peer))
            elif self.town.state[peer] == DEAD and not self._held[peer]:
                self._wait(peer, Returns, self._downtime_s(peer))

    def touched(self, peer: PeerId) -> None:
        """A person started or stopped this peer: its churn begins anew, or waits until it lives again."""
        if peer >= self.town.peers:
            return
        self._rounds[peer] += 1
        self._held[peer] = bool(self.town.state[peer] != ALIVE)
        if self.churn is not None and not self._held[peer]:
            self._wait(peer, SessionEnds, self._session_s(peer))

    def _session_s(self, peer: PeerId) -> float:
        assert self.churn is not None
        return self.churn.session_s(self._streams[peer])

    def _downtime_s(self, peer: PeerId) -> float:
        assert self.churn is not None
        return self.churn.downtime_s(self._streams[peer])

    def _wait(self, peer: PeerId, tick: type[SessionEnds] | type[Returns], seconds: float) -> None:
        if seconds < 1e9:
            self.later(max(1, int(seconds * 1e6)), tick(peer, self._rounds[peer]))

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
            self.later(max(1, int(self._asking.expovariate(self.asks_per_s) * 1e6)), NextAsk(self._asking_round))

    def _ask(self) -> None:
        """Somebody alive asks for something popular that it does not have."""
        town, rng = self.town, self._asking
        alive = np.flatnonzero(town.state[: town.peers] == ALIVE)
        if not len(alive):
            return
        peer = int(alive[rng.randrange(len(alive))])
        want = town.program.wants
        text = self.catalogue.draw_ask(rng)
        if want in ("find", "fetch"):
            for _ in range(ASKERS_TRIED):
                if not town.shelves[peer].matching(text):
                    break
                text = self.catalogue.draw_ask(rng)
        town.ask(peer, text, want, "background")
