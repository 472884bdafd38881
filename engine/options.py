"""Checks of values from scenarios, flags and sliders.

The options of a network are a dataclass whose fields have a range (`api.option`). This module checks all values for
them: `[options]` of a scenario, `--set ttl=7`, and a slider that is moved while the swarm runs. Flags are texts, so a
text is read as the type of its option; that a scenario may therefore write `ttl = "7"` is accepted.

`as_whole`, `as_number`, `as_text` check keys that belong to no network (peers, loss, seconds). All raise `InputError`
with a sentence that begins with `where`.
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
"""Characters of a spec: as many as a path may have."""
NO = ("false", "no", "off", "0")


def options_for(network: type[Peer], values: Mapping[str, object], where: str) -> Any:
    """A fresh options dataclass of `network`, with `values` in place of its defaults.

    Raises InputError for a name it does not have (with the nearest spelling), a wrong type, or a value out of range.
    """
    kind: type[Any] | None = getattr(network, "options_type", None)
    if kind is None:
        if values:
            raise InputError(f'{where}: "{network.name}" has no options, so none is called "{next(iter(values))}"')
        return None
    made = {name: _checked(kind, name, value, where) for name, value in values.items()}
    return kind(**made)


def set_option(options: Any, name: str, value: object, where: str, also: Sequence[str] = ()) -> None:
    """Change one option of a live options dataclass. Raises InputError as `options_for` does, changing nothing.

    `also`: other names to choose the nearest spelling from.
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
    # The annotation is a text under `from __future__ import annotations`, hence the resolving.
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
    """True or false, or a text that says so (yes, no, on, off)."""
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
    """A whole number, low..high with both ends allowed."""
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
    """A finite number, low..high with both ends allowed, and less than `below`."""
    made: float | None = None
    if isinstance(value, (int, float, str) if texts else (int, float)) and not isinstance(value, bool):
        try:
            made = float(value)
        except (ValueError, OverflowError):  # An integer can be too long for a float.
            made = None
    if made is None or not math.isfinite(made) or not _within(made, low, high) or (below is not None and made >= below):
        span = f" from {low:g} to less than {below:g}" if below is not None and low is not None else _range(low, high)
        raise InputError(f"{where} should be a number{span}, not {_shown(value)}")
    return made


def as_text(value: object, where: str, example: str = "") -> str:
    """A text that is not empty, cleaned by `errors.plain`, as it will be shown."""
    if not isinstance(value, str):
        tail = f' such as "{example}"' if example else ""
        raise InputError(f"{where} should be a text{tail}, not {_shown(value)}")
    made = plain(value, limit=1_000).strip()
    if not made:
        raise InputError(f"{where} is empty")
    return made


def as_spec(value: object, where: str, example: str) -> str:
    """A spec, which may name a file: it is not cleaned, so whatever shows it has to use `errors.plain`."""
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
    """A value for an error message, as TOML writes it, cut short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 200:  # str() of a giant raises.
        return "a number that long"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return f'"{plain(value, 40)}"' if isinstance(value, str) else plain(value, 40)
