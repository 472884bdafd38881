"""Parsing of the short texts that describe a world: `random:4`, `uniform:20-200`, `weibull:0.59:2514`.

Each is a word and fields after colons. Errors in all of them have the same form: one sentence that quotes the text,
names the field as the help does, and says what was expected.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..errors import InputError, nearest, plain


def split(kind: str, spec: str, forms: Mapping[str, str]) -> tuple[str, list[str]]:
    """Split a spec into its word and its fields, as many as its form has.

    kind     the name of the setting ("topology")
    forms    from each word to its form ("random" -> "random:DEGREE")

    Raises InputError for an unknown word, with the nearest one, and for too few or too many fields.
    """
    word, *fields = spec.strip().split(":")
    form = forms.get(word)
    if form is None:
        if not spec.strip():
            raise InputError(f"{kind} is empty; expected one of {', '.join(forms.values())}")
        raise InputError(f'{kind} "{plain(spec)}" is not known{nearest(word, forms)}')
    if len(fields) != form.count(":"):
        raise InputError(f'{kind} "{plain(spec)}" should be written {form}')
    return word, fields


def number(text: str, what: str, where: str, low: float, high: float) -> float:
    """Parse a finite number in low..high, both included.

    what     the field as the help names it; where: the beginning of the error sentence (`topology "random:x"`)

    Raises InputError for anything else.
    """
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        value = math.nan
    # Every comparison with nan is false, so that this refuses it too.
    if not low <= value <= high:
        raise InputError(
            f'{plain(where)}: {what} should be a number from {_limit(low)} to {_limit(high)}, not "{plain(text)}"'
        )
    return value


def whole(text: str, what: str, where: str, low: int, high: int) -> int:
    """Parse a whole number in low..high, as `number` does."""
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit() and len(stripped) < 20 and low <= int(stripped) <= high:
        return int(stripped)
    raise InputError(f'{plain(where)}: {what} should be a whole number from {low:,} to {high:,}, not "{plain(text)}"')


def _limit(limit: float) -> str:
    """A limit as text: 1,000,000 rather than 1e+06."""
    return f"{int(limit):,}" if limit == int(limit) else f"{limit:g}"
