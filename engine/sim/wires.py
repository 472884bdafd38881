"""One direction of a line, and whose turn it is on it.

A wire takes one chunk after the other, never interrupts one, and keeps its own clock in nanoseconds, so that small
chunks cost no precision. Its flows take turns by bytes: see `pipes`, which knows what flows there are and what becomes
of a chunk.
"""

from __future__ import annotations

from collections import deque

from ..api import PeerId
from .kernel import Parcel

CHUNK_NS = 50_000_000
CHUNK_LEAST = 1_500
CHUNK_MOST = 65_536
WINDOW_LEAST = 65_536
SIZE_MASK = (1 << 32) - 1
TRANSFER = 2


class Item:
    """A message under way. `bulk`: a transfer; `lands_us`: when its last chunk arrives, once that is known."""

    __slots__ = ("bulk", "frm", "lands_us", "left", "parcel", "serial", "size", "stream", "to")

    def __init__(self, serial: int, frm: PeerId, to: PeerId, parcel: Parcel) -> None:
        self.serial = serial
        self.frm = frm
        self.to = to
        self.parcel = parcel
        self.size = self.left = parcel[5] & SIZE_MASK
        self.stream: bool = parcel[1].over == "stream"
        self.bulk: bool = parcel[1].part_code == TRANSFER
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
