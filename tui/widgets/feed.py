"""What happens, sentence by sentence, newest on top.

Events are kept as they are, the last 500; words are found only for those in sight. A burst of thousands therefore
costs what it costs to put them into a deque.
"""

from __future__ import annotations

from collections import deque
from itertools import islice

from textual import events as tx

from engine import Event, Fixed
from tui.frame import Frame
from tui.messages import AskPicked, PeerPicked

from .ink import Row, wrap
from .panel import Roll, name_panel, panel_css
from .tell import subject, tell, worth_telling

KEPT = 500
EMPTY = "Nothing has happened yet. What peers and you do is told here."


class Feed(Roll):
    """The panel. A click on a line chooses the ask or the peer it is about."""

    DEFAULT_CSS = panel_css("Feed") + "Feed { padding: 0 0 0 1; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._events: deque[Event] = deque(maxlen=KEPT)  # newest first
        self._fixed: Fixed | None = None
        self._unseen = 0

    def on_mount(self) -> None:
        """Say what it is."""
        name_panel(self, "feed")

    def show(self, frame: Frame) -> None:
        """Take in what happened since the frame before."""
        fixed = frame.snapshot.fixed
        if fixed is not self._fixed:
            self._fixed = fixed
            self._events.clear()
            self.scroll_to(y=0, animate=False)
            self._unseen = 0
            self.refresh()
        fresh = [event for event in frame.events if worth_telling(event)]
        if not fresh:
            return
        self._events.extendleft(fresh)
        count = min(len(fresh), KEPT)
        self._unseen = 0 if self.following else self._unseen + count
        self.rows_came(count)
        self._say_unseen()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Back at the top, everything is seen."""
        super().watch_scroll_y(old_value, new_value)
        if new_value <= 0 and self._unseen:
            self._unseen = 0
            self._say_unseen()

    def _say_unseen(self) -> None:
        name_panel(self, "feed", f"{self._unseen:,} newer ↑" if self._unseen else "")

    def row_count(self) -> int:
        """How many events are kept."""
        return len(self._events)

    def row(self, index: int, width: int) -> Row:
        """One event in words."""
        labels = self._fixed.labels if self._fixed is not None else ()
        event = next(islice(self._events, index, None))
        return tell(event, labels)

    def empty(self, width: int) -> tuple[Row, ...]:
        """Nothing happened."""
        return tuple(((line, "dim"),) for line in wrap(EMPTY, width))

    def on_click(self, event: tx.Click) -> None:
        """Choose what the line is about."""
        offset = event.get_content_offset(self)
        index = self.index_at(offset.y) if offset is not None else None
        if index is None:
            return
        peer, ask = subject(self._events[index])
        if ask is not None:
            self.post_message(AskPicked(ask))
        elif peer is not None:
            self.post_message(PeerPicked(peer))
