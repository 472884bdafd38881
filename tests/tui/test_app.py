"""The dashboard as a person uses it: keys in, swarm and screen out. The wall clock is the story's own."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from engine import ALIVE, DEAD, LEFT, Kill, PeerFailed, Setup
from engine.lab.scenario import Caption, Scenario
from tui.app import SwarmApp
from tui.driver import Driver
from tui.keys import TABLE, key_table
from tui.palette import Palette
from tui.screens.help import HelpScreen
from tui.screens.main import MainScreen
from tui.screens.picker import NetworkPicker
from tui.screens.rooms import LEAST_H, LEAST_W
from tui.widgets.feed import Feed
from tui.widgets.inspector import Inspector
from tui.widgets.swarm_view import SwarmView

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Person:
    """Presses keys, and lets time pass."""

    def __init__(self, pilot: Pilot[int], clock: Clock) -> None:
        self.pilot, self.clock = pilot, clock
        self.app: SwarmApp = pilot.app  # type: ignore[assignment]
        self.driver = self.app.driver

    @property
    def main(self) -> MainScreen:
        assert isinstance(self.app.screen, MainScreen)
        return self.app.screen

    @property
    def view(self) -> SwarmView:
        return self.main.query_one(SwarmView)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        await self.press(*("space" if ch == " " else ch for ch in text))

    async def wait(self, seconds: float, slices: int = 20) -> None:
        for _ in range(slices):
            self.clock.now += seconds / slices
            self.driver.live.slice()
        self.main.at_once()
        await self.pilot.pause()

    def state(self, peer: int) -> int:
        return int(self.driver.swarm.snapshot().state[peer])

    @property
    def told(self) -> str:
        """All toasts."""
        return "\n".join(note.message for note in self.app._notifications)


@asynccontextmanager
async def dashboard(
    size: tuple[int, int] = (120, 36), scenario: Scenario | None = None, **setup: object
) -> AsyncIterator[Person]:
    clock = Clock()
    plan = scenario or Scenario(setup=Setup(**{"seed": 7, "peers": 24, "latency": "constant:50"} | setup))  # type: ignore[arg-type]
    app = SwarmApp(Driver(plan, clock=clock))
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        yield Person(pilot, clock)


async def test_it_is_alive_from_the_start() -> None:
    async with dashboard() as person:
        assert person.main.frames >= 1
        assert "alive" in person.view.text
        await person.wait(1.0)
        assert person.driver.swarm.now_us == pytest.approx(1_000_000, rel=0.01)


async def test_an_arrow_selects_enter_inspects_and_escape_goes_back() -> None:
    async with dashboard() as person:
        await person.press("right")
        first = person.driver.selected
        assert first is not None
        await person.press("right")
        assert person.driver.selected != first
        await person.press("enter")
        assert isinstance(person.app.focused, Inspector)
        await person.press("escape")
        assert isinstance(person.app.focused, SwarmView)
        await person.press("escape")
        assert person.driver.selected is None


async def test_each_verb_is_undone_by_its_own_key() -> None:
    async with dashboard() as person:
        await person.press("right")
        peer = person.driver.selected
        assert peer is not None
        await person.press("x")
        assert person.state(peer) == DEAD
        await person.press("x")
        assert person.state(peer) == ALIVE
        await person.press("c")
        assert person.driver.swarm.snapshot().censored[peer]
        await person.press("c")
        assert not person.driver.swarm.snapshot().censored[peer]
        await person.press("l")
        assert person.state(peer) == LEFT
        await person.press("l")
        assert person.state(peer) == ALIVE


async def test_a_greyed_key_tells_why() -> None:
    async with dashboard() as person:
        await person.press("x")
        assert "Select a peer first" in person.told
        assert not person.driver.swarm.history
        await person.press("shift+left")
        assert "zoom in first" in person.told
        assert person.main.check_action("kill", ()) is None
        await person.press("right")
        assert person.main.check_action("kill", ()) is True


async def test_who_asks_sees_it_slowly_and_then_time_is_as_before() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("right", "a")
        await person.type("blue train")
        await person.press("enter")
        ask = person.driver.swarm.asks()[-1]
        assert (ask.text, ask.by, ask.origin) == ("blue train", "person", person.driver.selected)
        assert person.driver.ask == ask.id
        assert person.driver.live.slowed
        assert isinstance(person.app.focused, SwarmView)
        frame = person.view.frame
        assert frame is not None
        assert frame.ask == ask.id
        await person.wait(8.0, slices=200)
        assert not person.driver.live.slowed
        assert person.driver.live.speed == 1.0


async def test_slow_motion_can_be_switched_off() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("right", "s", "a")
        await person.type("blue")
        await person.press("enter")
        assert not person.driver.live.slowed


async def test_a_crossing_takes_about_four_seconds_to_watch() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("right", "a")
        await person.type("zebra")
        await person.press("enter")
        await person.wait(4.0, slices=200)
        reached = person.driver.swarm.asks()[-1].reached
        assert reached >= 15
        await person.wait(0.5)
        assert person.driver.swarm.now_us < 3_000_000


async def test_the_latest_ask_is_followed_until_one_is_chosen() -> None:
    async with dashboard(asks_per_s=5.0) as person:
        await person.press("s")
        await person.wait(3.0, slices=100)
        newest = person.driver.swarm.asks()[-1].id
        assert person.driver.following
        assert person.driver.ask == newest
        person.driver.choose(1)
        await person.wait(2.0)
        assert person.driver.ask == 1
        await person.press("escape")
        assert person.driver.following


async def test_selectors_mark_peers_and_a_bad_one_is_told() -> None:
    async with dashboard() as person:
        await person.press("slash")
        await person.type("#3 or #5")
        assert "2 peers" in str(person.main.query_one("#filter-told").render())
        await person.press("enter")
        assert person.driver.marked == (3, 5)
        assert person.driver.selected == 3
        await person.press("slash")
        await person.type("statt=dead")
        await person.press("enter")
        frame = person.view.frame
        assert frame is not None
        assert "statt" in frame.notice
        assert person.driver.marked == (3, 5)
        await person.wait(0.5)
        assert person.driver.live.playing


async def test_another_network_gets_the_same_peers() -> None:
    async with dashboard() as person:
        await person.press("right")
        kept = person.driver.selected
        await person.wait(1.0)
        await person.press("p")
        assert isinstance(person.app.screen, NetworkPicker)
        await person.press("w", "enter")
        assert person.driver.setup.protocol == "web"
        assert person.driver.setup.seed == 7
        assert person.driver.selected == kept
        assert person.driver.swarm.now_us < 500_000
        await person.wait(1.0)
        assert "station" in person.view.text


async def test_the_moment_can_be_copied() -> None:
    async with dashboard(options={"ttl": 5}) as person:
        await person.press("right", "x", "y")
        copied = person.app.clipboard
        assert copied.startswith("swarmtop --protocol gnutella --peers 24 --seed 7 --latency constant:50 --set ttl=5  # ")
        assert f"kill #{person.driver.selected}" in copied


async def test_digits_put_panels_away_and_bring_them_back() -> None:
    async with dashboard() as person:
        for digit, name in ((1, "inspector"), (2, "asks"), (3, "controls"), (4, "charts"), (5, "feed")):
            panel = person.main.query_one(f"#{name}")
            assert panel.display
            await person.press(str(digit))
            assert not panel.display
            await person.press(str(digit))
            assert panel.display
        await person.press("9")
        assert person.view.size.width == 118
        await person.press("9")
        assert person.main.query_one("#asks").display
        await person.press("6")
        assert "no story" in person.told


async def test_what_happened_while_the_feed_was_away_is_in_it() -> None:
    async with dashboard() as person:
        await person.press("5", "right", "x")
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
            person.main._show_what_is_new()
        assert person.main.frames == before
        now_us = person.driver.swarm.now_us
        await person.press("full_stop")
        await person.wait(0.1)
        assert person.driver.swarm.now_us == now_us + 100_000
        await person.press("comma")
        await person.wait(0.1)
        assert person.driver.swarm.now_us == now_us + 110_000


async def test_speed_goes_from_a_crawl_to_as_fast_as_it_goes() -> None:
    async with dashboard() as person:
        await person.press("space", "left_square_bracket")
        assert person.driver.live.speed == 0.5
        await person.press(*["right_square_bracket"] * 9)
        assert math.isinf(person.driver.live.speed)
        assert "as fast as it goes" in person.told


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (99, 50), (120, 36), (120, 20), (200, 50)])
async def test_every_size_shows_the_swarm_and_the_keys(size: tuple[int, int]) -> None:
    async with dashboard(size) as person:
        await person.press("right")
        await person.wait(0.5)
        assert person.view.size.width >= 40
        assert person.view.size.height >= 5
        keys = person.main.query_one("#keys").region
        assert (keys.y, keys.width) == (size[1] - 1, size[0])
        assert person.main.query_one("#inspector").display
        for widget in person.main.query("#body *"):
            if widget.display and widget.region.area and widget.id in ("swarm", "asks", "charts", "feed", "inspector"):
                assert person.main.region.contains_region(widget.region), widget.id


async def test_a_terminal_too_small_gets_a_sentence_and_the_swarm_goes_on() -> None:
    async with dashboard() as person:
        await person.pilot.resize_terminal(LEAST_W - 1, LEAST_H)
        await person.pilot.pause()
        assert person.main.query_one("#small").display
        assert not person.view.display
        await person.press("a")
        await person.wait(1.0)
        assert person.driver.swarm.now_us >= 900_000
        await person.pilot.resize_terminal(120, 36)
        await person.pilot.pause()
        assert person.view.display


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
        palette = Palette(person.main)
        offers = [name async for hit in palette.discover() for name in [str(hit.text)]]
        for key in TABLE:
            if key.id not in ("app.palette", "app.focus"):
                assert any(f"({key.shown})" in offer for offer in offers), key.id
        found = {str(hit.text): hit async for hit in palette.search("Select: p005")}
        await found["Select: p005"].command()  # type: ignore[misc]  # a palette awaits what it may
        assert person.driver.selected == 5


async def test_a_theme_changes_the_inks_at_once() -> None:
    async with dashboard() as person:
        before = person.view._styles[:]
        person.app.theme = "nord"
        await person.pilot.pause()
        assert person.view._styles != before
        await person.press("t")
        assert person.app.theme == person.app._ours[0]


async def test_words_from_outside_are_only_words() -> None:
    async with dashboard() as person:
        await person.press("right")
        person.driver.ask_for("[/b] [red]a[/red] \x1b[31m", person.driver.selected)
        await person.wait(0.5)
        person.driver.say("[/nothing] is [wrong")
        person.main.at_once()
        await person.pilot.pause()
        assert "[/nothing] is [wrong" in str(person.main.query_one("#notice").render())


async def test_bad_input_is_a_notice() -> None:
    async with dashboard() as person:
        person.driver.do(Kill("degreee>3"))
        await person.wait(0.1)
        frame = person.view.frame
        assert frame is not None
        assert "degreee" in frame.notice
        assert person.driver.live.playing


async def test_a_failing_peer_stops_time_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with dashboard() as person:

        def fail(until_us: int, budget: int | None = None) -> int:
            raise PeerFailed(3, "Query", KeyError("seen"))

        monkeypatch.setattr(person.driver.swarm, "advance", fail)
        await person.wait(0.5)
        assert not person.driver.live.playing
        assert "peer #3 failed on Query" in str(person.main.query_one("#notice").render())
        assert "program failed" in person.view.text
        await person.press("space")
        assert "cannot go on" in person.told
        await person.press("p", "w", "enter")
        await person.wait(0.5)
        assert person.driver.live.playing
        assert not person.driver.alarm


async def test_a_scenario_tells_its_story() -> None:
    story = Scenario(
        title="A tale", about="Watch.", setup=Setup(peers=24, seed=7), captions=(Caption(0.2, "It begins.", "How many?"),)
    )
    async with dashboard(scenario=story) as person:
        assert person.main.query_one("#story").display
        person.driver.slow_on_ask = False
        await person.wait(0.5)
        told = "\n".join(lines.text for lines in person.main.query("#story Lines").results())  # type: ignore[attr-defined]
        assert "It begins." in told
        assert "How many?" in told


async def test_the_inspector_is_a_drawer_where_there_is_no_room() -> None:
    async with dashboard((80, 24)) as person:
        drawer = person.main.query_one(Inspector)
        assert not drawer.display
        await person.press("right")
        assert drawer.display
        assert person.view.size.width == 78
        await person.press("escape")
        assert not drawer.display
        assert person.driver.selected is not None
        await person.press("enter")
        assert drawer.display


async def test_escape_leaves_the_ask_bar_and_nothing_was_asked() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("a")
        assert isinstance(person.app.focused, Input)
        await person.type("x")
        await person.press("escape", "escape")
        assert isinstance(person.app.focused, SwarmView)
        assert not person.driver.swarm.asks()


async def test_quitting_is_exit_code_nought() -> None:
    async with dashboard() as person:
        await person.press("q")
    assert person.app.return_value == 0


def test_keys_are_told_once_and_bound_once() -> None:
    ids = [key.id for key in TABLE]
    assert len(set(ids)) == len(ids)
    keys = [one for key in TABLE for one in key.keys.split(",")]
    assert len(set(keys)) == len(keys)
    assert not {"h", "j", "k"} & set(keys)  # letters that move elsewhere do nothing here
    assert ("↑ ↓ ← →", "Select the nearest peer in that direction.") in key_table()
