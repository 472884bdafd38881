"""Ways over several peers: how peers report them, what a snapshot shows, and when they end."""

from __future__ import annotations

import pickle

from tiny import Diary, host, make_swarm

from engine import FakeHost, Kill, Revive, Swarm
from engine.sim.ways import HOPS_MOST, WAYS_MOST


def told(swarm: Swarm) -> dict[tuple[int, ...], str]:
    paths = swarm.snapshot().paths
    return {
        tuple(one for one in hops if one >= 0): paths.words[word]
        for hops, word in zip(paths.hops.tolist(), paths.word.tolist(), strict=True)
    }


def test_a_way_by_itself() -> None:
    fake = FakeHost(me=3)
    fake.path("a", [4, 5], "circuit")
    fake.path("b", (6,))
    fake.path("a", (7, 8, 9), "circuit")
    assert fake.paths == {"b": ((6,), ""), "a": ((7, 8, 9), "circuit")}
    fake.path("a", ())
    fake.path("unknown", ())
    assert fake.paths == {"b": ((6,), "")}


def test_ways_are_in_the_snapshot_until_they_are_taken_back_or_their_peer_stops() -> None:
    swarm = make_swarm(8)
    assert told(swarm) == {}
    host(swarm, 0).path("a", (1, 2, 3), "circuit")
    host(swarm, 0).path("b", (4,), "call")
    host(swarm, 5).path("a", (6, 99, "x", 7, 1, 2, 3), "circuit")  # type: ignore[arg-type]
    assert told(swarm) == {(0, 1, 2, 3): "circuit", (0, 4): "call", (5, 6, 7, 1, 2, 3): "circuit"}
    assert swarm.paths_of(0) == (((1, 2, 3), "circuit"), ((4,), "call"))
    assert swarm.snapshot().paths is swarm.snapshot().paths
    host(swarm, 0).path("a", (2,), "circuit")
    assert swarm.paths_of(0) == (((2,), "circuit"), ((4,), "call")), "a way that changes keeps its place"
    swarm.do(Kill(2))
    assert swarm.paths_of(0)[0] == ((2,), "circuit"), "it does not know yet"
    host(swarm, 0).path("b", ())
    assert told(swarm) == {(0, 2): "circuit", (5, 6, 7, 1, 2, 3): "circuit"}
    swarm.do(Kill(0))
    host(swarm, 0).path("c", (1,))
    assert told(swarm) == {(5, 6, 7, 1, 2, 3): "circuit"}
    swarm.do(Revive(0))
    assert swarm.paths_of(0) == ()


def test_a_peer_reports_a_limited_number_of_ways_of_a_limited_length() -> None:
    swarm = make_swarm(8)
    for number in range(WAYS_MOST + 3):
        host(swarm, 0).path(number, [1, 2] * HOPS_MOST)
    kept = swarm.paths_of(0)
    assert len(kept) == WAYS_MOST
    assert {len(hops) for hops, _ in kept} == {HOPS_MOST}


def test_a_copy_has_the_same_ways_and_they_are_no_part_of_the_fingerprint() -> None:
    quiet, swarm = make_swarm(6, Diary), make_swarm(6, Diary)
    host(swarm, 0).path("a", (1, 2, 3), "circuit")
    host(swarm, 1).path("b", (2,))
    copy: Swarm = pickle.loads(pickle.dumps(swarm))
    assert told(copy) == told(swarm)
    for each in (swarm, copy):
        host(each, 0).path("a", ())
        host(each, 4).path("a", (5, 1), "call")
    assert told(copy) == told(swarm) == {(1, 2): "", (4, 5, 1): "call"}
    for each in (quiet, swarm, copy):
        each.advance(1_000_000)
    assert quiet.fingerprint() == swarm.fingerprint() == copy.fingerprint()


def test_ways_that_go_on_are_followed_to_their_end_and_loops_are_seen() -> None:
    swarm = make_swarm(8)
    for peer, to in ((0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 5)):
        host(swarm, peer).path("next hop", (to,), "way", onward=True)
    host(swarm, 7).path("next hop", (0, 1), "way")
    assert swarm.paths_of(0) == (((1, 2, 3), "way"),)
    assert swarm.paths_of(4) == (((5, 6, 5), "way"),)
    assert swarm.paths_of(7) == (((0, 1), "way"),), "it does not go on"

    def seen(each: Swarm) -> dict[int, tuple[int, bool]]:
        """The first peer of each way -> the first peer of the way that follows it, and whether it is in a loop."""
        paths = each.snapshot().paths
        first = [*paths.hops[:, 0].tolist(), -2, -1]
        rows = zip(paths.following.tolist(), paths.loops.tolist(), strict=True)
        return {first[row]: (first[at], loop) for row, (at, loop) in enumerate(rows)}

    expected = {0: (1, False), 1: (2, False), 2: (-1, False), 4: (5, False), 5: (6, True), 6: (5, True), 7: (-2, False)}
    copy: Swarm = pickle.loads(pickle.dumps(swarm))
    assert seen(swarm) == seen(copy) == expected
    host(swarm, 6).path("next hop", (3,), "way", onward=True)
    host(swarm, 1).path("next hop", ())
    swarm.do(Kill(2))
    assert seen(swarm) == {0: (-1, False), 4: (5, False), 5: (6, False), 6: (-1, False), 7: (-2, False)}
    assert swarm.paths_of(4) == (((5, 6, 3), "way"),)
