"""A real program in a pseudo-terminal: what is typed goes in, and a screen of characters comes out.

The screen understands moves of the cursor, erasing and modes. It ignores colours.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.cells import cell_len

ROOT = Path(__file__).parents[2]
HANGS_S = 120.0
"""Wall seconds after which a program that does not do what is waited for is said to hang. Even a busy machine is
faster."""
RIGHT, ENTER, CTRL_C = "\x1b[C", "\r", "\x03"
CURSOR, WRAP = 25, 7
"""DEC private modes that are on in a new terminal; all others are off."""
MOUSE, MOVES, ALTERNATE, PASTE = 1000, 1003, 1049, 2004

PART = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*|[\]P_^X][^\x07\x1b\x18]*)?\x18"  # a sequence that CAN cancels
    r"|\x1b\[(?P<args>[0-?]*)(?P<between>[ -/]*)(?P<does>[@-~])"
    r"|\x1b\[[ -?]*[@-~]"  # a malformed sequence, as an echo may have: terminals ignore all of it
    r"|\x1b[\]P_^X].*?(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-OQ-WYZ\\`-~]"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f])"
    r"|(?P<text>[^\x00-\x1f\x7f]+)",
    re.DOTALL,
)


class Screen:
    """The characters of a terminal, its cursor, and the modes that are on."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.cells: list[list[str]] = []
        self.x = self.y = 0
        self.modes = {CURSOR, WRAP}
        self.ever: set[int] = set()
        """All modes that were on at some time."""
        self.keyboards = 0
        """Keyboard protocols that were pushed and not yet popped."""
        self.left = 0
        """How often the alternate screen was left."""
        self.after = ""
        """What was written outside of the alternate screen since it was last left."""
        self._rest = ""
        self._erase()

    @property
    def text(self) -> str:
        return "\n".join("".join(line).rstrip() for line in self.cells)

    def resize(self, width: int, height: int) -> None:
        """Change the size, and erase the screen."""
        self.width, self.height = width, height
        self._erase()
        self.x, self.y = min(self.x, width - 1), min(self.y, height - 1)

    def feed(self, text: str) -> None:
        text, at = self._rest + text, 0
        while part := PART.match(text, at):
            at = part.end()
            if ALTERNATE not in self.modes:
                self.after += part[0]
            if part["text"]:
                self._write(part["text"])
            elif part["does"]:
                self._obey(part["args"], part["does"])
            elif part["control"] == "\r":
                self.x = 0
            elif part["control"] == "\n":
                self._down()
        self._rest = text[at:]

    def _erase(self) -> None:
        self.cells = [[" "] * self.width for _ in range(self.height)]

    def _write(self, text: str) -> None:
        for ch in text:
            wide = cell_len(ch)
            if self.x + wide > self.width and WRAP in self.modes:
                self.x = 0
                self._down()
            if wide and self.x + wide <= self.width:
                self.cells[self.y][self.x : self.x + wide] = [ch, *[""] * (wide - 1)]
                self.x += wide

    def _down(self) -> None:
        if self.y < self.height - 1:
            self.y += 1
        else:
            self.cells = [*self.cells[1:], [" "] * self.width]

    def _obey(self, args: str, does: str) -> None:
        if does in "hl" and args.startswith("?"):
            for mode in map(int, args[1:].split(";")):
                self._switch(mode, does == "h")
            return
        if does == "u":
            self.keyboards += {">": 1, "<": -1}.get(args[:1], 0)
        if not re.fullmatch(r"[\d;]*", args):
            return
        numbers = [int(number or 0) for number in args.split(";")]
        if does == "H":
            row, column = (*numbers, 1)[:2]
            self.y, self.x = max(row, 1) - 1, max(column, 1) - 1
        elif does in "ABCD":
            by = max(numbers[0], 1)
            self.x += {"C": by, "D": -by}.get(does, 0)
            self.y += {"B": by, "A": -by}.get(does, 0)
        elif does == "G":
            self.x = max(numbers[0], 1) - 1
        elif does == "J" and numbers[0] == 2:
            self._erase()
        elif does == "K" and numbers[0] == 0:
            self.cells[self.y][self.x :] = [" "] * (self.width - self.x)
        self.x, self.y = min(max(self.x, 0), self.width - 1), min(max(self.y, 0), self.height - 1)

    def _switch(self, mode: int, on: bool) -> None:
        self.modes = self.modes | {mode} if on else self.modes - {mode}
        if on:
            self.ever.add(mode)
        if mode == ALTERNATE:
            self._erase()
            self.x = self.y = 0
            self.after = ""
            self.left += not on


class Terminal:
    """A running program in a terminal: functions that type, and functions that wait for what it shows."""

    def __init__(self, master: int, slave: int, process: subprocess.Popen[bytes], screen: Screen) -> None:
        self.screen, self.process = screen, process
        self._master, self._slave = master, slave
        self._before = settings(slave)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def type(self, keys: str) -> None:
        self.write(keys.encode())

    def write(self, data: bytes) -> None:
        """Write all of it. Blocks while the program has not read a few thousand bytes that were written before."""
        while data:
            data = data[os.write(self._master, data) :]

    def until(self, seen: str | Callable[[str], bool]) -> str:
        """Read until a pattern is on the screen, or a function of its text returns true. Returns the screen.

        Raises AssertionError after `HANGS_S`, and when the program has ended."""
        holds = (lambda text: re.search(seen, text) is not None) if isinstance(seen, str) else seen
        end = time.monotonic() + HANGS_S
        while not holds(self.screen.text):
            ended = self.process.poll() is not None
            read = self._read()
            if (ended and not read) or time.monotonic() > end:
                raise AssertionError(f"{seen} was not seen, but\n{self}")
        return self.screen.text

    def rest(self, seconds: float) -> None:
        """Read what the program writes for so many seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._read()

    def end(self) -> int:
        """Read until the program has ended. Returns its exit code."""
        end = time.monotonic() + HANGS_S
        while self.process.poll() is None or self._read():
            self._read()
            assert time.monotonic() < end, f"it did not end, but\n{self}"
        return self.process.returncode

    def hang_up(self) -> int:
        """Close the terminal, without sending a signal. Returns the exit code of the program."""
        os.close(self._master)
        self._master = os.open(os.devnull, os.O_RDWR)
        return self.process.wait(HANGS_S)

    def unclean(self) -> list[str]:
        """Sentences on what the program has left changed in the terminal; empty if it is as before."""
        screen = self.screen
        wrong = [f"mode {mode} is on" for mode in sorted(screen.modes - {CURSOR, WRAP})]
        wrong += [f"mode {mode} is off" for mode in sorted({CURSOR, WRAP} - screen.modes)]
        wrong += [f"{screen.keyboards} keyboard protocols are on"] if screen.keyboards else []
        return wrong + ([] if settings(self._slave) == self._before else ["the line settings differ"])

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], 0.05)
        if ready:
            self.screen.feed(self._decode(os.read(self._master, 65536)))
        return bool(ready)

    def __str__(self) -> str:
        return self.screen.text


def settings(line: int) -> list[Any]:
    """The line settings (echo, line mode, signals), as `stty -a` prints them."""
    return termios.tcgetattr(line)


def set_size(line: int, width: int, height: int) -> None:
    fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


def environment_of_program(home: Path) -> dict[str, str]:
    """The environment of a program whose user has the home folder `home`, and no tour at the start."""
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "CACHE", "DATA", "STATE")}
    surroundings = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "HOME": str(home),
        **folders,
    }
    config = home / "config" / "swarmtop" / "config.toml"
    if not config.exists():  # a test of the tour writes a file of its own
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text("tour = false\n")
    return surroundings


@contextmanager
def terminal(home: Path, words: Sequence[str], width: int = 120, height: int = 36, **more: str) -> Iterator[Terminal]:
    """Run `python WORDS` in a terminal of its own; `home` is its home folder, `more` goes into its
    environment. The program is killed at the end of the block."""
    master, slave = pty.openpty()
    set_size(slave, width, height)
    # The slave stays open here, so that its settings can be read after the program has ended.
    process = subprocess.Popen(
        [sys.executable, *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=home,
        env={**environment_of_program(home), **more},
        start_new_session=True,
    )
    it = Terminal(master, slave, process, Screen(width, height))
    try:
        yield it
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
        os.close(it._master)
        os.close(slave)
