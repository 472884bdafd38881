"""Ctrl+C and SIGTERM take effect between two slices of a run, not in the middle of a delivery.

An exception that a signal raises at any place would leave the swarm in the middle of an instant, and its recording
could not be closed: its last fingerprint would be one of a state that no run has. So the first signal is noted, and
raises when the current slice is over, some 50 ms later. A second one raises at once.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Halted(KeyboardInterrupt):
    """A signal ended what was running; `number` is the number of the signal."""

    def __init__(self, number: int, said: str = "") -> None:
        super().__init__(said or WORDS.get(signal.Signals(number), "interrupted"))
        self.number = number


class Interrupted(Halted):
    """The same, raised between two slices: the swarm is in a state in which it can be recorded."""


@contextmanager
def interrupts_noted() -> Iterator[Callable[[], None]]:
    """A context manager that notes signals. It yields a function to call between slices, which raises Interrupted if
    there was a signal.

    Handlers that the program has set already are not replaced, and outside of the main thread none are.
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
    except ValueError:  # Only the main thread may set handlers.
        ours = []
    try:
        yield look
    finally:
        for number in ours:
            signal.signal(number, before[number])
