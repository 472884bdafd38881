"""The line that the jump key opens: it has the keyboard until a letter was typed, and tells how many can be reached.

It hands each letter on by a call and not by a message: the key that comes next should find the peer selected.
"""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from .text import Inks, Row, strip


class JumpBar(Widget, can_focus=True):
    """One line over the keys. `open` says whom to ask about each key; the answer is whether it was of use."""

    DEFAULT_CSS = """
    JumpBar { display: none; height: 1; width: 1fr; background: $panel; color: $foreground; }
    JumpBar.-open { display: block; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._key: Callable[[str], bool] | None = None
        self._left: Callable[[], None] | None = None
        self.row: Row = ()

    @property
    def is_open(self) -> bool:
        """Whether it has the keyboard."""
        return self._key is not None

    def open(self, key: Callable[[str], bool], left: Callable[[], None]) -> None:
        """Listen. `key` is called with each key, `left` when the keyboard went elsewhere."""
        self._key, self._left = key, left
        self.add_class("-open")
        self.focus()

    def close(self) -> None:
        """Listen no more."""
        self._key = self._left = None
        self.remove_class("-open")

    def tell(self, row: Row) -> None:
        """What can be typed."""
        self.row = row
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line."""
        return 1

    def render_line(self, y: int) -> Strip:
        """The line."""
        return strip(self.row, self.size.width, Inks(self))

    def on_key(self, event: events.Key) -> None:
        """A letter, a digit, escape; what is of no use is kept from doing anything else."""
        if self._key is not None and (self._key(event.key) or event.is_printable):
            event.stop()
            event.prevent_default()

    def on_blur(self) -> None:
        """A click elsewhere is a change of mind."""
        if self._left is not None:
            self._left()
