"""Links with a capacity of their own, as those of routers: what one end sends waits in a queue for each link, first in,
first out, and leaves it at the rate of the link.

An access link (`bandwidth`) is one line for all that a peer sends; here each link has a rate in each direction. A
message is in service for its size divided by the rate; after that it is treated as any other message: the delay of the
link, loss, access links. A router forwards a packet when all of it has arrived. So a packet of B bytes over links of
rates c1, c2, ... takes the sum of all B/c and of the delays, and packets that are sent together arrive with a distance
of B/c of the slowest link.

A datagram is dropped if the buffer is full, reason `queue` (drop-tail). A message of a stream waits without limit,
since its sender keeps it. What waits is in flight. When the process of the sender ends it is dropped, reason `unsent`;
if the sender leaves politely it is still sent. Times are added in nanoseconds, so that rounding does not change the
rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import final

from ..api import PeerId
from .bandwidth import SIZE_MASK
from .kernel import Envelope, Kernel

Send = Callable[[PeerId, tuple[PeerId, ...], Envelope], None]


@final
class LinkQueue:
    """One direction of a link. `free_ns`: when all that waits has left; `size`: bytes that wait or are in service."""

    __slots__ = ("free_ns", "kbit_s", "queue_bytes", "size", "waiting")

    def __init__(self, kbit_s: int, queue_bytes: int) -> None:
        self.kbit_s = kbit_s
        self.queue_bytes = queue_bytes
        self.free_ns = 0
        self.size = 0
        self.waiting: dict[QueueDeparture, None] = {}

    def wait_us(self, now_us: int) -> int:
        """How long it takes until all that waits has left."""
        return max(0, -(-self.free_ns // 1_000) - now_us)


@final
class QueueDeparture:
    """Event: a message has left its queue, or was dropped from a full one."""

    __slots__ = ("at_us", "envelope", "full", "rates", "to")

    def __init__(self, rates: LinkRates, to: PeerId, envelope: Envelope, at_us: int, full: bool) -> None:
        self.rates = rates
        self.to = to
        self.envelope = envelope
        self.at_us = at_us
        self.full = full

    def fire(self) -> None:
        """See `LinkRates.departed`."""
        self.rates.departed(self)


class LinkRates:
    """The queues of all links that have a rate."""

    def __init__(self, kernel: Kernel, send: Send) -> None:
        self.kernel = kernel
        self.send = send
        self.queues: dict[int, LinkQueue] = {}
        """By sender << 32 | receiver."""

    def limit(self, frm: PeerId, to: PeerId, kbit_s: int, queue_bytes: int) -> None:
        """From now on, what is sent from one peer to another has that rate, and its queue that many bytes."""
        queue = self.queues.get(frm << 32 | to)
        if queue is None:
            self.queues[frm << 32 | to] = LinkQueue(kbit_s, queue_bytes)
        else:
            queue.kbit_s, queue.queue_bytes = kbit_s, queue_bytes

    def kbit_s(self, frm: PeerId, to: PeerId) -> int:
        """The rate from one peer to another, 0 without a limit."""
        queue = self.queues.get(frm << 32 | to)
        return 0 if queue is None else queue.kbit_s

    def queued(self, frm: PeerId, to: PeerId) -> int:
        """Bytes from one peer to another that wait or are in service."""
        queue = self.queues.get(frm << 32 | to)
        return 0 if queue is None else queue.size

    def wait_us(self, frm: PeerId, to: PeerId) -> int:
        """How long it takes until all that waits from one peer to another has left."""
        queue = self.queues.get(frm << 32 | to)
        return 0 if queue is None else queue.wait_us(self.kernel.now_us)

    def put(self, frm: PeerId, to: PeerId, envelope: Envelope) -> bool:
        """A message is sent. Returns False where the link has no rate, so that it leaves at once."""
        queue = self.queues.get(frm << 32 | to)
        if queue is None:
            return False
        size, now_us = envelope[5] & SIZE_MASK, self.kernel.now_us
        if envelope[1].over != "stream" and queue.size + size > max(queue.queue_bytes, size):
            # Dropped by an event, since its sender is still in `send`.
            self.kernel.at(now_us, QueueDeparture(self, to, envelope, now_us, full=True))
            return True
        queue.free_ns = max(queue.free_ns, now_us * 1_000) + size * 8_000_000 // queue.kbit_s
        queue.size += size
        departure = QueueDeparture(self, to, envelope, -(-queue.free_ns // 1_000), full=False)
        queue.waiting[departure] = None
        self.kernel.at(departure.at_us, departure)
        return True

    def departed(self, departure: QueueDeparture) -> None:
        """A message leaves its queue, or is dropped, since the queue was full."""
        envelope, to = departure.envelope, departure.to
        if departure.full:
            self._drop(to, envelope, "queue")
            return
        queue = self.queues[envelope[0] << 32 | to]
        if departure in queue.waiting:
            del queue.waiting[departure]
            queue.size -= envelope[5] & SIZE_MASK
            self.send(envelope[0], (to,), envelope)

    def ended(self, peer: PeerId) -> None:
        """The process of a peer has ended: what has not left is dropped."""
        for key, queue in self.queues.items():
            if key >> 32 == peer and queue.waiting:
                waiting, queue.waiting = queue.waiting, {}
                queue.size, queue.free_ns = 0, 0
                for one in waiting:
                    self._drop(one.to, one.envelope, "unsent")

    def _drop(self, to: PeerId, envelope: Envelope, reason: str) -> None:
        self.kernel.owner.drop(to, envelope, reason)
        self.kernel.release(envelope[4])

    def rows(self) -> Iterator[tuple[int, PeerId, Envelope]]:
        """(when it leaves, us; receiver; envelope) of each message that waits."""
        for queue in self.queues.values():
            for one in queue.waiting:
                yield one.at_us, one.to, one.envelope
