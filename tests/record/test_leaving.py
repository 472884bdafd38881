"""A swarm that is left goes, all of it, without anybody looking for garbage; the one that stays is out of sight."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace

import pytest
from stories import END_US, LINKS, SECOND, STORY, setup, story
from test_time_machine import at_once, go, prints

from engine import Swarm, networks
from engine.record.gc import stillness, taking_apart
from engine.record.time_machine import Checkpoints, TimeMachine


@pytest.fixture
def frozen() -> Iterator[None]:
    """As in a program that has put what it began with out of the collector's sight, and whose collector never comes."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()
    gc.collect()


def parts_of(swarm: Swarm) -> list[weakref.ref[object]]:
    simulation = swarm.simulation
    some = [
        swarm,
        simulation,
        simulation.kernel,
        simulation.shared,
        simulation.metrics,
        swarm.workload,
        swarm.arrivals,
        swarm.simulation.event_log,
        simulation.streams,
    ]
    return [weakref.ref(part) for part in some if hasattr(part, "__weakref__")]


@pytest.mark.parametrize("name", networks())
def test_a_swarm_that_is_taken_apart_goes_by_itself(name: str, frozen: None) -> None:
    swarm = Swarm(setup(name, links=LINKS))
    for at_s, command in story(name):
        swarm.advance(round(at_s * SECOND))
        swarm.do(command)
    swarm.advance(END_US)
    swarm.snapshot()
    parts = parts_of(swarm)
    assert len(parts) > 5
    for _ in taking_apart(swarm):
        pass
    del swarm
    assert [part() for part in parts if part() is not None] == []


def test_after_many_seeks_there_are_no_more_objects_than_after_one(frozen: None) -> None:
    machine = TimeMachine(Swarm(setup("gnutella")), keeper=Checkpoints(spacing=60), still=True)
    for at_s, command in STORY:
        go(machine, round(at_s * SECOND))
        machine.swarm.do(command)
    go(machine, END_US)
    end = prints(machine)

    def there_and_back() -> int:
        at_once(machine.seek(3 * SECOND))
        steps = machine.seek(9 * SECOND)
        next(steps)
        steps.close()  # whoever loses interest just stops asking
        at_once(machine.seek(7 * SECOND))
        for _ in range(1_000):
            machine.tend()
        return gc.get_freeze_count() + len(gc.get_objects())

    first = there_and_back()
    for _ in range(5):
        last = there_and_back()
    assert last < first * 1.01
    at_once(machine.seek(END_US))
    assert prints(machine) == end


def test_what_is_made_in_stillness_is_not_looked_at(frozen: None) -> None:
    before = len(gc.get_objects())
    with stillness(wanted=True):
        kept = [[each] for each in range(10_000)]
    assert len(gc.get_objects()) < before + 1_000
    assert len(kept) == 10_000


def test_a_program_that_froze_nothing_stays_like_that() -> None:
    assert not gc.get_freeze_count()
    with stillness(wanted=True):
        kept = [[each] for each in range(10)]
    assert not gc.get_freeze_count()
    assert kept


def test_a_run_that_is_dissolved_leaves_nothing(frozen: None) -> None:
    machine = TimeMachine(Swarm(replace(setup("gnutella"))), keeper=Checkpoints(spacing=60), still=True)
    go(machine, 6 * SECOND)
    at_once(machine.seek(2 * SECOND))
    parts = parts_of(machine.swarm)
    machine.close()
    machine.dissolve()
    del machine
    assert [part() for part in parts if part() is not None] == []
