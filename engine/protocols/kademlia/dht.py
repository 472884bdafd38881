"""The hash table as a component of a peer: `Dht`.

    class Downloader(Peer, name="bittorrent"):
        dht: Dht = component(Dht)

        def ask(self, host, ask):
            self.dht.find(host, key_of(ask.text), context=ask.text)

        @on(Found)
        def found(self, host, found): ...

An owner calls `find`, `publish` and `announce`, and gets `Found`, `Ended`, `Published` and `Joined` in its `@on`
handlers, with the cause of the ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ...api import (
    Belief,
    Beliefs,
    Cause,
    Component,
    Host,
    NetworkStart,
    PeerId,
    Rng,
    Shown,
    on,
    on_reply,
    on_timeout,
    option,
)
from ...kit import ID_BITS, ID_END, converged_buckets, is_id, nearest
from .lookup import ANSWERED, Lookup, Purpose
from .messages import BadToken, FindNode, FindValue, Nodes, Ping, Pong, Store, Stored, Values
from .records import Record, Records, copy_ttl_us, good_token, token
from .table import Bucket, Contact, RoutingTable

TEND_US = 60_000_000
"""How often a node looks for what is due: refresh, republishing, expiry, a new attempt to join."""
RETRY_US = 5_000_000
"""Mean pause before a node that found nobody tries to join again; 0.5 to 1.5 times this, drawn."""
ASKED_MOST = 30
"""Most requests of one lookup, as a multiple of k: so a lookup ends even if nodes name further ones without end."""
BOOT_MOST = 100
"""Addresses that a node keeps to join the network."""
NEVER_US = 1 << 62
AGES = 3_600
"""Different times at which contacts were last heard of at the start."""
NO_NODE = Contact(-1, -1)

BEP5: dict[str, Any] = {
    "k": 8,
    "refresh_s": 900.0,
    "stale_after": 2,
    "expire_s": 1_800.0,
    "republish_s": 0.0,
    "publish_s": 900.0,
    "cache": False,
    "tokens": True,
}
"""Options of BitTorrent's table: those of BEP 5, and of libtorrent for how often a peer announces itself."""


@dataclass(slots=True)
class DhtOptions:
    """The paper's values. Those of BitTorrent are in `BEP5`."""

    k: int = option(20, "contacts in a bucket, and nodes that a lookup asks", low=1, high=100, unit="nodes")
    keepers: int = option(0, "nodes that keep a record; 0: k of them", low=0, high=100, unit="nodes")
    alpha: int = option(3, "requests of one lookup that are under way at once", low=1, high=20, unit="requests")
    lookup: Literal["in flight", "rounds"] = option(
        "in flight", "whether a lookup asks the next node when one has answered, or the next alpha when all have"
    )
    refresh_s: float = option(3_600.0, "look into a bucket that was not looked into for so long", low=10, high=1e6)
    silent_s: float = option(
        900.0, "ping the oldest contact of a full bucket if it was silent for so long, in s", low=0, high=1e6
    )
    timeout_s: float = option(2.0, "how long an answer may take", low=0.1, high=600)
    stale_after: int = option(
        5, "calls in a row without an answer that make a contact stale", low=1, high=20, unit="calls"
    )
    expire_s: float = option(86_400.0, "how long a record lives", low=10, high=1e7)
    republish_s: float = option(
        3_600.0, "how often a keeper stores its records on the k nearest again; 0: never", low=0, high=1e7
    )
    publish_s: float = option(86_400.0, "how often a holder publishes again; 0: once and for all", low=0, high=1e7)
    cache: bool = option(True, "whether a value found is copied to the nearest node asked that did not have it")
    tokens: bool = option(False, "whether a node stores only for those that show the token it gave them (BEP 5)")
    keys_most: int = option(1_000, "keys for which a node keeps records", low=1, high=1_000_000, unit="keys")
    values_most: int = option(100, "values of one key, kept and sent", low=1, high=1_000, unit="values")


def keepers_in(options: DhtOptions) -> int:
    """How many nodes keep a record: k of them in the paper, and never more."""
    return min(options.keepers, options.k) or options.k


# --- events that an owner receives --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """Values of a key, which node `by` named. `depth`: length of the chain of nodes that led to it."""

    key: int
    values: tuple[PeerId, ...]
    by: PeerId
    depth: int
    context: Any


@dataclass(frozen=True, slots=True)
class Ended:
    """A search is over. values: how many were found; nearest: nodes that answered, the nearest to the key first; asked,
    failed: requests, and how many of them had no answer."""

    key: int
    values: int
    nearest: tuple[Contact, ...]
    asked: int
    failed: int
    rounds: int
    depth: int
    context: Any


@dataclass(frozen=True, slots=True)
class Published:
    """A value was stored on `stored` nodes; `of` nodes were asked to store it. The node itself is counted if it is one
    of them, unless no other node answered: then both numbers are 0."""

    key: int
    stored: int
    of: int
    context: Any


@dataclass(frozen=True, slots=True)
class Joined:
    """The node is in the table of others: it has looked itself up. `contacts`: how many it knows."""

    contacts: int


# --- timers ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Tend:
    """Time to look for what is due."""


@dataclass(slots=True)
class JoinDue:
    """Time to join, or to try again."""


@dataclass(slots=True, eq=False)
class Dht(Component, options=DhtOptions):
    """A node of the hash table.

    table     its k-buckets; records: what it keeps for others
    secret    from which its tokens are made
    boot      addresses to join by, the next to be tried first
    lookups   under way, by number
    storing   lookups that are over, whose results are being stored, by number
    is_in     whether it has joined
    unused    whether its owner does not use the table: see `stay_out`
    """

    shows = (
        Shown("contacts", "nodes in all its k-buckets", "count"),
        Shown("buckets", "k-buckets it has", "count"),
        Shown("stale", "of its contacts, those that did not answer", "share"),
        Shown("records", "pairs of key and value that it keeps for others", "count"),
    )

    table: RoutingTable = field(default_factory=lambda: RoutingTable(NO_NODE))
    records: Records = field(default_factory=Records)
    secret: int = 0
    boot: tuple[PeerId, ...] = ()
    serial: int = 0
    lookups: dict[int, Lookup] = field(default_factory=dict)
    storing: dict[int, Lookup] = field(default_factory=dict)
    is_in: bool = False
    unused: bool = False

    # --- start, join, leave ------------------------------------------------------------------------------------

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """The identifier is drawn once: it is on disk, with the nearest contacts (BEP 5). A node that starts while the
        network runs joins at once; at t = 0 its owner calls `join`, unless the network starts converged."""
        known: tuple[Contact, ...] = ()
        if isinstance(saved, tuple):
            node_id, known = saved
        else:
            node_id = host.rng.getrandbits(ID_BITS)
        self.table = RoutingTable(Contact(node_id, host.me))
        self.table.buckets[0].looked_us = host.now_us
        self.secret = host.rng.getrandbits(64)
        self.boot = tuple(dict.fromkeys((*(one.peer for one in known), *contacts)))
        host.every(TEND_US, Tend())
        if host.now_us:
            self.join(host)

    def join(self, host: Host, over_s: float = 0.0) -> None:
        """Join within `over_s` seconds, at a moment that is drawn."""
        host.after(int(host.rng.random() * over_s * 1e6), JoinDue(), cause=None)

    @on(JoinDue)
    def join_due(self, host: Host, tick: JoinDue) -> None:
        """Look up the own identifier (2.3), beginning with addresses whose identifiers are not known yet. Of many
        addresses only alpha are asked at once, others at the next attempt."""
        if self.is_in or self.unused:
            return
        table, count = self.table, host.options.alpha
        lookup = self._begin(table.me.id, "join", 0, None, host)
        addresses = self.boot[:count]
        self.boot = (*self.boot[count:], *addresses)
        lookup.in_flight += len(addresses)
        timeout_us = int(host.options.timeout_s * 1e6)
        for peer in addresses:
            host.call(
                peer, lookup.request, timeout_us=timeout_us, context=(lookup.number, Contact(-1, peer)), cause=None
            )
        self._advance(lookup, host, host.options)

    def stay_out(self) -> None:
        """Neither join nor answer. An owner that does not use the table calls this in its `start`."""
        self.unused = True

    def join_by(self, host: Host, peer: PeerId) -> None:
        """Another address to join by has become known: try to join at once, unless the node has joined."""
        if not self.is_in and not self.unused and peer not in self.boot:
            self.boot = (peer, *self.boot[: BOOT_MOST - 1])
            self.join(host)

    def stop(self, host: Host) -> None:
        """Send each record to the node that becomes the k-th nearest to its key when this one leaves. Not with tokens:
        it has no token of that node, and BEP 5 has no message for a node that leaves."""
        options, now = host.options, host.now_us
        if options.tokens:
            return
        for key in self.records.kept:
            nearest = self.table.closest(key, keepers_in(options))
            if nearest and (pairs := self._pairs(key, now)):
                host.send(nearest[-1].peer, Store(self.table.me, key, pairs, b"", False), cause=None)

    def saved(self) -> object | None:
        """The identifier, and the nearest contacts."""
        return self.table.me.id, tuple(self.table.closest(self.table.me.id, 20))

    def move(self, host: Host, node_id: int) -> None:
        """Take another identifier and join under it. Records stay."""
        old = self.table
        self.table = RoutingTable(Contact(node_id, host.me))
        self.table.buckets[0].looked_us = host.now_us
        for bucket in old.buckets:
            for contact, heard_us in bucket.nodes.items():
                self.table.heard(contact, heard_us, host.options.k, NEVER_US)
        self.is_in = False
        self.join(host)

    # --- what an owner asks for ----------------------------------------------------------------------------------

    def find(self, host: Host, key: int, *, context: Any = None, everything: bool = False) -> None:
        """Search the values of a key: `Found` for each node that names new ones, then `Ended`.

        The search stops at the first node that has values (2.3). everything: it goes on until the k nearest nodes have
        answered, as BitTorrent does.
        """
        own = self.records.values(key, host.now_us, host.options.values_most)
        lookup = self._begin(key, "values" if everything else "value", host.cause, context, host)
        if own:
            lookup.values.update(dict.fromkeys(own))
            host.emit(Found(key, own, host.me, 0, context))
        if own and not everything:
            self._finish(lookup, host)
        else:
            self._advance(lookup, host, host.options)

    def publish(self, host: Host, key: int, *, context: Any = None, upkeep: bool = False) -> None:
        """Store on the k nodes nearest to the key that this peer has the thing: then `Published`.

        upkeep: whether it is done for no ask, although one is being handled.
        """
        lookup = self._begin(key, "publish", 0 if upkeep else host.cause, context, host)
        self._advance(lookup, host, host.options)

    def announce(self, host: Host, key: int, *, cause: Cause = 0, context: Any = None) -> None:
        """Search the values of a key, and store that this peer has the thing too, by one lookup (BEP 5: get_peers, then
        announce_peer): `Found` for each node that names new values, then `Published`. cause: the ask that it is for.
        """
        own = self.records.values(key, host.now_us, host.options.values_most)
        lookup = self._begin(key, "announce", cause, context, host)
        lookup.values.update(dict.fromkeys((host.me, *own)))
        if own:
            host.emit(Found(key, own, host.me, 0, context))
        self._advance(lookup, host, host.options)

    # --- lookups -------------------------------------------------------------------------------------------------

    def _begin(self, target: int, purpose: Purpose, cause: Cause, context: Any, host: Host) -> Lookup:
        table, now, k = self.table, host.now_us, host.options.k
        self.serial += 1
        asks = purpose in ("value", "values", "announce") or (purpose == "publish" and host.options.tokens)
        request = FindValue(table.me, target) if asks else FindNode(table.me, target)
        lookup = self.lookups[self.serial] = Lookup(self.serial, target, purpose, k, request, cause, context)
        table.looked(target, now)
        # If all contacts have failed and none should be asked now, they are asked nevertheless.
        lookup.learn(table.closest(target, k, now) or table.closest(target, k, NEVER_US), table.me)
        return lookup

    def _advance(self, lookup: Lookup, host: Host, options: DhtOptions) -> None:
        """Send the next requests, or end the lookup."""
        following = None
        if lookup.asked < ASKED_MOST * lookup.k:
            following = lookup.next(options.alpha, options.lookup == "rounds")
        if following is None:
            # A node that joins knows no other node yet, but waits for the answers of addresses.
            if lookup.order or not lookup.in_flight:
                self._finish(lookup, host)
            return
        if not following:
            return
        timeout_us, cause, call = int(options.timeout_s * 1e6), lookup.cause or None, host.call
        for node in following:
            via = lookup.via.get(node)
            call(
                node[1],
                lookup.request,
                timeout_us=timeout_us,
                context=(lookup.number, node),
                cause=cause,
                via=via,
            )

    def _finish(self, lookup: Lookup, host: Host) -> None:
        del self.lookups[lookup.number]
        match lookup.purpose:
            case "value" | "values":
                nearest = tuple(lookup.nearest())
                depth = lookup.depth.get(nearest[0], 0) if nearest else 0
                found = len(lookup.values)
                host.emit(
                    Ended(
                        lookup.target, found, nearest, lookup.asked, lookup.failed, lookup.rounds, depth, lookup.context
                    )
                )
            case "publish" | "announce":
                pairs = ((host.me, int(host.options.expire_s)),)
                self._store(lookup, pairs, host)
            case "republish":
                self._store(lookup, self._pairs(lookup.target, host.now_us), host)
            case "join":
                self._join_ended(host)
            case _:
                pass

    def _join_ended(self, host: Host) -> None:
        """The node has joined if anybody answered: it looks into its farther buckets (2.3).

        The paper says into all farther than the nearest neighbour. But the k nearest have been found, so ranges nearer
        than theirs are known.
        """
        table = self.table
        nearest = table.closest(table.me.id, host.options.k)
        if not nearest:
            host.after(int(RETRY_US * host.rng.uniform(0.5, 1.5)), JoinDue(), cause=None)
            return
        self.is_in = True
        for at in range(table.index(nearest[-1].id) + 1):
            self._refresh(at, host)
        host.emit(Joined(len(table)))

    def _refresh(self, bucket: int, host: Host) -> None:
        lookup = self._begin(self.table.draw(bucket, host.rng), "refresh", 0, None, host)
        self._advance(lookup, host, host.options)

    @on_reply(FindNode)
    def nodes(self, host: Host, sender: PeerId, answer: Nodes, context: tuple[int, Contact]) -> None:
        """Take the nodes that were named into the lookup, and go on."""
        number, node = context
        options = host.options
        if not self._is_node_asked(answer.node, sender, node, host, options, host.now_us):
            self._request_failed(number, node, host)
        elif lookup := self.lookups.get(number):
            self._answered(lookup, node, answer.node, answer.nodes)
            self._advance(lookup, host, options)

    @on_reply(FindValue)
    def values(self, host: Host, sender: PeerId, answer: Values | Nodes, context: tuple[int, Contact]) -> None:
        """Take the nodes and the values that were named into the lookup, and go on. A node that keeps no value may
        answer with nodes alone."""
        number, node = context
        options = host.options
        if not self._is_node_asked(answer.node, sender, node, host, options, host.now_us):
            self._request_failed(number, node, host)
            return
        lookup = self.lookups.get(number)
        if lookup is None:
            return
        self._answered(lookup, node, answer.node, answer.nodes)
        values: tuple[PeerId, ...] = ()
        if isinstance(answer, Values):
            values = answer.values
            if answer.token:
                lookup.tokens[node] = answer.token
        if lookup.purpose == "publish":
            pass
        elif not values:
            if lookup.empty is None or node[0] ^ lookup.target < lookup.empty[0] ^ lookup.target:
                lookup.empty = node
        else:
            new = tuple(dict.fromkeys(value for value in values if value not in lookup.values))
            new = new[: options.values_most]
            lookup.values.update(dict.fromkeys(new))
            if new:
                host.emit(Found(lookup.target, new, sender, lookup.depth.get(node, 0), lookup.context))
            if lookup.purpose == "value":
                self._copy(lookup, new, host)
                self._finish(lookup, host)
                return
        self._advance(lookup, host, options)

    def _copy(self, lookup: Lookup, values: Sequence[PeerId], host: Host) -> None:
        """Store a copy of what was found at the nearest node asked that did not have it (2.3)."""
        node, options = lookup.empty, host.options
        if node is None or not values or not options.cache or options.tokens:
            return
        ttl_s = copy_ttl_us(int(options.expire_s * 1e6), lookup.nearer_than(node)) // 1_000_000
        if ttl_s:
            pairs = tuple((value, ttl_s) for value in values)
            host.send(node.peer, Store(self.table.me, lookup.target, pairs, b"", True), cause=lookup.cause or None)

    def _answered(self, lookup: Lookup, asked: Contact, who: Contact, nodes: tuple[Contact, ...]) -> None:
        """A node of a lookup has answered and named others."""
        if asked[0] < 0:
            # An address to join by: its identifier is known only now.
            lookup.in_flight -= 1
            lookup.learn((who,), self.table.me)
            if lookup.state.get(who) is not None:
                lookup.state[who] = ANSWERED
        else:
            lookup.ended(asked, True)
        lookup.learn(nodes if len(nodes) <= lookup.k else nodes[: lookup.k], self.table.me, who)

    def _request_failed(self, number: int, node: Contact, host: Host) -> None:
        """A request of a lookup had no answer, or none that can be used."""
        self._failed(node, host)
        lookup = self.lookups.get(number)
        if lookup is None:
            return
        if node.id < 0:
            lookup.in_flight -= 1
        else:
            lookup.ended(node, False)
        # The nodes that are left may be fewer than k.
        lookup.learn(self.table.closest(lookup.target, lookup.k, host.now_us), self.table.me)
        self._advance(lookup, host, host.options)

    @on_timeout(FindNode)
    def no_nodes(self, host: Host, to: PeerId, context: tuple[int, Contact], reason: str) -> None:
        """Go on without this node."""
        self._request_failed(*context, host)

    @on_timeout(FindValue)
    def no_values(self, host: Host, to: PeerId, context: tuple[int, Contact], reason: str) -> None:
        """Go on without this node."""
        self._request_failed(*context, host)

    # --- records ---------------------------------------------------------------------------------------------------

    def _pairs(self, key: int, now_us: int) -> tuple[tuple[PeerId, int], ...]:
        """The pairs of a STORE for the records of a key: (value, time to live left in s)."""
        return tuple((value, ttl_us // 1_000_000) for value, ttl_us in self.records.stored(key, now_us))

    def _store(self, lookup: Lookup, pairs: tuple[tuple[PeerId, int], ...], host: Host) -> None:
        """Send a STORE to the k nearest nodes of a lookup that has ended; this node may be one of them."""
        options, table, key = host.options, self.table, lookup.target
        most = keepers_in(options)
        answered = lookup.nearest()
        nearest = answered[:most]
        kept = bool(pairs) and (len(nearest) < most or table.me.id ^ key < nearest[-1].id ^ key)
        if kept:
            nearest = nearest[: most - 1]
            self._keep(key, pairs, False, host)
        lookup.stored = lookup.to_store = int(kept and bool(answered))
        self.storing[lookup.number] = lookup
        plain = None if options.tokens else Store(table.me, key, pairs, b"", False)
        for node in nearest if pairs else ():
            if plain is None and node not in lookup.tokens:
                continue
            lookup.storing += 1
            lookup.to_store += 1
            host.call(
                node.peer,
                plain or Store(table.me, key, pairs, lookup.tokens[node], False),
                timeout_us=int(options.timeout_s * 1e6),
                context=(lookup.number, node),
                cause=lookup.cause or None,
                via=lookup.via.get(node),
            )
        self._end_storing(lookup, host)

    def _end_storing(self, lookup: Lookup, host: Host) -> None:
        if lookup.storing:
            return
        del self.storing[lookup.number]
        if lookup.purpose in ("publish", "announce"):
            host.emit(Published(lookup.target, lookup.stored, lookup.to_store, lookup.context))

    def _keep(self, key: int, pairs: Sequence[tuple[PeerId, int]], copied: bool, host: Host) -> None:
        options, now = host.options, host.now_us
        for value, ttl_s in pairs[: options.values_most]:
            ttl_us = min(int(ttl_s * 1e6), int(options.expire_s * 1e6))
            if ttl_us > 0 and value >= 0:
                self.records.store(
                    key, value, now, ttl_us, copied=copied, keys=options.keys_most, values=options.values_most
                )

    @on(Store)
    def store(self, host: Host, sender: PeerId, message: Store) -> None:
        """Keep the pairs. With tokens a node stores only the sender's own address, for a good token (BEP 5)."""
        options = host.options
        if not self._learn_sender(message.node, sender, host, options, host.now_us) or not is_id(message.key):
            return
        pairs = message.pairs
        if options.tokens:
            if not good_token(message.token, self.secret, sender, host.now_us):
                host.reply(BadToken(self.table.me))
                return
            pairs = tuple(pair for pair in pairs if pair[0] == sender)
        self._keep(message.key, pairs, message.copied, host)
        host.reply(Stored(self.table.me))

    @on_reply(Store)
    def stored(self, host: Host, sender: PeerId, answer: Stored | BadToken, context: tuple[int, Contact]) -> None:
        """Count the node as a keeper, if it has stored the pairs."""
        number, node = context
        good = isinstance(answer, Stored) and self._is_node_asked(
            answer.node, sender, node, host, host.options, host.now_us
        )
        self._store_ended(number, good, host)

    @on_timeout(Store)
    def not_stored(self, host: Host, to: PeerId, context: tuple[int, Contact], reason: str) -> None:
        """The node did not answer, and is not counted as a keeper."""
        self._failed(context[1], host)
        self._store_ended(context[0], False, host)

    def _store_ended(self, number: int, good: bool, host: Host) -> None:
        lookup = self.storing.get(number)
        if lookup is not None:
            lookup.storing -= 1
            lookup.stored += good
            self._end_storing(lookup, host)

    # --- questions of others ---------------------------------------------------------------------------------------

    @on(Ping)
    def ping(self, host: Host, sender: PeerId, message: Ping) -> None:
        """Answer. A ping does not make this node ping another one: each ping would lead to the next."""
        if self._learn_sender(message.node, sender, host, host.options, host.now_us, probing=False):
            host.reply(Pong(self.table.me))

    @on(FindNode)
    def find_node(self, host: Host, sender: PeerId, message: FindNode) -> None:
        """Name the k nearest."""
        options = host.options
        if self._learn_sender(message.node, sender, host, options, host.now_us) and is_id(message.target):
            table = self.table
            host.reply(Nodes(table.me, tuple(table.closest(message.target, options.k))))

    @on(FindValue)
    def find_value(self, host: Host, sender: PeerId, message: FindValue) -> None:
        """Name the values kept, and the k nearest nodes."""
        options, key, now = host.options, message.key, host.now_us
        if self._learn_sender(message.node, sender, host, options, now) and is_id(key):
            table, kept = self.table, self.records.kept
            values = self.records.values(key, now, options.values_most) if key in kept else ()
            shown = token(self.secret, sender, now) if options.tokens else b""
            host.reply(Values(table.me, shown, values, tuple(table.closest(key, options.k))))

    # --- the routing table -------------------------------------------------------------------------------------------

    # The sender of each message is learned, so options and the time are read once for each message and handed on.

    def _learn_sender(
        self, node: Contact, sender: PeerId, host: Host, options: DhtOptions, now_us: int, probing: bool = True
    ) -> bool:
        """Enter the sender of a message into the routing table. Returns whether it can be who it says it is."""
        number, peer = node
        if peer != sender or not 0 <= number < ID_END or self.unused:
            return False
        silent_us = int(options.silent_s * 1e6) if probing else NEVER_US
        found = self.table.heard(node, now_us, options.k, silent_us)
        if found is None:
            return True
        if found == node:
            if self.records.kept:
                self._hand_over(node, host)
            return True
        timeout_us = int(options.timeout_s * 1e6)
        host.call(found.peer, Ping(self.table.me), timeout_us=(timeout_us, timeout_us), context=(0, found))
        return True

    def _is_node_asked(
        self, node: Contact, sender: PeerId, asked: Contact, host: Host, options: DhtOptions, now_us: int
    ) -> bool:
        """Enter the sender of an answer into the routing table. Returns whether it is the node that was asked: an
        address that has another identifier now is another node."""
        if node[0] == asked[0] or asked[0] < 0:
            return self._learn_sender(node, sender, host, options, now_us)
        self.table.forget(asked)
        self._learn_sender(node, sender, host, options, now_us)
        return False

    @on_reply(Ping)
    def pong(self, host: Host, sender: PeerId, answer: Pong, context: tuple[int, Contact]) -> None:
        """The contact stays; the newcomer waits in the replacement cache."""
        self.table.checked(context[1])
        if not self._is_node_asked(answer.node, sender, context[1], host, host.options, host.now_us):
            self._failed(context[1], host)

    @on_timeout(Ping)
    def no_pong(self, host: Host, to: PeerId, context: tuple[int, Contact], reason: str) -> None:
        """The contact is replaced."""
        self.table.checked(context[1])
        self._failed(context[1], host)

    def _failed(self, node: Contact, host: Host) -> None:
        if node.id >= 0:
            options = host.options
            self.table.failed(node, host.now_us, int(options.timeout_s * 1e6), options.stale_after)

    def _hand_over(self, node: Contact, host: Host) -> None:
        """Send a new contact the records of each key to which it is one of the k nearest nodes, if this node was the
        nearest so far (2.5)."""
        options, table = host.options, self.table
        if options.tokens:
            return
        for key in self.records.kept:
            nearest = table.closest(key, keepers_in(options))
            others = [one for one in nearest[:2] if one != node]
            mine = table.me.id ^ key
            was_nearest = not others or others[0].id ^ key > mine
            if node in nearest and was_nearest and (pairs := self._pairs(key, host.now_us)):
                host.send(node.peer, Store(table.me, key, pairs, b"", False), cause=None)

    # --- what is due -------------------------------------------------------------------------------------------------

    @on(Tend)
    def tend(self, host: Host, tick: Tend) -> None:
        """Forget what has expired, look into buckets that were not looked into, store records again (2.3, 2.5)."""
        options, now = host.options, host.now_us
        if self.records.kept:
            self.records.expire(now)
            if options.republish_s:
                for key in self.records.due(now, int(options.republish_s * 1e6)):
                    lookup = self._begin(key, "republish", 0, None, host)
                    self._advance(lookup, host, host.options)
        if not self.is_in:
            return
        self.table.tidy(now)
        due = self.table.due(now, int(options.refresh_s * 1e6))
        for bucket in due:
            self._refresh(bucket, host)

    # --- at the start ----------------------------------------------------------------------------------------------

    @classmethod
    def converge(cls, world: NetworkStart, options: DhtOptions, rng: Rng) -> None:
        """Fill the buckets of all that run: min(k, all) of the nodes in its range, drawn at random. When each was last
        heard of is spread over the last `silent_s`, and when each bucket was last looked into over the last
        `refresh_s`, so that pings and refreshes are spread too."""
        parts: list[Dht] = [one.peer for one in world.members if not one.peer.unused]
        contacts = [part.table.me for part in parts]
        refresh_us, silent_us = int(options.refresh_s * 1e6), int(options.silent_s * 1e6)
        if not parts:
            return
        tables = converged_buckets([one.id for one in contacts], ID_BITS, options.k, rng)
        ages = [-(silent_us * at // AGES) for at in range(AGES, 0, -1)]
        for part, buckets in zip(parts, tables, strict=True):
            part.is_in = True
            part.table.buckets = [
                Bucket(
                    dict(zip(map(contacts.__getitem__, members), _spread(ages, len(members), rng), strict=False)),
                    looked_us=-rng.randrange(refresh_us),
                )
                for members in buckets
            ]

    # --- what is shown -----------------------------------------------------------------------------------------------

    def identifier(self) -> float | None:
        """Its place on the circle of identifiers, 0 to 1."""
        return self.table.me.id / ID_END

    def contacts(self) -> list[PeerId]:
        """The peers that it could ask: contacts that have not failed to answer."""
        failures = self.table.failures
        return [one.peer for one in self.table.contacts() if one not in failures]

    def has_record(self, key: int) -> bool:
        """Whether it keeps a record of a key."""
        return key in self.records.kept

    def shown(self) -> tuple[float | str, ...]:
        table = self.table
        contacts = list(table.contacts())
        stale = sum([one in table.failures for one in contacts]) / len(contacts) if contacts else 0.0
        return len(contacts), len(table.buckets), stale, self.records.pairs()

    def beliefs(self) -> Beliefs:
        """Its contacts: alive if heard of since their last call without an answer, dead if stale. A contact that was
        silent for long may be alive: it is pinged only when a newcomer could take its place."""
        table = self.table
        known: dict[int, Belief] = {}
        failures = table.failures
        for at, bucket in enumerate(table.buckets):
            where = f"bucket {at}"
            for contact, heard_us in bucket.nodes.items():
                failure = failures.get(contact) if failures else None
                if failure is None:
                    known[contact.peer] = Belief(heard_us, where, True)
                else:
                    what = f"{where}, calls not answered: {failure.calls}"
                    known[contact.peer] = Belief(heard_us, what, False if failure.calls >= table.stale_after else None)
        fill = " ".join(str(len(bucket.nodes)) for bucket in table.buckets)
        facts = {
            "identifier": f"{table.me.id:040x}",
            "buckets": fill,
            "records": f"{self.records.pairs()} of {len(self.records.kept)} keys",
            "lookups": str(len(self.lookups)),
        }
        return Beliefs(known, facts)


def keep_at_start(
    nodes: Iterable[Dht], pairs: Iterable[tuple[int, PeerId]], options: DhtOptions, rng: Rng
) -> list[int]:
    """Keep records as in a table that has been running for long: each pair of a key and a value is on the k nodes
    nearest to the key. The times at which holders published are spread over the last `publish_s`, and those at which
    keepers last heard of the pairs over the last `republish_s`. Returns for each pair how long ago it was published, in
    us."""
    expire_us = max(1, int(options.expire_s * 1e6))
    publish_us = max(1, int(min(options.publish_s or options.expire_s, options.expire_s) * 1e6))
    stored_us = max(1, int(min(options.republish_s or options.expire_s, publish_us / 1e6) * 1e6))
    by_id = {node.table.me.id: node for node in nodes}
    ordered = sorted(by_id)
    keepers: dict[int, tuple[list[Dht], int]] = {}
    ages = []
    for key, value in pairs:
        if key not in keepers:
            near_it = nearest(ordered, key, ID_BITS, keepers_in(options))
            keepers[key] = [by_id[each] for each in near_it], rng.randrange(stored_us)
        age_us = rng.randrange(publish_us)
        nodes_of_key, ago_us = keepers[key]
        for node in nodes_of_key:
            under = node.records.kept.setdefault(key, {})
            under[value] = Record(expire_us - age_us, -min(ago_us, age_us))
        ages.append(age_us)
    return ages


def _spread(ages: list[int], count: int, rng: Rng) -> list[int]:
    """`count` of these, evenly spaced from one that is drawn."""
    step = len(ages) // max(count, 1)
    return ages[rng.randrange(step) :: step]
