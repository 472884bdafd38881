"""How long until something is shown? The dashboard against a bare Textual app with a header and a footer.

Both start as a process of their own in a pseudo-terminal, in turn; timed is from the start to the first sight of a
word: one that the frame of the dashboard has (its panels and keys), and one that only the finished first picture has.
Printed are wall seconds and, where the system tells them, processor seconds, which a busy machine changes less. Our
bytecode is compiled beforehand, as an installation does. `swarmtop --help` is timed as well. Asserts nothing.
"""

from __future__ import annotations

import compileall
import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

PAIRS = 7
BARE = """
from textual.app import App
from textual.widgets import Footer, Header
class Bare(App):
    TITLE = "bare bones"
    def compose(self):
        yield Header()
        yield Footer()
Bare().run()
"""


def used_s(pid: int) -> float:
    """Processor seconds of a process so far; nan where the system does not tell."""
    try:
        tasks = [task.read_text().split()[0] for task in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    except OSError:
        return float("nan")
    return sum(map(int, tasks)) / 1e9 if tasks else float("nan")


def seen_after(command: list[str], word: bytes, home: str) -> tuple[float, float]:
    """Wall and processor seconds until `word` is on the terminal. home: a folder in which nothing is saved."""
    start = time.perf_counter()
    pid, fd = pty.fork()
    if not pid:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            os.environ.pop(name, None)
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", HOME=home)
        os.execv(command[0], command)
    got = b""
    while word not in got and time.perf_counter() - start < 20:
        if select.select([fd], [], [], 1.0)[0]:
            try:
                got += os.read(fd, 1 << 16)
            except OSError:
                break
    took = time.perf_counter() - start, used_s(pid)
    os.kill(pid, 9)
    os.close(fd)
    os.waitpid(pid, 0)
    return took


def main() -> None:
    """Measure and print."""
    for room in ("engine", "tui"):
        compileall.compile_dir(Path(__file__).parents[2] / room, quiet=1)
    rows: dict[str, list[tuple[float, float]]] = {"bare": [], "frame": [], "picture": [], "help": []}
    with tempfile.TemporaryDirectory() as home:
        for _ in range(PAIRS):
            rows["bare"].append(seen_after([sys.executable, "-c", BARE], b"bare bones", home))
            rows["frame"].append(seen_after([sys.executable, "-m", "tui"], b"inspector", home))
            rows["picture"].append(seen_after([sys.executable, "-m", "tui"], b"under way", home))
            start = time.perf_counter()
            subprocess.run([sys.executable, "-m", "tui", "--help"], capture_output=True, check=True)
            rows["help"].append((time.perf_counter() - start, float("nan")))
    for name, seconds in rows.items():
        wall, used = zip(*seconds, strict=True)
        print(f"{name:9} median {statistics.median(wall):.3f} s   {min(wall):.3f} to {max(wall):.3f}", end="")
        print(f"   of a processor {statistics.median(used):.3f} s")
    for name in ("frame", "picture"):
        for kind, which in (("wall", 0), ("processor", 1)):
            ratios = [ours[which] / bare[which] for ours, bare in zip(rows[name], rows["bare"], strict=True)]
            low, high = min(ratios), max(ratios)
            print(f"{name} to bare, {kind}: median {statistics.median(ratios):.2f}   {low:.2f} to {high:.2f}")


if __name__ == "__main__":
    main()
