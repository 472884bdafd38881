"""All peers as a table: sorted by any column, filtered by a selector, with the same selection as the picture.

A column that is sorted by is one array of the snapshot, and is sorted at most once a second: rows that change places
five times a second cannot be read. Peers that are equal in one column keep the order of the column sorted by before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from textual import events

from engine import PeerId, Shown
from tui.config.keys import keyed, within
from tui.draw.chart import age, si
from tui.draw.colours import value_text
from tui.session.frame import Frame
from tui.widgets.messages import MenuWanted, PeerPicked, PeersPicked

from .panel import name_panel, panel_css
from .table import MOVING, SORTING, Column, Values, VirtualTable, ranks
from .text import STATE, Row, Span, state_word, wrap

RESORT_S = 1.0
HINT = "{list.left} {list.right} sort · {peer.filter} filter"
NOBODY = "No peer is “%s” just now. {peer.filter} filters by something else, {app.back} shows all."
UNKNOWN, HEARSAY = 1 << 61, 1 << 60
"""Sort values of peers that the selected one does not know, or knows only from others, in microseconds."""


class PeerData:
    """The newest frame, and what is computed once a run or once for each version of the links."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self._ranks: dict[str, NDArray[np.int64]] = {}
        self._degrees: NDArray[np.int64] = np.zeros(0, np.int64)
        self._links_version: int | None = None

    def rank(self, name: str, texts: Sequence[str]) -> NDArray[np.int64]:
        """The alphabetic rank of each text, empty ones last; computed once for each name."""
        known = self._ranks.get(name)
        if known is None:
            known = self._ranks[name] = ranks([(not text, text) for text in texts])
        return known

    def degrees(self) -> NDArray[np.int64]:
        """Links of each peer (N,): open streams, or contacts where there are none."""
        links, n = self.frame.snapshot.links, len(self.frame.snapshot.state)
        if links.version != self._links_version or len(self._degrees) != n:
            self._links_version = links.version
            self._degrees = np.bincount(links.a, minlength=n) + np.bincount(links.b, minlength=n)
        return self._degrees


def _label(data: PeerData, peer: PeerId, cells: int) -> Span:
    return data.frame.snapshot.fixed.labels[peer], "text"


def _labels(data: PeerData) -> Values:
    return data.rank("label", data.frame.snapshot.fixed.labels)


def _state(data: PeerData, peer: PeerId, cells: int) -> Span:
    word = state_word(data.frame, peer)
    return f"{STATE[word]} {word}", word


def _states(data: PeerData) -> Values:
    snapshot = data.frame.snapshot
    flags = snapshot.censored * 8 + snapshot.colluding * 4 + snapshot.poisoned * 2
    if len(snapshot.held) == len(flags):
        flags += snapshot.held
    return np.asarray(snapshot.state.astype(np.int64) * 16 + flags, np.int64)


def _role(data: PeerData, peer: PeerId, cells: int) -> Span:
    snapshot = data.frame.snapshot
    return snapshot.roles[int(snapshot.role[peer])], "infrastructure" if snapshot.fixed.infrastructure[peer] else "dim"


def _roles(data: PeerData) -> Values:
    snapshot = data.frame.snapshot
    # A protocol may give further roles while it runs.
    return data.rank(f"role/{len(snapshot.roles)}", snapshot.roles)[snapshot.role]


def _city(data: PeerData, peer: PeerId, cells: int) -> Span:
    fixed = data.frame.snapshot.fixed
    place = int(fixed.place[peer])
    return fixed.places.names[place] if 0 <= place < len(fixed.places.names) else "", "text"


def _cities(data: PeerData) -> Values:
    fixed = data.frame.snapshot.fixed
    by_name = data.rank("city", fixed.places.names)
    return by_name[fixed.place] if len(by_name) else np.zeros(len(fixed.place), np.int64)


def _operator(data: PeerData, peer: PeerId, cells: int) -> Span:
    return data.frame.snapshot.fixed.operator[peer], "text"


def _operators(data: PeerData) -> Values:
    return data.rank("operator", data.frame.snapshot.fixed.operator)


def _links(data: PeerData, peer: PeerId, cells: int) -> Span:
    return str(int(data.degrees()[peer])), "text"


def _files(data: PeerData, peer: PeerId, cells: int) -> Span:
    return si(int(data.frame.snapshot.files[peer])), "text"


def _load(data: PeerData, peer: PeerId, cells: int) -> Span:
    load = float(data.frame.snapshot.load[peer])
    return si(load), "chart-2" if load else "dim"


def _heard(data: PeerData, peer: PeerId, cells: int) -> Span:
    snapshot = data.frame.snapshot
    at = int(snapshot.last_heard_us[peer])
    return ("never", "dim") if at < 0 else (age(max(0, snapshot.now_us - at) / 1e6), "text")


def _belief(data: PeerData, peer: PeerId, cells: int) -> Span:
    frame, facts = data.frame, data.frame.facts
    if facts is None or facts.peer == peer:
        return "", "dim"
    belief = facts.beliefs.known.get(peer)
    if belief is None:
        return "–", "dim"
    style = "text" if frame.snapshot.state[peer] == 0 and not frame.snapshot.censored[peer] else "warn"
    return ("from others" if belief.heard_us is None else age((frame.snapshot.now_us - belief.heard_us) / 1e6)), style


def _beliefs(data: PeerData) -> Values:
    frame, facts = data.frame, data.frame.facts
    ago = np.full(len(frame.snapshot.state), UNKNOWN, np.int64)
    if facts is not None:
        for peer, belief in facts.beliefs.known.items():
            if 0 <= peer < len(ago):
                ago[peer] = HEARSAY if belief.heard_us is None else frame.snapshot.now_us - belief.heard_us
    return ago


COLUMNS: tuple[Column[PeerData], ...] = (
    Column("label", 6, _label, _labels),
    Column("state", 11, _state, _states, rank=1),
    Column("role", 10, _role, _roles, rank=7),
    Column("city", 13, _city, _cities, rank=6),
    Column("operator", 14, _operator, _operators, rank=9),
    Column("links", 6, _links, PeerData.degrees, rank=2, right=True, down=True),
    Column("files", 6, _files, lambda data: data.frame.snapshot.files.astype(np.int64), rank=5, right=True, down=True),
    # Messages received in the last second.
    Column("load", 6, _load, lambda data: data.frame.snapshot.load.astype(np.float64), rank=3, right=True, down=True),
    # Time since any peer last heard from it.
    Column(
        "heard",
        6,
        _heard,
        lambda data: data.frame.snapshot.now_us - data.frame.snapshot.last_heard_us,
        rank=4,
        right=True,
    ),
    # Time since the selected peer last heard of it, as it believes.
    Column("believed", 11, _belief, _beliefs, rank=8, right=True),
)


def shown_column(shown: Shown) -> Column[PeerData]:
    """A column that the network shows of its peers."""

    def cell(data: PeerData, peer: PeerId, cells: int) -> Span:
        column = data.frame.snapshot.shown.get(shown.name)
        if column is None:
            return "", "dim"
        value = column.names[column.codes[peer]] if column.names else float(column.values[peer])
        return value_text(shown, value), "text"

    def values(data: PeerData) -> Values:
        column = data.frame.snapshot.shown.get(shown.name)
        if column is None:
            return np.zeros(len(data.frame.snapshot.state), np.int64)
        if column.names:
            return ranks(column.names)[column.codes]
        # Peers without a value come last, whichever way the rows are sorted, as NumPy sorts NaN to the end.
        return column.values

    text = shown.kind == "category"
    width = max(len(shown.name) + 1, CATEGORY_CELLS if text else FIGURE_CELLS)
    return Column(shown.name, width, cell, values, rank=2, right=not text, down=not text)


CATEGORY_CELLS, FIGURE_CELLS = 11, 6


class PeersTable(VirtualTable[PeerData]):
    """Posts `PeerPicked`, `PeersPicked` and `MenuWanted`. The screen's arrow keys ask `toward` which peer is next."""

    DEFAULT_CSS = panel_css("PeersTable") + "PeersTable { padding: 0 0 0 1; }"
    COLUMNS = COLUMNS
    MARK_CELLS = 2
    KEEPS_ORDER = True
    # Up and down are the screen's, as in the picture: marked peers stay marked.
    BINDINGS = within(
        MOVING
        | SORTING
        | {
            "list.up": "screen.do('peer.up')",
            "list.down": "screen.do('peer.down')",
            "peers.mark_up": "extend(-1)",
            "peers.mark_down": "extend(1)",
            "peers.mark_all": "all",
            "peers.sort_left": "sort(-1)",
            "peers.sort_right": "sort(1)",
            "peers.invert": "reverse",
        }
    )

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        self._columns = COLUMNS
        super().__init__("label", id=id, classes=classes)
        self._frame: Frame | None = None
        self._marked: frozenset[PeerId] = frozenset()
        self._sorted_s = -1e9
        self._sorted_by: tuple[object, ...] = ()
        self._widths: dict[str, int | None] = {}
        self._shown: tuple[object, ...] = ()

    # --- data ----------------------------------------------------------------------------------------------------

    def show(self, frame: Frame) -> None:
        """Take the newest frame."""
        before, self._frame = self._frame, frame
        # A different run, or the same one with newcomers.
        other_peers = before is None or before.snapshot.fixed is not frame.snapshot.fixed
        if other_peers or self.data is None:
            self.data = PeerData(frame)
            self._measure(frame)
            added = tuple(map(shown_column, frame.snapshot.fixed.shows))
            self._columns = (*COLUMNS[:3], *added, *COLUMNS[3:])
            if self.by not in (column.name for column in self._columns):
                self.by, self.down = COLUMNS[0].name, COLUMNS[0].down
            self.scroll_to(y=0, animate=False)
        self.data.frame = frame
        self.cursor = frame.selected
        if before is None or before.marked is not frame.marked:
            self._marked = frozenset(frame.marked)
        n = len(frame.snapshot.state)
        if other_peers or len(self.keys) != n or before is None or before.filtered != frame.filtered:
            self.take(self.data, np.arange(n), None if frame.filtered is None else np.array(frame.filtered, np.int64))
            self.sort_rows()
            self._shown = ()
        else:
            due = self._sort_key() != self._sorted_by or not 0 <= frame.wall_s - self._sorted_s < RESORT_S
            if due and self.sort_rows():
                self._shown = ()
        if before is not None and frame.selected is not None and frame.selected != before.selected:
            self._reveal_cursor()
        shown = (
            frame.snapshot.now_us,
            frame.selected,
            frame.marked,
            frame.snapshot.state.tobytes(),
            frame.snapshot.links.version,
        )
        if shown != self._shown:
            self._shown = shown
            self.changed()
            self.rows_came(0)
        self._update_title(frame)

    def _update_title(self, frame: Frame) -> None:
        """How many peers there are, and the keys of the table while it has the focus."""
        n = len(frame.snapshot.state)
        few = f"{len(self.order):,} of {n:,} · {frame.filter}" if frame.filtered is not None else f"{n:,}"
        chosen = f" · {len(frame.marked):,} marked" if frame.marked else ""
        name_panel(self, f"peers · {few}{chosen}", HINT if self.has_focus else "")

    def watch_has_focus(self, has_focus: bool) -> None:
        """The keys of the table come and go with the focus, also while time is paused."""
        super().watch_has_focus(has_focus)
        if self._frame is not None:
            self._update_title(self._frame)

    def _measure(self, frame: Frame) -> None:
        """Widths of the columns with names; one without any name is left out."""
        fixed = frame.snapshot.fixed
        names = {
            "label": fixed.labels,
            "city": fixed.places.names,
            "role": frame.snapshot.roles,
            "operator": fixed.operator,
        }
        for column in COLUMNS:
            if column.name in names:
                longest = max(map(cell_len, names[column.name]), default=0)
                least = len(column.name) + 1
                self._widths[column.name] = min(max(longest, least), column.width + 4) if longest else None

    def every_column(self) -> tuple[Column[PeerData], ...]:
        return self._columns

    def width_of(self, column: Column[PeerData]) -> int | None:
        return self._widths.get(column.name, column.width)

    def _sort_key(self) -> tuple[object, ...]:
        return self.by, self.down, self.cursor if self.by == "believed" else None

    def sort_rows(self) -> bool:
        self._sorted_by = self._sort_key()
        self._sorted_s = self._frame.wall_s if self._frame is not None else -1e9
        return super().sort_rows()

    def is_marked(self, item: int) -> bool:
        return item in self._marked

    def empty(self, width: int) -> tuple[Row, ...]:
        selector = self._frame.filter if self._frame is not None else ""
        sentence = keyed(self.app, NOBODY).replace("%s", selector) if selector else "No peers."
        return tuple(((line, "dim"),) for line in wrap(sentence, width))

    # --- input ---------------------------------------------------------------------------------------------------

    def toward(self, direction: str) -> PeerId | None:
        """The peer above or below the selected one. Left and right sort by the next column and return None."""
        if direction in ("left", "right"):
            self.action_sort(1 if direction == "right" else -1)
            return None
        found: PeerId | None = self.neighbour(-1 if direction == "up" else 1)
        return found

    def _reveal_cursor(self) -> None:
        index = self.row_of(self.cursor)
        if index is not None:
            self.reveal(index)

    def sort_by(self, name: str) -> None:
        """Sort by a column; by the same column once more, in reverse. The selected peer stays in view."""
        super().sort_by(name)
        self._reveal_cursor()

    def picked(self, key: PeerId, click: events.Click | None = None) -> None:
        if click is not None and click.button == 3:
            self.post_message(MenuWanted(key, (click.screen_x, click.screen_y)))
        else:
            toggle = click is not None and (click.ctrl or click.shift or click.meta)
            self.post_message(PeerPicked(key, toggle=toggle))

    def action_extend(self, by: int) -> None:
        """Mark the selected peer and the one beside it."""
        peer = self.neighbour(by)
        if peer is not None:
            self.post_message(PeersPicked((peer,), add=True))

    def action_all(self) -> None:
        """Mark all peers that are shown."""
        self.post_message(PeersPicked(tuple(self.order.tolist())))
