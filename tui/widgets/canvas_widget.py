"""What the pictures have in common: a canvas as a widget, painted by the rows that came out different.

Textual makes a line of a widget of its content, its frame, its padding, its tint and its filters, a tenth of a
millisecond each. A picture has nothing but a frame, the same at both ends of each row, and its inks are filtered once,
when they are mixed. So rows are put together here, and Textual is asked for the two edges alone.
"""

from __future__ import annotations

import time

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.draw import raster

from .cells import Cells
from .dye import dye


class Picture(Widget, can_focus=True):
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
                else super(Picture, self).render_lines(Region(0, y, size.width, 1))[0]
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
