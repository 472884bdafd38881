"""The messages of Bitcoin, with their sizes on the wire, and what the eras of its software differ in.

A message has a header of 24 bytes: magic 4, command 12, length 4, checksum 4. Sizes are those of the protocol
documentation and of BIP 130 and 152; a transaction has 226 bytes (one input, two outputs).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

from ...api import PeerId, message, option, words_of
from .addrman import BITCOIND_0_9_3, TODAY, Tables
from .chain import Block, Header, Transaction

HEADER = 24
ENTRY_INV, ENTRY_ADDR, ENTRY_HEADERS, HASH = 36, 30, 81, 32
BLOCK_HEADER = 80
TX = 226
COINBASE = 200
"""Bytes of the first transaction of a block, which pays its miner."""
COMPACT_FIXED = BLOCK_HEADER + 8 + COINBASE
SHORT_ID = 6
HIDDEN = ("block",)
"""The subject of a message that has a block or its header in it: a node that enforces a ban on this word hides all
blocks, as the nodes of an eclipse do."""


def count_size(count: int) -> int:
    """Bytes of a number in Bitcoin's variable length."""
    return 1 if count < 0xFD else 3 if count <= 0xFFFF else 5


Kind: TypeAlias = Literal["full", "block", "feeler", "probe"]
"""What a node opens a connection for: all relay, blocks alone, to test an address, to look for a better chain."""


@dataclass(frozen=True, slots=True)
class Era:
    """What the software of a time does. Times in seconds, unless the name says another unit.

    inbound       connections that are accepted
    block_relay   further connections that a node opens for blocks alone
    feelers       whether addresses are tested, and further connections look for a better chain
    announce      how a block is announced: "inv", or "compact" (BIP 152)
    trickle       how transactions are announced: "peer" (each tenth of a second one peer is drawn, and a quarter of the
                  transactions does not wait) or "poisson" (a mean of 5 s for inbound and 2 s for outbound connections)
    retry_s       time after which a transaction that has not come is asked of the next node that announced it
    tables        sizes of the tables of the address manager
    verify_us_kb  time in us to check 1,000 bytes of a block, with the time to receive them over a line of that year
    listed        whether a peer that connects is added to the address table as reached, as 0.9.3 did
    """

    inbound: int
    block_relay: int
    feelers: bool
    announce: Literal["inv", "compact"]
    trickle: Literal["peer", "poisson"]
    retry_s: float
    tables: Tables
    verify_us_kb: int
    listed: bool


ERAS: dict[str, Era] = {
    "2013": Era(117, 0, False, "inv", "peer", 120, BITCOIND_0_9_3, 18_000, True),
    "2015": Era(117, 0, False, "inv", "peer", 120, BITCOIND_0_9_3, 2_000, True),
    "today": Era(114, 2, True, "compact", "poisson", 60, TODAY, 200, False),
}
"""Decker and Wattenhofer (2013) measured 80 ms for each kB of a block until half of the nodes have it. At some four to
five hops this is the 18 ms a kB and hop of 2013. Those of later eras are rough: libsecp256k1 and signatures that are
checked when a transaction arrives."""


@dataclass(slots=True)
class BitcoinOptions:
    era: Literal["2013", "2015", "today"] = option("today", "the software of which time the nodes run", fixed=True)
    running: bool = option(True, "begin with a network that has been running for long", fixed=True)
    dns_seeds: int = option(3, "DNS seeds: servers that tell newcomers some addresses", low=0, high=9, fixed=True)
    miners: int = option(10, "nodes that mine, #0 and those after it", low=0, high=10_000, unit="nodes")
    unequal: float = option(0.0, "how unequal the miners are: 0 alike, 1 by Zipf's law", low=0.0, high=3.0)
    block_s: float = option(600.0, "mean time between two blocks of all miners", low=1.0, high=1_000_000.0)
    confirmations: int = option(6, "blocks after which a payment counts as made", low=1, high=1_000, unit="blocks")
    outbound: int = option(8, "connections that a node opens for all relay", low=1, high=64, unit="connections")
    inbound: int = option(0, "connections that it accepts, 0: those of the era", low=0, high=1_000, unit="connections")
    others_per_h: float = option(
        0.0,
        "payments an hour of other users of each node, which are sent and are no asks",
        low=0.0,
        high=3_600.0,
        unit="payments an hour",
    )
    filler: int = option(
        500, "further transactions in each block, which are counted in its size only", low=0, high=4_000, unit="tx"
    )


# --- connections and addresses --------------------------------------------------------------------------------------


@message(size=HEADER + 102)
class Version:
    """The first message of each end of a connection. answer: whether the sender is the end that accepted it."""

    height: int
    purpose: Kind
    answer: bool


@message(size=HEADER)
class Verack:
    """The version is accepted."""


@message(size=20)
class Closing:
    """A connection was closed before it was used, since there is no room. Not a message of Bitcoin: the end of TCP."""


@message(size=HEADER)
class GetAddr:
    """Tell me addresses."""


@message()
class Addr:
    """Addresses: (peer, when it was last seen, in us of virtual time)."""

    entries: tuple[tuple[PeerId, int], ...]

    def wire_size(self) -> int:
        return HEADER + count_size(len(self.entries)) + ENTRY_ADDR * len(self.entries)


@message(size=HEADER + 8)
class Ping:
    """Is anyone there?"""

    nonce: int


@message(size=HEADER + 8)
class Pong:
    """Yes: the same number again."""

    nonce: int


@message(over="datagram", size=60)
class DnsQuery:
    """The addresses of the name of a DNS seed."""


@message(over="datagram", part="upkeep")
class DnsAnswer:
    """Addresses of nodes that were up lately, as many as fit into a packet."""

    peers: tuple[PeerId, ...]

    def wire_size(self) -> int:
        return 60 + 16 * len(self.peers)


@message(size=3 * HEADER + 102)
class Crawl:
    """A short connection by which a DNS seed looks whether a node is up, and asks it for addresses: version, verack and
    getaddr in one."""


# --- inventory --------------------------------------------------------------------------------------------------------
#
# `txs` is a set of transactions that begins at number `first` (see `sets`). On the wire it is a list of their hashes.


@message(part="notice")
class Inv:
    """I have these transactions and blocks."""

    first: int
    txs: int
    blocks: tuple[int, ...]

    def wire_size(self) -> int:
        many = self.txs.bit_count() + len(self.blocks)
        # `count_size`, inlined for nearly all.
        return HEADER + ENTRY_INV * many + (1 if many < 0xFD else count_size(many))

    def about(self) -> Iterable[str]:
        return HIDDEN if self.blocks else ()

    def without(self, word: str) -> Inv | None:
        return Inv(self.first, self.txs, ()) if self.txs else None


@message(part="question")
class GetData:
    """Send me these transactions and blocks. compact: the blocks as `CmpctBlock`."""

    first: int
    txs: int
    blocks: tuple[int, ...]
    compact: bool = False

    def wire_size(self) -> int:
        many = self.txs.bit_count() + len(self.blocks)
        return HEADER + ENTRY_INV * many + (1 if many < 0xFD else count_size(many))


@message(part="answer")
class NotFound:
    """I do not have these."""

    first: int
    txs: int
    blocks: tuple[int, ...]

    def wire_size(self) -> int:
        many = self.txs.bit_count() + len(self.blocks)
        return HEADER + count_size(many) + ENTRY_INV * many


@message(part="transfer")
class Tx:
    """Transactions. On the wire each is a message of its own; here those that answer one GetData, and so leave
    together, are one message, of the size of all.

    txs     those whose coin or text matters
    others  those of other users, of which nothing is ever read: a set that begins at number `first`
    """

    txs: tuple[Transaction, ...]
    first: int = 0
    others: int = 0

    def wire_size(self) -> int:
        return (HEADER + TX) * max(1, len(self.txs) + self.others.bit_count())

    def about(self) -> Iterable[str]:
        return [word for tx in self.txs for word in words_of(tx.text)]


@lru_cache(maxsize=4_096)
def single(tx: Transaction) -> Tx:
    """The message with one transaction: the same object at all nodes, so that its size is counted once."""
    return Tx((tx,))


# Many nodes announce, ask for and send the same few transactions: these make one object for all of them, so that its
# size is counted once.

inv_of = lru_cache(maxsize=4_096)(lambda first, txs: Inv(first, txs, ()))
getdata_of = lru_cache(maxsize=4_096)(lambda first, txs: GetData(first, txs, ()))
others_of = lru_cache(maxsize=4_096)(lambda first, others: Tx((), first, others))


@message(part="transfer")
class BlockData:
    """A block, whole."""

    block: Block

    def wire_size(self) -> int:
        return HEADER + self.block.size

    def about(self) -> Iterable[str]:
        return HIDDEN


# --- headers and compact blocks ------------------------------------------------------------------------------------


@message(part="question")
class GetHeaders:
    """Headers after the first of these hashes that you have in your chain."""

    locator: tuple[int, ...]

    def wire_size(self) -> int:
        return HEADER + 4 + count_size(len(self.locator)) + HASH * (len(self.locator) + 1)


@message(part="question")
class GetBlocks:
    """As GetHeaders, in software that fetches no headers: answered with an Inv of at most 500 blocks."""

    locator: tuple[int, ...]

    def wire_size(self) -> int:
        return HEADER + 4 + count_size(len(self.locator)) + HASH * (len(self.locator) + 1)


@message(part="notice")
class Headers:
    """Headers of blocks, each the parent of the next: an answer to GetHeaders, or how a block is announced (BIP 130).
    At most 2,000."""

    headers: tuple[Header, ...]

    def wire_size(self) -> int:
        return HEADER + count_size(len(self.headers)) + ENTRY_HEADERS * len(self.headers)

    def about(self) -> Iterable[str]:
        return HIDDEN


@message(size=HEADER + 9)
class SendCmpct:
    """Announce blocks to me as compact blocks (BIP 152). high: unasked, before you have checked them."""

    high: bool


@message(part="transfer")
class CmpctBlock:
    """A block as header and a short id of each transaction.

    `block` is the object that all nodes share. A receiver uses its header and ids, and the transactions that it has
    itself; it asks for the others (GetBlockTxn) before it has the block.
    """

    block: Block

    def wire_size(self) -> int:
        many = len(self.block.transactions) + self.block.filler
        return HEADER + COMPACT_FIXED + count_size(many) + SHORT_ID * many

    def about(self) -> Iterable[str]:
        return HIDDEN


@message(part="question")
class GetBlockTxn:
    """Send me the transactions at these places of a compact block."""

    hash: int
    places: tuple[int, ...]

    def wire_size(self) -> int:
        return HEADER + HASH + count_size(len(self.places)) + sum(map(count_size, self.places))


@message(part="transfer")
class BlockTxn:
    """Transactions of a compact block."""

    hash: int
    txs: tuple[Transaction, ...]

    def wire_size(self) -> int:
        return HEADER + HASH + count_size(len(self.txs)) + TX * len(self.txs)
