"""Collects the facts from which a protocol's `theory` calculates what an ask should cost and reach.

They describe the graph as it is now, so they should be collected when the ask starts. A closed form is exact where the
network follows these links (a flood), and an estimate where it draws peers at random.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..api import NatKind, PeerId, Theory
from ..measure.asks import AskRecord
from ..measure.snapshot import ALIVE
from ..sim.paths import PathLengths
from ..simulation import Simulation
from .verdict import station_state


def theory_of(sim: Simulation, record: AskRecord, labels: Sequence[str]) -> tuple[Theory, ...]:
    """What theory expects of an ask; empty when its origin is not alive or the protocol has no theory of it.

    labels: of all peers, by number, for the stations among the facts
    """
    origin = record.origin
    if sim.state[origin] != ALIVE:
        return ()
    near = sim.streams.near
    alive = (sim.state == ALIVE) & ~sim.infrastructure
    users, is_user = int((~sim.infrastructure).sum()), int(not sim.infrastructure[origin])
    living = int(alive.sum()) - is_user
    up = np.flatnonzero(alive).tolist()
    facts: dict[str, Any] = {
        "goal": record.goal,
        "peers": users,
        "others": users - is_user,
        "living": living,
        "degree": len(near[origin]),
        "mean_degree": sum(len(near[p]) for p in up) / len(up) if up else 0.0,
        "levels": _levels(sim, origin),
        "nats": _nats(sim, up),
        "stations": {labels[s]: station_state(sim, s) for s in sim.stations},
    }
    rows = sim.program.theory(facts, sim.shared.options)
    # A formula with a logarithm or a power may give 1.5 on one processor and a last bit less on another.
    return tuple(replace(row, value=round(row.value, 9)) for row in rows)


def _nats(sim: Simulation, up: Sequence[PeerId]) -> dict[NatKind, float]:
    """The share of each kind of NAT among these peers; none where nobody is behind one."""
    nat = sim.network.nat
    counts = Counter(nat.behind[peer] for peer in up) if nat is not None else Counter[NatKind]()
    return {kind: count / len(up) for kind, count in counts.items()}


def _levels(sim: Simulation, origin: PeerId) -> list[tuple[int, int]]:
    """For each distance from `origin` over the open streams: (peers at that distance, sum of their degrees)."""
    near = sim.streams.near
    peers, degrees = Counter[int](), Counter[int]()
    for peer, hops in PathLengths(near, origin).within().items():
        peers[hops] += 1
        degrees[hops] += len(near[peer])
    return [(peers[hops], degrees[hops]) for hops in range(len(peers))]
