"""Sweeps as processes: a worker that is killed loses nothing, and an interrupt keeps the finished runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from terminal import ROOT
from test_code_in_current_folder import environment, set_traps

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for processes in /proc")

SWEEP = ["run", "--peers", "150", "--until", "25", "--sweep", "kill:0:0.5:2", "--json", "--jobs", "2"]
HANGS_S = 300.0


@contextmanager
def started(*words: str, folder: Path = ROOT) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", *words],
        cwd=folder,
        env=environment(folder.parent, PYTHONPATH=f"{ROOT}{os.pathsep}."),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def workers(process: subprocess.Popen[str]) -> set[int]:
    found: set[int] = set()
    for file in Path(f"/proc/{process.pid}/task").glob("*/children"):
        try:
            found |= {int(pid) for pid in file.read_text().split()}
        except OSError:
            continue
    return found


def runs(pid: int) -> bool:
    """Whether a process runs, and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def until_there_are_workers(process: subprocess.Popen[str]) -> set[int]:
    end = time.monotonic() + HANGS_S
    while not (found := workers(process)):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def test_a_worker_that_is_killed_loses_nothing_and_none_imports_from_the_current_folder(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    executed = set_traps(here, but=("tui",))
    # Enough runs that workers are started on a fast machine too.
    with started(*SWEEP, "--repeat", "3", folder=here) as process:
        # One may be killed before it is ready, the other in the middle of a run.
        for pid in until_there_are_workers(process):
            os.kill(pid, signal.SIGKILL)
        out, err = process.communicate(timeout=HANGS_S)
    assert (process.returncode, err) == (0, "")
    told = json.loads(out)
    assert (told["missing"], told["lost"]) == (0, [])
    assert [len(point["runs"]) for point in told["points"]] == [3, 3]
    assert executed.read_text() == ""


def test_an_interrupt_ends_it_with_all_workers() -> None:
    with started(*SWEEP, "--repeat", "1000") as process:
        left = until_there_are_workers(process)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=HANGS_S)
    assert process.returncode == 130
    assert err.startswith("swarmtop: interrupted when ")
    assert err.endswith(" of 2,000 runs were done\n")
    assert not any(map(runs, left))


def test_workers_end_with_who_started_them() -> None:
    with started(*SWEEP, "--repeat", "1000") as process:
        left = until_there_are_workers(process)
        process.kill()
        process.wait()
        end = time.monotonic() + HANGS_S
        while any(map(runs, left)):
            assert time.monotonic() < end
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("flag", "value"),
    [(flag, value) for flag in ("--repeat", "--jobs") for value in ("0", "-1", "1001", "x", "9" * 5000)],
)
def test_a_number_out_of_range_is_refused(flag: str, value: str) -> None:
    from tui.cli import main as cli

    assert cli.main([*SWEEP, f"{flag}={value}"]) == 2
