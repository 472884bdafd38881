"""Push-pull averaging, a load of `bench_rivals.py`: each message changes its receiver, and none is a duplicate.

Once a period each peer sends its number to a neighbour drawn at random, which answers with its own, and both take the
mean (Jelasity, Montresor and Babaoglu, "Gossip-based aggregation in large dynamic networks", 2005, figure 1). The
variance over all peers falls by the factor 1/(2 sqrt(e)) = 0.303 in each period (their section 3); a run whose variance
falls otherwise was wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.api import Host, Peer, PeerId, message, on

FACTOR = 1 / (2 * math.sqrt(math.e))
"""By this factor the variance falls in each period, in theory."""
PERIOD_US = 1_000_000


@message(over="datagram", part="upkeep")
class Push:
    """The sender's number, in exchange for the receiver's."""

    value: float


@message(over="datagram", part="upkeep")
class Pull:
    """The number of the peer that got a `Push`."""

    value: float


@dataclass(slots=True)
class Turn:
    """A period is over."""


@dataclass(slots=True, eq=False)
class Averager(Peer):
    """Holds one number, its PeerId at the start."""

    role = "averager"
    value: float = 0.0
    near: tuple[PeerId, ...] = ()

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.value = float(host.me)
        host.every(PERIOD_US, Turn())

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        self.near = tuple(links)

    @on(Turn)
    def turn(self, host: Host, tick: Turn) -> None:
        if self.near:
            host.send(self.near[host.rng.randrange(len(self.near))], Push(self.value))

    @on(Push)
    def push(self, host: Host, sender: PeerId, message: Push) -> None:
        host.send(sender, Pull(self.value))
        self.value = (self.value + message.value) / 2

    @on(Pull)
    def pull(self, host: Host, sender: PeerId, message: Pull) -> None:
        self.value = (self.value + message.value) / 2
