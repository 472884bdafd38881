"""Textual's compositor, asked for less.

A partial update takes the smallest rectangle round all that is dirty and renders, whole, every widget that the
rectangle touches, containers behind them included. With a clock in the top line and a feed at the bottom that is the
whole screen, several times a second. Only what lies in a dirty region is sent in the end, so here a widget is asked for
the rows that are dirty, and only if nothing in front of it has filled them: containers, which lie behind what they
contain, are asked for next to nothing. A chop that nobody filled is skipped by the update, as it is for widgets
outside of the rectangle.

`render_partial_update` and what it calls are private to Textual. It is held below 9, and should an update of it drop
them, this class does nothing any more and the dashboard is merely slower.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import cast

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip

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
