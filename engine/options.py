"""Checks values from scenarios, flags and sliders.

The options of a network are a dataclass whose fields have a range (`api.option`). Their values come from `[options]` of
a scenario, from `--set ttl=7`, and from a slider that is moved while the swarm runs. Flags are texts, so a text is read
as the type of its option; therefore a scenario may also have `ttl = "7"`.

`as_whole`, `as_number`, `as_text` and `as_spec` check keys that belong to no network (peers, loss, seconds). All
functions raise `InputError` with a sentence that begins with `where`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import Field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from .api import Peer
from .errors import InputError, nearest, plain

YES = ("true", "yes", "on", "1")
SPEC_MAX = 4_096
"""Characters of a spec, which may be a path."""
NO = ("false", "no", "off", "0")


def options_for(network: type[Peer], values: Mapping[str, object], where: str) -> Any:
    """A new options object of `network`: its defaults, with `values` by name in place of some. None without options.

    Raises InputError for an unknown name (with the nearest spelling), a wrong type, or a value out of range.
    """
    kind: type[Any] | None = getattr(network, "options_type", None)
    if kind is None:
        if values:
            raise InputError(f'{where}: "{network.name}" has no options, so none is called "{next(iter(values))}"')
        return None
    made = {name: _checked(kind, name, value, where) for name, value in values.items()}
    return kind(**made)


def set_option(options: Any, name: str, value: object, where: str, also: Sequence[str] = ()) -> None:
    """Change one option of an options object. Raises InputError as `options_for` does, and has then changed nothing.

    also: other names that are allowed at this place, for the nearest spelling.
    """
    if options is None or name not in (known := [f.name for f in fields(options)]):
        if options is None:
            raise InputError(
                f'{where}: this network has no options, so none is called "{plain(name)}"{nearest(name, also)}'
            )
        raise InputError(f'{where}: nothing is called "{plain(name)}"{nearest(name, [*also, *known])}')
    setattr(options, name, _checked(type(options), name, value, where))


def option_names(network: type[Peer]) -> tuple[str, ...]:
    """Names of the options of a network, in the order of their definition."""
    kind: type[Any] | None = getattr(network, "options_type", None)
    return () if kind is None else tuple(f.name for f in fields(kind))


def _checked(kind: type[Any], name: str, value: object, where: str) -> Any:
    known: dict[str, Field[Any]] = {f.name: f for f in fields(kind)}
    if name not in known:
        raise InputError(f'{where}: no option is called "{plain(name)}"{nearest(name, known)}')
    # Annotations are texts under `from __future__ import annotations`.
    type_ = get_type_hints(kind)[name]
    meta = known[name].metadata
    low, high = meta.get("low"), meta.get("high")
    place = f"{where}: {name}"
    if get_origin(type_) is Literal:
        return _as_choice(value, get_args(type_), place)
    if type_ is bool:
        return as_flag(value, place)
    if type_ is int:
        return as_whole(value, place, low, high, texts=True)
    if type_ is float:
        return as_number(value, place, low, high, texts=True)
    if type_ is str:
        return as_text(value, place)
    raise InputError(f"{place} cannot be set from outside")


def _as_choice(value: object, choices: tuple[Any, ...], where: str) -> Any:
    for choice in choices:
        if value == choice and isinstance(value, bool) == isinstance(choice, bool):
            return choice
        if isinstance(value, str) and value == str(choice):
            return choice
    raise InputError(f"{where} should not be {_shown(value)}{nearest(str(value), map(str, choices))}")


def as_flag(value: object, where: str) -> bool:
    """A bool; also from a text (true, yes, on, 1, false, no, off, 0)."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        if word in YES or word in NO:
            return word in YES
    raise InputError(f"{where} should be true or false, not {_shown(value)}")


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
        raise InputError(f"{where} should be a whole number{_range(low, high)}, not {_shown(value)}")
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
        raise InputError(f"{where} should be a number{span}, not {_shown(value)}")
    return made


def as_text(value: object, where: str, example: str = "") -> str:
    """A text that is not empty, cleaned by `errors.plain`, of at most 1,000 characters. example: for the error."""
    if not isinstance(value, str):
        tail = f' such as "{example}"' if example else ""
        raise InputError(f"{where} should be a text{tail}, not {_shown(value)}")
    made = plain(value, limit=1_000).strip()
    if not made:
        raise InputError(f"{where} is empty")
    return made


def as_spec(value: object, where: str, example: str) -> str:
    """A spec. It may be a path, so it is not cleaned: it has to be shown by way of `errors.plain`."""
    if not isinstance(value, str):
        raise InputError(f'{where} should be a text such as "{example}", not {_shown(value)}')
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
    def told(x: float) -> str:
        if isinstance(x, int):
            return f"{x:,}"
        return f"{x:,.0f}" if float(x).is_integer() and abs(x) < 1e15 else f"{x:g}"

    if low is not None and high is not None:
        return f" from {told(low)} to {told(high)}"
    if low is not None:
        return f" of {told(low)} or more"
    if high is not None:
        return f" up to {told(high)}"
    return ""


def _shown(value: object) -> str:
    """A value as TOML writes it, at most 40 characters, for an error sentence."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 200:  # str() raises for very long ones
        return "a number that long"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return f'"{plain(value, 40)}"' if isinstance(value, str) else plain(value, 40)
