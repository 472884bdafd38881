"""What a textbook foretells for an ask: the facts that a protocol's `theory` is made of.

They are of the graph as it stands, so a figure is exact where the theory is (a flood over these very links) and an
estimate where it is (a rumour told by lot). Whoever shows it should take it when the ask sets out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .accounts import Account
from .api import PeerId, Theory
from .facts import station_state
from .snapshot import ALIVE
from .town import Town


def theory_of(town: Town, account: Account, labels: Sequence[str]) -> tuple[Theory, ...]:
    """Rows for one ask; none when its asker is gone or the protocol has no theory of it."""
    origin = account.origin
    if town.state[origin] != ALIVE:
        return ()
    near = town.streams.near
    alive = town.state[: town.peers] == ALIVE
    living = int(alive.sum()) - int(origin < town.peers)
    up = np.flatnonzero(alive).tolist()
    facts: dict[str, Any] = {
        "want": account.want,
        "peers": town.peers,
        "others": town.peers - int(origin < town.peers),
        "living": living,
        "degree": len(near[origin]),
        "mean_degree": sum(len(near[p]) for p in up) / len(up) if up else 0.0,
        "levels": _levels(town, origin),
        "stations": {labels[s]: station_state(town, s) for s in town.stations},
    }
    return tuple(town.program.theory(facts, town.desk.options))


def _levels(town: Town, origin: PeerId) -> list[tuple[int, int]]:
    """For each distance: (peers, sum of their degrees)."""
    near = town.streams.near
    seen = bytearray(town.n)
    seen[origin] = 1
    front, levels = [origin], []
    while front:
        levels.append((len(front), sum(len(near[p]) for p in front)))
        onward = []
        for p in front:
            for q in near[p]:
                if not seen[q]:
                    seen[q] = 1
                    onward.append(q)
        front = onward
    return levels
