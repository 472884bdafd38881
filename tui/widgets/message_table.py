"""What the network says, by kind of message: how many, how large, how fast, and what became of those that got lost.

Where the bytes go is where a protocol's cost lies: in Gnutella most messages keep the network together and most bytes
are files. The share is of bytes delivered, which a bar shows; figures a second are of virtual time, over the last few
seconds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from textual import events

from engine import Fixed, Kind
from tui.config.keys import within
from tui.draw.chart import meter, si
from tui.session.frame import Frame

from .asks_table import size_text
from .panel import Roll, name_panel, panel_css
from .text import Row, Span, fit, wrap

WINDOW_US = 3_000_000
EMPTY = "Nothing was said yet."


@dataclass(frozen=True, slots=True)
class Tally:
    """One kind as it stands. per_s: sent a virtual second; share: of all bytes delivered, 0 to 1."""

    kind: Kind
    sent: int
    bytes: int
    share: float
    per_s: float
    lost: tuple[tuple[str, int], ...]

    @property
    def dropped(self) -> int:
        return sum(count for _, count in self.lost)


SORTS = ("kind", "part", "sent", "bytes", "per s", "lost")


class Kinds(Roll):
    """The panel. A click on a column sorts by it, and so do left and right; `rows` are what it shows."""

    DEFAULT_CSS = panel_css("Kinds") + "Kinds { padding: 0 0 0 1; }"
    HEADER = 1
    BINDINGS = within({"list.left": "sort(-1)", "list.right": "sort(1)"})

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.rows: list[Tally] = []
        self.by = "bytes"
        self._past: deque[tuple[int, dict[str, int]]] = deque()
        self._fixed: Fixed | None = None
        self._frame: Frame | None = None

    def show(self, frame: Frame) -> None:
        """Take the newest figures."""
        snapshot = frame.snapshot
        self._frame = frame
        before, self._fixed = self._fixed, snapshot.fixed
        if before is None or before.run is not snapshot.fixed.run:
            self._past.clear()
        if not self._past or snapshot.now_us > self._past[-1][0]:
            self._past.append((snapshot.now_us, dict(snapshot.totals.by_kind)))
        while len(self._past) > 2 and self._past[1][0] <= snapshot.now_us - WINDOW_US:
            self._past.popleft()
        fresh = self._tallies(frame)
        if fresh != self.rows:
            self.rows = fresh
            self.rows_came(0)
        totals = snapshot.totals
        name_panel(self, f"kinds · {si(totals.sent).strip()} sent · {si(totals.dropped).strip()} lost")

    def _tallies(self, frame: Frame) -> list[Tally]:
        totals = frame.snapshot.totals
        kinds = {kind.name: kind for kind in frame.snapshot.fixed.kinds}
        (then_us, then), (now_us, now) = self._past[0], self._past[-1]
        span_s = (now_us - then_us) / 1e6
        everything = sum(totals.bytes_by_kind.values())
        told = []
        for name, sent in totals.by_kind.items():
            size = totals.bytes_by_kind.get(name, 0)
            lost = sorted(totals.dropped_kinds.get(name, {}).items(), key=lambda one: (-one[1], one[0]))
            rate = (now.get(name, 0) - then.get(name, 0)) / span_s if span_s > 0 else 0.0
            kind = kinds.get(name, Kind(name, "upkeep", "stream"))
            told.append(Tally(kind, sent, size, size / everything if everything else 0.0, rate, tuple(lost)))
        keys = {
            "kind": lambda one: one.kind.name.lower(),
            "part": lambda one: (one.kind.part, one.kind.name),
            "sent": lambda one: (-one.sent, one.kind.name),
            "bytes": lambda one: (-one.bytes, -one.sent, one.kind.name),
            "per s": lambda one: (-one.per_s, one.kind.name),
            "lost": lambda one: (-one.dropped, one.kind.name),
        }
        return sorted(told, key=keys[self.by])

    def row_count(self) -> int:
        """How many kinds there are."""
        return len(self.rows)

    def _columns(self, width: int) -> list[tuple[str, int, bool]]:
        """(name, cells, whether flush right) of those there is room for; the reasons of losses take the rest."""
        longest = max((len(one.kind.name) for one in self.rows), default=4)
        columns = [
            ("kind", min(max(longest, 6), 18), False),
            ("part", 8, False),
            ("over", 8, False),
            ("sent", 6, True),
            ("share", 13, False),
            ("bytes", 8, True),
            ("per s", 6, True),
            ("lost", 6, True),
        ]
        for name in ("over", "share", "part", "per s", "lost"):
            if sum(cells + 1 for _, cells, _ in columns) > width:
                columns = [column for column in columns if column[0] != name]
        rest = sum(cells + 1 for name, cells, _ in columns[1:])
        return [("kind", max(4, min(columns[0][1], width - rest - 1)), False), *columns[1:]]

    def header(self, line: int, width: int) -> Row:
        """The names of the columns; an arrow at the one that is sorted by."""
        row: list[Span] = []
        for name, cells, right in self._columns(width):
            text = f"{name}{('↑' if name in ('kind', 'part') else '↓') if name == self.by else ''}"
            row += [(fit(text, cells, right=right), "key bold" if name == self.by else "dim"), (" ", "dim")]
        return tuple(row)

    def row(self, index: int, width: int) -> Row:
        """One kind."""
        one = self.rows[index]
        ink = one.kind.part
        row: list[Span] = []
        for name, cells, right in self._columns(width):
            text, how = {
                "kind": (one.kind.name, f"{ink} bold"),
                "part": (one.kind.part, ink),
                "over": (one.kind.over, "dim"),
                "sent": (si(one.sent), "text" if one.sent else "dim"),
                "share": (f"{meter(one.share, cells - 5)} {one.share:4.0%}", ink),
                "bytes": (size_text(one.bytes), "text" if one.bytes else "dim"),
                "per s": (si(one.per_s), "text" if one.per_s else "dim"),
                "lost": (si(one.dropped), "lost" if one.dropped else "dim"),
            }[name]
            row += [(fit(text, cells, right=right), how), (" ", "text")]
        reasons = "  ".join(f"{reason} {si(count)}" for reason, count in one.lost)
        return (*row, (reasons, "dim"))

    def empty(self, width: int) -> tuple[Row, ...]:
        """No kind is known."""
        return tuple(((line, "dim"),) for line in wrap(EMPTY, width))

    def sort_by(self, name: str) -> None:
        """Sort by this column: names from A on, figures from the greatest."""
        self.by = name
        if self._frame is not None:
            self.rows = self._tallies(self._frame)
            self.rows_came(0)
        self.refresh()

    def action_sort(self, by: int) -> None:
        """Sort by the column so many to the right."""
        self.sort_by(SORTS[min(max(SORTS.index(self.by) + by, 0), len(SORTS) - 1)])

    def on_click(self, event: events.Click) -> None:
        """A click on a column sorts by it."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y >= self.HEADER:
            return
        left = 0
        for name, cells, _ in self._columns(self.scrollable_content_region.width):
            if left <= offset.x <= left + cells and (name in SORTS or name == "share"):
                self.sort_by("bytes" if name == "share" else name)
            left += cells + 1
