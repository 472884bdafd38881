"""Checks values from scenarios, flags, sliders, settings and themes.

The options of a network are a dataclass whose fields have a range (`api.option`); so are the settings of the dashboard.
`allowed_of` reads such a dataclass, and `read_value` checks a value against it, or against another table of `Allowed`,
such as that of a theme. Flags are texts, so the text of an option is converted to its type; therefore a scenario may
also have `ttl = "7"`.

`as_whole`, `as_number`, `as_text` and `as_spec` check values that are in no such table (peers, loss, seconds). All
functions raise `InputError` with a sentence that begins with `where`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from .api import Peer
from .errors import InputError, nearest, plain, shown
from .values import dataclass

YES = ("true", "yes", "on", "1")
NUMBER_MAX = 1e9
"""Largest value of an option that is a float and states no limit: seconds are counted in microseconds, in 64 bits."""
SPEC_MAX = 4_096
"""Characters of a spec, which may be a path."""
NO = ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class Allowed:
    """The values that are allowed for something that a person sets.

    kind: bool, int, float or str; what has another kind cannot be set. low, high: limits of a number, both allowed.
    choices: the only values allowed. Of a text: `pattern` has to match all of it and `expected` says what that is;
    `names_file`: it may be a path, so it is not cleaned; `empty`: it may be empty. unit: of a number, where its name
    does not end in it. fixed: it can be set only before a run begins.
    """

    kind: type = str
    about: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    pattern: str = ""
    expected: str = ""
    example: str = ""
    names_file: bool = False
    empty: bool = False
    unit: str = ""
    fixed: bool = False

    def read(self, value: object, where: str, *, texts: bool = False) -> Any:
        """The value, with its type. `texts`: numbers, true and false may be given as texts, as on a command line.

        Raises InputError: a sentence that begins with `where` and says what was expected.
        """
        if self.choices:
            return _as_choice(value, self.choices, where)
        if self.kind is bool:
            return as_flag(value, where, texts=texts)
        if self.kind is int:
            return as_whole(value, where, self.low, self.high, texts=texts)
        if self.kind is float:
            return as_number(value, where, self.low, self.high, texts=texts)
        if self.kind is not str:
            raise InputError(f"{where} cannot be set from outside")
        if self.pattern:
            if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
                raise InputError(f"{where} should be {self.expected}, not {shown(value)}")
            return value
        if self.names_file:
            return as_spec(value, where, self.example)
        return "" if self.empty and value == "" else as_text(value, where, self.example)


_STATED = ("about", "low", "high", "example", "names_file", "unit", "fixed")
_known: dict[Any, dict[str, Allowed]] = {}


def allowed_of(kind: type[Any]) -> dict[str, Allowed]:
    """What the fields of a dataclass may hold, by name, from their annotations and from `api.option`. `X | None` is
    read as X. A field that is a dataclass itself, as the options of a component, is replaced by its fields: `dht.k`."""
    if kind not in _known:
        _known[kind] = _allowed_of(kind)
    return _known[kind]


def _allowed_of(kind: type[Any]) -> dict[str, Allowed]:
    # Annotations are texts under `from __future__ import annotations`, hence the resolving.
    hints = get_type_hints(kind)
    found = {}
    for f in fields(kind) if is_dataclass(kind) else ():
        hint = hints[f.name]
        if get_origin(hint) in (Union, UnionType):
            others = [each for each in get_args(hint) if each is not NoneType]
            hint = others[0] if len(others) == 1 else object
        choices = get_args(hint) if get_origin(hint) is Literal else ()
        known = hint if isinstance(hint, type) else object
        if is_dataclass(known):
            found.update({f"{f.name}.{name}": allowed for name, allowed in allowed_of(known).items()})
            continue
        stated = {name: f.metadata[name] for name in _STATED if name in f.metadata}
        if known is float and stated.get("high") is None and "about" in stated:
            stated["high"] = NUMBER_MAX
        found[f.name] = Allowed(known, choices=choices, **stated)
    return found


def read_value(
    allowed: Mapping[str, Allowed],
    name: str,
    value: object,
    where: str,
    noun: str,
    *,
    texts: bool = False,
    also: Sequence[str] = (),
) -> Any:
    """The value of `name`. Raises InputError for a wrong type, for a value out of range, and for a name that is not in
    `allowed`: with the nearest spelling among these and `also`. noun: what the sentence calls it, "no option is called
    ..."."""
    if name not in allowed:
        raise InputError(f'{where}: no {noun} is called "{plain(name)}"{nearest(name, [*allowed, *also])}')
    return allowed[name].read(value, f"{where}: {name}", texts=texts)


def options_for(network: type[Peer], values: Mapping[str, object], where: str) -> Any:
    """A new options object of `network`: its defaults, with `values` by name in place of some. None without options.

    Raises InputError for an unknown name (with the nearest spelling), a wrong type, or a value out of range.
    """
    kind: type[Any] | None = getattr(network, "options_type", None)
    if kind is None:
        if values:
            raise InputError(f'{where}: "{network.name}" has no options, so none is called "{next(iter(values))}"')
        return None
    allowed = allowed_of(kind)
    values = flat(values)
    made = {name: read_value(allowed, name, value, where, "option", texts=True) for name, value in values.items()}
    options = kind(**{name: value for name, value in made.items() if "." not in name})
    for name, value in made.items():
        if "." in name:
            _assign(options, name, value)
    return options


def flat(values: Mapping[str, object]) -> dict[str, object]:
    """Options by name, with those of a component under one name each, `dht.k`: TOML reads that as a table of tables."""
    found: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            found.update({f"{name}.{inner}": each for inner, each in flat(value).items()})
        else:
            found[name] = value
    return found


def option_values(options: Any) -> dict[str, Any]:
    """The values of an options object by name, those of components included; empty for None."""
    return {} if options is None else {name: attrgetter(name)(options) for name in allowed_of(type(options))}


def _assign(options: Any, name: str, value: object) -> None:
    *outer, last = name.split(".")
    for part in outer:
        options = getattr(options, part)
    setattr(options, last, value)


def set_option(options: Any, name: str, value: object, where: str, also: Sequence[str] = ()) -> None:
    """Change one option of an options object. Raises InputError as `options_for` does, and for an option that is fixed;
    it has then changed nothing.

    also: other names that are allowed at this place, for the nearest spelling.
    """
    if options is None:
        raise InputError(
            f'{where}: this network has no options, so none is called "{plain(name)}"{nearest(name, also)}'
        )
    allowed = allowed_of(type(options))
    if name not in allowed:
        raise InputError(f'{where}: nothing is called "{plain(name)}"{nearest(name, [*also, *allowed])}')
    if allowed[name].fixed:
        raise InputError(f"{where}: {name} is read when a run begins and cannot be changed while it runs")
    _assign(options, name, allowed[name].read(value, f"{where}: {name}", texts=True))


def option_names(network: type[Peer]) -> tuple[str, ...]:
    """Names of the options of a network, in the order of their definition."""
    kind: type[Any] | None = getattr(network, "options_type", None)
    return () if kind is None else tuple(allowed_of(kind))


def _as_choice(value: object, choices: tuple[Any, ...], where: str) -> Any:
    for choice in choices:
        if value == choice and isinstance(value, bool) == isinstance(choice, bool):
            return choice
        if isinstance(value, str) and value == str(choice):
            return choice
    *others, last = map(str, choices)
    wanted = f"{', '.join(others)} or {last}" if others else last
    close = nearest(value, map(str, choices), listed=False) if isinstance(value, str) else ""
    raise InputError(f"{where} should be {wanted}, not {shown(value)}{close}")


def as_flag(value: object, where: str, *, texts: bool = False) -> bool:
    """A bool; with `texts` also from a text (true, yes, on, 1, false, no, off, 0)."""
    if isinstance(value, bool):
        return value
    if texts and isinstance(value, str):
        word = value.strip().lower()
        if word in YES or word in NO:
            return word in YES
    raise InputError(f"{where} should be true or false, not {shown(value)}")


def as_whole(
    value: object, where: str, low: float | None = None, high: float | None = None, *, texts: bool = False
) -> int:
    """A whole number in low..high, both included. texts: whether its digits may be a text."""
    made: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        made = value
    elif texts and isinstance(value, str):
        try:
            made = int(value)
        except ValueError:
            made = None
    if made is None or not _within(made, low, high):
        raise InputError(f"{where} should be a whole number{_range(low, high)}, not {shown(value)}")
    return made


def as_number(
    value: object,
    where: str,
    low: float | None = None,
    high: float | None = None,
    *,
    below: float | None = None,
    texts: bool = False,
) -> float:
    """A finite number in low..high, both included, and less than `below`. texts: whether its digits may be a text."""
    made: float | None = None
    if isinstance(value, (int, float, str) if texts else (int, float)) and not isinstance(value, bool):
        try:
            made = float(value)
        except (ValueError, OverflowError):  # an integer may be too large for a float
            made = None
    if made is None or not math.isfinite(made) or not _within(made, low, high) or (below is not None and made >= below):
        span = f" from {low:g} to less than {below:g}" if below is not None and low is not None else _range(low, high)
        raise InputError(f"{where} should be a number{span}, not {shown(value)}")
    return made


def as_text(value: object, where: str, example: str = "") -> str:
    """A text that is not empty, cleaned by `errors.plain`, of at most 1,000 characters. example: for the error."""
    if not isinstance(value, str):
        tail = f' such as "{example}"' if example else ""
        raise InputError(f"{where} should be a text{tail}, not {shown(value)}")
    made = plain(value, limit=1_000).strip()
    if not made:
        raise InputError(f"{where} is empty")
    return made


def as_spec(value: object, where: str, example: str) -> str:
    """A spec. It may be a path, so it is not cleaned: it has to be shown by way of `errors.plain`."""
    if not isinstance(value, str):
        raise InputError(f'{where} should be a text such as "{example}", not {shown(value)}')
    made = value.strip()
    if not plain(made).strip():
        raise InputError(f"{where} is empty")
    if "\0" in made or len(made) > SPEC_MAX:
        why = "has a zero byte in it" if "\0" in made else f"is longer than {SPEC_MAX:,} characters"
        raise InputError(f'{where} should be a text such as "{example}", or a file, but this {why}')
    return made


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _range(low: float | None, high: float | None) -> str:
    def written(x: float) -> str:
        if isinstance(x, int):
            return f"{x:,}"
        return f"{x:,.0f}" if float(x).is_integer() and abs(x) < 1e15 else f"{x:g}"

    if low is not None and high is not None:
        return f" from {written(low)} to {written(high)}"
    if low is not None:
        return f" of {written(low)} or more"
    if high is not None:
        return f" up to {written(high)}"
    return ""
