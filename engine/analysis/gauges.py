"""Measurements of the whole swarm, taken once a second: distribution of load, connectivity of the overlay, and the
share of the peers' beliefs that are wrong.

Nothing here draws a random number or changes a peer, so measuring does not change a run. The cost is bounded: beliefs
are read from a few peers each second, in turn, and components are computed again only when the overlay has changed.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import PeerFailed
from ..measure.snapshot import ALIVE
from ..programs import beliefs_of
from ..simulation import Simulation
from .graphs import components

PEERS_READ = 16
"""Peers whose beliefs are read each second."""
KNOWN_MOST = 200
"""Known peers that are read from one of them."""
SECONDS_POOLED = 8
"""Seconds whose beliefs are summed to one value; fewer if all peers have been read sooner."""
NAN = float("nan")


class Gauges:
    """Measures a simulation. One value for each of `measure.metrics.GAUGES`:

    load               messages delivered to a living peer in the last second, mean
    load_max           the greatest of these numbers, divided by the mean
    load_gini          Gini coefficient of these numbers: 0 if all are equal, towards 1 if one peer gets all messages
    components         connected components of the living peers, over links that are not blocked by a censor or a
                       partition; NaN where the network keeps no links
    largest_component  share of the living peers that are in the largest component; NaN likewise
    belief_error       share of the peers that living peers know of that are dead or have left
    """

    def __init__(self, sim: Simulation) -> None:
        self._simulation = sim
        self._next = 0
        self._beliefs: deque[tuple[int, int]] = deque(maxlen=min(SECONDS_POOLED, -(-sim.n // PEERS_READ)))
        self._key: Any = None
        """State from which `_components` was computed."""
        self._components = (NAN, NAN)
        """Number of components, and the share of the largest."""

    def read(self, load: NDArray[np.float32]) -> tuple[float, ...]:
        """The values now. load: messages that each peer got in the last second, float32 (n,). Raises PeerFailed."""
        alive = self._simulation.state == ALIVE
        return (*spread(load[alive]), *self._connectivity(alive), self._belief_error(alive))

    def _connectivity(self, alive: NDArray[np.bool_]) -> tuple[float, float]:
        sim = self._simulation
        key = (sim.streams.version, alive.tobytes(), sim.censored.tobytes(), sim.group.tobytes())
        if key != self._key:
            self._key = key
            a, b = sim.streams.columns()
            usable = alive[a] & alive[b] & ~sim.censored[a] & ~sim.censored[b] & (sim.group[a] == sim.group[b])
            living = int(alive.sum())
            if not sim.streams.count or not living:
                self._components = (NAN, NAN)
            else:
                sizes = np.bincount(components(sim.n, a[usable], b[usable])[alive])
                self._components = (float(np.count_nonzero(sizes)), float(sizes.max()) / living)
        return self._components

    def _belief_error(self, alive: NDArray[np.bool_]) -> float:
        """Reads the next few peers in order of their ids, so that nothing is drawn."""
        sim = self._simulation
        wrong = known = 0
        for _ in range(min(PEERS_READ, sim.n)):
            peer = self._next % sim.n
            self._next = peer + 1
            program = sim.programs[peer]
            if program is None or sim.infrastructure[peer]:
                continue
            try:
                beliefs = beliefs_of(program)
            except Exception as error:
                raise PeerFailed(peer, "beliefs", error) from error
            for _, other in zip(range(KNOWN_MOST), beliefs.known, strict=False):
                known += 1
                # An invented address counts as wrong, as that of a dead peer does.
                wrong += not (type(other) is int and 0 <= other < sim.n and alive[other])
        self._beliefs.append((wrong, known))
        total = sum(each for _, each in self._beliefs)
        return sum(each for each, _ in self._beliefs) / total if total else NAN


def spread(load: NDArray[np.float32]) -> tuple[float, float, float]:
    """Mean, maximum divided by mean, and Gini coefficient of some loads; NaN where these are not defined."""
    n = len(load)
    total = float(load.sum(dtype=np.float64))
    if not n:
        return NAN, NAN, NAN
    if not total:
        return 0.0, NAN, NAN
    ranks = np.arange(1, n + 1, dtype=np.float64)
    gini = 2.0 * float((ranks * np.sort(load)).sum()) / (n * total) - (n + 1) / n
    return total / n, float(load.max()) * n / total, max(0.0, gini)
