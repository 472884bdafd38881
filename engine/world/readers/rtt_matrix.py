"""Reader of matrices of measured round trips: a row a line, milliseconds; plain or packed with gzip.

    0      121.4   7.3          ,paris,rome
    121.4  0       96.0         paris,0,20.5
    7.3    96.0    0            rome,20.5,0

Entry (a, b) is the round trip measured from row a to row b. The one-way delay is taken as half of it, since a round
trip does not show how it is divided, in whole milliseconds and at least one. Because of the rounding deliveries have
equal times, which makes the kernel fast, and half a millisecond is far below the repeatability of such measurements. A
matrix need not be symmetric, nor fulfil the triangle inequality: real routes make detours. The diagonal, usually zero,
is the round trip between two peers at the same row. Separators, comments, quotes: see `tables`.

A value that was not measured (-1, nan, -, NA, empty between two separators, 0 off the diagonal) is replaced by the
median of the measured values in its row; where a row has none, by the median of its column, then of all. `read` says
how many there were.

numpy reads blocks of well-formed lines fast. A block that it refuses is rewritten in a form that it reads. If it
refuses that too, the block is read line by line; an error then names the line that is wrong.
"""

from __future__ import annotations

import functools
import io
import math
import re
import warnings

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...files import Text, check_text
from . import tables

ROWS_MAX = 4_000
"""16 million entries, 128 MB as a table."""
RTT_MS_MAX = 1_200_000.0
"""Ten minutes one way, as `latency.MS_MAX`."""
BYTES_MAX = 256 << 20
EXPECTED = "expected a matrix of round trips in milliseconds"
_ODD_WORDS = re.compile(
    r"""(?<![^\s,;|"'])(?:\#N/?A(?:\ N/A)?|<NA>|n\.a\.|[+-]?1\.\#(?:QNAN|SNAN|IND|INF)0*)(?![^\s,;|"'])""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
"""Words for missing values with signs that begin a comment, or mean something else here: of Excel, pandas, Windows."""
_NUMBER_LIKE = re.compile(r"[+-]?[\d_]*[.,]?[\d_]*(?:[eE][+-]?\d+)?")
"""A word that was probably meant as a number and is none (1_0), so that its line is no header."""
_QUOTED_NAME = re.compile(r"""\n(?:"[^"\n]*+"|'[^'\n]*+')""")
_SINGLE_QUOTED = re.compile(r"'[^']*+'")
_QUOTED_NOTHING = re.compile(r"""(?<!\S)(?:""|'')(?!\S)""")
_LETTERS = re.compile(r"[A-Za-z][A-Za-z/]*+")
_SIGNS = ("-", "--", "?", "*", ".")
_WITHIN_OTHERS = ("-", "--", ".", "na")
"""Words for missing values that may also be a part of a number or of nan."""

Table = NDArray[np.float64]


def read(path: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Read one-way delays in whole milliseconds, int64 (rows, rows), from row to column, at least 1; and sentences
    about what was filled in or left out.

    Raises InputError: one sentence with the file and, if possible, the line.
    """
    text = Text(path, EXPECTED, BYTES_MAX)
    if text.lines > 2 * ROWS_MAX + 1_000:
        raise InputError(f"{text.name}: {text.lines:,} lines are more than the {ROWS_MAX:,} rows that are read")
    reader = _MatrixReader(text.name)
    for at, block in tables.blocks(text):
        reader.read_block(at, _without_odd_words(block))
    rtt_ms = reader.result()
    notes = reader.notes
    filled = _fill_missing(rtt_ms, text.name)
    if filled:
        notes.append(
            f"{text.name}: {tables.counted(filled, 'round trip')} not measured: the median of the row is taken"
        )
    np.divide(rtt_ms, 2, out=rtt_ms)
    np.rint(rtt_ms, out=rtt_ms)
    np.maximum(rtt_ms, 1, out=rtt_ms)
    return rtt_ms.astype(np.int64), tuple(notes)


def _fill_missing(rtt_ms: Table, name: str) -> int:
    """Replace values that were not measured by medians, in place. Returns how many."""
    inner = np.diagonal(rtt_ms).copy()
    np.fill_diagonal(rtt_ms, np.nan)
    there = rtt_ms > 0
    missing = len(rtt_ms) * (len(rtt_ms) - 1) - int(there.sum())
    np.fill_diagonal(rtt_ms, np.where(np.isnan(inner), 0.0, inner))
    if not missing:
        return 0
    if not there.any():
        # All zero is a network without delays. All unknown is no measurement.
        if np.isnan(rtt_ms).any():
            raise InputError(f"{name}: no round trip in it was measured; {EXPECTED}")
        return 0
    columns: Table | None = None
    for a in range(len(rtt_ms)):
        known = there[a]
        lacking = ~known
        lacking[a] = False
        if not lacking.any():
            continue
        if known.any():
            rtt_ms[a, lacking] = np.median(rtt_ms[a, known])
            continue
        if columns is None:
            columns = _column_medians(rtt_ms, there)
        rtt_ms[a, lacking] = columns[lacking]
    return missing


def _column_medians(rtt_ms: Table, there: NDArray[np.bool_]) -> Table:
    """The median of the measured values of each column; of all values where a column has none."""
    whole = float(np.median(rtt_ms[there]))
    columns = range(len(rtt_ms))
    return np.array([float(np.median(rtt_ms[there[:, b], b])) if there[:, b].any() else whole for b in columns])


class _MatrixReader:
    """Reads blocks of lines. A value that was not measured is nan."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.notes: list[str] = []
        self._sep: str | None = None
        self._rows: list[Table] = []
        self._count = 0
        self._width = 0
        self._last = 0
        self._header = self._named = False
        self._comma = False
        self._second = ""
        self._odd = False
        """Whether an earlier block could only be read by `_rewritten`."""
        self._words: set[str] = set()
        """The words for what was not measured, as far as they are known."""
        self._begun = 0
        """Position in a block from which on `_rewritten` may read all lines."""

    def read_block(self, at: int, block: str) -> None:
        """Read the lines of a block, the first of which is line `at`."""
        if not self._header and not self._odd and self._take(at, self._fast(block), block):
            return
        odd = self._odd
        if odd and self._take(at, self._rewritten(block), block):
            return
        start = 0
        if self._sep is None:
            start = self._begin(block)
            at += block.count("\n", 0, start)
        while start < len(block):
            if (
                not odd
                and self._count
                and start == self._begun
                and self._take(at, self._rewritten(block[start:]), block[start:])
            ):
                return
            end = block.find("\n", start)
            end = len(block) if end < 0 else end
            line = tables.without_comment(block[start:end], self._sep or "", hash_anywhere=True)
            if line.strip(tables.BLANKS):
                first = not self._count
                self._line(at, line)
                if first and self._count:
                    self._begun = end + 1  # now the form of a row is known
            at, start = at + 1, end + 1
        self._begun = 0

    def _take(self, at: int, rows: Table | None, block: str) -> bool:
        """Take the rows of a block; False where they were not read."""
        if rows is None:
            return False
        self._rows.append(rows)
        self._count += len(rows)
        self._width = rows.shape[1]
        self._last = at + block.rstrip(tables.BLANKS + "\n").count("\n")
        return True

    def _rewritten(self, block: str) -> Table | None:
        """As `_fast`, for blocks with names of rows, quotes, comments, missing values and decimal commas."""
        sep = self._sep
        if sep is None or "\f" in block or "\v" in block:
            return None
        text = _without_blanks("\n" + block, sep)
        if self._named and ('"' in text or "'" in text):
            text = _QUOTED_NAME.sub("\nx", text)  # what is in quotes may look like a comment
        if "#" in text or tables.has_comment(text[1:], sep):
            bare = tables.bare(text[1:], sep, names=False)
            if bare is None:
                return None
            text = "\n" + bare
        if self._named:
            text = _first_value(sep).sub("", text)
        between = sep or " "
        quote = '"' if '"' in text else "'" if "'" in text else ""
        if quote and not all(_well_quoted(text, each, between) for each in ('"', "'") if each in text):
            return None
        if quote:
            text = text.replace("'", quote).replace(quote * 2, "nan")
        if self._comma:
            if "." in text and "." in (text := _with_nan(text, between, quote, {"."})):
                return None
            text = text.replace(",", ".")
        if sep:
            for _ in range(2):
                text = text.replace(sep + sep, f"{sep}nan{sep}")
            text = text.replace(f"{sep}\n", f"{sep}nan\n")
            text = text + "nan" if text.endswith(sep) else text
            if not self._named:
                text = text.replace(f"\n{sep}", f"\nnan{sep}")
        rows = self._fast(_with_nan(text, between, quote, self._words), quote)
        if rows is None and (found := _missing_words(text, between, quote) - self._words):
            self._words |= found  # the next blocks most likely have the same words
            rows = self._fast(_with_nan(text, between, quote, self._words), quote)
        self._odd = self._odd or rows is not None
        return rows

    def _begin(self, block: str) -> int:
        """Find the separator. Returns where in the block the lines begin that are no comments."""
        found = tables.first_lines(block, functools.partial(_bare_line, ";"), keep_empty=True)
        if found is None:
            return len(block)
        start, self._sep = found
        rest = block[start:].split("\n", tables.SAMPLE + 1)[: tables.SAMPLE]
        some = [each for each in (_bare_line(self._sep, each) for each in rest) if each.strip()]
        self._second = some[1] if len(some) > 1 else ""
        self._comma = self._sep == ";"
        return start

    def _fast(self, block: str, quote: str = "") -> Table | None:
        """The rows of a block; None if it has to be read line by line. quote: the character in which values may be
        quoted, "" for none."""
        if not block.isascii() or "%" in block or "//" in block or block.isspace():
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                rows = np.loadtxt(
                    io.StringIO(block),
                    np.float64,
                    comments="#",
                    ndmin=2,
                    delimiter=self._sep or None,
                    quotechar=quote or None,
                )
        except (ValueError, Warning):
            return None
        width = rows.shape[1]
        if (
            width > ROWS_MAX + bool(np.isnan(rows[:, -1]).all())
            or self._count + len(rows) > ROWS_MAX
            or (self._count and width != self._width)
        ):
            return None
        if bool(((rows >= 0) & (rows <= RTT_MS_MAX)).all()):
            return rows
        missing = np.isnan(rows) | (rows == -1)
        if not bool(((rows >= 0) & (rows <= RTT_MS_MAX) | missing).all()):
            return None
        rows[missing] = math.nan
        return rows

    def _line(self, at: int, line: str) -> None:
        if not self._sep:
            line = _QUOTED_NOTHING.sub("nan", line)
        words = tables.cells(line, self._sep or "", f"{self.name}:{at}", EXPECTED)
        if '"' in line and "'" in line:
            words = [word[1:-1] if _SINGLE_QUOTED.fullmatch(word) else word for word in words]
        if not self._count and not self._header and self._is_header(words):
            self._header = True
            self._named = not words[0]
            self._width = len(words)
            return
        if not self._count:
            longer = self._header and len(words) == self._width + 1
            first = self._named or longer or not _is_value(words[0], self._comma)
            self._named = first and len(words) > 1 and _is_value(words[1], self._comma)
        if self._named:
            words = words[1:]
        if not self._count:
            self._width = len(words)
        if self._width > ROWS_MAX + (words[-1:] == [""]):  # each row may end with a separator
            raise InputError(
                f"{self.name}:{at}: {tables.counted(self._width)} in a row are more than the {ROWS_MAX:,} that are read"
            )
        if len(words) != self._width:
            raise InputError(f"{self.name}:{at}: {tables.counted(len(words))}, but the first row has {self._width:,}")
        if self._count == ROWS_MAX:
            raise InputError(f"{self.name}:{at}: more than the {ROWS_MAX:,} rows that are read")
        row = None if self._comma or "_" in line or not line.isascii() else _numbers(words)
        if row is None:
            row = np.array([self._entry(word, at, column) for column, word in enumerate(words, start=1)])
        self._rows.append(row[np.newaxis])
        self._count += 1
        self._last = at

    def _is_header(self, words: list[str]) -> bool:
        """Whether the first line has the names of the columns: it has no value and the next line has values; or it has
        an empty cell and then the numbers from 0 on, as pandas writes them."""
        if len(words) < 2 or not self._second:
            return False
        if not words[0] and words[1:] == [str(at) for at in range(len(words) - 1)]:
            return True
        after = tables.cells(self._second, self._sep or "", self.name, EXPECTED)
        if not math.isnan(_value(words[0], self._comma)):
            return False  # a row of values, one of which is wrong
        headings = not any(_is_value(word, self._comma) or _NUMBER_LIKE.fullmatch(word) for word in words[1:])
        return headings and bool(after) and _is_value(after[-1], self._comma)

    def _entry(self, word: str, at: int, column: int) -> float:
        if word.lower() in tables.MISSING:
            return math.nan
        value = _value(word, self._comma)
        if value == -1:
            return math.nan
        if not 0 <= value <= RTT_MS_MAX:
            check_text(word, f"{self.name}:{at}", EXPECTED)
            what = f"a round trip in milliseconds from 0 to {RTT_MS_MAX:,.0f}"
            large = value > RTT_MS_MAX and "inf" not in word.lower()
            kind = f"is too large: it should be {what}" if large else f"should be {what}"
            raise InputError(f"{self.name}:{at}: value {column:,} {kind}, not {tables.quoted(word)}")
        return value

    def result(self) -> Table:
        """The whole matrix, square, in milliseconds, with nan for values that were not measured."""
        if not self._rows:
            raise InputError(f"{self.name}: no numbers in it; {EXPECTED}")
        made = np.concatenate(self._rows)
        self._rows = []
        if self._width == len(made) + 1 and self._sep and np.isnan(made[:, -1]).all():
            made, self._width = np.ascontiguousarray(made[:, :-1]), self._width - 1  # each row ends with a separator
        if len(made) == self._width + 1 and _is_numbering(made.T):
            made, self._header = made[1:], True
        if self._width == len(made) + 1 and _is_numbering(made):
            made, self._width, self._named = np.ascontiguousarray(made[:, 1:]), self._width - 1, True
        if len(made) != self._width:
            count = tables.counted(len(made), "row")
            where = f"{self.name}:{self._last}: {count} of {tables.counted(self._width)}"
            raise InputError(f"{where}; expected as many rows as values in each")
        if self._header or self._named:
            self.notes.append(f"{self.name}: the names of its rows and columns are left out")
        return made


@functools.cache
def _first_value(sep: str) -> re.Pattern[str]:
    """Matches the first value of a line and the separator after it."""
    if sep:
        return re.compile(rf"(?<=\n)[^\n{re.escape(sep)}]*+{re.escape(sep)}(?!\n|\Z)")
    return re.compile(r"(?<=\n)[^ \n]++ ")


def _without_blanks(text: str, sep: str) -> str:
    """A text that begins with a line feed, without the blanks beside a separator or a line end, and with one blank in
    place of several."""
    if sep != "\t":
        text = text.replace("\t", " ")
    if " " not in text:
        return text
    while "  " in text:
        text = text.replace("  ", " ")
    for end in (sep, "\n"):
        if end:
            text = text.replace(f" {end}", end).replace(f"{end} ", end)
    return text


def _well_quoted(text: str, quote: str, sep: str) -> bool:
    """Whether each quote is at the beginning or the end of a value. The text begins with a line feed."""
    opening = text.count(sep + quote) + text.count("\n" + quote)
    closing = text.count(quote + sep) + text.count(quote + "\n") + text.endswith(quote)
    return opening == closing and opening + closing == text.count(quote)


def _missing_words(text: str, sep: str, quote: str) -> set[str]:
    """The words in a text that stand for missing values."""
    words = {word for word in set(_LETTERS.findall(text)) if word.lower() in tables.MISSING and word.lower() != "nan"}
    for sign in _SIGNS:
        if sign in text and (sign in "?*" or any(each in text for each in _places(sign, sep, quote))):
            words.add(sign)
    return words


def _places(word: str, sep: str, quote: str) -> list[str]:
    """A word as a whole value, with what is before and after it."""
    places = [before + word + after for before in (sep, "\n") for after in (sep, "\n")]
    return [*places, quote + word + quote] if quote else places


def _without_odd_words(block: str) -> str:
    """A block with `nan` in place of the words of `_ODD_WORDS`."""
    if "#" in block or "<" in block or ".A." in block or ".a." in block:
        return _ODD_WORDS.sub(lambda found: "inf" if found[0][-3:].upper() == "INF" else "nan", block)
    return block


def _is_numbering(rows: Table) -> bool:
    """For rows with one column too many: whether the first column numbers the rows, from 0 or 1 on, and the rest has an
    empty diagonal."""
    counted = bool((rows[:, 0] - rows[0, 0] == np.arange(len(rows))).all()) and rows[0, 0] in (0, 1)
    diagonal = np.diagonal(rows, 1)
    return counted and bool(((diagonal == 0) | np.isnan(diagonal)).all())


def _bare_line(sep: str, line: str) -> str:
    return tables.without_comment(line, sep, hash_anywhere=True)


def _with_nan(text: str, sep: str, quote: str, words: set[str]) -> str:
    """A text that begins with a line feed, with `nan` in place of these words."""
    ended = "" if text.endswith("\n") else "\n"
    text += ended
    for word in sorted(words, key=len, reverse=True):
        if word not in _WITHIN_OTHERS:
            text = text.replace(word, "nan")  # a value that contains the word is no number before and after this
            continue
        for place in _places(word, sep, quote):
            for _ in range(1 + (place[0] == place[-1])):  # one separator ends two values
                text = text.replace(place, place.replace(word, "nan"))
    return text[:-1] if ended else text


def _numbers(words: list[str]) -> NDArray[np.float64] | None:
    """Words as measured round trips; None if some word is none."""
    try:
        row = np.array(list(map(float, words)))
    except ValueError:
        return None
    return row if bool(((row >= 0) & (row <= RTT_MS_MAX)).all()) else None


def _value(word: str, comma: bool) -> float:
    """A word as a number, or nan. `comma`: a comma may be its decimal point."""
    if comma and word.count(",") == 1 and "." not in word:
        word = word.replace(",", ".")
    return float(word) if tables.is_number(word) else math.nan


def _is_value(word: str, comma: bool) -> bool:
    return word.lower() in tables.MISSING or not math.isnan(_value(word, comma))
