"""A menu over the picture: what can be done, a line each, and below what the lit line would do or why it cannot.

It is no dialog: time goes on behind it, and it goes away when one does anything else. The same menu serves for verbs on
peers and for what a chart shows; whoever opens it says with a word what it is for, and gets that word back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.config.keys import key_for, keyed, pressed, within

from .panel import name_panel, panel_css
from .text import Inks, Row, fit, strip, wrap

WIDEST, NARROWEST = 56, 30
TIP_LINES = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `key`: the id of a key that chooses it too; `why_not`: why it cannot be had; `on`: ticked or not, None
    where there is nothing to tick; `rule`: a line is drawn above it."""

    id: str
    says: str
    tip: str = ""
    key: str = ""
    why_not: str = ""
    on: bool | None = None
    rule: bool = False


class Menu(Widget, can_focus=True):
    """Hidden until `open`. Posts `Menu.Chosen`; a ticked line leaves it open, all others close it."""

    DEFAULT_CSS = (
        panel_css("Menu")
        + """
    Menu {
        layer: over; position: absolute; display: none; width: auto; height: auto;
        background: $panel; padding: 0 1; pointer: pointer;
        &.-open { display: block; }
    }
    """
    )
    BINDINGS = within(
        {
            "list.up": "go(-1)",
            "list.down": "go(1)",
            "list.far_up": "go(-1000)",
            "list.far_down": "go(1000)",
            "list.first": "go(-1000)",
            "list.last": "go(1000)",
            "button.press": "choose",
            "list.choose": "choose",
            "list.left": "close",
            "list.leave": "close",
            "peer.menu": "close",
        }
    )

    class Chosen(Message):
        """The person chose a line of a menu that was opened for `purpose`."""

        def __init__(self, purpose: str, id: str) -> None:  # noqa: A002
            super().__init__()
            self.purpose, self.id = purpose, id

    class Closed(Message):
        """It was put away; nothing was chosen."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.purpose = ""
        self.lines: tuple[Line, ...] = ()
        self.at = 0
        """The line that is lit."""
        self._inks: tuple[Inks, Inks] | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self.has_class("-open")

    def open(self, purpose: str, title: str, lines: Sequence[Line], at: tuple[int, int], room: Size) -> None:
        """Show it with its corner at a cell of the screen, or as near as `room` lets it stand; it takes the keys."""
        self.purpose, self.lines = purpose, tuple(lines)
        self.at = next((i for i, line in enumerate(self.lines) if not line.why_not), 0)
        name_panel(self, title, "{list.up} {list.down} {list.choose} · {list.leave}")
        self.add_class("-open")
        wide = self._width() + 4
        high = len(self._layout()) + TIP_LINES + 3
        self.styles.offset = max(0, min(at[0], room.width - wide)), max(0, min(at[1], room.height - high))
        self.refresh(layout=True)
        self.focus()

    def dress(self, lines: Sequence[Line]) -> None:
        """The same menu with other ticks."""
        self.lines = tuple(lines)
        self.refresh()

    def shut(self) -> None:
        """Put it away."""
        self.remove_class("-open")

    # --- what it looks like ----------------------------------------------------------------------------------

    def _layout(self) -> list[int]:
        """What each row shows: a line by its number, -1 for a rule."""
        rows: list[int] = []
        for number, line in enumerate(self.lines):
            rows += [-1, number] if line.rule else [number]
        return rows

    def _width(self) -> int:
        longest = max((cell_len(line.says) + 6 for line in self.lines), default=0)
        return min(max(longest, NARROWEST), WIDEST)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """As wide as the longest line."""
        return min(self._width(), max(10, viewport.width - 4))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """The lines, and room for what the lit one does."""
        return len(self._layout()) + 1 + TIP_LINES

    def render_lines(self, crop: Region) -> list[Strip]:
        """Look the colours up once a paint."""
        self._inks = Inks(self), Inks(self, cursor=True)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """A line, the rule, or the tip."""
        inks, lit = self._inks or (Inks(self), Inks(self, cursor=True))
        width, rows = self.size.width, self._layout()
        if y < len(rows):
            number = rows[y]
            if number >= 0:
                return strip(self._row(self.lines[number]), width, lit if number == self.at else inks)
        elif y > len(rows) and self.lines:
            line = self.lines[self.at]
            told = wrap(keyed(self.app, line.why_not or line.tip), width)[:TIP_LINES]
            at = y - len(rows) - 1
            return strip(((told[at], "warn" if line.why_not else "dim"),) if at < len(told) else (), width, inks)
        return strip((("─" * width, "dim"),), width, inks)

    def _row(self, line: Line) -> Row:
        mark = "" if line.on is None else "✓ " if line.on else "  "
        faded = bool(line.why_not)
        return (
            (fit(key_for(self.app, line.key) if line.key else "", 3), "dim" if faded else "key bold"),
            (mark, "good bold"),
            (line.says, "dim" if faded else "text"),
        )

    # --- what a person does ------------------------------------------------------------------------------------

    def action_go(self, by: int) -> None:
        """Light another line."""
        if self.lines:
            self.at = min(max(self.at + by, 0), len(self.lines) - 1)
            self.refresh()

    def action_choose(self) -> None:
        """Do what the lit line says. One that cannot be had stays, and says why."""
        if not self.lines or self.lines[self.at].why_not:
            return
        line = self.lines[self.at]
        if line.on is None:
            self.shut()
        self.post_message(self.Chosen(self.purpose, line.id))

    def action_close(self) -> None:
        """Put it away."""
        self.shut()
        self.post_message(self.Closed())

    def on_key(self, event: events.Key) -> None:
        """A line's own key."""
        keys = ((i, line.key) for i, line in enumerate(self.lines) if line.key)
        number = next((i for i, id_ in keys if pressed(self.app, id_, event.key)), None)
        if number is not None:
            event.stop()
            event.prevent_default()
            self.at = number
            self.refresh()
            self.action_choose()

    def on_blur(self) -> None:
        """The person went on to something else."""
        self.shut()

    def _line_at(self, event: events.MouseEvent) -> int | None:
        offset: Offset | None = event.get_content_offset(self)
        rows = self._layout()
        found = rows[offset.y] if offset is not None and 0 <= offset.y < len(rows) else -1
        return found if found >= 0 else None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The line under the pointer is lit."""
        number = self._line_at(event)
        if number is not None and number != self.at:
            self.at = number
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click chooses."""
        event.stop()
        number = self._line_at(event)
        if number is not None:
            self.at = number
            self.refresh()
            self.action_choose()
