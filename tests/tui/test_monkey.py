"""A short walk of the monkey; `python tests/bench/monkey.py` is the long one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("termios", reason="terminals of this kind are POSIX")

MONKEY = Path(__file__).parents[1] / "bench" / "monkey.py"


def test_random_keys_mouse_and_sizes_end_no_run() -> None:
    words = ["--seed", "11", "--session", "0", "--acts", "25", "--networks", "gnutella", "--without", "bytes,stop,end"]
    done = subprocess.run([sys.executable, MONKEY, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 sessions, 25 acts" in done.stdout
