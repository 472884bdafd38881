"""Tables for other programs: CSV (RFC 4180) with a line of names, and pairs for JSON.

What could not be measured is an empty field, or null in JSON. A number is written so that the same number is read back.
A text that a spreadsheet would take for a formula gets an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

from ..measure.snapshot import SPREAD, AskRow, Series

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_of(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A CSV table, the names first; each line ends in a newline. None, NaN and infinity are empty."""
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
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def series_csv(series: Series) -> str:
    """Samples over time as CSV: `t_s`, and a column for each series. See `Series` for their units."""
    columns = [series.t_s.tolist(), *(column.tolist() for column in series.columns.values())]
    return csv_of(("t_s", *series.columns), zip(*columns, strict=True))


def asks_csv(asks: Iterable[AskRow], labels: Sequence[str]) -> str:
    """Asks as CSV, one a line, with all figures of their records; `done` and `of` are their progress,
    `spread_50_s` and the others the time until half (90 %, 99 %) of the audience was reached. `labels`: names
    of the peers, by PeerId."""
    names = ("id", "goal", "from", "text", "by", "issued_s", "reached", "messages", "bytes", "duplicates",
             "hits", "decoys", "fetched", "first_hit_s", "hops", "lost", "verdict",
             "answerers", "done", "of", *(f"spread_{percent}_s" for percent in SPREAD))  # fmt: skip
    rows = (
        (
            row.id, row.goal, labels[row.origin], row.text, row.by, row.issued_us / 1e6, row.reached,
            row.messages, row.bytes, row.duplicates, row.hits, row.decoys, row.fetched,
            None if row.first_hit_us is None else row.first_hit_us / 1e6, row.hops, row.lost, row.verdict,
            row.answerers, row.done, row.of,
            *(None if at_us is None else at_us / 1e6 for at_us in row.spread_us or [None] * len(SPREAD)),
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
