"""Two pictures of the selected ask, in place of the swarm's: its time-space diagram, and the tree of who told whom.

They are drawn by `tui/draw`; here are keys and mouse, the same as in the picture of the swarm. A growing tree is laid
out again with each peer that is reached: nodes move to their new places in small steps, or at once with reduced motion.
"""

from __future__ import annotations

import time
from typing import Literal, TypeAlias

import numpy as np
from textual import events
from textual.content import Content

from engine import PeerId
from tui.config.keys import keyed
from tui.draw import diagram, raster, tree
from tui.draw.layout import Direction, View
from tui.draw.styles import INK, Mode
from tui.session.frame import Frame
from tui.widgets.messages import PeerPicked

from . import panel
from .canvas_widget import CanvasWidget
from .inspector import chosen_ask
from .panel import name_panel, panel_css
from .swarm_view import PAN_STEP, ZOOM_STEP, describe

Kind: TypeAlias = Literal["diagram", "tree"]
KINDS: tuple[Kind, ...] = ("diagram", "tree")
TITLES: dict[Kind, str] = {"diagram": "time and space", "tree": "who told whom"}
STEP = 0.35
"""Share of the distance to its place that a node of the tree moves in a frame."""
STILL = 0.6


class AskPicture(CanvasWidget):
    """Diagram or tree of the selected ask. It posts `PeerPicked`."""

    DEFAULT_CSS = panel_css("AskPicture") + "AskPicture { min-height: 5; }"

    def __init__(self, *, glyphs: Mode = "braille", id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.glyphs: Mode = glyphs
        self.kind: Kind = "diagram"
        self.looking = View()
        self.moving = False
        self.quiet = False
        self._frame: Frame | None = None
        self._ask: int | None = None
        self._line: diagram.AskTimeline | None = None
        self._plot: diagram.Plot | None = None
        self._tree: tree.Tree | None = None
        self._grown: tuple[object, ...] = ()
        self._seen: tree.Floats = np.zeros((0, 2))
        """Where the node of each peer was drawn last (N, 2), in dots; NaN where it was not drawn."""
        self._dragged = False
        self._held = False

    # --- frames --------------------------------------------------------------------------------------------

    @property
    def frame(self) -> Frame | None:
        """The frame that is shown."""
        return self._frame

    def turn(self, kind: Kind) -> None:
        """Show diagram or tree, without zoom."""
        self.kind, self.looking = kind, View()
        self.redraw()

    def show(self, frame: Frame) -> None:
        """Draw this moment."""
        self._frame = frame
        if frame.ask != self._ask:
            self._ask, self._grown, self._seen = frame.ask, (), np.zeros((0, 2))
        self.redraw()

    def redraw(self) -> None:
        """Draw the last frame again."""
        frame, size = self._frame, self.content_size
        if frame is None or not size.width or not size.height or not self.display:
            return
        begun = time.thread_time()
        canvas = self._canvas = raster.Canvas(size.width, size.height, self.glyphs)
        self.moving = False
        if frame.trace is None:
            said = (
                keyed(self.app, "No ask yet: press {ask.here} and name a file")
                if frame.ask is None
                else "This ask reached no peer, or its path is no longer kept"
            )
            raster.text(canvas, max(0, (canvas.width - len(said)) // 2), canvas.height // 2, said, INK["say"])
            self._line = self._tree = None
        elif self.kind == "diagram":
            self._draw_diagram(frame, canvas)
        else:
            self._draw_tree(frame, canvas)
        self._title(frame)
        self.calm = 0 if self.put() or self.moving else self.calm + 1
        self.paint_s = time.thread_time() - begun

    def _draw_diagram(self, frame: Frame, canvas: raster.Canvas) -> None:
        assert frame.trace is not None
        line = self._line = diagram.timeline(frame.trace, frame.snapshot)
        plot = self._plot = diagram.plot_of(canvas, frame.snapshot.fixed.labels, line, self.looking)
        diagram.draw(canvas, line, plot, frame.snapshot, frame.selected)

    def _draw_tree(self, frame: Frame, canvas: raster.Canvas) -> None:
        trace = frame.trace
        assert trace is not None
        grown = (trace.ask, int((trace.hop >= 0).sum()), len(trace.lost.frm))
        if grown != self._grown or self._tree is None:
            self._tree, self._grown = tree.tree_of(trace), grown
        nodes = self._tree
        x, y = tree.spots(nodes, canvas, self.looking)
        if self.app.animation_level != "none":
            x, y = self._step(nodes, x, y)
        zoom = self.looking.zoom
        tree.draw(canvas, nodes, x, y, trace, frame.snapshot, frame.selected, zoom)

    def _step(self, nodes: tree.Tree, x: tree.Floats, y: tree.Floats) -> tuple[tree.Floats, tree.Floats]:
        """Positions a step nearer to the final ones; a new node starts at its parent."""
        goal = np.stack((x, y), axis=-1)
        size = int(nodes.nodes.max(initial=0)) + 1
        if len(self._seen) < size:
            more = np.full((size - len(self._seen), 2), np.nan)
            self._seen = np.concatenate((self._seen, more)) if len(self._seen) else more
        here = self._seen[nodes.nodes]
        # A lost question has no peer of its own: it moves with the peer that sent it.
        here[nodes.dead] = np.nan
        at_now = goal.copy()
        for level in nodes.levels:
            was = here[level]
            fresh = np.isnan(was[:, 0])
            up = nodes.parent[level]
            was[fresh] = np.where((up >= 0)[:, None], at_now[np.maximum(up, 0)], goal[level])[fresh]
            way = goal[level] - was
            far = np.abs(way).sum(axis=1) >= STILL
            at_now[level] = np.where(far[:, None], was + STEP * way, goal[level])
            self.moving |= bool((far & ~nodes.dead[level]).any())
        alive = ~nodes.dead
        self._seen[nodes.nodes[alive]] = at_now[alive]
        return at_now[:, 0], at_now[:, 1]

    def _title(self, frame: Frame) -> None:
        row = chosen_ask(frame)
        what = f" · ask {row.id} · {frame.snapshot.fixed.labels[row.origin]} · “{row.text}”" if row is not None else ""
        what += "" if frame.live else " · in the past"
        zoom = f" · {self.looking.zoom:.1f}x" if self.looking.zoom > 1 else ""
        below = ""
        if frame.trace is not None and self.kind == "diagram":
            drawn, total = len(frame.trace.questions.frm), frame.trace.questions.total
            first = f"first {drawn:,} of " if total > drawn else ""
            below = f"{first}{total:,} question{'' if total == 1 else 's'}"
            below += f", {frame.trace.lost.total:,} lost" if frame.trace.lost.total else ""
        name_panel(self, f"{TITLES[self.kind]}{what}{zoom}", below)

    def on_resize(self) -> None:
        """After a change of size nodes are at their places at once."""
        self._seen = np.zeros((0, 2))
        super().on_resize()

    # --- what a person does ------------------------------------------------------------------------------

    def toward(self, direction: Direction) -> PeerId | None:
        """Up and down: the neighbour in the picture; left: who told it; right: the first peer that it told."""
        frame = self._frame
        if frame is None or frame.trace is None:
            return None
        trace, here = frame.trace, frame.selected
        order = self._order()
        if not order:
            return None
        if here is None or here not in order:
            return trace.origin
        if direction in ("up", "down"):
            at = order.index(here) + (1 if direction == "down" else -1)
            return order[at] if 0 <= at < len(order) else None
        if direction == "left":
            return int(trace.frm[here]) if trace.frm[here] >= 0 else None
        told = np.flatnonzero(trace.frm == here)
        return int(told[np.argmin(trace.at_us[told])]) if len(told) else None

    def _order(self) -> list[int]:
        """Peers from the top."""
        if self.kind == "diagram":
            return self._line.order.tolist() if self._line is not None else []
        if self._tree is None:
            return []
        rank = np.lexsort((self._tree.depth, self._tree.height))
        return list(dict.fromkeys(self._tree.nodes[rank].tolist()))

    def zoom(self, by: int) -> None:
        """Zoom in (1) or out (-1) around the centre; 0 shows everything."""
        self.looking = View() if by == 0 else self._zoomed(by, self.looking.cx, self.looking.cy)
        self.redraw()

    def _zoomed(self, by: int, x: float, y: float) -> View:
        return self.looking.zoomed_at(x, y, ZOOM_STEP**by, most=512.0)

    def pan(self, direction: Direction) -> None:
        """Move the view by a fifth of the picture."""
        dx, dy = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}[direction]
        self.looking = self.looking.panned(dx * PAN_STEP, dy * PAN_STEP)
        self.redraw()

    # --- mouse --------------------------------------------------------------------------------------------

    def _peer_at(self, event: events.MouseEvent) -> PeerId | None:
        offset = event.get_content_offset(self)
        if offset is None:
            return None
        found = raster.owner_at(self._canvas, offset.x, offset.y, 1)
        if found < 0 and self.kind == "diagram" and self._line is not None and self._plot is not None:
            return self._plot.peer_at(self._line, offset.y)
        return found if found >= 0 else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the picture, or show the tooltip of the peer under the pointer."""
        if self._held and event.button:
            if event.delta_x or event.delta_y:
                self._dragged = True
                wide, high = max(1, self._canvas.width), max(1, self._canvas.height)
                self.looking = self.looking.panned(-event.delta_x / wide, -event.delta_y / high)
                self.redraw()
            return
        peer = self._peer_at(event)
        self.tooltip = None if peer is None or self._frame is None else Content(describe(self._frame, peer))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Remember that a drag may begin."""
        self._dragged = False
        if event.get_content_offset(self) is None:  # on the frame, which is dragged to resize panels
            return
        self._held = True
        self.capture_mouse()

    def on_mouse_up(self) -> None:
        """End a drag."""
        self._held = False
        self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """Choose the peer there, or none."""
        if not self._dragged and not panel.pressed(event):
            self.post_message(PeerPicked(self._peer_at(event)))

    def _wheel(self, event: events.MouseEvent, by: int) -> None:
        event.stop()
        offset = event.get_content_offset(self)
        if offset is None:
            return
        diagrammed = self.kind == "diagram" and self._plot is not None
        box = self._plot.box if diagrammed and self._plot is not None else tree.box_of(self._canvas)
        left = self._plot.gutter if diagrammed and self._plot is not None else 0
        dot = (offset.x - left + 0.5) * self._canvas.across, (offset.y + 0.5) * self._canvas.down
        self.looking = self._zoomed(by, *self.looking.to_unit(*dot, box))
        self.redraw()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in where the pointer is."""
        self._wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out."""
        self._wheel(event, -1)
