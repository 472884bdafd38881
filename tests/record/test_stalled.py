"""Recordings, seeks and forks while a stream is stalled."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import replayed, ticking
from test_time_machine import at_once, go, prints

from engine import AskFor, Censor, Kill, Setup, Swarm, Uncensor
from engine.record.checkpoints import Checkpoints
from engine.record.file import read
from engine.record.time_machine import TimeMachine

SECOND = 1_000_000
SETUP = Setup(protocol="napster", peers=24, seed=3, asks_per_s=0.0)


def stalled(path: Path, checkpoints: Checkpoints | None) -> tuple[TimeMachine, int, tuple[object, ...]]:
    """A recorded download whose asker is censored for 4 s. Returns the run at its end, the time of the censor in us,
    and what the run was like 2 s after it."""
    machine = TimeMachine(Swarm(SETUP), checkpoints=checkpoints)
    machine.record(str(path), {}, ticking())
    go(machine, 20 * SECOND)
    machine.swarm.do(AskFor(2, "blue train", goal="fetch"))
    while machine.swarm.snapshot().totals.by_kind["Data"] < 20:
        machine.advance(machine.now_us + SECOND // 10)
    at_us = machine.now_us
    machine.swarm.do(Censor(2))
    go(machine, at_us + 2 * SECOND)
    inside = prints(machine)
    assert machine.swarm.record(1).losses == {"censored": 2}, "a window of pieces"
    go(machine, at_us + 4 * SECOND)
    machine.swarm.do(Uncensor(2))
    go(machine, at_us + 120 * SECOND)
    return machine, at_us, inside


@pytest.mark.parametrize("spacing", [5, 0])
def test_a_stall_is_recorded_sought_and_forked(spacing: int, tmp_path: Path) -> None:
    path = tmp_path / "run.swarm"
    machine, at_us, inside = stalled(path, Checkpoints(spacing=spacing) if spacing else None)
    end, end_us = prints(machine), machine.now_us
    assert (machine.swarm.record(1).fetched, machine.swarm.snapshot().totals.dropped) == (1, 0)
    at_once(machine.seek(at_us + 2 * SECOND))
    assert prints(machine) == inside
    go(machine, end_us)
    assert prints(machine) == end

    at_once(machine.seek(at_us + 2 * SECOND))
    machine.swarm.do(Kill("#5"))
    go(machine, at_us + 3 * SECOND)
    machine.swarm.do(Uncensor(2))
    go(machine, at_us + 60 * SECOND)
    forked = prints(machine)
    assert forked[2] != end[2]
    machine.close()
    again = replayed(read(str(path)))
    assert again.diverged is None
    assert prints(again) == forked
