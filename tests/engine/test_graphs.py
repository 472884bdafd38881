"""Components, removal and betweenness: against networkx, and against the published figures of real crawls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analysis.graphs import betweenness, components
from engine.sim.rng import Stream
from engine.world.topology import Topology, build

pytestmark = pytest.mark.uncounted

SHARES = (0.01, 0.04, 0.10, 0.20, 0.25, 0.30, 0.40, 0.60, 0.80)
TARGETED = {
    "08": (0.9714, 0.9108, 0.7924, 0.5683, 0.4060, 0.1579, 0.0016, 0.0003, 0.0002),
    "04": (0.9781, 0.9293, 0.8258, 0.6290, 0.5069, 0.3571, 0.0017, 0.0003, 0.0001),
    "31": (0.9575, 0.8554, 0.6499, 0.1938, 0.0002, 0.0001, 0.0000, 0.0000, 0.0000),
}
"""Largest component over the original number of peers, when this share is removed in order of degree."""
AT_RANDOM = {
    "08": (0.9871, 0.9498, 0.8748, 0.7508, 0.6893, 0.6299, 0.5142, 0.2943, 0.0943),
    "04": (0.9877, 0.9508, 0.8784, 0.7580, 0.6984, 0.6406, 0.5264, 0.3115, 0.1110),
    "31": (0.9851, 0.9414, 0.8565, 0.7206, 0.6552, 0.5914, 0.4704, 0.2525, 0.0713),
}
"""The same at random, as a mean of ten."""
RUNS = 6


def oracle(graph: Topology) -> nx.Graph:
    made = nx.Graph()
    made.add_nodes_from(range(graph.n))
    made.add_edges_from(zip(graph.a.tolist(), graph.b.tolist(), strict=True))
    return made


def largest(n: int, a: np.ndarray, b: np.ndarray, living: np.ndarray | None = None) -> int:
    """Peers in the largest component."""
    numbers = components(n, a, b, living)
    return int(np.bincount(numbers[numbers >= 0], minlength=1).max())


def degrees(n: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.bincount(a, minlength=n) + np.bincount(b, minlength=n)


def removal(n: int, a: np.ndarray, b: np.ndarray, order: np.ndarray | list[int]) -> list[float]:
    """The largest component over n, for each of `SHARES` of the peers removed in this order."""
    left = []
    for share in SHARES:
        living = np.ones(n, np.bool_)
        living[np.asarray(order)[: int(n * share + 0.5)]] = False
        left.append(largest(n, a, b, living) / n)
    return left


def drawn(spec: str, n: int) -> Topology:
    return build(spec, n, Stream(f"{spec} {n}"))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, np.ndarray, np.ndarray]:
    n = draw(st.integers(1, 12))
    pairs = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=20))
    some = sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})
    ends = np.array(some, np.int32).reshape(-1, 2)
    return n, ends[:, 0], ends[:, 1]


@settings(deadline=None)
@given(graphs(), st.data())
def test_components_are_those_of_networkx(graph: tuple[int, np.ndarray, np.ndarray], data: st.DataObject) -> None:
    n, a, b = graph
    living = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), np.bool_)
    other = oracle(Topology(n, a, b)).subgraph(np.flatnonzero(living).tolist())
    parts = sorted((sorted(part) for part in nx.connected_components(other)), key=lambda part: part[0])
    named = components(n, a, b, living)
    assert [np.flatnonzero(named == part[0]).tolist() for part in parts] == parts
    assert (named[~living] == -1).all()


@settings(deadline=None)
@given(graphs())
def test_betweenness_is_that_of_networkx(graph: tuple[int, np.ndarray, np.ndarray]) -> None:
    n, a, b = graph
    right = nx.betweenness_centrality(oracle(Topology(n, a, b)), normalized=False)
    assert betweenness(n, a, b).tolist() == pytest.approx([right[peer] for peer in range(n)])


@pytest.mark.parametrize("spec", ["random:4", "scale-free:2", "small-world:6:0.1", "tree:3", "ring"])
def test_betweenness_of_a_swarm_too(spec: str) -> None:
    graph = drawn(spec, 150)
    right = nx.betweenness_centrality(oracle(graph), normalized=False)
    assert betweenness(150, graph.a, graph.b).tolist() == pytest.approx([right[peer] for peer in range(150)])


def test_in_a_large_swarm_a_sample_of_sources_is_enough() -> None:
    graph = drawn("scale-free:2", 600)
    exact = betweenness(600, graph.a, graph.b, sources=600)
    some = betweenness(600, graph.a, graph.b, sources=200)
    assert np.array_equal(some, betweenness(600, graph.a, graph.b, sources=200)), "always the same"
    top = set(np.argsort(-exact)[:10].tolist())
    assert len(top & set(np.argsort(-some)[:10].tolist())) >= 8
    assert some.sum() == pytest.approx(exact.sum(), rel=0.05)


def test_a_bridge_is_between_where_it_has_few_links() -> None:
    """Two cliques and one peer between them, which has few links: all paths from one clique to the other go through
    it."""
    pairs = [(x, y) for x in range(5) for y in range(x)] + [(x, y) for x in range(6, 11) for y in range(6, x)]
    pairs += [(0, 5), (5, 6)]
    ends = np.array(pairs, np.int32)
    a, b = ends.min(axis=1), ends.max(axis=1)
    assert betweenness(11, a, b)[5] == betweenness(11, a, b).max() == 25
    assert degrees(11, a, b)[5] == degrees(11, a, b).min() == 2


def test_nobody_is_between_where_nothing_is_linked() -> None:
    none = np.zeros(0, np.int32)
    assert betweenness(3, none, none).tolist() == [0, 0, 0]
    assert components(3, none, none).tolist() == [0, 1, 2]


def test_a_long_chain_is_one_component() -> None:
    n = 20_000
    order = np.array(Stream("chain").sample(range(n), n), np.int32)
    assert largest(n, order[:-1], order[1:]) == n


@pytest.mark.parametrize("number", ["08", "04", "31"])
def test_removal_from_a_crawl_is_as_published(crawl: Callable[[str], Path], number: str) -> None:
    graph = build(str(crawl(number)), 1, Stream(""))
    n, a, b = graph.n, graph.a, graph.b
    by_degree = np.argsort(-degrees(n, a, b), kind="stable")
    assert [round(x, 4) for x in removal(n, a, b, by_degree)] == list(TARGETED[number])
    runs = [removal(n, a, b, Stream(f"{number}/{seed}").sample(range(n), n)) for seed in range(RUNS)]
    table = np.array(runs)
    # Both are means, the published one of ten runs. Each has a sampling error, which is estimated from our runs.
    error = table.std(axis=0, ddof=1) * np.sqrt(1 / RUNS + 1 / 10) + 0.0001
    assert (np.abs(table.mean(axis=0) - AT_RANDOM[number]) < 4 * error).all()
    assert largest(n, a, b) == {"08": 6_299, "04": 10_876, "31": 62_561}[number]
