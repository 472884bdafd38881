"""A rumour

Each peer that hears a rumour for the first time tells it to `fanout` peers drawn at random from all there are, and
never again: infect and die. Nobody keeps connections, so there is nothing to cut; what can be lost is one telling
among many, and most peers are told several times over. The share s that never hears solves s = e^(-fanout (1 - s)):
with three tellings 6 %, with five 0.7 % (Kermarrec, Massoulié and Ganesh 2003). Kill half of the peers and each
telling is worth half.

When a run begins everybody knows of everybody. Who comes later says hello to a few that it was told of; the first to
answer introduces it: it names those that it knows, and passes the news on as it would a rumour.

This is the smallest network in this folder, and it is complete: copy it to begin your own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..api import DUPLICATE, Ask, Belief, Beliefs, Host, Known, Peer, PeerId, message, on, option, words_of


@message(over="datagram", part="question")
class Rumour:
    """`key` tells this rumour from all others: 64 random bits, drawn where it began."""

    key: int
    text: str

    def about(self) -> Iterable[str]:
        """Anybody can read it; a peer that bans one of its words lets it drop."""
        return words_of(str(self.text))


@message(over="datagram")
class Hello:
    """`who` is new here."""

    who: PeerId


@message(over="datagram")
class Welcome:
    """Some of those who are here, drawn at random."""

    others: tuple[PeerId, ...]


@dataclass(slots=True)
class Wait:
    """Has anybody said welcome?"""


@dataclass(slots=True)
class GossipOptions:
    """Infect and die needs no more but an introduction."""

    fanout: int = option(3, "peers that each peer tells a rumour to", low=1, high=50)
    remember: int = option(1_000, "rumours a peer remembers, the latest ones", low=1, high=1_000_000)
    introduced: int = option(1_000, "peers that a newcomer is told of", low=1, high=100_000)
    hello_s: float = option(5.0, "how long a newcomer waits for a welcome before it says hello again, in s", low=0.1)


@dataclass(slots=True, eq=False)
class Gossiper(Peer, name="gossip", options=GossipOptions):
    """One who passes on what is new to it."""

    role = "gossiper"
    wants = "broadcast"
    knows = "everyone"
    overlay = False
    shares_files = False
    model = "infect and die"

    others: Sequence[PeerId] = ()
    newer: dict[PeerId, None] = field(default_factory=dict)
    welcome: bool = True
    heard: dict[int, str] = field(default_factory=dict)

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """Membership stands when a run begins: everybody, the dead among them. Who comes later says hello."""
        if isinstance(saved, tuple):
            self.others, self.newer = saved[0], dict.fromkeys(saved[1])
            return
        self.others = contacts
        if host.now_us:
            self.welcome = False
            self.wait(host, Wait())

    @on(Wait)
    def wait(self, host: Host, tick: Wait) -> None:
        """Say hello until somebody answers."""
        if not self.welcome:
            host.multicast(self.drawn(host), Hello(host.me))
            host.after(int(host.options.hello_s * 1e6), Wait(), cause=None)

    @on(Hello)
    def hello(self, host: Host, sender: PeerId, message: Hello) -> None:
        """Introduce a newcomer, or pass on the news of one."""
        if sender == message.who and self.welcome:
            known = (*self.others, *self.newer)
            host.send(sender, Welcome(tuple(host.rng.sample(known, min(host.options.introduced, len(known))))))
        if type(message.who) is int and message.who not in self.newer:
            self.newer[message.who] = None
            while len(self.newer) > host.options.introduced:
                del self.newer[next(iter(self.newer))]
            host.multicast(self.drawn(host), message)

    @on(Welcome)
    def welcomed(self, host: Host, sender: PeerId, message: Welcome) -> None:
        """The first answer will do."""
        if not self.welcome and type(message.others) is tuple:
            self.others = (sender, *message.others[: host.options.introduced])
            self.welcome = True

    def saved(self) -> object | None:
        """Whom it knows."""
        return (self.others, tuple(self.newer)) if self.welcome else None

    def joined(self, links: Sequence[PeerId]) -> bool:
        """Whether it was introduced."""
        return self.welcome

    def ask(self, host: Host, ask: Ask) -> None:
        """A user has something to tell."""
        self.tell(host, Rumour(host.rng.getrandbits(64), ask.text))

    @on(Rumour)
    def hear(self, host: Host, sender: PeerId, rumour: Rumour) -> Known:
        """Old news stops here."""
        if type(rumour.key) is not int or rumour.key in self.heard:
            return DUPLICATE
        self.tell(host, rumour)
        return None

    def tell(self, host: Host, rumour: Rumour) -> None:
        """Remember it, forget the oldest when there are too many, and pass it on."""
        self.heard[rumour.key] = rumour.text
        while len(self.heard) > host.options.remember:
            del self.heard[next(iter(self.heard))]
        host.multicast(self.drawn(host), rumour)

    def drawn(self, host: Host) -> list[PeerId]:
        """Some of those it knows: `fanout` of them. One more is drawn, in case it is oneself."""
        known = (*self.others, *self.newer) if self.newer else self.others
        some = host.rng.sample(known, min(host.options.fanout + 1, len(known)))
        return [one for one in some if one != host.me][: host.options.fanout]

    def beliefs(self) -> Beliefs:
        """What it heard, the latest last. All names on the list are one hearsay: nobody was ever checked."""
        known = dict.fromkeys((*self.others, *self.newer), Belief(what="on the list"))
        return Beliefs(known, {"heard": str(len(self.heard)), "latest": str(next(reversed(self.heard.values()), "-"))})
