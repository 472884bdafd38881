"""Fingerprints of a run, one a second of virtual time: sixteen bytes each, where a dict of texts takes two hundred."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping

PRINTS_MAX = 100_000
"""So many are kept: of the first day and a quarter."""


class Prints(Mapping[int, str]):
    """Time in us -> 16 hex digits, in order of time."""

    def __init__(self, known: Mapping[int, str] | None = None) -> None:
        self._at_us = array("q")
        self._values = array("Q")
        for at_us, text in sorted((known or {}).items()):
            self.add(at_us, text)

    def add(self, at_us: int, text: str) -> bool:
        """One more, later than all others. False when there are enough."""
        if len(self._at_us) >= PRINTS_MAX:
            return False
        self._at_us.append(at_us)
        self._values.append(int(text, 16))
        return True

    def cut(self, to_us: int) -> None:
        """What came after that never was."""
        kept = bisect_right(self._at_us, to_us)
        del self._at_us[kept:], self._values[kept:]

    def __getitem__(self, at_us: int) -> str:
        i = bisect_left(self._at_us, at_us)
        if i == len(self._at_us) or self._at_us[i] != at_us:
            raise KeyError(at_us)
        return f"{self._values[i]:016x}"

    def __iter__(self) -> Iterator[int]:
        return iter(self._at_us)

    def __len__(self) -> int:
        return len(self._at_us)
