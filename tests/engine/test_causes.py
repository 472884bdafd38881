"""Causes of messages and timers: they are inherited, dropped, kept for later, and joined."""

from __future__ import annotations

from typing import Any

from tiny import (
    LATENCY,
    MS,
    SECOND,
    Actor,
    Answer,
    Batch,
    Load,
    Question,
    Say,
    Tick,
    ask,
    hears,
    host,
    make_swarm,
    texts,
)

from engine import (
    BROADCAST,
    Closed,
    Host,
    Kill,
    PeerId,
)
from engine.sim.encoding import encoded_size
from engine.sim.host import flatten
from engine.sim.kernel import HOP_BITS


def test_what_a_handler_sends_descends_from_what_it_handles() -> None:
    swarm = make_swarm(4, Actor)
    hears(swarm, 0, lambda h: h.send(1, Question("a")))
    hears(swarm, 1, lambda h: h.multicast((2, 3), Load("b")))
    hears(swarm, 3, lambda h: h.after(SECOND, Tick(lambda g: g.send(2, Question("c")))))
    row = ask(swarm, 0, "a")
    assert row.messages == 2, "of the four messages two are questions"
    assert row.hops == 3, "a, b, c; waiting is no hop"
    assert row.reached == 2
    assert row.closed_us == SECOND + 3 * LATENCY
    trace = swarm.trace(1)
    assert trace is not None
    assert trace.hop.tolist() == [0, 1, 3, -1]
    assert trace.frm.tolist() == [-1, 0, 3, -1]
    assert trace.at_us.tolist() == [0, LATENCY, SECOND + 3 * LATENCY, -1]


def test_upkeep_carries_no_cause_and_starts_none() -> None:
    swarm = make_swarm(3, Actor)
    hears(swarm, 0, lambda h: h.send(1, Say("upkeep")))
    row = ask(swarm, 0, "a")
    assert (row.bytes, row.closed_us) == (0, 0)
    hears(swarm, 0, lambda h: h.send(1, Question("a")))
    hears(swarm, 1, lambda h: h.send(2, Say("upkeep")))
    assert ask(swarm, 0, "a").closed_us == 5 * SECOND + LATENCY


def test_a_protocol_may_send_and_set_timers_without_the_cause() -> None:
    swarm = make_swarm(3, Actor)

    def disown(h: Host) -> None:
        h.send(1, Question("a"), cause=None)
        h.send(1, Question("a"), cause=0)
        h.send(1, Question("a"), cause=())
        h.after(SECOND, Tick(lambda g: g.send(1, Question("b"))), cause=None)
        h.every(SECOND, Tick(lambda g: g.send(1, Question("c"))))

    hears(swarm, 0, disown)
    row = ask(swarm, 0, "a")
    assert (row.messages, row.closed_us, row.reached) == (0, 0, 0)
    assert len(texts(swarm, 1)) == 3 + 1 + 5


def test_an_item_passed_on_later_still_descends_from_its_ask() -> None:
    """A gossip keeps the cause beside a rumour and passes it on in its next cycle, which has no cause itself."""
    swarm = make_swarm(3, Actor)
    kept: list[Any] = []
    hears(swarm, 0, lambda h: h.send(1, Question("a")))
    hears(swarm, 1, lambda h: kept.append(h.cause))
    row = ask(swarm, 0, "a")
    assert row.closed_us == LATENCY
    assert swarm.quiet()
    host(swarm, 1).after(0, Tick(lambda h: h.send(2, Question("a"), cause=kept[0])), cause=None)
    swarm.advance(swarm.now_us)
    assert not swarm.quiet(), "the ask is open again"
    assert swarm.record(1).closed_us is None
    swarm.advance(10 * SECOND)
    again = swarm.record(1)
    assert (again.messages, again.hops, again.reached) == (2, 2, 2)
    assert again.closed_us == 5 * SECOND + LATENCY
    assert swarm.snapshot().asks[0] == again


def test_an_ask_that_is_opened_again_in_vain_closes_again_and_is_told_once() -> None:
    swarm = make_swarm(3, Actor)
    kept: list[Any] = []
    hears(swarm, 0, lambda h: kept.append(h.cause))
    ask(swarm, 0, "a")
    for _ in range(3):
        host(swarm, 0).multicast((), Question("a"), cause=kept[0])
        assert not swarm.quiet()
        swarm.advance(swarm.now_us + SECOND)
        assert swarm.quiet()
    assert [type(event) for event in swarm.events()].count(Closed) == 1


def test_an_ask_that_closes_in_each_cycle_is_one_event_the_last() -> None:
    """A reader of events sees each of them as it comes, with a new number."""

    class Crier(Actor, name="crier"):
        goals = (BROADCAST,)

    swarm = make_swarm(5, Crier)
    kept: list[Any] = []
    hears(swarm, 0, lambda h: kept.append(h.cause))
    ask(swarm, 0, "a")
    seen = [event.seq for event in swarm.events()]
    for to in (1, 2, 3):
        host(swarm, 0).send(to, Question("a"), cause=kept[0])
        swarm.advance(swarm.now_us + SECOND)
        fresh = list(swarm.events(seen[-1]))
        assert [type(event) for event in fresh] == [Closed]
        seen += [event.seq for event in fresh]
    assert seen == sorted(set(seen))
    assert [event.verdict for event in swarm.events() if isinstance(event, Closed)] == [
        "Heard by 3 of 4 living peers (75%)."
    ]
    assert swarm.success(0, 1) == 0.75, "all within 10 s"
    host(swarm, 0).after(20 * SECOND, Tick(lambda h: h.send(4, Question("a"), cause=kept[0])), cause=None)
    swarm.advance(60 * SECOND)
    assert swarm.record(1).verdict == "Heard by 4 of 4 living peers (100%)."
    assert swarm.success(0, 1) == 0.75, "who heard later is too late"


def test_a_message_with_several_causes_counts_once_in_each_account_its_bytes_shared() -> None:
    swarm = make_swarm(4, Actor)
    kept: list[Any] = []
    for peer in (0, 1):
        hears(swarm, peer, lambda h: h.send(2, Load("x")))
    hears(swarm, 2, lambda h: kept.append(h.cause))
    ask(swarm, 0, "a")
    ask(swarm, 1, "b")
    hears(swarm, 0, lambda h: None)
    before = [row.bytes for row in swarm.asks()]
    batch = Batch(("a", "b"))
    host(swarm, 2).multicast((0, 3), batch, cause=kept)
    swarm.advance(20 * SECOND)
    rows = swarm.asks()
    assert [row.messages for row in rows] == [2, 2]
    assert [row.reached for row in rows] == [1, 2], "the origin of the first is left out"
    assert [row.hops for row in rows] == [2, 2]
    assert [row.bytes - b for row, b in zip(rows, before, strict=True)] == [encoded_size(batch)] * 2, (
        "two copies, halved"
    )
    assert swarm.snapshot().totals.by_kind["Batch"] == 2
    assert swarm.quiet()


def test_an_ask_stays_open_while_a_batch_with_it_is_under_way_or_waits_for_a_timer() -> None:
    swarm = make_swarm(4, Actor)
    kept: list[Any] = []
    hears(swarm, 0, lambda h: kept.append(h.cause))
    hears(swarm, 1, lambda h: kept.append(h.cause))
    ask(swarm, 0, "a", run_s=0)
    ask(swarm, 1, "b", run_s=0)
    hears(swarm, 2, lambda h: h.after(SECOND, Tick(lambda g: g.duplicate())))
    host(swarm, 0).send(2, Batch(("a", "b")), cause=kept)
    swarm.advance(SECOND)
    assert [row.closed_us for row in swarm.asks()] == [None, None]
    swarm.advance(2 * SECOND)
    assert [row.closed_us for row in swarm.asks()] == [SECOND + LATENCY] * 2
    assert [row.duplicates for row in swarm.asks()] == [1, 1]
    host(swarm, 0).multicast((), Batch(()), cause=kept)
    swarm.advance(3 * SECOND)
    assert swarm.quiet()


def test_a_batch_to_the_dead_is_a_loss_of_each_ask_and_a_retry_descends_from_all() -> None:
    class Stubborn(Actor, name="stubborn"):
        def refused(self, host: Host, to: PeerId, message: object) -> None:
            host.send(2, message)

    swarm = make_swarm(3, Stubborn)
    kept: list[Any] = []
    hears(swarm, 0, lambda h: kept.append(h.cause))
    ask(swarm, 0, "a", run_s=0)
    ask(swarm, 0, "b", run_s=0)
    swarm.do(Kill(1))
    host(swarm, 0).send(1, Batch(("a", "b")), cause=kept)
    swarm.advance(SECOND)
    for row in swarm.asks():
        assert row.losses == {"dead": 1}
        assert row.reached == 1
        assert row.hops == 1, "who is refused and tries another is no hop further"
    assert swarm.quiet()


def test_hits_of_a_batched_answer_go_to_the_asks_of_that_origin() -> None:
    swarm = make_swarm(3, Actor)
    kept: list[Any] = []
    for peer in (0, 1):
        hears(swarm, peer, lambda h: kept.append(h.cause))
        ask(swarm, peer, "a", run_s=0)
    host(swarm, 2).send(0, Answer(("a",)), cause=kept)
    swarm.advance(SECOND)
    assert [row.hits for row in swarm.asks()] == [1, 0]


def test_causes_flatten_to_the_fewest_hops_of_each_ask_in_the_order_met() -> None:
    a, b = 1 << HOP_BITS, 2 << HOP_BITS
    assert flatten((b + 3, a + 1, b + 2)) == (b + 2, a + 1)
    assert flatten([0, (a + 5, b), a + 4, -1]) == (a + 4, b)
    assert flatten(a) == (a,)
    assert flatten([]) == ()


def test_who_reached_a_peer_first_does_not_depend_on_who_looked() -> None:
    """A batch and a plain question reach the same peer; the path tells the earlier, whenever the log is read."""

    def path(look: bool) -> Any:
        swarm = make_swarm(4, Actor)
        kept: list[Any] = []
        hears(swarm, 0, lambda h: kept.append(h.cause))
        ask(swarm, 0, "a", run_s=0)
        ask(swarm, 0, "b", run_s=0)
        host(swarm, 0).send(2, Batch(("a", "b")), cause=kept)
        swarm.advance(MS)
        host(swarm, 1).send(2, Question("a"), cause=kept[0] + 5)
        for ms in range(2, 40):
            swarm.advance(ms * MS)
            if look:
                swarm.snapshot()
        trace = swarm.trace(1)
        assert trace is not None
        return trace.frm.tolist(), trace.hop.tolist(), trace.repeats.tolist(), swarm.fingerprint()

    assert path(look=False) == path(look=True)
    assert path(look=False)[0][2] == 0
