"""The picture of the swarm: made from a snapshot and what a person selected, drawn on a canvas.

Layers, from below: coast or rings; idle links; the links by which the chosen ask spread; messages under way; peers;
marks around peers; names. The first two change seldom and are kept by the caller (`base`); the rest is drawn anew for
each frame (`paint`). Everything that moves is taken from the snapshot: a message is drawn where it is between its
sending and its arrival, and a link is highlighted once the question has passed it.

The more peers are in view, the fewer details are drawn, so that the picture stays readable: up to `FEW` there are
shapes, all links and names; up to `MANY` shapes and only the selected links; above that dots, or a heat map where
several share a cell (`density.py`).
"""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine import ALIVE, DEAD, Snapshot, Trace, dataclass, sorted_once

from . import density, layout, raster
from .coastline import coast
from .colours import Colouring
from .labels import FAR, FARTHEST, Label, Labels
from .raster import SPACE, Canvas, Floats, dotted, lay, thin_out
from .routes import Bundle, along
from .styles import (
    DYING,
    GLYPHS,
    INK,
    LOOP_DOTS,
    LOUD_DOTS,
    MARKS,
    PART_INK,
    QUIET_DOTS,
    SIDE_BITS,
    SIDES,
    STROKES,
    WAY_DOTS,
    WAY_STROKES,
    Mode,
)
from .tree import repeated_questions

# Fading of dead peers: a peer that dies is bright at first, and is dimmed in steps over two seconds of wall time.
#
# A person who kills a peer, or when churn takes one, should see where that is. A minute later the peers that are up are
# more important. So dead peers stay in the picture, and are drawn dim.

STAGES_S = (0.25, 1.0, 2.0)
"""Wall seconds after a death at which the next ink of DYING is used."""


class Fading:
    """Give it each snapshot with `follow`."""

    def __init__(self) -> None:
        self._dead: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._died_s: NDArray[np.float64] = np.zeros(0)
        self._last_s = -1e9

    def follow(self, snapshot: Snapshot, wall_s: float, *, fresh: bool) -> None:
        """Record which peers died since the last snapshot. fresh: it is another swarm, whose dead peers died long
        ago."""
        dead = snapshot.state == DEAD
        n = len(dead)
        if fresh or n < len(self._dead):
            self._dead, self._died_s, self._last_s = dead, np.full(n, -1e9), -1e9
            return
        if n > len(self._dead):
            more = n - len(self._dead)
            self._dead = np.concatenate((self._dead, np.ones(more, np.bool_)))
            self._died_s = np.concatenate((self._died_s, np.full(more, -1e9)))
        died = dead & ~self._dead
        if died.any():
            self._died_s[died] = wall_s
            self._last_s = wall_s
        self._dead = dead

    def fading(self, wall_s: float) -> bool:
        """Whether a dead peer is not fully dimmed yet."""
        return 0 <= wall_s - self._last_s < STAGES_S[-1]

    def stages(self, wall_s: float) -> NDArray[np.uint8]:
        """An index into DYING for each peer (N,), used for dead peers only."""
        return np.searchsorted(STAGES_S, wall_s - self._died_s, side="right").astype(np.uint8)


# How a partition is shown: each side has a background of its own, and messages between sides are marked as lost.
#
# A message between two sides is dropped when it arrives, so it is drawn on its way like any other; on the last part of
# its way it has the mark of the reason, since it will be dropped.

WALL: dict[Mode, str] = {"braille": "╫", "block": "╫", "ascii": "!"}
"""The mark of a message that will be dropped since it crosses a partition, and of a link that is cut."""
CROSSES_MOST = 60
"""So many links that are cut have a mark in their middle."""
LAST = 0.6
"""The mark is drawn from this share of the way on."""


def sides_of(snapshot: Snapshot) -> NDArray[np.uint8]:
    """The side of each peer, 0 to len(SIDES) - 1 (N,); all 0 without a partition."""
    group = snapshot.group
    if not len(group) or (group == group[0]).all():
        return np.zeros(len(group), np.uint8)
    _, side = np.unique(group, return_inverse=True)
    return np.minimum(side.ravel(), len(SIDES) - 1).astype(np.uint8)


def tint(canvas: Canvas, snapshot: Snapshot) -> None:
    """Draw the background of each side under its peers, and one cell to both sides of them where the canvas is
    empty."""
    side = sides_of(snapshot)
    if not side.any():
        return
    held = (canvas.owner >= 0) & (canvas.glyph != 0)
    of = np.where(held, side[canvas.owner], 0).astype(np.uint8)
    for to, frm in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
        ground = held[:, frm] & ~held[:, to]
        of[:, to] = np.where(ground, np.maximum(of[:, to], side[canvas.owner[:, frm]]), of[:, to])
    # An empty cell has no ink of its own, and would get that of its neighbour.
    empty = (of > 0) & (canvas.glyph == 0) & ~dotted(canvas)
    canvas.glyph[empty] = SPACE
    canvas.ink[empty] = 0
    canvas.ink |= of << SIDE_BITS


def between_sides(snapshot: Snapshot, frm: NDArray[np.int32], to: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which messages cross between sides and will not arrive."""
    lost: NDArray[np.bool_] = snapshot.group[frm] != snapshot.group[to]
    return lost


# The chosen ask on the picture of the swarm: the peers reached last, duplicates, and losses with their places.
#
# All of it is computed from the trace and virtual time only, so it does not move while time is stopped, and a step
# shows what happened in this step.

FRONT_US = 60_000
"""Peers reached less than this ago are highlighted."""
LOSS_US = 900_000
"""A loss is shown for this long, ever fainter."""
WORDS_MOST = 12
"""So many losses at most have a word at a time; others have only a cross."""


def front(canvas: Canvas, x: Floats, y: Floats, trace: Trace, snapshot: Snapshot) -> None:
    """Highlight the peers that have just been reached, in the colour of the question."""
    fresh = np.flatnonzero((trace.hop > 0) & (trace.at_us > snapshot.now_us - FRONT_US))
    if len(fresh):
        fresh = fresh[~np.isin(fresh, trace.holders)]
        col, row = raster.cells(canvas, x[fresh], y[fresh])
        # A cell that another peer has stays its own, and a peer that has died or is censored since is not asked.
        seen = (col >= 0) & (col < canvas.width) & (row >= 0) & (row < canvas.height)
        col, row, fresh = col[seen], row[seen], fresh[seen]
        shown = (canvas.owner[row, col] == fresh) & (snapshot.state[fresh] == ALIVE) & ~snapshot.censored[fresh]
        col, row, fresh = col[shown], row[shown], fresh[shown]
        raster.stamp(canvas, col, row, ord(GLYPHS[canvas.mode].asked), INK["question"], fresh)


def duplicates(canvas: Canvas, scene: Scene, trace: Trace) -> None:
    """Links over which a peer received the question again: dotted, below the tree."""
    asked = trace.questions
    again = repeated_questions(trace)
    # A link over which both ends sent it is drawn once.
    n = len(trace.hop)
    low, high = np.minimum(asked.frm[again], asked.to[again]), np.maximum(asked.frm[again], asked.to[again])
    pair = sorted_once(low.astype(np.int64) * n + high)
    frm, to = (pair // n).astype(np.int32), (pair % n).astype(np.int32)
    _between(canvas, scene, frm, to, np.full(len(frm), INK["duplicate"], np.uint8))
    thin_out(canvas, 2, 4)


def losses(canvas: Canvas, x: Floats, y: Floats, trace: Trace, snapshot: Snapshot, labels: Labels) -> None:
    """The reason in a word where a message was lost, or a cross where there are many; for a short time."""
    lost, now_us = trace.lost, snapshot.now_us
    shown = np.flatnonzero(lost.at_us > now_us - LOSS_US)
    written: set[tuple[int, int]] = set()
    for at in shown[::-1].tolist():
        peer, why = int(lost.to[at]), int(lost.reason[at])
        if (peer, why) in written:
            continue
        written.add((peer, why))
        age = (now_us - int(lost.at_us[at])) / LOSS_US
        ink = INK["lost" if age < 0.6 else "dim"]
        cols, rows = raster.cells(canvas, x[peer], y[peer])
        word = GLYPHS[canvas.mode].dead if len(written) > WORDS_MOST else lost.reasons[why]
        labels.near(int(cols), int(rows), word, ink, peer)


def ringed(canvas: Canvas, x: Floats, y: Floats, peers: tuple[int, ...]) -> None:
    """A ring around each peer of a minimum cut."""
    for peer in peers:
        cols, rows = raster.cells(canvas, x[peer], y[peer])
        middle = (float(cols) + 0.5) * canvas.across - 0.5, (float(rows) + 0.5) * canvas.down - 0.5
        for wide in (2.2, 3.4):
            raster.ring(canvas, *middle, wide * canvas.across, wide / 2 * canvas.down, INK["censored"], gap=1.0)


Flags: TypeAlias = NDArray[np.bool_]

FEW = 150
MANY = 1_500
FRESH_US = 250_000
"""In a large swarm a link of the ask stays highlighted for this long after the question passed it."""
LIT = 80
"""So many links at most stay highlighted there, the latest: more of them would fill the area."""
WAYS = 200
"""With more visible messages than this, those of the chosen ask do not have a line to their sender."""
CENSORED_FIRST, DEAD_FIRST, SELECTED_FIRST = 256, 257, 258
"""Precedence above all looks, which are numbered by a byte."""
NAME_MOST = 16
"""Longest name on the picture, in cells."""
FIRST_MOST = 48
"""So many peers at most are named before all others in a picture for an audience."""
TAIL = 0.12
"""Length of a message's tail, as a share of its way."""
UPKEEP = 3
ECHOES = 6
"""An action on more peers than this is shown by a fixed ring around each: growing rings would hide the picture."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All values that one picture is made from.

    x, y: where peers are, in dots (N,), also outside of the canvas; colours: the look of each; coast_view: where the
    unit square is, to put the coast behind, or None; rings: middle and radii (horizontal and vertical, in dots) of
    the rings of hops; echoes: (peer, age 0..1) of what a person did just now, drawn as rings; refusals: (from, to,
    progress 0..1); dying: the ink of dead peers, an index into DYING (N,); empty if all are fully dimmed.
    """

    snapshot: Snapshot
    x: Floats
    y: Floats
    colours: Colouring
    trace: Trace | None = None
    selected: int | None = None
    hover: int | None = None
    marked: tuple[int, ...] = ()
    upkeep: bool = False
    names: bool = True
    all_names: bool = False
    """With `names`: as many peers as possible are named, the important ones first, with lines where there is no room
    beside them."""
    coast_view: tuple[layout.View, layout.Box] | None = None
    rings: tuple[float, float, Floats, Floats] | None = None
    echoes: tuple[tuple[int, float], ...] = ()
    refusals: tuple[tuple[int, int, float], ...] = ()
    dying: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    ringed: tuple[int, ...] = ()
    """The peers of a minimum cut."""
    bundle: Bundle | None = None
    """How lines between peers are bundled; None: they are straight."""
    key_at: tuple[float, float] | None = None
    """Where the key of the chosen ask is on the circle of identifiers, in dots."""
    head: int = 0
    foot: int = 0
    """Rows at the top and at the bottom in which no name is written: those of the sentence, and of the legend."""
    covered: tuple[int, int, int, int] | None = None
    """Cells that a panel covers: the first column and row, and those after the last."""

    @property
    def looks(self) -> NDArray[np.uint8]:
        """The look of each peer: an index into `colours.looks` (N,)."""
        return self.colours.of

    @property
    def precedence(self) -> NDArray[np.int64]:
        """Of the peers that share a cell the one with the greatest is drawn (N,): the selected one, then the dead, then
        the censored, then the others by their look."""
        rank = self.looks.astype(np.int64)
        rank[self.snapshot.censored] = CENSORED_FIRST
        rank[self.snapshot.state == DEAD] = DEAD_FIRST
        if self.selected is not None:
            rank[self.selected] = SELECTED_FIRST
        return rank


def in_sight(canvas: Canvas, x: Floats, y: Floats) -> Flags:
    """Which points are inside the canvas (N,)."""
    inside: Flags = (x >= 0) & (x < canvas.dots_w) & (y >= 0) & (y < canvas.dots_h)
    return inside


def base(canvas: Canvas, scene: Scene) -> None:
    """Coast or rings, and idle links: all of them when peers are few, else those of the selected peer."""
    draw_background(canvas, scene)
    _idle_links(canvas, scene)


def draw_background(canvas: Canvas, scene: Scene) -> None:
    """Draw what is below all links: a coast, or rings of hops."""
    if scene.coast_view is not None:
        view, box = scene.coast_view
        (x0, y0), (x1, y1) = (view.to_dots(layout.project(end[:, 0], end[:, 1]), box) for end in coast())
        raster.lines(canvas, x0, y0, x1, y1, INK["coast"])
    if scene.rings is not None:
        cx, cy, across, down = scene.rings
        for radius_x, radius_y in zip(across.tolist(), down.tolist(), strict=True):
            raster.ring(canvas, cx, cy, radius_x, radius_y, INK["ring"], gap=4.0)


def link_words(snapshot: Snapshot) -> NDArray[np.uint8]:
    """What the ends of each link say of it, as an index into `marks.words` (L,): the greater one if both ends say a
    word, 0 if none does."""
    marks = snapshot.marks
    return np.maximum(marks.a, marks.b) if len(marks.a) == len(snapshot.links.a) else np.zeros(0, np.uint8)


def mark_ink(code: int) -> int:
    """The ink of a link by the number of its word, from 1."""
    return MARKS[min(code, len(MARKS)) - 1]


def mark_stroke(code: int, mode: Mode) -> str:
    """Its line in the legend."""
    return STROKES[mode][min(code, len(MARKS)) - 1]


def way_number(code: int) -> int:
    """The line of a way by the number of its word; 0 is a way without a word, and the first word looks the same."""
    return min(max(code - 1, 0), len(WAY_DOTS) - 1)


def way_shape(code: int, mode: Mode) -> str:
    """The line of a way in the legend."""
    return WAY_STROKES[mode][way_number(code)]


CONTACTS_MOST = 5
"""Contacts a peer, each counted once for both, up to which all are drawn."""


def dense(snapshot: Snapshot) -> bool:
    """Whether the peers have so many contacts that lines to all of them would hide the picture: then only those of the
    selected peer are drawn."""
    return snapshot.links.contacts and len(snapshot.links.a) > CONTACTS_MOST * len(snapshot.state)


def _idle_links(canvas: Canvas, scene: Scene) -> None:
    snapshot = scene.snapshot
    a, b = snapshot.links.a, snapshot.links.b
    chosen = scene.selected if scene.selected is not None else -1
    mine = (a == chosen) | (b == chosen)
    few = int(in_sight(canvas, scene.x, scene.y).sum()) <= FEW
    kept = np.ones(len(a), np.bool_) if few and not dense(snapshot) else mine
    a, b, mine = a[kept], b[kept], mine[kept]
    cut = snapshot.group[a] != snapshot.group[b]
    severed = snapshot.cut_links
    if len(severed.whole):
        cut = cut | severed.whole[a] | severed.whole[b]
    inks = np.where(mine, INK["link-selected"], INK["contact" if snapshot.links.contacts else "link"])
    words = link_words(snapshot)
    if words.any():
        said = words[kept]
        of_word = np.array((0, *MARKS))[np.minimum(said, len(MARKS))]
        inks = np.where(said > 0, of_word, inks)
    inks = np.where(cut, INK["cut"], inks).astype(np.uint8)
    strokes = np.zeros(len(a), np.int64)
    if words.any():
        strokes = np.where(cut, 0, np.maximum(np.minimum(words[kept], len(MARKS)).astype(np.int64) - 1, 0))
    order = np.argsort(inks, kind="stable")
    a, b, inks, strokes = a[order], b[order], inks[order], strokes[order]
    loud = mine[order]
    layer = raster.Canvas(canvas.width, canvas.height, canvas.mode)
    for which, dots in ((~loud, QUIET_DOTS), (loud, LOUD_DOTS)):
        for stroke in sorted_once(strokes[which]).tolist():
            some = which & (strokes == stroke)
            lines = raster.Canvas(canvas.width, canvas.height, canvas.mode)
            _between(lines, scene, a[some], b[some], inks[some])
            thin_out(lines, 2, *dots[stroke])
            raster.join(layer, lines)
    if len(severed.a):
        _cut_links(layer, scene, few)
    lay(canvas, layer)
    apart = np.flatnonzero(severed.whole)[:CROSSES_MOST]
    if len(apart):
        # At the left of the peer, as its name is at the right.
        col, row = raster.cells(canvas, scene.x[apart], scene.y[apart])
        raster.stamp(canvas, col - 1, row, ord(WALL[canvas.mode]), INK["cut"])


def _cut_links(canvas: Canvas, scene: Scene, few: bool) -> None:
    """Links that are cut: no stream is open on them, so they are none of the links of the snapshot. With many peers in
    view, those of the selected one."""
    a, b = scene.snapshot.cut_links.a, scene.snapshot.cut_links.b
    if not few:
        mine = (a == scene.selected) | (b == scene.selected)
        a, b = a[mine], b[mine]
    layer = raster.Canvas(canvas.width, canvas.height, canvas.mode)
    raster.lines(layer, scene.x[a], scene.y[a], scene.x[b], scene.y[b], INK["cut"])
    thin_out(layer, 2, 4)
    lay(canvas, layer)
    if len(a) <= CROSSES_MOST:
        col, row = raster.cells(canvas, (scene.x[a] + scene.x[b]) / 2, (scene.y[a] + scene.y[b]) / 2)
        raster.stamp(canvas, col, row, ord(WALL[canvas.mode]), INK["cut"])


def _between(canvas: Canvas, scene: Scene, a: NDArray[np.int32], b: NDArray[np.int32], inks: NDArray[np.uint8]) -> None:
    """Lines between peers, on their ways where lines are bundled."""
    if scene.bundle is None or not len(a):
        raster.lines(canvas, scene.x[a], scene.y[a], scene.x[b], scene.y[b], inks)
    else:
        scene.bundle.draw(canvas, a, b, inks)


PATHS_MOST = 24
"""Up to so many ways over several peers are all drawn where no peer is selected."""


def paths_shown(scene: Scene) -> NDArray[np.int32]:
    """The rows of `Snapshot.paths` that are drawn: those that begin at the selected peer, or lead over it; without one,
    those of the peer that issued the chosen ask, or all if they are few. A way that goes on is drawn to its end;
    without a peer all of these are, since together they are a forest. Loops are always drawn."""
    paths = scene.snapshot.paths
    onward = paths.following > -2
    if scene.selected is not None:
        shown = (paths.hops == scene.selected).any(axis=1) & ~(onward & (paths.hops[:, 0] != scene.selected))
    elif scene.trace is not None and (paths.hops[:, 0] == scene.trace.origin).any():
        shown = paths.hops[:, 0] == scene.trace.origin
    else:
        shown = onward | (np.count_nonzero(~onward) <= PATHS_MOST)
    if onward.any():
        for row in np.flatnonzero(shown & onward).tolist():
            while (row := int(paths.following[row])) >= 0 and not shown[row]:
                shown[row] = True
        shown |= paths.loops
    return np.flatnonzero(shown).astype(np.int32)


def _paths(canvas: Canvas, scene: Scene) -> None:
    """Each way as a line from peer to peer."""
    rows = paths_shown(scene)
    paths = scene.snapshot.paths
    looped = paths.loops[rows]
    kinds = np.array([way_number(code) for code in paths.word[rows].tolist()], np.int64)
    drawn = [(rows[~looped & (kinds == kind)], "path", WAY_DOTS[kind]) for kind in sorted_once(kinds[~looped]).tolist()]
    for some, ink, dots in (*drawn, (rows[looped], "loop", LOOP_DOTS)):
        if not len(some):
            continue
        hops = paths.hops[some]
        a, b = hops[:, :-1].ravel(), hops[:, 1:].ravel()
        real = b >= 0
        # Once each, in one direction: so a link that several ways share is one line.
        n = len(scene.x)
        pair = sorted_once(np.minimum(a, b)[real].astype(np.int64) * n + np.maximum(a, b)[real])
        a, b = (pair // n).astype(np.int32), (pair % n).astype(np.int32)
        layer = Canvas(canvas.width, canvas.height, canvas.mode)
        _between(layer, scene, a, b, np.full(len(a), INK[ink], np.uint8))
        thin_out(layer, 2, *dots)
        lay(canvas, layer)


class SpreadLayer:
    """The layer of the chosen ask of the last picture; drawn again only when it would look different."""

    def __init__(self) -> None:
        self._trace: Trace | None = None
        self._bundle: Bundle | None = None
        self._x: Floats = np.zeros(0)
        self._y: Floats = np.zeros(0)
        self._layer = Canvas(0, 0)

    def of(self, canvas: Canvas, scene: Scene, trace: Trace, few: bool, crowded: bool) -> Canvas:
        """The layer to put on `canvas`. With many peers in view it changes with time, so it is kept only for few."""
        last = self._layer
        same = (canvas.width, canvas.height, canvas.mode) == (last.width, last.height, last.mode)
        if same and few and trace is self._trace and self._is_where(scene) and self._bundle is scene.bundle:
            return last
        layer = Canvas(canvas.width, canvas.height, canvas.mode)
        if few:
            duplicates(layer, scene, trace)
        _spread(layer, scene, trace, few, crowded)
        self._layer, self._trace, self._x, self._y = layer, trace if few else None, scene.x, scene.y
        self._bundle = scene.bundle
        return layer

    def _is_where(self, scene: Scene) -> bool:
        return np.array_equal(scene.x, self._x) and np.array_equal(scene.y, self._y)


def paint(under: Canvas, scene: Scene, spread: SpreadLayer | None = None) -> Canvas:
    """The whole picture, on a copy of what `base` drew. spread: that of the last picture, to draw fewer lines."""
    canvas = under.copy()
    seen = in_sight(canvas, scene.x, scene.y)
    ids = np.flatnonzero(seen)
    crowded = len(ids) > MANY
    canvas.fullest = density.draw(canvas, scene.x, scene.y, ids, scene.colours) if crowded else 0
    if scene.trace is not None:
        lay(canvas, (spread or SpreadLayer()).of(canvas, scene, scene.trace, len(ids) <= FEW, crowded))
    _paths(canvas, scene)
    if len(scene.snapshot.flight.frm) or scene.refusals:
        layer = Canvas(canvas.width, canvas.height, canvas.mode)
        _flight(layer, scene)
        _refusals(layer, scene)
        lay(canvas, layer)
    if scene.echoes or scene.ringed or scene.hover is not None or scene.selected is not None:
        layer = Canvas(canvas.width, canvas.height, canvas.mode)
        _rings(layer, scene)
        lay(canvas, layer)
    _peers(canvas, scene, _rare(scene, ids) if crowded else ids)
    if scene.trace is not None and not crowded:
        front(canvas, scene.x, scene.y, scene.trace, scene.snapshot)
    _marked(canvas, scene)
    if scene.key_at is not None:
        col, row = raster.cells(canvas, *scene.key_at)
        raster.text(canvas, int(col), int(row), GLYPHS[canvas.mode].key, INK["key"])
    if scene.trace is not None or scene.names:
        _words(canvas, scene, seen)
    tint(canvas, scene.snapshot)
    return canvas


def _spread(canvas: Canvas, scene: Scene, trace: Trace, few: bool, crowded: bool) -> None:
    """The tree of the chosen ask up to now, and on top of it the path of its answers."""
    reached = np.flatnonzero(trace.frm >= 0)
    if not few:
        reached = reached[trace.at_us[reached] > scene.snapshot.now_us - FRESH_US]
        reached = np.sort(reached[np.argsort(trace.at_us[reached], kind="stable")[-LIT:]])
    inks = np.full(len(reached), INK["tree"], np.uint8)
    _between(canvas, scene, trace.frm[reached], reached.astype(np.int32), inks)
    if crowded:
        thin_out(canvas, 2, 3)
    if len(trace.answers_frm):
        low = np.minimum(trace.answers_frm, trace.answers_to).astype(np.int64)
        pairs = sorted_once((low << 32) | np.maximum(trace.answers_frm, trace.answers_to))
        a, b = (pairs >> 32).astype(np.int32), (pairs & 0xFFFFFFFF).astype(np.int32)
        _between(canvas, scene, a, b, np.full(len(a), INK["way"], np.uint8))


def _flight(canvas: Canvas, scene: Scene) -> None:
    """Messages where they are now. Those of the chosen ask have a line to their sender, others a short tail."""
    flight, now_us = scene.snapshot.flight, scene.snapshot.now_us
    shown = np.ones(len(flight.frm), np.bool_) if scene.upkeep else flight.part != UPKEEP
    shown &= flight.sent_us <= now_us
    frm, to, part = flight.frm[shown], flight.to[shown], flight.part[shown]
    if not len(frm):
        return
    took = np.maximum(flight.arrives_us[shown] - flight.sent_us[shown], 1)
    head = np.clip((now_us - flight.sent_us[shown]) / took, 0.0, 1.0)
    chosen = np.zeros(len(frm), np.bool_) if scene.trace is None else flight.ask[shown] == scene.trace.ask
    tail = np.where(chosen & (len(frm) <= WAYS), 0.0, np.maximum(head - min(TAIL, TAIL * WAYS / len(frm)), 0.0))
    dx, dy = scene.x[to] - scene.x[frm], scene.y[to] - scene.y[frm]
    x, y = scene.x[frm] + dx * head, scene.y[frm] + dy * head
    if scene.bundle is not None:
        x, y = along(scene.bundle.paths(frm, to), head[:, None])[:, 0].T
    inks = np.asarray(PART_INK, np.uint8)[part]
    if scene.trace is not None:
        # A message on the way to a peer that was asked already is a duplicate.
        inks[chosen & (part == 0) & (scene.trace.hop[to] >= 0)] = INK["duplicate"]
    lost = between_sides(scene.snapshot, frm, to)
    inks[lost & (head > LAST)] = INK["cut"]
    order = np.lexsort((part, chosen))
    if scene.bundle is not None:
        scene.bundle.draw(canvas, frm[order], to[order], inks[order], (tail[order], head[order]))
    else:
        raster.lines(
            canvas,
            (scene.x[frm] + dx * tail)[order],
            (scene.y[frm] + dy * tail)[order],
            x[order],
            y[order],
            inks[order],
        )
    if len(frm) <= MANY:
        _heads(canvas, x, y, part, chosen | (len(frm) <= FEW))
        dead = lost & (head > LAST)
        if dead.any():
            col, row = raster.cells(canvas, x[dead], y[dead])
            raster.stamp(canvas, col, row, ord(WALL[canvas.mode]), INK["echo"])


def _heads(canvas: Canvas, x: Floats, y: Floats, part: NDArray[np.uint8], big: Flags) -> None:
    """The shape of a message where it is, so that its part can be seen without colours."""
    shapes = GLYPHS[canvas.mode]
    drawn = (shapes.question, shapes.answer, shapes.transfer, shapes.upkeep, shapes.notice)
    codes = np.array([ord(s) for s in drawn], np.uint32)
    col, row = raster.cells(canvas, x[big], y[big])
    raster.stamp(canvas, col, row, codes[part[big]], np.asarray(PART_INK, np.uint8)[part[big]])


def _refusals(canvas: Canvas, scene: Scene) -> None:
    """A refusal on its way back: from the dead peer to the sender of the refused message."""
    for frm, to, progress in scene.refusals:
        if scene.bundle is not None:
            part = np.zeros(1), np.array([progress])
            scene.bundle.draw(canvas, np.array([frm]), np.array([to]), np.array([INK["echo"]], np.uint8), part)
            continue
        x = scene.x[frm] + (scene.x[to] - scene.x[frm]) * progress
        y = scene.y[frm] + (scene.y[to] - scene.y[frm]) * progress
        raster.lines(canvas, [scene.x[frm]], [scene.y[frm]], [x], [y], INK["echo"])


def _rare(scene: Scene, ids: NDArray[np.intp]) -> NDArray[np.intp]:
    """The peers of a crowd that are drawn with their own shapes: few and important ones, the selected one, and those
    that have just died."""
    chosen = np.zeros(len(scene.x), np.bool_)
    chosen[density.kept(ids, scene.colours)] = True
    if scene.dying.size:
        chosen |= (scene.snapshot.state == DEAD) & (scene.dying < len(DYING) - 1)
    if scene.selected is not None:
        chosen[scene.selected] = True
    return ids[chosen[ids]]


def _peers(canvas: Canvas, scene: Scene, ids: NDArray[np.intp]) -> None:
    # The more important a peer is, the later it is drawn: in a shared cell it is the visible one.
    looks = scene.looks
    ids = ids[np.argsort(scene.precedence[ids], kind="stable")]
    col, row = raster.cells(canvas, scene.x[ids], scene.y[ids])
    inks = scene.colours.inks[looks[ids]]
    if scene.dying.size:
        inks = np.where(scene.snapshot.state[ids] == DEAD, np.asarray(DYING, np.uint8)[scene.dying[ids]], inks)
    raster.stamp(canvas, col, row, scene.colours.codes(canvas.mode)[looks[ids]], inks, ids)


def _marked(canvas: Canvas, scene: Scene) -> None:
    """A background under the peers that a selector named, and the shape of the peer that has the cell."""
    if scene.marked:
        ids = np.asarray(scene.marked, np.int64)
        col, row = raster.cells(canvas, scene.x[ids], scene.y[ids])
        inside = (col >= 0) & (col < canvas.width) & (row >= 0) & (row < canvas.height)
        ids, col, row = ids[inside], col[inside], row[inside]
        owner = canvas.owner[row, col]
        shown = np.where(owner >= 0, np.where(scene.precedence[owner] > scene.precedence[ids], owner, ids), ids)
        codes = scene.colours.codes(canvas.mode)[scene.looks[shown]]
        raster.stamp(canvas, col, row, codes, INK["marked"], shown)


def _rings(canvas: Canvas, scene: Scene) -> None:
    """A ring around the selected peer, one around the peer under the pointer, and growing rings where an action was
    done."""
    for peer, age in scene.echoes:
        if len(scene.echoes) > ECHOES:
            _halo(canvas, scene.x[peer], scene.y[peer], INK["echo"])
            continue
        radius = 4.0 + 10.0 * age
        raster.ring(canvas, scene.x[peer], scene.y[peer], radius, radius / canvas.dot_aspect, INK["echo"], gap=3.0)
    if scene.hover is not None and scene.hover != scene.selected:
        _halo(canvas, scene.x[scene.hover], scene.y[scene.hover], INK["hover"])
    if scene.selected is not None:
        _halo(canvas, scene.x[scene.selected], scene.y[scene.selected], INK["selected"])
    ringed(canvas, scene.x, scene.y, scene.ringed)


def _halo(canvas: Canvas, x: float, y: float, ink: int) -> None:
    """A ring around the middle of the cell that a peer is in, so that the glyph is in its centre."""
    col, row = raster.cells(canvas, x, y)
    middle = (float(col) + 0.5) * canvas.across - 0.5, (float(row) + 0.5) * canvas.down - 0.5
    raster.ring(canvas, *middle, 2.2 * canvas.across, 1.1 * canvas.down, ink, gap=1.0)


def _words(canvas: Canvas, scene: Scene, seen: Flags) -> None:
    """Names of the important peers, reasons of losses, and names of all peers where there is room."""
    labels = Labels(canvas, scene.head, scene.foot, scene.covered)
    if scene.covered is not None:
        left, top, right, bottom = scene.covered
        col, row = raster.cells(canvas, scene.x, scene.y)
        seen = seen & ~((col >= left) & (col < right) & (row >= top) & (row < bottom))
    if scene.names and scene.all_names:
        canvas.named = _all_names(canvas, scene, seen, labels)
        return
    chosen = [p for p in (scene.selected, scene.hover) if p is not None]
    if scene.names:
        _names(canvas, scene, seen, labels, chosen)
    if scene.trace is not None:
        losses(canvas, scene.x, scene.y, scene.trace, scene.snapshot, labels)
    if not scene.names:
        return
    others = [] if scene.trace is None else [scene.trace.origin]
    others += np.flatnonzero(scene.snapshot.fixed.infrastructure)[:24].tolist()
    _names(canvas, scene, seen, labels, [p for p in others if p not in chosen])
    if int(seen.sum()) <= canvas.width * canvas.height // 60:
        named = {*chosen, *others}
        rest = [p for p in np.flatnonzero(seen).tolist() if p not in named]
        _names(canvas, scene, seen, labels, rest, late=len(named))


def _names(
    canvas: Canvas, scene: Scene, seen: Flags, labels: Labels, peers: list[int], late: int | None = None
) -> None:
    """Write names: of important peers also at some distance, with a line; of others (`late`: how many names there are
    already) only beside them."""
    names = scene.snapshot.fixed.labels
    for number, peer in enumerate(dict.fromkeys(peers)):
        if not seen[peer]:
            continue
        ringed = peer in (scene.selected, scene.hover)
        faint = late is not None and late + number >= 30
        ink = INK["selected"] if peer == scene.selected else INK["dim"] if faint else INK["label"]
        cols, rows = raster.cells(canvas, scene.x[peer], scene.y[peer])
        col, row, name = int(cols), int(rows), names[peer][:NAME_MOST]
        if not (0 <= col < canvas.width and 0 <= row < canvas.height):
            continue
        if late is not None and int(canvas.owner[row, col]) != peer:
            continue
        if labels.beside(col, row, name, ink, peer, ringed=ringed) or late is not None:
            continue
        labels.led(col, row, name, ink, peer, ringed=ringed, far=FARTHEST if ringed else FAR)


def important(scene: Scene) -> list[int]:
    """The peers that a picture for an audience names first: the selected one, the one under the pointer, the asker,
    those that answered or have the thing, those of a minimum cut, infrastructure, the dead, the censored, the
    marked."""
    snapshot, trace = scene.snapshot, scene.trace
    first: list[int | None] = [scene.selected, scene.hover]
    if trace is not None:
        first += [trace.origin, *trace.answerers, *trace.holders]
    first += scene.ringed
    first += np.flatnonzero(snapshot.fixed.infrastructure).tolist()
    first += np.flatnonzero(snapshot.state == DEAD).tolist()
    first += np.flatnonzero(snapshot.censored).tolist()
    first += scene.marked
    return [peer for peer in dict.fromkeys(first) if peer is not None][:FIRST_MOST]


def _all_names(canvas: Canvas, scene: Scene, seen: Flags, labels: Labels) -> int:
    """Names of as many peers as there is room for, and the reasons of losses. Returns how many are named.

    The places of names depend on the places of peers. An ask changes them only if an important peer would have no
    name."""
    stations = [peer for peer in np.flatnonzero(scene.snapshot.fixed.infrastructure).tolist() if seen[peer]]
    above = set(stations)
    others = [peer for peer in np.flatnonzero(seen).tolist() if peer not in above]
    peers = stations + (others if int(seen.sum()) <= FEW else [])
    plan = labels.plan(_to_name(canvas, scene, peers, len(stations)))
    placed = {peer for peer, place in zip(peers, plan.places, strict=True) if place is not None}
    first = [peer for peer in important(scene) if seen[peer]]
    lacking = [peer for peer in first if peer not in placed]
    if lacking:
        peers = list(dict.fromkeys([*lacking, *peers]))
        plan = labels.plan(_to_name(canvas, scene, peers, len(lacking)))
    names, above = scene.snapshot.fixed.labels, set(first)
    texts = [names[peer][:NAME_MOST] for peer in peers]
    inks = [INK["selected" if peer == scene.selected else "label" if peer in above else "dim"] for peer in peers]
    numbers = range(len(peers))
    named = labels.write(plan, [at for at in numbers if peers[at] in above], texts, inks, peers)
    if scene.trace is not None:
        losses(canvas, scene.x, scene.y, scene.trace, scene.snapshot, labels)
    return named + labels.write(plan, [at for at in numbers if peers[at] not in above], texts, inks, peers)


def _to_name(canvas: Canvas, scene: Scene, peers: list[int], first: int) -> list[Label]:
    """Labels for peers that should be named, the first of them wherever there is room."""
    names = scene.snapshot.fixed.labels
    cols, rows = raster.cells(canvas, scene.x[peers], scene.y[peers])
    hidden = canvas.owner[np.clip(rows, 0, canvas.height - 1), np.clip(cols, 0, canvas.width - 1)] != peers
    return [
        Label(
            col,
            row,
            min(len(names[peer]), NAME_MOST),
            ringed=number < first and peer in (scene.selected, scene.hover),
            first=number < first,
            hidden=covered,
        )
        for number, (peer, col, row, covered) in enumerate(
            zip(peers, cols.tolist(), rows.tolist(), hidden.tolist(), strict=True)
        )
    ]


def alive_count(snapshot: Snapshot) -> int:
    """Peers that are up, infrastructure included."""
    return int((snapshot.state == ALIVE).sum())
