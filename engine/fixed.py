"""What does not change while a swarm runs: names, roles, places, lines, kinds of messages. Made once, by `Swarm`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .api import PARTS, Line, Peer, Station
from .setup import Setup
from .snapshot import Fixed, Kind
from .world.places import Latency
from .world.topology import Topology


def fixed_of(
    setup: Setup,
    graph: Topology,
    program: type[Peer],
    stations: Sequence[Station],
    delays: Latency,
    lines: Sequence[Line],
    messages: Sequence[type[Any]],
) -> Fixed:
    """Columns of all peers and, after them, of the stations. `lines` may be empty: then nothing limits them."""
    n = graph.n + len(stations)
    width = len(str(graph.n - 1)) if graph.n > 1000 else 3
    names = graph.labels or tuple(f"p{i:0{width}d}" for i in range(graph.n))
    crew = [program] * graph.n + [station.program for station in stations]
    roles = tuple(dict.fromkeys(kind.role for kind in crew))
    return Fixed(
        protocol=program.name or setup.protocol,
        seed=setup.seed,
        labels=(*names, *(station.label for station in stations)),
        roles=roles,
        role=np.array([roles.index(kind.role) for kind in crew], np.uint8),
        operator=("",) * graph.n + tuple(station.operator for station in stations),
        place=np.array(delays.place, np.int32),
        places=delays.places,
        peers=graph.n,
        up_kbit_s=np.array([line.up_kbit_s for line in lines], np.int32) if lines else np.zeros(n, np.int32),
        down_kbit_s=np.array([line.down_kbit_s for line in lines], np.int32) if lines else np.zeros(n, np.int32),
        nat=np.array([line.nat for line in lines], np.bool_) if lines else np.zeros(n, np.bool_),
        kinds=tuple(Kind(kind.kind, PARTS[kind.part_code], kind.over) for kind in messages),
    )
