"""Resilience curves: sweeps and their points, which do not depend on the number of workers. And tables for other
programs."""

from __future__ import annotations

import csv
import io
import json
import os
import pickle
import signal
from typing import Any

import pytest

from engine import (
    InputError,
    PeerFailed,
    Scenario,
    Set,
    Setup,
    Swarm,
    SwarmError,
    SweepHalted,
    asks_csv,
    parse_sweep,
    series_csv,
    sweep,
)
from engine.lab.export import csv_of
from engine.lab.sweep import Curve, Outcome, Sweep, one
from engine.lab.workers import TRIES, WorkerDied, spread
from tui.cli.run import curve_text

SMALL = Scenario(setup=Setup(peers=24, options={"download": False}))


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("kill:0:0.9:10", Sweep("kill", 0, 0.9, 10)),
        ("censor:0.5:0.5:1", Sweep("censor", 0.5, 0.5, 1)),
        ("leave:1:0:3", Sweep("leave", 1, 0, 3)),
        ("collude:0:1:5", Sweep("collude", 0, 1, 5)),
        ("collude:blue train:0:1:5", Sweep("collude", 0, 1, 5, "blue train")),
    ],
)
def test_a_sweep_is_read(text: str, plan: Sweep) -> None:
    assert parse_sweep(text) == plan


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kil:0:1:5", '--sweep: "kil" cannot be swept; did you mean "kill"?'),
        ("kill", '--sweep: "kill" should be VERB:FROM:TO:STEPS, as in kill:0:0.9:10'),
        ("kill:x:0:1:5", '--sweep: "kill:x:0:1:5" should be VERB:FROM:TO:STEPS'),
        ("collude:a:b:0:1:5", '--sweep: "collude:a:b:0:1:5" should be collude[:WORD]:FROM:TO:STEPS'),
        ("collude:...:0:1:5", '--sweep: "..." is no word that could be banned'),
        ("kill:-1:1:5", '--sweep: FROM should be a number from 0 to 1, not "-1"'),
        ("kill:0:2:5", "--sweep: TO should be a number from 0 to 1"),
        ("kill:0:nan:5", "--sweep: TO should be a number from 0 to 1"),
        ("kill:0:1:0", "--sweep: STEPS should be a whole number from 1 to 1,000"),
        ("kill:0:1:many", "--sweep: STEPS should be a whole number"),
        ("", '--sweep: "" cannot be swept'),
    ],
)
def test_a_mistake_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_sweep(text)
    assert str(caught.value).startswith(sentence)


def test_the_shares_are_round_numbers() -> None:
    assert Sweep("kill", 0, 0.9, 10).shares == (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    assert Sweep("kill", 1, 0, 3).shares == (1, 0.5, 0)
    assert Sweep("kill", 0.4, 0.9, 1).shares == (0.4,)


def test_the_more_are_killed_the_less_is_found() -> None:
    curve = sweep(SMALL, Sweep("kill", 0, 1, 3), until_s=40, workers=1)
    all_up, half, none = curve.points
    assert curve.metric == "success"
    assert [point.runs[0].struck for point in curve.points] == [0, 12, 24]
    assert all_up.value == 1
    assert half.value is not None
    assert half.value < 1
    assert (none.value, none.runs[0].asks) == (None, 0), "nobody is left to ask"
    assert all_up.runs[0].asks == 200


def test_censored_peers_and_colluders_do_not_ask() -> None:
    for verb in ("censor", "collude"):
        point = one(SMALL, Sweep(verb, 0, 1, 2), 0.5, 1, 40.0)
        assert (point.struck, point.asks) == (12, 200)
        assert point.success is not None
        assert point.success > 0


def test_colluders_ban_what_everybody_asks_for() -> None:
    curve = sweep(SMALL, parse_sweep("collude:night owl:0:0.9:2"), until_s=30, workers=1)
    assert curve.points[0].value == 1
    assert curve.points[1].value is not None
    assert curve.points[1].value < 0.6
    assert [point.runs[0].success for point in curve.points] == [point.value for point in curve.points]


def test_under_poison_all_is_found_and_little_of_it_is_genuine() -> None:
    fetching = Scenario(setup=Setup(peers=24))
    curve = sweep(fetching, parse_sweep("poison:0:0.8:2"), until_s=100, workers=1)
    peace, war = curve.points
    assert curve.metric == "genuine"
    assert (peace.value, peace.mean("decoys")) == (1, 0)
    assert war.value is not None
    assert war.value < 0.5
    assert war.mean("success") == 1, "a decoy is a hit, until it is opened"
    assert war.value == war.mean("genuine")
    unopened = sweep(SMALL, parse_sweep("poison:0.5:0.5:1"), until_s=25, workers=1)
    assert (unopened.points[0].value, unopened.points[0].mean("success")) == (None, 1), "who fetches nothing, knows not"


def test_decoys_are_swept_only_where_there_are_files() -> None:
    with pytest.raises(InputError, match="peers of this network share no files"):
        sweep(Scenario(setup=Setup(protocol="gossip", peers=8)), parse_sweep("poison:0:1:2"), workers=1)


def test_where_nobody_wants_an_answer_the_curve_is_of_reach() -> None:
    curve = sweep(Scenario(setup=Setup(protocol="gossip", peers=40)), Sweep("kill", 0, 0.6, 2), until_s=30, workers=1)
    assert curve.metric == "reach"
    peace, war = (point.value for point in curve.points)
    assert peace is not None
    assert war is not None
    assert peace > 0.9 > war


def plain(curve: Curve) -> str:
    return json.dumps(curve.to_json(), allow_nan=False)


def test_the_number_of_workers_changes_nothing() -> None:
    told: list[tuple[int, int]] = []
    alone = sweep(SMALL, Sweep("kill", 0, 0.8, 2), until_s=25, repeat=2, workers=1)
    pooled = sweep(
        SMALL, Sweep("kill", 0, 0.8, 2), until_s=25, repeat=2, workers=2, progress=lambda *how_far: told.append(how_far)
    )
    assert plain(alone) == plain(pooled)
    assert alone.to_csv() == pooled.to_csv()
    assert told == [(done, 4) for done in range(5)]
    seeds = [[run.seed for run in point.runs] for point in alone.points]
    assert seeds == [[1, 2], [1, 2]]
    for point in alone.points:
        assert point.value == pytest.approx((point.least + point.most) / 2)  # type: ignore[operator]


def test_a_scenario_that_asks_is_asked_for_its_texts() -> None:
    scenario = Scenario(setup=Setup(peers=24, options={"download": False})).asking(["nobody has this"])
    assert sweep(scenario, Sweep("kill", 0, 0, 1), until_s=25).points[0].value == 0


def test_a_run_too_short_to_ask_in_and_a_wrong_setup_are_refused() -> None:
    with pytest.raises(InputError, match="at least 25 s"):
        sweep(SMALL, Sweep("kill", 0, 1, 2), until_s=10)
    with pytest.raises(InputError, match="topology"):
        sweep(Scenario(setup=Setup(topology="rnadom:4")), Sweep("kill", 0, 1, 2))
    with pytest.raises(InputError, match="--repeat"):
        sweep(Scenario(setup=Setup(seed=2**63 - 1)), Sweep("kill", 0, 1, 2), repeat=2)


def test_finished_runs_are_kept_after_an_interrupt() -> None:
    def interrupt(done: int, there: int) -> None:
        if done == 1:
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(SweepHalted) as caught:
        sweep(SMALL, Sweep("kill", 0, 0.8, 2), until_s=25, workers=1, progress=interrupt)
    assert caught.value.number == signal.SIGTERM
    curve = caught.value.curve
    assert ([len(point.runs) for point in curve.points], curve.missing) == ([1, 0], 1)
    assert curve.points[0].value == 1
    shown = curve_text(curve)
    assert "1 of 2 runs missing" in shown
    assert "80.0%" not in shown


def broken(*args: Any, look: object = None) -> Outcome:
    if args[3] != 1:
        raise ZeroDivisionError("of ours")
    return one(*args)


def test_a_run_that_cannot_be_done_is_named_and_the_others_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.lab.sweep.one", broken)
    curve = sweep(SMALL, Sweep("kill", 0, 0, 1), until_s=25, repeat=2, workers=1)
    assert (len(curve.points[0].runs), curve.missing) == (1, 1)
    assert curve.lost == ("kill 0.0%, seed 2: this run could not be done: ZeroDivisionError: of ours",)
    other = Scenario(setup=Setup(peers=24, seed=5))
    with pytest.raises(SwarmError, match="seed 5: this run could not be done"):
        sweep(other, Sweep("kill", 0, 0, 1), until_s=25, repeat=2, workers=1)


def test_a_run_whose_process_always_dies_is_given_up() -> None:
    told = dict(spread(os._exit, [(3,)], 1, lambda: None))
    assert str(told[0]) == f"its process ended with exit code 3, {TRIES} times"
    assert isinstance(told[0], WorkerDied)


def test_an_error_of_a_worker_is_raised_again() -> None:
    failed = PeerFailed(3, "Ping", ValueError("x"))
    again = pickle.loads(pickle.dumps(failed))
    assert (type(again), str(again), again.peer, again.kind) == (PeerFailed, str(failed), 3, "Ping")
    x, five = dict(spread(int, [("x",), ("5",)], 1, lambda: None)).values()
    assert (type(x), five) == (ValueError, 5)


# --- tables ----------------------------------------------------------------------------------------------


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_samples_read_back_as_they_were() -> None:
    swarm = Swarm(Setup(peers=20, asks_per_s=0.0))
    swarm.advance(5_000_000)
    swarm.do(Set("asks", 1.0))
    swarm.advance(20_000_000)
    series = swarm.series()
    rows = read(series_csv(series))
    assert list(rows[0]) == ["t_s", *series.columns]
    assert [float(row["t_s"]) for row in rows] == series.t_s.tolist()
    assert [float(row["load_gini"] or "nan") for row in rows] == pytest.approx(
        series.columns["load_gini"].tolist(), nan_ok=True
    )
    assert rows[0]["success"] == "", "nobody had asked yet"


def test_asks_read_back_as_they_were() -> None:
    swarm = Swarm(Setup(peers=20, asks_per_s=1.0))
    swarm.advance(20_000_000)
    rows = read(asks_csv(swarm.asks(), swarm.labels))
    assert [int(row["id"]) for row in rows] == [row.id for row in swarm.asks()]
    assert [row["verdict"] for row in rows] == [row.verdict for row in swarm.asks()]


def test_a_text_is_no_formula_and_a_missing_value_is_empty() -> None:
    text = csv_of(("a", "b"), [("=1+1", None), ('say "x", y', float("nan")), (2.0, 0.125), (-3, "-3")])
    assert text == 'a,b\n\'=1+1,\n"say ""x"", y",\n2,0.125\n-3,\'-3\n'
