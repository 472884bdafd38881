"""The line that `/` opens: name peers by a label or a selector, and they are marked in the picture.

With the table of peers focused it filters the rows, with the feed focused the events. While one types it shows how many
peers the selector names, or what is wrong, and offers completions: tab or right takes the first one, up and down choose
another. In an empty line, up and down bring back what was typed before. The screen evaluates the selector and finds the
completions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Label

from engine import plain
from tui.config.keys import key_for, within
from tui.textual_compat import TextLine
from tui.widgets.messages import PreviewSelector

from .panel import TextRows
from .text import Row, Span, width_of

HINT = 'p017   #3   role=index   state=dead   degree>5   holds "blue train"   top 5 degree'
WHERE = re.compile(r'^selector ".*?", character \d+: ')
"""The start of an error about a selector, left out where the selector is shown beside it."""
PURPOSES: dict[str, tuple[str, str]] = {
    "find": ("/", HINT),
    "peers": ("rows /", HINT),
    "feed": ("feed /", "a peer, a word, a reason: only lines with it are shown"),
}
"""What it was opened for: the word in front, and the hint."""
HISTORY_MOST = 50
Complete = Callable[[str], Sequence[str]]


class Completed(Suggester):
    """Suggests completions of a selector in the field itself."""

    def __init__(self, complete: Complete) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self.complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        """The first completion."""
        return next((offer for offer in self.complete(value) if offer.startswith(value)), None) if value else None


class FilterBar(Vertical):
    """Posts `PreviewSelector` for each change and `FilterBar.Used` at the end."""

    DEFAULT_CSS = """
    FilterBar {
        height: auto; width: 1fr; display: none; background: $panel;
        &.-open { display: block; }
        Horizontal { height: 1; width: 1fr; }
        #filter-word { width: auto; padding: 0 1; color: $accent; text-style: bold; }
        #filter-input { width: 1fr; height: 1; border: none; padding: 0; background: $panel; }
        #filter-told { width: auto; max-width: 65%; padding: 0 1; color: $foreground 70%; }
        #filter-told.-bad { color: $warning; }
        #filter-offers { background: $panel; padding: 0 1; }
    }
    """

    BINDINGS = within({
        "field.leave": "leave", "field.complete": "take",
        "field.before": "highlight(-1)", "field.after": "highlight(1)",
    })  # fmt: skip

    class Used(Message):
        """The person is done. selector: what to mark or to show, empty for nothing; None if nothing is to change."""

        def __init__(self, selector: str | None, purpose: str = "find") -> None:
            super().__init__()
            self.selector, self.purpose = selector, purpose

    def __init__(self, *, complete: Complete | None = None, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._complete = complete
        self.purpose = "find"
        self.offers: tuple[str, ...] = ()
        """The completed selectors."""
        self.highlighted = 0
        self._typed: dict[str, list[str]] = {}
        """Texts that were submitted, by purpose, the latest last."""
        self._at: int | None = None
        """The index in `history` of the text in the line; None for a text that is being typed."""

    def compose(self) -> ComposeResult:
        """The completions; below them a word, the line, and what the selector means."""
        yield TextRows(id="filter-offers")
        with Horizontal():
            yield Label("/", id="filter-word", markup=False)
            suggest = Completed(self._offer) if self._complete is not None else None
            yield TextLine(placeholder=HINT, id="filter-input", select_on_focus=True, suggester=suggest)
            yield Label("", id="filter-told", markup=False)

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self.has_class("-open")

    def open(self, purpose: str = "find", text: str | None = None) -> None:
        """Show it and give it the focus. text: the text of the line; None for the text that it had the last time."""
        other, self.purpose = purpose != self.purpose, purpose
        self._at = None
        word, hint = PURPOSES[purpose]
        self.query_one("#filter-word", Label).update(word)
        field = self.query_one(Input)
        field.placeholder = hint
        if text is not None or other:
            field.value = text or ""
        self.add_class("-open")
        self._show_offers()
        field.focus()

    def close(self) -> None:
        """Close it."""
        self.remove_class("-open")

    def focus(self, scroll_visible: bool = True) -> FilterBar:
        """Focus the field."""
        self.query_one(Input).focus(scroll_visible)
        return self

    def tell(self, sentence: str, *, bad: bool = False) -> None:
        """Show what the selector means, or what is wrong with it. The selector itself is in the line, and left out
        here. bad: the wrong selector was submitted."""
        short = WHERE.sub("", sentence)
        label = self.query_one("#filter-told", Label)
        label.set_class(bad, "-bad")
        label.update(Content(plain(short, limit=200)))

    def _offer(self, text: str) -> Sequence[str]:
        return self._complete(text) if self._complete is not None and self.purpose != "feed" else ()

    def _show_offers(self) -> None:
        typed = self.query_one(Input).value
        self.offers = tuple(self._offer(typed))
        self.highlighted = 0
        self._show_highlighted(typed)

    def _show_highlighted(self, typed: str) -> None:
        row: list[Span] = [(f"{key_for(self.app, 'field.complete')} ", "key bold")]
        head = len(typed) - len(typed.split(" ")[-1].split("=")[-1])
        for number, offer in enumerate(self.offers):
            span: Span = (f" {offer[head:] if offer[:head] == typed[:head] else offer} ", "text")
            if width_of(row) + len(span[0]) > max(20, self.size.width - 4):
                break
            row.append((span[0], "key bold reverse") if number == self.highlighted else span)
        rows: list[Row] = [tuple(row)] if self.offers else []
        self.query_one("#filter-offers", TextRows).show_rows(rows)

    def on_resize(self) -> None:
        """Another width, also when it is shown for the first time: show as many completions as fit."""
        if self.is_open:
            self._show_highlighted(self.query_one(Input).value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """The text has changed: show completions and what it means."""
        event.stop()
        if self._at is not None and event.value != self.history[self._at]:
            self._at = None
        self._show_offers()
        if self.purpose == "feed":
            self.tell("")
        else:
            self.post_message(PreviewSelector(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Use the selector."""
        event.stop()
        used = event.value.strip()
        if used:
            known = self.history
            if used in known:
                known.remove(used)
            known.append(used)
            del known[:-HISTORY_MOST]
        self._at = None
        self.post_message(self.Used(event.value, self.purpose))

    def action_leave(self) -> None:
        """Close without a change."""
        self.post_message(self.Used(None, self.purpose))

    @property
    def history(self) -> list[str]:
        """What was used for this purpose, the latest last."""
        return self._typed.setdefault(self.purpose, [])

    def _recalled(self, by: int) -> bool:
        """Bring back a text that was used before or after the one in the line. False where the line has a new text."""
        field, known = self.query_one(Input), self.history
        if not known or (self._at is None and (field.value or by > 0)):
            return False
        at = (len(known) if self._at is None else self._at) + by
        self._at = max(0, at) if at < len(known) else None
        field.value = "" if self._at is None else known[self._at]
        field.cursor_position = len(field.value)
        return True

    def action_highlight(self, by: int) -> None:
        """Another offer; in an empty line, what was typed before."""
        if not self._recalled(by) and self.offers:
            self.highlighted = (self.highlighted + by) % len(self.offers)
            self._show_highlighted(self.query_one(Input).value)

    def action_take(self) -> None:
        """Put the highlighted completion into the line. The line keeps the focus, also where there is no completion."""
        field = self.query_one(Input)
        if self.offers:
            taken = self.offers[self.highlighted]
            # A complete term is followed by a blank, a key such as `role=` by its value.
            field.value = taken if taken[-1] in "=><" else f"{taken} "
            field.cursor_position = len(field.value)
