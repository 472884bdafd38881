"""Charts, the ask bar, the story and the picker."""

from __future__ import annotations

from dataclasses import replace

import frames
import numpy as np
import pytest
from stage import Stage, lines_of, painted
from textual.widgets import Input

from tui.screens.picker import Picker, PickerGroup, PickerItem, paragraphs
from tui.session.frame import Prediction
from tui.widgets.ask_bar import AskBar
from tui.widgets.charts import Chart, Charts
from tui.widgets.messages import Asked, AskLeft
from tui.widgets.status import StatusBar
from tui.widgets.story import Story

pytestmark = pytest.mark.anyio


async def test_a_chart_has_its_line_and_its_newest_value() -> None:
    charts = Charts()
    async with Stage(charts).run_test(size=(120, 8)) as pilot:
        charts.show(frames.frame())
        await pilot.pause()
        alive, messages, success, _ = charts.query(Chart)
        assert "alive 61" in str(alive.border_title)
        assert "censored 1" in str(alive.border_title)
        assert painted(alive)[0].endswith("64")  # the top of the scale: all peers
        assert messages.value_text.endswith("/s")
        assert success.value_text.endswith("%")
        assert any("⠀" < ch <= "⣿" for ch in "".join(painted(messages)))


async def test_a_chart_is_drawn_anew_only_when_data_or_size_changed() -> None:
    charts = Charts()
    async with Stage(charts).run_test(size=(120, 8)) as pilot:
        one = frames.frame()
        charts.show(one)
        await pilot.pause()
        chart = charts.query(Chart).first()
        before = chart.drawn
        for _ in range(5):
            charts.show(one)
            chart.refresh()
            await pilot.pause()
        assert chart.drawn == before
        charts.show(frames.frame(snap=frames.snapshot(series=frames.series(44))))
        await pilot.pause()
        assert chart.drawn == before + 1


async def test_an_unknown_value_has_no_figure() -> None:
    charts = Charts()
    async with Stage(charts).run_test(size=(120, 8)) as pilot:
        gap = frames.series()
        gap.columns["success"][:] = np.nan
        charts.show(frames.frame(snap=frames.snapshot(series=gap)))
        await pilot.pause()
        assert charts.query_one("#chart-success", Chart).value_text == "–"
        empty = frames.series(0)
        charts.show(frames.frame(snap=frames.snapshot(series=empty)))
        await pilot.pause()


@pytest.mark.parametrize(("size", "shown"), [((120, 8), 4), ((60, 12), 4), ((60, 5), 3), ((20, 5), 1)])
async def test_charts_are_arranged_by_the_room(size: tuple[int, int], shown: int) -> None:
    charts = Charts()
    charts.styles.height = size[1]
    async with Stage(charts).run_test(size=size) as pilot:
        charts.show(frames.frame())
        await pilot.pause()
        assert sum(one.display for one in charts.query(Chart)) == shown


async def test_the_ask_bar_completes_posts_and_remembers() -> None:
    bar = AskBar()
    app = Stage(bar)
    async with app.run_test(size=(80, 5)) as pilot:
        bar.open(frames.frame(selected=17))
        await pilot.press(*"nig")
        await pilot.pause()
        await pilot.press("right", "enter")
        await pilot.pause()
        assert [(m.text, m.origin) for m in app.heard(Asked)] == [("night owl", 17)]
        assert "p017 wants to find" in lines_of(bar, "#who")
        await pilot.press("up")
        assert bar.query_one(Input).value == "night owl"
        await pilot.press("down")
        assert bar.query_one(Input).value == ""
        await pilot.press("x", "escape")
        assert bar.query_one(Input).value == ""
        assert not app.heard(AskLeft)
        await pilot.press("escape")
        await pilot.pause()
        assert app.heard(AskLeft)


async def test_if_the_selected_peer_is_dead_the_last_asker_asks() -> None:
    bar = AskBar()
    app = Stage(bar)
    async with app.run_test(size=(80, 5)) as pilot:
        bar.open(frames.frame(selected=20))
        assert "p020 is dead and cannot ask; any peer wants to find" in lines_of(bar, "#who")
        bar.show(frames.frame(selected=20, ask=12))
        assert "p020 is dead and cannot ask; p017 wants to find" in lines_of(bar, "#who")
        await pilot.press(*"owl", "enter")
        await pilot.pause()
        assert [(m.text, m.origin) for m in app.heard(Asked)] == [("owl", 17)]


async def test_what_is_offered_can_be_clicked_and_enter_takes_the_first() -> None:
    bar = AskBar()
    app = Stage(bar)
    async with app.run_test(size=(80, 5)) as pilot:
        bar.open(frames.frame(selected=17))
        await pilot.pause()
        first, second, *_ = bar.offers
        await pilot.click("#offers", offset=(len(first) + 5, 0))
        await pilot.pause()
        assert [m.text for m in app.heard(Asked)] == [second]
        bar.open(frames.frame(selected=17))
        await pilot.pause()
        assert bar.offers[0] == second, "what was asked before comes first"
        await pilot.press("enter")
        await pilot.pause()
        assert [m.text for m in app.heard(Asked)] == [second, second]
        await pilot.press(*first[:3])
        await pilot.pause()
        assert bar.offers
        assert all(first[:3] in offer for offer in bar.offers)
        bar.publishing = True
        await pilot.press("backspace", "backspace", "backspace", "enter")
        await pilot.pause()
        assert len(app.heard(Asked)) == 2, "nobody shares a file without a name"


QUESTION = "How many searches will be answered?"


async def test_a_guess_is_made_before_the_answer_and_shown_beside_it() -> None:
    story = Story()
    app = Stage(story)
    async with app.run_test(size=(50, 24)) as pilot:
        plain = frames.frame()
        story.show(plain)
        await pilot.pause()
        assert not story.display
        asked = replace(plain, captions=("One.", "Two."), predictions=(Prediction(20.0, QUESTION),))
        story.show(asked)
        await pilot.pause()
        assert story.display
        assert lines_of(story, "#told").splitlines() == ["Two."]
        assert lines_of(story, "#earlier").splitlines() == ["One."]
        await pilot.click("#guess-half")
        await pilot.pause()
        assert "you said  half" in lines_of(story, "#results")
        assert not story.query_one("#guess").display
        assert "not known yet" in lines_of(story, "#results")
        story.show(
            replace(asked, predictions=(Prediction(20.0, QUESTION, "0 of 12"),), expectations={"success": False})
        )
        await pilot.pause()
        told = lines_of(story, "#results")
        assert "you said  half" in told
        assert "it was    0 of 12" in told
        assert "✗ success" in told


async def test_a_guess_may_be_typed_but_not_after_the_answer() -> None:
    story = Story()
    app = Stage(story)
    async with app.run_test(size=(50, 24)) as pilot:
        asked = frames.frame(predictions=(Prediction(20.0, QUESTION),))
        story.show(asked)
        await pilot.pause()
        story.query_one(Input).focus()
        await pilot.press(*"3", "enter")
        await pilot.pause()
        assert "you said  3" in lines_of(story, "#results")
        late = frames.frame(predictions=(Prediction(30.0, "And now?", "all"),))
        story.show(late)
        await pilot.pause()
        assert story.pending() is None
        assert "you said  nothing" in lines_of(story, "#results")


CHOICES = (
    PickerItem("gnutella", "Questions flood", "Loud.\n\n  - kept\n  - as it is"),
    PickerItem("gossip", "Rumours [b]spread[/b]", "By chance,\nin rounds."),
    PickerItem("napster", "One index knows all"),
)


async def test_the_picker_describes_a_network_before_it_is_chosen() -> None:
    app = Stage(StatusBar())
    async with app.run_test(size=(80, 24)) as pilot:
        chosen: list[tuple[str, str] | None] = []
        picker = Picker(PickerGroup("networks", CHOICES, "gossip"))
        app.push_screen(picker, chosen.append)
        await pilot.pause()
        assert "Rumours [b]spread[/b]" in picker.about
        assert "By chance, in rounds." in picker.about
        await pilot.press("n")
        await pilot.pause()
        assert "One index" in picker.about
        await pilot.press("backspace", "home")
        await pilot.pause()
        assert "  - kept\n  - as it is" in picker.about
        await pilot.press("enter")
        await pilot.pause()
        assert chosen == [("networks", "gnutella")]
        app.push_screen(Picker(PickerGroup("networks", CHOICES, "gossip")), chosen.append)
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert chosen == [("networks", "gnutella"), None]


def test_running_text_is_joined_and_lists_are_kept() -> None:
    assert paragraphs("one\ntwo\n\n  a\n  b\n\n\n") == ["one two", ["  a", "  b"]]
    assert paragraphs("") == []


def test_marks_of_emphasis_are_not_shown() -> None:
    assert paragraphs("Every *servent* has `ttl=7`; 2 * 3 is 6.") == ["Every servent has ttl=7; 2 * 3 is 6."]
