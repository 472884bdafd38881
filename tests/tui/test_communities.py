"""Communities: linked peers draw together, all push apart, and in the end nothing moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scenes import quiet

from engine import Links
from tui.draw import force_layout
from tui.draw.force_layout import WARM_MOST, Communities
from tui.draw.stage import MOVE_S, REST_S, Stage

Pairs = tuple[np.ndarray, np.ndarray]


def cliques(count: int, size: int) -> Pairs:
    """Everybody knows everybody in each of `count` groups, and one of each knows one of the next."""
    a, b = [], []
    for group in range(count):
        low = group * size
        for one in range(low, low + size):
            for other in range(one + 1, low + size):
                a.append(one)
                b.append(other)
        if group:
            a.append(low)
            b.append(low - 1)
    return np.array(a), np.array(b)


def ring_of(n: int) -> Pairs:
    a = np.arange(n)
    return a, np.roll(a, -1)


def rested(n: int, pairs: Pairs) -> Communities:
    crowd = Communities()
    crowd.link(n, *pairs)
    crowd.settle()
    return crowd


def test_two_cliques_stand_apart() -> None:
    at = rested(40, cliques(2, 20)).positions
    one, other = at[:20].mean(axis=0), at[20:].mean(axis=0)
    own = max(np.linalg.norm(at[:20] - one, axis=1).mean(), np.linalg.norm(at[20:] - other, axis=1).mean())
    assert np.linalg.norm(one - other) > 3 * own


def test_many_communities_are_told_apart_too_and_by_every_level() -> None:
    at = rested(600, cliques(12, 50)).positions
    middles = at.reshape(12, 50, 2).mean(axis=1)
    inside = np.linalg.norm(at.reshape(12, 50, 2) - middles[:, None], axis=2).mean()
    apart = np.linalg.norm(middles[:, None] - middles[None], axis=2)[~np.eye(12, dtype=bool)]
    assert apart.min() > 2 * inside


def test_a_hub_is_placed_amid_those_linked_only_to_it() -> None:
    crowd = rested(64, (np.zeros(63, np.int64), np.arange(1, 64)))
    assert np.abs(crowd.positions[0] - 0.5).max() < 0.1


def test_it_comes_to_rest_and_then_does_nothing() -> None:
    crowd = rested(300, ring_of(300))
    assert crowd.resting
    steps, at = crowd.steps, crowd.at.copy()
    assert not crowd.relax(1.0)
    assert crowd.steps == steps
    assert np.array_equal(crowd.at, at)


def test_the_same_links_give_the_same_picture_however_time_is_sliced() -> None:
    whole, sliced = rested(300, cliques(6, 50)), Communities()
    sliced.link(300, *cliques(6, 50))
    while not sliced.resting:
        sliced.relax(0.0)
    assert np.array_equal(whole.positions, sliced.positions)


def test_a_changed_link_bends_the_picture_and_does_not_break_it() -> None:
    a, b = cliques(6, 20)
    crowd = rested(120, (a, b))
    before = crowd.positions.copy()
    crowd.link(120, np.append(a, 3), np.append(b, 25))
    assert 0 < crowd.heat <= WARM_MOST
    assert np.array_equal(crowd.positions, before)  # no peer jumps
    crowd.settle()
    assert 0 < np.abs(crowd.positions - before).max() < 0.35
    crowd.link(120, np.append(a, 3), np.append(b, 25))
    assert crowd.resting  # the same links again change nothing


def test_a_peer_that_loses_every_link_keeps_its_place() -> None:
    a, b = cliques(3, 20)
    crowd = rested(60, (a, b))
    before = crowd.at[7].copy()
    left = (a != 7) & (b != 7)
    crowd.link(60, a[left], b[left])
    crowd.settle()
    assert np.array_equal(crowd.at[7], before)


def test_a_newcomer_is_placed_beside_its_neighbours() -> None:
    a, b = cliques(4, 20)
    crowd = rested(80, (a, b))
    crowd.link(81, np.append(a, 80), np.append(b, 5))
    nearest = int(np.linalg.norm(crowd.at[:80] - crowd.at[80], axis=1).argmin())
    assert nearest < 20
    crowd.settle()
    assert len(crowd.positions) == 81


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_a_swarm_of_very_few_peers_is_laid_out(n: int) -> None:
    one = np.arange(max(n - 1, 0))
    at = rested(n, (one, one + 1)).positions
    assert at.shape == (n, 2)
    assert np.isfinite(at).all()
    assert ((at >= 0) & (at <= 1)).all()


def test_peers_without_links_do_not_move() -> None:
    crowd = rested(10, (np.zeros(0, np.int64), np.zeros(0, np.int64)))
    assert crowd.resting
    assert np.isfinite(crowd.positions).all()


def test_loops_and_doubled_links_count_for_what_they_are() -> None:
    links = force_layout.graph(3, [0, 1, 0, 2], [1, 0, 1, 2])
    assert (links.a.tolist(), links.b.tolist(), links.weight.tolist()) == ([0], [1], [3.0])


def test_the_mesh_agrees_with_all_pairs() -> None:
    rng = np.random.default_rng(5)
    at, charge = rng.normal(0, 20, (400, 2)), rng.integers(1, 6, 400).astype(float)
    exact, quick = force_layout.repel_exactly(at, charge), force_layout.repel_on_mesh(at, charge)
    # One by one the nearest neighbour may be nearer than a mesh point; on the whole they point the same way.
    along = (exact * quick).sum() / np.sqrt((exact**2).sum() * (quick**2).sum())
    assert along > 0.95
    two = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    assert np.allclose(
        force_layout.repel_exactly(two, np.ones(3)), force_layout.repel_on_mesh(two, np.ones(3)), atol=0.02
    )


def test_coarser_graphs_keep_what_matters() -> None:
    graphs, groups = force_layout.levels(force_layout.graph(1_000, *ring_of(1_000)))
    assert [g.n for g in graphs] == sorted((g.n for g in graphs), reverse=True)
    assert graphs[-1].n < 200
    for finer, coarse, group in zip(graphs[:-1], graphs[1:], groups, strict=True):
        assert np.allclose(np.bincount(group, finer.charge), coarse.charge)
        assert len(group) == finer.n


# --- on the stage ---


def test_the_picture_rests_with_its_forces_and_wakes_when_links_change() -> None:
    stage = Stage("communities")
    stage.resize(160, 80, 1.0)
    a, b = cliques(3, 8)
    snapshot = quiet(24, links=Links(1, a.astype(np.int32), b.astype(np.int32)))
    wall_s = 0.0
    for _ in range(2_000):
        stage.follow(snapshot, 0, wall_s)
        wall_s += 0.05
        if not stage.moving(wall_s):
            break
    version = stage.version
    stage.follow(snapshot, 0, wall_s + 9)
    assert stage.version == version
    x, _ = stage.dots(wall_s + 9)
    cut = replace(snapshot, links=Links(2, snapshot.links.a[:-1], snapshot.links.b[:-1]))
    stage.follow(cut, 0, wall_s + 10)
    assert stage.moving(wall_s + 10)
    assert np.abs(stage.dots(wall_s + 10)[0] - x).max() < 4


def test_changes_of_links_are_gathered_for_a_while() -> None:
    stage = Stage("communities")
    stage.animate = False
    stage.resize(160, 80, 1.0)
    a, b = (one.astype(np.int32) for one in cliques(3, 8))
    seen, swarm = [], quiet(24)
    for number in range(4):
        wall_s = 20.0 + number * REST_S * 0.35
        stage.follow(replace(swarm, links=Links(number, a[number:], b[number:])), 0, wall_s)
        seen.append(stage.version)
    assert seen[0] == seen[1] == seen[2]
    assert seen[3] > seen[2]


def test_newcomers_glide_in_from_the_edge() -> None:
    stage = Stage("ring")
    stage.resize(160, 80, 1.0)
    few, more = quiet(8), quiet(9)
    stage.follow(few, 0, 0.0)
    stage.follow(more, 0, 10.0)
    x, y = stage.dots(10.0)
    assert len(x) == 9
    assert max(abs(x[8] - 79.5) / 80, abs(y[8] - 39.5) / 40) > 0.5
    assert not stage.moving(10.1 + MOVE_S)


def test_a_large_swarm_gets_its_coarser_levels_one_a_frame() -> None:
    pairs = cliques(12, 50)
    crowd = Communities()
    crowd.link(600, *pairs)
    levels = len(force_layout.levels(force_layout.graph(600, *pairs))[1])
    assert levels > 1
    for _ in range(levels):
        crowd.relax(0.0)
        assert crowd.steps == 0
    crowd.relax(0.0)  # There is no coarser one: that is found out in a frame of its own.
    crowd.relax(0.0)
    assert crowd.steps == 1


@pytest.mark.parametrize("frames", [1, 20])
def test_a_newcomer_without_links_may_come_before_it_is_at_rest(frames: int) -> None:
    pairs = cliques(12, 50)
    crowd = Communities()
    crowd.link(600, *pairs)
    for _ in range(frames):
        crowd.relax(0.0)
    crowd.link(601, *pairs)
    crowd.relax(0.0)
    assert crowd.positions.shape == (601, 2)
    crowd.settle()
    assert crowd.positions.shape == (601, 2)
