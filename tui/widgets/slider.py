"""A slider over named stops: keys left and right, a click, or dragging.

A value that the swarm reports may be between two stops: then the knob is at the nearest one and the text shows the
value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual import events
from textual.content import Content
from textual.message import Message

from engine import dataclass
from tui.config.keys import within
from tui.draw.styles import SYMBOLS

from .row_widget import RowWidget
from .text import Row, fit

HOLD_FRAMES = 6
"""Frames for which a moved knob stays where the person put it, until the swarm reports what it was set to."""


@dataclass(frozen=True, slots=True)
class Dial:
    """A parameter on a slider: values as a command takes them, with their words. rest: the stop of the default."""

    name: str
    label: str
    values: tuple[Any, ...]
    words: tuple[str, ...]
    rest: int
    tip: str

    def at(self, value: object) -> int:
        """The stop of a value; the stop of the default if the value has none."""
        return self.values.index(value) if value in self.values else self.rest


class Slider(RowWidget, can_focus=True):
    """`loss     ●━━━━━━━━━  0 %`. Posts `Slider.Moved` when a person moves it to another stop."""

    DEFAULT_CSS = """
    Slider {
        height: 1; width: 1fr; pointer: pointer;
        background: $background;
        &:focus { background: $foreground 10%; }
    }
    """
    BINDINGS = within(
        {"dial.less": "move(-1)", "dial.more": "move(1)", "dial.least": "move(-1000)", "dial.most": "move(1000)"}
    )

    class Moved(Message):
        """The person chose stop `index`."""

        def __init__(self, slider: Slider, index: int) -> None:
            super().__init__()
            self.slider, self.index = slider, index

        @property
        def control(self) -> Slider:
            """For `@on(Slider.Moved, selector)`."""
            return self.slider

    def __init__(
        self,
        label: str,
        stops: Sequence[str],
        *,
        start: int = 0,
        tip: str = "",
        label_cells: int = 9,
        value_cells: int = 9,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._label, self._stops = label, tuple(stops)
        self._index, self._text = start, self._stops[start]
        self._label_cells, self._value_cells = label_cells, value_cells
        self._held = 0
        self._dragging = False
        self.tooltip = Content(tip) if tip else None

    @property
    def index(self) -> int:
        """The stop that the knob is at."""
        return self._index

    @property
    def text(self) -> str:
        """The value as it is shown."""
        return self._text

    def update(self, label: str, stops: Sequence[str], index: int, *, tip: str = "") -> None:
        """Change to another parameter."""
        self._label, self._stops, self._held = label, tuple(stops), 0
        self._index, self._text = index, self._stops[index]
        self.tooltip = Content(tip) if tip else None
        self.refresh()

    def set_value(self, index: int, text: str | None = None) -> None:
        """Show the value that the swarm reports: the nearest stop, and the words if it is none of the stops."""
        shown = self._stops[index] if text is None else text
        if (index, shown) == (self._index, self._text):
            self._held = 0
            return
        if self._dragging or self._held:
            self._held = max(0, self._held - 1)
            return
        self._index, self._text = index, shown
        self.refresh()

    def _track(self) -> tuple[int, int]:
        """Where the track begins, and its length, in cells."""
        return self._label_cells, max(3, self.size.width - self._label_cells - self._value_cells - 1)

    def row_at(self, y: int) -> Row:
        _, length = self._track()
        if self.disabled:
            return (
                (f"{fit(self._label, self._label_cells)}{SYMBOLS.bar_off * length} ", "dim"),
                (fit(self._text, self._value_cells), "dim"),
            )
        at = round(self._index * (length - 1) / max(1, len(self._stops) - 1))
        return (
            (fit(self._label, self._label_cells), "bold" if self.has_focus else "dim"),
            (SYMBOLS.bar_on * at, "key"),
            (SYMBOLS.knob, "key bold"),
            (SYMBOLS.bar_off * (length - 1 - at), "dim"),
            (" ", "text"),
            (fit(self._text, self._value_cells), "text bold"),
        )

    def action_move(self, by: int) -> None:
        """Move by so many stops."""
        self._go(self._index + by)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Start to drag the knob."""
        self._dragging = True
        self.capture_mouse()
        self._follow(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag it."""
        if self._dragging:
            self._follow(event.x)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End the drag."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def _follow(self, x: int) -> None:
        begin, length = self._track()
        self._go(round((x - begin) / max(1, length - 1) * (len(self._stops) - 1)))

    def _go(self, index: int) -> None:
        index = min(max(index, 0), len(self._stops) - 1)
        if index == self._index and self._text == self._stops[index]:
            return
        self._index, self._text, self._held = index, self._stops[index], HOLD_FRAMES
        self.refresh()
        self.post_message(self.Moved(self, index))
