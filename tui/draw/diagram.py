"""The time-space diagram of one ask: peers down, time across, each message a slanted line (Lamport 1978).

It shows what a map cannot: which peer waited for which. Peers are in the order in which the question reached them, so
questions run downwards and answers run upwards. A line that ends at a peer which had been asked before is dim; one that
ends in a cross was lost. A message under way is drawn from its sender to where it is now.

Where there are more peers than lines of text, several share one; zooming in separates them and shows their names.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine import Snapshot, Trace, dataclass

from . import raster
from .layout import Box, View
from .raster import Canvas, lay, thin_out
from .rounding import decade
from .styles import GLYPHS, INK
from .tree import repeated_questions

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

STEPS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
GUTTER_MOST = 9
QUESTION, ANSWER, DUPLICATE, LOST = 0, 1, 2, 3
INKS = ("question", "way", "duplicate", "lost")
TICKS = (1, 2, 5)
TICK_CELLS = 12


@dataclass(frozen=True, slots=True)
class AskTimeline:
    """One ask as a time-space diagram.

    order: peers from the top (R,); row: row of each peer (N,), -1 for none; from_us, to_us: the times at the left and
    the right edge. Lines (m,): frm and to are peers, sent_us and at_us their ends, `part` 0 question, 1 answer, 2
    duplicate, 3 lost, `head` the share of its way that each has gone (0..1). reasons: of the lost ones, "" for others.
    """

    origin: int
    now_us: int
    from_us: int
    to_us: int
    order: Ints
    row: Ints
    frm: Ints
    to: Ints
    sent_us: Ints
    at_us: Ints
    part: NDArray[np.uint8]
    head: Floats
    reasons: tuple[str, ...]
    reached_us: Ints
    holders: tuple[int, ...]
    answerers: tuple[int, ...]


def timeline(trace: Trace, snapshot: Snapshot) -> AskTimeline:
    """The lines of an ask and the order of its peers: by the time at which the question reached them first; last those
    to which it is under way."""
    asked, lost, flight, now_us = trace.questions, trace.lost, snapshot.flight, snapshot.now_us
    repeated = repeated_questions(trace)
    # A question that was sent `via` a peer is drawn from that one, as in the tree.
    above = trace.frm[asked.to]
    parent = np.where(repeated | (above < 0), asked.frm, above)
    mine = (flight.ask == trace.ask) & (flight.part <= ANSWER) & (flight.sent_us <= now_us)
    under = flight.part[mine].astype(np.int64)
    again = (under == QUESTION) & (trace.hop[flight.to[mine]] >= 0)
    frm = np.concatenate((parent, trace.answers_frm, lost.frm, flight.frm[mine])).astype(np.int64)
    to = np.concatenate((asked.to, trace.answers_to, lost.to, flight.to[mine])).astype(np.int64)
    sent = np.concatenate((asked.sent_us, trace.answers_sent_us, lost.sent_us, flight.sent_us[mine]))
    at = np.concatenate((asked.at_us, trace.answers_at_us, lost.at_us, flight.arrives_us[mine]))
    part = np.concatenate(
        (
            np.where(repeated, DUPLICATE, QUESTION),
            np.full(len(trace.answers_frm), ANSWER),
            np.full(len(lost.frm), LOST),
            np.where(again, DUPLICATE, under),
        )
    ).astype(np.uint8)
    head = np.clip((now_us - sent) / np.maximum(at - sent, 1), 0.0, 1.0)
    n = len(trace.hop)
    first = np.where(trace.hop >= 0, trace.at_us, np.iinfo(np.int64).max)
    first[trace.origin] = -1
    np.minimum.at(first, to, at)
    first[trace.origin] = -1
    seen = np.flatnonzero(first < np.iinfo(np.int64).max)
    order = seen[np.lexsort((seen, first[seen]))]
    row = np.full(n, -1, np.int64)
    row[order] = np.arange(len(order))
    begun = int(trace.at_us[trace.origin])
    last = int(at.max(initial=begun + 1))
    return AskTimeline(
        origin=trace.origin,
        now_us=now_us,
        from_us=begun,
        to_us=begun + round_up(max(min(last, max(now_us, begun)), int(at[head >= 1.0].max(initial=begun))) - begun),
        order=order,
        row=row,
        frm=frm,
        to=to,
        sent_us=sent,
        at_us=at,
        part=part,
        head=head,
        reasons=("",) * len(asked.frm)
        + ("",) * len(trace.answers_frm)
        + tuple(lost.reasons[i] for i in lost.reason.tolist())
        + ("",) * int(mine.sum()),
        reached_us=np.where(trace.hop >= 0, trace.at_us, -1),
        holders=trace.holders,
        answerers=trace.answerers,
    )


def round_up(span_us: int) -> int:
    """The span of time that the width shows: a round number, so that it does not change in every frame."""
    power = 10 ** decade(max(span_us, 10_000))
    return int(next(step * power for step in STEPS if step * power >= min(span_us * 1.02, 10 * power)))


@dataclass(frozen=True, slots=True)
class Plot:
    """The area of the lines on a canvas: columns left free for names, and the part that is in view."""

    width: int
    height: int
    gutter: int
    across: int
    down: int
    view: View

    @property
    def box(self) -> Box:
        """The plot in dots; its last line of cells is the axis."""
        return Box((self.width - self.gutter) * self.across, (self.height - 1) * self.down, 1.0)

    def spot(self, line: AskTimeline, row: NDArray[np.generic], at_us: NDArray[np.generic]) -> tuple[Floats, Floats]:
        """Dots of the plot for rows and times."""
        x = (np.asarray(at_us, np.float64) - line.from_us) / max(1, line.to_us - line.from_us)
        y = (np.asarray(row, np.float64) + 0.5) / max(1, len(line.order))
        return self.view.to_dots(np.stack((x, y), axis=-1).astype(np.float32), self.box)

    def pitch(self, line: AskTimeline) -> float:
        """Lines of text from one peer to the next."""
        return self.box.span[1] * self.view.zoom / max(1, len(line.order)) / self.down

    def peer_at(self, line: AskTimeline, row: int) -> int | None:
        """The peer whose line is nearest to a line of text."""
        if not len(line.order):
            return None
        _, unit = self.view.to_unit(0.0, (row + 0.5) * self.down - 0.5, self.box)
        return int(line.order[min(max(int(unit * len(line.order)), 0), len(line.order) - 1)])


def plot_of(canvas: Canvas, labels: tuple[str, ...], line: AskTimeline, view: View) -> Plot:
    """Names take as many columns as they need, and none on a canvas that is too narrow for names and lines."""
    longest = max((len(labels[p]) for p in line.order[:200].tolist()), default=0)
    gutter = min(GUTTER_MOST, longest + 2) if canvas.width >= 40 else 0
    return Plot(canvas.width, canvas.height, gutter, canvas.across, canvas.down, view)


def draw(canvas: Canvas, line: AskTimeline, plot: Plot, snapshot: Snapshot, selected: int | None) -> None:
    """The whole diagram on an empty canvas."""
    area = Canvas(canvas.width - plot.gutter, max(0, canvas.height - 1), canvas.mode)
    _lifelines(area, line, plot, selected)
    x0, y0 = plot.spot(line, line.row[line.frm], line.sent_us)
    x1, y1 = plot.spot(line, line.row[line.to], line.at_us)
    x2, y2 = x0 + (x1 - x0) * line.head, y0 + (y1 - y0) * line.head
    known = line.row[line.frm] >= 0
    for part in (DUPLICATE, QUESTION, ANSWER, LOST):
        mine = known & (line.part == part)
        layer = Canvas(area.width, area.height, area.mode)
        raster.lines(layer, x0[mine], y0[mine], x2[mine], y2[mine], INK[INKS[part]])
        if part == DUPLICATE:
            # Dotted: most messages of a flood are duplicates, and must not hide the others.
            thin_out(layer, 1, 2)
        lay(area, layer)
    _now(area, line, plot)
    roomy = plot.pitch(line) >= 0.9
    _marks(area, line, plot, snapshot, roomy)
    _crosses(area, line, x2, y2, roomy)
    paste(canvas, area, plot.gutter)
    _names(canvas, line, plot, snapshot, selected)
    _axis(canvas, line, plot)


def paste(canvas: Canvas, area: Canvas, left: int) -> None:
    """Copy a smaller canvas to the top, `left` columns from the left edge."""
    high, wide = area.height, area.width
    canvas.dots[: high * area.down, left * area.across : (left + wide) * area.across] = area.dots
    for name in ("ink", "glyph", "owner"):
        getattr(canvas, name)[:high, left : left + wide] = getattr(area, name)


def _lifelines(area: Canvas, line: AskTimeline, plot: Plot, selected: int | None) -> None:
    """A faint line for each peer from the time at which the question came, where there is room; the selected peer's is
    bright."""
    rows = np.arange(len(line.order))
    since = np.maximum(line.reached_us[line.order], line.from_us)
    x, y = plot.spot(line, rows, since)
    if plot.pitch(line) >= 0.9:
        raster.lines(area, x, y, np.full(len(x), area.dots_w - 1.0), y, INK["ring"])
        area.dots &= (np.arange(area.dots_w) % 4 == 0)[None, :]
    if selected is not None and line.row[selected] >= 0:
        at = line.row[selected]
        raster.lines(area, [0.0], [y[at]], [area.dots_w - 1.0], [y[at]], INK["selected"])
        area.dots &= (np.arange(area.dots_w) % 2 == 0)[None, :]


def _now(area: Canvas, line: AskTimeline, plot: Plot) -> None:
    """A vertical line at the current time, if that is in the picture."""
    x, _ = plot.spot(line, np.array([0]), np.array([line.now_us]))
    if 0 <= x[0] < area.dots_w:
        y = np.arange(0, area.dots_h, 3)
        raster.points(area, np.full(len(y), x[0]), y, INK["label"])


def _marks(area: Canvas, line: AskTimeline, plot: Plot, snapshot: Snapshot, roomy: bool) -> None:
    """Glyphs of the asker and the peers that answered; where there is room, of all peers that were asked."""
    shapes = GLYPHS[area.mode]
    marks: list[tuple[int, int, str, str]] = []
    if roomy:
        marks += [(p, int(line.reached_us[p]), shapes.asked, "asked") for p in line.order.tolist()]
    marks += [(p, int(line.reached_us[p]), shapes.answerer, "answerer") for p in line.answerers]
    marks += [(p, int(line.reached_us[p]), shapes.hit, "answered") for p in line.holders]
    marks.append((line.origin, line.from_us, shapes.origin, "origin"))
    for peer, at_us, shape, ink in marks:
        if at_us >= 0 and line.row[peer] >= 0:
            x, y = plot.spot(line, np.array([line.row[peer]]), np.array([at_us]))
            col, row = raster.cells(area, x, y)
            raster.stamp(area, col, row, ord(shape), INK[ink], peer)


def _crosses(area: Canvas, line: AskTimeline, x: Floats, y: Floats, roomy: bool) -> None:
    """A cross where a message was lost, and the reason."""
    dead = np.flatnonzero((line.part == LOST) & (line.row[line.frm] >= 0))
    col, row = raster.cells(area, x[dead], y[dead])
    raster.stamp(area, col, row, ord(GLYPHS[area.mode].dead), INK["lost"], line.to[dead])
    if roomy:
        for at, c, r in zip(dead.tolist(), col.tolist(), row.tolist(), strict=True):
            word = line.reasons[at]
            if 0 <= r < area.height and (area.glyph[r, c + 1 : c + 2 + len(word)] == 0).all():
                raster.text(area, c + 1, r, f" {word} ", INK["lost"])


def _names(canvas: Canvas, line: AskTimeline, plot: Plot, snapshot: Snapshot, selected: int | None) -> None:
    """At most one name in a line of text: the selected peer's, the asker's, else the first of those there."""
    if not plot.gutter or not len(line.order):
        return
    labels = snapshot.fixed.labels
    _, y = plot.spot(line, np.arange(len(line.order)), np.full(len(line.order), line.from_us))
    rows = np.floor((y + 0.5) / plot.down).astype(np.int64)
    taken: set[int] = set()
    first = [p for p in (selected, line.origin, *line.holders) if p is not None and line.row[p] >= 0]
    inside = np.flatnonzero((rows >= 0) & (rows < canvas.height - 1))
    step = max(1, len(inside) // max(1, 4 * canvas.height))
    for peer in (*first, *line.order[inside[::step]].tolist()):
        at = int(rows[line.row[peer]])
        if at in taken or not 0 <= at < canvas.height - 1:
            continue
        taken.add(at)
        ink = "selected" if peer == selected else "origin" if peer == line.origin else "label"
        raster.text(canvas, 0, at, labels[peer][: plot.gutter - 1], INK[ink], peer)


def _axis(canvas: Canvas, line: AskTimeline, plot: Plot) -> None:
    """Ticks along the last line: round times since the ask was issued."""
    wide = max(1, canvas.width - plot.gutter)
    span_us = (line.to_us - line.from_us) / plot.view.zoom
    power = decade(max(1.0, span_us)) - 2
    room = span_us * TICK_CELLS / wide
    step = next(s for e in range(power, power + 4) for k in TICKS if (s := float(f"{k}e{e}")) >= room)
    for number in range(int((line.to_us - line.from_us) / step) + 1):
        x, _ = plot.spot(line, np.array([0]), np.array([line.from_us + number * step]))
        col = plot.gutter + int(np.floor((x[0] + 0.5) / plot.across))
        if plot.gutter <= col < canvas.width - 6:
            time = f"{number * step / 1e6:.3f}".rstrip("0").rstrip(".") if number else "0"
            raster.text(canvas, col, canvas.height - 1, f"{'|' if canvas.mode == 'ascii' else '╵'}{time} s", INK["dim"])
