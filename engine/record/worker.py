"""A second process that runs the same run a little later and takes its checkpoints.

Taking a checkpoint of 1,000 peers of Gnutella stops a swarm for a tenth of a second, of 10,000 peers for one second:
20 and 200 times what a person who watches should have to wait. Two other ways were considered. Copying only what has
changed needs to know what has changed, but protocols are plain Python and assign to their attributes freely; noticing
each change would make every handler slower. A `fork` of this process makes the operating system copy what changes, but
every reference count is a change, the page tables take some milliseconds for each 100 MB, and on half of the operating
systems a program with a screen and threads must not fork. The worker needs neither: a run follows from its setup and
its commands, which are sent to it. It uses a second core as much as the run uses the first, at low priority, and about
60 MB.

* **Start.** The process is started when the run has become so long that a seek from the beginning takes longer than one
  from a checkpoint. For a swarm of 64 peers that is only watched it is never started.
* **No waiting.** Messages to it are small (commands, and several times from one checkpoint to the next the time that
  the run has reached). What the pipe does not take stays in an outbox; checkpoints that arrive are read a slice at a
  time. If the worker is late or has died, the last checkpoint is older and a seek takes longer. It ends when its input
  ends, so it ends with this process.
* **Backpressure.** With time running as fast as possible, the worker would fall behind more and more, since it runs and
  packs. It is told how far the run is, and takes fewer checkpoints when it is late; and `backpressure` makes the pacer
  rest (see `pacer`).

Messages in both directions are a length of four bytes and a pickle. Both ends are this program; nothing that comes from
a file is ever unpickled.
"""

from __future__ import annotations

import os
import pickle
import select
import struct
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..api import Peer
from ..child import start_module
from ..errors import SwarmError
from ..setup import Setup
from ..sim.memory import give_back
from ..swarm import Swarm
from ..world.world import World
from .checkpoints import (
    LAG_SPACINGS,
    SPACING,
    Checkpoint,
    CheckpointedRun,
    CheckpointStore,
    PackedSwarm,
    PartKey,
    cost_of,
    extra_spacing,
    pack_swarm,
    unpack_swarm,
)
from .codec import world_from_pieces, world_to_pieces
from .log import LoggedCommand, Position

if TYPE_CHECKING:
    import subprocess

LENGTH = struct.Struct("<I")
"""The length before each message."""

# --- in the process of the screen -------------------------------------------------------------------------------

START_COST = 2 * SPACING
"""Deliveries after which the process is started: running them takes about half a second."""
REPORTS = 8
"""Messages about the time that the run has reached, from one checkpoint to the next."""
LAG_MAX = 3 * SPACING
"""Deliveries from the last checkpoint to the end of the run without backpressure: running them takes a second."""
BACKPRESSURE_MAX = 4.0
RECEIVE_WAIT_S = 0.05
"""How long a seek waits for the rest of a checkpoint that has begun to arrive."""
READ_BYTES = 1 << 18
"""Bytes that are read at once: a tenth of a millisecond."""
WRITE_BYTES = 1 << 16


class CheckpointWorker:
    """Takes checkpoints in another process, for programs with a screen: `on_advanced` takes less than a millisecond.

    spacing: deliveries from one checkpoint to the next. start_cost: deliveries after which the process is started.
    """

    def __init__(
        self, store: CheckpointStore | None = None, spacing: int = SPACING, start_cost: int = START_COST
    ) -> None:
        self.store = store or CheckpointStore()
        self.spacing = spacing
        self.start_cost = start_cost
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = ""
        """Why there is no process any more."""
        self._outbox: deque[memoryview] = deque()
        self._inbox = bytearray()
        self._branch = 0
        """Counts how often the end of the run was discarded: checkpoints of what was discarded may still arrive."""
        self._world: Iterator[tuple[str, bytes]] | None = None
        """The pieces of the world that have not been sent."""
        self._sent_us = -1
        self._sent_cost = 0
        self._sent_commands = 0
        self._end_cost = 0
        self._last_cost = 0
        """The cost of the last checkpoint that arrived, kept or not."""
        self._extra_spacing = 0
        self._memory_to_return = False

    @property
    def status(self) -> str:
        if self._ended:
            return self._ended
        process = "taken by a process" if self._process else "no process yet"
        return f"{process}, {len(self.store.checkpoints)} checkpoints, {self.store.bytes / 1e6:.1f} MB"

    @property
    def pid(self) -> int | None:
        """Process id of the worker, or None."""
        return self._process.pid if self._process else None

    @property
    def backpressure(self) -> float:
        if self._process is None:
            return 0.0
        lag, lag_max = self._end_cost - self._last_cost, LAG_MAX + LAG_SPACINGS * self._extra_spacing
        return min(lag / lag_max, BACKPRESSURE_MAX) if lag > lag_max else 0.0

    def on_advanced(self, run: CheckpointedRun) -> None:
        if self._ended:
            return
        cost = cost_of(run.swarm)
        if run.live:
            self._end_cost = cost
        if self._process is None:
            if cost < self.start_cost:
                return
            self._start(run)
        if self._world is not None:
            self._send_world()
        elif run.end_us > self._sent_us and (not run.live or abs(cost - self._sent_cost) >= self.spacing // REPORTS):
            self._send_progress(run, cost)
        self._write()
        self._receive()

    def receive_all(self) -> None:
        self._write()
        while self._receive() or self._more_arrives():
            pass

    def truncate(self, to: Position) -> None:
        self.store.truncate(to)
        self._branch += 1
        if self._process is None or self._ended:
            return
        # The worker may be beyond that position: it continues from a checkpoint, or from the beginning.
        last = self.store.checkpoints[-1] if self.store.checkpoints else None
        parts: dict[PartKey, bytes] = {}
        if last is not None:
            parts = {key: bytes(self.store.parts[key]) for key in last.packed.keys if key in self.store.parts}
            last = replace(last, packed=PackedSwarm(bytes(last.packed.body), last.packed.keys))
        self._send(("branch", self._branch, to[1], last, parts))
        self._sent_commands = min(self._sent_commands, to[1])
        self._sent_us, self._sent_cost = -1, 0
        self._last_cost = last.cost if last else 0

    def close(self) -> None:
        self.store = CheckpointStore(self.store.bytes_max, self.store.checkpoints_max)
        self._end("the run is over")

    # --- the process ----------------------------------------------------------------------------------------

    def _start(self, run: CheckpointedRun) -> None:
        try:
            self._process = start_module("record.worker", start_new_session=True)
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            os.set_blocking(self._process.stdin.fileno(), False)
            os.set_blocking(self._process.stdout.fileno(), False)
        except OSError as error:
            self._end(f"no checkpoints: the process was not started: {error.strerror or error}")
            return
        self._send(("begin", self.spacing, run.setup, run.program))
        self._world = world_to_pieces(run.world)

    def _end(self, why: str) -> None:
        process, self._process, self._ended = self._process, None, why
        self._world = None
        self._outbox.clear()
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
            process.kill()
            process.wait()

    # --- messages -------------------------------------------------------------------------------------------

    def _send_world(self) -> None:
        """Send the next piece of the world: making all pieces of a large world at once would stop the screen."""
        if self._world is None or len(self._outbox) > 2:
            return
        piece = next(self._world, None)
        if piece is None:
            self._world = None
        self._send(("world", piece))

    def _send_progress(self, run: CheckpointedRun, cost: int) -> None:
        """Send new commands, and the time that the run has reached: no command that is sent later has an earlier
        time."""
        if len(self._outbox) > 50:
            return
        for logged in run.log[self._sent_commands :]:
            self._send(("command", logged))
        self._sent_commands = len(run.log)
        self._send(("until", self._branch, run.end_us, self._end_cost))
        self._sent_cost, self._sent_us = cost, run.end_us

    def _send(self, message: Any) -> None:
        data = pickle.dumps(message, 5)
        self._outbox.append(memoryview(LENGTH.pack(len(data)) + data))

    def _write(self) -> None:
        """Write as much of the outbox as the pipe takes without waiting."""
        process = self._process
        if process is None or process.stdin is None:
            return
        try:
            while self._outbox:
                first = self._outbox[0]
                count = os.write(process.stdin.fileno(), first[:WRITE_BYTES])
                if count < len(first):
                    self._outbox[0] = first[count:]
                else:
                    self._outbox.popleft()
        except BlockingIOError:
            return
        except OSError:
            self._end("no more checkpoints: the process has ended")

    def _receive(self) -> bool:
        """Do one step of 1 or 2 ms: return memory after the last checkpoint, store one that is complete, or read a
        slice of what has arrived. False when there was nothing to do."""
        if self._memory_to_return:
            self._memory_to_return = False
            give_back()
            return True
        if self._store_checkpoint():
            return True
        process = self._process
        if process is None or process.stdout is None:
            return False
        try:
            data = os.read(process.stdout.fileno(), READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._end("no more checkpoints: the process has ended")
            return False
        self._inbox += data
        return True

    def _store_checkpoint(self) -> bool:
        """Store a checkpoint that has arrived completely. False if there is none."""
        message = _take_message(self._inbox)
        if message is None:
            return False
        branch, checkpoint, new_parts = message
        if branch == self._branch:
            assert isinstance(checkpoint, Checkpoint)
            self.store.add(checkpoint, new_parts)
            self._last_cost, self._extra_spacing = checkpoint.cost, extra_spacing(checkpoint)
            self._memory_to_return = True
        return True

    def _more_arrives(self) -> bool:
        """Wait a little if a checkpoint has arrived in part. Returns whether more of it has come."""
        process = self._process
        if not self._inbox or process is None or process.stdout is None:
            return False
        return bool(select.select([process.stdout], [], [], RECEIVE_WAIT_S)[0])


def _take_message(inbox: bytearray) -> Any:
    """Remove the first message from an inbox and return it, or None while it is not complete."""
    if len(inbox) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack_from(inbox)
    end = LENGTH.size + size
    if len(inbox) < end:
        return None
    with memoryview(inbox) as view, view[LENGTH.size : end] as content:
        message = pickle.loads(content)
    del inbox[:end]
    return message


# --- in the process that takes the checkpoints ------------------------------------------------------------------

NICENESS = 5
"""With this priority the process gets a quarter of a core that another program uses fully."""
STEP = 5_000
"""Deliveries between two looks for messages."""


class WorkerRun:
    """The run in the worker process. Call `handle` with each message, and `step` while it returns True.

    output: the file descriptor that checkpoints are written to.
    """

    def __init__(self, output: int) -> None:
        self._output = output
        self._branch = 0
        self._until_us = -1
        self._end_cost = 0
        self._extra_spacing = 0
        self._log: list[LoggedCommand] = []
        self._pieces: list[tuple[str, bytes]] = []
        self._known: dict[PartKey, bytes] = {}
        self._saved_cost = 0
        self._spacing = 0
        self._setup: Setup
        self._program: type[Peer] | None = None
        self._world: World
        self._swarm: Swarm | None = None

    def handle(self, message: Any) -> None:
        match message:
            case ("begin", spacing, setup, program):
                self._spacing, self._setup, self._program = spacing, setup, program
            case ("world", None):
                self._world = world_from_pieces(self._pieces)
                self._pieces = []
                self._swarm = Swarm(self._setup, self._program, self._world)
            case ("world", piece):
                self._pieces.append(piece)
            case ("command", logged):
                self._log.append(logged)
            case ("until", branch, until_us, cost) if branch == self._branch:
                self._until_us, self._end_cost = until_us, cost
            case ("branch", branch, commands, checkpoint, parts):
                self._continue_from(branch, commands, checkpoint, parts)

    def _continue_from(
        self, branch: int, commands: int, checkpoint: Checkpoint | None, parts: dict[PartKey, bytes]
    ) -> None:
        self._branch, self._until_us = branch, -1
        del self._log[commands:]
        if self._swarm is None:
            return
        new = Swarm(self._setup, self._program, self._world)
        self._swarm = unpack_swarm(checkpoint.packed, new, parts) if checkpoint else new
        self._saved_cost = checkpoint.cost if checkpoint else 0
        self._known = dict(parts)

    def step(self) -> bool:
        """Advance by `STEP` deliveries at most; send a checkpoint if one is due. Returns whether there may be more to
        do."""
        swarm = self._swarm
        if swarm is None or swarm.now_us >= self._until_us or swarm.failure is not None:
            return False
        due = self._log[swarm.given].at_us if swarm.given < len(self._log) else self._until_us
        try:
            if swarm.advance(min(due, self._until_us), STEP) < STEP and due < self._until_us:
                self._do_due_commands(swarm)
        except SwarmError:
            return False
        cost = cost_of(swarm)
        spacing = self._spacing + self._extra_spacing
        if self._end_cost - cost > LAG_SPACINGS * spacing:
            spacing *= 2
        if cost - self._saved_cost >= spacing:
            packed, new_parts = pack_swarm(swarm, self._known)
            self._known = dict.fromkeys(packed.keys, b"")
            self._saved_cost = cost
            checkpoint = Checkpoint((swarm.now_us, swarm.given), cost, packed)
            self._extra_spacing = extra_spacing(checkpoint)
            self._send((self._branch, checkpoint, new_parts))
            give_back()
        return True

    def _do_due_commands(self, swarm: Swarm) -> None:
        while swarm.given < len(self._log) and self._log[swarm.given].at_us <= swarm.now_us:
            logged = self._log[swarm.given]
            swarm.do(logged.repeatable, logged.by, logged.contents)
            swarm.selector_rng.state = logged.rng_state

    def _send(self, message: Any) -> None:
        data = pickle.dumps(message, 5)
        view = memoryview(LENGTH.pack(len(data)) + data)
        while view:
            view = view[os.write(self._output, view) :]


def main() -> None:
    """Take checkpoints of the run that the messages on stdin describe, until stdin ends."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    source = sys.stdin.fileno()
    run = WorkerRun(sys.stdout.fileno())
    inbox = bytearray()
    busy = False
    while True:
        if not busy or select.select([source], [], [], 0)[0]:
            data = os.read(source, 1 << 20)
            if not data:
                return
            inbox += data
            while (message := _take_message(inbox)) is not None:
                run.handle(message)
        busy = run.step()
