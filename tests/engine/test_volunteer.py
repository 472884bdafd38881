"""Volunteer computing in a running swarm."""

from __future__ import annotations

from typing import Any

from engine import AskFor, Setup, Swarm
from engine.protocols.volunteer import Volunteer
from engine.protocols.volunteer.project import Project

SECOND = 1_000_000
DAY = 60 * SECOND
"""A day of the project by default."""


def swarm_of(peers: int = 16, seed: int = 3, **options: Any) -> Swarm:
    return Swarm(Setup(protocol="volunteer", peers=peers, seed=seed, asks_per_s=0.0, options=options))


def project_of(swarm: Swarm, number: int = 0) -> Project:
    program = swarm.peer(swarm.peers + number)
    assert isinstance(program, Project)
    return program


def volunteer(swarm: Swarm, peer: int) -> Volunteer:
    program = swarm.peer(peer)
    assert isinstance(program, Volunteer)
    return program


def test_a_batch_completes_and_its_progress_is_seen() -> None:
    swarm = swarm_of()
    swarm.do(AskFor(4, "tape 12"))
    swarm.advance(DAY // 2)
    early = swarm.record(1)
    assert (early.hits, early.of) == (1, 5)
    assert swarm.advance_quiet(20 * DAY)
    row = swarm.record(1)
    assert (row.done, row.of, row.outcome) == (5, 5, "answered")
    assert row.verdict == "Done: all 5 work units have a result that the project takes for right."
    db = project_of(swarm).db
    assert (db.assimilated, db.wrong, db.sent) == (5, 0, 10)
    assert 0 < swarm.now_us < 4 * DAY
    assert swarm.success(0, 100) == 1.0
