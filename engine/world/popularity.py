"""How many copies of each title there are: the three laws of Cohen and Shenker (SIGCOMM 2002).

A peer that probes others at random finds a title with r copies among n peers after n / r probes on average, so a search
costs A = sum of q * n / r, where q is the title's share of the asks. With m titles and rho copies a peer, A is m / rho
both when all titles have as many copies (`uniform`) and when copies follow the asks (`proportional`): what the one
wins on popular titles, the other wins on rare ones. The best lies between them: copies as the square root of the
asks, A = (sum of sqrt q) ** 2 / rho. A test holds this module against their numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate

from ..sim.rng import Stream

LAWS: dict[str, Callable[[float], float]] = {
    "uniform": lambda share: 1.0,
    "proportional": lambda share: share,
    "square-root": math.sqrt,
}
"""Weight of a title by its share of the asks."""


def copies(law: str, shares: Sequence[float], total: float, most: int, rng: Stream) -> list[int]:
    """Copies of each title, about `total` of them, by a law of `LAWS`.

    shares   of the asks for each title; they need not sum to 1
    most     copies that one title can have: as many as there are peers to hold them

    A title has at least one copy, else it would be none, and at most `most`; what that gives or takes is shared out
    among the others. Fractions are rounded systematically, with one random start: every title's expected number is
    exactly what the law says, and neighbours in rank differ by no more than the law and one.
    """
    weights = [LAWS[law](share) for share in shares]
    targets = _within([max(weight, 1e-300) for weight in weights], total, float(most))
    start = rng.random()
    # A whole sum of fractions may come out a hair below the whole.
    marks = [math.floor(mark + start + 1e-9) for mark in accumulate(targets)]
    return [min(most, max(1, after - before)) for before, after in zip([0, *marks], marks, strict=False)]


def _within(weights: Sequence[float], total: float, most: float) -> list[float]:
    """Numbers in proportion to the weights and within 1..most, that sum to `total` as far as these allow."""
    total = min(max(total, float(len(weights))), most * len(weights))
    low, high = 0.0, most / min(weights)
    for _ in range(200):
        factor = (low + high) / 2
        if math.fsum(min(most, max(1.0, weight * factor)) for weight in weights) < total:
            low = factor
        else:
            high = factor
    return [min(most, max(1.0, weight * high)) for weight in weights]


def search_size(shares: Sequence[float], held: Sequence[float], peers: float) -> float:
    """Mean number of random probes until a title is found, titles being asked for as `shares` say.

    held     copies of each title among so many peers. Cohen and Shenker 2002, section 2.
    """
    asks = math.fsum(shares)
    return math.fsum(share * peers / count for share, count in zip(shares, held, strict=True)) / asks


def expected_search_size(law: str, shares: Sequence[float], rho: float) -> float:
    """The closed form: what `search_size` is when rho copies a peer follow the law without rounding."""
    weights = [LAWS[law](share) for share in shares]
    room = rho / math.fsum(weights)
    return search_size(shares, [weight * room for weight in weights], 1.0)
