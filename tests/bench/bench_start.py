"""How long until something is to be seen? The dashboard against a bare Textual app with a header and a footer.

Both start as a process of their own in a pseudo-terminal, in turn; timed is from the start to the first sight of a word
that only the finished first picture has. Our bytecode is compiled beforehand, as an installation does.
`swarmtop --help` is timed as well. Prints seconds; asserts nothing.
"""

from __future__ import annotations

import compileall
import os
import pty
import select
import statistics
import subprocess
import sys
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


def seen_after(command: list[str], word: bytes) -> float:
    """Seconds until `word` is on the terminal."""
    start = time.perf_counter()
    pid, fd = pty.fork()
    if not pid:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", COLUMNS="120", LINES="36")
        os.execv(command[0], command)
    got = b""
    while word not in got and time.perf_counter() - start < 20:
        if select.select([fd], [], [], 1.0)[0]:
            try:
                got += os.read(fd, 1 << 16)
            except OSError:
                break
    took = time.perf_counter() - start
    os.kill(pid, 9)
    os.close(fd)
    os.waitpid(pid, 0)
    return took


def main() -> None:
    """Measure and print."""
    for room in ("engine", "tui"):
        compileall.compile_dir(Path(__file__).parents[2] / room, quiet=1)
    rows: dict[str, list[float]] = {"bare": [], "swarmtop": [], "help": []}
    for _ in range(PAIRS):
        rows["bare"].append(seen_after([sys.executable, "-c", BARE], b"bare bones"))
        rows["swarmtop"].append(seen_after([sys.executable, "-m", "tui"], b"under way"))
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "tui", "--help"], capture_output=True, check=True)
        rows["help"].append(time.perf_counter() - start)
    for name, seconds in rows.items():
        print(f"{name:9} median {statistics.median(seconds):.3f} s   {min(seconds):.3f} to {max(seconds):.3f}")
    ratios = [ours / bare for ours, bare in zip(rows["swarmtop"], rows["bare"], strict=True)]
    print(f"ratio     median {statistics.median(ratios):.2f}   {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
