"""Blocks, the tree that they form, and the chain that a node follows.

All blocks have the same work here, since the difficulty does not change within a run; so the branch with the most work
is the longest. Of two branches of equal length a node keeps the one that it saw first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from ... import kit
from ...api import PeerId
from ...kit import put_bounded

HEADERS_MOST = 2_000
"""Headers in one message (Bitcoin Core, MAX_HEADERS_RESULTS)."""
ORPHANS_MOST = 100
LOCATOR_DENSE = 10
"""Hashes of a locator before its steps begin to double."""


def digest(*parts: object) -> int:
    """A hash of 63 bits, so that it is an integer of MessagePack and of numpy."""
    return kit.digest(*parts) >> 1


def short(hash_: int) -> str:
    """The beginning of a hash, as it is shown."""
    return f"{hash_:016x}"[-6:]


class Transaction(NamedTuple):
    """A payment. Two transactions that spend the same `coin` conflict: only one of them can be in a chain.

    txid   its hash
    coin   the output that it spends; below 0 for one that nobody spends twice, of which no record is kept
    text   what the user calls it
    """

    txid: int
    coin: int
    text: str

    @classmethod
    def of(cls, coin: int, text: str) -> Transaction:
        """A transaction with its hash."""
        return cls(digest("tx", coin, text), coin, text)

    @property
    def is_plain(self) -> bool:
        """Whether nobody spends its coin twice and it has no text: that of another user, which only has to be passed
        on."""
        return self.coin < 0 and not self.text


@lru_cache(maxsize=4_096)
def is_intact(tx: Transaction) -> bool:
    """Whether the hash of a transaction is that of its contents. Cached, since each node checks it."""
    return tx.txid == digest("tx", tx.coin, tx.text)


class Header(NamedTuple):
    """What a node knows of a block before it has the block."""

    hash: int
    parent: int
    mined_us: int


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A block: its header and its transactions. The same object at all nodes, so it is compared by identity.
    `mined_us`: its time stamp."""

    hash: int
    parent: int
    height: int
    miner: PeerId
    mined_us: int
    transactions: tuple[Transaction, ...]
    filler: int = 0
    """Further transactions of other users, which are counted and have no contents here."""

    @classmethod
    def on(
        cls, parent: Block, miner: PeerId, mined_us: int, transactions: tuple[Transaction, ...], filler: int = 0
    ) -> Block:
        """The block that a miner found, with its parent. mined_us: its time stamp."""
        parts = (parent.hash, parent.height + 1, miner, mined_us, transactions, filler)
        return cls(_hash(*parts), *parts)

    @property
    def header(self) -> Header:
        return Header(self.hash, self.parent, self.mined_us)

    @property
    def size(self) -> int:
        """Bytes: header, count, the transaction of the miner, and 226 for each other one."""
        return 80 + 3 + 200 + 226 * (len(self.transactions) + self.filler)


def _hash(parent: int, height: int, miner: int, mined_us: int, transactions: Sequence[Transaction], filler: int) -> int:
    return digest("block", parent, height, miner, mined_us, filler, [tx.txid for tx in transactions])


@lru_cache(maxsize=256)
def is_sound(block: Block) -> bool:
    """Whether the hash of a block is that of its contents, as proof of work shows, and no coin is spent in it twice."""
    contents = (block.parent, block.height, block.miner, block.mined_us, block.transactions, block.filler)
    coins = [tx.coin for tx in block.transactions if tx.coin > 0]
    return block.hash == _hash(*contents) and len(coins) == len(set(coins)) and 0 <= block.filler <= 10_000


@lru_cache(maxsize=1_024)
def coins_of(block: Block) -> Mapping[int, int]:
    """Coin -> txid of what a block spends."""
    return {tx.coin: tx.txid for tx in block.transactions if tx.coin > 0}


GENESIS = Block(0, -1, 0, -1, 0, ())


class Change(NamedTuple):
    """How a chain changes: blocks that leave it, from the tip down, and blocks that come, upwards."""

    gone: tuple[Block, ...]
    come: tuple[Block, ...]


NO_CHANGE = Change((), ())


@dataclass(slots=True)
class Chain:
    """The blocks that a node has, and the branch that it follows.

    blocks   by hash, all of whose ancestors are there
    tip      the last block of the branch that is followed
    orphans  blocks whose parent is missing, by hash: at most `ORPHANS_MOST`
    main     hash of the block at each height of the branch
    """

    blocks: dict[int, Block] = field(default_factory=lambda: {GENESIS.hash: GENESIS})
    tip: Block = GENESIS
    orphans: dict[int, Block] = field(default_factory=dict)
    main: list[int] = field(default_factory=lambda: [GENESIS.hash])

    @property
    def height(self) -> int:
        """Height of the tip; the first block has 0."""
        return self.tip.height

    def has(self, hash_: int) -> bool:
        """Whether a block is there, or waits for its parent."""
        return hash_ in self.blocks or hash_ in self.orphans

    def on_main(self, hash_: int) -> bool:
        """Whether a block belongs to the branch that is followed."""
        block = self.blocks.get(hash_)
        return block is not None and block.height < len(self.main) and self.main[block.height] == hash_

    def confirmations(self, hash_: int) -> int:
        """Blocks of the branch from this one on, itself included; 0 if it is not on the branch."""
        return self.tip.height - self.blocks[hash_].height + 1 if self.on_main(hash_) else 0

    def add(self, block: Block) -> Change | None:
        """Add a block, and the orphans that waited for it. Returns how the chain changes; None where the parent is
        missing, so that the block waits."""
        if block.hash in self.blocks:
            return NO_CHANGE
        if block.parent not in self.blocks:
            put_bounded(self.orphans, block.hash, block, ORPHANS_MOST)
            return None
        best = self.tip
        waiting = [block]
        while waiting:
            one = waiting.pop()
            self.orphans.pop(one.hash, None)
            self.blocks[one.hash] = one
            if one.height > best.height:
                best = one
            waiting += [
                orphan
                for orphan in self.orphans.values()
                if orphan.parent == one.hash and orphan.height == one.height + 1
            ]
        return self._follow(best)

    def _follow(self, tip: Block) -> Change:
        """Make another block the tip."""
        if tip.hash == self.tip.hash:
            return NO_CHANGE
        come: list[Block] = []
        block = tip
        while not self.on_main(block.hash):
            come.append(block)
            block = self.blocks[block.parent]
        gone = tuple(self.blocks[hash_] for hash_ in reversed(self.main[block.height + 1 :]))
        come.reverse()
        self.main[block.height + 1 :] = [one.hash for one in come]
        self.tip = tip
        return Change(gone, tuple(come))

    def locator(self) -> tuple[int, ...]:
        """Hashes of the branch from the tip down: the last ten, then with steps that double, then the first block, so
        that another node finds the fork in few entries."""
        heights, step, height = [], 1, self.tip.height
        while height > 0:
            heights.append(height)
            if len(heights) >= LOCATOR_DENSE:
                step *= 2
            height -= step
        return (*(self.main[height] for height in heights), GENESIS.hash)

    def after(self, locator: Sequence[int], most: int = HEADERS_MOST) -> list[Block]:
        """The blocks of the branch after the first hash of a locator that is on it, at most so many."""
        fork = next((self.blocks[hash_].height for hash_ in locator if self.on_main(hash_)), 0)
        return [self.blocks[hash_] for hash_ in self.main[fork + 1 : fork + 1 + most]]

    def ancestors(self, hash_: int) -> Iterator[Block]:
        """The block of this hash and those below it, down to the first."""
        block = self.blocks.get(hash_)
        while block is not None:
            yield block
            block = self.blocks.get(block.parent)

    def recent(self, many: int) -> list[Block]:
        """The last blocks of the branch."""
        return [self.blocks[hash_] for hash_ in self.main[-many:]]

    def spender(self, coin: int) -> int | None:
        """The txid of what spends a coin on the branch, or None."""
        for block in self.ancestors(self.tip.hash):
            found = coins_of(block).get(coin)
            if found is not None:
                return found
        return None
