"""LimeWire's ultrapeers as a tree, for the formula of the last hop."""

from __future__ import annotations

from collections.abc import Sequence

from engine import AskFor, ContentSpec, Setup, Swarm
from engine.api import Host, PeerId
from engine.protocols.limewire import Limewire, LimewireOptions, Neighbour
from engine.protocols.limewire.dynamic_query import hosts

SECOND = 1_000_000


class Tree(Limewire, name="limewire tree", options=LimewireOptions):
    """All are ultrapeers, and the links are those of the topology."""

    overlay = True

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        self.become(host, ultrapeer=True)
        for link in links:
            self.connected(host, link, Neighbour(host.options.ultrapeer_links, host.options.max_ttl), leaf=False)


class Tableless(Tree, name="limewire tree without tables", options=LimewireOptions):
    """An ultrapeer that sends no tables, so that the last hop goes to all."""

    def send_patch(self, host: object, to: object, changed: object) -> None:
        """Send nothing."""


def reached_in_tree(program: type[Limewire], degree: int, ttl: int) -> int:
    """How many peers the root of a tree of this degree reaches with a query for what nobody has: on three links with
    TTL 2, on the others with this one."""
    setup = Setup(
        "limewire",
        1 + degree * hosts(degree, ttl),
        1,
        f"tree:{degree}",
        "constant:10",
        options={"converged": False, "ultrapeer_links": 1, "max_ttl": ttl},
        content=ContentSpec(free_riders=1.0),
        asks_per_s=0,
    )
    made = Swarm(setup, program)
    made.advance(SECOND)
    made.do(AskFor(0, "no such thing"))
    made.advance_quiet(600 * SECOND)
    return made.asks()[-1].reached
