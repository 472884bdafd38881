"""The frames of the panels, their names and the keys, painted before the dashboard is built.

Building the widgets of the dashboard takes about as long as everything before it. Until then this is shown where the
panels will be, in their colours. The sizes are those of `swarmtop.tcss`; where the dashboard decides on others, its
first picture is drawn over this one.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from rich.style import Style
from textual.color import Color, ColorParseError

from .session.panels import HUGE_H, HUGE_W, TIMELINE_H, WIDE, rooms, too_small
from .widgets.text import ASCII

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.color import ColorSystem
    from textual.theme import Theme

    from .config.keys import Key

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?1049l\x1b[?25h"
"""The alternate screen without a cursor, as the dashboard has it, and back."""
EDGE = 0.4
"""How much of the foreground is in what is drawn: edges have less, names and keys more."""


def lines(width: int, height: int, network: str, keys: Sequence[Key], *, story: bool = False) -> list[str]:
    """The whole screen as text, `height` lines of `width` cells. Empty where the dashboard has no room."""
    if too_small(width, height):
        return []
    shown = rooms(width, height, {}, story=story)
    wide, huge = width >= WIDE, width >= HUGE_W and height >= HUGE_H
    side = min(56 if huge else 43, width // 2) if wide else 0
    bottom = (9 if huge else 6) if "charts" in shown else 0
    middle = (13 if huge else 10 if wide else 8) if "asks" in shown else 0
    foot = (1 if height >= TIMELINE_H else 0) + 1
    figures = 2 if "figures" in shown else 0
    top = height - 1 - middle - bottom - figures - foot
    right = ("inspector", "story" if "story" in shown else "controls", "feed")
    made = [f" swarmtop  {network}".ljust(width)[:width]]
    for left, beside, high in zip(("swarm", "asks", "charts"), right, (top, middle, bottom), strict=True):
        if high:
            here = side if beside in shown else 0
            boxes = [_box(left, width - here, high)] + ([_box(beside, here, high)] if here else [])
            made += map("".join, zip(*boxes, strict=True))
    made += [" " * width] * (height - 1 - len(made))
    offered = sorted((key for key in keys if key.rank and key.shown), key=lambda key: key.rank)
    bar = ""
    for key in offered:
        more = f" {key.shown} {key.label} "
        bar += more if len(bar) + len(more) <= width else ""
    return [*made, bar.ljust(width)[:width]]


def _box(name: str, wide: int, high: int) -> list[str]:
    head = f"╭─ {name} "
    return [f"{head:─<{wide - 1}}╮", *[f"│{' ' * (wide - 2)}│"] * (high - 2), f"╰{'─' * (wide - 2)}╯"]


def paint(
    network: str,
    keys: Sequence[Key],
    *,
    story: bool,
    ascii_only: bool,
    theme: Theme | None,
    colours: ColorSystem | None,
) -> bool:
    """Enter the alternate screen and show the frame. False, and nothing done, where there is no terminal for it.

    network: its name; story: whether the scenario has a panel for what it tells; theme: None where colours are not
    wanted; colours: what the terminal can show.
    """
    file = sys.__stderr__
    try:
        if file is None or not file.isatty():
            return False
        width, height = os.get_terminal_size(file.fileno())
        if not width or not height:  # a terminal that was told no size
            width, height = shutil.get_terminal_size()
    except (OSError, ValueError):
        return False
    made = lines(width, height, network, keys, story=story)
    if ascii_only:
        made = [line.translate(ASCII | str.maketrans("╭╮╰╯", "++++")) for line in made]
    style, ground = _style(theme), ""
    if style is not None and colours is not None:
        ground = f"\x1b[{style._make_ansi_codes(colours)}m"
    rows = "".join(f"\x1b[{y};1H{line}" for y, line in enumerate(made, 1))
    file.write(f"{ENTER}{ground}\x1b[2J{rows}\x1b[0m\x1b[1;1H")
    file.flush()
    return True


def _style(theme: Theme | None) -> Style | None:
    """The colours of edges and ground in the theme; None where they are the terminal's own."""
    if theme is None:
        return None
    try:
        ground, ink = Color.parse(theme.background or ""), Color.parse(theme.foreground or "")
    except ColorParseError:
        return None
    if ground.ansi is not None or ink.ansi is not None:
        return None
    return Style(color=ground.blend(ink, EDGE).rich_color, bgcolor=ground.rich_color)


def clear() -> None:
    """Leave the alternate screen again, where the dashboard that should have come did not."""
    if sys.__stderr__ is not None:
        sys.__stderr__.write(LEAVE)
        sys.__stderr__.flush()
