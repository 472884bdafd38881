"""LimeWire: the handshake and the election, routing tables, the way of a query, dynamic queries and leaf guidance."""

from __future__ import annotations

from typing import Any

import pytest
from limewires import ME, SECOND, TRAIN, leaf, peer, query, table, ultrapeer, unable
from servents import guid
from tiny import sent

from engine.api import Ask, Facts, Line, Whereabouts
from engine.protocols.gnutella import Connect, Full, Ping, Pong, Query, QueryHit
from engine.protocols.limewire import (
    Accept,
    Bye,
    Confirm,
    DirectHit,
    Handshake,
    Limewire,
    LimewireOptions,
    Patch,
    QrpTable,
    Refuse,
    ReplyAck,
    ReplyNumber,
    Reset,
    StatusRequest,
    StatusResponse,
    address_in,
    guid_of,
)

CALL = Handshake(False, 32, 3)
"""Of a leaf."""
OFFER = Handshake(True, 32, 3)
"""Of one that is an ultrapeer, or could be."""


# --- election --------------------------------------------------------------------------------------------------


def test_who_can_be_an_ultrapeer() -> None:
    tape, made = peer()
    made.uptime.since_us = 0
    assert made.able(tape)
    tape.options.average_min = 121.0
    assert not made.able(tape), "it has been up for two hours on average"
    made.uptime.since_us = -120 * 60 * SECOND
    assert made.able(tape), "and now as well"
    made.firewalled = True
    assert not made.able(tape)


# --- handshake -------------------------------------------------------------------------------------------------


def test_an_ultrapeer_accepts_a_leaf_in_three_steps() -> None:
    tape, made = ultrapeer(ups=[1])
    tape.give(made, CALL, sender=5)
    assert tape.take() == [(5, Accept(False, 32, 3, (1,)))]
    assert 5 not in made.leaves
    tape.give(made, Confirm(False), sender=5)
    assert list(made.leaves) == [5]
    assert tape.marks[5, ""] == "leaf"
    assert 5 not in made.near.cache, "the addresses of leaves are not passed on"


def test_a_leaf_that_is_accepted_sends_its_table() -> None:
    tape, made = peer([TRAIN], contacts=[1])
    unable(made)
    made.near.remember(tape, 1, -1)
    made.look_for_links(tape)
    assert sent(tape, Handshake) == [(1, CALL)]
    tape.give(made, Accept(False, 32, 3, (8, 9)), sender=1)
    kinds = [type(message).__name__ for to, message in tape.take() if to == 1]
    assert kinds == ["Confirm", "Reset", "Patch", "Ping"]
    assert {8, 9} <= set(made.near.cache)
    assert made.contacts() == (1,)


def test_a_full_ultrapeer_and_a_leaf_name_others() -> None:
    tape, made = ultrapeer(ups=[1], leaves=range(100, 130))
    tape.give(made, CALL, sender=5)
    assert tape.take() == [(5, Refuse(True, (1,)))]
    tape, made = leaf(1, 2)
    tape.give(made, CALL, sender=5)
    assert tape.take() == [(5, Refuse(True, (1, 2)))]


def test_no_more_leaves_than_slots_though_all_were_accepted_at_once() -> None:
    tape, made = ultrapeer(max_leaves=2)
    for one in (5, 6, 7):
        tape.give(made, CALL, sender=one)
    for one in (5, 6, 7):
        tape.give(made, Confirm(False), sender=one)
    assert list(made.leaves) == [5, 6]
    assert tape.unlinked == [7]


def test_one_that_could_be_an_ultrapeer_becomes_one_where_it_is_needed_and_else_a_leaf() -> None:
    for needed in (True, False):
        tape, made = peer(contacts=[1])
        made.look_for_links(tape)
        assert sent(tape, Handshake) == [(1, OFFER)]
        tape.give(made, Accept(needed, 32, 3, ()), sender=1)
        assert made.ultrapeer is needed
        assert sent(tape, Confirm) == [(1, Confirm(needed))]
        assert tape.roles == (["ultrapeer"] if needed else [])


def test_an_ultrapeer_without_leaves_is_told_to_be_one_and_one_with_leaves_stays() -> None:
    for leaves in ((), (7,)):
        tape, made = ultrapeer(leaves=leaves)
        made.near.remember(tape, 1, -1)
        made.look_for_links(tape)
        tape.take()
        tape.give(made, Accept(False, 32, 3, ()), sender=1)
        assert made.ultrapeer is bool(leaves)
        assert sent(tape, Confirm) == [(1, Confirm(bool(leaves)))]


def test_a_leaf_that_all_full_ultrapeers_need_is_promoted() -> None:
    tape, made = peer(contacts=[1])
    made.look_for_links(tape)
    tape.give(made, Refuse(True, (2,)), sender=1)
    assert not made.ultrapeer, "there is another to ask"
    tape.give(made, Refuse(True, ()), sender=2)
    assert not made.ultrapeer, "others may become one meanwhile"
    for _ in range(12):
        tape.wait(made, SECOND)
        for one in list(made.near.calling):
            tape.give(made, Refuse(True, ()), sender=one)
    assert made.ultrapeer
    tape, made = peer(contacts=[1])
    unable(made).look_for_links(tape)
    tape.give(made, Refuse(True, ()), sender=1)
    assert not made.ultrapeer


def test_an_ultrapeer_with_few_leaves_for_long_becomes_a_leaf() -> None:
    tape, made = ultrapeer(ups=[1, 2, 3], leaves=[7], demotion_s=60, ping_s=10)
    waited_s = 0
    while made.ultrapeer and waited_s < 100:
        waited_s += 10
        tape.wait(made, 10 * SECOND)
        for one in list(made.connections):
            tape.give(made, Pong(guid(1), 1, 0, one, 0, 0), sender=one)
    assert 60 <= waited_s < 100
    assert tape.role == "leaf"
    assert {to for to, _ in sent(tape, Bye)} == {1, 2, 3, 7}


def test_the_handshake_of_0_4_is_refused() -> None:
    tape, made = ultrapeer()
    tape.give(made, Connect(), sender=5)
    assert tape.take() == [(5, Full())]
    assert not made.connections


def test_a_bye_ends_a_connection_and_another_is_looked_for() -> None:
    tape, made = leaf(1, 2, 3)
    made.near.remember(tape, 9, -1)
    tape.give(made, Bye(200, "shutting down"), sender=2)
    assert made.contacts() == (1, 3)
    assert [to for to, _ in sent(tape, Handshake)] == [9]
    made.stop(tape)
    assert [to for to, _ in sent(tape, Bye)] == [1, 3]


def test_pings_are_answered_from_the_cache_and_not_passed_on() -> None:
    tape, made = ultrapeer(ups=[1, 2], leaves=[7])
    tape.give(made, Ping(guid(5), 2, 0), sender=7)
    assert {(to, message.address) for to, message in tape.take()} == {(7, ME), (7, 1), (7, 2)}


# --- routing tables --------------------------------------------------------------------------------------------


def test_a_table_counts_when_its_last_part_has_come() -> None:
    tape, made = ultrapeer(ups=[1], leaves=[7])
    wanted = table("Blue Train", "Red Sky")
    entries = wanted.entries()
    parts = [QrpTable.with_entries(some).held for some in (entries[:4], entries[4:])]
    tape.give(made, Reset(1 << 16), sender=7)
    tape.give(made, Patch(1, 2, 16, parts[0]), sender=7)
    assert made.leaves[7].table is None, "until it is complete all queries go there"
    tape.give(made, Patch(2, 2, 16, parts[1]), sender=7)
    assert made.leaves[7].table == wanted


def test_a_part_that_is_missing_makes_the_table_unknown() -> None:
    tape, made = ultrapeer(leaves=[7])
    tape.give(made, Reset(1 << 16), sender=7)
    tape.give(made, Patch(2, 2, 16, b"\0\1"), sender=7)
    tape.give(made, Patch(1, 1, 16, b"\0\1"), sender=7)
    assert made.leaves[7].table is None
    assert tape.noted("nonsense")


def test_an_ultrapeer_tells_others_what_it_and_its_leaves_have_and_then_what_changes() -> None:
    tape, made = ultrapeer(ups=[1], leaves=[7], files=[TRAIN])
    receiver, other = ultrapeer(ups=[ME])
    made.look_at_files(tape)
    made.leaves[7].table, made.stale = table("Red Sky"), True
    other.ups[ME].table = made.table
    for lost, names in ((False, ("Blue Train.mp3", "Red Sky")), (True, ("Blue Train.mp3",))):
        if lost:
            made.lose(tape, 7)
        made.update_table(tape)
        [(to, patch)] = sent(tape, Patch)
        assert to == 1
        receiver.give(other, patch, sender=ME)
        assert other.ups[ME].table == table(*names)
    made.update_table(tape)
    assert sent(tape, Patch) == [], "nothing has changed"


def test_a_leaf_tells_at_once_what_it_publishes() -> None:
    tape, made = leaf(1, 2)
    tape.library.add(TRAIN)
    tape.ask(made, Ask(1, "publish", TRAIN.name))
    assert [to for to, _ in sent(tape, Patch)] == [1, 2]


# --- the way of a query ----------------------------------------------------------------------------------------


def test_a_leaf_asks_its_ultrapeers_and_answers_without_passing_on() -> None:
    tape, made = leaf(1, 2, 3, files=[TRAIN])
    tape.ask(made, Ask(1, "find", "red sky"))
    assert [to for to, _ in sent(tape, Query)] == [1, 2, 3]
    tape.give(made, query(5), sender=1)
    [(to, answer)] = tape.take()
    assert to == 1
    assert isinstance(answer, QueryHit)


def test_leaves_are_asked_whose_tables_match_whatever_the_ttl() -> None:
    tape, made = ultrapeer(ups=[1], leaves=[7, 8, 9])
    made.leaves[7].table, made.leaves[8].table = table("Blue Train"), table("Blue Sky")
    tape.give(made, query(5, ttl=1), sender=1)
    assert [to for to, _ in sent(tape, Query)] == [7, 9], "the table of #9 is unknown"


def test_tables_decide_on_the_last_hop_alone() -> None:
    tape, made = ultrapeer(ups=[1, 2, 3])
    made.ups[2].table, made.ups[3].table = table("Blue Train"), table("Red Sky")
    tape.give(made, query(5, ttl=3), sender=1)
    assert [(to, message.ttl) for to, message in sent(tape, Query)] == [(2, 2), (3, 2)]
    tape.give(made, query(6, ttl=2), sender=1)
    assert [(to, message.ttl) for to, message in sent(tape, Query)] == [(2, 1)]
    tape.give(made, query(7, ttl=1), sender=1)
    assert sent(tape, Query) == []


def test_a_query_that_came_before_is_a_duplicate() -> None:
    tape, made = ultrapeer(ups=[1, 2])
    tape.give(made, query(5), sender=1)
    tape.take()
    tape.give(made, query(5), sender=2)
    assert tape.take() == []
    assert tape.noted("duplicate")


# --- dynamic queries -------------------------------------------------------------------------------------------


def test_three_links_are_probed_and_then_one_after_the_other_while_results_are_missing() -> None:
    tape, made = ultrapeer(ups=range(1, 6))
    for up in made.ups.values():
        up.table = QrpTable()
    tape.ask(made, Ask(1, "find", "blue train"))
    probes = sent(tape, Query)
    assert [message.ttl for _, message in probes] == [2, 2, 2]
    tape.wait(made, int(4.7 * SECOND))
    assert sent(tape, Query) == [], "2.4 s for each hop"
    tape.wait(made, SECOND)
    [(fourth, message)] = sent(tape, Query)
    assert message.ttl == 3, "nothing was found, so it goes as far as it may"
    tape.wait(made, 8 * SECOND)
    [(fifth, _)] = sent(tape, Query)
    assert sorted([*(to for to, _ in probes), fourth, fifth]) == [1, 2, 3, 4, 5]
    tape.wait(made, 60 * SECOND)
    assert not made.queries
    assert sent(tape, Query) == []


def test_a_popular_file_is_probed_with_ttl_1_where_tables_match() -> None:
    tape, made = ultrapeer(ups=range(1, 9))
    for number, up in made.ups.items():
        up.table = table("Blue Train") if number > 4 else QrpTable()
    tape.ask(made, Ask(1, "find", "blue train"))
    probes = sent(tape, Query)
    assert [message.ttl for _, message in probes] == [1, 1, 1]
    assert all(to > 4 for to, _ in probes)


def test_enough_results_end_a_query() -> None:
    tape, made = ultrapeer(ups=range(1, 9), results=2)
    tape.ask(made, Ask(1, "find", "blue train"))
    [(_, first), *_] = sent(tape, Query)
    for holder in (101, 102):
        hit = QueryHit(first.guid, 3, 0, holder, 1500, False, (TRAIN,), guid(holder))
        tape.give(made, hit, sender=1)
    tape.wait(made, 60 * SECOND)
    assert sent(tape, Query) == []


@pytest.mark.parametrize(("told", "goes_on"), [(None, True), (3, True), (50, False)])
def test_a_leaf_guides_its_query(told: int | None, goes_on: bool) -> None:
    tape, made = ultrapeer(ups=range(1, 9), leaves=[7 + ME])
    asker = 7 + ME
    tape.give(made, query(5, ttl=1), sender=asker)
    tape.take()
    tape.wait(made, 5 * SECOND)
    assert sent(tape, StatusRequest) == [(asker, StatusRequest(guid(5)))]
    if told is not None:
        tape.give(made, StatusResponse(guid(5), told), sender=asker)
    tape.wait(made, 6 * SECOND)
    assert bool(sent(tape, Query)) is goes_on


def test_a_leaf_says_how_many_results_it_has() -> None:
    tape, made = leaf(1, 2)
    tape.ask(made, Ask(1, "find", "blue train"))
    [(_, asked), *_] = sent(tape, Query)
    for holder in (101, 102):
        tape.give(made, QueryHit(asked.guid, 3, 0, holder, 1500, False, (TRAIN,), guid(holder)), sender=2)
    tape.take()
    tape.give(made, StatusRequest(asked.guid), sender=1)
    tape.give(made, StatusRequest(asked.guid), sender=55)
    assert sent(tape, StatusResponse) == [(1, StatusResponse(asked.guid, 2))]


def test_the_query_of_a_leaf_that_has_gone_ends() -> None:
    tape, made = ultrapeer(ups=range(1, 9), leaves=[30])
    tape.give(made, query(5, ttl=1), sender=30)
    tape.end(made, 30)
    tape.take()
    tape.wait(made, 60 * SECOND)
    assert sent(tape, Query) == []
    assert not made.queries


# --- out-of-band replies ---------------------------------------------------------------------------------------

DIRECT = 0x8400
"""A query whose asker can be called over UDP."""


def far_query(asker: int, number: int = 1, speed: int = DIRECT) -> Query:
    """A query that has travelled one hop before it arrives."""
    return Query(guid_of(asker, number.to_bytes(12, "big")), 2, 1, speed, "blue train")


def test_a_result_is_offered_to_the_asker_and_sent_when_it_is_wanted() -> None:
    tape, made = leaf(1, files=[TRAIN])
    tape.give(made, far_query(77), sender=1)
    number = far_query(77).guid
    assert tape.take() == [(77, ReplyNumber(number, 1))]
    tape.give(made, ReplyAck(number, 1), sender=78)
    assert not tape.take(), "somebody else"
    tape.give(made, far_query(77, 2), sender=1)
    tape.take()
    tape.give(made, ReplyAck(far_query(77, 2).guid, 1), sender=77)
    [(to, hit)] = tape.take()
    assert to == 77
    assert isinstance(hit, DirectHit)
    assert (hit.address, hit.results) == (ME, (TRAIN,))
    tape.give(made, ReplyAck(far_query(77, 2).guid, 1), sender=77)
    assert not tape.take(), "once"


@pytest.mark.parametrize("why", ["near", "not asked for", "cannot be called", "switched off"])
def test_other_results_go_back_the_way_the_query_came(why: str) -> None:
    tape, made = leaf(1, files=[TRAIN])
    asked = far_query(77, speed=0x8000 if why == "not asked for" else DIRECT)
    if why == "near":
        asked = Query(asked.guid, 2, 0, DIRECT, "blue train")
    made.firewalled = why == "cannot be called"
    tape.options.out_of_band = why != "switched off"
    tape.give(made, asked, sender=1)
    assert [(to, type(message)) for to, message in tape.take()] == [(1, QueryHit)]


def test_results_between_two_firewalled_servents_are_left_out() -> None:
    tape, made = leaf(1, files=[TRAIN])
    made.firewalled = True
    tape.give(made, far_query(77, speed=0xC000), sender=1)
    assert not tape.take()
    assert tape.noted("remark") == [{"key": "holder", "value": "cannot be called"}]


def test_the_asker_wants_results_until_it_has_enough() -> None:
    tape, made = leaf(1, download=False, results=3)
    tape.ask(made, Ask(1, "find", "blue train"))
    [(_, question)] = tape.take()
    assert address_in(question.guid) == ME
    assert question.speed == 0x9400
    tape.give(made, ReplyNumber(question.guid, 2), sender=77)
    assert tape.take() == [(77, ReplyAck(question.guid, 2))]
    tape.give(made, DirectHit(question.guid, 1, 0, 77, 1500, False, (TRAIN, TRAIN), guid(5)), sender=77)
    assert tape.noted("hit")
    assert made.own_results[question.guid] == 2
    tape.give(made, DirectHit(question.guid, 1, 0, 79, 1500, False, (TRAIN,), guid(5)), sender=78)
    assert made.own_results[question.guid] == 2, "from another address"
    tape.give(made, DirectHit(question.guid, 1, 0, 78, 1500, False, (TRAIN,), guid(5)), sender=78)
    tape.give(made, ReplyNumber(question.guid, 2), sender=80)
    tape.give(made, ReplyNumber(guid(9), 2), sender=80)
    assert not tape.take()


# --- flow control ----------------------------------------------------------------------------------------------


def waiting(to: int, size: int) -> list[tuple[int, Any]]:
    """The messages that wait for the line: one Bye of so many bytes for a neighbour, or none."""
    return [(to, Bye(200, "." * (size - Bye(200, "").wire_size())))] if size else []


def test_a_connection_with_a_queue_is_under_flow_control_until_it_is_empty() -> None:
    tape, made = ultrapeer(ups=[1, 2], queue_kb=1)
    tape.line = Line(100, 100)
    heard = []
    for number, bytes_waiting in enumerate((200, 300, 200, 0)):
        tape.uplink = waiting(1, bytes_waiting)
        tape.give(made, query(number, ttl=2), sender=1)
        heard.append(bool(tape.take()))
    assert heard == [True, False, False, True]
    assert tape.noted("remark") == [{"key": "flow control", "value": "dropped"}] * 2


def test_a_query_that_has_travelled_further_gets_less_room() -> None:
    tape, made = ultrapeer(ups=[1, 2], queue_kb=1)
    tape.line = Line(100, 100)
    tape.uplink = waiting(2, 200)
    tape.give(made, query(1, ttl=4, hops=1), sender=1)
    assert [to for to, _ in tape.take()] == [2]
    tape.give(made, query(2, ttl=4, hops=2), sender=1)
    assert not tape.take()


# --- verdicts --------------------------------------------------------------------------------------------------

SOME = Whereabouts(living=2)


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({}, "the asker had no link to an ultrapeer, so nobody else was asked"),
        ({"remarks": {"flow control": ("dropped",)}}, "nobody else was asked, since too many messages were waiting"),
        ({"losses": {"censored": 1}}, None),
        ({"trouble": "is dead"}, None),
        ({"goal": "publish"}, None),
        ({"reached": 3}, None),
        ({"reached": 3, "hits": 1, "holders": SOME}, None),
        ({"reached": 1, "holders": SOME}, "1 peer was asked, and the query did not come to any that has it"),
        (
            {"reached": 3, "holders": SOME, "remarks": {"holder": ("cannot be called",)}},
            "3 peers were asked. One has it",
        ),
        ({"reached": 3, "holders": SOME, "remarks": {"flow control": ("dropped",)}}, "dropped on a part of its way"),
    ],
)
def test_a_verdict_has_the_right_reason(facts: dict[str, Any], says: str | None) -> None:
    told = Limewire.verdict(Facts(**{"goal": "find", "text": "blue train", "origin": 1, **facts}), LimewireOptions())
    assert told is None if says is None else says in str(told)
