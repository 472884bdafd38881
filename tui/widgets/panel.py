"""What panels have in common: a frame with a title and keys, buttons, and two ways of showing rows.

`TextRows` is as tall as its rows; `VirtualList` scrolls over any number of rows and formats only those in view. Both
are painted line by line and have no child widget for each row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Self
from weakref import WeakKeyDictionary

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBarRender
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from engine import dataclass, plain
from tui.config.keys import SCROLLING, key_for, keyed, within
from tui.input_queue import queue_of
from tui.session.frame import Frame
from tui.textual_compat import SteadyOptions, set_border_subtitle, set_border_title, set_virtual_size

from .row_widget import RowWidget
from .text import ASCII, Row, StyleCache, letters_only, strip


class Reading(VerticalScroll, inherit_bindings=False):
    """A text that scrolls, with bindings that can be remapped."""

    BINDINGS = within(SCROLLING)


class Choices(SteadyOptions, inherit_bindings=False):
    """A list to choose from, with bindings that can be remapped."""

    BINDINGS = within(
        {
            "list.up": "cursor_up",
            "list.down": "cursor_down",
            "list.far_up": "page_up",
            "list.far_down": "page_down",
            "list.first": "first",
            "list.last": "last",
            "list.choose": "select",
        }
    )

    def render_line(self, y: int) -> Strip:
        """As Textual's; with ASCII characters alone, separators are made of these too."""
        made = super().render_line(y)
        if not letters_only(self):
            return made
        letters = [Segment(text.translate(ASCII), style, control) for text, style, control in made]
        return Strip(letters, made.cell_length)


class AsciiScrollBar(ScrollBarRender):
    """A scroll bar for ASCII terminals: it moves by whole cells, where Textual's ends in eighths of one."""

    VERTICAL_BARS = [" "]
    HORIZONTAL_BARS = [" "]


PART = " · "
STEP = 8
FRAME = 6
"""Cells of a panel's lower edge without text: its corners, and a dash and a blank beside each."""


def panel_css(name: str) -> str:
    """The CSS of a panel's frame for the widget class `name`: faint, and in the accent colour with the focus."""
    return f"""
    {name} {{
        border: round $foreground 25%;
        border-title-color: $foreground;
        border-title-style: bold;
        border-subtitle-color: $foreground 60%;
        background: $background;
        scrollbar-size-vertical: 1;
        scrollbar-color: $foreground 30%;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
        scrollbar-background-active: $background;
        &:focus, &:focus-within {{ border: round $accent; }}
        &.-letters {{ border: ascii $foreground 25%; }}
        &.-letters:focus, &.-letters:focus-within {{ border: ascii $accent; }}
    }}
    """


@dataclass(frozen=True, slots=True)
class Offer:
    """An action as it is offered now. key: what to press; word: its name; action: the action of the screen; why_not:
    why it is not possible, empty if it is; tip: what it does; rank: the key bar leaves out the highest ranks first."""

    key: str
    word: str
    action: str
    why_not: str = ""
    tip: str = ""
    rank: int = 9

    @property
    def text(self) -> str:
        """Key and word, as they are shown."""
        return f"{self.key} {self.word}"


@dataclass(slots=True)
class PanelFrame:
    """What is written in the frame of a panel: the title and the subtitle as the panel gave them, keys, and what of
    these has been drawn. None for `drawn`: nothing yet."""

    title: str = ""
    subtitle: str = ""
    keys: tuple[Offer, ...] = ()
    drawn: tuple[str, str, list[Offer], bool] | None = None
    """Title, subtitle, the keys there is room for, and whether they were drawn in ASCII."""


_FRAMES: WeakKeyDictionary[Widget, PanelFrame] = WeakKeyDictionary()


def frame_of(widget: Widget) -> PanelFrame:
    """What is written in the frame of a panel."""
    return _FRAMES.setdefault(widget, PanelFrame())


def is_named(widget: Widget) -> bool:
    """Whether it is a panel with a title."""
    return widget in _FRAMES and _FRAMES[widget].drawn is not None


def name_panel(widget: Widget, title: str, subtitle: str = "") -> None:
    """Set the title and subtitle of a panel's frame as plain text, and only when they changed; the keys that the frame
    has (`carry_keys`) follow the subtitle, as many as there is room for.

    The subtitle may name keys as `{list.choose}`; what to press for them is filled in here."""
    frame = frame_of(widget)
    frame.title, frame.subtitle = title, subtitle
    title, subtitle = plain(title), plain(keyed(widget.app, subtitle))
    letters = letters_only(widget)
    if letters != widget.has_class("-letters"):
        widget.set_class(letters, "-letters")
    # Room for figures is reserved in steps, so that no key comes and goes with a digit.
    reserved = -(-(cell_len(subtitle) + len(PART)) // STEP) * STEP if subtitle else 0
    # A panel that is not laid out yet has no width; its next figures find the right one.
    room = widget.outer_size.width - FRAME - reserved if widget.size.width else 1_000
    keys = fitting(frame.keys, room)
    before, frame.drawn = frame.drawn, (title, subtitle, keys, letters)
    if before == frame.drawn:
        return
    if before is None:
        retitled, annotated = bool(title), bool(subtitle or keys)
    else:
        restyled = letters != before[3]
        retitled, annotated = restyled or title != before[0], restyled or (subtitle, keys) != before[1:3]
    if letters:
        title, subtitle = title.translate(ASCII), subtitle.translate(ASCII)
    # A Content is taken as it is, where a str would be read as markup. Only the line of the title is repainted.
    if retitled:
        set_border_title(widget, Content(title) if title else None)
        repaint_edge(widget, 0)
    if annotated:
        part = PART.translate(ASCII) if letters else PART
        below = [Content(subtitle), *([Content(part)] if keys else [])] if subtitle else []
        below += [written(keys)] if keys else []
        set_border_subtitle(widget, Content.assemble(*below) if below else None)
        repaint_edge(widget, widget.outer_size.height - 1)


def repaint_edge(widget: Widget, y: int) -> None:
    """Repaint line `y` of the widget, counted with its frame; the whole widget if it has no size yet."""
    width, height = widget.outer_size
    if 0 <= y < height:
        Widget.refresh(widget, Region(0, y, width, 1).translate(-widget.content_offset))
    else:
        Widget.refresh(widget)


def carry_keys(widget: Widget, keys: Sequence[Offer]) -> None:
    """Show these keys in the frame of a panel."""
    frame = frame_of(widget)
    if tuple(keys) != frame.keys:
        frame.keys = tuple(keys)
        rename(widget)


def rename(widget: Widget) -> None:
    """Write the title of a panel again, after keys or glyphs changed."""
    frame = frame_of(widget)
    name_panel(widget, frame.title, frame.subtitle)


class TextRows(RowWidget):
    """A few rows, in a widget of as many lines. `show_rows` repaints only when a row differs.

    After a change of height Textual lays out the whole screen (20 to 50 ms). With `steady` the widget therefore keeps
    the height of the most rows it has had, until `reset_height` is called, when it shows something else.

    The height is set as a style. If it were `auto`, Textual would ask for it, and keep the answer until the layout that
    was requested begins. If the rows changed twice before that, as at the start on a busy machine, the widget would
    stay at the first height.
    """

    DEFAULT_CSS = "TextRows { height: 0; width: 1fr; }"

    def __init__(self, *, steady: bool = False, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._rows: tuple[Row, ...] = ()
        self._steady, self._least, self._tall = steady, 0, 0

    def reset_height(self) -> None:
        """Take no more lines than there are rows, from the next rows on."""
        self._least = 0

    @property
    def rows(self) -> tuple[Row, ...]:
        """What is shown."""
        return self._rows

    @property
    def text(self) -> str:
        """What is shown, without colours."""
        return "\n".join("".join(text for text, _ in row) for row in self._rows)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows instead."""
        new = tuple(rows)
        tall = max(len(new), self._least)
        if new == self._rows and tall == self._tall:
            return
        grown = tall != self._tall
        before, self._rows, self._tall = self._rows, new, tall
        self._least = tall if self._steady else 0
        if grown:
            self.styles.height = tall + self.styles.gutter.height
        if grown or len(before) != len(new) or not self.size.width:
            self.refresh()
            return
        wide = self.size.width
        self.refresh(*(Region(0, y, wide, 1) for y, row in enumerate(new) if row != before[y]))

    def row_at(self, y: int) -> Row:
        return self._rows[y] if y < len(self._rows) else ()


class VirtualList(ScrollView, can_focus=True, inherit_bindings=False):
    """Any number of rows, newest on top. While it is scrolled away from the top, new rows do not move those in view."""

    DEFAULT_CSS = """
    VirtualList {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
    }
    """
    BINDINGS = within(SCROLLING)
    HEADER = 0
    """Lines at the top that do not scroll."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._style_cache: StyleCache | None = None
        self._cursor_styles: StyleCache | None = None
        self._lines_shown: list[tuple[Row, bool]] = []
        self._width_shown = 0

    def row_count(self) -> int:
        """How many rows there are now."""
        raise NotImplementedError

    def row(self, index: int, width: int) -> Row:
        """Row `index`, 0 being the newest."""
        raise NotImplementedError

    def header(self, line: int, width: int) -> Row:
        """Line `line` of the fixed top."""
        return ()

    def empty(self, width: int) -> Sequence[Row]:
        """The rows to show when there are no rows of data."""
        return ()

    def is_cursor(self, index: int) -> bool:
        """Whether the row is the chosen one."""
        return False

    def rows_came(self, fresh: int) -> None:
        """`fresh` rows were put on top, and any number fell off the bottom. Call after `row_count` has changed."""
        following = self.following
        size = Size(self.size.width, self.row_count() + self.HEADER)
        if size != self.virtual_size:
            set_virtual_size(self, size)
        if not following and fresh:
            self.scroll_to(y=min(self.scroll_offset.y + fresh, self.max_scroll_y), animate=False)
        self._repaint()

    def _repaint(self) -> None:
        """Repaint the lines that differ: an ask under way changes one row of a dozen, several times a second."""
        width, height = self.scrollable_content_region.width, self.size.height
        lines = [self._line_at(y, width) for y in range(height)] if self.display else []
        before, self._lines_shown = self._lines_shown, lines
        if len(before) != len(lines) or not lines or width != self._width_shown:
            self._width_shown = width
            self.refresh()
            return
        wide = self.size.width
        changed = [Region(0, y, wide, 1) for y in range(height) if lines[y] != before[y]]
        if changed:
            self.refresh(*changed)

    @property
    def following(self) -> bool:
        """Whether the newest row is in sight."""
        return self.scroll_offset.y <= 0

    def index_at(self, y: int) -> int | None:
        """The row at line `y` of the content, or None."""
        index = y - self.HEADER + self.scroll_offset.y
        return index if y >= self.HEADER and 0 <= index < self.row_count() else None

    def reveal(self, index: int) -> None:
        """Scroll as little as needed to see the row."""
        top, room = self.scroll_offset.y, max(1, self.size.height - self.HEADER)
        if index < top:
            self.scroll_to(y=index, animate=False)
        elif index >= top + room:
            self.scroll_to(y=index - room + 1, animate=False)

    def on_resize(self, event: events.Resize) -> None:
        """Scroll over all rows, and not sideways."""
        self.virtual_size = Size(self.size.width, self.row_count() + self.HEADER)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Look the colours up once a paint."""
        self._style_cache, self._cursor_styles = StyleCache(self), StyleCache(self, cursor=True)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Line `y` of the content in sight."""
        width = self.scrollable_content_region.width
        row, chosen = self._line_at(y, width)
        styles = (self._cursor_styles if chosen else self._style_cache) or StyleCache(self, cursor=chosen)
        return strip(row, width, styles)

    def _line_at(self, y: int, width: int) -> tuple[Row, bool]:
        """The row at a line of the content in sight, and whether it is the chosen one."""
        if self.row_count() == 0:
            said = self.empty(width)
            return (said[y] if y < len(said) else ()), False
        if y < self.HEADER:
            return self.header(y, width), False
        index = self.index_at(y)
        return ((), False) if index is None else (self.row(index, width), self.is_cursor(index))


class ActionButton(RowWidget, can_focus=True):
    """A button of one line: `[x] Kill`. It shows the key that does the same.

    Disabled, it keeps a tooltip that says why. It posts `ActionButton.Pressed`.
    """

    DEFAULT_CSS = """
    ActionButton {
        width: auto;
        height: 1;
        color: $foreground;
        background: $foreground 10%;
        pointer: pointer;
        &:hover { background: $accent 35%; }
        &:focus { background: $accent 35%; text-style: bold; }
        &:disabled { color: $foreground 45%; background: $foreground 4%; pointer: not-allowed; }
    }
    """
    BINDINGS = within({"button.press": "press"})

    class Pressed(Message):
        """The button was pressed."""

        def __init__(self, button: ActionButton) -> None:
            super().__init__()
            self.button = button

        @property
        def control(self) -> ActionButton:
            """For `@on(ActionButton.Pressed, selector)`."""
            return self.button

    def __init__(self, label: str, key: str = "", *, tip: str = "", id: str | None = None) -> None:  # noqa: A002
        """`key` is the id of a key in the table: the button shows what a person has to press for it."""
        super().__init__(id=id)
        self._label, self._key = label, key
        self.tip = tip
        self.tooltip = Content(tip) if tip else None

    @property
    def label(self) -> str:
        """Its word, without the key."""
        return self._label

    def update(self, label: str, tip: str, *, disabled: bool = False) -> None:
        """Change what it says and whether it can be pressed; repaints only when something differs."""
        if label != self._label:
            wider = cell_len(label) != cell_len(self._label)
            self._label = label
            self.refresh(layout=wider)
        tip = keyed(self.app, tip)
        if tip != self.tip:
            self.tip = tip
            self.tooltip = Content(plain(tip, limit=400)) if tip else None
        if disabled != self.disabled:
            self.disabled = disabled

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """The width of its text."""
        return sum(cell_len(text) for text, _ in self.row_at(0))

    def row_at(self, y: int) -> Row:
        if self._key:
            return (
                (f"[{key_for(self.app, self._key)}]", "dim" if self.disabled else "key bold"),
                (f" {self._label}", "text"),
            )
        return ((f" {self._label} ", "text"),)

    def on_click(self, event: events.Click) -> None:
        """A click presses it."""
        event.stop()
        self.action_press()

    def action_press(self) -> None:
        """Press it."""
        if not self.disabled:
            self.post_message(self.Pressed(self))


STEPPING = {
    "list.up": "step(0, -1)",
    "list.down": "step(0, 1)",
    "list.left": "step(-1, 0)",
    "list.right": "step(1, 0)",
}
"""The keys of a panel with several parts: `tab` moves to the panel, arrow keys move from part to part
(`step_within`)."""


def step_within(panel: Widget, across: int, down: int) -> None:
    """Focus the nearest part of a panel to the left or right in the same line, or in a line above or below."""
    parts = [(part, part.region) for part in panel.query("*") if part.focusable]
    here = next((place for part, place in parts if part.has_focus), None)
    if here is None:
        for part, _ in parts[:1]:
            part.focus()
        return
    beyond = [
        (abs(place.y - here.y), abs(place.x - here.x), number)
        for number, (_, place) in enumerate(parts)
        if ((place.y - here.y) * down > 0 if down else place.y == here.y and (place.x - here.x) * across > 0)
    ]
    if beyond:
        parts[min(beyond)[2]][0].focus()


# Keys in the lower edge of a panel's frame: what else the panel can show, or what is hidden behind it. The key bar has
# room for a dozen keys only.

GAP = "  "


def fitting(keys: Sequence[Offer], room: int) -> list[Offer]:
    """As many from the front as fit into so many cells."""
    kept: list[Offer] = []
    for key in keys:
        room -= len(key.text) + (len(GAP) if kept else 0)
        if room < 0:
            break
        kept.append(key)
    return kept


def written(keys: Sequence[Offer]) -> Content:
    """The keys side by side; a click on one runs its action, or says why it is not possible."""
    parts: list[Content | str] = []
    for key in keys:
        parts += [GAP] if parts else []
        click = Style.from_meta({"@click": f"screen.{key.action}"})
        lit, ink = ("dim", "dim") if key.why_not else ("bold $accent", "")
        parts.append(Content.assemble((key.key, lit), (f" {key.word}", ink)).stylize(click))
    return Content.assemble(*parts)


def pressed(event: events.MouseEvent) -> bool:
    """Whether a mouse event is on a key in the frame, and not on the content of the panel."""
    return "@click" in event.style.meta


class LatePanel(Vertical):
    """A panel whose widgets are made when they are first wanted: most runs never open it, and the widgets would cost
    each of them a part of its start."""

    def __init__(
        self,
        make: Callable[[], Iterable[Widget]],
        first: type[Widget],
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """make: makes the widgets; first: the type of the one that takes the focus of the panel."""
        super().__init__(id=id, classes=classes)
        self._make, self._first = make, first
        self._frame: Frame | None = None
        self._adding = self._complete = self._focus_wanted = False

    def compose(self) -> ComposeResult:
        """No widgets yet, see `show`."""
        return iter(())

    @property
    def ready(self) -> bool:
        """Whether the panel can handle keys. Input waits until then."""
        return self._complete

    def focus(self, scroll_visible: bool = True, from_app_focus: bool = False) -> Self:
        """Focus the first widget, as soon as it is there."""
        self._focus_wanted = not self._complete
        if self._complete:
            self.query_one(self._first).focus(scroll_visible)
        if not self.ready and (inputs := queue_of(self.app)) is not None:
            inputs.expect(self.takes_keys_now)
        return self

    def takes_keys_now(self) -> bool:
        """Whether it has the focus, and can handle keys."""
        return self.has_focus_within and self.ready

    def has_content(self, frame: Frame) -> bool:
        """Whether a frame has something for the widgets to show."""
        return True

    def show(self, frame: Frame) -> bool:
        """Keep the newest frame. Returns whether the widgets are there; if not, and they are wanted, they are made, and
        then this is called again."""
        self._frame = frame
        if not self._complete and self.has_content(frame):
            self.call_later(self._add_widgets)
        return self._complete

    async def _add_widgets(self) -> None:
        if not self.is_attached or self._adding:
            return
        self._adding = True
        await self.mount_all(self._make())
        # Not before: a frame that comes meanwhile would look for widgets that are not there yet.
        self._complete = True
        if self._frame is not None:
            self.show(self._frame)
        if self._focus_wanted:
            self.focus()
