"""The size of a message, and whether its fields are what their annotations say.

The size is what the class states (`@message(size=…)` or a method `wire_size`), else the length of its MessagePack
encoding, as the array [kind code, field, …]. It is counted once per value, not per receiver: the size is kept on the
message. A `Blob` counts the bytes it stands for. Nothing is ever decoded: peers share one process, and the bytes exist
only to be counted.

A decoder of a real network refuses a message whose fields have other types than the specification says. So does
this one, at the same place: where the fields are read to be counted, each is compared with its annotation, and a
message that does not fit is dropped by its sender's host with the reason `malformed`. Handlers check what values mean,
and not their types. What is checked: bool, int (a bool is none), float (or an int), str, bytes, None, `X | Y`,
`Literal`, tuples, lists, dictionaries and their abstract kinds with what is in them, `File`, `Blob`, messages and other
dataclasses with their fields, and any other class by `isinstance`. `object`, `Any` and what cannot be resolved is not
checked.

For each class a function is compiled once, as `dataclasses` does it: it reads the fields, compares them and returns
them (measured: as fast as `operator.attrgetter`, which compares nothing).
"""

from __future__ import annotations

import collections.abc
import inspect
import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

import msgpack

from ..api import Blob

SIZE_MAX = (1 << 32) - 1
"""Bytes: the largest size that the header of an envelope can hold."""

SIZE_UNKNOWN = 1_000
"""Size of a message that MessagePack cannot write: nesting without end, an integer of a hundred bytes."""


DEPTH_SEARCHED = 8
"""Levels of nesting inside a field in which the wrong part is looked for."""


class MalformedMessage(Exception):
    """A field of a message is not what its annotation says."""


# --- fields ------------------------------------------------------------------------------------------------------


def _sent_fields(kind: type) -> list[str]:
    return [f.name for f in fields(kind) if f.metadata.get("sent", True)]


_getters: dict[type, Callable[[Any], tuple[Any, ...]]] = {}


def _getter(kind: type) -> Callable[[Any], tuple[Any, ...]]:
    """A function that reads the fields of a value of this class, all at once."""
    known = _getters.get(kind)
    if known is None:
        names = _sent_fields(kind)
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
    """The size in bytes of a message that was not counted before; it is stored in the message. Raises MalformedMessage.

    Written without calls: where each message is a new value, as in a round of gossip, much of a run is spent here.
    """
    kind = message.__class__
    try:
        values = (_readers.get(kind) or _reader(kind))(message)
        if values.__class__ is int:
            size = values
        else:
            size = len(_pack(values))
            if _sizer.extra:
                # An impossible size of a blob, by a hostile program, must not overflow into the other header fields.
                size = max(size, min(size + _sizer.extra, SIZE_MAX))
                _sizer.extra = 0
    except (TypeError, ValueError, OverflowError, RecursionError):
        size = SIZE_UNKNOWN
        _sizer.extra = 0
    message._size = size
    return size


def malformed_size(message: Any) -> int:
    """The bytes that a malformed message counts; of a wrapped message of a call, those of the message inside."""
    if not is_dataclass(message):
        message = message.message
    try:
        size = min(len(_pack((1, *_getter(message.__class__)(message)))) + _sizer.extra, SIZE_MAX)
    except (TypeError, ValueError, OverflowError, RecursionError):
        size = SIZE_UNKNOWN
    _sizer.extra = 0
    return size


def why_malformed(message: Any) -> str:
    """Which field is not what its annotation says, in one sentence; "" for a message that is well formed."""
    try:
        (_readers.get(message.__class__) or _reader(message.__class__))(message)
    except MalformedMessage:
        pass
    else:
        return ""
    hints = _hints(message.__class__)
    for name in _sent_fields(message.__class__):
        value, hint = getattr(message, name), hints.get(name, Any)
        if not check_of(hint)(value):
            value, hint, where = _misfit(value, hint, f"{message.kind}.{name}")
            expected = getattr(hint, "__name__", "") if isinstance(hint, type) and not get_args(hint) else str(hint)
            return f"{where} should be {expected}, and is a value of {type(value).__name__}"
    return f"{message.kind}: its size in bytes is not possible"


def _misfit(value: Any, hint: Any, where: str, depth: int = 0) -> tuple[Any, Any, str]:
    """The part of a malformed value that is wrong: the part, its annotation, and a text that names it. It is the value
    itself if none of its parts is wrong."""
    parts: list[tuple[Any, Any, str]] = []
    origin, args = get_origin(hint), get_args(hint)
    if depth < DEPTH_SEARCHED:
        if origin is dict and type(value) is dict:
            for key, one in value.items():
                parts += [(key, args[0], f"a key of {where}"), (one, args[1], f"{where}[{repr(key)[:20]}]")]
        elif (origin is list and type(value) is list) or (
            origin is tuple and type(value) is tuple and args[-1:] == (...,)
        ):
            parts = [(one, args[0], f"{where}[{at}]") for at, one in enumerate(value)]
        elif origin is tuple and type(value) is tuple and len(value) == len(args):
            parts = [(one, args[at], f"{where}[{at}]") for at, one in enumerate(value)]
        elif isinstance(hint, type) and is_dataclass(hint) and isinstance(value, hint):
            hints = _hints(hint)
            parts = [(getattr(value, name), hints.get(name, Any), f"{where}.{name}") for name in _sent_fields(hint)]
    for part, own, its_place in parts:
        if not check_of(own)(part):
            return _misfit(part, own, its_place, depth + 1)
    return value, hint, where


# --- readers that are compiled -------------------------------------------------------------------------------------


_readers: dict[type, Callable[[Any], Any]] = {}


def _reader(kind: type) -> Callable[[Any], Any]:
    """A function that reads and checks the fields of a message of this class. It returns the values to pack, or the
    size that the class states, and raises MalformedMessage."""
    known = _readers.get(kind)
    if known is not None:
        return known
    stated = getattr(kind, "stated_size", 0)
    own = getattr(kind, "wire_size", None)
    names = _sent_fields(kind) if is_dataclass(kind) else []
    compiled = _Compiled()
    hints = _hints(kind) if names else {}
    reads = [f" v{at} = message.{name}\n" for at, name in enumerate(names)]
    tests = [test for at, name in enumerate(names) if (test := compiled.test(hints.get(name, Any), f"v{at}"))]
    if stated:
        result = str(stated)
    elif callable(own):
        # The usual case is tested without a call of `sized`: of such messages there are many, each sent once.
        result = (
            f"size if (size := message.wire_size()).__class__ is int and 0 < size <= {SIZE_MAX} else sized(message)"
        )
    else:
        result = f"(1, {''.join(f'v{at}, ' for at in range(len(names)))})"
    body = f" if {' and '.join(tests)}:\n  return {result}\n raise Malformed\n" if tests else f" return {result}\n"
    if not stated and not callable(own) and 0 < len(names) < 15 and all(hints.get(name) is float for name in names):
        # Numbers of a fixed width need no packing: a byte for the array, one for the kind, nine for each.
        same = " and ".join(f"v{at}.__class__ is float" for at in range(len(names)))
        body = f" if {same}:\n  return {2 + 9 * len(names)}\n{body}"
    known = _readers[kind] = compiled.function("message", f"{''.join(reads)}{body}")
    return known


def _sized(message: Any) -> int:
    size = message.wire_size()
    if type(size) is not int or not 0 < size <= SIZE_MAX:
        # Not a ValueError, which the caller takes as a message that cannot be packed.
        raise AssertionError(f"{message.kind}.wire_size() should return 1 or more bytes, as an int, and not {size!r}")
    return size


@cache
def _hints(kind: type) -> dict[str, Any]:
    """The annotations of a class. What cannot be resolved (a name for the type checker alone, or one local to a
    function) is left out."""
    try:
        return get_type_hints(kind)
    except Exception:
        found: dict[str, Any] = {}
        for base in reversed(kind.__mro__):
            for name, hint in vars(base).get("__annotations__", {}).items():
                holder = type(name, (), {"__annotations__": {name: hint}, "__module__": base.__module__})
                try:
                    found.update(get_type_hints(holder))
                except Exception:
                    found.pop(name, None)
        return found


_checks: dict[Any, Callable[[Any], bool]] = {}
_field_checks: dict[type, Callable[[Any], bool]] = {}


def check_of(hint: Any) -> Callable[[Any], bool]:
    """A function that returns whether a value is what an annotation says."""
    try:
        known = _checks.get(hint)
    except TypeError:  # a Literal of something without a hash
        known, keep = None, False
    else:
        keep = True
    if known is None:
        compiled = _Compiled()
        known = compiled.function("v", f" return {compiled.test(hint, 'v') or 'True'}\n")
        if keep:
            _checks[hint] = known
    return known


def annotation_of(function: Callable[..., Any], at: int) -> Any:
    """The annotation of the parameter at this place, from 0; `Any` where there is none, or none that can be
    resolved."""
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code else ()
    hint = function.__annotations__.get(names[at], Any) if at < len(names) else Any
    holder = type("Holder", (), {"__annotations__": {"one": hint}, "__module__": function.__module__})
    try:
        return get_type_hints(holder)["one"]
    except Exception:
        return Any


def _fits_dataclass(value: Any) -> bool:
    """Whether the fields of a dataclass are what their annotations say."""
    kind = value.__class__
    known = _field_checks.get(kind)
    if known is None:
        compiled = _Compiled()
        # Stored before it is compiled, for classes that contain themselves.
        _field_checks[kind] = _fits_dataclass
        hints = _hints(kind)
        tests = [test for name in _sent_fields(kind) if (test := compiled.test(hints.get(name, Any), f"v.{name}"))]
        known = _field_checks[kind] = compiled.function("v", f" return {' and '.join(tests) or 'True'}\n")
    return known(value)


SEQUENCES = (collections.abc.Sequence, collections.abc.Collection, collections.abc.Iterable, collections.abc.Reversible)
MAPPINGS = (collections.abc.Mapping, collections.abc.MutableMapping)
EXACT = (bool, int, str, bytes)


class _Compiled:
    """Builds functions from source text; `names` are the values that the source refers to."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {
            "Malformed": MalformedMessage,
            "NoneType": type(None),
            "sized": _sized,
            "fits": _fits_dataclass,
            "int_only": {int},
            "str_only": {str},
            "bytes_only": {bytes},
            "bool_only": {bool},
        }

    def function(self, argument: str, body: str) -> Callable[[Any], Any]:
        exec(f"def made({argument}):\n{body}", self.names)  # of names and numbers made here, never of data
        made: Callable[[Any], Any] = self.names.pop("made")
        return made

    def name(self, value: Any) -> str:
        """A name for a value in the source."""
        name = f"n{len(self.names)}"
        self.names[name] = value
        return name

    def test(self, hint: Any, at: str) -> str:
        """An expression that is true if the value `at` is what an annotation says; "" if every value is."""
        while True:
            if isinstance(hint, NewType):
                hint = hint.__supertype__
            elif get_origin(hint) is Annotated:
                hint = get_args(hint)[0]
            elif type(hint).__name__ == "TypeAliasType":
                hint = hint.__value__
            else:
                break
        origin, inside = get_origin(hint), get_args(hint)
        if hint is None or hint is type(None):
            return f"{at} is None"
        if hint in EXACT:
            return f"{at}.__class__ is {hint.__name__}"
        if hint is float:
            return f"({at}.__class__ is float or {at}.__class__ is int)"
        if origin is Union or origin is types.UnionType:
            tests = [self.test(one, at) for one in inside]
            return f"({' or '.join(tests)})" if all(tests) else ""
        if origin is Literal:
            return f"{self.name(_Literal(inside))}.has({at})"
        kind = origin or hint
        if not isinstance(kind, type) or kind is object or kind is Any:
            return ""
        if kind is tuple:
            return self._tuple(inside, at)
        if kind in SEQUENCES:
            return self._items(f"({at}.__class__ is tuple or {at}.__class__ is list)", inside[:1], at)
        if kind in MAPPINGS or kind is dict:
            keys, values = inside or (Any, Any)
            tests = [f"{at}.__class__ is dict", self._each(keys, at), self._each(values, f"{at}.values()")]
            return f"({' and '.join(test for test in tests if test)})"
        if kind in (list, set, frozenset):
            return self._items(f"{at}.__class__ is {kind.__name__}", inside[:1], at)
        if issubclass(kind, tuple) and hasattr(kind, "_fields"):
            hints = _hints(kind)
            tests = [self.test(hints.get(name, Any), f"{at}[{place}]") for place, name in enumerate(kind._fields)]
            return f"({' and '.join([self._is(at, kind), *(test for test in tests if test)])})"
        if is_dataclass(kind):
            return f"({self._is(at, kind)} and fits({at}))"
        try:
            isinstance(None, kind)
        except TypeError:  # a protocol of the type checker alone
            return ""
        return f"isinstance({at}, {self.name(kind)})"

    def _is(self, at: str, kind: type) -> str:
        """A test that a value is an object of a class. Most values are of the class itself and not of a derived one;
        then the test makes no call."""
        name = self.name(kind)
        return f"({at}.__class__ is {name} or isinstance({at}, {name}))"

    def _tuple(self, inside: tuple[Any, ...], at: str) -> str:
        is_tuple = f"({at}.__class__ is tuple or isinstance({at}, tuple))"
        if len(inside) == 2 and inside[1] is Ellipsis:
            return self._items(is_tuple, inside[:1], at)
        if not inside:
            return is_tuple
        tests = [self.test(one, f"{at}[{place}]") for place, one in enumerate(inside)]
        return f"({' and '.join([is_tuple, f'len({at}) == {len(inside)}', *(test for test in tests if test)])})"

    def _items(self, outer: str, inside: tuple[Any, ...], at: str) -> str:
        each = self._each(inside[0], at) if inside else ""
        # Many containers are empty, and then there is nothing to compare.
        return f"({outer} and (not {at} or {each}))" if each else outer

    def _each(self, hint: Any, at: str) -> str:
        """A test that each item of a container is what an annotation says; "" if every value is."""
        item = f"i{len(self.names)}"
        self.names[item] = None  # so that a loop inside of this one has another name
        test = self.test(hint, item)
        if not test:
            return ""
        if hint in EXACT:
            return f"{{*map(type, {at})}} <= {hint.__name__}_only"
        return f"all([{test} for {item} in {at}])"


class _Literal:
    """The values of a `Literal`. True is not 1 here."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values

    def has(self, value: Any) -> bool:
        return any(value.__class__ is one.__class__ and value == one for one in self.values)
