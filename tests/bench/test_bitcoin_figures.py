"""Figures of Bitcoin with small sizes: the races, the table of addresses, the trickle."""

from __future__ import annotations

from random import Random

import pytest
from bench_bitcoin import (
    block_memory,
    drawn_forks,
    eclipses,
    exact,
    fork_rate,
    healed,
    honest_odds,
    nakamoto,
    odds_when_tested,
    race,
    slots_filled,
    trickle_wait_s,
    watched_forks,
)


@pytest.mark.parametrize(("q", "z", "theirs", "ours"), [(0.1, 2, 0.0509779, 0.0095111), (0.3, 6, 0.1321112, 0.0891074)])
def test_the_laws_are_those_that_were_published(q: float, z: int, theirs: float, ours: float) -> None:
    assert nakamoto(q, z) == pytest.approx(theirs, abs=1e-7)
    assert exact(q, z) == pytest.approx(ours, abs=1e-7)
    assert exact(0.3, 6, ahead=0) == pytest.approx(0.1564496, abs=1e-7)
    assert fork_rate() == pytest.approx(0.0178, abs=1e-5)


@pytest.mark.parametrize(("q", "z"), [(0.3, 1), (0.45, 3)])
def test_races_on_a_chain_follow_the_exact_law(q: float, z: int) -> None:
    rng, many = Random(3), 1_500
    won = sum(race(q, z, rng) for _ in range(many)) / many
    law = exact(q, z)
    assert abs(won - law) < 4 * (law * (1 - law) / many) ** 0.5


def test_addresses_fill_the_tried_table_as_balls_fill_bins() -> None:
    filled, law = slots_filled(2_000)
    assert abs(filled - law) < 80


@pytest.mark.parametrize("peers", [8, 125])
def test_a_peer_waits_a_tenth_of_a_second_for_each_peer(peers: int) -> None:
    mean_s = trickle_wait_s(peers, 1_000, Random(5))
    assert abs(mean_s - peers / 10) < 4 * peers / 10 / 1_000**0.5


def test_odds_of_an_eclipse_are_those_that_were_published() -> None:
    assert [f"{honest_odds(many):.2g}" for many in (8_192, 4_600, 3_000)] == ["0.0064", "0.00053", "5.6e-05"]
    bounds = [odds_when_tested(*those) for those in ((1_000, 0.5), (2_000, 0.5), (4_000, 0.28))]
    assert bounds == pytest.approx([0.353, 0.1065, 0.0777], abs=1e-3)


def test_a_node_whose_tables_are_an_attackers_is_eclipsed_when_it_restarts() -> None:
    found = eclipses(100, 1, 1, 3, full=False)
    assert (found.odds, found.tried) == pytest.approx((1.0, 1.0))


def test_forks_are_as_many_as_the_model_says() -> None:
    many, law = 100_000, fork_rate()
    assert abs(drawn_forks(many, Random(2)) - law) < 5 * (law / many) ** 0.5
    blocks, seen, model = watched_forks(12, 60, 20.0, 200)
    assert abs(seen - model) < 4 * (model * (1 - model) / blocks) ** 0.5


def test_nodes_share_blocks_and_keep_little_of_each_themselves() -> None:
    found = block_memory(8, 3, 500)
    pointers = 8
    # A dictionary's entry is a hash, a key and a value, and at most half of its room is empty; a list's is a pointer.
    assert 4 * pointers <= found.a_node <= 3 * 4 * pointers + 2 * pointers
    assert found.once > found.a_node
    assert found.in_all > found.once + 8 * found.a_node * 0.9


@pytest.mark.campaign
def test_a_partition_of_an_hour_leaves_one_chain_and_no_coin_that_is_spent_twice() -> None:
    found = healed(24, 20.0, 240.0)
    assert found.apart == 2
    assert min(found.heights) > 0
    assert (found.tips, found.twice, found.spent_twice, found.made_twice) == (1, 0, 0, 0)
