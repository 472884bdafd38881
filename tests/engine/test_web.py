from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest

from engine import AskFor, Setup, Swarm
from engine.api import Ask, Belief, Blob, CallEnd, Facts, Line
from engine.protocols.web import (
    OK,
    OVERLOADED,
    UNAVAILABLE,
    Balancer,
    Client,
    Request,
    Response,
    Server,
    WebOptions,
)
from engine.sim.encoding import encoded_size
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


def test_several_servers_are_behind_a_balancer_and_one_is_not() -> None:
    assert [s.label for s in Client.stations(WebOptions(), 64)] == ["server"]
    fleet = Client.stations(WebOptions(servers=3), 64)
    assert [s.label for s in fleet] == ["balancer", "server1", "server2", "server3"]
    assert {s.operator for s in fleet} == {"acme"}
    assert fleet[0].program is Balancer


def page(server: int = ONE, size: int = 64_000) -> Response:
    return Response(OK, "blue train", server, Blob(size))


def overloaded(server: int = ONE) -> Response:
    return Response(OVERLOADED, "blue train", server, Blob(0))


def called(tape: FakeHost) -> list[int]:
    """The receivers of the open calls."""
    return [call.to for call in tape.calls if not call.over]


def test_a_client_asks_and_gets_a_page() -> None:
    tape, peer = client()
    assert tape.linked == [FRONT]
    tape.ask(peer, Ask(1, "fetch", "blue train"))
    [call] = tape.calls
    assert (call.to, call.request) == (FRONT, Request("blue train"))
    tape.now_us = 70_000
    tape.answer(peer, call, page())
    assert tape.noted("hit") == [{"holder": ONE, "content": "blue train", "by": FRONT}]
    assert (tape.timers, peer.answered, peer.heard_us) == ([], 1, 70_000)


def test_a_client_waits_tries_again_and_gives_up() -> None:
    tape, peer = client(timeout_s=5, retries=2)
    tape.ask(peer, Ask(1, "fetch", "blue train"))
    tape.wait(peer, 4_999_999)
    assert len(tape.calls) == 1
    tape.wait(peer, 6_000_000)
    assert [call.request.text for call in tape.calls] == ["blue train"] * 3
    assert [call.cause for call in tape.calls] == [1, 1, 1], "each try is of the same ask"
    tape.wait(peer, 60_000_000)
    assert len(tape.calls) == 3
    assert tape.noted("gave up") == [{"content": "blue train"}]
    assert (tape.timers, called(tape), peer.failed) == ([], [], 1)


@pytest.mark.parametrize("reason", ["refused", "closed"])
def test_a_client_whose_service_is_down_asks_again_when_the_timeout_is_over(reason: CallEnd) -> None:
    tape, peer = client(timeout_s=5, retries=1)
    tape.ask(peer, Ask(1, "fetch", "blue train"))
    tape.wait(peer, 1_000_000)
    tape.time_out(peer, tape.calls[0], reason)
    tape.wait(peer, 3_999_999)
    assert len(tape.calls) == 1
    tape.wait(peer, 1)
    assert [call.cause for call in tape.calls] == [1, 1]


def test_a_client_asks_an_overloaded_service_again_when_the_timeout_is_over() -> None:
    tape, peer = client(timeout_s=5, retries=1)
    tape.ask(peer, Ask(1, "fetch", "blue train"))
    tape.wait(peer, 1_000_000)
    tape.answer(peer, tape.calls[0], overloaded())
    tape.wait(peer, 3_999_999)
    assert len(tape.calls) == 1
    tape.wait(peer, 1)
    assert [call.cause for call in tape.calls] == [1, 1]
    tape.answer(peer, tape.calls[1], page())
    tape.wait(peer, 60_000_000)
    assert (len(tape.calls), len(tape.noted("hit")), tape.noted("gave up")) == (2, 1, [])


def test_an_answer_that_comes_too_late_is_no_hit_and_451_is_final() -> None:
    tape, peer = client(retries=1)
    tape.ask(peer, Ask(1, "fetch", "blue train"))
    tape.wait(peer, 6_000_000)
    tape.answer(peer, tape.calls[0], page())
    assert tape.noted("hit") == [], "the first try is over, and the second waits"
    tape.answer(peer, tape.calls[1], Response(UNAVAILABLE, "", ONE, Blob(0)))
    assert tape.noted("unavailable") == [{"status": UNAVAILABLE}]
    assert (tape.timers, called(tape), peer.failed) == ([], [], 1)


def test_a_server_sends_one_answer_after_the_other() -> None:
    options = WebOptions(page_kb=125, uplink_mbit_s=1)  # One second a page.
    tape, server = FakeHost(me=ONE, options=options), Server()
    tickets = [tape.give_request(server, Request("blue train"), sender, cause=sender) for sender in (1, 2, 3)]
    assert tape.replies == []
    tape.wait(server, 1_000_000)
    assert tape.replies == [(tickets[0], page(size=125_000))]
    tape.wait(server, 2_000_000)
    assert [ticket for ticket, _ in tape.replies] == tickets
    assert [ticket.cause for ticket in tickets] == [1, 2, 3]
    tape.wait(server, 60_000_000)
    tape.give_request(server, Request("blue train"), sender=4)
    assert tape.timers[0].at_us == tape.now_us + 1_000_000, "a line that was idle saved nothing up"


def test_a_server_on_a_line_with_a_capacity_leaves_the_delay_to_the_line() -> None:
    tape, server = FakeHost(me=ONE, options=WebOptions(page_kb=125, backlog=1)), Server()
    tape.line = Line(up_kbit_s=1_000, down_kbit_s=1_000)
    first, second = (tape.give_request(server, Request("blue train"), sender) for sender in (1, 2))
    assert tape.replies == [(first, page(size=125_000)), (second, overloaded())]
    tape.wait(server, 1_000_000)
    assert (len(tape.replies), server.queued, server.answered) == (2, 0, 1)


def test_a_server_refuses_when_too_many_wait_and_declines_what_has_no_name() -> None:
    tape, server = FakeHost(me=ONE, options=WebOptions(backlog=1)), Server()
    _, second = (tape.give_request(server, Request("blue train"), sender=5) for _ in range(2))
    assert tape.replies == [(second, overloaded())]
    banned = tape.give_request(server, Request("blue train").without("blue"), sender=5)
    assert tape.replies[1:] == [(banned, Response(UNAVAILABLE, "", ONE, Blob(0)))]


def test_the_balancer_takes_turns_and_passes_answers_back() -> None:
    tape, peer = balancer()
    _, second, _ = (tape.give_request(peer, Request("blue train"), sender=5) for _ in range(3))
    assert called(tape) == [ONE, TWO, ONE]
    tape.answer(peer, tape.calls[1], page(TWO))
    assert tape.replies == [(second, page(TWO))]
    assert called(tape) == [ONE, ONE]
    assert peer.beliefs().facts["waiting"] == "2"


def test_the_balancer_reports_which_server_answered() -> None:
    tape, peer = balancer()
    ticket = tape.give_request(peer, Request("blue train"), sender=5)
    tape.answer(peer, tape.calls[0], page(77))
    assert tape.replies == [(ticket, page(ONE))]


@pytest.mark.parametrize("reason", ["refused", "closed", "silent"])
def test_a_server_that_does_not_answer_is_set_aside_for_some_time(reason: CallEnd) -> None:
    tape, peer = balancer()
    tape.give_request(peer, Request("blue train"), sender=5, cause=7)
    tape.time_out(peer, tape.calls[0], reason)
    assert tape.calls[1].cause == 7, "the next try is of the same ask"
    assert called(tape) == [TWO]
    for _ in range(2):
        tape.give_request(peer, Request("blue train"), sender=5)
    assert called(tape) == [TWO, TWO, TWO]
    tape.now_us += 10_000_000
    for _ in range(2):
        tape.give_request(peer, Request("blue train"), sender=5)
    assert sorted(called(tape)[3:]) == [ONE, TWO]


def test_a_server_that_answers_is_set_aside_no_longer() -> None:
    tape, peer = balancer()
    for _ in range(3):
        tape.give_request(peer, Request("blue train"), sender=5)
    first, _, third = tape.calls
    tape.time_out(peer, first)
    assert peer.beliefs().known[ONE] == Belief(None, "set aside", alive=False)
    tape.now_us = 1_500_000
    tape.answer(peer, third, page())
    assert peer.beliefs().known[ONE] == Belief(1_500_000, "in turn", alive=True)


def test_a_silent_server_is_replaced_and_without_any_the_client_is_told() -> None:
    tape, peer = balancer()
    ticket = tape.give_request(peer, Request("blue train"), sender=5)
    tape.wait(peer, 2_000_000)
    assert [call.to for call in tape.calls] == [ONE, TWO]
    tape.wait(peer, 2_000_000)
    assert tape.replies == [(ticket, overloaded(FRONT))]
    assert (called(tape), peer.calls) == ([], {})


def test_the_death_of_a_server_moves_its_work_and_of_a_client_ends_it() -> None:
    tape, peer = balancer()
    for cause, sender in ((11, 5), (12, 6), (13, 5)):
        tape.give_request(peer, Request("blue train"), sender=sender, cause=cause)
    first, _, third = tape.calls
    tape.end(peer, ONE)
    tape.time_out(peer, first, "closed")
    tape.time_out(peer, third, "closed")
    assert [(call.to, call.cause) for call in tape.calls[3:]] == [(TWO, 11), (TWO, 13)]
    tape.end(peer, 5)
    assert [call.over for call in tape.calls] == ["closed", "", "closed", "cancelled", "cancelled"]
    assert [ticket.sender for ticket in peer.calls] == [6]


def test_an_idle_server_that_dies_gets_no_further_request() -> None:
    tape, peer = balancer()
    tape.end(peer, ONE)
    tape.give_request(peer, Request("blue train"), sender=5)
    assert called(tape) == [TWO]


def test_each_server_is_tried_once_and_an_overloaded_one_is_not_set_aside() -> None:
    tape, peer = balancer()
    ticket = tape.give_request(peer, Request("blue train"), sender=5)
    tape.answer(peer, tape.calls[0], overloaded())
    assert called(tape) == [TWO]
    tape.answer(peer, tape.calls[1], overloaded(TWO))
    assert tape.replies == [(ticket, overloaded(FRONT))]
    assert (peer.aside, peer.calls) == ({}, {}), "busy is not dead"


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (Request("blue train"), b"GET /blue%20train HTTP/1.1\r\nHost: acme.example\r\n\r\n"),
        (Request("blå"), b"GET /bl%C3%A5 HTTP/1.1\r\nHost: acme.example\r\n\r\n"),
        (page(size=7), b"HTTP/1.1 200 OK\r\nVia: 1.1 server1\r\nContent-Length: 64000\r\n\r\n<html/>"),
    ],
)
def test_a_message_weighs_what_it_does_in_http(message: Request | Response, wire: bytes) -> None:
    assert encoded_size(message) == len(wire)


@pytest.mark.parametrize("message", [Request("\ud800" * 10), page(ONE, -(1 << 40)), page(1 << 9_000, 1 << 9_000)])
def test_a_message_of_a_hostile_peer_has_a_size(message: Request | Response) -> None:
    assert 0 < encoded_size(message) < 1 << 32


def test_the_bytes_of_an_ask_are_those_of_its_messages() -> None:
    swarm = Swarm(Setup(protocol="web", peers=4, asks_per_s=0, options={"servers": 2, "page_kb": 10}))
    swarm.do(AskFor(0, "blue train"))
    swarm.advance(3_000_000)
    [ask] = swarm.asks()
    answer = page(5, 10_000)  # Four clients, the balancer, and then the servers.
    assert ask.bytes == 2 * (encoded_size(Request("blue train")) + encoded_size(answer)), "a call adds nothing"


@pytest.mark.parametrize("value", [None, "x", [1], {}, -5, 2.5])
def test_nonsense_is_ignored(value: object) -> None:
    nonsense = Response(value, value, value, value)  # type: ignore[arg-type]
    tape, peer = client()
    tape.ask(peer, Ask(1, "fetch", "blue train"))
    tape.answer(peer, tape.calls[0], nonsense)
    tape.answer(peer, tape.calls[0], page(), sender=77)
    assert tape.noted("hit") == []
    front_tape, front = balancer()
    front_tape.give(front, Request("blue train"), sender=5)
    front_tape.answer(front, front_tape.calls[0], nonsense)
    front_tape.answer(front, front_tape.calls[0], page())
    assert front_tape.replies == [], "what was simply sent waits for no answer"
    server_tape, server = FakeHost(me=ONE, options=WebOptions()), Server()
    server_tape.give_request(server, Request(value), sender=5)  # type: ignore[arg-type]
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
