"""Leaves and ultrapeers of LimeWire for the tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from servents import guid

from engine import ContentSpec, Setup, Swarm
from engine.api import File
from engine.protocols.gnutella import Query
from engine.protocols.limewire import Limewire, LimewireOptions, Neighbour, QrpTable
from engine.testing import FakeHost, FakeLibrary

ME = 20
SECOND = 1_000_000
HOUR_S = 3600.0
TRAIN = File("Blue Train.mp3", 600_000, 71)


def query(number: int, text: str = "blue train", ttl: int = 3, hops: int = 0) -> Query:
    return Query(guid(number), ttl, hops, 0, text)


def peer(files: Iterable[File] = (), contacts: Iterable[int] = (), **options: Any) -> tuple[FakeHost, Limewire]:
    """A newcomer that can become an ultrapeer, on a fast line."""
    tape, made = FakeHost(me=ME, options=LimewireOptions(**options), library=FakeLibrary(files)), Limewire()
    made.start(tape, tuple(contacts), {"hosts": (), "uptime": (2 * HOUR_S, 3)})
    made.speed = 1500
    tape.take()
    return tape, made


def unable(made: Limewire) -> Limewire:
    """The same, but up for a time that is too short."""
    made.uptime.since_us, made.uptime.average_s = 0, 0.0
    return made


def leaf(*ups: int, files: Iterable[File] = (), **options: Any) -> tuple[FakeHost, Limewire]:
    """A leaf with these ultrapeers."""
    tape, made = peer(files, **options)
    for up in ups:
        made.connected(tape, up, Neighbour(32, 3), leaf=False)
    tape.take()
    return tape, made


def ultrapeer(
    ups: Iterable[int] = (), leaves: Iterable[int] = (), files: Iterable[File] = (), **options: Any
) -> tuple[FakeHost, Limewire]:
    """An ultrapeer with these links and leaves, of which nobody has a table yet."""
    tape, made = peer(files, **options)
    made.become(tape, ultrapeer=True)
    for up in ups:
        made.connected(tape, up, Neighbour(32, 3), leaf=False)
    for one in leaves:
        made.connected(tape, one, Neighbour(32, 3), leaf=True)
    tape.take()
    return tape, made


def table(*names: str) -> QrpTable:
    return QrpTable.of(names)


def swarm(peers: int = 60, seed: int = 3, replicas: float = 4.0, **options: Any) -> Swarm:
    return Swarm(
        Setup(
            "limewire",
            peers,
            seed,
            latency="constant:50",
            options=options,
            content=ContentSpec(items=peers, replicas=replicas),
            asks_per_s=0,
        )
    )


def at(made: Swarm, one: int) -> Limewire:
    program = made.peer(one)
    assert isinstance(program, Limewire)
    return program
