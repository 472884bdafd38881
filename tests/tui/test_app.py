"""The dashboard as a person uses it: keys are pressed, and the swarm and the screen are read. Each test has its own
wall clock."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

import pytest
from person import Clock, dashboard
from textual.widgets._toast import Toast

from engine import ALIVE, DEAD, LEFT, ArrivalSpec, Censor, Kill, LinkSpec, Scenario, Setup, Swarm, scenario_files
from tui.screens.main import ON_DEMAND, PANEL_IDS, PARTS
from tui.screens.picker import Picker
from tui.session.panels import HUGE_H, HUGE_W, LAYOUTS, STANDARD, Layout
from tui.session.session import Session
from tui.textual_compat import ToastNotice
from tui.widgets.inspector import Inspector
from tui.widgets.swarm_view import SwarmView

pytestmark = pytest.mark.anyio


async def test_the_dashboard_shows_a_running_swarm_from_the_start() -> None:
    async with dashboard() as person:
        assert person.main.frames == 1, "none is drawn before there is room for it"
        assert "alive" in person.view.text
        await person.wait(1.0)
        assert person.session.swarm.now_us == pytest.approx(1_000_000, rel=0.01)


@pytest.mark.parametrize("size", [(60, 18), (120, 36), (200, 50)])
async def test_all_widgets_are_mounted_in_order_before_a_key_is_handled(size: tuple[int, int]) -> None:
    async with dashboard(size=size) as person:
        assert person.main.complete
        for place, names in PARTS.items():
            box = person.main.query_one(f"#{place}") if place else person.main
            ids = [child.id for child in box.children if child.id in names]
            assert ids == list(names)
        hidden = [name for name in ON_DEMAND if person.main.query_one(f"#{name}").display]
        assert not hidden


async def test_all_widgets_are_mounted_though_the_terminal_reads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.screens.main.unwritten", lambda app: 1)
    monkeypatch.setattr("tui.screens.main.REST_LOOKS", 3)
    async with dashboard() as person:
        for _ in range(20):
            if not person.main.complete:
                await person.wait(0.1)
        assert person.main.complete
        await person.press("a")
        assert person.main.ask_bar.has_class("-open")


async def test_a_terminal_that_grows_before_all_widgets_are_mounted_shows_what_it_has_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting = [1]
    monkeypatch.setattr("tui.screens.main.unwritten", lambda app: waiting[0])
    monkeypatch.setattr("tui.screens.main.REST_LOOKS", 10**9)
    both = Layout("Two tables.", {"peers": True, "kinds": True})
    monkeypatch.setitem(LAYOUTS, STANDARD, both)
    async with dashboard(size=(120, 36)) as person:
        assert person.main.panels.shown & {"peers", "kinds"} == {"kinds"}, "a place for one of the two"
        await person.pilot.resize_terminal(HUGE_W, HUGE_H)
        assert not person.main.complete
        waiting[0] = 0
        for _ in range(20):
            if not person.main.complete:
                await person.wait(0.1)
        await person.wait(0.5)
        assert person.main.panels.shown >= {"peers", "kinds"}
        for name in ON_DEMAND & set(PANEL_IDS):
            panel = person.main.query_one(f"#{name}")
            assert panel.has_class("-away") == (name not in person.main.panels.shown), name
        assert person.main.peers_table.region.area
        assert person.main.peers_table.row_count() == 24


async def test_an_arrow_selects_enter_inspects_and_escape_goes_back() -> None:
    async with dashboard() as person:
        await person.press("right")
        first = person.session.selection.selected
        assert first is not None
        await person.press("right")
        assert person.session.selection.selected != first
        await person.press("enter")
        assert isinstance(person.app.focused, Inspector)
        await person.press("escape")
        assert isinstance(person.app.focused, SwarmView)
        await person.press("escape")
        assert person.session.selection.selected is None


async def test_each_verb_is_undone_by_its_own_key() -> None:
    async with dashboard() as person:
        await person.press("right")
        peer = person.session.selection.selected
        assert peer is not None
        await person.press("x")
        assert person.state(peer) == DEAD
        await person.press("x")
        assert person.state(peer) == ALIVE
        await person.press("c")
        assert person.session.swarm.snapshot().censored[peer]
        await person.press("c")
        assert not person.session.swarm.snapshot().censored[peer]
        await person.press("l")
        assert person.state(peer) == LEFT
        await person.press("l")
        assert person.state(peer) == ALIVE


async def test_a_key_that_is_greyed_out_says_why() -> None:
    async with dashboard() as person:
        await person.press("x")
        assert "Select a peer first" in person.toasts
        assert not person.session.swarm.history
        await person.press("shift+left")
        assert "zoom in first" in person.toasts
        assert person.main.why_not(person.main.table["peer.kill"])
        await person.press("right")
        assert not person.main.why_not(person.main.table["peer.kill"])


async def test_an_ask_of_the_user_is_shown_in_slow_motion_and_then_the_speed_is_as_before() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("right", "a")
        await person.type("blue train")
        await person.press("enter")
        ask = person.session.swarm.asks()[-1]
        assert (ask.text, ask.by, ask.origin) == ("blue train", "person", person.session.selection.selected)
        assert person.session.selection.ask == ask.id
        assert person.session.player.pacer.slowed
        assert isinstance(person.app.focused, SwarmView)
        frame = person.view.frame
        assert frame is not None
        assert frame.ask == ask.id
        await person.wait(8.0, slices=200)
        assert not person.session.player.pacer.slowed
        assert person.session.player.pacer.speed == 1.0


async def test_slow_motion_can_be_switched_off() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("right", "s", "a")
        await person.type("blue")
        await person.press("enter")
        assert not person.session.player.pacer.slowed


async def test_in_slow_motion_a_message_takes_about_four_seconds() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("right", "a")
        await person.type("zebra")
        await person.press("enter")
        await person.wait(4.0, slices=200)
        reached = person.session.swarm.asks()[-1].reached
        assert reached >= 15
        await person.wait(0.5)
        assert person.session.swarm.now_us < 3_000_000


async def test_the_latest_ask_is_followed_until_one_is_chosen() -> None:
    async with dashboard(asks_per_s=5.0) as person:
        await person.press("s")
        await person.wait(3.0, slices=100)
        newest = person.session.swarm.asks()[-1].id
        assert person.session.selection.following
        assert person.session.selection.ask == newest
        person.session.selection.choose(1)
        await person.wait(2.0)
        assert person.session.selection.ask == 1
        await person.press("escape")
        assert person.session.selection.following


async def test_selectors_mark_peers_and_a_wrong_one_is_reported() -> None:
    async with dashboard() as person:
        await person.press("slash")
        await person.type("#3 or #5")
        assert "2 peers" in str(person.main.query_one("#filter-told").render())
        await person.press("enter")
        assert person.session.selection.marked == (3, 5)
        assert person.session.selection.selected == 3
        await person.press("slash")
        await person.type("statt=dead")
        await person.press("enter")
        # The filter line stays open and says why.
        assert "statt" in str(person.main.query_one("#filter-told").render())
        assert person.main.filter_bar.is_open
        assert person.session.selection.marked == (3, 5)
        await person.wait(0.5)
        assert person.session.player.pacer.playing


async def test_another_network_gets_the_same_peers() -> None:
    async with dashboard(asks_per_s=0.0) as person:
        await person.press("right")
        kept = person.session.selection.selected
        await person.wait(1.0)
        await person.press("p")
        assert isinstance(person.app.screen, Picker)
        await person.press("w", "enter")
        assert person.session.player.setup.protocol == "web"
        assert person.session.player.setup.seed == 7
        assert person.session.selection.selected == kept
        assert person.session.swarm.now_us < 500_000
        await person.wait(1.0)
        assert "■ server" in person.view.text


async def test_a_moment_that_flags_can_describe_is_copied_as_flags() -> None:
    async with dashboard(options={"ttl": 5}, asks_per_s=0.2) as person:
        await person.press("right", "y")
        flags = "--protocol gnutella --peers 24 --seed 7 --latency constant:50 --set ttl=5"
        assert person.app.clipboard == f"swarmtop {flags} --until {person.session.swarm.now_us / 1e6:.6f}"


async def test_lines_and_newcomers_have_flags_too() -> None:
    newcomers = ArrivalSpec("poisson:0.5")
    async with dashboard(asks_per_s=0.2, arrivals=newcomers, links=LinkSpec("saroiu", 12.5, 0.25)) as person:
        await person.press("right", "y")
        flags = "--arrivals poisson:0.5 --capacity saroiu --jitter 12.5 --nat 0.25 --until"
        assert flags in person.app.clipboard


async def test_a_moment_after_commands_is_reproduced_bit_for_bit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tui.session.reproduce.user_folder", lambda: tmp_path)
    async with dashboard(asks_per_s=2.0) as person:
        await person.press("right", "x")
        person.session.do(Kill("random 20%"))
        await person.wait(1.3)
        person.session.do(Censor("top 2 degree"))
        person.session.ask_for('a "title" \\ with all sorts', None)
        await person.wait(2.1)
        await person.press("y")
        word, path, flag, seconds = shlex.split(person.app.clipboard)
        assert (word, flag) == ("swarmtop", "--until")
        again = Swarm(scenario_files.load(Path(path)).setup)
        again.advance(round(float(seconds) * 1e6))
        assert again.now_us == person.session.swarm.now_us
        assert again.fingerprint() == person.session.swarm.fingerprint()


async def test_the_run_pauses_at_the_time_that_was_given() -> None:
    clock = Clock()
    session = Session(Scenario(), until=2.5, clock=clock)
    clock.now += 10
    session.frame(30)
    assert session.swarm.now_us == 2_500_000
    assert not session.player.pacer.playing
    assert session.report().to_json()["virtual_s"] == 2.5


async def test_the_run_pauses_when_all_asks_are_closed() -> None:
    clock = Clock()
    plain = Scenario(setup=Setup(asks_per_s=0.0, options={"download": False})).asking(["no such thing"])
    session = Session(plain, until="quiet", clock=clock)
    session.slow_motion.enabled = False
    for _ in range(100):
        clock.now += 0.05
        session.frame(30)
    assert not session.player.pacer.playing
    assert session.swarm.quiet()
    assert session.swarm.now_us < 4_000_000


async def test_a_toast_that_has_expired_before_it_is_made_is_shown_shortly_and_ends_no_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The process was stopped between the test for expiry and the toast, so Textual would set a timer of less than 0
    s."""
    wall_s = time.time
    monkeypatch.setattr(ToastNotice, "has_expired", False)
    monkeypatch.setattr("tui.textual_compat.TOAST_LEAST_S", 600.0)
    async with dashboard() as person:
        monkeypatch.setattr("textual.notifications.time", lambda: wall_s() + 60)
        person.app.notify("late", timeout=5)
        await person.pilot.pause()
        assert [toast._timeout for toast in person.main.query(Toast)] == [600.0]


def test_a_toast_expires_when_its_time_is_over() -> None:
    assert ToastNotice("old", raised_at=time.time() - 60, timeout=5).has_expired
    new = ToastNotice("new", timeout=50)
    assert not new.has_expired
    assert 40 < new.time_left <= 50
