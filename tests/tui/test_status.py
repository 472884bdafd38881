"""The status line: what matters is first, and each part keeps its place."""

from __future__ import annotations

import math
from dataclasses import replace

import frames
import numpy as np
import pytest

from tui.session.units import clock
from tui.widgets.status import HINT, speed_text, status_row
from tui.widgets.text import Row, fit, width_of, wrap


def text(row: Row) -> str:
    return "".join(part for part, _ in row)


def test_a_wide_line_says_everything() -> None:
    line = text(status_row(frames.frame(), 160))
    for part in (
        "swarmtop",
        "gnutella",
        "61 ● alive",
        "2 ✕ dead",
        "1 ⊘ censored",
        "seed 7",
        "00:42.180",
        "▶ 1/8x",
        "30 fps",
    ):
        assert part in line


@pytest.mark.parametrize("width", [48, 60, 80, 100, 120, 160])
def test_every_width_is_filled_and_keeps_the_time(width: int) -> None:
    row = status_row(frames.frame(), width)
    assert "00:42.180" in text(row)
    assert width_of(row) == width


@pytest.mark.parametrize("width", [60, 80, 120, 160])
def test_parts_keep_their_places_when_figures_change(width: int) -> None:
    snap = frames.snapshot()
    before = text(status_row(frames.frame(snap=snap), width))
    later = replace(snap, now_us=599_999_000, state=snap.state * 0)
    after = text(status_row(frames.frame(snap=later, slowed=True, fps=7.4), width))
    assert before.index("gnutella") == after.index("gnutella")
    assert before.index("▶") == after.index("▶")
    assert before.index("00:42.180") == after.index("09:59.999")


def test_a_slow_moment_says_why_where_there_is_room() -> None:
    assert HINT in text(status_row(frames.frame(slowed=True), 160))
    assert "slowed" in text(status_row(frames.frame(slowed=True), 80))
    assert "slowed" not in text(status_row(frames.frame(), 160))


def test_the_measured_pace_shows_only_when_it_lags() -> None:
    assert "≈3.1x" in text(status_row(frames.frame(speed=8.0, pace=3.1), 120))
    assert "≈" not in text(status_row(frames.frame(speed=8.0, pace=7.9), 120))
    assert "max" in text(status_row(frames.frame(speed=math.inf, pace=90.0), 120))
    assert "paused" in text(status_row(frames.frame(playing=False), 120))


@pytest.mark.parametrize(
    ("speed", "said"), [(1 / 64, "1/64x"), (0.125, "1/8x"), (0.3, "0.3x"), (1, "1x"), (2.5, "2.5x"), (64, "64x")]
)
def test_speeds_are_written_as_people_say_them(speed: float, said: str) -> None:
    assert speed_text(speed) == said
    assert len(said) <= 5


def test_text_fits_in_cells_not_in_characters() -> None:
    assert fit("東京のうた", 6) == "東京… "
    assert fit("ab", 4, right=True) == "  ab"
    assert fit("anything", 0) == ""
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("unbreakable", 4) == ["unbr", "eaka", "ble"]
    assert wrap("", 4) == [""]
    assert clock(3_600_000_000 + 62_180_000) == "1:01:02.180"


def test_a_partition_is_shown_as_long_as_it_lasts() -> None:
    snap = frames.snapshot()
    assert "sides" not in text(status_row(frames.frame(), 160))
    cut = replace(snap, group=np.arange(len(snap.state), dtype=np.int32) % 2)
    assert "2 ◐ sides" in text(status_row(frames.frame(snap=cut), 160))
