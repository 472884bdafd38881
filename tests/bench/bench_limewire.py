"""Figures of LimeWire beside Gnutella 0.4, and of its own formulas. It takes minutes, so it is not in the gate.

    python tests/bench/bench_limewire.py [--peers N] [--asks N] [--many N] [--seconds S]

1. The same searches in both, at N peers without downloads: success, hits, peers reached, messages and bytes an ask, the
   upkeep of a peer, and the queries that come to a leaf, an ultrapeer and a servent.
2. The last hop of one link's tree of degree 6 and TTL 4 against (d - 1)^(T - 1) of sum (d - 1)^i. The published 80.0 %
   and 96.8 % (degree 6, TTL 7; degree 32, TTL 3) need 117,187 and 31,777 ultrapeers and are computed.
   Before it, the horizons of dynamic queries: the published table, and in a tree of degree 6.
3. Virtual seconds for each second of processor time, with --many peers that ask once a second in total.

The exit code is 1 when a horizon or the last hop differs, or the third figure is below 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1] / "engine")]

from limewire_trees import Tableless, Tree, reached_in_tree  # noqa: E402
from searches import HEAD, SECOND, say, searches  # noqa: E402

from engine import Setup, Swarm  # noqa: E402
from engine.protocols.limewire.dynamic_query import hosts  # noqa: E402

LAST_S = 260
"""Seconds after the last ask: a dynamic query that finds little takes four minutes."""


def horizons(degree: int) -> bool:
    """Whether dynamic queries go as far as published: of each TTL what one link has, and what a query reaches that
    finds nothing, measured in a tree (3 probes of TTL 2, the other links with the TTL)."""
    published = {6: (1, 6, 31, 156, 781, 3906, 19531), 15: (1, 15, 211, 2955), 20: (1, 20, 381, 7240),
                 30: (1, 30, 871, 25260), 32: (1, 32, 993, 30784)}  # fmt: skip
    right = True
    for each, row in published.items():
        found = tuple(hosts(each, ttl) for ttl in range(1, len(row) + 1))
        right = right and found == row
        say(f"degree {each}, TTL 1 to {len(row)}: {', '.join(f'{count:,}' for count in found)}")
    for ttl in (2, 3, 4):
        reached, formula = (
            reached_in_tree(Tableless, degree, ttl),
            3 * hosts(degree, 2) + (degree - 3) * hosts(degree, ttl),
        )
        right = right and reached == formula
        say(f"a query that finds nothing, degree {degree}, TTL {ttl}: {reached:,} reached (formula {formula:,})")
    return right


def last_hop(degree: int, ttl: int) -> bool:
    """Whether the last hop of a tree is that of the formula."""
    told, untold = (reached_in_tree(program, degree, ttl) for program in (Tree, Tableless))
    probes, rest = 3, degree - 3
    whole = probes * hosts(degree, 2) + rest * hosts(degree, ttl)
    last = probes * (degree - 1) + rest * (degree - 1) ** (ttl - 1)
    say(
        f"\ntree:{degree}, T {ttl}, {1 + degree * hosts(degree, ttl):,} ultrapeers: {untold:,} reached without tables "
        f"(formula {whole:,}), {told:,} where no table matches: the last hop has {untold - told:,} (formula {last:,})"
    )
    for d, t in ((degree, ttl), (6, 7), (32, 3)):
        say(f"share of one link's tree on the last hop, degree {d}, TTL {t}: {(d - 1) ** (t - 1) / hosts(d, t):.1%}")
    return untold == whole and untold - told == last


def speed(peers: int, seconds: int) -> float:
    """Virtual seconds for each second of processor time, of a network that has been running."""
    begun_s = time.process_time()
    made = Swarm(Setup("limewire", peers, 7, asks_per_s=1.0))
    made_s = time.process_time() - begun_s
    made.advance(10 * SECOND)
    begun_s, sent = time.process_time(), made.simulation.shared.sent
    made.advance((10 + seconds) * SECOND)
    took_s = time.process_time() - begun_s
    say(
        f"\n{peers:,} peers, one ask a second: made in {made_s:.1f} s, then {seconds / took_s:.1f} virtual seconds "
        f"for each of the processor ({(made.simulation.shared.sent - sent) / seconds:,.0f} messages a virtual second)"
    )
    return seconds / took_s


def main() -> int:
    """Print all. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Figures of LimeWire.")
    parser.add_argument("--peers", type=int, default=1_000)
    parser.add_argument("--asks", type=int, default=100)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    say(f"{given.peers:,} peers, {given.asks} searches of four copies each\n{HEAD}")
    for network in ("gnutella", "limewire"):
        searches(network, given.peers, given.asks, LAST_S)
    say("\nhorizons of dynamic queries")
    right = horizons(6)
    right = last_hop(6, 4) and right
    return 0 if speed(given.many, given.seconds) >= 1 and right else 1


if __name__ == "__main__":
    sys.exit(main())
