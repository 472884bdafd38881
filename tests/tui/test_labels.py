"""Whose mark a shared cell shows, and that no name reads as that of another peer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scenes import picture, quiet, scene, trace

from engine import DEAD, LEFT
from tui.draw import layout, raster
from tui.draw.colours import COLOURS, colouring
from tui.draw.scene import MANY, base, paint
from tui.draw.stage import Stage
from tui.draw.styles import MODES, Mode


def together(n: int = 6, **changes: object) -> raster.Canvas:
    """n peers in one cell; peer 0 asks, peer 3 answers."""
    state = np.zeros(n, np.uint8)
    state[2] = DEAD
    censored = np.zeros(n, np.bool_)
    censored[1] = True
    snapshot = quiet(n, state=state, censored=censored)
    colours = colouring(changes.pop("by", "state"), snapshot, trace(n), None, None)  # type: ignore[arg-type]
    return picture(scene(snapshot, [(21.0, 9.0)] * n, trace=trace(n), colours=colours, **changes))


@pytest.mark.parametrize("by", COLOURS)
def test_of_a_shared_cell_the_selected_peer_is_seen_then_the_dead_then_the_censored(by: str) -> None:
    assert together(by=by).owner[2, 10] == 2, "the dead one, though one that answered and the asker are there too"
    for selected in range(6):
        assert together(by=by, selected=selected).owner[2, 10] == selected
    snapshot = quiet(3, censored=np.array([0, 1, 0], np.bool_))
    what = scene(snapshot, [(21.0, 9.0)] * 3, colours=colouring(by, snapshot))  # type: ignore[arg-type]
    assert picture(what).owner[2, 10] == 1


def test_a_mark_does_not_hide_who_has_the_cell_and_one_that_left_is_hidden() -> None:
    canvas = together(marked=(4, 5))
    assert canvas.owner[2, 10] == 2
    assert chr(canvas.glyph[2, 10]) == "✕"
    assert picture(scene(quiet(2, state=np.array([LEFT, 0], np.uint8)), [(21.0, 9.0)] * 2)).owner[2, 10] == 1


def test_in_a_crowd_the_selected_peer_and_one_that_has_just_died_are_seen() -> None:
    n = MANY + 100
    state = np.zeros(n, np.uint8)
    state[[7, 8]] = DEAD
    at = [(5.0, 5.0) if peer != 8 else (25.0, 5.0) for peer in range(n)]
    dying = np.full(n, 3, np.uint8)
    dying[7] = 1
    assert picture(scene(quiet(n, state=state), at, dying=dying)).owner[1, 2] == 7
    assert picture(scene(quiet(n, state=state), at, dying=dying, selected=99)).owner[1, 2] == 99


@pytest.mark.parametrize("seed", range(4))
def test_peers_move_to_free_cells_beside_theirs_as_long_as_there_are_any(seed: int) -> None:
    rng = np.random.default_rng(seed)
    col, row = rng.integers(0, 12, 60), rng.integers(0, 8, 60)
    first = np.zeros(60, np.bool_)
    first[59] = True
    dx, dy = layout.apart(col, row, first, 12, 8)
    cells = set(zip((col + dx).tolist(), (row + dy).tolist(), strict=True))
    assert len(cells) == 60
    assert dx[59] == dy[59] == 0
    assert (np.abs(dx) + 2 * np.abs(dy)).max() <= 5
    assert ((col + dx >= 0) & (col + dx < 12) & (row + dy >= 0) & (row + dy < 8)).all()
    full = layout.apart(np.zeros(40, np.int64), np.zeros(40, np.int64), np.zeros(40, np.bool_), 3, 2)
    assert len(set(zip(*(way.tolist() for way in full), strict=True))) == 6


def marks(canvas: raster.Canvas, col: np.ndarray, row: np.ndarray) -> list[tuple[tuple[int, int], int]]:
    """The cell of each peer, and the peer that the picture has there."""
    cells = zip(col.tolist(), row.tolist(), strict=True)
    return [(at, int(canvas.owner[at[1], at[0]])) for at in cells]


def crowded_map(seed: int, mode: Mode, selected: int) -> tuple[raster.Canvas, list[str], np.ndarray, np.ndarray]:
    """64 peers of frames, close to each other; their names, columns and rows."""
    rng = np.random.default_rng(seed)
    n = 64
    state = np.zeros(n, np.uint8)
    state[rng.integers(0, n, 5)] = DEAD
    snapshot = quiet(n, state=state)
    stage = Stage()
    across, down = raster.DOTS[mode]
    stage.resize(75 * across, 16 * down, 2.0 * across / down, (across, down))
    stage.follow(snapshot, 0, 0.0)
    x, y = stage.dots(99.0)
    what = replace(
        scene(snapshot, list(zip(x.tolist(), y.tolist(), strict=True)), selected=selected, trace=trace(n)),
        names=True,
    )
    under = raster.Canvas(75, 16, mode)
    base(under, what)
    return paint(under, what), list(snapshot.fixed.labels), *raster.cells(under, x, y)


@pytest.mark.parametrize("mode", MODES)
def test_each_name_is_beside_its_own_mark_or_led_to_and_covers_nothing(mode: Mode) -> None:
    """Read back from the picture: every name that is written, at 64 selections."""
    for selected in range(64):
        canvas, labels, col, row_of = crowded_map(selected, mode, selected)
        rows = raster.to_text(canvas).split("\n")
        found = [(label, row, line.find(label)) for label in labels for row, line in enumerate(rows) if label in line]
        assert labels[selected] in [label for label, _, _ in found], "the selected peer is always named"
        for label, row, start in found:
            peer, end = labels.index(label), start + len(label)
            assert (canvas.owner[row, start:end] == peer).all()
            ends = [canvas.owner[row, c] for c in (start - 1, end) if 0 <= c < canvas.width]
            assert set(ends) <= {-1, peer}, f"{label} stands next to the mark of another: {rows[row]}"
        assert all((col[owner], row_of[owner]) == at for at, owner in marks(canvas, col, row_of)), "no mark is covered"
