"""Reader of edge lists: one link a line, two node ids, perhaps a weight, further columns left out; plain or packed with
gzip.

    # FromNodeId	ToNodeId        source,target,weight        "New York" "Boston"
    0	1                           0,1,0.5                     "Boston" "Chicago"
    0	2                           0,2,1.5

Links are undirected. Separators, comments, quotes: see `tables`. Ids are labels as they are written: 01 and 1 differ.
Whole numbers are sorted in ascending order, because the ids of real crawls have gaps; names are in the order in which
they first occur. The first line decides: if its two ids are whole numbers without quotes, all ids should be. For GML,
GraphML, Pajek and TGF see `graph_files`.

Weights are the values of the column that a header calls weight, cost or metric; without a header, the values of a third
column that is the last one; or the attribute of that name, if networkx has written attributes as a Python dict. They
are the costs of links, see `graph_files.costs_of`; if one of them cannot be a cost, all are left out.

A block of well-formed lines of numbers is read fast by numpy, a block of names by `split`. If that fails, quotes and
comments are removed first, a thousand lines at a time; lines that are still irregular are read one by one, and an error
names the line that is wrong.
"""

from __future__ import annotations

import functools
import io
import itertools
import operator
import re
import warnings
from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import sorted_once
from ...errors import InputError, plain
from ...files import Text, check_text
from ...values import dataclass
from . import graph_files, tables

NODES_MAX = 1_000_000
"""As many nodes as a swarm can have peers."""
EDGES_MAX = 2_000_000
BYTES_MAX = 256 << 20
ID_MAX = (1 << 63) - 1
LABEL_MAX = 200
COLUMNS_MAX = 1_000
DENSE_MAX = 1 << 24
"""Up to this id, positions are looked up in a table; above it by binary search."""
EXPECTED = "expected an edge list, two node ids a line"

SOURCES = frozenset(("source", "src", "from", "fromnode", "fromnodeid", "sourceid", "sourcenode", "tail", "start"))
TARGETS = frozenset(("target", "dst", "dest", "to", "tonode", "tonodeid", "targetid", "targetnode", "head", "end"))
ENDS = frozenset(("node", "nodeid", "id", "peer", "vertex", "nodea", "nodeb", "peera", "peerb", "u", "v", "x", "y"))
WEIGHTS = frozenset(("weight", "weights", "cost", "costs", "metric"))
RELATIONS = frozenset(
    ("pp", "pd", "pr", "rc", "cr", "gl", "pm", "mp", "gg", "interacts", "interacts_with", "interacts with", "->", "--")
)
"""Words between the two nodes of a link in Cytoscape's SIF, and arrows."""
ARROWS = frozenset(("->", "--"))
_DECIMAL = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?")
_MINUS_ZERO = re.compile(r"-(?<![eE\d.]-)0")
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_SURE_NAMES = re.compile(r"(?:[^\W\d_][^\n]{0,199}+(?:\n|\Z))*")
"""Names that begin with a letter, one a line: they pass `_check_word`, unless they have characters that are no text."""
_NO_TEXT = re.compile("[\ud800-\udfff]")
_ATTRIBUTES = re.compile(r"[ \t]*+\{[^\n{#%/]*+(?<=\})(?:[ \t]++(?=\n|\Z))?(?=\n|\Z)")
"""The attributes that networkx writes at the end of a line."""
_WEIGHT_ATTRIBUTE = re.compile(rf"[{{,] *+['\"](?:{'|'.join(sorted(WEIGHTS))})['\"] *+: *+([^,}}\n]++)[,}}]")
_COMMENT_LINE = {
    sep: re.compile(rf"^[ \t]*+(?:%|//{'' if sep == ';' else '|;'})[^\n]*+", re.MULTILINE) for sep in ("", ";")
}


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """The links of a file.

    labels    the node ids of the file
    codes     int64 (L,), each once: a * len(labels) + b, with a < b positions in `labels`
    costs     int32 (L,), of the same links; None for a file without weights
    skipped   number of duplicates and self loops that are left out
    notes     sentences about what is left out
    """

    labels: tuple[str, ...]
    codes: NDArray[np.int64]
    costs: NDArray[np.int32] | None
    skipped: int
    notes: tuple[str, ...]


def load(path: str) -> Edges:
    """Read an edge list or a graph file. Raises InputError: one sentence with the file and, if possible, the line."""
    text = Text(path, EXPECTED, BYTES_MAX)
    # Checked before parsing, which would take long; 1,000 more lines are allowed for comments.
    if text.lines > EDGES_MAX + 1_000:
        raise InputError(f"{text.name}: more than the {EDGES_MAX:,} links that are read")
    reader = _EdgeListReader(text.name)
    blocks = iter(tables.blocks(text))
    for at, block in blocks:
        if at == 1 and (kind := graph_files.kind_of(block, text.name)):
            if text.bytes > graph_files.BYTES_MAX:
                raise InputError(graph_files.too_large(kind, text.name))
            graph = graph_files.read(kind, "".join((block, *(rest for _, rest in blocks))), text.name)
            weights = None if graph.weights is None else [graph.weights]
            return _edges(text.name, graph.labels, [graph.pairs], weights, list(graph.notes))
        reader.read_block(at, block)
    return reader.result()


def _edges(
    name: str,
    labels: Sequence[str],
    pairs: list[NDArray[np.int64]],
    weights: list[NDArray[np.float64]] | None,
    notes: list[str],
    clean: bool = False,
) -> Edges:
    """Make `Edges` of pairs of positions in `labels`, with their weights if they have some. Empties both lists, to free
    their memory early. `clean`: the labels are numbers, so that their characters need no check."""
    n, count = len(labels), sum(map(len, pairs))
    if not count:
        raise InputError(f"{name}: no links in it; expected two node ids a line")
    found, heavy, loops = [], [], 0
    while pairs:
        some = pairs.pop()
        a, b = some.min(axis=1), some.max(axis=1)
        loops += int((a == b).sum())
        found.append((a * n + b)[a != b])
        if weights is not None:
            heavy.append(weights.pop()[a != b])
    codes, costs = np.concatenate(found), None
    if weights is None:
        codes = sorted_once(codes)
    elif len(codes):
        # If a link occurs several times its lowest cost counts, as with parallel links.
        costs, rounded = graph_files.costs_of(np.concatenate(heavy))
        order = np.lexsort((costs, codes))
        first = np.append(True, np.diff(codes[order]) > 0)
        codes, costs = codes[order][first], costs[order][first]
        how = ", rounded to whole numbers from 1 on," if rounded else ""
        notes = [*notes, f"{name}: the weights of its links are their costs{how} where a network has costs"]
    if not len(codes):
        raise InputError(f"{name}: each link in it leads from a node to itself; expected two different node ids a line")
    repeated = count - loops - len(codes)
    dropped = [
        f"{count:,} {what}" for count, what in ((repeated, "repeated"), (loops, "from a node to itself")) if count
    ]
    if dropped:
        notes = [*notes, f"{name}: links dropped: {' and '.join(dropped)}"]
    return Edges(tuple(labels) if clean else _printable(labels, name), codes, costs, loops + repeated, tuple(notes))


def _printable(labels: Sequence[str], name: str) -> tuple[str, ...]:
    """Labels without characters that a terminal cannot show. InputError if two are then equal or one is empty."""
    made = tuple(label if label.isascii() and label.isprintable() else plain(label, LABEL_MAX) for label in labels)
    if len(set(made)) < len(made):
        first = {label: at for at, label in reversed(list(enumerate(made)))}
        twice = next(label for at, label in enumerate(made) if first[label] != at)
        raise InputError(f'{name}: two nodes are both shown as "{plain(twice, 40)}"; expected names that differ')
    if "" in made:
        raise InputError(f"{name}: the name of a node has no character that can be shown")
    return made


class _Codes(dict[str, int]):
    """Word -> code of the number, see `_EdgeListReader`. Raises InputError for a word that is no number."""

    def __init__(self, words: dict[str, int]) -> None:
        super().__init__()
        self._words = words

    def __missing__(self, word: str) -> int:
        code = self[word] = _code_of(word, "", self._words)
        return code


def _code_of(word: str, where: str, words: dict[str, int]) -> int:
    """The code of a whole number. One that is not written as Python writes it is added to `words`."""
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
        return -1 - words.setdefault(word, len(words))
    return int(word)


@dataclass(slots=True)
class _EdgeListReader:
    """Reads blocks of lines. `sep` and `columns` are None before the first line with a link. `weights`: of the links in
    `pairs`, None if the links have no weights; `weight_at`: the column of the weights, None if they are attributes at
    the end of a line.

    Ids are stored as codes of 64 bits. In a file of numbers an id is its own code; a number that is not written as
    Python writes it (01, +1) has the code -1 - its position in `words`. In a file of names all codes are positions in
    `words`.
    """

    name: str
    sep: str | None = None
    columns: tables.ColumnLayout | None = None
    numbers: bool = True
    pairs: list[NDArray[np.int64]] = field(default_factory=list)
    links: int = 0
    words: defaultdict[str, int] = field(default_factory=defaultdict)
    codes: _Codes = field(init=False)
    known: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    unmerged: list[NDArray[np.int64]] = field(default_factory=list)
    matrix_market: bool = False
    sif: bool = False
    weights: list[NDArray[np.float64]] | None = None
    weight_at: int | None = None

    def __post_init__(self) -> None:
        self.codes = _Codes(self.words)

    def read_block(self, at: int, block: str) -> None:
        """Read the lines of a block, the first of which is line `at`."""
        if self.columns is None:
            at, block = self._begin(at, block)
        if not block or block.isspace():
            return
        pairs = self._from_sif(at, block) if self.sif else self._fast(block)
        if pairs is None:
            pairs = self._bare(block)
        if pairs is None:
            pairs = self._pieces(at, block)
        if not len(pairs):
            return
        self.pairs.append(pairs)
        if self.weights is not None:
            weights = self._weights_in(block, len(pairs))
            self.weights = None if weights is None else [*self.weights, weights]
        self.links += len(pairs)
        if self.links > EDGES_MAX:
            raise InputError(f"{self.name}: more than the {EDGES_MAX:,} links that are read")
        if self.numbers:
            self.unmerged.append(_distinct(pairs))
            if sum(map(len, self.unmerged)) > max(len(self.known), 1 << 16):
                self._merge()
            self._check_nodes(len(self.codes))
        else:
            self._check_nodes(len(self.words))

    def _merge(self) -> None:
        self.known = sorted_once(np.concatenate((self.known, *self.unmerged)))
        self.unmerged = []
        self._check_nodes(len(self.known))

    def _check_nodes(self, n: int) -> None:
        if n > NODES_MAX:
            raise InputError(f"{self.name}: more than the {NODES_MAX:,} nodes that are read")

    def result(self) -> Edges:
        """The links of all blocks."""
        read = None if self.weights is None else self.weight_at
        notes = [note] if self.columns and (note := self.columns.note(self.name, read)) else []
        if not self.numbers:
            # Names in quotes may be whole numbers: if all are, they are sorted as numbers.
            labels = list(self.words)
            if all(map(str.isdigit, labels)) and all(map(str.isascii, labels)):
                order = sorted(range(len(labels)), key=lambda at: _number_key(labels[at]))
                place = np.empty(len(labels), np.int64)
                place[order] = np.arange(len(labels))
                labels = [labels[at] for at in order]
                self.pairs = [place[some] for some in self.pairs]
            return _edges(self.name, labels, self.pairs, self.weights, notes)
        self._merge()
        ids = self.known
        if self.words:
            odd = list(self.words)
            plain_ids = ids[ids >= 0]
            keys = [_number_key(word) for word in (*odd, *map(str, plain_ids.tolist()))]
            codes = np.concatenate((-1 - np.arange(len(odd), dtype=np.int64), plain_ids))
            order = sorted(range(len(keys)), key=keys.__getitem__)
            labels = [keys[at][2] for at in order]
            place = np.empty(len(keys), np.int64)
            place[order] = np.arange(len(keys))
            by_code = np.argsort(codes, kind="stable")
            ids, place = codes[by_code], place[by_code]
            self.pairs = _positions(ids, place, self.pairs)
        else:
            labels = list(map(str, ids.tolist()))
            self.pairs = _positions(ids, np.arange(len(ids)), self.pairs)
        return _edges(self.name, labels, self.pairs, self.weights, notes, clean=True)

    # --- the first lines ---------------------------------------------------------------------------------------

    def _begin(self, at: int, block: str) -> tuple[int, str]:
        """Skip comments and a header, and find separator, columns and kind of ids from the lines after. Returns the
        number of the first line of the rest, and the rest."""
        self.matrix_market = self.matrix_market or (at == 1 and block.startswith("%%MatrixMarket"))
        found = tables.first_lines(block, self._bare_line, keep_empty=False)
        if found is None:
            return at, ""
        start, self.sep = found
        number = at + block.count("\n", 0, start)
        sample: list[tuple[int, int, str]] = []
        while start < len(block) and len(sample) < tables.SAMPLE:
            end = block.find("\n", start)
            end = len(block) if end < 0 else end
            if tables.without_comment(block[start:end], self.sep).strip(tables.BLANKS):
                sample.append((start, number, block[start:end]))
            start, number = end + 1, number + 1
        if self.matrix_market and sample:
            # The first line has the numbers of rows, columns and entries: it is no link.
            sample, self.matrix_market = sample[1:], False
        if not sample:
            return number, ""
        rows = [self._first_cells(line, f"{self.name}:{number}") for _, number, line in sample[:3]]
        wanted: tuple[int, ...] = (0, 1)
        skip = False
        head = rows[0]
        if len(rows[0]) >= 2:
            words = [tables.word_of(cell) for cell in rows[0][:2]]
            named = tables.named_columns(rows[0], (SOURCES, TARGETS))
            if named is None:
                named = _after_an_index(rows)
            elif all(line.lstrip().startswith('"') for _, _, line in sample[1:3]):
                named = _after_row_names(rows, named)
            data_follows = len(rows) > 1 and _numeric(rows[1])
            if named is not None:
                skip, wanted = True, named
            elif all(word in ENDS for word in words):
                skip = words[0] == words[1] or data_follows
            else:
                skip = data_follows and not any(map(_not_a_heading, rows[0][:2]))
        if skip:
            sample, rows = sample[1:], rows[1:]
        if not sample:
            return number, ""
        start, number, _ = sample[0]
        if (linked := self._first_of_sif([line for _, _, line in sample])) is not None:
            self.sif, self.columns = True, tables.ColumnLayout(3, (0, 2))
            self.numbers = _numeric([linked[0], linked[2]]) and not _first_line_quoted(block[start:])
            return number, block[start:]
        if len(rows[0]) >= 3 and all(row[1:2] and row[1].lower() in RELATIONS for row in rows):
            wanted = (0, 2)
        width = len(rows[0])
        if width < 2 or width <= max(wanted):
            raise self._too_few(rows[0], number)
        if width > COLUMNS_MAX:
            raise InputError(f"{self.name}:{number}: {tables.counted(width)} in a line; {EXPECTED}")
        self.columns = tables.ColumnLayout(width, wanted)
        self.numbers = _numeric([rows[0][at] for at in wanted]) and not _first_line_quoted(block[start:])
        self._find_weights(head if skip else None, sample[0][2], self.columns)
        return number, block[start:]

    def _first_of_sif(self, lines: Sequence[str]) -> list[str] | None:
        """The first row with a link, if lines have a node, a relation and any number of nodes, as in Cytoscape's simple
        interaction format: a relation in each, and not one other node in each."""
        try:
            rows = [self._cells(tables.without_comment(line, self.sep or ""), "") for line in lines]
        except InputError:  # raised again later, with the number of the line
            return None
        some = [row for row in rows if len(row) != 1]  # a line may have a node without links
        if not some or not all(len(row) > 2 and row[1].lower() in RELATIONS - ARROWS for row in some):
            return None
        widths = {len(row) for row in rows}
        several = widths != {3} and (len(widths) > 1 or not all(map(tables.is_number, some[0][3:])))
        return some[0] if several else None

    def _from_sif(self, at: int, block: str) -> NDArray[np.int64]:
        """As `_slow`, for a file in Cytoscape's SIF (`_first_of_sif`). Nodes without links are left out."""
        codes = array("q")
        code = self._number if self.numbers else self._word
        for number, raw in enumerate(block.split("\n"), start=at):
            where = f"{self.name}:{number}"
            row = self._cells(tables.without_comment(raw, self.sep or ""), where)
            while row and not row[-1]:
                row.pop()
            if len(row) < 2:
                continue
            if len(row) == 2 or row[1].lower() not in RELATIONS:
                raise InputError(f"{where}: expected a node, a relation such as pp, and the nodes that it leads to")
            first = code(row[0], where)
            for other in row[2:]:
                codes.append(first)
                codes.append(code(other, where))
            self._check_nodes(len(self.words))
        return np.array(codes, dtype=np.int64).reshape(-1, 2)

    def _first_cells(self, line: str, where: str) -> list[str]:
        sep = self.sep or ""
        row = self._cells(tables.without_comment(line, sep, hash_anywhere=True), where)
        return row if _numeric(row) and len(row) > 1 else self._cells(tables.without_comment(line, sep), where)

    def _too_few(self, row: Sequence[str], at: int) -> InputError:
        said = f": {tables.quoted(row[0])}" if row else ""
        return InputError(f"{self.name}:{at}: expected two node ids, found {tables.counted(len(row))}{said}")

    # --- weights -------------------------------------------------------------------------------------------------

    def _find_weights(self, head: Sequence[str] | None, line: str, columns: tables.ColumnLayout) -> None:
        """Find out where weights are, if there are any, from the header and the first line after it."""
        if head is not None:
            named = [at for at, cell in enumerate(head) if tables.word_of(cell) in WEIGHTS]
            if len(named) == 1:
                # If the rows have names, the header may have no cell for these.
                self.weight_at = named[0] + max(0, columns.width - len(head))
        elif columns.width == 3 and columns.wanted == (0, 1):
            self.weight_at = 2
        if self.weight_at is not None and (self.weight_at >= columns.width or self.weight_at in columns.wanted):
            self.weight_at = None
        if self.weight_at is not None or _WEIGHT_ATTRIBUTE.search(line):
            self.weights = []

    def _weights_in(self, block: str, count: int) -> NDArray[np.float64] | None:
        """The weights of the links in these lines, of which there are `count`; None where one of them cannot be a
        cost."""
        found: NDArray[np.float64] | None
        at = self.weight_at
        if at is None:
            found = _floats(_WEIGHT_ATTRIBUTE.findall(block))
        else:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    found = np.loadtxt(
                        io.StringIO(block), delimiter=self.sep or None, usecols=at, quotechar='"', ndmin=1
                    )
            except (ValueError, IndexError, OverflowError, Warning):
                found = None
            if found is None or len(found) != count:
                found = _floats([row[at] if at < len(row) else "" for row in self._all_cells(block)])
        return found if found is not None and len(found) == count and graph_files.can_be_costs(found) else None

    def _all_cells(self, block: str) -> Iterator[list[str]]:
        """The values of each line of a block that has some."""
        for raw in block.split("\n"):
            line = tables.without_comment(raw, self.sep or "", hash_anywhere=self.numbers)
            if line.strip(tables.BLANKS):
                yield self._cells(line, self.name)

    # --- blocks ------------------------------------------------------------------------------------------------

    def _fast(self, block: str) -> NDArray[np.int64] | None:
        """All pairs, int64 (L, 2); None if the block has to be read line by line."""
        columns = self.columns
        if columns is None:
            return None
        if not self.numbers:
            return self._split(block)
        if not block.isascii():
            return None
        if "%" in block or "//" in block or (";" in block and self.sep != ";"):
            block = _COMMENT_LINE[";" if self.sep == ";" else ""].sub("", block)
            if not block or block.isspace():
                return np.empty((0, 2), np.int64)
        if _leading_zero(block):
            return None
        kind: Any = np.int64
        if columns.width > 2:
            # Columns that are left out are read as one byte each, so that numpy still counts the columns.
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
        if not self.sep and tables.has_other_blank(block):
            return None
        if '"' in block or "{" in block or tables.has_comment(block, self.sep or "") or tables.has_opening(block):
            return None
        if not _same_width(self.sep or "", columns.width).fullmatch(block):
            return None
        # One flat list: with a list for each line Python's garbage collector would take much time.
        cells = block.replace("\n", self.sep).split(self.sep) if self.sep else block.split()
        blanks = bool(self.sep) and any(blank in block for blank in tables.BLANKS if blank != self.sep)
        return self._coded_cells(cells, blanks)

    def _coded_cells(self, cells: list[str], blanks: bool) -> NDArray[np.int64] | None:
        """As `_coded`, given all values of all lines. blanks: whether values may have blanks around them."""
        columns = self.columns
        assert columns is not None
        count = len(cells) // columns.width
        words = [""] * (2 * count)
        for at, column in enumerate(columns.wanted):
            words[at::2] = cells[column : count * columns.width : columns.width]
        return self._coded([word.strip(tables.BLANKS) for word in words] if blanks else words)

    def _rows(self, block: str) -> NDArray[np.int64] | None:
        """As `_split`, also for values in double quotes."""
        columns = self.columns
        assert columns is not None
        if "{" in block or (not self.sep and tables.has_other_blank(block)):
            return None
        rows = tables.rows_of(block, self.sep or "")
        if rows is None:
            return None
        first, second = columns.wanted
        full = list(filter(None, rows))
        empty = not self.sep and ('""' in block or "''" in block)  # an empty value between blanks is none
        if self.sep != "\t" and not empty and set(map(len, full)) == {columns.width}:
            words = [""] * (2 * len(full))
            words[0::2] = map(operator.itemgetter(first), full)
            words[1::2] = map(operator.itemgetter(second), full)
            if any(blank in block for blank in tables.BLANKS):
                words = [word.strip(tables.BLANKS) for word in words]
            return self._coded(words)
        rows = [row for row in tables.stripped(rows, self.sep or "") if any(row)]
        if self.sep == "\t":
            for row in rows:
                while "" in row[:2]:
                    row.remove("")
        if not tables.of_width(rows, columns.width):
            return None
        words = [""] * (2 * len(rows))
        words[0::2] = [row[first] for row in rows]
        words[1::2] = [row[second] for row in rows]
        return self._coded(words)

    def _coded(self, words: list[str]) -> NDArray[np.int64] | None:
        """Pairs of codes of these ids; None if one of them is wrong."""
        try:
            if not self.numbers:
                return self._codes_of_names(words)
            return np.fromiter(map(self.codes.__getitem__, words), np.int64, len(words)).reshape(-1, 2)
        except InputError:
            return None  # `_slow` raises the error again, with the number of the line

    def _codes_of_names(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Pairs of codes of these names. Raises InputError; then no new name is kept."""
        # Each word is looked up once: a look-up in a table of a million names waits for memory.
        known = len(self.words)
        self.words.default_factory = itertools.count(known).__next__
        codes = np.fromiter(map(self.words.__getitem__, words), np.int64, len(words)).reshape(-1, 2)
        self.words.default_factory = None
        new = list(itertools.islice(reversed(self.words), len(self.words) - known))
        text = "\n".join(new)
        if "" in new or not _SURE_NAMES.fullmatch(text) or not (text.isascii() or not _NO_TEXT.search(text)):
            try:
                for word in new:
                    self._check_word(word, "")
            except InputError:
                for _ in new:
                    self.words.popitem()
                raise
        return codes

    def _bare(self, block: str) -> NDArray[np.int64] | None:
        """As `_fast`, after attributes, comments and quotes have been removed."""
        if "{" in block:
            block = _ATTRIBUTES.sub("", block)
        columns = self.columns
        assert columns is not None
        cells = tables.all_quoted(block, self.sep or "", columns.width)
        if cells is not None and (pairs := self._coded_cells(cells, blanks=True)) is not None:
            return pairs
        bare = tables.bare(block, self.sep or "", names=not self.numbers)
        if bare is None:
            return self._rows(block)
        if not bare or bare.isspace():
            return np.empty((0, 2), np.int64)
        pairs = self._fast(bare)
        if pairs is None and self.numbers:
            pairs = self._split(bare)
        return self._rows(bare) if pairs is None else pairs

    def _pieces(self, at: int, block: str) -> NDArray[np.int64]:
        """As `_fast`, for a block that it cannot read as a whole. Raises InputError for the first line that is
        wrong."""
        made = []
        while block:
            end = tables.end_of_lines(block, tables.PIECE)
            piece, block = block[:end], block[end:]
            pairs = self._bare(piece)
            made.append(self._slow(at, piece) if pairs is None else pairs)
            at += piece.count("\n")
            if len(self.words) > NODES_MAX:
                self._check_nodes(len(self.words))
        return np.concatenate(made)

    def _slow(self, at: int, block: str) -> NDArray[np.int64]:
        """As `_fast`, line by line. Raises InputError for the first line that is wrong."""
        columns = self.columns
        assert columns is not None
        first, second = columns.wanted
        codes = array("q")
        code = self._number if self.numbers else self._word
        for number, raw in enumerate(block.split("\n"), start=at):
            line = tables.without_comment(raw, self.sep or "", hash_anywhere=self.numbers)
            if not line.strip(tables.BLANKS):
                continue
            where = f"{self.name}:{number}"
            row = self._cells(line, where)
            if len(row) != columns.width:
                row = self._row_of_width(row, columns, number)
            codes.append(code(row[first], where))
            codes.append(code(row[second], where))
            if len(self.words) > NODES_MAX:
                self._check_nodes(len(self.words))
        return np.array(codes, dtype=np.int64).reshape(-1, 2)

    def _bare_line(self, line: str) -> str:
        return self._without_attributes(tables.without_comment(line, ";"))

    def _without_attributes(self, line: str) -> str:
        """A line without the attributes that networkx writes at its end as a Python dict."""
        return line.partition("{")[0] if line.rstrip().endswith("}") else line

    def _cells(self, line: str, where: str) -> list[str]:
        row = tables.cells(self._without_attributes(line), self.sep or "", where, EXPECTED)
        while self.sep == "\t" and "" in row[:2]:
            row.remove("")  # several tabs count as one separator
        return row

    def _row_of_width(self, row: list[str], columns: tables.ColumnLayout, number: int) -> list[str]:
        """A row whose length is not that of the first one: empty values at its end are dropped, else it is refused."""
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
        code = self.codes.get(word)
        return _code_of(word, where, self.words) if code is None else code

    def _word(self, word: str, where: str) -> int:
        known = self.words.get(word)
        if known is None:
            self._check_word(word, where)
            known = self.words[word] = len(self.words)
        return known

    def _check_word(self, word: str, where: str) -> None:
        check_text(word, where, EXPECTED)
        if word and not word.isascii() and word.isdecimal():
            raise InputError(
                f"{where}: a node id should be a name or a number in the digits 0 to 9, not {tables.quoted(word)}"
            )
        if _DECIMAL.fullmatch(word) or (word[:1] == "-" and word[1:].isdigit()):
            raise InputError(f"{where}: a node id should be a whole number or a name, not {tables.quoted(word)}")
        bracket = word[:1] in ("{", "[", "<", "(") and not graph_files.ADDRESS.match(word)
        if bracket or (word.isascii() and not any(map(str.isalnum, word))):
            raise InputError(f"{where}: a node id should be a whole number or a name, not {tables.quoted(word)}")
        if len(word) > LABEL_MAX:
            raise InputError(f'{where}: the name "{plain(word, limit=40)}" is longer than {LABEL_MAX} characters')


def _floats(words: Sequence[str]) -> NDArray[np.float64] | None:
    """These numbers; None if one of them is none."""
    return np.array(list(map(float, words))) if all(map(tables.is_number, words)) else None


@functools.cache
def _same_width(sep: str, width: int) -> re.Pattern[str]:
    """Matches lines of this many values, without an empty line among them."""
    if sep:
        cell = rf"[^{re.escape(sep)}\n]*+"
        line = cell + rf"(?:{re.escape(sep)}{cell}){{{width - 1}}}"
        return re.compile(rf"(?!\n)(?:{line}\n(?!\n))*(?:{line})?")
    line = rf"[ \t\f\v]*+\S++(?:[ \t\f\v]++\S++){{{width - 1}}}[ \t\f\v]*+"
    return re.compile(rf"(?:{line}\n++)*(?:{line})?")


def _distinct(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The ids in `pairs`, each once, in ascending order."""
    low, top = int(pairs.min()), int(pairs.max())
    if top - low < DENSE_MAX:
        return np.flatnonzero(np.bincount(pairs.reshape(-1) - low)) + low
    return sorted_once(pairs)


def _positions(
    ids: NDArray[np.int64], places: NDArray[np.int64], pairs: list[NDArray[np.int64]]
) -> list[NDArray[np.int64]]:
    """`pairs` with each id replaced by its place; `ids` are sorted."""
    low = int(ids[0]) if len(ids) else 0
    if len(ids) and int(ids[-1]) - low < DENSE_MAX:
        table = np.zeros(int(ids[-1]) - low + 1, np.int64)
        table[ids - low] = places
        return [table[some - low] for some in pairs]
    return [places[np.searchsorted(ids, some)] for some in pairs]


def _leading_zero(block: str) -> bool:
    """Whether some id may begin with a zero before another digit, or with a plus sign."""
    if "+" in block or ("-0" in block and _MINUS_ZERO.search(block)):
        return True
    data = np.frombuffer(block.encode("ascii"), np.uint8)
    zeros = np.flatnonzero(data[:-1] == ord("0"))
    after = data[zeros + 1]
    digits = zeros[(after >= ord("0")) & (after <= ord("9"))]
    before = data[digits - 1]  # of position 0: the last byte, a line end or a digit
    inner = (before >= ord("0")) & (before <= ord("9")) & (digits > 0)
    # Zeros after a decimal point (weights) do not count.
    return bool((~inner & ((before != ord(".")) | (digits == 0))).any())


def _after_an_index(rows: Sequence[Sequence[str]]) -> tuple[int, int] | None:
    """The columns of ids in a file whose first column numbers the rows: pandas and R's write.csv give this column an
    empty heading, R's write.table gives it no cell in the header. None if there is no such column."""
    head, *after = rows
    if not after or not all(_WHOLE.fullmatch(row[0]) for row in after if row):
        return None
    steps = [int(row[0]) for row in after if row]
    if steps[0] not in (0, 1) or steps != list(range(steps[0], steps[0] + len(steps))):
        return None
    missing = len(head) == 2 and all(len(row) == 3 for row in after) and not any(map(_not_a_heading, head))
    return (1, 2) if missing or (len(head) > 2 and not head[0]) else None


def _after_row_names(rows: Sequence[Sequence[str]], named: tuple[int, ...]) -> tuple[int, ...]:
    """The columns of ids, moved by one if R's write.table has written the names of the rows, in quotes, for which the
    header has no cell. named: the columns by the header."""
    head, *after = rows
    numbers = [row[0] for row in after if len(row) == len(head) + 1 and row[-1]]
    return tuple(at + 1 for at in named) if numbers and numbers == [str(at + 1) for at in range(len(after))] else named


def _numeric(row: Sequence[str]) -> bool:
    return all(_WHOLE.fullmatch(cell) for cell in row[:2])


def _not_a_heading(cell: str) -> bool:
    """Whether a cell cannot be a word of a header: it is a number, or it has no ASCII letter or digit."""
    return tables.is_number(cell) or not any(map(str.isalnum, cell)) or not cell.isascii()


def _number_key(word: str) -> tuple[int, int, str]:
    """Sort key: numbers by value; of equal ones, those written with leading zeros or a plus sign last."""
    return int(word), int(len(word) > 1 and word[0] in "0+"), word


def _first_line_quoted(block: str) -> bool:
    line = block[: block.find("\n")] if "\n" in block else block
    return '"' in line or line.lstrip(tables.BLANKS).startswith("'")
