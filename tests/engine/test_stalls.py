"""Streams under a censor, a partition, loss and held links: they deliver each byte once and in order, or they break."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from random import Random

import pytest
from tiny import LATENCY, MS, SECOND, Say, balanced, diary, host, make_swarm, texts

from engine import AskFor, Censor, Heal, Hold, LinkSpec, Partition, Release, Set, Setup, Swarm, Uncensor
from engine.commands import Command


def test_a_block_of_less_than_100_s_is_a_delay_and_a_longer_one_breaks_the_stream_at_both_ends() -> None:
    for lifted_s, arrives in ((4, 6 * SECOND), (90, 100 * SECOND), (101, None)):
        for block, lift in ((Censor(1), Uncensor(1)), (Partition((1,)), Heal())):
            swarm = make_swarm(2)
            swarm.do(block)
            host(swarm, 0).send(1, Say("a"))
            host(swarm, 0).send(1, Say("b"))
            swarm.advance(lifted_s * SECOND)
            if arrives is not None:
                assert swarm.snapshot().totals.dropped == 2
            assert balanced(swarm)
            swarm.do(lift)
            swarm.advance(200 * SECOND)
            assert balanced(swarm)
            if arrives is None:
                assert [told[1:] for told in diary(swarm, 0).told] == [("closed", 1)]
                assert [told[1:] for told in diary(swarm, 1).told] == [("closed", 0)]
                assert (texts(swarm, 1), swarm.snapshot().totals.dropped) == ([], 2)
            else:
                assert texts(swarm, 1) == ["a", "b"]
                assert arrives <= diary(swarm, 1).heard[0][0] <= arrives + SECOND
                assert (diary(swarm, 0).told, swarm.snapshot().totals.dropped) == ([], 0)


def test_what_a_window_does_not_hold_is_in_flight_and_no_loss() -> None:
    swarm = make_swarm(2)
    swarm.do(Censor(1))
    for _ in range(5):
        host(swarm, 0).send(1, Say("x" * 30_000))
    swarm.advance(SECOND)
    totals = swarm.snapshot().totals
    assert (totals.dropped, totals.in_flight) == (3, 2)
    assert balanced(swarm)
    swarm.advance(150 * SECOND)
    assert swarm.snapshot().totals.dropped_by == {"censored": 5}


def test_a_hold_stops_the_clock_of_a_blocked_stream() -> None:
    swarm = make_swarm(2)
    swarm.do(Censor(1))
    host(swarm, 0).send(1, Say("x"))
    swarm.advance(50 * SECOND)
    swarm.do(Hold((0, 1)))
    swarm.advance(500 * SECOND)
    assert diary(swarm, 0).told == []
    swarm.do(Release((0, 1)))
    swarm.advance(549 * SECOND)
    assert diary(swarm, 0).told == []
    swarm.advance(551 * SECOND)
    assert diary(swarm, 0).told == [(550 * SECOND + LATENCY + 1, "closed", 1)]


def test_an_ask_closes_while_its_question_is_blocked_and_its_loss_is_undone_later() -> None:
    swarm = make_swarm(2)
    swarm.do(Censor(1))
    swarm.do(AskFor(0, "blue train"))
    swarm.advance(SECOND)
    row = swarm.record(1)
    assert (row.closed_us, row.losses, row.reached) == (LATENCY, {"censored": 1}, 0)
    trace = swarm.trace(1)
    assert trace is not None
    assert trace.lost.total == 1
    swarm.do(Uncensor(1))
    swarm.advance(3 * SECOND)
    row = swarm.record(1)
    assert (row.closed_us, row.losses, row.reached) == (1_420 * MS, {}, 1)
    trace = swarm.trace(1)
    assert trace is not None
    assert (trace.lost.total, len(trace.lost.frm)) == (0, 0)
    assert swarm.snapshot().totals.dropped == 0


# --- a download --------------------------------------------------------------------------------------------------


def download(lifted_after_s: int) -> tuple[Swarm, int]:
    """A Napster user is censored in the middle of a download. Returns the swarm and the time of that in us."""
    swarm = Swarm(Setup(protocol="napster", peers=24, seed=3, asks_per_s=0.0))
    swarm.advance(20 * SECOND)
    swarm.do(AskFor(2, "blue train", goal="fetch"))
    while swarm.snapshot().totals.by_kind["Data"] < 20:
        swarm.advance(swarm.now_us + 100 * MS)
    at_us = swarm.now_us
    swarm.do(Censor(2))
    if lifted_after_s:
        swarm.advance(at_us + lifted_after_s * SECOND)
        assert swarm.record(1).losses == {"censored": 2}, "a window of pieces"
        swarm.do(Uncensor(2))
    swarm.advance(at_us + 150 * SECOND)
    return swarm, at_us


def test_a_download_that_is_censored_for_four_seconds_is_whole() -> None:
    swarm, _ = download(4)
    totals = swarm.snapshot().totals
    assert totals.dropped == 0
    record = swarm.record(1)
    assert (record.fetched, record.losses) == (1, {})
    assert totals.by_kind["Data"] == 61, "each piece once"


def test_an_upload_to_a_peer_that_stays_censored_ends_after_100_s() -> None:
    swarm, at_us = download(0)
    cost = swarm.record(1).bytes
    swarm.advance(at_us + 400 * SECOND)
    assert swarm.record(1).bytes == cost
    assert balanced(swarm)
    assert swarm.quiet()


# --- any order ---------------------------------------------------------------------------------------------------

PEERS = 4


def steps(rng: Random) -> Iterator[tuple[int, Command | tuple[int, int]]]:
    """(time in us, a command or a message from one peer to another), until all blocks have been lifted for long."""
    at_us = 0
    commands = (Censor(1), Uncensor(1), Partition((0, 1)), Heal(), Hold((0, 2)), Release((0, 2)), Hold((1,)))
    for _ in range(40):
        at_us += rng.choice((0, MS, 300 * MS, 5 * SECOND, 40 * SECOND))
        if rng.random() < 0.4:
            yield at_us, rng.choice(commands)
        else:
            yield at_us, tuple(rng.sample(range(PEERS), 2))  # type: ignore[misc]
    for command in (Uncensor(1), Heal(), Release(tuple(range(PEERS))), Release((1,)), Set("loss", 0.0)):
        yield at_us, command


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.campaign) for seed in range(4, 12))]
)
def test_each_stream_delivers_once_and_in_order_or_closes_at_both_ends(seed: int) -> None:
    rng = Random(seed)
    links = LinkSpec(capacity=("none", "saroiu")[seed % 2])
    whole, sliced = (make_swarm(PEERS, seed=seed, loss=(0.0, 0.2)[seed // 2 % 2], links=links) for _ in range(2))
    sent: dict[tuple[int, int], list[str]] = {}
    for number, (at_us, step) in enumerate(steps(rng)):
        text = f"{number} " + "x" * rng.choice((1, 30_000))
        whole.advance(at_us)
        while sliced.now_us < at_us:
            sliced.advance(min(at_us, sliced.now_us + 7 * SECOND), 1)
            sliced.advance(min(at_us, sliced.now_us + 7 * SECOND))
        sliced = pickle.loads(pickle.dumps(sliced))
        for swarm in (whole, sliced):
            if isinstance(step, tuple):
                host(swarm, step[0]).send(step[1], Say(text))
            else:
                swarm.do(step)
        if isinstance(step, tuple):
            sent.setdefault(step, []).append(text)
        assert balanced(whole)
    for swarm in (whole, sliced):
        swarm.advance(at_us + 500 * SECOND)
    assert whole.fingerprint() == sliced.fingerprint()
    assert whole.snapshot().totals.in_flight == 0
    for (frm, to), all_sent in sent.items():
        heard = [text for _, sender, text in diary(whole, to).heard if sender == frm]
        assert heard == [text for text in all_sent if text in heard], "in order, once"
        if heard != all_sent:
            assert any(what == "closed" and other == frm for _, what, other in diary(whole, to).told)
            assert any(what == "closed" and other == to for _, what, other in diary(whole, frm).told)
