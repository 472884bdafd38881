"""Ctrl+C between two slices of a run, and not in the middle of a delivery.

An exception that a signal raises wherever the program happens to be would leave the swarm half in one instant and half
in the next, and its recording could not be closed: its last fingerprint would be of a state that never was. So the
first one is noted, and takes effect when the slice at hand is over, some 50 ms later. The second does not wait.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """A person interrupted, and the run stands between two slices."""


@contextmanager
def interrupts_noted() -> Iterator[Callable[[], None]]:
    """While this lasts. What it hands out is to be called between slices; it raises Interrupted when it is time.

    Where somebody else has said what an interrupt does, or this is not the main thread, nothing is changed.
    """
    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.append(number)

    def look() -> None:
        if noted:
            raise Interrupted

    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        try:
            signal.signal(signal.SIGINT, note)
        except ValueError:  # only the main thread may
            ours = False
    try:
        yield look
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
