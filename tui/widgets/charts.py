"""Charts of time series: living peers, messages, answered asks, bytes.

Four charts, each with one or more of the series that the swarm keeps, whatever they are: names, units and colours are
found for any. A click on a chart goes to that moment of the run; a click on its frame, a right click or enter asks
which series it should show. Series of one unit share a scale, whose ends are written at the right. The newest values
are in the frame, in the colours of their lines, and are the legend as well.

What a network shows of its peers is a series too, which begins when a chart first shows it. A category, and the roles
of the peers, are one entry: how many peers have each value, as areas on top of each other, in the colours of the
picture. The legend names them from below.

A line under the pointer marks a moment; the lower edge shows the values of that moment.

A chart is drawn anew only when a sample came, or its size or its pointer changed; otherwise painting returns the lines
that were drawn before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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

from engine import Run, Shown, Snapshot, dataclass
from tui.config.keys import within
from tui.draw.chart import chart, nice_scale, si, stacked
from tui.draw.colours import CATEGORY_INKS
from tui.draw.raster import Canvas, runs
from tui.draw.styles import INK, TABLE, Mode
from tui.session.frame import Frame
from tui.session.meaning import Meaning, meaning_of
from tui.session.units import clock
from tui.textual_compat import set_border_title

from .menu import Line
from .messages import MomentWanted
from .panel import STEPPING, panel_css, repaint_edge, step_within
from .row_widget import RowWidget
from .text import ASCII, Row, StyleCache, fit, glyph_mode, letters_only

SHORTEST_S, LONGEST_S = 60, 300
"""The least and the most samples across a chart. Samples come once a second of virtual time; a young run is not
stretched."""
FIGURE_CELLS = 6
NARROWEST = 18
"""A chart is never narrower, in cells."""
INK_NAMES = ("chart-1", "chart-2", "chart-3", "chart-4")
Values = NDArray[np.float64]
ROLE = Shown("role", "how many users have each role", "category")
"""The roles of all peers, as a category."""
OTHER = "other"
"""All values of a category that have no colour of their own."""
NAME_LEAST = 4
"""Cells that the name of a part has in a legend, at least."""


@dataclass(frozen=True, slots=True)
class SeriesLook:
    """The title of a series, its unit (`%` for a share, `peers` for a number of them), and a description."""

    title: str
    unit: str
    about: str = ""


LOOKS: dict[str, SeriesLook] = {
    "alive": SeriesLook("alive", "peers", "Living peers, of all peers."),
    "censored": SeriesLook("censored", "peers", "Living peers whose traffic is blocked."),
    "messages_per_s": SeriesLook("messages/s", "/s", "Messages sent in a second of virtual time."),
    "duplicates_per_s": SeriesLook("duplicates/s", "/s", "Questions that a peer had received before."),
    "bytes_per_s": SeriesLook("bytes/s", "B/s", "Bytes sent in a second of virtual time."),
    "success": SeriesLook(
        "answered", "%", "Of the asks of the last 30 s, the share answered in time. A gap: there was no ask."
    ),
    "reach": SeriesLook("reached", "peers", "Peers that an ask of the last 30 s came to, on average."),
}
SHOWN_UNITS = {"share": "%", "rate": "B/s", "age": "s", "count": "", "number": "", "category": "peers"}
SHOWN_ABOUT = {
    "share": "The mean of the living users, in %.",
    "rate": "The mean of the living users, in bytes a second.",
    "age": "The mean of the living users, in seconds.",
    "count": "The mean of the living users.",
    "number": "The mean of the living users.",
    "category": "Living users with each value, as areas; the legend names them from below.",
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


def look_of(name: str) -> SeriesLook:
    """Title and unit of a series; those of an unknown one are guessed from its name."""
    known = LOOKS.get(name)
    if known is not None:
        return known
    ending = next((end for end in UNITS if name.endswith(end)), "")
    title = name.removesuffix(ending).replace("_", " ") + ("/s" if ending == "_per_s" else "")
    return SeriesLook(title, UNITS.get(ending, ""))


def look_of_shown(shown: Shown) -> SeriesLook:
    """Title, unit and description of a column that the network shows."""
    about = f"{shown.about[:1].upper()}{shown.about[1:].rstrip('.')}."
    return SeriesLook(shown.name, SHOWN_UNITS[shown.kind], f"{about} {SHOWN_ABOUT[shown.kind]}")


def shown_in(snapshot: Snapshot) -> dict[str, Shown]:
    """What charts can show of the peers of a network, by name: its columns, and the roles where users have several."""
    fixed = snapshot.fixed
    many = len(snapshot.roles)
    users, servers = (
        np.bincount(snapshot.role[fixed.infrastructure == own], minlength=many) > 0 for own in (False, True)
    )
    roles = [name for name, apart in zip(snapshot.roles, (servers & ~users).tolist(), strict=True) if not apart]
    offered = {one.name: one for one in fixed.shows}
    if len(roles) > 1:
        offered.setdefault(ROLE.name, Shown(ROLE.name, ROLE.about, "category", tuple(roles)))
    return offered


def _words_of(ink: int) -> str:
    """An ink of the picture as rows write it."""
    kind = list(TABLE.values())[ink]
    return f"{kind.role} bold" if kind.bold else kind.role


PART_INKS = tuple(_words_of(ink) for ink in (*CATEGORY_INKS, INK["role-other"]))
"""The colours of the parts of a category, those of the picture; the last one is that of all others."""


@dataclass(frozen=True, slots=True)
class Part:
    """One value of a category: how many peers had it, over time."""

    name: str
    values: Values
    ink: str

    @property
    def newest(self) -> str:
        """The newest number of peers, as it is shown."""
        return value_text(float(self.values[-1]) if self.values.size else math.nan, "peers")


def _sum(series: Sequence[Values]) -> Values:
    """The sum of what was measured; NaN where nothing was."""
    table = np.stack(series)
    return np.where(np.isnan(table).all(axis=0), np.nan, np.nansum(table, axis=0))


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
        """How often it was drawn anew; a test compares it with how often it was shown."""
        self._t_s: Values = np.zeros(0)
        self._columns: dict[str, Values] = {}
        self._offered: Mapping[str, Shown] = {}
        """What the network shows of its peers, by name."""
        self._coloured: dict[str, tuple[str, ...]] = {}
        """Values of each category that have a colour of their own, in the order of the colours."""
        self._peers = 0
        self._snapshot: Snapshot | None = None
        self._pointer: int | None = None
        self._key: tuple[object, ...] = ()
        self._rows: list[Row] = []
        self._titled: tuple[object, ...] = ()

    def show(self, frame: Frame, offered: Mapping[str, Shown]) -> None:
        """Take the newest samples. offered: what the network shows of its peers (`shown_in`)."""
        series = frame.snapshot.series
        self._t_s = series.t_s
        self._columns = dict(series.columns)
        self._peers = len(frame.snapshot.state)
        self._offered, self._snapshot = offered, frame.snapshot
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

    def look(self, name: str) -> SeriesLook:
        """Title, unit and description of a series of this network."""
        shown = self._offered.get(name)
        return look_of(name) if shown is None else look_of_shown(shown)

    def newest(self, name: str) -> str:
        """The newest value of a series as it is shown."""
        values = self.values(name)
        return value_text(float(values[-1]) if values.size else math.nan, self.look(name).unit)

    # --- categories --------------------------------------------------------------------------------------------

    @property
    def stack(self) -> Shown | None:
        """The category that it shows, None for lines."""
        shown = self._offered.get(self.names[0]) if self.names else None
        return shown if shown is not None and shown.kind == "category" else None

    @property
    def followed(self) -> tuple[str, ...]:
        """The columns of the network that it shows, and "role"."""
        return tuple(name for name in self.names if name in self._offered)

    def _with_colours(self, shown: Shown, counts: Mapping[str, Values]) -> tuple[str, ...]:
        """Which values have a colour: those that have it in the picture. Where that does not show the category, those
        that the network declares, then the most frequent ones; each keeps its colour."""
        many, snapshot = len(CATEGORY_INKS), self._snapshot
        column = snapshot.shown.get(shown.name) if snapshot is not None else None
        if snapshot is not None and shown.about == ROLE.about:
            return snapshot.roles[:many]  # A role has the colour of its number.
        if column is not None:
            kept = list(column.names[1 : many + 1])
        else:
            kept = list(self._coloured.get(shown.name) or shown.values[:many])
            fresh = sorted(counts.keys() - {*kept, OTHER}, key=lambda name: (-np.nan_to_num(counts[name][-1]), name))
            kept += fresh[: many - len(kept)]
        self._coloured[shown.name] = tuple(kept)
        return self._coloured[shown.name]

    def _counts(self, shown: Shown) -> dict[str, Values]:
        """The series of each value of a category."""
        start = f"{shown.name}."
        return {name[len(start) :]: one for name, one in self._columns.items() if name.startswith(start) and one.size}

    def parts(self) -> list[Part]:
        """The values of the category that it shows, in the order of their colours; those without one are "other"."""
        shown = self.stack
        if shown is None:
            return []
        counts = self._counts(shown)
        coloured = self._with_colours(shown, counts)
        made = [Part(name, counts.pop(name), PART_INKS[at]) for at, name in enumerate(coloured) if name in counts]
        return [*made, Part(OTHER, _sum(list(counts.values())), PART_INKS[-1])] if counts else made

    @property
    def value_text(self) -> str:
        """The newest value of the first series."""
        return self.newest(self.names[0]) if self.names else "–"

    # --- what is shown -----------------------------------------------------------------------------------------

    def toggle(self, name: str) -> None:
        """Show a series, or no more. One is always left. A category has the chart for itself."""
        shown = self._offered.get(name)
        if name in self.names and len(self.names) > 1:
            self.names.remove(name)
        elif name not in self.names and (self.stack is not None or (shown is not None and shown.kind == "category")):
            self.names = [name]
        elif name not in self.names:
            self.names.append(name)
        self.refresh()
        self._title()

    def menu_lines(self) -> list[Line]:
        """All series there are, ticked if they are shown: what the network shows of its peers first."""
        parts = tuple(f"{name}." for name, shown in self._offered.items() if shown.kind == "category")
        rest = [name for name in self._columns if name not in self._offered and not name.startswith(parts)]
        names = dict.fromkeys((*self._offered, *rest, *self.names))
        return [
            Line(
                name,
                f"{look.title}, {look.unit}" if name in self._offered and look.unit else look.title,
                look.about,
                on=name in self.names,
                rule=bool(self._offered) and rest[:1] == [name],
            )
            for name, look in ((name, self.look(name)) for name in names)
        ]

    def ink_of(self, name: str) -> str:
        """The colour of its line."""
        return INK_NAMES[self.names.index(name) % len(INK_NAMES)]

    def _title(self) -> None:
        """Each series with its newest value, in its colour; those that fit. The values of a category go on below."""
        stack = self.stack
        if stack is None:
            told = [(self._legend(name), self.ink_of(name)) for name in self.names]
        else:
            told = [(stack.name, "text"), *self._legend_of_parts(stack)]
        key = (tuple(told), self.size.width, self.app.theme, letters_only(self), self._pointer)
        if key == self._titled or not self.is_mounted:
            return
        self._titled = key
        title, rest = self._fitting(told)
        self.set_class(letters_only(self), "-letters")
        set_border_title(self, title)
        if self._pointer is None:
            below, _ = self._fitting(rest if stack is not None else [])
            self.border_subtitle = below or None
        repaint_edge(self, 0)

    def _fitting(self, told: Sequence[tuple[str, str]]) -> tuple[Content, Sequence[tuple[str, str]]]:
        """As many of these texts, with their colours, as an edge has room for, one at least; and the others."""
        styles, room = StyleCache(self), self.size.width - 2
        parts: list[tuple[str, str]] = []
        for at, (text, ink) in enumerate(told):
            shown = text.translate(ASCII) if letters_only(self) else text
            if parts and len(shown) + 3 > room:
                return Content.assemble(*parts), told[at:]
            parts += [(" · ", "")] if parts else []
            parts.append((shown, f"bold {styles.colour(ink.split()[0]).hex}"))
            room -= len(shown) + 3
        return Content.assemble(*parts), ()

    def _legend_of_parts(self, shown: Shown) -> list[tuple[str, str]]:
        """`infected 12`: each value in its colour, from below. Where there is no room for all, those that no peer has
        are left out, then names are cut."""
        parts = self.parts()
        longest = max((len(part.name) for part in parts), default=NAME_LEAST)
        told: list[tuple[str, str]] = []
        for most in (longest, *range(max(longest, NAME_LEAST), NAME_LEAST - 1, -1)):
            told = [(f"{fit(part.name, min(most, len(part.name)))} {part.newest}", part.ink) for part in parts]
            _, below = self._fitting([(shown.name, "text"), *told])
            if not self._fitting(below)[1]:
                break
            parts = [part for part in parts if part.newest != "0"] or parts
        return told

    def _legend(self, name: str) -> str:
        """`messages/s 812`: a title that contains the unit is not followed by it again, and leaves it out where room is
        short."""
        title, newest = self.look(name).title, self.newest(name).removesuffix("/s")
        if len(title) + len(newest) + 1 > self.size.width - 4:
            title = title.removesuffix("/s")
        return f"{title} {newest}"

    def range_of(self, name: str) -> tuple[float, float]:
        """What the lower and the upper edge mean for a series: the same for series of one unit."""
        unit = self.look(name).unit
        if unit == "peers":
            return 0.0, float(max(self._peers, 1))
        if unit == "%":
            return 0.0, 1.0
        alike = [name] if not unit else [one for one in self.names if self.look(one).unit == unit]
        seen = [self.values(one)[-LONGEST_S:] for one in alike]
        known = [one for one in seen if one.size and np.isfinite(one).any()]
        most = max((float(np.nanmax(one)) for one in known), default=0.0)
        least = min((float(np.nanmin(one)) for one in known), default=0.0)
        low = -nice_scale(-least) if least < 0 else 0.0
        return low, nice_scale(most) if most > 0 or low == 0.0 else 0.0

    def _across(self) -> int:
        """How many samples the width holds."""
        return min(max(self._t_s.size, SHORTEST_S), LONGEST_S)

    def _data_key(self) -> tuple[object, ...]:
        mode = glyph_mode(self)
        # A curve that does not move is not drawn again with each sample.
        across = self._across()
        drawn = [self.values(name) for name in self.names] if self.stack is None else [p.values for p in self.parts()]
        seen = [values[-across:].tobytes() for values in drawn]
        return (across, self._t_s.size > 0, self._peers, self.size, tuple(self.names), *seen, self._pointer, mode)

    def _draw(self) -> None:
        key = self._data_key()
        if key == self._key:
            return
        self._key = key
        self.drawn += 1
        width, height = max(1, self.size.width - FIGURE_CELLS), self.size.height
        mode, stack = cast(Mode, key[-1]), self.stack
        # Each unit has a scale of its own; the axis shows that of the first.
        ranges = [self.range_of(name) for name in self.names]
        if stack is not None:
            parts = self.parts()
            inks = list(range(1, len(parts) + 1))
            top = ranges[0][1]
            canvas = stacked([one.values for one in parts], width, height, mode, top, inks, self._across())
            names = ("dim", *(part.ink for part in parts))
        else:
            shown = [
                (self.values(name) - low) / ((high - low) or 1.0)
                for name, (low, high) in zip(self.names, ranges, strict=True)
            ]
            # The first series is the most important one: it is drawn on top.
            inks = list(range(1, len(shown) + 1))
            canvas = chart(shown[::-1], width, height, mode, low=0.0, high=1.0, inks=inks[::-1], across=self._across())
            names = ("dim", *(self.ink_of(name) for name in self.names))
        self._point(canvas)
        figures = [""] * height
        unit = self.look(self.names[0]).unit if self.names else ""
        least, most = ranges[0] if ranges else (0.0, 1.0)
        if height > 2 and self._t_s.size:
            figures[-1] = value_text(least, unit)
        if height:
            figures[0] = value_text(most, unit)
        self._rows = [
            (*((text, names[ink]) for text, ink in line), (fit(figure, FIGURE_CELLS, right=True), "dim"))
            for line, figure in zip(runs(canvas), figures, strict=True)
        ]

    # --- the pointer -------------------------------------------------------------------------------------------

    def sample_at(self, column: int) -> int | None:
        """The index of the sample that a column of cells shows, or None."""
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

    def values_at(self, column: int) -> str:
        """`00:31  alive 59 · censored 1`: time and values at a column, or empty."""
        index = self.sample_at(column)
        if index is None:
            return ""
        read = [(self.look(name).title, self.values(name), self.look(name).unit) for name in self.names]
        if self.stack is not None:
            read = [(part.name, part.values, "peers") for part in self.parts()]
        told = [
            f"{title} {value_text(float(values[index]), unit, 99)}"
            for title, values, unit in read
            if index < values.size
        ]
        return f"{clock(round(float(self._t_s[index]) * 1e6), millis=False)}  {' · '.join(told)}"

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Show the values under the pointer."""
        offset = event.get_content_offset(self)
        self._look(None if offset is None else offset.x)

    def on_leave(self) -> None:
        """Remove the line under the pointer."""
        self._look(None)

    def _look(self, column: int | None) -> None:
        if column == self._pointer:
            return
        self._pointer = column
        told = "" if column is None else self.values_at(column)
        self.border_subtitle = Content(told.translate(ASCII) if letters_only(self) else told) if told else None
        self._title()
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
        self._run: Run | None = None
        self._offered: Mapping[str, Shown] = {}

    def compose(self) -> ComposeResult:
        """One chart for each of `PLOTS`."""
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
        run = frame.snapshot.fixed.run
        self._offered = shown_in(frame.snapshot)
        if run is not self._run:
            # What another network showed of its peers is no series of this one.
            usual, known = plots_of(meant), self._offered.keys() | frame.snapshot.series.columns.keys()
            for name, series in usual.items():
                one = self.query_one(f"#chart-{name}", Chart)
                if self._run is not None and known:
                    one.names = [each for each in one.names if each in known or each in LOOKS] or list(series)
            self._run = run
        for one in self.query(Chart):
            one.show(frame, self._offered)

    @property
    def followed(self) -> frozenset[str]:
        """The columns of the network whose series the charts show, and "role"."""
        return frozenset(name for one in self.query(Chart) for name in one.followed) if self._offered else frozenset()

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
