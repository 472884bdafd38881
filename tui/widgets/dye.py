"""The inks of the picture as styles: a theme's colours, gradients and grounds, one shared style an ink.

A segment without a background would show the terminal's own, so each style has one.
"""

from __future__ import annotations

from rich.style import Style
from textual.color import Color
from textual.widget import Widget

from tui.draw.styles import SIDE_BITS, SIDES, TABLE, InkOf

from .text import Inks

GROUND = 0.3
"""How much of a side's colour is in its ground."""


def dye(widget: Widget) -> list[Style]:
    """The style of each value that a cell's ink may have; values that mean nothing have the first ink's."""
    inks = Inks(widget)
    ground = widget.background_colors[1]
    styles: list[Style] = []
    for side, role in enumerate(SIDES):
        under = ground if not role or ground.ansi is not None else ground.blend(inks.colour(role), GROUND)
        made = [_style(inks, ink, ground, under, side) for ink in TABLE.values()]
        styles += made + [made[0]] * ((1 << SIDE_BITS) - len(made))
    return styles


def _style(inks: Inks, ink: InkOf, ground: Color, under: Color, side: int) -> Style:
    colour = inks.colour(ink.role)
    if ink.heat is not None:
        low, high = ("heat-start", "heat-mid") if ink.heat <= 0.5 else ("heat-mid", "heat-end")
        ends = inks.colour(low), inks.colour(high)
        share = ink.heat * 2 if ink.heat <= 0.5 else ink.heat * 2 - 1
        # A colour that is the terminal's own cannot be mixed: the nearer end has to do.
        mixed = ends[0].ansi is None and ends[1].ansi is None
        colour = ends[0].blend(ends[1], share) if mixed else ends[share > 0.5]
    if ink.faded and colour.ansi is None and ground.ansi is None:
        colour = colour.blend(ground, ink.faded)
    return Style(
        color=colour.rich_color,
        bgcolor=under.rich_color,
        bold=ink.bold or None,
        dim=True if ink.faded and colour.ansi is not None else None,
        reverse=ink.solid or None,
        # Where there are no colours there is no ground: sides are told apart by a line.
        underline=True if side % 2 else None,
    )
