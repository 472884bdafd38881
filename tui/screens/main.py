"""The dashboard: panels around the picture, a clock of frames, and what each key does.

Panels say what a person wants by messages, and get frames; this screen stands between them and the session. It asks
for a frame only when something can have changed, so a paused swarm costs nothing, and it hands the slow panels a
frame four times a second at most, because nobody reads a number that changes more often.

What decides is elsewhere: which panels there is room for in `rooms.py`, which verbs are possible and why not in
`widgets/verbs.py`, what a command does in the engine.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from engine import Event
from tui.config.keys import bindings, keyed
from tui.screens.tour import TourBox
from tui.session.frame import Frame
from tui.session.session import Session
from tui.session.verbs import Verb
from tui.widgets import messages as say
from tui.widgets.ask_bar import AskBar
from tui.widgets.ask_picture import AskPicture
from tui.widgets.asks_table import AsksTable
from tui.widgets.attacks import Attacks
from tui.widgets.canvas_widget import LeanCompositor
from tui.widgets.charts import Charts
from tui.widgets.controls import Controls
from tui.widgets.feed import Feed
from tui.widgets.filter_bar import FilterBar
from tui.widgets.inspector import Inspector
from tui.widgets.jump_bar import JumpBar
from tui.widgets.menu import Menu
from tui.widgets.message_table import MessageTable
from tui.widgets.panel import FrameKey, carry_keys
from tui.widgets.peers_table import PeersTable
from tui.widgets.status import CourtBar, Figures, KeyBar, StatusBar
from tui.widgets.story import Story
from tui.widgets.swarm_view import SwarmView
from tui.widgets.theme_drawer import ThemeDrawer
from tui.widgets.timeline import Timeline

from ..actions.asks import Inquiries
from ..actions.attacking import Attacking
from ..actions.peers import OnPeers
from ..actions.picking import Picking
from ..actions.run import Comforts
from ..actions.time import Travels
from ..actions.view import Deeds
from ..session.panels import (
    HUGE_H,
    HUGE_W,
    LEAST_H,
    LEAST_W,
    PANELS,
    PICTURE,
    TALL,
    TIMELINE_H,
    WIDE,
    behind,
    drawer,
    rooms,
    too_small,
)
from .frame_clock import WAITING_MOST, FrameClock, FramePace, waiting
from .jump import Jumping

PANEL_S = 0.25
"""Wall seconds between two frames for a panel with figures, while a person's ask is under way."""
CALM_PANEL_S = 1.0
"""And while none is."""
KEYS_S = 1.0
"""And between two looks at which keys can be had, while a person does nothing."""
TURN_S = 0.006
"""Wall seconds: a picture that took longer has the panels wait for another turn of the loop, or keys would wait for
both."""
PRESSED_S = 0.2
"""And between two pictures while more input waits: what a person did last should be seen soon, not each step to it."""
IDLE_S = 0.1
CALM_FRAMES = 3
QUIET_S = 1 / 10
"""The slot while only a few messages move: a handful of dots need no more, and a laptop on battery is grateful."""
CALM_S = 1 / 6
"""The slot while no ask of a person is under way and nothing glides, where no number of frames was asked for."""
AWAY_S, AWAY_PANEL_S = 4.0, 8.0
"""The slots of the picture and of panels while the terminal has lost the focus; a key, or the focus, ends them."""
TICK_S, AWAY_TICK_S = 0.1, 1.0
"""How often time moves on between frames, each of which moves it too."""
CHARTS_S = 1.9
"""Between two frames for the charts while no ask of a person is under way: they cost more than any other panel."""
PANEL_TYPES: dict[str, type[Any]] = {
    "inspector": Inspector,
    "asks": AsksTable,
    "controls": Controls,
    "charts": Charts,
    "feed": Feed,
    "story": Story,
    "figures": Figures,
    "peers": PeersTable,
    "kinds": MessageTable,
    "attacks": Attacks,
}
ROWS: dict[str, frozenset[str]] = {
    "top": frozenset({"inspector", "attacks", PICTURE}),
    "middle": frozenset({"asks", "controls", "story", "peers", "kinds"}),
    "bottom": frozenset({"charts", "feed"}),
}
"""Panels that stand side by side."""


class MainScreen(Attacking, Comforts, Jumping, Picking, OnPeers, Deeds, Inquiries, Travels, Screen[None]):
    """Hand it a session. It runs the session's swarm for as long as it is mounted."""

    BINDINGS = bindings("main")
    AUTO_FOCUS = "SwarmView"

    def __init__(self, session: Session, *, fps: float = 20.0, steady: bool = False) -> None:
        """steady: `fps` frames a second whatever moves; else fewer while nothing that a person did is under way."""
        super().__init__()
        self._steady = steady
        self._compositor = LeanCompositor()
        self.session = session
        self.pace = FramePace(fps)
        self.clock = FrameClock(self.tick, self._broke)
        self.wishes: dict[str, bool] = {}
        self.drawer_shut = False
        self.whole = ""
        """The panel that has the whole screen, or the picture; empty for none."""
        self.frames = 0
        """How many were shown; a test holds it against how much has changed."""
        self._panel_frame: Frame | None = None
        self._panels_s = self._keys_s = self._charts_s = self._drawn_s = -1e9
        self._events: tuple[Event, ...] = ()
        self._jumps = 0
        self._keys_of: tuple[object, ...] = ()
        self._verbs_of: tuple[Frame | None, tuple[Verb, ...]] = (None, ())
        self._shown: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        """From the top: figures, the picture and the inspector, asks and controls, charts and feed, where one types."""
        yield StatusBar(id="status")
        yield CourtBar(id="matters")
        with Vertical(id="body"):
            with Horizontal(id="top"):
                yield SwarmView(glyphs=self.app_glyphs, id="swarm")
                yield AskPicture(glyphs=self.app_glyphs, id="ask-picture", classes="-away")
                yield Inspector(id="inspector")
                yield Attacks(id="attacks", classes="-away")
            with Horizontal(id="middle"):
                yield AsksTable(id="asks")
                yield PeersTable(id="peers", classes="-away")
                yield MessageTable(id="kinds", classes="-away")
                yield Story(id="story")
                yield Controls(complete=self.session.completions, id="controls")
            with Horizontal(id="bottom"):
                yield Charts(id="charts")
                yield Feed(id="feed")
            yield Figures(id="figures")
            yield ThemeDrawer(id="themes")
        yield Static("", id="notice", markup=False)
        yield AskBar(id="ask-bar")
        yield FilterBar(complete=self.session.completions, id="filter")
        yield Menu(id="menu")
        yield JumpBar(id="jump")
        yield Timeline(id="timeline")
        yield KeyBar(id="keys")
        yield TourBox(id="tour")
        yield Static("", id="small", markup=False)

    def on_mount(self) -> None:
        """Start time, and the clock of frames."""
        self.query_one(SwarmView).tooltip = None
        self.set_class(getattr(self.app, "density", "") == "compact", "-dense")
        self.set_class(self.app_glyphs == "ascii", "-letters")
        # Time is paced from the first picture on: what paces it takes a while to load, and a frame moves time as well.
        self.call_after_refresh(self._pace)
        self.make_room()
        self.clock.start()
        self.session.live.tick_s = TICK_S
        self.watch(self.app, "app_focus", self._focus_changed, init=False)

    def _focus_changed(self, focused: bool) -> None:
        self.session.live.tick_s = TICK_S if focused else AWAY_TICK_S
        if focused and self.is_running:
            self._panels_s = -1e9
            self.clock.start()

    def _pace(self) -> None:
        self.run_worker(self.session.run(), name="live", exit_on_error=False)

    def _broke(self, error: Exception) -> None:
        self.app._handle_exception(error)

    def on_unmount(self) -> None:
        """Time ends with the screen."""
        self.clock.stop()
        self.session.stop()

    # --- frames -----------------------------------------------------------------------------------------

    def tick(self) -> float:
        """Show a frame if there is something new. Returns in how many seconds to look again."""
        shown = self.frames
        # An app that leaves takes its screen apart bit by bit, and this is asked for in between.
        if not (self.app.is_running and self.is_attached and self.is_current) or self.has_class("-tiny"):
            return IDLE_S
        if self._pressed():
            return self.pace.slot_s
        begun = time.monotonic()
        self._show_picture()
        if time.monotonic() - begun < TURN_S or not self._brisk:
            self._show_panels_if_due()
        elif self._panels_are_due(begun):
            self.clock.soon(self._show_panels_if_due)
        # With nothing to show, or a picture that stays the same, look less often: what a person does is shown at
        # once anyway, and a question is seen a tenth of a second after it sets out.
        view = self.picture
        calm = self.frames == shown or view.calm >= CALM_FRAMES
        least = IDLE_S if calm else QUIET_S if view.quiet else 0.0
        if not self._brisk:
            least = max(least, CALM_S)
        return max(self.pace.slot_s, least if self.app.app_focus else AWAY_S)

    @property
    def _brisk(self) -> bool:
        """Whether frames follow each other as fast as was asked for. Where they do not, a frame and panels that are due
        are drawn in one turn of the loop: what they have in common (finding what is dirty, writing it) is done once."""
        return self._steady or self.session.watched or self.picture.moving

    @property
    def _panel_slot_s(self) -> float:
        if not self.app.app_focus:
            return AWAY_PANEL_S
        return PANEL_S if self.session.watched else CALM_PANEL_S

    def _show_picture(self) -> None:
        view = self.picture
        now = time.monotonic()
        self.session.tend()
        if (self.session.stale or view.moving) and waiting(self.app) > WAITING_MOST:
            self.pace.held_up()
            return
        if self.session.stale or view.moving:
            self.pace.painted(now, view.paint_s)
            self.frames += 1
            self._take_frame(draw=True)
            self._drawn_s = time.monotonic()

    def _take_frame(self, *, draw: bool) -> None:
        frame = self.session.frame(self.pace.fps)
        self.query_one(SwarmView).show(frame, draw=draw)
        if draw:
            self.ask_picture.show(frame)
        # After a jump, what was told of the time before it did not happen yet, or is told again.
        jumped, self._jumps = frame.jumps != self._jumps, frame.jumps
        self._events = frame.events if jumped else self._events + frame.events
        self._panel_frame = frame

    def _panels_are_due(self, now: float) -> bool:
        return self._panel_frame is not None and now - self._panels_s >= self._panel_slot_s

    def _show_panels_if_due(self) -> None:
        now = time.monotonic()
        if self.app.is_running and self.is_attached and self._panels_are_due(now):
            self._show_panels(now)

    def _show_panels(self, now: float) -> None:
        """The panels' frame: all events since the last one they had."""
        assert self._panel_frame is not None
        frame = replace(self._panel_frame, events=self._events)
        charts = self.session.watched or now - self._charts_s >= CHARTS_S
        self._charts_s = now if charts else self._charts_s
        self._events, self._panel_frame, self._panels_s = (), None, now
        self.query_one(StatusBar).show(frame)
        self.query_one(AskBar).show(frame)
        self.query_one(CourtBar).show(frame)
        self.show_time(frame)
        for name, kind in PANEL_TYPES.items():
            # The feed and the story count what they are handed, so they are not left out when they are hidden.
            if (name in self._shown and (name != "charts" or charts)) or name in ("feed", "story"):
                self.query_one(kind).show(frame)
        notice = (
            frame.alarm and f"{frame.alarm}. This run cannot go on: {{run.network}} starts another."
        ) or frame.notice
        line = self.query_one("#notice", Static)
        if notice != getattr(self, "_noticed", ""):
            self._noticed = notice
            line.update(keyed(self.app, notice))
            line.set_class(bool(notice), "-open")
            line.set_class(bool(frame.alarm), "-alarm")
        self.make_room()
        self.show_tour(frame)
        if now - self._keys_s >= KEYS_S:
            self._keys_s = now
            self.refresh_keys(frame)

    def at_once(self) -> None:
        """A person did something: show it now, panels too."""
        self._panels_s = self._keys_s = self._charts_s = -1e9
        if self.is_mounted and self.is_current and not self.has_class("-tiny"):
            self.session.touch()
            if self._pressed():
                self._take_frame(draw=False)
                self.session.touch()
            else:
                self._show_picture()
                self._show_panels_if_due()

    def _pressed(self) -> bool:
        """Whether more input waits than could be seen if each were drawn: the clock draws what has become of it."""
        inputs = getattr(self.app, "inputs", None)
        return inputs is not None and inputs.pressing and time.monotonic() - self._drawn_s < PRESSED_S

    # --- room -------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Another terminal size."""
        self.make_room()
        self.at_once()

    def on_screen_resume(self) -> None:
        """Back from a dialog."""
        self.at_once()

    def make_room(self) -> None:
        """Show the panels there is room for."""
        width, height = self.size
        tiny = too_small(width, height)
        self.set_class(tiny, "-tiny")
        if tiny:
            told = f"swarmtop needs {LEAST_W} x {LEAST_H} cells; this terminal has {width} x {height}."
            self.query_one("#small", Static).update(f"{told} The swarm goes on meanwhile.")
            return
        self.set_class(drawer(width, height), "-narrow")
        self.set_class(height < TALL, "-short")
        self.set_class(width < WIDE or height < TALL, "-compact")
        self.set_class(width >= HUGE_W and height >= HUGE_H, "-huge")
        self.query_one(Timeline).display = height >= TIMELINE_H
        self.set_class(height < TIMELINE_H, "-lowest")
        chosen = (self.session.selected is not None) and not self.drawer_shut
        shown = rooms(width, height, self.wishes, selected=chosen, story=self.has_story, whole=self.whole)
        if shown == self._shown:
            return
        fresh = shown - self._shown
        self._shown = shown
        others = {} if self.whole else behind(width, height, self.wishes, shown, story=self.has_story)
        for view in (self.view, self.ask_picture):
            view.set_class(PICTURE not in shown, "-behind")
            view.set_class(self.whole == PICTURE, "-whole")
        for name in PANEL_TYPES:
            panel = self.panel(name)
            # A class and not `display`: a panel may have reasons of its own to be hidden, and they should hold.
            panel.set_class(name not in shown, "-away")
            panel.set_class(name == self.whole, "-whole")
            carry_keys(panel, [FrameKey(str(n), PANELS[n], f"panel({n})") for n in others.get(name, ())])
        for row, parts in ROWS.items():
            self.query_one(f"#{row}").display = bool(parts & shown)
            self.query_one(f"#{row}").set_class(self.whole in parts, "-whole")
        if self.whole:
            self.panel(self.whole).focus()
        elif self.panel_at(self.focused) not in shown:
            self.picture.focus()
        if fresh:
            self.at_once()

    @property
    def has_story(self) -> bool:
        """Whether the scenario has something to tell."""
        scenario = self.session.scenario
        same = scenario.setup.protocol == self.session.setup.protocol
        return same and bool(scenario.about or scenario.captions or scenario.expects)

    @property
    def app_glyphs(self) -> Any:
        """The alphabet of pictures that the app was started with."""
        return getattr(self.app, "glyph_mode", "braille")

    def panel(self, name: str) -> Any:
        """A panel by its name in PANELS, or the picture."""
        return self.picture if name == PICTURE else self.query_one(PANEL_TYPES[name])

    def panel_at(self, widget: Widget | None) -> str:
        """The name of the panel that a widget is or is in; empty for none."""
        node: DOMNode | None = widget
        while node is not None and node is not self:
            if node.id in PANEL_TYPES:
                return str(node.id)
            if isinstance(node, (SwarmView, AskPicture)):
                return PICTURE
            node = node.parent
        return ""

    def panel_name(self, digit: int) -> str:
        """Which panel a digit toggles, or empty."""
        return PANELS.get(digit, "")

    # --- what panels say ---------------------------------------------------------------------------------

    @on(say.AskPicked)
    def _chose(self, event: say.AskPicked) -> None:
        self.session.choose(event.ask)
        self.at_once()

    @on(say.Act)
    def _act(self, event: say.Act) -> None:
        self.carry_out(event.command)

    @on(say.Wish)
    async def _wished(self, event: say.Wish) -> None:
        await self.app.run_action(event.action, self)

    @on(say.AskWanted)
    def _ask_wanted(self, event: say.AskWanted) -> None:
        if event.origin is not None:
            self.session.select(event.origin)
        self.open_ask_bar()

    @on(say.AskLeft)
    def _ask_left(self) -> None:
        self.close_bars()

    @on(say.Paced)
    def _paced(self, event: say.Paced) -> None:
        self.session.live.set_speed(event.speed)
        self.at_once()

    def close_bars(self) -> None:
        """Put away where one types; the picture has the keys again."""
        try:
            self.query_one(FilterBar).close()
            self.query_one(AskBar).remove_class("-open")
            self.picture.focus()
        except NoMatches:
            return
