"""A network with nothing wrong: it floods a question, and a holder of the file answers the asker. The broken networks
beside it are this one with one fault, so that a check that fails with one of them fails because of that fault."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine import (
    DUPLICATE,
    FIND,
    PUBLISH,
    Ask,
    Beliefs,
    Host,
    Known,
    Peer,
    PeerId,
    Shown,
    message,
    on,
    option,
    words_of,
)

KEPT = 200
HOPS = 6
HUB = 4
"""A peer with more neighbours than this is a hub."""
SECOND_US = 1_000_000


@message(part="question")
class Wanted:
    """Who has it?"""

    key: int
    hops: int
    origin: PeerId
    text: str

    def about(self) -> Iterable[str]:
        return words_of(self.text)


@message(over="datagram", part="answer")
class Have:
    """I do."""

    key: int
    name: str

    def about(self) -> Iterable[str]:
        return words_of(self.name)


@message()
class Hello:
    """Be my neighbour."""


@dataclass(slots=True)
class Look:
    """Time to look for neighbours."""


@dataclass(slots=True)
class SoundOptions:
    neighbours: int = option(3, "neighbours that a newcomer looks for", low=1, high=20)


class Sound(Peer, name="sound", options=SoundOptions):
    """The peer without a fault, from which the others derive."""

    role = "neighbour"
    goals = (FIND, PUBLISH)
    roles = ("hub",)
    shows = (Shown("friends", "its neighbours", "count"), Shown("mood", "how it is", "category", ("calm", "alone")))
    link_words = ("friend",)

    def __init__(self) -> None:
        self.near: dict[PeerId, None] = {}
        self.seen: dict[int, None] = {}
        self.asked: dict[int, None] = {}
        self.contacts: tuple[PeerId, ...] = ()

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.contacts = tuple(contacts)
        host.every(5 * SECOND_US, Look())

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        self.near = dict.fromkeys(links)
        for one in links:
            host.mark(one, "friend")
        if len(links) > HUB:
            host.set_role("hub")

    def ask(self, host: Host, ask: Ask) -> None:
        if ask.goal != "publish":
            key = host.rng.getrandbits(64)
            self.keep(self.asked, key)
            self.keep(self.seen, key)
            self.pass_on(host, Wanted(key, HOPS, host.me, ask.text), host.me)

    def pass_on(self, host: Host, question: Wanted, sender: PeerId) -> None:
        host.multicast([one for one in self.near if one != sender], question)

    def keep(self, table: dict[int, None], key: int) -> None:
        table[key] = None
        if len(table) > KEPT:
            del table[next(iter(table))]

    @on(Wanted)
    def wanted(self, host: Host, sender: PeerId, message: Wanted) -> Known:
        if message.key in self.seen:
            return DUPLICATE
        self.keep(self.seen, message.key)
        for file in host.library.matching(message.text)[:1]:
            host.send(message.origin, Have(message.key, file.name))
        if 1 < message.hops <= HOPS:
            self.go_on(host, sender, message)
        return None

    def go_on(self, host: Host, sender: PeerId, message: Wanted) -> None:
        self.pass_on(host, Wanted(message.key, message.hops - 1, message.origin, message.text), sender)

    @on(Have)
    def have(self, host: Host, sender: PeerId, message: Have) -> None:
        if type(message.key) is int and message.key in self.asked:
            host.hit(sender, message.name)

    @on(Hello)
    def hello(self, host: Host, sender: PeerId, message: Hello) -> None:
        if sender not in self.near:
            self.near[sender] = None
            host.link(sender)
            host.mark(sender, "friend")
            host.send(sender, Hello())

    @on(Look)
    def look(self, host: Host, tick: Look) -> None:
        missing = host.options.neighbours - len(self.near)
        strangers = [one for one in self.contacts if one not in self.near]
        if missing > 0 and strangers:
            host.send(host.rng.choice(strangers), Hello())

    def stop(self, host: Host) -> None:
        for one in list(self.near):
            host.unlink(one)

    def closed(self, host: Host, peer: PeerId) -> None:
        self.near.pop(peer, None)

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        self.near.pop(to, None)

    def shown(self) -> tuple[float | str, ...]:
        return len(self.near), "calm" if self.near else "alone"

    def beliefs(self) -> Beliefs:
        return Beliefs(facts={"neighbours": str(len(self.near))})
