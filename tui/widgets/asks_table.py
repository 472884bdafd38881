"""All asks that are kept, newest on top: what was wanted, how far it went, what it cost, what came of it.

A click on a column sorts by it, and left and right go through the columns; what is equal stays newest on top. Written
as a `Roll` and not as a `DataTable`: a row costs something only while it is in sight, and the chosen ask stays chosen,
and in its place, while newer ones arrive above it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from textual import events

from engine import AskId, AskRow, PeerId, Snapshot, Theory
from tui.config.keys import keyed, within
from tui.draw.chart import meter, si
from tui.session.frame import Frame
from tui.widgets.messages import AskPicked

from .panel import Roll, name_panel, panel_css
from .text import Row, Span, fit, names, wrap

# The account of one ask, in rows: shared by the inspector and whoever else tells it.

METER_CELLS = 8
BESIDE_CELLS = 7
"""Room for what stands between a figure and its theory."""
BESIDE = ("reached", "messages", "duplicates")
"""Figures that a theory stands beside; any other is told on a line of its own."""


def state_of(row: AskRow, snapshot: Snapshot) -> tuple[str, str]:
    """In a word or two how an ask stands, and the ink for it."""
    if row.closed_us is None:
        if row.id in snapshot.spreading:
            return ("answered, spreading ▶", "answer") if row.hits else ("spreading ▶", "question")
        return ("answered, fetching", "answer") if row.hits else ("waiting", "question")
    if row.want == "broadcast":  # nobody answers a rumour: it is heard or not
        return "told", "text"
    return ("answered", "good") if row.hits else ("no answer", "bad")


def verdict_in(verdict: str, width: int) -> str:
    """As many of a verdict's clauses as fit into so many cells: a sentence that ends early beats one cut in a word."""
    if cell_len(verdict) <= width:
        return verdict
    ends = [verdict.find(mark, at) for mark in (": ", ", ", "; ", " (") for at in range(len(verdict))]
    fitting = [end for end in ends if end > 0 and cell_len(verdict[:end]) <= width]
    return verdict[: max(fitting)] if fitting else verdict


def reached_share(row: AskRow, snapshot: Snapshot) -> float:
    """Peers reached, as a share of all others that exist, dead ones too: so that the figure of an old ask stays."""
    return row.reached / max(1, len(snapshot.state) - 1)


def first_hit(row: AskRow) -> str:
    """`0.412 s`, or empty."""
    return "" if row.first_hit_us is None else f"{row.first_hit_us / 1e6:.3f} s"


def account_rows(
    row: AskRow, snapshot: Snapshot, width: int, theory: Sequence[Theory] = (), holders: Sequence[PeerId] = ()
) -> list[Row]:
    """What became of an ask: how far it came and who answered, then what that cost, beside each figure what `theory`
    has for it; and its verdict, wrapped. `holders`: who was named as having it, in order."""
    told = {each.of: each for each in theory}
    others = max(1, len(snapshot.state) - 1)
    horizon = snapshot.horizon
    hop = f"hop {row.hops}" if horizon is None else f"hop {row.hops} of {horizon}"
    share = row.duplicates / row.messages if row.messages else 0.0
    word, ink = state_of(row, snapshot)
    level = "meter-low" if share < 0.34 else "meter-mid" if share < 0.67 else "meter-high"
    first = first_hit(row)
    hits: list[Row] = []
    if row.want != "broadcast":
        came = (f"first {first}", "answer") if first else ("none yet", "dim")
        hits.append(_figure("hits", f"{row.hits:,}", *((came,) if row.closed_us is None or row.hits else ())))
    if holders:
        hits.append((("answered by", "dim"), *names(snapshot, holders, width - 11, "answer")))
    rows: list[Row] = [
        _figure(
            "reached",
            f"{row.reached:,}",
            (f"of {others:,} ".ljust(BESIDE_CELLS), "dim"),
            *([_foretold(told["reached"])] if "reached" in told else [(hop, "text")]),
        ),
        *hits,
        *([_figure("deepest", f"{row.hops:,}", *_of(horizon))] if "reached" in told else []),
        _figure(
            "messages",
            f"{row.messages:,}",
            (f"{size_text(row.bytes)} ".ljust(BESIDE_CELLS), "dim"),
            *([_foretold(told["messages"])] if "messages" in told else []),
        ),
        _figure("duplicates", f"{row.duplicates:,}", *_vain(share, level, told.get("duplicates"))),
    ]
    for each in theory:
        if each.of not in BESIDE:
            rows.append(_figure(each.of, f"{each.value:,.0f}", (each.why if width >= 44 else "in theory", "dim")))
    lost = row.lost
    if lost:
        several = len(row.losses) > 1
        reasons = "  ".join(f"{reason} {count:,}" if several else reason for reason, count in row.losses.items())
        rows.append(_figure("lost", f"{lost:,}", (reasons, "bad")))
    if row.closed_us is None:
        rows.append(((word, ink),))
    else:
        rows.extend(((line, ink),) for line in wrap(row.verdict or word, max(8, width)))
    return rows


def _of(horizon: int | None) -> tuple[tuple[str, str], ...]:
    return () if horizon is None else ((f"of {horizon} hops", "dim"),)


def _vain(share: float, level: str, theory: Theory | None) -> tuple[tuple[str, str], ...]:
    """A meter of what was told in vain; where a theory stands beside it there is room for the figure alone."""
    if theory is None:
        return (meter(share, METER_CELLS), level), (f" {share:4.0%}", "text")
    return (f"{share:.0%} ".ljust(BESIDE_CELLS), level), _foretold(theory)


def _foretold(theory: Theory) -> tuple[str, str]:
    value = f"{theory.value:,.0f}" if theory.value < 10_000 else si(theory.value)
    return f"theory {value}", "caption"


def size_text(size: int) -> str:
    """`9.8 kB`: bytes in decimal units."""
    figure = si(size)
    return f"{figure} B" if figure[-1].isdigit() else f"{figure[:-1]} {figure[-1]}B"


def _figure(name: str, value: str, *rest: tuple[str, str]) -> Row:
    return ((f"{name:<10} ", "dim"), (f"{value:>6} ", "text bold"), *rest)


EMPTY = "No ask yet. Press {ask.here} and name something, or wait: peers ask by themselves."
MANY = 10_000


SORTS: dict[str, Callable[[AskRow], Any] | None] = {
    "#": None,
    "from": lambda row: row.origin,
    "wanted": lambda row: row.text.casefold(),
    "reached": lambda row: -row.reached,
    "msgs": lambda row: -row.messages,
    "hits": lambda row: -row.hits,
    "first": lambda row: (row.first_hit_us is not None, -(row.first_hit_us or 0)),
    "state": lambda row: (row.closed_us is not None, bool(row.hits), row.verdict),
}
"""Column -> what is sorted by, the least first: asks without an answer before those with one, open ones before both."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths in cells for one width of the table; 0 leaves a column out."""

    number: int
    origin: int
    wanted: int
    reached: int
    messages: int
    hits: int
    first: int
    state: int


def columns_for(width: int, number: int, label: int) -> Columns:
    """Fixed widths, so that nothing moves when figures change. What is wanted and how it stands share what is left;
    when that is too little, figures go, the cheapest loss first."""
    sizes = {"number": number, "origin": label, "reached": 7, "messages": 6, "hits": 4, "first": 8}
    for dropped in ("", "messages", "first", "hits", "origin"):
        sizes.pop(dropped, None)
        left = width - sum(sizes.values()) - len(sizes) - 1
        if left >= 24:
            break
    left = max(2, left)
    wanted = min(24, max(left * 2 // 5, 1))
    get = sizes.get
    return Columns(
        number=number,
        origin=get("origin", 0),
        wanted=wanted,
        reached=get("reached", 0),
        messages=get("messages", 0),
        hits=get("hits", 0),
        first=get("first", 0),
        state=left - wanted,
    )


class AsksTable(Roll):
    """The table. Up and down, or a click, choose an ask: it posts `AskPicked`."""

    DEFAULT_CSS = panel_css("AsksTable") + "AsksTable { padding: 0 0 0 1; }"
    HEADER = 1
    BINDINGS = within(
        {
            "list.up": "pick(-1)",
            "list.down": "pick(1)",
            "list.far_up": "pick(-10)",
            "list.far_down": "pick(10)",
            "list.first": f"pick(-{MANY})",
            "list.last": f"pick({MANY})",
            "list.left": "sort(-1)",
            "list.right": "sort(1)",
        }
    )

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._frame: Frame | None = None
        self._asks: tuple[AskRow, ...] = ()
        self._rows: list[AskRow] = []
        """In the order they are shown in."""
        self.by = "#"
        """The column that is sorted by."""
        self._cursor: AskId | None = None
        self._labels = 4

    @property
    def cursor(self) -> AskId | None:
        """The chosen ask."""
        return self._cursor

    def show(self, frame: Frame) -> None:
        """Take the newest figures."""
        asks = frame.snapshot.asks
        other_run = self._frame is None or self._frame.snapshot.fixed.run is not frame.snapshot.fixed.run
        fresh = 0
        if other_run:
            self._labels = max((cell_len(label) for label in frame.snapshot.fixed.labels), default=4)
            self.scroll_to(y=0, animate=False)
        elif asks:
            newest = self._asks[-1].id if self._asks else 0
            fresh = sum(1 for row in asks if row.id > newest)
        # Rows of closed asks are the same objects from frame to frame, so this compares the few that are open.
        before = None if self._frame is None else self._frame.snapshot.spreading
        same = not other_run and asks == self._asks and frame.ask == self._cursor
        same = same and frame.snapshot.spreading == before
        self._frame, self._asks = frame, asks
        self._cursor = frame.ask
        if not same:
            self._sort()
            self.rows_came(fresh if self.by == "#" else 0)
        total = frame.snapshot.asks_total
        kept = f"{len(asks)} of {total:,}" if total > len(asks) else f"{total}" if total else ""
        name_panel(self, f"asks · {kept}" if kept else "asks")

    def row_count(self) -> int:
        """How many asks are kept."""
        return len(self._asks)

    def is_cursor(self, index: int) -> bool:
        """Whether it is the chosen one."""
        return self._rows[index].id == self._cursor

    def _sort(self) -> None:
        rows = list(self._asks)[::-1]
        key = SORTS[self.by]
        self._rows = sorted(rows, key=key) if key is not None else rows

    def sort_by(self, name: str) -> None:
        """Sort by this column: newest, most and slowest first, names from A on."""
        self.by = name
        self._sort()
        self.scroll_to(y=0, animate=False)
        self.rows_came(0)

    def action_sort(self, by: int) -> None:
        """Sort by the column so many to the right."""
        shown = [name for name, cells in self._cells(self.scrollable_content_region.width) if cells]
        at = shown.index(self.by) if self.by in shown else 0
        self.sort_by(shown[min(max(at + by, 0), len(shown) - 1)])

    def _cells(self, width: int) -> tuple[tuple[str, int], ...]:
        """(name, cells) of the columns as they stand; 0 cells: left out."""
        c = self._columns(width)
        sizes = (c.number, c.origin, c.wanted, c.reached, c.messages, c.hits, c.first, c.state)
        return tuple(zip(SORTS, sizes, strict=True))

    def header(self, line: int, width: int) -> Row:
        """The names of the columns."""
        row: list[Span] = []
        for name, cells in self._cells(width):
            if cells:
                right = name not in ("from", "wanted", "state")
                row += [(fit(name, cells, right=right), "key bold" if name == self.by else "dim"), (" ", "dim")]
        return tuple(row)

    def row(self, index: int, width: int) -> Row:
        """One ask."""
        frame = self._frame
        ask = self._rows[index]
        assert frame is not None
        c = self._columns(width)
        chosen = self.is_cursor(index)
        word, ink = state_of(ask, frame.snapshot)
        told = verdict_in(ask.verdict, c.state) if ask.closed_us is not None and ask.verdict else word
        first = "" if ask.first_hit_us is None else f"{ask.first_hit_us / 1e6:.2f} s"
        spans: tuple[Span, ...] = (
            (fit(str(ask.id), c.number, right=True), "key" if chosen else "dim"),
            (fit(frame.snapshot.fixed.labels[ask.origin], c.origin), "text"),
            (fit(ask.text, c.wanted), "text bold" if ask.by == "person" or chosen else "text"),
            (fit(f"{reached_share(ask, frame.snapshot):.0%}", c.reached, right=True), "text"),
            (fit(si(ask.messages), c.messages, right=True), "text"),
            (fit(str(ask.hits), c.hits, right=True), "text" if ask.hits else "dim"),
            (fit(first, c.first, right=True), "text"),
            (fit(told, c.state), ink),
        )
        row: list[Span] = []
        for span in spans:
            if span[0]:
                row += [span, (" ", "text")]
        return tuple(row)

    def empty(self, width: int) -> tuple[Row, ...]:
        """What to do when nobody asked yet."""
        from .text import wrap

        return tuple(((line, "dim"),) for line in wrap(keyed(self.app, EMPTY), width))

    def _columns(self, width: int) -> Columns:
        total = self._frame.snapshot.asks_total if self._frame is not None else 0
        return columns_for(width, max(3, len(str(total))), max(4, self._labels))

    def action_pick(self, by: int) -> None:
        """Choose the ask so many rows further down."""
        if not self._asks:
            return
        at = next((i for i, row in enumerate(self._rows) if row.id == self._cursor), None)
        self._pick(0 if at is None else min(max(at + by, 0), len(self._asks) - 1))

    def on_click(self, event: events.Click) -> None:
        """Choose the ask under the pointer, or sort by the column whose name is there."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y < self.HEADER:
            left = 0
            for name, cells in self._cells(self.scrollable_content_region.width):
                if cells and left <= offset.x <= left + cells:
                    self.sort_by(name)
                left += cells + 1 if cells else 0
            return
        index = self.index_at(offset.y) if offset is not None else None
        if index is not None:
            self._pick(index)

    def _pick(self, index: int) -> None:
        self._cursor = self._rows[index].id
        self.reveal(index)
        self.refresh()
        self.post_message(AskPicked(self._cursor))
