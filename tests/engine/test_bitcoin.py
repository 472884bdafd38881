"""A node of Bitcoin by itself: what it answers to each message."""

from __future__ import annotations

from typing import Any

import pytest

from engine.api import Ask
from engine.protocols.bitcoin import PAY, Connection, Dial, Node
from engine.protocols.bitcoin.chain import GENESIS, Block, Transaction
from engine.protocols.bitcoin.messages import (
    Addr,
    BitcoinOptions,
    BlockData,
    BlockTxn,
    Closing,
    CmpctBlock,
    GetAddr,
    GetBlocks,
    GetBlockTxn,
    GetData,
    GetHeaders,
    Headers,
    Inv,
    NotFound,
    Tx,
    Verack,
    Version,
    single,
)
from engine.testing import FakeHost

SECOND = 1_000_000


def node(*peers: int, **options: Any) -> tuple[FakeHost, Node]:
    """A node #0 that no miner is, with outbound connections to `peers`."""
    host, made = FakeHost(0, BitcoinOptions(**{"miners": 0, "dns_seeds": 0, **options})), Node()
    host.start(made, (), None)
    for peer in peers:
        connect(host, made, peer, False)
    host.timers = [timer for timer in host.timers if timer.period_us]
    host.take()
    return host, made


def connect(host: FakeHost, made: Node, peer: int, inbound: bool) -> Connection:
    return made.connect(host, peer, "full", inbound, 0)


def mined(parent: Block, *txs: Transaction, at_us: int = 0) -> Block:
    return Block.on(parent, 9, at_us, txs)


def sent(host: FakeHost, kind: type) -> list[tuple[int, Any]]:
    return [(to, message) for to, message in host.take() if isinstance(message, kind)]


def test_a_call_is_answered_with_version_and_verack_and_declined_without_room() -> None:
    host, made = node(inbound=1)
    host.give(made, Version(0, "full", False), sender=5)
    assert host.take() == [(5, Version(0, "full", True)), (5, Verack())]
    assert host.linked[-1] == 5
    assert host.marks[5, ""] == "inbound"
    host.give(made, Version(0, "full", False), sender=6)
    assert host.take() == [(6, Closing())]


def test_who_accepts_is_asked_for_addresses_and_is_known_as_reached() -> None:
    host, made = node()
    made.learn(host, 7, 0, 1)
    host.tick(made, Dial())
    assert host.take() == [(7, Version(0, "full", False))]
    host.give(made, Version(3, "full", True), sender=7)
    told = [type(message) for _, message in host.take()]
    assert told == [Verack, GetAddr, Addr, GetHeaders]
    assert made.addresses.counts == (1, 0)
    assert host.marks[7, ""] == "outbound"


def test_one_outbound_connection_a_network() -> None:
    host, made = node(1)
    host.addresses = {1: 0x05060000, 2: 0x05060001, 3: 0x05070000}
    made.connections[1].group = 0x0506
    made.learn(host, 2, 0, 1)
    assert made.address_for(host) is None
    made.learn(host, 3, 0, 1)
    found = {made.address_for(host) for _ in range(20)} - {None}
    assert {address.peer for address in found if address is not None} == {3}


def test_a_payment_is_announced_asked_for_and_sent() -> None:
    host, made = node(1, 2)
    host.ask(made, Ask(4, PAY.name, "coffee"))
    [txid] = made.pool
    host.wait(made, 60 * SECOND)
    assert sorted(to for to, _ in sent(host, Inv)) == [1, 2]
    host.give(made, GetData((txid, 77), ()), sender=1)
    assert host.take() == [(1, single(made.pool[txid])), (1, NotFound((77,), ()))]


def test_what_is_announced_is_asked_for_once_and_then_of_the_next_one() -> None:
    host, made = node(1, 2)
    host.give(made, Inv((5,), ()), sender=1)
    host.give(made, Inv((5,), ()), sender=2)
    assert host.take() == [(1, GetData((5,), ()))]
    host.give(made, NotFound((5,), ()), sender=1)
    assert host.take() == [(2, GetData((5,), ()))]
    host.wait(made, 80 * SECOND)
    assert not sent(host, GetData)
    assert not made.wanted, "nobody is left to ask"


def test_what_only_an_inbound_connection_announces_is_asked_for_two_seconds_later() -> None:
    host, made = node(1)
    connect(host, made, 2, True)
    host.give(made, Inv((5, 6), ()), sender=2)
    assert host.take() == []
    host.give(made, Inv((5,), ()), sender=1)
    assert host.take() == [(1, GetData((5,), ()))]
    host.wait(made, 3 * SECOND)
    assert sent(host, GetData) == [(2, GetData((6,), ()))]


def test_a_payment_with_a_spent_coin_is_not_passed_on() -> None:
    host, made = node(1, 2)
    first, second = Transaction.of(8, "once"), Transaction.of(8, "twice")
    host.give(made, single(first), sender=1)
    host.give(made, single(second), sender=2)
    assert list(made.pool) == [first.txid]
    block = mined(GENESIS, second)
    host.give(made, BlockData(block), sender=1)
    host.wait(made, SECOND)
    assert made.chain.tip is block
    assert not made.pool, "the chain has the other one"


def test_a_block_is_checked_and_announced_by_its_header_to_those_who_do_not_push() -> None:
    host, made = node(1, 2, 3)
    made.connections[3].pushes = True
    block = mined(GENESIS)
    host.give(made, BlockData(block), sender=1)
    pushed = host.take()
    assert pushed == [(3, CmpctBlock(block))], "before it is checked"
    host.wait(made, SECOND)
    told = host.take()
    assert (2, Headers((block.header,))) in told
    assert not [message for to, message in told if to == 3]


def test_in_2013_a_block_is_announced_by_inv_when_it_is_checked() -> None:
    host, made = node(1, 2, era="2013")
    block = Block.on(GENESIS, 9, 0, (), 300)
    host.give(made, Inv((), (block.hash,)), sender=1)
    assert host.take() == [(1, GetData((), (block.hash,)))]
    host.give(made, BlockData(block), sender=1)
    assert host.take() == []
    host.wait(made, 2 * SECOND)
    assert host.take() == [(2, Inv((), (block.hash,)))]


def test_an_orphan_waits_for_its_parent() -> None:
    host, made = node(1, era="2013")
    first = mined(GENESIS)
    second = mined(first)
    host.give(made, BlockData(second), sender=1)
    host.wait(made, SECOND)
    assert host.take() == [(1, GetBlocks((GENESIS.hash,)))]
    assert list(made.chain.orphans) == [second.hash]
    host.give(made, BlockData(first), sender=1)
    host.wait(made, SECOND)
    assert made.chain.tip is second


def test_a_compact_block_is_short_of_what_is_not_in_the_pool() -> None:
    host, made = node(1)
    known, unknown = Transaction.of(1, "a"), Transaction.of(2, "b")
    host.give(made, single(known), sender=1)
    block = mined(GENESIS, known, unknown)
    host.give(made, CmpctBlock(block), sender=1)
    assert sent(host, GetBlockTxn) == [(1, GetBlockTxn(block.hash, (1,)))]
    host.give(made, BlockTxn(block.hash, (known,)), sender=1)
    host.wait(made, SECOND)
    assert made.chain.height == 0, "not what was asked for"
    host.give(made, BlockTxn(block.hash, (unknown,)), sender=1)
    host.wait(made, SECOND)
    assert made.chain.tip is block


def test_a_block_that_breaks_the_rules_costs_its_sender_the_connection() -> None:
    host, made = node(1, 2, 3)
    paid = Transaction.of(4, "x")
    good = mined(GENESIS, paid)
    host.give(made, BlockData(good), sender=1)
    host.wait(made, SECOND)
    host.give(made, BlockData(mined(good, Transaction.of(4, "y"))), sender=2)
    host.wait(made, SECOND)
    forged = Block(12345, good.hash, 2, 9, 0, ())
    host.give(made, BlockData(forged), sender=3)
    host.wait(made, SECOND)
    assert made.chain.tip is good
    assert host.unlinked == [2, 3]


def test_headers_of_a_longer_branch_are_fetched_and_those_of_a_shorter_one_are_not() -> None:
    host, made = node(1, 2)
    own = mined(GENESIS, at_us=1)
    own2 = mined(own, at_us=2)
    for block in (own, own2):
        made.chain.add(block)
    other = mined(GENESIS, at_us=3)
    host.give(made, Headers((other.header,)), sender=1)
    assert not sent(host, GetData)
    second = mined(other, at_us=4)
    third = mined(second, at_us=5)
    host.give(made, Headers((other.header, second.header, third.header)), sender=2)
    [(to, asked)] = sent(host, GetData)
    assert to == 2
    assert asked.blocks == (other.hash, second.hash, third.hash)
    for block in (third, second, other):
        host.give(made, BlockData(block), sender=2)
    host.wait(made, SECOND)
    assert made.chain.tip is third


def test_a_payment_is_made_after_six_blocks_and_a_reorganisation_takes_it_back() -> None:
    host, made = node(1)
    host.ask(made, Ask(4, PAY.name, "a car"))
    tx = next(iter(made.pool.values()))
    tip = mined(GENESIS, tx)
    chain = [tip]
    while len(chain) < 6:
        tip = mined(tip)
        chain.append(tip)
    for block in chain:
        host.give(made, BlockData(block), sender=1)
        host.wait(made, SECOND)
    assert [note["done"] for note in host.noted("progress")] == [0, 1, 2, 3, 4, 5, 6]
    assert host.noted("hit") == [{"holder": 0, "content": "a car"}]
    rival = mined(GENESIS, at_us=9)
    for _ in range(7):
        host.give(made, BlockData(rival), sender=1)
        host.wait(made, SECOND)
        rival = mined(rival, at_us=9)
    assert host.noted("unhit") == [{"holder": 0}]
    assert tx.txid in made.pool, "it waits again"


def test_addresses_and_chain_survive_a_kill() -> None:
    host, made = node(1)
    made.learn(host, 7, 0, 1)
    host.give(made, BlockData(mined(GENESIS)), sender=1)
    host.wait(made, SECOND)
    again = Node()
    host.start(again, (), made.saved())
    assert again.chain.height == 1
    assert 7 in again.addresses.entries
    assert not again.connections


def test_a_branch_mined_in_secret_is_told_when_it_is_revealed() -> None:
    host, made = node(1)
    host.act(made, "mine-in-secret")
    host.act(made, "block")
    host.act(made, "block")
    assert made.chain.height == 0
    assert not host.take()
    host.act(made, "reveal")
    assert made.chain.height == 2
    [(to, told)] = sent(host, Headers)
    assert to == 1
    assert len(told.headers) == 2


@pytest.mark.parametrize("era", ["2013", "today"])
def test_spending_twice_tells_each_half_another_payment(era: str) -> None:
    host, made = node(1, 2, 3, 4, era=era)
    host.act(made, "spend-twice", text="tea")
    told = sent(host, Tx)
    assert sorted(to for to, _ in told) == [1, 2, 3, 4]
    assert len({message.txs[0].txid for _, message in told}) == 2
    assert len({message.txs[0].coin for _, message in told}) == 1


def test_the_sizes_of_messages_are_those_of_the_wire() -> None:
    block = Block.on(GENESIS, 1, 0, (), 2_000)
    assert Inv((1, 2), ()).wire_size() == 24 + 1 + 72
    assert GetHeaders((1,)).wire_size() == 24 + 4 + 1 + 64
    assert Headers((block.header,)).wire_size() == 24 + 1 + 81
    assert Addr(((1, 0),) * 300).wire_size() == 24 + 3 + 9_000
    # BIP 152: some 12.3 kB for 2,000 transactions.
    assert 12_200 < CmpctBlock(block).wire_size() < 12_500
    assert Tx((Transaction.of(1, "x"), Transaction.of(2, "x"))).wire_size() == 2 * (24 + 226)


def test_what_the_other_end_is_known_to_have_is_not_announced_to_it() -> None:
    host, made = node(1, 2)
    connect(host, made, 3, True)
    txs = [Transaction.of(-n, "") for n in (1, 2, 3)]
    host.give(made, Inv(tuple(tx.txid for tx in txs), ()), sender=1)
    host.give(made, Inv((txs[0].txid,), ()), sender=2)
    host.take()
    host.give(made, Tx(tuple(txs)), sender=1)
    host.give(made, Inv((txs[1].txid,), ()), sender=3)
    host.give(made, BlockData(mined(GENESIS, txs[2])), sender=1)
    host.take()
    host.wait(made, 90 * SECOND)
    told = {to: message.txs for to, message in sent(host, Inv)}
    assert told == {2: (txs[1].txid,), 3: (txs[0].txid,)}
    host.give(made, GetData((txs[0].txid, txs[1].txid), ()), sender=3)
    assert host.take() == [(3, Tx((txs[0], txs[1])))], "together"


@pytest.mark.parametrize("era", ["2013", "today"])
def test_what_was_told_to_all_is_forgotten(era: str) -> None:
    host, made = node(1, 2, era=era)
    for n in range(300):
        host.give(made, single(Transaction.of(-1 - n, "")), sender=1)
        host.wait(made, SECOND)
    host.wait(made, 60 * SECOND)
    assert len(made.news) == len(made.places) <= 200
    assert not any(len(one.lacks) > 200 for one in made.connections.values())
    assert len(made.pool) == 300
