"""A small network whose peers do what a test sets, and keep all that they receive; and helpers for swarms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine import (
    BROADCAST,
    DUPLICATE,
    FETCH,
    FIND,
    PUBLISH,
    Ask,
    AskFor,
    ContentSpec,
    FakeHost,
    Host,
    Known,
    Peer,
    PeerId,
    Setup,
    Station,
    Swarm,
    message,
    on,
    option,
    words_of,
)
from engine.world.content import file_of

MS = 1_000
SECOND = 1_000_000
LATENCY = 10 * MS
"""The latency of `make_swarm`, in us."""


@message()
class Say:
    """Upkeep on a stream."""

    text: str


@message(over="datagram")
class Shout:
    """Upkeep in a datagram."""

    text: str


@message(part="question")
class Question:
    """Request and reply: a colluder answers that it knows nothing."""

    text: str

    def about(self) -> Iterable[str]:
        return words_of(self.text)

    def without(self, word: str) -> object | None:
        return Question("")


@message(part="answer")
class Answer:
    """The names of what was found."""

    names: tuple[str, ...]

    def about(self) -> Iterable[str]:
        return [word for name in self.names for word in words_of(name)]

    def without(self, word: str) -> object | None:
        return Answer(tuple(name for name in self.names if word not in words_of(name)))


@message(part="question")
class Rumour:
    """Flooded: a colluder is silent. Who has it tells `origin`."""

    text: str
    ttl: int
    origin: PeerId

    def about(self) -> Iterable[str]:
        return words_of(self.text)


@dataclass(slots=True)
class DiaryOptions:
    ttl: int = option(7, "hops that a rumour goes", low=1, high=100)
    pace_s: float = option(1.0, "seconds, of no effect", low=0.1, high=60)
    loud: bool = option(False, "whether an ask is flooded")


@dataclass(slots=True)
class Tick:
    """A timer that says what it is for."""

    what: Any = None


class Diary(Peer, name="diary", options=DiaryOptions):
    """Keeps what it receives, as (time in us, …); asks its neighbours, and answers from its library."""

    role = "writer"
    goals = (FIND, FETCH, PUBLISH, BROADCAST)
    knows = "everyone"

    @classmethod
    def horizon(cls, options: DiaryOptions) -> int:
        return options.ttl

    def __init__(self) -> None:
        self.heard: list[tuple[int, PeerId, Any]] = []
        self.told: list[tuple[int, str, PeerId]] = []
        self.ticks: list[tuple[int, Any]] = []
        self.asked: list[tuple[int, str, str]] = []
        self.near: list[PeerId] = []
        self.known: Sequence[PeerId] = ()
        self.disk: object = None

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.known, self.disk = contacts, saved

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        self.near = list(links)

    def stop(self, host: Host) -> None:
        host.multicast(self.near, Say("goodbye"))

    def ask(self, host: Host, ask: Ask) -> None:
        self.asked.append((host.now_us, ask.goal, ask.text))
        if ask.goal != "publish":
            options = host.options
            host.multicast(self.near, Rumour(ask.text, options.ttl, host.me) if options.loud else Question(ask.text))

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        self.told.append((host.now_us, "refused", to))

    def closed(self, host: Host, peer: PeerId) -> None:
        self.told.append((host.now_us, "closed", peer))

    def saved(self) -> object | None:
        return f"heard {len(self.heard)}"

    @on(Say)
    def say(self, host: Host, sender: PeerId, message: Say) -> None:
        self.heard.append((host.now_us, sender, message.text))

    @on(Shout)
    def shout(self, host: Host, sender: PeerId, message: Shout) -> None:
        self.heard.append((host.now_us, sender, message.text))

    @on(Question)
    def question(self, host: Host, sender: PeerId, message: Question) -> None:
        self.heard.append((host.now_us, sender, message.text))
        host.send(sender, Answer(tuple(file.name for file in host.library.matching(message.text))))

    @on(Answer)
    def answer(self, host: Host, sender: PeerId, message: Answer) -> None:
        self.heard.append((host.now_us, sender, message.names))
        for name in message.names:
            host.hit(sender, name)

    @on(Rumour)
    def rumour(self, host: Host, sender: PeerId, message: Rumour) -> Known:
        if message.origin == host.me or any(text == message.text for _, _, text in self.heard):
            return DUPLICATE
        self.heard.append((host.now_us, sender, message.text))
        found = host.library.matching(message.text)
        if found:
            host.send(message.origin, Answer(tuple(file.name for file in found)))
        if message.ttl > 1:
            onward = Rumour(message.text, message.ttl - 1, message.origin)
            host.multicast([n for n in self.near if n != sender], onward)
        return None

    @on(Tick)
    def tick(self, host: Host, tick: Tick) -> None:
        self.ticks.append((host.now_us, tick.what))
        if callable(tick.what):
            act: Callable[[Host], None] = tick.what
            act(host)


class Clerk(Diary):
    """Infrastructure."""

    role = "clerk"


class Bureau(Diary, name="bureau"):
    """Diaries with two clerks that acme runs, and one of another operator."""

    @classmethod
    def stations(cls, options: Any, peers: int) -> Sequence[Station]:
        return (Station(Clerk, "desk-a", "acme"), Station(Clerk, "desk-b", "acme"), Station(Clerk, "desk-c", "bolt"))


@message(part="transfer")
class Load:
    """File data."""

    text: str


@message(part="question")
class Batch:
    """Several items in one message, as in a gossip of inventories."""

    items: tuple[str, ...]


class Actor(Diary, name="actor"):
    """Does what a test told it to when it hears a question, a batch or a load."""

    def ask(self, host: Host, ask: Ask) -> None:
        self.asked.append((host.now_us, ask.goal, ask.text))
        self.do(host, Question(ask.text))

    @on(Question)
    @on(Batch)
    @on(Load)
    def hear(self, host: Host, sender: PeerId, message: Any) -> None:
        self.heard.append((host.now_us, sender, message))
        self.do(host, message)

    def do(self, host: Host, message: Any) -> None:
        act = getattr(self, "act", None)
        if act is not None:
            act(host)


EMPTY = ContentSpec(items=1, replicas=1.0, free_riders=1.0)
"""Libraries without files: a test adds those that it needs."""


def make_swarm(peers: int = 3, program: type[Peer] = Diary, **changes: Any) -> Swarm:
    """A complete network with a latency of 10 ms, no files and no background asks, unless `changes` say otherwise."""
    setup: Mapping[str, Any] = {
        "peers": peers,
        "topology": "complete",
        "latency": "constant:10",
        "asks_per_s": 0.0,
        "content": EMPTY,
        **changes,
    }
    return Swarm(Setup(**setup), program)


def host(made: Swarm, peer: PeerId) -> Host:
    """The host of a peer, by which a test sends in its name between two instants."""
    return made.simulation.peer_hosts[peer]


def diary(made: Swarm, peer: PeerId) -> Diary:
    """A living peer's program."""
    program = made.peer(peer)
    assert isinstance(program, Diary)
    return program


def texts(made: Swarm, peer: PeerId) -> list[Any]:
    """The texts that a peer received, in order."""
    return [text for _, _, text in diary(made, peer).heard]


def told(made: Swarm, peer: PeerId) -> list[tuple[str, PeerId]]:
    """What a peer was told of its streams, in order: "refused", "closed" or "opened", and the other end."""
    return [(what, other) for _, what, other in diary(made, peer).told]


def states(made: Swarm) -> list[int]:
    """The state of each peer, as a snapshot has it."""
    return made.snapshot().state.tolist()


def dropped(made: Swarm) -> dict[str, int]:
    """Messages that were dropped so far, by reason."""
    return dict(made.snapshot().totals.dropped_by)


def balanced(made: Swarm) -> bool:
    """Whether the messages that are neither delivered nor dropped are those that a snapshot has in flight.

    A snapshot has rows of 2,000 at most.
    """
    snapshot = made.snapshot()
    flight = snapshot.flight
    return snapshot.totals.in_flight == flight.total and len(flight.frm) == min(2_000, flight.total)


def sent(tape: FakeHost, kind: type[Any]) -> list[tuple[PeerId, Any]]:
    """(receiver, message) of the messages of one kind that were sent since the last look. Other kinds are lost."""
    return [(to, message) for to, message in tape.take() if isinstance(message, kind)]


def run_for(made: Swarm, seconds: float) -> None:
    """Let so many seconds of virtual time pass."""
    made.advance(made.now_us + round(seconds * SECOND))


def give(made: Swarm, peer: PeerId, name: str) -> None:
    """Put a file into a library."""
    made.library(peer).add(file_of(name, 1))


def ask(made: Swarm, peer: PeerId, text: str, *, run_s: float = 5.0) -> Any:
    """Ask, run for so many seconds, and return the row of the ask."""
    made.do(AskFor(peer, text))
    run_for(made, run_s)
    return made.asks()[-1]


def hears(swarm: Swarm, peer: int, act: Callable[[Host], Any]) -> None:
    """Let a peer call `act` when it receives a question, instead of answering."""
    program: Any = diary(swarm, peer)
    program.act = act
