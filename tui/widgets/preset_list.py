"""The list of attacks: one line a preset, a cursor, and what is said when a person moves it."""

from __future__ import annotations

from textual import events
from textual.message import Message

from engine import Preset
from tui.config.keys_inside import within

from .panel import Roll
from .text import Row


class PresetList(Roll):
    """The names. Posts `Marked` for each one looked at, `Turned` for the first parameter, and `Taken`."""

    DEFAULT_CSS = "PresetList { height: 1fr; min-height: 3; background: $background; }"
    BINDINGS = within(
        {
            "list.up": "mark(-1)",
            "list.down": "mark(1)",
            "list.far_up": "mark(-99)",
            "list.far_down": "mark(99)",
            "list.first": "mark(-99)",
            "list.last": "mark(99)",
            "dial.less": "turn(-1)",
            "dial.more": "turn(1)",
            "list.choose": "take",
        }
    )

    class Marked(Message):
        """Row `index` is looked at."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    class Turned(Message):
        """The parameter is to move by so many stops."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    class Taken(Message):
        """Do the one that is looked at."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.presets: tuple[Preset, ...] = ()
        self.cursor = 0

    def offer(self, presets: tuple[Preset, ...]) -> None:
        """List these."""
        if presets != self.presets:
            self.presets = presets
            self.cursor = min(self.cursor, max(0, len(presets) - 1))
            self.rows_came(0)

    def row_count(self) -> int:
        """One a preset."""
        return len(self.presets)

    def is_cursor(self, index: int) -> bool:
        """Whether it is the one that is looked at."""
        return index == self.cursor

    def row(self, index: int, width: int) -> Row:
        """Its name; one that cannot be had is faint, and crossed out where there are no colours to be faint in."""
        preset = self.presets[index]
        mark = ("▸ " if index == self.cursor else "  ", "key bold")
        if preset.why_not:
            return (mark, (f"{preset.title:<12}", "dim strike"), (" not here", "dim"))
        return (mark, (preset.title, "text bold" if index == self.cursor else "text"))

    def go(self, index: int) -> None:
        """Look at another one."""
        index = min(max(index, 0), max(0, len(self.presets) - 1))
        if index != self.cursor:
            self.cursor = index
            self.reveal(index)
            self.refresh()
            self.post_message(self.Marked(index))

    def action_mark(self, by: int) -> None:
        """So many further down."""
        self.go(self.cursor + by)

    def action_turn(self, by: int) -> None:
        """Less or more of it."""
        self.post_message(self.Turned(by))

    def action_take(self) -> None:
        """Do it."""
        self.post_message(self.Taken())

    def on_resize(self, event: events.Resize) -> None:
        """The marked one stays in sight."""
        super().on_resize(event)
        self.reveal(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """A click looks at one."""
        offset = event.get_content_offset(self)
        index = None if offset is None else self.index_at(offset.y)
        if index is not None:
            self.go(index)
