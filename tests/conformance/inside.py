"""What is inside a program: its bytes, its containers, the files it was written in."""

from __future__ import annotations

import builtins
import io
import pickle
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from engine import Component, Peer, Swarm
from engine.programs import components_of
from engine.sim.calls import PendingCall
from engine.sim.host import ComponentHost, PeerHost, SharedHostState
from engine.sim.kernel import Kernel, KernelTimer
from engine.sim.links import LinkModel

ENGINE = (PeerHost, ComponentHost, SharedHostState, Kernel, Swarm, LinkModel)


class _Pickler(pickle.Pickler):
    """Timers and calls stay what they are, since the kernel and the host hold them too; a host inside a program is a
    fault."""

    def __init__(self, file: io.BytesIO, timers: list[KernelTimer | PendingCall]) -> None:
        super().__init__(file)
        self.timers = timers

    def persistent_id(self, obj: Any) -> int | None:
        assert not isinstance(obj, ENGINE), f"a program holds a {type(obj).__name__} of the engine"
        if isinstance(obj, (KernelTimer, PendingCall)):
            self.timers.append(obj)
            return len(self.timers) - 1
        return None


def packed(program: object) -> tuple[bytes, list[KernelTimer | PendingCall]]:
    """A program as bytes, and the timers and calls it holds."""
    file, timers = io.BytesIO(), []
    try:
        _Pickler(file, timers).dump(program)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise AssertionError(f"a program cannot be pickled: {error}") from error
    return file.getvalue(), timers


def copied(program: Peer) -> Peer:
    """The same again, out of bytes."""
    data, timers = packed(program)
    unpickler = pickle.Unpickler(io.BytesIO(data))
    unpickler.persistent_load = timers.__getitem__  # type: ignore[method-assign, assignment]
    copy: Peer = unpickler.load()
    return copy


def parts_of(value: Any) -> Iterator[tuple[str, Any]]:
    """Attributes of an object, slots included."""
    names = dict.fromkeys(getattr(value, "__dict__", ()))
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        names.update(dict.fromkeys((slots,) if isinstance(slots, str) else slots))
    for name in names:
        if hasattr(value, name):
            yield name, getattr(value, name)


def containers(value: Any, path: str = "", seen: dict[int, Any] | None = None) -> Iterator[tuple[str, int]]:
    """Every container inside a program, however deep: (where, how many items)."""
    seen = {} if seen is None else seen
    plain = isinstance(value, (str, bytes, int, float, type, KernelTimer, PendingCall, range)) or value is None
    if plain or id(value) in seen or callable(value):
        return
    seen[id(value)] = value
    inner: Iterable[tuple[str, Any]] = ()
    if isinstance(value, dict):
        yield path, len(value)
        inner = [("[]", each) for pair in value.items() for each in pair]
    elif hasattr(value, "__len__") and hasattr(value, "__iter__") and not is_dataclass(value):
        yield path, len(value)
        inner = [("[]", each) for each in value]
    else:
        inner = [(f".{name}", each) for name, each in parts_of(value)]
    for name, each in inner:
        yield from containers(each, path + name, seen)


def files_of(kinds: Sequence[type[Peer]]) -> list[Path]:
    """The sources of a network of these programs: its module, or all of its package."""
    found: dict[Path, None] = {}
    for kind in dict.fromkeys(part for one in kinds for part in (one, *components_of(one).values())):
        for base in kind.__mro__:
            if base not in (Component, Peer, object):
                path = Path(sys.modules[base.__module__].__file__ or "")
                found.update(dict.fromkeys(sorted(path.parent.glob("*.py")) if path.stem == "__init__" else [path]))
    return list(found)


def globals_of(kinds: Sequence[type[Peer]]) -> dict[str, str]:
    """Containers that all peers of a network share."""
    found: dict[str, str] = {}
    for holder in [*kinds, *(sys.modules[kind.__module__] for kind in kinds)]:
        for name, value in vars(holder).items():
            if isinstance(value, (list, dict, builtins.set)) and not name.startswith("__"):
                found[f"{holder.__name__}.{name}"] = repr(value)
    return found
