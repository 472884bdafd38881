"""A matrix of measured round trips, as published for PlanetLab: a row a line, milliseconds, `#` opens a comment.

    0      121.4   7.3
    121.4  0       96.0
    7.3    96.0    0

Entry (a, b) is the round trip that was measured from row a to row b. One way is taken to be half of it, which is
all that a round trip tells, in whole milliseconds and at least one: rounding lets deliveries share instants, which
is what makes the kernel fast, and half a millisecond is far below what such measurements repeat to. A matrix need
not be symmetric, and its triangles need not close: real routes make detours. The diagonal, usually zero, is what
two peers on one row get. A file may be packed with gzip.

numpy reads a good file fast; only when it stumbles is the file gone through line by line, to name the line that is
wrong.
"""

from __future__ import annotations

import io
import math
import warnings

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, plain
from .files import read_text

ROWS_MAX = 4_000
"""Sixteen million entries, 128 MB as a table."""
RTT_MS_MAX = 1_200_000.0
"""Ten minutes one way, as for the other models."""
BYTES_MAX = 512 << 20
EXPECTED = "expected a matrix of round trips in milliseconds"


def load(path: str) -> NDArray[np.int64]:
    """One-way delays in whole milliseconds, int64 (rows, rows), from row to column, at least 1.

    Raises InputError, one sentence with the file and, where there is one, the line.
    """
    name = plain(path)
    text = read_text(path, EXPECTED, BYTES_MAX)
    rtt_ms = _fast(text)
    if rtt_ms is None:
        rtt_ms = _slow(text, name)
    return np.maximum(1, np.rint(rtt_ms / 2)).astype(np.int64)


def _fast(text: str) -> NDArray[np.float64] | None:
    """The matrix, or None when something is amiss, or large or odd enough for a closer look."""
    if text.count("\n") > ROWS_MAX + 1_000:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rtt_ms = np.loadtxt(io.StringIO(text), dtype=np.float64, comments="#", ndmin=2)
    except (ValueError, Warning):
        return None
    rows, columns = rtt_ms.shape
    # Nothing compares true with nan, so that this leaves it to the closer look too.
    good = rows == columns <= ROWS_MAX and bool(((rtt_ms >= 0) & (rtt_ms <= RTT_MS_MAX)).all())
    return rtt_ms if good else None


def _slow(text: str, name: str) -> NDArray[np.float64]:
    """As `_fast`, naming the first line that is wrong."""
    rows: list[NDArray[np.float64]] = []
    width = last = 0
    for at, line in enumerate(io.StringIO(text), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        row = np.array([_entry(word, name, at, column) for column, word in enumerate(words, start=1)], np.float64)
        width = width or len(row)
        if width > ROWS_MAX:
            raise InputError(f"{name}:{at}: {width:,} values in a row are more than the {ROWS_MAX:,} that are read")
        if len(row) != width:
            raise InputError(f"{name}:{at}: {_values(len(row))}, but the first row has {width:,}")
        if len(rows) == ROWS_MAX:
            raise InputError(f"{name}:{at}: more than the {ROWS_MAX:,} rows that are read")
        rows.append(row)
        last = at
    if not rows:
        raise InputError(f"{name}: no numbers in it; {EXPECTED}")
    if len(rows) != width:
        count = f"{len(rows):,} row{'s' if len(rows) > 1 else ''}"
        raise InputError(f"{name}:{last}: {count} of {_values(width)}; expected as many rows as values in each")
    return np.stack(rows)


def _entry(word: str, name: str, at: int, column: int) -> float:
    try:
        value = float(word) if "_" not in word else math.nan
    except ValueError:
        value = math.nan
    if not 0 <= value <= RTT_MS_MAX:
        what = f"value {column:,} should be a round trip in milliseconds from 0 to {RTT_MS_MAX:,.0f}"
        raise InputError(f'{name}:{at}: {what}, not "{plain(word, limit=40)}"')
    return value


def _values(count: int) -> str:
    return f"{count:,} value{'s' if count > 1 else ''}"
