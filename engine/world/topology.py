"""The overlay at the start of a run: which peers are linked.

    random:DEGREE              a random tree, then random further links up to that mean degree
    small-world:DEGREE:REWIRE  Watts and Strogatz, Nature 393 (1998): a ring of near neighbours, some links rewired
    scale-free:M               Barabási and Albert, Science 286 (1999): each new peer takes M links, to peers with a
                               probability in proportion to their degree; peers with low ids are old and have many links
    ring, complete
    tree:DEGREE                root #0 and inner peers have DEGREE links each, filled breadth first
    FILE                       an edge list, GML, GraphML, Pajek or TGF (see `readers.edge_list`); its weights are the
                               costs of links

Why `random` starts from a tree. The textbook G(n, m) at mean degree 4 leaves one peer in fifty without a link, and a
search that fails because its origin has no link says nothing about the network. Drawing again until the graph is
connected does not end at 100,000 peers; adding links afterwards favours the peers that get them. A tree drawn uniformly
from all n**(n-2) trees (decoded from a random Prüfer sequence) treats all peers alike: a degree is then one plus a
number that is nearly Poisson-distributed. So the swarm is connected and has exactly N x DEGREE / 2 links, unless DEGREE
is below what a connected swarm needs (2 - 2/N): then the overlay is the tree, and `notes` say so.

`small-world` is as published: with much rewiring at degree 2 it may not be connected.

The generators are our own and draw from a named stream, because a seed must give the same overlay on any machine, and
other libraries may change theirs between two versions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, distinct, nearest, plain
from ..files import looks_like_path
from ..sim.rng import Stream, below, bits, unit_iter, units
from ..values import dataclass
from .specs import number, split, whole

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

PEERS_MAX = 1_000_000
"""Peers of a swarm, newcomers included."""
LINKS_MAX = 10_000_000
COMPLETE_MAX = 2_000
CLAMPED_MAX = 16
"""If the swarm is too small for a degree (as the default random:4 with three peers), a degree up to this is reduced,
with a note; a larger one is refused as a mistake."""

FORMS = {
    "random": "random:DEGREE",
    "small-world": "small-world:DEGREE:REWIRE",
    "scale-free": "scale-free:M",
    "ring": "ring",
    "complete": "complete",
    "tree": "tree:DEGREE",
}


@dataclass(frozen=True, slots=True, eq=False)
class Topology:
    """Undirected links between peers 0..n-1, each once, with a < b, in ascending order of (a, b).

    a, b      int32 (L,)
    labels    node ids of a loaded file, else None
    skipped   number of duplicates and self loops left out of a file
    costs     int32 (L,), of the links, 1 or more: the weights of a loaded file; None where it has none
    notes     sentences for stderr where the overlay is not exactly what the spec says
    """

    n: int
    a: I32
    b: I32
    labels: tuple[str, ...] | None = None
    skipped: int = 0
    notes: tuple[str, ...] = ()
    costs: I32 | None = None

    def cost(self, peer: int, other: int) -> int | None:
        """What the link between two peers costs; None if they have none here, or where links have no costs."""
        if self.costs is None:
            return None
        low, high = min(peer, other), max(peer, other)
        start, stop = np.searchsorted(self.a, (low, low + 1)).tolist()
        at = start + int(np.searchsorted(self.b[start:stop], high))
        return int(self.costs[at]) if at < stop and self.b[at] == high else None

    def degrees(self) -> I32:
        """Number of links of each peer: int32 (n,)."""
        ends = np.concatenate((self.a, self.b))
        return np.bincount(ends, minlength=self.n).astype(np.int32)

    def neighbours(self) -> list[list[int]]:
        """For each peer the ids of its neighbours, in ascending order."""
        a, b = self.a.astype(np.int64), self.b.astype(np.int64)
        # One sort of 64-bit keys is several times faster than a sort of pairs.
        keys = np.sort(np.concatenate((a * self.n + b, b * self.n + a)))
        flat = (keys % self.n).tolist()
        stops = np.cumsum(self.degrees(), dtype=np.int64).tolist()
        return [flat[start:stop] for start, stop in zip([0, *stops], stops, strict=False)]


def build(spec: str, peers: int, rng: Stream) -> Topology:
    """Build the overlay of a spec. `peers` is for generators; a file has its own number of peers.

    Raises InputError for an unknown word, a field out of range, or a file that is no graph.
    """
    word = spec.strip().split(":")[0]
    if word not in FORMS:
        path = spec.strip()
        # A generator's word has precedence over a file of the same name; `./ring` is the file.
        if looks_like_path(path):
            from .readers import edge_list  # readers of files are imported where a file is read

            ends = edge_list.load(path)
            made = _topology(len(ends.labels), ends.codes, distinct(ends.labels), ends.skipped, ends.notes)
            return replace(made, costs=ends.costs)  # both are in ascending order of codes
        raise InputError(f'topology "{plain(spec)}" is neither known nor a file{nearest(word, FORMS)}')
    if not 1 <= peers <= PEERS_MAX:
        raise InputError(f"peers should be from 1 to {PEERS_MAX:,}, not {peers:,}")
    word, fields = split("topology", spec, FORMS)
    return _GENERATORS[word](f'topology "{plain(spec)}"', peers, fields, rng)


def _topology(
    n: int, codes: I64, labels: tuple[str, ...] | None = None, skipped: int = 0, notes: tuple[str, ...] = ()
) -> Topology:
    """From codes a * n + b with a < b, each once, in any order."""
    codes = np.sort(codes)
    return Topology(n, (codes // n).astype(np.int32), (codes % n).astype(np.int32), labels, skipped, notes)


def _codes(n: int, a: I64, b: I64) -> I64:
    return np.minimum(a, b) * n + np.maximum(a, b)


def _clamped_degree(where: str, what: str, degree: float, n: int) -> tuple[float, str]:
    """A degree that n peers can have, and a note where it was reduced. Raises InputError above `CLAMPED_MAX`."""
    if degree <= n - 1:
        return degree, ""
    if degree > CLAMPED_MAX:
        raise InputError(f"{where}: {what} should be below the number of peers, which is {n:,}")
    links = f"{n} peers have at most {n - 1} link{'s' if n > 2 else ''} each, so {n - 1} is taken"
    return n - 1, f"{where}: {links}" if n > 1 else ""


def _check_links(where: str, links: float) -> None:
    if links > LINKS_MAX:
        raise InputError(f"{where}: that would be {links:,.0f} links; at most {LINKS_MAX:,} are made")


def _complete_codes(n: int) -> I64:
    a, b = np.triu_indices(n, 1)
    return a.astype(np.int64) * n + b


def _first_new(codes: I64, have: I64) -> NDArray[np.bool_]:
    """For each code whether it is not in the sorted `have` and occurs in `codes` for the first time."""
    first = np.zeros(len(codes), dtype=bool)
    first[np.unique(codes, return_index=True)[1]] = True
    if len(have):
        first &= have[np.minimum(np.searchsorted(have, codes), len(have) - 1)] != codes
    return first


def _with_more_links(n: int, have: I64, extra: int, rng: Stream) -> I64:
    """The codes in `have` and `extra` more, drawn uniformly from the pairs that are not linked."""
    if len(have) + extra > n * (n - 1) // 4:
        # Dense: random pairs would mostly be taken ones, so the free pairs are listed and drawn from.
        free = np.setdiff1d(_complete_codes(n), have, assume_unique=True)
        return np.concatenate((have, free[np.argsort(bits(rng, len(free)), kind="stable")[:extra]]))
    have = np.sort(have)
    while extra:
        ends = below(rng, n, 2 * extra + 32)
        codes = _codes(n, ends[::2], ends[1::2])
        good = codes[(ends[::2] != ends[1::2]) & _first_new(codes, have)][:extra]
        have = np.sort(np.concatenate((have, good)))
        extra -= len(good)
    return have


def _random_tree(n: int, rng: Stream) -> I64:
    """One of the n**(n-2) trees on n >= 2 peers, all equally likely, from its Prüfer sequence."""
    sequence = below(rng, n, n - 2)
    left = (np.bincount(sequence, minlength=n) + 1).tolist()
    leaves: list[int] = []
    lowest = left.index(1)
    leaf = lowest
    inner = sequence.tolist()
    for peer in inner:
        leaves.append(leaf)
        left[peer] -= 1
        if left[peer] == 1 and peer < lowest:
            leaf = peer
        else:
            lowest = leaf = left.index(1, lowest + 1)
    leaves.append(leaf)
    inner.append(n - 1)
    return _codes(n, np.array(leaves, dtype=np.int64), np.array(inner, dtype=np.int64))


def _random(where: str, n: int, fields: list[str], rng: Stream) -> Topology:
    degree, note = _clamped_degree(where, "DEGREE", number(fields[0], "DEGREE", where, 0.001, PEERS_MAX), n)
    _check_links(where, n * degree / 2)
    if n == 1:
        return _topology(1, np.empty(0, dtype=np.int64), notes=(note,) if note else ())
    extra = round(n * degree / 2) - (n - 1)
    if extra < 0:
        note = f"{where}: {n:,} peers need a mean degree of {2 - 2 / n:.4g} to be connected, so a random tree is taken"
    return _topology(n, _with_more_links(n, _random_tree(n, rng), max(0, extra), rng), notes=(note,) if note else ())


def _small_world(where: str, n: int, fields: list[str], rng: Stream) -> Topology:
    degree, note = _clamped_degree(where, "DEGREE", number(fields[0], "DEGREE", where, 2, PEERS_MAX), n)
    rewire = number(fields[1], "REWIRE", where, 0, 1)
    _check_links(where, n * degree / 2)
    if degree >= n - 1:
        return _topology(n, _complete_codes(n), notes=(note,) if note else ())
    # All links to neighbours at distance 1, 2, ... on the ring; the remaining links of an odd or fractional degree are
    # distributed evenly over those at the next distance, so that the mean is right.
    rounds = int(degree // 2)
    at = np.arange(n, dtype=np.int64)
    begins = [at] * rounds
    ends = [(at + step) % n for step in range(1, rounds + 1)]
    left = round(n * degree / 2) - n * rounds
    room = n // 2 if 2 * (rounds + 1) == n else n
    some = np.arange(left, dtype=np.int64) * room // max(1, left)
    begin = np.concatenate((*begins, some))
    end = np.concatenate((*ends, (some + rounds + 1) % n))
    moved = units(rng, len(begin)) < rewire
    have = np.sort(_codes(n, begin[~moved], end[~moved]))
    todo = begin[moved]
    for _ in range(64):
        codes = _codes(n, todo, to := below(rng, n, len(todo)))
        good = (todo != to) & _first_new(codes, have)
        have = np.sort(np.concatenate((have, codes[good])))
        todo = todo[~good]
        if not len(todo):
            break
    # The link of a peer that is linked to all others cannot be rewired: a random pair without a link replaces it.
    return _topology(n, _with_more_links(n, have, len(todo), rng), notes=(note,) if note else ())


def _scale_free(where: str, n: int, fields: list[str], rng: Stream) -> Topology:
    wanted, note = _clamped_degree(where, "M", whole(fields[0], "M", where, 1, PEERS_MAX), n)
    m = int(wanted)
    _check_links(where, n * m)
    # The first m + 1 peers are all linked to each other, so that no peer has fewer than m links. `ends` has each peer
    # once for each of its links: a uniform draw from it is a draw in proportion to degree.
    core = _complete_codes(m + 1)
    ends = [peer for peer in range(m + 1) for _ in range(m)]
    draw = unit_iter(rng)
    chosen: list[int] = []
    for peer in range(m + 1, n):
        size = len(ends)
        taken: dict[int, None] = {}
        while len(taken) < m:
            taken[ends[int(next(draw) * size)]] = None
        chosen.extend(taken)
        ends.extend(taken)
        ends.extend([peer] * m)
    newcomers = np.repeat(np.arange(m + 1, n, dtype=np.int64), m)
    grown = np.array(chosen, dtype=np.int64) * n + newcomers
    return _topology(n, np.concatenate((core // (m + 1) * n + core % (m + 1), grown)), notes=(note,) if note else ())


def _ring(where: str, n: int, fields: list[str], rng: Stream) -> Topology:
    at = np.arange(n if n > 2 else n - 1, dtype=np.int64)
    return _topology(n, _codes(n, at, (at + 1) % n))


def _complete(where: str, n: int, fields: list[str], rng: Stream) -> Topology:
    if n > COMPLETE_MAX:
        raise InputError(f"{where}: at most {COMPLETE_MAX:,} peers can all be linked to each other, not {n:,}")
    return _topology(n, _complete_codes(n))


def _tree(where: str, n: int, fields: list[str], rng: Stream) -> Topology:
    degree = whole(fields[0], "DEGREE", where, 2, PEERS_MAX)
    child = np.arange(1, n, dtype=np.int64)
    parent = np.where(child <= degree, 0, 1 + (child - 1 - degree) // (degree - 1))
    return _topology(n, parent * n + child)


_GENERATORS: dict[str, Callable[[str, int, list[str], Stream], Topology]] = {
    "random": _random,
    "small-world": _small_world,
    "scale-free": _scale_free,
    "ring": _ring,
    "complete": _complete,
    "tree": _tree,
}
