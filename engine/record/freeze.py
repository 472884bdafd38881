"""A running swarm as bytes, and back: what a checkpoint holds. Never read from a file.

`pickle.dumps(swarm)` would do, but a checkpoint is taken again and again of the same run. So it leaves out what does
not change (the world, the setup, the names and places of peers, the files of the catalogue), which whoever
unpacks has already, and what changes seldom and is large, which is kept once for all checkpoints that have it: the
paths of asks, of those that are open as well, since most of these only wait for a download; and the pages of accounts
that are long over (`ledger`).

Constants are told by the class they have (`dispatch_table`), not by `persistent_id`: that one would call back into
Python for each of half a million objects.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..api import File
from ..measure.archive import Page
from ..measure.asks import PATH, AskRecord
from ..measure.snapshot import Places, Run
from ..setup import Setup
from ..swarm import Swarm
from ..world.content import Catalogue
from ..world.latency import Latency
from ..world.lexicon import Lexicon
from ..world.readers.sessions import Trace
from ..world.stock import Stock
from ..world.topology import Topology
from ..world.world import World
from .gc import no_collecting

PathKey: TypeAlias = tuple[int, int]
"""The number of an ask and the version of its path; or, below zero, of a page of accounts and when the last closed."""
Paths: TypeAlias = Mapping[PathKey, bytes | memoryview]


def is_page(key: PathKey) -> bool:
    """Whether a key is that of a page of accounts: without its paths a swarm is one still."""
    return key[0] < 0


@dataclass(frozen=True, slots=True)
class Frozen:
    """A swarm without what it began with. `body` is compressed; `keys` name the paths that belong to it."""

    body: bytes | memoryview
    keys: tuple[PathKey, ...]


_at_hand: list[Any] = []
"""While something is unpacked: its constants, and the paths."""


def constants(swarm: Swarm) -> list[Any]:
    """What every swarm of the same world has, in an order that they share."""
    world = swarm.world
    catalogue = world.catalogue
    stock, run = swarm.arrivals.stock, swarm.peer_table.run
    drawn = [world, world.graph, world.delays, world.delays.places, catalogue, catalogue.lexicon, world.trace]
    return [swarm.setup, run, stock, *drawn, *world.files]


def freeze(swarm: Swarm, known: Paths) -> tuple[Frozen, dict[PathKey, bytes]]:
    """A swarm between two instants as bytes, and the paths it needs that are not among those known yet."""
    number = {id(value): i for i, value in enumerate(constants(swarm))}
    keys: dict[PathKey, None] = {}
    fresh: dict[PathKey, bytes] = {}

    def constant(value: Any) -> Any:
        at = number.get(id(value))
        return (_constant, (at,)) if at is not None else value.__reduce_ex__(5)

    def record(value: AskRecord) -> Any:
        if value.hop is None or not value.id:
            return value.__reduce_ex__(5)
        key = (value.id, value.path_version)
        keys[key] = None
        if key not in known and key not in fresh:
            path = tuple(getattr(value, name) for name in PATH)
            fresh[key] = zlib.compress(pickle.dumps(path, 5), 1)
        return _record, (key, value.packed())

    def page(value: Page) -> Any:
        key = (-1 - value.number, value.closed_us)
        keys[key] = None
        if key not in known:
            fresh[key] = value.data
        return _page, (key,)

    out = io.BytesIO()
    pickler = pickle.Pickler(out, 5)
    kinds = (Setup, Run, Stock, World, Topology, Places, Latency, Catalogue, Lexicon, Trace, File)
    table: dict[type, Any] = dict.fromkeys(kinds, constant)
    pickler.dispatch_table = {**copyreg.dispatch_table, **table, AskRecord: record, Page: page}
    pickler.dump(swarm)
    return Frozen(zlib.compress(out.getbuffer(), 1), tuple(keys)), fresh


def thaw(frozen: Frozen, like: Swarm, paths: Paths) -> Swarm:
    """The swarm again, apart from any other. `like` is a swarm of the same world, at whatever moment."""
    with _having(constants(like), paths), no_collecting():
        made = pickle.loads(zlib.decompress(frozen.body))
    assert isinstance(made, Swarm)
    return made


@contextmanager
def _having(values: list[Any], paths: Paths) -> Iterator[None]:
    _at_hand[:] = [values, paths]
    try:
        yield
    finally:
        _at_hand.clear()


def _constant(number: int) -> Any:
    return _at_hand[0][number]


def _record(key: PathKey, values: tuple[Any, ...]) -> AskRecord:
    made = AskRecord.unpacked(values)
    path = _at_hand[1].get(key)
    if path is not None:
        for name, value in zip(PATH, pickle.loads(zlib.decompress(path)), strict=True):
            setattr(made, name, value)
        if made.closed_us is not None:
            made.settle_path()
    return made


def _page(key: PathKey) -> Page:
    return Page(-1 - key[0], key[1], bytes(_at_hand[1][key]))
