"""Edge lists as other programs write them: one link a line, two node ids, further columns left out; plain or gzip.

    # FromNodeId	ToNodeId        source,target,weight        "New York" "Boston"
    0	1                           0,1,0.5                     "Boston" "Chicago"
    0	2                           0,2,1.5

Read as undirected. Separators, comments, quotes: see `tables`. Ids stand as labels as they are written: 01 and 1
differ. Whole numbers count in ascending order, because the ids of real crawls have holes; names count in the order in
which they are first seen. The first line decides: where its two ids are bare whole numbers, all ids should be. GML,
GraphML and Pajek files are read by networkx, see `graphfiles`.

numpy reads a block of good lines of numbers fast, and `split` one of names. Where they stumble, quotes and comments are
taken out first, a thousand lines at a time; the lines that are odd even so are gone through one by one, to read them or
to name the one that is wrong.
"""

from __future__ import annotations

import functools
import io
import re
import warnings
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError, plain
from ...files import Text, check_text
from . import graph_files, tables

NODES_MAX = 1_000_000
"""As many as a swarm can have."""
EDGES_MAX = 20_000_000
BYTES_MAX = 256 << 20
ID_MAX = (1 << 63) - 1
LABEL_MAX = 200
COLUMNS_MAX = 1_000
DENSE_MAX = 1 << 24
"""Up to this id, positions are looked up in a table rather than searched for."""
EXPECTED = "expected an edge list, two node ids a line"

SOURCES = frozenset(("source", "src", "from", "fromnode", "fromnodeid", "sourceid", "sourcenode", "tail", "start"))
TARGETS = frozenset(("target", "dst", "dest", "to", "tonode", "tonodeid", "targetid", "targetnode", "head", "end"))
ENDS = frozenset(("node", "nodeid", "id", "peer", "vertex", "nodea", "nodeb", "peera", "peerb", "u", "v", "x", "y"))
_DECIMAL = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_COMMENT_LINE = re.compile(r"^[ \t]*+(?:%|//|;)[^\n]*+", re.MULTILINE)


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """A file's links. labels: the node ids of the file; codes: int64 (L,), a * len(labels) + b with a < b positions in
    `labels`, each once; skipped: duplicates and self loops left out; notes: sentences about what was left out."""

    labels: tuple[str, ...]
    codes: NDArray[np.int64]
    skipped: int
    notes: tuple[str, ...]


def load(path: str) -> Edges:
    """Read an edge list. Raises InputError, one sentence with the file and, where there is one, the line."""
    text = Text(path, EXPECTED, BYTES_MAX)
    # Counted before parsing, which would take long for the absurd; a few comment lines are forgiven.
    if text.lines > EDGES_MAX + 1_000:
        raise InputError(f"{text.name}: more than the {EDGES_MAX:,} links that are read")
    reader = _Reader(text.name)
    blocks = iter(text)
    for at, block in blocks:
        if at == 1 and (kind := graph_files.kind_of(block)):
            if text.bytes > graph_files.BYTES_MAX:
                raise InputError(graph_files.too_large(kind, text.name))
            graph = graph_files.read(kind, "".join((block, *(rest for _, rest in blocks))), text.name)
            return _edges(text.name, graph.labels, [graph.pairs], list(graph.notes))
        reader.take(at, block)
    return reader.made()


def _edges(
    name: str, labels: Sequence[str], pairs: list[NDArray[np.int64]], notes: list[str], clean: bool = False
) -> Edges:
    """Links between positions in `labels`. Empties `pairs` on the way, since these may be large. `clean`: labels are
    numbers, and need no look at their characters."""
    n, count = len(labels), sum(map(len, pairs))
    if not count:
        raise InputError(f"{name}: no links in it; expected two node ids a line")
    found, loops = [], 0
    while pairs:
        some = pairs.pop()
        a, b = some.min(axis=1), some.max(axis=1)
        loops += int((a == b).sum())
        found.append((a * n + b)[a != b])
    codes = np.unique(np.concatenate(found))
    if not len(codes):
        raise InputError(f"{name}: each link in it leads from a node to itself; expected two different node ids a line")
    again = count - loops - len(codes)
    told = [f"{count:,} {what}" for count, what in ((again, "repeated"), (loops, "from a node to itself")) if count]
    if told:
        notes = [*notes, f"{name}: links dropped: {' and '.join(told)}"]
    return Edges(tuple(labels) if clean else _shown(labels, name), codes, loops + again, tuple(notes))


def _shown(labels: Sequence[str], name: str) -> tuple[str, ...]:
    """Labels without what no terminal shows. Raises InputError where two are then the same."""
    made = tuple(label if label.isascii() and label.isprintable() else plain(label, LABEL_MAX) for label in labels)
    if len(set(made)) < len(made):
        first = {label: at for at, label in reversed(list(enumerate(made)))}
        twice = next(label for at, label in enumerate(made) if first[label] != at)
        raise InputError(f'{name}: two nodes are both shown as "{plain(twice, 40)}"; expected names that differ')
    if "" in made:
        raise InputError(f"{name}: the name of a node has no character that can be shown")
    return made


@dataclass(slots=True)
class _Reader:
    """Takes blocks of lines. `sep` and `columns` are None before the first line that counts.

    Ids are codes of 64 bits: in a file of numbers an id is its own code, and one that is not written as Python would
    (01, +1) has a negative code, a position in `words` from the end; in a file of names all codes are positions.
    """

    name: str
    sep: str | None = None
    columns: tables.PeerColumns | None = None
    numbers: bool = True
    pairs: list[NDArray[np.int64]] = field(default_factory=list)
    links: int = 0
    words: dict[str, int] = field(default_factory=dict)
    known: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    fresh: list[NDArray[np.int64]] = field(default_factory=list)
    matrix_market: bool = False

    def take(self, at: int, block: str) -> None:
        """The lines of a block, the first of which is line `at`."""
        if self.columns is None:
            at, block = self._begin(at, block)
        if not block or block.isspace():
            return
        pairs = self._fast(block)
        if pairs is None:
            pairs = self._pieces(at, block)
        if not len(pairs):
            return
        self.pairs.append(pairs)
        self.links += len(pairs)
        if self.links > EDGES_MAX:
            raise InputError(f"{self.name}: more than the {EDGES_MAX:,} links that are read")
        if self.numbers:
            self.fresh.append(_distinct(pairs))
            if sum(map(len, self.fresh)) > max(len(self.known), 1 << 16):
                self._merge()
        else:
            self._sparing(len(self.words))

    def _merge(self) -> None:
        self.known = np.unique(np.concatenate((self.known, *self.fresh)))
        self.fresh = []
        self._sparing(len(self.known))

    def _sparing(self, n: int) -> None:
        if n > NODES_MAX:
            raise InputError(f"{self.name}: more than the {NODES_MAX:,} nodes that are read")

    def made(self) -> Edges:
        """All of it."""
        notes = [note] if self.columns and (note := self.columns.note(self.name)) else []
        if not self.numbers:
            # A name may be a whole number too: where all are, they are sorted as such.
            labels = list(self.words)
            if all(map(str.isdigit, labels)) and all(map(str.isascii, labels)):
                order = sorted(range(len(labels)), key=lambda at: _rank(labels[at]))
                place = np.empty(len(labels), np.int64)
                place[order] = np.arange(len(labels))
                labels = [labels[at] for at in order]
                self.pairs = [place[some] for some in self.pairs]
            return _edges(self.name, labels, self.pairs, notes)
        self._merge()
        ids = self.known
        if self.words:
            odd = list(self.words)
            plain_ids = ids[ids >= 0]
            keys = [_rank(word) for word in (*odd, *map(str, plain_ids.tolist()))]
            codes = np.concatenate((-1 - np.arange(len(odd), dtype=np.int64), plain_ids))
            order = sorted(range(len(keys)), key=keys.__getitem__)
            labels = [keys[at][2] for at in order]
            place = np.empty(len(keys), np.int64)
            place[order] = np.arange(len(keys))
            by_code = np.argsort(codes, kind="stable")
            ids, place = codes[by_code], place[by_code]
            self.pairs = [place[np.searchsorted(ids, some)] for some in self.pairs]
        else:
            labels = list(map(str, ids.tolist()))
            self.pairs = _positions(ids, self.pairs)
        return _edges(self.name, labels, self.pairs, notes, clean=True)

    # --- the first lines ---------------------------------------------------------------------------------------

    def _begin(self, at: int, block: str) -> tuple[int, str]:
        """Skip comments and a header, and tell separator, columns and kind from the lines after. Returns the rest."""
        self.matrix_market = self.matrix_market or (at == 1 and block.startswith("%%MatrixMarket"))
        sample: list[tuple[int, int, str]] = []
        start, number = 0, at
        while start < len(block) and len(sample) < tables.SAMPLE:
            end = block.find("\n", start)
            end = len(block) if end < 0 else end
            if tables.without_comment(block[start:end]).strip(tables.BLANKS):
                sample.append((start, number, block[start:end]))
            start, number = end + 1, number + 1
        if self.matrix_market and sample:
            # Numbers of rows, columns and entries: not a link.
            sample, self.matrix_market = sample[1:], False
        if not sample:
            return number, ""
        bare = [tables.without_comment(line) for _, _, line in sample]
        self.sep = tables.sniff([self._without_attributes(line) for line in bare], keep_empty=False)
        rows = [self._first_cells(line, f"{self.name}:{number}") for _, number, line in sample[:2]]
        wanted: tuple[int, ...] = (0, 1)
        skip = False
        if len(rows[0]) >= 2:
            words = [tables.word_of(cell) for cell in rows[0][:2]]
            named = tables.named_columns(rows[0], (SOURCES, TARGETS))
            data_follows = len(rows) > 1 and _numeric(rows[1])
            if named is not None:
                skip, wanted = True, named
            elif all(word in ENDS for word in words):
                skip = words[0] == words[1] or data_follows
            else:
                skip = data_follows and not any(map(_no_heading, rows[0][:2]))
        if skip:
            sample, rows = sample[1:], rows[1:]
        if not sample:
            return number, ""
        start, number, _ = sample[0]
        width = len(rows[0])
        if width < 2 or width <= max(wanted):
            raise self._too_few(rows[0], number)
        if width > COLUMNS_MAX:
            raise InputError(f"{self.name}:{number}: {tables.counted(width)} in a line; {EXPECTED}")
        self.columns = tables.PeerColumns(width, wanted)
        self.numbers = _numeric([rows[0][at] for at in wanted]) and not _quoted_first(block[start:])
        return number, block[start:]

    def _first_cells(self, line: str, where: str) -> list[str]:
        row = self._cells(tables.without_comment(line, hash_anywhere=True), where)
        return row if _numeric(row) and len(row) > 1 else self._cells(tables.without_comment(line), where)

    def _too_few(self, row: Sequence[str], at: int) -> InputError:
        said = f": {tables.quoted(row[0])}" if row else ""
        return InputError(f"{self.name}:{at}: expected two node ids, found {tables.counted(len(row))}{said}")

    # --- blocks ------------------------------------------------------------------------------------------------

    def _fast(self, block: str) -> NDArray[np.int64] | None:
        """All pairs, int64 (L, 2), or None when something is amiss, or odd enough for a closer look."""
        columns = self.columns
        if columns is None:
            return None
        if not self.numbers:
            return self._split(block)
        if not block.isascii():
            return None
        if "%" in block or "//" in block or ";" in block:
            block = _COMMENT_LINE.sub("", block)
            if not block or block.isspace():
                return np.empty((0, 2), np.int64)
        if _leading_zero(block):
            return None
        kind: Any = np.int64
        if columns.width > 2:
            # A type of its own for what is left out, so that numpy still counts the columns.
            kind = [(f"f{at}", np.int64 if at in columns.wanted else "S1") for at in range(columns.width)]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                pairs = np.loadtxt(
                    io.StringIO(block),
                    kind,
                    comments="#",
                    delimiter=self.sep or None,
                    ndmin=1 if columns.width > 2 else 2,
                )
        except (ValueError, OverflowError, Warning):
            return None
        if columns.width > 2:
            pairs = np.stack([pairs[f"f{at}"] for at in columns.wanted], axis=1)
        return pairs if pairs.shape[1] == 2 and len(pairs) and pairs.min() >= 0 else None

    def _split(self, block: str) -> NDArray[np.int64] | None:
        """As `_fast`, for names, and for numbers that are not written as Python would (01, +1)."""
        columns = self.columns
        assert columns is not None
        if tables.OTHER_BLANK.search(block) or any(sign in block for sign in ('"', "'", "#", "%", "//", "{", "\n;")):
            return None
        if not _same_width(self.sep or "", columns.width).fullmatch(block):
            return None
        # One flat list: a list a line keeps Python's collector busy.
        cells = block.replace("\n", self.sep).split(self.sep) if self.sep else block.split()
        count = len(cells) // columns.width
        words = [""] * (2 * count)
        for at, column in enumerate(columns.wanted):
            words[at::2] = cells[column : count * columns.width : columns.width]
        if self.sep:
            words = [word.strip(tables.BLANKS) for word in words]
        code = self._number if self.numbers else self._word
        try:
            codes = {word: code(word, "") for word in dict.fromkeys(words)}
        except InputError:
            return None  # said again with the line
        return np.array([codes[word] for word in words], dtype=np.int64).reshape(-1, 2)

    def _pieces(self, at: int, block: str) -> NDArray[np.int64]:
        """As `_fast`, where it gives None for all of the block. Names the first line that is wrong."""
        made = []
        while block:
            end = tables.end_of_lines(block, tables.PIECE)
            piece, block = block[:end], block[end:]
            bare = tables.bare(piece, names=not self.numbers)
            pairs = None
            if bare is not None:
                pairs = np.empty((0, 2), np.int64) if not bare or bare.isspace() else self._fast(bare)
                pairs = self._split(bare) if pairs is None else pairs
            made.append(self._slow(at, piece) if pairs is None else pairs)
            at += piece.count("\n")
            if len(self.words) > NODES_MAX:
                self._sparing(len(self.words))
        return np.concatenate(made)

    def _slow(self, at: int, block: str) -> NDArray[np.int64]:
        """As `_fast`, for all that can be read, naming the first line that is wrong."""
        columns = self.columns
        assert columns is not None
        first, second = columns.wanted
        codes = array("q")
        code = self._number if self.numbers else self._word
        for number, raw in enumerate(block.split("\n"), start=at):
            line = tables.without_comment(raw, hash_anywhere=self.numbers)
            if not line.strip(tables.BLANKS):
                continue
            where = f"{self.name}:{number}"
            row = self._cells(line, where)
            if len(row) != columns.width:
                row = self._fitted(row, columns, number)
            codes.append(code(row[first], where))
            codes.append(code(row[second], where))
            if len(self.words) > NODES_MAX:
                self._sparing(len(self.words))
        return np.array(codes, dtype=np.int64).reshape(-1, 2)

    def _without_attributes(self, line: str) -> str:
        """A line without the attributes that networkx writes at its end, in the words of Python."""
        return line.partition("{")[0] if line.rstrip().endswith("}") else line

    def _cells(self, line: str, where: str) -> list[str]:
        row = tables.cells(self._without_attributes(line), self.sep or "", where, EXPECTED)
        while self.sep == "\t" and "" in row[:2]:
            row.remove("")  # several tabs separate as one
        return row

    def _fitted(self, row: list[str], columns: tables.PeerColumns, number: int) -> list[str]:
        """A row with another number of values than the first one: a separator at its end is forgiven."""
        while len(row) > columns.width and not row[-1]:
            row = row[:-1]
        if len(row) < 2:
            raise self._too_few(row, number)
        if len(row) != columns.width:
            before = (
                "two node ids, as in the lines before"
                if columns.width == 2
                else f"{columns.width}, as in the first line"
            )
            raise InputError(f"{self.name}:{number}: expected {before}, found {tables.counted(len(row))}")
        return row

    def _number(self, word: str, where: str) -> int:
        digits = word[1:] if word[:1] in "+-" else word
        if not (digits.isascii() and digits.isdigit()):
            check_text(word, where, EXPECTED)
            raise InputError(
                f"{where}: a node id should be a whole number, as in the lines before, not {tables.quoted(word)}"
            )
        if word.startswith("-"):
            raise InputError(f"{where}: a node id should not be negative, as {plain(word, limit=40)} is")
        if len(digits) > LABEL_MAX or int(digits) > ID_MAX:
            raise InputError(f"{where}: the node id {plain(word, limit=40)} is too large")
        if word[0] == "+" or (word[0] == "0" and len(word) > 1):
            return -1 - self.words.setdefault(word, len(self.words))
        return int(word)

    def _word(self, word: str, where: str) -> int:
        known = self.words.get(word)
        if known is not None:
            return known
        check_text(word, where, EXPECTED)
        if word and not word.isascii() and word.isdecimal():
            raise InputError(
                f"{where}: a node id should be a name or a number in the digits 0 to 9, not {tables.quoted(word)}"
            )
        if _DECIMAL.fullmatch(word) or (word[:1] == "-" and word[1:].isdigit()):
            raise InputError(f"{where}: a node id should be a whole number or a name, not {tables.quoted(word)}")
        if not any(map(str.isalnum, word)) or word[0] in "{[<(":
            raise InputError(f"{where}: a node id should be a whole number or a name, not {tables.quoted(word)}")
        if len(word) > LABEL_MAX:
            raise InputError(f'{where}: the name "{plain(word, limit=40)}" is longer than {LABEL_MAX} characters')
        return self.words.setdefault(word, len(self.words))


@functools.cache
def _same_width(sep: str, width: int) -> re.Pattern[str]:
    """Matches lines of this many values, without an empty line among them."""
    if sep:
        cell = rf"[^{re.escape(sep)}\n]*+"
        line = cell + rf"(?:{re.escape(sep)}{cell}){{{width - 1}}}"
        return re.compile(rf"(?!\n)(?:{line}\n(?!\n))*+(?:{line})?")
    line = rf"[ \t\f\v]*+\S++(?:[ \t\f\v]++\S++){{{width - 1}}}[ \t\f\v]*+"
    return re.compile(rf"(?:{line}\n++)*+(?:{line})?")


def _distinct(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The ids in a block, each once, in ascending order."""
    top = int(pairs.max())
    if top < DENSE_MAX and pairs.min() >= 0:
        return np.flatnonzero(np.bincount(pairs.reshape(-1)))
    return np.unique(pairs)


def _positions(ids: NDArray[np.int64], pairs: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Where in the sorted `ids` each id of `pairs` stands."""
    if len(ids) and int(ids[-1]) < DENSE_MAX:
        table = np.zeros(int(ids[-1]) + 1, np.int64)
        table[ids] = np.arange(len(ids))
        return [table[some] for some in pairs]
    return [np.searchsorted(ids, some) for some in pairs]


def _leading_zero(block: str) -> bool:
    """Whether some number may begin with a zero before another digit, or with a plus sign."""
    if "+" in block:
        return True
    data = np.frombuffer(block.encode("ascii"), np.uint8)
    zeros = np.flatnonzero(data[:-1] == ord("0"))
    after = data[zeros + 1]
    digits = zeros[(after >= ord("0")) & (after <= ord("9"))]
    before = data[digits - 1]  # of position 0: the last byte, a line end or a digit
    inner = (before >= ord("0")) & (before <= ord("9")) & (digits > 0)
    # The digits after a point (weights) begin with what they like.
    return bool((~inner & ((before != ord(".")) | (digits == 0))).any())


def _numeric(row: Sequence[str]) -> bool:
    return all(_WHOLE.fullmatch(cell) for cell in row[:2])


def _no_heading(cell: str) -> bool:
    """Whether this is no word of a header: a number of some kind, or characters that are read nowhere."""
    return tables.is_number(cell) or not any(map(str.isalnum, cell)) or not cell.isascii()


def _rank(word: str) -> tuple[int, int, str]:
    """Numbers by value; those that are written with zeros or a plus sign before them after the plain one."""
    return int(word), int(len(word) > 1 and word[0] in "0+"), word


def _quoted_first(block: str) -> bool:
    line = block[: block.find("\n")] if "\n" in block else block
    return '"' in line or line.lstrip(tables.BLANKS).startswith("'")
