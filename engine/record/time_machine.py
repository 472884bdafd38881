"""Going back in a run: the log of what it was given, checkpoints, and a swarm wherever one wants to look.

The log is the truth. With the setup and the world it decides a run bit for bit, so any moment can be had by running
there, and a checkpoint does no more than shorten the way. The machine stands where the swarm would stand: who paces
time calls `advance` on it, and while the cursor is in the past, what was done there is done again when its time
comes. Whoever does something else in the past begins another future there; the old one is discarded, in the file of a
recording too.

It learns of commands from the swarm itself, whose watcher it is: there is still one door, `Swarm.do`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from typing import Any, Protocol

from ..api import Peer
from ..commands import Command
from ..errors import InputError, PeerFailed
from ..setup import Setup
from ..swarm import Swarm
from ..world.world import World
from .checkpoints import SPACING, Checkpoint, Store, cost_of, freeze
from .file import Recording, Scribe
from .gc import keep_still, stillness, taking_apart
from .log import Given, Mark, Marks, Position, Prints, moment

BITE = 1_000
"""Deliveries between two looks at the clock while it seeks."""


class Keeper(Protocol):
    """Takes checkpoints: in this process (`Checkpoints`) or in another (`follower.Follower`)."""

    store: Store

    def came(self, machine: TimeMachine) -> None:
        """Time has passed at the end of the run, or something was done there."""

    def gather(self) -> None:
        """Somebody seeks: take in all checkpoints there are."""

    def cut(self, to: Position) -> None:
        """What came after a position never was."""

    def close(self) -> None:
        """The run is over."""

    @property
    def strain(self) -> float:
        """How badly it lags: 0 while it keeps up, 1 where a seek begins to take long, and on from there."""

    @property
    def status(self) -> str:
        """How it is, for a person."""


class Checkpoints:
    """The keeper for whoever has no screen to keep alive: puts the swarm away in its own process, which takes a tenth
    of a second for 1,000 peers."""

    def __init__(self, store: Store | None = None, spacing: int = SPACING) -> None:
        self.store = store or Store()
        self.spacing = spacing
        self._last = 0

    def came(self, machine: TimeMachine) -> None:
        swarm = machine.swarm
        cost = cost_of(swarm)
        if cost - self._last < self.spacing:
            return
        frozen, fresh = freeze(swarm, self.store.paths)
        self.store.add(Checkpoint((swarm.now_us, swarm.given), cost, frozen), fresh)
        self._last = cost

    def gather(self) -> None:
        pass

    def cut(self, to: Position) -> None:
        self.store.cut(to)
        self._last = self.store.kept[-1].cost if self.store.kept else 0

    def close(self) -> None:
        self.store = Store()

    @property
    def strain(self) -> float:
        return 0.0

    @property
    def status(self) -> str:
        return f"{len(self.store.kept)} checkpoints, {self.store.bytes / 1e6:.1f} MB"


class TimeMachine:
    """Holds the swarm of a run at some moment of it. `swarm` is at the cursor, and may be another one after a seek.

    `recording` gives it a future from the start. Without a keeper it seeks as well, from wherever it is or from the
    beginning. `program` as for `Swarm`. `still`: somebody watches, so swarms that a seek makes are kept out of the
    collector's sight, and one that is left is taken apart: nobody else may hold it.
    """

    def __init__(
        self,
        swarm: Swarm,
        *,
        program: type[Peer] | None = None,
        keeper: Keeper | None = None,
        recording: Recording | None = None,
        still: bool = False,
    ) -> None:
        if swarm.given:
            raise ValueError("a run is watched from its first command on, or not at all")
        self.setup: Setup = swarm.setup
        self.world: World = swarm.world
        self.program = program
        self.keeper = keeper
        self.log: list[Given] = list(recording.log) if recording else []
        self.prints = Prints(recording.prints if recording else None)
        self.final = (recording.end_us, recording.final) if recording and recording.final else None
        self.end_us = max(swarm.now_us, recording.end_us if recording else 0)
        self.parted: tuple[int, int] | None = None
        """Between which two moments this run parted from what was recorded, in us; None while it has not."""
        self.forks = 0
        self.trouble = ""
        """Why a recording ended before it should."""
        self.marks = Marks(self.log)
        self._scribe: Scribe | None = None
        self._agreed_us = 0
        self._again = False
        self._seen_us = swarm.now_us
        self._parked: Swarm | None = None
        self._seeks = 0
        """Counts the seeks: only the latest one may move the cursor."""
        self._still = still
        self._leaving: list[Iterator[None]] = []
        self.swarm = swarm
        swarm.watcher = self
        if still:
            keep_still()

    # --- where it stands ----------------------------------------------------------------------------------

    @property
    def now_us(self) -> int:
        """The cursor, in us of virtual time."""
        return self.swarm.now_us

    @property
    def live(self) -> bool:
        """Whether the cursor is at the end, where what happens has never happened before."""
        return self.swarm.now_us >= self.end_us and self.swarm.given >= len(self.log)

    @property
    def bytes(self) -> int:
        """Room that checkpoints take."""
        return self.keeper.store.bytes if self.keeper else 0

    @property
    def strain(self) -> float:
        """How much longer than it works whoever runs time flat out should rest, for the past to stay at hand."""
        return self.keeper.strain if self.keeper else 0.0

    def tend(self) -> None:
        """Time stands still: see to what the keeper has to say, to what is left over, and to what a recording has not
        handed over yet. Costs microseconds."""
        self._let_go()
        if self.keeper is not None:
            self.keeper.came(self)
        self._write(lambda scribe: scribe.came(self.end_us))

    # --- time ---------------------------------------------------------------------------------------------

    def advance(self, until_us: int, budget: int | None = None) -> int:
        """As `Swarm.advance`; on the way, what was done before is done again."""
        try:
            done = self._go(self.swarm, until_us, budget, len(self.log))
        except PeerFailed:
            self._reached()  # the run ends where the program failed, and that is a moment of it
            raise
        self.came()
        return done

    def _go(self, swarm: Swarm, until_us: int, budget: int | None, given: int) -> int:
        """Run a swarm on along the log, as far as so many of its commands."""
        done = 0
        while swarm.given < given and self.log[swarm.given].at_us <= until_us:
            one = self.log[swarm.given]
            if swarm.now_us < one.at_us:
                done += swarm.advance(one.at_us, None if budget is None else max(1, budget - done))
                if swarm.now_us < one.at_us or (budget is not None and done >= budget):
                    return done
            self._again = True
            try:
                swarm.do(one.again, one.by)
                swarm.selector_rng.state = one.drawn
            except InputError as error:
                raise InputError(f"at {one.at_us / 1e6:.3f} s, {one.said.verb}: {error}") from None
            finally:
                self._again = False
        return done + swarm.advance(until_us, None if budget is None else max(1, budget - done))

    def came(self) -> None:
        """Time has passed: whoever advances the swarm itself has to say so."""
        swarm = self.swarm
        if swarm.now_us > self._seen_us:
            self._seen_us = swarm.now_us
            self.marks.listen(swarm)
        self._reached()
        self.tend()

    def _reached(self) -> None:
        if self.swarm.now_us > self.end_us:
            self.end_us = self.swarm.now_us
            self._leave_parked()

    def did(self, meant: Command, said: Command, by: str) -> None:
        """The swarm did a command from outside. If it was in the past, that is the end of what came after."""
        swarm = self.swarm
        if self._again:
            return
        given = Given(swarm.now_us, said, meant, by, swarm.selector_rng.state)
        if swarm.now_us < self.end_us or swarm.given <= len(self.log):
            self._cut((swarm.now_us, swarm.given - 1))
        self.log.append(given)
        self.end_us = max(self.end_us, swarm.now_us)
        self.marks.did(given)
        self._write(lambda scribe: scribe.did(given))

    def sampled(self) -> None:
        """A second is over. What is known of it is compared, what is new is kept."""
        at_us = self.swarm.now_us
        print_ = self.swarm.fingerprint()
        known = self.prints.get(at_us)
        if known is None:
            if at_us >= self.end_us and self.prints.add(at_us, print_):
                self._write(lambda scribe: scribe.print(at_us, print_))
        elif known == print_:
            self._agreed_us = max(self._agreed_us, at_us)
        elif self.parted is None:
            self.parted = (self._agreed_us, at_us)

    def check_end(self) -> None:
        """At the end of a recording that was closed: is the last fingerprint the same?"""
        if self.final is not None and self.parted is None and self.final[0] == self.now_us:
            self.swarm.advance(self.now_us)
            if self.swarm.fingerprint() != self.final[1]:
                self.parted = (self._agreed_us, self.now_us)

    # --- going elsewhere ----------------------------------------------------------------------------------

    def seek(self, t_us: int) -> Iterator[float]:
        """Go to a moment, to the end of its instant. Yields how far it is, 0 to 1, some milliseconds apart; the cursor
        moves after the last, so nobody sees another swarm unprepared. Whoever loses interest just stops asking. A seek
        that is under way ends, and the cursor stays where it is, when another one begins, or when something is done
        that discards what it was going through."""
        yield from self._seek(moment(self.log, max(0, min(t_us, self.end_us))))

    def undo(self) -> Iterator[float]:
        """Go to just before the last command that a person gave up to here, and discard what came after. Nothing
        happens where there is none. Given up as a seek is."""
        count = self.swarm.given
        while count and self.log[count - 1].by != "person":
            count -= 1
        if count and (yield from self._seek((self.log[count - 1].at_us, count - 1))):
            self._cut((self.swarm.now_us, self.swarm.given))

    def fork(self) -> None:
        """Discard what comes after the cursor."""
        if not self.live:
            self._cut((self.swarm.now_us, self.swarm.given))

    def _seek(self, to: Position) -> Generator[float, None, bool]:
        """Whether it came there."""
        self._seeks += 1
        this = self._seeks, self.forks
        swarm = self._nearest(to)
        ours = swarm is not self.swarm
        from_us = swarm.now_us
        try:
            # Where a program failed the run is at its end, and that is where one stands then.
            with suppress(PeerFailed):
                while self._go(swarm, to[0], BITE, to[1]) >= BITE or swarm.given < to[1]:
                    self.marks.listen(swarm)
                    yield (swarm.now_us - from_us) / max(1, to[0] - from_us)
                    if (self._seeks, self.forks) != this:
                        self._give_up(swarm, ours)
                        return False
                    if swarm.now_us > to[0] or swarm.given > to[1]:
                        # It was the one at the cursor, and somebody moved time on.
                        swarm = self._nearest(to)
                        ours = swarm is not self.swarm
            yield 1.0
        except (GeneratorExit, InputError):
            self._give_up(swarm, ours)
            raise
        if (self._seeks, self.forks) != this:
            self._give_up(swarm, ours)
            return False
        # Of a recording, nobody has seen yet what lies on the way.
        self.marks.listen(swarm)
        self._stand(swarm)
        return True

    def _give_up(self, swarm: Swarm, ours: bool) -> None:
        """A seek ends on its way with this swarm. `ours`: it was not the one at the cursor when the seek took it."""
        if not ours:
            return
        at_end = swarm.now_us >= self.end_us and swarm.given >= len(self.log) and swarm.failure is None
        if at_end and self._parked is None:
            self._parked = swarm
        else:
            self._leave(swarm)

    def _nearest(self, to: Position) -> Swarm:
        """The swarm from which the way is shortest: the one at hand, the one left at the end, a checkpoint's, a new
        one."""
        swarm = self.swarm
        if self.keeper is not None:
            self.keeper.gather()
        store = self.keeper.store if self.keeper else None
        one = store.nearest(to) if store else None
        parked = self._parked
        if parked is not None and parked.now_us <= to[0] and parked.given <= to[1]:
            self._parked = None
            return parked
        here = (swarm.now_us, swarm.given)
        if here[0] <= to[0] and here[1] <= to[1] and swarm.failure is None and (one is None or here >= one.at):
            return swarm
        if one is not None and store is not None:
            with stillness(self._still):
                return store.thaw(one, swarm)
        with stillness(self._still):
            return Swarm(self.setup, self.program, self.world)

    def _stand(self, swarm: Swarm) -> None:
        """Another swarm is the one at the cursor."""
        old = self.swarm
        if old is not swarm:
            if self.live and old.failure is None:
                self._leave_parked()
                self._parked = old
            old.watcher = None
            if old is not self._parked:
                self._leave(old)
        swarm.watcher = self
        self.swarm = swarm
        self._seen_us = swarm.now_us

    def _leave(self, swarm: Swarm) -> None:
        if self._still:
            self._leaving.append(taking_apart(swarm))

    def _leave_parked(self) -> None:
        if self._parked is not None:
            self._leave(self._parked)
            self._parked = None

    def _let_go(self) -> None:
        """One piece of what was left."""
        while self._leaving and next(self._leaving[0], self) is self:
            del self._leaving[0]

    def _cut(self, to: Position) -> None:
        from_us, self.end_us = max(self.end_us, to[0]), to[0]
        self.forks += 1
        del self.log[to[1] :]
        self._leave_parked()
        self.final = None
        self.prints.cut(to[0])
        self.marks.cut(self.log, self.swarm)
        if self.keeper is not None:
            self.keeper.cut(to)
        self._write(lambda scribe: scribe.back(from_us, to))

    # --- recording ------------------------------------------------------------------------------------------

    @property
    def recording(self) -> str:
        """The file that is being written, or empty."""
        return self._scribe.path if self._scribe else ""

    def record(self, path: str, story: Mapping[str, Any], clock: Callable[[], float]) -> None:
        """Write this run into a file from its beginning on, whatever of it has passed. Raises InputError."""
        self.stop_recording()
        self._scribe = Scribe(path, self.setup, self.world, story, clock)
        self._reached()
        self._scribe.past(self.log, self.prints, self.end_us)

    def stop_recording(self) -> None:
        """Close the file."""
        if self._scribe is not None:
            self._reached()
            here = self.live and self.swarm.failure is None
            if here:
                self.swarm.advance(self.swarm.now_us)
            self._write(lambda scribe: scribe.close(self.end_us, self.swarm.fingerprint() if here else ""))
            self._scribe = None

    def break_off(self) -> None:
        """Stop writing in the middle of whatever is being done: the file tells how far it came, and not of an end."""
        self._write(Scribe.break_off)
        self._scribe = None

    def close(self) -> None:
        """The run is over."""
        self._seeks += 1
        self.stop_recording()
        if self.keeper is not None:
            self.keeper.close()

    def dissolve(self) -> None:
        """Nobody will look at this run again."""
        self._leave_parked()
        self._leave(self.swarm)
        while self._leaving:
            self._let_go()

    def _write(self, how: Callable[[Scribe], None]) -> None:
        if self._scribe is not None:
            try:
                how(self._scribe)
            except InputError as error:
                self.trouble, self._scribe = str(error), None


__all__ = ["Checkpoint", "Checkpoints", "Keeper", "Mark", "TimeMachine"]
