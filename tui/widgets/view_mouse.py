"""What the mouse does to the picture: point, click, drag, wheel. A mixin of `SwarmView`, and what its tooltip says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from textual import events
from textual.content import Content
from textual.widget import Widget

from engine import STATES, PeerId, plain
from tui.draw import raster
from tui.draw.colours import ColourBy
from tui.draw.crowd import Sharing
from tui.draw.stage import Stage
from tui.frame import Frame
from tui.messages import PeerPicked

if TYPE_CHECKING:
    Base = Widget
else:
    Base = object


class ViewMouse(Base):
    """Needs a stage, the canvas that is shown and the frame it shows."""

    stage: Stage
    hover: PeerId | None
    _frame: Frame | None
    _canvas: raster.Canvas
    _drag: tuple[int, int] | None
    _dragged: bool
    _legend_at: tuple[int, int, int]
    _cells_of: Sharing | None

    if TYPE_CHECKING:  # what SwarmView has

        def redraw(self) -> None: ...
        def next_colour(self, by: int = 1) -> ColourBy: ...
        def _zoom_at(self, by: int, at: tuple[float, float] | None) -> None: ...

    def _peer_at(self, event: events.MouseEvent, reach: int = 1) -> PeerId | None:
        offset = event.get_content_offset(self)
        if offset is None:
            return None
        found = raster.owner_at(self._canvas, offset.x, offset.y, reach)
        return found if found >= 0 else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the picture, or tell who is under the pointer."""
        if self._drag is not None and event.button:
            dx, dy = event.delta_x, event.delta_y
            if dx or dy:
                self._dragged = True
                width, height = max(1, self._canvas.width), max(1, self._canvas.height)
                self.stage.look(self.stage.view.panned(-dx / width, -dy / height))
                self.redraw()
            return
        found = self._peer_at(event, 0)
        if found != self.hover:
            self.hover = found
            told = ""
            if found is not None and self._frame is not None:
                told = describe(self._frame, found) + self._others(found)
            self.tooltip = Content(told) if told else None
            self.redraw()

    def _others(self, found: PeerId) -> str:
        """Who else stands in the cell of a peer, by a table that is made once a picture, when one first points."""
        assert self._frame is not None
        x, y = self.stage.dots(self._frame.wall_s)
        if self._cells_of is None:
            self._cells_of = Sharing(*raster.cells(self._canvas, x, y), self._canvas.width, self._canvas.height)
        col, row = raster.cells(self._canvas, x[found], y[found])
        here = self._cells_of.at(int(col), int(row))
        if len(here) < 2:
            return ""
        counts = np.bincount(self._frame.snapshot.state[here], minlength=len(STATES)).tolist()
        states = ", ".join(f"{count:,} {STATES[code]}" for code, count in enumerate(counts) if count)
        return f"\n{len(here):,} peers stand here: {states}"

    def on_leave(self) -> None:
        """The pointer is gone."""
        if self.hover is not None:
            self.hover = None
            self.redraw()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A drag may begin."""
        self._drag, self._dragged = (event.x, event.y), False
        self.capture_mouse()

    def on_mouse_up(self) -> None:
        """A drag ends."""
        self._drag = None
        self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """A click picks the peer there, or none; on the legend's title, what colour tells next."""
        at = event.get_content_offset(self)
        row, first, last = self._legend_at
        if at is not None and at.y == row and first <= at.x <= last:
            self.next_colour()
            return
        if not self._dragged:
            self.post_message(PeerPicked(self._peer_at(event)))

    def _on_wheel(self, event: events.MouseEvent, by: int) -> None:
        event.stop()
        offset = event.get_content_offset(self)
        if offset is not None:
            dot = (offset.x + 0.5) * self._canvas.across, (offset.y + 0.5) * self._canvas.down
            self._zoom_at(by, self.stage.view.to_unit(*dot, self.stage.box))
            self.redraw()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in where the pointer is."""
        self._on_wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out."""
        self._on_wheel(event, -1)


def describe(frame: Frame, peer: PeerId) -> str:
    """A tooltip: who it is, how it is, and what the chosen ask did there."""
    snapshot, trace = frame.snapshot, frame.trace
    fixed = snapshot.fixed
    words = [STATES[snapshot.state[peer]]]
    words += ["censored"] if snapshot.censored[peer] else []
    words += ["colluding"] if snapshot.colluding[peer] else []
    place = fixed.places.names[fixed.place[peer]] if 0 <= fixed.place[peer] < len(fixed.places.names) else ""
    lines = [f"{fixed.labels[peer]} · {place}" if place else fixed.labels[peer]]
    lines.append(f"{fixed.roles[fixed.role[peer]]}, {', '.join(words)}, {snapshot.files[peer]} files")
    if trace is not None and trace.hop[peer] > 0:
        lines.append(f"asked at hop {trace.hop[peer]}, by {fixed.labels[trace.frm[peer]]}")
    return plain("\n".join(lines), limit=300) if len(lines) < 2 else "\n".join(plain(line) for line in lines)
