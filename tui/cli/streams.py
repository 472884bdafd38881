"""The three standard streams: one that is closed, full or broken has no effect on the others.

`guarded` is used as long as the program runs. `on_terminal` is used by the dashboard, which needs a terminal: that of
any stream, or `/dev/tty` if all streams are redirected.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import IO, Any, TextIO, cast

FULL: tuple[type[Exception], ...] = (OSError, ValueError)
"""What a write raises: OSError for a full disk or a closed pipe, ValueError for a closed stream."""


class Unfailing:
    """A stream that never raises: what cannot be written is discarded."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, and return the length of the text in any case."""
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        """Flush, if that is possible."""
        self._try(self._stream.flush)

    def _try(self, does: Callable[[], object]) -> None:
        try:
            does()
        except FULL:
            throw_away(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _PropertiesOnly:
    """A stream that has the width, encoding and colours of another one, and discards what is written. Rich writes to
    its stream even where the text is captured, which would fail on a full disk."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write nothing."""
        return len(text)

    def flush(self) -> None:
        """Nothing to flush."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def stdout_properties() -> TextIO:
    """stdout for a Rich console whose output is captured."""
    return cast(TextIO, _PropertiesOnly(sys.stdout))


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """A context in which all three streams exist and stderr never raises. At its end buffers are flushed or discarded,
    so that Python does not fail on them when it exits."""
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        # Labels and titles may hold characters that stdout cannot encode: they become question marks.
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
    """Open the null device for each stream that was closed at the start (`2>&-`). Python has None for it, and the next
    file that is opened, for example a recording, would get its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nothing = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - for as long as we run
            setattr(sys, name, nothing)
            setattr(sys, f"__{name}__", nothing)


def throw_away(stream: TextIO) -> None:
    """Discard what is written to it from now on, and what is in its buffer."""
    with contextlib.suppress(*FULL):
        number = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)


@contextlib.contextmanager
def waiting(stream: TextIO) -> Iterator[None]:
    """A context in which a write to it waits for room, even if another program has set the pipe not to block."""
    number = -1
    with contextlib.suppress(AttributeError, *FULL):  # no file, as in a test, or a system without this call
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
    """A context in which `sys.__stdin__`, `sys.__stdout__` and `sys.__stderr__`, which Textual reads, draws on and
    measures, are the terminal; `sys.stdout` and `sys.stderr` do not change. Yields whether there is a terminal."""
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
    """Replace each stream that is no terminal by the terminal; `opened` gets the streams to close at the end."""
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
    """The terminal, opened again: that of the first of these streams, else the controlling terminal of this process."""
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
    with contextlib.suppress(
        *FULL
    ):  # it has no name here, or belongs to another user: most terminals are open for both directions
        return os.dup(have[0].fileno()) if have else None
    return None


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except FULL:
        return False
