"""Newcomers: a swarm that grows, how they find their way in, and crowds that come and go."""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
import pytest
from tiny import SECOND, Bureau, ask, give, make_swarm

from engine import (
    ALIVE,
    DEAD,
    LEFT,
    Adrift,
    ArrivalSpec,
    Arrive,
    Arrived,
    AskFor,
    Censor,
    Collude,
    ContentSpec,
    Depart,
    InputError,
    Kill,
    Partition,
    Revive,
    Set,
    Setup,
    Swarm,
    run,
    scenario_files,
    to_toml,
)
from engine.world.content import NewcomerLibraries, WordIndex

KINDS: dict[str, dict[str, Any]] = {
    "gnutella": {"peers": 40},
    "napster": {"peers": 40},
    "gossip": {"peers": 40},
    "web": {"peers": 40},
}


def made(name: str, **changes: Any) -> Swarm:
    return Swarm(Setup(**{"protocol": name, "asks_per_s": 0.0, **KINDS[name], **changes}))


def of(swarm: Swarm, kind: type[Any]) -> list[Any]:
    return [event for event in swarm.events() if isinstance(event, kind)]


# --- columns ---------------------------------------------------------------------------------------------


def test_newcomers_come_after_everybody_and_stations_stay_where_they_are() -> None:
    swarm = make_swarm(3, Bureau)
    before = swarm.snapshot()
    assert swarm.do(Arrive(2, operator="zed")) == (6, 7)
    after = swarm.snapshot()
    assert after.fixed.labels == (*before.fixed.labels, "p006", "p007")
    assert after.fixed.run is before.fixed.run
    assert after.fixed.infrastructure.tolist() == [False] * 3 + [True] * 3 + [False] * 2
    assert after.fixed.operator[3:] == ("acme", "acme", "bolt", "zed", "zed")
    assert after.fixed.begun_with == 6
    assert swarm.select("newcomers") == swarm.select("operator=zed") == (6, 7)
    assert swarm.select("role=clerk") == (3, 4, 5)
    assert swarm.select("bootstrap")[-3:] == (3, 4, 5)
    assert set(swarm.select("random 5")) == {0, 1, 2, 6, 7}, "a choice spares infrastructure, not newcomers"
    assert swarm.select("p007") == (7,)
    for name in ("state", "censored", "colluding", "group", "load", "last_heard_us", "files", "up_since_us"):
        assert len(getattr(after, name)) == 8, name
        assert len(getattr(before, name)) == 6, "a frame that was kept is not touched"
    for column in (after.role, after.fixed.place):
        assert len(column) == 8


def test_every_command_works_on_a_newcomer() -> None:
    swarm = make_swarm(3)
    new = swarm.do(Arrive(1))[0]
    swarm.advance(SECOND)
    assert swarm.do(Kill(new)) == swarm.do(Revive("newcomers")) == (new,)
    assert swarm.do(Collude(new, "song")) == swarm.do(Censor(new)) == swarm.do(Partition(new)) == (new,)
    frame = swarm.snapshot()
    assert frame.colluding[new]
    assert frame.censored[new]
    assert frame.group[new]
    assert frame.up_since_us[new] == SECOND


def test_newcomers_live_in_cities_and_have_libraries_like_the_others() -> None:
    swarm = make_swarm(300, topology="ring", latency="world", content=ContentSpec(100, 8.0, free_riders=0.5))
    new = swarm.do(Arrive(300))
    frame = swarm.snapshot()
    assert len(set(frame.fixed.place[300:].tolist())) > 20
    old, fresh = frame.files[:300], frame.files[300:]
    assert (fresh == 0).mean() == pytest.approx((old == 0).mean(), abs=0.1)
    assert fresh.mean() == pytest.approx(old.mean(), rel=0.25)
    assert {file.name for peer in new for file in swarm.library(peer).files()} <= set(swarm.catalogue_titles(100))


def test_common_titles_stay_common_among_newcomers() -> None:
    swarm = make_swarm(50, topology="ring")
    for peer in range(20):
        give(swarm, peer, "everybody's song")
    give(swarm, 30, "somebody's song")
    newcomer_libraries = NewcomerLibraries.of([swarm.simulation.libraries[peer] for peer in range(50)], WordIndex())
    names = [file.name for peer in range(2_000) for file in newcomer_libraries.generate(peer, 7).files()]
    assert names.count("everybody's song") > 5 * names.count("somebody's song")


def test_the_path_of_an_ask_grows_with_the_swarm() -> None:
    swarm = made("gnutella", latency="constant:50", options={"connections": 1})
    swarm.do(AskFor(0, "no such thing"))
    swarm.advance(60_000)
    [new] = swarm.do(Arrive(1, via="#0"))
    # The question is on its way; what comes after it has the newcomer for a neighbour.
    swarm.advance(2 * SECOND)
    swarm.do(AskFor(0, "no such thing either"))
    swarm.advance(4 * SECOND)
    first, second = swarm.trace(1), swarm.trace(2)
    assert first is not None
    assert second is not None
    assert len(first.hop) == len(second.hop) == len(swarm.snapshot().state) == 41
    assert first.hop[new] == first.frm[new] == -1
    assert (second.hop[new], second.frm[new]) == (1, 0)
    assert swarm.record(1).reached == 39
    assert swarm.record(2).reached == 40


# --- joining ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_newcomers_find_their_way_in_as_their_protocol_prescribes(name: str) -> None:
    swarm = made(name)
    swarm.advance(5 * SECOND)
    new = swarm.do(Arrive(5))
    swarm.advance(30 * SECOND)
    assert not of(swarm, Adrift)
    assert [event.peer for event in of(swarm, Arrived)] == list(new)
    assert all(swarm.simulation.has_joined(peer) for peer in new)
    want = "a rumour" if name == "gossip" else swarm.catalogue_titles(1)[0]
    row = ask(swarm, new[0], want, run_s=20)
    if name == "gossip":
        assert row.reached > 30
    else:
        assert row.hits, row.verdict


def test_a_newcomer_of_gnutella_gets_as_many_neighbours_as_it_wants() -> None:
    swarm = made("gnutella", peers=100)
    new = swarm.do(Arrive(100))
    swarm.advance(30 * SECOND)
    degrees = [len(swarm.links_of(peer)) for peer in new]
    assert min(degrees) >= 4, "those who were full named others"
    assert max(len(swarm.links_of(peer)) for peer in swarm.snapshot().fixed.bootstrap) <= 14


def test_others_hear_of_a_newcomer_by_gossip() -> None:
    swarm = made("gossip", peers=60)
    swarm.advance(SECOND)
    new = swarm.do(Arrive(3))
    swarm.advance(10 * SECOND)
    heard = 0
    for origin in range(10):
        swarm.do(AskFor(origin, f"rumour {origin}"))
        swarm.advance(swarm.now_us + 5 * SECOND)
        trace = swarm.trace(origin + 1)
        assert trace is not None
        heard += int((trace.hop[list(new)] > 0).sum())
    assert heard > 20, "nine in ten of thirty"


@pytest.mark.parametrize("how", [Kill, Censor])
@pytest.mark.parametrize("name", ["gnutella", "napster", "gossip"])
def test_without_its_bootstrap_a_newcomer_finds_nobody_and_says_so(name: str, how: type[Kill] | type[Censor]) -> None:
    swarm = made(name)
    swarm.advance(SECOND)
    swarm.do(how("bootstrap"))
    [new] = swarm.do(Arrive(1))
    swarm.do(AskFor(new, swarm.catalogue_titles(1)[0]))
    swarm.advance(400 * SECOND)
    [event] = of(swarm, Adrift)
    assert event.peer == new
    word = "dead" if how is Kill else "censored"
    many = "the one bootstrap peer, index, is" if name == "napster" else "of 8 bootstrap peers 8 are"
    assert event.why == f"{many} {word}"
    if name != "gossip":
        assert swarm.record(1).verdict == f"No answer: the asker could not join: {event.why}."
    swarm.do(Revive("state=dead"))
    swarm.do(Set("loss", 0.0))
    if how is Kill:
        swarm.advance(swarm.now_us + 120 * SECOND)
        assert swarm.simulation.has_joined(new), "it goes on trying, and the bootstrap is back"


def test_a_newcomer_may_be_brought_in_by_somebody_else() -> None:
    swarm = made("gnutella", peers=100, options={"connections": 1})
    swarm.do(Kill("bootstrap"))
    friend = swarm.select("random 1")[0]
    [new] = swarm.do(Arrive(1, via=f"#{friend}"))
    swarm.advance(5 * SECOND)
    assert swarm.links_of(new) == (friend,)


# --- crowds and laws ------------------------------------------------------------------------------------------


def test_a_crowd_comes_within_its_seconds() -> None:
    swarm = make_swarm(4)
    swarm.advance(SECOND)
    assert swarm.do(Arrive(50, over_s=10.0)) == ()
    swarm.advance(30 * SECOND)
    at_s = [event.at_us / SECOND for event in of(swarm, Arrived)]
    assert len(at_s) == 50
    assert 1 < min(at_s) < 3
    assert 9 < max(at_s) <= 11
    assert statistics.mean(at_s) == pytest.approx(6, abs=1.5)


def test_a_share_of_the_swarm_departs_and_some_of_it_says_goodbye() -> None:
    swarm = make_swarm(100, topology="ring", churn="exponential:1e6")
    going = swarm.do(Depart("state=alive and random 50%", over_s=10.0, polite=0.4))
    swarm.advance(5 * SECOND)
    half = int((swarm.snapshot().state[list(going)] == ALIVE).sum())
    assert 0.3 < half / len(going) < 0.7
    swarm.advance(20 * SECOND)
    states = swarm.snapshot().state[list(going)]
    assert (states != ALIVE).all()
    assert (states == LEFT).mean() == pytest.approx(0.4, abs=0.2)
    assert (states == DEAD).any()


def test_a_peer_that_restarts_before_it_should_depart_stays() -> None:
    swarm = make_swarm(4)
    swarm.do(Depart("p000, p001", over_s=10.0))
    swarm.do(Kill("p000"))
    swarm.do(Revive("p000"))
    swarm.advance(20 * SECOND)
    assert swarm.snapshot().state.tolist() == [ALIVE, LEFT, ALIVE, ALIVE]


@pytest.mark.parametrize(("law", "per_s"), [("poisson:2", 2.0), ("weibull:0.62:0.3463", 2.0)])
def test_newcomers_come_at_the_rate_of_their_law(law: str, per_s: float) -> None:
    swarm = make_swarm(2, arrivals=ArrivalSpec(law, 5_000))
    swarm.advance(400 * SECOND)
    at_s = np.array([event.at_us / SECOND for event in of(swarm, Arrived)])
    assert len(at_s) == pytest.approx(400 * per_s, rel=0.12)
    gaps = np.diff(at_s)
    spread = gaps.std() / gaps.mean()
    assert (spread > 1.3) == law.startswith("weibull"), "in bursts, or without memory"


def test_no_more_newcomers_come_than_the_limit() -> None:
    swarm = make_swarm(2, arrivals=ArrivalSpec("poisson:10", 7))
    swarm.advance(60 * SECOND)
    assert len(of(swarm, Arrived)) == 7
    swarm.do(Set("arrivals", "none"))
    assert swarm.settings()["arrivals"] == "none"


def test_newcomers_have_sessions_too() -> None:
    swarm = make_swarm(2, churn="exponential:5")
    new = swarm.do(Arrive(40))
    swarm.advance(60 * SECOND)
    up = swarm.snapshot().state[list(new)] == ALIVE
    assert 0.6 < up.mean() < 0.95


def test_the_law_of_arrivals_may_change_while_it_runs() -> None:
    swarm = make_swarm(2)
    swarm.do(Set("arrivals", "poisson:5"))
    swarm.advance(10 * SECOND)
    came = len(of(swarm, Arrived))
    assert came > 20
    swarm.do(Set("arrivals", "none"))
    swarm.advance(60 * SECOND)
    assert len(of(swarm, Arrived)) == came


@pytest.mark.parametrize(
    "word", ["poison:1", "poisson:0", "poisson:1e9", "weibull:0.5", "weibull:0.5:0", "poisson:nan"]
)
def test_an_invalid_law_of_arrivals_is_refused(word: str) -> None:
    swarm = make_swarm(2)
    with pytest.raises(InputError, match="arrivals"):
        swarm.do(Set("arrivals", word))
    assert swarm.settings()["arrivals"] == "none"


@pytest.mark.parametrize(
    "command",
    [
        Arrive(0),
        Arrive(-1),
        Arrive(2_000_000),
        Arrive(1, over_s=-1),
        Arrive(1, over_s=float("nan")),
        Arrive(1, via="p099"),
        Depart("all", over_s=1e9),
        Depart("all", polite=2.0),
    ],
)
def test_an_impossible_crowd_is_refused_and_changes_nothing(command: Arrive | Depart) -> None:
    swarm = make_swarm(3)
    with pytest.raises(InputError):
        swarm.do(command)
    assert len(swarm.snapshot().state) == 3
    assert swarm.snapshot().state.tolist() == [ALIVE] * 3


def test_a_scenario_with_arrivals_is_read_and_written_back() -> None:
    text = """
    [churn]
    session = "flatout"
    polite = 0.2
    [arrivals]
    law = "weibull:0.62:10"
    most = 50
    [[at]]
    s = 5
    do = "arrive"
    count = 30
    over_s = 10
    operator = "crowd"
    via = "p003"
    [[at]]
    s = 30
    do = "depart"
    peers = "operator=crowd and random 50%"
    over_s = 3
    polite = 0.5
    """
    scenario = scenario_files.parse(text, "story")
    assert scenario.setup.arrivals == ArrivalSpec("weibull:0.62:10", 50)
    assert scenario.setup.schedule[0] == (5 * SECOND, Arrive(30, 10, "crowd", "p003"))
    again = scenario_files.parse(to_toml(scenario.setup, "again"), "again")
    assert again.setup == scenario.setup
    report = run(scenario, until=40)
    assert not report.warnings
    assert report.peers == 64
    assert sum(report.peers_by_state[state] for state in ("alive", "dead", "left")) > 94


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[arrivals]\nlaw = 'poison:1'", 'did you mean "poisson"'),
        ("[arrivals]\nmost = -1", "arrivals.most"),
        ("[arrivals]\nlow = 'none'", 'did you mean "law"'),
        ("[churn]\npolite = 2", "churn.polite"),
        ("[[at]]\ns = 1\ndo = 'arrive'\ncount = 1.5", "whole number"),
        ("[[at]]\ns = 1\ndo = 'arrive'\ncount = 0", "count"),
        ("[[at]]\ns = 1\ndo = 'arrive'\nvia = 'degree>'", "via"),
        ("[[at]]\ns = 1\ndo = 'depart'\npeers = 'all'\npolite = 3", "polite"),
        ("[[at]]\ns = 1\ndo = 'depart'\nover_s = 3", 'needs "peers"'),
    ],
)
def test_a_mistake_in_a_scenario_is_reported(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        scenario_files.parse(text, "story")


@pytest.mark.parametrize("by", ["city", "selector"])
def test_a_newcomer_in_a_partition_joins_the_group_of_its_city(by: str) -> None:
    swarm = make_swarm(200, latency="world")
    swarm.do(Partition(tuple(range(200)), "city") if by == "city" else Partition("city=London or city=Tokyo"))
    swarm.do(Arrive(100))
    group, place = swarm.simulation.faults.group, swarm.simulation.network.links.place
    of_city = dict(zip(place[:200], group[:200], strict=True))
    known = [peer for peer in range(200, 300) if place[peer] in of_city]
    assert known
    assert [group[peer] for peer in known] == [of_city[place[peer]] for peer in known]


def test_a_newcomer_in_a_drawn_partition_is_drawn_in_proportion() -> None:
    swarm = make_swarm(100, latency="world")
    swarm.do(Partition(tuple(range(0, 100, 4))))
    swarm.do(Arrive(400))
    joined = sum(side > 0 for side in swarm.simulation.faults.group[100:])
    assert 400 * 0.25 - 40 < joined < 400 * 0.25 + 40, "4.6 standard deviations"


@pytest.mark.parametrize(
    ("protocol", "by", "operator"),
    [("napster", "city", None), ("tor", "operator", "bastet"), ("tor", "operator", "tor26")],
)
def test_a_newcomer_in_a_partition_joins_the_group_of_a_station_where_no_user_is(
    protocol: str, by: str, operator: str | None
) -> None:
    swarm = Swarm(Setup(protocol=protocol, peers=64, seed=2, asks_per_s=0.0))
    swarm.do(Partition("all", by=by))
    swarm.do(Arrive(30, operator=operator))
    sim = swarm.simulation
    trait, first = sim.trait(by), 64 + len(sim.stations)
    of_users = {trait[peer] for peer in range(first) if peer not in sim.stations}
    of_stations = {trait[one]: int(sim.group[one]) for one in sim.stations if trait[one] not in of_users}
    alike = [peer for peer in range(first, sim.n) if trait[peer] in of_stations]
    assert len(alike) == (2 if by == "city" else 30)
    assert [sim.group[peer] for peer in alike] == [of_stations[trait[peer]] for peer in alike]
    swarm.advance(30 * SECOND)
    if protocol == "napster":
        assert all(sim.has_joined(peer) for peer in alike)


@pytest.mark.parametrize("told", [True, False])
def test_stations_count_for_the_operator_and_not_in_the_draw(told: bool) -> None:
    swarm = make_swarm(40, Bureau, latency="world")
    swarm.do(Partition("all", by="operator") if told else Partition("operator=bolt"))
    group = swarm.simulation.faults.group
    bolt = swarm.simulation.operators.index("bolt")
    swarm.do(Arrive(20, operator="bolt"))
    assert set(group[-20:]) == {group[bolt]}
    swarm.do(Arrive(20, operator="nobody else"))
    assert set(group[-20:]) == {group[0]}, "they are drawn among the users, all of whom are in one group"


def test_newcomers_are_not_cut_off_with_a_station_because_they_live_in_its_city() -> None:
    swarm = Swarm(Setup(protocol="napster", peers=64, seed=2, asks_per_s=0.0))
    swarm.do(Partition("role=index"))
    swarm.do(Arrive(30))
    sim = swarm.simulation
    place = sim.trait("city")
    assert place[sim.stations[0]] in place[65:]
    assert set(sim.group[65:]) == {0}


def test_a_newcomer_in_a_selected_city_of_a_station_alone_joins_its_group() -> None:
    swarm = Swarm(Setup(protocol="napster", peers=64, seed=2, asks_per_s=0.0))
    sim, frame = swarm.simulation, swarm.snapshot()
    place = list(sim.trait("city"))
    station = sim.stations[0]
    busiest = max(set(place), key=place.count)
    cities = (place[station], busiest)
    swarm.do(Partition(tuple(peer for peer in range(len(frame.state)) if place[peer] in cities)))
    swarm.do(Arrive(60))
    after = sim.trait("city")
    newcomers = range(65, sim.n)
    assert any(after[peer] == place[station] for peer in newcomers)
    for peer in newcomers:
        if after[peer] in place:
            assert (sim.group[peer] == sim.group[station]) == (after[peer] in cities)


def test_a_newcomer_in_two_partitions_joins_the_group_of_both_its_traits() -> None:
    swarm = make_swarm(200, Bureau, latency="world")
    swarm.do(Partition("all", by="operator"))
    swarm.do(Partition("all", by="city"))
    sim = swarm.simulation
    of_city = {sim.trait("city")[peer]: sim.group[peer] for peer in range(200)}
    swarm.do(Arrive(50))
    known = [peer for peer in range(203, 253) if sim.trait("city")[peer] in of_city]
    assert known
    assert [sim.group[peer] for peer in known] == [of_city[sim.trait("city")[peer]] for peer in known]
