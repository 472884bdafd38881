"""The process that takes checkpoints of a run: its checkpoints, when it is started, and that it ends."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stories import END_US, SECOND, STORY, setup
from test_time_machine import at_once, go, prints

from engine import Kill, Swarm
from engine.record.codec import world_to_pieces
from engine.record.time_machine import TimeMachine
from engine.record.worker import BACKPRESSURE_MAX, LAG_MAX, LENGTH, CheckpointWorker, WorkerRun

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300


def with_worker(**changes: object) -> tuple[TimeMachine, CheckpointWorker]:
    checkpoints = CheckpointWorker(spacing=60, start_cost=100)
    return TimeMachine(Swarm(setup("gnutella", **changes)), checkpoints=checkpoints), checkpoints


def play(machine: TimeMachine) -> None:
    for at_s, command in STORY:
        go(machine, round(at_s * SECOND))
        machine.swarm.do(command)
    go(machine, END_US)


def wait_for_checkpoints(machine: TimeMachine, checkpoints: CheckpointWorker, count: int, at_us: int = 0) -> None:
    """Wait for so many checkpoints, the last of them at that time or later."""
    begun = time.monotonic()
    while len(checkpoints.store.checkpoints) < count or checkpoints.store.checkpoints[-1].at[0] < at_us:
        machine.on_advanced()
        assert checkpoints.pid, checkpoints.status
        assert time.monotonic() - begun < PATIENCE_S, checkpoints.status
        time.sleep(0.01)


def test_every_moment_is_restored_as_it_was() -> None:
    machine, checkpoints = with_worker()
    alone = TimeMachine(Swarm(setup("gnutella")))
    play(machine)
    play(alone)
    wait_for_checkpoints(machine, checkpoints, 5, 10 * SECOND)
    try:
        for at_us in (11 * SECOND, 3 * SECOND + 1, 7 * SECOND, END_US):
            at_once(machine.seek(at_us))
            at_once(alone.seek(at_us))
            assert prints(machine) == prints(alone)
        assert machine.diverged is None
    finally:
        machine.close()


def test_after_a_fork_checkpoints_are_of_the_new_branch() -> None:
    machine, checkpoints = with_worker()
    play(machine)
    wait_for_checkpoints(machine, checkpoints, 4, 8 * SECOND)
    try:
        at_once(machine.seek(6 * SECOND))
        machine.swarm.do(Kill("random 6"))
        assert all(one.at <= (6 * SECOND, machine.swarm.given) for one in checkpoints.store.checkpoints)
        before = len(checkpoints.store.checkpoints)
        go(machine, 12 * SECOND)
        wait_for_checkpoints(machine, checkpoints, before + 1, 9 * SECOND)
        end = prints(machine)
        times = [one.at for one in checkpoints.store.checkpoints]
        assert times == sorted(times)
        at_once(machine.seek(10 * SECOND))
        at_once(machine.seek(12 * SECOND - 1))
        go(machine, 12 * SECOND)
        assert prints(machine) == end
        assert machine.diverged is None
    finally:
        machine.close()


def test_a_short_run_starts_no_process() -> None:
    machine = TimeMachine(Swarm(setup("gnutella")), checkpoints=(checkpoints := CheckpointWorker()))
    go(machine, 10 * SECOND)
    assert checkpoints.pid is None
    assert "no process yet" in checkpoints.status
    machine.close()


def test_a_run_goes_on_and_back_after_the_process_has_died() -> None:
    machine, checkpoints = with_worker()
    play(machine)
    wait_for_checkpoints(machine, checkpoints, 2)
    assert checkpoints.pid
    os.kill(checkpoints.pid, 9)
    begun = time.monotonic()
    while checkpoints.pid:
        machine.on_advanced()
        assert time.monotonic() - begun < PATIENCE_S
    assert "no more checkpoints" in checkpoints.status
    go(machine, END_US + SECOND)
    at_once(machine.seek(5 * SECOND))
    at_once(machine.seek(END_US))
    alone = TimeMachine(Swarm(setup("gnutella")))
    play(alone)
    assert prints(machine) == prints(alone)
    machine.close()


STARTER = """
import sys, time
sys.path[:0] = [{root!r}, {tests!r}]
from test_checkpoint_worker import with_worker, play, wait_for_checkpoints
machine, checkpoints = with_worker()
play(machine)
wait_for_checkpoints(machine, checkpoints, 1)
print(checkpoints.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for a process in /proc")
def test_the_process_ends_with_the_one_that_started_it() -> None:
    script = STARTER.format(root=str(ROOT), tests=str(Path(__file__).parent))
    starter = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    worker = int(starter.stdout.readline())
    starter.kill()
    starter.wait()
    starter.stdout.close()
    begun = time.monotonic()
    while Path(f"/proc/{worker}").exists() and b"engine" in Path(f"/proc/{worker}/cmdline").read_bytes():
        assert time.monotonic() - begun < PATIENCE_S
        time.sleep(0.01)


def test_a_late_process_gives_backpressure_until_it_has_caught_up() -> None:
    machine, checkpoints = with_worker()
    assert checkpoints.backpressure == 0
    play(machine)
    checkpoints._end_cost += 5 * LAG_MAX
    assert checkpoints.backpressure == BACKPRESSURE_MAX
    wait_for_checkpoints(machine, checkpoints, 4, 8 * SECOND)
    try:
        assert machine.backpressure == checkpoints.backpressure == 0, "it is not later than allowed"
        machine.poll()
    finally:
        machine.close()


def test_a_late_process_takes_half_as_many_checkpoints(tmp_path: Path) -> None:
    world, taken = Swarm(setup("gnutella")).world, {}
    for late in (0, 1_000_000):
        path = tmp_path / f"{late}"
        out = os.open(path, os.O_WRONLY | os.O_CREAT)
        run = WorkerRun(out)
        run.handle(("begin", 150, setup("gnutella"), None))
        for piece in (*world_to_pieces(world), None):
            run.handle(("world", piece))
        for at_us in range(SECOND // 4, END_US, SECOND // 4):
            run.handle(("until", 0, at_us, late))
            while run.step():
                pass
        os.close(out)
        data, costs = path.read_bytes(), []
        while data:
            (size,) = LENGTH.unpack_from(data)
            costs.append(pickle.loads(data[LENGTH.size : LENGTH.size + size])[1].cost)
            data = data[LENGTH.size + size :]
        taken[late] = len(costs)
    assert taken[0] > 1.5 * taken[1_000_000] > 2
