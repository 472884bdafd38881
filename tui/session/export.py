"""Files that the dashboard writes on request: the screen, the run as a scenario, its figures.

They go into the working folder, or into the state folder if that fails. No file is overwritten: names have a number,
and a file is created in a mode that fails if it exists. Files that are written together have the same number.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine import InputError, plain

if TYPE_CHECKING:
    from engine import Report

MAX_FILES = 10_000


def state_folder() -> Path:
    """Where files are written if the working folder cannot be written to."""
    import platformdirs

    return platformdirs.user_state_path("swarmtop")


def write(stem: str, parts: Mapping[str, str], folder: Path | None = None) -> list[Path]:
    """Write `parts`, text by its ending (`.svg`, `-asks.csv`), as `STEM-NUMBER` and the ending. Returns the paths.

    The folder is `folder`, else the working directory, else the state folder. Raises InputError, one sentence, when
    none can be written to.
    """
    failure = ""
    for where in [folder] if folder is not None else [Path.cwd, state_folder]:
        path = where
        try:
            path = where() if callable(where) else where
            path.mkdir(parents=True, exist_ok=True)
            return _write(path, stem, parts)
        except OSError as error:
            place = plain(path) if isinstance(path, Path) else "this folder"
            failure = failure or f"{place}: {error.strerror or error}"
    raise InputError(f"nothing could be written to {failure}")


def _write(folder: Path, stem: str, parts: Mapping[str, str]) -> list[Path]:
    for number in range(1, MAX_FILES):
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
            for path in made:  # an incomplete file would be taken for a complete one
                path.unlink(missing_ok=True)
            raise
    raise OSError(None, f"there are {MAX_FILES:,} files called {stem} already")


def listed(paths: Sequence[Path]) -> str:
    """The paths as text: the first complete, or `./NAME` if it is in the working folder; of the others the name."""
    here = os.getcwd() if os.path.isdir(os.curdir) else ""
    first, *rest = paths
    shown = f".{os.sep}{first.name}" if str(first.parent) == here else str(first)
    return ", ".join([shown, *(path.name for path in rest)])


def stem_of(protocol: str, seed: int) -> str:
    """The first part of the names of files about a run."""
    return f"swarmtop-{protocol}-{seed}"


def figures(report: Report) -> dict[str, str]:
    """The report as JSON (as `swarmtop run --json --series` prints it), and asks and series as CSV, by file ending."""
    from engine import asks_csv, series_csv

    return {
        ".json": json.dumps(report.to_json(), ensure_ascii=False, allow_nan=False, indent=1) + "\n",
        "-asks.csv": asks_csv(report.asks, report.labels),
        **({"-series.csv": series_csv(report.series)} if report.series is not None else {}),
    }
