"""The line that `/` opens: name peers by a label or a selector, and they are marked in the picture.

It tells while one types how many peers are meant, or what is wrong; the screen finds that out.
"""

from __future__ import annotations

import re

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label

from engine import plain
from tui.messages import Wondered

HINT = 'p017   #3   role=index   state=dead   degree>5   holds "blue train"   top 5 degree'
WHERE = re.compile(r'^selector ".*?", character \d+: ')
"""How a complaint about a selector begins: left out where the selector itself stands beside the complaint."""


class FilterBar(Horizontal):
    """Posts `Wondered` for each change and `FilterBar.Used` at the end."""

    DEFAULT_CSS = """
    FilterBar {
        height: 1; width: 1fr; display: none; background: $panel;
        &.-open { display: block; }
        #filter-word { width: auto; padding: 0 1; color: $accent; text-style: bold; }
        #filter-input { width: 1fr; height: 1; border: none; padding: 0; background: $panel; }
        #filter-told { width: auto; max-width: 65%; padding: 0 1; color: $foreground 70%; }
    }
    """

    class Used(Message):
        """The person is done: `selector` is what to mark, empty for nothing, None for as it was."""

        def __init__(self, selector: str | None) -> None:
            super().__init__()
            self.selector = selector

    def compose(self) -> ComposeResult:
        """A word, the line, and what it means."""
        yield Label("/", id="filter-word", markup=False)
        yield Input(placeholder=HINT, id="filter-input", select_on_focus=True)
        yield Label("", id="filter-told", markup=False)

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self.has_class("-open")

    def open(self) -> None:
        """Show it and type."""
        self.add_class("-open")
        self.query_one(Input).focus()

    def close(self) -> None:
        """Put it away."""
        self.remove_class("-open")

    def tell(self, sentence: str) -> None:
        """What the selector means, or what is wrong with it: which selector is beside it, so that is left out."""
        short = WHERE.sub("", sentence)
        self.query_one("#filter-told", Label).update(Content(plain(short, limit=200)))

    def on_input_changed(self, event: Input.Changed) -> None:
        """A letter more or less."""
        event.stop()
        self.post_message(Wondered(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Mark them."""
        event.stop()
        self.post_message(self.Used(event.value))

    def on_key(self, event: events.Key) -> None:
        """Escape leaves everything as it was."""
        if event.key == "escape":
            event.stop()
            self.post_message(self.Used(None))
