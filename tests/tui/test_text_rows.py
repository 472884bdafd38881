"""`TextRows`: a widget of some rows of text, which is as high as it has rows."""

from __future__ import annotations

import pytest
from stage import Stage

from tui.widgets.panel import Row, TextRows

pytestmark = pytest.mark.anyio


def rows(count: int) -> list[Row]:
    return [((f"row {number}", "text"),) for number in range(count)]


async def test_the_height_is_the_number_of_rows() -> None:
    lines = TextRows()
    async with Stage(lines).run_test(size=(40, 30)) as pilot:
        assert lines.size.height == 0
        for count in (3, 9, 1, 0, 2):
            lines.show_rows(rows(count))
            await pilot.pause()
            assert (lines.size.height, lines.text.count("row")) == (count, count)


async def test_rows_that_change_again_before_they_are_laid_out_leave_no_room_behind() -> None:
    """On a busy machine there may be a layout for another reason in between."""
    lines = TextRows()
    app = Stage(lines)
    async with app.run_test(size=(40, 30)) as pilot:
        lines.show_rows(rows(23))
        app.screen._refresh_layout()
        lines.show_rows(rows(9))
        await pilot.pause()
        assert lines.size.height == 9


async def test_steady_rows_keep_their_greatest_height_until_it_is_reset() -> None:
    lines = TextRows(steady=True)
    async with Stage(lines).run_test(size=(40, 30)) as pilot:
        for count, high in ((5, 5), (2, 5), (7, 7)):
            lines.show_rows(rows(count))
            await pilot.pause()
            assert lines.size.height == high
        lines.reset_height()
        lines.show_rows(rows(2))
        await pilot.pause()
        assert lines.size.height == 2
