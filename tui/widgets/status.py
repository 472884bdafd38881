"""The top line: which network, who lives, what time it is, how fast it goes.

Each figure has a place of fixed width, so that nothing jumps. What a narrow terminal cannot hold goes in order of
how easily it is missed: the name of the program, the frame rate, the seed. The time and the living stay.
"""

from __future__ import annotations

import math

import numpy as np
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from engine import ALIVE, DEAD, LEFT
from tui.draw.glyphs import SYMBOLS
from tui.session.frame import Frame

from .text import STATE, Inks, Row, between, clock, strip, width_of

HINT = " slowed: a question is crossing "
ROOMY = 110
"""Cells from which on the program says its name."""
CLOSE_ENOUGH = 0.15
"""Pace and speed that differ by less are the same to a person; showing both would only flicker."""


class StatusBar(Widget):
    """One line at the top."""

    DEFAULT_CSS = "StatusBar { height: 1; width: 1fr; background: $panel; color: $foreground; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._frame: Frame | None = None

    def show(self, frame: Frame) -> None:
        """Take the newest figures."""
        self._frame = frame
        self.tooltip = "Time is slow while the question you asked crosses the swarm." if frame.slowed else None
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """One line."""
        return 1

    def render_line(self, y: int) -> Strip:
        """The line."""
        row = () if self._frame is None else status_row(self._frame, self.size.width)
        return strip(row, self.size.width, Inks(self))


def status_row(frame: Frame, width: int) -> Row:
    """The line for a terminal of `width` cells."""
    snapshot = frame.snapshot
    # By the width alone: it stands at the left, so its coming and going would move everything.
    name: Row = ((" swarmtop ", "key bold"),) if width >= ROOMY else ()
    network: Row = ((f" {snapshot.fixed.protocol} ", "text bold"),)
    seed: Row = ((f" seed {snapshot.fixed.seed} ", "dim"),)
    fps: Row = ((f" {min(999, round(frame.fps)):3d} fps ", "dim"),)
    time: Row = ((f" {clock(snapshot.now_us)} ", "text bold"), *_pace(frame))
    room = width - 1 - width_of((*name, *network, *time))
    census, extra = _census(frame)
    # What is shown depends on the width and on the size of the swarm, not on its state: else it would jump.
    tail: Row = fps
    if width_of((*census, *fps)) > room:
        census, extra = _short(census), _short(extra)
    if width_of((*census, *fps)) > room:
        tail = ()
    if width_of(census) > room:
        census, extra = census[:3], ()
    room -= width_of((*census, *tail))
    more: Row = ()
    if width_of(seed) <= room:
        more, room = seed, room - width_of(seed)
    hint: Row = ()
    if room >= len(HINT):
        hint = ((HINT if frame.slowed else " " * len(HINT), "question"),)
        room -= len(HINT)
    if width_of(extra) > room:
        extra = _short(extra)
    shown = extra if width_of(extra) <= room else ()
    return between((*name, *network, *census, *shown, *more), (*hint, *time, *tail), width)


def _census(frame: Frame) -> tuple[Row, Row]:
    """Three spans a state: those always told, and those told only when there are any."""
    snapshot = frame.snapshot
    state = snapshot.state
    alive = state == ALIVE
    digits = len(str(len(state)))

    def count(role: str, number: int) -> Row:
        ink = role if number else "dim"
        return ((f" {number:{digits}d} ", "text" if number else "dim"), (STATE[role], ink), (f" {role} ", "dim"))

    always = (
        *count("alive", int(alive.sum())),
        *count("dead", int((state == DEAD).sum())),
        *count("censored", int((snapshot.censored & alive).sum())),
    )
    colluding, left = int(np.count_nonzero(snapshot.colluding)), int((state == LEFT).sum())
    poisoned = int(np.count_nonzero(snapshot.poisoned))
    rare = (
        *(count("colluding", colluding) if colluding else ()),
        *(count("poisoned", poisoned) if poisoned else ()),
        *(count("left", left) if left else ()),
    )
    # A partition has no shape in the picture, and one that was forgotten explains every missing answer.
    sides = len(np.unique(snapshot.group))
    cut: Row = ((f" {sides} ", "text"), ("◐", "warn"), (" sides ", "dim")) if sides > 1 else ()
    return always, (*rare, *cut)


def _short(census: Row) -> Row:
    """The same without words: shape and colour stay."""
    return tuple((" ", ink) if index % 3 == 2 else (text, ink) for index, (text, ink) in enumerate(census))


def _pace(frame: Frame) -> Row:
    asked = speed_text(frame.speed)
    if not frame.playing:
        return ((f" {SYMBOLS.pause} {'paused':<12}", "warn bold"),)
    if frame.slowed:
        return (
            (f" {SYMBOLS.play} {speed_text(frame.pace or frame.speed):<5}", "question"),
            (" slowed", "question bold"),
        )
    lags = frame.pace > 0 and math.isfinite(frame.speed) and abs(frame.pace - frame.speed) > CLOSE_ENOUGH * frame.speed
    measured = f"≈{speed_text(frame.pace)}" if lags or math.isinf(frame.speed) else ""
    return ((f" {SYMBOLS.play} {asked:<5}", "good"), (f" {measured:<6}", "warn" if lags else "dim"))


def speed_text(speed: float) -> str:
    """`1/8x`, `1x`, `2.5x`, `64x` or `max`: virtual seconds a second, in at most five cells."""
    if math.isinf(speed):
        return "max"
    if speed <= 0:
        return "0x"
    if speed < 1:
        part = 1 / speed
        return f"1/{round(part)}x" if abs(part - round(part)) < 0.05 * part and part < 1000 else f"{speed:.2g}x"
    return f"{speed:.0f}x" if speed >= 10 or abs(speed - round(speed)) < 0.05 else f"{speed:.1f}x"
