"""Bitcoin in a running swarm: how blocks and payments spread, what a partition does, and that it ends."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from tiny import run_for

from engine import Act, Arrive, AskFor, Heal, Kill, Partition, Revive, Setup, Swarm
from engine.protocols.bitcoin import Node
from engine.protocols.bitcoin.messages import GetData
from engine.sim.host import PeerHost

SECOND = 1_000_000


def swarm(peers: int = 30, **options: Any) -> Swarm:
    """No miners, so that blocks come when a test says so."""
    return Swarm(
        Setup("bitcoin", peers, 3, asks_per_s=0.0, sample_s=30.0, options={"miners": 0, "filler": 20, **options})
    )


def nodes(made: Swarm) -> list[Node]:
    return [program for program in made.simulation.programs if isinstance(program, Node)]


def tips(made: Swarm) -> Counter[int]:
    return Counter(node.chain.tip.hash for node in nodes(made))


@pytest.mark.parametrize("era", ["2013", "2015", "today"])
def test_a_converged_network_has_the_connections_of_its_era(era: str) -> None:
    made = swarm(60, era=era)
    blocks = 2 if era == "today" else 0
    for node in nodes(made):
        out = [one for one in node.connections.values() if not one.inbound]
        assert len(out) <= 8 + blocks + 1
        assert len({one.group for one in out}) == len(out), "one a /16"
        assert node.addresses.counts[0] == len({one.peer for one in out if one.peer in node.addresses.entries})
    degree = Counter(sum(one.kind == "full" and not one.inbound for one in n.connections.values()) for n in nodes(made))
    assert degree[8] > 50
    snapshot = made.snapshot()
    assert len(snapshot.links.a) == sum(len(node.connections) for node in nodes(made)) / 2
    before = made.simulation.shared.sent
    run_for(made, 0.5)
    assert made.simulation.shared.sent == before, "it has nothing to join"


@pytest.mark.parametrize("era", ["2013", "today"])
def test_a_block_and_a_payment_reach_all_once(era: str) -> None:
    made = swarm(era=era)
    made.do(AskFor(4, "coffee"))
    run_for(made, 60)
    made.do(Act(9, "block"))
    run_for(made, 30)
    paid, block = made.asks()
    assert (paid.goal, block.goal) == ("pay", "block")
    assert paid.reached == block.reached == 29
    half_us, most_us, nearly_all_us = block.spread_us
    assert half_us is not None
    assert 0 < half_us <= most_us <= nearly_all_us < 30_000_000
    assert tips(made).total() == 30
    assert len(tips(made)) == 1
    assert nodes(made)[0].chain.tip.transactions[0].text == "coffee"
    assert (paid.duplicates, made.simulation.records[paid.id].done) == (0, 1)
    assert not any(node.pool for node in nodes(made))


def test_a_verdict_counts_the_blocks_that_confirm_a_payment_now() -> None:
    made = swarm(confirmations=3)
    made.do(Partition((0, 1, 2, 3, 4)))
    made.do(AskFor(4, "coffee"))
    run_for(made, 60)
    assert made.asks()[0].verdict == "Not paid yet: it came to 4 other nodes, and no block has it."
    made.do(Act(0, "block"))
    run_for(made, 10)
    assert made.asks()[0].verdict == "Not paid yet: 1 of 3 blocks confirm it."
    made.do(Act(9, "block"))
    made.do(Act(9, "block"))
    made.do(Heal())
    run_for(made, 700)
    assert len(tips(made)) == 1
    assert made.asks()[0].done == 0
    assert made.asks()[0].verdict.endswith("other nodes, and no block has it.")


def test_with_many_payments_all_nodes_follow_the_chain() -> None:
    options = {"others_per_h": 900.0, "filler": 0, "block_s": 15.0}
    made = Swarm(Setup("bitcoin", 40, 1, asks_per_s=0.0, options=options))
    for _ in range(6):
        run_for(made, 10)
        before = max(one.chain.height for one in nodes(made))
        run_for(made, 5)
        assert min(one.chain.height for one in nodes(made)) >= before, "a block takes seconds to reach all"


def test_a_partition_makes_two_chains_and_one_more_block_makes_them_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[tuple[int, int]] = Counter()
    send = PeerHost.send

    def spy(self: PeerHost, to: int, message: Any, **kw: Any) -> None:
        if isinstance(message, GetData):
            asked.update((self.me, block) for block in message.blocks)
        send(self, to, message, **kw)

    monkeypatch.setattr(PeerHost, "send", spy)
    made = swarm(24)
    made.do(Partition(tuple(range(12))))
    run_for(made, 110)
    for at in (0, 0, 20):
        made.do(Act(at, "block"))
        run_for(made, 20)
    assert sorted(tips(made).values()) == [12, 12]
    made.do(AskFor(15, "there"))
    run_for(made, 60)
    made.do(Act(20, "block"))
    made.do(Heal())
    run_for(made, 330)
    made.do(Act(0, "block"))
    run_for(made, 60)
    assert len(tips(made)) == 1
    assert nodes(made)[0].chain.height == 3
    assert max(asked.values()) == 1, "no block is asked for twice"


def test_a_node_that_was_killed_keeps_its_chain_and_addresses_and_fetches_the_rest() -> None:
    made = swarm(16)
    made.do(Act(1, "block"))
    run_for(made, 10)
    made.do(Kill(5))
    run_for(made, 5)
    made.do(Act(1, "block"))
    run_for(made, 2)
    made.do(Act(2, "block"))
    run_for(made, 10)
    made.do(Kill("role=dns"))
    made.do(Revive(5))
    run_for(made, 30)
    [back] = [node for node in nodes(made) if node.me == 5]
    assert back.connections
    assert back.chain.height == nodes(made)[0].chain.height == 3


def test_without_dns_seeds_only_newcomers_find_nobody() -> None:
    joined = []
    for heads in (True, False):
        made = swarm(16)
        if not heads:
            made.do(Kill("role=dns"))
        run_for(made, 20)
        made.do(Arrive(1))
        run_for(made, 60)
        [newcomer] = [node for node in nodes(made) if node.me == len(made.labels) - 1]
        joined.append(bool(newcomer.connections))
        made.do(Act(0, "block"))
        run_for(made, 20)
        assert len({node.chain.height for node in nodes(made) if node is not newcomer}) == 1
    assert joined == [True, False]


def test_payments_go_on_where_searches_end_when_the_servers_are_shut() -> None:
    """Napster's index and all DNS seeds are shut at the same moment, in two runs."""
    success = []
    for network, servers, asks in (("napster", "role=index", 1.0), ("bitcoin", "role=dns", 0.3)):
        made = Swarm(Setup(network, 20, 7, asks_per_s=asks))
        run_for(made, 20)
        made.do(Kill(servers))
        run_for(made, 80)
        metrics = made.simulation.metrics
        success.append((metrics.success(2 * SECOND, 19 * SECOND), metrics.success(20 * SECOND, 38 * SECOND)))
    (found, nothing), (before, after) = success
    assert found is not None
    assert found > 0.8
    assert nothing == 0.0
    assert before == after == 1.0


def test_at_a_cold_start_nodes_find_each_other_by_the_seeds() -> None:
    made = swarm(16, running=False)
    run_for(made, 90)
    assert all(node.connections for node in nodes(made))
    made.do(Act(0, "block"))
    run_for(made, 20)
    assert len(tips(made)) == 1


def test_one_of_two_payments_of_a_coin_is_made() -> None:
    made = swarm(20, confirmations=2)
    made.do(Act(3, "spend-twice", {"text": "tea"}))
    run_for(made, 60)
    for at in (5, 6, 7):
        made.do(Act(at, "block"))
        run_for(made, 20)
    once, twice = (row for row in made.asks() if row.goal == "pay")
    assert {once.hits, twice.hits} == {0, 1}
    assert any(row.verdict.startswith("It was not paid") for row in (once, twice))


def test_a_majority_takes_a_payment_back() -> None:
    made = swarm(16, confirmations=2)
    made.do(Act(3, "rob", {"text": "a car"}))
    run_for(made, 60)
    for at in (5, 3, 6, 3):
        made.do(Act(at, "block"))
        run_for(made, 20)
    [paid] = [row for row in made.asks() if row.goal == "pay"]
    assert paid.hits == 1
    made.do(Act(3, "block"))
    run_for(made, 20)
    [paid] = [row for row in made.asks() if row.goal == "pay"]
    assert paid.hits == 0
    assert len(tips(made)) == 1
    assert paid.verdict.startswith("It was paid and is not any more")
