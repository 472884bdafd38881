"""The run as a line above the keys: from its beginning to as far as it ever came, with what was done in it.

A click goes to a moment, a drag scrubs, the wheel steps; the words at both ends are buttons. It is handed a panel's
frames, five a second at most, and repaints only when the line reads otherwise. While a pointer holds the cursor it
answers by itself, without waiting for a frame.
"""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.config.keys import key_for
from tui.session.frame import Frame
from tui.widgets.messages import Wish

from .text import Inks, Row, strip
from .timeline_row import TIME_CELLS, Track, layout, seconds, timeline_row, told_at

WHEEL_MS = 100
"""One notch of the wheel, as the key that steps."""
WHEEL_FAST_MS = 1_000


class Timeline(Widget):
    """One line."""

    DEFAULT_CSS = "Timeline { height: 1; width: 1fr; background: $panel; color: $foreground; pointer: pointer; }"

    class Sought(Message):
        """A person wants to be at a moment (us of virtual time). held: they hold the cursor still and may move on."""

        def __init__(self, at_us: int, *, held: bool) -> None:
            super().__init__()
            self.at_us = at_us
            self.held = held

    class Wheeled(Message):
        """A person turned the wheel: ms of virtual time, back when below 0."""

        def __init__(self, ms: int) -> None:
            super().__init__()
            self.ms = ms

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.track = Track()
        self._frame: Frame | None = None
        self._row: Row = ()
        self._drawn = (0, "")
        self._held: int | None = None
        self._told = ""
        self.changes = 0
        """How often its line came out different; a test holds it against how much has changed."""

    # --- what is shown ---------------------------------------------------------------------------------------

    def show(self, frame: Frame) -> None:
        """Take the newest."""
        self._frame = frame
        self._draw()

    def _draw(self) -> None:
        frame = self._frame
        if frame is None or not self.size.width:
            return
        held_us = None if self._held is None else self._time_at(self._held)
        row = timeline_row(frame, self.track, self.size.width, live_key=key_for(self.app, "time.live"), held_us=held_us)
        if row != self._row:
            self._row = row
            self.changes += 1
            self.refresh()

    @property
    def text(self) -> str:
        """What is shown, without colours."""
        return "".join(text for text, _ in self._row)

    def on_resize(self) -> None:
        """Another width."""
        self._draw()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line."""
        return 1

    def render_line(self, y: int) -> Strip:
        """The line."""
        return strip(self._row, self.size.width, Inks(self))

    # --- the mouse -------------------------------------------------------------------------------------------

    def _cell(self, x: int) -> int | None:
        """The cell of the track under a column, or None beside it."""
        begin, length = layout(self.size.width)
        return x - begin if 0 <= x - begin < length else None

    def _end_us(self) -> int:
        assert self._frame is not None
        return max(self._frame.end_us, self._frame.snapshot.now_us)

    def _time_at(self, cell: int) -> int:
        return self.track.time_at(cell, self._end_us(), layout(self.size.width)[1])

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take the cursor there, or press a word."""
        if self._frame is None or event.button != 1:
            return
        event.stop()
        cell = self._cell(event.x)
        if cell is None:
            begin, length = layout(self.size.width)
            if event.x >= begin + length:
                self.post_message(Wish("live"))
            elif event.x < begin - TIME_CELLS - 1:
                self.post_message(Wish("record"))
            return
        self.capture_mouse()
        self._hold(cell)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Scrub, or tell what lies there."""
        if self._frame is None:
            return
        if self._held is not None:
            begin, length = layout(self.size.width)
            cell = min(max(event.x - begin, 0), length - 1)
            if cell != self._held:
                self._hold(cell)
            return
        self._tell(event.x)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go."""
        if self._held is not None:
            at_us, self._held = self._time_at(self._held), None
            self.release_mouse()
            self.post_message(self.Sought(at_us, held=False))

    def _hold(self, cell: int) -> None:
        self._held = cell
        self.post_message(self.Sought(self._time_at(cell), held=True))
        self._draw()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Back."""
        event.stop()
        self.post_message(self.Wheeled(-(WHEEL_FAST_MS if event.ctrl or event.shift else WHEEL_MS)))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """On."""
        event.stop()
        self.post_message(self.Wheeled(WHEEL_FAST_MS if event.ctrl or event.shift else WHEEL_MS))

    def _tell(self, x: int) -> None:
        frame, cell = self._frame, self._cell(x)
        assert frame is not None
        begin, length = layout(self.size.width)
        if cell is not None:
            told = told_at(self.track, cell, self._end_us(), length)
        elif x >= begin + length:
            behind = seconds(self._end_us() - frame.snapshot.now_us)
            told = (
                "What happens now happens for the first time."
                if frame.live
                else f"{behind} before the end. " + ("A click goes there.")
            )
        elif x < begin - TIME_CELLS - 1:
            told = f"Recording into {frame.recording}; a click ends it." if frame.recording else "Record this run."
        else:
            told = "The moment that is shown, in virtual time."
        if told != self._told:
            self._told = told
            self.tooltip = Content(told)
