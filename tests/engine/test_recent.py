"""The last messages of a peer: all of them while they are few, its own when they are many, and no run differs."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from engine import AskFor, Censor, Kill, Setup, Swarm
from engine.measure.message_log import KEPT, ROWS, MessageLog
from engine.sim.kernel import HOP_BITS, KIND_SHIFT, SENDER_SHIFT


def swarm(**changes: Any) -> Swarm:
    values: dict[str, Any] = {"peers": 24, "seed": 7, "asks_per_s": 2.0, "latency": "constant:50"}
    return Swarm(Setup(**values | changes))


def columns(*rows: tuple[int, int, int]) -> tuple[Any, ...]:
    """Columns of (at, from, to), as the log hands them over: kind 3, 40 bytes, of ask 9."""
    at, frm, to = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return at, to, frm << SENDER_SHIFT | 3 << KIND_SHIFT | 40, np.full(len(at), 9 << HOP_BITS)


def test_what_a_peer_sent_and_got_comes_latest_first() -> None:
    recent = MessageLog()
    recent.add(*columns((10, 1, 2), (20, 2, 5), (30, 4, 5)))
    recent.drop(25, 2, 8, 3 << KIND_SHIFT | 40, "dead")
    told = recent.of(2)
    assert [(one.at_us, one.frm, one.to, one.lost) for one in told] == [
        (25, 2, 8, "dead"),
        (20, 2, 5, ""),
        (10, 1, 2, ""),
    ]
    assert {(one.kind, one.size) for one in told} == {(3, 40)}
    assert told[1].ask == 9


def test_the_rows_of_a_watched_peer_are_kept_when_others_send_much() -> None:
    recent = MessageLog()
    recent.add(*columns((1, 1, 2)))
    assert len(recent.of(2)) == 1
    for at in range(3):
        recent.add(*columns(*[(10 + at, 5, 6)] * ROWS))
    assert [one.at_us for one in recent.of(2)] == [1]
    assert recent.of(1) == ()  # its rows are removed by now
    assert len(recent.of(6)) == KEPT


def test_a_swarm_tells_the_kinds_by_name_and_losses_with_their_reason() -> None:
    run = swarm()
    run.do(AskFor(3, "blue train"))
    run.advance(3_000_000)
    kinds = run.snapshot().fixed.kinds
    assert "Query" in {kinds[one.kind].name for one in run.last_messages(3)}
    friend = run.links_of(3)[0]
    run.do(Censor(friend))
    run.advance(9_000_000)
    assert "censored" in {one.lost for one in run.last_messages(friend)}


def test_looking_changes_nothing() -> None:
    looked, left = swarm(), swarm()
    for second in range(1, 6):
        looked.last_messages(second)
        looked.advance(second * 1_000_000)
        looked.last_messages(23 - second)
    left.advance(5_000_000)
    assert looked.fingerprint() == left.fingerprint()


def test_it_is_not_pickled_with_a_swarm() -> None:
    recent = MessageLog()
    recent.add(*columns((1, 1, 2)))
    assert recent.of(1)
    assert pickle.loads(pickle.dumps(recent)).of(1) == ()


def test_bytes_and_losses_by_kind_add_up() -> None:
    run = swarm(peers=40)
    run.advance(4_000_000)
    run.do(Kill("random 20%"))
    run.advance(12_000_000)
    totals = run.snapshot().totals
    assert 0 < sum(totals.bytes_by_kind.values()) <= totals.bytes
    assert totals.bytes_by_kind.keys() == totals.by_kind.keys()
    by_reason: dict[str, int] = {}
    for reasons in totals.dropped_kinds.values():
        for reason, count in reasons.items():
            by_reason[reason] = by_reason.get(reason, 0) + count
    assert by_reason == totals.dropped_by
    assert by_reason["dead"]


def test_each_kind_says_what_it_is_for_and_how_it_travels() -> None:
    kinds = {kind.name: kind for kind in swarm().snapshot().fixed.kinds}
    assert (kinds["Query"].part, kinds["Query"].over) == ("question", "stream")
    assert kinds["Ping"].part == "upkeep"


def test_the_table_holds_the_last_rows_and_no_more() -> None:
    recent, rows = MessageLog(), []
    for start, count in ((0, 30_000), (30_000, 25_000), (55_000, 100_000), (155_000, 1), (155_001, ROWS), (195_001, 5)):
        some = [(at, at % 97, at % 89) for at in range(start, start + count)]
        recent.add(*columns(*some))
        rows = [*rows, *some][-ROWS:]
        wanted = [row for row in rows if 5 in row[1:]][-KEPT:][::-1]
        recent.watch(-1)
        assert [(one.at_us, one.frm, one.to) for one in recent.of(5)] == wanted
        assert recent._table.shape == (4, ROWS)
