"""`swarmtop run`: files of figures, and resilience curves in the terminal."""

from __future__ import annotations

import csv
import gc
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine import Swarm, parse_sweep
from engine.lab.sweep import Curve, Outcome, Point, Scenario
from tui.cli import main as cli
from tui.cli import run as cli_run
from tui.config.collector import COLLECT

SMALL = ["run", "--protocol", "gossip", "--peers", "8"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--sweep kill", '--sweep: "kill" should be VERB:FROM:TO:STEPS, as in kill:0:0.9:10'),
        ("--sweep kil:0:1:2", '--sweep: "kil" cannot be swept; did you mean "kill"?'),
        ("--sweep kill:0:1:2 --until quiet", "--sweep needs runs of one length: --until should be a number of seconds"),
        ("--sweep kill:0:1:2 --until 5", "a sweep needs runs of at least 25 s, not 5"),
        ("--sweep kill:0:1:2 --repeat 0", '--repeat should be a whole number from 1 to 1,000, not "0"'),
        ("--sweep kill:0:1:2 --jobs x", '--jobs should be a whole number from 1 to 1,000, not "x"'),
        (
            "--sweep kill:0:1:2 --json --series",
            "--series is about one run, and --sweep makes many: leave one out",
        ),
        ("--repeat 3", "--repeat needs --sweep"),
        ("--jobs 3", "--jobs needs --sweep"),
        ("--csv .", '--csv: "." is a folder'),
        ("--csv no/such/place.csv", '--csv: there is no folder "no/such"'),
    ],
)
def test_wrong_words_are_refused_in_one_sentence(words: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*SMALL, *words.split()]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"swarmtop: {sentence}\n")


def test_samples_go_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.csv"
    assert cli.main([*SMALL, "--until", "5", "--csv", str(path), "--json"]) == 0
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [row["t_s"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert rows[0]["alive"] == "8"
    told = json.loads(capsys.readouterr().out)
    assert "series" not in told, "that is what --series asks for"


def test_the_collector_runs_seldom_while_a_swarm_runs_and_as_before_afterwards(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[int, int, int]] = []
    advance = Swarm.advance

    def watched(self: Swarm, *args: Any, **kw: Any) -> int:
        seen.append(gc.get_threshold())
        return advance(self, *args, **kw)

    monkeypatch.setattr(Swarm, "advance", watched)
    before = gc.get_threshold()
    assert cli.main([*SMALL, "--until", "1"]) == 0
    assert {*seen} == {COLLECT}
    assert COLLECT[0] > 700, "Python's own"
    assert gc.get_threshold() == before


def test_a_sweep_prints_one_json_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sweep.csv"
    words = ["--sweep", "kill:0:0.5:2", "--until", "25", "--jobs", "1", "--repeat", "2", "--json", "--csv", str(path)]
    assert cli.main([*SMALL, *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [point["share"] for point in told["points"]] == [0, 0.5]
    assert [point["struck"] for point in told["points"]] == [0, 4]
    assert told["metric"] == "reach"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [(row["share"], row["seed"]) for row in rows] == [("0", "1"), ("0", "2"), ("0.5", "1"), ("0.5", "2")]
    assert [row["fingerprint"] for row in rows][:2] == [run["fingerprint"] for run in told["points"][0]["runs"]]


def curve(values: list[float | None], runs: int = 1) -> Curve:
    plan = parse_sweep(f"kill:0:0.8:{len(values)}")

    def made(share: float, value: float | None) -> Point:
        run = Outcome(share, 1, 5, 200, value, 0.5, 0.25, 0.5, 10, 7, 0.25, 1.0, "00ff")
        least, most = (None, None) if value is None else (value - 0.1, value + 0.1)
        return Point(share, value, least, most, (run,) * runs)

    points = tuple(made(share, value) for share, value in zip(plan.shares, values, strict=True))
    return Curve(Scenario(), plan, "success", points)


def test_a_curve_is_drawn_from_left_to_right_and_printed_in_figures() -> None:
    lines = cli_run.curve_text(curve([1.0, 0.8, 0.4, 0.0, None])).splitlines()
    assert lines[0] == "asks answered within 10 s, by the share killed  (gnutella, seed 1)"
    picture = [line.partition("│")[2] for line in lines if "│" in line]
    assert len(picture) == cli_run.CHART_ROWS
    assert picture[0].startswith("⠉")
    assert not picture[-1][:20].strip(), "nothing is at the bottom while all goes well"
    assert picture[-1].strip()
    figures = lines[-5:]
    assert figures[0].split() == ["0.0%", "100.0%", "0.250", "s", "50.0%", "100.0%"]
    assert figures[-1].split()[:2] == ["80.0%", "-"]


def test_under_poison_the_shares_found_and_genuine_are_side_by_side() -> None:
    plain = curve([0.75, 0.5])
    poisoned = replace(plain, sweep=parse_sweep("poison:0:0.8:2"), metric="genuine")
    lines = cli_run.curve_text(poisoned).splitlines()
    assert lines[0].startswith("asks that ended with the real file, of those whose user opened something, by the share")
    assert lines[-3].split() == ["poisoned", "genuine", "first", "hit", "reach", "success", "decoys"]
    assert lines[-2].split() == ["0.0%", "75.0%", "0.250", "s", "50.0%", "75.0%", "7"]


def test_several_runs_show_how_far_they_spread_and_one_point_is_no_curve() -> None:
    lines = cli_run.curve_text(curve([0.5], runs=3)).splitlines()
    assert "3 runs for each share" in lines[0]
    assert not any("│" in line for line in lines)
    assert "40.0% to 60.0%" in lines[-1]


def test_progress_says_how_many_runs_are_done(capsys: pytest.CaptureFixture[str]) -> None:
    progress = cli_run.Progress()
    progress.runs(0, 10)
    assert capsys.readouterr().err == "", "the first second is silent"
    progress.runs(3, 10)
    told = capsys.readouterr().err
    assert "3 of 10 runs" in told
    assert "█" in told
    progress.clear()
    assert capsys.readouterr().err == "\r\x1b[K"
