"""Figures of the three routing protocols: tables at rest, time to converge after a cut, count to infinity, speed.

    python tests/bench/bench_routing.py [truth] [cuts] [silence] [infinity] [speed] [all-cuts] [all-silence]

All but the last two is the default (some twenty minutes of the processor); those cut each link, `cuts` and `silence` a
part of them.

Bounds are those of the timers (RFC 2453, 2328 and 4271); count to infinity is compared with an independent
simulation of three routers. Every measurement is printed beside its target; the exit code is 1 if one is missed. Speed
is the ratio of virtual to processor time on this machine.
"""

from __future__ import annotations

import math
import pickle
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1] / "engine")]

import networkx as nx  # noqa: E402
from lines import say  # noqa: E402
from routings import at_rest, graph_of, living, router  # noqa: E402

from engine import Cut, Setup, Swarm  # noqa: E402
from engine.protocols.routing import Router  # noqa: E402
from engine.protocols.routing.packets import HERE, lan_of  # noqa: E402
from engine.protocols.routing.path_vector import PREFERENCE  # noqa: E402

SECOND = 1_000_000
PROTOCOLS = ("distance vector", "link state", "path vector")
STEP_S = 0.5
"""How often changes are counted."""
UNDER_WAY_S = 2.0
"""Longer than a message is under way."""
AGREED_EVERY = 25
"""How often `right` is compared with networkx."""


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


def bound_s(protocol: str, detect: str, graph: nx.Graph, parts: bool) -> tuple[float, str]:
    """What the timers allow after a cut, in s, and why. graph: the links that are left; parts: whether some routers
    cannot reach the others any more.

    RIP: of the routes that are too good the best gets longer by 1 at least with each triggered update, so they are gone
    when it is as long as the right one (16 where there is none); a neighbour that has the right one tells it with its
    next regular update. BGP: likewise the shortest path that is gone gets longer by one system with each MRAI, up to
    the longest valley-free one: up to the top, over one link of peers, and down.
    """
    if protocol == "link state":
        rest, why = 5 + 5 + 0.2 + 2, "MinLSInterval 5 + a retransmission 5 + SPF 0.2 + delays 2"
        found, first = (40 + 10, "dead 40 + hello 10") if detect == "timers" else (0, "")
    elif protocol == "distance vector":
        longest = max(nx.diameter(graph.subgraph(one)) for one in nx.connected_components(graph))
        rest, why = (5 * 16, "5 a hop, 16 hops") if parts else (35 + 5 * longest, f"35 + 5 a hop, diameter {longest}")
        found, first = (180 + 1, "time-out 180 + 1") if detect == "timers" else (0, "")
    else:
        depth = max(
            nx.single_source_shortest_path_length(graph, min(graph, key=lambda one: (-graph.degree(one), one))).values()
        )
        rest, why = 30 * (2 * depth + 1), f"MRAI 30 a system, {2 * depth + 1} systems"
        found, first = (90 + 30, "hold 90 + keepalive 30") if detect == "timers" else (0, "")
    return found + rest, " + ".join(each for each in (first, why) if each)


def right(swarm: Swarm) -> bool:
    """Whether tables agree with each other: each distance is the least of what the neighbours have and the link with
    them costs, and each next hop is one that has it; of BGP, each route is the best of those that the neighbours tell.

    As links cost more than nothing, and under the policies of Gao and Rexford, one set of tables alone does so: that of
    `routings.at_rest`, which has no loop. This takes a tenth of its time.
    """
    routers = living(swarm)
    if next(iter(routers.values())).speaks == "path vector":
        return paths_right(swarm, routers)
    hosts = swarm.simulation.peer_hosts
    link_state = next(iter(routers.values())).speaks == "link state"
    tables = {peer: {to: (hop, far) for to, hop, far in one.speaker.routes()} for peer, one in routers.items()}
    for peer, table in tables.items():
        own, ways = lan_of(peer), dict[int, dict[int, int]]()
        for one in swarm.links_of(peer):
            cost = hosts[peer].cost(one) if link_state else 1
            for to, (_, distance) in tables[one].items():
                ways.setdefault(to, {})[one] = distance + cost
        if table.get(own) != (HERE, 0) or len(table.keys() | ways.keys() | {own}) != len(table):
            return False
        for to, (hop, distance) in table.items():
            if to == own:
                continue
            if to not in ways or distance != min(ways[to].values()) or ways[to].get(hop) != distance:
                return False
    return True


def paths_right(swarm: Swarm, routers: dict[int, Router]) -> bool:
    """The same of BGP; and no system is twice in a path."""
    best = {peer: {prefix: one.bgp.rib.route(prefix) for prefix in one.bgp.rib.best} for peer, one in routers.items()}
    for peer, routes in best.items():
        found: dict[int, tuple[int, int, tuple[int, ...]]] = {lan_of(peer): (-1_000, 0, ())}
        for one in swarm.links_of(peer):
            preferred = -PREFERENCE[routers[peer].bgp.relation(one)]
            rib, relation = routers[one].bgp.rib, routers[one].bgp.relation(peer)
            for prefix, route in best[one].items():
                path = rib.told(peer, relation, route)
                if path is not None and peer not in path:
                    way = (preferred, len(path), path)
                    found[prefix] = min(way, found.get(prefix, way))
        if {prefix: route.path for prefix, route in routes.items() if route} != {
            to: way[2] for to, way in found.items()
        }:
            return False
        if any(len(set(route.path)) < len(route.path) for route in routes.values() if route):
            return False
    return True


def settle_s(swarm: Swarm, limit_s: float) -> tuple[float, bool]:
    """From now on: when the last route changed, in s, and whether tables are right then.

    It ends when tables are right and nothing has changed for longer than a message is under way: each message that was
    sent meanwhile tells what is right, and that changes nothing in tables that are right already. If this does not
    come, it ends at the limit."""
    begun, last = swarm.now_us, 0.0
    routers = living(swarm)
    before = sum(one.speaker.changes() for one in routers.values())
    while swarm.now_us < begun + limit_s * SECOND:
        swarm.advance(swarm.now_us + round(STEP_S * SECOND))
        now = sum(one.speaker.changes() for one in routers.values())
        after = (swarm.now_us - begun) / SECOND
        if now != before:
            before, last = now, after
        elif after - last == UNDER_WAY_S and right(swarm):
            return last, True
    return last, right(swarm)


def cuts(protocol: str, detect: str, share: tuple[int, int] = (0, 1), peers: int = 200) -> int:
    """Cut one link after the other, each in a copy of the same run. Returns how many took longer than the bound, or
    ended in tables that are not right.

    share: (which, of how many parts) of the links in a random order; (0, 1) is all.
    """
    begun = time.process_time()
    swarm = swarm_of(protocol, peers, detect=detect)
    swarm.advance(40 * SECOND)
    kept = pickle.dumps(swarm)
    graph = graph_of(swarm)
    links = sorted(tuple(sorted(link)) for link in graph.edges)
    total, bridges = len(links), {tuple(sorted(link)) for link in nx.bridges(graph)}
    random.Random(1).shuffle(links)
    links = links[share[0] :: share[1]]
    assert max(cost["weight"] for _, _, cost in graph.edges(data=True)) < UNDER_WAY_S * 1_000
    took: dict[bool, list[float]] = {False: [], True: []}
    bounds: dict[bool, tuple[float, str]] = {}
    over, wrong = 0, []
    for at, (a, b) in enumerate(links):
        copy: Swarm = pickle.loads(kept)
        copy.do(Cut((a, b)))
        bridge = (a, b) in bridges
        left = graph.copy()
        left.remove_edge(a, b)
        limit, why = bound_s(protocol, detect, left, bridge)
        bounds[bridge] = min(bounds.get(bridge, (limit, why)), (limit, why))
        seconds, good = settle_s(copy, limit + 30)
        took[bridge].append(seconds)
        over += seconds > limit
        if not good:
            wrong.append((a, b))
        elif not at % AGREED_EVERY:
            at_rest(copy, protocol)
    for bridge, those in took.items():
        those.sort()
        if those:
            limit, why = bounds[bridge]
            what = "that part it" if bridge else "that do not"
            say(
                f"{protocol:>16} {detect:<8} {len(those):3} {what:<12} {statistics.median(those):7.1f} "
                f"{those[int(0.95 * (len(those) - 1))]:7.1f} {those[-1]:7.1f} {limit:7.1f}  bound: {why}"
            )
    say(
        f"{'':>16} {len(links)} of {total} links: {over} over the bound, {len(wrong)} with wrong tables at the end"
        f"{' ' + str(wrong[:5]) if wrong else ''}; {time.process_time() - begun:.0f} s of the processor"
    )
    return over + len(wrong)


def infinity(runs: int = 1_000) -> int:
    """The chain A-B-C, whose link B-C is cut: how often A and B count to infinity, and how long it takes. Returns how
    many targets are missed.

    A and B tell their routes each 30 s, in a phase by chance. It happens if A is the first to tell after the cut: 1/2,
    as A and B are alike; and if what A tells is on its way when B's message is sent, or when the link is cut: 10 ms of
    30 s each. With triggered updates B tells at once, so only these 20 ms are left. 229.7 s is the mean of 40,000 runs
    of a simulation of these three routers alone, of standard error 0.14 s.
    """
    say(f"\nCount to infinity on a chain of three, {runs} runs a line: share, mean and longest duration")
    missed = 0
    for horizon, triggered, wanted in (
        ("off", False, (0.5 + 0.02 / 30, 229.7)),
        ("off", True, (0.02 / 30, None)),
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
            dead: list[int | None] = [None]
            while None in dead:
                # A dead route is kept for 120 s, so none is missed.
                swarm.advance(swarm.now_us + 60 * SECOND)
                dead = [router(swarm, peer).rip.table.routes[lan_of(2)].dead_us for peer in (0, 1)]
            died = [at / SECOND - 100 for at in dead if at is not None]
            if died[0] > 1:
                # B had a route again after the cut.
                took.append(max(died))
        share = len(took) / runs
        error = math.sqrt(wanted[0] * (1 - wanted[0]) / runs)
        mean = statistics.mean(took) if took else math.nan
        good = abs(share - wanted[0]) <= 3 * error
        told = f"{share:6.2%} ({wanted[0]:.2%} +- {error:.2%})"
        if took:
            told += f"  {mean:6.1f} s mean, {max(took):.0f} s most"
        if wanted[1] is not None:
            error = statistics.stdev(took) / math.sqrt(len(took))
            good &= abs(mean - wanted[1]) <= 3 * error
            told += f" ({wanted[1]:.1f} +- {error:.1f})"
        missed += not good
        say(f"  horizon {horizon:<9} triggered {triggered!s:<5} {told}{'' if good else '   MISSED'}")
    return missed


def speed(peers: int = 1_000, seconds: int = 60) -> int:
    """Virtual seconds a processor second, with two packets a second. Returns how many are below real time."""
    say(f"\nTimes real time, without a screen: {peers} routers with a cut at 10 s, and 200 from empty tables")
    slow = 0
    for protocol in PROTOCOLS:
        for cold in (False, True):
            size, until_s = (200, 300) if cold else (peers, seconds)
            begun = time.process_time()
            swarm = swarm_of(protocol, size, asks=2.0, cold=cold)
            start_s = time.process_time() - begun
            begun = time.process_time()
            if not cold:
                swarm.advance(10 * SECOND)
                swarm.do(Cut((0, swarm.links_of(0)[0])))
            swarm.advance(until_s * SECOND)
            spent = time.process_time() - begun
            slow += spent > until_s
            how = "from empty tables" if cold else "with a cut"
            took = f"start {start_s:.1f} s, {until_s} s in {spent:.1f} s"
            say(f"  {protocol:<16} {size:5} {how:<17} {until_s / spent:6.1f} x   ({took})")
    return slow


def all_cuts(detect: str, share: tuple[int, int] = (0, 1)) -> int:
    """The links of all three protocols cut alone."""
    part = "each link" if share[1] == 1 else f"one link of {share[1]}, drawn at random,"
    say(f"\n200 routers on random:4, {part} cut alone, noticed by {detect}: seconds until the last change")
    say(f"{'':>25} {'cuts':>3} {'':<12} {'median':>7} {'95 %':>7} {'most':>7} {'bound':>7}")
    return sum(cuts(protocol, detect, share) for protocol in PROTOCOLS)


def main(names: list[str]) -> int:
    """Measure what was named. Returns the exit code."""
    known = {
        "truth": truth,
        "cuts": lambda: all_cuts("carrier", (0, 20)),
        "silence": lambda: all_cuts("timers", (0, 40)),
        "infinity": infinity,
        "speed": speed,
        "all-cuts": lambda: all_cuts("carrier"),
        "all-silence": lambda: all_cuts("timers"),
    }
    whole = ("all-cuts", "all-silence")
    for name in names:
        if name not in known:
            say(f"unknown: {name} (one of {', '.join(known)})")
            return 2
    return int(sum(known[name]() for name in names or [one for one in known if one not in whole]) > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
