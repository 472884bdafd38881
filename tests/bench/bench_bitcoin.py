"""Figures of Bitcoin against what theory and measurements say. Run by hand: `python tests/bench/bench_bitcoin.py`, all
or those that are named (`races`, `eclipse`, `forks`, `trickle`, `spread`, `partition`, `speed`, `large`, `memory`).

Attacker's race (Nakamoto 2008; the exact law is that of the negative binomial), how attackers fill an address table and
how often they get all connections of a node that restarts (Heilman 2015), how many blocks make forks (Decker and
Wattenhofer 2013), how long an announcement waits up to 0.11, how blocks and payments spread in 2013 and today, what a
partition of an hour leaves behind, how fast payments are simulated, in processor time, and what a block takes in
memory.
"""

from __future__ import annotations

import gc
import math
import resource
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

import numpy as np

from engine import Act, Heal, Host, Partition, Setup, Swarm
from engine.api import INHERIT, CauseLike
from engine.protocols.bitcoin import PASS_US, Node
from engine.protocols.bitcoin.addrman import BITCOIND_0_9_3, Address, AddrMan, Tables
from engine.protocols.bitcoin.chain import GENESIS, Block, Chain, Change, Transaction, coins_of
from engine.protocols.bitcoin.messages import GetData
from engine.sim.host import PeerHost

SECOND = 1_000_000
OUTBOUND = 8


def exact(q: float, z: int, ahead: int = 1) -> float:
    """The chance that an attacker with the share q of all power takes back z confirmations. ahead: by how many blocks
    its branch has to be longer: 1 where nodes keep the branch that they saw first, 0 where a draw counts."""
    p = 1 - q
    lost = sum(math.comb(z + k - 1, k) * p**z * q**k * (1 - (q / p) ** (z + ahead - k)) for k in range(z + ahead + 1))
    return 1 - lost


def nakamoto(q: float, z: int) -> float:
    """The approximation of the paper: the attacker's progress is Poisson."""
    p, mean = 1 - q, z * q / (1 - q)
    lost = sum(math.exp(-mean) * mean**k / math.factorial(k) * (1 - (q / p) ** (z - k)) for k in range(z + 1))
    return 1 - lost


def race(q: float, z: int, rng: Random, give_up: int = 40) -> bool:
    """One race on a `Chain`: the honest blocks are known, the attacker's are published when they are more. It gives up
    when it is so many behind."""
    chain, honest, secret = Chain(), GENESIS, [GENESIS]
    number = 0
    while True:
        number += 1
        if rng.random() < q:
            secret.append(Block(number, secret[-1].hash, len(secret), 1, 0, ()))
        else:
            honest = Block(number, honest.hash, honest.height + 1, 0, 0, ())
            chain.add(honest)
        ahead = len(secret) - 1 - honest.height
        if honest.height >= z and ahead >= 1:
            for block in secret[1:]:
                chain.add(block)
            return chain.tip is secret[-1]
        if ahead < -give_up:
            return False


def slots_filled(addresses: int, places: int = 4_096, seed: int = 1) -> tuple[int, float]:
    """Addresses in `tried` after so many of different networks were reached, and the law M (1 - (1 - 1/M)^A)."""
    man, rng = AddrMan(seed, Tables(new=4_096, new_a_source=4_096, one_place=True)), Random(seed)
    reached = 0
    for number in range(addresses):
        if man.add(Address(number, number), number, 0, 0, rng):
            man.good(number, 0, rng)
            reached += 1
    return man.counts[0], places * (1 - (1 - 1 / places) ** reached)


def honest_odds(addresses: int, others: int = 7_200) -> float:
    """The chance that all connections of a node go to an owner of so many addresses whose
    addresses are announced as often as those of others (Heilman 2015: 7,200 nodes accept connections)."""
    return (addresses / (others + addresses)) ** OUTBOUND


def odds_when_tested(addresses: int, reachable: float, places: int = 4_096) -> float:
    """The bound on that chance where an address in `tried` is tested before another one gets its place: so many honest
    addresses are in the table, and a share of them can be reached."""
    return (1 - reachable * addresses / places) ** OUTBOUND


class Eclipses(NamedTuple):
    """odds: the share of restarts after which all connections go to the attacker; tried: its share of that table; law:
    the chance where each is drawn from that table alone."""

    odds: float
    tried: float
    law: float


def eclipses(networks: int, a_network: int, rounds: int, runs: int, seed: int = 1, full: bool = True) -> Eclipses:
    """An attacker with so many networks (/16) and addresses in each against the tables of 0.9.3, which are full of
    addresses of others that can be reached (the worst case of the paper, section 6). In each round each of its
    addresses connects once, and addresses where nobody is are told. Then the node restarts and opens connections."""
    rng, won, share, law = Random(seed), 0, 0.0, 0.0
    for _ in range(runs):
        man = AddrMan(rng.getrandbits(62), BITCOIND_0_9_3)
        at_us, number = 0, 0
        places = man.tables.tried * man.tables.bucket
        while full and man.counts[0] < places * 0.98:
            number += 1
            honest = Address(-number, 100_000 + number)
            if man.add(honest, honest.group, at_us, at_us, rng):
                man.good(honest.peer, at_us, rng)
        for one_round in range(1, rounds + 1):
            at_us = one_round * 1_800 * SECOND
            for of in range(networks * a_network):
                address = Address(of, of // a_network)
                man.add(address, address.group, at_us, at_us, rng)
                man.good(of, at_us, rng)
        for of in range(40_000 if full else 2_000):
            source = of % max(networks, 32)
            man.add(Address(1_000_000 + of, 200_000 + of % 500), source, at_us, at_us, rng)
        at_us += 1_800 * SECOND
        ours = sum(0 <= peer < 1_000_000 for members in man.tried.values() for peer in members) / max(1, man.counts[0])
        share += ours / runs
        law += ours**OUTBOUND / runs
        opened: dict[int, int] = {}
        while len(opened) < OUTBOUND:
            found = man.select(len(opened), at_us, rng)
            assert found is not None
            if found.group in opened:
                continue
            man.attempt(found.peer, at_us)
            at_us += SECOND
            if found.peer < 1_000_000:
                man.good(found.peer, at_us, rng)
                opened[found.group] = found.peer
        won += all(peer >= 0 for peer in opened.values())
    return Eclipses(won / runs, share, law)


def trickle_wait_s(peers: int, rounds: int, rng: Random) -> float:
    """The mean wait of a peer for an announcement up to 0.11, in s: each pass draws one of all."""
    waits = []
    for _ in range(rounds):
        passes = 1
        while rng.randrange(peers):
            passes += 1
        waits.append(passes * PASS_US / 1e6)
    return sum(waits) / rounds


def spread(era: str, peers: int, blocks: int, filler: int, seed: int = 1) -> dict[str, float]:
    """Median over blocks of the seconds until 50 and 90 % of the nodes have checked one."""
    made = Swarm(Setup("bitcoin", peers, seed, asks_per_s=0.0, options={"era": era, "miners": 0, "filler": filler}))
    made.advance(SECOND)
    shares: dict[float, list[float]] = {0.5: [], 0.9: []}
    rng = Random(seed)
    for height in range(1, blocks + 1):
        made.do(Act(rng.randrange(peers), "block"))
        begin, times = made.now_us, {}
        while len(times) < peers * 0.95 and made.now_us < begin + 120 * SECOND:
            made.advance(made.now_us + 50_000)
            for peer in range(peers):
                if peer not in times and made.simulation.programs[peer].chain.height >= height:  # type: ignore[union-attr]
                    times[peer] = (made.now_us - begin) / SECOND
        for share, found in shares.items():
            found.append(float(np.quantile([times.get(peer, 120.0) for peer in range(peers)], share)))
        made.advance(made.now_us + 20 * SECOND)
    return {f"{share:.0%}": float(np.median(found)) for share, found in shares.items()}


def fork_rate(seconds: float = 11.37, every_s: float = 633.68) -> float:
    """Decker and Wattenhofer's model: 1 - (1 - P_b)^(integral of the share that does not know a block yet)."""
    return 1 - (1 - 1 / every_s) ** seconds


def drawn_forks(blocks: int, rng: Random, mean_s: float = 11.37, every_s: float = 633.68) -> float:
    """The share of blocks upon whose parent there is another one, where the node that finds a block may not know
    the last one yet: it knows it after a time that is drawn with this mean (their integral of 1 - f is that mean)."""
    tip_s, forks, now_s = 0.0, 0, 0.0
    for _ in range(blocks):
        now_s += rng.expovariate(1 / every_s)
        # Measured: half of the nodes had it after 6.5 s, a twentieth did not after 40 s. Log-normal, as in their
        # figure.
        knows_s = tip_s + rng.lognormvariate(math.log(mean_s) - SPREAD**2 / 2, SPREAD)
        if now_s < knows_s:
            forks += 1
        else:
            tip_s = now_s
    return forks / blocks


SPREAD = 1.1
"""Of the logarithm of the time after which a node has a block: 95 % after 40 s of a mean of 11.37 s."""


class Watched(Node, name="bitcoin-watched"):
    """A node that keeps when blocks came into its chain: (height, virtual time in us)."""

    __slots__ = ("came",)

    def __init__(self) -> None:
        super().__init__()
        self.came: list[tuple[int, int]] = []

    def follow(self, host: Host, change: Change, cause: CauseLike = INHERIT) -> None:
        self.came += [(block.height, host.now_us) for block in change.come]
        super().follow(host, change, cause)


def watched_forks(peers: int, blocks: int, every_s: float, filler: int, seed: int = 1) -> tuple[int, float, float]:
    """(blocks, share of forks, share by the model) of a network of 2013 in which all nodes mine. The model gets the
    mean time, of all nodes, from a block to that when a node mines upon it."""
    options = {"era": "2013", "miners": peers, "block_s": every_s, "filler": filler}
    setup = Setup("bitcoin", peers, seed, asks_per_s=0.0, sample_s=60.0, latency="world", options=options)
    made = Swarm(setup, Watched)
    nodes = [node for node in made.simulation.programs if isinstance(node, Watched)]
    while nodes[0].chain.height < blocks:
        made.advance(made.now_us + 100 * SECOND)
    came = sorted((at_us, height) for node in nodes for height, at_us in node.came)
    first: dict[int, int] = {}
    waits = [(at_us - first.setdefault(height, at_us)) / SECOND for at_us, height in came]
    known = {block.hash: block.height for node in nodes for block in node.chain.blocks.values() if block.height}
    heights = len(set(known.values()))
    return len(known), (len(known) - heights) / len(known), fork_rate(float(np.mean(waits)), every_s)


class Healed(NamedTuple):
    """After a partition has ended and one more block was found. tips: different last blocks; twice: blocks that a node
    asked for again without a time-out; spent_twice: coins that a chain spends more than once; made_twice: coins of
    which two payments count as made; apart: tips before; heights: of both sides."""

    tips: int
    twice: int
    spent_twice: int
    made_twice: int
    apart: int
    heights: tuple[int, ...]


def healed(peers: int, minutes: float, block_s: float = 600.0, seed: int = 1, settle_s: float = 420.0) -> Healed:
    """Cut a network in two halves for so many minutes. Each half has miners and one payment of the same coin."""
    asked: dict[tuple[int, int], int] = {}
    again = Counter[str]()
    send = PeerHost.send

    def spy(self: PeerHost, to: int, message: Any, **kw: Any) -> None:
        if isinstance(message, GetData):
            for block in message.blocks:
                before = asked.get((self.me, block))
                # `BLOCK_TIMEOUT_US`; a connection that has broken is a time-out, too.
                if before is not None and self.now_us - before < 60 * SECOND:
                    again["twice"] += 1
                asked[self.me, block] = self.now_us
        send(self, to, message, **kw)

    PeerHost.send = spy  # type: ignore[method-assign]
    try:
        options = {"miners": 10, "block_s": block_s, "filler": 50}
        setup = Setup("bitcoin", peers, seed, asks_per_s=0.0, sample_s=600.0, latency="world", options=options)
        made = Swarm(setup)
        made.advance(5 * SECOND)
        made.do(Partition(tuple(range(0, peers, 2))))
        made.advance(120 * SECOND)
        for payer in (20, 21):
            made.do(Act(payer, "spend-twice", {"text": f"tea {payer}"}))
        made.advance(made.now_us + round(minutes * 60 * SECOND))
        nodes = [node for node in made.simulation.programs if isinstance(node, Node)]
        sides = {node.chain.tip.hash: node.chain.height for node in nodes}
        made.do(Heal())
        made.advance(made.now_us + round(settle_s * SECOND))
        made.do(Act(0, "block"))
        made.advance(made.now_us + 60 * SECOND)
    finally:
        PeerHost.send = send  # type: ignore[method-assign]
    nodes = [node for node in made.simulation.programs if isinstance(node, Node)]
    spent = 0
    for node in nodes:
        coins = Counter(coin for hash_ in node.chain.main for coin in coins_of(node.chain.blocks[hash_]))
        spent += sum(many > 1 for many in coins.values())
    paid = Counter(one.tx.coin for node in nodes for one in node.payments.values() if one.made)
    return Healed(
        len({node.chain.tip.hash for node in nodes}),
        again["twice"],
        spent,
        sum(many > 1 for many in paid.values()),
        len(sides),
        tuple(sorted(sides.values())),
    )


class Speed(NamedTuple):
    """times: virtual seconds for each second of processor time, that of the start left out; height of the chain; MB at
    most; tips: different last blocks at the end; confirmed, waiting: payments in the chain of node 0, and in its pool
    alone."""

    times: float
    blocks: int
    mb: float
    tips: int
    confirmed: int
    waiting: int

    def __str__(self) -> str:
        return (
            f"{self.blocks} blocks, {self.times:.2f} times real time, {self.mb:.0f} MB, {self.tips} tip(s), "
            f"{self.confirmed:,} payments in blocks and {self.waiting:,} waiting"
        )


def speed(peers: int, per_s: float, for_s: float, block_s: float = 600.0) -> Speed:
    """Payments of users that are no asks. Objects from before are frozen (`gc.freeze`), and the collector has the
    thresholds 5,000, 10, 10, as in the dashboard."""
    options = {"others_per_h": per_s * 3_600 / peers, "filler": 0, "block_s": block_s}
    made = Swarm(Setup("bitcoin", peers, 1, asks_per_s=0.0, options=options))
    made.advance(10 * SECOND)
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(5_000, 10, 10)
    begin = time.process_time()
    made.advance(made.now_us + round(for_s * SECOND))
    spent = time.process_time() - begin
    gc.unfreeze()
    gc.set_threshold(*before)
    nodes = [one for one in made.simulation.programs if isinstance(one, Node)]
    chain = nodes[0].chain
    return Speed(
        for_s / spent,
        chain.height,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024,
        len({one.chain.tip.hash for one in nodes}),
        sum(len(chain.blocks[hash_].transactions) for hash_ in chain.main),
        nodes[0].pool.bit_count(),
    )


class BlockMemory(NamedTuple):
    """Bytes that a block takes: at each node that has it; once for all of them, without and with a transaction; and all
    that one more block takes in a network of so many nodes, its ask and its path included."""

    a_node: float
    once: float
    a_transaction: float
    in_all: float


def block_memory(peers: int, blocks: int, txs: int = 1_000, seed: int = 1) -> BlockMemory:
    """Counted by tracemalloc: chains of their own, and a network in which blocks are found one after another."""

    def grown(make: Callable[[], object]) -> float:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        kept = make()
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        del kept
        return after - before

    def mined(many: int, paid: tuple[Transaction, ...] = ()) -> list[Block]:
        made = [GENESIS]
        for at in range(many):
            made.append(Block.on(made[-1], at, at, paid))
        return made[1:]

    def followed(those: list[Block]) -> Chain:
        chain = Chain()
        for block in those:
            chain.add(block)
        return chain

    tracemalloc.start()
    try:
        many = 1_000
        once = grown(lambda: mined(many)) / many
        paid = grown(lambda: tuple([Transaction.of(-at, "") for at in range(txs)])) / txs
        those = mined(many)
        a_node = grown(lambda: [followed(those) for _ in range(10)]) / 10 / many
        made = Swarm(Setup("bitcoin", peers, seed, asks_per_s=0.0, sample_s=600.0, options={"miners": 0}))
        rng = Random(seed)

        def find(number: int) -> None:
            for _ in range(number):
                made.do(Act(rng.randrange(peers), "block"))
                made.advance(made.now_us + 20 * SECOND)

        find(blocks)
        in_all = grown(lambda: find(blocks)) / blocks
    finally:
        tracemalloc.stop()
    return BlockMemory(a_node, once, paid, in_all)


def races() -> None:
    rng = Random(1)
    print("attacker's race, 20,000 each: q, z, share won, exact with d = 1, Nakamoto")
    for q, z in ((0.1, 2), (0.2, 6), (0.3, 1), (0.3, 5), (0.3, 6), (0.3, 10), (0.45, 6)):
        won = sum(race(q, z, rng) for _ in range(20_000)) / 20_000
        print(f"  {q:.2f} {z:3} {won:.4f} {exact(q, z):.4f} {nakamoto(q, z):.4f}")


def eclipse() -> None:
    for addresses in (4_600, 8_192):
        print("tried table filled by", addresses, "addresses:", *slots_filled(addresses))
    for addresses in (8_192, 4_600, 3_000):
        print(f"all 8 connections to {addresses} addresses that behave: {honest_odds(addresses):.4%}")
    for addresses, reachable in ((1_000, 0.5), (2_000, 0.5), (4_000, 0.28)):
        print(f"with test before evict, {addresses} honest ones: at most {odds_when_tested(addresses, reachable):.4f}")
    for name, networks, a_network in (("32 /24 blocks", 32, 256), ("4,600 bots", 4_600, 1)):
        for hours in (2.5, 5.0, 10.0):
            odds, share, law = eclipses(networks, a_network, round(hours * 2), 20)
            print(
                f"{name}, {hours:g} hours, tables full of others: eclipsed {odds:.0%}, {share:.1%} of tried, "
                f"{law:.0%} by that alone"
            )


def forks() -> None:
    print(f"fork rate: model {fork_rate():.3%}, drawn {drawn_forks(400_000, Random(1)):.3%} of 400,000")
    blocks, seen, model = watched_forks(60, 300, 40.0, 300)
    print(f"60 nodes of 2013, a block in 40 s: {seen:.1%} of {blocks} blocks, model {model:.1%}")


def trickle() -> None:
    for peers in (8, 125):
        print(f"trickle up to 0.11, {peers} peers: {trickle_wait_s(peers, 20_000, Random(1)):.2f} s")


def spreads() -> None:
    for era, filler in (("2013", 300), ("today", 2_500)):
        print("blocks in", era, spread(era, 400, 10, filler))


def partition() -> None:
    print("1,000 nodes, an hour in two halves:", healed(1_000, 60.0))


def memory() -> None:
    found = block_memory(200, 30)
    print(
        f"memory: {found.a_node:.0f} bytes a block at each node, {found.once:.0f} once for all and "
        f"{found.a_transaction:.0f} for each transaction; one more block among 200 nodes {found.in_all:,.0f} in all"
    )


def speeds() -> None:
    print("1,000 nodes, 7 payments a second:", speed(1_000, 7.0, 1_300.0, 60.0))


def large() -> None:
    print("10,000 nodes, 0.7 payments a second:", speed(10_000, 0.7, 600.0))


ALL: dict[str, Callable[[], None]] = {
    "races": races,
    "eclipse": eclipse,
    "forks": forks,
    "trickle": trickle,
    "spread": spreads,
    "partition": partition,
    "speed": speeds,
    "large": large,
    "memory": memory,
}


if __name__ == "__main__":
    for name in sys.argv[1:] or ALL:
        ALL[name]()
