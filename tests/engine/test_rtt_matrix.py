"""Matrices of measured round trips, and swarms with these latencies."""

from __future__ import annotations

import gzip
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine import Setup, Swarm
from engine.errors import InputError
from engine.world.latency import build
from engine.world.readers import rtt_matrix

PLANETLAB, WONDERNETWORK = "planetlab490_slice01.txt", "wondernetwork_222_avg_rtt_ms.txt"


def written(folder: Path, text: str) -> str:
    path = folder / "rtt.txt"
    path.write_text(text)
    return str(path)


def halved_and_rounded(delays_us: object, round_trips_ms: object) -> bool:
    """Whether delays (us) are whole milliseconds, at least one, and half the round trips (ms) within half a
    millisecond."""
    us, half_ms = np.asarray(delays_us), np.maximum(1, np.asarray(round_trips_ms) / 2)
    return bool((us % 1000 == 0).all() and (us >= 1000).all() and (abs(us / 1000 - half_ms) <= 0.5).all())


def test_one_way_is_half_of_the_round_trip_and_at_least_one_millisecond(tmp_path: Path) -> None:
    path = written(tmp_path, "# a comment\n0 121.4\t7\n\n90.9 0 0.2 # another\n7 1e2 3.7\n")
    assert rtt_matrix.read(path)[0].tolist() == [[1, 61, 4], [45, 1, 1], [4, 50, 2]]
    model = build(path, 3, 1)
    assert (model.pair_us(0, 1), model.pair_us(1, 0), model.pair_us(1, 2)) == (61_000, 45_000, 1_000)


def test_a_single_host_is_a_matrix(tmp_path: Path) -> None:
    model = build(written(tmp_path, "0"), 3, 1)
    assert (model.place, model.pair_us(0, 2)) == ([0, 0, 0], 1_000)


def test_peers_are_at_the_rows_of_their_ids_and_further_peers_at_random_rows(tmp_path: Path) -> None:
    path = written(tmp_path, "\n".join(" ".join("20" for _ in range(100)) for _ in range(100)))
    few, many, other = build(path, 70, 7), build(path, 400, 7), build(path, 400, 8)
    assert few.place == list(range(70))
    assert many.place[:100] == list(range(100))
    assert max(many.place) == 99
    assert len(set(many.place[100:])) > 80
    assert many.place[:300] == build(path, 300, 7).place != other.place[:300]


def test_rows_have_names_and_places_on_the_map(tmp_path: Path) -> None:
    path = written(tmp_path, "\n".join(" ".join("20" for _ in range(100)) for _ in range(100)))
    places = build(path, 400, 1).places
    assert (places.names[0], places.names[99], len(places.names)) == ("row 0", "row 99", 100)
    assert len(places.lat) == len(places.lon) == 100
    assert np.isfinite(places.lat).all()
    assert np.isfinite(places.lon).all()


def test_a_model_of_a_matrix_pickles(tmp_path: Path) -> None:
    model = build(written(tmp_path, "0 20\n40 0\n"), 5, 1)
    copy = pickle.loads(pickle.dumps(model))
    assert (copy.place, copy.table_us) == (model.place, model.table_us)


@pytest.mark.parametrize("name", [PLANETLAB, WONDERNETWORK])
def test_published_matrices_are_halved_and_rounded(measured: Callable[[str], Path], name: str) -> None:
    path = measured(name)
    round_trips_ms = np.loadtxt(path)
    rows = len(round_trips_ms)
    model = build(str(path), rows, 1)
    assert halved_and_rounded([[model.pair_us(a, b) for b in range(rows)] for a in range(rows)], round_trips_ms)


@pytest.mark.parametrize("name", [PLANETLAB, WONDERNETWORK])
def test_messages_take_the_measured_time(measured: Callable[[str], Path], name: str) -> None:
    path = measured(name)
    round_trips_ms = np.loadtxt(path)
    swarm = Swarm(Setup(peers=60, latency=str(path), asks_per_s=2.0))
    pairs: dict[tuple[int, int], int] = {}
    for _ in range(100):
        swarm.advance(swarm.now_us + 50_000)
        flight = swarm.snapshot().flight
        ways = (flight.arrives_us - flight.sent_us).tolist()
        pairs.update(zip(zip(flight.frm.tolist(), flight.to.tolist(), strict=True), ways, strict=True))
    assert len(pairs) > 100
    frm, to = zip(*pairs, strict=True)
    assert halved_and_rounded(list(pairs.values()), round_trips_ms[list(frm), list(to)])
    assert swarm.snapshot().fixed.place.tolist() == list(range(60))


def test_the_two_directions_of_a_link_may_differ(tmp_path: Path) -> None:
    path = written(tmp_path, "0 100\n300 0\n")
    swarm = Swarm(Setup(peers=2, topology="complete", latency=path, asks_per_s=5.0))
    seen: dict[tuple[int, int], int] = {}
    for _ in range(400):
        swarm.advance(swarm.now_us + 20_000)
        flight = swarm.snapshot().flight
        for frm, to, sent, arrives in zip(flight.frm, flight.to, flight.sent_us, flight.arrives_us, strict=True):
            seen[int(frm), int(to)] = int(arrives - sent)
    assert seen == {(0, 1): 50_000, (1, 0): 150_000}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no numbers in it"),
        ("# nothing but this\n\n", "no numbers in it"),
        ("0 1\n1 0 2\n", ":2: 3 values, but the first row has 2"),
        ("0 1 2\n\n1\n", ":3: 1 value, but the first row has 3"),
        ("0 1 2\n1 0 2\n", ":2: 2 rows of 3 values; expected as many rows"),
        ("0\n1\n", ":2: 2 rows of 1 value;"),
        ("0 1\n-2 0\n", ':2: value 1 should be a round trip .*, not "-2"'),
        ("0 nan\n- 0\n", "no round trip in it was measured"),
        ("0 1\n1 inf\n", ':2: value 2 .* not "inf"'),
        ("0 1\n1 1.#INF\n", ':2: value 2 .* not "inf"'),
        ("0 1\n1e400 0\n", 'not "1e400"'),
        ("0 1_0\n1 0\n", 'not "1_0"'),
        ("0 1300000\n1 0\n", "from 0 to 1,200,000"),
        ("0,1\n1,ten\n", ':2: value 2 .* not "ten"'),
        ("a b\nb a\n", ':1: value 1 .* not "a"'),
        ("0 1\n\0 0\n", ":2: binary data"),
        ("0 1\n\x1b[31m 0\n", r'not "\[31m"'),
        ("0 " * 4_001, ":1: 4,001 values in a row are more than the 4,000"),
    ],
)
def test_a_bad_matrix_is_refused_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError, match=words) as refused:
        build(path, 5, 1)
    assert str(refused.value).startswith(path)
    assert str(refused.value).isprintable()


def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtt_matrix, "ROWS_MAX", 3)
    with pytest.raises(InputError, match=":4: more than the 3 rows that are read"):
        build(written(tmp_path, "0 0 0\n" * 4), 5, 1)
    with pytest.raises(InputError, match=":1: 4 values in a row are more than the 3"):
        build(written(tmp_path, "0 0 0 0\n" * 4), 5, 1)
    assert rtt_matrix.read(written(tmp_path, "0 0 0\n" * 3))[0].shape == (3, 3)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no such file"):
        build(str(tmp_path / "missing"), 5, 1)
    with pytest.raises(InputError, match="no such file"):
        build("missing.txt", 5, 1)
    with pytest.raises(InputError, match="a directory"):
        build(str(tmp_path), 5, 1)
    torn = tmp_path / "rtt.gz"
    torn.write_bytes(b"\x1f\x8b\x08")
    with pytest.raises(InputError, match="gzip packing is broken"):
        build(str(torn), 5, 1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a plain file"):
        build(str(tmp_path / "pipe"), 5, 1)
    monkeypatch.setattr(rtt_matrix, "BYTES_MAX", 4)
    with pytest.raises(InputError, match="larger than"):
        build(written(tmp_path, "0 1\n1 0\n"), 5, 1)


def test_a_packed_matrix_is_read_under_any_name(tmp_path: Path) -> None:
    (tmp_path / "rtt").write_bytes(gzip.compress(b"0 20\n40 0\n"))
    assert rtt_matrix.read(str(tmp_path / "rtt"))[0].tolist() == [[1, 10], [20, 1]]


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "rtt.txt"
    path.write_bytes(b"\xef\xbb\xbf0 20\r\n40 0\r\n")
    assert rtt_matrix.read(str(path))[0].tolist() == [[1, 10], [20, 1]]
