"""Servents for the tests of Gnutella."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.api import File
from engine.protocols.gnutella import GnutellaOptions, QueryHit, Servent
from engine.testing import FakeHost, FakeLibrary

ME = 20
SECOND = 1_000_000
TRAIN = File("Blue Train.mp3", 600_000, 71)


def guid(number: int) -> bytes:
    return number.to_bytes(16, "big")


def servent(files: Iterable[File] = (), contacts: Iterable[int] = (), **options: Any) -> tuple[FakeHost, Servent]:
    """A newcomer that knows some addresses, and has no connection yet."""
    tape, peer = FakeHost(me=ME, options=GnutellaOptions(**options), library=FakeLibrary(files)), Servent()
    peer.start(tape, tuple(contacts), None)
    return tape, peer


def connected(
    *links: int, files: Iterable[File] = (), contacts: Iterable[int] = (), **options: Any
) -> tuple[FakeHost, Servent]:
    """A servent that has these links of the overlay from the beginning."""
    tape, peer = servent(files, contacts, **options)
    peer.neighbours(tape, links)
    tape.wait(peer, 1)
    tape.take()
    tape.now_us = 0
    return tape, peer


def hit(
    number: bytes,
    *,
    ttl: int = 7,
    hops: int = 0,
    address: int = 9,
    push: bool = False,
    file: File = TRAIN,
    servent: bytes = guid(999),
) -> QueryHit:
    """A QueryHit: `address` has `file`."""
    return QueryHit(number, ttl, hops, address, 1500, push, (file,), servent)
