"""The line in which a person types an ask, with suggestions from the titles that peers want most."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.suggester import SuggestFromList
from textual.widgets import Input

from engine import ALIVE, STATES, Goal, VerbOffer, goals_to_ask
from tui.config.keys import key_for, keyed, within
from tui.session.frame import Frame
from tui.textual_compat import TextLine
from tui.widgets.messages import Asked, AskLeft

from ..session.verbs import askers_of, called, chosen_in, goal_of
from .panel import TextRows, panel_css
from .text import Row, Span, fit, width_of

OFFERED = 200
"""Titles to complete from."""
OFFERS = 8
"""Titles to click on."""


class AskBar(Vertical):
    """A line after the words `p017 wants to find …`, and above it texts to ask for. A click on one of them asks for it;
    enter in an empty line asks for the first, which is the latest that was asked for. Where a network has several
    goals, a key, or a click on the words before the line, chooses another. Posts `Asked`, and `AskLeft` when left.

    The line also takes the name of a file to publish, and the values of a verb. Each of these uses has a text of its
    own: it is there again when the line was left and is opened for the same use.
    """

    DEFAULT_CSS = (
        panel_css("AskBar")
        + """
    AskBar {
        height: auto; width: 1fr; padding: 0 1;
        Horizontal { height: 1; width: 1fr; }
        #offers { height: 1; pointer: pointer; }
        #who { width: auto; min-width: 16; height: 1; }
        #who.-several { pointer: pointer; }
        Input { width: 1fr; height: 1; border: none; padding: 0; background: $background; }
    }
    """
    )
    BINDINGS = within({
        "field.leave": "leave", "field.before": "recall(-1)", "field.after": "recall(1)", "field.complete": "complete",
        "field.goal": "next_goal",
    })  # fmt: skip

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._frame: Frame | None = None
        self._texts: Mapping[str, tuple[str, ...]] = {}
        self._typed: dict[str, list[str]] = {}
        """What was typed before, the latest last, by what it was typed for: see `_history`."""
        self._left: dict[str, str] = {}
        """The text that was in the line when it was left, by `_kind`."""
        self._at = 0
        self._wrong = ("", "")
        """A text that was refused, and why."""
        self.offers: tuple[str, ...] = ()
        """Texts that a click asks for; enter in an empty line asks for the first."""
        self.publishing = False
        """Whether what is typed is to be shared rather than asked for."""
        self.offer: VerbOffer | None = None
        """The verb of the network whose values are typed."""
        self._goal_name = ""

    def compose(self) -> ComposeResult:
        """The texts to ask for; below them who asks, and the line."""
        yield TextRows(id="offers")
        with Horizontal():
            yield TextRows(id="who")
            yield TextLine(compact=True, id="what")

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self.has_class("-open")

    def open(
        self, frame: Frame, *, publish: bool = False, offer: VerbOffer | None = None, goal: str | None = None
    ) -> None:
        """Show it and type: what is wanted of the network, the name of a file to share, or the values of a verb.
        goal: the name of the goal of an ask; None: see `goal_of`."""
        self._keep_text()
        self.publishing, self.offer = publish, offer
        self._goal_name = goal or goal_of(frame).name
        field = self.query_one(Input)
        field.value = self._left.pop(self._kind, "")
        field.cursor_position = len(field.value)
        self._wrong = ("", "")
        self._at = len(self._history)
        self.add_class("-open")
        self.show(frame)
        self._suggest()
        self.focus()

    def close(self) -> None:
        """Hide it. Its text is kept for the next time that it is opened for the same use."""
        self._keep_text()
        self.query_one(Input).value = ""
        self.remove_class("-open")

    def _keep_text(self) -> None:
        value = self.query_one(Input).value
        if self.is_open and value.strip():
            self._left[self._kind] = value

    def refuse(self, text: str, why: str) -> None:
        """Put a refused text back into the line, to be corrected, with the reason above it."""
        history = self._history
        if history and history[-1] == text:
            history.pop()
        self._at = len(history)
        self._wrong = (text, why)
        field = self.query_one(Input)
        field.value = text
        field.cursor_position = len(text)
        self._show_offers()

    def show(self, frame: Frame) -> None:
        """Take the selection and what can be asked for."""
        self._frame = frame
        if frame.texts != self._texts:
            self._forget_offers(frame.texts)
            self._texts = frame.texts
            self._suggest()
        if self.is_open:
            self._say_who()
            self._show_offers()

    def _forget_offers(self, texts: Mapping[str, tuple[str, ...]]) -> None:
        """Forget texts that were asked for before, if the last run offered them and this one does not."""
        for name, offered in self._texts.items():
            gone = set(offered) - set(texts.get(name, ()))
            if name in self._typed:
                self._typed[name] = [text for text in self._typed[name] if text not in gone]
        self._at = min(self._at, len(self._history))

    def _suggest(self) -> None:
        """Complete from what can be asked for with the present goal."""
        offered = () if self.publishing or self.offer is not None else self._offered[:OFFERED]
        self.query_one(Input).suggester = SuggestFromList(offered, case_sensitive=False) if offered else None

    @property
    def _offered(self) -> tuple[str, ...]:
        goal = self._goal
        return self._texts.get(goal.name, ()) if goal is not None else ()

    @property
    def _kind(self) -> str:
        """What is typed, as a word that cannot be the name of a goal."""
        return " publish" if self.publishing else f" act {self.offer.name}" if self.offer is not None else " ask"

    @property
    def _history(self) -> list[str]:
        """What was typed before for the same: for asks, those with the same goal."""
        goal = self._goal
        purpose = goal.name if self._kind == " ask" and goal is not None else self._kind
        return self._typed.setdefault(purpose, [])

    def _show_offers(self) -> None:
        """Show texts to ask for: for an empty line those asked for before and those wanted most, else those that
        contain the typed words. For a refused text, show why it was refused."""
        field = self.query_one(Input)
        typed = field.value.strip().lower()
        asking = self._kind == " ask"
        known = dict.fromkeys((*self._history[:-4:-1], *self._offered))
        fitting = [title for title in known if all(word in title.lower() for word in typed.split())]
        self.offers = tuple(fitting[:OFFERS]) if asking else ()
        first = self.offers[0] if self.offers else ""
        again = " again" if first in self._history else ""
        what = self._goal.what if self._goal is not None else ""
        does = f"press enter for “{first}”{again}, or type {what}"
        field.placeholder = "a name for it" if self.publishing else does if first else what
        if self.offer is not None:
            field.placeholder = " ".join(
                f"{name}={value.allowed.example or '…'}" if len(self.offer.values) > 1 else value.example
                for name, value in self.offer.values.items()
            )
        row: list[Span] = []
        if self._wrong[1] and field.value.strip() == self._wrong[0]:
            row = [(fit(keyed(self.app, self._wrong[1]), max(1, self.size.width - 2)).rstrip(), "warn")]
            self.offers = ()
        room = self.size.width - 2
        for offer in self.offers:
            shown = f" {offer} "
            room -= width_of([(shown, "")]) + 1
            if room < 0:
                break
            row += [(shown, "key bold reverse" if not row and not typed else "text reverse"), (" ", "text")]
        self.query_one("#offers", TextRows).show_rows([tuple(row)])

    def on_resize(self) -> None:
        """Another width, also when it is shown for the first time: show as many offers as fit."""
        if self.is_open:
            self._show_offers()

    def on_click(self, event: events.Click) -> None:
        """A click on an offered text asks for it; a click on the words before the line chooses the next goal."""
        lines = event.widget
        if isinstance(lines, TextRows) and lines.id == "who" and self.goals:
            event.stop()
            self.action_next_goal()
            self.focus()
        if not isinstance(lines, TextRows) or lines.id != "offers" or not lines.rows or not self.offers:
            return
        event.stop()
        x = event.x
        for number, (text, _) in enumerate(lines.rows[0]):
            wide = width_of([(text, "")])
            if 0 <= x < wide and text.strip():
                self._ask(self.offers[number // 2])
            x -= wide

    @on(Input.Changed)
    def _on_typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.is_open:
            self._show_offers()

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
    def goals(self) -> tuple[Goal, ...]:
        """The goals between which one can choose now; () where there is no choice."""
        if self._frame is None or self._kind != " ask":
            return ()
        goals = goals_to_ask(self._frame.snapshot.fixed.goals)
        return goals if len(goals) > 1 else ()

    @property
    def _goal(self) -> Goal | None:
        """The goal of the ask that is typed."""
        if self._frame is None:
            return None
        goals = goals_to_ask(self._frame.snapshot.fixed.goals)
        return next((goal for goal in goals if goal.name == self._goal_name), goals[0])

    def _next(self) -> Goal | None:
        """The goal after the present one; None where there is one alone."""
        goals, goal = self.goals, self._goal
        return goals[(goals.index(goal) + 1) % len(goals)] if goals and goal is not None else None

    def action_next_goal(self) -> None:
        """Choose the next goal; what is typed stays."""
        goal = self._next()
        if goal is not None:
            self._goal_name = goal.name
            self._at = len(self._history)
            self._wrong = ("", "")
            self._suggest()
            self._say_who()
            self._show_offers()

    def _say_who(self) -> None:
        frame = self._frame
        if frame is None:
            return
        reason = self.reason()
        askers = tuple(chosen_in(frame).tolist()) if self.publishing else askers_of(frame)
        some = (askers,) if isinstance(askers, int) else askers or ()
        who = called(frame.snapshot, some) if some else "any peer"
        several = len(some) > 1
        goal, other = self._goal, self._next()
        wants = "want to" if several else "wants to"
        does = ("share " if several else "shares ") if self.publishing else f"{wants} {goal.verb if goal else 'ask'} "
        if self.offer is not None:
            who, does = called(frame.snapshot, self.offer.able), f"{self.offer.name} "
        row: Row = ((f"{who} ", "text bold" if some else "text"), (does, "dim"))
        if other is not None and goal is not None:
            key = key_for(self.app, "field.goal")
            row = (row[0], (f"{wants} ", "dim"), (goal.verb, "text bold"), (f" ({key}: {other.verb}) ", "dim"))
        row = (*row, ("❯ ", "key bold"))
        if reason:
            row = ((f"{reason}; ", "warn"), *row)
        lines = self.query_one("#who", TextRows)
        lines.set_class(other is not None, "-several")
        lines.styles.width = sum(len(text) for text, _ in row)
        lines.show_rows([row])

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._ask(event.value.strip() or (self.offers[0] if self.offers else ""))

    def _ask(self, text: str) -> None:
        if not text or self._frame is None:
            return
        history = self._history
        if not history or history[-1] != text:
            history.append(text)
        self._at = len(history)
        self.query_one(Input).value = ""
        goal = self._goal
        if self.offer is not None:
            self.post_message(Asked(text, None, act=self.offer.name))
        elif self.publishing:
            self.post_message(Asked(text, self._frame.chosen, publish=True))
        else:
            first = goal is None or goal is self._frame.snapshot.fixed.goals[0]
            self.post_message(Asked(text, askers_of(self._frame), goal=None if first or goal is None else goal.name))

    def action_complete(self) -> None:
        """Put a suggestion into the line: the first that begins with what is typed, else the first one. The line keeps
        the focus, also where there is no suggestion."""
        field = self.query_one(Input)
        typed = field.value.strip().lower()
        taken = next((offer for offer in self.offers if offer.lower().startswith(typed)), next(iter(self.offers), ""))
        if taken:
            field.value = taken
            field.cursor_position = len(taken)

    def action_recall(self, by: int) -> None:
        """Put an earlier text into the field."""
        history = self._history
        if not history:
            return
        self._at = min(max(self._at + by, 0), len(history))
        field = self.query_one(Input)
        field.value = history[self._at] if self._at < len(history) else ""
        field.cursor_position = len(field.value)

    def action_leave(self) -> None:
        """Empty the field; if it is empty, leave it."""
        field = self.query_one(Input)
        if field.value:
            field.value = ""
            return
        self.screen.set_focus(None)
        self.post_message(AskLeft())
