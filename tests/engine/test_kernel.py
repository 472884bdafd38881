"""Virtual time: what happens in which order, and that slices change nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest
from tiny import LATENCY, SECOND, Diary, Say, Shout, Tick, diary, host, make_swarm, texts

from engine import Host, Kill, Peer, PeerFailed, PeerId, Swarm, message, on


def test_in_one_instant_the_order_is_the_order_of_sending() -> None:
    swarm = make_swarm(4)
    for sender in (2, 1, 3, 1):
        host(swarm, sender).send(0, Say(f"from {sender}"))
    swarm.advance(LATENCY)
    assert texts(swarm, 0) == ["from 2", "from 1", "from 3", "from 1"]


def test_messages_come_before_timers_and_timers_in_the_order_of_setting() -> None:
    swarm = make_swarm(2)
    host(swarm, 0).after(LATENCY, Tick("first"))
    host(swarm, 0).after(LATENCY, Tick("second"))
    seen: list[object] = []
    host(swarm, 0).after(LATENCY, Tick(lambda _: seen.extend(texts(swarm, 0))))
    host(swarm, 1).send(0, Say("hello"))
    swarm.advance(LATENCY)
    assert [what for _, what in diary(swarm, 0).ticks][:2] == ["first", "second"]
    assert seen == ["hello"]


def test_a_message_arrives_one_latency_later_and_not_before() -> None:
    swarm = make_swarm(2)
    swarm.advance(7)
    host(swarm, 0).send(1, Say("hello"))
    assert swarm.advance(7 + LATENCY - 1) == 0
    assert texts(swarm, 1) == []
    assert swarm.advance(7 + LATENCY) == 1
    assert diary(swarm, 1).heard == [(7 + LATENCY, 0, "hello")]


def test_time_moves_on_when_nothing_happens_and_never_back() -> None:
    swarm = make_swarm(2)
    swarm.advance(3 * SECOND)
    assert swarm.now_us == 3 * SECOND
    swarm.advance(SECOND)
    assert swarm.now_us == 3 * SECOND


def test_a_timer_runs_once_at_its_time() -> None:
    swarm = make_swarm(1)
    host(swarm, 0).after(250, Tick("once"))
    swarm.advance(SECOND)
    assert diary(swarm, 0).ticks == [(250, "once")]


def test_a_negative_delay_is_zero() -> None:
    swarm = make_swarm(1)
    host(swarm, 0).after(-5, Tick("now"))
    swarm.advance(0)
    assert diary(swarm, 0).ticks == [(0, "now")]


def test_periodic_ticks_come_each_period_after_a_phase_of_their_own() -> None:
    swarm = make_swarm(40)
    for peer in range(40):
        host(swarm, peer).every(SECOND, Tick())
    swarm.advance(4 * SECOND)
    phases = set()
    for peer in range(40):
        times = [at for at, _ in diary(swarm, peer).ticks]
        assert len(times) == 4
        assert {b - a for a, b in pairwise(times)} == {SECOND}
        assert 0 < times[0] <= SECOND
        assert not times[0] % 1_000, "ticks share their instants with what is delivered"
        phases.add(times[0])
    assert len(phases) > 30, "a thousand peers should not tick as one"


def test_a_cancelled_timer_does_not_run_and_may_be_cancelled_again() -> None:
    swarm = make_swarm(1)
    timer = host(swarm, 0).after(100, Tick("no"))
    host(swarm, 0).cancel(timer)
    host(swarm, 0).cancel(timer)
    periodic = host(swarm, 0).every(1_000, Tick("some"))
    host(swarm, 0).after(5_500, Tick(lambda h: h.cancel(periodic)))
    swarm.advance(SECOND)
    assert [what for _, what in diary(swarm, 0).ticks].count("some") in (5, 6)
    assert "no" not in [what for _, what in diary(swarm, 0).ticks]


def test_a_periodic_timer_may_cancel_itself_while_it_runs() -> None:
    swarm = make_swarm(1)
    made: list[object] = []
    made.append(host(swarm, 0).every(1_000, Tick(lambda h: h.cancel(made[0]))))
    swarm.advance(SECOND)
    assert len(diary(swarm, 0).ticks) == 1


def test_what_is_due_at_once_follows_in_the_same_instant() -> None:
    swarm = make_swarm(1)

    def again(at_most: int) -> Tick:
        return Tick(lambda h: h.after(0, again(at_most - 1)) if at_most else None)

    host(swarm, 0).after(100, again(3))
    swarm.advance(100)
    assert [at for at, _ in diary(swarm, 0).ticks] == [100, 100, 100, 100]


def test_a_budget_cuts_an_instant_anywhere_and_it_goes_on_where_it_stopped() -> None:
    swarm = make_swarm(10)
    for peer in range(1, 10):
        host(swarm, peer).send(0, Say(str(peer)))
    assert swarm.advance(SECOND, budget=1) == 1
    assert texts(swarm, 0) == ["1"]
    assert swarm.now_us == LATENCY
    assert swarm.advance(SECOND, budget=3) == 3
    assert texts(swarm, 0) == ["1", "2", "3", "4"]
    assert swarm.advance(SECOND) == 5
    assert swarm.now_us == SECOND


def test_a_budget_counts_deliveries_even_where_one_multicast_is_one_entry() -> None:
    swarm = make_swarm(100)
    for peer in range(50):
        host(swarm, peer).multicast([p for p in range(100) if p != peer], Shout("a"))
    done = swarm.advance(SECOND, budget=200)
    assert 200 <= done <= 200 + 99 * 13
    assert done + swarm.advance(SECOND) == 50 * 99


def test_a_budget_of_zero_makes_progress() -> None:
    swarm = make_swarm(2)
    host(swarm, 0).send(1, Say("a"))
    assert swarm.advance(SECOND, budget=0) == 1


def test_a_command_in_mid_instant_waits_for_its_end() -> None:
    swarm = make_swarm(10)
    for peer in range(1, 10):
        host(swarm, peer).send(0, Say(str(peer)))
    swarm.advance(SECOND, budget=4)
    assert len(texts(swarm, 0)) == 4
    heard = diary(swarm, 0).heard
    swarm.do(Kill(0))
    assert len(heard) == 9, "all of the instant was heard before the kill"


def test_a_command_waits_for_what_is_due_at_once_too() -> None:
    """The budget may end just between a bucket and what that bucket set for the same instant."""
    swarm = make_swarm(2)
    host(swarm, 0).after(LATENCY, Tick(lambda h: h.after(0, Tick("last"))))
    host(swarm, 1).send(0, Say("only"))
    swarm.advance(SECOND, budget=1)
    ticks = diary(swarm, 0).ticks
    assert "last" not in [what for _, what in ticks]
    swarm.do(Kill(0))
    assert ticks[-1] == (LATENCY, "last")


def test_stepping_to_quiet_stops_at_the_instant_in_which_the_last_ask_closes() -> None:
    from engine import AskFor

    swarm = make_swarm(3)
    host(swarm, 0).every(SECOND, Tick())
    assert swarm.quiet()
    swarm.do(AskFor(0, "x"))
    assert not swarm.quiet()
    assert swarm.advance_quiet(60 * SECOND)
    assert swarm.now_us == 2 * LATENCY
    lonely = make_swarm(1)
    lonely.do(AskFor(0, "x"))
    assert lonely.advance_quiet(60 * SECOND)
    assert lonely.now_us == 0, "an ask that goes nowhere closes where it was asked"


def test_waiting_for_quiet_gives_up_at_its_limit() -> None:
    from engine import AskFor, Leave

    swarm = make_swarm(2)
    swarm.do(Leave(0))
    swarm.do(AskFor(0, "x"))
    assert not swarm.advance_quiet(2 * SECOND + 5)
    assert swarm.now_us == 2 * SECOND + 5


# --- a program that fails ------------------------------------------------------------------------------


@message()
class Poke:
    where: str


class Clumsy(Peer, name="clumsy"):
    """Raises in the function that a test sets."""

    knows = "everyone"

    def start(self, host: Host, contacts: object, saved: object) -> None:
        if saved == "start":
            raise ValueError("I was told to")

    def saved(self) -> object:
        if getattr(self, "where", "") == "saved":
            raise ValueError("I was told to")
        return getattr(self, "where", "")

    def stop(self, host: Host) -> None:
        raise KeyError("cannot leave")

    def ask(self, host: Host, ask: object) -> None:
        raise OSError("will not ask")

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        raise ValueError("cannot be refused")

    @on(Poke)
    def poke(self, host: Host, sender: PeerId, message: Poke) -> None:
        self.where = message.where
        if message.where == "here":
            raise ValueError("I was told to")

    @on(Tick)
    def tick(self, host: Host, tick: Tick) -> None:
        raise RuntimeError("no time")


def fails(swarm: Swarm, peer: int, kind: str) -> None:
    with pytest.raises(PeerFailed) as caught:
        swarm.advance(swarm.now_us + SECOND)
    assert (caught.value.peer, caught.value.kind) == (peer, kind)
    for again in (lambda: swarm.advance(60 * SECOND), lambda: swarm.do(Kill(0)), lambda: swarm.advance_quiet(9)):
        with pytest.raises(PeerFailed) as refused:
            again()
        assert refused.value is caught.value
    assert swarm.snapshot().now_us == swarm.now_us, "a run that cannot go on can still be looked at"
    assert len(swarm.fingerprint()) == 16


def clumsy(peers: int = 3, **changes: object) -> Swarm:
    return make_swarm(peers, Clumsy, **changes)


@pytest.mark.parametrize("latency", ["constant:10", "world"])
@pytest.mark.parametrize("loss", [0.0, 0.01])
def test_a_handler_that_raises_names_peer_and_message_and_ends_the_run(latency: str, loss: float) -> None:
    swarm = clumsy(latency=latency, loss=loss)
    host(swarm, 0).multicast((1, 2), Poke("here"))
    fails(swarm, 1, "Poke")


def test_a_tick_that_raises_ends_the_run() -> None:
    swarm = clumsy()
    host(swarm, 2).after(5, Tick())
    fails(swarm, 2, "Tick")


def test_a_message_that_was_never_declared_is_the_senders_failure() -> None:
    swarm = make_swarm(2)
    host(swarm, 0).after(5, Tick(lambda h: h.send(1, Poke("here"))))
    fails(swarm, 0, "Tick")


def test_a_failure_in_any_function_of_a_program_names_the_peer() -> None:
    from engine import AskFor, Leave, Revive

    swarm = clumsy()
    with pytest.raises(PeerFailed, match="peer #0 failed on stop: KeyError"):
        swarm.do(Leave(0))
    swarm = clumsy()
    with pytest.raises(PeerFailed, match="peer #1 failed on ask: OSError: will not ask"):
        swarm.do(AskFor(1, "x"))
    swarm = clumsy()
    host(swarm, 0).send(1, Poke("saved"))
    swarm.advance(SECOND)
    with pytest.raises(PeerFailed, match="peer #1 failed on saved: ValueError"):
        swarm.do(Kill(1))
    swarm = clumsy()
    host(swarm, 0).send(1, Poke("start"))
    swarm.advance(SECOND)
    swarm.do(Kill(1))
    with pytest.raises(PeerFailed, match="peer #1 failed on start"):
        swarm.do(Revive(1))
    swarm = clumsy()
    swarm.do(Kill(1))
    host(swarm, 0).send(1, Poke("x"))
    fails(swarm, 0, "refused")


def test_a_message_that_a_role_has_no_handler_for_is_ignored() -> None:
    class Deaf(Diary, name="deaf"):
        pass

    swarm = make_swarm(2, Deaf)
    host(swarm, 0).send(1, Nobody(1))
    swarm.advance(SECOND)
    assert swarm.snapshot().totals.delivered == 1


@message()
class Nobody:
    """No handler mentions it, and no other module than this one defines it."""

    number: int


def test_messages_come_from_the_programs_module_and_from_its_handlers() -> None:
    from engine.registry import messages_of

    class Local(Diary, name="local"):
        pass

    kinds = messages_of(Local)
    assert Nobody in kinds, "defined beside the program, though no role has a handler for it"
    assert Say in kinds, "handled, though defined elsewhere"
    assert Tick not in kinds
    assert len(set(kinds)) == len(kinds)
