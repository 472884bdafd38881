"""Reader of recorded sessions: which peer was up from when to when. One session a line, plain or packed with gzip.

    peer,start_s,end_s
    p000,0,310.5
    p000,400,1200
    17,-60,95
    p003,20,            stays to the end, as do inf and -

Separators, comments, quotes: see `tables`. A header may name the columns in another order; further columns are left
out. `peer` is a label or an index; a label has precedence if a text is both. Times are seconds from the start of the
run: a session that began before the run is under way when the run begins, and one that ended before it is left out. If
all times are timestamps (seconds, milliseconds, microseconds or nanoseconds since 1970) or dates (ISO 8601, RFC 3339:
2024-01-05 10:00:00, with T or a blank, a fraction, Z or an offset; UTC without one) they are shifted so that the first
session begins at 0, and `SessionTrace.notes` says so.

A peer may have many sessions, in any order, but two that overlap are refused. One may begin at the moment at which
another ends: the peer then restarts. Peers that the file does not name stay up for the whole run.

numpy reads many well-formed lines fast. Lines that it refuses are rewritten in a form that it reads, a thousand lines
at a time: without comments and quotes, and with a word for open ends. Lines that it still refuses are read one by one.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from array import array
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from ...api import PeerId
from ...errors import InputError, nearest, plain
from ...files import Text, check_text
from ..churn import SessionTrace
from . import tables

SESSIONS_MAX = 2_000_000
BYTES_MAX = 256 << 20
TIME_MAX_S = 1e9
STAMP_MIN_S = 5e8
"""In 1985, and longer than any run: where all sessions begin later, their times are taken as timestamps."""
STAMP_MAX_S = 1e11
UNITS = ((1.0, "seconds"), (1e-3, "milliseconds"), (1e-6, "microseconds"), (1e-9, "nanoseconds"))
OPEN = tables.MISSING | {"nat", "inf", "+inf", "infinity", "+infinity", "∞"}
"""Values of an end that mean the end of the run."""
PEERS = frozenset(("peer", "peerid", "node", "nodeid", "id", "host", "hostid", "user", "userid", "name", "label", "ip"))
STARTS = frozenset(
    f"{word}{tail}"
    for word in ("start", "begin", "from", "join", "joined", "login", "arrival", "arrive", "up", "first", "t")
    for tail in ("", "s", "ms", "time", "times", "timems", "at")
)
ENDS = frozenset(
    f"{word}{tail}"
    for word in ("end", "stop", "to", "leave", "left", "logout", "departure", "depart", "down", "last", "until")
    for tail in ("", "s", "ms", "time", "times", "timems", "at")
)
LENGTHS = ("duration", "length", "uptime", "lifetime", "seconds")
EXPECTED = "expected sessions, a line each: peer,start_s,end_s"
_DIGIT_FIRST = re.compile(r"[+-]?[.,]?\d")
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?(?:Z|UTC|[+-]\d\d(?::?\d\d)?))?)?",
    re.ASCII | re.IGNORECASE,
)
_BLANK_IN_DATE = re.compile(r" (?<=\d\d\d\d-\d\d-\d\d )(?=\d\d:\d\d)")
DATE_BYTES = 40
_POINT = re.compile(r"(;[ \t]*+[+-]?\d*+),(?=\d*+[ \t]*+(?:[;\n]|$))")


def load(path: str, labels: Sequence[str], contents: bytes | None = None) -> SessionTrace:
    """Read the sessions of a file. `labels` are those of the peers, by PeerId. contents: what was read from the file
    before, by `files.read_packed`.

    Raises InputError: one sentence with the file and, if possible, the line.
    """
    text = Text(path, EXPECTED, BYTES_MAX, contents)
    if text.lines > SESSIONS_MAX + 1_000:
        raise InputError(f"{text.name}: more than the {SESSIONS_MAX:,} sessions that are read")
    reader = _SessionReader(text.name, labels)
    for at, block in tables.blocks(text):
        reader.read_block(at, block)
    return reader.result()


class _SessionReader:
    """Reads blocks of lines. Times are kept as they are written, an open end as infinity."""

    def __init__(self, name: str, labels: Sequence[str]) -> None:
        self.name = name
        self._labels = labels
        self._ids = {label: peer for peer, label in enumerate(labels)}
        self._pointless = not any("," in label or "." in label for label in labels)
        self._longest = max(map(len, labels), default=0) + 16
        self._opens = False
        """Whether the blocks so far had open ends, or something else that numpy does not read."""
        self._checked = 1 << 16
        self._sep: str | None = None
        self._columns: tables.ColumnLayout | None = None
        self._ms = False
        self._dated: bool | None = None
        """Whether times are dates; None before the first one."""
        self._peers, self._lines = array("q"), array("q")
        self._begins, self._ends = array("d"), array("d")

    def read_block(self, at: int, block: str) -> None:
        """Read the lines of a block, the first of which is line `at`."""
        if self._sep is None:
            found = tables.first_lines(block, lambda line: _without_comment(line, ";"), keep_empty=True, names=True)
            if found is None:
                return
            start, self._sep = found
            at, block = at + block.count("\n", 0, start), block[start:]
        if not self._sep and (self._dated or self._columns is None):
            block = _BLANK_IN_DATE.sub("T", block)  # else a date would be two values
        if self._columns is None:
            # Enough lines to tell the columns; the rest may be read fast.
            end = tables.end_of_lines(block, tables.SAMPLE)
            self._slow(at, block[:end])
            at, block = at + block.count("\n", 0, end), block[end:]
        if block and not self._fast(at, block) and not self._rewritten(at, block):
            while block:
                end = tables.end_of_lines(block, tables.PIECE)
                piece, block = block[:end], block[end:]
                if not self._fast(at, piece) and not self._rewritten(at, piece):
                    self._slow(at, piece)
                at += piece.count("\n")
        if len(self._peers) >= self._checked:
            # An overlap is reported before everything has been read, since reading irregular lines takes long.
            self._checked = 2 * len(self._peers)
            self._ordered()

    def _fast(self, at: int, block: str) -> bool:
        """Take lines at once if they are well-formed. Returns False, and takes nothing, if they have to be read in
        another way."""
        odd = ('"', "'", "#", "%", "//", "\n\n")
        if any(sign in block for sign in odd) or ("," if self._sep == ";" else "\n;") in block:
            return False
        return self._parsed(np.arange(at, at + block.count("\n") + (not block.endswith("\n"))), block)

    def _rewritten(self, at: int, text: str) -> bool:
        """As `_fast`, for lines with quotes, comments, open ends and decimal commas, and with empty lines between
        them."""
        columns = self._columns
        block = tables.bare(text, self._sep or "", names=True)
        if columns is None or block is None:
            return self._from_rows(at, text)
        if self._sep == ";" and "," in block:
            if self._pointless:
                block = block.replace(",", ".")  # no label contains one of these characters
            elif columns.wanted[0] == 0:
                block = _POINT.sub(r"\1.", block)
            else:
                return False
        if self._sep and not self._opens and self._parsed_whole(at, block):
            return True
        if self._sep:
            self._opens = True
            block = self._open_ends(columns.wanted[2]).sub(r"\1inf", block)
        if _is_whole(block):
            return self._parsed_whole(at, block) or self._from_rows(at, block)
        kept = [(number, line) for number, line in enumerate(block.split("\n"), at) if line and not line.isspace()]
        if not kept or self._parsed(np.array([at for at, _ in kept]), "\n".join(line for _, line in kept)):
            return True
        return self._from_rows(at, block)

    def _parsed_whole(self, at: int, block: str) -> bool:
        """As `_parsed`, of all lines; False where some of them are empty."""
        lines = np.arange(at, at + block.count("\n") + (not block.endswith("\n")))
        return _is_whole(block) and self._parsed(lines, block)

    def _from_rows(self, at: int, text: str) -> bool:
        """As `_fast`, also for values in double quotes that have a separator or a quote inside, and for lines that end
        with empty values."""
        columns = self._columns
        if columns is None or (not self._sep and tables.has_other_blank(text)):
            return False
        rows = tables.rows_of(text, self._sep or "")
        if rows is None:
            return False
        rows = tables.stripped(rows, self._sep or "")
        lines = np.array([number for number, row in enumerate(rows, at) if any(row)], np.int64)
        rows = [row for row in rows if any(row)]
        if not rows or not tables.of_width(rows, columns.width):
            return not rows
        who, first, last = columns.wanted
        begins = [self._point(row[first]) for row in rows]
        ends = ["inf" if row[last].lower() in OPEN else self._point(row[last]) for row in rows]
        if not all(each.isascii() and "_" not in each for each in ("\n".join(begins), "\n".join(ends))):
            return False
        numbers = {word: at for at, word in enumerate(dict.fromkeys(row[who] for row in rows))}
        which = np.array([numbers[row[who]] for row in rows], np.int64)
        if self._dated:
            if max(map(len, (*begins, *ends))) >= DATE_BYTES:
                return False
            begun, ended = (_stamps(np.array(each, f"S{DATE_BYTES}")) for each in (begins, ends))
            return begun is not None and ended is not None and self._taken(lines, list(numbers), which, begun, ended)
        try:
            times = np.array(list(map(float, begins))), np.array(list(map(float, ends)))
        except ValueError:
            return False
        return self._taken(lines, list(numbers), which, *times)

    def _open_ends(self, column: int) -> re.Pattern[str]:
        sep = re.escape(self._sep or "")
        words = "|".join(map(re.escape, sorted(OPEN - {""}, key=len, reverse=True)))
        return re.compile(
            rf"(?:^|(?<=\n))((?:[^{sep}\n]*+{sep}){{{column}}})[ \t]*+(?:{words})?[ \t]*+(?=[{sep}\n]|$)", re.IGNORECASE
        )

    def _parsed(self, lines: NDArray[np.int64], text: str) -> bool:
        """Take these lines of `text`, none of which is empty, if numpy reads them all as good sessions."""
        columns = self._columns
        if columns is None or tables.has_other_blank(text) or (not self._sep and not text.isascii()):
            return False
        kind = "S" if text.isascii() else "U"
        who, first, last = columns.wanted
        time = f"S{DATE_BYTES}" if self._dated else "f8"
        types = {who: f"{kind}{self._longest}", first: time, last: time}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                rows = np.loadtxt(
                    io.StringIO(text),
                    [(f"f{column}", types.get(column, f"{kind}1")) for column in range(columns.width)],
                    comments=None,
                    delimiter=self._sep or None,
                    ndmin=1,
                )
        except (ValueError, Warning):
            return False
        names, number = np.unique(rows[f"f{who}"], return_inverse=True)
        begins, ends = rows[f"f{first}"], rows[f"f{last}"]
        if self._dated:
            begun, ended = _stamps(begins), _stamps(ends)
            if begun is None or ended is None:
                return False
            begins, ends = begun, ended
        words = [name if isinstance(name, str) else name.decode("ascii") for name in names.tolist()]
        return self._taken(lines, words, number, begins, ends)

    def _taken(
        self,
        lines: NDArray[np.int64],
        words: list[str],
        number: NDArray[np.int64],
        begins: NDArray[np.float64],
        ends: NDArray[np.float64],
    ) -> bool:
        """Take these sessions if all are valid. number: the peer of each session, as an index into `words`."""
        try:
            known = [
                _peer(word.strip(tables.BLANKS), self._ids, len(self._labels), "") if len(word) < self._longest else -1
                for word in words
            ]
        except InputError:
            return False  # `_slow` raises the error again, with the number of the line
        most = STAMP_MAX_S * 1e9
        count = len(begins)
        good = min(known) >= 0 and count == len(lines) and len(self._peers) + count <= SESSIONS_MAX
        if not good or not bool(
            ((abs(begins) <= most) & (begins < ends) & ((ends <= most) | (ends == math.inf))).all()
        ):
            return False
        self._peers.frombytes(np.array(known, np.int64)[number].tobytes())
        self._begins.frombytes(begins.tobytes())
        self._ends.frombytes(ends.tobytes())
        self._lines.frombytes(lines.astype(np.int64).tobytes())
        return True

    def _slow(self, at: int, block: str) -> None:
        sep = self._sep or ""
        for number, raw in enumerate(block.split("\n"), start=at):
            line = _without_comment(raw, sep)
            if not line.strip(tables.BLANKS):
                continue
            where = f"{self.name}:{number}"
            cells = tables.cells(line, sep, where, EXPECTED)
            if not any(cells):
                continue
            if self._columns is None:
                skip = self._begin(cells, where)
                if skip:
                    continue
            self._session(cells, number, where)

    def _begin(self, cells: list[str], where: str) -> bool:
        """Find the columns from the first line. Returns whether it is a header."""
        if len(cells) < 3:
            raise self._wrong_count(cells, where)
        wanted: tuple[int, ...] = (0, 1, 2)
        # A cell that begins with a digit is a time, perhaps in a form that is not read (0x10), which is reported below.
        header = not any(_DIGIT_FIRST.match(cell) or cell.lower() in OPEN for cell in cells[1:3])
        if header:
            named = tables.named_columns(cells, (PEERS, STARTS, ENDS))
            wanted = named or wanted
            unit = cells[wanted[1]].lower()
            self._ms = unit.endswith(("_ms", "(ms)", "[ms]", " ms"))
            lasting = next((cell for cell in cells if tables.word_of(cell).startswith(LENGTHS)), "")
            if named is None and lasting:
                raise InputError(
                    f"{where}: the end of a session is expected in its third column, not {tables.quoted(lasting)}"
                )
        self._columns = tables.ColumnLayout(len(cells), wanted)
        return header

    def _wrong_count(self, cells: list[str], where: str) -> InputError:
        return InputError(f"{where}: expected peer,start_s,end_s, found {tables.counted(len(cells))}")

    def _session(self, cells: list[str], number: int, where: str) -> None:
        columns = self._columns
        assert columns is not None
        if len(cells) != columns.width:
            while len(cells) > columns.width and not cells[-1]:
                cells = cells[:-1]
            if len(cells) != columns.width:
                raise self._wrong_count(cells, where)
        label, first, last = (cells[at] for at in columns.wanted)
        begin = self._time(first, "start_s", where)
        end = math.inf if last.lower() in OPEN else self._time(last, "end_s", where)
        if end <= begin:
            raise InputError(
                f"{where}: end_s should be later than start_s, but {plain(last, 40)} is not after {plain(first, 40)}"
            )
        if len(self._peers) == SESSIONS_MAX:
            raise InputError(f"{where}: more than the {SESSIONS_MAX:,} sessions that are read")
        self._peers.append(_peer(label, self._ids, len(self._labels), where))
        self._begins.append(begin)
        self._ends.append(end)
        self._lines.append(number)

    def _point(self, text: str) -> str:
        """A number with the decimal point that Python reads."""
        return text.replace(",", ".") if self._sep == ";" and text.count(",") == 1 else text

    def _time(self, text: str, what: str, where: str) -> float:
        word = self._point(text)
        value = float(word) if tables.is_number(word) else math.nan
        dated = math.isnan(value) and _DATE.fullmatch(text) is not None
        if dated:
            value = _stamp(text)
            if math.isnan(value):
                raise InputError(f"{where}: {what} should be a date and time that there is, not {tables.quoted(text)}")
        if math.isfinite(value) and abs(value) <= STAMP_MAX_S * 1e9:
            if self._dated is None:
                self._dated = dated
            if dated != self._dated:
                form = ("a number of seconds", "a date and time")[self._dated]
                raise InputError(f"{where}: {what} should be {form}, as in the lines before, not {tables.quoted(text)}")
            return value
        check_text(text, where, EXPECTED)
        if math.isnan(value) or "inf" in word.lower():
            form = "a date and time" if self._dated else "a number of seconds"
            raise InputError(f"{where}: {what} should be {form}, not {tables.quoted(text)}")
        raise self._too_large(what, text, where)

    def _too_large(self, what: str, text: str, where: str) -> InputError:
        return InputError(f"{where}: {what} is too large: {plain(text, 40)} s is more than {TIME_MAX_S:,.0f} s")

    def result(self) -> SessionTrace:
        """The sessions of all blocks, by peer and in order."""
        if not self._peers:
            raise InputError(f"{self.name}: no sessions in it; {EXPECTED}")
        peers, begins_us, ends_us, notes = self._ordered()
        # A session of less than a microsecond is none.
        kept = (ends_us > 0) & (ends_us > begins_us)
        made = SessionTrace({int(peer): [] for peer in dict.fromkeys(self._peers)}, {}, tuple(notes))
        made.ends_us.update((peer, []) for peer in made.begins_us)
        rows = zip(peers[kept].tolist(), begins_us[kept].tolist(), ends_us[kept].tolist(), strict=True)
        for peer, begin_us, end_us in rows:
            made.begins_us[peer].append(begin_us)
            made.ends_us[peer].append(end_us)
        return made

    def _ordered(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], list[str]]:
        """Peers, begins and ends in microseconds, by peer and in order, and notes. Raises InputError for an overlap."""
        notes = [note] if self._columns and (note := self._columns.note(self.name)) else []
        peers, lines = np.array(self._peers), np.array(self._lines)
        begins, ends = np.array(self._begins), np.array(self._ends)
        scale, unit = (1e-3, "milliseconds") if self._ms else (1.0, "seconds")
        low = float(begins.min())
        stamped = next(((s, u) for s, u in UNITS if STAMP_MIN_S <= low * s < STAMP_MAX_S), None)
        if self._dated:
            scale, begins, ends = 1.0, begins - low, ends - low
            begun = datetime.fromtimestamp(low, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
            notes.append(f"{self.name}: its times are dates: the run begins with the first session, at {begun}")
        elif stamped is not None:
            scale, unit = stamped
            begins, ends = begins - low, ends - low
            notes.append(
                f"{self.name}: its times are {unit} since 1970: shifted by {low * scale:.3f} s, so that the run begins "
                "with the first session"
            )
        begins, ends = begins * scale, ends * scale
        for what, column in (("start_s", begins), ("end_s", ends)):
            wrong = np.flatnonzero(np.isfinite(column) & (abs(column) > TIME_MAX_S))
            if len(wrong):
                at = int(wrong[0])
                raise self._too_large(what, f"{column[at]:.15g}", f"{self.name}:{lines[at]}")
        begins_us = np.rint(begins * 1e6).astype(np.int64)
        ends_us = np.rint(np.minimum(ends, TIME_MAX_S) * 1e6).astype(np.int64)
        order = np.lexsort((lines, ends_us, begins_us, peers))
        peers, lines, begins_us, ends_us = peers[order], lines[order], begins_us[order], ends_us[order]
        crossing = np.flatnonzero((peers[1:] == peers[:-1]) & (begins_us[1:] < ends_us[:-1]))
        if len(crossing):
            at = int(crossing[0])
            first, second = sorted((int(lines[at]), int(lines[at + 1])))
            who = plain(self._labels[peers[at]], 40)
            raise InputError(f"{self.name}:{second}: {who} is up already, by the session of line {first}")
        return peers, begins_us, ends_us, notes


def _stamp(text: str) -> float:
    """Seconds since 1970 of a text of the form `_DATE`; nan if there is no such date or time."""
    word = re.sub(r" ?UTC$", "Z", text.upper()).replace(",", ".")
    if (gap := word.rfind(" ")) > 10:  # before an offset
        word = word[:gap] + word[gap + 1 :]
    try:
        made = datetime.fromisoformat(word)
    except ValueError:
        return math.nan
    return (made if made.tzinfo is not None else made.replace(tzinfo=UTC)).timestamp()


def _stamps(words: NDArray[np.bytes_]) -> NDArray[np.float64] | None:
    """As `_stamp`, for many texts, of `DATE_BYTES` each; infinity for `inf`. None if some have to be read in another
    way."""
    made = np.full(len(words), math.inf)
    closed = words != b"inf"
    words = words[closed]
    stamps = _plain_stamps(words)
    if stamps is None:
        texts = [word.decode("latin-1") for word in words.tolist()]
        stamps = np.array([_stamp(text) if _DATE.fullmatch(text) else math.nan for text in texts])
        if max(map(len, texts), default=0) >= DATE_BYTES or np.isnan(stamps).any():
            return None
    made[closed] = stamps
    return made


_PLACES = {"year": (0, 4), "month": (5, 7), "day": (8, 10), "hour": (11, 13), "minute": (14, 16), "second": (17, 19)}
"""Where the digits of a date are."""


def _plain_stamps(words: NDArray[np.bytes_]) -> NDArray[np.float64] | None:
    """As `_stamps`, for dates of one form without an offset. numpy's own reader of dates is not used: it crashes at a
    date that does not exist (a segmentation fault in the cast of many texts)."""
    signs = words.view(np.uint8).reshape(len(words), DATE_BYTES).copy()
    last = (signs != 0).sum(axis=1) - 1
    ends = signs[np.arange(len(signs)), last]
    signs[np.arange(len(signs)), last] = np.where((ends == ord("Z")) & (last > 10), 0, ends)
    filled = signs != 0
    length = int(filled[0].sum()) if len(signs) else 0
    if length not in (10, 16, 19) and not 20 < length <= 29:
        return None
    if not (filled == (np.arange(DATE_BYTES) < length)).all():
        return None
    between = {4: b"-", 7: b"-", 10: b"T ", 13: b":", 16: b":", 19: b".,"}
    for at, allowed in between.items():
        if at < length and not np.isin(signs[:, at], np.frombuffer(allowed, np.uint8)).all():
            return None
    numbers = signs.astype(np.int64) - ord("0")
    digits = [at for at in range(length) if at not in between]
    if ((numbers[:, digits] < 0) | (numbers[:, digits] > 9)).any():
        return None
    part = {
        name: numbers[:, a:b] @ (10 ** np.arange(b - a - 1, -1, -1)) if b <= length else np.zeros(len(words), np.int64)
        for name, (a, b) in _PLACES.items()
    }
    fraction = numbers[:, 20 : min(length, 26)]  # in microseconds, as datetime has it
    us = fraction @ (10 ** np.arange(5, 5 - fraction.shape[1], -1)) if length > 20 else 0
    if ((part["month"] < 1) | (part["month"] > 12) | (part["day"] < 1) | (part["year"] < 1)).any():
        return None
    months = (part["year"] - 1970) * 12 + part["month"] - 1
    first, after = (each.astype("M8[M]").astype("M8[D]").astype(np.int64) for each in (months, months + 1))
    if ((part["day"] > after - first) | (part["hour"] > 23) | (part["minute"] > 59) | (part["second"] > 59)).any():
        return None
    seconds = (((first + part["day"] - 1) * 24 + part["hour"]) * 60 + part["minute"]) * 60 + part["second"]
    stamps: NDArray[np.float64] = (seconds * 1_000_000 + us) / 1e6
    return stamps


def _is_whole(block: str) -> bool:
    """Whether no line is empty or begins with a blank."""
    starts = block[:1] not in ("", "\n", " ", "\t")
    return starts and not any(sign in block for sign in ("\n\n", "\n ", "\n\t"))


def _without_comment(line: str, sep: str) -> str:
    # At the beginning of a line #17 names a peer, as in a selector, and is no comment.
    start = line.lstrip(tables.BLANKS)
    if start[:1] == "#" and start[1:2].isdigit():
        return "#" + tables.without_comment(start[1:], sep)
    return tables.without_comment(line, sep)


def _peer(word: str, ids: dict[str, PeerId], n: int, where: str) -> PeerId:
    peer = ids.get(plain(word).strip())
    if peer is not None:
        return peer
    digits = word.removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        # With 100,000 labels a search for the nearest spelling would take too long.
        some = [label for label, _ in zip(ids, range(2_000), strict=False)]
        check_text(word, where, EXPECTED)
        raise InputError(f'{where}: no peer is called "{plain(word, 40)}"{nearest(word, some)}')
    if int(digits) >= n:
        raise InputError(f"{where}: there is no peer #{int(digits)}; the last one is #{n - 1}")
    return int(digits)
