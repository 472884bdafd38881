"""Networks of Kademlia for tests and figures: converged, with the results of each search."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

from engine import AskFor, Host, Kill, Setup, Swarm, on
from engine.kit import key_of
from engine.protocols.kademlia import Ended, Node
from engine.setup import ContentSpec

SECOND = 1_000_000
HOUR = 3_600 * SECOND


@dataclass(slots=True, eq=False)
class Measured(Node, name="kademlia-measured"):
    """A node that keeps the results of its searches."""

    ended: list[Ended] = field(default_factory=list)

    @on(Ended)
    def keep_ended(self, host: Host, ended: Ended) -> None:
        self.ended.append(ended)


def converged(
    peers: int, latency: str = "constant:50", asks_per_s: float = 0.0, seed: int = 1, items: int = 400, **options: Any
) -> Swarm:
    """A network that starts converged. options: those of the hash table, without `dht.`."""
    return Swarm(
        Setup(
            peers=peers,
            seed=seed,
            latency=latency,
            asks_per_s=asks_per_s,
            topology="ring",
            content=ContentSpec(items=items, replicas=1.0),
            options={f"dht.{name}": value for name, value in options.items()},
        ),
        Measured,
    )


def programs(swarm: Swarm) -> list[Any]:
    """The program of each peer; None for one that does not run."""
    return swarm.simulation.programs


@dataclass(frozen=True, slots=True)
class Lookups:
    """Means of some lookups: length of the chain that led to the nearest node, requests, rounds; and how many of them
    found the nearest of all."""

    depth: float
    requests: float
    rounds: float
    nearest: int


def look_up(swarm: Swarm, count: int) -> Lookups:
    """Searches for names that nobody has, by as many peers, one after the other: their keys are random targets, and
    they end when the k nearest nodes have answered."""
    nodes = [one.dht.table.me for one in programs(swarm)]
    results = []
    right = 0
    for number in range(count):
        asker, name = number * 7 % len(nodes), f"nothing {number}"
        swarm.do(AskFor(asker, name))
        swarm.advance_quiet(swarm.now_us + HOUR)
        ended = programs(swarm)[asker].ended[-1]
        target = key_of(name) or 0
        assert ended.key == target
        best = min((one for one in nodes if one.peer != asker), key=lambda one: one.id ^ target)
        right += ended.nearest[0] == best
        results.append(ended)
    return Lookups(
        statistics.mean(one.depth for one in results),
        statistics.mean(one.asked for one in results),
        statistics.mean(one.rounds for one in results),
        right,
    )


@dataclass(frozen=True, slots=True)
class Survival:
    """Shares of values of which a keeper lives, and that a lookup found."""

    exists: float
    found: float


def survival(peers: int, k: int, share: float, count: int, networks: int = 1) -> Survival:
    """Kill a share of the nodes at once, then let living nodes look for so many values. No copies are made, no contact
    is pinged, nothing is remembered of those that do not answer, and who asks keeps no record of it itself.

    networks: over how many the values are divided: those of one share keepers, so that their fates are not independent.
    """
    parts = [_survival(peers, k, share, count // networks, seed) for seed in range(1, networks + 1)]
    return Survival(statistics.mean(one.exists for one in parts), statistics.mean(one.found for one in parts))


def _survival(peers: int, k: int, share: float, count: int, seed: int) -> Survival:
    swarm = converged(
        peers, seed=seed, items=count, keepers=k, cache=False, silent_s=1e6, publish_s=0.0, republish_s=0.0
    )
    titles = swarm.catalogue_titles(count)
    assert len(titles) == count
    swarm.do(Kill(f"random {share:.0%}"))
    living = [peer for peer, one in enumerate(programs(swarm)) if one is not None]
    exists = found = 0
    for number in range(count):
        title = titles[number]
        keepers = [peer for peer in living if programs(swarm)[peer].keeps(title)]
        asker = next(peer for peer in living[number % len(living) :] + living if peer not in keepers)
        exists += bool(keepers)
        swarm.do(AskFor(asker, title))
        swarm.advance_quiet(swarm.now_us + HOUR)
        program = programs(swarm)[asker]
        found += bool(program.ended[-1].values)
        program.dht.table.failures.clear()
    return Survival(exists / count, found / count)
