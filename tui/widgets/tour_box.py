"""What the tour says now, in a small box over the picture, beside what it is about. It takes no key and no focus."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.geometry import Offset, Region
from textual.message import Message

from .panel import Lines, name_panel, panel_css
from .text import Row, wrap

WIDTH = 38
"""Cells, frame included."""
NEAR = 4
"""Cells between a peer and the box that speaks of it: the ring around the peer stays to be seen."""


class TourBox(Lines):
    """`say` shows it. A click on it leaves the tour."""

    DEFAULT_CSS = (
        panel_css("TourBox")
        + f"""
    TourBox {{
        display: none; overlay: screen; position: absolute; width: {WIDTH}; height: auto; padding: 0 1;
        background: $panel; border: round $accent; pointer: pointer;
    }}
    TourBox.-letters {{ border: ascii $accent; }}
    TourBox.-open {{ display: block; }}
    """
    )

    _stands = Offset(-1, -1)

    class Clicked(Message):
        """The person has had enough of it."""

    def say(self, heading: str, text: str, back: str) -> None:
        """Show a heading and a text; `back` is the key that leaves."""
        name_panel(self, heading, f"{back} leaves the tour")
        rows: list[Row] = [((line, "text"),) for line in wrap(text, WIDTH - 4)]
        self.show_rows(rows)
        self.add_class("-open")

    def hush(self) -> None:
        """Put it away."""
        self.remove_class("-open")

    def stand(self, offset: Offset) -> None:
        """Where on the screen."""
        if offset != self._stands:
            self._stands = offset
            self.styles.offset = offset

    def on_click(self, event: events.Click) -> None:
        """A click leaves."""
        event.stop()
        self.post_message(self.Clicked())


def beside(cell: tuple[int, int], high: int, room: Region, others: Sequence[tuple[int, int]] = ()) -> Offset:
    """Where a box of `high` lines stands next to a cell, without covering it, inside `room`; of the sides that have
    room, the one where it hides the fewest of `others`."""
    x, y = cell
    level = min(max(room.y, y - high // 2), max(room.y, room.bottom - high))
    centred = min(max(room.x, x - WIDTH // 2), max(room.x, room.right - WIDTH))
    sides = [
        Region(x + NEAR, level, WIDTH, high),
        Region(x - NEAR - WIDTH + 1, level, WIDTH, high),
        Region(centred, y + 2, WIDTH, high),
        Region(centred, y - high - 1, WIDTH, high),
    ]
    inside = [side for side in sides if room.contains_region(side)] or [sides[2].translate_inside(room)]
    return min(inside, key=lambda side: sum(side.contains(*other) for other in others)).offset
