"""The whole program in a real terminal: what it shows, and the terminal after its end."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from textual.widgets import Input

pytest.importorskip("termios", reason="terminals of this kind are POSIX")

from person import dashboard
from terminal import ALTERNATE, CTRL_C, ENTER, MOUSE, MOVES, PASTE, RIGHT, ROOT, Terminal, terminal

SWARM = ["--seed", "7", "--peers", "24"]
SWARMTOP = ["-m", "tui", *SWARM]
FIRST = r"gnutella +24 ● alive +0 ✕ dead"
BREAKS = """
import sys
from tui.cli.main import main
from tui.screens.main import MainScreen

tick = MainScreen.tick

def broken(self):
    if self.frames >= {frames}:
        raise ZeroDivisionError("the sea is {frames} deep")
    return tick(self)

MainScreen.tick = broken
sys.exit(main({words!r}))
"""


def chosen(it: Terminal, but: str = "") -> str:
    """The label of the peer in the inspector, as soon as there is one other than `but`."""
    label = re.compile(r"─ (p\d+) · ")
    seen = it.until(lambda text: (found := label.search(text)) is not None and found[1] != but)
    return label.findall(seen)[0]


def test_ask_kill_censor_filter_and_leave(tmp_path: Path) -> None:
    with terminal(tmp_path, SWARMTOP) as it:
        it.until(FIRST)
        assert {ALTERNATE, MOUSE, MOVES, PASTE} <= it.screen.modes

        it.type("a")
        it.until(r"wants to find \(\^g: fetch\) ❯")
        it.type("train")
        it.until(r"wants to find \(\^g: fetch\) ❯ train")
        it.type(ENTER)
        it.until(r"\d p\d+ train ")
        it.until(lambda text: "❯" not in text)

        it.type(RIGHT)
        killed = chosen(it)
        it.type("x")
        it.until(r" 23 ● alive +1 ✕ dead")

        it.type(RIGHT)
        censored = chosen(it, but=killed)
        it.type("c")
        it.until(r" 1 ⊘ censored")

        it.type("/")
        it.until("p017   #3")
        it.type("state=dead")
        it.until(f"1 peer: {killed}")
        it.type(ENTER)
        assert chosen(it, but=censored) == killed

        it.type("q")
        assert it.end() == 0
        assert it.unclean() == []
        assert it.screen.text.strip() == "", "nothing is left on the terminal either"


def test_a_recording_in_which_a_person_went_back_and_acted_at_once_replays(tmp_path: Path) -> None:
    file = tmp_path / "run.swarm"
    with terminal(tmp_path, [*SWARMTOP, "--record", str(file)]) as it:
        it.until(FIRST)
        it.type(RIGHT)
        chosen(it)
        it.type(";")
        time.sleep(0.05)  # time for a key, and less than the time after which a recording is written to its file
        it.type("x")
        it.until(r" 23 ● alive +1 ✕ dead")
        it.type("q")
        assert it.end() == 0
    again = subprocess.run(
        [sys.executable, "-m", "tui", "replay", str(file), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (again.returncode, again.stderr) == (0, "")
    assert json.loads(again.stdout)["peers_by_state"]["dead"] == 1


def test_sigint_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    with terminal(tmp_path, SWARMTOP) as it:
        it.until(FIRST)
        it.process.send_signal(signal.SIGINT)
        assert it.end() == 130
        assert it.unclean() == []
        assert it.screen.text.strip() == ""


def test_sigterm_before_the_first_picture_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    with terminal(tmp_path, SWARMTOP) as it:
        it.until(lambda _: ALTERNATE in it.screen.modes)
        it.process.send_signal(signal.SIGTERM)
        assert it.end() == 143
        assert it.unclean() == []
        assert it.screen.text.strip() == ""


@pytest.mark.parametrize("keys", [pytest.param("", marks=pytest.mark.campaign), " "])
def test_the_program_ends_when_its_terminal_is_closed_without_a_signal(tmp_path: Path, keys: str) -> None:
    """As if it were started by nohup. Also while the run is paused, when nothing is written that could fail."""
    with terminal(tmp_path, SWARMTOP) as it:
        it.until(FIRST)
        it.type(keys)
        if keys:
            it.until("paused")
        assert it.hang_up() == 129


def test_q_right_after_the_first_picture_ends_without_an_error(tmp_path: Path) -> None:
    """Some panels get their content after the first picture, and do not have it yet."""
    with terminal(tmp_path, SWARMTOP) as it:
        it.until(FIRST)
        it.type("q")
        assert it.end() == 0
        assert it.unclean() == []


def test_ctrl_c_asks_once_and_ends_the_program_at_the_second_time(tmp_path: Path) -> None:
    with terminal(tmp_path, SWARMTOP) as it:
        it.until(FIRST)
        it.type("?")
        it.until("its process was killed")
        it.type(CTRL_C)
        it.until(r"press ctrl\+c again")
        it.type(CTRL_C * 2)  # two, since the first one may come too late to count as the second
        assert it.end() == 130
        assert it.unclean() == []


@pytest.mark.anyio
async def test_ctrl_c_copies_selected_text() -> None:
    async with dashboard() as person:
        await person.press("slash")
        await person.type("state=dead")
        field = person.app.focused
        assert isinstance(field, Input)
        field.select_all()
        await person.press("ctrl+c")
        assert person.app.clipboard == "state=dead"
        assert "again to leave" not in person.toasts
        await person.press("ctrl+c")  # nothing is selected any more
        assert person.app.is_running
        assert "again to leave" in person.toasts


@pytest.mark.parametrize("frames", [0, pytest.param(3, marks=pytest.mark.campaign)])
def test_an_error_of_the_program_is_one_sentence_on_a_restored_terminal(tmp_path: Path, frames: int) -> None:
    with terminal(tmp_path, ["-c", BREAKS.format(frames=frames, words=SWARM)]) as it:
        assert it.end() == 1
        assert it.unclean() == []
        told = "".join(it.screen.text.split("\n"))
        assert told.startswith(f"swarmtop: ZeroDivisionError: the sea is {frames} deep; ")
        assert "Traceback" not in told
    crash = next(tmp_path.rglob("crash.txt"))
    assert crash.name in told
    whole = crash.read_text()
    assert whole.startswith("swarmtop --protocol gnutella --peers 24 --seed 7 --until ")
    assert "in broken" in whole.partition("Traceback")[2], "and it has the traceback"


def test_a_tiny_terminal_shows_a_sentence_and_q_still_leaves(tmp_path: Path) -> None:
    with terminal(tmp_path, SWARMTOP, width=40, height=10) as it:
        it.until(r"swarmtop needs \d+ x \d+ cells")
        it.type("q")
        assert it.end() == 0
        assert it.unclean() == []
