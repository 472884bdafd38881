"""The cities of peers, and the delays between them."""

from __future__ import annotations

import pickle
import statistics
from collections import Counter

import pytest

from engine.errors import InputError
from engine.world.cities import CITIES
from engine.world.latency import Latency, build, distance_km


def peer_in(model: Latency, city: str) -> int:
    return next(peer for peer, at in enumerate(model.place) if model.places.names[at] == city)


def test_cities_cover_the_world_and_differ_in_name() -> None:
    assert len({name for name, *_ in CITIES}) == len(CITIES) >= 60
    assert all(-90 <= lat <= 90 and -180 <= lon <= 180 and weight > 0 for _, lat, lon, weight in CITIES)
    for south, west in ((False, False), (False, True), (True, False), (True, True)):
        assert any((lat < 0) == south and (lon < 0) == west for _, lat, lon, _ in CITIES)


def test_a_degree_of_the_equator_is_111_km() -> None:
    assert distance_km(0, 0, 0, 1) == pytest.approx(111.19, abs=0.01)
    assert distance_km(10, 20, 10, 20) == 0
    assert distance_km(0, 0, 0, 180) == pytest.approx(20015, abs=1)
    assert distance_km(0, 179.5, 0, -179.5) == pytest.approx(111.19, abs=0.01)


def test_the_city_of_a_peer_depends_on_seed_and_id_alone() -> None:
    world = build("world", 100, 7)
    assert world.place[:50] == build("constant:20", 50, 7).place
    assert world.place != build("world", 100, 8).place
    assert (len(world.places.names), len(world.places.lat)) == (len(CITIES), len(CITIES))


def test_cities_get_peers_by_their_weight() -> None:
    counts = Counter(build("world", 20_000, 1).place)
    total = sum(weight for *_, weight in CITIES)
    for at, (_, _, _, weight) in enumerate(CITIES):
        expected = 20_000 * weight / total
        assert abs(counts[at] - expected) < 5 * expected**0.5


def test_world_delays_agree_with_measurements() -> None:
    model = build("world", 3_000, 1)
    assert model.kind == "world"
    lisbon, madrid, sydney = (peer_in(model, city) for city in ("Lisbon", "Madrid", "Sydney"))
    # 502 km of fibre times 1.5, and two access networks: 9.8 ms.
    assert model.pair_us(lisbon, madrid) == model.pair_us(madrid, lisbon) == 10_000
    assert 130_000 < model.pair_us(lisbon, sydney) < 160_000
    assert model.table_us is not None
    table = model.table_us
    round_trips = [2 * table[a][b] / 1000 for a in range(len(table)) for b in range(a)]
    assert 130 <= statistics.median(round_trips) <= 150
    assert all(us % 1000 == 0 and us >= 1000 for row in table for us in row)


def test_constant_is_one_delay_and_keeps_fractions() -> None:
    assert build("constant:20", 5, 1).pair_us(0, 4) == 20_000
    assert build("constant:0.5", 5, 1).flat_us == 500
    assert build("constant:0", 5, 1).flat_us == 1


@pytest.mark.parametrize("spec", ["uniform:10-200", "uniform:1-600000", "uniform:7-7", "world", "constant:3"])
def test_many_pairs_in_one_pass_have_the_delays_of_each(spec: str) -> None:
    model = build(spec, 60, 3)
    near = [tuple((peer * step + 1) % 60 for step in range(peer % 7)) for peer in range(60)]
    assert list(model.pairs_us(near)) == [[model.pair_us(peer, other) for other in near[peer]] for peer in range(60)]


def test_uniform_has_one_delay_per_pair_in_whole_milliseconds() -> None:
    model, again, other = (build("uniform:20-200", 100, seed) for seed in (1, 1, 2))
    pairs = [(a, b) for a in range(100) for b in range(a)]
    delays = [model.pair_us(a, b) for a, b in pairs]
    assert delays == [model.pair_us(b, a) for a, b in pairs]
    assert delays[::-1] == [again.pair_us(a, b) for a, b in reversed(pairs)]
    assert delays != [other.pair_us(a, b) for a, b in pairs]
    assert (min(delays), max(delays)) == (20_000, 200_000)
    assert all(us % 1000 == 0 for us in delays)
    # 4,950 draws, standard deviation 52 ms: the mean is within four standard errors.
    assert abs(statistics.mean(delays) - 110_000) < 3_000
    assert build("uniform:0-0.4", 5, 1).pair_us(1, 2) == 1000


def test_a_model_pickles() -> None:
    for spec in ("world", "constant:3", "uniform:1-9"):
        model = build(spec, 30, 1)
        copy = pickle.loads(pickle.dumps(model))
        assert [copy.pair_us(3, b) for b in range(30)] == [model.pair_us(3, b) for b in range(30)]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("wrold", 'did you mean "world"'),
        ("", "is empty"),
        ("world:1", "should be written world"),
        ("constant", "constant:MS"),
        ("constant:fast", 'not "fast"'),
        ("constant:-1", "from 0"),
        ("constant:nan", "MS"),
        ("constant:700000", "600,000"),
        ("uniform:20", "uniform:MIN-MAX"),
        ("uniform:-5-10", "MIN"),
        ("uniform:9-3", "MIN should not be above MAX"),
        ("uniform:1-inf", "MAX"),
        ("slow", "is not known"),
        ("no/such/matrix.txt", "no such file"),
        ("\0", "not known"),
        ("no/\0", "cannot be read"),
    ],
)
def test_a_bad_spec_is_refused_in_one_sentence(spec: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build(spec, 5, 1)
