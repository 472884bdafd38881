"""How fast is the kernel against SimPy and against a bare loop without peers? A flood and push-pull averaging.

All run on the same graph in one process, in turn, under the same collector settings; each round is a process of its
own. swarmtop keeps all its records (asks, paths, series, fingerprint), the others keep none. A flood goes through
Gnutella servents of mean degree 20. Seconds are processor time. Prints each round and the medians; asserts only that
each load did what theory says, since a wrong run may be fast.

    python tests/bench/bench_rivals.py [--rounds 5] [--peers 10000] [--gc on|off]
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import averaging
import rivals

from engine import AskFor, Setup, Swarm
from engine.lab.bench import bare_flood

PERIODS = 4
FACTOR_WITHIN = 0.08
"""How far from theory averaging may be: exchanges overlap because of delays, which theory excludes, and there are
only four periods."""
OPTIONS = {"ttl": rivals.TTL, "download": False, "ping_s": 3600.0}


def rate(run: Callable[[], int]) -> float:
    """Deliveries a second of processor time."""
    gc.collect()
    start = time.process_time()
    count = run()
    return count / (time.process_time() - start)


def near_of(swarm: Swarm) -> list[tuple[int, ...]]:
    return [swarm.links_of(peer) for peer in range(swarm.setup.peers)]


def flood(peers: int, latency: str) -> tuple[float, float, float]:
    """Deliveries a second of swarmtop, SimPy and the bare loop."""
    swarm = Swarm(Setup(peers=peers, topology="random:20", latency=latency, asks_per_s=0.0, options=OPTIONS))
    near = near_of(swarm)
    swarm.advance(10_000)  # What servents do when they start is no part of the load.

    def ours() -> int:
        swarm.do(AskFor(0, "nobody has this"))
        swarm.advance_quiet(1 << 40)
        swarm.fingerprint()
        return swarm.record(1).messages

    speed = rate(ours)
    assert swarm.record(1).messages == 2 * swarm.edges - peers + 1
    return speed, rate(lambda: rivals.simpy_flood(near)), rate(lambda: bare_flood(near))


def average(peers: int, latency: str) -> tuple[float, float, float]:
    """Deliveries a second of swarmtop, SimPy and the bare loop."""
    setup = Setup(peers=peers, topology="random:20", latency=latency, asks_per_s=0.0)
    swarm = Swarm(setup, averaging.Averager)
    near = near_of(swarm)
    before = variance(swarm)

    def ours() -> int:
        delivered = swarm.advance(PERIODS * averaging.PERIOD_US)
        swarm.fingerprint()
        return delivered

    speed = rate(ours)
    factor = (variance(swarm) / before) ** (1 / PERIODS)
    assert abs(factor - averaging.FACTOR) < FACTOR_WITHIN, factor
    bare = rate(lambda: rivals.bare_averaging(near, PERIODS))
    return speed, rate(lambda: rivals.simpy_averaging(near, PERIODS)), bare


def variance(swarm: Swarm) -> float:
    return statistics.pvariance([getattr(swarm.peer(peer), "value", 0.0) for peer in range(swarm.setup.peers)])


LOADS = {"flood": flood, "averaging": average}


def measured(load: str, peers: int, latency: str, collect: bool) -> tuple[float, float, float]:
    """A round, in the process that calls it."""
    if not collect:
        gc.disable()
    return LOADS[load](peers, latency)


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--rounds", type=int, default=5)
    ask.add_argument("--peers", type=int, default=10_000)
    ask.add_argument("--gc", choices=("on", "off"), default="on")
    args = ask.parse_args()
    for load in LOADS:
        rounds = []
        for _ in range(args.rounds):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                job = pool.submit(measured, load, args.peers, f"constant:{rivals.DELAY_US // 1000}", args.gc == "on")
                rounds.append(job.result())
            print(told(load, *rounds[-1], rounds[-1][0] / rounds[-1][1], rounds[-1][0] / rounds[-1][2]), flush=True)
        ours, simpy, bare = (statistics.median(column) for column in zip(*rounds, strict=True))
        ratios = (statistics.median(row[0] / row[column] for row in rounds) for column in (1, 2))
        print(f"{told(load, ours, simpy, bare, *ratios)}   medians, {args.peers:,} peers, gc {args.gc}")


def told(load: str, ours: float, simpy: float, bare: float, to_simpy: float, to_bare: float) -> str:
    speeds = f"swarmtop {ours:>10,.0f}/s   SimPy {simpy:>10,.0f}/s   bare loop {bare:>10,.0f}/s"
    return f"{load:10} {speeds}   ratios {to_simpy:.2f} {to_bare:.2f}"


if __name__ == "__main__":
    main()
