"""How a swarm begins: everything that, with the seed, decides a run. Plain values, as a scenario has them.

Specs (topology, latency, churn) stay texts here, as a person typed them, so that a setup can be printed
as the command line that reproduces it. They are read by the module that knows them, in `engine/world/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .commands import Command


@dataclass(frozen=True, slots=True)
class ContentSpec:
    """What there is to find. items: distinct titles that are asked for; replicas: mean copies of each among the peers;
    zipf: exponent of the popularity of asks; free_riders: share of peers that share nothing (0..1); replication: how
    copies depend on popularity, see `world.replication`; sharing: "even", or "adar-huberman", which knows better than
    zipf and free_riders and takes replicas for the least, see `world.sharing`."""

    items: int = 200
    replicas: float = 4.0
    zipf: float = 1.0
    free_riders: float = 0.66
    replication: str = "uniform"
    sharing: str = "even"


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """What links are like besides their latency and loss. capacity: a spec, see `world.capacity`; jitter_ms: a message
    may take this much longer than the latency says; nat: share of peers that can call but not be called (0..1)."""

    capacity: str = "none"
    jitter_ms: float = 0.0
    nat: float = 0.0


@dataclass(frozen=True, slots=True)
class ArrivalSpec:
    """Newcomers while it runs. law: a spec of the gaps between them, see `world.arrivals`; most: how many at most."""

    law: str = "none"
    most: int = 1_000


@dataclass(frozen=True, slots=True)
class Setup:
    """The beginning of a run. `loss` is a share of messages; `polite` the share of sessions that end
    in a goodbye rather than a kill; `asks_per_s` background asks a second, all peers
    together; `schedule` are commands with their virtual time in microseconds, in order."""

    protocol: str = "gnutella"
    peers: int = 64
    seed: int = 1
    topology: str = "random:4"
    latency: str = "world"
    loss: float = 0.0
    churn: str = "none"
    polite: float = 0.0
    arrivals: ArrivalSpec = ArrivalSpec()
    options: Mapping[str, object] = field(default_factory=dict)
    content: ContentSpec = ContentSpec()
    asks_per_s: float = 0.2
    links: LinkSpec = LinkSpec()
    schedule: tuple[tuple[int, Command], ...] = ()
