"""A small network whose peers have a component: `Table` probes the peers that it knows, and its owner asks them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine import (
    Ask,
    Belief,
    Beliefs,
    Candidate,
    Component,
    Host,
    NetworkStart,
    Peer,
    PeerId,
    Rng,
    Shown,
    Station,
    Swarm,
    component,
    message,
    on,
    option,
    verb,
    words_of,
)


@message(over="datagram")
class Ping:
    """Are you there?"""

    number: int


@message(over="datagram")
class Pong:
    """Yes."""

    number: int


@message(part="question")
class Wanted:
    """Who has it?"""

    text: str

    def about(self) -> Iterable[str]:
        return words_of(self.text)


@message(part="answer")
class Have:
    """I do."""

    name: str


@dataclass(slots=True)
class Probe:
    """Time to ping a peer of the table."""


@dataclass(slots=True)
class CountDue:
    """Time to count."""


@dataclass(frozen=True, slots=True)
class Met:
    """The table has a new peer."""

    peer: PeerId


@dataclass(slots=True)
class CounterOptions:
    step: int = option(1, "how far it counts at once", low=1, high=10)


class Counter(Component, options=CounterOptions):
    """Counts seconds: a component of a component, and a plain class."""

    def __init__(self) -> None:
        self.count = 0

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.count = saved if isinstance(saved, int) else 0
        host.every(1_000_000, CountDue())

    @on(CountDue)
    def due(self, host: Host, tick: CountDue) -> None:
        self.count += host.options.step

    def saved(self) -> object | None:
        return self.count

    def beliefs(self) -> Beliefs:
        return Beliefs(facts={"count": str(self.count)})


@dataclass(slots=True)
class TableOptions:
    k: int = option(4, "peers that a table holds", low=1, high=100)
    probe_s: float = option(2.0, "seconds between probes", low=0.1)
    seed: int = option(1, "a number that is read at the start", low=0, fixed=True)


@dataclass(slots=True, eq=False)
class BaseTable(Component, options=TableOptions):
    """What `Table` derives from, so that `super()` is used in a slotted dataclass."""

    known: dict[PeerId, None] = field(default_factory=dict)

    def learn(self, host: Host, peer: PeerId) -> bool:
        """Whether the peer is new, and in the table now."""
        if peer == host.me or peer in self.known or len(self.known) >= host.options.k:
            return False
        self.known[peer] = None
        return True


@dataclass(slots=True, eq=False)
class Table(BaseTable):
    """Peers that answered a probe. It is no network by itself, but would be one."""

    shows = (Shown("size", "peers in the table", "count"), Shown("mood", "full or not", "category"))

    counter: Counter = component(Counter)
    refusals: int = 0
    ends: int = 0

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.known = dict.fromkeys(saved if isinstance(saved, tuple) else contacts[: host.options.k])
        host.every(round(host.options.probe_s * 1e6), Probe())

    @on(Probe)
    def probe(self, host: Host, tick: Probe) -> None:
        if self.known:
            host.send(host.rng.choice(list(self.known)), Ping(self.counter.count))

    @on(Ping)
    def pinged(self, host: Host, sender: PeerId, message: Ping) -> None:
        host.send(sender, Pong(message.number))
        self.learn(host, sender)

    @on(Pong)
    def ponged(self, host: Host, sender: PeerId, message: Pong) -> None:
        self.learn(host, sender)

    def learn(self, host: Host, peer: PeerId) -> bool:
        new = super().learn(host, peer)
        if new:
            host.emit(Met(peer))
        return new

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        self.refusals += 1

    def closed(self, host: Host, peer: PeerId) -> None:
        self.ends += 1

    @verb(
        "clear", undo="refill", about="Empty its table.", why_not=lambda table: None if table.known else "it is empty"
    )
    def clear(self, host: Host) -> None:
        self.known = {}

    @verb("refill", about="Put a peer into its table.", values={"peer": "e.g. 3"})
    def refill(self, host: Host, peer: int = 0) -> None:
        self.learn(host, peer)

    def shown(self) -> tuple[float | str, ...]:
        return len(self.known), "some" if self.known else "empty"

    def saved(self) -> object | None:
        return tuple(self.known)

    def beliefs(self) -> Beliefs:
        return Beliefs({peer: Belief(what="in the table") for peer in self.known}, {"size": str(len(self.known))})

    @classmethod
    def converge(cls, world: NetworkStart, options: TableOptions, rng: Rng) -> None:
        for one in world.members:
            for other in rng.sample(world.members, min(options.k + 1, len(world.members))):
                one.peer.learn(one.host, other.id)


@dataclass(slots=True)
class WatcherOptions:
    loud: bool = option(True, "whether it writes down whom it met")
    watchers: int = option(0, "stations", low=0, high=3)
    linked: bool = option(False, "whether every peer is linked with the stations")
    quiet_share: float = option(0.0, "share of peers that do not ask", low=0, high=1)
    refuses: bool = option(False, "whether converge is left out", fixed=True)


@dataclass(slots=True, eq=False)
class Watcher(Peer, name="watched", options=WatcherOptions):
    """Asks the peers of its table."""

    role = "watcher"
    overlay = False
    shows = (Shown("met", "peers it met", "count"),)

    table: Table = component(Table)
    met: list[PeerId] = field(default_factory=list)
    told: list[PeerId] = field(default_factory=list)
    near: tuple[PeerId, ...] = ()
    started: tuple[PeerId, ...] = ()
    tone: str = ""

    @classmethod
    def cast(cls, options: WatcherOptions, members: Sequence[Candidate], rng: Rng) -> Sequence[type[Peer]]:
        if not options.quiet_share:
            return [cls] * len(members)
        return [Quiet if rng.random() < options.quiet_share else cls for _ in members]

    @classmethod
    def stations(cls, options: WatcherOptions, peers: int) -> Sequence[Station]:
        return [
            Station(Tower, f"tower{i}", "acme", known=i > 0, linked=options.linked) for i in range(options.watchers)
        ]

    @classmethod
    def converge(cls, world: NetworkStart, options: Any, rng: Rng) -> None:
        if not options.refuses:
            super().converge(world, options, rng)

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.started = tuple(contacts)
        if isinstance(saved, list):
            self.met = saved

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        self.near = tuple(links)

    @on(Met)
    def meets(self, host: Host, value: Met) -> None:
        if host.options.loud:
            self.met = [*self.met, value.peer][-100:]

    def ask(self, host: Host, ask: Ask) -> None:
        host.multicast(list(self.table.known), Wanted(ask.text))

    @on(Wanted)
    def wanted(self, host: Host, sender: PeerId, message: Wanted) -> None:
        for file in host.library.matching(message.text)[:1]:
            host.send(sender, Have(file.name))

    @on(Have)
    def have(self, host: Host, sender: PeerId, message: Have) -> None:
        host.hit(sender, message.name)

    def shown(self) -> tuple[float | str, ...]:
        return (len(self.met),)

    def closed(self, host: Host, peer: PeerId) -> None:
        self.told = [*self.told, peer][-100:]

    @verb("shout", about="Speak in a tone.", values={"words": "e.g. hear, hear"})
    def shout(self, host: Host, words: str, times: int = 1, high: bool = False) -> None:
        self.tone = " ".join([words.upper() if high else words] * times)

    @verb(
        "call",
        undo="hang-up",
        about="Call its table.",
        why_not=lambda peer: "it is quiet" if peer.tone == "-" else None,
    )
    def call_all(self, host: Host) -> None:
        host.multicast(list(self.table.known), Wanted("nothing"))

    @verb("hang-up", about="Call no more.")
    def hang_up(self, host: Host) -> None:
        self.tone = "-"

    def saved(self) -> object | None:
        return self.met

    def beliefs(self) -> Beliefs:
        return Beliefs(facts={"met": str(len(self.met))})


@dataclass(slots=True, eq=False)
class Quiet(Watcher):
    """A peer that asks nothing, and has a role of its own."""

    role = "quiet"

    def ask(self, host: Host, ask: Ask) -> None:
        pass


@dataclass(slots=True, eq=False)
class Tower(Peer):
    """A station, which counts those that are linked with it."""

    role = "tower"
    near: tuple[PeerId, ...] = ()

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        self.near = tuple(links)


def peer_of(swarm: Swarm, peer: PeerId) -> Any:
    """The program of a peer that runs."""
    program = swarm.peer(peer)
    assert program is not None
    return program
