"""Choosing one of a few things that each have a name, a title and a text: networks, scenarios.

A modal where a panel might do: what is chosen restarts the run, so there is nothing to watch beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine import plain
from tui.config.keys import INSIDE, pressed, within
from tui.textual_compat import dismiss_once
from tui.widgets.panel import Choices, Lines, Reading, name_panel
from tui.widgets.text import ASCII, Row, letters_only, wrap

MARKS = re.compile(r"(?<!\w)([*`])(\S(?:[^*`]*\S)?)\1(?!\w)")
"""Emphasis and code in running text."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`name` is what is handed back; `title` one line; `help` paragraphs, as a docstring or a scenario has them."""

    name: str
    title: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Shelf:
    """Choices of one kind: `name` in the plural, and which one is current."""

    name: str
    choices: tuple[Choice, ...]
    current: str = ""


class Picker(ModalScreen[tuple[str, str] | None]):
    """Hands back (shelf, name), or None for nothing. A letter goes to the next name that begins with it."""

    DEFAULT_CSS = """
    Picker {
        align: center middle;
        background: $background 60%;
        #window {
            width: 90%; max-width: 110; height: 85%; max-height: 34; background: $background; border: round $accent;
            border-title-color: $foreground; border-title-style: bold; border-subtitle-color: $foreground 60%;
        }
        #window.-letters { border: ascii $accent; }
        #window.-letters VerticalScroll { border-left: ascii $foreground 20%; }
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
        *within({"list.leave": "leave"}),
        # Before the list beside it: what is read on is the text.
        *within({"picker.other": "shelf", "list.far_up": "page(-1)", "list.far_down": "page(1)"}, priority=True),
    ]

    def __init__(self, *shelves: Shelf) -> None:
        super().__init__()
        self._shelves, self._at = shelves, 0

    @property
    def shelf(self) -> Shelf:
        """The one that is looked at."""
        return self._shelves[self._at]

    @property
    def about(self) -> str:
        """The text beside the list."""
        return self.query_one("#about", Lines).text

    def compose(self) -> ComposeResult:
        """The list, and what is marked told beside it."""
        with Vertical(id="window"), Horizontal():
            yield Choices(id="names")
            with Reading(can_focus=False):
                yield Lines(id="about")

    def on_mount(self) -> None:
        """Mark the one that runs."""
        self._fill()
        self.query_one(OptionList).focus()

    def _fill(self) -> None:
        names = [choice.name for choice in self.shelf.choices]
        kinds = " │ ".join(f"‹{one.name}›" if one is self.shelf else one.name for one in self._shelves)
        more = "{picker.other} other · " if len(self._shelves) > 1 else ""
        keys = f"{more}{{list.choose}} choose · {{list.leave}} back · {{list.far_up}} {{list.far_down}} read"
        name_panel(self.query_one("#window"), kinds if more else self.shelf.name, keys)
        listed = self.query_one(OptionList)
        listed.clear_options()
        listed.add_options(
            [Option(self._prompt(choice), id=f"{self._at}:{n}") for n, choice in enumerate(self.shelf.choices)]
        )
        if names:
            listed.highlighted = names.index(self.shelf.current) if self.shelf.current in names else 0

    def action_shelf(self) -> None:
        """The next kind of thing."""
        self._at = (self._at + 1) % len(self._shelves)
        self._fill()

    def _prompt(self, choice: Choice) -> Content:
        mark = "▸ " if choice.name == self.shelf.current else "  "
        name, title = plain(choice.name, limit=26), plain(choice.title, limit=26)
        if letters_only(self):
            mark, name, title = (text.translate(ASCII) for text in (mark, name, title))
        return Content.assemble(mark, (name, "bold"), ("\n  " + title, "dim"))

    @on(OptionList.OptionHighlighted)
    def _marked(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if self._number(event) is not None:
            self._tell(event.option_index)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        number = self._number(event)
        if number is not None:
            dismiss_once(self, (self.shelf.name, self.shelf.choices[number].name))

    def _number(self, event: OptionList.OptionMessage) -> int | None:
        """Which choice an event of the list is about; None when another shelf has been taken out meanwhile."""
        at, _, number = (event.option_id or "").partition(":")
        return int(number) if at == str(self._at) and number else None

    def on_resize(self) -> None:
        """What is wrapped is wrapped anew."""
        marked = self.query_one(OptionList).highlighted
        if marked is not None:
            self.call_after_refresh(self._tell, marked)

    def on_key(self, event: events.Key) -> None:
        """A letter goes to the next name that begins with it."""
        if event.character is None or not event.character.isalnum():
            return
        if any(pressed(self.app, key.id, event.key) for key in INSIDE if key.id.startswith(("list.", "picker."))):
            return  # to a person who has it so, a letter goes up or down
        event.stop()
        names = self.query_one(OptionList)
        start = (names.highlighted if names.highlighted is not None else -1) + 1
        choices = self.shelf.choices
        for step in range(len(choices)):
            index = (start + step) % len(choices)
            if choices[index].name.lower().startswith(event.character.lower()):
                names.highlighted = index
                return

    def _tell(self, index: int) -> None:
        choice = self.shelf.choices[index]
        box = self.query_one(Reading)
        width = max(16, box.scrollable_content_region.width)
        rows: list[Row] = [((line, "caption bold"),) for line in wrap(choice.title or plain(choice.name), width)]
        for paragraph in paragraphs(choice.help):
            rows.append(())
            rows += [
                ((line, "text"),) for line in (wrap(paragraph, width) if isinstance(paragraph, str) else paragraph)
            ]
        self.query_one("#about", Lines).show_rows(rows)
        box.scroll_home(animate=False)

    def action_leave(self) -> None:
        """Choose nothing."""
        dismiss_once(self)

    def action_page(self, by: int) -> None:
        """Read on."""
        box = self.query_one(Reading)
        box.scroll_relative(y=by * max(1, box.size.height - 2), animate=False)


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
