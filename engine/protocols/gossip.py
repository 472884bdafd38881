"""A rumour

Each peer that hears a rumour for the first time tells it to `fanout` peers drawn at random from all there are, and
never again: infect and die. Nobody keeps connections, so there is nothing to cut; what can be lost is one telling
among many, and most peers are told several times over. The share s that never hears solves s = e^(-fanout (1 - s)):
with three tellings 6 %, with five 0.7 % (Kermarrec, Massoulié and Ganesh 2003). Kill half of the peers and each
telling is worth half.

This is the smallest network in this folder, and it is complete: copy it to begin your own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..api import Ask, Belief, Beliefs, Host, Peer, PeerId, message, on, option, words_of


@message(over="datagram", part="question")
class Rumour:
    """`key` tells this rumour from all others: 64 random bits, drawn where it began."""

    key: int
    text: str

    def about(self) -> Iterable[str]:
        """Anybody can read it; a peer that bans one of its words lets it drop."""
        return words_of(str(self.text))


@dataclass(slots=True)
class GossipOptions:
    """Infect and die needs no more."""

    fanout: int = option(3, "peers that each peer tells a rumour to", low=1, high=50)
    remember: int = option(1_000, "rumours a peer remembers, the latest ones", low=1, high=1_000_000)


@dataclass(slots=True, eq=False)
class Gossiper(Peer, name="gossip", options=GossipOptions):
    """One who passes on what is new to it."""

    role = "gossiper"
    wants = "broadcast"
    knows = "everyone"
    overlay = False
    model = "infect and die"

    others: Sequence[PeerId] = ()
    heard: dict[int, str] = field(default_factory=dict)

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """Membership is taken for granted: everybody, the dead among them."""
        self.others = contacts

    def ask(self, host: Host, ask: Ask) -> None:
        """A user has something to tell."""
        self.tell(host, Rumour(host.rng.getrandbits(64), ask.text))

    @on(Rumour)
    def hear(self, host: Host, sender: PeerId, rumour: Rumour) -> None:
        """Old news stops here."""
        if type(rumour.key) is not int or rumour.key in self.heard:
            host.note("duplicate")
        else:
            self.tell(host, rumour)

    def tell(self, host: Host, rumour: Rumour) -> None:
        """Remember it, forget the oldest when there are too many, and pass it on."""
        self.heard[rumour.key] = rumour.text
        while len(self.heard) > host.options.remember:
            del self.heard[next(iter(self.heard))]
        # One more is drawn than needed, in case it is oneself.
        drawn = host.rng.sample(self.others, min(host.options.fanout + 1, len(self.others)))
        host.multicast([one for one in drawn if one != host.me][: host.options.fanout], rumour)

    def beliefs(self) -> Beliefs:
        """What it heard, the latest last. All names on the list are one hearsay: nobody was ever checked."""
        known = dict.fromkeys(self.others, Belief(what="on the list"))
        return Beliefs(known, {"heard": str(len(self.heard)), "latest": str(next(reversed(self.heard.values()), "-"))})
