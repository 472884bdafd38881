"""Dots, inks and runs: what is drawn is what is read."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from rich.cells import cell_len

from tui.draw import raster
from tui.draw.raster import Canvas
from tui.draw.styles import GLYPHS, MODES, STATES, Mode


def rows(canvas: Canvas) -> list[str]:
    return raster.to_text(canvas).split("\n")


def by_hand(canvas: Canvas, x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """The dots of one line that needs no clipping, walked one by one."""
    dots = np.zeros_like(canvas.dots)
    steps = int(np.ceil(max(abs(x1 - x0), abs(y1 - y0))))
    for k in range(steps + 1):
        share = k / max(steps, 1)
        dots[int(np.floor(y0 + (y1 - y0) * share + 0.5)), int(np.floor(x0 + (x1 - x0) * share + 0.5))] = True
    return dots


def test_a_diagonal_in_each_alphabet() -> None:
    drawn = {}
    for mode in MODES:
        canvas = Canvas(3, 3, mode)
        raster.lines(canvas, 0, 0, canvas.dots_w - 1, canvas.dots_h - 1, 1)
        drawn[mode] = rows(canvas)
    assert drawn["block"] == ["▚  ", " ▚ ", "  ▚"]
    assert drawn["ascii"] == ["\\  ", " \\ ", "  \\"]
    assert drawn["braille"] == ["⢣  ", " ⢣ ", "  ⢣"]


def test_lines_have_the_dots_of_a_plain_walk() -> None:
    # Fixed-point numbers may be rounded otherwise than floats: two dots at most, and to a neighbouring dot.
    rng = np.random.default_rng(5)
    for _ in range(200):
        canvas = Canvas(20, 8)
        x0, x1 = rng.uniform(0, canvas.dots_w - 1, 2)
        y0, y1 = rng.uniform(0, canvas.dots_h - 1, 2)
        raster.lines(canvas, x0, y0, x1, y1, 1)
        wanted = by_hand(canvas, x0, y0, x1, y1)
        assert canvas.dots.sum() == wanted.sum()
        near = wanted.copy()
        near[1:] |= wanted[:-1]
        near[:-1] |= wanted[1:]
        near[:, 1:] |= wanted[:, :-1]
        near[:, :-1] |= wanted[:, 1:]
        assert not (canvas.dots & ~near).any()
        assert (canvas.dots & wanted).sum() >= wanted.sum() - 2


def test_many_lines_at_once_are_the_same_as_one_by_one() -> None:
    # Long enough for several chunks, with more changes of ink than a byte counts.
    rng = np.random.default_rng(6)
    together, apart = Canvas(160, 45), Canvas(160, 45)
    ends = rng.uniform(-60, 400, (4, 900))
    inks = rng.integers(1, 7, 900)
    raster.lines(together, *ends, inks)
    for i in range(900):
        raster.lines(apart, *ends[:, i], inks[i])
    assert (together.dots == apart.dots).all()
    assert (together.ink == apart.ink).all()


def test_lines_that_share_a_cell_join_their_dots_and_the_later_gives_the_ink() -> None:
    canvas = Canvas(1, 1)
    raster.lines(canvas, [0, 0], [0, 3], [1, 1], [0, 3], [4, 2])
    assert rows(canvas) == ["⣉"]
    assert canvas.ink[0, 0] == 2


def test_priority_overrules_the_order() -> None:
    canvas = Canvas(1, 1)
    raster.lines(canvas, [0, 0], [0, 3], [1, 1], [0, 3], [4, 2], priority=[9, 1])
    assert canvas.ink[0, 0] == 4


def test_a_line_from_far_away_is_clipped_not_bent() -> None:
    canvas = Canvas(10, 5)
    raster.lines(canvas, -1e7, 10, 1e7, 10, 1)
    assert canvas.dots[10].all()
    assert canvas.dots.sum() == canvas.dots_w
    missed = Canvas(10, 5)
    raster.lines(missed, [-5, 30, -9, 3], [-5, 0, 40, -9], [-1, 40, 60, 3], [-1, 9, 41, -2], 1)
    assert not missed.dots.any()
    assert not missed.ink.any()


def test_lines_to_nowhere_are_left_out() -> None:
    canvas = Canvas(10, 5)
    raster.lines(canvas, [0, np.nan, 0], [0, 0, 0], [3, 5, np.inf], [0, 5, 0], 1)
    assert canvas.dots.sum() == 4


def test_no_lines_and_an_empty_canvas_are_drawn_as_nothing() -> None:
    for mode in MODES:
        raster.lines(Canvas(4, 4, mode), [], [], [], [], [])
        empty = Canvas(0, 0, mode)
        raster.lines(empty, [0], [0], [5], [5], [1])
        raster.points(empty, [1], [1], 1)
        raster.text(empty, 0, 0, "word", 1)
        assert raster.runs(empty) == []
    assert raster.runs(Canvas(0, 2)) == [[], []]


def test_points_and_stamps_stay_inside_and_take_their_cells() -> None:
    canvas = Canvas(4, 2)
    raster.points(canvas, [0, 7, 8, -1, np.nan], [0, 7, 0, 0, 0], [1, 2, 3, 3, 3], owner=[10, 11, 12, 13, 14])
    assert rows(canvas) == ["⠁   ", "   ⢀"]
    assert canvas.owner.tolist() == [[10, -1, -1, -1], [-1, -1, -1, 11]]
    raster.stamp(canvas, [1, 9], [0, 0], ord("●"), [5, 6], [20, 21])
    assert rows(canvas)[0] == "⠁●  "
    assert canvas.ink[0, 1] == 5
    assert canvas.owner[0, 1] == 20
    raster.stamp(canvas, 0, 0, ord("+"), 5)
    assert canvas.owner[0, 0] == 10, "a stamp for nobody leaves the owner"


def test_cells_of_dots() -> None:
    cols, rows_ = raster.cells(Canvas(4, 2), [0, 1.4, 1.6, np.nan], [0, 3, 4, np.inf])
    assert cols.tolist() == [0, 0, 1, -1]
    assert rows_.tolist() == [0, 0, 1, -1]


def test_hovering_beside_a_peer_finds_it() -> None:
    canvas = Canvas(10, 5)
    raster.stamp(canvas, [3, 6], [2, 2], ord("o"), 1, [7, 8])
    assert raster.owner_at(canvas, 3, 2) == 7
    assert raster.owner_at(canvas, 4, 2) == 7
    assert raster.owner_at(canvas, 5, 1) == 8
    assert raster.owner_at(canvas, 5, 1, reach=0) == -1
    assert raster.owner_at(canvas, 99, 99) == -1


def test_text_is_cut_at_the_edges_and_keeps_its_columns() -> None:
    canvas = Canvas(6, 1)
    assert raster.text(canvas, -2, 0, "abcdefghij", 3) == 8
    assert rows(canvas) == ["cdefgh"]
    wide = Canvas(6, 1)
    # A wide character, a combining accent, an escape and a bidirectional mark.
    raster.text(wide, 0, 0, "日e\u0301\x1b\u202ex", 3, owner=4)
    assert rows(wide) == ["?ex   "]
    assert wide.owner.tolist() == [[4, 4, 4, -1, -1, -1]]
    raster.text(wide, 0, 9, "below", 3)


def test_ascii_stays_ascii_whatever_is_stamped() -> None:
    canvas = Canvas(4, 1, "ascii")
    raster.text(canvas, 0, 0, "Łódź", 1)
    assert raster.to_text(canvas).isascii()


def test_an_empty_cell_is_a_plain_space() -> None:
    for mode in MODES:
        assert raster.to_text(Canvas(2, 1, mode)) == "  "


def test_an_overlay_leaves_the_base_alone() -> None:
    base = Canvas(4, 2)
    raster.lines(base, 0, 0, 7, 0, 1)
    before = raster.to_text(base)
    over = base.copy()
    raster.text(over, 0, 1, "hi", 2, owner=1)
    raster.lines(over, 0, 3, 7, 3, 2)
    assert raster.to_text(base) == before
    assert (base.owner == -1).all()
    assert (base.ink[0] == 1).all()


def test_runs_join_neighbours_of_one_ink_and_rows_to_their_width() -> None:
    canvas = Canvas(8, 2)
    raster.text(canvas, 1, 0, "ab", 1)
    raster.text(canvas, 5, 0, "c", 1)
    raster.text(canvas, 6, 0, "d", 2)
    assert raster.runs(canvas) == [[(" ", 0), ("ab  c", 1), ("d ", 2)], [(" " * 8, 0)]]


def test_a_solid_ink_does_not_colour_empty_cells() -> None:
    canvas = Canvas(5, 1)
    raster.text(canvas, 1, 0, "a b", 3)
    assert raster.runs(canvas, solid=[3]) == [[(" ", 0), ("a b", 3), (" ", 0)]]


@pytest.mark.parametrize("mode", MODES)
def test_runs_say_what_the_cells_say(mode: Mode) -> None:
    rng = np.random.default_rng(7)
    canvas = Canvas(30, 10, mode)
    raster.lines(canvas, *rng.uniform(-5, 60, (4, 20)), rng.integers(1, 5, 20))
    codes = raster.pack(canvas)
    for y, row in enumerate(raster.runs(canvas)):
        text = "".join(part for part, _ in row)
        inks = [ink for part, ink in row for _ in part]
        assert text == "".join(map(chr, codes[y]))
        assert all(ink == canvas.ink[y, x] for x, ink in enumerate(inks) if text[x] != " ")
        assert all(one[1] != two[1] for one, two in pairwise(row))


def test_a_ring_is_round_and_bounded() -> None:
    canvas = Canvas(20, 10)
    raster.ring(canvas, 20, 20, 10, 10, 1, gap=1)
    y, x = np.nonzero(canvas.dots)
    assert np.abs(np.hypot(x - 20, y - 20) - 10).max() < 0.8
    assert len(x) > 40
    raster.ring(canvas, 0, 0, 1e12, 1e12, 1)
    raster.ring(canvas, 0, 0, float("nan"), 1, 1)
    raster.ring(canvas, 3, 3, 0, 0, 1)


def test_density_counts_each_point_inside_once() -> None:
    canvas = Canvas(3, 2)
    found = raster.density(canvas, [0, 1, 5, 99], [0, 2, 7, 0])
    assert found.tolist() == [[2, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize("mode", MODES)
def test_every_glyph_is_one_cell_and_no_two_states_share_one(mode: Mode) -> None:
    glyphs = GLYPHS[mode]
    for name in type(glyphs).__slots__:
        glyph = getattr(glyphs, name)
        assert len(glyph) == 1 == cell_len(glyph), name
        assert mode != "ascii" or glyph.isascii(), name
    assert len({getattr(glyphs, state) for state in STATES}) == len(STATES)
