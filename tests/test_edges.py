"""A sample of the inputs of `python tests/edges.py`, which tries them all."""

from __future__ import annotations

from pathlib import Path

import pytest
from edges import SOURCES, campaign, fault, limits

from engine import InputError, Setup, as_number, run, scenario_files

pytestmark = pytest.mark.uncounted

SECONDS = 60.0
"""Of processor time: a guard against hanging."""
SHARE = {"scenario": 240, "spec": 40, "flag": 120, "setting": 20, "recording": 400, "command": 60}


@pytest.mark.parametrize("source", SOURCES)
def test_a_boundary_value_gives_a_run_or_one_clear_error(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong: list[str] = []
    count, _ = campaign(source, SECONDS, sizes=False, every=SHARE[source], tell=wrong.append)
    assert not wrong, wrong
    assert count > 10


@pytest.mark.parametrize("per_s", ["1e-320", "5e-324", "2.2250738585072014e-308", "1e-12", "0.0", "-0.0"])
def test_the_rate_of_asks_has_no_lower_limit(per_s: str) -> None:
    made = scenario_files.parse(f"peers = 4\nlatency = 'constant:20'\nasks.per_s = {per_s}\n", "x.toml")
    assert len(run(made, until=3.0).asks) == (float(per_s) > 0)  # the first comes after half a second


@pytest.mark.parametrize("per_s", ["1e300", "1e308", "inf", "nan", "-5e-324", "1" + "0" * 400])
def test_a_rate_of_asks_that_is_too_high_is_refused_with_the_limit(per_s: str) -> None:
    with pytest.raises(InputError, match=r"from 0 to 10,000|too long"):
        scenario_files.parse(f"asks.per_s = {per_s}\n", "x.toml")


def test_the_engine_has_the_same_limits_as_a_scenario() -> None:
    with pytest.raises(InputError, match="10,000"):
        run(scenario_files.Scenario(setup=Setup(peers=4, asks_per_s=10_001.0)), until=1.0)


def test_a_slow_input_or_an_error_about_python_is_a_fault() -> None:
    def hangs() -> None:
        while True:
            pass

    assert "longer than" in fault(hangs, 0.2)[0]
    assert "ZeroDivisionError" in fault(lambda: str(1 // 0), 1.0)[0]
    assert "speaks of Python" in fault(lambda: "Exceeds the limit for integer string conversion", 1.0)[0]
    with pytest.raises(InputError) as said:
        as_number("x", "it", 0, 60, texts=True)
    assert {"0.0", "60.0", "-1", "61", "60.00000000000001"} <= set(limits(str(said.value), True))
