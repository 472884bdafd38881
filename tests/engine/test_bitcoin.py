"""A node of Bitcoin by itself: what it answers to each message."""

from __future__ import annotations

from typing import Any

import pytest
from tiny import sent

from engine.api import DUPLICATE, Ask, Numbers
from engine.kit import bits_of, lowest_bits
from engine.protocols import bitcoin
from engine.protocols.bitcoin import IN_FLIGHT_MOST, PAY, Connection, Dial, Node, TrickleIn, TrickleOut
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
    SendCmpct,
    Tx,
    Verack,
    Version,
    single,
)
from engine.testing import FakeHost

SECOND = 1_000_000


def node(*peers: int, **options: Any) -> tuple[FakeHost, Node]:
    """Node #0, which is no miner, with outbound connections to `peers`."""
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


def paid(many: int) -> list[Transaction]:
    """Payments of other users."""
    return [Transaction.of(-1 - n, "") for n in range(many)]


def some(host: FakeHost, *txs: Transaction) -> tuple[int, int]:
    """A set of transactions, as messages have it."""
    return 0, sum(1 << host.numbers.of(tx) for tx in txs)


def listed(host: FakeHost, first: int, txs: int) -> list[Transaction]:
    """The transactions of a set."""
    return [host.numbers.values[first + at] for at in bits_of(txs)]


def pool(host: FakeHost, made: Node) -> list[Transaction]:
    return listed(host, made.base, made.pool)


def test_a_connection_is_answered_with_version_and_verack_and_declined_without_room() -> None:
    host, made = node(inbound=1)
    host.give(made, Version(0, "full", False), sender=5)
    assert host.take() == [(5, Version(0, "full", True)), (5, Verack())]
    assert host.linked[-1] == 5
    assert host.marks[5, ""] == "inbound"
    host.give(made, Version(0, "full", False), sender=6)
    assert host.take() == [(6, Closing())]


def test_a_node_that_accepts_is_asked_for_addresses_and_kept_as_reachable() -> None:
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
    [tx] = pool(host, made)
    host.wait(made, 60 * SECOND)
    assert sorted(to for to, _ in sent(host, Inv)) == [1, 2]
    [other] = paid(1)
    host.give(made, GetData(*some(host, tx, other), ()), sender=1)
    assert host.take() == [(1, single(tx)), (1, NotFound(*some(host, other), ()))]


def test_an_announced_transaction_is_asked_of_one_node_and_then_of_the_next() -> None:
    host, made = node(1, 2)
    it = some(host, *paid(1))
    host.give(made, Inv(*it, ()), sender=1)
    host.give(made, Inv(*it, ()), sender=2)
    assert host.take() == [(1, GetData(*it, ()))]
    host.give(made, NotFound(*it, ()), sender=1)
    assert host.take() == [(2, GetData(*it, ()))]
    host.wait(made, 80 * SECOND)
    assert not sent(host, GetData)
    assert not made.asked, "nobody is left to ask"


def test_a_transaction_that_does_not_come_is_asked_of_the_next_node_after_a_minute_or_when_the_connection_ends() -> (
    None
):
    host, made = node(1, 2, 3)
    it = some(host, *paid(1))
    for peer in (1, 2, 3):
        host.give(made, Inv(*it, ()), sender=peer)
    assert host.take() == [(1, GetData(*it, ()))]
    host.wait(made, 59 * SECOND)
    assert not sent(host, GetData)
    host.wait(made, 12 * SECOND)
    assert sent(host, GetData) == [(2, GetData(*it, ()))]
    made.closed(host, 1)
    assert not sent(host, GetData), "it is awaited of the second one"
    made.closed(host, 2)
    assert sent(host, GetData) == [(3, GetData(*it, ()))]
    host.give(made, Tx(tuple(paid(1))), sender=3)
    host.wait(made, 80 * SECOND)
    assert not sent(host, GetData)
    assert pool(host, made) == paid(1)


def test_a_transaction_announced_by_inbound_connections_alone_is_asked_for_two_seconds_later() -> None:
    host, made = node(1)
    connect(host, made, 2, True)
    both, first, second = some(host, *paid(2)), some(host, *paid(2)[:1]), some(host, *paid(2)[1:])
    host.give(made, Inv(*both, ()), sender=2)
    assert host.take() == []
    host.give(made, Inv(*first, ()), sender=1)
    assert host.take() == [(1, GetData(*first, ()))]
    host.wait(made, 3 * SECOND)
    assert sent(host, GetData) == [(2, GetData(*second, ()))]


def test_a_payment_with_a_spent_coin_is_not_passed_on() -> None:
    host, made = node(1, 2)
    first, second = Transaction.of(8, "once"), Transaction.of(8, "twice")
    host.give(made, single(first), sender=1)
    host.give(made, single(second), sender=2)
    assert pool(host, made) == [first]
    block = mined(GENESIS, second)
    host.give(made, BlockData(block), sender=1)
    host.wait(made, SECOND)
    assert made.chain.tip is block
    assert not made.pool, "the chain has the other one"


def test_a_block_is_checked_and_announced_by_its_header_to_those_who_do_not_push() -> None:
    host, made = node(1, 2, 3)
    made.connections[3].wants_push = True
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
    host.give(made, Inv(0, 0, (block.hash,)), sender=1)
    assert host.take() == [(1, GetData(0, 0, (block.hash,)))]
    host.give(made, BlockData(block), sender=1)
    assert host.take() == []
    host.wait(made, 2 * SECOND)
    assert host.take() == [(2, Inv(0, 0, (block.hash,)))]


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


def test_transactions_of_a_block_are_there_while_it_is_checked() -> None:
    host, made = node(1, 2)
    payment = Transaction.of(2, "b")
    block = mined(GENESIS, payment)
    host.give(made, BlockData(block), sender=1)
    host.give(made, GetBlockTxn(block.hash, (0,)), sender=2)
    assert made.chain.height == 0, "it is not checked yet"
    assert sent(host, BlockTxn) == [(2, BlockTxn(block.hash, (payment,)))]


def test_a_compact_block_is_asked_of_another_one_if_its_sender_does_not_have_the_rest() -> None:
    host, made = node(1, 2)
    payment = Transaction.of(2, "b")
    block = mined(GENESIS, payment)
    host.give(made, CmpctBlock(block), sender=1)
    host.give(made, NotFound(0, 0, (block.hash,)), sender=1)
    host.take()
    host.give(made, CmpctBlock(block), sender=2)
    assert sent(host, GetBlockTxn) == [(2, GetBlockTxn(block.hash, (0,)))]
    host.give(made, BlockTxn(block.hash, (payment,)), sender=2)
    host.wait(made, SECOND)
    assert made.chain.tip is block


def test_a_block_whose_sender_is_gone_comes_from_another_one_that_pushed_it_too() -> None:
    host, made = node(1, 2, 3)
    payment = Transaction.of(2, "b")
    block = mined(GENESIS, payment)
    host.give(made, CmpctBlock(block), sender=1)
    assert sent(host, GetBlockTxn) == [(1, GetBlockTxn(block.hash, (0,)))]
    host.give(made, CmpctBlock(block), sender=2)
    assert not sent(host, GetBlockTxn), "one is asked at a time"
    made.closed(host, 1)
    assert sent(host, GetData) == [(2, GetData(0, 0, (block.hash,), compact=True))]
    host.give(made, CmpctBlock(block), sender=2)
    assert sent(host, GetBlockTxn) == [(2, GetBlockTxn(block.hash, (0,)))]
    host.give(made, BlockTxn(block.hash, (payment,)), sender=2)
    host.wait(made, SECOND)
    assert made.chain.tip is block


def test_a_block_is_there_for_others_while_it_is_checked() -> None:
    host, made = node(1, 2)
    block = mined(GENESIS)
    host.give(made, BlockData(block), sender=1)
    host.give(made, GetData(0, 0, (block.hash,), compact=True), sender=2)
    assert made.chain.height == 0, "it is not checked yet"
    assert host.take() == [(2, CmpctBlock(block))]


def test_a_block_that_was_pushed_to_one_without_its_parent_is_told_again_when_it_is_checked() -> None:
    host, made = node(1, 2)
    parent = mined(GENESIS)
    host.give(made, BlockData(parent), sender=1)
    host.wait(made, SECOND)
    host.give(made, SendCmpct(True), sender=2)
    host.take()
    block = mined(parent)
    host.give(made, BlockData(block), sender=1)
    assert sent(host, CmpctBlock) == [(2, CmpctBlock(block))]
    host.give(made, GetHeaders((GENESIS.hash,)), sender=2)
    assert sent(host, Headers) == [(2, Headers((parent.header,)))]
    host.wait(made, SECOND)
    assert sent(host, CmpctBlock) == [(2, CmpctBlock(block))]


def test_one_that_was_asked_for_blocks_that_others_pushed_first_is_asked_for_the_next_ones() -> None:
    host, made = node(1, 2)
    tip = GENESIS
    for number in range(IN_FLIGHT_MOST + 1):
        payment = Transaction.of(-1 - number, "")
        block = mined(tip, payment)
        host.give(made, Headers((block.header,)), sender=1)
        assert sent(host, GetData) == [(1, GetData(0, 0, (block.hash,), compact=True))], number
        # Another node pushes it, and sends the missing transactions.
        host.give(made, CmpctBlock(block), sender=2)
        host.give(made, BlockTxn(block.hash, (payment,)), sender=2)
        host.wait(made, SECOND)
        host.take()
        tip = block
    assert made.chain.tip is tip


def test_one_that_did_not_have_blocks_is_asked_for_the_next_ones() -> None:
    host, made = node(1)
    for number in range(IN_FLIGHT_MOST + 1):
        block = mined(GENESIS, at_us=number)
        host.give(made, Headers((block.header,)), sender=1)
        assert sent(host, GetData) == [(1, GetData(0, 0, (block.hash,), compact=True))], number
        host.give(made, NotFound(0, 0, (block.hash,)), sender=1)


def test_a_node_is_asked_for_so_many_blocks_at_a_time() -> None:
    host, made = node(1)
    chain = [mined(GENESIS)]
    while len(chain) < IN_FLIGHT_MOST + 5:
        chain.append(mined(chain[-1]))
    host.give(made, Headers(tuple(block.header for block in chain)), sender=1)
    [(_, asked)] = sent(host, GetData)
    assert asked.blocks == tuple(block.hash for block in chain[:IN_FLIGHT_MOST])
    host.give(made, BlockData(chain[0]), sender=1)
    host.wait(made, SECOND)
    [(_, asked)] = sent(host, GetData)
    assert asked.blocks == (chain[IN_FLIGHT_MOST].hash,)


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


def test_a_node_that_lacked_many_blocks_is_still_asked_for_others() -> None:
    host, made = node(1)
    chain = [mined(GENESIS, at_us=1)]
    for number in range(2, 41):
        chain.append(mined(chain[-1], at_us=number))
    host.give(made, Headers(tuple(block.header for block in chain)), sender=1)
    asked = sent(host, GetData)[0][1].blocks
    assert len(asked) == 16, "of one node only so many at a time"
    host.give(made, NotFound(0, 0, asked), sender=1)
    host.take()
    host.give(made, Headers(tuple(block.header for block in chain)), sender=1)
    for block in chain:
        host.give(made, BlockData(block), sender=1)
    host.wait(made, SECOND)
    further = mined(chain[-1], at_us=41)
    host.take()
    host.give(made, Headers((further.header,)), sender=1)
    assert [one.blocks for _, one in sent(host, GetData)] == [(further.hash,)]


def test_a_payment_is_made_after_six_blocks_and_a_reorganisation_takes_it_back() -> None:
    host, made = node(1)
    host.ask(made, Ask(4, PAY.name, "a car"))
    [tx] = pool(host, made)
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
    assert pool(host, made) == [tx], "it waits again"


def test_blocks_that_are_given_up_confirm_a_payment_no_more() -> None:
    host, made = node(1)
    host.ask(made, Ask(4, PAY.name, "a car"))
    [tx] = pool(host, made)
    first = mined(GENESIS, tx)
    rival = mined(GENESIS, at_us=9)
    after = mined(rival, at_us=9)
    for block in (first, mined(first), rival, after, mined(after, at_us=9), mined(mined(after, at_us=9), tx)):
        host.give(made, BlockData(block), sender=1)
        host.wait(made, SECOND)
    assert [note["done"] for note in host.noted("progress")] == [0, 1, 2, 0, 1]


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
    assert Inv(40, 0b1001, ()).wire_size() == 24 + 1 + 72
    assert GetData(0, 1 << 90, (5,)).wire_size() == 24 + 1 + 72
    assert GetHeaders((1,)).wire_size() == 24 + 4 + 1 + 64
    assert Headers((block.header,)).wire_size() == 24 + 1 + 81
    assert Addr(((1, 0),) * 300).wire_size() == 24 + 3 + 9_000
    # BIP 152: some 12.3 kB for 2,000 transactions.
    assert 12_200 < CmpctBlock(block).wire_size() < 12_500
    assert Tx((Transaction.of(1, "x"), Transaction.of(2, "x"))).wire_size() == 2 * (24 + 226)
    assert Tx((Transaction.of(1, "x"),), 7, 0b101).wire_size() == 3 * (24 + 226)


def test_a_transaction_that_the_other_end_is_known_to_have_is_not_announced_to_it() -> None:
    host, made = node(1, 2)
    connect(host, made, 3, True)
    txs = paid(3)
    host.give(made, Inv(*some(host, *txs), ()), sender=1)
    host.give(made, Inv(*some(host, txs[0]), ()), sender=2)
    host.take()
    host.give(made, Tx(tuple(txs)), sender=1)
    host.give(made, Inv(*some(host, txs[1]), ()), sender=3)
    host.give(made, BlockData(mined(GENESIS, txs[2])), sender=1)
    host.take()
    host.wait(made, 90 * SECOND)
    told = {to: listed(host, message.first, message.txs) for to, message in sent(host, Inv)}
    assert told == {2: [txs[1]], 3: [txs[0]]}
    host.give(made, GetData(*some(host, txs[0], txs[1]), ()), sender=3)
    assert host.take() == [(3, Tx((), *some(host, txs[0], txs[1])))], "together"


def test_payments_of_which_something_is_read_are_sent_with_their_contents() -> None:
    host, made = node(1, 2)
    plain, named = paid(2), [Transaction.of(5, "tea"), Transaction.of(-9, "milk")]
    host.give(made, Tx(tuple(named), *some(host, *plain)), sender=1)
    assert pool(host, made) == [*plain, *named]
    host.take()
    host.give(made, GetData(*some(host, *plain, *named), ()), sender=2)
    assert host.take() == [(2, Tx(tuple(named), *some(host, *plain)))]
    # What a block took out and a longer branch brings back is sent as before.
    host.give(made, BlockData(mined(GENESIS, *plain, *named)), sender=1)
    host.wait(made, SECOND)
    assert pool(host, made) == []
    rival = mined(GENESIS, at_us=3)
    for block in (rival, mined(rival, at_us=4)):
        host.give(made, BlockData(block), sender=1)
        host.wait(made, SECOND)
    host.take()
    host.give(made, GetData(*some(host, *plain, *named), ()), sender=2)
    assert host.take() == [(2, Tx(tuple(named), *some(host, *plain)))]


def test_a_set_of_payments_whose_contents_are_missing_is_not_taken() -> None:
    host, made = node(1, 2)
    [old], named = paid(1), Transaction.of(5, "tea")
    first, txs = some(host, old, named)
    forged = old._replace(txid=7)
    for others in ((first, txs), (first, 0b1000), (-1, 0b10), (first, -1), (1 << 70, 1), some(host, forged)):
        host.give(made, Tx((), *others), sender=1)
    assert pool(host, made) == []
    plain, both = Tx((), *some(host, old)), Tx((named,), *some(host, old))
    known = [made.tx(host, 2, message) for message in (plain, plain, both, both)]
    assert known == [None, DUPLICATE, None, DUPLICATE]
    assert pool(host, made) == [old, named]


def test_a_full_pool_takes_as_many_payments_as_it_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bitcoin, "POOL_MOST", 4)
    host, made = node(1)
    host.give(made, Tx((), *some(host, *paid(3))), sender=1)
    host.give(made, Tx((), *some(host, *paid(6)[2:])), sender=1)
    host.give(made, Tx((), *some(host, *paid(8)[7:])), sender=1)
    assert pool(host, made) == paid(4)


def test_a_timer_is_set_only_for_connections_that_lack_something() -> None:
    host, made = node(1, 2, 3)
    connect(host, made, 4, True)
    for peer in (2, 4):
        host.give(made, Inv(*some(host, *paid(1)), ()), sender=peer)
    host.give(made, single(paid(1)[0]), sender=1)
    assert [timer.tick.to for timer in host.timers if isinstance(timer.tick, TrickleOut)] == [3]
    assert not [timer for timer in host.timers if isinstance(timer.tick, TrickleIn)]
    host.give(made, Tx(tuple(paid(2))), sender=1)
    assert [timer.tick.to for timer in host.timers if isinstance(timer.tick, TrickleOut)] == [3, 2]
    assert len([timer for timer in host.timers if isinstance(timer.tick, TrickleIn)]) == 1


def test_equal_values_have_one_number() -> None:
    numbers = Numbers()
    assert [numbers.of(one) for one in (*paid(3), *paid(4))] == [0, 1, 2, 0, 1, 2, 3]
    assert numbers.values == paid(4)


def test_an_announcement_has_at_most_so_many_and_the_rest_follows() -> None:
    host, made = node(1, 2)
    txs = paid(80)
    host.give(made, Tx(tuple(txs)), sender=1)
    host.wait(made, 120 * SECOND)
    told = [listed(host, message.first, message.txs) for to, message in sent(host, Inv) if to == 2]
    assert [len(one) for one in told] == [35, 35, 10]
    assert [tx for one in told for tx in one] == txs
    for most in range(9):
        assert list(bits_of(lowest_bits(0b1011_0110_0001_1000, most))) == [3, 4, 9, 10, 12, 13, 15][:most]


@pytest.mark.parametrize(
    "it", [(1 << 70, 1), (0, 1 << 5_000), (-1, 1), (0, -1), (1 << 70, -(1 << 70)), (0, 0)], ids=str
)
def test_sets_of_unknown_payments_are_left_out(it: tuple[int, int]) -> None:
    host, made = node(1)
    connect(host, made, 2, True)
    host.give(made, Tx(tuple(paid(3))), sender=1)
    host.take()
    for peer in (1, 2):
        host.give(made, Inv(*it, ()), sender=peer)
        host.give(made, NotFound(*it, ()), sender=peer)
    host.wait(made, 5 * SECOND)
    assert not sent(host, GetData)
    host.give(made, GetData(*it, ()), sender=1)
    assert host.take() == ([(1, NotFound(*it, ()))] if it[1] else [])
    assert pool(host, made) == paid(3)


def test_a_payment_that_came_in_a_block_is_not_asked_for() -> None:
    host, made = node(1, 2)
    old, new = paid(2)
    host.give(made, single(old), sender=1)
    some(host, new)
    host.give(made, BlockData(mined(GENESIS, new)), sender=1)
    host.wait(made, SECOND)
    host.take()
    assert pool(host, made) == [old]
    host.give(made, Inv(*some(host, new), ()), sender=2)
    assert not sent(host, GetData)


def test_sets_begin_anew_after_a_block_and_reach_back_for_what_is_older() -> None:
    host, made = node(1, 2)
    txs = paid(300)
    kept = txs[200:]
    host.give(made, Tx(tuple(txs[:100])), sender=1)
    host.give(made, Tx(tuple(kept)), sender=2)
    host.give(made, Inv(*some(host, *kept), ()), sender=1)
    block = mined(GENESIS, *txs[:100])
    host.give(made, BlockData(block), sender=1)
    host.wait(made, SECOND)
    host.take()
    assert made.base == host.numbers.of(kept[0])
    assert pool(host, made) == kept
    # What is in the block is not asked for again; what was never announced is.
    host.give(made, Inv(*some(host, *txs[:100]), ()), sender=1)
    assert not sent(host, GetData)
    rival, found = mined(GENESIS, at_us=3), None
    for _ in range(2):
        host.give(made, BlockData(rival), sender=1)
        host.wait(made, SECOND)
        rival, found = mined(rival, at_us=3), rival
    assert made.chain.tip is found, "a reorganisation"
    assert pool(host, made) == [*txs[:100], *kept], "in the order in which they were made"
    host.take()
    host.give(made, GetData(*some(host, txs[7], kept[7]), ()), sender=2)
    assert host.take() == [(2, Tx((), *some(host, txs[7], kept[7])))]
    host.wait(made, 60 * SECOND)
    told = [tx for to, message in sent(host, Inv) if to == 1 for tx in listed(host, message.first, message.txs)]
    assert not told, "it has told of all of them itself"


def test_an_old_payment_that_a_node_has_missed_is_asked_for() -> None:
    host, made = node(1)
    old, new = paid(200)[:3], paid(200)[3:]
    some(host, *old)
    host.give(made, Tx(tuple(new)), sender=1)
    host.give(made, BlockData(mined(GENESIS, *new)), sender=1)
    host.wait(made, SECOND)
    host.take()
    assert made.base == 200
    host.give(made, Inv(*some(host, *old, new[0]), ()), sender=1)
    [(to, asked)] = sent(host, GetData)
    assert to == 1
    assert listed(host, asked.first, asked.txs) == old
    host.give(made, Tx(tuple(old)), sender=1)
    assert pool(host, made) == old


@pytest.mark.parametrize("era", ["2013", "today"])
def test_what_was_announced_to_all_is_forgotten(era: str) -> None:
    host, made = node(1, 2, era=era)
    for n in range(300):
        host.give(made, single(Transaction.of(-1 - n, "")), sender=1)
        host.wait(made, SECOND)
    host.wait(made, 60 * SECOND)
    assert len(pool(host, made)) == 300
    host.give(made, BlockData(mined(GENESIS, *pool(host, made))), sender=1)
    host.wait(made, 20 * SECOND)
    assert made.base == 300
    sets = [made.pool, made.have, made.news, made.asked, made.later, *made.waits]
    assert not any((*sets, *(bits for one in made.connections.values() for bits in (one.has, one.asked))))
