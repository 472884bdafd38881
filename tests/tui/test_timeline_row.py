"""The line of a timeline: what is drawn of a run."""

from __future__ import annotations

from dataclasses import replace

import frames
import numpy as np
import pytest

from engine import Mark
from tui.session.frame import Frame
from tui.widgets.text import width_of
from tui.widgets.timeline import Track, cell_at, layout, seconds, timeline_row, tooltip_of

SECOND = 1_000_000
MARKS = (
    Mark(2 * SECOND, "ask", "blue train", "background"),
    Mark(10 * SECOND, "ask", "ask #3 night owl", "person"),
    Mark(20 * SECOND, "kill", "kill #7", "person"),
    Mark(20 * SECOND, "command", "set loss", "person"),
    Mark(25 * SECOND, "kill", "churn", "churn"),
    Mark(30 * SECOND, "command", "censor #1", "scenario"),
    Mark(35 * SECOND, "command", "set churn", "person"),
    Mark(38 * SECOND, "alarm", "p001 failed", ""),
)


def past(now_s: float = 15.0, **changes: object) -> Frame:
    """A moment of a run of 40 s that has marks."""
    values: dict[str, object] = {"live": now_s >= 40, "end_us": 40 * SECOND, "marks": MARKS, "playing": False}
    snap = frames.snapshot(now_us=round(now_s * SECOND))
    return frames.frame(snap=snap, **(values | changes))  # type: ignore[arg-type]


def text(frame: Frame, width: int = 120, **kw: object) -> str:
    return "".join(part for part, _ in timeline_row(frame, Track(), width, **kw))  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [60, 80, 99, 100, 120, 200])
@pytest.mark.parametrize("now_s", [0.0, 15.0, 40.0])
def test_the_timeline_fills_any_width_and_the_track_keeps_its_place(width: int, now_s: float) -> None:
    begin, length = layout(width)
    for changes in ({}, {"recording": "x.swarm"}, {"seeking": 0.42}, {"seek_target_us": 9 * SECOND}, {"playing": True}):
        row = timeline_row(past(now_s, **changes), Track(), width)
        line = "".join(part for part, _ in row)
        assert width_of(row) == width
        assert (line[begin - 1], line[begin + length]) == ("├", "┤")


def test_each_kind_of_mark_has_a_shape_and_churn_has_none() -> None:
    begin, length = layout(120)
    line = text(past())[begin : begin + length]
    shapes = [line[cell_at(s * SECOND, 40 * SECOND, length)] for s in (2, 10, 20, 30, 35, 38)]
    assert len(set(shapes)) == len(shapes)
    assert shapes[2] == "✕", "a kill weighs more than a command in the same cell"
    assert line[cell_at(25 * SECOND, 40 * SECOND, length)] == "─"


def test_a_mark_has_the_colour_of_its_state_and_is_quieter_in_the_future() -> None:
    inks = dict(timeline_row(past(), Track(), 120))
    assert inks["✕"] == "dead"
    assert inks["⊘"] == "censored"
    assert inks["◈"] == "question bold"


def test_the_timeline_shows_the_present_moment() -> None:
    assert "00:15.0" in text(past())
    assert "-25.0 s · end: live" in text(past())
    assert "F9: live" in text(past(), live_key="F9")
    assert text(past(), 80).endswith("┤ -25.0 s  ")
    assert text(past(40)).rstrip().endswith("‖┤ live")
    assert "▶┤ live" in text(past(40, playing=True))
    assert "seeking  42%" in text(past(seeking=0.42))
    assert "○ rec" in text(past())
    assert "● rec" in text(past(recording="x.swarm"))
    assert text(past(recording="x.swarm"), 80).startswith("●")


def test_the_target_of_a_drag_or_seek_is_shown_beside_the_cursor() -> None:
    begin, length = layout(120)
    for line in (text(past(), held_us=5 * SECOND), text(past(seek_target_us=5 * SECOND))):
        track = line[begin : begin + length]
        assert track[cell_at(5 * SECOND, 40 * SECOND, length)] == "◎"
        assert track[cell_at(15 * SECOND, 40 * SECOND, length)] == "‖"
        assert "00:05.0" in line


def test_a_cell_with_a_mark_stands_for_the_moment_of_the_mark() -> None:
    track = Track()
    track.take(MARKS)
    _, length = layout(120)
    cell = cell_at(20 * SECOND, 40 * SECOND, length)
    assert track.time_at(cell, 40 * SECOND, length) == 20 * SECOND
    assert (track.time_at(-3, 40 * SECOND, length), track.time_at(length, 40 * SECOND, length)) == (0, 40 * SECOND)
    told = tooltip_of(track, cell, 40 * SECOND, length)
    assert told.index("kill #7") < told.index("set loss")


def test_the_next_mark_and_the_one_before() -> None:
    track = Track()
    track.take(MARKS)
    assert track.next_to(20 * SECOND, 1) == 30 * SECOND
    assert track.next_to(20 * SECOND, -1) == 10 * SECOND
    assert track.next_to(10 * SECOND, -1) is None, "peers ask by themselves all the time: those are passed over"
    assert track.next_to(38 * SECOND, 1) is None


def test_a_run_that_has_not_begun_has_a_timeline() -> None:
    assert "live" in text(past(0, end_us=0, marks=(), live=True))


def test_what_a_person_named_is_not_taken_for_markup_or_for_control() -> None:
    track = Track()
    track.take((Mark(SECOND, "ask", "[red]x[/]\x1b[2J\n", "person"),))
    told = tooltip_of(track, cell_at(SECOND, 2 * SECOND, 80), 2 * SECOND, 80)
    assert "[red]x[/]" in told
    assert "\x1b" not in told


@pytest.mark.parametrize(("us", "said"), [(0, "0.0 s"), (12_340_000, "12.3 s"), (125_000_000, "2:05.0")])
def test_spans(us: int, said: str) -> None:
    assert seconds(us) == said


def test_marks_are_laid_out_anew_only_when_they_are_others() -> None:
    track = Track()
    track.take(MARKS)
    columns = track.at_us
    track.take(MARKS)
    assert track.at_us is columns
    track.take((*MARKS, replace(MARKS[0], at_us=39 * SECOND)))
    assert len(track.at_us) == len(columns) + 1
    assert np.all(np.diff(track.at_us) >= 0)
