from __future__ import annotations

import pickle
from dataclasses import dataclass

import pytest

from engine.api import DUPLICATE, Ask, File, Host, Known, Peer, PeerId, message, on
from engine.sim.encoding import encoded_size
from engine.testing import FakeHost, FakeLibrary


@message(part="question")
class Knock:
    who: str


@message()
class Upkeep:
    n: int


@message(part="notice")
class Offer:
    what: str


@dataclass(slots=True)
class Bell:
    n: int


class Door(Peer):
    def __init__(self) -> None:
        self.rung: list[tuple[int, int, object]] = []

    def ask(self, host: Host, ask: Ask) -> None:
        host.multicast([1, 2], Knock(ask.text))
        host.after(500, Bell(1))
        host.after(100, Bell(2), cause=None)

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        host.log("slammed", by=to)

    @on(Knock)
    def knock(self, host: Host, sender: PeerId, message: Knock) -> None:
        host.link(sender)
        host.send(sender, Upkeep(len(message.who)))
        host.unlink(sender)

    @on(Bell)
    def bell(self, host: Host, tick: Bell) -> None:
        self.rung.append((host.now_us, tick.n, host.cause))


class Shop(Peer):
    def ask(self, host: Host, ask: Ask) -> None:
        host.send(1, Offer(ask.text))
        host.send(2, Offer(ask.text), part="upkeep")
        host.send(3, Upkeep(1), part="notice")

    @on(Offer)
    def offered(self, host: Host, sender: PeerId, message: Offer) -> None:
        host.send(sender, Knock(message.what))


class Listener(Peer):
    says: object = None

    @on(Knock)
    def knock(self, host: Host, sender: PeerId, message: Knock) -> Known:
        return self.says  # type: ignore[return-value]


def test_a_message_that_told_nothing_new_is_noted_and_a_handler_may_say_nothing_else() -> None:
    tape, listener = FakeHost(), Listener()
    tape.give(listener, Knock("me"), sender=3)
    assert tape.notes == []
    listener.says = DUPLICATE
    tape.give(listener, Knock("me"), sender=3)
    assert tape.noted("duplicate") == [{}]
    listener.says = True
    with pytest.raises(TypeError, match="Knock returned True: it may return DUPLICATE or None"):
        tape.give(listener, Knock("me"), sender=3)


def test_a_fake_host_keeps_what_a_peer_sends_with_its_cause() -> None:
    tape, door = FakeHost(me=5), Door()
    tape.ask(door, Ask(7, "find", "anybody"))
    assert tape.sent == [(1, Knock("anybody")), (2, Knock("anybody"))]
    assert tape.causes == [7, 7]
    assert tape.take() == [(1, Knock("anybody")), (2, Knock("anybody"))]
    assert tape.take() == []

    tape.give(door, Knock("me"), sender=3)
    assert (tape.linked, tape.unlinked) == ([3], [3])
    assert tape.causes == [0], "upkeep carries no cause"


def test_a_notice_carries_the_ask_on() -> None:
    tape, shop = FakeHost(me=5), Shop()
    tape.ask(shop, Ask(7, "find", "bread"))
    assert tape.causes == [7, 0, 7], "a notice has the cause of the ask, upkeep has none"
    assert tape.parts == [None, "upkeep", "notice"]
    tape.take()
    tape.give(shop, Offer("bread"), sender=1, cause=7)
    assert (tape.take(), tape.causes) == ([(1, Knock("bread"))], [])
    tape.give(shop, Offer("bread"), sender=1, cause=8)
    assert tape.causes == [8]


def test_time_passes_only_by_wait_and_timers_run_in_order_with_their_cause() -> None:
    tape, door = FakeHost(), Door()
    tape.ask(door, Ask(7, "find", "anybody"))
    cancelled = tape.after(50, Bell(3))
    tape.cancel(cancelled)
    tape.cancel(cancelled)
    tape.wait(door, 1_000)
    assert door.rung == [(100, 2, 0), (500, 1, 7)]
    assert tape.now_us == 1_000
    assert tape.timers == []


def test_a_periodic_timer_runs_until_it_is_cancelled() -> None:
    tape, door = FakeHost(), Door()
    timer = tape.every(10_000, Bell(1))
    tape.wait(door, 35_000)
    assert [at for at, _, _ in door.rung] == [10_000, 20_000, 30_000]
    tape.cancel(timer)
    tape.wait(door, 35_000)
    assert len(door.rung) == 3


def test_refusals_and_notes() -> None:
    tape, door = FakeHost(), Door()
    tape.refuse(door, 9, Knock("me"))
    assert tape.notes == [("slammed", {"by": 9})]
    assert tape.noted("slammed") == [{"by": 9}]
    assert tape.noted("opened") == []


def test_a_message_without_a_handler_is_an_error_of_the_test() -> None:
    with pytest.raises(KeyError):
        FakeHost().give(Door(), Upkeep(1), sender=1)


def test_the_library_finds_files_by_all_words() -> None:
    shelf = FakeLibrary([File("Blue Train.mp3", 10, 1), File("blue moon", 10, 2)])
    assert [file.digest for file in shelf.matching("BLUE")] == [1, 2]
    assert [file.digest for file in shelf.matching("train blue")] == [1]
    assert shelf.matching("?!") == []
    shelf.add(File("blue moon", 10, 3))
    assert len(shelf) == 2
    assert [file.digest for file in shelf.files()] == [1, 3]


def test_the_same_seed_and_peer_draw_the_same() -> None:
    assert FakeHost(me=1, seed=4).rng.random() == FakeHost(me=1, seed=4).rng.random()
    assert FakeHost(me=1, seed=4).rng.random() != FakeHost(me=2, seed=4).rng.random()
    assert pickle.loads(pickle.dumps(FakeHost(me=3))).me == 3


def test_what_waits_for_a_busy_uplink_is_counted_and_withdrawn() -> None:
    tape = FakeHost()
    tape.send(1, Knock("at once"))
    tape.busy = True
    for text in ("a", "b", "a"):
        tape.send(1, Knock(text))
    tape.send(2, Knock("a"))
    assert tape.sent(1) == encoded_size(Knock("at once"))
    assert tape.queued(1) == 3 * encoded_size(Knock("a"))
    assert tape.withdraw(1, Knock("a"))
    assert not tape.withdraw(1, Knock("at once"))
    assert tape.take() == [(1, Knock("at once")), (1, Knock("a")), (1, Knock("b")), (2, Knock("a"))]
    tape.drain()
    assert tape.sent(1) == encoded_size(Knock("at once")) + 2 * encoded_size(Knock("a"))
    assert (tape.queued(1), tape.withdraw(1, Knock("b"))) == (0, False)
