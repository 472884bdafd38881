"""Theoretical results, compared with what is measured."""

from __future__ import annotations

import statistics

import pytest

from engine import AskFor, Set, Setup, Swarm, Theory

SECOND = 1_000_000


def figures(swarm: Swarm, ask: int) -> dict[str, Theory]:
    return {row.of: row for row in swarm.theory(ask)}


def asked(protocol: str, **changes: object) -> Swarm:
    values = {"protocol": protocol, "peers": 200, "latency": "constant:50", "asks_per_s": 0.0, **changes}
    swarm = Swarm(Setup(**values))  # type: ignore[arg-type]
    swarm.advance(5 * SECOND)
    return swarm


@pytest.mark.parametrize("ttl", [1, 2, 3, 4, 30])
def test_the_theory_of_a_flood_over_these_links_is_exact(ttl: int) -> None:
    swarm = asked("gnutella")
    swarm.do(Set("ttl", ttl))
    swarm.do(Set("hop_limit", 15))
    swarm.do(AskFor(3, "nobody has this"))
    told = figures(swarm, 1)
    swarm.advance_quiet(60 * SECOND)
    row = swarm.record(1)
    assert (told["reached"].value, told["messages"].value) == (row.reached, row.messages)
    assert told["duplicates"].value == row.duplicates
    if ttl == 30:
        assert row.messages == 2 * swarm.edges - row.reached
        assert told["messages"].why == "2E - N + 1"


def test_relays_stop_a_flood_at_their_own_limit_whatever_its_ttl() -> None:
    rows = []
    for ttl in (7, 12, 200):
        swarm = asked("gnutella")
        swarm.do(Set("ttl", ttl))
        swarm.do(AskFor(3, "nobody has this"))
        told = figures(swarm, 1)
        swarm.advance_quiet(60 * SECOND)
        row = swarm.record(1)
        assert (told["reached"].value, told["messages"].value) == (row.reached, row.messages)
        rows.append((row.reached, row.messages, row.hops))
    assert rows[0] == rows[1] == rows[2]


def test_ritters_tree_is_never_smaller_than_a_regular_graph() -> None:
    swarm = asked("gnutella", topology="random:4", peers=64)
    swarm.do(AskFor(3, "nobody has this"))
    told = figures(swarm, 1)
    assert told["tree"].value == 4_372
    assert told["reached"].value <= 63


def test_a_rumour_reaches_what_the_equation_says_on_average() -> None:
    swarm = asked("gossip", peers=1_000)
    for peer in range(12):
        swarm.do(AskFor(peer, f"fire {peer}"))
    told = figures(swarm, 1)["reached"].value
    swarm.advance_quiet(60 * SECOND)
    heard = [row.reached for row in swarm.asks()]
    assert abs(statistics.median(heard) - told) < 0.03 * told


@pytest.mark.parametrize("peers", [20, 200])
def test_one_question_to_the_index_however_many_users(peers: int) -> None:
    swarm = asked("napster", peers=peers)
    swarm.do(AskFor(3, "nobody has this"))
    told = figures(swarm, 1)
    swarm.advance_quiet(300 * SECOND)
    assert told["messages"].value == swarm.record(1).messages == 1


def test_a_balancer_passes_one_request_on() -> None:
    swarm = asked("web", options={"servers": 3})
    swarm.do(AskFor(3, "page"))
    swarm.advance_quiet(60 * SECOND)
    assert figures(swarm, 1)["messages"].value == swarm.record(1).messages == 2


def test_a_dead_asker_has_no_theory() -> None:
    from engine import Kill

    swarm = asked("gnutella")
    swarm.do(AskFor(3, "x"))
    swarm.do(Kill(3))
    assert swarm.theory(1) == ()
