"""Stalled streams: messages that a censor or a partition blocks wait here, are sent again, and are delivered late or
dropped.

A stream never has a gap. A message of a stream that is blocked is not lost: its sender has kept it and sends it again
after the retransmission timeout, which doubles with each try up to 60 s (RFC 6298, 5.5 and 2.5). What follows on the
same stream waits behind it, blocked or not. At the first try that passes, all that waits is delivered in order. After
100 s without progress (RFC 1122, 4.2.3.5: R2) the streams of the pair break, in both directions: what waited is dropped
for good, and `closed` is called at both ends.

What waits counts as lost at once, with the reason, and the loss is taken back when the message is delivered. This is so
for the first 64 KiB of a stream, its window; what is beyond the window has not left the sender yet, so it is in flight
and no loss before the stream breaks. Nothing that waits here keeps an ask open; what is delivered opens it again.

A held link stops the clock and the tries. Notices (the closing of a stream, a refusal) wait in the stream as well.
While anything waits, and until no message can be under way that is older than the break of its stream, the kernel
checks each delivery (`Kernel.checked`); at other times stalls cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from ..api import PeerId
from .bandwidth import SIZE_MASK, TRANSFER, Bandwidth
from .hold import HeldLinks
from .kernel import Envelope, Kernel, KernelTimer
from .links import BREAK_US, BULK, RTO_MOST_US, LinkModel

WINDOW = 65_536
"""Bytes of a stream that are under way at most."""
REMEMBERED_US = 3 * BREAK_US
"""How long a break is remembered: no message is under way for longer, unless its link is held."""


class RetryDue:
    """Tick: the first message that waits on a stream is sent again, and arrives now."""

    __slots__ = ("key", "serial")

    def __init__(self, key: int, serial: int) -> None:
        self.key = key
        self.serial = serial


class Waiting:
    """A message that waits (its envelope without the record of its ask), or a notice. `lost`: it counts as lost, with
    the reason."""

    __slots__ = ("envelope", "lost", "notice", "reason")

    def __init__(self, envelope: Envelope | None, notice: KernelTimer | None, reason: str, lost: bool) -> None:
        self.envelope = envelope
        self.notice = notice
        self.reason = reason
        self.lost = lost


class Stall:
    """A stream from `frm` to `to` on which something waits.

    size         bytes of it that are in the window
    since_us     when the last progress was, plus the time that the link was held since then
    next_us      when the next try arrives
    rto_us       the present retransmission timeout
    held_us      since when the link is held, or -1
    serial       number of the tick that is valid
    """

    __slots__ = ("frm", "held_us", "items", "next_us", "reason", "rto_us", "serial", "since_us", "size", "to")

    def __init__(self, frm: PeerId, to: PeerId, now_us: int, rto_us: int, reason: str) -> None:
        self.frm = frm
        self.to = to
        self.items: list[Waiting] = []
        self.size = 0
        self.since_us = now_us
        self.rto_us = rto_us
        self.next_us = now_us
        self.held_us = -1
        self.serial = 0
        self.reason = reason


class StallOwner(Protocol):
    """What stalled streams call; implemented by `engine.simulation.Simulation`."""

    def lose(self, to: PeerId, envelope: Envelope, reason: str) -> None:
        """Count a message as lost, for the run and for its asks."""

    def take_back(self, to: PeerId, envelope: Envelope, reason: str) -> None:
        """Such a message is delivered after all: it is no loss."""

    def live_record(self, cause: Any) -> Any:
        """The record of a cause, opened again if it has closed."""

    def resume(self, envelope: Envelope) -> Envelope:
        """Give a message the record of its ask back, opened again if it has closed; the message is pending again."""

    def broken(self, a: PeerId, b: PeerId, peers: tuple[PeerId, ...]) -> None:
        """The streams of a pair are broken: notify these peers."""


class Blocks(Protocol):
    """Implemented by `faults.Faults`."""

    def why_blocked(self, a: PeerId, b: PeerId) -> str: ...


class Stalls:
    """All stalled streams, and the pairs whose streams broke lately."""

    def __init__(
        self,
        kernel: Kernel,
        owner: StallOwner,
        links: LinkModel,
        faults: Blocks,
        held_links: HeldLinks,
        bandwidth: Bandwidth | None,
    ) -> None:
        self.kernel = kernel
        self.owner = owner
        self.links = links
        self.faults = faults
        self.held_links = held_links
        self.bandwidth = bandwidth
        self.streams: dict[int, Stall] = {}
        """By sender << 32 | receiver, with `BULK` for transfers that have a connection of their own."""
        self.breaks: dict[int, tuple[int, str]] = {}
        """By pair, the smaller first: when its streams broke, in us, and why."""

    @property
    def active(self) -> bool:
        """Whether deliveries have to be checked because of stalled or broken streams."""
        return bool(self.streams or self.breaks)

    def key(self, envelope: Envelope, to: PeerId) -> int:
        """The stream of a message."""
        return self.links.stream_key(envelope[0], to, self.bandwidth is not None and envelope[1].part_code == TRANSFER)

    def outcome(self, to: PeerId, envelope: Envelope, blocked: str) -> tuple[str, bool]:
        """What becomes of a message of a stream that arrives now: (reason to drop it or why it waits, whether it
        waits). blocked: why nothing passes between the two, or ""."""
        frm = envelope[0]
        if self.breaks:
            at_us, reason = self.breaks.get(_pair(frm, to), (-1, ""))
            if envelope[3] <= at_us:
                return reason, False
        if blocked == "cut":
            return blocked, False
        return blocked, bool(blocked) or self.key(envelope, to) in self.streams

    # --- waiting ---------------------------------------------------------------------------------------------

    def put(self, to: PeerId, envelope: Envelope, reason: str) -> None:
        """Let a message wait from now on. reason: why nothing passes, or "" if it only waits behind what was sent
        before."""
        key = self.key(envelope, to)
        stall = self._stall(key, envelope[0], to, reason)
        size = envelope[5] & SIZE_MASK
        lost = bool(reason) and stall.size < WINDOW
        if lost:
            self.owner.lose(to, envelope, reason)
        stall.items.append(
            Waiting((*envelope[:4], self.kernel.no_envelope[4], envelope[5]), None, reason or stall.reason, lost)
        )
        stall.size += size
        if self.bandwidth is not None:
            self.bandwidth.stalled(envelope[0], to, bool(key & BULK), size)

    def put_notice(self, frm: PeerId, to: PeerId, notice: KernelTimer) -> bool:
        """A notice from one peer to another that arrives now waits if nothing passes. Returns whether it does."""
        key = self.links.stream_key(frm, to, False)
        reason = self.faults.why_blocked(frm, to)
        if reason == "cut":
            return False  # both ends have been notified when the link was cut
        if not reason and key not in self.streams:
            return False
        self._stall(key, frm, to, reason).items.append(Waiting(None, notice, reason, False))
        return True

    def _stall(self, key: int, frm: PeerId, to: PeerId, reason: str) -> Stall:
        stall = self.streams.get(key)
        if stall is None:
            rto_us = self.links.rto_us(self.links.delay_us(frm, to))
            stall = self.streams[key] = Stall(frm, to, self.kernel.now_us, rto_us, reason)
            self.kernel.checked = True
            self._arm(key, stall, self.kernel.now_us + rto_us)
        return stall

    def _arm(self, key: int, stall: Stall, at_us: int) -> None:
        stall.serial += 1
        stall.next_us = min(at_us, stall.since_us + BREAK_US)
        tick = RetryDue(key, stall.serial)
        self.kernel.arm(stall.next_us, KernelTimer(-1, 0, tick, 0, self.kernel.no_envelope[4]))

    # --- tries -----------------------------------------------------------------------------------------------

    def fire(self, tick: RetryDue) -> None:
        """A retransmission arrives: deliver all that waits, wait for the next one, or give up."""
        stall = self.streams.get(tick.key)
        if stall is None or stall.serial != tick.serial:
            return
        reason = self.faults.why_blocked(stall.frm, stall.to)
        now_us = self.kernel.now_us
        if not reason:
            self._deliver(tick.key, stall)
        elif now_us >= stall.since_us + BREAK_US:
            self.break_pair(stall.frm, stall.to, reason)
        else:
            stall.rto_us = min(RTO_MOST_US, 2 * stall.rto_us)
            self._arm(tick.key, stall, now_us + stall.rto_us)

    def _deliver(self, key: int, stall: Stall) -> None:
        del self.streams[key]
        kernel = self.kernel
        for item in stall.items:
            if item.notice is not None:
                item.notice.record = self.owner.live_record(item.notice.cause)
                kernel.arm(kernel.now_us, item.notice)
            elif item.envelope is not None:
                if item.lost:
                    self.owner.take_back(stall.to, item.envelope, item.reason)
                kernel.post(kernel.now_us, stall.to, self.owner.resume(item.envelope))
        self._ended(key, stall)

    def _ended(self, key: int, stall: Stall) -> None:
        if self.bandwidth is not None:
            self.bandwidth.stalled(stall.frm, stall.to, bool(key & BULK), -stall.size)

    def broke_after(self, a: PeerId, b: PeerId, sent_us: int) -> bool:
        """Whether the streams of a pair have broken since a message was sent."""
        return sent_us <= self.breaks.get(_pair(a, b), (-1, ""))[0]

    def lost(self, frm: PeerId, to: PeerId, sent_us: int) -> None:
        """No retransmission of a message has arrived: its stream breaks, if it has not broken since it was sent."""
        if not self.broke_after(frm, to, sent_us):
            self.break_pair(frm, to, "lost")

    def break_pair(self, a: PeerId, b: PeerId, reason: str) -> None:
        """The streams between two peers break, in both directions: what waits or is under way on them is dropped."""
        to_notify: dict[PeerId, None] = {}
        if self.bandwidth is not None:
            self.bandwidth.broken(a, b, reason)
            self.bandwidth.broken(b, a, reason)
        for frm, to in ((a, b), (b, a)):
            for bulk in (False, True):
                key = self.links.stream_key(frm, to, bulk)
                stall = self.streams.pop(key, None)
                if stall is None:
                    continue
                for item in stall.items:
                    if item.notice is not None:
                        # Its sender has closed the stream itself.
                        to_notify[to] = None
                        continue
                    to_notify[a] = to_notify[b] = None
                    if not item.lost and item.envelope is not None:
                        whole = self.owner.resume(item.envelope)
                        self.owner.lose(to, whole, item.reason or reason)
                        self.kernel.release(whole[4])
                self._ended(key, stall)
        if reason == "lost":
            to_notify[a] = to_notify[b] = None
        self.breaks[_pair(a, b)] = (self.kernel.now_us, reason)
        self.kernel.checked = True
        self.owner.broken(a, b, tuple(to_notify))

    def forget(self) -> None:
        """Forget breaks that are older than any message under way; called once a second."""
        if self.breaks and not self.held_links.active:
            oldest_us = self.kernel.now_us - REMEMBERED_US
            self.breaks = {pair: broke for pair, broke in self.breaks.items() if broke[0] > oldest_us}

    # --- held links ------------------------------------------------------------------------------------------

    def held(self) -> None:
        """Links are held now: stop the clocks of the streams on them."""
        for stall in self.streams.values():
            if stall.held_us < 0 and self.held_links.holds(stall.frm, stall.to):
                stall.held_us = self.kernel.now_us
                stall.serial += 1

    def released(self) -> None:
        """Links are released: the clocks of the streams on them go on."""
        for key, stall in self.streams.items():
            if stall.held_us >= 0 and not self.held_links.holds(stall.frm, stall.to):
                held_for_us = self.kernel.now_us - stall.held_us
                stall.held_us = -1
                stall.since_us += held_for_us
                self._arm(key, stall, stall.next_us + held_for_us)

    # --- views -----------------------------------------------------------------------------------------------

    def rows(self) -> Iterator[tuple[int, PeerId, Envelope]]:
        """(when it would arrive if nothing blocks it then, us; receiver; envelope) of each message that waits and does
        not count as lost."""
        for stall in self.streams.values():
            for item in stall.items:
                if item.envelope is not None and not item.lost:
                    yield max(stall.next_us, self.kernel.now_us) + 1, stall.to, item.envelope


def _pair(a: PeerId, b: PeerId) -> int:
    return a << 32 | b if a < b else b << 32 | a
