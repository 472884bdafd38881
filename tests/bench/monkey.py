"""A monkey test: random keys, texts, mouse events, pastes, sizes and signals for the real program.

Each session starts swarmtop in a pseudo-terminal, on one of all networks and scenarios, acts at random and leaves.
Looked for are: a crash report, a traceback, an exit code that nothing explains, a program that no longer answers, a
process that is left behind, terminal modes or line settings that differ from before, and memory that keeps growing.
What fails is printed with the last acts. A session is drawn from the seed and its number, so `--session N` repeats one
(as far as the timing of the machine allows).

    python tests/bench/monkey.py --minutes 10 --seed 1 [--jobs 2] [--networks gnutella,the-court] [--without bytes,stop]
    python tests/bench/monkey.py --seed 1 --session 17 [--acts 40] [--verbose]

Exit code 1 if a session failed.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import random
import re
import select
import signal
import string
import struct
import sys
import tempfile
import termios
import time
import unicodedata
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tui"))

from terminal import Screen

from engine import networks, scenario_files
from tui.actions.table import ALL

ROOT = Path(__file__).parents[2]
ANSWER_S = 60.0
"""Wall seconds without an answer that are a hang, and processor seconds: a busy machine is no fault of the program."""
ANSWER_CPU_S = 20.0
RSS_MOST = 1_500 << 20
GROWTH_MOST = 60 << 20
"""Bytes: memory that grows by this much in each of the last quarters of a long session is a leak."""
LONG_S = 60.0
LAST = 30
MODES_AT_START = frozenset({7, 25})
"""DEC private modes that are on before the program starts: wrapping and the cursor."""

SEQUENCES = {
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "shift+pageup": "\x1b[5;2~",
    "shift+pagedown": "\x1b[6;2~",
    "ctrl+pageup": "\x1b[5;5~",
    "ctrl+pagedown": "\x1b[6;5~",
    "shift+left": "\x1b[1;2D",
    "shift+right": "\x1b[1;2C",
    "shift+up": "\x1b[1;2A",
    "shift+down": "\x1b[1;2B",
    "ctrl+left": "\x1b[1;5D",
    "ctrl+right": "\x1b[1;5C",
    "insert": "\x1b[2~",
    "delete": "\x1b[3~",
    "shift+tab": "\x1b[Z",
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "space": " ",
    "backspace": "\x7f",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "f5": "\x1b[15~",
    "f12": "\x1b[24~",
}
NAMES = {"slash": "/", "backslash": "\\", "minus": "-", "underscore": "_", "question_mark": "?"}
TEXTS = (
    "blue train",
    "state=dead",
    "p017",
    "#3",
    "top 5 degree",
    "random 10%",
    "degree>4 and not state=dead",
    "((((",
    "1e999",
    "-1",
    "0",
    "12",
    "gnutella",
    "é ü 東京 🦑",
    "e\u0301\u202e\u200d",
    "x" * 300,
    "theme",
    "record",
    "[bold]{list.choose}",
)
ODD = (
    b"\x1b[M \x98*",
    b"caf\xe9",
    b"\xff\xfe",
    b"\x1b[48;24;80;0;0t",
    b"\x1b[200~never ends",
    b"\x1b[<0;1",
    b"\x1b]52;c;",
)
COMMON = ("up", "down", "left", "right", "enter", "escape", "tab", "shift+tab", "backspace")


def bytes_of(name: str) -> bytes:
    """What a terminal sends for a key by Textual's name; empty if none is known."""
    if name in SEQUENCES:
        return SEQUENCES[name].encode()
    if name in NAMES:
        return NAMES[name].encode()
    if name.startswith("ctrl+") and len(name) == 6 and name[5].isalpha():
        return bytes([ord(name[5]) & 31])
    if len(name) == 1:
        return name.encode()
    with suppress(KeyError):
        return unicodedata.lookup(name.replace("_", " ").upper()).encode()
    return b""


LEAVING = ("q", "ctrl+c")
KEYS = {name: bytes_of(name) for key in ALL for name in key.keys.split(",") if name and bytes_of(name)}
for _name in ("ctrl+q", *SEQUENCES, *string.ascii_letters, *string.digits, *string.punctuation):
    KEYS.setdefault(_name, bytes_of(_name))


class Failed(Exception):
    """The program did what it must not; the text says what."""


@dataclass
class Session:
    """One run of the program. `run` returns what is wrong, or an empty text."""

    seed: int
    number: int
    places: tuple[str, ...]
    without: frozenset[str] = frozenset()
    acts: int = 0
    verbose: bool = False
    done: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)
    rss: list[tuple[float, int]] = field(default_factory=list)
    shown: str = ""
    """The last of what it wrote."""

    def run(self, end_s: float = float("inf")) -> str:
        """Start, act, leave. Ends early at the wall time `end_s`."""
        self.dice = random.Random(f"{self.seed}/{self.number}")
        with tempfile.TemporaryDirectory(prefix="monkey-") as folder:
            self.home = Path(folder)
            self.start()
            try:
                self.play(end_s)
            except Failed as error:
                return f"{error}{self.crash()}"
            finally:
                self.clear()
        return ""

    # --- the program ----------------------------------------------------------------------------------

    def start(self) -> None:
        dice = self.dice
        place = dice.choice(self.places)
        self.words = ["--protocol", place] if place in networks() else [place]
        self.words += ["--seed", str(dice.randrange(100))]
        self.words += ["--peers", str(dice.choice((1, 2, 24, 300)))] if dice.random() < 0.3 else []
        self.words += ["--glyphs", dice.choice(("block", "ascii"))] if dice.random() < 0.2 else []
        self.words += ["--fps", dice.choice(("5", "60"))] if dice.random() < 0.2 else []
        config = self.home / "config" / "swarmtop" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f"tour = {'true' if dice.random() < 0.2 else 'false'}\n")
        self.size = (120, 36)
        self.master, self.slave = pty.openpty()
        self.set_size(*self.size)
        self.before = termios.tcgetattr(self.slave)
        folders = {f"XDG_{kind}_HOME": str(self.home / kind.lower()) for kind in ("CONFIG", "CACHE", "DATA", "STATE")}
        env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "TERM": dice.choice(("xterm-256color", "screen-256color", "linux")),
            "HOME": str(self.home),
            **({"COLORTERM": "truecolor"} if dice.random() < 0.8 else {}),
            **({"NO_COLOR": "1"} if dice.random() < 0.1 else {}),
            **folders,
        }
        self.note(f"start {' '.join(self.words)}")
        self.pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-c", START, os.ttyname(self.slave), str(self.home), *self.words],
            env,
            setsid=True,
        )
        self.code: int | None = None
        self.modes, self.keyboards, self.tail, self.after, self.bytes = set(MODES_AT_START), 0, "", "", 0
        self.said: set[str] = set()
        os.set_blocking(self.master, False)

    def ended(self) -> bool:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def clear(self) -> None:
        """End the program, whatever became of it, and what it has left behind."""
        if not self.ended():
            for pid in {self.pid, *self.family()}:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        else:
            for pid in self.family():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for handle in (self.master, self.slave):
            with suppress(OSError):
                os.close(handle)

    def family(self) -> list[int]:
        """All living processes of the session that the program was started as the leader of, without itself."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != self.pid:
                with suppress(OSError, IndexError, ValueError):
                    parts = (entry / "stat").read_text().rpartition(")")[2].split()
                    if int(parts[3]) == self.pid and parts[0] != "Z":
                        found.append(int(entry.name))
        return found

    def used_s(self) -> float:
        """Processor seconds so far."""
        with suppress(OSError, IndexError):
            parts = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0

    def weigh(self) -> None:
        with suppress(OSError, IndexError):
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
            self.rss.append((time.monotonic(), pages * os.sysconf("SC_PAGE_SIZE")))
            if self.rss[-1][1] > RSS_MOST:
                raise Failed(f"{self.rss[-1][1] >> 20} MiB of memory")

    # --- what is written and read ------------------------------------------------------------------------

    def note(self, what: str) -> None:
        self.log.append(f"{time.strftime('%H:%M:%S')} {what}")
        if self.verbose:
            print(f"  {self.number}: {what}", flush=True)

    def read(self, seconds: float) -> int:
        """Read for so many seconds. Returns the number of bytes."""
        end, count = time.monotonic() + seconds, 0
        while True:
            ready, _, _ = select.select([self.master], [], [], max(0.0, min(0.05, end - time.monotonic())))
            if ready:
                try:
                    got = os.read(self.master, 1 << 16)
                except (BlockingIOError, OSError):
                    got = b""
                count += len(got)
                self.take(got.decode("utf-8", "replace"))
            if time.monotonic() >= end or (self.ended() and not ready):
                return count

    def take(self, text: str) -> None:
        """Follow the modes that are switched, and keep what is written outside of the alternate screen."""
        self.shown = (self.shown + text)[-500_000:]
        text, at = self.tail + text, 0
        for part in MODE.finditer(text):
            if 1049 not in self.modes:
                self.after += text[at : part.start()]
            at = part.end()
            if part["keyboard"]:
                self.keyboards += 1 if part["keyboard"] == ">" else -1
            else:
                for mode in map(int, part["modes"].split(";")):
                    (self.modes.add if part["on"] == "h" else self.modes.discard)(mode)
        rest = text[at:]
        cut = rest.rfind("\x1b")
        keep = cut if cut >= 0 and len(rest) - cut < 24 else len(rest)
        if 1049 not in self.modes:
            self.after = (self.after + rest[:keep])[-20_000:]
        self.tail = rest[keep:]

    def write(self, data: bytes) -> None:
        """Send all of it as far as it is taken within some seconds; a program that was stopped takes little."""
        end = time.monotonic() + 5.0
        while data and time.monotonic() < end and not self.ended():
            try:
                data = data[os.write(self.master, data) :]
            except BlockingIOError:
                self.read(0.02)
            except OSError:
                return

    def set_size(self, width: int, height: int) -> None:
        self.size = (width, height)
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            if not self.ended():
                os.kill(self.pid, number)

    # --- acts -------------------------------------------------------------------------------------------

    def play(self, end_s: float) -> None:
        self.wait_for_picture()
        dice = self.dice
        many = dice.choice((15, 60, 60, 150, 150, 900))
        kinds = {kind: weight for kind, weight in WEIGHTS.items() if kind not in self.without}
        for count in range(self.acts or many):
            kind = dice.choices(list(kinds), list(kinds.values()))[0]
            self.done[kind] += 1
            getattr(self, f"act_{kind}")()
            self.read(dice.choice((0.0, 0.0, 0.02, 0.1, 0.3)))
            if self.ended():
                break
            if count % 20 == 19:
                self.probe()
                self.weigh()
            if time.monotonic() > end_s:
                break
        self.leave()
        self.judge()

    def wait_for_picture(self) -> None:
        begun = time.monotonic()
        while self.bytes < 2_000 and not self.ended():
            self.bytes += self.read(0.1)
            if time.monotonic() - begun > ANSWER_S and self.used_s() > 5:
                raise Failed("no picture")
            if self.dice.random() < 0.02:
                self.act_key()  # also before the first picture

    def probe(self) -> None:
        """Change the size, after which every screen is drawn anew, and wait for that."""
        self.read(0.05)
        width, height = self.dice.choice(((120, 36), (100, 30), (160, 45)))
        self.set_size(width + (self.size == (width, height)), height)
        self.send(signal.SIGWINCH)
        self.note(f"probe {self.size[0]}x{self.size[1]}")
        self.answer("after another size")

    def answer(self, when: str) -> None:
        begun, used = time.monotonic(), self.used_s()
        while not self.ended() and not self.read(0.1):
            if time.monotonic() - begun > ANSWER_S or self.used_s() - used > ANSWER_CPU_S:
                raise Failed(f"no answer {when}{self.stacks()}")

    def act_key(self) -> None:
        name = self.dice.choice(list(KEYS))
        if name in LEAVING and self.dice.random() < 0.8:
            name = "escape"
        self.press(name)

    def act_common(self) -> None:
        self.press(self.dice.choice(COMMON))

    def act_burst(self) -> None:
        """Several keys in one write."""
        names = [self.dice.choice([n for n in KEYS if n not in LEAVING]) for _ in range(self.dice.randrange(2, 12))]
        self.note(f"burst {' '.join(names)}")
        self.write(b"".join(KEYS[name] for name in names))

    def act_repeat(self) -> None:
        name = self.dice.choice([n for n in KEYS if n not in LEAVING])
        times = self.dice.choice((5, 30, 100))
        self.note(f"{times} times {name}")
        self.write(KEYS[name] * times)

    def press(self, name: str) -> None:
        self.note(f"key {name}")
        self.write(KEYS[name])

    def act_text(self) -> None:
        text = self.dice.choice(TEXTS)
        self.note(f"text {text!r}")
        self.write(text.encode())

    def act_say(self) -> None:
        """Open a place where one types, and type there."""
        name = self.dice.choice(("a", "/", "ctrl+p", "p", "t", "T", "9", "\\", "F"))
        data = KEYS.get(name, name.encode())
        text = self.dice.choice(TEXTS)
        last = self.dice.choice((b"", b"\r", b"\r\r", b"\x1b", b"\x1b[B\r"))
        self.note(f"open {name}, text {text!r}, {last!r}")
        self.write(data)
        self.read(self.dice.choice((0.0, 0.05, 0.3)))
        self.write(text.encode() + last)

    def act_paste(self) -> None:
        text = self.dice.choice((*TEXTS, "\n\n", "\nfirst line is empty", "a\nb\r\nc", "y" * 5_000, "\x1b[A\x03"))
        self.note(f"paste {text[:60]!r}")
        self.write(b"\x1b[200~" + text.encode() + b"\x1b[201~")

    def act_bytes(self) -> None:
        odd = self.dice.choice((*ODD, self.dice.randbytes(self.dice.randrange(1, 20))))
        odd = odd.replace(b"\x03", b"").replace(b"\x1a", b"").replace(b"\x1c", b"")
        self.note(f"bytes {odd!r}")
        self.write(odd)

    def spot(self) -> tuple[int, int]:
        """A cell of the terminal, at times one beyond its edge."""
        width, height = self.size
        return self.dice.randint(1, width + (self.dice.random() < 0.05)), self.dice.randint(1, height)

    def mouse(self, button: int, at: tuple[int, int], up: bool = False) -> bytes:
        return f"\x1b[<{button};{at[0]};{at[1]}{'m' if up else 'M'}".encode()

    def act_click(self) -> None:
        at, button = self.spot(), self.dice.choice((0, 0, 0, 0, 2, 1, 4, 8, 16))
        times = self.dice.choice((1, 1, 1, 2, 3))
        self.note(f"click {button} at {at[0]},{at[1]} x{times}")
        self.write((self.mouse(button, at) + self.mouse(button, at, True)) * times)

    def act_drag(self) -> None:
        button = self.dice.choice((0, 0, 2))
        ways = [self.spot() for _ in range(self.dice.randrange(2, 8))]
        self.note(f"drag {button} over {ways}")
        self.write(self.mouse(button, ways[0]))
        for at in ways[1:]:
            self.write(self.mouse(button + 32, at))
            self.read(self.dice.choice((0.0, 0.02)))
        if self.dice.random() < 0.9:
            self.write(self.mouse(button, ways[-1], True))

    def act_wheel(self) -> None:
        at, button = self.spot(), self.dice.choice((64, 65, 68, 80))
        times = self.dice.choice((1, 5, 50))
        self.note(f"wheel {button} at {at[0]},{at[1]} x{times}")
        self.write(self.mouse(button, at) * times)

    def act_move(self) -> None:
        ways = [self.spot() for _ in range(self.dice.choice((1, 5, 40)))]
        self.note(f"move over {len(ways)} cells to {ways[-1]}")
        self.write(b"".join(self.mouse(35, at) for at in ways))

    def act_focus(self) -> None:
        gone = self.dice.random() < 0.5
        self.note("focus lost" if gone else "focus back")
        self.write(b"\x1b[O" if gone else b"\x1b[I")

    def act_size(self) -> None:
        dice = self.dice
        for _ in range(dice.choice((1, 1, 1, 5))):
            small, large = (dice.randint(1, 30), dice.randint(1, 12)), (dice.randint(1, 300), dice.randint(1, 100))
            self.set_size(*dice.choice((small, large, large, (80, 24), (120, 36), (1, 1), (300, 100))))
            self.note(f"size {self.size[0]}x{self.size[1]}")
            self.send(signal.SIGWINCH)
            self.read(dice.choice((0.0, 0.03)))

    def act_winch(self) -> None:
        self.note("signal WINCH")
        self.send(signal.SIGWINCH)

    def act_stop(self) -> None:
        number = self.dice.choice((signal.SIGSTOP, signal.SIGTSTP, signal.SIGCONT))
        self.note(f"signal {signal.Signals(number).name}")
        self.send(number)
        self.read(self.dice.choice((0.0, 0.1, 0.4)))
        if number != signal.SIGCONT:
            self.note("signal SIGCONT")
            # A real stop of one that was told to stop takes a moment; a CONT that comes before it is lost.
            for _ in range(self.dice.choice((1, 1, 2))):
                self.send(signal.SIGCONT)
            self.stopped_no_more()

    def stopped_no_more(self) -> None:
        end = time.monotonic() + 1.0
        while time.monotonic() < end and not self.ended():
            with suppress(OSError, IndexError):
                if Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T":
                    self.send(signal.SIGCONT)
            self.read(0.1)

    # --- the end ----------------------------------------------------------------------------------------

    def leave(self) -> None:
        self.stopped_no_more()
        if self.ended():
            return
        way = self.dice.choice(("q", "q", "q", "q", "ctrl+c", "TERM", "HUP"))
        if way in ("HUP", "TERM") and "end" in self.without:
            way = "q"
        self.way = way
        self.note(f"leave by {way}")
        # A sequence or a paste that was begun may take keys for a moment.
        for _ in range(4):
            if way in ("TERM", "HUP"):
                self.send(signal.SIGTERM if way == "TERM" else signal.SIGHUP)
            elif way == "q":
                self.write(b"\x1b[201~")
                for _ in range(4):
                    self.read(0.3)
                    self.write(b"\x1b")
                self.read(2.5)
                self.write(b"q")
            if self.gone(20.0 if way != "ctrl+c" else 2.5):
                return
            self.note("ctrl+c twice")
            for _ in range(2):
                self.write(b"\x03")
                self.read(0.7)
            if self.gone(20.0):
                return
        raise Failed(f"it does not leave{self.stacks()}\n{self.picture()}")

    def picture(self) -> str:
        """What is on the screen now."""
        screen = Screen(100, 30)
        self.set_size(screen.width, screen.height)
        self.shown = ""
        self.read(3.0)
        screen.feed(self.shown)
        return screen.text

    def gone(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not self.ended() and time.monotonic() < end:
            self.read(0.1)
        return self.ended()

    def judge(self) -> None:
        """After the end of the program: its exit code, and what it has left behind."""
        self.read(0.2)
        wrong = []
        if self.code not in (0, 130, 143, 129, -signal.SIGHUP):
            wrong.append(f"exit code {self.code}")
        told = re.sub(r"\x1b[\[\]PX^_][^\x1b]*?[@-~]", "", self.after + self.tail)
        if "Traceback" in told or "error in swarmtop" in " ".join(told.split()) or "Error" in told:
            wrong.append("an error is told")
        if wrong:
            wrong.append(f"it said {told.strip()[-1500:]!r}")
        if self.code != -signal.SIGHUP:
            on, off = sorted(self.modes - MODES_AT_START), sorted(MODES_AT_START - self.modes)
            wrong += [f"modes {on} are on"] if on else []
            wrong += [f"modes {off} are off"] if off else []
            wrong += [f"{self.keyboards} keyboard protocols are on"] if self.keyboards else []
            now = termios.tcgetattr(self.slave)
            wrong += [f"line settings {self.before[:6]} became {now[:6]}"] if now != self.before else []
        end = time.monotonic() + 15
        while (left := self.family()) and time.monotonic() < end:
            time.sleep(0.2)
        wrong += [f"processes left behind: {left}"] if left else []
        wrong += self.growth()
        if any(self.home.rglob("late.txt")):
            wrong.append("errors in widgets that were gone")
        if wrong or any(self.home.rglob("crash.txt")):
            raise Failed("; ".join(wrong) or "a crash report")

    def growth(self) -> list[str]:
        if len(self.rss) < 12 or self.rss[-1][0] - self.rss[0][0] < LONG_S:
            return []
        quarter = len(self.rss) // 4
        tops = [max(size for _, size in self.rss[n * quarter : (n + 1) * quarter]) for n in range(4)]
        steady = all(after - before > GROWTH_MOST for before, after in pairwise(tops[1:]))
        return [f"memory grows: {[top >> 20 for top in tops]} MiB by quarters"] if steady else []

    def crash(self) -> str:
        """What the program wrote of errors: those that ended it, and those in widgets that were gone."""
        found = [path for name in ("crash.txt", "late.txt") for path in sorted(self.home.rglob(name))]
        return "".join(f"\n{path.name}:\n{path.read_text(errors='replace')}" for path in found)

    def stacks(self) -> str:
        """In which state the threads are, as far as the system tells."""
        told = []
        for task in Path(f"/proc/{self.pid}/task").glob("*/stat"):
            with suppress(OSError, IndexError):
                told.append(task.read_text().rpartition(")")[2].split()[0])
        return f" (threads {' '.join(told)})" if told else ""


MODE = re.compile(r"\x1b\[\?(?P<modes>[\d;]+)(?P<on>[hl])|\x1b\[(?P<keyboard>[<>])\d*u")
WEIGHTS = {
    "key": 30,
    "common": 15,
    "burst": 6,
    "repeat": 3,
    "text": 4,
    "say": 10,
    "paste": 3,
    "bytes": 2,
    "click": 14,
    "drag": 6,
    "wheel": 4,
    "move": 4,
    "focus": 3,
    "size": 7,
    "winch": 1,
    "stop": 2,
}
START = """
import os, sys
tty, home, *words = sys.argv[1:]
line = os.open(tty, os.O_RDWR)  # the first terminal that a session leader opens is its own
for fd in (0, 1, 2):
    os.dup2(line, fd)
os.close(line)
os.chdir(home)
os.execv(sys.executable, [sys.executable, "-m", "tui", *words])
"""


def places() -> tuple[str, ...]:
    """All networks and scenarios there are."""
    return (*networks(), *(one.source for one in scenario_files.shipped()))


def main() -> None:
    """Run sessions, and print those that failed."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--minutes", type=float, default=0.0)
    ask.add_argument("--seconds", type=float, default=0.0)
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--jobs", type=int, default=1)
    ask.add_argument("--session", type=int, help="only this one")
    ask.add_argument("--acts", type=int, default=0, help="acts a session")
    ask.add_argument("--networks", default="", help="names of networks and scenarios, with commas between")
    ask.add_argument("--without", default="", help=f"kinds of acts to leave out: end, {', '.join(WEIGHTS)}")
    ask.add_argument("--ignore", default="", help="only count failures that have one of these words in their text")
    ask.add_argument("--verbose", action="store_true")
    args = ask.parse_args()
    span_s = args.minutes * 60 + args.seconds or 60.0
    chosen = tuple(filter(None, args.networks.split(","))) or places()
    without = frozenset(filter(None, args.without.split(",")))
    end_s = time.monotonic() + span_s if args.session is None else float("inf")
    numbers = iter(range(1 << 30)) if args.session is None else iter([args.session])
    ignored = tuple(filter(None, args.ignore.split(",")))
    done: Counter[str] = Counter()
    known: Counter[str] = Counter()
    failures: list[str] = []
    sessions, heaviest = 0, 0

    def work(_: Any) -> None:
        nonlocal sessions, heaviest
        while time.monotonic() < end_s and (number := next(numbers, None)) is not None:
            one = Session(args.seed, number, chosen, without, args.acts, args.verbose)
            wrong = one.run(end_s)
            sessions += 1
            done.update(one.done)
            heaviest = max(heaviest, *(size for _, size in one.rss), 0)
            word = next((word for word in ignored if word in wrong), None)
            if word is not None:
                known[word] += 1
            elif wrong:
                failures.append(wrong)
                last = "\n    ".join(one.log[-LAST:])
                print(f"session {number} of seed {args.seed}: {wrong}\n  the last acts:\n    {last}\n", flush=True)

    with ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(work, range(args.jobs)))
    acts = ", ".join(f"{count} {kind}" for kind, count in done.most_common())
    print(f"{sessions} sessions, {done.total()} acts ({acts}); at most {heaviest >> 20} MiB; {len(failures)} failed")
    for word, count in known.items():
        print(f"{count} more with {word}, as ignored")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
