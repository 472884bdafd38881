"""Peers behind a NAT: they can open connections, and accept none. What passes depends on the kind (`api.NatKind`).

A NAT lets in what answers something that went out. A datagram passes to a peer behind a NAT only from an address that
this peer sent a datagram to within the last 120 s: RFC 4787 wants a mapping to be kept for two minutes at least (REQ-5)
and to be refreshed by outgoing datagrams (REQ-6); incoming ones refresh nothing here, as that RFC allows, and the
filter is by address (section 5), since a PeerId stands for address and port alike. A stream passes if it is open, or if
the peer itself called there and both have lived since; RFC 5382 wants such a mapping to be kept for 2 h 4 min when it
is idle (REQ-5).

A call from outside is not refused at once: a NAT must not answer an unsolicited SYN within 6 s (RFC 5382, REQ-4), so
that two peers that call each other at the same time can connect. The caller is refused after these 6 s and one latency.

A full cone lets in all datagrams, as long as it has a mapping at all. An address- or port-restricted NAT lets in what
comes from an address that its peer has sent to: so two peers meet if both send at the time that a third one states
(RFC 5128, 3.3). A symmetric NAT uses another port for each receiver: what it sends comes from a port that a
port-restricted or symmetric NAT on the other side does not expect, and that side cannot know the port to send to. Such
a pair never meets, not by streams either. Where datagrams are blocked none come in or out, and only streams that the
peer opens itself, to open peers, are possible (`api.can_meet`).

`Network.fate` applies this on arrival, and such a drop is counted as `nat`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..api import NatKind, PeerId, can_meet
from .kernel import Kernel

DATAGRAM_US = 120_000_000
STREAM_US = 7_440_000_000
SILENCE_US = 6_000_000
SWEEP_LEAST = 64
"""Mappings up to which the table of a peer is not searched for stale ones."""


class Nat:
    """The kind of NAT of each peer, and its mappings: whom it has sent to, and when.

    `near` are the open streams of each peer and `started_us` is when its present process started, both kept by the
    simulation.
    """

    def __init__(
        self,
        behind: Sequence[NatKind],
        kernel: Kernel,
        near: Sequence[Mapping[PeerId, None]],
        started_us: Sequence[int],
    ) -> None:
        self.behind = tuple(behind)
        """The kind of each peer."""
        self.kernel = kernel
        self.near = near
        self.started_us = started_us
        self.wired = False
        """Whether links are cables, without a NAT on the way."""
        self._out: dict[PeerId, dict[int, int]] = {}
        """The mappings of each peer: `receiver << 1 | is a stream` -> when it last sent there, in us."""
        self._sweep_above: dict[PeerId, int] = {}
        """Number of mappings above which the table of a peer is searched for stale ones, if not `SWEEP_LEAST`."""
        self._sent_us: dict[PeerId, int] = {}
        """When each peer behind a full cone last sent a datagram."""

    def grow(self, behind: Sequence[NatKind]) -> None:
        """Add newcomers behind these kinds of NAT."""
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
        if len(out) > self._sweep_above.get(frm, SWEEP_LEAST):
            fresh = {k: at for k, at in out.items() if now - at <= (STREAM_US if k & 1 else DATAGRAM_US)}
            self._out[frm] = fresh
            # Twice what is left, so that the cost per new entry does not grow with the table.
            self._sweep_above[frm] = max(SWEEP_LEAST, 2 * len(fresh))

    def shuts_out(self, frm: PeerId, to: PeerId, stream: bool) -> bool:
        """Whether a message that arrives now is dropped by the NAT of the receiver, or by a NAT of the sender that lets
        out no datagrams."""
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
        self._sweep_above.pop(peer, None)
        self._sent_us.pop(peer, None)
