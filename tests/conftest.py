"""Fixtures, options and hooks for all tests, and the environment in which they run."""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

FIXED = {"LANG": "C.UTF-8", "TERM": "xterm-256color", "COLORTERM": "truecolor", "TZ": "UTC"}
"""Environment variables that are set for tests and the programs that they start."""
REMOVED = (
    "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "PAGER", "EDITOR", "VISUAL",
    "LANGUAGE", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONWARNINGS", "PYTHONHASHSEED", "PYTHONSTARTUP",
    "PYTHONDONTWRITEBYTECODE",
    "TTY_COMPATIBLE", "TTY_INTERACTIVE", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "SSH_CONNECTION", "SSH_TTY",
    "TMUX", "STY",
)  # fmt: skip
REMOVED_PREFIXES = ("LC_", "XDG_", "TEXTUAL", "RICH_", "JUPYTER_", "SWARMTOP_")
KEPT = ("SWARMTOP_DATA",)


def environment_of(home: Path) -> dict[str, str]:
    """The environment of a test whose home folder is `home`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or not (name in REMOVED or name.startswith(REMOVED_PREFIXES))
    }
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "CACHE", "DATA", "STATE")}
    return {**kept, **FIXED, "HOME": str(home), **folders}


def set_environment(environment: dict[str, str]) -> None:
    """Set the process's environment to this one, its time zone included."""
    before = dict(os.environ)
    for name in before.keys() - environment.keys():
        del os.environ[name]
    for name, value in environment.items():
        if before.get(name) != value:
            os.environ[name] = value
    if hasattr(time, "tzset") and before.get("TZ") != environment.get("TZ"):
        time.tzset()


# At import too: Textual and Rich read parts of it when they are imported, and fixtures of a module come before `home`.
_HOME = Path(tempfile.mkdtemp(prefix="home-"))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
set_environment(environment_of(_HOME))

# A shell starts programs in the background, or under nohup, with some signals ignored. Every process that the tests
# start would ignore them too.
for _number, _handler in (
    *((number, signal.SIG_DFL) for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM)),
    (signal.SIGINT, signal.default_int_handler),
):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, _handler)

# Screens and swarms make hundreds of thousands of objects, of which few are garbage: with Python's own thresholds the
# collector takes 15 % of the processor time of all tests. Nothing is frozen, since the program tests whether objects
# are frozen.
gc.set_threshold(50_000, 20, 50)


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path, None, None]:
    """An empty home folder for each test; changes of the environment are undone after the test."""
    before = dict(os.environ)
    # `mktemp` of pytest goes through all folders made before, to find the next number.
    folder = Path(tempfile.mkdtemp(prefix="home-", dir=tmp_path_factory.getbasetemp()))
    set_environment(environment_of(folder))
    yield folder
    set_environment(before)


def published(folder: str, name: str) -> Path:
    """The path of a published data file, in the folder that SWARMTOP_DATA names, else in `shared/data` beside the
    checkout. A test that needs a file which is not there is skipped, with a message that names the file."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(os.environ.get("SWARMTOP_DATA") or beside) / folder / name
    if not path.exists():
        pytest.skip(f"{name} is not here; set SWARMTOP_DATA to the folder that has {folder}/{name}")
    return path


@pytest.fixture(scope="session")
def crawl() -> Callable[[str], Path]:
    """`crawl("08")` is the file of a published Gnutella crawl (snap.stanford.edu: p2p-Gnutella08)."""
    return lambda number: published("gnutella", f"p2p-Gnutella{number}.txt")


@pytest.fixture(scope="session")
def measured() -> Callable[[str], Path]:
    """`measured("planetlab490_slice01.txt")` is the file of a published matrix of round trips."""
    return lambda name: published("latency", name)


# The gate tries the same inputs each time, so that a change does not fail because of an older fault. Other inputs are
# tried by `pytest --hypothesis-profile=campaign`, which prints how to repeat one.
hypothesis.settings.register_profile("gate", derandomize=True, deadline=None)
hypothesis.settings.register_profile("campaign", print_blob=True, deadline=None)
hypothesis.settings.load_profile("gate")


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Let each process of pytest-xdist begin to import the test modules at another one. Most of the time of a
    collection goes into the rewriting of assertions, and what one process has compiled the others only read."""
    worker = getattr(session.config, "workerinput", None)
    if worker is None or session.config.args != session.config.getini("testpaths"):
        return
    number, count = int(worker["workerid"].removeprefix("gw")), int(worker["workercount"])
    paths = sorted(Path(__file__).parent.rglob("test_*.py"))
    folders = list(dict.fromkeys(str(path.parent) for path in paths))
    sys.path[:0] = [folder for folder in folders if folder not in sys.path]
    begin = len(paths) * number // count
    for path in (*paths[begin:], *paths[:begin]) if number else ():
        # A module that cannot be imported is reported when it is collected.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(path.stem)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes the files of stories anew."""
    parser.addoption(
        "--rewrite-stories", action="store_true", help="write the present output of stories into their files"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what each network sent, as `test_conformance.py` measured it. A change that makes a network send ten times
    as much is seen here; it is no failure, since it may be intended."""
    lines = [
        value
        for report in terminalreporter.getreports("passed")
        for name, value in getattr(report, "user_properties", ())
        if name == "traffic"
    ]
    if lines:
        terminalreporter.section("traffic a peer and second: messages and bytes, idle and asked, transfers left out")
        for line in sorted(set(map(str, lines))):
            terminalreporter.write_line(line)


def pytest_sessionfinish() -> None:
    """Freeze all objects. At its end pytest runs the garbage collector five times, to find exceptions in destructors;
    one time is enough."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Run tests marked `uncounted` without measuring coverage, at the full speed of the program. The mark of
    pytest-cov for that, `no_cover`, has no effect in the processes of pytest-xdist."""
    if item.get_closest_marker("uncounted") is None:
        return (yield)
    counting = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(counting)
