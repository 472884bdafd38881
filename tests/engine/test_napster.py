"""Napster: the index, the messages between a user and the index, and searches."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace
from typing import Any

import pytest
from napsters import INDEX, T1, TRAIN, TRAIN_AT_8, TRAIN_BY_MODEM, downloading, index, logged_in, received, user

from engine.api import Ask, Blob, Facts, File, Peer, Whereabouts, mentions
from engine.protocols.napster import (
    Data,
    DownloadAck,
    DownloadRequest,
    Error,
    Get,
    GetError,
    Login,
    LoginAck,
    NapsterOptions,
    Ping,
    Pong,
    Results,
    Search,
    Share,
    Transfer,
    User,
)
from engine.protocols.napster.messages import DOWNLOAD_END, DOWNLOAD_START, UPLOAD_END, UPLOAD_START, Entry
from engine.sim.encoding import why_malformed
from engine.testing import FakeHost

# --- the index ---------------------------------------------------------------------------------------------


def test_a_search_finds_what_has_all_the_words_and_is_not_ones_own() -> None:
    tape, peer = index()
    tape.give(peer, Search("TRAIN blue", 100), sender=7)
    [(to, results)] = tape.take()
    assert (to, [(e.nick, e.ip, e.link) for e in results.entries]) == (7, [("user8", 8, T1)])
    tape.give(peer, Search("blue moon", 100), sender=8)
    assert [e.name for e in tape.take()[0][1].entries] == ["Blue Moon.mp3"]
    tape.give(peer, Search("blue giraffe", 100), sender=8)
    assert tape.take() == [(8, Results(()))]


def test_the_index_caps_its_answers_and_what_one_user_shares() -> None:
    tape, peer = index(max_results=1, max_shared=2)
    tape.give(peer, Share((Entry("Giant Steps", 5, 5),)), sender=7)
    tape.give(peer, Search("giant", 100), sender=8)
    assert tape.take() == [(8, Results(()))]
    tape.give(peer, Search("blue", 100), sender=8)
    assert len(tape.take()[0][1].entries) == 1


@pytest.mark.parametrize("how", ["closed", "refused", "logs in anew"])
def test_the_files_of_a_user_that_goes_are_removed(how: str) -> None:
    tape, peer = index()
    if how == "closed":
        peer.closed(tape, 7)
    elif how == "refused":
        tape.refuse(peer, 7, LoginAck())
    else:
        tape.give(peer, Login("user7", 6699, T1), sender=7)
        tape.take()
    tape.give(peer, Search("blue", 100), sender=8)
    assert tape.take() == [(8, Results(()))]
    assert list(peer.names.words) == ["blue", "train", "mp3"], "words without entries are forgotten"
    peer.closed(tape, 8)
    assert peer.names.words == {}


def test_an_unknown_peer_is_told_to_log_in_and_a_nick_is_used_once() -> None:
    tape, peer = index()
    tape.give(peer, Search("blue", 100), sender=5)
    assert tape.take() == [(5, Error())]
    tape.give(peer, Login("user7", 6699, T1), sender=5)
    assert tape.take() == [(5, Error())]


def test_the_way_to_a_holder_goes_through_the_index() -> None:
    tape, peer = index()
    tape.give(peer, DownloadRequest("user7", "Blue Moon.mp3"), sender=8)
    assert tape.take() == [(8, DownloadAck("user7", 7, 6699, "Blue Moon.mp3", 72, T1))]
    tape.give(peer, DownloadRequest("user7", "Giant Steps"), sender=8)
    tape.give(peer, DownloadRequest("user6", "Blue Moon.mp3"), sender=8)
    assert [type(message) for _, message in tape.take()] == [GetError, GetError]


def test_the_index_counts_running_downloads() -> None:
    tape, peer = index()
    for code in (DOWNLOAD_START, UPLOAD_START, DOWNLOAD_START, DOWNLOAD_END, UPLOAD_END):
        tape.give(peer, Transfer(code), sender=7)
    assert peer.beliefs().facts == {"users": "2", "files": "3", "downloads": "1"}
    peer.closed(tape, 7)
    assert peer.beliefs().facts == {"users": "1", "files": "1", "downloads": "0"}


# --- a user and the index -------------------------------------------------------------------------------------


def test_a_user_logs_in_and_shares() -> None:
    tape, peer = user(files=(File("Blue Train.mp3", 10, 71),))
    tape.wait(peer, 500_000)
    assert tape.take() == [(INDEX, Login("user1", 6699, T1))]
    tape.give(peer, LoginAck(), sender=INDEX)
    assert tape.take() == [(INDEX, Share((Entry("Blue Train.mp3", 71, 10),)))]
    assert peer.saved() == T1, "the line stays the same after a restart"


def test_an_ask_before_the_login_waits_for_it_and_keeps_its_cause() -> None:
    tape, peer = user()
    tape.ask(peer, Ask(4, "find", "blue train"))
    assert tape.sent == []
    tape.wait(peer, 500_000)
    tape.take()
    tape.give(peer, LoginAck(), sender=INDEX, cause=0)
    assert tape.causes == [4]
    assert tape.take() == [(INDEX, Search("blue train", 100))]


def test_an_ask_without_an_index_is_given_up() -> None:
    tape, peer = user()
    tape.ask(peer, Ask(4, "find", "blue train"))
    tape.wait(peer, 60_000_000)
    assert tape.noted("search timed out") == [{"content": "blue train"}]
    assert peer.wanted == {}


def test_when_the_index_dies_searches_wait_and_are_asked_again() -> None:
    tape, peer = logged_in()
    tape.ask(peer, Ask(4, "find", "blue train"))
    [(to, search)] = tape.take()
    tape.refuse(peer, to, search)
    tape.wait(peer, 4_000_000)
    assert tape.take() == []
    tape.wait(peer, 11_000_000)
    assert [type(message) for _, message in tape.take()] == [Login]
    tape.refuse(peer, INDEX, Login("user1", 6699, T1))
    tape.wait(peer, 15_000_000)
    assert [type(message) for _, message in tape.take()] == [Login]
    tape.give(peer, LoginAck(), sender=INDEX)
    assert tape.take() == [(INDEX, search)]


def test_a_silent_index_is_logged_in_to_again_after_a_minute() -> None:
    tape, peer = user()
    tape.wait(peer, 500_000)
    tape.take()
    tape.wait(peer, 60_000_000)
    assert [type(message) for _, message in tape.take()] == [Login]


def test_an_index_that_forgot_us_is_logged_in_to_again() -> None:
    tape, peer = logged_in()
    tape.give(peer, Error(), sender=INDEX)
    tape.wait(peer, 15_000_000)
    assert [type(message) for _, message in tape.take()] == [Login]


def test_new_files_of_the_library_are_shared_in_time() -> None:
    tape, peer = logged_in()
    tape.library.add(File("Giant Steps", 10, 5))
    tape.ask(peer, Ask(4, "publish", "Giant Steps"))
    assert tape.take() == [(INDEX, Share((Entry("Giant Steps", 5, 10),)))]
    tape.library.add(File("Naima", 10, 6))
    tape.wait(peer, 60_000_000)
    assert tape.take() == [(INDEX, Share((Entry("Naima", 6, 10),)))]


# --- searching and choosing -------------------------------------------------------------------------------------


def test_results_are_a_hit_for_each_holder_and_each_is_pinged() -> None:
    tape, peer = logged_in()
    tape.ask(peer, Ask(4, "find", "blue"))
    tape.take()
    moon = TRAIN._replace(name="Blue Moon.mp3")
    tape.give(peer, Results((TRAIN, moon, TRAIN_AT_8)), sender=INDEX)
    assert [hit["holder"] for hit in tape.noted("hit")] == [7, 8]
    assert [(to, type(message)) for to, message in tape.take()] == [(7, Ping), (8, Ping)]


def test_results_go_to_the_search_whose_words_they_have() -> None:
    tape, peer = logged_in(download=False)
    tape.ask(peer, Ask(4, "find", "giant steps"))
    tape.ask(peer, Ask(5, "find", "blue train"))
    tape.take()
    tape.give(peer, Results((TRAIN,)), sender=INDEX)
    assert [wanted.text for wanted in peer.wanted.values()] == ["giant steps"]
    assert tape.take() == [], "who does not download does not ping"
    tape.give(peer, Results(()), sender=INDEX)
    assert peer.wanted == {}
    tape.give(peer, Results((TRAIN,)), sender=INDEX)
    assert len(tape.noted("hit")) == 1, "nobody asked for these"


def test_a_fast_line_is_chosen_before_a_near_one() -> None:
    tape, _ = downloading(TRAIN_BY_MODEM, TRAIN_AT_8, TRAIN)
    assert tape.take() == [(INDEX, DownloadRequest("user8", "Blue Train.mp3"))]


def test_who_does_not_answer_pings_is_chosen_last() -> None:
    tape, peer = logged_in()
    tape.ask(peer, Ask(4, "find", "blue train"))
    tape.give(peer, Results((TRAIN, TRAIN_BY_MODEM)), sender=INDEX)
    ping = tape.take()[-1][1]
    tape.give(peer, Pong(ping.number), sender=9)
    assert tape.take() == []
    tape.wait(peer, 2_000_000)
    assert tape.take() == [(INDEX, DownloadRequest("user9", "Blue Train.mp3"))]


# --- bans and nonsense ------------------------------------------------------------------------------------------


def test_a_ban_leaves_the_other_results() -> None:
    moon = TRAIN._replace(name="Blue Moon.mp3")
    assert mentions(Results((TRAIN, moon)).about(), "blue train")
    assert Results((TRAIN, moon)).without("blue train") == Results((moon,))
    assert Share((TRAIN, moon)).without("moon") == Share((TRAIN,))
    tape, peer = index()
    tape.give(peer, Search("blue train", 100).without("blue"), sender=8)
    tape.give(peer, DownloadRequest("user7", TRAIN.name).without("blue"), sender=8)
    assert tape.take() == [(8, Results(())), (8, GetError("user7", ""))]


NONSENSE = [None, "x", -5, 10**30, 2.5, (1, 2), ["x"], {}, Blob(5), Entry("x", 1, -1), (Entry(1, "x", None),)]  # type: ignore[arg-type]


@pytest.mark.parametrize("x", NONSENSE, ids=repr)
@pytest.mark.parametrize("sender", [INDEX, 7, 55])
def test_nonsense_raises_no_error(x: object, sender: int) -> None:
    user_tape, one = downloading(TRAIN, TRAIN_AT_8)
    received(user_tape, one, TRAIN, 0)
    user_tape.library.add(File("x", 5, 5))
    user_tape.ask(one, Ask(5, "find", "moon"))
    index_tape, server = index()
    pairs: list[tuple[FakeHost, Peer]] = [(user_tape, one), (index_tape, server)]
    kinds = [Login, Error, LoginAck, Share, Search, Results, Ping, Pong, DownloadRequest, DownloadAck, GetError, Get]
    for kind in [*kinds, Data, Transfer]:
        n = len(fields(kind))  # type: ignore[arg-type]
        for values in ([x] * n, [x, *["x"] * (n - 1)][:n], [*["x"] * (n - 1), x][-n:] if n else []):
            message = kind(*values)
            for tape, peer in pairs:
                if kind in type(peer).handlers:
                    tape.give(peer, message, sender)
                # What is malformed cannot be sent: it is not refused, and nobody passes it on.
                if not why_malformed(message):
                    tape.refuse(peer, 55, message)
                    list(message.about())
                    message.without("x")
    for tape, peer in pairs:
        peer.beliefs()
        tape.wait(peer, 1_000_000)
        pickle.loads(pickle.dumps(peer))


def test_why_there_was_no_answer() -> None:
    def why(index: str, holders: Whereabouts | None = None, **facts: Any) -> str | None:
        told = Facts("find", "x", 0, holders=holders or Whereabouts(), stations={"index": index})
        return User.verdict(replace(told, **facts), NapsterOptions())

    assert why("dead") == "No answer: the index is dead, and nobody else knows who has what."
    assert "could not reach" in str(why("alive", Whereabouts(dead=3)))
    assert "named nobody" in str(why("alive", Whereabouts(living=1, dead=2), reached=1))
    assert why("alive", Whereabouts(colluding=1, dead=2), reached=1) is None
    assert why("alive", reached=1) is None
    assert why("dead", hits=1) is None
    assert why("dead", trouble="is dead") is None
    assert str(why("dead", goal="publish")).startswith("Not published: the index is dead")
    assert why("alive", goal="publish") is None
    assert "logged in again" in str(why("alive", goal="publish", joined=False))
