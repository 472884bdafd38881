"""Minimum cuts: the smallest set that separates a node from others, compared with networkx, and in each network."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import ask, give, make_swarm

from engine import AskFor, Censor, Collude, Kill, Setup, Swarm, networks
from engine.analysis.min_cut import bounded_cut, vertex_cut
from engine.protocols.bitcoin import Node

SECOND = 1_000_000


@st.composite
def cases(draw: st.DrawFn) -> tuple[nx.Graph, list[int]]:
    n = draw(st.integers(2, 12))
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda pair: pair[0] != pair[1])
    graph = nx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(draw(st.lists(pairs, max_size=40)))
    return graph, draw(st.lists(st.integers(1, n - 1), min_size=1, max_size=4, unique=True))


@settings(max_examples=100, deadline=None)
@given(cases())
def test_the_cut_separates_them_and_is_as_small_as_possible(case: tuple[nx.Graph, list[int]]) -> None:
    graph, goals = case
    cut = vertex_cut([list(graph[v]) for v in range(len(graph))], 0, goals)
    left = graph.copy()
    left.remove_nodes_from(cut)
    assert not any(goal in left and nx.has_path(left, 0, goal) for goal in goals)
    behind = graph.copy()
    behind.add_edges_from((goal, "behind") for goal in goals)
    least = nx.minimum_node_cut(behind, 0, "behind") if nx.has_path(behind, 0, "behind") else ()
    assert len(cut) == len(least)


def test_of_several_smallest_cuts_it_is_the_one_nearest_to_the_asker() -> None:
    chain = [[1], [0, 2], [1, 3], [2]]
    assert vertex_cut(chain, 0, [3]) == (1,)


def test_a_node_on_both_sides_cannot_be_cut_off() -> None:
    with pytest.raises(ValueError, match="both sides"):
        vertex_cut([[1], [0]], 0, [0])


def running(protocol: str, **changes: object) -> tuple[Swarm, str]:
    swarm = Swarm(Setup(**{"protocol": protocol, "seed": 7, "asks_per_s": 0.0} | changes))  # type: ignore[arg-type]
    swarm.advance(5 * SECOND)
    return swarm, swarm.catalogue_titles(1)[0]


def asker(swarm: Swarm, text: str) -> int:
    return next(p for p in range(64) if not swarm.library(p).matching(text))


def test_napster_is_one_peer_and_the_web_is_one() -> None:
    for protocol, station in (("napster", "index"), ("web", "server")):
        swarm, text = running(protocol)
        found = swarm.min_cut(asker(swarm, text), text)
        assert [swarm.labels[p] for p in found.peers] == [station]
        assert found.sentence.startswith(f"Silencing 1 peer ({station}) cuts p")


@pytest.mark.parametrize("protocol", ["gnutella", "napster"])
def test_censoring_the_set_silences_the_asker_and_sparing_one_of_them_does_not(protocol: str) -> None:
    swarm, text = running(protocol)
    origin = asker(swarm, text)
    found = swarm.min_cut(origin, text)
    for spared in found.peers:
        again, _ = running(protocol)
        again.do(Censor([p for p in found.peers if p != spared]))
        again.do(AskFor(origin, text))
        again.advance(20 * SECOND)
        assert again.record(1).hits > 0
    swarm.do(Censor(found.peers))
    swarm.do(AskFor(origin, text))
    swarm.advance(20 * SECOND)
    assert swarm.record(1).hits == 0


def test_where_nobody_keeps_connections_it_says_so() -> None:
    swarm, _ = running("gossip")
    found = swarm.min_cut(3, "fire")
    assert not found.peers
    assert "No connections are kept here" in found.sentence


def test_a_payment_is_told_over_connections_for_transactions_and_these_are_enough_to_silence() -> None:
    swarm, _ = running("bitcoin")
    node = swarm.peer(21)
    assert isinstance(node, Node)
    full = [one.peer for one in (*node.outs, *node.ins)]
    others = set(node.connections) - set(full)
    assert others, "some connections are for blocks alone"
    assert swarm.min_cut(21, "a coffee").sentence.startswith(f"p021 tells its {len(full)} neighbours (")
    for silenced, reached in ((full, False), (full[1:], True)):
        again, _ = running("bitcoin")
        again.do(Censor(silenced))
        again.do(AskFor(21, "a coffee"))
        again.advance(60 * SECOND)
        assert (again.record(1).reached > 0) == reached
    swarm.do(Censor(full))
    nobody = "p021 has no neighbour that is up and would pass it on: nobody else would hear of it."
    assert swarm.min_cut(21, "a coffee").sentence == nobody


def test_one_that_has_lost_its_last_neighbour_does_not_tell_all_at_random() -> None:
    swarm, _ = running("averaging")
    swarm.do(Kill(swarm.links_of(21)))
    swarm.advance(swarm.now_us + SECOND)
    assert not swarm.links_of(21)
    nobody = "p021 has no neighbour that is up and would pass it on: nobody else would hear of it."
    assert swarm.min_cut(21, "mean load").sentence == nobody


def test_there_is_not_always_something_to_cut() -> None:
    swarm, text = running("gnutella")
    origin = asker(swarm, text)
    assert "no peer left to silence" in swarm.min_cut(origin, "nobody has this").sentence
    holder = next(p for p in range(64) if swarm.library(p).matching(text))
    assert "itself" in swarm.min_cut(holder, text).sentence
    swarm.do(Censor(origin))
    assert "silenced already" in swarm.min_cut(origin, text).sentence


def test_one_without_any_link_is_cut_off_already() -> None:
    swarm = make_swarm(3, topology="ring")
    give(swarm, 1, "blue train")
    swarm.do(Kill([1, 2]))
    assert "no peer left" in swarm.min_cut(0, "blue train").sentence


@pytest.mark.parametrize(("protocol", "station"), [("web", "server"), ("volunteer", "project")])
def test_where_a_server_has_everything_it_is_said_that_it_is_down_and_not_that_nobody_has_the_text(
    protocol: str, station: str
) -> None:
    swarm, _ = running(protocol)
    cut = swarm.min_cut(21, "tape 01mr11")
    assert [swarm.labels[p] for p in cut.peers] == [station]
    swarm.do(Censor(cut.peers))
    told = swarm.min_cut(21, "tape 01mr11").sentence
    assert told == f"No {station} is up and would answer: p021 is cut off from “tape 01mr11” already."
    swarm.do(AskFor(21, "tape 01mr11"))
    swarm.advance(60 * SECOND)
    assert swarm.record(1).hits == 0


def test_only_those_that_a_question_reaches_count() -> None:
    options = {"ttl": 3}
    swarm = make_swarm(20, topology="ring", options=options)
    give(swarm, 2, "blue train")
    give(swarm, 8, "blue train")
    found = swarm.min_cut(0, "blue train")
    assert (found.peers, found.holders) == ((1,), (2,)), "the holder 8 hops away does not answer anyhow"
    far = make_swarm(20, topology="ring", options=options)
    give(far, 8, "blue train")
    found = far.min_cut(0, "blue train")
    assert (found.peers, found.holders) == ((), (8,))
    assert "8 hops away from p000 and a question travels 3" in found.sentence


def test_who_suppresses_the_title_is_silent_already() -> None:
    swarm, text = running("gnutella")
    origin = asker(swarm, text)
    before = swarm.min_cut(origin, text)
    swarm.do(Collude([before.peers[0]], text))
    assert before.peers[0] not in swarm.min_cut(origin, text).peers


def test_looking_changes_nothing() -> None:
    swarm, text = running("gnutella", asks_per_s=1.0)
    twin, _ = running("gnutella", asks_per_s=1.0)
    swarm.min_cut(asker(swarm, text), text)
    ask(swarm, 5, text)
    ask(twin, 5, text)
    assert swarm.fingerprint() == twin.fingerprint()


@st.composite
def short_cases(draw: st.DrawFn) -> tuple[nx.Graph, list[int], int]:
    graph, goals = draw(cases())
    return graph, goals, draw(st.integers(1, 5))


@settings(max_examples=60, deadline=None)
@given(short_cases())
def test_of_paths_of_limited_length_the_fewest_are_found(case: tuple[nx.Graph, list[int], int]) -> None:
    graph, goals, longest = case
    near = [list(graph[v]) for v in range(len(graph))]

    def heard(without: Iterable[int]) -> bool:
        left = graph.copy()
        left.remove_nodes_from(without)
        away = nx.single_source_shortest_path_length(left, 0, cutoff=longest)
        return any(goal in away for goal in goals)

    cut, exact = bounded_cut(near, 0, goals, longest)
    assert exact
    assert not heard(cut)
    assert not cut or all(heard(fewer) for fewer in combinations(range(1, len(graph)), len(cut) - 1))


def test_within_a_budget_the_cut_may_be_too_large_and_says_so() -> None:
    graph = nx.random_regular_graph(6, 60, seed=3)
    near = [list(graph[v]) for v in range(60)]
    goals = [p for p in range(1, 60) if p not in near[0]][:20]
    cut, exact = bounded_cut(near, 0, goals, 3, budget=1)
    assert not exact
    graph.remove_nodes_from(cut)
    away = nx.single_source_shortest_path_length(graph, 0, cutoff=3)
    assert not any(goal in away for goal in goals)


def sharing_networks() -> list[str]:
    """All networks whose users download what others share."""
    downloads = {"fetch", "download"}
    return [name for name, kind in networks().items() if kind.shares_files and downloads & {g.name for g in kind.goals}]


def fetching(swarm: Swarm) -> str:
    """The goal that downloads."""
    goals = swarm.simulation.program.goals
    return next(goal.name for goal in goals if goal.name in ("fetch", "download"))


def test_the_networks_with_downloads_are_found() -> None:
    assert sharing_networks() == ["bittorrent", "gnutella", "kazaa", "limewire", "napster"]


@pytest.mark.parametrize("protocol", sharing_networks())
def test_what_an_ask_brought_does_not_count_when_it_is_judged(protocol: str) -> None:
    swarm, text = running(protocol)
    origin = asker(swarm, text)
    before = swarm.min_cut(origin, text)
    swarm.do(AskFor(origin, text, fetching(swarm)))
    while not swarm.library(origin).matching(text):  # the download, which takes ten minutes over a modem
        assert swarm.now_us < 3_000 * SECOND
        swarm.advance(swarm.now_us + (SECOND // 2 if swarm.now_us < 20 * SECOND else 30 * SECOND))
        during = swarm.min_cut(origin, text)
        assert during.peers == before.peers
        assert during.sentence.startswith(before.sentence)
    after = swarm.min_cut(origin, text)
    assert after.peers == before.peers
    assert after.sentence == f"{before.sentence} Not counted: the copy that {swarm.labels[origin]} has downloaded."


def test_a_stream_that_carries_a_file_is_no_way_for_a_search() -> None:
    swarm, text = running("napster")
    origin = asker(swarm, text)
    swarm.do(AskFor(origin, text, "fetch"))
    while len(swarm.links_of(origin)) < 2:
        swarm.advance(swarm.now_us + SECOND // 10)
    assert [swarm.labels[p] for p in swarm.min_cut(origin, text).peers] == ["index"]
