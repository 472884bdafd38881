"""Every key can be remapped, those inside dialogs too, and no sentence names a key that may have been remapped."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from person import dashboard
from stage import lines_of
from textual.binding import Binding
from textual.dom import DOMNode
from textual.widgets import Input

import tui
from engine import AskFor, help_of, networks, scenario_files
from tui.actions.table import ACTIONS, ALL, IDS
from tui.config.keymap import remapped
from tui.config.keys import key_for, shown_as, shown_together
from tui.config.settings import Settings
from tui.screens.help import HelpScreen
from tui.screens.jump import JumpScreen
from tui.screens.picker import Picker
from tui.widgets.ask_bar import AskBar
from tui.widgets.filter_bar import FilterBar
from tui.widgets.menu import Menu
from tui.widgets.panel import Choices, TextRows
from tui.widgets.theme_drawer import ThemeDrawer

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
NOT_KEYS = {"ctrl+c"}
"""Keys that cannot be remapped."""


def modules() -> Iterator[str]:
    for found in pkgutil.walk_packages(tui.__path__, "tui."):
        if not found.name.endswith("__main__"):
            yield found.name


def test_each_key_is_bound_by_the_table_alone() -> None:
    bound = set()
    for name in modules():
        for _, kind in inspect.getmembers(importlib.import_module(name), inspect.isclass):
            if not issubclass(kind, DOMNode) or kind.__module__ != name:
                continue
            for binding in kind.__dict__.get("BINDINGS", ()):
                assert isinstance(binding, Binding), f"{kind.__name__} binds {binding} without an id"
                if binding.key not in NOT_KEYS:
                    assert binding.id in IDS, f"{kind.__name__} binds {binding.key} without an id of the table"
                    bound.add(binding.id)
    by_hand = {"jump.erase"}  # read by `pressed`, among letters that stand for peers
    on_the_dashboard = {action.id for action in ACTIONS if action.home == "main"}
    assert bound | by_hand | on_the_dashboard == IDS


# --- sentences ------------------------------------------------------------------------------------------------------

VERB = "finds|ends|starts|jumps|lists|takes|shows|filters|brings|opens|zooms|leaves|goes|stops|undoes|tells|asks|kills"
LITERAL = (
    re.compile(r"\bpress(?:es|ing)? (?:[a-zA-Z?/\\]|space|tab|esc)\b(?!')", re.IGNORECASE),
    re.compile(r"\b(?:esc|escape|pgup|pgdn|pageup|pagedown|backspace)\b"),
    re.compile(r"(?:^|[\s(:;,.·“])(?:[a-zA-Z?/\\]|\^[a-z]|tab|enter|space) (?:" + VERB + r")\b"),
    re.compile(r"\((?:[a-zA-Z?/\\]|\^[a-z])\)"),
    re.compile(r"[↑↓←→] [a-z↑↓←→]"),
    re.compile(r"(?:^|· )(?:tab|enter|space) [a-z]"),
    re.compile(r"\b(?:with|by|press) `?[a-zA-Z?/\\]`?(?:[.;:,)]|$)"),
)


def literal(text: str) -> str:
    return next((found[0] for pattern in LITERAL if (found := pattern.search(text))), "")


@pytest.mark.parametrize(
    "sentence",
    ["press a, or choose one", "Ask again with a.", "m finds whom it would take.", "esc back", "↑ ↓ read",
     "Revive first (x).", "tab other", "There is no mouse: ^p finds all"],
)  # fmt: skip
def test_a_key_in_a_sentence_is_recognised(sentence: str) -> None:
    assert literal(sentence)


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """The strings of a file, without docstrings and others that only a programmer reads."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    unread = {
        id(line.value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        for line in node.body
        if isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in unread:
            yield node.lineno, node.value


WHERE_KEYS_ARE_WRITTEN = {"keys.py", "keymap.py", "textual_compat.py"}
"""The keys inside panels, and what names keys to Textual."""
IN_THE_TABLE = {text for key in ALL for text in (key.keys, key.shown)}


def test_no_sentence_of_the_screen_names_a_key_literally() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: “{key}” in {text[:80]!r}: write {{the.id}} of the key instead"
        for path in sorted((ROOT / "tui").rglob("*.py"))
        if path.name not in WHERE_KEYS_ARE_WRITTEN
        for line, text in texts_of(path)
        if text not in IN_THE_TABLE and (key := literal(text))
    ]
    assert not found, "\n".join(found)


def test_no_story_and_no_network_names_a_key() -> None:
    for scenario in scenario_files.shipped():
        for text in (scenario.about, *(caption.say for caption in scenario.captions)):
            assert not literal(text), f"{scenario.source}: {text}"
    for name, kind in networks().items():
        assert not re.search(r"\bpress\b", help_of(kind), re.IGNORECASE), name


KEY_ID = re.compile(rf"(?:{'|'.join(sorted({id_.partition('.')[0] for id_ in IDS}))})\.[a-z_0-9]*[a-z0-9]")


def test_each_id_in_braces_is_that_of_a_key() -> None:
    for path in (ROOT / "tui").rglob("*.py"):
        for line, text in texts_of(path):
            for id_ in re.findall(rf"\{{({KEY_ID.pattern})\}}", text):
                assert id_ in IDS, f"{path.name}:{line}: {{{id_}}}"


def test_an_id_of_a_key_that_a_widget_names_is_in_the_table() -> None:
    for path in (ROOT / "tui").rglob("*.py"):
        for line, text in texts_of(path):
            # Textual has an action `app.focus_next`.
            if path.name != "textual_compat.py":
                assert text in IDS or not KEY_ID.fullmatch(text), f"{path.name}:{line}: {text}"


# --- in dialogs -----------------------------------------------------------------------------------------------------

MINE = Settings(
    keys={
        "list.down": "j,down",
        "list.leave": "f10",
        "picker.other": "f7",
        "help.tour": "f2",
        "field.leave": "f9",
        "field.complete": "f8",
        "jump.erase": "f6",
        "theme.after": "f5",
        "peer.kill": "K",
        "view.in": "i",
        "app.help": "f1",
        "list.right": "L",
    }
)


async def test_a_picker_obeys_other_keys_and_tells_them() -> None:
    async with dashboard(settings=MINE) as person:
        await person.press("p")
        picker = person.app.screen
        assert isinstance(picker, Picker)
        listed, before = picker.query_one(Choices), picker.group
        first = listed.highlighted or 0
        await person.press("j")
        assert listed.highlighted == first + 1
        await person.press("tab", "escape")
        assert person.app.screen is picker
        assert picker.group is before
        await person.press("f7")
        assert picker.group is not before
        frame = str(picker.query_one("#window").border_subtitle)
        assert "F10 back" in frame
        await person.press("f10")
        assert person.app.screen is person.main


async def test_help_obeys_other_keys_and_tells_them() -> None:
    async with dashboard(settings=MINE) as person:
        await person.press("f1")
        assert isinstance(person.app.screen, HelpScreen)
        text = person.app.screen.query_one("#help", TextRows).text
        assert f"{key_for(person.app, 'help.tour')} starts the tour" in text
        assert key_for(person.app, "help.tour").lower() == "f2"
        await person.press("t", "escape", "f1")
        assert person.app.screen is person.main
        assert person.main.tour is None
        await person.press("f1", "f2")
        assert person.main.tour is not None


async def test_where_one_types_other_keys_leave_and_complete() -> None:
    async with dashboard(settings=MINE) as person:
        bar = person.main.query_one(FilterBar)
        await person.press("slash", "r", "o")
        assert key_for(person.app, "field.complete") in bar.query_one("#filter-offers", TextRows).text
        await person.press("f8")
        assert bar.query_one(Input).value == "role="
        await person.press("f9")
        assert not bar.is_open
        await person.press("a", "h", "f9", "f9")
        assert not person.main.query_one(AskBar).has_class("-open")


async def test_menu_jump_and_themes_obey_other_keys() -> None:
    async with dashboard(settings=MINE) as person:
        await person.press("down", "backslash")
        menu, view = person.main.query_one(Menu), person.view
        await person.press("j")
        assert menu.at == 1
        await person.press("f10", "backslash", "K")
        assert person.session.selection.selected is not None
        assert person.state(person.session.selection.selected) != 0
        assert not menu.is_open
        await person.press("j")
        jump, zoom = person.app.screen, view.stage.view.zoom
        assert isinstance(jump, JumpScreen)
        assert "f10 back" in lines_of(jump, "#jump").lower()
        await person.press("i")
        assert person.app.screen is jump
        assert view.stage.view.zoom > zoom
        await person.press("f10")
        assert person.app.screen is person.main
        await person.press("t")
        drawer = person.main.query_one(ThemeDrawer)
        worn = person.app.theme
        await person.press("f5")
        assert person.app.theme != worn
        await person.press("f10")
        assert not drawer.is_open
        assert person.app.theme == worn


async def test_arrows_in_the_table_of_peers_walk_and_sort() -> None:
    """Also if the table is longer than the panel, where Textual's own arrows would scroll."""
    async with dashboard(peers=60, settings=MINE) as person:
        await person.press("7")
        table = person.main.query_one("#peers")
        table.focus()
        await person.press("home", "down", "down")
        assert person.session.selection.selected == table.order[2]  # type: ignore[attr-defined]
        by = table.by  # type: ignore[attr-defined]
        await person.press("L")
        assert table.by != by  # type: ignore[attr-defined]


async def test_my_keys_for_lists_select_peers_in_their_table_as_well() -> None:
    mine = Settings(keys={"list.down": "j", "list.up": "u"})
    async with dashboard(peers=60, settings=mine) as person:
        await person.press("7")
        table = person.main.query_one("#peers")
        table.focus()
        await person.press("home", "j", "j", "u")
        assert person.app.screen is person.main
        assert person.session.selection.selected == table.order[1]  # type: ignore[attr-defined]


def test_one_key_may_do_different_things_in_different_places() -> None:
    table, said = remapped(ALL, {"list.down": "j", "dial.more": "j", "peers.invert": "j"}, "c.toml")
    assert said == []
    assert {key.id: key.keys for key in table if key.id in ("list.down", "dial.more", "peer.jump")} == {
        "list.down": "j",
        "dial.more": "j",
        "peer.jump": "j",
    }


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"field.leave": "x"}, "x is a character that can be typed there; escape is kept"),
        ({"field.complete": "space"}, "space is a character that can be typed there; tab is kept"),
        ({"list.leave": ""}, "a dialog could not be closed without a key; escape is kept"),
        ({"list.up": "u", "list.down": "u"}, "list.up has u; down is kept"),
    ],
)
def test_own_keys_that_leave_no_way_out_are_refused(wish: dict[str, str], why: str) -> None:
    table, said = remapped(ALL, wish, "c.toml")
    assert len(said) == 1
    assert why in said[0]
    assert len(table) == len(ALL)


async def test_a_menu_shows_the_key_that_is_mine() -> None:
    async with dashboard(settings=MINE) as person:
        await person.press("down", "backslash")
        assert any(line.key == "peer.kill" for line in person.main.query_one(Menu).lines)
        person.session.do(AskFor(0, "blue train"))
        assert key_for(person.app, "peer.kill") == "K"


def test_what_is_shown_of_a_key_is_made_of_its_name() -> None:
    named = {
        "question_mark": "?",
        "ctrl+k": "^k",
        "shift+up": "shift+↑",
        "escape": "esc",
        "f5": "F5",
        "backspace": "backspace",
    }
    assert {key: shown_as(key) for key in named} == named
    assert {row.keys: row.shown for row in ALL if row.id in ("dial.more", "peer.hold")} == {
        "right,plus,equals_sign": "→",
        "": "",
    }


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        (["↑", "↓"], "↑↓"),
        (["shift+↑", "shift+↓"], "shift+↑↓"),
        (["pgup", "pgdn"], "pgup pgdn"),
        (["shift+↑", "↓"], "shift+↑ ↓"),
        (["x"], "x"),
        (["+", "-"], "+-"),
    ],
)
def test_keys_that_belong_together_are_told_apart(keys: list[str], shown: str) -> None:
    assert shown_together(keys) == shown
