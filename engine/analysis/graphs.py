"""Measures of an overlay: connected components and betweenness.

Links are undirected pairs, as in a `Snapshot`: a, b int32 (L,). Everything is computed on whole columns, because a
recorded overlay may have sixty thousand peers and a frame has a few milliseconds.

*Components*: each end of a link is attached to the smaller of the two roots, and each peer's root is replaced by the
root of its root, until nothing changes (Shiloach and Vishkin, "An O(log n) parallel connectivity algorithm",
J. Algorithms 3, 1982).

*Betweenness* of a peer is the number of pairs of other peers whose shortest paths lead through it; a pair with several
shortest paths counts with the share of them that do (Freeman 1977). It is computed by the algorithm of Brandes ("A
faster algorithm for betweenness centrality", J. Math. Sociology 25, 2001): a breadth-first search from each source
counts shortest paths on the way out and sums dependencies on the way back. Here one level of a search is one step of
numpy. In a large swarm only some sources are searched, and the sums are scaled up (Brandes and Pich, "Centrality
estimation in large networks", 2007).
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
"""Above this number of peers, betweenness is estimated from as many searches."""
SOURCES_LEAST = 50
STEPS_MAX = 10_000_000
"""Peers and links that all searches together may visit: with many links there are fewer searches, but `SOURCES_LEAST`
at least."""


def components(n: int, a: Ends, b: Ends, living: Flags | None = None) -> NDArray[np.int32]:
    """The component of each of n peers: int32 (n,).

    A component is numbered by its smallest id. With `living`, links of other peers are left out, and these have -1.
    """
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
        # With several smaller roots, the one that is written last is kept; a later pass joins the others.
        root[np.maximum(x, y)] = np.minimum(x, y)
        while True:
            higher = root[root]
            if np.array_equal(higher, root):
                break
            root = higher
    if living is not None:
        root[~living] = -1
    return root


def betweenness(n: int, a: NDArray[np.int32], b: NDArray[np.int32], sources: int = SOURCES) -> F64:
    """The betweenness of each of n peers, in pairs: float64 (n,).

    Exact for up to `sources` peers that have a link, else estimated from that many of them. Which ones is drawn from a
    fixed stream, so equal links always give equal figures.
    """
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
        _add_dependencies(source, n, flat, begin, rank)
    # Each pair was counted from both of its ends.
    return rank * (len(linked) / len(chosen) / 2)


def _rows(n: int, a: NDArray[np.int32], b: NDArray[np.int32]) -> tuple[Ids, Ids]:
    """Neighbours as compressed sparse rows: those of p are flat[begin[p] : begin[p + 1]], in ascending order."""
    both = np.sort(np.concatenate((a.astype(np.int64) * n + b, b.astype(np.int64) * n + a)))
    begin = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(both // n, minlength=n) if len(both) else np.zeros(n, np.int64), out=begin[1:])
    return both % n, begin


def _add_dependencies(source: int, n: int, flat: Ids, begin: Ids, rank: F64) -> None:
    """Add to `rank` the dependency of one source on each peer."""
    hop = np.full(n, -1, np.int64)
    paths = np.zeros(n, np.float64)
    hop[source], paths[source] = 0, 1.0
    front = np.array([source], np.int64)
    steps: list[tuple[Ids, Ids]] = []
    while len(front):
        counts = begin[front + 1] - begin[front]
        ends = np.cumsum(counts)
        # Positions in `flat` of all neighbours of the peers in `front`.
        at = np.arange(ends[-1] if len(ends) else 0) + np.repeat(begin[front] - (ends - counts), counts)
        frm, to = np.repeat(front, counts), flat[at]
        onward = hop[to] < 0
        frm, to = frm[onward], to[onward]
        if not len(to):
            break
        paths += np.bincount(to, weights=paths[frm], minlength=n)
        # Scanning the column is much faster than sorting the peers that were found.
        hop[to] = len(steps) + 1
        front = np.flatnonzero(hop == len(steps) + 1)
        steps.append((frm, to))
    dependency = np.zeros(n, np.float64)
    for frm, to in reversed(steps):
        dependency += np.bincount(frm, weights=paths[frm] / paths[to] * (1.0 + dependency[to]), minlength=n)
    dependency[source] = 0.0
    rank += dependency
