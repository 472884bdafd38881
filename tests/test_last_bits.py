"""Pictures, layouts and runs do not hang on the last bit of a sine, a logarithm or a sum: processors differ in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "last_bits.py"
HANGS_S = 110


def told(way: str) -> dict[str, str]:
    """What a process says in which each inexact result is moved that way, see `last_bits.py`."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), way],
        capture_output=True,
        text=True,
        timeout=HANGS_S,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr
    made: dict[str, str] = json.loads(done.stdout)
    return made


@pytest.fixture(scope="module")
def exact() -> dict[str, str]:
    return told("none")


@pytest.mark.parametrize("way", ["up", "down", "mixed"])
def test_a_last_bit_decides_nothing(exact: dict[str, str], way: str) -> None:
    assert len(exact) > 200
    moved = told(way)
    assert moved.keys() == exact.keys()
    assert [name for name, digest in exact.items() if moved[name] != digest] == []
