"""What a textbook foretells for an ask: the facts that a protocol's `theory` is made of.

They are of the graph as it stands, so a figure is exact where the theory is (a flood over these very links) and an
estimate where it is (a rumour told by lot). Whoever shows it should take it when the ask sets out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import exp, log
from typing import Any

import numpy as np

from ..api import PeerId, Theory
from ..measure.asks import AskRecord
from ..measure.snapshot import ALIVE
from ..simulation import Simulation
from .verdict import station_state


def theory_of(sim: Simulation, record: AskRecord, labels: Sequence[str]) -> tuple[Theory, ...]:
    """Rows for one ask; none when its asker is gone or the protocol has no theory of it."""
    origin = record.origin
    if sim.state[origin] != ALIVE:
        return ()
    near = sim.streams.near
    alive = (sim.state == ALIVE) & ~sim.infrastructure
    users, is_user = int((~sim.infrastructure).sum()), int(not sim.infrastructure[origin])
    living = int(alive.sum()) - is_user
    up = np.flatnonzero(alive).tolist()
    facts: dict[str, Any] = {
        "want": record.want,
        "peers": users,
        "others": users - is_user,
        "living": living,
        "degree": len(near[origin]),
        "mean_degree": sum(len(near[p]) for p in up) / len(up) if up else 0.0,
        "levels": _levels(sim, origin),
        "stations": {labels[s]: station_state(sim, s) for s in sim.stations},
    }
    options = sim.shared.options
    if sim.program.model == "infect and die":
        rows = infect_and_die(facts["others"], living, options.fanout)
    else:
        rows = tuple(sim.program.theory(facts, options))
    # A formula with a logarithm or a power may give 1.5 on one processor and a last bit less on another.
    return tuple(replace(row, value=round(row.value, 9)) for row in rows)


def infect_and_die(others: int, living: int, fanout: int) -> tuple[Theory, ...]:
    """A rumour that each tells `fanout` others once, drawn among all, the dead among them (Kermarrec, Massoulié and
    Ganesh 2003). A telling is worth as much as there are living; the share that never hears solves an equation that
    leads, from below, to its smaller root. Generations grow by what the tellings are worth."""
    if not living:
        return ()
    fanout = min(fanout, others)
    worth = fanout * living / others
    deaf = 0.0
    for _ in range(200):
        deaf = exp(-worth * (1.0 - deaf))
    heard = living * (1.0 - deaf)
    told = (
        Theory("reached", heard, f"1 - s of the living, s = e^(-{worth:.2g} (1 - s)) = {deaf:.1%}"),
        Theory("messages", fanout * (heard + 1), f"{fanout} by each who heard"),
    )
    if worth <= 1.0:
        return told
    return (*told, Theory("rounds", log(max(living, 2)) / log(worth), f"ln n / ln {worth:.2g}, to grow to n"))


def _levels(sim: Simulation, origin: PeerId) -> list[tuple[int, int]]:
    """For each distance: (peers, sum of their degrees)."""
    near = sim.streams.near
    seen = bytearray(sim.n)
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
