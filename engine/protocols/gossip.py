"""A rumour

Each peer that hears a rumour for the first time tells it to `fanout` peers chosen at random from all that it knows, and
never again: infect and die. No connections are kept, so there is no link to cut. A lost message hardly matters, since
most peers get the rumour several times. The share s that never hears it solves s = e^(-fanout (1 - s)): 6 % for a
fanout of three, 0.7 % for five (Kermarrec, Massoulié and Ganesh 2003). Kill half of the peers and half of all messages
go to dead ones.

When a run begins every peer knows all others. One that joins later sends Hello to the few peers that it was given; the
first to answer sends it the peers that it knows (Welcome), and passes the Hello on as it would a rumour.

This is the smallest network in this folder, and it is complete: copy it to begin your own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..api import BROADCAST, DUPLICATE, Ask, Beliefs, Host, Known, Peer, PeerId, Theory, message, on, option
from ..kit import infect_and_die, put_bounded, some_of


@message(over="datagram", part="question", about="text")
class Rumour:
    """A rumour, identified by `key`: 64 random bits, drawn by its origin. Its text can be read on the way: a peer that
    bans one of its words drops it."""

    key: int
    text: str


@message(over="datagram")
class Hello:
    """`who` has just joined."""

    who: PeerId


@message(over="datagram")
class Welcome:
    """Answer to Hello: peers of the network, chosen at random."""

    others: tuple[PeerId, ...]


@dataclass(slots=True)
class Wait:
    """Time to see whether a Welcome has come."""


@dataclass(slots=True)
class GossipOptions:
    """How far a rumour is spread, and how newcomers join."""

    fanout: int = option(3, "peers that each peer tells a rumour to", low=1, high=50, unit="peers")
    remember: int = option(1_000, "rumours a peer remembers, the latest ones", low=1, high=1_000_000)
    introduced: int = option(1_000, "peers that a newcomer is told of", low=1, high=100_000)
    hello_s: float = option(5.0, "how long a newcomer waits for a welcome before it says hello again, in s", low=0.1)


@dataclass(slots=True, eq=False)
class Gossiper(Peer, name="gossip", options=GossipOptions):
    """A peer that passes on each rumour once. `others`: peers that it knows since it joined; `newer`: peers that it
    heard of later; `entered`: whether it has joined; `heard`: the latest rumours, by key."""

    role = "gossiper"
    goals = (BROADCAST,)
    knows = "everyone"
    overlay = False
    shares_files = False

    others: Sequence[PeerId] = ()
    newer: dict[PeerId, None] = field(default_factory=dict)
    entered: bool = True
    heard: dict[int, str] = field(default_factory=dict)

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: GossipOptions) -> Sequence[Theory]:
        return infect_and_die(facts["others"], facts["living"], options.fanout).theory()

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """At t = 0 `contacts` are all peers, dead ones included. A peer that starts later says hello."""
        if isinstance(saved, tuple):
            self.others, self.newer = saved[0], dict.fromkeys(saved[1])
            return
        self.others = contacts
        if host.now_us:
            self.entered = False
            self.wait(host, Wait())

    @on(Wait)
    def wait(self, host: Host, tick: Wait) -> None:
        """Say hello until a peer answers."""
        if not self.entered:
            host.multicast(self.drawn(host), Hello(host.me))
            host.after_s(host.options.hello_s, Wait(), cause=None)

    @on(Hello)
    def hello(self, host: Host, sender: PeerId, message: Hello) -> None:
        """Answer a newcomer, and pass its Hello on the first time."""
        if sender == message.who and self.entered:
            known = (*self.others, *self.newer)
            host.send(sender, Welcome(tuple(some_of(known, host.options.introduced, host.rng))))
        if message.who not in self.newer:
            put_bounded(self.newer, message.who, None, host.options.introduced)
            host.multicast(self.drawn(host), message)

    @on(Welcome)
    def welcomed(self, host: Host, sender: PeerId, message: Welcome) -> None:
        """The first answer completes the join; later ones are ignored."""
        if not self.entered:
            self.others = (sender, *message.others[: host.options.introduced])
            self.entered = True

    def saved(self) -> object | None:
        return (self.others, tuple(self.newer)) if self.entered else None

    def joined(self, links: Sequence[PeerId]) -> bool:
        return self.entered

    def ask(self, host: Host, ask: Ask) -> None:
        self.tell(host, Rumour(host.rng.getrandbits(64), ask.text))

    @on(Rumour)
    def hear(self, host: Host, sender: PeerId, rumour: Rumour) -> Known:
        """Pass on a new rumour, and drop a known one."""
        if rumour.key in self.heard:
            return DUPLICATE
        self.tell(host, rumour)
        return None

    def tell(self, host: Host, rumour: Rumour) -> None:
        """Remember a rumour and send it to some peers."""
        put_bounded(self.heard, rumour.key, rumour.text, host.options.remember)
        host.multicast(self.drawn(host), rumour)

    def drawn(self, host: Host) -> list[PeerId]:
        """`fanout` peers, drawn from those it knows. One more is drawn first, since this peer may be among them."""
        known = (*self.others, *self.newer) if self.newer else self.others
        some = some_of(known, host.options.fanout + 1, host.rng)
        return [one for one in some if one != host.me][: host.options.fanout]

    def beliefs(self) -> Beliefs:
        """The peers on its list, none of which it has checked, and the rumours that it heard."""
        facts = {"heard": str(len(self.heard)), "latest": str(next(reversed(self.heard.values()), "-"))}
        return Beliefs.of((*self.others, *self.newer), "on the list", facts)
