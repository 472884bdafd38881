"""A held link stands still, and goes on where it stood. And jitter, and partitions by a trait."""

from __future__ import annotations

import pytest
from tiny import LATENCY, MS, SECOND, Bureau, Diary, Say, Shout, diary, host, swarm, texts

from engine import AskFor, Hold, InputError, Kill, LinkSpec, Partition, Release, Set, Swarm, command_from


def arrivals(town: Swarm, peer: int) -> list[tuple[int, str]]:
    return [(at, text) for at, _, text in diary(town, peer).heard]


# --- hold and release ----------------------------------------------------------------------------------


def test_what_is_on_a_link_stands_still_and_goes_on_from_there_in_order() -> None:
    town = swarm(4)
    host(town, 0).multicast((1, 2, 3), Say("first"))
    town.advance(4 * MS)
    assert town.do(Hold("#0 or #1")) == (0, 1)
    host(town, 0).send(1, Say("second"))
    host(town, 1).send(0, Say("back"))
    town.advance(SECOND)
    assert texts(town, 0) == texts(town, 1) == []
    assert texts(town, 2) == texts(town, 3) == ["first"], "other links do not care"
    assert town.do(Release("#0 or #1")) == (0, 1)
    town.advance(2 * SECOND)
    assert arrivals(town, 1) == [(SECOND + 6 * MS, "first"), (SECOND + LATENCY, "second")]
    assert arrivals(town, 0) == [(SECOND + LATENCY, "back")]


def test_held_messages_are_in_flight_and_do_not_move_in_the_frame() -> None:
    town = swarm(3)
    host(town, 0).send(1, Say("x"))
    town.advance(4 * MS)
    town.do(Hold((0, 1)))
    for _ in range(5):
        town.advance(town.now_us + SECOND)
        frame = town.snapshot()
        assert (frame.totals.in_flight, frame.flight.total, frame.flight.to.tolist()) == (1, 1, [1])
        row = frame.flight
        assert (frame.now_us - row.sent_us[0]) / (row.arrives_us[0] - row.sent_us[0]) == pytest.approx(0.4)
    town.do(Release("all"))
    town.advance(town.now_us + LATENCY)
    assert town.snapshot().totals.in_flight == 0


def test_a_held_question_keeps_its_ask_open_and_outlives_its_sender() -> None:
    town = swarm(2)
    town.do(AskFor(0, "x"))
    town.do(Hold("all"))
    assert not town.advance_quiet(60 * SECOND)
    town.do(Kill(0))
    town.do(Release("all"))
    assert town.advance_quiet(120 * SECOND)
    assert texts(town, 1) == ["x"]


def test_a_single_peer_is_held_with_all_of_its_links() -> None:
    town = swarm(4)
    assert town.do(Hold(2)) == (2,)
    host(town, 2).multicast((0, 1, 3), Say("out"))
    host(town, 0).multicast((1, 2, 3), Say("in"))
    town.advance(SECOND)
    assert [texts(town, peer) for peer in range(4)] == [[], ["in"], [], ["in"]]
    assert town.do(Release(1)) == ()
    assert town.do(Release(2)) == (2,)
    town.advance(2 * SECOND)
    assert [texts(town, peer) for peer in range(4)] == [["out"], ["in", "out"], ["in"], ["in", "out"]]


def test_releasing_one_peer_frees_its_links_and_leaves_the_others() -> None:
    town = swarm(3)
    town.do(Hold("all"))
    host(town, 0).multicast((1, 2), Say("x"))
    host(town, 1).send(2, Say("y"))
    town.do(Release(0))
    town.advance(SECOND)
    assert [texts(town, peer) for peer in (1, 2)] == [["x"], ["x"]]
    town.do(Release("all"))
    town.advance(2 * SECOND)
    assert texts(town, 2) == ["x", "y"]


def test_the_end_of_a_stream_waits_behind_what_was_said_in_it() -> None:
    town = swarm(2)
    host(town, 0).send(1, Say("last words"))
    town.do(Hold("all"))
    town.do(Kill(0))
    town.advance(SECOND)
    assert diary(town, 1).told == []
    town.do(Release("all"))
    town.advance(2 * SECOND)
    peer = diary(town, 1)
    assert texts(town, 1) == ["last words"]
    assert [(at >= peer.heard[0][0], what) for at, what, _ in peer.told] == [(True, "closed")]


def test_nothing_overtakes_what_was_released_even_when_the_way_became_shorter() -> None:
    town = swarm(2)
    host(town, 0).send(1, Say("first"))
    town.do(Hold("all"))
    host(town, 0).send(1, Say("second"))
    town.do(Set("latency", 0.1))
    host(town, 0).send(1, Say("third"))
    town.do(Release("all"))
    host(town, 0).send(1, Say("fourth"))
    host(town, 0).send(1, Shout("datagram"))
    town.advance(SECOND)
    assert [t for t in texts(town, 1) if t != "datagram"] == ["first", "second", "third", "fourth"]
    assert texts(town, 1)[0] == "datagram"


def test_a_held_line_with_capacity_stands_still_as_well() -> None:
    town = swarm(3, links=LinkSpec("8:8"))
    for number in range(5):
        host(town, 0).send(1, Say(str(number)))
    town.advance(4 * MS)
    town.do(Hold((0, 1)))
    town.advance(100 * SECOND)
    assert texts(town, 1) == []
    assert town.snapshot().flight.total == 5
    town.do(Release((0, 1)))
    town.advance(200 * SECOND)
    assert texts(town, 1) == list("01234")


def test_a_hold_is_the_same_run_when_sliced() -> None:
    prints = []
    for budget in (None, 3):
        town = swarm(6, latency="uniform:5-90")
        for step in range(1, 30):
            host(town, step % 6).multicast([p for p in range(6) if p != step % 6], Say(str(step)))
            if step in (5, 9):
                town.do(Hold("random 3"))
            if step in (12, 20):
                town.do(Release("all"))
            while town.now_us < step * 20 * MS:
                town.advance(step * 20 * MS, budget)
        prints.append(town.fingerprint())
    assert prints[0] == prints[1]


def test_too_many_to_hold_is_told() -> None:
    town = swarm(1_001, topology="ring")
    with pytest.raises(InputError, match="at most 1,000"):
        town.do(Hold("all"))
    assert town.do(Release("all")) == ()
    assert command_from("hold", {"peers": "p1"}, "x") == Hold("p1")
    with pytest.raises(InputError, match='needs "peers"'):
        command_from("release", {}, "x")


# --- jitter --------------------------------------------------------------------------------------------


def test_jitter_delays_each_message_by_up_to_its_limit_and_reorders_datagrams_only() -> None:
    town = swarm(2, links=LinkSpec(jitter_ms=50.0))
    for number in range(300):
        host(town, 0).send(1, Say(f"say {number}"))
        host(town, 0).send(1, Shout(str(number)))
        town.advance(town.now_us + MS)
    town.advance(town.now_us + SECOND)
    shouts = [(at, int(text)) for at, text in arrivals(town, 1) if text.isdigit()]
    late = [at - LATENCY - number * MS for at, number in shouts]
    assert min(late) == 0
    assert max(late) == 50 * MS
    assert 23 * MS < sum(late) / len(late) < 27 * MS
    assert [number for _, number in shouts] != sorted(number for _, number in shouts)
    assert [text for _, text in arrivals(town, 1) if not text.isdigit()] == [f"say {n}" for n in range(300)]
    assert town.snapshot().totals.dropped == 0


def test_jitter_is_set_while_it_runs_and_nothing_overtakes_when_it_ends() -> None:
    town = swarm(2)
    host(town, 0).send(1, Say("0"))
    town.do(Set("jitter", 500))
    assert town.settings()["jitter"] == 500.0
    for number in range(1, 50):
        host(town, 0).send(1, Say(str(number)))
    town.do(Set("jitter", 0.0))
    host(town, 0).send(1, Say("50"))
    host(town, 0).send(1, Shout("datagram"))
    town.advance(10 * SECOND)
    assert [text for text in texts(town, 1) if text != "datagram"] == [str(number) for number in range(51)]
    assert (LATENCY, "datagram") in arrivals(town, 1)
    with pytest.raises(InputError, match="jitter"):
        town.do(Set("jitter", -1))


# --- partition by a trait --------------------------------------------------------------------------------


def test_every_city_is_a_side_of_its_own() -> None:
    town = swarm(30)
    town.do(Partition("all", by="city"))
    frame = town.snapshot()
    place = frame.fixed.place
    for a in range(30):
        for b in range(30):
            assert (frame.group[a] == frame.group[b]) == (place[a] == place[b])
    assert len(set(frame.group.tolist())) == len(set(place.tolist())) > 5


def test_by_operator_and_by_role_and_only_those_named() -> None:
    town = swarm(4, Bureau)
    town.do(Partition("not role=writer", by="operator"))
    assert town.snapshot().group.tolist() == [0, 0, 0, 0, 1, 1, 2]
    town.do(Partition("all", by="role"))
    group = town.snapshot().group.tolist()
    assert len(set(group)) == 3
    with pytest.raises(InputError, match="partition does not go by"):
        town.do(Partition("all", by="towns"))
    assert isinstance(town.peer(0), Diary)
