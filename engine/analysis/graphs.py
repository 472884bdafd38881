"""Measures of an overlay: its components, what is left of it when peers are removed, and who stands between whom.

Links are undirected pairs, as a `Snapshot` has them: a, b int32 (L,). All of it is arithmetic on whole columns, since
a crawl has sixty thousand peers and a frame a few milliseconds.

*Components* hook each end of a link to the smaller of the two roots and let every peer jump to the root of its root
(Shiloach and Vishkin, "An O(log n) parallel connectivity algorithm", J. Algorithms 3, 1982), until nothing moves.

*Betweenness* of a peer is the number of pairs of others whose shortest ways lead through it, a pair with several
shortest ways counting for the share of them that does (Freeman 1977). It is found as Brandes does ("A faster algorithm
for betweenness centrality", J. Math. Sociology 25, 2001): a search from each source that counts shortest ways going
out, and sums up dependencies coming back. Here a whole level of the search is one step. In a large swarm some sources
stand for all, and what they give is scaled up (Brandes and Pich, "Centrality estimation in large networks", 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..sim.rng import Stream

Ids = NDArray[np.int64]
Flags = NDArray[np.bool_]
F64 = NDArray[np.float64]
Ends: TypeAlias = Sequence[int] | NDArray[np.int32]

SOURCES = 300
"""Searches that estimate betweenness where there are more peers than that."""
SOURCES_LEAST = 50
STEPS_MAX = 10_000_000
"""A search visits every link, so with many links there are fewer searches, down to the least."""


def components(n: int, a: Ends, b: Ends, living: Flags | None = None) -> NDArray[np.int32]:
    """The component of each of n peers, named by the smallest id in it: int32 (n,); -1 for who is not `living`."""
    root = np.arange(n, dtype=np.int32)
    left, right = np.asarray(a, np.int32), np.asarray(b, np.int32)
    if living is not None:
        kept = living[left] & living[right]
        left, right = left[kept], right[kept]
    while len(left):
        x, y = root[left], root[right]
        apart = x != y
        if not apart.any():
            break
        left, right, x, y = left[apart], right[apart], x[apart], y[apart]
        # Of several smaller roots the one written last will do: what is still apart is joined in a later pass.
        root[np.maximum(x, y)] = np.minimum(x, y)
        while True:
            higher = root[root]
            if np.array_equal(higher, root):
                break
            root = higher
    if living is not None:
        root[~living] = -1
    return root


def sizes(n: int, a: NDArray[np.int32], b: NDArray[np.int32], living: Flags | None = None) -> Ids:
    """How many peers each component has, the largest first: int64 (components,)."""
    named = components(n, a, b, living)
    counts = np.bincount(named[named >= 0], minlength=1)
    return np.sort(counts[counts > 0])[::-1].astype(np.int64)


def largest(n: int, a: NDArray[np.int32], b: NDArray[np.int32], living: Flags | None = None) -> int:
    """How many peers the largest component has; of those that are `living`, if that is given."""
    found = sizes(n, a, b, living)
    return int(found[0]) if len(found) else 0


def degrees(n: int, a: NDArray[np.int32], b: NDArray[np.int32]) -> Ids:
    """Links of each peer: int64 (n,)."""
    return np.bincount(a, minlength=n) + np.bincount(b, minlength=n)


def by_degree(n: int, a: NDArray[np.int32], b: NDArray[np.int32]) -> Ids:
    """All peers, those with the most links first, equals in order of id: the order of a targeted removal."""
    return np.argsort(-degrees(n, a, b), kind="stable")


def removal(
    n: int, a: NDArray[np.int32], b: NDArray[np.int32], order: Sequence[int] | Ids, shares: Sequence[float]
) -> list[float]:
    """The largest component over n when the first peers of `order` are removed: for each share of n, which is rounded,
    halves up."""
    made, going = [], np.asarray(order, np.int64)
    for share in shares:
        living = np.ones(n, np.bool_)
        living[going[: int(n * share + 0.5)]] = False
        made.append(largest(n, a, b, living) / n)
    return made


def betweenness(n: int, a: NDArray[np.int32], b: NDArray[np.int32], sources: int = SOURCES) -> F64:
    """Of each peer, in pairs: float64 (n,). Exact up to `sources` peers with a link, else estimated from so many of
    them; which, is always the same draw, so that the same links give the same figures."""
    rank: F64 = np.zeros(n, np.float64)
    flat, begin = _rows(n, a, b)
    linked = np.flatnonzero(np.diff(begin))
    if not len(linked):
        return rank
    sources = min(sources, max(SOURCES_LEAST, STEPS_MAX // (n + len(flat))))
    if len(linked) > sources:
        some = Stream("betweenness").sample(range(len(linked)), sources)
        chosen = linked[np.sort(np.array(some))]
    else:
        chosen = linked
    for source in chosen.tolist():
        _through(source, n, flat, begin, rank)
    # Each pair was looked at from both its ends.
    return rank * (len(linked) / len(chosen) / 2)


def _rows(n: int, a: NDArray[np.int32], b: NDArray[np.int32]) -> tuple[Ids, Ids]:
    """Neighbours as compressed rows: those of p are flat[begin[p] : begin[p + 1]], in ascending order."""
    both = np.sort(np.concatenate((a.astype(np.int64) * n + b, b.astype(np.int64) * n + a)))
    begin = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(both // n, minlength=n) if len(both) else np.zeros(n, np.int64), out=begin[1:])
    return both % n, begin


def _through(source: int, n: int, flat: Ids, begin: Ids, rank: F64) -> None:
    """Add to `rank` what depends on each peer in the ways from one source."""
    hop = np.full(n, -1, np.int64)
    ways = np.zeros(n, np.float64)
    hop[source], ways[source] = 0, 1.0
    front = np.array([source], np.int64)
    steps: list[tuple[Ids, Ids]] = []
    while len(front):
        counts = begin[front + 1] - begin[front]
        ends = np.cumsum(counts)
        # The entries of all rows of the front, one after the other.
        at = np.arange(ends[-1] if len(ends) else 0) + np.repeat(begin[front] - (ends - counts), counts)
        frm, to = np.repeat(front, counts), flat[at]
        onward = hop[to] < 0
        frm, to = frm[onward], to[onward]
        if not len(to):
            break
        ways += np.bincount(to, weights=ways[frm], minlength=n)
        # A sweep of the column is far cheaper than a sort of what was found.
        hop[to] = len(steps) + 1
        front = np.flatnonzero(hop == len(steps) + 1)
        steps.append((frm, to))
    rests = np.zeros(n, np.float64)
    for frm, to in reversed(steps):
        rests += np.bincount(frm, weights=ways[frm] / ways[to] * (1.0 + rests[to]), minlength=n)
    rests[source] = 0.0
    rank += rests
