"""Paths over several peers that peers state (`Host.path`): circuits, relayed calls, chains of next hops. Called ways
here.

Each is a row of a table, so that a frame copies two arrays; when a row is removed, the last row takes its place.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from ..api import PeerId
from .words import Words, word_text

HOPS_MOST = 32
"""Hops of one way that are kept."""
WAYS_MOST = 256
"""Ways that one peer may have stated at a time: above that the oldest is removed."""


class Ways:
    """All ways that peers state now. `version` increases with each change."""

    def __init__(self) -> None:
        self.version = 0
        self.words = Words(("",))
        self._rows: dict[PeerId, dict[Hashable, int]] = {}
        """Peer -> key -> row, in the order in which they were first stated."""
        self._whose: list[tuple[PeerId, Hashable]] = []
        self._hops = np.full((0, 4), -1, np.int32)
        """The peer that states the way, then its hops, then -1."""
        self._word = np.zeros(0, np.uint8)
        self._onward: dict[tuple[PeerId, Hashable], None] = {}
        """Those that go on from their last hop, see `api.Host.path`."""

    def __getstate__(self) -> dict[str, Any]:
        count = len(self._whose)
        return {**self.__dict__, "_hops": self._hops[:count].copy(), "_word": self._word[:count].copy()}

    def tell(self, peer: PeerId, key: Hashable, hops: Sequence[PeerId], word: str, onward: bool = False) -> None:
        """A peer states a way, or its new hops; without hops the way is removed."""
        row = self._rows.get(peer, {}).get(key)
        if not hops:
            if row is not None:
                self._remove(row)
            return
        whole = (peer, *hops[:HOPS_MOST])
        if row is None:
            rows = self._rows.setdefault(peer, {})
            if len(rows) >= WAYS_MOST:
                self._remove(next(iter(rows.values())))
            row = rows[key] = len(self._whose)
            self._whose.append((peer, key))
        if onward:
            self._onward[peer, key] = None
        else:
            self._onward.pop((peer, key), None)
        self._grow(row + 1, len(whole))
        self._hops[row] = -1
        self._hops[row, : len(whole)] = whole
        self._word[row] = self.words.code(word_text(word))
        self.version += 1

    def forget(self, peer: PeerId) -> None:
        """A peer has stopped: remove its ways."""
        while rows := self._rows.get(peer):
            self._remove(next(iter(rows.values())))

    def of(self, peer: PeerId) -> list[tuple[tuple[PeerId, ...], str]]:
        """(hops, word) of each way of a peer, in the order in which they were first stated. A way that goes on
        (`onward`) includes the hops of the ways that continue it, up to the first peer that it comes to again."""
        names = tuple(self.words.codes)
        found = []
        for row in self._rows.get(peer, {}).values():
            hops, seen = self._hops_of(row), dict.fromkeys((peer,))
            at: int | None = self._next(row)
            seen.update(dict.fromkeys(hops[:-1]))
            while at is not None and hops[-1] not in seen and len(hops) < HOPS_MOST:
                seen[hops[-1]] = None
                hops += self._hops_of(at)
                at = self._next(at)
            found.append((tuple(hops), names[int(self._word[row])]))
        return found

    def _hops_of(self, row: int) -> list[PeerId]:
        return [one for one in self._hops[row, 1:].tolist() if one >= 0]

    def _next(self, row: int) -> int | None:
        """The row that a way goes on with."""
        if self._whose[row] not in self._onward:
            return None
        return self._rows.get(self._hops_of(row)[-1], {}).get(self._whose[row][1])

    def onward(self) -> tuple[Any, Any]:
        """For each row, int32 (P,): the row of the way that continues it, -1 where there is none, and -2 for a way that
        does not go on (`onward`). And bool (P,): whether it comes back to itself in this manner."""
        count = len(self._whose)
        following, loops = np.full(count, -2, np.int32), np.zeros(count, np.bool_)
        for row, whose in enumerate(self._whose) if self._onward else ():
            if whose in self._onward:
                at = self._next(row)
                following[row] = -1 if at is None else at
        ways = following.tolist()
        done = [False] * count
        for first in range(count):
            way: dict[int, None] = {}
            row = first
            while row >= 0 and not done[row]:
                done[row] = True
                way[row] = None
                row = ways[row]
            if row in way:
                at_row = row
                while True:
                    loops[at_row] = True
                    at_row = ways[at_row]
                    if at_row == row:
                        break
        return following, loops

    def columns(self) -> tuple[Any, Any]:
        """Copies: int32 (P, W), the peer that states the way, its hops, and -1 after the last; and uint8 (P,), its
        word."""
        count = len(self._whose)
        return self._hops[:count].copy(), self._word[:count].copy()

    def _grow(self, rows: int, wide: int) -> None:
        had, across = self._hops.shape
        if rows > had or wide > across:
            hops = np.full((max(had, 2 * rows if rows > had else 0), max(across, wide)), -1, np.int32)
            hops[:had, :across] = self._hops
            self._hops = hops
            self._word = np.concatenate([self._word, np.zeros(len(hops) - had, np.uint8)])

    def _remove(self, row: int) -> None:
        peer, key = self._whose[row]
        self._onward.pop((peer, key), None)
        del self._rows[peer][key]
        if not self._rows[peer]:
            del self._rows[peer]
        last = len(self._whose) - 1
        if row != last:
            self._hops[row], self._word[row] = self._hops[last], self._word[last]
            other, other_key = self._whose[row] = self._whose[last]
            self._rows[other][other_key] = row
        self._whose.pop()
        self.version += 1
