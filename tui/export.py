"""What a person takes away from the dashboard: the screen, the run as a scenario, its figures.

Files go where the person stands, which is where they will look; where that cannot be written to, into the state folder.
Nothing is ever written over: names are numbered, and made with a mode that fails if somebody was faster. Files of one
deed share one number.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import InputError, plain

if TYPE_CHECKING:
    from engine import Report

MOST = 10_000


def state_folder() -> Path:
    """Where files go when they cannot go where the person stands."""
    import platformdirs

    return platformdirs.user_state_path("swarmtop")


def write(stem: str, parts: Mapping[str, str], folder: Path | None = None) -> list[Path]:
    """Write `parts`, text by its ending (`.svg`, `-asks.csv`), as `STEM-NUMBER` and the ending. Returns the paths.

    The folder is `folder`, else the working directory, else the state folder. Raises InputError, one sentence, when
    none can be written to.
    """
    said = ""
    for where in [folder] if folder is not None else [Path.cwd, state_folder]:
        path = where
        try:
            path = where() if callable(where) else where
            path.mkdir(parents=True, exist_ok=True)
            return _write(path, stem, parts)
        except OSError as error:
            said = said or f"{plain(path) if isinstance(path, Path) else 'this folder'}: {error.strerror or error}"
    raise InputError(f"nothing could be written to {said}")


def _write(folder: Path, stem: str, parts: Mapping[str, str]) -> list[Path]:
    for number in range(1, MOST):
        paths = {folder / f"{stem}-{number:03d}{ending}": text for ending, text in parts.items()}
        if any(path.exists() for path in paths):
            continue
        made: list[Path] = []
        try:
            for path, text in paths.items():
                with path.open("x", encoding="utf-8", errors="replace", newline="") as file:
                    made.append(path)
                    file.write(text)
            return made
        except FileExistsError:
            for path in made:
                path.unlink()
        except OSError:
            for path in made:  # half a file would be taken for a whole one
                path.unlink(missing_ok=True)
            raise
    raise OSError(None, f"there are {MOST:,} files called {stem} already")


def told(paths: Sequence[Path]) -> str:
    """The paths for a person: the first as it is, of the others the name alone; short where they stand in it."""
    here = os.getcwd() if os.path.isdir(os.curdir) else ""
    first, *rest = paths
    shown = f".{os.sep}{first.name}" if str(first.parent) == here else str(first)
    return ", ".join([shown, *(path.name for path in rest)])


def stem(report: Report) -> str:
    """What files about a run are called: the network and the seed."""
    return name_of(report.scenario.setup.protocol, report.scenario.setup.seed)


def name_of(protocol: str, seed: int) -> str:
    """As `stem`."""
    return f"swarmtop-{protocol}-{seed}"


def figures(report: Report) -> dict[str, str]:
    """The report with its series, as JSON (what `swarmtop run --json --series` prints), and its two tables as CSV."""
    out = report.to_json()
    return {
        ".json": json.dumps(out, ensure_ascii=False, allow_nan=False, indent=1) + "\n",
        "-asks.csv": asks_csv(out["asks"]),
        "-series.csv": series_csv(out.get("series") or {}),
    }


def asks_csv(asks: Sequence[Mapping[str, Any]]) -> str:
    """One line an ask; losses by reason as `dead 3; censored 2`. What was not measured is empty."""
    names = ("id", "from", "text", "reached", "messages", "bytes", "duplicates", "hits", "first_hit_s", "hops", "lost",
             "verdict")  # fmt: skip
    rows = ([_cell(ask[name]) for name in names] for ask in asks)
    return _table(names, rows)


def series_csv(series: Mapping[str, Sequence[tuple[float, float | None]]]) -> str:
    """One line a moment: `t_s`, then a column a series. Empty where nothing was measured."""
    times = sorted({t for points in series.values() for t, _ in points})
    columns = [dict(points) for points in series.values()]
    rows = ([_cell(t), *(_cell(column.get(t)) for column in columns)] for t in times)
    return _table(("t_s", *series), rows)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {number}" for name, number in value.items())
    if isinstance(value, float):
        return f"{value:.10g}"
    text = str(value)
    # A text that a peer chose is data: a spreadsheet would take these for a formula.
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _table(names: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return out.getvalue()
