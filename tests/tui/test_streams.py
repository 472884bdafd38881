"""A standard stream that is closed, full, a file or broken changes nothing but itself.

`python tests/streams.py` tries all combinations for all commands; these are a few."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from streams import COMMANDS, FULL, campaign, prepare, result_of

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
    assert list(campaign(prepare(tmp_path), name, every)) == []


def test_help_that_cannot_be_written_is_reported_as_for_other_commands(tmp_path: Path) -> None:
    result = result_of(tmp_path, ("run", "--help"), ("file", "full", "file"))
    assert (result.code, result.err) == (2, FULL)


def test_without_a_stream_on_a_terminal_the_dashboard_opens_on_the_controlling_one_or_says_so(tmp_path: Path) -> None:
    assert list(campaign(prepare(tmp_path), "dashboard", [("file", "gone", "file")])) == []


def test_output_to_a_non_blocking_pipe_is_complete() -> None:
    """Another program may have left a pipe in this state. What does not fit at once is not lost."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    code = "import sys; from tui.cli.common import say; say('x' * 300_000)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=write, cwd=Path(__file__).parents[2])
    os.close(write)
    with open(read, "rb") as file:
        assert len(file.read()) == 300_001
    assert process.wait() == 0


def test_the_json_of_the_dashboard_goes_where_stdout_goes(tmp_path: Path) -> None:
    result = result_of(prepare(tmp_path), COMMANDS["dashboard"], ("tty", "file", "closed"))
    assert result.code == 0
    assert json.loads(result.out)["peers"] == 8


def test_a_full_stdout_is_reported_where_the_output_is_drawn_first(
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
