"""Ordinary nodes and super nodes of KaZaA for the tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine import ContentSpec, FakeHost, File, Setup, Swarm
from engine.protocols.kazaa import KazaaOptions, Meta, Node, Result, User
from engine.setup import LinkSpec
from engine.testing import FakeLibrary

ME = 20
SECOND = 1_000_000
HOUR_S = 3600.0
TRAIN = File("Blue Train.mp3", 4 << 20, 71)
OWL = File("Night Owl.mp3", 700_000, 72)


JUNK = 66
"""The digest of a decoy, which no user keeps."""


def newcomer(files: Iterable[File] = (), contacts: Iterable[int] = (), **options: Any) -> tuple[FakeHost, Node]:
    """A node that can become a super node, on a fast line. Its user opens what it fetched, and reports its true
    level."""
    tape, made = FakeHost(me=ME, options=KazaaOptions(**options), library=FakeLibrary(files, [JUNK])), Node()
    made.start(tape, tuple(contacts), {"user": (False, False), "uptime": (2 * HOUR_S, 3)})
    made.speed = 1500
    tape.take()
    return tape, made


def node(parent: int = 1, files: Iterable[File] = (), **options: Any) -> tuple[FakeHost, Node]:
    """An ordinary node of a super node."""
    tape, made = newcomer(files, **options)
    made.set_parent(tape, parent)
    made.update_files(tape)
    tape.take()
    return tape, made


def super_node(
    supers: Iterable[int] = (), children: Iterable[int] = (), files: Iterable[File] = (), **options: Any
) -> tuple[FakeHost, Node]:
    """A super node with these links and these nodes, of which each is on a line of 1,500 kbit/s."""
    tape, made = newcomer(files, **options)
    made.become_super(tape)
    for other in supers:
        made.add_super(tape, other)
    for other in children:
        made.add_child(tape, other, User(False, 1500, False))
    tape.take()
    return tape, made


def meta(file: File) -> Meta:
    return Meta(file.name, file.size, file.weak)


def result(holder: int, file: File = TRAIN, *, firewalled: bool = False) -> Result:
    return Result(file.name, file.size, file.weak, holder, 1500, firewalled)


def swarm(
    peers: int = 40,
    seed: int = 3,
    content: ContentSpec | None = None,
    links: LinkSpec | None = None,
    **options: Any,
) -> Swarm:
    specs = {"content": content or ContentSpec(items=peers, replicas=4), "links": links or LinkSpec()}
    return Swarm(Setup("kazaa", peers, seed, latency="constant:40", options=options, asks_per_s=0, **specs))
