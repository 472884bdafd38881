"""The path of an ask: when each message was sent and arrived, and where others were lost."""

from __future__ import annotations

from typing import Any

import numpy as np
from tiny import LATENCY, MS, SECOND, Actor, Batch, ask, give, hears, host, make_swarm

from engine import AskFor, Censor, Kill, Set, Setup, Swarm
from engine.api import FIND
from engine.measure.asks import LOSSES_MOST, ROWS_MOST, AskRecord, Deliveries, Drops, PathCache
from engine.sim.memory import SMALL, bytes_apart, give_back, set_apart

LOUD = {"options": {"loud": True}}


def test_each_question_and_answer_is_there_with_its_times() -> None:
    swarm = make_swarm(3, **LOUD)
    give(swarm, 2, "blue train")
    ask(swarm, 0, "blue train")
    trace = swarm.trace(1)
    assert trace is not None
    asked = trace.questions
    told = list(zip(asked.frm.tolist(), asked.to.tolist(), asked.sent_us.tolist(), asked.at_us.tolist(), strict=True))
    assert told[:2] == [(0, 1, 0, LATENCY), (0, 2, 0, LATENCY)]
    assert told[2:] == [(1, 2, LATENCY, 2 * LATENCY), (2, 1, LATENCY, 2 * LATENCY)]
    assert asked.total == swarm.record(1).messages == 4
    assert (trace.answers_frm.tolist(), trace.answers_to.tolist()) == ([2], [0])
    assert (trace.answers_sent_us.tolist(), trace.answers_at_us.tolist()) == ([LATENCY], [2 * LATENCY])


def test_a_message_is_late_by_the_delay_of_its_link() -> None:
    swarm = make_swarm(2)
    swarm.do(Set("latency", 7))
    ask(swarm, 0, "x")
    trace = swarm.trace(1)
    assert trace is not None
    assert (trace.questions.at_us - trace.questions.sent_us).tolist() == [7 * LATENCY]


def test_a_message_of_several_asks_is_in_the_way_of_each() -> None:
    swarm = make_swarm(3, Actor)
    kept: list[Any] = []
    hears(swarm, 1, lambda h: kept.append(h.cause))
    for text in ("a", "b"):
        hears(swarm, 0, lambda h: h.send(1, Batch((text,))))  # noqa: B023
        ask(swarm, 0, text)
    swarm.advance(20 * SECOND)
    host(swarm, 1).send(2, Batch(("a", "b")), cause=kept)
    swarm.advance(21 * SECOND)
    for number in (1, 2):
        trace = swarm.trace(number)
        assert trace is not None
        assert trace.questions.to.tolist() == [1, 2]
        assert trace.questions.sent_us.tolist()[1] == 20 * SECOND


def test_a_lost_message_is_in_the_path_with_its_place_time_and_reason() -> None:
    swarm = make_swarm(4)
    swarm.do(Censor(1))
    swarm.do(AskFor(0, "x"))
    swarm.advance(MS)
    swarm.do(Kill(2))
    swarm.advance(SECOND)
    trace = swarm.trace(1)
    assert trace is not None
    lost = trace.lost
    reasons = {int(to): lost.reasons[why] for to, why in zip(lost.to, lost.reason, strict=True)}
    assert reasons == {1: "censored", 2: "dead"}
    assert (lost.frm == 0).all()
    assert (lost.sent_us == 0).all()
    assert (lost.at_us == LATENCY).all()
    assert lost.total == swarm.record(1).lost == 2


def test_a_trace_that_was_returned_does_not_change() -> None:
    rows = Deliveries()
    column = np.arange(40)
    rows.add(column, column, column, column)
    before = rows.view()
    rows.add(-column, -column, -column, -column)
    assert before.frm.tolist() == column.tolist()
    assert rows.view().frm.tolist() == [*column.tolist(), *(-column).tolist()]


def test_a_flood_keeps_so_many_rows_and_counts_the_rest() -> None:
    swarm = Swarm(Setup(peers=600, topology="random:40", latency="constant:50", asks_per_s=0.0))
    swarm.do(AskFor(0, "nobody has this"))
    swarm.advance_quiet(60 * SECOND)
    trace = swarm.trace(1)
    assert trace is not None
    assert trace.questions.total == swarm.record(1).messages > ROWS_MOST
    assert len(trace.questions.frm) == ROWS_MOST


def gone(ask: int, peers: int = 50) -> AskRecord:
    """A closed ask with a path."""
    account = AskRecord(ask, 0, "x", FIND, "background", 0)
    to = np.arange(1, peers)
    account.reach(peers, to * 0, to, to * 0 + 1, to)
    account.questions.add(to * 0, to, to * 0, to)
    account.closed_us = ask
    return account


def test_so_many_paths_are_kept_and_within_so_much_room() -> None:
    asks = [gone(ask) for ask in range(1, 100)]
    few, small = PathCache(most=10), PathCache(room=20 * asks[0].path_bytes)
    for account in asks:
        few.put(account)
    assert [account.id for account in asks if account.firsts is not None] == list(range(90, 100))
    assert len(few) == 10
    asks = [gone(ask) for ask in range(1, 100)]
    for account in asks:
        small.put(account)
    assert 20 <= len(small) < 100, "without the room for more each takes less"
    assert small.taken == sum(account.path_bytes for account in asks if account.firsts is not None) <= small.room


def test_a_path_that_was_put_into_a_block_is_the_same_and_can_be_added_to() -> None:
    account, other = gone(1), gone(1)
    for each in (account, other):
        each.lost.add(3, 4, 5, 6, "dead")
    account.pack_path()
    assert repr(account.trace(50)) == repr(other.trace(50))
    assert account.path_bytes == other.path_bytes, "the size that it takes once it is packed"
    column = np.array([7, 8])
    for each in (account, other):
        each.reach(60, column, column + 50, column, column)
        each.questions.add(column, column, column, column)
        each.lost.add(9, 4, 5, 6, "censored")
    assert repr(account.trace(60)) == repr(other.trace(60))


def test_losses_are_limited_in_number_at_any_time() -> None:
    looked, left = Drops(), Drops()
    for number in range(LOSSES_MOST + 500):
        for lost in (looked, left):
            lost.add(number, 1, 2, 3, "dead" if number % 3 else "left")
        if not number % 700:
            looked.view()
    assert repr(looked.view()) == repr(left.view())
    assert len(left.view().frm) == LOSSES_MOST
    assert left.view().total == LOSSES_MOST + 500


def test_columns_that_are_set_apart_are_the_same() -> None:
    columns = [
        np.arange(5, dtype=np.int32),
        np.zeros((2, 0)),
        np.arange(6, dtype=np.int64).reshape(2, 3),
        np.array([7], np.uint8),
    ]
    for one, other in zip(set_apart(columns), columns, strict=True):
        assert (one.dtype, one.shape, one.tolist()) == (other.dtype, other.shape, other.tolist())
    for data in (b"", b"few", b"many" * SMALL):
        assert bytes(bytes_apart(data)) == data
    give_back()


def test_an_ask_of_which_nothing_arrived_has_a_way_that_begins_at_its_asker() -> None:
    swarm = Swarm(Setup(protocol="web", peers=4, seed=3, asks_per_s=0.0))
    swarm.do(Kill("role=server"))
    swarm.do(AskFor(peers=1, text="blue train"))
    swarm.advance(1)
    under_way = swarm.trace(1)
    assert under_way is not None
    assert under_way.hop.tolist().count(0) == 1
    assert under_way.hop[1] == 0
    swarm.advance(60_000_000)
    lost = swarm.trace(1)
    assert lost is not None
    assert lost.lost.total > 0
    assert (lost.hop >= 0).sum() == 1


def test_an_ask_that_its_asker_could_answer_itself_has_a_path_of_the_asker_alone() -> None:
    swarm = Swarm(Setup(protocol="kademlia", peers=32, asks_per_s=0.0))
    title = swarm.catalogue_titles(1)[0]
    keeper = swarm.select(f'keeps "{title}"')[0]
    swarm.do(AskFor(keeper, title))
    swarm.advance(5 * SECOND)
    row, trace = swarm.record(1), swarm.trace(1)
    assert (row.messages, row.reached) == (0, 0)
    assert row.hits > 0
    assert trace is not None
    assert len(trace.holders) == row.hits
    assert (trace.hop > 0).sum() == 0
    # One of the holders dies: the record still names it, and that is no answer.
    swarm.do(Kill(trace.holders[0]))
    swarm.do(AskFor(keeper, title))
    swarm.advance(10 * SECOND)
    again = swarm.record(2)
    assert (again.hits, again.stale, again.found) == (row.hits, 1, row.hits - 1)
    assert "(1 of them dead)" in again.verdict
