"""Pieces and blocks of one torrent: which are there, which to ask for next, and of whom.

A torrent is cut into pieces, which have hashes, and pieces into blocks of 16 KiB, which are what is asked for (BEP 3).
Sets of pieces and of blocks are integers used as bit sets: bit i is piece i.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...api import PeerId, Rng
from ...kit import bits_of

BLOCK_BYTES = 1 << 14
"""16 KiB: all implementations ask for blocks of this size, and close connections on larger requests (BEP 3)."""


ENDGAME_MOST = 2
"""Neighbours that a block is asked of at a time in the end game: with more, most of what comes is thrown away."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file of `length` bytes is cut into pieces of `piece_length` bytes, the last one perhaps shorter.

    Raises ValueError for a length or a piece length below 1.
    """

    length: int
    piece_length: int
    pieces: int = field(init=False)
    """Number of pieces."""
    all: int = field(init=False)
    """The bit set of all pieces."""

    def __post_init__(self) -> None:
        if self.length < 1 or self.piece_length < 1:
            raise ValueError("a torrent has at least one byte, and so has a piece")
        object.__setattr__(self, "pieces", -(-self.length // self.piece_length))
        object.__setattr__(self, "all", (1 << self.pieces) - 1)

    def size(self, piece: int) -> int:
        """Bytes of a piece."""
        return min(self.piece_length, self.length - piece * self.piece_length)

    def blocks(self, piece: int) -> int:
        """Number of blocks of a piece."""
        return -(-self.size(piece) // BLOCK_BYTES)

    def block(self, piece: int, block: int) -> tuple[int, int]:
        """Begin within the piece, and length, in bytes."""
        begin = block * BLOCK_BYTES
        return begin, min(BLOCK_BYTES, self.size(piece) - begin)


@dataclass(slots=True)
class PartialPiece:
    """A piece of which some blocks were asked for. Bit sets of blocks.

    free   not asked of anybody now
    got    arrived
    by     block -> who sent it, and the digest of its bytes: used to find out who sent wrong bytes
    """

    free: int
    got: int = 0
    by: dict[int, tuple[PeerId, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Downloading:
    """What a leecher has and lacks of one torrent, and what it has asked for.

    have         complete pieces whose hashes were right
    partial      pieces that were begun, in the order in which they were begun
    asked        (piece, block) -> whom it is asked of: several in the end game
    availability for each piece, the number of neighbours that have it
    begun        the pieces of `partial`, as bits
    """

    layout: Layout
    have: int = 0
    partial: dict[int, PartialPiece] = field(default_factory=dict)
    asked: dict[tuple[int, int], list[PeerId]] = field(default_factory=dict)
    availability: list[int] = field(default_factory=list)
    begun: int = 0

    def __post_init__(self) -> None:
        if not self.availability:
            self.availability = [0] * self.layout.pieces

    @property
    def complete(self) -> bool:
        """Whether all pieces are there."""
        return self.have == self.layout.all

    @property
    def pieces(self) -> int:
        """Number of complete pieces."""
        return self.have.bit_count()

    def count(self, theirs: int, by: int) -> None:
        """A neighbour with these pieces came (1) or went (-1)."""
        if theirs and not theirs & (theirs - 1):
            # One piece, as in most messages.
            self.availability[theirs.bit_length() - 1] += by
            return
        for piece in bits_of(theirs):
            self.availability[piece] += by

    def wants(self, theirs: int) -> bool:
        """Whether a neighbour with these pieces has one that is missing here: then it is interesting (BEP 3)."""
        return bool(theirs & ~self.have)

    def endgame(self) -> bool:
        """Whether each block that is missing was asked of somebody."""
        return not self.layout.all & ~self.have & ~self.begun and not any(one.free for one in self.partial.values())

    def next_block(self, peer: PeerId, theirs: int, rng: Rng, random_until: int) -> tuple[int, int] | None:
        """Which (piece, block) to ask a neighbour with the pieces `theirs` for, None for none; it counts as asked.

        Pieces that were begun come first, so that pieces become complete and can be passed on. A new piece is drawn at
        random until `random_until` pieces are complete, since a rare piece would arrive slowly from few; then it is the
        rarest among the neighbours, ties at random. When each missing block was asked of somebody, blocks are asked of
        others as well (end game).
        """
        for piece, part in self.partial.items():
            if part.free and theirs >> piece & 1:
                return self._ask(peer, piece, part, next(bits_of(part.free)))
        new = theirs & ~self.have & ~self.begun
        if new:
            piece = self._pick(list(bits_of(new)), rng, random_until)
            part = self.partial[piece] = PartialPiece((1 << self.layout.blocks(piece)) - 1)
            self.begun |= 1 << piece
            return self._ask(peer, piece, part, 0)
        if self.partial and self.endgame():
            for piece, part in self.partial.items():
                if theirs >> piece & 1:
                    for block in bits_of(((1 << self.layout.blocks(piece)) - 1) & ~part.got):
                        asked = self.asked.get((piece, block), ())
                        if peer not in asked and len(asked) < ENDGAME_MOST:
                            return self._ask(peer, piece, part, block)
        return None

    def _pick(self, pieces: Sequence[int], rng: Rng, random_until: int) -> int:
        if self.pieces < random_until:
            return rng.choice(pieces)
        counts = self.availability
        rarest = min(counts[piece] for piece in pieces)
        return rng.choice([piece for piece in pieces if counts[piece] == rarest])

    def _ask(self, peer: PeerId, piece: int, part: PartialPiece, block: int) -> tuple[int, int]:
        part.free &= ~(1 << block)
        self.asked.setdefault((piece, block), []).append(peer)
        return piece, block

    def unask(self, peer: PeerId, piece: int, block: int) -> None:
        """A neighbour will not send this block: it choked us, went away, or was too slow."""
        peers = self.asked.get((piece, block))
        if peers is None or peer not in peers:
            return
        peers.remove(peer)
        if not peers:
            del self.asked[piece, block]
            part = self.partial.get(piece)
            if part is not None and not part.got >> block & 1:
                part.free |= 1 << block

    def arrived(self, peer: PeerId, piece: int, block: int, digest: int) -> list[PeerId] | None:
        """A block has come. Returns the other neighbours that it was asked of, to whom a cancel goes; None where it is
        not needed."""
        part = self.partial.get(piece)
        if part is None or not 0 <= block < self.layout.blocks(piece) or part.got >> block & 1:
            return None
        others = [one for one in self.asked.pop((piece, block), ()) if one != peer]
        part.free &= ~(1 << block)
        part.got |= 1 << block
        part.by[block] = peer, digest
        return others

    def full(self, piece: int) -> bool:
        """Whether all blocks of a piece that is not complete yet have come, so that its hash can be checked."""
        part = self.partial.get(piece)
        return part is not None and part.got == (1 << self.layout.blocks(piece)) - 1

    def keep(self, piece: int) -> None:
        """The hash of a full piece was right."""
        del self.partial[piece]
        self.begun &= ~(1 << piece)
        self.have |= 1 << piece

    def discard(self, piece: int) -> PartialPiece:
        """The hash of a full piece was wrong: all of it is asked for again. Returns what had come, and from whom."""
        self.begun &= ~(1 << piece)
        return self.partial.pop(piece)
