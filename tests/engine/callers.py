"""A network of calls: a test sets how its peers answer, and they keep what became of each call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from engine import (
    Ask,
    Call,
    CallEnd,
    ContentSpec,
    Host,
    Peer,
    PeerId,
    Setup,
    Swarm,
    Ticket,
    message,
    on,
    on_reply,
    on_timeout,
    words_of,
)

MS = 1_000
SECOND = 1_000_000
LATENCY = 10 * MS


@message(part="question")
class Lookup:
    """Which of your names have these words?"""

    text: str
    want: int

    def about(self) -> Iterable[str]:
        return words_of(self.text)

    def without(self, word: str) -> object | None:
        return Lookup("", self.want)


@message(over="datagram", part="question")
class Ping:
    """Are you there?"""

    number: int


@message(part="answer")
class Found:
    names: tuple[str, ...]

    def about(self) -> Iterable[str]:
        return [word for name in self.names for word in words_of(name)]

    def without(self, word: str) -> object | None:
        return Found(tuple(name for name in self.names if word not in words_of(name)))


@message(over="datagram", part="answer")
class Pong:
    number: int


@message(part="upkeep", size=514)
class Cell:
    """514 bytes, whatever is in it."""

    circuit: int


@message()
class Padded:
    """As long as it says."""

    length: int

    def wire_size(self) -> int:
        return self.length


class Caller(Peer, name="callers"):
    """Answers at once, later, or not at all, as `answering` says."""

    def __init__(self) -> None:
        self.answering: Literal["once", "twice", "later", "never"] = "once"
        self.handled: list[tuple[int, PeerId, Any]] = []
        self.tickets: list[Ticket] = []
        self.answers: list[tuple[int, PeerId, Any, Any]] = []
        self.ends: list[tuple[int, PeerId, Any, str]] = []
        self.told: list[tuple[str, PeerId]] = []
        self.calls: dict[Any, Call] = {}
        self.asking: tuple[tuple[PeerId, Any, dict[str, Any]], ...] = ()

    def ask(self, host: Host, ask: Ask) -> None:
        for to, request, how in self.asking:
            host.call(to, request, **how)

    @on(Lookup)
    def looked_up(self, host: Host, sender: PeerId, message: Lookup) -> None:
        self.handled.append((host.now_us, sender, message))
        self.answer(host, Found((message.text,)))

    @on(Ping)
    def pinged(self, host: Host, sender: PeerId, message: Ping) -> None:
        self.handled.append((host.now_us, sender, message))
        self.answer(host, Pong(message.number))

    def answer(self, host: Host, answer: Found | Pong) -> None:
        if self.answering == "later":
            self.tickets.append(host.request)
        for _ in range({"once": 1, "twice": 2}.get(self.answering, 0)):
            host.reply(answer)

    @on_reply(Lookup)
    def found(self, host: Host, sender: PeerId, answer: Found, context: object) -> None:
        self.answers.append((host.now_us, sender, answer, context))

    @on_reply(Ping)
    def ponged(self, host: Host, sender: PeerId, answer: Pong, context: object) -> None:
        self.answers.append((host.now_us, sender, answer, context))

    @on_timeout(Lookup)
    def not_found(self, host: Host, to: PeerId, context: object, reason: CallEnd) -> None:
        self.ends.append((host.now_us, to, context, reason))

    @on_timeout(Ping)
    def no_pong(self, host: Host, to: PeerId, context: object, reason: CallEnd) -> None:
        self.ends.append((host.now_us, to, context, reason))

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        self.told.append((f"refused {type(message).__name__}", to))

    def closed(self, host: Host, peer: PeerId) -> None:
        self.told.append(("closed", peer))


def swarm_of(peers: int = 4, program: type[Peer] = Caller, **changes: Any) -> Swarm:
    """A complete network with a latency of 10 ms and no background asks, unless `changes` of the setup say
    otherwise."""
    values: dict[str, Any] = {
        "peers": peers,
        "seed": 3,
        "topology": "complete",
        "latency": "constant:10",
        "asks_per_s": 0.0,
        "content": ContentSpec(items=12),
        **changes,
    }
    return Swarm(Setup(**values), program)


def program_of(swarm: Swarm, peer: PeerId) -> Caller:
    program = swarm.peer(peer)
    assert isinstance(program, Caller)
    return program


def everyone(swarm: Swarm, act: Callable[[Caller], None], peers: Sequence[PeerId] | None = None) -> None:
    """Call `act` with the program of each peer, or of `peers`."""
    for peer in range(swarm.peers) if peers is None else peers:
        act(program_of(swarm, peer))
