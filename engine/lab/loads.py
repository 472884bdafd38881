"""Loads that are typical of most networks: requests with answers, small messages over lines that are mostly idle, and
transfers over busy lines. Each is compared with the same traffic without what is measured: without calls, or without
limits of lines.

Two swarms take turns in one process, a window of virtual time each, so that what slows one slows the other. In the
first window programs start, and tables and caches are empty. It is reported separately from the later ones.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Sequence

from ..api import Blob, Host, Peer, PeerId, message, on, on_reply, on_timeout, option
from ..setup import LinkSpec, Setup
from ..swarm import Swarm
from ..values import dataclass

WINDOWS = 5
WINDOW_US = 1_000_000
BLOCK = 16_384
"""Bytes of a block of a transfer, as in BitTorrent."""
UPLOADS = 4
"""Peers that each peer transfers from at a time."""
LINES = "1000:8000"
"""kbit/s up and down: the most common access line of the study in `world.access_links`."""


@dataclass(frozen=True, slots=True)
class Compared:
    """per_s: deliveries a second of a load in the later windows; plain_per_s: of the same traffic without what is
    measured; first, later: ratio of the two in the first window, and in the later ones (median)."""

    per_s: float
    plain_per_s: float
    first: float
    later: float


def compared(swarms: Sequence[Swarm], windows: int = WINDOWS, window_us: int = WINDOW_US) -> Compared:
    """Let two swarms take turns, the one with the load first. Seconds are processor time."""
    speeds: tuple[list[float], list[float]] = ([], [])
    for _ in range(windows):
        for swarm, of_swarm in zip(swarms, speeds, strict=True):
            gc.collect()
            start = time.process_time()
            delivered = swarm.advance(swarm.now_us + window_us)
            swarm.fingerprint()
            of_swarm.append(delivered / max(time.process_time() - start, 1e-9))
    ratios = [a / b if b else 0.0 for a, b in zip(*speeds, strict=True)]
    median = statistics.median
    return Compared(median(speeds[0][1:]), median(speeds[1][1:]), ratios[0], median(ratios[1:]))


def requests(peers: int) -> Compared:
    """Requests that are calls, compared with the same messages sent without calls."""
    made = [
        Swarm(Setup(peers=peers, asks_per_s=0.0, options={"calls": calls}), program=Requester)
        for calls in (True, False)
    ]
    return compared(made)


def idle_lines(peers: int) -> Compared:
    """Small messages over lines that are mostly idle, compared with lines without a limit."""
    return compared([Swarm(_limited(peers, capacity), program=Requester) for capacity in (LINES, "none")])


def transfers(peers: int) -> Compared:
    """Blocks of files and small messages over busy lines, compared with lines without a limit."""
    return compared([Swarm(_limited(peers, capacity), program=Transferrer) for capacity in (LINES, "none")])


def _limited(peers: int, capacity: str) -> Setup:
    return Setup(peers=peers, topology="random:16", asks_per_s=0.0, links=LinkSpec(capacity))


# --- requests with answers -------------------------------------------------------------------------------------


@dataclass(slots=True)
class RequesterOptions:
    """Options of the load."""

    calls: bool = option(False, "whether requests are calls")


@message(over="datagram", part="upkeep")
class CallRequest:
    """`number`: how many its sender has sent."""

    number: int


@message(over="datagram", part="upkeep")
class CallReply:
    """The number of the request."""

    number: int


@dataclass(slots=True)
class Begin:
    """A tick: a peer begins."""


class Requester(Peer, options=RequesterOptions):
    """Has one request open at a time."""

    TIMEOUT_US = 5_000_000

    def __init__(self) -> None:
        self.known: tuple[PeerId, ...] = ()
        self.number = 0

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.known = tuple(contacts)
        host.after(round(host.rng.random() * 1e6), Begin())

    def _next(self, host: Host) -> None:
        self.number += 1
        to, request = host.rng.choice(self.known), CallRequest(self.number)
        if host.options.calls:
            host.call(to, request, timeout_us=self.TIMEOUT_US)
        else:
            host.send(to, request)

    @on(Begin)
    def begin(self, host: Host, tick: Begin) -> None:
        self._next(host)

    @on(CallRequest)
    def request(self, host: Host, sender: PeerId, request: CallRequest) -> None:
        if host.options.calls:
            host.reply(CallReply(request.number))
        else:
            host.send(sender, CallReply(request.number))

    @on(CallReply)
    def reply(self, host: Host, sender: PeerId, reply: CallReply) -> None:
        self._next(host)

    @on_reply(CallRequest)
    def answered(self, host: Host, sender: PeerId, answer: CallReply, context: object) -> None:
        self._next(host)

    @on_timeout(CallRequest)
    def silent(self, host: Host, to: PeerId, context: object, reason: str) -> None:
        self._next(host)


# --- transfers ---------------------------------------------------------------------------------------------------


@message(part="upkeep")
class BlockWanted:
    """A request for a block."""

    block: int


@message(part="transfer")
class BlockSent:
    """A block."""

    block: int
    data: Blob


@message(part="upkeep")
class BlockGot:
    """Says that its sender has one block more."""

    block: int


class Transferrer(Peer):
    """Gets blocks from some neighbours, the next when one has come, and tells all neighbours of each."""

    BLOCKS = 64

    def __init__(self) -> None:
        self.near: tuple[PeerId, ...] = ()
        self.blocks = 0

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        host.after(round(host.rng.random() * 1e6), Begin())

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        self.near = tuple(links)

    @on(Begin)
    def begin(self, host: Host, tick: Begin) -> None:
        host.multicast(host.rng.sample(self.near, min(UPLOADS, len(self.near))), BlockWanted(0))

    @on(BlockWanted)
    def wanted(self, host: Host, sender: PeerId, wanted: BlockWanted) -> None:
        host.send(sender, BlockSent(wanted.block, Blob(BLOCK)))

    @on(BlockSent)
    def block(self, host: Host, sender: PeerId, block: BlockSent) -> None:
        self.blocks += 1
        number = self.blocks % self.BLOCKS
        host.multicast(self.near, BlockGot(number))
        host.send(sender, BlockWanted(number))

    @on(BlockGot)
    def got(self, host: Host, sender: PeerId, got: BlockGot) -> None:
        """Does nothing."""
