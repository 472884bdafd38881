"""The accounts of all asks of a run, index = AskId, and the room that those take which are long over.

A run that is left open asks for ever, and every ask is listed at its end. As objects they are a kilobyte and a half
each, in dozens of small pieces that every collection and every checkpoint goes through again. So asks are put away by
the page: sixty-four that follow each other, once all of them are closed, their paths are forgotten, and none is among
the last. A page takes some 80 bytes an ask, and a checkpoint names it instead of holding it. An hour of an ask a second
is a third of a megabyte then, and that is all that grows with the length of a run.

Who reads an ask that was put away gets a copy. A gossip may open one again, a minute or an hour later: `wake`.
"""

from __future__ import annotations

import pickle
import zlib
from collections import deque
from collections.abc import Iterator

from ..api import AskId
from .asks import AskRecord
from .snapshot import AskRow

PAGE = 64
LATEST = 256
"""So many of the last are never put away: as many as have paths, and more than a table shows."""


class Page:
    """Accounts that were put away. Those of one number and one `closed_us` are the same, whichever copy of a swarm of
    this run they are found in."""

    __slots__ = ("closed_us", "data", "number")

    def __init__(self, number: int, closed_us: int, data: bytes) -> None:
        self.number = number
        self.closed_us = closed_us
        self.data = data


class AskArchive:
    """A sequence of accounts; the first is that of no ask."""

    def __init__(self, null_record: AskRecord) -> None:
        self._here: dict[AskId, AskRecord] = {0: null_record}
        self._pages: dict[int, Page] = {}
        self._full: deque[int] = deque()
        """Pages that are full and not put away. Each close looks at one of them, in turn."""
        self._count = 1
        self._read: tuple[Page | None, list[AskRecord]] = (None, [])

    def __len__(self) -> int:
        return self._count

    def append(self, record: AskRecord) -> None:
        """One more; its id is the next."""
        self._here[self._count] = record
        self._count += 1
        if not self._count % PAGE:
            self._full.append(self._count // PAGE - 1)

    def __getitem__(self, ask: AskId) -> AskRecord:
        """To look at. Of one that was put away, a copy."""
        record = self._here.get(ask)
        return record if record is not None else self._unpacked(self._pages[ask // PAGE])[ask - _first(ask // PAGE)]

    def __iter__(self) -> Iterator[AskRecord]:
        return (self[ask] for ask in range(self._count))

    def __reversed__(self) -> Iterator[AskRecord]:
        return (self[ask] for ask in range(self._count - 1, -1, -1))

    def latest(self, count: int) -> list[AskRecord]:
        """The last asks, in order of issue."""
        return [self[ask] for ask in range(max(1, self._count - count), self._count)]

    def rows(self) -> list[AskRow]:
        """Of all asks, in order of issue."""
        return [self[ask].row() for ask in range(1, self._count)]

    def wake(self, ask: AskId) -> AskRecord:
        """To write to."""
        record = self._here.get(ask)
        if record is None:
            page = self._pages.pop(ask // PAGE)
            self._read = (None, [])  # somebody may still look at those copies
            self._here.update((each.id, each) for each in self._unpacked(page))
            self._read = (None, [])
            self._full.append(page.number)
            record = self._here[ask]
        return record

    def tidy(self) -> None:
        """An ask closed: put a page away if there is one."""
        if not self._full:
            return
        number = self._full.popleft()
        members = range(_first(number), (number + 1) * PAGE)
        records = [self._here[ask] for ask in members]
        if members.stop > self._count - LATEST or any(one.closed_us is None or one.hop is not None for one in records):
            self._full.append(number)
            return
        for one in records:
            one.settle_hits()
        data = zlib.compress(pickle.dumps([one.packed() for one in records], 5))
        self._pages[number] = Page(number, max(one.closed_us or 0 for one in records), data)
        for ask in members:
            del self._here[ask]

    @property
    def here(self) -> int:
        """How many are not put away."""
        return len(self._here) - 1

    def _unpacked(self, page: Page) -> list[AskRecord]:
        """Of the page that was read last, the same ones: whoever reads one mostly reads its neighbours too."""
        if self._read[0] is not page:
            self._read = (page, [AskRecord.unpacked(values) for values in pickle.loads(zlib.decompress(page.data))])
        return self._read[1]

    def __getstate__(self) -> tuple[object, ...]:
        return self._here, self._pages, self._full, self._count

    def __setstate__(self, state: tuple[dict[AskId, AskRecord], dict[int, Page], deque[int], int]) -> None:
        self._here, self._pages, self._full, self._count = state
        self._read = (None, [])


def _first(number: int) -> AskId:
    """Of a page; ask 0 is none and in none."""
    return max(1, number * PAGE)
