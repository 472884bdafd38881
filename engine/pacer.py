"""Pace a swarm against the wall clock, in slices short enough for a screen to stay alive beside it.

Virtual time is asked to follow the wall at some speed. The engine is run in slices of a few milliseconds,
and after each the loop is given back: a person's key press waits for one slice, never for a whole flood.
How many deliveries fit in a slice is measured, not assumed.

Four choices want their reason:

* **No debt.** A machine that falls behind does not owe the time it lost. Catching up later would make the
  picture race after each hard moment; instead the pace falls, is shown, and the anchor moves.
* **A breath after a full slice.** A bare checkpoint hands the loop over once, and a key press needs several
  turns of it (driver, app, screen, widget). With the engine taking eight milliseconds between each, a press
  would take a tenth of a second. So a busy engine sleeps a little: two thirds of the machine are enough.
* **Turns with a follower.** Time that runs faster than the wall may be more than whoever keeps the past at hand can
  follow. `strain` says how long to rest after a full slice, as a multiple of it.
* **Asleep when paused.** Nothing polls; an event wakes the runner.

This is the edge where the engine meets a clock, which is why a default clock may stand here. It is anyio
throughout and runs on asyncio and on trio.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

import anyio
import anyio.lowlevel

SLICE_S = 0.008
"""Longest the engine holds the loop in one go."""
BITE_S = 0.002
"""What one `advance` is sized for, so that the clock is looked at a few times a slice."""
TICK_S = 0.04
"""How often virtual time moves on when the engine is at leisure; whoever draws asks for a slice of its own."""
ERRAND_S = 0.025
"""The same while it is on an errand: a person waits for that, and not for the picture."""
BREATH_S = 0.004
"""What a busy engine leaves to others between slices."""
LAG_S = 0.1
"""Behind by more wall time than this and a tick, the anchor moves: the time is lost, not owed."""
LEAP_US = 1_000_000
"""How far one `advance` may go when time runs as fast as it can."""
PACE_WINDOW_S = 1.0

Problem = Callable[[Exception], None]
StepUntil = Callable[[int], bool]
"""Goes on for about so many deliveries, towards a moment that is not known beforehand. True: it is there."""


class Engine(Protocol):
    """What can be paced: `advance` runs to `until_us` unless `budget` deliveries end it, and tells how many it did."""

    @property
    def now_us(self) -> int: ...
    def advance(self, until_us: int, budget: int | None = None) -> int: ...


class Pacer:
    """Runs an engine in wall time. `await live.run()` until `stop()` or cancellation.

    speed: virtual seconds per wall second, `math.inf` for as fast as it goes. `problem` is told of an exception
    that the engine raised, after pausing; without it the exception leaves `run`.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        speed: float = 1.0,
        playing: bool = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        problem: Problem | None = None,
        strain: Callable[[], float] | None = None,
    ) -> None:
        self._clock = clock
        self._strain = strain
        self._rest_until = -math.inf
        self._sleep = sleep
        self._problem = problem
        self._speed = _checked(speed)
        self._playing = playing
        self._stopped = False
        self._wake = anyio.Event()
        self.tick_s = TICK_S
        """Wall seconds between two slices at leisure; whoever draws often, or seldom, sets it."""
        self._per_ms = 20.0  # deliveries a millisecond; a low first guess costs a few short bites
        self.load(engine)

    def load(self, engine: Engine) -> None:
        """Pace another engine from here on: a restart. Speed and play stay as they are."""
        self._engine = engine
        self._slow: tuple[float, int] | None = None
        self._errand: Iterator[object] | None = None
        self._halt_us: int | None = None
        self._goal_us: int | None = None
        self._hunt: StepUntil | None = None
        self._anchor()
        self._nudge()

    # --- what a person steers ------------------------------------------------------------------------

    @property
    def playing(self) -> bool:
        """Whether time runs, or would if the machine were fast enough."""
        return self._playing

    @property
    def busy(self) -> bool:
        """Whether time is moving now: playing, or on its way to the end of a step."""
        return self._playing or any(each is not None for each in (self._goal_us, self._hunt, self._errand))

    @property
    def speed(self) -> float:
        """What was asked for, slow motion left out."""
        return self._speed

    @property
    def slowed(self) -> bool:
        """Whether slow motion is on."""
        return self._slow is not None

    @property
    def pace(self) -> float:
        """Virtual seconds per wall second over the last second; 0.0 when paused."""
        if not self._playing or len(self._samples) < 2:
            return 0.0
        (wall_0, us_0), (wall_1, us_1) = self._samples[0], self._samples[-1]
        return (us_1 - us_0) / 1e6 / (wall_1 - wall_0) if wall_1 > wall_0 else 0.0

    def play(self) -> None:
        """Let time run."""
        if not self._playing:
            self._playing, self._goal_us, self._hunt = True, None, None
            self._anchor()
            self._nudge()

    def pause(self) -> None:
        """Stop time where it is."""
        self._playing, self._goal_us, self._hunt = False, None, None
        self._samples.clear()

    def set_speed(self, speed: float) -> None:
        """Virtual seconds per wall second. Ends slow motion: a person who sets a speed wants that speed."""
        self._speed = _checked(speed)
        self._slow = None
        self._anchor()

    def step(self, us: int) -> None:
        """Pause, and go on by so much virtual time as fast as it goes. Steps add up."""
        base = self._engine.now_us if self._goal_us is None else self._goal_us
        self.pause()
        self._goal_us = base + max(0, us)
        self._nudge()

    def pursue(self, hunt: StepUntil) -> None:
        """Pause, and go on as fast as it goes until `hunt` says that it is there."""
        self.pause()
        self._hunt = hunt
        self._nudge()

    def halt_at(self, at_us: int) -> None:
        """Pause when virtual time gets there. Playing on from there goes on."""
        self._halt_us = at_us

    def errand(self, steps: Iterator[object]) -> None:
        """Do this before time goes on, a slice at a time, and go on from wherever time is then. An errand that is not
        done yet is given up for it."""
        self._errand = steps
        self._nudge()

    def finish_errand(self) -> None:
        """Do what is left of it at once."""
        while self._errand is not None:
            self._run_errand()

    def slow_for(self, speed: float, span_us: int) -> None:
        """Slow motion: at most `speed` for the next `span_us` of virtual time, then the old speed again.

        The span is virtual, so a pause in the middle loses none of it, and a slow machine sees all of it.
        """
        if _checked(speed) < self._speed:
            self._slow = (speed, self._engine.now_us + span_us)
            self._anchor()

    def end_slow(self) -> None:
        """Back to the old speed."""
        if self._slow is not None:
            self._slow = None
            self._anchor()

    def rejoin(self) -> None:
        """Virtual time follows the wall from now on: the process was stopped, and the time it lost is not owed. May be
        called between any two steps of this program, as a signal handler is."""
        self._anchor()
        self._rest_until = -math.inf

    def stop(self) -> None:
        """End `run`."""
        self._stopped = True
        self._nudge()

    # --- running ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Pace until `stop()`. Cancel it freely: the engine is always between two deliveries."""
        while not self._stopped:
            if not self.busy:
                self._wake = anyio.Event()
                await self._wake.wait()
                continue
            if self.slice():
                await self._sleep(self.tick_s)
            else:
                await self._sleep(BREATH_S)
        await anyio.lowlevel.checkpoint()

    def slice(self) -> bool:
        """One slice of work. True when virtual time is where the wall says it should be.

        Whoever is about to draw may call it too, so that the frame shows this moment and not the last tick's.
        """
        if not self.busy:
            return True
        if self._errand is not None:
            return self._run_errand()
        begun = now = self._clock()
        if self._hunt is not None:
            return self._pursue(self._hunt, begun)
        if begun < self._rest_until:
            return False
        due = self._due_us(now)
        if self._halt_us is not None:
            due = min(due, self._halt_us)
        try:
            while self._engine.now_us < due:
                now = self._bite(due, now)
                if now - begun >= SLICE_S:
                    break
        except Exception as error:
            self.pause()
            if self._problem is None:
                raise
            self._problem(error)
            return True
        if self._halt_us is not None and self._engine.now_us >= self._halt_us:
            self._halt_us = None
            self.pause()
            return True
        if self._strain is not None and self._speed > 1 and self._goal_us is None:
            self._rest_until = now + (now - begun) * self._strain()
        return self._settle(due, now)

    def _pursue(self, hunt: StepUntil, begun: float) -> bool:
        try:
            while not hunt(max(16, int(self._per_ms * BITE_S * 1000))):
                if self._clock() - begun >= SLICE_S:
                    return False
        except Exception as error:
            self.pause()
            if self._problem is None:
                raise
            self._problem(error)
        self._hunt = None
        return True

    def _run_errand(self) -> bool:
        """A slice of it. Never says that all is done: time may have to go on."""
        errand, begun = self._errand, self._clock()
        assert errand is not None
        try:
            for _ in errand:
                if self._errand is not errand or self._clock() - begun >= ERRAND_S:
                    return False
        except Exception as error:
            self._errand = None
            self.pause()
            if self._problem is None:
                raise
            self._problem(error)
            return False
        if self._errand is errand:
            self._errand = None
        self._slow = self._goal_us = self._hunt = None
        self._anchor()
        return False

    def _bite(self, due: int, before: float) -> float:
        """One `advance`, sized by what was measured; the wall time after it."""
        budget = max(16, int(self._per_ms * BITE_S * 1000))
        done = self._engine.advance(min(due, self._engine.now_us + LEAP_US), budget)
        after = self._clock()
        if done >= 16 and after > before:
            self._per_ms += 0.3 * (done / ((after - before) * 1000) - self._per_ms)
        return after

    def _due_us(self, wall: float) -> int:
        if self._goal_us is not None:
            return self._goal_us
        speed = self._speed if self._slow is None else min(self._speed, self._slow[0])
        if math.isinf(speed):
            return self._engine.now_us + 1000 * LEAP_US
        due = self._from_us + int((wall - self._from_wall) * speed * 1e6)
        return due if self._slow is None else min(due, self._slow[1])

    def _settle(self, due: int, wall: float) -> bool:
        """After a slice: sample the pace, end what has ended, forgive what could not be done."""
        now_us = self._engine.now_us
        if self._goal_us is not None:
            if now_us < self._goal_us:
                return False
            self._goal_us = None
            return True
        self._samples.append((wall, now_us))
        while len(self._samples) > 2 and wall - self._samples[0][0] > PACE_WINDOW_S:
            self._samples.popleft()
        if self._slow is not None and now_us >= self._slow[1]:
            self.end_slow()
            return True
        if now_us >= due:
            return True
        speed = self._speed if self._slow is None else min(self._speed, self._slow[0])
        # What a tick takes is no lag: time that passes while nothing runs on purpose is made up for.
        if not math.isinf(speed) and due - now_us > speed * (LAG_S + self.tick_s) * 1e6:
            self._from_wall, self._from_us = wall, now_us
        return False

    def _anchor(self) -> None:
        """Virtual time follows the wall from this point."""
        self._from_wall, self._from_us = self._clock(), self._engine.now_us
        self._samples: deque[tuple[float, int]] = deque()

    def _nudge(self) -> None:
        self._wake.set()


def _checked(speed: float) -> float:
    if not speed > 0:
        raise ValueError(f"speed should be above 0, not {speed}")
    return float(speed)
