"""The run as a line above the keys: from its start to the latest time reached, with marks for what was done.

A click goes to a moment, a drag moves through time, the wheel steps; the words at both ends are buttons. It gets at
most five frames a second, and repaints only when the line changed. A drag is shown without waiting for a frame.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from textual import events
from textual.content import Content
from textual.message import Message

from engine import Mark, dataclass, plain
from tui.config.keys import key_for
from tui.draw.styles import SYMBOLS
from tui.session.frame import Frame
from tui.session.units import clock
from tui.widgets.messages import RunAction

from .row_widget import RowWidget
from .text import Row, Span, fit

# The track is divided evenly from 0 to the end of the run. Where marks share a cell the one with the greatest weight is
# shown, and the tooltip lists all of them. The words beside the track have a fixed width, so that no cell moves during
# a drag.

ROOMY = 100
"""Width from which on there is room for words."""
TIME_CELLS, REC_CELLS = 11, 6
TAIL_CELLS, SHORT_TAIL_CELLS = 22, 10
NAMED_MOST = 4
"""Marks that a tooltip names one by one."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a mark is drawn: its glyph and its ink."""

    glyph: str
    ink: str


SHAPES: tuple[Shape, ...] = (
    Shape("", ""),
    Shape(SYMBOLS.question, "question"),  # an ask of the background
    Shape(SYMBOLS.transfer, "text bold"),  # another command
    Shape(SYMBOLS.origin, "question bold"),  # an ask of a person or a scenario
    Shape(SYMBOLS.alive, "alive bold"),  # back again
    Shape(SYMBOLS.colluding, "colluding bold"),
    Shape(SYMBOLS.censored, "censored bold"),
    Shape(SYMBOLS.dead, "dead bold"),
    Shape("!", "bad bold"),  # an alarm
)
"""By rising weight. 0 is no mark."""
OTHER, ASKED, AGAIN, COLLUDING, CENSORED, DEAD, ALARM = 2, 3, 4, 5, 6, 7, 8
BY_VERB = {
    **dict.fromkeys(("censor", "court"), CENSORED),
    **dict.fromkeys(("collude", "poison"), COLLUDING),
    **dict.fromkeys(("revive", "join", "reopen", "arrive", "calloff"), AGAIN),
    "depart": DEAD,
}


def weight(mark: Mark) -> int:
    """An index into SHAPES. Churn goes on all the time and is no mark; the chart of living peers shows it."""
    if mark.by == "churn":
        return 0
    if mark.kind == "alarm":
        return ALARM
    if mark.kind == "kill":
        return DEAD
    if mark.kind == "ask":
        return 1 if mark.by == "background" else ASKED
    return BY_VERB.get(mark.text.partition(" ")[0], OTHER)


class Track:
    """Marks laid out in a track. The columns are made anew only when the marks have changed."""

    def __init__(self) -> None:
        self._marks: Sequence[Mark] | None = None
        self.shown: list[Mark] = []
        self.at_us: NDArray[np.int64] = np.zeros(0, np.int64)
        self.weights: NDArray[np.uint8] = np.zeros(0, np.uint8)

    def take(self, marks: Sequence[Mark]) -> None:
        """The marks of the run, in order of time."""
        if marks is self._marks:
            return
        self._marks = marks
        self.shown = [mark for mark in marks if weight(mark)]
        self.at_us = np.array([mark.at_us for mark in self.shown], np.int64)
        self.weights = np.array([weight(mark) for mark in self.shown], np.uint8)

    def cells(self, end_us: int, length: int) -> NDArray[np.uint8]:
        """For each cell of a track the greatest weight of its marks (length,)."""
        seen = np.zeros(length, np.uint8)
        np.maximum.at(seen, self._cell_of(end_us, length), self.weights)
        return seen

    def _cell_of(self, end_us: int, length: int) -> NDArray[np.int64]:
        return np.rint(np.clip(self.at_us / max(1, end_us), 0, 1) * (length - 1)).astype(np.int64)

    def within(self, cell: int, end_us: int, length: int) -> list[Mark]:
        """The marks of one cell by falling weight, then by time."""
        here = np.flatnonzero(self._cell_of(end_us, length) == cell)
        return [self.shown[i] for i in here[np.argsort(-self.weights[here].astype(np.int64), kind="stable")]]

    def time_at(self, cell: int, end_us: int, length: int) -> int:
        """The time of a cell: that of the mark with the greatest weight in it, if there is one."""
        if cell <= 0:
            return 0
        if cell >= length - 1:
            return end_us
        marks = self.within(cell, end_us, length)
        return marks[0].at_us if marks else round(cell / (length - 1) * end_us)

    def next_to(self, at_us: int, by: int) -> int | None:
        """The time of the mark before (-1) or after (1) a moment, asks of the background left out; None for none."""
        times = self.at_us[self.weights > 1]
        if by < 0:
            index = int(np.searchsorted(times, at_us, "left")) - 1
            return int(times[index]) if index >= 0 else None
        index = int(np.searchsorted(times, at_us, "right"))
        return int(times[index]) if index < len(times) else None


def layout(width: int) -> tuple[int, int]:
    """Where the track begins in a line of `width` cells, and its length: the rest is words."""
    before = TIME_CELLS + (REC_CELLS if width >= ROOMY else 1) + 1
    after = 1 + (TAIL_CELLS if width >= ROOMY else SHORT_TAIL_CELLS)
    return before, max(4, width - before - after)


def cell_at(at_us: int, end_us: int, length: int) -> int:
    """The cell of a moment."""
    return round(min(1.0, max(0.0, at_us / max(1, end_us))) * (length - 1))


def timeline_row(frame: Frame, track: Track, width: int, *, live_key: str = "end", held_us: int | None = None) -> Row:
    """The line. live_key: what to press for the end; held_us: where a pointer holds the cursor."""
    track.take(frame.marks)
    now_us, end_us = frame.snapshot.now_us, max(frame.end_us, frame.snapshot.now_us)
    goal_us = held_us if held_us is not None else frame.seek_target_us
    _, length = layout(width)
    roomy = width >= ROOMY
    at = length - 1 if frame.live else cell_at(now_us, end_us, length)
    rec = SYMBOLS.alive if frame.recording else SYMBOLS.left
    recorder = fit(f" {rec} rec" if roomy else rec, REC_CELLS if roomy else 1)
    row: list[Span] = [
        (recorder, "bad bold" if frame.recording else "dim"),
        (fit(clock(now_us if goal_us is None else goal_us)[:-2], TIME_CELLS - 1, right=True) + " ", "text bold"),
        ("├", "dim"),
    ]
    cells = track.cells(end_us, length)
    inked: list[Span] = []
    for cell in range(length):
        shape = SHAPES[cells[cell]]
        past = cell < at
        line = (SYMBOLS.bar_on, "key") if past else (SYMBOLS.bar_off, "dim")
        # Marks after the cursor are shown without bold.
        inked.append(line if not shape.glyph else (shape.glyph, shape.ink if past else shape.ink.partition(" ")[0]))
    if goal_us is not None:
        inked[cell_at(goal_us, end_us, length)] = (SYMBOLS.selected, "selected bold")
    cursor = SYMBOLS.play if frame.playing else SYMBOLS.pause
    inked[at] = (cursor, "warn bold reverse" if not frame.live else "good bold" if frame.playing else "warn bold")
    row += _runs(inked)
    row.append(("┤", "dim"))
    row.append(_tail(frame, end_us - now_us, roomy, live_key, goal_us))
    return tuple(row)


def _tail(frame: Frame, behind_us: int, roomy: bool, live_key: str, goal_us: int | None) -> Span:
    cells = TAIL_CELLS if roomy else SHORT_TAIL_CELLS
    if frame.seeking is not None:
        share = f"{frame.seeking:4.0%}"
        return fit(f" seeking {share}" if roomy else f" …{share}", cells), "question bold"
    if frame.live:
        return fit(" live", cells), "good bold" if frame.playing else "good"
    behind = f" -{seconds(behind_us)}"
    return fit(f"{behind} · {live_key}: live" if roomy else behind, cells), "warn bold"


def _runs(inked: Sequence[Span]) -> list[Span]:
    """Neighbours of one ink as one span."""
    runs: list[Span] = []
    for text, ink in inked:
        if runs and runs[-1][1] == ink:
            runs[-1] = (runs[-1][0] + text, ink)
        else:
            runs.append((text, ink))
    return runs


def seconds(us: int) -> str:
    """`12.3 s`, or `2:05.0` from two minutes on: a span of virtual time."""
    tenths = max(0, round(us / 1e5))
    return f"{tenths / 10:.1f} s" if tenths < 1200 else f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def tooltip_of(track: Track, cell: int, end_us: int, length: int) -> str:
    """The tooltip of a cell: its time, and what was done then."""
    marks = track.within(cell, end_us, length)
    lines = [clock(track.time_at(cell, end_us, length))]
    lines += [f"{clock(mark.at_us)} {plain(mark.text, limit=60)}{_whose(mark)}" for mark in marks[:NAMED_MOST]]
    if len(marks) > NAMED_MOST:
        kinds = Counter(mark.kind for mark in marks[NAMED_MOST:])
        more = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in kinds.items())
        lines.append(f"and {more} more")
    return "\n".join(lines if not marks or len(marks) > 1 else lines[1:])


def _whose(mark: Mark) -> str:
    return {"scenario": " (scenario)", "background": " (ask)"}.get(mark.by, "")


WHEEL_MS = 100
"""One notch of the wheel, as the key that steps."""
WHEEL_FAST_MS = 1_000


class Timeline(RowWidget):
    """The line as a widget. Posts `Sought`, `Wheeled`, and `RunAction` for the words at its ends."""

    DEFAULT_CSS = "Timeline { height: 1; width: 1fr; background: $panel; color: $foreground; pointer: pointer; }"

    class Sought(Message):
        """A person wants to go to a moment (us of virtual time). held: the cursor is still being dragged."""

        def __init__(self, at_us: int, *, held: bool) -> None:
            super().__init__()
            self.at_us = at_us
            self.held = held

    class Wheeled(Message):
        """A person turned the wheel: ms of virtual time, back when below 0."""

        def __init__(self, ms: int) -> None:
            super().__init__()
            self.ms = ms

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.track = Track()
        self._frame: Frame | None = None
        self._row: Row = ()
        self._drawn = (0, "")
        self._held: int | None = None
        self._tip_shown = ""
        self.changes = 0
        """How often its line changed; a test compares it with how much has changed."""

    # --- what is shown ---------------------------------------------------------------------------------------

    def show(self, frame: Frame) -> None:
        """Take the newest frame."""
        self._frame = frame
        self._draw()

    def _draw(self) -> None:
        frame = self._frame
        if frame is None or not self.size.width:
            return
        held_us = None if self._held is None else self._time_at(self._held)
        row = timeline_row(frame, self.track, self.size.width, live_key=key_for(self.app, "time.live"), held_us=held_us)
        if row != self._row:
            self._row = row
            self.changes += 1
            self.refresh()

    @property
    def text(self) -> str:
        """What is shown, without colours."""
        return "".join(text for text, _ in self._row)

    def on_resize(self) -> None:
        """Another width."""
        self._draw()

    def row_at(self, y: int) -> Row:
        return self._row

    # --- the mouse -------------------------------------------------------------------------------------------

    def _cell(self, x: int) -> int | None:
        """The cell of the track under a column, or None beside it."""
        begin, length = layout(self.size.width)
        return x - begin if 0 <= x - begin < length else None

    def _end_us(self) -> int:
        assert self._frame is not None
        return max(self._frame.end_us, self._frame.snapshot.now_us)

    def _time_at(self, cell: int) -> int:
        return self.track.time_at(cell, self._end_us(), layout(self.size.width)[1])

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Start to drag the cursor, or press a word."""
        if self._frame is None or event.button != 1:
            return
        event.stop()
        cell = self._cell(event.x)
        if cell is None:
            begin, length = layout(self.size.width)
            if event.x >= begin + length:
                self.post_message(RunAction("time.live"))
            elif event.x < begin - TIME_CELLS - 1:
                self.post_message(RunAction("run.record"))
            return
        self.capture_mouse()
        self._hold(cell)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag the cursor, or show what was done there."""
        if self._frame is None:
            return
        if self._held is not None:
            begin, length = layout(self.size.width)
            cell = min(max(event.x - begin, 0), length - 1)
            if cell != self._held:
                self._hold(cell)
            return
        self._update_tip(event.x)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End the drag."""
        if self._held is not None:
            at_us, self._held = self._time_at(self._held), None
            self.release_mouse()
            self.post_message(self.Sought(at_us, held=False))

    def _hold(self, cell: int) -> None:
        self._held = cell
        self.post_message(self.Sought(self._time_at(cell), held=True))
        self._draw()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Step back."""
        event.stop()
        self.post_message(self.Wheeled(-(WHEEL_FAST_MS if event.ctrl or event.shift else WHEEL_MS)))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Step forward."""
        event.stop()
        self.post_message(self.Wheeled(WHEEL_FAST_MS if event.ctrl or event.shift else WHEEL_MS))

    def _update_tip(self, x: int) -> None:
        frame, cell = self._frame, self._cell(x)
        assert frame is not None
        begin, length = layout(self.size.width)
        if cell is not None:
            told = tooltip_of(self.track, cell, self._end_us(), length)
        elif x >= begin + length:
            behind = seconds(self._end_us() - frame.snapshot.now_us)
            told = "The live end of the run." if frame.live else f"{behind} before the end. " + ("A click goes there.")
        elif x < begin - TIME_CELLS - 1:
            told = f"Recording into {frame.recording}; a click ends it." if frame.recording else "Record this run."
        else:
            told = "The moment that is shown, in virtual time."
        if told != self._tip_shown:
            self._tip_shown = told
            self.tooltip = Content(told)
