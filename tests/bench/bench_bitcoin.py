"""Figures of Bitcoin against what theory and measurements say. Run by hand: `python tests/bench/bench_bitcoin.py`.

Attacker's race (Nakamoto 2008; the exact law is that of the negative binomial), how attackers fill an address table
(Heilman 2015), how long an announcement waits up to 0.11, how blocks and payments spread in 2013 and today, and how
fast 1,000 nodes with 7 payments a second are simulated, in processor time.
"""

from __future__ import annotations

import math
import resource
import time
from random import Random

import numpy as np

from engine import Act, Setup, Swarm
from engine.protocols.bitcoin import PASS_US
from engine.protocols.bitcoin.addrman import Address, AddrMan, Tables
from engine.protocols.bitcoin.chain import GENESIS, Block, Chain

SECOND = 1_000_000


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


def speed(peers: int, per_s: float, for_s: float) -> tuple[float, float]:
    """Virtual seconds for each second of processor time, and MB in use at the end."""
    options = {"others_per_h": per_s * 3_600 / peers, "filler": 0}
    made = Swarm(Setup("bitcoin", peers, 1, asks_per_s=0.0, options=options))
    made.advance(10 * SECOND)
    begin = time.process_time()
    made.advance(made.now_us + round(for_s * SECOND))
    spent = time.process_time() - begin
    return for_s / spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def main() -> None:
    rng = Random(1)
    print("attacker's race, 20,000 each: q, z, share won, exact with d = 1, Nakamoto")
    for q, z in ((0.1, 2), (0.2, 6), (0.3, 1), (0.3, 5), (0.3, 6), (0.3, 10), (0.45, 6)):
        won = sum(race(q, z, rng) for _ in range(20_000)) / 20_000
        print(f"  {q:.2f} {z:3} {won:.4f} {exact(q, z):.4f} {nakamoto(q, z):.4f}")
    for addresses in (4_600, 8_192):
        print("tried table filled by", addresses, "addresses:", *slots_filled(addresses))
    print(f"fork rate of the model: {fork_rate():.3%}")
    for peers in (8, 125):
        print(f"trickle up to 0.11, {peers} peers: {trickle_wait_s(peers, 20_000, rng):.2f} s")
    for era, filler in (("2013", 300), ("today", 2_500)):
        print("blocks in", era, spread(era, 400, 10, filler))
    print("1,000 nodes, 7 payments a second: {:.1f} times real time, {:.0f} MB".format(*speed(1_000, 7.0, 60.0)))


if __name__ == "__main__":
    main()
