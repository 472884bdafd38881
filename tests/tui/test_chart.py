"""Charts and figures: they say the value, and keep their width."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rich.cells import cell_len

from tui.draw import chart, raster
from tui.draw.chart import age, heat, meter, nice_scale, si, spark
from tui.draw.styles import MODES


def test_a_rising_line_rises() -> None:
    canvas = chart.chart([[0, 1, 2, 3]], 4, 2, "braille", high=3)
    heights = canvas.dots.argmax(axis=0)
    assert (np.diff(heights) <= 0).all()
    assert canvas.dots[canvas.dots_h - 1, 0]
    assert canvas.dots[0, canvas.dots_w - 1]
    assert (canvas.ink[raster.pack(canvas) != 32] == 1).all()


def test_a_gap_stays_a_gap() -> None:
    canvas = chart.chart([[1, 1, math.nan, math.nan, 1, 1]], 12, 2, "braille", high=1)
    columns = canvas.dots.any(axis=0)
    assert columns[0]
    assert columns[-1]
    assert not columns[8:15].any()


def test_a_lone_sample_between_gaps_is_a_dot() -> None:
    canvas = chart.chart([[math.nan, 1, math.nan]], 5, 1, "braille", high=2)
    assert canvas.dots.sum() == 1


def test_later_series_are_drawn_on_top_in_their_own_ink() -> None:
    canvas = chart.chart([[1, 1], [1, 1]], 6, 1, "braille", high=2, inks=[4, 7])
    assert (canvas.ink == 7).all()


def test_a_short_history_is_not_stretched() -> None:
    canvas = chart.chart([[1, 1, 1]], 10, 1, "braille", high=1, across=20)
    assert np.flatnonzero(canvas.dots.any(axis=0)).min() >= 16


def test_an_area_is_filled_to_the_bottom() -> None:
    canvas = chart.chart([[1, 1, 1]], 3, 2, "block", high=2, across=6, area=True)
    assert canvas.dots[-1].sum() >= 3


@pytest.mark.parametrize("mode", MODES)
def test_a_chart_without_samples_is_empty(mode: str) -> None:
    for series in ([], [[]], [[math.nan] * 3], [[0, 0]], [[5]], [[-3, -1]], [[math.inf, 1]]):
        assert chart.chart(series, 8, 2, mode).width == 8  # type: ignore[arg-type]
    assert chart.chart([[1]], 0, 0, mode).width == 0  # type: ignore[arg-type]


def test_values_off_the_scale_are_drawn_at_its_edge() -> None:
    canvas = chart.chart([[-50, 500]], 4, 1, "braille", low=0, high=1)
    assert canvas.dots[3, 0]
    assert canvas.dots[0, -1]


def test_spark_shows_the_newest_at_the_right() -> None:
    assert spark([0, 1, 2, 4, 7], 5) == "▁▂▃▅█"
    assert spark([9, 0, 7], 2) == "▁█"
    assert spark([7], 4) == "   █"
    assert spark([], 3) == "   "
    assert spark([math.nan, 1], 2) == " █"
    assert spark([0, 0], 2) == "▁▁"
    assert spark([1], 1, top=7) == "▂"
    assert spark([0, 7], 2, ascii=True) == "_#"
    assert spark([1, 2], 0) == ""


def test_meter_is_smooth_and_keeps_its_width() -> None:
    assert meter(0.0, 4) == "    "
    assert meter(1.0, 4) == "████"
    assert meter(0.5, 3) == "█▌ "
    assert meter(1e-6, 3) == "▏  "
    assert meter(0.5, 4, ascii=True) == "##.."
    for value in (-1.0, 0.3, 0.999, 7.0, math.nan, math.inf):
        assert cell_len(meter(value, 7)) == len(meter(value, 7, ascii=True)) == 7
    assert meter(0.5, 0) == ""


def test_heat_has_a_step_of_its_own_for_zero() -> None:
    assert heat([0, 1e-9, 0.05, 0.5, 1.0, 9.0, math.nan]).tolist() == [0, 1, 1, 3, 4, 4, 0]
    assert heat(50, steps=3, top=100).item() == 2
    assert heat(0, top=0).item() == 0


def test_scales_are_round_and_high_enough() -> None:
    wanted = {0.0: 1, 0.03: 0.05, 0.15: 0.2, 1: 1, 1.1: 2, 5: 5, 6: 10, 812: 1000, 1e6: 1e6, math.nan: 1, -4: 1}
    for most, scale in wanted.items():
        assert nice_scale(most) == scale


def test_figures_fit_five_characters() -> None:
    wanted = {0: "0", 7: "7", 812: "812", 1234: "1.2k", 999.7: "1.0k", 0.25: "0.25", 12.34: "12.3", 34.5e6: "34.5M"}
    wanted |= {
        -3100: "-3.1k",
        -34.5e6: "-34M",
        999_999: "1.0M",
        math.inf: "∞",
        math.nan: "–",
        1e30: "big",
        -0.001: "0.00",
    }
    assert {number: si(number) for number in wanted if not math.isnan(number)} == {
        number: text for number, text in wanted.items() if not math.isnan(number)
    }
    assert si(math.nan) == "–"
    assert si(812, 6) == "   812"
    rng = np.random.default_rng(8)
    for number in (10 ** rng.uniform(-4, 22, 3_000) * rng.choice([-1, 1], 3_000)).tolist():
        assert len(si(number)) <= 5
        assert len(si(round(number))) <= 5


def test_ages_fit_five_characters() -> None:
    wanted = {0.0: "0.0s", 0.42: "0.4s", 12: "12s", 59.7: "1m00s", 72: "1m12s", 900: "15m", 11_100: "3h05m"}
    wanted |= {90_000: "25h", 190_000: "2d04h", 864_000 * 12: "120d", -3: "0.0s", 1e15: "ages"}
    assert {seconds: age(seconds) for seconds in wanted} == wanted
    assert age(math.inf, 5) == "    –"
    for seconds in np.geomspace(0.01, 1e12, 2_000).tolist():
        assert len(age(seconds)) <= 5
