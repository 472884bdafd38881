"""Figures of Kademlia beside published ones: steps and requests of lookups, survival of values, idle traffic, speed.

    python tests/bench/bench_kademlia.py [lookups] [flight] [survival] [idle] [speed]      (default: all; minutes)

Published figures are those of an independent simulation of converged tables. Every measurement is printed beside its
target; the exit code is 1 if one is missed. Speed, a ratio of virtual to processor time on this machine, has none.
tests/engine/test_kademlia.py has a small version of two of them.
"""

from __future__ import annotations

import gc
import math
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1] / "engine")]

from kademlias import converged, look_up, survival  # noqa: E402
from lines import say  # noqa: E402

SECOND = 1_000_000

LOOKUPS = {
    (100, 8, 1): (1.61, 8.1, 8.1),
    (100, 8, 3): (1.66, 9.0, 3.3),
    (100, 20, 1): (1.31, 19.8, 19.8),
    (100, 20, 3): (1.30, 19.8, 7.0),
    (10_000, 8, 1): (3.12, 9.6, 9.6),
    (10_000, 8, 3): (2.91, 12.9, 4.7),
    (10_000, 20, 1): (2.50, 20.8, 20.8),
    (10_000, 20, 3): (2.40, 22.9, 8.0),
}
"""(n, k, alpha) -> mean depth, requests, rounds."""
FLIGHT = {(10_000, 8): (3.10, 12.85), (10_000, 20): (2.52, 22.93)}
"""(n, k) -> mean depth and requests with 3 in flight, delays uniform in 20 to 400 ms."""
SURVIVAL = {
    (2, 0.3): (0.887, 0.890),
    (2, 0.5): (0.710, 0.713),
    (2, 0.7): (0.482, 0.520),
    (4, 0.3): (1.0, 1.0),
    (4, 0.5): (0.938, 0.940),
    (4, 0.7): (0.762, 0.815),
}
"""(k, share killed) -> found, exists."""


def lookups(count: int = 400) -> int:
    """Lookups in rounds of alpha. Returns how many cells are missed."""
    say(f"\nLookups in rounds, converged tables, no churn, {count} a cell: measured (published)")
    say(f"{'n':>7} {'k':>3} {'alpha':>5} {'depth':>14} {'requests':>16} {'rounds':>14} {'nearest found':>14}")
    missed = 0
    for (n, k, alpha), (depth, requests, rounds) in LOOKUPS.items():
        got = look_up(converged(n, k=k, alpha=alpha, lookup="rounds"), count)
        bad = abs(got.depth - depth) > 0.15 or abs(got.requests / requests - 1) > 0.05 or got.nearest < count
        missed += bad
        say(
            f"{n:>7,} {k:>3} {alpha:>5} {got.depth:>6.2f} ({depth:.2f}) {got.requests:>8.2f} ({requests:.1f}) "
            f"{got.rounds:>7.2f} ({rounds:.1f}) {got.nearest:>10}/{count}{'  MISSED' if bad else ''}"
        )
    return missed


def flight(count: int = 800) -> int:
    """Lookups with three requests in flight. Returns how many cells are missed."""
    say(f"\nLookups with 3 in flight, delays uniform in 20 to 400 ms, {count} a cell: measured (published)")
    missed = 0
    for (n, k), (depth, requests) in FLIGHT.items():
        got = look_up(converged(n, latency="uniform:20-400", k=k), count)
        bad = abs(got.depth - depth) > 0.1 or abs(got.requests / requests - 1) > 0.05 or got.nearest < count
        missed += bad
        say(
            f"{n:>7,} {k:>3} depth {got.depth:.2f} ({depth:.2f}), requests {got.requests:.2f} ({requests:.2f}), "
            f"nearest found {got.nearest}/{count}{'  MISSED' if bad else ''}"
        )
    return missed


def survivals(count: int = 400) -> int:
    """Survival of values after a kill. Returns how many cells are missed."""
    say(f"\nValues kept by k nodes after a share p of 1,000 is killed, no repair, {count} lookups a cell, 20 networks:")
    missed = 0
    for (k, p), (found, exists) in SURVIVAL.items():
        got = survival(1_000, k, p, count, networks=20)
        theory = 1 - p**k
        error = math.sqrt(theory * (1 - theory) / count)
        bad = abs(got.exists - theory) > 3 * error or got.found > got.exists
        missed += bad
        say(
            f"k {k} p {p}: exists {got.exists:.3f} ({exists:.3f}; 1 - p^k {theory:.3f} +- {error:.3f}), "
            f"found {got.found:.3f} ({found:.3f}){'  MISSED' if bad else ''}"
        )
    return missed


def idle(peers: int = 500) -> int:
    """Messages a peer and hour when nobody asks. The paper's (2.3, 2.5): a lookup for each bucket that none went to for
    an hour, a STORE by the one keeper of k that is first (the others need not), and a ping for a newcomer to a full
    bucket."""
    say(f"\nMessages a peer and hour when idle, {peers} peers, the second hour of a run")
    for k, refresh_s in ((20, 3_600.0), (8, 3_600.0), (8, 900.0)):
        swarm = converged(peers, k=k, refresh_s=refresh_s)
        swarm.advance(3_600 * SECOND)
        before, kinds_before = swarm.snapshot().totals.sent, list(swarm.simulation.shared.sent_by_kind)
        swarm.advance(7_200 * SECOND)
        sent = (swarm.snapshot().totals.sent - before) / peers
        by_kind = {
            kind.name: (now - then) / peers
            for kind, now, then in zip(
                swarm.simulation.kinds, swarm.simulation.shared.sent_by_kind, kinds_before, strict=True
            )
            if now > then
        }
        buckets = statistics.mean(len(one.dht.table.buckets) for one in swarm.simulation.programs)
        lookups = buckets * 3_600 / refresh_s
        say(
            f"k {k}, refresh {refresh_s / 60:.0f} min: {sent:,.0f}; one lookup a bucket and refresh is "
            f"{buckets:.1f} buckets, {lookups:.0f} lookups an hour, {sent / lookups:.1f} messages each; "
            + ", ".join(f"{name} {count:,.0f}" for name, count in by_kind.items())
        )
    return 0


def speed(seconds: int = 30) -> int:
    """Virtual seconds a second of processor time: k 8, 10,000 peers, 100 lookups a second, refresh 1 h."""
    begun = time.process_time()
    swarm = converged(10_000, asks_per_s=100.0, latency="world", k=8)
    started = time.process_time() - begun
    swarm.advance(5 * SECOND)
    for name, collecting in (("collector on", True), ("collector off", False)):
        gc.collect()
        (gc.enable if collecting else gc.disable)()
        before, sent = time.process_time(), swarm.snapshot().totals.sent
        swarm.advance(swarm.now_us + seconds * SECOND)
        took = time.process_time() - before
        sent = swarm.snapshot().totals.sent - sent
        say(
            f"\n10,000 peers, k 8, 100 lookups a second ({name}): {seconds / took:.1f} times real time, "
            f"{sent / seconds:,.0f} messages a virtual second, {took / sent * 1e6:.1f} us a message; "
            f"start {started:.1f} s"
        )
    gc.enable()
    return 0


if __name__ == "__main__":
    known = {"lookups": lookups, "flight": flight, "survival": survivals, "idle": idle, "speed": speed}
    chosen = sys.argv[1:] or list(known)
    sys.exit(min(1, sum(known[name]() for name in chosen)))
