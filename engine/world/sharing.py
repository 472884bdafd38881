"""Who shares how much, and whose files are wanted: Gnutella as Adar and Huberman met it (First Monday 5:10, 2000).

Of 33,335 hosts 66 % shared nothing and 73 % ten files or fewer; the top 1 % of hosts held 37 % of all files and the
top 20 % held 98 %. Having files is not having files that are wanted: 63 % of those who shared never answered a query,
the top 1 % of them gave 47 % of the answers and the top 25 % gave 98 %. And the top 1 % of distinct queries were 37 %
of all queries.

So there are two kinds of titles here: some are asked for, and the rest are what disks are full of. Shelves are filled
with the second kind to the size that the first law gives them; copies of the first kind are placed by the second law.
Every wanted title is placed by systematic sampling, which gives each answering peer its share exactly and never two
copies of one title. Those who would come away empty get a copy of something rare, from a peer that has much.

The curves are ours between the published points: cumulative shares, powers in between. The mean number of files is
ours too. Bottom four fifths that hold 2 %, and a quarter of all hosts with more than ten files, leave no choice below
42 files a host; it stays near that, for each file of ten thousand peers takes memory.

Small swarms follow as far as they can: the top 1 % of 64 peers is one peer.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import TypeAlias

from ..sim.rng import Stream

Curve: TypeAlias = tuple[tuple[float, float], ...]
"""Points (share of the population from the top, share of the whole that it has), ascending, the last (_, 1)."""

FILES: Curve = ((0.01, 0.37), (0.05, 0.70), (0.10, 0.87), (0.15, 0.94), (0.20, 0.98), (0.27, 0.9965), (0.34, 1.0))
"""Files of hosts."""
ANSWERS: Curve = ((0.01, 0.47), (0.05, 0.70), (0.25, 0.98), (0.37, 1.0))
"""Answers of hosts that share."""
MEAN_FILES = 50
FEW = 10
MORE_THAN_FEW = 0.27
"""Share of hosts with more than `FEW` files."""
SHARERS = 0.34
QUERIES_TOP, QUERIES_SHARE = 0.01, 0.37
WANTED_A_PEER = 0.5
"""Copies of wanted titles a peer, all peers counted: fewer, and not all who should answer could have one."""
COPIES_MOST = 0.006
"""Copies of one title a peer, at most, unless more are asked for: with more, the top 1 % could not have its share."""


def share_of(curve: Curve, at: float) -> float:
    """What the top share `at` of a population has."""
    x0 = y0 = 0.0
    for x1, y1 in curve:
        if at < x1:
            # A power of the rank inside each stretch: steeper at the top, and through the points exactly.
            bend = 0.7 if x0 else 1.0
            part: float = (at**bend - x0**bend) / (x1**bend - x0**bend)
            return y0 + (y1 - y0) * part
        x0, y0 = x1, y1
    return 1.0


def sizes(peers: int) -> list[int]:
    """Files of each of so many peers, the richest first."""
    total = MEAN_FILES * peers
    sharers, many = round(peers * SHARERS), round(peers * MORE_THAN_FEW)
    # Powers are rounded first: their last bit depends on the processor.
    marks = [round(round(total * share_of(FILES, rank / peers), 6)) for rank in range(peers + 1)]
    made = [after - before for before, after in pairwise(marks)]
    made = [max(FEW + 1, size) for size in made[:many]] + [min(FEW, max(1, size)) for size in made[many:sharers]]
    return made + [0] * (peers - sharers)


def zipf_of(titles: int) -> float:
    """Exponent at which the top 1 % of so many distinct titles are 37 % of the asks; of few, the top one is."""
    top = max(1, round(titles * QUERIES_TOP))
    low, high = 0.0, 5.0
    for _ in range(60):
        zipf = (low + high) / 2
        weights = [rank**-zipf for rank in range(1, titles + 1)]
        if math.fsum(weights[:top]) < QUERIES_SHARE * math.fsum(weights):
            low = zipf
        else:
            high = zipf
    return high if titles > 1 else 0.0


def copies_wanted(items: int, replicas: float, peers: int) -> float:
    """Copies of each wanted title, on average: as many as are asked for, or more where the law needs them."""
    return max(replicas, min(WANTED_A_PEER * peers / items, COPIES_MOST * peers))


def place(copies: Sequence[int], rooms: Sequence[int], rng: Stream) -> list[list[int]]:
    """Titles (their ranks) of each sharer, one list each.

    copies   of each title, the most wanted first
    rooms    files of each sharer, the richest first; nobody gets more titles than that
    """
    sharers = len(rooms)
    keys = sorted(range(sharers), key=lambda at: -rooms[at] * rng.random())
    answering = keys[: max(1, round(sharers * ANSWERS[-1][0]))]
    marks = [share_of(ANSWERS, rank / sharers) for rank in range(len(answering))] + [1.0]
    weights = [after - before for before, after in pairwise(marks)]
    held: list[list[int]] = [[] for _ in rooms]
    for title, count in enumerate(copies):
        open_to = [at for at, peer in enumerate(answering) if len(held[peer]) < rooms[peer]]
        for at in _systematic([weights[at] for at in open_to], min(count, len(open_to)), rng):
            held[answering[open_to[at]]].append(title)
    _console(held, answering, len(copies), rng)
    return held


def _systematic(weights: Sequence[float], count: int, rng: Stream) -> list[int]:
    """`count` distinct positions, each with a probability in proportion to its weight, or 1 where that is more."""
    order = list(range(len(weights)))
    rng.shuffle(order)
    sure: list[int] = []
    while count > len(sure):
        rest = math.fsum(weights[at] for at in order)
        step = rest / (count - len(sure))
        heavy = [at for at in order if weights[at] >= step]
        if not heavy:
            sums = list(accumulate(weights[at] for at in order))
            start = rng.random()
            picks = [bisect_right(sums, (k + start) * step) for k in range(count - len(sure))]
            return sure + [order[min(at, len(order) - 1)] for at in dict.fromkeys(picks)]
        sure += heavy
        order = [at for at in order if weights[at] < step]
    return sure[:count]


def _console(held: list[list[int]], answering: Sequence[int], titles: int, rng: Stream) -> None:
    """A copy of something rare for each answering sharer that has nothing wanted yet, from one that has much."""
    rare = titles // 5
    # The lists are in order of rank: what a peer has of the rarer titles is their tail.
    givers = [peer for peer in answering if len(held[peer]) - bisect_left(held[peer], rare) > 2]
    for peer in answering:
        if held[peer] or not givers:
            continue
        at = rng.randrange(len(givers))
        giver = held[givers[at]]
        first = bisect_left(giver, rare)
        held[peer].append(giver.pop(first + rng.randrange(len(giver) - first)))
        if len(giver) - first <= 3:
            givers[at] = givers[-1]
            givers.pop()
