"""Which peer a shared cell shows, and that no name can be taken for that of another peer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scenes import picture, quiet, scene, trace

from engine import DEAD, LEFT, Setup, Swarm
from tui.draw import layout, raster
from tui.draw.colours import COLOURS, colouring
from tui.draw.labels import Label, Labels
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


def crowded_map(
    seed: int, mode: Mode, selected: int | None, *, wide: int = 75, high: int = 16, **changes: object
) -> tuple[raster.Canvas, list[str], np.ndarray, np.ndarray]:
    """64 peers of frames, close to each other; their names, columns and rows."""
    rng = np.random.default_rng(seed)
    n = 64
    state = np.zeros(n, np.uint8)
    state[rng.integers(0, n, 5)] = DEAD
    snapshot = quiet(n, state=state)
    stage = Stage()
    across, down = raster.DOTS[mode]
    stage.resize(wide * across, high * down, 2.0 * across / down, (across, down))
    stage.follow(snapshot, 0, 0.0)
    x, y = stage.dots(99.0)
    what = replace(
        scene(snapshot, list(zip(x.tolist(), y.tolist(), strict=True)), selected=selected, trace=trace(n)),
        names=True,
    )
    what = replace(what, **changes)
    under = raster.Canvas(wide, high, mode)
    base(under, what)
    return paint(under, what), list(snapshot.fixed.labels), *raster.cells(under, x, y)


Found = list[tuple[str, int, int]]


def found_in(canvas: raster.Canvas, labels: list[str]) -> Found:
    """Each name that can be read, its row and its first column."""
    rows = raster.to_text(canvas).split("\n")
    return [(label, row, line.find(label)) for label in labels for row, line in enumerate(rows) if label in line]


@pytest.mark.parametrize("mode", MODES)
def test_each_name_is_beside_its_own_mark_or_joined_to_it_by_a_line_and_covers_nothing(mode: Mode) -> None:
    """Read back from the picture: every name that is written, at 64 selections."""
    for selected in range(64):
        canvas, labels, col, row_of = crowded_map(selected, mode, selected)
        found = found_in(canvas, labels)
        assert labels[selected] in [label for label, _, _ in found], "the selected peer is always named"
        for label, row, start in found:
            peer, end = labels.index(label), start + len(label)
            assert (canvas.owner[row, start:end] == peer).all()
            ends = [canvas.owner[row, c] for c in (start - 1, end) if 0 <= c < canvas.width]
            assert set(ends) <= {-1, peer}, f"{label} stands next to the mark of another: {raster.to_text(canvas)}"
        assert all((col[owner], row_of[owner]) == at for at, owner in marks(canvas, col, row_of)), "no mark is covered"


SIZES = [(78, 14, 0.6), (118, 25, 0.9), (198, 39, 1.0)]
"""The picture of the layout "present" at 80x24, 120x36 and 200x50, and which share of the peers is named at least."""


@pytest.mark.parametrize("protocol", ["gnutella", "tor", "napster", "kademlia"])
def test_for_an_audience_most_peers_of_a_network_as_it_is_opened_are_named(protocol: str) -> None:
    swarm = Swarm(Setup(protocol=protocol, peers=64, seed=1))
    swarm.advance(2_000_000)
    snapshot = swarm.snapshot()
    stage, n = Stage("world"), len(snapshot.state)
    for wide, high, share in SIZES:
        stage.resize(2 * wide, 4 * high, 1.0, (2, 4))
        stage.follow(snapshot, 0, 0.0)
        x, y = stage.dots(99.0)
        at = list(zip(x.tolist(), y.tolist(), strict=True))
        named = []
        for all_names in (False, True):
            what = replace(scene(snapshot, at), names=True, all_names=all_names, head=1, foot=1)
            under = raster.Canvas(wide, high)
            base(under, what)
            named.append(len(found_in(paint(under, what), list(snapshot.fixed.labels))))
        assert named[1] >= share * n, named
        assert named[1] >= 4 * named[0] or share == 1.0, "clearly more than one person needs"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", MODES)
def test_for_an_audience_each_name_reads_as_that_of_its_own_peer_however_near_the_others_are(
    mode: Mode, size: tuple[int, int, float]
) -> None:
    for seed in range(6):
        made = crowded_map(seed, mode, None, wide=size[0], high=size[1], all_names=True, head=1, foot=1)
        canvas, labels, col, row_of = made
        found = found_in(canvas, labels)
        assert canvas.named == len(found) == len({label for label, _, _ in found}), "the count is that of the picture"
        assert len(found) >= 15, raster.to_text(canvas)
        assert all((col[owner], row_of[owner]) == at for at, owner in marks(canvas, col, row_of)), "no mark is covered"
        first = {*trace(64).holders, *trace(64).answerers, *np.random.default_rng(seed).integers(0, 64, 5).tolist()}
        stand = set(zip(row_of.tolist(), col.tolist(), strict=True))
        for label, row, start in found:
            peer, end = labels.index(label), start + len(label)
            assert 1 <= row < size[1] - 1, "not where the sentence or the legend stands"
            ends = [canvas.owner[row, c] for c in (start - 1, end) if 0 <= c < canvas.width]
            assert set(ends) <= {-1, peer}, f"{label} stands next to another: {raster.to_text(canvas)}"
            if row != row_of[peer] and peer not in first:
                for line in (row - 1, row + 1):
                    others = stand - {(row_of[peer], col[peer])}
                    assert not any((line, c) in others for c in range(start, end)), f"another is next to {label}"
                # Its line is whole: no other name covers it.
                to = min(max(col[peer], start), end - 1)
                for share in np.linspace(0.0, 1.0, 40):
                    at = (
                        int(row_of[peer] + 0.5 + (row - row_of[peer]) * share),
                        int(col[peer] + 0.5 + (to - col[peer]) * share),
                    )
                    word = canvas.owner[at] not in (-1, peer) and at not in stand
                    assert not word, f"the line of {label} is hidden: {raster.to_text(canvas)}"


def test_names_for_an_audience_stay_where_they_are() -> None:
    few, labels, _, _ = crowded_map(1, "braille", None, wide=116, high=24)
    canvas, _, _, _ = crowded_map(1, "braille", None, wide=116, high=24, all_names=True)
    many = found_in(canvas, labels)
    assert len(many) > len(found_in(few, labels))
    for changes in ({"trace": None}, {"hover": 9}, {"ringed": (3, 4)}):
        other, _, _, _ = crowded_map(1, "braille", None, wide=116, high=24, all_names=True, **changes)
        assert found_in(other, labels) == many, f"{changes} has moved names"


def test_where_not_all_can_be_named_the_important_ones_are() -> None:
    """A small picture: 64 peers in 20 columns."""
    for seed in range(6):
        canvas, labels, _, _ = crowded_map(seed, "braille", 40, wide=20, high=10, all_names=True)
        named = {label for label, _, _ in found_in(canvas, labels)}
        assert len(named) < 40
        assert {labels[40], labels[trace(64).origin]} <= named, raster.to_text(canvas)


@pytest.mark.parametrize("place", [(30, 2), (31, 2), (-1, 2), (5, 5), (5, -1)])
def test_a_peer_beyond_the_last_cell_has_no_name(place: tuple[int, int]) -> None:
    """The dot of such a peer rounds up to a cell that the picture does not have."""
    canvas = raster.Canvas(30, 5)
    canvas.owner[2, :] = 7  # no room beside it
    for first in (True, False):
        plan = Labels(canvas).plan([Label(*place, 4, first=first), Label(12, 1, 4, first=True)])
        assert plan.places[0] is None
        assert plan.places[1] is not None


@pytest.mark.parametrize("size", [(10, 5), (4, 3), (0, 3), (10, 0)])
def test_a_picture_that_is_smaller_than_a_name_has_none(size: tuple[int, int]) -> None:
    canvas = raster.Canvas(*size)
    for first in (True, False):
        labels = Labels(canvas)
        plan = labels.plan([Label(3, 1, 16, first=first)])
        assert plan.places == (None,)
        assert labels.write(plan, [0], ["x" * 16], [1], [0]) == 0
