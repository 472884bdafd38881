"""The size of a message: the length of its MessagePack encoding, as the array [kind code, field, …].

It is encoded once per value, not per receiver: the size is kept on the message. A `Blob` counts the bytes
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
"""Bytes; the room that an envelope's header has for a size."""

_getters: dict[type, Callable[[Any], tuple[Any, ...]]] = {}


def _getter(kind: type) -> Callable[[Any], tuple[Any, ...]]:
    """What reads the fields of a value of this class, all at once."""
    known = _getters.get(kind)
    if known is None:
        names = [f.name for f in fields(kind) if f.metadata.get("sent", True)]
        if not names:
            known = _none
        elif len(names) == 1:
            one = attrgetter(names[0])

            def known(value: Any) -> tuple[Any, ...]:
                return (one(value),)
        else:
            known = attrgetter(*names)
        _getters[kind] = known
    return known


def _none(value: Any) -> tuple[Any, ...]:
    return ()


SIZE_UNKNOWN = 1_000
"""Size of a message that MessagePack cannot write: nesting without end, an integer of a hundred bytes."""


class _Sizer:
    """Packs one message at a time; `extra` collects the bytes that blobs stand for."""

    def __init__(self) -> None:
        self.extra = 0
        self.pack = msgpack.Packer(default=self.other, autoreset=True).pack

    def other(self, value: Any) -> Any:
        if isinstance(value, Blob):
            self.extra += value.size if type(value.size) is int and value.size > 0 else 0
            return value.digest
        if is_dataclass(value) and not isinstance(value, type):
            return _getter(value.__class__)(value)
        # Whatever else a hostile or careless program puts there still has a length.
        return str(value)


_sizer = _Sizer()
_pack = _sizer.pack


def encoded_size(message: Any) -> int:
    """Bytes of a message that was not encoded before; they are kept on it.

    Written without calls: where each message is another value, as in a round of gossip, much of a run is spent here.
    """
    kind = message.__class__
    try:
        size = len(_pack((1, *(_getters.get(kind) or _getter(kind))(message))))
        if _sizer.extra:
            # A blob whose size a hostile program made up must not spill into the columns beside this one.
            size = max(size, min(size + _sizer.extra, SIZE_MAX))
            _sizer.extra = 0
    except (TypeError, ValueError, OverflowError, RecursionError):
        size = SIZE_UNKNOWN
        _sizer.extra = 0
    message._size = size
    return size
