"""Bundles of lines on a map."""

from __future__ import annotations

import numpy as np
import pytest
from scenes import flight, quiet, scene

from engine import Links, Setup, Swarm
from tui.draw import raster
from tui.draw.layout import Box, View
from tui.draw.raster import dotted
from tui.draw.routes import DETOUR, LEAST, MOST, Bundle, Routes, along
from tui.draw.scene import base, paint
from tui.draw.stage import Stage

WIDE, HIGH = 75, 16


def world(seed: int, peers: int = 64) -> tuple[Swarm, Stage]:
    swarm = Swarm(Setup(seed=seed, peers=peers))
    stage = Stage("world")
    stage.resize(WIDE * 2, HIGH * 4, 1.0)
    stage.follow(swarm.snapshot(), 0, 0.0)
    return swarm, stage


def made(seed: int) -> tuple[Swarm, Bundle, np.ndarray, np.ndarray]:
    swarm, stage = world(seed)
    bundle = stage.bundle(99.0)
    assert bundle is not None
    return swarm, bundle, *stage.dots(99.0)


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_way_leads_from_peer_to_peer_without_a_long_detour(seed: int) -> None:
    swarm, bundle, x, y = made(seed)
    links = swarm.snapshot().links
    paths = bundle.paths(links.a, links.b)
    assert np.isfinite(paths).all()
    assert np.allclose(paths[:, 0], np.stack((x[links.a], y[links.a]), axis=-1))
    assert np.allclose(paths[:, -1], np.stack((x[links.b], y[links.b]), axis=-1))
    step = np.sqrt(((paths[:, 1:] - paths[:, :-1]) ** 2).sum(axis=2))
    direct = np.hypot(x[links.a] - x[links.b], y[links.a] - y[links.b])
    assert (step.sum(axis=1) <= DETOUR * direct + 1e-3).all()
    half = along(paths, np.full((len(paths), 1), 0.5))[:, 0]
    before = np.sqrt(((half - paths[:, 0]) ** 2).sum(axis=1))
    assert (before <= step.sum(axis=1) / 2 + 1.0).all(), "half of the time is half of the way"


@pytest.mark.parametrize("seed", range(1, 6))
def test_bundled_lines_leave_more_of_the_map_free(seed: int) -> None:
    """The links of 64 peers at 120x36, drawn whole: cells with a line, and cells that are full."""
    swarm, bundle, x, y = made(seed)
    snapshot = swarm.snapshot()
    links, cells, full = snapshot.links, [], []
    for with_bundle in (None, bundle):
        canvas = raster.Canvas(WIDE, HIGH)
        straight = Bundle(Routes(np.full((64, 2), 0.5, np.float32)), x, y, View(), Box(1, 1))
        paths = (with_bundle or straight).paths(links.a, links.b)
        frm, to = paths[:, :-1].reshape(-1, 2), paths[:, 1:].reshape(-1, 2)
        raster.lines(canvas, frm[:, 0], frm[:, 1], to[:, 0], to[:, 1], 1)
        dots = canvas.dots.reshape(HIGH, 4, WIDE, 2).sum(axis=(1, 3))
        cells.append(int(dotted(canvas).sum()))
        full.append(int((dots >= 6).sum()))
    assert cells[1] < 0.85 * cells[0]
    assert full[1] < 0.5 * full[0]


def test_no_line_moves_when_a_link_closes_and_messages_are_above_lines() -> None:
    _, bundle, x, y = made(1)
    all_of_them = Links(1, np.arange(0, 60, dtype=np.int32), np.arange(1, 61, dtype=np.int32))
    some = Links(2, all_of_them.a[:30], all_of_them.b[:30])
    at = list(zip(x.tolist(), y.tolist(), strict=True))
    pictures = []
    for links in (all_of_them, some):
        canvas = raster.Canvas(WIDE, HIGH)
        base(canvas, scene(quiet(64, links=links), at, bundle=bundle))
        pictures.append(canvas.dots)
    assert not (pictures[1] & ~pictures[0]).any()
    row = (0, 40, 0, 100_000, 0, 0)
    snapshot = quiet(64, now_us=50_000, links=all_of_them, flight=flight(row))
    under = raster.Canvas(WIDE, HIGH)
    what = scene(snapshot, at, bundle=bundle)
    base(under, what)
    canvas = paint(under, what)
    spot = along(bundle.paths(np.array([0]), np.array([40])), np.array([[0.5]]))[0, 0]
    col, cell_row = raster.cells(canvas, spot[0], spot[1])
    shown = chr(canvas.glyph[int(cell_row), int(col)])
    assert shown == "•" or canvas.owner[int(cell_row), int(col)] >= 0


def test_few_peers_and_many_and_all_other_placements_have_straight_lines() -> None:
    for peers, bundled in ((LEAST - 1, False), (LEAST, True), (MOST, True), (MOST + 1, False)):
        _, stage = world(1, peers)
        assert (stage.bundle(99.0) is not None) == bundled
    swarm, stage = world(1)
    stage.place("ring")
    stage.follow(swarm.snapshot(), 0, 1.0)
    assert stage.bundle(99.0) is None


def test_peers_of_one_place_or_of_two_have_ways_too() -> None:
    box, view = Box(150, 64, 6.0), View()
    for at in ([(0.5, 0.5)] * 30, [(0.1, 0.5)] * 15 + [(0.9, 0.5)] * 15):
        unit = np.array(at, np.float32)
        x, y = view.to_dots(unit, box)
        paths = Routes(unit).paths(np.arange(15), np.arange(15, 30), x, y, view, box)
        assert np.isfinite(paths).all()
