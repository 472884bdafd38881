"""The choking algorithm: whom a peer uploads to (BEP 3; Cohen, "Incentives build robustness in BitTorrent", 2003).

Every 10 s a leecher unchokes those that it gets most from, a seed those that take most. One of the four slots is the
optimistic unchoke, which moves every 30 s without regard to rates: so new neighbours get a first piece, and better
partners are found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ...api import PeerId, Rng

NEW_WEIGHT = 3
"""A new connection is this many times as likely to become the optimistic unchoke (BEP 3)."""


class Rated(NamedTuple):
    """A neighbour as the choker sees it.

    rate     bytes of the last 20 s that it sent us (a seed: that we sent it)
    interested it wants pieces that we have
    snubbing it has sent no block for a minute although we wait for some: it is unchoked only optimistically
    new      it was connected lately, and was not unchoked yet
    """

    peer: PeerId
    rate: float
    interested: bool
    snubbing: bool = False
    new: bool = False


def unchoked(neighbours: Sequence[Rated], slots: int, optimistic: PeerId | None) -> set[PeerId]:
    """Who is unchoked until the next round.

    The best neighbours by rate are unchoked until `slots` interested ones are, the optimistic unchoke among these.
    Better but uninterested ones are unchoked too: when one becomes interested it takes the place of the worst (BEP 3).
    """
    chosen: set[PeerId] = set()
    taken = 0
    for one in neighbours:
        if one.peer == optimistic:
            chosen.add(one.peer)
            taken += one.interested
    able = [one for one in neighbours if not one.snubbing and (one.interested or one.rate)]
    # Equal rates go by number of the peer: a run must not depend on the order of a table.
    able.sort(key=lambda each: (-each.rate, each.peer))
    for one in able:
        if taken >= slots:
            break
        if one.peer in chosen:
            continue
        chosen.add(one.peer)
        taken += one.interested
    return chosen


def next_optimistic(neighbours: Sequence[Rated], held: set[PeerId], rng: Rng) -> PeerId | None:
    """The next optimistic unchoke: drawn from interested neighbours that are choked now, new ones with three times the
    chance; None where there is none. `held`: who is unchoked by rate."""
    waiting = [one for one in neighbours if one.interested and one.peer not in held]
    if not waiting:
        return None
    lots = [one.peer for one in waiting for _ in range(NEW_WEIGHT if one.new else 1)]
    return rng.choice(lots)
