"""The events of the run as sentences, newest on top.

The last 500 events of each kind are kept, so that a burst of a thousand hits does not remove the command that caused
it. Sentences are made only for events in view, and during a search for new ones. A burst of thousands costs no more
than adding them to a deque.

The first line says which kinds are shown: a click on one shows or hides it, left and right go through them one at a
time. A search with `/` shows only lines that have all of its words. The feed follows new events until it is scrolled;
`end` goes back to the newest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from heapq import merge
from itertools import islice

from textual import events as tx

from engine import (
    Act,
    Adjourn,
    Adrift,
    Arrive,
    Arrived,
    AskFor,
    AskId,
    AskIssued,
    Attack,
    CallOff,
    Churned,
    Closed,
    Collude,
    Command,
    Commanded,
    Court,
    Depart,
    Event,
    Fixed,
    Goal,
    Heal,
    Hit,
    Noted,
    PeerId,
    Publish,
    Refused,
    RoleChanged,
    Set,
    plain,
)
from tui.config.keys import keyed, within
from tui.session.ask_filter import AskFilter
from tui.session.frame import Frame
from tui.session.units import clock
from tui.session.verbs import PAST, Past
from tui.widgets.messages import AskPicked, PeerPicked, Searched

from .panel import VirtualList, name_panel, panel_css
from .text import Row, Span, wrap

BY_CHURN: Mapping[str, tuple[str, str]] = {
    "kill": ("goes offline", "dead"),
    "revive": ("comes online", "alive"),
    "leave": ("says goodbye", "left"),
    "join": ("comes back", "alive"),
}
NAMED = 4
"""Up to so many peers are named; for more, their number and the first names are given."""


def worth_telling(event: Event) -> bool:
    """Whether the feed shows it. A command to ask is left out, as the ask has an event of its own."""
    return not (isinstance(event, Commanded) and isinstance(event.command, AskFor))


def event_row(event: Event, labels: Sequence[str], goal: Goal | None = None) -> Row:
    """Time and sentence of one event. goal: of the ask that it is about, if the network has it for users."""
    sentence, ink = sentence_of(event, labels, goal)
    return ((f"{clock(event.at_us)[:-2]} ", "dim"), (sentence, ink))


def sentence_of(event: Event, labels: Sequence[str], goal: Goal | None = None) -> tuple[str, str]:
    """The sentence of an event, and its style."""
    match event:
        case Commanded():
            return _commanded(event, labels)
        case AskIssued():
            tail = {"person": " (you)", "scenario": " (scenario)"}.get(event.by, "")
            does = goal.did if goal is not None and goal.sought != "nothing" else ""
            if not does:
                does = "tells of" if event.by == "network" else "asks for" if goal is None else "shares"
            return f"{_name(event.origin, labels)} {does} “{event.text}”: ask {event.ask}{tail}", "question"
        case Hit():
            return f"{_name(event.holder, labels)} answers ask {event.ask}: “{event.content}”", "answer"
        case Closed():
            return f"ask {event.ask}: {event.verdict}", "text"
        case Refused():
            who, to = _name(event.to, labels), _name(event.peer, labels)
            return f"{who} refuses {to}: it is gone ({event.kind})", "lost"
        case Arrived():
            tail = f", run by {plain(event.operator)}" if event.operator else ""
            return f"{_name(event.peer, labels)} is new here{tail}", "alive"
        case Adrift():
            return f"{_name(event.peer, labels)} could not join: {event.why}", "warn"
        case Churned():
            phrase, ink = BY_CHURN.get(event.what, (event.what, "text"))
            return f"{_name(event.peer, labels)} {phrase}", ink
        case Noted():
            return _noted(event, labels), "dim"
        case RoleChanged():
            return f"{_name(event.peer, labels)} is now {event.role}, and was {event.before}", "dim"
        case _:
            return type(event).__name__, "dim"


def subject(event: Event) -> tuple[PeerId | None, AskId | None]:
    """The peer and the ask that an event is about: what a click on it chooses."""
    match event:
        case Commanded():
            return (event.peers[0] if event.peers else None), None
        case AskIssued():
            return event.origin, event.ask
        case Hit():
            return event.holder, event.ask
        case Closed():
            return None, event.ask
        case Noted() | Refused():
            return event.peer, event.ask or None
        case Churned() | Arrived() | Adrift() | RoleChanged():
            return event.peer, None
        case _:
            return None, None


def peers_text(peers: Sequence[PeerId], labels: Sequence[str]) -> str:
    """`p017`, `p003 p012`, or `13 peers: p001 p005 p009 p011 …`."""
    named = " ".join(_name(peer, labels) for peer in peers[:NAMED])
    if not peers:
        return "nobody"
    return named if len(peers) <= NAMED else f"{len(peers):,} peers: {named} …"


def _commanded(event: Commanded, labels: Sequence[str]) -> tuple[str, str]:
    command, who = event.command, peers_text(event.peers, labels)
    who_did = {"person": "you", "scenario": "the scenario", "court": "the court", "attack": "the attack"}
    by = who_did.get(event.by, event.by)
    if isinstance(command, Set):
        return f"{by} set {command.name} to {plain(command.value)}", "warn"
    if isinstance(command, Court):
        return (
            f"a court is in session: each peer that answers is censored {command.after_s:g} s later ({by})",
            "censored",
        )
    if isinstance(command, Adjourn):
        return f"the court ends its session: its orders stay in force ({by})", "alive"
    if isinstance(command, Heal):
        return f"{by} healed all partitions", "alive"
    if isinstance(command, Attack):
        return f"{by} began an attack: {plain(command.name)}", "dead"
    if isinstance(command, CallOff):
        what = f"the attack {plain(command.name)}" if command.name else "what attacks had still to do"
        return f"{by} cancelled {what}", "alive"
    if isinstance(command, Arrive) and command.over_s:
        return f"{by} added {command.count:,} newcomers within {command.over_s:g} s{_operator(command)}", "alive"
    if isinstance(command, Depart) and command.over_s:
        return f"{by} told {who} to leave for good within {command.over_s:g} s", "left"
    if isinstance(command, Publish):
        return f"{who} shares “{command.text}” ({by})", "transfer"
    if isinstance(command, Act):
        given = " ".join(f"{name} {plain(value, limit=40)}" for name, value in command.values.items())
        return f"{by}: {plain(command.name)} {who}{f' ({given})' if given else ''}", "text"
    past = PAST.get(command.verb) or Past(command.verb, "", "text")
    tail = f": “{command.word}” is hidden" if isinstance(command, Collude) else _operator(command)
    return f"{by} {past.done_to(who)}{tail}", past.style


def _operator(command: Command) -> str:
    named = (getattr(command, f.name) for f in fields(command) if f.name == "operator")
    return next((f" ({plain(name)})" for name in named if name), "")


def _noted(event: Noted, labels: Sequence[str]) -> str:
    told_facts = []
    for name, value in event.facts.items():
        is_peer = name in PEER_FACTS and isinstance(value, int) and not isinstance(value, bool)
        told_facts.append(f"{name} {_name(value, labels) if is_peer else plain(value, limit=60)}")
    facts = f": {', '.join(told_facts)}" if told_facts else ""
    ask = f" (ask {event.ask})" if event.ask else ""
    return f"{_name(event.peer, labels)} {event.kind}{facts}{ask}"


PEER_FACTS = frozenset(
    {"peer", "holder", "to", "sender", "source", "neighbour", "server", "index", "parent", "tracker"}
)
"""Facts of a note that name a peer by its id."""


def _name(peer: PeerId, labels: Sequence[str]) -> str:
    return labels[peer] if 0 <= peer < len(labels) else f"#{peer}"


KEPT = 500
EMPTY = "Nothing has happened yet. What peers and you do is listed here."
NONE_LIKE_IT = "Nothing like that has happened. {app.back} or a click on “all” shows everything."

KINDS: dict[str, tuple[type[Event], ...]] = {
    "asks": (AskIssued, Closed),
    "hits": (Hit,),
    "actions": (Commanded,),
    "churn": (Churned,),
    "lost": (Refused,),
    "log": (Noted,),
}
"""Word of the filter -> events that it shows. Any other event is a note."""
KIND_OF: dict[type[Event], str] = {event: word for word, kinds in KINDS.items() for event in kinds}


OF_ASKS = (AskIssued, Hit, Closed)
OWN = "own"
"""Events about asks that the network opened by itself."""
ASKS_KNOWN = 10_000


def _newest_first(event: Event) -> int:
    return -event.seq


class Feed(VirtualList):
    """The panel. A click on a line chooses the ask or the peer it is about."""

    DEFAULT_CSS = panel_css("Feed") + "Feed { padding: 0 0 0 1; }"
    HEADER = 1
    BINDINGS = within({"list.left": "step(-1)", "list.right": "step(1)", "list.first": "follow", "list.last": "follow"})

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._kept: dict[str, deque[Event]] = {word: deque(maxlen=KEPT) for word in (*KINDS, OWN)}  # newest first
        self._lines: deque[Event] = deque(maxlen=KEPT)
        """What is shown of it, newest first."""
        self._fixed: Fixed | None = None
        self._unseen = 0
        self.kinds: frozenset[str] = frozenset(KINDS)
        """The kinds that are shown."""
        self.sought = ""
        """Words that each line shown must have."""
        self._jumps = 0
        self._asks: dict[AskId, tuple[str, str]] = {}
        """Who issued an ask, and its goal, for the latest asks."""
        self._asks_of = AskFilter()

    def on_mount(self) -> None:
        """Set the title."""
        self._say()

    def show(self, frame: Frame) -> None:
        """Add the events since the frame before."""
        before, self._fixed = self._fixed, frame.snapshot.fixed
        if before is None or before.run is not self._fixed.run or frame.jumps != self._jumps:
            self._jumps = frame.jumps
            for kept in self._kept.values():
                kept.clear()
            self._lines.clear()
            self._asks.clear()
            self.scroll_to(y=0, animate=False)
            self._unseen = 0
            self.refresh()
        # Of a burst only the events that will be kept are looked at.
        self._learn(frame)
        fresh = [event for event in frame.events[-KEPT * len(KINDS) :] if worth_telling(event)]
        if frame.asks_of != self._asks_of:
            self._asks_of = frame.asks_of
            self._choose()
        if not fresh:
            return
        self._replace(fresh)
        for event in fresh:
            self._kept[OWN if self._own(event) else KIND_OF.get(type(event), "log")].appendleft(event)
        wanted = self._wanted()
        mine = list(filter(wanted, fresh))[-KEPT:]
        self._lines.extendleft(mine)
        self._unseen = 0 if self.following else self._unseen + len(mine)
        if mine:
            self.rows_came(len(mine))
            self._say()

    def _learn(self, frame: Frame) -> None:
        """Record who issued each new ask, and its goal."""
        issued = {event.ask: event.by for event in frame.events if isinstance(event, AskIssued)}
        if not issued:
            return
        goals = {row.id: row.goal for row in frame.snapshot.asks if row.id in issued}
        self._asks |= {ask: (by, goals.get(ask, "")) for ask, by in issued.items()}
        for ask in list(islice(self._asks, max(0, len(self._asks) - ASKS_KNOWN))):
            del self._asks[ask]

    def _goal_of(self, event: Event) -> Goal | None:
        """The goal of the ask that an event is about, if users of this network can have it."""
        known = self._asks.get(event.ask) if isinstance(event, AskIssued) else None
        return self._fixed.goal(known[1]) if known is not None and self._fixed is not None else None

    def _own(self, event: Event) -> bool:
        """Whether it is about an ask that the network opened by itself: these must not displace the others."""
        return isinstance(event, OF_ASKS) and self._asks.get(event.ask, ("", ""))[0] == "network"

    def _replace(self, fresh: list[Event]) -> None:
        """Remove the earlier lines about the end of asks that have closed again: each ask has one such line."""
        again = {event.ask: event for event in fresh if isinstance(event, Closed)}
        if not again:
            return
        fresh[:] = [event for event in fresh if not isinstance(event, Closed) or again[event.ask] is event]
        for lines in (self._kept["asks"], self._kept[OWN], self._lines):
            old = [event for event in lines if isinstance(event, Closed) and event.ask in again]
            for event in old:
                lines.remove(event)

    # --- filters -----------------------------------------------------------------------------------------------

    @property
    def narrowed(self) -> bool:
        """Whether a filter is on."""
        return bool(self.sought) or len(self.kinds) < len(KINDS)

    def _wanted(self) -> Callable[[Event], bool]:
        """Whether an event is to be shown."""
        words = self.sought.casefold().split()
        labels = self._fixed.labels if self._fixed is not None else ()
        kinds, asks_of = self.kinds, self._asks_of

        def wanted(event: Event) -> bool:
            if KIND_OF.get(type(event), "log") not in kinds:
                return False
            known = self._asks.get(event.ask) if isinstance(event, OF_ASKS) else None
            if known is not None and not asks_of.shows(*known):
                return False
            sentence = sentence_of(event, labels, self._goal_of(event))[0].casefold() if words else ""
            return all(word in sentence for word in words)

        return wanted

    def _choose(self) -> None:
        """Apply changed filters to all events that are kept."""
        wanted = self._wanted()
        every: Iterable[Event] = merge(*self._kept.values(), key=_newest_first)
        self._lines = deque(islice(filter(wanted, every), KEPT), maxlen=KEPT)
        self._unseen = 0
        self.scroll_to(y=0, animate=False)
        self.rows_came(0)
        self._say()

    def show_kinds(self, kinds: Iterable[str]) -> None:
        """Show these kinds; none means all."""
        self.kinds = frozenset(kinds) or frozenset(KINDS)
        self._choose()

    def widen(self) -> None:
        """Show everything again."""
        self.sought = ""
        self.show_kinds(())

    def seek(self, text: str) -> None:
        """Show only lines that have all these words; an empty text shows all again."""
        self.sought = text.strip()
        self._choose()

    def action_step(self, by: int) -> None:
        """All, then one kind after the other."""
        steps: list[frozenset[str]] = [frozenset(KINDS), *(frozenset((word,)) for word in KINDS)]
        at = steps.index(self.kinds) if self.kinds in steps else 0
        self.show_kinds(steps[(at + by) % len(steps)])

    def action_follow(self) -> None:
        """Scroll to the newest event, and follow."""
        self.scroll_to(y=0, animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """At the top, all events count as seen."""
        super().watch_scroll_y(old_value, new_value)
        if new_value <= 0:
            self._unseen = 0
        if (new_value <= 0) != (old_value <= 0):
            self._say()

    def _say(self) -> None:
        title = f"feed · “{self.sought}”" if self.sought else "feed"
        stopped = f"{self._unseen:,} newer · end follows" if self._unseen else "end follows"
        name_panel(self, title, "" if self.following else stopped)

    # --- rows --------------------------------------------------------------------------------------------------

    def row_count(self) -> int:
        """How many events are shown."""
        return len(self._lines)

    def header(self, line: int, width: int) -> Row:
        """The kinds, those that are shown in the accent colour."""
        every = len(self.kinds) == len(KINDS)
        row: list[Span] = [("all", "key bold" if every else "dim")]
        for word in KINDS:
            row += [(" ", "dim"), (word, "text" if every else "key bold" if word in self.kinds else "dim")]
        return (*row, ("  /", "key bold"))

    def row(self, index: int, width: int) -> Row:
        """One event in words."""
        labels = self._fixed.labels if self._fixed is not None else ()
        event = self._lines[index]
        return event_row(event, labels, self._goal_of(event))

    def empty(self, width: int) -> tuple[Row, ...]:
        """No event, or none that passes the filters."""
        said = wrap(keyed(self.app, NONE_LIKE_IT) if self.narrowed else EMPTY, width)
        return (self.header(0, width), *(((line, "dim"),) for line in said))

    def on_click(self, event: tx.Click) -> None:
        """Select what the line is about, or change the filter in the first line."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y < self.HEADER:
            self._pick_word(offset.x)
            return
        index = self.index_at(offset.y)
        if index is None:
            return
        peer, ask = subject(self._lines[index])
        if ask is not None:
            self.post_message(AskPicked(ask))
        elif peer is not None:
            self.post_message(PeerPicked(peer))

    def _pick_word(self, x: int) -> None:
        left = 0
        for text, _ in self.header(0, self.size.width):
            if left <= x < left + len(text):
                word = text.strip()
                if word == "all":
                    self.widen()
                elif word == "/":
                    self.post_message(Searched("feed"))
                elif word:
                    # From all, a click shows this kind alone; then others are added and taken away.
                    every = len(self.kinds) == len(KINDS)
                    self.show_kinds((word,) if every else self.kinds ^ {word})
            left += len(text)
