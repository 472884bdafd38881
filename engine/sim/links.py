"""When does a message arrive, or why not: delays, loss, order, and the table of open streams.

Delay is a table between places, scaled by a factor that a person may move while it runs. Loss of a datagram
loses it; loss in a stream is the delay of a retransmission. TCP waits for its retransmission timeout and doubles
it (RFC 6298: at least 200 ms in the usual stacks; section 2 has about twice the round trip before it is measured).

While there is no loss and the factor has not moved, order within a stream needs no care: the delay of a pair is
fixed, so what was sent first arrives first, and the fast paths of `hosts.py` may look the delay up themselves
(`general` is False). From then on the last arrival of each pair is kept and no message overtakes it.

Jitter is drawn for each message, evenly from 0 to its limit, and only ever adds: the latency is what an idle way takes,
and what varies is the waiting at routers. Datagrams may reorder by it, streams wait for what was sent before.

What else may happen on the way has files of its own: `bandwidth` (capacity), `nat`, `holds`. All of it is off unless a run
asks for it, and then costs the brisk path nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ..api import Line, PeerId
from .bandwidth import Bandwidth
from .hold import HeldLinks
from .kernel import Envelope, Kernel
from .nat import Nat
from .rng import Stream

RTO_LEAST_US = 200_000
TRIES_MOST = 10
BULK = 1 << 62
"""In a key of a pair: its transfers, where these have a connection of their own (see `bandwidth`)."""


class Delays(Protocol):
    """What `world.places` builds: a flat delay, a table between places, or a delay per pair."""

    place: list[int]
    flat_us: int | None
    table_us: list[list[int]] | None

    def pair_us(self, a: int, b: int) -> int: ...


class Links:
    """Delays, loss and the order of streams. `loss` is a share of messages (0..1); `factor` scales delays."""

    def __init__(self, delays: Delays, loss: float, rng: Stream) -> None:
        self.delays = delays
        self.place = list(delays.place)
        """A list of our own: newcomers are added to it, and the world that a run begins in stays as it is."""
        self.loss = loss
        self.factor = 1.0
        self.rng = rng
        self.flat_us = delays.flat_us or 0
        self._rows: list[list[int]] = [list(row) for row in delays.table_us or []]
        self._pairs: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self.lossy = loss > 0
        """Whether there ever was loss: lost datagrams may be under way."""
        self._disordered = self.lossy
        self.general = self._disordered or (not self.flat_us and delays.table_us is None)
        self.jitter_us = 0
        self.jitters = Stream(rng.state ^ 1)
        self.lines: list[Line] = []
        """Of each peer; empty where there is neither capacity nor NAT."""
        self.bandwidth: Bandwidth | None = None
        self.nat: Nat | None = None
        self.holds: HeldLinks | None = None
        """From the first `hold` on."""
        self._winding = False
        """Whether a message has more on its way than latency and loss."""

    def lay(
        self,
        lines: Sequence[Line],
        kernel: Kernel,
        null_record: Any,
        near: Sequence[Mapping[PeerId, None]],
        started_us: Sequence[int],
    ) -> None:
        """Before anything is sent: peers have these lines."""
        self.lines = list(lines)
        if any(line.up_kbit_s for line in lines):
            self.bandwidth = Bandwidth(self.lines, kernel, self, null_record)
            self._disordered = True
        if any(line.nat for line in lines):
            self.nat = Nat([line.nat for line in lines], kernel, near, started_us)
        if self.bandwidth or self.nat:
            self._winding = self.general = True

    def grow(self, places: Sequence[int], lines: Sequence[Line]) -> None:
        """Newcomers live at these places and have these lines, where anybody has."""
        self.place.extend(places)
        if self.lines:
            self.lines.extend(lines)
            if self.bandwidth is not None:
                self.bandwidth.grow(lines)
            if self.nat is not None:
                self.nat.grow([line.nat for line in lines])

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_rows"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._rows = [list(row) for row in self.delays.table_us or []]

    def row(self, peer: PeerId) -> list[int]:
        """Delays from this peer's place to each place in us; empty unless delay is a table."""
        return self._rows[self.place[peer]] if self._rows else []

    def set_loss(self, loss: float) -> None:
        """From now on, this share of messages is lost."""
        self.loss = loss
        if loss:
            self.lossy = self._disordered = self.general = True

    def set_factor(self, factor: float, kernel: Kernel) -> None:
        """From now on, delays are this many times those of the model. What is under way keeps its time of arrival,
        and nothing that is sent from now on overtakes it in its stream."""
        if not self._disordered:
            self._remember(kernel)
        self.factor = factor
        self._disordered = self.general = True
        self._pairs.clear()

    def set_jitter(self, jitter_us: int, kernel: Kernel) -> None:
        """From now on, a message takes up to that much longer than it would."""
        if jitter_us:
            self._wind(kernel)
        self.jitter_us = jitter_us

    def _wind(self, kernel: Kernel) -> None:
        if not self._disordered:
            self._remember(kernel)
        self._disordered = self._winding = self.general = True

    def hold(self, peers: Sequence[PeerId], kernel: Kernel) -> None:
        """What is on the links between these peers stands still, see `holds`."""
        self._wind(kernel)
        if self.holds is None:
            self.holds = HeldLinks(kernel)
        self.holds.hold(peers)

    def release(self, peers: Sequence[PeerId], kernel: Kernel) -> tuple[PeerId, ...]:
        """It goes on. Returns the peers whose links were held."""
        if self.holds is None:
            return ()
        freed, moving = self.holds.release(peers)
        for at_us, to, envelope in moving:
            if envelope[1].over == "stream":
                self.keep_order(envelope[0], to, at_us)
            kernel.post(at_us, to, envelope)
        return freed

    def held(self, a: PeerId, b: PeerId) -> bool:
        """Whether the link between two peers stands still."""
        return self.holds is not None and self.holds.holds(a, b)

    def keep_order(self, frm: PeerId, to: PeerId, at_us: int) -> None:
        """What is sent later in the stream of a pair arrives no earlier than that."""
        key = frm << 32 | to
        self._last[key] = max(at_us, self._last.get(key, 0))

    def standing(self, now_us: int) -> Iterator[tuple[int, int, PeerId, Envelope]]:
        """(sent_us, arrives_us, to, parcel) of what is under way and in no bucket of the kernel. Of what waits for a
        wire the arrival is a guess; what is held has times that move along, so that its place on the way does not."""
        if self.bandwidth is not None:
            for at_us, to, envelope in self.bandwidth.rows():
                yield envelope[3], at_us, to, envelope
        if self.holds is not None:
            for gone_us, left_us, to, envelope in self.holds.rows():
                yield now_us - gone_us, now_us + max(1, left_us), to, envelope

    def _remember(self, kernel: Kernel) -> None:
        """The fast paths keep no order, so the order of what is under way is read off the buckets, once."""
        for at, (tos, envelopes) in kernel.messages.items():
            for to, envelope in zip(tos, envelopes, strict=True):
                if envelope[1].over == "stream":
                    for one in to if to.__class__ is tuple else (to,):
                        key = envelope[0] << 32 | one
                        self._last[key] = max(at, self._last.get(key, 0))

    def closing_us(self, a: PeerId, b: PeerId, now_us: int) -> int:
        """How long until `b` learns that `a` closed their stream: one latency, but not before what was sent on it."""
        return max(self.delay_us(a, b), self.last_us(a, b) - now_us)

    def last_us(self, a: PeerId, b: PeerId) -> int:
        """When the last message of the stream from `a` to `b` arrives, as far as that is kept and known; or 0."""
        return self._last.get(a << 32 | b, 0)

    def delay_us(self, a: PeerId, b: PeerId) -> int:
        """One way, without loss."""
        if self._rows:
            plain = self._rows[self.place[a]][self.place[b]]
        elif self.flat_us:
            plain = self.flat_us
        else:
            key = a << 32 | b
            known = self._pairs.get(key)
            if known is None:
                known = self._pairs[key] = max(1, round(self.delays.pair_us(a, b) * self.factor))
            return known
        return plain if self.factor == 1.0 else max(1, round(plain * self.factor))

    def post_all(self, kernel: Kernel, frm: PeerId, to: Iterable[PeerId], envelope: Envelope) -> int:
        """The general path: each receiver for itself. Returns how many."""
        n = 0
        now = kernel.now_us
        if not (self.loss or self._disordered or self._winding):
            for one in to:
                n += 1
                kernel.post(now + self.delay_us(frm, one), one, envelope)
            return n
        stream = envelope[1].over == "stream"
        for one in to:
            n += 1
            if self.nat is not None:
                self.nat.called(frm, one, stream)
            if self.bandwidth is not None:
                self.bandwidth.put(frm, one, envelope)
                continue
            at_us, lost = self.flight(frm, one, stream, False, now)
            if self._winding:
                self.into(kernel, at_us, -1 - one if lost else one, envelope)
            else:
                kernel.post(at_us, -1 - one if lost else one, envelope)
        return n

    def flight(self, frm: PeerId, to: PeerId, stream: bool, bulk: bool, from_us: int) -> tuple[int, bool]:
        """When that arrives which leaves `from_us`, and whether it is a datagram that is lost."""
        delay = self.delay_us(frm, to)
        if self.jitter_us:
            # Whole milliseconds where the limit has some, as latency models have: arrivals then share instants.
            grain = 1000 if self.jitter_us >= 1000 else 1
            delay += self.jitters.randrange(self.jitter_us // grain + 1) * grain
        if self.loss:
            if not stream:
                return from_us + delay, self.rng.random() < self.loss
            wait = max(RTO_LEAST_US, 2 * delay)
            for _ in range(TRIES_MOST):
                if self.rng.random() >= self.loss:
                    break
                delay += wait
                wait *= 2
        at_us = from_us + delay
        if stream and self._disordered:
            key = frm << 32 | to | (BULK if bulk else 0)
            at_us = max(at_us, self._last.get(key, 0))
            self._last[key] = at_us
        return at_us, False

    def into(self, kernel: Kernel, at_us: int, to: int, envelope: Envelope) -> None:
        """Into the bucket of its arrival, unless the link is held."""
        if self.holds is not None and self.holds.holds(envelope[0], to if to >= 0 else -1 - to):
            self.holds.freeze(at_us - kernel.now_us, to, envelope, kernel.now_us - envelope[3])
        else:
            kernel.post(at_us, to, envelope)

    def forget(self, peers: int, now_us: int) -> None:
        """Let go of the order of pairs whose last arrival is past; called now and then."""
        if len(self._last) > 4 * peers:
            self._last = {key: at for key, at in self._last.items() if at > now_us}


class Streams:
    """Open streams between peers, undirected, as columns that are kept up to date rather than swept.

    A swap with the last row fills the gap that a closed stream leaves, so the columns stay dense and a frame
    copies two arrays. `version` moves when they do.
    """

    def __init__(self, ids: Sequence[PeerId]) -> None:
        self.ids = list(ids)
        """One integer object a peer. Those that come out of an array are fresh objects each, and a flood over them
        misses the cache at every step (measured: a fifth of its time at 10,000 peers)."""
        self.near: list[dict[int, None]] = [{} for _ in ids]
        self._slot: dict[int, int] = {}
        self._ends = np.zeros((2, 64), np.int32)
        self.count = 0
        self.version = 0

    def grow(self, ids: Sequence[PeerId]) -> None:
        """Room for these newcomers."""
        self.ids.extend(ids)
        self.near.extend({} for _ in ids)

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in self.__dict__.items() if name not in ("ids", "_slot", "_ends")}
        return {**state, "_ends": self._ends[:, : self.count]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        ids = self.ids = list(range(len(self.near)))
        for near in self.near:
            # In place, as others hold them too; and with the one integer that each peer has.
            others = [ids[other] for other in near]
            near.clear()
            near.update(dict.fromkeys(others))
        ends = np.zeros((2, max(64, self.count)), np.int32)
        ends[:, : self.count] = state["_ends"]
        self._ends = ends
        self._slot = {self._key(a, b): slot for slot, (a, b) in enumerate(state["_ends"].T.tolist())}

    @staticmethod
    def _key(a: int, b: int) -> int:
        return a << 32 | b if a < b else b << 32 | a

    def open(self, a: PeerId, b: PeerId) -> bool:
        """Whether this is news."""
        if a == b or b in self.near[a]:
            return False
        ids = self.ids
        self.near[a][ids[b]] = None
        self.near[b][ids[a]] = None
        if self.count == self._ends.shape[1]:
            self._ends = np.concatenate([self._ends, np.zeros_like(self._ends)], axis=1)
        self._ends[:, self.count] = (a, b) if a < b else (b, a)
        self._slot[self._key(a, b)] = self.count
        self.count += 1
        self.version += 1
        return True

    def close(self, a: PeerId, b: PeerId) -> bool:
        """Whether there was one."""
        if b not in self.near[a]:
            return False
        del self.near[a][b]
        del self.near[b][a]
        slot = self._slot.pop(self._key(a, b))
        self.count -= 1
        if slot != self.count:
            x, y = self._ends[:, self.count].tolist()
            self._ends[:, slot] = (x, y)
            self._slot[self._key(x, y)] = slot
        self.version += 1
        return True

    def columns(self) -> tuple[Any, Any]:
        """Copies of both ends, int32 (L,)."""
        return self._ends[0, : self.count].copy(), self._ends[1, : self.count].copy()
