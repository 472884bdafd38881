"""Pieces, blocks and the choking algorithm of BitTorrent, without a network."""

from __future__ import annotations

from random import Random

import pytest

from engine.protocols.bittorrent.choking import Rated, next_optimistic, unchoked
from engine.protocols.bittorrent.pieces import BLOCK_BYTES, Downloading, Layout


def test_the_last_piece_and_its_last_block_are_shorter() -> None:
    layout = Layout(3 * 262_144 + 20_000, 262_144)
    assert layout.pieces == 4
    assert [layout.blocks(piece) for piece in range(4)] == [16, 16, 16, 2]
    assert layout.block(3, 1) == (BLOCK_BYTES, 20_000 - BLOCK_BYTES)
    assert sum(layout.block(p, b)[1] for p in range(4) for b in range(layout.blocks(p))) == layout.length
    with pytest.raises(ValueError, match="at least one byte"):
        Layout(0, 1)


def fetch(state: Downloading, neighbours: dict[int, int], rng: Random, random_until: int = 4) -> list[int]:
    """Ask the neighbours in turn for a block each until all is there; returns pieces in order of completion."""
    order: list[int] = []
    while not state.complete:
        for peer, theirs in neighbours.items():
            asked = state.next_block(peer, theirs, rng, random_until)
            if asked is None:
                continue
            if state.arrived(peer, *asked, digest=0) is not None and state.full(asked[0]):
                state.keep(asked[0])
                order.append(asked[0])
    return order


def test_every_block_is_fetched_and_the_rarest_piece_comes_first_after_the_random_ones() -> None:
    layout = Layout(20 * 32_768, 32_768)
    theirs = {1: layout.all, 2: layout.all & ~(1 << 7), 3: layout.all & ~(1 << 7)}
    state = Downloading(layout)
    for bits in theirs.values():
        state.count(bits, 1)
    # Piece 7 is the rarest: of the pieces that are begun after the four random ones it is among the first.
    order = fetch(state, {1: layout.all}, Random(5))
    assert sorted(order) == list(range(20))
    assert order.index(7) <= 4


def test_a_choked_neighbour_frees_its_blocks_for_others() -> None:
    state = Downloading(Layout(65_536, 65_536))
    first = state.next_block(1, 1, Random(1), 4)
    assert first == (0, 0)
    state.unask(1, 0, 0)
    assert state.next_block(2, 1, Random(1), 4) == (0, 0)
    state.unask(1, 0, 0)  # It was not asked any more: nothing changes.
    assert state.asked == {(0, 0): [2]}


def test_in_the_end_game_the_missing_blocks_are_asked_of_all_and_cancelled_on_arrival() -> None:
    state = Downloading(Layout(32_768, 32_768))
    assert [state.next_block(1, 1, Random(1), 4) for _ in range(2)] == [(0, 0), (0, 1)]
    assert state.endgame()
    assert [state.next_block(2, 1, Random(1), 4) for _ in range(3)] == [(0, 0), (0, 1), None]
    assert state.arrived(2, 0, 0, 9) == [1]
    assert state.arrived(1, 0, 0, 9) is None
    assert state.arrived(1, 0, 1, 9) == [2]
    assert state.full(0)
    assert {peer for peer, _ in state.discard(0).by.values()} == {1, 2}
    assert not state.endgame()


def test_four_interested_peers_are_unchoked_and_better_ones_that_are_not_interested_too() -> None:
    peers = [Rated(n, rate=100.0 - n, interested=n != 2) for n in range(1, 9)]
    assert unchoked(peers, 4, optimistic=None) == {1, 2, 3, 4, 5}
    # The optimistic unchoke is one of the four.
    assert unchoked(peers, 4, optimistic=8) == {1, 2, 3, 4, 8}
    assert unchoked([], 4, optimistic=3) == set()


def test_a_neighbour_that_snubs_is_unchoked_only_optimistically() -> None:
    peers = [Rated(1, 50.0, True, snubbing=True), Rated(2, 10.0, True)]
    assert unchoked(peers, 4, None) == {2}
    assert unchoked(peers, 4, 1) == {1, 2}


def test_new_connections_are_three_times_as_likely_to_be_tried() -> None:
    peers = [Rated(1, 0.0, True), Rated(2, 0.0, True, new=True), Rated(3, 0.0, False)]
    rng = Random(3)
    drawn = [next_optimistic(peers, set(), rng) for _ in range(4_000)]
    share = drawn.count(2) / len(drawn)
    assert 3 not in drawn
    assert abs(share - 0.75) < 3 * (0.75 * 0.25 / 4_000) ** 0.5
    assert next_optimistic(peers, {1, 2}, rng) is None
