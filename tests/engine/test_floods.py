"""Floods cost and reach exactly what the closed forms say: on real crawls, and in Ritter's tree."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from floods import NOBODY_HAS_IT, Crawl, flood, ritter, still

pytestmark = pytest.mark.uncounted

TTLS = (*range(1, 8), 12)
"""Those of the specification, and one that is larger than the diameter of every crawl."""

PUBLISHED = {
    2: (2, 4, 6, 8, 10, 12, 14, 16),
    3: (3, 9, 21, 45, 93, 189, 381, 765),
    4: (4, 16, 52, 160, 484, 1_456, 4_372, 13_120),
    5: (5, 25, 105, 425, 1_705, 6_825, 27_305, 109_225),
    6: (6, 36, 186, 936, 4_686, 23_436, 117_186, 585_936),
    7: (7, 49, 301, 1_813, 10_885, 65_317, 391_909, 2_351_461),
    8: (8, 64, 456, 3_200, 22_408, 156_864, 1_098_056, 7_686_400),
}
"""Ritter's table: a row for each degree, a column for each TTL from 1 to 8."""


@pytest.fixture(scope="module")
def crawl_08(crawl: Callable[[str], Path]) -> Crawl:
    return Crawl.read(crawl("08"))


def test_every_flood_of_a_crawl_costs_and_reaches_the_closed_form(crawl_08: Crawl) -> None:
    swarm = still(crawl_08.path)
    for source in (*crawl_08.busiest(1), *crawl_08.spread(1)):
        assert flood(swarm, source, TTLS) == crawl_08.expected(source, TTLS)
    assert crawl_08.whole() == (6_298, 35_254)
    assert flood(swarm, crawl_08.busiest(1)[0], [12]) == [crawl_08.whole()]
    assert swarm.snapshot().totals.dropped == 0


@pytest.mark.campaign
@pytest.mark.parametrize(("number", "whole"), [("04", (10_875, 69_113)), ("31", (62_560, 233_196))])
def test_floods_of_the_larger_crawls_cost_and_reach_the_closed_form(
    crawl: Callable[[str], Path], number: str, whole: tuple[int, int]
) -> None:
    graph = Crawl.read(crawl(number))
    source = graph.spread(3)[1]
    swarm = still(graph.path)
    assert flood(swarm, source, [4, 12]) == [*graph.expected(source, [4]), whole]
    assert graph.whole() == whole


def test_who_is_outside_the_largest_component_reaches_only_its_own(crawl_08: Crawl) -> None:
    outside = next(node for node in range(len(crawl_08.near)) if node not in set(crawl_08.largest))
    assert flood(still(crawl_08.path), outside, [7]) == crawl_08.expected(outside, [7]) == [(1, 1)]


def test_the_formula_is_the_published_table() -> None:
    assert {n: tuple(ritter(n, ttl) for ttl in range(1, 9)) for n in PUBLISHED} == PUBLISHED


@pytest.mark.parametrize("degree", PUBLISHED)
def test_a_flood_in_a_tree_reaches_ritters_number(degree: int) -> None:
    ttls = [ttl for ttl in range(1, 9) if ritter(degree, ttl) <= 5_000]
    swarm = still(f"tree:{degree}", ritter(degree, ttls[-1]) + 1)
    # In a tree nothing comes twice: as many messages as peers.
    assert flood(swarm, 0, ttls) == [(reach, reach) for reach in PUBLISHED[degree][: len(ttls)]]


def test_a_flood_is_ended_by_the_ttl_and_not_by_the_end_of_the_tree() -> None:
    swarm = still("tree:4", ritter(4, 7) + 1)
    assert flood(swarm, 0, [2, 5]) == [(16, 16), (484, 484)]


def test_the_command_line_prints_the_same(crawl_08: Crawl) -> None:
    source = 0
    words = ["run", "--topology", str(crawl_08.path), "--latency", "constant:50", "--set", "ttl=5"]
    words += ["--ask", NOBODY_HAS_IT, "--from", f"#{source}", "--until", "quiet", "--json"]
    done = subprocess.run([sys.executable, "-m", "tui", *words], capture_output=True, text=True, check=True)
    [ask] = json.loads(done.stdout)["asks"]
    assert (ask["reached"], ask["messages"]) == crawl_08.expected(source, [5])[0]
    assert ask["from"] == str(crawl_08.ids[source])
