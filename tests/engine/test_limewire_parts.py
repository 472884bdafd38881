"""Query routing tables and dynamic queries of LimeWire, without a network."""

from __future__ import annotations

from random import Random
from string import ascii_lowercase
from zlib import compress

import pytest

from engine.protocols.limewire.dynamic_query import DynamicQuery, hosts
from engine.protocols.limewire.qrp import INFINITY, QrpTable, compressed, entries_of, pieces, qrp_hash, unpacked

VECTORS = {
    13: (
        ("", 0), ("eb", 6791), ("ebc", 7082), ("ebck", 6698), ("ebckl", 3179), ("ebcklm", 3235), ("ebcklme", 6438),
        ("ebcklmen", 1062), ("ebcklmenq", 3527),
    ),
    16: (
        ("n", 65003), ("nd", 54193), ("ndf", 4953), ("ndfl", 58201), ("ndfla", 34830), ("ndflal", 36910),
        ("ndflale", 34586), ("ndflalem", 37658), ("ndflaleme", 45559),
    ),
    10: (
        ("ol2j34lj", 318), ("asdfas23", 503), ("9um3o34fd", 758), ("a234d", 281), ("a3f", 767), ("3nja9", 581),
        ("3NJA9", 581), ("2459345938032343", 146), ("7777a88a8a8a8", 342), ("asdfjklkj3k", 861), ("adfk32l", 1011),
        ("zzzzzzzzzzz", 944),
    ),
}  # fmt: skip
"""Bits -> (word, hash), of the specification."""


def matches(table: QrpTable, text: str) -> bool:
    """Whether a query with this text passes a table."""
    return table.has(entries_of(text, table.bits))


def patch(table: QrpTable) -> bytes:
    """What makes an empty table into this one on the wire, before it is compressed: a signed difference of 4 bits for
    each entry."""
    wanted = set(table.entries())
    values = [(1 - INFINITY) & 0xF if entry in wanted else 0 for entry in range(1 << table.bits)]
    return bytes(high << 4 | low for high, low in zip(values[::2], values[1::2], strict=True))


@pytest.mark.parametrize("bits", VECTORS)
def test_the_hash_gives_the_published_values(bits: int) -> None:
    assert [(word, qrp_hash(word, bits)) for word, _ in VECTORS[bits]] == list(VECTORS[bits])


def test_the_example_of_the_specification_has_two_entries_and_their_patch() -> None:
    table = QrpTable.with_entries([qrp_hash("test", 3), qrp_hash("qrp", 3)], 3)
    assert table.entries() == [2, 7]
    assert patch(table) == bytes([0x00, 0xA0, 0x00, 0x0A]), "1 - 7 in 4 bits, for entries 2 and 7"


def test_a_query_matches_if_each_word_is_there_and_endings_are_cut() -> None:
    table = QrpTable.of(["Blue Trains in Ménerbes.mp3"])
    assert matches(table, "blue train")
    assert matches(table, "menerbes")
    assert not matches(table, "blue rain coat")
    assert not matches(table, "in")


@pytest.mark.parametrize("words", [40, 4_000])
def test_few_and_many_entries_are_kept_differently_and_behave_alike(words: int) -> None:
    rng = Random(5)
    entries = sorted(rng.sample(range(1 << 16), words))
    table = QrpTable.with_entries(reversed(entries))
    assert table.entries() == entries
    assert table.count == words == table.fill * (1 << 16)
    assert len(table.held) <= 8_192
    assert [table.has([one]) for one in entries] == [True] * words
    assert [one for one in range(1 << 16) if table.has([one])] == entries
    assert not table.has([]), "a query without words matches nothing"


def test_patches_lead_from_any_table_to_any_other() -> None:
    rng = Random(7)
    table = QrpTable()
    for many in (50, 9_000, 0, 300):
        wanted = QrpTable.with_entries(rng.sample(range(1 << 16), many))
        parts = pieces(wanted.differences(table), 16)
        assert 1 <= len(parts) <= 255
        assert compressed(sum(len(part) for part in parts) // 2) <= 1_024 * len(parts)
        assert max(map(len, parts)) - min(map(len, parts)) <= 2 * len(parts)
        for part in parts:
            table = table.changed(unpacked(part))
        assert table == wanted


def test_a_union_has_what_any_has_whatever_their_sizes() -> None:
    small, large = (QrpTable.of([name], bits) for name, bits in (("red sky", 10), ("blue train", 16)))
    for one, other in ((small, large), (large, small)):
        both = one.union([other])
        assert both.bits == one.bits
        assert matches(both, "red sky")
        assert matches(both, "blue train")
        assert not matches(both, "green door")


@pytest.mark.parametrize("entries", [1, 300, 1_000, 5_000, 11_000])
def test_the_size_of_a_patch_is_that_of_its_compressed_bytes(entries: int) -> None:
    table = QrpTable.with_entries(Random(entries).sample(range(1 << 16), entries))
    real = len(compress(patch(table)))
    assert abs(compressed(entries) - real) <= 0.1 * real


def test_a_full_table_passes_unknown_words_with_the_power_of_its_fill() -> None:
    rng = Random(3)

    def words() -> str:
        return " ".join("".join(rng.choices(ascii_lowercase, k=8)) for _ in range(2))

    table = QrpTable.of([words() for _ in range(700)], bits=14)
    unknown = [words() for _ in range(4_000)]
    share = sum(matches(table, text) for text in unknown) / len(unknown)
    expected = table.fill**2
    assert abs(share - expected) < 4 * (expected * (1 - expected) / len(unknown)) ** 0.5


def test_a_query_reaches_as_many_hosts_as_the_specification_says() -> None:
    assert [hosts(6, ttl) for ttl in range(1, 8)] == [1, 6, 31, 156, 781, 3906, 19531]
    assert [[hosts(degree, ttl) for ttl in (1, 2, 3, 4)] for degree in (15, 20, 30, 32)] == [
        [1, 15, 211, 2955], [1, 20, 381, 7240], [1, 30, 871, 25260], [1, 32, 993, 30784],
    ]  # fmt: skip


def test_a_popular_file_is_looked_for_less_far_than_a_rare_one() -> None:
    popular, rare = (DynamicQuery(wanted=50, left=30, results=results) for results in (30, 1))
    for query in (popular, rare):
        for _ in range(3):
            query.sent(30, 2)
    assert popular.next_ttl(30, 4) < rare.next_ttl(30, 4)
    assert not popular.finished()
    popular.results = 50
    assert popular.finished()
    assert DynamicQuery(50, 3).next_ttl(30, 4) == 4
