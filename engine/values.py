"""Slotted dataclasses whose methods are made when they are first called.

`dataclasses.dataclass` writes the source of up to eight methods for each class and compiles it when the module is
imported. At the start of the dashboard there are two hundred such classes, and most of them have no instance before
the first picture. Here a class gets its slots at once, but each method is only a placeholder: at its first call it lets
`dataclasses` make the real method, puts that into the class and calls it. After that the class is as
`dataclasses.dataclass` makes it, and as fast.

Type checkers see `dataclasses.dataclass`. `fields`, `replace`, `asdict`, `is_dataclass`, `match` and pickling work as
with it. What differs: a class without a docstring gets none.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast, get_origin

SHAPE = ("__dataclass_fields__", "__dataclass_params__", "__match_args__")
"""Attributes that `dataclasses` keeps in a class besides its methods."""
_ABSENT: Final = object()
"""The default of an argument that has a default factory."""
_SAMPLE: Any = dataclasses.make_dataclass("Sample", ["a"], init=False, repr=False, eq=False)
_PARAMS, _FIELD_KIND = _SAMPLE.__dataclass_params__, _SAMPLE.__dataclass_fields__["a"]._field_type
"""Objects of `dataclasses` that describe a class and the kind of a field; it has no public names for them."""
ORDER = ("__lt__", "__le__", "__gt__", "__ge__")


def _has_default(one: dataclasses.Field[Any]) -> bool:
    return one.default is not dataclasses.MISSING or one.default_factory is not dataclasses.MISSING


def _whole(shape: dict[str, Any]) -> dict[str, Any]:
    """The real fields of a class: `dataclasses` keeps class variables in the same table."""
    return {name: one for name, one in shape.items() if one._field_type is _FIELD_KIND}


class Deferred:
    """How the methods of one class are to be made.

    annotations, defaults: those of its own fields; a default may be a `field(...)`. hidden: fields that `__init__` sets
    and that are not in `dataclasses.fields`. optional: for each field, inherited ones first, whether it has a default;
    None for a field that is no argument of `__init__`, or only a keyword argument.

    Raises TypeError for a field without a default after one with a default, and ValueError for a default that can be
    changed, as `dataclasses` does.
    """

    __slots__ = ("annotations", "defaults", "eq", "frozen", "hidden", "kind", "kw_only", "optional", "order")

    def __init__(
        self,
        kind: type[Any],
        annotations: dict[str, Any],
        defaults: dict[str, Any],
        *,
        frozen: bool,
        eq: bool,
        order: bool,
        kw_only: bool,
        hidden: Sequence[str],
    ) -> None:
        self.kind, self.annotations, self.defaults, self.hidden = kind, annotations, defaults, hidden
        self.frozen, self.eq, self.order, self.kw_only = frozen, eq, order, kw_only
        self.optional: dict[str, bool | None] = {}
        for base in kind.__mro__[:0:-1]:
            shape = base.__dict__.get(SHAPE[0], {})
            if isinstance(shape, Later):
                self.optional |= shape.plan.optional
            else:
                for name, one in _whole(shape).items():
                    self.optional[name] = _has_default(one) if one.init and not one.kw_only else None
        self._add_own()

    def _add_own(self) -> None:
        for name in self.annotations:
            default = self.defaults.get(name, dataclasses.MISSING)
            stated, given, kw_only = True, default is not dataclasses.MISSING, self.kw_only
            if isinstance(default, dataclasses.Field):
                stated, given = default.init, _has_default(default)
                kw_only = kw_only if default.kw_only is dataclasses.MISSING else default.kw_only
                default = default.default
            if default.__class__.__hash__ is None:
                raise ValueError(
                    f"mutable default {type(default)} for field {name} is not allowed: use default_factory"
                )
            self.optional[name] = given if stated and not kw_only else None
        before = False
        for name, optional in self.optional.items():
            if before and optional is False:
                raise TypeError(f"non-default argument {name!r} follows default argument")
            before = before or bool(optional)

    def fields(self) -> dict[str, dataclasses.Field[Any]]:
        """All fields by name, inherited ones first, in the order of `dataclasses`."""
        fields: dict[str, dataclasses.Field[Any]] = {}
        for base in self.kind.__mro__[:0:-1]:
            shape = base.__dict__.get(SHAPE[0], {})
            fields.update(shape.plan.fields() if isinstance(shape, Later) else _whole(shape))
        for name in self.annotations:
            default = self.defaults.get(name, dataclasses.MISSING)
            given = isinstance(default, dataclasses.Field)
            field: Any = default if given else dataclasses.field(default=default)
            if field.kw_only is dataclasses.MISSING:
                field.kw_only = self.kw_only
            field.name, field.type = name, self.annotations[name]
            field._field_type = _FIELD_KIND
            fields[name] = field
        return fields

    def model(self, **made: bool) -> type[Any]:
        """A new class with all fields, inherited ones too, in which `dataclasses` makes the methods that `made` asks
        for."""
        kind = self.kind
        space: dict[str, Any] = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
        fields = {}
        for base in kind.__mro__[:0:-1]:
            for name, field in getattr(base, SHAPE[0], {}).items():
                fields[name] = field.type
                space[name] = copy.copy(field)
        for name, annotation in self.annotations.items():
            fields[name] = annotation
            space.pop(name, None)
        for name, default in self.defaults.items():
            space[name] = copy.copy(default) if isinstance(default, dataclasses.Field) else default
        if hasattr(kind, "__post_init__"):
            space["__post_init__"] = None  # `__init__` calls the method of the instance
        asked = {"init": False, "repr": False, "eq": False, **made}
        return dataclasses.dataclass(kw_only=self.kw_only, **asked)(
            type(kind.__name__, (), {**space, "__annotations__": fields, "__doc__": kind.__name__})
        )

    def shape(self) -> None:
        """Put into the class what `SHAPE` names."""
        fields, matched = self.fields(), []
        for name, field in fields.items():
            if field.init and not field.kw_only and name not in self.hidden:
                matched.append(name)
        facts: Any = copy.copy(_PARAMS)
        facts.init = facts.repr = True
        facts.eq, facts.order, facts.frozen = self.eq, self.order, self.frozen
        visible = {name: field for name, field in fields.items() if name not in self.hidden}
        for name, value in zip(SHAPE, (visible, facts, tuple(matched)), strict=True):
            if isinstance(self.kind.__dict__.get(name), Later):
                setattr(self.kind, name, value)

    def method(self, name: str) -> Callable[..., Any]:
        """The method of that name as `dataclasses` makes it."""
        if name == "__init__":
            return _init_of(self.kind, self.fields(), self.frozen)
        if name == "__repr__":
            made = self.model(repr=True)
        elif name == "__hash__":
            made = self.model(unsafe_hash=True)
        else:
            made = self.model(eq=True, order=name in ORDER)
        method: Callable[..., Any] = made.__dict__[name]
        return method


class Later:
    """Placeholder for an attribute of a class, which is made when it is first read."""

    __slots__ = ("name", "plan")

    def __init__(self, plan: Deferred, name: str) -> None:
        self.plan, self.name = plan, name

    def __get__(self, instance: object, owner: type[Any]) -> Any:
        if self.name == "__signature__":
            # Where a subclass has an `__init__` of its own, `inspect` finds it there.
            kind = next(base for base in owner.__mro__ if "__init__" in base.__dict__)
            if instance is not None or kind is not self.plan.kind:
                raise AttributeError(self.name)
            signature = inspect.signature(self.plan.model(init=True).__init__)
            return signature.replace(parameters=list(signature.parameters.values())[1:])
        self.plan.shape()
        return getattr(self.plan.kind, self.name)


def _init_of(kind: type[Any], fields: dict[str, dataclasses.Field[Any]], frozen: bool) -> Callable[..., None]:
    """An `__init__` as `dataclasses` makes it, made in a fifth of the time. In a frozen class it sets slots by their
    descriptors, which is also faster."""
    known: dict[str, Any] = {"_absent": _ABSENT}
    plain: list[str] = []
    named: list[str] = []
    lines = []
    own = "self" if "self" not in fields else "_self"
    for name, field in fields.items():
        argument, value = name, name
        if field.default_factory is not dataclasses.MISSING:
            known[f"_made_{name}"] = field.default_factory
            argument, value = f"{name}=_absent", f"_made_{name}() if {name} is _absent else {name}"
            if not field.init:
                value = f"_made_{name}()"
        elif field.default is not dataclasses.MISSING:
            known[f"_usual_{name}"] = field.default
            argument = f"{name}=_usual_{name}"
            if not field.init:
                value = f"_usual_{name}"
        elif not field.init:
            continue
        if field.init:
            (named if field.kw_only else plain).append(argument)
        slot = getattr(kind, name, None)
        if not frozen:
            lines.append(f"{own}.{name} = {value}")
        elif isinstance(slot, MemberDescriptorType):
            known[f"_set_{name}"] = slot.__set__
            lines.append(f"_set_{name}({own}, {value})")
        else:
            known["_set"] = object.__setattr__
            lines.append(f"_set({own}, {name!r}, {value})")
    if hasattr(kind, "__post_init__"):
        lines.append(f"{own}.__post_init__()")
    given = ", ".join([own, *plain, *["*"] * bool(named), *named])
    exec(f"def __init__({given}):\n {'; '.join(lines) or 'pass'}", known)
    made: Callable[..., None] = known["__init__"]
    made.__qualname__, made.__module__ = f"{kind.__qualname__}.__init__", kind.__module__
    return made


def _called_later(plan: Deferred, name: str) -> Callable[..., Any]:
    """A method that replaces itself by the real one when it is first called."""

    def method(self: Any, /, *args: Any, **named: Any) -> Any:
        real, kind = plan.method(name), plan.kind
        if kind.__dict__.get(name) is method:
            setattr(kind, name, real)
        return real(self, *args, **named)

    method.__name__, method.__qualname__ = name, f"{plan.kind.__qualname__}.{name}"
    method.__module__ = plan.kind.__module__
    return method


def _freeze(kind: type[Any]) -> None:
    def set_(self: Any, name: str, value: Any) -> None:
        if type(self) is kind or name in kind.__dataclass_fields__:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(kind, self).__setattr__(name, value)

    def delete(self: Any, name: str) -> None:
        if type(self) is kind or name in kind.__dataclass_fields__:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(kind, self).__delattr__(name)

    for name, method in (("__setattr__", set_), ("__delattr__", delete)):
        if name in kind.__dict__:
            raise TypeError(f"Cannot overwrite attribute {name} in class {kind.__name__}")
        setattr(kind, name, method)


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _set_state(self: Any, state: Sequence[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)


def _slots_of(kind: type[Any]) -> Iterable[str]:
    slots = kind.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots


def _is_field(annotation: object) -> bool:
    """Whether this is not the annotation of a class variable."""
    if isinstance(annotation, str):
        return not annotation.partition("[")[0].endswith("ClassVar")
    return annotation is not ClassVar and get_origin(annotation) is not ClassVar


def _is_mark(annotation: object) -> bool:
    """Whether this is an `InitVar`, which is an argument of `__init__` and no field, or `KW_ONLY`, which is no
    attribute."""
    if isinstance(annotation, str):
        return "InitVar" in annotation or "KW_ONLY" in annotation
    return annotation in (dataclasses.InitVar, dataclasses.KW_ONLY) or isinstance(annotation, dataclasses.InitVar)


def _has_marks(base: type[Any]) -> bool:
    """Whether a class has arguments of `__init__` that are no fields; each class that inherits from it has them too."""
    known = base.__dict__.get(SHAPE[0], {})
    return not isinstance(known, Later) and any(_is_mark(field.type) for field in known.values())


def slotted(
    cls: type[Any],
    *,
    frozen: bool = False,
    eq: bool = True,
    order: bool = False,
    kw_only: bool = False,
    hidden: Sequence[str] = (),
) -> type[Any]:
    """`cls` as a slotted dataclass.

    frozen, eq, order, kw_only: as in `dataclasses.dataclass`; hidden: fields that `__init__` sets to their defaults,
    and that are not in `dataclasses.fields`. Raises TypeError where `dataclasses` does: for slots that the class
    has already, for a frozen class that inherits from one that is not, or the other way round, and for a field without
    a default after one with a default; ValueError for a default that can be changed.
    """
    written = inspect.get_annotations(cls)
    if any(map(_is_mark, written.values())) or any(map(_has_marks, cls.__mro__[1:])):
        whole: Any = dataclasses.dataclass(frozen=frozen, eq=eq, order=order, kw_only=kw_only, slots=True)(cls)
        for name in hidden:
            del whole.__dataclass_fields__[name]
        return cast("type[Any]", whole)
    space = {**cls.__dict__, "__annotations__": written}
    annotations = {name: it for name, it in written.items() if _is_field(it)}
    for base in cls.__mro__[1:]:
        facts = base.__dict__.get(SHAPE[1])
        if facts is not None and (facts.plan if isinstance(facts, Later) else facts).frozen != frozen:
            raise TypeError(f"a frozen and a changeable dataclass in one: {cls.__name__} and {base.__name__}")
    if "__slots__" in space:
        raise TypeError(f"{cls.__name__} already specifies __slots__")
    taken = set(chain.from_iterable(map(_slots_of, cls.__mro__[1:-1])))
    space["__slots__"] = tuple(name for name in annotations if name not in taken)
    defaults = {name: space.pop(name) for name in annotations if name in space}
    for name in ("__dict__", "__weakref__"):
        space.pop(name, None)
    made: Any = type(cls)(cls.__name__, cls.__bases__, space)  # type: ignore[misc]
    made.__qualname__ = cls.__qualname__

    plan = Deferred(made, annotations, defaults, frozen=frozen, eq=eq, order=order, kw_only=kw_only, hidden=hidden)
    # A class with an `__init__` of its own has the signature of that method.
    for name in (*SHAPE, "__signature__") if "__init__" not in space else SHAPE:
        if name not in space:
            setattr(made, name, Later(plan, name))
    names = ["__init__", "__repr__", *["__eq__"] * eq]
    explicit = space.get("__hash__") is not None or ("__hash__" in space and "__eq__" not in space)
    if eq and not explicit:
        if frozen:
            names.append("__hash__")
        else:
            made.__hash__ = None
    for name in names:
        if name not in space or name == "__hash__":
            setattr(made, name, _called_later(plan, name))
    for name in ORDER if order else ():
        if name in space:
            raise TypeError(f"Cannot overwrite attribute {name} in class {cls.__name__}")
        setattr(made, name, _called_later(plan, name))
    if frozen:
        _freeze(made)
        if "__getstate__" not in space:
            made.__getstate__ = _state
        if "__setstate__" not in space:
            made.__setstate__ = _set_state
    return cast("type[Any]", made)


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, *, slots=False, **options):
        """`dataclasses.dataclass`; with `slots=True`, methods are made when they are first called."""

        def made(cls):
            return slotted(cls, **options) if slots else dataclasses.dataclass(**options)(cls)

        return made if cls is None else made(cls)
