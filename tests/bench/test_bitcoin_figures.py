"""Figures of Bitcoin, small: the races, the table of addresses, the trickle."""

from __future__ import annotations

from random import Random

import pytest
from bench_bitcoin import exact, fork_rate, nakamoto, race, slots_filled, trickle_wait_s


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
