"""The short paths of access links change nothing: random traffic arrives when and in the order in which it does in a
model where each chunk stands in a queue and each step is an event (`line_model.py`)."""

from __future__ import annotations

from typing import Any

import pytest
from line_model import ReferenceBandwidth
from test_capacity import Bulk, Burst, Loader
from tiny import MS, SECOND, Say, Shout, diary, host, make_swarm

from engine import (
    Blob,
    Censor,
    Command,
    Heal,
    Hold,
    Kill,
    Leave,
    LinkSpec,
    Partition,
    Release,
    Revive,
    Set,
    Swarm,
    Uncensor,
)
from engine.sim.rng import Stream

PEERS = 6
STEPS = 80
CAPACITIES = ("64:256", "800:8000", "8000:800", "20000:20000", "saroiu")
SIZES = (0, 20, 1_400, 9_000, 120_000)
"""Bytes of data of a message at most."""
COMMANDS: tuple[Command, ...] = (
    Kill("#1"),
    Revive("#1"),
    Leave("#2"),
    Revive("#2"),
    Censor("#3"),
    Uncensor("#3"),
    Hold("#4"),
    Release("#4"),
    Partition("#0 or #5"),
    Heal(),
    Set("capacity", 0.3),
    Set("capacity", 1.0),
    Set("latency", 0.5),
)


def traffic(seed: int, faults: bool) -> tuple[Any, ...]:
    """Messages of all kinds at random, in bursts and pauses, between few peers; what became of each of them."""
    rng = Stream(f"lines/{seed}")
    links = LinkSpec(CAPACITIES[seed % len(CAPACITIES)], jitter_ms=5.0 if seed % 3 == 2 else 0.0)
    latency = ("constant:10", "uniform:1-40", "world")[seed % 3]
    swarm = make_swarm(PEERS, Loader, links=links, latency=latency, loss=0.1 if seed % 4 == 3 else 0.0, seed=seed)
    most = SIZES[rng.randrange(len(SIZES))]
    for step in range(STEPS):
        alive = [peer for peer in range(PEERS) if swarm.peer(peer) is not None]
        for burst in range(rng.randrange(4)):
            send(swarm, rng, alive[rng.randrange(len(alive))], f"{step}/{burst}", most)
        if faults and rng.random() < 0.1:
            swarm.do(COMMANDS[rng.randrange(len(COMMANDS))])
        swarm.advance(swarm.now_us + rng.randrange((1, 3 * MS, 200 * MS)[rng.randrange(3)]))
    swarm.advance(swarm.now_us + 300 * SECOND)
    totals = swarm.snapshot().totals
    heard = [(diary(swarm, peer).heard, diary(swarm, peer).told) for peer in range(PEERS) if swarm.peer(peer)]
    return swarm.fingerprint(), totals.sent, totals.delivered, totals.dropped_by, totals.in_flight, heard


def send(swarm: Swarm, rng: Stream, frm: int, text: str, most: int) -> None:
    data = Blob(rng.randrange(most + 1))
    message = (Say(text), Shout(text), Bulk(text, data), Burst(text, data))[rng.randrange(4)]
    first = rng.randrange(PEERS)
    to = [(first + step) % PEERS for step in range(1 + rng.randrange(3)) if (first + step) % PEERS != frm]
    host(swarm, frm).multicast(to, message)


@pytest.mark.parametrize("seed", range(8))
def test_short_paths_of_access_links_change_no_arrival(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    got = traffic(seed, faults=seed % 2 == 1)
    monkeypatch.setattr("engine.sim.network.Bandwidth", ReferenceBandwidth)
    assert got == traffic(seed, faults=seed % 2 == 1)
    assert got[2] > STEPS // 2
