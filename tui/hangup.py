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
from collections.abc import AsyncIterator, Callable, Iterator

from .textual_compat import Deadline, hung_up

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


@contextlib.contextmanager
def leaving_on_signals(leave: Callable[[int], object], restore: Callable[[], object]) -> Iterator[Deadline]:
    """While this lasts, a signal that would end the program has `leave` called in the loop, with the exit code.

    What is ignored (by nohup, say), or somebody else handles, stays so. `restore` gives the terminal back when the end
    takes too long. Yields what counts the time.
    """
    loop = asyncio.get_running_loop()
    deadline = Deadline(END_S, restore)

    def told(number: int, _: object) -> None:
        code = 128 + number
        deadline.begin(code)
        with contextlib.suppress(RuntimeError):  # the loop has ended, and so does the program
            loop.call_soon_threadsafe(leave, code)

    before = {}
    for number in ENDING:
        # Only the main thread may.
        with contextlib.suppress(ValueError, OSError):
            found = signal.getsignal(number)
            # asyncio has a handler of its own for SIGINT, which cancels whatever runs.
            if found == signal.SIG_DFL or (number == signal.SIGINT and found not in (signal.SIG_IGN, None)):
                before[number] = signal.signal(number, told)
    try:
        yield deadline
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        deadline.done()


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
