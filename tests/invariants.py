"""What no protocol, no attack and no order of commands may break, whatever else may be: looked at from outside."""

from __future__ import annotations

import numpy as np

from engine import Swarm
from engine.measure.snapshot import ALIVE, DEAD, LEFT


def all_hold(swarm: Swarm) -> None:
    """At this moment."""
    nothing_is_lost_without_a_reason(swarm)
    accounts_add_up(swarm)
    the_dead_hold_nothing(swarm)


def under_way(swarm: Swarm) -> int:
    """Messages on their way, counted one by one where they are, and not as what is left over."""
    kernel = swarm.simulation.kernel
    buckets = [*kernel.messages.values(), kernel.unfinished()]
    standing = sum(1 for _ in swarm.simulation.network.standing())
    return standing + sum(len(to) if isinstance(to, tuple) else 1 for tos, _ in buckets for to in tos)


def nothing_is_lost_without_a_reason(swarm: Swarm) -> None:
    """sent = delivered + dropped + in flight, and each drop has a name."""
    totals = swarm.snapshot().totals
    assert totals.sent - totals.delivered - totals.dropped == under_way(swarm)
    assert sum(totals.dropped_by.values()) == totals.dropped
    assert sum(totals.by_kind.values()) == totals.sent


def accounts_add_up(swarm: Swarm) -> None:
    """An ask reaches no more peers than there are, and has no more duplicates than questions."""
    n = len(swarm.labels)
    for row in swarm.asks():
        assert 0 <= row.reached < n
        assert row.reached <= row.messages or row.hops == 0
        assert row.duplicates <= row.messages
        assert (row.first_hit_us is None) == (row.hits == 0)
        assert (row.closed_us is None) or row.verdict
        assert sum(row.losses.values()) >= 0


def the_dead_hold_nothing(swarm: Swarm) -> None:
    """Links join the living; who is dead or gone has no program, and who lives has one."""
    snapshot = swarm.snapshot()
    state = snapshot.state
    assert set(np.unique(state).tolist()) <= {ALIVE, DEAD, LEFT}
    ends = np.concatenate([snapshot.links.a, snapshot.links.b])
    assert (state[ends] == ALIVE).all()
    for peer, up in enumerate((state == ALIVE).tolist()):
        assert (swarm.peer(peer) is not None) == up
