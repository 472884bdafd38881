"""The player: plays a run at a speed, goes to other moments of it, and records it.

A seek is a job of the `Pacer`: it is done in slices before time advances, the screen goes on drawing meanwhile, and the
cursor moves when the seek is complete. A command that is given before the end of the run starts a new branch: what came
after it is discarded, and `undo` does not bring it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from engine import (
    CheckpointWorker,
    Command,
    InputError,
    Mark,
    Pacer,
    PeerFailed,
    Scenario,
    Setup,
    Swarm,
    TimeMachine,
    dataclass,
    follow,
    story_of,
)

from .done import Done
from .notice import Notice
from .reproduce import TimedCommand

if TYPE_CHECKING:
    from engine import Recording, Until

Schedule: TypeAlias = tuple[tuple[int, Command], ...]
IN_PAST = "In the past, "


@dataclass(slots=True)
class Seek:
    """A seek under way.

    target_us: where it leads; progress: 0 to 1; pending_us: where to go after that, if anywhere; is_undo: it discards
    commands when it is complete, so that a later seek must not replace it."""

    target_us: int
    progress: float = 0.0
    pending_us: int | None = None
    is_undo: bool = False


class Player:
    """Owns the time machine, and the pacer that advances it.

    until: pause there, in virtual seconds, or when all asks are closed ("quiet"). make: makes a swarm of a setup.
    on_seeked: called when the cursor has moved to another moment. Raises InputError for a setup that is not
    possible."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        notice: Notice,
        on_seeked: Callable[[], None],
        clock: Callable[[], float],
        speed: float = 1.0,
        until: Until = None,
        make: Callable[[Setup], Swarm] = Swarm,
        recording: Recording | None = None,
    ) -> None:
        self._notice, self._on_seeked, self._clock, self._make = notice, on_seeked, clock, make
        self.scenario = scenario
        self.setup = scenario.setup
        """What runs now. It differs from the setup of the scenario after a restart with another network."""
        self.repeated: Schedule = ()
        """Commands at the end of the setup's schedule that a person gave in the run before."""
        swarm = make(self.setup) if recording is None else Swarm(self.setup, world=recording.world)
        follow(swarm, scenario.expects)
        self.machine = _time_machine(swarm, recording)
        self.pacer = Pacer(
            self.machine,
            speed=speed,
            clock=clock,
            on_error=self.fail,
            backpressure=lambda: self.machine.backpressure,
        )
        self.alarm = ""
        """What stopped time: a peer's program failed. Empty until then, and when time goes on."""
        self.jumps = 0
        """How often the cursor moved to another moment."""
        self.seek: Seek | None = None
        self._reset(recording)
        self._until_quiet = until == "quiet"
        if recording is not None:
            self.pacer.halt_at(recording.end_us)
        if isinstance(until, (int, float)):
            self.pacer.halt_at(round(until * 1e6))

    def _reset(self, recording: Recording | None) -> None:
        self._replayed = recording
        self._done: tuple[tuple[int, ...], tuple[Done, ...]] = ((), ())
        self._branches = 0
        self._in_past = self._divergence_said = False
        self.alarm, self.seek = "", None

    def open(self, scenario: Scenario, setup: Setup, repeated: Schedule = ()) -> None:
        """Play another run from its start. repeated: see `Player.repeated`.

        Raises InputError for a setup that is not possible; nothing has changed then.
        """
        swarm = self._make(setup)
        if setup.protocol == scenario.setup.protocol:
            follow(swarm, scenario.expects)
        self.machine.close()
        self.machine.free()
        self.machine = _time_machine(swarm, None)
        self.scenario, self.setup, self.repeated = scenario, setup, repeated
        self._reset(None)
        self.pacer.load(self.machine)
        self.pacer.play()

    def stop(self) -> None:
        """End the pacer's `run`, and the process that takes checkpoints."""
        self.pacer.stop()
        self.machine.close()

    def poll(self) -> None:
        """To be called several times a second, also while time stands still: take in checkpoints that are ready."""
        self.machine.poll()

    # --- position --------------------------------------------------------------------------------------------

    @property
    def swarm(self) -> Swarm:
        """The swarm at the cursor. A seek replaces it: keep no reference to it."""
        return self.machine.swarm

    @property
    def at_end(self) -> bool:
        """Whether the cursor is at the live end of the run, and not in its past."""
        return self.machine.live

    @property
    def end_us(self) -> int:
        """How far this run has come, in virtual time."""
        return self.machine.end_us

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Commands, kills, asks and alarms of the whole run, in order of time."""
        return self.machine.marks.all()

    def commands(self) -> Sequence[TimedCommand]:
        """Commands that were given up to the cursor."""
        return [TimedCommand(each.at_us, each.command) for each in self.machine.log[: self.swarm.given]]

    def all_commands(self) -> Sequence[TimedCommand]:
        """Commands that were given in the whole run."""
        return [TimedCommand(each.at_us, each.command) for each in self.machine.log]

    def done(self) -> tuple[Done, ...]:
        """Commands of the whole run, of the scenario too, in order of time: those after the cursor are to come."""
        swarm, log = self.swarm, self.machine.log
        state = (id(swarm), len(swarm.history), swarm.given, len(log), self.machine.forks)
        if state != self._done[0]:
            again = {at_us for at_us, _ in self.repeated}
            past = [
                Done(at_us, command, "again" if at_us in again and (at_us, command) in self.repeated else by)
                for at_us, command, by in swarm.history
            ]
            ahead = [Done(each.at_us, each.command, each.by, True) for each in log[swarm.given :]]
            made = (*past, *ahead)
            self._done = state, self._done[1] if made == self._done[1] else made
        return self._done[1]

    @property
    def seek_target_us(self) -> int | None:
        """Where the seek under way leads, or None."""
        return None if self.seek is None else self.seek.target_us

    @property
    def cursor_us(self) -> int:
        """The time at the cursor; during a seek, the time it leads to."""
        return self.swarm.now_us if self.seek is None else self.seek.target_us

    @property
    def pending_seek_us(self) -> int:
        """Where the cursor will be after the seek under way and the one that waits for it."""
        pending_us = self.seek.pending_us if self.seek is not None else None
        return self.cursor_us if pending_us is None else pending_us

    @property
    def undoable(self) -> bool:
        """Whether the user gave a command before the cursor."""
        return any(each.by == "person" for each in self.machine.log[: self.swarm.given])

    @property
    def replaying(self) -> bool:
        """Whether the whole run so far is in the file that was opened."""
        return self._replayed is not None and self.end_us <= self._replayed.end_us

    # --- play and pause --------------------------------------------------------------------------------------

    def play_or_pause(self) -> None:
        """Toggle time. Playing clears the alarm."""
        if self.pacer.playing:
            self.pacer.pause()
        else:
            self.alarm = ""
            self.pacer.play()

    def fail(self, error: Exception) -> None:
        """A peer's program failed. Such a run cannot go on: time stops, and the moment can be examined."""
        self.alarm = str(error) if isinstance(error, PeerFailed) else f"{type(error).__name__}: {error}"
        self.machine.marks.alarm(self.swarm.now_us, self.alarm)
        self.pacer.pause()

    def pause_when_quiet(self) -> None:
        """With `until="quiet"`: pause once all asks are closed."""
        if self._until_quiet and self.pacer.playing and self.swarm.asks_total and self.swarm.quiet():
            self._until_quiet = False
            self.pacer.pause()
            self._notice.say("All asks are closed. {time.pause}: continue")

    # --- seeking ---------------------------------------------------------------------------------------------

    def seek_to(self, t_us: int) -> None:
        """Go to a moment between 0 and `end_us`. It takes up to a second; a later call replaces this one."""
        if self.seek is not None and self.seek.is_undo:
            self.finish_seek()
        t_us = min(max(t_us, 0), self.end_us)
        self._start(Seek(t_us), self.machine.seek(t_us))

    def scrub_to(self, t_us: int) -> None:
        """`seek_to` for a cursor that is dragged: the seek under way is completed first, then the latest target counts.
        If each call replaced the seek before, no frame would be seen until the mouse rests."""
        if self.seek is None:
            self.seek_to(t_us)
        else:
            self.seek.pending_us = min(max(t_us, 0), self.end_us)

    def step_by(self, us: int) -> None:
        """Pause, and go forward by so much, or back. Beyond the end, the run is advanced. Steps add up."""
        if us > 0 and self.cursor_us + us > self.end_us:
            self.pacer.step(us)
        else:
            self.pacer.pause()
            self.seek_to(self.cursor_us + us)

    def go_live(self) -> None:
        """Go to the end of the run."""
        self.seek_to(self.end_us)

    def undo(self) -> None:
        """Go to just before the user's last command up to the cursor, and discard what came after."""
        self.finish_seek()  # an undo under way must be completed, not replaced
        last = next((each for each in reversed(self.machine.log[: self.swarm.given]) if each.by == "person"), None)
        if last is None:
            self._notice.say("There is nothing to undo before this moment")
            return
        sentence = f"Undone: {last.command.verb}, at {last.at_us / 1e6:.2f} s. What came after it is discarded"
        self._start(Seek(last.at_us, is_undo=True), self.machine.undo(), sentence)

    def finish_seek(self) -> None:
        """Complete the seek under way now: a command is about to be given."""
        self.pacer.finish_job()

    def _start(self, seek: Seek, steps: Iterator[float], sentence: str = "") -> None:
        self.pacer.run_job(self._job(seek, steps, sentence))
        self.seek = seek

    def _job(self, seek: Seek, steps: Iterator[float], sentence: str) -> Iterator[None]:
        """The seek, then the one that waits for it, if any; one step of them for each `next`."""
        while True:
            try:
                for seek.progress in steps:
                    yield
            except Exception:
                self.seek = None
                raise
            self._arrived()
            if sentence:
                self._notice.say(sentence)
            if seek.pending_us is None:
                self.seek = None
                return
            seek = self.seek = Seek(seek.pending_us)
            steps, sentence = self.machine.seek(seek.target_us), ""

    def _arrived(self) -> None:
        self.jumps += 1
        self._branches = self.machine.forks
        if self._replayed is not None and not self.at_end:
            self.pacer.halt_at(self.end_us)
        self.alarm = str(self.swarm.failure or "")
        self._on_seeked()

    # --- notices ---------------------------------------------------------------------------------------------

    def on_command(self) -> str:
        """A command was done. Returns a sentence if that started a new branch, else an empty one."""
        if self.machine.forks <= self._branches:
            return ""
        self._branches = self.machine.forks
        self._replayed = None
        return f"A new branch starts at {self.swarm.now_us / 1e6:.2f} s: what came after is discarded"

    def tell_changes(self) -> None:
        """Say once each: the recording failed, the replay differs from its file, the cursor left the end or is back."""
        if self.machine.recording_error:
            self._notice.say(f"The recording has ended: {self.machine.recording_error}")
            self.machine.recording_error = ""
        if self.machine.diverged is not None and not self._divergence_said:
            self._divergence_said = True
            file = self.scenario.source or "this file"
            from engine import parted_sentence

            self._notice.say(parted_sentence(self.machine.diverged, file).capitalize())
        if self._in_past == (not self.at_end) or self.seek is not None:
            return
        self._in_past = not self.at_end
        if self._in_past:
            before = f"{(self.end_us - self.swarm.now_us) / 1e6:.1f} s before the end"
            self._notice.say(f"{IN_PAST}{before}. Acting here starts a new branch. {{time.live}}: back to the live end")
        elif not self._notice.text or self._notice.text.startswith(IN_PAST):
            self._notice.say("Back at the live end")

    # --- recording -------------------------------------------------------------------------------------------

    @property
    def recording(self) -> str:
        """The file that is being written, or empty."""
        return self.machine.recording

    def record(self, path: str) -> bool:
        """Write this run into a file, from its beginning on. False, and a notice, if that fails."""
        try:
            self.begin_recording(path)
        except InputError as error:
            self._notice.say(str(error))
            return False
        self._notice.say(f"Recording into {path}, from the beginning of the run")
        return True

    def begin_recording(self, path: str) -> None:
        """As `record`, without a notice. Raises InputError."""
        same = self.setup.protocol == self.scenario.setup.protocol
        self.machine.record(path, story_of(self.scenario if same else Scenario()), self._clock)

    def stop_recording(self) -> None:
        """Close the file."""
        if self.recording:
            path = self.recording
            self.machine.stop_recording()
            self._notice.say(f"Recorded: swarmtop replay {path}")


def _time_machine(swarm: Swarm, recording: Recording | None) -> TimeMachine:
    return TimeMachine(swarm, checkpoints=CheckpointWorker(), recording=recording, freeze_gc=True)


def under_protocol(setup: Setup, protocol: str) -> Setup:
    """The same peers, content, churn and seed with another network; its options are the defaults, if it differs."""
    return replace(setup, protocol=protocol, options=setup.options if protocol == setup.protocol else {})
