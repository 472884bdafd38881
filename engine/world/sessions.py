"""Sessions that were recorded: who was there from when to when. A CSV, plain or packed with gzip, one session a line;
`#` opens a comment.

    peer,start_s,end_s
    p000,0,310.5
    p000,400,1200
    17,-60,95

`peer` is a label or an index; a label wins where a text is both. Seconds count from the start of the run: a session
that began before it is under way when the run begins, and one that ended before it is history and left out. A peer may
have many sessions, in any order, but it cannot be there twice at a time, so two that overlap are refused. One may begin
at the moment at which another ends: the peer starts anew.

Peers that the file does not name stay for good: a trace says who came and went, and of the others it says nothing.
"""

from __future__ import annotations

import csv
import io
import math
import os
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..api import PeerId
from ..errors import InputError, nearest, plain
from .churn import FORMS
from .files import read_text

SESSIONS_MAX = 2_000_000
BYTES_MAX = 256 << 20
TIME_MAX_S = 1e9
HEAD = ["peer", "start_s", "end_s"]
EXPECTED = "expected sessions, a line each: peer,start_s,end_s"


@dataclass(frozen=True, slots=True)
class Trace:
    """Sessions of each peer that has any, in order: when they begin and when they end, in microseconds."""

    begins_us: dict[PeerId, list[int]]
    ends_us: dict[PeerId, list[int]]

    def up(self, peer: PeerId, at_us: int) -> bool:
        """Whether a peer is there at a moment. Who is not in the trace always is."""
        if peer not in self.begins_us:
            return True
        return bisect_right(self.begins_us[peer], at_us) > bisect_right(self.ends_us[peer], at_us)

    def since_us(self, peer: PeerId, at_us: int) -> int:
        """When the session that is under way began; `at_us` where none is."""
        if peer not in self.begins_us or not self.up(peer, at_us):
            return at_us
        return self.begins_us[peer][bisect_right(self.begins_us[peer], at_us) - 1]

    def stay_us(self, peer: PeerId, at_us: int) -> int | None:
        """How long a peer that is up at a moment stays: to the end of its present or next session, None for good."""
        ends = self.ends_us.get(peer, [])
        at = bisect_right(ends, at_us)
        return ends[at] - at_us if at < len(ends) else None

    def away_us(self, peer: PeerId, at_us: int) -> int | None:
        """How long a peer that is down at a moment stays away, None for good."""
        begins = self.begins_us.get(peer, [])
        at = bisect_left(begins, at_us)
        return begins[at] - at_us if at < len(begins) else None


def is_trace(spec: str) -> bool:
    """Whether a spec of churn is the name of a file: it looks like one, or there is one of that name."""
    path = spec.strip()
    if path.split(":")[0] in FORMS or not path or "\0" in path:
        return False
    return path.endswith((".csv", ".txt", ".gz")) or "/" in path or os.sep in path or os.path.exists(path)


def load(path: str, labels: Sequence[str]) -> Trace:
    """Read a trace for peers of these labels, index = PeerId.

    Raises InputError, one sentence with the file and, where there is one, the line.
    """
    name = plain(path)
    ids = {label: peer for peer, label in enumerate(labels)}
    found: dict[PeerId, list[tuple[int, int, int]]] = {}
    rows = csv.reader(io.StringIO(read_text(path, EXPECTED, BYTES_MAX, "utf-8")), strict=True)
    count = 0
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise InputError(f"{name}:{rows.line_num}: {plain(error)}; {EXPECTED}") from None
        if row is None:
            break
        cells = _cells(row)
        if not any(cells) or (not count and [cell.lower() for cell in cells] == HEAD):
            continue
        where = f"{name}:{rows.line_num}"
        count += 1
        if count > SESSIONS_MAX:
            raise InputError(f"{where}: more than the {SESSIONS_MAX:,} sessions that are read")
        peer, begin_us, end_us = _session(cells, ids, len(labels), where)
        found.setdefault(peer, []).append((begin_us, end_us, rows.line_num))
    if not found:
        raise InputError(f"{name}: no sessions in it; {EXPECTED}")
    for peer, sessions in found.items():
        sessions.sort()
        for (_, before_us, above), (begin_us, _, line) in pairwise(sessions):
            if begin_us < before_us:
                first, second = sorted((above, line))
                who = plain(labels[peer], 40)
                raise InputError(f"{name}:{second}: {who} is there already, by the session of line {first}")
    kept = {peer: [one for one in sessions if one[1] > 0] for peer, sessions in found.items()}
    return Trace(
        {peer: [begin for begin, _, _ in sessions] for peer, sessions in kept.items()},
        {peer: [end for _, end, _ in sessions] for peer, sessions in kept.items()},
    )


def _cells(row: list[str]) -> list[str]:
    """The cells of a row, what follows a `#` that opens a comment left out."""
    cells = [cell.strip() for cell in row]
    for at, cell in enumerate(cells):
        # A peer may be called #17, as it is in a selector; a comment begins with `# `, or the line does with it.
        head, mark, tail = cell.partition("#")
        if mark and not (at == 0 and not head and tail.isdigit()):
            return [*cells[:at], head.strip()] if head.strip() else cells[:at]
    return cells


def _session(cells: list[str], ids: dict[str, PeerId], n: int, where: str) -> tuple[PeerId, int, int]:
    if len(cells) != len(HEAD):
        count = f"{len(cells)} value{'' if len(cells) == 1 else 's'}"
        raise InputError(f"{where}: expected peer,start_s,end_s, found {count}")
    who, first, last = cells
    begin_us, end_us = (_us(text, what, where) for text, what in ((first, "start_s"), (last, "end_s")))
    if end_us <= begin_us:
        raise InputError(f"{where}: end_s should be later than start_s, but {plain(last)} is not after {plain(first)}")
    return _peer(who, ids, n, where), begin_us, end_us


def _peer(who: str, ids: dict[str, PeerId], n: int, where: str) -> PeerId:
    peer = ids.get(plain(who).strip())
    if peer is not None:
        return peer
    digits = who.removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        # A hundred thousand labels are too many to measure a typing mistake against.
        some = [label for label, _ in zip(ids, range(2_000), strict=False)]
        raise InputError(f'{where}: no peer is called "{plain(who, 40)}"{nearest(who, some)}')
    if int(digits) >= n:
        raise InputError(f"{where}: there is no peer #{int(digits)}; the last one is #{n - 1}")
    return int(digits)


def _us(text: str, what: str, where: str) -> int:
    try:
        seconds = float(text) if "_" not in text else math.nan
    except ValueError:
        seconds = math.nan
    # Nothing compares true with nan, so that this refuses it too.
    if not abs(seconds) <= TIME_MAX_S:
        raise InputError(f'{where}: {what} should be a number of seconds, not "{plain(text, limit=40)}"')
    return round(seconds * 1e6)
