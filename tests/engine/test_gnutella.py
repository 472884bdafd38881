"""One servent by a `FakeHost`: queries, the way back of answers, and what it forgets.

Its neighbours are in test_gnutella_neighbours.py, its downloads in test_gnutella_fetch.py, hostile messages in
test_gnutella_nonsense.py, and whole swarms in test_gnutella_swarm.py.
"""

from __future__ import annotations

import pickle

import pytest
from servents import ME, SECOND, TRAIN, connected, guid, hit

from engine.api import Ask, File, Peer
from engine.protocols import gnutella
from engine.protocols.gnutella import Get, Ping, Pong, Query, QueryHit, Servent
from engine.protocols.gnutella.messages import index_of
from engine.sim.encoding import encoded_size
from engine.testing import FakeHost

# --- questions ---------------------------------------------------------------------------------------------------


def test_an_ask_goes_to_all_neighbours() -> None:
    tape, peer = connected(1, 2, 3)
    tape.ask(peer, Ask(4, "find", "blue train"))
    assert tape.causes == [4, 4, 4]
    sent = tape.take()
    assert [to for to, _ in sent] == [1, 2, 3]
    [query] = {id(message): message for _, message in sent}.values()
    assert (query.ttl, query.hops, query.speed, query.text) == (7, 0, 0, "blue train")
    tape.give(peer, Query(query.guid, 3, 4, 0, "blue train"), sender=2)
    assert tape.take() == [], "its own question, come back"
    assert tape.noted("duplicate") == [{}]


def test_servents_do_not_share_a_table_of_queries() -> None:
    for copied in (False, True):
        pairs = [connected(1, 2), connected(1, 2)]
        if copied:  # Both have the same empty table at first, also in a copy.
            one, other = pickle.loads(pickle.dumps([peer for _, peer in pairs]))
            pairs = [(pairs[0][0], one), (pairs[1][0], other)]
        (tape, peer), (others, other) = pairs
        tape.give(peer, Query(guid(1), 3, 0, 0, "blue train"), sender=1)
        others.give(other, Query(guid(1), 3, 0, 0, "blue train"), sender=1)
        assert not tape.noted("duplicate")
        assert not others.noted("duplicate")
        peer.turn()
        peer.turn()
        assert peer.way_back(guid(1)) is None
        assert other.way_back(guid(1)) == 1


def test_what_is_published_is_in_the_library() -> None:
    tape, peer = connected(1)
    tape.ask(peer, Ask(4, "publish", "blue train"))
    assert tape.take() == []


def test_a_question_goes_on_to_all_but_its_sender_and_once_only() -> None:
    tape, peer = connected(1, 2, 3)
    tape.give(peer, Query(guid(1), 7, 0, 0, "blue train"), sender=2)
    onward = Query(guid(1), 6, 1, 0, "blue train")
    assert tape.take() == [(1, onward), (3, onward)]
    for sender in (1, 2, 3):
        tape.give(peer, Query(guid(1), 7, 0, 0, "blue train"), sender=sender)
    assert tape.take() == []
    assert len(tape.noted("duplicate")) == 3


def test_a_message_of_a_peer_without_a_link_is_not_relayed() -> None:
    tape, peer = connected(1, 2, files=(TRAIN,))
    for message in (Query(guid(1), 7, 0, 0, "blue"), Ping(guid(2), 7, 0), Pong(guid(2), 7, 0, 44, 0, 0), hit(guid(1))):
        tape.give(peer, message, sender=40)
    assert tape.take() == []
    assert 44 not in peer.near.cache


@pytest.mark.parametrize("ttl", [1, 2, 3, 7, 8, 15, 100, 255])
@pytest.mark.parametrize("hops", [0, 1, 5, 6, 7, 8, 100, 255])
def test_the_sum_of_ttl_and_hops_is_kept_or_cut_to_the_limit(ttl: int, hops: int) -> None:
    tape, peer = connected(1, 2)
    for kind in (Query(guid(1), ttl, hops, 0, "blue"), Ping(guid(1), ttl, hops)):
        tape.give(peer, kind, sender=1)
    onward = [message for to, message in tape.take() if to == 2]
    if 1 < ttl <= 15 and hops < 6:
        assert {type(message) for message in onward} == {Query, Ping}
        for message in onward:
            assert message.hops == hops + 1
            assert message.ttl + message.hops == min(ttl + hops, 7)
            assert message.ttl >= 1
    else:
        assert onward == []


def test_no_descriptor_has_a_ttl_above_15() -> None:
    tape, peer = connected(1, 2, files=(TRAIN,), ttl=255, hop_limit=255)
    tape.ask(peer, Ask(1, "find", "naima"))
    assert tape.take()[0][1].ttl == 15
    tape.give(peer, Query(guid(1), 2, 253, 0, "blue train"), sender=1)
    [(_, answer), (_, onward)] = tape.take()
    assert (onward.ttl, onward.hops, answer.ttl) == (1, 254, 15)
    tape.give(peer, Query(guid(2), 15, 0, 0, "blue train"), sender=1)
    assert [(type(message), message.ttl) for _, message in tape.take()] == [(QueryHit, 3), (Query, 14)]
    for at, ttl in enumerate((16, 200), 3):
        tape.give(peer, Query(guid(at), ttl, 0, 0, "blue train"), sender=1)
        tape.give(peer, Ping(guid(at), ttl, 0), sender=1)
        assert tape.take() == []


@pytest.mark.parametrize("ttl", [2, 10])
def test_relays_lower_what_is_above_their_limit_whatever_their_own_queries_have(ttl: int) -> None:
    tape, peer = connected(1, 2, ttl=ttl)
    tape.give(peer, Query(guid(1), 10, 1, 0, "blue train"), sender=1)
    [(_, onward)] = tape.take()
    assert (onward.ttl, onward.hops) == (5, 2)


def test_the_limit_may_change_while_it_runs() -> None:
    tape, peer = connected(1, 2, files=(TRAIN,))
    tape.options.hop_limit = 2
    tape.give(peer, Query(guid(1), 4, 3, 0, "blue train"), sender=1)
    assert [(to, type(message)) for to, message in tape.take()] == [(1, QueryHit)], "answered, and not passed on"
    assert tape.noted("nonsense") == []


def test_a_query_counts_as_many_bytes_as_the_docstring_says() -> None:
    assert encoded_size(Query(guid(1), 7, 0, 0, "grateful dead live")) == 42
    assert "42 bytes" in (gnutella.__doc__ or "")


# --- answers -------------------------------------------------------------------------------------------------------


def test_a_holder_answers_and_passes_the_query_on_too() -> None:
    tape, peer = connected(1, 2, files=(TRAIN, File("Naima.mp3", 10, 2)))
    tape.give(peer, Query(guid(1), 5, 2, 0, "TRAIN, blue"), sender=1)
    [(to, answer), (onward, _)] = tape.take()
    assert (to, onward) == (1, 2)
    assert answer == QueryHit(guid(1), 5, 0, ME, peer.speed, False, (TRAIN,), peer.id)
    assert answer.ttl >= 2 + 1 + 2, "hops and two"


def test_a_line_too_slow_for_the_question_stays_silent() -> None:
    tape, peer = connected(1, files=(TRAIN,))
    tape.give(peer, Query(guid(1), 7, 0, peer.speed + 1, "blue train"), sender=1)
    assert tape.take() == []


def test_an_answer_goes_back_the_way_the_question_came() -> None:
    tape, peer = connected(1, 2, 3)
    tape.give(peer, Query(guid(1), 7, 0, 0, "blue train"), sender=2)
    tape.take()
    answer = hit(guid(1), ttl=4, hops=2)
    tape.give(peer, answer, sender=3)
    assert tape.take() == [(2, hit(guid(1), ttl=3, hops=3))]
    assert tape.noted("hit") == [], "it is not ours"
    tape.give(peer, hit(guid(1), ttl=1, hops=2), sender=3)
    tape.give(peer, hit(guid(77), ttl=4, hops=2), sender=3)
    peer.closed(tape, 2)
    tape.take()
    tape.give(peer, answer, sender=3)
    assert tape.take() == []
    assert len(tape.noted("hit without a way back")) == 3, "no TTL left, never asked, and the way is gone"


def test_an_answer_to_our_own_question_is_a_hit() -> None:
    tape, peer = connected(1, 2, download=False)
    tape.ask(peer, Ask(4, "find", "blue train"))
    number = tape.take()[0][1].guid
    tape.give(peer, hit(number, address=9), sender=2)
    assert tape.noted("hit") == [{"holder": 9, "content": TRAIN.name}]
    assert tape.take() == []


@pytest.mark.parametrize(("count", "sizes"), [(1, [1]), (32, [32]), (33, [32, 1]), (70, [32, 32, 6])])
def test_a_hit_lists_32_files_and_further_ones_follow_in_the_next(count: int, sizes: list[int]) -> None:
    files = tuple(File(f"blue {at}", 10, at) for at in range(count))
    tape, peer = connected(1, 2, files=files)
    tape.give(peer, Query(guid(1), 1, 0, 0, "blue"), sender=1)
    hits = [message for _, message in tape.take()]
    assert [len(each.results) for each in hits] == sizes
    assert {file for each in hits for file in each.results} == set(files)


# --- forgetting ----------------------------------------------------------------------------------------------------


def test_guids_are_forgotten_after_two_periods_and_not_before_one() -> None:
    tape, peer = connected(1, 2, guid_memory_s=600, silence=100)
    tape.wait(peer, 599 * SECOND)
    query = Query(guid(1), 7, 0, 0, "blue train")
    tape.give(peer, query, sender=1)
    tape.give(peer, Ping(guid(2), 7, 0), sender=1)
    tape.give(peer, hit(guid(3)), sender=1)
    for seconds, known in ((2, True), (598, True), (2, False)):
        tape.wait(peer, seconds * SECOND)
        tape.take()
        assert (guid(1) in peer.seen or guid(1) in peer.seen_before) is known
        assert (peer.near.pings.get(guid(2)) == 1) is known
        assert (peer.pushes.ways.get(hit(guid(3)).servent) == 1) is known
    tape.give(peer, query, sender=2)
    assert [to for to, message in tape.take() if isinstance(message, Query)] == [1], "it is news again"


def test_tables_have_a_limited_size() -> None:
    tape, peer = connected(1, 2, guid_table=100, host_cache=50)
    for i in range(1_000):
        tape.give(peer, Query(guid(i), 2, 0, 0, "blue"), sender=1)
        tape.give(peer, Ping(guid(i), 2, 0), sender=1)
        tape.give(peer, Pong(guid(i), 1, 1, 100 + i, 0, 0), sender=1)
        tape.give(peer, hit(guid(i), servent=guid(5_000 + i)), sender=1)
        tape.give(peer, gnutella.Push(guid(i), 7, 0, peer.id, index_of(TRAIN.name), 100 + i), sender=1)
        tape.ask(peer, Ask(1, "find", "blue"))
        tape.take()
    tables = (
        peer.near.pings,
        peer.pushes.ways,
        peer.near.cache,
        peer.near.calling,
        peer.pushes.given,
        peer.downloads.running,
        peer.near.declined,
    )
    assert all(len(table) <= 101 for table in tables)
    assert len(peer.seen) + len(peer.seen_before) <= 101
    assert len(peer.downloads.mine) <= 256
    assert len(peer.connections) == 2


def test_the_latest_half_of_the_table_is_known_for_certain() -> None:
    tape, peer = connected(1, guid_table=100)
    for i in range(1_000):
        tape.give(peer, Query(guid(i), 7, 0, 0, "blue"), sender=1)
        recent = range(max(0, i - 49), i + 1)
        assert all(guid(j) in peer.seen or guid(j) in peer.seen_before for j in recent)


# --- plain data ----------------------------------------------------------------------------------------------------


def test_a_pickled_servent_goes_on_as_before() -> None:
    def begun() -> tuple[FakeHost, Servent]:
        tape, peer = connected(1, 2, 3, files=(TRAIN,), contacts=[9, 10])
        tape.ask(peer, Ask(1, "find", "naima"))
        number = tape.take()[0][1].guid
        tape.give(peer, hit(number, address=7, file=File("naima", 500_000, 1)), sender=2)
        tape.give(peer, hit(number, address=8, file=File("naima", 500_000, 1)), sender=3)
        peer.closed(tape, 1)
        tape.take()
        return tape, peer

    told = []
    for put_away in (False, True):
        tape, peer = begun()
        if put_away:
            tape, peer = pickle.loads(pickle.dumps((tape, peer)))
        tape.refuse(peer, 7, Get("naima", 0))
        tape.give(peer, Query(guid(4), 5, 1, 0, "blue"), sender=2)
        tape.give(peer, gnutella.Push(guid(5), 5, 1, peer.id, index_of(TRAIN.name), 30), sender=2)
        tape.wait(peer, 200 * SECOND)
        told.append((tape.sent, tape.notes, peer.beliefs()))
    assert told[0] == told[1]
    assert len(told[0][0]) > 10


def test_a_servent_shows_its_beliefs() -> None:
    tape, peer = connected(1, 2, contacts=[9])
    peer.speed = 1500
    tape.give(peer, Query(guid(1), 7, 0, 0, "blue"), sender=1)
    known = peer.beliefs().known
    assert {p: (b.heard_us, b.what) for p, b in known.items()} == {
        9: (None, "host cache"), 1: (0, "neighbour"), 2: (0, "neighbour")
    }  # fmt: skip
    assert peer.beliefs().facts == {
        "neighbours": "2 of 2 wanted",
        "host cache": "3 addresses",
        "GUIDs": "1 queries remembered",
        "ways to push": "0 servents",
        "line": "1500 kb/s",
    }


def test_nothing_is_kept_outside_the_slots() -> None:
    assert not hasattr(Servent(), "__dict__")
    assert issubclass(Servent, Peer)
