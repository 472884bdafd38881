"""The options of the running network as a person reads and changes them: value, default, unit, range, steps.

What an option may be is read from its definition (`allowed_of`), so any network has its options here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from engine import Allowed, allowed_of, dataclass, network, option_values, plain

UNITS = {
    "_mbit_s": "Mbit/s",
    "_kbit_s": "kbit/s",
    "_per_s": "/s",
    "_kb": "KB",
    "_mb": "MB",
    "_bytes": "bytes",
    "_ms": "ms",
    "_us": "µs",
    "_min": "min",
    "_h": "h",
    "_s": "s",
}
"""Units by the endings of the names of options."""
SMALL = 20
"""Whole numbers below it change by one."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option. begun: its value at the start of this run; now: its value at the cursor."""

    name: str
    allowed: Allowed
    default: Any
    begun: Any
    now: Any

    @property
    def unit(self) -> str:
        """Its unit; empty where it has none."""
        named = next((unit for ending, unit in UNITS.items() if self.name.endswith(ending)), "")
        return self.allowed.unit or (named if self.allowed.kind in (int, float) else "")

    @property
    def range(self) -> str:
        """`1 to 255`, `0.1 or more`, `on or off`, or the choices."""
        allowed = self.allowed
        if allowed.choices:
            return " or ".join(plain(str(choice)) for choice in allowed.choices)
        if allowed.kind is bool:
            return "on or off"
        if allowed.low is not None and allowed.high is not None:
            return f"{text_of(allowed.low)} to {text_of(allowed.high)}"
        if allowed.low is not None:
            return f"{text_of(allowed.low)} or more"
        if allowed.high is not None:
            return f"at most {text_of(allowed.high)}"
        return "any number" if allowed.kind in (int, float) else "a text"

    def read(self, text: object) -> Any:
        """A typed text as a value. Raises InputError, a sentence with the range and the unit."""
        allowed = self.allowed
        unit = f" {self.unit}" if self.unit else ""
        # The unit may be typed too, as it is shown beside the value.
        bare = re.sub(rf"\s*{re.escape(self.unit)}$", "", text.strip()) if isinstance(text, str) and unit else text
        if isinstance(bare, str) and allowed.kind in (int, float):
            bare = bare.strip().replace("\N{NARROW NO-BREAK SPACE}", "")
            if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d*)?", bare):
                bare = bare.replace(",", "")
        where = f"{self.name}, in {self.unit}," if unit else self.name
        return allowed.read(bare, where, texts=True)

    def step(self, value: Any, by: int) -> Any:
        """The value that is `by` steps higher, within the range; other choices in turn."""
        allowed = self.allowed
        turned = (False, True) if allowed.kind is bool else allowed.choices
        if turned:
            at = turned.index(value) if value in turned else 0
            return turned[(at + by) % len(turned)]
        if allowed.kind not in (int, float):
            return value
        for _ in range(abs(by)):
            value = _stepped(allowed, 0 if value is None else value, 1 if by > 0 else -1)
        return value


def options_of(protocol: str, begun: Mapping[str, object], now: Mapping[str, object]) -> tuple[Option, ...]:
    """The options of a network. begun: values that its setup names; now: present values, as `Snapshot.settings`."""
    kind = getattr(network(protocol), "options_type", None)
    if kind is None:
        return ()
    allowed = allowed_of(kind)
    made = []
    for name, default in option_values(kind()).items():
        start = begun.get(name, default)
        if isinstance(start, str):  # a flag or a scenario may have given it as a text
            start = allowed[name].read(start, name, texts=True)
        made.append(Option(name, allowed[name], default, start, now.get(name, start)))
    return tuple(made)


def text_of(value: object) -> str:
    """A value as it is shown: `on`, `1,000`, `0.25`, `–` for none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.12g}"
    return plain(str(value), limit=60)


def _stepped(allowed: Allowed, value: float, way: int) -> float:
    """The next round value up or down: a step is half of the leading digit's place, about twenty steps a decade."""
    low, high = allowed.low, allowed.high
    share = low == 0 and high == 1
    if share and allowed.kind is float:
        size = 0.05
    elif allowed.kind is int and abs(value) < SMALL + (way < 0):
        size = 1.0
    elif value == 0:
        size = 0.1
    else:
        power = 10.0 ** math.floor(math.log10(abs(value)) + 1e-9)
        # At an exact power of ten, a step towards 0 is one of the decade below.
        size = power / 2 if (way > 0) == (value > 0) or abs(value) > power * (1 + 1e-9) else power / 20
    if allowed.kind is int:
        size = max(1.0, size)
    at = value / size
    nearest = round(at)
    on = abs(at - nearest) < 1e-6
    made = (nearest + way if on else math.floor(at) + (way > 0)) * size
    made = max(made, low) if low is not None else made
    made = min(made, high) if high is not None else made
    return round(made) if allowed.kind is int else float(f"{made:.12g}")
