"""Colours and curves of what a network shows of its peers."""

from __future__ import annotations

import numpy as np

from tui.draw.chart import stacked


def test_parts_of_a_whole_stand_on_top_of_each_other() -> None:
    t = np.arange(60)
    infected = 40.0 / (1.0 + np.exp(-(t - 30) / 4.0))
    canvas = stacked([64.0 - infected, infected], 30, 8, "braille", 64.0, [1, 2], across=60)
    left, right = canvas.ink[:, 0], canvas.ink[:, -1]
    assert set(left.tolist()) == {1}
    # 40 of 64 are five of eight lines, from above.
    assert right.tolist() == [2] * 5 + [1] * 3


def test_a_young_run_is_not_stretched_and_a_gap_divides_two_parts() -> None:
    canvas = stacked([[1.0, 1.0], [1.0, 1.0]], 10, 4, "braille", 2.0, [1, 2], across=20)
    assert not canvas.dots[:, : canvas.dots_w // 2].any()
    last = canvas.dots[:, -1]
    assert last.sum() == canvas.dots_h - 1
    assert not last[canvas.dots_h // 2]


def test_no_part_and_no_room_draw_nothing() -> None:
    assert not stacked([], 10, 4, "braille", 1.0, []).dots.any()
    assert stacked([[1.0]], 0, 0, "ascii", 1.0, [1]).width == 0
    assert not stacked([[np.nan]], 4, 2, "ascii", 1.0, [1]).dots.any()
