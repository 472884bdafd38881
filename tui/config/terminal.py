"""What a terminal cannot do, found out before the first picture, and told in a sentence a person can use.

A terminal that lacks something still works: colours become fewer, pictures become letters, the mouse rests. Only one
that cannot move its cursor is turned away. Each kind of lack is told once: who has read it need not read it at each
start.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import locale
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Self

from ..textual_compat import Deadline, hung_up

FEW = ("linux", "vt", "ansi", "cons", "xterm-16color", "screen.linux")
"""Terminals of sixteen colours or fewer, by how `TERM` begins."""
TRUE = ("truecolor", "24bit")


def refusal(env: Mapping[str, str]) -> str:
    """Why nothing can be drawn on this terminal; empty when something can."""
    if env.get("TERM", "").lower() in ("dumb", "unknown"):
        return (
            f"the dashboard cannot draw on this terminal (TERM={env['TERM']}); swarmtop run works here, and in a "
            "terminal that can do more than it says, TERM=xterm-256color swarmtop"
        )
    return ""


def speaks_unicode(encoding: str | None) -> bool:
    """Whether the terminal takes UTF-8, as far as the locale tells."""
    try:
        return codecs.lookup(encoding or "ascii").name == "utf-8"
    except LookupError:
        return False


COERCED = ("C.UTF-8", "C.utf8", "UTF-8")


def surroundings() -> dict[str, str]:
    """The environment as this process was given it.

    Python sets LC_CTYPE itself where the locale is C (PEP 538). The system remembers what it was; where it cannot be
    asked, Python's own UTF-8 mode tells (PEP 540), which is on in that case.
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
    """What characters the user's locale is written in: the first of LC_ALL, LC_CTYPE and LANG that is not empty says
    so, as in the C library; none of them is the locale C, which is ASCII."""
    name = next((env[word] for word in ("LC_ALL", "LC_CTYPE", "LANG") if env.get(word)), "C")
    bare, _, rest = name.partition(".")
    bare, encoding = bare.partition("@")[0], rest.partition("@")[0]
    if bare.upper() in ("C", "POSIX") and not encoding:
        return "ascii"
    if bare.upper() in ("UTF-8", "UTF8"):
        return "utf-8"
    if encoding:
        return encoding
    # A name without an encoding: the system knows which it has, if it has the locale.
    try:
        return locale.nl_langinfo(locale.CODESET)
    except AttributeError:
        return "ascii"


def lacks(env: Mapping[str, str], encoding: str | None) -> dict[str, str]:
    """A sentence for each thing that is missing, by a word for it."""
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


def untold(found: Mapping[str, str], note: Path) -> list[str]:
    """Those that were not told before; `note` remembers. Where it cannot be kept, all are told each time."""
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
    """Where it is remembered."""
    import platformdirs

    return platformdirs.user_state_path("swarmtop") / "told"


# The end from outside: signals that would end the program, and a terminal that goes away.
#
# A signal that ends a program in the middle of a picture leaves the terminal raw, so it is noted, and the dashboard
# leaves as it does by key, with 128 and the number of the signal as exit code. When that takes longer than `END_S`, the
# terminal is restored and the process ended all the same.
#
# When the window is closed the system says so by SIGHUP. Whoever starts a program by `nohup`, or from a shell that does
# so for him, has it ignore that signal; so the line is looked at as well.

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
