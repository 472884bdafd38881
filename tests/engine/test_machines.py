"""Computers of peers: drawn from the seed."""

from __future__ import annotations

import pickle
from statistics import fmean, pstdev

from engine import Kill, Machine, Revive, Setup, Swarm
from engine.protocols.volunteer.messages import REFERENCE_GFLOPS
from engine.testing import FakeHost
from engine.world.machines import DEVIATION_GFLOPS, MEAN_GFLOPS, MEMORY_MB, machine_of, station_machine


def test_speeds_have_the_mean_and_the_deviation_that_they_should() -> None:
    speeds = [machine_of(1, peer).gflops for peer in range(4_000)]
    assert abs(fmean(speeds) - MEAN_GFLOPS) < 4 * DEVIATION_GFLOPS / len(speeds) ** 0.5
    assert abs(pstdev(speeds) / DEVIATION_GFLOPS - 1) < 0.1
    assert {machine_of(1, peer).memory_mb for peer in range(200)} == set(MEMORY_MB)


def test_volunteers_work_units_are_measured_for_the_mean_machine() -> None:
    assert REFERENCE_GFLOPS == MEAN_GFLOPS


def test_a_peer_keeps_its_machine_and_another_seed_gives_another() -> None:
    assert FakeHost().machine == Machine()
    first, other = (Swarm(Setup(protocol="web", peers=6, seed=seed)) for seed in (1, 2))
    had = [host.machine for host in first.simulation.peer_hosts]
    assert had[6] == station_machine()
    first.do(Kill(2))
    first.advance(1_000_000)
    first.do(Revive(2))
    assert [host.machine for host in first.simulation.peer_hosts] == had
    assert [host.machine for host in other.simulation.peer_hosts] != had


def test_a_peer_knows_when_its_process_ended_also_in_a_copy() -> None:
    swarm = Swarm(Setup(protocol="gossip", peers=4))
    swarm.advance(700_000)
    assert swarm.simulation.peer_hosts[1].stopped_us is None
    swarm.do(Kill(1))
    swarm.advance(900_000)
    copy = pickle.loads(pickle.dumps(swarm))
    copy.do(Revive(1))
    assert copy.simulation.peer_hosts[1].stopped_us == 700_000
