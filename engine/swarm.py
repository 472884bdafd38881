"""The facade of the engine. `Swarm` makes a network from a setup, carries out commands (`do`), advances virtual time
(`advance`) and returns views.

    swarm = Swarm(Setup(protocol="gnutella", peers=64, seed=7))
    swarm.do(AskFor("p017", "blue train"))
    swarm.advance(until_us=10_000_000)
    swarm.record(1).verdict

The same setup and the same commands at the same virtual times give the same run, bit for bit, and the same
`fingerprint`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

import numpy as np

from .analysis.capture import PeerColumns, SnapshotBuilder
from .analysis.min_cut import MinimumCut, min_cut
from .analysis.stepping import Mover, StepTarget, StepUntil
from .analysis.theory import theory_of
from .analysis.verdict import facts_of, keepers_of, keeps_records, outcome, own_verdict, verdict
from .api import AskId, Library, OpenCall, Peer, PeerId, Shown, Theory
from .commands import TEXT_MAX, Act, Arrive, Attack, Command, Peers, Set, resolved
from .control import arrivals, effects
from .control.arrivals import ArrivalProcess
from .control.attacks import AttackRunner, CommandExecutor, Plan, Preset
from .control.effects import CourtOrders, Parts
from .control.workload import Due, NextAsk, Sample, Workload, check_asks, check_sample_s
from .errors import InputError, PeerFailed, plain
from .files import read_packed
from .measure.asks import AskRecord, PathCache
from .measure.events import Commanded, Event, Watcher
from .measure.message_log import LoggedMessage
from .measure.metrics import AskStats
from .measure.shown import ROLE, ShownSeries, split_metric
from .measure.snapshot import ALIVE, DEAD, AskRow, Series, Snapshot, Trace
from .programs import VerbOffer, offers, opposite
from .setup import Setup
from .sim.rng import Stream
from .simulation import Simulation, SimulationOwner, build_world
from .world import decoys, topology
from .world.access_links import of_network
from .world.churn import is_trace
from .world.content import NewcomerLibraries
from .world.world import World

FIRST_ASK_US = 500_000
"""Time of the first background ask, so that messages are seen soon after the start."""
DERIVED_SOURCES = ("scenario", "court", "attack")
"""Sources of commands that follow from the setup or from other commands, and so do not come from outside."""
SLICE = 50_000
"""Deliveries after which the log may be flushed, where `advance` has no budget: this bounds its length."""


class Swarm(SimulationOwner, CommandExecutor):
    """A network of peers made from a `Setup`. Raises InputError for a setup that is not possible.

    program: a class that replaces the network that `setup.protocol` names, such as one that a test or a notebook
    defines. Its messages are those of its module and those that its handlers accept.
    world: replaces the world that would be generated from the setup.

    A swarm may be pickled between two calls of `advance`; the copy continues the same run.
    """

    def __init__(self, setup: Setup, program: type[Peer] | None = None, world: World | None = None) -> None:
        self.setup = setup
        program, options, world = build_world(setup, program, world)
        check_asks(setup.asks_per_s)
        check_sample_s(setup.sample_s)
        self.world = world
        self.peers = world.graph.n
        """Number of peers that were asked for, infrastructure left out."""
        self.warnings: tuple[str, ...] = world.notes
        self.simulation = sim = Simulation(setup, world, program, options, self)
        self.workload = Workload(sim, world.catalogue, setup.seed)
        newcomer_libraries = NewcomerLibraries.of(world.catalogue.libraries, world.catalogue.word_index)
        links = of_network(setup.links, program.usual_nat)
        self.arrivals = ArrivalProcess(sim, self.workload, newcomer_libraries, world.delays, links, world.width)
        self.columns = PeerColumns(sim, program.name or setup.protocol, world.delays.places, sim.kinds)
        self._attacks = AttackRunner(sim, self.workload, self.columns, self)
        self.court = CourtOrders(self.workload)
        self._parts = Parts(sim, self.workload, self.arrivals, self._attacks, self.court, self)
        self.selector_rng = Stream(f"{setup.seed}/select")
        """The random stream of selectors. To repeat commands whose selectors were resolved, its state has to be set."""
        self._named: dict[str, tuple[PeerId, ...]] = {}
        self._contents: bytes | None = None
        """The contents of the file that the present command names, if they are known."""
        self._paths = PathCache()
        self.failure: PeerFailed | None = None
        self.history: list[tuple[int, Command, str]] = []
        """(virtual time in us, command, source) of all commands. Churn, background asks and the steps of attacks follow
        from these and the seed."""
        self.given = 0
        """How many of them came from outside: their source is not in `DERIVED_SOURCES`."""
        self._make_views()
        self._begin(world.graph)

    def _make_views(self) -> None:
        """Make the objects that only observe the swarm: they have no effect on the run, and are not pickled."""
        self._snapshots = SnapshotBuilder(self.simulation, self.columns)
        self._watcher: Watcher | None = None
        self._shown_series: ShownSeries | None = None
        self._joined_series: tuple[Series, Series, Series] | None = None
        """Series of the swarm, of its shown columns, and both in one."""

    def __getstate__(self) -> dict[str, Any]:
        views = ("_snapshots", "_watcher", "_shown_series", "_joined_series")
        return {name: value for name, value in self.__dict__.items() if name not in views}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.simulation.restore_caches()
        self._make_views()

    def _begin(self, graph: topology.Topology) -> None:
        """Start at t = 0 the peers that are up, open the streams of the overlay, and set the first timers."""
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
            sim.open_overlay(graph.a, graph.b, up)
            sim.converge()
            # The columns of one peer of each program are read now, so that a mistake in `shown` is reported at once.
            first: dict[type[Peer], int] = {}
            for peer in (*sim.stations, *up):
                first.setdefault(sim.program_types[peer], peer)
            for peer in first.values():
                self.columns.shown_reader.of(peer, sim.programs[peer], self.now_us)
        self.edges = sim.streams.count
        self.workload.begin_sampling(setup.sample_s)
        self.workload.set_asks(setup.asks_per_s, FIRST_ASK_US)
        self.arrivals.set_law(setup.arrivals)
        for at_us, command in setup.schedule:
            self.workload.later(at_us, Due(command))

    # --- watching ------------------------------------------------------------------------------------

    def watch(self, watcher: Watcher) -> None:
        """Report commands from outside and each second of virtual time to `watcher`, which replaces any other."""
        self._watcher = watcher

    def unwatch(self) -> None:
        """Report nothing any more."""
        self._watcher = None

    # --- commands ------------------------------------------------------------------------------------------

    def do(self, command: Command, by: str = "person", contents: bytes | None = None) -> tuple[PeerId, ...]:
        """Carry out a command now; if a budget has stopped `advance` inside an instant, at the end of that instant.
        Returns the peers it changed.

        by: the source: "person", "scenario", "court" or "attack". contents: what was read from the file that the
        command names, if it was carried out before (`Watcher.on_command`). Raises InputError, and has then changed
        nothing, for a selector, operator or value that is not possible; PeerFailed if a protocol's own code raised.
        """
        with self._guard():
            self.simulation.kernel.finish_instant()
            return self.carry_out(command, by, contents)

    def carry_out(self, command: Command, by: str, contents: bytes | None = None) -> tuple[PeerId, ...]:
        """Do the same as `do`, but inside an instant or another command: for commands that are due and for steps of
        attacks."""
        if contents is None and by in DERIVED_SOURCES and isinstance(command, Set):
            contents = self.world.inputs.get(str(command.value).strip())
        # The first steps of an attack are carried out inside of its command, and have selectors of their own.
        outer, self._named, self._contents = self._named, {}, contents
        self.columns.forget_views()
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
            self._log(command, by)  # the command was carried out, and a peer failed at it
            raise
        finally:
            self._named, self._contents = outer, None
        # The resolved peers and not the selector, so that a recorded command gives the same fingerprint.
        rest = [getattr(command, f.name) for f in fields(command) if f.name != "peers"]
        self.simulation.metrics.command(self.now_us, f"{command.verb} {peers} {rest!r}")
        # Most steps of an eclipse find no neighbour to remove: these are no events.
        if peers or by != "attack" or isinstance(command, Arrive):
            self.simulation.event_log.append(Commanded, command, peers, by)
        self._snapshots.commanded()
        effects.issue_waiting(self._parts)
        return peers

    def _log(self, command: Command, by: str) -> None:
        if by != "attack":
            self.history.append((self.now_us, command, by))
        if by in DERIVED_SOURCES:
            return
        self.given += 1
        if self._watcher is not None:
            self._watcher.on_command(command, resolved(command, self._named), by, self._contents)

    def end_of_instant(self) -> None:
        """Carry out the commands of the scenario, steps of attacks and orders of the court that became due in this
        instant, at its end."""
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
        """The peers that a selector, an id or ids name. rng: the stream for `random`, if not the swarm's own. Raises
        InputError."""
        if isinstance(peers, str):
            from .analysis import selectors  # here and below: a run without commands does not need the parser

            chosen = selectors.parse(peers).pick(self.columns.fresh(), rng or self.selector_rng)
            if rng is None:
                self._named[peers] = chosen
            return chosen
        chosen = (peers,) if isinstance(peers, int) else tuple(dict.fromkeys(peers))
        for peer in chosen:
            if not 0 <= peer < self.simulation.n:
                raise InputError(f"there is no peer #{plain(peer, 20)}: they are #0 to #{self.simulation.n - 1}")
        return chosen

    def contents_of_trace(self, spec: str) -> bytes | None:
        """See `CommandExecutor`. A file is read once: before the run if the scenario names it, or when a command that
        names it is carried out for the first time."""
        if self._contents is None and is_trace(spec):
            from .world.readers import sessions  # readers of files are imported where a file is read

            self._contents = read_packed(spec.strip(), sessions.EXPECTED)
        return self._contents

    def select(self, selector: str) -> tuple[PeerId, ...]:
        """The peers that a selector names now, from a copy of the random stream: the run is not changed. Raises
        InputError."""
        from .analysis import selectors

        return selectors.parse(selector).pick(self.columns.counted(), Stream(self.selector_rng.state))

    def attacks(self) -> tuple[Preset, ...]:
        """The presets, with the defaults and choices that they have in this swarm now."""
        return self._attacks.presets()

    def preview(self, attack: Attack) -> Plan:
        """The steps of an attack if it began now, and a sentence on it. Raises InputError for an attack that is not
        possible."""
        self.columns.fresh()
        victims = () if attack.peers is None else self.resolve(attack.peers, Stream(self.selector_rng.state))
        return self._attacks.preview(attack, victims)

    def completions(self, text: str) -> list[str]:
        """At most 8 words that may replace the last one of a selector, see `selectors.complete`."""
        from .analysis import selectors

        return selectors.complete(text, self.columns.counted())

    # --- time ------------------------------------------------------------------------------------------------

    @property
    def now_us(self) -> int:
        """Virtual time in microseconds."""
        return self.simulation.kernel.now_us

    def advance(self, until_us: int, budget: int | None = None) -> int:
        """Run to a virtual time in us (included), or for about `budget` deliveries. Returns the number of deliveries.

        Raises PeerFailed if a protocol's own code raised; such a run cannot be continued.
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
        """Run to the instant in which the last ask closes, or to `limit_us` (virtual time in us). Returns whether all
        asks are closed."""
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
        """Stores the failure of a peer, and raises it again at each later call."""
        if self.failure is not None:
            raise self.failure
        try:
            yield
        except PeerFailed as error:
            self.failure = error
            raise

    def timer_fired(self, tick: Any) -> None:
        """An engine timer of the court, of arrivals or of the workload."""
        if tick.__class__ is NextAsk:  # with many small asks nearly all timers of the engine are of these
            self.workload.fire(tick)
            if self._parts.waiting_asks:
                effects.issue_waiting(self._parts)
            return
        if isinstance(tick, effects.BlockOrder):
            self.court.fire(tick)
        elif isinstance(tick, arrivals.TICKS):
            self.arrivals.fire(tick)
        else:
            self.workload.fire(tick)
        effects.issue_waiting(self._parts)
        if self.workload.measures(tick):
            self._sample_shown()
        if self._watcher is not None and isinstance(tick, Sample):
            self._watcher.on_sample()

    # --- views -------------------------------------------------------------------------------------------------

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the peers, index = PeerId."""
        return tuple(self.simulation.labels)

    def settings(self) -> dict[str, object]:
        """Present values of all parameters that `Set` changes, see `Snapshot.settings`."""
        return effects.settings(self._parts)

    def theory(self, ask: AskId) -> tuple[Theory, ...]:
        """What theory expects of an ask, given the present links; visits all of them. Raises InputError for an unknown
        ask."""
        return theory_of(self.simulation, self._record(ask), self.labels)

    def min_cut(self, origin: PeerId, text: str, goal: str | None = None) -> MinimumCut:
        """The fewest peers to silence so that `origin` does not find `text`, see `engine.analysis.min_cut`. goal: its
        name, by default that of the first goal of the network. Raises InputError for an unknown peer."""
        if not 0 <= origin < self.simulation.n:
            raise InputError(f"there is no peer #{origin}: they are #0 to #{self.simulation.n - 1}")
        return min_cut(self.simulation, self.labels, origin, text, goal)

    @property
    def keeps_records(self) -> bool:
        """Whether peers of this network keep records that point to holders, see `Peer.keeps`."""
        return keeps_records(self.simulation.program_types)

    def keepers_of(self, ask: AskId) -> tuple[PeerId, ...]:
        """The living peers that keep a record of what an ask is about, ascending: each of them is asked. Raises
        InputError for an unknown ask, PeerFailed if a program's `keeps` raised."""
        return tuple(keepers_of(self.simulation, self._record(ask).text)) if self.keeps_records else ()

    def step_until(self, ask: AskId, target: StepTarget, mover: Mover | None = None) -> StepUntil:
        """A run to the next arrival or the next hop of an ask, see `engine.analysis.stepping`. mover: advances time, if
        not the swarm itself. Raises InputError for an unknown ask."""
        return StepUntil(self.simulation, self._record(ask), target, mover or self)

    def snapshot(self, shown: Sequence[str] = (), topic: str = "", contacts: bool = False) -> Snapshot:
        """The present state as columns.

        shown: names of the shown columns to read (`Fixed.shows` has all); other columns are not read. topic: if given,
        `Snapshot.marks` has the marks of this topic alone. contacts: where no stream is open, `links` are the contacts
        of all peers, read about once a second (`Links.contacts`). Raises InputError for an unknown column, PeerFailed
        if a program's `shown` or `contacts` raised.
        """
        self.follow(shown)
        return self._snapshots.snapshot(
            self.settings(), self.court.status(), self._attacks.under_way(), self.series(), shown, topic, contacts
        )

    def follow_all(self) -> None:
        """Begin the time series of all shown columns, and of roles in a network whose roles change."""
        self.follow(self.columns.shows)
        if any(kind.roles for kind in dict.fromkeys(self.simulation.program_types)):
            self.follow((ROLE.name,))

    def follow(self, columns: Iterable[str], strict: bool = True) -> None:
        """Begin the time series of these shown columns, or of "role": samples from now on are in `series`. Once begun
        a series goes on; reading a column (`snapshot`) begins it too. Names of series as in expectations, such as
        `epidemic.infected`, are accepted too. An unknown column raises InputError; unless `strict`, it is ignored."""
        known = {ROLE.name: ROLE} | self.columns.shown_reader.columns
        for name in columns:
            column, value = split_metric(name, known) or (name, "")
            if self._shown_series is not None and column in self._shown_series.followed() and not value:
                continue
            if column not in known and not strict:
                continue
            shown = known.get(column) or self.columns.shown_column(column)
            if self._shown_series is None:
                self._shown_series = ShownSeries(self.simulation.metrics.time_series)
            self._shown_series.follow(shown, self.now_us / 1e6, value)

    def follow_as(self, other: Swarm) -> None:
        """Follow the series that another swarm of the same run follows, and take over its samples up to now: for a copy
        that replaces it."""
        if other._shown_series is not None and other is not self:
            if self._shown_series is None:
                self._shown_series = ShownSeries(self.simulation.metrics.time_series)
            self._shown_series.take_over(other._shown_series, self.now_us / 1e6)

    def _sample_shown(self) -> None:
        series, sim = self._shown_series, self.simulation
        if series is None:
            return
        columns = {ROLE.name: ROLE} | self.columns.shown_reader.columns
        values: dict[str, Any] = {ROLE.name: sim.roles.all()} if ROLE.name in series.followed() else {}
        if len(values) < len(series.followed()):
            values |= self.columns.shown()
        series.sample(self.now_us / 1e6, columns, values, (sim.state == ALIVE) & ~sim.infrastructure)

    def shown_of(self, peer: PeerId) -> tuple[tuple[Shown, float | str], ...]:
        """The shown columns of one peer with their values now, in the order of its class; none of one that is not
        alive. Raises PeerFailed."""
        return self.columns.shown_reader.of(peer, self.simulation.programs[peer], self.now_us)

    def marks_of(self, peer: PeerId) -> tuple[tuple[PeerId, str, str], ...]:
        """The marks that a peer has set on its links, see `Host.mark`: (other end, topic or "", word), in the order of
        the other ends."""
        return tuple(self.simulation.streams.marks_of(peer))

    def paths_of(self, peer: PeerId) -> tuple[tuple[tuple[PeerId, ...], str], ...]:
        """The ways that begin at a peer, see `Host.path`: (the peers after it, word)."""
        return tuple(self.simulation.ways.of(peer))

    def events(self, since: int = 0) -> Iterator[Event]:
        """Events with a number above `since`, the oldest first; only the last 5,000 are kept."""
        return self.simulation.event_log.since(since)

    def peer(self, peer: PeerId) -> Peer | None:
        """The program of a living peer, to be read and not changed; None of others."""
        return self.simulation.programs[peer]

    def verbs_for(self, peers: Iterable[PeerId]) -> tuple[VerbOffer, ...]:
        """The verbs of this network that can be done to these peers, see `api.verb`. Raises PeerFailed if a program's
        `why_not` raised."""
        return offers([(peer, self.simulation.programs[peer]) for peer in peers])

    def opposite_of(self, command: Act, peers: Sequence[PeerId]) -> Act | None:
        """The command that takes back what a verb of the network did to these peers; None if there is none, or if it
        needs a value that only a person can state."""
        for kind in dict.fromkeys(self.simulation.program_types[peer] for peer in peers):
            found = opposite(kind, command.name, command.values)
            if found is not None:
                return Act(tuple(peers), *found)
        return None

    def library(self, peer: PeerId) -> Library:
        """The files of a peer, alive or not. Of a poisoned one its decoys, with `File.genuine` False."""
        library = self.simulation.peer_hosts[peer].library
        if not isinstance(library, decoys.PoisonedLibrary):
            return self.simulation.libraries[peer]
        return decoys.PoisonedLibrary(peer, library.real, library.titles, True, library.genuine)

    def links_of(self, peer: PeerId) -> tuple[PeerId, ...]:
        """Peers with which a peer has an open stream."""
        return tuple(self.simulation.streams.near[peer])

    def neighbours_of(self, peers: Collection[PeerId]) -> tuple[PeerId, ...]:
        """Other peers that have a link with some of these, ascending. A link is an open stream; where no stream is
        open, it leads from a peer to each of its contacts, in either direction, as in `snapshot(contacts=True)`. The
        contacts of all peers are then read, about once a second. Raises PeerFailed if a program's `contacts` raised."""
        contacts = self.columns.contacts()
        if contacts is not None:
            return contacts.near(peers)
        near = {other for peer in peers for other in self.simulation.streams.near[peer]}
        return tuple(sorted(near.difference(peers)))

    def last_messages(self, peer: PeerId) -> tuple[LoggedMessage, ...]:
        """The last messages from and to a peer, the latest first, at most 60, dropped ones included."""
        sim = self.simulation
        sim.metrics.flush()
        kind_of = sim.shared.kind_of
        return tuple(replace(one, kind=kind_of[one.kind]) for one in sim.metrics.recent.of(peer))

    def open_calls(self, peer: PeerId) -> tuple[OpenCall, ...]:
        """The calls of a peer that wait for an answer, the oldest first; none of a peer that is not alive."""
        return self.simulation.open_calls(peer)

    def ban_of(self, peer: PeerId) -> str:
        """The phrase that a peer suppresses, or ""."""
        return self.simulation.faults.bans.get(peer, ("", 0.0))[0]

    @property
    def asks_total(self) -> int:
        """How many asks have been issued, which is also the id of the latest."""
        return len(self.simulation.records) - 1

    def record(self, ask: AskId) -> AskRow:
        """The record of an ask so far. Raises InputError for an unknown ask."""
        return self._record(ask).row()

    def trace(self, ask: AskId) -> Trace | None:
        """The path of an ask, the same object until it changes. None if the ask closed without a message and a hit,
        or its path was removed. Raises InputError for an unknown ask."""
        return self._snapshots.trace(self._record(ask))

    def asks(self) -> list[AskRow]:
        """The records of all asks, in order of issue."""
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
        """Success of the asks of users issued from `from_s` to `to_s`: the share of them that had a hit in the time of
        their goal (`Goal.success_s`); an ask for an audience counts with the share of the audience that it reached in
        that time. None if there are no such asks."""
        return self.simulation.metrics.success(round(from_s * 1e6), round(to_s * 1e6))

    def asked(self, from_s: float, to_s: float) -> AskStats:
        """Success, first hits and reach of the asks issued from `from_s` to `to_s`."""
        return self.simulation.metrics.asked(round(from_s * 1e6), round(to_s * 1e6))

    def series(self) -> Series:
        """Samples of the whole run, with those of shown columns that are followed: the same object until another sample
        comes."""
        base = self.simulation.metrics.series()
        if self._shown_series is None:
            return base
        shown = self._shown_series.table.series()
        if self._joined_series is None or self._joined_series[0] is not base or self._joined_series[1] is not shown:
            joined = Series(t_s=base.t_s, columns={**base.columns, **shown.columns})
            self._joined_series = (base, shown, joined)
        return self._joined_series[2]

    def catalogue_titles(self, limit: int) -> list[str]:
        """At most `limit` titles, the most popular first."""
        return self.world.catalogue.popular(limit)

    def examples(self, limit: int, goal_name: str | None = None) -> list[str]:
        """At most `limit` texts that a user can ask for here, the best first, see `Goal.examples`. goal_name: of a goal
        of the network, by default its first. Raises PeerFailed."""
        goals = self.simulation.program.goals
        titles, goal = self.catalogue_titles(limit), next((one for one in goals if one.name == goal_name), goals[0])
        if goal.examples == "title":
            return titles
        try:
            made = goal.examples(titles, self.world.graph.n) if callable(goal.examples) else goal.examples
            return [plain(text, limit=TEXT_MAX).strip() for text in made][:limit]
        except Exception as error:
            raise PeerFailed(0, f"the examples of a {goal.name}", error) from error

    def fingerprint(self) -> str:
        """16 hex digits over each delivery, drop and command so far."""
        return self.simulation.metrics.fingerprint()

    # --- called by the simulation -----------------------------------------------------------------------------------

    def hit_recorded(self, holder: PeerId) -> None:
        """Tell the court of a hit."""
        self.court.hit(holder, self.simulation.faults.censored[holder])

    def ask_closed(self, record: AskRecord) -> None:
        """Make the verdict on an ask."""
        sim = self.simulation
        sim.metrics.settle()
        if record.sought == "share" and (record.share is None or record.firsts is not None):
            record.share = sim.share_heard(record)
            record.spread_us = sim.spread_of(record) or record.spread_us
        before = record.verdict
        facts = facts_of(sim, record)
        record.verdict = own_verdict(sim, record, facts) or verdict(facts)
        record.outcome = outcome(facts, record.verdict)
        if record.verdict != before:
            # A gossip may reopen an ask in each cycle: only a changed verdict is an event, and in place of the last.
            sim.event_log.closed(record.id, record.verdict)
        if record.firsts is not None:
            self._paths.put(record)
        sim.records.compact()
