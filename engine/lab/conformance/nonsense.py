"""A check with any value in any field of any message: what another peer sends need not be what the annotation says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import islice
from typing import Any

from ...api import Blob, File, PeerId, goals_to_ask
from ...commands import AskFor, Collude, Defect, Kill, Publish, Revive
from ...errors import InputError
from ...registry import messages_of
from ...sim.calls import Answered, Called, PendingCall, Wrapped, answered, called
from ...sim.encoding import why_malformed
from .watch import Spied, Variant


def deep(levels: int) -> Any:
    value: Any = ()
    for _ in range(levels):
        value = (value,)
    return value


BLOB: Any = Blob
FILE: Any = File
ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 10**6, 1 << 70, -(1 << 70), 2.5, float("nan"), float("inf"), "", "x", "\x1b[2J", "\ud800"),
    *(
        "x" * 70_000,
        b"",
        b"x" * 16,
        [],
        [[]],
        ["the"],
        {},
        {"a": []},
        (),
        (None,),
        ((1, "x"), ("y",)),
        deep(60),
        object(),
    ),
    *(Blob(0), Blob(-5), Blob(1 << 70, -1), BLOB("x", []), File("x", -1, 1), (File("x", 1, 1),), (FILE(None, [], {}),)),
    *(int, len),
)
"""Values of any type and size, for any field."""

FEW: tuple[Any, ...] = (None, -1, 1 << 70, float("nan"), "\ud800", [], (1, "x"), True)


def twisted(value: Any, depth: int = 2) -> Iterator[Any]:
    """Values of the right shape with one wrong value inside."""
    if isinstance(value, tuple) and value and depth:
        for at, each in enumerate(value[:6]):
            for odd in (*FEW, *twisted(each, depth - 1)):
                rest = (*value[:at], odd, *value[at + 1 :])
                yield type(value)(*rest) if hasattr(value, "_fields") else rest
        if not hasattr(value, "_fields"):
            yield value * 300
    elif is_dataclass(value) and not isinstance(value, type) and depth:
        for part in fields(value):
            for odd in FEW:
                yield replace(value, **{part.name: odd})


TEXTS = ("", " ", "\x1b[2J", "\ud800", "x" * 9_000, "the " * 3_000, "Ⅷ ß İ", "%s {0} \\", "-1")


def wrapped_as_sent(
    message: Any, envelope: type[Wrapped] | None, calls: dict[int, PendingCall], frm: PeerId
) -> list[Any]:
    """A message in the form in which its kind is sent: as it is, as a request, or as the answer to each open call to
    `frm`."""
    if envelope is Called:
        return [called(1 << 30, message)]
    if envelope is Answered:
        return [answered(call.token, message) for call in calls.values() if call.to == frm]
    return [message]


def survives_nonsense(network: Variant) -> None:
    """It survives any value in any field of any message, sent to every role by a neighbour and by a stranger, or
    refused by a dead peer; and any text that a user asks for."""
    made = Spied(network, sampling=True, peers=10)
    simulation, swarm = made.simulation, made.swarm
    word = made.title().split()[0]
    made.do(Collude((1, 4), word, 0.5))
    kinds = messages_of(network.program, *(simulation.program_types[station] for station in simulation.stations))
    stranger, number = 9, 0
    for command in (
        AskFor(2, made.title()),
        Publish(3, "another song"),
        AskFor(5, made.title(1)),
        Kill(8),
        Revive(8),
        Kill(8),
    ):
        made.do(command)
        made.run(2)
    for kind in kinds:
        for part in fields(kind):
            number += 1
            made.do(AskFor(number % 8, made.title(number)))
            made.run(0.06)
            made.sampling = False
            samples: list[Any] = [each for (one, _), each in made.samples.items() if one is kind]
            for sample in samples or [None]:
                for odd in (*ODD, *(twisted(getattr(sample[2], part.name)) if sample else ())):
                    message = replace(sample[2], **{part.name: odd}) if sample else kind(*(odd for _ in fields(kind)))
                    malformed = why_malformed(message)
                    for ban in (word, "x") if not malformed else ():
                        set(message.about())
                        message.without(ban)
                    pairs = [(stranger, number % 8), *((stranger, station) for station in simulation.stations)]
                    pairs += [(next(iter(simulation.streams.near[number % 8]), 0), number % 8)]
                    if sample:
                        pairs += [sample[:2], (sample[1], sample[0]), (sample[0], 8)]
                    envelope = made.envelopes.get((kind, simulation.program_types[sample[0]].role)) if sample else None
                    if not sample and any(kind in program.replies for program in network.programs()):
                        envelope = Called
                    ways = (
                        (frm, to, sent)
                        for frm, to in dict.fromkeys(pairs)
                        for sent in wrapped_as_sent(message, envelope, simulation.peer_hosts[to].calls, frm)
                    )
                    # The host of the sender drops what is malformed, whoever the receiver is: one is enough.
                    for frm, to, sent in islice(ways, 1 if malformed else None):
                        simulation.peer_hosts[frm].send(to, sent, cause=None)
            made.sampling = True
            made.run(0.3)
    goals = [goal.name for goal in goals_to_ask(network.program.goals)]
    for text in TEXTS:
        try:
            made.do(*(AskFor("all", text, goal) for goal in goals), Publish(6, text))
        except (InputError, UnicodeError):
            continue
        made.run(0.5)
    made.do(Defect("all"))
    made.run(60)
    made.look()
    made.do(Kill("all"))
    made.run(5)
    made.do(Revive("all"))
    made.run(120)
    made.look()
    swarm.snapshot()
    assert made.answered(), "after the nonsense nobody finds anything any more"
