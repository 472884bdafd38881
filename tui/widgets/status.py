"""Lines at the edges of the screen: status, figures for small terminals, court and minimum cut, keys.

Each figure of the status line has a fixed width and place. A narrow terminal leaves out first the name of the program,
then the frame rate, then the seed; the time and the number of living peers stay.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len
from textual import events, on
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget

from engine import ALIVE, DEAD, LEFT, Adjourn, AskRow, Court, CourtStatus, sorted_once
from tui.config.keys import keyed
from tui.draw.chart import si
from tui.draw.styles import SYMBOLS
from tui.session.ask_filter import shown_asks
from tui.session.frame import Frame
from tui.session.meaning import meaning_of
from tui.session.units import clock
from tui.widgets.messages import RunAction, RunCommand

from .asks_table import progress_in, reached_share, state_of, verdict_fits, verdict_in
from .panel import ActionButton, LatePanel, Offer, TextRows
from .row_widget import RowWidget
from .text import STATE, Row, Span, between, fit, width_of, wrap


class Figures(RowWidget):
    """Two lines for a small terminal in place of charts and asks: rates, and the selected or latest ask."""

    DEFAULT_CSS = "Figures { height: 2; width: 1fr; background: $background; color: $foreground; }"
    HEIGHT = 2

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._frame: Frame | None = None

    def show(self, frame: Frame) -> None:
        """Take the newest figures."""
        self._frame = frame
        self.refresh()

    def row_at(self, y: int) -> Row:
        """Rates, then the ask."""
        if self._frame is None:
            return ()
        return rates_row(self._frame) if y == 0 else ask_row(self._frame, self.size.width, self.app)


def rates_row(frame: Frame) -> Row:
    """Messages and duplicates a second, messages under way, and the share of asks answered."""
    columns = frame.snapshot.series.columns

    def newest(name: str) -> float:
        column = columns.get(name)
        return float(column[-1]) if column is not None and len(column) else math.nan

    meant = meaning_of(frame.snapshot)
    success = newest("success")
    answered = "  –" if math.isnan(success) else f"{success:3.0%}"
    spans: list[Span] = []
    for name, figure, ink, shown in (
        ("messages/s", si(newest("messages_per_s")), "chart-2", True),
        ("under way", si(frame.snapshot.flight.total), "question", True),
        ("duplicates/s", si(newest("duplicates_per_s")), "chart-4", meant.duplicates),
        ("answered", answered, "chart-3", meant.hits),
    ):
        if not shown:
            continue
        spans += [(f" {figure:>5}", f"{ink} bold"), (f" {name}  ", "dim")]
    return tuple(spans)


def ask_row(frame: Frame, width: int = 80, app: object = None) -> Row:
    """The ask that is looked at, in one line."""
    ask = _chosen(frame)
    if ask is None:
        return ((keyed(app, " no ask yet: {ask.here} asks from the selected peer"), "dim"),)
    word, ink = state_of(ask, frame.snapshot)
    reach = f" {reached_share(ask):4.0%} reached " if meaning_of(frame.snapshot).reach else ""
    row: Row = (
        (f" ask {ask.id:>3} ", "dim"),
        (fit(f"“{ask.text}”", 18), "text bold"),
        (f"{reach} {si(ask.messages):>5} msgs  ", "text"),
    )
    room = width - width_of(row)
    told = word if ask.closed_us is not None else progress_in(ask, room, word)
    if verdict_fits(ask, room) and cell_len(said := verdict_in(ask.verdict, room)) <= room:
        told = said
    return (*row, (told, ink))


def _chosen(frame: Frame) -> AskRow | None:
    asks = shown_asks(frame.snapshot, frame.asks_of)
    return next((row for row in reversed(asks) if row.id == frame.ask), asks[-1] if asks else None)


PACES_S = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""How long after an answer the court may act."""


def _court_lines() -> tuple[Widget, ...]:
    """The court above, the minimum cut below."""
    adjourn = "End the court: its orders stay in force; those that are not carried out yet are dropped."
    return (
        Horizontal(
            TextRows(id="score"),
            ActionButton("-", id="sooner"),
            ActionButton("+", id="later"),
            ActionButton("adjourn", "run.court", id="adjourn", tip=adjourn),
            id="court",
            classes="-hidden",
        ),
        Horizontal(
            TextRows(id="set"),
            ActionButton("censor these", "ask.censor_set", id="censor-these"),
            ActionButton("close", "ask.silence", id="close-cut", tip="Remove the rings around these peers."),
            id="silencing",
            classes="-hidden",
        ),
    )


class CourtBar(LatePanel):
    """The orders of a court, and the minimum cut between an asker and the holders: a line each, with buttons, shown
    only when there is one. Posts `RunCommand`, and `RunAction` for an action of the screen."""

    DEFAULT_CSS = """
    CourtBar { height: auto; width: 1fr; }
    CourtBar > Horizontal { height: auto; width: 1fr; padding: 0 1; background: $panel; }
    CourtBar > Horizontal.-hidden { display: none; }
    CourtBar TextRows { background: $panel; }
    CourtBar ActionButton { margin: 0 0 0 1; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(_court_lines, ActionButton, id=id, classes=classes)

    def has_content(self, frame: Frame) -> bool:
        """Whether there is a court or a minimum cut."""
        return frame.snapshot.court is not None or frame.min_cut is not None

    def show(self, frame: Frame) -> bool:
        """Take the newest."""
        if not super().show(frame):
            return False
        court_status = frame.snapshot.court
        self.query_one("#court").set_class(court_status is None, "-hidden")
        if court_status is not None:
            self.query_one("#score", TextRows).show_rows([((score(court_status), "censored bold"),)])
            after_s = court_status.after_us / 1e6
            for id_, pace, word in (("sooner", _next(after_s, -1), "sooner"), ("later", _next(after_s, 1), "later")):
                tip = f"Act {word}: {pace:g} s after an answer." if pace else f"It cannot act any {word}."
                self.query_one(f"#{id_}", ActionButton).update(
                    "-" if word == "sooner" else "+", tip, disabled=pace is None
                )
        found = frame.min_cut
        self.query_one("#silencing").set_class(found is None, "-hidden")
        if found is not None:
            room = max(20, self.size.width - 31)
            rows: list[Row] = [((line, "warn" if found.peers else "text"),) for line in wrap(found.sentence, room)]
            self.query_one("#set", TextRows).show_rows(rows)
            free = tuple(p for p in found.peers if not frame.snapshot.censored[p])
            tip = (
                f"Block all traffic of {len(free)} peers. The same button lifts the block."
                if free
                else f"Lift the block of {len(found.peers)}."
            )
            these = self.query_one("#censor-these", ActionButton)
            these.update(f"censor {len(free)}" if free else f"uncensor {len(found.peers)}", tip)
            these.display = bool(found.peers)
        return True

    @on(ActionButton.Pressed)
    def _pressed(self, event: ActionButton.Pressed) -> None:
        event.stop()
        frame = self._frame
        match event.button.id:
            case "adjourn":
                self.post_message(RunCommand(Adjourn()))
            case "close-cut":
                self.post_message(RunAction("ask.silence"))
            case "censor-these":
                self.post_message(RunAction("ask.censor_set"))
            case "sooner" | "later" if frame is not None and frame.snapshot.court is not None:
                pace = _next(frame.snapshot.court.after_us / 1e6, -1 if event.button.id == "sooner" else 1)
                if pace is not None:
                    self.post_message(RunCommand(Court(pace)))


def score(court_status: CourtStatus) -> str:
    """`court (2 s): 14 orders, 31 answers, 9 after the first order`."""
    orders = f"{court_status.orders:,} order{'' if court_status.orders == 1 else 's'}"
    answers = f"{court_status.answers:,} answer{'' if court_status.answers == 1 else 's'}"
    after = f", {court_status.answers_after:,} after the first order" if court_status.orders else ""
    return f"court ({court_status.after_us / 1e6:g} s): {orders}, {answers}{after}"


def _next(after_s: float, by: int) -> float | None:
    """The next shorter or longer pace, or None at the end."""
    some = [pace for pace in PACES_S if (pace > after_s if by > 0 else pace < after_s)]
    return (some[0] if by > 0 else some[-1]) if some else None


def cells_of(item: Offer) -> int:
    """Its width, with the two blanks before the next item."""
    return cell_len(item.key) + cell_len(item.word) + 3


def fitting(items: Sequence[Offer], width: int) -> list[Offer]:
    """Those that fit into a line, in their own order, the best ranks kept."""
    left = width - 1
    kept: set[int] = set()
    for number in sorted(range(len(items)), key=lambda i: (items[i].rank, i)):
        if cells_of(items[number]) > left:
            break
        left -= cells_of(items[number])
        kept.add(number)
    return [item for number, item in enumerate(items) if number in kept]


class KeyBar(RowWidget):
    """The keys that can be pressed now. A click does what the key does, or says why it cannot.

    Where the line is short, keys are left out by rank; Textual's footer scrolls sideways and hides them by position.
    """

    DEFAULT_CSS = "KeyBar { height: 1; width: 1fr; background: $panel; color: $foreground; pointer: pointer; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._items: tuple[Offer, ...] = ()

    def show_items(self, items: Sequence[Offer]) -> None:
        """Show these keys."""
        if tuple(items) != self._items:
            self._items = tuple(items)
            self.refresh()

    def row_at(self, y: int) -> Row:
        row: list[Span] = [(" ", "text")]
        for item in fitting(self._items, self.size.width):
            key, word = ("dim", "dim") if item.why_not else ("key bold", "text")
            row += [(item.key, key), (f" {item.word}", word), ("  ", "text")]
        return tuple(row)

    def _at(self, x: int) -> Offer | None:
        left = 1
        for item in fitting(self._items, self.size.width):
            if left <= x < left + cells_of(item) - 2:
                return item
            left += cells_of(item)
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Show in the tooltip what a key does, or why it cannot."""
        item = self._at(event.x)
        self.tooltip = None if item is None else Content(item.why_not or item.tip)

    async def on_click(self, event: events.Click) -> None:
        """Run the action of the key."""
        item = self._at(event.x)
        if item is not None:
            await self.app.run_action(item.action, self.screen)


HINT = " slowed: a question is crossing "
ROOMY = 110
"""Width, in cells, from which on the name of the program is shown."""
CLOSE_ENOUGH = 0.15
"""Measured and wanted speed that differ by less are shown as one figure."""


class StatusBar(RowWidget):
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

    def row_at(self, y: int) -> Row:
        return () if self._frame is None else status_row(self._frame, self.size.width)


def status_row(frame: Frame, width: int) -> Row:
    """The line for a terminal of `width` cells."""
    snapshot = frame.snapshot
    # By the width alone: it is at the left, so the rest would move when it appears.
    name: Row = ((" swarmtop ", "key bold"),) if width >= ROOMY else ()
    network: Row = ((f" {snapshot.fixed.protocol} ", "text bold"),)
    seed: Row = ((f" seed {snapshot.fixed.seed} ", "dim"),)
    fps: Row = ((f" {min(999, round(frame.fps)):3d} fps ", "dim"),)
    time: Row = ((f" {clock(snapshot.now_us)} ", "text bold"), *_pace(frame))
    room = width - 1 - width_of((*name, *network, *time))
    census, extra = _census(frame)
    # What is shown depends on the width and the size of the swarm only, so that nothing moves.
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
    """Three spans a state: states that are always shown, and states shown only if a peer has them."""
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
    # A partition is easily overlooked in the picture, and explains missing answers.
    sides = len(sorted_once(snapshot.group))
    cut: Row = ((f" {sides} ", "text"), ("◐", "warn"), (" sides ", "dim")) if sides > 1 else ()
    return always, (*rare, *cut)


def _short(census: Row) -> Row:
    """The same without words."""
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
