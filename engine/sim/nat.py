"""Peers behind a NAT: they can open connections, and accept none. What passes depends on the kind (`api.NatKind`).

A NAT lets in what answers something that went out. A datagram passes to a peer behind one only from an address that it
sent a datagram to within the last 120 s: RFC 4787 wants a mapping to be kept for two minutes at least (REQ-5) and
to be refreshed by what goes out (REQ-6); what comes in refreshes nothing here, as that RFC allows, and the filter is by
address (section 5), since a PeerId stands for address and port alike. A stream passes if it is open, or if the peer
itself called there and both have lived since; RFC 5382 has such a mapping stand for 2 h 4 min when it is idle (REQ-5).

A call from outside gets no refusal: a NAT must not answer an unsolicited SYN within 6 s (RFC 5382,
REQ-4), so that two peers that call each other at the same time can connect. The caller is refused after these 6 s and
one latency.

Of datagrams a full cone lets in all, as long as it has a mapping at all; an address- or port-restricted NAT what comes
from where its peer has sent to: two peers that both send, as soon as both are told to, meet (RFC 5128, 3.3). A
symmetric NAT sends from another port to each, so what it sends does not come from where a port-restricted or symmetric
NAT has been sent to, and these do not know where to send to: such a pair never meets, by streams neither. Where
datagrams are blocked none come in or out, and only streams that it opens itself, to open peers, are possible
(`api.can_meet`).

`Network.fate` applies this on arrival, and such a drop is counted as `nat`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..api import NatKind, PeerId, can_meet
from .kernel import Kernel

DATAGRAM_US = 120_000_000
STREAM_US = 7_440_000_000
SILENCE_US = 6_000_000
KEPT = 64
"""Mappings below which a peer's table is not looked through for stale ones."""


class Nat:
    """The kind of NAT of each peer, and the peers that each has called: for each, `to << 1 | is a stream` -> when last
    (us).

    `near` are the open streams of each peer and `started_us` when its present life began, both kept by others.
    """

    def __init__(
        self,
        behind: Sequence[NatKind],
        kernel: Kernel,
        near: Sequence[Mapping[PeerId, None]],
        started_us: Sequence[int],
    ) -> None:
        self.behind = tuple(behind)
        """Of each peer."""
        self.kernel = kernel
        self.near = near
        self.started_us = started_us
        self.wired = False
        """Whether links are cables, which no NAT is on the way of."""
        self._out: dict[PeerId, dict[int, int]] = {}
        self._room: dict[PeerId, int] = {}
        self._sent_us: dict[PeerId, int] = {}
        """When each peer behind a full cone last sent a datagram."""

    def grow(self, behind: Sequence[NatKind]) -> None:
        """Newcomers, and what they are behind."""
        self.behind = (*self.behind, *behind)

    def called(self, frm: PeerId, to: PeerId, stream: bool) -> None:
        """`frm` sends something: answers to it may pass."""
        if not self.behind[frm]:
            return
        now = self.kernel.now_us
        if self.behind[frm] == NatKind.FULL_CONE and not stream:
            self._sent_us[frm] = now
        out = self._out.setdefault(frm, {})
        out[to << 1 | stream] = now
        if len(out) > self._room.get(frm, KEPT):
            fresh = {k: at for k, at in out.items() if now - at <= (STREAM_US if k & 1 else DATAGRAM_US)}
            self._out[frm] = fresh
            # Twice what is left: looking through a table costs each entry a constant, however large it grows.
            self._room[frm] = max(KEPT, 2 * len(fresh))

    def shuts_out(self, frm: PeerId, to: PeerId, stream: bool) -> bool:
        """Whether a NAT drops a message that arrives now: that of the receiver, or one that lets out no datagrams."""
        if self.wired and frm in self.near[to]:
            return False
        kind, other = self.behind[to], self.behind[frm]
        if not stream and NatKind.UDP_BLOCKED in (kind, other):
            return True
        if not kind or (stream and frm in self.near[to]):
            return False
        if kind == NatKind.FULL_CONE and not stream:
            sent_us = self._sent_us.get(to)
            return sent_us is None or self.kernel.now_us - sent_us > DATAGRAM_US
        if other and not can_meet(kind, other):
            return True
        at = self._out.get(to, {}).get(frm << 1 | stream)
        if at is None or (stream and at < self.started_us[frm]):
            return True
        return self.kernel.now_us - at > (STREAM_US if stream else DATAGRAM_US)

    def forgets(self, peer: PeerId) -> None:
        """A process ends, and its mappings with it."""
        self._out.pop(peer, None)
        self._room.pop(peer, None)
        self._sent_us.pop(peer, None)
