"""One servent by a `FakeHost`, and malformed or hostile messages: they are noted and ignored, and it never fails."""

from __future__ import annotations

import itertools
import pickle
from dataclasses import fields
from typing import Any

import pytest
from servents import SECOND, TRAIN, connected, guid, hit

from engine.api import Ask, Blob, File, Message, mentions
from engine.protocols import gnutella
from engine.protocols.gnutella import Get, Ping, Pong, Query, QueryHit
from engine.protocols.gnutella.messages import index_of
from engine.sim.encoding import why_malformed

NOTE = File("Blue Note", 5_000, 3)
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 256, 1 << 70, 2.5, float("nan"), "", "x", "\x1b[31m", "x" * 100_000, b"", b"x" * 15, b"x" * 16,
    [], [1], {}, (), (1,), (None,), (TRAIN, 7), (TRAIN,) * 300, (File("", 1, 1),), (File("x", -1, 1),),
    (File(None, 1, 1),), (File("x", "big", []),), object(), File("x", 1, 1), Ping,  # type: ignore[arg-type]
)  # fmt: skip
KINDS = [v for v in vars(gnutella).values() if isinstance(v, type) and issubclass(v, Message) and fields(v)]  # type: ignore[arg-type]
SOUND: dict[str, Any] = {
    "guid": guid(1), "ttl": 3, "hops": 1, "address": 1, "files": 1, "kilobytes": 1, "speed": 0, "text": "blue train",
    "push": False, "results": (NOTE,), "servent": guid(2), "index": 5, "name": TRAIN.name, "offset": 0,
    "others": (4, 5), "data": Blob(1_000, 1),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_no_nonsense_in_any_field_harms_a_servent(kind: Any) -> None:
    assert kind is not Message
    for field, odd in itertools.product(fields(kind), ODD):
        for busy in (False, True):
            tape, peer = connected(1, 2, 3, files=(TRAIN,), contacts=[9], download=busy)
            tape.give(peer, Query(guid(9), 7, 0, 0, "naima"), sender=1)
            if busy:
                tape.ask(peer, Ask(1, "find", "naima"))
                number = tape.take()[0][1].guid
                tape.ask(peer, Ask(2, "find", "blue"))
                fresh = tape.take()[0][1].guid
                tape.give(peer, hit(number, address=2, file=File("naima", 5_000, 1)), sender=2)
            else:
                number, fresh = guid(9), guid(8)
            values = {f.name: SOUND[f.name] for f in fields(kind)}
            for base in (
                values,
                {**values, "guid": number},
                {**values, "guid": fresh},
                {**values, "name": "naima"},
                {**values, "servent": peer.id},
            ):
                message = kind(**{**{k: v for k, v in base.items() if k in values}, field.name: odd})
                before = pickle.dumps(peer.connections)
                for sender in (2, 40):
                    tape.give(peer, message, sender)
                    if not why_malformed(message):
                        peer.refused(tape, 77, message)
                assert pickle.dumps(peer.connections) == before
                if not why_malformed(message):
                    assert mentions(message.about(), "blue train") in (True, False)
                    message.without("blue")
            assert all(type(facts["holder"]) is int and facts["holder"] >= 0 for facts in tape.noted("hit"))
            assert all(type(to) is int and to >= 0 for to, _ in tape.sent)
            assert all(type(each) is int and each >= 0 for each in peer.near.cache)
            tape.wait(peer, 120 * SECOND)
            assert peer.beliefs().facts["neighbours"]


@pytest.mark.parametrize(
    "message",
    [
        Query(guid(1)[:15], 7, 0, 0, "blue train"),
        Query([], 7, 0, 0, "blue train"),  # type: ignore[arg-type]
        Query(guid(1), 0, 0, 0, "blue train"),
        Query(guid(1), 7, -1, 0, "blue train"),
        Query(guid(1), True, 0, 0, "blue train"),
        Query(guid(1), 7, 0, 0, b"blue train"),  # type: ignore[arg-type]
        Query(guid(1), 7, 0, 0, "blue " * 1_000),
        Query(guid(1), 7, 0, "fast", "blue train"),  # type: ignore[arg-type]
        Ping(guid(1), 256, 0),
        Ping(guid(1), 16, 0),
        Query(guid(1), 16, 0, 0, "blue train"),
        Pong(guid(1), 7, 0, 1, -1, 0),
        hit(b"short"),
        QueryHit(guid(1), 7, 0, 9, 56, False, (), guid(2)),
        QueryHit(guid(1), 7, 0, 9, 56, False, (TRAIN,) * 256, guid(2)),
        gnutella.Push(guid(1), 7, 0, guid(2), index_of(TRAIN.name), -1),
        Get(TRAIN.name, -1),
    ],
)
def test_nonsense_is_noted_and_nothing_else(message: object) -> None:
    tape, peer = connected(1, 2, files=(TRAIN,))
    before = pickle.dumps(peer)
    tape.give(peer, message, sender=1)
    assert tape.noted("nonsense") == ([] if tape.malformed else [{}]), "what has wrong types does not arrive"
    assert tape.take() == []
    assert pickle.dumps(peer) == before


@pytest.mark.parametrize(
    "file", [File("", 9, 1), File("\x1b[2J", 9, 1), File("x" * 256, 9, 1), File("x", 0, 1), File("x", 1 << 32, 1)]
)
def test_an_impossible_result_is_neither_a_hit_nor_fetched(file: Any) -> None:
    tape, peer = connected(1, 2)
    tape.ask(peer, Ask(1, "find", "x"))
    number = tape.take()[0][1].guid
    tape.give(peer, hit(number, file=file), sender=1)
    assert tape.notes == [("nonsense", {})]
    tape.give(peer, QueryHit(number, 7, 0, 9, 56, False, (file, NOTE), guid(2)), sender=1)
    assert tape.noted("hit") == [{"holder": 9, "content": NOTE.name}]
    assert tape.take() == [(9, Get(NOTE.name, 0))]


def test_a_ban_is_applied_to_the_valid_results_of_a_hit() -> None:
    query: Any = Query(guid(1), 7, 0, 0, "blue train")
    both = QueryHit(guid(1), 7, 0, 9, 56, False, (TRAIN, File("Naima", 5, 5), File("", 7, 7)), guid(2))
    rest = both.without("blue train")
    assert isinstance(rest, QueryHit)
    assert [file.name for file in rest.results] == ["Naima"]
    assert hit(guid(1)).without("blue train") is None
    assert query.without("blue") is None, "in a flood it is silent"
    assert Get(TRAIN.name, 5).without("blue") == Get("", 0), "a request finds lawfully nothing"
