"""The picture: one widget for the whole swarm, painted line by line.

It is given frames and keeps the layer of links and coast until what it shows changes; everything else is drawn for each
frame, and only rows that differ are painted. Keys and mouse are answered at once: pan, zoom, placement and colours are
the picture's own, and what is chosen is posted to the screen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from textual import events
from textual.content import Content

from engine import PARTS, STATES, Commanded, Event, PeerId, Refused, Trace, plain
from tui.config.keys import keyed
from tui.draw import belief, layout, legend, raster
from tui.draw.colours import COLOURS, ColourBy, Colouring, colouring, colourings, value_text
from tui.draw.density import Sharing
from tui.draw.layout import Direction
from tui.draw.raster import Canvas
from tui.draw.scene import (
    FRESH_US,
    LOSS_US,
    Fading,
    Scene,
    SpreadLayer,
    alive_count,
    base,
    draw_background,
    in_sight,
    paint,
)
from tui.draw.stage import PLACEMENTS, Placement, Stage, why_not
from tui.draw.styles import GLYPHS, INK, Mode
from tui.session.frame import Frame
from tui.widgets.messages import MenuWanted, PeerPicked, PeersPicked

from . import panel
from .canvas_widget import CanvasWidget
from .panel import name_panel, panel_css
from .text import wrap

UPKEEP = PARTS.index("upkeep")
NEVER = -1_000_000_000
StillKey: TypeAlias = tuple[object, ...]
ZOOM_STEP = 1.5
PAN_STEP = 0.2
SLIP = 2
"""Cells that a pointer may move between down and up before it draws a box."""
ECHO_S = 1.4
"""How long a ring shows an action at a peer, in wall seconds."""
REFUSAL_S = 0.5
TITLE_S = 0.5
QUIET_MOST, QUIET_PEERS = 12, 150
ECHOES_MOST = 64
SAID_MOST = 2
"""Lines of the sentence on the picture."""
ROOMY_H, WIDE_W = 12, 110
"""From this height on a row is kept free for the sentence; from this width on the sentence takes one line only, for
which the margin has room."""


def belief_canvas(frame: Frame, scene: Scene, glyphs: Mode, width: int, height: int, legend: bool) -> Canvas:
    """The swarm as the selected peer knows it: without messages under way and without links of others."""
    assert frame.facts is not None
    canvas = Canvas(width, height, glyphs)
    draw_background(canvas, scene)
    laid = belief.mind(frame.snapshot, frame.facts.peer, frame.facts.beliefs)
    # Contacts are beliefs themselves, and who has this peer as one is not known to it.
    links = () if frame.facts.contacts else frame.facts.links
    belief.draw(canvas, frame.snapshot, laid, scene.x, scene.y, links, names=scene.names)
    if legend:
        belief.legend(canvas)
    return canvas


def believed_title(frame: Frame) -> str:
    """The title of that picture, or empty when the swarm itself is shown."""
    facts = frame.facts
    if not frame.show_belief or facts is None or facts.peer != frame.selected:
        return ""
    label = frame.snapshot.fixed.labels[facts.peer]
    if why := belief.gone(frame.snapshot, facts.peer):
        return f"{label} {why}"
    return belief.headline(belief.mind(frame.snapshot, facts.peer, facts.beliefs), label)


def _lettered(sentence: str) -> str:
    """A sentence with ASCII quotation marks."""
    return sentence.translate({ord("“"): '"', ord("”"): '"'})


class _Same:
    """Compares by identity, and keeps the object alive so that its id is not used again."""

    __slots__ = ("of",)

    def __init__(self, of: object) -> None:
        self.of = of

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.of is self.of

    __hash__ = None  # type: ignore[assignment]


def news(trace: Trace | None, now_us: int) -> bool:
    """Whether an event of the selected ask is recent enough to be highlighted."""
    if trace is None:
        return False
    reached, lost = int(trace.at_us.max(initial=NEVER)), int(trace.lost.at_us.max(initial=NEVER))
    return now_us - reached <= FRESH_US or now_us - lost <= LOSS_US


def describe(frame: Frame, peer: PeerId) -> str:
    """The tooltip of a peer: name, place, state, and its part in the selected ask."""
    snapshot, trace = frame.snapshot, frame.trace
    fixed = snapshot.fixed
    words = [STATES[snapshot.state[peer]]]
    words += ["censored"] if snapshot.censored[peer] else []
    words += ["colluding"] if snapshot.colluding[peer] else []
    words += ["poisoned"] if snapshot.poisoned[peer] else []
    words += ["a link is cut"] if peer < len(snapshot.cut) and snapshot.cut[peer] else []
    words += ["a link is held"] if peer < len(snapshot.held) and snapshot.held[peer] else []
    place = fixed.places.names[fixed.place[peer]] if 0 <= fixed.place[peer] < len(fixed.places.names) else ""
    lines = [f"{fixed.labels[peer]} · {place}" if place else fixed.labels[peer]]
    lines.append(f"{snapshot.roles[snapshot.role[peer]]}, {', '.join(words)}, {snapshot.files[peer]} files")
    for name, column in snapshot.shown.items():
        value = column.names[column.codes[peer]] if column.names else float(column.values[peer])
        lines.append(f"{name} {value_text(column.shown, value)}")
    if trace is not None and trace.hop[peer] > 0:
        lines.append(f"asked at hop {trace.hop[peer]}, by {fixed.labels[trace.frm[peer]]}")
    return plain("\n".join(lines), limit=300) if len(lines) < 2 else "\n".join(plain(line) for line in lines)


class SwarmView(CanvasWidget):
    """Peers, links, messages. It posts `PeerPicked`, `PeersPicked` and `MenuWanted`."""

    DEFAULT_CSS = panel_css("SwarmView") + "SwarmView { min-height: 5; }"
    HINT_US = 1_500_000
    """From this time on a run without any ask shows how to start one."""

    def __init__(self, *, glyphs: Mode = "braille", id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.glyphs: Mode = glyphs
        self.stage = Stage()
        self.colour_by: ColourBy = "state"
        self.upkeep = False
        self.names = True
        self.all_names = False
        """With `names`: as many peers as possible are named, for an audience."""
        self.legend = True
        self.covered: tuple[int, int, int, int] | None = None
        """Cells that a panel covers, where no name is written: first column and row, and those after the last."""
        self.hover: PeerId | None = None
        self.over: dict[str, Callable[[raster.Canvas, Scene], None]] = {}
        """Functions that draw on top of the picture, by name: letters to jump to, for example."""
        self.drawn = 0
        """How many pictures were drawn; a test compares it with how many frames were shown."""
        self._frame: Frame | None = None
        self._still: StillKey | None = None
        self._base = raster.Canvas(0, 0)
        self._base_key: tuple[object, ...] = ()
        self._fading = Fading()
        self._spread = SpreadLayer()
        self._legend_at = (0, 0, -1)
        self._named = (0, 0)
        """How many peers are named, and of how many in sight; (0, 0) where only the important ones are."""
        self._cells_of: Sharing | None = None
        self._titled, self._titled_s = "", -1e9
        self._echoes: list[tuple[PeerId, float]] = []
        self._refusals: list[tuple[PeerId, PeerId, float]] = []
        self._drag: tuple[int, int] | None = None
        self._dragged = False
        self.selection_box: tuple[int, int, int, int] | None = None
        """A box that is being drawn: the cells of two corners."""

    # --- frames --------------------------------------------------------------------------------------------

    def show(self, frame: Frame, *, draw: bool = True) -> None:
        """Take a frame, and draw it unless `draw` is False because a newer one comes before it would be seen."""
        was, now = None if self._frame is None else self._frame.snapshot.fixed, frame.snapshot.fixed
        other = was is None or was.run is not now.run
        if other:
            self._echoes, self._refusals, self.hover = [], [], None
        # After a seek no peer has just died, and events that are repeated are old.
        jumped = self._frame is not None and frame.jumps != self._frame.jumps
        if jumped:
            self._echoes, self._refusals = [], []
        self._fading.follow(frame.snapshot, frame.wall_s, fresh=other or jumped)
        self._frame = frame
        for event in () if jumped else frame.events:
            self._note(event, frame.wall_s)
        begun = time.thread_time()
        if not self._follow() or not draw:
            return
        rest = self._still_key(frame)
        if rest is not None and rest == self._still:
            self._title(frame)
            self.calm += 1
            self.paint_s = time.thread_time() - begun
            return
        self._draw(begun)
        self._still = rest

    @property
    def frame(self) -> Frame | None:
        """The frame that is shown."""
        return self._frame

    def share_of(self, peer: PeerId) -> float:
        """How far right in the picture a peer is, 0 to 1 when it is in sight."""
        if self._frame is None or not self._canvas.dots_w:
            return 0.0
        x, _ = self.stage.dots(self._frame.wall_s)
        return float(x[peer]) / self._canvas.dots_w if peer < len(x) else 0.0

    @property
    def moving(self) -> bool:
        """Whether an animation of the picture's own is running, which goes on while the swarm is paused."""
        wall_s = self._frame.wall_s if self._frame is not None else 0.0
        return bool(self._echoes or self._refusals) or self._fading.fading(wall_s) or self.stage.moving(wall_s)

    @property
    def quiet(self) -> bool:
        """Whether only a few messages are visible under way, and no animation is running."""
        frame = self._frame
        if frame is None or self.moving or frame.slowed or len(frame.snapshot.state) > QUIET_PEERS:
            return False
        return self._in_motion(frame) <= QUIET_MOST

    def _note(self, event: Event, wall_s: float) -> None:
        if isinstance(event, Commanded) and event.by == "person" and len(event.peers) <= ECHOES_MOST:
            self._echoes += [(peer, wall_s) for peer in event.peers]
        elif isinstance(event, Refused) and len(self._refusals) < ECHOES_MOST:
            self._refusals.append((event.to, event.peer, wall_s))

    def redraw(self) -> None:
        """Draw the last frame again: size, theme, zoom or what is to be seen has changed."""
        begun = time.thread_time()
        if self._follow():
            self._draw(begun)

    def _follow(self) -> bool:
        """Move all peers to their positions of this frame. False where there is no frame or no room to draw it."""
        frame, size, stage = self._frame, self.content_size, self.stage
        if frame is None or not self.display or not size.width or not size.height:
            return False
        across, down = raster.DOTS[self.glyphs]
        stage.animate = self.app.animation_level != "none"
        top = self._head(size.width, size.height) * down
        stage.resize(size.width * across, size.height * down, 2.0 * across / down, (across, down), top)
        stage.follow(frame.snapshot, self.centre(frame), frame.wall_s, frame.trace)
        return True

    def _head(self, width: int, height: int) -> int:
        """Rows at the top that are kept free for a sentence, besides the margin: the same whether there is one or not,
        so that no peer moves when one comes. The north of a map has no peers."""
        return int(self.stage.placed != "world" and height >= ROOMY_H and width < WIDE_W)

    def _draw(self, begun: float) -> None:
        """begun: thread time at which this picture was begun."""
        frame, size = self._frame, self.content_size
        assert frame is not None
        self.drawn += 1
        self._still = None
        self._cells_of = None
        scene = self._scene(frame)
        said = self._said(frame, size.width)
        if frame.show_belief and frame.facts is not None and frame.facts.peer == frame.selected:
            self._canvas = belief_canvas(frame, scene, self.glyphs, size.width, size.height, self.legend)
            self._legend_at = (0, 0, -1)
        else:
            under = self._under(frame, scene, size.width, size.height)
            foot = len(legend.lines_of(under, scene)) if self.legend else 0
            self._canvas = paint(under, replace(scene, head=len(said), foot=foot), self._spread)
            self._legend_at = legend.draw(self._canvas, scene) if self.legend else (0, 0, -1)
            if scene.names and scene.all_names:
                self._named = self._canvas.named, int(in_sight(self._canvas, scene.x, scene.y).sum())
            elif not (self.names and self.all_names):
                self._named = 0, 0
        for row, line in enumerate(said):
            raster.text(self._canvas, 0, row, f" {line} ", INK["say"])
        self._explain(frame, scene, len(said))
        if self.selection_box is not None:
            raster.selection_box(self._canvas, self.selection_box, INK["selected"])
        for draw in self.over.values():
            draw(self._canvas, scene)
        self._title(frame)
        self.calm = 0 if self.put() else self.calm + 1
        self.paint_s = time.thread_time() - begun

    def _scene(self, frame: Frame) -> Scene:
        snapshot, wall_s, stage = frame.snapshot, frame.wall_s, self.stage
        lively = stage.animate
        n = len(snapshot.state)
        self._echoes = [(p, at) for p, at in self._echoes if 0 <= wall_s - at < ECHO_S and p < n]
        self._refusals = [(a, b, at) for a, b, at in self._refusals if 0 <= wall_s - at < REFUSAL_S]
        x, y = stage.dots(wall_s)
        return Scene(
            snapshot=snapshot,
            x=x,
            y=y,
            colours=self._colours(frame),
            trace=frame.trace,
            selected=frame.selected,
            hover=self.hover if self.hover is not None and self.hover < n else None,
            marked=frame.marked,
            upkeep=self.upkeep,
            names=self.names,
            covered=self.covered,
            all_names=self.all_names and not stage.moving(wall_s),
            coast_view=(stage.view, stage.box) if stage.placed == "world" else None,
            rings=stage.rings(),
            key_at=stage.place_of_key(frame.trace),
            bundle=stage.bundle(wall_s),
            echoes=tuple((p, (wall_s - at) / ECHO_S if lively else 0.3) for p, at in self._echoes),
            refusals=tuple((a, b, (wall_s - at) / REFUSAL_S if lively else 1.0) for a, b, at in self._refusals),
            dying=self._fading.stages(wall_s) if stage.animate else self._fading.stages(1e18),
            ringed=frame.min_cut.peers if frame.min_cut is not None else (),
        )

    def _colours(self, frame: Frame) -> Colouring:
        held = frame.facts.beliefs if frame.facts is not None and frame.facts.peer == frame.selected else None
        by = self.colouring_of(frame)
        return colouring(by, frame.snapshot, frame.trace, frame.selected, held, frame.keepers)

    def colouring_of(self, frame: Frame) -> ColourBy:
        """What peers are coloured by in this frame: a column of another network is not there."""
        known = self.colour_by in COLOURS or self.colour_by in frame.snapshot.shown
        return self.colour_by if known else "state"

    def _under(self, frame: Frame, scene: Scene, width: int, height: int) -> raster.Canvas:
        """Links and coast, drawn anew only when they would look different."""
        snapshot, moving = frame.snapshot, self.stage.moving(frame.wall_s)
        split = hash(snapshot.group.tobytes())
        links = snapshot.links.version, snapshot.marks.version, _Same(snapshot.cut_links)
        what = (id(snapshot.fixed), len(snapshot.state), links, frame.selected, split)
        key = (what, self.stage.version, moving, width, height, self.glyphs)
        if moving or key != self._base_key:
            self._base = raster.Canvas(width, height, self.glyphs)
            base(self._base, scene)
            self._base_key = key
        return self._base

    def centre(self, frame: Frame) -> PeerId:
        """The peer that rings of hops are drawn around: the selected one, the asker, a server, or the first peer."""
        if frame.selected is not None:
            return frame.selected
        if frame.trace is not None and not frame.followed:
            return frame.trace.origin
        return int(frame.snapshot.fixed.infrastructure.argmax())

    def _title(self, frame: Frame) -> None:
        snapshot = frame.snapshot
        placed: str = self.stage.placed
        if placed == "hops":
            placed = f"hops from {snapshot.fixed.labels[self.centre(frame)]}"
        if placed == "ask":
            placed = "hops of an ask" if frame.ask is None else f"hops of ask {frame.ask}"
        title = believed_title(frame) or f"swarm · {placed}"
        if snapshot.links.contacts:
            title += " · contacts"
        named, seen = self._named
        if named < seen and not believed_title(frame):
            title += f" · {named:,} of {seen:,} named"
        if not frame.live:
            title += " · in the past"
        if self.stage.view.zoom > 1:
            title += f" · {self.stage.view.zoom:.1f}x"
        # The title is updated only every TITLE_S while the swarm runs: a changed border costs a repaint.
        if title == self._titled and frame.playing and 0 <= frame.wall_s - self._titled_s < TITLE_S:
            return
        self._titled, self._titled_s = title, frame.wall_s
        total, drawn = snapshot.flight.total, len(snapshot.flight.frm)
        under_way = f"{total:,} under way" + (f", {drawn:,} drawn" if total > drawn else "")
        name_panel(self, title, under_way)

    def _said(self, frame: Frame, width: int) -> list[str]:
        """The sentence about the latest action or ask, in at most `SAID_MOST` lines: the longest one that fits."""
        if self.content_size.height < legend.LEAST_H or frame.alarm:
            return []
        told = frame.told if self.glyphs != "ascii" else tuple(map(_lettered, frame.told))
        lines: list[str] = []
        for sentence in told:
            lines = wrap(sentence, max(width - 2, 8))
            if len(lines) <= SAID_MOST:
                return lines
        return [*lines[: SAID_MOST - 1], f"{lines[SAID_MOST - 1]}{GLYPHS[self.glyphs].more}"] if lines else []

    def _explain(self, frame: Frame, scene: Scene, row: int) -> None:
        """A sentence where the picture alone would be empty or could not be understood."""
        snapshot = frame.snapshot
        if frame.alarm:
            said = f" A peer's program failed: {plain(frame.alarm)} "
        elif not alive_count(snapshot):
            said = "No peer is alive: {peer.kill} revives a selected peer, {run.network} starts over"
        elif not in_sight(self._canvas, scene.x, scene.y).any():
            said = "No peer in sight: {view.fit} shows all of them"
        elif not snapshot.asks_total and snapshot.now_us > self.HINT_US:
            hope = ", or wait: peers ask by themselves" if snapshot.settings.get("asks") else ""
            said = f"No ask yet: press {{ask.here}} to {snapshot.fixed.goals[0].verb} something{hope}"
        else:
            return
        said = keyed(self.app, said)[: self._canvas.width]
        ink = INK["marked"] if frame.alarm else INK["say"]
        raster.text(self._canvas, (self._canvas.width - len(said)) // 2, row, said, ink)

    # --- pictures that need not be drawn -----------------------------------------------------------------------

    def _still_key(self, frame: Frame) -> StillKey | None:
        """All that decides the picture of this moment: pictures with equal keys look the same. None where something in
        it changes from one moment to the next.

        More than half of the time no message is under way in a small swarm. Drawing ten pictures a second then, only to
        find that no cell differs, was a sixth of the dashboard's processor time.
        """
        snapshot = frame.snapshot
        if self.moving or self.over or self.selection_box is not None or self._in_motion(frame):
            return None
        # Ages in beliefs and in the colouring by age change all the time.
        if frame.show_belief or self.colour_by in ("belief", "heard") or news(frame.trace, snapshot.now_us):
            return None
        flags = snapshot.censored, snapshot.colluding, snapshot.poisoned, snapshot.held
        load = snapshot.load.tobytes() if self.colour_by == "load" else b""
        column = snapshot.shown.get(self.colour_by)
        shown = b"" if column is None else column.values.tobytes() + column.codes.tobytes()
        return (
            # Objects and not their ids: an id is used again when its object is gone.
            _Same(snapshot.fixed),
            _Same(frame.trace),
            (snapshot.links.version, snapshot.marks.version, snapshot.paths.version),
            self.stage.version,
            (
                self.content_size,
                self.glyphs,
                self.colour_by,
                self.names,
                self.all_names,
                self.covered,
                self.legend,
                self.upkeep,
            ),
            (frame.selected, self.hover, frame.marked, frame.min_cut and frame.min_cut.peers),
            (
                frame.told,
                frame.alarm,
                not snapshot.asks_total and snapshot.now_us > self.HINT_US,
                snapshot.settings.get("asks"),
            ),
            self.app.animation_level,
            (snapshot.state.tobytes(), snapshot.group.tobytes(), load, shown, *(each.tobytes() for each in flags)),
            snapshot.role.tobytes() if self.colour_by == "role" else b"",
        )

    def _in_motion(self, frame: Frame) -> int:
        """The number of messages that are visible under way."""
        part = frame.snapshot.flight.part
        return len(part) if self.upkeep else int(np.count_nonzero(part != UPKEEP))

    # --- keys --------------------------------------------------------------------------------------------------

    def toward(self, direction: Direction) -> PeerId | None:
        """The nearest peer in that direction; the one nearest the middle when none is selected; None for nobody.

        It is returned and not posted: a key that follows at once should find it selected.
        """
        if self._frame is None:
            return None
        x, y = self.stage.dots(self._frame.wall_s)
        seen = in_sight(self._canvas, x, y)
        if not seen.any():
            return None
        if self._frame.selected is None:
            far = (x - self._canvas.dots_w / 2) ** 2 + (y - self._canvas.dots_h / 2) ** 2
            far[~seen] = float("inf")
            return int(far.argmin())
        aspect = self._canvas.dot_aspect
        return layout.nearest(list(zip(x, y, strict=True)), self._frame.selected, direction, seen, aspect)

    def cell_of(self, peer: PeerId) -> tuple[int, int]:
        """Column and row of a peer, which may be outside of the picture."""
        if self._frame is None:
            return 0, 0
        x, y = self.stage.dots(self._frame.wall_s)
        col, row = raster.cells(self._canvas, x[peer], y[peer])
        return int(col), int(row)

    def next_placement(self) -> Placement:
        """The next placement that says something about this swarm."""
        at = PLACEMENTS.index(self.stage.placed)
        for placed in (*PLACEMENTS[at + 1 :], *PLACEMENTS[:at]):
            if not self.no_placement(placed):
                self.place(placed)
                break
        return self.stage.placed

    def no_placement(self, placed: Placement) -> str:
        """Why a placement is not possible now, or empty."""
        return "" if self._frame is None else why_not(placed, self._frame.snapshot, self._frame.trace)

    def place(self, placed: Placement) -> None:
        """Change to a placement."""
        self.stage.place(placed)
        self.redraw()

    def next_colour(self, by: int = 1) -> ColourBy:
        """Change to the next colouring, or the one before (-1)."""
        all_ = list(COLOURS if self._frame is None else colourings(self._frame.snapshot))
        at = all_.index(self.colour_by) if self.colour_by in all_ else 0
        self.colour(all_[(at + by) % len(all_)])
        return self.colour_by

    def colour(self, by: ColourBy) -> None:
        """Change to a colouring."""
        self.colour_by = by
        self.redraw()

    def zoom(self, by: int) -> None:
        """Zoom in (1) or out (-1) around the selected peer or the centre; 0 shows the whole swarm."""
        if by == 0:
            self.stage.look(layout.View())
        else:
            at = self._unit_of(self._frame.selected) if self._frame is not None else None
            self._zoom_at(by, at)
        self.redraw()

    def _zoom_at(self, by: int, at: tuple[float, float] | None) -> None:
        view = self.stage.view
        x, y = at if at is not None else (view.cx, view.cy)
        self.stage.look(view.zoomed_at(x, y, ZOOM_STEP**by))

    def _unit_of(self, peer: PeerId | None) -> tuple[float, float] | None:
        if peer is None or self._frame is None:
            return None
        x, y = self.stage.dots(self._frame.wall_s)
        return self.stage.view.to_unit(float(x[peer]), float(y[peer]), self.stage.box)

    def pan(self, direction: Direction) -> None:
        """Move the view by a fifth of the picture."""
        dx, dy = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}[direction]
        self.stage.look(self.stage.view.panned(dx * PAN_STEP, dy * PAN_STEP))
        self.redraw()

    # --- mouse -------------------------------------------------------------------------------------------------
    #
    # A drag with the left button draws a box and chooses the peers in it, as on a desktop; with the middle or the right
    # button it moves the picture. Ctrl, shift or alt (some terminals keep shift for themselves) add to what is chosen.

    def _peer_at(self, event: events.MouseEvent, reach: int = 1) -> PeerId | None:
        offset = event.get_content_offset(self)
        if offset is None:
            return None
        found = raster.owner_at(self._canvas, offset.x, offset.y, reach)
        return found if found >= 0 else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Draw a box, move the picture, or show the tooltip of the peer under the pointer."""
        if self._drag is not None and event.button == 1:
            at = event.get_content_offset_capture(self)
            if self._dragged or max(abs(at.x - self._drag[0]), 2 * abs(at.y - self._drag[1])) >= SLIP:
                self._dragged = True
                self.selection_box = (*self._drag, at.x, at.y)
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
        """How many peers share the cell of a peer. The table of cells is built once a picture, when first needed."""
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
        return f"\n{len(here):,} peers are here: {states}"

    def on_leave(self) -> None:
        """Remove the highlight of the peer under the pointer."""
        if self.hover is not None:
            self.hover = None
            self.redraw()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Remember where a drag may begin."""
        if event.get_content_offset(self) is None:  # on the frame, which is dragged to resize panels
            self._dragged = False
            return
        at = event.get_content_offset_capture(self)
        self._drag, self._dragged = (at.x, at.y), False
        self.capture_mouse()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End a drag. The peers in a box are chosen."""
        self._drag = None
        self.release_mouse()
        if self.selection_box is not None:
            held, self.selection_box = self._peers_in(self.selection_box), None
            self.redraw()
            self.post_message(PeersPicked(held, add=event.shift or event.ctrl or event.meta))

    def _peers_in(self, box: tuple[int, int, int, int]) -> tuple[PeerId, ...]:
        """The peers in a box of cells, corners included, as far as the box is inside the picture."""
        if self._frame is None:
            return ()
        (left, right), (top, bottom) = sorted(box[::2]), sorted(box[1::2])
        left, right = max(left, 0), min(right, self._canvas.width - 1)
        top, bottom = max(top, 0), min(bottom, self._canvas.height - 1)
        col, row = raster.cells(self._canvas, *self.stage.dots(self._frame.wall_s))
        inside = (col >= left) & (col <= right) & (row >= top) & (row <= bottom)
        return tuple(np.flatnonzero(inside).tolist())

    def on_click(self, event: events.Click) -> None:
        """Choose the peer there, or none; with ctrl, shift or alt, in addition to those chosen. The right button opens
        the menu. A click on the legend's title changes to the next colouring."""
        if self._dragged or panel.pressed(event):
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
