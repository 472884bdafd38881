"""A menu over the picture: what can be done, one line each, and below the lines what the highlighted one does.

The lines are Textual's `OptionList`. It is an overlay and no dialog: time goes on behind it, and it closes as soon as
the focus goes elsewhere. A line that is not possible now can be highlighted all the same, as the reason is shown
below the lines; choosing it does nothing.

The same menu is used for actions on peers, for the series of a chart and for the history: `open` gets a purpose, which
is returned in `Menu.Chosen`.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from engine import dataclass
from tui.config.keys import key_for, keyed, pressed, within

from .panel import Choices, TextRows, name_panel, panel_css
from .text import Row, StyleCache, content_of, fit, wrap

WIDEST, NARROWEST = 56, 30
TIP_LINES = 3
FRAME_W, FRAME_H = 4, 2
"""Cells that the frame and the padding take, across and down."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a menu.

    `key`: id of a key that chooses it; `why_not`: why it is not possible now, empty if it is; `on`: ticked or not, None
    where there is nothing to tick; `rule`: a separator is drawn above it.
    """

    id: str
    says: str
    tip: str = ""
    key: str = ""
    why_not: str = ""
    on: bool | None = None
    rule: bool = False


class Menu(Vertical):
    """Hidden until `open`. Posts `Menu.Chosen`; choosing a line with a tick leaves it open, any other closes it."""

    DEFAULT_CSS = (
        panel_css("Menu")
        + """
    Menu {
        layer: menu; position: absolute; display: none; background: $panel; padding: 0 1; pointer: pointer;
        OptionList, OptionList:focus {
            width: 1fr; border: none; padding: 0; background: $panel; background-tint: $panel 0%;
            scrollbar-size-vertical: 1;
        }
        OptionList > .option-list--option-highlighted, OptionList:focus > .option-list--option-highlighted {
            background: $primary 28%; text-style: none;
        }
        OptionList > .option-list--option-hover { background: $primary 28%; }
        TextRows { background: $panel; }
    }
    """
    )
    BINDINGS = within(
        {"button.press": "choose", "list.left": "close", "list.leave": "close", "peer.menu": "close"},
    )

    class Chosen(Message):
        """A line was chosen in a menu that was opened for `purpose`."""

        def __init__(self, purpose: str, id: str) -> None:  # noqa: A002
            super().__init__()
            self.purpose, self.id = purpose, id

    class Closed(Message):
        """It was closed and nothing was chosen."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.purpose = ""
        self.lines: tuple[Line, ...] = ()
        self._opened = 0
        """How often it was opened: part of the ids of options, so that an event of an earlier menu is recognised."""
        self._inner = NARROWEST
        """Cells that a line has."""
        self._listed, self._tip = Choices(), TextRows(id="tip")

    def compose(self) -> ComposeResult:
        yield self._listed
        yield self._tip

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return bool(self.display)

    @property
    def at(self) -> int:
        """The number of the highlighted line."""
        return self._listed.highlighted or 0

    def open(self, purpose: str, title: str, lines: Sequence[Line], at: tuple[int, int], room: Size) -> None:
        """Show it, with its corner at a cell of the screen or as near as `room` allows, and give it the focus."""
        self.purpose, self.lines = purpose, tuple(lines)
        self._opened += 1
        longest = max((cell_len(line.says) + 6 for line in self.lines), default=0)
        inner = self._inner = min(max(longest, NARROWEST), WIDEST, max(1, room.width - FRAME_W))
        rows = len(self.lines) + sum(line.rule for line in self.lines[1:])
        rows = max(1, min(rows, room.height - TIP_LINES - 1 - FRAME_H))
        wide, high = inner + FRAME_W, rows + TIP_LINES + 1 + FRAME_H
        self.styles.width, self.styles.height, self._listed.styles.height = wide, high, rows
        self.styles.offset = max(0, min(at[0], room.width - wide)), max(0, min(at[1], room.height - high))
        self.display = True
        self._fill(next((i for i, line in enumerate(self.lines) if not line.why_not), 0))
        name_panel(self, title, "{list.up} {list.down} {list.choose} · {list.leave}")
        self._listed.focus()

    def update_lines(self, lines: Sequence[Line]) -> None:
        """The same menu with other ticks; the same line stays highlighted."""
        if self.is_open:
            at, self.lines = self.at, tuple(lines)
            self._fill(at)

    def close(self) -> None:
        """Hide it."""
        self.display = False

    def _fill(self, at: int) -> None:
        """Put the lines into the list, line `at` highlighted."""
        styles = StyleCache(self)
        options: list[Option | None] = []
        for number, line in enumerate(self.lines):
            if line.rule and number:
                options.append(None)
            options.append(Option(self._prompt(line, styles), id=f"{self._opened}:{number}"))
        self._listed.set_options(options)
        self._listed.highlighted = at if self.lines else None
        self._show_tip()

    def _prompt(self, line: Line, styles: StyleCache) -> Content:
        mark = "" if line.on is None else "✓ " if line.on else "  "
        faded = bool(line.why_not)
        return content_of(
            (
                (fit(key_for(self.app, line.key) if line.key else "", 3), "dim" if faded else "key bold"),
                (mark, "good bold"),
                (fit(line.says, max(1, self._inner - 3 - len(mark))).rstrip(), "dim" if faded else "text"),
            ),
            styles,
        )

    def _show_tip(self) -> None:
        """Show below the lines what the highlighted one does, or why it is not possible."""
        rows: list[Row] = [(("─" * self._inner, "dim"),)]
        if self.lines:
            line = self.lines[min(self.at, len(self.lines) - 1)]
            tip_lines = wrap(keyed(self.app, line.why_not or line.tip), self._inner)[:TIP_LINES]
            rows += [((part, "warn" if line.why_not else "dim"),) for part in tip_lines]
        self._tip.show_rows(rows + [()] * (TIP_LINES + 1 - len(rows)))

    # --- events ------------------------------------------------------------------------------------------------

    def _number(self, event: OptionList.OptionMessage) -> int | None:
        """Which line an event of the list is about; None if it was sent before the menu was opened with these lines."""
        opened, _, number = (event.option_id or "").partition(":")
        known = self.is_open and opened == str(self._opened) and number.isdigit() and int(number) < len(self.lines)
        return int(number) if known else None

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if self._number(event) is not None:
            self._show_tip()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        number = self._number(event)
        if number is not None:
            self._choose(self.lines[number])

    def _choose(self, line: Line) -> None:
        if line.why_not:
            return
        if line.on is None:
            self.close()
        self.post_message(self.Chosen(self.purpose, line.id))

    def action_choose(self) -> None:
        """Choose the highlighted line."""
        self._listed.action_select()

    def action_close(self) -> None:
        """Close it with nothing chosen."""
        self.close()
        self.post_message(self.Closed())

    def on_key(self, event: events.Key) -> None:
        """The key of a line chooses it."""
        keys = ((i, line.key) for i, line in enumerate(self.lines) if line.key)
        number = next((i for i, id_ in keys if pressed(self.app, id_, event.key)), None)
        if number is not None and self.is_open:
            event.stop()
            event.prevent_default()
            self._listed.highlighted = number
            self._choose(self.lines[number])

    def on_descendant_blur(self) -> None:
        """The focus went elsewhere."""
        self.close()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The line under the pointer is highlighted."""
        number = event.style.meta.get("option")
        if isinstance(number, int) and number != self._listed.highlighted:
            self._listed.highlighted = number

    def on_click(self, event: events.Click) -> None:
        """A click on a line is handled by the list; none goes on to what is behind."""
        event.stop()
