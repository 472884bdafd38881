"""Functions that look inside a program: its bytes, its containers, its source files."""

from __future__ import annotations

import builtins
import io
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import is_dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from ...api import Component, Peer
from ...programs import components_of
from ...sim.calls import PendingCall
from ...sim.host import ComponentHost, PeerHost, SharedHostState
from ...sim.kernel import Kernel, KernelTimer
from ...sim.links import LinkModel
from ...swarm import Swarm

ENGINE = (PeerHost, ComponentHost, SharedHostState, Kernel, Swarm, LinkModel)
KIT = "engine.kit"
"""Components in it belong to the engine, not to a network that has them."""
HELD = (KernelTimer, PendingCall)
"""What a program may hold of the engine."""


@cache
def is_of_engine(kind: type) -> bool:
    """Whether objects of this class are part of the engine, or held by it too. Cached for each class: an `isinstance`
    for each object of a program takes longer than pickling them."""
    return issubclass(kind, (*ENGINE, *HELD))


class _Pickler(pickle.Pickler):
    """Leaves out timers and calls, since the kernel and the host hold them too. A host inside a program is a fault:
    raises AssertionError."""

    def __init__(self, file: io.BytesIO, timers: list[KernelTimer | PendingCall]) -> None:
        super().__init__(file)
        self.timers = timers

    def persistent_id(self, obj: Any) -> int | None:
        if not is_of_engine(obj.__class__):
            return None
        assert isinstance(obj, HELD), f"a program holds a {type(obj).__name__} of the engine"
        self.timers.append(obj)
        return len(self.timers) - 1


class _Unpickler(pickle.Unpickler):
    """Puts back the timers and calls that `_Pickler` has left out."""

    def __init__(self, file: io.BytesIO, timers: list[KernelTimer | PendingCall]) -> None:
        super().__init__(file)
        self.timers = timers

    def persistent_load(self, pid: int) -> KernelTimer | PendingCall:
        return self.timers[pid]


def packed(program: object) -> tuple[bytes, list[KernelTimer | PendingCall]]:
    """A program as bytes, and the timers and calls it holds."""
    file = io.BytesIO()
    timers: list[KernelTimer | PendingCall] = []
    try:
        _Pickler(file, timers).dump(program)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise AssertionError(f"a program cannot be pickled: {error}") from error
    return file.getvalue(), timers


def copied(program: Peer) -> Peer:
    """The same again, out of bytes."""
    data, timers = packed(program)
    copy: Peer = _Unpickler(io.BytesIO(data), timers).load()
    return copy


PLAIN = (str, bytes, int, float, type, type(None), range, *HELD)
NOTHING = object()
"""Returned for a slot that was never set."""


@cache
def slots_of(kind: type) -> tuple[str, ...]:
    """Names of all slots of a class, those of its bases included."""
    found: dict[str, None] = {}
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        found.update(dict.fromkeys((slots,) if isinstance(slots, str) else slots))
    return tuple(found)


def parts_of(value: Any) -> Iterator[tuple[str, Any]]:
    """Attributes of an object, slots included."""
    yield from getattr(value, "__dict__", {}).items()
    for name in slots_of(value.__class__):
        each = getattr(value, name, NOTHING)
        if each is not NOTHING:
            yield name, each


@cache
def is_plain(kind: type) -> bool:
    """Whether nothing is looked for inside objects of this class."""
    return issubclass(kind, PLAIN) or issubclass(kind, Callable)  # type: ignore[arg-type]


@cache
def is_container(kind: type) -> bool:
    """Whether objects of this class have a length and can be gone through; a dataclass is gone through by its parts."""
    return issubclass(kind, Sized) and issubclass(kind, Iterable) and not is_dataclass(kind)


def containers(program: Any) -> Iterator[tuple[str, int]]:
    """Every container inside a program, however deep: (where, how many items)."""
    seen: dict[int, Any] = {}
    waiting: list[tuple[str, Any]] = [("", program)]
    while waiting:
        path, value = waiting.pop()
        if id(value) in seen or is_plain(value.__class__):
            continue
        seen[id(value)] = value
        if isinstance(value, dict) or is_container(value.__class__):
            yield path, len(value)
            # Most of what is in large containers is numbers and texts.
            inner = chain(value, value.values()) if isinstance(value, dict) else value
            where = f"{path}[]"
            waiting += [(where, each) for each in inner if not is_plain(each.__class__)]
        else:
            waiting += [(f"{path}.{name}", each) for name, each in parts_of(value) if not is_plain(each.__class__)]


def files_of(kinds: Sequence[type[Peer]]) -> list[Path]:
    """The sources of a network of these programs: its module, or all of its package."""
    found: dict[Path, None] = {}
    for kind in dict.fromkeys(part for one in kinds for part in (one, *components_of(one).values())):
        for base in kind.__mro__:
            if base not in (Component, Peer, object) and base.__module__ != KIT:
                path = Path(sys.modules[base.__module__].__file__ or "")
                found.update(dict.fromkeys(sorted(path.parent.glob("*.py")) if path.stem == "__init__" else [path]))
    return list(found)


def globals_of(kinds: Sequence[type[Peer]]) -> dict[str, str]:
    """Containers that all peers of a network share."""
    found: dict[str, str] = {}
    holders: list[Any] = [*kinds, *(sys.modules[kind.__module__] for kind in kinds)]
    for holder in holders:
        for name, value in vars(holder).items():
            if isinstance(value, (list, dict, builtins.set)) and not name.startswith("__"):
                found[f"{holder.__name__}.{name}"] = repr(value)
    return found
