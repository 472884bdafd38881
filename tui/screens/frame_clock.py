"""When the next frame is due: at times that are fixed beforehand, not some time after the last one was done.

A timer that is started again after the work is late each time by the time of the work and of the event loop: of 30
frames a second only 28 were drawn, with more than half of a core free. So the times are a whole number of slots apart,
and a late frame does not delay those after it. Frames that are late by more than a slot are dropped, so that no frames
follow each other quickly after a slow moment.

The event loop is used directly. A timer of Textual takes a task, an event and two messages a frame.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

# The frame rate: as set, or lower when drawing would take most of the time.
#
# The speed of the terminal is not known: over a slow line a frame is painted quickly and shown a second later, and all
# further frames and the effects of keys wait behind it. So frames wait until the terminal has taken what was written.
#
# A slot is the wall time from one frame to the next. When painting takes more than `HEAVY` of it, slots grow, so that
# the swarm and the keyboard keep their share; when it takes less than `LIGHT`, they shrink back to the set rate. The
# time of painting is processor time: on a machine with other load, wall time would include that load, and frames would
# be dropped without need (25 instead of 30 a second at less than half of one core).

HEAVY, LIGHT = 0.7, 0.5
"""Shares of a slot. They are close to each other, so that slots shrink soon after a short slow time; and far enough
that a slot which was shortened by a fifth is not too short."""
LEAST_FPS = 4.0
WAITING_MOST = 1
"""Writes that may wait for the terminal, besides the one under way, when a frame is drawn."""
SMOOTH = 0.2
WHOLE_FRAME = 1.8
"""The time of a whole frame, relative to that of the picture: the compositor and the terminal's codes come in
addition."""


class FramePace:
    """Call `painted` after each frame; `slot_s` is the time until the next one."""

    def __init__(self, asked_fps: float) -> None:
        self.asked_s = 1.0 / asked_fps
        self.slot_s = self.asked_s
        self._cost_s = 0.0
        self._painted: deque[float] = deque(maxlen=20)

    @property
    def fps(self) -> float:
        """Frames a second as measured over the last ones."""
        if len(self._painted) < 2 or self._painted[-1] <= self._painted[0]:
            return 1.0 / self.slot_s
        return (len(self._painted) - 1) / (self._painted[-1] - self._painted[0])

    def held_up(self) -> None:
        """A frame was due, and the terminal had not taken the last one."""
        self.slot_s = min(self.slot_s * 1.25, max(1.0 / LEAST_FPS, self.asked_s))

    def painted(self, at_s: float, cost_s: float) -> None:
        """A frame is due at a wall time, and the picture of the last one took so much processor time."""
        if self._painted and at_s - self._painted[-1] > 1.0:
            self._painted.clear()  # There was nothing to draw, which is no low frame rate.
        self._painted.append(at_s)
        self._cost_s += SMOOTH * (WHOLE_FRAME * cost_s - self._cost_s)
        if self._cost_s > HEAVY * self.slot_s:
            self.slot_s = min(self.slot_s * 1.25, max(1.0 / LEAST_FPS, self.asked_s))
        elif self._cost_s < LIGHT * self.slot_s:
            self.slot_s = max(self.slot_s / 1.25, self.asked_s)


LEAST_S = 0.002
"""Wall seconds that are left for the keyboard and the swarm after a frame that took its whole slot."""


def next_due(due_s: float, slot_s: float, now_s: float) -> float:
    """When the next frame is due, after one that was due at `due_s` and done at `now_s`."""
    return max(due_s + slot_s, now_s + LEAST_S)


class FrameClock:
    """Calls `tick`, which says in how many seconds it wants to be called again. `broke` is called with what it
    raised."""

    def __init__(self, tick: Callable[[], float], broke: Callable[[Exception], object]) -> None:
        self._tick, self._broke = tick, broke
        self._due_s = 0.0
        self._slot_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._between_timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin with a frame now, also if the next one was due later. Needs a running event loop."""
        self.stop()
        self._due_s = asyncio.get_running_loop().time()
        self._run_frame()

    def stop(self) -> None:
        """No more frames."""
        for timer in (self._timer, self._between_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._between_timer = None

    def between_frames(self, what: Callable[[], object]) -> None:
        """Do this before the next frame, in a turn of the loop of its own: half a slot from now, after the output to
        the terminal. If the clock is stopped meanwhile, it is not done."""
        if self._timer is not None:
            self._between_timer = asyncio.get_running_loop().call_later(self._slot_s / 2, self._guarded, what)

    def _guarded(self, what: Callable[[], object]) -> None:
        try:
            what()
        except Exception as error:
            self._broke(error)

    def _run_frame(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._slot_s = self._tick()
        except Exception as error:
            self._broke(error)
            return
        self._due_s = next_due(self._due_s, self._slot_s, loop.time())
        self._timer = loop.call_at(self._due_s, self._run_frame)
