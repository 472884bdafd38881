"""The options of the running network: value, default, range, what each does; and how a changed one takes effect.

A changed value is first only wanted. The person then chooses: it is used from now on, or the same seed begins anew with
it, with or without what the person did. A value that is not possible is refused where it is typed, in one sentence. The
panel has no access to the swarm: it posts `OptionsWanted`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from textual import events, on
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget

from engine import InputError, dataclass
from tui.config.keys import keyed, within
from tui.session.frame import Frame
from tui.session.options import Option, options_of, text_of
from tui.widgets.messages import How, OptionsWanted

from .panel import ActionButton, LatePanel, TextRows, name_panel, panel_css
from .table import MOVING, Column, VirtualTable
from .text import Row, Span, wrap

NONE = "This network has no options."
TYPED_MOST = 60
"""Characters of a value that is typed."""
HINT = "{dial.less} {dial.more} change · {list.choose} type, apply · {option.erase} default"
TYPING = "{list.choose} accept · {list.leave} cancel"
UNCHANGED = "Nothing is changed yet: {dial.less} {dial.more} or digits change the value under the cursor."
AS_BEGUN = "This run began with these values: change one first."
NOW = "From this moment on. In the past this starts a new branch."
RESTART = "Begin the same seed anew with the values that are shown here. What you did is left out."
AGAIN = "Begin the same seed anew with the values that are shown here, and do what you did again, at the same times."


class Wishes:
    """The values that a person wants instead of the present ones. at: the option under the cursor; typed: what is being
    typed for it, or None; error: why that is not possible."""

    def __init__(self) -> None:
        self.at = ""
        self.values: dict[str, Any] = {}
        self.typed: str | None = None
        self.error = ""

    def clear(self) -> None:
        """Nothing is wanted."""
        self.values, self.typed, self.error = {}, None, ""

    def of(self, option: Option) -> Any:
        """The wanted value of an option, or the present one."""
        return self.values.get(option.name, option.now)

    def want(self, option: Option, value: Any) -> None:
        """Want this value."""
        if value == option.now:
            self.values.pop(option.name, None)
        else:
            self.values[option.name] = value


@dataclass(frozen=True, slots=True)
class OptionsData:
    """What the table shows."""

    options: tuple[Option, ...]
    wishes: Wishes


def _shown(option: Option, value: Any) -> str:
    return f"{text_of(value)} {option.unit}".rstrip()


def typed_of(value: object) -> str:
    """A value as a person would type it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _name(listed: OptionsData, item: int, cells: int) -> Span:
    option = listed.options[item]
    return option.name, "text bold" if option.now != option.default else "text"


def _value(listed: OptionsData, item: int, cells: int) -> Span:
    option, wishes = listed.options[item], listed.wishes
    here = option.name == wishes.at
    if here and wishes.typed is not None:
        return f"{wishes.typed}_", "bad bold" if wishes.error else "key bold"
    shown = _shown(option, wishes.of(option))
    wanted = option.name in wishes.values
    ink = "key bold" if wanted else "text bold" if option.now != option.default else "text"
    return (f"< {shown} >" if here else f"→ {shown}" if wanted else shown), ink


def _default(listed: OptionsData, item: int, cells: int) -> Span:
    """The default, where the value is another one."""
    option = listed.options[item]
    return (text_of(option.default), "dim") if option.now != option.default else ("", "dim")


def _range(listed: OptionsData, item: int, cells: int) -> Span:
    return listed.options[item].range, "dim"


def _about(listed: OptionsData, item: int, cells: int) -> Span:
    return listed.options[item].allowed.about, "dim"


class OptionTable(VirtualTable[OptionsData]):
    """One line an option. Posts `Marked` when the cursor moved or a value was changed, and `Taken` to apply."""

    DEFAULT_CSS = "OptionTable { height: 1fr; min-height: 3; background: $background; }"
    COLUMNS = (
        Column("option", 6, _name),
        Column("value", 13, _value, right=True),
        Column("default", 8, _default, rank=1, right=True),
        Column("range", 18, _range, rank=2, right=True),
        Column("about", 30, _about, rank=3),
    )
    BINDINGS = within(
        MOVING
        | {
            "dial.less": "turn(-1)",
            "dial.more": "turn(1)",
            "list.choose": "take",
            "list.leave": "leave",
            "option.erase": "erase",
        }
    )

    class Marked(Message):
        """The texts around the table have to be updated."""

    class Taken(Message):
        """Apply what is wanted."""

    def __init__(self, wishes: Wishes, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.wishes = wishes

    @property
    def option(self) -> Option | None:
        """The one under the cursor."""
        return next((option for option in self.options if option.name == self.cursor), None)

    @property
    def options(self) -> tuple[Option, ...]:
        """What is listed."""
        return () if self.data is None else self.data.options

    def offer(self, options: tuple[Option, ...]) -> None:
        """List these."""
        if options != self.options:
            self.take(OptionsData(options, self.wishes), np.array([option.name for option in options]))
            if self.option is None:
                self.cursor = self.wishes.at = options[0].name if options else ""
                self.wishes.typed, self.wishes.error = None, ""
            self.sort_rows()
            self.rows_came(0)

    def go_to(self, name: str) -> None:
        """Put the cursor on an option."""
        if self.row_of(name) is not None:
            self.picked(name)

    def width_of(self, column: Column[OptionsData]) -> int | None:
        options = self.options
        if column.name == "option":
            return min(24, max((len(option.name) for option in options), default=6))
        if column.name == "value":
            return min(20, max((len(_shown(option, self.wishes.of(option))) + 4 for option in options), default=13))
        return column.width

    def spread(self, cells: dict[str, int], left: int) -> None:
        """What is missing is taken from the name, what is left goes to the sentence."""
        cells["option"] = max(8, cells["option"] + min(0, left))
        if "about" in cells:
            cells["about"] += max(0, left)

    def empty(self, width: int) -> tuple[Row, ...]:
        return tuple(((line, "dim"),) for line in wrap(NONE, width))

    # --- input ------------------------------------------------------------------------------------------------

    def picked(self, key: str, click: events.Click | None = None) -> None:
        """Move the cursor, unless the typed value is not possible; a click on the value under the cursor changes it."""
        if key == self.cursor and click is not None:
            self._clicked(click)
        elif key != self.cursor and self.settle():
            self.cursor = self.wishes.at = key
            self.wishes.error = ""
            index = self.row_of(key)
            if index is not None:
                self.reveal(index)
        self.redraw()

    def _clicked(self, click: events.Click) -> None:
        offset = click.get_content_offset(self)
        left = self.MARK_CELLS
        for column, cells in self.columns(self.scrollable_content_region.width):
            if column.name == "value" and offset is not None and left <= offset.x <= left + cells:
                shown = "" if self.option is None else _shown(self.option, self.wishes.of(self.option))
                # `< 7 hops >`, flush right.
                self.action_turn(1 if offset.x >= left + cells - 3 - len(shown) // 2 else -1)
                return
            left += cells + 1

    def redraw(self) -> None:
        """Show changed values."""
        self.changed()
        self.rows_came(0)
        self.post_message(self.Marked())

    def on_key(self, event: events.Key) -> None:
        """A digit begins a value; while one is typed every character belongs to it."""
        letter = event.character
        if letter is None or not letter.isprintable() or not self._takes(letter):
            return
        event.stop()
        event.prevent_default()
        self._type(((self.wishes.typed or "") + letter)[:TYPED_MOST])

    def on_paste(self, event: events.Paste) -> None:
        """What is pasted is typed."""
        event.stop()
        if event.text and self._takes(event.text[0]):
            self._type(((self.wishes.typed or "") + event.text)[:TYPED_MOST])

    def _takes(self, letter: str) -> bool:
        """Whether a character belongs to a value: any where one is typed already, else what a number begins with."""
        option = self.option
        if option is None or self.wishes.typed is not None:
            return option is not None
        number = option.allowed.kind in (int, float) and not option.allowed.choices
        below = letter == "-" and (option.allowed.low is None or option.allowed.low < 0)
        return number and (letter.isdigit() or letter == "." or below)

    def _type(self, text: str) -> None:
        self.wishes.typed, self.wishes.error = text, ""
        self.redraw()

    def settle(self) -> bool:
        """Use the typed value, if there is one. Returns False if it is not possible; the reason is in
        `Wishes.error`."""
        wishes, option = self.wishes, self.option
        if wishes.typed is None or option is None:
            return True
        if wishes.typed.strip():
            try:
                wishes.want(option, option.read(wishes.typed))
            except InputError as error:
                wishes.error = str(error)
                return False
        wishes.typed, wishes.error = None, ""
        return True

    def action_turn(self, by: int) -> None:
        """A step up or down."""
        option = self.option
        if option is not None and self.settle():
            self.wishes.error = ""
            self.wishes.want(option, option.step(self.wishes.of(option), by))
        self.redraw()

    def action_take(self) -> None:
        """Accept what is typed; else apply what is wanted; else begin to type a value."""
        option = self.option
        if self.wishes.typed is not None:
            self.settle()
            self.redraw()
        elif self.wishes.values:
            self.post_message(self.Taken())
        elif option is not None:
            self._type(typed_of(option.now))

    def action_erase(self) -> None:
        """Erase the last letter; if nothing is typed, want the default."""
        option = self.option
        if self.wishes.typed is not None:
            self._type(self.wishes.typed[:-1])
        elif option is not None:
            self.wishes.want(option, option.default)
            self.redraw()

    async def action_leave(self) -> None:
        """Cancel what is typed; else discard what is wanted; else go back to the picture."""
        if self.wishes.typed is not None:
            self.wishes.typed, self.wishes.error = None, ""
            self.redraw()
        elif self.wishes.values:
            self.wishes.clear()
            self.redraw()
        else:
            await self.app.run_action("do('app.back')", self.screen)


class Options(LatePanel):
    """The panel. Posts `OptionsWanted`."""

    DEFAULT_CSS = (
        panel_css("Options")
        + """
    Options {
        padding: 0 0 0 1;
        #option-told { max-height: 7; }
        .row { height: 1; width: 1fr; }
        .row ActionButton { margin: 0 1 0 0; }
    }
    """
    )
    BINDINGS = within({"option.restart": "restart", "option.again": "again"})

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(self._parts, OptionTable, id=id, classes=classes)
        self._mark = ""
        self._texts_shown: tuple[object, ...] = ()
        self.wishes = Wishes()

    def on_mount(self) -> None:
        """Set the title."""
        name_panel(self, "options", HINT)

    def _parts(self) -> list[Widget]:
        return [
            OptionTable(self.wishes, id="option-table"),
            TextRows(id="option-told"),
            Horizontal(
                ActionButton("apply now", "list.choose", id="option-now"),
                ActionButton("restart", "option.restart", id="option-restart"),
                classes="row",
            ),
            Horizontal(ActionButton("restart, my actions again", "option.again", id="option-again"), classes="row"),
        ]

    @property
    def options(self) -> tuple[Option, ...]:
        """What is listed."""
        return self.query_one(OptionTable).options if self._complete else ()

    def mark(self, name: str) -> None:
        """Put the cursor on an option, as soon as it is listed."""
        self._mark = name
        if self._complete:
            self._go()

    def _go(self) -> None:
        if self._mark and self.options:
            self.query_one(OptionTable).go_to(self._mark)
            self._mark = ""

    def show(self, frame: Frame) -> bool:
        """Take the newest values; another run has no wishes."""
        before = self._frame
        if not super().show(frame):
            return False
        fixed = frame.snapshot.fixed
        if before is not None and before.snapshot.fixed.run is not fixed.run:
            self.wishes.clear()
        table = self.query_one(OptionTable)
        table.offer(options_of(fixed.protocol, frame.begun_with, frame.snapshot.settings))
        self._go()
        self._update_texts()
        return True

    def wanted(self) -> dict[str, Any]:
        """The values that are wanted instead of the present ones."""
        return dict(self.wishes.values)

    def for_restart(self) -> dict[str, Any]:
        """Values as they are shown that differ from those that this run began with."""
        values = {option.name: (self.wishes.of(option), option.begun) for option in self.options}
        return {name: value for name, (value, begun) in values.items() if value != begun}

    def _why_not(self, how: How) -> str:
        if self.wishes.error:
            return self.wishes.error
        if how != "now":
            return "" if self.for_restart() else AS_BEGUN
        fixed = [option.name for option in self.options if option.allowed.fixed and option.name in self.wishes.values]
        if fixed:
            return f"{fixed[0]} is read when a run begins: restart with it."
        return "" if self.wishes.values else UNCHANGED

    def _update_texts(self) -> None:
        """Update what is around the table: the title, the text about the option under the cursor, the buttons."""
        table, told = self.query_one(OptionTable), self.query_one("#option-told", TextRows)
        width = max(8, self.size.width)
        key = (table.option, self.wishes.error, self.wishes.typed, *self.wishes.values.items(), width, self.options)
        if key == self._texts_shown:
            return
        self._texts_shown = key
        protocol = "" if self._frame is None else f" of {self._frame.snapshot.fixed.protocol}"
        others = sum(option.now != option.default for option in self.options)
        changed = f" · {others} changed" if others else ""
        name_panel(self, f"options{protocol}{changed}", TYPING if self.wishes.typed is not None else HINT)
        told.show_rows(self._rows(table.option, width))
        for id_, how, about in (("now", "now", NOW), ("restart", "restart", RESTART), ("again", "again", AGAIN)):
            why = self._why_not(how)  # type: ignore[arg-type]
            button = self.query_one(f"#option-{id_}", ActionButton)
            button.update(button.label, why or about, disabled=bool(why))

    def _rows(self, option: Option | None, width: int) -> list[Row]:
        if option is None:
            return []
        if self.wishes.error:
            return [((line, "bad"),) for line in wrap(self.wishes.error, width)]
        about = f"{option.allowed.about[:1].upper()}{option.allowed.about[1:]}."
        unit = f" {option.unit}" if option.unit else ""
        limits = f"{option.range}{unit}; default {text_of(option.default)}"
        limits += f"; began with {text_of(option.begun)}" if option.begun != option.default else ""
        limits += "; read when a run begins" if option.allowed.fixed else ""
        return [
            *(((line, "text"),) for line in wrap(about, width)),
            *(((line, "dim"),) for line in wrap(limits, width)),
        ]

    # --- input ------------------------------------------------------------------------------------------------

    @on(OptionTable.Marked)
    def _marked(self, event: OptionTable.Marked) -> None:
        event.stop()
        self._update_texts()

    @on(OptionTable.Taken)
    def _taken(self, event: OptionTable.Taken) -> None:
        event.stop()
        self._want("now")

    @on(ActionButton.Pressed)
    def _pressed(self, event: ActionButton.Pressed) -> None:
        event.stop()
        self._want({"option-now": "now", "option-restart": "restart"}.get(str(event.button.id), "again"))  # type: ignore[arg-type]
        self.focus()

    def action_restart(self) -> None:
        """Begin anew with these values."""
        self._want("restart")

    def action_again(self) -> None:
        """Begin anew with these values and what the person did."""
        self._want("again")

    def _want(self, how: How) -> None:
        table = self.query_one(OptionTable)
        if table.settle() and not self._why_not(how):
            values = self.wanted() if how == "now" else self.for_restart()
            self.wishes.clear()
            self.post_message(OptionsWanted(values, how))
            table.redraw()
        elif self.wishes.error:
            table.redraw()
        else:
            told, why = self.query_one("#option-told", TextRows), keyed(self.app, self._why_not(how))
            told.show_rows([((line, "warn"),) for line in wrap(why, max(8, self.size.width))])
