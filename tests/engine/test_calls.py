"""Calls: a request ends once, with the answers that it asked for, a time-out, a refusal, or the end of its process."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from callers import (
    LATENCY,
    MS,
    SECOND,
    Caller,
    Cell,
    Found,
    Lookup,
    Padded,
    Ping,
    Pong,
    everyone,
    program_of,
    swarm_of,
)
from tiny import host as peer_host
from tiny import run_for

from engine import (
    PARTS,
    AskFor,
    CallEnd,
    Censor,
    Checkpoints,
    Collude,
    FakeHost,
    Heal,
    Hold,
    Host,
    Kill,
    Leave,
    LinkSpec,
    NothingToReplyTo,
    OpenCall,
    Partition,
    PeerId,
    Release,
    Revive,
    Set,
    Swarm,
    Ticket,
    TimeMachine,
    Uncensor,
    on_reply,
    on_timeout,
)
from engine.sim.calls import PendingCall
from engine.sim.encoding import encoded_size
from engine.sim.kernel import KernelTimer


def answers(swarm: Swarm, peer: int = 0) -> list[Any]:
    return program_of(swarm, peer).answers


def ends(swarm: Swarm, peer: int = 0) -> list[Any]:
    return program_of(swarm, peer).ends


def answering(swarm: Swarm, how: Any, *peers: int) -> None:
    def set_it(program: Caller) -> None:
        program.answering = how

    everyone(swarm, set_it, peers or None)


def test_a_call_is_answered_once_and_hands_over_its_context() -> None:
    swarm = swarm_of()
    peer_host(swarm, 0).call(1, Lookup("blue", 1), timeout_us=SECOND, context=("a", 7))
    assert swarm.open_calls(0) == (OpenCall(1, "Lookup", 0, 1, SECOND),)
    run_for(swarm, 3)
    assert program_of(swarm, 1).handled == [(LATENCY, 0, Lookup("blue", 1))]
    assert answers(swarm) == [(2 * LATENCY, 1, Found(("blue",)), ("a", 7))]
    assert ends(swarm) == []
    assert swarm.open_calls(0) == ()
    assert swarm.simulation.shared.sent == 2


def test_an_answered_call_leaves_no_timer_and_does_not_end_that_of_another_call() -> None:
    swarm = swarm_of(2)
    host, kernel = peer_host(swarm, 0), swarm.simulation.kernel
    wait_us = SECOND + 7  # Nothing else is due then.

    def waits() -> list[object]:
        timers = [timer for due in kernel.timers.values() for timer in due if isinstance(timer, KernelTimer)]
        return [timer.tick for timer in timers if isinstance(timer.tick, PendingCall)]

    answered = host.call(1, Lookup("blue", 1), timeout_us=wait_us)
    assert waits() == [answered]
    swarm.advance(3 * LATENCY)
    assert len(answers(swarm)) == 1
    assert waits() == []
    one = host.call(1, Ping(2), timeout_us=wait_us)
    other = host.call(1, Ping(3), timeout_us=wait_us)
    host.cancel(one)
    assert other in waits()
    swarm.do(Censor((1,)))
    run_for(swarm, 2)
    assert len(ends(swarm)) == 1
    assert waits() == []


class Event:
    """A kernel event that calls `act`."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.fire = act


def test_a_call_that_is_cancelled_when_it_is_due_ends_no_timer_that_was_set_in_that_instant() -> None:
    swarm = swarm_of(2)
    host, kernel = peer_host(swarm, 0), swarm.simulation.kernel
    program_of(swarm, 1).answering = "never"
    fired: list[int] = []

    def act() -> None:
        kernel.at(kernel.now_us, Event(lambda: fired.append(kernel.now_us)))
        host.cancel(call)

    kernel.at(SECOND, Event(act))
    call = host.call(1, Lookup("blue", 1), timeout_us=SECOND)
    run_for(swarm, 2)
    assert fired == [SECOND]
    assert ends(swarm) == []


def test_a_silent_peer_is_tried_as_often_as_there_are_times() -> None:
    swarm = swarm_of()
    answering(swarm, "never", 1)
    peer_host(swarm, 0).call(1, Ping(7), timeout_us=(100 * MS, 200 * MS, 400 * MS), context="x")
    run_for(swarm, 0.2)
    assert swarm.open_calls(0) == (OpenCall(1, "Ping", 0, 2, 300 * MS),)
    run_for(swarm, 3)
    assert [at for at, _, _ in program_of(swarm, 1).handled] == [10 * MS, 110 * MS, 310 * MS]
    assert ends(swarm) == [(700 * MS, 1, "x", "silent")]


def test_an_answer_to_any_try_counts_and_the_answer_to_the_other_try_does_not() -> None:
    swarm = swarm_of(latency="constant:60")
    peer_host(swarm, 0).call(1, Ping(7), timeout_us=(100 * MS, 500 * MS))
    run_for(swarm, 3)
    assert len(program_of(swarm, 1).handled) == 2
    assert [at for at, *_ in answers(swarm)] == [120 * MS]
    assert ends(swarm) == []


def test_a_late_answer_is_dropped_by_the_engine() -> None:
    swarm = swarm_of(latency="constant:60")
    peer_host(swarm, 0).call(1, Ping(7), timeout_us=100 * MS)
    run_for(swarm, 3)
    assert answers(swarm) == []
    assert ends(swarm) == [(100 * MS, 1, None, "silent")]


def test_several_answers_are_counted_and_each_gives_more_time() -> None:
    swarm = swarm_of()
    answering(swarm, "later", 1)
    peer_host(swarm, 0).call(1, Ping(7), timeout_us=(100 * MS, 300 * MS), answers=3)
    callee = peer_host(swarm, 1)
    run_for(swarm, 0.05)
    [ticket] = program_of(swarm, 1).tickets
    assert ticket == Ticket(0, 1, 0, "Ping")
    for _ in range(2):
        callee.reply(Pong(1), to=ticket)
        run_for(swarm, 0.09)
    assert swarm.open_calls(0)[0].answers == 2
    run_for(swarm, 3)
    assert [at for at, *_ in answers(swarm)] == [60 * MS, 150 * MS]
    assert ends(swarm) == [(250 * MS, 1, None, "silent")]
    assert len(program_of(swarm, 1).handled) == 1, "no further try after an answer"


def test_any_number_of_answers_until_it_is_cancelled() -> None:
    swarm = swarm_of()
    answering(swarm, "later", 1)
    caller, callee = peer_host(swarm, 0), peer_host(swarm, 1)
    call = caller.call(1, Ping(7), timeout_us=SECOND, answers=None)
    other = caller.call(1, Ping(8), timeout_us=SECOND, answers=None)
    run_for(swarm, 0.05)
    for _ in range(4):
        for ticket in program_of(swarm, 1).tickets:
            callee.reply(Pong(1), to=ticket)
        run_for(swarm, 0.5)
    assert len(answers(swarm)) == 8
    caller.cancel(call)
    caller.cancel(call)
    for ticket in program_of(swarm, 1).tickets:
        callee.reply(Pong(1), to=ticket)
    run_for(swarm, 5)
    assert len(answers(swarm)) == 9
    assert len(ends(swarm)) == 1, "only the one that was not cancelled runs out"
    caller.cancel(other)
    assert swarm.open_calls(0) == ()


def test_only_who_was_asked_may_answer_and_only_with_what_the_handler_takes() -> None:
    swarm = swarm_of()
    answering(swarm, "later")
    peer_host(swarm, 0).call(1, Ping(7), timeout_us=SECOND)
    run_for(swarm, 0.05)
    [ticket] = program_of(swarm, 1).tickets
    peer_host(swarm, 2).reply(Pong(1), to=ticket)
    peer_host(swarm, 1).reply(Found(("x",)), to=ticket)
    run_for(swarm, 0.1)
    assert answers(swarm) == []
    peer_host(swarm, 1).reply(Pong(2), to=ticket)
    peer_host(swarm, 1).reply(Pong(3), to=ticket)
    run_for(swarm, 3)
    assert [(sender, answer) for _, sender, answer, _ in answers(swarm)] == [(1, Pong(2))]


def test_a_refusal_and_a_closed_stream_end_a_call_at_once() -> None:
    swarm = swarm_of()
    answering(swarm, "never")
    caller = peer_host(swarm, 0)
    caller.call(1, Lookup("x", 1), timeout_us=(30 * SECOND, 30 * SECOND), context="open")
    caller.call(1, Ping(1), timeout_us=SECOND, context="datagram")
    run_for(swarm, 0.1)
    swarm.do(Kill(1))
    run_for(swarm, 0.1)
    caller.call(1, Lookup("x", 1), timeout_us=30 * SECOND, context="gone")
    run_for(swarm, 5)
    assert ends(swarm) == [
        (110 * MS, 1, "open", "closed"),
        (220 * MS, 1, "gone", "refused"),
        (SECOND, 1, "datagram", "silent"),
    ]
    assert program_of(swarm, 0).told == [("closed", 1)]


@pytest.mark.parametrize("reason", ["silent", "refused"])
def test_a_handler_of_answers_that_takes_none_is_told_of_a_call_that_ends_without_one(reason: str) -> None:
    class Plain(Caller):
        @on_reply(Lookup)
        def found(self, host: Host, sender: PeerId, answer: Found | None, context: object) -> None:
            self.told.append((f"{context}: {answer}", sender))

    Plain.timeouts = {}
    swarm = swarm_of(program=Plain)
    answering(swarm, "never", 1)
    if reason == "refused":
        swarm.do(Kill(1))
    run_for(swarm, 0.1)
    peer_host(swarm, 0).call(1, Lookup("x", 1), timeout_s=1.0, context="first")
    run_for(swarm, 5)
    assert program_of(swarm, 0).told[-1] == ("first: None", 1)
    assert ("refused Lookup", 1) not in program_of(swarm, 0).told
    assert swarm.open_calls(0) == ()
    fake, one = FakeHost(0), Plain()
    fake.call(1, Lookup("x", 1), timeout_s=1.0, context="fake")
    fake.wait(one, 2 * SECOND)
    assert one.told == [("fake: None", 1)]


def test_the_refusal_of_an_answer_is_told_as_that_of_any_message() -> None:
    swarm = swarm_of()
    answering(swarm, "later", 1)
    peer_host(swarm, 0).call(1, Lookup("x", 1), timeout_us=SECOND)
    run_for(swarm, 0.05)
    swarm.do(Kill(0))
    run_for(swarm, 0.05)
    peer_host(swarm, 1).reply(Found(()), to=program_of(swarm, 1).tickets[0])
    run_for(swarm, 1)
    assert program_of(swarm, 1).told == [("closed", 0), ("refused Found", 0)]


def test_calls_end_with_the_process() -> None:
    swarm = swarm_of()
    answering(swarm, "later", 1)
    peer_host(swarm, 0).call(1, Ping(1), timeout_us=SECOND)
    run_for(swarm, 0.05)
    swarm.do(Kill(0))
    assert swarm.open_calls(0) == ()
    swarm.do(Revive(0))
    peer_host(swarm, 0).call(1, Ping(2), timeout_us=SECOND)
    peer_host(swarm, 1).reply(Pong(1), to=program_of(swarm, 1).tickets[0])
    run_for(swarm, 5)
    assert answers(swarm) == [], "an answer to the process before"
    assert len(ends(swarm)) == 1


def test_a_reply_needs_a_request() -> None:
    swarm = swarm_of()
    host = peer_host(swarm, 0)
    with pytest.raises(NothingToReplyTo, match="nothing of the kind is being handled"):
        host.reply(Pong(1))
    with pytest.raises(NothingToReplyTo, match="should be a ticket"):
        host.reply(Pong(1), to=7)
    # A request that a hostile peer sends as a plain message gets no answer, and ends no call.
    sent = swarm.simulation.shared.sent
    peer_host(swarm, 1).send(0, Ping(1))
    run_for(swarm, 1)
    assert swarm.simulation.shared.sent == sent + 1


@pytest.mark.parametrize("timeout_us", [(), "soon", ("a",), float("nan")])
def test_invalid_times_are_refused(timeout_us: Any) -> None:
    host = peer_host(swarm_of(), 0)
    with pytest.raises(ValueError, match="timeout_us should be a number of microseconds, or one for each try"):
        host.call(1, Ping(1), timeout_us=timeout_us)
    with pytest.raises(ValueError, match="timeout_s should be a number of seconds, or one for each try"):
        host.call(1, Ping(1), timeout_s=timeout_us)
    for both in ({}, {"timeout_us": SECOND, "timeout_s": 1.0}):
        with pytest.raises(ValueError, match="a call states how long it waits for an answer, by timeout_us= or timeou"):
            host.call(1, Ping(1), **both)
    with pytest.raises(ValueError, match="answers should be a number from 1, or None, not 0"):
        host.call(1, Ping(1), timeout_us=1, answers=0)


# --- what the engine shows and counts of it ----------------------------------------------------------------------


def test_a_call_is_counted_and_shown_as_its_message() -> None:
    swarm = swarm_of()
    kinds = [kind.name for kind in swarm.simulation.kinds]
    assert kinds == ["Lookup", "Ping", "Found", "Pong", "Cell", "Padded"]
    plain = encoded_size(Lookup("blue", 1)) + encoded_size(Found(("blue",)))
    peer_host(swarm, 0).call(1, Lookup("blue", 1), timeout_us=SECOND)
    flight = swarm.snapshot().flight
    assert (flight.total, flight.part.tolist()) == (1, [PARTS.index("question")])
    run_for(swarm, 1)
    assert swarm.simulation.shared.sent_by_kind == [1, 0, 1, 0, 0, 0]
    assert swarm.simulation.shared.sent_bytes == plain + 2 * 2
    assert [(one.kind, one.frm, one.to) for one in swarm.last_messages(1)] == [(2, 1, 0), (0, 0, 1)]


def test_the_token_weighs_nothing_where_the_class_states_its_size() -> None:
    class Sizer(Caller):
        @on_timeout(Cell)
        @on_timeout(Padded)
        def unanswered(self, host: Host, to: PeerId, context: object, reason: CallEnd) -> None:
            pass

    swarm = swarm_of(program=Sizer)
    for message, size in ((Cell(3), 514), (Padded(77), 77)):
        before = swarm.simulation.shared.sent_bytes
        peer_host(swarm, 0).send(1, message)
        assert swarm.simulation.shared.sent_bytes == before + size
        peer_host(swarm, 0).call(1, message, timeout_us=SECOND)
        assert swarm.simulation.shared.sent_bytes == before + 2 * size


def test_an_ask_stays_open_while_a_call_waits() -> None:
    swarm = swarm_of()
    answering(swarm, "never")
    program_of(swarm, 0).asking = ((1, Lookup("blue", 1), {"timeout_us": 3 * SECOND}),)
    swarm.do(AskFor(0, "blue"))
    run_for(swarm, 2)
    assert not swarm.quiet()
    run_for(swarm, 2)
    assert swarm.quiet()
    row = swarm.record(1)
    assert (row.reached, row.messages) == (1, 1)


def test_what_an_answer_or_an_end_causes_belongs_to_the_ask() -> None:
    class Again(Caller):
        pass

    def again(self: Any, host: Host, peer: int, *_: object) -> None:
        host.call(2, Lookup("again", 1), timeout_us=SECOND)

    Again.replies = {**Caller.replies, Ping: again}
    Again.timeouts = {**Caller.timeouts, Ping: again}
    for how in ("once", "never"):
        swarm = swarm_of(program=Again)
        answering(swarm, how, 1)
        program_of(swarm, 0).asking = ((1, Ping(1), {"timeout_us": SECOND}),)
        swarm.do(AskFor(0, "blue"))
        run_for(swarm, 5)
        assert (swarm.record(1).reached, swarm.record(1).messages) == (2, 2), how
        assert swarm.quiet()


def test_a_colluder_bans_a_word_in_requests_and_answers() -> None:
    swarm = swarm_of()
    swarm.do(Collude(1, "blue", 0.0))
    peer_host(swarm, 0).call(1, Lookup("blue train", 1), timeout_us=SECOND)
    peer_host(swarm, 0).call(1, Lookup("red train", 1), timeout_us=SECOND)
    run_for(swarm, 3)
    assert [answer for _, _, answer, _ in answers(swarm)] == [Found(("",)), Found(("red train",))]
    assert ends(swarm) == []


@pytest.mark.parametrize("command", [Censor(1), Partition((1,)), Hold((0, 1))])
def test_what_stops_messages_stops_calls(command: Any) -> None:
    swarm = swarm_of()
    swarm.do(command)
    peer_host(swarm, 0).call(1, Lookup("x", 1), timeout_us=SECOND)
    peer_host(swarm, 0).call(1, Ping(1), timeout_us=SECOND)
    run_for(swarm, 2)
    assert [reason for *_, reason in ends(swarm)] == ["silent", "silent"]
    swarm.do(
        Uncensor(1),
    ) if isinstance(command, Censor) else swarm.do(Heal())
    swarm.do(Release("all"))
    run_for(swarm, 10)
    assert answers(swarm) == []
    peer_host(swarm, 0).call(1, Lookup("y", 1), timeout_us=SECOND)
    run_for(swarm, 2)
    assert [answer for _, _, answer, _ in answers(swarm)] == [Found(("y",))]


def test_open_calls_and_their_timers_survive_a_checkpoint() -> None:
    swarm = swarm_of()
    answering(swarm, "later", 1)
    program = program_of(swarm, 0)
    for number in range(3):
        program.calls[number] = peer_host(swarm, 0).call(
            1, Ping(number), timeout_us=(300 * MS, 500 * MS), context=number, answers=2
        )
    run_for(swarm, 0.05)
    copy: Swarm = pickle.loads(pickle.dumps(swarm))
    assert copy.open_calls(0) == swarm.open_calls(0)
    for one in (swarm, copy):
        for ticket in program_of(one, 1).tickets[:2]:
            peer_host(one, 1).reply(Pong(1), to=ticket)
        peer_host(one, 0).cancel(program_of(one, 0).calls[1])
        run_for(one, 3)
    assert answers(copy) == answers(swarm)
    assert [context for _, _, _, context in answers(swarm)] == [0]
    assert ends(copy) == ends(swarm)
    assert [context for _, _, context, _ in ends(swarm)] == [0, 2]
    assert copy.fingerprint() == swarm.fingerprint()


# --- every call ends once ---------------------------------------------------------------------------------------


class Counting(Caller):
    """Calls somebody at random each time it is asked, and counts how its calls end."""

    def ask(self, host: Host, ask: Any) -> None:
        rng = host.rng
        for _ in range(2):
            number = rng.randrange(1 << 30)
            waits = [200 * MS] * (1 + rng.randrange(3))
            wanted = rng.choice((1, 1, 2, None))
            request: Any = Ping(number) if rng.random() < 0.5 else Lookup("blue", number)
            call = host.call(rng.randrange(8), request, timeout_us=waits, context=(number, wanted), answers=wanted)
            self.calls[number] = call
            if rng.random() < 0.2:
                host.cancel(self.calls[rng.choice(list(self.calls))])


ORDERS: tuple[Callable[[], Any], ...] = (
    lambda: Kill("random 2"), lambda: Revive("state=dead"), lambda: Leave("random 1"), lambda: Censor("random 2"),
    lambda: Uncensor("all"), lambda: Partition("random 40%"), lambda: Heal(), lambda: Hold("random 2"),
    lambda: Release("all"), lambda: Set("loss", 0.3), lambda: Set("loss", 0.0), lambda: Set("latency", 8.0),
    lambda: Set("latency", 1.0), lambda: Collude("random 2", "blue", 0.5),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_each_call_ends_once_whatever_happens(seed: int) -> None:
    rng = Random(seed)
    links = LinkSpec("512:1500", jitter_ms=20.0, nat=0.2) if seed % 2 else LinkSpec()
    swarm = swarm_of(8, Counting, seed=seed, links=links, latency="uniform:10-90", options={})
    for step in range(40):
        for peer in range(8):
            if (program := swarm.peer(peer)) is not None:
                program.answering = rng.choice(("once", "twice", "later", "never"))  # type: ignore[attr-defined]
        swarm.do(AskFor("random 3", "blue"))
        run_for(swarm, rng.random() / 2)
        swarm.do(rng.choice(ORDERS)())
        if step % 10 == 5:
            swarm = pickle.loads(pickle.dumps(swarm))
        for peer in range(8):
            if swarm.peer(peer) is not None:
                ended_once(swarm, peer)
    for command in (Heal(), Uncensor("all"), Release("all"), Set("loss", 0.0)):
        swarm.do(command)
    assert swarm.advance_quiet(swarm.now_us + 600 * SECOND), "an open call keeps no ask open for ever"
    for peer in range(8):
        assert swarm.open_calls(peer) == ()
        if swarm.peer(peer) is not None:
            ended_once(swarm, peer)


def ended_once(swarm: Swarm, peer: int) -> None:
    """No call of a peer was answered more often than it asked for, or ended twice, or after its last answer."""
    program = program_of(swarm, peer)
    open_now = {call.context[0] for call in peer_host(swarm, peer).calls.values()}
    count: dict[int, int] = {}
    for _, _, _, (number, wanted) in program.answers:
        count[number] = count.get(number, 0) + 1
        assert wanted is None or count[number] <= wanted
    over = [context[0] for _, _, context, _ in program.ends]
    assert len(over) == len(set(over))
    for number, wanted in [context for _, _, _, context in program.answers]:
        assert not (number in over and count[number] == wanted), "it had all that it asked for"
    assert not open_now & set(over)
    assert not [number for number in open_now if program.calls[number] not in peer_host(swarm, peer).calls.values()]


# --- without a network --------------------------------------------------------------------------------------------


def test_a_fake_host_records_calls_and_answers() -> None:
    host, peer = FakeHost(me=0), Caller()
    call = host.call(4, Lookup("x", 1), timeout_us=(SECOND, 2 * SECOND), context="c")
    assert host.calls == [call]
    host.answer(peer, call, Found(("y",)), sender=5)
    host.answer(peer, call, Pong(1))
    assert peer.answers == []
    host.answer(peer, call, Found(("y",)))
    host.answer(peer, call, Found(("z",)))
    host.time_out(peer, call)
    assert peer.answers == [(0, 4, Found(("y",)), "c")]
    assert (call.over, peer.ends) == ("answered", [])


def test_a_fake_host_lets_the_time_of_calls_run_out() -> None:
    host, peer = FakeHost(me=0), Caller()
    call = host.call(4, Lookup("x", 1), timeout_us=(SECOND, 2 * SECOND), context="c")
    other = host.call(5, Lookup("x", 1), timeout_us=SECOND, context="d")
    gone = host.call(6, Lookup("x", 1), timeout_us=SECOND, context="e")
    host.cancel(gone)
    host.time_out(peer, other, "refused")
    host.wait(peer, SECOND)
    assert (call.tries, call.over) == (2, "")
    host.wait(peer, 5 * SECOND)
    assert peer.ends == [(0, 5, "d", "refused"), (3 * SECOND, 4, "c", "silent")]


def test_a_fake_host_gives_requests_and_records_replies() -> None:
    host, peer = FakeHost(me=0), Caller()
    ticket = host.give_request(peer, Ping(3), sender=2)
    assert host.replies == [(ticket, Pong(3))]
    with pytest.raises(NothingToReplyTo):
        host.reply(Pong(1))
    host.give(peer, Ping(3), sender=2)
    assert host.replies == [(ticket, Pong(3))], "it was simply sent: nobody waits"
    host.reply(Pong(1), to=ticket)
    assert len(host.replies) == 2


# --- time ---------------------------------------------------------------------------------------------------------


def test_a_seek_and_another_future_find_the_same_open_calls() -> None:
    swarm = swarm_of(8, Counting, seed=9, asks_per_s=4.0)
    machine = TimeMachine(swarm, program=Counting, checkpoints=Checkpoints(spacing=50))
    machine.advance(3 * SECOND)
    machine.swarm.do(Kill(2))
    then = machine.swarm.fingerprint(), [machine.swarm.open_calls(peer) for peer in range(8)]
    assert any(then[1]), "some calls are open"
    machine.advance(8 * SECOND)
    end = machine.swarm.fingerprint()
    for _ in machine.seek(3 * SECOND):
        pass
    assert (machine.swarm.fingerprint(), [machine.swarm.open_calls(peer) for peer in range(8)]) == then
    machine.advance(8 * SECOND)
    assert machine.swarm.fingerprint() == end
    for _ in machine.seek(3 * SECOND):
        pass
    machine.swarm.do(Kill(3))
    machine.advance(8 * SECOND)
    assert machine.swarm.fingerprint() != end
    assert machine.forks == 1
    machine.close()
