"""Gnutella as a swarm: links that break are replaced, downloads make holders, and firewalls are pushed through."""

from __future__ import annotations

import pickle

import pytest

from engine import Setup, Swarm
from engine.commands import AskFor, Censor, Kill, Leave, Publish, Revive, Uncensor
from engine.measure.events import Noted
from engine.protocols.gnutella import Servent
from engine.setup import ContentSpec

SECOND = 1_000_000
QUARTER_HOUR = 900 * SECOND
TITLE = "a title that nobody else has"


def swarm(topology: str = "random:4", peers: int = 40, seed: int = 3, **options: object) -> Swarm:
    return Swarm(
        Setup(
            "gnutella",
            peers,
            seed,
            topology,
            latency="constant:50",
            options=options,
            content=ContentSpec(items=1),
            asks_per_s=0,
        )
    )


def at(made: Swarm, peer: int) -> Servent:
    program = made.peer(peer)
    assert isinstance(program, Servent)
    return program


def agree(made: Swarm, but: tuple[int, ...] = ()) -> bool:
    """Whether everybody's neighbours are its open streams."""
    alive = [p for p in made.simulation.users() if made.peer(p) is not None and p not in but]
    return all(sorted(at(made, p).connections) == sorted(made.links_of(p)) for p in alive)


def kinds(made: Swarm, kind: str) -> list[tuple[int, dict[str, object]]]:
    return [(e.peer, dict(e.facts)) for e in made.events() if isinstance(e, Noted) and e.kind == kind]


# --- links ---------------------------------------------------------------------------------------------------


def test_servents_that_lose_neighbours_find_others() -> None:
    made = swarm()
    made.advance(45 * SECOND)
    assert agree(made)
    wanted = {peer: len(made.links_of(peer)) for peer in range(40)}
    dead = made.do(Kill("random 10"))
    made.advance(60 * SECOND)
    alive = [peer for peer in range(40) if peer not in dead]
    assert all(len(made.links_of(peer)) >= wanted[peer] for peer in alive)
    assert all(not set(made.links_of(peer)) & set(dead) for peer in alive)
    assert agree(made)
    made.do(Publish(str(made.labels[alive[-1]]), TITLE))
    made.do(AskFor(made.labels[alive[0]], TITLE))
    made.advance_quiet(QUARTER_HOUR)
    assert made.asks()[-1].hits == 1, "the swarm is whole again"


def test_a_servent_that_comes_back_connects_to_servents_that_it_knew() -> None:
    made = swarm()
    made.advance(45 * SECOND)
    before = set(at(made, 7).near.cache)
    made.do(Kill("#7"))
    made.advance(55 * SECOND)
    assert made.links_of(7) == ()
    made.do(Revive("#7"))
    assert before <= set(at(made, 7).near.cache)
    made.advance(58 * SECOND)
    assert len(made.links_of(7)) >= 4
    assert agree(made)


def test_a_polite_leave_is_noticed_at_once() -> None:
    made = swarm("ring", 6)
    made.advance(30 * SECOND)
    made.do(Leave("#3"))
    made.advance(made.now_us + 300_000)
    assert made.links_of(3) == ()
    assert all(len(at(made, peer).connections) >= 2 for peer in (2, 4))


def test_a_swarm_that_loses_its_hub_is_connected_again() -> None:
    made = swarm("scale-free:2", 60)
    made.advance(45 * SECOND)
    made.do(Kill("top 6 degree"))
    made.advance(90 * SECOND)
    [asker, *_] = made.select("state=alive")
    made.do(AskFor(made.labels[asker], "no such thing"))
    made.advance_quiet(QUARTER_HOUR)
    assert made.asks()[-1].reached == 53


def test_a_censored_neighbour_is_dropped_after_silence_and_not_before() -> None:
    made = swarm(ping_s=20, silence=3)
    made.advance(45 * SECOND)
    near = made.links_of(5)
    made.do(Censor("#5"))
    made.advance(90 * SECOND)
    assert made.links_of(5) == near, "nobody is told; silence is all there is"
    made.advance(140 * SECOND)
    assert made.links_of(5) == ()
    assert at(made, 5).connections == {}, "from inside it looks as if all others had gone"
    assert {peer for peer, facts in kinds(made, "silent neighbour") if facts["peer"] == 5} == set(near)
    assert agree(made)
    assert all(5 not in at(made, peer).near.cache for peer in near)


def test_a_servent_that_is_uncensored_in_time_keeps_its_neighbours() -> None:
    made = swarm(ping_s=20, silence=3)
    made.advance(45 * SECOND)
    near = made.links_of(5)
    made.do(Censor("#5"))
    made.advance(80 * SECOND)
    made.do(Uncensor("#5"))
    made.advance(200 * SECOND)
    assert made.links_of(5) == near
    assert kinds(made, "silent neighbour") == []


# --- downloads ---------------------------------------------------------------------------------------------------


def test_a_download_ends_and_the_file_is_then_found_at_its_new_holder() -> None:
    made = swarm()
    made.do(Publish("#30", TITLE))
    made.do(AskFor("#0", TITLE))
    assert made.advance_quiet(QUARTER_HOUR)
    assert made.library(0).matching(TITLE) == made.library(30).matching(TITLE)
    made.do(Kill("#30"))
    made.do(AskFor("#11", TITLE))
    assert made.advance_quiet(2 * QUARTER_HOUR)
    assert made.asks()[-1].hits == 1
    trace = made.trace(made.asks()[-1].id)
    assert trace is not None
    assert trace.holders == (0,)
    assert len(made.library(11).matching(TITLE)) == 1


def test_when_the_holder_dies_the_next_one_serves_the_rest() -> None:
    made = swarm()
    made.do(Publish("#30", TITLE))
    made.do(Publish("#31", TITLE))
    made.do(AskFor("#0", TITLE))
    made.advance(2 * SECOND)
    [download] = at(made, 0).downloads.running.values()
    holder = download.source.holder
    made.do(Kill(f"#{holder}"))
    assert made.advance_quiet(QUARTER_HOUR)
    assert len(made.library(0).matching(TITLE)) == 1
    assert kinds(made, "another holder")[0][1]["holder"] == 61 - holder
    assert kinds(made, "fetched")[0][1]["holder"] == 61 - holder


def test_when_the_only_holder_is_censored_the_ask_still_closes() -> None:
    made = swarm()
    made.do(Publish("#30", TITLE))
    made.do(AskFor("#0", TITLE))
    made.advance(2 * SECOND)
    assert at(made, 0).downloads.running
    made.do(Censor("#30"))
    assert made.advance_quiet(QUARTER_HOUR)
    assert at(made, 0).downloads.running == {}
    assert kinds(made, "failed")[0][1]["why"] == "the holder was silent"
    assert not made.library(0).matching(TITLE)


def test_a_firewalled_servent_serves_by_push() -> None:
    made = swarm(firewalled=0.5)
    hidden = [peer for peer in range(40) if at(made, peer).firewalled]
    open_ones = [peer for peer in range(40) if not at(made, peer).firewalled]
    assert 10 < len(hidden) < 30
    made.do(Publish(f"#{hidden[-1]}", TITLE))
    made.do(AskFor(f"#{open_ones[0]}", TITLE))
    made.do(AskFor(f"#{hidden[0]}", TITLE))
    assert made.advance_quiet(QUARTER_HOUR)
    assert [ask.hits for ask in made.asks()[-2:]] == [1, 1]
    assert [peer for peer, _ in kinds(made, "fetched")] == [open_ones[0]]
    assert [(peer, facts["why"]) for peer, facts in kinds(made, "failed")] == [(hidden[0], "both are firewalled")]


# --- over time ---------------------------------------------------------------------------------------------------


def test_the_overlay_replaces_links_behind_firewalls_too() -> None:
    made = swarm(firewalled=0.3)
    made.advance(45 * SECOND)
    made.do(Kill("random 10"))
    made.advance(180 * SECOND)
    assert all(made.links_of(peer) for peer in made.select("state=alive"))
    assert agree(made)


@pytest.mark.uncounted
def test_a_busy_swarm_under_churn_goes_on_and_its_tables_stay_small() -> None:
    made = Swarm(
        Setup("gnutella", 40, 5, churn="exponential:120", loss=0.02, asks_per_s=2.0, options={"guid_table": 64})
    )
    made.advance(100 * SECOND)
    row = made.success(20, 90)
    assert row is not None
    assert row > 0.3
    for peer in made.select("state=alive"):
        one = at(made, peer)
        assert len(one.seen) + len(one.seen_before) <= 65
        assert len(one.near.cache) <= 40
        assert len(one.connections) <= 16
        assert len(pickle.dumps(one.saved())) < 2_000
