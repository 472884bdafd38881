"""Places for words on the picture, so that it is clear which peer each word belongs to.

A word is placed beside the mark of its peer, or outside of the ring around it, where no mark of another peer follows at
its other end. Where there is no such room it may be placed elsewhere, with a line to its peer. No word covers a mark,
or another word. Places depend on where peers are, and not on messages under way, so that words stay where they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import raster
from .raster import Canvas

Flags = NDArray[np.bool_]

RING_CELLS = 3
"""From the mark of a peer to the first column outside of the ring around it."""
FAR = 16.0
"""The longest line to a word that is not about a selected peer, in columns."""
FAR_IN_CROWD = 14.0
"""The longest line to one of many words, in columns."""
PLACES_MOST = 80
"""So many of the nearest places are looked at for one of many words."""
FARTHEST = 1e6
"""Any length."""
NOWHERE = 1 << 40
"""A distance that no place has, squared."""


class Label(NamedTuple):
    """A word that is to be placed: the cell of its mark, and its length. ringed: the mark has a ring around it; first:
    it is important, and may be far away; hidden: another peer has the cell of its mark."""

    col: int
    row: int
    long: int
    ringed: bool = False
    first: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Places of many words. places: row and first column of each, or None where there was no room; x, y: dots of all
    lines to words that are not beside their marks; of: the number of the word that each dot belongs to."""

    places: tuple[tuple[int, int] | None, ...]
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    of: NDArray[np.int64]


class Labels:
    """The cells of a canvas that are taken: make it when all peers are drawn.

    head, foot: rows at the top and the bottom that have other text; covered: cells that a panel covers, as the first
    column and row, and those after the last.
    """

    def __init__(
        self, canvas: Canvas, head: int = 0, foot: int = 0, covered: tuple[int, int, int, int] | None = None
    ) -> None:
        self._canvas = canvas
        self._taken: Flags = canvas.owner >= 0
        self._height = max(canvas.height - foot, 0)
        self._taken[: min(head, self._height)] = True
        if covered is not None:
            left, top, right, bottom = covered
            self._taken[top:bottom, left:right] = True

    def beside(self, col: int, row: int, text: str, ink: int, owner: int, *, ringed: bool = False) -> bool:
        """Write a word to the right of a mark, or to the left of it. False if there is no room."""
        if not 0 <= row < self._height:
            return False
        start = _beside(self._taken[row], col, len(text), ringed)
        if start is not None:
            self._write(start, row, text, ink, owner)
        return start is not None

    def near(self, col: int, row: int, text: str, ink: int, owner: int) -> bool:
        """Write a word in the row above a mark, or below, where no other mark is near. False if there is no room."""
        start = min(max(0, col - len(text) // 2), max(0, self._canvas.width - len(text)))
        for line in (row - 1, row + 1):
            if self._clear(line, start, text):
                self._write(start, line, text, ink, owner)
                return True
        return False

    def led(self, col: int, row: int, text: str, ink: int, owner: int, *, ringed: bool, far: float = FAR) -> bool:
        """Write a word at the nearest free place within `far` columns, with a line to its mark; False if none is."""
        wide, long = self._canvas.width, len(text)
        if not 0 <= row < self._canvas.height or not 0 <= col < wide or wide < long or not self._height:
            return False
        area = self._taken[: self._height]
        found = _nearest(area.tobytes(), wide, col, row, long, RING_CELLS if ringed else 2, far)
        if found is None:
            return False
        line, start = found
        x, y = _line((canvas := self._canvas).across, canvas.down, Label(col, row, long, ringed), found)
        self._lead(x, y, np.full(len(x), ink, np.uint8))
        self._write(start, line, text, ink, owner)
        return True

    def plan(self, names: Sequence[Label]) -> Plan:
        """Places for many words. The first of them are placed first, as `beside` and `led` do; then the others beside
        their marks; then those left over within `FAR_IN_CROWD` columns, with no mark of another peer above or below.
        Nothing is written. As long as no peer moves the plan is the same object."""
        canvas, area = self._canvas, self._taken[: self._height]
        if not area.size:
            nothing = np.zeros(0, np.int64)
            return Plan((None,) * len(names), nothing, nothing, nothing)
        return _planned(area.tobytes(), canvas.width, canvas.across, canvas.down, tuple(names))

    def write(
        self, plan: Plan, which: Sequence[int], texts: Sequence[str], inks: Sequence[int], owners: Sequence[int]
    ) -> int:
        """Write words of a plan, by their numbers, with their lines, where the cells are still free; texts, inks and
        owners are those of the whole plan. Returns how many were written."""
        room = []
        for at in which:
            place = plan.places[at]
            if place is not None and self._free(place[0], place[1], place[1] + len(texts[at])):
                room.append((at, *place))
        written = np.zeros(len(plan.places), np.bool_)
        written[[at for at, _, _ in room]] = True
        led = written[plan.of]
        self._lead(plan.x[led], plan.y[led], np.asarray(inks, np.uint8)[plan.of[led]])
        for at, row, start in room:
            self._write(start, row, texts[at], inks[at], owners[at])
        return len(room)

    def _lead(self, x: NDArray[np.int64], y: NDArray[np.int64], inks: NDArray[np.uint8]) -> None:
        """Draw the dots of lines to words. They pass below all marks."""
        canvas = self._canvas
        x, y = np.clip(x, 0, canvas.dots_w - 1), np.clip(y, 0, canvas.dots_h - 1)
        cell = y // canvas.down, x // canvas.across
        bare = canvas.glyph[cell] == 0
        rows, cols = cell[0][bare], cell[1][bare]
        raster.pairs(canvas)[rows, :, cols] = 0
        canvas.dots[y[bare], x[bare]] = True
        canvas.ink[rows, cols] = inks[bare]

    def _clear(self, row: int, start: int, text: str) -> bool:
        """Whether a word may be placed there: it is inside, and no mark and no other word is under it or beside it."""
        end = start + len(text)
        return start >= 0 and end <= self._canvas.width and self._free(row, start - 1, end + 1)

    def _free(self, row: int, first: int, end: int) -> bool:
        """Whether no cell from `first` to before `end` is taken."""
        return 0 <= row < self._height and not self._taken[row, max(first, 0) : max(end, 0)].any()

    def _write(self, start: int, row: int, text: str, ink: int, owner: int) -> None:
        raster.text(self._canvas, start, row, text, ink, owner)
        self._taken[row, max(start, 0) : start + len(text)] = True


def _line(across: int, down: int, name: Label, place: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Dots of the line from a mark, or from the ring around it, to the nearer end of its word."""
    line, start = place
    ends = (start - 1, start + name.long) if line == name.row else (start, start + name.long - 1)
    to_col = min(max(name.col, ends[0]), ends[1])
    x0, y0 = (name.col + 0.5) * across, (name.row + 0.5) * down
    dx, dy = (to_col - name.col) * across, (line - name.row) * down
    # The ring is an ellipse of 2.2 columns and 1.1 rows.
    reach = math.hypot(dx / (2.2 * across), dy / (1.1 * down))
    first = min(1.0 / reach, 1.0) if name.ringed and reach else 0.0
    share = np.linspace(first, 1.0, max(abs(dx), abs(dy)) + 2)
    return np.floor(x0 + dx * share).astype(np.int64), np.floor(y0 + dy * share).astype(np.int64)


def _beside(taken: Flags, col: int, long: int, ringed: bool) -> int | None:
    """The first column of a word of this length to the right of a mark or to the left of it, in a row of which these
    cells are taken; None if there is no room."""
    gap = RING_CELLS if ringed else 1
    for start, first, end in (
        (col + gap, col + 1, col + gap + long + 1),
        (col - gap - long + 1, col - gap - long, col),
    ):
        if start >= 0 and start + long <= len(taken) and not taken[max(first, 0) : max(end, 0)].any():
            return start
    return None


def _has_room(name: Label, high: int, wide: int) -> bool:
    """Whether the mark of a label is in the picture (the mark of a peer in the last dots at the edge is not), and its
    word is not longer than the picture is wide."""
    return 0 <= name.row < high and 0 <= name.col < wide and name.long <= wide


@lru_cache(maxsize=8)
def _planned(area: bytes, wide: int, across: int, down: int, names: tuple[Label, ...]) -> Plan:
    """See `Labels.plan`. area: a flag for each cell that is taken, `wide` in a row."""
    marks = np.frombuffer(area, np.bool_).reshape(-1, wide)
    taken = marks.copy()
    places: list[tuple[int, int] | None] = [None] * len(names)
    led: list[int] = []

    def put(at: int, place: tuple[int, int] | None) -> None:
        places[at] = place
        if place is not None:
            taken[place[0], place[1] : place[1] + names[at].long] = True

    for at, name in enumerate(names):
        if not _has_room(name, len(taken), wide) or (name.hidden and not name.first):
            continue
        start = _beside(taken[name.row], name.col, name.long, name.ringed)
        if start is not None:
            put(at, (name.row, start))
        elif name.first:
            far = FARTHEST if name.ringed else FAR
            put(
                at,
                _nearest(taken.tobytes(), wide, name.col, name.row, name.long, RING_CELLS if name.ringed else 2, far),
            )
            led.append(at)
    crossed = np.zeros_like(taken)
    for at in led:
        _cross(crossed, across, down, names[at], places[at])
    for at, name in enumerate(names):
        if name.first or places[at] is not None or not _has_room(name, len(taken), wide):
            continue
        others = marks.copy()
        others[name.row, name.col] = False
        barred = taken.copy()
        barred[:-1] |= others[1:]
        barred[1:] |= others[:-1]
        # A place that covers no line, and whose line is covered by no word: else lines could not be followed to peers.
        near = _places(barred | crossed, name.col, name.row, name.long, 2, FAR_IN_CROWD)
        place = _first_in_sight(taken & ~marks, name, near)
        put(at, place)
        _cross(crossed, across, down, name, place)
        led.append(at)
    x, y, of = [], [], []
    for at in led:
        place = places[at]
        if place is not None:
            dots_x, dots_y = _line(across, down, names[at], place)
            x.append(dots_x)
            y.append(dots_y)
            of.append(np.full(len(dots_x), at))
    nothing = [np.zeros(0, np.int64)]
    return Plan(tuple(places), *(np.concatenate(nothing + part) for part in (x, y, of)))


SIGHT = np.linspace(0.0, 1.0, 64)
"""Points of a line to a word that are looked at, as shares of the way."""


def _first_in_sight(words: Flags, name: Label, places: list[tuple[int, int]]) -> tuple[int, int] | None:
    """The first of these places whose line from the mark is covered by no word, where `words` are written; or None."""
    if not places:
        return None
    lines, starts = (at[:, None] for at in np.array(places, np.int64).T)
    ends = starts + name.long
    same = lines == name.row
    to = np.clip(name.col, starts - same, ends - 1 + same)
    rows = np.floor(name.row + 0.5 + (lines - name.row) * SIGHT).astype(np.int64)
    cols = np.floor(name.col + 0.5 + (to - name.col) * SIGHT).astype(np.int64)
    own = (rows == lines) & (cols >= starts) & (cols < ends)
    clear = ~(words[rows, np.clip(cols, 0, words.shape[1] - 1)] & ~own).any(axis=1)
    return places[int(clear.argmax())] if clear.any() else None


def _cross(crossed: Flags, across: int, down: int, name: Label, place: tuple[int, int] | None) -> None:
    """Set the flags of the cells of the line to a word."""
    if place is not None:
        x, y = _line(across, down, name, place)
        crossed[y // down, x // across] = True


@lru_cache(maxsize=64)
def _nearest(taken: bytes, wide: int, col: int, row: int, long: int, least: int, far: float) -> tuple[int, int] | None:
    """Row and column of the nearest free place for a word of `long` cells, between `least` and `far` columns away.

    It is the same as long as no peer moves, so it is kept. taken: a flag for each cell, `wide` in a row."""
    cells = np.frombuffer(taken, np.bool_).reshape(-1, wide)
    return next(iter(_places(cells, col, row, long, least, far, 1)), None)


def _places(
    taken: Flags, col: int, row: int, long: int, least: int, far: float, most: int = PLACES_MOST
) -> list[tuple[int, int]]:
    """The nearest free places, at most `most` of them, the nearest first. taken: a flag for each cell, (H, W)."""
    wide = taken.shape[1]
    # A free cell at both ends keeps a word apart from its neighbours; at the edge there is none.
    padded = np.zeros((len(taken), wide + 3), np.int32)
    padded[:, 2:-1] = taken
    sums = np.cumsum(padded, axis=1)
    free = sums[:, long + 2 :] == sums[:, : -long - 2]
    starts = np.arange(free.shape[1])
    aside = np.maximum(np.maximum(starts - col, col - starts - long + 1), 0)
    below = np.abs(np.arange(len(taken)) - row) * 2
    away = (aside * aside)[None, :] + (below * below)[:, None]
    away[~free | (away < least * least)] = NOWHERE
    flat = away.ravel()
    nearest = [int(flat.argmin())] if most == 1 else np.argsort(flat, kind="stable")[:most].tolist()
    limit = min(far * far, NOWHERE - 1)
    return [divmod(at, away.shape[1]) for at in nearest if flat[at] <= limit]
