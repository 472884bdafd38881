"""What several networks share: a bounded table, a look into the own library, and closed forms of theory.

For the files of `engine/protocols/`. Nothing else in the engine imports it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from typing import NamedTuple, TypeVar

from .api import File, Host, Theory

K = TypeVar("K")
V = TypeVar("V")


def put_bounded(table: dict[K, V], key: K, value: V, most: int) -> None:
    """Store an entry in a table of at most `most` entries; the entries that were added first are removed.

    A new value for a key that is there does not make the entry newer: `table.pop(key, None)` before it does. The limit
    is an argument, since most limits are options that may change while a run goes on. The table is a plain dict: each
    instance of a subclass adds 0.9 us to a checkpoint (an empty dict takes 0.04), and every peer has several.
    """
    table[key] = value
    while len(table) > most:
        del table[next(iter(table))]


def own_file(host: Host, name: str) -> File | None:
    """The file of exactly that name in the library of this peer."""
    return next((file for file in host.library.matching(name) if file.name == name), None)


# --- closed forms --------------------------------------------------------------------------------------------


class Epidemic(NamedTuple):
    """The expected outcome of an infect-and-die rumour, see `infect_and_die`."""

    fanout: int
    """Peers that each informed peer tells: not more than there are others."""
    mean: float
    """Of these, the mean number that are alive."""
    missed: float
    """Share of the living peers that it does not reach, 0 to 1."""
    reached: float
    """Living peers that it reaches, the origin left out."""
    messages: float
    rounds: float | None
    """Generations until it has grown to all living, or None where it dies out."""
    living: int
    """Living peers, the origin left out."""

    def theory(self) -> tuple[Theory, ...]:
        """As rows beside a measured ask; none where no other peer is alive."""
        if not self.living:
            return ()
        share = f"1 - s of the living, s = e^(-{self.mean:.2g} (1 - s)) = {self.missed:.1%}"
        rows = (
            Theory("reached", self.reached, share),
            Theory("messages", self.messages, f"{self.fanout} by each who heard"),
        )
        if self.rounds is None:
            return rows
        return (*rows, Theory("rounds", self.rounds, f"ln n / ln {self.mean:.2g}, to grow to n"))


def infect_and_die(others: int, living: int, fanout: int) -> Epidemic:
    """A rumour that each peer, when it first hears it, tells to `fanout` others chosen at random, and never again.

    others: peers besides the origin, dead ones included, since they are drawn too
    living: of these, how many are alive
    fanout: peers that each one tells

    The share s that never hears solves s = exp(-mean (1 - s)), mean = fanout living / others; the iteration from 0
    converges from below to the smaller root. Source: Kermarrec, Massoulié and Ganesh, "Probabilistic reliable
    dissemination in large-scale systems", IEEE TPDS 14(3), 2003; for the rounds, Pittel, "On spreading a rumor", 1987,
    of which only the growth to n is taken: ln n / ln mean.
    """
    fanout = min(fanout, others)
    mean = fanout * living / others if others else 0.0
    missed = 0.0
    for _ in range(200):
        missed = exp(-mean * (1.0 - missed))
    reached = living * (1.0 - missed)
    rounds = log(max(living, 2)) / log(mean) if mean > 1.0 else None
    return Epidemic(fanout, mean, missed, reached, fanout * (reached + 1), rounds, living)


class Flood(NamedTuple):
    """The exact outcome of a flood over a given graph, see `flood`."""

    reached: int
    """Peers that it arrives at, the origin left out."""
    messages: int
    complete: bool
    """Whether no reachable peer is further away than the flood travels."""


def flood(levels: Sequence[tuple[int, int]], hops: int) -> Flood:
    """A flood without losses in which each peer passes a question on to all neighbours but the one it came from.

    levels: for each distance from the origin 0, 1, …: (peers at that distance, sum of their degrees)
    hops: how far the question travels, at least 1

    The origin sends one message to each neighbour, and each peer reached before the last hop one to all but one of its
    own; a flood of a whole connected graph of N peers and E links therefore takes 2 E - N + 1 messages.
    """
    reached = sum(peers for peers, _ in levels[1 : hops + 1])
    messages = levels[0][1] + sum(degrees - peers for peers, degrees in levels[1:hops])
    return Flood(reached, messages, len(levels) <= hops)


def tree_reach(degree: int, hops: int) -> int:
    """Peers within `hops` hops of the root of a tree in which each peer has `degree` neighbours: an upper bound of what
    a flood reaches in a regular graph, which has cycles. Source: Ritter, "Why Gnutella can't scale. No, really.", 2001.
    """
    return sum(degree * (degree - 1) ** hop for hop in range(hops))
