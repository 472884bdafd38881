"""Lines with a capacity: what is sent takes its time, and shares the wire."""

from __future__ import annotations

import math
from typing import Any

import pytest
from tiny import LATENCY, MS, SECOND, Diary, Question, Say, Shout, balanced, diary, host, make_swarm, texts

from engine import AskFor, Blob, Host, Kill, Leave, LinkSpec, Peer, PeerId, Revive, Set, Setup, Swarm, message, on
from engine.sim.bandwidth import CHUNK_MAX, CHUNK_MIN, DATAGRAMS_MAX
from engine.sim.encoding import encoded_size

THIN = LinkSpec("800:8000")
"""100 bytes a millisecond up, 1,000 down."""
UP_BYTES_PER_MS = 100


@message(part="transfer")
class Bulk:
    """A file's data."""

    text: str
    data: Blob


@message(over="datagram")
class Burst:
    """A datagram with a weight."""

    text: str
    data: Blob


class Loader(Diary, name="loader"):
    """A `Diary` that receives files, too."""

    @on(Bulk)
    @on(Burst)
    def bulk(self, host: Host, sender: PeerId, message: Any) -> None:
        self.heard.append((host.now_us, sender, message.text))


def lines(peers: int = 4, links: LinkSpec = THIN, program: type[Peer] = Loader, **changes: Any) -> Swarm:
    return make_swarm(peers, program, links=links, **changes)


def when(made: Swarm, peer: PeerId, text: str) -> int:
    return next(at for at, _, heard in diary(made, peer).heard if heard == text)


def sent_us(*messages: Any) -> int:
    """The time, in us, that the slow uplink needs for these messages."""
    return math.ceil(sum(map(encoded_size, messages)) * MS / UP_BYTES_PER_MS)


def chunk_us(kbit_s: int) -> int:
    """The time, in us, that a line needs for one chunk."""
    return math.ceil(capacity_chunk(kbit_s) * 8_000 / kbit_s)


def capacity_chunk(kbit_s: int) -> int:
    return max(CHUNK_MIN, min(CHUNK_MAX, kbit_s * 50 // 8))


# --- capacity ------------------------------------------------------------------------------------------


def test_throughput_on_an_uplink_is_its_capacity() -> None:
    swarm = lines()
    sent = [Bulk(str(number), Blob(30_000)) for number in range(20)]
    for each in sent:
        host(swarm, 0).send(1, each)
    swarm.advance(100 * SECOND)
    assert texts(swarm, 1) == [each.text for each in sent]
    last = when(swarm, 1, "19")
    # The downlink is ten times as fast, so it ends the last chunk soon after the uplink does.
    assert 0 <= last - LATENCY - sent_us(*sent) <= chunk_us(800) // 10 + 20


def test_the_slower_of_the_two_wires_decides() -> None:
    for links in (LinkSpec("8000:800"), LinkSpec("800:8000")):
        swarm = lines(links=links)
        bulk = Bulk("file", Blob(1_000_000))
        host(swarm, 0).send(1, bulk)
        swarm.advance(100 * SECOND)
        late = when(swarm, 1, "file") - LATENCY - sent_us(bulk)
        assert 0 <= late <= chunk_us(800) + 1_000, "sent and received at once, not one after the other"


def test_a_multicast_leaves_one_after_the_other() -> None:
    swarm = lines(8)
    bulk = Bulk("page", Blob(10_000))
    host(swarm, 0).multicast(range(1, 8), bulk)
    swarm.advance(10 * SECOND)
    last = max(when(swarm, peer, "page") for peer in range(1, 8))
    assert abs(last - LATENCY - 7 * sent_us(bulk)) <= chunk_us(800)


def test_many_senders_share_one_downlink() -> None:
    swarm = lines(6, LinkSpec("8000:800"))
    bulk = Bulk("file", Blob(100_000))
    for peer in range(1, 6):
        host(swarm, peer).send(0, bulk)
    swarm.advance(100 * SECOND)
    ends = sorted(at for at, _, _ in diary(swarm, 0).heard)
    whole_us = LATENCY + 5 * sent_us(bulk)
    assert abs(ends[-1] - whole_us) <= 2 * chunk_us(800)
    assert ends[0] > whole_us * 0.9, "they end together, for they went by turns"


def test_two_transfers_share_an_uplink_half_and_half_however_they_are_cut() -> None:
    swarm = lines()
    for number in range(100):
        host(swarm, 0).send(1, Bulk(str(number), Blob(2_000)))
    host(swarm, 0).send(2, Bulk("whole", Blob(200_000)))
    swarm.advance(100 * SECOND)
    both = sent_us(Bulk("whole", Blob(200_000))) + sum(sent_us(Bulk(str(n), Blob(2_000))) for n in range(100))
    for end in (when(swarm, 1, "99"), when(swarm, 2, "whole")):
        assert abs(end - LATENCY - both) <= 3 * chunk_us(800)
    half = sum(at <= LATENCY + both // 2 for at, _, _ in diary(swarm, 1).heard)
    assert 45 <= half <= 55


def test_a_query_passes_while_a_file_is_sent_and_waits_for_no_more_than_a_chunk() -> None:
    swarm = lines()
    for peer in (1, 2, 3):
        host(swarm, 0).send(peer, Bulk("file", Blob(5_000_000)))
    for number in range(40):
        swarm.advance(swarm.now_us + 137 * MS)
        at = swarm.now_us
        host(swarm, 0).send(1, Say(str(number)))
        swarm.advance(at + SECOND)
        waited = when(swarm, 1, str(number)) - at - LATENCY - sent_us(Say(str(number)))
        assert waited <= chunk_us(800) + chunk_us(8000), number
    assert "file" not in texts(swarm, 1), "all the while"


@pytest.mark.uncounted
def test_queries_in_any_number_do_not_starve_a_file() -> None:
    swarm = lines()
    bulk = Bulk("file", Blob(50_000))
    host(swarm, 0).send(1, bulk)
    for number in range(20_000):
        host(swarm, 0).send(2, Say(str(number)))
    swarm.advance(60 * SECOND)
    assert when(swarm, 1, "file") - LATENCY <= 2 * sent_us(bulk) + 3 * chunk_us(800)


def test_streams_keep_their_order_with_loss_and_jitter() -> None:
    swarm = lines(links=LinkSpec("64:128", jitter_ms=200.0), loss=0.2)
    for number in range(200):
        host(swarm, 0).send(1, Say(f"say {number}"))
        host(swarm, 0).send(1, Bulk(f"bulk {number}", Blob(100 + 997 * number % 3_000)))
        swarm.advance(swarm.now_us + 7 * MS)
    swarm.advance(swarm.now_us + 1_000 * SECOND)
    for kind in ("say", "bulk"):
        assert [t for t in texts(swarm, 1) if t.startswith(kind)] == [f"{kind} {number}" for number in range(200)]


def test_a_modem_needs_the_same_time_whatever_the_line_of_the_other_end() -> None:
    swarm = lines(2, LinkSpec("56:56"))
    swarm.do(Set("capacity", 2.0))
    assert swarm.snapshot().settings["capacity"] == 2.0
    bulk = Bulk("file", Blob(14_000))
    host(swarm, 0).send(1, bulk)
    swarm.advance(100 * SECOND)
    assert abs(when(swarm, 1, "file") - LATENCY - encoded_size(bulk) * 8_000 / 112) <= 2 * chunk_us(112)


# --- what waits ----------------------------------------------------------------------------------------


def test_what_waits_is_in_flight_and_in_the_snapshot() -> None:
    swarm = lines()
    for number in range(10):
        host(swarm, 0).send(1, Bulk(str(number), Blob(20_000)))
        host(swarm, 2).send(1, Say(str(number)))
    seen = set()
    for _ in range(60):
        swarm.advance(swarm.now_us + 31 * MS)
        assert balanced(swarm)
        flight = swarm.snapshot().flight
        seen.add(flight.total)
        assert (flight.arrives_us > swarm.now_us).all()
        assert (flight.sent_us <= swarm.now_us).all()
    swarm.advance(100 * SECOND)
    assert len(seen) > 5
    assert swarm.snapshot().totals.in_flight == 0


def test_an_ask_is_open_while_its_question_waits_for_the_line() -> None:
    swarm = make_swarm(3, links=LinkSpec("1:1000"))
    for peer in (0, 0, 0):
        swarm.do(AskFor(peer, "a long question " * 10))
    swarm.advance(SECOND)
    assert not swarm.quiet()
    assert swarm.advance_quiet(1_000 * SECOND)
    assert swarm.now_us > 5 * SECOND


def test_what_waits_is_dropped_as_unsent_when_its_sender_dies() -> None:
    swarm = lines()
    for number in range(10):
        host(swarm, 0).send(1, Bulk(str(number), Blob(20_000)))
        host(swarm, 0).send(2, Say(str(number)))
    swarm.advance(LATENCY + sent_us(Bulk("0", Blob(20_000))) * 4)
    swarm.do(Kill(0))
    assert balanced(swarm)
    swarm.advance(100 * SECOND)
    totals = swarm.snapshot().totals
    assert totals.dropped_by == {"unsent": totals.dropped}
    assert totals.dropped + len(texts(swarm, 1)) + len(texts(swarm, 2)) == totals.sent == 20
    assert totals.dropped >= 5


def test_a_goodbye_is_delivered_before_the_stream_closes_and_uploads_end() -> None:
    swarm = make_swarm(3, Loader, links=LinkSpec("8:8"))
    diary(swarm, 0).near = [1]
    host(swarm, 0).send(1, Bulk("file", Blob(100_000)))
    swarm.advance(SECOND)
    swarm.do(Leave(0))
    swarm.advance(200 * SECOND)
    peer = diary(swarm, 1)
    assert texts(swarm, 1) == ["goodbye"]
    assert [what for _, what, _ in peer.told] == ["closed"]
    assert peer.told[0][0] >= peer.heard[0][0]
    assert swarm.snapshot().totals.dropped_by == {"unsent": 1}


def test_datagrams_overflow_a_queue_and_streams_wait() -> None:
    swarm = lines(2, LinkSpec("1000:1000"))
    size = 10_000
    for number in range(60):
        host(swarm, 0).send(1, Burst(str(number), Blob(size)))
    swarm.advance(100 * SECOND)
    totals = swarm.snapshot().totals
    assert totals.dropped_by == {"queue": totals.dropped}
    heard = len(texts(swarm, 1))
    assert DATAGRAMS_MAX // size <= heard <= DATAGRAMS_MAX // size + 2
    for number in range(60):
        host(swarm, 0).send(1, Bulk(f"bulk {number}", Blob(size)))
    swarm.advance(200 * SECOND)
    assert len(texts(swarm, 1)) == heard + 60


def test_a_receiver_that_dies_while_it_receives_refuses() -> None:
    swarm = lines()
    host(swarm, 0).send(1, Bulk("file", Blob(100_000)))
    swarm.advance(300 * MS)
    swarm.do(Kill(1))
    swarm.advance(10 * SECOND)
    assert swarm.snapshot().totals.dropped_by == {"dead": 1}
    assert ("refused", 1) in [(what, who) for _, what, who in diary(swarm, 0).told]


def test_a_stream_to_a_slow_receiver_waits_at_its_sender_and_dies_with_it() -> None:
    swarm = lines(3, LinkSpec("1000000:100"))
    for number in range(50):
        host(swarm, 0).send(1, Bulk(str(number), Blob(100_000)))
    host(swarm, 0).send(2, Say("x"))
    swarm.advance(20 * SECOND)
    assert texts(swarm, 2) == ["x"]
    heard = len(texts(swarm, 1))
    assert heard == 20 * SECOND * 100 // 8_000 // 100_000
    swarm.do(Kill(0))
    swarm.advance(100 * SECOND)
    assert len(texts(swarm, 1)) <= heard + 1, "what it had not sent is gone"
    assert balanced(swarm)
    totals = swarm.snapshot().totals
    assert totals.dropped_by == {"unsent": 51 - 1 - len(texts(swarm, 1))}


def test_a_window_does_not_slow_down_a_fast_line_across_the_world() -> None:
    swarm = lines(2, LinkSpec("44736:44736"), latency="constant:300")
    bulk = Bulk("file", Blob(50_000_000))
    host(swarm, 0).send(1, bulk)
    swarm.advance(60 * SECOND)
    wire_us = encoded_size(bulk) * 8_000 / 44_736
    assert when(swarm, 1, "file") - 300 * MS - wire_us <= 2 * chunk_us(44_736)


def test_after_a_long_run_nothing_is_left_in_the_queues() -> None:
    swarm = make_swarm(12, Loader, links=LinkSpec("saroiu", 5.0), loss=0.05)
    for number in range(300):
        host(swarm, number % 12).multicast([(number + step) % 12 for step in (1, 2, 5)], Say("x" * (number % 50)))
        host(swarm, number % 12).send((number + 7) % 12, Bulk("x", Blob(100 * number)))
        host(swarm, number % 12).send((number + 3) % 12, Shout("x"))
        swarm.advance(swarm.now_us + 50 * MS)
        assert balanced(swarm)
    swarm.advance(swarm.now_us + 10_000 * SECOND)
    bandwidth = swarm.simulation.network.bandwidth
    assert bandwidth is not None
    assert not bandwidth.under_way
    assert not bandwidth.busy_streams
    assert not bandwidth.parked
    assert not bandwidth.in_window
    links = (*bandwidth.up, *bandwidth.down)
    assert not any(link.waiting or link.queues or link.blocked or link.datagrams for link in links)
    assert swarm.snapshot().totals.in_flight == 0


# --- what a sender may know and do ----------------------------------------------------------------------


def test_a_sender_knows_what_waits_and_what_has_left() -> None:
    swarm = lines()
    sent = [Bulk(str(number), Blob(3_000)) for number in range(5)]
    whole = sum(map(encoded_size, sent))
    for each in sent:
        host(swarm, 0).send(1, each)
    host(swarm, 0).send(2, Say("hello"))
    before = (0, whole)
    while before[1]:
        left, waits = host(swarm, 0).sent(1), host(swarm, 0).queued(1)
        assert left + waits == whole
        assert left >= before[0]
        assert waits <= before[1]
        before = (left, waits)
        swarm.advance(swarm.now_us + 10 * MS)
    assert (host(swarm, 0).sent(2), host(swarm, 0).queued(2)) == (encoded_size(Say("hello")), 0)
    assert (host(swarm, 0).sent(3), host(swarm, 0).queued(3), host(swarm, 0).queued(99)) == (0, 0, 0)
    swarm.do(Kill(0))
    swarm.do(Revive(0))
    assert host(swarm, 0).sent(1) == 0, "of this process"


def test_the_last_equal_message_that_has_not_begun_is_withdrawn() -> None:
    swarm = lines()
    for text in ("a", "b", "c", "b", "d"):
        host(swarm, 0).send(1, Bulk(text, Blob(3_000)))
        host(swarm, 0).send(1, Say(text))
        host(swarm, 0).send(2, Bulk(text, Blob(3_000)))
    assert not host(swarm, 0).withdraw(1, Bulk("a", Blob(3_000))), "the uplink has begun with it"
    assert host(swarm, 0).withdraw(1, Bulk("b", Blob(3_000)))
    assert host(swarm, 0).withdraw(1, Say("c"))
    assert not host(swarm, 0).withdraw(1, Say("e"))
    assert not host(swarm, 0).withdraw(99, Say("c"))
    assert balanced(swarm)
    swarm.advance(100 * SECOND)
    heard = texts(swarm, 1)
    assert sorted(heard) == sorted(["a", "b", "c", "d", "a", "b", "b", "d"])
    assert texts(swarm, 2) == ["a", "b", "c", "b", "d"]
    totals = swarm.snapshot().totals
    assert totals.dropped_by == {"withdrawn": 2}
    assert totals.in_flight == 0


def test_an_ask_closes_when_the_last_that_waits_for_it_is_withdrawn() -> None:
    swarm = make_swarm(3, links=LinkSpec("1:1000"))
    host(swarm, 0).send(1, Say("x" * 2_000))
    swarm.advance(SECOND)
    diary(swarm, 0).near = [2]
    swarm.do(AskFor(0, "late"))
    assert not swarm.advance_quiet(2 * SECOND)
    assert host(swarm, 0).withdraw(2, Question("late"))
    assert swarm.advance_quiet(3 * SECOND)
    assert swarm.record(1).losses == {"withdrawn": 1}


def test_without_limits_everything_has_left() -> None:
    swarm = make_swarm(3)
    host(swarm, 0).send(1, Say("before"))
    assert (host(swarm, 0).sent(1), host(swarm, 0).queued(1)) == (0, 0), "counting begins here"
    fingerprints = []
    for asked in (False, True):
        swarm = make_swarm(3)
        if asked:
            assert host(swarm, 0).sent(1) == 0
        host(swarm, 0).send(1, Say("hello"))
        host(swarm, 0).multicast((1, 2), Say("all"))
        assert not host(swarm, 0).withdraw(1, Say("hello"))
        if asked:
            assert host(swarm, 0).sent(1) == encoded_size(Say("hello")) + encoded_size(Say("all"))
        swarm.advance(SECOND)
        fingerprints.append(swarm.fingerprint())
    assert fingerprints[0] == fingerprints[1]


# --- determinism ---------------------------------------------------------------------------------------


def run(budget: int | None, look: bool = False) -> str:
    setup = Setup(peers=24, seed=3, asks_per_s=4.0, links=LinkSpec("saroiu", 30.0, 0.3), loss=0.05)
    swarm = Swarm(setup)
    for second in range(1, 21):
        if second == 8:
            swarm.do(Kill("random 5"))
        while swarm.advance(second * SECOND, budget) and swarm.now_us < second * SECOND:
            if look:
                swarm.snapshot()
    return swarm.fingerprint()


@pytest.mark.uncounted
def test_the_same_run_however_it_is_sliced_and_looked_at() -> None:
    assert run(None) == run(37) == run(500, look=True)
