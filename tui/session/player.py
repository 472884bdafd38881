"""Going back and forth in the run on screen: the half of the session that holds a time machine.

A seek is a job of `Pacer`: it is done in slices before time goes on, the screen stays alive meanwhile, and the
cursor moves when it is there. What a person does in the past begins another future; that is said, and `undo` is no
way back from it. Charts, tables and the feed follow by themselves, since all they show comes from the swarm at the
cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine import (
    CheckpointWorker,
    InputError,
    Mark,
    Pacer,
    PeerId,
    Recording,
    Scenario,
    Setup,
    Swarm,
    TimeMachine,
    network,
    parted_sentence,
    story_of,
    title_of,
)

from .reproduce import Done

if TYPE_CHECKING:
    from collections.abc import Sequence

EVENTS_SHOWN = 200
"""How many of the events before the cursor are told again after a jump."""


class Traveller:
    """What `Session` inherits. `jumps` counts how often the cursor was somewhere else all at once."""

    live: Pacer
    machine: TimeMachine
    scenario: Scenario
    setup: Setup
    jumps = 0
    seeking: float | None = None
    """How far a seek is, 0 to 1, or None."""
    heading_us: int | None = None
    """Where the seek that is under way leads."""
    _wished_us: int | None = None
    _undoing = False
    """Whether the seek that is under way discards something when it is there."""
    _in_past = False
    selected: PeerId | None
    _notice: str
    _clock: Callable[[], float]
    _make: Callable[[Setup], Swarm]
    _forks = 0
    _told_diverged = False
    _replays: Recording | None = None

    def say(self, sentence: str) -> None:
        """Put one sentence where the person looks."""
        raise NotImplementedError

    def forget(self) -> None:
        """Another run begins: nothing of what was seen holds any more."""
        raise NotImplementedError

    def landed(self) -> None:
        """The swarm is another one, or at another moment."""
        raise NotImplementedError

    def embark(self, swarm: Swarm, recording: Recording | None = None) -> None:
        """A run begins. With a recording it has a future already."""
        if hasattr(self, "machine"):
            self.machine.close()
            self.machine.free()
        self.machine = TimeMachine(swarm, checkpoints=CheckpointWorker(), recording=recording, freeze_gc=True)
        self._replays, self._forks, self._told_diverged = recording, 0, False
        self.seeking = self.heading_us = self._wished_us = None
        self._in_past = self._undoing = False

    def restart(self, protocol: str) -> bool:
        """The same peers, content, churn and seed under another network, from t = 0. False if that is not possible."""
        same = protocol == self.setup.protocol
        setup = replace(self.setup, protocol=protocol, options=self.setup.options if same else {})
        said = f"{title_of(network(protocol))}: the same peers and the same files, from the start"
        return self._begin(self.scenario, setup, said)

    def open(self, scenario: Scenario) -> bool:
        """Another scenario, from its start. False, and said why, if it cannot be."""
        return self._begin(scenario, scenario.setup, f"{scenario.title}, from the start")

    def _begin(self, scenario: Scenario, setup: Setup, said: str) -> bool:
        try:
            swarm = self._make(setup)
        except InputError as error:
            self.say(str(error))
            return False
        recorded = self.recording
        self.embark(swarm)
        self.scenario, self.setup = scenario, setup
        kept = self.selected if self.selected is not None and self.selected < setup.peers else None
        self.forget()
        self.selected = kept
        self.live.load(self.machine)
        self.live.play()
        self.say(f"{said}. Of the run before, a recording: swarmtop replay {recorded}" if recorded else said)
        return True

    @property
    def swarm(self) -> Swarm:
        """The swarm at the cursor. After a seek it is another one: do not keep it."""
        return self.machine.swarm

    def tend(self) -> None:
        """To be called now and then, also while time stands still: a checkpoint may have arrived."""
        self.machine.poll()

    # --- where one is --------------------------------------------------------------------------------------

    @property
    def at_end(self) -> bool:
        """Whether what happens now happens for the first time."""
        return self.machine.live

    @property
    def end_us(self) -> int:
        """How far this run has ever come."""
        return self.machine.end_us

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Commands, kills, asks and alarms of the whole run, in order of time."""
        return self.machine.marks.all()

    def done(self) -> Sequence[Done]:
        """What was given from outside up to the cursor."""
        return [Done(each.at_us, each.command) for each in self.machine.log[: self.swarm.given]]

    def timeline(self) -> dict[str, Any]:
        """What a frame says of it."""
        where: dict[str, Any] = {"live": self.at_end, "end_us": self.end_us, "marks": self.marks}
        where |= {"seeking": self.seeking, "heading_us": self.heading_us}
        return {**where, "recording": self.recording, "jumps": self.jumps}

    @property
    def here_us(self) -> int:
        """Where the cursor is, or will be when the seek that is under way is over."""
        return self.swarm.now_us if self.heading_us is None else self.heading_us

    @property
    def wished_us(self) -> int:
        """The same, after all that is still wished for."""
        return self.here_us if self._wished_us is None else self._wished_us

    @property
    def undoable(self) -> bool:
        """Whether a person gave a command before the cursor."""
        return any(each.by == "person" for each in self.machine.log[: self.swarm.given])

    @property
    def replaying(self) -> bool:
        """Whether all that has happened here stands in the file that was opened."""
        return self._replays is not None and self.end_us <= self._replays.end_us

    # --- going elsewhere -------------------------------------------------------------------------------------

    def seek_to(self, t_us: int) -> None:
        """Go to a moment between 0 and `end_us`. It takes up to a second; a later call takes the place of this one."""
        if self._undoing:
            self.arrive()
        t_us = min(max(t_us, 0), self.end_us)
        self._wished_us = None
        self._depart(self._going(self.machine.seek(t_us)), t_us)

    def scrub_to(self, t_us: int) -> None:
        """As `seek_to`, for a cursor that is dragged: a seek that is under way ends first, and of the wishes meanwhile
        the last one counts. Were each given up for the next, a fast hand would see nothing until it rests."""
        if self.heading_us is None:
            self.seek_to(t_us)
        else:
            self._wished_us = min(max(t_us, 0), self.end_us)

    def step_by(self, us: int) -> None:
        """So much further on, or back, and stop. At the end, on means that time goes on. Steps add up."""
        if us > 0 and self.here_us + us > self.end_us:
            self.live.step(us)
        else:
            self.live.pause()
            self.seek_to(self.here_us + us)

    def go_live(self) -> None:
        """To the end of what has happened."""
        self.seek_to(self.end_us)

    def undo(self) -> None:
        """Go to just before the last command that a person gave up to here, and let time go on from there."""
        # An undo is something done, and not given up for the next one.
        self.arrive()
        last = next((each for each in reversed(self.machine.log[: self.swarm.given]) if each.by == "person"), None)
        if last is None:
            self.say("There is nothing to undo before this moment")
            return
        self._wished_us = None
        said = f"Undone: {last.command.verb}, at {last.at_us / 1e6:.2f} s. What came after it is discarded"
        self._depart(self._going(self.machine.undo(), said), last.at_us)
        self._undoing = True

    def _depart(self, job: Iterator[None], to_us: int) -> None:
        self.live.run_job(job)
        self._undoing = False
        self.seeking, self.heading_us = 0.0, to_us

    def _going(self, steps: Iterator[float], told: str = "") -> Iterator[None]:
        try:
            for self.seeking in steps:
                yield
        except Exception:
            self.seeking = self.heading_us = self._wished_us = None
            self._undoing = False
            raise
        self.jumps += 1
        self._undoing = False
        self._forks = self.machine.forks
        if self._replays is not None and not self.at_end:
            self.live.halt_at(self.end_us)
        self.landed()
        if told:
            self.say(told)
        if self._wished_us is not None:
            self.heading_us, self._wished_us = self._wished_us, None
            yield from self._going(self.machine.seek(self.heading_us))
        self.seeking = self.heading_us = None

    def tell_past(self) -> None:
        """Say once that this is the past, when one comes there; and that it is over."""
        past = not self.at_end
        if past == self._in_past or self.heading_us is not None:
            return
        self._in_past = past
        if past:
            before = f"{(self.end_us - self.swarm.now_us) / 1e6:.1f} s before the end"
            self.say(f"In the past, {before}. A deed begins another future; {{time.live}}: live")
        elif not self._notice or self._notice.startswith("In the past, "):
            self.say("Live again: what happens now happens for the first time")

    def arrive(self) -> None:
        """A person does something: the seek that is under way ends first."""
        self.live.finish_job()

    def tell_fork(self) -> None:
        """After a command: was it another future that began?"""
        if self.machine.forks > self._forks:
            self._forks = self.machine.forks
            self._replays = None
            self.say(f"Another future begins at {self.swarm.now_us / 1e6:.2f} s: what came after is discarded")

    def tell_trouble(self) -> None:
        """What a person should know of recordings, once."""
        if self.machine.recording_error:
            self.say(f"The recording has ended: {self.machine.recording_error}")
            self.machine.recording_error = ""
        if self.machine.diverged is not None and not self._told_diverged:
            self._told_diverged = True
            self.say(parted_sentence(self.machine.diverged, self.scenario.source or "this file").capitalize())

    # --- recording ---------------------------------------------------------------------------------------------

    @property
    def recording(self) -> str:
        """The file that is being written, or empty."""
        return self.machine.recording

    def record(self, path: str) -> bool:
        """Write this run into a file, from its beginning on. Says so, or why not."""
        try:
            self.begin_recording(path)
        except InputError as error:
            self.say(str(error))
            return False
        self.say(f"Recording into {path}, from the beginning of the run")
        return True

    def begin_recording(self, path: str) -> None:
        """The same, without a word; raises InputError."""
        same = self.setup.protocol == self.scenario.setup.protocol
        self.machine.record(path, story_of(self.scenario if same else Scenario()), self._clock)

    def stop_recording(self) -> None:
        """Close the file."""
        if self.recording:
            path = self.recording
            self.machine.stop_recording()
            self.say(f"Recorded: swarmtop replay {path}")
