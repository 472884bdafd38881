"""Writes a run of `stories` into a file, and replays a recording: helpers of the tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stories import END_US, SECOND, setup, story
from test_time_machine import go

from engine import Swarm
from engine.record.file import Recording
from engine.record.time_machine import TimeMachine


def ticking() -> Callable[[], float]:
    """A clock on which a second passes with each call, so that a recording is written at once."""
    ticks = itertools.count()
    return lambda: float(next(ticks))


def written(path: Path, name: str = "gnutella", until_us: int = END_US, **changes: Any) -> TimeMachine:
    """A run of the story of a network (see `stories.py`), recorded into `path` from its beginning and closed."""
    machine = TimeMachine(Swarm(setup(name, **changes)))
    machine.record(str(path), {"title": "a story"}, ticking())
    for at_s, command in story(name):
        if at_s * SECOND < until_us:
            go(machine, round(at_s * SECOND))
            machine.swarm.do(command)
    go(machine, until_us)
    machine.close()
    return machine


def replayed(recording: Recording, budget: int | None = None) -> TimeMachine:
    machine = TimeMachine(Swarm(recording.setup, world=recording.world), recording=recording)
    while machine.advance(recording.end_us, budget) and budget:
        pass
    machine.check_final_fingerprint()
    return machine
