"""What going back costs: recording, a checkpoint, a seek, and how much they slow the run down.

    python tests/bench/bench_record.py [--peers 1000] [--seconds 600] [--flood 10000] [--pairs 7] [--busy 0]

Seconds are processor time of this process, unless it says wall time. The run
is Gnutella with background asks and churn. Floods are timed in pairs, recorded and not, in turn, through one swarm.

`--busy 1` runs so many other processes that compute meanwhile. The part where time runs as fast as it goes, paced as on
screen, and somebody seeks as soon as it stops, is what they make hard: there the follower has least of a core.
"""

from __future__ import annotations

import argparse
import gc
import math
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import anyio

from engine import Kill, Pacer, Setup, Swarm
from engine.lab.bench import flooded, recording_share
from engine.record.checkpoints import cost_of, pack_swarm, unpack_swarm
from engine.record.gc import free_in_steps
from engine.record.time_machine import TimeMachine
from engine.record.worker import CheckpointWorker

SECOND = 1_000_000
# Processor time of this process; the follower is another process.
clock = time.process_time


def flat_out(peers: int, seconds: int) -> None:
    """Run as fast as possible, then seek at once."""
    checkpoints = CheckpointWorker()
    setup = Setup(peers=peers, churn="exponential:600", asks_per_s=0.2)
    machine = TimeMachine(Swarm(setup), checkpoints=checkpoints)
    live = Pacer(machine, speed=math.inf, backpressure=lambda: machine.backpressure)
    live.halt_at(seconds * SECOND)
    begun, begun_wall = clock(), time.monotonic()

    async def run() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(live.run)
            while live.playing:
                await anyio.sleep(0.02)
            live.stop()

    anyio.run(run)
    took, wall = clock() - begun, time.monotonic() - begun_wall
    behind = machine.end_us - (checkpoints.store.checkpoints[-1].at[0] if checkpoints.store.checkpoints else 0)
    print(f"as fast as it goes: {took:.1f} s, {wall:.1f} of wall time; the last checkpoint {behind / 1e6:.0f} s behind")
    print(f"  {checkpoints.status}")
    rng = random.Random(1)
    costs, walls = [], []
    for _ in range(15):
        to_us = rng.randrange(seconds * SECOND)
        start, start_wall = clock(), time.monotonic()
        for _ in machine.seek(to_us):
            pass
        costs.append(clock() - start)
        walls.append(time.monotonic() - start_wall)
    print(f"  a seek at once {statistics.median(costs):.2f} s (median of 15), {max(costs):.2f} s at most;")
    print(f"  of wall time {statistics.median(walls):.2f} s, {max(walls):.2f} s at most; diverged {machine.diverged}")
    machine.close()


def collecting(peers: int) -> None:
    """How long a run of the garbage collector takes, with a swarm and with a frozen one, which it skips."""
    swarm = Swarm(Setup(peers=peers, churn="exponential:600", asks_per_s=0.2))
    swarm.advance(30 * SECOND)
    gc.collect()
    start = clock()
    gc.collect()
    seen = clock() - start
    gc.freeze()
    swarm.advance(60 * SECOND)
    start = clock()
    gc.collect()
    hidden = clock() - start
    gc.unfreeze()
    left = max(_steps(swarm))
    print(f"full collection with {peers:,} peers: {seen * 1e3:.0f} ms")
    print(f"  put out of sight, and 30 s on: {hidden * 1e3:.1f} ms")
    print(f"  taking it apart holds the screen for {left * 1e3:.1f} ms at most")


def _steps(swarm: Swarm) -> Iterator[float]:
    start = clock()
    for _ in free_in_steps(swarm):
        yield clock() - start
        start = clock()
    yield clock() - start


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--peers", type=int, default=1_000)
    ask.add_argument("--seconds", type=int, default=600)
    ask.add_argument("--flood", type=int, default=10_000)
    ask.add_argument("--pairs", type=int, default=7)
    ask.add_argument("--busy", type=int, default=0)
    args = ask.parse_args()
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(args.busy)]
    try:
        measure(args)
    finally:
        for other in others:
            other.kill()


def measure(args: argparse.Namespace) -> None:
    """Make all measurements, and print them."""
    collecting(args.peers)
    flat_out(args.peers, args.seconds)
    setup = Setup(peers=args.peers, churn="exponential:600", asks_per_s=0.2)
    checkpoints = CheckpointWorker()
    machine = TimeMachine(Swarm(setup), checkpoints=checkpoints)
    felt: list[float] = []
    alone = 0.0
    begun, begun_wall = clock(), time.monotonic()
    while machine.now_us < args.seconds * SECOND:
        start = clock()
        machine._go(machine.swarm, machine.now_us + SECOND // 20, 150, 0)
        middle = clock()
        machine.on_advanced()
        felt.append(clock() - middle)
        alone += middle - start
        if machine.now_us % (60 * SECOND) == 0:
            machine.swarm.do(Kill("random 3"))
    took, wall = clock() - begun, time.monotonic() - begun_wall
    behind = (
        machine.end_us - checkpoints.store.checkpoints[-1].at[0] if checkpoints.store.checkpoints else machine.end_us
    )
    deliveries = machine.swarm.simulation.kernel.delivered
    print(
        f"{args.peers:,} peers, {args.seconds} s: {deliveries:,} deliveries in {took:.1f} s ({wall:.1f} of wall time)"
    )
    print(f"  keeping up with the follower: {sum(felt) / alone:.2%}; longest {max(felt) * 1e3:.2f} ms")
    print(f"  {checkpoints.status}; the last one {behind / 1e6:.1f} s behind the end")
    swarm = machine.swarm
    start = clock()
    packed, parts = pack_swarm(swarm, {})
    middle = clock()
    unpack_swarm(packed, swarm, parts)
    print(f"  a checkpoint {(middle - start) * 1e3:.0f} ms, back {(clock() - middle) * 1e3:.0f} ms")
    print(f"  of {len(packed.body) / 1e6:.2f} MB and {sum(map(len, parts.values())) / 1e6:.2f} MB of paths")
    while checkpoints.pid and (
        not checkpoints.store.checkpoints
        or cost_of(swarm) - checkpoints.store.checkpoints[-1].cost > checkpoints.spacing
    ):
        machine.on_advanced()
        time.sleep(0.05)
    seeks = []
    longest = 0.0
    rng = random.Random(1)
    for _ in range(15):
        to_us = rng.randrange(args.seconds * SECOND)
        start = last = clock()
        for _ in machine.seek(to_us):
            now = clock()
            longest, last = max(longest, now - last), now
        seeks.append(clock() - start)
    print(f"  {checkpoints.status}")
    seeks.sort()
    print(f"  a seek {statistics.median(seeks):.2f} s (median of 15), {seeks[-1]:.2f} s at most;")
    print(
        f"  held up the screen for {longest * 1e3:.0f} ms at most; cost {cost_of(swarm):,}; diverged {machine.diverged}"
    )
    machine.close()
    # Last, since such a swarm fragments the heap of this process.
    share = recording_share(flooded(args.flood), args.pairs)
    print(f"flood of {args.flood:,}: recording costs {share:+.1%} of its time (median of {args.pairs})")


if __name__ == "__main__":
    main()
