"""A swarm that is pickled at any moment and unpickled goes on as the original."""

from __future__ import annotations

import gc
import pickle
import random

import pytest
from stories import END_US, LINKS, SECOND, parts_of, setup, story

from engine import AskFor, Command, LinkSpec, Setup, Swarm, networks
from engine.measure.metrics import BLOCK, Digest
from engine.record.checkpoints import PartKey, pack_swarm, unpack_swarm
from engine.record.gc import free_in_steps


def play_on(swarm: Swarm, story: list[tuple[int, Command]]) -> Swarm:
    for at_us, command in story:
        if at_us >= swarm.now_us:
            swarm.advance(at_us)
            swarm.do(command)
    swarm.advance(END_US)
    return swarm


def told(swarm: Swarm) -> tuple[object, ...]:
    rows = [(row, repr(swarm.trace(row.id))) for row in swarm.asks()]
    return swarm.fingerprint(), rows, list(swarm.events()), swarm.snapshot().totals, swarm.history, swarm.settings()


@pytest.mark.uncounted
@pytest.mark.parametrize(
    ("name", "way", "links"),
    [
        *((name, "packed", LINKS) for name in networks()),
        ("gnutella", "pickle", LINKS),
        ("gnutella", "packed", LinkSpec()),
    ],
)
def test_restored_at_random_moments_a_run_ends_as_it_would_have_and_is_freed(
    name: str, way: str, links: LinkSpec
) -> None:
    deeds = [(round(at_s * SECOND), command) for at_s, command in story(name)]
    made = setup(name, links=links)
    ends = told(play_on(Swarm(made), deeds))
    rest, live = list(deeds), Swarm(made)
    pool: dict[PartKey, bytes] = {}
    for at_us in sorted(random.Random(name).sample(range(END_US), 2)):
        while rest and rest[0][0] <= at_us:
            live.advance(rest[0][0])
            live.do(rest.pop(0)[1])
        # Also in the middle of an instant, where a budget ended.
        live.advance(at_us, random.Random(at_us).choice([1, 5, None]))
        live.advance(at_us)
        if way == "pickle":
            copy = pickle.loads(pickle.dumps(live))
        else:
            packed, parts = pack_swarm(live, pool)
            pool.update(parts)
            copy = unpack_swarm(packed, live, pool)
        assert told(play_on(copy, rest)) == ends
    assert told(play_on(live, rest)) == ends, "pickling has changed the swarm itself"
    parts = parts_of(live)
    assert len(parts) > 5
    gc.disable()
    try:
        for _ in free_in_steps(live):
            pass
        del live
        assert [part() for part in parts if part() is not None] == [], "it was not freed"
    finally:
        gc.enable()


def test_a_swarm_pickles_in_the_middle_of_an_instant() -> None:
    swarm = Swarm(Setup(peers=40, latency="constant:30", asks_per_s=0.0))
    swarm.do(AskFor("#0", "the"))
    while not swarm.simulation.kernel.mid_instant:
        swarm.advance(END_US, 3)
    copy = pickle.loads(pickle.dumps(swarm))
    swarm.advance(END_US)
    copy.advance(END_US)
    assert copy.fingerprint() == swarm.fingerprint()


@pytest.mark.uncounted
def test_a_checkpoint_leaves_out_what_does_not_change() -> None:
    swarm = Swarm(setup("gnutella", peers=200))
    swarm.advance(15 * SECOND)
    whole = len(pickle.dumps(swarm))
    packed, parts = pack_swarm(swarm, {})
    assert len(packed.body) < whole / 2
    assert parts
    again, nothing = pack_swarm(swarm, parts)
    assert (again.keys, nothing) == (packed.keys, {})


def test_without_the_path_of_an_ask_the_rest_is_unpacked() -> None:
    swarm = Swarm(setup("gnutella"))
    swarm.advance(5 * SECOND)
    copy = unpack_swarm(pack_swarm(swarm, {})[0], swarm, {})
    closed = next(row.id for row in swarm.asks() if row.closed_us is not None and swarm.trace(row.id) is not None)
    assert copy.trace(closed) is None
    copy.advance(END_US)
    swarm.advance(END_US)
    assert copy.fingerprint() == swarm.fingerprint()


@pytest.mark.parametrize("cuts", [[1], [BLOCK], [BLOCK - 1, 2], [7, 3 * BLOCK, 11]])
def test_a_digest_does_not_depend_on_how_its_stream_is_cut(cuts: list[int]) -> None:
    data = random.Random(3).randbytes(5 * BLOCK + 17)
    whole, pieces = Digest(), Digest()
    whole.update(data)
    at = number = 0
    while at < len(data):
        size = cuts[number % len(cuts)]
        pieces.update(data[at : at + size])
        pieces = pickle.loads(pickle.dumps(pieces)) if number % 5 == 0 else pieces
        at, number = at + size, number + 1
    assert pieces.digest() == whole.digest()
    pieces.update(b"x")
    assert pieces.digest() != whole.digest()
