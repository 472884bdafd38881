"""Which figures mean something in a network, by what it declares: others are not shown."""

from __future__ import annotations

from engine import Snapshot, dataclass


@dataclass(frozen=True, slots=True)
class Meaning:
    """reach: how many peers an ask came to, and how deep (not where a server answers for all); hits: asks have answers
    (not where all of them are rumours); duplicates: a question may come to a peer twice."""

    reach: bool
    hits: bool
    duplicates: bool


def meaning_of(snapshot: Snapshot) -> Meaning:
    """Which figures mean something in the network of a snapshot, with the asks that it has: a command may state another
    goal than the usual one."""
    fixed = snapshot.fixed
    reach = fixed.goals[0].audience != "one"
    hits = fixed.goals[0].sought == "answer" or any(row.sought == "answer" for row in snapshot.asks)
    return Meaning(reach, hits, reach or snapshot.totals.duplicates > 0)
