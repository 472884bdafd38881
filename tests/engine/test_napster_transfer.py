"""Napster: files are transferred from user to user without the index."""

from __future__ import annotations

import pytest
from napsters import INDEX, MODEM, T1, TRAIN, TRAIN_AT_8, downloading, logged_in, received

from engine.api import Blob, File
from engine.protocols.napster import (
    Data,
    DownloadAck,
    DownloadRequest,
    Get,
    GetError,
    Share,
    Transfer,
)
from engine.protocols.napster.messages import DOWNLOAD_END, DOWNLOAD_START, Entry


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
    assert tape.noted("fetched") == [{"content": TRAIN.name, "holder": 7}]
    assert tape.take() == [(INDEX, Transfer(DOWNLOAD_END)), (INDEX, Share((Entry(TRAIN.name, 71, TRAIN.size),)))]
    assert (peer.downloads, tape.unlinked) == ({}, [7])


def test_a_running_transfer_survives_the_index_and_one_without_its_204_does_not() -> None:
    tape, peer = downloading(TRAIN)
    received(tape, peer, TRAIN, 64_000)
    peer.closed(tape, INDEX)
    tape.give(peer, Data(TRAIN.name, Blob(36_000, 71)), sender=7)
    assert len(tape.noted("fetched")) == 1

    tape, peer = downloading(TRAIN)
    peer.closed(tape, INDEX)
    assert tape.noted("failed") == [{"why": "download stopped"}]
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
    assert tape.noted("failed") == [{"why": "the holder is gone"}]


def test_uploads_share_the_line_and_stop_when_the_receiver_is_gone() -> None:
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
