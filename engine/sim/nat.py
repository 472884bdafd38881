"""Peers behind a NAT: they can open connections, and accept none.

A NAT lets in what answers something that went out. A datagram passes to a peer behind one only from an address that it
sent a datagram to within the last 120 s: RFC 4787 wants a mapping to be kept for two minutes at least (REQ-5) and
to be refreshed by what goes out (REQ-6); what comes in refreshes nothing here, as that RFC allows, and the filter is by
address (section 5), since a PeerId stands for address and port alike. A stream passes if it is open, or if the peer
itself called there and both have lived since; RFC 5382 has such a mapping stand for 2 h 4 min when it is idle (REQ-5).

A call from outside gets no refusal: a NAT must not answer an unsolicited SYN within 6 s (RFC 5382,
REQ-4), so that two peers that call each other at the same time can connect. The caller is refused after these 6 s and
one latency.

`Network.fate` applies this on arrival, and such a drop is counted as `nat`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..api import PeerId
from .kernel import Kernel

DATAGRAM_US = 120_000_000
STREAM_US = 7_440_000_000
SILENCE_US = 6_000_000
KEPT = 64
"""Mappings below which a peer's table is not looked through for stale ones."""


class Nat:
    """Peers behind a NAT, and the peers that each has called: for each, `to << 1 | is a stream` -> when last (us).

    `near` are the open streams of each peer and `started_us` when its present life began, both kept by others.
    """

    def __init__(
        self, behind: Sequence[bool], kernel: Kernel, near: Sequence[Mapping[PeerId, None]], started_us: Sequence[int]
    ) -> None:
        self.behind = tuple(behind)
        self.kernel = kernel
        self.near = near
        self.started_us = started_us
        self.wired = False
        """Whether links are cables, which no NAT is on the way of."""
        self._out: dict[PeerId, dict[int, int]] = {}
        self._room: dict[PeerId, int] = {}

    def grow(self, behind: Sequence[bool]) -> None:
        """Newcomers, and whether they are behind one."""
        self.behind = (*self.behind, *behind)

    def called(self, frm: PeerId, to: PeerId, stream: bool) -> None:
        """`frm` sends something: answers to it may pass."""
        if not self.behind[frm]:
            return
        now = self.kernel.now_us
        out = self._out.setdefault(frm, {})
        out[to << 1 | stream] = now
        if len(out) > self._room.get(frm, KEPT):
            fresh = {k: at for k, at in out.items() if now - at <= (STREAM_US if k & 1 else DATAGRAM_US)}
            self._out[frm] = fresh
            # Twice what is left: looking through a table costs each entry a constant, however large it grows.
            self._room[frm] = max(KEPT, 2 * len(fresh))

    def shuts_out(self, frm: PeerId, to: PeerId, stream: bool) -> bool:
        """Whether the NAT of the receiver drops a message that arrives now."""
        if not self.behind[to] or ((stream or self.wired) and frm in self.near[to]):
            return False
        at = self._out.get(to, {}).get(to_key(frm, stream))
        if at is None or (stream and at < self.started_us[frm]):
            return True
        return self.kernel.now_us - at > (STREAM_US if stream else DATAGRAM_US)

    def forgets(self, peer: PeerId) -> None:
        """A process ends, and its mappings with it."""
        self._out.pop(peer, None)
        self._room.pop(peer, None)


def to_key(peer: PeerId, stream: bool) -> int:
    """How a table names a called peer."""
    return peer << 1 | stream
