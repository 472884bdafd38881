"""A `Host` for each peer: all that its program can do outside of itself.

It is the hot path of sending: a multicast makes one envelope, encodes the message once, and appends one pair per
receiver to the bucket of its arrival. Each peer has a host of its own, and not all peers a shared one: a host that a
protocol kept by mistake still acts for the right peer, so the conformance suite finds the mistake and no result is
wrong (this costs 1 to 4 %).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from heapq import heappush
from typing import Any, Protocol

from ..api import (
    INHERIT,
    PARTS,
    Blob,
    Cause,
    CauseLike,
    Causes,
    Component,
    File,
    Goal,
    Host,
    Inherit,
    Library,
    Line,
    Machine,
    Message,
    Numbers,
    OpenCall,
    Part,
    PeerId,
    Rng,
    Ticket,
    part_of,
)
from ..errors import NothingToReplyTo
from .calls import Answered, Called, PendingCall, waits_of, wrappers_of
from .encoding import MalformedMessage, encoded_size, malformed_size
from .kernel import CODES_MOST, HOP_BITS, KIND_SHIFT, SENDER_SHIFT, Envelope, Kernel, KernelTimer, Via
from .links import FAST
from .misuse import checked_delay_us, checked_period_us, no_answer_handler, no_message, us_of
from .network import Network

UPKEEP = 3
NOBODY = -1
NOBODY_WAITS = 0
"""The token of a request that was sent without a call: the tokens of calls begin with 1."""
TICK_US = 1_000
UNLIMITED = Line()


class HostOwner(Protocol):
    """What hosts call; implemented by `engine.simulation.Simulation`."""

    def join(self, causes: tuple[int, ...]) -> Any:
        """One record for several asks that share a message."""

    def reopen(self, cause: int) -> Any:
        """The record of a cause that a protocol kept, which may have closed meanwhile."""

    # What a peer reports about an ask, see `api.Host`. causes: they name the asks; None for those of what is handled
    # now.

    def begin(self, peer: PeerId, text: str, goal: Goal, key: object) -> int:
        """Open an ask, or join one."""

    def hit(self, peer: PeerId, holder: PeerId, content: str, by: PeerId | None, causes: Sequence[int] | None) -> None:
        """A holder was found."""

    def unhit(self, peer: PeerId, holder: PeerId, causes: Sequence[int] | None) -> None:
        """A hit is taken back."""

    def progress(self, peer: PeerId, done: float, of: float, causes: Sequence[int] | None) -> None:
        """So much is done."""

    def file_opened(
        self, peer: PeerId, holder: PeerId, content: str, decoy: bool, causes: Sequence[int] | None
    ) -> None:
        """The user of a peer has opened what a holder served: a decoy, or the wanted file."""

    def failed(self, peer: PeerId, why: str, causes: Sequence[int] | None) -> None:
        """What was found cannot be had."""

    def duplicate(self, causes: Sequence[int] | None) -> None:
        """Something held nothing new for these asks."""

    def log(self, peer: PeerId, kind: str, facts: dict[str, Any], causes: Sequence[int] | None) -> None:
        """A peer writes an event."""

    def address(self, peer: PeerId) -> int:
        """The IPv4 address of a peer, see `api.Host.address`."""

    def cost(self, peer: PeerId, to: PeerId) -> int:
        """The cost of the link between two peers, see `api.Host.cost`."""

    def delay_ms(self, peer: PeerId, to: PeerId) -> int:
        """The latency between two peers, see `api.Host.delay_ms`."""

    def drop_unlinked(self, many: tuple[PeerId, ...], envelope: Envelope) -> tuple[PeerId, ...]:
        """Drop what goes to receivers that the sender has no link with; returns the others."""

    def machine(self, peer: PeerId) -> Machine:
        """The computer of a peer, see `api.Host.machine`."""

    def share_heard(self, record: Any) -> float | None:
        """Of a broadcast: the share of the living users that it has reached in time; None where there are none."""

    def link(self, a: PeerId, b: PeerId) -> None:
        """Open a stream, if both live and it can be."""

    def unlink(self, a: PeerId, b: PeerId) -> None:
        """Close the stream between two peers, if there is one."""

    def set_role(self, peer: PeerId, role: str) -> None:
        """A peer is called otherwise from now on, see `api.Host.set_role`."""

    def mark(self, peer: PeerId, to: PeerId, word: str, topic: str) -> None:
        """A peer marks a link, see `api.Host.mark`; topic: "" for none."""

    def remark(self, key: str, value: str, causes: Sequence[int] | None) -> None:
        """A peer remarks something of an ask, see `api.Host.remark`."""

    def path(self, peer: PeerId, key: Hashable, hops: Sequence[PeerId], word: str, onward: bool) -> None:
        """A peer states a path over several peers, see `api.Host.path`."""

    def drop_unknown(self, many: tuple[Any, ...], envelope: Envelope) -> tuple[PeerId, ...]:
        """Drop what goes to receivers that do not exist; returns the others."""

    def drop_malformed(self, many: tuple[Any, ...], envelope: Envelope) -> None:
        """Drop a message whose fields are not what their annotations say, to each of these receivers."""


class SharedHostState:
    """What all hosts share: kernel, network, options, and the counters of what was sent.

    `kinds` numbers the classes of messages; `records` are those of all asks, see `measure.archive`.

    The header of an envelope has a code: the number of the kind of its message; or, where the message was sent with
    another part than its class says, a higher number, one for each such pair (kind, part). `parts` and `kind_of` have
    the part and the kind of each code.
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
        requests: Iterable[type] = (),
    ) -> None:
        """requests: classes of messages that some program of the network sends by `Host.call`."""
        self.requests = dict.fromkeys(requests)
        self.kernel = kernel
        self.network = network
        self.links = network.links
        self.kinds = {**kinds, **wrapped(kinds)}
        self.parts = list(parts)
        self.kind_of = list(range(len(parts)))
        self._codes: dict[tuple[int, int], int] = {}
        self.traced_parts = 0b11
        """Parts of the messages that are kept in the paths of asks, a bit each: questions, answers, and what reaches
        peers for some goal (`Goal.reached_by`)."""
        self.referred = False
        """Whether anything was sent `via` a peer."""
        self.options = options
        self.numbers = Numbers()
        self.records = records
        self.owner = owner
        self.sent_bytes = 0
        self.sent_by_kind = [0] * len(self.parts)

    @property
    def sent(self) -> int:
        """Messages that were sent, of all kinds."""
        return sum(self.sent_by_kind)

    def __getstate__(self) -> dict[str, Any]:
        # The classes of envelopes have no name by which they could be found again.
        return {**self.__dict__, "kinds": {kind: code for kind, code in self.kinds.items() if not is_wrapper(kind)}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.kinds.update(wrapped(self.kinds))

    def code_of(self, kind: int, part: Part) -> int:
        """The code of a kind that is sent with this part. A new code is given when this first happens. Raises
        ValueError for too many codes."""
        wanted = PARTS.index(part)
        if self.parts[kind] == wanted:
            return kind
        code = self._codes.get((kind, wanted))
        if code is None:
            code = len(self.parts)
            if code >= CODES_MOST:
                raise ValueError(
                    f"there are more than {CODES_MOST} kinds of messages and parts that they are sent with"
                )
            self._codes[kind, wanted] = code
            self.parts.append(wanted)
            self.kind_of.append(kind)
        return code


def is_wrapper(kind: type) -> bool:
    """Whether a class of messages is one of envelopes of calls."""
    return issubclass(kind, (Called, Answered))


def wrapped(kinds: Mapping[type, int]) -> dict[type, int]:
    """The classes of envelopes of calls have the numbers of the messages inside."""
    return {wrapper: code for kind, code in kinds.items() for wrapper in wrappers_of(kind)}


class PeerHost:
    """The host of one peer; see `engine.api.Host` for what each call means."""

    __slots__ = (
        *("calls", "component_hosts", "kept_open", "kernel", "library", "me", "rng", "row", "sender_bits", "shared"),
        *("stopped_us", "token", "waiting"),
    )

    def __init__(self, me: PeerId, shared: SharedHostState, rng: Rng, library: Library) -> None:
        self.me = me
        self.sender_bits = me << SENDER_SHIFT
        self.shared = shared
        self.kernel = shared.kernel
        self.rng = rng
        self.library = library
        self.row = shared.links.row(me)
        self.component_hosts: dict[type[Component], ComponentHost] | None = None
        """Hosts of its components, by class, made when they are first used; in no checkpoint."""
        self.kept_open: dict[int, Any] | None = None
        """Records that this peer keeps open, by ask. None without any: most peers never have one."""
        self.waiting: dict[int, KernelTimer] = {}
        """Timers that keep an ask open, by their identity, so that the ask can be released when the peer is killed. The
        kernel removes those that are due."""
        self.calls: dict[int, PendingCall] = {}
        """The open calls, by their tokens."""
        self.token = 0
        """The last token that was given. The numbers go on when the peer starts again, so that an answer to an earlier
        process finds no call."""
        self.stopped_us: int | None = None

    def __getstate__(self) -> tuple[Any, ...]:
        waiting, calls = list(self.waiting.values()), (self.calls, self.token)
        rest = (self.kept_open, calls, self.stopped_us)
        return self.me, self.shared, self.kernel, self.rng, self.library, waiting, *rest

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.me, self.shared, self.kernel, self.rng, self.library, waiting, self.kept_open, calls, stopped_us = state
        self.stopped_us = stopped_us
        self.calls, self.token = calls
        self.sender_bits = self.me << SENDER_SHIFT
        self.component_hosts = None
        # The copies of the timers have other identities.
        self.waiting = {id(timer): timer for timer in waiting}

    @property
    def now_us(self) -> int:
        return self.kernel.now_us

    @property
    def options(self) -> Any:
        return self.shared.options

    @property
    def numbers(self) -> Numbers:
        return self.shared.numbers

    @property
    def line(self) -> Line:
        lines = self.shared.network.lines
        return lines[self.me] if lines else UNLIMITED

    def address(self, peer: PeerId) -> int:
        return self.shared.owner.address(peer)

    @property
    def machine(self) -> Machine:
        return self.shared.owner.machine(self.me)

    @property
    def cause(self) -> Cause:
        cause: Cause = self.kernel.envelope[2]
        return Causes(cause) if cause.__class__ is tuple else cause

    def _record(self, cause: Any) -> tuple[Any, Any]:
        """Cause and record of something that is set or sent with this `cause=`; the hop of a message is added later."""
        kernel = self.kernel
        if cause is INHERIT:
            return kernel.envelope[2], kernel.envelope[4]
        if cause is None or cause == 0:
            return 0, kernel.no_envelope[4]
        if cause.__class__ is int:
            # Mostly the ask is open.
            record = self.shared.records.by_ask.get(cause >> HOP_BITS)
            if record is None or record.closed_us is not None:
                record = self.shared.owner.reopen(cause)
            return cause, record
        flat = flatten(without_bytes(cause))
        if not flat:
            return 0, kernel.no_envelope[4]
        if len(flat) == 1:
            return flat[0], self.shared.owner.reopen(flat[0])
        return flat, None

    def send(
        self,
        to: PeerId,
        message: Any,
        *,
        cause: CauseLike = INHERIT,
        part: Part | None = None,
        via: PeerId | None = None,
    ) -> None:
        # The common case at once: one receiver, one ask or none, and a delay that only needs to be looked up, or access
        # links and nothing else on the way. It does the same as `multicast` to one receiver (measured: in two thirds of
        # the time).
        shared, kernel = self.shared, self.kernel
        links = shared.links
        try:
            kind = shared.kinds[message.__class__]
        except KeyError:
            raise no_message(message) from None
        does = shared.parts[kind]
        if cause is INHERIT:
            _, _, why, _, record, _ = kernel.envelope
        elif does == UPKEEP:
            why = 0
        else:
            why, record = self._record(cause)
        # The access links, if a message passes nothing else before them.
        lines = None if links.path is FAST else shared.network.only_lines
        if (
            part is not None
            or why.__class__ is tuple
            or (lines is None and links.path is not FAST)
            or to.__class__ is not int
            or not 0 <= to < len(kernel.alive_since_us)
        ):
            # A receiver that is no PeerId (a hostile message may name one) is dropped as a number out of range is.
            self.multicast((to if to.__class__ is int else NOBODY,), message, cause=cause, part=part, via=via)
            return
        try:
            size = message._size or encoded_size(message)
        except MalformedMessage:
            self.multicast((to,), message, cause=cause, via=via)
            return
        if does == UPKEEP:
            why, record = 0, kernel.no_envelope[4]
        elif why:
            why += 1
            if via is not None and via.__class__ is int and 0 <= via < len(kernel.alive_since_us):
                shared.referred = True
                why = Via(why, via)
        now = kernel.now_us
        envelope = (self.me, message, why, now, record, self.sender_bits | kind << KIND_SHIFT | size)
        if lines is not None:
            lines.put(self.me, to, envelope)
        else:
            at = now + (links.flat_us or self.row[to if links.by_pair else links.column[to]])
            bucket = kernel.messages.get(at)
            if bucket is None:
                kernel.messages[at] = [to, envelope]
                heappush(kernel.instants, at)
            else:
                bucket.append(to)
                bucket.append(envelope)
        shared.sent_bytes += size
        shared.sent_by_kind[kind] += 1
        record.pending += 1
        if why:
            record.by_part[does] += 1
            record.bytes += size

    def multicast(
        self,
        to: Iterable[PeerId],
        message: Any,
        *,
        cause: CauseLike = INHERIT,
        part: Part | None = None,
        via: PeerId | None = None,
    ) -> None:
        shared, kernel = self.shared, self.kernel
        none: Any = 0
        try:
            kind = shared.kinds[message.__class__]
        except KeyError:
            raise no_message(message) from None
        code = kind if part is None else shared.code_of(kind, part)
        does = shared.parts[code]
        if does == UPKEEP:
            why, record = none, kernel.no_envelope[4]
        elif cause is INHERIT:
            why, record = kernel.envelope[2], kernel.envelope[4]
        else:
            why, record = self._record(cause)
        if why:
            if why.__class__ is tuple:
                why = tuple(one + 1 for one in why)
                record = shared.owner.join(why)
            else:
                why += 1
            if via is not None and via.__class__ is int and 0 <= via < len(kernel.alive_since_us):
                shared.referred = True
                why = tuple(Via(one, via) for one in why) if why.__class__ is tuple else Via(why, via)
        malformed = False
        try:
            size = message._size or encoded_size(message)
        except MalformedMessage:
            malformed, size = True, malformed_size(message)
        now = kernel.now_us
        envelope = (self.me, message, why, now, record, self.sender_bits | code << KIND_SHIFT | size)
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
        if malformed:
            shared.owner.drop_malformed(many, envelope)
            many, arriving = (), 0
        if links.path is not FAST:
            if shared.network.wired:
                many = shared.owner.drop_unlinked(many, envelope)
                arriving = len(many)
            shared.network.post_all(self.me, many, envelope)
        elif links.flat_us:
            if arriving:
                # `kernel.post`, inlined.
                at = now + links.flat_us
                bucket = buckets.get(at)
                if bucket is None:
                    buckets[at] = [many, envelope]
                    heappush(kernel.instants, at)
                else:
                    bucket.append(many)
                    bucket.append(envelope)
        elif links.by_pair:
            for one, delay in zip(many, map(self.row.__getitem__, many), strict=True):
                at = now + delay
                try:
                    bucket = buckets[at]
                except KeyError:
                    buckets[at] = [one, envelope]
                    heappush(kernel.instants, at)
                else:
                    bucket.append(one)
                    bucket.append(envelope)
        else:
            row, place = self.row, links.place
            for one in many:
                at = now + row[place[one]]
                try:
                    bucket = buckets[at]
                except KeyError:
                    buckets[at] = [one, envelope]
                    heappush(kernel.instants, at)
                else:
                    bucket.append(one)
                    bucket.append(envelope)
        shared.sent_bytes += n * size
        shared.sent_by_kind[kind] += n
        record.pending += arriving
        if why.__class__ is tuple:
            for each, share in zip(record.records, shares_of(cause, why), strict=True):
                each.by_part[does] += n
                each.bytes += n * size * share
            if not arriving:
                kernel.quiescent.append(record)
        elif why:
            record.by_part[does] += n
            record.bytes += n * size

    def queued(self, to: PeerId) -> int:
        return self.shared.network.queued(self.me, to) if self._exists(to) else 0

    def sent(self, to: PeerId) -> int:
        return self.shared.network.sent(self.me, to) if self._exists(to) else 0

    def limit(self, to: PeerId, kbit_s: int, queue_bytes: int) -> None:
        if self._exists(to):
            self.shared.network.limit(self.me, to, max(1, kbit_s), max(0, queue_bytes))

    def kbit_s(self, to: PeerId) -> int:
        return self.shared.network.kbit_s(self.me, to) if self._exists(to) else 0

    def withdraw(self, to: PeerId, message: Any) -> bool:
        return self._exists(to) and self.shared.network.withdraw(self.me, to, message)

    def _exists(self, peer: Any) -> bool:
        return peer.__class__ is int and 0 <= peer < len(self.kernel.alive_since_us)

    def after(self, delay_us: int, tick: Any, *, cause: CauseLike = INHERIT) -> KernelTimer:
        kernel = self.kernel
        if cause is INHERIT:
            _, _, why, _, record, _ = kernel.envelope
        else:
            why, record = self._record(cause)
        if why.__class__ is tuple:
            record = self.shared.owner.join(why)
        timer = KernelTimer(self.me, kernel.epoch[self.me], tick, why, record)
        # `kernel.arm`, inlined.
        record.pending += 1
        at = kernel.now_us + (delay_us if delay_us.__class__ is int and delay_us > 0 else checked_delay_us(delay_us))
        bucket = kernel.timers.get(at)
        if bucket is None:
            kernel.timers[at] = [timer]
            heappush(kernel.instants, at)
        else:
            bucket.append(timer)
        if why:
            self.waiting[id(timer)] = timer
        return timer

    def after_s(self, delay_s: float, tick: Any, *, cause: CauseLike = INHERIT) -> KernelTimer:
        return self.after(us_of(delay_s, "after_s"), tick, cause=cause)

    def every_s(self, period_s: float, tick: Any, *, phase: int | None = None) -> KernelTimer:
        return self.every(us_of(period_s, "every_s"), tick, phase=phase)

    def every(self, period_us: int, tick: Any, *, phase: int | None = None) -> KernelTimer:
        kernel = self.kernel
        period = checked_period_us(period_us)
        timer = KernelTimer(self.me, kernel.epoch[self.me], tick, 0, kernel.no_envelope[4], period)
        if phase is not None:
            # Not now, even if this is one of the times.
            kernel.arm(kernel.now_us + ((int(phase) - kernel.now_us) % period or period), timer)
            return timer
        first = kernel.now_us + 1 + int(self.rng.random() * period)
        if period >= TICK_US:
            # Rounded up to a millisecond, as delays are: so the ticks of many peers share their instants (measured:
            # twice the speed where ten thousand peers gossip once a second).
            first += -first % TICK_US
        kernel.arm(first, timer)
        return timer

    def cost(self, peer: PeerId) -> int:
        return self.shared.owner.cost(self.me, peer)

    def delay_ms(self, peer: PeerId) -> int:
        return self.shared.owner.delay_ms(self.me, peer)

    def blob(self, file: File, offset: int, size: int) -> Blob:
        return Blob(size, part_of(self.library.serves(file).digest, offset))

    def cancel(self, timer: Any) -> None:
        if timer.__class__ is PendingCall:
            self.end_call(timer)
            return
        self.kernel.disarm(timer)
        self.waiting.pop(id(timer), None)

    # --- calls -----------------------------------------------------------------------------------------------

    def call(
        self,
        to: PeerId,
        request: Any,
        *,
        timeout_us: int | Sequence[int] | None = None,
        timeout_s: float | Sequence[float] | None = None,
        context: object = None,
        answers: int | None = 1,
        cause: CauseLike = INHERIT,
        via: PeerId | None = None,
        part: Part | None = None,
    ) -> PendingCall:
        kernel, me = self.kernel, self.me
        if answers is not None and (type(answers) is not int or answers < 1):
            raise ValueError(f"answers should be a number from 1, or None, not {answers!r}")
        if timeout_s is None and timeout_us.__class__ is int and timeout_us > 0:
            waits: tuple[int, ...] = (timeout_us,)
        else:
            waits = waits_of(timeout_us, timeout_s)
        self.token = token = self.token + 1
        kind, program = request.__class__, type(self.program)
        if kind not in self.shared.kinds:
            raise no_message(request)
        if kind not in program.replies and kind not in program.timeouts:
            raise no_answer_handler(program, kind)
        envelope = wrappers_of(kind)[0](token, request)
        self.calls[token] = call = PendingCall(to, token, envelope, context, answers, waits, part, via, kernel.now_us)
        # The wait has the cause of the request; one without a cause keeps no ask open. `after`, inlined.
        why: Any = 0
        if (part or request.part) == "upkeep":
            record: Any = kernel.no_envelope[4]
        elif cause is INHERIT:
            _, _, why, _, record, _ = kernel.envelope
        else:
            why, record = self._record(cause)
        if why.__class__ is tuple:
            record = self.shared.owner.join(why)
        call.timer = timer = KernelTimer(me, kernel.epoch[me], call, why, record)
        record.pending += 1
        due = kernel.timers.get(call.due_us)
        if due is None:
            kernel.timers[call.due_us] = [timer]
            heappush(kernel.instants, call.due_us)
        else:
            due.append(timer)
        if why:
            self.waiting[id(timer)] = timer
        self.send(to, envelope, cause=cause, part=part, via=via)
        return call

    @property
    def request(self) -> Ticket:
        sender, message, cause, _, _, _ = self.kernel.envelope
        if isinstance(message, Called):
            return Ticket(sender, message.token, cause, message.kind)
        handled = getattr(message, "kind", None)
        if message.__class__ in self.shared.requests:
            # Sent without a call, as a hostile peer may do: nobody waits for an answer.
            return Ticket(sender, NOBODY_WAITS, cause, str(handled))
        why = (
            f"{handled} was sent without a call, so nobody waits for an answer"
            if handled
            else "nothing of the kind is being handled"
        )
        raise NothingToReplyTo(f"there is no request to answer: {why} (see Host.call)")

    def reply(self, answer: Any, *, to: Ticket | None = None) -> None:
        if to is None:
            sender, message, _, _, _, _ = self.kernel.envelope
            if not isinstance(message, Called):
                to = self.request  # which raises, unless nobody waits
            else:
                self.send(sender, self._answered(message.token, answer))
                return
        if not isinstance(to, Ticket):
            raise NothingToReplyTo(f"`to` should be a ticket that Host.request gave, not {to!r}")
        if to.token == NOBODY_WAITS:
            return
        self.send(to.sender, self._answered(to.token, answer), cause=to.cause)

    def _answered(self, token: int, answer: Any) -> Answered:
        kind: Any = answer.__class__
        if kind not in self.shared.kinds:
            raise no_message(answer)
        return wrappers_of(kind)[1](token, answer)

    def await_answer(self, call: PendingCall) -> None:
        """The time to wait begins, or begins anew."""
        old = call.timer
        wait_us = call.waits_us[call.tries - 1]
        call.due_us = self.kernel.now_us + wait_us
        call.timer = self._timer_after(old, wait_us, call)
        if old is not None:
            self.cancel(old)

    def _timer_after(self, old: KernelTimer | None, delay_us: int, call: PendingCall) -> KernelTimer:
        """A timer with the cause of another one, which may have fired already."""
        return self.after(delay_us, call, cause=None if old is None or not old.cause else old.cause)

    def end_call(self, call: PendingCall) -> None:
        """The call is over, if it was not before."""
        if self.calls.pop(call.token, None) is None:
            return
        timer, call.timer, call.context = call.timer, None, None
        if timer is not None and timer.live:
            # `cancel`, inlined.
            timer.live = False
            record = timer.record
            record.pending -= 1
            kernel = self.kernel
            if not record.pending:
                kernel.quiescent.append(record)
            due = kernel.timers.get(call.due_us)
            if due is not None and len(due) == 1 and due[0] is timer:
                # Most are alone in their bucket, so the bucket is removed. If the timers of this instant are being
                # fired, `kernel.timers` has another bucket, or none, for the same time.
                del kernel.timers[call.due_us]
            if timer.cause:
                self.waiting.pop(id(timer), None)

    def open_calls(self) -> tuple[OpenCall, ...]:
        """The calls that wait, in the order in which they were made."""
        return tuple(
            OpenCall(call.to, call.request.kind, call.since_us, call.tries, call.due_us, call.answers)
            for call in self.calls.values()
        )

    def link(self, to: PeerId) -> None:
        self.shared.owner.link(self.me, to)

    def unlink(self, to: PeerId) -> None:
        self.shared.owner.unlink(self.me, to)

    # --- what a peer reports about asks ----------------------------------------------------------------------

    def begin(self, text: str, goal: Goal, *, key: object = None) -> Cause:
        return self.shared.owner.begin(self.me, text, goal, key)

    def hit(self, holder: PeerId, content: str, *, by: PeerId | None = None, cause: CauseLike = INHERIT) -> None:
        self.shared.owner.hit(self.me, holder, content, by, stated(cause))

    def unhit(self, holder: PeerId, *, cause: CauseLike = INHERIT) -> None:
        self.shared.owner.unhit(self.me, holder, stated(cause))

    def progress(self, done: float, of: float, *, cause: CauseLike = INHERIT) -> None:
        self.shared.owner.progress(self.me, done, of, stated(cause))

    def fetched(self, holder: PeerId, content: str, *, cause: CauseLike = INHERIT) -> None:
        self.shared.owner.file_opened(self.me, holder, content, False, stated(cause))

    def decoy(self, holder: PeerId, content: str, *, cause: CauseLike = INHERIT) -> None:
        self.shared.owner.file_opened(self.me, holder, content, True, stated(cause))

    def failed(self, why: str, *, cause: CauseLike = INHERIT) -> None:
        self.shared.owner.failed(self.me, why, stated(cause))

    def keep_open(self, cause: CauseLike = INHERIT) -> None:
        kept = self.kept_open
        if kept is None:
            kept = self.kept_open = {}
        for one in self._causes(cause):
            if one >> HOP_BITS not in kept:
                kept[one >> HOP_BITS] = record = self.shared.owner.reopen(one)
                record.pending += 1

    def let_close(self, cause: CauseLike = INHERIT) -> None:
        for one in self._causes(cause):
            record = self.kept_open.pop(one >> HOP_BITS, None) if self.kept_open else None
            if record is not None:
                self.kernel.release(record)

    def _causes(self, cause: CauseLike) -> tuple[int, ...]:
        named = stated(cause)
        return flatten(self.kernel.envelope[2]) if named is None else named

    def duplicate(self, cause: CauseLike = INHERIT) -> None:
        self.shared.owner.duplicate(stated(cause))

    def log(self, kind: str, *, cause: CauseLike = INHERIT, **facts: Any) -> None:
        self.shared.owner.log(self.me, kind, facts, stated(cause))

    def remark(self, key: str, value: str, *, cause: CauseLike = INHERIT) -> None:
        self.shared.owner.remark(key, value, stated(cause))

    def set_role(self, role: str) -> None:
        self.shared.owner.set_role(self.me, role)

    def mark(self, to: PeerId, word: str = "", *, topic: str | None = None) -> None:
        self.shared.owner.mark(self.me, to, word, topic or "")

    def path(self, key: Hashable, hops: Sequence[PeerId], word: str = "", *, onward: bool = False) -> None:
        self.shared.owner.path(self.me, key, tuple(hops), word, onward)

    # --- components ---------------------------------------------------------------------------------------

    @property
    def program(self) -> Any:
        return self.kernel.peers[self.me]

    def inside(self, component: Component) -> Any:
        hosts = self.component_hosts
        if hosts is None:
            hosts = self.component_hosts = {}
        host = hosts.get(component.__class__)
        if host is None:
            host = hosts[component.__class__] = ComponentHost(self, component)
        return host

    def emit(self, value: object) -> None:
        """Does nothing: a peer has no owner."""

    def process_ended(self) -> None:
        """The process has ended: neither it nor its timers keep an ask open any more."""
        self.stopped_us = self.kernel.now_us
        for timer in self.waiting.values():
            self.kernel.disarm(timer)
        self.waiting = {}
        for call in self.calls.values():
            if call.timer is not None:
                self.kernel.disarm(call.timer)
            call.timer = call.context = None
        self.calls = {}
        for record in (self.kept_open or {}).values():
            self.kernel.release(record)
        self.kept_open = None


class ComponentHost:
    """The host of a component: `outer` is the host of its owner, which does everything that is not defined here.

    It belongs to a class of components and not to an object, so it is kept when the process starts again.
    """

    __slots__ = (
        *("_clock", "_of_outer", "_options_at", "_own", "component_hosts", "kind", "me", "name", "outer"),
        *("after", "after_s", "call", "multicast", "reply", "send"),
    )

    def __init__(self, outer: Host, component: Component) -> None:
        self.outer: Any = outer
        self._of_outer: Any = None
        """The options of the owner that contain `_own`. A change of an option changes these objects in place."""
        self._own: Any = None
        self._options_at: Any = outer.shared if isinstance(outer, PeerHost) else outer
        self._clock: Any = outer.kernel if isinstance(outer, PeerHost) else outer
        """Objects that have the options of the owner and the time, read without the call of a property."""
        self.me: PeerId = outer.me
        self.kind = component.__class__
        self.name = component.part_name
        self.component_hosts: dict[type[Component], ComponentHost] = {}
        # The methods that are called most often are those of the outer host, stored here: through `__getattr__` a call
        # takes three times as long, and a method of this class that passes its arguments on would cost as much as
        # sending a small message.
        self.after = outer.after
        self.after_s = outer.after_s
        self.call = outer.call
        self.multicast = outer.multicast
        self.reply = outer.reply
        self.send = outer.send

    def __getattr__(self, name: str) -> Any:
        if name in ComponentHost.__slots__ or name.startswith("__"):  # while it is copied
            raise AttributeError(name)
        return getattr(self.outer, name)

    @property
    def program(self) -> Any:
        """The component itself."""
        return getattr(self.outer.program, self.name, None)

    @property
    def options(self) -> Any:
        outer = self._options_at.options
        if outer is self._of_outer:
            return self._own
        own = getattr(outer, self.name, None)
        if own is None:
            kind = getattr(self.kind, "options_type", None)
            own = outer if kind is None or isinstance(outer, kind) else kind()
        self._of_outer, self._own = outer, own
        return own

    def inside(self, component: Component) -> Any:
        if component.__class__ is self.kind:
            return self
        host = self.component_hosts.get(component.__class__)
        if host is None:
            host = self.component_hosts[component.__class__] = ComponentHost(self, component)
        return host

    @property
    def now_us(self) -> int:
        return self._clock.now_us  # type: ignore[no-any-return]

    def log(self, kind: str, **facts: Any) -> None:
        self.outer.log(f"{self.name}.{kind}", **facts)

    def emit(self, value: object) -> None:
        hand_over(self.outer, value)


def hand_over(host: Any, value: object) -> None:
    """Call the handler for a value that a component emitted; `host` is that of its owner."""
    if isinstance(value, Message):
        raise TypeError(f"emit hands over values, and {type(value).__name__} is a message")
    owner = host.program
    handler = type(owner).handlers.get(type(value))
    if handler is not None:
        handler(owner, host, value)


def stated(cause: CauseLike) -> tuple[int, ...] | None:
    """The causes that a peer states; None for those of what it handles."""
    return None if cause is INHERIT else flatten(without_bytes(cause or ()))


def without_bytes(cause: Any) -> Any:
    """What `cause=` accepts, without the bytes of pairs (cause, bytes): these are tuples in a list or a tuple, where
    several causes that belong together are `Causes`."""
    if isinstance(cause, (int, Causes)):
        return cause
    return [one[0] if one.__class__ is tuple else one for one in cause]


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


def shares_of(cause: Any, joint: tuple[int, ...]) -> list[float]:
    """The share of each of these asks in the cost of a message that was sent with this `cause=`: as stated there, else
    equal shares."""
    stated: dict[int, float] = {}
    for pair in () if cause is None or isinstance(cause, (int, Causes, Inherit)) else cause:
        if pair.__class__ is tuple:
            those = flatten(pair[0])
            for one in those:
                stated[one >> HOP_BITS] = stated.get(one >> HOP_BITS, 0.0) + max(0.0, pair[1]) / len(those)
    total = sum(stated.values())
    if total <= 0:
        return [1 / len(joint)] * len(joint)
    return [stated.get(one >> HOP_BITS, 0.0) / total for one in joint]
