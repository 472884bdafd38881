"""All uses of private names of Textual, and the guards against its faults.

Written for Textual 8.2.8, and `pyproject.toml` allows versions below 9: check this file before that bound is raised.
Each part tells which names are private and which fault it guards against. A test in `tests/test_house.py` finds private
names of Textual that are used elsewhere.

Colours (`OwnColours`), terminal modes, signals and the end (`TerminalDriver`, `Output`, `Deadline`)
    See the comments above these parts.
Input (`Translator`, `TerminalDriver.run_input_thread`)
    Textual 8.2.8 decodes stdin strictly, so that a byte that is no UTF-8 ends its input thread and the run; so does any
    report with a field it does not expect (`ESC[48;24;80;0;0t` and a mouse event: division by zero; a code point
    beyond Unicode; `1:1` as modifiers; a number of 5,000 digits). A bracketed paste or a sequence that never ends
    swallows all that is typed after it, and an unknown number is taken for a letter (`ESC[113~` is `q`). So bytes are
    cut into whole pieces by `terminal_input`, and of Textual's parser only the tables of keys and the reading of one
    whole mouse report are used.
Order (`Passed`, `is_at_rest`)
    Textual forwards each key to the widget that has the focus when the key is read, although an earlier key, which is
    not handled yet, may move the focus. `input_queue` holds keys back; a `Passed` tells it that a key was handled.
Drawing (`LeanCompositor`, `LeanStylesheet`, `TextLine`, `set_border_title`, `set_virtual_size`, `Overlay`)
    Textual renders, lays out and styles more than has changed; the functions tell which private name avoids it.
The pointer (`points_at_nothing`)
    Textual looks up what is under the pointer in its last layout, and assumes that what it finds there has a
    parent: a list entry or a toast that was removed since has none (`AttributeError` in `_forward_event`). Whether
    the ends of a marked text are still there it asks `is_attached_to_dom` without calling it, which is always true.
Toasts (`ToastNotice`)
    Textual sets a timer for the time that a toast has left, which is negative for one that is made after its end, as on
    a busy machine, or where the process was stopped meanwhile. A timer with a negative interval runs in an
    endless loop (`Timer._run`), and the program handles no key any more.
Keys (`bind`)
    Textual takes the bindings of a screen from its class. There is no public way to give them to a screen when it is
    made (`_bindings`).
Dialogs (`dismiss_once`, `is_late`, `SteadyPalette`, `knows_option`)
    Textual pops a screen for each `dismiss`, also for the second one of the same dialog, which removes the dashboard
    (`ScreenStackError`, or an empty screen). Events that were posted before a dialog was dismissed are handled when its
    widgets are removed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import sys
import threading
import time
import unicodedata
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

from rich.segment import Segment
from rich.style import Style
from textual import constants, events, messages
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._compositor import ChopsUpdate as ChopsUpdate
from textual._compositor import Compositor
from textual._compositor import CompositorUpdate as CompositorUpdate
from textual._compositor import LayoutUpdate as LayoutUpdate
from textual._context import NoActiveAppError, active_message_pump
from textual._keyboard_protocol import FUNCTIONAL_KEYS
from textual._widget_navigation import Direction
from textual._xterm_parser import FOCUSIN, FOCUSOUT, XTermParser
from textual.app import App, ScreenStackError
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingsMap
from textual.cache import LRUCache
from textual.color import Color
from textual.command import CommandInput, CommandList, CommandPalette, SearchIcon
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.css.model import CombinatorType, RuleSet, Selector, SelectorType
from textual.css.query import NoMatches
from textual.css.styles import RulesMap
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode, NoScreen
from textual.errors import NoWidget
from textual.filter import LineFilter, Monochrome
from textual.geometry import Region, Size
from textual.keys import Keys, _character_to_key
from textual.message import Message
from textual.notifications import Notification, Notify
from textual.reactive import Reactive
from textual.screen import ModalScreen, Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import EventTargetGone
from textual.widget import MountError, Widget
from textual.widgets import Button, Input, LoadingIndicator, OptionList
from textual.worker import WorkerFailed

from engine import dataclass

from .terminal_input import InputSplitter, Piece

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.app import ComposeResult
    from textual.driver import Driver
    from textual.message_pump import MessagePump
    from textual.notifications import SeverityLevel

# --- input: pieces to events ------------------------------------------------------------------------------------------

FARTHEST = 9_999
"""Mouse reports with a greater column or row are dropped."""
MOUSE = re.compile(r"\x1b\[<(\d{1,4});(-?\d{1,6});(-?\d{1,6})[Mm]")
MODE = re.compile(r"\x1b\[\?2026;([1-4])\$y")
KEY = re.compile(r"\x1b\[([\d:]*)(?:;([\d:]*))?(?:;([\d:]*))?([u~ABCDEFHPQRS])")
MODIFIED = re.compile(r"\x1b\[27;(\d{1,3});(\d{1,7})~")
"""Keys as reported by xterm's modifyOtherKeys."""
SHIFTED = dict(zip("`1234567890-=[]\\;',./", '~!@#$%^&*()_+{}|:"<>?', strict=True))
"""The keys of the US layout that are no letters, with shift."""
RELEASED = 3
LOCKS = 64 | 128
"""Caps lock and num lock, among the modifiers of a report."""
SHIFT = 1
OTHER_BUTTONS = 128
"""Buttons beyond the third and the wheel, as those that go back and forward. Textual takes them for the first three."""
HELD_KEYS = frozenset((*range(57_358, 57_361), *range(57_441, 57_455)))
"""Shift, ctrl and so on by themselves, and the locks: with `KEYBOARD` a terminal reports these too."""
KEYPAD = {57_409: ".", 57_410: "/", 57_411: "*", 57_412: "-", 57_413: "+", 57_415: "=", 57_416: ","}
"""Keys beside the digits. Textual names them otherwise than the keys that write the same."""
ESCAPE = "escape"
"""Textual's name of the key."""
OTHERWISE = {
    **dict.fromkeys(("ctrl+j", "ctrl+m", "shift+enter", "ctrl+enter"), ("enter", "\r")),
    **dict.fromkeys(("ctrl+h", "shift+backspace"), ("backspace", "\x7f")),
    **dict.fromkeys(("ctrl+left_square_bracket", "shift+escape", "ctrl+escape"), (ESCAPE, "\x1b")),
    "ctrl+i": ("tab", "\t"),
    "shift+space": ("space", " "),
}
"""Keys that most terminals report as another one, which they are taken for unless they are in the table of keys.

With `KEYBOARD` a terminal tells them apart. The other way round a line feed is reported as ctrl+j; it is what enter
types before the terminal is ours, and what scripts send."""


class AltKey(events.Key):
    """A key with ESC before it: held together with alt, or two keys that arrived at once. The app decides, which knows
    the keys; `plain` is the key without alt."""

    def __init__(self, plain: events.Key) -> None:
        held = f"shift+{plain.key.lower()}" if len(plain.key) == 1 and plain.key.isupper() else plain.key
        super().__init__(f"alt+{held}", None)
        self.plain = plain


class Translator:
    """Translates pieces of input into Textual's events. What is unknown or malformed gives no event; nothing is raised.

    Uses `_sequence_to_key_events`, `_parse_extended_key` and `parse_mouse_code` of Textual's private parser, which is
    never fed: it has no state but the last place of the pointer.
    """

    def __init__(self) -> None:
        self._parser = XTermParser()

    def read(self, piece: Piece) -> list[Message]:
        """The events of a piece."""
        try:
            if piece.kind == "paste":
                return [events.Paste(piece.text.replace("\x00", ""))]
            if piece.kind == "alone":
                return [events.Key(ESCAPE, "\x1b")]
            if piece.kind == "text":
                return [event for character in piece.text for event in self._typed(character)]
            return list(self._sequence(piece.text))
        except Exception:  # a malformed report: the next one is read all the same
            return []

    def _typed(self, text: str) -> Iterator[events.Key]:
        for event in self._parser._sequence_to_key_events(text):
            if event.key != Keys.Ignore:
                yield event

    def _sequence(self, text: str) -> Iterable[Message]:
        if text == FOCUSIN:
            return [events.AppFocus()]
        if text == FOCUSOUT:
            return [events.AppBlur()]
        if (mouse := MOUSE.fullmatch(text)) is not None:
            if max(int(mouse[2]), int(mouse[3])) > FARTHEST:
                return []
            button, x, y = map(int, mouse.groups())
            if button & OTHER_BUTTONS:
                return []
            if button & 0x60 or text.endswith("m"):  # a button that is let go beyond the edge is let go all the same
                text = f"\x1b[<{button};{max(x, 1)};{max(y, 1)}{text[-1]}"
            event = self._parser.parse_mouse_code(text)
            return [event] if event is not None else []
        if MODE.fullmatch(text) is not None:
            return [messages.TerminalSupportsSynchronizedOutput()]
        if (modified := MODIFIED.fullmatch(text)) is not None and text not in ANSI_SEQUENCES_KEYS:
            held, code = int(modified[1]), int(modified[2])
            # With shift alone the code is that of the character already.
            written = held - 1 & ~LOCKS in (0, SHIFT) and code > 32 and code != 127
            text = f"\x1b[{code};;{code}u" if written else f"\x1b[{code};{held}u"
        if (key := KEY.fullmatch(text)) is not None:
            return self._key(text, *key.groups(default=""))
        if text in ANSI_SEQUENCES_KEYS:
            return self._typed(text)
        if len(text) == 2:
            return [AltKey(key) for key in self._typed(text[1])]
        return []

    def _key(self, text: str, codes: str, modifiers: str, typed: str, end: str) -> Iterable[events.Key]:
        """A key by the kitty protocol: `code:shifted:base ; modifiers:event ; text`, or one of the older forms."""
        if text in ANSI_SEQUENCES_KEYS and f"{codes or 1}{end}" not in FUNCTIONAL_KEYS:
            return self._typed(text)
        first, shifted, base = [_number(part) for part in f"{codes}::".split(":")[:3]]
        held, happened = [_number(part) for part in f"{modifiers}:".split(":")[:2]]
        if happened == RELEASED or (held or 0) > 256 or (first in HELD_KEYS and end == "u"):
            return []
        letters = [chr(number) for part in typed.split(":") if (number := _number(part)) and _is_character(number)]
        if first == 0 and end == "u":  # text that no single key writes: of two keys one after the other, or chosen
            return [events.Key(_character_to_key(letter), letter) for letter in letters]
        code = 1 if first is None else first
        with_shift = (held or 1) - 1 & ~LOCKS
        if end == "u" and code in KEYPAD:
            code = shifted = ord(KEYPAD[code])
        if f"{code}{end}" not in FUNCTIONAL_KEYS and (end != "u" or not _is_character(code)):
            return []
        shift = bool(held and held - 1 & SHIFT)
        if not letters and with_shift in (0, SHIFT) and end == "u" and f"{code}u" not in FUNCTIONAL_KEYS and code >= 32:
            letters = [_with_shift(code, shifted) if shift else chr(code)]  # of a terminal that does not tell the text
        latin = "" if base is None or not _is_character(base) else chr(base)
        foreign = bool(latin) and is_foreign(letters[0] if letters else chr(code))
        if foreign and not letters:
            code = ord(latin)
        written = f"\x1b[{code};{held or ''};{':'.join(str(ord(letter)) for letter in letters)}{end}"
        made = [event.copy() for event in self._parser._parse_extended_key(written) or ()]
        if foreign and letters:
            # A field takes the character; everything else goes by the name of the key.
            name = _character_to_key(latin.upper() if shift and latin.isalpha() else SHIFTED.get(latin, latin)
                                     if shift else latin)  # fmt: skip
            made = [events.Key(name, event.character) for event in made]
        return made


def _number(digits: str) -> int | None:
    return int(digits) if 0 < len(digits) <= 7 and digits.isascii() and digits.isdigit() else None


def _with_shift(code: int, shifted: int | None) -> str:
    """What a key writes together with shift: as reported, else as on the US layout."""
    if shifted is not None and _is_character(shifted):
        return chr(shifted)
    large = chr(code).upper()
    return SHIFTED.get(chr(code), large if len(large) == 1 else chr(code))


def _is_character(number: int | None) -> bool:
    """Whether it is a code point of a character that a key can type."""
    if number is None or not 0 < number <= 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        return False
    return unicodedata.category(chr(number)) != "Cc" or number in (8, 9, 13, 27, 127)


def is_foreign(character: str | None) -> bool:
    """Whether it is one letter of an alphabet other than the Latin one."""
    if not character or len(character) != 1 or not character.isalpha() or character.isascii():
        return False
    return not unicodedata.name(character, "").startswith("LATIN ")


# === colours: NO_COLOR ================================================================================================
#
# Textual 8.2.8 turns colours into shades of grey for NO_COLOR (`Monochrome`), and paints a background of its own. The
# convention (no-color.org) asks for no colour at all: the terminal's own foreground and background stay.

MARKED: Final = 0.25
"""How far the brightness of a background (0 to 1) is from that of the screen before it is shown by reverse video: a
cursor line or a chosen button, but not a panel."""


class OwnColours(LineFilter):
    """Removes all colours. What only a background marks (a cursor's line, a chosen button) becomes reverse video."""

    def __init__(self, app: App[Any]) -> None:
        super().__init__()
        self._app = app
        self._known: dict[tuple[Style, float], Style] = {}
        self._theme, self._brightness = "", 0.0

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Segments as they were, without colours."""
        base, known = self._base(), self._known
        made = []
        for text, style, control in segments:
            if style is not None and (style.color is not None or style.bgcolor is not None):
                plain = known.get((style, base))
                if plain is None:
                    if len(known) > 4096:
                        known.clear()
                    plain = known[style, base] = _without_colours(style, base)
                made.append(Segment(text, plain, control))
            else:
                made.append(Segment(text, style, control))
        return made

    def _base(self) -> float:
        if self._theme != self._app.theme:
            self._theme = self._app.theme
            self._brightness = Color.parse(self._app.theme_variables["background"]).brightness
        return self._brightness


def _without_colours(style: Style, base: float) -> Style:
    reverse = style.reverse
    if style.bgcolor is not None and not style.bgcolor.is_default:
        marked = abs(Color.from_rich_color(style.bgcolor).brightness - base) > MARKED
        reverse = marked != bool(style.reverse)
    attributes = {
        name: getattr(style, name)
        for name in ("bold", "dim", "italic", "underline", "blink", "strike", "underline2", "overline")
    }
    return Style(**attributes, reverse=reverse or None, link=style.link, meta=style.meta or None)


# === the terminal: modes, suspending, continuing, leaving =============================================================
#
# Faults of Textual's LinuxDriver (8.2.8) that `TerminalDriver` corrects:
#
# * SIGCONT starts application mode again though it was never stopped (after SIGSTOP): raw settings are saved as those
#   to be restored, the keyboard protocol is pushed once more, and a second input and a second writer thread begin; the
#   first ones are never ended, and the interpreter waits for the input thread without end (`threading._shutdown`).
# * SIGTSTP and SIGCONT act inside the signal handler, in the middle of whatever the program was doing; where that was
#   a write, the lock of the queue is held already, and the program hangs.
# * After SIGTSTP and SIGCONT only what changes is drawn.
# * A write blocks without end when the terminal reads nothing; SIGTERM is not handled then.
# * A write that fails ends the writer thread, and each later write blocks on the full queue.
# * COLUMNS and LINES of the environment are taken for the size of the window, even when it is resized.
# * What switches modes on waits in the same queue as what is drawn; where it was dropped, as for CONT twice in a row,
#   what switches them off was written all the same, and took away a mode of whoever started the program.
# * Line settings are restored, with echo, long before the program has ended: keys typed meanwhile are shown.
# * Mouse reports in pixels (1016) and the pointer's shape (OSC 22) are switched on and not off.
# * The input thread loops without pause when the terminal is closed, and ends at a byte that is no UTF-8.
#
# Here one input thread and one writer thread run from the first picture to the end. A signal handler only sets flags;
# they are acted on in the event loop.

DRAIN_S = 1.0
"""Wall seconds to wait for a terminal to read the sequences that restore it."""
BACK_S = 0.5
"""Wall seconds between two checks whether this process is in the foreground again, where no signal tells."""
BACKLOG = 200
"""Most writes that wait for a terminal that reads nothing; further ones are dropped, and the whole picture is drawn
when it reads again."""
CAN = "\x18"
"""Ends an escape sequence that was cut off."""

PAIRS: Final[tuple[tuple[str, str], ...]] = (
    ("\x1b[?1049h", "\x1b[?1049l"),  # the alternate screen
    ("\x1b[?25l", "\x1b[?25h"),  # the cursor
    ("\x1b[?7l", "\x1b[?7h"),  # no line wrap
    ("\x1b[?1004h", "\x1b[?1004l"),  # reports the focus
    ("\x1b[?2004h", "\x1b[?2004l"),  # bracketed paste
)
MOUSE_MODES: Final[tuple[tuple[str, str], ...]] = tuple(
    (f"\x1b[?{n}h", f"\x1b[?{n}l") for n in (1000, 1003, 1015, 1006)
)
KEYBOARD: Final = (f"\x1b[>{1 | 4 | 8 | 16}u", "\x1b[<u")
"""The keyboard protocol of kitty: tells keys apart, reports all of them, with their text, and with the key of the US
layout beside the letter, for which Textual does not ask."""
SYNC_QUERY: Final = "\x1b[?2026$p"
SYNC_END: Final = "\x1b[?2026l"


TOAST_LEAST_S = 1.0
"""Seconds for which a toast is seen, however late it comes."""


class ToastNotice(Notification):
    """What a toast says, with a time left that is never negative."""

    @property
    def time_left(self) -> float:
        """Seconds for which a toast that is made now is seen."""
        return max(super().time_left, TOAST_LEAST_S)

    @property
    def has_expired(self) -> bool:
        """Whether its time is over: no toast is made for it."""
        return super().time_left <= 0


class TerminalApp(App[int]):
    """An app with the filters and the driver of this file; its driver calls the methods below."""

    def __init__(self) -> None:
        super().__init__()
        self.stylesheet = LeanStylesheet(variables=self.theme_variables)

    screen_taken = False
    """Whether the alternate screen was entered, and the cursor hidden, before the driver was there."""

    def terminal_gone(self) -> None:
        """The terminal was closed. Called in the event loop."""

    def not_suspended(self) -> None:
        """The system did not stop the process, as no shell could continue it. Called in the event loop."""

    def resumed(self) -> None:
        """The process was stopped and runs again. Called inside a signal handler: set plain attributes only."""

    @property
    def ending(self) -> bool:
        """Whether the app was asked to end: from then on it is not suspended any more."""
        return False

    @property
    def ascii_only(self) -> bool:
        """Whether the terminal takes no other characters."""
        return False

    def to_write(self, renderable: RenderableType | None) -> RenderableType | None:
        """What is written to the terminal for an update of a screen."""
        return renderable

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """As Textual's, with a `ToastNotice`."""
        seconds = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
        self.post_message(Notify(ToastNotice(message, title, severity, seconds, markup=markup)))

    def handle_failure(self, error: Exception) -> bool:
        """An exception that no handler caught. Whether the app goes on: else Textual ends it."""
        return False

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Private in Textual 8.2.8: all that is drawn comes through here."""
        super()._display(screen, self.to_write(renderable))

    def _handle_exception(self, error: Exception) -> None:
        """Private in Textual 8.2.8: all exceptions of handlers, timers and workers come through here."""
        if not self.handle_failure(error):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Private in Textual 8.2.8: it would print source text and variables. Whoever opened the app reports the
        error."""
        self._close_messages_no_wait()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, but for NO_COLOR."""
        filters = super().get_line_filters()
        if not self.no_color:
            return filters
        if self._own_colours is None:
            self._own_colours = OwnColours(self)
        return [self._own_colours if isinstance(one, Monochrome) else one for one in filters]

    _own_colours: OwnColours | None = None

    def get_driver_class(self) -> type[Driver]:
        """`TerminalDriver` in place of the `LinuxDriver`."""
        made = super().get_driver_class()
        if sys.platform != "win32":
            from textual.drivers.linux_driver import LinuxDriver

            if made is LinuxDriver:
                return TerminalDriver
        return made


def window_size(env: Mapping[str, str] | None = None, fds: Sequence[int] = (2, 0, 1)) -> tuple[int, int]:
    """Columns and lines of the window. What the window says counts; where it says nothing, COLUMNS and LINES do, and
    80 x 24 otherwise."""
    for fd in fds:
        with contextlib.suppress(OSError, ValueError):
            columns, lines = os.get_terminal_size(fd)
            if columns > 0 and lines > 0:
                return columns, lines
    env = os.environ if env is None else env
    return _positive(env.get("COLUMNS", ""), 80), _positive(env.get("LINES", ""), 24)


def _positive(text: str, default: int) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    return number or default


def whole_picture(app: App[Any]) -> None:
    """Draw everything now, as the terminal does not show what was drawn last. Private in Textual 8.2.8:
    `_background_screens`, `_display`, `_compositor`."""
    if not app.screen_stack or not app.is_running:
        return
    screen = app.screen
    if screen.is_attached:
        stack = app._background_screens
        app._display(screen, screen._compositor.render_update(full=True, screen_stack=stack))
        screen.refresh()


def hung_up(fd: int) -> bool:
    """Whether a terminal was closed at the other end; False where the system cannot tell."""
    import select

    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return any(what & (select.POLLHUP | select.POLLNVAL) for _, what in poll.poll(0))
    except (AttributeError, OSError, ValueError):
        return False


LOOKALIKES: Final[dict[int, str]] = {
    **{ord(ch): "-" for ch in "─━┄┅┈┉╌╍═╴╶╸╺‐‑‒–—―−▔▁▂▃"},
    **{ord(ch): "|" for ch in "│┃┆┇┊┋╎╏║╵╷╹╻▏▕▎▍▌▐"},
    **{ord(ch): "#" for ch in "█▓▒■▆▇▉▊▋▀▄▅"},
    **dict.fromkeys(range(9484, 9548), "+"),
    **{code: "+" for code in range(0x2550, 0x2574) if chr(code) not in "═║"},
    **dict(zip(map(ord, "╭╮╰╯╱╲╳"), "..''/\\X", strict=True)),
    **{ord(ch): "o" for ch in "●○◉◎◌•∙⦁◆◇"},
    **{ord(ch): "." for ch in "·⋅…░"},
    **dict(zip(map(ord, "←→↑↓↔↕⇄⇢⇠"), "<>^v-|-><", strict=True)),
    **dict(zip(map(ord, "▲△▼▽▶▷►◀◁◄▸▾▴◂❯❮›‹»«"), "^^vv>>><<<>v^<><><><", strict=True)),
    **dict(zip(map(ord, "✕✗✘×⊘✓✔★☆"), "xxxx0vv**", strict=True)),
    **dict(zip(map(ord, "‘’‚“”„′″µ\u00a0"), '\'\',"""\'"u ', strict=True)),
}
"""Characters that one ASCII character of the same width stands for."""


def as_ascii(text: str) -> str:
    """The same in ASCII, of the same width in cells: what has no substitute becomes question marks."""
    if text.isascii():
        return text
    from rich.cells import cell_len

    known = text.translate(LOOKALIKES)
    if known.isascii():
        return known
    return "".join(ch if ch.isascii() else "?" * cell_len(ch) for ch in known)


class Output(threading.Thread):
    """A thread that writes to the terminal; `write` never blocks.

    It opens the terminal once more where that is possible (as libuv does), so that writing without waiting is set for
    this program and not for the shell as well. `unwritten` asks for `_queue.qsize()`.
    """

    def __init__(
        self, file: Any, gone: Callable[[], object], ours: Callable[[], bool], torn: Callable[[], object]
    ) -> None:
        """`gone`: is called when the terminal was closed; `ours`: returns whether it may be written to now; `torn`: is
        called when text was lost and the terminal takes text again. All are called in this thread."""
        super().__init__(daemon=True, name="textual-output")
        self._queue: SimpleQueue[str | tuple[str, threading.Event] | None] = SimpleQueue()
        """Pairs are written in any case, text alone unless it is dropped."""
        self._encoding = getattr(file, "encoding", None) or "utf-8"
        self._gone, self._ours, self._torn = gone, ours, torn
        self._fd, self._own = file.fileno(), False
        with contextlib.suppress(OSError):
            self._fd = os.open(os.ttyname(self._fd), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
            self._own = True
        self._dropping = False
        self._patience = threading.Event()
        """Set: do not wait for the terminal any more."""
        self._lost = self._dead = False

    def write(self, text: str) -> None:
        """Queue text to be written."""
        if self._dead or self._dropping or self._queue.qsize() > BACKLOG:
            self._lost = True
        else:
            self._queue.put(text)

    def write_surely(self, text: str) -> None:
        """Queue text that is not dropped: what switches modes on, since what switches them off is written too."""
        self._queue.put((text, threading.Event()))

    def write_last(self, text: str, within_s: float) -> bool:
        """Drop what is drawn and not yet written, write this, and wait at most `within_s` seconds. Returns whether the
        terminal read all of it."""
        done = threading.Event()
        self._dropping = True
        self._queue.put((text, done))
        took = done.wait(within_s)
        if not took:
            self._patience.set()
            done.wait(within_s)
            self._patience.clear()
        self._dropping, self._lost = False, False
        return took and not self._dead

    def stop(self) -> None:
        """End the thread."""
        self._patience.set()
        self._queue.put(None)
        self.join(DRAIN_S)

    def run(self) -> None:
        """Until `stop`."""
        # Signals that stop the process are handled in the main thread.
        _block_in_this_thread()
        while (item := self._queue.get()) is not None:
            if isinstance(item, tuple):
                self._put(item[0])
                item[1].set()
            elif not self._dropping and not self._dead and self._ours():
                self._put(item)
            if self._lost and not self._dropping and not self._dead and self._queue.empty():
                self._lost = False
                self._torn()
        if self._own:
            with contextlib.suppress(OSError):
                os.close(self._fd)

    def _put(self, text: str) -> None:
        import select

        data = memoryview(text.encode(self._encoding, "replace"))
        cut = False
        while data and not self._dead:
            try:
                if not self._own and not select.select([], [self._fd], [], 0.1)[1]:
                    raise BlockingIOError
                # A terminal that waits takes at least this much at once where it takes any.
                data = data[os.write(self._fd, data if self._own else data[:256]) :]
            except BlockingIOError:
                if self._patience.is_set():
                    cut = True
                    break
                with contextlib.suppress(OSError, ValueError):
                    select.select([], [self._fd], [], 0.1)
            except InterruptedError:
                continue
            except OSError as error:
                if error.errno == errno.EIO and not hung_up(self._fd):
                    self._lost = True  # an orphaned process in the background
                    return
                self._dead = True
                self._gone()
        if cut:
            self._lost = True
            with contextlib.suppress(OSError):
                os.write(self._fd, CAN.encode())


def _block_in_this_thread() -> None:
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP, signal.SIGCONT})


if sys.platform != "win32":
    import select
    import termios
    import tty

    from textual.drivers.linux_driver import LinuxDriver

    class TerminalDriver(LinuxDriver):
        """Textual's driver with the faults above corrected.

        The terminal is in one of two states: ours (`_on`) or the shell's. `_enter` and `_leave` change the state, and
        do nothing if it is the right one already, so modes are balanced after any signals in any order.
        """

        def __init__(
            self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
        ) -> None:
            before = {number: signal.getsignal(number) for number in (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH)}
            super().__init__(app, debug=debug, mouse=mouse, size=size)
            self._outbox: list[Message] = []
            self._outbox_lock = threading.Lock()
            self._handlers_before = before
            self._host = app if isinstance(app, TerminalApp) else None
            if size is None:
                self._size = self._get_terminal_size()
            self._ascii = self._host is not None and self._host.ascii_only
            self._out: Output | None = None
            self._on = False
            self._started = self._quiet = self._closed = self._line_is_raw = False
            self._pixels_on = self._pointer_set = False
            self._parent = os.getppid()
            self._wake_r, self._wake_w = os.pipe()
            self._stop_asked = self._stop_by_key = self._cont_seen = False
            self._continued = 0
            # Python calls the handlers of signals that wait by number, SIGCONT before SIGTSTP, in whatever order they
            # came. Their order is known from the bytes that each one writes here when it comes.
            self._came_r, came_w = os.pipe()
            for end in (self._came_r, came_w):
                os.set_blocking(end, False)
            self._ahead = {signal.SIGTSTP: 0, signal.SIGCONT: 0}
            with contextlib.suppress(ValueError):  # only the main thread may
                signal.set_wakeup_fd(came_w, warn_on_full_buffer=False)
            signal.signal(signal.SIGTSTP, self._on_tstp)
            signal.signal(signal.SIGCONT, self._on_cont)

        # --- what Textual asks for --------------------------------------------------------------------------------

        def _get_terminal_size(self) -> tuple[int, int]:
            return window_size(fds=(2, self.fileno) if self._file is None else (self._file.fileno(), self.fileno))

        def write(self, data: str) -> None:
            """Queue text to be written, if the terminal is ours now."""
            if not self._on or self._quiet or self._out is None:
                return
            if data.startswith("\x1b]22;"):
                self._pointer_set = True
            self._out.write(as_ascii(data) if self._ascii else data)

        def start_application_mode(self) -> None:
            """Take the terminal. In the background, wait for the foreground, stopped where a shell could continue."""
            if self._closed:
                return
            if not self._started:
                self._started = True
                self._out = self._writer_thread = Output(  # type: ignore[assignment]
                    self._file, self._soon(self._gone), self._may_write, self._soon(self._repaint)
                )
                self._out.start()
                self._key_thread = threading.Thread(target=self._run_input_thread, name="textual-input", daemon=True)
                self._key_thread.start()
                signal.signal(signal.SIGWINCH, self._on_winch)
            self._come_back()

        def disable_input(self) -> None:
            """From now on keys are read and thrown away."""
            self._quiet = True

        def stop_application_mode(self) -> None:
            """Draw nothing more. `close` restores the terminal; keys typed before that are not echoed."""
            self._quiet = True

        def suspend_application_mode(self) -> None:
            """Give the terminal back, until `resume_application_mode`."""
            self._leave()

        def resume_application_mode(self) -> None:
            """Take it again."""
            self._come_back()

        def close(self) -> None:
            """Restore the screen and end the writer. Keys are still thrown away, and not shown, until `restore_line`.
            May be called from any thread; a second call does nothing."""
            if self._closed:
                return
            self._closed = self._quiet = True
            with contextlib.suppress(OSError, ValueError):
                # A program in the background that leaves is not to be stopped for writing.
                if threading.current_thread() is threading.main_thread():
                    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            self._line_is_raw = self._on
            self._leave(line=False)
            if self._out is not None:
                self._out.stop()
            if threading.current_thread() is threading.main_thread():
                for number, handler in self._handlers_before.items():
                    signal.signal(number, handler if handler is not None else signal.SIG_DFL)
                signal.set_wakeup_fd(-1)

        def restore_line(self) -> None:
            """Restore the settings of the line, and drop what was typed: the last thing of all, after `close`."""
            if self.exit_event.is_set():
                return
            self.exit_event.set()
            with contextlib.suppress(OSError):
                os.write(self._wake_w, b"x")
            if self._key_thread is not None:
                self._key_thread.join(DRAIN_S)
            if self._line_is_raw:
                self._restore_settings()

        # --- ours or the shell's ------------------------------------------------------------------------------------

        def _foreground(self) -> bool:
            """Whether this process is in the foreground of the terminal. True where the terminal does not control this
            process: there is no job control then."""
            try:
                return os.tcgetpgrp(self.fileno) == os.getpgrp()
            except OSError:
                return True

        def _may_write(self) -> bool:
            if self._foreground():
                return True
            if self._on and not self._closed:
                self._soon(self._settle_back)()
            return False

        def _pairs(self) -> list[tuple[str, str]]:
            pairs = list(PAIRS)
            if self._mouse:
                pairs += MOUSE_MODES
            if not constants.DISABLE_KITTY_KEY:
                pairs.append(KEYBOARD)
            return pairs

        def _enter(self) -> None:
            if self._on or self._closed or self._out is None:
                return
            try:
                found = termios.tcgetattr(self.fileno)
            except termios.error:
                found = None
            if found is not None:
                # Settings that somebody else has made raw meanwhile are not those to be restored.
                if self.attrs_before is None or found[tty.LFLAG] & termios.ICANON:
                    self.attrs_before = found
                self._raw()
            self._on = True
            pairs = self._pairs()
            if self._host is not None and self._host.screen_taken:
                pairs, self._host.screen_taken = pairs[2:], False
            text = "".join(on for on, _ in pairs)
            if self.input_tty and os.environ.get("TERM_PROGRAM", "") != "Apple_Terminal":
                text += SYNC_QUERY  # Apple's would show its last letter
            self._out.write_surely(text)
            self._post_size()

        def _raw(self) -> None:
            with contextlib.suppress(termios.error):
                made = termios.tcgetattr(self.fileno)
                made[tty.LFLAG] = self._patch_lflag(made[tty.LFLAG])
                made[tty.IFLAG] = self._patch_iflag(made[tty.IFLAG])
                made[tty.CC] = [*made[tty.CC]]
                made[tty.CC][termios.VMIN], made[tty.CC][termios.VTIME] = 1, 0
                termios.tcsetattr(self.fileno, termios.TCSANOW, made)

        def _restore_settings(self, *, flush: bool = True) -> None:
            if self._foreground():  # else the shell has set the line as it wants it
                with contextlib.suppress(termios.error):
                    if self.attrs_before is not None:
                        if flush:
                            termios.tcflush(self.fileno, termios.TCIFLUSH)
                        termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)

        def _leave(self, *, line: bool = True, flush: bool = True) -> None:
            if not self._on or self._out is None:
                return
            self._on = False
            off = [off for _, off in reversed(self._pairs())]
            if self._pixels_on:
                off.insert(0, "\x1b[?1016l")
            if self._pointer_set:
                off.insert(0, "\x1b]22;\x07")
            self._pixels_on = self._pointer_set = False
            self._out.write_last(SYNC_END + "\x1b[0m" + "".join(off), DRAIN_S)
            if line:
                self._restore_settings(flush=flush)

        # --- signals --------------------------------------------------------------------------------------------------

        def _soon(self, what: Callable[[], object]) -> Callable[[], None]:
            """Have it done in the loop. May be called in a signal handler and in any thread."""

            def call() -> None:
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    self._loop.call_soon_threadsafe(what)

            return call

        def _on_tstp(self, *_: object) -> None:
            self._record_signals(signal.SIGTSTP)

        def _on_cont(self, *_: object) -> None:
            self._record_signals(signal.SIGCONT)

        def _record_signals(self, number: signal.Signals) -> None:
            """Record all signals that came, in the order in which they came; only `number` where the order is not
            known."""
            came = b""
            with contextlib.suppress(OSError):
                came = os.read(self._came_r, 1 << 16)
            for one in (signal.Signals(each) for each in came if each in self._ahead):
                self._ahead[one] += 1
                self._record_signal(one)
            if self._ahead[number]:
                self._ahead[number] = 0
            else:
                self._record_signal(number)
            self._soon(self._settle)()

        def _record_signal(self, number: signal.Signals) -> None:
            if number == signal.SIGTSTP:
                self._stop_asked = True
                return
            self._continued += 1
            self._cont_seen, self._stop_asked, self._stop_by_key = True, False, False
            if self._host is not None:
                self._host.resumed()

        def _on_winch(self, *_: object) -> None:
            self._soon(self._resized)()

        def _settle(self) -> None:
            """Act on the signals that came since the last turn of the loop; the latest one counts."""
            if self._closed or not self._auto_restart:
                return
            if self._stop_asked:
                self._stop_asked, seen = False, self._continued
                by_key, self._stop_by_key = self._stop_by_key, False
                if self._ending:
                    return
                self._leave()
                if not self._stop_by(signal.SIGTSTP, seen):
                    # The system does not stop a process that no shell could continue. A key then only
                    # reports this; for a signal from outside the process stops by SIGSTOP.
                    if by_key and self._host is not None:
                        self._host.not_suspended()
                    elif not self._is_continued(seen):
                        os.kill(os.getpid(), signal.SIGSTOP)
                self._loop.call_later(BACK_S / 10, self._settle_back)
            elif self._cont_seen:
                self._come_back()

        def _settle_back(self) -> None:
            """Take or give back the terminal where no signal reported that the foreground has changed."""
            if not self._closed and self._auto_restart and not self._stop_asked and self._on != self._foreground():
                self._come_back()

        @property
        def _ending(self) -> bool:
            return self._host is not None and self._host.ending

        def _stop_by(self, number: int, seen: int) -> bool:
            """Stop this process by a signal's own action, unless it was continued since `seen`, or asked to end.

            Returns True if that is so, or once it is continued; False if the system did not stop it. The system drops a
            signal that waits to stop a process when SIGCONT comes, so SIGCONT cannot be lost between the check and the
            stop.
            """
            before = signal.getsignal(number)
            signal.pthread_sigmask(signal.SIG_BLOCK, {number})
            signal.signal(number, signal.SIG_DFL)
            signal.pthread_kill(threading.get_ident(), number)
            if self._continued != seen or self._ending:
                signal.signal(number, signal.SIG_IGN)  # drops the one that waits
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
            signal.signal(number, before)
            return self._continued != seen or self._ending

        def _is_continued(self, seen: int) -> bool:
            """Whether SIGCONT came since `seen`. Another thread may have got it, which takes a moment to tell."""
            end_s = time.monotonic() + BACK_S
            while self._continued == seen and not self._ending and time.monotonic() < end_s:
                time.sleep(0.01)
            return self._continued != seen or self._ending

        def _come_back(self) -> None:
            """The process was continued: take the terminal, or give it up when in the background."""
            if self._closed:
                return
            self._cont_seen, seen = False, self._continued
            if not self._foreground():
                if self._on:
                    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
                    self._leave()
                    signal.signal(signal.SIGTTOU, before)
                if not self._ending:
                    # As the system does with a program that writes from the background: `fg` brings it back.
                    self._stop_by(signal.SIGTTOU, seen)
                    self._loop.call_later(BACK_S, self._settle_back)
                return
            self._leave(flush=False)
            self._enter()
            self._repaint()

        def _repaint(self) -> None:
            if self._on and not self._quiet:
                whole_picture(self._app)

        def _gone(self) -> None:
            if self._host is not None:
                self._host.terminal_gone()

        @property
        def continuable(self) -> bool:
            """Whether the parent process still runs. Whether it is a shell that could continue this process, only the
            system knows: see `_settle`."""
            return os.getppid() == self._parent > 1

        def suspend(self) -> None:
            """Stop all processes of the job, as ctrl+z does in a program that leaves the key to the terminal."""
            self._stop_by_key = True
            try:
                whole = os.tcgetpgrp(self.fileno) == os.getpgrp()
            except OSError:
                whole = False
            if whole:
                os.killpg(os.getpgrp(), signal.SIGTSTP)
            else:
                os.kill(os.getpid(), signal.SIGTSTP)

        # --- size -----------------------------------------------------------------------------------------------------

        def _resized(self) -> None:
            if self._on:
                self._post_size()

        def _post_size(self) -> None:
            size = Size(*self._get_terminal_size())
            self.send_message(events.Resize(size, size))

        def _enable_mouse_pixels(self) -> None:
            if self._mouse:
                self._pixels_on = True
            super()._enable_mouse_pixels()

        def _query_in_band_window_resize(self) -> None:
            """Do not ask the terminal for its sizes: SIGWINCH reports a new size, and an answer could name any size.
            With an answer Textual would also turn on mouse reports in pixels, which a picture of cells cannot use."""

        # --- input ----------------------------------------------------------------------------------------------------

        def run_input_thread(self) -> None:
            """Read, translate and hand over keys while the terminal is ours. Started once, ended by `close`."""
            _block_in_this_thread()
            splitter, translator = InputSplitter(constants.ESCAPE_DELAY), Translator()

            def hand_over(pieces: Iterable[Piece]) -> None:
                for piece in pieces:
                    for event in translator.read(piece):
                        # An event that cannot be handled must not end the input thread.
                        with contextlib.suppress(Exception):
                            self.process_message(event)

            read_s = time.monotonic()
            while not self.exit_event.is_set():
                patience_s = splitter.patience_s
                left_s = 0.1 if patience_s is None else min(0.1, max(0.0, read_s + patience_s - time.monotonic()))
                ours = (self._on or self._line_is_raw) and self._foreground()
                ready = select.select([self._wake_r, *([self.fileno] if ours else [])], [], [], left_s)[0]
                if self.exit_event.is_set():
                    break
                if self.fileno in ready and (self._on or self._line_is_raw) and self._foreground():
                    try:
                        data = os.read(self.fileno, 4096)
                    except (BlockingIOError, InterruptedError):
                        continue
                    except OSError:
                        data = b""
                    if not data:
                        if hung_up(self.fileno):
                            self._soon(self._gone)()
                            return
                        self.exit_event.wait(0.1)
                        continue
                    read_s = time.monotonic()
                    if self._quiet:
                        splitter = InputSplitter(constants.ESCAPE_DELAY)
                    else:
                        hand_over(splitter.feed(data))
                elif patience_s is not None and time.monotonic() - read_s >= patience_s:
                    # Only when there was nothing to read: while the process was stopped no time counts.
                    hand_over(splitter.silence())

        def send_message(self, message: Message) -> None:
            """Post it to the app together with all others that were read at once: Textual makes a task and a future
            for each call."""
            with self._outbox_lock:
                self._outbox.append(message)
                if len(self._outbox) > 1:
                    return
            self._soon(self._deliver)()

        def _deliver(self) -> None:
            with self._outbox_lock:
                outbox, self._outbox = self._outbox, []
            for message in outbox:
                self._app.post_message(message)


# === leaving ==========================================================================================================
#
# If the app does not end in time after it was asked to (a widget that does not close, a loop that hangs), Textual
# leaves a raw terminal and a running process. `Deadline` ends it from a thread of its own.


class Deadline:
    """Ends the process with a code when it has not ended `within_s` seconds after `begin`. `begin` may be called in a
    signal handler; `done` cancels it."""

    def __init__(self, within_s: float, restore: Callable[[], object]) -> None:
        self._within_s, self._restore = within_s, restore
        self._codes: SimpleQueue[int | None] = SimpleQueue()
        self.begun = False
        self.code: int | None = None
        self._thread = threading.Thread(target=self._wait, name="deadline", daemon=True)

    def start(self) -> None:
        """Start the thread that waits."""
        self._thread.start()

    def begin(self, code: int) -> None:
        """Start to count the time."""
        if not self.begun:
            self.begun = True
            self.code = code
            self._codes.put(code)

    def done(self) -> None:
        """The app has ended by itself."""
        self._codes.put(None)

    def _wait(self) -> None:
        _block_in_this_thread()
        code = self._codes.get()
        if code is None:
            return
        with contextlib.suppress(Empty):
            self._codes.get(timeout=self._within_s)
            return
        try:
            self._restore()
        finally:
            os._exit(code)


# === drawing ==========================================================================================================
#
# A compositor that renders less than Textual's. There a partial update takes the smallest rectangle that contains all
# dirty regions and renders, whole, every widget that the rectangle touches, containers behind them included. With a
# clock in the top line and a feed at the bottom that is the whole screen, several times a second. Only what is in a
# dirty region is sent in the end, so here a widget is asked only for rows that are dirty, and only if no widget in
# front of it has filled them. A chop that is not filled is skipped by the update, as for widgets outside of the
# rectangle.
#
# Private in Textual 8.2.8: `render_partial_update`, `_dirty_regions`, `_regions_to_spans`. Should an update drop them,
# this class has no effect and the dashboard is slower.

Span: TypeAlias = tuple[int, int, int]
"""Line, first column, and the column after the last."""


class LeanCompositor(Compositor):
    """Renders only dirty rows, of widgets that are visible there."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """The dirty regions, or None if there are none."""
        regions = self._dirty_regions.copy()
        self._dirty_regions.clear()
        screen = self.size.region
        spans = list(self._regions_to_spans([seen for region in regions if (seen := region.intersection(screen))]))
        if not spans:
            return None
        return ChopsUpdate(self._dirty_chops(spans), spans, [cuts[1:] for cuts in self.cuts])

    def rows(self, crop: Region) -> list[Strip]:
        """A part of the screen as it is now."""
        chops = self._dirty_chops([(y, crop.x, crop.right) for y in crop.line_range])
        strips = []
        for y in crop.line_range:
            found = [(start, strip) for start in sorted(chops[y]) if (strip := chops[y][start]) is not None]
            first = found[0][0] if found else 0
            strips.append(Strip.join([strip for _, strip in found]).crop(crop.x - first, crop.right - first))
        return strips

    def _dirty_chops(self, spans: Iterable[Span]) -> Sequence[Mapping[int, Strip]]:
        """Strips by line and first column, front to back: the widget in front has a cell to itself."""
        cuts = self.cuts
        wanted: dict[int, list[int]] = {}
        for y, first, end in spans:
            line = cuts[y]
            starts = [cut for cut, after in pairwise(line) if cut < end and after > first]
            if starts:
                wanted.setdefault(y, []).extend(starts)
        dirty = sorted(wanted)
        chops: list[dict[int, Strip | None]] = [
            dict.fromkeys(line[:-1]) if y in wanted else {} for y, line in enumerate(cuts)
        ]
        for widget, (region, clip) in self.visible_widgets.items():
            if not wanted:
                break
            seen = region if clip.contains_region(region) else region.intersection(clip)
            left, right = seen.column_span
            # Edges of all widgets are cuts, so a chop that begins in a widget lies in it as a whole.
            rows = [
                y
                for y in dirty[bisect_left(dirty, seen.y) : bisect_left(dirty, seen.bottom)]
                if y in wanted and (at := bisect_left(wanted[y], left)) < len(wanted[y]) and wanted[y][at] < right
            ]
            if not rows or left >= right:
                continue
            top = rows[0]
            crop = Region(left - region.x, top - region.y, right - left, rows[-1] + 1 - top)
            strips = widget.render_lines(crop)
            for y in rows:
                within = [cut for cut in cuts[y] if left <= cut <= right]
                pieces = strips[y - top].divide([cut - left for cut in within[1:]])
                line_chops = chops[y]
                for cut, piece in zip(within, pieces, strict=False):
                    if line_chops[cut] is None:
                        line_chops[cut] = piece
                left_over = [cut for cut in wanted[y] if not left <= cut < right]
                if left_over:
                    wanted[y] = left_over
                else:
                    del wanted[y]
        return cast("Sequence[Mapping[int, Strip]]", chops)


@contextlib.contextmanager
def laid_out_once() -> Iterator[None]:
    """While a screen is laid out, a widget that gets another size asks for no second layout, in which nothing changes:
    the property that notes how much it scrolls over (`_layout` of a reactive, private in Textual 8.2.8) asks for it."""
    scrolled_over = Widget.__dict__["virtual_size"]
    scrolled_over._layout = False
    try:
        yield
    finally:
        scrolled_over._layout = True


class TextLine(Input):
    """A line to type in. Textual lays out the whole screen for each letter, since the text becomes longer; but the size
    of the line itself does not change."""

    virtual_size = Reactive(Size(0, 0), layout=False)


R = TypeVar("R")


class LeanScreen(Screen[R]):
    """A screen that does once what Textual does several times.

    - **Layout.** See `laid_out_once`. A scroll bar that comes or goes asks for another layout by itself.
    - **Start.** When Textual shows a new screen, it matches all rules again for widgets that were styled when they were
      mounted, and paints all of them again: a tenth of the start. And it lays out the screen for each of three events
      at the start that tell the same size.

    It draws by `LeanCompositor`. Private in Textual 8.2.8: `_compositor`, `_compositor_refresh`, `_on_screen_resume`,
    `_refresh_layout`, `_refresh_notifications`, `_screen_resized`, `_size`, `_update_auto_focus`.
    """

    _started = False

    def __init__(self) -> None:
        super().__init__()
        self._compositor = LeanCompositor()  # a screen cannot be given one
        self._once_drawn: list[Callable[[], Awaitable[None]]] = []

    def after_drawing(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Call it once, when the screen has been drawn the next time. What Textual calls after a refresh comes earlier
        while drawing is put off, as at the start."""
        self._once_drawn.append(callback)

    def _compositor_refresh(self) -> None:
        super()._compositor_refresh()
        waiting, self._once_drawn = self._once_drawn, []
        for callback in waiting:
            self.call_later(callback)

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        with laid_out_once():
            super()._refresh_layout(size, scroll)

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        if self._started or not self.is_attached:
            return
        self._started = True
        event.prevent_default()
        self.stack_updates += 1
        self.app._refresh_notifications()
        self._update_auto_focus()
        # The screen's own classes may have changed since it was mounted, before there were widgets in it.
        self.app.stylesheet.update_nodes([self])
        # It is drawn once, after the messages that wait have been handled: only with these the widgets learn their
        # sizes and get what they show, so until then they are empty.
        with self.app.batch_update():
            self._screen_resized(self.app.size)

    def _screen_resized(self, size: Size) -> None:
        if size != self._size:
            super()._screen_resized(size)


# === style sheets =====================================================================================================


@dataclass(frozen=True, slots=True)
class Candidates:
    """The rules whose last selector has one of the names of a node, and what these rules ask for."""

    number: int
    asked: Mapping[str, tuple[str, ...]]
    """For each name of a selector (a type, `.class`, `#id` or `*`) the pseudo classes that are asked for with it."""
    deep: bool
    """Whether they ask for something above the node."""
    notes: tuple[bool, bool, bool, bool]
    """What `Stylesheet.apply` notes of a node that has these candidates, see `NOTED`."""


NOTED: Final = ("_has_hover_style", "_has_focus_within", "_has_order_style", "_has_odd_or_even")
IN_ORDER: Final = frozenset(("first-of-type", "last-of-type", "first-child", "last-child", "empty"))
WITH_EFFECT: Final = frozenset(("display", "pointer"))
"""Rules that act on more than the node when they are set, even before it is shown."""
Matched: TypeAlias = "dict[tuple[object, ...], RulesMap]"


class LeanStylesheet(Stylesheet):
    """A style sheet that looks for the rules of a node once for all nodes that no rule distinguishes, and sets only
    what has changed.

    Textual 8.2.8 tries each rule on each node whenever a class of the node, or of one above it, has changed: a fifth of
    the start. Here what the rules in question ask for is looked up in the node and those above it (names and pseudo
    classes), and the result is kept by the answers. And Textual sets all rules of a node again, each by a descriptor
    that checks and converts the value.

    Private in Textual 8.2.8: `_variables`, `_parse_cache`, `_process_component_classes`, `_has_hover_style` and the
    others in `NOTED`, `_PSEUDO_CLASSES` behind `has_pseudo_class`, `_selector_names`, `_css_type_names`, `_classes`,
    `_id`, `_rules` and `_updates` of styles, `_is_mounted`.
    """

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        # Textual keeps 64 sources. They are read in turn, so with more than that it would find none of them.
        self._parse_cache = LRUCache(1024)
        self._matched_for: list[RuleSet] | None = None
        self._candidates: dict[frozenset[str], Candidates] = {}
        self._matched: Matched = {}
        self._unknown: tuple[object, ...] | None = None

    def set_variables(self, variables: dict[str, str]) -> None:
        """Textual forgets all that it has parsed, even if no variable has another value."""
        if variables != self._variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        """Textual parses all again, even if no variable has another value: it does so once during the start."""
        self.parse()

    def tables_for(self, rules: list[RuleSet]) -> tuple[dict[frozenset[str], Candidates], Matched]:
        """The two tables in which `apply` keeps what it finds for these rules."""
        return {}, {}

    def apply(self, node: DOMNode, *, animate: bool = False, cache: dict[tuple[Any, ...], Any] | None = None) -> None:
        """Set the rules that hold for a node. `cache` is Textual's own, and not used."""
        rules = self.rules
        if rules is not self._matched_for:
            self._matched_for = rules
            self._candidates, self._matched = self.tables_for(rules)
        group = frozenset(self.rules_map.keys() & node._selector_names)
        candidates = self._candidates.get(group)
        if candidates is None:
            candidates = self._candidates[group] = self._found(group)
        path = node.css_path_nodes if candidates.deep else (node,)
        key = (candidates.number, *[_answers(one, candidates.asked) for one in path])
        known = self._matched.get(key)
        if known is None:
            self._unknown = key
            super().apply(node, animate=animate)
            self._unknown = None
            return
        for name, value in zip(NOTED, candidates.notes, strict=True):
            setattr(node, name, value)
        set_rules(node, known, animate)
        self._process_component_classes(node)

    def replace_rules(self, node: DOMNode, rules: RulesMap, animate: bool = False) -> None:  # type: ignore[override]
        """Called by Textual's `apply` with the rules that it found, before it comes to the parts of the node."""
        if self._unknown is not None:
            self._matched[self._unknown] = rules
            self._unknown = None
        set_rules(node, rules, animate)

    def _found(self, group: frozenset[str]) -> Candidates:
        rules = {rule for name in group for rule in self.rules_map[name]}
        asked: dict[str, set[str]] = {}
        deep = False
        for rule in rules:
            for selectors in rule.selector_set:
                for place, selector in enumerate(selectors.selectors):
                    asked.setdefault(_name_of(selector), set()).update(selector.pseudo_classes)
                    deep = deep or (place > 0 and selector.combinator is not CombinatorType.SAME)
        pseudo = set[str]().union(*[rule.pseudo_classes for rule in rules])
        notes = (
            "hover" in pseudo,
            "focus-within" in pseudo,
            not pseudo.isdisjoint(IN_ORDER),
            "odd" in pseudo or "even" in pseudo,
        )
        ordered = {name: tuple(sorted(those)) for name, those in asked.items()}
        return Candidates(len(self._candidates), ordered, deep, notes)


def _name_of(selector: Selector) -> str:
    if selector.type is SelectorType.TYPE:
        return selector.name
    if selector.type is SelectorType.CLASS:
        return f".{selector.name}"
    return f"#{selector.name}" if selector.type is SelectorType.ID else "*"


def _answers(node: DOMNode, asked: Mapping[str, tuple[str, ...]]) -> object:
    """Which of the names that are asked for a node has, and which of the pseudo classes asked for with them."""
    names = [name for name in node._css_type_names if name in asked]
    names += [name for one in node._classes if (name := f".{one}") in asked]
    if node._id is not None and f"#{node._id}" in asked:
        names.append(f"#{node._id}")
    if "*" in asked and not node.has_class("-textual-system"):
        names.append("*")
    if not names:
        return None
    states = {state for name in names for state in asked[name]}
    return frozenset(names), frozenset([state for state in states if node.has_pseudo_class(state)])


_converted: dict[tuple[str, object], object] = {}
"""Values of rules as styles keep them, by name and value in the style sheet: a width in % is one of the width."""


def set_rules(node: DOMNode, rules: RulesMap, animate: bool = False) -> None:
    """Set the rules that the style sheet has for a node, as `Stylesheet.replace_rules` does."""
    base = node.styles.base
    before, after = cast("dict[str, object]", base._rules), cast("dict[str, object]", rules)
    if not before and not node._is_mounted:
        for name, value in after.items():
            try:
                kept = _converted.get((name, value))
            except TypeError:  # it has no hash, as transitions
                setattr(base, name, value)
                continue
            if kept is not None:
                before[name] = kept
                continue
            setattr(base, name, value)
            if name in before and name not in WITH_EFFECT:
                _converted[name, value] = before[name]
        base._updates += 1
    elif animate and "transitions" in after:
        Stylesheet.replace_rules(node, rules, animate=True)
        return
    else:
        for name in [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]:
            setattr(base, name, after.get(name))
    node.notify_style_update()


def text_of(screen: Screen[Any]) -> str:
    """All lines of a screen as they were drawn last, without colours. Private in Textual 8.2.8: `_compositor`, as
    `export_screenshot` gives SVG only."""
    return "\n".join(strip.text.rstrip() for strip in screen._compositor.render_strips()) + "\n"


def set_border_title(widget: Widget, title: Content | None) -> None:
    """Set the upper title of a widget's border and repaint nothing. Private in Textual 8.2.8: `_border_title`; the
    public property repaints the whole widget, several times a second where a title counts."""
    widget._border_title = title


def set_border_subtitle(widget: Widget, subtitle: Content | None) -> None:
    """As `set_border_title`, for the lower title (`_border_subtitle`)."""
    widget._border_subtitle = subtitle


def set_virtual_size(view: ScrollView, size: Size) -> None:
    """Another size of what a view scrolls over. Private in Textual 8.2.8: `_scroll_update`; the public property lays
    out the whole screen (40 ms) to update one scroll bar."""
    view.set_reactive(ScrollView.virtual_size, size)
    view._scroll_update(size)


def restyle(app: App[Any]) -> None:
    """Apply the current theme again, of which a file has changed. Private in Textual 8.2.8: `_watch_theme`, which is
    called for another name only."""
    app._watch_theme(app.theme)


# === the app: actions, errors, input ==================================================================================


def fail(app: App[Any], error: Exception) -> None:
    """Report an exception as one that a handler raised. Private in Textual 8.2.8: `_handle_exception`; what runs
    outside of a message (a callback of the event loop) has no other way to do so."""
    app._handle_exception(error)


def unwritten(app: App[Any]) -> int:
    """How many updates wait for the terminal to take them. Private in Textual 8.2.8: `_driver`, and the queue of its
    writer thread (ours: `Output`)."""
    queue = getattr(getattr(app._driver, "_writer_thread", None), "_queue", None)
    return int(queue.qsize()) if queue is not None else 0


def driver_of(app: App[Any]) -> Any:
    """The driver of the terminal, or None before it is started. Private in Textual 8.2.8: `_driver`."""
    return app._driver


def key_name(character: str) -> str:
    """Textual's name of the key that types a character. Private in Textual 8.2.8: `_character_to_key`."""
    return _character_to_key(character)


def add_move(event: events.MouseMove, before: events.MouseMove) -> None:
    """Add to a move of the pointer the one before it. Private in Textual 8.2.8: `_delta_x`, `_delta_y`; the public
    properties cannot be set."""
    event._delta_x += before._delta_x
    event._delta_y += before._delta_y


# --- order: when an event has been dealt with -------------------------------------------------------------------------


class Passed(Message, bubble=True):
    """Bubbles behind an event through the queues of all widgets, from the one that received it up to the app. When it
    arrives there, all of them have handled the event, and so has the app, whose bindings come last."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def follow(app: App[Any], number: int, pump: MessagePump | None = None) -> bool:
    """Send a `Passed` behind the event that `pump`, or what has the focus, was just given. False if not possible."""
    target = pump if pump is not None else app.focused or app.screen
    return bool(target.is_running and target.is_attached and target.post_message(Passed(number)))


def is_at_rest(app: App[Any]) -> bool:
    """Whether no message waits between the widget with the focus and the app. Private in Textual: `_next_callbacks`.

    Callbacks that wait for the next refresh are not counted: a field that is typed into always has some.
    """
    screen = app.screen
    if not screen.is_mounted:
        return False
    node: MessagePump | None = app.focused or screen
    while node is not None and node is not app:
        if node.message_queue_size or node._next_callbacks:
            return False
        node = node._parent
    return True


# --- the pointer ------------------------------------------------------------------------------------------------------


def points_at_nothing(app: App[Any], event: events.MouseEvent) -> bool:
    """Whether a mouse event is to be dropped: it presses, or moves over, a widget that was taken away and that the
    last layout still has. A button that is let go is handed out in any case.

    If a widget at an end of the marked text was taken away, the mark is removed. Private in Textual: `_select_state`.
    """
    screen = app.screen
    state = screen._select_state
    if state is not None and not state.is_attached_to_dom():
        screen._select_state = None
    if not isinstance(event, (events.MouseDown, events.MouseMove)):
        return False
    widget, _ = screen.get_widget_and_offset_at(event.x, event.y)
    return widget is not None and not widget.is_attached


# --- keys -------------------------------------------------------------------------------------------------------------


def bind(node: DOMNode, bindings: Sequence[Binding]) -> None:
    """Add bindings to a widget or screen that has just been made, and remove those by which Textual moves the focus
    from widget to widget, which would be handled first."""
    kept = BindingsMap.from_keys(
        {
            key: others
            for key, those in node._bindings.key_to_bindings.items()
            if (others := [each for each in those if each.action not in ("app.focus_next", "app.focus_previous")])
        }
    )
    node._bindings = BindingsMap.merge([kept, BindingsMap(bindings)])


# --- dialogs ----------------------------------------------------------------------------------------------------------


def dismiss_once(screen: Screen[R], result: R | None = None) -> bool:
    """Dismiss a dialog if it is the screen on top; else do nothing, as after a second enter, or for an event that was
    posted before the dialog was dismissed. Whether it was dismissed now."""
    stack = screen.app.screen_stack
    if len(stack) < 2 or stack[-1] is not screen:
        return False
    screen.dismiss(result)
    return True


class Overlay(ModalScreen[R]):
    """A transparent modal screen: the screen below stays visible, and is still updated.

    Textual 8.2.8 renders the whole screen below through Rich's console for each update, and copies each segment. Here
    only the rows that are asked for are taken from the compositor of the screen below.
    """

    DEFAULT_CSS = "Overlay { background: transparent; overflow: hidden; }"

    def __init__(self) -> None:
        super().__init__()
        self._compositor = LeanCompositor()

    def _refresh_layout(self, size: Size | None = None, scroll: bool = False) -> None:
        with laid_out_once():
            super()._refresh_layout(size, scroll)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Rows of the screen below, without what a click on them would do."""
        stack = self.app.screen_stack
        below = stack[stack.index(self) - 1]._compositor if self in stack[1:] else None
        if not isinstance(below, LeanCompositor) or below.size != self.size:
            return super().render_lines(crop)
        return [strip.discard_meta() for strip in below.rows(crop)]


GONE: Final = (NoMatches, ScreenStackError, MountError, NoScreen, NoWidget, NoActiveAppError, EventTargetGone)
"""What Textual 8.2.8 raises when a node is used after it was removed."""


def is_late(app: App[Any], error: Exception) -> bool:
    """Whether an exception only says that a node was removed before its last event was handled: it is one of Textual's
    own kinds for that, and what runs now belongs to a dialog that was dismissed or to a widget that was
    removed. Any other kind is a programming error, in whatever node. Private in Textual 8.2.8: `active_message_pump`,
    `_parent`."""
    if isinstance(error, WorkerFailed) and isinstance(error.error, Exception):
        error = error.error  # of a dialog that was closed while its worker went on, such as the search of the palette
    if not isinstance(error, GONE):
        return False
    node: MessagePump | None = active_message_pump.get(app)
    while node is not None and node is not app:
        if isinstance(node, Screen):
            return node not in app.screen_stack
        node = node._parent
    return node is None


def knows_option(listed: OptionList, event: events.MouseEvent) -> bool:
    """Whether the line that was clicked still exists. Textual looks it up by the number with which it was drawn."""
    number = event.style.meta.get("option")
    return number is None or (isinstance(number, int) and 0 <= number < listed.option_count)


def _least_width(listed: OptionList) -> int:
    """The columns that one letter of a line and its padding need. With fewer, Textual counts the lines with a step of 0
    (`ValueError`)."""
    return listed.get_component_styles("option-list--option").padding.width + listed._get_left_gutter_width() + 1


class SteadyList(OptionList):
    """A list whose lines may change between a click on one of them and its event, and which may have no room. Private
    in Textual 8.2.8: `_update_lines`, `_get_left_gutter_width`; `_move_page`, which looks up the line of what is
    highlighted also where there are no lines (`KeyError`)."""

    def _update_lines(self) -> None:
        if self.scrollable_content_region.width >= _least_width(self):
            super()._update_lines()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As Textual's, with room for a letter."""
        return super().get_content_height(container, viewport, max(width, _least_width(self)))

    def _move_page(self, direction: Direction) -> None:
        if (self.highlighted or 0) in self._index_to_line:
            super()._move_page(direction)

    def on_click(self, event: events.Click) -> None:
        """Ignore a click on a line that no longer exists."""
        if not knows_option(self, event):
            event.prevent_default()


class SteadyOptions(SteadyList, inherit_bindings=False):
    """The list of menus and pickers, which has bindings of its own."""


class SteadyCommands(CommandList, SteadyList, can_focus=False):
    """The list of the palette."""


class SteadyPalette(CommandPalette):
    """Textual's palette; it acts once, and enter waits for the results of what was typed.

    Private in Textual: `_dispatch_message`, the name of the group of workers that search, and the parts of `compose`.
    """

    _ACTS = (Input.Submitted, Input.Changed, Button.Pressed, OptionList.OptionMessage, events.InputEvent, events.Resize)

    def compose(self) -> ComposeResult:
        """As Textual's, with a list that may change."""
        with Vertical(id="--container"):
            with Horizontal(id="--input"):
                yield SearchIcon()
                yield CommandInput(placeholder=self._placeholder, select_on_focus=False)
            with Vertical(id="--results"):
                yield SteadyCommands()
                yield LoadingIndicator()

    @property
    def is_gone(self) -> bool:
        """Whether it was dismissed, or another screen is on top of it."""
        stack = self.app.screen_stack
        return not stack or stack[-1] is not self

    async def _dispatch_message(self, message: Message) -> None:
        if not (isinstance(message, self._ACTS) and self.is_gone):
            await super()._dispatch_message(message)

    def dismiss(self, result: None = None) -> AwaitComplete:
        """As Textual's, once."""
        if self.is_gone:
            return AwaitComplete()
        return super().dismiss(result)

    def delays(self, event: Message) -> bool:
        """Whether an event should wait: a key that chooses, until the lines are those of what was typed."""
        if not isinstance(event, events.Key) or event.is_printable or event.key in ("escape", "ctrl+c", "backspace"):
            return False
        return any(worker.group == self._GATHER_COMMANDS_GROUP and not worker.is_finished for worker in self.workers)
