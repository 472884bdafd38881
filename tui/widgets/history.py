"""All that was done in this run, the latest on top: to jump to in time, and to copy.

What is after the cursor of time is listed too, faint: it will be done again when time goes on.
"""

from __future__ import annotations

import numpy as np
from textual import events

from engine import dataclass
from tui.config.keys import within
from tui.session.done import Done
from tui.session.frame import Frame
from tui.session.units import clock
from tui.widgets.messages import MenuWanted, MomentWanted

from .panel import name_panel, panel_css
from .table import MOVING, Column, VirtualTable
from .text import Row, Span, wrap

EMPTY = "Nothing was done yet: what you do, and what the scenario does, is listed here."
HINT = "{list.choose} go there · {run.copy_action} copy · {peer.menu} more"


@dataclass(frozen=True, slots=True)
class HistoryData:
    """What the table shows."""

    done: tuple[Done, ...]
    labels: tuple[str, ...]


def _time(listed: HistoryData, item: int, cells: int) -> Span:
    return clock(listed.done[item].at_us), "dim"


def _who(listed: HistoryData, item: int, cells: int) -> Span:
    one = listed.done[item]
    return one.who, "dim" if one.ahead or one.by != "person" else "key"


def _what(listed: HistoryData, item: int, cells: int) -> Span:
    one = listed.done[item]
    return one.words(listed.labels), "dim" if one.ahead else "text"


class History(VirtualTable[HistoryData]):
    """The panel. Posts `MomentWanted` for a line that was chosen, and `MenuWanted` for a right click."""

    DEFAULT_CSS = panel_css("History") + "History { padding: 0 0 0 1; }"
    COLUMNS = (
        Column("time", 9, _time, right=True),
        Column("by", 8, _who, rank=1),
        Column("what", 20, _what),
    )
    BINDINGS = within(MOVING | {"list.choose": "go"})

    def on_mount(self) -> None:
        """Set the title."""
        name_panel(self, "history", HINT)

    @property
    def chosen(self) -> Done | None:
        """The line under the cursor, or the latest."""
        done = () if self.data is None else self.data.done
        at = self.cursor if isinstance(self.cursor, int) else len(done) - 1
        return done[at] if 0 <= at < len(done) else None

    def show(self, frame: Frame) -> None:
        """Take the newest list."""
        done, labels = frame.done, tuple(frame.snapshot.fixed.labels)
        if self.data is None or done != self.data.done:
            many = 0 if self.data is None else len(self.data.done)
            self.take(HistoryData(done, labels), np.arange(len(done)), np.arange(len(done))[::-1])
            if self.chosen is None:
                self.cursor = None
            self.rows_came(max(0, len(done) - many))
        yours = sum(one.by == "person" for one in done)
        name_panel(self, f"history · {len(done):,} done, {yours:,} by you" if done else "history", HINT)

    def spread(self, cells: dict[str, int], left: int) -> None:
        """What was done takes what is left."""
        cells["what"] = max(8, cells["what"] + left)

    def empty(self, width: int) -> tuple[Row, ...]:
        return tuple(((line, "dim"),) for line in wrap(EMPTY, width))

    def picked(self, key: int, click: events.Click | None = None) -> None:
        """Highlight the line; a second click on it goes there, a right click shows what can be copied."""
        before, self.cursor = self.cursor, int(key)
        index = self.row_of(self.cursor)
        if index is not None:
            self.reveal(index)
        self.rows_came(0)
        if click is not None and click.button == 3:
            self.post_message(MenuWanted(None, (click.screen_x, click.screen_y)))
        elif click is not None and before == self.cursor:
            self.action_go()

    def action_go(self) -> None:
        """Go to the moment of the line."""
        if self.chosen is not None:
            self.post_message(MomentWanted(self.chosen.at_us))
