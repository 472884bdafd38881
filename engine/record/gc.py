"""What becomes of a swarm that nobody will look at any more, and how the collector is kept off the one that stays.

A swarm of 1,000 peers is fifty thousand objects that the collector follows, one of 10,000 two hundred thousand, and
nearly all of them are no garbage, ever. To go through them took 35 and 94 ms, and right after a seek, with another
swarm on its way out, 47 and 430: a picture that stands still. So whoever has a screen asks for stillness: what was just
made is put out of the collector's sight (`gc.freeze`), and looking for garbage among the rest takes a millisecond or
ten. But a swarm is full of circles, and nobody would ever come for one that was frozen; so it is taken apart by hand
when it is left, a piece at a time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from ..swarm import Swarm

STEP = 200
"""Peers, or instants, that are let go of in one piece: a fraction of a millisecond."""


@contextmanager
def no_collecting() -> Iterator[None]:
    """While a swarm is made, half a million objects come and none goes: to look for garbage among them again and again
    takes longer than to make them."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def keep_still() -> None:
    """All that is there by now stays: keep the collector off it. What is garbage goes first, or it would stay as well.
    Nothing is frozen in a program that never froze anything: it may have reasons."""
    if gc.get_freeze_count():
        gc.collect()
        gc.freeze()


@contextmanager
def stillness(wanted: bool) -> Iterator[None]:
    """While a swarm is made that will stay."""
    wanted = wanted and gc.get_freeze_count() > 0
    if wanted:
        gc.collect()
    with no_collecting():
        yield
        if wanted:
            gc.freeze()


def taking_apart(swarm: Swarm) -> Iterator[None]:
    """Let go of a swarm, some peers at a time. Nobody may look at it from now on."""
    sim = swarm.simulation
    kernel, network = sim.kernel, sim.network
    columns = (sim.peer_hosts, sim.saved_states, sim.shelves, kernel.peers, kernel.hosts, kernel.tables)
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
        network.nat,
        network.held_links,
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
