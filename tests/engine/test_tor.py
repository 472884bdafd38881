"""Tor in a swarm: circuits, pages, what a relay knows, the directory, guards, bridges and watchers."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from math import isclose
from typing import Any

import pytest

from engine import Act, Arrive, AskFor, Attack, Collude, FakeHost, Kill, Revive, Set, Setup, Swarm, networks
from engine.protocols.tor import OnionProxy, TorOptions, onion
from engine.protocols.tor.consensus import Table, related
from engine.protocols.tor.directory import Authority, VoteDue, agreed, voted
from engine.protocols.tor.guards import INITIAL_MS, BuildTimes, pareto_quantile
from engine.protocols.tor.messages import (
    RELAYS_MOST,
    BeginStream,
    Create2,
    Created2,
    Descriptor,
    Destroy,
    Extend2,
    LinkStep,
    Onionskin,
    Padding,
    Reached,
    RelayAnswer,
    RelayControl,
    RelayData,
    RelayEarly,
    RelayRequest,
    Wanted,
)
from engine.protocols.tor.odds import build_time_us, linked_in_one, linked_with_guards, linked_without_guards
from engine.protocols.tor.relays import Bridge, ExitRouter, OnionRouter

SECOND = 1_000_000
LATENCY_US = 40_000


def tor(peers: int = 20, seed: int = 1, **options: Any) -> Swarm:
    setup = Setup(
        protocol="tor", peers=peers, seed=seed, asks_per_s=0.0, latency="constant:40", options={"page_kb": 3, **options}
    )
    return Swarm(setup, networks()["tor"])


def programs(swarm: Swarm, kind: type) -> Iterator[tuple[int, Any]]:
    """Living peers that run this program, or one derived from it."""
    for peer in range(len(swarm.snapshot().state)):
        program = swarm.peer(peer)
        if isinstance(program, kind):
            yield peer, program


def clients(swarm: Swarm) -> list[int]:
    return [peer for peer, program in programs(swarm, onion.OnionPeer) if not program.is_relay]


def visit(swarm: Swarm, peer: int, seconds: float = 5, goal: str | None = None) -> Any:
    swarm.do(AskFor(peer, "blue train", goal))
    swarm.advance(swarm.now_us + round(seconds * SECOND))
    return swarm.asks()[-1]


# --- circuits and pages ------------------------------------------------------------------------------------------


def test_a_page_comes_over_three_relays_and_each_sees_its_neighbours_alone() -> None:
    swarm = tor(24)
    swarm.advance(3 * SECOND)
    website = int(swarm.snapshot().fixed.infrastructure.argmax())
    for client in clients(swarm)[:3]:
        row = visit(swarm, client, 2)
        assert (row.reached, row.messages, row.hits, row.fetched) == (4, 8, 1, 1)
        assert row.verdict == "Fetched over three relays."
    for client in clients(swarm):
        swarm.do(AskFor(client, "blue train"))
    users, relays = clients(swarm), dict(programs(swarm, OnionRouter))
    seen = 0
    for _ in range(12):
        swarm.advance(swarm.now_us + 60_000)
        for peer, relay in relays.items():
            around = {hop.before for hop in relay.hops.values()} | {hop.ahead for hop in relay.hops.values()}
            around |= {one.address for hop in relay.hops.values() for one in hop.streams.values()}
            assert set(relay.beliefs().known) == around - {-1, -2}, "its neighbours, and nobody else"
            for hop in relay.hops.values():
                ends = {one.address for one in hop.streams.values()}
                seen += bool(ends)
                assert not (ends and hop.before in users), f"#{peer} knows both ends of a circuit"
                assert ends <= {website}
    assert seen


def test_all_paths_are_of_different_networks_and_families_and_begin_at_the_guard() -> None:
    swarm = tor(40, ready_circuits=6, family_share=0.6)
    swarm.advance(6 * SECOND)
    checked = 0
    for _, client in programs(swarm, onion.OnionPeer):
        table = Table(client.consensus.relays)
        for circuit in client.circuits.values():
            path = [table.by_peer[peer] for peer in circuit.path]
            assert not any(related(a, b) for at, a in enumerate(path) for b in path[:at])
            assert path[0].guard
            assert path[2].exit
            assert circuit.path[0] in {one.peer for one in client.guards.sample}
            checked += 1
    assert checked > 100
    told = swarm.snapshot().paths
    assert len(told.hops) == checked
    assert {told.words[code] for code in told.word.tolist()} == {"clean circuit"}


def test_every_cell_has_514_bytes_and_a_sealed_one_shows_no_words() -> None:
    sealed = [
        kind(1, (2, 3), Wanted(1, "blue train"))
        for kind in (RelayEarly, RelayControl, RelayRequest, RelayAnswer, RelayData)
    ]
    for cell in (Create2(1, Onionskin(2, 3)), Created2(1), Destroy(1, 1), Padding(), *sealed):
        assert cell.stated_size == 514
        assert not list(cell.about())


def test_windows_are_never_negative_and_a_long_page_waits_for_sendmes() -> None:
    swarm = tor(16, page_kb=700)
    swarm.advance(3 * SECOND)
    client = clients(swarm)[0]
    swarm.do(AskFor(client, "blue train"))
    lowest: list[int] = []
    for _ in range(30):
        swarm.advance(swarm.now_us + 40_000)
        for _, relay in programs(swarm, ExitRouter):
            for hop in relay.hops.values():
                lowest += [hop.window.package, *(one.window.package for one in hop.streams.values())]
    assert min(lowest) == 0, "the window of a stream is 500 cells"
    row = swarm.asks()[-1]
    assert (row.fetched, row.done) == (1, 700_000)
    cells = -(-700_000 // 498)
    sent = swarm.snapshot().totals.by_kind
    assert sent["RelayData"] == 3 * (cells + 1), "one more for END"


@pytest.mark.parametrize("handshake_ms", [0.0, 5.0])
def test_a_circuit_takes_the_round_trips_of_its_hops_and_of_new_links(handshake_ms: float) -> None:
    swarm = tor(20, ready_circuits=1, handshake_ms=handshake_ms)
    swarm.advance(4 * SECOND)
    links = 3 * 3 * 2 * LATENCY_US  # three new links, three round trips each
    hops = build_time_us([LATENCY_US] * 3)
    assert hops == 3 * 4 * LATENCY_US
    took = []
    for _, client in programs(swarm, onion.OnionPeer):
        took += [one.opened_us - one.began_us for one in client.circuits.values()]
    compute = round(3 * handshake_ms * 1_000)
    assert max(took) == links + hops + compute
    assert min(took) >= hops + compute, "where others have opened the links before"


def test_a_dead_relay_ends_its_circuits_and_the_page_comes_over_another_one() -> None:
    swarm = tor(24, page_kb=2_000)
    swarm.advance(3 * SECOND)
    client = clients(swarm)[0]
    swarm.do(AskFor(client, "blue train"))
    swarm.advance(swarm.now_us + 700_000)
    program: Any = swarm.peer(client)
    [used] = [one for one in program.circuits.values() if one.streams]
    assert 0 < next(iter(program.visits.values())).got < 2_000_000
    swarm.do(Kill(used.path[1]))
    swarm.advance(swarm.now_us + SECOND)
    assert used not in program.circuits.values()
    assert all(used.path[1] not in hops for hops, _ in swarm.paths_of(client))
    for peer in (used.path[0], used.path[2]):
        relay: Any = swarm.peer(peer)
        assert all(used.path[1] not in (hop.before, hop.ahead) for hop in relay.hops.values()), "DESTROY went on"
    swarm.advance(swarm.now_us + 10 * SECOND)
    assert swarm.asks()[-1].fetched == 1


def test_circuits_are_built_ahead_and_retired_when_they_have_been_used_for_long() -> None:
    swarm = tor(20, dirtiness_s=15)
    swarm.advance(3 * SECOND)
    client = clients(swarm)[0]
    program: Any = swarm.peer(client)
    before = dict(program.circuits)
    assert [one.dirty_us for one in before.values()] == [-1, -1]
    visit(swarm, client, 2)
    [used] = [at for at, one in program.circuits.items() if one.dirty_us >= 0]
    visit(swarm, client, 2)
    assert program.circuits[used].dirty_us == before[used].dirty_us, "it takes further streams"
    swarm.advance(swarm.now_us + 12 * SECOND)
    assert len(program.circuits) == 3, "another one was built in its place"
    swarm.advance(swarm.now_us + 16 * SECOND)
    assert used not in program.circuits


def test_a_ban_stops_a_page_at_its_exit_and_not_before() -> None:
    swarm = tor(20, stream_s=2, give_up_s=20)
    swarm.advance(3 * SECOND)
    exits = tuple(peer for peer, _ in programs(swarm, ExitRouter))
    others = tuple(peer for peer, _ in programs(swarm, OnionRouter) if peer not in exits)
    swarm.do(Collude(others, "train"))
    assert visit(swarm, clients(swarm)[0], 3).fetched == 1
    swarm.do(Collude(exits, "train"))
    row = visit(swarm, clients(swarm)[0], 25)
    assert row.fetched == 0
    assert row.verdict.startswith("No page: ")
    swarm.do(AskFor(clients(swarm)[0], "green bus"))
    swarm.advance(swarm.now_us + 5 * SECOND)
    assert swarm.asks()[-1].fetched == 1


def test_a_silent_link_is_padded_once_in_about_five_and_a_half_seconds() -> None:
    swarm = tor(20, link_padding=True, ready_circuits=1)
    swarm.advance(3 * SECOND)
    links = sum(
        channel.open and not channel.relay
        for _, relay in programs(swarm, OnionRouter)
        for channel in relay.channels.values()
    )
    before = swarm.snapshot().totals.by_kind["Padding"]
    swarm.advance(swarm.now_us + 110 * SECOND)
    each = (swarm.snapshot().totals.by_kind["Padding"] - before) / links
    # Each end draws the greater of two times uniform in 1.5 to 9.5 s, and the one with the shorter time sends: after
    # 1.5 + 8 * 8/15 = 5.77 s on average.
    assert abs(110 / each - 5.77) < 0.45


# --- a relay by itself ---------------------------------------------------------------------------------------------


def relay() -> tuple[FakeHost, ExitRouter]:
    """A relay #7 with a link to #3, and one hop of a circuit over it, whose key is 55."""
    host, made = FakeHost(7, TorOptions(handshake_ms=0.0)), ExitRouter()
    host.start(made, range(100, 111))
    for step in range(3):
        host.give_request(made, LinkStep(step, False, False), sender=3)
    host.give_request(made, Create2(9, Onionskin(7, 55)), sender=3)
    assert host.replies[-1][1] == Created2(9)
    host.take()
    return host, made


def test_a_relay_extends_by_early_cells_only_and_by_eight_at_most() -> None:
    host, made = relay()
    host.give(made, RelayControl(9, (55,), Extend2(8, Onionskin(8, 1))), sender=3)
    assert host.take() == [(3, Destroy(9, 1))]
    host, made = relay()
    host.give(made, RelayEarly(9, (55,), Extend2(8, Onionskin(8, 1))), sender=3)
    assert made.hops[3, 9].ahead == -2, "it waits for the link and for CREATED2"
    for _ in range(7):
        host.give(made, RelayEarly(9, (55,), BeginStream(1, 4)), sender=3)
    assert (3, 9) in made.hops
    host.give(made, RelayEarly(9, (55,), BeginStream(1, 4)), sender=3)
    assert (3, 9) not in made.hops


def test_a_cell_in_another_key_or_for_no_hop_ends_the_circuit_and_one_of_no_circuit_is_ignored() -> None:
    for layers in ((), (54,), (55, 56)):
        host, made = relay()
        host.give(made, RelayRequest(8, layers, BeginStream(1, 4)), sender=3)
        host.give(made, RelayRequest(9, layers, BeginStream(1, 4)), sender=4)
        assert not host.take()
        host.give(made, RelayRequest(9, layers, BeginStream(1, 4)), sender=3)
        assert host.take() == [(3, Destroy(9, 1))]
    host, made = relay()
    host.give_request(made, Create2(9, Onionskin(7, 66)), sender=3)
    assert host.take() == [(3, Destroy(9, 1))], "a number twice"
    host.give_request(made, Create2(10, Onionskin(8, 66)), sender=3)
    assert host.take() == [(3, Destroy(10, 1))], "not its onionskin"


# --- the directory ---------------------------------------------------------------------------------------------------


def consensus_of(swarm: Swarm) -> list[int]:
    """The second until which the consensus of each living authority is fresh."""
    return [one.consensus.fresh_until_us // SECOND for _, one in programs(swarm, Authority)]


def test_authorities_vote_as_long_as_more_than_half_of_them_live_and_clients_fetch_what_they_sign() -> None:
    swarm = tor(16, consensus_s=20)
    swarm.advance(41 * SECOND)
    assert consensus_of(swarm) == [60] * 9
    signed = next(programs(swarm, Authority))[1].consensus.signed
    assert len(signed) == 9
    swarm.do(Kill(signed[:4]))
    swarm.advance(65 * SECOND)
    assert consensus_of(swarm) == [80] * 5
    swarm.do(Kill(signed[4]))
    swarm.advance(105 * SECOND)
    assert consensus_of(swarm) == [80] * 4, "four of nine are not more than half"
    ages = {one.consensus.valid_after_us for _, one in programs(swarm, onion.OnionPeer)}
    assert ages == {60 * SECOND}
    swarm.do(Revive(signed[:3]))
    swarm.advance(145 * SECOND)
    assert consensus_of(swarm) == [160] * 7


def test_a_relay_that_cannot_be_reached_is_not_listed_and_one_that_comes_back_is_again() -> None:
    swarm = tor(16, consensus_s=20)
    swarm.advance(5 * SECOND)
    gone = next(peer for peer, _ in programs(swarm, OnionRouter) if not isinstance(swarm.peer(peer), Bridge))
    swarm.do(Kill(gone))
    swarm.advance(61 * SECOND)

    def listed() -> set[int]:
        return {one.peer for one in next(programs(swarm, Authority))[1].consensus.relays}

    assert gone not in listed()
    swarm.do(Revive(gone))
    swarm.advance(125 * SECOND)
    assert gone in listed()
    bridges = {peer for peer, _ in programs(swarm, Bridge)}
    assert bridges
    assert not bridges & listed()


def test_an_authority_that_is_told_of_more_relays_than_it_lists_keeps_those_that_it_heard_from_last() -> None:
    host, made = FakeHost(0, TorOptions()), Authority()
    host.start(made, range(1, 11))
    others = range(100, 100 + RELAYS_MOST - 1)
    for relay in (50, *others, 50, 51):
        host.give(made, Descriptor(1_000, True, relay, 0, 60), sender=relay)
    for call in host.calls:
        host.answer(made, call, Reached())
    host.tick(made, VoteDue(1))
    assert sorted(one.peer for one in made.votes[0]) == [50, 51, *others[1:]]


def test_flags_follow_bandwidth_and_uptime_and_the_consensus_is_what_most_say() -> None:
    known = {
        peer: Descriptor(bandwidth, peer % 2 == 0, peer, 0, uptime_s)
        for peer, (bandwidth, uptime_s) in enumerate(
            ((50, 9**6), (300, 9**6), (3_000, 9**6), (9_000, 60), (2_500, 9**7))
        )
    }
    flags = {one.peer: (one.guard, one.exit) for one in voted(known)}
    assert flags == {0: (False, True), 1: (False, False), 2: (True, True), 3: (True, False), 4: (True, True)}, (
        "with fewer than three guards the fastest are"
    )
    one = voted(known)
    other = tuple(replace(each, bandwidth=each.bandwidth + 10, guard=False) for each in one[1:])
    made = {each.peer: each for each in agreed({1: one, 2: other, 3: other}, 3)}
    assert sorted(made) == [1, 2, 3, 4], "0 is listed by one of three"
    assert (made[2].guard, made[2].bandwidth) == (False, 3_010)
    assert {each.peer for each in agreed({1: one, 2: other}, 5)} == set()


def test_a_newcomer_fetches_a_consensus_and_builds_circuits() -> None:
    swarm = tor(16)
    swarm.advance(2 * SECOND)
    swarm.do(Arrive(5))
    swarm.advance(8 * SECOND)
    newcomers = [program for peer, program in programs(swarm, onion.OnionPeer) if peer >= 27]
    assert len(newcomers) == 5
    assert all(one.consensus is not None for one in newcomers)
    users = [one for one in newcomers if not one.is_relay]
    assert users
    assert all(sum(circuit.open for circuit in one.circuits.values()) == 2 for one in users)


# --- guards ----------------------------------------------------------------------------------------------------------


def test_guards_survive_a_restart_and_a_dead_guard_is_replaced_by_the_next() -> None:
    swarm = tor(30, ready_circuits=1)
    swarm.advance(3 * SECOND)
    client = clients(swarm)[0]

    def first() -> set[int]:
        program: Any = swarm.peer(client)
        return {one.path[0] for one in program.circuits.values() if one.open}

    program: Any = swarm.peer(client)
    sample = [one.peer for one in program.guards.sample]
    assert len(sample) >= 3
    before = first()
    assert before <= set(sample)
    swarm.do(Kill(client))
    swarm.do(Revive(client))
    swarm.advance(swarm.now_us + 4 * SECOND)
    program = swarm.peer(client)
    assert [one.peer for one in program.guards.sample] == sample
    assert first() == before
    swarm.do(Kill(tuple(before)))
    swarm.advance(swarm.now_us + 15 * SECOND)
    assert first() <= set(sample) - before
    assert first()
    assert visit(swarm, client).fetched == 1


def test_with_no_guards_the_first_relay_changes_with_each_circuit() -> None:
    swarm = tor(40, guards=0, ready_circuits=6)
    swarm.advance(5 * SECOND)
    program: Any = swarm.peer(clients(swarm)[0])
    assert not program.guards.sample
    assert len({one.path[0] for one in program.circuits.values()}) > 2


def test_a_circuit_whose_first_relay_is_silent_tells_nothing_about_the_time_to_build() -> None:
    host, made = FakeHost(7, TorOptions()), OnionProxy()
    for first, hops in ((2, 0), (3, 1)):
        circuit = made.circuits[first] = onion.Circuit((first, 4, 5), 0, bridge=False, built=hops)
        assert not circuit.open
        host.tick(made, onion.CircuitSlow(first))
        assert made.times.timed_out == [True] * hops
    assert not made.circuits


def test_the_time_to_build_is_learnt_and_forgotten_when_the_network_has_changed() -> None:
    times = BuildTimes()
    for number in range(99):
        times.built(400 + number % 7 * 50)
    assert times.timeout_ms == INITIAL_MS
    times.built(400)
    assert 400 < times.timeout_ms < 900
    assert times.timeout_ms == pareto_quantile(times.times_ms, 0.8)
    for _ in range(18):
        times.too_slow()
    assert times.timeout_ms == INITIAL_MS
    assert not times.times_ms


@pytest.mark.parametrize("known", [100, 1_000, 1_250])
def test_the_distribution_of_build_times_is_fitted_again_after_ten_more_of_them(known: int) -> None:
    times = BuildTimes()
    for _ in range(known):
        times.built(400)
    before = times.timeout_ms
    for _ in range(9):
        times.built(3_000)
        assert times.timeout_ms == before
    times.built(3_000)
    assert times.timeout_ms > before


# --- bridges and firewalls -------------------------------------------------------------------------------------------


def test_a_firewall_blocks_guards_and_a_bridge_works_until_it_is_found() -> None:
    swarm = tor(24, bridge_share=0.1, bridges_told=1, connect_s=2, give_up_s=8, bridge_period_s=1_000)
    swarm.advance(3 * SECOND)
    client, spy = clients(swarm)[:2]
    swarm.do(Act(client, "block"))
    row = visit(swarm, client, 12)
    assert row.fetched == 0
    assert row.verdict == "No page: its guards could not be reached."
    row = visit(swarm, client, 8, "bridge")
    assert row.verdict == "Fetched over a bridge and two relays."
    swarm.do(Act(client, "use-bridges"))
    assert visit(swarm, client, 8).fetched == 1
    program: Any = swarm.peer(client)
    [bridge] = program.bridges
    assert all(one.path[0] == bridge for one in program.circuits.values() if one.open)
    for one in clients(swarm)[1:]:
        swarm.do(Act(one, "spy"))
    swarm.advance(swarm.now_us + 3 * SECOND)
    assert [one.found for _, one in programs(swarm, Bridge)] == [True, True]
    assert visit(swarm, client, 12).fetched == 0
    assert visit(swarm, spy, 5).fetched == 1
    swarm.do(Act(client, "unblock"))
    swarm.do(Act(client, "use-guards"))
    assert visit(swarm, client, 12).fetched == 1


def test_a_firewall_that_begins_blocks_a_bridge_that_is_found_while_a_client_uses_it() -> None:
    swarm = tor(24, bridge_share=0.1, bridges_told=2, connect_s=2, give_up_s=8, bridge_period_s=1_000)
    swarm.advance(3 * SECOND)
    client, spy = clients(swarm)[:2]
    swarm.do(Act(client, "use-bridges"))
    assert visit(swarm, client, 8).fetched == 1
    swarm.do(Act(client, "block"))
    assert visit(swarm, client, 8).fetched == 1, "over bridges that nobody has found"
    swarm.do(Act(spy, "spy"))
    swarm.advance(swarm.now_us + 3 * SECOND)
    assert [one.found for _, one in programs(swarm, Bridge)] == [True, True]
    row = visit(swarm, client, 12)
    assert row.verdict == "No page: none of the bridges that the client knows could be reached."
    swarm.do(Act(client, "unblock"))
    assert visit(swarm, client, 5).fetched == 1, "the bridges can be reached again"


# --- watchers --------------------------------------------------------------------------------------------------------


def test_a_watched_guard_knows_the_client_a_watched_exit_the_page_and_both_link_an_ask() -> None:
    swarm = tor(24)
    swarm.advance(3 * SECOND)
    client = clients(swarm)[0]
    program: Any = swarm.peer(client)
    visit(swarm, client, 2)
    [used] = [one for one in program.circuits.values() if one.dirty_us >= 0]
    guard, middle, last = used.path
    told = []
    for watch, unwatch in ((guard, None), (None, guard), (middle, None), (last, middle), (guard, None)):
        if watch is not None:
            swarm.do(Act(watch, "watch"))
        if unwatch is not None:
            swarm.do(Act(unwatch, "unwatch"))
        row = visit(swarm, client, 2)
        told.append(row.remarks.get("watcher", ()))
    assert told == [("client",), (), (), ("page",), ("client", "page")]
    assert swarm.asks()[-1].verdict == (
        "Fetched and linked from end to end: watched relays saw who asked, and what for."
    )
    relay: Any = swarm.peer(guard)
    assert relay.beliefs().facts["circuits over it"] == f"{relay.shown()[1]}"
    assert relay.seen == 1, "the circuit, once"
    assert relay.pairs_seen == {(client, middle): 1}
    assert pickle.loads(pickle.dumps(swarm)).asks()[-1].remarks == row.remarks


def test_the_odds_are_those_of_the_closed_forms() -> None:
    assert isclose(linked_in_one(100, 10), 0.00909, abs_tol=5e-6)
    assert isclose(linked_in_one(100, 30), 0.0879, abs_tol=5e-5)
    for k, without, fixed, three in (
        (1, 0.010, 0.010, 0.0271),
        (10, 0.0956, 0.065, 0.1765),
        (100, 0.634, 0.100, 0.2710),
    ):
        assert isclose(linked_without_guards(0.1, 0.1, k), without, abs_tol=5e-4)
        assert isclose(linked_with_guards(0.1, 0.1, k), fixed, abs_tol=5e-4)
        assert isclose(linked_with_guards(0.1, 0.1, k, 3), three, abs_tol=5e-5)


def test_options_can_be_set_while_it_runs_and_relays_are_cast_in_exact_shares() -> None:
    swarm = tor(40, relay_share=0.5, exit_share=0.4, bridge_share=0.1)
    kinds = [type(program) for _, program in programs(swarm, onion.OnionPeer)]
    assert (kinds.count(OnionProxy), kinds.count(OnionRouter), kinds.count(ExitRouter), kinds.count(Bridge)) == (
        16,
        12,
        8,
        4,
    )
    swarm.do(Set("ready_circuits", 4))
    swarm.advance(15 * SECOND)
    assert {len(one.circuits) for _, one in programs(swarm, OnionProxy)} == {4}
    assert {len(one.circuits) for _, one in programs(swarm, OnionRouter)} == {0}, "a relay has no users of its own yet"


# --- attacks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("whom", "verdict"),
    [
        ("exit", "No page: each circuit broke off at its exit."),
        ("guard", "No page: its guards could not be reached."),
        ("website", "No page: the exits could not connect to the website."),
        ("authority", "Fetched over three relays."),
    ],
)
def test_the_verdict_when_all_of_one_kind_are_killed(whom: str, verdict: str) -> None:
    swarm = tor(24, give_up_s=8)
    swarm.advance(3 * SECOND)
    client = clients(swarm)[0]
    whole = swarm.min_cut(client, "blue train")
    assert whole.peers == (swarm.select("role=website")[0],)
    assert "there is no other website. " in whole.sentence
    swarm.do(Attack("role", whom=whom, means="kill", share=1.0))
    cut = swarm.min_cut(client, "blue train")
    if whom == "authority":
        assert cut == whole
    else:
        assert cut.sentence.startswith(f"No {whom} is up and would answer")
    assert visit(swarm, client, 9).verdict == verdict


@pytest.mark.parametrize(
    ("killed", "need"),
    [
        ("role=bridge distributor", "No bridge distributor is up and would answer"),
        ("role=bridge", "No bridge that it is told of is up and would answer"),
        ("role=guard", "Silencing 1 peer (website)"),
    ],
)
def test_a_visit_by_a_bridge_needs_a_bridge_and_who_tells_of_one_and_no_guard(killed: str, need: str) -> None:
    swarm = tor(40, give_up_s=8)
    swarm.advance(3 * SECOND)
    client = clients(swarm)[0]
    assert swarm.min_cut(client, "blue train", "bridge").sentence.startswith("Silencing 1 peer (website)")
    swarm.do(Kill(swarm.select(killed)))
    cut = swarm.min_cut(client, "blue train", "bridge")
    assert cut.sentence.startswith(need)
    swarm.do(AskFor(client, "blue train", "bridge"))
    swarm.advance(swarm.now_us + 12 * SECOND)
    assert (swarm.asks()[-1].hits > 0) == bool(cut.peers)
    after = swarm.min_cut(client, "blue train", "bridge").sentence
    assert after.startswith(cut.sentence)
    told = " Not counted: what p000 has got by asking before, 2 bridges."
    assert after.removeprefix(cut.sentence) == ("" if killed == "role=bridge distributor" else told)


def test_a_newcomer_without_a_consensus_needs_an_authority() -> None:
    swarm = tor(16)
    swarm.do(Attack("role", whom="authority", means="kill", share=1.0))
    swarm.do(Arrive(3))
    swarm.advance(SECOND)
    newcomer = clients(swarm)[-1]
    assert newcomer >= 16
    assert swarm.min_cut(newcomer, "blue train").sentence.startswith("No directory authority is up and would answer")


def test_the_verdict_when_one_guard_is_left_and_when_first_relays_are_drawn() -> None:
    for guards, verdict in (
        (1, "each circuit broke off at its second relay"),
        (0, "the first relays could not be reached"),
    ):
        swarm = tor(24, give_up_s=8, guards=guards)
        swarm.advance(3 * SECOND)
        client = clients(swarm)[0]
        program: Any = swarm.peer(client)
        kept = [one.path[0] for one in program.circuits.values()] if guards else []
        swarm.do(Kill(tuple(peer for peer, _ in programs(swarm, OnionRouter) if peer not in kept)))
        assert visit(swarm, client, 9).verdict == f"No page: {verdict}."


def test_a_share_of_the_relays_is_watched_at_random_or_by_their_role() -> None:
    swarm = tor(40)
    swarm.advance(SECOND)
    swarm.do(Attack("role", whom="guard", means="watch", share=0.5))
    guards = swarm.select("role=guard")
    watched = swarm.select("watched=watched")
    assert set(watched) <= set(guards)
    assert len(watched) == (len(guards) + 1) // 2
    swarm.do(Attack("random", means="watch", share=1.0))
    relays = [peer for peer, _ in programs(swarm, OnionRouter)]
    assert swarm.select("watched=watched") == tuple(relays), "clients cannot be watched"
