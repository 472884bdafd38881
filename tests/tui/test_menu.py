"""The menu, the filters of the feed, and the choice of what charts show, by pointer and by keys."""

from __future__ import annotations

from dataclasses import replace

import frames
import numpy as np
import pytest
from stage import Stage, lines_of, painted
from textual.geometry import Size
from textual.widgets import OptionList

from engine import Churned, Commanded, Event, Hit, Kill, Poison, Series
from tui.session.verbs import verb_of
from tui.widgets.charts import Chart, Charts, look_of, value_text
from tui.widgets.feed import KEPT, KINDS, Feed
from tui.widgets.menu import Line, Menu
from tui.widgets.messages import Searched

pytestmark = pytest.mark.anyio

LINES = (
    Line("one", "First", "It does this.", "peer.kill"),
    Line("two", "Second", why_not="It cannot be had."),
    Line("three", "Third", "And that.", rule=True),
)


class Hall(Stage):
    """Keeps the menu lines that were chosen."""

    chosen: list[tuple[str, str]]

    def on_mount(self) -> None:
        self.chosen = []

    def on_menu_chosen(self, event: Menu.Chosen) -> None:
        self.chosen.append((event.purpose, event.id))


async def test_a_menu_stays_inside_the_screen_and_explains_its_lines() -> None:
    menu = Menu()
    async with Hall(menu).run_test(size=(60, 20)) as pilot:
        menu.open("peers", "3 peers", LINES, (55, 18), Size(60, 20))
        await pilot.pause()
        assert pilot.app.screen.region.contains_region(menu.region)
        shown = painted(menu.query_one(OptionList))
        assert [line.split() for line in shown] == [["x", "First"], ["Second"], ["─" * len(shown[2])], ["Third"]]
        assert "It does this." in lines_of(menu, "#tip")
        await pilot.press("down")
        assert "It cannot be had." in lines_of(menu, "#tip")


async def test_enter_chooses_only_lines_that_are_possible() -> None:
    menu = Menu()
    app = Hall(menu)
    async with app.run_test(size=(60, 20)) as pilot:
        menu.open("peers", "", LINES, (0, 0), Size(60, 20))
        await pilot.press("down", "enter")
        await pilot.pause()
        assert menu.is_open
        await pilot.press("end", "enter")
        await pilot.pause()
        assert not menu.is_open
        menu.open("peers", "", LINES, (0, 0), Size(60, 20))
        await pilot.press("x")
        menu.open("peers", "", LINES, (0, 0), Size(60, 20))
        await pilot.pause()
        await pilot.click(Menu, offset=(5, 4))
        menu.open("peers", "", LINES, (0, 0), Size(60, 20))
        await pilot.press("escape")
        await pilot.pause()
        assert app.chosen == [("peers", "three"), ("peers", "one"), ("peers", "three")]
        assert not menu.is_open


# --- charts --------------------------------------------------------------------------------------------------------


async def test_series_are_chosen_by_name_whatever_the_swarm_offers() -> None:
    charts = Charts()
    async with Stage(charts).run_test(size=(160, 10)) as pilot:
        series = frames.series()
        more = replace(series, columns={**series.columns, "queued_bytes": series.t_s * 10})
        charts.show(frames.frame(snap=frames.snapshot(series=more)))
        await pilot.pause()
        chart = charts.query_one("#chart-alive", Chart)
        assert [line.on for line in chart.menu_lines()].count(True) == 2
        chart.toggle("queued_bytes")
        chart.toggle("alive")
        await pilot.pause()
        assert chart.names == ["censored", "queued_bytes"]
        assert "queued 420B" in str(chart.border_title)
        chart.toggle("censored")
        chart.toggle("queued_bytes")
        assert chart.names == ["queued_bytes"]  # the last one cannot be removed


async def test_lines_of_one_chart_have_each_its_own_ink() -> None:
    charts = Charts()
    async with Stage(charts).run_test(size=(160, 10)) as pilot:
        charts.show(frames.frame())
        await pilot.pause()
        chart = charts.query_one("#chart-alive", Chart)
        chart._draw()
        inks = {ink for row in chart._rows for text, ink in row if text.strip() and ink.startswith("chart")}
        assert inks == {"chart-1", "chart-2"}


async def test_a_click_or_enter_asks_which_series_to_show() -> None:
    charts = Charts()
    app = Stage(charts)
    async with app.run_test(size=(160, 10)) as pilot:
        charts.show(frames.frame())
        await pilot.click("#chart-success")
        charts.focus()
        await pilot.press("enter")
        await pilot.pause()
        assert [event.chart.id for event in app.heard(Chart.Picked)] == ["chart-success", "chart-alive"]


async def test_a_chart_shows_the_values_of_the_moment_under_the_pointer() -> None:
    charts = Charts()
    async with Stage(charts).run_test(size=(160, 10)) as pilot:
        charts.show(frames.frame())
        await pilot.pause()
        chart = charts.query_one("#chart-alive", Chart)
        newest = chart.size.width - 7
        assert chart.values_at(newest) == "00:42  alive 61 · censored 1"
        await pilot.hover(Chart, offset=(newest + 1, 2))
        assert "00:42" in str(chart.border_subtitle)
        assert "│" in "".join(painted(chart))
        await pilot.hover(Chart, offset=(1, 2))  # before the first sample
        assert not chart.border_subtitle


def test_units_are_shown_with_the_value_and_guessed_from_the_name() -> None:
    assert value_text(61, "peers") == "61"
    assert value_text(0.914, "%") == "91%"
    assert value_text(1234, "/s") == "1.2k/s"
    assert value_text(500_000, "B/s") == "500k"  # no room
    assert value_text(float("nan"), "B") == "–"
    assert (look_of("queue_ms").title, look_of("queue_ms").unit) == ("queue", "ms")
    assert look_of("grafts_per_s").title == "grafts/s"


async def test_a_series_without_samples_is_shown_empty() -> None:
    charts = Charts()
    async with Stage(charts).run_test(size=(160, 10)) as pilot:
        charts.show(frames.frame(snap=frames.snapshot(series=Series(np.zeros(0), {}))))
        await pilot.pause()
        assert all("–" in str(chart.border_title) for chart in charts.query(Chart))


# --- the feed ------------------------------------------------------------------------------------------------------


def happenings(first: int, hits: int) -> tuple[Event, ...]:
    killed = Commanded(first, 0, Kill(3), (3,), "person")
    gone = Churned(first + 1, 0, 9, "kill")
    return (killed, gone, *(Hit(first + 2 + n, n, 1, 17, 31, f"song {n}") for n in range(hits)))


async def test_many_hits_do_not_hide_the_action() -> None:
    feed = Feed()
    async with Stage(feed).run_test(size=(80, 10)) as pilot:
        feed.show(frames.frame(events=happenings(1, 3 * KEPT)))
        await pilot.pause()
        assert feed.row_count() == KEPT
        feed.show_kinds(("actions",))
        await pilot.pause()
        assert "you killed p003" in painted(feed)[1]
        feed.show_kinds(("actions", "churn"))
        await pilot.pause()
        assert ["p009 goes offline" in line or "p003" in line for line in painted(feed)[1:3]] == [True, True]
        assert "p009" in painted(feed)[1]  # the later event is on top


async def test_the_kinds_are_words_to_be_clicked() -> None:
    feed = Feed()
    app = Stage(feed)
    async with app.run_test(size=(80, 10)) as pilot:
        feed.show(frames.frame(events=happenings(1, 5)))
        await pilot.pause()
        words = painted(feed)[0]
        for word in ("churn", "hits"):
            await pilot.click(Feed, offset=(words.index(word) + 3, 1))
        assert feed.kinds == {"churn", "hits"}
        assert feed.row_count() == 6
        await pilot.click(Feed, offset=(words.index("all") + 3, 1))
        assert feed.kinds == set(KINDS)
        await pilot.click(Feed, offset=(words.index("/") + 2, 1))
        await pilot.pause()
        assert [event.panel for event in app.heard(Searched)] == ["feed"]
        feed.focus()
        await pilot.press("right", "right")
        assert feed.kinds == {"hits"}
        await pilot.press("left", "left", "left")
        assert feed.kinds == {"log"}


async def test_what_comes_is_searched_as_well() -> None:
    feed = Feed()
    async with Stage(feed).run_test(size=(80, 10)) as pilot:
        first = frames.frame(events=happenings(1, 20))
        feed.show(first)
        feed.seek("P009 offline")
        await pilot.pause()
        assert feed.row_count() == 1
        more = happenings(100, 20)
        feed.show(frames.frame(snap=first.snapshot, events=more))
        assert feed.row_count() == 2
        assert "P009 offline" in str(feed.border_title)
        feed.seek("no such thing")
        await pilot.pause()
        assert "Nothing like that has happened" in "\n".join(painted(feed))
        feed.widen()
        assert feed.row_count() == 44


async def test_end_follows_again() -> None:
    feed = Feed()
    async with Stage(feed).run_test(size=(80, 10)) as pilot:
        first = frames.frame(events=happenings(1, 40))
        feed.show(first)
        await pilot.pause()
        feed.focus()
        feed.scroll_to(y=12, animate=False)
        await pilot.pause()
        assert "end follows" in str(feed.border_subtitle)
        feed.show(frames.frame(snap=first.snapshot, events=happenings(100, 3)))
        assert "5 newer" in str(feed.border_subtitle)
        await pilot.press("end")
        await pilot.pause()
        assert feed.following
        assert not feed.border_subtitle


def test_where_no_files_are_shared_the_menu_says_why_nobody_can_be_poisoned() -> None:
    plain = frames.snapshot()
    fixed = replace(plain.fixed, shares_files=np.zeros(len(plain.state), np.bool_))
    verb = verb_of(frames.frame(snapshot=replace(plain, fixed=fixed), selected=7), "poison")
    assert verb is not None
    assert not verb.possible
    assert verb.tip == "p007 does not share files, so there is nothing to replace by decoys."
    verb = verb_of(frames.frame(snapshot=plain, selected=7), "poison")
    assert verb is not None
    assert verb.command == Poison(7)


async def test_a_choice_that_comes_late_is_not_taken_for_a_line_of_the_next_menu() -> None:
    menu = Menu()
    app = Hall(menu)
    async with app.run_test(size=(60, 20)) as pilot:
        menu.open("peers", "", LINES, (0, 0), Size(60, 20))
        await pilot.pause()
        listed = menu.query_one(OptionList)
        listed.action_select()
        listed.action_select()  # enter twice
        menu.close()
        menu.open("chart", "", LINES[2:], (0, 0), Size(60, 20))
        await pilot.pause()
        assert app.chosen == []
        assert menu.is_open
        assert painted(listed)[0].split() == ["Third"]
        listed.action_select()
        listed.action_select()
        await pilot.pause()
        assert app.chosen == [("chart", "three")]


async def test_a_menu_in_too_little_room_scrolls_to_its_lines() -> None:
    menu = Menu()
    app = Hall(menu)
    async with app.run_test(size=(34, 9)) as pilot:
        many = [Line(str(n), f"Line {n}", "A tip.") for n in range(20)]
        menu.open("peers", "", many, (30, 8), Size(34, 9))
        await pilot.press("end")
        await pilot.pause()
        assert pilot.app.screen.region.contains_region(menu.region)
        assert "Line 19" in "\n".join(painted(menu.query_one(OptionList)))
        await pilot.press("enter")
        await pilot.pause()
        assert app.chosen == [("peers", "19")]
