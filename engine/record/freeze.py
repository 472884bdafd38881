"""A running swarm as bytes, and back: what a checkpoint holds. Never read from a file.

`pickle.dumps(swarm)` would do, but a checkpoint is taken again and again of the same run. So it leaves out what does
not change (the world, the setup, the names and places of peers, the files of the catalogue), which whoever
unpacks has already, and the paths of asks that are closed, which are kept once for all checkpoints: a thousand asks
in a swarm of a thousand peers have 20 MB of paths, and nothing else of that swarm comes near. Measured, 1,000 peers
of Gnutella after ten minutes and a hundred asks: 4.5 MB in 90 ms plain; 0.8 MB in 100 ms like this, compressed, and
back in 60 ms.

Constants are told by the class they have (`dispatch_table`), not by `persistent_id`: that one would call back into
Python for each of half a million objects.
"""

from __future__ import annotations

import copyreg
import gc
import io
import pickle
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..accounts import Account
from ..api import File
from ..setup import Setup
from ..snapshot import Places, Run
from ..swarm import Swarm
from ..world.content import Catalogue
from ..world.drawn import World
from ..world.places import Latency
from ..world.sessions import Trace
from ..world.stock import Stock
from ..world.topology import Topology

PathKey: TypeAlias = tuple[int, int]
"""The number of an ask and when it closed. A gossip opens an ask again, and then it closes later."""
Paths: TypeAlias = Mapping[PathKey, bytes]

PATH = ("frm", "hop", "at_us", "repeats", "questions", "answers", "lost")


@dataclass(frozen=True, slots=True)
class Frozen:
    """A swarm without what it began with. `body` is compressed; `keys` name the paths that belong to it."""

    body: bytes
    keys: tuple[PathKey, ...]


_at_hand: list[Any] = []
"""While something is unpacked: its constants, and the paths."""


def constants(swarm: Swarm) -> list[Any]:
    """What every swarm of the same world has, in an order that they share."""
    world = swarm.world
    stock, run = swarm.crowds.stock, swarm.roster.run
    drawn = [world, world.graph, world.delays, world.delays.places, world.catalogue, world.trace]
    return [swarm.setup, run, stock, *drawn, *world.files]


def freeze(swarm: Swarm, known: Paths) -> tuple[Frozen, dict[PathKey, bytes]]:
    """A swarm between two instants as bytes, and the paths it needs that are not among those known yet."""
    number = {id(value): i for i, value in enumerate(constants(swarm))}
    keys: dict[PathKey, None] = {}
    fresh: dict[PathKey, bytes] = {}

    def constant(value: Any) -> Any:
        at = number.get(id(value))
        return (_constant, (at,)) if at is not None else value.__reduce_ex__(5)

    def account(value: Account) -> Any:
        if value.hop is None or value.closed_us is None or not value.id:
            return value.__reduce_ex__(5)
        key = (value.id, value.closed_us)
        keys[key] = None
        if key not in known and key not in fresh:
            path = tuple(getattr(value, name) for name in PATH)
            fresh[key] = zlib.compress(pickle.dumps(path, 5), 1)
        names = [name for name in Account.__slots__ if name not in PATH]
        return _account, (key, tuple(getattr(value, name) for name in names))

    out = io.BytesIO()
    pickler = pickle.Pickler(out, 5)
    kinds = (Setup, Run, Stock, World, Topology, Places, Latency, Catalogue, Trace, File)
    table: dict[type, Any] = dict.fromkeys(kinds, constant)
    pickler.dispatch_table = {**copyreg.dispatch_table, **table, Account: account}
    pickler.dump(swarm)
    return Frozen(zlib.compress(out.getbuffer(), 1), tuple(keys)), fresh


def thaw(frozen: Frozen, like: Swarm, paths: Paths) -> Swarm:
    """The swarm again, apart from any other. `like` is a swarm of the same world, at whatever moment."""
    with _having(constants(like), paths), no_collecting():
        made = pickle.loads(zlib.decompress(frozen.body))
    assert isinstance(made, Swarm)
    return made


@contextmanager
def no_collecting() -> Iterator[None]:
    """While a swarm is made, half a million objects come and none goes: to look for garbage among them again and again
    takes longer than to make them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def _having(values: list[Any], paths: Paths) -> Iterator[None]:
    _at_hand[:] = [values, paths]
    try:
        yield
    finally:
        _at_hand.clear()


def _constant(number: int) -> Any:
    return _at_hand[0][number]


def _account(key: PathKey, values: tuple[Any, ...]) -> Account:
    made = Account.__new__(Account)
    names = [name for name in Account.__slots__ if name not in PATH]
    for name, value in zip(names, values, strict=True):
        setattr(made, name, value)
    path = _at_hand[1].get(key)
    if path is None:
        made.forget_path()
    else:
        for name, value in zip(PATH, pickle.loads(zlib.decompress(path)), strict=True):
            setattr(made, name, value)
    return made
