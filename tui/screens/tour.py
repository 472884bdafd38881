"""The tour of a first start: five things to do, each shown when the one before is done.

It follows events of the swarm, not keys: an ask counts by whatever means it was made. It blocks nothing; after doing
something else the user finds the same step. It can be ended at any step. `Tour` is pure (events in, a step out); where
the text is shown is decided by the screen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from textual import events
from textual.geometry import Offset, Region
from textual.message import Message

from engine import ALIVE, AskId, AskIssued, Commanded, Event, Kill, PeerId, Shutdown, Snapshot, Trace, dataclass, plain

from ..session.verbs import answered_by
from ..widgets.panel import TextRows, name_panel, panel_css
from ..widgets.text import Row, wrap

Place: TypeAlias = Literal["keys", "picture", "peer"]
STEPS = 5
NAME = 16


@dataclass(frozen=True, slots=True)
class TourStep:
    """What is said now: step `number` of STEPS, a heading, sentences with keys as `{id}`, and where to look: at the
    keys, at the picture, or at `peer`."""

    number: int
    heading: str
    text: str
    place: Place
    peer: PeerId | None = None


class Tour:
    """Show it each frame's events with `see`; `words` is what to say now, None when it is over."""

    def __init__(self, protocol: str, titles: Sequence[str] = ()) -> None:
        self.step = 1
        self._titles = deque(titles)
        """What there is to ask for; the first is suggested."""
        self._protocol = protocol
        self._ask: AskId | None = None
        self._answerers: tuple[PeerId, ...] = ()
        self._found_nothing = False
        self._asking = False

    @property
    def over(self) -> bool:
        """Whether everything has been done."""
        return self.step > STEPS

    def see(self, snapshot: Snapshot, events: tuple[Event, ...], trace: Trace | None, *, asking: bool = False) -> bool:
        """Take in what happened. trace: of the ask that is looked at; asking: an ask is being typed.

        Returns whether `words` may have changed.
        """
        before = (self.step, self._ask, self._answerers, self._asking)
        self._asking = asking
        for event in events:
            self._take_event(event)
        if trace is not None and trace.ask == self._ask and trace.holders:
            self._answerers = answered_by(trace)
        if self.step == 2:
            self._check_answer(snapshot)
        if self.step == 3 and not any(snapshot.state[peer] == ALIVE for peer in self._living(snapshot)):
            self.step = 4
        if snapshot.fixed.protocol != self._protocol:
            self._change_network(snapshot.fixed.protocol)
        return before != (self.step, self._ask, self._answerers, self._asking)

    def _take_event(self, event: Event) -> None:
        if isinstance(event, AskIssued) and event.by == "person":
            if self.step in (1, 2):
                self.step, self._ask, self._answerers = 2, event.ask, ()
            elif self.step == 4:
                self.step = 5
        elif isinstance(event, Commanded) and event.by == "person" and self.step == 3:
            killed = isinstance(event.command, (Kill, Shutdown)) and set(event.peers) & set(self._answerers)
            self.step = 4 if killed else 3

    def _check_answer(self, snapshot: Snapshot) -> None:
        """Go to step 3 once the question no longer spreads and there is an answer; if the ask ended without one, go
        back to step 1 with another text. A download of what was found may take minutes, and is not waited for."""
        row = next((row for row in snapshot.asks if row.id == self._ask), None)
        if row is None or row.id in snapshot.spreading:
            return
        if self._answerers:
            self.step = 3
        elif row.closed_us is not None:
            self.step, self._found_nothing = 1, True
            self._titles.rotate(-1)

    def _living(self, snapshot: Snapshot) -> list[PeerId]:
        return [peer for peer in self._answerers if peer < len(snapshot.state) and snapshot.state[peer] == ALIVE]

    def _change_network(self, protocol: str) -> None:
        """Another network completes the last step; before that the tour starts again, as the former peers are gone."""
        self._protocol = protocol
        self._ask, self._answerers = None, ()
        self.step = STEPS + 1 if self.step >= 4 else 1

    def words(self, snapshot: Snapshot) -> TourStep | None:
        """The text of the current step, None when the tour is over."""
        wanted = f" “{plain(self._titles[0], limit=30)}”" if self._titles else " something"
        living = self._living(snapshot)
        match self.step:
            case 1 if self._asking:
                said = f"Type{wanted} and press enter, or click it. A question goes from peer to peer."
                return TourStep(1, "Ask", said, "keys")
            case 1 if self._found_nothing:
                said = f"That ask found nothing. Press {{ask.here}} and ask for{wanted}: a peer has it."
                return TourStep(1, "Ask again", said, "keys")
            case 1:
                return TourStep(1, "Ask", f"Press {{ask.here}} to ask all of these peers for{wanted}.", "keys")
            case 2:
                said = "Time is slow now. Watch your question spread, and the answers return the way it came."
                return TourStep(2, "See the answer", said, "picture")
            case 3 if living:
                name = snapshot.fixed.labels[living[0]][:NAME]
                said = (
                    f"{name} answered. Select it: {{ask.answerer}} does, or a click. Then press {{peer.kill}}: its "
                    "process dies."
                )
                return TourStep(3, "Kill the one who answered", said, "peer", living[0])
            case 4:
                said = f"Press {{ask.here}} and ask for{wanted} once more. Does the network still answer?"
                return TourStep(4, "Ask again", said, "keys")
            case 5:
                said = "Press {run.network} and choose another network: the same peers and files. Whom to kill there?"
                return TourStep(5, "Try another network", said, "keys")
        return None


def marker() -> Path:
    """The file that says that the tour has been offered."""
    import platformdirs

    return platformdirs.user_state_path("swarmtop") / "toured"


def first_time() -> bool:
    """Whether the tour has not been offered yet. This is written into a file, so a later call returns False.

    It is written when the tour begins: a person who ends it early knows that it exists. Where the file cannot be
    written it is not offered, as it would be offered at each start.
    """
    path = marker()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("x").close()
    except OSError:
        return False
    return True


# The text of the step in a small box over the picture, beside what it is about. It takes neither keys nor the focus.

WIDTH = 38
"""Cells, frame included."""
NEAR = 4
"""Cells between a peer and the box about it, so that the ring around the peer stays visible."""


class TourBox(TextRows):
    """Hidden until `say`. A click on it ends the tour."""

    DEFAULT_CSS = (
        panel_css("TourBox")
        + f"""
    TourBox {{
        display: none; overlay: screen; position: absolute; width: {WIDTH}; height: auto; padding: 0 1;
        background: $panel; border: round $accent; pointer: pointer;
    }}
    TourBox.-letters {{ border: ascii $accent; }}
    TourBox.-open {{ display: block; }}
    """
    )

    _placed_at = Offset(-1, -1)

    class Clicked(Message):
        """It was clicked: the tour is to end."""

    def say(self, heading: str, text: str, back: str) -> None:
        """Show a heading and a text; `back` is the key that leaves."""
        name_panel(self, heading, f"{back} leaves the tour")
        rows: list[Row] = [((line, "text"),) for line in wrap(text, WIDTH - 4)]
        self.show_rows(rows)
        self.add_class("-open")

    def hide(self) -> None:
        """Hide it."""
        self.remove_class("-open")

    def place_at(self, offset: Offset) -> None:
        """Move it to a place on the screen."""
        if offset != self._placed_at:
            self._placed_at = offset
            self.styles.offset = offset

    def on_click(self, event: events.Click) -> None:
        """A click ends the tour."""
        event.stop()
        self.post_message(self.Clicked())


def beside(cell: tuple[int, int], high: int, room: Region, others: Sequence[tuple[int, int]] = ()) -> Offset:
    """The place of a box of `high` lines next to a cell, without covering it, inside `room`. Of the sides where it
    fits, the one where it hides the fewest of `others`."""
    x, y = cell
    level = min(max(room.y, y - high // 2), max(room.y, room.bottom - high))
    centred = min(max(room.x, x - WIDTH // 2), max(room.x, room.right - WIDTH))
    sides = [
        Region(x + NEAR, level, WIDTH, high),
        Region(x - NEAR - WIDTH + 1, level, WIDTH, high),
        Region(centred, y + 2, WIDTH, high),
        Region(centred, y - high - 1, WIDTH, high),
    ]
    inside = [side for side in sides if room.contains_region(side)] or [sides[2].translate_inside(room)]
    return min(inside, key=lambda side: sum(side.contains(*other) for other in others)).offset
