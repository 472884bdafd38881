"""Partial updates of the screen: together they give the same screen as a full update."""

from __future__ import annotations

from typing import Any

import pytest
from person import Person, dashboard
from rich.segment import Segment
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Input

from tui.textual_compat import LeanCompositor, text_of

pytestmark = pytest.mark.anyio

Row = list[tuple[str, object]]


def cells(strip: Strip) -> Row:
    """Each character with its style."""
    return [(letter, segment.style) for segment in strip for letter in segment.text]


def apply(screen: list[Row], update: object) -> int:
    """Apply a partial update to the cells of a terminal, as its escape codes would. Returns how many cells it had."""
    updated_cells = 0
    for y, first, end in update.spans:  # type: ignore[attr-defined]
        for x, strip in update.chops[y].items():  # type: ignore[attr-defined]
            for at, cell in enumerate(cells(strip) if strip is not None else (), start=x):
                if first <= at < end:
                    screen[y][at] = cell
                    updated_cells += 1
    return updated_cells


async def test_partial_updates_leave_the_screen_as_a_full_one_would(monkeypatch: pytest.MonkeyPatch) -> None:
    updates: list[object] = []
    whole = LeanCompositor.render_partial_update

    def noted(self: LeanCompositor) -> object:
        update = whole(self)
        updates.append(update)
        return update

    async with dashboard() as person:
        compositor = person.main._compositor
        assert isinstance(compositor, LeanCompositor)
        monkeypatch.setattr(LeanCompositor, "render_partial_update", noted)
        shown = [cells(strip) for strip in compositor.render_strips()]
        updated_cells = 0
        for keys in ((), ("right",), ("x",), ("a",), ("escape",), ("slash",), ("escape",), ()):
            if keys:
                await person.press(*keys)
            await person.wait(0.3)
            while updates:
                update = updates.pop(0)
                if update is not None:
                    updated_cells += apply(shown, update)
            now = [cells(strip) for strip in compositor.render_strips()]
            if any(key in ("right", "a", "slash", "escape") for key in keys):
                shown = now  # If panels have moved, a full update is sent.
            differ = [y for y, (old, new) in enumerate(zip(shown, now, strict=True)) if old != new]
            assert not differ, (keys, differ)
        assert updated_cells > 0


def test_nothing_dirty_is_no_update() -> None:
    assert LeanCompositor().render_partial_update() is None


def test_a_style_is_part_of_a_cell() -> None:
    assert cells(Strip([Segment("ab")])) == [("a", None), ("b", None)]


def typed_in(person: Person) -> str:
    """The visible text of the line of the ask bar."""
    place = person.main.query_one("#what", Input).region
    return text_of(person.main).splitlines()[place.y][place.x : place.right].strip()


async def test_a_letter_that_is_typed_lays_out_nothing_and_a_long_text_scrolls(monkeypatch: pytest.MonkeyPatch) -> None:
    layouts: list[None] = []
    laid_out = Screen._refresh_layout

    def counted(screen: Screen[object], *how: Any) -> None:
        layouts.append(None)
        laid_out(screen, *how)

    async with dashboard() as person:
        await person.press("a")
        monkeypatch.setattr(Screen, "_refresh_layout", counted)
        await person.type("blue")
        assert "blue" in typed_in(person)
        assert layouts == []
        await person.press("escape", "escape", "9")
        assert layouts != [], "it is counted where there are any"
        await person.press("9", "a")
        person.main.query_one("#what", Input).value = "word " * 60 + "the end"
        await person.press("end")
        assert typed_in(person).endswith("word word the end")
        await person.press("home")
        assert typed_in(person).startswith("word word")
