"""The dashboard as the job of a shell: suspended, stopped, continued, ended by signals, in windows that lie.

Random orders of all that are in `tests/signals.py`, a command of its own.
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
"""How often a story is tried that needs the terminal to be typed at in a short moment."""
CTRL_Z, ESC = "\x1a", "\x1b"


def seen(it: Job) -> tuple[object, ...]:
    """What a whole picture has, when nothing has changed for a while: the time, the panels, no empty line."""
    before, now = "", it.screen.text
    while now != before:
        it.read(1.0)
        before, now = now, it.screen.text
    panels = re.findall(r"╭─ ([a-z]+)", now)
    return re.findall(r"\d\d:\d\d\.\d+", now.split("\n")[0]), panels, [bool(line) for line in now.split("\n")]


def test_stopped_and_continued_in_any_order_it_is_one_program_in_a_clean_terminal(tmp_path: Path) -> None:
    with job(tmp_path, SWARMTOP) as it:
        it.until(FIRST)
        it.type(" ")
        it.until("paused")
        before = seen(it)
        threads = it.threads()

        for _ in range(2):  # nothing said that the terminal is another's: its modes stay
            it.kill(signal.SIGSTOP)
            it.stopped()
            it.screen.resize(120, 36)  # and the shell has written over the picture
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


def test_in_the_background_it_stops_and_leaves_the_terminal_to_the_shell(tmp_path: Path) -> None:
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
def test_other_signals_end_it_cleanly_too(tmp_path: Path, name: str) -> None:
    number = getattr(signal, f"SIG{name}")
    for _ in range(TRIES):
        with job(tmp_path, SWARMTOP) as it:
            it.until(FIRST)
            it.kill(number)
            it.type("echoed")
            too_late = it.echoes  # on a busy machine: it had left before that was typed
            assert it.end() == 128 + number
            assert it.unclean() == []
        if not too_late:
            assert "echoed" not in it.screen.after
            return
    pytest.fail("what was typed never came while the program was leaving")


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


def test_what_is_switched_off_was_switched_on() -> None:
    """Told to leave before the thread that writes has written that it entered."""
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
        while len(written) < len(b"on off"):  # a terminal may hand out a part
            written += os.read(master, 100)
        assert written == b"on off"
    os.close(master)


def test_a_terminal_that_takes_nothing_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    with terminal(tmp_path, SWARMTOP) as it:
        it.until(FIRST)
        time.sleep(2)  # nobody reads: the line fills up
        it.process.send_signal(signal.SIGTERM)
        assert it.process.wait(30) == 143


def test_the_window_says_how_large_it_is(tmp_path: Path) -> None:
    with job(tmp_path, SWARMTOP, COLUMNS="50", LINES="12") as it:
        it.until(FIRST)
        it.resize(140, 40)
        it.until(lambda: max(map(len, it.screen.text.splitlines())) > 125)
        it.type("q")
        assert it.end() == 0
    assert window_size({"COLUMNS": "100", "LINES": "30"}, fds=()) == (100, 30)
    assert window_size({"COLUMNS": "x", "LINES": "-1"}, fds=()) == (80, 24)


def test_what_the_environment_says_without_a_meaning_is_disregarded(tmp_path: Path) -> None:
    with job(tmp_path, SWARMTOP, COLUMNS="²", LINES="-1", NO_COLOR="", COLORTERM="") as it:
        it.until(FIRST)
        it.read(0.5)
        assert re.search(r"\x1b\[(?:[\d;]+;)?48;", it.written), "an empty NO_COLOR asks for nothing"
        assert max(map(len, it.screen.text.splitlines())) == 120
        it.type("q")
        assert it.end() == 0


def test_what_textual_cannot_read_of_the_environment_is_told_in_one_sentence(tmp_path: Path) -> None:
    with job(tmp_path, SWARMTOP, TEXTUAL_COLOR_SYSTEM="nonesuch") as it:
        assert it.end() == 1
        assert it.unclean() == []
        assert "Traceback" not in it.written
        assert "KeyError: 'nonesuch'" in it.screen.text


@pytest.mark.parametrize(
    ("words", "ascii_only"), [([], True), pytest.param(["--glyphs", "braille"], False, marks=pytest.mark.campaign)]
)
def test_a_locale_without_signs_gets_letters_and_a_flag_says_otherwise(
    tmp_path: Path, words: list[str], ascii_only: bool
) -> None:
    with job(tmp_path, [*SWARMTOP, *words], LANG="C", PYTHONIOENCODING=None, NO_COLOR="1") as it:
        it.until(r"gnutella +24 . alive")
        it.read(0.5)
        assert it.written.isascii() == ascii_only
        dyes = {int(n) for sgr in re.findall(r"\x1b\[([\d;]+)m", it.written) for n in sgr.split(";")}
        assert max(dyes) < 30, "NO_COLOR: the terminal's own, front and back"
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


def test_what_is_told_in_ascii_is_as_wide_as_it_was() -> None:
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
"""The dashboard, with a long call in each turn of its loop in which no handler of Python's is called."""


def test_stopped_and_continued_while_it_is_busy_it_goes_on(tmp_path: Path) -> None:
    """Of two signals that wait Python calls the handler of SIGCONT first."""
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
