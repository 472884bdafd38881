"""The last line: keys that can be pressed now, each also a button. What does not fit goes in order of rank.

Textual's own footer scrolls sideways when the terminal is narrow, which hides keys by their place in a table. This
one drops the least wanted and keeps `?`, which tells all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from .text import Inks, Row, Span, strip


@dataclass(frozen=True, slots=True)
class Item:
    """One key: what it is, what it does now, the action, why it cannot be had (empty: it can), and its rank."""

    key: str
    word: str
    action: str
    why_not: str = ""
    tip: str = ""
    rank: int = 9

    @property
    def cells(self) -> int:
        """Width, with the two blanks that part it from the next."""
        return cell_len(self.key) + cell_len(self.word) + 3


def fitting(items: Sequence[Item], width: int) -> list[Item]:
    """Those that fit into a line, in their own order, the best ranks kept."""
    left = width - 1
    kept: set[int] = set()
    for number in sorted(range(len(items)), key=lambda i: (items[i].rank, i)):
        if items[number].cells > left:
            break
        left -= items[number].cells
        kept.add(number)
    return [item for number, item in enumerate(items) if number in kept]


class KeyBar(Widget):
    """One line at the bottom. A click on a key does what the key does, or tells why not."""

    DEFAULT_CSS = "KeyBar { height: 1; width: 1fr; background: $panel; color: $foreground; pointer: pointer; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._items: tuple[Item, ...] = ()

    def show_items(self, items: Sequence[Item]) -> None:
        """Show these keys."""
        if tuple(items) != self._items:
            self._items = tuple(items)
            self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line."""
        return 1

    def render_line(self, y: int) -> Strip:
        """The line."""
        row: list[Span] = [(" ", "text")]
        for item in fitting(self._items, self.size.width):
            key, word = ("dim", "dim") if item.why_not else ("key bold", "text")
            row += [(item.key, key), (f" {item.word}", word), ("  ", "text")]
        shown: Row = tuple(row)
        return strip(shown, self.size.width, Inks(self))

    def _at(self, x: int) -> Item | None:
        left = 1
        for item in fitting(self._items, self.size.width):
            if left <= x < left + item.cells - 2:
                return item
            left += item.cells
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell what a key is for, or why it cannot be had."""
        item = self._at(event.x)
        self.tooltip = None if item is None else Content(item.why_not or item.tip)

    async def on_click(self, event: events.Click) -> None:
        """Do it."""
        item = self._at(event.x)
        if item is not None:
            await self.app.run_action(item.action, self.screen)
