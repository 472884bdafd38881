"""The cost of searches, for each role of peers, for the figures of KaZaA and LimeWire beside Gnutella."""

from __future__ import annotations

import numpy as np
from lines import say

from engine import AskFor, Setup, Swarm

SECOND = 1_000_000
WARM_S, APART_S = 5, 1
"""Seconds before the first ask, and between two."""
HEAD = (
    f"{'network':>9} {'':>9} {'success':>8} {'hits':>6} {'reached':>8} {'messages':>9} {'bytes':>10} "
    f"{'upkeep':>8}  queries a peer and ask"
)


def searches(network: str, peers: int, asks: int, last_s: int, **options: object) -> None:
    """One row: success, and for each ask the hits, the peers reached, messages, bytes, and the queries that come to a
    peer of each role; the upkeep of a peer in bytes a second. last_s: how long to wait after the last ask."""
    made = Swarm(Setup(network, peers, 7, asks_per_s=0, options={"download": False, **options}))
    made.advance(WARM_S * SECOND)
    titles = made.catalogue_titles(asks)
    metrics = made.simulation.metrics
    metrics.flush()
    before = int(metrics.bytes_by_kind.sum())
    for number in range(asks):
        # A prime step: askers of all kinds, the same in each network.
        made.do(AskFor(number * 37 % peers, titles[number % len(titles)]))
        made.advance(made.now_us + APART_S * SECOND)
    made.advance(made.now_us + last_s * SECOND)
    rows = made.asks()
    success = made.success(0, made.now_us / SECOND)
    heard, traced = np.zeros(peers), 0
    for row in rows:
        trace = made.trace(row.id)
        if trace is not None:
            traced += 1
            heard += (trace.hop[:peers] > 0) + trace.repeats[:peers]
    roles = np.array(made.simulation.roles.all()[:peers])
    names = sorted(set(roles.tolist()))
    load = ", ".join(f"{one} ({(roles == one).sum()}) {heard[roles == one].mean() / traced:.3f}" for one in names)
    metrics.flush()
    asked = sum(row.bytes for row in rows)
    upkeep = (int(metrics.bytes_by_kind.sum()) - before - asked) / peers / (asks * APART_S + last_s)
    told = ", ".join(f"{name} {value}" for name, value in options.items())
    say(
        f"{network:>9} {told:>9} {success:>8.3f} {sum(row.hits for row in rows) / asks:>6.2f} "
        f"{sum(row.reached for row in rows) / asks:>8.1f} {sum(row.messages for row in rows) / asks:>9.1f} "
        f"{asked / asks:>10,.0f} {upkeep:>8.1f}  {load}"
    )
