"""The tour of a first start: it follows what the person does, blocks nothing, and is shown once."""

from __future__ import annotations

from pathlib import Path

import pytest
from person import Person, dashboard
from textual.geometry import Region

from tui.config.settings import Settings
from tui.screens import tour
from tui.screens.tour import WIDTH, TourBox, beside

pytestmark = pytest.mark.anyio

FIRST = Settings(tour=True)


def said(person: Person) -> str:
    box = person.main.query_one(TourBox)
    return f"{box.border_title}: {box.text}" if box.has_class("-open") else ""


async def ask(person: Person, text: str) -> None:
    await person.ask(text)
    await person.wait(9.0, slices=200)


async def test_the_tour_goes_on_when_the_step_was_done() -> None:
    async with dashboard(settings=FIRST, asks_per_s=0.0) as person:
        assert "1/5 Ask: Press a" in said(person)
        title = said(person).partition("“")[2].partition("”")[0]
        await person.press("space", "space")
        assert "1/5" in said(person), "what else one does is of no matter"
        await person.press("a")
        assert "Type “" in said(person)
        await person.press("escape")
        await ask(person, title)
        assert "3/5 Kill the one who answered" in said(person)
        assert person.main.tour is not None
        trace = person.session.swarm.trace(person.session.selection.ask or 0)
        assert trace is not None
        assert person.session.swarm.labels[trace.holders[0]] in said(person)
        person.main.pick(trace.holders[0])
        await person.press("x")
        assert "4/5 Ask again" in said(person)
        await ask(person, title)
        assert "5/5 Try another network" in said(person)
        await person.press("p", "w", "enter")
        assert person.main.tour is None
        assert said(person) == ""
        assert "That was the tour" in person.toasts


async def test_a_question_without_an_answer_is_asked_again_in_other_words() -> None:
    async with dashboard(settings=FIRST, asks_per_s=0.0) as person:
        before = said(person)
        await ask(person, "no such thing anywhere")
        assert "1/5 Ask again: That ask found nothing" in said(person)
        assert before.partition("“")[2] != said(person).partition("“")[2]


async def test_escape_and_a_click_end_the_tour_and_it_is_shown_once() -> None:
    async with dashboard(settings=FIRST) as person:
        await person.press("right", "escape")
        assert said(person) == ""
        assert person.session.selection.selected is not None, "escape goes one step back"
        assert tour.marker().exists()
        await person.press("question_mark", "t")
        assert "1/5" in said(person)
        await person.pilot.click(TourBox)
        await person.pilot.pause()
        assert said(person) == ""
    async with dashboard(settings=FIRST) as person:
        assert said(person) == ""
    async with dashboard() as person:
        assert said(person) == ""


def test_the_tour_is_not_shown_each_time_if_its_end_cannot_be_saved(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(tour, "marker", lambda: tmp_path / "file" / "toured")
    assert not tour.first_time()
    monkeypatch.setattr(tour, "marker", lambda: tmp_path / "deep" / "toured")
    assert [tour.first_time(), tour.first_time()] == [True, False]


@pytest.mark.parametrize("cell", [(3, 3), (70, 3), (42, 20), (3, 28), (75, 28)])
def test_the_box_is_inside_the_picture_beside_the_peer_and_hides_few_peers(cell: tuple[int, int]) -> None:
    room = Region(0, 1, 80, 30)
    crowd = [(x, y) for x in range(45, 80, 2) for y in range(2, 30, 3)]
    box = Region(*beside(cell, 6, room, crowd), WIDTH, 6)
    assert room.contains_region(box)
    assert not box.contains(*cell)
    if cell == (42, 20):
        assert not any(box.contains(*other) for other in crowd)
