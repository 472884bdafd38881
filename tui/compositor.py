"""Textual's compositor, asked for less.

A partial update takes the smallest rectangle round all that is dirty and renders every widget that it touches. With a
clock in the top line and a feed at the bottom that is the whole screen, five times a second. Only what lies in a dirty
region is sent in the end, so only widgets that overlap one need to be rendered: a chop that nobody filled is skipped
by the update, as it is for widgets outside of the rectangle. (64 peers as opened: a quarter of the processor time.)

`_get_renders` and `render_partial_update` are private to Textual. It is held below 9, and should an update of it drop
them, this class does nothing any more and the dashboard is merely slower.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class LeanCompositor(Compositor):
    """Renders only widgets that have something dirty in them, or above them, during a partial update."""

    def __init__(self) -> None:
        super().__init__()
        self._wanted: list[Region] = []

    def render_partial_update(self) -> ChopsUpdate | None:
        """As Textual's, with the dirty regions kept at hand."""
        self._wanted = list(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._wanted = []

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        wanted = self._wanted
        if not wanted or crop is None:
            yield from super()._get_renders(crop)
            return
        everything = self._visible_widgets
        visible = self.visible_widgets
        self._visible_widgets = {
            widget: (region, clip)
            for widget, (region, clip) in visible.items()
            if (seen := region.intersection(clip)) and any(seen.overlaps(dirty) for dirty in wanted)
        }
        try:
            yield from super()._get_renders(crop)
        finally:
            self._visible_widgets = everything if everything is not None else visible
