"""Ways back: which connection a descriptor came from, by its GUID, so that its answer can return the way it came.

A flood asks the table of queries once for each delivery, and nineteen of twenty have been there before. Among ten
thousand servents such a question waits for memory and hardly computes: the servent, its table and the table's entries
are each a walk to another place. So

* what is asked for is in the base class of all others: slots stand in the order of the classes, and the first share a
  cache line with the head of the object;
* the GUID that came last stands there itself: most duplicates are of it, and need no table;
* an empty table is nobody's own. Those that are needed are then made as the first flood passes, one beside the other,
  and not each amid all else that its servent was made of.

(Measured, a delivery that is a duplicate, its loop included: 0.50 us among 10,000 servents where it took 1.2, and
0.18 us among 1,000 where it took 0.4; about half of that is the call that a `return` has replaced.)
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...api import Host, Peer, PeerId

EMPTY: dict[bytes, PeerId] = {}
"""Every servent's table of queries while there is nothing in it. Never written to: see `Ways.came_from`."""


@dataclass(slots=True)
class Table:
    """GUID -> the connection it came from. Two generations: the older is forgotten as a whole."""

    new: dict[bytes, PeerId] = field(default_factory=dict)
    old: dict[bytes, PeerId] = field(default_factory=dict)

    def get(self, key: bytes) -> PeerId | None:
        """Where it came from, or None for never heard of, or forgotten."""
        return self.new.get(key, self.old.get(key))

    def put(self, key: bytes, came_from: PeerId, most: int) -> None:
        """Remember one more; when both generations together could outgrow `most`, the older goes."""
        self.new[key] = came_from
        if len(self.new) * 2 > most:
            self.turn()

    def turn(self) -> None:
        """Forget the older generation."""
        self.old, self.new = self.new, {}

    def __len__(self) -> int:
        return len(self.new) + len(self.old)


class Ways(Peer):
    """The part of a servent that remembers queries. `seen` is where each came from, by GUID, and `seen_before` the
    older ones; two generations as in a `Table`. `latest` is the GUID of the one that came last."""

    __slots__ = ("latest", "seen", "seen_before")

    def __init__(self) -> None:
        self.latest = b""
        self.seen = EMPTY
        self.seen_before = EMPTY

    def came_from(self, host: Host, number: bytes, sender: PeerId) -> None:
        """Remember the way back of a query."""
        if not self.seen:
            # Another may share the empty one, EMPTY or what became of it in a copy of the swarm.
            self.seen = {}
        self.latest = number
        self.seen[number] = sender
        if len(self.seen) * 2 > host.options.guid_table:
            self.turn()

    def way_back(self, number: bytes) -> PeerId | None:
        """Where a query came from, or None for never heard of, or forgotten."""
        return self.seen.get(number, self.seen_before.get(number))

    def turn(self) -> None:
        """Forget the older generation."""
        self.latest = b""
        self.seen, self.seen_before = EMPTY, self.seen
