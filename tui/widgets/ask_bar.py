"""Where a person types what to look for. It completes from the titles that peers want most."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.suggester import SuggestFromList
from textual.widgets import Input

from engine import ALIVE, STATES
from tui.frame import Frame
from tui.messages import Asked, AskLeft

from .ink import Row
from .panel import Lines, panel_css
from .verbs import askers_of, called, chosen_in

OFFERED = 200
"""Titles to complete from."""


class AskBar(Horizontal):
    """`p017 asks for …`. Enter posts `Asked`, escape `AskLeft`; up and down go through what was asked before."""

    DEFAULT_CSS = (
        panel_css("AskBar")
        + """
    AskBar {
        height: 3; width: 1fr; padding: 0 1;
        #who { width: auto; min-width: 16; height: 1; }
        Input { width: 1fr; height: 1; border: none; padding: 0; background: $background; }
    }
    """
    )
    BINDINGS = [
        ("escape", "leave", "leave"),
        ("up", "recall(-1)", "asked before"),
        ("down", "recall(1)", "asked after"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._frame: Frame | None = None
        self._titles: tuple[str, ...] = ()
        self._history: list[str] = []
        self._at = 0
        self.publishing = False
        """Whether what is typed is to be shared rather than asked for."""

    def compose(self) -> ComposeResult:
        """Who asks, and for what."""
        yield Lines(id="who")
        yield Input(placeholder="a title, or some words of it", compact=True, id="what")

    def show(self, frame: Frame) -> None:
        """Take the selection and the titles."""
        self._frame = frame
        if frame.titles != self._titles:
            self._titles = frame.titles
            field = self.query_one(Input)
            field.suggester = SuggestFromList(frame.titles[:OFFERED], case_sensitive=False)
            if frame.titles:
                some = ", ".join(frame.titles[:3])
                field.placeholder = f"a title, or some words of it: {some} …"
        self._say_who()

    def focus(self, scroll_visible: bool = True) -> AskBar:
        """Focus the field."""
        self.query_one(Input).focus(scroll_visible)
        return self

    def reason(self) -> str:
        """Why the selected peer cannot ask, or empty: another one asks then."""
        frame = self._frame
        alone = frame is not None and not frame.marked and not self.publishing
        if frame is None or not alone or frame.selected is None or frame.snapshot.state[frame.selected] == ALIVE:
            return ""
        who = frame.snapshot.fixed.labels[frame.selected]
        word = {"dead": "is dead", "left": "has left"}[STATES[int(frame.snapshot.state[frame.selected])]]
        return f"{who} {word} and cannot ask"

    def _say_who(self) -> None:
        frame = self._frame
        if frame is None:
            return
        reason = self.reason()
        askers = tuple(chosen_in(frame).tolist()) if self.publishing else askers_of(frame)
        some = (askers,) if isinstance(askers, int) else askers or ()
        who = called(frame.snapshot, some) if some else "any peer"
        several = len(some) > 1
        does = ("share " if several else "shares ") if self.publishing else ("ask for " if several else "asks for ")
        row: Row = ((f"{who} ", "text bold" if some else "text"), (does, "dim"), ("❯ ", "key bold"))
        if reason:
            row = ((f"{reason}; ", "warn"), *row)
        lines = self.query_one("#who", Lines)
        lines.styles.width = sum(len(text) for text, _ in row)
        lines.show_rows([row])

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if not text or self._frame is None:
            return
        if not self._history or self._history[-1] != text:
            self._history.append(text)
        self._at = len(self._history)
        self.query_one(Input).value = ""
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
