"""Going back in time without a screen: a session goes back, does something else, undoes, and records."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from engine import Arrive, AskFor, InputError, Kill, Noted, Revive, Scenario, Setup, load_recording, replay
from engine.lab.scenario import load
from tui.session.session import Session

SECOND = 1_000_000


class Wall:
    """A wall clock, in s, that a test sets."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def opened(**kw: object) -> tuple[Session, Wall]:
    wall = Wall()
    session = Session(Scenario(setup=Setup(peers=24, seed=3, asks_per_s=1.0)), clock=wall, **kw)  # type: ignore[arg-type]
    session.slow_motion.enabled = False
    return session, wall


def play(session: Session, wall: Wall, to_us: int) -> None:
    while session.swarm.now_us < to_us:
        wall.s += 0.04
        session.frame(20)


def settle(session: Session) -> None:
    """Go on until the present seek has ended."""
    while session.frame(20).seeking is not None or session.player.pacer._job is not None:
        pass


def test_a_moment_is_shown_as_it_was_and_time_goes_on_from_there() -> None:
    session, wall = opened()
    play(session, wall, 3 * SECOND)
    session.player.pacer.pause()
    then, was = session.swarm.now_us, session.frame(20)
    session.player.pacer.play()
    play(session, wall, 8 * SECOND)
    assert session.frame(20).live
    session.player.seek_to(then)
    settle(session)
    back = session.frame(20)
    assert (back.snapshot.now_us, back.snapshot.totals, back.live) == (then, was.snapshot.totals, False)
    assert back.end_us >= 8 * SECOND
    assert back.jumps == 1
    assert len(back.snapshot.series.t_s) == len(was.snapshot.series.t_s), "charts follow the cursor"
    assert session.player.pacer.playing
    play(session, wall, back.end_us + SECOND)
    assert session.player.at_end
    session.stop()


def test_after_a_seek_the_feed_has_the_events_before_it() -> None:
    session, wall = opened()
    play(session, wall, 6 * SECOND)
    session.player.seek_to(3 * SECOND)
    session.player.pacer.pause()
    settle(session)
    session.player.seek_to(2 * SECOND)
    session.player.pacer.finish_job()
    events = [event for event in session.frame(20).events if not isinstance(event, Noted)]
    assert events
    assert all(event.at_us <= 2 * SECOND for event in events)
    session.stop()


def test_what_is_done_in_the_past_starts_a_new_branch_and_says_so() -> None:
    session, wall = opened()
    play(session, wall, 5 * SECOND)
    session.do(Kill("#3"))
    play(session, wall, 7 * SECOND)
    assert "A new branch" not in session.frame(20).notice
    session.player.seek_to(2 * SECOND)
    session.do(Kill("#4"))
    frame = session.frame(20)
    assert "A new branch starts at 2.00 s" in frame.notice
    assert frame.live
    assert [mark.text for mark in frame.marks if mark.by == "person"] == ["kill #4"]
    assert session.swarm.peer(3) is not None
    session.stop()


def test_a_seek_is_cancelled_by_another_one() -> None:
    session, wall = opened()
    play(session, wall, 5 * SECOND)
    for to_us in (1 * SECOND, 4 * SECOND, 2 * SECOND):
        session.player.seek_to(to_us)
    session.player.pacer.pause()
    settle(session)
    session.player.pacer.finish_job()
    assert (session.frame(20).jumps, session.swarm.now_us) == (1, 2 * SECOND)
    session.stop()


def test_undo_takes_back_the_last_thing_a_person_did() -> None:
    session, wall = opened()
    play(session, wall, 2 * SECOND)
    session.do(Kill("#3"))
    play(session, wall, 3 * SECOND)
    session.do(Kill("#5"))
    play(session, wall, 4 * SECOND)
    session.player.pacer.pause()
    session.player.undo()
    settle(session)
    assert "Undone: kill" in session.frame(20).notice
    assert (session.swarm.peer(3), session.swarm.peer(5) is not None) == (None, True)
    assert session.player.at_end
    session.player.undo()
    settle(session)
    assert session.swarm.peer(3) is not None
    session.player.undo()
    assert "nothing to undo" in session.frame(20).notice
    session.stop()


def test_steps_go_forward_and_back() -> None:
    session, wall = opened()
    play(session, wall, 3 * SECOND)
    session.player.step_by(-SECOND)
    settle(session)
    at_us = session.swarm.now_us
    assert not session.player.at_end
    assert not session.player.pacer.playing
    session.player.step_by(SECOND // 2)
    settle(session)
    assert session.swarm.now_us == at_us + SECOND // 2
    session.player.go_live()
    settle(session)
    assert session.player.at_end
    session.player.step_by(100_000)
    wall.s += 1
    session.frame(20)
    assert session.swarm.now_us > at_us + SECOND
    session.stop()


def test_an_ask_after_the_cursor_is_not_shown() -> None:
    session, wall = opened()
    play(session, wall, 3 * SECOND)
    session.do(AskFor("#2", "the"))
    assert session.frame(20).ask is not None
    session.player.seek_to(0)
    session.player.pacer.pause()
    settle(session)
    assert session.frame(20).ask is None
    session.stop()


def test_the_line_that_reproduces_a_moment_has_what_was_done_up_to_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.session.reproduce.user_folder", lambda: tmp_path)
    session, wall = opened()
    play(session, wall, 2 * SECOND)
    session.do(Kill("#3"))
    play(session, wall, 4 * SECOND)
    session.do(Revive("#3"))
    session.player.seek_to(3 * SECOND)
    session.player.pacer.pause()
    settle(session)
    session.command_line()
    text = next(tmp_path.glob("*.toml")).read_text()
    assert 'do = "kill"' in text
    assert 'do = "revive"' not in text
    session.stop()


def test_a_run_is_recorded_from_the_screen_and_opened_again(tmp_path: Path) -> None:
    path = str(tmp_path / "run.swarm")
    session, wall = opened()
    play(session, wall, 2 * SECOND)
    session.do(Kill("random 3"))
    assert session.player.record(path)
    assert session.frame(20).recording == path
    play(session, wall, 4 * SECOND)
    session.do(Kill("#3"))
    session.player.seek_to(3 * SECOND)
    session.do(Revive("random 1"))
    play(session, wall, 5 * SECOND)
    session.player.stop_recording()
    end_us, prints = session.player.end_us, session.swarm.fingerprint()
    assert not session.frame(20).recording
    session.stop()
    again = replay(path)
    assert (again.diverged, again.report.fingerprint) == ("", prints)
    scenario, recording = load_recording(path)
    shown = Session(scenario, clock=wall, recording=recording)
    play(shown, wall, end_us)
    wall.s += 1
    frame = shown.frame(20)
    assert shown.swarm.fingerprint() == prints
    assert not frame.playing, "it stops where the recording ends"
    assert len([mark for mark in frame.marks if mark.by == "person"]) == 2
    shown.stop()


def test_a_recording_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    session, _ = opened()
    assert not session.player.record(str(tmp_path / "no" / "run.swarm"))
    assert "cannot be written" in session.frame(20).notice
    with pytest.raises(InputError):
        session.player.begin_recording(str(tmp_path))
    session.stop()


def test_another_network_is_another_run_with_a_past_of_its_own() -> None:
    session, wall = opened()
    play(session, wall, 2 * SECOND)
    session.restart("gossip")
    assert session.frame(20).end_us < SECOND
    assert session.player.at_end
    play(session, wall, SECOND)
    session.player.seek_to(0)
    settle(session)
    assert session.swarm.snapshot().fixed.protocol == "gossip"
    session.stop()


def test_another_network_ends_a_recording_and_says_where_it_is(tmp_path: Path) -> None:
    session, wall = opened()
    path = str(tmp_path / "run.swarm")
    session.player.record(path)
    play(session, wall, 2 * SECOND)
    session.restart("gossip")
    assert f"swarmtop replay {path}" in session.frame(20).notice
    assert not replay(path).diverged
    session.stop()


def test_where_all_users_are_down_an_ask_is_refused_with_the_reason() -> None:
    session, wall = opened()
    play(session, wall, SECOND)
    session.do(Kill("state=alive"))
    before = session.swarm.snapshot().asks_total
    session.ask_for("blue train", None)
    assert session.frame(20).notice == "No peer is alive, so none can ask"
    assert session.swarm.snapshot().asks_total == before
    session.stop()


def test_the_command_line_of_a_run_has_all_commands_wherever_the_cursor_is(tmp_path: Path) -> None:
    session, wall = opened()
    play(session, wall, SECOND)
    session.do(Kill("#3"))
    play(session, wall, 2 * SECOND)
    session.player.seek_to(0)
    settle(session)
    words = shlex.split(session.command_line_of_all())
    [(at_us, command)] = load(Path(words[1])).setup.schedule
    assert command == Kill("#3")
    assert SECOND <= at_us < 2 * SECOND
    assert float(words[-1]) >= 2
    session.stop()


def test_a_filter_that_names_a_peer_that_does_not_exist_yet_is_empty_after_a_seek() -> None:
    session, wall = opened()
    play(session, wall, SECOND)
    session.do(Arrive(1))
    play(session, wall, 2 * SECOND)
    assert session.selection.apply_filter("#24")
    session.selection.select(24)
    assert session.frame(20).filtered == (24,)
    session.player.seek_to(0)
    settle(session)
    frame = session.frame(20)
    assert (frame.filtered, frame.selected) == ((), None)
    session.player.go_live()
    settle(session)
    assert session.frame(20).filtered == (24,)
    session.stop()


def test_the_user_waits_while_an_own_ask_is_open_and_it_is_the_chosen_one() -> None:
    session, wall = opened()
    play(session, wall, SECOND)
    session.ask_for("blue train", (3, 5))
    own = [ask.id for ask in session.swarm.asks() if ask.by == "person"]
    frame = session.frame(20)
    assert (frame.ask, frame.followed, session.watched) == (own[0], False, True)
    while any(session.swarm.record(ask).closed_us is None for ask in own):
        assert session.watched
        play(session, wall, session.swarm.now_us + SECOND)
    session.frame(20)
    assert not session.watched
    session.stop()
