"""Setups and commands as plain values that MessagePack can write, and back.

They are told field by field, so what is added to a `Setup` or to a command is recorded without anybody thinking of
it. Coming back, each value is held to the kind that its field has; what is out of range is for the engine to refuse,
as it does when a person types it. Raises `InputError`, in one sentence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any

import numpy as np

from ..commands import VERBS, Command, command_from, names_peers
from ..errors import InputError, plain
from ..setup import Setup

TEXT_MAX = 100_000
DEPTH_MAX = 6
TIME_MAX_US = 10**15
PLAIN: dict[str, Any] = {"float": 0.0, "int": 0, "str": "", "Want": ""}


def of_setup(setup: Setup) -> dict[str, Any]:
    """A setup as a map."""
    schedule = [[at_us, *of_command(command)] for at_us, command in setup.schedule]
    return {**_of(setup), "schedule": schedule}


def _of(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _of(getattr(value, f.name)) for f in fields(value) if f.name != "schedule"}
    if isinstance(value, Mapping):
        return {str(key): _of(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_of(each) for each in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def to_setup(value: Any) -> Setup:
    """A setup again."""
    if not isinstance(value, dict):
        raise InputError("its setup should be a map")
    schedule = value.get("schedule", [])
    if not isinstance(schedule, list):
        raise InputError("its schedule should be a list")
    timed = []
    for row in schedule:
        if not isinstance(row, list) or len(row) != 3:
            raise InputError("its schedule should hold a time, a verb and fields in each row")
        timed.append((to_time(row[0]), to_command(row[1], row[2])))
    made: Setup = _like(Setup(), {key: each for key, each in value.items() if key != "schedule"}, "setup")
    return replace(made, schedule=tuple(timed))


def _like(plan: Any, values: Any, where: str) -> Any:
    """A dataclass as `plan` is, with those values."""
    if not isinstance(values, dict):
        raise InputError(f"its {where} should be a map")
    known = {f.name for f in fields(plan)}
    changes = {}
    for name, value in values.items():
        if name not in known:
            raise InputError(f'its {where} has a "{plain(name, 40)}", which this version does not know')
        changes[name] = _kind(getattr(plan, name), value, f"{where}.{name}")
    return replace(plan, **changes)


def _kind(plan: Any, value: Any, where: str) -> Any:
    if is_dataclass(plan) and not isinstance(plan, type):
        return _like(plan, value, where)
    if isinstance(plan, Mapping):
        good = isinstance(value, dict) and all(isinstance(key, str) for key in value)
        value = {key: _tidy(each) for key, each in value.items()} if good else value
    elif isinstance(plan, tuple):
        good = isinstance(value, list)
        value = _tidy(value)
    elif isinstance(plan, bool) or plan is None:
        good = isinstance(value, bool) if plan is not None else True
        value = _tidy(value)
    elif isinstance(plan, int):
        good = isinstance(value, int) and not isinstance(value, bool)
    elif isinstance(plan, float):
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        value = float(value) if good else value
    else:
        good = isinstance(value, str) and len(value) <= TEXT_MAX
    if not good:
        raise InputError(f"its {where} should be as {plain(repr(plan), 40)} is, not {plain(repr(value), 40)}")
    return value


def _tidy(value: Any, depth: int = 0) -> Any:
    """A plain value, lists as tuples."""
    if isinstance(value, list) and depth < DEPTH_MAX:
        return tuple(_tidy(each, depth + 1) for each in value)
    if value is None or isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) <= TEXT_MAX):
        return value
    raise InputError(f"there is a value in it that no setup has: {plain(repr(value), 40)}")


# --- commands ---------------------------------------------------------------------------------------------------


def of_command(command: Command) -> tuple[str, dict[str, Any]]:
    """Verb and fields. Peers that are named one by one are a column of int32."""
    values: dict[str, Any] = {}
    for f in fields(command):
        value = getattr(command, f.name)
        if names_peers(f) and value is not None and not isinstance(value, (str, int)):
            value = np.array(value, "<i4").tobytes()
        values[f.name] = value if isinstance(value, bytes) else _of(value)
    return command.verb, values


def to_command(verb: Any, values: Any) -> Command:
    """A command again."""
    kind = VERBS.get(verb) if isinstance(verb, str) else None
    if kind is None:
        raise InputError(f'it has a command "{plain(verb, 40)}", which this version does not know')
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise InputError(f"the fields of a {kind.verb} should be a map")
    lists: dict[str, tuple[int, ...]] = {}
    told: dict[str, Any] = {}
    known = {f.name: f for f in fields(kind)}
    for name, value in values.items():
        if isinstance(value, bytes):
            if name not in known or not names_peers(known[name]) or len(value) % 4:
                raise InputError(f'the "{plain(name, 40)}" of a {kind.verb} should not be bytes')
            lists[name] = tuple(np.frombuffer(value, "<i4").tolist())
            told[name] = "#0"
        elif name in known and names_peers(known[name]) and value is None is known[name].default:
            continue
        elif name in known and names_peers(known[name]) and type(value) not in (str, int):
            raise InputError(f'the "{name}" of a {kind.verb} should be a selector or peers')
        else:
            told[name] = _tidy(value)
    made = command_from(kind.verb, told, "the recording")
    for name, f in known.items():
        plan = f.default if f.default is not MISSING else None
        if name not in told or name in lists or names_peers(f):
            continue
        if plan is None and told[name] is not None:
            # A field that may be left out says by its annotation alone what it may hold.
            plan = next((one for word, one in PLAIN.items() if word in str(f.type)), None)
        if plan is not None and not (told[name] is None is f.default):
            _kind(plan, values[name], f"{kind.verb}.{name}")
    return replace(made, **lists) if lists else made


def to_time(value: Any) -> int:
    """Virtual time in us."""
    if type(value) is not int or not 0 <= value <= TIME_MAX_US:
        raise InputError(f"there is a time in it that cannot be: {plain(repr(value), 40)}")
    return value
