"""What the keys of the dashboard do, and why one cannot be had just now.

A mixin of `MainScreen`, apart from it so that each can be read in one go. `why_not` is the one place that knows a
reason: keys are greyed out by it, and pressing a greyed key tells it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from tui.config.keys import TABLE, Key, keyed
from tui.draw.colours import ABOUT as COLOURED
from tui.draw.layout import Direction
from tui.draw.stage import ABOUT as PLACED
from tui.session.frame import Frame
from tui.session.verbs import Verb, askers_of, verbs_for
from tui.widgets.ask_bar import AskBar
from tui.widgets.ask_picture import AskPicture
from tui.widgets.feed import Feed
from tui.widgets.filter_bar import FilterBar
from tui.widgets.peers_table import PeersTable
from tui.widgets.status import Item, KeyBar
from tui.widgets.swarm_view import SwarmView

from ..session.panels import DIGITS, drawer

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.widget import Widget

    from tui.draw.colours import ColourBy
    from tui.draw.stage import Placement
    from tui.session.session import Session

    Base = Screen[None]
else:
    Base = object

SPEEDS: tuple[float, ...] = (*(2.0**power for power in range(-8, 7)), math.inf)
"""1/256 to 64 virtual seconds a second, and as fast as it goes."""
VERBS = frozenset({"kill", "censor", "collude", "leave", "ask"})
"""Those with a key of their own; the others are had by `action_verb`."""
COPIED = "sent to the clipboard, if your terminal allows it: this brings you back here"
UNSOUGHT = 30
"""The rank of a key that only counts now and then."""
PICK_FIRST = "Select a peer first: press an arrow key, or click one."


class Deeds(Base):
    """Actions of the dashboard."""

    session: Session
    wishes: dict[str, bool]
    drawer_shut: bool
    whole: str
    _keys_of: tuple[object, ...]
    _verbs_of: tuple[Frame | None, tuple[Verb, ...]]
    _shown: frozenset[str]

    if TYPE_CHECKING:  # what MainScreen has

        def at_once(self) -> None: ...
        def make_room(self) -> None: ...
        def close_bars(self) -> None: ...
        def panel(self, name: str) -> Any: ...
        def panel_name(self, digit: int) -> str: ...
        def why_not_inquire(self, action: str) -> str: ...
        def why_not_travel(self, action: str, parameters: tuple[object, ...]) -> str: ...
        def dress_picture(self, table: Sequence[Key]) -> None: ...
        def panel_at(self, widget: Widget | None) -> str: ...
        @property
        def picture(self) -> SwarmView | AskPicture: ...
        @property
        def enlarged(self) -> float: ...
        def leave_tour(self) -> bool: ...
        @property
        def has_story(self) -> bool: ...

    @property
    def view(self) -> SwarmView:
        """The picture."""
        return self.query_one(SwarmView)

    # --- what can be done ------------------------------------------------------------------------------------

    def verbs(self) -> tuple[Verb, ...]:
        """What can be done to the chosen peers, and what cannot. Made once a frame: keys, chips and menus all ask."""
        frame = self.view.frame if self.is_mounted else None
        if frame is None:
            return ()
        if self._verbs_of[0] is not frame:
            self._verbs_of = (frame, verbs_for(frame))
        return self._verbs_of[1]

    def _verb(self, action: str) -> Verb | None:
        return next((verb for verb in self.verbs() if verb.id == action), None)

    def why_not(self, action: str, parameters: tuple[object, ...] = ()) -> str:
        """Why an action cannot be had just now, in a sentence; empty when it can."""
        if not self.is_mounted:
            return ""
        if self.has_class("-tiny") and any(action == key.action.partition("(")[0] for key in TABLE):
            return "This terminal is too small to show what that would do."
        if action == "verb" or (action in VERBS and action != "ask"):  # another asks when the selected peer cannot
            verb = self._verb(str(parameters[0]) if action == "verb" else action)
            return PICK_FIRST if verb is None else "" if verb.possible else verb.tip
        if action in ("open", "menu", "mark") and self.session.selected is None:
            return PICK_FIRST
        if action == "pan" and self.enlarged <= 1:
            return "All of the swarm is in the picture; zoom in first ({view.in})."
        if action == "zoom" and parameters in ((-1,), (0,)) and self.enlarged <= 1:
            return "All of the swarm is in the picture already."
        if action == "speed":
            at = SPEEDS.index(self._speed())
            if parameters == (1,) and at == len(SPEEDS) - 1:
                return "Time runs as fast as it goes already."
            if parameters == (-1,) and at == 0:
                return "Slower than that is a standstill: {time.pause} stops time."
        if action == "panel" and parameters == (6,) and not self.has_story:
            return "This run tells no story; scenarios do."
        if action in ("pause", "step") and self.session.alarm:
            return "A peer's program failed, and this run cannot go on: {run.network} starts another."
        return self.why_not_inquire(action) or self.why_not_travel(action, parameters)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what cannot be had."""
        return None if self.why_not(action, parameters) else True

    def refresh_keys(self, frame: Frame) -> None:
        """Dress the key bar for what is selected, when that changed."""
        table: tuple[Key, ...] = getattr(self.app, "keys_now", TABLE)
        items = tuple(self._item(k.shown, k.does, k.action, k.tip, k.rank) for k in table if k.rank and k.shown)
        if items != self._keys_of:
            self._keys_of = items
            self.query_one(KeyBar).show_items(items)
            self.refresh_bindings()
        self.dress_picture(table)

    def _item(self, shown: str, does: str, action: str, tip: str, rank: int) -> Item:
        name, _, rest = action.partition("(")
        parameters = (int(rest.rstrip(")")),) if rest.rstrip(")").lstrip("-").isdigit() else ()
        verb = self._verb(name)
        if verb is not None and name != "ask":
            does, tip = verb.label.lower(), keyed(self.app, verb.tip)
        if name == "pause" and not self.session.live.playing:
            does = "play"
        if name == "record" and self.session.recording:
            does = "stop recording"
        if name == "slow" and self.session.slow_on_ask:
            does = "slow on ask ✓"
        why = keyed(self.app, self.why_not(name, parameters))
        # Who answered the ask that one chose is what one wants to know next. Of those that peers ask by themselves it
        # would come and go every few seconds, and move all other keys.
        rank = UNSOUGHT if name == "answerer" and (why or self.session.following) else rank
        return Item(shown, does, action, why, tip, rank)

    # --- asks ------------------------------------------------------------------------------------------------

    def action_ask(self) -> None:
        """Type a question."""
        self.open_ask_bar()

    def open_ask_bar(self, *, publish: bool = False) -> None:
        """Show where one asks, or names what should be shared."""
        self.close_bars()
        bar = self.query_one(AskBar)
        bar.publishing = publish
        bar.add_class("-open")
        self.at_once()
        self.query_one(AskBar).focus()

    def ask_now(self, text: str) -> None:
        """Ask for something from the selected peer, or from any."""
        frame = self.view.frame
        self.session.ask_for(text, self.session.selected if frame is None else askers_of(frame))
        self.at_once()

    def action_slow(self) -> None:
        """Slow down on asks, or not."""
        self.session.slow_on_ask = not self.session.slow_on_ask
        if not self.session.slow_on_ask:
            self.session.live.end_slow_motion()
        slow = self.session.slow_on_ask
        self.session.say("Time slows while your question crosses." if slow else "Time keeps its speed when you ask.")
        self.at_once()

    # --- time ------------------------------------------------------------------------------------------------

    def _speed(self) -> float:
        """The nearest of SPEEDS to what is set."""
        speed = self.session.live.speed
        if math.isinf(speed):
            return speed
        return min(SPEEDS[:-1], key=lambda other: max(other / speed, speed / other))

    def action_pause(self) -> None:
        """Stop time, or let it run."""
        self.session.play_or_pause()
        self.at_once()

    def action_step(self, ms: int) -> None:
        """Go on by so much, and stop."""
        self.session.live.step(ms * 1000)
        self.at_once()

    def action_speed(self, by: int) -> None:
        """Twice or half the speed."""
        at = SPEEDS.index(self._speed()) + by
        self.session.live.set_speed(SPEEDS[min(max(at, 0), len(SPEEDS) - 1)])
        self.at_once()

    # --- the picture --------------------------------------------------------------------------------------------

    def action_placement(self) -> None:
        """The next placement."""
        self.view.next_placement()
        self.at_once()

    def action_placements(self) -> None:
        """Choose a placement; those that say nothing here say why."""
        from ..screens.picker import Picker, PickerGroup, PickerItem

        view = self.view
        choices = tuple(
            PickerItem(name, placed, keyed(self.app, view.no_placement(name))) for name, placed in PLACED.items()
        )
        picker = Picker(PickerGroup("layouts", choices, view.stage.placed))
        self.app.push_screen(picker, lambda chosen: self.place(chosen[1] if chosen else None))

    def place(self, name: str | None) -> None:
        """Go over to a placement, or say why not; None is a change of mind."""
        if name is not None:
            placed = cast("Placement", name)
            why = self.view.no_placement(placed)
            if why:
                self.notify(keyed(self.app, why), severity="warning", markup=False, timeout=4)
            else:
                self.view.place(placed)
        self.at_once()

    def action_colour(self) -> None:
        """What colour tells: the next thing."""
        self.view.next_colour()
        self.at_once()

    def action_colours(self) -> None:
        """Choose what colour tells."""
        from ..screens.picker import Picker, PickerGroup, PickerItem

        choices = tuple(PickerItem(name, told) for name, told in COLOURED.items())
        picker = Picker(PickerGroup("colour by", choices, self.view.colour_by))
        self.app.push_screen(picker, lambda chosen: self.colour(chosen[1] if chosen else None))

    def colour(self, name: str | None) -> None:
        """Colour peers by something; None is a change of mind."""
        if name is not None:
            self.view.colour(cast("ColourBy", name))
        self.at_once()

    def action_upkeep(self) -> None:
        """Show upkeep messages, or not."""
        self.view.upkeep = not self.view.upkeep
        self.session.say("Upkeep messages are shown." if self.view.upkeep else "Upkeep messages are not shown.")
        self.at_once()

    def action_zoom(self, by: int) -> None:
        """In, out, or all of it."""
        self.picture.zoom(by)
        self.at_once()

    def action_pan(self, direction: Direction) -> None:
        """Look further that way."""
        self.picture.pan(direction)

    def action_panel(self, digit: int) -> None:
        """Show a panel, or put it away. Leaves the whole screen, if a panel has it."""
        name = self.panel_name(digit)
        whole, self.whole = self.whole, ""
        away = name in self._shown and not whole
        # What was wished last goes first where two panels share a place.
        self.wishes.pop(name, None)
        if name == "inspector" and drawer(*self.size):
            self.drawer_shut = away
        else:
            self.wishes[name] = not away
        if name == "inspector" and not away and drawer(*self.size):
            self.wishes.pop("attacks", None)  # one drawer at a time
        self.make_room()
        if name == "attacks" and not away:
            self.panel(name).focus()
        if away and self.focused is None:
            self.picture.focus()
        self.at_once()

    def action_expand(self) -> None:
        """Give the focused panel, or the picture, the whole screen; once more takes it back."""
        name = "" if self.whole else self.panel_at(self.focused) or "swarm"
        self.whole = name
        self.make_room()
        self.at_once()

    def action_legend(self) -> None:
        """Show the key to the colours, or put it away."""
        self.view.legend = not self.view.legend
        self.at_once()

    def action_names(self) -> None:
        """Show the peers' names, or put them away."""
        self.view.names = not self.view.names
        self.at_once()

    # --- the run ---------------------------------------------------------------------------------------------

    def action_copy(self) -> None:
        """Put the command line that brings one back here on the clipboard, and show it."""
        line = self.session.command_line()
        if not line:
            self.at_once()
            return
        self.app.copy_to_clipboard(line)
        # Whether the terminal did take it (OSC 52) cannot be asked, so the line is shown as a whole.
        self.notify(line, title=COPIED, markup=False, timeout=15)

    async def action_back(self) -> None:
        """One step back: from the tour, the whole screen, a panel to the picture, an ask, marks, a peer, a zoom."""
        if self.leave_tour():
            return
        if self.query_one(AskBar).has_class("-open") or self.query_one(FilterBar).is_open:
            self.close_bars()
            return
        if isinstance(self.focused, PeersTable) and self.session.sieve:
            self.session.sift("")
            self.at_once()
            return
        if isinstance(self.focused, Feed) and self.focused.narrowed:
            self.focused.widen()
            return
        if self.whole:
            self.action_expand()
            return
        if self.focused is not None and self.focused is not self.picture:
            self.picture.focus()
            return
        if drawer(*self.size) and "attacks" in self._shown:
            self.action_panel(DIGITS["attacks"])
        elif drawer(*self.size) and "inspector" in self._shown:
            self.drawer_shut = True
            self.make_room()
        elif not self.session.following:
            self.session.choose(None)
        elif self.session.marked:
            self.session.mark("")
        elif self.session.selected is not None:
            self.session.select(None)
        elif self.enlarged > 1:
            self.picture.zoom(0)
        self.at_once()
