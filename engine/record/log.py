"""The command log of a run, the fingerprints of its seconds, and the marks of its timeline.

With the setup and the world, the commands from outside decide a run bit for bit: everything else follows from them.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from ..commands import Command
from ..measure.events import AskIssued, Churned, Commanded
from ..swarm import Swarm
from ..values import dataclass

Position: TypeAlias = tuple[int, int]
"""A moment of a run: (virtual time in us, commands from outside that have been done). Both, because several commands
may be done in one instant, and a position may lie between them. Deliveries of the instant itself are done."""


@dataclass(frozen=True, slots=True)
class LoggedCommand:
    """One command from outside.

    command: as it was given; resolved: the same with each selector replaced by the peers that it named.
    by: "person" or another source. rng_state: of the random stream of selectors, after the command.
    contents: of the file that the command names, as `Swarm.do` takes them; None if it names none.
    fresh: it was given in this process, so that the selectors of `command` name the same peers again.
    """

    at_us: int
    command: Command
    resolved: Command
    by: str
    rng_state: int
    fresh: bool = True
    contents: bytes | None = None

    @property
    def repeatable(self) -> Command:
        """The form of the command that has the same effect when the run is repeated."""
        return self.command if self.fresh else self.resolved


def position_at(log: list[LoggedCommand], t_us: int) -> Position:
    """The position at the end of an instant, after all commands that were done in it."""
    count = len(log)
    while count and log[count - 1].at_us > t_us:
        count -= 1
    return t_us, count


# --- fingerprints -----------------------------------------------------------------------------------------------

FINGERPRINTS_MAX = 100_000
"""Fingerprints that are kept: one a second for a day and a quarter."""


class Fingerprints(Mapping[int, str]):
    """Virtual time in us -> 16 hex digits, in order of time, one a second. Takes 16 bytes for each, where a dict of
    texts takes two hundred."""

    def __init__(self, known: Mapping[int, str] | None = None) -> None:
        self._at_us = array("q")
        self._values = array("Q")
        for at_us, text in sorted((known or {}).items()):
            self.add(at_us, text)

    def add(self, at_us: int, text: str) -> bool:
        """Add one, later than all others. False when there are `FINGERPRINTS_MAX` already."""
        if len(self._at_us) >= FINGERPRINTS_MAX:
            return False
        self._at_us.append(at_us)
        self._values.append(int(text, 16))
        return True

    def truncate(self, to_us: int) -> None:
        """Remove those after `to_us`."""
        kept = bisect_right(self._at_us, to_us)
        del self._at_us[kept:], self._values[kept:]

    def __getitem__(self, at_us: int) -> str:
        i = bisect_left(self._at_us, at_us)
        if i == len(self._at_us) or self._at_us[i] != at_us:
            raise KeyError(at_us)
        return f"{self._values[i]:016x}"

    def __iter__(self) -> Iterator[int]:
        return iter(self._at_us)

    def __len__(self) -> int:
        return len(self._at_us)


# --- marks of the timeline --------------------------------------------------------------------------------------

MarkKind: TypeAlias = Literal["command", "kill", "ask", "alarm"]
MARKS_MAX = 4_000
"""Marks of churn, background asks and scenarios that are kept."""
KILL_VERBS = ("kill", "shutdown", "leave", "depart")


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark of a timeline: a command, a kill, an ask or an alarm, and its time.

    by: "person", "scenario", "background", "churn", or empty for an alarm.
    """

    at_us: int
    kind: MarkKind
    text: str
    by: str


def mark_of(logged: LoggedCommand) -> Mark:
    return _command_mark(logged.at_us, logged.command, logged.by)


def _command_mark(at_us: int, command: object, by: str) -> Mark:
    verb = getattr(command, "verb", "")
    kind: MarkKind = "kill" if verb in KILL_VERBS else "ask" if verb == "ask" else "command"
    peers = getattr(command, "peers", None)
    if isinstance(peers, tuple) and len(peers) == 1:
        peers = peers[0]
    named = f" {peers}" if isinstance(peers, str) else f" #{peers}" if isinstance(peers, int) else ""
    if not named and peers:
        named = f" {len(peers):,} peers"
    what = getattr(command, "text", "") or getattr(command, "word", "") or getattr(command, "name", "")
    return Mark(at_us, kind, f"{verb}{named}{f' {what}' if what else ''}", by)


class Marks:
    """All marks of a run.

    They are made from the events of the swarm while it runs, and are kept wherever the cursor is. Above `MARKS_MAX`,
    every second mark of churn and background asks is dropped.
    """

    def __init__(self, log: Sequence[LoggedCommand] = ()) -> None:
        # The number of the last event that was read. A run that is repeated gives its events the same numbers.
        self._last_event = 0
        self._from_log = [mark_of(logged) for logged in log]
        self._from_events: list[Mark] = []
        self._all: tuple[Mark, ...] | None = None

    def all(self) -> tuple[Mark, ...]:
        """The marks in order of time."""
        if self._all is None:
            self._all = tuple(sorted((*self._from_log, *self._from_events), key=lambda mark: mark.at_us))
        return self._all

    def add_command(self, logged: LoggedCommand) -> None:
        self._from_log.append(mark_of(logged))
        self._all = None

    def read_events(self, swarm: Swarm) -> None:
        """Add marks for the events of the swarm that were not read yet."""
        for event in swarm.events(self._last_event):
            self._last_event = event.seq
            if isinstance(event, Churned) and event.what == "kill":
                self._from_events.append(Mark(event.at_us, "kill", "churn", "churn"))
            elif isinstance(event, AskIssued) and event.by == "background":
                self._from_events.append(Mark(event.at_us, "ask", event.text, event.by))
            elif isinstance(event, Commanded) and event.by == "scenario":
                self._from_events.append(_command_mark(event.at_us, event.command, event.by))
            else:
                continue
            self._all = None
        if len(self._from_events) > MARKS_MAX:
            random = [mark for mark in self._from_events if mark.by in ("background", "churn")]
            dropped = {id(mark) for mark in random[::2]}
            self._from_events = [mark for mark in self._from_events if id(mark) not in dropped]

    def alarm(self, at_us: int, text: str) -> None:
        """Add a mark of an error."""
        self._from_events.append(Mark(at_us, "alarm", text, ""))
        self._all = None

    def truncate(self, log: Sequence[LoggedCommand], swarm: Swarm) -> None:
        """Remove the marks after the time of `swarm`; `log` holds the commands that are left."""
        to_us = swarm.now_us
        self._from_log = [mark_of(logged) for logged in log]
        self._from_events = [mark for mark in self._from_events if mark.at_us <= to_us]
        self._last_event = min(self._last_event, swarm.simulation.event_log.seen)
        self._all = None
