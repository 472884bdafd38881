"""A program as the job of a shell, in a terminal of its own: stopped, continued, put in the background and back.

The shell is a process of the test that does what any shell with job control does. It gets its commands through a pipe.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import pty
import re
import select
import signal
import sys
import termios
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from terminal import HANGS_S, Screen, environment_of_program, set_size

MARK = "SWARMTOP_JOB"
SWITCH = re.compile(r"\x1b\[\?([\d;]+)([hl])|\x1b\[([<>])\d*u")
MODES_NOT_COUNTED = {"7", "25", "2026"}
"""DEC private modes that are on at the start (7, 25), and the one that is on while a frame is written (2026)."""


def shell(commands: int, reports: int, argv: Sequence[str], env: dict[str, str], home: Path, front: bool) -> None:
    """Run one job in this terminal. `commands`: a pipe with `f` (to the foreground) and `b` (go on in the background);
    `reports`: a pipe for lines of a word and a number; `front`: the job starts in the foreground."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    cooked = termios.tcgetattr(0)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        if front:
            os.tcsetpgrp(0, os.getpid())
        # A shell without job control ignores some signals for what it starts in the background, as nohup does.
        for number in (signal.SIGTTOU, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(home)
        os.execve(argv[0], argv, env)
    with contextlib.suppress(OSError):
        os.setpgid(job, job)
    os.write(reports, f"pid {job}\n".encode())
    while True:
        found, status = os.waitpid(job, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
        if found and os.WIFCONTINUED(status):
            os.write(reports, b"continued 0\n")
        elif found:
            front = os.tcgetpgrp(0) == job
            left = termios.tcgetattr(0)
            os.tcsetpgrp(0, os.getpgrp())
            if os.WIFSTOPPED(status):
                termios.tcsetattr(0, termios.TCSADRAIN, cooked)
                os.write(reports, f"stopped {os.WSTOPSIG(status)}\n".encode())
            else:
                os.write(reports, f"raw {int(front and left != cooked)}\n".encode())
                os.write(reports, f"ended {os.waitstatus_to_exitcode(status)}\n".encode())
                return
        elif select.select([commands], [], [], 0.01)[0]:
            command = os.read(commands, 1)
            if not command:
                os.kill(job, signal.SIGKILL)
                return
            if command == b"f":
                os.tcsetpgrp(0, job)
            os.killpg(job, signal.SIGCONT)


class Job:
    """A job, and what was read from its terminal and its shell."""

    def __init__(self, master: int, commands: int, reports: int, shell_pid: int, screen: Screen, mark: str) -> None:
        self.screen, self.mark = screen, mark
        self.written = ""
        self.state: dict[str, int] = {}
        self.history: list[str] = []
        self.stops = 0
        self._master, self._commands, self._reports, self._shell = master, commands, reports, shell_pid
        self._unread = b""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    @property
    def pid(self) -> int:
        return self.state["pid"]

    def type(self, keys: str) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, keys.encode())

    @property
    def echoes(self) -> bool:
        """Whether the terminal itself shows what is typed, as it does for a shell."""
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def fg(self) -> None:
        self._command(b"f")

    def bg(self) -> None:
        self._command(b"b")

    def kill(self, number: int) -> None:
        self.history.append(f"{time.monotonic() % 1000:.2f} {signal.Signals(number).name}")
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def resize(self, width: int, height: int) -> None:
        with contextlib.suppress(OSError):
            self.screen.resize(width, height)
            set_size(self._master, width, height)

    def read(self, seconds: float) -> None:
        """Read for so many seconds, or until the job has ended."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and "ended" not in self.state:
            self._read_some(min(left, 0.05))

    def until(self, holds: Any, patience_s: float = HANGS_S) -> str:
        """Read until a pattern is on the screen, or a function returns true. Returns the screen.

        Raises AssertionError after `patience_s`, and when the job has ended."""
        end = time.monotonic() + patience_s
        while not (re.search(holds, self.screen.text) if isinstance(holds, str) else holds()):
            if time.monotonic() > end or "ended" in self.state:
                raise AssertionError(
                    f"{holds} did not come about; {self.state}, processes {self.family()}\n{self.screen.text}"
                )
            self._read_some(0.05)
        return self.screen.text

    def stopped(self, patience_s: float = HANGS_S) -> None:
        """Read until the shell reports that the job has stopped once more."""
        before = self.stops
        self.until(lambda: self.stops > before, patience_s)

    def end(self, patience_s: float = HANGS_S) -> int:
        """Read until the job has ended. Returns its exit code, which is negative for a signal."""
        end = time.monotonic() + patience_s
        while "ended" not in self.state:
            if time.monotonic() > end:
                raise AssertionError(f"it did not end; {self.history}, {self.family()}\n{self.screen.text}")
            self._read_some(0.05)
        while select.select([self._master], [], [], 0)[0]:
            if not self._read_terminal():
                break
        return self.state["ended"]

    def unclean(self) -> list[str]:
        """Sentences on what the job has left changed: modes, line settings, processes."""
        wrong = [f"mode {mode} is on" for mode in sorted(self.screen.modes - {7, 25})]
        wrong += [f"mode {mode} is off" for mode in sorted({7, 25} - self.screen.modes)]
        counts: Counter[str] = Counter()
        for modes, does, keyboard in SWITCH.findall(self.written):
            if keyboard:
                counts["keyboard"] += 1 if keyboard == ">" else -1
                if not 0 <= counts["keyboard"] <= 1:
                    wrong.append(f"the keyboard was pushed {counts['keyboard']} times")
            for mode in modes.split(";") if modes else []:
                counts[mode] += 1 if does == "h" else -1
        # The others may be switched off once more, to be sure.
        wrong += [f"{name}: {count:+}" for name, count in counts.items() if count and name not in MODES_NOT_COUNTED]
        wrong += ["the line settings differ"] if self.state.get("raw") else []
        end = time.monotonic() + HANGS_S
        while (left := self.family()) and time.monotonic() < end:
            time.sleep(0.05)
        return wrong + [f"process {pid} is left" for pid in left]

    def family(self) -> list[int]:
        """The job's process and those that it started, found by a variable in their environment."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if f"{MARK}={self.mark}\0".encode() in (entry / "environ").read_bytes():
                        found.append(int(entry.name))
        return found

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def _command(self, command: bytes) -> None:
        self.history.append(f"{time.monotonic() % 1000:.2f} {command.decode()}")
        with contextlib.suppress(OSError):
            os.write(self._commands, command)

    def _read_terminal(self) -> bool:
        try:
            data = self._decode(os.read(self._master, 65536))
        except OSError:
            return False
        self.written += data
        self.screen.feed(data)
        return bool(data)

    def _read_some(self, seconds: float) -> None:
        ready = select.select([self._master, self._reports], [], [], seconds)[0]
        if self._master in ready:
            self._read_terminal()
        if self._reports in ready:
            self._unread += os.read(self._reports, 4096)
            *lines, self._unread = self._unread.split(b"\n")
            for line in lines:
                word, _, number = line.decode().partition(" ")
                self.state[word] = int(number)
                self.history.append(f"{time.monotonic() % 1000:.2f} {word} {number}")
                self.stops += word == "stopped"


@contextmanager
def job(
    home: Path, words: Sequence[str], width: int = 120, height: int = 36, *, front: bool = True, **more: str | None
) -> Iterator[Job]:
    """Run `python WORDS` as a job in a terminal of its own; `more` goes into its environment, where None removes
    a variable. front: start in the foreground."""
    mark = uuid.uuid4().hex
    given = {**environment_of_program(home), MARK: mark, **more}
    env = {name: value for name, value in given.items() if value is not None}
    commands_r, commands_w = os.pipe()
    reports_r, reports_w = os.pipe()
    pid, master = pty.fork()
    if pid == 0:
        try:
            os.close(commands_w)
            os.close(reports_r)
            set_size(0, width, height)
            shell(commands_r, reports_w, [sys.executable, *words], env, home, front)
        finally:
            os._exit(0)
    os.close(commands_r)
    os.close(reports_w)
    it = Job(master, commands_w, reports_r, pid, Screen(width, height), mark)
    try:
        while "pid" not in it.state:
            it._read_some(1.0)
        yield it
    finally:
        os.close(commands_w)
        for one in it.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        os.close(master)
        os.close(reports_r)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
