from __future__ import annotations

import pickle

from engine.api import Ask, mentions
from engine.protocols.gossip import Gossiper, GossipOptions, Rumour
from engine.testing import FakeHost


def begun(me: int = 0, peers: int = 10, **options: int) -> tuple[FakeHost, Gossiper]:
    tape, peer = FakeHost(me=me, options=GossipOptions(**options)), Gossiper()
    peer.start(tape, range(peers), None)
    return tape, peer


def test_a_rumour_is_told_to_fanout_others_once() -> None:
    tape, peer = begun()
    tape.ask(peer, Ask(1, "broadcast", "fire"))
    told = tape.take()
    assert len(told) == len({to for to, _ in told}) == 3
    assert 0 not in {to for to, _ in told}
    assert {rumour.text for _, rumour in told} == {"fire"}


def test_the_first_hearing_infects_and_the_second_is_a_duplicate() -> None:
    tape, peer = begun(me=4)
    tape.give(peer, Rumour(7, "fire"), sender=1)
    assert len(tape.take()) == 3
    tape.give(peer, Rumour(7, "fire"), sender=2)
    assert tape.take() == []
    assert tape.notes == [("duplicate", {})]


def test_with_fewer_others_than_fanout_all_are_told() -> None:
    tape, peer = begun(me=1, peers=3)
    tape.give(peer, Rumour(7, "fire"), sender=0)
    assert sorted(to for to, _ in tape.take()) == [0, 2]


def test_a_peer_without_others_sends_nothing() -> None:
    tape, peer = begun(peers=1)
    tape.ask(peer, Ask(1, "broadcast", "fire"))
    assert tape.take() == []


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    tape, peer = begun(remember=2)
    for key in (1, 2, 3):
        tape.give(peer, Rumour(key, f"rumour {key}"), sender=1)
    assert list(peer.heard) == [2, 3]
    assert peer.beliefs().facts == {"heard": "2", "latest": "rumour 3"}


def test_nonsense_is_counted_and_ignored() -> None:
    tape, peer = begun()
    tape.give(peer, Rumour(["a list"], None), sender=1)  # type: ignore[arg-type]
    tape.give(peer, Rumour(5, 17), sender=1)  # type: ignore[arg-type]
    peer.beliefs()
    assert list(Rumour(5, 17).about()) == ["17"]  # type: ignore[arg-type]


def test_a_colluder_does_not_pass_a_rumour_on() -> None:
    rumour = Rumour(7, "Fire in the house")
    assert mentions(rumour.about(), "fire")
    assert rumour.without("fire") is None


def test_it_pickles() -> None:
    tape, peer = begun()
    tape.give(peer, Rumour(7, "fire"), sender=1)
    assert pickle.loads(pickle.dumps(peer)).heard == peer.heard


def test_three_tellings_reach_about_94_of_100() -> None:
    """s = e^(-3 (1 - s)) is .0595; with 500 peers the standard deviation is about .015."""
    n = 500
    tapes = [FakeHost(me=me, options=GossipOptions()) for me in range(n)]
    peers = [Gossiper() for _ in range(n)]
    for tape, peer in zip(tapes, peers, strict=True):
        peer.start(tape, range(n), None)
    tapes[0].ask(peers[0], Ask(1, "broadcast", "fire"))
    under_way = [(0, to, rumour) for to, rumour in tapes[0].take()]
    while under_way:
        sender, to, rumour = under_way.pop(0)
        tapes[to].give(peers[to], rumour, sender)
        under_way += [(to, *each) for each in tapes[to].take()]
    missed = sum(not peer.heard for peer in peers) / n
    assert 0.0595 - 0.05 < missed < 0.0595 + 0.05
