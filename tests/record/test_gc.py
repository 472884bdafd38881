"""Discarded swarms are freed without the garbage collector, which skips those that stay, as they are frozen.

That a swarm of each network is freed in steps is tested in `test_pickles.py`, of swarms that are run there.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from stories import END_US, SECOND, STORY, parts_of, setup
from test_time_machine import at_once, go, prints

from engine import Swarm
from engine.record.checkpoints import Checkpoints
from engine.record.gc import frozen_after
from engine.record.time_machine import TimeMachine


@pytest.fixture
def frozen() -> Iterator[None]:
    """A program that has frozen its first objects and has disabled the collector."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()
    gc.collect()


def test_after_many_seeks_there_are_no_more_objects_than_after_one(frozen: None) -> None:
    machine = TimeMachine(Swarm(setup("gnutella")), checkpoints=Checkpoints(spacing=60), freeze_gc=True)
    for at_s, command in STORY:
        go(machine, round(at_s * SECOND))
        machine.swarm.do(command)
    go(machine, END_US)
    end = prints(machine)

    def there_and_back() -> int:
        at_once(machine.seek(3 * SECOND))
        steps = machine.seek(9 * SECOND)
        next(steps)
        steps.close()  # a seek is cancelled when it is not iterated further
        at_once(machine.seek(7 * SECOND))
        for _ in range(1_000):
            machine.poll()
        return gc.get_freeze_count() + len(gc.get_objects())

    first = there_and_back()
    for _ in range(5):
        last = there_and_back()
    assert last < first * 1.01
    at_once(machine.seek(END_US))
    assert prints(machine) == end


def test_objects_made_in_the_block_are_frozen(frozen: None) -> None:
    before = len(gc.get_objects())
    with frozen_after(wanted=True):
        kept = [[each] for each in range(10_000)]
    assert len(gc.get_objects()) < before + 1_000
    assert len(kept) == 10_000


def test_nothing_is_frozen_in_a_program_that_froze_nothing() -> None:
    before = gc.get_freeze_count()  # Python 3.12 freezes some when it starts
    with frozen_after(wanted=True):
        kept = [[each] for each in range(10)]
    assert gc.get_freeze_count() == before
    assert kept


def test_a_run_that_is_freed_leaves_no_objects(frozen: None) -> None:
    machine = TimeMachine(Swarm(replace(setup("gnutella"))), checkpoints=Checkpoints(spacing=60), freeze_gc=True)
    go(machine, 6 * SECOND)
    at_once(machine.seek(2 * SECOND))
    parts = parts_of(machine.swarm)
    machine.close()
    machine.free()
    del machine
    assert [part() for part in parts if part() is not None] == []
