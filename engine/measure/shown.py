"""Reads the shown columns of a network (`Peer.shows`, `Peer.shown`).

Programs of one network may show different columns: the columns of a network are those of all its programs, and a peer
has no value in the columns of other programs. All columns of a peer are read at once, as `shown` returns them; nothing
is read while nobody needs a column.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from inspect import unwrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..api import Peer, Shown
from ..errors import NetworkFault, PeerFailed, place_of
from ..programs import shown_of, shows_of
from ..sim.words import OTHER, word_text
from .snapshot import ShownColumn
from .timeseries import TimeSeries

NAMED_MOST = 6
"""Values of a category that have a number, and so a colour, of their own."""

Values = dict[str, "NDArray[np.float64] | list[str]"]
"""Column -> a number for each peer, or a text in a category."""


class ShownReader:
    """Reads all shown columns of a network. It keeps nothing of what it has read."""

    def __init__(self, programs: Iterable[type[Peer]]) -> None:
        self.columns: dict[str, Shown] = {}
        """By name, in the order of the programs."""
        for program in programs:
            for column in shows_of(program):
                self.columns.setdefault(column.name, column)

    def read(self, programs: Sequence[Peer | None], now_us: int) -> Values:
        """The columns now; `programs` are those of all peers, None for one that is not alive. Raises PeerFailed."""
        made: Values = {
            name: [""] * len(programs) if one.kind == "category" else np.full(len(programs), math.nan)
            for name, one in self.columns.items()
        }
        peers: dict[type[Peer], list[int]] = {}
        for peer, program in enumerate(programs):
            if program is not None and (program.shows or program.components):
                peers.setdefault(type(program), []).append(peer)
        for kind, ids in peers.items():
            where = place_of(unwrap(kind.shown))
            rows = [self._row(peer, programs[peer]) for peer in ids]
            for at, shown in enumerate(shows_of(kind)):
                cells = [row[at] for row in rows]
                column = made[shown.name]
                if isinstance(column, list):
                    cleaned = {cell: _text(cell, ids, cells, shown, where) for cell in dict.fromkeys(cells)}
                    for peer, cell in zip(ids, cells, strict=True):
                        column[peer] = cleaned[cell]
                else:
                    column[ids] = _numbers(cells, ids, shown, where, now_us)
        return made

    def of(self, peer: int, program: Peer | None, now_us: int) -> tuple[tuple[Shown, float | str], ...]:
        """The columns of one peer; none of one that is not alive. Raises PeerFailed."""
        if program is None:
            return ()
        shows = shows_of(type(program))
        row = self._row(peer, program) if shows else ()
        where = place_of(unwrap(type(program).shown))
        return tuple(
            (one, _text(cell, [peer], [cell], one, where))
            if one.kind == "category"
            else (one, float(_numbers([cell], [peer], one, where, now_us)[0]))
            for one, cell in zip(shows, row, strict=True)
        )

    @staticmethod
    def _row(peer: int, program: Any) -> tuple[float | str, ...]:
        try:
            return shown_of(program)
        except Exception as error:
            raise PeerFailed(peer, "shown", error) from error


def _text(cell: object, ids: Sequence[int], cells: Sequence[object], column: Shown, where: str) -> str:
    if not isinstance(cell, str):
        raise _wrong(ids[cells.index(cell)], column, "a text", cell, where)
    return word_text(cell)


def _numbers(cells: Sequence[Any], ids: Sequence[int], column: Shown, where: str, now_us: int) -> NDArray[np.float64]:
    """The values of a column; NaN for a value that is not finite. A time (kind "age") becomes seconds before `now_us`.
    Raises PeerFailed for a value that is no number."""
    for at, cell in enumerate(cells):
        if isinstance(cell, str) or not hasattr(cell, "__float__"):
            raise _wrong(ids[at], column, "a number", cell, where)
    values = np.array([float(cell) for cell in cells], np.float64)
    values[~np.isfinite(values)] = math.nan
    return (now_us - values) / 1e6 if column.kind == "age" else values


def _wrong(peer: int, column: Shown, what: str, cell: object, where: str) -> PeerFailed:
    kind = type(cell).__name__
    return PeerFailed(peer, "shown", NetworkFault(f'column "{column.name}" should be {what}, not {kind}{where}'))


class CategoryNames:
    """The six values of a category that have numbers of their own: declared ones first, then the most frequent. A value
    keeps its number until another one is twice as frequent, so that colours do not change from frame to frame."""

    def __init__(self, column: Shown) -> None:
        self._column = column
        self._kept = list(column.values[:NAMED_MOST])

    def column(self, texts: Sequence[str], counted: NDArray[np.bool_]) -> ShownColumn:
        """The column of these texts; counted: the peers that are in `counts`."""
        distinct = Counter(texts)
        distinct.pop("", None)
        kept, declared = self._kept, len(self._column.values[:NAMED_MOST])
        for name in sorted(distinct, key=lambda one: (-distinct[one], one)):
            if name in kept:
                continue
            if len(kept) < NAMED_MOST:
                kept.append(name)
            elif declared < NAMED_MOST:
                rarest = min(range(declared, NAMED_MOST), key=lambda at: distinct[kept[at]])
                if distinct[name] <= 2 * distinct[kept[rarest]]:
                    break
                kept[rarest] = name
        codes = {"": 0} | {name: at for at, name in enumerate(kept, 1)}
        other = len(kept) + 1
        made = np.fromiter((codes.get(text, other) for text in texts), np.uint8, len(texts))
        rest = (OTHER,) if any(name not in codes for name in distinct) else ()
        names = ("", *kept, *rest)
        counts = np.bincount(made[counted], minlength=len(names)).tolist()
        return ShownColumn(self._column, codes=made, names=names, counts=tuple(counts))


def shown_columns(
    wanted: Iterable[str],
    reader: ShownReader,
    values: Values,
    names: dict[str, CategoryNames],
    counted: NDArray[np.bool_],
) -> Mapping[str, ShownColumn]:
    """The columns that are `wanted`, from the values of all. names: what earlier calls have kept of categories."""
    made: dict[str, ShownColumn] = {}
    for name in wanted:
        shown, column = reader.columns[name], values[name]
        if isinstance(column, list):
            made[name] = names.setdefault(name, CategoryNames(shown)).column(column, counted)
        else:
            made[name] = ShownColumn(shown, values=column)
    return made


SERIES_VALUES_MOST = 24
"""Values of a category that have a series of their own; all further ones are counted in "other"."""
ROLE = Shown("role", "what it is called in its specification", "category")
"""The roles of all peers, which can be followed as a category."""


def split_metric(metric: str, columns: Mapping[str, Shown]) -> tuple[str, str] | None:
    """The column and the value of the series of this name, as `epidemic.infected`; the value is "" where the column is
    no category. None for a name that is no series of these columns."""
    name = max((one for one in columns if metric == one or metric.startswith(f"{one}.")), key=len, default="")
    value = metric[len(name) + 1 :]
    return (name, value) if name and bool(value) == (columns[name].kind == "category") else None


class ShownSeries:
    """Time series of shown columns: the mean of the living users, or how many of them have each value of a category.

    It is no part of a run: a copy of the swarm has none, and reading a column changes nothing. Its rows have the times
    of the series of the swarm (`base`).
    """

    def __init__(self, base: TimeSeries) -> None:
        self._base = base
        self._since_s: dict[str, float] = {}
        """The columns that are followed, and since when."""
        self.table = TimeSeries((), beside=base)

    def followed(self) -> tuple[str, ...]:
        """Names of the columns that are followed."""
        return tuple(self._since_s)

    def follow(self, column: Shown, now_s: float, value: str = "") -> None:
        """Sample a column from now on. value: a value of a category that gets a series of its own even if it is
        rare."""
        self._since_s.setdefault(column.name, now_s)
        for one in (*column.values, value) if column.kind == "category" else ("",):
            name = f"{column.name}.{one}" if column.kind == "category" else column.name
            if name not in self.table.names and (one or column.kind != "category"):
                self.table.add_column(name)

    def sample(
        self,
        now_s: float,
        columns: Mapping[str, Shown],
        values: Mapping[str, Any],
        counted: NDArray[np.bool_],
    ) -> None:
        """The next row. values: of the columns that are followed; counted: the living users."""
        row: dict[str, float] = {}
        ids = np.flatnonzero(counted)
        for name, since_s in self._since_s.items():
            column = values[name]
            if columns[name].kind != "category":
                known = column[ids][~np.isnan(column[ids])]
                row[name] = math.fsum(known.tolist()) / len(known) if len(known) else math.nan
                continue
            mine = [one for one in self.table.names if one.startswith(f"{name}.")]
            row.update(dict.fromkeys(mine, 0.0))
            for text, count in Counter(map(column.__getitem__, ids.tolist())).items():
                series = f"{name}.{text}"
                if series not in row and len(mine) >= SERIES_VALUES_MOST:
                    series = f"{name}.{OTHER}"
                if series not in row and text:
                    self.table.add_column(series, zero_from_s=since_s)
                    mine.append(series)
                if text:
                    row[series] = row.get(series, 0.0) + count
        self.table.add(now_s, [row.get(name, math.nan) for name in self.table.names])

    def take_over(self, other: ShownSeries, now_s: float) -> None:
        """Follow what another swarm of the same run followed, and take its samples up to now."""
        for name, since_s in other._since_s.items():
            self._since_s[name] = min(since_s, self._since_s.get(name, since_s))
        for name in other.table.names:
            if name not in self.table.names:
                self.table.add_column(name)
        self.table.take_over(other.table, now_s)
