"""Counters, time series, the paths of asks, and the fingerprint, read by columns from the kernel's log of deliveries.

The kernel logs each delivery. `Metrics.flush` turns that log into columns (time, receiver, header, cause) and updates
what depends on them: reach and hops of the records of asks, load and last-heard of peers, and a running digest of all
deliveries (`Digest`). The log is flushed when a frame or a record is read, at each sample, and when it grows long.

When an ask closes, its record must be complete: `settle`. Where few messages have arrived since the last time, these
are added to the records of their asks one by one, and stay in the log for everything else: a pass over columns costs as
much as some hundred messages, however few there are, and with many small asks some ask closes in nearly every instant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..api import PARTS
from ..sim.host import SharedHostState
from ..sim.kernel import HOP_BITS, HOP_MASK, KIND_MASK, KIND_SHIFT, SENDER_SHIFT, Envelope, Kernel, Via
from ..values import dataclass
from .archive import SOUGHT
from .asks import ANSWER, QUESTION, QUESTIONS, AskRecord, add_arrivals
from .message_log import MessageLog
from .snapshot import Series
from .timeseries import TimeSeries

BLOCK = 1 << 14
"""Bytes of a block. A pickle of a digest has half a block on average; from 4 KB on, hashing by blocks is not slower
than hashing all at once."""
SIZE = 8


class Digest:
    """A running digest that can be pickled, as `hashlib`'s objects cannot.

    The stream is cut into blocks of a fixed length; each is hashed together with the digest of the one before, and what
    does not fill a block yet is kept. So the digest depends on the stream alone, not on the pieces it is given in.
    """

    __slots__ = ("_link", "_rest")

    def __init__(self) -> None:
        self._link = b""
        self._rest = bytearray()

    def __getstate__(self) -> tuple[bytes, bytes]:
        return self._link, bytes(self._rest)

    def __setstate__(self, state: tuple[bytes, bytes]) -> None:
        self._link, self._rest = state[0], bytearray(state[1])

    def update(self, data: bytes) -> None:
        """Add more of the stream."""
        rest = self._rest
        rest += data
        if len(rest) < BLOCK:
            return
        whole = len(rest) - len(rest) % BLOCK
        view = bytes(memoryview(rest)[:whole])
        for at in range(0, whole, BLOCK):
            link = blake2b(self._link, digest_size=SIZE)
            link.update(view[at : at + BLOCK])
            self._link = link.digest()
        del rest[:whole]

    def digest(self) -> bytes:
        """The digest of the stream so far, 8 bytes."""
        last = blake2b(self._link, digest_size=SIZE)
        last.update(self._rest)
        return last.digest()


WINDOW_FACTOR = 3
"""The time series `ASKED` are about the asks that were issued in the last `WINDOW_FACTOR` times `Goal.success_s` of the
network's first goal: 30 s for a goal of 10 s."""
LOG_DELIVERIES = 40_000
SETTLED_ALONE = 256
"""Deliveries that `settle` adds to records one by one, at most."""
LOG_SETTLED = 4_000
"""Deliveries in the log from which `settle` flushes it: the log keeps their messages in memory."""
ROWS_ALONE = 16
"""Rows of one ask in a flush that are added one by one, at most."""
RATES = ("messages_per_s", "bytes_per_s", "duplicates_per_s", "dropped_per_s", "decoys_per_s")
ASKED = ("success", "first_hit_s", "first_hit_p95_s", "reach")
GAUGES = ("load", "load_max", "load_gini", "components", "largest_component", "belief_error")
"""What `analysis.gauges` reads, in this order."""
SERIES = ("alive", "censored", *RATES, *ASKED)
"""What is sampled each second, then `GAUGES`, and the bytes of each kind of message."""

ROW = np.dtype([("at", "<i8"), ("to", "<i4"), ("header", "<i8")])
SIZE_MASK = (1 << KIND_SHIFT) - 1
CAUSE, SENT_US, HEADER = (itemgetter(place) for place in (2, 3, 5))
NOTHING, ANSWERED, SHARE = (SOUGHT.index(one) for one in ("nothing", "answer", "share"))
I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class AskStats:
    """Results of the asks of a window: `success`, the share with a hit (of a broadcast, the share that heard it);
    median and 95th percentile of the first hits in s, of those that had one; and `reach`, the mean of peers that a
    question reached. None: nothing to measure."""

    asks: int
    success: float | None
    first_hit_s: float | None
    first_hit_p95_s: float | None
    reach: float | None


class Metrics:
    """Counters and series of a swarm of `n` peers whose kinds of messages are `kind_names`."""

    def __init__(
        self, n: int, kernel: Kernel, shared: SharedHostState, kind_names: Sequence[str], window_us: int
    ) -> None:
        """window_us: the series `ASKED` are about asks that were issued at most so long ago, see `WINDOW_FACTOR`."""
        self.n = n
        self.window_us = window_us
        self.kernel = kernel
        self.shared = shared
        self.kind_names = tuple(kind_names)
        self.dropped = 0
        self.dropped_by: dict[str, int] = {}
        self.dropped_kinds: dict[tuple[int, str], int] = {}
        """Messages that never arrived, by (number of the kind, reason)."""
        self.malformed: dict[str, str] = {}
        """Class of a message -> which field of the first one that was malformed was not what its annotation says."""
        self.stray_hits = 0
        """Hits that belong to no ask of the peer that reported them."""
        self.bytes_by_kind = np.zeros(len(self.kind_names), np.int64)
        """Bytes delivered, by number of the kind."""
        self.recent = MessageLog()
        self.load = np.zeros(n, np.float32)
        self.last_heard_us = np.full(n, -1, np.int64)
        self._tally = np.zeros(n, np.int64)
        self._deliveries = Digest()
        self._others = Digest()
        self.decoys = 0
        self._bytes = np.zeros(len(self.kind_names), np.float64)
        """Delivered since the last sample, by kind."""
        self.time_series = TimeSeries((*SERIES, *GAUGES, *(f"bytes_per_s.{name}" for name in self.kind_names)))
        self._before = (0, 0, 0, 0, 0)
        self._sampled_us = 0
        self._flushed = 0
        """Deliveries up to the last flush."""
        self._settled = 0
        """Deliveries that the records of asks have: those of the first `_settled_rows` of the log, and all before."""
        self._settled_rows = 0

    def grow(self, count: int) -> None:
        """Columns for newcomers."""
        self.flush()
        self.n += count
        self.load = np.concatenate([self.load, np.zeros(count, np.float32)])
        self.last_heard_us = np.concatenate([self.last_heard_us, np.full(count, -1, np.int64)])
        self._tally = np.concatenate([self._tally, np.zeros(count, np.int64)])

    # --- the log ---------------------------------------------------------------------------------------

    def flush_if_long(self) -> None:
        """Flush the log if it is long."""
        if self.kernel.delivered - self._flushed > LOG_DELIVERIES:
            self.flush()

    def settle(self) -> None:
        """Complete the records of asks: add what has arrived so far."""
        kernel = self.kernel
        delivered = kernel.delivered
        if delivered - self._settled > SETTLED_ALONE or delivered - self._flushed > LOG_SETTLED:
            self.flush()
            return
        if delivered == self._settled:
            return
        log, first, shared = kernel.log, self._settled_rows, self.shared
        rows = zip(log.at_us[first:], log.tos[first:], log.envelopes[first:], strict=True)
        add_arrivals(rows, self.n, shared.parts, shared.traced_parts, shared.records.reopen)
        self._settled = delivered
        self._settled_rows = len(log.tos)

    def flush(self) -> None:
        """Read all that was delivered since the last time."""
        at_us, tos, envelopes = self.kernel.log.take()
        settled, self._settled_rows = self._settled_rows, 0
        self._flushed = self._settled = self.kernel.delivered
        if not tos:
            return
        at = np.frombuffer(at_us, np.int64)
        which = np.arange(len(envelopes))  # The envelope of each row: sending times are read there.
        header = np.fromiter(map(HEADER, envelopes), np.int64, len(envelopes))
        causes = list(map(CAUSE, envelopes))
        joint = tuple in set(map(type, causes))
        cause = np.array([0 if one.__class__ is tuple else one for one in causes] if joint else causes, np.int64)
        if tos[0].__class__ is tuple or tos[-1].__class__ is tuple or tuple in set(map(type, tos)):
            many = [to if to.__class__ is tuple else (to,) for to in tos]
            lengths = np.array([len(to) for to in many])
            to = np.fromiter(chain.from_iterable(many), np.int64, int(lengths.sum()))
            at, header, cause, which = (np.repeat(column, lengths) for column in (at, header, cause, which))
            if joint:
                causes = [causes[i] for i in np.repeat(np.arange(len(many)), lengths).tolist()]
            elif self.shared.referred:
                causes = [causes[i] for i in which.tolist()]
        else:
            to = np.array(tos)
        self._count(at, to, header)
        self.recent.add(at, to, header, cause)
        if joint:
            # A message with several causes has a row for each ask, at the place of the message: which message reached a
            # peer first must not depend on where the log was cut.
            each = [one if one.__class__ is tuple else (one,) for one in causes]
            lengths = np.array([len(one) for one in each])
            causes = list(chain.from_iterable(each))
            cause = np.array(causes, np.int64)
            at, to, header, which = (np.repeat(column, lengths) for column in (at, to, header, which))
        via = None
        if self.shared.referred:
            via = np.array([one.via if one.__class__ is Via else -1 for one in causes], np.int64)
        if settled:
            first = int(np.searchsorted(which, settled))
            at, to, header, cause, which = (column[first:] for column in (at, to, header, cause, which))
            via = None if via is None else via[first:]
        if cause.any():
            part = np.array(self.shared.parts)[header >> KIND_SHIFT & KIND_MASK]
            self._paths(at, header >> SENDER_SHIFT, to, part, cause, via, which, envelopes)

    def _count(self, at: I64, to: I64, header: I64) -> None:
        rows = np.empty(len(at), ROW)
        rows["at"], rows["to"], rows["header"] = at, to, header
        self._deliveries.update(rows.tobytes())
        self._tally += np.bincount(to, minlength=self.n)
        kind = header >> KIND_SHIFT & KIND_MASK
        kind_of = self.shared.kind_of
        sizes = np.bincount(kind, header & SIZE_MASK, len(kind_of))
        for code in range(len(self._bytes), len(kind_of)):
            sizes[kind_of[code]] += sizes[code]
        sizes = sizes[: len(self._bytes)]
        self._bytes += sizes
        # Exact: a sum of sizes stays far below 2 to the 53.
        self.bytes_by_kind += sizes.astype(np.int64)
        # Rows are in order of time, and the last of an index wins.
        self.last_heard_us[header >> SENDER_SHIFT] = at

    def _paths(
        self,
        at: I64,
        frm: I64,
        to: I64,
        part: I64,
        cause: I64,
        via: I64 | None,
        which: I64,
        envelopes: Sequence[Envelope],
    ) -> None:
        """Add what reached peers, and answers, to the records of their asks."""
        traced = np.array([self.shared.traced_parts >> each & 1 for each in range(len(PARTS))], np.bool_)
        rows = np.flatnonzero(traced[part] & (cause > 0))
        if not len(rows):
            return
        asks = cause[rows] >> HOP_BITS
        first = int(asks[0])
        if bool((asks == first).all()):
            groups = [rows]
        else:
            order = np.argsort(asks, kind="stable")
            groups = np.split(rows[order], np.flatnonzero(np.diff(asks[order])) + 1)
        for mine in groups:
            record: AskRecord = self.shared.records.reopen(int(cause[mine[0]]) >> HOP_BITS)
            referred = via is not None and (record.referred or bool((via[mine] >= 0).any()))
            if len(mine) <= ROWS_ALONE or referred:
                for i in mine.tolist():
                    record.arrived(
                        int(part[i]),
                        self.n,
                        int(frm[i]),
                        int(to[i]),
                        int(cause[i]) & HOP_MASK,
                        envelopes[which[i]][3],
                        int(at[i]),
                        -1 if via is None else int(via[i]),
                    )
                continue
            parts = part[mine]
            if record.reached_by == QUESTIONS:
                reaching = parts == QUESTION
            else:
                reaching = (record.reached_by >> parts & 1).astype(np.bool_)
            reached = mine[reaching]
            if len(reached):
                record.reach(self.n, frm[reached], to[reached], cause[reached] & HOP_MASK, at[reached])
            for path, some in ((record.questions, reached), (record.answers, mine[(parts == ANSWER) & ~reaching])):
                room = path.room
                path.beyond += max(0, len(some) - room)
                if room and len(some):
                    some = some[:room]
                    theirs = map(envelopes.__getitem__, which[some].tolist())
                    sent = np.fromiter(map(SENT_US, theirs), np.int64, len(some))
                    path.add(frm[some], to[some], sent, at[some])

    def drop(self, at_us: int, frm: int, to: int, header: int, reason: str) -> None:
        """A message that never arrived."""
        self.dropped += 1
        self.dropped_by[reason] = self.dropped_by.get(reason, 0) + 1
        what = (self.shared.kind_of[header >> KIND_SHIFT & KIND_MASK], reason)
        self.dropped_kinds[what] = self.dropped_kinds.get(what, 0) + 1
        self.recent.drop(at_us, frm, to, header, reason)
        self._others.update(f"drop {at_us} {frm} {to} {header} {reason}\n".encode())

    def take_back(self, at_us: int, frm: int, to: int, header: int, reason: str) -> None:
        """A message that counted as lost in its stream is delivered after all."""
        self.dropped -= 1
        _decrement(self.dropped_by, reason)
        _decrement(self.dropped_kinds, (self.shared.kind_of[header >> KIND_SHIFT & KIND_MASK], reason))
        self._others.update(f"late {at_us} {frm} {to} {header} {reason}\n".encode())

    def command(self, at_us: int, text: str) -> None:
        """A command that took effect."""
        self._others.update(f"do {at_us} {text}\n".encode())

    def fingerprint(self) -> str:
        """64 bits over each delivery, drop and command so far, as 16 hex digits."""
        self.flush()
        both = blake2b(digest_size=8)
        both.update(self._deliveries.digest() + self._others.digest())
        return both.hexdigest()

    # --- series ----------------------------------------------------------------------------------------

    def sample(self, alive: int, censored: int, gauges: Callable[[NDArray[np.float32]], Sequence[float]]) -> None:
        """One point of each series; called once each `Setup.sample_s`. `gauges` are read with the new loads."""
        self.flush()
        now_us = self.kernel.now_us
        span_s = (now_us - self._sampled_us) / 1e6
        self._sampled_us = now_us
        now = (self.shared.sent, self.shared.sent_bytes, self.kernel.duplicates, self.dropped, self.decoys)
        # Losses that are taken back may be more than those of this second.
        rates = [max(0, b - a) / span_s for a, b in zip(self._before, now, strict=True)]
        self._before = now
        self.load = (self._tally / span_s).astype(np.float32)
        self._tally[:] = 0
        asked = self.asked(now_us - self.window_us, now_us)
        fared = (asked.success, asked.first_hit_s, asked.first_hit_p95_s, asked.reach)
        values = (alive, censored, *rates, *(float("nan") if value is None else value for value in fared))
        self.time_series.add(now_us / 1e6, (*values, *gauges(self.load), *(self._bytes / span_s).tolist()))
        self._bytes[:] = 0

    def series(self) -> Series:
        """All samples, as columns."""
        return self.time_series.series()

    def success(self, from_us: int, to_us: int) -> float | None:
        """`AskStats.success` of the asks issued in the window, see `asked`."""
        return self.asked(from_us, to_us).success

    def asked(self, from_us: int, to_us: int) -> AskStats:
        """Results of the asks issued in a window, as far as they are known.

        Asks that the network itself opened are left out. Success also leaves out publications, which want no answer,
        and asks that are neither answered, nor closed, nor as old as `Goal.success_s` yet. An ask for an audience
        counts with the share of the audience that it reached in that time, as of its last close, or else as of now.
        Reach counts only asks that are closed or that old, since an earlier value would be too small.
        """
        records = self.shared.records
        rows = records.outcomes(from_us)
        ids = np.arange(len(records) - len(rows), len(records))
        wanted = (rows["issued_us"] >= from_us) & (rows["issued_us"] <= to_us) & ~rows["network"]
        rows, ids = rows[wanted], ids[wanted]
        over = rows["closed"] | (self.kernel.now_us - rows["issued_us"] >= rows["success_us"])
        reach = rows["reached"][over & (rows["sought"] != NOTHING)]
        looked = rows["sought"] == ANSWERED
        first = rows["first_us"]
        hit = looked & (first >= 0)
        in_time = hit & (first <= rows["success_us"])
        found = int(np.count_nonzero(in_time))
        heard = over & (rows["sought"] == SHARE)
        shares: list[float] = rows["share"][heard & ~np.isnan(rows["share"])].tolist()
        for ask in ids[heard & np.isnan(rows["share"])].tolist():
            share = self.shared.owner.share_heard(records[ask])
            if share is not None:
                shares.append(share)
        # An exact sum: it does not depend on the order.
        good = found + math.fsum(shares)
        missed = int(np.count_nonzero(looked & ~in_time & over))
        total = found + len(shares) + missed
        first_s = np.sort(first[hit]) / 1e6
        return AskStats(
            len(rows),
            good / total if total else None,
            quantile(first_s, 0.5),
            quantile(first_s, 0.95),
            int(reach.sum(dtype=np.int64)) / len(reach) if len(reach) else None,
        )


def _decrement(counts: dict[Any, int], key: Any) -> None:
    """Count one less; what is 0 has no entry."""
    counts[key] -= 1
    if not counts[key]:
        del counts[key]


def quantile(ranked: Sequence[float] | NDArray[np.float64], share: float) -> float | None:
    """A quantile of values in ascending order, interpolated between neighbours; None if there are no values. share: 0
    to 1."""
    if not len(ranked):
        return None
    at = share * (len(ranked) - 1)
    low = int(at)
    high = min(low + 1, len(ranked) - 1)
    # To the microsecond, if these are seconds: later digits are rounding errors.
    below, above = float(ranked[low]), float(ranked[high])
    return round(below + (above - below) * (at - low), 6)


def kinds_of(messages: Sequence[type[Any]]) -> tuple[dict[type, int], list[int]]:
    """Numbers for kinds of messages, in the order given: class -> number, part of each."""
    return {kind: i for i, kind in enumerate(messages)}, [kind.part_code for kind in messages]
