"""Bitcoin

There is no server: each node keeps some connections to others, and all of them keep the same list of payments, the
chain. A payment (a transaction) is passed on from node to node until all have it. Miners put waiting payments into
blocks; a block is found about every ten minutes, by chance, and names the one before it. A node follows the longest
chain that it has seen. If two blocks are found at about the same time there are two chains for a while; the next block
ends that, and the payments of the block that lost wait again. So a payment counts as made when five more blocks have
followed its own, which takes an hour.

A newcomer asks DNS seeds for addresses, and from then on learns more of them from the nodes it is connected to. It
keeps them, and the chain, when it is killed.

The colour "tip" is the last block of the chain that a node follows: two colours are two chains.

Things to try: `block` finds a block at a node now, `spend-twice` pays two people with the same coin. Cut the network in
two with a partition, wait for some blocks on both sides, and heal it. Give a miner more power than all others have
(`power`), let it mine in secret and publish: payments that were made are taken back. Set block_s=30 to see more blocks.
Censor a miner, and others find the blocks. Shut all DNS seeds: only newcomers notice.

Options: `era` is the software of 2013 (announcements by inv, blocks are checked at each node before they go on), 2015,
or of today (compact blocks, which go on before they are checked). `filler` transactions of other users are counted in
the size of each block, and are not sent one by one; those of `others_per_h` are sent. There are no fees.

Source: Bitcoin Core (net_processing, net, addrman, chainparams) and BIP 130 and 152; Heilman et al., "Eclipse attacks
on Bitcoin's peer-to-peer network" (2015); Decker and Wattenhofer, "Information propagation in the Bitcoin network"
(2013).
"""

# Relay of transactions. Sets of transactions are integers (`sets`), which begin at `base`. What a node has to announce
# to a connection is `news` without what the other end is known to have (`Connection.has`), because one of the two has
# announced it to the other. Timers of announcements run only while there is something to announce: a Poisson process
# has no memory, so the wait for its next event has the same distribution whenever it begins. Where a transaction does
# not come, `has` tells who else has announced it. Transactions that one getdata asks for are sent together, unless they
# belong to asks.
#
# Asks. A payment has the cause of its ask from node to node; an announcement has the causes of all payments in it.
# Payments of other users have none. Each block is an ask that its miner begins. The node that made a payment reports
# how many blocks confirm it whenever a block joins or leaves its chain: the ask is open again for that instant.
#
# What is left out: fees, scripts and signatures, replacement of transactions, eviction of connections when there is no
# room (a node that is full declines), retargeting, and proof of work itself: the hash of a block is that of its
# contents, and a miner's luck is a Poisson process. A node's disk is as it is when it is killed; the real one writes
# its addresses every 15 minutes.

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from math import log

from ...api import (
    DUPLICATE,
    INHERIT,
    PUBLISH,
    Ask,
    Belief,
    Beliefs,
    CallEnd,
    Cause,
    CauseLike,
    Facts,
    Goal,
    Host,
    Known,
    Need,
    NetworkStart,
    Peer,
    PeerId,
    Rng,
    Shown,
    Station,
    Timer,
    on,
    on_reply,
    on_timeout,
    verb,
)
from ...kit import bits_of, lowest_bits, put_bounded, some_of, within
from .addrman import Address, AddrMan
from .chain import (
    GENESIS,
    HEADERS_MOST,
    Block,
    Chain,
    Change,
    Header,
    Transaction,
    coins_of,
    digest,
    is_intact,
    is_sound,
    short,
)
from .messages import (
    ERAS,
    TX,
    Addr,
    BitcoinOptions,
    BlockData,
    BlockTxn,
    Closing,
    CmpctBlock,
    Crawl,
    DnsAnswer,
    DnsQuery,
    GetAddr,
    GetBlocks,
    GetBlockTxn,
    GetData,
    GetHeaders,
    Headers,
    Inv,
    Kind,
    NotFound,
    Ping,
    Pong,
    SendCmpct,
    Tx,
    Verack,
    Version,
    getdata_of,
    inv_of,
    others_of,
    single,
)
from .sets import contents, places_in, set_of, shifted

SECOND_US = 1_000_000
DIAL_US = 500_000
"""Between two attempts to open a connection; doubled up to `DIAL_MOST_US` while no address can be used."""
DIAL_MOST_US = 60 * SECOND_US
FEW_ADDRESSES = 1_000
"""With so few addresses or fewer a node looks first whether any of them can be used."""
CONNECT_TIMEOUT_US = 5 * SECOND_US
DNS_WAIT_US = 11 * SECOND_US
"""A node that has addresses in its tables asks the DNS seeds only if none of them has led to a connection for so
long."""
DNS_TIMEOUT_US = 5 * SECOND_US
DNS_MOST = 25
"""Addresses in one answer of a DNS seed."""
FEELER_US, PROBE_US, PROBE_FOR_US = 120 * SECOND_US, 300 * SECOND_US, 60 * SECOND_US
PING_US, SILENT_US = 120 * SECOND_US, 1_200 * SECOND_US
STEP_US = 10_000
TRICKLE_IN_US, TRICKLE_OUT_US = 5 * SECOND_US, 2 * SECOND_US
DRAW_BITS = 12
DRAW_MASK = (1 << DRAW_BITS) - 1
WAITS_OUT_US = tuple([round(-log(1 - (n + 0.5) / 2**DRAW_BITS) * TRICKLE_OUT_US) for n in range(2**DRAW_BITS)])
"""Quantiles of the wait for the next announcement to an outbound connection, each as likely as another: the exponential
distribution, in steps that are finer than `STEP_US` up to waits of 6 s."""
PASS_US = 100_000
SHARED_MOST = 4
"""Sets of so few transactions are made into one message for all nodes (`inv_of`): larger ones are seldom the same."""
INV_MOST, INV_TARGET, INV_FAST_MOST = 1_000, 35, 500
NOT_PREFERRED_US = 2 * SECOND_US
"""A transaction that an inbound peer announces is asked for so much later."""
TEND_US = 10 * SECOND_US
ANNOUNCED_AGAIN_US = 900 * SECOND_US
IN_FLIGHT_MOST = 16
BLOCK_TIMEOUT_US = 60 * SECOND_US
"""A block that was asked for and does not come is asked of another one. (Bitcoin Core waits for a share of ten minutes,
or two seconds where it keeps others waiting.)"""
COMPACT_PEERS = 3
HEADERS_ANNOUNCED = 8
ADDR_MOST, ADDR_RELAYED, ADDR_FRESH_US = 1_000, 10, 600 * SECOND_US
NOWHERE = 1 << 29
"""Numbers from here on are addresses where nobody is."""
TOLD_MOST = 100_000
"""Addresses of each kind that `tell-addresses` tells."""
ADDR_TRICKLE_US = 30 * SECOND_US
ADVERTISED_US = 24 * 3_600 * SECOND_US
ADDR_BUCKET, ADDR_PER_S = 1_000.0, 0.1
BLOCK_TXS = (1_000_000 - 283) // TX
MINE_US = 60 * SECOND_US
"""The time of the next block is drawn again after so long, so that a new power or `block_s` has effect soon. A Poisson
process has no memory, so that changes nothing of it."""
LACKING_MOST, POOL_MOST, PAYMENTS_MOST, SOURCES_MOST = 2_000, 50_000, 20_000, 16
RECENT_BLOCKS = 6
SETTLED_LEAST = 64
"""`base` moves up only if at least so many transactions are below the lowest one that waits: all sets are shifted."""


def bills(titles: Sequence[str], users: int) -> Sequence[str]:
    """What a payment may be for."""
    return ("two pizzas", "a coffee", "the rent", "a train ticket", *titles)


PAY = Goal(
    "pay",
    "pay",
    "Pay: all nodes should hear of it, and six blocks confirm it.",
    success_s=60.0,
    audience="everyone",
    reached_by=frozenset({"transfer"}),
    did="paid",
    what="what the payment is for: any words",
    examples=bills,
)
BLOCK = Goal(
    "block",
    "find",
    "A block: all nodes should have it soon.",
    success_s=60.0,
    audience="everyone",
    reached_by=frozenset({"transfer"}),
    did="found",
)


# --- timers ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Dial:
    """Time to open a connection, if one is missing."""


@dataclass(slots=True)
class DialTimeout:
    """A connection that is being opened was not accepted in time."""

    to: PeerId


@dataclass(slots=True)
class Feel:
    """Time to test an address."""


@dataclass(slots=True)
class Probe:
    """Time to look for a better chain elsewhere."""


@dataclass(slots=True)
class ProbeOver:
    """The connection of a probe can be closed."""

    to: PeerId


@dataclass(slots=True)
class PingRound:
    """Time to ping all peers, and to close connections to silent ones."""


@dataclass(slots=True)
class Tend:
    """Time to look for transactions and blocks that were asked for and have not come."""


@dataclass(slots=True)
class TrickleIn:
    """Time to announce transactions to inbound connections."""


@dataclass(slots=True)
class TrickleOut:
    """Time to announce transactions to one outbound connection."""

    to: PeerId


@dataclass(slots=True)
class Pass:
    """Time to draw the peer that transactions are announced to."""


@dataclass(slots=True)
class AskLater:
    """Time to ask for what an inbound connection has announced."""

    of: PeerId
    first: int
    txs: int


@dataclass(slots=True)
class TellAddresses:
    """Time to pass addresses on to one connection."""

    to: PeerId


@dataclass(slots=True)
class BlockChecked:
    """A block has been checked."""

    block: Block
    sender: PeerId


@dataclass(slots=True)
class Mine:
    """A miner finds a block, or it is time to draw again when it does."""

    serial: int
    found: bool


@dataclass(slots=True)
class Others:
    """Another user of this node pays, or it is time to draw again when one does."""

    pays: bool


@dataclass(slots=True)
class CrawlNext:
    """Time for a DNS seed to look at some nodes."""


# --- what a node keeps -----------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Connection:
    """A connection.

    kind        what it is for; inbound: whether the other end opened it
    group       network (/16) of the other end
    has         transactions that the other end is known to have, of those from `Node.base` on
    asked       transactions that it was asked for and that have not come
    armed       whether a timer for announcements is set
    tick        the event of that timer
    since_us, heard_us
                when it was opened, and when something came last
    height      of the other end's chain when it was opened
    best        the latest block that the other end is known to have
    wants_push  whether the other end wants blocks unasked (BIP 152, high bandwidth)
    addresses_due
                addresses to pass on to the other end, with the times when they were seen
    addr_tokens, addr_tokens_us
                addresses that are still accepted from the other end, and when they were counted (a token bucket)
    getaddr_done
                whether this end has sent a getaddr, or has answered one
    """

    peer: PeerId
    kind: Kind
    inbound: bool
    group: int
    since_us: int
    heard_us: int
    tick: TrickleOut
    has: int = 0
    asked: int = 0
    height: int = 0
    best: int = -1
    armed: bool = False
    wants_push: bool = False
    addresses_due: dict[PeerId, int] = field(default_factory=dict)
    addr_tokens: float = ADDR_BUCKET
    addr_tokens_us: int = 0
    getaddr_done: bool = False


@dataclass(slots=True)
class Lacking:
    """A block whose header is known: its height, who has it, who was asked for it (-1: nobody) and until when."""

    header: Header
    height: int
    sources: list[PeerId]
    asked_of: PeerId = -1
    due_us: int = 0


@dataclass(slots=True)
class Payment:
    """A payment of this node: its transaction, its ask, when it was announced, the hash of the block that it is in (0
    while it is in none), the most confirmations that were reported to its ask, and whether it counts as made."""

    tx: Transaction
    cause: Cause
    announced_us: int
    block: int = 0
    reported: int = 0
    made: bool = False


@dataclass(slots=True)
class Secret:
    """A branch that is mined in secret.

    paid           txid of the payment that it takes back (verb `rob`); 0 for none
    again          the payment of the same coin that is in this branch instead
    confirmations  those of `paid` after which the branch is published, if it is longer than the chain by then
    """

    tip: Block
    blocks: list[Block] = field(default_factory=list)
    paid: int = 0
    again: Transaction | None = None
    confirmations: int = 0


@lru_cache(maxsize=64)
def shares(miners: int, unequal: float) -> tuple[float, ...]:
    """The share of each miner of all their power."""
    # Rounded, as the last bit of a power differs between machines.
    weights = [round((1 + rank) ** -unequal, 9) for rank in range(miners)]
    total = sum(weights)
    return tuple(weight / total for weight in weights)


def _mines_in_secret(node: Node) -> str | None:
    return "it mines in secret already" if node.secret is not None else None


def _mines_openly(node: Node) -> str | None:
    return "it does not mine in secret" if node.secret is None else None


class Node(Peer, name="bitcoin", options=BitcoinOptions):
    """A node.

    addresses    the address manager
    chain        blocks, and the branch that it follows
    connections  by peer
    dialing      the peer to which it is opening a connection (-1: none); dialing_for: what for; dial_timer: its timeout
    base         the number at which all sets of transactions of this node begin
    pool         transactions that are in no block of the branch; coins: coin -> the one that spends it
    named        those of `pool` whose coin or text matters: they are sent with their contents
    have         transactions of `pool` and of blocks; what is below `base` may be missing in it
    causes       number -> cause, of transactions that belong to an ask
    news         transactions to be announced to those that do not have them
    asked, later transactions that were asked for, and those that inbound connections will be asked for a little later
    waits        `asked` as it was at the last rounds of `tend`, the oldest first
    made         the number of transactions in the run when it last looked
    random_bits  for the waits of announcements, each of which takes `DRAW_BITS`; 1: there are none left
    outs, ins    connections for all relay: those that it opened, and those that it accepted
    lacking      blocks whose header is known
    pending      compact blocks that wait for some transactions: hash -> (block, places)
    checking     blocks that are being checked
    high         peers that were asked to send blocks unasked, the latest last
    payments     its own payments, by txid
    mining       whether it mines
    power        power as a miner, as a share of what all miners have by the options; None: as the options say
    secret       the branch that it has not published, if it mines in secret
    """

    role = "node"
    roles = ("node", "miner")
    goals = (PAY,)
    overlay = False
    shares_files = False
    ledger = True
    shows = (
        Shown("tip", "the last block of the chain that it follows", "category"),
        Shown("height", "blocks of the chain that it follows", "count"),
        Shown("outgoing", "connections that it opened", "count"),
        Shown("incoming", "connections that it accepted", "count"),
        Shown("mines", "whether it mines, and tells what it finds", "category", ("no", "openly", "secretly")),
        Shown("unconfirmed", "transactions that it has and no block of its chain has", "count"),
    )
    link_words = ("outbound", "inbound")
    __slots__ = (
        *("addresses", "armed_in", "asked", "base", "causes", "chain", "checking", "coins", "connections"),
        *("dial_timer", "dial_us", "dialing", "dialing_for", "era", "have", "high", "ins", "known", "lacking", "later"),
        *("made", "me", "mining", "named", "network", "news", "number", "outs", "passing", "payments"),
        *("pending", "pool", "power", "random_bits", "salt", "secret", "seeds", "serial", "started_us", "timer_dial"),
        "waits",
    )

    def __init__(self) -> None:
        self.addresses = AddrMan(0)
        self.chain = Chain()
        self.connections: dict[PeerId, Connection] = {}
        self.dialing: PeerId = -1
        self.dialing_for: Kind = "full"
        self.dial_timer: Timer | None = None
        self.timer_dial = False
        self.dial_us = DIAL_US
        self.base = 0
        self.pool = 0
        self.named = 0
        self.have = 0
        self.coins: dict[int, Transaction] = {}
        self.causes: dict[int, Cause] = {}
        self.news = 0
        self.asked = 0
        self.later = 0
        self.waits: list[int] = []
        self.random_bits = 1
        self.made = 0
        self.outs: list[Connection] = []
        self.ins: list[Connection] = []
        self.armed_in = False
        self.passing = False
        self.lacking: dict[int, Lacking] = {}
        self.pending: dict[int, tuple[Block, tuple[int, ...]]] = {}
        self.checking: dict[int, Block] = {}
        self.high: list[PeerId] = []
        self.payments: dict[int, Payment] = {}
        self.power: float | None = None
        self.secret: Secret | None = None
        self.serial = 0
        self.mining = False
        self.number = 0
        self.salt = 0
        self.era = ERAS["today"]
        self.me: PeerId = -1
        self.network = 0
        self.started_us = 0
        self.seeds: tuple[PeerId, ...] = ()
        self.known: tuple[PeerId, ...] = ()

    @classmethod
    def stations(cls, options: BitcoinOptions, peers: int) -> Sequence[Station]:
        return [Station(DnsSeed, f"dns{n + 1}", f"seeder{n + 1}") for n in range(options.dns_seeds)]

    @classmethod
    def needs(
        cls, text: str, goal: str, origin: PeerId, programs: Sequence[Peer | None], options: BitcoinOptions
    ) -> Sequence[Need] | None:
        """Connections for blocks alone and probes carry no payment, unless a miner puts its own into a block."""
        node = programs[origin]
        if goal != PAY.name or not isinstance(node, Node) or node.mining:
            return None
        return (Need("neighbour that it tells of payments", tuple(one.peer for one in (*node.outs, *node.ins))),)

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        options, era = host.options, ERAS[host.options.era]
        self.era = era
        self.me, self.started_us, self.network = host.me, host.now_us, group_of(host, host.me)
        self.salt = host.rng.getrandbits(62)
        self.base = len(host.numbers.values)
        if isinstance(saved, tuple):
            self.addresses, self.chain, self.number = saved
        else:
            self.addresses = AddrMan(host.rng.getrandbits(62), era.tables)
        # Stations come first among the contacts.
        self.seeds, self.known = tuple(contacts[: options.dns_seeds]), tuple(contacts[options.dns_seeds :])
        if host.me < options.miners:
            host.set_role("miner")
        host.every(PING_US, PingRound())
        host.every(TEND_US, Tend())
        if era.feelers:
            host.every(FEELER_US, Feel())
            host.every(PROBE_US, Probe())
        self.mine_on(host)
        self.others_on(host)
        self.dial_soon(host)

    @classmethod
    def converge(cls, world: NetworkStart, options: BitcoinOptions, rng: Rng) -> None:
        """Connections as the nodes would have opened them, and addresses in the tables. All chains are at the first
        block."""
        if options.running:
            converge(world, options, rng)

    def saved(self) -> object | None:
        return self.addresses, self.chain, self.number

    def stop(self, host: Host) -> None:
        for peer in self.connections:
            host.unlink(peer)

    def joined(self, links: Sequence[PeerId]) -> bool:
        return bool(links)

    # --- connections ------------------------------------------------------------------------------------------------

    def outbound(self, kind: Kind = "full") -> int:
        """The number of connections of a kind that it opened."""
        return sum(one.kind == kind and not one.inbound for one in self.connections.values())

    def missing(self, host: Host) -> Kind | None:
        """The kind of which it has too few outbound connections, or None."""
        if self.outbound() < host.options.outbound:
            return "full"
        return "block" if self.outbound("block") < self.era.block_relay else None

    def dial_soon(self, host: Host, delay_us: int = 1) -> None:
        """Set the timer after which it looks for a connection, unless one is set or a connection is being opened."""
        if not self.timer_dial and self.dialing < 0:
            self.timer_dial = True
            host.after(delay_us + host.rng.randrange(DIAL_US), Dial(), cause=None)

    @on(Dial)
    def dial(self, host: Host, tick: Dial) -> None:
        """Open a connection that is missing, to an address of a /16 to which it has no outbound connection."""
        self.timer_dial = False
        kind = self.missing(host)
        if kind is None or self.dialing >= 0:
            return
        address = self.address_for(host)
        if address is not None:
            self.dial_us = DIAL_US
            self.call_up(host, address, kind)
            return
        lonely = not self.connections
        if lonely and (not self.addresses.entries or host.now_us - self.started_us > DNS_WAIT_US):
            self.ask_seeds(host)
        self.dial_us = min(2 * self.dial_us, DIAL_MOST_US)
        self.dial_soon(host, self.dial_us)

    def address_for(self, host: Host) -> Address | None:
        """An address to connect to: of no /16 to which there is an outbound connection, and not tried lately."""
        groups = {one.group for one in self.connections.values() if not one.inbound}
        opened = self.outbound()
        # In the first thirty draws Bitcoin Core skips addresses that were tried in the last ten minutes.
        first, entries = 0, self.addresses.entries
        if len(entries) <= FEW_ADDRESSES:
            # Draws that can find nothing are left out.
            since_us = [
                host.now_us - entry.tried_us if entry.tried_us >= 0 else 600 * SECOND_US
                for peer, entry in entries.items()
                if entry.address.group not in groups and peer not in self.connections and peer != self.me
            ]
            longest_us = max(since_us, default=-1)
            if longest_us < 60 * SECOND_US:
                return None
            first = 0 if longest_us >= 600 * SECOND_US else 30
        for tried in range(first, 40):
            address = self.addresses.select(opened, host.now_us, host.rng)
            if address is None:
                return None
            if address.peer == self.me or address.peer in self.connections or address.group in groups:
                continue
            last_us = self.addresses.entries[address.peer].tried_us
            if last_us >= 0 and host.now_us - last_us < (600 if tried < 30 else 60) * SECOND_US:
                continue
            return address
        return None

    def call_up(self, host: Host, address: Address, kind: Kind) -> None:
        self.addresses.attempt(address.peer, host.now_us)
        self.dialing, self.dialing_for = address.peer, kind
        self.dial_timer = host.after(CONNECT_TIMEOUT_US, DialTimeout(address.peer), cause=None)
        host.send(address.peer, Version(self.chain.height, kind, False), cause=None)

    @on(DialTimeout)
    def not_accepted(self, host: Host, tick: DialTimeout) -> None:
        """Nobody is there, or there is no room: try another one."""
        self.dialed(host, tick.to)

    def dialed(self, host: Host, peer: PeerId) -> bool:
        """An attempt to open a connection is over. Returns whether it was the present one."""
        if self.dialing != peer:
            return False
        if self.dial_timer is not None:
            host.cancel(self.dial_timer)
        self.dialing, self.dial_timer = -1, None
        self.dial_soon(host)
        return True

    @on(Version)
    def version(self, host: Host, sender: PeerId, message: Version) -> Known:
        """A connection is opened, or accepted."""
        if message.answer:
            self.accepted(host, sender, message)
            return None
        if sender in self.connections or sender == self.me:
            return DUPLICATE
        if sender == self.dialing:
            # Each is opening a connection to the other: the one opened by the peer with the smaller number counts.
            if self.me < sender:
                return None
            self.dialed(host, sender)
        most = host.options.inbound or self.era.inbound
        if sum(one.inbound for one in self.connections.values()) >= most:
            host.send(sender, Closing(), cause=None)
            return None
        one = self.connect(host, sender, message.purpose, True, message.height)
        if self.era.listed:
            address = Address(sender, one.group)
            self.addresses.add(address, one.group, host.now_us, host.now_us, host.rng)
            self.addresses.good(sender, host.now_us, host.rng)
        host.send(sender, Version(self.chain.height, message.purpose, True), cause=None)
        host.send(sender, Verack(), cause=None)
        return None

    def accepted(self, host: Host, sender: PeerId, message: Version) -> None:
        kind = self.dialing_for
        if not self.dialed(host, sender) or sender in self.connections:
            return
        self.addresses.good(sender, host.now_us, host.rng)
        if kind == "feeler":
            host.link(sender)
            host.unlink(sender)
            return
        one = self.connect(host, sender, kind, False, message.height)
        host.send(sender, Verack(), cause=None)
        if kind == "full":
            one.getaddr_done = True
            host.send(sender, GetAddr(), cause=None)
            if not host.line.nat:
                host.send(sender, Addr(((self.me, host.now_us),)), cause=None)
        if kind == "probe":
            host.after(PROBE_FOR_US, ProbeOver(sender), cause=None)
        self.ask_headers(host, sender)

    def connect(self, host: Host, peer: PeerId, kind: Kind, inbound: bool, height: int) -> Connection:
        """Add a connection that both ends have accepted."""
        now_us = host.now_us
        group = group_of(host, peer)
        one = Connection(
            peer, kind, inbound, group, now_us, now_us, TrickleOut(peer), height=height, addr_tokens_us=now_us
        )
        # What was announced before is not announced to a new one.
        one.has = self.news
        self.connections[peer] = one
        if kind == "full":
            (self.ins if inbound else self.outs).append(one)
        host.link(peer)
        host.mark(peer, "inbound" if inbound else "outbound")
        return one

    @on(Verack)
    def verack(self, host: Host, sender: PeerId, message: Verack) -> None:
        """The other end accepts the version. Where blocks are sent as compact blocks, it is told how to announce
        them."""
        one = self.hear(host, sender)
        if one is not None and self.era.announce == "compact":
            high = not one.inbound and one.kind == "full" and len(self.high) < COMPACT_PEERS and sender not in self.high
            if high:
                self.high.append(sender)
            host.send(sender, SendCmpct(high), cause=None)
        if one is not None and one.inbound and one.height > self.chain.height:
            self.ask_headers(host, sender)

    @on(Closing)
    def closing(self, host: Host, sender: PeerId, message: Closing) -> None:
        """The other end has too many connections."""
        self.dialed(host, sender)

    def hear(self, host: Host, peer: PeerId) -> Connection | None:
        """Note that a message came from a peer. Returns the connection; None if there is none, and the message is to be
        ignored."""
        one = self.connections.get(peer)
        if one is not None:
            one.heard_us = host.now_us
        return one

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        self.dialed(host, to)
        self.lose(host, to)

    def closed(self, host: Host, peer: PeerId) -> None:
        self.dialed(host, peer)
        self.lose(host, peer)

    def hang_up(self, host: Host, peer: PeerId) -> None:
        """Close a connection."""
        host.unlink(peer)
        self.lose(host, peer)

    def lose(self, host: Host, peer: PeerId) -> None:
        """A connection is gone: what was asked of it is asked of others."""
        one = self.connections.pop(peer, None)
        if one is None:
            return
        for some in (self.outs, self.ins):
            some[:] = [other for other in some if other is not one]
        if peer in self.high:
            self.high.remove(peer)
        if one.asked & self.asked:
            self.ask_others(host, one.asked & self.asked)
        for lack in self.lacking.values():
            if lack.asked_of == peer:
                lack.asked_of = -1
        self.fetch(host)
        self.dial_soon(host)

    @on(Feel)
    def feel(self, host: Host, tick: Feel) -> None:
        """Test an address: one in `tried` whose place another address should get, or a new one."""
        if self.dialing >= 0 or self.missing(host) == "full":
            return
        rival = self.addresses.resolve(host.now_us, host.rng)
        entry = self.addresses.entries.get(rival) if rival is not None else None
        address = entry.address if entry is not None else self.addresses.select_new(host.now_us, host.rng)
        if address is not None and address.peer not in self.connections and address.peer != self.me:
            self.call_up(host, address, "feeler")

    @on(Probe)
    def probe(self, host: Host, tick: Probe) -> None:
        """Connect to one more for a while, to see whether it has a better chain."""
        if self.dialing < 0 and self.missing(host) != "full":
            address = self.address_for(host)
            if address is not None:
                self.call_up(host, address, "probe")

    @on(ProbeOver)
    def probe_over(self, host: Host, tick: ProbeOver) -> None:
        """Close the connection of a probe."""
        one = self.connections.get(tick.to)
        if one is not None and one.kind == "probe" and not one.inbound:
            self.hang_up(host, tick.to)

    @on(PingRound)
    def ping_round(self, host: Host, tick: PingRound) -> None:
        """Ping all peers, and close the connections to those that were silent for twenty minutes."""
        for peer in [one.peer for one in self.connections.values() if host.now_us - one.heard_us > SILENT_US]:
            self.hang_up(host, peer)
        for one in self.connections.values():
            if not one.inbound:
                self.addresses.connected(one.peer, host.now_us)
        if self.connections:
            host.multicast(tuple(self.connections), Ping(host.rng.getrandbits(62)), cause=None)
        # Its own address is told again once a day.
        if self.connections and not host.line.nat and host.rng.random() < PING_US / ADVERTISED_US:
            host.multicast(tuple(self.connections), Addr(((self.me, host.now_us),)), cause=None)

    @on(Ping)
    def ping(self, host: Host, sender: PeerId, message: Ping) -> None:
        """Answer with the same number."""
        if self.hear(host, sender) is not None:
            host.send(sender, Pong(message.nonce), cause=None)

    @on(Pong)
    def pong(self, host: Host, sender: PeerId, message: Pong) -> None:
        """Note that the peer is alive."""
        self.hear(host, sender)

    # --- addresses --------------------------------------------------------------------------------------------------

    def ask_seeds(self, host: Host) -> None:
        """Ask the DNS seeds for addresses, and add the peers that it was given when it started."""
        for seed in self.seeds:
            host.call(seed, DnsQuery(), timeout_us=(DNS_TIMEOUT_US, DNS_TIMEOUT_US), cause=None)
        for peer in self.known:
            self.learn(host, peer, host.now_us, self.network)

    @on_reply(DnsQuery)
    def seeded(self, host: Host, sender: PeerId, answer: DnsAnswer, context: object) -> None:
        """Addresses of a DNS seed, as if they were some days old."""
        for peer in answer.peers[:DNS_MOST]:
            self.learn(host, peer, host.now_us, group_of(host, sender))
        self.dial_us = DIAL_US
        self.dial_soon(host)

    @on_timeout(DnsQuery)
    def no_seed(self, host: Host, to: PeerId, context: object, reason: CallEnd) -> None:
        """The DNS seed is down: a node that knows no address can only wait."""
        host.log("no answer of a DNS seed", seed=to)

    def learn(self, host: Host, peer: PeerId, seen_us: int, source_group: int) -> bool:
        """Add an address that a node or a seed has sent to the tables. Returns whether it is new."""
        if peer == self.me or not 0 <= peer < 2 * NOWHERE:
            return False
        address = Address(peer, group_of(host, peer))
        return self.addresses.add(address, source_group, min(seen_us, host.now_us), host.now_us, host.rng)

    @on(GetAddr)
    def get_addr(self, host: Host, sender: PeerId, message: GetAddr) -> None:
        """Send addresses, once, to a peer that opened the connection."""
        one = self.hear(host, sender)
        if one is None or not one.inbound or one.getaddr_done:
            return
        one.getaddr_done = True
        told = self.addresses.getaddr(host.now_us, host.rng)
        entries = tuple((address.peer, self.addresses.entries[address.peer].seen_us) for address in told)
        for at in range(0, len(entries), ADDR_MOST):
            host.send(sender, Addr(entries[at : at + ADDR_MOST]), cause=None)
        if not host.line.nat:
            host.send(sender, Addr(((self.me, host.now_us),)), cause=None)

    @on(Addr)
    def addr(self, host: Host, sender: PeerId, message: Addr) -> Known:
        """Learn addresses, and pass a few fresh ones on to two others."""
        one = self.hear(host, sender)
        if one is None or one.kind != "full" or len(message.entries) > ADDR_MOST:
            return None
        limited = self.era.feelers and not (one.getaddr_done and not one.inbound)
        now_us = host.now_us
        one.addr_tokens = min(ADDR_BUCKET, one.addr_tokens + (now_us - one.addr_tokens_us) / SECOND_US * ADDR_PER_S)
        one.addr_tokens_us = now_us
        new = False
        for peer, seen_us in message.entries:
            if limited:
                if one.addr_tokens < 1:
                    break
                one.addr_tokens -= 1
            fresh = 0 <= now_us - seen_us < ADDR_FRESH_US
            added = self.learn(host, peer, seen_us, one.group)
            new = new or added
            if added and fresh and len(message.entries) <= ADDR_RELAYED:
                self.pass_on(host, peer, seen_us, sender)
        if new:
            self.dial_us = DIAL_US
            return None
        return DUPLICATE

    def pass_on(self, host: Host, peer: PeerId, seen_us: int, sender: PeerId) -> None:
        """Queue an address for two connections, the same two all day."""
        day = host.now_us // ADVERTISED_US
        full = [one for one in self.connections.values() if one.kind == "full" and one.peer not in (sender, peer)]
        for one in sorted(full, key=lambda one: digest(self.salt, peer, day, one.peer))[:2]:
            if not one.addresses_due:
                mean_us = ADDR_TRICKLE_US if self.era.trickle == "poisson" else PASS_US * len(self.connections)
                host.after(int(host.rng.expovariate(1 / mean_us)), TellAddresses(one.peer), cause=None)
            put_bounded(one.addresses_due, peer, seen_us, ADDR_MOST)

    @on(TellAddresses)
    def tell_addresses(self, host: Host, tick: TellAddresses) -> None:
        """Pass on the addresses that wait for a connection."""
        one = self.connections.get(tick.to)
        if one is not None and one.addresses_due:
            entries, one.addresses_due = tuple(one.addresses_due.items()), {}
            host.send(tick.to, Addr(entries), cause=None)

    @on(Crawl)
    def crawled(self, host: Host, sender: PeerId, message: Crawl) -> None:
        """A DNS seed checks whether this node is up."""
        told = self.addresses.getaddr(host.now_us, host.rng)
        host.reply(Addr(tuple((address.peer, host.now_us) for address in told[:ADDR_MOST])))

    # --- transactions -----------------------------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        """Pay: make a transaction and announce it. The text of a publication is written into one, too."""
        self.pay(host, ask.text, host.cause if ask.goal != PUBLISH.name else 0)

    def pay(self, host: Host, text: str, cause: Cause, coin: int = 0) -> Transaction:
        """A payment of this node. coin: 0 for a new one."""
        self.number += 1
        tx = Transaction.of(coin or digest("coin", self.me, self.number) or 1, text[:1_000])
        if cause:
            put_bounded(self.payments, tx.txid, Payment(tx, cause, host.now_us), PAYMENTS_MOST)
            host.progress(0, host.options.confirmations, cause=cause)
        self.take(host, (tx,), None, cause)
        return tx

    def others_on(self, host: Host) -> None:
        """Draw when another user of this node pays next: again each minute, as the option may change."""
        delay_us = drawn_us(host, host.options.others_per_h / 3_600)
        host.after(min(delay_us, MINE_US), Others(delay_us <= MINE_US), cause=None)

    @on(Others)
    def others(self, host: Host, tick: Others) -> None:
        """Another user pays."""
        if tick.pays:
            self.number += 1
            self.take(host, (Transaction.of(-1 - digest("other", self.me, self.number), ""),), None, 0)
        self.others_on(host)

    def take(self, host: Host, txs: Sequence[Transaction], sender: Connection | None, cause: Cause) -> Known:
        """Transactions: keep and announce those that are not known and whose coins are not spent."""
        numbers, base, have = host.numbers, self.base, self.have
        room = POOL_MOST - self.pool.bit_count()
        known: Known = DUPLICATE
        came = new = named = 0
        for tx in txs:
            if not is_intact(tx):
                known = None
                continue
            number = numbers.of(tx)
            if number < base:
                if not self.local(host, number, 1):
                    continue
                by = base - self.base
                came, new, named = came << by, new << by, named << by
                base, have = self.base, self.have
            bit = 1 << number - base
            came |= bit
            if bit & (have | new):
                continue
            known = None
            if room <= 0:
                continue
            room -= 1
            _, coin, _ = tx
            if coin > 0:
                if coin in self.coins or self.chain.spender(coin) is not None:
                    host.log("double spend seen", txid=short(tx.txid), cause=cause or None)
                    continue
                self.coins[coin] = tx
            new |= bit
            if not tx.is_plain:
                named |= bit
        self.came(sender, came)
        if new:
            self.have |= new
            self.pool |= new
            self.named |= named
            if cause:
                self.causes.update([(base + at, cause) for at in bits_of(new)])
            self.announce_txs(host, new, sender)
        return known

    def take_others(self, host: Host, first: int, others: int, sender: Connection) -> Known:
        """Transactions of other users, see `Tx.others`: as `take`, with the sets alone."""
        if not contents(host.numbers).are_plain(first, others):
            return None
        by = first - self.base
        if by:
            others = self.local(host, first, others) if by < 0 else others << by
        # `came`, inlined.
        sender.has |= others
        left = ~others
        sender.asked &= left
        self.asked &= left
        self.later &= left
        new = others & ~self.have
        if not new:
            return DUPLICATE
        room = POOL_MOST - self.pool.bit_count()
        if new.bit_count() > room:
            new = lowest_bits(new, max(0, room))
        if new:
            self.have |= new
            self.pool |= new
            self.announce_txs(host, new, sender)
        return None

    def came(self, sender: Connection | None, txs: int) -> None:
        """Transactions have come, and are not asked for any more."""
        left = ~txs
        if sender is not None:
            sender.has |= txs
            sender.asked &= left
        self.asked &= left
        self.later &= left

    def local(self, host: Host, first: int, txs: int) -> int:
        """A set of another node, which begins at `first`, as one that begins at `base`. It is empty if a number in it
        is not that of a transaction. What is below `base` and in a recent block is left out; if anything else is below
        `base`, `base` is lowered."""
        if first < 0 or txs < 0 or first + txs.bit_length() > len(host.numbers.values):
            return 0
        below = txs & ((1 << max(0, self.base - first)) - 1)
        if below:
            for block in self.chain.recent(RECENT_BLOCKS):
                its, theirs = set_of(host.numbers, block)
                below &= ~shifted(theirs, its - first)
            if below:
                self.begin_at(host, first + next(bits_of(below)))
        return shifted(txs, first - self.base)

    def begin_at(self, host: Host, base: int) -> None:
        """Let all sets begin at another number."""
        by, self.base = self.base - base, base
        self.pool, self.have, self.news = shifted(self.pool, by), shifted(self.have, by), shifted(self.news, by)
        self.named = shifted(self.named, by)
        self.asked, self.later = shifted(self.asked, by), shifted(self.later, by)
        self.waits = [shifted(some, by) for some in self.waits]
        for one in self.connections.values():
            one.has, one.asked = shifted(one.has, by), shifted(one.asked, by)
        if by > 0:
            for block in self.chain.recent(RECENT_BLOCKS):
                first, theirs = set_of(host.numbers, block)
                self.have |= shifted(theirs, first - base)

    def settle(self, host: Host) -> None:
        """Move `base` up to the lowest transaction that waits."""
        waiting = self.pool | self.asked | self.later
        settled = next(bits_of(waiting)) if waiting else len(host.numbers.values) - self.base
        if settled >= SETTLED_LEAST:
            self.begin_at(host, self.base + settled)

    def announce_txs(self, host: Host, txs: int, sender: Connection | None = None) -> None:
        """Announce transactions to all connections that are not known to have them, each at its time."""
        if self.era.trickle == "poisson":
            self.news |= txs
            for one in self.outs:
                if not one.armed and txs & ~one.has:
                    self.arm(host, one)
            if not self.armed_in:
                for one in self.ins:
                    if txs & ~one.has:
                        self.arm_in(host)
                        break
            return
        if sender is not None:
            # A quarter of the transactions that came from other nodes is announced at once.
            for at in bits_of(txs):
                bit = 1 << at
                if digest(self.salt, host.numbers.values[self.base + at].txid) % 4 == 0:
                    to = [one for one in (*self.outs, *self.ins) if not one.has & bit]
                    for one in to:
                        one.has |= bit
                    cause = self.causes.get(self.base + at)
                    host.multicast([one.peer for one in to], Inv(self.base + at, 1, ()), cause=cause)
                    txs ^= bit
        self.news |= txs
        if txs and not self.passing:
            self.passing = True
            host.after(PASS_US, Pass(), cause=None)

    def arm(self, host: Host, one: Connection) -> None:
        """Set the timer of the next announcement to an outbound connection."""
        one.armed = True
        bits = self.random_bits
        if bits == 1:
            bits = host.rng.getrandbits(DRAW_BITS * 5) | 1 << DRAW_BITS * 5
        self.random_bits = bits >> DRAW_BITS
        later_us = WAITS_OUT_US[bits & DRAW_MASK]
        # `in_step`, inlined: nearly all timers of a busy network are this one.
        host.after(later_us + -(host.now_us + later_us) % STEP_US, one.tick)

    def arm_in(self, host: Host) -> None:
        """Set the timer of the next announcement to inbound connections. They share one, so that a peer which has
        opened many connections learns no more from the times than one which has opened one."""
        self.armed_in = True
        host.after(in_step(host, host.rng.expovariate(1.0) * TRICKLE_IN_US), TRICKLE_IN)

    @on(TrickleOut)
    def trickle_out(self, host: Host, tick: TrickleOut) -> None:
        """Announce to one outbound connection."""
        one = self.connections.get(tick.to)
        if one is None or not one.armed:
            return
        one.armed = False
        fresh = self.news & ~one.has
        if not fresh:
            return
        many = fresh.bit_count()
        if self.causes or many > INV_TARGET:
            self.send_invs(host, (one,))
            if self.news & ~one.has:
                self.arm(host, one)
        else:
            # `send_invs` for one connection and payments that belong to no ask. The timer has no cause either; a
            # message that inherits no cause is sent by the fastest way.
            one.has |= fresh
            host.send(tick.to, inv_of(self.base, fresh) if many <= SHARED_MOST else Inv(self.base, fresh, ()))

    @on(TrickleIn)
    def trickle_in(self, host: Host, tick: TrickleIn) -> None:
        """Announce to all inbound connections."""
        self.armed_in = False
        self.send_invs(host, self.ins)
        news = self.news
        if any(news & ~one.has for one in self.ins):
            self.arm_in(host)

    @on(Pass)
    def draw_peer(self, host: Host, tick: Pass) -> None:
        """Announce to a peer that is drawn (Bitcoin Core 0.8 to 0.11), again and again until nothing is left to
        announce to any."""
        self.passing = False
        full = [*self.outs, *self.ins]
        if not full:
            return
        self.send_invs(host, (host.rng.choice(full),))
        news = self.news
        if any(news & ~one.has for one in full):
            self.passing = True
            host.after(PASS_US, Pass(), cause=None)

    def send_invs(self, host: Host, those: Sequence[Connection]) -> None:
        """Announce to some connections the transactions that they are not known to have. Connections that get the same
        transactions get one message."""
        news, base, causes = self.news, self.base, self.causes
        poisson = self.era.trickle == "poisson"
        lists: dict[int, list[PeerId]] = {}
        for one in those:
            fresh = news & ~one.has
            if not fresh:
                continue
            waiting = fresh.bit_count()
            most = min(INV_MOST, INV_TARGET + waiting // 1_000 * 5) if poisson else INV_MOST
            if waiting > most:
                fresh = lowest_bits(fresh, most)
            one.has |= fresh
            lists.setdefault(fresh, []).append(one.peer)
        for txs, peers in lists.items():
            theirs = [causes[base + at] for at in bits_of(txs) if base + at in causes] if causes else None
            if len(peers) == 1 and not theirs:
                host.send(peers[0], inv_of(base, txs))
            else:
                host.multicast(peers, inv_of(base, txs), cause=theirs or None)

    @on(Inv)
    def inv(self, host: Host, sender: PeerId, message: Inv) -> None:
        """Transactions or blocks are announced: ask for those that this node does not have."""
        one = self.connections.get(sender)
        if one is None:
            return
        one.heard_us = host.now_us
        if message.blocks:
            self.blocks_announced(host, one, message.blocks)
        txs = message.txs
        if not txs or one.kind != "full":
            return
        first = message.first
        by, length = first - self.base, txs.bit_length()
        if first + length > self.made:
            self.made = len(host.numbers.values)
        if by >= 0 and txs > 0 and length < INV_MOST and first + length <= self.made:
            if by:
                txs <<= by
        else:
            txs = self.local(host, first, lowest_bits(txs, INV_MOST) if txs > 0 else 0)
        one.has |= txs
        missing = txs & ~(self.have | self.asked)
        if not missing:
            return
        if not one.inbound or self.era.trickle == "peer":
            self.ask_txs(host, one, missing)
            return
        # Connections that this node opened are preferred: it waits before it asks an inbound one.
        missing &= ~self.later
        if missing:
            self.later |= missing
            # `in_step`, inlined.
            later_us = NOT_PREFERRED_US + -(one.heard_us + NOT_PREFERRED_US) % STEP_US
            host.after(later_us, AskLater(sender, self.base, missing))

    @on(AskLater)
    def ask_later(self, host: Host, tick: AskLater) -> None:
        """Ask an inbound connection for what nobody else was asked for meanwhile."""
        txs = shifted(tick.txs, tick.first - self.base) & self.later
        if not txs:
            return
        one = self.connections.get(tick.of)
        if one is None:
            self.ask_others(host, txs)
        else:
            self.ask_txs(host, one, txs)

    def ask_txs(self, host: Host, one: Connection, txs: int) -> None:
        self.asked |= txs
        self.later &= ~txs
        one.asked |= txs
        few = txs.bit_count() <= SHARED_MOST
        host.send(one.peer, getdata_of(self.base, txs) if few else GetData(self.base, txs, ()))

    def ask_others(self, host: Host, txs: int) -> None:
        """Transactions did not come: ask other nodes that have announced them, first those to which this node opened
        the connection. What no other node has announced is given up."""
        self.asked &= ~txs
        self.later &= ~txs
        self.waits = [some & ~txs for some in self.waits]
        for one in (*self.outs, *self.ins):
            theirs = txs & one.has
            if theirs:
                self.ask_txs(host, one, theirs)
                txs ^= theirs

    @on(GetData)
    def get_data(self, host: Host, sender: PeerId, message: GetData) -> None:
        """Send what is asked for."""
        one = self.connections.get(sender)
        if one is None:
            return
        one.heard_us = host.now_us
        first, txs = message.first, message.txs
        if txs.bit_length() > INV_MOST and txs > 0:
            txs = lowest_bits(txs, INV_MOST)
        lost: list[int] = []
        if txs:
            base, values, causes = self.base, host.numbers.values, self.causes
            if first < 0 or txs < 0 or first + txs.bit_length() > len(values):
                here = 0
            elif first == base:
                here = txs & self.pool
                txs ^= here
            else:
                here = shifted(txs, first - base) & self.pool
                txs ^= shifted(here, base - first)
            found: list[Transaction] = []
            others = here
            if here & self.named:
                others &= ~self.named
                for at in bits_of(here ^ others):
                    if base + at in causes:
                        # What belongs to an ask is sent alone, so that each ask has its own.
                        host.send(sender, single(values[base + at]), cause=causes[base + at])
                    else:
                        found.append(values[base + at])
            if others or found:
                if found:
                    answer = Tx(tuple(found), base, others) if others or len(found) > 1 else single(found[0])
                elif others.bit_count() <= SHARED_MOST:
                    answer = others_of(base, others)
                else:
                    answer = Tx((), base, others)
                if host.cause:
                    host.send(sender, answer, cause=None)
                else:
                    host.send(sender, answer)
        for hash_ in message.blocks[: IN_FLIGHT_MOST * 2]:
            block = self.block(hash_)
            if block is None or hash_ == GENESIS.hash:
                lost.append(hash_)
            else:
                host.send(sender, CmpctBlock(block) if message.compact else BlockData(block))
                one.best = hash_
        if txs or lost:
            host.send(sender, NotFound(first, txs, tuple(lost)))

    @on(Tx)
    def tx(self, host: Host, sender: PeerId, message: Tx) -> Known:
        """A transaction has come."""
        one = self.connections.get(sender)
        if one is None:
            return None
        one.heard_us = host.now_us
        if not message.others:
            return self.take(host, message.txs, one, host.cause)
        known = self.take_others(host, message.first, message.others, one)
        if message.txs and self.take(host, message.txs, one, host.cause) is None:
            return None
        return known

    @on(NotFound)
    def not_found(self, host: Host, sender: PeerId, message: NotFound) -> None:
        """The sender does not have what it was asked for: ask another node."""
        one = self.hear(host, sender)
        if one is None:
            return
        txs = self.local(host, message.first, message.txs) & one.asked & self.asked
        if txs:
            one.asked ^= txs
            one.has &= ~txs
            self.ask_others(host, txs)
        for hash_ in message.blocks:
            lack = self.lacking.get(hash_)
            if lack is not None and lack.asked_of == sender:
                lack.asked_of = -1
                if sender in lack.sources:
                    lack.sources.remove(sender)
        self.fetch(host)

    @on(Tend)
    def tend(self, host: Host, tick: Tend) -> None:
        """Ask other nodes for what has not come, and announce again those own payments that are in no block."""
        now_us = host.now_us
        if self.asked:
            self.waits.append(self.asked)
            if len(self.waits) > self.era.retry_s * SECOND_US / TEND_US:
                # Not in `asked`: what has come meanwhile. Not in `waits`: what another node was asked for since.
                late = self.waits.pop(0) & self.asked
                if late:
                    for one in self.connections.values():
                        one.has &= ~(one.asked & late)
                        one.asked &= ~late
                    self.ask_others(host, late)
        elif self.waits:
            self.waits.clear()
        overdue = [lack for lack in self.lacking.values() if lack.asked_of >= 0 and lack.due_us <= now_us]
        for lack in overdue:
            if lack.asked_of in lack.sources and len(lack.sources) > 1:
                lack.sources.remove(lack.asked_of)
            lack.asked_of = -1
        if self.lacking:
            self.fetch(host)
        for paid in self.payments.values():
            if not paid.block and now_us - paid.announced_us > ANNOUNCED_AGAIN_US:
                bit = shifted(1, host.numbers.of(paid.tx) - self.base) & self.pool
                if bit:
                    paid.announced_us = now_us
                    for one in self.connections.values():
                        one.has &= ~bit
                    self.announce_txs(host, bit)

    # --- blocks: what others have ---------------------------------------------------------------------------------

    def blocks_announced(self, host: Host, one: Connection, blocks: Sequence[int]) -> None:
        """Blocks are announced by inv: ask for their headers, or in an era without headers for the blocks."""
        one.best = blocks[-1]
        new = [hash_ for hash_ in blocks[:INV_FAST_MOST] if not self.has(hash_)]
        if not new:
            return
        if self.era.announce == "compact":
            self.ask_headers(host, one.peer)
            return
        for hash_ in new:
            lack = self.lacking.get(hash_)
            if lack is None:
                lack = Lacking(Header(hash_, -1, 0), -1, [])
                put_bounded(self.lacking, hash_, lack, LACKING_MOST)
            if one.peer not in lack.sources and len(lack.sources) < SOURCES_MOST:
                lack.sources.append(one.peer)
        self.fetch(host)

    def has(self, hash_: int) -> bool:
        """Whether a block is here, whole."""
        return self.chain.has(hash_) or hash_ in self.checking

    def block(self, hash_: int) -> Block | None:
        """A block that others may ask for, or None. One that is still being checked was pushed to some already."""
        return self.chain.blocks.get(hash_) or self.checking.get(hash_)

    def ask_headers(self, host: Host, peer: PeerId) -> None:
        """Ask for what another node's chain has beyond the fork with this one's."""
        locator = self.chain.locator()
        host.send(peer, GetHeaders(locator) if self.era.announce == "compact" else GetBlocks(locator))

    @on(GetBlocks)
    def get_blocks(self, host: Host, sender: PeerId, message: GetBlocks) -> None:
        """Announce the blocks that another node lacks."""
        if self.hear(host, sender) is not None:
            found = self.chain.after(message.locator[:128], INV_FAST_MOST)
            if found:
                host.send(sender, Inv(0, 0, tuple(block.hash for block in found)))

    @on(GetHeaders)
    def get_headers(self, host: Host, sender: PeerId, message: GetHeaders) -> None:
        """Tell the headers that another node lacks."""
        one = self.hear(host, sender)
        if one is not None:
            found = self.chain.after(message.locator[:128], HEADERS_MOST)
            if one.best in self.checking:
                # It lacks the parent of the block that was pushed to it: it is told of that block again once it is
                # checked (Bitcoin Core resets pindexBestHeaderSent for the same reason).
                one.best = -1
            if found:
                host.send(sender, Headers(tuple(block.header for block in found)))

    @on(Headers)
    def headers(self, host: Host, sender: PeerId, message: Headers) -> None:
        """Headers have come: fetch the blocks of a branch that is at least as long as this node's."""
        one = self.hear(host, sender)
        headers = message.headers[:HEADERS_MOST]
        if one is None or not headers:
            return
        one.best = headers[-1].hash
        height = self.height_of(headers[0].parent)
        if height < 0:
            self.ask_headers(host, sender)
            return
        parent, new, source = headers[0].parent, [], 0
        for header in headers:
            if header.parent != parent:
                return
            parent, height = header.hash, height + 1
            if self.has(header.hash):
                continue
            lack = self.lacking.get(header.hash)
            if lack is None:
                new.append(Lacking(header, height, [sender]))
            elif sender not in lack.sources and len(lack.sources) < SOURCES_MOST:
                lack.sources.append(sender)
                source += 1
        if new and height >= self.chain.height:
            for lack in new:
                put_bounded(self.lacking, lack.header.hash, lack, LACKING_MOST)
        if new or source:
            self.fetch(host)
        if len(message.headers) >= HEADERS_MOST and new:
            self.ask_headers(host, sender)

    def height_of(self, hash_: int) -> int:
        """Height of a block whose header is known; below 0 for any other block."""
        block = self.chain.blocks.get(hash_)
        if block is not None:
            return block.height
        lack = self.lacking.get(hash_)
        return lack.height if lack is not None else -1

    def fetch(self, host: Host) -> None:
        """Ask for blocks that are lacking, each of one node, and of each node a few at a time."""
        asked: dict[PeerId, list[int]] = {}
        under_way = Counter(lack.asked_of for lack in self.lacking.values())
        for hash_, lack in list(self.lacking.items()):
            if lack.asked_of >= 0:
                continue
            lack.sources = [peer for peer in lack.sources if peer in self.connections]
            if not lack.sources:
                del self.lacking[hash_]
                continue
            free = [peer for peer in lack.sources if under_way[peer] < IN_FLIGHT_MOST]
            if free:
                lack.asked_of, lack.due_us = free[0], host.now_us + BLOCK_TIMEOUT_US
                under_way[free[0]] += 1
                asked.setdefault(free[0], []).append(hash_)
        for peer, hashes in asked.items():
            # A compact block saves something only for the next one: the transactions of older ones are in no pool.
            fresh = len(hashes) == 1 and self.lacking[hashes[0]].header.parent == self.chain.tip.hash
            compact = fresh and self.era.announce == "compact"
            host.send(peer, GetData(0, 0, tuple(hashes), compact))

    # --- blocks: when they come ----------------------------------------------------------------------------------

    @on(BlockData)
    def block_data(self, host: Host, sender: PeerId, message: BlockData) -> Known:
        """A block, whole."""
        one = self.hear(host, sender)
        return self.receive(host, one, message.block) if one is not None else None

    @on(SendCmpct)
    def send_cmpct(self, host: Host, sender: PeerId, message: SendCmpct) -> None:
        """How the other end wants blocks."""
        one = self.hear(host, sender)
        if one is not None:
            one.wants_push = message.high

    @on(CmpctBlock)
    def compact(self, host: Host, sender: PeerId, message: CmpctBlock) -> Known:
        """A compact block: ask for the transactions that are not here."""
        one, block = self.hear(host, sender), message.block
        if one is None:
            return None
        one.best = block.hash
        if self.has(block.hash):
            return DUPLICATE
        lack = self.lacking.get(block.hash)
        if block.hash in self.pending and lack is not None and lack.asked_of >= 0 and lack.asked_of != sender:
            # Its transactions were asked of another node, which may turn out not to have them.
            if sender not in lack.sources and len(lack.sources) < SOURCES_MOST:
                lack.sources.append(sender)
            return DUPLICATE
        if not is_sound(block):
            self.hang_up(host, sender)
            return None
        if block.parent not in self.chain.blocks and block.parent not in self.checking:
            self.ask_headers(host, sender)
            return None
        first, txs = set_of(host.numbers, block)
        missing = txs & ~shifted(self.pool, self.base - first)
        if not missing:
            return self.receive(host, one, block)
        where = places_in(host.numbers, block)
        asked = tuple(sorted([where[first + at] for at in bits_of(missing)]))
        put_bounded(self.pending, block.hash, (block, asked), 16)
        if lack is None:
            lack = Lacking(block.header, block.height, [sender])
            put_bounded(self.lacking, block.hash, lack, LACKING_MOST)
        lack.asked_of, lack.due_us = sender, host.now_us + BLOCK_TIMEOUT_US
        host.send(sender, GetBlockTxn(block.hash, asked))
        return None

    @on(GetBlockTxn)
    def get_block_txn(self, host: Host, sender: PeerId, message: GetBlockTxn) -> None:
        """Send transactions of a compact block."""
        block = self.block(message.hash)
        if self.hear(host, sender) is None:
            return
        if block is None:
            host.send(sender, NotFound(0, 0, (message.hash,)))
            return
        txs = block.transactions
        host.send(sender, BlockTxn(block.hash, tuple(txs[at] for at in message.places if 0 <= at < len(txs))))

    @on(BlockTxn)
    def block_txn(self, host: Host, sender: PeerId, message: BlockTxn) -> Known:
        """The missing transactions of a compact block have come."""
        one = self.hear(host, sender)
        waiting = self.pending.get(message.hash)
        if one is None or waiting is None:
            return DUPLICATE
        block, asked = waiting
        if message.txs != tuple(block.transactions[at] for at in asked):
            return None
        del self.pending[message.hash]
        return self.receive(host, one, block)

    def receive(self, host: Host, one: Connection, block: Block) -> Known:
        """A whole block has come: push it to the peers that want blocks unasked, then check it."""
        one.best = block.hash
        self.pending.pop(block.hash, None)
        self.lacking.pop(block.hash, None)
        if self.has(block.hash):
            return DUPLICATE
        if not is_sound(block):
            host.log("a block that is not sound", sender=one.peer)
            self.hang_up(host, one.peer)
            return None
        put_bounded(self.checking, block.hash, block, LACKING_MOST)
        parent = self.chain.blocks.get(block.parent)
        if parent is not None and block.height > self.chain.height:
            to = [other for other in self.connections.values() if other.wants_push and other is not one]
            self.push(host, block, to)
        delay_us = block.size * self.era.verify_us_kb // 1_000
        host.after(delay_us, BlockChecked(block, one.peer))
        return None

    def push(self, host: Host, block: Block, to: Sequence[Connection], cause: CauseLike = INHERIT) -> None:
        """Send a compact block to those that do not have it."""
        peers = [one.peer for one in to if one.best != block.hash]
        for one in to:
            one.best = block.hash
        if peers:
            host.multicast(peers, CmpctBlock(block), cause=cause)

    @on(BlockChecked)
    def checked(self, host: Host, tick: BlockChecked) -> None:
        """A block has been checked: it joins the chain, or waits for its parent."""
        block = tick.block
        self.checking.pop(block.hash, None)
        parent = self.chain.blocks.get(block.parent)
        if parent is not None and (block.height != parent.height + 1 or self.spends_again(block)):
            host.log("a block that breaks the rules", sender=tick.sender, block=short(block.hash))
            self.hang_up(host, tick.sender)
            return
        change = self.chain.add(block)
        if change is None:
            if tick.sender in self.connections:
                self.ask_headers(host, tick.sender)
            return
        self.prefer(host, tick.sender)
        self.follow(host, change)
        if self.lacking:
            self.fetch(host)

    def spends_again(self, block: Block) -> bool:
        """Whether a block spends a coin that a block below it spends."""
        coins = coins_of(block)
        return bool(coins) and any(
            not coins.keys().isdisjoint(coins_of(below)) for below in self.chain.ancestors(block.parent)
        )

    def prefer(self, host: Host, sender: PeerId) -> None:
        """Ask the peer that brought a block first to send the next ones unasked, in place of the peer that did so
        longest ago."""
        one = self.connections.get(sender)
        if self.era.announce != "compact" or one is None or one.kind not in ("full", "block"):
            return
        if sender in self.high:
            self.high.remove(sender)
        else:
            host.send(sender, SendCmpct(True), cause=None)
        self.high.append(sender)
        while len(self.high) > COMPACT_PEERS:
            host.send(self.high.pop(0), SendCmpct(False), cause=None)

    def follow(self, host: Host, change: Change, cause: CauseLike = INHERIT) -> None:
        """The chain has changed: transactions of blocks that left it wait again, those of new blocks do not. Announce
        the new tip."""
        if not change.come:
            return
        if change.gone:
            host.log("reorganisation", gone=len(change.gone), come=len(change.come), tip=short(self.chain.tip.hash))
        for block in change.gone:
            self.put_back(host, block)
        for block in change.come:
            self.take_out(host, block)
        self.settle(host)
        self.tell_payments(host, change)
        self.announce(host, change, cause)
        if self.secret is not None:
            self.maybe_publish(host)

    def put_back(self, host: Host, block: Block) -> None:
        """The transactions of a block that is not in the branch any more wait again."""
        first, txs = set_of(host.numbers, block)
        if txs and first < self.base:
            self.begin_at(host, first)
        for tx in block.transactions:
            if self.pool.bit_count() < POOL_MOST and not (tx.coin > 0 and tx.coin in self.coins):
                bit = 1 << host.numbers.of(tx) - self.base
                self.pool |= bit
                self.have |= bit
                if not tx.is_plain:
                    self.named |= bit
                if tx.coin > 0:
                    self.coins[tx.coin] = tx

    def take_out(self, host: Host, block: Block) -> None:
        """The transactions of a block that is in the branch now wait no longer, nor do others that spend the same
        coins."""
        first, txs = set_of(host.numbers, block)
        mined = shifted(txs, first - self.base)
        self.have |= mined
        gone = mined
        for coin, txid in coins_of(block).items():
            rival = self.coins.pop(coin, None)
            if rival is not None and rival.txid != txid:
                bit = 1 << host.numbers.of(rival) - self.base
                gone |= bit
                self.have &= ~bit
        if self.asked & gone:
            for one in self.connections.values():
                one.asked &= ~gone
        self.pool &= ~gone
        self.named &= ~gone
        self.news &= ~gone
        self.asked &= ~gone
        self.later &= ~gone
        for number in [n for n in self.causes if n >= self.base and gone >> n - self.base & 1]:
            del self.causes[number]

    def announce(self, host: Host, change: Change, cause: CauseLike) -> None:
        """Announce the new tip: by inv; or in an era of compact blocks by the new headers, or by the block itself to
        peers that want it unasked."""
        tip = self.chain.tip
        those = [one for one in self.connections.values() if one.best != tip.hash]
        if self.era.announce == "compact":
            self.push(host, tip, [one for one in those if one.wants_push], cause)
            peers = [one.peer for one in those if not one.wants_push]
            headers = tuple(block.header for block in change.come)
            if len(headers) <= HEADERS_ANNOUNCED:
                host.multicast(peers, Headers(headers), cause=cause)
            else:
                host.multicast(peers, Inv(0, 0, (tip.hash,)), cause=cause)
        else:
            host.multicast([one.peer for one in those], Inv(0, 0, (tip.hash,)), cause=cause)
        for one in those:
            one.best = tip.hash

    # --- payments ---------------------------------------------------------------------------------------------------

    def tell_payments(self, host: Host, change: Change) -> None:
        """Report to the asks of own payments how many blocks confirm these."""
        if not self.payments:
            return
        wanted = host.options.confirmations
        for block in change.gone:
            for tx in block.transactions:
                paid = self.payments.get(tx.txid)
                if paid is not None and paid.block == block.hash:
                    paid.block = 0
                    if paid.made:
                        paid.made = False
                        host.unhit(self.me, cause=paid.cause)
                    elif paid.reported:
                        paid.reported = 0
                        host.progress(0, wanted, cause=paid.cause)
        for block in change.come:
            for tx in block.transactions:
                paid = self.payments.get(tx.txid)
                if paid is not None:
                    paid.block = block.hash
            for coin, txid in coins_of(block).items():
                for other in [one for one in self.payments.values() if one.tx.coin == coin and one.tx.txid != txid]:
                    host.failed("another payment of the same coin is in the chain", cause=other.cause)
        for txid, paid in list(self.payments.items()):
            if not paid.block:
                continue
            have = self.chain.confirmations(paid.block)
            if min(have, wanted) > paid.reported:
                paid.reported = min(have, wanted)
                host.progress(paid.reported, wanted, cause=paid.cause)
            if have >= wanted and not paid.made:
                paid.made = True
                host.hit(self.me, paid.tx.text, cause=paid.cause)
            if have > wanted + 100:
                del self.payments[txid]

    @classmethod
    def verdict(cls, facts: Facts, options: BitcoinOptions) -> str | None:
        if facts.goal == BLOCK.name:
            return None
        if facts.of and facts.done >= facts.of and not facts.hits:
            why = facts.setback or "the blocks that confirmed it were given up for a longer chain"
            return f"It was paid and is not any more: {why}."
        if facts.setback:
            return f"It was not paid: {facts.setback}."
        if facts.hits:
            return f"It is paid: {_confirm(facts.of)} it."
        if facts.trouble or not facts.of:
            return None
        if facts.done:
            return f"Not paid yet: {round(facts.done)} of {_confirm(facts.of)} it."
        if not facts.reached:
            return None
        others = f"{facts.reached:,} other {'node' if facts.reached == 1 else 'nodes'}"
        return f"Not paid yet: it came to {others}, and no block has it."

    # --- mining -----------------------------------------------------------------------------------------------------

    def rate(self, host: Host) -> float:
        """Blocks a second that this node finds on average."""
        options = host.options
        share = self.power
        if share is None:
            share = shares(options.miners, options.unequal)[self.me] if self.me < options.miners else 0.0
        return float(share / options.block_s)

    def mine_on(self, host: Host) -> None:
        """Draw when the next block is found: again each minute, as options and powers may change."""
        self.serial += 1
        self.mining = self.power > 0 if self.power is not None else self.me < host.options.miners
        if not self.mining:
            return
        delay_us = drawn_us(host, self.rate(host))
        host.after(min(delay_us, MINE_US), Mine(self.serial, delay_us <= MINE_US), cause=None)

    @on(Mine)
    def mine(self, host: Host, tick: Mine) -> None:
        """A block is found, or it is time to draw again."""
        if tick.serial == self.serial:
            if tick.found:
                self.find(host)
            self.mine_on(host)

    def find(self, host: Host) -> None:
        """This node finds a block, with what waits in its pool."""
        parent = self.secret.tip if self.secret is not None else self.chain.tip
        room = max(0, BLOCK_TXS - host.options.filler)
        txs = tuple([host.numbers.values[self.base + at] for at in islice(bits_of(self.pool), room)])
        if self.secret is not None:
            txs = self.secret_txs(txs)
        block = Block.on(parent, self.me, host.now_us, txs, host.options.filler)
        if self.secret is not None:
            self.secret.tip = block
            self.secret.blocks.append(block)
            host.log("block found in secret", height=block.height, block=short(block.hash))
            self.maybe_publish(host)
            return
        change = self.chain.add(block)
        if change is not None:
            cause = self.begin_block(host, block)
            self.follow(host, change, cause)

    def begin_block(self, host: Host, block: Block) -> Cause:
        cause = host.begin(f"block {block.height} {short(block.hash)}", BLOCK, key=block.hash)
        host.log(
            "block", cause=cause, height=block.height, block=short(block.hash), transactions=len(block.transactions)
        )
        return cause

    def secret_txs(self, txs: tuple[Transaction, ...]) -> tuple[Transaction, ...]:
        """The transactions of a block of the secret branch: its first block has the payment to the miner itself, and
        there are no others, since their coins may be spent in the branch already."""
        secret = self.secret
        if secret is None or secret.again is None or any(block.transactions for block in secret.blocks):
            return ()
        return (secret.again,)

    def maybe_publish(self, host: Host) -> None:
        """Publish a branch that takes a payment back, if the payment is confirmed and the branch is longer than the
        chain."""
        secret = self.secret
        if secret is None or not secret.paid:
            return
        paid = self.payments.get(secret.paid)
        have = self.chain.confirmations(paid.block) if paid is not None and paid.block else 0
        if have >= secret.confirmations and secret.tip.height > self.chain.height:
            self.reveal(host)

    # --- verbs ------------------------------------------------------------------------------------------------------

    @verb("block", about="Find a block now, whatever its power.")
    def block_now(self, host: Host) -> None:
        self.find(host)

    @verb(
        "power",
        about="Give it a power as a miner: 1 is that of all miners of the options together.",
        values={"share": "e.g. 0.5"},
        checks={"share": within(0, 1_000)},
    )
    def set_power(self, host: Host, share: float) -> None:
        self.power = share
        host.set_role("miner" if self.power else "node")
        self.mine_on(host)

    @verb(
        "spend-twice",
        about="Pay two people with the same coin: half of its connections are told of one payment, half of the other.",
        values={"text": "e.g. coffee"},
    )
    def spend_twice(self, host: Host, text: str = "coffee") -> None:
        """Two payments of one coin."""
        self.number += 1
        coin = digest("coin", self.me, self.number) or 1
        first, second = Transaction.of(coin, f"{text[:500]}, once"), Transaction.of(coin, f"{text[:500]}, twice")
        half = sorted(self.connections)[: len(self.connections) // 2]
        for tx, peers in ((first, [p for p in self.connections if p not in half]), (second, half)):
            cause = host.begin(tx.text, PAY, key=tx.txid)
            put_bounded(self.payments, tx.txid, Payment(tx, cause, host.now_us), PAYMENTS_MOST)
            host.progress(0, host.options.confirmations, cause=cause)
            host.multicast(peers, single(tx), cause=cause)
        # It keeps the first itself.
        bit = 1 << host.numbers.of(first) - self.base
        self.pool |= bit
        self.have |= bit
        self.named |= bit
        self.coins[coin] = first

    @verb(
        "mine-in-secret",
        about="Mine upon the present tip, and tell nobody until `reveal`.",
        undo="reveal",
        why_not=_mines_in_secret,
    )
    def mine_in_secret(self, host: Host) -> None:
        """Begin a secret branch at the tip."""
        self.secret = Secret(self.chain.tip)
        host.log("mines in secret", height=self.chain.height)

    @verb(
        "rob",
        about="Pay, mine a branch in secret in which it did not, and publish that when the payment is confirmed.",
        undo="reveal",
        why_not=_mines_in_secret,
        values={"text": "e.g. a car"},
    )
    def rob(self, host: Host, text: str = "a car") -> None:
        """Make a payment, and begin a secret branch that takes it back."""
        self.number += 1
        coin = digest("coin", self.me, self.number) or 1
        tx = Transaction.of(coin, text[:500])
        cause = host.begin(tx.text, PAY, key=tx.txid)
        self.secret = Secret(self.chain.tip, [], tx.txid, Transaction.of(coin, "to itself"), host.options.confirmations)
        put_bounded(self.payments, tx.txid, Payment(tx, cause, host.now_us), PAYMENTS_MOST)
        host.progress(0, host.options.confirmations, cause=cause)
        self.take(host, (tx,), None, cause)
        host.log("mines in secret", height=self.chain.height)

    @verb(
        "reveal",
        about="Publish the branch that it mined in secret.",
        why_not=_mines_openly,
    )
    def reveal(self, host: Host) -> None:
        """Publish: nodes follow the branch if it is longer than theirs."""
        secret, self.secret = self.secret, None
        if secret is None or not secret.blocks:
            return
        gone: tuple[Block, ...] = ()
        come: tuple[Block, ...] = ()
        for block in secret.blocks:
            change = self.chain.add(block)
            if change is not None and change.come:
                gone, come = (*gone, *change.gone), (*come, *change.come)
        host.log("branch published", blocks=len(secret.blocks), followed=bool(come))
        cause = self.begin_block(host, secret.blocks[-1])
        self.follow(host, Change(gone, come), cause)

    @verb(
        "tell-addresses",
        about="Fill the address tables of a node: connect to it and tell it many addresses, "
        "those of its own operator and others where nobody is.",
        values={"of": "e.g. 3"},
        checks={
            "of": within(0, NOWHERE - 1),
            "first": within(0, NOWHERE - 1),
            "many": within(0, TOLD_MOST),
            "nowhere": within(0, TOLD_MOST),
        },
    )
    def fill_tables(self, host: Host, of: int, first: int = 0, many: int = 0, nowhere: int = 1_000) -> None:
        """An eclipse (Heilman 2015): addresses of peers `first` to `first + many`, and of `nowhere` that are unused."""
        if of not in self.connections:
            host.send(of, Version(self.chain.height, "full", False), cause=None)
        now_us = host.now_us
        own = [(peer, now_us) for peer in range(first, first + many)]
        unused = [(NOWHERE + digest(self.me, n) % NOWHERE, now_us) for n in range(nowhere)]
        entries = (*own, *unused)
        for at in range(0, len(entries), ADDR_MOST):
            host.send(of, Addr(entries[at : at + ADDR_MOST]), cause=None)

    # --- what is shown ----------------------------------------------------------------------------------------------

    def shown(self) -> tuple[float | str, ...]:
        inbound = sum(one.inbound for one in self.connections.values())
        tip = self.chain.tip
        mines = "secretly" if self.secret is not None else "openly" if self.mining else "no"
        return short(tip.hash), tip.height, len(self.connections) - inbound, inbound, mines, self.pool.bit_count()

    def beliefs(self) -> Beliefs:
        known = {
            peer: TRIED if entry.in_tried else NEW for peer, entry in self.addresses.entries.items() if peer < NOWHERE
        }
        for peer, one in self.connections.items():
            way = "inbound" if one.inbound else "outbound"
            known[peer] = Belief(one.heard_us, way if one.kind == "full" else f"{way}, {one.kind}", alive=True)
        tried, new = self.addresses.counts
        requested = [f"block {short(h)} of #{lack.asked_of}" for h, lack in self.lacking.items() if lack.asked_of >= 0]
        asked = self.asked.bit_count()
        facts = {
            "chain": f"height {self.chain.height}, tip {short(self.chain.tip.hash)}",
            "last blocks": ", ".join(short(hash_) for hash_ in self.chain.main[-6:]),
            "other blocks": str(len(self.chain.blocks) - len(self.chain.main)),
            "orphans": ", ".join(short(hash_) for hash_ in self.chain.orphans) or "-",
            "addresses": f"{tried} tried, {new} new",
            "unconfirmed": f"{self.pool.bit_count()} transactions",
            "requested": ", ".join([*requested[:5], *([f"{asked} transactions"] if asked else [])]) or "-",
        }
        if self.secret is not None:
            facts["in secret"] = f"{len(self.secret.blocks)} blocks, height {self.secret.tip.height}"
        return Beliefs(known, facts)


class DnsSeed(Peer):
    """A DNS seed: it crawls the network, and tells newcomers some nodes that were up when it looked.

    up     nodes that answered -> when, in us
    known  addresses that it was told, to be looked at
    """

    role = "dns"
    overlay = False
    shares_files = False
    __slots__ = ("known", "up")

    def __init__(self) -> None:
        self.up: dict[PeerId, int] = {}
        self.known: dict[PeerId, None] = {}

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        if isinstance(saved, tuple):
            self.up, self.known = dict(saved[0]), dict(saved[1])
        self.known.update(dict.fromkeys(contacts[max(0, host.options.dns_seeds - 1) :]))
        host.every(CRAWL_US, CrawlNext())

    def saved(self) -> object | None:
        return self.up, self.known

    def joined(self, links: Sequence[PeerId]) -> bool:
        return True

    @on(CrawlNext)
    def crawl(self, host: Host, tick: CrawlNext) -> None:
        """Look at some nodes: those whose addresses it received longest ago, and one that was up."""
        chosen = list(self.known)[:CRAWLED]
        if self.up:
            chosen.append(next(iter(self.up)))
        for peer in dict.fromkeys(chosen):
            self.known.pop(peer, None)
            host.call(peer, Crawl(), timeout_us=CONNECT_TIMEOUT_US, cause=None)

    @on_reply(Crawl)
    def is_up(self, host: Host, sender: PeerId, answer: Addr, context: object) -> None:
        """A node is up, and has named some addresses."""
        self.up.pop(sender, None)
        put_bounded(self.up, sender, host.now_us, CRAWLED_MOST)
        for peer, _ in answer.entries:
            if peer not in self.up and 0 <= peer < NOWHERE:
                put_bounded(self.known, peer, None, CRAWLED_MOST)

    @on_timeout(Crawl)
    def is_down(self, host: Host, to: PeerId, context: object, reason: CallEnd) -> None:
        """Its address is given out no more."""
        self.up.pop(to, None)

    @on(DnsQuery)
    def query(self, host: Host, sender: PeerId, message: DnsQuery) -> None:
        """Answer with some nodes that are up."""
        up = [peer for peer in self.up if peer != sender]
        host.reply(DnsAnswer(tuple(some_of(up, DNS_MOST, host.rng))))

    def beliefs(self) -> Beliefs:
        return Beliefs({peer: Belief(at_us, "node", alive=True) for peer, at_us in self.up.items()})


TRICKLE_IN = TrickleIn()
TRIED, NEW = Belief(what="address (tried)"), Belief(what="address (new)")
CRAWL_US = 10 * SECOND_US
CRAWLED, CRAWLED_MOST = 4, 1_000


def _confirm(blocks: float) -> str:
    return "1 block confirms" if round(blocks) == 1 else f"{round(blocks):,} blocks confirm"


def in_step(host: Host, delay_us: float) -> int:
    """A delay in us, at least `delay_us`, that ends at a whole hundredth of a second of virtual time: so the timers of
    many nodes end at the same instants."""
    later_us = int(delay_us)
    return later_us + -(host.now_us + later_us) % STEP_US


def group_of(host: Host, peer: PeerId) -> int:
    """The network (/16) of an address."""
    return host.address(peer) >> 16


def drawn_us(host: Host, rate: float) -> int:
    """The time in us until the next event of a Poisson process. rate: events a second. At most a year."""
    year_us = 31_557_600 * SECOND_US
    return min(year_us, int(host.rng.expovariate(1.0) / rate * SECOND_US)) if rate > 1e-12 else year_us


# --- a network that has been running ---------------------------------------------------------------------------------


def converge(world: NetworkStart, options: BitcoinOptions, rng: Rng) -> None:
    """Let each node have chosen its outbound connections as `Node.dial` does: at random, one for each /16, to nodes
    that can accept one more."""
    members = world.of(Node)
    era = ERAS[options.era]
    if len(members) < 2:
        return
    ids = [one.id for one in members]
    by_id = {one.id: one for one in members}
    groups = {one.id: group_of(one.host, one.id) for one in members}
    for station in world.of(DnsSeed):
        station.peer.up = dict.fromkeys(rng.sample(ids, min(CRAWLED_MOST, len(ids))), 0)
    most = max(48, min(160, 160_000 // len(ids)))
    for one in members:
        for peer in rng.sample(ids, min(most, len(ids))):
            if peer != one.id:
                # From whom an address was learned is drawn, too.
                source = groups[ids[rng.randrange(len(ids))]]
                one.peer.addresses.add(Address(peer, groups[peer]), source, 0, 0, rng)
    room = {one.id: options.inbound or era.inbound for one in members}
    parts = {peer: peer for peer in ids}

    def part(peer: PeerId) -> PeerId:
        while parts[peer] != peer:
            parts[peer] = parts[parts[peer]]
            peer = parts[peer]
        return peer

    def connect(a: PeerId, b: PeerId, kind: Kind) -> None:
        room[b] -= 1
        ours = by_id[a].peer.connect(by_id[a].host, b, kind, False, 0)
        theirs = by_id[b].peer.connect(by_id[b].host, a, kind, True, 0)
        ours.getaddr_done = theirs.getaddr_done = True
        parts[part(a)] = part(b)
        node = by_id[a].peer
        node.addresses.add(Address(b, groups[b]), groups[b], 0, 0, rng)
        node.addresses.good(b, 0, rng)
        if era.announce == "compact" and kind == "full" and len(node.high) < COMPACT_PEERS:
            node.high.append(b)
            theirs.wants_push = True

    def may(a: PeerId, b: PeerId) -> bool:
        node = by_id[a].peer
        return a != b and room[b] > 0 and b not in node.connections and not by_id[b].line.nat

    wanted: tuple[tuple[Kind, int], ...] = (("full", options.outbound), ("block", era.block_relay))
    for kind, many in wanted:
        for peer in ids:
            used = {one.group for one in by_id[peer].peer.connections.values() if not one.inbound}
            left = many
            for _ in range(many * 6):
                other = ids[rng.randrange(len(ids))]
                if left and groups[other] not in used and may(peer, other):
                    connect(peer, other, kind)
                    used.add(groups[other])
                    left -= 1
    for peer in ids:
        if part(peer) != part(ids[0]):
            found = next((other for other in ids if part(other) == part(ids[0]) and may(peer, other)), None)
            if found is not None:
                connect(peer, found, "full")
