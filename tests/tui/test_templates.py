"""Texts name keys as `{list.choose}`; the screen shows the key itself, from the first frame on."""

from __future__ import annotations

import re
from typing import Any

import pytest
from person import Person, dashboard
from textual.screen import Screen
from textual.strip import Strip

pytestmark = pytest.mark.anyio
TEMPLATE = re.compile(r"\{+\w+[.:!]?\w*\}+")
SIZES = (pytest.param((64, 18), marks=pytest.mark.campaign), (200, 50))


def told_of(screen: Screen[Any]) -> list[str]:
    """Titles and tooltips of all widgets of a screen, visible or not."""
    parts = [part for w in screen.walk_children() for part in (w.border_title, w.border_subtitle, w.tooltip)]
    return [str(part) for part in parts if part]


@pytest.mark.parametrize("size", SIZES)
async def test_no_template_reaches_the_screen(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    found: set[str] = set()
    lines = 0
    made = Strip.__init__

    def drawn(strip: Strip, *args: Any, **named: Any) -> None:
        """Keep the strips, of which each line of each frame is made."""
        nonlocal lines
        lines += 1
        made(strip, *args, **named)
        found.update(segment.text for segment in strip._segments if "{" in segment.text)

    async def press(person: Person, *keys: str) -> None:
        for key in keys:
            await person.press(key)
            found.update(told_of(person.app.screen))

    monkeypatch.setattr(Strip, "__init__", drawn)
    async with dashboard(size, asks_per_s=0.0) as person:
        person.session.player.pacer.pause()
        # First without an ask, then with an ask and a selected peer.
        await press(person, "9", "7", "8", "3", "d", "d", "question_mark", "escape", "p", "escape", "t", "escape")
        person.session.ask_for("blue train", 0)
        person.session.swarm.advance(person.session.swarm.now_us + 200_000)
        person.session.selection.select(5)
        person.main.at_once()
        await press(person, "backslash", "escape", "slash", "escape", "9", "9", "v")
        # Palette, jump bar, menus of layouts and colours, and toasts of keys that can do nothing now.
        for opens in ("ctrl+p", "j", "G", "B", "m", "y", "U", "Z", "ctrl+c"):
            await press(person, opens, "down")
            found.update(note.message for note in person.app._notifications)
            await press(person, "escape")
        person.main.begin_tour()
        await person.pilot.pause()
    assert lines > 1_000
    assert {text for text in found if TEMPLATE.search(text)} == set()
