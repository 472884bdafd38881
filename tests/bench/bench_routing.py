"""Figures of the three routing protocols: tables at rest, time to converge after a cut, count to infinity, speed.

    python tests/bench/bench_routing.py [truth] [cuts] [silence] [infinity] [speed] [all-cuts]     (default: all but
    all-cuts; minutes)

Bounds are those of the timers (RFC 2453, 2328 and 4271); count to infinity is compared with section 12.10 of the
project's protocol notes. Every measurement is printed beside its target; the exit code is 1 if one is missed, but for
speed, which is a ratio of virtual to processor time on this machine.
"""

from __future__ import annotations

import math
import pickle
import statistics
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1] / "engine")]

import networkx as nx  # noqa: E402
from lines import say  # noqa: E402
from routings import at_rest, far, graph_of, living, loops, router  # noqa: E402

from engine import Cut, Setup, Swarm  # noqa: E402

SECOND = 1_000_000
PROTOCOLS = ("distance vector", "link state", "path vector")
STEP_S = 0.5
"""How often tables are looked at."""


def swarm_of(protocol: str, peers: int, seed: int = 1, asks: float = 0.0, **options: Any) -> Swarm:
    """Routers on random:4, without hosts."""
    values = {"protocol": protocol, "hosts_share": 0.0, **options}
    return Swarm(Setup("routing", peers, seed=seed, topology="random:4", asks_per_s=asks, options=values))


def truth(peers: int = 200) -> int:
    """Tables at rest are those of networkx, of the policies, and without loops. Returns how many are wrong."""
    say(f"\nTables of {peers} routers at rest: all shortest (RIP, OSPF) or of the policies, valley-free (BGP), no loop")
    wrong = 0
    for protocol in PROTOCOLS:
        for cold in (False, True):
            if cold and protocol == "path vector":
                continue
            swarm = swarm_of(protocol, peers, cold=cold)
            swarm.advance(150 * SECOND if cold else SECOND)
            try:
                at_rest(swarm, protocol)
                said = "right"
            except AssertionError as error:
                said = f"WRONG: {str(error)[:80]}"
                wrong += 1
            say(f"  {protocol:<16} {'from empty tables' if cold else 'as the run begins':<18} {said}")
    return wrong


def bound_s(protocol: str, detect: str, diameter: int) -> tuple[float, str]:
    """What the timers allow after a cut that leaves the network in one piece, in s, and why."""
    if protocol == "link state":
        rest, why = 5 + 5 + 0.2 + 2, "MinLSInterval 5 + a retransmission 5 + SPF 0.2 + delays 2"
        found, first = (40 + 10, "dead 40 + hello 10") if detect == "timers" else (0, "")
    elif protocol == "distance vector":
        rest, why = 35 + 5 * diameter, f"regular update 35 + 5 a hop, diameter {diameter}"
        found, first = (180 + 35 + 1, "time-out 180 + 35 + 1") if detect == "timers" else (0, "")
    else:
        rest, why = 30 * diameter, f"MRAI 30 a hop, diameter {diameter}"
        found, first = (90 + 30, "hold 90 + keepalive 30") if detect == "timers" else (0, "")
    return found + rest, " + ".join(each for each in (first, why) if each)


def settle_s(swarm: Swarm, limit_s: float) -> float:
    """From now on: when the last route changed, in s."""
    begun, last = swarm.now_us, 0.0
    routers = living(swarm)
    before = sum(one.speaker.changes() for one in routers.values())
    while swarm.now_us < begun + limit_s * SECOND:
        swarm.advance(swarm.now_us + round(STEP_S * SECOND))
        now = sum(one.speaker.changes() for one in routers.values())
        if now != before:
            before, last = now, (swarm.now_us - begun) / SECOND
    return last


def cuts(detect: str = "carrier", count: int | None = 24, peers: int = 200) -> int:
    """Cut one link after the other, each in a copy of the same run. Returns how many took longer than the bound or
    ended in a loop."""
    told = f"{count} links, evenly drawn" if count else "each link"
    say(f"\n{peers} routers on random:4, {told} cut alone; detection by {detect}: seconds until the last change")
    say(f"{'':>16} {'median':>7} {'95 %':>7} {'most':>7} {'bound':>7}  {'over':>4} {'loops':>5} {'wrong':>5}")
    missed = 0
    for protocol in PROTOCOLS:
        swarm = swarm_of(protocol, peers, detect=detect)
        swarm.advance(40 * SECOND)
        kept = pickle.dumps(swarm)
        graph = graph_of(swarm)
        links = sorted(tuple(sorted(link)) for link in graph.edges)
        links = links if count is None else links[:: math.ceil(len(links) / count)]
        limit, why = bound_s(protocol, detect, nx.diameter(graph))
        took: list[float] = []
        over = looped = wrong = 0
        for a, b in links:
            copy: Swarm = pickle.loads(kept)
            copy.do(Cut((a, b)))
            seconds = settle_s(copy, limit + 30)
            took.append(seconds)
            over += seconds > limit
            looped += any(loops(copy, to) for to in living(copy))
            try:
                at_rest(copy, protocol)
            except AssertionError:
                wrong += 1
        took.sort()
        say(
            f"{protocol:>16} {statistics.median(took):7.1f} {took[int(0.95 * (len(took) - 1))]:7.1f} {took[-1]:7.1f} "
            f"{limit:7.1f}  {over:4} {looped:5} {wrong:5}  bound: {why}"
        )
        missed += over + looped + wrong
    return missed


def infinity(runs: int = 400) -> int:
    """The chain A-B-C, whose link B-C is cut: how often A and B count to infinity, and how long it takes. Returns how
    many targets are missed."""
    say(f"\nCount to infinity on a chain of three, {runs} runs a line: share, mean and longest duration (12.10)")
    missed = 0
    for horizon, triggered, wanted in (
        ("off", False, (0.51, 229.0)),
        ("off", True, (0.001, None)),
        ("simple", False, (0.0, None)),
        ("poisoned", False, (0.0, None)),
    ):
        took: list[float] = []
        for seed in range(runs):
            options = {"hosts_share": 0.0, "rip.horizon": horizon, "rip.triggered": triggered}
            setup = Setup(
                *("routing", 3, seed), topology="tree:2", latency="constant:10", asks_per_s=0.0, options=options
            )
            swarm = Swarm(setup)
            swarm.advance(100 * SECOND)
            swarm.do(Cut((0, 2)))
            counted = False
            while swarm.now_us < 500 * SECOND:
                swarm.advance(swarm.now_us + SECOND // 4)
                has = [2 in far(router(swarm, peer)) for peer in (0, 1)]
                counted |= has[0]
                if not any(has):
                    break
            if counted:
                took.append(swarm.now_us / SECOND - 100)
        share = len(took) / runs
        error = math.sqrt(max(wanted[0] * (1 - wanted[0]), 0.002) / runs)
        mean = statistics.mean(took) if took else math.nan
        good = abs(share - wanted[0]) <= 3 * error
        if wanted[1] is not None:
            good &= abs(mean - wanted[1]) <= 3 * statistics.stdev(took) / math.sqrt(len(took))
        missed += not good
        told = f"{share:6.1%} ({wanted[0]:.1%})"
        if took:
            told += f"  {mean:5.0f} s mean" + (f" ({wanted[1]:.0f})" if wanted[1] else "") + f", {max(took):.0f} s most"
        say(f"  horizon {horizon:<9} triggered {triggered!s:<5} {told}{'' if good else '   MISSED'}")
    return missed


def speed(peers: int = 1_000, seconds: int = 60) -> int:
    """Virtual seconds a processor second, with two packets a second."""
    say(f"\n{peers} routers on random:4, {seconds} s of virtual time, one link cut at 10 s: times real time, headless")
    for protocol in PROTOCOLS:
        begun = time.process_time()
        swarm = swarm_of(protocol, peers, asks=2.0)
        start_s = time.process_time() - begun
        begun = time.process_time()
        swarm.advance(10 * SECOND)
        swarm.do(Cut((0, swarm.links_of(0)[0])))
        swarm.advance(seconds * SECOND)
        spent = time.process_time() - begun
        say(f"  {protocol:<16} {seconds / spent:6.1f} x   (start {start_s:.1f} s, run {spent:.1f} s)")
    return 0


def main(names: list[str]) -> int:
    """Measure what was named. Returns the exit code."""
    known = {
        "truth": truth,
        "cuts": cuts,
        "silence": lambda: cuts("timers", 8),
        "infinity": infinity,
        "speed": speed,
        "all-cuts": lambda: cuts("carrier", None),
    }
    for name in names:
        if name not in known:
            say(f"unknown: {name} (one of {', '.join(known)})")
            return 2
    return int(sum(known[name]() for name in names or [one for one in known if one != "all-cuts"]) > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
