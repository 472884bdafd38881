"""Figures over time: who is up, what is said, whether it helps, what it costs.

Four charts, each with one or more of the series that the swarm keeps, whatever they are: names, units and colours are
found for any. A click on a chart goes to that moment of the run; a click on its frame, a right click or enter asks
which series it should show. Series of one unit share a scale, whose ends stand at the right; the newest values stand
in the frame, in the colours of their lines, so that the legend is the reading.
Under the pointer a line stands, and below it what was so then.

A chart is drawn anew only when a sample came, its size or its pointer changed; in between, painting is handing out
lines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from textual import events
from textual.app import ComposeResult
from textual.containers import Grid
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from tui.config.keys import within
from tui.draw.chart import chart, nice_scale, si
from tui.draw.raster import Canvas, runs
from tui.draw.styles import Mode
from tui.session.frame import Frame
from tui.session.meaning import Meaning, meaning_of
from tui.session.units import clock
from tui.textual_compat import set_border_title

from .menu import Line
from .messages import MomentWanted
from .panel import STEPPING, panel_css, repaint_edge, step_within
from .row_widget import RowWidget
from .text import ASCII, Inks, Row, fit, glyph_mode, letters_only

SHORTEST_S, LONGEST_S = 60, 300
"""How much of the past a chart is wide. Samples come once a second of virtual time; a young run is not stretched."""
FIGURE_CELLS = 6
NARROWEST = 18
"""A chart is never narrower, in cells."""
INK_NAMES = ("chart-1", "chart-2", "chart-3", "chart-4")
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Look:
    """How a series reads: its title, its unit (`%` for a share, `peers` for a number of them), and what it is."""

    title: str
    unit: str
    about: str = ""


LOOKS: dict[str, Look] = {
    "alive": Look("alive", "peers", "Living peers, of all peers."),
    "censored": Look("censored", "peers", "Living peers whose traffic is blocked."),
    "messages_per_s": Look("messages/s", "/s", "Messages sent in a second of virtual time."),
    "duplicates_per_s": Look("duplicates/s", "/s", "Questions that a peer had received before."),
    "bytes_per_s": Look("bytes/s", "B/s", "Bytes sent in a second of virtual time."),
    "success": Look(
        "answered", "%", "Of the asks of the last 30 s, the share answered within 10 s. A gap: there was no ask."
    ),
    "reach": Look("reached", "peers", "Peers that an ask of the last 30 s came to, on average."),
}
UNITS = {"_per_s": "/s", "_bytes": "B", "_ms": "ms", "_s": "s", "_share": "%"}
PLOTS: dict[str, tuple[str, ...]] = {
    "alive": ("alive", "censored"),
    "messages": ("messages_per_s", "duplicates_per_s"),
    "success": ("success",),
    "bytes": ("bytes_per_s",),
}
"""What each chart shows to begin with, in the order in which they are dropped from the end where room is short."""


def plots_of(meant: Meaning) -> dict[str, tuple[str, ...]]:
    """The same for a network in which some figures mean nothing."""
    plots = dict(PLOTS)
    if not meant.duplicates:
        plots["messages"] = ("messages_per_s",)
    if not meant.hits:
        plots["success"] = ("reach",)
    return plots


def look_of(name: str) -> Look:
    """How a series reads; of one that is not known here, as its name lets guess."""
    known = LOOKS.get(name)
    if known is not None:
        return known
    ending = next((end for end in UNITS if name.endswith(end)), "")
    title = name.removesuffix(ending).replace("_", " ") + ("/s" if ending == "_per_s" else "")
    return Look(title, UNITS.get(ending, ""))


def value_text(value: float, unit: str, cells: int = FIGURE_CELLS) -> str:
    """`61`, `91%`, `1.2k/s`: a value, and its unit if there is room for it."""
    if math.isnan(value):
        return "–"
    if unit == "%":
        return f"{value:.0%}"
    figure = si(round(value) if abs(value) >= 10 else value)
    return figure if unit == "peers" or len(figure + unit) > cells else f"{figure}{unit}"


class Chart(RowWidget, can_focus=True):
    """One or more lines over time. Posts `Chart.Picked` when a person wants others, and `MomentWanted` for a click."""

    DEFAULT_CSS = panel_css("Chart") + "Chart { pointer: pointer; }"
    BINDINGS = within({"list.choose": "choose"})

    class Picked(Message):
        """The person wants to choose what this chart shows."""

        def __init__(self, chart: Chart) -> None:
            super().__init__()
            self.chart = chart

    def __init__(self, names: Sequence[str], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.names = list(names)
        """The series it shows; the first one's unit is on the axis."""
        self.drawn = 0
        """How often it was drawn anew; a test holds it against how often it was shown."""
        self._t_s: Values = np.zeros(0)
        self._columns: dict[str, Values] = {}
        self._peers = 0
        self._pointer: int | None = None
        self._key: tuple[object, ...] = ()
        self._rows: list[Row] = []
        self._titled: tuple[object, ...] = ()

    def show(self, frame: Frame) -> None:
        """Take the newest samples."""
        series = frame.snapshot.series
        self._t_s = series.t_s
        self._columns = dict(series.columns)
        self._peers = len(frame.snapshot.state)
        if self._data_key() != self._key:
            before = self._rows
            self._draw()
            if len(before) != len(self._rows):
                self.refresh()
            else:
                width = self.size.width
                rows = [Region(0, y, width, 1) for y, row in enumerate(self._rows) if row != before[y]]
                if rows:
                    self.refresh(*rows)
            self._title()

    def values(self, name: str) -> Values:
        """The samples of a series, none if there is no such series."""
        return self._columns.get(name, np.zeros(0))

    def newest(self, name: str) -> str:
        """The newest value of a series as it is shown."""
        values = self.values(name)
        return value_text(float(values[-1]) if values.size else math.nan, look_of(name).unit)

    @property
    def value_text(self) -> str:
        """The newest value of the first series."""
        return self.newest(self.names[0]) if self.names else "–"

    # --- what is shown -----------------------------------------------------------------------------------------

    def toggle(self, name: str) -> None:
        """Show a series, or no more. One is always left."""
        if name in self.names and len(self.names) > 1:
            self.names.remove(name)
        elif name not in self.names:
            self.names.append(name)
        self.refresh()
        self._title()

    def menu_lines(self) -> list[Line]:
        """All series there are, ticked if they are shown."""
        return [
            Line(name, look_of(name).title, look_of(name).about, on=name in self.names)
            for name in dict.fromkeys((*self._columns, *self.names))
        ]

    def ink_of(self, name: str) -> str:
        """The colour of its line."""
        return INK_NAMES[self.names.index(name) % len(INK_NAMES)]

    def _title(self) -> None:
        """Each series with its newest value, in its colour; those that fit."""
        told = [(self._legend(name), self.ink_of(name)) for name in self.names]
        key = (tuple(told), self.size.width, self.app.theme, letters_only(self))
        if key == self._titled or not self.is_mounted:
            return
        self._titled = key
        inks, room = Inks(self), self.size.width - 2
        parts: list[tuple[str, str]] = []
        for text, ink in told:
            shown = text.translate(ASCII) if letters_only(self) else text
            if parts and len(shown) + 3 > room:
                break
            parts += [(" · ", "")] if parts else []
            parts.append((shown, f"bold {inks.colour(ink).hex}"))
            room -= len(shown) + 3
        self.set_class(letters_only(self), "-letters")
        set_border_title(self, Content.assemble(*parts))
        repaint_edge(self, 0)

    def _legend(self, name: str) -> str:
        """`messages/s 812`: a name that tells its unit need not hear it again, and drops it where room is short."""
        title, newest = look_of(name).title, self.newest(name).removesuffix("/s")
        if len(title) + len(newest) + 1 > self.size.width - 4:
            title = title.removesuffix("/s")
        return f"{title} {newest}"

    def top_of(self, unit: str) -> float:
        """What the upper edge means for the series of a unit."""
        if unit == "peers":
            return float(max(self._peers, 1))
        if unit == "%":
            return 1.0
        seen = [self.values(name)[-LONGEST_S:] for name in self.names if look_of(name).unit == unit]
        most = max((float(np.nanmax(one)) for one in seen if one.size and np.isfinite(one).any()), default=0.0)
        return nice_scale(most)

    def _across(self) -> int:
        """How many samples the width holds."""
        return min(max(self._t_s.size, SHORTEST_S), LONGEST_S)

    def _data_key(self) -> tuple[object, ...]:
        mode = glyph_mode(self)
        # A curve that does not move is not drawn again with each sample.
        across = self._across()
        seen = [self.values(name)[-across:].tobytes() for name in self.names]
        return (across, self._t_s.size > 0, self._peers, self.size, tuple(self.names), *seen, self._pointer, mode)

    def _draw(self) -> None:
        key = self._data_key()
        if key == self._key:
            return
        self._key = key
        self.drawn += 1
        width, height = max(1, self.size.width - FIGURE_CELLS), self.size.height
        # Each unit has a scale of its own; the axis tells that of the first.
        shown = [self.values(name) / self.top_of(look_of(name).unit) for name in self.names]
        # The first series is the one that matters: it lies on top.
        inks = list(range(1, len(shown) + 1))
        canvas = chart(
            shown[::-1], width, height, cast(Mode, key[-1]), low=0.0, high=1.0, inks=inks[::-1], across=self._across()
        )
        self._point(canvas)
        names = ("dim", *(self.ink_of(name) for name in self.names))
        figures = [""] * height
        unit = look_of(self.names[0]).unit if self.names else ""
        if height > 2 and self._t_s.size:
            figures[-1] = value_text(0.0, unit)
        if height:
            figures[0] = value_text(self.top_of(unit), unit)
        self._rows = [
            (*((text, names[ink]) for text, ink in line), (fit(figure, FIGURE_CELLS, right=True), "dim"))
            for line, figure in zip(runs(canvas), figures, strict=True)
        ]

    # --- the pointer -------------------------------------------------------------------------------------------

    def sample_at(self, column: int) -> int | None:
        """Which sample stands in a column of cells, or None."""
        width = max(1, self.size.width - FIGURE_CELLS)
        if not 0 <= column < width or not self._t_s.size:
            return None
        back = round((width - 1 - column) / max(1, width - 1) * (self._across() - 1))
        return self._t_s.size - 1 - back if back < self._t_s.size else None

    def _point(self, canvas: Canvas) -> None:
        """A line under the pointer, where nothing else is."""
        at = self._pointer
        if at is None or not 0 <= at < canvas.width or self.sample_at(at) is None:
            return
        dots = canvas.dots.reshape(canvas.height, canvas.down, canvas.width, canvas.across)
        free = ~dots[:, :, at, :].any(axis=(1, 2))
        canvas.glyph[free, at] = ord("|" if canvas.mode == "ascii" else "│")
        canvas.ink[free, at] = 0

    def told_at(self, column: int) -> str:
        """`00:31  alive 59 · censored 1`: what was so in a column, or empty."""
        index = self.sample_at(column)
        if index is None:
            return ""
        told = [
            f"{look_of(name).title} {value_text(float(self.values(name)[index]), look_of(name).unit, 99)}"
            for name in self.names
            if index < self.values(name).size
        ]
        return f"{clock(round(float(self._t_s[index]) * 1e6), millis=False)}  {' · '.join(told)}"

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell what was so under the pointer."""
        offset = event.get_content_offset(self)
        self._look(None if offset is None else offset.x)

    def on_leave(self) -> None:
        """Remove the line under the pointer."""
        self._look(None)

    def _look(self, column: int | None) -> None:
        if column == self._pointer:
            return
        self._pointer = column
        told = "" if column is None else self.told_at(column)
        self.border_subtitle = Content(told.translate(ASCII) if letters_only(self) else told) if told else None
        self.refresh()

    def action_choose(self) -> None:
        """Ask which series to show."""
        self.post_message(self.Picked(self))

    def on_click(self, event: events.Click) -> None:
        """A click goes to the moment under the pointer; on the frame, or with the right button, it asks which series to
        show."""
        event.stop()
        offset = event.get_content_offset(self)
        index = None if offset is None or event.button == 3 else self.sample_at(offset.x)
        if offset is None or event.button == 3:
            self.action_choose()
        elif index is not None:
            self.post_message(MomentWanted(round(float(self._t_s[index]) * 1e6)))

    # --- painting ----------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """More or less of the legend fits."""
        self._title()

    def notify_style_update(self) -> None:
        """Another theme: the legend has other colours."""
        super().notify_style_update()
        self._titled = ()
        if self.is_mounted:
            self._title()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw first, if data or size changed."""
        self._draw()
        return super().render_lines(crop)

    def row_at(self, y: int) -> Row:
        return self._rows[y] if y < len(self._rows) else ()


class Charts(Grid, inherit_bindings=False):
    """All four, side by side or two by two as room allows; where there is room for fewer, the first ones."""

    BINDINGS = within(STEPPING)
    DEFAULT_CSS = "Charts { grid-size: 4; height: 5; width: 1fr; }"
    SPACIOUS = 14
    """Lines from which on two by two reads better than four in a row."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._meant = Meaning(True, True, True)

    def compose(self) -> ComposeResult:
        """A chart each."""
        for name, series in PLOTS.items():
            yield Chart(series, id=f"chart-{name}")

    def show(self, frame: Frame) -> None:
        """Take the newest samples. Series that mean nothing in a network are replaced, unless a person chose them."""
        meant = meaning_of(frame.snapshot)
        if meant != self._meant:
            before, self._meant = plots_of(self._meant), meant
            for name, series in plots_of(meant).items():
                one = self.query_one(f"#chart-{name}", Chart)
                if one.names == list(before[name]):
                    one.names = list(series)
        for one in self.query(Chart):
            one.show(frame)

    def action_step(self, across: int, down: int) -> None:
        """To the next chart in this direction."""
        step_within(self, across, down)

    def focus(self, scroll_visible: bool = True) -> Charts:
        """The first chart takes the keys."""
        self.query(Chart).first().focus(scroll_visible)
        return self

    def on_resize(self, event: events.Resize) -> None:
        """Arrange them for the room there is."""
        across = max(1, min(len(PLOTS), event.size.width // NARROWEST))
        two_rows = event.size.height >= self.SPACIOUS or (across < len(PLOTS) and event.size.height >= 8)
        down = 2 if two_rows else 1
        if down == 2:
            across = min(across, 2)
        self.styles.grid_size_columns, self.styles.grid_size_rows = across, down
        for index, one in enumerate(self.query(Chart)):
            one.display = index < across * down
