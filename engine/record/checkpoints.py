"""Checkpoints of a run: a swarm as bytes and back, and a store of checkpoints within a limit of bytes.

A checkpoint is a pickle that stays within this program: it is never read from a file. Many checkpoints of one run are
taken, so a checkpoint leaves out

* what does not change: the world, the setup, the labels and places of peers, the files of the catalogue. The swarm
  that unpacks it has these already;
* what is large and seldom changes, and is kept once for all checkpoints that have it: the paths of asks (of open asks
  too, since most of these only wait for a download), and full pages of the archive of asks.

Checkpoints are spaced by the cost of running from one to the next and not by virtual time: a second of a flood costs
more than an hour in which nothing is sent. When the store is full, it drops the checkpoint whose removal makes the
smallest gap in relation to its age. So gaps grow in proportion to their age: from a recent moment the nearest
checkpoint is near, and the start of a long run can still be reached. The newest checkpoint stays, unless it is too
large by itself.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol, TypeAlias

from ..api import File, Peer
from ..measure.archive import Page
from ..measure.asks import PATH, AskRecord
from ..measure.snapshot import Places, Run
from ..setup import Setup
from ..sim.memory import bytes_apart
from ..swarm import Swarm
from ..values import dataclass
from ..world.churn import SessionTrace
from ..world.content import Catalogue, NewcomerLibraries, WordIndex
from ..world.latency import Latency
from ..world.topology import Topology
from ..world.world import World
from .gc import collector_paused
from .log import LoggedCommand, Position

BYTES_MAX = 24 << 20
"""Bytes that a store keeps."""
PATHS_SHARE = 4
"""The paths of asks may take one part in `PATHS_SHARE` of these bytes."""
CHECKPOINTS_MAX = 40
"""More than ten minutes of a run with 1,000 peers need. After an hour of it, gaps are a sixteenth of their age."""
SPACING = 20_000
"""Deliveries from one checkpoint to the next: running them takes a third of a second."""
SECOND_COST = 40
"""Cost of a second of virtual time in which nothing is delivered, in deliveries: samples and timers."""
LAG_SPACINGS = 2
"""The process that takes checkpoints takes half as many if it is late by more than `LAG_SPACINGS` times the spacing."""
LARGE_BYTES = 1 << 20
"""Bytes of a checkpoint above which taking it costs more than running to it."""
BYTES_PER_DELIVERY = 100
"""Bytes that are packed in the time of one delivery."""
KEY_BYTES = 16
ITEM_BYTES = 200


# --- a swarm as bytes -------------------------------------------------------------------------------------------

PartKey: TypeAlias = tuple[int, int]
"""Names a part that checkpoints share: the path of an ask as (id of the ask, version of its path), or a page of the
archive as (-1 - number of the page, time in us at which its last ask closed)."""
Parts: TypeAlias = Mapping[PartKey, bytes | memoryview]


def is_page(key: PartKey) -> bool:
    """Whether a part is a page of the archive. A swarm can be unpacked without paths, but not without pages."""
    return key[0] < 0


@dataclass(frozen=True, slots=True)
class PackedSwarm:
    """A swarm as bytes, without the objects that all swarms of its world share. `body` is compressed; `keys` name the
    shared parts that it needs."""

    body: bytes | memoryview
    keys: tuple[PartKey, ...]


def pack_swarm(swarm: Swarm, known: Parts) -> tuple[PackedSwarm, dict[PartKey, bytes]]:
    """Pack a swarm that is between two instants. Returns it with the parts that it needs and that are not in `known`.

    Constants are recognised by their class (`dispatch_table`) and not by `persistent_id`, which would be called for
    each of half a million objects.
    """
    number = {id(value): i for i, value in enumerate(_constants_of(swarm))}
    keys: dict[PartKey, None] = {}
    new_parts: dict[PartKey, bytes] = {}

    def constant(value: Any) -> Any:
        at = number.get(id(value))
        return (_constant, (at,)) if at is not None else value.__reduce_ex__(5)

    def record(value: AskRecord) -> Any:
        if value.firsts is None or not value.id:
            return value.__reduce_ex__(5)
        key = (value.id, value.path_version)
        keys[key] = None
        if key not in known and key not in new_parts:
            path = tuple(getattr(value, name) for name in PATH)
            new_parts[key] = zlib.compress(pickle.dumps(path, 5), 1)
        return _record, (key, value.packed())

    def page(value: Page) -> Any:
        key = (-1 - value.number, value.closed_us)
        keys[key] = None
        if key not in known:
            new_parts[key] = value.data
        return _page, (key,)

    out = io.BytesIO()
    pickler = pickle.Pickler(out, 5)
    kinds = (Setup, Run, NewcomerLibraries, World, Topology, Places, Latency, Catalogue, WordIndex, SessionTrace, File)
    table: dict[type, Any] = dict.fromkeys(kinds, constant)
    pickler.dispatch_table = {**copyreg.dispatch_table, **table, AskRecord: record, Page: page}
    pickler.dump(swarm)
    return PackedSwarm(zlib.compress(out.getbuffer(), 1), tuple(keys)), new_parts


def unpack_swarm(packed: PackedSwarm, like: Swarm, parts: Parts) -> Swarm:
    """Make a swarm that shares only constants with others. like: a swarm of the same world, at any moment."""
    with _unpacking(_constants_of(like), parts), collector_paused():
        made = pickle.loads(zlib.decompress(packed.body))
    assert isinstance(made, Swarm)
    return made


def _constants_of(swarm: Swarm) -> list[Any]:
    """The objects that all swarms of a world share, in the same order for each of them."""
    world = swarm.world
    catalogue = world.catalogue
    newcomer_libraries, run = swarm.arrivals.newcomer_libraries, swarm.columns.run
    drawn = [world, world.graph, world.delays, world.delays.places, catalogue, catalogue.word_index, world.trace]
    return [swarm.setup, run, newcomer_libraries, *drawn, *world.files]


_context: list[Any] = []
"""While a swarm is unpacked: its constants and its shared parts. The functions below are called by the unpickler."""


@contextmanager
def _unpacking(constants: list[Any], parts: Parts) -> Iterator[None]:
    _context[:] = [constants, parts]
    try:
        yield
    finally:
        _context.clear()


def _constant(number: int) -> Any:
    return _context[0][number]


def _record(key: PartKey, values: tuple[Any, ...]) -> AskRecord:
    made = AskRecord.unpacked(values)
    path = _context[1].get(key)
    if path is not None:
        for name, value in zip(PATH, pickle.loads(zlib.decompress(path)), strict=True):
            setattr(made, name, value)
        if made.closed_us is not None:
            made.pack_path()
    return made


def _page(key: PartKey) -> Page:
    return Page(-1 - key[0], key[1], bytes(_context[1][key]))


# --- checkpoints and their store --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A swarm at a position. `cost`: the cost of running there from the start, in deliveries."""

    at: Position
    cost: int
    packed: PackedSwarm

    @property
    def bytes(self) -> int:
        """Memory that it takes, shared parts left out."""
        return len(self.packed.body) + KEY_BYTES * len(self.packed.keys) + ITEM_BYTES


def cost_of(swarm: Swarm) -> int:
    """Cost of running from the start to this swarm, in deliveries."""
    sim = swarm.simulation
    return sim.kernel.delivered + sim.metrics.dropped + swarm.now_us * SECOND_COST // 1_000_000


def extra_spacing(checkpoint: Checkpoint) -> int:
    """Deliveries to add to the spacing after a large checkpoint. Without it, packing 10,000 peers would take three
    times as long as running them."""
    return max(0, len(checkpoint.packed.body) - LARGE_BYTES) // BYTES_PER_DELIVERY


class CheckpointStore:
    """Keeps checkpoints in order of time, within limits of bytes and of number."""

    def __init__(self, bytes_max: int = BYTES_MAX, checkpoints_max: int = CHECKPOINTS_MAX) -> None:
        self.bytes_max = bytes_max
        self.checkpoints_max = checkpoints_max
        self.checkpoints: list[Checkpoint] = []
        self.parts: dict[PartKey, bytes | memoryview] = {}
        self.bytes = 0
        self._path_sizes: dict[PartKey, int] = {}
        """Bytes of each path in `parts`, the oldest first. Pages are left out."""
        self._paths_bytes = 0
        self._references: Counter[PartKey] = Counter()
        """Checkpoints that need a part."""
        self._interned: dict[PartKey, PartKey] = {}
        """Each key as one object: neighbouring checkpoints name the same five hundred paths."""

    def add(self, checkpoint: Checkpoint, new_parts: Mapping[PartKey, bytes]) -> None:
        """Add a checkpoint that is later than all others, with the parts that came with it."""
        if any(is_page(key) and key not in self.parts and key not in new_parts for key in checkpoint.packed.keys):
            return  # A page that it needs was dropped together with the last checkpoint that needed it.
        keys = tuple(self._interned.setdefault(key, key) for key in checkpoint.packed.keys)
        checkpoint = replace(checkpoint, packed=PackedSwarm(bytes_apart(checkpoint.packed.body), keys))
        self.checkpoints.append(checkpoint)
        self._references.update(keys)
        self.bytes += checkpoint.bytes
        for key, part in new_parts.items():
            if key not in self.parts:
                key = self._interned.get(key, key)
                self.parts[key] = bytes_apart(part)
                self.bytes += ITEM_BYTES + len(part)
                if not is_page(key):
                    self._path_sizes[key] = ITEM_BYTES + len(part)
                    self._paths_bytes += ITEM_BYTES + len(part)
        while self._paths_bytes > self.bytes_max // PATHS_SHARE:
            self._drop_part(next(iter(self._path_sizes)))
        while (self.bytes > self.bytes_max or len(self.checkpoints) > self.checkpoints_max) and self.checkpoints:
            self._release([self.checkpoints.pop(self._least_needed())])

    def nearest(self, to: Position) -> Checkpoint | None:
        """The last checkpoint from which a run can be continued to a position, or None."""
        for checkpoint in reversed(self.checkpoints):
            if checkpoint.at[0] <= to[0] and checkpoint.at[1] <= to[1]:
                return checkpoint
        return None

    def unpack(self, checkpoint: Checkpoint, like: Swarm) -> Swarm:
        """The swarm of a checkpoint. `like` is any swarm of the same world."""
        return unpack_swarm(checkpoint.packed, like, self.parts)

    def truncate(self, to: Position) -> None:
        """Drop the checkpoints after a position."""
        dropped = [each for each in self.checkpoints if each.at[0] > to[0] or each.at[1] > to[1]]
        self.checkpoints = [each for each in self.checkpoints if each.at[0] <= to[0] and each.at[1] <= to[1]]
        self._release(dropped)

    def _least_needed(self) -> int:
        """Index of the checkpoint to drop, see the module."""
        kept = self.checkpoints
        if len(kept) < 3:
            return 0
        now = kept[-1].cost
        costs = [0, *(each.cost for each in kept)]
        return min(range(len(kept) - 1), key=lambda i: (costs[i + 2] - costs[i]) / (now - costs[i + 1] + SPACING))

    def _release(self, dropped: Iterable[Checkpoint]) -> None:
        """Take dropped checkpoints out of the sums, and drop the parts that no other one needs."""
        for checkpoint in dropped:
            self.bytes -= checkpoint.bytes
            for key in checkpoint.packed.keys:
                self._references[key] -= 1
                if not self._references[key]:
                    del self._references[key], self._interned[key]
                    self._drop_part(key)

    def _drop_part(self, key: PartKey) -> None:
        if key in self.parts:
            self.bytes -= ITEM_BYTES + len(self.parts.pop(key))
            self._paths_bytes -= self._path_sizes.pop(key, 0)


# --- who takes them ---------------------------------------------------------------------------------------------


class CheckpointedRun(Protocol):
    """What is read of a run to take checkpoints of it: see `TimeMachine`, which is one."""

    setup: Setup
    world: World
    program: type[Peer] | None
    log: list[LoggedCommand]
    end_us: int
    swarm: Swarm

    @property
    def live(self) -> bool: ...


class CheckpointTaker(Protocol):
    """Takes checkpoints of a run: in this process (`Checkpoints`) or in another (`worker.CheckpointWorker`)."""

    store: CheckpointStore

    def on_advanced(self, run: CheckpointedRun) -> None:
        """The run may have advanced at its end, or has got a command there."""

    def receive_all(self) -> None:
        """Put all checkpoints that have arrived into the store. Called when a seek begins."""

    def truncate(self, to: Position) -> None:
        """Drop the checkpoints after a position: the run goes on from there with other commands."""

    def close(self) -> None:
        """The run is over."""

    @property
    def backpressure(self) -> float:
        """How late the checkpoints are: 0.0 while they keep up, 1.0 where a seek begins to take long, and more."""

    @property
    def status(self) -> str:
        """One sentence for a person."""


class Checkpoints:
    """Takes checkpoints in this process, for programs without a screen: one of 1,000 peers takes a tenth of a second.

    spacing: deliveries from one checkpoint to the next.
    """

    def __init__(self, store: CheckpointStore | None = None, spacing: int = SPACING) -> None:
        self.store = store or CheckpointStore()
        self.spacing = spacing
        self._last_cost = 0

    def on_advanced(self, run: CheckpointedRun) -> None:
        swarm = run.swarm
        cost = cost_of(swarm)
        if cost - self._last_cost < self.spacing:
            return
        packed, new_parts = pack_swarm(swarm, self.store.parts)
        self.store.add(Checkpoint((swarm.now_us, swarm.given), cost, packed), new_parts)
        self._last_cost = cost

    def receive_all(self) -> None:
        pass

    def truncate(self, to: Position) -> None:
        self.store.truncate(to)
        self._last_cost = self.store.checkpoints[-1].cost if self.store.checkpoints else 0

    def close(self) -> None:
        self.store = CheckpointStore()

    @property
    def backpressure(self) -> float:
        return 0.0

    @property
    def status(self) -> str:
        return f"{len(self.store.checkpoints)} checkpoints, {self.store.bytes / 1e6:.1f} MB"
