"""One node of the hash table, by a `FakeHost`: what it asks, answers, keeps and hands on."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from engine.kit import ID_BITS
from engine.protocols.kademlia import Dht, DhtOptions, Ended, Found, Joined, Published
from engine.protocols.kademlia.messages import (
    BadToken,
    FindNode,
    FindValue,
    Nodes,
    Ping,
    Pong,
    Store,
    Stored,
    Values,
    nodes_bytes,
)
from engine.protocols.kademlia.table import Contact
from engine.testing import FakeCall, FakeHost

SECOND = 1_000_000
HOUR = 3_600 * SECOND
KEY = 0b1011 << (ID_BITS - 4)


def contact(peer: int) -> Contact:
    """The node at an address: its first bits are those of its number, from the last to the first."""
    return Contact(int(f"{peer:020b}"[::-1], 2) << (ID_BITS - 20), peer)


def node(peers: int = 0, me: int = 0, **options: Any) -> tuple[FakeHost, Dht]:
    """A node that knows the nodes 1..peers, last heard of now."""
    host, dht = FakeHost(me=me, options=DhtOptions(**options)), Dht()
    dht.start(host, (), (contact(me).id, ()))
    for peer in range(1, peers + 1):
        dht.table.heard(contact(peer), 0, host.options.k, 900 * SECOND)
    dht.is_in = bool(peers)
    return host, dht


def asked(host: FakeHost, kind: type) -> list[FakeCall]:
    """Calls of one kind that are open."""
    return [call for call in host.calls if isinstance(call.request, kind) and not call.over]


def emitted(host: FakeHost, kind: type) -> list[Any]:
    return [value for value in host.emitted if isinstance(value, kind)]


def answer_all(host: FakeHost, dht: Dht, kind: type, make: Any) -> int:
    """Answer calls of a kind until none is open. Returns how many."""
    count = 0
    while calls := asked(host, kind):
        host.answer(dht, calls[0], make(contact(calls[0].to)))
        count += 1
    return count


# --- sizes -------------------------------------------------------------------------------------------------------


def test_sizes_are_those_of_krpc() -> None:
    """BEP 5, bencoded by hand: a transaction number of 2 bytes, a token of 8."""
    me, eight = contact(0), tuple(map(contact, range(8)))
    assert (Ping.stated_size, Pong.stated_size, FindNode.stated_size, FindValue.stated_size) == (56, 47, 92, 95)
    assert Nodes(me, eight).wire_size() == Values(me, b"", (), eight).wire_size() == 266
    assert Values(me, b"12345678", (), eight).wire_size() == 283
    assert Store(me, KEY, ((1, 60),), b"12345678", False).wire_size() == 147
    for count in (0, 3, 20):
        by_hand = len(f"5:nodes{26 * count}:") + 26 * count
        assert nodes_bytes(count) == by_hand
    two = Values(me, b"", (5, 6), ()).wire_size() - Values(me, b"", (), ()).wire_size()
    assert two == len("6:valuesl6:xxxxxx6:xxxxxxe")


# --- answers -----------------------------------------------------------------------------------------------------


def test_a_node_names_the_k_nearest_and_learns_of_the_asker() -> None:
    host, dht = node(30, k=4)
    host.give_request(dht, FindNode(contact(64), KEY), sender=64)
    [(ticket, reply)] = host.replies
    assert ticket.sender == 64
    assert contact(64) in dht.table
    assert reply.nodes == tuple(dht.table.closest(KEY, 4))


@pytest.mark.parametrize("odd", [Contact(5, 78), Contact(-1, 77), Contact(1 << 160, 77)])
def test_a_question_with_an_impossible_sender_is_ignored(odd: Contact) -> None:
    host, dht = node(3)
    for question in (Ping(odd), FindNode(odd, 1), FindValue(odd, 1), Store(odd, 1, ((1, 60),), b"", False)):
        host.give_request(dht, question, sender=77)
    assert not host.replies
    assert len(dht.table) == 3
    assert not dht.records.kept


def test_it_names_values_and_nodes_until_the_values_expire() -> None:
    host, dht = node(3)
    host.give_request(dht, Store(contact(2), KEY, ((9, 100),), b"", False), sender=2)
    host.give_request(dht, FindValue(contact(1), KEY), sender=1)
    host.now_us = 100 * SECOND
    host.give_request(dht, FindValue(contact(1), KEY), sender=1)
    (_, stored), (_, found), (_, late) = host.replies
    assert isinstance(stored, Stored)
    assert found.values == (9,)
    assert len(found.nodes) == 3
    assert late.values == ()


def test_with_tokens_a_node_stores_only_the_address_of_a_sender_with_a_valid_one() -> None:
    host, dht = node(3, tokens=True)
    host.give_request(dht, FindValue(contact(1), KEY), sender=1)
    token = host.replies[-1][1].token
    for sender, shown, kept in ((2, token, []), (1, b"", []), (1, token, [1])):
        host.give_request(dht, Store(contact(sender), KEY, ((1, 60), (9, 60)), shown, False), sender=sender)
        assert list(dht.records.kept.get(KEY, {})) == kept
        assert isinstance(host.replies[-1][1], Stored if kept else BadToken)


def test_a_leaving_node_needs_no_answer() -> None:
    host, dht = node(3)
    host.give(dht, Store(contact(2), KEY, ((9, 100),), b"", False), sender=2)
    assert dht.has_record(KEY)
    assert not host.replies


def test_who_bans_a_name_names_nodes_alone_and_stores_nothing() -> None:
    assert FindValue(contact(1), KEY).without("x") == FindNode(contact(1), KEY)
    assert Store(contact(1), KEY, ((1, 60),), b"t", False).without("x") == Store(contact(1), KEY, (), b"t", False)
    assert list(FindValue(contact(1), KEY).about()) == [KEY]


# --- lookups -----------------------------------------------------------------------------------------------------


def test_a_search_asks_alpha_nearest_and_follows_whom_they_name() -> None:
    host, dht = node(8, k=4)
    host.cause = 5
    dht.find(host, KEY, context="it")
    first = asked(host, FindValue)
    assert [call.to for call in first] == [one.peer for one in dht.table.closest(KEY, 3)]
    nearer = Contact(KEY + 1, 500)
    host.answer(dht, first[0], Nodes(contact(first[0].to), (nearer,)))
    assert asked(host, FindValue)[-1].to == 500, "an answer without values may be nodes alone"
    assert asked(host, FindValue)[-1].cause == 5
    host.answer(dht, asked(host, FindValue)[-1], Values(nearer, b"", (42,), ()))
    assert emitted(host, Found) == [Found(KEY, (42,), 500, 2, "it")]
    [ended] = emitted(host, Ended)
    assert (ended.values, ended.asked, ended.failed) == (1, 4, 0)
    assert not dht.lookups


def test_what_was_found_is_copied_to_the_nearest_node_that_did_not_have_it() -> None:
    for cache in (True, False):
        host, dht = node(8, k=4, cache=cache)
        dht.find(host, KEY)
        first, second, _ = asked(host, FindValue)
        host.answer(dht, first, Values(contact(first.to), b"", (), ()))
        host.answer(dht, second, Values(contact(second.to), b"", (42,), ()))
        stores = [(to, message) for to, message in host.take() if isinstance(message, Store)]
        if not cache:
            assert not stores
            continue
        [(to, store)] = stores
        assert to == first.to
        assert store.copied
        assert store.pairs == ((42, 86_400),), "no node is known to be nearer, so the copy lives as long as the record"


def test_a_search_for_everything_goes_on_after_the_first_value() -> None:
    host, dht = node(8, k=3)
    dht.find(host, KEY, everything=True)
    count = answer_all(host, dht, FindValue, lambda who: Values(who, b"", (100, who.peer), ()))
    assert count == 3
    values = [found.values for found in emitted(host, Found)]
    assert [len(each) for each in values] == [2, 1, 1], "what was named before is not named again"


def test_a_silent_node_is_skipped_and_the_search_ends_with_the_k_nearest_others() -> None:
    host, dht = node(8, k=3)
    dht.find(host, KEY)
    silent = asked(host, FindValue)[0]
    host.time_out(dht, silent)
    answer_all(host, dht, FindValue, lambda who: Values(who, b"", (), ()))
    [ended] = emitted(host, Ended)
    assert (ended.values, ended.failed, len(ended.nearest)) == (0, 1, 3)
    assert silent.to not in [one.peer for one in ended.nearest]
    assert silent.to not in dht.contacts()


def test_an_address_with_another_identifier_is_another_node() -> None:
    host, dht = node(8, k=4)
    dht.find(host, KEY)
    call = asked(host, FindValue)[0]
    other = Contact(12345, call.to)
    host.answer(dht, call, Values(other, b"", (42,), ()))
    assert not emitted(host, Found), "it is not the node that was asked"
    assert contact(call.to) not in dht.table
    assert other in dht.table


def test_a_keeper_finds_its_own_record_at_once() -> None:
    host, dht = node(8)
    host.give_request(dht, Store(contact(2), KEY, ((9, 100),), b"", False), sender=2)
    dht.find(host, KEY, context="it")
    assert emitted(host, Found) == [Found(KEY, (9,), host.me, 0, "it")]
    assert len(emitted(host, Ended)) == 1
    assert not host.calls


def test_a_search_without_any_contact_ends() -> None:
    host, dht = node(0)
    dht.find(host, KEY)
    assert [ended.asked for ended in emitted(host, Ended)] == [0]


# --- publishing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tokens", [False, True])
def test_a_value_is_stored_on_the_k_nearest_that_answered(tokens: bool) -> None:
    host, dht = node(8, k=4, tokens=tokens)
    key = contact(11).id
    silent, *others = dht.table.closest(key, 5)
    dht.publish(host, key, context="song")
    kind = FindValue if tokens else FindNode
    [first, *_] = asked(host, kind)
    assert first.to == silent.peer
    host.time_out(dht, first)
    answer_all(host, dht, kind, lambda who: Values(who, b"12345678", (3,), ()) if tokens else Nodes(who, ()))
    stores = asked(host, Store)
    assert [call.to for call in stores] == [one.peer for one in others]
    assert all(call.request.pairs == ((0, 86_400),) for call in stores)
    assert all(call.request.token == (b"12345678" if tokens else b"") for call in stores)
    host.time_out(dht, stores[0])
    answer_all(host, dht, Store, Stored)
    assert emitted(host, Published) == [Published(key, 3, 4, "song")]
    assert not emitted(host, Found)
    assert not dht.storing


def test_a_node_that_is_among_the_k_nearest_keeps_the_record_itself() -> None:
    host, dht = node(12, k=4)
    dht.publish(host, contact(0).id + 1)
    answer_all(host, dht, FindNode, lambda who: Nodes(who, ()))
    assert len(asked(host, Store)) == 3
    answer_all(host, dht, Store, Stored)
    assert [(one.stored, one.of) for one in emitted(host, Published)] == [(4, 4)]
    assert dht.has_record(contact(0).id + 1)


# --- timers ------------------------------------------------------------------------------------------------------


def test_records_are_stored_again_after_an_hour_unless_another_node_has() -> None:
    host, dht = node(6, k=3)
    host.give_request(dht, Store(contact(2), KEY, ((9, 86_400),), b"", False), sender=2)
    host.give_request(dht, Store(contact(2), KEY, ((8, 86_400),), b"", True), sender=2)
    host.wait(dht, HOUR - SECOND)
    assert not [call for call in host.calls if isinstance(call.request, FindNode) and call.request.target == KEY]
    host.wait(dht, SECOND)
    answer_all(host, dht, FindNode, lambda who: Nodes(who, ()))
    stores = [call.request for call in asked(host, Store)]
    assert stores
    assert all([value for value, _ in store.pairs] == [9] for store in stores), "a copy is not stored again"
    assert all(ttl == 86_400 - 3_600 for store in stores for _, ttl in store.pairs)


def test_a_bucket_that_was_not_looked_into_for_an_hour_is_looked_into() -> None:
    host, dht = node(8, k=2)
    buckets = len(dht.table.buckets)
    host.wait(dht, HOUR + 60 * SECOND)
    targets = dict.fromkeys(call.request.target for call in host.calls if isinstance(call.request, FindNode))
    assert sorted(map(dht.table.index, targets)) == list(range(buckets))
    assert {call.cause for call in host.calls} == {None} or {call.cause for call in host.calls} == {0}


def test_a_contact_in_the_way_is_pinged_twice_and_then_replaced() -> None:
    for answers in (True, False):
        host, dht = node(64, k=2)
        host.now_us = 1_000 * SECOND
        newcomer = contact(65)
        bucket = dht.table.buckets[dht.table.index(newcomer.id)]
        head = next(iter(bucket.nodes))
        host.give_request(dht, Ping(newcomer), sender=65)
        assert not asked(host, Ping), "a ping would lead to a ping, and so on"
        host.give_request(dht, FindNode(newcomer, KEY), sender=65)
        [call] = asked(host, Ping)
        assert call.to == head.peer
        assert len(call.waits_us) == 2
        if answers:
            host.answer(dht, call, Pong(head))
        else:
            host.time_out(dht, call)
        assert (head in bucket.nodes) == answers != (newcomer in bucket.nodes)


# --- joining and leaving -----------------------------------------------------------------------------------------


def test_a_newcomer_looks_itself_up_and_then_into_farther_buckets() -> None:
    host, dht = FakeHost(me=0, options=DhtOptions(k=2)), Dht()
    host.now_us = SECOND
    dht.start(host, (7, 8, 9, 10), None)
    host.wait(dht, 0)
    first = asked(host, FindNode)
    assert [call.to for call in first] == [7, 8, 9], "alpha at once"
    me = dht.table.me
    assert {call.request.target for call in first} == {me.id}
    host.answer(dht, first[0], Nodes(contact(7), tuple(map(contact, range(20, 40)))))
    host.time_out(dht, first[1])
    host.time_out(dht, first[2])
    while not emitted(host, Joined):
        call = asked(host, FindNode)[0]
        host.answer(dht, call, Nodes(contact(call.to), ()))
    assert dht.is_in
    targets = {call.request.target for call in asked(host, FindNode)}
    last = dht.table.closest(me.id, 2)[-1]
    assert sorted(map(dht.table.index, targets)) == list(range(dht.table.index(last.id) + 1))


def test_a_newcomer_that_nobody_answers_tries_others() -> None:
    host, dht = FakeHost(me=0, options=DhtOptions(alpha=1)), Dht()
    host.now_us = SECOND
    dht.start(host, (7, 8), None)
    host.wait(dht, 20 * SECOND)
    assert [call.to for call in host.calls][:3] == [7, 8, 7]
    assert not dht.is_in


def test_at_the_start_of_a_run_it_joins_only_if_told() -> None:
    host, dht = FakeHost(me=0, options=DhtOptions()), Dht()
    dht.start(host, (7, 8), None)
    host.wait(dht, 50 * SECOND)
    assert not host.calls
    dht.join(host, 5.0)
    host.wait(dht, 5 * SECOND)
    assert host.calls


def test_a_polite_leave_hands_each_record_to_the_node_that_takes_its_place() -> None:
    host, dht = node(12, k=4)
    host.give_request(dht, Store(contact(2), KEY, ((9, 100),), b"", False), sender=2)
    host.take()
    dht.stop(host)
    assert host.take() == [
        (dht.table.closest(KEY, 4)[-1].peer, Store(dht.table.me, KEY, ((9, 100),), b"", False)),
    ]


def test_a_newcomer_near_a_key_is_handed_the_records_by_the_node_that_was_nearest() -> None:
    for nearest in (True, False):
        host, dht = node(12, k=4)
        key = dht.table.me.id + 2 if nearest else contact(12).id
        dht.records.store(key, 9, 0, 100 * SECOND, copied=False, keys=9, values=9)
        host.give_request(dht, Ping(Contact(key + 1, 99)), sender=99)
        stores = [(to, message) for to, message in host.take() if isinstance(message, Store)]
        assert [to for to, _ in stores] == ([99] if nearest else [])


def test_the_identifier_and_the_nearest_contacts_are_on_disk() -> None:
    _, dht = node(12)
    other = Dht()
    again = FakeHost(me=0, options=DhtOptions())
    again.now_us = SECOND
    other.start(again, (50,), dht.saved())
    assert other.table.me == dht.table.me
    assert other.boot[0] == dht.table.closest(dht.table.me.id, 1)[0].peer
    assert other.boot[-1] == 50


def test_another_identifier_keeps_contacts_and_records() -> None:
    host, dht = node(12)
    dht.records.store(KEY, 9, 0, 100 * SECOND, copied=False, keys=9, values=9)
    dht.move(host, KEY)
    host.wait(dht, 0)
    assert dht.identifier() == KEY / (1 << ID_BITS)
    assert sorted(one.peer for one in dht.table.contacts()) == list(range(1, 13))
    assert dht.has_record(KEY)
    assert {call.request.target for call in asked(host, FindNode)} == {KEY}


# --- views -------------------------------------------------------------------------------------------------------


def test_contacts_are_alive_until_they_fail_and_dead_when_stale() -> None:
    _host, dht = node(8)
    dht.table.failed(contact(3), 0, SECOND, 5)
    for _ in range(5):
        dht.table.failed(contact(4), 0, SECOND, 5)
    told = dht.beliefs()
    assert [told.known[peer].alive for peer in (2, 3, 4)] == [True, None, False]
    assert dht.shown() == (8, len(dht.table.buckets), 2 / 8, 0)
    assert sorted(dht.contacts()) == [1, 2, 5, 6, 7, 8]
    assert told.facts["identifier"] == f"{dht.table.me.id:040x}"


def test_it_pickles_in_the_middle_of_a_lookup() -> None:
    host, dht = node(8)
    dht.find(host, KEY)
    again = pickle.loads(pickle.dumps(dht))
    assert again.lookups[1].order == dht.lookups[1].order
