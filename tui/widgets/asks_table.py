"""All asks that are kept, newest on top: the text, how far it went, its cost and its result.

Asks that are equal in the column sorted by stay newest on top. The selected ask stays selected, and in its place, while
newer ones arrive above it. Here too: the record of one ask in rows, which the inspector shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len
from textual import events

from engine import SPREAD, AskId, AskRow, PeerId, Snapshot, Theory, dataclass
from tui.config.keys import keyed, within
from tui.draw.chart import meter, si
from tui.session.ask_filter import filters_of, shown_asks
from tui.session.frame import Frame
from tui.session.meaning import Meaning, meaning_of
from tui.session.telling import stations_down
from tui.widgets.messages import AskPicked

from .panel import name_panel, panel_css
from .table import MOVING, SORTING, Column, Values, VirtualTable, ranks
from .text import Row, Span, names, wrap

METER_CELLS = 8
BESIDE_CELLS = 7
"""Cells between a figure and its theory."""
BESIDE = ("reached", "messages", "duplicates")
"""Figures with their theory on the same line; any other theory has a line of its own."""


OUTCOMES = {"told": "text", "answered": "good", "published": "good"}
"""Outcome of an ask -> its style; any other is bad."""


def state_of(row: AskRow, snapshot: Snapshot) -> tuple[str, str]:
    """The state of an ask in a word or two, and its style."""
    if row.closed_us is None:
        if row.id in snapshot.spreading:
            return ("answered, spreading ▶", "answer") if row.hits else ("spreading ▶", "question")
        if row.id in snapshot.searching:
            return "answered, searching", "answer"
        if row.hits:
            goal = snapshot.fixed.goal(row.goal)
            said = goal.doing if goal else ""
            return said or ("downloading" if row.transfers else "under way"), "answer"
        # What is known at once need not wait for a time-out: nothing of the infrastructure can be reached.
        down = stations_down(snapshot)
        return (f"waiting: {down}", "bad") if down else ("waiting", "question")
    word = row.outcome or ("told" if row.sought == "share" else "answered" if row.hits else "no answer")
    return word, OUTCOMES.get(word, "bad")


BAR_LEAST, BAR_MOST = 4, 8
"""Cells of a bar of progress."""


def share_done(row: AskRow) -> float:
    """How much of an ask is done, 0 to 1; 0 where it reports no progress."""
    return min(max(row.done / row.of, 0.0), 1.0) if row.of > 0 else 0.0


def progress_figure(row: AskRow) -> str:
    """`16/17`, or `94%` where the parts are no whole numbers; empty where the ask reports no progress."""
    if row.of <= 0:
        return ""
    whole = row.done == int(row.done) and row.of == int(row.of) and row.of > 1
    return f"{si(row.done)}/{si(row.of)}" if whole else f"{share_done(row):.0%}"


def progress_bar(row: AskRow, cells: int) -> str:
    """`▰▰▰▱`: full only when all is done, and not empty once something is."""
    share = share_done(row)
    full = int(share * cells) if share < 1 else cells
    return "▰" * max(full, int(share > 0)) + "▱" * (cells - max(full, int(share > 0)))


def progress_in(row: AskRow, cells: int, word: str) -> str:
    """`16/17 ▰▰▰▱ downloading`, as much of it as fits; the word alone where the ask reports no progress."""
    figure = progress_figure(row)
    if not figure:
        return word
    room = cells - len(figure) - 1
    if room < BAR_LEAST:
        return figure
    wide = min(BAR_MOST, max(BAR_LEAST, room - cell_len(word) - 1))
    told = f"{figure} {progress_bar(row, wide)}"
    return f"{told} {word}" if cell_len(told) + 1 + cell_len(word) <= cells else told


def verdict_in(verdict: str, width: int) -> str:
    """As many whole clauses of a verdict as fit into so many cells."""
    if cell_len(verdict) <= width:
        return verdict
    ends = [verdict.find(mark, at) for mark in (": ", ", ", "; ", " (") for at in range(len(verdict))]
    fitting = [end for end in ends if end > 0 and cell_len(verdict[:end]) <= width]
    return verdict[: max(fitting)] if fitting else verdict


def verdict_fits(row: AskRow, cells: int) -> bool:
    """Whether the verdict is shown in so many cells, whole or shortened. That of a download that broke off is shown
    only whole, since its first clause alone says that the file was found."""
    return (
        row.closed_us is not None
        and bool(row.verdict)
        and (row.outcome != "not fetched" or cell_len(row.verdict) <= cells)
    )


def reached_share(row: AskRow) -> float:
    """Peers reached, as a share of those that were alive when it was issued, so that the figure of an old ask stays."""
    return row.reached / max(1, row.others)


def first_hit(row: AskRow) -> str:
    """`0.412 s`, or empty."""
    return "" if row.first_hit_us is None else f"{row.first_hit_us / 1e6:.3f} s"


REMARKS_COUNTED = 4
"""Values of a remark that are counted one by one, the most frequent first."""


def remarks_counted(asks: Sequence[AskRow]) -> str:
    """How many asks have each value of each remark (`Host.remark`): `watcher: client 12 · client + page 3 · none 5`."""
    keys = dict.fromkeys(key for row in asks for key in row.remarks)
    told = []
    for key in sorted(keys):
        counts = Counter(" + ".join(row.remarks.get(key, ())) for row in asks)
        without = counts.pop("", 0)
        most = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        words = [f"{value} {count:,}" for value, count in most[:REMARKS_COUNTED]]
        if len(most) > REMARKS_COUNTED:
            words.append(f"other {sum(count for _, count in most[REMARKS_COUNTED:]):,}")
        told.append(f"{key}: {' · '.join([*words, *([f'none {without:,}'] if without else [])])}")
    return "   ".join(told)


def account_rows(
    row: AskRow,
    snapshot: Snapshot,
    width: int,
    theory: Sequence[Theory] = (),
    answerers: Sequence[PeerId] = (),
    holders: Sequence[PeerId] = (),
    keepers: Sequence[PeerId] = (),
    spread_us: Sequence[int | None] = (),
) -> list[Row]:
    """The record of an ask: reach, answers, cost and verdict. theory: values to show beside the figures; answerers: who
    named holders, in order; holders, keepers: who has the thing, and who keeps a record of it, where these are others;
    spread_us: see `AskRow`, so far.
    """
    meant = meaning_of(snapshot)
    theory = [each for each in theory if _meant(meant, each.of)]
    told = {each.of: each for each in theory}
    horizon = snapshot.horizon
    hop = f"hop {row.hops}" if horizon is None else f"hop {row.hops} of {horizon}"
    share = row.duplicates / row.messages if row.messages else 0.0
    word, ink = state_of(row, snapshot)
    level = "meter-low" if share < 0.34 else "meter-mid" if share < 0.67 else "meter-high"
    first = first_hit(row)
    hits: list[Row] = []
    if row.sought != "share":
        came = (f"first {first}", "answer") if first else ("none yet", "dim")
        hits.append(_figure("hits", f"{row.hits:,}", *((came,) if row.closed_us is None or row.hits else ())))
    for title, those in (("answered by", answerers), ("who has it", holders), ("records at", keepers)):
        if those:
            hits.append(((title, "dim"), *names(snapshot, those, width - len(title), "answer")))
    reached = _figure(
        "reached",
        f"{row.reached:,}",
        (f"of {row.others:,} ".ljust(BESIDE_CELLS), "dim"),
        *([_theory_span(told["reached"])] if "reached" in told else [(hop, "text")]),
    )
    rows: list[Row] = [
        *([reached] if meant.reach else []),
        *([_spread_row(spread_us)] if meant.reach and any(at_us is not None for at_us in spread_us) else []),
        *hits,
        *([_figure("progress", progress_figure(row), (progress_bar(row, BAR_MOST), "answer"))] if row.of > 0 else []),
        *([_figure("deepest", f"{row.hops:,}", *_of(horizon))] if "reached" in told else []),
        _figure(
            "messages",
            f"{row.messages:,}",
            (f"{size_text(row.bytes)} ".ljust(BESIDE_CELLS), "dim"),
            *([_theory_span(told["messages"])] if "messages" in told else []),
        ),
    ]
    if meant.duplicates:
        rows.append(_figure("duplicates", f"{row.duplicates:,}", *_duplicates(share, level, told.get("duplicates"))))
    for each in theory:
        if each.of not in BESIDE:
            rows.append(_figure(each.of, f"{each.value:,.0f}", ("in theory", "dim")))
    lost = row.lost
    if lost:
        several = len(row.losses) > 1
        reasons = "  ".join(f"{reason} {count:,}" if several else reason for reason, count in row.losses.items())
        rows.append(_figure("lost", f"{lost:,}", (reasons, "bad")))
    if row.closed_us is None:
        rows.append(((word, ink),))
    else:
        rows.extend(((line, ink),) for line in wrap(row.verdict or word, max(8, width)))
    for key, values in row.remarks.items():
        rows.append(((f"{key:<10} ", "dim"), (" + ".join(values), "warn")))
    rows.extend(((line, "caption"),) for line in theory_lines(theory, width))
    return rows


def _spread_row(spread_us: Sequence[int | None]) -> Row:
    """`50 90 99 %   0.41  0.62  1.20 s`: when it had come to these shares of its audience."""
    times = ["–" if at_us is None else f"{at_us / 1e6:.2f}" for at_us in spread_us]
    shares = " ".join(f"{percent}" for percent in SPREAD)
    return _figure(f"{shares} %", times[0], (f" {'  '.join(times[1:])}", "text bold"), (" s", "text"))


def theory_lines(theory: Sequence[Theory], width: int) -> list[str]:
    """Where the figures of theory come from: `theory: reached 63, a flood of 7 hops comes to everybody; ...`."""
    whys = [f"{each.of} {_value(each)}, {each.why}" for each in theory if each.why]
    return wrap(f"theory: {'; '.join(whys)}.", max(8, width)) if whys else []


def _meant(meant: Meaning, of: str) -> bool:
    """Whether the figure that a theory predicts is shown in this network."""
    return {"reached": meant.reach, "hops": meant.reach, "duplicates": meant.duplicates}.get(of, True)


def _of(horizon: int | None) -> tuple[tuple[str, str], ...]:
    return () if horizon is None else ((f"of {horizon} hops", "dim"),)


def _duplicates(share: float, level: str, theory: Theory | None) -> tuple[tuple[str, str], ...]:
    """A meter of the share of duplicates; with a theory, there is room for the figure only."""
    if theory is None:
        return (meter(share, METER_CELLS), level), (f" {share:4.0%}", "text")
    return (f"{share:.0%} ".ljust(BESIDE_CELLS), level), _theory_span(theory)


def _theory_span(theory: Theory) -> tuple[str, str]:
    return f"theory {_value(theory)}", "caption"


def _value(theory: Theory) -> str:
    return f"{theory.value:,.0f}" if theory.value < 10_000 else si(theory.value)


def size_text(size: int) -> str:
    """`9.8 kB`: bytes in decimal units."""
    figure = si(size)
    return f"{figure} B" if figure[-1].isdigit() else f"{figure[:-1]} {figure[-1]}B"


def _figure(name: str, value: str, *rest: tuple[str, str]) -> Row:
    return ((f"{name:<10} ", "dim"), (f"{value:>6} ", "text bold"), *rest)


EMPTY = "No ask yet. Press {ask.here} and name something, or wait: peers ask by themselves."
HIDDEN = "None of these. {:,} other ask{} of this run, some opened by the network itself: {{ask.filter}} shows them."
FLEXIBLE = 24
"""Cells that text and result of an ask need together; where they have fewer, a column with figures is left out."""


@dataclass(frozen=True, slots=True)
class AskData:
    """The asks of a frame that are shown, oldest first, and which one is selected."""

    frame: Frame
    cursor: AskId | None
    asks: tuple[AskRow, ...]

    def integers(self, name: str) -> Values:
        """An attribute of every ask (A,)."""
        return np.array([getattr(row, name) for row in self.asks], np.int64)


def _number(data: AskData, item: int, cells: int) -> Span:
    ask = data.asks[item]
    return str(ask.id), "key" if ask.id == data.cursor else "dim"


def _origin(data: AskData, item: int, cells: int) -> Span:
    return data.frame.snapshot.fixed.labels[data.asks[item].origin], "text"


def _text(data: AskData, item: int, cells: int) -> Span:
    ask = data.asks[item]
    return ask.text, "text bold" if ask.by == "person" or ask.id == data.cursor else "text"


def _reached(data: AskData, item: int, cells: int) -> Span:
    return f"{reached_share(data.asks[item]):.0%}", "text"


def _messages(data: AskData, item: int, cells: int) -> Span:
    return si(data.asks[item].messages), "text"


def _hits(data: AskData, item: int, cells: int) -> Span:
    hits = data.asks[item].hits
    return str(hits), "text" if hits else "dim"


def _first(data: AskData, item: int, cells: int) -> Span:
    first_us = data.asks[item].first_hit_us
    return "" if first_us is None else f"{first_us / 1e6:.2f} s", "text"


def _first_hits(data: AskData) -> Values:
    """Asks without a hit come before those that waited longest for one."""
    return np.array([np.inf if row.first_hit_us is None else row.first_hit_us for row in data.asks], np.float64)


def _state(data: AskData, item: int, cells: int) -> Span:
    ask = data.asks[item]
    word, style = state_of(ask, data.frame.snapshot)
    # Where not even the first clause fits, the state is shown in a word: text that is cut off cannot be read.
    if verdict_fits(ask, cells) and cell_len(said := verdict_in(ask.verdict, cells)) <= cells:
        return said, style
    return (progress_in(ask, cells, word) if ask.closed_us is None else word), style


def _states(data: AskData) -> Values:
    """Open asks first, those with least done before others, then those without an answer, then by verdict."""
    return ranks([(row.closed_us is not None, bool(row.hits), share_done(row), row.verdict) for row in data.asks])


class AsksTable(VirtualTable[AskData]):
    """The table. Up and down, or a click, select an ask: it posts `AskPicked`."""

    DEFAULT_CSS = panel_css("AsksTable") + "AsksTable { padding: 0 0 0 1; }"
    ARROW = "reversed"
    BINDINGS = within(MOVING | SORTING)
    COLUMNS = (
        Column("#", 3, _number, lambda data: data.integers("id"), right=True, down=True),
        Column("from", 4, _origin, lambda data: data.integers("origin"), rank=1),
        Column("wanted", 9, _text, lambda data: ranks([row.text.casefold() for row in data.asks])),
        Column("reached", 7, _reached, lambda data: data.integers("reached"), right=True, down=True),
        Column("msgs", 6, _messages, lambda data: data.integers("messages"), rank=4, right=True, down=True),
        Column("hits", 4, _hits, lambda data: data.integers("hits"), rank=2, right=True, down=True),
        Column("first", 8, _first, _first_hits, rank=3, right=True, down=True),
        Column("state", FLEXIBLE - 9, _state, _states),
    )

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__("#", id=id, classes=classes)
        self._frame: Frame | None = None
        self._asks: tuple[AskRow, ...] = ()
        self._label_cells = 4
        self._meant = Meaning(True, True, True)

    def show(self, frame: Frame) -> None:
        """Take the newest frame."""
        before, asks = self._frame, shown_asks(frame.snapshot, frame.asks_of)
        other_run = before is None or before.snapshot.fixed.run is not frame.snapshot.fixed.run
        fresh = 0
        if other_run:
            self._label_cells = max((cell_len(label) for label in frame.snapshot.fixed.labels), default=4)
            self.scroll_to(y=0, animate=False)
        elif asks:
            newest = self.keys[-1] if len(self.keys) else 0
            fresh = sum(1 for row in asks if row.id > newest)
        # Rows of closed asks are the same objects from frame to frame, so this compares the few that are open.
        same = (
            not other_run
            and before is not None
            and asks == self._asks
            and frame.ask == self.cursor
            and frame.snapshot.spreading == before.snapshot.spreading
            and frame.snapshot.searching == before.snapshot.searching
            # Without rows the table says how many asks are hidden.
            and (bool(asks) or len(frame.snapshot.asks) == len(before.snapshot.asks))
        )
        self._frame, self._asks = frame, asks
        if not same:
            self._meant = meaning_of(frame.snapshot)
            self.cursor = frame.ask
            newest_first = np.arange(len(asks))[::-1]
            self.take(AskData(frame, frame.ask, asks), np.array([row.id for row in asks], np.int64), newest_first)
            self.sort_rows()
            self.rows_came(fresh if self.by == "#" and self.down else 0)
        total = frame.snapshot.asks_total
        kept = f"{len(asks)} of {total:,}" if total > len(asks) else f"{total}" if total else ""
        whose = f" · {frame.asks_of.words}" if len(filters_of(frame.snapshot)) > 1 or frame.asks_of.goal else ""
        name_panel(self, f"asks{whose} · {kept}" if kept else "asks", remarks_counted(asks))

    def width_of(self, column: Column[AskData]) -> int | None:
        if column.name == "#":
            total = self._frame.snapshot.asks_total if self._frame is not None else 0
            return max(column.width, len(str(total)))
        meant = self._meant
        if (column.name == "reached" and not meant.reach) or (column.name in ("hits", "first") and not meant.hits):
            return None
        return max(column.width, self._label_cells) if column.name == "from" else column.width

    def spread(self, cells: dict[str, int], left: int) -> None:
        """Text and state share what the columns with figures, whose widths are fixed, leave."""
        room = max(2, cells["wanted"] + cells["state"] + left)
        cells["wanted"] = min(24, max(room * 2 // 5, 1))
        cells["state"] = room - cells["wanted"]

    def empty(self, width: int) -> tuple[Row, ...]:
        hidden = len(self._frame.snapshot.asks) if self._frame is not None else 0
        told = HIDDEN.format(hidden, "" if hidden == 1 else "s") if hidden else EMPTY
        return tuple(((line, "dim"),) for line in wrap(keyed(self.app, told), width))

    def picked(self, key: AskId, click: events.Click | None = None) -> None:
        self.cursor = key
        index = self.row_of(key)
        if self._frame is not None:
            self.data = AskData(self._frame, key, self._asks)
        if index is not None:
            self.reveal(index)
        self.changed()
        self.refresh()
        self.post_message(AskPicked(key))
