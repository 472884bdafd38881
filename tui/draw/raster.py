"""A canvas of cells made of dots: it takes lines, glyphs and text, and returns rows of (text, ink) runs.

Why not a canvas library: a Python loop over lines takes 50 times as long as one NumPy pass over all of them, and
a library that overwrites a shared cell loses the dots of the line below. Here all lines of a call are drawn at once:

- Each line takes ceil(max(|dx|, |dy|)) steps. Position is 16.16 fixed point, y in the upper and x in the lower half
  of one int64, so one running sum over all steps of all lines gives both. At a line's first step the sum jumps
  from the end of the line before. Steps are cut towards zero, so a line never goes beyond its clipped end.
- Each dot is written once, with the *rank* of its line. As ranks rise in the order of drawing, the greatest rank among
  the dots of a cell is that of the line drawn last through it, hence the cell's ink: no second write per dot is needed.
- Dots are made in chunks of 96 KB, which stay in the processor's cache and below the size at which the allocator asks
  the system for fresh pages: twice as fast as chunks of 512 KB. 40,000 lines at once would be 37 MB a pass.

Coordinates are in dots, floats, with a dot's centre on whole numbers: x from 0 to dots_w - 1, y downwards.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .rounding import cos, sin
from .styles import Mode

# Layers of a picture: the cells that a layer draws in, a layer put on top of another, and dots left out.
#
# A cell is two dots wide in every mode, so two dots side by side are read and moved as one number of two bytes, and all
# rows of dots of a cell are combined by one operation along whole rows. This takes a twentieth of the time of reading
# each dot of each cell; a picture has three layers.

Flags: TypeAlias = NDArray[np.bool_]


def pairs(canvas: Canvas) -> NDArray[np.uint16]:
    """The dots by cell, (H, rows of dots in a cell, W): 0 where neither of two is set. A view: writing to it draws."""
    return canvas.dots.view(np.uint16).reshape(canvas.height, canvas.down, canvas.width)


def dotted(canvas: Canvas) -> Flags:
    """Which cells have a dot (H, W)."""
    found: Flags = np.bitwise_or.reduce(pairs(canvas), axis=1) != 0
    return found


def lay(canvas: Canvas, layer: Canvas) -> None:
    """Put a layer on top: in each cell that it draws in, its dots replace those below.

    A cell has one ink. If dots were combined, a bright line over a dozen faint ones would make the dots of all of them
    bright.
    """
    drawn = dotted(layer)
    if drawn.any():
        np.copyto(pairs(canvas), pairs(layer), where=drawn[:, None, :])
        np.copyto(canvas.ink, layer.ink, where=drawn)
        # A glyph hides dots, so glyphs below are removed.
        canvas.glyph[drawn] = 0
    stamped = layer.glyph != 0
    if stamped.any():
        np.copyto(canvas.glyph, layer.glyph, where=stamped)
        np.copyto(canvas.ink, layer.ink, where=stamped)


def join(canvas: Canvas, layer: Canvas) -> None:
    """Add the dots of a layer; where both have some in a cell they are joined, and the layer gives the ink."""
    canvas.dots |= layer.dots
    np.copyto(canvas.ink, layer.ink, where=dotted(layer))


def thin_out(canvas: Canvas, slope: int, every: int, kept: int = 1) -> None:
    """Keep `kept` dots in `every` of a line, on diagonals of that slope: a hundred complete lines would fill the whole
    area."""
    canvas.dots &= _thinning(canvas.dots_w, canvas.dots_h, slope, every, kept)


@lru_cache(maxsize=16)
def _thinning(wide: int, high: int, slope: int, every: int, kept: int) -> Flags:
    found: Flags = (np.arange(wide)[None, :] + slope * np.arange(high)[:, None]) % every < kept
    return found


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.uint32]
Runs = list[list[tuple[str, int]]]

DOTS: dict[Mode, tuple[int, int]] = {"braille": (2, 4), "block": (2, 2), "ascii": (2, 2)}
"""Dots a cell, across and down. ASCII has 2x2 as well: characters show approximately which of the four are set."""

BRAILLE = (0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80)
# Upper left 1, upper right 2, lower left 4, lower right 8.
QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
STROKES = " `'-.|/+.\\|+_++#"

SPACE = 32
CHUNK = 12_000
EDGE = 1e-3


class Canvas:
    """W x H cells. Write with the functions of this module; read with `pack` and `runs`.

    dots: bool (H * dots down, W * dots across); ink: uint8 (H, W), the colour class of a cell; glyph: uint32 (H, W),
    a code point in place of the dots, 0 for none; owner: int32 (H, W), the peer a cell belongs to, -1 for none.
    """

    __slots__ = ("across", "dots", "down", "fullest", "glyph", "height", "ink", "mode", "named", "owner", "width")

    def __init__(self, width: int, height: int, mode: Mode = "braille") -> None:
        self.width, self.height, self.mode = max(0, width), max(0, height), mode
        self.across, self.down = DOTS[mode]
        self.fullest = 0
        """Number of peers in the fullest cell of a heat map, 0 in any other picture."""
        self.named = 0
        """Number of peers whose names are written, where as many as possible should be (`scene.Scene.all_names`)."""
        self.dots: NDArray[np.bool_] = np.zeros((self.dots_h, self.dots_w), np.bool_)
        self.ink: NDArray[np.uint8] = np.zeros((self.height, self.width), np.uint8)
        self.glyph: Codes = np.zeros((self.height, self.width), np.uint32)
        self.owner: NDArray[np.int32] = np.full((self.height, self.width), -1, np.int32)

    @property
    def dots_w(self) -> int:
        """Dots across."""
        return self.width * self.across

    @property
    def dots_h(self) -> int:
        """Dots down."""
        return self.height * self.down

    @property
    def dot_aspect(self) -> float:
        """Height of a dot over its width, for cells twice as tall as wide: 1 in braille, 2 otherwise."""
        return 2.0 * self.across / self.down

    def copy(self) -> Canvas:
        """A canvas to draw an overlay on, while this one is kept as the base of the next frame."""
        other = object.__new__(Canvas)
        other.width, other.height, other.mode = self.width, self.height, self.mode
        other.across, other.down, other.fullest = self.across, self.down, self.fullest
        other.named = self.named
        other.dots, other.ink = self.dots.copy(), self.ink.copy()
        other.glyph, other.owner = self.glyph.copy(), self.owner.copy()
        return other


def lines(
    canvas: Canvas,
    x0: ArrayLike,
    y0: ArrayLike,
    x1: ArrayLike,
    y1: ArrayLike,
    ink: ArrayLike,
    priority: ArrayLike | None = None,
) -> None:
    """Draw m lines between points in dots, clipped; lines with a coordinate that is not finite are left out.

    ink: one class or (m,). Where lines share a cell their dots are joined and the later line gives the ink: later in
    the order given, or by rising `priority` (m,). Few changes of ink in that order are quickest: sort by ink.
    """
    ends = np.empty((4, max(np.size(x0), np.size(y0), np.size(x1), np.size(y1))), np.float64)
    for row, value in enumerate((x0, y0, x1, y1)):
        ends[row] = value
    inks = np.broadcast_to(np.asarray(ink, np.uint8), ends.shape[1:])
    if priority is not None:
        order = np.argsort(np.asarray(priority), kind="stable")
        ends, inks = ends[:, order], inks[order]
    ends, inks = _clipped(ends, inks, canvas.dots_w, canvas.dots_h)
    if not inks.size:
        return
    changes = np.flatnonzero(inks[1:] != inks[:-1]) + 1
    table = np.concatenate((np.zeros(1, np.uint8), inks[:1], inks[changes]))
    rank = np.min_scalar_type(table.size)
    level = np.zeros(canvas.dots.size, rank)
    if changes.size:
        ranks = np.ones(inks.size, rank)
        ranks[changes] = np.arange(2, changes.size + 2)
        # A running maximum fills the gaps and keeps the small type; a running sum would need a larger one.
        np.maximum.accumulate(ranks, out=ranks)
        _walk(level, ends, canvas.dots_w, ranks)
    else:
        _walk(level, ends, canvas.dots_w, None)
    canvas.dots |= level.reshape(canvas.dots.shape) != 0
    _paint(canvas, level, table)


def _walk(
    level: NDArray[np.unsignedinteger], ends: Floats, stride: int, ranks: NDArray[np.unsignedinteger] | None
) -> None:
    """Write each line's rank (1 when None) at each of its dots. ends: float64 (4, m), clipped; level: flat."""
    delta = ends[2:] - ends[:2]
    steps = np.ceil(np.maximum(np.abs(delta[0]), np.abs(delta[1])))
    per_step = (delta * (65536.0 / np.maximum(steps, 1.0))).astype(np.int64)
    first = ((ends[:2] + 0.5) * 65536.0).astype(np.int64)
    step: Ints = (per_step[1] << 32) + per_step[0]
    start: Ints = (first[1] << 32) + first[0]
    moves = steps.astype(np.int64)
    jump = start.copy()
    jump[1:] -= start[:-1] + moves[:-1] * step[:-1]
    counts = moves + 1
    after = np.cumsum(counts)
    total = int(after[-1])
    cuts = [0, *np.searchsorted(after, np.arange(CHUNK, total, CHUNK)).tolist(), counts.size]
    for low, high in pairwise(cuts):
        if low == high:
            continue
        many = counts[low:high]
        sums = np.repeat(step[low:high], many)
        begins = after[low:high] - many - (after[low] - counts[low])
        sums[begins] = jump[low:high]
        sums[0] = start[low]
        np.cumsum(sums, out=sums)
        # A view of the integer parts of x and y saves two shifts and a mask over every dot.
        parts = sums.astype("<i8", copy=False).view("<u2")
        where = parts[3::4].astype(np.intp)
        where *= stride
        where += parts[1::4]
        level[where] = 1 if ranks is None else np.repeat(ranks[low:high], many)


def _paint(canvas: Canvas, level: NDArray[np.unsignedinteger], table: NDArray[np.uint8]) -> None:
    """Ink each cell by the greatest rank among its dots; table[rank] is the ink. level: flat, 0 where not drawn."""
    rows = level.reshape(canvas.height, canvas.down, canvas.dots_w).max(axis=1)
    top = np.maximum(rows[:, 0::2], rows[:, 1::2])
    np.copyto(canvas.ink, table[top], where=top != 0)


def _clipped(ends: Floats, inks: NDArray[np.uint8], width: int, height: int) -> tuple[Floats, NDArray[np.uint8]]:
    """The parts of lines (4, m) inside the picture, after Liang and Barsky (1984), and their inks."""
    if not inks.size or not width or not height:
        return ends[:, :0], inks[:0]
    low = -0.5 + EDGE
    limits = (width - 0.5 - EDGE, height - 0.5 - EDGE)
    with np.errstate(invalid="ignore"):
        inside = (ends >= low) & (ends <= np.array([[limits[0]], [limits[1]]] * 2))
    if inside.all():
        return ends, inks
    finite = np.isfinite(ends).all(axis=0)
    ends, inks = ends[:, finite], inks[finite]
    enter, leave = np.zeros(inks.size), np.ones(inks.size)
    missed = np.zeros(inks.size, np.bool_)
    for axis in (0, 1):
        origin, delta = ends[axis], ends[axis + 2] - ends[axis]
        flat = delta == 0.0
        missed |= flat & ((origin < low) | (origin > limits[axis]))
        safe = np.where(flat, 1.0, delta)
        near, far = (low - origin) / safe, (limits[axis] - origin) / safe
        enter = np.where(flat, enter, np.maximum(enter, np.minimum(near, far)))
        leave = np.where(flat, leave, np.minimum(leave, np.maximum(near, far)))
    kept = ~missed & (enter <= leave)
    ends, enter, leave = ends[:, kept], enter[kept], leave[kept]
    delta = ends[2:] - ends[:2]
    out = np.concatenate((ends[:2] + delta * enter, ends[:2] + delta * leave))
    # Points far outside lose digits when they are clipped; the bounds must hold nevertheless.
    np.clip(out, low, np.array([[limits[0]], [limits[1]]] * 2), out=out)
    return out, inks[kept]


def points(canvas: Canvas, x: ArrayLike, y: ArrayLike, ink: ArrayLike, owner: ArrayLike | None = None) -> None:
    """Set single dots at x, y (m,) in dots; what is outside is left out. owner: peers (m,) that the cells belong to
    from now on."""
    xs, ys = np.atleast_1d(np.asarray(x, np.float64)), np.atleast_1d(np.asarray(y, np.float64))
    with np.errstate(invalid="ignore"):
        kept = (xs >= -0.5) & (xs < canvas.dots_w - 0.5) & (ys >= -0.5) & (ys < canvas.dots_h - 0.5)
    col = np.floor(xs[kept] + 0.5).astype(np.intp)
    row = np.floor(ys[kept] + 0.5).astype(np.intp)
    canvas.dots[row, col] = True
    cell = (row // canvas.down, col // canvas.across)
    canvas.ink[cell] = _of(ink, kept)
    if owner is not None:
        canvas.owner[cell] = _of(owner, kept)


def cells(canvas: Canvas, x: ArrayLike, y: ArrayLike) -> tuple[Ints, Ints]:
    """Columns and rows of the cells that hold points in dots; outside the canvas too. Not finite: -1."""
    found = []
    for value, per_cell in ((x, canvas.across), (y, canvas.down)):
        at = np.floor((np.asarray(value, np.float64) + 0.5) / per_cell)
        found.append(np.where(np.abs(at) < 1e9, at, -1.0).astype(np.int64))
    return found[0], found[1]


def stamp(
    canvas: Canvas, col: ArrayLike, row: ArrayLike, glyph: ArrayLike, ink: ArrayLike, owner: ArrayLike = -1
) -> None:
    """Put glyphs (code points) on cells (m,); later ones win, those outside are left out. owner: peers, -1 for none."""
    cols, rows = np.atleast_1d(np.asarray(col, np.int64)), np.atleast_1d(np.asarray(row, np.int64))
    kept = (cols >= 0) & (cols < canvas.width) & (rows >= 0) & (rows < canvas.height)
    cell = (rows[kept], cols[kept])
    canvas.glyph[cell] = _of(glyph, kept)
    canvas.ink[cell] = _of(ink, kept)
    if np.ndim(owner) or int(np.asarray(owner)) >= 0:
        canvas.owner[cell] = _of(owner, kept)


def _of(value: ArrayLike, kept: NDArray[np.bool_]) -> NDArray[np.generic]:
    array = np.asarray(value)
    return array[kept] if array.ndim else array


def text(canvas: Canvas, col: int, row: int, string: str, ink: int, owner: int = -1) -> int:
    """Write one line of text, cut at the edges; returns the column after it.

    A character that is not exactly one cell wide would move its neighbours: combining marks and control characters
    are dropped, wide ones become a question mark.
    """
    codes = _codes(string)
    if 0 <= row < canvas.height and codes:
        low, high = max(0, col), min(canvas.width, col + len(codes))
        if low < high:
            canvas.glyph[row, low:high] = codes[low - col : high - col]
            canvas.ink[row, low:high] = ink
            if owner >= 0:
                canvas.owner[row, low:high] = owner
    return col + len(codes)


@lru_cache(maxsize=4_096)
def _codes(string: str) -> tuple[int, ...]:
    """Cached, since the same names are drawn in every frame."""
    return tuple(ord(ch if unicodedata.east_asian_width(ch) not in "WF" else "?") for ch in string if _shows(ch))


def _shows(ch: str) -> bool:
    return " " <= ch <= "~" or unicodedata.category(ch)[0] not in "CM"


def ring(canvas: Canvas, x: float, y: float, radius_x: float, radius_y: float, ink: int, gap: float = 3.0) -> None:
    """A dotted ellipse around x, y in dots, one dot every `gap` dots; gap 1 draws a solid line."""
    around = np.pi * (3.0 * (radius_x + radius_y) - np.sqrt((3.0 * radius_x + radius_y) * (radius_x + 3.0 * radius_y)))
    if not np.isfinite(around) or radius_x < 0 or radius_y < 0:
        return
    # An ellipse much larger than the screen is not visible; the bound limits memory when one zooms in.
    many = int(min(max(around / gap, 1.0), 20_000.0))
    turn = np.arange(many) * (2.0 * np.pi / many)
    points(canvas, x + radius_x * cos(turn), y + radius_y * sin(turn), ink)


def density(canvas: Canvas, x: ArrayLike, y: ArrayLike) -> Ints:
    """How many of the points in dots fall in each cell: int64 (H, W). For swarms with too many peers to draw each of
    them."""
    cols, rows = cells(canvas, x, y)
    kept = (cols >= 0) & (cols < canvas.width) & (rows >= 0) & (rows < canvas.height)
    flat = np.bincount(rows[kept] * canvas.width + cols[kept], minlength=canvas.width * canvas.height)
    return flat.reshape(canvas.height, canvas.width).astype(np.int64)


def owner_at(canvas: Canvas, col: int, row: int, reach: int = 1) -> int:
    """The peer at a cell, or the nearest within `reach` columns and rows; -1 for none."""
    best, found = 1 << 30, -1
    for r in range(max(0, row - reach), min(canvas.height, row + reach + 1)):
        for c in range(max(0, col - reach), min(canvas.width, col + reach + 1)):
            far = (c - col) ** 2 + 4 * (r - row) ** 2
            if canvas.owner[r, c] >= 0 and far < best:
                best, found = far, int(canvas.owner[r, c])
    return found


def pack(canvas: Canvas) -> Codes:
    """Code points, uint32 (H, W): the glyph of a cell, else its dots, else a plain space.

    An empty cell is no U+2800, since some fonts draw the eight dots of a blank braille cell as circles.
    """
    grid = canvas.dots.view(np.uint8).reshape(canvas.height, canvas.down, canvas.width, canvas.across)
    bits = np.zeros((canvas.height, canvas.width), np.uint8)
    weights: Sequence[int] = BRAILLE if canvas.mode == "braille" else (1, 2, 4, 8)
    for index, weight in enumerate(weights):
        bits |= grid[:, index // 2, :, index % 2] * np.uint8(weight)
    codes: Codes
    if canvas.mode == "braille":
        codes = bits.astype(np.uint32)
        codes += 0x2800
        codes[bits == 0] = SPACE
    else:
        codes = _table(QUADRANTS if canvas.mode == "block" else STROKES)[bits]
    np.copyto(codes, canvas.glyph, where=canvas.glyph != 0)
    if canvas.mode == "ascii":
        codes[codes > 126] = ord("?")
    return codes


def _table(characters: str) -> Codes:
    return np.array([ord(ch) for ch in characters], np.uint32)


def runs(canvas: Canvas, solid: Iterable[int] = ()) -> Runs:
    """Per row, (text, ink) of neighbouring cells with equal ink; the texts of a row have W characters together.

    An empty cell shows no ink, so it gets the ink of the cell to its left, which halves the number of runs. Inks with a
    background of their own would then extend to the right: name them in `solid`, and empty cells after them get ink 0.
    """
    if not canvas.width or not canvas.height:
        return [[] for _ in range(canvas.height)]
    return cut(pack(canvas), canvas.glyph, canvas.ink, solid)


def cut(codes: Codes, glyph: Codes, ink: NDArray[np.uint8], solid: Iterable[int] = ()) -> Runs:
    """The same for some rows of a canvas, (k, W) each: what `pack` made of them, their glyphs and their inks."""
    drawn = codes != SPACE
    drawn |= glyph != 0
    last = np.where(drawn, np.arange(codes.shape[1]), 0)
    np.maximum.accumulate(last, axis=1, out=last)
    shown = np.where(drawn, ink, 0).astype(np.uint8)
    shown = np.take_along_axis(shown, last, axis=1)
    bleeding = list(solid)
    if bleeding:
        table = np.zeros(256, np.bool_)
        table[bleeding] = True
        shown[table[shown] & ~drawn] = 0
    edge = np.ones(shown.shape, np.bool_)
    np.not_equal(shown[:, 1:], shown[:, :-1], out=edge[:, 1:])
    starts = np.flatnonzero(edge)
    inks = shown.ravel()[starts].tolist()
    begins = starts.tolist()
    letters = codes.astype("<u4", copy=False).tobytes().decode("utf-32-le")
    pieces = [
        (letters[low:high], ink) for low, high, ink in zip(begins, [*begins[1:], len(letters)], inks, strict=True)
    ]
    counts = np.cumsum(np.count_nonzero(edge, axis=1)).tolist()
    return [pieces[low:high] for low, high in pairwise([0, *counts])]


def to_text(canvas: Canvas) -> str:
    """The picture without ink, rows joined by newlines: for tests, and for copying."""
    return "\n".join("".join(map(chr, row)) for row in pack(canvas).tolist())


def selection_box(canvas: Canvas, box: tuple[int, int, int, int], ink: int) -> None:
    """The outline of a box from one cell to another, both included; what is outside the canvas is not drawn."""
    (left, right), (top, bottom) = sorted(box[::2]), sorted(box[1::2])
    x0, x1 = left * canvas.across, (right + 1) * canvas.across - 1
    y0, y1 = top * canvas.down, (bottom + 1) * canvas.down - 1
    lines(canvas, [x0, x0, x0, x1], [y0, y1, y0, y0], [x1, x1, x0, x1], [y0, y1, y1, y1], ink)
