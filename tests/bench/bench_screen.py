"""The dashboard in a real terminal: frames a second, pauses of its loop, processor time, bytes, key to paint.

The program runs in a pseudo-terminal of 160x45 with a probe inside its loop: a task that sleeps 5 ms at a time and
notes how late it wakes. From outside the bytes are counted, and the time from a key to the first sight of its effect
(the pause sign in the status line) is taken. Each row is one swarm:

    python tests/bench/bench_screen.py [ROW ...]         without a row, all of them

Prints a table. Nothing is asserted.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import statistics
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

COLUMNS, LINES = 160, 45
WARM_S = 4.0
RUN_S = 8.0
KEYS = 10

MANY = """
peers = 1000
topology = "random:8"
[options]
ttl = 3
download = false
[asks]
per_s = {}
"""
"""Short floods and many of them, so that messages are under way all the time; 4,000 links."""

ROWS: dict[str, tuple[str, list[str]]] = {
    # name: (scenario, keys before measuring)
    "64 as opened": ("", []),
    "64 paused": ("", ["space"]),
    "1,000 peers, 2,000/s": (MANY.format(2.7), []),
    "1,000 peers, 5,000/s": (MANY.format(9.5), []),
    "10,000 peers": ('peers = 10000\ntopology = "random:6"\n[asks]\nper_s = 0.05\n', []),
}
RESET = b"\x1b[0m"


def child(scenario: str, out: str, fps: float | None) -> None:
    """The program, with a probe in its loop. Ends when a key quits it."""
    import asyncio
    import resource

    import tui.app
    from engine import scenario_files
    from tui.app import SwarmApp
    from tui.screens.main import MainScreen

    late: list[float] = []
    paints = 0

    class Probed(SwarmApp):
        CSS_PATH = str(Path(tui.app.__file__).with_name("swarmtop.tcss"))

        def _display(self, screen, renderable) -> None:  # type: ignore[no-untyped-def]
            nonlocal paints
            paints += renderable is not None
            super()._display(screen, renderable)

        async def on_load(self) -> None:
            self.probe = asyncio.create_task(self.watch())

        async def watch(self) -> None:
            await asyncio.sleep(WARM_S)
            self.driver.slow_on_ask = False
            self.driver.live.end_slow()
            main = self.screen
            assert isinstance(main, MainScreen)
            before = resource.getrusage(resource.RUSAGE_SELF)
            start, start_paints, start_frames = time.perf_counter(), paints, main.frames
            sent = self.driver.swarm.snapshot().totals.sent
            await asyncio.sleep(RUN_S)
            span = time.perf_counter() - start
            after = resource.getrusage(resource.RUSAGE_SELF)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            fps, painted, messages = (
                (main.frames - start_frames) / span,
                (paints - start_paints) / span,
                self.driver.swarm.snapshot().totals.sent - sent,
            )
            # The probe itself takes time, so it runs after what the processor was used for has been taken.
            while time.perf_counter() - start < 2 * RUN_S:
                due = time.perf_counter() + 0.005
                await asyncio.sleep(0.005)
                late.append(time.perf_counter() - due)
            late.sort()
            result = {
                "frames": fps,
                "paints": painted,
                "cpu": used / span,
                "lag_p50_ms": 1000 * late[len(late) // 2],
                "lag_p99_ms": 1000 * late[int(len(late) * 0.99)],
                "lag_max_ms": 1000 * late[-1],
                "messages_per_s": messages / span,
                "speed": self.driver.live.pace,
            }
            Path(out).write_text(json.dumps(result))

    tui.app.SwarmApp = Probed  # type: ignore[misc]
    made = scenario_files.parse(scenario, "bench") if scenario else scenario_files.Scenario()
    tui.app.open_dashboard(made, fps=fps)


class Terminal:
    """A pseudo-terminal with the program in it."""

    def __init__(self, words: list[str]) -> None:
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.execv(sys.executable, [sys.executable, __file__, *words])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.bytes = 0

    def read(self, seconds: float, until: bytes | None = None) -> bool:
        """Take what comes for so long, or until `until` was seen."""
        end, seen = time.perf_counter() + seconds, b""
        while (left := end - time.perf_counter()) > 0:
            ready, _, _ = select.select([self.fd], [], [], left)
            if not ready:
                break
            try:
                got = os.read(self.fd, 1 << 16)
            except OSError:
                return False
            self.bytes += len(got)
            seen = seen[-64:] + got
            if until is not None and until in seen:
                return True
        return False

    def key(self, key: bytes) -> None:
        os.write(self.fd, key)


def measure(name: str, fps: str) -> dict[str, float]:
    """One row."""
    scenario, keys = ROWS[name]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        terminal = Terminal(["--child", scenario, str(out), fps])
        terminal.read(WARM_S / 2)
        for _ in keys:
            terminal.key(b" ")
        terminal.read(WARM_S / 2)
        before = terminal.bytes
        start = time.perf_counter()
        terminal.read(RUN_S)
        rate = (terminal.bytes - before) / (time.perf_counter() - start)
        while not out.exists() and time.perf_counter() - start < 2 * RUN_S + 20:
            terminal.read(0.2)
        result: dict[str, float] = json.loads(out.read_text()) if out.exists() else {}
        result["kb_per_s"] = rate / 1000
        waits = []
        if not keys:
            for i in range(KEYS):
                terminal.read(0.35)
                terminal.key(b" ")
                at = time.perf_counter()
                if terminal.read(2.0, "⏸".encode() if i % 2 == 0 else "▶".encode()):
                    waits.append(1000 * (time.perf_counter() - at))
            waits.sort()
            result["key_p50_ms"] = statistics.median(waits) if waits else float("nan")
            result["key_max_ms"] = waits[-1] if waits else float("nan")
        terminal.key(b"q")
        terminal.read(1.0)
        os.close(terminal.fd)
        os.waitpid(terminal.pid, 0)
    return result


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3], float(sys.argv[4]) if sys.argv[4] else None)
        return
    fps = next((word.split("=")[1] for word in sys.argv[1:] if word.startswith("--fps=")), "")
    names = [word for word in sys.argv[1:] if not word.startswith("--")] or list(ROWS)
    for name in names:
        row = measure(name, fps)
        print(f"{name:22}", "  ".join(f"{key} {value:,.2f}" for key, value in row.items()), flush=True)


if __name__ == "__main__":
    main()
