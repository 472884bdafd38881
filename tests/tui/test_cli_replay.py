"""`swarmtop replay` and `--record`, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recording_file import save, values

from tui.cli.main import main

RUN = ["run", "--peers", "20", "--churn", "exponential:20", "--until", "8", "--json", "--record"]


def recorded(path: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> dict[str, object]:
    assert main([*RUN, str(path), *flags]) == 0
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def test_a_replay_prints_what_the_run_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.swarm"
    first = recorded(path, capsys)
    assert main(["replay", str(path), "--json"]) == 0
    out, err = capsys.readouterr()
    again = json.loads(out)
    assert err == ""
    assert list(again) == list(first)
    for key in ("wall_s", "cpu_s", "deliveries_per_s"):
        del first[key], again[key]
    assert again == first


def test_a_recorded_scenario_has_its_captions_and_expectations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "run.swarm")
    assert main(["run", "injunction", "--json", "--record", path]) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(["replay", path, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["expectations"] == first["expectations"]
    assert all(one["held"] for one in again["expectations"])


def test_until_quiet_is_recorded_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "run.swarm")
    assert main(["run", "--ask", "the", "--until", "quiet", "--json", "--record", path]) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(["replay", path, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["fingerprint"], again["virtual_s"]) == (first["fingerprint"], first["virtual_s"])


def test_an_incomplete_recording_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.swarm"
    recorded(path, capsys)
    path.write_bytes(path.read_bytes()[:-60])
    assert main(["replay", str(path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["virtual_s"] < 8
    assert "its last record is not complete" in err
    assert err.count("\n") == 1


def test_a_run_that_differs_is_exit_code_1_and_says_when(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.swarm"
    recorded(path, capsys)
    said = values(path)
    said[0]["setup"]["seed"] = 2
    save(path, said)
    assert main(["replay", str(path), "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["seed"] == 2
    assert "they part between 0 s and 1 s" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["replay"], "replay what?"),
        (["replay", "nowhere.swarm", "--json"], 'there is no file "nowhere.swarm"'),
        (["replay", "nowhere.swarm"], 'there is no file "nowhere.swarm"'),
        (["replay", "x", "--series"], "--series needs --json"),
        (["run", "--record", "no/such/folder.swarm", "--until", "1"], "cannot be written"),
        (["run", "--record", "x.swarm", "--sweep", "kill:0:0.9:2"], "--record writes one run"),
    ],
)
def test_wrong_words_are_exit_code_2_and_a_sentence(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "odd.swarm").write_text("title = 'a scenario'")
    assert main(["replay", str(tmp_path / "odd.swarm"), "--json"]) == 2
    assert "is no recording of swarmtop" in capsys.readouterr().err
