"""The dashboard left open with churn: does its memory grow?

The program runs in a pseudo-terminal, and resident memory is read once a minute of wall time: of the dashboard, and of
the process that follows the run and keeps its checkpoints. Prints each reading, and the slopes over the last three
quarters and over the last third. Memory may rise until what is bounded is full, and should be flat from there.

    python tests/bench/bench_memory.py [--minutes 60] [--peers 200] [--fps 10] [--speed 1]
"""

from __future__ import annotations

import argparse
import os
import pty
import select
import signal
import sys
import tempfile
import time
from mmap import PAGESIZE
from pathlib import Path

import numpy as np

SCENARIO = """
peers = {peers}
[churn]
session = "weibull:0.59:60"
[asks]
per_s = 1.0
"""


def resident(pid: int) -> tuple[float, float]:
    """MiB of a process, and of those that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return _resident(pid), sum(_resident(int(word)) for word in children)


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGESIZE / (1 << 20)
    except OSError:
        return 0.0


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--minutes", type=float, default=60)
    ask.add_argument("--peers", type=int, default=200)
    ask.add_argument("--fps", type=float, default=10)
    ask.add_argument("--speed", type=float, default=1)
    args = ask.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "hour.toml"
        scenario.write_text(SCENARIO.format(peers=args.peers))
        pid, fd = pty.fork()
        if not pid:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", COLUMNS="120", LINES="36")
            words = [sys.executable, "-m", "tui", str(scenario), "--fps", str(args.fps), "--speed", str(args.speed)]
            os.execv(sys.executable, words)
        start = time.monotonic()
        told: list[tuple[float, float, float]] = []
        due = 60.0
        while (now := time.monotonic() - start) < args.minutes * 60 + 1:
            if select.select([fd], [], [], 0.5)[0]:
                try:
                    os.read(fd, 1 << 16)
                except OSError:
                    print("the dashboard ended")
                    sys.exit(1)
            if now >= due:
                due += 60.0
                told.append((now / 60, *resident(pid)))
                minute, own, other = told[-1]
                print(
                    f"{minute:6.1f} min  dashboard {own:6.1f}  follower {other:6.1f}  {own + other:6.1f} MiB",
                    flush=True,
                )
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
    rows = np.array(told)
    for words, first in (("three quarters", len(rows) // 4), ("third", len(rows) * 2 // 3)):
        some = rows[first:]
        own, other = (np.polyfit(some[:, 0], some[:, i], 1)[0] * 60 for i in (1, 2))
        print(f"over the last {words}: dashboard {own:+.1f}, follower {other:+.1f} MiB an hour")


if __name__ == "__main__":
    main()
