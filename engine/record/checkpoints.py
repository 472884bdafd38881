"""Checkpoints of one run, in memory, within so many bytes.

They are spaced by what it costs to run from one to the next, not by virtual time: a second of a flood is dearer than
an hour of silence. When there is no more room, the one goes whose going widens a gap least *for its age*: gaps then
grow in proportion to how long ago they are, so that what has just happened is near at hand and the beginning of a long
run is still there. The newest stays, unless it alone is too large.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ..api import File
from ..measure.archive import Page
from ..measure.asks import PATH, AskRecord
from ..measure.snapshot import Places, Run
from ..setup import Setup
from ..sim.memory import bytes_apart
from ..swarm import Swarm
from ..world.content import Catalogue, Lexicon, Stock
from ..world.latency import Latency
from ..world.readers.sessions import Trace
from ..world.topology import Topology
from ..world.world import World
from .gc import no_collecting
from .log import Position

# A running swarm as bytes, and back: what a checkpoint holds. Never read from a file.
#
# `pickle.dumps(swarm)` would do, but a checkpoint is taken again and again of the same run. So it leaves out what does
# not change (the world, the setup, the names and places of peers, the files of the catalogue), which whoever
# unpacks has already, and what changes seldom and is large, which is kept once for all checkpoints that have it: the
# paths of asks, of those that are open as well, since most of these only wait for a download; and the pages of accounts
# that are long over (`ledger`).
#
# Constants are told by the class they have (`dispatch_table`), not by `persistent_id`: that one would call back into
# Python for each of half a million objects.

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
    stock, run = swarm.arrivals.stock, swarm.columns.run
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
            made.pack_path()
    return made


def _page(key: PathKey) -> Page:
    return Page(-1 - key[0], key[1], bytes(_at_hand[1][key]))


BUDGET = 24 << 20
"""Bytes."""
PATHS_SHARE = 4
"""One part in so many of that is for paths."""
MOST = 40
"""Checkpoints: more than ten minutes of 1,000 peers need. After an hour of them gaps are a sixteenth of their age."""
SPACING = 20_000
"""Deliveries from one checkpoint to the next: a third of a second of running them again, with all that peers do."""
SECOND_COST = 40
"""What a second of virtual time costs when nothing is delivered, in deliveries: samples, timers, ticks."""
LATE = 2
"""So many spacings behind, and whoever takes checkpoints takes half as many."""
HEAVY = 1 << 20
"""Bytes of a checkpoint from which on taking it is what counts, and not running to it."""
BYTES_PER_DELIVERY = 100
"""To put away so much takes as long as one delivery."""
KEY_BYTES = 16
ITEM_BYTES = 200


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A swarm at a position. `cost` is what running there from the start takes, in deliveries."""

    at: Position
    cost: int
    frozen: Frozen

    @property
    def bytes(self) -> int:
        """Room that it takes, paths not counted."""
        return len(self.frozen.body) + KEY_BYTES * len(self.frozen.keys) + ITEM_BYTES


def weight(one: Checkpoint) -> int:
    """What is added to the spacing after one as large as this, in deliveries: else 10,000 peers would be put away for
    three times as long as they run."""
    return max(0, len(one.frozen.body) - HEAVY) // BYTES_PER_DELIVERY


def cost_of(swarm: Swarm) -> int:
    """What it took to come here, in deliveries."""
    sim = swarm.simulation
    return sim.kernel.delivered + sim.metrics.dropped + swarm.now_us * SECOND_COST // 1_000_000


class Store:
    """Keeps checkpoints in order of time."""

    def __init__(self, budget: int = BUDGET, most: int = MOST) -> None:
        self.budget = budget
        self.most = most
        self.kept: list[Checkpoint] = []
        self.paths: dict[PathKey, bytes | memoryview] = {}
        """And pages of accounts."""
        self._ways: dict[PathKey, int] = {}
        """Bytes of each path that there is, pages left out, the oldest first."""
        self._ways_bytes = 0
        self._users: Counter[PathKey] = Counter()
        self._names: dict[PathKey, PathKey] = {}
        """Keys as one object each: neighbouring checkpoints name the same five hundred paths."""
        self.bytes = 0

    def add(self, one: Checkpoint, fresh: Mapping[PathKey, bytes]) -> None:
        """Keep one more, later than all others, with the paths and pages that came with it."""
        if any(is_page(key) and key not in self.paths and key not in fresh for key in one.frozen.keys):
            return  # Its accounts went with the last checkpoint that had them, since there was no room for that one.
        keys = tuple(self._names.setdefault(key, key) for key in one.frozen.keys)
        frozen = Frozen(bytes_apart(one.frozen.body), keys)
        one = replace(one, frozen=frozen)
        self.kept.append(one)
        self._users.update(frozen.keys)
        self.bytes += one.bytes
        for key, path in fresh.items():
            if key not in self.paths:
                key = self._names.get(key, key)
                self.paths[key] = bytes_apart(path)
                self.bytes += ITEM_BYTES + len(path)
                if not is_page(key):
                    self._ways[key] = ITEM_BYTES + len(path)
                    self._ways_bytes += ITEM_BYTES + len(path)
        while self._ways_bytes > self.budget // PATHS_SHARE:
            self._lose(next(iter(self._ways)))
        while (self.bytes > self.budget or len(self.kept) > self.most) and self.kept:
            self._drop(self._least_missed())

    def nearest(self, to: Position) -> Checkpoint | None:
        """The last one from which running on leads to a position."""
        for one in reversed(self.kept):
            if one.at[0] <= to[0] and one.at[1] <= to[1]:
                return one
        return None

    def thaw(self, one: Checkpoint, like: Swarm) -> Swarm:
        """The swarm of a checkpoint; `like` is any swarm of the same world."""
        return thaw(one.frozen, like, self.paths)

    def cut(self, to: Position) -> None:
        """What came after a position never was."""
        gone = [one for one in self.kept if one.at[0] > to[0] or one.at[1] > to[1]]
        self.kept = [one for one in self.kept if one.at[0] <= to[0] and one.at[1] <= to[1]]
        self._forget(gone)

    def _least_missed(self) -> int:
        kept = self.kept
        if len(kept) < 3:
            return 0
        now = kept[-1].cost
        costs = [0, *(one.cost for one in kept)]
        return min(range(len(kept) - 1), key=lambda i: (costs[i + 2] - costs[i]) / (now - costs[i + 1] + SPACING))

    def _drop(self, number: int) -> None:
        self._forget([self.kept.pop(number)])

    def _forget(self, gone: Iterable[Checkpoint]) -> None:
        """Paths of which nobody has need any more go too."""
        for one in gone:
            self.bytes -= one.bytes
            for key in one.frozen.keys:
                self._users[key] -= 1
                if not self._users[key]:
                    del self._users[key], self._names[key]
                    self._lose(key)

    def _lose(self, key: PathKey) -> None:
        if key in self.paths:
            self.bytes -= ITEM_BYTES + len(self.paths.pop(key))
            self._ways_bytes -= self._ways.pop(key, 0)
