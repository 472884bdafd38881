"""What the checks use: a network with options as a value, hosts that record what a program does with them, and networks
that deliver messages out of order, twice or late."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any
from unittest import mock

from ...analysis.verdict import facts_of, own_verdict
from ...api import INHERIT, Beliefs, Goal, Peer, PeerId, Ticket
from ...commands import AskFor, Command, Leave
from ...measure.asks import AskRecord
from ...measure.events import Hit
from ...measure.snapshot import AskRow
from ...options import options_for
from ...programs import beliefs_of, saved_of
from ...registry import roles_of
from ...setup import ContentSpec, Setup
from ...sim.calls import Answered, Called, PendingCall, Wrapped
from ...sim.host import PeerHost
from ...sim.kernel import HOP_BITS, KernelTimer
from ...sim.links import SendPath
from ...sim.network import Network as Between
from ...simulation import StreamClosed
from ...swarm import Swarm
from .inside import containers, packed

SECOND = 1_000_000

RICH = ContentSpec(items=12, replicas=3.0, free_riders=0.0, file_mib=0.6)
"""Few titles and many copies, so that every ask can be answered. A file has some pieces or chunks, the last one shorter
than the others."""

TRIES = 4
"""Asks for an example of a goal."""

ITEMS_MOST = 2_000
"""Most items in any one container of a program. It is less than the number of asks of the long run (twice the last of
`manners.ASKS`), so that one item for each ask is too many."""


@dataclass(frozen=True)
class Variant:
    """A program and options that differ from the defaults."""

    program: type[Peer]
    options: dict[str, Any] = field(default_factory=dict)

    def programs(self) -> list[type[Peer]]:
        """All roles there are: an ordinary peer's first, then others that `cast` gives and those of the stations."""
        options = options_for(self.program, self.options, "options")
        stations = (one.program for one in self.program.stations(options, 8))
        return list(dict.fromkeys((*roles_of(self.program), *stations)))


def variants(program: type[Peer]) -> Iterator[Variant]:
    """A network with its default options, and with each option that adds a role when it is increased by two."""
    yield Variant(program)
    known = dict.fromkeys(Variant(program).programs())
    options = getattr(program, "options_type", None)
    for option in fields(options) if is_dataclass(options) else ():
        high = option.metadata.get("high")
        if type(option.default) is int and (high is None or option.default < high):
            some = option.default + 2 if high is None else min(option.default + 2, int(high))
            more = Variant(program, {option.name: some})
            if any(one not in known for one in more.programs()):
                known.update(dict.fromkeys(more.programs()))
                yield more


def collected(files: Mapping[str, Callable[[], Mapping[str, type[Peer]]]]) -> tuple[list[Variant], dict[str, str]]:
    """The networks of these files, each with its variants, and what went wrong: file or network -> error.

    files: name -> a function that returns the networks in it. If one raises, the others are checked all the same.
    """
    found: list[Variant] = []
    faults: dict[str, str] = {}
    for file, load in files.items():
        try:
            programs = load()
        except Exception as error:
            faults[file] = f"{type(error).__name__}: {error}"
            continue
        for name, program in programs.items():
            try:
                found += list(variants(program))
            except Exception as error:
                faults[name] = f"{type(error).__name__}: {error}"
    return found, faults


class Spied:
    """A swarm whose hosts record what programs do with them.

    messages   while `copying`: identity of each message sent -> the message, and its text at that time
    samples    while `sampling`: the last (sender, receiver, message) of each kind and role of sender
    late       what was done by peers that are not alive, and what was planned by peers that were leaving
    changed    messages that were changed after they were sent
    untrue     reports about an ask that cannot be true
    envelopes  while `sampling`: the class in which each kind of message was wrapped, None if it was sent as it is
    by_hand    answers to calls that were sent without `reply`
    wrong      wrong uses of calls
    """

    def __init__(
        self, network: Variant, way: type[Between] = Between, *, sampling: bool = False, **changes: Any
    ) -> None:
        self.messages: dict[int, tuple[Any, str]] = {}
        self.samples: dict[tuple[type, str], tuple[PeerId, PeerId, Any]] = {}
        self.late: list[str] = []
        self.stray: list[str] = []
        """Marks on links that nobody has."""
        self.changed: list[str] = []
        self.envelopes: dict[tuple[type, str], type[Wrapped] | None] = {}
        self.by_hand: dict[int, Any] = {}
        self.requests: dict[tuple[PeerId, int], int] = {}
        self.wrong: list[str] = []
        self.untrue: list[str] = []
        self.leaving: PeerId | None = None
        self.copying = False
        self.sampling = sampling
        self.simulation: Any = None
        """None while the swarm is made."""
        values: dict[str, Any] = {
            "peers": 12,
            "seed": 5,
            "asks_per_s": 0.0,
            "content": RICH,
            "options": network.options,
            **changes,
        }
        with mock.patch("engine.simulation.PeerHost", self.spy()), mock.patch("engine.simulation.Network", way):
            self.swarm = Swarm(Setup(**values), network.program)
        self.simulation = self.swarm.simulation

    def spy(self) -> type[PeerHost]:
        spied = self

        class Spy(PeerHost):
            __slots__ = ()

            def send(self, to: PeerId, message: Any, **kw: Any) -> None:
                # `send` need not call `multicast`. If it does, the message is recorded twice, which does no harm.
                self.spied((to,), message)
                super().send(to, message, **kw)

            def multicast(self, to: Iterable[PeerId], message: Any, **kw: Any) -> None:
                many = tuple(to)
                self.spied(many, message)
                super().multicast(many, message, **kw)

            def call(self, to: PeerId, request: Any, **kw: Any) -> PendingCall:
                spied.act(self.me, "made a call", plan=True)
                made = super().call(to, request, **kw)
                spied.calls_for(made)
                return made

            def reply(self, answer: Any, *, to: Ticket | None = None) -> None:
                ticket = to or self.request
                spied.replied(ticket.sender, ticket.token, self)
                super().reply(answer, to=to)

            def spied(self, many: tuple[PeerId, ...], message: Any) -> None:
                # This runs for every message of every check.
                envelope: type[Wrapped] | None = None
                frm, handled = self.kernel.envelope[:2]
                if isinstance(message, Wrapped):
                    envelope = Called if isinstance(message, Called) else Answered
                    message = message.message
                elif message.part == "answer" and isinstance(handled, Called):
                    spied.by_hand[id(message)] = message
                if id(handled) in spied.by_hand and not spied.waits(self, frm):
                    spied.wrong.append(
                        f"#{self.me} acted on a {handled.kind} when its call had ended, at {self.now_us} us"
                    )
                simulation = spied.simulation
                if simulation is not None and simulation.programs[self.me] is None:
                    spied.act(self.me, f"sent {type(message).__name__}")
                if spied.copying:
                    spied.sent(message)
                # In the check with nonsense the receiver of an answer may not exist.
                if many and spied.sampling and type(many[0]) is int and 0 <= many[0] < len(self.kernel.peers):
                    role = "" if simulation is None else simulation.program_types[self.me].role
                    spied.samples[type(message), role] = (self.me, many[0], message)
                    spied.envelopes[type(message), role] = envelope

            def after(self, delay_us: int, tick: Any, **kw: Any) -> KernelTimer:
                spied.act(self.me, "set a timer", plan=True)
                return super().after(delay_us, tick, **kw)

            def every(self, period_us: int, tick: Any, *, phase: int | None = None) -> KernelTimer:
                spied.act(self.me, "set a timer", plan=True)
                return super().every(period_us, tick, phase=phase)

            def mark(self, to: PeerId, word: str = "", *, topic: str | None = None) -> None:
                if not spied.linked(self, to):
                    spied.stray.append(f'#{self.me} marked #{to} "{word}" on nobody\'s link')
                super().mark(to, word, topic=topic)

            def link(self, to: PeerId) -> None:
                spied.act(self.me, "opened a stream", plan=True)
                super().link(to)

            def hit(self, holder: PeerId, content: str, **kw: Any) -> None:
                self.tells("a hit", **kw)
                super().hit(holder, content, **kw)

            def unhit(self, holder: PeerId, **kw: Any) -> None:
                for record in self.tells("that a hit is taken back", **kw):
                    if holder not in record.hits:
                        spied.untrue.append(
                            f"#{self.me} took back a hit of #{holder}, which was none of ask {record.id}"
                        )
                super().unhit(holder, **kw)

            def progress(self, done: float, of: float, **kw: Any) -> None:
                for record in self.tells("progress", **kw):
                    if not 0 <= done <= of:
                        spied.untrue.append(f"#{self.me} told that {done} of {of} are done of ask {record.id}")
                    if of == record.of and done < record.done:
                        spied.untrue.append(f"#{self.me} told {done} after {record.done} of {of} of ask {record.id}")
                super().progress(done, of, **kw)

            def fetched(self, holder: PeerId, content: str, **kw: Any) -> None:
                self.tells("what it fetched", **kw)
                super().fetched(holder, content, **kw)

            def decoy(self, holder: PeerId, content: str, **kw: Any) -> None:
                self.tells("a decoy", **kw)
                super().decoy(holder, content, **kw)

            def failed(self, why: str, **kw: Any) -> None:
                self.tells("a failure", **kw)
                super().failed(why, **kw)

            def log(self, kind: str, **facts: Any) -> None:
                self.after_its_call(kind)
                spied.act(self.me, f"logged {kind}")
                super().log(kind, **facts)

            def tells(self, what: str, **kw: Any) -> list[AskRecord]:
                """The records of the asks about which this peer reports something, which have to be its own."""
                self.after_its_call(what)
                spied.act(self.me, f"told {what}")
                sim = spied.simulation
                records = [sim.records[cause >> HOP_BITS] for cause in self._causes(kw.get("cause", INHERIT))]
                for record in records:
                    if self.me != record.origin and self.me not in sim.joined_asks.get(record.id, ()):
                        told = f"#{self.me} told {what} of ask {record.id}, which began at #{record.origin}"
                        spied.untrue.append(told)
                return records

            def after_its_call(self, what: str) -> None:
                """Note what is done on an answer that was sent without `reply` and came when its call had ended."""
                handled = self.kernel.envelope[1]
                if id(handled) in spied.by_hand and not spied.waits(self, self.kernel.envelope[0]):
                    spied.wrong.append(f"#{self.me} acted on a {handled.kind} when its call had ended: {what}")

        return Spy

    @staticmethod
    def waits(host: PeerHost, peer: PeerId) -> bool:
        """Whether a call of this host waits for an answer of a peer."""
        return any(call.to == peer for call in host.calls.values())

    def calls_for(self, call: PendingCall) -> None:
        """A call was made: check that its context is plain data."""
        if call.context is None:
            return
        try:
            packed(call.context)
        except Exception as error:
            self.wrong.append(f"the context of a {call.request.kind} is no plain data: {type(error).__name__}: {error}")

    def replied(self, to: PeerId, token: int, host: PeerHost) -> None:
        """An answer was sent: check that for each arrival of a request there are at most as many as the call asked
        for."""
        host_of_caller = self.simulation.peer_hosts[to]
        call = host_of_caller.calls.get(token)
        if call is None or call.left is None:
            return
        count = self.requests[to, token] = self.requests.get((to, token), 0) + 1
        if count > call.tries * (call.left + call.answers):
            self.wrong.append(f"#{host.me} answered a {call.request.kind} {count} times")

    @staticmethod
    def linked(host: PeerHost, to: PeerId) -> bool:
        """Whether a peer has a stream with another one, or does not know yet that it was closed, or has it as a
        contact."""
        simulation: Any = host.shared.owner
        if to in simulation.streams.near[host.me]:
            return True
        ticks = (getattr(timer, "tick", None) for timers in host.kernel.timers.values() for timer in timers)
        if any(isinstance(tick, StreamClosed) and (tick.peer, tick.other) == (host.me, to) for tick in ticks):
            return True
        program = simulation.programs[host.me]
        return type(program).contacts is not Peer.contacts and to in (program.contacts() or ())

    def act(self, me: PeerId, what: str, plan: bool = False) -> None:
        if self.simulation is None:
            return
        if self.simulation.programs[me] is None:
            self.late.append(f"#{me} {what} when it was no more")
        elif plan and me == self.leaving:
            self.late.append(f"#{me} {what} while it said goodbye")

    def sent(self, message: Any) -> None:
        known = self.messages.setdefault(id(message), (message, repr(message)))
        if known[1] != repr(message):
            self.changed.append(f"{known[1]} became {message!r} and was sent again")

    def do(self, *commands: Command) -> None:
        for command in commands:
            self.swarm.do(command)

    def leave(self, peer: PeerId) -> None:
        self.leaving = peer
        self.swarm.do(Leave(peer))
        self.leaving = None

    def run(self, seconds: float, budget: int | None = None) -> None:
        """Run for so long, in slices of at most so many events if a budget is given."""
        until_us = self.swarm.now_us + round(seconds * SECOND)
        while budget is not None and self.swarm.advance(until_us, budget) >= budget:
            pass
        self.swarm.advance(until_us)

    def title(self, number: int = 0) -> str:
        return self.swarm.catalogue_titles(12)[number % 12]

    def living(self) -> list[tuple[PeerId, Peer]]:
        return [(p, program) for p, program in enumerate(self.simulation.programs) if program is not None]

    def largest(self) -> int:
        """Items in the largest container of any program that keeps no ledger."""
        kept = (program for _, program in self.living() if not program.ledger)
        return max((size for program in kept for _, size in containers(program)), default=0)

    def kept_open(self) -> list[str]:
        """Which peers keep which asks open."""
        return [
            f"#{host.me} keeps ask {ask} open" for host in self.simulation.peer_hosts for ask in host.kept_open or ()
        ]

    def look(self) -> None:
        """Read from every peer what a screen, a checkpoint and a kill read, and check that no container is too
        large."""
        for peer, program in self.living():
            assert isinstance(beliefs_of(program), Beliefs), f"#{peer} does not say what it believes"
            pickle.dumps(saved_of(program))
            for path, size in () if program.ledger else containers(program):
                assert size <= ITEMS_MOST, f"#{peer} holds {size} items in {path}"

    def answered(self, tries: int = 4) -> bool:
        """Whether one of a few asks finds what it asked for, or a broadcast reaches half of all users."""
        first = len(self.swarm.asks())
        peers = [p for p, _ in self.living() if not self.simulation.infrastructure[p]]
        for number in range(tries):
            self.do(AskFor(peers[number * 3 % len(peers)], self.title(number)))
            self.run(3)
            if any(self.found(row) for row in self.swarm.asks()[first:]):
                return True
        self.run(12)
        return any(self.found(row) for row in self.swarm.asks()[first:])

    def served(self, goal: Goal) -> bool:
        """Whether one of a few asks with a goal, for its examples, is answered or reaches half of all users; or whether
        the network states for each of them why it is not answered."""
        texts = self.swarm.examples(TRIES, goal.name)
        peers = [p for p, _ in self.living() if not self.simulation.infrastructure[p]]
        first = len(self.swarm.asks())
        for number, text in enumerate(texts):
            self.do(AskFor(peers[number * 3 % len(peers)], text, goal.name))
            self.run(3)
        self.run(max(12, 2 * goal.success_s))
        rows = [self.simulation.records[row.id] for row in self.swarm.asks()[first:]]
        for row in rows:
            if row.hits if row.sought == "answer" else row.reached * 2 >= len(peers):
                return True
        return all(row.setback or own_verdict(self.simulation, row, facts_of(self.simulation, row)) for row in rows)

    def recovers(self, within_s: float) -> bool:
        """Whether it answers within `within_s` seconds: this is tried at once, and after each quarter of them."""
        until_us = self.swarm.now_us + round(within_s * SECOND)
        while self.swarm.now_us < until_us:
            if self.answered(6):
                return True
            self.swarm.advance(min(until_us, self.swarm.now_us + round(within_s / 4 * SECOND)))
        return self.answered(6)

    def found(self, row: AskRow) -> bool:
        """Whether an ask for the exact title of a file was answered with that title by a peer that has it (or by a
        server that has everything), or a broadcast reached half of all users."""
        if row.sought == "share":
            return row.reached * 2 >= sum(not flag for flag in self.simulation.infrastructure)
        return any(hit.content == row.text and self.has(hit.holder, row.text) for hit in self.hits(row))

    def hits(self, row: AskRow) -> list[Hit]:
        """The hits of an ask, as far as the event log goes back."""
        return [event for event in self.swarm.events() if isinstance(event, Hit) and event.ask == row.id]

    def has(self, peer: PeerId, title: str) -> bool:
        """Whether a peer has a file that is called exactly so, or everything; in a network without files, whether its
        program says that it has it."""
        kind, program = self.simulation.program_types[peer], self.simulation.programs[peer]
        if kind.has_all or any(file.name == title for file in self.simulation.libraries[peer].files()):
            return True
        return not kind.shares_files and program is not None and bool(program.keeps(title))

    def unanswered(self) -> str:
        """What happened to the asks instead of an answer, as the end of a sentence."""
        rows = self.swarm.asks()
        if rows and rows[0].sought == "share":
            most = max(rows, key=lambda row: row.reached)
            return (
                f"{most.reached} of {self.simulation.n} peers heard of it at most, and half of all users are expected"
            )
        for row in rows:
            for hit in self.hits(row):
                if hit.content != row.text:
                    return f'an ask for "{row.text}" was told a hit of "{hit.content}", and the text is expected'
                kind = self.simulation.program_types[hit.holder]
                lacks = "no file that is called so" if kind.shares_files else "it not, as its `keeps` returns False"
                return f'the hit for "{row.text}" names #{hit.holder}, which has {lacks}'
        asked = sum(row.messages for row in rows)
        sent = f"the {len(rows)} asks sent {asked} questions" if asked else "no ask sent a question"
        return f"no hit was told; {sent}"


class RoughWires(Between):
    """Datagrams overtake each other and some come twice."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if self.links.path is SendPath.FAST:
            self.links.path = SendPath.GENERAL

    def post_all(self, frm: PeerId, to: Iterable[PeerId], envelope: Any) -> None:
        if envelope[1].over == "stream":
            super().post_all(frm, to, envelope)
            return
        links, kernel = self.links, self.kernel
        for one in tuple(to):
            for _ in range(2 if links.rng.random() < 0.3 else 1):
                at_us = kernel.now_us + 1 + int(links.delay_us(frm, one) * links.rng.uniform(0.1, 9.0))
                kernel.post(at_us, one, envelope)
                envelope[4].pending += 1
            envelope[4].pending -= 1


class LateWires(Between):
    """A message to a peer that waits for an answer of the sender arrives after the call has ended."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if self.links.path is SendPath.FAST:
            self.links.path = SendPath.GENERAL
        self.last_us: dict[tuple[PeerId, PeerId], int] = {}

    def post_all(self, frm: PeerId, to: Iterable[PeerId], envelope: Any) -> None:
        kernel = self.kernel
        for one in to:
            host = kernel.hosts[one]
            waits = [call for call in host.calls.values() if call.to == frm] if host is not None else []
            if waits or self.last_us.get((frm, one), 0) > kernel.now_us:
                over_us = [call.due_us + sum(call.waits_us[call.tries :]) + 1 for call in waits]
                at_us = max(kernel.now_us + self.links.delay_us(frm, one), self.last_us.get((frm, one), 0), *over_us, 0)
                self.last_us[frm, one] = at_us
                kernel.post(at_us, one, envelope)
            else:
                super().post_all(frm, (one,), envelope)
