"""Access links as `engine.sim.bandwidth` defines them, without its short paths: each chunk is in a queue, and each step
is an event. `test_line_model.py` compares the access links of the engine with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from engine.api import Line, PeerId
from engine.sim.hold import HeldLinks
from engine.sim.kernel import Envelope, FateOfEnvelopes, Kernel, KernelTimer
from engine.sim.links import LinkModel

CHUNK_NS = 50_000_000
CHUNK_MIN = 1_500
CHUNK_MAX = 65_536
WINDOW_MIN = 65_536
SIZE_MASK = (1 << 32) - 1
TRANSFER = 2


class QueuedMessage:
    """A message under way. `bulk`: a transfer over a stream; `arrives_us`: when its last chunk arrives, once that is
    known; `parked`: it waits behind a stalled stream and keeps no ask open, its envelope has no record."""

    __slots__ = ("arrives_us", "bulk", "envelope", "frm", "left", "parked", "serial", "size", "stream", "to")

    def __init__(self, serial: int, frm: PeerId, to: PeerId, envelope: Envelope) -> None:
        self.serial = serial
        self.frm = frm
        self.to = to
        self.envelope = envelope
        self.size = self.left = envelope[5] & SIZE_MASK
        self.stream: bool = envelope[1].over == "stream"
        self.bulk: bool = self.stream and envelope[1].part_code == TRANSFER
        self.arrives_us = -1
        self.parked = False


class QueuedChunk:
    """What one access link has to take of a message: so many bytes, `last` if they are its last."""

    __slots__ = ("last", "left", "queued")

    def __init__(self, queued: QueuedMessage, left: int, last: bool) -> None:
        self.queued = queued
        self.left = left
        self.last = last


class Queue:
    """Chunks to one peer, and the bytes that it may still send in its turn."""

    __slots__ = ("chunks", "credit")

    def __init__(self, credit: int) -> None:
        self.chunks: deque[QueuedChunk] = deque()
        self.credit = credit


class AccessLink:
    """One direction of one peer's line. It takes one chunk after the other and keeps its own clock in nanoseconds.

    `fresh` and `rest` are the keys of its queues, in turn; `free_ns` is when the chunk in service is through;
    `datagrams` the bytes of datagrams that wait; `armed` whether a timer serves the next. `blocked` are queues whose
    window is full: they have no turn, and are not counted in `waiting`.
    """

    __slots__ = (
        "armed",
        "blocked",
        "chunk_bytes",
        "datagrams",
        "free_ns",
        "fresh",
        "kbit_s",
        "queues",
        "rest",
        "waiting",
        "window",
    )

    def __init__(self, kbit_s: int) -> None:
        self.set_rate(kbit_s)
        self.free_ns = 0
        self.queues: dict[int, Queue] = {}
        self.fresh: deque[int] = deque()
        self.rest: deque[int] = deque()
        self.blocked: dict[int, Queue] = {}
        self.waiting = 0
        self.datagrams = 0
        self.armed = False

    def set_rate(self, kbit_s: int) -> None:
        """Set the rate, from the next chunk on."""
        self.kbit_s = kbit_s
        # kbit/s * ns / 8,000,000 = bytes
        self.chunk_bytes = max(CHUNK_MIN, min(CHUNK_MAX, kbit_s * CHUNK_NS // 8_000_000))
        self.window = max(WINDOW_MIN, kbit_s * 125)

    def add(self, key: int, chunk: QueuedChunk) -> None:
        """Add a chunk to its queue."""
        queue = self.blocked.get(key)
        if queue is None:
            queue = self.queues.get(key)
            if queue is None:
                queue = self.queues[key] = Queue(self.chunk_bytes)
                self.fresh.append(key)
            self.waiting += 1
        queue.chunks.append(chunk)
        if not chunk.queued.stream:
            self.datagrams += chunk.left

    def next_key(self) -> int:
        """The key of the queue whose turn it is. There must be a waiting chunk."""
        while True:
            line = self.fresh or self.rest
            key = line[0]
            queue = self.queues[key]
            if not queue.chunks:
                # A fresh queue that ran empty takes one turn as any other: were it fresh again with its next message, a
                # peer that sends one at a time would always go first.
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
        self.queues[key] = queue
        self.rest.append(key)
        self.waiting += len(queue.chunks)
        return True

    def empty(self, politely: bool) -> list[QueuedMessage]:
        """Remove and return the waiting messages, in the order of queues; with `politely`, transfers only."""
        lost: list[QueuedMessage] = []
        for queues in (self.queues, self.blocked):
            for key, queue in list(queues.items()):
                if politely and not key & 1:
                    continue
                for chunk in queue.chunks:
                    lost.append(chunk.queued)
                    if not chunk.queued.stream:
                        self.datagrams -= chunk.left
                if queues is self.queues:
                    self.waiting -= len(queue.chunks)
                else:
                    del queues[key]
                queue.chunks.clear()
        self._clear_if_idle()
        return lost

    def _clear_if_idle(self) -> None:
        if not self.waiting:
            self.queues.clear()
            self.fresh.clear()
            self.rest.clear()

    def cut_stream(self, key: int) -> list[QueuedMessage]:
        """Remove and return the messages of a stream that wait in a queue; datagrams stay."""
        queue = self.queues.get(key) or self.blocked.get(key)
        if queue is None:
            return []
        gone = [chunk.queued for chunk in queue.chunks if chunk.queued.stream]
        if key in self.queues:
            self.waiting -= len(gone)
        queue.chunks = deque(chunk for chunk in queue.chunks if not chunk.queued.stream)
        self._clear_if_idle()
        return gone

    def take(self, queue: Queue, size: int) -> None:
        """So many bytes of the first chunk of a queue are in service now."""
        chunk = queue.chunks[0]
        queue.credit -= size
        chunk.left -= size
        if not chunk.queued.stream:
            self.datagrams -= size
        if not chunk.left:
            queue.chunks.popleft()
            self.waiting -= 1
            self._clear_if_idle()


DATAGRAMS_MAX = 212_992
"""Bytes of datagrams that wait at one access link: the usual buffer of a socket (Linux, net.core.wmem_default)."""


class LinkFree:
    """Tick: an access link has taken a chunk, and more waits for it."""

    __slots__ = ("down", "peer")

    def __init__(self, peer: PeerId, down: bool) -> None:
        self.peer = peer
        self.down = down


class ChunkArrived:
    """Tick: a chunk has arrived at the downlink of its receiver."""

    __slots__ = ("chunk",)

    def __init__(self, chunk: QueuedChunk) -> None:
        self.chunk = chunk


class BufferFull:
    """Tick: the buffer was full for a datagram. It is dropped by a timer, since its sender is still in `put`."""

    __slots__ = ("queued",)

    def __init__(self, queued: QueuedMessage) -> None:
        self.queued = queued


class ParkDue:
    """Tick: messages wait at the uplink behind a stalled stream. A tick, since their sender is still in `put`, and
    what they keep open is counted after it."""

    __slots__ = ("bulk", "frm", "to")

    def __init__(self, frm: PeerId, to: PeerId, bulk: bool) -> None:
        self.frm = frm
        self.to = to
        self.bulk = bulk


class Path(FateOfEnvelopes, Protocol):
    """What is between two access links; implemented by `network.Network`."""

    held_links: HeldLinks

    def freeze(self, at_us: int, to: int, envelope: Envelope) -> None: ...


class ReferenceEvent:
    """A tick that is due."""

    def __init__(self, model: ReferenceBandwidth, tick: Any) -> None:
        self.model = model
        self.tick = tick

    def fire(self) -> None:
        self.model.fire(self.tick)


class ReferenceBandwidth:
    """The access links of all peers, and the messages in them."""

    def __init__(self, lines: Sequence[Line], kernel: Kernel, links: LinkModel, network: Path) -> None:
        self.kernel = kernel
        self.links = links
        self.network = network
        self.lines = lines
        self.factor = 1.0
        self.up = [AccessLink(line.up_kbit_s) for line in lines]
        self.down = [AccessLink(line.down_kbit_s) for line in lines]
        self.under_way: dict[int, QueuedMessage] = {}
        """Messages that are neither delivered nor in a bucket of the kernel, in the order of sending."""
        self.busy_streams: dict[tuple[PeerId, PeerId], int] = {}
        """How many messages of the stream from one peer to another are among these, transfers left out."""
        self.parked: dict[tuple[PeerId, PeerId], list[KernelTimer]] = {}
        """Notices that follow them."""
        self.in_window: dict[tuple[PeerId, PeerId, bool], int] = {}
        """Bytes of each stream between uplink and the end of the downlink, which the window limits."""
        self.stalled_bytes: dict[tuple[PeerId, PeerId, bool], int] = {}
        """Bytes of each stream that wait in it, see `stalls`; they are in its window as well."""
        self._serial = 0

    def grow(self, lines: Sequence[Line]) -> None:
        """Access links of newcomers; their lines are known already."""
        self.up += [AccessLink(line.up_kbit_s) for line in lines]
        self.down += [AccessLink(line.down_kbit_s) for line in lines]

    def set_factor(self, factor: float) -> None:
        """From now on, rates are this many times those of the lines."""
        self.factor = factor
        for line, up, down in zip(self.lines, self.up, self.down, strict=True):
            up.set_rate(max(1, round(line.up_kbit_s * factor)))
            down.set_rate(max(1, round(line.down_kbit_s * factor)))

    # --- the path of a message ---------------------------------------------------------------------------

    def put(self, frm: PeerId, to: PeerId, envelope: Envelope) -> None:
        """A message is sent."""
        self._serial += 1
        queued = QueuedMessage(self._serial, frm, to, envelope)
        self.under_way[queued.serial] = queued
        link = self.up[frm]
        if not queued.stream and link.datagrams + queued.size > max(DATAGRAMS_MAX, queued.size):
            self._at(self.kernel.now_us, BufferFull(queued))
            return
        if queued.stream and not queued.bulk:
            self.busy_streams[frm, to] = self.busy_streams.get((frm, to), 0) + 1
        key = to << 1 | queued.bulk
        link.add(key, QueuedChunk(queued, queued.size, True))
        if self.stalled_bytes and key in link.blocked:
            self._at(self.kernel.now_us, ParkDue(frm, to, queued.bulk))
        self._wake(link, frm, down=False)

    def fire(self, tick: Any) -> None:
        """Handle a tick."""
        kind = tick.__class__
        if kind is LinkFree:
            link = (self.down if tick.down else self.up)[tick.peer]
            link.armed = False
            if link.waiting:
                self._serve(link, tick.peer, tick.down)
        elif kind is ChunkArrived:
            chunk: QueuedChunk = tick.chunk
            queued = chunk.queued
            link = self.down[queued.to]
            if not queued.stream and link.datagrams + chunk.left > max(DATAGRAMS_MAX, chunk.left):
                if chunk.last:
                    self._lose(queued, "queue")
                return
            link.add(queued.frm << 1 | queued.bulk, chunk)
            self._wake(link, queued.to, down=True)
        elif kind is ParkDue:
            self._park(tick.frm, tick.to, tick.bulk)
        else:
            self._lose(tick.queued, "queue")

    def _at(self, at_us: int, tick: Any) -> None:
        self.kernel.at(at_us, ReferenceEvent(self, tick))

    def _wake(self, link: AccessLink, peer: PeerId, down: bool) -> None:
        """Serve at once if the link is idle, else when it is free."""
        if link.armed:
            return
        now_ns = self.kernel.now_us * 1_000
        if link.free_ns <= now_ns:
            link.free_ns = now_ns
            self._serve(link, peer, down)
        else:
            link.armed = True
            self._at(_us(link.free_ns), LinkFree(peer, down))

    def _serve(self, link: AccessLink, peer: PeerId, down: bool) -> None:
        """Begin with chunks, for as long as the link is free within this microsecond."""
        # An event is due at the whole microsecond after the end of a chunk. The link itself went on at its end.
        until_ns = self.kernel.now_us * 1_000
        while link.waiting and link.free_ns <= until_ns:
            key = link.next_key()
            queue = link.queues[key]
            chunk = queue.chunks[0]
            queued = chunk.queued
            size = chunk.left if down else min(chunk.left, link.chunk_bytes, self.down[queued.to].chunk_bytes)
            link.take(queue, size)
            if not down:
                queued.left = chunk.left
            link.free_ns += size * 8_000_000 // link.kbit_s
            last = chunk.last and not chunk.left
            if down:
                if queued.stream:
                    self._free_window(queued, size)
                if last:
                    self._deliver(queued, _us(link.free_ns))
            else:
                if queued.stream:
                    way = (queued.frm, queued.to, queued.bulk)
                    self.in_window[way] = bytes_in_window = self.in_window.get(way, 0) + size
                    if bytes_in_window + self.stalled_bytes.get(way, 0) >= self.down[queued.to].window:
                        link.block(key)
                        if self.stalled_bytes:
                            self._at(self.kernel.now_us, ParkDue(*way))
                self._send_chunk(queued, size, last, _us(link.free_ns))
        if link.waiting:
            link.armed = True
            self._at(_us(link.free_ns), LinkFree(peer, down))

    def _send_chunk(self, queued: QueuedMessage, size: int, last: bool, from_us: int) -> None:
        """The uplink has taken a chunk at that time. Loss, jitter and holds act on the last chunk of a message."""
        if not last:
            self._at(
                from_us + self.links.delay_us(queued.frm, queued.to), ChunkArrived(QueuedChunk(queued, size, False))
            )
            return
        at_us, _, reason, held = self.network.fate(queued.to, queued.envelope, from_us, queued.bulk)
        queued.arrives_us = at_us
        if reason:
            del self.under_way[queued.serial]
            self._post(at_us, -1 - queued.to, queued.envelope, held)
            if queued.stream:
                self._free_window(queued, size)
                self._stream_moved(queued, at_us)
        else:
            self._at(at_us, ChunkArrived(QueuedChunk(queued, size, True)))

    def _free_window(self, queued: QueuedMessage, size: int) -> None:
        """A downlink has taken so many bytes of a stream: its window is free for as many."""
        way = (queued.frm, queued.to, queued.bulk)
        bytes_in_window = self.in_window[way] - size
        if bytes_in_window:
            self.in_window[way] = bytes_in_window
        else:
            del self.in_window[way]
        self._open_window(*way)

    def _open_window(self, frm: PeerId, to: PeerId, bulk: bool) -> None:
        """Go on with a stream whose window is not full any more."""
        way = (frm, to, bulk)
        link, key = self.up[frm], to << 1 | bulk
        if self.in_window.get(way, 0) + self.stalled_bytes.get(way, 0) < self.down[to].window and link.unblock(key):
            for chunk in link.queues[key].chunks:
                self._unpark(chunk.queued)
            self._wake(link, frm, down=False)

    # --- stalled streams --------------------------------------------------------------------------------------

    def stalled(self, frm: PeerId, to: PeerId, bulk: bool, size: int) -> None:
        """So many bytes more of a stream wait in it, or less: its window is that much smaller."""
        way = (frm, to, bulk)
        waits = self.stalled_bytes.get(way, 0) + size
        if waits:
            self.stalled_bytes[way] = waits
            self._park(frm, to, bulk)
        else:
            self.stalled_bytes.pop(way, None)
            self._open_window(frm, to, bulk)

    def _park(self, frm: PeerId, to: PeerId, bulk: bool) -> None:
        """What waits at the uplink behind a stalled stream keeps no ask open."""
        queue = self.up[frm].blocked.get(to << 1 | bulk)
        if queue is None or (frm, to, bulk) not in self.stalled_bytes:
            return
        for chunk in reversed(queue.chunks):
            queued = chunk.queued
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
                self._lose(queued, reason)
            self._open_window(frm, to, bulk)

    def _deliver(self, queued: QueuedMessage, at_us: int) -> None:
        del self.under_way[queued.serial]
        held = self.network.held_links
        self._post(at_us, queued.to, queued.envelope, held.active and held.holds(queued.frm, queued.to))
        if queued.stream and not queued.bulk:
            self.links.keep_order(queued.frm, queued.to, at_us)
        self._stream_moved(queued, at_us)

    def _post(self, at_us: int, to: int, envelope: Envelope, held: bool) -> None:
        if held:
            self.network.freeze(at_us, to, envelope)
        else:
            self.kernel.post(at_us, to, envelope)

    def _lose(self, queued: QueuedMessage, reason: str) -> None:
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
        way = (queued.frm, queued.to)
        self.busy_streams[way] -= 1
        if not self.busy_streams[way]:
            del self.busy_streams[way]
            for notice in self.parked.pop(way, ()):
                self.kernel.arm(at_us, notice)
                self.kernel.release(notice.record)

    def park(self, frm: PeerId, to: PeerId, notice: KernelTimer) -> bool:
        """Keep a notice while messages that it has to follow are under way. Returns whether it was kept."""
        if (frm, to) not in self.busy_streams:
            return False
        notice.record.pending += 1
        self.parked.setdefault((frm, to), []).append(notice)
        return True

    def died(self, peer: PeerId, politely: bool) -> None:
        """A process ends: drop its unsent messages; of one that leaves politely, its transfers only."""
        for queued in self.up[peer].empty(politely):
            self._lose(queued, "unsent")

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
