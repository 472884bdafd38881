"""SWIM: when and at what cost others notice that a member has failed, and how a member refutes that."""

from __future__ import annotations

from math import ceil, exp
from typing import Any

import pytest
from tiny import make_swarm

from engine import Act, AskFor, FakeHost, Heal, Kill, Noted, Partition, Swarm, networks
from engine.protocols.swim import ALIVE, FAILED, SUSPECTED, Ack, Change, GroupMember, Ping, PingReq, SwimOptions

SECOND = 1_000_000


def member(others: int = 5, **options: Any) -> tuple[FakeHost, GroupMember]:
    fake, one = FakeHost(me=0, options=SwimOptions(**options)), GroupMember()
    fake.start(one, range(others + 1))
    return fake, one


def group(peers: int, seed: int = 1, **options: Any) -> Swarm:
    return make_swarm(peers, networks()["swim"], seed=seed, options=options)


def test_a_silent_member_is_pinged_through_others_then_suspected_then_failed() -> None:
    fake, one = member(helpers=2, fanout=50, timeout_s=0.5, ping_s=30.0)
    fake.wait(one, 30 * SECOND)
    [ping] = fake.calls
    fake.time_out(one, ping)
    helpers = fake.calls[1:]
    assert [call.request for call in helpers] == [PingReq(ping.to)] * 2
    assert ping.to not in [call.to for call in helpers]
    for call in helpers:
        assert one.known[ping.to] == (0, ALIVE)
        fake.time_out(one, call)
    assert [message for _, message in fake.take()] == [Change(ping.to, 0, SUSPECTED)] * 5
    assert one.shown() == ("a suspect", 1, 0)
    fake.wait(one, 10 * SECOND)
    assert one.known[ping.to] == (0, FAILED)
    assert [asked["text"] for asked in fake.noted("begin")] == [f"#{ping.to} is suspected", f"#{ping.to} has failed"]


def test_one_ack_through_a_helper_is_enough() -> None:
    fake, one = member(helpers=3)
    fake.wait(one, 2 * SECOND)
    ping = fake.calls[0]
    fake.time_out(one, ping)
    first, second, third = fake.calls[1:]
    fake.time_out(one, first)
    fake.answer(one, second, Ack(0, ()))
    fake.time_out(one, third)
    assert one.known[ping.to] == (0, ALIVE)


def test_a_helper_answers_when_its_own_ping_is_answered() -> None:
    fake, one = member()
    ticket = fake.give_request(one, PingReq(3), sender=2)
    [call] = fake.calls
    assert (call.to, call.request) == (3, Ping(0, 0, ALIVE, False))
    assert fake.replies == []
    fake.answer(one, call, Ack(4, ()))
    assert fake.replies == [(ticket, Ack(4, ()))]


@pytest.mark.parametrize("state", [SUSPECTED, FAILED])
def test_a_member_refutes_a_suspicion_with_a_higher_incarnation(state: int) -> None:
    fake, one = member(fanout=50)
    fake.give(one, Change(0, 6, state), sender=1)
    assert [message for _, message in fake.take()] == [Change(0, 7, ALIVE)] * 5
    fake.give(one, Change(0, 6, state), sender=2)
    assert fake.take() == [], "that was denied already"


def test_a_higher_incarnation_counts_more_and_then_the_worse_state() -> None:
    fake, one = member()
    for state, news in ((FAILED, True), (SUSPECTED, False), (ALIVE, False)):
        assert one.learn(fake, Change(1, 0, state)) is news
    assert one.learn(fake, Change(1, 1, ALIVE))
    assert not one.learn(fake, Change(1, 1, 7)), "no such state"
    assert one.known[1] == (1, ALIVE)


def test_a_member_sends_two_messages_a_period_whatever_the_size_of_the_group() -> None:
    for peers in (8, 40):
        swarm = group(peers)
        swarm.advance(4 * SECOND)
        before = swarm.snapshot().totals.sent
        swarm.advance(24 * SECOND)
        sent = swarm.snapshot().totals.sent - before
        assert sent / peers / 10 == pytest.approx(2.0, abs=0.05)


def test_a_dead_member_is_first_pinged_after_as_many_periods_as_the_paper_says() -> None:
    # 1 / (1 - e^-q): section 3.1 of the paper; q is the share that lives.
    periods: list[int] = []
    for seed in range(4):
        swarm = group(100, seed, helpers=0, timeout_s=1.0, suspicion_s=600.0, fanout=1)
        swarm.advance(4 * SECOND)
        dead = dict.fromkeys(swarm.do(Kill("random 20%")))
        first: dict[int, int] = {}
        swarm.advance(24 * SECOND)
        for event in swarm.events(0):
            if isinstance(event, Noted) and event.kind == "no ack":
                first.setdefault(event.facts["member"], event.at_us - SECOND - 4 * SECOND)
        periods += [ceil(first[one] / (2 * SECOND)) for one in dead if first[one] > 0]
    mean = sum(periods) / len(periods)
    assert mean == pytest.approx(1 / (1 - exp(-0.8)), abs=3 * 1.22 / len(periods) ** 0.5)


def test_all_hear_of_a_death_and_who_is_muted_is_taken_for_dead_until_it_speaks() -> None:
    swarm = group(20, suspicion_s=3.0)
    swarm.do(Kill(3))
    swarm.do(Act(5, "mute"))
    swarm.advance(40 * SECOND)
    values = swarm.snapshot(("failed",)).shown["failed"].values
    assert [values[peer] for peer in range(20) if peer not in (3, 5)] == [2] * 18
    swarm.do(Act(5, "speak"))
    swarm.advance(50 * SECOND)
    values = swarm.snapshot(("failed",)).shown["failed"].values
    assert [values[peer] for peer in range(20) if peer != 3] == [1] * 19


def test_two_halves_become_one_group_again() -> None:
    swarm = group(12, suspicion_s=2.0)
    swarm.do(Partition("random 6"))
    swarm.advance(60 * SECOND)
    swarm.do(Heal())
    swarm.advance(150 * SECOND)
    assert not any(swarm.snapshot(("failed",)).shown["failed"].values)
    swarm.do(AskFor(0, "we are back"))
    swarm.advance(160 * SECOND)
    assert swarm.asks()[-1].reached == 11
