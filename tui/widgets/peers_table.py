"""All peers as a table: sorted by any column, sifted by a selector, chosen together with the picture.

Ten thousand rows cost what the screen shows. A column that is sorted by is one array out of the snapshot, and a stable
argsort of it a second at most (0.6 ms for 10,000 peers): rows that change places five times a second cannot be read.
Peers that are equal in one column keep the order of the one that was sorted by before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from textual import events

from engine import PeerId
from tui.config.keys import keyed, within
from tui.draw.chart import age, si
from tui.session.frame import Frame
from tui.widgets.messages import MenuWanted, PeerPicked, PeersPicked

from .panel import Roll, name_panel, panel_css
from .text import STATE, Row, Span, fit, state_word, wrap

Ids = NDArray[np.int64]
RESORT_S = 1.0
HINT = "{list.left} {list.right} sort · {peer.filter} filter"
NOBODY = "No peer is “%s” just now. {peer.filter} filters by something else, {app.back} shows all."
FAR = 1_000_000


@dataclass(frozen=True, slots=True)
class Column:
    """`rank`: the higher, the sooner it is left out where there is no room. `down`: greatest first, when it is first
    sorted by."""

    name: str
    width: int
    rank: int
    right: bool = False
    down: bool = False
    about: str = ""


COLUMNS: tuple[Column, ...] = (
    Column("label", 6, 0),
    Column("state", 11, 1),
    Column("role", 10, 7),
    Column("city", 13, 6),
    Column("operator", 14, 9),
    Column("links", 6, 2, True, True, "open streams"),
    Column("files", 6, 5, True, True, "files it shares"),
    Column("load", 6, 3, True, True, "messages it got in the last second"),
    Column("heard", 6, 4, True, False, "how long ago it was last heard by anybody"),
    Column("believed", 9, 8, True, False, "when the selected peer last heard of it, as it believes"),
)
"""In their order on the screen."""
MARK_CELLS = 2


class PeersTable(Roll):
    """Posts `PeerPicked`, `PeersPicked` and `MenuWanted`. The screen's arrows ask `toward` whom to select next."""

    DEFAULT_CSS = panel_css("PeersTable") + "PeersTable { padding: 0 0 0 1; }"
    HEADER = 1
    # The screen walks as it does in the picture: what is marked stays so. Without these, Textual's arrows would scroll.
    BINDINGS = within(
        {
            "list.up": "screen.toward('up')",
            "list.down": "screen.toward('down')",
            "list.left": "sort(-1)",
            "list.right": "sort(1)",
            "list.far_up": "leap(-10)",
            "list.far_down": "leap(10)",
            "list.first": f"leap(-{FAR})",
            "list.last": f"leap({FAR})",
            "peers.mark_up": "extend(-1)",
            "peers.mark_down": "extend(1)",
            "peers.mark_all": "all",
            "peers.sort_left": "sort(-1)",
            "peers.sort_right": "sort(1)",
            "peers.invert": "invert",
        }
    )

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._frame: Frame | None = None
        self.order: Ids = np.zeros(0, np.int64)
        """Peers in the order of the rows."""
        self.by = "label"
        self.down = False
        self._place: Ids = np.zeros(0, np.int64)
        self._marked: frozenset[PeerId] = frozenset()
        self._sorted_s = -1e9
        self._key: tuple[object, ...] = ()
        self._degree: tuple[object, NDArray[np.int64]] = ((), np.zeros(0, np.int64))
        self._ranks: dict[str, NDArray[np.int64]] = {}
        self._widths: dict[str, int] = {}
        self._shown: tuple[object, ...] = ()
        self.sorts = 0
        """How often rows were put in order; a test holds it against how often they were shown."""

    # --- what it shows -----------------------------------------------------------------------------------------

    def show(self, frame: Frame) -> None:
        """Take the newest figures."""
        before = self._frame
        # Another swarm, or the same one with newcomers.
        other_run = before is None or before.snapshot.fixed is not frame.snapshot.fixed
        self._frame = frame
        if other_run:
            self._learn(frame)
        if before is None or before.marked is not frame.marked:
            self._marked = frozenset(frame.marked)
        self._sort(other_run)
        if before is not None and frame.selected is not None and frame.selected != before.selected:
            self._reveal_peer(frame.selected)
        shown = (frame.snapshot.now_us, frame.selected, frame.marked, frame.snapshot.state.tobytes())
        if shown != self._shown:
            self._shown = shown
            self.rows_came(0)
        n = len(frame.snapshot.state)
        few = f"{len(self.order):,} of {n:,} · {frame.filter}" if frame.filtered is not None else f"{n:,}"
        chosen = f" · {len(frame.marked):,} marked" if frame.marked else ""
        name_panel(self, f"peers · {few}{chosen}", "" if not self.has_focus else HINT)

    def _learn(self, frame: Frame) -> None:
        """What stays the same for a run: names as ranks, and how wide the columns are."""
        fixed = frame.snapshot.fixed
        self._ranks.clear()
        self._sorted_s = -1e9
        self.order = np.arange(len(fixed.labels))
        names = {
            "label": fixed.labels,
            "city": fixed.places.names,
            "role": fixed.roles,
            "operator": fixed.operator,
        }
        for column in COLUMNS:
            longest = max(map(cell_len, names[column.name]), default=0) if column.name in names else 0
            self._widths[column.name] = min(max(longest, len(column.name) + 1), column.width + 4) if longest else 0
            if column.name not in names:
                self._widths[column.name] = column.width
        self.scroll_to(y=0, animate=False)

    def _sort(self, at_once: bool) -> None:
        frame = self._frame
        assert frame is not None
        key = (self.by, self.down, frame.filtered, frame.selected if self.by == "believed" else None)
        if not at_once and key == self._key and 0 <= frame.wall_s - self._sorted_s < RESORT_S:
            return
        same_rows = self._key[2:3] == key[2:3] and not at_once
        self._key, self._sorted_s = key, frame.wall_s
        self.sorts += 1
        n = len(frame.snapshot.state)
        if not same_rows or len(self.order) > n:
            self.order = np.arange(n) if frame.filtered is None else np.array(frame.filtered, np.int64)
            self._shown = ()
        values = self._values(self.by)[self.order]
        # From the order before: what is equal stays as it was.
        fresh = self.order[np.argsort(-values if self.down else values, kind="stable")]
        if not np.array_equal(fresh, self.order):
            self.order = fresh
            self._shown = ()
        self._place = np.full(n, -1, np.int64)
        self._place[self.order] = np.arange(len(self.order))

    def _values(self, name: str) -> NDArray[np.int64] | NDArray[np.float64]:
        """The column as numbers to sort by (N,)."""
        assert self._frame is not None
        snapshot = self._frame.snapshot
        fixed = snapshot.fixed
        match name:
            case "state":
                flags = snapshot.censored * 8 + snapshot.colluding * 4 + snapshot.poisoned * 2
                if len(snapshot.held) == len(flags):
                    flags += snapshot.held
                return np.asarray(snapshot.state.astype(np.int64) * 16 + flags, np.int64)
            case "links":
                return self._degrees()
            case "files":
                return snapshot.files.astype(np.int64)
            case "load":
                return snapshot.load.astype(np.float64)
            case "heard":
                return snapshot.now_us - snapshot.last_heard_us
            case "believed":
                return self._believed()
            case "role":
                return self._rank("role", fixed.roles)[fixed.role]
            case "city":
                ranks = self._rank("city", fixed.places.names)
                return ranks[fixed.place] if len(ranks) else np.zeros(len(fixed.place), np.int64)
            case "operator":
                return self._rank("operator", fixed.operator)
            case _:
                return self._rank("label", fixed.labels)

    def _rank(self, name: str, texts: tuple[str, ...]) -> NDArray[np.int64]:
        """Where each text stands in order of the alphabet; equal ones share their place. Nothing comes last."""
        rank = self._ranks.get(name)
        if rank is None:
            places = {text: at for at, text in enumerate(sorted(set(texts), key=lambda text: (not text, text)))}
            rank = self._ranks[name] = np.array([places[text] for text in texts], np.int64)
        return rank

    def _degrees(self) -> NDArray[np.int64]:
        assert self._frame is not None
        snapshot = self._frame.snapshot
        key = (id(snapshot.fixed), snapshot.links.version)
        if key != self._degree[0]:
            n, links = len(snapshot.state), snapshot.links
            self._degree = (key, np.bincount(links.a, minlength=n) + np.bincount(links.b, minlength=n))
        return self._degree[1]

    def _believed(self) -> NDArray[np.int64]:
        """When the selected peer last heard of each, in microseconds ago; what it does not know comes last."""
        assert self._frame is not None
        frame, facts = self._frame, self._frame.facts
        ago = np.full(len(frame.snapshot.state), 1 << 61, np.int64)
        if facts is not None:
            for peer, belief in facts.beliefs.known.items():
                if 0 <= peer < len(ago):
                    ago[peer] = (1 << 60) if belief.heard_us is None else frame.snapshot.now_us - belief.heard_us
        return ago

    # --- rows --------------------------------------------------------------------------------------------------

    def row_count(self) -> int:
        """How many peers are shown."""
        return len(self.order)

    def is_cursor(self, index: int) -> bool:
        """Whether it is the selected peer."""
        return self._frame is not None and int(self.order[index]) == self._frame.selected

    def columns(self, width: int) -> list[tuple[Column, int]]:
        """Those there is room for, and their widths. What is left over goes to the names."""
        kept = [column for column in COLUMNS if self._widths.get(column.name, column.width)]
        while len(kept) > 2 and sum(self._widths[c.name] + 1 for c in kept) + MARK_CELLS > width + 1:
            # The column that is sorted by is the last to go.
            kept.remove(max(kept, key=lambda c: (c.name != self.by, c.rank)))
        return [(column, self._widths[column.name]) for column in kept]

    def header(self, line: int, width: int) -> Row:
        """The names of the columns; an arrow at the one that is sorted by."""
        row: list[Span] = [(" " * MARK_CELLS, "dim")]
        for column, cells in self.columns(width):
            mine = column.name == self.by
            text = f"{column.name}{('↓' if self.down else '↑') if mine else ''}"
            row += [(fit(text, cells, right=column.right), "key bold" if mine else "dim"), (" ", "dim")]
        return tuple(row)

    def row(self, index: int, width: int) -> Row:
        """One peer."""
        frame = self._frame
        assert frame is not None
        peer = int(self.order[index])
        marked = peer in self._marked
        row: list[Span] = [("▸ " if marked else "  ", "key bold")]
        for column, cells in self.columns(width):
            text, ink = self._cell(column.name, peer)
            row += [(fit(text, cells, right=column.right), f"{ink} bold" if marked else ink), (" ", "text")]
        return tuple(row)

    def _cell(self, name: str, peer: PeerId) -> tuple[str, str]:
        """Text and ink of one cell."""
        assert self._frame is not None
        frame, snapshot = self._frame, self._frame.snapshot
        fixed = snapshot.fixed
        match name:
            case "label":
                return fixed.labels[peer], "text"
            case "state":
                word = state_word(frame, peer)
                return f"{STATE[word]} {word}", word
            case "role":
                return fixed.roles[int(fixed.role[peer])], "infrastructure" if fixed.infrastructure[peer] else "dim"
            case "city":
                place = int(fixed.place[peer])
                return fixed.places.names[place] if 0 <= place < len(fixed.places.names) else "", "text"
            case "operator":
                return fixed.operator[peer], "text"
            case "links":
                return str(int(self._degrees()[peer])), "text"
            case "files":
                return si(int(snapshot.files[peer])), "text"
            case "load":
                load = float(snapshot.load[peer])
                return si(load), "chart-2" if load else "dim"
            case "heard":
                at = int(snapshot.last_heard_us[peer])
                return ("never", "dim") if at < 0 else (age(max(0, snapshot.now_us - at) / 1e6), "text")
            case _:
                return self._belief(peer)

    def _belief(self, peer: PeerId) -> tuple[str, str]:
        assert self._frame is not None
        frame, facts = self._frame, self._frame.facts
        if facts is None or facts.peer == peer:
            return "", "dim"
        belief = facts.beliefs.known.get(peer)
        if belief is None:
            return "–", "dim"
        ink = "text" if frame.snapshot.state[peer] == 0 and not frame.snapshot.censored[peer] else "warn"
        return ("hearsay" if belief.heard_us is None else age((frame.snapshot.now_us - belief.heard_us) / 1e6)), ink

    def empty(self, width: int) -> tuple[Row, ...]:
        """The filter names nobody."""
        sieve = self._frame.filter if self._frame is not None else ""
        told = keyed(self.app, NOBODY).replace("%s", sieve) if sieve else "No peers."
        return tuple(((line, "dim"),) for line in wrap(told, width))

    # --- what a person does ------------------------------------------------------------------------------------

    def toward(self, direction: str) -> PeerId | None:
        """The peer above or below the selected one. To the side it is another column that is sorted by, and None."""
        if direction in ("left", "right"):
            self.action_sort(1 if direction == "right" else -1)
            return None
        return self._at(-1 if direction == "up" else 1)

    def _at(self, by: int) -> PeerId | None:
        if not len(self.order) or self._frame is None:
            return None
        selected = self._frame.selected
        here = int(self._place[selected]) if selected is not None and selected < len(self._place) else -1
        return int(self.order[0 if here < 0 else min(max(here + by, 0), len(self.order) - 1)])

    def _reveal_peer(self, peer: PeerId) -> None:
        if peer < len(self._place) and self._place[peer] >= 0:
            self.reveal(int(self._place[peer]))

    def action_leap(self, by: int) -> None:
        """Select the peer so many rows further down."""
        peer = self._at(by)
        if peer is not None:
            self.post_message(PeerPicked(peer))

    def action_extend(self, by: int) -> None:
        """Mark the selected peer and the one beside it."""
        peer, frame = self._at(by), self._frame
        if peer is not None and frame is not None:
            self.post_message(PeersPicked((peer,), add=True))

    def action_all(self) -> None:
        """Mark all that are shown."""
        self.post_message(PeersPicked(tuple(self.order.tolist())))

    def action_sort(self, by: int) -> None:
        """Sort by the column so many to the right."""
        names = [column.name for column, _ in self.columns(self.scrollable_content_region.width)]
        at = names.index(self.by) if self.by in names else 0
        self.sort_by(names[min(max(at + by, 0), len(names) - 1)])

    def action_invert(self) -> None:
        """The other way round."""
        self.sort_by(self.by)

    def sort_by(self, name: str) -> None:
        """Sort by a column; once more, the other way round."""
        column = next(column for column in COLUMNS if column.name == name)
        self.down = not self.down if name == self.by else column.down
        self.by = name
        if self._frame is not None:
            self._sort(False)
            self.rows_came(0)
            if self._frame.selected is not None and self._place[self._frame.selected] >= 0:
                self._reveal_peer(self._frame.selected)
            else:
                self.scroll_to(y=0, animate=False)

    def on_click(self, event: events.Click) -> None:
        """A column is sorted by, a peer is chosen; with the right button, what can be done to it."""
        offset = event.get_content_offset(self)
        if offset is None or self._frame is None:
            return
        if offset.y < self.HEADER:
            left = MARK_CELLS
            for column, cells in self.columns(self.scrollable_content_region.width):
                if left <= offset.x <= left + cells:
                    self.sort_by(column.name)
                left += cells + 1
            return
        index = self.index_at(offset.y)
        peer = None if index is None else int(self.order[index])
        if peer is None:
            return
        if event.button == 3:
            self.post_message(MenuWanted(peer, (event.screen_x, event.screen_y)))
        else:
            self.post_message(PeerPicked(peer, toggle=event.ctrl or event.shift or event.meta))
