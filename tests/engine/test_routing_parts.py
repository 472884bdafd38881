"""Routing tables of RIP, OSPF and BGP, without a network."""

from __future__ import annotations

import itertools
from random import Random

import networkx as nx
import pytest
from routings import valley_free

from engine.protocols.routing.distance_vector import GARBAGE_US, INFINITY, TIMEOUT_US, SplitHorizon, Table
from engine.protocols.routing.link_state import FIRST_SEQUENCE, MAX_AGE_S, Database, Lsa, compare
from engine.protocols.routing.packets import HERE, Prefix, address_of, lan_of, peer_of, prefix_of
from engine.protocols.routing.path_vector import REVERSE, Relation, Rib

SECOND = 1_000_000
NINE = lan_of(9)


def converge(graph: nx.Graph, tables: dict[int, Table], horizon: SplitHorizon, rounds: int, now_us: int) -> int:
    """Rounds in which each router sends its table to its neighbours. Returns how many rounds changed something."""
    for number in range(rounds):
        changed = False
        for router, table in tables.items():
            for neighbour in sorted(graph[router]):
                changed |= tables[neighbour].response(router, 1, table.told_to(neighbour, horizon), now_us)
        if not changed:
            return number
    return rounds


def network(graph: nx.Graph) -> dict[int, Table]:
    tables = {router: Table() for router in sorted(graph)}
    for router, table in tables.items():
        table.add_own(lan_of(router), 0)
    return tables


@pytest.mark.parametrize("horizon", ["off", "simple", "poisoned"])
def test_distance_vectors_become_the_shortest_distances(horizon: SplitHorizon) -> None:
    graph = nx.random_regular_graph(4, 60, seed=3)
    tables = network(graph)
    converge(graph, tables, horizon, 40, 0)
    for source, lengths in nx.all_pairs_shortest_path_length(graph):
        assert {peer_of(to >> 6): route.metric for to, route in tables[source].routes.items()} == lengths


def test_without_split_horizon_a_chain_counts_to_infinity_and_with_it_it_does_not() -> None:
    for horizon, rounds in (("off", 5), ("simple", 1), ("poisoned", 1)):
        graph = nx.path_graph(3)
        tables = network(graph)
        converge(graph, tables, horizon, 10, 0)  # type: ignore[arg-type]
        graph.remove_edge(1, 2)
        tables[1].lose(2, SECOND)
        tables[2].lose(1, SECOND)
        took = converge(graph, tables, horizon, 100, SECOND)  # type: ignore[arg-type]
        assert took >= rounds
        assert (took > 2) == (horizon == "off")
        assert tables[0].next_hop(address_of(2)) is None
        assert tables[0].routes[lan_of(2)].metric == INFINITY


def test_a_route_that_is_not_heard_of_times_out_and_is_forgotten_later() -> None:
    table = Table()
    table.response(1, 1, [(NINE, 2)], 0)
    assert not table.expire(TIMEOUT_US - 1)
    assert table.next_hop(address_of(9)) == 1
    assert table.expire(TIMEOUT_US)
    assert table.told_to(2, "simple", changed_only=True) == [(NINE, INFINITY)]
    table.expire(TIMEOUT_US + GARBAGE_US)
    assert NINE not in table.routes


def test_a_worse_metric_counts_if_it_comes_from_the_present_next_hop() -> None:
    table = Table()
    table.response(1, 1, [(NINE, 2)], 0)
    table.response(2, 1, [(NINE, 5)], 0)
    assert table.next_hop(address_of(9)) == 1
    table.response(1, 1, [(NINE, 8)], 0)
    assert (table.next_hop(address_of(9)), table.routes[NINE].metric) == (1, 9)
    table.response(2, 1, [(NINE, 5)], 0)
    assert (table.next_hop(address_of(9)), table.routes[NINE].metric) == (2, 6)


def test_shortest_paths_are_those_of_dijkstra_and_a_link_counts_only_if_both_ends_list_it() -> None:
    graph, rng = nx.random_regular_graph(4, 80, seed=5), Random(5)
    for _, _, data in graph.edges(data=True):
        data["weight"] = rng.randrange(1, 20)
    database = Database()
    for router in graph:
        links = tuple((other, graph[router][other]["weight"]) for other in sorted(graph[router]))
        database.install(Lsa(router, FIRST_SEQUENCE, 0, links), 0)
    database.find_paths(0)
    found = database.ways
    expected = nx.single_source_dijkstra_path_length(graph, 0)
    assert {router: distance for router, (distance, _) in found.items()} == {k: v for k, v in expected.items() if k}
    assert all(hop in graph[0] for _, hop in found.values())
    one = found[7][1]
    database.install(Lsa(one, FIRST_SEQUENCE + 1, 0, ()), SECOND)
    database.find_paths(0)
    assert database.ways[7][1] != one


@pytest.mark.parametrize("costs", [1, 3, 40])
@pytest.mark.parametrize("changes", [1, 4])
def test_mended_paths_are_those_that_dijkstra_finds(costs: int, changes: int) -> None:
    graph, rng = nx.random_regular_graph(4, 100, seed=7), Random(costs)
    for _, _, data in graph.edges(data=True):
        data["weight"] = rng.randint(1, costs)
    database, sequence, moved = Database(), FIRST_SEQUENCE, 0

    def tell(*routers: int) -> None:
        nonlocal sequence
        for router in routers:
            sequence += 1
            links = tuple((other, graph[router][other]["weight"]) for other in sorted(graph[router]))
            database.install(Lsa(router, sequence, 0, links), 0)

    tell(*graph)
    database.find_paths(0)
    for _ in range(150):
        for _ in range(changes):
            a, b = rng.sample(sorted(graph), 2)
            if graph.has_edge(a, b) and rng.random() < 0.7:
                graph.remove_edge(a, b)
            else:
                a, b = rng.choice(sorted(graph.edges)) if rng.random() < 0.5 else (a, b)
                graph.add_edge(a, b, weight=rng.randint(1, costs))
            if rng.random() < 0.5:
                a, b = rng.choice(sorted(graph.edges))
                graph.remove_edge(a, b)
            # Perhaps only one end has sent its LSA yet.
            tell(*rng.sample((a, b), rng.randint(1, 2)))
        before = dict(database.ways)
        changed = database.update_paths(0)
        mended = dict(database.ways)
        database.find_paths(0)
        assert mended == database.ways
        assert changed == (mended != before)
        moved += changed
    assert moved > 20


@pytest.mark.parametrize("routers", [5, 40])
def test_an_lsa_that_has_reached_max_age_counts_no_more(routers: int) -> None:
    """Routers in a line; with many of them the paths are mended, with few computed anew."""
    database = Database()
    for router in range(routers):
        links = tuple((other, 1) for other in (router - 1, router + 1) if 0 <= other < routers)
        database.install(Lsa(router, FIRST_SEQUENCE, 0, links, (lan_of(router),)), 0)
    database.update_paths(0)
    assert set(database.ways) == set(range(1, routers))
    aged = database.stored[2].lsa._replace(age_s=MAX_AGE_S)
    assert database.install(aged, SECOND)
    assert database.update_paths(0)
    assert set(database.ways) == {1}
    assert database.attached(1) == (lan_of(1),)
    assert database.attached(2) == ()
    database.find_paths(0)
    assert set(database.ways) == {1}


def test_which_lsa_is_more_recent() -> None:
    old = Lsa(1, 5, 100, ())
    assert compare(old, None) == "newer"
    assert compare(old._replace(sequence=6), old) == "newer"
    assert compare(old._replace(sequence=4), old) == "older"
    assert compare(old._replace(age_s=MAX_AGE_S), old) == "newer"
    assert compare(old._replace(age_s=101), old) == "same"
    database = Database()
    database.install(old, 0)
    assert database.get(1, 50 * SECOND) == old._replace(age_s=150)
    assert database.expire(MAX_AGE_S * SECOND) == [1]


def hierarchy(n: int, seed: int) -> dict[int, dict[int, Relation]]:
    """Each system but the first three, which are peers, has one to three providers among those before it."""
    rng = Random(seed)
    links: dict[int, dict[int, Relation]] = {system: {} for system in range(n)}
    for a, b in ((0, 1), (0, 2), (1, 2)):
        links[a][b] = links[b][a] = "peer"
    for system in range(3, n):
        for provider in rng.sample(range(system), min(system, rng.randrange(1, 4))):
            links[system][provider], links[provider][system] = "provider", "customer"
    for _ in range(n // 3):
        a, b = rng.sample(range(3, n), 2)
        if b not in links[a]:
            links[a][b] = links[b][a] = "peer"
    return links


def settle(links: dict[int, dict[int, Relation]], ribs: dict[int, Rib], prefix: Prefix, first: list[int]) -> None:
    waiting = list(first)
    for _ in range(100_000):
        if not waiting:
            return
        system = waiting.pop(0)
        for neighbour, relation in links[system].items():
            path = ribs[system].told_to(neighbour, relation, prefix)
            if ribs[neighbour].update(system, REVERSE[relation], prefix, path) and neighbour not in waiting:
                waiting.append(neighbour)
    raise AssertionError("the systems do not come to rest")


@pytest.mark.parametrize("seed", range(4))
def test_with_the_policies_of_gao_and_rexford_all_come_to_rest_on_valley_free_paths_without_loops(seed: int) -> None:
    links = hierarchy(60, seed)
    ribs = {system: Rib(system) for system in links}
    prefix = prefix_of("10.7.0.0/16")
    ribs[40].announce(prefix)
    settle(links, ribs, prefix, [40])
    for system, rib in ribs.items():
        route = rib.route(prefix)
        assert route is not None
        path = (system, *route.path)
        assert len(set(path)) == len(path)
        assert path[-1] == 40
        assert valley_free(links[a][b] for a, b in itertools.pairwise(path)), path


def test_a_hijack_of_the_same_prefix_takes_a_part_and_of_a_more_specific_one_all() -> None:
    links = hierarchy(60, 1)
    ribs = {system: Rib(system) for system in links}
    prefix, inside = prefix_of("10.7.0.0/16"), prefix_of("10.7.3.0/24")
    address = (inside >> 6) + 5
    ribs[40].announce(prefix)
    settle(links, ribs, prefix, [40])

    def end_of(system: int) -> int:
        for _ in range(100):
            hop = ribs[system].next_hop(address)
            assert hop is not None
            if hop == HERE:
                return system
            system = hop
        raise AssertionError("a loop")

    ribs[50].announce(prefix)
    settle(links, ribs, prefix, [50])
    followers = sum(end_of(system) == 50 for system in links)
    assert 1 < followers < 59
    ribs[50].withdraw(prefix)
    settle(links, ribs, prefix, [50])
    assert sum(end_of(system) == 50 for system in links) == 0
    ribs[50].announce(inside)
    settle(links, ribs, inside, [50])
    assert sum(end_of(system) == 50 for system in links) == 60


@pytest.mark.parametrize("text", ["10.0.0.0", "10.0.0/8", "10.0.0.0/33", "10.0.0.300/8", "10.0.0.1/8", "a.b.c.d/8", ""])
def test_a_text_that_is_no_prefix_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"prefix|bits"):
        prefix_of(text)
