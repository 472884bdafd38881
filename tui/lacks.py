"""What a terminal cannot do, found out before the first picture, and told in a sentence a person can use.

A terminal that lacks something still works: colours become fewer, pictures become letters, the mouse rests. Only one
that cannot move its cursor is turned away. Each kind of lack is told once: who has read it need not read it at each
start.
"""

from __future__ import annotations

import codecs
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


def lacks(env: Mapping[str, str], encoding: str | None) -> dict[str, str]:
    """A sentence for each thing that is missing, by a word for it."""
    term = env.get("TERM", "").lower()
    found: dict[str, str] = {}
    if not speaks_unicode(encoding):
        found["unicode"] = (
            "The locale is not UTF-8, so the picture is drawn in letters; with LANG=C.UTF-8 it has dots and signs."
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
