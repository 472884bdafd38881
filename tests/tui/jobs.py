"""A program as the job of a shell, in a terminal of its own: stopped, continued, put in the background and back.

The shell is a process of ours that does what any shell with job control does, and is told what to do through a pipe.
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

from terminal import HANGS_S, Screen, set_size, surroundings_of

MARK = "SWARMTOP_JOB"
SWITCH = re.compile(r"\x1b\[\?([\d;]+)([hl])|\x1b\[([<>])\d*u")
ONES_OWN = {"7", "25", "2026"}
"""Modes that are on at first, and the brackets round each frame."""


def shell(told: int, tells: int, argv: Sequence[str], env: dict[str, str], home: Path, front: bool) -> None:
    """What runs in the terminal: one job, and commands (`f`oreground, `b`ackground) from a pipe. front: the job begins
    in the foreground."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    cooked = termios.tcgetattr(0)
    job = os.fork()
    if job == 0:
        os.setpgid(0, 0)
        if front:
            os.tcsetpgrp(0, os.getpid())
        # A shell without job control has ignored some for what it started in the background, as nohup does.
        for number in (signal.SIGTTOU, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(home)
        os.execve(argv[0], argv, env)
    with contextlib.suppress(OSError):
        os.setpgid(job, job)
    os.write(tells, f"pid {job}\n".encode())
    while True:
        found, status = os.waitpid(job, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
        if found and os.WIFCONTINUED(status):
            os.write(tells, b"continued 0\n")
        elif found:
            front = os.tcgetpgrp(0) == job
            left = termios.tcgetattr(0)
            os.tcsetpgrp(0, os.getpgrp())
            if os.WIFSTOPPED(status):
                termios.tcsetattr(0, termios.TCSADRAIN, cooked)
                os.write(tells, f"stopped {os.WSTOPSIG(status)}\n".encode())
            else:
                os.write(tells, f"raw {int(front and left != cooked)}\n".encode())
                os.write(tells, f"ended {os.waitstatus_to_exitcode(status)}\n".encode())
                return
        elif select.select([told], [], [], 0.01)[0]:
            command = os.read(told, 1)
            if not command:
                os.kill(job, signal.SIGKILL)
                return
            if command == b"f":
                os.tcsetpgrp(0, job)
            os.killpg(job, signal.SIGCONT)


class Job:
    """The job, and who watches it."""

    def __init__(self, master: int, told: int, tells: int, shell_pid: int, screen: Screen, mark: str) -> None:
        self.screen, self.mark = screen, mark
        self.written = ""
        self.state: dict[str, int] = {}
        self.history: list[str] = []
        self.stops = 0
        self._master, self._told, self._tells, self._shell = master, told, tells, shell_pid
        self._said = b""
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    @property
    def pid(self) -> int:
        return self.state["pid"]

    def type(self, keys: str) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, keys.encode())

    @property
    def echoes(self) -> bool:
        """Whether the line shows what is typed by itself, as that of a shell does."""
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def fg(self) -> None:
        self._tell(b"f")

    def bg(self) -> None:
        self._tell(b"b")

    def kill(self, number: int) -> None:
        self.history.append(f"{time.monotonic() % 1000:.2f} {signal.Signals(number).name}")
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def resize(self, width: int, height: int) -> None:
        with contextlib.suppress(OSError):
            self.screen.resize(width, height)
            set_size(self._master, width, height)

    def read(self, seconds: float) -> None:
        """Look for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and "ended" not in self.state:
            self._look(min(left, 0.05))

    def until(self, holds: Any, patience_s: float = HANGS_S) -> str:
        """Look until a pattern is on the screen, or something holds."""
        end = time.monotonic() + patience_s
        while not (re.search(holds, self.screen.text) if isinstance(holds, str) else holds()):
            if time.monotonic() > end or "ended" in self.state:
                raise AssertionError(
                    f"{holds} did not come about; {self.state}, processes {self.family()}\n{self.screen.text}"
                )
            self._look(0.05)
        return self.screen.text

    def stopped(self, patience_s: float = HANGS_S) -> None:
        """Look until the shell has seen it stop once more."""
        before = self.stops
        self.until(lambda: self.stops > before, patience_s)

    def end(self, patience_s: float = HANGS_S) -> int:
        """Look until it has ended; its exit code, negative for a signal."""
        end = time.monotonic() + patience_s
        while "ended" not in self.state:
            if time.monotonic() > end:
                raise AssertionError(f"it did not end; {self.history}, {self.family()}\n{self.screen.text}")
            self._look(0.05)
        while select.select([self._master], [], [], 0)[0]:
            if not self._take():
                break
        return self.state["ended"]

    def unclean(self) -> list[str]:
        """What it has left behind, in words."""
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
        # What is switched off to be sure is no fault.
        wrong += [f"{name}: {count:+}" for name, count in counts.items() if count and name not in ONES_OWN]
        wrong += ["the line settings differ"] if self.state.get("raw") else []
        end = time.monotonic() + HANGS_S
        while (left := self.family()) and time.monotonic() < end:
            time.sleep(0.05)
        return wrong + [f"process {pid} is left" for pid in left]

    def family(self) -> list[int]:
        """Processes that it has started, itself included: by a word in their environment."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if f"{MARK}={self.mark}\0".encode() in (entry / "environ").read_bytes():
                        found.append(int(entry.name))
        return found

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def _tell(self, command: bytes) -> None:
        self.history.append(f"{time.monotonic() % 1000:.2f} {command.decode()}")
        with contextlib.suppress(OSError):
            os.write(self._told, command)

    def _take(self) -> bool:
        try:
            data = self._decode(os.read(self._master, 65536))
        except OSError:
            return False
        self.written += data
        self.screen.feed(data)
        return bool(data)

    def _look(self, seconds: float) -> None:
        ready = select.select([self._master, self._tells], [], [], seconds)[0]
        if self._master in ready:
            self._take()
        if self._tells in ready:
            self._said += os.read(self._tells, 4096)
            *lines, self._said = self._said.split(b"\n")
            for line in lines:
                word, _, number = line.decode().partition(" ")
                self.state[word] = int(number)
                self.history.append(f"{time.monotonic() % 1000:.2f} {word} {number}")
                self.stops += word == "stopped"


@contextmanager
def job(
    home: Path, words: Sequence[str], width: int = 120, height: int = 36, *, front: bool = True, **more: str | None
) -> Iterator[Job]:
    """Run `python WORDS` as a job in a terminal of its own; `more` goes into its environment, None takes out. front:
    in the foreground."""
    mark = uuid.uuid4().hex
    given = {**surroundings_of(home), MARK: mark, **more}
    env = {name: value for name, value in given.items() if value is not None}
    told_r, told_w = os.pipe()
    tells_r, tells_w = os.pipe()
    pid, master = pty.fork()
    if pid == 0:
        try:
            os.close(told_w)
            os.close(tells_r)
            set_size(0, width, height)
            shell(told_r, tells_w, [sys.executable, *words], env, home, front)
        finally:
            os._exit(0)
    os.close(told_r)
    os.close(tells_w)
    it = Job(master, told_w, tells_r, pid, Screen(width, height), mark)
    try:
        while "pid" not in it.state:
            it._look(1.0)
        yield it
    finally:
        os.close(told_w)
        for one in it.family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        os.close(master)
        os.close(tells_r)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
