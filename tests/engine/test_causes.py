"""What descends from what: causes are inherited, disowned, kept, and joined."""

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
    swarm,
    texts,
)

from engine import (
    Closed,
    Host,
    Kill,
    PeerId,
)
from engine.sim.encoding import size_of
from engine.sim.host import flatten
from engine.sim.kernel import HOP_BITS


def test_what_a_handler_sends_descends_from_what_it_handles() -> None:
    town = swarm(4, Actor)
    hears(town, 0, lambda h: h.send(1, Question("a")))
    hears(town, 1, lambda h: h.multicast((2, 3), Load("b")))
    hears(town, 3, lambda h: h.after(SECOND, Tick(lambda g: g.send(2, Question("c")))))
    row = ask(town, 0, "a")
    assert row.messages == 2, "of the four messages two are questions"
    assert row.hops == 3, "a, b, c; waiting is no hop"
    assert row.reached == 2
    assert row.closed_us == SECOND + 3 * LATENCY
    trace = town.trace(1)
    assert trace is not None
    assert trace.hop.tolist() == [0, 1, 3, -1]
    assert trace.frm.tolist() == [-1, 0, 3, -1]
    assert trace.at_us.tolist() == [0, LATENCY, SECOND + 3 * LATENCY, -1]


def test_upkeep_carries_no_cause_and_starts_none() -> None:
    town = swarm(3, Actor)
    hears(town, 0, lambda h: h.send(1, Say("upkeep")))
    row = ask(town, 0, "a")
    assert (row.bytes, row.closed_us) == (0, 0)
    hears(town, 0, lambda h: h.send(1, Question("a")))
    hears(town, 1, lambda h: h.send(2, Say("upkeep")))
    assert ask(town, 0, "a").closed_us == 5 * SECOND + LATENCY


def test_a_protocol_may_disown_what_it_sends_and_sets() -> None:
    town = swarm(3, Actor)

    def disown(h: Host) -> None:
        h.send(1, Question("a"), cause=None)
        h.send(1, Question("a"), cause=0)
        h.send(1, Question("a"), cause=())
        h.after(SECOND, Tick(lambda g: g.send(1, Question("b"))), cause=None)
        h.every(SECOND, Tick(lambda g: g.send(1, Question("c"))))

    hears(town, 0, disown)
    row = ask(town, 0, "a")
    assert (row.messages, row.closed_us, row.reached) == (0, 0, 0)
    assert len(texts(town, 1)) == 3 + 1 + 5


def test_an_item_passed_on_later_still_descends_from_its_ask() -> None:
    """A gossip keeps the cause beside a rumour and passes it on in its next cycle, which nothing caused."""
    town = swarm(3, Actor)
    kept: list[Any] = []
    hears(town, 0, lambda h: h.send(1, Question("a")))
    hears(town, 1, lambda h: kept.append(h.cause))
    row = ask(town, 0, "a")
    assert row.closed_us == LATENCY
    assert town.quiet()
    host(town, 1).after(0, Tick(lambda h: h.send(2, Question("a"), cause=kept[0])), cause=None)
    town.advance(town.now_us)
    assert not town.quiet(), "the ask is open again"
    assert town.record(1).closed_us is None
    town.advance(10 * SECOND)
    again = town.record(1)
    assert (again.messages, again.hops, again.reached) == (2, 2, 2)
    assert again.closed_us == 5 * SECOND + LATENCY
    assert town.snapshot().asks[0] == again


def test_an_ask_that_is_opened_again_in_vain_closes_again_and_is_told_once() -> None:
    town = swarm(3, Actor)
    kept: list[Any] = []
    hears(town, 0, lambda h: kept.append(h.cause))
    ask(town, 0, "a")
    for _ in range(3):
        host(town, 0).multicast((), Question("a"), cause=kept[0])
        assert not town.quiet()
        town.advance(town.now_us + SECOND)
        assert town.quiet()
    assert [type(event) for event in town.events()].count(Closed) == 1


def test_a_message_with_several_causes_counts_once_in_each_account_its_bytes_shared() -> None:
    town = swarm(4, Actor)
    kept: list[Any] = []
    for peer in (0, 1):
        hears(town, peer, lambda h: h.send(2, Load("x")))
    hears(town, 2, lambda h: kept.append(h.cause))
    ask(town, 0, "a")
    ask(town, 1, "b")
    hears(town, 0, lambda h: None)
    before = [row.bytes for row in town.asks()]
    batch = Batch(("a", "b"))
    host(town, 2).multicast((0, 3), batch, cause=kept)
    town.advance(20 * SECOND)
    rows = town.asks()
    assert [row.messages for row in rows] == [2, 2]
    assert [row.reached for row in rows] == [1, 2], "the origin of the first is left out"
    assert [row.hops for row in rows] == [2, 2]
    assert [row.bytes - b for row, b in zip(rows, before, strict=True)] == [size_of(batch)] * 2, "two copies, halved"
    assert town.snapshot().totals.by_kind["Batch"] == 2
    assert town.quiet()


def test_an_ask_stays_open_while_a_batch_with_it_is_under_way_or_waits_for_a_timer() -> None:
    town = swarm(4, Actor)
    kept: list[Any] = []
    hears(town, 0, lambda h: kept.append(h.cause))
    hears(town, 1, lambda h: kept.append(h.cause))
    ask(town, 0, "a", run_s=0)
    ask(town, 1, "b", run_s=0)
    hears(town, 2, lambda h: h.after(SECOND, Tick(lambda g: g.note("duplicate"))))
    host(town, 0).send(2, Batch(("a", "b")), cause=kept)
    town.advance(SECOND)
    assert [row.closed_us for row in town.asks()] == [None, None]
    town.advance(2 * SECOND)
    assert [row.closed_us for row in town.asks()] == [SECOND + LATENCY] * 2
    assert [row.duplicates for row in town.asks()] == [1, 1]
    host(town, 0).multicast((), Batch(()), cause=kept)
    town.advance(3 * SECOND)
    assert town.quiet()


def test_a_batch_to_the_dead_is_a_loss_of_each_ask_and_a_retry_descends_from_all() -> None:
    class Stubborn(Actor, name="stubborn"):
        def refused(self, host: Host, to: PeerId, message: object) -> None:
            host.send(2, message)

    town = swarm(3, Stubborn)
    kept: list[Any] = []
    hears(town, 0, lambda h: kept.append(h.cause))
    ask(town, 0, "a", run_s=0)
    ask(town, 0, "b", run_s=0)
    town.do(Kill(1))
    host(town, 0).send(1, Batch(("a", "b")), cause=kept)
    town.advance(SECOND)
    for row in town.asks():
        assert row.losses == {"dead": 1}
        assert row.reached == 1
        assert row.hops == 1, "who is refused and tries another is no hop further"
    assert town.quiet()


def test_hits_of_a_batched_answer_go_to_the_asks_of_that_origin() -> None:
    town = swarm(3, Actor)
    kept: list[Any] = []
    for peer in (0, 1):
        hears(town, peer, lambda h: kept.append(h.cause))
        ask(town, peer, "a", run_s=0)
    host(town, 2).send(0, Answer(("a",)), cause=kept)
    town.advance(SECOND)
    assert [row.hits for row in town.asks()] == [1, 0]


def test_causes_flatten_to_the_fewest_hops_of_each_ask_in_the_order_met() -> None:
    a, b = 1 << HOP_BITS, 2 << HOP_BITS
    assert flatten((b + 3, a + 1, b + 2)) == (b + 2, a + 1)
    assert flatten([0, (a + 5, b), a + 4, -1]) == (a + 4, b)
    assert flatten(a) == (a,)
    assert flatten([]) == ()


def test_who_reached_a_peer_first_does_not_depend_on_who_looked() -> None:
    """A batch and a plain question reach the same peer; the path tells the earlier, whenever the books are read."""

    def path(look: bool) -> Any:
        town = swarm(4, Actor)
        kept: list[Any] = []
        hears(town, 0, lambda h: kept.append(h.cause))
        ask(town, 0, "a", run_s=0)
        ask(town, 0, "b", run_s=0)
        host(town, 0).send(2, Batch(("a", "b")), cause=kept)
        town.advance(MS)
        host(town, 1).send(2, Question("a"), cause=kept[0] + 5)
        for ms in range(2, 40):
            town.advance(ms * MS)
            if look:
                town.snapshot()
        trace = town.trace(1)
        assert trace is not None
        return trace.frm.tolist(), trace.hop.tolist(), trace.repeats.tolist(), town.fingerprint()

    assert path(look=False) == path(look=True)
    assert path(look=False)[0][2] == 0
