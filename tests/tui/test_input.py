"""Keys, pastes and moves of the pointer in any order and at any speed: in the real program, and in its parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from textual import events
from textual._context import active_message_pump
from textual.app import App, ScreenStackError
from textual.css.query import NoMatches
from textual.dom import NoScreen
from textual.message import Message
from textual.widget import MountError
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

pytest.importorskip("termios", reason="terminals of this kind are POSIX")

from input_fuzz import check_parser
from person import Person, dashboard
from terminal import ENTER, RIGHT, Terminal, terminal

from tui.actions.table import ACTIONS
from tui.config.settings import Settings
from tui.screens.main import MainScreen
from tui.screens.picker import Picker
from tui.terminal_input import InputSplitter
from tui.textual_compat import Translator, dismiss_once, is_at_rest
from tui.widgets.options_panel import OptionTable

SWARMTOP = ["-m", "tui", "--seed", "7", "--peers", "24"]
FIRST = r"gnutella +24 ● alive +0 ✕ dead"
ESCAPE, PALETTE, UP, WHEEL = "\x1b", "\x10", "\x1b[A", "\x1b[<64;40;10M"


@pytest.fixture
def it(tmp_path: Path) -> Iterator[Terminal]:
    """A running program."""
    with terminal(tmp_path, SWARMTOP) as running:
        running.until(FIRST)
        yield running


def leave(it: Terminal) -> None:
    it.type("q")
    assert it.end() == 0
    assert it.unclean() == []


async def send(person: Person, *keys: str) -> None:
    """Press keys, all at the same moment, and wait until the last one has been handled."""
    driver = person.app._driver
    assert driver is not None
    for key in keys:
        event = events.Key(key, key if len(key) == 1 else None)
        event.set_sender(person.app)
        driver.send_message(event)
    await person.pilot.pause()
    for _ in range(1_000):
        if not (person.app.inputs.busy and person.app.is_running):
            break
        await person.pilot.pause(0.01)
    await person.pilot.pause()


def events_of(*portions: bytes) -> list[Message]:
    """The events that are read from portions of input and from the silence after them."""
    splitter, translator = InputSplitter(), Translator()
    pieces = [piece for portion in portions for piece in splitter.feed(portion)]
    pieces += splitter.silence() if splitter.patience_s is not None else ()
    return [event for piece in pieces for event in translator.read(piece)]


def keys_of(*portions: bytes) -> list[tuple[str, str | None]]:
    return [(event.key, event.character) for event in events_of(*portions) if isinstance(event, events.Key)]


# --- bytes ------------------------------------------------------------------------------------------------------------


def test_any_byte_string_is_read_and_every_key_works_after_it() -> None:
    assert check_parser(250, seed=20) == 0


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"\x1b[M \x98*q", ["q"]),
        (b"caf\xe9q", ["c", "a", "f", "replacement_character", "q"]),
        (b"\x1b[48;24;80;0;0t\x1b[<0;5;5Mq", ["q"]),
        (b"\x1b[113~\x1b[99;9~q", ["q"]),  # no key has these numbers, and they are not typed as text
        (b"\x1b[1114112u\x1b[55296u\x1b[" + b"9" * 5_000 + b"uq", ["q"]),
        (b"\x1b[97;1:1u\x1b[97;1:3u", ["a"]),  # pressed and released
        (b"\x1b]11;rgb:0000\x1b[Aq", ["up", "q"]),
        (b"\x1bP1$r\x03", ["ctrl+c"]),
        (b"\x1b[1;5\x1b[A", ["up"]),
        (b"\x1b[1;5", []),
        (b"\x1b", ["escape"]),
        (b"\x1b\x1b[B", ["escape", "down"]),
        (b"\x1b[", ["alt+left_square_bracket"]),
        (b"\x1b[200~never ends", []),
    ],
)
def test_a_sequence_without_a_meaning_is_no_key_and_swallows_none(data: bytes, keys: list[str]) -> None:
    assert [key for key, _ in keys_of(data)] == keys
    assert keys_of(*(data[at : at + 1] for at in range(len(data)))) == keys_of(data), "cut anywhere"


def test_a_letter_of_another_alphabet_is_its_key_if_the_terminal_sends_that() -> None:
    assert keys_of(b"\x1b[1092::97;;1092u") == [("a", "ф")]
    assert keys_of(b"\x1b[1092:1060:97;2;1060u") == [("A", "Ф")]
    assert keys_of(b"\x1b[1089::99;5u") == [("ctrl+c", None)]
    assert keys_of(b"\x1b[945::97;;945u") == [("a", "α")]
    assert keys_of(b"\x1b[1102::46;;1102u") == [("full_stop", "ю")]
    assert keys_of(b"\x1b[233::50;;233u") == [("é", "é")], "Latin letters are what they are"
    assert keys_of("ф".encode()) == [("ф", "ф")]


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"\x1b[57441;2u\x1b[57358;65u", []),  # shift and caps lock, by themselves
        (b"\x1b[104:72;2;72u", [("H", "H")]),
        (b"\x1b[104;2u\x1b[47;2u\x1b[47;129u", [("H", "H"), ("question_mark", "?"), ("slash", "/")]),
        (b"\x1b[32u\x1b[32;129u", [("space", " "), ("space", " ")]),
        (b"\x1b[27;2;72~\x1b[27;2;63~\x1b[27;1;47~", [("H", "H"), ("question_mark", "?"), ("slash", "/")]),
        (b"\x1b[57413;;43u\x1b[57412;129u\x1b[57411u", [("plus", "+"), ("minus", "-"), ("asterisk", "*")]),
        (b"\x1b[0;;233:252u", [("é", "é"), ("ü", "ü")]),  # of a dead key, without the number of a key
        (b"\x1b[99;133u\x1b[27;5;99~", [("ctrl+c", None), ("ctrl+c", None)]),
    ],
)  # fmt: skip
def test_a_key_is_the_same_in_each_form_that_terminals_send(data: bytes, keys: list[tuple[str, str | None]]) -> None:
    assert keys_of(data) == keys


def test_a_report_of_the_pointer_beyond_the_edge_types_nothing() -> None:
    assert keys_of(b"\x1b[<35;-5;-5M\x1b[<0;-5;-5M\x1b[<0;-5;3mq\x1b[1;5 5x\x1b[3$5~q") == [("q", "q"), ("q", "q")]
    released = events_of(b"\x1b[<0;-5;3m")
    assert [(type(event), event.x, event.y) for event in released if isinstance(event, events.MouseEvent)] == [
        (events.MouseUp, 0, 2)
    ]
    assert events_of(b"\x1b[<128;9;9M\x1b[<129;9;9M\x1b[<160;9;9M") == [], "buttons that go back and forward"


def test_after_damaged_input_the_program_runs_and_its_keys_work(it: Terminal) -> None:
    it.write(b"\x1b[M \x98*\xe9\x1b[48;24;80;0;0t\x1b[?2048;1$y\x1b[48;24;80;0;0t\x1b[<0;50;8M\x1b[<0;50;8m")
    it.write(b"\x1b[99999999999999999999;1u\x1b[1114112u\x1b[107;1:1:1u\x1b[<0;9999999999999;1M\xff\xfe\x1b[200~ x")
    # The paste never ends; after two seconds at the latest keys are keys again.
    it.type("\x1b[201~?")
    it.until("its process was killed")
    it.type(ESCAPE)
    it.until(FIRST.split()[0])
    leave(it)


def test_after_a_paste_that_never_ends_keys_are_keys_again(it: Terminal) -> None:
    it.type("a\x1b[200~\n\nblue\ntrain")
    it.until("❯ blue train")
    it.type(ENTER)
    it.until(r"\d p\d+ +blue train|blue train +\d")
    it.until(lambda text: "❯" not in text)
    leave(it)


# --- order ------------------------------------------------------------------------------------------------------------


def test_keys_that_arrive_at_once_belong_to_what_the_first_of_them_opened(it: Terminal) -> None:
    def nobody_died() -> None:
        assert " 0 ✕ dead" in it.screen.text, it.screen.text

    it.type(RIGHT + "/index")
    it.until(r"/ *index")
    nobody_died()
    it.type(ESCAPE)
    it.until(lambda text: not re.search(r"/ *index", text))
    it.type("a" + ENTER)
    it.until(r"1 (p\d+|any) ")
    it.until(lambda text: "❯" not in text)
    it.type("txx" + ESCAPE + "?xx" + ESCAPE)  # letters in a list or in help are no verbs
    it.type("k")
    nobody_died()
    it.type(PALETTE + "kill" + ENTER * 3)
    it.until(" 1 ✕ dead")
    it.until(lambda text: "Search for" not in text)
    leave(it)


@pytest.mark.anyio
async def test_a_key_waits_until_what_was_opened_has_the_keyboard() -> None:
    async with dashboard() as person:
        await send(person, "right", "slash", *"index")
        field = person.app.focused
        assert isinstance(field, Input)
        assert field.value == "index"
        await send(person, "escape", "a", *"nxd", "ctrl+q", "q")
        field = person.app.focused
        assert isinstance(field, Input)
        assert field.value == "nxdq"
        await send(person, "escape", "escape")
        refresh = person.main.call_after_refresh
        person.main.call_after_refresh = lambda *what: person.main.set_timer(0.1, partial(refresh, *what))  # type: ignore[method-assign,assignment,return-value]
        await send(person, "9", "enter")
        assert person.session.swarm.history, "the first attack of the panel was done"
        assert person.app.is_running


async def end_of(*keys: str, in_one_read: bool) -> tuple[object, ...]:
    """The screen and its focus after these keys, and the commands that were done."""
    async with dashboard(peers=5, asks_per_s=0.0) as person:
        await person.press("right")
        for portion in (keys,) if in_one_read else ((key,) for key in keys):
            await send(person, *portion)
        app, focused, selection = person.app, person.app.focused, person.session.selection
        return (
            app.broken,
            [type(screen).__name__ for screen in app.screen_stack],
            (type(focused).__name__, getattr(focused, "id", None), getattr(focused, "value", None)),
            (selection.selected, selection.ask),
            [command for _, command, _ in person.session.swarm.history],
        )


AFTER = (("n", "d", "x"), ("enter", "x"), ("down", "enter", "x"), ("tab", "x"), ("1", "x"), ("escape", "x"))
IN_THE_GATE = (("slash", AFTER[0]), ("p", AFTER[0]), ("O", AFTER[0]))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("key", "after"),
    [
        pytest.param(key, after, marks=() if (key, after) in IN_THE_GATE else pytest.mark.campaign)
        for action in ACTIONS
        if action.home == "main" and action.id not in ("app.quit", "app.suspend")
        for key in action.keys.split(",")
        if key
        for after in AFTER
    ],
)
async def test_keys_in_one_read_end_where_they_end_one_after_the_other(
    key: str, after: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # some keys write files
    apart = await end_of(key, *after, in_one_read=False)
    assert await end_of(key, *after, in_one_read=True) == apart


# --- dialogs ----------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_dialog_acts_once_whatever_is_pressed_after_it() -> None:
    async with dashboard() as person:
        for opens in ("p", "ctrl+p", "t"):
            after = ("enter", "enter", "escape", "enter", opens, "tab", "down", "enter", "escape", "escape")
            await send(person, opens, *after)
            assert person.app.broken is None, opens
            assert person.app.is_running, opens
            assert len(person.app.screen_stack) == 1, opens


@pytest.mark.anyio
async def test_a_palette_or_picker_survives_a_resize_and_late_events() -> None:
    async with dashboard() as person:
        for opens in ("p", "ctrl+p"):
            await send(person, opens)
            screen = person.app.screen
            listed = screen.query_one(OptionList)
            await person.pilot.resize_terminal(1, 1)
            late = [OptionList.OptionHighlighted, OptionList.OptionSelected]
            option = Option("gone", id="7:99")
            for kind in late if opens == "p" else ():
                listed.post_message(kind(listed, option, 99))  # an event of a list that was shown before
            await person.pilot.resize_terminal(120, 36)
            await send(person, "escape", "escape")
            for kind in late:  # the dialog is closed by now
                screen.post_message(kind(listed, option, 0))
            assert not dismiss_once(screen)
            await person.pilot.pause()
        assert person.app.broken is None
        assert len(person.app.screen_stack) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("size", [(1, 1), (3, 40), (83, 2)])
async def test_keys_of_a_list_that_has_no_room_end_no_run(size: tuple[int, int]) -> None:
    async with dashboard() as person:
        for opens in ("p", "t", "ctrl+p", "backslash"):
            await person.press(opens)
            await person.pilot.resize_terminal(*size)
            await person.press("down", "pagedown", "pageup", "end", "pagedown", "home", "pageup", "up")
            assert person.app.broken is None, opens
            assert person.app.is_running, opens
            await person.press("escape", "escape")
            await person.pilot.resize_terminal(120, 36)
            await person.press("escape")


DROPPED = (NoMatches("no nodes"), ScreenStackError("no screens"), MountError("not attached"), NoScreen("no screen"))
"""Errors that say that a widget does not exist any more."""
OTHER = (
    TypeError("unsupported operand"),
    KeyError("p017"),
    AttributeError("no attribute"),
    IndexError("out of range"),
    RuntimeError("of ours"),
)
"""Each of these ends the program."""


@pytest.mark.anyio
async def test_of_a_dialog_that_is_gone_only_errors_that_say_so_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.session.reproduce.user_folder", lambda: tmp_path / "moments")
    late = tmp_path / "late.txt"
    async with dashboard() as person:
        app = person.app
        await send(person, "p")
        picker = app.screen
        assert isinstance(picker, Picker)
        await send(person, "escape")
        # What a handler of the dialog raises when its event comes after the dialog was dismissed.
        token = active_message_pump.set(picker)
        try:
            for error in OTHER:
                assert not app.handle_failure(error)
                assert app.broken is error
                assert not late.exists()
                app.broken = None
            for error in DROPPED:
                assert app.handle_failure(error)
                assert app.broken is None
                assert str(error) in late.read_text()
        finally:
            active_message_pump.reset(token)


@pytest.mark.anyio
async def test_the_same_error_in_something_that_is_there_ends_the_program() -> None:
    async with dashboard() as person:
        token = active_message_pump.set(person.view)
        try:
            assert not person.app.handle_failure(NoMatches("no nodes"))
        finally:
            active_message_pump.reset(token)


# --- faster than frames -----------------------------------------------------------------------------------------------


def test_a_storm_of_input_is_not_queued(it: Terminal) -> None:
    """Waiting events are counted, and time is not measured, as a machine may be busy."""
    moves = "".join(f"\x1b[<35;{20 + n % 40};{5 + n % 9}M" for n in range(400))
    drags = "".join(f"\x1b[<0;{20 + n % 30};8M\x1b[<32;{30 + n % 30};12M\x1b[<0;{30 + n % 30};12m" for n in range(20))
    for storm in (WHEEL * 400, moves, RIGHT * 400, "+-" * 200, drags, (WHEEL + "\x1b[<65;40;10M") * 200):
        it.type(storm)
    leave(it)


@pytest.mark.anyio
async def test_of_many_moves_the_last_one_counts_and_of_many_keys_a_few() -> None:
    async with dashboard() as person:
        handed: list[events.Event] = []
        inputs = person.app.inputs
        dispatch = inputs._dispatch

        async def noted(event: events.Event) -> None:
            handed.append(event)
            await dispatch(event)

        inputs._dispatch = noted
        person.app.post_message(events.Key("k", "k"))
        for n in range(300):
            person.app.post_message(events.MouseMove(None, n % 80, 10, 1, 0, 0, False, False, False))
        for _ in range(300):
            person.app.post_message(events.MouseScrollDown(None, 40, 10, 0, 0, 0, False, False, False))
        for _ in range(300):
            person.app.post_message(events.Key("right", None))
        person.app.post_message(events.Key("k", "k"))
        for _ in range(500):
            await person.pilot.pause(0.01)
            if len(handed) > 2 and isinstance(handed[-1], events.Key) and handed[-1].key == "k":
                break
        assert isinstance(handed[-1], events.Key)
        assert handed[-1].key == "k"
        assert len(handed) < 100


# --- a busy machine ---------------------------------------------------------------------------------------------------


class LateClock:
    """Wall time of a process that hardly gets a processor: a minute passes between two readings."""

    now_s = 0.0

    def monotonic(self) -> float:
        self.now_s += 60.0
        return self.now_s


@pytest.mark.anyio
async def test_on_a_busy_machine_a_key_waits_for_what_the_one_before_it_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The arrow belongs to jump mode, which it closes. On the dashboard it would choose a peer."""
    async with dashboard(peers=3, asks_per_s=0.0) as person:
        looks: list[bool] = []

        def at_rest_after_20_looks(app: App[int]) -> bool:
            looks.append(len(looks) >= 20 and is_at_rest(app))
            return looks[-1]

        monkeypatch.setattr("tui.input_queue.time", LateClock())
        monkeypatch.setattr("tui.input_queue.is_at_rest", at_rest_after_20_looks)
        await send(person, "j", "up")
        assert looks.index(True) == 20
        assert isinstance(person.app.screen, MainScreen)
        assert person.session.selection.selected is None
        await person.press("up")
        assert person.session.selection.selected is not None


@pytest.mark.anyio
async def test_on_a_busy_machine_a_key_waits_until_its_screen_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard(peers=3, asks_per_s=0.0) as person:
        looks: list[bool] = []

        def until_looked_at_20_times(event: events.Event) -> bool:
            looks.append(person.session.selection.selected is None)
            return len(looks) <= 20

        monkeypatch.setattr("tui.input_queue.time", LateClock())
        monkeypatch.setattr(person.main, "delays", until_looked_at_20_times)
        await send(person, "up")
        assert looks == [True] * 21
        assert person.session.selection.selected is not None


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("patience", "place"),
    [("REST_S", "tui.input_queue.is_at_rest"), ("PATIENCE_S", "tui.screens.main.MainScreen.delays")],
)
async def test_a_key_waits_for_a_limited_time(patience: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard(peers=3, asks_per_s=0.0) as person:
        monkeypatch.setattr(f"tui.input_queue.{patience}", 0.05)
        monkeypatch.setattr(place, lambda *_: patience == "PATIENCE_S")
        await send(person, "up", "k")
        assert not person.app.inputs.busy
        assert person.session.selection.selected is not None


# --- pastes and letters -----------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_lines_of_a_paste_are_joined_by_blanks_in_every_field() -> None:
    async with dashboard() as person:
        for opens in ("a", "slash", "ctrl+p"):
            await person.press(opens)
            person.app.post_message(events.Paste("\r\n\tblue \x1b\ntrain\n\n  two\x00\n"))
            await person.pilot.pause()
            field = person.app.focused
            assert isinstance(field, Input), opens
            assert field.value == "blue train two", opens
            await person.press("escape", "escape")


@pytest.mark.anyio
async def test_a_paste_is_typed_into_a_list_that_filters_without_a_field() -> None:
    async with dashboard() as person:

        async def paste(text: str) -> None:
            person.app.post_message(events.Paste(text))
            await person.pilot.pause()

        await paste("xxn\nq")  # there is no field to type into
        assert person.app.is_running
        assert not person.session.swarm.history
        await person.press("p")
        picker = person.app.screen
        assert isinstance(picker, Picker)
        await person.press("k")
        await paste("adem\nlia")
        assert picker.typed == "kadem lia"
        await person.press("escape", "escape")
        await person.press("t")
        await paste("\nnord\n")
        assert "nord" in str(person.main.theme_drawer.border_title)
        await person.press("escape", "escape", "O")
        table = person.main.query_one(OptionTable)
        await paste("\n7\n")
        assert table.wishes.typed == "7"
        await person.press("1")
        await paste("2")
        assert table.wishes.typed == "712"


@pytest.mark.anyio
async def test_keys_that_most_terminals_report_as_another_one_are_that_one() -> None:
    async with dashboard() as person:
        for opens in ("slash", "p", "backslash", "ctrl+p", "question_mark"):
            for leaves in ("ctrl+left_square_bracket", "shift+escape"):
                await send(person, opens, leaves)
                assert isinstance(person.app.screen, MainScreen), opens
                assert person.app.focused is person.view, opens
        await send(person, "a", *"blue", "shift+space", *"traim", "ctrl+h", *"n", "ctrl+j")
        assert [command.text for _, command, _ in person.session.swarm.history] == ["blue train"]


@pytest.mark.anyio
async def test_such_a_key_does_the_action_that_a_person_gave_it() -> None:
    async with dashboard(settings=Settings(keys={"app.help": "ctrl+j"})) as person:
        await send(person, "ctrl+j")
        assert not isinstance(person.app.screen, MainScreen)


@pytest.mark.anyio
async def test_a_letter_of_another_alphabet_is_reported_as_no_key() -> None:
    async with dashboard() as person:
        for letter in ("ч", "χ", "ч"):
            person.app.post_message(events.Key(letter, letter))
            await person.pilot.pause()
        assert person.toasts.count("Keys are the Latin letters") == 1
        await person.press("a")
        person.app.post_message(events.Key("a", "ф"))  # as a terminal sends it that knows the key
        await person.pilot.pause()
        field = person.app.focused
        assert isinstance(field, Input)
        assert field.value == "ф"


@pytest.mark.anyio
async def test_the_pointer_over_something_that_was_taken_away_does_nothing() -> None:
    """The last layout has a removed widget until the next one is made: a toast that closes, a row of a list."""
    async with dashboard() as person:
        app = person.app

        async def pointer(kind: type[events.MouseEvent], x: int, y: int) -> None:
            await app.on_event(kind(None, x, y, 1, 0, 1, False, False, False, x, y))

        for marked in (False, True):
            app.notify("a toast")
            await person.pilot.pause(0.1)
            toast = app.screen.query_one("Toast")
            x, y = toast.region.x + 3, toast.region.y
            if marked:
                await pointer(events.MouseDown, x, y)
                await pointer(events.MouseMove, x + 2, y)
                await person.pilot.pause(0.1)
            await toast.remove()
            assert app.screen.get_widget_at(x, y)[0] is toast
            first = events.MouseMove if marked else events.MouseDown
            for kind in (first, events.MouseDown, events.MouseMove, events.MouseUp):
                await pointer(kind, x := x + 1, y)
            await person.pilot.pause(0.1)
            app.clear_notifications()
            assert app.broken is None
            assert app.is_running
