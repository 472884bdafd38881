"""The last messages of a peer, for whoever looks at it: without asking the hot path for anything.

The books turn the log of deliveries into columns (see `metrics.Metrics.post`). The last rows of these are kept here, in
one table whose room never changes, and searched when somebody looks at a peer; so the messages of a peer that was
selected a moment ago are there too. In a busy swarm the table reaches back only a fraction of a second. Therefore the
one peer that is watched has its own rows picked out of each posting. Losses are few beside deliveries and come one by
one.

All of it is for the eye: it is bounded, it decides nothing, and it is left behind when a swarm is pickled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..api import AskId, PeerId
from ..sim.kernel import HOP_BITS, KIND_SHIFT, SENDER_SHIFT

I64 = NDArray[np.int64]

ROWS = 40_000
"""Deliveries that are kept: 32 bytes each."""
LOSSES = 2_000
KEPT = 60
"""Messages told of a peer."""
NOBODY = -1


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """One message that a peer sent or was sent. `at_us`: when it arrived, or was lost; `lost`: why, or empty;
    ask: what it descends from, 0 for nothing (or several); size: bytes."""

    at_us: int
    frm: PeerId
    to: PeerId
    kind: int
    size: int
    ask: AskId
    lost: str = ""


class MessageLog:
    """See above. `watched` is set by `watch`; nobody is, to begin with."""

    def __init__(self) -> None:
        self.watched: PeerId = NOBODY
        self._table = np.empty((4, ROWS), np.int64)
        """Of each when, to whom, the code and the cause. A ring: the next one stands at `_seen` modulo ROWS."""
        self._seen = 0
        self._losses: deque[tuple[int, PeerId, PeerId, int, str]] = deque(maxlen=LOSSES)
        self._mine: deque[LoggedMessage] = deque(maxlen=KEPT)
        """Deliveries of the watched peer, the latest last."""

    def __reduce__(self) -> tuple[type[MessageLog], tuple[()]]:
        return MessageLog, ()

    def add(self, at: I64, to: I64, code: I64, cause: I64) -> None:
        """Columns of a posting, all (k,), in order of arrival."""
        count = len(at)
        last = min(count, ROWS)
        start = (self._seen + count - last) % ROWS
        first = min(last, ROWS - start)
        for row, column in zip(self._table, (at, to, code, cause), strict=True):
            row[start : start + first] = column[count - last : count - last + first]
            row[: last - first] = column[count - last + first :]
        self._seen += count
        if self.watched >= 0:
            self._mine.extend(_rows_of(self.watched, at, to, code, cause))

    def lose(self, at_us: int, frm: PeerId, to: PeerId, code: int, reason: str) -> None:
        """A message that never arrived."""
        self._losses.append((at_us, frm, to, code, reason))

    def watch(self, peer: PeerId) -> None:
        """Pick out this peer's messages from now on; NOBODY for nobody's. What is still known of it comes first."""
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
            LoggedMessage(at_us, frm, to, code >> KIND_SHIFT & 255, code & 0xFFFFFFFF, 0, reason)
            for at_us, frm, to, code, reason in self._losses
            if peer in (frm, to)
        ]
        # Both are in order of time; a stable sort keeps the order within an instant.
        return tuple(sorted((*self._mine, *lost), key=lambda one: one.at_us)[: -KEPT - 1 : -1])


def _rows_of(peer: PeerId, at: I64, to: I64, code: I64, cause: I64) -> Iterator[LoggedMessage]:
    """What this peer sent or got, among columns; the last KEPT of them."""
    for i in np.flatnonzero((to == peer) | (code >> SENDER_SHIFT == peer))[-KEPT:].tolist():
        packed = int(code[i])
        yield LoggedMessage(
            at_us=int(at[i]),
            frm=packed >> SENDER_SHIFT,
            to=int(to[i]),
            kind=packed >> KIND_SHIFT & 255,
            size=packed & 0xFFFFFFFF,
            ask=int(cause[i]) >> HOP_BITS,
        )
