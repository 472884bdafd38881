"""The process that `follower.Follower` starts: runs a run again, a little behind, and sends checkpoints of it.

Reads messages from its input and writes to its output, each a length and a pickle. It works in coarse steps and looks
for messages between two of them; with nothing to do it sleeps in a read, and when its input ends, so does it.
"""

from __future__ import annotations

import os
import pickle
import select
import sys
from typing import Any

from ..api import Peer
from ..errors import SwarmError
from ..setup import Setup
from ..sim.memory import give_back
from ..swarm import Swarm
from ..world.world import World
from .checkpoints import LATE, Checkpoint, cost_of, weight
from .freeze import PathKey, freeze, thaw
from .log import Given
from .worker import HEAD
from .worlds import world_of

NICENESS = 5
"""Beside a program that uses all of its core, a quarter of that is left for this one."""
BITE = 5_000


class Following:
    """One run, a little behind. `take` messages, and `work` while there is some."""

    def __init__(self, out: int) -> None:
        self._out = out
        self._era = 0
        self._until_us = -1
        self._end_cost = 0
        self._weight = 0
        self._log: list[Given] = []
        self._pieces: list[tuple[str, bytes]] = []
        self._known: dict[PathKey, bytes] = {}
        self._saved_cost = 0
        self._spacing = 0
        self._setup: Setup
        self._program: type[Peer] | None = None
        self._world: World
        self._swarm: Swarm | None = None

    def take(self, message: Any) -> None:
        """One message."""
        match message:
            case ("begin", spacing, setup, program):
                self._spacing, self._setup, self._program = spacing, setup, program
            case ("world", None):
                self._world = world_of(self._pieces)
                self._pieces = []
                self._swarm = Swarm(self._setup, self._program, self._world)
            case ("world", piece):
                self._pieces.append(piece)
            case ("do", given):
                self._log.append(given)
            case ("until", era, until_us, cost) if era == self._era:
                self._until_us, self._end_cost = until_us, cost
            case ("back", era, commands, one, paths):
                self._back(era, commands, one, paths)

    def _back(self, era: int, commands: int, one: Checkpoint | None, paths: dict[PathKey, bytes]) -> None:
        self._era, self._until_us = era, -1
        del self._log[commands:]
        if self._swarm is None:
            return
        fresh = Swarm(self._setup, self._program, self._world)
        self._swarm = thaw(one.frozen, fresh, paths) if one else fresh
        self._saved_cost = one.cost if one else 0
        self._known = dict(paths)

    def work(self) -> bool:
        """One step. Whether there may be more to do."""
        swarm = self._swarm
        if swarm is None or swarm.now_us >= self._until_us or swarm.failure is not None:
            return False
        due = self._log[swarm.given].at_us if swarm.given < len(self._log) else self._until_us
        try:
            if swarm.advance(min(due, self._until_us), BITE) < BITE and due < self._until_us:
                self._again(swarm)
        except SwarmError:
            return False
        cost = cost_of(swarm)
        spacing = self._spacing + self._weight
        if self._end_cost - cost > LATE * spacing:
            spacing *= 2
        if cost - self._saved_cost >= spacing:
            frozen, fresh = freeze(swarm, self._known)
            self._known = dict.fromkeys(frozen.keys, b"")
            self._saved_cost = cost
            one = Checkpoint((swarm.now_us, swarm.given), cost, frozen)
            self._weight = weight(one)
            self._send((self._era, one, fresh))
            give_back()
        return True

    def _again(self, swarm: Swarm) -> None:
        """Commands that are due now."""
        while swarm.given < len(self._log) and self._log[swarm.given].at_us <= swarm.now_us:
            given = self._log[swarm.given]
            swarm.do(given.again, given.by)
            swarm.selector_rng.state = given.drawn

    def _send(self, message: Any) -> None:
        data = pickle.dumps(message, 5)
        view = memoryview(HEAD.pack(len(data)) + data)
        while view:
            view = view[os.write(self._out, view) :]


def main() -> None:
    """Follow until the input ends."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    source = sys.stdin.fileno()
    following = Following(sys.stdout.fileno())
    inbox = bytearray()
    busy = False
    while True:
        if not busy or select.select([source], [], [], 0)[0]:
            data = os.read(source, 1 << 20)
            if not data:
                return
            inbox += data
            while len(inbox) >= HEAD.size:
                (size,) = HEAD.unpack_from(inbox)
                if len(inbox) < HEAD.size + size:
                    break
                following.take(pickle.loads(memoryview(inbox)[HEAD.size : HEAD.size + size]))
                del inbox[: HEAD.size + size]
        busy = following.work()


if __name__ == "__main__":
    main()
