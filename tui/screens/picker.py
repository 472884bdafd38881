"""A dialog to choose one of a few things that each have a name, a title and a text: networks, scenarios.

A modal screen, as what is chosen restarts the run and nothing behind it needs to be watched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine import dataclass, plain
from tui.config.keys import INSIDE, pressed, within
from tui.textual_compat import dismiss_once
from tui.widgets.matching import TYPED_MOST, Found, found, marked_with, ranked, typed_after, words_of
from tui.widgets.panel import Choices, Reading, TextRows, name_panel
from tui.widgets.text import Row, wrap

MARKS = re.compile(r"(?<!\w)([*`])(\S(?:[^*`]*\S)?)\1(?!\w)")
"""Emphasis and code in running text."""


@dataclass(frozen=True, slots=True)
class PickerItem:
    """One thing to choose. name: what is handed back; title: one line; help: paragraphs, as in a docstring."""

    name: str
    title: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class PickerGroup:
    """Things of one kind. name: of the kind, in the plural; current: the name of the one that is in use."""

    name: str
    items: tuple[PickerItem, ...]
    current: str = ""


class Picker(ModalScreen[tuple[str, str] | None]):
    """Hands back (name of the group, name of the item), or None for nothing. What is typed filters the list: the best
    match first, its letters marked; where this group has none, a group that has one is listed."""

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
        # With priority over the list that has the focus: the text beside it scrolls.
        *within({"picker.other": "next_group", "list.far_up": "page(-1)", "list.far_down": "page(1)"}, priority=True),
    ]

    def __init__(self, *groups: PickerGroup) -> None:
        super().__init__()
        self._groups, self._at = groups, 0
        self._typed = ""

    @property
    def group(self) -> PickerGroup:
        """The group whose items are listed."""
        return self._groups[self._at]

    @property
    def typed(self) -> str:
        """What the list is filtered by."""
        return self._typed

    @property
    def about(self) -> str:
        """The text beside the list."""
        return self.query_one("#about", TextRows).text

    def compose(self) -> ComposeResult:
        """The list, and beside it the text of the highlighted item."""
        with Vertical(id="window"), Horizontal():
            yield Choices(id="names")
            with Reading(can_focus=False):
                yield TextRows(id="about")

    def on_mount(self) -> None:
        """Highlight the item that is in use."""
        self._fill()
        self.query_one(OptionList).focus()

    def _fill(self) -> None:
        hits = self._hits(self.group)
        kinds = " │ ".join(f"‹{one.name}›" if one is self.group else one.name for one in self._groups)
        more = "{picker.other} other · " if len(self._groups) > 1 else ""
        keys = f"type to search · {more}{{list.choose}} choose · {{list.leave}} back"
        keys += " · {list.far_up} {list.far_down} read"
        name = kinds if more else self.group.name
        name_panel(self.query_one("#window"), f"{name} · {plain(self._typed)}" if self._typed else name, keys)
        listed = self.query_one(OptionList)
        listed.clear_options()
        if not hits:
            said = f"nothing matches “{plain(self._typed, 16)}”"
            listed.add_option(Option(Content(said), disabled=True))
            self.query_one("#about", TextRows).show_rows([])
            return
        items = self.group.items
        listed.add_options([Option(self._prompt(items[n], hit), id=f"{self._at}:{n}") for n, hit in hits])
        names = [items[n].name for n, _ in hits]
        current = self.group.current if not self._typed else ""
        listed.highlighted = names.index(current) if current in names else 0

    def _hits(self, group: PickerGroup) -> Sequence[tuple[int, Found]]:
        return ranked(self._typed, [(item.name, (item.title,), item.help) for item in group.items])

    def _type(self, typed: str) -> None:
        """Filter by what is typed now."""
        self._typed = typed
        if not self._hits(self.group):
            self._at = next((n for n, group in enumerate(self._groups) if self._hits(group)), self._at)
        self._fill()

    def action_next_group(self) -> None:
        """List the next group."""
        self._at = (self._at + 1) % len(self._groups)
        self._fill()

    def _prompt(self, item: PickerItem, hit: Found) -> Content:
        mark = "▸ " if item.name == self.group.current else "  "
        name, title = plain(item.name, limit=26), plain(item.title, limit=26)
        in_name = hit.spans if name == item.name else ()
        in_title = found(words_of(self._typed), title) if self._typed else None
        parts = marked_with(name, in_name, "bold", "bold underline $accent")
        parts += [("\n  ", "dim")]
        parts += marked_with(title, in_title.spans if in_title is not None else (), "dim", "underline $accent")
        return Content.assemble(mark, *parts)

    @on(OptionList.OptionHighlighted)
    def _item_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        number = self._number(event)
        if number is not None:
            self._show_item(number)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        number = self._number(event)
        if number is not None:
            dismiss_once(self, (self.group.name, self.group.items[number].name))

    def _number(self, event: OptionList.OptionMessage) -> int | None:
        """Which item an event of the list is about; None if another group is listed by now."""
        at, _, number = (event.option_id or "").partition(":")
        return int(number) if at == str(self._at) and number else None

    def on_resize(self) -> None:
        """Wrap the text to the new width."""
        listed = self.query_one(OptionList)
        marked = listed.highlighted
        _, _, number = ((listed.get_option_at_index(marked).id if marked is not None else "") or "").partition(":")
        if number:
            self.call_after_refresh(self._show_item, int(number))

    def on_key(self, event: events.Key) -> None:
        """What is typed filters the list."""
        typed = typed_after(self._typed, event.key, event.character)
        if typed is None:
            return
        if any(pressed(self.app, key.id, event.key) for key in INSIDE if key.id.startswith(("list.", "picker."))):
            return  # a letter that was remapped to move in lists
        event.stop()
        self._type(typed)

    def on_paste(self, event: events.Paste) -> None:
        """What is pasted is typed."""
        event.stop()
        if event.text:
            self._type((self._typed + event.text)[:TYPED_MOST])

    def _show_item(self, number: int) -> None:
        item = self.group.items[number]
        box = self.query_one(Reading)
        width = max(16, box.scrollable_content_region.width)
        rows: list[Row] = [((line, "caption bold"),) for line in wrap(item.title or plain(item.name), width)]
        for paragraph in paragraphs(item.help):
            rows.append(())
            rows += [
                ((line, "text"),) for line in (wrap(paragraph, width) if isinstance(paragraph, str) else paragraph)
            ]
        self.query_one("#about", TextRows).show_rows(rows)
        box.scroll_home(animate=False)

    def action_leave(self) -> None:
        """Empty what was typed; else close it with nothing chosen."""
        if self._typed:
            self._type("")
        else:
            dismiss_once(self)

    def action_page(self, by: int) -> None:
        """Scroll the text by a page."""
        box = self.query_one(Reading)
        box.scroll_relative(y=by * max(1, box.size.height - 2), animate=False)


def paragraphs(text: str) -> list[str | list[str]]:
    """A docstring's paragraphs: running text as one str to be wrapped, indented or listed lines kept as they are."""
    found: list[str | list[str]] = []
    for block in text.strip().split("\n\n"):
        lines = [line.rstrip() for line in block.splitlines() if line.strip()]
        if not lines:
            continue
        # Marks of *emphasis* and `code` have no use here.
        lines = [MARKS.sub(r"\2", line) for line in lines]
        kept = any(line.startswith((" ", "-", "*", "|")) for line in lines)
        found.append(lines if kept else " ".join(lines))
    return found
