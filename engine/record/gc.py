"""Excludes a swarm that is in use from garbage collection, and frees a discarded one in small steps.

A swarm of 1,000 peers is fifty thousand objects that the collector visits, one of 10,000 peers two hundred thousand,
and nearly none of them is ever garbage. Visiting them took 35 and 94 ms, and right after a seek, with another swarm to
be freed, 47 and 430 ms, in which no frame is drawn. So a program with a screen excludes new objects from collection
(`gc.freeze`); collecting the rest takes 1 to 10 ms. But a swarm is full of reference cycles, and a frozen one would
never be collected: `free_in_steps` breaks the cycles.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from ..swarm import Swarm

STEP = 200
"""Peers, or instants, that are freed in one step: a fraction of a millisecond."""
FROZEN_LEAST = 2_000
"""Objects that a program which calls `gc.freeze` has frozen at least: a bare interpreter has some 5,000. Python 3.12
freezes some 400 by itself when it starts."""


@contextmanager
def collector_paused() -> Iterator[None]:
    """Disable the collector while a swarm is made: half a million objects are added and none becomes garbage, and the
    repeated search for garbage takes longer than making them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _has_frozen() -> bool:
    """Whether the program has called `gc.freeze`."""
    return gc.get_freeze_count() > FROZEN_LEAST


def freeze_objects() -> None:
    """Collect garbage, then freeze all objects that there are. Does nothing in a program that has not called
    `gc.freeze` before, since it may not want frozen objects."""
    if _has_frozen():
        gc.collect()
        gc.freeze()


@contextmanager
def frozen_after(wanted: bool) -> Iterator[None]:
    """Pause the collector in the block and, if `wanted`, freeze the objects that it made, under the condition of
    `freeze_objects`."""
    wanted = wanted and _has_frozen()
    if wanted:
        gc.collect()
    with collector_paused():
        yield
        if wanted:
            gc.freeze()


def free_in_steps(swarm: Swarm) -> Iterator[None]:
    """Free a swarm, some peers at a time. It must not be used from the first step on."""
    sim = swarm.simulation
    kernel, network = sim.kernel, sim.network
    for host in sim.peer_hosts:
        host.component_hosts = None
    columns = (sim.peer_hosts, sim.saved_states, sim.libraries, kernel.peers, kernel.hosts, kernel.tables)
    while any(columns):
        for column in columns:
            del column[-STEP:]
        yield
    for waiting in (kernel.messages, kernel.timers):
        while waiting:
            for _ in range(min(STEP, len(waiting))):
                waiting.popitem()
            yield
    for part in (
        swarm.workload,
        swarm.arrivals,
        swarm.court,
        swarm._attacks,
        swarm.columns,
        swarm._snapshots,
        sim.metrics,
        sim.event_log,
        sim.faults,
        network.bandwidth,
        network.link_rates,
        network.nat,
        network.held_links,
        network.stalls,
        network.links,
        network,
        sim.shared,
        kernel,
        sim,
        swarm,
    ):
        if part is not None and hasattr(part, "__dict__"):
            part.__dict__.clear()
            yield
