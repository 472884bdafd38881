"""When a message arrives, or why it does not; and the table of open streams."""

from __future__ import annotations

import numpy as np
import pytest
from tiny import LATENCY, MS, SECOND, Say, Shout, diary, host, make_swarm, texts

from engine import Kill, Leave, Set, Swarm
from engine.sim.encoding import SIZE_MAX, encoded_size
from engine.sim.links import RTO_LEAST_US, Streams
from engine.world import latency as places


def arrivals(swarm: Swarm, peer: int) -> list[int]:
    return [at for at, _, _ in diary(swarm, peer).heard]


@pytest.mark.parametrize("spec", ["world", "constant:42.5", "uniform:5-90"])
def test_a_message_takes_what_the_model_says_for_the_pair(spec: str) -> None:
    swarm = make_swarm(12, latency=spec)
    model = places.build(spec, 12, seed=1)
    for peer in range(1, 12):
        host(swarm, 0).send(peer, Say("stream"))
        host(swarm, 0).send(peer, Shout("datagram"))
        host(swarm, peer).send(0, Say(str(peer)))
    swarm.advance(SECOND)
    for peer in range(1, 12):
        assert arrivals(swarm, peer) == [model.pair_us(0, peer)] * 2
    assert sorted(arrivals(swarm, 0)) == sorted(model.pair_us(peer, 0) for peer in range(1, 12))


def test_a_multicast_and_single_sends_arrive_alike() -> None:
    for spec in ("world", "constant:10", "uniform:5-90"):
        one, many = make_swarm(8, latency=spec), make_swarm(8, latency=spec)
        host(many, 0).multicast(range(1, 8), Say("x"))
        for peer in range(1, 8):
            host(one, 0).send(peer, Say("x"))
        one.advance(SECOND)
        many.advance(SECOND)
        assert one.fingerprint() == many.fingerprint()
        assert one.snapshot().totals == many.snapshot().totals


def test_a_multicast_to_nobody_is_nothing() -> None:
    swarm = make_swarm(2)
    host(swarm, 0).multicast((), Say("x"))
    swarm.advance(SECOND)
    assert swarm.snapshot().totals.sent == 0


# --- loss ----------------------------------------------------------------------------------------------


def test_loss_loses_that_share_of_datagrams() -> None:
    swarm = make_swarm(2, loss=0.25)
    for _ in range(2_000):
        host(swarm, 0).send(1, Shout("x"))
    swarm.advance(SECOND)
    totals = swarm.snapshot().totals
    assert totals.dropped_by == {"lost": totals.dropped}
    assert 0.22 < totals.dropped / 2_000 < 0.28
    assert len(texts(swarm, 1)) == totals.delivered == 2_000 - totals.dropped


def test_a_lost_datagram_is_under_way_until_it_would_have_arrived() -> None:
    swarm = make_swarm(2, loss=0.9)
    for _ in range(50):
        host(swarm, 0).send(1, Shout("x"))
    swarm.advance(LATENCY - 1)
    before = swarm.snapshot()
    assert (before.totals.dropped, before.flight.total, len(before.flight.to)) == (0, 50, 50)
    assert set(before.flight.to.tolist()) == {1}
    swarm.advance(LATENCY)
    assert swarm.snapshot().totals.dropped > 20


def test_loss_in_a_stream_is_the_delay_of_a_retransmission_and_order_holds() -> None:
    swarm = make_swarm(2, loss=0.3)
    for number in range(400):
        host(swarm, 0).send(1, Say(str(number)))
        swarm.advance(swarm.now_us + MS)
    swarm.advance(600 * SECOND)
    assert texts(swarm, 1) == [str(number) for number in range(400)], "none lost, none overtaken"
    assert swarm.snapshot().totals.dropped == 0
    late = [at - LATENCY - MS * number for number, at in enumerate(arrivals(swarm, 1))]
    assert late[0] in (0, RTO_LEAST_US) or late[0] > RTO_LEAST_US
    assert max(late) >= RTO_LEAST_US, "a retransmission waits for its timeout"
    assert min(late) >= 0


def test_a_stream_breaks_after_100_s_without_a_retransmission_that_arrives() -> None:
    swarm = make_swarm(2, loss=0.99)
    for _ in range(20):
        host(swarm, 0).send(1, Say("x"))
    swarm.advance(10_000 * SECOND)
    assert texts(swarm, 1) == []
    assert swarm.snapshot().totals.dropped_by == {"lost": 20}
    assert diary(swarm, 0).told == [(100 * SECOND + 1, "closed", 1)]
    assert diary(swarm, 1).told == [(100 * SECOND + 1, "closed", 0)]


def test_a_lost_message_to_one_peer_delays_no_stream_to_another() -> None:
    swarm = make_swarm(40, loss=0.3)
    for peer in range(1, 40):
        host(swarm, 0).send(peer, Say("x"))
    swarm.advance(LATENCY)
    assert 15 < sum(bool(texts(swarm, peer)) for peer in range(1, 40)) < 39


def test_a_goodbye_arrives_before_the_stream_closes_also_when_it_is_retransmitted() -> None:
    for seed in range(6):
        swarm = make_swarm(2, loss=0.6, seed=seed)
        swarm.do(Leave(0))
        peer = diary(swarm, 1)
        swarm.advance(1_000 * SECOND)
        assert [text for _, _, text in peer.heard] == ["goodbye"]
        assert [what for _, what, _ in peer.told] == ["closed"]
        assert peer.told[0][0] >= peer.heard[0][0]


def test_the_order_of_pairs_is_forgotten_after_some_time() -> None:
    swarm = make_swarm(2, loss=0.1)
    links = swarm.simulation.shared.links
    for peer in range(50):
        links.last[peer << 32] = 5
    links.last[99 << 32] = 1 << 40
    swarm.advance(SECOND)
    assert list(links.last) == [99 << 32]


# --- the factor on latency -----------------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["world", "constant:40", "uniform:40-41"])
def test_a_factor_scales_what_is_sent_from_now_on(spec: str) -> None:
    swarm = make_swarm(2, latency=spec)
    plain = places.build(spec, 2, seed=1).pair_us(0, 1)
    swarm.do(Set("latency", 3.0))
    host(swarm, 0).send(1, Say("slow"))
    swarm.advance(SECOND)
    assert arrivals(swarm, 1) == [3 * plain]
    assert swarm.snapshot().settings["latency"] == 3.0
    swarm.do(Set("latency", 1.0))
    host(swarm, 0).send(1, Say("as before"))
    swarm.advance(2 * SECOND)
    assert arrivals(swarm, 1)[1] == SECOND + plain


@pytest.mark.parametrize("spec", ["world", "constant:40", "uniform:40-90"])
def test_nothing_overtakes_in_a_stream_when_the_way_becomes_shorter(spec: str) -> None:
    swarm = make_swarm(3, latency=spec)
    host(swarm, 0).multicast((1, 2), Say("sent first"))
    host(swarm, 0).send(1, Shout("datagram, sent second"))
    swarm.advance(MS)
    swarm.do(Set("latency", 0.01))
    host(swarm, 0).send(1, Say("sent third"))
    host(swarm, 0).send(1, Shout("datagram, sent fourth"))
    swarm.advance(SECOND)
    stream = [text for text in texts(swarm, 1) if "datagram" not in text]
    assert stream == ["sent first", "sent third"]
    datagrams = [text for text in texts(swarm, 1) if "datagram" in text]
    assert datagrams == ["datagram, sent fourth", "datagram, sent second"], "datagrams keep no order"


# --- open streams --------------------------------------------------------------------------------------


def test_streams_are_undirected_and_a_second_link_is_the_same() -> None:
    swarm = make_swarm(4, topology="ring")
    assert swarm.snapshot().links.a.tolist() == [0, 0, 1, 2]
    version = swarm.snapshot().links.version
    host(swarm, 0).link(2)
    host(swarm, 2).link(0)
    host(swarm, 0).link(0)
    host(swarm, 0).link(99)
    host(swarm, 0).link(-1)
    links = swarm.snapshot().links
    assert len(links.a) == 5
    assert links.version == version + 1
    assert swarm.links_of(2) == (1, 3, 0)
    host(swarm, 2).unlink(0)
    host(swarm, 2).unlink(0)
    host(swarm, 2).unlink(99)
    assert len(swarm.snapshot().links.a) == 4


def test_unlinking_tells_the_other_end_one_latency_later_and_nobody_else() -> None:
    swarm = make_swarm(3)
    host(swarm, 0).unlink(1)
    swarm.advance(SECOND)
    assert diary(swarm, 1).told == [(LATENCY, "closed", 0)]
    assert diary(swarm, 0).told == diary(swarm, 2).told == []


def test_a_stream_that_is_open_again_meanwhile_is_not_told_closed() -> None:
    swarm = make_swarm(2)
    host(swarm, 0).unlink(1)
    host(swarm, 0).link(1)
    swarm.advance(SECOND)
    assert diary(swarm, 1).told == []


def test_no_stream_opens_to_a_peer_that_is_down() -> None:
    swarm = make_swarm(3)
    swarm.do(Kill(1))
    host(swarm, 0).link(1)
    assert 1 not in swarm.links_of(0)


def test_columns_stay_dense_when_streams_close() -> None:
    streams = Streams(range(60))
    kept = []
    for a in range(60):
        for b in range(a + 1, 60):
            assert streams.open(b, a)
            kept.append((a, b))
    for a, b in kept[::3]:
        assert streams.close(a, b)
        assert not streams.close(b, a)
    left = [pair for i, pair in enumerate(kept) if i % 3]
    a, b = streams.columns()
    assert sorted(zip(a.tolist(), b.tolist(), strict=True)) == left
    assert a.dtype == b.dtype == np.int32
    assert streams.count == len(left)
    assert sum(map(len, streams.near)) == 2 * len(left)


# --- what a message weighs -----------------------------------------------------------------------------


def test_a_message_weighs_its_encoding_and_blobs_weigh_what_they_stand_for() -> None:
    from engine import Blob, File, message

    @message()
    class Envelope:
        what: object
        more: object

    assert encoded_size(Envelope(1, "abc")) == 1 + 1 + 1 + 4
    assert encoded_size(Envelope(Blob(1_000_000, 7), ())) == 1_000_000 + 4
    assert encoded_size(Envelope(File("a", 1, 2), None)) > encoded_size(Envelope(None, None))
    assert encoded_size(Envelope({1, 2}, None)) > 0, "nonsense still has a length"
    assert encoded_size(Envelope(1 << 70, None)) > 10, "and so has a number that no wire could carry"
    assert encoded_size(Envelope(Blob(1 << 60), None)) == SIZE_MAX
    assert encoded_size(Envelope(Blob(-(1 << 60)), None)) > 0

    @message()
    class Empty:
        pass

    assert encoded_size(Empty()) == 2


def test_numbers_of_a_fixed_width_are_counted_as_they_are_packed() -> None:
    from engine import message

    @message()
    class Position:
        x: float
        y: float

    assert encoded_size(Position(1.5, float("nan"))) == 1 + 1 + 9 + 9
    assert encoded_size(Position(1, 70_000)) == 1 + 1 + 1 + 5, "integers are packed as such"
