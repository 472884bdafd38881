"""Force-directed layout for a picture of communities: links attract, and all peers repel each other. Pure functions on
arrays.

The model is edge repulsion of a linear spring against a charge in the plane, after Noack (2007, "Energy models for
graph clustering", model r-LinLog with a = 1) and ForceAtlas2 (Jacomy et al. 2014): a peer's charge is its number of
links, so that a hub repels as strongly as it attracts, and a community with few links to the outside moves away from
the rest.
Each peer moves by its force over its own number of links, which is a Jacobi step: there is no time step to choose, and
it is stable where a hub has a thousand links.

All peers repel all others, n² pairs. In the plane the force of a charge falls with 1/d, so the sum is a convolution,
which is cheap on a mesh: charges are spread over the four nearest points of a grid, the field is computed by FFT
and read back with the same weights (particle-mesh method, Hockney and Eastwood 1988, chapter 5). That is O(n) with no
tree to build; 10,000 peers take some 3 ms. Below `EXACT` peers summing all pairs is as fast.

From a random start, distant parts of a large swarm would need hundreds of steps to pass each other. So links are
matched and merged level by level (multilevel, after Walshaw 2003), the smallest graph is laid out first, and each level
starts where the one above ended.

Positions are float64 (N, 2) in a plane without bounds; `fitted` brings them to the unit square.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine import dataclass

from . import force_layout
from .layout import Positions
from .rounding import cos, direction, mean, rounded, sin

# A live force-directed layout that comes to rest. It shows which peers belong together, by their links alone.
#
# Give it the links whenever they change and a little time each frame. It is at rest when no peer would move visibly;
# then it takes no time, and the picture is kept. When links change, the heat rises a little only, so that most peers
# stay near their places and a viewer finds them again. The result depends on the links it was given and their order,
# not on how its time was divided.

COARSE_STEPS = 60
LEVEL_STEPS = 24
HOT = 0.3
"""Heat at the start of a level: the longest step, as a share of the radius."""
WARM_LEAST, WARM_MOST = 0.012, 0.06
COOLING = 0.94
COLD = 0.0015
"""Below this nothing moves by half a dot in a picture as wide as most terminals."""


class Communities:
    """`at`: positions of the peers of the present level; `positions`: of all peers, in the unit square."""

    def __init__(self) -> None:
        self.at: Floats = np.zeros((0, 2))
        self.heat = 0.0
        self.steps = 0
        """Number of steps made so far, for tests."""
        self._coarse: tuple[list[Graph], list[Ints]] | None = None
        """Levels made so far, while coarser ones are still to be made."""
        self._graph: Graph = force_layout.graph(0, [], [])
        self._below: list[tuple[Graph, Ints, Floats]] = []
        """Finer levels, the finest first: links, the group of each peer in the coarser level, and its offset from
        it."""
        self._level: Graph | None = None
        self._left, self._turn = 0, False
        self._here: Floats = self.at
        self._fitted: Positions | None = None

    @property
    def resting(self) -> bool:
        """Whether no more steps are wanted."""
        return self._level is None

    def link(self, n: int, a: ArrayLike, b: ArrayLike) -> None:
        """Use these links, among n peers, from now on. The first time, or after `forget`, the layout begins anew."""
        fresh = not len(self.at)
        before = self._graph
        self._graph = force_layout.graph(n, a, b)
        if fresh:
            self._begin()
            return
        grown = n != len(self.at)
        if grown:
            self._place_newcomers(n)
        same = np.array_equal(before.a, self._graph.a) and np.array_equal(before.b, self._graph.b)
        if (self._below or self._coarse is not None) and (grown or not same):
            self._begin()
            return
        if same:
            return
        old, new = (links.a * max(n, 1) + links.b for links in (before, self._graph))
        changed = len(np.setxor1d(old, new, assume_unique=True)) / max(len(new), 1)
        self._here, self._level = self.at, self._graph
        self.heat = max(self.heat, min(WARM_LEAST + 0.15 * changed, WARM_MOST))

    def forget(self) -> None:
        """Forget all positions: it is another swarm."""
        self.__init__()  # type: ignore[misc]

    def _begin(self) -> None:
        """Levels are made one a step: all at once would take 80 to 190 ms at 10,000 peers, during which no frame is
        drawn."""
        self._coarse = [self._graph], []
        self._below = []
        self._level = self._graph
        if len(self.at) != self._graph.n:
            self.at = force_layout.scattered(self._graph.n)
        self._here = self.at

    def _coarsen(self) -> None:
        """Make one more level; if there is none, begin at the coarsest."""
        assert self._coarse is not None
        graphs, groups = self._coarse
        smaller = force_layout.coarser(graphs[-1])
        if smaller is not None:
            graphs.append(smaller[0])
            groups.append(smaller[1])
            return
        self._coarse = None
        pairs = zip(graphs[:-1], groups, strict=True)
        self._below = [(links, group, force_layout.beside(group, links)) for links, group in pairs]
        self._level = graphs[-1]
        top = graphs[-1]
        seat = np.empty(top.n, np.int64)
        # Peers with the most links start in the middle: a hub that starts at the edge is kept there by its neighbours.
        seat[np.lexsort((np.arange(top.n), -top.pull))] = np.arange(top.n)
        self._here = force_layout.scattered(top.n)[seat] * np.sqrt(max(float(top.charge.sum()) / max(top.n, 1), 1.0))
        self.heat = HOT
        self._left, self._turn = COARSE_STEPS, True

    def _place_newcomers(self, n: int) -> None:
        """Place new peers beside their neighbours, or at the edge; remove peers from n on."""
        old = len(self.at)
        at = np.zeros((n, 2))
        at[: min(old, n)] = self.at[:n]
        if n > old:
            links = self._graph
            middle = mean(self.at, force_layout.GRAIN) if old else np.zeros(2)
            radius = float(np.abs(self.at - middle).max(initial=0.0)) + 1.0
            turn = np.arange(old, n) * 2.399963
            rim = np.stack((cos(turn), sin(turn)), axis=-1)
            at[old:] = middle + rim * radius
            ends, others = np.concatenate((links.a, links.b)), np.concatenate((links.b, links.a))
            known = (ends >= old) & (others < old)
            many = np.bincount(ends[known], minlength=n)[old:]
            for axis in (0, 1):
                total = np.bincount(ends[known], at[others[known], axis], n)[old:]
                beside = total / np.maximum(many, 1) + 0.05 * radius * rim[:, axis]
                at[old:, axis] = np.where(many > 0, beside, at[old:, axis])
        at = rounded(at, force_layout.GRAIN)
        self.at, self._fitted = at, None
        if self._level is not None and not self._below:
            self._here, self._level = at, self._graph

    def relax(self, budget_s: float, clock: Callable[[], float] = time.perf_counter) -> bool:
        """Make steps for about so many seconds, at least one. Returns whether anything moved."""
        if self._level is None:
            return False
        begun = clock()
        while self._level is not None:
            self._step()
            if clock() - begun >= budget_s:
                break
        self.at, self._fitted = self._positions_of_peers(), None
        return True

    def settle(self) -> None:
        """Make steps until it is at rest: for tests and for reduced motion."""
        while self._level is not None:
            self._step()
        self.at, self._fitted = self._here, None

    def _step(self) -> None:
        assert self._level is not None
        if self._coarse is not None:
            self._coarsen()
            return
        self._here, moved = force_layout.step(self._here, self._level, self.heat)
        self.heat *= COOLING
        self.steps += 1
        if not self._below:
            if moved < COLD or self.heat < COLD:
                self._level = None
                self.heat = 0.0
            return
        self._left -= 1
        if self._left <= 0 or moved < 4 * COLD:
            self._level, group, way = self._below.pop()
            if self._turn:
                self._here, self._turn = force_layout.levelled(self._here), False
            self._here = self._here[group] + way
            self.heat, self._left = HOT if self._below else 0.6 * HOT, LEVEL_STEPS

    def _positions_of_peers(self) -> Floats:
        """Positions of the peers themselves, computed from the present level."""
        at = self._here
        for _, group, way in reversed(self._below):
            at = at[group] + way
        return at

    @property
    def positions(self) -> Positions:
        """In the unit square, float32 (N, 2)."""
        if self._fitted is None:
            self._fitted = force_layout.fitted(self.at, self._graph.pull > 0)
        return self._fitted


Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

EXACT = 200
"""Up to this many peers all pairs are summed."""
GRAVITY = 0.12
"""Attraction to the middle, in links: peers that are not linked to the rest stay in the picture."""
SOFT = 0.05
"""Below this distance, in lengths of one link alone, repulsion does not grow any more."""
DAMP = 0.7
"""Share of a Jacobi step that is made: whole steps oscillate for ever in bipartite graphs, such as a hub with its
leaves."""
COARSEST = 40
GRAIN = 4
"""Decimals of a position, in lengths of a link: rounded after each step, since steps would make a last bit grow."""
MESH_LEAST, MESH_MOST = 48, 128
TALL_LEAST = 0.45
"""The shorter side of the picture gets at least this share of the longer side's scale: a chain is drawn as a chain."""


@dataclass(frozen=True, slots=True)
class Graph:
    """n peers, links a-b of different peers, each once, with weights (L,), and the charge of each peer (n,)."""

    n: int
    a: Ints
    b: Ints
    weight: Floats
    charge: Floats
    pull: Floats
    """Sum of the weights at each peer (n,)."""


def graph(
    n: int, a: ArrayLike, b: ArrayLike, weight: ArrayLike | None = None, charge: ArrayLike | None = None
) -> Graph:
    """A graph of n peers: links in any order and direction; links from a peer to itself are left out, weights of
    repeated links are added."""
    ends = np.asarray(a, np.int64), np.asarray(b, np.int64)
    given: Floats = np.ones(ends[0].size) if weight is None else np.asarray(weight, np.float64)
    kept = (ends[0] != ends[1]) & (ends[0] < n) & (ends[1] < n)
    low, high = np.minimum(*ends)[kept], np.maximum(*ends)[kept]
    pairs, where = np.unique(low * max(n, 1) + high, return_inverse=True)
    low, high = pairs // max(n, 1), pairs % max(n, 1)
    weights: Floats = np.bincount(where.ravel(), given[kept], pairs.size).astype(np.float64)
    pull: Floats = (np.bincount(low, weights, n) + np.bincount(high, weights, n)).astype(np.float64)
    charges: Floats = pull if charge is None else np.asarray(charge, np.float64)
    return Graph(n, low, high, weights, charges, pull)


# --- forces ---


def repel(at: Floats, charge: Floats) -> Floats:
    """Field of all charges at each of them: the sum of charge times (x - y) / |x - y|² over all others (N, 2)."""
    return repel_exactly(at, charge) if len(at) <= EXACT else repel_on_mesh(at, charge)


def repel_exactly(at: Floats, charge: Floats) -> Floats:
    """Pair by pair: for small swarms, and for tests of the mesh."""
    away = at[:, None, :] - at[None, :, :]
    square = away[:, :, 0] * away[:, :, 0] + away[:, :, 1] * away[:, :, 1] + SOFT * SOFT
    field: Floats = np.sum(away * (charge[None, :] / square)[:, :, None], axis=1)
    return field


def repel_on_mesh(at: Floats, charge: Floats) -> Floats:
    """Particle-mesh method; below a distance of about one mesh cell it is too weak, above it has an error of a few
    percent."""
    many = mesh_size(len(at))
    low = at.min(axis=0)
    step = float((at.max(axis=0) - low).max()) / (many - 2) or 1.0
    grid = (at - low) / step
    col, row = grid[:, 0].astype(np.int64), grid[:, 1].astype(np.int64)
    right, down = grid[:, 0] - col, grid[:, 1] - row
    first = row * many + col
    corners = (first, first + 1, first + many, first + many + 1)
    shares = ((1 - right) * (1 - down), right * (1 - down), (1 - right) * down, right * down)
    density = np.zeros(many * many)
    for corner, share in zip(corners, shares, strict=True):
        density += np.bincount(corner, share * charge, many * many)
    x, y = _kernel(many)
    waves = np.fft.rfft2(density.reshape(many, many), (2 * many, 2 * many))
    field = np.zeros((len(at), 2))
    for axis, kernel in enumerate((x, y)):
        whole = np.fft.irfft2(waves * kernel, (2 * many, 2 * many))[:many, :many].ravel() / step
        for corner, share in zip(corners, shares, strict=True):
            field[:, axis] += share * whole[corner]
    return field


def mesh_size(n: int) -> int:
    """Points along one side of the mesh: more for more peers, and a number for which the FFT is fast."""
    wanted = min(max(1.6 * n**0.5, MESH_LEAST), MESH_MOST)
    return next(size for size in (48, 64, 80, 96, 128) if size >= wanted)


@cache
def _kernel(many: int) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """The field of one charge on a mesh of twice the size, transformed: the upper half is for negative distances."""
    way = np.fft.fftfreq(2 * many, 1.0 / (2 * many))
    x, y = np.meshgrid(way, way)
    square = x * x + y * y
    square[0, 0] = 1.0
    return np.fft.rfft2(x / square), np.fft.rfft2(y / square)


def attract(at: Floats, links: Graph) -> Floats:
    """Sum over each peer's links of weight times the way to the other end (N, 2)."""
    way = (at[links.b] - at[links.a]) * links.weight[:, None]
    force = np.empty((links.n, 2))
    for axis in (0, 1):
        force[:, axis] = np.bincount(links.a, way[:, axis], links.n) - np.bincount(links.b, way[:, axis], links.n)
    return force


def step(at: Floats, links: Graph, heat: float) -> tuple[Floats, float]:
    """One step of all linked peers, none further than `heat` times the radius of the swarm.

    Returns the new positions and how far the peer that moved most went, as a share of the radius. Peers without a
    link stay: nothing attracts them, and a peer that was just killed should stay where it was.
    """
    held = links.pull > 0
    if not held.any():
        return at, 0.0
    middle = mean(at[held], GRAIN)
    force = attract(at, links) - GRAVITY * links.pull[:, None] * (at - middle)
    charge = np.where(held, links.charge, 0.0)
    move = force / np.where(held, links.pull * (1.0 + GRAVITY), 1.0)[:, None]
    move += repel(at, charge)
    move *= DAMP * held[:, None]
    away = at[held] - middle
    radius = max(float(np.sqrt(mean(away[:, 0] * away[:, 0] + away[:, 1] * away[:, 1]))), 1e-9)
    length = rounded(np.sqrt(move[:, 0] * move[:, 0] + move[:, 1] * move[:, 1]))
    most = heat * radius
    move *= np.minimum(1.0, most / np.maximum(length, 1e-12))[:, None]
    return rounded(at + move, GRAIN), float(rounded(min(float(length.max()), most) / radius))


# --- levels ---


def coarser(links: Graph) -> tuple[Graph, Ints] | None:
    """The graph with matched ends of links merged, and which new peer each old one is in (n,); None if none is left.

    Each peer prefers the neighbour with the strongest link relative to their sizes; ties are broken by a hash of the
    pair. Peers that prefer each other are merged, and those left over join the one they prefer. All in array
    operations.
    """
    if links.n <= COARSEST or not links.a.size:
        return None
    frm, to = np.concatenate((links.a, links.b)), np.concatenate((links.b, links.a))
    size = np.maximum(links.charge, 1e-9)
    worth = links.weight / np.minimum(size[links.a], size[links.b])
    toss = (((links.a * 2654435761) ^ (links.b * 40503)) % 1_000_003) / 1_000_003.0
    liked = np.tile(worth * (1.0 + 0.5 * toss), 2)
    order = np.lexsort((to, liked, frm))
    last = np.flatnonzero(np.diff(frm[order], append=-1))
    favourite = np.arange(links.n)
    favourite[frm[order][last]] = to[order][last]
    mutual = favourite[favourite] == np.arange(links.n)
    head = np.where(mutual, np.minimum(np.arange(links.n), favourite), np.arange(links.n))
    follows = ~mutual & mutual[favourite]
    head[follows] = head[favourite[follows]]
    _, group = np.unique(head, return_inverse=True)
    group = group.ravel().astype(np.int64)
    many = int(group.max()) + 1
    if many > 0.95 * links.n:
        return None
    charge = np.bincount(group, links.charge, many)
    return graph(many, group[links.a], group[links.b], links.weight, charge), group


def levels(links: Graph) -> tuple[list[Graph], list[Ints]]:
    """From the given graph down to the smallest, and between neighbours which peer of the next each one is in."""
    graphs, groups = [links], []
    while (smaller := coarser(graphs[-1])) is not None:
        graphs.append(smaller[0])
        groups.append(smaller[1])
    return graphs, groups


def scattered(n: int) -> Floats:
    """Start positions for n peers: a sunflower spiral, in order of their ids. Scale: one charge a unit square."""
    turn = np.arange(n) * (np.pi * (3.0 - 5.0**0.5))
    radius = np.sqrt(np.arange(n) + 0.5)
    return rounded(np.stack((radius * cos(turn), radius * sin(turn)), axis=-1), GRAIN)


def beside(group: Ints, links: Graph) -> Floats:
    """Offsets at which the peers of `links` start from the place of their group (n, 2): 0 for the one with the most
    links."""
    many = int(group.max(initial=-1)) + 1
    total = np.bincount(group, links.charge, many)
    order = np.lexsort((-np.arange(links.n), links.charge, group))
    busiest = order[np.flatnonzero(np.diff(group[order], append=-1))]
    index = np.arange(links.n)
    radius = 0.4 * np.sqrt(np.maximum(total[group], 1.0) * ((index * 0.6180339887) % 1.0 + 0.05))
    radius[busiest] = 0.0
    turn = index * 2.399963
    return rounded(np.stack((radius * cos(turn), radius * sin(turn)), axis=-1), GRAIN)


def levelled(at: Floats) -> Floats:
    """Positions rotated so that the longest extent is horizontal: pictures are wider than tall."""
    if len(at) < 3:
        return at
    middle = mean(at, GRAIN)
    x, y = (at - middle).T
    turn = 0.5 * direction(2.0 * np.sum(x * y), np.sum(x * x) - np.sum(y * y))
    across, up = cos(turn), sin(turn)
    return rounded(middle + np.stack((across * x + up * y, across * y - up * x), axis=-1), GRAIN)


def fitted(at: Floats, held: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Scaled to fill the unit square in both directions; held: peers (N,) that decide the scale, others stay at its
    edge."""
    placed = at[held] if held.any() else at
    if not len(placed):
        return np.zeros((len(at), 2), np.float32)
    low, high = placed.min(axis=0), placed.max(axis=0)
    span = np.maximum(high - low, 1e-9)
    span = np.maximum(span, TALL_LEAST * span.max())
    inside = 0.5 + (at - (low + high) / 2.0) / span
    at_last: NDArray[np.float32] = np.clip(inside, 0.0, 1.0).astype(np.float32)
    return at_last
