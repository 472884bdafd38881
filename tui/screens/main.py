"""The dashboard: panels around the picture, a frame clock, and the table of actions that it is given.

Panels post messages about what a person wants, and get frames; this screen connects them with the session. It asks for
a frame only when something can have changed, so a paused swarm takes no time, and it gives slow panels at most four
frames a second, because a number that changes more often cannot be read.

**Actions.** Everything a person can do is a row (`Action`) of one table; the rows are in `tui/actions/`, beside the
functions that they run. A key, a click on a key, a button, a line of a menu and the palette all call `perform`: it asks
once why the action is not possible, shows the reason or runs it, and one frame is drawn when the turn of the event loop
is over. No action draws.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.geometry import Offset, Region, Size
from textual.widget import Widget
from textual.widgets import Input, Static

from engine import (
    ALIVE,
    Act,
    AskFor,
    Attack,
    Command,
    Event,
    InputError,
    PeerFailed,
    PeerId,
    Publish,
    VerbOffer,
    dataclass,
    file_of,
)
from tui.config.keys import Key, bindings, key_for, keyed, shown_together
from tui.draw import raster
from tui.draw.styles import Mode
from tui.input_queue import queue_of
from tui.preferences import Preferences
from tui.session.done import Done
from tui.session.frame import Frame
from tui.session.panels import (
    DIGITS,
    HISTORY,
    HUGE_H,
    HUGE_W,
    LAYOUTS,
    LEAST_H,
    LEAST_W,
    LEFT_LEAST,
    NAMES,
    OPTIONS,
    PANELS,
    PICTURE,
    PRESENT,
    ROW_LEAST,
    ROWS,
    SIDE_LEAST,
    TALL,
    TIMELINE_H,
    TOP_LEAST,
    WIDE,
    drawer,
    fitted,
    shown_panels,
    too_small,
)
from tui.session.session import Session
from tui.session.verbs import ACT, ASK, Verb, VerbsOnce, askers_of, called, chosen_in, told_of, values_typed
from tui.textual_compat import LeanScreen, bind, fail, unwritten
from tui.widgets import messages as say
from tui.widgets.asks_table import AsksTable
from tui.widgets.charts import Chart, Charts
from tui.widgets.controls import Controls
from tui.widgets.feed import Feed
from tui.widgets.inspector import Inspector
from tui.widgets.panel import Offer, carry_keys, is_named, pressed, rename
from tui.widgets.status import CourtBar, Figures, KeyBar, StatusBar
from tui.widgets.swarm_view import SwarmView
from tui.widgets.timeline import Timeline

from .frame_clock import WAITING_MOST, FrameClock, FramePace

if TYPE_CHECKING:
    from tui.widgets.ask_bar import AskBar
    from tui.widgets.ask_picture import AskPicture
    from tui.widgets.attacks import Attacks
    from tui.widgets.banner import Banner
    from tui.widgets.filter_bar import FilterBar
    from tui.widgets.history import History
    from tui.widgets.menu import Line, Menu
    from tui.widgets.options_panel import Options
    from tui.widgets.peers_table import PeersTable
    from tui.widgets.theme_drawer import ThemeDrawer

    from .jump import Target
    from .tour import Tour, TourBox

PANEL_S = 0.25
"""Wall seconds between two frames for a panel with figures, while a person's ask is under way."""
CALM_PANEL_S = 1.0
"""The same while none is."""
KEYS_S = 1.0
"""Wall seconds between two checks of which keys are possible, while a person does nothing."""
TURN_S = 0.006
"""Wall seconds: after a picture that took longer, panels wait for another turn of the loop, so that keys need not wait
for both."""
MIDDLE = 0.03
"""A peer that is no further from the middle of the picture, as a share of its width, leaves the drawer where it is."""
PRESSED_S = 0.2
"""Wall seconds between two pictures while more input waits: its result is shown soon, not each step."""
IDLE_S = 0.1
CALM_FRAMES = 3
QUIET_S = 1 / 10
"""The slot while only a few messages move: a few dots need no more frames, and it saves power."""
CALM_S = 1 / 6
"""The slot while no ask of a person is under way and no peer moves, if no frame rate was set."""
AWAY_S, AWAY_PANEL_S = 4.0, 8.0
"""The slots of the picture and of panels while the terminal does not have the focus; a key or the focus ends this."""
REST_S = 0.005
"""Wall seconds between two looks whether the first picture is written."""
REST_LOOKS = 100
"""After so many looks it is not waited for any more: the line is slow, and keys wait."""
TICK_S, AWAY_TICK_S = 0.1, 1.0
"""Wall seconds between two advances of virtual time between frames; each frame advances it too."""
CHARTS_S = 2.9
"""Wall seconds between two frames for the charts while no ask of a person is under way: they take more time than any
other panel."""
PANEL_IDS = (
    *("inspector", "asks", "controls", "charts", "feed", "story", "figures"),
    *("peers", "kinds", "attacks", OPTIONS, HISTORY),
)
"""In the order in which they get their frames."""
PARTS: dict[str, tuple[str, ...]] = {
    "body": ("banner", "top", "middle", "bottom", "figures", "themes"),
    "top": ("swarm", "ask-picture", "inspector", "attacks", OPTIONS),
    "middle": ("asks", "peers", "kinds", HISTORY, "story", "controls"),
    "bottom": ("charts", "feed"),
    "": ("status", "court-bar", "body", "notice", "ask-bar", "filter", "menu", "timeline", "keys", "tour", "small"),
}
"""What is in the screen and in its containers, by id, in order."""
ON_DEMAND = frozenset(
    (
        *("banner", "ask-picture", "themes", "ask-bar", "filter", "menu", "tour"),
        *("peers", "kinds", "attacks", "story", OPTIONS, HISTORY),
    )
)
"""Parts that most first pictures do not show. Where they do not, they are made after it."""
TURN = "view.picture"
OF_SWARM = (TURN, "view.belief", "ask.silence", "run.court", "view.placement", "view.colour")
OF_ASK = (TURN, "ask.next", "ask.hop", "ask.silence", "run.court")
"""Actions in the frame of each picture; where room is short, those at the end are left out first."""
LATE = ("attacks", OPTIONS)
"""Panels that make their contents when they are first opened, and then take the focus by themselves."""
UP_DOWN, LEFT_RIGHT = ("list.up", "list.down"), ("list.left", "list.right")
PANEL_KEYS: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "inspector": ((UP_DOWN, "read"), (LEFT_RIGHT, "tab")),
    "asks": ((UP_DOWN, "choose"), (LEFT_RIGHT, "sort"), (("ask.filter",), "which")),
    "controls": ((UP_DOWN, "go"), (("dial.less", "dial.more"), "change"), (("button.press",), "press")),
    "charts": ((LEFT_RIGHT, "chart"), (("list.choose",), "series")),
    "feed": ((LEFT_RIGHT, "kinds"), (("list.first",), "newest"), (("peer.filter",), "search")),
    "story": ((UP_DOWN, "read"), (LEFT_RIGHT, "guess")),
    "peers": ((("peers.sort_left", "peers.sort_right"), "sort"), (("peers.invert",), "reverse"),
              (("peers.mark_up", "peers.mark_down"), "mark"), (("peer.filter",), "rows")),
    "kinds": ((LEFT_RIGHT, "sort"),),
    "attacks": ((UP_DOWN, "choose"), (("dial.less", "dial.more"), "change"), (("list.choose",), "do it"),
                (("attack.undo",), "undo")),
    OPTIONS: ((UP_DOWN, "choose"), (("dial.less", "dial.more"), "change"), (("list.choose",), "apply"),
              (("option.restart",), "restart"), (("option.again",), "and act again")),
    HISTORY: ((UP_DOWN, "choose"), (("list.choose",), "go there"), (("run.copy_action",), "copy")),
}  # fmt: skip
"""Keys that the key bar shows first while a panel has the focus: ids, and what they do there."""
OF_HISTORY = ("run.copy_action", "run.copy_flag", "run.copy_words", "run.to_action")
"""Actions on a line of the history."""
CHOOSE = ("peer.neighbours", "peer.operator", "peer.everybody", "peer.nobody")
"""Actions at the end of the menu, which choose other peers."""
ROW_OF_VERB = {"ask": "ask.here", "calloff": "run.calloff"}
"""The row of a verb, where it is not `peer.` and the id of the verb."""
SELDOM_USED = 30
"""The rank of a key that is seldom of use."""
SPARED = 500
"""The most peers that are checked for what a box would hide: among many peers it hides some at any place."""
FAREWELL = "That was the tour. {app.help} shows all keys, {app.palette} finds any action by name."


def room_classes(width: int, height: int) -> dict[str, bool]:
    """The classes of the screen by which the style sheet tells terminals of different sizes apart."""
    if too_small(width, height):
        return {"-tiny": True}
    return {
        "-tiny": False,
        "-narrow": drawer(width, height),
        "-short": height < TALL,
        "-compact": width < WIDE or height < TALL,
        "-huge": width >= HUGE_W and height >= HUGE_H,
        "-lowest": height < TIMELINE_H,
    }


class Program(Protocol):
    """What actions use of the app, in addition to Textual's own."""

    @property
    def preferences(self) -> Preferences:
        """The person's themes, keys, density and motion."""

    def leave(self, code: int) -> None:
        """End the program."""

    def open_palette(self) -> None:
        """Find an action by its name."""

    def suspend_to_shell(self) -> None:
        """Suspend the program."""


class Words(NamedTuple):
    """The words of an action at this moment. label: on a key or button; says: in the menu and palette; tip: what it
    does. Those that are empty are as in the row of the action."""

    label: str = ""
    says: str = ""
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What an action works on."""

    session: Session
    screen: MainScreen
    app: Program


def _possible(context: Context) -> str:
    return ""


def _unchanged(context: Context) -> Words:
    return Words()


@dataclass(frozen=True, slots=True)
class Action(Key):
    """One thing that a person can do. `run` does it; `why_not` says in a sentence why it is not possible now, and is
    empty if it is; `words` returns its words where these change; `says` is its name in menu and palette, if that
    is not group and label."""

    run: Callable[[Context], None] = field(kw_only=True)
    why_not: Callable[[Context], str] = field(default=_possible, kw_only=True)
    words: Callable[[Context], Words] = field(default=_unchanged, kw_only=True)
    says: str = field(default="", kw_only=True)


class MainScreen(LeanScreen[None]):
    """The screen of a session. It runs the session's swarm while it is mounted."""

    AUTO_FOCUS = "SwarmView"

    def __init__(
        self, session: Session, table: Sequence[Action], program: Program, *, fps: float = 20.0, steady: bool = False
    ) -> None:
        """steady: always `fps` frames a second; else fewer while nothing that a person did is under way."""
        super().__init__()
        self._steady = steady
        self.session = session
        self.context = Context(session, self, program)
        self.table = {action.id: action for action in table}
        bind(self, bindings(table, "main"))
        self.pace = FramePace(fps)
        self.clock = FrameClock(self.tick, self._broke)
        self.panels = program.preferences.layout
        self._kept = self.panels.to_json()
        self._arranged_for: Size | None = None
        """The size of the terminal that the panels were arranged for last."""
        self._sized: dict[str, int] = {}
        """The sizes of panels that are set."""
        self._focused_parts: dict[str, Widget] = {}
        """The part of each panel that had the focus last."""
        self._dragged: tuple[str, ...] = ()
        """The borders that are being dragged: `side`, `middle`, `bottom`."""
        self._named = False
        """Whether names were shown before the layout that shows them always."""
        self._moved = False
        """Since the button was pressed, a border was moved."""
        self.tour: Tour | None = None
        self.frames = 0
        """Number of frames shown; a test compares it with how much has changed."""
        self._panel_frame: Frame | None = None
        self._panels_s = self._keys_s = self._charts_s = self._drawn_s = -1e9
        self._events: tuple[Event, ...] = ()
        self._jumps = 0
        self._offers: tuple[Offer, ...] = ()
        self._shown_sizes: dict[str, Size] = {}
        """The size that each panel had when a frame was last shown in it."""
        self._keys_late = False
        """The focus went elsewhere since the key bar was updated."""
        self._rows_of: tuple[Sequence[Key], Sequence[Action]] = ((), ())
        self._verbs_of = VerbsOnce()
        self._noticed = ""
        self.complete = False
        """All parts are there: with the first picture only those are made that it shows."""
        self._rest_looks = 0
        self._made_first: frozenset[str] = frozenset()
        """Those of `ON_DEMAND` that the first picture shows."""
        self._due = False
        """A frame is drawn when this turn of the loop is over."""
        self._known = True
        """The picture's frame contains everything that was done."""
        self._played = self._holding = False
        """Whether time ran before the pointer took the cursor of the timeline, which it still holds."""

    def compose(self) -> ComposeResult:
        """From the top: figures, the picture and the inspector, asks and controls, charts and feed, text fields."""
        # After each later change of a class Textual matches the rules of all widgets again.
        shown = shown_panels(*self.app.size, self.panels.wishes, story=self.has_story)
        looks = {
            "-dense": self.context.app.preferences.density == "compact",
            "-letters": self.glyphs == "ascii",
            "-beside": bool(ROWS["top"][1] & shown),
        }
        self.update_classes(room_classes(*self.app.size) | looks, update=False)
        self._made_first = frozenset(name for name in ON_DEMAND if self._is_first(name, shown))
        yield from [self._made(name, shown) for name in PARTS[""] if self._is_first(name, shown)]

    def _is_first(self, name: str, shown: frozenset[str]) -> bool:
        """Whether a part is made with the first picture."""
        if name in PANEL_IDS:
            return name in shown or name not in ON_DEMAND
        return name not in ON_DEMAND or (name == "banner" and self.panels.name == PRESENT)

    def _made(self, name: str, shown: frozenset[str]) -> Widget:
        """A part by its id, with what is in it and is made with the first picture."""
        if name in PARTS:
            inside = [self._made(part, shown) for part in PARTS[name] if self._is_first(part, shown)]
            return (Vertical if name == "body" else Horizontal)(*inside, id=name)
        if name in ("notice", "small"):
            return Static("", id=name, markup=False)
        shared: dict[str, type[Widget]] = {
            "status": StatusBar,
            "court-bar": CourtBar,
            "asks": AsksTable,
            "charts": Charts,
            "feed": Feed,
            "figures": Figures,
            "timeline": Timeline,
            "keys": KeyBar,
        }
        if name in shared:
            return shared[name](id=name)
        complete = self.session.selection.completions
        match name:
            case "swarm":
                return SwarmView(glyphs=self.glyphs, id=name)
            case "inspector":
                return Inspector(verbs=self._verbs_of, id=name)
            case "controls":
                return Controls(complete=complete, id=name)
            case "ask-picture":
                from tui.widgets.ask_picture import AskPicture

                return AskPicture(glyphs=self.glyphs, id=name, classes="-away")
            case "filter":
                from tui.widgets.filter_bar import FilterBar

                return FilterBar(complete=complete, id=name)
        from . import late

        if name in PANEL_IDS and name not in shown:
            return late.KINDS[name](id=name, classes="-away")
        return late.KINDS[name](id=name)

    async def _make_rest(self) -> None:
        """Make the parts that the first picture did not need, once that picture is written. They are hidden until a key
        opens them."""
        if not self.is_attached:
            return
        if unwritten(self.app) and self._rest_looks < REST_LOOKS:
            self._rest_looks += 1
            self.set_timer(REST_S, self._make_rest)
            return
        waits = []
        for place, names in PARTS.items():
            box: Widget = self.query_one(f"#{place}") if place else self
            there = {child.id: child for child in box.children}
            last: Widget | None = None
            for name in names:
                part = there.get(name)
                if part is None:
                    part = self._made(name, frozenset())
                    waits.append(box.mount(part, before=0 if last is None else None, after=last))
                last = part
        for wait in waits:
            await wait
        self.complete = True
        self.give_sizes()
        if not self.panels.shown & ON_DEMAND <= self._made_first:
            # The terminal has got another size meanwhile, in which more panels are shown.
            self._arrange()
            self.changed()
        frame = self.view.frame
        if self.is_attached and frame is not None and not self.has_class("-tiny"):
            self._show_rest(frame)

    def delays(self, event: events.Event) -> bool:
        """Whether input has to wait: until all parts are there that it may open."""
        return not self.complete

    def on_mount(self) -> None:
        """Start virtual time and the frame clock."""
        self.view.tooltip = None
        # Virtual time runs from the first picture on: the code that paces it takes time to load, and a frame advances
        # it too.
        self.after_drawing(self._pace)
        self.make_room()
        self.colour_by_scenario()
        self.clock.start()
        self.session.player.pacer.tick_s = TICK_S
        self.watch(self.app, "app_focus", self._focus_changed, init=False)

    def _focus_changed(self, focused: bool) -> None:
        self.session.player.pacer.tick_s = TICK_S if focused else AWAY_TICK_S
        if focused and self.is_running:
            self._panels_s = -1e9
            self.clock.start()

    async def _pace(self) -> None:
        self.run_worker(self.session.run(), name="live", exit_on_error=False)

    def _broke(self, error: Exception) -> None:
        fail(self.app, error)

    def on_unmount(self) -> None:
        """Virtual time stops with the screen."""
        self.clock.stop()
        self.session.stop()

    # --- parts --------------------------------------------------------------------------------------------

    @property
    def view(self) -> SwarmView:
        """The picture of the swarm."""
        return self.query_one(SwarmView)

    @property
    def ask_picture(self) -> AskPicture:
        """The pictures of an ask: diagram and tree."""
        return cast("AskPicture", self.query_one("#ask-picture"))

    @property
    def ask_bar(self) -> AskBar:
        """The line to type an ask in."""
        return cast("AskBar", self.query_one("#ask-bar"))

    @property
    def filter_bar(self) -> FilterBar:
        """The line to type a selector or words in."""
        return cast("FilterBar", self.query_one("#filter"))

    @property
    def menu(self) -> Menu:
        """The list of what can be done."""
        return cast("Menu", self.query_one("#menu"))

    @property
    def banner(self) -> Banner:
        """Large figures for an audience."""
        return cast("Banner", self.query_one("#banner"))

    @property
    def peers_table(self) -> PeersTable:
        """The table of peers."""
        return cast("PeersTable", self.query_one("#peers"))

    @property
    def attacks(self) -> Attacks:
        """The panel of attacks."""
        return cast("Attacks", self.query_one("#attacks"))

    @property
    def options(self) -> Options:
        """The panel of the network's options."""
        return cast("Options", self.query_one(f"#{OPTIONS}"))

    @property
    def history(self) -> History:
        """The panel of what was done."""
        return cast("History", self.query_one(f"#{HISTORY}"))

    @property
    def theme_drawer(self) -> ThemeDrawer:
        """The list of themes."""
        return cast("ThemeDrawer", self.query_one("#themes"))

    @property
    def tour_box(self) -> TourBox:
        """The box with the text of the tour."""
        return cast("TourBox", self.query_one("#tour"))

    @property
    def picture(self) -> SwarmView | AskPicture:
        """The picture that is shown."""
        if not self.complete:
            return self.view
        other = self.ask_picture
        return self.view if other.has_class("-away") else other

    @property
    def enlarged(self) -> float:
        """The zoom factor of the picture."""
        shown = self.picture
        return shown.stage.view.zoom if isinstance(shown, SwarmView) else shown.looking.zoom

    @property
    def timeline(self) -> Timeline:
        """The line above the keys."""
        return self.query_one(Timeline)

    @property
    def glyphs(self) -> Mode:
        """The characters that pictures are drawn with."""
        return self.context.app.preferences.glyph_mode

    @property
    def has_story(self) -> bool:
        """Whether the run has captions."""
        scenario = self.session.player.scenario
        same = scenario.setup.protocol == self.session.player.setup.protocol
        return same and bool(scenario.about or scenario.captions or scenario.expects)

    def _pictures(self) -> tuple[SwarmView | AskPicture, ...]:
        return (self.view, self.ask_picture) if self.complete else (self.view,)

    def _panels_made(self) -> Sequence[str]:
        """The panels that are there already."""
        return [name for name in PANEL_IDS if self._is_there(name)]

    def _is_there(self, name: str) -> bool:
        return self.complete or name not in ON_DEMAND or name in self._made_first

    def panel(self, name: str) -> Any:
        """A panel by its name in PANELS, or the picture."""
        return self.picture if name == PICTURE else self.query_one(f"#{name}")

    def panel_at(self, widget: Widget | None) -> str:
        """The name of the panel that a widget is or is in; empty for none."""
        node: DOMNode | None = widget
        while node is not None and node is not self:
            if node.id in PANEL_IDS:
                return str(node.id)
            if node.id in ("swarm", "ask-picture"):
                return PICTURE
            node = node.parent
        return ""

    # --- actions ------------------------------------------------------------------------------------------

    def action_do(self, id: str) -> None:  # noqa: A002
        """Run an action of the table by its id."""
        self.perform(self.table[id])

    def perform(self, action: Action) -> None:
        """Run an action, or say why it is not possible; then one frame shows the result."""
        why = self.why_not(action)
        if why:
            self.notify(keyed(self.app, why), severity="warning", markup=False, timeout=4)
            return
        action.run(self.context)
        self.keep_layout()
        self.changed()

    def why_not(self, action: Action) -> str:
        """Why an action is not possible now, in a sentence; empty if it is."""
        if not self.is_mounted:
            return ""
        if self.has_class("-tiny") and action.home == "main" and action.id != "app.focus":
            return "This terminal is too small to show what that would do."
        return action.why_not(self.context)

    def verbs(self) -> tuple[Verb, ...]:
        """The verbs for the chosen peers, possible or not."""
        frame = self.frame if self.is_mounted else None
        return () if frame is None else self._verbs_of(frame)

    def verb(self, id: str) -> Verb | None:  # noqa: A002
        """One of the verbs; None if no peer is chosen or the verb does not exist."""
        return next((verb for verb in self.verbs() if verb.id == id), None)

    def refresh_keys(self) -> None:
        """Update the key bar and the keys in the frame of the picture."""
        self._keys_late = False
        rows = self._rows_with_keys()
        shown = self.picture
        in_frame = OF_SWARM if isinstance(shown, SwarmView) else OF_ASK
        offers = {row.id: self._offer(row) for row in rows if row.rank or row.id in in_frame}
        bar = (*self._keys_inside(), *(offers[row.id] for row in rows if row.rank))
        if bar != self._offers:
            self._offers = bar
            self.query_one(KeyBar).show_items(bar)
        label = {row.id: row.label for row in rows}
        if not isinstance(shown, SwarmView):
            label[TURN] = {"diagram": "tree", "tree": "swarm"}.get(shown.kind, label.get(TURN, ""))
        carry_keys(shown, [replace(offers[id_], word=label[id_]) for id_ in in_frame if id_ in offers])

    def _rows_with_keys(self) -> Sequence[Action]:
        """The actions that have a key, the same list until keys are mapped otherwise."""
        keys = self.context.app.preferences.keys_now
        if keys is not self._rows_of[0]:
            self._rows_of = keys, [row for row in keys if isinstance(row, Action) and row.shown]
        return self._rows_of[1]

    def _keys_inside(self) -> list[Offer]:
        """The keys of the panel with the focus; none for the picture, whose keys are in the bar anyway."""
        name = self.panel_at(self.focused)
        known = self.context.app.preferences.keys_by_id
        made = []
        for ids, word in PANEL_KEYS.get(name, ()):
            rows = [known[id_] for id_ in ids if known[id_].shown]
            if rows:
                last = rows[-1]
                action = last.action if isinstance(last, Action) else f"inside('{last.id}')"
                made.append(Offer(shown_together([row.shown for row in rows]), word, action, "", last.tip, 0))
        if made and name in DIGITS:
            made.append(Offer(str(DIGITS[name]), "hide", self.row_of_panel(name).action, "", "Hide this panel.", 1))
        return made

    def _offer(self, row: Action) -> Offer:
        now = row.words(self.context)
        why = keyed(self.app, self.why_not(row))
        # The peers that answered an ask of a person are probably needed next. For asks that peers issue by themselves
        # the key would appear and disappear every few seconds, and move all other keys.
        rank = SELDOM_USED if row.id == "ask.answerer" and (why or self.session.selection.following) else row.rank
        return Offer(
            row.shown, now.label or row.label, row.action, why, keyed(self.app, now.tip) if now.tip else row.tip, rank
        )

    # --- frames -----------------------------------------------------------------------------------------

    def tick(self) -> float:
        """Show a frame if something changed. Returns after how many seconds to check again."""
        shown = self.frames
        # An app that is leaving removes the widgets one by one, and this may be called meanwhile.
        if not (self.app.is_running and self.is_attached and self.is_current) or self.has_class("-tiny"):
            return IDLE_S
        if self._arranged_for is None:  # nothing is laid out yet: the first frame comes with the first `on_resize`
            return self.pace.slot_s
        if self._pressed():
            return self.pace.slot_s
        begun = time.monotonic()
        self._show_picture()
        if time.monotonic() - begun < TURN_S or not self._full_rate:
            self._show_panels_if_due()
        elif self._panels_are_due(begun):
            self.clock.between_frames(self._show_panels_if_due)
        # With nothing to show, or a picture that stays the same, check less often: what a person does is shown at once
        # anyway, and a new question is shown a tenth of a second after it was sent.
        view = self.picture
        calm = self.frames == shown or view.calm >= CALM_FRAMES
        least = IDLE_S if calm else QUIET_S if view.quiet else 0.0
        if not self._full_rate:
            least = max(least, CALM_S)
        return max(self.pace.slot_s, least if self.app.app_focus else AWAY_S)

    @property
    def _full_rate(self) -> bool:
        """Whether the full frame rate is in use. If not, a picture and panels that are due are drawn in one turn of the
        loop: the work that they share (finding what changed, writing it) is done once."""
        return self._steady or self.session.watched or self.picture.moving

    @property
    def _panel_slot_s(self) -> float:
        if not self.app.app_focus:
            return AWAY_PANEL_S
        return PANEL_S if self.session.watched else CALM_PANEL_S

    def _show_picture(self) -> None:
        view = self.picture
        now = time.monotonic()
        self.session.player.poll()
        if (self.session.stale or view.moving) and unwritten(self.app) > WAITING_MOST:
            self.pace.held_up()
            return
        if self.session.stale or view.moving:
            self.pace.painted(now, view.paint_s)
            self.frames += 1
            self._take_frame(draw=True)
            self._drawn_s = time.monotonic()

    def _take_frame(self, *, draw: bool) -> None:
        self.session.shown = self._columns_seen()
        self.session.contacts = self._links_seen()
        self.session.inspected = "inspector" in self.panels.shown
        self.session.followed = self.query_one(Charts).followed
        frame = self.session.frame(self.pace.fps)
        self._known = True
        self.view.show(frame, draw=draw)
        if draw and self.complete:
            self.ask_picture.show(frame)
        # After a jump in time, events reported before are in the future, or are reported again.
        jumped, self._jumps = frame.jumps != self._jumps, frame.jumps
        self._events = frame.events if jumped else self._events + frame.events
        self._panel_frame = frame

    def _columns_seen(self) -> frozenset[str]:
        """The columns of the network that somebody looks at: the one that peers are coloured by, all in the table."""
        frame = self.view.frame
        all_ = () if frame is None else frame.snapshot.fixed.shows
        table = "peers" in self.panels.shown
        return frozenset(one.name for one in all_ if table or one.name == self.view.colour_by)

    def _links_seen(self) -> bool:
        """Whether somebody looks at the links of all peers: in the table, or in the picture while that shows the swarm,
        and not what a peer believes or the path of an ask."""
        drawn = self.picture is self.view and PICTURE in self.panels.shown and not self.session.analysis.show_belief
        return (drawn or "peers" in self.panels.shown) and not self.session.player.alarm

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
        self.place_drawer()
        self.make_room()
        self.call_after_refresh(self._hide_covered_names)
        self.query_one(StatusBar).show(frame)
        self.query_one(CourtBar).show(frame)
        self.show_time(frame)
        for name in self._panels_made():
            # The feed and the story collect events, so they get frames also when they are hidden.
            if (name in self.panels.shown and (name != "charts" or charts)) or name in ("feed", "story"):
                panel = self.panel(name)
                self._shown_sizes[name] = panel.size
                panel.show(frame)
        if self.panels.name == PRESENT:
            self.banner.show(frame)
        notice = (frame.alarm and f"{frame.alarm}. This run cannot go on: {self._after_failure()}.") or frame.notice
        line = self.query_one("#notice", Static)
        if notice != self._noticed:
            self._noticed = notice
            line.update(keyed(self.app, notice))
            line.set_class(bool(notice), "-open")
            line.set_class(bool(frame.alarm), "-alarm")
        if self.complete:
            self._show_rest(frame)
        if now - self._keys_s >= KEYS_S:
            self._keys_s = now
            self.refresh_keys()

    def _show_resized(self) -> None:
        """Once panels are laid out: show the latest frame again in those that have another size than when it was shown,
        since their texts are fitted to the size."""
        frame = self.view.frame
        if frame is None or not self.is_attached:
            return
        for name in self._panels_made():
            panel = self.panel(name)
            if name in self.panels.shown and panel.size != self._shown_sizes.get(name):
                self._shown_sizes[name] = panel.size
                panel.show(replace(frame, events=()))

    def _show_rest(self, frame: Frame) -> None:
        """The frame for what is made after the first picture."""
        self.ask_bar.show(frame)
        self.show_tour(frame)

    @property
    def frame(self) -> Frame | None:
        """The newest frame, with everything that was done since the last one was drawn."""
        if not self._known:
            self.session.touch()
            self._take_frame(draw=False)
            self.session.touch()
        return self.view.frame

    def changed(self) -> None:
        """Something changed: one frame is drawn when this turn of the event loop is over, even if this is called
        several times until then."""
        self._known = False
        if not self._due:
            self._due = True
            self.call_later(self._draw_due)

    def _draw_due(self) -> None:
        if self._due and self.is_attached:
            self.at_once()

    def at_once(self) -> None:
        """Show this moment now, on panels too."""
        self._due = False
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
        """Whether so much input waits that only its result is drawn, by the clock."""
        inputs = queue_of(self.app)
        return inputs is not None and inputs.more_waits and time.monotonic() - self._drawn_s < PRESSED_S

    # --- room -------------------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Another terminal size; at the start several events report the same one."""
        if self.size != self._arranged_for:
            first, self._arranged_for = self._arranged_for is None, self.size
            if first:  # what the start took is not made up for: time runs from the first picture on
                self.session.player.pacer.resync()
            self.make_room()
            self.at_once()
            if first:
                self.after_drawing(self._make_rest)
            else:
                self.call_after_refresh(self._show_resized)

    def on_screen_resume(self) -> None:
        """A dialog was closed."""
        self.changed()

    def make_room(self) -> None:
        """Show the panels that there is room for."""
        width, height = self.size
        self.update_classes(room_classes(width, height))
        if too_small(width, height):
            told = f"swarmtop needs {LEAST_W} x {LEAST_H} cells; this terminal has {width} x {height}."
            self.query_one("#small", Static).update(f"{told} The swarm goes on meanwhile.")
            return
        self.timeline.display = height >= TIMELINE_H
        story = self.has_story
        present = self.panels.name == PRESENT
        if present != self.has_class("-present"):
            self.set_class(present, "-present")
            if present:
                self._named = self.view.names
            self.view.names = present or self._named
            self.view.all_names = present
        if not self.panels.arrange(width, height, selected=self.session.selection.selected is not None, story=story):
            self.give_sizes()
            return
        self._arrange()

    def _arrange(self) -> None:
        """Show the panels that the layout has now, and hide the others."""
        shown, whole = self.panels.shown, self.panels.whole
        others = self.panels.behind(*self.size, story=self.has_story)
        for view in self._pictures():
            view.update_classes({"-behind": PICTURE not in shown, "-whole": whole == PICTURE})
        for name in self._panels_made():
            panel = self.panel(name)
            # A class and not `display`, since a panel may also hide itself for reasons of its own.
            panel.update_classes({"-away": name not in shown, "-whole": name == whole})
            rows = [(other, self.row_of_panel(other)) for other in others.get(name, ())]
            carry_keys(panel, [Offer(row.shown, other, row.action) for other, row in rows])
        for row, (left, right) in ROWS.items():
            part, parts = self.query_one(f"#{row}"), left | right
            part.display = bool(parts & shown)
            part.update_classes({"-whole": whole in parts, "-alone": row != "top" and not left & shown})
        self.set_class(bool(ROWS["top"][1] & shown), "-beside")
        self.give_sizes()
        self.call_after_refresh(self._show_resized)
        if whole:
            self.panel(whole).focus()
        elif self.panel_at(self.focused) not in shown:
            self.picture.focus()

    # --- sizes --------------------------------------------------------------------------------------------

    def give_sizes(self) -> None:
        """Give columns and rows the sizes that the person chose, as far as there is room."""
        panels, shown = self.panels, self.panels.shown
        wanted = {} if panels.whole else fitted(panels.sizes, *self.size, shown)
        made: dict[str, int] = {row: wanted[row] for row in ("middle", "bottom") if row in wanted}
        for row, (left, right) in ROWS.items():
            if "side" in wanted and (row == "top" or left & shown):
                made |= dict.fromkeys(right, wanted["side"])
        made = {name: size for name, size in made.items() if self._is_there(name)}
        if made == self._sized:
            return
        for name in made.keys() | self._sized.keys():
            styles, size = self.query_one(f"#{name}").styles, made.get(name)
            if size == self._sized.get(name):
                continue
            if name in ("middle", "bottom"):
                styles.height = size
            else:
                styles.width = size
        self._sized = made
        self.call_after_refresh(self._show_resized)

    def size_of(self, part: str) -> int | None:
        """The present size of the column at the right (`side`) or of a row; None where it is not shown."""
        shown = self.panels.shown
        if part == "side":
            if drawer(*self.size):
                return None
            rows = [right & shown for row, (left, right) in ROWS.items() if row == "top" or left & shown]
            # A size that was set is that of the next layout of the screen.
            names = [name for part in rows for name in part]
            there = [self._sized.get(name) or self.panel(name).outer_size.width for name in names]
            return there[0] if there else None
        widget = self.query_one(f"#{part}")
        return (self._sized.get(part) or widget.outer_size.height) if widget.display else None

    def limited(self, part: str, size: int) -> int:
        """The size nearest to this one that there is room for, while the other row keeps its size."""
        width, height = self.size
        if part == "side":
            return min(max(size, SIDE_LEAST), width - LEFT_LEAST)
        other = self.size_of("bottom" if part == "middle" else "middle") or 0
        return max(ROW_LEAST, min(size, height - 3 - max(TOP_LEAST, height // 3) - other))

    def resize_part(self, part: str, size: int) -> bool:
        """Give the column or a row another size; the picture gets the rest. Returns whether the size changed."""
        sizes, before = self.panels.sizes, self.size_of(part)
        for row in ("middle", "bottom"):
            now = self.size_of(row)
            if part != "side" and now is not None:
                sizes.setdefault(row, now)
        sizes[part] = self.limited(part, size)
        self.give_sizes()
        return sizes[part] != before

    def borders_at(self, x: int, y: int) -> tuple[str, ...]:
        """The borders between panels that a cell of the screen is on."""
        if self.panels.whole:
            return ()
        found, shown = [], self.panels.shown
        for row, (left, right) in ROWS.items():
            place = self.query_one(f"#{row}").region
            column = [self.panel(name).region.x for name in right & shown if row == "top" or left & shown]
            dense = self.has_class("-dense")
            beside = place.y <= y < (place.y + 1 if dense else place.bottom) and not drawer(*self.size)
            if column and beside and x in (column[0] - 1, column[0]):
                found.append("side")
            if row != "top" and place.area and y in ((place.y,) if dense else (place.y - 1, place.y)):
                found.append(row)
        return tuple(dict.fromkeys(found))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """On a border between panels: drag it."""
        self._moved = False
        if event.button == 1 and not self._dragged and not pressed(event):
            self._dragged = self.borders_at(event.screen_x, event.screen_y)
            if self._dragged:
                self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Move the border that is dragged."""
        x, y = event.screen_x, event.screen_y
        for part in self._dragged:
            size = self.size_of(part)
            if part == "side" and size is not None:
                wanted = self.size.width - x
            elif size is not None:
                wanted = self.query_one(f"#{part}").region.bottom - y
            else:
                continue
            # A border is two cells thick: a press alone moves nothing.
            if abs(wanted - size) > 1 or self._moved:
                self._moved |= self.resize_part(part, wanted)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End the drag of a border, and keep the sizes."""
        if self._dragged:
            self._dragged = ()
            self.release_mouse()
            if self._moved:
                self.keep_layout()
                self.changed()

    def keep_layout(self) -> None:
        """Keep layout, panels and sizes for the next start, if they are others."""
        told = self.panels.to_json()
        if told != self._kept:
            self._kept = told
            self.context.app.preferences.keep_layout(told)

    def row_of_panel(self, name: str) -> Action:
        """The row of the table that shows or hides a panel."""
        return self.table[f"panel.{DIGITS.get(name, name)}"]

    def restyle(self) -> None:
        """Density, motion or keys changed."""
        if self.is_mounted:
            self._offers = ()
            self.make_room()
            self.changed()

    def use_glyphs(self, mode: Mode) -> None:
        """Draw with other characters, so that a person whose font lacks braille can change them without a restart."""
        self.view.glyphs = self.ask_picture.glyphs = mode
        self.set_class(mode == "ascii", "-letters")
        for arrow in self.query(".arrow").results(Static):
            arrow.update("v" if mode == "ascii" else "▼")
        for widget in self.query("*"):
            if is_named(widget):
                rename(widget)
            widget.refresh()

    # --- choosing peers -----------------------------------------------------------------------------------

    def pick(self, peer: PeerId | None, *, keep: bool = False) -> None:
        """Select a peer, and unmark all others unless `keep`; a narrow terminal opens the drawer on the side where
        the peer is not."""
        self.session.selection.select(peer, keep=keep)
        self.show_choice()

    def show_choice(self) -> None:
        """Other peers are chosen: show them, and open the drawer."""
        self.panels.drawer_shut = False
        self.place_drawer()
        self.make_room()
        self.changed()

    def place_drawer(self) -> None:
        """In a narrow terminal, move the inspector to the side of the picture where the selected peer is not."""
        peer, inspector = self.session.selection.selected, self.query_one(Inspector)
        share = 0.5 if peer is None else self.view.share_of(peer)
        # A peer that moves about in the middle does not move the drawer.
        if abs(share - 0.5) > MIDDLE:
            inspector.set_class(share > 0.5, "-left")

    def _hide_covered_names(self) -> None:
        """Draw no names in the cells that the drawer covers, once it is laid out."""
        covered = self._covered() if self.is_attached else None
        if covered != self.view.covered:
            self.view.covered = covered
            self.view.redraw()

    def _covered(self) -> tuple[int, int, int, int] | None:
        """The cells of the picture that the drawer covers, see `SwarmView.covered`."""
        inspector = self.query_one(Inspector)
        if not drawer(*self.size) or "inspector" not in self.panels.shown or not inspector.display:
            return None
        picture = self.view.content_region
        over = inspector.region.intersection(picture).translate((-picture.x, -picture.y))
        return (over.x, over.y, over.right, over.bottom) if over.area else None

    def neighbours(self) -> tuple[PeerId, ...]:
        """Peers that have a link to the chosen ones."""
        selected = self.session.selection.selected
        return self.session.analysis.neighbours(
            self.session.selection.marked or (() if selected is None else (selected,))
        )

    def on_peer_picked(self, event: say.PeerPicked) -> None:
        """A click, or a line of the table or the feed."""
        if self._moved:  # the click that ends the drag of a border
            return
        if event.toggle and event.peer is not None:
            self.session.selection.toggle_chosen(event.peer)
            self.show_choice()
        else:
            self.pick(event.peer)

    def on_peers_picked(self, event: say.PeersPicked) -> None:
        """A box, or rows of the table. An empty box chooses no peer, as a click where there is no peer does."""
        if event.peers or event.add:
            self.session.selection.mark_peers(event.peers, add=event.add)
            if event.add and event.peers:
                self.session.selection.select(event.peers[-1], keep=True)
            self.show_choice()
        else:
            self.pick(None)

    def open_filter(self) -> None:
        """Type a selector: which peers to mark, or what the focused table or feed should show."""
        panel = self.panel_at(self.focused)
        self.close_bars()
        bar = self.filter_bar
        if panel == "peers":
            bar.open("peers", self.session.selection.filter)
        elif panel == "feed":
            bar.open("feed", self.query_one(Feed).sought)
        else:
            bar.open("find")

    def on_filter_bar_used(self, event: FilterBar.Used) -> None:
        """The filter bar was used or closed. It stays where the selector is wrong, and says why."""
        if event.selector is not None and event.purpose != "feed":
            told, bad = self.session.selection.preview(event.selector)
            if bad:
                self.filter_bar.tell(told, bad=True)
                return
        self.close_bars()
        if event.selector is not None:
            if event.purpose == "peers":
                self.session.selection.apply_filter(event.selector)
            elif event.purpose == "feed":
                self.query_one(Feed).seek(event.selector)
            else:
                self.session.selection.mark(event.selector)
        if event.purpose in ("peers", "feed"):
            self.panel(event.purpose).focus()
        self.changed()

    def on_searched(self, event: say.Searched) -> None:
        """A click on the field of a panel that can be searched."""
        self.panel(event.panel).focus()
        self.open_filter()

    def on_preview_selector(self, event: say.PreviewSelector) -> None:
        """Show which peers a selector names, while it is typed."""
        told, bad = self.session.selection.preview(event.selector)
        bar = self.filter_bar
        if bar.is_open:
            bar.tell(told)
        else:
            self.query_one(Controls).tell(told, bad=bad)

    # --- commands -----------------------------------------------------------------------------------------

    def carry_out(self, command: Command) -> None:
        """Do a command, and say what it did in the frame after it."""
        self.session.carry_out(command)
        self.changed()

    def last_act(self) -> Act | None:
        """What takes back the verb of the network that a person did last; None if there is none."""
        done = [one for one in self.session.player.commands() if isinstance(one.command, Act)]
        command = done[-1].command if done else None
        if not isinstance(command, Act):
            return None
        swarm = self.session.swarm
        try:
            named = command.peers
            return swarm.opposite_of(command, swarm.select(named) if isinstance(named, str) else swarm.resolve(named))
        except InputError:
            return None

    @on(say.RunCommand)
    def _command_wanted(self, event: say.RunCommand) -> None:
        self.carry_out(event.command)

    @on(say.RunAction)
    def _action_wanted(self, event: say.RunAction) -> None:
        self.action_do(event.action)

    # --- asks ---------------------------------------------------------------------------------------------

    def answerers(self) -> tuple[PeerId, ...]:
        """The peers that answered the chosen ask, then the holders that they named; only those alive, if there are
        any."""
        frame = self.frame
        if frame is None or frame.trace is None or frame.trace.ask != self.session.selection.ask:
            return ()
        state = frame.snapshot.state
        known = tuple(peer for peer in told_of(frame.trace) if peer < len(state))
        return tuple(peer for peer in known if state[peer] == ALIVE) or known

    def open_ask_bar(self, *, publish: bool = False, offer: VerbOffer | None = None, goal: str | None = None) -> None:
        """Show the ask bar, to ask, to name a file that should be shared, or to type the values of a verb. goal: the
        name of the goal of an ask; None: that of the chosen ask, else the first of the network."""
        frame = self.frame
        if frame is None:
            return
        self.filter_bar.close()
        self.ask_bar.open(frame, publish=publish, offer=offer, goal=goal)
        self.changed()

    def ask_now(self, text: str, goal: str | None = None) -> None:
        """Ask for something from the chosen peers, or from any. goal: its name, by default the first of the network."""
        frame = self.frame
        self.session.ask_for(text, self.session.selection.selected if frame is None else askers_of(frame), goal)
        self.changed()

    @on(say.AskPicked)
    def _chose(self, event: say.AskPicked) -> None:
        self.session.selection.choose(event.ask)
        self.changed()

    @on(say.AskWanted)
    def _ask_wanted(self, event: say.AskWanted) -> None:
        if event.origin is not None:
            self.session.selection.select(event.origin)
        self.open_ask_bar()

    @on(say.AskLeft)
    def _ask_left(self) -> None:
        self.close_bars()

    def on_asked(self, event: say.Asked) -> None:
        """A text was typed to ask for, or the name of a file to share, or the values of a verb. The line closes; if
        this is not possible it stays open and says why."""
        session = self.session
        if event.act:
            session.refused = self._act_typed(event.act, event.text)
        elif event.publish:
            peers: Any = event.origin if event.origin is not None else session.selection.selected
            self.carry_out(Publish(peers, event.text))
        elif isinstance(event.origin, tuple):
            self.carry_out(AskFor(event.origin, event.text, event.goal))
        else:
            session.ask_for(event.text, event.origin, event.goal)
        if session.refused:
            session.notice.clear()
            self.ask_bar.refuse(event.text, session.refused)
        else:
            self.close_bars()
        self.changed()

    def act(self, name: str) -> None:
        """Do a verb of the network to the chosen peers; one that takes values opens a line to type them."""
        found = self.verb(f"{ACT}{name}")
        if found is None or not found.possible:
            return
        if found.command is not None:
            self.carry_out(found.command)
            return
        frame = self.frame
        offer = next((one for one in frame.offers if one.name == name), None) if frame is not None else None
        if offer is not None:
            self.open_ask_bar(offer=offer)

    def _act_typed(self, name: str, text: str) -> str:
        """Do a verb with the values that were typed. Returns why it could not be done, or ""."""
        frame = self.frame
        offer = next((one for one in frame.offers if one.name == name), None) if frame is not None else None
        if offer is None or not offer.able:
            return f"“{name}” cannot be done to the chosen peers any more"
        try:
            values = values_typed(offer, text)
        except InputError as error:
            return str(error)
        self.carry_out(Act(offer.able, name, values))
        return self.session.refused

    def close_bars(self) -> None:
        """Close the text fields; the picture gets the focus."""
        try:
            self.filter_bar.close()
            self.ask_bar.close()
            self.picture.focus()
        except NoMatches:
            return

    def _settle_bars(self) -> None:
        """Keep the focus in a text field that is open. If it has moved to the picture, by a click that chooses who
        asks, give it back to the field; if it has moved elsewhere, close the field."""
        if not (self.complete and self.is_attached):
            return
        for bar in (self.ask_bar, self.filter_bar):
            focused = self.focused
            if not bar.is_open or focused is None or bar in focused.ancestors_with_self:
                continue
            if focused is self.picture:
                bar.focus()
            else:
                bar.close()
                self.changed()

    # --- jump mode ----------------------------------------------------------------------------------------

    def jump(self) -> None:
        """Show letters on peers and the key of each panel on it, and go to the one that is typed."""
        self.close_bars()
        from .jump import JumpScreen

        keys = {str(digit): name for digit, name in PANELS.items()}
        keys |= {key_for(self.app, f"panel.{name}"): name for name in (OPTIONS, HISTORY)}
        panels = {
            key: (name, self.panel(name).region)
            for key, name in keys.items()
            if name in self.panels.shown and self.panel(name).region.area
        }
        self.app.push_screen(JumpScreen(self.view, panels, self.at_once), self._jumped)

    def _jumped(self, target: Target | None) -> None:
        if target is None:
            self.view.focus()
        elif target.peer is not None:
            self.view.focus()
            self.pick(target.peer)
        else:
            self.focus_in(target.panel)
        self.changed()

    def focus_in(self, name: str) -> None:
        """Move the focus into a panel: to the part that had it last, else to the panel itself if it takes keys, else to
        its first part that does."""
        panel, last = self.panel(name), self._focused_parts.get(name)
        if last is not None and last.is_attached and last.focusable and self.panel_at(last) == name:
            last.focus()
        elif name in LATE:
            panel.focus()
        else:
            for part in [panel] if panel.focusable else [part for part in panel.query("*") if part.focusable][:1]:
                part.focus()

    def focus_panel(self, name: str) -> None:
        """Move the focus into a panel that is opened in this turn of the event loop. From now on, and not only from the
        next refresh on, keys wait until it takes them."""
        self.call_after_refresh(self.focus_in, name)
        inputs, panel = queue_of(self.app), self.panel(name)
        if inputs is None:
            return
        if name in LATE:
            inputs.expect(panel.takes_keys_now)
        else:
            inputs.expect(lambda: self.panel_at(self.focused) == name or not self.takes_keys(name))

    def takes_keys(self, name: str) -> bool:
        """Whether a panel or a part of it can have the focus."""
        panel = self.panel(name)
        return name in LATE or panel.focusable or any(part.focusable for part in panel.query("*"))

    def focus_next_panel(self, by: int) -> None:
        """Move the focus by `by` panels, in reading order."""
        shown = self.panels.shown
        order = [name for left, right in ROWS.values() for side in (left, right) for name in (PICTURE, *NAMES)
                 if name in side and name in shown and self.takes_keys(name)]  # fmt: skip
        if order:
            here = self.panel_at(self.focused)
            at = order.index(here) + by if here in order else min(0, by)
            self.focus_in(order[at % len(order)])

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The key bar shows the keys of the panel with the focus."""
        name = self.panel_at(event.widget)
        if name:
            self._focused_parts[name] = event.widget
        self._keys_late = True
        self.call_later(self._refresh_late_keys)
        # After the changes of the focus that are on their way.
        self.app.call_later(self._settle_bars)

    def _refresh_late_keys(self) -> None:
        """Update the key bar after the focus has moved, unless a frame has done so or is due."""
        if self._keys_late and not self._due and self.is_attached and self.frame is not None:
            self.refresh_keys()

    def action_inside(self, id: str) -> None:  # noqa: A002
        """Press a key that works in the panel with the focus, by its id."""
        row = self.context.app.preferences.keys_by_id.get(id)
        if row is not None and row.keys:
            self.app.simulate_key(row.keys.split(",")[0])

    def show_key(self, key: str) -> None:
        """Show a key that was pressed, for an audience."""
        if self.panels.name != PRESENT or not self.is_mounted or isinstance(self.focused, Input):
            return
        rows = [row for row in self.context.app.preferences.keys_now if key in row.keys.split(",")]
        row = next((row for row in rows if isinstance(row, Action)), rows[0] if rows else None)
        if row is not None:
            label = row.words(self.context).label if isinstance(row, Action) else ""
            self.banner.press(row.shown, label or row.label)

    # --- the menu -----------------------------------------------------------------------------------------

    def on_menu_wanted(self, event: say.MenuWanted) -> None:
        """A right click: on a chosen peer it applies to all chosen ones, on another peer to that one."""
        if event.peer is None and self.panel_at(self.focused) == HISTORY:
            self.open_history_menu(event.at)
            return
        if event.peer is not None and event.peer not in self.session.selection.marked:
            self.pick(event.peer)
        self.open_menu(event.at)

    def open_menu(self, at: tuple[int, int] | None = None) -> None:
        """Show the menu for the chosen peers, at a cell of the screen."""
        lines = self.menu_lines()
        frame = self.frame
        if frame is None or not lines:
            return
        ids = chosen_in(frame)
        title = called(frame.snapshot, ids) if len(ids) else "the swarm"
        where = at or (self.size.width // 3, self.size.height // 4)
        self.menu.open("peers", title, lines, where, self.size)

    def menu_lines(self) -> list[Line]:
        """Each verb with what it will do and to how many peers, then the actions that choose other peers."""
        from tui.widgets.menu import Line

        lines = [
            Line(
                verb.id if verb.id.startswith((ACT, ASK)) else ROW_OF_VERB.get(verb.id, f"peer.{verb.id}"),
                verb.says,
                verb.tip,
                verb.key,
                "" if verb.possible else verb.tip,
            )
            for verb in self.verbs()
        ]
        if not lines:
            lines.append(Line("ask.here", "Ask from any peer …", "Type what to look for.", "ask.here"))
            panels = [self.row_of_panel(OPTIONS), self.row_of_panel(HISTORY)]
            for row in (*panels, *(self.table[f"panels.{name}"] for name in LAYOUTS)):
                says = row.says.removeprefix("Panel: ")
                lines.append(Line(row.id, f"{says[:1].upper()}{says[1:]}", row.tip, row.id, rule=row in panels[:1]))
        rule = True
        for row in map(self.table.__getitem__, CHOOSE):
            now = row.words(self.context)
            if now.says:
                lines.append(Line(row.id, now.says, now.tip or row.tip, "", self.why_not(row), rule=rule))
                rule = False
        return lines

    def on_menu_chosen(self, event: Menu.Chosen) -> None:
        """A line of a menu."""
        if event.purpose.startswith("chart-"):
            chart = self.query_one(f"#{event.purpose}", Chart)
            chart.toggle(event.id)
            self.menu.update_lines(chart.menu_lines())
            self.changed()
            return
        self.picture.focus()
        if event.id.startswith(ACT):
            self.act(event.id.removeprefix(ACT))
            self.changed()
            return
        if event.id.startswith(ASK):
            self.open_ask_bar(goal=event.id.removeprefix(ASK))
            return
        self.action_do(event.id)

    def on_menu_closed(self) -> None:
        """Nothing was chosen: the picture gets the focus."""
        self.picture.focus()

    def on_chart_picked(self, event: Chart.Picked) -> None:
        """Open the menu of the series that a chart can show."""
        chart = event.chart
        at = (chart.region.x + 2, max(0, chart.region.y - 6))
        self.menu.open(str(chart.id), "what this chart shows", chart.menu_lines(), at, self.size)

    # --- attacks ------------------------------------------------------------------------------------------

    def on_preview_attack(self, event: say.PreviewAttack) -> None:
        """Give the panel the presets, and what the one it asks about would do now."""
        panel = self.attacks
        swarm = self.session.swarm
        if event.attack is not None:
            try:
                panel.tell(event.attack, swarm.preview(event.attack))
            except InputError as error:
                panel.tell(event.attack, None, str(error))
            except PeerFailed as error:
                self.session.player.fail(error)
        if event.anew:
            panel.offer(swarm.attacks())

    def on_attacked(self, event: say.Attacked) -> None:
        """Start it, say what it will do, and tell the panel how to undo it."""
        self._attack(event.title, event.attack)
        self.changed()

    def _attack(self, title: str, attack: Attack) -> None:
        from tui.widgets.attacks import many_text, started_attack

        swarm = self.session.swarm
        try:
            plan = swarm.preview(attack)
        except InputError as error:
            self.session.say(str(error))
            return
        except PeerFailed as error:
            self.session.player.fail(error)
            return
        now_us, before = swarm.now_us, len(swarm.history)
        self.session.do(attack)
        if len(self.session.swarm.history) > before:
            many = f" It affects {taken}." if (taken := many_text(plan)) else ""
            self.session.say(f"Attack started: {title.lower()}.{many}")
            done = next((step for _, step in plan.steps if isinstance(step, Act)), None)
            back = self.session.swarm.opposite_of(done, plan.peers) if done is not None else None
            self.attacks.begun(started_attack(title, plan, now_us, back))

    def open_attack(self, name: str) -> None:
        """Show the panel with this preset highlighted, so that enter starts it."""
        panel = self.attacks
        panel.mark(name)
        if "attacks" not in self.panels.shown:
            self.perform(self.row_of_panel("attacks"))
        panel.focus()

    # --- options ------------------------------------------------------------------------------------------

    def open_option(self, name: str) -> None:
        """Show the options with the cursor on this one."""
        panel = self.options
        panel.mark(name)
        if OPTIONS not in self.panels.shown:
            self.perform(self.row_of_panel(OPTIONS))
        panel.focus()

    def on_options_wanted(self, event: say.OptionsWanted) -> None:
        """Other values of the network's options."""
        focused = self.panel_at(self.focused) == OPTIONS
        if self.session.set_options(event.values, event.how):
            self.begun()
            if focused and OPTIONS in self.panels.shown:
                self.options.focus()
        self.changed()

    # --- the history --------------------------------------------------------------------------------------

    @property
    def chosen_done(self) -> Done | None:
        """The line of the history under the cursor; without one, the latest thing that was done."""
        done = self.session.player.done()
        panel = self.history
        if HISTORY in self.panels.shown and panel.chosen is not None:
            return panel.chosen
        mine = [one for one in done if not one.ahead]
        return mine[-1] if mine else None

    def on_moment_wanted(self, event: say.MomentWanted) -> None:
        """A line of the history, or a place of a chart."""
        self.session.player.scrub_to(event.at_us)
        self.session.touch()
        self.changed()

    def open_history_menu(self, at: tuple[int, int] | None = None) -> None:
        """What can be done with the line of the history under the cursor."""
        from tui.widgets.menu import Line

        one = self.chosen_done
        if one is None:
            return
        lines = [
            Line(row.id, row.label, row.tip, row.id if row.shown else "", self.why_not(row))
            for row in (self.table[id_] for id_ in OF_HISTORY)
        ]
        region = self.history.region
        title = one.words(self.session.swarm.labels)
        self.menu.open("history", title, lines, at or (region.x + 4, region.y + 1), self.size)

    # --- the timeline -------------------------------------------------------------------------------------

    def on_timeline_sought(self, event: Timeline.Sought) -> None:
        """The pointer moved the cursor of the timeline, or released it."""
        live = self.session.player.pacer
        if event.held and not self._holding:
            self._holding, self._played = True, live.playing
            live.pause()
        self.session.player.scrub_to(event.at_us)
        self.session.touch()
        if not event.held:
            if self._holding and self._played:
                live.play()
            self._holding = False

    def on_timeline_wheeled(self, event: Timeline.Wheeled) -> None:
        """A turn of the wheel on the timeline: move the cursor by a step."""
        session = self.session
        # A wheel is often turned by mistake, so at the end of the run it does not advance time.
        if event.ms > 0 and session.player.at_end and session.player.seek_target_us is None:
            return
        session.player.pacer.pause()
        session.player.scrub_to(session.player.pending_seek_us + event.ms * 1000)
        session.touch()

    def show_time(self, frame: Frame) -> None:
        """Give the timeline its frame; the picture has another border while it shows the past."""
        self.timeline.show(frame)
        for view in self._pictures():
            view.set_class(not frame.live, "-past")

    # --- networks, scenarios, themes ----------------------------------------------------------------------

    def _after_failure(self) -> str:
        """What a person can do when a peer's program has failed."""
        own = file_of(self.session.player.setup.protocol) is not None
        return "{run.load} loads its file again" if own else "{run.network} starts another"

    def begun(self) -> None:
        """Another run has begun."""
        self.panels.drawer_shut = False
        self.make_room()
        self.changed()

    def colour_by_scenario(self) -> None:
        """Colour peers as the scenario says, if it says so."""
        colour_by = self.session.player.scenario.colour_by
        if self.has_story and colour_by:
            self.view.colour(colour_by)

    def on_theme_drawer_marked(self, event: ThemeDrawer.Marked) -> None:
        """Show the theme as a preview."""
        if self.theme_drawer.is_open and event.name in self.app.available_themes:
            self.app.theme = event.name

    def on_theme_drawer_done(self, event: ThemeDrawer.Done) -> None:
        """Use the theme; the picture gets the focus."""
        self.theme_drawer.close()
        if event.name in self.app.available_themes:  # its file may have been deleted meanwhile
            self.app.theme = event.name
        self.view.focus()
        if event.chosen:
            self.context.app.preferences.choose_theme(event.name)

    # --- the tour -----------------------------------------------------------------------------------------

    def maybe_tour(self) -> None:
        """Begin the tour on a first start, or when the person asks for it."""
        from . import tour

        if self.context.app.preferences.settings.tour and tour.first_time():
            self.begin_tour()

    def begin_tour(self) -> None:
        """Begin the tour at its first step."""
        from .tour import Tour

        self.tour = Tour(self.session.player.setup.protocol, self.session.swarm.examples(5))
        self.changed()

    def leave_tour(self) -> bool:
        """End the tour. Returns whether there was one."""
        if self.tour is None:
            return False
        self.tour = None
        with contextlib.suppress(NoMatches):
            self.tour_box.hide()
        self.changed()
        return True

    def on_tour_box_clicked(self) -> None:
        """A click on the tour ends it."""
        self.leave_tour()

    def show_tour(self, frame: Frame) -> None:
        """Update the tour for this frame."""
        if self.tour is None:
            return
        from . import tour

        self.tour.see(frame.snapshot, frame.events, frame.trace, asking=self.ask_bar.is_open)
        words = self.tour.words(frame.snapshot)
        if words is None:
            self.leave_tour()
            self.notify(keyed(self.app, FAREWELL), title="tour", markup=False, timeout=8)
            return
        box = self.tour_box
        back = keyed(self.app, "{app.back}")
        box.say(f"{words.number}/{tour.STEPS} {words.heading}", keyed(self.app, words.text), back)
        high = len(box.rows) + 2
        room = self._below_the_sentence()
        if words.place == "peer" and words.peer is not None:
            box.place_at(self._beside(words.peer, high, frame))
        elif words.place == "keys":
            box.place_at(self._over_keys(high))
        else:
            box.place_at(Offset(max(room.x, room.right - tour.WIDTH - 1), room.y))

    def _below_the_sentence(self) -> Region:
        """The picture without its upper edge and the sentence there, which says what happens: the tour must not cover
        it."""
        picture = self.view.region
        return picture.shrink((min(3, picture.height), 0, 0, 0))

    def _beside(self, peer: PeerId, high: int, frame: Frame) -> Offset:
        """A place next to a peer where the box hides few other peers, if possible not the selected one."""
        from . import tour

        x, y = self.view.stage.dots(frame.wall_s)
        across, down = raster.DOTS[self.view.glyphs]
        inner = self.view.content_region
        cells = [(inner.x + int(a) // across, inner.y + int(b) // down) for a, b in zip(x, y, strict=True)]
        chosen = [cells[frame.selected]] * 9 if frame.selected is not None else []
        return tour.beside(cells[peer], high, self._below_the_sentence(), [*cells[:SPARED], *chosen])

    def _over_keys(self, high: int) -> Offset:
        """The place just above the lowest lines, which are the keys or a text field."""
        ask_bar = self.ask_bar
        below: Region = ask_bar.region if ask_bar.is_open else self.query_one("#timeline").region
        lifted = 1 if "jump" in self.view.over or self.query_one("#notice").has_class("-open") else 0
        return Offset(2, max(1, below.y - high - lifted))
