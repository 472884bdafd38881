"""How far the dead have faded: a flash where somebody was killed, which dims for two seconds of the viewer's time.

A person who kills a peer, or sees churn take one, should see where; and a minute later, who is still up and not who
once was. So the dead never vanish, and they do not shout either.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine import DEAD, Snapshot

STAGES_S = (0.25, 1.0, 2.0)
"""Wall seconds after a death at which the first inks of DYING give way to the next."""


class Fading:
    """Hand it each snapshot with `follow`."""

    def __init__(self) -> None:
        self._dead: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._died_s: NDArray[np.float64] = np.zeros(0)
        self._last_s = -1e9

    def follow(self, snapshot: Snapshot, wall_s: float, *, fresh: bool) -> None:
        """Note who died since the last one. fresh: it is another swarm, whose dead were dead before one looked."""
        dead = snapshot.state == DEAD
        n = len(dead)
        if fresh or n < len(self._dead):
            self._dead, self._died_s, self._last_s = dead, np.full(n, -1e9), -1e9
            return
        if n > len(self._dead):
            more = n - len(self._dead)
            self._dead = np.concatenate((self._dead, np.ones(more, np.bool_)))
            self._died_s = np.concatenate((self._died_s, np.full(more, -1e9)))
        died = dead & ~self._dead
        if died.any():
            self._died_s[died] = wall_s
            self._last_s = wall_s
        self._dead = dead

    def fading(self, wall_s: float) -> bool:
        """Whether anybody is not yet as dim as the dead are."""
        return 0 <= wall_s - self._last_s < STAGES_S[-1]

    def stages(self, wall_s: float) -> NDArray[np.uint8]:
        """An index into DYING for each peer (N,); it means something for the dead alone."""
        return np.searchsorted(STAGES_S, wall_s - self._died_s, side="right").astype(np.uint8)
