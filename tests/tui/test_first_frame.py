"""The first frame: the borders of the panels and the key bar, which are drawn before the dashboard is loaded."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("termios", reason="terminals of this kind are POSIX")

from jobs import job
from person import dashboard
from terminal import ALTERNATE, CURSOR, MOUSE, WRAP, terminal

from tui import first_frame
from tui.actions.table import ACTIONS
from tui.cli.common import is_usual_swarm
from tui.cli.main import parse


@pytest.mark.parametrize("size", [(60, 18), (80, 24), (99, 29), (100, 30), (120, 36), (160, 44), (300, 100)])
def test_the_first_frame_fills_a_terminal_of_any_size(size: tuple[int, int]) -> None:
    width, height = size
    made = first_frame.lines(width, height, "gnutella", ACTIONS)
    assert [len(line) for line in made] == [width] * height
    assert "─ swarm " in made[1]
    assert " a ask" in made[-1]


@pytest.mark.parametrize("size", [(1, 1), (59, 40), (200, 17), (0, 0)])
def test_there_is_no_first_frame_where_the_dashboard_has_no_room(size: tuple[int, int]) -> None:
    assert first_frame.lines(*size, "gnutella", ACTIONS) == []


@pytest.mark.anyio
async def test_the_panels_of_the_first_frame_are_where_the_dashboard_has_them() -> None:
    async with dashboard(size=(120, 36)) as person:
        made = first_frame.lines(120, 36, "gnutella", ACTIONS)
        shown = {name: person.main.query_one(f"#{name}").region for name in ("swarm", "inspector", "asks", "controls")}
    for name, region in shown.items():
        assert made[region.y][region.x :].startswith(f"╭─ {name} ")
        assert made[region.bottom - 1][region.right - 1] == "╯"


def test_the_first_frame_comes_first_and_a_key_typed_then_is_handled(tmp_path: Path) -> None:
    with terminal(tmp_path, ["-m", "tui", "--seed", "7", "--peers", "24"]) as it:
        seen = it.until("─ inspector ─")
        assert ALTERNATE in it.screen.modes
        if MOUSE not in it.screen.modes:  # else both were drawn between two reads
            assert "p0" not in seen
        it.type("?")
        it.until("its process was killed")
        assert "q back" in it.until("esc or q back")
        it.type("q")
        it.until("under way")
        it.type("q")
        assert it.end() == 0
        assert it.unclean() == []


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGTERM, 143),
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.campaign),
        pytest.param(signal.SIGHUP, 129, marks=pytest.mark.campaign),
    ],
)
def test_a_signal_that_comes_with_it_leaves_the_terminal_as_it_was(tmp_path: Path, number: int, code: int) -> None:
    with terminal(tmp_path, ["-m", "tui", "--peers", "24"]) as it:
        it.until("─ inspector ─")
        it.process.send_signal(number)
        assert it.end() == code
        assert ALTERNATE not in it.screen.modes
        assert it.unclean() == []


SWITCHING = """
import os, signal, sys
from tui.config import themes
from tui.first_frame import FirstFrame

write = os.write

def write_and_signal(number, data):
    write(number, data)
    if ("[?1049" + sys.argv[1]).encode() in data:
        os.kill(os.getpid(), signal.SIGQUIT)

os.write = write_and_signal
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
first = FirstFrame("gnutella", story=False, ascii_only=False)
first.paint(themes.find("swarm"))
first.clear()
"""


@pytest.mark.parametrize("when", ["h", "l"])
def test_a_signal_at_the_moment_the_screen_is_entered_or_left_leaves_it_once(tmp_path: Path, when: str) -> None:
    with terminal(tmp_path, ["-c", SWITCHING, when]) as it:
        assert it.end() == 131
        assert it.unclean() == []
        assert it.screen.left == 1


PAINTED = """
import signal
from tui.config import themes
from tui.first_frame import FirstFrame

first = FirstFrame("gnutella", story=False, ascii_only=False)
first.paint(themes.find("swarm"))
while True:
    signal.pause()
"""


def test_suspended_with_it_the_shell_has_its_screen_and_fg_shows_it_again(tmp_path: Path) -> None:
    with job(tmp_path, ["-c", PAINTED]) as it:
        for stop in (lambda: it.type("\x1a"), lambda: it.kill(signal.SIGTSTP)):
            it.until("─ inspector ─")
            stop()
            it.stopped()
            assert it.screen.modes == {CURSOR, WRAP}
            it.bg()
            it.stopped()
            assert it.screen.modes == {CURSOR, WRAP}
            it.fg()
        it.until("─ inspector ─")
        assert ALTERNATE in it.screen.modes
        it.kill(signal.SIGTERM)
        assert it.end() == 143
        assert it.unclean() == []


def test_started_in_the_background_it_leaves_the_terminal_to_the_shell(tmp_path: Path) -> None:
    with job(tmp_path, ["-m", "tui", "--seed", "7", "--peers", "24"], front=False) as it:
        it.stopped()
        assert not it.screen.ever - {CURSOR, WRAP}
        it.fg()
        it.until("under way")
        it.type("q")
        assert it.end() == 0
        assert it.unclean() == []


def test_a_theme_of_textual_has_one_too(tmp_path: Path) -> None:
    with terminal(tmp_path, ["-m", "tui", "--peers", "24", "--theme", "nord"]) as it:
        it.until("─ inspector ─")
        it.until("under way")
        it.type("q")
        assert it.end() == 0


@pytest.mark.parametrize(
    "words",
    [
        ["--theme", "nonesuch"],
        ["--set", "nonesuch=7"],
        pytest.param(["nonesuch"], marks=pytest.mark.campaign),
        pytest.param(["--until", "0"], marks=pytest.mark.campaign),
    ],
)
def test_no_first_frame_is_left_where_the_command_line_is_refused(tmp_path: Path, words: list[str]) -> None:
    with terminal(tmp_path, ["-m", "tui", *words]) as it:
        assert it.end() == 2
        assert ALTERNATE not in it.screen.ever


PAINTING = """
import os, sys
from tui.cli.main import main
from tui.first_frame import FirstFrame

def paint(self, palette):
    heavy = ("numpy", "textual", "asyncio", "engine.swarm", "engine.lab.scenario", "engine.registry")
    loaded = [name for name in heavy if name in sys.modules]
    print(*loaded, file=sys.stderr)
    os._exit(1 if loaded else 7)

FirstFrame.paint = paint
main(sys.argv[1:])
"""


def test_the_frame_of_the_usual_swarm_is_painted_before_the_engine_is_loaded(tmp_path: Path) -> None:
    with terminal(tmp_path, ["-c", PAINTING, "--speed", "2", "--fps", "9", "--theme", "swarm"]) as it:
        assert it.end() == 7, it.screen.text


def test_a_command_line_is_usual_if_it_names_nothing_of_the_swarm() -> None:
    assert is_usual_swarm(parse(["--speed", "2", "--theme", "nord", "--until", "quiet", "--json"]))
    for words in (["gossip"], ["--seed", "2"], ["--set", "ttl=7"], ["--ask", "blue"], ["--record", "run.swarm"]):
        assert not is_usual_swarm(parse(words)), words


def test_reading_the_command_line_and_painting_the_frame_load_no_textual() -> None:
    told = (
        "import sys, tui.cli.dashboard, tui.first_frame; from tui.config import settings, terminal, themes; "
        "themes.find('swarm'); from tui.cli.common import scenario_of; from tui.cli.main import parse; "
        "scenario_of(parse(['--protocol', 'gossip'])); "
        "sys.exit('textual' in sys.modules or 'engine.protocols.gnutella' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", told], check=False).returncode == 0


PICTURED = """
import os, sys
from textual._context import active_app
from textual.css import stylesheet
from tui.app import SwarmApp
from tui.cli.main import main
from tui.textual_compat import LeanCompositor

parsed, parse = [], stylesheet.parse

def noting(scope, css, read_from, *more, **flags):
    parsed.append((scope, read_from, flags["tie_breaker"]))
    return parse(scope, css, read_from, *more, **flags)

drawn, render = [], LeanCompositor.render_full_update

def rendering(self, *how, **more):
    drawn.append(active_app.get().main.frames)
    return render(self, *how, **more)

def on_ready(self):
    loaded = [name for name in ("numpy.ma", "tomlkit", "networkx", "engine.testing") if name in sys.modules]
    twice = sorted({one for one in parsed if parsed.count(one) > 1})
    print(loaded, twice, len(parsed), drawn)
    os._exit(1 if loaded or twice or not parsed or drawn != [1] else 7)

stylesheet.parse = noting
LeanCompositor.render_full_update = rendering
SwarmApp.on_ready = on_ready
main(sys.argv[1:])
"""


def test_the_first_picture_is_drawn_once_parses_each_style_once_and_loads_nothing_that_it_does_not_use(
    tmp_path: Path,
) -> None:
    with terminal(tmp_path, ["-c", PICTURED, "--peers", "24"]) as it:
        assert it.end() == 7, it.screen.text
