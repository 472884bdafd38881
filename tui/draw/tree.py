"""The tree of who told whom: the asker at the left, each hop one step further right, leaves from top to bottom.

A branch has a height in proportion to its leaves, so no two cross. The number of duplicates that a peer received is
written after its name; a question that was lost is a leaf of its own, with the reason. The path of an answer is
highlighted.

Among ten thousand peers a question reaches hundreds more from frame to frame, and each of them moves the other nodes.
So the tree is laid out in array operations over whole levels, of which there are about twelve, and not node by node.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine import Snapshot, Trace, dataclass

from . import raster
from .layout import Box, View
from .raster import Canvas
from .styles import GLYPHS, INK

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MARGIN_RIGHT = 14
"""Columns at the right that are kept for the names of the last leaves."""


@dataclass(frozen=True)
class Tree:
    """nodes: peers (R,) in the order in which they were reached, the asker first, then lost questions; parent: index
    into nodes, -1 for the asker; depth: hops from it; height: 0..1 from the top; why: the reason of a loss, an index
    into reasons, 0 for a peer that was reached."""

    nodes: Ints
    parent: Ints
    depth: Ints
    height: Floats
    why: Ints
    reasons: tuple[str, ...]

    @cached_property
    def dead(self) -> NDArray[np.bool_]:
        """Which nodes are lost questions (R,)."""
        return self.why > 0

    @cached_property
    def inner(self) -> NDArray[np.bool_]:
        """Which nodes have children (R,)."""
        inner = np.zeros(len(self.nodes), np.bool_)
        inner[self.parent[1:]] = True
        return inner

    @cached_property
    def levels(self) -> list[Ints]:
        """The nodes of each depth, the smallest depth first."""
        return levels_of(self.depth)

    def at(self, peer: int | None) -> int:
        """The node of a peer that was reached, or -1."""
        found = np.flatnonzero((self.nodes == peer) & ~self.dead).tolist()
        return int(found[0]) if found and peer is not None else -1


def repeated_questions(trace: Trace) -> NDArray[np.bool_]:
    """Which of the questions that arrived came to a peer that had it already (k,). The sender of the first one need not
    be the peer above it in the tree: it may have been sent `via` that one (`Trace`)."""
    asked = trace.questions
    repeated = np.ones(len(asked.to), np.bool_)
    repeated[np.unique(asked.to, return_index=True)[1]] = False
    repeated |= trace.at_us[asked.to] != asked.at_us
    return repeated


def tree_of(trace: Trace) -> Tree:
    """The tree by the peer that told each peer first. If that one was not reached by the ask, the asker is the
    parent."""
    reached = np.flatnonzero(trace.hop > 0)
    reached = reached[reached != trace.origin]
    reached = reached[np.lexsort((reached, trace.hop[reached], trace.at_us[reached]))]
    nodes = np.concatenate((np.array([trace.origin]), reached)).astype(np.int64)
    place = np.full(len(trace.hop), -1, np.int64)
    place[nodes] = np.arange(len(nodes))
    up = place[trace.frm[reached]]
    # Only an earlier node can be the parent, so that no trace, however unusual, makes a cycle.
    own = np.arange(1, len(nodes))
    parent = np.concatenate((np.array([-1]), np.where((trace.frm[reached] >= 0) & (up >= 0) & (up < own), up, 0)))
    lost = trace.lost
    frm, to = lost.frm.astype(np.int64), lost.to.astype(np.int64)
    shown = (place[frm] >= 0) & (place[to] < 0)
    _, first = np.unique(np.stack((frm[shown], to[shown])), axis=1, return_index=True)
    died = np.flatnonzero(shown)[np.sort(first)]
    nodes = np.concatenate((nodes, to[died]))
    parent = np.concatenate((parent, place[frm[died]]))
    why = np.concatenate((np.zeros(len(reached) + 1, np.int64), lost.reason[died].astype(np.int64) + 1))
    depth = depths(parent)
    return Tree(nodes, parent, depth, _heights(parent, depth), why, ("", *lost.reasons))


def depths(parent: Ints) -> Ints:
    """The distance of each node from the first one; each pass goes up one level for all nodes at once."""
    depth = np.zeros(len(parent), np.int64)
    above = parent.copy()
    while (below := np.flatnonzero(above >= 0)).size:
        depth[below] += 1
        above[below] = parent[above[below]]
    return depth


def levels_of(depth: Ints) -> list[Ints]:
    """Indices of each depth, in their order."""
    order = np.argsort(depth, kind="stable")
    return np.split(order, np.cumsum(np.bincount(depth))[:-1])


def _heights(parent: Ints, depth: Ints) -> Floats:
    """Leaves are spaced evenly in the order of the branches; a node with children is in the middle of them."""
    n = len(parent)
    levels = levels_of(depth)
    leaves = np.ones(n, np.int64)
    leaves[parent[1:]] = 0
    many = leaves.copy()
    for level in reversed(levels[1:]):
        many += np.bincount(parent[level], many[level], n).astype(np.int64)
    # Siblings in their order: the number of leaves above each within those of its parent.
    beside = np.argsort(parent[1:], kind="stable") + 1
    above = np.cumsum(many[beside]) - many[beside]
    first = np.concatenate((np.ones(1, np.bool_), parent[beside][1:] != parent[beside][:-1])) if n > 1 else beside > 0
    starts = np.flatnonzero(first)
    within = np.zeros(n, np.int64)
    within[beside] = above - np.repeat(above[starts], np.diff(starts, append=len(beside)))
    top = np.zeros(n, np.int64)
    for level in levels[1:]:
        top[level] = top[parent[level]] + within[level]
    height = top.astype(np.float64)
    eldest, youngest = beside[starts], beside[np.append(starts[1:], len(beside)) - 1] if n > 1 else beside
    upper, lower = np.zeros(n, np.int64), np.zeros(n, np.int64)
    upper[parent[eldest]], lower[parent[eldest]] = eldest, youngest
    for level in reversed(levels):
        inner = level[leaves[level] == 0]
        height[inner] = (height[upper[inner]] + height[lower[inner]]) / 2
    return (height + 0.5) / max(1, int(leaves.sum()))


def leaves_of(tree: Tree) -> int:
    """How many leaves there are."""
    return int(len(tree.nodes) - np.count_nonzero(tree.inner))


def box_of(canvas: Canvas) -> Box:
    """The area of the tree in dots; room for names stays free at the right."""
    return Box(max(2, canvas.dots_w - MARGIN_RIGHT * canvas.across), canvas.dots_h, 2.0)


def spots(tree: Tree, canvas: Canvas, view: View) -> tuple[Floats, Floats]:
    """Dots of each node."""
    deepest = max(1, int(tree.depth.max(initial=1)))
    at = np.stack((tree.depth / deepest, tree.height), axis=-1)
    return view.to_dots(at, box_of(canvas))  # type: ignore[arg-type]


def draw(
    canvas: Canvas,
    tree: Tree,
    x: Floats,
    y: Floats,
    trace: Trace,
    snapshot: Snapshot,
    selected: int | None,
    zoom: float,
) -> None:
    """Draw the tree on an empty canvas, with nodes at `spots`."""
    up, dead = tree.parent, tree.dead
    lit = np.zeros(len(up), np.bool_)
    for named in (*trace.holders, *trace.answerers):
        at = tree.at(named)
        while at > 0 and not lit[at]:
            lit[at] = True
            at = int(up[at])
    child = np.arange(len(up)) > 0
    for which, ink in ((child & ~lit & ~dead, "tree"), (dead, "lost"), (lit, "way")):
        mine = np.flatnonzero(which)
        kept = mine[distinct(x[up[mine]], y[up[mine]], x[mine], y[mine])]
        raster.lines(canvas, x[up[kept]], y[up[kept]], x[kept], y[kept], INK[ink])
    roomy = box_of(canvas).span[1] * zoom / max(1, leaves_of(tree)) >= 0.9 * canvas.down
    _nodes(canvas, tree, x, y, trace)
    if roomy:
        _names(canvas, tree, x, y, trace, snapshot, selected)
    elif selected is not None and (at := tree.at(selected)) >= 0:
        raster.text(canvas, *_beside(canvas, x, y, at), snapshot.fixed.labels[selected], INK["selected"])


def distinct(x0: Floats, y0: Floats, x1: Floats, y1: Floats) -> Ints:
    """The indices of lines without those that begin and end in the same dots as another one: of fifty leaves in a dot,
    one line is drawn."""
    ends = [np.rint(np.clip(value, -30_000, 30_000)).astype(np.int64) & 0xFFFF for value in (x0, y0, x1, y1)]
    _, first = np.unique(ends[0] | ends[1] << 16 | ends[2] << 32 | ends[3] << 48, return_index=True)
    return np.sort(first)


def _nodes(canvas: Canvas, tree: Tree, x: Floats, y: Floats, trace: Trace) -> None:
    shapes = GLYPHS[canvas.mode]
    n = len(tree.nodes)
    has = np.isin(tree.nodes, np.asarray(trace.holders, np.int64))
    named = np.isin(tree.nodes, np.asarray(trace.answerers, np.int64))
    kind = np.where(tree.dead, 3, np.where(has, 1, np.where(named, 4, 0)))
    kind[0] = 2
    drawn = (shapes.asked, shapes.hit, shapes.origin, shapes.dead, shapes.answerer)
    codes = np.array([ord(shape) for shape in drawn], np.uint32)
    inks = np.array([INK[name] for name in ("asked", "answered", "origin", "lost", "answerer")], np.uint8)
    col, row = raster.cells(canvas, x, y)
    order = np.lexsort((np.arange(n), kind > 0))
    kinds = kind[order]
    raster.stamp(canvas, col[order], row[order], codes[kinds], inks[kinds], tree.nodes[order])


def _beside(canvas: Canvas, x: Floats, y: Floats, at: int) -> tuple[int, int]:
    col, row = raster.cells(canvas, x[at], y[at])
    return int(col) + 2, int(row)


def _names(
    canvas: Canvas, tree: Tree, x: Floats, y: Floats, trace: Trace, snapshot: Snapshot, selected: int | None
) -> None:
    """Names: of the selected peer first, then of leaves, which have room, then of others where the cells are empty."""
    labels = snapshot.fixed.labels
    cols, rows = raster.cells(canvas, x, y)
    seen = np.flatnonzero((rows >= 0) & (rows < canvas.height))
    order = seen[np.lexsort((seen, tree.inner[seen], tree.nodes[seen] != (-1 if selected is None else selected)))]
    for at in order.tolist():
        peer, col, row = int(tree.nodes[at]), int(cols[at]) + 2, int(rows[at])
        name, again = labels[peer][:12], int(trace.repeats[peer])
        if not (canvas.glyph[row, max(0, col) : col + len(name) + 1] == 0).all():
            continue
        leaf = not tree.inner[at]
        ink = "selected" if peer == selected else "label" if leaf else "dim"
        end = raster.text(canvas, col, row, name, INK[ink], peer)
        if tree.dead[at]:
            raster.text(canvas, end + 1, row, tree.reasons[tree.why[at]], INK["lost"])
        elif again and leaf:
            raster.text(canvas, end + 1, row, f"+{again}", INK["duplicate"])
