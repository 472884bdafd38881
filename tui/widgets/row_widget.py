"""The base of widgets that are a few lines of text in roles: bars, buttons, sliders, charts."""

from __future__ import annotations

from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from .text import Row, StyleCache, strip


class RowWidget(Widget):
    """Subclasses return their lines from `row_at`, and call `refresh` when a line is different."""

    HEIGHT = 1
    """Lines, where the height is automatic."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._style_cache: StyleCache | None = None

    def row_at(self, y: int) -> Row:
        """Line `y` of the content."""
        raise NotImplementedError

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self.HEIGHT

    def render_lines(self, crop: Region) -> list[Strip]:
        """Colours are looked up once for all lines of a paint."""
        self._style_cache = StyleCache(self)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        return strip(self.row_at(y), self.size.width, self._style_cache or StyleCache(self))
