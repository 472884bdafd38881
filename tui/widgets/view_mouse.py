"""What the mouse does to the picture: point, click, drag, wheel. A mixin of `SwarmView`, and what its tooltip says.

A plain drag draws a box and chooses whom it holds, as on a desktop; the picture is moved by dragging with the middle or
the right button. Ctrl or shift (or alt: some terminals keep shift for themselves) add to what is chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from textual import events
from textual.content import Content
from textual.widget import Widget

from engine import STATES, PeerId, plain
from tui.draw import raster
from tui.draw.colours import ColourBy
from tui.draw.density import Sharing
from tui.draw.stage import Stage
from tui.session.frame import Frame
from tui.widgets.messages import MenuWanted, PeerPicked, PeersPicked

from . import frame_keys

if TYPE_CHECKING:
    Base = Widget
else:
    Base = object


SLIP = 2
"""Cells that a pointer may move between down and up without meaning a box."""


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
    lasso: tuple[int, int, int, int] | None

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
        """Draw a box, or move the picture, or tell who is under the pointer."""
        if self._drag is not None and event.button == 1:
            at = event.get_content_offset_capture(self)
            if self._dragged or max(abs(at.x - self._drag[0]), 2 * abs(at.y - self._drag[1])) >= SLIP:
                self._dragged = True
                self.lasso = (*self._drag, at.x, at.y)
                self.redraw()
            return
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
                told = describe(self._frame, found) + self._neighbours(found)
            self.tooltip = Content(told) if told else None
            self.redraw()

    def _neighbours(self, found: PeerId) -> str:
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
        """A drag may begin: with the first button a box, with another one the picture is moved."""
        at = event.get_content_offset_capture(self)
        self._drag, self._dragged = (at.x, at.y), False
        self.capture_mouse()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """A drag ends. Whom a box holds is chosen."""
        self._drag = None
        self.release_mouse()
        if self.lasso is not None:
            held, self.lasso = self._held(self.lasso), None
            self.redraw()
            self.post_message(PeersPicked(held, add=event.shift or event.ctrl or event.meta))

    def _held(self, lasso: tuple[int, int, int, int]) -> tuple[PeerId, ...]:
        """Whom a box of cells holds, both of its corners included; of the picture, not of what lies beyond it."""
        if self._frame is None:
            return ()
        (left, right), (top, bottom) = sorted(lasso[::2]), sorted(lasso[1::2])
        left, right = max(left, 0), min(right, self._canvas.width - 1)
        top, bottom = max(top, 0), min(bottom, self._canvas.height - 1)
        col, row = raster.cells(self._canvas, *self.stage.dots(self._frame.wall_s))
        inside = (col >= left) & (col <= right) & (row >= top) & (row <= bottom)
        return tuple(np.flatnonzero(inside).tolist())

    def on_click(self, event: events.Click) -> None:
        """A click picks the peer there, or none; with ctrl or shift one more; the other button opens the menu. On the
        legend's title it chooses what colour tells next."""
        if self._dragged or frame_keys.pressed(event):
            return
        at = event.get_content_offset(self)
        row, first, last = self._legend_at
        if event.button == 1 and at is not None and at.y == row and first <= at.x <= last:
            self.next_colour()
            return
        peer = self._peer_at(event)
        if event.button == 3:
            self.post_message(MenuWanted(peer, (event.screen_x, event.screen_y)))
        elif event.button == 1 and (event.ctrl or event.shift or event.meta):
            if peer is not None:
                self.post_message(PeerPicked(peer, toggle=True))
        elif event.button == 1:
            self.post_message(PeerPicked(peer))

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
    words += ["poisoned"] if snapshot.poisoned[peer] else []
    words += ["a link is held"] if peer < len(snapshot.held) and snapshot.held[peer] else []
    place = fixed.places.names[fixed.place[peer]] if 0 <= fixed.place[peer] < len(fixed.places.names) else ""
    lines = [f"{fixed.labels[peer]} · {place}" if place else fixed.labels[peer]]
    lines.append(f"{fixed.roles[fixed.role[peer]]}, {', '.join(words)}, {snapshot.files[peer]} files")
    if trace is not None and trace.hop[peer] > 0:
        lines.append(f"asked at hop {trace.hop[peer]}, by {fixed.labels[trace.frm[peer]]}")
    return plain("\n".join(lines), limit=300) if len(lines) < 2 else "\n".join(plain(line) for line in lines)
