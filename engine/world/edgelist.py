"""Edge lists as SNAP publishes them: one link a line, two node ids, `#` opens a comment; plain or gzip.

    # FromNodeId	ToNodeId
    0	1
    0	2

Read as undirected. Node ids become the labels as they stand, and peers count in ascending order of id, because
the ids of real crawls have holes. numpy reads a good file fast; only when it stumbles is the file gone through
line by line, to name the line that is wrong.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, plain
from .files import read_text

NODES_MAX = 2_000_000
EDGES_MAX = 20_000_000
BYTES_MAX = 512 << 20
"""Unpacked. Twenty million lines of two seven-digit ids are 320 MB."""
ID_MAX = (1 << 63) - 1
EXPECTED = "expected an edge list, two node ids a line"


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """A file's links. ids: the node ids of the file, ascending; codes: int64 (L,), a * len(ids) + b with a < b
    positions in `ids`, each once; skipped: duplicates and self loops left out; note: a sentence about them."""

    ids: list[int]
    codes: NDArray[np.int64]
    skipped: int
    note: str


def load(path: str) -> Edges:
    """Read an edge list. Raises InputError, one sentence with the file and, where there is one, the line."""
    name = plain(path)
    text = read_text(path, EXPECTED, BYTES_MAX)
    # Counted before parsing, which would take gigabytes for the absurd; a few comment lines are forgiven.
    if text.count("\n") > EDGES_MAX + 1_000:
        raise InputError(f"{name}: more than the {EDGES_MAX:,} links that are read")
    pairs = _fast(text)
    if pairs is None:
        pairs = _slow(text, name)
    if not len(pairs):
        raise InputError(f"{name}: no links in it; expected two node ids a line")
    if len(pairs) > EDGES_MAX:
        raise InputError(f"{name}: {len(pairs):,} links are more than the {EDGES_MAX:,} that are read")
    ids, dense = np.unique(pairs, return_inverse=True)
    n = len(ids)
    if n > NODES_MAX:
        raise InputError(f"{name}: {n:,} nodes are more than the {NODES_MAX:,} that are read")
    dense = dense.reshape(-1, 2)
    a, b = dense.min(axis=1), dense.max(axis=1)
    codes = np.unique((a * n + b)[a != b])
    if not len(codes):
        raise InputError(f"{name}: each link in it leads from a node to itself; expected two different node ids a line")
    loops = int((a == b).sum())
    again = len(pairs) - loops - len(codes)
    told = [f"{count:,} {what}" for count, what in ((again, "repeated"), (loops, "from a node to itself")) if count]
    note = f"{name}: links dropped: {' and '.join(told)}" if told else ""
    return Edges(ids.tolist(), codes.astype(np.int64), loops + again, note)


def _fast(text: str) -> NDArray[np.int64] | None:
    """All pairs, int64 (L, 2), or None when something is amiss, or odd enough for a closer look."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            pairs = np.loadtxt(io.StringIO(text), dtype=np.int64, comments="#", ndmin=2)
    except (ValueError, Warning):
        return None
    return pairs if pairs.shape[1] == 2 and pairs.min() >= 0 else None


def _slow(text: str, name: str) -> NDArray[np.int64]:
    """As `_fast`, naming the first line that is wrong."""
    pairs: list[tuple[int, int]] = []
    for at, line in enumerate(io.StringIO(text), start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 2:
            count = f"{len(words)} value{'s' if len(words) > 1 else ''}"
            raise InputError(f"{name}:{at}: expected two node ids, found {count}")
        pairs.append((_node(words[0], name, at), _node(words[1], name, at)))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _node(word: str, name: str, at: int) -> int:
    digits = word.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise InputError(f'{name}:{at}: a node id should be a whole number, not "{plain(word, limit=40)}"')
    if word.startswith("-"):
        raise InputError(f"{name}:{at}: a node id should not be negative, as {plain(word, limit=40)} is")
    if len(digits) > 19 or int(digits) > ID_MAX:
        raise InputError(f"{name}:{at}: the node id {plain(word, limit=40)} is too large")
    return int(digits)
