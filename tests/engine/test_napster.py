from __future__ import annotations

import pickle

import pytest

from engine.api import Ask, Blob, File, Peer, mentions
from engine.protocols.napster import (
    Data,
    DownloadAck,
    DownloadRequest,
    Error,
    Get,
    GetError,
    Index,
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
from engine.protocols.napster.wire import DOWNLOAD_END, DOWNLOAD_START, UPLOAD_END, UPLOAD_START, Entry
from engine.tape import Shelf, Tape

INDEX = 90
T1, MODEM = 9, 1
TRAIN = Entry("Blue Train.mp3", 71, 100_000, "user7", 7, T1)
TRAIN_AT_8 = Entry("Blue Train.mp3", 71, 100_000, "user8", 8, T1)
TRAIN_BY_MODEM = Entry("Blue Train.mp3", 71, 100_000, "user9", 9, MODEM)


def user(me: int = 1, files: tuple[File, ...] = (), link: int = T1, **options: float) -> tuple[Tape, User]:
    tape = Tape(me=me, options=NapsterOptions(**options), library=Shelf(files))  # type: ignore[arg-type]
    peer = User()
    peer.start(tape, [INDEX, 5, 6], link)
    return tape, peer


def logged_in(me: int = 1, files: tuple[File, ...] = (), link: int = T1, **options: float) -> tuple[Tape, User]:
    tape, peer = user(me, files, link, **options)
    tape.wait(peer, 600_000)
    tape.give(peer, LoginAck(), sender=INDEX)
    tape.take()
    return tape, peer


def downloading(*entries: Entry) -> tuple[Tape, User]:
    """A user whose search found these, who has pinged them and asked the index for the way to the best."""
    tape, peer = logged_in()
    tape.ask(peer, Ask(4, "find", "blue train"))
    tape.give(peer, Results(entries), sender=INDEX)
    [ping] = {message.number for _, message in tape.take() if isinstance(message, Ping)}
    for entry in entries:
        tape.now_us += 1_000
        tape.give(peer, Pong(ping), sender=entry.ip)
    return tape, peer


def index(**options: int) -> tuple[Tape, Index]:
    tape, peer = Tape(me=INDEX, options=NapsterOptions(**options)), Index()  # type: ignore[arg-type]
    for me in (7, 8):
        tape.give(peer, Login(f"user{me}", 6699, T1), sender=me)
    tape.give(peer, Share((Entry("Blue Train.mp3", 71, 10), Entry("Blue Moon.mp3", 72, 20))), sender=7)
    tape.give(peer, Share((Entry("Blue Train.mp3", 71, 10),)), sender=8)
    tape.take()
    return tape, peer


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
def test_who_goes_takes_along_all_that_it_shared(how: str) -> None:
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
    assert list(peer.words) == ["blue", "train", "mp3"], "words without entries are forgotten"
    peer.closed(tape, 8)
    assert peer.words == {}


def test_a_stranger_is_told_to_log_in_and_a_nick_is_worn_once() -> None:
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


def test_what_comes_into_the_library_is_shared_by_and_by() -> None:
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


# --- from user to user --------------------------------------------------------------------------------------------


def test_a_file_travels_from_user_to_user() -> None:
    tape, peer = downloading(TRAIN)
    tape.take()
    tape.give(peer, DownloadAck("user7", 7, 6699, TRAIN.name, 71, T1), sender=INDEX)
    assert tape.take() == [(7, Get("user1", TRAIN.name, 0, T1)), (INDEX, Transfer(DOWNLOAD_START))]
    assert tape.linked == [7]

    holder_tape, holder = logged_in(7, (File(TRAIN.name, TRAIN.size, 71),))
    holder_tape.give(holder, Get("user1", TRAIN.name, 0, T1), sender=1)
    began_us = holder_tape.now_us
    holder_tape.wait(holder, 10_000_000)
    pieces = [message for to, message in holder_tape.take() if to == 1]
    assert [piece.blob for piece in pieces] == [Blob(64_000, 71), Blob(36_000, 71)]
    assert holder.uploads == {}

    slow_tape, slow = logged_in(7, (File(TRAIN.name, TRAIN.size, 71),))
    slow_tape.give(slow, Get("user1", TRAIN.name, 0, MODEM), sender=1)
    first_us = next(timer.at_us for timer in slow_tape.timers if type(timer.tick).__name__ == "LineFree")
    assert first_us - began_us == int(64_000 * 8 / 14.4 * 1_000), "the receiver's line is the slower one"

    for piece in pieces:
        tape.give(peer, piece, sender=7)
    assert [file.name for file in tape.library.files()] == [TRAIN.name]
    assert tape.noted("downloaded") == [{"content": TRAIN.name, "holder": 7}]
    assert tape.take() == [(INDEX, Transfer(DOWNLOAD_END)), (INDEX, Share((Entry(TRAIN.name, 71, TRAIN.size),)))]
    assert (peer.downloads, tape.unlinked) == ({}, [7])


def received(tape: Tape, peer: User, entry: Entry, size: int) -> None:
    tape.take()
    tape.give(peer, DownloadAck(entry.nick, entry.ip, 6699, entry.name, entry.md5, entry.link), sender=INDEX)
    if size:
        tape.give(peer, Data(entry.name, Blob(size, entry.md5)), sender=entry.ip)


def test_a_running_transfer_survives_the_index_and_one_without_its_204_does_not() -> None:
    tape, peer = downloading(TRAIN)
    received(tape, peer, TRAIN, 64_000)
    peer.closed(tape, INDEX)
    tape.give(peer, Data(TRAIN.name, Blob(36_000, 71)), sender=7)
    assert len(tape.noted("downloaded")) == 1

    tape, peer = downloading(TRAIN)
    peer.closed(tape, INDEX)
    assert tape.noted("download stopped") == [{"content": TRAIN.name}]
    assert peer.downloads == {}


@pytest.mark.parametrize("trouble", ["dies", "refuses", "declines", "is silent", "lies", "has a colluding index"])
def test_a_holder_that_fails_is_replaced_by_the_next_best(trouble: str) -> None:
    tape, peer = downloading(TRAIN, TRAIN_AT_8)
    if trouble == "has a colluding index":
        tape.take()
        ack = DownloadAck("user7", 7, 6699, TRAIN.name, 71, T1)
        tape.give(peer, ack.without("train"), sender=INDEX)
        assert tape.take() == [(INDEX, DownloadRequest("user8", TRAIN.name))]
        return
    received(tape, peer, TRAIN, 64_000)
    tape.take()
    tape.cause = 0
    if trouble == "dies":
        peer.closed(tape, 7)
    elif trouble == "refuses":
        tape.refuse(peer, 7, Get("user1", TRAIN.name, 0, T1))
    elif trouble == "declines":
        tape.give(peer, GetError("user7", ""), sender=7)
    elif trouble == "is silent":
        tape.wait(peer, 120_000_000)
    else:
        tape.give(peer, Data(TRAIN.name, Blob(36_000, 666)), sender=7)
        assert len(tape.noted("download corrupt")) == 1
    assert tape.causes == [0, 4], "the next try is of the same ask"
    assert tape.take() == [(INDEX, Transfer(DOWNLOAD_END)), (INDEX, DownloadRequest("user8", TRAIN.name))]
    assert tape.unlinked == [7]
    tape.give(peer, DownloadAck("user8", 8, 6699, TRAIN.name, 71, T1), sender=INDEX)
    offset = 0 if trouble == "lies" else 64_000
    assert (8, Get("user1", TRAIN.name, offset, T1)) in tape.take(), "the same bytes need not come twice"
    peer.closed(tape, 8)
    assert tape.noted("download failed") == [{"content": TRAIN.name, "why": "the holder is gone"}]


def test_uploads_share_the_line_and_stop_when_the_other_is_gone() -> None:
    tape, peer = logged_in(7, (File(TRAIN.name, TRAIN.size, 71),))
    tape.give(peer, Get("user1", TRAIN.name, 0, T1), sender=1)
    tape.give(peer, Get("user2", TRAIN.name, 0, T1), sender=2)
    first, second = (timer.at_us for timer in tape.timers[-2:])
    assert second - tape.now_us == pytest.approx(2 * (first - tape.now_us), abs=2)
    peer.closed(tape, 1)
    tape.take()
    tape.wait(peer, 50_000_000)
    assert {to for to, _ in tape.take()} == {2, INDEX}


def test_a_file_that_is_not_shared_is_declined() -> None:
    tape, peer = logged_in(7)
    for get in (Get("user1", TRAIN.name, 0, T1), Get("user1", TRAIN.name, 0, T1).without("train")):
        tape.give(peer, get, sender=1)
    assert tape.take() == [(1, GetError("user7", TRAIN.name)), (1, GetError("user7", ""))]


# --- what holds for all -----------------------------------------------------------------------------------------


def test_a_ban_leaves_a_lawful_rest() -> None:
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
def test_nonsense_is_ignored(x: object, sender: int) -> None:
    user_tape, one = downloading(TRAIN, TRAIN_AT_8)
    received(user_tape, one, TRAIN, 0)
    user_tape.library.add(File("x", 5, 5))
    user_tape.ask(one, Ask(5, "find", "moon"))
    index_tape, server = index()
    pairs: list[tuple[Tape, Peer]] = [(user_tape, one), (index_tape, server)]
    kinds = [Login, Error, LoginAck, Share, Search, Results, Ping, Pong, DownloadRequest, DownloadAck, GetError, Get]
    for kind in [*kinds, Data, Transfer]:
        n = len(kind.__slots__)
        for values in ([x] * n, [x, *["x"] * (n - 1)][:n], [*["x"] * (n - 1), x][-n:] if n else []):
            message = kind(*values)
            if hasattr(message, "about"):
                list(message.about())
                message.without("x")
            for tape, peer in pairs:
                if kind in type(peer).handlers:
                    tape.give(peer, message, sender)
                tape.refuse(peer, 55, message)
    for tape, peer in pairs:
        peer.beliefs()
        tape.wait(peer, 1_000_000)
        pickle.loads(pickle.dumps(peer))


def test_why_there_was_no_answer() -> None:
    def why(index: str, **facts: object) -> str | None:
        return User.explain({"stations": {"index": index}, **facts}, NapsterOptions())

    assert why("dead") == "the index is dead, and nobody else knows who has what."
    assert "could not reach" in str(why("alive", holders=3, reached=0))
    assert "named nobody" in str(why("alive", holders=3, reached=1, holders_alive=1, colluding=0))
    assert why("alive", holders=3, reached=1, holders_alive=1, colluding=1) is None
    assert why("alive", holders=0, reached=1) is None
