"""Choosing a theme: a list beside the running picture, which shows the highlighted theme.

A drawer and no dialog: what a theme does to a question that spreads is what one wants to see before choosing.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine import plain
from tui.config.keys import within

from .panel import Choices, name_panel, panel_css
from .text import ASCII, letters_only


class ThemeDrawer(Vertical):
    """Call `open` with the names. Posts `Marked` for each highlighted theme, and `Done` with the one to apply."""

    DEFAULT_CSS = (
        panel_css("ThemeDrawer")
        + """
    ThemeDrawer {
        display: none; layer: over; dock: right; width: 28; height: 100%; background: $background;
        &.-open { display: block; }
        OptionList {
            height: 1fr; border: none; padding: 0; background: $background; scrollbar-size-vertical: 1;
            &:focus { border: none; background: $background; }
        }
    }
    """
    )
    BINDINGS = within({
        "list.leave": "leave", "app.theme": "next(1)", "theme.after": "next(1)", "theme.before": "next(-1)",
    })  # fmt: skip

    class Marked(Message):
        """A theme is highlighted."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Done(Message):
        """The list was closed; `name` is the theme to apply, `chosen` whether it was chosen."""

        def __init__(self, name: str, chosen: bool) -> None:
            super().__init__()
            self.name, self.chosen = name, chosen

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._names: tuple[str, ...] = ()
        self._former = ""

    def compose(self) -> ComposeResult:
        """The list."""
        yield Choices()

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self.has_class("-open")

    def open(self, names: Sequence[str], current: str) -> None:
        """Show these, with `current` marked; that is what escape goes back to."""
        self._names, self._former = tuple(names), current
        name_panel(self, "themes", "{list.choose} wear · {list.leave} back")
        listed = self.query_one(OptionList)
        listed.clear_options()
        mark = "▸ ".translate(ASCII) if letters_only(self) else "▸ "
        listed.add_options(
            [Option(Content((mark if name == current else "  ") + plain(name)), id=name) for name in names]
        )
        self.add_class("-open")
        listed.highlighted = self._names.index(current) if current in self._names else 0
        listed.focus()

    def close(self) -> None:
        """Close it."""
        self.remove_class("-open")

    @on(OptionList.OptionHighlighted)
    def _looked(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if self.is_open and event.option_id in self._names:
            self.post_message(self.Marked(event.option_id))

    @on(OptionList.OptionSelected)
    def _took(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if self.is_open and event.option_id in self._names:
            self.post_message(self.Done(event.option_id, True))

    def action_leave(self) -> None:
        """Close without a change."""
        self.post_message(self.Done(self._former, False))

    def action_next(self, by: int) -> None:
        """Mark the next one."""
        listed = self.query_one(OptionList)
        listed.highlighted = ((listed.highlighted or 0) + by) % max(1, len(self._names))
