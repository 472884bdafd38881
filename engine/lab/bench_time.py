"""What going back costs, for `swarmtop bench`: recording, a checkpoint, a seek.

Seconds are of computing in this process, so that others on the machine do not count. Floods are timed in pairs,
recorded and not, in turn, through one swarm; the run that is sought in is a Gnutella with background asks and churn,
with the checkpoints of this process (the dashboard has a follower process make them).
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ..commands import AskFor
from ..record.freeze import freeze, thaw
from ..record.time_machine import Checkpoints, TimeMachine
from ..setup import Setup
from ..sim.rng import Stream
from ..swarm import Swarm

SECOND_US = 1_000_000
FRAME_US = 10_000
SEEKS = 9


@dataclass(frozen=True, slots=True)
class GoingBack:
    """Seconds of computing: a checkpoint, its thawing, a seek (median and longest of some); `bytes` of a checkpoint."""

    checkpoint_s: float
    thaw_s: float
    bytes: int
    seek_s: float
    longest_seek_s: float


def recording_share(swarm: Swarm, pairs: int = 7) -> float:
    """What recording adds to a flood, as a share of its time; the median of the pairs. All are floods of one swarm: two
    that were made alike lie differently in memory, and differ by more than what is asked for."""
    machine = TimeMachine(swarm)
    machine.advance(FRAME_US)
    _flood_s(machine)
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(pairs):
            took = {}
            for recorded in (True, False) if i % 2 else (False, True):
                if recorded:
                    machine.record(str(Path(folder) / "run.swarm"), {}, time.monotonic)
                took[recorded] = _flood_s(machine)
                machine.stop_recording()
            ratios.append(took[True] / took[False])
    machine.close()
    return statistics.median(ratios) - 1


def flood_s(swarm: Swarm, path: str) -> float:
    """Seconds of computing that a flood from peer 0 takes, its fingerprint included, while the run is recorded in a
    file."""
    machine = TimeMachine(swarm)
    machine.record(path, {}, time.monotonic)
    # What peers do when they start is no part of it.
    machine.advance(FRAME_US)
    took = _flood_s(machine)
    machine.close()
    return took


def _flood_s(machine: TimeMachine) -> float:
    gc.collect()
    start = time.process_time()
    machine.swarm.do(AskFor(0, "nobody has this"))
    while not machine.swarm.quiet():
        machine.advance(machine.now_us + FRAME_US)
    machine.swarm.fingerprint()
    return time.process_time() - start


def going_back(peers: int, seconds: int) -> GoingBack:
    """Of a run so long, at moments drawn from all of it."""
    run = Swarm(Setup(peers=peers, churn="exponential:600", asks_per_s=0.2))
    machine = TimeMachine(run, keeper=Checkpoints())
    while machine.now_us < seconds * SECOND_US:
        machine.advance(machine.now_us + SECOND_US)
    swarm = machine.swarm
    start = time.process_time()
    frozen, fresh = freeze(swarm, {})
    frozen_s = time.process_time()
    thaw(frozen, swarm, fresh)
    thawed_s = time.process_time()
    rng = Stream("bench/seek")
    took = []
    for _ in range(SEEKS):
        begun = time.process_time()
        for _share in machine.seek(rng.randrange(seconds * SECOND_US)):
            pass
        took.append(time.process_time() - begun)
    machine.close()
    return GoingBack(frozen_s - start, thawed_s - frozen_s, len(frozen.body), statistics.median(took), max(took))
