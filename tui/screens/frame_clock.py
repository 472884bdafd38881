"""When the next frame is due: at a time that was settled beforehand, and not so long after the last one was done.

A timer that is wound up again after the work runs late by what the work took and by what the loop was busy with, each
time anew: of 30 frames that were asked for one got 28, with more than half of a core to spare. So times follow each
other by whole slots, and a frame that comes late does not delay those after it. No debt is kept, though: who is late by
more than a slot has lost it, and nobody sees frames in a rush after a hard moment.

The loop is asked directly. A timer of Textual's is a task, an event and two messages a frame.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

# How often to draw: as asked, or less when drawing would take most of the time there is.
#
# What cannot be seen from here is how fast the terminal is: over a slow line a frame is painted in no time and shown a
# second later, and each further one waits behind it, keys too. So frames wait while what was written has not been
# taken.
#
# A slot is the wall time from one frame to the next. When painting takes more than `HEAVY` of it, slots grow, so that
# the swarm and the keyboard keep their share; when it takes less than `LIGHT`, they shrink back to what was asked. What
# painting takes is counted in processor time: on a machine that others use as well the wall clock tells of them too,
# and frames would be given up that one could have had (25 of 30 a second at less than half of one core).

HEAVY, LIGHT = 0.7, 0.5
"""Near enough to each other that a hiccup is forgotten: a slot shrunk by a fifth is not at once too short."""
LEAST_FPS = 4.0
WAITING_MOST = 1
"""Writes that may wait for the terminal, besides the one under way, when a frame is drawn."""
SMOOTH = 0.2
REST = 1.8
"""Painting in all, over what the picture takes by itself: the compositor and the terminal's codes come on top."""


class FramePace:
    """Tell it of each painted frame; `slot_s` says when the next is due."""

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
            self._painted.clear()  # Nothing was to be drawn; that is no low rate.
        self._painted.append(at_s)
        self._cost_s += SMOOTH * (REST * cost_s - self._cost_s)
        if self._cost_s > HEAVY * self.slot_s:
            self.slot_s = min(self.slot_s * 1.25, max(1.0 / LEAST_FPS, self.asked_s))
        elif self._cost_s < LIGHT * self.slot_s:
            self.slot_s = max(self.slot_s / 1.25, self.asked_s)


LEAST_S = 0.002
"""What a frame that took all its time leaves to the keyboard and to the swarm."""


def next_due(due_s: float, slot_s: float, now_s: float) -> float:
    """When the frame after the one that was due at `due_s` is due, told at `now_s` when that one is done."""
    return max(due_s + slot_s, now_s + LEAST_S)


class FrameClock:
    """Calls `tick`, which says in how many seconds it wants to be called again. `broke` is told what it raised."""

    def __init__(self, tick: Callable[[], float], broke: Callable[[Exception], object]) -> None:
        self._tick, self._broke = tick, broke
        self._due_s = 0.0
        self._slot_s = 0.0
        self._bell: asyncio.TimerHandle | None = None
        self._beside: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin with a frame now, also where the next one was due later. Wants a running loop."""
        self.stop()
        self._due_s = asyncio.get_running_loop().time()
        self._ring()

    def stop(self) -> None:
        """No more frames."""
        for bell in (self._bell, self._beside):
            if bell is not None:
                bell.cancel()
        self._bell = self._beside = None

    def soon(self, what: Callable[[], object]) -> None:
        """Do this too before the next frame, in a turn of the loop of its own: half a slot from now, when the terminal
        has been served. A clock that is stopped meanwhile forgets it."""
        if self._bell is not None:
            self._beside = asyncio.get_running_loop().call_later(self._slot_s / 2, self._guarded, what)

    def _guarded(self, what: Callable[[], object]) -> None:
        try:
            what()
        except Exception as error:
            self._broke(error)

    def _ring(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._slot_s = self._tick()
        except Exception as error:
            self._broke(error)
            return
        self._due_s = next_due(self._due_s, self._slot_s, loop.time())
        self._bell = loop.call_at(self._due_s, self._ring)
