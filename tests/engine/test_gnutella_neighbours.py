"""One servent by a `FakeHost`: the handshake, neighbours lost and replaced, the host cache, pings and pongs."""

from __future__ import annotations

import pickle
from sys import getsizeof

import pytest
from servents import ME, SECOND, connected, guid, servent

from engine.api import File
from engine.protocols import gnutella
from engine.protocols.gnutella import Connect, Full, Ok, Ping, Pong, Query, Servent
from engine.testing import FakeHost

# --- the handshake -------------------------------------------------------------------------------------------


def test_a_newcomer_calls_as_many_as_it_wants_and_pings_who_answers() -> None:
    tape, peer = servent(contacts=range(1, 9), connections=3)
    tape.wait(peer, 1)
    called = [to for to, message in tape.take() if message == Connect()]
    assert len(called) == len(set(called)) == 3
    tape.give(peer, Ok(), sender=called[0])
    [(to, ping)] = tape.take()
    assert (to, ping.ttl, ping.hops) == (called[0], 2, 0), "and looks for more"
    assert tape.linked == [called[0]]
    assert peer.connections == {called[0]: 1}


def test_a_newcomer_is_accepted_while_there_is_room() -> None:
    tape, peer = servent(max_connections=2)
    for sender in (1, 2, 3):
        tape.give(peer, Connect(), sender)
    assert tape.take() == [(1, Ok()), (2, Ok()), (3, Full((1, 2)))], "and is told whom else to try"
    assert tape.linked == [1, 2]
    tape.give(peer, Connect(), 2)
    assert tape.take() == [(2, Ok())], "who lost our Ok may ask again"


def test_who_began_with_many_neighbours_replaces_a_lost_one_by_a_caller() -> None:
    tape, peer = connected(*range(1, 21), max_connections=2)
    tape.give(peer, Connect(), 30)
    assert tape.take() == [(30, Full(tuple(range(10, 20))))]
    peer.closed(tape, 1)
    tape.take()
    tape.give(peer, Connect(), 30)
    assert tape.take() == [(30, Ok())]


def test_who_is_full_is_tried_again_only_after_the_next_pings() -> None:
    tape, peer = servent(contacts=[1, 2], connections=1, ping_s=20)
    tape.wait(peer, 1)
    [(first, _)] = tape.take()
    tape.give(peer, Full(), first)
    [(second, message)] = tape.take()
    assert (second, message) == (3 - first, Connect())
    tape.give(peer, Full(), second)
    assert tape.take() == [], "nobody is left to try"
    tape.wait(peer, 21 * SECOND)
    assert [message for _, message in tape.take()] == [Connect()], "full is not for ever"


def test_who_does_not_answer_is_forgotten_and_another_is_called() -> None:
    tape, peer = servent(contacts=[1, 2], connections=1, connect_timeout_s=5)
    tape.wait(peer, 1)
    [(first, _)] = tape.take()
    tape.wait(peer, 5 * SECOND)
    assert tape.take() == [(3 - first, Connect())]
    assert first not in peer.near.cache


def test_a_late_answer_to_a_connect_is_closed() -> None:
    tape, peer = servent(contacts=[1], connections=1, connect_timeout_s=5)
    tape.wait(peer, 6 * SECOND)
    tape.give(peer, Ok(), 1)
    assert tape.unlinked == [1]
    assert peer.connections == {}


def test_two_that_call_each_other_are_connected_once() -> None:
    tape, peer = servent(contacts=[1], connections=1)
    tape.wait(peer, 1)
    tape.take()
    tape.give(peer, Connect(), 1)
    tape.give(peer, Ok(), 1)
    assert list(peer.connections) == [1]
    assert peer.near.calling == {}
    assert not any(type(timer.tick).__name__ == "Unanswered" for timer in tape.timers)


def test_no_servent_can_connect_to_a_firewalled_one() -> None:
    tape, peer = servent(contacts=[1], connections=1, firewalled=1.0)
    tape.give(peer, Connect(), 7)
    assert tape.take() == [], "a firewall drops, it does not decline"
    tape.wait(peer, 1)
    assert tape.take() == [(1, Connect())], "it can call others"


# --- neighbours lost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["closed", "refused"])
def test_a_lost_neighbour_is_replaced_from_the_host_cache(how: str) -> None:
    tape, peer = connected(1, 2, 3, contacts=[9])
    if how == "closed":
        peer.closed(tape, 2)
    else:
        tape.refuse(peer, 2, Query(guid(1), 7, 0, 0, "x"))
    assert list(peer.connections) == [1, 3]
    assert {to for to, message in tape.take() if message == Connect()} <= {2, 9}
    assert len(peer.near.calling) == 1


def test_refused_calls_go_on_until_somebody_answers_or_nobody_is_left() -> None:
    tape, peer = servent(contacts=[1, 2, 3], connections=1)
    tape.wait(peer, 1)
    for _ in range(3):
        [(to, message)] = tape.take()
        tape.refuse(peer, to, message)
    assert tape.take() == []
    assert peer.near.cache.addresses == peer.near.calling == {}


def test_waiting_for_neighbours_needs_one_timer() -> None:
    tape, peer = servent(contacts=[], connections=4)
    before = len(tape.timers)
    tape.wait(peer, 3600 * SECOND)
    assert len(tape.timers) <= before


def test_a_silent_neighbour_is_given_up_after_three_pings() -> None:
    tape, peer = connected(1, 2, contacts=[9], ping_s=20, silence=3)
    for _ in range(4):
        tape.wait(peer, 20 * SECOND)
        for to, message in tape.take():
            if isinstance(message, Ping) and to == 1:
                tape.give(peer, Pong(message.guid, 1, 0, 1, 0, 0), sender=1)
    assert list(peer.connections) == [1]
    assert tape.unlinked == [2]
    assert tape.noted("silent neighbour") == [{"peer": 2}]
    assert list(peer.near.calling) == [9]
    assert 2 not in peer.near.cache


def test_a_pong_about_another_servent_is_no_answer_to_a_keep_alive() -> None:
    tape, peer = connected(1, ping_s=20, silence=3)
    for _ in range(4):
        tape.wait(peer, 20 * SECOND)
        tape.give(peer, Pong(guid(1), 1, 1, 1, 0, 0), sender=1)
        tape.give(peer, Pong(guid(1), 1, 0, 8, 0, 0), sender=1)
    assert peer.connections == {}


def pongs(tape: FakeHost) -> list[int]:
    return [message.address for _, message in tape.take() if isinstance(message, Pong)]


# --- the host cache --------------------------------------------------------------------------------------------


def test_pongs_fill_the_host_cache_and_the_longest_unheard_makes_room() -> None:
    tape, peer = connected(1, host_cache=3)
    for address in (5, 6, 5, 7, 8):
        tape.give(peer, Pong(guid(1), 1, 1, address, 0, 0), sender=1)
    assert list(peer.near.cache) == [5, 7, 8]
    tape.give(peer, Pong(guid(1), 1, 1, ME, 0, 0), sender=1)
    assert ME not in peer.near.cache


def test_a_ping_is_answered_with_oneself_and_with_whom_one_heard_of_late() -> None:
    files = (File("Blue Train.mp3", 3_000_000, 1), File("Naima.mp3", 2_000_000, 2))
    tape, peer = connected(1, 2, 3, files=files, contacts=[50, 51])
    tape.give(peer, Ping(guid(1), 2, 0), sender=1)
    sent = [(to, message) for to, message in tape.take() if isinstance(message, Pong)]
    assert {to for to, _ in sent} == {1}
    assert sent[0][1] == Pong(guid(1), 1, 0, ME, 2, 5_000_000 // 1024)
    assert [pong.address for _, pong in sent[1:]] == [2, 3], "not 50 and 51, which are hearsay, and not the asker"
    assert {pong.hops for _, pong in sent[1:]} == {1}


def test_cached_pongs_are_not_passed_on_for_ever() -> None:
    tape, peer = connected(1, 2, ping_s=20, silence=3)
    for second in range(0, 100, 10):
        tape.now_us = second * SECOND
        tape.give(peer, Pong(guid(9), 1, 1, 2, 0, 0), sender=1)
    tape.give(peer, Ping(guid(1), 2, 0), sender=1)
    assert pongs(tape) == [ME], "2 was spoken of, and not heard for a hundred seconds"


def test_a_host_cache_that_is_always_in_use_takes_no_more_room_than_one_that_was_filled_once() -> None:
    tape, peer = connected(1, host_cache=200)
    for turn in range(5_000):
        peer.near.remember(tape, 100 + turn * 7 % 199, turn)
    assert len(peer.near.cache) == 199 + 1
    assert list(peer.near.cache)[-1] == 100 + 4_999 * 7 % 199
    assert getsizeof(peer.near.cache.addresses) <= getsizeof(dict(peer.near.cache.addresses))


def test_at_most_ten_cached_pongs_answer_a_ping() -> None:
    tape, peer = connected(*range(1, 31))
    tape.give(peer, Ping(guid(1), 2, 0), sender=1)
    assert pongs(tape) == [ME, *range(21, 31)]


def test_a_keep_alive_is_answered_with_oneself_alone() -> None:
    tape, peer = connected(1, 2, 3)
    tape.give(peer, Ping(guid(1), 1, 0), sender=1)
    assert pongs(tape) == [ME]


def test_who_knows_few_looks_for_more_with_one_ping_of_a_round() -> None:
    tape, peer = connected(*range(1, 5), ping_s=20)
    tape.wait(peer, 20 * SECOND)
    assert sorted(m.ttl for _, m in tape.take() if isinstance(m, Ping)) == [1, 1, 1, 2]


def test_the_host_cache_survives_a_kill() -> None:
    tape, peer = connected(1, 2, contacts=[9])
    disk = pickle.loads(pickle.dumps(peer.saved()))
    again = Servent()
    again.start(tape, [30], disk)
    assert list(again.near.cache) == [9, 1, 2, 30]
    tape.take()
    tape.wait(again, 1)
    assert sorted(to for to, message in tape.take() if message == Connect()) == [1, 2, 9, 30]


@pytest.mark.parametrize("disk", ["nonsense", 7, [1, 2], ("a", -4, None, True, 2.5, ME)])
def test_damaged_saved_state_is_ignored(disk: object) -> None:
    tape, peer = FakeHost(me=ME, options=gnutella.GnutellaOptions()), Servent()
    peer.start(tape, [], disk)
    assert peer.near.cache.addresses == {}


# --- ping and pong on their way ------------------------------------------------------------------------------


def test_a_ping_goes_on_and_its_pongs_come_back() -> None:
    tape, peer = connected(1, 2, 3)
    tape.give(peer, Ping(guid(1), 4, 2), sender=1)
    assert [(to, m) for to, m in tape.take() if isinstance(m, Ping)] == [
        (2, Ping(guid(1), 3, 3)),
        (3, Ping(guid(1), 3, 3)),
    ]
    tape.give(peer, Pong(guid(1), 4, 0, 2, 5, 6), sender=2)
    assert tape.take() == [(1, Pong(guid(1), 3, 1, 2, 5, 6))]
    tape.give(peer, Pong(guid(1), 1, 3, 40, 5, 6), sender=2)
    assert tape.take() == [], "its TTL is used up"
    tape.give(peer, Ping(guid(1), 4, 2), sender=3)
    assert tape.take() == [], "seen before"


def test_a_ping_that_goes_no_further_is_known_when_it_comes_again() -> None:
    tape, peer = connected(1, 2)
    for ping in (Ping(guid(1), 1, 0), Ping(guid(2), 5, 6)):
        tape.give(peer, ping, sender=1)
        assert ME in pongs(tape)
        for again in (ping, Ping(ping.guid, 5, 0)):
            tape.give(peer, again, sender=2)
            assert tape.take() == []
    assert len(peer.near.pings) == 0, "no pongs come back"
    for at in range(1_000):
        tape.give(peer, Ping(guid(at), 1, 0), sender=1)
    assert len(peer.near.pinged) <= 32


def test_a_cached_pong_tells_what_its_servent_told_of_itself() -> None:
    tape, peer = connected(1, 2, 3)
    tape.give(peer, Pong(guid(7), 1, 0, 2, 12, 345), sender=2)
    tape.give(peer, Ping(guid(1), 2, 0), sender=1)
    told = {m.address: (m.hops, m.files, m.kilobytes) for _, m in tape.take() if isinstance(m, Pong)}
    assert told == {ME: (0, 0, 0), 2: (1, 12, 345), 3: (1, 0, 0)}
