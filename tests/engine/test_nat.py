"""Peers behind a NAT, which can open connections and cannot be connected to."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tiny import LATENCY, SECOND, Say, Shout, diary, host, make_swarm, texts

from engine import AskFor, ContentSpec, InputError, Kill, LinkSpec, NatKind, Revive, Setup, Swarm, can_meet, read_links
from engine.record.codec import setup_from_map, setup_to_map
from engine.sim.nat import DATAGRAM_US, SILENCE_US, STREAM_US, SWEEP_LEAST


def street(**changes: Any) -> tuple[Swarm, int, int, int]:
    """A swarm without links, two peers behind a NAT, and one that is not behind one."""
    swarm = make_swarm(12, topology="ring", links=LinkSpec(nat=0.5), **changes)
    for a in range(12):
        swarm.simulation.streams.close(a, (a + 1) % 12)
    behind = swarm.select("nat=yes")
    return swarm, behind[0], behind[1], swarm.select("nat=no")[0]


def test_a_connection_from_outside_gets_no_answer_and_then_a_refusal() -> None:
    swarm, inside, _, outside = street()
    host(swarm, outside).send(inside, Say("may I?"))
    swarm.advance(5 * SECOND)
    assert texts(swarm, inside) == diary(swarm, outside).told == []
    assert swarm.snapshot().totals.dropped_by == {"nat": 1}
    swarm.advance(10 * SECOND)
    assert diary(swarm, outside).told == [(2 * LATENCY + SILENCE_US, "refused", inside)]


def test_only_a_peer_that_got_a_message_may_answer() -> None:
    swarm, inside, other, outside = street()
    host(swarm, inside).send(outside, Say("hello"))
    swarm.advance(SECOND)
    host(swarm, outside).send(inside, Say("hello yourself"))
    host(swarm, other).send(inside, Say("and I?"))
    swarm.advance(2 * SECOND)
    assert texts(swarm, inside) == ["hello yourself"]
    assert swarm.snapshot().totals.dropped_by == {"nat": 1}


def test_two_peers_behind_a_nat_cannot_connect_by_streams_alone() -> None:
    swarm, inside, other, _ = street()
    host(swarm, inside).send(other, Say("x"))
    swarm.advance(30 * SECOND)
    assert texts(swarm, other) == []
    host(swarm, other).send(inside, Say("y"))
    swarm.advance(60 * SECOND)
    assert texts(swarm, inside) == ["y"], "it had called: what comes back from there is let in"


def test_a_mapping_of_datagrams_ends_after_two_minutes_unless_it_is_refreshed_from_inside() -> None:
    swarm, inside, _, outside = street()
    host(swarm, outside).send(inside, Shout("unasked"))
    swarm.advance(SECOND)
    host(swarm, inside).send(outside, Shout("ping"))
    swarm.advance(2 * SECOND)
    for _ in range(3):
        host(swarm, outside).send(inside, Shout("pong"))
        swarm.advance(swarm.now_us + 50 * SECOND)
    assert texts(swarm, inside) == ["pong"] * 3, "what comes in refreshes nothing"
    host(swarm, outside).send(inside, Shout("late"))
    swarm.advance(swarm.now_us + SECOND)
    assert texts(swarm, inside)[3:] == []
    host(swarm, inside).send(outside, Shout("again"))
    swarm.advance(swarm.now_us + DATAGRAM_US - LATENCY)
    host(swarm, outside).send(inside, Shout("in time"))
    swarm.advance(swarm.now_us + SECOND)
    assert texts(swarm, inside)[3:] == ["in time"]
    assert swarm.snapshot().totals.dropped_by == {"nat": 2}


def test_a_datagram_opens_no_way_for_a_stream() -> None:
    swarm, inside, _, outside = street()
    host(swarm, inside).send(outside, Shout("ping"))
    swarm.advance(SECOND)
    host(swarm, outside).send(inside, Say("call"))
    swarm.advance(2 * SECOND)
    assert texts(swarm, inside) == []


def test_an_open_stream_stays_open_and_saying_that_there_is_one_opens_none() -> None:
    swarm, inside, _, outside = street()
    host(swarm, outside).link(inside)
    assert swarm.links_of(outside) == ()
    host(swarm, inside).send(outside, Say("hello"))
    host(swarm, outside).link(inside)
    assert swarm.links_of(outside) == (inside,)
    swarm.advance(STREAM_US + SECOND)
    host(swarm, outside).send(inside, Say("still there?"))
    swarm.advance(swarm.now_us + SECOND)
    assert texts(swarm, inside) == ["still there?"]
    host(swarm, outside).unlink(inside)
    host(swarm, outside).send(inside, Say("and now?"))
    swarm.advance(swarm.now_us + SECOND)
    assert texts(swarm, inside) == ["still there?"], "the call is long ago"


def test_calls_end_with_the_process_that_made_or_took_them() -> None:
    for who in (0, 1):
        swarm, inside, _, outside = street()
        host(swarm, inside).send(outside, Say("hello"))
        swarm.advance(SECOND)
        swarm.do(Kill((inside, outside)[who]))
        swarm.do(Revive((inside, outside)[who]))
        host(swarm, outside).send(inside, Say("are you there?"))
        swarm.advance(2 * SECOND)
        assert texts(swarm, inside) == []


def test_the_first_overlay_has_links_through_nats() -> None:
    swarm = make_swarm(6, links=LinkSpec(nat=1.0))
    host(swarm, 0).multicast(range(1, 6), Say("x"))
    swarm.advance(SECOND)
    assert all(texts(swarm, peer) == ["x"] for peer in range(1, 6))


def test_tables_of_mappings_stay_small() -> None:
    swarm, inside, _, _ = street()
    nat = swarm.simulation.network.nat
    assert nat is not None
    for round_ in range(10):
        for other in range(4 * SWEEP_LEAST):
            nat.called(inside, 1_000 * round_ + other, stream=False)
        swarm.advance(swarm.now_us + DATAGRAM_US + SECOND)
    assert len(nat._out[inside]) <= 9 * SWEEP_LEAST


def test_loss_of_each_kind_has_its_own_name() -> None:
    from engine import Censor, Partition

    swarm, inside, _, outside = street()
    dead, cut, hushed = [p for p in swarm.select("nat=no") if p != outside][:3]
    swarm.do(Kill(dead))
    swarm.do(Partition(cut))
    swarm.do(Censor(hushed))
    for to in (inside, dead, cut, hushed, 99):
        host(swarm, outside).send(to, Shout("x"))
    swarm.advance(SECOND)
    reasons = ("censored", "dead", "nat", "nowhere", "partition")
    assert swarm.snapshot().totals.dropped_by == dict.fromkeys(("nowhere", "nat", "dead", "partition", "censored"), 1)
    assert sorted(swarm.snapshot().totals.dropped_by) == sorted(reasons)


# --- kinds of NAT (by a rendezvous all pairs can connect except S-S, S-P, and B with one that is not open) ---

KINDS = {"open": 0.2, "full": 0.1, "address": 0.1, "port": 0.3, "symmetric": 0.2, "blocked": 0.1}


def pair(a: NatKind, b: NatKind) -> Swarm:
    """Two peers behind these kinds, without a link, and two more."""
    swarm = make_swarm(4, topology="ring", links=LinkSpec(nat=1.0))
    for one in range(4):
        swarm.simulation.streams.close(one, (one + 1) % 4)
    nat = swarm.simulation.network.nat
    assert nat is not None
    nat.behind = (a, b, NatKind.OPEN, NatKind.OPEN)
    return swarm


def met_by_datagrams(a: NatKind, b: NatKind) -> bool:
    """Whether datagrams arrive at both, if each sends three to the other at the same time."""
    swarm = pair(a, b)
    for at in range(3):
        host(swarm, 0).send(1, Shout(f"a{at}"))
        host(swarm, 1).send(0, Shout(f"b{at}"))
        swarm.advance(swarm.now_us + SECOND)
    heard = [bool(texts(swarm, one)) for one in (0, 1)]
    assert heard[0] == heard[1], "what one end can send, the other can answer"
    return all(heard)


def met_by_streams(a: NatKind, b: NatKind) -> bool:
    swarm = pair(a, b)
    for frm, to in ((0, 1), (1, 0), (0, 1)):
        host(swarm, frm).send(to, Say("hello"))
        swarm.advance(swarm.now_us + 10 * SECOND)
    return bool(texts(swarm, 0)) and bool(texts(swarm, 1))


@pytest.mark.parametrize("a", NatKind)
def test_two_that_send_at_the_same_time_connect_by_the_rule(a: NatKind) -> None:
    for b in NatKind:
        ways = met_by_datagrams(a, b), met_by_streams(a, b)
        assert any(ways) == can_meet(a, b) == can_meet(b, a), (a, b)
        if NatKind.UDP_BLOCKED not in (a, b):
            assert ways[0] == can_meet(a, b), (a, b)


def test_each_kind_of_nat_passes_the_right_datagrams() -> None:
    """A datagram of an open peer: unasked, after it sent to another one, after it sent to this one."""
    passed = {}
    for kind in NatKind:
        swarm = pair(kind, NatKind.OPEN)
        for to in (None, 2, 1):
            if to is not None:
                host(swarm, 0).send(to, Shout("out"))
            host(swarm, 1).send(0, Shout(f"after {to}"))
            swarm.advance(swarm.now_us + SECOND)
        passed[kind] = len(texts(swarm, 0))
    assert passed == {
        NatKind.OPEN: 3,
        NatKind.FULL_CONE: 2,
        NatKind.ADDRESS_RESTRICTED: 1,
        NatKind.PORT_RESTRICTED: 1,
        NatKind.SYMMETRIC: 1,
        NatKind.UDP_BLOCKED: 0,
    }
    swarm = pair(NatKind.FULL_CONE, NatKind.OPEN)
    host(swarm, 0).send(2, Shout("out"))
    swarm.advance(DATAGRAM_US + SECOND)
    host(swarm, 1).send(0, Shout("late"))
    swarm.advance(swarm.now_us + SECOND)
    assert texts(swarm, 0) == [], "its mapping is over"


def test_shares_of_kinds_are_drawn_stated_and_selected() -> None:
    spec = ",".join(f"{word}:{share}" for word, share in KINDS.items())
    swarm = make_swarm(600, links=LinkSpec(nat=spec))
    for word, share in KINDS.items():
        found = swarm.select("nat=no" if word == "open" else f"nat={word}")
        assert abs(len(found) / 600 - share) < 4 * (share * (1 - share) / 600) ** 0.5, word
    assert swarm.select("nat=yes") == tuple(sorted(swarm.select("not nat=no")))
    plain = make_swarm(60, links=LinkSpec(nat=0.3)).snapshot().fixed.nat
    assert set(plain.tolist()) == {NatKind.OPEN, NatKind.PORT_RESTRICTED}


@pytest.mark.parametrize("nat", ["usual", "full:0.2,blocked:0.1", 0.3])
def test_kinds_of_nat_are_read_from_scenarios_and_kept_in_recordings(nat: str | float) -> None:
    links = read_links({"nat": nat}, {"nat": "here"})
    assert links == LinkSpec(nat=nat)
    setup = Setup("skype", links=links)
    assert setup_from_map(setup_to_map(setup)) == setup


def test_the_usual_kinds_are_those_of_the_network_and_none_is_said_by_zero() -> None:
    assert Swarm(Setup("skype", 40)).select("nat=yes")
    assert not Swarm(Setup("skype", 40, links=LinkSpec(nat=0.0))).select("nat=yes")
    assert not Swarm(Setup("gnutella", 40)).select("nat=yes")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("full:0.7,port:0.6", "1.3 in sum"),
        ("fall:0.5", 'no kind of NAT is called "fall"; did you mean "full"?'),
        ("full:much", "share of each kind such as"),
        ("full:0.1,full:0.1", "share of each kind such as"),
        ("some", "share from 0 to 1"),
    ],
)
def test_invalid_shares_are_refused_in_one_sentence(spec: str, words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        make_swarm(4, links=LinkSpec(nat=spec))


# --- the networks' own ways around it --------------------------------------------------------------------


def fetched(protocol: str, holder_behind: bool, asker_behind: bool) -> tuple[Swarm, str]:
    """Somebody asks for what one peer has, and time passes; the swarm, and the verdict."""
    content = ContentSpec(items=1, replicas=1.0, free_riders=0.0)
    setup = Setup(protocol=protocol, peers=24, content=content, asks_per_s=0.0, links=LinkSpec("44000:44000", nat=0.5))
    swarm = Swarm(setup)
    holder = next(peer for peer in range(24) if len(swarm.library(peer)))
    title = swarm.library(holder).files()[0].name
    nat = swarm.simulation.network.nat
    assert nat is not None
    # Peers behind a NAT are drawn at random; this test sets them.
    near = swarm.links_of(holder)
    asker = next(p for p in range(24) if p != holder and p not in near and nat.behind[p] == asker_behind)
    behind = list(nat.behind)
    behind[holder] = NatKind(holder_behind)
    nat.behind = tuple(behind)
    links = swarm.simulation.network
    links.lines = [line._replace(nat=hidden) for line, hidden in zip(links.lines, behind, strict=True)]
    swarm.do(Kill(holder))
    swarm.do(Revive(holder))
    swarm.advance(30 * SECOND)
    swarm.do(AskFor(asker, title))
    swarm.advance(400 * SECOND)
    row = swarm.asks()[-1]
    assert row.hits == 1
    got = any(file.name == title for file in swarm.library(asker).files())
    assert got == ("could not be fetched" not in row.verdict)
    return swarm, row.verdict if not got else "fetched"


@pytest.mark.parametrize("protocol", ["gnutella", "napster"])
@pytest.mark.parametrize(("holder", "asker"), [(False, False), (False, True), (True, False)])
def test_one_of_two_that_can_be_called_is_enough(protocol: str, holder: bool, asker: bool) -> None:
    swarm, verdict = fetched(protocol, holder, asker)
    assert verdict == "fetched"
    by_kind = swarm.snapshot().totals.by_kind
    pushed = by_kind["Push"] if protocol == "gnutella" else by_kind["AlternateAck"]
    assert (pushed > 0) == holder


@pytest.mark.parametrize("protocol", ["gnutella", "napster"])
def test_two_that_cannot_be_called_cannot_trade_and_the_verdict_says_so(protocol: str) -> None:
    _, verdict = fetched(protocol, True, True)
    assert "both are firewalled" in verdict
