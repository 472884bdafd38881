"""The court: a peer that answers is censored, a set time later."""

from __future__ import annotations

import pytest
from tiny import SECOND, ask, give, make_swarm

from engine import Adjourn, AskFor, Censor, Commanded, Court, InputError, Setup, Swarm, Uncensor
from engine.lab import scenario as scenarios


def test_who_answers_is_censored_so_much_later_and_no_sooner() -> None:
    swarm = make_swarm(4)
    give(swarm, 1, "blue train")
    swarm.do(Court(2.0))
    swarm.do(AskFor(0, "blue train"))
    swarm.advance(2 * SECOND)
    assert not swarm.snapshot().censored.any(), "the answer came at 20 ms, the order is due at 2.02 s"
    swarm.advance(3 * SECOND)
    assert swarm.snapshot().censored.nonzero()[0].tolist() == [1]
    ordered = [(e.command, e.at_us, e.by) for e in swarm.events() if isinstance(e, Commanded)][-1]
    assert ordered == (Censor((1,)), 2_020_000, "court")


def test_the_score_tells_orders_and_answers() -> None:
    swarm = make_swarm(5)
    for peer in (1, 2):
        give(swarm, peer, "blue train")
    assert swarm.snapshot().court is None
    swarm.do(Court(1.0))
    ask(swarm, 0, "blue train", run_s=0.5)
    court = swarm.snapshot().court
    assert court is not None
    assert (court.orders, court.pending, court.answers, court.answers_after) == (0, 2, 2, 0)
    swarm.advance(2 * SECOND)
    give(swarm, 3, "blue train")
    ask(swarm, 0, "blue train", run_s=0.5)
    court = swarm.snapshot().court
    assert court is not None
    assert (court.orders, court.pending, court.answers, court.answers_after) == (2, 1, 3, 1)


def test_when_the_court_ends_orders_under_way_lapse_and_the_others_stay() -> None:
    swarm = make_swarm(4)
    give(swarm, 1, "blue train")
    give(swarm, 2, "night owl")
    swarm.do(Court(1.0))
    ask(swarm, 0, "blue train", run_s=2.0)
    ask(swarm, 0, "night owl", run_s=0.5)
    swarm.do(Adjourn())
    swarm.advance(10 * SECOND)
    assert swarm.snapshot().censored.nonzero()[0].tolist() == [1]
    assert swarm.snapshot().court is None
    swarm.do(Uncensor("state=censored"))
    assert ask(swarm, 0, "blue train").hits == 1


def test_a_second_call_changes_the_pace_and_keeps_the_score() -> None:
    swarm = make_swarm(3)
    give(swarm, 1, "blue train")
    swarm.do(Court(60.0))
    ask(swarm, 0, "blue train", run_s=1.0)
    swarm.do(Court(0.5))
    court = swarm.snapshot().court
    assert court is not None
    assert (court.after_us, court.answers) == (500_000, 1)


@pytest.mark.parametrize("wrong", [-1.0, 1e9, float("nan"), "soon"])
def test_an_impossible_pace_of_a_court_is_refused(wrong: object) -> None:
    swarm = make_swarm(2)
    with pytest.raises(InputError, match="after_s"):
        swarm.do(Court(wrong))  # type: ignore[arg-type]
    assert swarm.snapshot().court is None


def test_the_same_court_gives_the_same_run_however_it_is_sliced() -> None:
    prints = []
    for step in (50_000, 333_333, 20 * SECOND):
        swarm = Swarm(Setup(peers=40, seed=3, asks_per_s=2.0))
        swarm.do(Court(1.0))
        for at in range(step, 20 * SECOND + 1, step):
            swarm.advance(at, None if step > SECOND else 100)
        swarm.advance(20 * SECOND)
        assert swarm.snapshot().court is not None
        prints.append((swarm.fingerprint(), swarm.snapshot().censored.tolist()))
    assert prints[0] == prints[1] == prints[2]
    assert any(prints[0][1])


def test_a_scenario_starts_a_court() -> None:
    told = scenarios.parse('[[at]]\ns = 1\ndo = "court"\nafter_s = 0.5\n', "t.toml")
    assert told.setup.schedule == ((SECOND, Court(0.5)),)
    with pytest.raises(InputError, match="after_s"):
        scenarios.parse('[[at]]\ns = 1\ndo = "court"\nafter_s = -2\n', "t.toml")
