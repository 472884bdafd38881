"""A setup as a scenario file: the other half of `scenario.load`.

What is written is read back to an equal setup, commands and their times included. TOML's basic strings take JSON's
escapes, so the standard library writes them.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from ..commands import Command
from ..files import is_descriptor
from ..setup import Setup
from ..world.readers.sessions import is_trace

if TYPE_CHECKING:
    from .check import Expect
    from .scenario import Caption


def to_toml(
    setup: Setup, title: str, about: str = "", captions: Iterable[Caption] = (), expects: Iterable[Expect] = ()
) -> str:
    """The text of a scenario that begins as `setup` does, has its schedule, and tells and expects what it is handed."""
    lines = [f"title = {_value(title)}"]
    if about:
        lines.append(f"about = {_value(about)}")
    for name in ("protocol", "peers", "seed", "topology", "latency", "loss"):
        value = getattr(setup, name)
        lines.append(f"{name} = {_value(_found(value) if name in ('topology', 'latency') else value)}")
    lines += _table("options", setup.options.items())
    lines += _table("content", ((f.name, getattr(setup.content, f.name)) for f in fields(setup.content)))
    lines += _table("links", ((f.name, getattr(setup.links, f.name)) for f in fields(setup.links)))
    lines += _table("asks", [("per_s", setup.asks_per_s)])
    lines += _table(
        "churn", [("session", _found(setup.churn) if is_trace(setup.churn) else setup.churn), ("polite", setup.polite)]
    )
    lines += _table("arrivals", ((f.name, getattr(setup.arrivals, f.name)) for f in fields(setup.arrivals)))
    for at_us, command in setup.schedule:
        lines += ["", "[[at]]", f"s = {at_us / 1e6!r}", f"do = {_value(command.verb)}"]
        lines += [f"{name} = {_value(value)}" for name, value in _fields(command)]
    for caption in captions:
        lines += ["", "[[caption]]", f"s = {float(caption.at_s)!r}", f"say = {_value(caption.say)}"]
        lines += [f"predict = {_value(caption.predict)}"] if caption.predict is not None else []
    for expect in expects:
        lines += ["", "[[expect]]"]
        values = ((f.name, getattr(expect, f.name)) for f in fields(expect))
        lines += [f"{name} = {_value(value)}" for name, value in values if value is not None]
    return "\n".join(lines) + "\n"


def _found(spec: str) -> str:
    """A file by its whole path, for the scenario may be read from elsewhere; any other spec as it is."""
    return str(Path(spec).resolve()) if os.path.exists(spec) and not is_descriptor(spec) else spec


def _table(name: str, items: Iterable[tuple[str, object]]) -> list[str]:
    rows = [f"{key} = {_value(value)}" for key, value in items]
    return ["", f"[{name}]", *rows] if rows else []


def _fields(command: Command) -> Iterable[tuple[str, object]]:
    for f in fields(command):
        value = getattr(command, f.name)
        if value is None or (value == f.default and f.name != "peers"):
            continue
        if f.name == "peers" and not isinstance(value, str):
            many = (value,) if isinstance(value, int) else tuple(value)
            value = " or ".join(f"#{peer}" for peer in many) or "not all"
        yield f.name, value


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else '"inf"'
    if isinstance(value, int):
        return str(value)
    # A path may hold bytes that are no text, which TOML cannot say. JSON leaves DEL as it is; TOML wants it escaped.
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
