"""Time travel on screen, without one: the driver goes back, does otherwise, undoes, records."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from engine import AskFor, InputError, Kill, Noted, Revive, Scenario, Setup, load_recording, replay
from engine.lab.scenario import load
from tui.session.session import Driver

SECOND = 1_000_000


class Wall:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def opened(**kw: object) -> tuple[Driver, Wall]:
    wall = Wall()
    driver = Driver(Scenario(setup=Setup(peers=24, seed=3, asks_per_s=1.0)), clock=wall, **kw)  # type: ignore[arg-type]
    driver.slow_on_ask = False
    return driver, wall


def play(driver: Driver, wall: Wall, to_us: int) -> None:
    while driver.swarm.now_us < to_us:
        wall.s += 0.04
        driver.frame(20)


def settle(driver: Driver) -> None:
    """Until the seek that is under way is over."""
    while driver.frame(20).seeking is not None or driver.live._job is not None:
        pass


def test_a_moment_is_shown_as_it_was_and_time_goes_on_from_there() -> None:
    driver, wall = opened()
    play(driver, wall, 3 * SECOND)
    driver.live.pause()
    then, was = driver.swarm.now_us, driver.frame(20)
    driver.live.play()
    play(driver, wall, 8 * SECOND)
    assert driver.frame(20).live
    driver.seek_to(then)
    settle(driver)
    back = driver.frame(20)
    assert (back.snapshot.now_us, back.snapshot.totals, back.live) == (then, was.snapshot.totals, False)
    assert back.end_us >= 8 * SECOND
    assert back.jumps == 1
    assert len(back.snapshot.series.t_s) == len(was.snapshot.series.t_s), "charts follow the cursor"
    assert driver.live.playing
    play(driver, wall, back.end_us + SECOND)
    assert driver.at_end
    driver.stop()


def test_after_a_jump_the_feed_is_told_again_what_was_before() -> None:
    driver, wall = opened()
    play(driver, wall, 6 * SECOND)
    driver.seek_to(3 * SECOND)
    driver.live.pause()
    settle(driver)
    driver.seek_to(2 * SECOND)
    driver.live.finish_job()
    events = [event for event in driver.frame(20).events if not isinstance(event, Noted)]
    assert events
    assert all(event.at_us <= 2 * SECOND for event in events)
    driver.stop()


def test_what_is_done_in_the_past_begins_another_future_and_says_so() -> None:
    driver, wall = opened()
    play(driver, wall, 5 * SECOND)
    driver.do(Kill("#3"))
    play(driver, wall, 7 * SECOND)
    assert "Another future" not in driver.frame(20).notice
    driver.seek_to(2 * SECOND)
    driver.do(Kill("#4"))
    frame = driver.frame(20)
    assert "Another future begins at 2.00 s" in frame.notice
    assert frame.live
    assert [mark.text for mark in frame.marks if mark.by == "person"] == ["kill #4"]
    assert driver.swarm.peer(3) is not None
    driver.stop()


def test_a_seek_that_is_overtaken_by_another_is_given_up() -> None:
    driver, wall = opened()
    play(driver, wall, 5 * SECOND)
    for to_us in (1 * SECOND, 4 * SECOND, 2 * SECOND):
        driver.seek_to(to_us)
    driver.live.pause()
    settle(driver)
    driver.live.finish_job()
    assert driver.frame(20).jumps == 1 or driver.swarm.now_us == 2 * SECOND
    driver.stop()


def test_undo_takes_back_the_last_thing_a_person_did() -> None:
    driver, wall = opened()
    play(driver, wall, 2 * SECOND)
    driver.do(Kill("#3"))
    play(driver, wall, 3 * SECOND)
    driver.do(Kill("#5"))
    play(driver, wall, 4 * SECOND)
    driver.live.pause()
    driver.undo()
    settle(driver)
    assert "Undone: kill" in driver.frame(20).notice
    assert (driver.swarm.peer(3), driver.swarm.peer(5) is not None) == (None, True)
    assert driver.at_end
    driver.undo()
    settle(driver)
    assert driver.swarm.peer(3) is not None
    driver.undo()
    assert "nothing to undo" in driver.frame(20).notice
    driver.stop()


def test_steps_go_either_way() -> None:
    driver, wall = opened()
    play(driver, wall, 3 * SECOND)
    driver.step_by(-SECOND)
    settle(driver)
    at_us = driver.swarm.now_us
    assert not driver.at_end
    assert not driver.live.playing
    driver.step_by(SECOND // 2)
    settle(driver)
    assert driver.swarm.now_us == at_us + SECOND // 2
    driver.go_live()
    settle(driver)
    assert driver.at_end
    driver.step_by(100_000)
    wall.s += 1
    driver.frame(20)
    assert driver.swarm.now_us > at_us + SECOND
    driver.stop()


def test_an_ask_that_is_not_yet_is_not_shown() -> None:
    driver, wall = opened()
    play(driver, wall, 3 * SECOND)
    driver.do(AskFor("#2", "the"))
    assert driver.frame(20).ask is not None
    driver.seek_to(0)
    driver.live.pause()
    settle(driver)
    assert driver.frame(20).ask is None
    driver.stop()


def test_the_line_that_reproduces_a_moment_has_what_was_done_up_to_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.session.reproduce.user_folder", lambda: tmp_path)
    driver, wall = opened()
    play(driver, wall, 2 * SECOND)
    driver.do(Kill("#3"))
    play(driver, wall, 4 * SECOND)
    driver.do(Revive("#3"))
    driver.seek_to(3 * SECOND)
    driver.live.pause()
    settle(driver)
    driver.command_line()
    text = next(tmp_path.glob("*.toml")).read_text()
    assert 'do = "kill"' in text
    assert 'do = "revive"' not in text
    driver.stop()


def test_a_run_is_recorded_from_the_screen_and_opened_again(tmp_path: Path) -> None:
    path = str(tmp_path / "run.swarm")
    driver, wall = opened()
    play(driver, wall, 2 * SECOND)
    driver.do(Kill("random 3"))
    assert driver.record(path)
    assert driver.frame(20).recording == path
    play(driver, wall, 4 * SECOND)
    driver.do(Kill("#3"))
    driver.seek_to(3 * SECOND)
    driver.do(Revive("random 1"))
    play(driver, wall, 5 * SECOND)
    driver.stop_recording()
    end_us, prints = driver.end_us, driver.swarm.fingerprint()
    assert not driver.frame(20).recording
    driver.stop()
    again = replay(path)
    assert (again.diverged, again.report.fingerprint) == ("", prints)
    scenario, recording = load_recording(path)
    shown = Driver(scenario, clock=wall, recording=recording)
    play(shown, wall, end_us)
    wall.s += 1
    frame = shown.frame(20)
    assert shown.swarm.fingerprint() == prints
    assert not frame.playing, "it stops where the recording ends"
    assert len([mark for mark in frame.marks if mark.by == "person"]) == 2
    shown.stop()


def test_a_recording_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    driver, _ = opened()
    assert not driver.record(str(tmp_path / "no" / "run.swarm"))
    assert "cannot be written" in driver.frame(20).notice
    with pytest.raises(InputError):
        driver.begin_recording(str(tmp_path))
    driver.stop()


def test_another_network_is_another_run_with_a_past_of_its_own() -> None:
    driver, wall = opened()
    play(driver, wall, 2 * SECOND)
    driver.restart("gossip")
    assert driver.frame(20).end_us < SECOND
    assert driver.at_end
    play(driver, wall, SECOND)
    driver.seek_to(0)
    settle(driver)
    assert driver.swarm.snapshot().fixed.protocol == "gossip"
    driver.stop()


def test_another_network_ends_a_recording_and_says_where_it_is(tmp_path: Path) -> None:
    driver, wall = opened()
    path = str(tmp_path / "run.swarm")
    driver.record(path)
    play(driver, wall, 2 * SECOND)
    driver.restart("gossip")
    assert f"swarmtop replay {path}" in driver.frame(20).notice
    assert not replay(path).diverged
    driver.stop()


def test_where_nobody_is_up_nobody_asks_and_that_is_said() -> None:
    driver, wall = opened()
    play(driver, wall, SECOND)
    driver.do(Kill("state=alive"))
    before = driver.swarm.snapshot().asks_total
    driver.ask_for("blue train", None)
    assert driver.frame(20).notice == "Nobody is up, so nobody can ask"
    assert driver.swarm.snapshot().asks_total == before
    driver.stop()


def test_the_way_to_the_end_of_a_run_names_all_deeds_wherever_the_cursor_is(tmp_path: Path) -> None:
    driver, wall = opened()
    play(driver, wall, SECOND)
    driver.do(Kill("#3"))
    play(driver, wall, 2 * SECOND)
    driver.seek_to(0)
    settle(driver)
    words = shlex.split(driver.command_line_of_all())
    [(at_us, deed)] = load(Path(words[1])).setup.schedule
    assert deed == Kill("#3")
    assert SECOND <= at_us < 2 * SECOND
    assert float(words[-1]) >= 2
    driver.stop()
