"""Messages by kind: how many, how large, how fast, and why some were lost.

The share is of bytes delivered: in Gnutella most messages keep the network together, and most bytes are files. Rates
are per second of virtual time, over the last few seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from engine import Fixed, Kind, dataclass
from tui.config.keys import within
from tui.draw.chart import meter, si
from tui.draw.styles import PART_INKS
from tui.session.frame import Frame

from .asks_table import size_text
from .panel import name_panel, panel_css
from .table import SORTING, Column, Values, VirtualTable, ranks
from .text import Row, Span, wrap

WINDOW_US = 3_000_000
EMPTY = "No message was sent yet."


@dataclass(frozen=True, slots=True)
class Tally:
    """Figures of one kind. per_s: sent per virtual second; share: of all bytes delivered, 0 to 1."""

    kind: Kind
    sent: int
    bytes: int
    share: float
    per_s: float
    lost: tuple[tuple[str, int], ...]

    @property
    def dropped(self) -> int:
        return sum(count for _, count in self.lost)


Tallies = Sequence[Tally]


def _kind(tallies: Tallies, item: int, cells: int) -> Span:
    kind = tallies[item].kind
    return kind.name, f"{PART_INKS.get(kind.part, kind.part)} bold"


def _part(tallies: Tallies, item: int, cells: int) -> Span:
    part = tallies[item].kind.part
    return part, PART_INKS.get(part, part)


def _over(tallies: Tallies, item: int, cells: int) -> Span:
    return tallies[item].kind.over, "dim"


def _sent(tallies: Tallies, item: int, cells: int) -> Span:
    sent = tallies[item].sent
    return si(sent), "text" if sent else "dim"


def _share(tallies: Tallies, item: int, cells: int) -> Span:
    one = tallies[item]
    return f"{meter(one.share, cells - 5)} {one.share:4.0%}", PART_INKS.get(one.kind.part, one.kind.part)


def _bytes(tallies: Tallies, item: int, cells: int) -> Span:
    size = tallies[item].bytes
    return size_text(size), "text" if size else "dim"


def _by_bytes(tallies: Tallies) -> Values:
    return ranks([(one.bytes, one.sent) for one in tallies])


def _rate(tallies: Tallies, item: int, cells: int) -> Span:
    rate = tallies[item].per_s
    return si(rate), "text" if rate else "dim"


def _lost(tallies: Tallies, item: int, cells: int) -> Span:
    dropped = tallies[item].dropped
    return si(dropped), "lost" if dropped else "dim"


def _reasons(tallies: Tallies, item: int, cells: int) -> Span:
    return "  ".join(f"{reason} {si(count)}" for reason, count in tallies[item].lost), "dim"


class MessageTable(VirtualTable[Tallies]):
    """The panel. Kinds that are equal in the column sorted by come in the order of their names."""

    DEFAULT_CSS = panel_css("MessageTable") + "MessageTable { padding: 0 0 0 1; }"
    BINDINGS = within(SORTING)
    COLUMNS = (
        Column("kind", 6, _kind, lambda tallies: ranks([one.kind.name.lower() for one in tallies])),
        Column("part", 8, _part, lambda tallies: ranks([one.kind.part for one in tallies]), rank=3),
        Column("over", 8, _over, rank=5),
        Column(
            "sent", 6, _sent, lambda tallies: np.array([one.sent for one in tallies], np.int64), right=True, down=True
        ),
        Column("share", 13, _share, rank=4, sorts="bytes"),
        Column("bytes", 8, _bytes, _by_bytes, right=True, down=True),
        Column(
            "per s",
            6,
            _rate,
            lambda tallies: np.array([one.per_s for one in tallies], np.float64),
            rank=2,
            right=True,
            down=True,
        ),
        Column(
            "lost",
            6,
            _lost,
            lambda tallies: np.array([one.dropped for one in tallies], np.int64),
            rank=1,
            right=True,
            down=True,
        ),
        Column("", 0, _reasons),
    )

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__("bytes", id=id, classes=classes)
        self._past: deque[tuple[int, dict[str, int]]] = deque()
        self._fixed: Fixed | None = None

    @property
    def rows(self) -> list[Tally]:
        """What is shown, in the order of the rows."""
        return [self.data[item] for item in self.order.tolist()] if self.data is not None else []

    def show(self, frame: Frame) -> None:
        """Take the newest frame."""
        snapshot = frame.snapshot
        before, self._fixed = self._fixed, snapshot.fixed
        if before is None or before.run is not snapshot.fixed.run:
            self._past.clear()
        if not self._past or snapshot.now_us > self._past[-1][0]:
            self._past.append((snapshot.now_us, dict(snapshot.totals.by_kind)))
        while len(self._past) > 2 and self._past[1][0] <= snapshot.now_us - WINDOW_US:
            self._past.popleft()
        fresh = self._tallies(frame)
        if fresh != self.data:
            self.take(fresh, np.array([one.kind.name for one in fresh]))
            self.sort_rows()
            self.rows_came(0)
        totals = snapshot.totals
        name_panel(self, f"kinds · {si(totals.sent).strip()} sent · {si(totals.dropped).strip()} lost")

    def _tallies(self, frame: Frame) -> list[Tally]:
        totals = frame.snapshot.totals
        kinds = {kind.name: kind for kind in frame.snapshot.fixed.kinds}
        (then_us, then), (now_us, now) = self._past[0], self._past[-1]
        span_s = (now_us - then_us) / 1e6
        everything = sum(totals.bytes_by_kind.values())
        tallies = []
        for name, sent in sorted(totals.by_kind.items()):
            size = totals.bytes_by_kind.get(name, 0)
            lost = sorted(totals.dropped_kinds.get(name, {}).items(), key=lambda one: (-one[1], one[0]))
            rate = (now.get(name, 0) - then.get(name, 0)) / span_s if span_s > 0 else 0.0
            kind = kinds.get(name, Kind(name, "upkeep", "stream"))
            tallies.append(Tally(kind, sent, size, size / everything if everything else 0.0, rate, tuple(lost)))
        return tallies

    def width_of(self, column: Column[Tallies]) -> int | None:
        if column.name == "kind":
            longest = max((len(one.kind.name) for one in self.data or ()), default=0)
            return min(max(longest, column.width), 18)
        return column.width

    def spread(self, cells: dict[str, int], left: int) -> None:
        """The reasons of losses take what is left; where cells are missing, the name of the kind is cut."""
        cells[""] = max(0, left)
        cells["kind"] = max(4, cells["kind"] + min(0, left))

    def empty(self, width: int) -> tuple[Row, ...]:
        return tuple(((line, "dim"),) for line in wrap(EMPTY, width))
