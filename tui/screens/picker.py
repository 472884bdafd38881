"""Choosing one of a few things that each have a name, a title and a text: networks, scenarios.

A modal where a panel might do: what is chosen restarts the run, so there is nothing to watch beside it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine import plain
from tui.widgets.ink import Row, wrap
from tui.widgets.panel import Lines, name_panel

MARKS = re.compile(r"(?<!\w)([*`])(\S(?:[^*`]*\S)?)\1(?!\w)")
"""Emphasis and code in running text."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`name` is what is handed back; `title` one line; `help` paragraphs, as a docstring or a scenario has them."""

    name: str
    title: str
    help: str = ""


class Picker(ModalScreen[str | None]):
    """Enter hands back the name, escape None. A letter goes to the next name that begins with it."""

    DEFAULT_CSS = """
    Picker {
        align: center middle;
        background: $background 60%;
        #window {
            width: 90%; max-width: 110; height: 85%; max-height: 34; background: $background; border: round $accent;
            border-title-color: $foreground; border-title-style: bold; border-subtitle-color: $foreground 60%;
        }
        OptionList {
            width: 32; height: 1fr; border: none; padding: 0 1; background: $background;
            scrollbar-size-vertical: 1;
            &:focus { border: none; background: $background; }
        }
        VerticalScroll {
            width: 1fr; padding: 0 2; border-left: vkey $foreground 20%;
            scrollbar-size-vertical: 1;
        }
    }
    """
    BINDINGS = [
        Binding("escape", "leave", "back"),
        Binding("pageup", "page(-1)", "read up", show=False, priority=True),
        Binding("pagedown", "page(1)", "read on", show=False, priority=True),
    ]

    def __init__(self, heading: str, choices: Sequence[Choice], current: str = "") -> None:
        super().__init__()
        self._heading, self._choices, self._current = heading, tuple(choices), current

    @property
    def about(self) -> str:
        """The text beside the list."""
        return self.query_one("#about", Lines).text

    def compose(self) -> ComposeResult:
        """The list, and what is marked told beside it."""
        with Vertical(id="window"), Horizontal():
            yield OptionList(*(Option(self._prompt(choice)) for choice in self._choices), id="names")
            with VerticalScroll(can_focus=False):
                yield Lines(id="about")

    def on_mount(self) -> None:
        """Mark the one that runs."""
        name_panel(self.query_one("#window"), self._heading, "enter choose · esc back · pgup pgdn read")
        names = [choice.name for choice in self._choices]
        if names:
            self.query_one(OptionList).highlighted = names.index(self._current) if self._current in names else 0
        self.query_one(OptionList).focus()

    def _prompt(self, choice: Choice) -> Content:
        mark = "▸ " if choice.name == self._current else "  "
        return Content.assemble(
            mark, (plain(choice.name, limit=26), "bold"), ("\n  " + plain(choice.title, limit=26), "dim")
        )

    @on(OptionList.OptionHighlighted)
    def _marked(self, event: OptionList.OptionHighlighted) -> None:
        self._tell(event.option_index)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._choices[event.option_index].name)

    def on_resize(self) -> None:
        """What is wrapped is wrapped anew."""
        marked = self.query_one(OptionList).highlighted
        if marked is not None:
            self.call_after_refresh(self._tell, marked)

    def on_key(self, event: events.Key) -> None:
        """A letter goes to the next name that begins with it."""
        if event.character is None or not event.character.isalnum():
            return
        event.stop()
        names = self.query_one(OptionList)
        start = (names.highlighted if names.highlighted is not None else -1) + 1
        for step in range(len(self._choices)):
            index = (start + step) % len(self._choices)
            if self._choices[index].name.lower().startswith(event.character.lower()):
                names.highlighted = index
                return

    def _tell(self, index: int) -> None:
        choice = self._choices[index]
        box = self.query_one(VerticalScroll)
        width = max(16, box.scrollable_content_region.width)
        rows: list[Row] = [((line, "caption bold"),) for line in wrap(choice.title or choice.name, width)]
        for paragraph in paragraphs(choice.help):
            rows.append(())
            rows += [
                ((line, "text"),) for line in (wrap(paragraph, width) if isinstance(paragraph, str) else paragraph)
            ]
        self.query_one("#about", Lines).show_rows(rows)
        box.scroll_home(animate=False)

    def action_leave(self) -> None:
        """Choose nothing."""
        self.dismiss(None)

    def action_page(self, by: int) -> None:
        """Read on."""
        box = self.query_one(VerticalScroll)
        box.scroll_relative(y=by * max(1, box.size.height - 2), animate=False)


class NetworkPicker(Picker):
    """Which network the same peers should speak."""

    def __init__(self, choices: Sequence[Choice], current: str = "") -> None:
        super().__init__("networks", choices, current)


def paragraphs(text: str) -> list[str | list[str]]:
    """A docstring's paragraphs: running text as one str to be wrapped, indented or listed lines kept as they are."""
    found: list[str | list[str]] = []
    for block in text.strip().split("\n\n"):
        lines = [line.rstrip() for line in block.splitlines() if line.strip()]
        if not lines:
            continue
        # Written for a page that knows *emphasis* and `code`; here the marks would only be read as they are.
        lines = [MARKS.sub(r"\2", line) for line in lines]
        kept = any(line.startswith((" ", "-", "*", "|")) for line in lines)
        found.append(lines if kept else " ".join(lines))
    return found
