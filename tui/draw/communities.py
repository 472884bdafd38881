"""A live layout by forces that comes to rest: which peers belong together, told by the links alone.

Hand it links whenever they change and a little time each frame. It is at rest when no peer would move by as much as
the eye can see; then it costs nothing, and the picture under it is kept. When links change it is warmed up a little,
so that a picture one has learned to read bends and does not break. What it comes to depends on the links it was given
and their order, not on how its time was sliced.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from . import force_layout
from .force_layout import Floats, Graph, Ints
from .layout import Positions
from .rounding import cos, mean, rounded, sin

COARSE_STEPS = 60
LEVEL_STEPS = 24
HOT = 0.3
"""First heat of a level: the longest step, as a share of the radius."""
WARM_LEAST, WARM_MOST = 0.012, 0.06
COOLING = 0.94
COLD = 0.0015
"""Below this nothing moves by half a dot of a picture as wide as most terminals."""


class Communities:
    """`at` is where the peers of the finest level stand; `positions` the same in the unit square."""

    def __init__(self) -> None:
        self.at: Floats = np.zeros((0, 2))
        self.heat = 0.0
        self.steps = 0
        """How many have been made: a test of rest."""
        self._coarse: tuple[list[Graph], list[Ints]] | None = None
        """Levels made so far, while there are coarser ones to be made."""
        self._graph: Graph = force_layout.graph(0, [], [])
        self._below: list[tuple[Graph, Ints, Floats]] = []
        """Finer levels, the finest first: links, the group of each peer in the level above, and its way from there."""
        self._level: Graph | None = None
        self._left, self._turn = 0, False
        self._here: Floats = self.at
        self._fitted: Positions | None = None

    @property
    def resting(self) -> bool:
        """Whether no more steps are wanted."""
        return self._level is None

    def link(self, n: int, a: ArrayLike, b: ArrayLike) -> None:
        """The links are now these, among n peers. The first time, or after `forget`, the layout begins anew."""
        fresh = not len(self.at)
        before = self._graph
        self._graph = force_layout.graph(n, a, b)
        if fresh:
            self._begin()
            return
        grown = n != len(self.at)
        if grown:
            self._take_in(n)
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
        """Another swarm."""
        self.__init__()  # type: ignore[misc]

    def _begin(self) -> None:
        """Levels are made one a step: all of them at once would hold up the screen for 80 to 190 ms at 10,000 peers."""
        self._coarse = [self._graph], []
        self._below = []
        self._level = self._graph
        if len(self.at) != self._graph.n:
            self.at = force_layout.scattered(self._graph.n)
        self._here = self.at

    def _coarsen(self) -> None:
        """One more level, or if there is none, begin at the coarsest."""
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
        # The busiest in the middle: a hub that starts at the rim is held there by its own crowd.
        seat[np.lexsort((np.arange(top.n), -top.pull))] = np.arange(top.n)
        self._here = force_layout.scattered(top.n)[seat] * np.sqrt(max(float(top.charge.sum()) / max(top.n, 1), 1.0))
        self.heat = HOT
        self._left, self._turn = COARSE_STEPS, True

    def _take_in(self, n: int) -> None:
        """Newcomers stand beside whom they are linked to, or at the rim; who is beyond n is gone."""
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
        """Make steps for about so many seconds, at least one; whether anything moved."""
        if self._level is None:
            return False
        begun = clock()
        while self._level is not None:
            self._step()
            if clock() - begun >= budget_s:
                break
        self.at, self._fitted = self._all_the_way_up(), None
        return True

    def settle(self) -> None:
        """Come to rest at once: for tests and for those who want no motion."""
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

    def _all_the_way_up(self) -> Floats:
        """Where the peers themselves would stand by what the level at hand knows."""
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
