"""Runs an engine at a given speed of the wall clock, in slices that leave the event loop free for a screen.

Virtual time follows the wall clock at a speed that is set. The engine runs in slices of a few milliseconds, and the
event loop gets control between two of them, so that a key press waits for one slice and never for a whole flood. How
many deliveries fit into a slice is measured while it runs.

* **Lost time is not made up.** When the machine is too slow, the reference point of the clock moves and the measured
  pace falls. If the engine ran faster afterwards, the picture would move too fast after each slow moment.
* **A pause after a full slice.** One checkpoint of anyio passes control once, but a key press needs several turns of
  the loop (driver, application, screen, widget). If the engine took 8 ms between two turns, a key press would take a
  tenth of a second. So a busy engine sleeps `YIELD_S` after each slice, and uses two thirds of the processor.
* **Backpressure.** Faster than the wall clock, the run may be faster than the process that takes its checkpoints. The
  function `backpressure` says how long to rest after a full slice, as a multiple of its duration.
* **No polling when paused.** `run` waits for an event.

`time.monotonic` is the default clock here; the rest of the engine reads no clock. Runs on asyncio and on trio.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import anyio

SLICE_S = 0.008
"""The longest time that the engine keeps the event loop."""
CHUNK_S = 0.002
"""The duration that one `advance` is sized for: the clock is read a few times a slice."""
TICK_S = 0.04
"""The time between two slices while the engine keeps up. A screen that draws asks for a slice of its own."""
JOB_SLICE_S = 0.025
"""The longest slice of a job. It is longer, since a person waits for the job to end and not for the next picture."""
YIELD_S = 0.004
"""Sleep between two slices while the engine does not keep up."""
LAG_S = 0.1
"""Wall time, in addition to a tick, by which the engine may be late; if it is later, its reference point moves and the
lost time is not made up."""
ADVANCE_MAX_US = 1_000_000
"""The longest virtual time of one `advance` when time runs as fast as it can."""
PACE_WINDOW_S = 1.0

OnError = Callable[[Exception], None]
RunUntil = Callable[[int], bool]
"""Runs the engine for about so many deliveries towards a condition. True when the condition is met."""


class Engine(Protocol):
    """What can be paced. `advance` runs to `until_us`, or until about `budget` deliveries are made if that is sooner,
    and returns the number of deliveries."""

    @property
    def now_us(self) -> int: ...
    def advance(self, until_us: int, budget: int | None = None) -> int: ...


class Pacer:
    """Runs an engine in wall time: `await pacer.run()` until `stop()` or cancellation.

    speed: virtual seconds per wall second; `math.inf` is as fast as possible.
    on_error: called with an exception that the engine raised, after pausing; without it the exception leaves `run`.
    backpressure: rest after a full slice as a multiple of its duration; 0.0 is none.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        speed: float = 1.0,
        playing: bool = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        on_error: OnError | None = None,
        backpressure: Callable[[], float] | None = None,
    ) -> None:
        self._clock = clock
        self._backpressure = backpressure
        self._rest_until = -math.inf
        self._sleep = sleep
        self._on_error = on_error
        self._speed = _checked(speed)
        self._playing = playing
        self._stopped = False
        self._woken: anyio.Event | None = None
        self.tick_s = TICK_S
        """Wall seconds between two slices while the engine keeps up."""
        self._per_ms = 20.0  # deliveries a millisecond; a low first guess costs a few short chunks
        self.load(engine)

    def load(self, engine: Engine) -> None:
        """Pace another engine from now on. The speed, and whether time runs, stay as they are."""
        self._engine = engine
        self._slow: tuple[float, int] | None = None
        self._job: Iterator[object] | None = None
        self._halt_us: int | None = None
        self._step_until_us: int | None = None
        self._run_until: RunUntil | None = None
        self._set_anchor()
        self._wake()

    # --- control -------------------------------------------------------------------------------------

    @property
    def playing(self) -> bool:
        """Whether time runs, or would run if the machine were fast enough."""
        return self._playing

    @property
    def busy(self) -> bool:
        """Whether there is work: time runs, a step is not complete, or a job is not done."""
        return self._playing or any(each is not None for each in (self._step_until_us, self._run_until, self._job))

    @property
    def speed(self) -> float:
        """The speed that was set, without slow motion."""
        return self._speed

    @property
    def slowed(self) -> bool:
        """Whether slow motion is on."""
        return self._slow is not None

    @property
    def pace(self) -> float:
        """Measured virtual seconds per wall second over the last second; 0.0 when paused."""
        if not self._playing or len(self._samples) < 2:
            return 0.0
        (wall_0, us_0), (wall_1, us_1) = self._samples[0], self._samples[-1]
        return (us_1 - us_0) / 1e6 / (wall_1 - wall_0) if wall_1 > wall_0 else 0.0

    def play(self) -> None:
        """Let time run. A step that is not complete is given up."""
        if not self._playing:
            self._playing, self._step_until_us, self._run_until = True, None, None
            self._set_anchor()
            self._wake()

    def pause(self) -> None:
        """Stop time at this moment."""
        self._playing, self._step_until_us, self._run_until = False, None, None
        self._samples.clear()

    def set_speed(self, speed: float) -> None:
        """Set the virtual seconds per wall second, and end slow motion. Raises ValueError unless it is above 0."""
        self._speed = _checked(speed)
        self._slow = None
        self._set_anchor()

    def step(self, us: int) -> None:
        """Pause, and advance by so much virtual time as fast as possible. Steps add up."""
        base = self._engine.now_us if self._step_until_us is None else self._step_until_us
        self.pause()
        self._step_until_us = base + max(0, us)
        self._wake()

    def run_until(self, condition: RunUntil) -> None:
        """Pause, and run `condition` in slices, as fast as possible, until it returns True."""
        self.pause()
        self._run_until = condition
        self._wake()

    def halt_at(self, at_us: int) -> None:
        """Pause when virtual time reaches `at_us`, once."""
        self._halt_us = at_us

    def run_job(self, steps: Iterator[object]) -> None:
        """Run an iterator to its end, in slices, before time advances; then follow the clock from the virtual time that
        it left. Replaces a job that is not done."""
        self._job = steps
        self._wake()

    def finish_job(self) -> None:
        """Run the rest of the job now."""
        while self._job is not None:
            self._run_job_slice()

    def slow_motion(self, speed: float, span_us: int) -> None:
        """Run at `speed` at most for the next `span_us` of virtual time, then at the old speed again.

        The span is virtual time, so that a pause or a slow machine does not shorten it.
        """
        if _checked(speed) < self._speed:
            self._slow = (speed, self._engine.now_us + span_us)
            self._set_anchor()

    def end_slow_motion(self) -> None:
        """Return to the speed that was set."""
        if self._slow is not None:
            self._slow = None
            self._set_anchor()

    def resync(self) -> None:
        """Follow the wall clock from now on: the process was stopped, and this time is not made up.

        May be called between any two steps of the program, as a signal handler is.
        """
        self._set_anchor()
        self._rest_until = -math.inf

    def stop(self) -> None:
        """End `run`."""
        self._stopped = True
        self._wake()

    # --- running ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Pace until `stop()`. It may be cancelled: the engine is always between two deliveries then."""
        import anyio
        import anyio.lowlevel  # loaded when time runs: a first picture is drawn without

        sleep = self._sleep or anyio.sleep
        while not self._stopped:
            if not self.busy:
                self._woken = anyio.Event()
                await self._woken.wait()
                continue
            if self.slice():
                await sleep(self.tick_s)
            else:
                await sleep(YIELD_S)
        await anyio.lowlevel.checkpoint()

    def slice(self) -> bool:
        """Run one slice. True when virtual time has reached what the wall clock asks for.

        A screen calls it before it draws, so that the frame shows the present moment and not that of the last tick.
        """
        if not self.busy:
            return True
        if self._job is not None:
            return self._run_job_slice()
        begun = now = self._clock()
        if self._run_until is not None:
            return self._run_until_slice(self._run_until, begun)
        if begun < self._rest_until:
            return False
        due = self._due_us(now)
        if self._halt_us is not None:
            due = min(due, self._halt_us)
        try:
            while self._engine.now_us < due:
                now = self._run_chunk(due, now)
                if now - begun >= SLICE_S:
                    break
        except Exception as error:
            self.pause()
            if self._on_error is None:
                raise
            self._on_error(error)
            return True
        if self._halt_us is not None and self._engine.now_us >= self._halt_us:
            self._halt_us = None
            self.pause()
            return True
        if self._backpressure is not None and self._speed > 1 and self._step_until_us is None:
            self._rest_until = now + (now - begun) * self._backpressure()
        return self._settle(due, now)

    def _run_until_slice(self, condition: RunUntil, begun: float) -> bool:
        try:
            while not condition(self._chunk_budget()):
                if self._clock() - begun >= SLICE_S:
                    return False
        except Exception as error:
            self.pause()
            if self._on_error is None:
                raise
            self._on_error(error)
        self._run_until = None
        return True

    def _run_job_slice(self) -> bool:
        """Run a slice of the job. False, also at its end: time may have to advance after it."""
        job, begun = self._job, self._clock()
        assert job is not None
        try:
            for _ in job:
                if self._job is not job or self._clock() - begun >= JOB_SLICE_S:
                    return False
        except Exception as error:
            self._job = None
            self.pause()
            if self._on_error is None:
                raise
            self._on_error(error)
            return False
        if self._job is job:
            self._job = None
        self._slow = self._step_until_us = self._run_until = None
        self._set_anchor()
        return False

    def _chunk_budget(self) -> int:
        """Deliveries that take about `CHUNK_S`."""
        return max(16, int(self._per_ms * CHUNK_S * 1000))

    def _run_chunk(self, due: int, before: float) -> float:
        """Call `advance` once, measure it, and return the wall time after it."""
        done = self._engine.advance(min(due, self._engine.now_us + ADVANCE_MAX_US), self._chunk_budget())
        after = self._clock()
        if done >= 16 and after > before:
            self._per_ms += 0.3 * (done / ((after - before) * 1000) - self._per_ms)
        return after

    def _due_us(self, wall: float) -> int:
        if self._step_until_us is not None:
            return self._step_until_us
        speed = self._speed if self._slow is None else min(self._speed, self._slow[0])
        if math.isinf(speed):
            return self._engine.now_us + 1000 * ADVANCE_MAX_US
        due = self._from_us + int((wall - self._from_wall) * speed * 1e6)
        return due if self._slow is None else min(due, self._slow[1])

    def _settle(self, due: int, wall: float) -> bool:
        """After a slice: sample the pace, end a step or slow motion, and give up time that cannot be made up."""
        now_us = self._engine.now_us
        if self._step_until_us is not None:
            if now_us < self._step_until_us:
                return False
            self._step_until_us = None
            return True
        self._samples.append((wall, now_us))
        while len(self._samples) > 2 and wall - self._samples[0][0] > PACE_WINDOW_S:
            self._samples.popleft()
        if self._slow is not None and now_us >= self._slow[1]:
            self.end_slow_motion()
            return True
        if now_us >= due:
            return True
        speed = self._speed if self._slow is None else min(self._speed, self._slow[0])
        # The time of a tick is no lag: the engine does not run in it on purpose, and this time is made up.
        if not math.isinf(speed) and due - now_us > speed * (LAG_S + self.tick_s) * 1e6:
            self._from_wall, self._from_us = wall, now_us
        return False

    def _set_anchor(self) -> None:
        """Make now the point from which virtual time follows the wall clock."""
        self._from_wall, self._from_us = self._clock(), self._engine.now_us
        self._samples: deque[tuple[float, int]] = deque()

    def _wake(self) -> None:
        if self._woken is not None:
            self._woken.set()


def _checked(speed: float) -> float:
    if not speed > 0:
        raise ValueError(f"speed should be above 0, not {speed}")
    return float(speed)
