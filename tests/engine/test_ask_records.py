"""The record of an ask: its messages and their cost, when it closes, and what it found."""

from __future__ import annotations

import math
from typing import Any

import pytest
from tiny import (
    LATENCY,
    MS,
    SECOND,
    Actor,
    Load,
    Question,
    Rumour,
    Tick,
    ask,
    give,
    hears,
    host,
    make_swarm,
    texts,
)

from engine import (
    AskFor,
    Censor,
    Collude,
    ContentSpec,
    Hit,
    Host,
    InputError,
    Join,
    Kill,
    Leave,
    Noted,
    Partition,
    Set,
    Setup,
    Swarm,
    networks,
)
from engine.api import Part

LOUD = {"options": {"loud": True}}


# --- when it is over -----------------------------------------------------------------------------------


def test_an_ask_is_open_while_a_timer_of_it_waits_and_not_after_it_is_cancelled() -> None:
    swarm = make_swarm(2, Actor)
    timers: list[Any] = []
    hears(swarm, 0, lambda h: timers.append(h.after(10 * SECOND, Tick("timeout"))))
    assert ask(swarm, 0, "a").closed_us is None
    host(swarm, 0).cancel(timers[0])
    swarm.advance(6 * SECOND)
    assert swarm.record(1).closed_us == 5 * SECOND


@pytest.mark.parametrize(
    ("part", "reached", "messages", "hits", "stray"),
    [("notice", 1, 1, 1, 0), ("question", 2, 2, 1, 0), ("upkeep", 0, 0, 0, 1)],
)
def test_an_ask_goes_on_by_a_notice_which_reaches_nobody(
    part: Part, reached: int, messages: int, hits: int, stray: int
) -> None:
    swarm = make_swarm(4, Actor)
    give(swarm, 3, "a")
    hears(swarm, 0, lambda h: h.send(1, Load("is a wanted?"), part=part))
    hears(swarm, 1, lambda h: h.send(2, Question("a")))

    def answer(h: Host) -> None:
        hears(swarm, 0, lambda asker: asker.hit(3, "a"))
        h.send(0, Load("3 has it"), part="answer")

    hears(swarm, 2, answer)
    row = ask(swarm, 0, "a")
    assert (row.reached, row.messages, row.hits) == (reached, messages, hits)
    assert swarm.snapshot().totals.stray_hits == stray
    assert len(texts(swarm, 1)) == len(texts(swarm, 2)) == 1, "all arrived, whatever they count as"


def test_a_kill_ends_the_waits_of_the_dead() -> None:
    swarm = make_swarm(3, Actor)

    def wait(h: Host) -> None:
        for _ in range(100):
            h.cancel(h.after(SECOND, Tick()))
            h.after(MS, Tick())
        h.after(3600 * SECOND, Tick("timeout"))

    hears(swarm, 0, wait)
    assert ask(swarm, 0, "a").closed_us is None
    swarm.do(Kill(0))
    swarm.advance(6 * SECOND)
    row = swarm.record(1)
    assert row.closed_us == 5 * SECOND
    assert swarm.quiet()


def test_the_asker_may_die_while_its_question_is_under_way() -> None:
    swarm = make_swarm(2)
    give(swarm, 1, "blue train")
    swarm.do(AskFor(0, "blue train"))
    swarm.advance(MS)
    swarm.do(Kill(0))
    swarm.advance(SECOND)
    row = swarm.record(1)
    assert row.losses == {"dead": 1}
    assert row.verdict == "No answer: 1 peer holds it; 1 could not answer, since the asker is dead."


# --- what it found -------------------------------------------------------------------------------------


def test_a_hit_counts_once_a_holder_and_only_at_the_origin() -> None:
    swarm = make_swarm(4)
    for name in ("blue train", "blue moon"):
        give(swarm, 1, name)
    give(swarm, 2, "blue train")
    row = ask(swarm, 0, "blue")
    assert row.hits == 2, "two holders, though three files"
    assert row.first_hit_us == 2 * LATENCY
    assert [event.holder for event in swarm.events() if isinstance(event, Hit)] == [1, 2]
    trace = swarm.trace(1)
    assert trace is not None
    assert trace.holders == (1, 2)
    assert sorted(zip(trace.answers_frm.tolist(), trace.answers_to.tolist(), strict=True)) == [(1, 0), (2, 0), (3, 0)]
    host(swarm, 3).hit(1, "blue train")
    assert swarm.record(1).hits == 2


def test_other_notes_are_events_with_their_ask() -> None:
    swarm = make_swarm(2, Actor)
    hears(swarm, 0, lambda h: h.log("graft", to=1))
    ask(swarm, 0, "a")
    host(swarm, 1).log("prune", to=0)
    notes = [event for event in swarm.events() if isinstance(event, Noted)]
    assert [(e.peer, e.kind, e.facts, e.ask) for e in notes] == [(0, "graft", {"to": 1}, 1), (1, "prune", {"to": 0}, 0)]


@pytest.mark.parametrize("latency", ["constant:10", "uniform:10-11"])
@pytest.mark.parametrize("checked", [False, True])
def test_a_flood_counts_whom_it_reached_how_deep_and_how_often_in_vain(latency: str, checked: bool) -> None:
    """However its messages are put under way (one entry for all receivers, or one each) and handed over."""
    swarm = make_swarm(6, topology="ring", latency=latency, **LOUD)
    if checked:  # With a ban on any word each delivery is checked.
        swarm.do(Collude(3, "something else"))
    row = ask(swarm, 0, "news")
    assert (row.reached, row.hops) == (5, 3), "the two that pass each other at the far side reach nobody new"
    assert row.messages == 2 + 2 + 2 + 1, "both ways round; who is last hears it from both sides"
    assert row.duplicates == 2
    assert swarm.snapshot().totals.duplicates == row.duplicates
    trace = swarm.trace(1)
    assert trace is not None
    assert trace.hop.tolist() == [0, 1, 2, 3, 2, 1]
    assert int(trace.repeats.sum()) == row.messages - row.reached


def test_success_is_the_share_that_had_a_hit_within_ten_seconds() -> None:
    swarm = make_swarm(3)
    give(swarm, 1, "blue train")
    assert swarm.success(0, 100) is None
    ask(swarm, 0, "blue train")
    ask(swarm, 0, "red balloon")
    swarm.do(AskFor(0, "blue train", "broadcast"))
    swarm.advance(20 * SECOND)
    assert swarm.success(0, 100) == pytest.approx(2 / 3), "found, not found, and a broadcast that all heard"
    assert swarm.success(4, 100) == 0.5
    assert swarm.success(0, 4) == 1.0
    assert swarm.success(30, 40) is None
    swarm.do(Set("latency", 600))
    row = ask(swarm, 0, "blue train", run_s=8)
    assert row.closed_us is None
    assert swarm.success(19, 100) is None, "too young to judge"
    swarm.advance(60 * SECOND)
    assert swarm.record(row.id).hits == 1
    assert swarm.success(19, 100) == 0.0, "twelve seconds is too late"


# --- losses --------------------------------------------------------------------------------------------


def test_losses_are_counted_by_reason() -> None:
    swarm = make_swarm(6)
    swarm.do(Kill(1))
    swarm.do(Leave(2))
    swarm.do(Censor(3))
    swarm.do(Partition(4))
    swarm.advance(SECOND)
    row = ask(swarm, 0, "blue train")
    assert row.losses == {"dead": 1, "left": 1, "censored": 1, "partition": 1}
    assert row.lost == 4
    swarm.do(Collude(5, "train"))
    swarm.do(Set("loss", 0.9))
    loud = make_swarm(2, **LOUD)
    loud.do(Collude(1, "train"))
    assert ask(loud, 0, "blue train").losses == {"colluded": 1}


def count_in_flight(swarm: Swarm) -> int:
    return len(swarm.snapshot().flight.to)


@pytest.mark.parametrize("latency", ["world", "constant:25", "uniform:10-80"])
def test_sent_is_delivered_and_dropped_and_under_way_at_any_moment(latency: str) -> None:
    swarm = make_swarm(
        40,
        topology="random:4",
        latency=latency,
        churn="exponential:20",
        loss=0.05,
        asks_per_s=3.0,
        content=ContentSpec(),
        seed=5,
        **LOUD,
    )
    reasons: dict[str, int] = {}
    for second in range(12):
        if second == 3:
            swarm.do(Censor("random 4"))
            swarm.do(Partition("random 10"))
        if second == 6:
            swarm.do(Leave("random 4"))
            swarm.do(Collude("random 5", "the"))
        for budget in (1, 13, None):
            swarm.advance(round((second + 0.25 * (1 + (budget or 400) % 3)) * SECOND), budget)
            totals = swarm.snapshot().totals
            true = count_in_flight(swarm)
            assert true < 2_000
            assert totals.sent == totals.delivered + totals.dropped + true
            assert totals.in_flight == true == swarm.snapshot().flight.total
            assert totals.dropped == sum(totals.dropped_by.values())
            assert totals.sent == sum(totals.by_kind.values())
            reasons = dict(totals.dropped_by)
    assert {"dead", "censored", "partition", "left"} <= set(reasons)
    swarm.do(Set("asks", 0))
    swarm.do(Set("churn", "none"))
    swarm.advance(10_000 * SECOND)
    assert swarm.quiet(), "every ask closes in the end"
    assert count_in_flight(swarm) == 0


# --- looking up ----------------------------------------------------------------------------------------


def test_an_ask_that_does_not_exist_cannot_be_looked_up() -> None:
    swarm = make_swarm(2)
    for wrong in (0, 1, -1):
        with pytest.raises(InputError, match="there is no ask"):
            swarm.record(wrong)
        with pytest.raises(InputError, match="there is no ask"):
            swarm.trace(wrong)


def test_an_ask_that_went_nowhere_has_no_path_and_old_paths_are_forgotten() -> None:
    lonely = make_swarm(1)
    ask(lonely, 0, "x")
    assert lonely.trace(1) is None
    swarm = make_swarm(3)
    ask(swarm, 0, "x0")
    swarm._paths.room = 4 * swarm._paths.taken
    for number in range(1, 8):
        ask(swarm, 0, f"x{number}")
    assert [swarm.trace(number) is None for number in range(1, 9)] == [True] * 4 + [False] * 4
    assert [row.reached for row in swarm.asks()] == [2] * 8, "the figures stay"


def test_a_departed_peer_that_joins_again_can_ask_again() -> None:
    swarm = make_swarm(3)
    swarm.do(Leave(0))
    swarm.advance(SECOND)
    swarm.do(Join(0))
    row = ask(swarm, 0, "x")
    assert row.closed_us is not None


def test_rumours_are_about_their_words() -> None:
    assert list(Rumour("Blue Train!", 1, 0).about()) == ["blue", "train"]


@pytest.mark.parametrize("network", ["bitcoin", "napster"])
def test_a_station_that_asks_is_not_among_the_others(network: str) -> None:
    swarm = Swarm(Setup(protocol=network, peers=20, asks_per_s=0.0), networks()[network])
    users, stations = 20, swarm.simulation.stations
    for origin in (3, stations[0]):
        swarm.do(AskFor(origin, "blue train"))
        row = swarm.asks()[-1]
        counted = users if row.sought == "share" else users + len(stations)
        assert row.origin == origin
        assert row.alive == counted - (row.sought != "share" or origin == 3)


# --- when most had heard it ---------------------------------------------------------------------------


@pytest.mark.parametrize("peers", [40, 700])
def test_a_record_tells_when_half_90_and_99_percent_of_its_audience_had_heard(peers: int) -> None:
    swarm = Swarm(Setup(protocol="gossip", peers=peers, seed=2, asks_per_s=0.0))
    dead = swarm.do(Kill("not #0 and random 5%"))
    swarm.advance(1_000_000)
    swarm.do(AskFor("#0", "a rumour"))
    first = None
    for now_us in range(1_050_000, 60_000_000, 50_000):
        swarm.advance(now_us)
        trace, row = swarm.trace(1), swarm.record(1)
        assert trace is not None
        others = peers - 1 - len(dead)
        at_us = sorted(trace.at_us[(trace.at_us >= 0) & (trace.hop > 0)].tolist())
        expected = tuple(
            at_us[count - 1] - row.issued_us if count <= len(at_us) else None
            for count in (math.ceil(share * others) for share in (0.5, 0.9, 0.99))
        )
        if len(at_us):
            assert trace.spread_us == expected
        if first is None and expected[0] is not None:
            first = now_us
            assert row.closed_us is None, "it is told while the rumour spreads"
        if row.closed_us is not None:
            break
    assert row.spread_us == expected
    assert expected[0] is not None
    assert expected[1] is None or expected[0] < expected[1]


def test_an_ask_without_an_audience_has_no_such_times() -> None:
    swarm = Swarm(Setup(peers=20, seed=2, asks_per_s=0.0))
    swarm.do(AskFor("#0", "blue train"))
    swarm.advance(20_000_000)
    assert swarm.record(1).reached > 0
    assert swarm.record(1).spread_us == ()
