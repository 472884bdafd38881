"""Held links, whose messages wait and go on when they are released; jitter; partitions by a trait."""

from __future__ import annotations

import pytest
from tiny import LATENCY, MS, SECOND, Bureau, Diary, Say, Shout, diary, host, make_swarm, texts

from engine import AskFor, Hold, InputError, Kill, LinkSpec, Partition, Release, Set, Swarm, command_from


def arrivals(swarm: Swarm, peer: int) -> list[tuple[int, str]]:
    return [(at, text) for at, _, text in diary(swarm, peer).heard]


# --- hold and release ----------------------------------------------------------------------------------


def test_messages_on_a_held_link_wait_and_go_on_in_order() -> None:
    swarm = make_swarm(4)
    host(swarm, 0).multicast((1, 2, 3), Say("first"))
    swarm.advance(4 * MS)
    assert swarm.do(Hold("#0 or #1")) == (0, 1)
    host(swarm, 0).send(1, Say("second"))
    host(swarm, 1).send(0, Say("back"))
    swarm.advance(SECOND)
    assert texts(swarm, 0) == texts(swarm, 1) == []
    assert texts(swarm, 2) == texts(swarm, 3) == ["first"], "other links do not care"
    assert swarm.do(Release("#0 or #1")) == (0, 1)
    swarm.advance(2 * SECOND)
    assert arrivals(swarm, 1) == [(SECOND + 6 * MS, "first"), (SECOND + LATENCY, "second")]
    assert arrivals(swarm, 0) == [(SECOND + LATENCY, "back")]


def test_held_messages_are_in_flight_and_do_not_move_in_the_frame() -> None:
    swarm = make_swarm(3)
    host(swarm, 0).send(1, Say("x"))
    swarm.advance(4 * MS)
    swarm.do(Hold((0, 1)))
    for _ in range(5):
        swarm.advance(swarm.now_us + SECOND)
        frame = swarm.snapshot()
        assert (frame.totals.in_flight, frame.flight.total, frame.flight.to.tolist()) == (1, 1, [1])
        row = frame.flight
        assert (frame.now_us - row.sent_us[0]) / (row.arrives_us[0] - row.sent_us[0]) == pytest.approx(0.4)
    swarm.do(Release("all"))
    swarm.advance(swarm.now_us + LATENCY)
    assert swarm.snapshot().totals.in_flight == 0


def test_a_held_question_keeps_its_ask_open_and_outlives_its_sender() -> None:
    swarm = make_swarm(2)
    swarm.do(AskFor(0, "x"))
    swarm.do(Hold("all"))
    assert not swarm.advance_quiet(60 * SECOND)
    swarm.do(Kill(0))
    swarm.do(Release("all"))
    assert swarm.advance_quiet(120 * SECOND)
    assert texts(swarm, 1) == ["x"]


def test_a_single_peer_is_held_with_all_of_its_links() -> None:
    swarm = make_swarm(4)
    assert swarm.do(Hold(2)) == (2,)
    host(swarm, 2).multicast((0, 1, 3), Say("out"))
    host(swarm, 0).multicast((1, 2, 3), Say("in"))
    swarm.advance(SECOND)
    assert [texts(swarm, peer) for peer in range(4)] == [[], ["in"], [], ["in"]]
    assert swarm.do(Release(1)) == ()
    assert swarm.do(Release(2)) == (2,)
    swarm.advance(2 * SECOND)
    assert [texts(swarm, peer) for peer in range(4)] == [["out"], ["in", "out"], ["in"], ["in", "out"]]


def test_releasing_one_peer_frees_its_links_and_leaves_the_others() -> None:
    swarm = make_swarm(3)
    swarm.do(Hold("all"))
    host(swarm, 0).multicast((1, 2), Say("x"))
    host(swarm, 1).send(2, Say("y"))
    swarm.do(Release(0))
    swarm.advance(SECOND)
    assert [texts(swarm, peer) for peer in (1, 2)] == [["x"], ["x"]]
    swarm.do(Release("all"))
    swarm.advance(2 * SECOND)
    assert texts(swarm, 2) == ["x", "y"]


def test_the_end_of_a_stream_waits_behind_what_was_said_in_it() -> None:
    swarm = make_swarm(2)
    host(swarm, 0).send(1, Say("last words"))
    swarm.do(Hold("all"))
    swarm.do(Kill(0))
    swarm.advance(SECOND)
    assert diary(swarm, 1).told == []
    swarm.do(Release("all"))
    swarm.advance(2 * SECOND)
    peer = diary(swarm, 1)
    assert texts(swarm, 1) == ["last words"]
    assert [(at >= peer.heard[0][0], what) for at, what, _ in peer.told] == [(True, "closed")]


def test_nothing_overtakes_what_was_released_even_when_the_way_became_shorter() -> None:
    swarm = make_swarm(2)
    host(swarm, 0).send(1, Say("first"))
    swarm.do(Hold("all"))
    host(swarm, 0).send(1, Say("second"))
    swarm.do(Set("latency", 0.1))
    host(swarm, 0).send(1, Say("third"))
    swarm.do(Release("all"))
    host(swarm, 0).send(1, Say("fourth"))
    host(swarm, 0).send(1, Shout("datagram"))
    swarm.advance(SECOND)
    assert [t for t in texts(swarm, 1) if t != "datagram"] == ["first", "second", "third", "fourth"]
    assert texts(swarm, 1)[0] == "datagram"


def test_messages_on_a_held_link_with_capacity_wait_too() -> None:
    swarm = make_swarm(3, links=LinkSpec("8:8"))
    for number in range(5):
        host(swarm, 0).send(1, Say(str(number)))
    swarm.advance(4 * MS)
    swarm.do(Hold((0, 1)))
    swarm.advance(100 * SECOND)
    assert texts(swarm, 1) == []
    assert swarm.snapshot().flight.total == 5
    swarm.do(Release((0, 1)))
    swarm.advance(200 * SECOND)
    assert texts(swarm, 1) == list("01234")


def test_a_hold_is_the_same_run_when_sliced() -> None:
    prints = []
    for budget in (None, 3):
        swarm = make_swarm(6, latency="uniform:5-90")
        for step in range(1, 30):
            host(swarm, step % 6).multicast([p for p in range(6) if p != step % 6], Say(str(step)))
            if step in (5, 9):
                swarm.do(Hold("random 3"))
            if step in (12, 20):
                swarm.do(Release("all"))
            while swarm.now_us < step * 20 * MS:
                swarm.advance(step * 20 * MS, budget)
        prints.append(swarm.fingerprint())
    assert prints[0] == prints[1]


def test_too_many_links_to_hold_are_refused() -> None:
    swarm = make_swarm(1_001, topology="ring")
    with pytest.raises(InputError, match="at most 1,000"):
        swarm.do(Hold("all"))
    assert swarm.do(Release("all")) == ()
    assert command_from("hold", {"peers": "p1"}, "x") == Hold("p1")
    with pytest.raises(InputError, match='needs "peers"'):
        command_from("release", {}, "x")


# --- jitter --------------------------------------------------------------------------------------------


def test_jitter_delays_each_message_by_up_to_its_limit_and_reorders_datagrams_only() -> None:
    swarm = make_swarm(2, links=LinkSpec(jitter_ms=50.0))
    for number in range(300):
        host(swarm, 0).send(1, Say(f"say {number}"))
        host(swarm, 0).send(1, Shout(str(number)))
        swarm.advance(swarm.now_us + MS)
    swarm.advance(swarm.now_us + SECOND)
    shouts = [(at, int(text)) for at, text in arrivals(swarm, 1) if text.isdigit()]
    late = [at - LATENCY - number * MS for at, number in shouts]
    assert min(late) == 0
    assert max(late) == 50 * MS
    assert 23 * MS < sum(late) / len(late) < 27 * MS
    assert [number for _, number in shouts] != sorted(number for _, number in shouts)
    assert [text for _, text in arrivals(swarm, 1) if not text.isdigit()] == [f"say {n}" for n in range(300)]
    assert swarm.snapshot().totals.dropped == 0


def test_jitter_is_set_while_it_runs_and_nothing_overtakes_when_it_ends() -> None:
    swarm = make_swarm(2)
    host(swarm, 0).send(1, Say("0"))
    swarm.do(Set("jitter", 500))
    assert swarm.settings()["jitter"] == 500.0
    for number in range(1, 50):
        host(swarm, 0).send(1, Say(str(number)))
    swarm.do(Set("jitter", 0.0))
    host(swarm, 0).send(1, Say("50"))
    host(swarm, 0).send(1, Shout("datagram"))
    swarm.advance(10 * SECOND)
    assert [text for text in texts(swarm, 1) if text != "datagram"] == [str(number) for number in range(51)]
    assert (LATENCY, "datagram") in arrivals(swarm, 1)
    with pytest.raises(InputError, match="jitter"):
        swarm.do(Set("jitter", -1))


# --- partition by a trait --------------------------------------------------------------------------------


def test_in_a_partition_by_city_every_city_is_a_side() -> None:
    swarm = make_swarm(30)
    swarm.do(Partition("all", by="city"))
    frame = swarm.snapshot()
    place = frame.fixed.place
    for a in range(30):
        for b in range(30):
            assert (frame.group[a] == frame.group[b]) == (place[a] == place[b])
    assert len(set(frame.group.tolist())) == len(set(place.tolist())) > 5


def test_partitions_by_operator_by_role_and_by_named_values() -> None:
    swarm = make_swarm(4, Bureau)
    swarm.do(Partition("not role=writer", by="operator"))
    assert swarm.snapshot().group.tolist() == [0, 0, 0, 0, 1, 1, 2]
    swarm.do(Partition("all", by="role"))
    group = swarm.snapshot().group.tolist()
    assert len(set(group)) == 3
    with pytest.raises(InputError, match="partition does not go by"):
        swarm.do(Partition("all", by="towns"))
    assert isinstance(swarm.peer(0), Diary)
