"""What going back costs, for `swarmtop bench`: recording, a checkpoint, a seek.

Seconds are of computing in this process, so that others on the machine do not count. Floods are timed in pairs,
recorded and not, in turn; the run that is sought in is a Gnutella with background asks and churn, with the checkpoints
of this process (the dashboard has a follower process make them).
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..commands import AskFor
from ..core.rand import Stream
from ..record.freeze import freeze, thaw
from ..record.machine import Checkpoints, TimeMachine
from ..setup import Setup
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


def recording_share(swarm_of: Callable[[int], Swarm], peers: int, pairs: int = 3) -> float:
    """What recording adds to a flood, as a share of its time; the median of the pairs."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "run.swarm")
        ratios = [flood_s(swarm_of(peers), path) / flood_s(swarm_of(peers), None) for _ in range(pairs)]
        return statistics.median(ratios) - 1


def flood_s(swarm: Swarm, path: str | None) -> float:
    """Seconds of computing that a flood from peer 0 takes, its fingerprint included; recorded in a file, if there is a
    path."""
    machine = TimeMachine(swarm)
    if path is not None:
        machine.record(path, {}, time.monotonic)
    # What peers do when they start is no part of it.
    machine.advance(FRAME_US)
    gc.collect()
    start = time.process_time()
    machine.swarm.do(AskFor(0, "nobody has this"))
    while not machine.swarm.quiet():
        machine.advance(machine.now_us + FRAME_US)
    machine.swarm.fingerprint()
    took = time.process_time() - start
    machine.close()
    return took


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
