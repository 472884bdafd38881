"""Invariants of every run, whatever the protocol, the attacks and the order of commands."""

from __future__ import annotations

import numpy as np

from ...measure.snapshot import ALIVE, DEAD, LEFT
from ...sim.kernel import split
from ...swarm import Swarm


def all_hold(swarm: Swarm) -> None:
    """Check all invariants now."""
    nothing_is_lost_without_a_reason(swarm)
    records_add_up(swarm)
    only_living_peers_have_links_and_programs(swarm)


def under_way(swarm: Swarm) -> int:
    """Number of messages in flight, counted one by one in the kernel and the network, not as a difference."""
    kernel = swarm.simulation.kernel
    buckets = [*map(split, kernel.messages.values()), kernel.unfinished()]
    outside = sum(1 for _ in swarm.simulation.network.outside_buckets())
    return outside + sum(len(to) if isinstance(to, tuple) else 1 for tos, _ in buckets for to in tos)


def nothing_is_lost_without_a_reason(swarm: Swarm) -> None:
    """sent = delivered + dropped + in flight, and each drop has a reason."""
    totals = swarm.snapshot().totals
    assert totals.sent - totals.delivered - totals.dropped == under_way(swarm), (
        "what was sent is neither delivered, dropped nor under way"
    )
    assert sum(totals.dropped_by.values()) == totals.dropped, "a message was dropped without a reason"
    assert sum(totals.by_kind.values()) == totals.sent, "the kinds are not all that was sent"


def records_add_up(swarm: Swarm) -> None:
    """An ask reaches no more peers than there are, and has no more duplicates than messages."""
    n = len(swarm.labels)
    for row in swarm.asks():
        assert 0 <= row.reached < n, f"ask {row.id} reached {row.reached} of {n} peers"
        # Parts other than questions may reach a peer, see `Goal.reached_by`.
        assert row.reached <= sum(swarm.simulation.records[row.id].by_part) or row.hops == 0, (
            f"ask {row.id} reached peers without messages"
        )
        assert row.duplicates <= sum(swarm.simulation.records[row.id].by_part), (
            f"ask {row.id} has more duplicates than messages"
        )
        # A hit on a holder that was dead already is no answer.
        stale = len(swarm._record(row.id).stale)
        assert (row.first_hit_us is None) == (row.hits == stale), (
            f"ask {row.id} has a first hit, or none, against its hits"
        )
        assert (row.closed_us is None) or row.verdict, f"ask {row.id} is over, and has no verdict"
        assert sum(row.losses.values()) >= 0, f"ask {row.id} lost less than nothing"


def only_living_peers_have_links_and_programs(swarm: Swarm) -> None:
    """Both ends of a link are alive; a living peer has a program, a dead or departed one has none."""
    snapshot = swarm.snapshot()
    state = snapshot.state
    assert set(np.unique(state).tolist()) <= {ALIVE, DEAD, LEFT}
    ends = np.concatenate([snapshot.links.a, snapshot.links.b])
    assert (state[ends] == ALIVE).all(), "a link leads to a peer that does not live"
    for peer, up in enumerate((state == ALIVE).tolist()):
        assert (swarm.peer(peer) is not None) == up, f"#{peer} has a program and is dead, or lives without one"
