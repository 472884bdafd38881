"""What is measured over time: the success of asks, the load, the components of the overlay, wrong beliefs."""

from __future__ import annotations

import math
import tracemalloc

import networkx as nx
import numpy as np
import pytest
from tiny import SECOND, make_swarm

from engine import (
    AskFor,
    Censor,
    Expect,
    Heal,
    Kill,
    Partition,
    PeerFailed,
    Poison,
    Publish,
    Revive,
    Setup,
    Swarm,
    check,
)
from engine.analysis.gauges import spread
from engine.analysis.graphs import components
from engine.measure.metrics import GAUGES, quantile
from engine.measure.timeseries import ROWS_MOST, TimeSeries
from engine.sim.rng import Stream

# --- the arithmetic --------------------------------------------------------------------------------------


def test_components_are_those_that_networkx_finds() -> None:
    for seed in range(12):
        rng = Stream(f"graph/{seed}")
        n, links = 60, [(rng.randrange(60), rng.randrange(60)) for _ in range(seed * 7)]
        graph = nx.Graph(links)
        graph.add_nodes_from(range(n))
        found = components(n, [a for a, _ in links], [b for _, b in links]).tolist()
        for part in nx.connected_components(graph):
            assert {found[node] for node in part} == {min(part)}


def test_a_long_line_is_one_component() -> None:
    n = 5_000
    order = list(range(n))
    Stream("line").shuffle(order)
    assert not components(n, order[:-1], order[1:]).any()
    assert components(3, [], []).tolist() == [0, 1, 2]


def test_skew_is_0_if_all_get_as_many_and_almost_1_if_one_gets_all() -> None:
    assert spread(np.full(50, 7, np.float32)) == (7, 1, 0)
    mean, most, gini = spread(np.array([0] * 99 + [300], np.float32))
    assert (mean, most, gini) == (3, 100, pytest.approx(0.99))
    assert spread(np.array([1, 2, 3, 4], np.float32))[2] == pytest.approx(0.25)
    assert [math.isnan(value) for value in spread(np.zeros(4, np.float32))] == [False, True, True]
    assert all(math.isnan(value) for value in spread(np.zeros(0, np.float32)))


def test_quantiles_are_those_of_numpy() -> None:
    values = sorted(Stream("values").uniform(0, 10) for _ in range(41))
    for share in (0.0, 0.25, 0.5, 0.95, 1.0):
        assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)), abs=1e-6)
    assert quantile([], 0.5) is None
    assert quantile([3.0], 0.95) == 3.0


# --- over time -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("samples", "per_row"), [(ROWS_MOST - 1, 1), (ROWS_MOST + 7, 2), (2 * ROWS_MOST + 5, 4)])
def test_a_long_series_grows_coarser_and_no_sample_is_counted_twice(samples: int, per_row: int) -> None:
    history = TimeSeries(("n", "odd"))
    for second in range(1, samples + 1):
        history.add(second, (second, math.nan if second % 2 else 1.0))
    series = history.series()
    rows, left = divmod(samples, per_row)
    assert len(series.t_s) == rows + bool(left) <= ROWS_MOST
    ends = np.arange(per_row, samples + 1, per_row)
    assert series.t_s.tolist() == [*ends.tolist(), *[samples] * bool(left)], "a row has the time of its last sample"
    assert series.columns["n"][:rows].tolist() == (ends - (per_row - 1) / 2).tolist(), "and is the mean of all of them"
    if left:
        assert series.columns["n"][-1] == np.mean(np.arange(samples - left + 1, samples + 1))
    if per_row > 1:
        assert set(series.columns["odd"][:rows].tolist()) == {1.0}, "what was not measured does not count"


def test_a_series_beside_another_has_its_rows_and_takes_what_a_copy_has_measured() -> None:
    one, copy = TimeSeries(("n",)), TimeSeries(("n",))
    first = TimeSeries(("m",), beside=one)
    for second in range(1, 31):
        one.add(second, (0.0,))
        first.add(second, (second,))
        if second <= 20:
            copy.add(second, (0.0,))
    second_one = TimeSeries((), beside=copy)
    second_one.add_column("m")
    second_one.take_over(first, 15.0)
    second_one.add_column("k", zero_from_s=18.0)
    for second in range(21, 6_001):
        copy.add(second, (0.0,))
        second_one.add(second, (second, 1.0))
    table, base = second_one.series(), copy.series()
    assert table.t_s.tolist() == base.t_s.tolist()
    pairs = dict(zip(table.t_s.tolist(), table.columns["m"].tolist(), strict=True))
    assert [pairs[2], pairs[14], pairs[22], pairs[6_000]] == [1.5, 13.5, 21.5, 5_999.5]
    assert math.isnan(pairs[18])
    counts = dict(zip(table.t_s.tolist(), table.columns["k"].tolist(), strict=True))
    assert [math.isnan(counts[18]), counts[20], counts[22]] == [True, 0.0, 1.0]


def test_memory_is_bounded_however_long_a_run_is() -> None:
    sizes = []
    tracemalloc.start()
    history = TimeSeries([f"column {n}" for n in range(30)])
    row = [1.0] * 30
    for number in range(2 * ROWS_MOST + 2):
        history.add(number, row)
        if number in (ROWS_MOST + 1, 2 * ROWS_MOST + 1):
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[1] <= sizes[0] * 1.05
    assert history.series() is history.series(), "a frame costs nothing while no sample comes"


# --- of a swarm ------------------------------------------------------------------------------------------


def last(swarm: Swarm, name: str) -> float:
    return float(swarm.snapshot().series.columns[name][-1])


def test_a_ring_falls_apart_as_it_is_cut() -> None:
    swarm = make_swarm(12, topology="ring")
    swarm.advance(SECOND)
    assert (last(swarm, "components"), last(swarm, "largest_component")) == (1, 1)
    swarm.do(Kill((0, 4)))
    swarm.advance(2 * SECOND)
    assert last(swarm, "components") == 2
    assert last(swarm, "largest_component") == pytest.approx(7 / 10)
    swarm.do(Censor(8))
    swarm.advance(3 * SECOND)
    assert last(swarm, "components") == 4, "a censored peer lives, on its own"
    swarm.do(Partition((1, 2)))
    swarm.advance(4 * SECOND)
    assert last(swarm, "components") == 5
    swarm.do(Heal())
    swarm.advance(5 * SECOND)
    assert last(swarm, "components") == 4


def test_what_peers_believe_of_the_dead_is_wrong() -> None:
    swarm = Swarm(Setup(peers=40, topology="random:4", asks_per_s=0.0, seed=2))
    swarm.advance(20 * SECOND)
    assert last(swarm, "belief_error") == 0
    dead = [peer for peer in range(40) if peer % 2]
    swarm.do(Kill(dead))
    swarm.advance(21 * SECOND)
    assert last(swarm, "belief_error") > 0
    known = [other for p in range(40) if (program := swarm.peer(p)) for other in program.beliefs().known]
    truth = sum(other in dead for other in known) / len(known)
    swarm.advance(24 * SECOND)
    assert last(swarm, "belief_error") == pytest.approx(truth, abs=0.15)
    swarm.do(Revive("all"))
    swarm.advance(60 * SECOND)
    assert last(swarm, "belief_error") == 0


def test_a_network_without_links_has_no_such_figures() -> None:
    swarm = Swarm(Setup(protocol="gossip", peers=10, asks_per_s=1.0))
    swarm.advance(20 * SECOND)
    for name in ("components", "largest_component", "first_hit_s"):
        assert math.isnan(last(swarm, name))
    assert last(swarm, "success") > 0.8, "the share that heard"
    assert last(swarm, "belief_error") == 0, "all on the list are alive"
    assert last(swarm, "reach") > 5
    assert 0 < last(swarm, "load_gini") < 1


def test_a_peer_that_fails_to_say_what_it_believes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    swarm = Swarm(Setup(peers=4))

    def beliefs(peer: object) -> None:
        raise ValueError("nothing")

    monkeypatch.setattr(swarm.simulation.program, "beliefs", beliefs)
    with pytest.raises(PeerFailed, match="beliefs"):
        swarm.advance(2 * SECOND)


def test_bytes_are_told_by_kind_and_sum_to_what_was_delivered() -> None:
    swarm = Swarm(Setup(peers=30, asks_per_s=2.0))
    swarm.advance(30 * SECOND)
    columns = swarm.series().columns
    kinds = [name for name in columns if name.startswith("bytes_per_s.")]
    assert {"bytes_per_s.Query", "bytes_per_s.QueryHit", "bytes_per_s.Chunk"} <= set(kinds)
    delivered = sum(float(columns[name].sum()) for name in kinds)
    sent = float(columns["bytes_per_s"].sum())
    assert 0.9 * sent < delivered <= sent
    assert columns["bytes_per_s.Query"].sum() > 0


def test_first_hits_and_reach_are_those_of_the_accounts() -> None:
    swarm = Swarm(Setup(peers=60, asks_per_s=3.0, seed=4))
    swarm.advance(45 * SECOND)
    rows = [row for row in swarm.asks() if row.issued_us >= 15 * SECOND]
    firsts = [row.first_hit_us / 1e6 for row in rows if row.first_hit_us is not None]
    fared = swarm.asked(15, 45)
    assert fared.asks == len(rows)
    assert fared.first_hit_s == pytest.approx(float(np.median(firsts)), abs=1e-6)
    assert fared.first_hit_p95_s == pytest.approx(float(np.quantile(firsts, 0.95)), abs=1e-6)
    assert last(swarm, "first_hit_s") == pytest.approx(fared.first_hit_s)
    assert fared.reach is not None
    assert 40 < fared.reach <= 59


def test_decoys_are_counted_when_they_are_noticed() -> None:
    swarm = Swarm(Setup(peers=10, asks_per_s=0.0))
    swarm.do(Poison((4, 5)))
    swarm.do(AskFor(0, "no such thing"))
    swarm.advance(120 * SECOND)
    assert float(swarm.series().columns["decoys_per_s"].sum()) == 2


def test_looking_changes_nothing() -> None:
    seen, unseen = (Swarm(Setup(peers=40, asks_per_s=3.0, churn="exponential:20")) for _ in range(2))
    for second in range(1, 25):
        seen.advance(second * SECOND)
        seen.series()
        seen.asked(0, second)
        seen.workload.gauges.read(seen.simulation.metrics.load)
    unseen.advance(24 * SECOND)
    assert seen.fingerprint() == unseen.fingerprint()


@pytest.fixture(scope="module")
def asked() -> Swarm:
    """A run of 35 s with forty peers that ask. Tests only read it."""
    swarm = Swarm(Setup(peers=40, asks_per_s=2.0))
    swarm.do(Publish(3, "blue train"))
    swarm.advance(35 * SECOND)
    return swarm


@pytest.mark.parametrize(
    ("metric", "low", "high"),
    [
        ("first_hit_s", 0.001, 1),
        ("first_hit_p95_s", 0.001, 2),
        ("reach", 20, 39),
        ("largest_component", 1, 1),
        ("components", 1, 1),
        ("belief_error", 0, 0),
        ("load_gini", 0.01, 0.9),
        ("load_max", 1, 40),
        ("dropped_per_s", 0, 0),
        ("decoys_per_s", 0, 0),
    ],
)
def test_a_scenario_may_expect_it(asked: Swarm, metric: str, low: float, high: float) -> None:
    told = check(asked, Expect(metric, 5, 20, min=low, max=high))
    assert told.held, told
    assert set(GAUGES) <= set(asked.snapshot().series.columns)
