"""An epidemic: a small network whose peers show columns, change their role, and mark their links."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from engine import Ask, Host, Peer, PeerId, Shown, Station, message, on, option

SECOND = 1_000_000


@message(over="datagram", part="question")
class Cough:
    """Infects its receiver."""


@dataclass(slots=True)
class Day:
    """A patient is a step nearer to health."""


@dataclass(slots=True)
class WardOptions:
    nurses: int = option(1, "nurses", low=0, high=3)


class Patient(Peer, name="ward", options=WardOptions):
    """Is susceptible, then infected, then removed."""

    role = "patient"
    roles = ("survivor",)
    knows = "everyone"
    link_words = ("close", "distant")
    shows = (
        Shown("cured", "how far it has come", "share"),
        Shown("epidemic", "what it is", "category", ("susceptible", "infected", "removed")),
        Shown("coughs", "that it heard", "count"),
    )

    def __init__(self) -> None:
        self.stage = "susceptible"
        self.cured = 0.0
        self.coughs = 0
        self.known: tuple[PeerId, ...] = ()
        self.asked = 0
        """How often `shown` was called, for the tests alone."""

    @classmethod
    def stations(cls, options: WardOptions, peers: int) -> Sequence[Station]:
        return [Station(Nurse, f"nurse-{number}", "ward") for number in range(options.nurses)]

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.known = tuple(contacts)

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        for other in links:
            host.mark(other, "close" if abs(other - host.me) == 1 else "distant")

    def ask(self, host: Host, ask: Ask) -> None:
        self.infect(host)

    def infect(self, host: Host) -> None:
        if self.stage == "susceptible":
            self.stage = "infected"
            host.multicast([one for one in self.known if one in (host.me - 1, host.me + 1)], Cough())
            host.every(SECOND, Day())

    def shown(self) -> tuple[float | str, ...]:
        return self.cured, self.stage, self.coughs

    @on(Cough)
    def cough(self, host: Host, sender: PeerId, message: Cough) -> None:
        self.coughs += 1
        self.infect(host)

    @on(Day)
    def day(self, host: Host, tick: Day) -> None:
        if self.stage == "infected":
            self.cured = min(1.0, self.cured + 0.25)
            if self.cured == 1.0:
                self.stage = "removed"
                host.set_role("survivor")


class Nurse(Peer):
    """Shows a column that patients do not have."""

    role = "nurse"
    shows = (Shown("shift", "hours, less those planned", "number"),)

    def shown(self) -> tuple[float | str, ...]:
        return (-1.5,)


class Acquaintance(Peer, name="acquaintances", options=WardOptions):
    """Keeps no streams: the peers with the next higher ids are in its table."""

    overlay = False
    knows = "everyone"

    def __init__(self) -> None:
        self.table: tuple[Any, ...] = ()
        self.asked = 0

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        n = len(contacts)
        # All know #0, and each the next two; ids of no peer, and the own id, do no harm.
        self.table = (0, (host.me + 1) % max(n, 1), (host.me + 2) % max(n, 1), host.me, 9_999, "nobody")

    def contacts(self) -> Iterable[PeerId]:
        self.asked += 1
        return self.table

    @on(Cough)
    def cough(self, host: Host, sender: PeerId, message: Cough) -> None:
        """Does nothing."""
