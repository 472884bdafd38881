"""Where a person types what to look for. It completes from the titles that peers want most."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.suggester import SuggestFromList
from textual.widgets import Input

from engine import ALIVE, STATES, Goal, VerbOffer
from tui.config.keys import within
from tui.session.frame import Frame
from tui.textual_compat import TextLine
from tui.widgets.messages import Asked, AskLeft

from ..session.verbs import askers_of, called, chosen_in
from .panel import Lines, panel_css
from .text import Row, Span, width_of

OFFERED = 200
"""Titles to complete from."""
OFFERS = 8
"""Titles to click on."""


class AskBar(Vertical):
    """`p017 wants to find …`, and above it what there is to ask for: a click on one asks for it, and so does enter in
    an empty line for the first, which is what was asked before. Posts `Asked`, and `AskLeft` when left."""

    DEFAULT_CSS = (
        panel_css("AskBar")
        + """
    AskBar {
        height: auto; width: 1fr; padding: 0 1;
        Horizontal { height: 1; width: 1fr; }
        #offers { height: 1; pointer: pointer; }
        #who { width: auto; min-width: 16; height: 1; }
        Input { width: 1fr; height: 1; border: none; padding: 0; background: $background; }
    }
    """
    )
    BINDINGS = within({"field.leave": "leave", "field.before": "recall(-1)", "field.after": "recall(1)"})

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._frame: Frame | None = None
        self._titles: tuple[str, ...] = ()
        self._history: list[str] = []
        self._at = 0
        self.offers: tuple[str, ...] = ()
        """What a click would ask for, and the first of them enter in an empty line."""
        self.publishing = False
        """Whether what is typed is to be shared rather than asked for."""
        self.offer: VerbOffer | None = None
        """The verb of the network whose values are typed."""

    def compose(self) -> ComposeResult:
        """What there is; who asks, and for what."""
        yield Lines(id="offers")
        with Horizontal():
            yield Lines(id="who")
            yield TextLine(compact=True, id="what")

    def show(self, frame: Frame) -> None:
        """Take the selection and the titles."""
        self._frame = frame
        if frame.titles != self._titles:
            self._titles = frame.titles
            field = self.query_one(Input)
            field.suggester = SuggestFromList(frame.titles[:OFFERED], case_sensitive=False)
        self._say_who()
        self._offer()

    def _offer(self) -> None:
        """What may be asked for: in an empty line what was asked before and what is wanted most, else what goes with
        what is typed."""
        field = self.query_one(Input)
        typed = field.value.strip().lower()
        known = dict.fromkeys((*self._history[:-4:-1], *self._titles))
        fitting = [title for title in known if all(word in title.lower() for word in typed.split())]
        typing = self.publishing or self.offer is not None
        self.offers = () if typing else tuple(fitting[:OFFERS])
        first = self.offers[0] if self.offers else ""
        again = " again" if first in self._history else ""
        what = self._goal.what if self._goal is not None else ""
        does = f"press enter for “{first}”{again}, or type {what}"
        field.placeholder = "a name for it" if self.publishing else does if first else what
        if self.offer is not None:
            field.placeholder = " ".join(
                f"{name}={value.example.removeprefix('e.g. ') or '…'}" if len(self.offer.values) > 1 else value.example
                for name, value in self.offer.values.items()
            )
        row: list[Span] = []
        for offer in self.offers:
            shown = f" {offer} "
            if width_of(row) + width_of([(shown, "")]) + 1 > self.size.width - 2:
                break
            row += [(shown, "key bold reverse" if not row and not typed else "text reverse"), (" ", "text")]
        self.query_one("#offers", Lines).show_rows([tuple(row)])

    def on_click(self, event: events.Click) -> None:
        """A click on what is offered asks for it."""
        lines = event.widget
        if not isinstance(lines, Lines) or lines.id != "offers" or not lines.rows:
            return
        event.stop()
        x = event.x
        for number, (text, _) in enumerate(lines.rows[0]):
            wide = width_of([(text, "")])
            if 0 <= x < wide and text.strip():
                self._ask(self.offers[number // 2])
            x -= wide

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._offer()

    def focus(self, scroll_visible: bool = True) -> AskBar:
        """Focus the field."""
        self.query_one(Input).focus(scroll_visible)
        return self

    def reason(self) -> str:
        """Why the selected peer cannot ask, or empty: another one asks then."""
        frame = self._frame
        alone = frame is not None and not frame.marked and not self.publishing and self.offer is None
        if frame is None or not alone or frame.selected is None or frame.snapshot.state[frame.selected] == ALIVE:
            return ""
        who = frame.snapshot.fixed.labels[frame.selected]
        word = {"dead": "is dead", "left": "has left"}[STATES[int(frame.snapshot.state[frame.selected])]]
        return f"{who} {word} and cannot ask"

    @property
    def _goal(self) -> Goal | None:
        """What is asked for if nothing else is said."""
        return self._frame.snapshot.fixed.goals[0] if self._frame is not None else None

    def _say_who(self) -> None:
        frame = self._frame
        if frame is None:
            return
        reason = self.reason()
        askers = tuple(chosen_in(frame).tolist()) if self.publishing else askers_of(frame)
        some = (askers,) if isinstance(askers, int) else askers or ()
        who = called(frame.snapshot, some) if some else "any peer"
        several = len(some) > 1
        goal = self._goal
        wants = "want to" if several else "wants to"
        does = ("share " if several else "shares ") if self.publishing else f"{wants} {goal.verb if goal else 'ask'} "
        if self.offer is not None:
            who, does = called(frame.snapshot, self.offer.able), f"{self.offer.name} "
        row: Row = ((f"{who} ", "text bold" if some else "text"), (does, "dim"), ("❯ ", "key bold"))
        if reason:
            row = ((f"{reason}; ", "warn"), *row)
        lines = self.query_one("#who", Lines)
        lines.styles.width = sum(len(text) for text, _ in row)
        lines.show_rows([row])

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._ask(event.value.strip() or (self.offers[0] if self.offers else ""))

    def _ask(self, text: str) -> None:
        if not text or self._frame is None:
            return
        if self.offer is not None:
            self.query_one(Input).value = ""
            self.post_message(Asked(text, None, act=self.offer.name))
            return
        if not self._history or self._history[-1] != text:
            self._history.append(text)
        self._at = len(self._history)
        self.query_one(Input).value = ""
        self._offer()
        if self.publishing:
            self.post_message(Asked(text, self._frame.chosen, publish=True))
        else:
            self.post_message(Asked(text, askers_of(self._frame)))

    def action_recall(self, by: int) -> None:
        """Put an earlier question into the field."""
        if not self._history:
            return
        self._at = min(max(self._at + by, 0), len(self._history))
        field = self.query_one(Input)
        field.value = self._history[self._at] if self._at < len(self._history) else ""
        field.cursor_position = len(field.value)

    def action_leave(self) -> None:
        """Empty the field; if it is empty, leave it."""
        field = self.query_one(Input)
        if field.value:
            field.value = ""
            return
        self.screen.set_focus(None)
        self.post_message(AskLeft())
