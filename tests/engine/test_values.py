"""Dataclasses whose methods are made later are those of the standard library."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import KW_ONLY, FrozenInstanceError, InitVar, field, fields, replace
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from engine.values import SHAPE, Later, dataclass, slotted

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Base:
    """A base."""

    kind: ClassVar[str] = "base"
    at: int
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Child(Base):
    kind: ClassVar[str] = "child"
    words: tuple[str, ...] = ("a",)
    more: list[int] = field(default_factory=list, compare=False)
    secret: int = field(default=3, repr=False, kw_only=True)


@dataclass(slots=True)
class Box(Generic[T]):
    inside: T
    count: int = 0

    def __post_init__(self) -> None:
        self.count += 1


@dataclass(slots=True, eq=False)
class Plain:
    a: int
    b: float = 0.5


@dataclass(frozen=True, slots=True, order=True)
class Version:
    major: int
    minor: int = 0


@dataclass(slots=True, kw_only=True)
class Named:
    name: str

    def __repr__(self) -> str:
        return f"<{self.name}>"


@dataclass(frozen=True, slots=True)
class Hashed:
    a: list[int]

    def __hash__(self) -> int:
        return 7


@dataclass(frozen=True, slots=True)
class Whole(ABC):
    a: int

    @abstractmethod
    def does(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Part(Whole):
    b: int = 2

    def does(self) -> int:
        return self.a + self.b


@dataclass(slots=True)
class Marked:
    a: InitVar[int]
    _: KW_ONLY
    b: int = 2

    def __post_init__(self, a: int) -> None:
        self.b += a


@dataclass(slots=True)
class MarkedChild(Marked):
    c: int = 3


@dataclasses.dataclass(slots=True)
class Kept:
    kind: ClassVar[str] = "kept"
    a: int


@dataclass(slots=True)
class KeptChild(Kept):
    b: int = 2


@dataclass(frozen=True, slots=True)
class Doubled:
    a: int

    def __init__(self, half: int) -> None:
        object.__setattr__(self, "a", 2 * half)


MAKERS: list[tuple[type[Any], Callable[[Any], Any]]] = [
    (Base, lambda kind: kind(1, ("x",))),
    (Child, lambda kind: kind(1, more=[2])),
    (Box, lambda kind: kind("it", count=4)),
    (Plain, lambda kind: kind(1)),
    (Version, lambda kind: kind(1, minor=2)),
    (Named, lambda kind: kind(name="n")),
    (Hashed, lambda kind: kind([1])),
    (Part, lambda kind: kind(1)),
    (Marked, lambda kind: kind(1, b=4)),
    (MarkedChild, lambda kind: kind(1, b=4)),
    (KeptChild, lambda kind: kind(1)),
    (Doubled, lambda kind: kind(1)),
]


def map_fields(given: dict[str, Any]) -> dict[str, Any]:
    """A copy of each field, since a field belongs to one class."""
    return {name: copy.copy(one) if isinstance(one, dataclasses.Field) else one for name, one in given.items()}


def standard(kind: type[Any]) -> type[Any]:
    """The class as `dataclasses.dataclass` makes it, from the same source."""
    source = inspect.getsource(kind)
    space: dict[str, Any] = {**globals(), "dataclass": dataclasses.dataclass, "__name__": __name__}
    for base in kind.__mro__[1:-1]:
        if base.__module__ == __name__:
            space[base.__name__] = standard(base)
    # Annotations are texts in this code, as they are in this file.
    exec(compile(f"from __future__ import annotations\n{source}", "standard", "exec"), space)
    made: type[Any] = space[kind.__name__]
    return made


@pytest.mark.parametrize(("kind", "make"), MAKERS, ids=[kind.__name__ for kind, _ in MAKERS])
def test_a_class_is_as_that_of_the_standard_library(kind: type[Any], make: Callable[[Any], Any]) -> None:
    other = standard(kind)
    mine, theirs = make(kind), make(other)
    assert repr(mine) == repr(theirs)
    assert (mine == make(kind)) == (theirs == make(other))
    assert (kind.__hash__ is None) == (other.__hash__ is None)
    assert kind.__slots__ == other.__slots__
    assert not hasattr(mine, "__dict__")
    told = [(f.name, f.type, f.default, f.init, f.repr, f.compare, f.kw_only) for f in fields(mine)]
    assert told == [(f.name, f.type, f.default, f.init, f.repr, f.compare, f.kw_only) for f in fields(theirs)]
    assert kind.__match_args__ == other.__match_args__
    assert str(inspect.signature(kind)) == str(inspect.signature(other))
    assert dataclasses.asdict(mine) == dataclasses.asdict(theirs)
    if not issubclass(kind, (Marked, Doubled)):
        assert repr(replace(mine)) == repr(replace(theirs))
    for name in ("frozen", "eq", "order", "init", "repr"):
        assert getattr(kind.__dataclass_params__, name) == getattr(other.__dataclass_params__, name)
    again = pickle.loads(pickle.dumps(mine))
    assert repr(again) == repr(mine)
    assert repr(copy.deepcopy(mine)) == repr(mine)
    for wrong in ({}, {"nothing": 1}):
        with pytest.raises(TypeError) as ours:
            kind(**wrong)
        with pytest.raises(TypeError) as its:
            other(**wrong)
        assert str(ours.value) == str(its.value)


def test_signatures_are_there_before_the_first_instance() -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh:
        a: int
        b: str = "x"

    class Own(Fresh):
        def __init__(self, c: int) -> None:
            super().__init__(c)

    class OfOwn(Own):
        pass

    assert str(inspect.signature(Fresh)) == "(a: 'int', b: 'str' = 'x') -> None"
    for kind in (Own, OfOwn):
        assert str(inspect.signature(kind)) == "(c: 'int') -> 'None'"
    assert Own(3).a == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"a": 1, "b": dataclasses.MISSING},
        {"a": field(default=1), "b": field(repr=False)},
        {"a": field(default_factory=list), "b": dataclasses.MISSING},
        {"a": field(default=1, kw_only=True), "c": 1, "b": dataclasses.MISSING},
        {"a": []},
        {"a": field(default={})},
        {"more": [], "words": dataclasses.MISSING},
    ],
)
@pytest.mark.parametrize("base", [object, Box, Kept])
def test_invalid_defaults_are_refused_when_the_class_is_made(base: type[Any], wrong: dict[str, Any]) -> None:
    given = {name: value for name, value in wrong.items() if value is not dataclasses.MISSING}

    def source() -> type[Any]:
        return type("Wrong", (base,), {"__annotations__": dict.fromkeys(wrong, "int"), **map_fields(given)})

    with pytest.raises((TypeError, ValueError)) as theirs:
        dataclasses.dataclass(slots=True)(source())
    with pytest.raises(type(theirs.value)) as ours:
        slotted(source())
    assert str(theirs.value).startswith(str(ours.value)), "Python 3.12 adds the argument before it"


def test_fields_that_need_a_name_or_are_no_arguments_stand_in_any_order() -> None:
    @dataclass(slots=True)
    class Loose:
        a: int = field(default=1, kw_only=True)
        b: int = field(default=2, init=False)
        c: int
        d: int = field(kw_only=True)

    @dataclass(slots=True)
    class Placed(Named):
        more: int = 1
        name: str

    assert (Loose(3, d=4).c, Loose(3, d=4).d) == (3, 4)
    assert (Placed("n", 2).name, Placed("n").more) == ("n", 1)


def test_a_method_is_made_once_and_is_then_that_of_the_standard_library() -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh:
        a: int

    assert all(isinstance(Fresh.__dict__[name], Later) for name in SHAPE)
    first = Fresh.__dict__["__init__"]
    Fresh(1)
    made = Fresh.__dict__["__init__"]
    assert made is not first
    Fresh(2)
    assert Fresh.__dict__["__init__"] is made
    assert made.__code__.co_varnames[:2] == ("self", "a")
    assert Fresh(1) == Fresh(1) != Fresh(2)
    assert hash(Fresh(1)) == hash((1,))
    assert [f.name for f in fields(Fresh)] == ["a"]
    assert Fresh.__dict__["__match_args__"] == ("a",)


def test_matching_needs_no_instance_first() -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh:
        a: int

    match object.__new__(Fresh):
        case Fresh(a=1):
            pytest.fail("it has no a")
        case Fresh():
            pass


def test_frozen_instances_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'at'"):
        Child(1).at = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'words'"):
        del Child(1).words  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'other'"):
        Child(1).other = 2  # type: ignore[attr-defined]


def test_frozen_and_changeable_classes_are_not_mixed() -> None:
    for frozen, base in ((False, Base), (True, Box)):
        with pytest.raises(TypeError, match="frozen"):
            slotted(type("Mixed", (base,), {"__annotations__": {"c": "int"}}), frozen=frozen)


def test_order_compares_as_tuples() -> None:
    assert Version(1, 2) < Version(1, 3) <= Version(1, 3) < Version(2)
    assert sorted([Version(2), Version(1, 5)])[0] == Version(1, 5)
    with pytest.raises(TypeError):
        assert Version(1) < 3  # type: ignore[operator]


def test_hidden_fields_are_set_and_not_in_the_repr() -> None:
    size = field(default=0, init=False, repr=False)
    made = slotted(type("Sent", (), {"__annotations__": {"a": int, "size": int}, "size": size}), hidden=("size",))
    assert made(1).size == 0
    assert [f.name for f in fields(made)] == ["a"]
    assert repr(made(1)) == "Sent(a=1)"
