"""A `Host` that records what a peer does, to test a protocol without a network.

    host = FakeHost(me=3, options=options)
    host.give(peer, Rumour(7, "fire"), sender=1)
    assert host.take() == [(2, Rumour(7, "fire"))]

A call is answered by the test:

    [call] = host.calls
    host.answer(peer, call, Nodes((4, 9)))
    host.time_out(peer, call)

There is no latency and no loss. Time changes only when a test sets `now_us` or calls `wait`, which runs the timers that
fall due.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from . import programs
from .api import (
    DUPLICATE,
    INHERIT,
    Ask,
    Blob,
    CallEnd,
    Cause,
    CauseLike,
    Component,
    File,
    Goal,
    Line,
    Machine,
    Message,
    Numbers,
    Part,
    Peer,
    PeerId,
    Ticket,
    part_of,
    words_of,
)
from .errors import NothingToReplyTo
from .sim.addresses import address_of
from .sim.calls import answer_kinds_of, takes_none, waits_of
from .sim.encoding import encoded_size, why_malformed
from .sim.host import NOBODY_WAITS, ComponentHost
from .sim.misuse import check_holder, checked_delay_us, checked_period_us, no_tick_handler, us_of
from .sim.rng import Stream
from .sim.words import role_text
from .values import dataclass

FIRST_BEGUN = 1_000_000
"""Asks that a peer begins get numbers above this."""


@dataclass(slots=True, eq=False)
class FakeTimer:
    """A tick that is due at `at_us`; `period_us` is 0 for one that comes once. Two timers are never equal."""

    at_us: int
    tick: Any
    cause: CauseLike
    period_us: int = 0


@dataclass(slots=True, eq=False)
class FakeCall:
    """A call that was made. `left`: answers still to come, None for any number; `tries` that were sent; `over`: why it
    has ended, "" while it is open. Two calls are never equal."""

    to: PeerId
    request: Any
    context: Any
    left: int | None
    waits_us: tuple[int, ...]
    cause: CauseLike
    due_us: int
    tries: int = 1
    answered: int = 0
    over: str = ""


class FakeLibrary:
    """A `Library` of some files. Its user deletes a file that has one of the digests in `unwanted`."""

    def __init__(self, files: Iterable[File] = (), unwanted: Iterable[int] = ()) -> None:
        self._files = {file.name: file for file in files}
        self._unwanted = dict.fromkeys(unwanted)

    def matching(self, text: str) -> Sequence[File]:
        """Files whose name has every word of `text`; nothing for a text without words."""
        wanted = words_of(text)
        return [f for f in self._files.values() if wanted and set(wanted) <= set(words_of(f.name))]

    def files(self) -> Sequence[File]:
        """All files, in the order in which they were added."""
        return list(self._files.values())

    def spoilt(self, digests: Iterable[int]) -> tuple[int, ...]:
        """Those that its user does not want."""
        return tuple(digest for digest in digests if digest in self._unwanted)

    def add(self, file: File) -> bool:
        """Share one more file. Unlike in `api.Library.add`, it replaces one of the same name, so that a test can change
        the contents of a file. Returns whether it was kept."""
        if file.digest in self._unwanted:
            return False
        self._files[file.name] = file
        return True

    def serves(self, file: File) -> File:
        """The file itself."""
        return file

    def __len__(self) -> int:
        return len(self._files)


class SentMessages(list[tuple[PeerId, Any]]):
    """A list of (to, message) of what was sent. It can be called with a peer: that returns the bytes for it that have
    left the uplink, as `api.Host.sent` does."""

    def __init__(self) -> None:
        super().__init__()
        self.left: list[tuple[PeerId, Any]] = []

    def __call__(self, to: PeerId) -> int:
        return sum(encoded_size(message) for one, message in self.left if one == to)


class FakeHost:
    """Satisfies `engine.api.Host`. What a peer does is in these attributes, in the order in which it was done:

    sent      (to, message); a multicast is one entry a receiver
    causes    for each entry of `sent` its cause; 0 for upkeep, which has none
    uplink    (to, message) of what was sent while `busy` was set: it waits for the uplink until `drain` is called, and
              can be withdrawn, which takes it out of `sent` too
    timers    those that are set and neither run nor cancelled
    linked, unlinked
              peers to whom a stream was opened and closed
    parts, vias
              for each entry of `sent` its `part=` and `via=`, None where it was not stated
    notes     (kind, facts) of what the peer reported about asks, by the name of the call ("hit", "progress", …), and of
              what it logged
    open_asks causes that the peer keeps open
    roles     each role that it took; `role` is the latest, "" before any
    marks     (peer, topic) -> word: the marks on its links now; topic "" for none
    paths     key -> (hops, word): the paths that it states now
    calls     all calls that were made, see `FakeCall`; a request is not in `sent`
    replies   (ticket, answer)
    malformed for each message that was sent or given and is not what its annotations say: why. Nobody gets it
    emitted   values that a component emitted. Values of a component of `peer` are passed to its `@on` handlers too

    `peer` is the one that a test last used, by `start`, `give`, `tick`, `ask`, `wait` or `act`.

    `now_us`, `cause`, `options`, `numbers`, `library`, `line`, `machine`, `stopped_us` and `busy` may be set by the
    test; hosts of nodes that exchange messages have the same `numbers`.
    """

    def __init__(self, me: PeerId = 0, options: Any = None, library: Any = None, seed: int = 1) -> None:
        self.me = me
        self.options = options
        self.numbers = Numbers()
        self.library: Any = FakeLibrary() if library is None else library
        self.line = Line()
        self.machine = Machine()
        self.stopped_us: int | None = None
        self.addresses: dict[PeerId, int] = {}
        """Addresses that a test sets; others are drawn."""
        self.costs: dict[PeerId, int] = {}
        """Costs of links that a test sets; others are 1."""
        self.delays_ms: dict[PeerId, int] = {}
        """Latencies that a test sets; others are 1 ms."""
        self.limits: dict[PeerId, tuple[int, int]] = {}
        """Rate and buffer of each link that the peer has limited."""
        self.seed = seed
        self.rng = Stream(f"{seed}/tape/{me}")
        self.now_us = 0
        self.cause: Cause = 0
        self.sent = SentMessages()
        self.busy = False
        self.uplink: list[tuple[PeerId, Any]] = []
        self.causes: list[CauseLike] = []
        self.parts: list[Part | None] = []
        self.vias: list[PeerId | None] = []
        self.open_asks: list[CauseLike] = []
        self._asks = FIRST_BEGUN
        self._begun: dict[tuple[str, object], Cause] = {}
        self.timers: list[FakeTimer] = []
        self.linked: list[PeerId] = []
        self.unlinked: list[PeerId] = []
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.roles: list[str] = []
        self.marks: dict[tuple[PeerId, str], str] = {}
        self.paths: dict[Hashable, tuple[tuple[PeerId, ...], str]] = {}
        self.calls: list[FakeCall] = []
        self.replies: list[tuple[Ticket, Any]] = []
        self.malformed: list[str] = []
        self._request: Ticket | None = None
        self._token = 0
        self.emitted: list[object] = []
        self.peer: Peer | None = None
        self._component_hosts: dict[type[Component], Any] = {}

    # --- what a peer may call ----------------------------------------------------------------------------

    def send(
        self,
        to: PeerId,
        message: object,
        *,
        cause: CauseLike = INHERIT,
        part: Part | None = None,
        via: PeerId | None = None,
    ) -> None:
        """Record a message."""
        if self._is_malformed(message):
            return
        self.sent.append((to, message))
        (self.uplink if self.busy else self.sent.left).append((to, message))
        self.causes.append(0 if (part or str(getattr(message, "part", ""))) == "upkeep" else self._resolved(cause))
        self.parts.append(part)
        self.vias.append(via)

    def multicast(
        self, to: Iterable[PeerId], message: object, *, cause: CauseLike = INHERIT, part: Part | None = None
    ) -> None:
        """Record a message to each of them."""
        for one in to:
            self.send(one, message, cause=cause, part=part)

    def queued(self, to: PeerId) -> int:
        """Bytes for a peer in `uplink`."""
        return sum(encoded_size(message) for one, message in self.uplink if one == to)

    def limit(self, to: PeerId, kbit_s: int, queue_bytes: int) -> None:
        """Record the limit of a link in `limits`."""
        self.limits[to] = (kbit_s, queue_bytes)

    def kbit_s(self, to: PeerId) -> int:
        """The rate in `limits`, 0 without one."""
        return self.limits.get(to, (0, 0))[0]

    def withdraw(self, to: PeerId, message: object) -> bool:
        """Remove the last message that equals this one from `uplink` and `sent`."""
        if (to, message) not in self.uplink:
            return False
        _remove_last(self.uplink, (to, message))
        at = _remove_last(self.sent, (to, message))
        if at is not None:
            del self.causes[at], self.parts[at], self.vias[at]
        return True

    def after(self, delay_us: int, tick: object, *, cause: CauseLike = INHERIT) -> FakeTimer:
        """Set a timer that runs once."""
        timer = FakeTimer(self.now_us + checked_delay_us(delay_us), tick, self._resolved(cause))
        self.timers.append(timer)
        return timer

    def after_s(self, delay_s: float, tick: object, *, cause: CauseLike = INHERIT) -> FakeTimer:
        """The same in seconds."""
        return self.after(us_of(delay_s, "after_s"), tick, cause=cause)

    def every(self, period_us: int, tick: object, *, phase: int | None = None) -> FakeTimer:
        """Set a timer that runs each period; here first after one whole period, unless a phase is given."""
        period = checked_period_us(period_us)
        first = period if phase is None else (int(phase) - self.now_us) % period or period
        timer = FakeTimer(self.now_us + first, tick, 0, period)
        self.timers.append(timer)
        return timer

    def every_s(self, period_s: float, tick: object, *, phase: int | None = None) -> FakeTimer:
        """The same in seconds."""
        return self.every(us_of(period_s, "every_s"), tick, phase=phase)

    def blob(self, file: File, offset: int, size: int) -> Blob:
        """Data of a file, as its library serves it."""
        return Blob(size, part_of(self.library.serves(file).digest, offset))

    def cancel(self, timer: Any) -> None:
        """Cancel a timer or a call; nothing happens if it is over."""
        if isinstance(timer, FakeCall):
            timer.over = timer.over or "cancelled"
        elif timer in self.timers:
            self.timers.remove(timer)

    def call(
        self,
        to: PeerId,
        request: object,
        *,
        timeout_us: int | Sequence[int] | None = None,
        timeout_s: float | Sequence[float] | None = None,
        context: object = None,
        answers: int | None = 1,
        cause: CauseLike = INHERIT,
        via: PeerId | None = None,
        part: Part | None = None,
    ) -> FakeCall:
        """Record a call. It is answered by `answer`; its time is over by `wait` or `time_out`."""
        waits = waits_of(timeout_us, timeout_s)
        self._is_malformed(request)
        made = FakeCall(to, request, context, answers, waits, self._resolved(cause), self.now_us + waits[0])
        self.calls.append(made)
        return made

    @property
    def request(self) -> Ticket:
        """The request that is being handled, see `give_request`. Raises NothingToReplyTo outside of one."""
        if self._request is None:
            raise NothingToReplyTo("there is no request to answer: give it with FakeHost.give_request")
        return self._request

    def reply(self, answer: object, *, to: Ticket | None = None) -> None:
        """Record an answer, unless the request was sent without a call, so that nobody waits. Raises NothingToReplyTo
        without a ticket where no request is being handled."""
        ticket = self.request if to is None else to
        if not self._is_malformed(answer) and ticket.token != NOBODY_WAITS:
            self.replies.append((ticket, answer))

    def address(self, peer: PeerId) -> int:
        """What the test set in `addresses`, else an address anywhere."""
        return self.addresses.get(peer, address_of(self.seed, peer, None, ""))

    def cost(self, peer: PeerId) -> int:
        """What the test set in `costs`, else 1."""
        return self.costs.get(peer, 1)

    def delay_ms(self, peer: PeerId) -> int:
        """What the test set in `delays_ms`, else 1."""
        return self.delays_ms.get(peer, 1)

    def link(self, to: PeerId) -> None:
        """Record an opened stream."""
        self.linked.append(to)

    def unlink(self, to: PeerId) -> None:
        """Record a closed stream. Its marks are removed."""
        self.unlinked.append(to)
        self.marks = {key: word for key, word in self.marks.items() if key[0] != to}

    def set_role(self, role: str) -> None:
        """Record a change of role. Raises ValueError for a role without a visible character."""
        self.roles.append(role_text(role))

    @property
    def role(self) -> str:
        """The role it took last, "" if it took none."""
        return self.roles[-1] if self.roles else ""

    def mark(self, to: PeerId, word: str = "", *, topic: str | None = None) -> None:
        """Record a mark on a link; "" removes it."""
        self.marks.pop((to, topic or ""), None)
        if word:
            self.marks[to, topic or ""] = word

    def remark(self, key: str, value: str, *, cause: CauseLike = INHERIT) -> None:
        """Record a remark on an ask."""
        self.notes.append(("remark", {"key": key, "value": value}))

    def path(self, key: Hashable, hops: Sequence[PeerId], word: str = "", *, onward: bool = False) -> None:
        """Record a path; without hops it is removed."""
        self.paths.pop(key, None)
        if hops:
            self.paths[key] = (tuple(hops), word)

    def begin(self, text: str, goal: Goal, *, key: object = None) -> Cause:
        """Record an ask that the network opens. Its cause is a new number; the same goal and key give the same one."""
        known = None if key is None else self._begun.get((goal.name, key))
        if known is not None:
            return known
        self._asks += 1
        made = self._asks
        if key is not None:
            self._begun[goal.name, key] = made
        self.notes.append(("begin", {"text": text, "goal": goal.name, "key": key}))
        return made

    def hit(self, holder: PeerId, content: str, *, by: PeerId | None = None, cause: CauseLike = INHERIT) -> None:
        """Record a hit; `by` is among its facts where it is given."""
        check_holder("hit", holder)
        self.notes.append(("hit", {"holder": holder, "content": content, **({} if by is None else {"by": by})}))

    def unhit(self, holder: PeerId, *, cause: CauseLike = INHERIT) -> None:
        """Record a hit that is taken back."""
        check_holder("unhit", holder)
        self.notes.append(("unhit", {"holder": holder}))

    def progress(self, done: float, of: float, *, cause: CauseLike = INHERIT) -> None:
        """Record progress."""
        self.notes.append(("progress", {"done": done, "of": of}))

    def fetched(self, holder: PeerId, content: str, *, cause: CauseLike = INHERIT) -> None:
        """Record what has come completely."""
        check_holder("fetched", holder)
        self.notes.append(("fetched", {"holder": holder, "content": content}))

    def decoy(self, holder: PeerId, content: str, *, cause: CauseLike = INHERIT) -> None:
        """Record a decoy."""
        check_holder("decoy", holder)
        self.notes.append(("decoy", {"holder": holder, "content": content}))

    def failed(self, why: str, *, cause: CauseLike = INHERIT) -> None:
        """Record a failure."""
        self.notes.append(("failed", {"why": why}))

    def keep_open(self, cause: CauseLike = INHERIT) -> None:
        """Add a cause to `open_asks`, once."""
        if (one := self._resolved(cause)) not in self.open_asks:
            self.open_asks.append(one)

    def let_close(self, cause: CauseLike = INHERIT) -> None:
        """Remove a cause from `open_asks`."""
        if (one := self._resolved(cause)) in self.open_asks:
            self.open_asks.remove(one)

    def duplicate(self, cause: CauseLike = INHERIT) -> None:
        """Record a duplicate."""
        self.notes.append((DUPLICATE, {}))

    def log(self, kind: str, *, cause: CauseLike = INHERIT, **facts: Any) -> None:
        """Record a line of the event log."""
        self.notes.append((kind, facts))

    @property
    def program(self) -> Peer | None:
        """The peer that acts through this host, as far as it is known."""
        return self.peer

    def inside(self, component: Component) -> Any:
        """The host of a component."""
        kind = type(component)
        return self._component_hosts.setdefault(kind, _FakeComponentHost(self, component))

    def emit(self, value: object) -> None:
        """Record a value that was emitted by a component that is tested without an owner."""
        self.emitted.append(value)

    # --- what a test may call -----------------------------------------------------------------------------

    def start(self, peer: Peer, contacts: Sequence[PeerId] = (), saved: object | None = None) -> None:
        """The process starts: its components, and then the peer."""
        self.peer = peer
        programs.start(peer, self, contacts, saved)

    def act(self, peer: Peer, verb: str, /, **values: object) -> None:
        """A person does something with the peer, as by the command `Act`. Raises InputError as that does."""
        self.peer = peer
        programs.act(peer, self, verb, programs.read_values(type(peer), verb, values, "act"))

    def neighbours(self, peer: Peer, links: Sequence[PeerId]) -> None:
        """These links are open when the run begins; called after `start`."""
        self.peer = peer
        programs.neighbours(peer, self, tuple(links))

    def open(self, peer: Peer, other: PeerId) -> None:
        """A stream with another is open that was not."""
        self.peer = peer
        programs.opened(peer, self, other)

    def end(self, peer: Peer, other: PeerId) -> None:
        """The other end closed its stream, or died."""
        self.peer = peer
        programs.closed(peer, self, other)

    def give(self, peer: Peer, message: object, sender: PeerId, cause: Cause | None = None) -> None:
        """A message arrives. Raises KeyError when the peer has no handler for it."""
        self.peer = peer
        if cause is not None:
            self.cause = cause
        if self._is_malformed(message):
            return
        without_call = self._request is None and type(message) in {**type(peer).replies, **type(peer).timeouts}
        if without_call:
            self._request = Ticket(sender, NOBODY_WAITS, self.cause, type(message).__name__)
        try:
            said = type(peer).handlers[type(message)](peer, self, sender, message)
        finally:
            if without_call:
                self._request = None
        if said == DUPLICATE:
            self.duplicate()
        elif said is not None:
            raise TypeError(f"a handler of {type(message).__name__} returned {said!r}: it may return DUPLICATE or None")

    def give_request(self, peer: Peer, message: object, sender: PeerId, cause: Cause | None = None) -> Ticket:
        """A request arrives that waits for an answer. Returns its ticket, to find its answers in `replies`."""
        if cause is not None:
            self.cause = cause
        self._token += 1
        ticket = self._request = Ticket(sender, self._token, self.cause, type(message).__name__)
        try:
            self.give(peer, message, sender)
        finally:
            self._request = None
        return ticket

    def answer(self, peer: Peer, call: FakeCall, answer: object, sender: PeerId | None = None) -> None:
        """The answer to a call arrives, from the peer that was called unless `sender` is another one. As in a network,
        nothing happens if the call is over, the sender is not the peer that was called, or the handler does not take
        such an answer."""
        if call.over or sender not in (None, call.to) or self._is_malformed(answer):
            return
        handler = type(peer).replies.get(type(call.request))
        if handler is not None and (kinds := answer_kinds_of(handler)) and not isinstance(answer, kinds):
            return
        call.answered += 1
        if call.left is not None:
            call.left -= 1
        if call.left == 0:
            call.over = "answered"
        else:
            call.due_us = self.now_us + call.waits_us[call.tries - 1]
        self.cause = call.cause if isinstance(call.cause, int) else 0
        said = None if handler is None else handler(peer, self, call.to, answer, call.context)
        if said == DUPLICATE:
            self.duplicate()

    def time_out(self, peer: Peer, call: FakeCall, reason: CallEnd = "silent") -> None:
        """A call ends without its answers; nothing happens if it is over."""
        if call.over:
            return
        call.over = reason
        handler = type(peer).timeouts.get(type(call.request))
        self.cause = call.cause if isinstance(call.cause, int) else 0
        on_answer = type(peer).replies.get(type(call.request))
        if handler is not None:
            handler(peer, self, call.to, call.context, reason)
        elif on_answer is not None and takes_none(on_answer):
            on_answer(peer, self, call.to, None, call.context)

    def tick(self, peer: Peer, tick: object) -> None:
        """Run the handler of a tick, whether a timer was set or not. Raises NetworkFault when the peer has none."""
        self.peer = peer
        if type(tick) not in type(peer).handlers:
            raise no_tick_handler(type(peer), tick)
        type(peer).handlers[type(tick)](peer, self, tick)

    def ask(self, peer: Peer, ask: Ask) -> None:
        """A user wants something. The cause becomes the number of the ask."""
        self.peer = peer
        self.cause = ask.id
        peer.ask(self, ask)

    def refuse(self, peer: Peer, to: PeerId, message: object) -> None:
        """A message that the peer sent is refused."""
        self.peer = peer
        programs.refused(peer, self, to, message)

    def wait(self, peer: Peer, for_us: int) -> None:
        """Let time pass and run what falls due, each with the cause with which it was set: timers, and the timeouts of
        calls, after which a call is tried again as long as it has tries left."""
        until = self.now_us + for_us
        while True:
            timer = min((one for one in self.timers if one.at_us <= until), key=lambda one: one.at_us, default=None)
            call = min(self._calls_due(until), key=lambda one: one.due_us, default=None)
            if timer is not None and (call is None or timer.at_us <= call.due_us):
                self._run_timer(peer, timer)
            elif call is not None:
                self._run_call(peer, call)
            else:
                break
        self.now_us = until
        self.cause = 0

    def drain(self) -> None:
        """The uplink sends all that waits for it."""
        self.sent.left += self.uplink
        self.uplink.clear()

    def _calls_due(self, until_us: int) -> list[FakeCall]:
        return [call for call in self.calls if not call.over and call.due_us <= until_us]

    def _run_timer(self, peer: Peer, timer: FakeTimer) -> None:
        self.now_us = max(self.now_us, timer.at_us)
        if timer.period_us:
            timer.at_us += timer.period_us
        else:
            self.timers.remove(timer)
        self.cause = timer.cause if isinstance(timer.cause, int) else 0
        self.tick(peer, timer.tick)

    def _run_call(self, peer: Peer, call: FakeCall) -> None:
        self.now_us = max(self.now_us, call.due_us)
        if call.tries < len(call.waits_us) and not call.answered:
            call.tries += 1
            call.due_us = self.now_us + call.waits_us[call.tries - 1]
        else:
            self.time_out(peer, call)

    def take(self) -> list[tuple[PeerId, Any]]:
        """What was sent since the last call; the record is emptied."""
        taken = list(self.sent)
        self.sent.clear()
        self.causes.clear()
        self.parts.clear()
        self.vias.clear()
        return taken

    def noted(self, kind: str) -> list[dict[str, Any]]:
        """The facts of each note of one kind."""
        return [facts for each, facts in self.notes if each == kind]

    def _is_malformed(self, message: object) -> bool:
        why = why_malformed(message) if isinstance(message, Message) else ""
        if why:
            self.malformed.append(why)
        return bool(why)

    def _resolved(self, cause: CauseLike) -> CauseLike:
        if cause is INHERIT:
            return self.cause
        return 0 if cause is None else cause


def _remove_last(items: list[tuple[PeerId, Any]], item: tuple[PeerId, Any]) -> int | None:
    """Remove the last equal item. Returns where it was."""
    for at in range(len(items) - 1, -1, -1):
        if items[at] == item:
            del items[at]
            return at
    return None


class _FakeComponentHost(ComponentHost):
    """Records what is emitted, and hands it over."""

    __slots__ = ()

    def inside(self, component: Component) -> Any:
        if type(component) is self.kind:
            return self
        return self.component_hosts.setdefault(type(component), _FakeComponentHost(self, component))

    def emit(self, value: object) -> None:
        self.emitted.append(value)
        if self.outer.program is not None:
            super().emit(value)
