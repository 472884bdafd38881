"""The selected peer and the chosen ask, explained.

The order is that of what a person wants to know: is it up, who is it linked to, what is it doing, what can I do to it,
what became of the question. What it believes stands at the end: it is long, and the panel scrolls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.geometry import Size

from engine import DEAD, STATES, AskRow, PeerId, Snapshot
from tui.draw.chart import age, si, spark
from tui.frame import Frame, PeerFacts
from tui.messages import Act, AskWanted

from .account import account_rows
from .beliefs import belief_rows
from .ink import STATE, Row, Span, width_of, wrap
from .panel import Chip, Lines, name_panel, panel_css
from .verbs import Verb, verbs_for

HISTORY = 48
"""How many seconds of load are kept for the selected peer."""

NOTHING: tuple[str, ...] = (
    "Each dot is a peer. Lines are links, or the way of an ask.",
    "Click a dot, or press an arrow key, to see what it has, what it knows, and what you can do to it.",
    "Press a to ask for something, and watch the question spread.",
)


class Inspector(VerticalScroll):
    """The panel. Hand it frames; it posts `Act` and `AskWanted`."""

    DEFAULT_CSS = (
        panel_css("Inspector")
        + """
    Inspector {
        padding: 0 0 0 1;
        scrollbar-gutter: stable;
        #verbs {
            height: auto; width: 1fr; margin: 1 0 0 0;
            layout: grid; grid-size: 3; grid-rows: 1; grid-gutter: 0 1; grid-columns: 10 12 11;
        }
        #verbs Chip { width: 1fr; }
        #verbs.-hidden { display: none; }
        #believes { margin-top: 1; }
    }
    """
    )

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._frame: Frame | None = None
        self._load: deque[float] = deque(maxlen=HISTORY)
        self._load_of: PeerId | None = None
        self._load_second = -1

    def compose(self) -> ComposeResult:
        """Figures, what can be done, the ask, beliefs."""
        yield Lines(id="peer")
        with Container(id="verbs", classes="-hidden"):
            for key in "xcola":
                yield Chip(key, key, id=f"verb-{key}")
        yield Lines(id="ask")
        yield Lines(id="believes")

    def show(self, frame: Frame) -> None:
        """Take the newest figures."""
        self._frame = frame
        self._remember_load(frame)
        self._fill()

    def on_resize(self) -> None:
        """What is wrapped is wrapped anew."""
        self._fill()

    @on(Chip.Pressed)
    def _pressed(self, event: Chip.Pressed) -> None:
        event.stop()
        if self._frame is None or self._frame.selected is None:
            return
        verb = next((v for v in verbs_for(self._frame) if event.chip.id == f"verb-{v.key}"), None)
        if verb is None or not verb.possible:
            return
        self.post_message(AskWanted(self._frame.selected) if verb.command is None else Act(verb.command))

    def _remember_load(self, frame: Frame) -> None:
        """The snapshot tells the load of the last whole second, so one value a second is one bar."""
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
        verbs = verbs_for(frame)
        self.query_one("#verbs").set_class(not verbs, "-hidden")
        for verb in verbs:
            self._dress(verb)
        peer_rows = list(self._peer_rows(frame, width)) if frame.selected is not None else nothing_rows(width)
        self.query_one("#peer", Lines).show_rows(peer_rows)
        self.query_one("#ask", Lines).show_rows(list(self._ask_rows(frame, width)))
        self.query_one("#believes", Lines).show_rows(list(belief_rows(frame, width)))
        name_panel(self, self._title(frame))

    def _room(self) -> Size:
        return self.scrollable_content_region.size

    def _dress(self, verb: Verb) -> None:
        label = "Ask" if verb.key == "a" else verb.label
        self.query_one(f"#verb-{verb.key}", Chip).dress(label, verb.tip, disabled=not verb.possible)

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
        yield _files_row(snapshot, peer, facts)
        load = float(snapshot.load[peer])
        bars = spark(list(self._load), min(12, max(4, width - 24))).lstrip()
        yield (("load   ", "dim"), (f"{si(load):>5}", "text bold"), (" msg/s  ", "dim"), (bars, "chart-2"))
        yield _heard_row(snapshot, peer)

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
        if snapshot.group[peer]:
            row.append((f"  cut off (side {int(snapshot.group[peer])})", "warn"))
        row.append((f"  {fixed.roles[int(fixed.role[peer])]} #{peer}", "text"))
        row.append((f" run by {operator}" if operator else "", "dim"))
        return tuple(row)

    def _ask_rows(self, frame: Frame, width: int) -> Iterator[Row]:
        row = chosen_ask(frame)
        if row is None:
            return
        who = frame.snapshot.fixed.labels[row.origin]
        yield rule(f"ask {row.id} · {who} · “{row.text}”", width)
        yield from account_rows(row, frame.snapshot, width, frame.theory)


def nothing_rows(width: int) -> list[Row]:
    """What to say to someone who has selected nothing."""
    rows: list[Row] = []
    for sentence in NOTHING:
        rows.extend(((line, "text" if not rows else "dim"),) for line in wrap(sentence, width))
        rows.append(())
    return rows[:-1]


def chosen_ask(frame: Frame) -> AskRow | None:
    """The row of the ask that was chosen, if it is among those kept."""
    return next((row for row in reversed(frame.snapshot.asks) if row.id == frame.ask), None)


def rule(title: str, width: int) -> Row:
    """A line across with a title in it."""
    row: Row = (("── ", "dim"), (title, "text bold"), (" ", "dim"))
    return (*row, ("─" * max(0, width - width_of(row)), "dim"))


def _links_row(snapshot: Snapshot, facts: PeerFacts | None, width: int) -> Row:
    if facts is None:
        return (("links  ", "dim"), ("    …", "dim"))
    row: list[Span] = [("links  ", "dim"), (f"{len(facts.links):5d}", "text bold"), (" ", "text")]
    for other in facts.links:
        text = f" {snapshot.fixed.labels[other]}"
        if width_of(row) + len(text) > width - 2:
            row.append((" …", "dim"))
            break
        state = STATES[int(snapshot.state[other])]
        row.append((text, "text" if state == "alive" else state))
    return tuple(row)


def _files_row(snapshot: Snapshot, peer: PeerId, facts: PeerFacts | None) -> Row:
    files = facts.files if facts is not None else ()
    names = ", ".join(file.name for file in files[:8])
    # Servers and indexes have no library of their own, and take nothing either.
    takes = not snapshot.files[peer] and peer < snapshot.fixed.peers
    return (
        ("files  ", "dim"),
        (f"{int(snapshot.files[peer]):5d}", "text bold"),
        (f"  {names}" if names else "  it only takes" if takes else "", "dim"),
    )


def _heard_row(snapshot: Snapshot, peer: PeerId) -> Row:
    heard = int(snapshot.last_heard_us[peer])
    said = "nothing, ever" if heard < 0 else f"{age(max(0, snapshot.now_us - heard) / 1e6)} ago"
    silent = snapshot.state[peer] == DEAD or bool(snapshot.censored[peer])
    return (("heard  ", "dim"), (said, "warn" if silent else "text"))
