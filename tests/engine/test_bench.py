"""`swarmtop bench`: what it prints, with swarms small enough for a test. No test depends on how fast it is."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import engine
from engine import LinkSpec, Setup, Swarm, bench
from engine.lab import bench as lab_bench
from engine.lab import loads
from tui.cli import main as cli
from tui.cli import run as cli_run


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_run, "BENCH_PEERS", (60, 100))
    monkeypatch.setattr(lab_bench, "SOUGHT_S", 5)
    # Rounds and swarms are measured in processes of their own, which one test each starts.
    monkeypatch.setattr(lab_bench, "round_in_process", lab_bench.one_round)
    monkeypatch.setattr(lab_bench, "bytes_per_peer", lambda peers: 7_000.0)
    monkeypatch.setattr(lab_bench, "small_asks", lambda peers: ((9.0, 40_000.0), (8.0, 30_000.0), (10.0, 50_000.0)))
    monkeypatch.setattr(lab_bench, "LOADS", (("requests", loads.requests, 20, "without"),))
    monkeypatch.setattr(lab_bench, "alone", lambda run, peers: loads.Compared(20.0, 40.0, 0.4, 0.5))


def test_the_table_has_a_row_for_each_load_and_says_whether_it_did_what_theory_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["bench", "--quick"]) == 0
    told = capsys.readouterr().out
    assert "✓ flood, 60 peers: 1,141 messages; 2E-N+1 is 1,141" in told
    assert "✓ flood, 100 peers" not in told, "--quick leaves out the largest"
    assert "bytes a peer" in told
    assert "0.80 and 0.60" in told
    assert "0.90 and 0.80" in told, "the first seconds"
    assert "0.50" in told
    assert all(cost in told for cost in ("recording", "checkpoint", "seek"))


def test_as_json_it_is_one_object(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(engine, "bench_costs", lambda sizes, show: iter(()))
    assert cli.main(["bench", "--quick", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(row["load"], row["peers"]) for row in told["rows"]] == [("flood", 60)]
    assert all(row["ours_per_s"] > 0 and row["held"] for row in told["rows"])


def test_simpy_is_not_loaded() -> None:
    ask = "import sys\nsys.modules['simpy'] = None\nfrom engine import bench\nlist(bench((60,), print, rounds=1))"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "flood, 60 peers\n"), done.stderr


def test_the_memory_of_a_swarm_is_measured_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert 1_000 < lab_bench.bytes_per_peer(300) < 100_000


def test_small_asks_are_measured_with_hits_without_and_without_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    loads = []
    monkeypatch.setattr(lab_bench, "alone", lambda job, load: loads.append(load) or float(len(loads)))
    assert lab_bench.small_asks(60) == (1.0, 2.0, 3.0)
    assert loads == [(60, True, True), (60, True, False), (60, False, False)]


def test_a_load_that_goes_wrong_is_not_called_fast(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lab_bench, "messages_of_a_flood", lambda swarm: 1)
    monkeypatch.setattr(engine, "bench_costs", lambda sizes, show: iter(()))
    rows = list(bench((60,), lambda what: None, rounds=1))
    assert [row.held for row in rows] == [False]
    assert cli.main(["bench", "--quick"]) == 1
    assert "✕ flood" in capsys.readouterr().out


def test_a_round_runs_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    done = lab_bench.round_in_process(60)
    assert done.held
    assert done.theory == "1,141 messages; 2E-N+1 is 1,141"


@pytest.mark.parametrize("calls", [True, False])
def test_requesters_have_one_request_open_each(calls: bool) -> None:
    setup = Setup(peers=8, asks_per_s=0.0, options={"calls": calls}, latency="constant:50")
    swarm = Swarm(setup, program=loads.Requester)
    swarm.advance(3_000_000)
    by_kind = swarm.snapshot().totals.by_kind
    assert by_kind["CallRequest"] - by_kind["CallReply"] <= 8
    assert by_kind["CallRequest"] > 8 * 10, "a round trip takes 0.1 s, of 2 s at least"


def test_transfers_over_limited_lines_are_as_fast_as_these() -> None:
    setup = Setup(peers=8, topology="complete", asks_per_s=0.0, links=LinkSpec(loads.LINES), latency="constant:50")
    swarm = Swarm(setup, program=loads.Transferrer)
    swarm.advance(20_000_000)
    blocks = sum(getattr(swarm.peer(peer), "blocks", 0) for peer in range(8))
    most = 8 * 20 * 1_000_000 / 8 / loads.BLOCK
    assert 0.6 * most < blocks < most, "uplinks are busy, and carry little else"


def test_two_swarms_are_compared_by_their_speeds() -> None:
    made = [Swarm(Setup(peers=8, asks_per_s=0.0), program=loads.Requester) for _ in range(2)]
    done = loads.compared(made, windows=3, window_us=200_000)
    assert done.per_s > 0
    assert done.first > 0
    assert [swarm.now_us for swarm in made] == [600_000, 600_000]
