"""A setup that is written as a scenario and read again is the same setup."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from dataclasses import replace

import pytest

from engine import (
    AskFor,
    Collude,
    ContentSpec,
    Hold,
    Kill,
    LinkSpec,
    Partition,
    Release,
    Set,
    Setup,
    Shutdown,
    scenario_files,
    to_toml,
)


@pytest.mark.parametrize("scenario", scenario_files.shipped(), ids=lambda s: s.source)
def test_the_shipped_scenarios_are_the_same_again(scenario: scenario_files.Scenario) -> None:
    story = scenario.captions, scenario.expects, scenario.colour_by
    text = to_toml(scenario.setup, scenario.title, scenario.about, *story)
    assert scenario_files.parse(text, scenario.source) == scenario


def test_every_part_of_a_setup_is_the_same_again() -> None:
    setup = Setup(
        protocol="napster",
        peers=12,
        seed=2**40,
        topology="small-world:4:0.25",
        latency="uniform:5-90",
        loss=0.125,
        churn="weibull:0.59:2514",
        options={"max_results": 7, "download": False},
        content=ContentSpec(30, 2.5, 0.8, 0.1),
        asks_per_s=1.5,
        links=LinkSpec("256:1500", 12.5, 0.3),
        schedule=(
            (1_000_001, Kill("random 10%")),
            (2_500_000, AskFor("#3", 'a "quoted" \\ title\n\x7f é 中')),
            (3_000_000, Collude("role=index", "metallica", 0.006)),
            (4_000_000, Shutdown("Napster Inc.")),
            (5_000_000, Set("loss", 0.5)),
            (6_000_000, Set("churn", "none")),
            (7_000_000, Hold("#1 or #2")),
            (8_000_000, Partition("all", by="city")),
            (9_000_000, Release("all")),
            (9_000_000, Set("jitter", 40)),
        ),
    )
    assert scenario_files.parse(to_toml(setup, "All of it", "About."), "again").setup == setup


def test_peers_named_by_number_are_named_as_selectors() -> None:
    setup = replace(Setup(), schedule=((0, Kill((3, 5))), (1, Kill(7)), (2, Kill(()))))
    again = scenario_files.parse(to_toml(setup, "Numbers"), "again").setup
    assert [command.peers for _, command in again.schedule] == ["#3 or #5", "#7", "not all"]  # type: ignore[attr-defined]


def test_any_name_number_and_text_is_the_same_again() -> None:
    setup = Setup(
        loss=1e-7,
        latency="constant:1e-05",
        schedule=(
            (1, AskFor("#3", '#!\x85\u2028 tab\tback\\slash \'single\' """ # no comment')),
            (2, Set("loss", 5e-324)),
        ),
    )
    title = "a = 1\n[peers]\r\x00"
    again = scenario_files.parse(to_toml(setup, title), "again")
    assert again.setup.schedule == setup.schedule
    assert (again.setup.loss, again.setup.latency) == (1e-7, "constant:1e-05")
    odd = tomllib.loads(to_toml(replace(setup, options={"a key.with dots": 1, "": 2}), title))
    assert odd["options"] == {"a key.with dots": 1, "": 2}
    assert odd["title"] == title


def test_a_start_does_not_load_the_writer() -> None:
    ask = "import sys, engine\nassert 'tomlkit' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
