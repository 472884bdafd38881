"""What we touch of Textual that it calls private, and guards against its faults. Everything of the kind is here.

Written against Textual 8.2.8 and held below 9. Each part says what is private in it and which fault it guards against.

Input (`Translator`, `InputDriver`)
    Textual 8.2.8 decodes stdin strictly, so that a byte that is no UTF-8 ends its input thread and the run; so does any
    report with a field it does not expect (`ESC[48;24;80;0;0t` and a mouse event: division by zero; a code point
    beyond Unicode; `1:1` as modifiers; a number of 5,000 digits). A bracketed paste or a sequence that never ends
    swallows all that is typed after it, and an unknown number is taken for a letter (`ESC[113~` is `q`). So bytes are
    cut into whole pieces by `terminal_input`, and of Textual's parser only the tables of keys and the reading of one
    whole mouse report are used.
Order (`Passed`, `is_at_rest`)
    Textual forwards each key to what has the focus when the key is read, although an earlier key, which is still on
    its way, is about to move the focus. `input_queue` holds keys back; here is how one learns that a key has been
    dealt with.
Dialogs (`dismiss_once`, `is_late`, `SteadyPalette`, `knows_option`)
    Textual pops a screen for each `dismiss`, also for the second one of the same dialog, which takes the dashboard
    away (`ScreenStackError`, or an empty screen). Events that were under way when a dialog was dismissed find its
    parts gone.
"""

from __future__ import annotations

import re
import selectors
import sys
import threading
import time
import unicodedata
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from textual import constants, events, messages
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._context import active_message_pump
from textual._keyboard_protocol import FUNCTIONAL_KEYS
from textual._xterm_parser import FOCUSIN, FOCUSOUT, XTermParser
from textual.await_complete import AwaitComplete
from textual.command import CommandInput, CommandList, CommandPalette, SearchIcon
from textual.containers import Horizontal, Vertical
from textual.keys import Keys, _character_to_key
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Button, Input, LoadingIndicator, OptionList

from .terminal_input import InputSplitter, Piece

if TYPE_CHECKING:
    from textual.app import App, ComposeResult
    from textual.driver import Driver
    from textual.message_pump import MessagePump

# --- input: pieces to events ------------------------------------------------------------------------------------------

KITTY_ALTERNATES = "\x1b[=4;2u"
"""Asks a terminal with the kitty keyboard protocol for the key of the US layout beside the letter; Textual does not."""
FARTHEST = 9_999
"""Columns and rows of a mouse report that is believed."""
MOUSE = re.compile(r"\x1b\[<(\d{1,4});(-?\d{1,6});(-?\d{1,6})[Mm]")
MODE = re.compile(r"\x1b\[\?2026;([1-4])\$y")
KEY = re.compile(r"\x1b\[([\d:]*)(?:;([\d:]*))?(?:;([\d:]*))?([u~ABCDEFHPQRS])")
MODIFIED = re.compile(r"\x1b\[27;(\d{1,3});(\d{1,7})~")
"""Keys as xterm's modifyOtherKeys tells them."""
SHIFTED = dict(zip("`1234567890-=[]\\;',./", '~!@#$%^&*()_+{}|:"<>?', strict=True))
"""What shift makes of the keys of the US layout that have no letter."""
RELEASED = 3
ESCAPE = "escape"
"""What Textual calls the key."""


class AltKey(events.Key):
    """A key with ESC before it: held together with alt, or two keys that arrived at once. The app decides, which knows
    the keys; `plain` is the key without alt."""

    def __init__(self, plain: events.Key) -> None:
        held = f"shift+{plain.key.lower()}" if len(plain.key) == 1 and plain.key.isupper() else plain.key
        super().__init__(f"alt+{held}", None)
        self.plain = plain


class Translator:
    """Pieces of input to Textual's events. What means nothing, or nothing that can be, is no event; nothing is raised.

    Uses `_sequence_to_key_events`, `_parse_extended_key` and `parse_mouse_code` of Textual's private parser, which is
    never fed: it has no state but the last place of the pointer.
    """

    def __init__(self) -> None:
        self._parser = XTermParser()

    def read(self, piece: Piece) -> list[Message]:
        """What a piece means."""
        try:
            if piece.kind == "paste":
                return [events.Paste(piece.text.replace("\x00", ""))]
            if piece.kind == "alone":
                return [events.Key(ESCAPE, "\x1b")]
            if piece.kind == "text":
                return [event for character in piece.text for event in self._typed(character)]
            return list(self._sequence(piece.text))
        except Exception:  # a report that nobody foresaw: the next one is read all the same
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
            event = self._parser.parse_mouse_code(text)
            return [event] if event is not None else []
        if MODE.fullmatch(text) is not None:
            return [messages.TerminalSupportsSynchronizedOutput()]
        if (modified := MODIFIED.fullmatch(text)) is not None and text not in ANSI_SEQUENCES_KEYS:
            text = f"\x1b[{modified[2]};{modified[1]}u"
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
        first, _, base = [_number(part) for part in f"{codes}::".split(":")[:3]]
        held, happened = [_number(part) for part in f"{modifiers}:".split(":")[:2]]
        if happened == RELEASED or (held or 0) > 256:
            return []
        code = 1 if first is None else first
        if f"{code}{end}" not in FUNCTIONAL_KEYS and (end != "u" or not _is_character(code)):
            return []
        letters = [chr(number) for part in typed.split(":") if (number := _number(part)) and _is_character(number)]
        shift = bool(held and held - 1 & 1)
        latin = "" if base is None or not _is_character(base) else chr(base)
        foreign = bool(latin) and is_foreign(letters[0] if letters else chr(code))
        if foreign and not letters:
            code = ord(latin)
        written = f"\x1b[{code};{held or ''};{':'.join(str(ord(letter)) for letter in letters)}{end}"
        made = [event.copy() for event in self._parser._parse_extended_key(written) or ()]
        if foreign and letters:
            # The letter is what is typed into a field; anywhere else the key is what counts.
            name = _character_to_key(latin.upper() if shift and latin.isalpha() else SHIFTED.get(latin, latin)
                                     if shift else latin)  # fmt: skip
            made = [events.Key(name, event.character) for event in made]
        return made


def _number(digits: str) -> int | None:
    return int(digits) if 0 < len(digits) <= 7 and digits.isascii() and digits.isdigit() else None


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


# --- input: the driver ------------------------------------------------------------------------------------------------

if sys.platform == "win32":
    LinuxDriver: Any = object
else:
    import os

    from textual.drivers.linux_driver import LinuxDriver


class InputDriver(LinuxDriver):  # type: ignore[misc, unused-ignore]
    """Textual's driver for POSIX terminals with an input thread that nothing but the end of the terminal ends.

    Private in Textual: `_query_in_band_window_resize`, `_writer_thread`, `_loop`, and that `run_input_thread` and
    `send_message` are where input passes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._outbox: list[Message] = []
        self._outbox_lock = threading.Lock()

    def start_application_mode(self) -> None:
        """As Textual's, and asks for the key of the US layout beside each letter."""
        super().start_application_mode()  # type: ignore[no-untyped-call, unused-ignore]
        if not constants.DISABLE_KITTY_KEY and self._writer_thread is not None:
            self.write(KITTY_ALTERNATES)
            self.flush()

    def _query_in_band_window_resize(self) -> None:
        """Not asked for: SIGWINCH tells of another size, and whoever is asked for sizes may report any; with them
        Textual turns on a report of the mouse for each pixel, of which a picture of cells has no use."""

    def run_input_thread(self) -> None:
        """Read, translate and hand over until the driver is told to stop."""
        splitter, translator = InputSplitter(constants.ESCAPE_DELAY), Translator()

        def hand_over(pieces: Iterable[Piece]) -> None:
            for piece in pieces:
                for event in translator.read(piece):
                    try:
                        self.process_message(event)
                    except Exception:  # one event that nobody foresaw is less than the keyboard
                        continue

        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            heard_s = time.monotonic()
            while not self.exit_event.is_set():
                patience_s = splitter.patience_s
                left_s = 0.1 if patience_s is None else min(0.1, max(0.0, heard_s + patience_s - time.monotonic()))
                if selector.select(left_s):
                    try:
                        data = os.read(self.fileno, 4096)
                    except (BlockingIOError, InterruptedError):
                        continue
                    heard_s = time.monotonic()
                    if not data:  # the end of a file or of the terminal: whoever watches the terminal leaves
                        self.exit_event.wait()
                        return
                    hand_over(splitter.feed(data))
                elif patience_s is not None and time.monotonic() - heard_s >= patience_s:
                    # Only when there was nothing to read: a process that was stopped has heard no silence.
                    hand_over(splitter.silence())

    def send_message(self, message: Message) -> None:
        """Hand it to the app with all others that were read at once: Textual makes a task and a future of each."""
        with self._outbox_lock:
            self._outbox.append(message)
            if len(self._outbox) > 1:
                return
        try:
            self._loop.call_soon_threadsafe(self._deliver)
        except RuntimeError:  # the program has ended
            return

    def _deliver(self) -> None:
        with self._outbox_lock:
            outbox, self._outbox = self._outbox, []
        for message in outbox:
            self._app.post_message(message)


def steady_driver(driver: type[Driver]) -> type[Driver]:
    """Ours in the place of Textual's for POSIX terminals; any other is kept."""
    return InputDriver if driver is LinuxDriver else driver


# --- order: when an event has been dealt with -------------------------------------------------------------------------


class Passed(Message, bubble=True):
    """Follows an event through the queues of all widgets from the one that got it up to the app. When it arrives there,
    each of them has dealt with the event, and so has the app, whose bindings come last."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def follow(app: App[Any], number: int, pump: MessagePump | None = None) -> bool:
    """Send a `Passed` behind the event that `pump`, or what has the focus, was just given. False where it cannot go."""
    target = pump if pump is not None else app.focused or app.screen
    return bool(target.is_running and target.is_attached and target.post_message(Passed(number)))


def is_at_rest(app: App[Any]) -> bool:
    """Whether nothing is under way between what has the focus and the app. Private in Textual: `_next_callbacks`.

    What waits for the next refresh is not counted: a field that is typed into has something of the kind all the time.
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


# --- dialogs ----------------------------------------------------------------------------------------------------------

R = TypeVar("R")


def dismiss_once(screen: Screen[R], result: R | None = None) -> bool:
    """Dismiss a dialog, if it is the one on top; else nothing. A second enter, or an event that was under way when the
    dialog went, finds it gone. Whether it was dismissed."""
    stack = screen.app.screen_stack
    if len(stack) < 2 or stack[-1] is not screen:
        return False
    screen.dismiss(result)
    return True


def is_late(app: App[Any]) -> bool:
    """Whether what runs now answers an event of something that is gone: of a dialog that was dismissed, or of a widget
    that was taken away. What it fails at is then no mistake. Private in Textual: which pump is active."""
    node: MessagePump | None = active_message_pump.get(app)
    while node is not None and node is not app:
        if isinstance(node, Screen):
            return node not in app.screen_stack
        node = node._parent
    return node is None


def knows_option(listed: OptionList, event: events.MouseEvent) -> bool:
    """Whether the line that was clicked is still there. Textual looks it up by its number, by which it was drawn."""
    number = event.style.meta.get("option")
    return number is None or (isinstance(number, int) and 0 <= number < listed.option_count)


class SteadyOptions(OptionList, inherit_bindings=False):
    """A list whose lines may change while a click on one of them is under way."""

    def on_click(self, event: events.Click) -> None:
        """A click on a line that is gone is none."""
        if not knows_option(self, event):
            event.prevent_default()


class SteadyCommands(CommandList):
    """The list of the palette, which changes with each letter."""

    def on_click(self, event: events.Click) -> None:
        """A click on a line that is gone is none."""
        if not knows_option(self, event):
            event.prevent_default()


class SteadyPalette(CommandPalette):
    """Textual's palette; it acts once, and what it offers is what was typed.

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
        """Whether it was dismissed, or something else is on top of it."""
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
