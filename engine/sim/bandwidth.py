"""Access links with a capacity: a message waits for the sender's uplink, takes the latency, and waits for the
receiver's downlink.

Every message is cut into chunks; a chunk in service is never interrupted, and each access link serves its queues in
turn: deficit round robin by bytes, and a queue that was idle goes first, once (fq_codel, RFC 8290 section 4, without
the dropping). There is a queue for each peer at the other end, and one more for the transfers with that peer. So two
transfers share a link equally however their messages are cut; a query that meets a file transfer waits for the chunk
in service and no longer; and many queries cannot starve a file transfer, as they could with strict priority.

Transfers are queued apart from control messages of the same pair because real networks send them apart: Gnutella
fetches over HTTP and Napster over a data port, on a connection of their own. So a stream keeps its order among messages
of part `transfer`, and among all others, and the two may overtake each other. A chunk is what takes the slower of the
two links 50 ms, but no less than a packet of 1,500 bytes and no more than 64 KiB: so a busy link costs some 20 events a
second whatever its speed, and small chunks lose no precision, since a link keeps its own clock in nanoseconds. Chunks
follow each other from uplink to downlink, so a file is sent and received at the same time, at the slower rate.

A stream has a window, as TCP has: at most as many bytes as the receiver's downlink takes in a second, but at least
64 KiB, are on the way and not yet taken by it. Without a window, all that a fast server sends would wait at a slow
receiver at once, would still be there when the server has stopped, and would delay the receiver's next message for
hours. What does not fit waits at the sender, without limit. Datagrams have no window: beyond the buffer of a socket
they are dropped, reason `queue`.

What waits is in flight: it is sent, neither delivered nor dropped, and its ask is open. When the sender is killed it
is dropped, reason `unsent`, except for the chunk in service; when the sender leaves politely, only its transfers are
dropped. What waits at a downlink does not depend on the sender any more. When a downlink has taken the last chunk, the
message is put into a bucket of the kernel, as any other.

An idle link takes a chunk at once, and a single chunk that waits for a link needs no queue. Most messages of most
networks are of this kind: they cost two events, one when they arrive at the downlink and one when they are handed over.
This is only a faster way to the same result: a queue of one chunk can be served in one way only, and is forgotten when
it is empty (`tests/engine/test_line_model.py` compares this with a model that has queues alone).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from heapq import heappush
from typing import Any, Protocol, TypeAlias, final

from ..api import Line, PeerId
from .hold import HeldLinks
from .kernel import Envelope, FateOfEnvelopes, Kernel, KernelTimer
from .links import BULK, LinkModel

CHUNK_NS = 50_000_000
CHUNK_MIN = 1_500
CHUNK_MAX = 65_536
WINDOW_MIN = 65_536
SIZE_MASK = (1 << 32) - 1
TRANSFER = 2


class QueuedMessage:
    """A message under way. It waits in the queue of an uplink, and in the queue of a downlink in place of its last
    chunk; it is also the event that its last chunk arrives at the downlink.

    bulk         a transfer over a stream
    way          the key of its stream, see `LinkModel.stream_key`
    left         bytes that the uplink has not taken yet; after that the bytes of the last chunk
    arrives_us   when the last chunk arrives, once that is known, else -1
    parked       it waits behind a stalled stream and keeps no ask open; its envelope has no record
    """

    __slots__ = (
        "arrives_us",
        "bulk",
        "envelope",
        "frm",
        "left",
        "lines",
        "parked",
        "serial",
        "size",
        "stream",
        "to",
        "way",
    )

    def __init__(self, lines: Bandwidth, serial: int, frm: PeerId, to: PeerId, envelope: Envelope) -> None:
        message = envelope[1]
        self.lines = lines
        self.serial = serial
        self.frm = frm
        self.to = to
        self.envelope = envelope
        self.size = self.left = envelope[5] & SIZE_MASK
        if message.over == "stream":
            self.stream = True
            self.bulk: bool = message.part_code == TRANSFER
            self.way = frm << 32 | to | BULK if self.bulk else frm << 32 | to
        else:
            self.stream = self.bulk = False
            self.way = 0
        self.arrives_us = -1
        self.parked = False

    def fire(self) -> None:
        """Its last chunk arrives at the downlink now."""
        self.lines.arrive(self)


@final
class QueuedChunk:
    """A chunk that is not the last of its message, and the event that it arrives at the downlink."""

    __slots__ = ("left", "message", "stream")

    def __init__(self, message: QueuedMessage, size: int) -> None:
        self.message = message
        self.left = size
        self.stream = message.stream

    def fire(self) -> None:
        """It arrives at the downlink now."""
        self.message.lines.arrive_in_part(self)


Chunk: TypeAlias = QueuedMessage | QueuedChunk
"""An entry of a queue, of `left` bytes. In the queue of an uplink: a message. In that of a downlink: a chunk, and in
place of the last chunk its message."""


class Queue:
    """Chunks to one peer, their bytes, and the bytes that it may still send before it is the turn of the next queue."""

    __slots__ = ("chunks", "credit", "size")

    def __init__(self, credit: int) -> None:
        self.chunks: deque[Any] = deque()
        self.size = 0
        self.credit = credit


class AccessLink:
    """One direction of one peer's line. It takes one chunk after the other and keeps its own clock in nanoseconds. It
    is also the event that it is free for the next of the chunks that wait for it.

    `fresh` and `rest` are the keys of its queues in the order of their turns, those of `fresh` first; `free_ns` is when
    the chunk in service is through; `datagrams` the bytes of datagrams that wait; `armed` whether an event is set that
    serves the next chunk. `blocked` are queues whose window is full: they have no turn, and are not counted in
    `waiting`. `lone` is a chunk that waits alone, and `lone_key` the key of its queue, which is made when a second
    chunk comes (`unfold`): most chunks that wait at all wait alone. `sent`: bytes that an uplink has taken for each
    peer since the process of its owner started.
    """

    __slots__ = (
        "armed",
        "blocked",
        "chunk_bytes",
        "datagrams",
        "down",
        "free_ns",
        "fresh",
        "kbit_s",
        "lines",
        "lone",
        "lone_key",
        "queues",
        "rest",
        "sent",
        "waiting",
        "window",
    )

    def __init__(self, lines: Bandwidth, kbit_s: int, down: bool) -> None:
        self.lines = lines
        self.down = down
        self.set_rate(kbit_s)
        self.free_ns = 0
        self.lone: Chunk | None = None
        self.lone_key = 0
        self.queues: dict[int, Queue] = {}
        self.fresh: deque[int] = deque()
        self.rest: deque[int] = deque()
        self.blocked: dict[int, Queue] = {}
        self.waiting = 0
        self.datagrams = 0
        self.armed = False
        self.sent: dict[PeerId, int] = {}

    def fire(self) -> None:
        """It is free now."""
        self.armed = False
        if self.down:
            self.lines.serve_down(self)
        else:
            self.lines.serve_up(self)

    def set_rate(self, kbit_s: int) -> None:
        """Set the rate, from the next chunk on."""
        self.kbit_s = kbit_s
        # kbit/s * ns / 8,000,000 = bytes
        self.chunk_bytes = max(CHUNK_MIN, min(CHUNK_MAX, kbit_s * CHUNK_NS // 8_000_000))
        self.window = max(WINDOW_MIN, kbit_s * 125)

    def add(self, key: int, chunk: Chunk) -> None:
        """Add a chunk to its queue."""
        if self.lone is not None:
            self.unfold()
        queue = self.blocked.get(key)
        if queue is None:
            queue = self.queues.get(key)
            if queue is None:
                queue = self.queues[key] = Queue(self.chunk_bytes)
                self.fresh.append(key)
            self.waiting += 1
        queue.chunks.append(chunk)
        queue.size += chunk.left
        if not chunk.stream:
            self.datagrams += chunk.left

    def unfold(self) -> None:
        """Make the queue of the only chunk that waits."""
        chunk = self.lone
        if chunk is not None:
            self.lone = None
            if not chunk.stream:
                self.datagrams -= chunk.left
            self.add(self.lone_key, chunk)

    def next_key(self) -> int:
        """The key of the queue whose turn it is. There must be a waiting chunk."""
        while True:
            line = self.fresh or self.rest
            key = line[0]
            queue = self.queues[key]
            if not queue.chunks:
                # A fresh queue that is empty now is treated as any other for one turn: if it were fresh again with its
                # next message, a peer that sends one message at a time would always go first.
                line.popleft()
                if line is self.fresh:
                    self.rest.append(key)
                else:
                    del self.queues[key]
            elif queue.credit <= 0:
                queue.credit += self.chunk_bytes
                line.popleft()
                self.rest.append(key)
            else:
                return key

    def block(self, key: int) -> None:
        """The queue that just had its turn has a full window."""
        queue = self.queues.get(key)
        if queue is not None and queue.chunks:
            (self.fresh or self.rest).popleft()
            self.blocked[key] = self.queues.pop(key)
            self.waiting -= len(queue.chunks)
            self._clear_if_idle()

    def unblock(self, key: int) -> bool:
        """The window of a queue is not full any more. Returns whether it was blocked."""
        queue = self.blocked.pop(key, None)
        if queue is None:
            return False
        self.unfold()
        self.queues[key] = queue
        self.rest.append(key)
        self.waiting += len(queue.chunks)
        return True

    def empty(self, politely: bool) -> list[QueuedMessage]:
        """Remove and return the waiting messages, in the order of queues; with `politely`, transfers only."""
        self.unfold()
        lost: list[QueuedMessage] = []
        for queues in (self.queues, self.blocked):
            for key, queue in list(queues.items()):
                if politely and not key & 1:
                    continue
                for message in queue.chunks:
                    lost.append(message)
                    if not message.stream:
                        self.datagrams -= message.left
                if queues is self.queues:
                    self.waiting -= len(queue.chunks)
                else:
                    del queues[key]
                queue.chunks.clear()
                queue.size = 0
        self._clear_if_idle()
        return lost

    def _clear_if_idle(self) -> None:
        if not self.waiting:
            self.queues.clear()
            self.fresh.clear()
            self.rest.clear()

    def cut_stream(self, key: int) -> list[QueuedMessage]:
        """Remove and return the messages of a stream that wait in a queue; datagrams stay."""
        self.unfold()
        queue = self.queues.get(key) or self.blocked.get(key)
        if queue is None:
            return []
        gone = [message for message in queue.chunks if message.stream]
        if key in self.queues:
            self.waiting -= len(gone)
        queue.chunks = deque(message for message in queue.chunks if not message.stream)
        queue.size = sum(message.left for message in queue.chunks)
        self._clear_if_idle()
        return gone

    def queued(self, key: int) -> int:
        """Bytes that wait in a queue."""
        self.unfold()
        queue = self.queues.get(key) or self.blocked.get(key)
        return 0 if queue is None else queue.size

    def withdraw(self, key: int, message: Any) -> QueuedMessage | None:
        """Remove and return the last message of a queue that equals this one and of which nothing has been taken."""
        self.unfold()
        queue = self.queues.get(key) or self.blocked.get(key)
        if queue is None:
            return None
        chunks = queue.chunks
        for at in range(len(chunks) - 1, -1, -1):
            queued: QueuedMessage = chunks[at]
            if queued.left == queued.size and queued.envelope[1] == message:
                del chunks[at]
                queue.size -= queued.size
                if not queued.stream:
                    self.datagrams -= queued.size
                if key in self.queues:
                    self.waiting -= 1
                    self._clear_if_idle()
                return queued
        return None

    def take(self, queue: Queue, size: int) -> None:
        """So many bytes of the first chunk of a queue are in service now."""
        chunk = queue.chunks[0]
        queue.credit -= size
        queue.size -= size
        chunk.left -= size
        if not chunk.stream:
            self.datagrams -= size
        if not chunk.left:
            queue.chunks.popleft()
            self.waiting -= 1
            self._clear_if_idle()


DATAGRAMS_MAX = 212_992
"""Bytes of datagrams that wait at one access link: the usual buffer of a socket (Linux, net.core.wmem_default)."""


class BufferFull:
    """Event: the buffer was full for a datagram. It is dropped by an event, since its sender is still in `put`."""

    __slots__ = ("queued",)

    def __init__(self, queued: QueuedMessage) -> None:
        self.queued = queued

    def fire(self) -> None:
        self.queued.lines.lose(self.queued, "queue")


class ParkDue:
    """Event: messages wait at the uplink behind a stalled stream. It is an event, since their sender is still in `put`,
    and counts them as pending only after it."""

    __slots__ = ("bulk", "frm", "lines", "to")

    def __init__(self, lines: Bandwidth, frm: PeerId, to: PeerId, bulk: bool) -> None:
        self.lines = lines
        self.frm = frm
        self.to = to
        self.bulk = bulk

    def fire(self) -> None:
        self.lines.park_behind(self.frm, self.to, self.bulk)


class Path(FateOfEnvelopes, Protocol):
    """What is between two access links; implemented by `network.Network`."""

    held_links: HeldLinks

    def freeze(self, at_us: int, to: int, envelope: Envelope) -> None: ...


class Bandwidth:
    """The access links of all peers, and the messages in them."""

    def __init__(self, lines: Sequence[Line], kernel: Kernel, links: LinkModel, network: Path) -> None:
        self.kernel = kernel
        self.links = links
        self.network = network
        self.lines = lines
        self.factor = 1.0
        self.up = [AccessLink(self, line.up_kbit_s, down=False) for line in lines]
        self.down = [AccessLink(self, line.down_kbit_s, down=True) for line in lines]
        self.under_way: dict[int, QueuedMessage] = {}
        """Messages that are neither delivered nor in a bucket of the kernel, in the order of sending."""
        self.busy_streams: dict[int, int] = {}
        """How many messages of each stream (`LinkModel.stream_key`) are among these, transfers left out."""
        self.parked: dict[int, list[KernelTimer]] = {}
        """Notices that wait until these messages are through, by stream."""
        self.in_window: dict[int, int] = {}
        """Bytes of each stream between uplink and the end of the downlink, which the window limits."""
        self.stalled_bytes: dict[int, int] = {}
        """Bytes of each stream that wait in it, see `stalls`; they are in its window as well."""
        self._serial = 0

    def grow(self, lines: Sequence[Line]) -> None:
        """Access links of newcomers; their lines are known already."""
        self.up += [AccessLink(self, line.up_kbit_s, down=False) for line in lines]
        self.down += [AccessLink(self, line.down_kbit_s, down=True) for line in lines]

    def set_factor(self, factor: float) -> None:
        """From now on, rates are this many times those of the lines."""
        self.factor = factor
        for line, up, down in zip(self.lines, self.up, self.down, strict=True):
            up.unfold()
            down.unfold()
            up.set_rate(max(1, round(line.up_kbit_s * factor)))
            down.set_rate(max(1, round(line.down_kbit_s * factor)))

    # --- the path of a message ---------------------------------------------------------------------------

    def put(self, frm: PeerId, to: PeerId, envelope: Envelope) -> None:
        """A message is sent."""
        self._serial += 1
        queued = QueuedMessage(self, self._serial, frm, to, envelope)
        self.under_way[queued.serial] = queued
        link, size = self.up[frm], queued.size
        if not queued.stream:
            if link.datagrams + size > max(DATAGRAMS_MAX, size):
                self.kernel.at(self.kernel.now_us, BufferFull(queued))
                return
        elif not queued.bulk:
            busy = self.busy_streams
            busy[queued.way] = busy.get(queued.way, 0) + 1
        if link.armed or link.queues or link.blocked or self.stalled_bytes:
            key = to << 1 | queued.bulk
            link.add(key, queued)
            if self.stalled_bytes and key in link.blocked:
                self.kernel.at(self.kernel.now_us, ParkDue(self, frm, to, queued.bulk))
            if not link.armed:
                self._wake(link)
            return
        # Nothing waits, so no queue is needed.
        now_ns = self.kernel.now_us * 1_000
        if link.free_ns > now_ns:
            self._wait_alone(link, to << 1 | queued.bulk, queued)
        elif size <= link.chunk_bytes and size <= self.down[to].chunk_bytes:
            link.free_ns = now_ns
            self._take_whole(link, queued)
        else:
            link.add(to << 1 | queued.bulk, queued)
            link.free_ns = now_ns
            self.serve_up(link)

    def arrive(self, queued: QueuedMessage) -> None:
        """The last chunk of a message arrives at the downlink."""
        link = self.down[queued.to]
        if not (link.armed or link.queues):
            now_ns = self.kernel.now_us * 1_000
            if link.free_ns > now_ns:
                self._wait_alone(link, queued.frm << 1 | queued.bulk, queued)
                return
            size = queued.left
            link.free_ns = free_ns = now_ns + size * 8_000_000 // link.kbit_s
            if queued.stream:
                # `_free_window`, without a call where nobody waits for it.
                way, window = queued.way, self.in_window
                if window[way] > size or self.up[queued.frm].blocked:
                    self._free_window(queued, size)
                else:
                    del window[way]
            self._deliver(queued, -(-free_ns // 1_000))
        elif not queued.stream and link.datagrams + queued.left > max(DATAGRAMS_MAX, queued.left):
            self.lose(queued, "queue")
        else:
            link.add(queued.frm << 1 | queued.bulk, queued)
            self._wake(link)

    def arrive_in_part(self, chunk: QueuedChunk) -> None:
        """A chunk that is not the last of its message arrives at the downlink."""
        queued = chunk.message
        link = self.down[queued.to]
        if not (link.armed or link.queues):
            now_ns = self.kernel.now_us * 1_000
            if link.free_ns > now_ns:
                self._wait_alone(link, queued.frm << 1 | queued.bulk, chunk)
                return
            link.free_ns = now_ns + chunk.left * 8_000_000 // link.kbit_s
            if queued.stream:
                self._free_window(queued, chunk.left)
        elif queued.stream or link.datagrams + chunk.left <= max(DATAGRAMS_MAX, chunk.left):
            link.add(queued.frm << 1 | queued.bulk, chunk)
            self._wake(link)

    def _wait_alone(self, link: AccessLink, key: int, chunk: Chunk) -> None:
        """A chunk waits for a link at which nothing else does."""
        link.lone, link.lone_key = chunk, key
        if not chunk.stream:
            link.datagrams += chunk.left
        link.armed = True
        self.kernel.at(-(-link.free_ns // 1_000), link)

    def _wake(self, link: AccessLink) -> None:
        """Serve at once if the link is idle, else when it is free."""
        if link.armed:
            return
        now_ns = self.kernel.now_us * 1_000
        if link.free_ns <= now_ns:
            link.free_ns = now_ns
            if link.down:
                self.serve_down(link)
            else:
                self.serve_up(link)
        else:
            link.armed = True
            self.kernel.at(_us(link.free_ns), link)

    def serve_up(self, link: AccessLink) -> None:
        """Take chunks into service, as long as the link becomes free within this microsecond."""
        # The event comes at the first whole microsecond after the end of a chunk; the link's own clock (`free_ns`) goes
        # on from that end itself.
        queued = link.lone
        if queued.__class__ is QueuedMessage:
            if queued.left <= link.chunk_bytes and queued.left <= self.down[queued.to].chunk_bytes:
                link.lone = None
                if not queued.stream:
                    link.datagrams -= queued.left
                self._take_whole(link, queued)
                return
            link.unfold()
        kernel = self.kernel
        until_ns = kernel.now_us * 1_000
        downs, fresh, rest, queues = self.down, link.fresh, link.rest, link.queues
        while link.waiting and link.free_ns <= until_ns:
            # `next_key`, where the first queue has its turn, and `take`: both without a call.
            key = fresh[0] if fresh else rest[0]
            queue = queues[key]
            if not queue.chunks or queue.credit <= 0:
                key = link.next_key()
                queue = queues[key]
            queued = queue.chunks[0]
            to = queued.to
            size = queued.left
            if size > link.chunk_bytes:
                size = link.chunk_bytes
            if size > downs[to].chunk_bytes:
                size = downs[to].chunk_bytes
            queue.credit -= size
            queue.size -= size
            queued.left -= size
            if not queued.stream:
                link.datagrams -= size
            if not queued.left:
                queue.chunks.popleft()
                link.waiting -= 1
                if not link.waiting:
                    queues.clear()
                    fresh.clear()
                    rest.clear()
            link.free_ns = free_ns = link.free_ns + size * 8_000_000 // link.kbit_s
            link.sent[to] = link.sent.get(to, 0) + size
            if queued.stream:
                way = queued.way
                self.in_window[way] = in_window = self.in_window.get(way, 0) + size
                if self.stalled_bytes:
                    in_window += self.stalled_bytes.get(way, 0)
                if in_window >= downs[to].window:
                    link.block(key)
                    if self.stalled_bytes:
                        kernel.at(kernel.now_us, ParkDue(self, queued.frm, queued.to, queued.bulk))
            if queued.left:
                at_us = -(-free_ns // 1_000) + self.links.delay_us(queued.frm, to)
                kernel.at(at_us, QueuedChunk(queued, size))
            else:
                queued.left = size
                self._send_last(queued, -(-free_ns // 1_000))
        if link.waiting:
            link.armed = True
            kernel.at(_us(link.free_ns), link)

    def _take_whole(self, link: AccessLink, queued: QueuedMessage) -> None:
        """An uplink at which nothing else waits takes a message that is one chunk."""
        size = queued.left
        link.free_ns = free_ns = link.free_ns + size * 8_000_000 // link.kbit_s
        sent, to = link.sent, queued.to
        sent[to] = sent.get(to, 0) + size
        if queued.stream:
            # Nothing waits, so there is no queue to block even if the window is full now.
            window = self.in_window
            window[queued.way] = window.get(queued.way, 0) + size
        self._send_last(queued, -(-free_ns // 1_000))

    def serve_down(self, link: AccessLink) -> None:
        """Take chunks into service at a downlink, as long as it becomes free within this microsecond."""
        chunk = link.lone
        if chunk is not None:
            link.lone = None
            size = chunk.left
            link.free_ns = free_ns = link.free_ns + size * 8_000_000 // link.kbit_s
            if not chunk.stream:
                link.datagrams -= size
            self._taken(chunk, size, free_ns)
            return
        kernel = self.kernel
        until_ns = kernel.now_us * 1_000
        while link.waiting and link.free_ns <= until_ns:
            queue = link.queues[link.next_key()]
            chunk = queue.chunks[0]
            size = chunk.left
            link.take(queue, size)
            link.free_ns = free_ns = link.free_ns + size * 8_000_000 // link.kbit_s
            self._taken(chunk, size, free_ns)
        if link.waiting:
            link.armed = True
            kernel.at(_us(link.free_ns), link)

    def _taken(self, chunk: Chunk, size: int, free_ns: int) -> None:
        """A downlink has begun with a chunk, which will be through at `free_ns`."""
        if type(chunk) is QueuedChunk:
            if chunk.stream:
                self._free_window(chunk.message, size)
        else:
            if chunk.stream:
                self._free_window(chunk, size)
            self._deliver(chunk, -(-free_ns // 1_000))

    def _send_last(self, queued: QueuedMessage, from_us: int) -> None:
        """The uplink has taken the last chunk of a message at that time. Loss, jitter and holds act on the last chunk,
        for the whole message."""
        links = self.links
        if links.loss or links.jitter_us:
            at_us, _, reason, held = self.network.fate(queued.to, queued.envelope, from_us, queued.bulk)
            if reason:
                queued.arrives_us = at_us
                del self.under_way[queued.serial]
                self._post(at_us, -1 - queued.to, queued.envelope, held)
                if queued.stream:
                    self._free_window(queued, queued.left)
                    self._stream_moved(queued, at_us)
                return
        else:
            # As `Network.fate`: a held link stops a message at the end of its way.
            at_us = from_us + links.delay_us(queued.frm, queued.to)
            if queued.stream:
                last, way = links.last, queued.way
                last_us = last.get(way, 0)
                if last_us > at_us:
                    at_us = last_us
                last[way] = at_us
        queued.arrives_us = at_us
        self.kernel.at(at_us, queued)

    def _free_window(self, queued: QueuedMessage, size: int) -> None:
        """A downlink has taken so many bytes of a stream: as many more fit into its window."""
        way = queued.way
        in_window = self.in_window[way] - size
        if in_window:
            self.in_window[way] = in_window
        else:
            del self.in_window[way]
        if self.up[queued.frm].blocked:
            self._open_window(queued.frm, queued.to, queued.bulk)

    def _open_window(self, frm: PeerId, to: PeerId, bulk: bool) -> None:
        """Go on with a stream whose window is not full any more."""
        way = self.links.stream_key(frm, to, bulk)
        link, key = self.up[frm], to << 1 | bulk
        if self.in_window.get(way, 0) + self.stalled_bytes.get(way, 0) < self.down[to].window and link.unblock(key):
            for queued in link.queues[key].chunks:
                self._unpark(queued)
            self._wake(link)

    # --- stalled streams --------------------------------------------------------------------------------------

    def stalled(self, frm: PeerId, to: PeerId, bulk: bool, size: int) -> None:
        """So many bytes more (or fewer, if negative) of a stream are stalled: its window is that much smaller."""
        way = self.links.stream_key(frm, to, bulk)
        waits = self.stalled_bytes.get(way, 0) + size
        if waits:
            self.stalled_bytes[way] = waits
            self.park_behind(frm, to, bulk)
        else:
            self.stalled_bytes.pop(way, None)
            self._open_window(frm, to, bulk)

    def park_behind(self, frm: PeerId, to: PeerId, bulk: bool) -> None:
        """What waits at the uplink behind a stalled stream keeps no ask open."""
        queue = self.up[frm].blocked.get(to << 1 | bulk)
        if queue is None or self.links.stream_key(frm, to, bulk) not in self.stalled_bytes:
            return
        for queued in reversed(queue.chunks):
            if queued.parked:
                break
            queued.parked = True
            self.kernel.release(queued.envelope[4])
            queued.envelope = (*queued.envelope[:4], self.kernel.no_envelope[4], queued.envelope[5])

    def _unpark(self, queued: QueuedMessage) -> None:
        if queued.parked:
            queued.parked = False
            queued.envelope = self.kernel.owner.resume(queued.envelope)

    def broken(self, frm: PeerId, to: PeerId, reason: str) -> None:
        """A stream broke: drop what waits for it at the uplink."""
        for bulk in (False, True):
            for queued in self.up[frm].cut_stream(to << 1 | bulk):
                self.lose(queued, reason)
            self._open_window(frm, to, bulk)

    def _deliver(self, queued: QueuedMessage, at_us: int) -> None:
        del self.under_way[queued.serial]
        held = self.network.held_links
        if held.active and held.holds(queued.frm, queued.to):
            self.network.freeze(at_us, queued.to, queued.envelope)
        else:
            # `kernel.post`, inlined.
            kernel = self.kernel
            bucket = kernel.messages.get(at_us)
            if bucket is None:
                kernel.messages[at_us] = [queued.to, queued.envelope]
                heappush(kernel.instants, at_us)
            else:
                bucket.append(queued.to)
                bucket.append(queued.envelope)
        if queued.stream and not queued.bulk:
            way, last = queued.way, self.links.last
            if at_us > last.get(way, 0):
                last[way] = at_us
            busy = self.busy_streams
            if busy[way] > 1:
                busy[way] -= 1
            else:
                self._stream_moved(queued, at_us)

    def _post(self, at_us: int, to: int, envelope: Envelope, held: bool) -> None:
        if held:
            self.network.freeze(at_us, to, envelope)
        else:
            self.kernel.post(at_us, to, envelope)

    def lose(self, queued: QueuedMessage, reason: str) -> None:
        del self.under_way[queued.serial]
        self._unpark(queued)
        self.kernel.owner.drop(queued.to, queued.envelope, reason)
        self.kernel.release(queued.envelope[4])
        self._stream_moved(queued, self.kernel.now_us)

    # --- ends -----------------------------------------------------------------------------------------------

    def _stream_moved(self, queued: QueuedMessage, at_us: int) -> None:
        """A message of a stream has been delivered or dropped: send the notices that waited for it."""
        if not queued.stream or queued.bulk:
            return
        way = queued.way
        self.busy_streams[way] -= 1
        if not self.busy_streams[way]:
            del self.busy_streams[way]
            for notice in self.parked.pop(way, ()):
                self.kernel.arm(at_us, notice)
                self.kernel.release(notice.record)

    def park(self, frm: PeerId, to: PeerId, notice: KernelTimer) -> bool:
        """Keep a notice while messages that it has to follow are under way. Returns whether it was kept."""
        way = self.links.stream_key(frm, to, False)
        if way not in self.busy_streams:
            return False
        notice.record.pending += 1
        self.parked.setdefault(way, []).append(notice)
        return True

    def died(self, peer: PeerId, politely: bool) -> None:
        """A process ends: drop its unsent messages; of one that leaves politely, its transfers only."""
        self.up[peer].sent.clear()
        for queued in self.up[peer].empty(politely):
            self.lose(queued, "unsent")

    # --- what a sender may know and do ----------------------------------------------------------------------

    def queued(self, frm: PeerId, to: PeerId) -> int:
        """Bytes from one peer to another that wait for the uplink."""
        link = self.up[frm]
        return link.queued(to << 1) + link.queued(to << 1 | 1)

    def sent(self, frm: PeerId, to: PeerId) -> int:
        """Bytes from one peer to another that the uplink has taken since the process of the first started."""
        return self.up[frm].sent.get(to, 0)

    def withdraw(self, frm: PeerId, to: PeerId, message: Any) -> bool:
        """Drop the last equal message that the uplink has not begun with. Returns whether there was one."""
        link = self.up[frm]
        bulk = message.part_code == TRANSFER and message.over == "stream"
        # The part of a message may be another than that of its class.
        for key in (to << 1 | bulk, to << 1 | (not bulk)):
            queued = link.withdraw(key, message)
            if queued is not None:
                self.lose(queued, "withdrawn")
                return True
        return False

    # --- views --------------------------------------------------------------------------------------------

    def rows(self) -> Iterator[tuple[int, PeerId, Envelope]]:
        """(about when it arrives, us; receiver; envelope) of each message at the access links, as if it had them to
        itself."""
        now = self.kernel.now_us
        for queued in self.under_way.values():
            if queued.arrives_us < 0:
                up = self.up[queued.frm]
                at = max(now, _us(up.free_ns)) + queued.left * 8_000 // up.kbit_s
                at += self.links.delay_us(queued.frm, queued.to)
            else:
                at = max(queued.arrives_us, now, _us(self.down[queued.to].free_ns))
            yield at + 1, queued.to, queued.envelope


def _us(ns: int) -> int:
    """The first whole microsecond that is not before a time in ns."""
    return -(-ns // 1_000)
