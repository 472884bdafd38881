"""Push-pull averaging, the second load of `swarmtop bench`: every message counts, none is a duplicate.

Once a period each peer sends its number to a neighbour drawn at random, which answers with its own, and both take the
mean (Jelasity, Montresor and Babaoglu, "Gossip-based aggregation in large dynamic networks", 2005, figure 1). The
variance over all peers falls by 1/(2 sqrt(e)) = 0.303 a period (their section 3), so a run tells whether it was right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..api import Host, Peer, PeerId, message, on

FACTOR = 1 / (2 * math.sqrt(math.e))
"""What a period leaves of the variance, in theory."""
PERIOD_US = 1_000_000


@message(over="datagram", part="upkeep")
class Push:
    """The sender's number, for the receiver's."""

    value: float


@message(over="datagram", part="upkeep")
class Pull:
    """What the receiver of a `Push` had."""

    value: float


@dataclass(slots=True)
class Turn:
    """A period is over."""


@dataclass(slots=True, eq=False)
class Averager(Peer):
    """One number, and whom to compare it with. It starts as the peer's own id."""

    role = "averager"
    value: float = 0.0
    near: tuple[PeerId, ...] = ()

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """Any numbers will do whose mean is known."""
        self.value = float(host.me)
        host.every(PERIOD_US, Turn())

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        """The overlay stays as it is."""
        self.near = tuple(links)

    @on(Turn)
    def turn(self, host: Host, tick: Turn) -> None:
        """Active thread: push."""
        if self.near:
            host.send(self.near[host.rng.randrange(len(self.near))], Push(self.value))

    @on(Push)
    def push(self, host: Host, sender: PeerId, message: Push) -> None:
        """Passive thread: answer, and take the mean."""
        host.send(sender, Pull(self.value))
        self.value = (self.value + message.value) / 2

    @on(Pull)
    def pull(self, host: Host, sender: PeerId, message: Pull) -> None:
        """The answer to a push."""
        self.value = (self.value + message.value) / 2
