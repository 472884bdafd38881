"""The selected peer and the selected ask, on a few tabs.

The first tab has what a person wants to know first, in that order: is it up, who is it linked to, what is it doing,
what can I do to it, what became of the question, what does it believe in the protocol's own words. The others are long:
its last messages, its files, whom it knows. Left and right change the tab, and so does a click on a name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.geometry import Size
from textual.message import Message
from textual.widget import Widget

from engine import ALIVE, DEAD, NAT_WORDS, STATES, AskRow, LoggedMessage, NatKind, PeerId, Snapshot
from tui.config.keys import SCROLLING, keyed, within
from tui.draw.belief import Mind, age_words, gone, mind
from tui.draw.chart import age, si, spark
from tui.draw.colours import value_text
from tui.draw.styles import PART_INKS
from tui.session.frame import Frame, PeerFacts
from tui.session.units import clock
from tui.widgets.messages import AskWanted, MenuWanted, PeerPicked, RunCommand

from ..session.verbs import Verb, verbs_for
from .asks_table import account_rows
from .panel import ActionButton, TextRows, name_panel, panel_css
from .text import STATE, Row, Span, fit, names, peer_at, width_of, wrap

# What the selected peer believes: which peers it knows, when it last heard from them, and where it is wrong. Wrong
# beliefs come first.

ROWS_MOST = 100


def belief_rows(frame: Frame, width: int) -> Iterator[Row]:
    """Rows for the inspector; none while there are no facts about the selected peer yet."""
    facts, snapshot = frame.facts, frame.snapshot
    if facts is None or facts.peer != frame.selected:
        return
    yield rule("it believes", width)
    if why := gone(snapshot, facts.peer):
        yield from (((line, "text"),) for line in wrap(f"It {why}.", max(8, width)))
        return
    laid = mind(snapshot, facts.peer, facts.beliefs)
    known, wrong = int(laid.known.sum()), int(laid.wrong.sum())
    tail = f", {wrong:,} of them wrong" if wrong else ""
    yield ((f"knows {known:,} of {len(laid.known) - 1:,} peers", "text"), (tail, "bad"))
    for name, value in facts.beliefs.facts.items():
        lines = wrap(value, max(8, width - len(name) - 1))
        yield ((f"{name} ", "dim"), (lines[0], "text"))
        yield from (((" " * (len(name) + 1), "dim"), (line, "text")) for line in lines[1:])
    ids = np.flatnonzero(laid.known)
    order = ids[np.lexsort((ids, -laid.heard_us[ids], ~laid.wrong[ids]))]
    for other in order[:ROWS_MOST].tolist():
        belief = facts.beliefs.known.get(other)
        what = belief.what if belief is not None else ""
        files = f", {belief.files} files" if belief is not None and belief.files is not None else ""
        yield _row(snapshot, laid, other, f"{what}{files}", width)
    if len(order) > ROWS_MOST:
        yield ((f"and {len(order) - ROWS_MOST:,} more", "dim"),)


def _hops_row(snapshot: Snapshot, laid: Mind, other: int, what: str, width: int) -> Row:
    """How far away it believes a peer to be, and what is true if that is wrong: another distance, no way, or that the
    peer is not up."""
    said, hops, state = int(laid.said[other]), int(laid.hops[other]), truth(snapshot, other)
    wrong = bool(laid.wrong[other])
    row: list[Span] = [
        ("✕ " if wrong else "  ", "bad"),
        (f"{snapshot.fixed.labels[other][:10]:<6} ", "bad" if wrong else "text"),
        (f"{said} hop{'' if said == 1 else 's'}", "dim" if said == hops else "warn"),
    ]
    if wrong:
        row.append((f", in truth {'no way' if state == 'alive' else state}", "bad"))
    elif said != hops:
        row.append((f", in truth {hops}", "warn"))
    if what and width_of(tuple(row)) + len(what) + 2 <= width:
        row.append((f"  {what}", "dim"))
    return tuple(row)


def _row(snapshot: Snapshot, laid: Mind, other: int, what: str, width: int) -> Row:
    if len(laid.said) and laid.said[other] >= 0:
        return _hops_row(snapshot, laid, other, what, width)
    age = age_words(laid, other, snapshot.now_us) or "from others"
    if laid.silent[other]:
        age += ": dead or blocked?"
    row: list[Span] = [
        ("✕ " if laid.wrong[other] else "  ", "bad"),
        (f"{snapshot.fixed.labels[other][:10]:<6} ", "bad" if laid.wrong[other] else "text"),
        (age, "warn" if laid.silent[other] else "dim"),
    ]
    if laid.wrong[other]:
        row.append((f"  in truth {truth(snapshot, other)}", "bad"))
    elif what and width_of(row) + len(what) + 2 <= width:
        row.append((f"  {what}", "dim"))
    return tuple(row)


def truth(snapshot: Snapshot, peer: int) -> str:
    """The real state of a peer."""
    if snapshot.state[peer] != ALIVE:
        return STATES[int(snapshot.state[peer])]
    return "censored" if snapshot.censored[peer] else "alive"


# The tabs of the inspector: their names in a line, and the rows of the long ones.

TABS = ("peer", "messages", "files", "beliefs")


class InspectorTabs(TextRows):
    """The names, the open one in the accent colour. Posts `InspectorTabs.Turned` when another is clicked."""

    class Turned(Message):
        """The person wants to see this tab."""

        def __init__(self, tab: str) -> None:
            super().__init__()
            self.tab = tab

    def show_tab(self, tab: str) -> None:
        """Highlight this name."""
        row: list[Span] = []
        for name in TABS:
            row += [(f" {name} ", "key bold reverse" if name == tab else "dim"), (" ", "dim")]
        self.show_rows([tuple(row)])

    def on_click(self, event: events.Click) -> None:
        """Open the tab under the pointer."""
        left = 0
        for name in TABS:
            if left <= event.x < left + len(name) + 2:
                self.post_message(self.Turned(name))
            left += len(name) + 3


def rule(title: str, width: int) -> Row:
    """A line across with a title in it."""
    row: Row = (("── ", "dim"), (title, "text bold"), (" ", "dim"))
    return (*row, ("─" * max(0, width - width_of(row)), "dim"))


def tab_rows(tab: str, frame: Frame, width: int) -> list[Row]:
    """A tab with a long list, from the facts of the selected peer."""
    facts = frame.facts
    if facts is None or facts.peer != frame.selected:
        return [(("…", "dim"),)]
    if tab == "messages":
        rows = [_message(one, frame) for one in facts.last]
        return rows or _said("It has sent and received no message since it was selected.", width)
    if tab == "files":
        names: list[Row] = [
            (((fit(si(one.size) + "B", 6, right=True)), "dim"), (f"  {one.name}", "text")) for one in facts.files
        ]
        return names or _said("It shares no file.", width)
    return list(belief_rows(frame, width))


def _said(sentence: str, width: int) -> list[Row]:
    return [((line, "dim"),) for line in wrap(sentence, width)]


def _message(one: LoggedMessage, frame: Frame) -> Row:
    """`42.180 → p012  Query  #12`: when it arrived, to or from whom, what, and of which ask; or why it did not."""
    fixed = frame.snapshot.fixed
    mine = one.frm == frame.selected
    other = one.to if mine else one.frm
    label = fixed.labels[other] if 0 <= other < len(fixed.labels) else "nobody"
    kind = fixed.kinds[one.kind] if one.kind < len(fixed.kinds) else None
    ink = PART_INKS.get(kind.part, kind.part) if kind is not None else "text"
    tail = f"  {one.lost}" if one.lost else f"  ask {one.ask}" if one.ask else ""
    return (
        (f"{clock(one.at_us)} ", "dim"),
        ("→ " if mine else "← ", "key bold" if mine else "text bold"),
        (fit(label, 6), "text"),
        (f" {kind.name if kind is not None else '?'}", "lost" if one.lost else ink),
        (tail, "lost" if one.lost else "dim"),
    )


HISTORY = 48
"""How many seconds of load are kept for the selected peer."""

ABREAST = 35
"""Cells that three buttons need side by side."""
MENU = "menu"
BUTTONS = {
    "kill": "peer.kill",
    "censor": "peer.censor",
    "collude": "peer.collude",
    "leave": "peer.leave",
    "ask": "ask.here",
    MENU: "peer.menu",
}
"""Buttons by name, and the ids of their keys: the verbs that have one, and the menu of all."""

NOTHING: tuple[str, ...] = (
    "Each dot is a peer. Lines are links, or the way of an ask.",
    "Click a dot, or press an arrow key, to see what it has, what it knows, and what you can do to it.",
    "Press {ask.here} to ask for something, and watch the question spread.",
)


class Inspector(VerticalScroll, inherit_bindings=False):
    """The panel. It posts `RunCommand` and `AskWanted`."""

    DEFAULT_CSS = (
        panel_css("Inspector")
        + """
    Inspector {
        padding: 0 0 0 1;
        scrollbar-gutter: stable;
        #verbs {
            height: auto; width: 1fr; margin: 1 0 0 0;
            layout: grid; grid-size: 3; grid-rows: 1; grid-gutter: 0 1; grid-columns: 1fr;
        }
        #verbs ActionButton { width: 1fr; }
        #verbs.-several { grid-size: 2; }
        #verbs.-hidden, .-hidden { display: none; }
        #tabs { pointer: pointer; }
        #ask, #believes { margin-top: 1; }
    }
    """
    )
    BINDINGS = within(SCROLLING | {"list.left": "turn(-1)", "list.right": "turn(1)"})

    def __init__(
        self,
        *,
        verbs: Callable[[Frame], tuple[Verb, ...]] = verbs_for,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """verbs: gives those for the chosen peers of a frame."""
        super().__init__(id=id, classes=classes)
        self._verbs = verbs
        self._frame: Frame | None = None
        self._load: deque[float] = deque(maxlen=HISTORY)
        self._load_of: PeerId | None = None
        self._load_second = -1
        self._about: tuple[object, ...] = ()
        self.tab = "peer"
        """Which tab is open, of `TABS`."""

    def compose(self) -> ComposeResult:
        """The names of the tabs; figures, what can be done, the ask, beliefs; and the rows of the other tabs."""
        yield InspectorTabs(id="tabs")
        yield TextRows(id="peer")
        yield Container(id="verbs", classes="-hidden")
        yield TextRows(steady=True, id="ask")
        yield TextRows(id="believes")
        yield TextRows(id="long", classes="-hidden")

    def show(self, frame: Frame) -> None:
        """Take the newest figures."""
        self._frame = frame
        self._remember_load(frame)
        self._fill()

    def on_resize(self) -> None:
        """Wrap the text again."""
        self._fill()

    def open_tab(self, tab: str) -> None:
        """Open a tab."""
        if tab != self.tab:
            self.tab = tab
            self._fill()
            self.scroll_home(animate=False)

    def action_turn(self, by: int) -> None:
        """Open the tab so many further."""
        self.open_tab(TABS[(TABS.index(self.tab) + by) % len(TABS)])

    def on_click(self, event: events.Click) -> None:
        """A click on a name selects that peer."""
        lines = event.widget
        if isinstance(lines, TextRows) and 0 <= event.y < len(lines.rows):
            peer = peer_at(lines.rows[event.y], event.x)
            if peer is not None:
                event.stop()
                self.post_message(PeerPicked(peer))

    @on(InspectorTabs.Turned)
    def _turned(self, event: InspectorTabs.Turned) -> None:
        event.stop()
        self.open_tab(event.tab)

    @on(ActionButton.Pressed)
    def _pressed(self, event: ActionButton.Pressed) -> None:
        event.stop()
        if self._frame is None or not self._frame.chosen:
            return
        name = str(event.button.id).removeprefix("verb-")
        if name == MENU:
            region = event.button.region
            self.post_message(MenuWanted(None, (region.x, region.y + 1)))
            return
        verb = next((v for v in self._verbs(self._frame) if v.id == name), None)
        if verb is None or not verb.possible:
            return
        self.post_message(AskWanted(self._frame.selected) if verb.command is None else RunCommand(verb.command))

    def _remember_load(self, frame: Frame) -> None:
        """Keep one value for each second, as a bar: the snapshot has the load of the last whole second."""
        second = frame.snapshot.now_us // 1_000_000
        if frame.selected != self._load_of or second < self._load_second:
            self._load.clear()
            self._load_of, self._load_second = frame.selected, -1
        if frame.selected is not None and second > self._load_second:
            self._load.append(float(frame.snapshot.load[frame.selected]))
            self._load_second = second

    def _fill(self) -> None:
        frame = self._frame
        if frame is None or not self.is_mounted:
            return
        width = max(12, self._room().width)
        verbs = [verb for verb in self._verbs(frame) if verb.id in BUTTONS]
        first = self.tab == "peer" or frame.selected is None
        box = self.query_one("#verbs")
        box.set_class(not verbs or not first, "-hidden")
        box.set_class(len(frame.chosen) > 1 or width < ABREAST, "-several")
        if verbs:
            self._update(box, verbs)
        tabs = self.query_one(InspectorTabs)
        tabs.set_class(frame.selected is None, "-hidden")
        tabs.show_tab(self.tab)
        peer_rows = list(self._peer_rows(frame, width)) if frame.selected is not None else nothing_rows(self.app, width)
        if len(frame.marked) > 1:
            peer_rows = [*marked_rows(frame, width), *peer_rows]
        about = (frame.selected, len(frame.marked), self.tab, width)
        if about != self._about:
            self._about = about
            self.query_one("#ask", TextRows).reset_height()
        for id_, rows in (
            ("peer", peer_rows),
            ("ask", list(self._ask_rows(frame, width))),
            ("believes", list(belief_rows(frame, width))),
        ):
            lines = self.query_one(f"#{id_}", TextRows)
            lines.set_class(not first or not rows, "-hidden")
            lines.show_rows(rows)
        long = self.query_one("#long", TextRows)
        long.set_class(first, "-hidden")
        long.show_rows([] if first else tab_rows(self.tab, frame, width))
        name_panel(self, self._title(frame))

    def _update(self, box: Widget, verbs: Sequence[Verb]) -> None:
        if not box.children:  # the first time that a peer is chosen
            box.mount(*[ActionButton(name, key, id=f"verb-{name}") for name, key in BUTTONS.items()])
        for verb in verbs:
            self.query_one(f"#verb-{verb.id}", ActionButton).update(verb.label, verb.tip, disabled=not verb.possible)
        self.query_one(f"#verb-{MENU}", ActionButton).update(
            "More …", "All actions on these peers, as by a right click."
        )

    def _room(self) -> Size:
        return self.scrollable_content_region.size

    @staticmethod
    def _title(frame: Frame) -> str:
        if frame.selected is None:
            return "inspector"
        fixed = frame.snapshot.fixed
        place = int(fixed.place[frame.selected])
        city = fixed.places.names[place] if 0 <= place < len(fixed.places.names) else ""
        return f"{fixed.labels[frame.selected]} · {city}" if city else fixed.labels[frame.selected]

    def _peer_rows(self, frame: Frame, width: int) -> Iterator[Row]:
        snapshot, peer = frame.snapshot, frame.selected
        assert peer is not None
        facts = frame.facts if frame.facts is not None and frame.facts.peer == peer else None
        yield self._state_row(snapshot, peer, facts)
        yield _links_row(snapshot, facts, width)
        if snapshot.fixed.shares_files.any():
            yield _files_row(snapshot, peer, facts, width)
        load = float(snapshot.load[peer])
        bars = spark(list(self._load), min(12, max(4, width - 24))).lstrip()
        yield (("load   ", "dim"), (f"{si(load):>5}", "text bold"), (" msg/s  ", "dim"), (bars, "chart-2"))
        if facts is not None:
            yield from _shown_rows(facts, width)
        yield _heard_row(snapshot, peer)
        yield from _line_rows(snapshot, peer)
        if facts is not None:
            yield from _mark_rows(snapshot, facts, width)
            yield from _path_rows(snapshot, facts, width)
            yield from _call_rows(snapshot, facts, width)

    @staticmethod
    def _state_row(snapshot: Snapshot, peer: PeerId, facts: PeerFacts | None) -> Row:
        state = STATES[int(snapshot.state[peer])]
        fixed = snapshot.fixed
        operator = fixed.operator[peer]
        row: list[Span] = [(f"{STATE[state]} {state}", f"{state} bold")]
        if snapshot.censored[peer]:
            row.append((f"  {STATE['censored']} censored", "censored bold"))
        if snapshot.colluding[peer]:
            ban = f" “{facts.ban}”" if facts is not None and facts.ban else ""
            row.append((f"  {STATE['colluding']} colluding{ban}", "colluding bold"))
        if snapshot.poisoned[peer]:
            row.append((f"  {STATE['poisoned']} poisoned", "poisoned bold"))
        if peer < len(snapshot.held) and snapshot.held[peer]:
            row.append((f"  {STATE['held']} a link is held", "held bold"))
        if peer < len(snapshot.cut) and snapshot.cut[peer]:
            row.append(("  a link is cut", "lost bold"))
        if snapshot.group[peer]:
            row.append((f"  split off (side {int(snapshot.group[peer])})", "warn"))
        row.append((f"  {snapshot.roles[int(snapshot.role[peer])]} #{peer}", "text"))
        row.append((f" run by {operator}" if operator else "", "dim"))
        return tuple(row)

    def _ask_rows(self, frame: Frame, width: int) -> Iterator[Row]:
        row = chosen_ask(frame)
        if row is None:
            return
        who = frame.snapshot.fixed.labels[row.origin]
        yield rule(f"ask {row.id} · {who} · “{row.text}”", width)
        trace = frame.trace
        mine = trace if trace is not None and trace.ask == row.id else None
        answerers = mine.answerers if mine is not None else ()
        holders = mine.holders if mine is not None and set(mine.holders) != set(answerers) else ()
        keepers = frame.keepers if set(frame.keepers) != set(answerers) else ()
        spread_us = row.spread_us if row.closed_us is not None or mine is None else mine.spread_us
        yield from account_rows(row, frame.snapshot, width, frame.theory, answerers, holders, keepers, spread_us)


def nothing_rows(app: object, width: int) -> list[Row]:
    """The text without a selected peer."""
    rows: list[Row] = []
    for sentence in NOTHING:
        rows.extend(((line, "text" if not rows else "dim"),) for line in wrap(keyed(app, sentence), width))
        rows.append(())
    return rows[:-1]


def chosen_ask(frame: Frame) -> AskRow | None:
    """The row of the ask that was chosen, if it is among those kept."""
    return next((row for row in reversed(frame.snapshot.asks) if row.id == frame.ask), None)


def marked_rows(frame: Frame, width: int) -> list[Row]:
    """Who is marked: how many, in which states, and the first of them by name."""
    snapshot, ids = frame.snapshot, [peer for peer in frame.marked if peer < len(frame.snapshot.state)]
    counts = [int((snapshot.state[ids] == code).sum()) for code in range(len(STATES))]
    row: list[Span] = [(f"▸ {len(ids):,} marked ", "selected bold")]
    row += [(f" {count:,} {word}", word) for word, count in zip(STATES, counts, strict=True) if count]
    names = wrap(" ".join(snapshot.fixed.labels[peer] for peer in ids[:40]), width)[:2]
    more = " …" if len(ids) > 40 or len(names) == 2 else ""
    return [tuple(row), *(((name, "dim"),) for name in names[:-1]), ((names[-1] + more, "dim"),), ()]


FREE_RIDER = ("  shares nothing (free rider)", "  nothing (free rider)", "  free rider")
"""Texts in place of file names; the longest that fits is shown."""
NO_FILES = ("  shares nothing", "  nothing")
"""The same in a network with a role called "free rider": there a peer without a file may still upload."""


def _links_row(snapshot: Snapshot, facts: PeerFacts | None, width: int) -> Row:
    if facts is None:
        return (("links  ", "dim"), ("    …", "dim"))
    row: list[Span] = [("links  ", "dim"), (f"{len(facts.links):5d}", "text bold"), (" ", "text")]
    return (*row, *names(snapshot, facts.links, width - width_of(row)))


def _files_row(snapshot: Snapshot, peer: PeerId, facts: PeerFacts | None, width: int) -> Row:
    files = facts.files if facts is not None else ()
    names = ", ".join(file.name for file in files[:8])
    # Servers and indexes have no library of their own, and take nothing either.
    takes = not snapshot.files[peer] and not snapshot.fixed.infrastructure[peer]
    row: Row = (("files  ", "dim"), (f"{int(snapshot.files[peer]):5d}", "text bold"))
    room = width - width_of(row)
    told = NO_FILES if "free rider" in snapshot.roles else FREE_RIDER
    free = next((words for words in told if len(words) <= room), "") if takes else ""
    return (*row, (f"  {names}" if names else free, "dim"))


def _shown_rows(facts: PeerFacts, width: int) -> Iterator[Row]:
    """What its network shows of it: the figure, and what it is where there is room."""
    for shown, value in facts.shown:
        row: Row = ((f"{shown.name:<6} ", "dim"), (f"{value_text(shown, value):>5}", "text bold"))
        room = width - width_of(row) - 2
        yield (*row, (f"  {shown.about}" if len(shown.about) <= room else "", "dim"))


def _mark_rows(snapshot: Snapshot, facts: PeerFacts, width: int) -> Iterator[Row]:
    """What it says of its links, a line for each word."""
    by_word: dict[str, list[PeerId]] = {}
    for other, topic, word in facts.marks:
        by_word.setdefault(f"{word} ({topic})" if topic else word, []).append(other)
    for word, others in by_word.items():
        row: list[Span] = [(f"{word} ", "dim"), (f"{len(others)} ", "text bold")]
        yield (*row, *names(snapshot, others, width - width_of(row)))


PATHS_SHOWN = 6


def _path_rows(snapshot: Snapshot, facts: PeerFacts, width: int) -> Iterator[Row]:
    """The ways that begin at it: `circuit → p017 → p004 → p031`."""
    labels = snapshot.fixed.labels
    for hops, word in facts.paths[:PATHS_SHOWN]:
        told = f"{word or 'way'} "
        for line in wrap("".join(f"→ {labels[hop]} " for hop in hops), max(8, width - len(told))):
            yield ((told, "dim"), (line, "text"))
            told = " " * len(told)
    if len(facts.paths) > PATHS_SHOWN:
        yield ((f"and {len(facts.paths) - PATHS_SHOWN:,} more", "dim"),)


CALLS_SHOWN = 4


def _call_rows(snapshot: Snapshot, facts: PeerFacts, width: int) -> Iterator[Row]:
    """Its calls that wait for an answer: `Who → p017 0.8s, 1.2s left`."""
    if not facts.calls:
        return
    yield (("calls  ", "dim"), (f"{len(facts.calls):5d}", "text bold"), (" wait for an answer", "dim"))
    for call in facts.calls[:CALLS_SHOWN]:
        label = snapshot.fixed.labels[call.to] if 0 <= call.to < len(snapshot.fixed.labels) else "nobody"
        waits = age(max(0, snapshot.now_us - call.since_us) / 1e6)
        left = age(max(0, call.due_us - snapshot.now_us) / 1e6)
        again = f", try {call.tries}" if call.tries > 1 else ""
        told = f"{waits}, {left} left{again}"
        yield ((f"  {call.kind} ", "text"), ("→ ", "dim"), (f"{label} ", "text bold"), (told, "dim"))


def _line_rows(snapshot: Snapshot, peer: PeerId) -> Iterator[Row]:
    """Its connection, where one is known of."""
    fixed = snapshot.fixed
    up, down = int(fixed.up_kbit_s[peer]), int(fixed.down_kbit_s[peer])
    words = [f"{up:,} up, {down:,} down kbit/s"] if up else []
    nat = NatKind(int(fixed.nat[peer]))
    words += [f"behind a NAT ({NAT_WORDS[nat]})"] if nat else []
    if words:
        yield (("line   ", "dim"), (", ".join(words), "text"))


def _heard_row(snapshot: Snapshot, peer: PeerId) -> Row:
    heard = int(snapshot.last_heard_us[peer])
    said = "nothing, ever" if heard < 0 else f"{age(max(0, snapshot.now_us - heard) / 1e6)} ago"
    silent = snapshot.state[peer] == DEAD or bool(snapshot.censored[peer])
    return (("heard  ", "dim"), (said, "warn" if silent else "text"))
