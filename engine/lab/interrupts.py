"""Ctrl+C, or SIGTERM, between two slices of a run, and not in the middle of a delivery.

An exception that a signal raises wherever the program happens to be would leave the swarm half in one instant and half
in the next, and its recording could not be closed: its last fingerprint would be of a state that never was. So the
first one is noted, and takes effect when the slice at hand is over, some 50 ms later. The second does not wait.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Halted(KeyboardInterrupt):
    """A signal ended what was going on; `number` is its number."""

    def __init__(self, number: int, said: str = "") -> None:
        super().__init__(said or WORDS.get(signal.Signals(number), "interrupted"))
        self.number = number


class Interrupted(Halted):
    """The same, and the run stands between two slices."""


@contextmanager
def interrupts_noted() -> Iterator[Callable[[], None]]:
    """While this lasts. What it hands out is to be called between slices; it raises Interrupted when it is time.

    Where somebody else has said what a signal does, or this is not the main thread, nothing is changed.
    """
    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if noted:
            raise Halted(number)
        noted.append(number)

    def look() -> None:
        if noted:
            raise Interrupted(noted[0])

    before = {number: signal.getsignal(number) for number in WORDS}
    ours = [number for number, does in before.items() if does in (signal.default_int_handler, signal.SIG_DFL)]
    try:
        for number in ours:
            signal.signal(number, note)
    except ValueError:  # only the main thread may
        ours = []
    try:
        yield look
    finally:
        for number in ours:
            signal.signal(number, before[number])
