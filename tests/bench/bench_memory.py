"""The dashboard left open with churn: does its memory grow?

The program runs in a pseudo-terminal, and resident memory is read once a minute of wall time: of the dashboard, and of
the process that follows the run and keeps its checkpoints. A reading is the median of one each second for nine, since
for a moment of each checkpoint it is in memory twice. Prints each reading, and the slopes over the last three
quarters and over the last third.

Peers fill their tables up to the limits of their options, which takes a swarm two hours and is part of what it
simulates. With `--lived` it has these hours behind it, run as fast as it goes, when the hour on screen begins: memory
that still grows then is a leak of the program.

    python tests/bench/bench_memory.py [--minutes 60] [--lived 0] [--peers 200] [--fps 10] [--speed 1]
"""

from __future__ import annotations

import argparse
import os
import pty
import select
import signal
import statistics
import sys
import tempfile
import time
from mmap import PAGESIZE
from pathlib import Path

import numpy as np

FAST_FORWARD = 6
"""The hours of `--lived` are run at the speed doubled so many times."""
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


class Terminal:
    """The program in a terminal whose output is thrown away."""

    def __init__(self, words: list[str]) -> None:
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", COLUMNS="120", LINES="36")
            os.execv(sys.executable, [sys.executable, "-m", "tui", *words])

    def watch(self, seconds: float) -> None:
        """Read what the program shows for so many seconds. Exits if the program ends."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], min(left, 0.5))[0]:
                try:
                    os.read(self.fd, 1 << 16)
                except OSError:
                    print("the dashboard ended")
                    sys.exit(1)

    def press(self, keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            os.write(self.fd, key.encode())
            self.watch(0.3)

    def rest(self) -> None:
        """Until time stands still, and nobody computes any more."""
        before = self._computed_s()
        while True:
            self.watch(3)
            now = self._computed_s()
            if now - before < 0.1:
                return
            before = now

    def _computed_s(self) -> float:
        pids = [self.pid, *map(int, Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split())]
        stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")

    def reading(self) -> tuple[float, float]:
        """MiB of the program, and of those that it started. Takes nine seconds."""
        some = []
        for _ in range(9):
            self.watch(1)
            some.append(resident(self.pid))
        own, other = zip(*some, strict=True)
        return statistics.median(own), statistics.median(other)


def main() -> None:
    """Measure and print."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--minutes", type=float, default=60)
    ask.add_argument("--lived", type=float, default=0, help="virtual minutes that lie behind it")
    ask.add_argument("--peers", type=int, default=200)
    ask.add_argument("--fps", type=float, default=10)
    ask.add_argument("--speed", type=float, default=1)
    args = ask.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "hour.toml"
        scenario.write_text(SCENARIO.format(peers=args.peers))
        words = [str(scenario), "--fps", str(args.fps)]
        if args.lived:
            program = Terminal([*words, "--speed", str(args.speed * 2**FAST_FORWARD), "--until", str(args.lived * 60)])
            program.watch(10)
            program.rest()
            program.press("[" * FAST_FORWARD + " ")
        else:
            program = Terminal([*words, "--speed", str(args.speed)])
        start = time.monotonic()
        told: list[tuple[float, float, float]] = []
        for minute in range(1, round(args.minutes) + 1):
            program.watch(start + minute * 60 - 9 - time.monotonic())
            own, other = program.reading()
            told.append((float(minute), own, other))
            print(
                f"{minute:4d} min  dashboard {own:6.1f}  follower {other:6.1f}  {own + other:6.1f} MiB",
                flush=True,
            )
        os.kill(program.pid, signal.SIGTERM)
        os.waitpid(program.pid, 0)
    rows = np.array(told)
    for words, first in (("three quarters", len(rows) // 4), ("third", len(rows) * 2 // 3)):
        some = rows[first:]
        own, other = (np.polyfit(some[:, 0], some[:, i], 1)[0] * 60 for i in (1, 2))
        print(f"over the last {words}: dashboard {own:+.1f}, follower {other:+.1f} MiB an hour")


if __name__ == "__main__":
    main()
