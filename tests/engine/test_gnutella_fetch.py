"""One servent by a `FakeHost`: it fetches what was found, in ranges, from one holder or the next, and serves others."""

from __future__ import annotations

from typing import Any

import pytest
from servents import ME, SECOND, TRAIN, connected, guid, hit

from engine.api import Ask, Blob, File
from engine.protocols.gnutella import Chunk, Get, Giv, Gone, Push, Servent
from engine.protocols.gnutella.messages import index_of
from engine.testing import FakeHost

PIECE = 256 * 1024


def asked(*answers: dict[str, Any], **options: Any) -> tuple[FakeHost, Servent, bytes]:
    """Connected to 1 and 2, with an ask under way (its cause is 4) and some answers to it, all by way of 2."""
    tape, peer = connected(1, 2, **options)
    tape.ask(peer, Ask(4, "find", "blue train"))
    number = tape.take()[0][1].guid
    for answer in answers:
        tape.give(peer, hit(number, **answer), sender=2)
    return tape, peer, number


def pending(tape: FakeHost) -> list[Any]:
    """Timers that hold the ask open."""
    return [timer for timer in tape.timers if timer.cause]


def piece(at: int, size: int = PIECE, file: File = TRAIN) -> Chunk:
    return Chunk(file.name, at, Blob(size, file.digest))


# --- fetching --------------------------------------------------------------------------------------------------


def test_what_was_found_is_fetched_range_by_range_and_then_shared() -> None:
    tape, peer, _ = asked({"address": 9})
    at = 0
    while at < TRAIN.size:
        assert tape.causes == [4]
        assert tape.take() == [(9, Get(TRAIN.name, at))]
        size = min(PIECE, TRAIN.size - at)
        assert peer.beliefs().facts["fetching"] == f"{TRAIN.name} {100 * at // TRAIN.size} %"
        tape.give(peer, piece(at, size), sender=9)
        at += size
    assert tape.take() == []
    assert tape.library.files() == [TRAIN]
    assert tape.noted("fetched") == [{"holder": 9, "content": TRAIN.name}]
    assert pending(tape) == [], "a finished download holds no ask open"


def test_one_ask_is_one_download_however_many_answer() -> None:
    other = File("Blue Train (live).mp3", 700_000, 5)
    tape, peer, _ = asked({"address": 9}, {"address": 10, "file": other}, {"address": 11}, {"address": 11})
    assert tape.take() == [(9, Get(TRAIN.name, 0))]
    assert [facts["holder"] for facts in tape.noted("hit")] == [9, 10, 11, 11], "the engine counts a holder once"
    assert [source.holder for source in peer.downloads.running[TRAIN.name].others] == [11]


def test_a_file_of_its_own_is_not_fetched() -> None:
    tape, peer, number = asked(files=(TRAIN,))
    tape.give(peer, hit(number), sender=2)
    assert tape.take() == []
    assert len(tape.noted("hit")) == 1


def test_without_the_option_nothing_is_fetched() -> None:
    tape, _, _ = asked({"address": 9}, download=False)
    assert tape.take() == []


# --- another holder ----------------------------------------------------------------------------------------------


def fail(tape: FakeHost, peer: Servent, how: str, holder: int) -> None:
    at = peer.downloads.running[TRAIN.name].here
    if how == "refused":
        tape.refuse(peer, holder, Get(TRAIN.name, at))
    elif how == "silent":
        tape.wait(peer, 31 * SECOND)
    else:
        odd = {
            "gone": Gone(TRAIN.name),
            "declined by a colluder": Gone(""),
            "other bytes": Chunk(TRAIN.name, at, Blob(1_000, 666)),
            "too much": piece(at, TRAIN.size + 1),
            "nothing": piece(at, 0),
            "drops of it": piece(at, 10),
        }
        tape.give(peer, odd[how], sender=holder)


HOWS = [
    "refused",
    "silent",
    "gone",
    "declined by a colluder",
    "too much",
    "nothing",
    "drops of it",
]


@pytest.mark.parametrize("how", HOWS)
def test_a_holder_that_fails_is_replaced_and_what_is_here_is_kept(how: str) -> None:
    tape, peer, _ = asked({"address": 9}, {"address": 10}, silence=100)
    tape.give(peer, piece(0), sender=9)
    tape.take()
    tape.cause = 0
    fail(tape, peer, how, 9)
    assert [(to, m, why) for (to, m), why in zip(tape.sent, tape.causes, strict=True) if isinstance(m, Get)] == [
        (10, Get(TRAIN.name, PIECE), 4)
    ]
    assert [facts["holder"] for facts in tape.noted("another holder")] == [10]
    tape.take()
    tape.give(peer, piece(PIECE), sender=9)
    assert tape.take() == [], "too late"
    fail(tape, peer, how, 10)
    assert peer.downloads.running == {}
    assert len(tape.noted("failed")) == 1
    assert pending(tape) == []


def test_bytes_of_another_file_are_thrown_away() -> None:
    tape, peer, _ = asked({"address": 9}, {"address": 10})
    tape.give(peer, piece(0), sender=9)
    tape.take()
    tape.give(peer, Chunk(TRAIN.name, PIECE, Blob(PIECE, 666)), sender=9)
    assert tape.take() == [(10, Get(TRAIN.name, 0))]


def test_another_holder_with_other_bytes_under_the_same_name_begins_anew() -> None:
    tape, peer, _ = asked({"address": 9}, {"address": 10, "file": File(TRAIN.name, 500_000, 72)})
    tape.give(peer, piece(0), sender=9)
    tape.take()
    tape.give(peer, Gone(TRAIN.name), sender=9)
    assert tape.take() == [(10, Get(TRAIN.name, 0))]


def test_an_answer_that_comes_after_the_download_failed_starts_it_again() -> None:
    tape, peer, number = asked({"address": 9})
    tape.give(peer, Gone(TRAIN.name), sender=9)
    tape.take()
    tape.give(peer, hit(number, address=10), sender=1)
    assert tape.take() == [(10, Get(TRAIN.name, 0))]


def test_a_slow_download_is_not_given_up_as_silent() -> None:
    tape, peer, _ = asked({"address": 9}, silence=100, download_timeout_s=30)
    for at in range(0, 10_000 * 4, 10_000):
        tape.wait(peer, 29 * SECOND)
        tape.give(peer, piece(at, 10_000), sender=9)
    assert peer.downloads.running[TRAIN.name].here == 40_000
    tape.wait(peer, 31 * SECOND)
    assert tape.noted("failed") == [{"why": "the holder was silent"}]
    assert pending(tape) == []


def test_nobody_but_the_holder_can_feed_or_stop_a_download() -> None:
    tape, peer, _ = asked({"address": 9})
    tape.take()
    for message in (piece(0), Gone(TRAIN.name), Gone(""), Giv(TRAIN.name)):
        tape.give(peer, message, sender=66)
    tape.give(peer, piece(PIECE), sender=9)
    tape.give(peer, Giv(TRAIN.name), sender=9)
    assert tape.take() == []
    assert peer.downloads.running[TRAIN.name].here == 0


def test_an_answer_that_names_the_asker_is_ignored() -> None:
    tape, _, _ = asked({"address": ME})
    assert tape.take() == []
    assert len(tape.noted("nonsense")) == 1


# --- push ------------------------------------------------------------------------------------------------------------


def test_a_firewalled_holder_is_asked_to_connect() -> None:
    tape, peer, _ = asked({"address": 9, "push": True, "hops": 3, "servent": guid(5)})
    [(to, push)] = tape.take()
    assert (to, push) == (2, Push(push.guid, 5, 0, guid(5), index_of(TRAIN.name), ME))
    tape.give(peer, Giv(TRAIN.name), sender=9)
    assert tape.take() == [(9, Get(TRAIN.name, 0))]


def test_after_a_push_without_a_way_the_next_holder_is_tried() -> None:
    pushed = {"address": 9, "push": True, "servent": guid(5)}
    tape, peer, _ = asked(pushed, {"address": 10})
    [(to, push)] = tape.take()
    tape.refuse(peer, to, push)
    assert (10, Get(TRAIN.name, 0)) in tape.take()
    # The neighbour by which the answer came is gone when this holder is tried.
    tape, peer, _ = asked({"address": 10}, pushed)
    peer.closed(tape, 2)
    tape.give(peer, Gone(TRAIN.name), sender=10)
    assert tape.noted("failed") == [{"why": "no way to push"}]


def test_a_push_names_a_file_by_its_index_alone() -> None:
    assert list(Push(guid(8), 4, 1, guid(5), index_of(TRAIN.name), 30).about()) == []
    tape, peer = connected(1, 2, files=(TRAIN,), firewalled=1.0)
    tape.give(peer, Push(guid(8), 4, 1, peer.id, index_of("no such file"), 30), sender=1)
    assert tape.take() == []
    assert peer.pushes.given == {}


def test_two_firewalled_servents_cannot_exchange_a_file() -> None:
    tape, _, _ = asked({"address": 9, "push": True}, firewalled=1.0)
    assert tape.take() == []
    assert tape.noted("failed") == [{"why": "both are firewalled"}]
    assert pending(tape) == []


def test_a_push_is_routed_by_the_servents_id_along_the_way_of_its_answer() -> None:
    tape, peer = connected(1, 2, 3)
    tape.give(peer, hit(guid(1), servent=guid(5)), sender=3)
    tape.take()
    push = Push(guid(8), 4, 1, guid(5), index_of(TRAIN.name), 30)
    tape.give(peer, push, sender=1)
    assert tape.take() == [(3, Push(guid(8), 3, 2, guid(5), index_of(TRAIN.name), 30))]
    for lost in (
        Push(guid(8), 1, 1, guid(5), index_of(TRAIN.name), 30),
        Push(guid(8), 4, 255, guid(5), index_of(TRAIN.name), 30),
        Push(guid(8), 4, 1, guid(6), index_of(TRAIN.name), 30),
    ):
        tape.give(peer, lost, sender=1)
    tape.give(peer, push, sender=3)
    tape.give(peer, push, sender=40)
    assert tape.take() == [], "no TTL, too many hops, unknown, back where it came from, and from a stranger"
    peer.closed(tape, 3)
    tape.take()
    tape.give(peer, push, sender=1)
    assert tape.take() == []


def test_a_servent_that_gets_a_push_connects_and_serves_over_that_connection_alone() -> None:
    tape, peer = connected(1, 2, files=(TRAIN,), firewalled=1.0)
    tape.give(peer, Get(TRAIN.name, 0), sender=30)
    assert tape.take() == []
    assert not any(timer.period_us == 0 for timer in tape.timers), "a firewall drops"
    tape.give(peer, Push(guid(8), 4, 1, peer.id, index_of(TRAIN.name), 30), sender=1)
    assert tape.take() == [(30, Giv(TRAIN.name))]
    tape.give(peer, Get(TRAIN.name, 0), sender=30)
    tape.wait(peer, 10 * SECOND)
    assert any(to == 30 and isinstance(message, Chunk) for to, message in tape.take())


# --- serving ---------------------------------------------------------------------------------------------------


def serving(speed: int, *files: File, **options: Any) -> tuple[FakeHost, Servent]:
    tape, peer = connected(1, files=files or (TRAIN,), silence=100, **options)
    peer.speed = speed
    return tape, peer


def served(tape: FakeHost) -> list[tuple[int, Chunk]]:
    return [(to, message) for to, message in tape.take() if isinstance(message, Chunk)]


def test_a_range_takes_as_long_as_the_line_needs() -> None:
    tape, peer = serving(1_000)
    tape.give(peer, Get(TRAIN.name, 0), sender=30, cause=4)
    tape.wait(peer, PIECE * 8 - 1)
    assert served(tape) == []
    tape.wait(peer, 1)
    assert served(tape) == [(30, piece(0))]
    tape.give(peer, Get(TRAIN.name, 2 * PIECE), sender=30)
    tape.wait(peer, 3 * SECOND)
    assert served(tape) == [(30, piece(2 * PIECE, TRAIN.size - 2 * PIECE))]


def test_a_slow_line_gives_smaller_ranges() -> None:
    tape, peer = serving(56)
    tape.give(peer, Get(TRAIN.name, 0), sender=30)
    tape.wait(peer, 3 * SECOND)
    assert served(tape) == [(30, piece(0, 21_000))]


def test_the_line_is_shared_by_those_who_wait_for_it() -> None:
    tape, peer = serving(1_000)
    for sender in (30, 31, 32):
        tape.give(peer, Get(TRAIN.name, 0), sender)
    assert peer.beliefs().facts["uploading"] == "3 ranges waiting for the line"
    took_us = PIECE * 8
    for sender in (30, 31, 32):
        tape.wait(peer, took_us)
        assert [to for to, _ in served(tape)] == [sender]
    assert "uploading" not in peer.beliefs().facts


def test_too_many_downloaders_are_refused_but_not_one_that_has_begun() -> None:
    tape, peer = serving(1_000, uploads=2)
    for sender in range(30, 34):
        tape.give(peer, Get(TRAIN.name, 0), sender)
    assert tape.take() == [(32, Gone(TRAIN.name)), (33, Gone(TRAIN.name))]
    for sender in range(40, 60):
        tape.give(peer, Get(TRAIN.name, PIECE), sender)
    assert [to for to, _ in tape.take()] == list(range(46, 60)), "for these there is a limit too"
    tape.wait(peer, 3600 * SECOND)
    assert peer.uploads.waiting == 0
    assert len(served(tape)) == 8


@pytest.mark.parametrize(
    "get",
    [Get("Naima.mp3", 0), Get("Blue Train", 0), Get(TRAIN.name, TRAIN.size), Get("", 0), Get("", -1)],
)
def test_a_file_that_it_does_not_have_is_declined(get: Get) -> None:
    tape, peer = serving(1_000)
    tape.give(peer, get, sender=30)
    assert tape.take() == [(30, Gone(get.name))]
