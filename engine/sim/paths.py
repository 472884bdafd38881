"""Paths over the open streams between peers, searched from both ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..api import PeerId


class PathLengths:
    """Hops from one peer, or from the nearest of several, to others over the open streams, not through peers that are
    `closed`.

    The search goes from both ends at once, always from the smaller front: so two fronts of a thousand peers meet, where
    a search from one end would visit all peers. What was searched around the origin is kept for the next goal.
    """

    def __init__(
        self,
        near: Sequence[Iterable[PeerId]],
        *origins: PeerId,
        closed: Callable[[PeerId], bool] | None = None,
    ) -> None:
        self._near = near
        self._closed = closed
        self._hops = dict.fromkeys(origins, 0)
        self._front = set(origins)
        """The peers at the greatest distance so far; empty if there are no others."""
        self._depth = 0
        self._joined: set[PeerId] = set()
        """Others to which some path leads, as far as that is known."""
        self._apart: set[PeerId] = set()
        """Peers to which no path leads, as far as that is known."""

    def to(self, goal: PeerId, goals: int = 1) -> int:
        """Hops to a peer, or -1 where no path leads there. goals: how many are asked for, this one included: the search
        around the origin serves all of them."""
        known = self._hops.get(goal)
        if known is not None:
            return known
        if goal in self._apart or (self._closed is not None and self._closed(goal)):
            return -1
        front, seen, depth = {goal}, {goal}, 0
        while self._front and front:
            if len(self._front) <= goals * len(front):
                self._widen()
                if not seen.isdisjoint(self._front):
                    return self._depth + depth
            else:
                around = self._around(front)
                depth += 1
                # Before closed peers are left out: the origin may be closed.
                if not self._hops.keys().isdisjoint(around):
                    return self._depth + depth
                front = self._open(around - seen)
                seen |= front
        if not front:
            self._apart |= seen
        return -1

    def lead_to(self, goal: PeerId, most: int | None = None, goals: int = 1) -> bool:
        """Whether a path leads to a peer, of at most `most` hops if that is given. Without `most` the search is
        shorter, since the path may lead through what was searched around an earlier goal."""
        if most is not None:
            return 0 <= self.to(goal, goals) <= most
        joined, hops = self._joined, self._hops
        if goal in hops or goal in joined:
            return True
        if goal in self._apart or (self._closed is not None and self._closed(goal)):
            return False
        front, seen = {goal}, {goal}
        while self._front and front:
            if len(self._front) <= len(front):
                self._widen()
                met = not seen.isdisjoint(self._front)
            else:
                around = self._around(front)
                met = not (joined.isdisjoint(around) and hops.keys().isdisjoint(around))
                front = self._open(around - seen)
                seen |= front
            if met:
                joined |= seen
                return True
        if not front:
            self._apart |= seen
        return False

    def known_to_join(self, peers: Iterable[PeerId]) -> bool:
        """Whether paths lead to all of these, as far as was searched."""
        joined, hops = self._joined, self._hops
        return not [peer for peer in peers if peer not in joined and peer not in hops]

    def within(self, most: int | None = None) -> Mapping[PeerId, int]:
        """Hops to each peer that is at most `most` hops away, the origins first; without `most`, to each peer to which
        a path leads."""
        while self._front and (most is None or self._depth < most):
            self._widen()
        if most is None or self._depth <= most:
            return self._hops
        return {peer: hops for peer, hops in self._hops.items() if hops <= most}

    def _widen(self) -> None:
        """Search one hop further around the origin."""
        self._front = self._open(self._around(self._front).difference(self._hops))
        self._depth += 1
        self._hops.update(dict.fromkeys(self._front, self._depth))

    def _around(self, front: set[PeerId]) -> set[PeerId]:
        """All neighbours of some peers."""
        return set().union(*map(self._near.__getitem__, front))

    def _open(self, peers: set[PeerId]) -> set[PeerId]:
        closed = self._closed
        return peers if closed is None else {peer for peer in peers if not closed(peer)}
