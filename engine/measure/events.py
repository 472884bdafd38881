"""Events of a swarm, as values. The last ones are kept; each has a running number.

`Swarm.events(since)` yields those with `seq > since`. What happens too often to be listed (duplicates, single
deliveries) is counted in the records of asks and in the snapshot instead.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any, Protocol, TypeAlias

from ..api import AskId, PeerId
from ..commands import Command
from ..sim.kernel import Kernel
from ..values import dataclass


class Watcher(Protocol):
    """Records a run: see `Swarm.watch`. Its methods are called when the thing happens, and must not change the
    swarm."""

    def on_command(self, command: Command, resolved: Command, by: str, contents: bytes | None) -> None:
        """A command from outside took effect. `resolved`: with its selectors replaced by the peers that they named.
        `contents`: of the file that it names, None if it names none."""

    def on_sample(self) -> None:
        """A second of virtual time is over. It is called at the same moments, however the run is sliced."""


@dataclass(frozen=True, slots=True)
class Event:
    """`seq` counts from 1; `at_us` is virtual time."""

    seq: int
    at_us: int


@dataclass(frozen=True, slots=True)
class Commanded(Event):
    """A command took effect on `peers` (resolved). `by` is "person", "scenario", "court" or "attack"."""

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
    """A newcomer started for the first time. `operator` runs it, "" for a user of its own."""

    peer: PeerId
    operator: str


@dataclass(frozen=True, slots=True)
class Adrift(Event):
    """A newcomer has not joined the network; `why` is a sentence."""

    peer: PeerId
    why: str


@dataclass(frozen=True, slots=True)
class AskIssued(Event):
    """An ask was issued. `by` is "person", "scenario", "background" or, for one that the network itself opened,
    "network"."""

    ask: AskId
    origin: PeerId
    text: str
    by: str


@dataclass(frozen=True, slots=True)
class Hit(Event):
    """An ask's origin learned of a holder; `by`: who named it, which may be the holder itself."""

    ask: AskId
    origin: PeerId
    holder: PeerId
    content: str
    by: PeerId = -1


@dataclass(frozen=True, slots=True)
class Closed(Event):
    """Nothing of the ask is pending any more. If it closes again with another verdict, a newer event replaces this one:
    an ask has one at most."""

    ask: AskId
    verdict: str


@dataclass(frozen=True, slots=True)
class Noted(Event):
    """What a protocol logs (`Host.log`): graft, choke, silent neighbour; and what it reports about an ask: "fetched",
    "decoy", "failed" and "hit taken back"."""

    peer: PeerId
    kind: str
    facts: Mapping[str, Any]
    ask: AskId


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """A stream message was refused by the machine of a dead or departed peer."""

    peer: PeerId
    to: PeerId
    kind: str
    ask: AskId


@dataclass(frozen=True, slots=True)
class RoleChanged(Event):
    """A peer has another role than before, see `api.Host.set_role`."""

    peer: PeerId
    role: str
    before: str


EVENTS_MAX = 5_000
EventRow: TypeAlias = tuple[int, int, type[Event], tuple[Any, ...]]
"""Number, virtual time in us, and class of an event with the values of its other fields. Most events are never read,
and to make one takes five times as long as its row."""
NUMBER = itemgetter(0)


class EventLog:
    """The last `EVENTS_MAX` events. They are part of the swarm: a copy has the same."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.recorded: deque[EventRow] = deque(maxlen=EVENTS_MAX)
        self.seen = 0
        """How many there have been, and the number of the latest."""
        self._closed: dict[AskId, int] = {}
        """Numbers of the events of asks that have closed, in order."""

    def append(self, kind: type[Event], *values: Any) -> None:
        """An event of this kind happens now; `values` are its fields, in order."""
        self.seen += 1
        self.recorded.append((self.seen, self.kernel.now_us, kind, values))

    def closed(self, ask: AskId, verdict: str) -> None:
        """An ask has closed, perhaps again: an earlier event of it is removed, so that there is only one."""
        recorded = self.recorded
        before = self._closed.pop(ask, 0)
        if before and recorded and before >= recorded[0][0]:
            del recorded[bisect_left(recorded, before, key=NUMBER)]
        self.append(Closed, ask, verdict)
        self._closed[ask] = self.seen
        if len(self._closed) > EVENTS_MAX:
            del self._closed[next(iter(self._closed))]

    def since(self, number: int) -> Iterator[Event]:
        """Those with a number above that, oldest first. Numbers of events that were replaced are missing."""
        recorded = self.recorded
        first = len(recorded)
        while first and recorded[first - 1][0] > number:
            first -= 1
        rows = [recorded[i] for i in range(first, len(recorded))]
        return iter([kind(seq, at_us, *values) for seq, at_us, kind, values in rows])
