"""The session: a run, what the user looks at in it, and the frames that show it.

Widgets post messages, the screen calls the session, and the next frame shows the result. Nothing here imports Textual,
so all of it is tested without a screen. The parts are plain objects:

- `player`: the time machine and the pacer; play, pause, seek, undo, record
- `selection`: the selected peer, marked peers, the chosen ask, the filter of the table
- `analysis`: facts, theory, belief view, minimum cut, step to the next arrival
- `slow_motion`: slows time while a question crosses the swarm
- `notice`: the sentence that is shown for some seconds
- `teller`: the sentence on the picture, about the latest action or ask
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine import (
    Adjourn,
    AskFor,
    AskId,
    AskIssued,
    Closed,
    Command,
    Court,
    Event,
    InputError,
    PeerFailed,
    PeerId,
    Peers,
    Scenario,
    Set,
    Setup,
    Snapshot,
    Swarm,
    allowed_of,
    goals_to_ask,
    load_again,
    network,
    title_of,
)

from . import reproduce
from .analysis import Analysis
from .ask_filter import AskFilter
from .frame import Frame
from .narration import Narrator
from .notice import Notice
from .options import options_of, text_of
from .player import Player, Schedule, under_protocol
from .selection import Selection
from .slow_motion import SlowMotion
from .telling import Teller
from .verbs import done_sentence, told_of

if TYPE_CHECKING:
    from engine import Recording, Report, Until

TITLES = 50
"""Titles of the catalogue that are offered when an ask is typed."""
EVENTS_SHOWN = 200
"""Events before the cursor that the first frame after a seek has."""
COURT_S = 2.0
"""Virtual seconds after which a court censors a peer that answered."""


class Session:
    """Makes the swarm of a scenario and runs it: `await run()` in a task, `frame()` whenever the screen draws.

    until: pause there, in virtual seconds, or when all asks are closed ("quiet"). Raises InputError for a setup that
    is not possible."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        speed: float = 1.0,
        until: Until = None,
        clock: Callable[[], float] = time.monotonic,
        make: Callable[[Setup], Swarm] = Swarm,
        recording: Recording | None = None,
    ) -> None:
        self.clock = clock
        self._started_s = clock()
        self.notice = Notice(clock)
        self.player = Player(
            scenario,
            notice=self.notice,
            on_seeked=self._on_seeked,
            clock=clock,
            speed=speed,
            until=until,
            make=make,
            recording=recording,
        )
        self.selection = Selection(self.player, self.notice)
        self.analysis = Analysis(self.player, self.selection, self.notice, clock)
        self.slow_motion = SlowMotion(self.player.pacer)
        self.teller = Teller()
        self.shown: frozenset[str] = frozenset()
        """Columns of the network that frames should hold: those that somebody looks at."""
        self.contacts = False
        """Whether frames should hold whom peers could ask next, as links, where no stream is open."""
        self.inspected = False
        """Whether somebody looks at the links of the selected peer."""
        self.followed: frozenset[str] = frozenset()
        """Columns of the network, and "role", whose time series somebody looks at."""
        self.asks_of = AskFilter()
        """Which asks are shown; others are not followed either."""
        self._answered: frozenset[PeerId] = frozenset()
        """See `Frame.answered`."""
        self.refused = ""
        """Why the latest command of the user was not done; empty if it was."""
        self._branch = ""
        """The sentence about the new branch of the run that the latest command started, if it did."""
        self._frames_wanted = 0
        self._drawn: tuple[object, ...] = ()
        """What the latest frame was made of; `stale` compares it."""
        self._seen = 0
        """The number of the latest event that was read."""
        self._events: list[Event] = []
        """Events since the latest frame."""
        self._read_swarm()

    def _read_swarm(self) -> None:
        """Read what is read once for each run, and again after a seek."""
        player = self.player
        self._snapshot: Snapshot | None = None
        self._open_asks: set[AskId] = set()
        """Asks of the user that are not closed."""
        # Captions and expectations of a scenario hold for the network that it was written for.
        same = player.setup.protocol == player.scenario.setup.protocol
        self._narrator = Narrator(player.scenario if same else Scenario())
        self._warnings = len(self.swarm.warnings)
        self.notice.done = None
        goals = goals_to_ask(self.swarm.simulation.program.goals)
        self._texts = {goal.name: tuple(self.swarm.examples(TITLES, goal.name)) for goal in goals}
        self.touch()

    @property
    def swarm(self) -> Swarm:
        """The swarm at the cursor. A seek replaces it: keep no reference to it."""
        return self.player.swarm

    async def run(self) -> None:
        """Advance the swarm until `stop`."""
        await self.player.pacer.run()

    def stop(self) -> None:
        """End `run`."""
        self.player.stop()

    def restart(self, protocol: str) -> bool:
        """Run the same peers, content, churn and seed with another network, from t = 0. Returns False, and shows a
        notice, if that is not possible."""
        setup = under_protocol(self.player.setup, protocol)
        sentence = f"{title_of(network(protocol))}: the same peers and the same files, from the start"
        return self._open(self.player.scenario, setup, sentence, self.player.repeated)

    def load_again(self) -> bool:
        """Execute the file of this network anew, and run the same seed with it from t = 0; options that it no longer
        has are left out. Returns False, and shows a notice, if the file or the run cannot be used; the present run then
        goes on as it was."""
        setup = self.player.setup
        try:
            program, back = load_again(setup.protocol)
        except InputError as error:
            self.say(f"Not loaded: {error}")
            return False
        known = allowed_of(program.options_type) if hasattr(program, "options_type") else {}
        kept = {name: value for name, value in setup.options.items() if name in known}
        gone = [name for name in setup.options if name not in known]
        lost = f", which has no {' and no '.join(gone)} any more" if gone else ""
        changed = replace(setup, protocol=program.name, options=kept)
        sentence = f"{title_of(program)}, loaded again from its file{lost}: the same seed, from the start"
        if self._open(self.player.scenario, changed, sentence, self.player.repeated):
            return True
        back()
        return False

    def set_options(self, values: Mapping[str, object], how: Literal["now", "restart", "again"]) -> bool:
        """Give options of the network other values: from now on; or from the start of the same seed, without or with
        the commands of the user. Returns whether another run began; for a value that is not allowed, shows a notice."""
        changes = ", ".join(f"{name} = {text_of(value)}" for name, value in values.items())
        if how == "now":
            before = self.player.machine.forks
            done = [self._set(name, value) for name, value in values.items()]
            if all(done) and self.player.machine.forks == before:
                self.say(f"{changes}, from now on")
            return False
        setup, scenario = self.player.setup, self.player.scenario
        kept: Schedule = ()
        if how == "again":
            # A change of an option is not repeated: the new run begins with its value.
            own = {option.name for option in options_of(setup.protocol, {}, {})}
            given = [(each.at_us, each.command) for each in self.player.all_commands()]
            kept = tuple(
                (at_us, command)
                for at_us, command in (*self.player.repeated, *given)
                if not (isinstance(command, Set) and command.name in own)
            )
        planned = setup.schedule[: len(setup.schedule) - len(self.player.repeated)]
        changed = replace(setup, options={**setup.options, **values}, schedule=(*planned, *kept))
        again = f", with your {len(kept)} action{'s' if len(kept) > 1 else ''} again" if kept else ""
        return self._open(scenario, changed, f"{changes}: the same seed, from the start{again}", kept)

    def _set(self, name: str, value: object) -> bool:
        given = self.swarm.given
        self.do(Set(name, value))
        return self.swarm.given > given

    def open(self, scenario: Scenario) -> bool:
        """Run another scenario from its start. Returns False, and shows a notice, if that is not possible."""
        return self._open(scenario, scenario.setup, f"{scenario.title}, from the start")

    def _open(self, scenario: Scenario, setup: Setup, sentence: str, repeated: Schedule = ()) -> bool:
        recorded = self.player.recording
        try:
            self.player.open(scenario, setup, repeated)
        except (InputError, PeerFailed) as error:
            self.say(str(error))
            return False
        self.selection.reset(setup.peers)
        self._answered = frozenset()
        self.analysis.reset()
        self.slow_motion.reset()
        self.teller.forget()
        self.asks_of = AskFilter()
        self._seen, self._events = 0, []
        self._read_swarm()
        before = f". The run before was recorded: swarmtop replay {recorded}" if recorded else ""
        self.say(sentence + before)
        return True

    def _on_seeked(self) -> None:
        """The cursor moved to another moment."""
        self._seen = self.swarm.simulation.event_log.seen
        self._events = list(self.swarm.events(self._seen - EVENTS_SHOWN))
        self.teller.forget()
        self.teller.follow(self.swarm.events(), -math.inf)
        self.selection.on_seeked()
        self.analysis.on_seeked()
        self.slow_motion.on_seeked()
        self._read_swarm()

    # --- frames ----------------------------------------------------------------------------------------------

    @property
    def stale(self) -> bool:
        """Whether a frame made now could differ from the latest one. If not, nothing needs to be drawn."""
        return self.player.pacer.busy or self._drawable() != self._drawn

    def _drawable(self) -> tuple[object, ...]:
        player, pacer = self.player, self.player.pacer
        return (
            *(self.swarm.now_us, pacer.playing, pacer.speed, pacer.slowed, player.alarm, player.recording),
            *(self.selection.state(), self.analysis.state(), self.notice.text, self._frames_wanted, self.shown),
            self.asks_of,
        )

    @property
    def watched(self) -> bool:
        """Whether the user waits for something: slow motion is on, or an ask of the user is open."""
        return self.player.pacer.slowed or bool(self._open_asks)

    def touch(self) -> None:
        """A frame is wanted for a change that the session does not know of, as a switch of the screen."""
        self._frames_wanted += 1

    def say(self, sentence: str) -> None:
        """Show one sentence to the user for some seconds."""
        self.notice.say(sentence)

    def frame(self, fps: float) -> Frame:
        """The present moment, with the events since the latest frame. fps: frames per second, as measured."""
        player, selection, pacer = self.player, self.selection, self.player.pacer
        done = self.notice.done
        pacer.slice()
        self._read_events()
        player.pause_when_quiet()
        player.tell_changes()
        now_s = self.clock()
        self._snapshot = snapshot = self._take_snapshot()
        self._drawn = self._drawable()
        events, self._events = tuple(self._events), []
        story = self._narrator.at(self.swarm)
        told = self.teller.at(self.swarm, snapshot, selection.ask, selection.following, now_s)
        trace = None if selection.ask is None else self.swarm.trace(selection.ask)
        if trace is not None and not self._answered.issuperset(found := told_of(trace)):
            self._answered |= set(found)
        frame = Frame(
            snapshot=snapshot,
            wall_s=now_s,
            playing=pacer.playing,
            speed=pacer.speed,
            pace=pacer.pace,
            fps=fps,
            slowed=pacer.slowed,
            selected=selection.selected,
            ask=selection.ask,
            trace=trace,
            facts=self.analysis.facts(now_s, self.inspected and not player.alarm),
            events=events,
            notice=self.notice.text,
            told=told,
            captions=story.captions,
            predictions=story.predictions,
            expectations=story.expectations,
            texts=self._texts,
            answered=self._answered,
            asks_of=self.asks_of,
            followed=selection.following and selection.ask is not None,
            marked=selection.marked,
            filter=selection.filter,
            filtered=selection.filtered(now_s),
            alarm=player.alarm,
            keepers=self.analysis.keepers(now_s),
            theory=self.analysis.theory(),
            offers=self.analysis.offers(now_s),
            show_belief=self.analysis.show_belief and selection.selected is not None,
            min_cut=self.analysis.min_cut,
            live=player.at_end,
            end_us=player.end_us,
            marks=player.marks,
            seeking=None if player.seek is None else player.seek.progress,
            seek_target_us=player.seek_target_us,
            recording=player.recording,
            begun_with=player.setup.options,
            done=player.done(),
            jumps=player.jumps,
        )
        if done is not None:
            command, changed, also = done
            sentence = done_sentence(frame, command, changed, self.swarm)
            self.say(f"{sentence}. {also}" if also else sentence)
            frame = replace(frame, notice=self.notice.text)
            self._drawn = self._drawable()
        return frame

    def _take_snapshot(self) -> Snapshot:
        """The present moment, with the columns that are looked at."""
        fixed = self._snapshot.fixed if self._snapshot is not None else self.swarm.snapshot().fixed
        wanted = [one.name for one in fixed.shows if one.name in self.shown]
        if self.followed:
            self.swarm.follow(sorted(self.followed), strict=False)
        try:
            return self.swarm.snapshot(wanted, contacts=self.contacts)
        except PeerFailed as error:
            self.shown, self.contacts = frozenset(), False
            self.player.fail(error)
            return self.swarm.snapshot()

    def _read_events(self) -> None:
        """Read the events since the last call: follow the latest ask, measure crossings, show warnings."""
        fresh = list(self.swarm.events(self._seen))
        self.teller.follow(fresh, self.clock())
        for event in fresh:
            self._seen = event.seq
            self._events.append(event)
            if isinstance(event, AskIssued):
                self._on_issued(event)
            elif isinstance(event, Closed):
                self._open_asks.discard(event.ask)
                self.slow_motion.on_closed(event.ask, self.swarm)
        warnings = self.swarm.warnings
        if len(warnings) > self._warnings:
            self.say("; ".join(map(str, warnings[self._warnings :])))
            self._warnings = len(warnings)

    def _on_issued(self, event: AskIssued) -> None:
        if event.by == "person":
            self._open_asks.add(event.ask)
        goal = self.swarm.record(event.ask).goal if self.asks_of.goal else ""
        if not self.asks_of.shows(event.by, goal):
            return
        # The first ask of a run is shown in slow motion, as if the user had asked.
        first = self.selection.ask is None and not self.player.commands()
        self.selection.follow(event.ask)
        if first:
            self.slow_motion.on_issued(event.ask, event.origin, self._recent_snapshot)

    def _recent_snapshot(self) -> Snapshot:
        """The snapshot of the latest frame, if it has all peers; else a new one."""
        recent = self._snapshot
        return recent if recent is not None and len(recent.state) == len(self.swarm.labels) else self.swarm.snapshot()

    # --- commands --------------------------------------------------------------------------------------------

    def carry_out(self, command: Command) -> tuple[PeerId, ...]:
        """Do a command of the user, as `do`, and say how many peers it changed and how to undo it, and that a new
        branch of the run starts, if one does."""
        changed = self.do(command)
        if changed:
            self.notice.done = command, changed, self._branch
        return changed

    def do(self, command: Command) -> tuple[PeerId, ...]:
        """Do a command of the user. Returns the peers it changed. A command that is wrong changes nothing and becomes a
        notice, and `refused`."""
        self.player.finish_seek()
        before = self.swarm.asks_total
        self.refused = ""
        try:
            peers = self.swarm.do(command)
        except InputError as error:
            self.refused = str(error)
            self.say(self.refused)
            return ()
        except PeerFailed as error:
            self.player.fail(error)
            return ()
        self._branch = self.player.on_command()
        if self._branch:
            self.say(self._branch)
        self.analysis.refresh_facts()
        if isinstance(command, AskFor):
            self._choose_own(before)
        self._read_events()
        self.touch()
        return peers

    def _choose_own(self, before: int) -> None:
        """Choose the first ask of the user after number `before`, and slow down for it. There is none if all peers that
        should ask are down: they ask when they are back."""
        for ask in range(before + 1, self.swarm.asks_total + 1):
            row = self.swarm.record(ask)
            if row.by == "person":
                self.selection.choose(ask)
                if row.messages:  # Nothing crosses the swarm if the search cannot be sent.
                    self.slow_motion.on_issued(ask, row.origin, self._recent_snapshot)
                return

    def ask_for(self, text: str, origin: Peers | None, goal: str | None = None) -> None:
        """Ask for `text` at `origin`, at each of several peers, or at any live peer (None). goal: the name of a goal of
        the network, by default its first."""
        peers = origin if origin is not None else self._any_live_peer()
        if peers is None:
            self.refused = "No peer is alive, so none can ask"
            self.say(self.refused)
        else:
            self.do(AskFor(peers=peers, text=text, goal=goal))

    def _any_live_peer(self) -> PeerId | None:
        """A live peer, a different one for each ask; a censored one only if all are. It uses no random numbers of the
        run, which would change the run. None if no peer is up."""
        snapshot = self.swarm.snapshot()
        up = (snapshot.state == 0) & ~snapshot.fixed.infrastructure
        free = up & ~snapshot.censored
        peers = np.flatnonzero(free if free.any() else up)
        return int(peers[(snapshot.asks_total * 7) % len(peers)]) if len(peers) else None

    def censor_min_cut(self) -> None:
        """Censor the minimum cut that is shown, or uncensor it when all of it is censored."""
        command = self.analysis.min_cut_command()
        if command is not None:
            self.do(command)

    def toggle_court(self) -> None:
        """Start a court that censors each peer that answers, or end it."""
        court = self.swarm.snapshot().court
        if court is None:
            self.do(Court(COURT_S))
            self.say(
                f"A court is in session: each peer that answers is censored {COURT_S:g} s later. {{run.court}}: end"
            )
        else:
            self.do(Adjourn())
            self.say(f"The court has ended. Its {court.orders} orders stay: {{peer.filter}} state=censored lists them")

    # --- reports ---------------------------------------------------------------------------------------------

    def report(self, series: bool = False) -> Report:
        """The run so far, as `swarmtop run` reports one."""
        from engine import report_of

        scenario = replace(self.player.scenario, setup=self.player.setup)
        return report_of(self.swarm, scenario, self.clock() - self._started_s, series)

    def command_line(self) -> str:
        """The command line that leads to this moment, see `reproduce.command_line`. Empty, and a notice, if that
        fails."""
        player = self.player
        try:
            folder = reproduce.user_folder()
            return reproduce.command_line(player.scenario, player.setup, player.commands(), self.swarm.now_us, folder)
        except OSError as error:
            self.say(f"the moment cannot be saved: {error.strerror or error}")
            return ""

    def command_line_of_all(self) -> str:
        """The command line that leads to the end of the run, wherever the cursor is. Raises OSError."""
        player, folder = self.player, reproduce.user_folder()
        return reproduce.command_line(player.scenario, player.setup, player.all_commands(), player.end_us, folder)

    def as_scenario(self) -> str:
        """The run up to the cursor, with the user's commands, as the text of a scenario."""
        player = self.player
        return reproduce.as_scenario(player.scenario, player.setup, player.commands(), self.swarm.now_us)
