"""Reading the short texts a person types for the world: `random:4`, `uniform:20-200`, `weibull:0.59:2514`.

All of them are a word and fields behind colons, and all of them are refused in the same way: one sentence
that quotes the text, names the field as the help does, and says what was expected there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..errors import InputError, nearest, plain


def split(kind: str, spec: str, forms: Mapping[str, str]) -> tuple[str, list[str]]:
    """The word of a spec and its fields, as many as its form has.

    kind is what the person set ("topology"); forms maps each word to its form ("random" -> "random:DEGREE").
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
    """A finite number in low..high, both included. `where` opens the sentence: `topology "random:x"`."""
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        value = math.nan
    # Nothing compares true with nan, so that this refuses it too.
    if not low <= value <= high:
        raise InputError(
            f'{plain(where)}: {what} should be a number from {_said(low)} to {_said(high)}, not "{plain(text)}"'
        )
    return value


def whole(text: str, what: str, where: str, low: int, high: int) -> int:
    """As `number`, for a whole one."""
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit() and len(stripped) < 20 and low <= int(stripped) <= high:
        return int(stripped)
    raise InputError(f'{plain(where)}: {what} should be a whole number from {low:,} to {high:,}, not "{plain(text)}"')


def _said(limit: float) -> str:
    """A limit as a person writes it: 1,000,000 rather than 1e+06."""
    return f"{int(limit):,}" if limit == int(limit) else f"{limit:g}"
