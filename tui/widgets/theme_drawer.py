"""A list of themes beside the running picture, which shows the highlighted theme at once.

A panel and no dialog, so that the effect of a theme on a running swarm is seen before it is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine import plain
from tui.config.keys import INSIDE, pressed, within

from .matching import TYPED_MOST, marked_with, ranked, typed_after
from .panel import Choices, name_panel, panel_css
from .text import ASCII, letters_only


class ThemeDrawer(Vertical):
    """Hidden until `open`. What is typed filters the names.

    Posts `Marked` for each theme that is highlighted, and `Done` with the one to be used.
    """

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
        "list.leave": "leave", "theme.after": "next(1)", "theme.before": "next(-1)",
    })  # fmt: skip

    class Marked(Message):
        """A theme is highlighted."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Done(Message):
        """The list is to close. name: the theme to use from now on; chosen: False if it is the former one."""

        def __init__(self, name: str, chosen: bool) -> None:
            super().__init__()
            self.name, self.chosen = name, chosen

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._all: tuple[str, ...] = ()
        self._names: tuple[str, ...] = ()
        """Those that are listed."""
        self._former = self._typed = ""

    def compose(self) -> ComposeResult:
        """The list."""
        yield Choices()

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self.has_class("-open")

    def open(self, names: Sequence[str], current: str) -> None:
        """Show these names, `current` highlighted; escape goes back to that one."""
        self._all, self._former, self._typed = tuple(names), current, ""
        self.add_class("-open")
        self._fill()
        self.query_one(OptionList).focus()

    def _fill(self) -> None:
        """List the names that fit what is typed, the best first."""
        typed = plain(self._typed, 12)
        name_panel(self, f"themes · {typed}" if typed else "themes", "{list.choose} apply · {list.leave} back")
        listed = self.query_one(OptionList)
        listed.clear_options()
        mark = "▸ ".translate(ASCII) if letters_only(self) else "▸ "
        hits = ranked(self._typed, [(name, (), "") for name in self._all])
        self._names = tuple(self._all[n] for n, _ in hits)
        if not hits:
            listed.add_option(Option(Content(f"nothing matches “{typed}”"), disabled=True))
            return
        for number, hit in hits:
            name = self._all[number]
            parts = marked_with(plain(name), hit.spans, "", "bold underline $accent")
            listed.add_option(Option(Content.assemble(mark if name == self._former else "  ", *parts), id=name))
        highlighted = self._former if not self._typed else ""
        listed.highlighted = self._names.index(highlighted) if highlighted in self._names else 0

    def on_key(self, event: events.Key) -> None:
        """What is typed filters the names."""
        typed = typed_after(self._typed, event.key, event.character)
        if typed is None or not self.is_open:
            return
        if any(pressed(self.app, key.id, event.key) for key in INSIDE if key.id.startswith(("list.", "theme."))):
            return
        event.stop()
        self._typed = typed
        self._fill()

    def on_paste(self, event: events.Paste) -> None:
        """What is pasted is typed."""
        event.stop()
        if event.text and self.is_open:
            self._typed = (self._typed + event.text)[:TYPED_MOST]
            self._fill()

    def close(self) -> None:
        """Hide it."""
        self.remove_class("-open")

    @on(OptionList.OptionHighlighted)
    def _theme_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if self.is_open and event.option_id in self._names:
            self.post_message(self.Marked(event.option_id))

    @on(OptionList.OptionSelected)
    def _theme_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if self.is_open and event.option_id in self._names:
            self.post_message(self.Done(event.option_id, True))

    def action_leave(self) -> None:
        """Empty what was typed; else go back to the former theme."""
        if self._typed:
            self._typed = ""
            self._fill()
            return
        self.post_message(self.Done(self._former, False))

    def action_next(self, by: int) -> None:
        """Highlight the theme `by` lines further, from the last one to the first."""
        listed = self.query_one(OptionList)
        listed.highlighted = ((listed.highlighted or 0) + by) % max(1, len(self._names))
