"""Runs without a screen: what is reported, when they end, and expectations."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.errors import InputError
from engine.lab import run as lab
from engine.lab.check import Checked, Expect, check
from engine.lab.run import Report, run
from engine.lab.scenario import Flags, Scenario, find, parse, scenario_of, shipped_names, story_of
from engine.measure.snapshot import AskRow, Totals
from engine.record.file import Recording
from engine.setup import Setup
from engine.swarm import Swarm


def row(number: int, **facts: Any) -> AskRow:
    known = {
        "id": number, "origin": 0, "text": "blue train", "goal": "find", "by": "person", "issued_us": 0,
        "closed_us": None, "reached": 7, "messages": 12, "bytes": 830, "duplicates": 5, "hits": 1,
        "first_hit_us": 412_000, "hops": 3, "losses": {"loss": 2}, "verdict": "Answered",
    }  # fmt: skip
    return AskRow(**{**known, **facts})


class Toy:
    """A fake swarm with a real clock: a test sets when asks open and close and when peers fail."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.now_us = 0
        self.peers = 64
        self.labels = ("p000", "p001", "p002")
        self.warnings = ("2 duplicate links were dropped",)
        self.rows = [row(1)]
        self.closes_us = 3_250_000
        self.halts: list[int] = []
        self.budgets: list[int | None] = []

    def advance(self, until_us: int, budget: int | None = None) -> int:
        self.budgets.append(budget)
        self.now_us = min(until_us, self.now_us + (700_000 if budget else until_us))
        if self.now_us == until_us:
            self.halts.append(until_us)
        return 10

    def advance_quiet(self, limit_us: int) -> bool:
        if self.closes_us <= limit_us:
            self.now_us = max(self.now_us, self.closes_us)
        return self.quiet()

    def quiet(self) -> bool:
        return self.now_us >= self.closes_us

    def asks(self) -> list[AskRow]:
        return self.rows

    def select(self, selector: str) -> tuple[int, ...]:
        return (0,)

    def success(self, from_s: float, to_s: float) -> float | None:
        return 0.5 if from_s == 0 else None

    def series(self) -> Any:
        return self.snapshot().series

    def follow_all(self) -> None:
        """Do nothing: it has no shown columns."""

    def fingerprint(self) -> str:
        return "00ff"

    def snapshot(self) -> Any:
        t_s = np.arange(self.now_us // 1_000_000 + 1, dtype=np.float64)[-5:]  # The five latest samples only.
        success = np.full(len(t_s), np.nan)
        return SimpleNamespace(
            now_us=self.now_us,
            fixed=SimpleNamespace(labels=self.labels, operator=("", "", "acme")),
            state=np.array([0, 1, 0], np.uint8),
            censored=np.array([True, True, False]),
            links=SimpleNamespace(a=np.array([0, 1])),
            totals=Totals(12, 9, 2, bytes=830, duplicates=5, by_kind={"Query": 9}, dropped_by={"loss": 2}),
            series=SimpleNamespace(t_s=t_s, columns={"alive": t_s * 2, "success": success}),
        )


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> list[Toy]:
    """The fake swarms that a test makes, each in the place of a swarm."""
    made: list[Toy] = []

    def make(setup: Setup) -> Toy:
        made.append(Toy(setup))
        return made[-1]

    monkeypatch.setattr(lab, "Swarm", make)
    return made


def test_a_plain_run_ends_at_60_s(toy: list[Toy]) -> None:
    assert run(Scenario()).virtual_s == 60
    assert run(Scenario(), until=2.5).virtual_s == 2.5
    assert toy[1].budgets == [*[lab.SLICE] * 4, None], "what a slice left of the last instant belongs to the run"


def test_the_report_has_the_keys_of_the_design(toy: list[Toy]) -> None:
    told = run(Scenario(expects=(Expect("alive", 0, 2, max=1),)), until=3, series=True).to_json()
    assert list(told) == [
        "protocol", "seed", "peers", "edges", "virtual_s", "wall_s", "cpu_s", "deliveries", "deliveries_per_s",
        "fingerprint", "version", "messages", "peers_by_state", "success", "expectations", "asks", "series",
    ]  # fmt: skip
    assert (told["protocol"], told["seed"], told["peers"], told["edges"]) == ("gnutella", 1, 64, 2)
    assert (told["virtual_s"], told["deliveries"], told["fingerprint"]) == (3.0, 9, "00ff")
    assert told["messages"] == {
        "sent": 12, "delivered": 9, "dropped": 2, "in_flight": 1, "bytes": 830,
        "by_kind": {"Query": 9}, "dropped_by": {"loss": 2},
    }  # fmt: skip
    # A dead peer is not counted as censored, even if it is censored.
    assert told["peers_by_state"] == {"alive": 2, "dead": 1, "left": 0, "censored": 1}
    assert told["success"] == 0.5
    assert told["expectations"] == [{"metric": "alive", "from_s": 0, "to_s": 2, "value": 2.0, "held": False}]
    assert told["asks"] == [
        {
            "id": 1, "goal": "find", "from": "p000", "text": "blue train", "reached": 7, "messages": 12,
            "bytes": 830, "duplicates": 5, "hits": 1, "answerers": 0, "progress": None,
            "decoys": 0, "fetched": 0, "first_hit_s": 0.412, "hops": 3,
            "lost": 2,
            "verdict": "Answered",
        }
    ]  # fmt: skip
    assert told["series"]["alive"] == [(0, 0), (1, 2), (2, 4), (3, 6)]
    assert told["series"]["success"][0] == (0, None)
    json.dumps(told, allow_nan=False)
    assert "series" not in run(Scenario(), until=1).to_json()


def test_a_window_is_judged_while_its_samples_are_there(toy: list[Toy]) -> None:
    early = Expect("alive", 1, 3, min=4, max=4)
    report = run(Scenario(expects=(early,)), until=40)
    assert report.expectations == (Checked(early, 4.0, True),)
    assert report.ok
    assert list(dict.fromkeys(toy[0].halts)) == [3_000_000, 40_000_000]


def test_a_window_that_was_not_reached_is_neither_held_nor_failed(toy: list[Toy]) -> None:
    report = run(Scenario(expects=(Expect("alive", 1, 30, min=0),)), until=20)
    assert (report.expectations[0].value, report.expectations[0].held) == (None, None)
    assert report.ok
    assert "not reached  alive from 1 to 30 s: at least 0" in report.text()


def test_a_window_in_which_nobody_asked_proves_nothing(toy: list[Toy]) -> None:
    swarm = Toy(Setup())
    swarm.now_us = 50_000_000
    assert check(swarm, Expect("success", 5, 10, max=1)).held is False  # type: ignore[arg-type]
    assert check(swarm, Expect("success", 0, 10, max=1)).held is True  # type: ignore[arg-type]
    assert check(swarm, Expect("alive", 0, 10, max=1)).value is None  # type: ignore[arg-type]


def test_quiet_is_the_instant_at_which_the_last_ask_closes(toy: list[Toy]) -> None:
    scenario = Scenario(setup=Setup(asks_per_s=0)).asking(["blue train"])
    report = run(scenario, until="quiet")
    assert report.virtual_s == 3.25


def test_quiet_waits_for_asks_still_to_come(toy: list[Toy]) -> None:
    scenario = parse('protocol = "gossip"\n[[at]]\ns = 9\ndo = "ask"\npeers = "#0"\ntext = "x"', "x")
    assert run(scenario, until="quiet").virtual_s == 9


def test_a_swarm_that_is_never_quiet_is_stopped_with_a_warning(toy: list[Toy], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Toy, "quiet", lambda self: False)
    report = run(Scenario().asking(["x"]), until="quiet")
    assert report.virtual_s == 3600
    assert report.warnings[-1] == "not quiet after 3,600 s of virtual time: stopped there"


def test_quiet_is_refused_where_nobody_asks(toy: list[Toy]) -> None:
    with pytest.raises(InputError, match="nothing is ever asked"):
        run(Scenario(setup=Setup(asks_per_s=0)), until="quiet")


def test_names_are_checked_before_anything_runs() -> None:
    for text, sentence in (
        ('do = "kill"\npeers = "role=indx"', "at 3 s, kill: "),
        ('do = "kill"\npeers = 99', "at 3 s, kill: there is no peer #99: they are #0 to #4"),
        (
            'do = "shutdown"\noperator = "acmee"',
            'at 3 s, shutdown: no peer is run by an operator called "acmee"; did you mean "acme"?',
        ),
    ):
        scenario = parse(f'protocol = "web"\npeers = 4\n[[at]]\ns = 3\n{text}', "x")
        with pytest.raises(InputError) as caught:
            run(scenario)
        assert str(caught.value).startswith(sentence)


def test_an_interrupted_run_tells_when(toy: list[Toy]) -> None:
    def impatient(now_s: float, end_s: float | None, deliveries: int) -> None:
        assert end_s == 60
        if now_s > 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"interrupted at 2.100 s of virtual time"):
        run(Scenario(), progress=impatient)


def test_the_text_is_for_reading(toy: list[Toy]) -> None:
    report = run(Scenario(title="A toy", expects=(Expect("alive", 0, 2, min=1, max=3),)), until=3)
    lines = report.text().splitlines()
    assert lines[0] == "A toy  (gnutella, 64 peers, seed 1)"
    assert "  peers        2 alive, 1 dead, 0 left, 1 censored" in lines
    assert "     1 p000       blue train                      7        12     1   0.412 s  Answered" in lines
    assert "  held         alive from 0 to 2 s: at least 1 and at most 3  (2)" in lines
    assert lines[lines.index("  What came of it") :] == [
        "  What came of it",
        "  From 0 to 2 s 2 peers were alive on average; as expected: at least 1 and at most 3.",
        "  At the end, at 3 s: 2 alive, 1 dead, 1 censored.",
        "  The last ask, “blue train” by p000: Answered",
        "  The expectation held: it went as the scenario expects.",
    ]


def test_an_ask_that_is_open_is_printed_as_open(toy: list[Toy], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Toy, "asks", lambda self: [row(1, verdict="")])
    lines = run(Scenario(title="A toy", expects=(Expect("alive", 0, 2, min=1),)), until=3).text().splitlines()
    assert "  The last ask, “blue train” by p000: Still under way." in lines
    assert "     1 p000       blue train                      7        12     1   0.412 s  Still under way." in lines


def test_a_long_list_of_asks_is_cut(toy: list[Toy], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Toy, "asks", lambda self: [row(n, first_hit_us=None) for n in range(1, 26)])
    assert "  and 5 more (--json tells all)" in run(Scenario(), until=1).text()
    monkeypatch.setattr(Toy, "asks", lambda self: [])
    assert "nothing was asked" in run(Scenario(), until=1).text()


# --- with a real swarm -----------------------------------------------------------------------------------


def small(until: lab.Until = None, **setup: Any) -> Report:
    plan = {"protocol": "gossip", "peers": 16, "asks_per_s": 1.0, **setup}
    return run(Scenario(setup=Setup(**plan)), until=until, series=True)


def test_a_run_is_the_same_twice_but_for_the_clock() -> None:
    first, second = (small(5.0).to_json() for _ in range(2))
    for clock in ("wall_s", "cpu_s", "deliveries_per_s"):
        del first[clock], second[clock]
    assert first == second
    assert small(5.0, seed=2).fingerprint != first["fingerprint"]


def test_messages_are_accounted_for() -> None:
    told = small(5.0).to_json()
    messages = told["messages"]
    assert messages["sent"] == messages["delivered"] + messages["dropped"] + messages["in_flight"]
    assert told["deliveries"] == messages["delivered"] == sum(messages["by_kind"].values())
    assert told["peers_by_state"]["alive"] == 16
    assert not any(isinstance(v, float) and math.isnan(v) for pairs in told["series"].values() for _, v in pairs)


def test_slices_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = small(5.0).fingerprint
    monkeypatch.setattr(lab, "SLICE", 7)
    assert small(5.0).fingerprint == whole


def test_a_quiet_run_stops_when_all_is_said() -> None:
    scenario = Scenario(setup=Setup(protocol="gossip", peers=16)).asking(["blue train"], "#3")
    report = run(scenario, until="quiet")
    assert 0 < report.virtual_s < lab.QUIET_LIMIT_S
    assert [ask.origin for ask in report.asks] == [3]
    assert report.warnings == ()


@pytest.mark.parametrize("text", ['topology = "rnadom:4"', 'latency = "wrld"', '[churn]\nsession = "weibull:1"'])
def test_a_spec_that_the_world_does_not_know_is_bad_input(text: str) -> None:
    with pytest.raises(InputError):
        run(parse(f'protocol = "gossip"\n{text}', "x.toml"))


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_scenario_does_what_it_says(name: str) -> None:
    report = run(find(name))
    assert [c.expect.sentence() for c in report.expectations if not c.held] == []
    assert report.warnings == ()


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", ["tit-for-tat", "trackers-fall", "an-eclipsed-node"])
def test_what_a_scenario_shows_does_not_depend_on_one_seed(name: str, seed: int) -> None:
    story = find(name)
    report = run(replace(story, setup=replace(story.setup, seed=seed)))
    assert [c.expect.sentence() for c in report.expectations if not c.held] == []


def test_a_scenario_may_say_what_peers_are_coloured_by() -> None:
    text = 'protocol = "bitcoin"\npeers = 4\ncolour_by = "{}"'
    assert parse('protocol = "bitcoin"', "x").colour_by == ""
    assert parse(text.format("role"), "x").colour_by == "role"
    made = parse(text.format("tip"), "x")
    assert made.colour_by == "tip"
    world = Swarm(made.setup).world
    assert scenario_of(Recording(made.setup, story_of(made), world), "x.swarm").colour_by == "tip"
    assert parse(text.format("tip"), "x", Flags(protocol="gossip")).colour_by == "", "gossip has no such column"
    for said in ('"tipp"', "3", "[1]"):
        with pytest.raises(InputError, match="x: colour_by should be state, role, load or a column that the network"):
            parse(text.format("tip").replace('"tip"', said), "x")
    with pytest.raises(InputError, match='not "tipp"; did you mean "tip"'):
        parse(text.format("tipp"), "x")
