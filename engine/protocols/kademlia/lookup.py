"""The list of nodes of one iterative lookup (Kademlia 2.3). It sends nothing: it says whom to ask next."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from ...api import Cause, PeerId
from ...kit import ID_END
from .table import Contact

KEPT_LEAST = 40
"""Nodes that a lookup keeps at least, besides those that have failed: with a small k many of them may be dead."""
KNOWN, ASKED, ANSWERED, FAILED = range(4)
Purpose = Literal["node", "value", "values", "publish", "announce", "refresh", "join", "republish"]


@dataclass(slots=True, eq=False)
class Lookup:
    """A lookup that is under way.

    purpose   "value" ends with the first answer that has values; all others end when the k nearest have answered
    cause     the ask that it belongs to, 0 for upkeep; context: what its owner wants back with the results
    order     (distance, node) of all nodes that were named, the nearest first
    state     node -> KNOWN, ASKED, ANSWERED or FAILED
    via       node -> who named it first; a node of the own table was named by nobody
    depth     node -> length of the chain of nodes that led to it: 1 for one of the own table
    tokens    node -> what it wants to see before it stores something (BEP 5)
    empty     the nearest node that answered without the value: the one to cache it (2.3)
    storing, stored, to_store
              when the lookup is over and its result is published: STOREs under way, nodes that have stored it, and
              nodes that were asked to
    asked     requests so far; failed: those that had no answer; rounds: how often some were sent
    """

    number: int
    target: int
    purpose: Purpose
    k: int
    request: Any
    cause: Cause = 0
    context: Any = None
    empty: Contact | None = None
    order: list[tuple[int, Contact]] = field(default_factory=list)
    state: dict[Contact, int] = field(default_factory=dict)
    via: dict[Contact, PeerId] = field(default_factory=dict)
    depth: dict[Contact, int] = field(default_factory=dict)
    tokens: dict[Contact, bytes] = field(default_factory=dict)
    values: dict[PeerId, None] = field(default_factory=dict)
    in_flight: int = 0
    storing: int = 0
    stored: int = 0
    to_store: int = 0
    asked: int = 0
    failed: int = 0
    rounds: int = 0

    def learn(self, nodes: Iterable[Contact], me: Contact, by: Contact | None = None) -> None:
        """Add nodes that the own table has, or that `by` named. Left out are `me`, impossible identifiers, and nodes
        that are farther away than all that can still be asked."""
        target, order, state, depths, via = self.target, self.order, self.state, self.depth, self.via
        most = self.failed + max(4 * self.k, KEPT_LEAST)
        depth, by_peer = (1, -1) if by is None else (depths.get(by, 0) + 1, by[1])
        my_id, my_peer = me
        for node in nodes:
            if node in state:
                continue
            number, peer = node
            if number == my_id or peer == my_peer or not 0 <= number < ID_END:
                continue
            distance = number ^ target
            if len(order) >= most:
                if distance > order[-1][0]:
                    continue
                if state[order[-1][1]] == KNOWN:
                    del state[order.pop()[1]]
            state[node] = KNOWN
            depths[node] = depth
            if by is not None:
                via[node] = by_peer
            insort(order, (distance, node))

    def next(self, alpha: int, rounds: bool) -> list[Contact] | None:
        """Whom to ask now: the nearest that were not asked, of the k nearest that have not failed. None when each of
        these has answered: the lookup is over.

        At most `alpha` requests are under way. rounds: the next ones leave when all of the last ones have ended, as in
        the paper's description; else as soon as one has ended (the paper allows both).
        """
        room = 0 if rounds and self.in_flight else alpha - self.in_flight
        state = self.state
        chosen: list[Contact] = []
        left = self.k
        over = True
        for _, node in self.order:
            now = state[node]
            if now == ANSWERED:
                left -= 1
            elif now == FAILED:
                continue
            else:
                over = False
                if len(chosen) >= room:
                    break
                left -= 1
                if now == KNOWN:
                    chosen.append(node)
            if not left:
                break
        if over:
            return None
        for node in chosen:
            state[node] = ASKED
        self.in_flight += len(chosen)
        self.asked += len(chosen)
        self.rounds += bool(chosen)
        return chosen

    def ended(self, node: Contact, answered: bool) -> bool:
        """A request has ended. Returns False for a node that was not being asked."""
        if self.state.get(node) != ASKED:
            return False
        self.state[node] = ANSWERED if answered else FAILED
        self.failed += not answered
        self.in_flight -= 1
        return True

    def nearest(self) -> list[Contact]:
        """The k nearest of the nodes that have answered, the nearest first."""
        return [node for _, node in self.order if self.state[node] == ANSWERED][: self.k]

    def nearer_than(self, node: Contact) -> int:
        """The number of nodes known to be nearer to the target than this one; failed ones are not counted."""
        distance = node.id ^ self.target
        return sum([1 for far, one in self.order if far < distance and self.state[one] != FAILED])
