"""Which asks the table and the feed show: those of users, those of one goal, or all.

A network may open asks by itself (a block, a suspicion, a routing update), many a second, so these are hidden at first.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine import AskRow, Snapshot, dataclass

USERS, ALL, GOAL = "users", "all", "goal"


@dataclass(frozen=True, slots=True)
class AskFilter:
    """kind: `USERS`, `ALL`, or `GOAL` with the name of one."""

    kind: str = USERS
    goal: str = ""

    def shows(self, by: str, goal: str) -> bool:
        """Whether an ask is shown; by: who issued it, see `AskRow.by`."""
        if self.kind == GOAL:
            return goal == self.goal
        return self.kind == ALL or by != "network"

    @property
    def words(self) -> str:
        """What is shown, for a title."""
        return {USERS: "of users", ALL: "all"}.get(self.kind, self.goal)


def shown_asks(snapshot: Snapshot, chosen: AskFilter) -> tuple[AskRow, ...]:
    """The asks of a snapshot that are shown, oldest first: the same object where all are."""
    asks = snapshot.asks
    if chosen.kind == ALL or (chosen.kind == USERS and all(row.by != "network" for row in asks)):
        return asks
    return tuple(row for row in asks if chosen.shows(row.by, row.goal))


def filters_of(snapshot: Snapshot) -> Sequence[AskFilter]:
    """All filters that show different asks in this run: those of users first. One where there is nothing to choose."""
    goals = dict.fromkeys((*(goal.name for goal in snapshot.fixed.goals), *(row.goal for row in snapshot.asks)))
    there = {row.goal for row in snapshot.asks}
    made = [AskFilter()]
    if len(there) > 1:
        made += [AskFilter(GOAL, goal) for goal in goals if goal in there]
    if any(row.by == "network" for row in snapshot.asks):
        made.append(AskFilter(ALL))
    return made
