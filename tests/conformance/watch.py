"""How to watch a swarm: a network as a value, hosts that tell what is asked of them, and a rough wire."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from unittest import mock

from engine import AskFor, AskRow, Beliefs, Command, ContentSpec, Hit, Leave, Peer, PeerId, Setup, Swarm
from engine.sim.host import PeerHost
from engine.sim.kernel import KernelTimer
from engine.sim.links import SendPath
from engine.sim.network import Network as Between
from engine.simulation import StreamClosed

from .inside import containers

SECOND = 1_000_000

RICH = ContentSpec(items=12, replicas=3.0, free_riders=0.0)
"""Few titles and many copies: whoever asks can be answered."""

ITEMS_MOST = 2_000
"""In any one container of a program. Fewer than the asks of the long run (twice the last of `manners.ASKS`), so that
one kept for each is too many."""


@dataclass(frozen=True)
class Network:
    """A program and options that differ from the defaults."""

    program: type[Peer]
    options: dict[str, Any] = field(default_factory=dict)

    def programs(self) -> list[type[Peer]]:
        """All roles there are: an ordinary peer's first, then those of the stations."""
        options = self.program.options_type(**self.options)
        return list(dict.fromkeys((self.program, *(one.program for one in self.program.stations(options, 8)))))


def variants(program: type[Peer]) -> Iterator[Network]:
    """A network as it is, and with each option of which some more brings a role into it that was not there."""
    yield Network(program)
    known = dict.fromkeys(Network(program).programs())
    for option in fields(program.options_type):
        high = option.metadata.get("high")
        if type(option.default) is int and (high is None or option.default < high):
            some = option.default + 2 if high is None else min(option.default + 2, int(high))
            more = Network(program, {option.name: some})
            if any(one not in known for one in more.programs()):
                known.update(dict.fromkeys(more.programs()))
                yield more


def collected(files: Mapping[str, Callable[[], Mapping[str, type[Peer]]]]) -> tuple[list[Network], dict[str, str]]:
    """The networks of these files, each with its variants, and what went wrong: file or network -> error.

    files: name -> what returns the networks in it. One that raises does not keep the others from being checked.
    """
    found: list[Network] = []
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
    """A swarm whose hosts tell what is asked of them. `messages` maps the identity of each message sent to itself and
    what it read like then; `samples` holds the last (sender, receiver, message) of each kind
    and role of sender; `late` what was done by
    peers that are not alive, or that are and plan beyond their farewell."""

    def __init__(self, network: Network, way: type[Between] = Between, **changes: Any) -> None:
        self.messages: dict[int, tuple[Any, str]] = {}
        self.samples: dict[tuple[type, str], tuple[PeerId, PeerId, Any]] = {}
        self.late: list[str] = []
        self.stray: list[str] = []
        """Marks on links that nobody has."""
        self.changed: list[str] = []
        self.leaving: PeerId | None = None
        self.copying = False
        self.sampling = True
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
                # It need not pass through `multicast`, and is told twice where it does, which does no harm.
                self.spied((to,), message)
                super().send(to, message, **kw)

            def multicast(self, to: Iterable[PeerId], message: Any, **kw: Any) -> None:
                many = tuple(to)
                self.spied(many, message)
                super().multicast(many, message, **kw)

            def spied(self, many: tuple[PeerId, ...], message: Any) -> None:
                spied.act(self.me, f"sent {type(message).__name__}")
                if spied.copying:
                    spied.sent(message)
                # Nonsense is answered too, and then the receiver may be nobody.
                if many and spied.sampling and type(many[0]) is int and 0 <= many[0] < len(self.kernel.peers):
                    role = spied.simulation.program_types[self.me].role if hasattr(spied, "simulation") else ""
                    spied.samples[type(message), role] = (self.me, many[0], message)

            def after(self, delay_us: int, tick: Any, **kw: Any) -> KernelTimer:
                spied.act(self.me, "set a timer", plan=True)
                return super().after(delay_us, tick, **kw)

            def every(self, period_us: int, tick: Any) -> KernelTimer:
                spied.act(self.me, "set a timer", plan=True)
                return super().every(period_us, tick)

            def mark(self, to: PeerId, word: str = "", *, topic: str | None = None) -> None:
                if not spied.linked(self, to):
                    spied.stray.append(f'#{self.me} marked #{to} "{word}" on nobody\'s link')
                super().mark(to, word, topic=topic)

            def link(self, to: PeerId) -> None:
                spied.act(self.me, "opened a stream", plan=True)
                super().link(to)

            def note(self, kind: str, **facts: Any) -> None:
                spied.act(self.me, f"noted {kind}")
                super().note(kind, **facts)

        return Spy

    @staticmethod
    def linked(host: PeerHost, to: PeerId) -> bool:
        """Whether a peer has a stream with another, or does not know yet that it was closed, or it is a contact."""
        simulation: Any = host.shared.owner
        if to in simulation.streams.near[host.me]:
            return True
        ticks = (timer.tick for timers in host.kernel.timers.values() for timer in timers)
        if any(isinstance(tick, StreamClosed) and (tick.peer, tick.other) == (host.me, to) for tick in ticks):
            return True
        program = simulation.programs[host.me]
        return type(program).contacts is not Peer.contacts and to in (program.contacts() or ())

    def act(self, me: PeerId, what: str, plan: bool = False) -> None:
        simulation = getattr(self, "simulation", None)
        if simulation is None:
            return
        if simulation.programs[me] is None:
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

    def run(self, seconds: float) -> None:
        self.swarm.advance(self.swarm.now_us + round(seconds * SECOND))

    def title(self, number: int = 0) -> str:
        return self.swarm.catalogue_titles(12)[number % 12]

    def living(self) -> list[tuple[PeerId, Peer]]:
        return [(p, program) for p, program in enumerate(self.simulation.programs) if program is not None]

    def largest(self) -> int:
        """Items in the largest container of any program that keeps no ledger."""
        kept = (program for _, program in self.living() if not program.ledger)
        return max((size for program in kept for _, size in containers(program)), default=0)

    def look(self) -> None:
        """What a screen, a checkpoint and a kill ask of every peer."""
        for peer, program in self.living():
            assert isinstance(program.beliefs(), Beliefs), f"#{peer} does not say what it believes"
            pickle.dumps(program.saved())
            for path, size in () if program.ledger else containers(program):
                assert size <= ITEMS_MOST, f"#{peer} holds {size} items in {path}"

    def answered(self, tries: int = 4) -> bool:
        """Whether one of a few asks finds what it asked for, or half of all hear a broadcast."""
        first = len(self.swarm.asks())
        peers = [p for p, _ in self.living() if not self.simulation.infrastructure[p]]
        for number in range(tries):
            self.do(AskFor(peers[number * 3 % len(peers)], self.title(number)))
            self.run(3)
        self.run(12)
        return any(self.found(row) for row in self.swarm.asks()[first:])

    def found(self, row: AskRow) -> bool:
        """Whether an ask for the exact title of a file was answered with just that by a peer that has it (a server that
        has everything need not), or half of all users heard a broadcast."""
        if row.want == "broadcast":
            return row.reached * 2 >= sum(not flag for flag in self.simulation.infrastructure)
        hits = [event for event in self.swarm.events() if isinstance(event, Hit) and event.ask == row.id]
        return any(
            hit.content == row.text
            and (
                self.simulation.program_types[hit.holder].has_all
                or any(file.name == row.text for file in self.simulation.libraries[hit.holder].files())
            )
            for hit in hits
        )


class Rough(Between):
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
