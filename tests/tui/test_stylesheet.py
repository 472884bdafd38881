"""Rules of the style sheet: those that `LeanStylesheet` finds and sets are those of Textual's own."""

from __future__ import annotations

from typing import Any

import pytest
from person import Person, dashboard
from textual.css.stylesheet import Stylesheet
from textual.events import AppBlur

from tui.textual_compat import LeanStylesheet

pytestmark = pytest.mark.anyio


def rules_of(node: Any) -> dict[str, object]:
    """The rules of a node, and those of its component classes by name."""
    parts = {name: dict(styles.base._rules) for name, styles in node._component_styles.items()}
    return {**node.styles.base._rules, "parts": parts}


def differing(person: Person) -> list[str]:
    """Nodes of all screens whose rules change when Textual applies the same style sheet to them."""
    lean = person.app.stylesheet
    assert isinstance(lean, LeanStylesheet)
    own = Stylesheet(variables=lean._variables)
    own._rules = lean.rules
    found = []
    for screen in person.app.screen_stack:
        for node in screen.walk_children(with_self=True):
            before = rules_of(node)
            own.apply(node)
            if rules_of(node) != before:
                found.append(str(node))
    return found


async def test_each_widget_has_the_rules_that_textual_finds_for_it() -> None:
    async with dashboard() as person:
        assert differing(person) == []
        for keys in (
            ("right", "enter"), ("escape", "7"), ("8",), ("f",), ("escape", "3"), ("9", "down"), ("tab", "tab"),
            ("slash", "r"), ("escape", "a"), ("escape", "question_mark"), ("escape", "p", "down"),
            ("escape", "ctrl+p"), ("escape", "t", "down", "enter"), ("m",),
        ):  # fmt: skip
            await person.press(*keys)
            assert differing(person) == [], keys
        for size in ((80, 24), (50, 12), (200, 50)):
            await person.pilot.resize_terminal(*size)
            await person.pilot.pause()
            assert differing(person) == [], size
        await person.pilot.hover("#peers")
        person.app.post_message(AppBlur())
        await person.pilot.pause()
        assert differing(person) == []
