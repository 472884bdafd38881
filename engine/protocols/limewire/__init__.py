"""LimeWire: Gnutella 0.6 with ultrapeers.

Peers with a good line that have been up for long become *ultrapeers*; all others are *leaves*, each of which is
connected to three of them. A leaf tells its ultrapeers which words its files have, as a table of hashes (query
routing), so that it is asked only what it may be able to answer. An ultrapeer that searches for a leaf asks a few other
ultrapeers first and goes on only while results are missing (dynamic querying). On the last hop it asks only those whose
tables match. So the leaves have little to do, and a search takes far fewer messages than a flood of Gnutella 0.4. A
peer that has a result sends it to the asker directly, over UDP (out-of-band), and not the way that the query came.
Where lines have limits, no more queries are sent on a connection whose queue is long (flow control).

Things to try: ask for the same thing as in Gnutella and compare the messages. Look at the columns leaves,
ultrapeer_links and qrp_fill. Kill half of the ultrapeers at once, and see which leaves become ultrapeers. Set
max_ttl=1, and see how far a search still gets.

Sources: The Gnutella protocol 0.6 (Klingberg and Manfredi); "Ultrapeers" (Singla and Rohrs); "Query Routing for the
Gnutella Network" (Rohrs); "Gnutella Dynamic Query Protocol" (Fisk); LimeWire for what these leave open. The handshake,
tables and vendor messages count the bytes that they have on the wire; other messages are those of Gnutella 0.4. Left
out: out-of-band replies by an ultrapeer for a leaf that cannot be called, a second try for a link that was probed.
"""

# It is a servent of Gnutella 0.4 with another handshake, other pings and another way of queries: host cache, the way
# back of hits, Push and downloads are inherited. `connections` has all neighbours of both kinds.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...api import (
    DUPLICATE,
    PUBLISH,
    Ask,
    Belief,
    Beliefs,
    Facts,
    File,
    Host,
    Known,
    Member,
    NetworkStart,
    PeerId,
    Rng,
    Shown,
    Theory,
    Timer,
    on,
)
from ...kit import Uptime, can_be_super_peer, put_bounded, random_links
from .. import gnutella
from ..gnutella import HITS
from ..gnutella.messages import (
    BYTE_MAX,
    TEXT_MAX,
    TTL_MAX,
    WORD_MAX,
    Chunk,
    Connect,
    Full,
    Ok,
    Ping,
    Pong,
    Query,
    QueryHit,
    headed,
)
from ..gnutella.neighbours import (
    DISCOVERY,
    KEEP_ALIVE,
    NEVER_US,
    PINGED,
    PONGS,
    ConnectTimeout,
    KeepAlive,
    Seek,
)
from ..gnutella.transfers import ASKS
from .dynamic_query import PROBE_CONNECTIONS, PROBE_TTL, DynamicQuery, hosts
from .messages import (
    Accept,
    Bye,
    Confirm,
    DirectHit,
    Handshake,
    LimewireOptions,
    Patch,
    Refuse,
    ReplyAck,
    ReplyNumber,
    Reset,
    StatusRequest,
    StatusResponse,
    address_in,
    addresses,
    guid_of,
    possible_count,
    possible_limits,
    well_formed_bye,
)
from .qrp import BITS_MAX, INFINITY, PATCHES_MOST, QrpTable, entries_of, pieces, unpacked

SECOND_US = 1_000_000
FULL_SHARE = 0.9
"""An ultrapeer with this share of its leaf slots taken says that another ultrapeer is needed."""
FEW_SHARE = 0.1
"""An ultrapeer with less than this share of its leaf slots taken is not needed, if that lasts."""
SOUGHT_SHARE = 0.9
"""An ultrapeer looks for this share of its links itself; the others are for those that look for it."""
CALLS_MOST = 8
"""Handshakes that an ultrapeer begins at a time."""
FLAGS, FIREWALLED, LEAF_GUIDED, OUT_OF_BAND = 0x8000, 0x4000, 0x1000, 0x0400
"""Minimum speed field of a query of 0.6: bit 15 says that it has flags, bit 14 that the asker cannot be called, bit 12
that the leaf guides the query, bit 10 that results may come over UDP."""
DIRECT_HOPS = 2
"""Hops of a query from which on results go over UDP: nearer ones have a connection (out-of-band proposal, note 1)."""
OFFERS = 256
"""Results that were offered and not asked for yet, by query."""
SLOWED, UNABLE = "flow control", "holder"
"""Keys of remarks: that a query was dropped by flow control, and that a holder had no way to answer."""
SLOW_WHY = "since too many messages were waiting for the lines (flow control)"
FLOW_CONTROL_SHARE = 4
"""Flow control of a connection begins when a quarter of its queue is full, and ends when it is empty."""
QUERIES = 256
"""Dynamic queries that an ultrapeer runs at a time."""
ACCEPTED = 64
"""Handshakes that wait for their third step."""
BYE_SHUTDOWN, BYE_ROLE, BYE_FULL = 200, 201, 503
"""Codes of a Bye: 2xx for a normal end, 5xx for an error."""
LOAD = 0.75
"""Share of the leaf slots that are taken in a network that has been running for long."""
LEAST_ULTRAPEERS = 4
AGAIN_US, VOLUNTEER_US = 2_000_000, 10_000_000
"""A peer without ultrapeers calls all addresses again after the first time, and becomes one after the second at
most."""
KNOWN = 20
"""Addresses of ultrapeers besides its neighbours in the host cache of each peer of such a network."""


# --- timers and values ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class TablesDue:
    """Time to look whether the routing table has changed."""


@dataclass(slots=True)
class CallAgain:
    """A peer without ultrapeers calls all known addresses again."""


@dataclass(slots=True)
class Volunteer:
    """A peer that found no ultrapeer has waited long enough."""


@dataclass(slots=True)
class GoOn:
    """A dynamic query has waited for results of the last link."""

    guid: bytes


@dataclass(slots=True)
class StatusUnknown:
    """A leaf did not say in time how many results it has."""

    guid: bytes


@dataclass(slots=True)
class Neighbour:
    """A leaf, or another ultrapeer.

    degree, ttl_max  X-Degree and X-Max-TTL
    table            what it can answer, None until it is complete: then it gets every query
    building, parts  the table after the parts of a patch that came so far, and how many these are
    """

    degree: int = 1
    ttl_max: int = 1
    table: QrpTable | None = None
    building: QrpTable | None = None
    parts: int = 0

    def may_have(self, entries: Sequence[int]) -> bool:
        """Whether a query with these entries should go to it."""
        return self.table is None or self.table.has(entries)


@dataclass(slots=True)
class Running:
    """A dynamic query.

    leaf   the leaf that asks, None if the own user does
    left   links that it was not sent on, in order
    timer  the timer `StatusUnknown`, None while the leaf is not asked for its status
    flags  the minimum speed field of the query
    """

    query: DynamicQuery
    text: str
    leaf: PeerId | None
    left: list[PeerId] = field(default_factory=list)
    timer: Timer | None = None
    flags: int = FLAGS | LEAF_GUIDED


class Limewire(gnutella.Servent, name="limewire", options=LimewireOptions):
    """A leaf, or an ultrapeer.

    ultrapeer         whether it is an ultrapeer
    ups               its ultrapeers, or of an ultrapeer its links to others
    leaves            the leaves of an ultrapeer
    accepted          handshakes without the third step: address -> when it was answered, in us
    wanted            links to ultrapeers that it looks for; `near` looks for none itself
    table             the routing table that its neighbours in `ups` have of it
    own, own_files    the table of its library alone, and how many files that had
    stale             whether a leaf has come, gone or changed since `table` was made
    queries           dynamic queries that run here, by GUID
    own_results       results of own queries, by GUID
    offers            results that were offered to askers over UDP, by GUID
    slowed            connections under flow control
    uptime            how long it has been up, now and on average
    again             the timer until all addresses are called again, None for none
    volunteers, last_round  whether it waits to become an ultrapeer, and whether it does after one more round of calls
    unneeded_us       since when it has been an ultrapeer with few leaves
    """

    role = "leaf"
    roles = ("ultrapeer",)
    overlay = False
    shows = (
        Shown("leaves", "leaves of an ultrapeer", "count"),
        Shown("ultrapeer_links", "links to ultrapeers", "count"),
        Shown("qrp_fill", "entries set in its query routing table", "share"),
    )
    link_words = ("leaf", "ultrapeer")
    remark_keys = (SLOWED, UNABLE)
    __slots__ = (
        "accepted",
        "again",
        "last_round",
        "leaves",
        "offers",
        "own",
        "own_files",
        "own_results",
        "queries",
        "slowed",
        "stale",
        "table",
        "ultrapeer",
        "unneeded_us",
        "ups",
        "uptime",
        "volunteers",
        "wanted",
    )

    def __init__(self) -> None:
        super().__init__()
        self.ultrapeer = False
        self.wanted = 0
        self.ups: dict[PeerId, Neighbour] = {}
        self.leaves: dict[PeerId, Neighbour] = {}
        self.accepted: dict[PeerId, int] = {}
        self.table = self.own = QrpTable()
        self.own_files = 0
        self.stale = False
        self.queries: dict[bytes, Running] = {}
        self.own_results: dict[bytes, int] = {}
        self.offers: dict[bytes, tuple[File, ...]] = {}
        self.slowed: dict[PeerId, None] = {}
        self.uptime = Uptime()
        self.unneeded_us = 0
        self.again: Timer | None = None
        self.volunteers = self.last_round = False

    # --- what the engine and the screen ask of the class ----------------------------------------------------------

    @classmethod
    def horizon(cls, options: Any) -> int:
        """A hop to the ultrapeer, those among ultrapeers, and one to a leaf."""
        return int(options.max_ttl) + 2

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: Any) -> Sequence[Theory]:
        """How many ultrapeers a query may come to (Fisk), and how many of these on the last hop."""
        if facts["goal"] == PUBLISH.name:
            return ()
        degree, ttl = options.ultrapeer_links, options.max_ttl
        far = hosts(degree, ttl)
        return (
            Theory("horizon", far * degree, f"ultrapeers in {degree} trees of degree {degree}, TTL {ttl}"),
            Theory(
                "last hop", (degree - 1) ** (ttl - 1) / far, f"(d - 1)^{ttl - 1} of sum (d - 1)^i: where tables match"
            ),
        )

    @classmethod
    def verdict(cls, facts: Facts, options: LimewireOptions) -> str | None:
        """Says why a search had no answer: the peer had no ultrapeer, or flow control, two ends that cannot be called,
        the tables or the horizon prevented one. For a publication, a success and a trouble of the asker: None."""
        if facts.hits or facts.trouble or facts.goal == PUBLISH.name:
            return None
        if not facts.reached:
            if facts.losses:
                return None
            if SLOWED in facts.remarks:
                return f"No answer: nobody else was asked, {SLOW_WHY}."
            return "No answer: the asker had no link to an ultrapeer, so nobody else was asked."
        if facts.holders.living:
            asked = f"No answer: {facts.reached} peer{' was' if facts.reached == 1 else 's were'} asked"
            if UNABLE in facts.remarks:
                return f"{asked}. One has it, but neither it nor the asker accepts connections, so it did not answer."
            if SLOWED in facts.remarks:
                return f"{asked}. The query was dropped on a part of its way, {SLOW_WHY}."
            return (
                f"{asked}, and the query did not come to any that has it: it stops when there are no more links, and "
                "on the last hop it goes only where a routing table matches."
            )
        return None

    @classmethod
    def converge(cls, world: NetworkStart, options: LimewireOptions, rng: Rng) -> None:
        """Ultrapeers are elected among the peers that can be one (`able`), and all have their links, tables and
        addresses."""
        members = world.of(cls)
        if not options.converged or not members:
            return
        able = [one for one in members if one.peer.able(one.host)] or list(members)
        slots = options.max_leaves * LOAD
        count = -(-len(members) * options.leaf_links // (int(slots) + options.leaf_links))
        chosen = sorted(rng.sample(range(len(able)), min(len(able), max(count, LEAST_ULTRAPEERS))))
        ultrapeers = [able[at] for at in chosen]
        known = dict.fromkeys(one.id for one in ultrapeers)
        for one in members:
            one.peer.own_files = len(one.library)
            one.peer.own = one.peer.table = QrpTable.of((file.name for file in one.library.files()), options.table_bits)
            if one.id in known:
                one.peer.ultrapeer = True
                one.host.set_role("ultrapeer")
        free = {one.id: options.max_leaves for one in ultrapeers}
        for one in members:
            if one.id not in known:
                fits = rng.sample(ultrapeers, min(2 * options.leaf_links, len(ultrapeers)))
                for up in [each for each in fits if free[each.id]][: options.leaf_links]:
                    free[up.id] -= 1
                    cls.join(one, up, options, leaf=True)
        for one in ultrapeers:
            one.peer.table = one.peer.table_now()
        for a, b in random_links(len(ultrapeers), max(1, round(options.ultrapeer_links * SOUGHT_SHARE)), rng):
            cls.join(ultrapeers[a], ultrapeers[b], options, leaf=False)
        for one in members:
            peer = one.peer
            peer.wanted = peer.sought(options)
            peer.near.cache.addresses.clear()
            for up in rng.sample(ultrapeers, min(KNOWN, len(ultrapeers))):
                peer.near.remember(one.host, up.id, NEVER_US)
            for address in peer.ups:
                peer.near.remember(one.host, address, 0)

    @staticmethod
    def join(a: Member, b: Member, options: LimewireOptions, *, leaf: bool) -> None:
        """Make two members neighbours from the beginning; `leaf`: a is a leaf of b."""
        for one, other, table in ((a, b, b.peer.table), (b, a, a.peer.table)):
            neighbour = Neighbour(options.ultrapeer_links, options.max_ttl, table)
            (one.peer.leaves if leaf and one is b else one.peer.ups)[other.id] = neighbour
            one.peer.connections[other.id] = 0
            one.host.link(other.id)
            one.host.mark(other.id, "leaf" if leaf and one is b else "ultrapeer")

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        kept = saved if isinstance(saved, dict) else {}
        # `near` looks for no neighbours: that would use the handshake of 0.4.
        self.begin(host, contacts, kept.get("hosts", ()), wanted=0)
        self.wanted = self.sought(host.options)
        self.table = self.own = QrpTable(host.options.table_bits)
        self.uptime = Uptime.begun(host, kept.get("uptime"))
        host.every_s(host.options.tables_s, TablesDue())

    def sought(self, options: LimewireOptions) -> int:
        """Links to ultrapeers that it looks for."""
        return max(1, round(options.ultrapeer_links * SOUGHT_SHARE)) if self.ultrapeer else options.leaf_links

    def stop(self, host: Host) -> None:
        host.multicast(list(self.connections), Bye(BYE_SHUTDOWN, "shutting down"))

    def saved(self) -> object | None:
        return {"hosts": tuple(self.near.cache), "uptime": self.uptime.kept()}

    def joined(self, links: Sequence[PeerId]) -> bool:
        return bool(self.connections)

    # --- leaf or ultrapeer ("Ultrapeer election") -----------------------------------------------------------------

    def able(self, host: Host) -> bool:
        """Whether it can be an ultrapeer."""
        now_min, average_min = host.options.uptime_min, host.options.average_min
        return not self.firewalled and can_be_super_peer(host, self.uptime, self.speed, now_min, average_min)

    def become(self, host: Host, *, ultrapeer: bool) -> None:
        """Change the role. All connections are closed, since they were made for the role so far."""
        self.ultrapeer = ultrapeer
        self.wanted = self.sought(host.options)
        self.unneeded_us = host.now_us
        self.accepted.clear()
        self.queries.clear()
        self.last_round = False
        for other in list(self.connections):
            self.say_bye(host, other, BYE_ROLE, f"now {'an ultrapeer' if ultrapeer else 'a leaf'}")
        host.set_role("ultrapeer" if ultrapeer else "leaf")
        host.log("promoted" if ultrapeer else "demoted")
        self.look_at_files(host)
        self.table, self.stale = self.own, False

    def needed(self, host: Host) -> bool:
        """X-Ultrapeer-Needed: whether its leaf slots are nearly full."""
        most: int = host.options.max_leaves
        return len(self.leaves) + len(self.accepted) >= most * FULL_SHARE

    def say_bye(self, host: Host, other: PeerId, code: int, why: str) -> None:
        """Close a connection, and look for no other neighbour."""
        host.send(other, Bye(code, why), cause=None)
        self.forget_neighbour(other)
        host.unlink(other)

    def forget_neighbour(self, other: PeerId) -> bool:
        """Forget a connection. Returns whether it was one to an ultrapeer."""
        self.connections.pop(other, None)
        self.slowed.pop(other, None)
        if self.leaves.pop(other, None) is not None:
            self.stale = True
        return self.ups.pop(other, None) is not None

    # --- handshake ------------------------------------------------------------------------------------------------

    def look_for_links(self, host: Host) -> None:
        """Call addresses from the host cache, as many as links to ultrapeers are missing."""
        missing = self.wanted - len(self.ups) - len(self.near.calling)
        if missing <= 0 or len(self.near.calling) >= CALLS_MOST:
            return
        busy = (self.connections, self.near.calling, self.near.declined)
        unconnected = [address for address in self.near.cache if not any(address in each for each in busy)]
        if not unconnected:
            self.no_ultrapeer_found(host)
            return
        options = host.options
        ultrapeer = self.ultrapeer or (not self.ups and self.able(host))
        hello = Handshake(ultrapeer, options.ultrapeer_links, options.max_ttl)
        count = min(missing, CALLS_MOST - len(self.near.calling), len(unconnected))
        # A leaf without ultrapeers begins with the latest addresses: a new ultrapeer may just have called.
        for address in host.rng.sample(unconnected, count) if self.ultrapeer or self.ups else unconnected[-count:]:
            wait_us = int(options.connect_timeout_s * SECOND_US)
            self.near.calling[address] = host.after(wait_us, ConnectTimeout(address), cause=None)
            host.send(address, hello)

    def no_ultrapeer_found(self, host: Host) -> None:
        """All addresses were called, and no ultrapeer was found: call them again later. A peer that could be an
        ultrapeer also waits for a random time, after which it calls once more and then becomes one. Few of these waits
        end early (they are the largest of four uniform draws), so that the other peers find the first ultrapeers."""
        if self.ultrapeer or self.ups or self.near.calling:
            return
        if self.last_round and self.able(host):
            self.become(host, ultrapeer=True)
            self.look_for_links(host)
            return
        if self.again is None:
            self.again = host.after(AGAIN_US, CallAgain(), cause=None)
        if not self.volunteers and self.able(host):
            self.volunteers = True
            share = max(host.rng.random() for _ in range(4))
            host.after(int(VOLUNTEER_US * share), Volunteer(), cause=None)

    @on(Volunteer)
    def volunteer(self, host: Host, tick: Volunteer) -> None:
        self.volunteers = False
        if not self.ultrapeer and not self.ups:
            self.last_round = True
            # Only bootstrap peers are called: new ultrapeers call them too, so they know those.
            self.near.declined.update(dict.fromkeys(self.near.cache))
            self.call_again(host, self.near.bootstrap)

    @on(CallAgain)
    def called_again(self, host: Host, tick: CallAgain) -> None:
        self.again = None
        if not self.ultrapeer and not self.ups:
            self.call_again(host, tuple(self.near.cache) or self.near.bootstrap)

    def call_again(self, host: Host, those: Sequence[PeerId]) -> None:
        """Call these addresses, also those that had no room."""
        for address in those:
            self.near.declined.pop(address, None)
            if address not in self.near.cache:
                self.near.remember(host, address, NEVER_US)
        self.look_for_links(host)

    @on(Handshake)
    def handshake(self, host: Host, sender: PeerId, message: Handshake) -> None:
        if self.firewalled and sender not in self.near.calling:
            return
        if not possible_limits(message.degree, message.ttl_max):
            host.log("nonsense")
            return
        options = host.options
        if message.ultrapeer and not self.ultrapeer and not self.ups:
            self.near.remember(host, sender, NEVER_US)
        if sender in self.connections:
            self.forget_neighbour(sender)
            host.unlink(sender)
        others = self.ultrapeers_for(host, sender)
        waiting = len(self.accepted)
        leaf_slots = self.ultrapeer and len(self.leaves) + waiting < options.max_leaves
        link_slots = self.ultrapeer and len(self.ups) + waiting < options.ultrapeer_links
        if not (leaf_slots or (message.ultrapeer and link_slots)):
            host.send(sender, Refuse(not self.ultrapeer or self.needed(host), others))
            return
        # Without room for another link, the caller is not needed as an ultrapeer; without room for a leaf, it is.
        needed = link_slots and (self.needed(host) or not leaf_slots)
        put_bounded(self.accepted, sender, host.now_us, ACCEPTED)
        host.send(sender, Accept(needed, options.ultrapeer_links, options.max_ttl, others))

    def ultrapeers_for(self, host: Host, stranger: PeerId) -> tuple[PeerId, ...]:
        """Addresses for X-Try-Ultrapeers."""
        return tuple(self.near.recently_heard(host, stranger)[-PONGS:])

    def learn(self, host: Host, others: tuple[PeerId, ...]) -> None:
        """Remember what X-Try-Ultrapeers named."""
        for address in addresses(others):
            self.near.remember(host, address, NEVER_US)

    @on(Accept)
    def accept(self, host: Host, sender: PeerId, message: Accept) -> None:
        if not possible_limits(message.degree, message.ttl_max):
            host.log("nonsense")
            return
        # If this peer does not answer with the third step there is no connection: the other end forgets it after a
        # while.
        if not self.near.stop_waiting(host, sender):
            return
        self.learn(host, message.others)
        if self.ultrapeer and not message.needed and not self.leaves and not self.accepted:
            self.become(host, ultrapeer=False)
        elif not self.ultrapeer and message.needed and not self.ups and self.able(host):
            self.become(host, ultrapeer=True)
        if len(self.ups) < self.wanted:
            host.send(sender, Confirm(self.ultrapeer))
            self.connected(host, sender, Neighbour(message.degree, message.ttl_max), leaf=False)
            host.send(sender, Ping(host.rng.bytes(16), DISCOVERY, 0))
        self.look_for_links(host)

    @on(Confirm)
    def confirm(self, host: Host, sender: PeerId, message: Confirm) -> None:
        answered = self.accepted.pop(sender, None)
        options = host.options
        taken, room = (self.ups, options.ultrapeer_links) if message.ultrapeer else (self.leaves, options.max_leaves)
        if answered is None or not self.ultrapeer or len(taken) - (sender in taken) >= room:
            self.say_bye(host, sender, BYE_FULL, "no room")
            return
        self.connected(host, sender, Neighbour(options.ultrapeer_links, options.max_ttl), leaf=not message.ultrapeer)

    @on(Refuse)
    def refuse(self, host: Host, sender: PeerId, message: Refuse) -> None:
        if not self.near.stop_waiting(host, sender):
            return
        self.near.declined[sender] = None
        self.learn(host, message.others)
        self.look_for_links(host)

    @on(Connect)
    def connect(self, host: Host, sender: PeerId, message: Connect) -> None:
        """Refuse a servent of 0.4, which knows no query routing."""
        if not self.firewalled:
            host.send(sender, Full())

    @on(Ok)
    def ok(self, host: Host, sender: PeerId, message: Ok) -> None:
        """Ignored: this peer calls nobody by the handshake of 0.4."""

    @on(Full)
    def full(self, host: Host, sender: PeerId, message: Full) -> None:
        """Ignored: this peer calls nobody by the handshake of 0.4."""

    def connected(self, host: Host, other: PeerId, neighbour: Neighbour, *, leaf: bool) -> None:
        """A handshake is complete: add a neighbour, and send it the routing table unless it is a leaf."""
        self.near.stop_waiting(host, other)
        self.forget_neighbour(other)
        self.connections[other] = host.now_us
        host.link(other)
        host.mark(other, "leaf" if leaf else "ultrapeer")
        if leaf:
            self.leaves[other] = neighbour
            return
        self.ups[other] = neighbour
        self.last_round = False
        self.near.remember(host, other, host.now_us)
        self.look_at_files(host)
        if len(self.ups) == 1:
            # No neighbour has an older table.
            self.table, self.stale = self.table_now(), False
        host.send(other, Reset(1 << host.options.table_bits), cause=None)
        self.send_patch(host, [other], self.table.entries())

    @on(Seek)
    def seek(self, host: Host, tick: Seek) -> None:
        self.look_for_links(host)

    @on(ConnectTimeout)
    def unanswered(self, host: Host, tick: ConnectTimeout) -> None:
        if self.near.stop_waiting(host, tick.to):
            self.near.cache.forget(tick.to)
            self.look_for_links(host)

    def closed(self, host: Host, peer: PeerId) -> None:
        self.lose(host, peer)

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        self.near.cache.forget(to)
        if self.near.stop_waiting(host, to):
            self.look_for_links(host)
        self.lose(host, to)
        self.downloads.refused(host, to, message)

    def lose(self, host: Host, other: PeerId) -> None:
        if self.forget_neighbour(other):
            self.look_for_links(host)

    @on(Bye)
    def bye(self, host: Host, sender: PeerId, message: Bye) -> None:
        if sender not in self.connections:
            return
        if not well_formed_bye(message):
            host.log("nonsense")
            return
        self.near.cache.forget(sender)
        self.lose(host, sender)
        host.unlink(sender)

    # --- who is alive (Ping, Pong; "Pong caching") ----------------------------------------------------------------

    @on(KeepAlive)
    def keep_alive(self, host: Host, tick: KeepAlive) -> None:
        super().keep_alive(host, tick)
        for other in [one for one in (*self.ups, *self.leaves) if one not in self.connections]:
            self.forget_neighbour(other)
        self.uptime.look(host.now_us)
        old_us = host.now_us - int(host.options.connect_timeout_s * SECOND_US)
        for other in [one for one, at_us in self.accepted.items() if at_us < old_us]:
            del self.accepted[other]
        options = host.options
        if not self.ultrapeer or len(self.leaves) >= options.max_leaves * FEW_SHARE:
            self.unneeded_us = host.now_us
        elif host.now_us - self.unneeded_us >= options.demotion_s * SECOND_US and len(self.ups) >= options.leaf_links:
            self.become(host, ultrapeer=False)
        self.look_for_links(host)

    @on(Ping)
    def ping(self, host: Host, sender: PeerId, message: Ping) -> Known:
        """Answer with the own pong, and for a discovery ping with cached ones; pings are not passed on."""
        if sender not in self.connections:
            return None
        if not headed(message):
            host.log("nonsense")
            return None
        if message.guid in self.near.pinged:
            return DUPLICATE
        put_bounded(self.near.pinged, message.guid, None, PINGED)
        shared = host.library.files()
        back = min(message.hops + 1, TTL_MAX)
        kilobytes = sum(file.size for file in shared) // 1024
        host.send(sender, Pong(message.guid, back, 0, host.me, len(shared), kilobytes))
        if message.ttl > KEEP_ALIVE:
            for address in self.ultrapeers_for(host, sender):
                host.send(sender, Pong(message.guid, back, 1, address, *self.near.shares.get(address, (0, 0))))
        return None

    @on(Pong)
    def pong(self, host: Host, sender: PeerId, message: Pong) -> None:
        """Remember the address of a pong. A cached pong is that of an ultrapeer."""
        if sender not in self.connections:
            return
        m = message
        if not (headed(m) and all(0 <= each <= WORD_MAX for each in (m.address, m.files, m.kilobytes))):
            host.log("nonsense")
            return
        if m.hops == 0 and m.address == sender:
            self.connections[sender] = host.now_us
            if sender in self.ups:
                self.near.remember(host, sender, host.now_us)
                put_bounded(self.near.shares, sender, (m.files, m.kilobytes), host.options.host_cache)
        else:
            self.near.remember(host, m.address, NEVER_US)

    # --- query routing --------------------------------------------------------------------------------------------

    def look_at_files(self, host: Host) -> None:
        """Make the table of the library anew if it has other files."""
        if len(host.library) != self.own_files:
            self.own_files = len(host.library)
            self.own = QrpTable.of((file.name for file in host.library.files()), host.options.table_bits)
            self.stale = True

    def table_now(self) -> QrpTable:
        """The table of its library, and of those of its leaves."""
        return self.own.union(each.table for each in self.leaves.values() if each.table is not None)

    def update_table(self, host: Host) -> None:
        """Send the ultrapeers what has changed in the table: a leaf's own, or the union with those of its leaves."""
        self.look_at_files(host)
        if not self.stale:
            return
        self.stale = False
        before, self.table = self.table, self.table_now()
        changed = self.table.differences(before)
        if changed:
            self.send_patch(host, list(self.ups), changed)

    def send_patch(self, host: Host, to: list[PeerId], changed: Sequence[int]) -> None:
        bits = host.options.table_bits
        parts = pieces(changed, bits)
        for number, part in enumerate(parts, 1):
            host.multicast(to, Patch(number, len(parts), bits, part), cause=None)

    @on(TablesDue)
    def tables_due(self, host: Host, tick: TablesDue) -> None:
        self.update_table(host)

    @on(Reset)
    def reset(self, host: Host, sender: PeerId, message: Reset) -> None:
        neighbour = self.leaves.get(sender) or self.ups.get(sender)
        if neighbour is None:
            return
        bits = message.entries.bit_length() - 1
        if not (1 <= bits <= BITS_MAX and message.entries == 1 << bits and message.infinity == INFINITY):
            host.log("nonsense")
            return
        neighbour.table, neighbour.building, neighbour.parts = None, QrpTable(bits), 0

    @on(Patch)
    def patch(self, host: Host, sender: PeerId, message: Patch) -> None:
        """A part of a patch. The table changes when the last one has come."""
        neighbour = self.leaves.get(sender) or self.ups.get(sender)
        if neighbour is None:
            return
        begun = neighbour.building if neighbour.parts or neighbour.table is None else neighbour.table
        entries = unpacked(message.changed) if len(message.changed) <= 2 << BITS_MAX else []
        if begun is None or message.bits != begun.bits or not (
            1 <= message.number == neighbour.parts + 1 <= message.of <= PATCHES_MOST
            and len(message.changed) == 2 * len(entries)
            and all(entry >> begun.bits == 0 for entry in entries)
        ):  # fmt: skip
            # A table with a part missing would be wrong for ever. The neighbour gets every query until its next Reset.
            host.log("nonsense")
            neighbour.table = neighbour.building = None
            neighbour.parts = 0
            return
        neighbour.building, neighbour.parts = begun.changed(entries), message.number
        if message.number == message.of:
            neighbour.table, neighbour.building, neighbour.parts = neighbour.building, None, 0
            if sender in self.leaves:
                self.stale = True

    # --- search ---------------------------------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        if ask.goal == PUBLISH.name:
            if not self.ultrapeer:
                self.update_table(host)
            return
        flags, number, text = FLAGS | LEAF_GUIDED, host.rng.bytes(16), ask.text[:TEXT_MAX]
        if self.firewalled:
            flags |= FIREWALLED
        elif host.options.out_of_band:
            flags |= OUT_OF_BAND
            number = guid_of(host.me, number[4:])
        put_bounded(self.downloads.mine, number, "", ASKS)
        put_bounded(self.own_results, number, 0, ASKS)
        self.remember_query(host, number, host.me)
        if self.ultrapeer:
            entries = entries_of(text, host.options.table_bits)
            self.to_leaves(host, Query(number, 1, 0, flags, text), entries, host.me)
            self.begin_query(host, number, text, entries, None, flags)
        else:
            # Its ultrapeers choose the TTL.
            host.multicast(list(self.ups), Query(number, 1, 0, flags, text))

    @on(Query)
    def query(self, host: Host, sender: PeerId, message: Query) -> Known:
        number = message.guid
        if number is self.latest or number in self.seen or number in self.seen_before:
            return DUPLICATE
        if not self.accepts(host, sender, message):
            return None
        text = message.text
        if host.line.up_kbit_s and self.slow(host, sender):
            # The answers would have to wait.
            host.remark(SLOWED, "dropped")
            return None
        self.remember_query(host, number, sender)
        hops = message.hops + 1
        found = host.library.matching(text)
        if found and self.firewalled and message.speed & FLAGS and message.speed & FIREWALLED:
            host.remark(UNABLE, "cannot be called")
        elif found:
            self.offer(host, sender, message, found, hops)
        if not self.ultrapeer:
            return None
        entries = entries_of(text, host.options.table_bits)
        self.to_leaves(host, Query(number, 1, hops, message.speed, text), entries, sender)
        if sender in self.leaves:
            self.begin_query(host, number, text, entries, sender, message.speed)
            running = self.queries[number]
            running.query.results += len(found)
            return None
        ttl = min(message.ttl - 1, TTL_MAX - hops)
        if ttl > 0:
            onward = Query(number, ttl, hops, message.speed, text)
            host.multicast(self.not_full(host, self.next_hop(entries, ttl, sender), hops), onward)
        return None

    # --- flow control (0.6, "Flow control") -------------------------------------------------------------------------

    def slow(self, host: Host, other: PeerId) -> bool:
        """Whether the queue of a connection was full to a quarter and has not been empty since: then queries that come
        from it are dropped, since the answers would have to wait in this queue."""
        waiting = host.queued(other)
        if waiting * FLOW_CONTROL_SHARE > host.options.queue_kb * 1024:
            if other not in self.slowed:
                host.log("flow control", peer=other)
            self.slowed[other] = None
        elif not waiting:
            self.slowed.pop(other, None)
        return other in self.slowed

    def not_full(self, host: Host, those: list[PeerId], hops: int) -> list[PeerId]:
        """The neighbours whose queues have room for a query that has travelled `hops`: with each hop, a queue has to be
        half as long."""
        if not host.line.up_kbit_s:
            return those
        room = host.options.queue_kb * 1024 >> hops
        free = [one for one in those if host.queued(one) <= room]
        if len(free) < len(those):
            host.remark(SLOWED, "dropped")
        return free

    # --- out-of-band replies ----------------------------------------------------------------------------------------

    def offer(self, host: Host, sender: PeerId, query: Query, found: Sequence[File], hops: int) -> None:
        """Tell the asker over UDP how many results there are, if both can be called; else send the results back the way
        that the query came."""
        wanted = query.speed & FLAGS and query.speed & OUT_OF_BAND and host.options.out_of_band
        if not wanted or self.firewalled or hops < DIRECT_HOPS:
            self.answer(host, sender, query.guid, found, hops)
            return
        put_bounded(self.offers, query.guid, tuple(found), OFFERS)
        host.send(address_in(query.guid), ReplyNumber(query.guid, min(len(found), BYTE_MAX)))

    @on(ReplyNumber)
    def reply_number(self, host: Host, sender: PeerId, message: ReplyNumber) -> None:
        got = self.own_results.get(message.guid)
        if got is not None and possible_count(message.results) and got < host.options.results:
            host.send(sender, ReplyAck(message.guid, message.results))

    @on(ReplyAck)
    def reply_ack(self, host: Host, sender: PeerId, message: ReplyAck) -> None:
        found = self.offers.pop(message.guid, None)
        if found is None or not possible_count(message.results) or address_in(message.guid) != sender:
            return
        some = found if message.results == BYTE_MAX else found[: message.results]
        for at in range(0, len(some), HITS):
            part = some[at : at + HITS]
            host.send(sender, DirectHit(message.guid, 1, 0, host.me, self.speed, False, part, self.id))

    @on(DirectHit)
    def direct_hit(self, host: Host, sender: PeerId, message: DirectHit) -> None:
        """Results that came over UDP, for an own query."""
        m = message
        if m.guid not in self.own_results or m.guid not in self.downloads.mine:
            return
        if not (headed(m) and m.address == sender and 0 <= m.speed <= WORD_MAX and 0 < len(m.results) <= BYTE_MAX):
            host.log("nonsense")
            return
        self.count_results(m.guid, len(m.results))
        self.downloads.found(host, m)

    def next_hop(self, entries: Sequence[int], ttl: int, sender: PeerId) -> list[PeerId]:
        """The ultrapeers that a query with this TTL is passed on to: on the last hop those whose tables match."""
        if ttl > 1:
            return [one for one in self.ups if one != sender]
        return [one for one, each in self.ups.items() if one != sender and each.may_have(entries)]

    def to_leaves(self, host: Host, query: Query, entries: Sequence[int], sender: PeerId) -> None:
        """Pass a query on to the leaves whose tables match, whatever its TTL."""
        host.multicast([one for one, each in self.leaves.items() if one != sender and each.may_have(entries)], query)

    @on(QueryHit)
    def query_hit(self, host: Host, sender: PeerId, message: QueryHit) -> None:
        if sender in self.connections:
            self.count_results(message.guid, len(message.results))
        super().query_hit(host, sender, message)

    def count_results(self, guid: bytes, results: int) -> None:
        """Count results of a dynamic query that runs here, or of an own query."""
        running = self.queries.get(guid)
        if running is not None:
            running.query.results += results
        if guid in self.own_results:
            self.own_results[guid] += results

    # --- dynamic queries ------------------------------------------------------------------------------------------

    def begin_query(
        self, host: Host, guid: bytes, text: str, entries: Sequence[int], leaf: PeerId | None, flags: int
    ) -> None:
        """Send a dynamic query on three links: with TTL 1 if three tables match, since the file is then popular; else
        with TTL 2."""
        options = host.options
        ups = list(self.ups)
        host.rng.shuffle(ups)
        wanted = options.results if leaf is None else options.results_of_leaf
        query = DynamicQuery(wanted, len(ups), wait_a_hop_us=int(options.wait_ms * 1000))
        running = Running(query, text, leaf, ups, flags=flags)
        put_bounded(self.queries, guid, running, QUERIES)
        matching = [one for one in ups if self.ups[one].table is not None and self.ups[one].may_have(entries)]
        popular = len(matching) >= PROBE_CONNECTIONS
        ttl = min(1 if popular else PROBE_TTL, options.max_ttl)
        for one in (matching if popular else ups)[:PROBE_CONNECTIONS]:
            self.send_on(host, guid, running, one, ttl)
        host.after(running.query.wait_us(ttl), GoOn(guid))

    def send_on(self, host: Host, guid: bytes, running: Running, to: PeerId, ttl: int) -> None:
        running.left.remove(to)
        running.query.sent(self.ups[to].degree, ttl)
        hops = 0 if running.leaf is None else 1
        for one in self.not_full(host, [to], hops):
            host.send(one, Query(guid, ttl, hops, running.flags, running.text))

    @on(GoOn)
    def go_on(self, host: Host, tick: GoOn) -> None:
        running = self.queries.get(tick.guid)
        if running is None:
            return
        if running.leaf is None or running.query.finished():
            self.next_link(host, tick.guid, running)
        elif running.leaf in self.leaves:
            # Leaf guidance: it may have results of its other ultrapeers.
            host.send(running.leaf, StatusRequest(tick.guid))
            running.timer = host.after_s(host.options.connect_timeout_s, StatusUnknown(tick.guid))
        else:
            del self.queries[tick.guid]

    def next_link(self, host: Host, guid: bytes, running: Running) -> None:
        """Send a dynamic query on one more link, unless it is finished."""
        running.left = [one for one in running.left if one in self.ups]
        running.query.left = len(running.left)
        if running.query.finished():
            del self.queries[guid]
            return
        to = running.left[0]
        neighbour = self.ups[to]
        ttl = running.query.next_ttl(neighbour.degree, min(neighbour.ttl_max, host.options.max_ttl))
        self.send_on(host, guid, running, to, ttl)
        host.after(running.query.wait_us(ttl), GoOn(guid))

    @on(StatusRequest)
    def status_request(self, host: Host, sender: PeerId, message: StatusRequest) -> None:
        results = self.own_results.get(message.guid)
        if sender in self.ups and results is not None:
            host.send(sender, StatusResponse(message.guid, results))

    @on(StatusResponse)
    def status_response(self, host: Host, sender: PeerId, message: StatusResponse) -> None:
        running = self.queries.get(message.guid)
        if running is None or running.leaf != sender or running.timer is None:
            return
        host.cancel(running.timer)
        running.timer = None
        if 0 <= message.results <= WORD_MAX:
            running.query.results = message.results
        self.next_link(host, message.guid, running)

    @on(StatusUnknown)
    def status_unknown(self, host: Host, tick: StatusUnknown) -> None:
        running = self.queries.get(tick.guid)
        if running is not None and running.timer is not None:
            running.timer = None
            self.next_link(host, tick.guid, running)

    # --- fetching -------------------------------------------------------------------------------------------------

    @on(Chunk)
    def chunk(self, host: Host, sender: PeerId, message: Chunk) -> None:
        super().chunk(host, sender, message)
        if not self.ultrapeer and len(host.library) != self.own_files:
            self.update_table(host)

    # --- inspection -----------------------------------------------------------------------------------------------

    def shown(self) -> tuple[float | str, ...]:
        return len(self.leaves), len(self.ups), self.table.fill

    def beliefs(self) -> Beliefs:
        found = super().beliefs()
        facts = {
            "ultrapeers": f"{len(self.ups)} of {self.wanted} wanted",
            "routing table": f"{self.table.count} of {1 << self.table.bits} entries",
            "average uptime": f"{self.uptime.average_s / 3600:.1f} h",
        }
        if self.ultrapeer:
            facts["leaves"] = str(len(self.leaves))
            facts["dynamic queries"] = str(len(self.queries))
        return Beliefs(self.known_peers(), {**facts, **{k: v for k, v in found.facts.items() if k != "neighbours"}})

    def known_peers(self) -> dict[PeerId, Belief]:
        """The peers it knows, with the relation to each."""
        known = self.near.beliefs()
        known.update((one, Belief(self.connections.get(one), "leaf", True)) for one in self.leaves)
        for one in self.ups:
            known[one].what = "ultrapeer"
        return known
