"""What happens, sentence by sentence, newest on top.

Events are kept as they are, by kind, the last 500 of each: a burst of a thousand hits does not wash out the one command
that set it off. Words are found only for those in sight, and while somebody searches, for those that come. A burst of
thousands therefore costs what it costs to put them into a deque.

The first line says which kinds are shown: a click on one shows or hides it, left and right step through them one at a
time. What was typed at `/` narrows it further, to lines that have all of its words. It follows what comes, until it is
scrolled; `end` takes it back to the newest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from heapq import merge
from itertools import islice

from textual import events as tx

from engine import AskIssued, Churned, Closed, Commanded, Event, Fixed, Hit, Noted, Refused
from tui.config.keys import keyed
from tui.config.keys_inside import within
from tui.session.frame import Frame
from tui.widgets.messages import AskPicked, PeerPicked, Searched

from .panel import Roll, name_panel, panel_css
from .tell import subject, tell, told, worth_telling
from .text import Row, Span, wrap

KEPT = 500
EMPTY = "Nothing has happened yet. What peers and you do is told here."
NONE_LIKE_IT = "Nothing like that has happened. {app.back} or a click on “all” shows everything."

KINDS: dict[str, tuple[type[Event], ...]] = {
    "asks": (AskIssued, Closed),
    "hits": (Hit,),
    "deeds": (Commanded,),
    "churn": (Churned,),
    "lost": (Refused,),
    "notes": (Noted,),
}
"""Word of the filter -> what it shows. An event of a kind that is not here is a note."""
KIND_OF: dict[type[Event], str] = {event: word for word, kinds in KINDS.items() for event in kinds}


def _newest_first(event: Event) -> int:
    return -event.seq


class Feed(Roll):
    """The panel. A click on a line chooses the ask or the peer it is about."""

    DEFAULT_CSS = panel_css("Feed") + "Feed { padding: 0 0 0 1; }"
    HEADER = 1
    BINDINGS = within({"list.left": "step(-1)", "list.right": "step(1)", "list.first": "follow", "list.last": "follow"})

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._kept: dict[str, deque[Event]] = {word: deque(maxlen=KEPT) for word in KINDS}  # newest first
        self._lines: deque[Event] = deque(maxlen=KEPT)
        """What is shown of it, newest first."""
        self._fixed: Fixed | None = None
        self._unseen = 0
        self.kinds: frozenset[str] = frozenset(KINDS)
        """The kinds that are shown."""
        self.sought = ""
        """Words that each line shown must have."""
        self._jumps = 0

    def on_mount(self) -> None:
        """Say what it is."""
        self._say()

    def show(self, frame: Frame) -> None:
        """Take in what happened since the frame before."""
        before, self._fixed = self._fixed, frame.snapshot.fixed
        if before is None or before.run is not self._fixed.run or frame.jumps != self._jumps:
            self._jumps = frame.jumps
            for kept in self._kept.values():
                kept.clear()
            self._lines.clear()
            self.scroll_to(y=0, animate=False)
            self._unseen = 0
            self.refresh()
        # Of a burst only what will be kept is looked at.
        fresh = [event for event in frame.events[-KEPT * len(KINDS) :] if worth_telling(event)]
        if not fresh:
            return
        for event in fresh:
            self._kept[KIND_OF.get(type(event), "notes")].appendleft(event)
        wanted = self._wanted()
        mine = [event for event in fresh[-KEPT:] if wanted(event)] if self.narrowed else fresh[-KEPT:]
        self._lines.extendleft(mine)
        self._unseen = 0 if self.following else self._unseen + len(mine)
        if mine:
            self.rows_came(len(mine))
            self._say()

    # --- filters -----------------------------------------------------------------------------------------------

    @property
    def narrowed(self) -> bool:
        """Whether some of it is not shown."""
        return bool(self.sought) or len(self.kinds) < len(KINDS)

    def _wanted(self) -> Callable[[Event], bool]:
        """Whether an event is to be shown."""
        words = self.sought.casefold().split()
        labels = self._fixed.labels if self._fixed is not None else ()
        kinds = self.kinds

        def wanted(event: Event) -> bool:
            if KIND_OF.get(type(event), "notes") not in kinds:
                return False
            sentence = told(event, labels)[0].casefold() if words else ""
            return all(word in sentence for word in words)

        return wanted

    def _choose(self) -> None:
        """Other filters: look at all that is kept, for the newest that pass."""
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
        """Back to the newest, and on with it."""
        self.scroll_to(y=0, animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Back at the top, everything is seen."""
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
        """The kinds, those that are shown lit; and what is searched for."""
        every = len(self.kinds) == len(KINDS)
        row: list[Span] = [("all", "key bold" if every else "dim")]
        for word in KINDS:
            row += [(" ", "dim"), (word, "text" if every else "key bold" if word in self.kinds else "dim")]
        return (*row, ("  /", "key bold"))

    def row(self, index: int, width: int) -> Row:
        """One event in words."""
        labels = self._fixed.labels if self._fixed is not None else ()
        return tell(self._lines[index], labels)

    def empty(self, width: int) -> tuple[Row, ...]:
        """Nothing happened, or nothing like it."""
        said = wrap(keyed(self.app, NONE_LIKE_IT) if self.narrowed else EMPTY, width)
        return (self.header(0, width), *(((line, "dim"),) for line in said))

    def on_click(self, event: tx.Click) -> None:
        """Choose what the line is about, or what is told."""
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
