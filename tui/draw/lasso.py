"""The box that a person draws around peers."""

from __future__ import annotations

from . import raster
from .raster import Canvas


def draw(canvas: Canvas, lasso: tuple[int, int, int, int], ink: int) -> None:
    """The outline of a box between two cells, both in it; what lies outside the canvas is not drawn."""
    (left, right), (top, bottom) = sorted(lasso[::2]), sorted(lasso[1::2])
    x0, x1 = left * canvas.across, (right + 1) * canvas.across - 1
    y0, y1 = top * canvas.down, (bottom + 1) * canvas.down - 1
    raster.lines(canvas, [x0, x0, x0, x1], [y0, y1, y0, y0], [x1, x1, x0, x1], [y0, y1, y1, y1], ink)
