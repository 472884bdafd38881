"""The Query Routing Protocol: a leaf tells its ultrapeers which words it can answer, as a table of hashes.

An ultrapeer passes a query to a leaf only if the table has a hit for each word of the query; so leaves are asked little
and answer much. Ultrapeers give each other the union of their own and their leaves' tables, which decides about the
last hop. Sources: Rohrs, "Query Routing for the Gnutella Network" (QRP 0.1), and "Ultrapeer Query Routing" 0.1.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from ...api import words_of

FACTOR = 0x4F1BBCDC
"""A fractional part of the golden ratio (QRP 0.1, "The hash function")."""
WORD_LETTERS_MIN = 3
ENDINGS_CUT = 3
"""A word is also put in without its last one, two and three letters, so that plurals and declensions match."""
INFINITY = 7
TABLE_BITS = 16
"""Recommended: 64 Ki entries."""
PATCH_BYTES_MOST = 1 << 10
PATCHES_MOST = 255


def qrp_hash(word: str, bits: int) -> int:
    """The published hash of a word, 0 to 2 ** bits - 1. Raises ValueError for bits outside 1..32."""
    if not 1 <= bits <= 32:
        raise ValueError(f"a table has 2 to 2 ** 32 entries, not 2 ** {bits}")
    folded = 0
    for at, byte in enumerate(word.lower().encode()):
        folded ^= byte << 8 * (at & 3)
    return (folded * FACTOR & 0xFFFFFFFF) >> (32 - bits)


def plain_words(text: str) -> list[str]:
    """The words of a text as they are hashed: lower case, without accents, three letters or more."""
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(one for one in decomposed if not unicodedata.combining(one))
    return [word for word in words_of(bare) if len(word) >= WORD_LETTERS_MIN]


def with_endings_cut(word: str) -> Iterable[str]:
    """The word, and what is left without its last letters, three letters or more."""
    for cut in range(ENDINGS_CUT + 1):
        if len(word) - cut >= WORD_LETTERS_MIN:
            yield word[: len(word) - cut]


@dataclass(slots=True)
class QrpTable:
    """A table of 2 ** bits entries, as a bit set: an entry is either reachable or not, as in all clients.

    Until it is complete, `entries` is None and everything matches.
    """

    bits: int = TABLE_BITS
    entries: int | None = 0

    @classmethod
    def of(cls, names: Iterable[str], bits: int = TABLE_BITS) -> QrpTable:
        """The table of a library: the words of its file names."""
        entries = 0
        words = dict.fromkeys(word for name in names for word in plain_words(name))
        for word in words:
            for part in with_endings_cut(word):
                entries |= 1 << qrp_hash(part, bits)
        return cls(bits, entries)

    def matches(self, text: str) -> bool:
        """Whether every word of a query is in the table. A query without a word of three letters matches nothing."""
        if self.entries is None:
            return True
        words = plain_words(text)
        return bool(words) and all(self.entries >> qrp_hash(word, self.bits) & 1 for word in words)

    @property
    def fill(self) -> float:
        """Share of the entries that are set, 0 to 1; of w unknown words a query passes with `fill ** w`."""
        return (self.entries or 0).bit_count() / (1 << self.bits)

    def union(self, other: QrpTable) -> QrpTable:
        """What either of two tables of one size has. Raises ValueError for tables of two sizes."""
        if self.bits != other.bits:
            raise ValueError(f"tables of 2 ** {self.bits} and 2 ** {other.bits} entries have no union")
        if self.entries is None or other.entries is None:
            return QrpTable(self.bits, None)
        return QrpTable(self.bits, self.entries | other.entries)

    def patch(self, old: QrpTable, entry_bits: int = 4) -> bytes:
        """What turns `old` into this table: a signed difference for each entry, uncompressed. A set entry has distance
        1, others INFINITY."""
        before, now = old.entries or 0, self.entries or 0
        down, up = 1 - INFINITY, INFINITY - 1
        values = [0] * (1 << self.bits)
        changed = before ^ now
        while changed:
            low = changed & -changed
            values[low.bit_length() - 1] = down if now & low else up
            changed ^= low
        if entry_bits == 8:
            return bytes(value & 0xFF for value in values)
        return bytes((values[at] & 0xF) << 4 | values[at + 1] & 0xF for at in range(0, len(values), 2))
