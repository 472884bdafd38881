"""The output of the benchmarks."""

from __future__ import annotations

import sys


def say(line: str = "") -> None:
    """Print a line, and flush it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
