"""Two lines for a small terminal: what the charts and the table of asks would say, in figures.

Widths are fixed, so that numbers change in their places.
"""

from __future__ import annotations

import math

from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from engine import AskRow
from tui.config.keys import keyed
from tui.draw.chart import si
from tui.session.frame import Frame

from .account import reached_share, state_of, verdict_in
from .text import Inks, Row, Span, fit, strip, width_of


class Figures(Widget):
    """Rates on the first line, the chosen or latest ask on the second."""

    DEFAULT_CSS = "Figures { height: 2; width: 1fr; background: $background; color: $foreground; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._frame: Frame | None = None

    def show(self, frame: Frame) -> None:
        """Take the newest figures."""
        self._frame = frame
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Two lines."""
        return 2

    def render_line(self, y: int) -> Strip:
        """Rates, then the ask."""
        frame = self._frame
        row: Row = ()
        if frame is not None:
            row = rates_row(frame) if y == 0 else ask_row(frame, self.size.width, self.app)
        return strip(row, self.size.width, Inks(self))


def rates_row(frame: Frame) -> Row:
    """Messages and duplicates a second, messages under way, and the share of asks answered."""
    columns = frame.snapshot.series.columns

    def newest(name: str) -> float:
        column = columns.get(name)
        return float(column[-1]) if column is not None and len(column) else math.nan

    success = newest("success")
    answered = "  –" if math.isnan(success) else f"{success:3.0%}"
    spans: list[Span] = []
    for name, figure, ink in (
        ("messages/s", si(newest("messages_per_s")), "chart-2"),
        ("under way", si(frame.snapshot.flight.total), "question"),
        ("duplicates/s", si(newest("duplicates_per_s")), "chart-4"),
        ("answered", answered, "chart-3"),
    ):
        spans += [(f" {figure:>5}", f"{ink} bold"), (f" {name}  ", "dim")]
    return tuple(spans)


def ask_row(frame: Frame, width: int = 80, app: object = None) -> Row:
    """The ask that is looked at, in one line."""
    ask = _chosen(frame)
    if ask is None:
        return ((keyed(app, " no ask yet: {ask.here} asks from the selected peer"), "dim"),)
    word, ink = state_of(ask, frame.snapshot)
    row: Row = (
        (f" ask {ask.id:>3} ", "dim"),
        (fit(f"“{ask.text}”", 18), "text bold"),
        (f" {reached_share(ask, frame.snapshot):4.0%} reached  {si(ask.messages):>5} msgs  ", "text"),
    )
    told = verdict_in(ask.verdict, width - width_of(row)) if ask.closed_us is not None and ask.verdict else word
    return (*row, (told, ink))


def _chosen(frame: Frame) -> AskRow | None:
    asks = frame.snapshot.asks
    return next((row for row in reversed(asks) if row.id == frame.ask), asks[-1] if asks else None)
