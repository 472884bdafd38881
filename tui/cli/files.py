"""Files that a command line names: what is written must not be what is read, nor written twice."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from .main import WrongError

if TYPE_CHECKING:
    from engine import Scenario

OUTPUTS = ("record", "csv")


def check_apart(space: argparse.Namespace, scenario: Scenario) -> None:
    """Raise WrongError if a run would write over a file that it is made of, or over another that it writes."""
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
    try:
        return Path(name).is_file()
    except (OSError, ValueError):
        return False


def _same(one: str, other: str) -> bool:
    try:
        a, b = Path(one), Path(other)
        if a.exists() and b.exists():
            return a.is_file() and os.path.samefile(a, b)
        return a.resolve() == b.resolve()
    except (OSError, ValueError):
        return False
