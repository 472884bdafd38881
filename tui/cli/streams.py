"""The three standard streams: one that is closed, full or broken changes nothing but itself.

`guarded` is for as long as the program runs. `on_terminal` is for the dashboard, which needs the terminal and takes it
from whichever stream has it, or from `/dev/tty` where all of them were sent elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import IO, Any, TextIO, cast

FULL: tuple[type[Exception], ...] = (OSError, ValueError)
"""What a write raises: a full disk, a reader who has left; ValueError where the stream was closed."""


class Unfailing:
    """A stream whose failures are its own affair: what can no longer be written is thrown away."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """All of it is taken, one way or another."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """As far as there is somebody to flush to."""
        self._try(self._stream.flush)

    def _try(self, does: Callable[[], object]) -> None:
        try:
            does()
        except FULL:
            throw_away(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """While this lasts, all three streams are there, and stderr takes whatever is written. Afterwards there is nothing
    left in a buffer over which Python could fail at its end."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        # Labels and titles may hold what an old terminal cannot spell: a question mark is better than a traceback.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    stderr = sys.stderr
    sys.stderr = cast(TextIO, Unfailing(stderr))
    try:
        yield
    finally:
        sys.stderr = stderr
        for stream in (sys.stdout, stderr):
            try:
                stream.flush()
            except FULL:
                throw_away(stream)


def _open_what_is_closed() -> None:
    """Whoever starts us with a stream closed (`2>&-`) wants to hear nothing there. Python has None for it, and the next
    file that is opened, a recording say, would get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nothing = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - for as long as we run
            setattr(sys, name, nothing)
            setattr(sys, f"__{name}__", nothing)


def throw_away(stream: TextIO) -> None:
    """From now on what is written to it, and what stands in its buffer, goes nowhere."""
    with contextlib.suppress(*FULL):
        number = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)


@contextlib.contextmanager
def waiting(stream: TextIO) -> Iterator[None]:
    """While this lasts, a write to it waits until there is room, though another program may have set it not to."""
    number = -1
    with contextlib.suppress(AttributeError, *FULL):  # no file, as under a test, or a system that cannot tell
        if not os.get_blocking(stream.fileno()):
            number = stream.fileno()
            os.set_blocking(number, True)
    try:
        yield
    finally:
        if number >= 0:
            with contextlib.suppress(*FULL):
                os.set_blocking(number, False)


# --- the terminal ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def on_terminal() -> Iterator[bool]:
    """While this lasts, `sys.__stdin__`, `sys.__stdout__` and `sys.__stderr__`, which are what Textual reads, draws on
    and measures, are the terminal. `sys.stdout` and `sys.stderr` stay what they are. Whether there is a terminal."""
    before = sys.__stdin__, sys.__stdout__, sys.__stderr__
    opened: list[IO[str]] = []
    try:
        yield _take_terminal(opened)
    finally:
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = before  # type: ignore[misc]
        for stream in opened:
            with contextlib.suppress(*FULL):
                stream.close()


def _take_terminal(opened: list[IO[str]]) -> bool:
    """Put the terminal in the place of each stream that is none; `opened` gets what has to be closed in the end."""
    streams: dict[str, TextIO | None] = {name: getattr(sys, f"__{name}__") for name in ("stderr", "stdout", "stdin")}
    have = [stream for stream in streams.values() if stream is not None and _is_terminal(stream)]
    encoding = (have[0] if have else sys.stderr).encoding or "utf-8"
    for name, stream in streams.items():
        if stream in have:
            continue
        number = _terminal(have, os.O_RDONLY if name == "stdin" else os.O_WRONLY)
        if number is None:
            return False
        mode = "r" if name == "stdin" else "w"
        made = open(number, mode, encoding=encoding, errors="replace")  # noqa: SIM115 - closed in the end
        opened.append(made)
        setattr(sys, f"__{name}__", made)
    return True


def _terminal(have: list[TextIO], mode: int) -> int | None:
    """The terminal, opened once more: that of the first of these streams, else the one this process belongs to."""
    paths = ["/dev/tty"]
    if have:
        with contextlib.suppress(AttributeError, *FULL):
            paths.insert(0, os.ttyname(have[0].fileno()))
    for path in paths:
        with contextlib.suppress(OSError):
            number = os.open(path, mode | getattr(os, "O_NOCTTY", 0))
            if os.isatty(number):
                return number
            os.close(number)
    with contextlib.suppress(*FULL):  # it has no name here, or is another user's: most terminals are open both ways
        return os.dup(have[0].fileno()) if have else None
    return None


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except FULL:
        return False
