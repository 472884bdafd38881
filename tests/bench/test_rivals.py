"""The loads that `bench_rivals.py` compares are the same in swarmtop, in SimPy and in the bare loop."""

from __future__ import annotations

import pytest

pytest.importorskip("simpy")

import bench_rivals
import rivals

from engine.lab.bench import bare_flood


def test_swarmtop_simpy_and_the_bare_loop_have_the_same_load() -> None:
    near = [[b for b in range(12) if b != a] for a in range(12)]
    links = 12 * 11 // 2
    assert rivals.simpy_flood(near) == bare_flood(near) == 2 * links - 12 + 1
    # All timers of two periods, and the messages that they caused and that arrived in time.
    assert 24 <= rivals.simpy_averaging(near, 2) <= 48
    assert rivals.bare_averaging(near, 2) == rivals.simpy_averaging(near, 2)


@pytest.mark.parametrize("load", bench_rivals.LOADS)
def test_a_round_does_what_theory_says(load: str) -> None:
    assert all(speed > 0 for speed in bench_rivals.LOADS[load](60, "constant:50"))
