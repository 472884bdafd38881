"""A terminal that goes away: the window is closed, the line drops.

The system says so by SIGHUP, which ends a program that has made no other arrangement, and swarmtop makes none: with the
terminal gone there is nothing to restore. But whoever starts a program by `nohup`, or from a shell that does so for
him, has it ignore that signal. Textual's output thread then dies of the first write that fails, the dashboard waits for
ever for room in a queue that nobody empties, and SIGTERM is never heard of. So here what is written to a line that is
gone is thrown away, the program is told, and it leaves as it would for the signal.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

LOOK_S = 2.0
"""Wall seconds between two looks at the line. A paused dashboard writes nothing, so no write would fail."""
GONE = 128 + getattr(signal, "SIGHUP", 1)


class Line:
    """A file that may fail: `gone` is called once when it does, from whichever thread, and nothing is raised."""

    def __init__(self, file: Any, gone: Callable[[], object]) -> None:
        self._file, self._gone, self._open = file, gone, True

    def write(self, text: str) -> int:
        """All of it is taken, one way or another."""
        if self._open:
            self._try(self._file.write, text)
        return len(text)

    def flush(self) -> None:
        """As far as there is somebody to flush to."""
        if self._open:
            self._try(self._file.flush)

    def _try(self, does: Callable[..., object], *args: str) -> None:
        try:
            does(*args)
        except OSError:
            self._open = False
            self._gone()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def hung_up(fd: int) -> bool:
    """Whether nobody is at the other end of a terminal any more. Where that cannot be asked, somebody is."""
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return any(what & (select.POLLHUP | select.POLLNVAL) for _, what in poll.poll(0))
    except (AttributeError, OSError, ValueError):
        return False


@contextlib.asynccontextmanager
async def leaving_when_hung_up(leave: Callable[[int], object]) -> AsyncIterator[None]:
    """While this lasts, `leave` is called with `GONE` when the terminal of stdin and stderr is gone."""
    loop = asyncio.get_running_loop()
    before = sys.__stderr__
    sys.__stderr__ = Line(before, lambda: loop.call_soon_threadsafe(leave, GONE))  # type: ignore[misc, assignment]
    watch = asyncio.create_task(_watch(leave))
    try:
        yield
    finally:
        watch.cancel()
        sys.__stderr__ = before  # type: ignore[misc]
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
