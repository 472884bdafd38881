"""What a watcher may see, as values. They are kept in a bounded ring; each has a running number.

`Swarm.events(since)` yields those with `seq > since`. Counts that would flood it (duplicates, single
deliveries) are in the accounts and the snapshot instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..api import AskId, PeerId
from ..commands import Command
from . import events as e


class Watcher(Protocol):
    """Who writes a run down. It is told at the moment itself, and may not touch anything."""

    def did(self, meant: Command, said: Command, by: str) -> None:
        """A command from outside took effect: as it was said, and with its selectors replaced by those they named."""

    def sampled(self) -> None:
        """A second of virtual time is over. The same moment, however the run is sliced."""


@dataclass(frozen=True, slots=True)
class Event:
    """`seq` counts from 1; `at_us` is virtual time."""

    seq: int
    at_us: int


@dataclass(frozen=True, slots=True)
class Commanded(Event):
    """A command took effect on `peers` (resolved). `by` is "person", "scenario" or "court"."""

    command: Command
    peers: tuple[PeerId, ...]
    by: str


@dataclass(frozen=True, slots=True)
class Churned(Event):
    """Churn ended a session ("kill", or "leave" for a polite one) or a time away ("revive", "join")."""

    peer: PeerId
    what: str


@dataclass(frozen=True, slots=True)
class Arrived(Event):
    """A newcomer is there for the first time. `operator` runs it, "" for a user of its own."""

    peer: PeerId
    operator: str


@dataclass(frozen=True, slots=True)
class Adrift(Event):
    """A newcomer has looked for a way in and found none; `why` says it in a sentence."""

    peer: PeerId
    why: str


@dataclass(frozen=True, slots=True)
class Asked(Event):
    """An ask was issued. `by` is "person", "scenario" or "background"."""

    ask: AskId
    origin: PeerId
    text: str
    by: str


@dataclass(frozen=True, slots=True)
class Hit(Event):
    """An ask's origin learned of a holder."""

    ask: AskId
    origin: PeerId
    holder: PeerId
    content: str


@dataclass(frozen=True, slots=True)
class Closed(Event):
    """Nothing of the ask is pending any more."""

    ask: AskId
    verdict: str


@dataclass(frozen=True, slots=True)
class Noted(Event):
    """A protocol's own note: graft, choke, download begun and finished."""

    peer: PeerId
    kind: str
    facts: Mapping[str, Any]
    ask: AskId


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """A stream message found a dead or departed peer, and its sender was told."""

    peer: PeerId
    to: PeerId
    kind: str
    ask: AskId


# The ring of events: what a watcher may still ask about, numbered from the beginning of the run.

EVENTS = 5_000
KINDS: dict[str, type[e.Event]] = {
    "adrift": e.Adrift,
    "arrived": e.Arrived,
    "asked": e.Asked,
    "churned": e.Churned,
    "closed": e.Closed,
    "commanded": e.Commanded,
    "hit": e.Hit,
    "refused": e.Refused,
}
"""Whatever else is told is a protocol's own note."""


class EventLog:
    """Keeps the last events. They are part of the swarm: a copy tells what the original would have told."""

    def __init__(self) -> None:
        self.kept: deque[e.Event] = deque(maxlen=EVENTS)
        self.seen = 0
        """How many there have been, and the number of the latest."""

    def tell(self, now_us: int, kind: str, *what: Any) -> None:
        """One event of a kind; `what` are its fields, or the account that it is about."""
        self.seen += 1
        if kind == "asked":
            record = what[0]
            what = (record.id, record.origin, record.text, record.by)
        self.kept.append(KINDS.get(kind, e.Noted)(self.seen, now_us, *what))

    def since(self, number: int) -> Iterator[e.Event]:
        """Those with a number above that, oldest first."""
        kept = self.kept
        fresh = max(0, min(len(kept), self.seen - number))
        return iter([kept[i] for i in range(len(kept) - fresh, len(kept))])
