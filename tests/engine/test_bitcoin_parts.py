"""The chain and the address manager of Bitcoin, without a network."""

from __future__ import annotations

from random import Random

import pytest

from engine.protocols.bitcoin.addrman import BITCOIND_0_9_3, TODAY, Address, AddrMan, Tables
from engine.protocols.bitcoin.chain import GENESIS, Block, Chain


def mined(parent: Block, number: int) -> Block:
    return Block(number, parent.hash, parent.height + 1, 0, 0, ())


def branch(parent: Block, numbers: range) -> list[Block]:
    blocks: list[Block] = []
    for number in numbers:
        parent = mined(parent, number)
        blocks.append(parent)
    return blocks


def test_a_longer_branch_replaces_the_one_that_was_seen_first() -> None:
    chain, ours, theirs = Chain(), branch(GENESIS, range(1, 4)), branch(GENESIS, range(11, 15))
    for block in (*ours, *theirs[:3]):
        chain.add(block)
    assert chain.tip == ours[-1], "of equal length the first stays"
    change = chain.add(theirs[3])
    assert change is not None
    assert [one.hash for one in change.gone] == [3, 2, 1]
    assert [one.hash for one in change.come] == [11, 12, 13, 14]
    assert chain.confirmations(11) == 4
    assert chain.confirmations(3) == 0


def test_blocks_whose_parent_is_missing_wait_for_it() -> None:
    chain, blocks = Chain(), branch(GENESIS, range(1, 6))
    for block in reversed(blocks[1:]):
        assert chain.add(block) is None
    change = chain.add(blocks[0])
    assert change is not None
    assert [one.hash for one in change.come] == [1, 2, 3, 4, 5]
    assert not chain.orphans


def test_a_locator_finds_the_fork_with_few_entries() -> None:
    mine, theirs = Chain(), Chain()
    shared = branch(GENESIS, range(1, 501))
    for block in shared:
        mine.add(block)
        theirs.add(block)
    for block in branch(shared[-1], range(1_001, 1_021)):
        mine.add(block)
    other = branch(shared[-1], range(2_001, 2_031))
    for block in other:
        theirs.add(block)
    locator = mine.locator()
    assert len(locator) < 25
    for block in theirs.after(locator):
        mine.add(block)
    assert mine.tip == other[-1]


def filled(tables: object, addresses: list[Address], *, tried: bool, source: int | None = None) -> AddrMan:
    man, rng = AddrMan(7, tables), Random(2)  # type: ignore[arg-type]
    for address in addresses:
        man.add(address, address.group if source is None else source, 0, 0, rng)
        if tried:
            man.good(address.peer, 0, rng)
    return man


def test_one_group_reaches_few_buckets() -> None:
    one_group = [Address(n, 5) for n in range(2_000)]
    man = filled(BITCOIND_0_9_3, one_group, tried=True)
    assert 0 < sum(bool(members) for members in man.tried.values()) <= 4
    many_groups = [Address(n, n) for n in range(4_000)]
    man = filled(BITCOIND_0_9_3, many_groups, tried=False, source=9)
    assert 16 < sum(bool(members) for members in man.new.values()) <= 32


def test_an_attacker_with_many_networks_fills_the_tried_table() -> None:
    # Of M = 4,096 places, A addresses that have one place each take M (1 - (1 - 1/M)^A).
    tables = Tables(tried=64, new=256, tried_a_group=4, new_a_source=32, one_place=True)
    man, rng, reached = AddrMan(7, tables), Random(2), 0
    for number in range(4_600):
        if man.add(Address(number, number), number, 0, 0, rng):
            man.good(number, 0, rng)
            reached += 1
    places = 4_096
    free = (1 - 1 / places) ** reached
    deviation = (places * free * (1 - (1 + reached / places) * free)) ** 0.5
    assert abs(man.counts[0] - places * (1 - free)) < 4 * deviation


def test_an_address_is_chosen_less_often_after_failures_and_never_twice_in_a_hurry() -> None:
    man = filled(BITCOIND_0_9_3, [Address(1, 1), Address(2, 2)], tried=True)
    rng = Random(4)
    for _ in range(5):
        man.attempt(1, 0)
    later_us = 3_600_000_000
    drawn = [man.select(0, later_us, rng) for _ in range(2_000)]
    share = sum(one is not None and one.peer == 1 for one in drawn) / len(drawn)
    assert 0.05 < share < 0.25
    assert AddrMan(1).select(0, 0, rng) is None


@pytest.mark.parametrize("tables", [BITCOIND_0_9_3, TODAY])
def test_before_0_10_1_an_address_that_was_seen_lately_is_preferred(tables: Tables) -> None:
    minute_us, looks = 60_000_000, 6_000
    man, now_us, rng = AddrMan(7, tables), 600 * minute_us, Random(5)
    for number, age_min in ((1, 10), (2, 150)):
        man.add(Address(number, number), number, now_us - age_min * minute_us, now_us, rng)
    # Each try draws either one with 1/2, and accepts it with its chance times 1.2 for each try before.
    fresh, old = (10 / 20, 10 / 160) if tables is BITCOIND_0_9_3 else (1.0, 1.0)
    expected, left, factor = 0.0, 1.0, 1.0
    while left > 1e-9:
        expected += left / 2 * min(1.0, factor * old)
        left *= 1 - (min(1.0, factor * old) + min(1.0, factor * fresh)) / 2
        factor *= 1.2
    drawn = [man.select(0, now_us, rng) for _ in range(looks)]
    share = sum(one is not None and one.peer == 2 for one in drawn) / looks
    assert abs(share - expected) < 4 * (expected * (1 - expected) / looks) ** 0.5


def test_getaddr_tells_less_than_a_quarter() -> None:
    man = filled(TODAY, [Address(n, n % 300) for n in range(1_000)], tried=False)
    told = man.getaddr(0, Random(1))
    assert len(told) == -(-23 * len(man.entries) // 100)
    assert len({one.peer for one in told}) == len(told)
