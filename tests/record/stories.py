"""Setups and commands that use every feature, for tests of recordings and checkpoints."""

from __future__ import annotations

import weakref
from typing import Any

from engine import (
    Adjourn,
    Arrive,
    AskFor,
    Attack,
    CallOff,
    Censor,
    Collude,
    Command,
    ContentSpec,
    Court,
    Cure,
    Cut,
    Defect,
    Depart,
    Heal,
    Hold,
    Kill,
    Leave,
    LinkSpec,
    Mend,
    Partition,
    Poison,
    Publish,
    Release,
    Revive,
    Set,
    Setup,
    Swarm,
    Uncensor,
    networks,
)

SECOND = 1_000_000
END_US = 14 * SECOND

STORY: tuple[tuple[float, Command], ...] = (
    (0.5, AskFor("random 2", "the")),
    (1.2, Kill("random 3")),
    (1.2, AskFor("#3", "blue")),
    (2.0, Censor("random 3")),
    (3.1, Collude("random 4", "the", 0.3)),
    (3.1, AskFor("random 2", "the")),
    (3.5, Court(1.0)),
    (3.6, Poison("random 2")),
    (4.0, Partition("random 40%")),
    (4.4, Hold("random 3")),
    (4.6, Cut("random 3")),
    (4.7, Publish("#2", "a song unheard")),
    (5.0, Set("loss", 0.1)),
    (5.6, Release("not random 50%")),
    (6.0, Leave("#5")),
    (6.1, Mend("random 50%")),
    (6.2, Adjourn()),
    (6.5, Uncensor("not random 90%")),
    (6.8, Attack("degree", share=0.1)),
    (7.0, Revive("random 2")),
    (7.4, Arrive(4, 2.0)),
    (7.5, Depart("random 4", 1.0, 0.5)),
    (7.6, Arrive(2, via="random 2")),
    (8.0, Heal()),
    (8.5, Set("latency", 1.5)),
    (9.0, Defect("random 2")),
    (9.3, Cure("not random 70%")),
    (9.6, Attack("random", share=0.1)),
    (9.8, Attack("collusion", word="the")),
    (10.0, AskFor("random 3", "song unheard")),
    (10.6, Attack("crowd", count=5, over_s=2.0)),
    (11.0, Depart("random 30%", 1.5)),
    (11.5, Set("asks", 3.0)),
    (11.8, CallOff()),
)
"""(time in s, command), with selectors that draw at random."""


def story(protocol: str) -> tuple[tuple[float, Command], ...]:
    """The commands of `STORY` that are possible in a network: no decoys without files, no hubs without links of
    users."""
    program = networks()[protocol]
    lacks = () if program.shares_files else (Poison,)
    return tuple(
        (at_s, command)
        for at_s, command in STORY
        if not isinstance(command, lacks) and (program.overlay or command != Attack("degree", share=0.1))
    )


def setup(protocol: str, **changes: Any) -> Setup:
    """A small swarm with churn, asks, and two attacks by its scenario."""
    values: dict[str, Any] = {
        "protocol": protocol,
        "peers": 24,
        "seed": 11,
        "churn": "exponential:15",
        "asks_per_s": 2.0,
        "content": ContentSpec(items=12, replicas=3.0, free_riders=0.0),
        "schedule": ((2_500_000, Kill("random 2")), (9_500_000, Revive("random 3"))),
        **changes,
    }
    return Setup(**values)


LINKS = LinkSpec(capacity="saroiu", jitter_ms=20.0, nat=0.3)
"""Links that are full, jitter, and peers behind a NAT."""


def parts_of(swarm: Swarm) -> list[weakref.ref[object]]:
    """Weak references to the parts of a swarm."""
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
