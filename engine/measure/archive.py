"""The records of all asks of a run, index = AskId. Old ones are compressed.

A long run has any number of asks, and all of them are listed at its end. As an object a record takes 1.5 KB in dozens
of small pieces, which every garbage collection and every checkpoint visits. So records are compressed in pages: 64
records that follow each other, once all of them are closed, their paths are forgotten, and none is among the last
`LATEST`. A page takes some 80 bytes an ask, and a checkpoint refers to it instead of containing it. An hour of one ask
a second is a third of a megabyte, and nothing else grows with the length of a run.

What the time series are made of (when an ask was issued and first answered, whom it reached) is kept as columns beside
the compressed records of a page, so that no record has to be unpacked for each sample.

Reading a compressed record gives a copy. A record may have to be corrected a minute or an hour later: a gossip opens it
again, a reorganisation takes a hit back, a loss turns out to be none (`reopen`). The corrected record is then kept
beside its page, which stays as it is, since checkpoints share it; once `BESIDE_MOST` records are beside one page, a new
page replaces it.
"""

from __future__ import annotations

import pickle
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from ..api import AskId, Sought
from .asks import AskRecord
from .snapshot import AskRow

PAGE = 64
LATEST = 256
"""How many of the last records are never compressed: as many as have paths, and more than a table shows."""
BESIDE_MOST = 8
"""Number of corrected records beside a page at which a new page is made with them."""


OUTCOME = np.dtype(
    [
        *(("issued_us", "<i8"), ("first_us", "<i8"), ("success_us", "<i8"), ("share", "<f8"), ("reached", "<i4")),
        *(("sought", "u1"), ("closed", "?"), ("network", "?")),
    ]
)
"""What became of an ask. `first_us`: time from its issue to what makes it a success (a hit that counts, or the end of
the download), -1 for none; `success_us`: time from its issue within which this makes it a success; `share`:
`AskRecord.share`, NaN for none; `sought`: index into `SOUGHT`; `network`: it was opened by the network itself."""
SOUGHT: tuple[Sought, ...] = get_args(Sought)
CODE_OF = {sought: code for code, sought in enumerate(SOUGHT)}
NAN = float("nan")


def outcomes_of(records: Sequence[AskRecord]) -> NDArray[np.void]:
    """A row of `OUTCOME` for each record."""
    rows = []
    for one in records:
        first = one.success_after_us()
        rows.append(
            (
                one.issued_us,
                -1 if first is None else first,
                one.success_us,
                NAN if one.share is None else one.share,
                one.reached,
                CODE_OF[one.sought],
                one.closed_us is not None,
                one.by == "network",
            )
        )
    return np.array(rows, OUTCOME)


class Page:
    """Compressed records, after a row of `OUTCOME` for each. `closed_us`: when the last of the asks closed; a later
    time for a page that was made again with corrections. So pages of one run with the same number and `closed_us` are
    equal, in whichever copy of the swarm they are."""

    __slots__ = ("closed_us", "data", "number")

    def __init__(self, number: int, closed_us: int, data: bytes) -> None:
        self.number = number
        self.closed_us = closed_us
        self.data = data

    @staticmethod
    def of(number: int, records: Sequence[AskRecord], after_us: int = -1) -> Page:
        """A page of these records, which are all closed. after_us: `closed_us` of the page that it replaces."""
        packed = zlib.compress(pickle.dumps([one.packed() for one in records], 5))
        data = outcomes_of(records).tobytes() + packed
        return Page(number, max(after_us + 1, *(one.closed_us or 0 for one in records)), data)

    @property
    def _split(self) -> int:
        """Where the compressed records begin."""
        return OUTCOME.itemsize * (_end(self.number) - _first(self.number))

    def outcomes(self) -> NDArray[np.void]:
        """A row of `OUTCOME` for each record."""
        return np.frombuffer(self.data, OUTCOME, _end(self.number) - _first(self.number))

    def records(self) -> list[AskRecord]:
        """Copies of the records."""
        values = pickle.loads(zlib.decompress(memoryview(self.data)[self._split :]))
        return [AskRecord.unpacked(each) for each in values]


class AskArchive:
    """A sequence of records, index = AskId. The first one is `null_record`, for messages that no ask caused."""

    def __init__(self, null_record: AskRecord) -> None:
        self.by_ask: dict[AskId, AskRecord] = {0: null_record}
        """Records that are not compressed. Public, since a host looks up the record of each message here."""
        self._pages: dict[int, Page] = {}
        self._beside: dict[int, dict[AskId, None]] = {}
        """Asks whose corrected records are in `by_ask`, by the number of their page."""
        self._full: deque[int] = deque()
        """Pages that are full and not compressed, or have records beside them. Each close of an ask looks at one of
        them, in turn."""
        self._count = 1
        self._read: tuple[Page | None, list[AskRecord]] = (None, [])
        self._waits_for: dict[int, AskId] = {}
        """By the number of a page in `_full`: one of its asks that could not be compressed the last time."""

    def __len__(self) -> int:
        return self._count

    def append(self, record: AskRecord) -> None:
        """Add a record; its id must be the next."""
        self.by_ask[self._count] = record
        self._count += 1
        if not self._count % PAGE:
            self._full.append(self._count // PAGE - 1)

    def __getitem__(self, ask: AskId) -> AskRecord:
        """A record to read; of a compressed one, a copy."""
        record = self.by_ask.get(ask)
        return record if record is not None else self._unpacked(self._pages[ask // PAGE])[ask - _first(ask // PAGE)]

    def __iter__(self) -> Iterator[AskRecord]:
        return (self[ask] for ask in range(self._count))

    def __reversed__(self) -> Iterator[AskRecord]:
        return (self[ask] for ask in range(self._count - 1, -1, -1))

    def latest(self, count: int) -> list[AskRecord]:
        """The last asks, in order of issue."""
        return [self[ask] for ask in range(max(1, self._count - count), self._count)]

    def outcomes(self, from_us: int) -> NDArray[np.void]:
        """Rows of `OUTCOME` for asks issued at `from_us` or later, and perhaps for some before, in order of issue."""
        parts: list[NDArray[np.void]] = []
        live: list[AskRecord] = []
        ask = self._count - 1
        while ask > 0:
            page = self._pages.get(ask // PAGE)
            if page is None:
                record = self.by_ask[ask]
                if record.issued_us < from_us:
                    break
                live.append(record)
                ask -= 1
                continue
            if live:
                parts.append(outcomes_of(live[::-1]))
                live = []
            rows = page.outcomes()
            if beside := self._beside.get(page.number):
                rows = rows.copy()
                rows[[one - _first(page.number) for one in beside]] = outcomes_of([self.by_ask[one] for one in beside])
            if rows["issued_us"][-1] < from_us:
                break
            parts.append(rows)
            ask = _first(ask // PAGE) - 1
        if live or not parts:
            parts.append(outcomes_of(live[::-1]))
        return np.concatenate(parts[::-1])

    def rows(self) -> list[AskRow]:
        """The rows of all asks, in order of issue."""
        return [self[ask].row() for ask in range(1, self._count)]

    def reopen(self, ask: AskId) -> AskRecord:
        """A record to write to; if it was compressed, it is kept beside its page from now on."""
        record = self.by_ask.get(ask)
        if record is None:
            number = ask // PAGE
            record = self.by_ask[ask] = self._pages[number].records()[ask - _first(number)]
            if number not in self._beside:
                self._full.append(number)
            self._beside.setdefault(number, {})[ask] = None
        return record

    def compact(self) -> None:
        """Compress a page if one is due; called when an ask has closed."""
        if not self._full:
            return
        number = self._full[0]
        waits_for = self._waits_for.get(number)
        if waits_for is not None and not _may_be_compressed(self.by_ask[waits_for]):
            self._full.rotate(-1)
            return
        page, beside = self._pages.get(number), self._beside.get(number, {})
        due = len(beside) >= BESIDE_MOST if page is not None else _end(number) <= self._count - LATEST
        fresh = list(beside) if page is not None else range(_first(number), _end(number))
        waits_for = next((ask for ask in fresh if not _may_be_compressed(self.by_ask[ask])), None) if due else None
        if not due or waits_for is not None:
            if waits_for is not None:
                self._waits_for[number] = waits_for
            self._full.rotate(-1)
            return
        self._waits_for.pop(number, None)
        records = {} if page is None else {one.id: one for one in page.records()}
        for ask in fresh:
            self.by_ask[ask].drop_hit_times()
            records[ask] = self.by_ask.pop(ask)
        self._full.popleft()
        self._beside.pop(number, None)
        ordered = [records[ask] for ask in range(_first(number), _end(number))]
        self._pages[number] = Page.of(number, ordered, -1 if page is None else page.closed_us)

    @property
    def live(self) -> int:
        """How many are not compressed."""
        return len(self.by_ask) - 1

    def _unpacked(self, page: Page) -> list[AskRecord]:
        """The records of a page. The last page read is kept: its neighbours are mostly read next."""
        if self._read[0] is not page:
            self._read = (page, page.records())
        return self._read[1]

    def __getstate__(self) -> tuple[object, ...]:
        return self.by_ask, self._pages, self._beside, self._full, self._count

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.by_ask, self._pages, self._beside, self._full, self._count = state
        self._read = (None, [])
        self._waits_for = {}


def _may_be_compressed(record: AskRecord) -> bool:
    return record.closed_us is not None and record.firsts is None


def _first(number: int) -> AskId:
    """The first ask of a page; ask 0 is none."""
    return max(1, number * PAGE)


def _end(number: int) -> AskId:
    """The first ask after a page."""
    return (number + 1) * PAGE
