"""Push-pull averaging: every peer learns the mean of all numbers and how many peers there are, without a list."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine import Act, AskFor, Kill, Set, Setup, Swarm
from engine.protocols.averaging import Averager, AveragingOptions, Pull, Push
from engine.testing import FakeHost

SECOND = 1_000_000


def averaging(peers: int = 64, topology: str = "random:8", **options: float) -> Swarm:
    return Swarm(Setup("averaging", peers, seed=3, topology=topology, asks_per_s=0.0, options=options))


def shown(swarm: Swarm, name: str) -> np.ndarray:
    """The values of a column, of living peers."""
    values = swarm.snapshot((name,)).shown[name].values
    return values[~np.isnan(values)]


def test_a_push_is_answered_with_the_estimates_as_they_were_and_half_of_the_difference_is_added() -> None:
    host, one = FakeHost(0, AveragingOptions()), Averager()
    host.start(one, ())
    one.number = 10.0
    ticket = host.give_request(one, Push(7, "sum", (20.0, 1.0)), sender=1)
    assert host.replies == [(ticket, Pull((10.0, 0.0)))]
    assert one.rounds[7].mine == (15.0, 0.5)


def test_an_exchange_in_which_others_come_between_keeps_the_sum() -> None:
    host, one = FakeHost(0, AveragingOptions()), Averager()
    host.start(one, ())
    host.neighbours(one, (1, 2))
    one.number = 10.0
    host.give(one, Push(7, "sum", (20.0, 0.0)), sender=1)
    host.wait(one, SECOND)
    [call] = host.calls
    assert call.request.mine == (15.0, 0.0)
    host.give(one, Push(7, "sum", (5.0, 0.0)), sender=2)
    assert one.rounds[7].mine == (10.0, 0.0)
    host.answer(one, call, Pull((25.0, 0.0)))
    assert one.rounds[7].mine == (15.0, 0.0), "the other one has lost 5 of its 25"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_changes_nothing(value: float) -> None:
    host, one = FakeHost(0, AveragingOptions()), Averager()
    host.start(one, ())
    host.give(one, Push(7, "sum", (value, 0.0)), sender=1)
    assert not one.rounds
    assert not host.take()


def test_all_learn_the_mean_and_how_many_they_are() -> None:
    swarm = averaging()
    truth = shown(swarm, "number").mean()
    swarm.do(AskFor(5, "a count"))
    swarm.advance(60 * SECOND)
    assert np.allclose(shown(swarm, "estimate"), truth, rtol=1e-3)
    assert np.allclose(shown(swarm, "counted"), 64, rtol=1e-2)
    [ask] = swarm.asks()
    assert ask.verdict == f"It estimates a mean of {truth:.4g} and counts 63.99 peers."
    assert ask.reached == 63


def test_the_variance_falls_as_the_paper_says() -> None:
    """To 1/(2 sqrt(e)) = .303 in each cycle, where a peer has many neighbours (Jelasity and others, section 3)."""
    swarm = averaging(500, "random:100")
    swarm.do(AskFor(0, "a count"))
    swarm.advance(16 * SECOND)
    assert len(shown(swarm, "estimate")) == 500, "each has heard of it"
    before = shown(swarm, "estimate").var()
    swarm.advance(24 * SECOND)
    factor = (shown(swarm, "estimate").var() / before) ** (1 / 8)
    assert factor == pytest.approx(1 / (2 * math.sqrt(math.e)), abs=0.02)


def test_a_round_in_which_half_die_is_wrong_and_the_next_one_is_right() -> None:
    swarm = averaging()
    swarm.do(AskFor(0, "first"))
    swarm.advance(4 * SECOND)
    for peer in range(32, 64):
        swarm.do(Kill(peer))
    swarm.advance(60 * SECOND)
    swarm.do(AskFor(0, "second"))
    swarm.advance(110 * SECOND)
    first, second = (ask.remarks["peers"][0] for ask in swarm.asks())
    assert abs(float(first) - 32) > 1
    assert float(second) == pytest.approx(32, rel=0.05)


def test_lost_messages_change_the_sum() -> None:
    wrong = {}
    for loss in (0.0, 0.2):
        swarm = averaging()
        truth = shown(swarm, "number").mean()
        swarm.do(Set("loss", loss))
        swarm.do(AskFor(0, "a count"))
        swarm.advance(60 * SECOND)
        estimates = shown(swarm, "estimate")
        assert estimates.std() < 0.1, "they agree"
        wrong[loss] = abs(estimates.mean() - truth)
    assert wrong[0.0] < 1e-9, "on the mean, to the last digit"
    assert wrong[0.2] > 0.01, "on something else"


def test_a_liar_draws_all_towards_its_number_until_it_stops() -> None:
    swarm = averaging()
    truth = shown(swarm, "number").mean()
    swarm.do(Act(9, "lie"))
    swarm.do(AskFor(0, "first"))
    swarm.advance(40 * SECOND)
    assert np.median(shown(swarm, "estimate")) > 100_000
    swarm.do(Act(9, "confess"))
    swarm.do(AskFor(0, "second"))
    swarm.advance(90 * SECOND)
    assert np.allclose(shown(swarm, "estimate"), truth, rtol=1e-2)
