"""The end from outside: signals that would end the program, and a terminal that goes away.

A signal that ends a program in the middle of a picture leaves the terminal raw, so it is noted, and the dashboard
leaves as it does by key, with 128 and the number of the signal as exit code. When that takes longer than `END_S`, the
terminal is restored and the process ended all the same.

When the window is closed the system says so by SIGHUP. Whoever starts a program by `nohup`, or from a shell that does
so for him, has it ignore that signal; so the line is looked at as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

from ..textual_compat import Deadline, hung_up

LOOK_S = 2.0
"""Wall seconds between two looks at the line. A paused dashboard writes nothing, so no write would fail."""
END_S = 10.0
"""Wall seconds from a signal to the end of the process, at most."""
GONE = 128 + getattr(signal, "SIGHUP", 1)
ENDING = tuple(
    getattr(signal, name)
    for name in (
        *("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGABRT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGVTALRM"),
        *("SIGPROF", "SIGXCPU", "SIGPOLL", "SIGPWR", "SIGSTKFLT", "SIGSYS", "SIGTRAP"),
    )
    if hasattr(signal, name)
)
"""What ends a program that makes no other arrangement, and can be waited for. Not what tells of a broken process
(SIGSEGV, SIGBUS, SIGFPE, SIGILL): it cannot go on to its end."""


class Ending:
    """Signals that would end the program, and what is done instead.

    From `app` on, `leave` is called in the loop with the exit code. Before and after, and when the end takes too long,
    `restore` gives the terminal back and the process ends.
    """

    def __init__(self, restore: Callable[[], object]) -> None:
        self._restore = restore
        self._deadline = Deadline(END_S, restore)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: Callable[[int], object] = int
        self._before: dict[int, Any] = {}

    @property
    def begun(self) -> bool:
        """Whether the program was told to end."""
        return self._deadline.begun

    def begin(self, code: int) -> None:
        """The program ends by itself: count the time."""
        self._deadline.begin(code)

    def app(self, leave: Callable[[int], object]) -> None:
        """A loop runs now, and this ends what runs in it."""
        self._loop, self._leave = asyncio.get_running_loop(), leave

    def _told(self, number: int, _: object) -> None:
        code = 128 + number
        self._deadline.begin(code)
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._leave, code)
                return
        except RuntimeError:  # the loop has ended, and so does the program
            pass
        self._restore()
        os._exit(code)

    def __enter__(self) -> Self:
        """Take over what has its usual action now. What is ignored (by nohup, say), or somebody else's, stays so."""
        self._deadline.start()
        for number in ENDING:
            # Only the main thread may.
            with contextlib.suppress(ValueError, OSError):
                if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                    self._before[number] = signal.signal(number, self._told)
        return self

    def __exit__(self, *_: object) -> None:
        """As it was."""
        self._deadline.done()
        for number, handler in self._before.items():
            signal.signal(number, handler)


@contextlib.asynccontextmanager
async def leaving_when_hung_up(leave: Callable[[int], object]) -> AsyncIterator[None]:
    """While this lasts, `leave` is called with `GONE` when the terminal of stdin is gone."""
    watch = asyncio.create_task(_watch(leave))
    try:
        yield
    finally:
        watch.cancel()
        _let_go()


def _let_go() -> None:
    """What stands in buffers for a line that is gone goes nowhere; Python would fail over it at its end."""
    for stream in (sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(OSError, ValueError):
            if stream is not None and hung_up(stream.fileno()):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)


def stdin_is_gone() -> bool:
    """Whether it was a terminal that has hung up."""
    try:
        return sys.__stdin__ is not None and hung_up(sys.__stdin__.fileno())
    except (OSError, ValueError):  # it has no number, as under a test, or was closed
        return False


async def _watch(leave: Callable[[int], object]) -> None:
    while not stdin_is_gone():
        await asyncio.sleep(LOOK_S)
    leave(GONE)
