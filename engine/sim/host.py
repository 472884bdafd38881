"""A `Host` for each peer: all that its program can do outside of itself.

It is the sender's hot path: a multicast makes one envelope, encodes the message once, and appends one pair per receiver
to the bucket of its arrival. One object a peer, not a shared one: a host that a protocol kept by mistake still acts for
the right peer, and the conformance suite finds the mistake instead of a wrong result (it costs 1 to 4 %).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heappush
from typing import Any, Protocol

from ..api import INHERIT, Blob, Cause, CauseLike, File, Library, Line, PeerId, Rng, part_of
from .encoding import encoded_size
from .kernel import HOP_BITS, KIND_SHIFT, SENDER_SHIFT, Envelope, Kernel, KernelTimer
from .links import FAST
from .network import Network

UPKEEP = 3
NOBODY = -1
TICK_US = 1_000
UNLIMITED = Line()


class HostOwner(Protocol):
    """What hosts call; implemented by `engine.simulation.Simulation`."""

    def join(self, causes: tuple[int, ...]) -> Any:
        """One record for several asks that share a message."""

    def reopen(self, cause: int) -> Any:
        """The record of a cause that a protocol kept, which may have closed meanwhile."""

    def note(self, peer: PeerId, kind: str, facts: dict[str, Any], causes: Sequence[int] | None = None) -> None:
        """A peer writes an event, see `api.Host.note`. causes: its asks, None for those of what is handled now."""

    def share_heard(self, record: Any) -> float | None:
        """Of a broadcast: the share of the living users that it has reached in time; None where there are none."""

    def link(self, a: PeerId, b: PeerId) -> None:
        """Open a stream, if both live and it can be."""

    def unlink(self, a: PeerId, b: PeerId) -> None:
        """Close the stream between two peers, if there is one."""

    def drop_unknown(self, many: tuple[Any, ...], envelope: Envelope) -> tuple[PeerId, ...]:
        """Drop what goes to receivers that do not exist; returns the others."""


class SharedHostState:
    """What all hosts share: kernel, network, options, and the counters of what was sent.

    `kinds` numbers the classes of messages, `parts` has the part of each; `records` are those of all asks, see
    `measure.archive`.
    """

    def __init__(
        self,
        kernel: Kernel,
        network: Network,
        kinds: Mapping[type, int],
        parts: Sequence[int],
        options: Any,
        records: Any,
        owner: HostOwner,
    ) -> None:
        self.kernel = kernel
        self.network = network
        self.links = network.links
        self.kinds = dict(kinds)
        self.parts = tuple(parts)
        self.options = options
        self.records = records
        self.owner = owner
        self.sent = 0
        self.sent_bytes = 0
        self.sent_by_kind = [0] * len(self.parts)


class PeerHost:
    """The host of one peer; see `engine.api.Host` for what each call means."""

    __slots__ = ("kernel", "library", "me", "rng", "row", "shared", "sign", "waiting")

    def __init__(self, me: PeerId, shared: SharedHostState, rng: Rng, library: Library) -> None:
        self.me = me
        self.sign = me << SENDER_SHIFT
        self.shared = shared
        self.kernel = shared.kernel
        self.rng = rng
        self.library = library
        self.row = shared.links.row(me)
        self.waiting: dict[int, KernelTimer] = {}
        """Timers that keep an ask open, by their identity, so that a kill can release it. The kernel removes those
        that are due."""

    def __getstate__(self) -> tuple[Any, ...]:
        return self.me, self.shared, self.kernel, self.rng, self.library, list(self.waiting.values())

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.me, self.shared, self.kernel, self.rng, self.library, waiting = state
        self.sign = self.me << SENDER_SHIFT
        # An identity is good for one process: those of the copies are others.
        self.waiting = {id(timer): timer for timer in waiting}

    @property
    def now_us(self) -> int:
        return self.kernel.now_us

    @property
    def options(self) -> Any:
        return self.shared.options

    @property
    def line(self) -> Line:
        lines = self.shared.network.lines
        return lines[self.me] if lines else UNLIMITED

    @property
    def cause(self) -> Cause:
        return self.kernel.envelope[2]  # type: ignore[no-any-return]

    def _record(self, cause: Any) -> tuple[Any, Any]:
        """Cause and record of something set or sent with this `cause=`, one hop not yet added."""
        kernel = self.kernel
        if cause.__class__ is int:
            if cause == INHERIT:
                return kernel.envelope[2], kernel.envelope[4]
            if not cause:
                return 0, kernel.no_envelope[4]
            return cause, self.shared.owner.reopen(cause)
        if cause is None:
            return 0, kernel.no_envelope[4]
        flat = flatten(cause)
        if not flat:
            return 0, kernel.no_envelope[4]
        if len(flat) == 1:
            return flat[0], self.shared.owner.reopen(flat[0])
        return flat, None

    def send(self, to: PeerId, message: Any, *, cause: CauseLike = INHERIT) -> None:
        # The common case at once: one receiver, one ask or none, and a delay that only needs to be looked up. It is
        # `multicast` of one, and says nothing that is not said there (measured: a third less than going through it).
        shared, kernel = self.shared, self.kernel
        links = shared.links
        _, _, why, _, record, _ = kernel.envelope
        if (
            cause.__class__ is not int
            or cause != INHERIT
            or why.__class__ is tuple
            or links.path is not FAST
            or to.__class__ is not int
            or not 0 <= to < len(kernel.alive_since_us)
        ):
            # A receiver that is no PeerId (a hostile message may name one) is dropped as a number out of range is.
            self.multicast((to if to.__class__ is int else NOBODY,), message, cause=cause)
            return
        kind = shared.kinds[message.__class__]
        part = shared.parts[kind]
        if part == UPKEEP:
            why, record = 0, kernel.no_envelope[4]
        elif why:
            why += 1
        size = message._size or encoded_size(message)
        now = kernel.now_us
        envelope = (self.me, message, why, now, record, self.sign | kind << KIND_SHIFT | size)
        at = now + (links.flat_us or self.row[links.place[to]])
        bucket = kernel.messages.get(at)
        if bucket is None:
            kernel.messages[at] = ([to], [envelope])
            heappush(kernel.instants, at)
        else:
            bucket[0].append(to)
            bucket[1].append(envelope)
        shared.sent += 1
        shared.sent_bytes += size
        shared.sent_by_kind[kind] += 1
        record.pending += 1
        record.by_part[part] += 1
        record.bytes += size

    def multicast(self, to: Iterable[PeerId], message: Any, *, cause: CauseLike = INHERIT) -> None:
        shared, kernel = self.shared, self.kernel
        none: Any = 0
        kind = shared.kinds[message.__class__]
        part = shared.parts[kind]
        if part == UPKEEP:
            why, record = none, kernel.no_envelope[4]
        elif cause == INHERIT:
            why, record = kernel.envelope[2], kernel.envelope[4]
        else:
            why, record = self._record(cause)
        if why:
            if why.__class__ is tuple:
                why = tuple(one + 1 for one in why)
                record = shared.owner.join(why)
            else:
                why += 1
        size = message._size or encoded_size(message)
        now = kernel.now_us
        envelope = (self.me, message, why, now, record, self.sign | kind << KIND_SHIFT | size)
        links = shared.links
        buckets = kernel.messages
        many = tuple(to)
        n = arriving = len(many)
        try:
            somewhere = not n or (min(many) >= 0 and max(many) < len(kernel.alive_since_us))
        except TypeError:
            somewhere = False
        if not somewhere:
            many = shared.owner.drop_unknown(many, envelope)
            arriving = len(many)
        if links.path is not FAST:
            shared.network.post_all(self.me, many, envelope)
        elif links.flat_us:
            if arriving:
                # `kernel.post`, written out.
                at = now + links.flat_us
                bucket = buckets.get(at)
                if bucket is None:
                    buckets[at] = ([many], [envelope])
                    heappush(kernel.instants, at)
                else:
                    bucket[0].append(many)
                    bucket[1].append(envelope)
        else:
            row, place = self.row, links.place
            for one in many:
                at = now + row[place[one]]
                try:
                    tos, envelopes = buckets[at]
                except KeyError:
                    buckets[at] = ([one], [envelope])
                    heappush(kernel.instants, at)
                else:
                    tos.append(one)
                    envelopes.append(envelope)
        shared.sent += n
        shared.sent_bytes += n * size
        shared.sent_by_kind[kind] += n
        record.pending += arriving
        if why.__class__ is tuple:
            shared = record.records
            for each in shared:
                each.by_part[part] += n
                each.bytes += n * size / len(shared)
            if not arriving:
                kernel.quiescent.append(record)
        else:
            record.by_part[part] += n
            record.bytes += n * size

    def after(self, delay_us: int, tick: Any, *, cause: CauseLike = INHERIT) -> KernelTimer:
        kernel = self.kernel
        why, record = self._record(cause)
        if why.__class__ is tuple:
            record = self.shared.owner.join(why)
        timer = KernelTimer(self.me, kernel.epoch[self.me], tick, why, record)
        kernel.arm(kernel.now_us + max(0, int(delay_us)), timer)
        if why:
            self.waiting[id(timer)] = timer
        return timer

    def every(self, period_us: int, tick: Any) -> KernelTimer:
        kernel = self.kernel
        period = max(1, int(period_us))
        timer = KernelTimer(self.me, kernel.epoch[self.me], tick, 0, kernel.no_envelope[4], period)
        first = kernel.now_us + 1 + int(self.rng.random() * period)
        if period >= TICK_US:
            # Up to the next millisecond, as delays are: so the ticks of many share their instants (measured: twice
            # the speed where ten thousand gossip once a second).
            first += -first % TICK_US
        kernel.arm(first, timer)
        return timer

    def blob(self, file: File, offset: int, size: int) -> Blob:
        return Blob(size, part_of(self.library.serves(file).digest, offset))

    def cancel(self, timer: Any) -> None:
        self.kernel.disarm(timer)
        self.waiting.pop(id(timer), None)

    def link(self, to: PeerId) -> None:
        self.shared.owner.link(self.me, to)

    def unlink(self, to: PeerId) -> None:
        self.shared.owner.unlink(self.me, to)

    def note(self, kind: str, *, cause: CauseLike = INHERIT, **facts: Any) -> None:
        if kind == "duplicate":
            self.kernel.duplicates += 1
            self.kernel.envelope[4].duplicates += 1
        else:
            self.shared.owner.note(self.me, kind, facts, None if cause == INHERIT else flatten(cause or ()))

    def let_go(self) -> None:
        """The process has ended: its timers keep no ask open any more."""
        for timer in self.waiting.values():
            self.kernel.disarm(timer)
        self.waiting = {}


def flatten(causes: Any) -> tuple[int, ...]:
    """Several causes as one: one entry per ask, at its fewest hops, in the order first met. Zero is none."""
    best: dict[int, int] = {}
    stack: list[Any] = [causes] if isinstance(causes, int) else list(causes)
    for cause in stack:
        for one in (cause,) if isinstance(cause, int) else cause:
            if one > 0:
                ask = one >> HOP_BITS
                best[ask] = min(best.get(ask, one), one)
    return tuple(best.values())
