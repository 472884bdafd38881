"""What is so about an ask at the moment it closes: the facts that a verdict is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import way_in
from ..api import PeerId
from ..measure.asks import Account
from ..measure.snapshot import ALIVE, DEAD, LEFT, STATES
from ..simulation import Town


def facts_of(town: Town, account: Account) -> dict[str, Any]:
    """See `verdict.verdict` for the keys. Holders are looked up only when the ask went unanswered."""
    living = (town.state == ALIVE) & ~town.infrastructure
    alive = int(living.sum())
    first = account.first_hit_us()
    facts: dict[str, Any] = {
        "origin": STATES[town.state[account.origin]],
        "want": account.want,
        "text": account.text,
        "alive": alive - int(living[account.origin]),
        "reached": account.reached,
        "hits": len(account.hits),
        "first_hit_s": None if first is None else first / 1e6,
        "hops": account.deepest,
        "found_at": [town.labels[p] for p in account.hits] if account.decoys else [],
        "decoys": [town.labels[p] for p in account.decoys],
        "fetched": [town.labels[p] for p in account.fetched],
        "losses": account.losses,
        "setback": account.setback,
        "overlay": town.program.overlay,
        "ttl": getattr(town.desk.options, "ttl", None),
        "stations": {town.labels[s]: station_state(town, s) for s in town.stations},
    }
    if account.origin in town.seeking and living[account.origin] and not way_in.has_joined(town, account.origin):
        facts["adrift"] = way_in.why_not(town)
    if account.want in ("find", "fetch") and not account.hits:
        holders = [
            p
            for p, shelf in enumerate(town.shelves)
            if len(shelf) and p != account.origin and shelf.matching(account.text)
        ]
        standing = [p for p in holders if town.state[p] == ALIVE and not town.censored[p]]
        group = town.group
        near = [p for p in standing if group[p] == group[account.origin]]
        willing = [p for p in near if not town.colluding[p]]
        unasked = [p for p in willing if not account.heard(p)]
        facts.update(
            holders=len(holders),
            dead=sum(bool(town.state[p] == DEAD) for p in holders),
            left=sum(bool(town.state[p] == LEFT) for p in holders),
            censored=sum(bool(town.state[p] == ALIVE and town.censored[p]) for p in holders),
            parted=len(standing) - len(near),
            colluding=len(near) - len(willing),
            holders_alive=len(standing),
            asked=len(willing) - len(unasked),
            distance=distance(town, account.origin, unasked),
        )
    return facts


def station_state(town: Town, station: PeerId) -> str:
    """One word: alive, dead, left, censored or colluding."""
    if town.censored[station]:
        return "censored"
    if town.state[station] == ALIVE and town.colluding[station]:
        return "colluding"
    return STATES[town.state[station]]


def distance(town: Town, origin: PeerId, goals: Sequence[PeerId]) -> int | None:
    """Hops from a peer to the nearest of `goals` over the links as they stand, or None for no way."""
    if not goals:
        return None
    wanted = np.zeros(town.n, np.bool_)
    wanted[list(goals)] = True
    seen = np.zeros(town.n, np.bool_)
    seen[origin] = True
    near, blocked = town.streams.near, town.censored | (town.group != town.group[origin])
    front, hops = [origin], 0
    while front:
        if wanted[front].any():
            return hops
        hops += 1
        onward = list(dict.fromkeys(q for p in front for q in near[p]))
        front = [q for q in onward if not seen[q] and not blocked[q]]
        seen[front] = True
    return None
