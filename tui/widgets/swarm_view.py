"""The picture: one widget for the whole swarm, painted line by line.

It is handed frames and keeps the layer of links and coast until what it shows changes; everything else is drawn anew,
and the rows that came out different are repainted (`cells`). What a person does with the picture is answered at once,
by keys in `view_keys.py` and by the mouse in `view_mouse.py`; what it means is the screen's business.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from engine import Commanded, Event, PeerId, Refused, plain
from tui.config.keys import keyed
from tui.draw import lasso, legend, raster
from tui.draw.colours import ColourBy, Colouring, colouring
from tui.draw.density import Sharing
from tui.draw.fading import Fading
from tui.draw.glyphs import Mode
from tui.draw.scene import Scene, SpreadLayer, alive_count, base, in_sight, paint
from tui.draw.stage import Stage
from tui.draw.styles import INK
from tui.session.frame import Frame

from .believed import believed, believed_title
from .canvas_widget import Picture
from .panel import name_panel, panel_css
from .stillness import Still, in_motion, still
from .view_keys import ViewKeys
from .view_mouse import ViewMouse

ECHO_S = 1.4
"""How long a deed is echoed by a ring, in wall seconds."""
REFUSAL_S = 0.5
TITLE_S = 0.5
QUIET_MOST, QUIET_PEERS = 12, 150
ECHOES_MOST = 64


class SwarmView(ViewKeys, ViewMouse, Picture):
    """Peers, links, messages. It posts `PeerPicked`; Enter and the verbs are the screen's keys."""

    DEFAULT_CSS = panel_css("SwarmView") + "SwarmView { min-height: 5; }"
    HOPE_US = 1_500_000
    """A run that is older, and in which nobody has asked, wants a word about that."""

    def __init__(self, *, glyphs: Mode = "braille", id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.glyphs: Mode = glyphs
        self.stage = Stage()
        self.colour_by: ColourBy = "state"
        self.upkeep = False
        self.names = True
        self.legend = True
        self.hover: PeerId | None = None
        self.over: dict[str, Callable[[raster.Canvas, Scene], None]] = {}
        """What others draw on top of the picture, by a name of theirs: letters to jump to, for one."""
        self.drawn = 0
        """How many pictures were drawn; a test holds it against how many frames were shown."""
        self._frame: Frame | None = None
        self._still: Still | None = None
        self._base = raster.Canvas(0, 0)
        self._base_key: tuple[object, ...] = ()
        self._fading = Fading()
        self._spread = SpreadLayer()
        self._legend_at = (0, 0, -1)
        self._cells_of: Sharing | None = None
        self._titled, self._titled_s = "", -1e9
        self._echoes: list[tuple[PeerId, float]] = []
        self._refusals: list[tuple[PeerId, PeerId, float]] = []
        self._drag: tuple[int, int] | None = None
        self._dragged = False
        self.lasso: tuple[int, int, int, int] | None = None
        """A box that is being drawn: the cells of two corners."""

    # --- frames --------------------------------------------------------------------------------------------

    def show(self, frame: Frame, *, draw: bool = True) -> None:
        """Draw this moment; or only take it, where another one comes before it could be seen."""
        was, now = None if self._frame is None else self._frame.snapshot.fixed, frame.snapshot.fixed
        other = was is None or was.run is not now.run
        if other:
            self._echoes, self._refusals, self.hover = [], [], None
        # After a jump nobody has just died, and what is told again was done long ago.
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
        rest = still(self, frame)
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
        return float(x[peer]) / self._canvas.dots_w

    @property
    def moving(self) -> bool:
        """Whether the picture has something of its own under way (a glide, an echo), even when time stands still."""
        wall_s = self._frame.wall_s if self._frame is not None else 0.0
        return bool(self._echoes or self._refusals) or self._fading.fading(wall_s) or self.stage.moving(wall_s)

    @property
    def quiet(self) -> bool:
        """Whether only a few messages are to be seen moving, and nothing of the picture's own."""
        frame = self._frame
        if frame is None or self.moving or frame.slowed or len(frame.snapshot.state) > QUIET_PEERS:
            return False
        return in_motion(self, frame) <= QUIET_MOST

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
        """Have everybody stand where they belong at this moment. False where there is nothing to draw, or no room."""
        frame, size, stage = self._frame, self.content_size, self.stage
        if frame is None or not self.display or not size.width or not size.height:
            return False
        across, down = raster.DOTS[self.glyphs]
        stage.animate = self.app.animation_level != "none"
        stage.resize(size.width * across, size.height * down, 2.0 * across / down)
        stage.follow(frame.snapshot, self.centre(frame), frame.wall_s, frame.trace)
        return True

    def _draw(self, begun: float) -> None:
        """begun: thread time at which this picture was begun."""
        frame, size = self._frame, self.content_size
        assert frame is not None
        self.drawn += 1
        self._still = None
        self._cells_of = None
        scene = self._scene(frame)
        if frame.believing and frame.facts is not None and frame.facts.peer == frame.selected:
            self._canvas = believed(frame, scene, self.glyphs, size.width, size.height, self.legend)
            self._legend_at = (0, 0, -1)
        else:
            self._canvas = paint(self._under(frame, scene, size.width, size.height), scene, self._spread)
            self._legend_at = legend.draw(self._canvas, scene) if self.legend else (0, 0, -1)
        self._speak(frame, scene)
        if self.lasso is not None:
            lasso.draw(self._canvas, self.lasso, INK["selected"])
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
            coast_view=(stage.view, stage.box) if stage.placed == "world" else None,
            rings=stage.rings(),
            echoes=tuple((p, (wall_s - at) / ECHO_S if lively else 0.3) for p, at in self._echoes),
            refusals=tuple((a, b, (wall_s - at) / REFUSAL_S if lively else 1.0) for a, b, at in self._refusals),
            dying=self._fading.stages(wall_s) if stage.animate else self._fading.stages(1e18),
            ringed=frame.silencing.peers if frame.silencing is not None else (),
        )

    def _colours(self, frame: Frame) -> Colouring:
        held = frame.facts.beliefs if frame.facts is not None and frame.facts.peer == frame.selected else None
        return colouring(self.colour_by, frame.snapshot, frame.trace, frame.selected, held)

    def _under(self, frame: Frame, scene: Scene, width: int, height: int) -> raster.Canvas:
        """Links and coast, drawn anew only when they would look different."""
        snapshot, moving = frame.snapshot, self.stage.moving(frame.wall_s)
        split = hash(snapshot.group.tobytes())
        what = (id(snapshot.fixed), len(snapshot.state), snapshot.links.version, frame.selected, split)
        key = (what, self.stage.version, moving, width, height, self.glyphs)
        if moving or key != self._base_key:
            self._base = raster.Canvas(width, height, self.glyphs)
            base(self._base, scene)
            self._base_key = key
        return self._base

    def centre(self, frame: Frame) -> PeerId:
        """Whom rings of hops are drawn around: the selected peer, or who asked, or a station, or the first peer."""
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
        if not frame.live:
            title += " · in the past"
        if self.stage.view.zoom > 1:
            title += f" · {self.stage.view.zoom:.1f}x"
        # A changed border repaints the whole widget, so it is not dressed anew for each frame while time goes on.
        if title == self._titled and frame.playing and 0 <= frame.wall_s - self._titled_s < TITLE_S:
            return
        self._titled, self._titled_s = title, frame.wall_s
        total, drawn = snapshot.flight.total, len(snapshot.flight.frm)
        under_way = f"{total:,} under way" + (f", {drawn:,} drawn" if total > drawn else "")
        name_panel(self, title, under_way)

    def _speak(self, frame: Frame, scene: Scene) -> None:
        """A sentence where there would be nothing to see, or nothing to understand."""
        snapshot = frame.snapshot
        if frame.alarm:
            said = f" A peer's program failed: {plain(frame.alarm)} "
        elif not alive_count(snapshot):
            said = "Nobody is up: {peer.kill} revives a selected peer, {run.network} starts over"
        elif not in_sight(self._canvas, scene.x, scene.y).any():
            said = "No peer in sight: {view.fit} shows all of them"
        elif not snapshot.asks_total and snapshot.now_us > self.HOPE_US:
            hope = ", or wait: peers ask by themselves" if snapshot.settings.get("asks") else ""
            said = f"No ask yet: press {{ask.here}} and name a file{hope}"
        else:
            return
        said = keyed(self.app, said)[: self._canvas.width]
        ink = INK["marked"] if frame.alarm else INK["say"]
        raster.text(self._canvas, (self._canvas.width - len(said)) // 2, 0, said, ink)
