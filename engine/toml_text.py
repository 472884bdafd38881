"""TOML by the standard library, and numbers that are too long for it or for us told in our own words."""

from __future__ import annotations

import re
import tomllib
from typing import Any

BITS_MAX = 64
"""Bits of an integer, as TOML says. Python's may have any number: one of a million digits could not even be printed."""
DEPTH_MAX = 100
"""Tables and lists in each other."""
_LONG = re.compile(r"[0-9_]{400,}")


def load_toml(text: str, *, giants: bool = True) -> dict[str, Any]:
    """The table that a text is; without `giants`, of integers of 64 bits and not deep.

    Raises tomllib.TOMLDecodeError, and RecursionError where it is nested too deeply.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:  # Python reads no integer of more than some thousand digits
        raise _too_long(text) from None
    if not giants and _has_giant(table):
        raise _too_long(text)
    return table


def _too_long(text: str) -> tomllib.TOMLDecodeError:
    found = _LONG.search(text)
    place = f" (at line {text.count(chr(10), 0, found.start()) + 1})" if found is not None else ""
    return tomllib.TOMLDecodeError(f"a number is too long{place}")


def _has_giant(table: dict[str, Any]) -> bool:
    todo: list[tuple[object, int]] = [(table, 0)]
    while todo:
        value, depth = todo.pop()
        if depth > DEPTH_MAX:
            raise RecursionError
        if isinstance(value, int) and value.bit_length() > BITS_MAX:
            return True
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        todo += [(each, depth + 1) for each in inner]
    return False
