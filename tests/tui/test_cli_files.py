"""Files and streams of a command line: a file that is read is not overwritten, and a stream may be closed or full."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tui.cli.common import DONE, WRONG, load_engine
from tui.cli.main import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a scenario, an edge list, and sessions."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "story.toml").write_text("peers = 8\n")
    (tmp_path / "edges.txt").write_text("0 1\n1 2\n")
    (tmp_path / "trace.csv").write_text("3,0.5,2\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("run story.toml --record story.toml", '--record: "story.toml" is the scenario of this run'),
        ("run story.toml --csv ./story.toml", '--csv: "./story.toml" is the scenario of this run'),
        ("run --topology edges.txt --record edges.txt", '--record: "edges.txt" is the topology of this run'),
        ("run --peers 8 --churn trace.csv --csv trace.csv", '--csv: "trace.csv" is the churn of this run'),
        ("run --record new --csv ./new", '--csv and --record should not both write "new"'),
        ("story.toml --record story.toml", '--record: "story.toml" is the scenario of this run'),
    ],
)
def test_no_file_is_written_that_is_read(
    folder: Path, words: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(words.split()) == WRONG
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_output_files_are_written_and_overwritten(folder: Path) -> None:
    for _ in range(2):
        assert main(["run", "story.toml", "--until", "1", "--record", "run.swarm", "--csv", "run.csv"]) == DONE
    assert main(["replay", "run.swarm", "--json"]) == DONE


def test_a_file_may_have_the_name_of_a_shipped_scenario(folder: Path) -> None:
    for _ in range(2):
        assert main(["run", "digicash", "--until", "1", "--record", "digicash"]) == DONE


def test_a_number_of_peers_that_is_ignored_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--topology", "edges.txt", "--peers", "10", "--until", "1"]) == DONE
    assert "--peers is not used, since edges.txt has its own peers" in capsys.readouterr().err


@pytest.mark.parametrize(
    "closed", [*(pytest.param(one, marks=pytest.mark.campaign) for one in ("<&-", ">&-", "2>&-")), "<&- >&- 2>&-"]
)
def test_a_stream_may_be_closed(folder: Path, closed: str) -> None:
    assert in_a_shell(f"run story.toml --until 1 --record run.swarm {closed}").returncode == DONE
    assert main(["replay", "run.swarm", "--json"]) == DONE


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no disk that is always full")
@pytest.mark.parametrize(
    "words", ["run story.toml --until 1 --json", pytest.param("--version", marks=pytest.mark.campaign), "scenarios"]
)
def test_a_full_disk_is_reported_in_a_sentence(folder: Path, words: str) -> None:
    done = in_a_shell(f"{words} >/dev/full")
    assert done.stderr == "swarmtop: stdout cannot be written: No space left on device\n"
    assert done.returncode == WRONG


def in_a_shell(words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m tui {words}'],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_command_in_a_wrong_place_is_not_suggested_for_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "replay"]) == WRONG
    assert capsys.readouterr().err == 'swarmtop: no scenario is called "replay": that is a command, and goes first\n'


def test_a_table_can_be_too_deep(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "deep.toml").write_text(f"[{'.'.join(['a'] * 3000)}]\n")
    assert main(["run", "deep.toml"]) == WRONG
    assert capsys.readouterr().err.startswith("swarmtop: deep.toml: line 1: not TOML that can be read: nested too deep")


def test_the_handler_of_interrupts_is_as_before_when_the_engine_is_loaded() -> None:
    load_engine()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
