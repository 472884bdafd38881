"""Sets of transactions as integers: bit n of a set that begins at `first` is the transaction number first + n.

The numbers are those of `Host.numbers`. The sets of a node begin at a base of its own, below which no transaction waits
any more: so a set has about as many bits as payments were made since the last block.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ...api import Numbers
from .chain import Block, Transaction, is_intact


def shifted(bits: int, by: int) -> int:
    """The same set as one that begins `by` numbers lower (higher if `by` < 0; what is below that is left out)."""
    return bits << by if by >= 0 else bits >> -by


class Contents:
    """Which numbers of a run are of plain transactions. `rest` is the set of all other numbers among the first `seen`:
    of transactions whose contents matter, or of no transaction. Computed once for all nodes."""

    def __init__(self, numbers: Numbers) -> None:
        self.values = numbers.values
        self.rest = self.seen = 0

    def are_plain(self, first: int, txs: int) -> bool:
        """Whether all numbers of a set are of plain transactions: they exist, and nothing but their number is read."""
        end = first + txs.bit_length()
        if end > self.seen:
            if end > len(self.values):
                return False
            for number in range(self.seen, len(self.values)):
                tx = self.values[number]
                if not (isinstance(tx, Transaction) and tx.is_plain and is_intact(tx)):
                    self.rest |= 1 << number
            self.seen = len(self.values)
        return first >= 0 and txs >= 0 and not txs & self.rest >> first


@lru_cache(maxsize=4)
def contents(numbers: Numbers) -> Contents:
    """The `Contents` of a run."""
    return Contents(numbers)


@lru_cache(maxsize=64)
def set_of(numbers: Numbers, block: Block) -> tuple[int, int]:
    """The transactions of a block as a set: (first, bits). Computed once for all nodes."""
    found = [numbers.of(tx) for tx in block.transactions]
    first = min(found, default=0)
    bits = bytearray((max(found, default=0) - first) // 8 + 1)
    for number in found:
        bits[number - first >> 3] |= 1 << (number - first & 7)
    return first, int.from_bytes(bits, "little") if found else 0


@lru_cache(maxsize=16)
def places_in(numbers: Numbers, block: Block) -> Mapping[int, int]:
    """Number of each transaction of a block -> its index in the block."""
    return {numbers.of(tx): at for at, tx in enumerate(block.transactions)}
