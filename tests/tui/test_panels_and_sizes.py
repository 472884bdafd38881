"""Panels, sizes, help, palette, themes: the dashboard around the swarm."""

from __future__ import annotations

import math

import pytest
from person import Person, dashboard
from textual.widgets import Input

from engine import Kill, PeerFailed, Setup
from engine.lab.scenario import Caption, Scenario
from tui.actions.palette import ActionFinder
from tui.actions.table import ACTIONS, key_table
from tui.config.settings import Settings
from tui.screens.help import HelpScreen
from tui.screens.main import MainScreen
from tui.session.panels import LEAST_H, LEAST_W
from tui.textual_compat import text_of
from tui.widgets.feed import Feed
from tui.widgets.inspector import Inspector
from tui.widgets.swarm_view import SwarmView
from tui.widgets.theme_drawer import ThemeDrawer

pytestmark = pytest.mark.anyio


async def test_digits_focus_an_open_panel_then_hide_it_and_bring_it_back() -> None:
    async with dashboard() as person:
        for digit, name in ((1, "inspector"), (2, "asks"), (3, "controls"), (4, "charts"), (5, "feed")):
            panel = person.main.query_one(f"#{name}")
            await person.press(str(digit))
            assert panel.display
            assert person.main.panel_at(person.app.focused) == name
            await person.press(str(digit))
            assert not panel.display
            assert isinstance(person.app.focused, SwarmView)
            await person.press(str(digit))
            assert panel.display
            assert person.main.panel_at(person.app.focused) == name
        await person.press("escape")
        await person.press("f")
        assert person.view.size.width == 118
        assert not person.main.query_one("#asks").display
        await person.press("f")
        assert person.main.query_one("#asks").display
        await person.press("6")
        assert "no captions" in person.toasts


async def test_the_feed_has_events_from_when_it_was_closed() -> None:
    async with dashboard() as person:
        await person.press("5", "5", "right", "x")
        await person.wait(0.3)
        await person.press("5")
        assert person.main.query_one(Feed).row_count() >= 1


async def test_paused_means_that_nothing_is_drawn() -> None:
    async with dashboard() as person:
        await person.wait(0.5)
        await person.press("space")
        person.clock.now += 30.0
        before = person.main.frames
        for _ in range(5):
            person.main._show_picture()
            person.main._show_panels_if_due()
        assert person.main.frames == before
        now_us = person.session.swarm.now_us
        await person.press("full_stop")
        await person.wait(0.1)
        assert person.session.swarm.now_us == now_us + 100_000
        await person.press("comma")
        await person.wait(0.1)
        assert person.session.swarm.now_us == now_us + 110_000


async def test_the_speed_goes_from_very_slow_to_as_fast_as_possible() -> None:
    async with dashboard() as person:
        await person.press("space", "left_square_bracket")
        assert person.session.player.pacer.speed == 0.5
        await person.press(*["right_square_bracket"] * 9)
        assert math.isinf(person.session.player.pacer.speed)
        assert "highest speed" in person.toasts


async def test_every_size_shows_the_swarm_and_the_keys() -> None:
    async with dashboard((60, 18)) as person:
        await person.press("right")
        for size in ((60, 18), (80, 24), (99, 50), (120, 36), (120, 20), (200, 50)):
            await person.pilot.resize_terminal(*size)
            await person.wait(0.5)
            assert person.view.size.width >= 40, size
            assert person.view.size.height >= 5, size
            keys = person.main.query_one("#keys").region
            assert (keys.y, keys.width) == (size[1] - 1, size[0])
            assert person.main.query_one("#inspector").display, size
            for name in ("swarm", "asks", "charts", "feed", "inspector"):
                widget = person.main.query_one(f"#{name}")
                if widget.display and widget.region.area:
                    assert person.main.region.contains_region(widget.region), (size, name)


async def test_a_terminal_too_small_gets_a_sentence_and_the_swarm_goes_on() -> None:
    async with dashboard() as person:
        await person.pilot.resize_terminal(LEAST_W - 1, LEAST_H)
        await person.pilot.pause()
        assert person.main.query_one("#small").display
        assert not person.main.query_one("#body").display
        await person.press("a")
        assert "too small" in person.toasts
        await person.wait(1.0)
        assert person.session.swarm.now_us >= 900_000
        await person.pilot.resize_terminal(120, 36)
        await person.pilot.pause()
        assert person.main.query_one("#body").display


async def test_help_has_every_key_and_the_network() -> None:
    async with dashboard() as person:
        await person.press("question_mark")
        screen = person.app.screen
        assert isinstance(screen, HelpScreen)
        text = "\n".join("".join(span for span, _ in row) for row in screen.rows(100))
        for keys, tip in key_table():
            assert keys in text
            assert tip[:40] in text
        assert "gnutella" in text
        await person.press("escape")
        assert isinstance(person.app.screen, MainScreen)


async def test_the_palette_offers_every_action() -> None:
    async with dashboard() as person:
        palette = ActionFinder(person.main)
        offers = [name async for hit in palette.discover() for name in [str(hit.text)]]
        for key in ACTIONS:
            if key.shown and key.id not in ("app.palette", "app.focus", "app.focus_back"):
                assert any(f"({key.shown})" in offer for offer in offers), key.id
        found = {str(hit.text): hit async for hit in palette.search("Select: p005")}
        found["Select: p005"].command()
        assert person.session.selection.selected == 5


async def test_a_theme_changes_the_inks_at_once() -> None:
    async with dashboard() as person:
        before = person.view._styles[:]
        person.app.theme = "nord"
        await person.pilot.pause()
        assert person.view._styles != before
        await person.press("t")
        assert person.main.query_one(ThemeDrawer).is_open


async def test_texts_from_outside_are_not_markup() -> None:
    async with dashboard() as person:
        await person.press("right")
        person.session.ask_for("[/b] [red]a[/red] \x1b[31m", person.session.selection.selected)
        await person.wait(0.5)
        person.session.say("[/nothing] is [wrong")
        person.main.at_once()
        await person.pilot.pause()
        assert "[/nothing] is [wrong" in str(person.main.query_one("#notice").render())


async def test_wrong_input_is_reported_in_a_notice() -> None:
    async with dashboard() as person:
        person.session.do(Kill("degreee>3"))
        await person.wait(0.1)
        frame = person.view.frame
        assert frame is not None
        assert "degreee" in frame.notice
        assert person.session.player.pacer.playing


async def test_a_failing_peer_pauses_the_run_and_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard() as person:

        def fail(until_us: int, budget: int | None = None) -> int:
            raise PeerFailed(3, "Query", KeyError("seen"))

        monkeypatch.setattr(person.session.swarm, "advance", fail)
        await person.wait(0.5)
        assert not person.session.player.pacer.playing
        assert "peer #3 failed on Query" in str(person.main.query_one("#notice").render())
        assert "program failed" in person.view.text
        await person.press("space")
        assert "cannot go on" in person.toasts
        await person.press("p", "w", "enter")
        await person.wait(0.5)
        assert person.session.player.pacer.playing
        assert not person.session.player.alarm


async def test_a_scenario_shows_its_captions() -> None:
    story = Scenario(
        title="A tale",
        about="Watch.",
        setup=Setup(peers=24, seed=7),
        captions=(Caption(0.2, "It begins.", "How many?"),),
    )
    async with dashboard(scenario=story) as person:
        assert person.main.query_one("#story").display
        person.session.slow_motion.enabled = False
        await person.wait(0.5)
        told = "\n".join(lines.text for lines in person.main.query("#story TextRows").results())  # type: ignore[attr-defined]
        assert "It begins." in told
        assert "How many?" in told


async def test_the_inspector_is_a_drawer_in_a_narrow_terminal() -> None:
    async with dashboard((80, 24)) as person:
        drawer = person.main.query_one(Inspector)
        assert not drawer.display
        await person.press("right")
        assert drawer.display
        assert person.view.size.width == 78
        await person.press("escape")
        assert not drawer.display
        assert person.session.selection.selected is not None
        await person.press("enter")
        assert drawer.display


async def test_escape_leaves_the_ask_bar_and_nothing_was_asked() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("a")
        assert isinstance(person.app.focused, Input)
        await person.type("x")
        await person.press("escape", "escape")
        assert isinstance(person.app.focused, SwarmView)
        assert not person.session.swarm.asks()


async def test_quitting_is_exit_code_0() -> None:
    async with dashboard() as person:
        await person.press("q")
    assert person.app.return_value == 0


def test_each_key_is_listed_once_and_bound_once() -> None:
    ids = [key.id for key in ACTIONS]
    assert len(set(ids)) == len(ids)
    keys = [one for key in ACTIONS if key.keys for one in key.keys.split(",")]
    assert len(set(keys)) == len(keys)
    assert ("↑ ↓ ← →", "Select the nearest peer in that direction.") in key_table()


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (99, 40), (120, 36), (200, 50)])
@pytest.mark.parametrize("key", ["9", "O"])
async def test_the_sentence_on_the_picture_stays_in_sight_beside_each_panel(size: tuple[int, int], key: str) -> None:
    async with dashboard(size=size) as person:
        await person.press("right")
        person.main.carry_out(Kill(person.session.selection.selected or 0))
        person.session.notice.clear()
        await person.press(key)
        await person.wait(0.5)
        strips = person.app.screen._compositor.render_strips()
        lines = ["".join(segment.text for segment in strip) for strip in strips]
        rows = [line[1:].partition("│")[0].strip() for line in lines[2:4]]
        frame = person.main.frame
        assert frame is not None
        assert frame.told[0] in " ".join(rows), rows
        panel = person.main.panel("attacks" if key == "9" else "options")
        assert panel.region.bottom <= person.main.query_one("#top").region.bottom, "all of it has room"


@pytest.mark.parametrize("size", [(120, 1), (300, 2), (45, 1), (59, 40)])
async def test_a_terminal_without_room_says_so_in_one_line_too(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as person:
        assert "swarmtop needs 60 x 18 cells" in text_of(person.app.screen)


def below_the_first_line(person: Person) -> str:
    """The screen without the line of figures, which counts frames a second."""
    return text_of(person.app.screen).partition("\n")[2]


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (120, 36), (200, 50)])
async def test_while_time_is_paused_a_panel_fits_its_place_as_soon_as_it_is_opened(size: tuple[int, int]) -> None:
    async with dashboard(size=size, settings=Settings(reduced_motion=True)) as person:
        await person.press("space")
        for row in ACTIONS:
            if not row.id.startswith("panel.") or not row.keys:
                continue
            await person.press(row.keys.split(",")[0])
            await person.pilot.pause()
            opened = below_the_first_line(person)
            person.main.changed()
            await person.pilot.pause()
            assert below_the_first_line(person) == opened, row.id


async def test_while_time_is_paused_a_panel_fits_the_terminal_as_soon_as_that_has_another_size() -> None:
    async with dashboard(size=(200, 50), settings=Settings(reduced_motion=True)) as person:
        await person.press("space", "O")
        for size in ((80, 24), (120, 36), (60, 18), (200, 50)):
            await person.pilot.resize_terminal(*size)
            await person.pilot.pause()
            resized = below_the_first_line(person)
            person.main.changed()
            await person.pilot.pause()
            assert below_the_first_line(person) == resized, size
