"""How fast is a flood? 10,000 Gnutella servents of mean degree 20, every book kept, against SimPy.

Both run on the same graph in the same process, in turn, under the same collector settings, and each pair in a process
of its own; SimPy pays one `Timeout` with a callback per message and keeps nothing but the set of those who have seen
the query. Seconds are of computing. Prints each pair, and the medians. Nothing is asserted: speed is told, not tested.

    python tests/bench/bench_flood.py [--pairs 5] [--peers 10000] [--latency constant:50] [--gc on|off]
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import simpy

from engine import AskFor, Setup, Swarm

TTL = 20


def ours(peers: int, latency: str) -> tuple[float, int, list[list[tuple[int, int]]]]:
    """Seconds and deliveries of one flood, and the graph it ran on, with delays in us."""
    options = {"ttl": TTL, "download": False, "ping_s": 3600.0}
    swarm = Swarm(Setup(peers=peers, topology="random:20", latency=latency, asks_per_s=0.0, options=options))
    delay = swarm.simulation.shared.links.delay_us
    near = [[(other, delay(peer, other)) for other in swarm.links_of(peer)] for peer in range(peers)]
    swarm.advance(10_000)  # What servents do when they start is no part of it.
    gc.collect()
    swarm.do(AskFor(0, "nobody has this"))
    start = time.process_time()
    swarm.advance_quiet(1 << 40)
    swarm.fingerprint()
    took = time.process_time() - start
    row = swarm.record(1)
    assert row.messages == 2 * swarm.edges - peers + 1
    return took, swarm.snapshot().totals.delivered, near


def theirs(near: list[list[tuple[int, int]]]) -> tuple[float, int]:
    """The same flood in SimPy."""
    env = simpy.Environment()
    seen: set[int] = set()
    count = 0

    def deliver(event: Any) -> None:
        nonlocal count
        count += 1
        peer, sender, ttl = event.value
        if peer in seen:
            return
        seen.add(peer)
        if ttl:
            for other, delay in near[peer]:
                if other != sender:
                    env.timeout(delay, (other, peer, ttl - 1)).callbacks.append(deliver)

    gc.collect()
    start = time.process_time()
    env.timeout(0, (0, -1, TTL)).callbacks.append(deliver)
    env.run()
    return time.process_time() - start, count


def pair(peers: int, latency: str, collect: bool) -> tuple[float, float]:
    """Deliveries a second of computing, ours and theirs."""
    if not collect:
        gc.disable()
    took, deliveries, near = ours(peers, latency)
    other, messages = theirs(near)
    return deliveries / took, messages / other


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser()
    ask.add_argument("--pairs", type=int, default=5)
    ask.add_argument("--peers", type=int, default=10_000)
    ask.add_argument("--latency", default="constant:50")
    ask.add_argument("--gc", choices=("on", "off"), default="on")
    args = ask.parse_args()
    ratios, speeds = [], []
    for _ in range(args.pairs):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            speed, other = pool.submit(pair, args.peers, args.latency, args.gc == "on").result()
        speeds.append(speed)
        ratios.append(speed / other)
        print(f"swarmtop {speed:>10,.0f}/s   simpy {other:>10,.0f}/s   ratio {ratios[-1]:.2f}", flush=True)
    print(f"median   {statistics.median(speeds):>10,.0f}/s   ratio {statistics.median(ratios):.2f}  (gc {args.gc})")


if __name__ == "__main__":
    main()
