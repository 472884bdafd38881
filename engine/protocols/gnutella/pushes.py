"""Push: a holder that accepts no connections is asked over the overlay to open one itself.

A Push goes back the way that a QueryHit of the holder came: each servent on the way knows from which neighbour it came.
The holder then calls the downloader (Giv), which fetches over that connection. Source: section "Firewalled Servents".
"""

from __future__ import annotations

from collections.abc import Mapping

from ...api import Host, PeerId
from ...kit import RecentTable, put_bounded
from .messages import BYTE_MAX, GUID_BYTES, WORD_MAX, Giv, Push, headed, index_of

GIVEN = 64
"""Peers that a firewalled servent has called (Giv) and that may fetch over that connection."""


class Pushes:
    """The ways on which a servent passes Pushes on, and the peers that it has called when a Push was for itself.

    ways        the neighbour that leads to a servent, by its id
    given       peers that may fetch although the servent is firewalled, since it called them
    neighbours  the neighbours of the servent
    """

    __slots__ = ("given", "neighbours", "ways")

    def __init__(self, neighbours: Mapping[PeerId, int]) -> None:
        self.ways: RecentTable[bytes, PeerId] = RecentTable()
        self.given: dict[PeerId, None] = {}
        self.neighbours = neighbours

    def way(self, servent: bytes) -> PeerId | None:
        """The neighbour that leads to a servent, or None."""
        way = self.ways.get(servent)
        return way if way in self.neighbours else None

    def push(self, host: Host, sender: PeerId, message: Push, me: bytes) -> None:
        """Call the downloader if the Push is for this servent, whose id is `me`; else pass it on."""
        m = message
        if sender not in self.neighbours:
            return
        if not (headed(m) and len(m.servent) == GUID_BYTES and 0 <= m.index <= WORD_MAX and m.address >= 0):
            host.log("nonsense")
            return
        if m.servent == me:
            name = next((file.name for file in host.library.files() if index_of(file.name) == m.index), None)
            if name is not None:
                put_bounded(self.given, m.address, None, GIVEN)
                host.send(m.address, Giv(name))
            return
        way = self.way(m.servent)
        if way is not None and way != sender and m.ttl > 1 and m.hops < BYTE_MAX:
            host.send(way, Push(m.guid, m.ttl - 1, m.hops + 1, m.servent, m.index, m.address))
