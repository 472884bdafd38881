"""Query routing tables and dynamic queries of LimeWire, without a network."""

from __future__ import annotations

from random import Random
from string import ascii_lowercase

import pytest

from engine.protocols.limewire.dynamic_query import DynamicQuery, hosts
from engine.protocols.limewire.qrp import QrpTable, qrp_hash

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


@pytest.mark.parametrize("bits", VECTORS)
def test_the_hash_gives_the_published_values(bits: int) -> None:
    assert [(word, qrp_hash(word, bits)) for word, _ in VECTORS[bits]] == list(VECTORS[bits])


def test_the_example_of_the_specification_has_two_entries_and_their_patch() -> None:
    table = QrpTable(3, 1 << qrp_hash("test", 3) | 1 << qrp_hash("qrp", 3))
    assert table.entries == 1 << 2 | 1 << 7
    assert table.patch(QrpTable(3), 8)[2] == table.patch(QrpTable(3), 8)[7] == 0xFA
    assert len(table.patch(QrpTable(3), 4)) == 4


def test_a_query_matches_if_each_word_is_there_and_endings_are_cut() -> None:
    table = QrpTable.of(["Blue Trains in Ménerbes.mp3"])
    assert table.matches("blue train")
    assert table.matches("menerbes")
    assert not table.matches("blue rain coat")
    assert not table.matches("in")
    assert QrpTable(16, None).matches("anything")


def test_a_full_table_passes_unknown_words_with_the_power_of_its_fill() -> None:
    rng = Random(3)

    def words() -> str:
        return " ".join("".join(rng.choices(ascii_lowercase, k=8)) for _ in range(2))

    table = QrpTable.of([words() for _ in range(700)], bits=14)
    unknown = [words() for _ in range(4_000)]
    share = sum(map(table.matches, unknown)) / len(unknown)
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
