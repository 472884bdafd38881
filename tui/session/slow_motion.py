"""Slow motion while a question crosses the swarm.

A flood crosses a swarm in under half a second, which is too fast to watch. So after an ask of the user, time slows
until the question needs about `CROSSING_S` of wall time. The length of a crossing is measured where possible: the
median over the traces of the latest asks. Before there is one, it is estimated: the depth of the links around the asker
times the median delay of messages in flight. Slow motion ends when the ask closes, and in any case after one and a half
crossings, as the estimate may be wrong.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engine import AskId, Pacer, PeerId, Snapshot, Swarm

from ..draw.layout import distances

CROSSING_S = 4.0
"""Wall seconds that a crossing should take."""
DELAY_US = 80_000
"""Assumed delay of one hop, when too little is in flight to measure it."""
DELAYS_MIN = 8
"""Messages in flight that the median delay is taken of, at least."""
CROSSINGS_KEPT = 5


class SlowMotion:
    """Slows `pacer` for one ask at a time."""

    def __init__(self, pacer: Pacer) -> None:
        self.enabled = True
        self._pacer = pacer
        self._ask: AskId | None = None
        self._crossings_us: list[int] = []

    def reset(self) -> None:
        """Another run begins: crossings measured in the one before do not count."""
        self._ask, self._crossings_us = None, []

    def on_seeked(self) -> None:
        """Time moved to another moment, which ended slow motion."""
        self._ask = None

    def on_issued(self, ask: AskId, origin: PeerId, snapshot: Callable[[], Snapshot]) -> None:
        """Slow down for this ask. `snapshot` is called only if no crossing was measured."""
        if self.enabled:
            crossing_us = self._crossing_us(origin, snapshot)
            self._pacer.slow_motion(crossing_us / 1e6 / CROSSING_S, int(crossing_us * 1.5))
            self._ask = ask if self._pacer.slowed else None

    def on_closed(self, ask: AskId, swarm: Swarm) -> None:
        """Measure how long its question took to cross the swarm; if time is slow for it, end that."""
        trace = swarm.trace(ask)
        if trace is not None and (trace.hop > 0).any():
            arrived_us = _percentile_95(trace.at_us[trace.hop > 0])
            crossings = [*self._crossings_us, arrived_us - swarm.record(ask).issued_us]
            self._crossings_us = crossings[-CROSSINGS_KEPT:]
        if ask == self._ask:
            self._ask = None
            self._pacer.end_slow_motion()

    def _crossing_us(self, origin: PeerId, snapshot: Callable[[], Snapshot]) -> int:
        """How long a question from `origin` needs to reach 95% of the peers: measured, or else estimated."""
        if self._crossings_us:
            crossing_us = int(np.median(self._crossings_us))
        else:
            now = snapshot()
            flight = now.flight
            measured = len(flight.frm) >= DELAYS_MIN
            delay_us = int(np.median(flight.arrives_us - flight.sent_us)) if measured else DELAY_US
            hops = distances(len(now.state), now.links.a, now.links.b, origin)
            reached = hops[hops > 0]
            crossing_us = delay_us * (_percentile_95(reached) if len(reached) else 2)
        return min(max(crossing_us, 20_000), 60_000_000)


def _percentile_95(values: NDArray[np.int64] | NDArray[np.int32]) -> int:
    """The value that 95 % of them do not exceed. `np.percentile` imports `numpy.ma`, which takes a while."""
    return int(np.sort(values)[(len(values) - 1) * 95 // 100])
