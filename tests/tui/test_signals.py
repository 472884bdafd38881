"""The dashboard as the job of a shell: suspended, stopped, continued, ended by signals, and with a wrong size or wrong
variables in its environment.

`python tests/signals.py` tries random orders of all that.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("termios", reason="terminals of this kind are POSIX")

import pty
import tty

from jobs import Job, job
from terminal import terminal

from tui.config.terminal import encoding_of
from tui.textual_compat import Output, as_ascii, window_size

SWARMTOP = ["-m", "tui", "--seed", "7", "--peers", "24"]
FIRST = r"gnutella +24 ● alive"
KEY_BAR = r"help.*quit"
TRIES = 10
"""How often a test is tried in which something has to be typed in a short moment."""
CTRL_Z, ESC = "\x1a", "\x1b"


def seen(it: Job) -> tuple[object, ...]:
    """The time, the panels and the empty lines of the picture, read when it has not changed for a second."""
    before, now = "", it.screen.text
    while now != before:
        it.read(1.0)
        before, now = now, it.screen.text
    panels = re.findall(r"╭─ ([a-z]+)", now)
    return re.findall(r"\d\d:\d\d\.\d+", now.split("\n")[0]), panels, [bool(line) for line in now.split("\n")]


def test_a_program_that_is_stopped_and_continued_in_any_order_restores_the_terminal(tmp_path: Path) -> None:
    with job(tmp_path, SWARMTOP) as it:
        it.until(FIRST)
        it.type(" ")
        it.until("paused")
        before = seen(it)
        threads = it.threads()

        for _ in range(2):  # SIGSTOP cannot be handled: the modes of the terminal stay
            it.kill(signal.SIGSTOP)
            it.stopped()
            it.screen.resize(120, 36)  # as if the shell had overwritten the picture
            it.fg()
            it.until(KEY_BAR)
        it.kill(signal.SIGCONT)  # it was not stopped
        it.read(0.5)

        it.type(CTRL_Z)
        it.stopped()
        assert 1049 not in it.screen.modes
        assert it.screen.keyboards == 0
        it.fg()
        it.until(KEY_BAR)
        it.kill(signal.SIGTSTP)
        it.stopped()
        it.fg()
        it.until(KEY_BAR)
        assert seen(it) == before, "a whole picture, of the same moment"
        assert it.threads() == threads

        it.type("q")
        assert it.end() == 0
        assert it.unclean() == []


def test_a_program_in_the_background_stops_and_leaves_the_terminal_to_the_shell(tmp_path: Path) -> None:
    with job(tmp_path, SWARMTOP) as it:
        it.until(FIRST)
        it.kill(signal.SIGSTOP)
        it.stopped()
        it.bg()
        it.stopped()
        assert it.state["stopped"] in (signal.SIGTTOU, signal.SIGTTIN)
        it.until(lambda: 1049 not in it.screen.modes)
        it.fg()
        it.until(FIRST)
        it.type(CTRL_Z)
        it.stopped()
        it.kill(signal.SIGTERM)  # as `kill %1` does for a stopped job
        it.bg()
        assert it.end() == 143
        assert it.unclean() == []


@pytest.mark.parametrize(
    "name", ["HUP", *(pytest.param(name, marks=pytest.mark.campaign) for name in ("QUIT", "ABRT"))]
)
def test_other_signals_end_the_program_and_restore_the_terminal(tmp_path: Path, name: str) -> None:
    number = getattr(signal, f"SIG{name}")
    for _ in range(TRIES):
        with job(tmp_path, SWARMTOP) as it:
            it.until(FIRST)
            it.kill(number)
            it.type("echoed")
            too_late = it.echoes  # on a busy machine the program may have ended before this was typed
            assert it.end() == 128 + number
            assert it.unclean() == []
        if not too_late:
            assert "echoed" not in it.screen.after
            return
    pytest.fail("nothing was ever typed while the program was ending")


RESTORING = """
import asyncio, os, signal, sys
from tui.config.terminal import Ending

def restore():
    os.kill(os.getpid(), signal.SIGQUIT)
    sys.stdout.write("restored")
    sys.stdout.flush()

async def told():
    ending.app(int)

signal.signal(signal.SIGQUIT, signal.SIG_DFL)
ending = Ending(restore)
with ending:
    ending.take({})
    asyncio.run(told())
    ending.restore()
sys.exit(7)
"""


def test_a_signal_while_the_terminal_is_restored_does_not_end_the_program_before_that_is_done() -> None:
    done = subprocess.run([sys.executable, "-c", RESTORING], capture_output=True, check=False)
    assert (done.stdout, done.returncode) == (b"restored", 7)


def test_a_mode_that_is_switched_off_was_switched_on_before() -> None:
    """The program has to end before the thread that writes has switched the mode on."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    with os.fdopen(slave, "w") as file:
        out = Output(file, bool, lambda: True, bool)
        out.write_surely("on ")
        out.write("drawn ")
        leaving = threading.Thread(target=out.write_last, args=("off", 30.0))
        leaving.start()
        while out._queue.qsize() < 3:
            time.sleep(0.001)
        out.start()
        leaving.join()
        out.stop()
        written = b""
        while len(written) < len(b"on off"):  # one read may return a part
            written += os.read(master, 100)
        assert written == b"on off"
    os.close(master)


def test_a_terminal_that_reads_nothing_does_not_keep_the_program_from_ending(tmp_path: Path) -> None:
    with terminal(tmp_path, SWARMTOP) as it:
        it.until(FIRST)
        time.sleep(2)  # nobody reads what the program writes, until the buffer of the terminal is full
        it.process.send_signal(signal.SIGTERM)
        assert it.process.wait(30) == 143


def test_the_size_is_that_of_the_window_and_not_of_the_environment(tmp_path: Path) -> None:
    with job(tmp_path, SWARMTOP, COLUMNS="50", LINES="12") as it:
        it.until(FIRST)
        it.resize(140, 40)
        it.until(lambda: max(map(len, it.screen.text.splitlines())) > 125)
        it.type("q")
        assert it.end() == 0
    assert window_size({"COLUMNS": "100", "LINES": "30"}, fds=()) == (100, 30)
    assert window_size({"COLUMNS": "x", "LINES": "-1"}, fds=()) == (80, 24)


def test_values_without_a_meaning_in_the_environment_are_ignored(tmp_path: Path) -> None:
    with job(tmp_path, SWARMTOP, COLUMNS="²", LINES="-1", NO_COLOR="", COLORTERM="") as it:
        it.until(FIRST)
        it.read(0.5)
        assert re.search(r"\x1b\[(?:[\d;]+;)?48;", it.written), "an empty NO_COLOR asks for nothing"
        assert max(map(len, it.screen.text.splitlines())) == 120
        it.type("q")
        assert it.end() == 0


def test_a_variable_that_textual_cannot_read_ends_the_start_with_one_error(tmp_path: Path) -> None:
    with job(tmp_path, SWARMTOP, TEXTUAL_COLOR_SYSTEM="nonesuch") as it:
        assert it.end() == 1
        assert it.unclean() == []
        assert "Traceback" not in it.written
        assert "KeyError: 'nonesuch'" in it.screen.text


@pytest.mark.parametrize(
    ("words", "ascii_only"), [([], True), pytest.param(["--glyphs", "braille"], False, marks=pytest.mark.campaign)]
)
def test_a_locale_without_utf8_gets_ascii_unless_a_flag_says_otherwise(
    tmp_path: Path, words: list[str], ascii_only: bool
) -> None:
    with job(tmp_path, [*SWARMTOP, *words], LANG="C", PYTHONIOENCODING=None, NO_COLOR="1") as it:
        it.until(r"gnutella +24 . alive")
        it.read(0.5)
        assert it.written.isascii() == ascii_only
        colours = {int(n) for sgr in re.findall(r"\x1b\[([\d;]+)m", it.written) for n in sgr.split(";")}
        assert max(colours) < 30, "with NO_COLOR only the terminal's own colours are used"
        it.type("q")
        assert it.end() == 0


@pytest.mark.parametrize(
    ("env", "encoding"),
    [
        ({}, "ascii"),
        ({"LANG": "C"}, "ascii"),
        ({"LANG": "POSIX", "LC_ALL": ""}, "ascii"),
        ({"LANG": "C.UTF-8"}, "UTF-8"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, "ascii"),
        ({"LANG": "C", "LC_CTYPE": "de_DE.utf8"}, "utf8"),
        ({"LANG": "de_DE.UTF-8", "LC_CTYPE": "de_DE.ISO-8859-15@euro"}, "ISO-8859-15"),
        ({"LC_CTYPE": "UTF-8"}, "utf-8"),
    ],
)
def test_the_locale_is_found_as_the_c_library_finds_it(env: dict[str, str], encoding: str) -> None:
    assert encoding_of(env) == encoding


def test_a_text_in_ascii_is_as_wide_as_before() -> None:
    assert as_ascii("● ─│┌ ⠿ é 漢字 …") == "o -|+ ? ? ???? ."
    assert as_ascii("\x1b[1mplain") == "\x1b[1mplain"


BUSY = """
import ctypes, sys
from tui.cli.main import script
from tui.screens.main import MainScreen
tick = MainScreen.tick
MainScreen.tick = lambda screen: (ctypes.CDLL(None).system(b"sleep 0.3"), tick(screen))[1]
sys.argv = ["swarmtop", "--seed", "7", "--peers", "24"]
script()
"""
"""The dashboard, with a long C call in each turn of its loop, during which Python calls no signal handler."""


def test_a_busy_program_that_is_stopped_and_continued_goes_on(tmp_path: Path) -> None:
    """If both signals are pending, Python calls the handler of SIGCONT first."""
    with terminal(tmp_path, ["-c", BUSY]) as it:
        it.until(FIRST)
        for _ in range(2):
            it.process.send_signal(signal.SIGTSTP)
            time.sleep(0.02)
            it.process.send_signal(signal.SIGCONT)
            it.rest(1.2)
            assert Path(f"/proc/{it.process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T"
        it.type("q")
        assert it.end() == 0
        assert it.unclean() == []
