"""The base of pictures: a canvas as a widget, of which only rows that differ are painted.

Textual makes each line of a widget from content, frame, padding, tint and filters, which takes a tenth of a
millisecond. A picture has a frame only, the same at both ends of each row, and its styles are filtered once. So rows
are put together here, and Textual is asked for the two edges alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.draw import raster
from tui.draw.styles import SIDE_BITS, SIDE_TINT, SIDES, SOLID, TABLE, InkOf

from .text import StyleCache


def canvas_styles(widget: Widget) -> list[Style]:
    """The style of each value that a cell's ink may have; unused values have the first ink's. Each style has a
    background, since a segment without one would show the terminal's own."""
    cache = StyleCache(widget)
    ground = widget.background_colors[1]
    styles: list[Style] = []
    for side, role in enumerate(SIDES):
        under = ground if not role or ground.ansi is not None else ground.blend(cache.colour(role), SIDE_TINT)
        made = [_style(cache, ink, ground, under, side) for ink in TABLE.values()]
        styles += made + [made[0]] * ((1 << SIDE_BITS) - len(made))
    return styles


def _style(cache: StyleCache, ink: InkOf, ground: Color, under: Color, side: int) -> Style:
    colour = cache.colour(ink.role)
    if ink.heat is not None:
        low, high = ("heat-start", "heat-mid") if ink.heat <= 0.5 else ("heat-mid", "heat-end")
        ends = cache.colour(low), cache.colour(high)
        share = ink.heat * 2 if ink.heat <= 0.5 else ink.heat * 2 - 1
        # A colour that is the terminal's own cannot be mixed: the nearer end is used.
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
        # Without colours there is no background: an underline distinguishes the sides.
        underline=True if side % 2 else None,
    )


class PaintedRows:
    """The last picture as strips, one a row; `update` returns the rows that differ from it.

    Textual sends a dirty row whole and does not compare. Comparing cells before they are cut into strips takes a third
    of the processor time and a fifth of the bytes (64 peers as opened).
    """

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
        # The ink that a removed line left in an empty cell is not visible.
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
    """Keys move the view here: of many repeats that wait, some are dropped."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.calm = 0
        """Number of frames in a row without a visible change."""
        self.paint_s = 0.0
        """Processor time, in seconds, that the last picture took to draw and to cut into strips."""
        self._canvas = raster.Canvas(0, 0)
        self._cells = PaintedRows()
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
        """Show the canvas. Returns whether it differs from the last one."""
        dirty = self._cells.update(self._canvas, self._mixed())
        if dirty:
            self.refresh(*dirty)
        return bool(dirty)

    def _mixed(self) -> list[Style]:
        """The inks as styles, as the screen's filters leave them (no colours, say)."""
        if not self._styles:
            ground = self.background_colors[1]
            segments = [Segment(" ", style) for style in canvas_styles(self)]
            for each in self.get_line_filters():
                segments = each.apply(segments, ground)
            self._styles = [segment.style or Style.null() for segment in segments]
        return self._styles

    def notify_style_update(self) -> None:
        """Another theme: other colours for the same inks. If only the frame around the picture has changed, as with the
        focus, the picture is not drawn again."""
        super().notify_style_update()
        before, self._styles, self._edges = self._styles, [], None
        if before and before == self._mixed():
            return
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
