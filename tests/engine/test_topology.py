"""Overlays: generated ones have the properties of their kind, files with mistakes are refused."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.errors import InputError
from engine.sim import rng
from engine.sim.rng import Stream
from engine.world.readers import edge_list
from engine.world.topology import PEERS_MAX, Topology, build


def grow(spec: str, peers: int, seed: int = 1) -> Topology:
    return build(spec, peers, Stream(f"{seed}/topology"))


def reached(topology: Topology) -> int:
    near, seen, todo = topology.neighbours(), {0}, [0]
    while todo:
        fresh = [peer for peer in near[todo.pop()] if peer not in seen]
        seen.update(fresh)
        todo += fresh
    return len(seen)


def refusal(spec: str, peers: int = 64) -> str:
    with pytest.raises(InputError) as caught:
        grow(spec, peers)
    assert "\n" not in str(caught.value)
    return str(caught.value)


SPECS = ["random:4", "random:3.5", "small-world:4:0.2", "small-world:5:1", "scale-free:2", "ring", "complete", "tree:3"]


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("peers", [1, 2, 3, 4, 5, 17, 64, 200])
def test_every_overlay_is_a_simple_graph_in_which_each_peer_has_a_link(spec: str, peers: int) -> None:
    made = grow(spec, peers)
    assert made.n == peers
    assert made.a.dtype == made.b.dtype == np.int32
    assert (made.a < made.b).all()
    assert len(np.unique(made.a.astype(np.int64) * peers + made.b)) == len(made.a)
    assert peers == 1 or made.degrees().min() >= 1
    near = made.neighbours()
    assert all(row == sorted(row) for row in near)
    assert [len(row) for row in near] == made.degrees().tolist()
    assert all(peer in near[other] for peer in range(peers) for other in near[peer])


@pytest.mark.parametrize("spec", [s for s in SPECS if "small" not in s])
def test_generators_of_connected_overlays_are_correct(spec: str) -> None:
    for seed in range(20):
        assert reached(grow(spec, 64, seed)) == 64


def test_the_same_stream_gives_the_same_overlay_and_another_seed_another() -> None:
    first, again, other = grow("random:4", 64), grow("random:4", 64), grow("random:4", 64, seed=2)
    assert first.a.tolist() == again.a.tolist()
    assert first.b.tolist() == again.b.tolist()
    assert list(zip(first.a, first.b, strict=True)) != list(zip(other.a, other.b, strict=True))


def test_an_overlay_is_the_same_in_every_version() -> None:
    # Recorded once: a seed has to give the same overlay in later versions.
    made = grow("random:3", 8)
    assert made.a.tolist() == [0, 1, 1, 1, 1, 1, 2, 2, 3, 3, 3, 5]
    assert made.b.tolist() == [7, 2, 3, 5, 6, 7, 6, 7, 4, 6, 7, 7]


def test_vectorised_draws_are_those_of_the_stream_one_by_one() -> None:
    at_once, single = Stream("x"), Stream("x")
    assert rng.bits(at_once, 5).tolist() == [single.bits64() for _ in range(5)]
    assert rng.units(at_once, 3).tolist() == [single.random() for _ in range(3)]
    assert at_once.state == single.state
    assert set(rng.below(at_once, 3, 100).tolist()) == {0, 1, 2}


def test_random_has_exactly_its_number_of_links() -> None:
    for degree in (2, 3, 4, 4.5, 20, 60, 63):
        assert len(grow(f"random:{degree}", 64).a) == round(64 * degree / 2)
    degrees = grow("random:20", 5_000).degrees()
    # Nearly Poisson: variance 19 for one certain link and a mean of 19 further ones.
    assert 17 < degrees.var() < 22


def test_too_small_a_degree_gives_a_tree_and_a_note() -> None:
    made = grow("random:1", 50)
    assert len(made.a) == 49
    assert reached(made) == 50
    assert "random tree" in made.notes[0]


def test_a_common_degree_is_reduced_for_a_tiny_swarm_and_a_large_one_is_refused() -> None:
    assert len(grow("random:4", 1).a) == 0
    assert len(grow("random:4", 3).a) == 3
    assert "at most 2 links" in grow("random:4", 3).notes[0]
    assert len(grow("scale-free:3", 2).a) == 1
    assert "below the number of peers" in refusal("random:64")


def test_small_world_rewires_without_changing_the_number_of_links() -> None:
    lattice = grow("small-world:4:0", 20)
    assert all(set(row) == {(i + d) % 20 for d in (-2, -1, 1, 2)} for i, row in enumerate(lattice.neighbours()))
    for rewire in (0.1, 0.5, 1):
        made = grow(f"small-world:4:{rewire}", 200)
        assert len(made.a) == 400
        kept = sum((b - a) % 200 <= 2 or (a - b) % 200 <= 2 for a, b in zip(made.a, made.b, strict=True))
        assert abs(kept / 400 - (1 - rewire)) < 0.12
    assert len(grow("small-world:5:0.3", 10).a) == 25
    assert len(grow("small-world:8:0.9", 10).a) == 40


def test_scale_free_has_hubs_and_no_degree_below_m() -> None:
    degrees = grow("scale-free:3", 3_000).degrees()
    assert degrees.min() == 3
    assert degrees.max() > 80
    # The exact mean-field tail is (m (m + 1)) / (k (k + 1)); three standard errors are about 0.01 here.
    assert abs((degrees >= 12).mean() - 3 * 4 / (12 * 13)) < 0.015


def test_the_tree_is_filled_breadth_first() -> None:
    made = grow("tree:4", 17)
    near = made.neighbours()
    assert near[0] == [1, 2, 3, 4]
    assert near[1] == [0, 5, 6, 7]
    assert near[4] == [0, 14, 15, 16]
    assert reached(made) == 17


def test_ring_and_complete() -> None:
    assert grow("ring", 5).degrees().tolist() == [2] * 5
    assert grow("complete", 5).degrees().tolist() == [4] * 5
    assert len(grow("ring", 2).a) == 1


@pytest.mark.parametrize(
    ("spec", "peers", "words"),
    [
        ("rnadom:4", 64, 'did you mean "random"'),
        ("", 64, "one of"),
        ("random", 64, "random:DEGREE"),
        ("random:4:2", 64, "random:DEGREE"),
        ("random:four", 64, 'not "four"'),
        ("random:nan", 64, "DEGREE"),
        ("random:inf", 64, "DEGREE"),
        ("random:-4", 64, "DEGREE"),
        ("random:0", 64, "DEGREE"),
        ("random:1_0", 64, "DEGREE"),
        ("small-world:4:1.5", 64, "REWIRE"),
        ("small-world:1:0.5", 64, "DEGREE"),
        ("scale-free:2.5", 64, "whole number"),
        ("scale-free:0", 64, "M"),
        ("tree:1", 64, "from 2"),
        ("complete", 2_001, "2,000"),
        ("random:4", 0, "peers"),
        ("random:4", PEERS_MAX + 1, "peers"),
        ("random:100", PEERS_MAX, "50,000,000 links"),
        ("complete\x1b[31m", 64, "did you mean"),
    ],
)
def test_a_bad_spec_is_refused_in_one_sentence(spec: str, peers: int, words: str) -> None:
    sentence = refusal(spec, peers)
    assert words in sentence
    assert "\x1b" not in sentence


# --- edge lists ---------------------------------------------------------------------------------------


def test_a_file_has_its_own_peers_and_names(tmp_path: Path) -> None:
    path = tmp_path / "crawl.txt"
    path.write_text("# FromNodeId\tToNodeId\n10878\t7\n7\t30\n\n7 10878\n30 30\n30 10878 # seen twice\n")
    made = build(str(path), 5, Stream("unused"))
    assert made.n == 3
    assert made.labels == ("7", "30", "10878")
    assert list(zip(made.a.tolist(), made.b.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 2)]
    assert made.skipped == 2
    assert "1 repeated and 1 from a node to itself" in made.notes[0]


def test_a_packed_file_and_one_without_an_ending_are_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "crawl.txt.gz"
    packed.write_bytes(gzip.compress(b"0 1\r\n1 2\r\n"))
    assert build(str(packed), 1, Stream("")).n == 3
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crawl").write_text("5 6")
    assert build("crawl", 1, Stream("")).labels == ("5", "6")
    # A generator's word is a file only if it is written as a path.
    (tmp_path / "ring").write_text("5 6")
    assert build("ring", 9, Stream("")).n == 9
    assert build("./ring", 9, Stream("")).n == 2


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("0 1\n1\n", 2, "found 1 value"),
        ("0 1\n1 2 3\n4\n", 2, "found 3 values"),
        ("0 1 2\n1 2\n", 2, "expected 3, as in the first line, found 2 values"),
        ("# x\n0 1\n1 -2\n", 3, "negative"),
        ("0 1\n1 two\n", 2, 'not "two"'),
        ("0 1\n1 2.5\n", 2, 'not "2.5"'),
        ("0 1\n1 ²\n", 2, "whole number"),
        ("0 1\n1 99999999999999999999\n", 2, "too large"),
        ("0 1\n1 9223372036854775808\n", 2, "too large"),
        ("0 1\n1 \0\n", 2, "binary"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(text, encoding="utf-8")
    sentence = refusal(str(path))
    assert f"bad.txt:{line}: " in sentence
    assert words in sentence


def test_a_bad_file_is_named(tmp_path: Path) -> None:
    assert "no such file" in refusal(str(tmp_path / "missing.txt"))
    assert "no such file" in refusal("missing.gz")
    assert "a directory" in refusal(str(tmp_path))
    assert "not a plain file" in refusal("/dev/null")
    assert "cannot be read" in refusal("/a\0b")
    for text in ("", "# nothing\n", "\n\n"):
        (tmp_path / "empty.txt").write_text(text)
        assert "no links" in refusal(str(tmp_path / "empty.txt"))
    (tmp_path / "loop.txt").write_text("4 4\n")
    assert "to itself" in refusal(str(tmp_path / "loop.txt"))
    torn = gzip.compress(b"0 1\n" * 1000)[:-12]
    for name, data in (("torn.gz", torn), ("junk.gz", b"\x1f\x8bjunk that is no gzip")):
        (tmp_path / name).write_bytes(data)
        assert "gzip" in refusal(str(tmp_path / name))


def test_files_that_are_too_large_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "crawl.txt"
    path.write_text("".join(f"{i} {i + 1}\n" for i in range(2_000)))
    monkeypatch.setattr(edge_list, "NODES_MAX", 100)
    assert "more than the 100" in refusal(str(path))
    monkeypatch.setattr(edge_list, "EDGES_MAX", 500)
    assert "more than the 500" in refusal(str(path))
    monkeypatch.setattr(edge_list, "EDGES_MAX", 1_500)
    assert "more than the 1,500" in refusal(str(path))
    monkeypatch.setattr(edge_list, "BYTES_MAX", 100)
    assert "larger than" in refusal(str(path))


def test_valid_lines_that_numpy_refuses_are_read(tmp_path: Path) -> None:
    path = tmp_path / "odd.txt"
    path.write_text("0 1\n\f1 2\n")
    assert build(str(path), 1, Stream("")).n == 3


@pytest.mark.parametrize(("number", "nodes", "edges"), [("04", 10_876, 39_994), ("08", 6_301, 20_777)])
def test_real_crawls_have_the_published_size(crawl: Callable[[str], Path], number: str, nodes: int, edges: int) -> None:
    made = build(str(crawl(number)), 1, Stream(""))
    assert (made.n, len(made.a), made.skipped) == (nodes, edges, 0)
