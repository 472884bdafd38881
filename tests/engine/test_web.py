from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest

from engine.api import Ask, Blob, Facts
from engine.protocols.web import (
    OK,
    OVERLOADED,
    UNAVAILABLE,
    Balancer,
    Client,
    Request,
    Response,
    Server,
    Waited,
    WebOptions,
)
from engine.testing import FakeHost

FRONT, ONE, TWO = 90, 91, 92


def client(**options: float) -> tuple[FakeHost, Client]:
    tape, peer = FakeHost(me=1, options=WebOptions(**options)), Client()  # type: ignore[arg-type]
    peer.start(tape, [FRONT, 5, 6], None)
    return tape, peer


def balancer() -> tuple[FakeHost, Balancer]:
    tape, peer = FakeHost(me=FRONT, options=WebOptions(servers=2)), Balancer()
    peer.start(tape, [FRONT, ONE, TWO, 5, 6], None)
    return tape, peer


def test_one_server_stands_alone_and_a_fleet_stands_behind_a_balancer() -> None:
    assert [s.label for s in Client.stations(WebOptions(), 64)] == ["server"]
    fleet = Client.stations(WebOptions(servers=3), 64)
    assert [s.label for s in fleet] == ["balancer", "server1", "server2", "server3"]
    assert {s.operator for s in fleet} == {"acme"}
    assert fleet[0].program is Balancer


def test_a_client_asks_and_gets_a_page() -> None:
    tape, peer = client()
    assert tape.linked == [FRONT]
    tape.ask(peer, Ask(1, "fetch", "blue train"))
    [(to, request)] = tape.take()
    assert (to, request.text) == (FRONT, "blue train")
    tape.give(peer, Response(request.number, OK, "blue train", ONE, Blob(64_000)), sender=FRONT)
    assert tape.noted("hit") == [{"holder": ONE, "content": "blue train", "by": 90}]
    assert (tape.timers, peer.pending) == ([], {})


def test_a_client_waits_tries_again_and_gives_up() -> None:
    tape, peer = client(timeout_s=5, retries=2)
    tape.ask(peer, Ask(1, "fetch", "blue train"))
    tape.wait(peer, 4_999_999)
    assert len(tape.sent) == 1
    tape.wait(peer, 6_000_000)
    assert [request.text for _, request in tape.sent] == ["blue train"] * 3
    assert tape.causes == [1, 1, 1], "each try is of the same ask"
    tape.wait(peer, 60_000_000)
    assert len(tape.sent) == 3
    assert tape.noted("gave up") == [{"content": "blue train"}]
    assert (tape.timers, peer.pending, peer.failed) == ([], {}, 1)


def test_an_answer_that_comes_too_late_is_no_hit_and_451_is_final() -> None:
    tape, peer = client(retries=0)
    tape.ask(peer, Ask(1, "fetch", "blue train"))
    tape.wait(peer, 10_000_000)
    tape.give(peer, Response(1, OK, "blue train", ONE, Blob(1)), sender=FRONT)
    assert tape.noted("hit") == []
    tape.ask(peer, Ask(2, "fetch", "blue train"))
    tape.give(peer, Response(2, UNAVAILABLE, "", ONE, Blob(0)), sender=FRONT)
    assert tape.noted("unavailable") == [{"status": UNAVAILABLE}]
    assert tape.timers == []


def test_a_server_sends_one_answer_after_the_other() -> None:
    options = WebOptions(page_kb=125, uplink_mbit_s=1)  # One second a page.
    tape, server = FakeHost(me=ONE, options=options), Server()
    for number in (1, 2, 3):
        tape.give(server, Request(number, "blue train"), sender=number)
    assert tape.take() == []
    tape.wait(server, 1_000_000)
    assert tape.take() == [(1, Response(1, OK, "blue train", ONE, Blob(125_000)))]
    tape.wait(server, 2_000_000)
    assert [to for to, _ in tape.take()] == [2, 3]
    tape.wait(server, 60_000_000)
    tape.give(server, Request(4, "blue train"), sender=4)
    assert tape.timers[0].at_us == tape.now_us + 1_000_000, "a line that was idle saved nothing up"


def test_a_server_refuses_when_too_many_wait_and_declines_what_has_no_name() -> None:
    tape, server = FakeHost(me=ONE, options=WebOptions(backlog=1)), Server()
    for number in (1, 2):
        tape.give(server, Request(number, "blue train"), sender=5)
    assert tape.take() == [(5, Response(2, OVERLOADED, "blue train", ONE, Blob(0)))]
    banned = Request(3, "blue train").without("blue")
    tape.give(server, banned, sender=5)
    assert tape.take() == [(5, Response(3, UNAVAILABLE, "", ONE, Blob(0)))]


def test_the_balancer_takes_turns_and_passes_answers_back() -> None:
    tape, peer = balancer()
    for number in (11, 12, 13):
        tape.give(peer, Request(number, "blue train"), sender=5)
    sent = tape.take()
    assert [to for to, _ in sent] == [ONE, TWO, ONE]
    tape.give(peer, Response(sent[1][1].number, OK, "blue train", TWO, Blob(9)), sender=TWO)
    assert tape.take() == [(5, Response(12, OK, "blue train", TWO, Blob(9)))]
    assert sorted(pending.number for pending in peer.pending.values()) == [11, 13]


def test_a_server_that_refuses_is_left_alone_for_a_while() -> None:
    tape, peer = balancer()
    tape.give(peer, Request(11, "blue train"), sender=5, cause=7)
    [(_, request)] = tape.take()
    tape.cause = 0
    tape.refuse(peer, ONE, request)
    assert tape.causes == [7], "the next try is of the same ask"
    assert [to for to, _ in tape.take()] == [TWO]
    for number in (12, 13):
        tape.give(peer, Request(number, "blue train"), sender=5)
    assert [to for to, _ in tape.take()] == [TWO, TWO]
    tape.now_us += 10_000_000
    for number in (14, 15):
        tape.give(peer, Request(number, "blue train"), sender=5)
    assert sorted(to for to, _ in tape.take()) == [ONE, TWO]


def test_a_silent_server_is_replaced_and_none_left_is_said_so() -> None:
    tape, peer = balancer()
    tape.give(peer, Request(11, "blue train"), sender=5)
    tape.wait(peer, 2_000_000)
    assert [to for to, _ in tape.take()] == [ONE, TWO]
    tape.wait(peer, 2_000_000)
    assert tape.take() == [(5, Response(11, OVERLOADED, "blue train", FRONT, Blob(0)))]
    assert (tape.timers, peer.pending) == ([], {})
    assert peer.beliefs().known[ONE].what == "set aside"


def test_the_death_of_a_server_moves_its_work_and_of_a_client_ends_it() -> None:
    tape, peer = balancer()
    for number, sender in ((11, 5), (12, 6), (13, 5)):
        tape.give(peer, Request(number, "blue train"), sender=sender, cause=number)
    tape.take()
    tape.cause = 0
    peer.closed(tape, ONE)
    assert tape.causes == [11, 13]
    assert [to for to, _ in tape.take()] == [TWO, TWO]
    peer.closed(tape, 5)
    assert [pending.client for pending in peer.pending.values()] == [6]


def test_an_overloaded_server_is_not_the_last_word() -> None:
    tape, peer = balancer()
    tape.give(peer, Request(11, "blue train"), sender=5)
    [(_, request)] = tape.take()
    tape.give(peer, Response(request.number, OVERLOADED, "blue train", ONE, Blob(0)), sender=ONE)
    assert [to for to, _ in tape.take()] == [TWO]
    assert peer.aside == {}, "busy is not dead"


@pytest.mark.parametrize("value", [None, "x", [1], {}, -5, 2.5])
def test_nonsense_is_ignored(value: object) -> None:
    tape, peer = client()
    tape.ask(peer, Ask(1, "fetch", "blue train"))
    tape.give(peer, Response(value, value, value, value, value), sender=FRONT)  # type: ignore[arg-type]
    tape.give(peer, Response(1, OK, "blue train", ONE, Blob(1)), sender=77)
    assert tape.noted("hit") == []
    tape.give(peer, Response(1, value, value, value, value), sender=FRONT)  # type: ignore[arg-type]
    tape.tick(peer, Waited(99))
    front_tape, front = balancer()
    front_tape.give(front, Request(value, value), sender=5)  # type: ignore[arg-type]
    front_tape.give(front, Response(value, value, value, value, value), sender=ONE)  # type: ignore[arg-type]
    front_tape.refuse(front, ONE, "a text")
    server_tape, server = FakeHost(me=ONE, options=WebOptions()), Server()
    server_tape.give(server, Request(value, value), sender=5)  # type: ignore[arg-type]
    for each in (peer, front, server):
        each.beliefs()
        pickle.dumps(each)


def test_why_there_was_no_answer() -> None:
    def why(stations: dict[str, str], **facts: Any) -> str | None:
        return Client.verdict(replace(Facts("fetch", "x", 0, stations=stations), **facts), WebOptions())

    assert "server is dead" in str(why({"server": "dead"}))
    assert "balancer is censored" in str(why({"balancer": "censored", "server1": "alive"}))
    assert "no server behind it" in str(why({"balancer": "alive", "server1": "dead"}))
    assert "declined" in str(why({"server": "colluding"}, reached=1))
