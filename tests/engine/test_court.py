"""The court: whoever answers is censored, a set time later, and the run repeats."""

from __future__ import annotations

import pytest
from tiny import SECOND, ask, give, swarm

from engine import Adjourn, AskFor, Censor, Commanded, Court, InputError, Setup, Swarm, Uncensor
from engine.lab import scenario as scenarios


def test_who_answers_is_censored_so_much_later_and_no_sooner() -> None:
    town = swarm(4)
    give(town, 1, "blue train")
    town.do(Court(2.0))
    town.do(AskFor(0, "blue train"))
    town.advance(2 * SECOND)
    assert not town.snapshot().censored.any(), "the answer came at 20 ms, the order is due at 2.02 s"
    town.advance(3 * SECOND)
    assert town.snapshot().censored.nonzero()[0].tolist() == [1]
    ordered = [(e.command, e.at_us, e.by) for e in town.events() if isinstance(e, Commanded)][-1]
    assert ordered == (Censor((1,)), 2_020_000, "court")


def test_the_score_tells_orders_and_answers() -> None:
    town = swarm(5)
    for peer in (1, 2):
        give(town, peer, "blue train")
    assert town.snapshot().court is None
    town.do(Court(1.0))
    ask(town, 0, "blue train", run_s=0.5)
    court = town.snapshot().court
    assert court is not None
    assert (court.orders, court.pending, court.answers, court.answers_after) == (0, 2, 2, 0)
    town.advance(2 * SECOND)
    give(town, 3, "blue train")
    ask(town, 0, "blue train", run_s=0.5)
    court = town.snapshot().court
    assert court is not None
    assert (court.orders, court.pending, court.answers, court.answers_after) == (2, 1, 3, 1)


def test_when_the_court_rises_orders_under_way_lapse_and_the_others_stand() -> None:
    town = swarm(4)
    give(town, 1, "blue train")
    give(town, 2, "night owl")
    town.do(Court(1.0))
    ask(town, 0, "blue train", run_s=2.0)
    ask(town, 0, "night owl", run_s=0.5)
    town.do(Adjourn())
    town.advance(10 * SECOND)
    assert town.snapshot().censored.nonzero()[0].tolist() == [1]
    assert town.snapshot().court is None
    town.do(Uncensor("state=censored"))
    assert ask(town, 0, "blue train").hits == 1


def test_a_second_call_changes_the_pace_and_keeps_the_score() -> None:
    town = swarm(3)
    give(town, 1, "blue train")
    town.do(Court(60.0))
    ask(town, 0, "blue train", run_s=1.0)
    town.do(Court(0.5))
    court = town.snapshot().court
    assert court is not None
    assert (court.after_us, court.answers) == (500_000, 1)


@pytest.mark.parametrize("wrong", [-1.0, 1e9, float("nan"), "soon"])
def test_a_court_sits_at_a_pace_that_can_be(wrong: object) -> None:
    town = swarm(2)
    with pytest.raises(InputError, match="after_s"):
        town.do(Court(wrong))  # type: ignore[arg-type]
    assert town.snapshot().court is None


def test_the_same_court_gives_the_same_run_however_it_is_sliced() -> None:
    prints = []
    for step in (50_000, 333_333, 20 * SECOND):
        town = Swarm(Setup(peers=40, seed=3, asks_per_s=2.0))
        town.do(Court(1.0))
        for at in range(step, 20 * SECOND + 1, step):
            town.advance(at, None if step > SECOND else 100)
        town.advance(20 * SECOND)
        assert town.snapshot().court is not None
        prints.append((town.fingerprint(), town.snapshot().censored.tolist()))
    assert prints[0] == prints[1] == prints[2]
    assert any(prints[0][1])


def test_a_scenario_convenes_it() -> None:
    told = scenarios.parse('[[at]]\ns = 1\ndo = "court"\nafter_s = 0.5\n', "t.toml")
    assert told.setup.schedule == ((SECOND, Court(0.5)),)
    with pytest.raises(InputError, match="after_s"):
        scenarios.parse('[[at]]\ns = 1\ndo = "court"\nafter_s = -2\n', "t.toml")
