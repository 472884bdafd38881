"""What a look at the whole swarm tells once a second: how load is spread, whether the overlay hangs together, and how
much of what peers believe is so.

Nothing here draws or changes anything, so that a run is the same whether it is looked at or not. The cost is bounded:
beliefs are asked of a few peers each second, in turn, and the overlay is only gone through when it has changed.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import PeerFailed
from ..measure.snapshot import ALIVE
from ..simulation import Simulation
from .graphs import components

BELIEVERS = 16
"""Peers that are asked each second for what they believe."""
KNOWN_MOST = 200
"""Acquaintances of one of them that are looked at."""
POOLED = 8
"""Seconds whose beliefs make one figure, unless everybody has been asked sooner."""
NAN = float("nan")


class Gauges:
    """Reads a simulation. One value for each of `measure.metrics.GAUGES`:

    load               messages delivered to a living peer in the last second, mean
    load_max           the most that one got, in times of the mean
    load_gini          0 where all get as many, towards 1 where one gets all
    components         parts into which the living fall over links that carry (neither end censored or parted)
    largest_component  share of the living that are in the largest part; NaN where the network keeps no links
    belief_error       share of the peers that living ones know of that are dead or gone
    """

    def __init__(self, sim: Simulation) -> None:
        self._simulation = sim
        self._next = 0
        self._beliefs: deque[tuple[int, int]] = deque(maxlen=min(POOLED, -(-sim.n // BELIEVERS)))
        self._key: Any = None
        self._parts = (NAN, NAN)

    def read(self, load: NDArray[np.float32]) -> tuple[float, ...]:
        """The values now; `load` is what each peer got in the last second."""
        alive = self._simulation.state == ALIVE
        return (*spread(load[alive]), *self._overlay(alive), self._believed(alive))

    def _overlay(self, alive: NDArray[np.bool_]) -> tuple[float, float]:
        sim = self._simulation
        key = (sim.streams.version, alive.tobytes(), sim.censored.tobytes(), sim.group.tobytes())
        if key != self._key:
            self._key = key
            a, b = sim.streams.columns()
            carries = alive[a] & alive[b] & ~sim.censored[a] & ~sim.censored[b] & (sim.group[a] == sim.group[b])
            living = int(alive.sum())
            if not sim.streams.count or not living:
                self._parts = (NAN, NAN)
            else:
                sizes = np.bincount(components(sim.n, a[carries], b[carries])[alive])
                self._parts = (float(np.count_nonzero(sizes)), float(sizes.max()) / living)
        return self._parts

    def _believed(self, alive: NDArray[np.bool_]) -> float:
        """A few peers at a time, in order of their ids, so that nothing is drawn."""
        sim = self._simulation
        wrong = known = 0
        for _ in range(min(BELIEVERS, sim.n)):
            peer = self._next % sim.n
            self._next = peer + 1
            program = sim.programs[peer]
            if program is None or sim.infrastructure[peer]:
                continue
            try:
                beliefs = program.beliefs()
            except Exception as error:
                raise PeerFailed(peer, "beliefs", error) from error
            for _, other in zip(range(KNOWN_MOST), beliefs.known, strict=False):
                known += 1
                # An address that somebody made up is as wrong as that of a dead peer.
                wrong += not (type(other) is int and 0 <= other < sim.n and alive[other])
        self._beliefs.append((wrong, known))
        total = sum(each for _, each in self._beliefs)
        return sum(each for each, _ in self._beliefs) / total if total else NAN


def spread(load: NDArray[np.float32]) -> tuple[float, float, float]:
    """Mean, greatest over mean, and Gini coefficient of some loads; NaN where there are none to compare."""
    n = len(load)
    total = float(load.sum(dtype=np.float64))
    if not n:
        return NAN, NAN, NAN
    if not total:
        return 0.0, NAN, NAN
    ranks = np.arange(1, n + 1, dtype=np.float64)
    gini = 2.0 * float((ranks * np.sort(load)).sum()) / (n * total) - (n + 1) / n
    return total / n, float(load.max()) * n / total, max(0.0, gini)
