"""Figures as other programs read them: CSV by RFC 4180 with one line of names, and pairs for JSON.

What could not be measured is an empty field, or null. Numbers are written so that they read back as the same numbers;
texts that a spreadsheet would take for a formula are kept from being one.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

from ..measure.snapshot import AskRow, Series

RISKY = ("=", "+", "-", "@", "\t", "\r")


def csv_of(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lines that end in a newline, the names first. None and NaN are empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_field(value) for value in row] for row in rows)
    return out.getvalue()


def _field(value: object) -> object:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return int(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value


def series_csv(series: Series) -> str:
    """Samples over time: `t_s` and a column for each name."""
    columns = [series.t_s.tolist(), *(column.tolist() for column in series.columns.values())]
    return csv_of(("t_s", *series.columns), zip(*columns, strict=True))


def asks_csv(asks: Iterable[AskRow], labels: Sequence[str]) -> str:
    """A line for each ask, with the figures of its account."""
    names = ("id", "from", "text", "want", "by", "issued_s", "reached", "messages", "bytes", "duplicates", "hits",
             "decoys", "fetched", "first_hit_s", "hops", "lost", "verdict")  # fmt: skip
    rows = (
        (
            row.id, labels[row.origin], row.text, row.want, row.by, row.issued_us / 1e6, row.reached, row.messages,
            row.bytes, row.duplicates, row.hits, row.decoys, row.fetched,
            None if row.first_hit_us is None else row.first_hit_us / 1e6, row.hops, row.lost, row.verdict,
        )
        for row in asks
    )  # fmt: skip
    return csv_of(names, rows)


def series_pairs(series: Series) -> dict[str, list[tuple[float, float | None]]]:
    """Name -> [(t_s, value)], None for what could not be measured."""
    times: Sequence[float] = series.t_s.tolist()
    return {
        name: [(t, None if math.isnan(v) else v) for t, v in zip(times, column.tolist(), strict=True)]
        for name, column in series.columns.items()
    }
