"""Virtual time: buckets of deliveries and timers, one bucket an instant, with a heap of instants.

Time is an integer number of microseconds. A heap of events would pay a push and a pop with comparisons for each
message; here a message costs one dictionary look-up and one append, and the heap sees each distinct instant once.
Latency models round to a millisecond so that instants are shared.

Order inside an instant: first its messages, in the order of sending, then its timers, in the order of setting. What
these schedule for the same instant follows as a second bucket of that instant. Last comes what is `due` at its end:
commands act between instants.

A bucket is one list in which receivers and envelopes alternate (`split`): a pair for each message would be one more
object to make, and to be visited by the garbage collector (measured: half of all time at 10,000 peers), and two lists
would be three objects for a message that arrives alone. An *envelope* is what all receivers of one multicast share:
`(sender, message, cause, sent_us, record, header)`. A receiver is a PeerId, or a tuple of them where all have the same
delay (constant latency), or `-1 - peer` for a datagram that the link has lost and that is dropped when it would have
arrived. `record` is the record of the ask that the message belongs to. `header` packs sender (bits 40 up), kind (32 to
39, with its part: see `host.SharedHostState`) and size in bytes (0 to 31), for the metrics.

Two loops deliver. The fast one checks only whether the message was sent after `alive_since_us[to]`: when the receiver
started, or `NEVER_US` while it is dead, gone or censored. `Network.fate` decides about a message that fails this. The
checked one asks `fate` about each delivery; it runs while there is a censor, a partition, a cut link, a stalled stream,
a NAT, a colluder or loss (`checked`). Metrics are not kept here: what is delivered goes to the `log`, and
`measure.metrics` reads it by columns later (measured: a third of the cost of counting message by message).

Nineteen of twenty deliveries of a flood at degree 20 are duplicates. So a handler reports a duplicate by returning
`api.DUPLICATE`: a call for this would cost as much as the rest of such a delivery.
"""

from __future__ import annotations

from array import array
from heapq import heappop, heappush
from typing import Any, Protocol, TypeAlias, final

from ..api import PeerId
from ..errors import PeerFailed
from .misuse import no_tick_handler

Envelope: TypeAlias = tuple[int, Any, Any, int, Any, int]
Bucket: TypeAlias = tuple[list[Any], list[Envelope]]
"""Receivers and envelopes."""
Fate: TypeAlias = tuple[int, Any, str, bool]
"""(at_us, message, reason, held): the message arrives at `at_us`, or is dropped then if there is a reason. held, for a
message that leaves: its link is held, so it stops until the link is released, with the time until `at_us` still to go.
held, for a message that arrives: it waits in its stream (see `stalls`), because of the reason or behind what was sent
before it."""

NEVER_US = 1 << 62
KIND_SHIFT = 32
SENDER_SHIFT = 40
HOP_BITS = 20
HOP_MASK = (1 << HOP_BITS) - 1
CODES_MOST = 1 << SENDER_SHIFT - KIND_SHIFT
KIND_MASK = CODES_MOST - 1


def split(bucket: list[Any]) -> Bucket:
    """Receivers and envelopes of a bucket, see `Kernel.messages`."""
    return bucket[::2], bucket[1::2]


class Via(int):
    """The cause of a message that was sent because the peer `via` referred its sender to the receiver. What descends
    from it has an ordinary cause; `measure.metrics` reads `via`."""

    via: PeerId

    def __new__(cls, cause: int, via: PeerId = -1) -> Via:
        made = super().__new__(cls, cause)
        made.via = via
        return made


@final
class KernelTimer:
    """A tick that is due later. `owner` is a peer or -1 for the engine. `epoch`: number of the process of the peer that
    has set the timer (`Kernel.epoch`); the timer ends with that process."""

    __slots__ = ("cause", "epoch", "live", "owner", "period_us", "record", "tick")

    def __init__(self, owner: int, epoch: int, tick: Any, cause: Any, record: Any, period_us: int = 0) -> None:
        self.owner = owner
        self.epoch = epoch
        self.tick = tick
        self.cause = cause
        self.record = record
        self.period_us = period_us
        self.live = True


class KernelEvent(Protocol):
    """An event of the engine that happens later and belongs to no ask: it is kept among the timers, without a timer
    object of its own. In a run with limited lines most events are those of access links."""

    def fire(self) -> None:
        """It happens now."""


@final
class DeliveryLog:
    """What was delivered, in order: columns of times in us, receivers and envelopes.

    It has three columns and not a list of buckets: the bucket of a message that arrives alone is freed at once. In a
    list of buckets it would be three objects that each pass of the garbage collector visits until the log is read.
    """

    __slots__ = ("at_us", "envelopes", "tos")

    def __init__(self) -> None:
        self.at_us = array("q")
        self.tos: list[Any] = []
        self.envelopes: list[Envelope] = []

    def take(self) -> tuple[array[int], list[Any], list[Envelope]]:
        """All columns. The log is empty afterwards."""
        taken = self.at_us, self.tos, self.envelopes
        self.at_us, self.tos, self.envelopes = array("q"), [], []
        return taken

    def add(self, at_us: int, tos: list[Any], envelopes: list[Envelope]) -> None:
        """Add what was delivered of a bucket."""
        self.at_us.extend(array("q", (at_us,)) * len(tos))
        self.tos += tos
        self.envelopes += envelopes


class FateOfEnvelopes(Protocol):
    """Implemented by `network.Network`."""

    def fate(self, to: int, envelope: Envelope, leaves_us: int | None = None, bulk: bool = False) -> Fate: ...

    def wait(self, to: PeerId, envelope: Envelope, reason: str) -> None:
        """A message that arrives now waits in its stream."""


class KernelOwner(Protocol):
    """What the kernel calls; implemented by `engine.simulation.Simulation`."""

    network: FateOfEnvelopes

    def drop(self, to: PeerId, envelope: Envelope, reason: str) -> None:
        """Count a message that is dropped, and notify its sender as a real network would."""

    def resume(self, envelope: Envelope) -> Envelope:
        """Give a message that was kept without its record the record back: opened again if it has closed, and with the
        message pending."""

    def fire(self, timer: KernelTimer) -> None:
        """A timer of the engine (its `owner` is -1) is due."""

    def close_quiescent(self, records: list[Any]) -> None:
        """Nothing of these records has been pending since the instant that has just ended."""

    def end_of_instant(self) -> None:
        """The instant is over, and `Kernel.due` holds what is to be done now."""


class Kernel:
    """Buckets, the heap of instants, and the two loops.

    peers[p], hosts[p], tables[p] are the program, host and handlers of a living peer, None for others (three lists
    rather than one of tuples: ten thousand tuples are ten thousand cache misses). alive_since_us[p]: see the module;
    epoch[p]: a number that increases when the process of the peer starts and when it ends. `null_record` is the record
    of messages that belong to no ask.
    """

    def __init__(self, n: int, null_record: Any, owner: KernelOwner) -> None:
        self.owner = owner
        self.now_us = 0
        self.messages: dict[int, list[Any]] = {}
        """A bucket for each instant: receiver, envelope, receiver, envelope, …"""
        self.timers: dict[int, list[KernelTimer | KernelEvent]] = {}
        self.instants: list[int] = []
        self.peers: list[Any] = [None] * n
        self.hosts: list[Any] = [None] * n
        self.tables: list[Any] = [None] * n
        self.alive_since_us: list[int] = [NEVER_US] * n
        self.epoch: list[int] = [0] * n
        self.checked = False
        self.no_envelope: Envelope = (-1, None, 0, 0, null_record, 0)
        self.envelope: Envelope = self.no_envelope
        self.log = DeliveryLog()
        self.delivered = 0
        self.duplicates = 0
        self.quiescent: list[Any] = []
        self._bucket: Bucket | None = None
        self._at = 0
        self.due: list[Any] = []
        """What the owner has to do at the end of this instant."""

    def grow(self, count: int) -> None:
        """Add so many peers, none of them alive yet."""
        for column in (self.peers, self.hosts, self.tables):
            column.extend([None] * count)
        self.alive_since_us.extend([NEVER_US] * count)
        self.epoch.extend([0] * count)

    def __getstate__(self) -> dict[str, Any]:
        # Handlers are looked up again, see `Simulation.restore_caches`.
        return {**self.__dict__, "tables": [None] * len(self.tables)}

    # --- scheduling -----------------------------------------------------------------------------------

    def post(self, at_us: int, to: Any, envelope: Envelope) -> None:
        """Add one message to the bucket of its arrival."""
        bucket = self.messages.get(at_us)
        if bucket is None:
            self.messages[at_us] = [to, envelope]
            heappush(self.instants, at_us)
        else:
            bucket.append(to)
            bucket.append(envelope)

    def arm(self, at_us: int, timer: KernelTimer) -> None:
        """Set a timer, which is pending for its record."""
        timer.record.pending += 1
        bucket = self.timers.get(at_us)
        if bucket is None:
            self.timers[at_us] = [timer]
            heappush(self.instants, at_us)
        else:
            bucket.append(timer)

    def at(self, at_us: int, event: KernelEvent) -> None:
        """Fire an event at that time, in its turn among the timers of that instant."""
        bucket = self.timers.get(at_us)
        if bucket is None:
            self.timers[at_us] = [event]
            heappush(self.instants, at_us)
        else:
            bucket.append(event)

    def disarm(self, timer: KernelTimer) -> None:
        """Cancel a timer. Does nothing if it was cancelled before."""
        if timer.live:
            timer.live = False
            self.release(timer.record)

    def release(self, record: Any) -> None:
        """A message or timer of a record is not pending any more."""
        record.pending -= 1
        if not record.pending:
            self.quiescent.append(record)

    @property
    def mid_instant(self) -> bool:
        """Whether the last slice ended inside an instant."""
        return self._bucket is not None

    # --- running --------------------------------------------------------------------------------------

    def advance(self, until_us: int, budget: int | None = None) -> int:
        """Run to `until_us` (included), or until about `budget` deliveries. Returns the deliveries done."""
        start = self.delivered
        limit = NEVER_US if budget is None else start + max(1, budget)
        instants, messages, alive_since_us = self.instants, self.messages, self.alive_since_us
        tables, peers, hosts, no_envelope, log = self.tables, self.peers, self.hosts, self.no_envelope, self.log
        timers = self.timers
        while True:
            bucket = self._bucket
            if bucket is None:
                if self.quiescent:
                    self._close_quiescent()
                if self.due and (not instants or instants[0] > self.now_us):
                    self.owner.end_of_instant()
                    continue
                if self.delivered >= limit:
                    break
                if not instants or instants[0] > until_us:
                    if self.now_us < until_us:
                        self.now_us = until_us
                    break
                self.now_us = now = heappop(instants)
                waiting = messages.pop(now, None)
                if waiting is None:
                    due = timers.get(now)
                    if due is not None:
                        if len(due) == 1 and type(event := due[0]) is not KernelTimer:
                            # With limited lines most events of access links are alone: `_fire_timers`, inlined.
                            del timers[now]
                            event.fire()
                        else:
                            self._fire_timers()
                    continue
                if len(waiting) == 2 and not self.checked:
                    # With limited lines most messages arrive alone: `_deliver`, inlined for one message.
                    to, envelope = waiting
                    if to.__class__ is int and envelope[3] >= alive_since_us[to]:
                        self.envelope = envelope
                        sender, message, _, _, record, _ = envelope
                        try:
                            again = tables[to][message.__class__](peers[to], hosts[to], sender, message)
                        except Exception as error:
                            self._failed(to, envelope, error)
                        self.envelope = no_envelope
                        if again is not None:
                            self.duplicates += 1
                            record.duplicates += 1
                        record.pending -= 1
                        if not record.pending:
                            self.quiescent.append(record)
                        self.delivered += 1
                        log.at_us.append(now)
                        log.tos.append(to)
                        log.envelopes.append(envelope)
                        if now in timers:
                            self._fire_timers()
                        continue
                bucket = self._bucket = split(waiting)
                self._at = 0
            tos, envelopes = bucket
            at, size = self._at, len(tos)
            room = limit - self.delivered
            if tos[at].__class__ is tuple:
                # One entry is many deliveries, so steps are small: else a frame would be late by a whole multicast.
                room = max(1, room >> 4)
            if at or size > room:
                tos, envelopes = tos[at : at + room], envelopes[at : at + room]
            self._at = at + len(tos)
            if self.checked:
                self._deliver_checked(tos, envelopes)
            else:
                self._deliver(tos, envelopes)
            if self._at >= size:
                self._bucket = None
                self._fire_timers()
            elif self.delivered >= limit:
                break
        return self.delivered - start

    def step(self, until_us: int) -> bool:
        """Run the next instant, if there is one by then."""
        if self._bucket is not None or self.quiescent or self.due:
            self.finish_instant()
            return True
        if not self.instants or self.instants[0] > until_us:
            self.now_us = max(self.now_us, until_us)
            return False
        self.advance(self.instants[0])
        return True

    def finish_instant(self) -> None:
        """Complete the present instant, which a budget or an earlier command may have left unfinished, so that a
        command acts between instants: what is due now, and the closing of asks, come before it."""
        self.advance(self.now_us)

    def unfinished(self) -> Bucket:
        """What the last slice left of its bucket: due now, and not handed over yet."""
        if self._bucket is None:
            return [], []
        return self._bucket[0][self._at :], self._bucket[1][self._at :]

    def _deliver(self, tos: list[Any], envelopes: list[Envelope]) -> None:
        """The fast loop. Messages are only dropped where `_arrive` returns False, and none is changed."""
        alive_since_us, peers, hosts, tables = self.alive_since_us, self.peers, self.hosts, self.tables
        arrive = self._arrive
        missed: list[tuple[int, Envelope]] = []
        many = again = 0
        to = -1
        envelope = self.no_envelope
        try:
            for to, envelope in zip(tos, envelopes, strict=True):
                self.envelope = envelope
                sender, message, _, sent_us, record, _ = envelope
                if to.__class__ is int:
                    if sent_us >= alive_since_us[to] or arrive(to, envelope):
                        if tables[to][message.__class__](peers[to], hosts[to], sender, message) is not None:
                            again += 1
                            record.duplicates += 1
                    else:
                        missed.append((to, envelope))
                    record.pending -= 1
                else:
                    receivers, kind, known = to, message.__class__, 0
                    for to in receivers:
                        if sent_us >= alive_since_us[to] or arrive(to, envelope):
                            if tables[to][kind](peers[to], hosts[to], sender, message) is not None:
                                known += 1
                        else:
                            missed.append((to, envelope))
                    many += len(receivers) - 1
                    again += known
                    record.duplicates += known
                    record.pending -= len(receivers)
                if not record.pending:
                    self.quiescent.append(record)
        except Exception as error:
            self._failed(to, envelope, error)
        self.envelope = self.no_envelope
        self.duplicates += again
        self.delivered += len(tos) + many - len(missed)
        if missed:
            tos, envelopes = _less(tos, envelopes, missed)
        self.log.add(self.now_us, tos, envelopes)

    def _deliver_checked(self, tos: list[Any], envelopes: list[Envelope]) -> None:
        """The checked loop."""
        peers, hosts, tables, network = self.peers, self.hosts, self.tables, self.owner.network
        fate = network.fate
        delivered: list[Any] = []
        their_envelopes: list[Envelope] = []
        one = -1
        envelope = self.no_envelope
        try:
            for to, envelope in zip(tos, envelopes, strict=True):
                self.envelope = envelope
                record = envelope[4]
                for one in to if to.__class__ is tuple else (to,):
                    _, message, reason, waits = fate(one, envelope)
                    if waits:
                        network.wait(one, envelope, reason)
                    elif reason:
                        self.owner.drop(one if one >= 0 else -1 - one, envelope, reason)
                    else:
                        if tables[one][message.__class__](peers[one], hosts[one], envelope[0], message) is not None:
                            self.duplicates += 1
                            record.duplicates += 1
                        delivered.append(one)
                        their_envelopes.append(envelope)
                    record.pending -= 1
                if not record.pending:
                    self.quiescent.append(record)
        except Exception as error:
            self._failed(one, envelope, error)
        self.envelope = self.no_envelope
        self.delivered += len(delivered)
        self.log.add(self.now_us, delivered, their_envelopes)

    def _arrive(self, to: PeerId, envelope: Envelope) -> bool:
        """Whether the fast loop hands over a message that was sent before its receiver started, or whose receiver does
        not live; otherwise it is dropped, or waits."""
        _, _, reason, waits = self.owner.network.fate(to, envelope)
        if waits:
            self.owner.network.wait(to, envelope, reason)
        elif reason:
            self.owner.drop(to, envelope, reason)
        return not (waits or reason)

    def _failed(self, to: int, envelope: Envelope, error: Exception) -> None:
        self.envelope = self.no_envelope
        raise PeerFailed(to, getattr(envelope[1], "kind", type(envelope[1]).__name__), error) from error

    def _fire_timers(self) -> None:
        """Timers of this instant, in the order they were set."""
        due = self.timers.pop(self.now_us, None)
        if due is None:
            return
        if len(due) == 1 and type(due[0]) is not KernelTimer:
            due[0].fire()
            return
        now, timers, envelope = self.now_us, self.timers, self.no_envelope
        tables, peers, hosts, epoch = self.tables, self.peers, self.hosts, self.epoch
        for timer in due:
            if type(timer) is not KernelTimer:
                timer.fire()
                continue
            if not timer.live:
                continue
            if not timer.period_us:
                timer.live = False
            owner = timer.owner
            if owner < 0:
                self.owner.fire(timer)
            elif timer.epoch != epoch[owner]:
                timer.live, timer.period_us = False, 0
            else:
                tick = timer.tick
                self.envelope = (owner, tick, timer.cause, now, timer.record, 0)
                try:
                    tables[owner][tick.__class__](peers[owner], hosts[owner], tick)
                except Exception as error:
                    self.envelope = envelope
                    what = getattr(tick, "failing", type(tick).__name__)
                    if tick.__class__ not in tables[owner]:
                        raise PeerFailed(owner, what, no_tick_handler(type(peers[owner]), tick)) from None
                    raise PeerFailed(owner, what, error) from error
                self.envelope = envelope
            if timer.live:
                # A periodic timer is set again; it stays pending for its record.
                at_us = now + timer.period_us
                if at_us in timers:
                    timers[at_us].append(timer)
                else:
                    timers[at_us] = [timer]
                    heappush(self.instants, at_us)
            elif not timer.period_us:
                record = timer.record
                record.pending -= 1
                if not record.pending:
                    self.quiescent.append(record)
                if timer.cause and owner >= 0 and (host := hosts[owner]) is not None:
                    # It is not pending any more, and must not keep its objects alive.
                    host.waiting.pop(id(timer), None)

    def _close_quiescent(self) -> None:
        done, self.quiescent = self.quiescent, []
        self.owner.close_quiescent([record for record in done if not record.pending])


def _less(
    tos: list[Any], envelopes: list[Envelope], missed: list[tuple[int, Envelope]]
) -> tuple[list[Any], list[Envelope]]:
    """Receivers and envelopes without those that were not delivered. Both are in order, so one pass is enough."""
    left: tuple[list[Any], list[Envelope]] = ([], [])
    rest = iter([*missed, (-1, None)])
    gone_to, gone_envelope = next(rest)
    for to, envelope in zip(tos, envelopes, strict=True):
        if envelope is gone_envelope:
            kept = []
            for one in to if to.__class__ is tuple else (to,):
                if envelope is gone_envelope and one == gone_to:
                    gone_to, gone_envelope = next(rest)
                else:
                    kept.append(one)
            if not kept:
                continue
            to = tuple(kept) if len(kept) > 1 else kept[0]
        left[0].append(to)
        left[1].append(envelope)
    return left
