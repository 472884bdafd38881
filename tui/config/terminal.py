"""What the terminal cannot do, found out before the first picture and reported in one sentence each; and how the
program ends by a signal or when the terminal is closed.

Only a terminal that cannot move its cursor is refused. On others that lack something there are fewer colours, letters
instead of symbols, or no mouse. Each sentence is shown once, not at every start.
"""

from __future__ import annotations

import codecs
import contextlib
import locale
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import asyncio  # else where it is needed: that is after the frame is painted

FEW = ("linux", "vt", "ansi", "cons", "xterm-16color", "screen.linux")
"""Beginnings of `TERM` of terminals with at most sixteen colours."""
TRUE = ("truecolor", "24bit")


def refusal(env: Mapping[str, str]) -> str:
    """Why nothing can be drawn on this terminal; empty if something can."""
    if env.get("TERM", "").lower() in ("dumb", "unknown"):
        return (
            f"the dashboard cannot draw on this terminal (TERM={env['TERM']}); swarmtop run works here; if "
            "the terminal can do more than TERM says, try TERM=xterm-256color swarmtop"
        )
    return ""


def speaks_unicode(encoding: str | None) -> bool:
    """Whether the encoding of the locale is UTF-8."""
    try:
        return codecs.lookup(encoding or "ascii").name == "utf-8"
    except LookupError:
        return False


COERCED = ("C.UTF-8", "C.utf8", "UTF-8")


def given_environment() -> dict[str, str]:
    """The environment with which this process was started.

    Python sets LC_CTYPE itself where the locale is C (PEP 538). /proc has the environment before that; without /proc,
    Python's UTF-8 mode (PEP 540) shows it, which is on in that case.
    """
    env = dict(os.environ)
    try:
        given = Path("/proc/self/environ").read_bytes().decode("utf-8", "surrogateescape").split("\0")
        began = dict(pair.split("=", 1) for pair in given if "=" in pair)
        if env.get("LC_CTYPE") in COERCED and "LC_CTYPE" not in began:
            del env["LC_CTYPE"]
    except OSError:
        if sys.flags.utf8_mode and env.get("LC_CTYPE") in COERCED and not env.get("LC_ALL"):
            del env["LC_CTYPE"]
    return env


def encoding_of(env: Mapping[str, str]) -> str:
    """The encoding of the user's locale: the first of LC_ALL, LC_CTYPE and LANG that is not empty decides, as in the C
    library; if all are empty the locale is C, which is ASCII."""
    name = next((env[word] for word in ("LC_ALL", "LC_CTYPE", "LANG") if env.get(word)), "C")
    bare, _, rest = name.partition(".")
    bare, encoding = bare.partition("@")[0], rest.partition("@")[0]
    if bare.upper() in ("C", "POSIX") and not encoding:
        return "ascii"
    if bare.upper() in ("UTF-8", "UTF8"):
        return "utf-8"
    if encoding:
        return encoding
    # A name without an encoding: ask the system.
    try:
        return locale.nl_langinfo(locale.CODESET)
    except AttributeError:
        return "ascii"


def lacks(env: Mapping[str, str], encoding: str | None) -> dict[str, str]:
    """A sentence for each thing that the terminal lacks, by a word for it."""
    term = env.get("TERM", "").lower()
    found: dict[str, str] = {}
    if not speaks_unicode(encoding):
        found["unicode"] = (
            "The locale is not UTF-8, so the picture is drawn in letters; LANG=C.UTF-8 or --glyphs braille has dots "
            "and signs."
        )
    if env.get("NO_COLOR") is None and env.get("COLORTERM", "").lower() not in TRUE and not term.endswith("direct"):
        if term.startswith(FEW) or not term:
            found["colours"] = (
                "This terminal has few colours: shapes tell states apart, and --theme high-contrast helps."
            )
        elif "256" not in term and not term.startswith(("xterm", "kitty", "wezterm", "foot", "alacritty", "iterm")):
            found["colours"] = "This terminal does not say that it has true colour; COLORTERM=truecolor says it."
        else:
            found["colours"] = "256 colours are used; if this terminal has true colour, COLORTERM=truecolor says so."
    if term in ("linux", "cons25") or term.startswith("vt"):
        found["mouse"] = "There is no mouse here: {peer.jump} jumps to peers and panels, {app.palette} finds all else."
    return found


def not_shown_before(found: Mapping[str, str], note: Path) -> list[str]:
    """The sentences that were not shown before; the file `note` records them. If it cannot be written, all are shown
    each time."""
    try:
        before = set(note.read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError):
        before = set()
    fresh = [sentence for word, sentence in found.items() if word not in before]
    if fresh:
        try:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text("\n".join(sorted(before | set(found))) + "\n", encoding="utf-8")
        except OSError:
            pass
    return fresh


def note_file() -> Path:
    """The file for `not_shown_before`."""
    import platformdirs

    return platformdirs.user_state_path("swarmtop") / "told"


# Signals that would end the program, and a terminal that is closed.
#
# A signal that ends a program while it draws leaves the terminal in raw mode. So the dashboard handles it: it leaves as
# with the key for that, with 128 and the number of the signal as exit code. If that takes longer than `END_S`, the
# terminal is restored and the process ended.
#
# When the window is closed the system sends SIGHUP. `nohup`, and some shells, make a program ignore that signal; so the
# terminal is checked as well.

LOOK_S = 2.0
"""Wall seconds between two checks of the terminal. A paused dashboard writes nothing, so no write would fail."""
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
"""Signals whose default action ends the program. Not those of a broken process (SIGSEGV, SIGBUS, SIGFPE, SIGILL), which
cannot continue."""


class Ending:
    """Handles signals that would end the program.

    After `app` was called, `leave` is called in the loop with the exit code. Before that, after the loop has ended, and
    when leaving takes too long, `restore` restores the terminal and the process ends.

    Blocking signals does not help here: Python calls a handler in the main thread although that blocks the signal, if
    another thread takes it (NumPy's library of linear algebra starts some). So handlers are exchanged at once, never
    by way of the default action, and flags tell a handler what it interrupts.
    """

    def __init__(self, restore: Callable[[], object]) -> None:
        from ..textual_compat import Deadline  # what the terminal lacks is found out before Textual is loaded

        self._restore = restore
        self._deadline = Deadline(END_S, restore)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: Callable[[int], object] = int
        self._before: dict[int, Any] = {}
        self._restoring = False

    @property
    def begun(self) -> bool:
        """Whether the program was asked to end."""
        return self._deadline.begun

    @property
    def code(self) -> int | None:
        """The exit code with which it was asked to end."""
        return self._deadline.code

    def begin(self, code: int) -> None:
        """The program leaves by itself: limit the time from now on."""
        self._deadline.begin(code)

    def app(self, leave: Callable[[int], object]) -> None:
        """Call in the running loop: from now on a signal calls `leave` in it."""
        import asyncio

        self._loop, self._leave = asyncio.get_running_loop(), leave

    def restore(self) -> None:
        """Restore the terminal when the loop has ended. A signal that comes meanwhile must not end the process before
        that is done; it ends anyway after it."""
        self._restoring = True
        self._restore()

    def _on_signal(self, number: int, _: object) -> None:
        code = 128 + number
        self._deadline.begin(code)
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._leave, code)
                return
        except RuntimeError:  # the loop has ended, and so does the program
            pass
        if self._restoring:
            return
        self._restoring = True
        self._restore()
        os._exit(code)

    def take(self, first: Mapping[int, Any]) -> None:
        """Handle the signals that have their default action, not those that are ignored (as by nohup) or handled, until
        `__exit__`. first: signals that something else has handled so far, with the handlers before that."""
        for number in ENDING:
            # Only the main thread may.
            with contextlib.suppress(ValueError, OSError):
                found = signal.getsignal(number)
                if number in first or found in (signal.SIG_DFL, signal.default_int_handler):
                    self._before[number] = first.get(number, found)
                    signal.signal(number, self._on_signal)

    def __enter__(self) -> Self:
        """Start the thread that limits the time."""
        self._deadline.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the handlers."""
        self._deadline.done()
        for number, handler in self._before.items():
            signal.signal(number, handler)


@contextlib.asynccontextmanager
async def leaving_when_hung_up(leave: Callable[[int], object]) -> AsyncIterator[None]:
    """A context in which `leave` is called with `GONE` when the terminal of stdin is gone."""
    import asyncio

    watch = asyncio.create_task(_watch(leave))
    try:
        yield
    finally:
        watch.cancel()
        _let_go()


def _let_go() -> None:
    """Discard what is buffered for a terminal that is gone: Python would fail on it when it exits."""
    from ..textual_compat import hung_up

    for stream in (sys.__stdout__, sys.__stderr__):
        with contextlib.suppress(OSError, ValueError):
            if stream is not None and hung_up(stream.fileno()):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)


def stdin_is_gone() -> bool:
    """Whether stdin was a terminal that has hung up."""
    from ..textual_compat import hung_up

    try:
        return sys.__stdin__ is not None and hung_up(sys.__stdin__.fileno())
    except (OSError, ValueError):  # it has no number, as in a test, or was closed
        return False


async def _watch(leave: Callable[[int], object]) -> None:
    import asyncio

    while not stdin_is_gone():
        await asyncio.sleep(LOOK_S)
    leave(GONE)
