"""The facade: a running network, one door in (`do`), time (`advance`), and views out. All else is behind it.

    swarm = Swarm(Setup(protocol="gnutella", peers=64, seed=7))
    swarm.do(AskFor("p017", "blue train"))
    swarm.advance(until_us=10_000_000)
    swarm.account(1).verdict

Same setup and same commands at the same virtual times give the same run, bit for bit: `fingerprint` tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from . import simulation
from .analysis import selectors
from .analysis.capture import PeerColumns, PeerTable, SnapshotBuilder
from .analysis.min_cut import MinimumCut, silencing
from .analysis.stepping import StepTarget, StepUntil
from .analysis.theory import theory_of
from .analysis.verdict import facts_of, verdict
from .api import PARTS, AskId, Library, Peer, PeerId, Theory
from .commands import Arrive, Attack, Command, Peers, Set, resolved
from .control.arrivals import ArrivalProcess
from .control.attacks import Attacks, Plan, Preset
from .control.effects import Acts, BlockOrder, CourtOrders
from .control.workload import ASKS_PER_S_MAX, SAMPLE_US, Due, Sample, Workload
from .errors import InputError, PeerFailed, plain
from .measure import events as e
from .measure.asks import AskRecord, Shelf
from .measure.events import EventLog
from .measure.message_log import LoggedMessage
from .measure.metrics import Asked
from .measure.snapshot import ALIVE, DEAD, AskRow, Kind, Series, Snapshot, Trace
from .options import options_for
from .registry import messages_of, network
from .setup import Setup
from .sim.links import Links
from .sim.rng import Stream
from .simulation import Simulation
from .world import access_links, content, decoys, topology
from .world.stock import Stock
from .world.world import World

if TYPE_CHECKING:
    from .control.arrivals import ArrivalProcess
    from .control.workload import Workload
    from .pacer import Engine

# A town from a setup: the overlay, places, libraries, peers and stations, before anybody has started.


@dataclass(frozen=True, slots=True)
class Founded:
    """What a swarm begins with. kinds: of messages, by their number; width: digits of a peer's label."""

    sim: Simulation
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
    program_types = [program] * graph.n + [station.program for station in stations]
    links = Links(delays, setup.loss, Stream(f"{setup.seed}/loss"))
    messages = messages_of(program, *(station.program for station in stations))
    sim = Simulation(program, program_types, messages, links, shelves, setup.seed, options)
    sim.stations = tuple(range(graph.n, n))
    sim.infrastructure[graph.n :] = True
    sim.lay(world.lines)
    links.set_jitter(round(setup.links.jitter_ms * 1000), sim.kernel)
    sim.labels = [*world.names(), *(station.label for station in stations)]
    sim.operators = [""] * graph.n + [station.operator for station in stations]
    kinds = tuple(Kind(kind.kind, PARTS[kind.part_code], kind.over) for kind in messages)
    return Founded(sim, world, kinds, world.width)


# What a watcher may ask of a swarm: its parameters, and questions that cost a search each.
#
# A part of the facade, see `swarm.Swarm`, and apart from it for length.


class Inquiry:
    """A mixin of `Swarm`."""

    sim: Simulation

    @property
    def labels(self) -> tuple[str, ...]:
        """What each peer is called, index = PeerId."""
        return tuple(self.simulation.labels)

    if TYPE_CHECKING:  # what Swarm has
        workload: Workload
        arrival_process: ArrivalProcess

        def _record(self, ask: AskId) -> AskRecord: ...

    def theory(self, ask: AskId) -> tuple[Theory, ...]:
        """What a textbook foretells for an ask over the links as they stand: a search through them all."""
        return theory_of(self.simulation, self._record(ask), self.labels)

    def silencing(self, origin: PeerId, text: str) -> MinimumCut:
        """How few peers stand between a peer and what it wants, see `engine.analysis.min_cut`."""
        if not 0 <= origin < self.simulation.n:
            raise InputError(f"there is no peer #{origin}: they are #0 to #{self.simulation.n - 1}")
        return silencing(self.simulation, self.labels, origin, text)

    def hunt(self, ask: AskId, quarry: StepTarget, engine: Engine | None = None) -> StepUntil:
        """To go on to the next arrival of an ask, or its next hop; see `engine.analysis.stepping`. `engine` moves time, where
        that is not the swarm itself."""
        swarm: Any = self
        return StepUntil(swarm, self._record(ask), quarry, engine)

    def settings(self) -> dict[str, object]:
        """Parameters as they are now: those of the world and the protocol's options."""
        options = self.simulation.shared.options
        return {
            "churn": self.workload.churn_spec,
            "polite": self.workload.polite,
            "arrivals": self.arrival_process.spec.law,
            "loss": self.simulation.shared.links.loss,
            "latency": self.simulation.shared.links.factor,
            "asks": self.workload.asks_per_s,
            "jitter": self.simulation.shared.links.jitter_us / 1000,
            **(
                {"capacity": bandwidth.factor}
                if (bandwidth := self.simulation.shared.links.bandwidth) is not None
                else {}
            ),
            **({f.name: getattr(options, f.name) for f in fields(options)} if options is not None else {}),
        }


FIRST_ASK_US = 500_000  # when the first background ask comes, if any: nobody should look at a still picture
JOINING_US = 3_000_000
"""A newcomer without any link after this asks all the same."""
INSIDE = ("scenario", "court", "attack")  # who gives commands that follow from the seed and from other commands
SLICE = 50_000
"""Deliveries between two postings of the books when nobody set a budget: bounds the log."""


class Swarm(Inquiry):
    """A network of peers from a `Setup`. Raises InputError when the setup cannot be.

    `program` stands in for the network that `setup.protocol` names: a class that is in no file of
    `engine/protocols/`, such as one that a test or a notebook defines. Its messages are those of its module and those
    that its handlers take. `world` stands in for the one that would be drawn from the setup. A swarm pickles while it
    runs, and its copy goes on to the same end.
    """

    def __init__(self, setup: Setup, program: type[Peer] | None = None, world: World | None = None) -> None:
        self.setup = setup
        founded = found(setup, program, world)
        sim, world = founded.simulation, founded.world
        self.simulation, self.world = sim, world
        self.peers = world.graph.n
        """How many were asked for, infrastructure left out."""
        self.warnings: tuple[str, ...] = world.notes
        self.workload = Workload(sim, world.catalogue, setup.seed, self._due)
        stock = Stock.of(world.catalogue.shelves, world.catalogue.lexicon)
        self.arrival_process = ArrivalProcess(sim, self.workload, stock, world.delays, setup.links, founded.width)
        self.roster = PeerTable(sim, sim.program.name or setup.protocol, world.delays.places, founded.kinds)
        self._bench = CourtOrders(self.workload.later, self._ordered)
        self._attacks = Attacks(sim, self.workload, self._resolve, self._do)
        self._acts = Acts(sim, self.workload, self.arrival_process, self._attacks, self._resolve, self._bench)
        self.selecting = Stream(f"{setup.seed}/select")
        """What selectors draw from: whoever does again what was recorded with its selectors resolved has to set it."""
        self._named: dict[str, tuple[PeerId, ...]] = {}
        self.event_log = EventLog()
        self._paths = Shelf()
        self.failure: PeerFailed | None = None
        self.history: list[tuple[int, Command, str]] = []
        """(virtual time in us, command, by) of all that was done. Churn, background asks and the steps of attacks
        follow from it and the seed."""
        self.given = 0
        """How many of them came from outside, see `INSIDE`."""
        sim.tell = self._tell
        sim.rang = self._rang
        sim.close = self._close
        sim.kernel.run_late = self._late
        self._look()
        self._begin(world.graph)

    def _look(self) -> None:
        """What only watchers need, and nothing of it decides what happens."""
        self._columns = self._attacks.columns = PeerColumns(self.simulation, self.roster)
        self._viewer = SnapshotBuilder(
            self.simulation, self.roster, self.settings, self._bench.status, self._attacks.under_way
        )
        self.watcher: e.Watcher | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_columns", "_viewer", "watcher")}

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
        simulation.publish(sim, living)
        with self._guard():
            for station in sim.stations:
                sim.start(station)
            for peer in up:
                sim.start(peer, simulation.contacts(sim, peer, living))
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
        self.arrival_process.set_law(setup.arrivals)
        for at_us, command in setup.schedule:
            self.workload.later(at_us, Due(command))

    # --- the door ------------------------------------------------------------------------------------------

    def do(self, command: Command, by: str = "person") -> tuple[PeerId, ...]:
        """Do a command now, or at the end of the instant that a budget cut short. Returns the peers it changed.

        Raises InputError, and has then changed nothing, for a selector, operator or value that cannot be.
        """
        with self._guard():
            self.simulation.kernel.finish_instant()
            return self._do(command, by)

    def _do(self, command: Command, by: str) -> tuple[PeerId, ...]:
        # An attack does its first steps inside of it, and these name peers too.
        outer, self._named = self._named, {}
        before = self.selecting.state
        try:
            peers = self._acts.carry_out(command, by)
            self._log(command, by)
            if isinstance(command, Set) and command.name == "churn" and self.workload.trace is not None:
                self.warnings = (*self.warnings, *self.workload.trace.notes)
        except InputError:
            self.selecting.state = before
            raise
        except PeerFailed:
            self._log(command, by)  # it was done, and this is what came of it
            raise
        finally:
            self._named = outer
        now = self.now_us
        # However they were named, these are the peers: a command that was written down and read back is the same.
        rest = [getattr(command, f.name) for f in fields(command) if f.name != "peers"]
        self.simulation.metrics.command(now, f"{command.verb} {peers} {rest!r}")
        # An eclipse looks for neighbours to take away every other second, mostly in vain.
        if peers or by != "attack" or isinstance(command, Arrive):
            self._tell("commanded", command, peers, by)
        self._viewer.commanded()
        self._welcome()
        return peers

    def _log(self, command: Command, by: str) -> None:
        if by != "attack":
            self.history.append((self.now_us, command, by))
        if by in INSIDE:
            return
        self.given += 1
        if self.watcher is not None:
            self.watcher.did(resolved(command, self._named), command, by)

    def _due(self, due: Due) -> None:
        self.simulation.kernel.late.append(due)

    def _ordered(self, command: Command) -> None:
        self._due(Due(command, "court"))

    def _late(self) -> None:
        """Commands of the scenario, steps of attacks and orders of the court that fell due in the instant that has just
        ended."""
        kernel = self.simulation.kernel
        commands, kernel.late = kernel.late, []
        for due in commands:
            if due.attack in self.workload.off:
                continue
            self.workload.attack = due.attack
            try:
                self._do(due.command, due.by)
            except InputError as error:
                said = str(error).removeprefix(f"{due.command.verb}: ")
                self.warnings = (*self.warnings, f"at {self.now_us / 1e6:g} s, {due.command.verb}: {said}")
        self.workload.attack = 0

    def _resolve(self, peers: Peers, rng: Stream | None = None) -> tuple[PeerId, ...]:
        if isinstance(peers, str):
            chosen = selectors.parse(peers).pick(self._columns.fresh(), rng or self.selecting)
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
        return selectors.parse(selector).pick(self._columns.fresh(), Stream(self.selecting.state))

    def attacks(self) -> tuple[Preset, ...]:
        """The presets, with the defaults and choices that they have in this swarm now."""
        return self._attacks.presets()

    def preview(self, attack: Attack) -> Plan:
        """What an attack would do now, to whom, in a sentence. Raises InputError for one that cannot be."""
        self._columns.fresh()
        victims = () if attack.peers is None else self._resolve(attack.peers, Stream(self.selecting.state))
        return self._attacks.preview(attack, victims)

    def completions(self, text: str) -> list[str]:
        """How the last word of a selector may go on."""
        return selectors.complete(text, self._columns.fresh())

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
                self.simulation.metrics.post_if_long()
                if step < left or (budget is not None and done >= budget):
                    return done

    def advance_quiet(self, limit_us: int) -> bool:
        """Run until all asks are closed, and stop at that instant, or at `limit_us`. Says whether it is quiet."""
        with self._guard():
            kernel = self.simulation.kernel
            while not self.quiet():
                if kernel.now_us >= limit_us or not kernel.step(limit_us):
                    break
                self.simulation.metrics.post_if_long()
        return self.quiet()

    def quiet(self) -> bool:
        """Whether all asks are closed. Upkeep does not count."""
        return not self.simulation.open_asks and not self._acts.asking

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

    def _rang(self, tick: Any) -> None:
        if isinstance(tick, BlockOrder):
            self._bench.rang(tick)
        elif not self.arrival_process.rang(tick):
            self.workload.rang(tick)
        self._welcome()
        if self.watcher is not None and isinstance(tick, Sample):
            self.watcher.sampled()

    def _welcome(self) -> None:
        """Peers that are back ask what their users wanted meanwhile."""
        if self._acts.asking:
            sim = self.simulation
            # Who lives off its links has joined once it has one, or will have none; samples look again each second.
            long_ago_us = self.now_us - JOINING_US
            for peer in [p for p in self._acts.asking if sim.state[p] == ALIVE]:
                if sim.streams.near[peer] or not sim.program_types[peer].overlay or sim.started_us[peer] <= long_ago_us:
                    self._acts.arrived(peer)

    # --- views -------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Columns for one frame."""
        return self._viewer.snapshot()

    def events(self, since: int = 0) -> Iterator[e.Event]:
        """Events with a number above `since`, oldest first; the last 5,000 are kept."""
        return self.event_log.since(since)

    def peer(self, peer: PeerId) -> Peer | None:
        """The program of a living peer, to look at and not to touch."""
        return self.simulation.programs[peer]

    def library(self, peer: PeerId) -> Library:
        """What a peer shares, alive or not; what a poisoned one claims to, marked as what it is."""
        real = self.simulation.shelves[peer]
        return (
            decoys.Poisoned(peer, real, self.world.catalogue.titles, True) if self.simulation.poisoned[peer] else real
        )

    def links_of(self, peer: PeerId) -> tuple[PeerId, ...]:
        """Its open streams."""
        return tuple(self.simulation.streams.near[peer])

    def last_messages(self, peer: PeerId) -> tuple[LoggedMessage, ...]:
        """What it sent and was sent last, the latest first, at most 60, lost ones too. Looking changes nothing."""
        self.simulation.metrics.post()
        return self.simulation.metrics.recent.of(peer)

    def ban_of(self, peer: PeerId) -> str:
        """The phrase it colludes against, or empty."""
        return self.simulation.faults.bans.get(peer, ("", 0.0))[0]

    def record(self, ask: AskId) -> AskRow:
        """What an ask cost and brought so far. Raises InputError for an ask that is not."""
        return self._record(ask).row()

    def trace(self, ask: AskId) -> Trace | None:
        """The path of an ask; None before it left its origin, and when it is long past. The same object until there is
        more of it."""
        return self._viewer.trace(self._record(ask))

    def asks(self) -> list[AskRow]:
        """All of them, in order of issue."""
        self.simulation.metrics.post()
        rows: list[AskRow] = self.simulation.shared.records.rows()
        return rows

    def _record(self, ask: AskId) -> AskRecord:
        if not 0 < ask < len(self.simulation.shared.records):
            raise InputError(f"there is no ask {ask}: {len(self.simulation.shared.records) - 1} have been issued")
        self.simulation.metrics.post()
        record: AskRecord = self.simulation.shared.records[ask]
        return record

    def success(self, from_s: float, to_s: float) -> float | None:
        """Share of the asks issued from `from_s` to `to_s` that had a hit within 10 s; None without any."""
        return self.simulation.metrics.success(round(from_s * 1e6), round(to_s * 1e6))

    def asked(self, from_s: float, to_s: float) -> Asked:
        """How the asks of a window fared: success, first hits, reach."""
        return self.simulation.metrics.asked(round(from_s * 1e6), round(to_s * 1e6))

    def series(self) -> Series:
        """The whole run, older minutes more coarsely; a snapshot has the last ten."""
        return self.simulation.metrics.history.whole()

    def catalogue_titles(self, limit: int) -> list[str]:
        """What there is to find, the most popular first."""
        return self.world.catalogue.popular(limit)

    def fingerprint(self) -> str:
        """16 hex digits over each delivery, drop and command so far."""
        return self.simulation.metrics.fingerprint()

    # --- events --------------------------------------------------------------------------------------------------

    def _tell(self, kind: str, *what: Any) -> None:
        self.event_log.tell(self.now_us, kind, *what)
        if kind == "hit":
            holder = what[2]
            self._bench.hit(holder, self.simulation.faults.censored[holder])

    def _close(self, record: AskRecord) -> None:
        """Nothing of an ask is pending any more: post what it did, and judge it."""
        self.simulation.metrics.post()
        before = record.verdict
        record.verdict = verdict(
            self.simulation.program, self.simulation.shared.options, facts_of(self.simulation, record)
        )
        if record.verdict != before:
            # An ask that a batched gossip opens again each cycle need not be told of each cycle.
            self._tell("closed", record.id, record.verdict)
        if record.hop is not None:
            self._paths.put(record)
        self.simulation.shared.records.tidy()
