"""The dashboard left open with churn: does its memory grow?

The program runs in a pseudo-terminal, and its resident memory is read once a minute of wall time. Prints each reading,
and the slope over the last three quarters.

    python tests/bench/bench_memory.py [--minutes 60] [--peers 200] [--fps 10]
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
from pathlib import Path

import numpy as np

SCENARIO = """
peers = {peers}
[churn]
session = "weibull:0.59:60"
[asks]
per_s = 1.0
"""


def resident(pid: int) -> float:
    """MiB of a process and of those it started."""
    total = 0.0
    children = Path(f"/proc/{pid}/task/{pid}/children")
    for one in (pid, *(int(word) for word in children.read_text().split())):
        try:
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * 4096 / (1 << 20)
        except OSError:
            continue
    return total


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--minutes", type=float, default=60)
    ask.add_argument("--peers", type=int, default=200)
    ask.add_argument("--fps", type=float, default=10)
    args = ask.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "hour.toml"
        scenario.write_text(SCENARIO.format(peers=args.peers))
        pid, fd = pty.fork()
        if not pid:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", COLUMNS="120", LINES="36")
            words = [sys.executable, "-m", "tui", str(scenario), "--fps", str(args.fps)]
            os.execv(sys.executable, words)
        start = time.monotonic()
        told: list[tuple[float, float]] = []
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
                told.append((now / 60, resident(pid)))
                print(f"{told[-1][0]:6.1f} min  {told[-1][1]:7.1f} MiB", flush=True)
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
    rows = np.array(told[len(told) // 4 :])
    slope = np.polyfit(rows[:, 0], rows[:, 1], 1)[0] * 60
    print(f"{slope:+.1f} MiB an hour over the last three quarters, {rows[-1, 1]:.1f} MiB at the end")


if __name__ == "__main__":
    main()
