"""Lines with a capacity: what is sent waits for the sender's uplink, flies, and waits for the receiver's downlink.

Every message is cut into chunks; a chunk in service is never interrupted, and each wire serves its flows by turns:
deficit round robin by bytes, and a flow that was silent goes first, once (fq_codel, RFC 8290 section 4, without the
dropping). A flow is what goes to (on a downlink: comes from) one peer, transfers and all else apart. That is how two
transfers share a wire half and half however their messages are cut, how a query that finds a file in its way waits
for the chunk in service and no longer, and how queries in any number cannot starve a file either; strict priority
would have let them.

Transfers flow apart from control messages of the same pair because they are apart: Gnutella fetches over HTTP and
Napster over a data port, on a connection of their own. So a stream keeps its order among messages of part `transfer`,
and among all others, and that the two may overtake each other is the point. A chunk is what takes the slower of the two
wires 50 ms, but no less than a packet of 1,500 bytes and no more than 64 KiB: so a busy wire costs some 20 events
a second whatever its speed, and a small chunk costs no precision, since a wire keeps its own clock in nanoseconds.
Chunks follow each other from uplink to downlink, so a file is sent and received at the same time, at the slower rate.

A stream has a window, as TCP has: no more than a second's worth of the receiver's downlink, or 64 KiB, is on the way
and not yet taken by it. Without one, whatever a fast server sends would at once be the problem of a slow receiver,
would outlive the server, and would stand in front of its own next word for hours. Whatever does not fit waits at the
sender, without limit, as its program would be made to; a queue that grows and grows is what a flood over modems looks
like. Datagrams are nobody's to hold back: beyond the buffer of a socket they are dropped, reason `queue`.

What waits is in flight: it is sent, neither delivered nor dropped, and its ask is open. It dies with its sender,
reason `unsent`, but for the chunk in service; a peer that leaves politely still gets out what it said, not the rest of
its uploads. On a downlink it is out of the sender's hands. Delivery itself is the kernel's: the last chunk that a
downlink has taken puts the message into a bucket like any other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..api import Line, PeerId
from .kernel import Envelope, Kernel, Timer

if TYPE_CHECKING:
    from .links import Links

# One direction of a line, and whose turn it is on it.
#
# A wire takes one chunk after the other, never interrupts one, and keeps its own clock in nanoseconds, so that small
# chunks cost no precision. Its flows take turns by bytes: see `bandwidth`, which knows what flows there are and what becomes
# of a chunk.

CHUNK_NS = 50_000_000
CHUNK_LEAST = 1_500
CHUNK_MOST = 65_536
WINDOW_LEAST = 65_536
SIZE_MASK = (1 << 32) - 1
TRANSFER = 2


class Item:
    """A message under way. `bulk`: a transfer; `lands_us`: when its last chunk arrives, once that is known."""

    __slots__ = ("bulk", "envelope", "frm", "lands_us", "left", "serial", "size", "stream", "to")

    def __init__(self, serial: int, frm: PeerId, to: PeerId, envelope: Envelope) -> None:
        self.serial = serial
        self.frm = frm
        self.to = to
        self.envelope = envelope
        self.size = self.left = envelope[5] & SIZE_MASK
        self.stream: bool = envelope[1].over == "stream"
        self.bulk: bool = envelope[1].part_code == TRANSFER
        self.lands_us = -1


class Piece:
    """What one wire has to take of a message: so many bytes, `last` if they are its last."""

    __slots__ = ("item", "last", "left")

    def __init__(self, item: Item, left: int, last: bool) -> None:
        self.item = item
        self.left = left
        self.last = last


class Flow:
    """Pieces of one flow, and the bytes that it may still send before it is another's turn."""

    __slots__ = ("credit", "pieces")

    def __init__(self, credit: int) -> None:
        self.pieces: deque[Piece] = deque()
        self.credit = credit


class Wire:
    """One direction of one peer's line. `fresh` and `rest` are the keys of its flows, in turn; `free_ns` is when the
    chunk in service is through; `datagrams` the bytes of such that wait; `set` whether an event serves the next.
    `stuck` are flows whose window is full: they have no turn, and are not counted in `waiting`."""

    __slots__ = (
        "chunk",
        "datagrams",
        "flows",
        "free_ns",
        "fresh",
        "kbit_s",
        "rest",
        "set",
        "stuck",
        "waiting",
        "window",
    )

    def __init__(self, kbit_s: int) -> None:
        self.rate(kbit_s)
        self.free_ns = 0
        self.flows: dict[int, Flow] = {}
        self.fresh: deque[int] = deque()
        self.rest: deque[int] = deque()
        self.stuck: dict[int, Flow] = {}
        self.waiting = 0
        self.datagrams = 0
        self.set = False

    def rate(self, kbit_s: int) -> None:
        """From the next chunk on."""
        self.kbit_s = kbit_s
        # kbit/s * ns / 8,000,000 = bytes
        self.chunk = max(CHUNK_LEAST, min(CHUNK_MOST, kbit_s * CHUNK_NS // 8_000_000))
        self.window = max(WINDOW_LEAST, kbit_s * 125)

    def add(self, key: int, piece: Piece) -> None:
        """One more piece waits."""
        flow = self.stuck.get(key)
        if flow is None:
            flow = self.flows.get(key)
            if flow is None:
                flow = self.flows[key] = Flow(self.chunk)
                self.fresh.append(key)
            self.waiting += 1
        flow.pieces.append(piece)
        if not piece.item.stream:
            self.datagrams += piece.left

    def turn(self) -> int:
        """The key of the flow whose turn it is: the head of its line. Something waits."""
        while True:
            line = self.fresh or self.rest
            key = line[0]
            flow = self.flows[key]
            if not flow.pieces:
                # A fresh flow that ran dry queues up once as any other: were it fresh again with its next message, a
                # peer that sends one at a time would always go first.
                line.popleft()
                if line is self.fresh:
                    self.rest.append(key)
                else:
                    del self.flows[key]
            elif flow.credit <= 0:
                flow.credit += self.chunk
                line.popleft()
                self.rest.append(key)
            else:
                return key

    def stick(self, key: int) -> None:
        """The flow that just had its turn has a full window."""
        flow = self.flows.get(key)
        if flow is not None and flow.pieces:
            (self.fresh or self.rest).popleft()
            self.stuck[key] = self.flows.pop(key)
            self.waiting -= len(flow.pieces)
            self._rest_if_idle()

    def loosen(self, key: int) -> bool:
        """There is room in the window of a flow again. Says whether it was stuck."""
        flow = self.stuck.pop(key, None)
        if flow is None:
            return False
        self.flows[key] = flow
        self.rest.append(key)
        self.waiting += len(flow.pieces)
        return True

    def empty(self, politely: bool) -> list[Item]:
        """Take out what waits, in the order of flows; politely, transfers alone. Returns it."""
        lost: list[Item] = []
        for flows in (self.flows, self.stuck):
            for key, flow in list(flows.items()):
                if politely and not key & 1:
                    continue
                for piece in flow.pieces:
                    lost.append(piece.item)
                    if not piece.item.stream:
                        self.datagrams -= piece.left
                if flows is self.flows:
                    self.waiting -= len(flow.pieces)
                else:
                    del flows[key]
                flow.pieces.clear()
        self._rest_if_idle()
        return lost

    def _rest_if_idle(self) -> None:
        if not self.waiting:
            self.flows.clear()
            self.fresh.clear()
            self.rest.clear()

    def took(self, flow: Flow, size: int) -> None:
        """So much of the piece at the head of a flow goes through now."""
        piece = flow.pieces[0]
        flow.credit -= size
        piece.left -= size
        if not piece.item.stream:
            self.datagrams -= size
        if not piece.left:
            flow.pieces.popleft()
            self.waiting -= 1
            self._rest_if_idle()


DATAGRAMS_MOST = 212_992
"""Bytes of datagrams that wait at one wire: the usual buffer of a socket (Linux, net.core.wmem_default)."""


class Served:
    """Tick: a wire has taken a chunk, and more waits for it."""

    __slots__ = ("down", "peer")

    def __init__(self, peer: PeerId, down: bool) -> None:
        self.peer = peer
        self.down = down


class Landed:
    """Tick: a chunk has flown, and meets the downlink of its receiver."""

    __slots__ = ("piece",)

    def __init__(self, piece: Piece) -> None:
        self.piece = piece


class Spilled:
    """Tick: there was no room for a datagram. It is told as an event, for its sender is still handing it over."""

    __slots__ = ("item",)

    def __init__(self, item: Item) -> None:
        self.item = item


TICKS = (Served, Landed, Spilled)


class Bandwidth:
    """The wires of all peers, and what is in them."""

    def __init__(self, lines: Sequence[Line], kernel: Kernel, links: Links, null_record: Any) -> None:
        self.kernel = kernel
        self.links = links
        self.null_record = null_record
        self.lines = lines
        self.factor = 1.0
        self.up = [Wire(line.up_kbit_s) for line in lines]
        self.down = [Wire(line.down_kbit_s) for line in lines]
        self.under_way: dict[int, Item] = {}
        """What neither is delivered nor stands in a bucket of the kernel, in the order of sending."""
        self.talking: dict[tuple[PeerId, PeerId], int] = {}
        """How many messages of the stream from one peer to another are among these, transfers left out."""
        self.parked: dict[tuple[PeerId, PeerId], list[Timer]] = {}
        """Notices that follow them."""
        self.sailing: dict[tuple[PeerId, PeerId, bool], int] = {}
        """Bytes of each stream that left the uplink and are not through the downlink: what the window is full of."""
        self._serial = 0
        self.drop: Callable[[PeerId, Envelope, str], None]

    def grow(self, lines: Sequence[Line]) -> None:
        """Wires of newcomers; their lines are known already."""
        self.up += [Wire(line.up_kbit_s) for line in lines]
        self.down += [Wire(line.down_kbit_s) for line in lines]

    def set_factor(self, factor: float) -> None:
        """From now on, rates are this many times those of the lines."""
        self.factor = factor
        for line, up, down in zip(self.lines, self.up, self.down, strict=True):
            up.rate(max(1, round(line.up_kbit_s * factor)))
            down.rate(max(1, round(line.down_kbit_s * factor)))

    # --- the way of a message ---------------------------------------------------------------------------

    def put(self, frm: PeerId, to: PeerId, envelope: Envelope) -> None:
        """A message is sent."""
        self._serial += 1
        item = Item(self._serial, frm, to, envelope)
        self.under_way[item.serial] = item
        wire = self.up[frm]
        if not item.stream and wire.datagrams + item.size > max(DATAGRAMS_MOST, item.size):
            self._at(self.kernel.now_us, Spilled(item))
            return
        if item.stream and not item.bulk:
            self.talking[frm, to] = self.talking.get((frm, to), 0) + 1
        wire.add(to << 1 | item.bulk, Piece(item, item.size, True))
        self._wake(wire, frm, down=False)

    def rang(self, tick: Any) -> None:
        """One of `TICKS` is due."""
        kind = tick.__class__
        if kind is Served:
            wire = (self.down if tick.down else self.up)[tick.peer]
            wire.set = False
            if wire.waiting:
                self._serve(wire, tick.peer, tick.down)
        elif kind is Landed:
            piece: Piece = tick.piece
            item = piece.item
            wire = self.down[item.to]
            if not item.stream and wire.datagrams + piece.left > max(DATAGRAMS_MOST, piece.left):
                if piece.last:
                    self._lose(item, "queue")
                return
            wire.add(item.frm << 1 | item.bulk, piece)
            self._wake(wire, item.to, down=True)
        else:
            self._lose(tick.item, "queue")

    def _at(self, at_us: int, tick: Any) -> None:
        self.kernel.arm(at_us, Timer(-1, 0, tick, 0, self.null_record))

    def _wake(self, wire: Wire, peer: PeerId, down: bool) -> None:
        """Serve at once if the wire is idle; if it is not, see to it that it goes on."""
        if wire.set:
            return
        now_ns = self.kernel.now_us * 1_000
        if wire.free_ns <= now_ns:
            wire.free_ns = now_ns
            self._serve(wire, peer, down)
        else:
            wire.set = True
            self._at(_us(wire.free_ns), Served(peer, down))

    def _serve(self, wire: Wire, peer: PeerId, down: bool) -> None:
        """Begin with chunks, for as long as the wire is free within this microsecond."""
        # An event is due at the whole microsecond after the end of a chunk. The wire itself went on at its end.
        until_ns = self.kernel.now_us * 1_000
        while wire.waiting and wire.free_ns <= until_ns:
            key = wire.turn()
            flow = wire.flows[key]
            piece = flow.pieces[0]
            item = piece.item
            size = piece.left if down else min(piece.left, wire.chunk, self.down[item.to].chunk)
            wire.took(flow, size)
            if not down:
                item.left = piece.left
            wire.free_ns += size * 8_000_000 // wire.kbit_s
            last = piece.last and not piece.left
            if down:
                if item.stream:
                    self._through(item, size)
                if last:
                    self._deliver(item, _us(wire.free_ns))
            else:
                if item.stream:
                    way = (item.frm, item.to, item.bulk)
                    self.sailing[way] = sails = self.sailing.get(way, 0) + size
                    if sails >= self.down[item.to].window:
                        wire.stick(key)
                self._fly(item, size, last, _us(wire.free_ns))
        if wire.waiting:
            wire.set = True
            self._at(_us(wire.free_ns), Served(peer, down))

    def _fly(self, item: Item, size: int, last: bool, from_us: int) -> None:
        """The uplink has taken a chunk by then. What may happen on the way happens to the last one of a message."""
        if not last:
            self._at(from_us + self.links.delay_us(item.frm, item.to), Landed(Piece(item, size, False)))
            return
        at_us, lost = self.links.flight(item.frm, item.to, item.stream, item.bulk, from_us)
        item.lands_us = at_us
        if lost:
            del self.under_way[item.serial]
            self.links.into(self.kernel, at_us, -1 - item.to, item.envelope)
        else:
            self._at(at_us, Landed(Piece(item, size, True)))

    def _through(self, item: Item, size: int) -> None:
        """A downlink has taken so much of a stream: there is room in its window again."""
        way = (item.frm, item.to, item.bulk)
        sails = self.sailing[way] - size
        if sails:
            self.sailing[way] = sails
        else:
            del self.sailing[way]
        wire = self.up[item.frm]
        if sails < self.down[item.to].window and wire.loosen(item.to << 1 | item.bulk):
            self._wake(wire, item.frm, down=False)

    def _deliver(self, item: Item, at_us: int) -> None:
        del self.under_way[item.serial]
        self.links.into(self.kernel, at_us, item.to, item.envelope)
        if item.stream and not item.bulk:
            self.links.keep_order(item.frm, item.to, at_us)
        self._said(item, at_us)

    def _lose(self, item: Item, reason: str) -> None:
        del self.under_way[item.serial]
        self.drop(item.to, item.envelope, reason)
        self.kernel.release(item.envelope[4])
        self._said(item, self.kernel.now_us)

    # --- ends -----------------------------------------------------------------------------------------------

    def _said(self, item: Item, at_us: int) -> None:
        """A message of a stream is through: notices that waited for the last one follow it."""
        if not item.stream or item.bulk:
            return
        way = (item.frm, item.to)
        self.talking[way] -= 1
        if not self.talking[way]:
            del self.talking[way]
            for notice in self.parked.pop(way, ()):
                self.kernel.arm(at_us, notice)
                self.kernel.release(notice.record)

    def park(self, frm: PeerId, to: PeerId, notice: Timer) -> bool:
        """Keep a notice that has arrived back while what it follows is under way. Says whether that is so."""
        if (frm, to) not in self.talking:
            return False
        notice.record.pending += 1
        self.parked.setdefault((frm, to), []).append(notice)
        return True

    def died(self, peer: PeerId, politely: bool) -> None:
        """Its process ends: what it had not sent yet is never sent. A polite one still says what it said."""
        for item in self.up[peer].empty(politely):
            self._lose(item, "unsent")

    # --- looking --------------------------------------------------------------------------------------------

    def rows(self) -> Iterator[tuple[int, PeerId, Envelope]]:
        """(about when it arrives, us; receiver; parcel) of each message in the wires, as if it had them to itself."""
        now = self.kernel.now_us
        for item in self.under_way.values():
            if item.lands_us < 0:
                up = self.up[item.frm]
                at = max(now, _us(up.free_ns)) + item.left * 8_000 // up.kbit_s
                at += self.links.delay_us(item.frm, item.to)
            else:
                at = max(item.lands_us, now, _us(self.down[item.to].free_ns))
            yield at + 1, item.to, item.envelope


def _us(ns: int) -> int:
    """The whole microsecond at which something is over for certain."""
    return -(-ns // 1_000)
