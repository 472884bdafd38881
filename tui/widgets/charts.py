"""Four figures over time: who is up, what is said, whether it helps, and how much of it was said before.

A chart is drawn anew only when a sample came or its size changed; in between, painting is handing out lines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from textual import events
from textual.app import ComposeResult
from textual.containers import Grid
from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.draw.chart import chart, si
from tui.draw.glyphs import Mode
from tui.draw.raster import runs
from tui.frame import Frame

from .ink import Inks, Row, fit, strip
from .panel import name_panel, panel_css

SHORTEST_S, LONGEST_S = 60, 300
"""How much of the past a chart is wide. Samples come once a second of virtual time; a young run is not stretched."""
FIGURE_CELLS = 6
NARROWEST = 18
"""Cells below which a chart says nothing."""


@dataclass(frozen=True, slots=True)
class Plot:
    """One chart. `top` is the figure of its upper edge: None for as the data have it."""

    name: str
    title: str
    ink: str
    about: str
    percent: bool = False
    top: float | None = None
    top_is_peers: bool = False


PLOTS: tuple[Plot, ...] = (
    Plot("alive", "peers alive", "chart-1", "Peers that are up, out of all there are.", top_is_peers=True),
    Plot("messages_per_s", "messages/s", "chart-2", "Messages delivered in a second of virtual time."),
    Plot(
        "success",
        "asks answered",
        "chart-3",
        "Of the asks of the last 30 s, the share that had an answer within 10 s. A gap: nobody asked.",
        percent=True,
        top=1.0,
    ),
    Plot("duplicates_per_s", "duplicates/s", "chart-4", "Questions that arrived where they had been before."),
)


class Chart(Widget):
    """One line over time, and its newest value at the right."""

    DEFAULT_CSS = panel_css("Chart")

    def __init__(self, plot: Plot, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.plot = plot
        self.tooltip = Content(f"{plot.about} At most the last {LONGEST_S // 60} min.")
        self._t_s: NDArray[np.float64] = np.zeros(0)
        self._values: NDArray[np.float64] = np.zeros(0)
        self._peers = 0
        self._key: tuple[object, ...] = ()
        self._rows: list[Row] = []
        self._inks: Inks | None = None
        self.drawn = 0
        """How often it was drawn anew; a test holds it against how often it was shown."""

    def on_mount(self) -> None:
        """Say what it is."""
        name_panel(self, self.plot.title)

    def show(self, frame: Frame) -> None:
        """Take the newest samples."""
        series = frame.snapshot.series
        self._t_s = series.t_s
        self._values = series.columns.get(self.plot.name, np.zeros(0))
        self._peers = len(frame.snapshot.state)
        if self._data_key() != self._key:
            self.refresh()

    @property
    def value_text(self) -> str:
        """The newest value as it is shown."""
        last = float(self._values[-1]) if self._values.size else math.nan
        if self.plot.percent and math.isfinite(last):
            return f"{last:.0%}"
        return si(round(last) if last >= 10 else last)

    def _data_key(self) -> tuple[object, ...]:
        mode = getattr(self.app, "glyph_mode", "braille")
        return (self._values.size, float(self._t_s[-1]) if self._t_s.size else -1.0, self._peers, self.size, mode)

    def _draw(self) -> None:
        key = self._data_key()
        if key == self._key:
            return
        self._key = key
        self.drawn += 1
        width, height = max(1, self.size.width - FIGURE_CELLS), self.size.height
        mode = cast(Mode, key[-1])
        top = float(self._peers) if self.plot.top_is_peers else self.plot.top
        across = min(max(self._values.size, SHORTEST_S), LONGEST_S)
        canvas = chart([self._values], width, height, mode, low=0.0, high=top, across=across)
        inks = ("dim", self.plot.ink)
        figures = [""] * height
        if height > 2 and self._values.size:
            figures[-1] = "0"
        if height:
            figures[0] = self.value_text
        self._rows = [
            (*((text, inks[min(ink, 1)]) for text, ink in line), (fit(figure, FIGURE_CELLS, right=True), style))
            for line, figure, style in zip(
                runs(canvas), figures, [f"{self.plot.ink} bold", *["dim"] * (height - 1)], strict=True
            )
        ]

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw if need be, and look the colours up."""
        self._draw()
        self._inks = Inks(self)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Line `y` of the picture."""
        row = self._rows[y] if y < len(self._rows) else ()
        return strip(row, self.size.width, self._inks or Inks(self))


class Charts(Grid):
    """All four, side by side or two by two as room allows; where there is room for fewer, the first ones."""

    DEFAULT_CSS = "Charts { grid-size: 4; height: 5; width: 1fr; }"

    def compose(self) -> ComposeResult:
        """A chart each."""
        for plot in PLOTS:
            yield Chart(plot, id=f"chart-{plot.name.replace('_', '-')}")

    def show(self, frame: Frame) -> None:
        """Take the newest samples."""
        for one in self.query(Chart):
            one.show(frame)

    def on_resize(self, event: events.Resize) -> None:
        """Arrange them for the room there is."""
        across = max(1, min(len(PLOTS), event.size.width // NARROWEST))
        down = 2 if across < len(PLOTS) and event.size.height >= 8 else 1
        if down == 2:
            across = min(across, 2)
        self.styles.grid_size_columns, self.styles.grid_size_rows = across, down
        for index, one in enumerate(self.query(Chart)):
            one.display = index < across * down
