"""Checkpoints of one run, in memory, within so many bytes.

They are spaced by what it costs to run from one to the next, not by virtual time: a second of a flood is dearer than
an hour of silence. When there is no more room, the one goes whose going widens a gap least *for its age*: gaps then
grow in proportion to how long ago they are, so that what has just happened is near at hand and the beginning of a long
run is still there. The newest stays, unless it alone is too large.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..swarm import Swarm
from .freeze import Frozen, PathKey, thaw
from .log import Position

BUDGET = 64 << 20
"""Bytes."""
SPACING = 20_000
"""Deliveries from one checkpoint to the next: a third of a second of running them again, with all that peers do."""
SECOND_COST = 40
"""What a second of virtual time costs when nothing is delivered, in deliveries: samples, timers, ticks."""
KEY_BYTES = 16
ITEM_BYTES = 200


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A swarm at a position. `cost` is what running there from the start takes, in deliveries."""

    at: Position
    cost: int
    frozen: Frozen

    @property
    def bytes(self) -> int:
        """Room that it takes, paths not counted."""
        return len(self.frozen.body) + KEY_BYTES * len(self.frozen.keys) + ITEM_BYTES


def cost_of(swarm: Swarm) -> int:
    """What it took to come here, in deliveries."""
    town = swarm.town
    return town.kernel.delivered + town.books.dropped + swarm.now_us * SECOND_COST // 1_000_000


class Store:
    """Keeps checkpoints in order of time."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = budget
        self.kept: list[Checkpoint] = []
        self.paths: dict[PathKey, bytes] = {}
        self._users: Counter[PathKey] = Counter()
        self.bytes = 0

    def add(self, one: Checkpoint, fresh: Mapping[PathKey, bytes]) -> None:
        """Keep one more, later than all others, with the paths that came with it."""
        self.kept.append(one)
        self.paths.update(fresh)
        self._users.update(one.frozen.keys)
        self.bytes += one.bytes + sum(ITEM_BYTES + len(path) for path in fresh.values())
        while self.bytes > self.budget and self.kept:
            self._drop(self._least_missed())

    def nearest(self, to: Position) -> Checkpoint | None:
        """The last one from which running on leads to a position."""
        for one in reversed(self.kept):
            if one.at[0] <= to[0] and one.at[1] <= to[1]:
                return one
        return None

    def thaw(self, one: Checkpoint, like: Swarm) -> Swarm:
        """The swarm of a checkpoint; `like` is any swarm of the same world."""
        return thaw(one.frozen, like, self.paths)

    def cut(self, to: Position) -> None:
        """What came after a position never was."""
        gone = [one for one in self.kept if one.at[0] > to[0] or one.at[1] > to[1]]
        self.kept = [one for one in self.kept if one.at[0] <= to[0] and one.at[1] <= to[1]]
        self._forget(gone)

    def _least_missed(self) -> int:
        kept = self.kept
        if len(kept) < 3:
            return 0
        now = kept[-1].cost
        costs = [0, *(one.cost for one in kept)]
        return min(range(len(kept) - 1), key=lambda i: (costs[i + 2] - costs[i]) / (now - costs[i + 1] + SPACING))

    def _drop(self, number: int) -> None:
        self._forget([self.kept.pop(number)])

    def _forget(self, gone: Iterable[Checkpoint]) -> None:
        """Paths of which nobody has need any more go too."""
        for one in gone:
            self.bytes -= one.bytes
            for key in one.frozen.keys:
                self._users[key] -= 1
                if not self._users[key]:
                    del self._users[key]
                    self.bytes -= ITEM_BYTES + len(self.paths.pop(key)) if key in self.paths else 0
