"""What a newcomer brings along: a library like those that were there when the run began.

How many files it has is what a peer drawn from the beginning had, most of them none. Which ones is drawn from all
copies that there were, so that common titles stay common and rare ones rare, by whatever law they were spread.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from ..api import File, PeerId
from ..sim.rng import Stream
from .content import Shelf
from .lexicon import Lexicon

TRIES = 20


@dataclass(frozen=True, slots=True)
class Stock:
    """sizes: files of each peer at the beginning; files: each title once; copies: running sums of their copies;
    lexicon: that of their world."""

    sizes: tuple[int, ...]
    files: tuple[File, ...]
    copies: tuple[int, ...]
    lexicon: Lexicon

    @classmethod
    def of(cls, shelves: Sequence[Shelf], lexicon: Lexicon) -> Stock:
        """Of the peers asked for."""
        counts: dict[File, int] = {}
        for shelf in shelves:
            for file in shelf.files():
                if file.genuine:
                    counts[file] = counts.get(file, 0) + 1
        total, sums = 0, []
        for count in counts.values():
            total += count
            sums.append(total)
        return cls(tuple(map(len, shelves)), tuple(counts), tuple(sums), lexicon)

    def shelf(self, peer: PeerId, seed: int) -> Shelf:
        """The library of a newcomer."""
        rng = Stream(f"{seed}/content/{peer}")
        wanted = min(rng.choice(self.sizes), len(self.files))
        taken: dict[File, None] = {}
        # Where nearly all titles are wanted, the rarest may not come up: the library is a little smaller then.
        for _ in range(TRIES * wanted if self.copies else 0):
            if len(taken) == wanted:
                break
            taken[self.files[bisect_right(self.copies, rng.randrange(self.copies[-1]))]] = None
        return Shelf(tuple(taken), self.lexicon)
