"""The timeline: going back and forth in a run with keys and mouse."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from person import Clock, Person, dashboard
from textual import events
from textual.widgets import Static

from engine import AskFor, Censor, Kill, Revive, load_recording
from tui.actions.table import key_table
from tui.cli.main import main
from tui.session.session import Session
from tui.widgets.asks_table import AsksTable
from tui.widgets.charts import Chart
from tui.widgets.feed import Feed
from tui.widgets.inspector import Inspector
from tui.widgets.timeline import Timeline, cell_at, layout

pytestmark = pytest.mark.anyio

SECOND = 1_000_000


async def settle(person: Person) -> None:
    """Finish the present seek, and show it."""
    person.session.player.pacer.finish_job()
    person.main.at_once()
    await person.pilot.pause()


async def run_to(person: Person, at_us: int) -> None:
    """Run to that moment in slices, and draw a frame."""
    while (left_us := at_us - person.session.swarm.now_us) > 0:
        halves = math.ceil(2 * left_us / SECOND)
        await person.wait(halves / 2, slices=20 * halves)


def line(person: Person) -> Timeline:
    return person.main.query_one(Timeline)


def column(person: Person, at_us: int) -> int:
    begin, length = layout(line(person).size.width)
    return begin + cell_at(at_us, person.session.player.end_us, length)


async def test_keys_go_back_and_forth() -> None:
    async with dashboard() as person:
        await run_to(person, 15 * SECOND)
        await person.press("space")
        end_us = person.session.player.end_us
        for keys, at_us in (
            (("pageup",), end_us - SECOND),
            (("pageup", "pageup"), end_us - 3 * SECOND),
            (("shift+pageup",), end_us - 13 * SECOND),
            (("pagedown",), end_us - 12 * SECOND),
            (("ctrl+pagedown",), end_us - 2 * SECOND),
            (("semicolon",), end_us - 2 * SECOND - 10_000),
            (("colon", "colon"), end_us - 2 * SECOND - 210_000),
            (("home",), 0),
            (("end",), end_us),
        ):
            await person.press(*keys)
            await settle(person)
            assert person.session.swarm.now_us == at_us, keys
        assert person.session.player.at_end
        assert "live" in line(person).text


async def test_time_goes_on_through_the_past_and_then_it_is_live_again() -> None:
    async with dashboard() as person:
        await run_to(person, 4 * SECOND)
        await person.press("pageup")
        await settle(person)
        view = person.view
        assert person.session.player.pacer.playing
        assert "In the past, 1.0 s before the end" in str(person.main.query_one("#notice", Static).render())
        assert "end: back to the live end" in str(person.main.query_one("#notice", Static).render())
        assert view.has_class("-past")
        person.clock.now += 0.3
        person.main.at_once()
        assert "in the past" in str(view.border_title)
        await person.press("d")
        assert "in the past" in str(person.main.picture.border_title)
        assert person.main.picture.has_class("-past")
        await run_to(person, person.session.player.end_us + SECOND // 2)
        person.clock.now += 1
        person.main.at_once()
        assert person.session.player.at_end
        assert not view.has_class("-past")
        assert "in the past" not in str(person.main.picture.border_title)


async def test_keys_that_are_not_possible_say_why() -> None:
    async with dashboard() as person:
        await person.press("space")
        for key, said in (
            ("end", "This is the end"),
            ("pagedown", "This is the end"),
            ("z", "nothing to undo"),
            ("left_curly_bracket", "Nothing was done before"),
            ("right_curly_bracket", "Nothing was done after"),
        ):
            await person.press(key)
            assert said in person.toasts, key
            person.app.clear_notifications()
        await run_to(person, 0)
        await person.press("home")
        await settle(person)
        for key in ("home", "pageup", "semicolon"):
            await person.press(key)
            assert "beginning of the run" in person.toasts, key
            person.app.clear_notifications()


async def test_undo_and_marks() -> None:
    async with dashboard() as person:
        await run_to(person, 2 * SECOND)
        person.session.do(Kill("#3"))
        killed_us = person.session.swarm.now_us
        await run_to(person, 4 * SECOND)
        await person.press("space", "left_curly_bracket")
        await settle(person)
        assert person.session.swarm.now_us == killed_us
        await person.press("end")
        await settle(person)
        await person.press("z")
        await settle(person)
        assert (person.session.swarm.now_us, person.state(3)) == (killed_us, 0)
        assert person.session.player.at_end
        assert "Undone: kill" in str(person.main.query_one("#notice", Static).render())


async def test_a_click_goes_there_and_a_drag_scrubs() -> None:
    async with dashboard() as person:
        await run_to(person, 8 * SECOND)
        bar, end_us = line(person), person.session.player.end_us
        begin, length = layout(bar.size.width)
        await person.pilot.click(bar, offset=(begin + length // 2, 0))
        await settle(person)
        assert person.session.swarm.now_us == bar.track.time_at(length // 2, end_us, length)
        assert person.session.player.pacer.playing, "a click leaves time as it was"
        await person.press("space")
        await person.pilot.mouse_down(bar, offset=(begin + 10, 0))
        for x in (begin + 20, begin + 30, begin + 12):
            bar.post_message(events.MouseMove(bar, x, 0, x - 1, 0, 1, False, False, False, x, bar.region.y))
            await person.pilot.pause()
        assert "◎" in bar.text or person.session.player.seek_target_us is None
        await settle(person)
        assert person.session.swarm.now_us == bar.track.time_at(12, end_us, length)
        await person.pilot.mouse_up(bar, offset=(begin + length - 1, 0))
        await settle(person)
        assert not person.session.player.pacer.playing
        await person.pilot.click(bar, offset=(begin + length + 3, 0))
        await settle(person)
        assert person.session.player.at_end


async def test_of_several_seeks_that_are_asked_for_during_one_the_last_is_done() -> None:
    async with dashboard() as person:
        await run_to(person, 8 * SECOND)
        await person.press("space")
        jumps = person.session.player.jumps
        for at_us in (5 * SECOND, 1 * SECOND, 4 * SECOND, 2 * SECOND):
            person.session.player.scrub_to(at_us)
        await settle(person)
        assert person.session.swarm.now_us == 2 * SECOND
        assert person.session.player.jumps == jumps + 2, "the first and the last"


async def test_the_wheel_steps_and_the_pointer_tells() -> None:
    async with dashboard() as person:
        await run_to(person, 3 * SECOND)
        person.session.do(Kill("#3"))
        killed_us = person.session.swarm.now_us
        await run_to(person, 6 * SECOND)
        bar, end_us = line(person), person.session.player.end_us
        x = column(person, killed_us)

        def wheel(kind: type[events.MouseScrollUp], ctrl: bool = False) -> None:
            bar.post_message(kind(bar, x, 0, 0, -1, 0, False, False, ctrl, x, bar.region.y))

        wheel(events.MouseScrollUp)
        await person.pilot.pause()
        await settle(person)
        assert person.session.swarm.now_us == end_us - 100_000
        wheel(events.MouseScrollUp, ctrl=True)
        await person.pilot.pause()
        await settle(person)
        assert person.session.swarm.now_us == end_us - 1_100_000
        wheel(events.MouseScrollDown)  # type: ignore[arg-type]
        await person.pilot.pause()
        await settle(person)
        assert person.session.swarm.now_us == end_us - 1_000_000
        await person.pilot.hover(bar, offset=(column(person, killed_us), 0))
        assert "kill #3" in str(bar.tooltip)


async def test_nothing_is_drawn_where_nothing_changes() -> None:
    async with dashboard() as person:
        await run_to(person, 2 * SECOND)
        await person.press("space")
        bar = line(person)
        drawn = bar.changes
        for _ in range(5):
            person.clock.now += 30.0
            person.main.at_once()
        assert bar.changes == drawn


async def test_all_panels_follow_the_cursor() -> None:
    async with dashboard(asks_per_s=2.0, size=(200, 50)) as person:
        await run_to(person, 4 * SECOND)
        person.session.selection.select(5)
        person.session.do(Kill("#3"))
        await run_to(person, 6 * SECOND)
        person.session.do(Censor("#5"))
        person.session.do(AskFor("#2", "the"))
        await run_to(person, 9 * SECOND)
        await person.press("space", "home")
        await settle(person)
        person.session.player.seek_to(3 * SECOND)
        await settle(person)
        cursor_us, frame = person.session.swarm.now_us, person.view.frame
        assert frame is not None
        assert cursor_us == 3 * SECOND
        assert person.state(3) == 0, "who was killed later is alive"
        assert not frame.snapshot.censored[5]
        chart = person.main.query(Chart).first()
        assert chart._t_s[-1] * SECOND <= cursor_us
        table = person.main.query_one(AsksTable)
        assert 0 < table.row_count() == len(frame.snapshot.asks)
        assert all(row.issued_us <= cursor_us for row in frame.snapshot.asks)
        feed = person.main.query_one(Feed)
        assert feed.row_count() > 0
        assert all(event.at_us <= cursor_us for event in feed._lines)
        assert not person.view._echoes, "what is told again is not echoed"
        assert frame.selected == 5
        assert frame.facts is not None
        assert frame.facts.peer == 5
        assert person.main.query_one(Inspector).display
        assert frame.ask == frame.snapshot.asks[-1].id, "the latest ask by then is followed"


async def test_a_peer_that_has_not_joined_yet_is_not_selected() -> None:
    async with dashboard(churn="exponential:20", size=(200, 50)) as person:
        from engine import Arrive

        await run_to(person, 2 * SECOND)
        before = len(person.session.swarm.labels)
        person.session.do(Arrive(6))
        await run_to(person, 4 * SECOND)
        newest = len(person.session.swarm.labels) - 1
        assert newest >= before
        person.session.selection.select(newest)
        person.session.selection.mark_peers((2, newest))
        await person.press("7", "space")
        await run_to(person, 0)
        await person.press("home")
        await settle(person)
        assert person.session.selection.selected != newest
        assert newest not in person.session.selection.marked
        for key in ("b", "b", "g", "g", "d", "d", "8"):
            await person.press(key)
        await person.press("end")
        await settle(person)
        assert len(person.session.swarm.labels) == newest + 1


async def test_a_fork_is_reported() -> None:
    async with dashboard() as person:
        await run_to(person, 4 * SECOND)
        await person.press("space", "pageup", "pageup")
        await settle(person)
        person.main.carry_out(Kill("#3"))
        await settle(person)
        told = str(person.main.query_one("#notice", Static).render())
        assert "p003 killed. A new branch starts" in told
        assert person.session.player.at_end
        assert "live" in line(person).text


async def test_a_run_recorded_from_the_screen_replays_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    async with dashboard(asks_per_s=1.0) as person:
        await run_to(person, 2 * SECOND)
        person.session.do(Kill("random 3"))
        await person.press("r")
        assert "● rec" in line(person).text
        await run_to(person, 5 * SECOND)
        await person.press("pageup", "pageup")
        await settle(person)
        person.session.do(Revive("random 1"))
        await run_to(person, 6 * SECOND)
        await person.press("space", "r")
        said = str(person.main.query_one("#notice", Static).render())
        assert "swarmtop replay swarmtop-gnutella-7-001.swarm" in said
        assert "○ rec" in line(person).text
        print_ = person.session.swarm.fingerprint()
        await person.press("r", "r")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "swarmtop-gnutella-7-001.swarm",
        "swarmtop-gnutella-7-002.swarm",
    ]
    assert main(["replay", "swarmtop-gnutella-7-001.swarm", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["fingerprint"] == print_
    scenario, recording = load_recording("swarmtop-gnutella-7-001.swarm")
    shown = Session(scenario, recording=recording)
    frame = shown.frame(20)
    assert (frame.live, frame.end_us) == (False, recording.end_us)
    assert [mark.text.partition(" ")[0] for mark in frame.marks if mark.by == "person"] == ["kill", "revive"]
    assert shown.player.replaying
    shown.player.seek_to(recording.end_us)
    shown.player.pacer.finish_job()
    assert shown.swarm.fingerprint() == print_
    asked = [mark for mark in shown.player.marks if mark.by == "background"]
    assert len(asked) == len(shown.swarm.asks()), "what lies on the way of a seek is marked too"
    shown.stop()


async def test_in_the_smallest_terminal_the_picture_has_its_line_and_keys_go_back_all_the_same() -> None:
    async with dashboard(size=(60, 18)) as person:
        assert not line(person).display
        await run_to(person, 3 * SECOND)
        await person.press("home")
        await settle(person)
        assert not person.session.player.at_end


async def test_the_timeline_is_above_the_keys_at_every_size() -> None:
    async with dashboard() as person:
        for size in ((60, 20), (80, 24), (120, 36), (200, 50)):
            await person.pilot.resize_terminal(*size)
            bar, keys = line(person), person.main.query_one("#keys")
            assert (bar.region.height, bar.region.bottom) == (1, keys.region.y), size
            await person.press("f")
            assert bar.region.bottom == keys.region.y, size
            await person.press("f")


async def test_without_utf8_the_timeline_is_ascii() -> None:
    async with dashboard(glyphs="ascii") as person:
        await run_to(person, 2 * SECOND)
        person.session.do(Kill("#3"))
        await run_to(person, 3 * SECOND)
        assert line(person).render_line(0).text.isascii()


def test_the_keys_are_shown() -> None:
    told = dict(key_table())
    assert {"z", "r", "home", "end", "pgup", "pgdn", "{", "}", ";", ":"} <= {
        word for keys in told for word in keys.split()
    }


@pytest.mark.parametrize("key", ["home", "z", "pageup"])
async def test_what_is_drawn_while_a_slow_machine_goes_back_is_one_swarm(key: str) -> None:
    """No picture has the swarm of a moment before the chosen ask together with that ask."""
    async with dashboard() as person:
        await run_to(person, 2 * SECOND)
        await person.press("a", "enter")
        await run_to(person, 5 * SECOND)
        assert person.session.selection.ask is not None
        await person.press("space")
        jumps = person.session.player.jumps
        person.session.player.pacer._clock = slow(person.clock)
        await person.press(*[key] * (4 if key == "pageup" else 1))
        while person.session.player.seek_target_us is not None:
            person.session.player.pacer.slice()
            person.main.at_once()
        await person.pilot.pause()
        assert person.session.player.jumps > jumps
        assert (person.session.selection.ask or 0) <= len(person.session.swarm.asks())


def slow(clock: Clock) -> Callable[[], float]:
    """A clock on which every call takes longer than a slice of a job may."""

    def tell() -> float:
        clock.now += 0.03
        return clock.now

    return tell
