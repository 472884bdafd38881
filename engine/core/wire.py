"""What a message weighs: the length of its MessagePack encoding, as the array [kind code, field, …].

It is encoded once per value, not per receiver: the size is kept on the message. A `Blob` weighs the bytes
it stands for. Nothing is ever decoded: peers share one process, and the bytes exist only to be counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any

import msgpack

from ..api import Blob

SIZE_MAX = (1 << 32) - 1
"""Bytes; the room that a parcel's code has for a size."""

_getters: dict[type, Callable[[Any], tuple[Any, ...]]] = {}


def _getter(kind: type) -> Callable[[Any], tuple[Any, ...]]:
    names = [f.name for f in fields(kind)]
    if not names:
        return lambda value: ()
    if len(names) == 1:
        one = attrgetter(names[0])
        return lambda value: (one(value),)
    return attrgetter(*names)


def _columns(value: Any) -> tuple[Any, ...]:
    kind = value.__class__
    getter = _getters.get(kind)
    if getter is None:
        getter = _getters[kind] = _getter(kind)
    return getter(value)


UNWEIGHABLE = 1_000
"""What a message counts that MessagePack cannot write: nesting without end, an integer of a hundred bytes."""


class _Scale:
    """One weighing at a time; `extra` collects the bytes that blobs stand for."""

    def __init__(self) -> None:
        self.extra = 0
        self.pack = msgpack.Packer(default=self.other, autoreset=True).pack

    def other(self, value: Any) -> Any:
        if isinstance(value, Blob):
            self.extra += value.size if type(value.size) is int and value.size > 0 else 0
            return value.digest
        if is_dataclass(value) and not isinstance(value, type):
            return _columns(value)
        # Whatever else a hostile or careless program puts there still has a length.
        return str(value)

    def weigh(self, message: Any) -> int:
        self.extra = 0
        try:
            packed = self.pack((1, *_columns(message)))
        except (TypeError, ValueError, OverflowError, RecursionError):
            return UNWEIGHABLE
        # A blob whose size a hostile program made up must not spill into the columns beside this one.
        return max(len(packed), min(len(packed) + self.extra, SIZE_MAX))


_scale = _Scale()


def size_of(message: Any) -> int:
    """Bytes on the wire, counted once a value."""
    try:
        return message._size  # type: ignore[no-any-return]
    except AttributeError:
        size = _scale.weigh(message)
        message._size = size
        return size
