"""The tree of who told whom: the asker at the left, one step to the right for each telling, leaves down the side.

A branch takes as much height as it has leaves, so no two cross. What a peer was told again, in vain, stands behind its
name as a number; a question that died is a leaf of its own, with what it died of. The way of an answer is lit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import Snapshot, Trace

from . import raster
from .glyphs import GLYPHS
from .inks import INK
from .placement import Box, View
from .raster import Canvas

Floats = NDArray[np.float64]
MARGIN_RIGHT = 14
"""Columns at the right that are kept for the names of the last leaves."""


@dataclass(frozen=True, slots=True)
class Tree:
    """nodes: peers (R,) in the order in which they were told, the asker first; parent: index into nodes, -1 for the
    asker; depth: tellings from it; height: 0..1 down the side; reason: what killed the question, "" for who got it."""

    nodes: tuple[int, ...]
    parent: tuple[int, ...]
    depth: tuple[int, ...]
    height: Floats
    reason: tuple[str, ...]


def tree_of(trace: Trace) -> Tree:
    """Who first told each peer. One whose teller was never asked itself (it came by itself) hangs on the asker."""
    reached = np.flatnonzero(trace.hop > 0)
    reached = reached[reached != trace.origin]
    reached = reached[np.lexsort((reached, trace.hop[reached], trace.at_us[reached]))]
    place = {trace.origin: 0}
    nodes, parent, depth, reason = [trace.origin], [-1], [0], [""]
    children: list[list[int]] = [[]]
    for peer, frm in zip(reached.tolist(), trace.frm[reached].tolist(), strict=True):
        up = place.get(frm, 0)
        place[peer] = _hang(up, peer, "", nodes, parent, depth, reason, children)
    lost = trace.lost
    dead: set[tuple[int, int]] = set()
    for frm, to, why in zip(lost.frm.tolist(), lost.to.tolist(), lost.reason.tolist(), strict=True):
        if frm in place and to not in place and (frm, to) not in dead:
            dead.add((frm, to))
            _hang(place[frm], to, lost.reasons[why], nodes, parent, depth, reason, children)
    return Tree(tuple(nodes), tuple(parent), tuple(depth), _heights(children), tuple(reason))


def _hang(
    up: int,
    peer: int,
    why: str,
    nodes: list[int],
    parent: list[int],
    depth: list[int],
    reason: list[str],
    children: list[list[int]],
) -> int:
    number = len(nodes)
    nodes.append(peer)
    parent.append(up)
    depth.append(depth[up] + 1)
    reason.append(why)
    children.append([])
    children[up].append(number)
    return number


def _heights(children: list[list[int]]) -> Floats:
    """Leaves are spaced evenly in the order of the branches; who has branches stands in the middle of them."""
    height = np.zeros(len(children))
    leaves = 0
    stack: list[tuple[int, bool]] = [(0, False)]
    while stack:
        node, done = stack.pop()
        below = children[node]
        if not below:
            height[node] = leaves
            leaves += 1
        elif done:
            height[node] = (height[below[0]] + height[below[-1]]) / 2
        else:
            stack.append((node, True))
            stack += [(child, False) for child in reversed(below)]
    return (height + 0.5) / max(1, leaves)


def leaves_of(tree: Tree) -> int:
    """How many leaves there are."""
    return len(tree.nodes) - len(set(tree.parent) - {-1})


def box_of(canvas: Canvas) -> Box:
    """The tree in dots; room for names stays free at the right."""
    return Box(max(2, canvas.dots_w - MARGIN_RIGHT * canvas.across), canvas.dots_h, 2.0)


def spots(tree: Tree, canvas: Canvas, view: View) -> tuple[Floats, Floats]:
    """Dots of each node."""
    deepest = max(1, *tree.depth) if len(tree.depth) > 1 else 1
    at = np.stack((np.asarray(tree.depth) / deepest, tree.height), axis=-1)
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
    """On an empty canvas, with nodes where `spots` has them."""
    up = np.asarray(tree.parent)
    lit = np.zeros(len(up), np.bool_)
    index = {peer: i for i, (peer, why) in enumerate(zip(tree.nodes, tree.reason, strict=True)) if not why}
    for holder in trace.holders:
        at = index.get(holder, -1)
        while at > 0 and not lit[at]:
            lit[at] = True
            at = tree.parent[at]
    dead = np.array([bool(why) for why in tree.reason])
    child = np.arange(len(up)) > 0
    for which, ink in ((child & ~lit & ~dead, "tree"), (dead, "lost"), (lit, "way")):
        raster.lines(canvas, x[up[which]], y[up[which]], x[which], y[which], INK[ink])
    roomy = box_of(canvas).span[1] * zoom / max(1, leaves_of(tree)) >= 0.9 * canvas.down
    _nodes(canvas, tree, x, y, dead, trace, snapshot)
    if roomy:
        _names(canvas, tree, x, y, trace, snapshot, selected)
    elif selected in index:
        raster.text(canvas, *_beside(canvas, x, y, index[selected]), snapshot.fixed.labels[selected], INK["selected"])


def _nodes(
    canvas: Canvas, tree: Tree, x: Floats, y: Floats, dead: NDArray[np.bool_], trace: Trace, snapshot: Snapshot
) -> None:
    shapes = GLYPHS[canvas.mode]
    holders = set(trace.holders)
    codes, inks = [], []
    for number, (peer, gone) in enumerate(zip(tree.nodes, dead.tolist(), strict=True)):
        name = "dead" if gone else "origin" if not number else "hit" if peer in holders else "asked"
        codes.append(ord(getattr(shapes, name)))
        inks.append(INK["lost" if gone else "answered" if name == "hit" else name])
    col, row = raster.cells(canvas, x, y)
    order = np.argsort([inks[i] != INK["asked"] for i in range(len(inks))], kind="stable")
    raster.stamp(
        canvas,
        col[order],
        row[order],
        np.array(codes, np.uint32)[order],
        np.array(inks, np.uint8)[order],
        np.array(tree.nodes)[order],
    )


def _beside(canvas: Canvas, x: Floats, y: Floats, at: int) -> tuple[int, int]:
    col, row = raster.cells(canvas, x[at], y[at])
    return int(col) + 2, int(row)


def _names(
    canvas: Canvas, tree: Tree, x: Floats, y: Floats, trace: Trace, snapshot: Snapshot, selected: int | None
) -> None:
    """The selected first, then leaves, which have room, then the others where nothing is in the way."""
    labels = snapshot.fixed.labels
    inner = set(tree.parent)
    order = sorted(range(len(tree.nodes)), key=lambda i: (tree.nodes[i] != selected, i in inner, i))
    for at in order:
        peer = tree.nodes[at]
        col, row = _beside(canvas, x, y, at)
        name, again = labels[peer][:12], int(trace.repeats[peer])
        if not 0 <= row < canvas.height or not (canvas.glyph[row, max(0, col) : col + len(name) + 1] == 0).all():
            continue
        ink = "selected" if peer == selected else "label" if at not in inner else "dim"
        end = raster.text(canvas, col, row, name, INK[ink], peer)
        if tree.reason[at]:
            raster.text(canvas, end + 1, row, tree.reason[at], INK["lost"])
        elif again and at not in inner:
            raster.text(canvas, end + 1, row, f"+{again}", INK["duplicate"])
