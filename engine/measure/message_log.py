"""The last messages of a peer, at no cost to the kernel.

`metrics.Metrics.flush` turns the log of deliveries into columns. The last rows of these are kept here in one table of
fixed size, which is searched when somebody looks at a peer; so messages from before that moment are found too. In a
busy swarm the table reaches back a fraction of a second only. Therefore the rows of the one peer that is watched are
picked out at each flush. Drops are few in comparison, and are added one by one.

All of it is for display: it is bounded, the run does not depend on it, and it is left out when a swarm is pickled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..api import AskId, PeerId
from ..sim.kernel import HOP_BITS, KIND_SHIFT, SENDER_SHIFT
from ..values import dataclass

I64 = NDArray[np.int64]

ROWS = 40_000
"""Deliveries that are kept: 32 bytes each."""
LOSSES = 2_000
KEPT = 60
"""Messages that are returned for a peer."""
NOBODY = -1


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """One message that a peer sent or was sent. `at_us`: when it arrived, or was lost; `lost`: why, or empty;
    ask: the ask that caused it, 0 for none (or several); size: bytes."""

    at_us: int
    frm: PeerId
    to: PeerId
    kind: int
    size: int
    ask: AskId
    lost: str = ""


class MessageLog:
    """The table, the last drops, and the rows of the peer that is `watched`."""

    def __init__(self) -> None:
        self.watched: PeerId = NOBODY
        self._table = np.empty((4, ROWS), np.int64)
        """Rows: time, receiver, header, cause. A ring: the next column to write is `_seen` modulo ROWS."""
        self._seen = 0
        self._losses: deque[tuple[int, PeerId, PeerId, int, str]] = deque(maxlen=LOSSES)
        self._mine: deque[LoggedMessage] = deque(maxlen=KEPT)
        """Deliveries of the watched peer, the latest last."""

    def __reduce__(self) -> tuple[type[MessageLog], tuple[()]]:
        return MessageLog, ()

    def add(self, at: I64, to: I64, header: I64, cause: I64) -> None:
        """Columns of a flush, all (k,), in order of arrival."""
        count = len(at)
        last = min(count, ROWS)
        start = (self._seen + count - last) % ROWS
        first = min(last, ROWS - start)
        for row, column in zip(self._table, (at, to, header, cause), strict=True):
            row[start : start + first] = column[count - last : count - last + first]
            row[: last - first] = column[count - last + first :]
        self._seen += count
        if self.watched >= 0:
            self._mine.extend(_rows_of(self.watched, at, to, header, cause))

    def drop(self, at_us: int, frm: PeerId, to: PeerId, header: int, reason: str) -> None:
        """A message that never arrived."""
        self._losses.append((at_us, frm, to, header, reason))

    def watch(self, peer: PeerId) -> None:
        """Pick out this peer's messages from now on, beginning with those in the table; NOBODY stops it."""
        if peer == self.watched:
            return
        self.watched = peer
        self._mine.clear()
        if peer >= 0:
            at = self._seen % ROWS
            for part in (self._table[:, at if self._seen >= ROWS else ROWS :], self._table[:, :at]):
                self._mine.extend(_rows_of(peer, *part))

    def of(self, peer: PeerId) -> tuple[LoggedMessage, ...]:
        """The last messages of a peer, the latest first; it is watched from now on."""
        self.watch(peer)
        lost = [
            LoggedMessage(at_us, frm, to, header >> KIND_SHIFT & 255, header & 0xFFFFFFFF, 0, reason)
            for at_us, frm, to, header, reason in self._losses
            if peer in (frm, to)
        ]
        # Both are in order of time; a stable sort keeps the order within an instant.
        return tuple(sorted((*self._mine, *lost), key=lambda one: one.at_us)[: -KEPT - 1 : -1])


def _rows_of(peer: PeerId, at: I64, to: I64, header: I64, cause: I64) -> Iterator[LoggedMessage]:
    """The last KEPT rows that this peer sent or received."""
    for i in np.flatnonzero((to == peer) | (header >> SENDER_SHIFT == peer))[-KEPT:].tolist():
        packed = int(header[i])
        yield LoggedMessage(
            at_us=int(at[i]),
            frm=packed >> SENDER_SHIFT,
            to=int(to[i]),
            kind=packed >> KIND_SHIFT & 255,
            size=packed & 0xFFFFFFFF,
            ask=int(cause[i]) >> HOP_BITS,
        )
