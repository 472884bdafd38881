"""Large figures for an audience, and the key that was pressed last: a line of the layout "present"."""

from __future__ import annotations

import math
import time

from engine import ALIVE
from tui.session.frame import Frame

from .row_widget import RowWidget
from .text import Row, Span, fit, letters_only, width_of

SHOWN_S = 4.0
"""Wall seconds for which a pressed key is shown."""
FONT: dict[str, tuple[str, str, str]] = {
    "0": ("┏━┓", "┃ ┃", "┗━┛"),
    "1": (" ╻ ", " ┃ ", " ╹ "),
    "2": ("╺━┓", "┏━┛", "┗━╸"),
    "3": ("╺━┓", " ━┫", "╺━┛"),
    "4": ("╻ ╻", "┗━┫", "  ╹"),
    "5": ("┏━╸", "┗━┓", "╺━┛"),
    "6": ("┏━╸", "┣━┓", "┗━┛"),
    "7": ("╺━┓", "  ┃", "  ╹"),
    "8": ("┏━┓", "┣━┫", "┗━┛"),
    "9": ("┏━┓", "┗━┫", "╺━┛"),
    "%": ("╻ ╻", " ╱ ", "╹ ╹"),
    "/": ("  ╱", " ╱ ", "╱  "),
    "–": ("   ", "╺━╸", "   "),
    " ": ("  ", "  ", "  "),
}
"""Figures of three lines."""
GAP = "   "


def large(text: str) -> tuple[str, str, str]:
    """A figure in three lines; characters without a large form are left out."""
    drawn = [FONT[letter] for letter in text if letter in FONT]
    first, second, third = (" ".join(lines[row] for lines in drawn) for row in range(3))
    return first, second, third


class Banner(RowWidget):
    """Figures of the swarm, of the chosen ask, and the latest key."""

    DEFAULT_CSS = "Banner { height: 4; width: 1fr; padding: 0 1; background: $panel; }"
    HEIGHT = 4

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._figures: tuple[tuple[str, str, str], ...] = ()
        self._key: tuple[str, str] = ("", "")
        self._pressed_s = -1e9

    def press(self, key: str, does: str) -> None:
        """Show a key and what it does."""
        self._key, self._pressed_s = (key, does), time.monotonic()
        self.refresh()

    @property
    def key(self) -> tuple[str, str]:
        """The key that is shown, and what it does."""
        return self._key

    def show(self, frame: Frame) -> None:
        """Take the newest figures."""
        if self._key[0] and time.monotonic() - self._pressed_s > SHOWN_S:
            self._key = ("", "")
            self.refresh()
        snapshot = frame.snapshot
        success = snapshot.series.columns.get("success")
        share = float(success[-1]) if success is not None and success.size else math.nan
        made = [
            ("peers alive", f"{int((snapshot.state == ALIVE).sum())}/{len(snapshot.state)}", "alive"),
            ("answered, last 30 s", "–" if math.isnan(share) else f"{share:.0%}", "good"),
        ]
        row = next((row for row in reversed(snapshot.asks) if row.id == frame.ask), None)
        if row is not None:
            made += [(f"ask {row.id} reached", f"{row.reached}", "question"), ("hits", f"{row.hits}", "answer")]
        if tuple(made) != self._figures:
            self._figures = tuple(made)
            self.refresh()

    def row_at(self, y: int) -> Row:
        plain_letters = letters_only(self)
        room = self.size.width
        parts: list[Span] = []
        key, does = self._key
        right: list[Span] = []
        if key:
            wide = max(len(key) + 2, len(does), 6)
            right = [(fit((does, "", f"[{key}]", "")[y], wide, right=True), "dim" if y == 0 else "key bold reverse")]
            if y in (1, 3):
                right = [(" " * wide, "text")]
        left = room - (width_of(right) + 2 if right else 0)
        for title, figure, ink in self._figures:
            lines = ("", figure, "") if plain_letters else large(figure)
            wide = max(len(title), *map(len, lines))
            if width_of(parts) + wide > left:
                break
            parts.append((fit(title if y == 0 else lines[y - 1], wide), "dim" if y == 0 else f"{ink} bold"))
            parts.append((GAP, "text"))
        return (*parts, (" " * max(0, room - width_of(parts) - width_of(right)), "text"), *right)
