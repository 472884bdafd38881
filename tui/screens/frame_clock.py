"""When the next frame is due: at a time that was settled beforehand, and not so long after the last one was done.

A timer that is wound up again after the work runs late by what the work took and by what the loop was busy with, each
time anew: of 30 frames that were asked for one got 28, with more than half of a core to spare. So times follow each
other by whole slots, and a frame that comes late does not delay those after it. No debt is kept, though: who is late by
more than a slot has lost it, and nobody sees frames in a rush after a hard moment.

The loop is asked directly. A timer of Textual's is a task, an event and two messages a frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

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
