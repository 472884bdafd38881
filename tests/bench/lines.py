"""How the bench commands write."""

from __future__ import annotations

import sys


def say(line: str = "") -> None:
    """A line as soon as it is known."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
