"""A second process that runs the same run and keeps putting it away, so that the first one need not.

Taking a checkpoint of 1,000 peers of Gnutella stops a swarm for a tenth of a second, of 10,000 for one: twenty and two
hundred times what a person who watches may be made to wait. Three ways out were weighed. To copy only what was touched
needs to know what was touched, and protocols are plain Python that assigns as it likes; every handler would pay for it.
A `fork` of this process makes the operating system copy what is touched, but every reference count is a touch, its page
tables take some milliseconds for each hundred megabytes, and a program with a screen and threads must not fork on
half of the systems there are. A follower needs neither: a run follows from its setup and its commands, so whoever has
these has the run. It costs a second core what the run costs the first, at low priority, and about 60 MB.

It is started when a run has become worth it: until running from the beginning takes longer than from a checkpoint,
there is none, and a swarm of 64 peers that is merely watched never has one. What goes through the pipes is small
(commands, and how far time has come, a few times a second) and never waited for: what the pipe has no room for stays
in an outbox, and of checkpoints that arrive a slice at a time is taken. Should the follower lag, the last checkpoint
is older and a seek takes longer; should it die, the same. It dies with this process, when its input ends.

What a lag costs is bounded where time runs flat out, which is where it comes from: running and putting away is more
work than running. The follower knows how far it is behind and spaces its checkpoints wider then, and `strain` tells
whoever paces time to take turns with it (see `live`): the run goes on a little slower and stays at hand.

Both ends are this program, so what they send each other is pickled. Nothing from a file ever is.
"""

from __future__ import annotations

import os
import pickle
import select
import struct
import sys
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..api import Peer
from ..child import start
from ..errors import SwarmError
from ..setup import Setup
from ..sim.memory import give_back
from ..swarm import Swarm
from ..world.world import World
from .checkpoints import LATE, SPACING, Checkpoint, Frozen, PathKey, Store, cost_of, freeze, thaw, weight
from .codec import pieces, world_of
from .log import Given, Position

if TYPE_CHECKING:
    import subprocess

    from .time_machine import TimeMachine

START_COST = 2 * SPACING
"""Deliveries after which a follower is worth its process: about half a second from the beginning."""
STEPS = 8
"""How often it is told how far time has come, from one checkpoint to the next."""
LAG_MOST = 3 * SPACING
"""Deliveries from the last checkpoint to the end, from which on there is strain: a second of running them again."""
STRAIN_MOST = 4.0
COMING_S = 0.05
"""How long somebody who seeks waits for the rest of a checkpoint that has begun to arrive."""
TAKEN = 1 << 18
"""Bytes that are read in one go: a tenth of a millisecond."""
GIVEN = 1 << 16
HEAD = struct.Struct("<I")


class Follower:
    """The keeper for whoever has a screen: `came` takes a fraction of a millisecond. See `machine.Keeper`."""

    def __init__(self, store: Store | None = None, spacing: int = SPACING, start_cost: int = START_COST) -> None:
        self.store = store or Store()
        self.spacing = spacing
        self.start_cost = start_cost
        self._process: subprocess.Popen[bytes] | None = None
        self._broken = ""
        self._outbox: deque[memoryview] = deque()
        self._inbox = bytearray()
        self._era = 0
        """Counts the futures: checkpoints of one that was discarded may still be under way."""
        self._world: Any = None
        self._told_us = -1
        self._told_cost = 0
        self._told_given = 0
        self._end_cost = 0
        self._near_cost = 0
        """Of the last checkpoint that came, whether or not there was room for it."""
        self._weight = 0
        self._untidy = False

    @property
    def status(self) -> str:
        if self._broken:
            return self._broken
        process = "followed" if self._process else "not followed yet"
        return f"{process}, {len(self.store.kept)} checkpoints, {self.store.bytes / 1e6:.1f} MB"

    @property
    def pid(self) -> int | None:
        """Of the process, if there is one."""
        return self._process.pid if self._process else None

    @property
    def strain(self) -> float:
        if self._process is None:
            return 0.0
        lag, most = self._end_cost - self._near_cost, LAG_MOST + LATE * self._weight
        return min(lag / most, STRAIN_MOST) if lag > most else 0.0

    def came(self, machine: TimeMachine) -> None:
        if self._broken:
            return
        cost = cost_of(machine.swarm)
        if machine.live:
            self._end_cost = cost
        if self._process is None:
            if cost < self.start_cost:
                return
            self._start(machine)
        if self._world is not None:
            self._send_world(machine)
        elif machine.end_us > self._told_us and (
            not machine.live or abs(cost - self._told_cost) >= self.spacing // STEPS
        ):
            self._tell(machine, cost)
        self._push()
        self._pull()

    def gather(self) -> None:
        self._push()
        while self._pull() or self._coming():
            pass

    def _coming(self) -> bool:
        """Whether there is more of a checkpoint that has begun to arrive, soon."""
        process = self._process
        if not self._inbox or process is None or process.stdout is None:
            return False
        return bool(select.select([process.stdout], [], [], COMING_S)[0])

    def cut(self, to: Position) -> None:
        self.store.cut(to)
        self._era += 1
        if self._process is None or self._broken:
            return
        # It is beyond that point, or may be: it goes on from a checkpoint, or from the beginning.
        one = self.store.kept[-1] if self.store.kept else None
        paths = {key: bytes(self.store.paths[key]) for key in one.frozen.keys if key in self.store.paths} if one else {}
        if one is not None:
            one = replace(one, frozen=Frozen(bytes(one.frozen.body), one.frozen.keys))
        self._put(("back", self._era, to[1], one, paths))
        self._told_given = min(self._told_given, to[1])
        self._told_us, self._told_cost = -1, 0
        self._near_cost = one.cost if one else 0

    def close(self) -> None:
        self.store = Store(self.store.budget, self.store.most)
        self._end("the run is over")

    # --- the process --------------------------------------------------------------------------------------

    def _start(self, machine: TimeMachine) -> None:
        try:
            self._process = start("record.worker", start_new_session=True)
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            os.set_blocking(self._process.stdin.fileno(), False)
            os.set_blocking(self._process.stdout.fileno(), False)
        except OSError as error:
            self._end(f"nobody follows this run: {error.strerror or error}")
            return
        program: type[Peer] | None = machine.program
        self._put(("begin", self.spacing, machine.setup, program))
        self._world = pieces(machine.world)

    def _send_world(self, machine: TimeMachine) -> None:
        """A piece at a time: all of a large world at once would be felt."""
        if len(self._outbox) > 2:
            return
        piece = next(self._world, None)
        if piece is None:
            self._world = None
        self._put(("world", piece))

    def _tell(self, machine: TimeMachine, cost: int) -> None:
        """Commands that are new, and how far time has come: no command will be older than that."""
        if len(self._outbox) > 50:
            return
        for given in machine.log[self._told_given :]:
            self._put(("do", given))
        self._told_given = len(machine.log)
        self._put(("until", self._era, machine.end_us, self._end_cost))
        self._told_cost, self._told_us = cost, machine.end_us

    # --- the pipes ----------------------------------------------------------------------------------------

    def _put(self, message: Any) -> None:
        data = pickle.dumps(message, 5)
        self._outbox.append(memoryview(HEAD.pack(len(data)) + data))

    def _push(self) -> None:
        """As much as the pipe takes now."""
        process = self._process
        if process is None or process.stdin is None:
            return
        try:
            while self._outbox:
                head = self._outbox[0]
                count = os.write(process.stdin.fileno(), head[:GIVEN])
                if count < len(head):
                    self._outbox[0] = head[count:]
                else:
                    self._outbox.popleft()
        except BlockingIOError:
            return
        except OSError:
            self._end("nobody follows this run any more: the process ended")

    def _pull(self) -> bool:
        """One thing of what is to be done, each a millisecond or two: give back what taking in a checkpoint left
        behind, take in one that is complete, or read a slice of what is waiting. Whether there was anything."""
        if self._untidy:
            self._untidy = False
            give_back()
            return True
        if self._take_in():
            return True
        process = self._process
        if process is None or process.stdout is None:
            return False
        try:
            data = os.read(process.stdout.fileno(), TAKEN)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._end("nobody follows this run any more: the process ended")
            return False
        self._inbox += data
        return True

    def _take_in(self) -> bool:
        """A checkpoint that has arrived whole."""
        if len(self._inbox) < HEAD.size:
            return False
        (size,) = HEAD.unpack_from(self._inbox)
        if len(self._inbox) < HEAD.size + size:
            return False
        era, one, fresh = pickle.loads(memoryview(self._inbox)[HEAD.size : HEAD.size + size])
        del self._inbox[: HEAD.size + size]
        if era == self._era:
            assert isinstance(one, Checkpoint)
            self.store.add(one, fresh)
            self._near_cost, self._weight = one.cost, weight(one)
            self._untidy = True
        return True

    def _end(self, why: str) -> None:
        process, self._process, self._broken = self._process, None, why
        self._world = None
        self._outbox.clear()
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
            process.kill()
            process.wait()


# The process that `follower.Follower` starts: runs a run again, a little behind, and sends checkpoints of it.
#
# Reads messages from its input and writes to its output, each a length and a pickle. It works in coarse steps and looks
# for messages between two of them; with nothing to do it sleeps in a read, and when its input ends, so does it.

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
