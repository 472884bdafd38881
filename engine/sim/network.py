"""What is between peers: links, access links, NAT, held links and faults; and what becomes of an envelope.

One function decides this, `Network.fate`, twice for each message: when it leaves (when it will arrive, whether it is
lost on the way, whether its link is held) and when it arrives (handed over, waiting in its stream, or dropped with a
reason). The reasons, in the order in which they are checked:

    lost        a datagram that the link lost; or a message of a stream that no retransmission within 100 s brought
                over: the stream then breaks
    cut         their link is cut, see `faults`
    censored    its sender or its receiver is censored; a message of a stream waits, see `stalls`
    partition   they are in different groups; likewise
    nat         the receiver's NAT lets in only those that it called
    colluded    a colluder at either end enforces a ban, and nothing is left of the message
    dead, left  the receiver's process has ended
    reset       the receiver has restarted since it was sent, and a stream does not outlive that

Three more end a message on the way: `unsent`, `queue` and `withdrawn`, see `bandwidth` and `link_rates`. The fast paths
of `host` and `kernel` are this function with all that is switched off: no faults, no NAT, no capacity, no loss, no
jitter, a receiver that was alive when the message was sent. They never run otherwise (`LinkModel.path`,
`Kernel.checked`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..api import Line, PeerId
from .bandwidth import SIZE_MASK, Bandwidth
from .faults import Faults
from .hold import HeldLinks
from .kernel import Envelope, Fate, FateOfEnvelopes, Kernel
from .link_rates import LinkRates
from .links import BREAK_US, BULK, FAST, ORDERED, LinkModel, SendPath
from .nat import Nat
from .stalls import StallOwner, Stalls

GONE = {1: "dead", 2: "left"}
"""Reason by the state of the receiver; the states are those of `measure.snapshot`."""


class Network(FateOfEnvelopes):
    """The parts between peers, and the path of an envelope through them.

    `state` is a column of all peers: 0 alive, 1 dead, 2 left. `near[p]` are the open streams of each peer and
    `started_us[p]` is when its present process started; both lists are kept by the simulation.
    """

    def __init__(
        self,
        kernel: Kernel,
        links: LinkModel,
        faults: Faults,
        state: NDArray[np.uint8],
        near: Sequence[Mapping[PeerId, None]],
        started_us: Sequence[int],
        lines: Sequence[Line],
        owner: StallOwner,
    ) -> None:
        self.kernel = kernel
        self.wired = False
        """Whether messages go over open streams only, see `api.Peer.reach`."""
        self.links = links
        self.faults = faults
        self.state = state
        self.held_links = HeldLinks(kernel)
        self.lines = list(lines)
        """The access line of each peer; empty where there is neither capacity nor NAT."""
        self.bandwidth = Bandwidth(self.lines, kernel, links, self) if any(line.up_kbit_s for line in lines) else None
        self.nat = (
            Nat([line.nat for line in lines], kernel, near, started_us) if any(line.nat for line in lines) else None
        )
        self.link_rates: LinkRates | None = None
        """Queues of links; None until a peer first limits one of its links."""
        self.only_lines = self.bandwidth if self.nat is None else None
        """`bandwidth`, while a message passes nothing else before the access links: `host` then does not call
        `post_all`. None otherwise."""
        self.sent_to: dict[int, int] = {}
        """Bytes sent from one peer to another, by sender << 32 | receiver. Only pairs for which `sent` was called, and
        only where lines have no limit."""
        self.stalls = Stalls(kernel, owner, links, faults, self.held_links, self.bandwidth)
        if self.bandwidth is not None:
            links.path = ORDERED
        elif self.nat is not None and links.path is FAST:
            links.path = SendPath.GENERAL
        self.update_checked()

    def wire(self) -> None:
        """From now on, messages go over open streams only, which are cables."""
        self.wired = True
        self.only_lines = None
        if self.links.path is FAST:
            self.links.path = SendPath.GENERAL
        if self.nat is not None:
            self.nat.wired = True

    def grow(self, state: NDArray[np.uint8], places: Sequence[int], lines: Sequence[Line]) -> None:
        """Add newcomers with these places and lines, if the run has lines; `state` is the longer column."""
        self.state = state
        self.links.grow(places)
        self.faults.grow(len(places))
        if self.lines:
            self.lines.extend(lines)
            if self.bandwidth is not None:
                self.bandwidth.grow(lines)
            if self.nat is not None:
                self.nat.grow([line.nat for line in lines])

    def update_checked(self) -> None:
        """Decide anew whether deliveries need checking, after faults or loss have changed."""
        self.kernel.checked = self.links.lossy or self.nat is not None or self.stalls.active or self.faults.active

    def forget(self, peers: int) -> None:
        """Forget what is past, and stop checking deliveries that need no check any more; called once a second."""
        self.links.forget(peers, self.kernel.now_us)
        self.stalls.forget()
        if self.kernel.checked:
            self.update_checked()

    # --- what becomes of an envelope ------------------------------------------------------------------------

    def fate(self, to: int, envelope: Envelope, leaves_us: int | None = None, bulk: bool = False) -> Fate:
        """What becomes of an envelope that leaves its sender's access link at `leaves_us`, or that arrives now (None).

        `to` is negative for a datagram that the link lost, as in the kernel's buckets; `bulk`: it is a transfer, which
        has a connection of its own.
        """
        sender, message, _, sent_us, _, _ = envelope
        if leaves_us is not None:
            links, held = self.links, self.held_links
            stream, reason = message.over == "stream", ""
            delay = links.delay_us(sender, to)
            if links.jitter_us:
                # Whole milliseconds, as in latency models, where the limit allows it: arrivals then share instants.
                grain = 1000 if links.jitter_us >= 1000 else 1
                delay += links.jitters.randrange(links.jitter_us // grain + 1) * grain
            if links.loss and links.rng.random() < links.loss:
                later_us = links.retransmission_us(delay) if stream else 0
                if stream and later_us < BREAK_US:
                    delay += later_us
                else:
                    delay, reason = max(delay, later_us), "lost"
            at_us = leaves_us + delay
            if stream and links.path is ORDERED:
                key = sender << 32 | to | (BULK if bulk else 0)  # `LinkModel.stream_key`, without a call
                at_us = max(at_us, links.last.get(key, 0))
                links.last[key] = at_us
            return at_us, message, reason, held.active and held.holds(sender, to)
        kernel = self.kernel
        if to < 0:
            return kernel.now_us, None, "lost", False
        faults = self.faults
        # As `Faults.why_blocked` and `Stalls.active`, without calls: this runs for each message that is checked.
        reason, stalls = "", self.stalls
        if faults.cut_links and faults.cut_links.has(sender, to):
            reason = "cut"
        elif faults.censored[to] or faults.censored[sender]:
            reason = "censored"
        elif faults.group[to] != faults.group[sender]:
            reason = "partition"
        if (reason or stalls.streams or stalls.breaks) and message.over == "stream":
            reason, waits = stalls.outcome(to, envelope, reason)
            if waits:
                return kernel.now_us, message, reason, True
        if reason:
            return kernel.now_us, None, reason, False
        if self.nat is not None and self.nat.shuts_out(sender, to, message.over == "stream"):
            return kernel.now_us, None, "nat", False
        if faults.bans:
            message = faults.visible(to, envelope, kernel.peers[to] is not None)
            if message is None:
                return kernel.now_us, None, "colluded", False
        if sent_us < kernel.alive_since_us[to]:
            reason = GONE.get(int(self.state[to]), "reset" if message.over == "stream" else "")
            if reason:
                return kernel.now_us, None, reason, False
            # A datagram to a machine that has started again meanwhile is delivered.
        return kernel.now_us, message, "", False

    def wait(self, to: PeerId, envelope: Envelope, reason: str) -> None:
        self.stalls.put(to, envelope, reason)

    def freeze(self, at_us: int, to: int, envelope: Envelope) -> None:
        """A message that would arrive at `at_us` stops on its held link now."""
        now_us = self.kernel.now_us
        self.held_links.freeze(at_us - now_us, to, envelope, now_us - envelope[3])

    def post_all(self, frm: PeerId, to: Iterable[PeerId], envelope: Envelope) -> None:
        """Send a message to each of several receivers: used for all messages that cannot take `SendPath.FAST`."""
        nat = self.nat
        if self.sent_to:
            to = tuple(to)
            for one in to:
                key = frm << 32 | one
                if key in self.sent_to:
                    self.sent_to[key] += envelope[5] & SIZE_MASK
        if nat is not None:
            stream = envelope[1].over == "stream"
            for one in to:
                nat.called(frm, one, stream)
        if self.link_rates is not None:
            to = tuple(one for one in to if not self.link_rates.put(frm, one, envelope))
        self.leave(frm, to, envelope)

    def leave(self, frm: PeerId, to: Iterable[PeerId], envelope: Envelope) -> None:
        """A message has left the queues of its links."""
        bandwidth, post, fate = self.bandwidth, self.kernel.post, self.fate
        now_us = self.kernel.now_us
        if bandwidth is not None:
            for one in to:
                bandwidth.put(frm, one, envelope)
        elif self.links.path is ORDERED:
            for one in to:
                at_us, _, reason, held = fate(one, envelope, now_us)
                if reason:
                    one = -1 - one
                if held:
                    self.freeze(at_us, one, envelope)
                else:
                    post(at_us, one, envelope)
        else:
            # Neither loss, nor jitter, nor a held link: nothing but the delay of the pair.
            for one in to:
                post(now_us + self.links.delay_us(frm, one), one, envelope)

    # --- what a sender may know and do -------------------------------------------------------------------

    def queued(self, frm: PeerId, to: PeerId) -> int:
        """Bytes from one peer to another that wait for their link or for the uplink."""
        waits = 0 if self.link_rates is None else self.link_rates.queued(frm, to)
        return waits if self.bandwidth is None else waits + self.bandwidth.queued(frm, to)

    def limit(self, frm: PeerId, to: PeerId, kbit_s: int, queue_bytes: int) -> None:
        """From now on, what one peer sends to another has that rate, see `link_rates`."""
        if self.link_rates is None:
            self.links.keep_orders(self.kernel)
            self.link_rates = LinkRates(self.kernel, self.leave)
            self.only_lines = None
        self.link_rates.limit(frm, to, kbit_s, queue_bytes)

    def kbit_s(self, frm: PeerId, to: PeerId) -> int:
        """The rate of the link from one peer to another, 0 without a limit."""
        return 0 if self.link_rates is None else self.link_rates.kbit_s(frm, to)

    def closing_us(self, a: PeerId, b: PeerId) -> int:
        """How long until `b` learns that `a` closed their stream: what was sent on it comes first."""
        closing_us = self.links.closing_us(a, b, self.kernel.now_us)
        if self.link_rates is None:
            return closing_us
        return max(closing_us, self.link_rates.wait_us(a, b) + self.links.delay_us(a, b))

    def sent(self, frm: PeerId, to: PeerId) -> int:
        """Bytes from one peer to another that have left since the process of the first started; where lines have no
        limit, since the first call."""
        if self.bandwidth is not None:
            return self.bandwidth.sent(frm, to)
        if self.links.path is FAST:
            # The fast path does not count them.
            self.links.path = SendPath.GENERAL
        return self.sent_to.setdefault(frm << 32 | to, 0)

    def withdraw(self, frm: PeerId, to: PeerId, message: object) -> bool:
        """Drop the last equal message that the uplink has not begun with. Returns whether there was one."""
        return self.bandwidth is not None and self.bandwidth.withdraw(frm, to, message)

    def ended(self, peer: PeerId, politely: bool) -> None:
        """A process ends: its unsent messages, its NAT table and the counts of what it sent are removed."""
        if self.bandwidth is not None:
            self.bandwidth.died(peer, politely)
        if self.link_rates is not None and not politely:
            self.link_rates.ended(peer)
        if self.nat is not None:
            self.nat.forgets(peer)
        if self.sent_to:
            self.sent_to = {key: size for key, size in self.sent_to.items() if key >> 32 != peer}

    # --- commands about links --------------------------------------------------------------------------

    def set_loss(self, loss: float) -> None:
        """From now on, this share of messages is lost."""
        self.links.set_loss(loss)
        self.update_checked()

    def set_factor(self, factor: float) -> None:
        """From now on, delays are this many times those of the model."""
        self.links.set_factor(factor, self.kernel)

    def set_jitter(self, jitter_us: int) -> None:
        """From now on, a message takes up to that much longer than it would."""
        if jitter_us:
            self.links.keep_orders(self.kernel)
        self.links.jitter_us = jitter_us

    def hold(self, peers: Sequence[PeerId]) -> None:
        """Hold the links between these peers, see `hold`."""
        self.links.keep_orders(self.kernel)
        self.held_links.hold(peers)
        self.stalls.held()

    def release(self, peers: Sequence[PeerId]) -> tuple[PeerId, ...]:
        """Release them. Returns the peers whose links were held."""
        freed, moving = self.held_links.release(peers)
        for at_us, to, envelope in moving:
            if envelope[1].over == "stream":
                self.links.keep_order(envelope[0], to, at_us)
            self.kernel.post(at_us, to, envelope)
        self.stalls.released()
        return freed

    def cut(self, peers: Sequence[PeerId]) -> None:
        """Cut the links between these peers, of a single one all of its links: streams on them break now."""
        self.links.keep_orders(self.kernel)
        faults = self.faults
        if len(peers) == 1:
            (one,) = peers
            pairs = [(one, other) for other in range(len(faults.group)) if other != one]
        else:
            ordered = sorted(peers)
            pairs = [(a, b) for at, a in enumerate(ordered) for b in ordered[at + 1 :]]
        pairs = [pair for pair in pairs if not faults.cut_links.has(*pair)]
        faults.cut_links.add(peers)
        for a, b in pairs:
            self.stalls.break_pair(a, b, "cut")
        self.update_checked()

    def mend(self, peers: Sequence[PeerId]) -> tuple[PeerId, ...]:
        """Mend them: streams can be opened again. Returns the peers whose links were cut."""
        mended = self.faults.cut_links.remove(peers)
        self.update_checked()
        return mended

    # --- views ----------------------------------------------------------------------------------------------

    def outside_buckets(self) -> Iterator[tuple[int, int, PeerId, Envelope]]:
        """(sent_us, arrives_us, to, envelope) of each message that is under way and in no bucket of the kernel. The
        arrival of what waits for an access link is an estimate. The times of a message on a held link move on with the
        present time, so that its drawn position on the link does not change."""
        now_us = self.kernel.now_us
        if self.bandwidth is not None:
            for at_us, to, envelope in self.bandwidth.rows():
                yield envelope[3], at_us, to, envelope
        if self.link_rates is not None:
            for at_us, to, envelope in self.link_rates.rows():
                yield envelope[3], at_us + self.links.delay_us(envelope[0], to), to, envelope
        for at_us, to, envelope in self.stalls.rows():
            yield envelope[3], at_us, to, envelope
        for gone_us, left_us, to, envelope in self.held_links.rows():
            yield now_us - gone_us, now_us + max(1, left_us), to, envelope
