"""Edge lists, matrices and sessions in every dialect of other programs, and which files are refused."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import InputError, Setup, Swarm
from engine.sim.rng import Stream
from engine.world import topology
from engine.world.readers import edge_list, rtt_matrix, sessions, tables

ENDS = ("\n", "\r\n", "\r")
CODES = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le-bom", "utf-16-be-bom", "utf-32-be-bom")
SEPS = (",", ";", "\t", " ", "|", ", ", "  ")
SIGNS = ("#", "%", "//")
LABELS = ("p000", "p001", "p002")


def encoded(text: str, code: str) -> bytes:
    if code.endswith("-bom"):
        return ("\ufeff" + text).encode(code.removesuffix("-bom"))
    return text.encode(code)


def links(path: Path) -> tuple[tuple[str, ...] | None, list[tuple[str, str]], tuple[str, ...]]:
    made = topology.build(str(path), 1, Stream(""))
    labels = made.labels or ()
    pairs = [(labels[a], labels[b]) for a, b in zip(made.a.tolist(), made.b.tolist(), strict=True)]
    return made.labels, pairs, made.notes


def costs(path: Path) -> dict[frozenset[str], int] | None:
    made = topology.build(str(path), 1, Stream(""))
    labels, ends = made.labels or (), list(zip(made.a.tolist(), made.b.tolist(), strict=True))
    if made.costs is None:
        assert not any(made.cost(a, b) for a, b in ends)
        return None
    assert [made.cost(b, a) for a, b in ends] == made.costs.tolist()
    assert not any(made.cost(a, b) for a in range(made.n) for b in range(made.n) if (min(a, b), max(a, b)) not in ends)
    return {frozenset((labels[a], labels[b])): cost for (a, b), cost in zip(ends, made.costs.tolist(), strict=True)}


dialects = st.fixed_dictionaries(
    {
        "sep": st.sampled_from(SEPS),
        "end": st.sampled_from(ENDS),
        "code": st.sampled_from(CODES),
        "quote": st.sampled_from(("", '"')),
        "header": st.booleans(),
        "sign": st.sampled_from(("", *SIGNS)),
        "packed": st.booleans(),
        "last": st.booleans(),
    }
)


def write(path: Path, rows: list[list[str]], head: list[str], dialect: dict[str, object], quoted: int = 9) -> None:
    sep, end, quote, sign = (str(dialect[key]) for key in ("sep", "end", "quote", "sign"))
    lines = [f"{sign} a comment"] if sign else []
    lines += [sep.join(head)] if dialect["header"] and head else []
    lines += [sep.join(f"{quote}{c}{quote}" if at < quoted else c for at, c in enumerate(row)) for row in rows]
    if sign:
        lines.insert(2, f"{sign} another, with 1 2 3")
    text = end.join(lines) + (end if dialect["last"] else "")
    data = encoded(text, str(dialect["code"]))
    path.write_bytes(gzip.compress(data) if dialect["packed"] else data)


nodes = st.one_of(
    st.lists(st.integers(0, 10**12).map(str), min_size=2, max_size=9, unique=True),
    st.lists(st.sampled_from(["1", "01", "001", "7", "10", "+7", "0"]), min_size=2, max_size=6, unique=True),
    st.lists(st.from_regex(r"[a-zé][a-z0-9_.é]{0,8}", fullmatch=True), min_size=2, max_size=9, unique=True),
)
quick = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(st.data(), nodes, dialects, st.integers(0, 2))
def test_a_graph_is_the_same_in_every_dialect(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, ids: list[str], dialect: dict[str, object], more: int
) -> None:
    ends = st.tuples(st.sampled_from(ids), st.sampled_from(ids)).filter(lambda pair: pair[0] != pair[1])
    pairs = data.draw(st.lists(ends, min_size=1, max_size=12))
    weights = data.draw(st.lists(st.integers(1, 200).map(lambda half: half / 2), min_size=12, max_size=12))
    rows = [[a, b, *(str(weight), "0.5")[:more]] for (a, b), weight in zip(pairs, weights, strict=False)]
    path = tmp_path_factory.mktemp("graph") / "graph.txt"
    write(path, rows, ["source", "target", *("weight", "quality")[:more]], dialect, quoted=2)
    labels, found, notes = links(path)
    assert set(labels or ()) == {one for pair in pairs for one in pair}
    assert {frozenset(pair) for pair in found} == {frozenset(pair) for pair in pairs}
    assert any("left out" in note for note in notes) == (more == 2)
    # Without a header a third column has the weights, if it is the last one.
    cheapest: dict[frozenset[str], int] = {}
    for pair, weight in zip(map(frozenset, pairs), weights, strict=False):
        cheapest[pair] = min(cheapest.get(pair, 65_535), max(1, round(weight)))
    assert costs(path) == (cheapest if more == 1 or (more == 2 and dialect["header"]) else None)


GML = "graph [ node [ id 0 ] node [ id 1 ] node [ id 2 ] edge [ source 0 target 1 %s ] edge [ source 2 target 1 %s ] ]"
GRAPHML = (
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    '<key id="k" for="edge" attr.name="cost" attr.type="double"/>'
    '<graph edgedefault="undirected"><node id="0"/><node id="1"/><node id="2"/>'
    '<edge source="0" target="1"><data key="k">7</data></edge>'
    '<edge source="1" target="2"><data key="k">2.6</data></edge></graph></graphml>'
)
WITH_NETWORKX = pytest.mark.skipif(importlib.util.find_spec("networkx") is None, reason="networkx is not installed")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0 1 7\n1 2 2.6\n", (7, 3)),
        ("# a comment\n0\t1\t7 % another\n\n1\t2\t2.6\n", (7, 3)),
        ("0 1 7\n1 0 9\n2 2 1\n1 2 2.6\n", (7, 3)),
        ('"","from","to","metric"\n"1",0,1,7\n"2",1,2,2.6\n', (7, 3)),
        ('"from" "to" "weight"\n"1" "0" "1" 7\n"2" "1" "2" 2.6\n', (7, 3)),
        ("kind,to,cost,from,colour\nx,0,7,1,9\ny,1,2.6,2,9\n", (7, 3)),
        ("%%MatrixMarket matrix coordinate real symmetric\n3 3 2\n0 1 7\n1 2 2.6\n", (7, 3)),
        ("0 1 {'weight': 7}\n1 2 {'colour': 'red', 'weight': 2.6}\n", (7, 3)),
        ("0\n1\n2\n#\n0 1 7\n1 2 2.6\n", (7, 3)),
        pytest.param(GML % ("weight 7", "weight 2.6"), (7, 3), marks=WITH_NETWORKX),
        pytest.param(GRAPHML, (7, 3), marks=WITH_NETWORKX),
        pytest.param('*Vertices 3\n1 "0"\n2 "1"\n3 "2"\n*Edges\n1 2 7\n2 3 2.6\n', (7, 3), marks=WITH_NETWORKX),
        ("0 1\n1 2\n", None),
        ("0 1 7\n1 2 0\n", None),
        ("0 1 7\n1 2 -2.6\n", None),
        ("0 1 7\n1 2 nan\n", None),
        ("0 1 7\n1 2 red\n", None),
        ("0 1 1082040961\n1 2 1082155839\n", None),
        ("0 1 7 5\n1 2 2.6 5\n", None),
        ("source,target,since\n0,1,7\n1,2,2.6\n", None),
        ("source,target,weight,cost\n0,1,7,1\n1,2,2.6,1\n", None),
        ("0 1 {'weight': 7}\n1 2 {}\n", None),
        ("0 pp 1\n1 pp 2\n", None),
        ("0\n1\n2\n#\n0 1 7\n1 2\n", None),
        pytest.param(GML % ("weight 7", ""), None, marks=WITH_NETWORKX),
        pytest.param('*Vertices 3\n1 "0"\n2 "1"\n3 "2"\n*Edges\n1 2\n2 3\n', None, marks=WITH_NETWORKX),
    ],
)
def test_weights_are_the_costs_of_links_if_each_link_has_one(
    tmp_path: Path, text: str, found: tuple[int, int] | None
) -> None:
    path = tmp_path / "weights.txt"
    path.write_text(text)
    expected = found and {frozenset(("0", "1")): found[0], frozenset(("1", "2")): found[1]}
    assert costs(path) == expected
    said = [note for note in links(path)[2] if "their costs" in note]
    assert len(said) == bool(found)
    assert all("rounded to whole numbers from 1 on" in note for note in said)


def test_the_note_on_costs_speaks_of_rounding_only_if_some_were_rounded(tmp_path: Path) -> None:
    (tmp_path / "w.txt").write_text("0 1 7\n1 2 65535\n")
    (said,) = links(tmp_path / "w.txt")[2]
    assert said.endswith("w.txt: the weights of its links are their costs where a network has costs")


@quick
@given(st.lists(st.integers(2, 4000), min_size=16, max_size=16), st.integers(1, 4), dialects)
def test_a_matrix_is_the_same_in_every_dialect(
    tmp_path_factory: pytest.TempPathFactory, values: list[int], n: int, dialect: dict[str, object]
) -> None:
    rows = [[str(values[4 * a + b]) if a != b else "0" for b in range(n)] for a in range(n)]
    path = tmp_path_factory.mktemp("matrix") / "rtt_matrix.txt"
    write(path, rows, [f"host{b}" for b in range(n)] if n > 1 else [], dialect)
    expected = [[max(1, round(float(value) / 2)) for value in row] for row in rows]
    assert rtt_matrix.read(str(path))[0].tolist() == expected


@quick
@given(st.lists(st.integers(1, 50), min_size=2, max_size=12), st.sampled_from((0, 1, 1000)), st.booleans(), dialects)
def test_sessions_are_the_same_in_every_dialect(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], stamp: int, stays: bool, dialect: dict[str, object]
) -> None:
    offset = 1_577_836_800 * stamp
    at, times = 0, [0]
    for step in steps:
        at += step
        times.append(at)
    spans = list(zip(times[::2], times[1::2], strict=False))
    rows = [["p000", str(a * max(1, stamp) + offset), str(b * max(1, stamp) + offset)] for a, b in spans]
    rows += [["p001", str(offset + 5 * max(1, stamp)), "inf"]] if stays else []
    path = tmp_path_factory.mktemp("trace") / "trace.csv"
    write(path, rows, ["peer", "start_s", "end_s"], dialect)
    made = sessions.load(str(path), LABELS)
    assert list(zip(made.begins_us[0], made.ends_us[0], strict=True)) == [(a * 10**6, b * 10**6) for a, b in spans]
    assert made.up(1, 10**14) == stays or not stays
    assert bool(made.notes) == bool(stamp)


@pytest.mark.parametrize(
    ("data", "labels", "count"),
    [
        (b"0,1\n1,2\n2,3\n3,0\n", ("0", "1", "2", "3"), 4),
        (b"node_1,node_2\n0,1\n1,2\n", ("0", "1", "2"), 2),
        (b"alice bob\nbob carol\n", ("alice", "bob", "carol"), 2),
        (b"1 2 2\n1 3 4\n2 3 3", ("1", "2", "3"), 3),
        (b"01 1\n1 2\n", ("1", "01", "2"), 2),
        (b"New York\tBoston\nBoston\tLos Angeles\n", ("New York", "Boston", "Los Angeles"), 2),
        (b'"New York" Boston\nBoston "Los Angeles"\n', ("New York", "Boston", "Los Angeles"), 2),
        (b"% asym weighted\n1 2\t1\t1082008561\n2 3\t1\t1082008562\n", ("1", "2", "3"), 2),
        (b"# as-rel\n1|11537|0\n1|7|-1\n", ("1", "7", "11537"), 2),
        (b"Id;Source;Target\n7;a;b\n8;b;c\n", ("a", "b", "c"), 2),
        (b'sep=;\r\n"a";"b"\r\n"b";"c"\r\n', ("a", "b", "c"), 2),
        (b"1 2 {'weight': 3, 'b': 1}\n2 3 {}\n", ("1", "2", "3"), 2),
        (b"%%MatrixMarket matrix coordinate pattern general\n% x\n3 3 2\n1 2\n2 3\n", ("1", "2", "3"), 2),
        (b"# caf\xe9\n1 2\n", ("1", "2"), 1),
        (b",a,b\n0,x,y\n1,y,z\n", ("x", "y", "z"), 2),
        (b'"","V1","V2"\n"1","x","y"\n"2","y","z"\n', ("x", "y", "z"), 2),
        (b'"V1" "V2"\n"1" "x" "y"\n"2" "y" "z"\n', ("x", "y", "z"), 2),
        (b'"from" "to"\n"1" "x" "y"\n"2" "y" "z"\n', ("x", "y", "z"), 2),
        (b'"w" "source" "target"\n"1" 5 "x" "y"\n"2" 6 "y" "z"\n', ("x", "y", "z"), 2),
        (b'"from" "to"\n"1" "2" \n"2" "3" \n', ("1", "2", "3"), 2),
        (b"[2001:db8::1]:80 [::1]\n[::1] a\n", ("[2001:db8::1]:80", "[::1]", "a"), 2),
        (b"x pp y\ny pd z\n", ("x", "y", "z"), 2),
        (b"x pp y z\ny pd z\nlonely\n", ("x", "y", "z"), 3),
        (b"x pp y z\ny pp z w\n", ("x", "y", "z", "w"), 4),
        (b"x pp y 0.5\ny pp z 0.7\n", ("x", "y", "z"), 2),
        (b"1\n2\n3\na\tpp\tc\te\nc\tpd\te\n", ("a", "c", "e"), 3),
        (b"a b\tpp\tc d\te\nc d\tpd\te\n", ("a b", "c d", "e"), 3),
        (b"1 pp 2 3 4\n# x\n2 pp 10\n", ("1", "2", "3", "4", "10"), 4),
        (b"x -> y\ny -> z\n", ("x", "y", "z"), 2),
        (b"1 Ann\n2 Bob\n3\n#\n1 2\n2 3\n", ("1", "2", "3"), 2),
        (b"1 Ann Lee\n2 Bob\n3 Cy\n#\n1 2 friends\n3 2\n", ("Ann Lee", "Bob", "Cy"), 2),
        (b"1 Ann\r\n2 Ann\r\n#\r\n1 2\r\n", ("1", "2"), 1),
        (b"1 2\n2 3\n3 1\n#\n1 3\n", ("1", "2", "3"), 3),
        (b"1,000 2,000\n2,000 3,000\n", ("1,000", "2,000", "3,000"), 2),
        ("\U0001f469\u200d\U0001f467 x\n".encode(), ("\U0001f469\U0001f467", "x"), 1),
    ],
)
def test_edge_lists_of_other_programs(tmp_path: Path, data: bytes, labels: tuple[str, ...], count: int) -> None:
    (tmp_path / "edges.txt").write_bytes(data)
    found, pairs, _ = links(tmp_path / "edges.txt")
    assert found == labels
    assert len(pairs) == count


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("０ １\n１ ２\n".encode(), (":1:", "０", "U+FF10")),
        ("0\u00a01\n".encode(), (":1:", "0\u00a01", "U+00A0")),
        (b"+1 2\n2 3\n3 x\n", (":3:", '"x"')),
        (b"1 2\n2 99999999999999999999\n", (":2:", "too large")),
        (b"a b\nb 2.5\n", (":2:", '"2.5"')),
        (b"-0 1\n1 2\n", (":1:", "negative", "-0")),
        (b"1 2\n2 3\n\x1a", (":3:", "U+001A")),
        (b'"a b\nc d\n', (":1:", "a quote")),
        (b"a b\nb \xe9\n", (":2:", "no UTF-8 text")),
        (b"\xff\xfe0\x00 \x001\x00\n", ("UTF-16",)),
        (b'{"nodes": []}', ("looks like JSON",)),
        (b"digraph {\n a -> b\n}\n", ("looks like DOT",)),
        (b"c a graph\np edge 3 2\ne 1 2\ne 2 3\n", ("looks like DIMACS", "GraphML")),
        (b"nodedef>name VARCHAR,label VARCHAR\na,A\nb,B\nedgedef>node1,node2\na,b\n", ("looks like GDF",)),
        (b"dl n=3 format=edgelist1\nlabels:\na,b,c\ndata:\n1 2\n2 3\n", ("looks like UCINET DL",)),
        (b"DL\nN = 3\nDATA:\n0 1 0\n1 0 1\n0 1 0\n", ("looks like UCINET DL",)),
        (b"LEDA.GRAPH\nstring\nint\n-1\n2\n|{a}|\n|{b}|\n1\n1 2 0 |{1}|\n", ("looks like LEDA",)),
        (b">>graph6<<DQc\n", ("looks like graph6",)),
        (b"3 2\n2\n1 3\n2\n", ("looks like METIS", "GraphML")),
        (b"Creator x y\n \n#\n" * 3_000 + b"1 2\n", ("expected 3, as in the first line",)),
        (b"graph [ " + b"a [ " * 200, ("nested more than 100 deep",)),
        (b"graph [ node [ id 0 ] edge [ source 0 target 5 ] ]", ("does not name two nodes",)),
    ],
)
def test_files_of_other_formats_are_refused_in_one_sentence(
    tmp_path: Path, data: bytes, words: tuple[str, ...]
) -> None:
    (tmp_path / "edges.txt").write_bytes(data)
    with pytest.raises(InputError) as refused:
        links(tmp_path / "edges.txt")
    assert all(word in str(refused.value) for word in words), refused.value


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"1 a\n2 b\n#\n1 3\n", (":4:", "no node has the id 3")),
        (b"1 a\n1 b\n#\n1 1\n", (":2:", "the node 1 is there already")),
        (b"1 a\n2 b\n#\n1\n", (":4:", "the ids of two nodes")),
        (b"1 a\n2 b\n", ("no links in it",)),
    ],
)
def test_the_wrong_line_of_a_trivial_graph_file_is_named(tmp_path: Path, data: bytes, words: tuple[str, ...]) -> None:
    (tmp_path / "net.tgf").write_bytes(data)
    with pytest.raises(InputError) as refused:
        links(tmp_path / "net.tgf")
    assert all(word in str(refused.value) for word in words), refused.value


LABELLED_GML = (
    b'graph [\n node [ id 0 label "a" ]\n node [ id 1 label "b" ]\n edge [ source 0 target 1 latency "1 us" ]\n]\n'
)


def test_gml_is_read_by_networkx_or_the_error_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.gml").write_bytes(LABELLED_GML)
    labels, pairs, notes = links(tmp_path / "net.gml")
    assert (labels, pairs) == (("a", "b"), [("a", "b")])
    assert "latency" in notes[0]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'swarmtop\[graphs\]'"):
        links(tmp_path / "net.gml")


@pytest.mark.parametrize(
    ("text", "filled", "ways"),
    [
        ("0 100 -1\n100 0 30\n-1 30 0\n", 2, [[1, 50, 50], [50, 1, 15], [15, 15, 1]]),
        ("0 100 nan\n100 0 30\nNaN 30 0\n", 2, [[1, 50, 50], [50, 1, 15], [15, 15, 1]]),
        ("- 100 NA\n100 - 30\n0 30 -\n", 2, [[1, 50, 50], [50, 1, 15], [15, 15, 1]]),
        (",100,\n100,,30\n,30,\n", 2, [[1, 50, 50], [50, 1, 15], [15, 15, 1]]),
        (",a,b\na,0,8\nb,6,0\n", 0, [[1, 4], [3, 1]]),
        (",0,1\n0,0.0,8\n1,6,0.0\n", 0, [[1, 4], [3, 1]]),
        ("0;12,5\n7,5;0\n", 0, [[1, 6], [4, 1]]),
        ("sep=;\n0;12,5\n7,5;0\n", 0, [[1, 6], [4, 1]]),
        ("0 100 -nan\n100 0 30\n1.#QNAN 30 0\n", 2, [[1, 50, 50], [50, 1, 15], [15, 15, 1]]),
        ("0,100,#N/A\n100,0,30 # c\n<NA>,30,0\n", 2, [[1, 50, 50], [50, 1, 15], [15, 15, 1]]),
        ("0,1\n0,8\n6,0\n", 0, [[1, 4], [3, 1]]),
        ("1 0 8\n2 6 0\n", 0, [[1, 4], [3, 1]]),
    ],
)
def test_a_missing_round_trip_gets_the_median_of_its_row(
    tmp_path: Path, text: str, filled: int, ways: list[list[int]]
) -> None:
    (tmp_path / "rtt.txt").write_text(text)
    found, notes = rtt_matrix.read(str(tmp_path / "rtt.txt"))
    assert found.tolist() == ways
    assert any(f"{filled} round trips not measured" in note for note in notes) == bool(filled)


def test_notes_about_a_file_are_warnings_of_the_swarm(tmp_path: Path) -> None:
    (tmp_path / "e.txt").write_text("0 1 5\n1 2 5\n")
    (tmp_path / "m.txt").write_text("0 -1\n4 0\n")
    (tmp_path / "c.csv").write_text("0,1577836800,1577836900\n")
    files = {"topology": "e.txt", "latency": "m.txt", "churn": "c.csv"}
    swarm = Swarm(Setup(**{key: str(tmp_path / name) for key, name in files.items()}))  # type: ignore[arg-type]
    for words in ("weights of its links are their costs", "1 round trip not measured", "seconds since 1970"):
        assert sum(words in said for said in swarm.warnings) == 1


def run_swarmtop(words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = f'"{sys.executable}" -P -m tui {words}'
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )


def test_pipes_of_a_shell_are_read_and_other_special_files_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.toml")
    done = run_swarmtop("run fifo.toml", tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "named pipe" in done.stderr
    pipes = "--topology <(echo 0 1 7; echo 1 2 7) --churn /dev/stdin < <(echo 0,0,9)"
    done = run_swarmtop(f"run --until 1 {pipes}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "weights of its links" in done.stderr
    done = run_swarmtop("run --until 30 --sweep kill:0:0.5:2 --jobs 2 --topology <(echo 0 1 7; echo 1 2 7)", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("weights of its links") == 1
    done = run_swarmtop("run --until 1 --peers 8 --record r.swarm --json", tmp_path)
    again = run_swarmtop("replay <(cat r.swarm) --json", tmp_path)
    assert (again.returncode, again.stderr) == (0, "")
    assert json.loads(again.stdout)["fingerprint"] == json.loads(done.stdout)["fingerprint"]


@pytest.mark.parametrize("way", ["x.toml", "<(cat x.toml)", "/dev/stdin < x.toml", "/dev/stdin < <(cat x.toml)"])
def test_a_scenario_from_a_shell_names_files_of_the_working_folder(way: str, tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('topology = "crawl.txt"\n[churn]\nsession = "days"\n')
    (tmp_path / "days").write_text("a,0,0.5\n")
    named = "crawl.txt" if way == "x.toml" else tmp_path / "crawl.txt"
    refused = run_swarmtop(f"run --until 1 --json {way}", tmp_path)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert refused.stderr.startswith(f"swarmtop: {named}: no such file; expected an edge list")
    (tmp_path / "crawl.txt").write_text("a b\n")
    done = run_swarmtop(f"run --until 1 --json {way}", tmp_path)
    assert json.loads(done.stdout)["peers_by_state"]["dead"] == 1, done.stderr


@pytest.mark.parametrize("sep", [",", ";", "|"])
def test_an_error_names_the_line_without_the_separator(tmp_path: Path, sep: str) -> None:
    file = tmp_path / "x.csv"
    cases: tuple[tuple[Callable[[str], object], list[str], list[str]], ...] = (
        (edge_list.load, ["a", "b"], ["c"]),
        (edge_list.load, ["1", "2"], ["3"]),
        (lambda path: sessions.load(path, ["a", "b"]), ["a", "0", "1"], ["b"]),
        (rtt_matrix.read, ["0", "1", "2"], ["1 2 3"]),
    )
    for read, good, bad in cases:
        file.write_text("".join(sep.join(row) + "\n" for row in (good, good, bad)))
        with pytest.raises(InputError, match=r"x\.csv:3: "):
            read(str(file))


@pytest.mark.parametrize(
    ("line", "bad"),
    [
        ("{a} {b}", "x 1"),
        ("0{a} +{b}", "x 1"),
        ('"n, {a}","n ""{b}"', '"n"'),
        ("'n{a}';'n{b}'", "'n'"),
        ("o'n{a},n\u00a0{b}", "n,1.5"),
        ("n{a} n{b} {{'weight': 1}}", "n"),
        ("{a} {b} % c", "1"),
        ("{a},{b},", "1,2,3,4"),
        ("n{a}\t\tn b", "n"),
    ],
)
def test_a_fault_after_many_odd_lines_has_its_number(line: str, bad: str, tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    good = [line.format(a=at, b=at + 1) for at in range(1, 1_501)]
    file.write_text("\n".join(good))
    assert len(edge_list.load(str(file)).codes) == 1_500
    file.write_text("\n".join([*good, bad]))
    with pytest.raises(InputError, match=r"x\.txt:1501: "):
        edge_list.load(str(file))


@pytest.mark.parametrize(
    ("read", "text", "shown"),
    [
        ("matrix", ";100;\n100;;30\n;30;\n", [[1, 50, 50], [50, 1, 15], [15, 15, 1]]),
        ("matrix", ";a;b\na;0;8\nb;6;0\n", [[1, 4], [3, 1]]),
        ("matrix", "0;4;5\n;0;5\n3;5;0\n", [[1, 2, 2], [2, 1, 2], [2, 2, 1]]),
        ("matrix", ";4;5\n;;5\n;5;\n", [[1, 2, 2], [2, 1, 2], [2, 2, 1]]),
        ("matrix", "; a comment\n0 8\n6 0\n; another\n", [[1, 4], [3, 1]]),
        ("edges", ";source;target\n0;a;b\n1;b;c\n", [("a", "b"), ("b", "c")]),
        ("edges", "; a comment\na,b\n; another\nb,c\n", [("a", "b"), ("b", "c")]),
        ("edges", "a;b\n;c\n", ":2: "),
        ("sessions", ";peer;start_s;end_s\n0;p000;0;5\n", {0: [0]}),
        ("sessions", "p000;0;5\n;1;6\n", ":2: "),
    ],
)
def test_a_semicolon_begins_a_comment_only_where_it_does_not_separate(
    read: str, text: str, shown: object, tmp_path: Path
) -> None:
    path = tmp_path / "x.txt"
    path.write_text(text)
    reads: dict[str, Callable[[], object]] = {
        "matrix": lambda: rtt_matrix.read(str(path))[0].tolist(),
        "edges": lambda: links(path)[1],
        "sessions": lambda: sessions.load(str(path), LABELS).begins_us,
    }
    if isinstance(shown, str):
        with pytest.raises(InputError, match=shown):
            reads[read]()
    else:
        assert reads[read]() == shown


@pytest.mark.parametrize("row", ["{}", '"{}"', "{},5", "r,{}", "-1", "NA", "", "{} "])
def test_a_fault_in_the_last_row_of_a_matrix_has_its_number(row: str, tmp_path: Path) -> None:
    file, n = tmp_path / "x.csv", 60
    sep = ";"
    named, cell = row.startswith("r,"), row.removeprefix("r,")
    rows = [
        ["r"] * named + [cell.format(1 + a + b) if (a + b) % 3 else str(a + b + 1) for b in range(n)] for a in range(n)
    ]
    file.write_text("\n".join(map(sep.join, rows)))
    table, _ = rtt_matrix.read(str(file))
    assert table.shape == (n, n)
    assert table[2, 4] == 4
    rows[-1][-1] = "x"
    file.write_text("\n".join(map(sep.join, rows)))
    with pytest.raises(InputError, match=r'x\.csv:60: value 60 should be a round trip .* not "x"'):
        rtt_matrix.read(str(file))


def _value_in_quotes(kind: str, value: str, at: int) -> str:
    sign = {"none": "", "double": '"', "single": "'", "some": '"' * (at % 2), "both": "\"'"[at % 2]}[kind]
    return f"{sign}{value}{sign}"


@pytest.mark.parametrize("sep", [",", ";", "\t", " ", " , ", "   "])
@pytest.mark.parametrize("quotes", ["none", "double", "single", "some", "both"])
def test_a_matrix_with_quotes_and_words_for_missing_values_is_read_in_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quotes: str, sep: str
) -> None:
    lines: list[str] = []
    cells = tables.cells

    def counted(line: str, *rest: str) -> list[str]:
        lines.append(line)
        return cells(line, *rest)

    monkeypatch.setattr(tables, "cells", counted)
    names = ("my host {}", "h#{}", "192.0.2.{}", "{}")
    words = ("NA", "-", "*", "?", ".", "na", "N/A", "null", "-1", "NaN", "")
    for at, word in enumerate(words if sep.strip() or quotes in ("double", "single") else words[:-1]):
        rows = [[f"{10.5 * (a + 2 * b)}" if a != b else "0" for b in range(6)] for a in range(6)]
        expected = [[max(1, round(float(value) / 2)) for value in row] for row in rows]
        for a, b in ((0, 3), (2, 1), (4, 5), (5, 0)):
            rest = sorted(float(rows[a][other]) for other in range(6) if other not in (a, b))
            expected[a][b] = round((rest[1] + rest[2]) / 4)
            rows[a][b] = word
        if sep == ";":
            rows = [[value.replace(".", ",") if value != word else value for value in row] for row in rows]
        named = quotes == "double" and at % 2
        text = ""
        for a, row in enumerate(rows):
            first = [f'"{names[at % 4].format(a)}"'] if named else []
            text += sep.join([*first, *(_value_in_quotes(quotes, value, a + b) for b, value in enumerate(row))]) + "\n"
        path = tmp_path / "rtt.txt"
        path.write_text(text)
        lines.clear()
        found, notes = rtt_matrix.read(str(path))
        assert found.tolist() == expected, text
        assert "4 round trips not measured" in notes[-1]
        assert len(lines) <= 3, text  # the first line, and the one after it if the first may be a header


def test_a_gzip_bomb_is_refused_within_little_memory(tmp_path: Path) -> None:
    block = gzip.compress(b" " * (1 << 24))
    (tmp_path / "bomb.gz").write_bytes(block * 17)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    done = run_swarmtop("run --topology ./bomb.gz", tmp_path)
    assert done.returncode == 2
    assert "larger than the" in done.stderr
    assert max(before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) < 600 << 10


def test_each_reader_of_text_has_a_limit_for_what_it_unpacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b" " * ((1 << 20) + 1)))
    readers: tuple[tuple[Any, Callable[[str], object]], ...] = (
        (edge_list, edge_list.load),
        (sessions, lambda at: sessions.load(at, ["a", "b"])),
        (rtt_matrix, rtt_matrix.read),
    )
    for module, read in readers:
        assert module.BYTES_MAX == 256 << 20
        monkeypatch.setattr(module, "BYTES_MAX", 1 << 20)
        with pytest.raises(InputError, match="larger than the 1 MB unpacked that are read"):
            read(str(path))


NAMES = tuple(f"peer_{at}" for at in range(40))
SESSION_LINES: dict[str, tuple[str, str]] = {
    "plain": ("{who},{a},{b}", "{who},{a},"),
    "quoted": ('"{who}","{a}","{b}"', '"{who}","{a}","inf"'),
    "commented": ("{who},{a},{b} # one", "{who},{a},- % two"),
    "blanks": ("{who} {a} {b}", "{who} {a} inf"),
    "semicolons": ("{who};{a},0;{b},0", "{who};{a},0;NaN"),
    "index": ("#{at},{a},{b}", "#{at},{a},Infinity"),
    "more columns": ("{who},{a},{b},né", "{who},{a},na,x"),
    "empty lines": ("{who},{a},{b}\n", "// a line\n{who},{a},inf"),
}


def session_text(kind: str, count: int) -> list[str]:
    ends, stays = SESSION_LINES[kind]
    rows = [(at % 40, at // 40 * 10) for at in range(count)]
    return [
        (ends if row < count - 40 else stays).format(at=at, who=NAMES[at], a=a, b=a + 7)
        for row, (at, a) in enumerate(rows)
    ]


@pytest.mark.parametrize("kind", SESSION_LINES)
def test_long_session_files_are_the_same_in_every_dialect(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text("\n".join(session_text(kind, 2_400)))
    made = sessions.load(str(path), NAMES)
    assert made.begins_us == {at: [10_000_000 * turn for turn in range(60)] for at in range(40)}
    assert all(ends[:-1] == [10_000_000 * turn + 7_000_000 for turn in range(59)] for ends in made.ends_us.values())
    assert {ends[-1] for ends in made.ends_us.values()} == {10**15}
    lines = session_text(kind, 2_400)
    lines[1_900] = lines[1_900].replace("470", "47o")
    path.write_text("\n".join(lines))
    number = "\n".join(lines).split("47o")[0].count("\n") + 1
    with pytest.raises(InputError, match=rf'sessions\.csv:{number}: start_s .* number of seconds, not "47o'):
        sessions.load(str(path), NAMES)


EDGE_LINES = {
    "names": "{a} {b}",
    "commas": "{a} , {b}, 0.5",
    "quoted": '"{a}" "{b}"',
    "quoted commas": "'{a}','{b}'",
    "commented": "{a} {b} # {b} {a}",
    "lines between": "{a}\t{b}\n% no link",
    "attributes": "{a} {b} {{'weight': 1}}",
    "one odd": "{a} {b}{odd}",
}


@pytest.mark.parametrize("kind", EDGE_LINES)
@pytest.mark.parametrize("name", ["n{}", "0{}", "{}"])
def test_long_edge_lists_are_the_same_in_every_dialect(tmp_path: Path, kind: str, name: str) -> None:
    path, count = tmp_path / "edges.txt", 2_400
    lines = [
        EDGE_LINES[kind].format(a=name.format(at), b=name.format(at + 1), odd=" \t# x" if at == 1_700 else "")
        for at in range(count)
    ]
    path.write_text("\n".join(lines))
    labels, pairs, _ = links(path)
    assert labels == tuple(name.format(at) for at in range(count + 1))
    assert pairs == [(name.format(at), name.format(at + 1)) for at in range(count)]
    lines[2_000] = "one"
    path.write_text("\n".join(lines))
    number = "\n".join(lines[:2_000]).count("\n") + 2
    with pytest.raises(InputError, match=rf"edges\.txt:{number}: expected .* found 1 value"):
        links(path)


DATES = {
    "blank": "2024-01-05 10:{:02}:00",
    "T": "2024-01-05T10:{:02}:00",
    "zone": "2024-01-05T10:{:02}:00Z",
    "utc": "2024-01-05 10:{:02}:00 UTC",
    "offset": "2024-01-05T12:{:02}:00+02:00",
    "short offset": "2024-01-05 05:{:02}:00.0-0500",
    "fraction": "2024-01-05 10:{:02}:00.000000Z",
    "comma": "2024-01-05 10:{:02}:00,000",
    "minutes": "2024-01-05 10:{:02}",
}


@pytest.mark.parametrize("sep", [",", ";", "\t", " ", '","'])
@pytest.mark.parametrize("form", DATES)
def test_sessions_may_have_dates(tmp_path: Path, form: str, sep: str) -> None:
    path, date = tmp_path / "dates.csv", DATES[form]
    quote = '"' if '"' in sep or (" " in date[11:] and sep == " ") or ("," in date and sep in ", ") else ""
    sep = sep if '"' in sep else f"{quote}{sep}{quote}"
    rows = [(at % 3, date.format(at % 3 * 10 + 1), date.format(at % 3 * 10 + 9)) for at in range(3)]
    # Long enough for the lines that are read at once.
    lines = [quote + sep.join((NAMES[at], *rows[at % 3][1:])) + quote for at in range(40)]
    lines += [f"{quote}n{at}{sep}{rows[1][1]}{sep}{('inf', 'NaT')[at % 2]}{quote}" for at in range(400)]
    path.write_text("\n".join(lines) + "\n")
    made = sessions.load(str(path), (*NAMES, *(f"n{at}" for at in range(400))))
    assert [(made.begins_us[at][0], made.ends_us[at][0]) for at in range(3)] == [
        (at * 600_000_000, at * 600_000_000 + 480_000_000) for at in range(3)
    ]
    assert made.begins_us[40 + 399] == [600_000_000]
    assert "2024-01-05 10:01:00 UTC" in made.notes[-1]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("p000,2024-02-30,2024-03-01", r":1: start_s should be a date and time that there is, not \"2024-02-30\""),
        ("p000,2024-01-05 25:00,x", r":1: start_s should be a date and time that there is"),
        ("p000,2024-01-05,2024-01-06\np001,5,9", r":2: start_s should be a date and time, as in the lines before"),
        ("p000,5,9\np001,2024-01-05,2024-01-06", r":2: start_s should be a number of seconds, as in the lines before"),
        ("p000,2024-01-06,2024-01-05", r":1: end_s should be later than start_s"),
    ],
)
def test_a_date_that_does_not_exist_is_refused_with_its_line(tmp_path: Path, lines: str, said: str) -> None:
    path = tmp_path / "dates.csv"
    path.write_text(lines)
    with pytest.raises(InputError, match=said):
        sessions.load(str(path), LABELS)


@pytest.mark.parametrize("word", ["20:01-01T00:00:00", "00:00:10", "0x10", "1_0", "10s"])
def test_a_time_of_another_form_is_no_header(tmp_path: Path, word: str) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text(f"p000,{word},{word}\np001,0,5\n")
    with pytest.raises(InputError, match=r":1: start_s should be a number of seconds, not"):
        sessions.load(str(path), LABELS)


@pytest.mark.parametrize("text", ["0 ten\n10 0\n", "0 10ms\n10ms 0\n", "0,5 ms\n5,0\n"])
def test_a_row_with_a_wrong_value_is_no_header(tmp_path: Path, text: str) -> None:
    path = tmp_path / "matrix.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=r":1: value 2 should be a round trip"):
        rtt_matrix.read(str(path))
