"""What all tests may ask for."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

FIXED = {"LANG": "C.UTF-8", "TERM": "xterm-256color", "COLORTERM": "truecolor", "TZ": "UTC"}
"""What tests, and the programs that they start, find in the environment, whatever the machine's is."""
FORGOTTEN = (
    "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "PAGER", "EDITOR", "VISUAL",
    "LANGUAGE", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONWARNINGS", "PYTHONHASHSEED", "PYTHONSTARTUP",
    "TTY_COMPATIBLE", "TTY_INTERACTIVE", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "SSH_CONNECTION", "SSH_TTY",
    "TMUX", "STY",
)  # fmt: skip
FORGOTTEN_BEGINNINGS = ("LC_", "XDG_", "TEXTUAL", "RICH_", "JUPYTER_", "SWARMTOP_")
KEPT = ("SWARMTOP_DATA",)


def surroundings(home: Path) -> dict[str, str]:
    """The environment of a test whose user has this home."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or not (name in FORGOTTEN or name.startswith(FORGOTTEN_BEGINNINGS))
    }
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "CACHE", "DATA", "STATE")}
    return {**kept, **FIXED, "HOME": str(home), **folders}


def settle(environment: dict[str, str]) -> None:
    """Make this the environment, with the time zone in it."""
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
    if hasattr(time, "tzset"):
        time.tzset()


# At import too: Textual and Rich read parts of it when they are imported, and fixtures of a module come before `home`.
_HOME = Path(tempfile.mkdtemp(prefix="home-"))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
settle(surroundings(_HOME))


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path, None, None]:
    """An empty home for each test; what a test changes in the environment is forgotten after it."""
    before = dict(os.environ)
    folder = tmp_path_factory.mktemp("home")
    settle(surroundings(folder))
    yield folder
    settle(before)


@pytest.fixture(scope="session")
def crawl() -> Callable[[str], Path]:
    """`crawl("08")` is the file of a published Gnutella crawl (snap.stanford.edu: p2p-Gnutella08).

    They are looked for in the folder that SWARMTOP_DATA names, else in `shared/data` beside the checkout. A test
    that needs one where there is none skips itself, and says so.
    """
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SWARMTOP_DATA") or beside) / "gnutella"

    def find(number: str) -> Path:
        path = folder / f"p2p-Gnutella{number}.txt"
        if not path.exists():
            pytest.skip(f"{path.name} is not here; set SWARMTOP_DATA to the folder that has gnutella/{path.name}")
        return path

    return find


def pytest_addoption(parser: pytest.Parser) -> None:
    """Stories are rewritten by a flag, and the diff is read by a person."""
    parser.addoption("--rewrite-stories", action="store_true", help="write what stories say now into their files")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """What is marked `uncounted` runs without the counting of lines, as fast as the program does. pytest-cov has a mark
    for that, `no_cover`, which does nothing in the processes of pytest-xdist."""
    if item.get_closest_marker("uncounted") is None:
        return (yield)
    counting = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(counting)
