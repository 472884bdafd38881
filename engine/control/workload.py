"""Churn, background asks, samples and due commands, all by engine timers.

A peer that a person has stopped is not started by churn; only a command starts it again. Each peer has a random stream
of its own for churn, so that a kill does not change the sessions of other peers; whether a session ends politely is
drawn from a further stream, so that this does not change the sessions either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..analysis.gauges import Gauges
from ..api import Goal, PeerId
from ..commands import ASKS_PER_S_MAX, TEXT_MAX, Command
from ..errors import InputError, PeerFailed, plain
from ..measure.events import Churned
from ..measure.snapshot import ALIVE, DEAD, LEFT
from ..sim.kernel import KernelTimer
from ..sim.rng import Stream
from ..simulation import Simulation
from ..values import dataclass
from ..world.churn import Churn, SessionTrace, is_trace, parse
from ..world.content import Catalogue

SAMPLE_US = 1_000_000
SAMPLE_S_LEAST, SAMPLE_S_MOST = 0.01, 3_600.0
ASKERS_TRIED = 8
LONG_US = 10**15
"""Thirty years: no timer is set for a later time."""


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
class Measure:
    """The next sample of the time series, where these are not taken each second."""


@dataclass(slots=True)
class Due:
    """A command of the scenario, or a step of the attack of this number."""

    command: Command
    by: str = "scenario"
    attack: int = 0


def check_sample_s(sample_s: float) -> None:
    """Raise InputError unless samples may be that far apart."""
    if not SAMPLE_S_LEAST <= sample_s <= SAMPLE_S_MOST:
        span = f"from {SAMPLE_S_LEAST:g} to {SAMPLE_S_MOST:,g} s"
        raise InputError(f"sample_s, the time between two samples, should be {span}, not {sample_s}")


class Workload:
    """Churn, background asks and due commands of a simulation."""

    def __init__(self, sim: Simulation, catalogue: Catalogue, seed: int) -> None:
        self.simulation = sim
        self.catalogue = catalogue
        self.gauges = Gauges(sim)
        self.sample_us = SAMPLE_US
        self.seed = seed
        self.churn: Churn | None = None
        self.trace: SessionTrace | None = None
        """Recorded sessions. At most one of `churn` and `trace` is set."""
        self.churn_spec = "none"
        self.polite = 0.0
        """The share of sessions (0..1) that end politely."""
        self.asks_per_s = 0.0
        self._streams = [Stream(f"{seed}/churn/{peer}") for peer in range(sim.n)]
        self._polite_streams: dict[PeerId, Stream] = {}
        self._rounds = [0] * sim.n
        self._stopped = [False] * sim.n
        """Peers that a person has stopped: churn does not start them again."""
        self.attack = 0
        """Number of the attack whose step is carried out, or 0. What the step schedules belongs to it too."""
        self.off: dict[int, None] = {}
        """Numbers of attacks that were called off: their steps are not carried out."""
        self._asking = Stream(f"{seed}/asks")
        self._asking_round = 0

    def later(self, delay_us: int, tick: Any, period_us: int = 0) -> None:
        """Set an engine timer."""
        sim = self.simulation
        sim.kernel.arm(sim.kernel.now_us + delay_us, KernelTimer(-1, 0, tick, 0, sim.null_record, period_us))

    def enqueue(self, due: Due) -> None:
        """Have a command done at the end of this instant."""
        self.simulation.kernel.due.append(due)

    def begin_sampling(self, sample_s: float) -> None:
        """Take samples from now on, `sample_s` seconds apart."""
        self.sample_us = round(sample_s * 1e6)
        self.later(SAMPLE_US, Sample(), SAMPLE_US)
        if self.sample_us != SAMPLE_US:
            self.later(self.sample_us, Measure(), self.sample_us)

    def measures(self, tick: Any) -> bool:
        """Whether a sample is taken at this tick."""
        return isinstance(tick, Measure) or (isinstance(tick, Sample) and self.sample_us == SAMPLE_US)

    def fire(self, tick: Any) -> None:
        """An engine timer of this file is due."""
        if tick.__class__ is NextAsk:
            # First, since with many small asks nearly all engine timers are of these.
            if tick.round == self._asking_round:
                self._issue_ask()
                self._next_ask()
            return
        if self.measures(tick):
            sim = self.simulation
            alive = sim.state == ALIVE
            sim.metrics.sample(int(alive.sum()), int((alive & sim.censored).sum()), self.gauges.read)
        match tick:
            case Sample():
                self.simulation.network.forget(self.simulation.n)
            case Due():
                self.enqueue(tick)
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

    def begin(self, spec: str, polite: float, trace: SessionTrace | None) -> list[PeerId]:
        """Begin churn at equilibrium. Returns the peers that are up at t = 0. trace: the recorded sessions, if `spec`
        names a file."""
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
        """Replace the churn. Present sessions end after a newly drawn length. With recorded sessions, peers that are up
        and should be down, or the reverse, change at once. contents_of: returns the contents of the file that a spec
        names, None if it names none. Raises InputError, and has then changed nothing."""
        trace = None
        if (contents := contents_of(spec)) is not None:
            from ..world.readers import sessions  # readers of files are imported where a file is read

            trace = sessions.load(spec.strip(), self.simulation.labels, contents)
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
        """Add newcomers."""
        self._streams += [Stream(f"{self.seed}/churn/{peer}") for peer in peers]
        self._rounds += [0] * len(peers)
        self._stopped += [False] * len(peers)

    def settle(self, peer: PeerId) -> None:
        """Set the end of the first session of a newcomer."""
        self._wait(peer, SessionEnds, self._stay_us(peer))

    def touched(self, peer: PeerId) -> None:
        """A command started or stopped this peer: begin a new session, or suspend its churn until it is started."""
        if self.simulation.infrastructure[peer]:
            return
        self._rounds[peer] += 1
        self._stopped[peer] = bool(self.simulation.state[peer] != ALIVE)
        if not self._stopped[peer]:
            self._wait(peer, SessionEnds, self._stay_us(peer))

    def _follow(self, spec: str, trace: SessionTrace | None) -> None:
        """Read a spec. Raises InputError, and has then changed nothing."""
        if trace is None and is_trace(spec):
            from ..world.readers import sessions  # readers of files are imported where a file is read

            trace = sessions.load(spec.strip(), self.simulation.labels)
        self.churn = parse(spec) if trace is None else None
        self.trace = trace
        self.churn_spec = spec

    def _stay_us(self, peer: PeerId) -> int | None:
        """Length of a session that begins now; None without an end."""
        if self.trace is not None:
            return self.trace.stay_us(peer, self.simulation.kernel.now_us)
        return None if self.churn is None else _us(self.churn.session_s(self._streams[peer]))

    def _away_us(self, peer: PeerId) -> int | None:
        """Time away of a peer that stops now; None without an end."""
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
        """From now on, issue `per_s` asks a second by all peers together, at exponential intervals; the first after
        `first_us` if that is given."""
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
        living = sim.living_users
        if not living.count:
            return
        peer = living.nth(rng.randrange(living.count))
        goal = sim.program.goals[0]
        text = self._text_for(goal, peer)
        if goal.sought == "answer":
            for _ in range(ASKERS_TRIED):
                if not sim.libraries[peer].matching(text):
                    break
                text = self._text_for(goal, peer)
        sim.ask(peer, text, goal, "background")

    def _text_for(self, goal: Goal, peer: PeerId) -> str:
        """What a user asks for next. Raises PeerFailed."""
        if not callable(goal.draw):
            if isinstance(goal.examples, tuple):
                return plain(self._asking.choice(goal.examples), limit=TEXT_MAX).strip()
            return self.catalogue.sample_title(self._asking)
        try:
            drawn = goal.draw(self.catalogue.titles, self._asking, self.simulation.kernel.now_us)
            return plain(drawn, limit=TEXT_MAX).strip()
        except Exception as error:
            raise PeerFailed(peer, f"the text of a {goal.name}", error) from error


def check_asks(per_s: float) -> None:
    """Raise InputError unless this number of background asks a second is possible."""
    if not 0 <= per_s <= ASKS_PER_S_MAX:
        raise InputError(f"asks per second are a number from 0 to {ASKS_PER_S_MAX:,.0f}, not {per_s}")


def _us(seconds: float) -> int:
    return int(min(seconds * 1e6, LONG_US))
