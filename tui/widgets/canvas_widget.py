"""What the pictures have in common: a canvas as a widget, painted by the rows that came out different.

Textual makes a line of a widget of its content, its frame, its padding, its tint and its filters, a tenth of a
millisecond each. A picture has nothing but a frame, the same at both ends of each row, and its inks are filtered once,
when they are mixed. So rows are put together here, and Textual is asked for the two edges alone.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.draw import raster
from tui.draw.styles import SIDE_BITS, SIDES, SOLID, TABLE, InkOf

from .text import Inks

# Textual's compositor, asked for less.
#
# A partial update takes the smallest rectangle round all that is dirty and renders, whole, every widget that the
# rectangle touches, containers behind them included. With a clock in the top line and a feed at the bottom that is the
# whole screen, several times a second. Only what lies in a dirty region is sent in the end, so here a widget is asked
# for the rows that are dirty, and only if nothing in front of it has filled them: containers, which lie behind what
# they contain, are asked for next to nothing. A chop that nobody filled is skipped by the update, as it is for widgets
# outside of the rectangle.
#
# `render_partial_update` and what it calls are private to Textual. It is held below 9, and should an update of it drop
# them, this class does nothing any more and the dashboard is merely slower.

Span = tuple[int, int, int]
"""Line, first column, and the column after the last."""


class LeanCompositor(Compositor):
    """Renders only rows that have something dirty in them, of widgets that are seen there."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """The dirty regions, or None if there are none."""
        regions = self._dirty_regions.copy()
        self._dirty_regions.clear()
        screen = self.size.region
        spans = list(self._regions_to_spans([seen for region in regions if (seen := region.intersection(screen))]))
        if not spans:
            return None
        return ChopsUpdate(self._dirty_chops(spans), spans, [cuts[1:] for cuts in self.cuts])

    def _dirty_chops(self, spans: Iterable[Span]) -> Sequence[Mapping[int, Strip]]:
        """Strips by line and first column, front to back: who is in front has a place to itself."""
        cuts = self.cuts
        chops: list[dict[int, Strip | None]] = [dict.fromkeys(line[:-1]) for line in cuts]
        wanted: dict[int, list[int]] = {}
        for y, first, end in spans:
            line = cuts[y]
            starts = [cut for cut, after in pairwise(line) if cut < end and after > first]
            if starts:
                wanted.setdefault(y, []).extend(starts)
        for widget, (region, clip) in self.visible_widgets.items():
            if not wanted:
                break
            seen = region if clip.contains_region(region) else region.intersection(clip)
            left, right = seen.column_span
            # Edges of all widgets are cuts, so a chop that begins in a widget lies in it as a whole.
            rows = [
                y
                for y in range(seen.y, seen.bottom)
                if y in wanted and (at := bisect_left(wanted[y], left)) < len(wanted[y]) and wanted[y][at] < right
            ]
            if not rows or left >= right:
                continue
            top = rows[0]
            crop = Region(left - region.x, top - region.y, right - left, rows[-1] + 1 - top)
            strips = widget.render_lines(crop)
            for y in rows:
                within = [cut for cut in cuts[y] if left <= cut <= right]
                pieces = strips[y - top].divide([cut - left for cut in within[1:]])
                line_chops = chops[y]
                for cut, piece in zip(within, pieces, strict=False):
                    if line_chops[cut] is None:
                        line_chops[cut] = piece
                left_over = [cut for cut in wanted[y] if not left <= cut < right]
                if left_over:
                    wanted[y] = left_over
                else:
                    del wanted[y]
        return cast("Sequence[Mapping[int, Strip]]", chops)


# The inks of the picture as styles: a theme's colours, gradients and grounds, one shared style an ink.
#
# A segment without a background would show the terminal's own, so each style has one.

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


# A picture as strips, and which of its rows look different from the last time.
#
# Textual resends a dirty row whole and does not compare. So rows are compared here, by their cells, before they are cut
# into strips: a calm swarm then costs a terminal nothing, and a question in one corner the rows of that corner
# (64 peers as opened: a third of the processor time, a fifth of the bytes).


class Cells:
    """The last picture. `strips` has one a row."""

    def __init__(self) -> None:
        self.strips: list[Strip] = []
        self._codes: NDArray[np.uint32] | None = None
        self._ink: NDArray[np.uint8] | None = None

    def forget(self) -> None:
        """Colours changed: the same cells look different."""
        self._codes = self._ink = None

    def update(self, canvas: raster.Canvas, styles: Sequence[Style]) -> list[Region]:
        """Cut what changed since the last picture; regions of whole rows to repaint, none if nothing did."""
        codes, ink = raster.pack(canvas), canvas.ink
        # What a line left in a cell that it was sifted out of again is not seen.
        ink = np.where((codes == raster.SPACE) & (canvas.glyph == 0), 0, ink).astype(np.uint8)
        if self._codes is None or self._ink is None or self._codes.shape != codes.shape:
            changed = np.arange(canvas.height)
            self.strips = [Strip.blank(canvas.width)] * canvas.height
        else:
            changed = np.flatnonzero(((codes != self._codes) | (ink != self._ink)).any(axis=1))
        self._codes, self._ink = codes, ink
        if not len(changed):
            return []
        rows = raster.cut(codes[changed], canvas.glyph[changed], ink[changed], SOLID)
        for y, row in zip(changed.tolist(), rows, strict=True):
            self.strips[y] = Strip([Segment(text, styles[ink]) for text, ink in row], canvas.width)
        ends = np.flatnonzero(np.diff(changed, append=changed[-1] + 2) > 1)
        firsts = changed[np.concatenate(([0], ends[:-1] + 1))].tolist()
        lasts = changed[ends].tolist()
        return [Region(0, first, canvas.width, last - first + 1) for first, last in zip(firsts, lasts, strict=True)]


class CanvasWidget(Widget, can_focus=True):
    """Draw on `_canvas`, then `put` it. `paint_s` is the processor time that the last picture took."""

    MOVES_BY_KEYS = True
    """Arrows and zoom move something here, so that of many that come at once not each one counts."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.calm = 0
        """Frames in a row that looked no different from the one before."""
        self.paint_s = 0.0
        """Processor time, in seconds, that the last picture took to draw and to cut into strips."""
        self._canvas = raster.Canvas(0, 0)
        self._cells = Cells()
        self._styles: list[Style] = []
        self._edges: tuple[list[Segment], list[Segment]] | None = None

    def redraw(self) -> None:
        """Draw the last frame again: size, theme, zoom or what is to be seen has changed."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """What is shown, without colours."""
        return raster.to_text(self._canvas)

    def put(self) -> bool:
        """Show what is on the canvas. Whether it looks different from the last time."""
        dirty = self._cells.update(self._canvas, self._mixed())
        if dirty:
            self.refresh(*dirty)
        return bool(dirty)

    def _mixed(self) -> list[Style]:
        """The inks as styles, as the screen's filters leave them (no colours, say)."""
        if not self._styles:
            ground = self.background_colors[1]
            segments = [Segment(" ", style) for style in dye(self)]
            for each in self.get_line_filters():
                segments = each.apply(segments, ground)
            self._styles = [segment.style or Style.null() for segment in segments]
        return self._styles

    def notify_style_update(self) -> None:
        """Another theme: other colours for the same inks."""
        super().notify_style_update()
        self._styles, self._edges = [], None
        self._cells.forget()
        if self.is_mounted:
            self.redraw()

    def on_resize(self) -> None:
        """Another size."""
        self.redraw()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Textual asks here for what is to be shown; the time it takes belongs to the frame."""
        begun = time.thread_time()
        size, inner, gutter, rows = self.outer_size, self.content_size, self.gutter, self._cells.strips
        whole = crop.x == 0 and crop.width == size.width
        if whole and len(rows) == inner.height and rows and rows[0].cell_length == inner.width:
            left, right = self._frame_ends(gutter.top, size.width, inner.width)
            strips = [
                Strip([*left, *rows[y - gutter.top], *right], size.width)
                if gutter.top <= y < gutter.top + inner.height
                else super(CanvasWidget, self).render_lines(Region(0, y, size.width, 1))[0]
                for y in crop.line_range
            ]
        else:
            strips = super().render_lines(crop)
        self.paint_s += time.thread_time() - begun
        return strips

    def _frame_ends(self, top: int, wide: int, inner: int) -> tuple[list[Segment], list[Segment]]:
        """What Textual puts before and after a row."""
        if self._edges is None:
            line = super().render_lines(Region(0, top, wide, 1))[0]
            before = self.content_offset.x
            self._edges = list(line.crop(0, before)), list(line.crop(before + inner, wide))
        return self._edges

    def render_line(self, y: int) -> Strip:
        """Line `y` of the picture."""
        strips, width = self._cells.strips, self.content_size.width
        if y < len(strips) and strips[y].cell_length == width:
            return strips[y]
        return Strip([Segment(" " * width, self._mixed()[0])], width)
