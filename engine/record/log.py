"""What a run was given from outside, in order: with the setup, the truth about it. Everything else follows."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ..commands import Command
from ..measure.events import AskIssued, Churned, Commanded
from ..swarm import Swarm

Position: TypeAlias = tuple[int, int]
"""A moment of a run: virtual time in us, and how many commands from outside had been done. Both, because several
commands may fall into one instant and one may want to stand between them. The instant itself is over."""


@dataclass(frozen=True, slots=True)
class Given:
    """One command from outside. `said` is what the person said, `meant` the same with its selectors replaced by those
    they named, `drawn` how the stream that selectors draw from stood afterwards. `fresh`: it was said in this very
    run, so that saying it again means the same."""

    at_us: int
    said: Command
    meant: Command
    by: str
    drawn: int
    fresh: bool = True

    @property
    def again(self) -> Command:
        """What to do to do it again."""
        return self.said if self.fresh else self.meant


def moment(log: list[Given], t_us: int) -> Position:
    """The end of an instant, with all that was done in it."""
    count = len(log)
    while count and log[count - 1].at_us > t_us:
        count -= 1
    return t_us, count


# Fingerprints of a run, one a second of virtual time: sixteen bytes each, where a dict of texts takes two hundred.

PRINTS_MAX = 100_000
"""So many are kept: of the first day and a quarter."""


class Prints(Mapping[int, str]):
    """Time in us -> 16 hex digits, in order of time."""

    def __init__(self, known: Mapping[int, str] | None = None) -> None:
        self._at_us = array("q")
        self._values = array("Q")
        for at_us, text in sorted((known or {}).items()):
            self.add(at_us, text)

    def add(self, at_us: int, text: str) -> bool:
        """One more, later than all others. False when there are enough."""
        if len(self._at_us) >= PRINTS_MAX:
            return False
        self._at_us.append(at_us)
        self._values.append(int(text, 16))
        return True

    def cut(self, to_us: int) -> None:
        """What came after that never was."""
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


# What a timeline shows: commands, kills, asks and alarms of a run, with their times.
#
# They are taken from the events of the swarm while it runs, and stay when it is somewhere else. There are so many at
# most: when there are more, every second one of those that nobody did by hand goes.

KindOfMark: TypeAlias = Literal["command", "kill", "ask", "alarm"]
MARKS_MAX = 4_000
ENDING = ("kill", "shutdown", "leave", "exit")


@dataclass(frozen=True, slots=True)
class Mark:
    """One moment of a timeline. `by`: "person", "scenario", "background", or "churn"."""

    at_us: int
    kind: KindOfMark
    text: str
    by: str


def mark_of(given: Given) -> Mark:
    """Of a command from outside."""
    return _of(given.at_us, given.said, given.by)


def _of(at_us: int, command: object, by: str) -> Mark:
    verb = getattr(command, "verb", "")
    kind: KindOfMark = "kill" if verb in ENDING else "ask" if verb == "ask" else "command"
    whom = getattr(command, "peers", None)
    if isinstance(whom, tuple) and len(whom) == 1:
        whom = whom[0]
    named = f" {whom}" if isinstance(whom, str) else f" #{whom}" if isinstance(whom, int) else ""
    if not named and whom:
        named = f" {len(whom):,} peers"
    what = getattr(command, "text", "") or getattr(command, "word", "") or getattr(command, "name", "")
    return Mark(at_us, kind, f"{verb}{named}{f' {what}' if what else ''}", by)


class Marks:
    """All marks of a run, in order of time. `version` moves when they do."""

    def __init__(self, log: Sequence[Given] = ()) -> None:
        self._seen = 0  # the number of the latest event of the run; running there again gives it the same number
        self.version = 0
        self._given = [mark_of(given) for given in log]
        self._found: list[Mark] = []
        self._all: tuple[Mark, ...] | None = None

    def all(self) -> tuple[Mark, ...]:
        """In order of time."""
        if self._all is None:
            self._all = tuple(sorted((*self._given, *self._found), key=lambda mark: mark.at_us))
        return self._all

    def did(self, given: Given) -> None:
        """A command from outside."""
        self._given.append(mark_of(given))
        self._changed()

    def listen(self, swarm: Swarm) -> None:
        """What happened of its own accord, for the first time."""
        for event in swarm.events(self._seen):
            self._seen = event.seq
            if isinstance(event, Churned) and event.what == "kill":
                self._found.append(Mark(event.at_us, "kill", "churn", "churn"))
            elif isinstance(event, AskIssued) and event.by == "background":
                self._found.append(Mark(event.at_us, "ask", event.text, event.by))
            elif isinstance(event, Commanded) and event.by == "scenario":
                self._found.append(_of(event.at_us, event.command, event.by))
            else:
                continue
            self._changed()
        if len(self._found) > MARKS_MAX:
            by_lot = [mark for mark in self._found if mark.by in ("background", "churn")]
            gone = {id(mark) for mark in by_lot[::2]}
            self._found = [mark for mark in self._found if id(mark) not in gone]

    def alarm(self, at_us: int, text: str) -> None:
        """Something broke."""
        self._found.append(Mark(at_us, "alarm", text, ""))
        self._changed()

    def cut(self, log: Sequence[Given], swarm: Swarm) -> None:
        """The run goes on from this swarm with another future."""
        to_us = swarm.now_us
        self._given = [mark_of(given) for given in log]
        self._found = [mark for mark in self._found if mark.at_us <= to_us]
        self._seen = min(self._seen, swarm.simulation.event_log.seen)
        self._changed()

    def _changed(self) -> None:
        self._all = None
        self.version += 1
