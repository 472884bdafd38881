"""The setup of a run: all values that decide it, together with its commands. Plain values, as a scenario has them.

Specs (topology, latency, churn) stay texts here, as they were typed, so that a setup can be printed as the command line
that reproduces it. Modules of `engine/world/` parse them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from .values import dataclass

if TYPE_CHECKING:
    from .commands import Command


@dataclass(frozen=True, slots=True)
class ContentSpec:
    """The shared files. items: least number of distinct titles; a swarm with more sharers than copies has more titles,
    so that each sharer has a file; replicas: mean copies of each among the peers; zipf: exponent of the
    popularity of asks; free_riders: share of peers that share nothing (0..1), at any size of the swarm; replication:
    how copies depend on popularity, see `world.popularity`; sharing: "even", or "adar-huberman", which uses measured
    values in place of zipf and free_riders and takes replicas as a minimum, see `world.content`; file_mib: the size of
    every file in MiB (2**20 bytes), 0 for sizes of songs, which are drawn, see `world.content.file_of`."""

    items: int = 200
    replicas: float = 4.0
    zipf: float = 1.0
    free_riders: float = 0.66
    replication: str = "uniform"
    sharing: str = "even"
    file_mib: float = 0.0


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """Links besides their latency and loss. capacity: a spec, see `world.access_links`; jitter_ms: a message may take
    up to this much longer than its latency; nat: share of peers that can open connections but not accept any (0..1), or
    shares of kinds of NAT, or "usual" for those of the network, see `world.access_links`."""

    capacity: str = "none"
    jitter_ms: float = 0.0
    nat: float | str = "usual"


@dataclass(frozen=True, slots=True)
class ArrivalSpec:
    """Peers that arrive during the run. law: a spec of the gaps between them, see `world.churn`; most: their limit."""

    law: str = "none"
    most: int = 1_000


@dataclass(frozen=True, slots=True)
class Setup:
    """The setup of a run. `loss`: share of messages that are lost; `polite`: share of sessions that end in a goodbye
    rather than a kill; `asks_per_s`: background asks a second of all peers together; `schedule`: commands with their
    virtual times in microseconds, in order; `sample_s`: seconds of virtual time between two samples of the time series
    and of the peers' loads."""

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
    sample_s: float = 1.0
    schedule: tuple[tuple[int, Command], ...] = ()
