"""The facade: a running network, one door in (`do`), time (`advance`), and views out. All else is behind it.

    swarm = Swarm(Setup(protocol="gnutella", peers=64, seed=7))
    swarm.do(AskFor("p017", "blue train"))
    swarm.advance(until_us=10_000_000)
    swarm.record(1).verdict

Same setup and same commands at the same virtual times give the same run, bit for bit: `fingerprint` tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np

from .analysis import selectors
from .analysis.capture import PeerColumns, SnapshotBuilder
from .analysis.min_cut import MinimumCut, min_cut
from .analysis.stepping import Mover, StepTarget, StepUntil
from .analysis.theory import theory_of
from .analysis.verdict import facts_of, verdict
from .api import AskId, Library, Peer, PeerId, Theory
from .commands import Arrive, Attack, Command, Peers, Set, resolved
from .control import arrivals, effects
from .control.arrivals import ArrivalProcess
from .control.attacks import AttackRunner, Door, Plan, Preset
from .control.effects import CourtOrders, Parts
from .control.workload import SAMPLE_US, Due, Sample, Workload, check_asks
from .errors import InputError, PeerFailed, plain
from .measure.asks import AskRecord, PathCache
from .measure.events import Closed, Commanded, Event, Watcher
from .measure.message_log import LoggedMessage
from .measure.metrics import AskStats
from .measure.snapshot import ALIVE, DEAD, AskRow, Series, Snapshot, Trace
from .setup import Setup
from .sim.rng import Stream
from .simulation import Simulation, SimulationOwner, build_world
from .world import decoys, topology
from .world.content import NewcomerLibraries
from .world.world import World

FIRST_ASK_US = 500_000  # when the first background ask comes, if any: nobody should look at a still picture
INSIDE = ("scenario", "court", "attack")  # who gives commands that follow from the seed and from other commands
SLICE = 50_000
"""Deliveries between two counts of the log when nobody set a budget: bounds the log."""


class Swarm(SimulationOwner, Door):
    """A network of peers from a `Setup`. Raises InputError when the setup cannot be.

    `program` stands in for the network that `setup.protocol` names: a class that is in no file of
    `engine/protocols/`, such as one that a test or a notebook defines. Its messages are those of its module and those
    that its handlers take. `world` stands in for the one that would be drawn from the setup. A swarm pickles while it
    runs, and its copy goes on to the same end.
    """

    def __init__(self, setup: Setup, program: type[Peer] | None = None, world: World | None = None) -> None:
        self.setup = setup
        program, options, world = build_world(setup, program, world)
        check_asks(setup.asks_per_s)
        self.world = world
        self.peers = world.graph.n
        """How many were asked for, infrastructure left out."""
        self.warnings: tuple[str, ...] = world.notes
        self.simulation = sim = Simulation(setup, world, program, options, self)
        self.workload = Workload(sim, world.catalogue, setup.seed)
        newcomer_libraries = NewcomerLibraries.of(world.catalogue.libraries, world.catalogue.word_index)
        self.arrivals = ArrivalProcess(sim, self.workload, newcomer_libraries, world.delays, setup.links, world.width)
        self.columns = PeerColumns(sim, program.name or setup.protocol, world.delays.places, sim.kinds)
        self._attacks = AttackRunner(sim, self.workload, self.columns, self)
        self.court = CourtOrders(self.workload)
        self._parts = Parts(sim, self.workload, self.arrivals, self._attacks, self.court, self)
        self.selector_rng = Stream(f"{setup.seed}/select")
        """What selectors draw from: whoever does again what was recorded with its selectors resolved has to set it."""
        self._named: dict[str, tuple[PeerId, ...]] = {}
        self._paths = PathCache()
        self.failure: PeerFailed | None = None
        self.history: list[tuple[int, Command, str]] = []
        """(virtual time in us, command, by) of all that was done. Churn, background asks and the steps of attacks
        follow from it and the seed."""
        self.given = 0
        """How many of them came from outside, see `INSIDE`."""
        self._look()
        self._begin(world.graph)

    def _look(self) -> None:
        """What only an observer needs: nothing of it decides what happens, and no copy of a swarm has it."""
        self._snapshots = SnapshotBuilder(self.simulation, self.columns)
        self._watcher: Watcher | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_snapshots", "_watcher")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.simulation.thaw()
        self._look()

    def _begin(self, graph: topology.Topology) -> None:
        """t = 0: who is up starts, the overlay stands, and time may run."""
        sim, setup = self.simulation, self.setup
        up = self.workload.begin(setup.churn, setup.polite, self.world.trace)
        living = np.array(up, np.int64)
        sim.state[~sim.infrastructure] = DEAD
        sim.publish_bootstrap(living)
        with self._guard():
            for station in sim.stations:
                sim.start(station)
            for peer in up:
                sim.start(peer, sim.contacts(peer, living))
            if sim.program.overlay:
                alive = sim.state == ALIVE
                both = alive[graph.a] & alive[graph.b]
                for a, b in zip(graph.a[both].tolist(), graph.b[both].tolist(), strict=True):
                    sim.streams.open(a, b)
                for peer in up:
                    program = sim.programs[peer]
                    assert program is not None
                    near = tuple(sim.streams.near[peer])
                    sim.call(peer, "neighbours", program.neighbours, sim.peer_hosts[peer], near)
        self.edges = sim.streams.count
        self.workload.later(SAMPLE_US, Sample(), SAMPLE_US)
        self.workload.set_asks(setup.asks_per_s, FIRST_ASK_US)
        self.arrivals.set_law(setup.arrivals)
        for at_us, command in setup.schedule:
            self.workload.later(at_us, Due(command))

    # --- being watched ------------------------------------------------------------------------------------

    def watch(self, watcher: Watcher) -> None:
        """Report commands from outside and each second of virtual time to `watcher`, and to no other one any more."""
        self._watcher = watcher

    def unwatch(self) -> None:
        """Report to nothing."""
        self._watcher = None

    # --- the door ------------------------------------------------------------------------------------------

    def do(self, command: Command, by: str = "person") -> tuple[PeerId, ...]:
        """Do a command now, or at the end of the instant that a budget cut short. Returns the peers it changed.

        Raises InputError, and has then changed nothing, for a selector, operator or value that cannot be.
        """
        with self._guard():
            self.simulation.kernel.finish_instant()
            return self.carry_out(command, by)

    def carry_out(self, command: Command, by: str) -> tuple[PeerId, ...]:
        """`do` for who is inside an instant already: a command that is due, or a step of an attack."""
        # An attack does its first steps inside of it, and these name peers too.
        outer, self._named = self._named, {}
        before = self.selector_rng.state
        try:
            peers = effects.apply(self._parts, command, by)
            self._log(command, by)
            if isinstance(command, Set) and command.name == "churn" and self.workload.trace is not None:
                self.warnings = (*self.warnings, *self.workload.trace.notes)
        except InputError:
            self.selector_rng.state = before
            raise
        except PeerFailed:
            self._log(command, by)  # it was done, and this is what came of it
            raise
        finally:
            self._named = outer
        # However they were named, these are the peers: a command that was written down and read back is the same.
        rest = [getattr(command, f.name) for f in fields(command) if f.name != "peers"]
        self.simulation.metrics.command(self.now_us, f"{command.verb} {peers} {rest!r}")
        # An eclipse looks for neighbours to take away every other second, mostly in vain.
        if peers or by != "attack" or isinstance(command, Arrive):
            self.simulation.event_log.append(Commanded, command, peers, by)
        self._snapshots.commanded()
        effects.issue_waiting(self._parts)
        return peers

    def _log(self, command: Command, by: str) -> None:
        if by != "attack":
            self.history.append((self.now_us, command, by))
        if by in INSIDE:
            return
        self.given += 1
        if self._watcher is not None:
            self._watcher.on_command(command, resolved(command, self._named), by)

    def end_of_instant(self) -> None:
        """Do the commands of the scenario, steps of attacks and orders of the court that fell due in the instant that
        has just ended."""
        kernel = self.simulation.kernel
        commands, kernel.due = kernel.due, []
        for due in commands:
            if due.attack in self.workload.off:
                continue
            self.workload.attack = due.attack
            try:
                self.carry_out(due.command, due.by)
            except InputError as error:
                said = str(error).removeprefix(f"{due.command.verb}: ")
                self.warnings = (*self.warnings, f"at {self.now_us / 1e6:g} s, {due.command.verb}: {said}")
        self.workload.attack = 0

    def resolve(self, peers: Peers, rng: Stream | None = None) -> tuple[PeerId, ...]:
        """The peers that a selector, an id or ids name. Raises InputError."""
        if isinstance(peers, str):
            chosen = selectors.parse(peers).pick(self.columns.fresh(), rng or self.selector_rng)
            if rng is None:
                self._named[peers] = chosen
            return chosen
        chosen = (peers,) if isinstance(peers, int) else tuple(dict.fromkeys(peers))
        for peer in chosen:
            if not 0 <= peer < self.simulation.n:
                raise InputError(f"there is no peer #{plain(peer, 20)}: they are #0 to #{self.simulation.n - 1}")
        return chosen

    def select(self, selector: str) -> tuple[PeerId, ...]:
        """Whom a selector names at this moment. Draws from a stream of its own: looking changes nothing."""
        return selectors.parse(selector).pick(self.columns.fresh(), Stream(self.selector_rng.state))

    def attacks(self) -> tuple[Preset, ...]:
        """The presets, with the defaults and choices that they have in this swarm now."""
        return self._attacks.presets()

    def preview(self, attack: Attack) -> Plan:
        """What an attack would do now, to whom, in a sentence. Raises InputError for one that cannot be."""
        self.columns.fresh()
        victims = () if attack.peers is None else self.resolve(attack.peers, Stream(self.selector_rng.state))
        return self._attacks.preview(attack, victims)

    def completions(self, text: str) -> list[str]:
        """How the last word of a selector may go on."""
        return selectors.complete(text, self.columns.fresh())

    # --- time ------------------------------------------------------------------------------------------------

    @property
    def now_us(self) -> int:
        """Virtual time in microseconds."""
        return self.simulation.kernel.now_us

    def advance(self, until_us: int, budget: int | None = None) -> int:
        """Run to a time, or until about `budget` deliveries. Returns how many there were.

        Raises PeerFailed when a protocol's own code raised; such a run cannot go on.
        """
        with self._guard():
            kernel = self.simulation.kernel
            done = 0
            while True:
                left = SLICE if budget is None else min(SLICE, budget - done)
                step = kernel.advance(until_us, left)
                done += step
                self.simulation.metrics.flush_if_long()
                if step < left or (budget is not None and done >= budget):
                    return done

    def advance_quiet(self, limit_us: int) -> bool:
        """Run until all asks are closed, and stop at that instant, or at `limit_us`. Says whether it is quiet."""
        with self._guard():
            kernel = self.simulation.kernel
            while not self.quiet():
                if kernel.now_us >= limit_us or not kernel.step(limit_us):
                    break
                self.simulation.metrics.flush_if_long()
        return self.quiet()

    def quiet(self) -> bool:
        """Whether all asks are closed. Upkeep does not count."""
        return not self.simulation.open_asks and not self._parts.waiting_asks

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Remembers a peer's failure: such a run cannot go on."""
        if self.failure is not None:
            raise self.failure
        try:
            yield
        except PeerFailed as error:
            self.failure = error
            raise

    def timer_fired(self, tick: Any) -> None:
        """An engine timer of the court, of arrivals or of the workload."""
        if isinstance(tick, effects.BlockOrder):
            self.court.fire(tick)
        elif isinstance(tick, arrivals.TICKS):
            self.arrivals.fire(tick)
        else:
            self.workload.fire(tick)
        effects.issue_waiting(self._parts)
        if self._watcher is not None and isinstance(tick, Sample):
            self._watcher.on_sample()

    # --- views -------------------------------------------------------------------------------------------------

    @property
    def labels(self) -> tuple[str, ...]:
        """What each peer is called, index = PeerId."""
        return tuple(self.simulation.labels)

    def settings(self) -> dict[str, object]:
        """Parameters as they are now: those of the world and the protocol's options."""
        return effects.settings(self._parts)

    def theory(self, ask: AskId) -> tuple[Theory, ...]:
        """What a textbook foretells for an ask over the links as they stand: a search through them all."""
        return theory_of(self.simulation, self._record(ask), self.labels)

    def min_cut(self, origin: PeerId, text: str) -> MinimumCut:
        """The fewest peers to silence to keep a peer from what it wants, see `engine.analysis.min_cut`."""
        if not 0 <= origin < self.simulation.n:
            raise InputError(f"there is no peer #{origin}: they are #0 to #{self.simulation.n - 1}")
        return min_cut(self.simulation, self.labels, origin, text)

    def step_until(self, ask: AskId, target: StepTarget, mover: Mover | None = None) -> StepUntil:
        """To go on to the next arrival of an ask, or its next hop; see `engine.analysis.stepping`. `mover` moves time,
        where that is not the swarm itself."""
        return StepUntil(self.simulation, self._record(ask), target, mover or self)

    def snapshot(self) -> Snapshot:
        """Columns for one frame."""
        return self._snapshots.snapshot(self.settings(), self.court.status(), self._attacks.under_way())

    def events(self, since: int = 0) -> Iterator[Event]:
        """Events with a number above `since`, oldest first; the last 5,000 are kept."""
        return self.simulation.event_log.since(since)

    def peer(self, peer: PeerId) -> Peer | None:
        """The program of a living peer, to look at and not to touch."""
        return self.simulation.programs[peer]

    def library(self, peer: PeerId) -> Library:
        """What a peer shares, alive or not; what a poisoned one claims to, marked as what it is."""
        real = self.simulation.libraries[peer]
        return (
            decoys.PoisonedLibrary(peer, real, self.world.catalogue.titles, True)
            if self.simulation.poisoned[peer]
            else real
        )

    def links_of(self, peer: PeerId) -> tuple[PeerId, ...]:
        """Its open streams."""
        return tuple(self.simulation.streams.near[peer])

    def last_messages(self, peer: PeerId) -> tuple[LoggedMessage, ...]:
        """What it sent and was sent last, the latest first, at most 60, lost ones too. Looking changes nothing."""
        self.simulation.metrics.flush()
        return self.simulation.metrics.recent.of(peer)

    def ban_of(self, peer: PeerId) -> str:
        """The phrase it colludes against, or empty."""
        return self.simulation.faults.bans.get(peer, ("", 0.0))[0]

    @property
    def asks_total(self) -> int:
        """How many asks have been issued, which is also the id of the latest."""
        return len(self.simulation.records) - 1

    def record(self, ask: AskId) -> AskRow:
        """What an ask cost and brought so far. Raises InputError for an ask that is not."""
        return self._record(ask).row()

    def trace(self, ask: AskId) -> Trace | None:
        """The path of an ask; None before it left its origin, and when it is long past. The same object until there is
        more of it."""
        return self._snapshots.trace(self._record(ask))

    def asks(self) -> list[AskRow]:
        """All of them, in order of issue."""
        self.simulation.metrics.flush()
        rows: list[AskRow] = self.simulation.records.rows()
        return rows

    def _record(self, ask: AskId) -> AskRecord:
        if not 0 < ask < len(self.simulation.records):
            raise InputError(f"there is no ask {ask}: {len(self.simulation.records) - 1} have been issued")
        self.simulation.metrics.flush()
        record: AskRecord = self.simulation.records[ask]
        return record

    def success(self, from_s: float, to_s: float) -> float | None:
        """Share of the asks issued from `from_s` to `to_s` that had a hit within 10 s; None without any."""
        return self.simulation.metrics.success(round(from_s * 1e6), round(to_s * 1e6))

    def asked(self, from_s: float, to_s: float) -> AskStats:
        """How the asks of a window fared: success, first hits, reach."""
        return self.simulation.metrics.asked(round(from_s * 1e6), round(to_s * 1e6))

    def series(self) -> Series:
        """The whole run, older minutes more coarsely; a snapshot has the last ten."""
        return self.simulation.metrics.time_series.whole()

    def catalogue_titles(self, limit: int) -> list[str]:
        """What there is to find, the most popular first."""
        return self.world.catalogue.popular(limit)

    def fingerprint(self) -> str:
        """16 hex digits over each delivery, drop and command so far."""
        return self.simulation.metrics.fingerprint()

    # --- what the simulation tells -----------------------------------------------------------------------------------

    def hit_recorded(self, holder: PeerId) -> None:
        """The court reads hits."""
        self.court.hit(holder, self.simulation.faults.censored[holder])

    def ask_closed(self, record: AskRecord) -> None:
        """Count what an ask did, and judge it."""
        sim = self.simulation
        sim.metrics.flush()
        before = record.verdict
        record.verdict = verdict(sim.program, sim.shared.options, facts_of(sim, record))
        if record.verdict != before:
            # An ask that a batched gossip opens again each cycle need not be told of each cycle.
            sim.event_log.append(Closed, record.id, record.verdict)
        if record.hop is not None:
            self._paths.put(record)
        sim.records.compact()
