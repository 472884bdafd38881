"""What happens to the chosen ask, on the picture of the swarm: its front, what it was told in vain, what died where.

All of it follows from the trace and from virtual time alone, so it stands still when time does, and a step shows what
the step did.
"""

from __future__ import annotations

import numpy as np

from engine import Snapshot, Trace

from . import raster
from .glyphs import GLYPHS
from .layers import sift
from .raster import Canvas, Floats
from .styles import INK

FRONT_US = 60_000
"""Who was reached less than this ago stands at the front."""
LOSS_US = 900_000
"""A loss is shown for this long, ever fainter."""
WORDS_MOST = 12
"""Losses told in words at a time; more are crosses alone."""


def front(canvas: Canvas, x: Floats, y: Floats, trace: Trace, now_us: int) -> None:
    """Who has just been reached, in the colour of the question."""
    fresh = np.flatnonzero((trace.hop > 0) & (trace.at_us > now_us - FRONT_US))
    if len(fresh):
        fresh = fresh[~np.isin(fresh, trace.holders)]
        col, row = raster.cells(canvas, x[fresh], y[fresh])
        raster.stamp(canvas, col, row, ord(GLYPHS[canvas.mode].asked), INK["question"], fresh)


def vain(canvas: Canvas, x: Floats, y: Floats, trace: Trace) -> None:
    """Links on which the question came to who had it already: dotted, below the tree."""
    asked = trace.questions
    again = (trace.at_us[asked.to] != asked.at_us) | (trace.frm[asked.to] != asked.frm)
    frm, to = asked.frm[again], asked.to[again]
    raster.lines(canvas, x[frm], y[frm], x[to], y[to], INK["duplicate"])
    sift(canvas, 2, 4)


def losses(canvas: Canvas, x: Floats, y: Floats, trace: Trace, snapshot: Snapshot) -> None:
    """A cross where a message died, with the word for what it died of, while that is news."""
    lost, now_us = trace.lost, snapshot.now_us
    shown = np.flatnonzero(lost.at_us > now_us - LOSS_US)
    told: set[tuple[int, int]] = set()
    for at in shown[::-1].tolist():
        peer, why = int(lost.to[at]), int(lost.reason[at])
        if (peer, why) in told:
            continue
        told.add((peer, why))
        age = (now_us - int(lost.at_us[at])) / LOSS_US
        ink = INK["lost" if age < 0.6 else "dim"]
        cols, rows = raster.cells(canvas, x[peer], y[peer])
        col, row = int(cols), int(rows)
        if len(told) > WORDS_MOST:
            raster.stamp(canvas, col, row - 1, ord(GLYPHS[canvas.mode].dead), ink)
        else:
            word = f"{GLYPHS[canvas.mode].dead} {lost.reasons[why]}"
            raster.text(canvas, min(col, canvas.width - len(word)), row - 1 if row else row + 1, word, ink)


def ringed(canvas: Canvas, x: Floats, y: Floats, peers: tuple[int, ...]) -> None:
    """A ring about each of the few that stand between an asker and what it wants."""
    for peer in peers:
        cols, rows = raster.cells(canvas, x[peer], y[peer])
        middle = (float(cols) + 0.5) * canvas.across - 0.5, (float(rows) + 0.5) * canvas.down - 0.5
        for wide in (2.2, 3.4):
            raster.ring(canvas, *middle, wide * canvas.across, wide / 2 * canvas.down, INK["censored"], gap=1.0)
