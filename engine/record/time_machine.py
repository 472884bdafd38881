"""Going back in a run: the command log, checkpoints, and a swarm at the cursor.

With the setup and the world, the command log decides a run bit for bit. So any moment can be reached by running to it;
a checkpoint only makes this shorter. A `TimeMachine` has the interface of a swarm for a pacer: `advance` moves the
cursor, and while the cursor is before the end of the run, the logged commands are done again at their times. When a
command is given there, everything that came later is discarded, in the file of a recording too, and the run goes on
from that command.

The machine watches its swarm (`Swarm.watch`), so commands are given to the swarm itself, by `Swarm.do`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..api import Peer
from ..commands import Command
from ..errors import InputError, PeerFailed
from ..setup import Setup
from ..swarm import Swarm
from ..world.world import World
from .checkpoints import CheckpointTaker
from .gc import free_in_steps, freeze_objects, frozen_after
from .log import Fingerprints, LoggedCommand, Marks, Position, position_at

if TYPE_CHECKING:
    from .file import Recording, RecordingWriter

CHUNK = 1_000
"""Deliveries between two values that a seek yields."""


class TimeMachine:
    """A run with a cursor. `swarm` is the swarm at the cursor, and another object after a seek.

    swarm: a new one, before its first command; ValueError otherwise.
    program: as for `Swarm`.
    checkpoints: takes the checkpoints; without it a seek runs from the cursor or from the beginning.
    recording: a run that is replayed; its log has the commands of this one.
    freeze_gc: for programs with a screen. Swarms that a seek makes are frozen for the garbage collector, and discarded
    ones are freed in steps (see `gc`): no other reference to a swarm may be kept over a seek.
    """

    def __init__(
        self,
        swarm: Swarm,
        *,
        program: type[Peer] | None = None,
        checkpoints: CheckpointTaker | None = None,
        recording: Recording | None = None,
        freeze_gc: bool = False,
    ) -> None:
        if swarm.given:
            raise ValueError("the swarm of a time machine has to be one without commands")
        self.setup: Setup = swarm.setup
        self.world: World = swarm.world
        self.program = program
        self.checkpoints = checkpoints
        self.log: list[LoggedCommand] = list(recording.log) if recording else []
        self.fingerprints = Fingerprints(recording.fingerprints if recording else None)
        self.end_us = max(swarm.now_us, recording.end_us if recording else 0)
        """How far the run has come, in us of virtual time."""
        self.diverged: tuple[int, int] | None = None
        """(last time in us at which this run was as recorded, first time at which it was not); None as long as it is as
        recorded."""
        self.forks = 0
        """How often what came after the cursor was discarded."""
        self.recording_error = ""
        """Why a recording ended too early."""
        self.marks = Marks(self.log)
        self._final = (recording.end_us, recording.final) if recording and recording.final else None
        self._writer: RecordingWriter | None = None
        self._agreed_us = 0
        self._replaying_command = False
        self._marked_us = swarm.now_us
        self._end_swarm: Swarm | None = None
        """The swarm at the end of the run, kept while the cursor is in the past."""
        self._seeks = 0
        """Counts the seeks: only the last one may move the cursor."""
        self._freeze_gc = freeze_gc
        self._freeing: list[Iterator[None]] = []
        self.swarm = swarm
        swarm.watch(self)
        if freeze_gc:
            freeze_objects()

    # --- the cursor -----------------------------------------------------------------------------------------

    @property
    def now_us(self) -> int:
        """Virtual time of the cursor, in us."""
        return self.swarm.now_us

    @property
    def live(self) -> bool:
        """Whether the cursor is at the end of the run, so that what happens there has not happened before."""
        return self.swarm.now_us >= self.end_us and self.swarm.given >= len(self.log)

    @property
    def backpressure(self) -> float:
        """How late the checkpoints are: for `Pacer`."""
        return self.checkpoints.backpressure if self.checkpoints else 0.0

    # --- time -----------------------------------------------------------------------------------------------

    def advance(self, until_us: int, budget: int | None = None) -> int:
        """As `Swarm.advance`; logged commands on the way are done again."""
        try:
            done = self._run(self.swarm, until_us, budget, len(self.log))
        except PeerFailed:
            self._extend_end()  # The run ends where the program failed: this is its last moment.
            raise
        self.on_advanced()
        return done

    def on_advanced(self) -> None:
        """To be called by a program that advances `swarm` itself, each time after it did."""
        swarm = self.swarm
        if swarm.now_us > self._marked_us:
            self._marked_us = swarm.now_us
            self.marks.read_events(swarm)
        self._extend_end()
        self.poll()

    def poll(self) -> None:
        """Do pending work: receive checkpoints, free a part of discarded swarms, flush the recording. To be called now
        and then while time is paused. Takes microseconds."""
        self._free_step()
        if self.checkpoints is not None:
            self.checkpoints.on_advanced(self)
        self._write(lambda writer: writer.on_advanced(self.end_us))

    def _run(self, swarm: Swarm, until_us: int, budget: int | None, commands: int) -> int:
        """Advance a swarm along the log, up to a number of commands. Returns the deliveries."""
        done = 0
        while swarm.given < commands and self.log[swarm.given].at_us <= until_us:
            logged = self.log[swarm.given]
            if swarm.now_us < logged.at_us:
                done += swarm.advance(logged.at_us, None if budget is None else max(1, budget - done))
                if swarm.now_us < logged.at_us or (budget is not None and done >= budget):
                    return done
            self._replaying_command = True
            try:
                swarm.do(logged.repeatable, logged.by, logged.contents)
                swarm.selector_rng.state = logged.rng_state
            except InputError as error:
                raise InputError(f"at {logged.at_us / 1e6:.3f} s, {logged.command.verb}: {error}") from None
            finally:
                self._replaying_command = False
        return done + swarm.advance(until_us, None if budget is None else max(1, budget - done))

    def _extend_end(self) -> None:
        if self.swarm.now_us > self.end_us:
            self.end_us = self.swarm.now_us
            self._discard_end_swarm()

    # --- what the swarm reports, see `Watcher` --------------------------------------------------------------

    def on_command(self, command: Command, resolved: Command, by: str, contents: bytes | None) -> None:
        swarm = self.swarm
        if self._replaying_command:
            return
        logged = LoggedCommand(swarm.now_us, command, resolved, by, swarm.selector_rng.state, contents=contents)
        if swarm.now_us < self.end_us or swarm.given <= len(self.log):
            self._truncate((swarm.now_us, swarm.given - 1))
        self.log.append(logged)
        self.end_us = max(self.end_us, swarm.now_us)
        self.marks.add_command(logged)
        self._write(lambda writer: writer.command(logged))

    def on_sample(self) -> None:
        at_us = self.swarm.now_us
        fingerprint = self.swarm.fingerprint()
        known = self.fingerprints.get(at_us)
        if known is None:
            if at_us >= self.end_us and self.fingerprints.add(at_us, fingerprint):
                self._write(lambda writer: writer.fingerprint(at_us, fingerprint))
        elif known == fingerprint:
            self._agreed_us = max(self._agreed_us, at_us)
        elif self.diverged is None:
            self.diverged = (self._agreed_us, at_us)

    def check_final_fingerprint(self) -> None:
        """At the end of a replay: set `diverged` if the last fingerprint is not the recorded one."""
        if self._final is not None and self.diverged is None and self._final[0] == self.now_us:
            self.swarm.advance(self.now_us)
            if self.swarm.fingerprint() != self._final[1]:
                self.diverged = (self._agreed_us, self.now_us)

    # --- moving the cursor ----------------------------------------------------------------------------------

    def seek(self, t_us: int) -> Iterator[float]:
        """Move the cursor to the end of an instant. An iterator: it yields how much is done, 0 to 1, every few
        milliseconds, and moves the cursor after its last value. Stop iterating to cancel.

        It ends without moving the cursor when another seek begins meanwhile, or when a command discards the part of the
        run that it is running through.
        """
        yield from self._seek(position_at(self.log, max(0, min(t_us, self.end_us))))

    def undo(self) -> Iterator[float]:
        """Move the cursor to just before the last command of a person, and discard what came after. Does nothing when
        there is no such command. An iterator, as `seek`."""
        count = self.swarm.given
        while count and self.log[count - 1].by != "person":
            count -= 1
        if count and (yield from self._seek((self.log[count - 1].at_us, count - 1))):
            self._truncate((self.swarm.now_us, self.swarm.given))

    def _seek(self, to: Position) -> Generator[float, None, bool]:
        """Move the cursor. Returns whether it was moved."""
        self._seeks += 1
        state = self._seeks, self.forks
        swarm = self._nearest(to)
        own = swarm is not self.swarm
        self._follow(swarm)
        from_us = swarm.now_us
        try:
            # If a program fails on the way, the run ends there, and the cursor moves to that moment.
            with suppress(PeerFailed):
                while self._run(swarm, to[0], CHUNK, to[1]) >= CHUNK or swarm.given < to[1]:
                    self.marks.read_events(swarm)
                    yield (swarm.now_us - from_us) / max(1, to[0] - from_us)
                    if (self._seeks, self.forks) != state:
                        self._abandon(swarm, own)
                        return False
                    if swarm.now_us > to[0] or swarm.given > to[1]:
                        # It was the swarm at the cursor, which was advanced meanwhile.
                        swarm = self._nearest(to)
                        own = swarm is not self.swarm
                        self._follow(swarm)
            yield 1.0
        except (GeneratorExit, InputError):
            self._abandon(swarm, own)
            raise
        if (self._seeks, self.forks) != state:
            self._abandon(swarm, own)
            return False
        # In a replay, the events on the way have not been read yet.
        self.marks.read_events(swarm)
        self._move_to(swarm)
        return True

    def _follow(self, swarm: Swarm) -> None:
        """Continue the time series of shown columns in a swarm that may be another object."""
        for other in (self.swarm, self._end_swarm):
            if other is not None:
                swarm.follow_as(other)

    def _abandon(self, swarm: Swarm, own: bool) -> None:
        """Discard the swarm of a seek that ends early. own: whether it belongs to the seek alone, and is not the swarm
        at the cursor."""
        if not own:
            return
        at_end = swarm.now_us >= self.end_us and swarm.given >= len(self.log) and swarm.failure is None
        if at_end and self._end_swarm is None:
            self._end_swarm = swarm
        else:
            self._discard(swarm)

    def _nearest(self, to: Position) -> Swarm:
        """The swarm from which a position is reached soonest: the one at the cursor, the one at the end of the run, the
        one of a checkpoint, or a new one."""
        swarm = self.swarm
        if self.checkpoints is not None:
            self.checkpoints.receive_all()
        store = self.checkpoints.store if self.checkpoints else None
        checkpoint = store.nearest(to) if store else None
        at_end = self._end_swarm
        if at_end is not None and at_end.now_us <= to[0] and at_end.given <= to[1]:
            self._end_swarm = None
            return at_end
        here = (swarm.now_us, swarm.given)
        usable = here[0] <= to[0] and here[1] <= to[1] and swarm.failure is None
        if usable and (checkpoint is None or here >= checkpoint.at):
            return swarm
        if checkpoint is not None and store is not None:
            with frozen_after(self._freeze_gc):
                return store.unpack(checkpoint, swarm)
        with frozen_after(self._freeze_gc):
            return Swarm(self.setup, self.program, self.world)

    def _move_to(self, swarm: Swarm) -> None:
        """Make another swarm the one at the cursor."""
        old = self.swarm
        if old is not swarm:
            if self.live and old.failure is None:
                self._discard_end_swarm()
                self._end_swarm = old
            old.unwatch()
            if old is not self._end_swarm:
                self._discard(old)
        swarm.watch(self)
        self.swarm = swarm
        self._marked_us = swarm.now_us

    def _truncate(self, to: Position) -> None:
        """Discard what came after a position."""
        from_us, self.end_us = max(self.end_us, to[0]), to[0]
        self.forks += 1
        del self.log[to[1] :]
        self._discard_end_swarm()
        self._final = None
        self.fingerprints.truncate(to[0])
        self.marks.truncate(self.log, self.swarm)
        if self.checkpoints is not None:
            self.checkpoints.truncate(to)
        self._write(lambda writer: writer.truncate(from_us, to))

    # --- recording ------------------------------------------------------------------------------------------

    @property
    def recording(self) -> str:
        """Path of the file that is written, or empty."""
        return self._writer.path if self._writer else ""

    def record(self, path: str, story: Mapping[str, Any], clock: Callable[[], float]) -> None:
        """Write this run into a file, from its beginning on. clock: returns seconds, for flushing. Raises InputError.

        A later error of the file ends the recording, and is then in `recording_error`.
        """
        from .file import RecordingWriter

        self.stop_recording()
        self._writer = RecordingWriter(path, self.setup, self.world, story, clock)
        self._extend_end()
        self._writer.write_past(self.log, self.fingerprints, self.end_us)

    def stop_recording(self) -> None:
        """Write the end, and close the file."""
        if self._writer is not None:
            self._extend_end()
            final = self.live and self.swarm.failure is None
            if final:
                self.swarm.advance(self.swarm.now_us)
            self._write(lambda writer: writer.close(self.end_us, self.swarm.fingerprint() if final else ""))
            self._writer = None

    def abandon_recording(self) -> None:
        """Close the file as it is, without an end: for an interrupt at any moment."""
        self._write(lambda writer: writer.abandon())
        self._writer = None

    def _write(self, call: Callable[[RecordingWriter], None]) -> None:
        if self._writer is not None:
            try:
                call(self._writer)
            except InputError as error:
                self.recording_error, self._writer = str(error), None

    # --- end ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the run: stop seeks, the recording and the process that takes checkpoints."""
        self._seeks += 1
        self.stop_recording()
        if self.checkpoints is not None:
            self.checkpoints.close()

    def free(self) -> None:
        """Free all swarms of a run that was closed, with `freeze_gc`. The machine cannot be used afterwards."""
        self._discard_end_swarm()
        self._discard(self.swarm)
        while self._freeing:
            self._free_step()

    def _discard(self, swarm: Swarm) -> None:
        if self._freeze_gc:
            self._freeing.append(free_in_steps(swarm))

    def _discard_end_swarm(self) -> None:
        if self._end_swarm is not None:
            self._discard(self._end_swarm)
            self._end_swarm = None

    def _free_step(self) -> None:
        while self._freeing and next(self._freeing[0], self) is self:
            del self._freeing[0]
