"""What a terminal cannot do, found out before the first picture, and told in a sentence a person can use.

A terminal that lacks something still works: colours become fewer, pictures become letters, the mouse rests. Only one
that cannot move its cursor is turned away. Each kind of lack is told once: who has read it need not read it at each
start.
"""

from __future__ import annotations

import codecs
import locale
import os
import sys
from collections.abc import Mapping
from pathlib import Path

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
