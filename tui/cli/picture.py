"""`swarmtop run --picture`: the swarm at the end of a run, drawn on stdout.

The same picture as on the dashboard, of the last ask if there was one. On a terminal it has the colours of the theme
and the size of the terminal; where stdout is no terminal, or with NO_COLOR, it is plain text.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .common import WrongError
from .streams import stdout_properties

if TYPE_CHECKING:
    from rich.style import Style

    from engine import Snapshot, Swarm, Trace

    from ..config.themes import Palette
    from ..draw.raster import Canvas
    from ..draw.styles import InkOf, Mode

USUAL = (100, 30)
"""Columns and rows where stdout is no terminal."""
LEAST, MOST = (20, 6), (1_000, 500)
UNDER = 3
"""Rows of the terminal that are left free for the sentence below the picture and the prompt."""


def read_size(text: str, where: str) -> tuple[int, int]:
    """WIDTHxHEIGHT, in columns and rows."""
    from engine import as_whole

    wide, by, high = text.lower().partition("x")
    if not by:
        raise WrongError(f'{where}: "{text[:40]}" should be WIDTHxHEIGHT, as in 100x30')
    return (
        as_whole(wide.strip(), f"{where}: the width", LEAST[0], MOST[0], texts=True),
        as_whole(high.strip(), f"{where}: the height", LEAST[1], MOST[1], texts=True),
    )


class Picture:
    """Takes the swarm when its run is over, and draws it."""

    def __init__(self, size: tuple[int, int] | None) -> None:
        self._size = size
        self._snapshot: Snapshot | None = None
        self._trace: Trace | None = None

    def take(self, swarm: Swarm) -> None:
        """Keep what is drawn."""
        self._snapshot = swarm.snapshot()
        asks = swarm.asks()
        self._trace = swarm.trace(asks[-1].id) if asks else None

    def text(self) -> str:
        """The picture and a sentence below it, without a last newline. Raises InputError for a wrong configuration."""
        from engine import InputError

        from ..config import settings, themes

        assert self._snapshot is not None
        settled = settings.load()
        utf = (sys.stdout.encoding or "").lower().replace("_", "-").startswith("utf")
        mode: Mode = (settled.glyphs or "braille") if utf else "ascii"
        canvas = drawn(self._snapshot, self._trace, *(self._size or _room()), mode)
        try:
            palette = themes.find(settled.theme or themes.DEFAULT)
        except InputError:  # the theme of the configuration is one of Textual's
            palette = themes.find(themes.DEFAULT)
        colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        from ..draw.raster import to_text

        rows = _coloured(canvas, palette) if colours else _stripped(to_text(canvas))
        return f"{rows}\n{_sentence(self._snapshot)}"


def _room() -> tuple[int, int]:
    """The columns and rows there are for the picture."""
    if not sys.stdout.isatty():
        return USUAL
    import shutil

    wide, high = shutil.get_terminal_size(USUAL)
    return max(LEAST[0], min(wide, MOST[0])), max(LEAST[1], min(high - UNDER, MOST[1]))


def drawn(snapshot: Snapshot, trace: Trace | None, width: int, height: int, mode: Mode) -> Canvas:
    """The picture of a swarm as the dashboard draws it, at rest: on the map, or as a ring where there is none."""
    from ..draw import legend, raster
    from ..draw.colours import colouring
    from ..draw.scene import Scene, base, paint
    from ..draw.stage import Stage

    stage = Stage("world" if len(snapshot.fixed.places.names) else "ring")
    stage.animate = False
    across, down = raster.DOTS[mode]
    stage.resize(width * across, height * down, 2.0 * across / down)
    stage.follow(snapshot, int(snapshot.fixed.infrastructure.argmax()), 0.0, trace)
    x, y = stage.dots(0.0)
    scene = Scene(
        snapshot=snapshot,
        x=x,
        y=y,
        colours=colouring("state", snapshot, trace, None, None),
        trace=trace,
        coast_view=(stage.view, stage.box) if stage.placed == "world" else None,
        rings=stage.rings(),
    )
    under = raster.Canvas(width, height, mode)
    base(under, scene)
    canvas = paint(under, scene)
    legend.draw(canvas, scene)
    return canvas


def _stripped(text: str) -> str:
    """Rows without blanks at their ends; an empty braille cell is a blank as well."""
    return "\n".join(line.replace("\u2800", " ").rstrip() for line in text.split("\n"))


def _coloured(canvas: Canvas, palette: Palette) -> str:
    """Rows with the sequences for their colours, as many as this terminal has."""
    from rich.console import Console
    from rich.text import Text

    from ..draw.raster import runs
    from ..draw.styles import SOLID

    styles = _styles(palette)
    console = Console(file=stdout_properties(), width=canvas.width + 1)
    with console.capture() as captured:
        for row in runs(canvas, SOLID):
            line = Text(no_wrap=True, end="")
            for part, ink in row:
                line.append(part, styles[ink])
            console.print(line, soft_wrap=True)
    return captured.get().rstrip("\n")


def _styles(palette: Palette) -> Sequence[Style]:
    """The style of each value that a cell's ink may have."""
    from rich.style import Style

    from ..config.themes import mix
    from ..draw.styles import SIDE_BITS, SIDE_TINT, SIDES, TABLE

    colours = {**palette.theme, **palette.swarm}
    ground = palette.theme["background"]

    def hue(ink: InkOf) -> str:
        colour = colours.get(ink.role, palette.theme["foreground"])
        if ink.heat is not None:
            low, high = ("heat-start", "heat-mid") if ink.heat <= 0.5 else ("heat-mid", "heat-end")
            colour = mix(colours[low], colours[high], ink.heat * 2 if ink.heat <= 0.5 else ink.heat * 2 - 1)
        return mix(colour, ground, ink.faded) if ink.faded else colour

    made: list[Style] = []
    for role in SIDES:
        under = mix(ground, colours[role], SIDE_TINT) if role in colours else ground
        side = [
            Style(color=hue(ink), bgcolor=under, bold=ink.bold or None, reverse=ink.solid or None)
            for ink in TABLE.values()
        ]
        made += side + [side[0]] * ((1 << SIDE_BITS) - len(side))
    return made


def _sentence(snapshot: Snapshot) -> str:
    """What the picture shows, in a line."""
    import numpy as np

    from engine import STATES, plain

    counts = np.bincount(snapshot.state, minlength=len(STATES))
    states = ", ".join(f"{int(n):,} {name}" for name, n in zip(STATES, counts, strict=False) if n)
    censored = int(snapshot.censored.sum())
    more = f", {censored:,} censored" if censored else ""
    return f"{plain(snapshot.fixed.protocol)} at {snapshot.now_us / 1e6:g} s: {states}{more}"
