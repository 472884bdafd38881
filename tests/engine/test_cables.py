"""Networks whose peers reach only those that they have a link with: links are cables, which stay when an end stops."""

from __future__ import annotations

import pickle

from tiny import LATENCY, MS, SECOND, Diary, Say, Shout, Tick, diary, host, make_swarm, texts, told

from engine import Cut, FakeHost, Host, Join, Kill, Leave, LinkSpec, Mend, Partition, Peer, PeerId, Revive, Swarm


class Wired(Diary, name="wired"):
    """A diary with cables."""

    reach = "links"

    def opened(self, host: Host, peer: PeerId) -> None:
        self.told.append((host.now_us, "opened", peer))


class Greeted(Diary, name="greeted"):
    """A diary without cables that is told of streams."""

    def opened(self, host: Host, peer: PeerId) -> None:
        self.told.append((host.now_us, "opened", peer))


def ring(peers: int = 4) -> Swarm:
    return make_swarm(peers, Wired, topology="ring")


def test_what_is_sent_to_a_peer_without_a_link_is_dropped_and_counted() -> None:
    swarm = ring()
    host(swarm, 0).multicast((1, 2, 3), Say("x"))
    host(swarm, 0).send(2, Shout("y"))
    swarm.advance(SECOND)
    assert [texts(swarm, peer) for peer in (1, 2, 3)] == [["x"], [], ["x"]]
    totals = swarm.snapshot().totals
    assert totals.dropped_by == {"no link": 2}
    assert totals.in_flight == 0


def test_a_cut_cable_closes_at_both_ends_and_is_open_again_when_it_is_mended() -> None:
    swarm = ring()
    swarm.do(Cut((0, 1)))
    swarm.advance(SECOND)
    assert told(swarm, 0) == [("closed", 1)]
    host(swarm, 0).send(1, Shout("lost"))
    swarm.do(Mend((0, 1)))
    swarm.advance(2 * SECOND)
    assert told(swarm, 0) == [("closed", 1), ("opened", 1)]
    assert told(swarm, 1) == [("closed", 0), ("opened", 0)]
    host(swarm, 1).send(0, Say("there again"))
    swarm.advance(3 * SECOND)
    assert texts(swarm, 0) == ["there again"]
    assert texts(swarm, 1) == []


def test_the_cables_of_a_peer_that_stops_are_there_when_it_starts_again() -> None:
    for stop, start in ((Kill(1), Revive(1)), (Leave(1), Join(1))):
        swarm = ring()
        swarm.do(stop)
        swarm.do(Cut((1, 2)))
        swarm.advance(SECOND)
        assert told(swarm, 0) == [("closed", 1)]
        swarm.do(start)
        assert diary(swarm, 1).near == [0], "the other one is cut"
        swarm.advance(2 * SECOND)
        assert told(swarm, 0) == [("closed", 1), ("opened", 1)]
        assert told(swarm, 1) == [], "it was told at its start"
        swarm.do(Mend(1))
        swarm.advance(3 * SECOND)
        assert told(swarm, 1) == [("opened", 2)]


def test_a_peer_that_is_down_when_a_cable_is_mended_has_it_when_it_starts() -> None:
    swarm = ring()
    swarm.do(Cut((0, 1)))
    swarm.do(Kill(1))
    swarm.do(Mend((0, 1)))
    swarm.advance(SECOND)
    assert told(swarm, 0) == [("closed", 1)]
    swarm.do(Revive(1))
    assert sorted(diary(swarm, 1).near) == [0, 2]


def test_a_new_cable_stays_and_one_that_is_taken_out_does_not() -> None:
    swarm = ring(5)
    host(swarm, 0).link(2)
    host(swarm, 0).unlink(1)
    swarm.advance(LATENCY)
    assert told(swarm, 0) == [("opened", 2)]
    assert told(swarm, 2) == [("opened", 0)]
    assert told(swarm, 1) == [("closed", 0)]
    swarm.do(Kill(0))
    swarm.do(Revive(0))
    assert sorted(diary(swarm, 0).near) == [2, 4]
    copy: Swarm = pickle.loads(pickle.dumps(swarm))
    for each in (swarm, copy):
        each.do(Kill(4))
        each.do(Revive(4))
        each.advance(SECOND)
        assert sorted(diary(each, 4).near) == [0, 3]
    assert copy.fingerprint() == swarm.fingerprint()


def test_a_nat_blocks_no_cable() -> None:
    swarm = make_swarm(3, Wired, links=LinkSpec(nat=1.0))
    host(swarm, 0).send(1, Shout("x"))
    host(swarm, 2).link(1)
    swarm.advance(SECOND)
    assert texts(swarm, 1) == ["x"]


def test_a_stream_that_breaks_over_a_cable_is_reported_and_the_cable_stays() -> None:
    swarm = ring()
    swarm.do(Partition((0,)))
    host(swarm, 0).send(1, Say("stalls"))
    swarm.advance(200 * SECOND)
    assert told(swarm, 0)[:2] == [("closed", 1), ("opened", 1)]
    assert 1 in swarm.links_of(0)


def test_both_ends_are_told_of_a_stream_in_a_network_without_cables() -> None:
    swarm = make_swarm(3, Greeted)
    host(swarm, 0).unlink(1)
    swarm.advance(SECOND)
    host(swarm, 1).link(0)
    host(swarm, 1).link(0)
    swarm.advance(SECOND + LATENCY)
    assert told(swarm, 1) == [("closed", 0), ("opened", 0)]
    assert told(swarm, 0) == [("opened", 1)]
    swarm.do(Cut((0, 1)))
    swarm.do(Mend((0, 1)))
    swarm.advance(3 * SECOND)
    assert ("opened", 1) not in told(swarm, 0)[1:], "streams stay closed until a peer opens them"


def test_ticks_with_a_phase_come_in_step_and_the_cost_of_a_link_is_its_delay() -> None:
    swarm = make_swarm(3, latency="constant:7.4")
    swarm.advance(2_500 * MS)
    for peer in range(3):
        host(swarm, peer).every(SECOND, Tick("step"), phase=0)
        host(swarm, peer).every(2 * SECOND, Tick("late"), phase=500 * MS)
    swarm.advance(5 * SECOND)
    assert {tuple(diary(swarm, peer).ticks) for peer in range(3)} == {
        ((3 * SECOND, "step"), (4 * SECOND, "step"), (4_500 * MS, "late"), (5 * SECOND, "step"))
    }
    assert [host(swarm, 0).cost(peer) for peer in (1, 2, 99)] == [7, 7, 1]
    fake, one = FakeHost(), Wired()
    fake.costs = {4: 9}
    assert (fake.cost(4), fake.cost(5)) == (9, 1)
    fake.now_us = 300
    fake.every(1_000, Tick("x"), phase=100)
    fake.every(1_000, Tick("y"))
    assert [timer.at_us for timer in fake.timers] == [1_100, 1_300]
    fake.neighbours(one, (3,))
    fake.open(one, 5)
    assert (one.near, one.told) == ([3], [(300, "opened", 5)])
    assert Peer.reach == "anyone"
