"""The Query Routing Protocol: a leaf tells its ultrapeers which words it can answer, as a table of hashes.

An ultrapeer passes a query to a leaf only if the table has a hit for each word of the query; so leaves get few queries,
and can answer many of these. Ultrapeers send each other the union of their own and their leaves' tables, which is used
on the last hop. Sources: Rohrs, "Query Routing for the Gnutella Network" (QRP 0.1), and "Ultrapeer Query Routing" 0.1.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...api import words_of

FACTOR = 0x4F1BBCDC
"""A fractional part of the golden ratio (QRP 0.1, "The hash function")."""
WORD_LETTERS_MIN = 3
ENDINGS_CUT = 3
"""A word is also put in without its last one, two and three letters, so that plurals and declensions match."""
INFINITY = 7
"""Distance of an entry that is not set; a set one has 1."""
TABLE_BITS = 16
"""Recommended: 64 Ki entries."""
BITS_MAX = 16
PATCH_BYTES_MOST = 1 << 10
PATCHES_MOST = 255
SPARSE_SHARE = 32
"""A table with at most 1 in so many entries set is kept as their list, of 2 bytes each, and others as one bit for each
entry. Bits for all tables would take 8 KB for each of the neighbours of an ultrapeer."""
ZLIB = ((0, 50), (1, 62), (10, 97), (30, 166), (100, 371), (300, 759), (1_000, 1_741), (3_000, 3_620), (5_000, 4_961),
        (11_000, 7_538), (20_000, 9_393), (32_768, 9_905), (65_536, 9_905))  # fmt: skip
"""(changed entries, bytes) of patches for 64 Ki entries, 4 bits each, as zlib 1.2 compressed random ones."""


def qrp_hash(word: str, bits: int) -> int:
    """The published hash of a word, 0 to 2 ** bits - 1. Raises ValueError for bits outside 1..32."""
    if not 1 <= bits <= 32:
        raise ValueError(f"a table has 2 to 2 ** 32 entries, not 2 ** {bits}")
    folded = 0
    for at, byte in enumerate(word.lower().encode("utf-8", "surrogatepass")):
        folded ^= byte << 8 * (at & 3)
    return (folded * FACTOR & 0xFFFFFFFF) >> (32 - bits)


def plain_words(text: str) -> list[str]:
    """The words of a text as they are hashed: lower case, without accents, three letters or more."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(one for one in decomposed if not unicodedata.combining(one))
    return [word for word in words_of(text) if len(word) >= WORD_LETTERS_MIN]


def with_endings_cut(word: str) -> Iterable[str]:
    """The word, and what is left without its last letters, three letters or more."""
    for cut in range(ENDINGS_CUT + 1):
        if len(word) - cut >= WORD_LETTERS_MIN:
            yield word[: len(word) - cut]


def entries_of(text: str, bits: int) -> tuple[int, ...]:
    """The entries that have to be set for a query; none for one without a word of three letters."""
    return tuple(dict.fromkeys(qrp_hash(word, bits) for word in plain_words(text)))


def compressed(changed: int, bits: int = TABLE_BITS) -> int:
    """Bytes of the data of a patch that changes so many entries of a table of 2 ** bits, see `ZLIB`."""
    smaller = TABLE_BITS - max(0, min(bits, TABLE_BITS))
    full = min(changed << smaller, 1 << TABLE_BITS)
    at = bisect_left(ZLIB, (full, 0))
    (less, low), (more, high) = ZLIB[max(at - 1, 0)], ZLIB[at]
    length = high if more == less else low + (high - low) * (full - less) // (more - less)
    return max(length >> smaller, 12)


@dataclass(frozen=True, slots=True)
class QrpTable:
    """A table of 2 ** bits entries, of which each is either reachable or not, as in all clients. bits: 1 to 16.

    held: those that are, ascending, 2 bytes each, little endian; or, where they are many, a bit for each entry
    """

    bits: int = TABLE_BITS
    held: bytes = b""
    sparse: bool = True

    @classmethod
    def of(cls, names: Iterable[str], bits: int = TABLE_BITS) -> QrpTable:
        """The table of a library: the words of its file names."""
        words = dict.fromkeys(word for name in names for word in plain_words(name))
        return cls.with_entries((qrp_hash(part, bits) for word in words for part in with_endings_cut(word)), bits)

    @classmethod
    def with_entries(cls, entries: Iterable[int], bits: int = TABLE_BITS) -> QrpTable:
        """The table that has these entries, in any order."""
        some = sorted(set(entries))
        if len(some) * SPARSE_SHARE <= 1 << bits or bits < 3:
            return cls(bits, packed(some))
        dense = bytearray(1 << bits - 3)
        for entry in some:
            dense[entry >> 3] |= 1 << (entry & 7)
        return cls(bits, bytes(dense), sparse=False)

    def entries(self) -> list[int]:
        """The entries that are set, ascending."""
        if self.sparse:
            return unpacked(self.held)
        return [byte << 3 | bit for byte, bits in enumerate(self.held) if bits for bit in range(8) if bits >> bit & 1]

    def has(self, entries: Sequence[int]) -> bool:
        """Whether all of these entries are set; False for none, since a query without words matches nothing."""
        if not entries or not self.held:
            return False
        held = self.held
        if not self.sparse:
            return all(held[entry >> 3] >> (entry & 7) & 1 for entry in entries)
        for entry in entries:
            two = entry.to_bytes(2, "little")
            at = held.find(two)
            while at >= 0 and at & 1:
                at = held.find(two, at + 1)
            if at < 0:
                return False
        return True

    @property
    def count(self) -> int:
        """How many entries are set."""
        return len(self.held) // 2 if self.sparse else int.from_bytes(self.held, "little").bit_count()

    @property
    def fill(self) -> float:
        """Share of the entries that are set, 0 to 1. A query of w words that no file has passes with probability
        `fill ** w`."""
        return self.count / (1 << self.bits)

    def union(self, others: Iterable[QrpTable]) -> QrpTable:
        """The table of all entries that are set in any of the tables, of the size of this one. The hash of a word with
        fewer bits is the beginning of its hash with more bits, so a table of another size can be scaled."""
        found = set(self.entries())
        for other in others:
            if other.bits >= self.bits:
                found.update(entry >> other.bits - self.bits for entry in other.entries())
            else:
                more = self.bits - other.bits
                found.update(one for entry in other.entries() for one in range(entry << more, entry + 1 << more))
        return QrpTable.with_entries(found, self.bits)

    def changed(self, entries: Iterable[int]) -> QrpTable:
        """The table in which each of these entries is set where it was not, and the other way round."""
        return QrpTable.with_entries(set(self.entries()).symmetric_difference(entries), self.bits)

    def differences(self, old: QrpTable) -> list[int]:
        """The entries in which it differs from an old table of the same size, ascending."""
        return sorted(set(self.entries()).symmetric_difference(old.entries()))


def packed(entries: Iterable[int]) -> bytes:
    """Entries as 2 bytes each, little endian."""
    return b"".join(entry.to_bytes(2, "little") for entry in entries)


def unpacked(data: bytes) -> list[int]:
    """The entries in such bytes."""
    return [data[at] | data[at + 1] << 8 for at in range(0, len(data) - 1, 2)]


def pieces(changed: Sequence[int], bits: int) -> list[bytes]:
    """The entries that a patch changes, divided so that no part is larger than recommended; at least one part."""
    parts = min(-(-compressed(len(changed), bits) // PATCH_BYTES_MOST), PATCHES_MOST)
    each = -(-len(changed) // parts) or 1
    return [packed(changed[at : at + each]) for at in range(0, len(changed) or 1, each)]
