"""Ways over several peers that peers tell of (`Host.path`): circuits, relayed calls, chains of next hops.

A row of a table each, so that a frame copies two arrays; a row that goes is replaced by the last one.
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
"""Ways that one peer may tell of at a time: the oldest goes."""


class Ways:
    """All ways that are told of now. `version` moves with each change."""

    def __init__(self) -> None:
        self.version = 0
        self.words = Words(("",))
        self._rows: dict[PeerId, dict[Hashable, int]] = {}
        """Peer -> key -> row, in the order in which they were first told."""
        self._whose: list[tuple[PeerId, Hashable]] = []
        self._hops = np.full((0, 4), -1, np.int32)
        """The peer that tells, then its hops, then -1."""
        self._word = np.zeros(0, np.uint8)

    def __getstate__(self) -> dict[str, Any]:
        count = len(self._whose)
        return {**self.__dict__, "_hops": self._hops[:count].copy(), "_word": self._word[:count].copy()}

    def tell(self, peer: PeerId, key: Hashable, hops: Sequence[PeerId], word: str) -> None:
        """A peer tells of a way, or of its new hops; without hops it is gone."""
        told = self._rows.setdefault(peer, {})
        row = told.get(key)
        if not hops:
            if row is not None:
                self._remove(row)
            return
        whole = (peer, *hops[:HOPS_MOST])
        if row is None:
            if len(told) >= WAYS_MOST:
                self._remove(next(iter(told.values())))
                told = self._rows.setdefault(peer, {})
            row = told[key] = len(self._whose)
            self._whose.append((peer, key))
        self._grow(row + 1, len(whole))
        self._hops[row] = -1
        self._hops[row, : len(whole)] = whole
        self._word[row] = self.words.code(word_text(word))
        self.version += 1

    def forget(self, peer: PeerId) -> None:
        """A peer has stopped: it tells of none any more."""
        while told := self._rows.get(peer):
            self._remove(next(iter(told.values())))

    def of(self, peer: PeerId) -> list[tuple[tuple[PeerId, ...], str]]:
        """(hops, word) of each way that a peer tells of, in the order in which they were first told."""
        names = tuple(self.words.codes)
        rows = list(self._rows.get(peer, {}).values())
        hops = self._hops[rows, 1:].tolist()
        return [
            (tuple(one for one in whole if one >= 0), names[int(self._word[row])])
            for row, whole in zip(rows, hops, strict=True)
        ]

    def columns(self) -> tuple[Any, Any]:
        """Copies: int32 (P, W), the peer that tells, its hops, and -1 after the last; and uint8 (P,), its word."""
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
