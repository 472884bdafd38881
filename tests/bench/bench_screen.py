"""The dashboard in a real terminal: frames a second, pauses of its loop, processor time, bytes, key to paint, views.

The program runs in a pseudo-terminal of 160x45 (BENCH_SIZE=120x36 in the environment: of that size) with a probe inside
its loop: a task that sleeps 5 ms at a time and notes how late it wakes. From outside the bytes are counted, and the
time from a key to the first sight of its effect (the word or the sign in the status line) is taken, at moments that
have nothing to do with those of the frames.

    python tests/bench/bench_screen.py [--times=N] [ROW ...]       without a row, all of them

Each row is run N times (3), and medians are printed. At the end the limits of `ASKED` are printed beside what was
measured. Nothing is asserted. Processor time is that of the program alone; frames, pauses and keys are wall time, so a
machine that is busy with something else has worse ones.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import random
import select
import struct
import sys
import tempfile
import termios
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

COLUMNS, LINES = map(int, os.environ.get("BENCH_SIZE", "160x45").split("x"))
"""Of the terminal, as `BENCH_SIZE=120x36` in the environment says."""
WARM_S = 5.0
RUN_S = 10.0
LAG_S = 5.0
VIEW_S = 4.0
KEYS = 40

MANY = """
peers = 1000
topology = "random:8"
[options]
ttl = 3
download = false
[asks]
per_s = 9.5
"""
"""Many short floods, so that messages are under way all the time; 4,000 links."""
HUGE = 'peers = 10000\ntopology = "random:6"\n[options]\ndownload = false\n[asks]\nper_s = {}\n'


@dataclass(frozen=True)
class Row:
    """A swarm, and how it is looked at: frames a second that are asked for (0: as it comes), paused, with presses."""

    scenario: str = ""
    fps: float = 0.0
    paused: bool = False
    presses: int = 0
    views: bool = False
    slowly: bool = False
    """Slow motion of the first question is left on, and the measure begins with the first picture."""
    glyphs: str = "braille"


ROWS: dict[str, Row] = {
    "1,000 peers": Row(MANY, fps=30, presses=KEYS),
    "10,000 peers": Row(HUGE.format(0.05), fps=30, presses=KEYS // 2),
    "64 as opened": Row(presses=KEYS // 2),
    "64, first question": Row(slowly=True),
    "64 paused": Row(paused=True),
    "64 at --fps 10": Row(fps=10),
    "1,000 at --fps 10": Row(MANY, fps=10),
    "1,000 in blocks": Row(MANY, fps=30, glyphs="block"),
    "1,000 in letters": Row(MANY, fps=30, glyphs="ascii"),
    "views of 10,000": Row(HUGE.format(0.5), fps=30, views=True),
}
ASKED: tuple[tuple[str, str, str, float, int], ...] = (
    # row, figure, in words, the limit, and on which side of it one should be
    ("1,000 peers", "frames", "frames/s of 30, 1,000 peers, 4,000 links", 29.5, 1),
    ("1,000 peers", "cpu", "  share of a core", 0.9, -1),
    ("1,000 peers", "messages_per_s", "  messages/s meanwhile", 5_000, 1),
    ("1,000 peers", "lag_p99_ms", "  loop lag, 99th, ms", 30, -1),
    ("1,000 peers", "key_p95_ms", "  key to paint, 95th, ms", 80, -1),
    ("10,000 peers", "frames", "frames/s, 10,000 peers", 10, 1),
    ("10,000 peers", "lag_p99_ms", "  loop lag, 99th, ms", 30, -1),
    ("10,000 peers", "key_p95_ms", "  key to paint, 95th, ms", 80, -1),
    ("64 as opened", "cpu", "64 peers as opened, share of a core", 0.1, -1),
    ("64 paused", "cpu", "64 peers paused, share of a core", 0.01, -1),
    ("64 at --fps 10", "kb_per_s", "KB/s at --fps 10, 64 peers", 150, -1),
    ("1,000 at --fps 10", "kb_per_s", "KB/s at --fps 10, 1,000 peers", 150, -1),
    ("views of 10,000", "worst", "frames/s of the slowest view, 10,000 peers", 10, 1),
)
VIEWS = (
    *(f"placed {name}" for name in ("world", "ring", "hops", "ask", "communities")),
    *(f"by {name}" for name in ("role", "load", "belief", "heard", "answer")),
    *("diagram", "tree", "belief view", "silencing set", "peers table", "kinds"),
)
"""Views of the tour. The circle of identifiers is left out."""
WAYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # there, and back
    "diagram": (("view.picture",), ("view.picture", "view.picture")),
    "tree": (("view.picture", "view.picture"), ("view.picture",)),
    "belief view": (("view.belief",), ("view.belief",)),
    "silencing set": (("ask.silence",), ("ask.silence",)),
    "peers table": (("panel.7",), ("panel.7",)),
    "kinds": (("panel.8",), ("panel.8",)),
}


def child(row: Row, out: str) -> None:
    """The program, with a probe in its loop. Ends when a key quits it."""
    import asyncio

    import tui.app
    from engine import scenario_files
    from tui.app import SwarmApp
    from tui.screens.main import MainScreen

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
            if not row.slowly:
                await asyncio.sleep(WARM_S)
                self.session.slow_motion.enabled = False
                self.session.player.pacer.end_slow_motion()
            while not isinstance(self.screen, MainScreen):
                await asyncio.sleep(0.1)
            result = await (self.tour() if row.views else self.measured(2 * RUN_S if row.slowly else RUN_S))
            Path(out).write_text(json.dumps(result))

        async def measured(self, seconds: float) -> dict[str, float]:
            main = self.screen
            assert isinstance(main, MainScreen)
            used, start, painted, frames = time.process_time(), time.perf_counter(), paints, main.frames
            sent = self.session.swarm.snapshot().totals.sent
            await asyncio.sleep(seconds)
            used, span = time.process_time() - used, time.perf_counter() - start
            result = {
                "frames": (main.frames - frames) / span,
                "paints": (paints - painted) / span,
                "cpu": used / span,
                "ms_a_frame": 1000 * used / max(1, main.frames - frames),
                "messages_per_s": (self.session.swarm.snapshot().totals.sent - sent) / span,
                "pace": self.session.player.pacer.pace,
            }
            # The probe itself takes time, so it runs after what the processor was used for has been taken.
            late: list[float] = []
            start = time.perf_counter()
            while not row.views and time.perf_counter() - start < LAG_S:
                due = time.perf_counter() + 0.005
                await asyncio.sleep(0.005)
                late.append(1000 * (time.perf_counter() - due))
            if late:
                result |= {"lag_p50_ms": median(late), "lag_p99_ms": at(late, 0.99), "lag_max_ms": max(late)}
            return result

        async def tour(self) -> dict[str, float]:
            """Show every view in turn, measure its frames, and go back to the first view after each."""
            main = self.screen
            assert isinstance(main, MainScreen)
            told: dict[str, float] = {}
            for name in VIEWS:
                word, _, rest = name.partition(" ")
                if name in ("belief view", "silencing set", "by belief"):
                    self.session.selection.select(0)
                actions, back = WAYS.get(name, ((), ()))
                if word == "placed":
                    main.view.place(rest)  # type: ignore[arg-type]
                elif word == "by":
                    main.view.colour(rest)  # type: ignore[arg-type]
                for action in actions:
                    main.action_do(action)
                await asyncio.sleep(1.5)
                seen = await self.measured(VIEW_S)
                told |= {f"{name}: frames": seen["frames"], f"{name}: ms_a_frame": seen["ms_a_frame"]}
                for action in back:
                    main.action_do(action)
                main.view.place("world")
                main.view.colour("state")
                self.session.selection.select(None)
            told["worst"] = min(value for name, value in told.items() if name.endswith("frames"))
            return told

    tui.app.SwarmApp = Probed  # type: ignore[misc]
    made = scenario_files.parse(row.scenario, "bench") if row.scenario else scenario_files.Scenario()
    tui.app.open_dashboard(made, fps=row.fps or None, glyphs=row.glyphs)  # type: ignore[arg-type]


def at(values: list[float], share: float) -> float:
    """The quantile of values at a share from 0 to 1."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


class Terminal:
    """A pseudo-terminal with the program in it."""

    def __init__(self, words: list[str], home: str) -> None:
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", XDG_CONFIG_HOME=home, XDG_STATE_HOME=home)
            os.execv(sys.executable, [sys.executable, __file__, *words])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.bytes = 0

    def read(self, seconds: float, until: bytes | None = None) -> bool:
        """Read for so many seconds, or until `until` was read."""
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


def measure(name: str) -> dict[str, float]:
    """Measure one row once."""
    row = ROWS[name]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.json"
        terminal = Terminal(["--child", name, str(out)], folder)
        terminal.read(WARM_S * 0.6)
        if row.paused:
            terminal.key(b" ")
        terminal.read(WARM_S * 0.6)
        before, start = terminal.bytes, time.perf_counter()
        terminal.read(RUN_S * 0.8)
        rate = (terminal.bytes - before) / (time.perf_counter() - start)
        longest = len(VIEWS) * (VIEW_S + 4) if row.views else 4 * RUN_S
        while not out.exists() and time.perf_counter() - start < longest:
            terminal.read(0.2)
        result: dict[str, float] = json.loads(out.read_text()) if out.exists() else {}
        result["kb_per_s"] = rate / 1000
        waits, dice = [], random.Random(1)
        for i in range(row.presses):
            terminal.read(0.3 + 0.1 * dice.random())
            terminal.key(b" ")
            pressed = time.perf_counter()
            if terminal.read(2.0, b"paused" if i % 2 == 0 else "▶".encode()):
                waits.append(1000 * (time.perf_counter() - pressed))
        if waits:
            result |= {"key_p50_ms": median(waits), "key_p95_ms": at(waits, 0.95), "keys": len(waits)}
        terminal.key(b"q")
        terminal.read(1.0)
        os.close(terminal.fd)
        os.waitpid(terminal.pid, 0)
    return result


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--child"]:
        child(ROWS[sys.argv[2]], sys.argv[3])
        return
    times = int(next((word.split("=")[1] for word in sys.argv[1:] if word.startswith("--times=")), "3"))
    names = [word for word in sys.argv[1:] if not word.startswith("--")] or list(ROWS)
    told: dict[str, dict[str, float]] = {}
    for name in names:
        runs = [measure(name) for _ in range(1 if ROWS[name].views else times)]
        told[name] = {key: median([run.get(key, float("nan")) for run in runs]) for key in runs[0]}
        apart = "\n    " if ROWS[name].views else "  "
        print(f"{name:20}", apart.join(f"{key} {value:,.2f}" for key, value in told[name].items()), flush=True)
    print(f"\n{'figure':46}{'asked':>10}{'measured':>10}")
    for name, key, words, limit, side in ASKED:
        value = told.get(name, {}).get(key)
        if value is not None:
            held = "" if side * value >= side * limit else "  does not hold"
            print(f"{words:46}{limit:>10,g}{value:>10,.3g}{held}")


if __name__ == "__main__":
    main()
