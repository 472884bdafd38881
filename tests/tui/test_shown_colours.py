"""Colours and curves of what a network shows of its peers."""

from __future__ import annotations

import numpy as np
import pytest
from person import Person, dashboard
from wards import Patient

from engine import AskFor, Swarm
from tui.draw.chart import stacked
from tui.widgets.peers_table import PeersTable


def screen_of(person: Person) -> str:
    strips = person.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def test_parts_of_a_whole_are_stacked() -> None:
    t = np.arange(60)
    infected = 40.0 / (1.0 + np.exp(-(t - 30) / 4.0))
    canvas = stacked([64.0 - infected, infected], 30, 8, "braille", 64.0, [1, 2], across=60)
    left, right = canvas.ink[:, 0], canvas.ink[:, -1]
    assert set(left.tolist()) == {1}
    # 40 of 64 are five of eight lines, from above.
    assert right.tolist() == [2] * 5 + [1] * 3


def test_a_young_run_is_not_stretched_and_a_gap_divides_two_parts() -> None:
    canvas = stacked([[1.0, 1.0], [1.0, 1.0]], 10, 4, "braille", 2.0, [1, 2], across=20)
    assert not canvas.dots[:, : canvas.dots_w // 2].any()
    last = canvas.dots[:, -1]
    assert last.sum() == canvas.dots_h - 1
    assert not last[canvas.dots_h // 2]


def test_no_part_and_no_room_draw_nothing() -> None:
    assert not stacked([], 10, 4, "braille", 1.0, []).dots.any()
    assert stacked([[1.0]], 0, 0, "ascii", 1.0, [1]).width == 0
    assert not stacked([[np.nan]], 4, 2, "ascii", 1.0, [1]).dots.any()


@pytest.mark.anyio
async def test_what_a_network_shows_is_a_colour_a_column_rows_and_a_legend_of_its_links() -> None:
    async with dashboard(make=lambda setup: Swarm(setup, Patient), topology="ring", asks_per_s=0.0) as person:
        person.session.swarm.advance(1_500_000)
        person.session.do(AskFor(3, "a cough"))
        person.session.swarm.advance(2_500_000)
        # The network's columns come after those that all networks have.
        names = []
        for _ in range(9):
            await person.press("b")
            names.append(person.view.colouring_of(person.main.frame))
        assert names[5:8] == ["cured", "epidemic", "coughs"]
        person.view.colour("epidemic")
        person.session.selection.select(3)
        await person.press("7")
        frame = person.main.frame
        assert frame is not None
        text = screen_of(person)
        assert "infected" in text
        assert "close" in text
        table = person.app.screen.query_one(PeersTable)
        assert {"cured", "epidemic", "coughs"} <= {column.name for column in table.every_column()}
        table.sort_by("epidemic")
        assert frame.facts is not None
        assert [shown.name for shown, _ in frame.facts.shown] == ["cured", "epidemic", "coughs"]


@pytest.mark.anyio
async def test_a_network_whose_columns_cannot_be_read_is_reported_and_ends_no_run() -> None:
    class Wrong(Patient):
        # Its column becomes wrong during the run: one that is wrong at the start is refused.
        wrong = False

        def shown(self) -> tuple[float | str, ...]:
            return ("many",) if self.wrong else super().shown()

    async with dashboard(make=lambda setup: Swarm(setup, Wrong), topology="ring", asks_per_s=0.0) as person:
        Wrong.wrong = True
        await person.press("7")
        await person.press("j")
        assert "shown" in person.session.player.alarm
