"""Files that a command line names: what is written is checked before a run, and is not what is read."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from .common import WrongError

if TYPE_CHECKING:
    from engine import Scenario

OUTPUTS = ("record", "csv")


def check_apart(space: argparse.Namespace, scenario: Scenario) -> None:
    """Raise WrongError if a run would overwrite a file that it reads, or another that it writes."""
    from engine import scenario_files

    setup = scenario.setup
    read = {
        "the scenario": "" if scenario.source in scenario_files.shipped_names() else scenario.source,
        "the topology": setup.topology,
        "the latency": setup.latency,
        "the churn": setup.churn,
    }
    written = {f"--{flag}": name for flag in OUTPUTS if (name := getattr(space, flag, None)) is not None}
    for flag, name in written.items():
        for what, other in read.items():
            if other and _is_file(other) and _same(name, other):
                raise WrongError(f'{flag}: "{name}" is {what} of this run, and would be overwritten')
        for twin, other in written.items():
            if twin < flag and _same(name, other):
                raise WrongError(f'{twin} and {flag} should not both write "{name}"')


def _is_file(name: str) -> bool:
    return "\0" not in name and os.path.isfile(name)


def _same(one: str, other: str) -> bool:
    from pathlib import Path

    try:
        a, b = Path(one), Path(other)
        if a.exists() and b.exists():
            return a.is_file() and os.path.samefile(a, b)
        return a.resolve() == b.resolve()
    except (OSError, ValueError):
        return False


def read_csv_file(name: str, where: str) -> str:
    """The name of a file to write. Raises WrongError now rather than after a long run if it could not be written."""
    from pathlib import Path

    path = Path(name)
    if path.is_dir():
        raise WrongError(f'{where}: "{name}" is a folder')
    if not path.parent.is_dir():
        raise WrongError(f'{where}: there is no folder "{path.parent}"')
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise WrongError(f'{where}: "{name}" may not be written')
    return name


def write(name: str, text: str) -> None:
    """Write a file, or raise WrongError."""
    from pathlib import Path

    try:
        Path(name).write_text(text, encoding="utf-8", errors="replace", newline="")
    except (OSError, ValueError) as error:
        error = error if isinstance(error, OSError) else OSError(0, "it is no name of a file")
        raise WrongError(f'--csv: "{name}" could not be written: {error.strerror}') from None
