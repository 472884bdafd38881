"""A standard stream that is closed, full, a file or broken changes nothing but itself.

`python tests/streams.py` tries all combinations for all commands; these are a few."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from streams import COMMANDS, FULL, campaign, prepared, tried

from tui.cli.main import main


@pytest.mark.parametrize(
    ("name", "every"),
    [
        ("nope", [("closed", "full", "gone")]),
        ("help", [("full", "full", "file"), ("gone", "gone", "closed")]),
        ("topic", [("closed", "full", "file"), ("gone", "gone", "gone")]),
        ("themes", [("file", "closed", "full")]),
        ("run", [("tty", "full", "tty")]),
        ("dashboard", [("closed", "tty", "full")]),
    ],
)
def test_a_stream_changes_nothing_but_itself(tmp_path: Path, name: str, every: list[tuple[str, ...]]) -> None:
    assert list(campaign(prepared(tmp_path), name, every)) == []


def test_the_help_on_a_full_disk_is_told_as_all_else_is(tmp_path: Path) -> None:
    told = tried(tmp_path, ("run", "--help"), ("file", "full", "file"))
    assert (told.code, told.err) == (2, FULL)


def test_without_any_stream_on_a_terminal_it_opens_on_that_of_the_process_or_says_so(tmp_path: Path) -> None:
    assert list(campaign(prepared(tmp_path), "dashboard", [("file", "gone", "file")])) == []


def test_a_pipe_that_does_not_wait_is_waited_for() -> None:
    """Other programs leave a pipe in that state: what does not fit at once is not lost."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    code = "import sys; from tui.cli.common import say; say('x' * 300_000)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=write, cwd=Path(__file__).parents[2])
    os.close(write)
    with open(read, "rb") as file:
        assert len(file.read()) == 300_001
    assert process.wait() == 0


def test_the_json_of_the_dashboard_goes_where_stdout_goes(tmp_path: Path) -> None:
    told = tried(prepared(tmp_path), COMMANDS["dashboard"], ("tty", "file", "closed"))
    assert told.code == 0
    assert json.loads(told.out)["peers"] == 8


def test_a_full_stdout_is_told_where_the_output_is_drawn_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rich writes to its stream even where the text is captured, and the benchmark ended with a traceback."""
    monkeypatch.setattr("engine.bench", lambda sizes, show: [])
    monkeypatch.setattr("engine.bench_costs", lambda sizes, show: [])
    for words in (["bench", "--quick"], ["run", "--protocol", "gossip", "--peers", "8", "--until", "0.1", "--picture"]):
        with open("/dev/full", "w") as full:
            monkeypatch.setattr(sys, "stdout", full)
            assert main(words) == 2
        assert "stdout cannot be written: No space left on device" in capsys.readouterr().err
