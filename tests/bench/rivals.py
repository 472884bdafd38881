"""The loads of `bench_rivals.py` without swarmtop: in SimPy, and averaging in a bare loop over buckets.

SimPy has one `Timeout` with a callback for each message, and records nothing. The bare loop (for a flood it is
`engine.lab.bench.bare_flood`) is a kernel without peers: a dict of buckets, a heap of instants, and the least that a
message can do. The difference to swarmtop is the cost of peers, hosts, causes, records and fingerprints.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Any

import simpy

from engine.sim.rng import Stream

Near = Sequence[Sequence[int]]
DELAY_US = 50_000
PERIOD_US = 1_000_000
TTL = 20


def simpy_flood(near: Near) -> int:
    """A flood from peer 0. Returns the deliveries."""
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
            for other in near[peer]:
                if other != sender:
                    env.timeout(DELAY_US, (other, peer, ttl - 1)).callbacks.append(deliver)

    env.timeout(0, (0, -1, TTL)).callbacks.append(deliver)
    env.run()
    return count - 1


def simpy_averaging(near: Near, periods: int) -> int:
    """Push-pull averaging. Returns the deliveries of messages; timers do not count."""
    env = simpy.Environment()
    values = [float(peer) for peer in range(len(near))]
    rng = Stream("bench/averaging")
    count = 0

    def turn(event: Any) -> None:
        peer = event.value
        if near[peer]:
            to = near[peer][rng.randrange(len(near[peer]))]
            env.timeout(DELAY_US, (to, peer, values[peer])).callbacks.append(push)
        env.timeout(PERIOD_US, peer).callbacks.append(turn)

    def push(event: Any) -> None:
        nonlocal count
        count += 1
        to, sender, value = event.value
        env.timeout(DELAY_US, (sender, values[to])).callbacks.append(pull)
        values[to] = (values[to] + value) / 2

    def pull(event: Any) -> None:
        nonlocal count
        count += 1
        to, value = event.value
        values[to] = (values[to] + value) / 2

    for peer in range(len(near)):
        env.timeout(1 + int(rng.random() * PERIOD_US), peer).callbacks.append(turn)
    env.run(until=periods * PERIOD_US)
    return count


def bare_averaging(near: Near, periods: int) -> int:
    """Push-pull averaging through buckets: (kind, to, from, value), where kind is 0 for a timer,
    1 for a push, 2 for a pull. Returns the deliveries of messages."""
    rng = Stream("bench/averaging")
    values = [float(peer) for peer in range(len(near))]
    buckets: dict[int, list[tuple[int, int, int, float]]] = {}
    instants: list[int] = []
    count = 0

    def post(at: int, item: tuple[int, int, int, float]) -> None:
        bucket = buckets.get(at)
        if bucket is None:
            buckets[at] = [item]
            heappush(instants, at)
        else:
            bucket.append(item)

    for peer in range(len(near)):
        post(1 + int(rng.random() * PERIOD_US), (0, peer, peer, 0.0))
    end = periods * PERIOD_US
    while instants and instants[0] < end:
        now = heappop(instants)
        for kind, to, sender, value in buckets.pop(now):
            if not kind:
                if near[to]:
                    post(now + DELAY_US, (1, near[to][rng.randrange(len(near[to]))], to, values[to]))
                post(now + PERIOD_US, (0, to, to, 0.0))
                continue
            count += 1
            if kind == 1:
                post(now + DELAY_US, (2, sender, to, values[to]))
            values[to] = (values[to] + value) / 2
    return count
