"""The network as one peer believes it to be, which is all that a peer in it can know.

Peers that it does not know are faint dots. Peers that it knows are drawn by how recently it heard from them: just now,
not for some time, or known from others only. Dead and censored peers look the same, since the peer cannot tell them
apart. Wrong beliefs are marked with a cross: it believes in a peer that is dead or blocked, or has given up one that is
up, or believes that it has a way to one to which no links lead.
"""

from __future__ import annotations

from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from engine import ALIVE, DEAD, Beliefs, Snapshot, dataclass

from . import layout, raster
from .raster import Canvas, Floats
from .styles import GLYPHS, INK

Flags = NDArray[np.bool_]
SILENT_US = 25_000_000
"""A peer not heard from for longer than this counts as silent: dead, or blocked?"""
AGES_MOST = 60
"""Most ages written beside peers; where more peers are known, only those of silent ones are written."""
LEGEND = (
    ("alive", "alive", "heard"),
    ("asked", "stale", "silent: dead or blocked?"),
    ("left", "dim", "from others"),
    ("dead", "wrong", "wrong"),
    ("dot", "unknown", "unknown"),
)


@dataclass(frozen=True, slots=True)
class Mind:
    """What a peer believes, as columns (N,): known; heard_us (-1: never); given_up: it takes it for dead; wrong: the
    belief is false; silent: last heard long ago; said: how many links away it thinks the peer is, hops: how many it is,
    -1 where there is no way, int64; both are empty if it has no opinion of any."""

    peer: int
    known: Flags
    heard_us: NDArray[np.int64]
    given_up: Flags
    wrong: Flags
    silent: Flags
    said: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    hops: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def hearsay(self) -> Flags:
        """Known from others only."""
        heard: Flags = self.known & (self.heard_us < 0)
        return heard


def mind(snapshot: Snapshot, peer: int, beliefs: Beliefs) -> Mind:
    """Compare a peer's beliefs with the state of the network."""
    n = len(snapshot.state)
    known, given_up = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    heard = np.full(n, -1, np.int64)
    for other, belief in beliefs.known.items():
        if 0 <= other < n and other != peer:
            known[other] = True
            heard[other] = -1 if belief.heard_us is None else belief.heard_us
            given_up[other] = belief.alive is False
    there = (snapshot.state == ALIVE) & ~snapshot.censored
    wrong = known & (there == given_up)
    silent = known & (heard >= 0) & (snapshot.now_us - heard > SILENT_US)
    if all(belief.hops is None for belief in beliefs.known.values()):
        return Mind(peer, known, heard, given_up, wrong, silent)
    said = np.full(n, -1, np.int64)
    for other, belief in beliefs.known.items():
        if 0 <= other < n and belief.hops is not None:
            said[other] = belief.hops
    hops = layout.distances(n, snapshot.links.a, snapshot.links.b, peer)
    return Mind(peer, known, heard, given_up, wrong | (known & (said >= 0) & (hops < 0)), silent, said, hops)


def headline(mind: Mind, label: str) -> str:
    """`as p017 believes it: knows 37 of 63, 9 of them wrong`."""
    known, wrong = int(mind.known.sum()), int(mind.wrong.sum())
    tail = f", {wrong:,} of them wrong" if wrong else ""
    return f"as {label} believes it: knows {known:,} of {len(mind.known) - 1:,}{tail}"


def gone(snapshot: Snapshot, peer: int) -> str:
    """Why a peer believes nothing: `is dead: its memory is gone, it knows nothing`; empty for one that runs."""
    state = snapshot.state[peer]
    if state == ALIVE:
        return ""
    return f"{'is dead' if state == DEAD else 'has left'}: its memory is gone, it knows nothing"


def age_words(mind: Mind, peer: int, now_us: int) -> str:
    """`3 s`, `silent 31 s`, or empty for a peer known from others only."""
    if mind.heard_us[peer] < 0:
        return ""
    seconds = max(0, now_us - int(mind.heard_us[peer])) // 1_000_000
    return f"silent {seconds} s" if mind.silent[peer] else f"{seconds} s"


def draw(
    canvas: Canvas, snapshot: Snapshot, mind: Mind, x: Floats, y: Floats, links: tuple[int, ...], *, names: bool = True
) -> None:
    """Draw the peers and the streams that it knows of: its own. The canvas may have a coastline, and nothing else."""
    me = mind.peer
    ends = np.array([p for p in links if p < len(x)], np.int64)
    raster.lines(canvas, np.full(len(ends), x[me]), np.full(len(ends), y[me]), x[ends], y[ends], INK["link-selected"])
    shapes = GLYPHS[canvas.mode]
    fresh = mind.known & (mind.heard_us >= 0) & ~mind.silent
    groups = (
        (~mind.known, shapes.dot, "unknown"),
        (mind.hearsay, shapes.left, "dim"),
        (fresh, shapes.alive, "alive"),
        (mind.silent, shapes.asked, "stale"),
        (mind.wrong, shapes.dead, "wrong"),
    )
    for which, shape, ink in groups:
        ids = np.flatnonzero(which)
        col, row = raster.cells(canvas, x[ids], y[ids])
        raster.stamp(canvas, col, row, ord(shape), INK[ink], ids)
    col, row = raster.cells(canvas, x[me], y[me])
    up = snapshot.state[me] == ALIVE
    raster.stamp(canvas, col, row, ord(shapes.origin if up else shapes.dead), INK["selected"], me)
    if names:
        _ages(canvas, snapshot, mind, x, y)


def _ages(canvas: Canvas, snapshot: Snapshot, mind: Mind, x: Floats, y: Floats) -> None:
    labels = snapshot.fixed.labels
    labelled = mind.silent | mind.wrong
    if int(mind.known.sum()) <= AGES_MOST:
        labelled |= mind.known & (mind.heard_us >= 0)
    for peer in (mind.peer, *np.flatnonzero(labelled).tolist()):
        cols, rows = raster.cells(canvas, x[peer], y[peer])
        col, row = int(cols) + 2, int(rows)
        age = age_words(mind, peer, snapshot.now_us)
        word = labels[peer][:12] + (f" {age}" if age else "")
        if 0 <= row < canvas.height and col >= 0 and (canvas.glyph[row, col : col + len(word)] == 0).all():
            ink = "selected" if peer == mind.peer else "wrong" if mind.wrong[peer] else "label"
            raster.text(canvas, col, row, word, INK[ink], peer)


def legend(canvas: Canvas) -> None:
    """Write the legend on the last line, as much as there is room for."""
    if canvas.height < 8:
        return
    col, shapes = 1, GLYPHS[canvas.mode]
    for shape, ink, word in LEGEND:
        if col + len(word) + 4 > canvas.width:
            break
        col = raster.text(canvas, col, canvas.height - 1, getattr(shapes, shape), INK[ink])
        col = raster.text(canvas, col, canvas.height - 1, f" {word}  ", INK["dim"])
