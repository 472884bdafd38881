"""KaZaA: super nodes, and files known by a hash of some of their bytes.

Peers with a good line that have been up for long are *super nodes*; all others are *ordinary nodes*, each of which has
one super node and tells it what its files are. A search goes to that super node, which looks into its index and asks
other super nodes up to `scope` hops away: no ordinary node is ever asked. A file is fetched from many holders at a
time, a range from each, since all that have the same hash (UUHash) have the same file.

The hash covers samples of a file only. A company can therefore share decoys that have the hash and the size of the
genuine file: they are fetched as part of it, and a single range from one of them can spoil the whole file. Users who do
not look at what they fetched share it. Uploads go to the highest *participation level* first, a figure that each client
tells of itself, so that some always claim 1000.

Things to try: ask from an ordinary node and see who is asked. Let the attack Poison use the right hash and fetch a
popular file (scenario polluted); set parallel=1, and see what pollution does then. Look at the columns nodes, listed
and level. Kill all super nodes (scenario super-nodes).

Sources: giFT's description of the FastTrack protocol and of its hash; Liang, Kumar and Ross, "The FastTrack overlay: a
measurement study" (2006); Liang, Kumar, Xi and Ross, "Pollution in P2P file sharing systems" (INFOCOM 2005). Messages
count the bytes that they have on the wire where giFT tells them, and else those of MessagePack. Not known, and a guess
here: how a super node finds another one when it is full (`Promote`), how far a search goes, and which share of the
users does not look.
"""

# A peer is an ordinary node or a super node, and can change. Both have `nodes`, the list of super nodes that they know.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, ClassVar

from ...api import (
    DUPLICATE,
    FETCH,
    FIND,
    PUBLISH,
    Ask,
    Belief,
    Beliefs,
    CallEnd,
    Cause,
    Facts,
    File,
    Host,
    Known,
    Member,
    NetworkStart,
    Peer,
    PeerId,
    Rng,
    Shown,
    Theory,
    on,
    on_reply,
    on_timeout,
)
from ...kit import (
    SPEEDS_KBIT_S,
    HostCache,
    NameIndex,
    RecentTable,
    Uptime,
    can_be_super_peer,
    own_file,
    put_bounded,
    random_links,
    tree_reach,
)
from .messages import (
    LEVEL_MOST,
    LIST_MOST,
    SHARED_MOST,
    SILENCE,
    TEXT_MAX,
    WORD_MAX,
    Chunk,
    Get,
    Giv,
    Hello,
    KazaaOptions,
    Listed,
    Meta,
    NoPlace,
    NotHere,
    Ping,
    Pong,
    Promote,
    Push,
    Query,
    Reply,
    Result,
    Share,
    SuperNodes,
    Unshare,
    User,
    Welcome,
    named,
    sound,
)
from .transfers import NEXT_US, RANGE_LEAST, SECOND_US, Fetching, Part, Sent, Unopened, Uploads
from .uuhash import inside, sampled

GET = replace(FETCH, success_s=60.0, fetched=True)
MINUTE_S = 60.0
LOAD = 0.75
"""Share of the places for ordinary nodes that are taken in a network that has been running for long."""
LEAST_SUPER_NODES = 4
NEARLY_FULL = 0.9
"""A super node with this share of its places taken asks one of its nodes to become a super node too."""
FEW = 0.1
"""A super node with less than this share of its places taken is not needed, if that lasts."""
PROMOTE_US = 20_000_000
"""Between two promotions by one super node."""
SEEK_US = 2_000_000
"""Between two rounds of calls of a node that has no super node."""
NEW_US = 30_000_000
"""A super node is new for this long, and looks for others more often."""
QUERIES, FORGET_US = 20_000, 60_000_000
"""Searches that a super node remembers at most, and how long it remembers one at least."""
ASKS = 32
"""Own searches whose results are still accepted."""
DOWNLOADS = 32
FOUND_MOST = 200
"""Results of one search that are kept."""
RETRIES, REST_US = 20, 30_000_000
"""How often a holder that is busy is asked again, and after how long."""
UNOPENED_MOST = 200
PUSHED = 64
UNOPENED, CHOICE = "unopened", "choice"
"""Keys of remarks: that a complete decoy was fetched and its user has not opened it yet; and why nothing is fetched."""


# --- timers and values -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Seek:
    """Time to look for a super node; a super node looks for links to others."""


@dataclass(slots=True)
class Volunteer:
    """A node that found no super node has waited long enough."""


@dataclass(slots=True)
class KeepAlive:
    """Time to ping the neighbours."""


@dataclass(slots=True)
class Forget:
    """Time to forget old searches."""


@dataclass(slots=True)
class TellLists:
    """Time to send lists of super nodes."""


@dataclass(slots=True)
class LookAtFiles:
    """Time to see whether the library has changed."""


@dataclass(slots=True)
class Choose:
    """The user chooses among the results of a search."""

    part: ClassVar = "transfer"
    number: int


@dataclass(slots=True)
class NotCalled:
    """A holder that cannot be called has not called in time for the range that begins at `begin`."""

    part: ClassVar = "transfer"
    number: int
    holder: PeerId
    begin: int


@dataclass(slots=True)
class NoneFound:
    """The time for a search for more holders is over."""

    number: int


@dataclass(slots=True)
class Rested:
    """A holder that was busy can be asked again."""

    part: ClassVar = "transfer"
    number: int
    holder: PeerId


@dataclass(slots=True)
class Look:
    """The user opens a file that was fetched. holders: those that sent bytes of a decoy."""

    part: ClassVar = "transfer"
    number: int
    name: str
    holders: tuple[PeerId, ...]


@dataclass(slots=True)
class Child:
    """An ordinary node, as its super node knows it. `files`: what it shares, by name."""

    kbit_s: int
    firewalled: bool
    heard_us: int
    files: dict[str, Result] = field(default_factory=dict)


@dataclass(slots=True)
class Search:
    """An own search.

    versions  (hash, size) -> results of holders, each with its super node
    count     results in all
    tried     versions that were fetched or are being fetched
    fetch     whether the user fetches one
    waits     whether the timer `Choose` is set
    """

    text: str
    cause: Cause
    fetch: bool
    versions: dict[tuple[int, int], dict[PeerId, tuple[Result, PeerId]]] = field(default_factory=dict)
    count: int = 0
    tried: dict[tuple[int, int], None] = field(default_factory=dict)
    waits: bool = False


@dataclass(slots=True, eq=False)
class Node(Peer, name="kazaa", options=KazaaOptions):
    """An ordinary node, or a super node.

    super_node       whether it is a super node; unneeded_us: since when it has had few nodes; promoted_us: when it
                     became a super node, or last asked a node to become one
    parent           the super node of an ordinary node, -1 for none; parent_us: when it was last heard
    supers           other super nodes of a super node: address -> when it was last heard
    children         its ordinary nodes; places: how many it takes at most, as of the last round of pings
    names, hashes    the index: entries by the words of their names, and by their hashes; `count` entries
    own              entries of its own files, by name, as they are in the index (its own, or that of the parent)
    nodes, loads     the list of super nodes: when each was last seen, and its load in %
    bootstrap        addresses to begin again with when no other is left
    calling          number of calls not answered yet; full: whether a super node of this round of calls was full
    volunteers, last_round whether it waits to become a super node, and whether it does after one more round of calls
    seen             searches that came: number -> from whom
    searches, downloads   its own, by number of the search
    unopened         files that were fetched and not opened, by name
    pushed           peers that may fetch from it though it accepts no connections, since it has called them
    speed, firewalled  the speed of its line in kbit/s, whether it accepts no connections
    careless, fakes  whether its user never looks at what came, and claims the highest participation level
    """

    role = "node"
    roles = ("super node",)
    goals = (FIND, GET, PUBLISH)
    overlay = False
    shows = (
        Shown("nodes", "ordinary nodes of a super node", "count"),
        Shown("listed", "files in the index of a super node", "count"),
        Shown("places", "places taken at a super node", "share"),
        Shown("level", "participation level that it claims", "number"),
        Shown("decoys", "decoys that it has fetched and shares", "count"),
    )
    link_words = ("node", "super node")
    remark_keys = (UNOPENED, CHOICE)

    super_node: bool = False
    parent: PeerId = -1
    parent_us: int = 0
    supers: dict[PeerId, int] = field(default_factory=dict)
    children: dict[PeerId, Child] = field(default_factory=dict)
    names: NameIndex[Result] = field(default_factory=NameIndex)
    hashes: dict[int, dict[Result, None]] = field(default_factory=dict)
    count: int = 0
    own: dict[str, Meta] = field(default_factory=dict)
    nodes: HostCache = field(default_factory=HostCache)
    loads: dict[PeerId, int] = field(default_factory=dict)
    bootstrap: Sequence[PeerId] = ()
    calling: int = 0
    full: bool = False
    volunteers: bool = False
    last_round: bool = False
    places: int = 100
    unneeded_us: int = 0
    promoted_us: int = 0
    seen: RecentTable[int, PeerId] = field(default_factory=RecentTable)
    searches: dict[int, Search] = field(default_factory=dict)
    downloads: dict[int, Fetching] = field(default_factory=dict)
    unopened: dict[str, Unopened] = field(default_factory=dict)
    uploads: Uploads = field(default_factory=Uploads)
    pushed: dict[PeerId, None] = field(default_factory=dict)
    uptime: Uptime = field(default_factory=Uptime)
    speed: int = 1
    firewalled: bool = False
    careless: bool = False
    fakes: bool = False

    # --- what the engine and the screen ask of the class ----------------------------------------------------------

    @classmethod
    def horizon(cls, options: KazaaOptions) -> int:
        """A hop to the super node, those among super nodes, and one to a holder."""
        return options.scope + 2

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: KazaaOptions) -> Sequence[Theory]:
        if facts["goal"] == PUBLISH.name:
            return ()
        links, scope = options.super_links, options.scope
        far = 1 + tree_reach(links, scope)
        return (Theory("horizon", far, f"super nodes within {scope} hops of {links} links, without cycles"),)

    @classmethod
    def verdict(cls, facts: Facts, options: KazaaOptions) -> str | None:
        if facts.trouble or facts.goal == PUBLISH.name:
            return None
        if facts.hits:
            found = f"Found: {facts.hits} holder{'' if facts.hits == 1 else 's'}."
            if facts.goal == GET.name and facts.fetched and not facts.reached:
                return "It had the file already."
            if UNOPENED in facts.remarks and not facts.fetched and not facts.decoys and not facts.setback:
                return (
                    f"{found} All bytes came, and the hash is right, but it is a decoy. The user has not opened it yet "
                    "and shares it."
                )
            if CHOICE in facts.remarks and not facts.fetched:
                busy = "none: busy" in facts.remarks[CHOICE]
                why = f"its user fetches {DOWNLOADS} files already" if busy else "its user has all of it already"
                return f"{found} Nothing is fetched: {why}."
            return None
        if not facts.reached:
            if facts.losses:
                return None
            return "No answer: the asker had no link to a super node, so nobody else was asked."
        asked = f"{facts.reached} super node{' was' if facts.reached == 1 else 's were'} asked"
        if facts.keepers.living or facts.keepers.beyond:
            hops = f"{options.scope} hop{'' if options.scope == 1 else 's'}"
            return (
                f"No answer: {asked}, but none that has it in its index answered. A search goes {hops} among super "
                "nodes."
            )
        listed = facts.keepers.up or facts.keepers.censored
        if (facts.holders.living or facts.holders.beyond) and not listed:
            return f"No answer: {asked}, and no super node that is alive has a holder of it in its index."
        return None

    @classmethod
    def converge(cls, world: NetworkStart, options: KazaaOptions, rng: Rng) -> None:
        """Super nodes are chosen among the peers that can be one (`able`), and all have their links, indexes and
        lists."""
        members = world.of(cls)
        if not options.converged or not members:
            return
        able = [one for one in members if one.peer.able(one.host)] or list(members)
        places = max(1, round(options.children * LOAD))
        count = max(-(-len(members) // (places + 1)), LEAST_SUPER_NODES)
        chosen = [able[at] for at in sorted(rng.sample(range(len(able)), min(len(able), count)))]
        known = {one.id: one for one in chosen}
        for one in chosen:
            one.peer.super_node = True
            one.host.set_role("super node")
        for a, b in random_links(len(chosen), options.super_links, rng):
            chosen[a].peer.add_super(chosen[a].host, chosen[b].id)
            chosen[b].peer.add_super(chosen[b].host, chosen[a].id)
        order = list(chosen)
        rng.shuffle(order)
        at = 0
        for one in members:
            peer: Node = one.peer
            peer.own = {file.name: Meta(file.name, file.size, file.weak) for file in one.library.files()}
            if one.id in known:
                for file in peer.own.values():
                    peer.list_file(peer.entry(one.host, file))
                continue
            # Super nodes in turn, so that all have about as many nodes.
            parent: Member = order[at % len(order)]
            at += 1
            if len(parent.peer.children) >= options.children:
                continue
            parent.peer.add_child(parent.host, one.id, User(False, peer.speed, peer.firewalled))
            parent.peer.index_files(parent.host, one.id, tuple(peer.own.values()))
            peer.set_parent(one.host, parent.id)
        for one in members:
            for node in rng.sample(chosen, min(LIST_MOST, len(chosen))):
                one.peer.learn(one.host, Listed(node.id, 0, node.peer.load()))

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        kept = saved if isinstance(saved, dict) else {}
        rng, options = host.rng, host.options
        self.speed = host.line.up_kbit_s or rng.choice(SPEEDS_KBIT_S)
        self.firewalled = bool(host.line.nat) or rng.random() < options.firewalled
        self.careless, self.fakes = kept.get("user", (rng.random() < options.careless, rng.random() < options.fakers))
        self.uploads.sent, self.uploads.got = kept.get("moved", (0, 0))
        self.uptime = Uptime.begun(host, kept.get("uptime"))
        if self.careless:
            # Other users have opened their files by now, and have deleted decoys.
            self.unopened = dict(kept.get("unopened", {}))
        self.places = options.children
        self.bootstrap = contacts
        for address in (*kept.get("nodes", ()), *contacts):
            self.nodes.remember(address, HostCache.NEVER_US, LIST_MOST)
        self.nodes.forget(host.me)
        host.after(NEXT_US, Seek(), cause=None)
        host.every_s(options.ping_s, KeepAlive())
        host.every(FORGET_US, Forget())
        host.every_s(options.lists_s, TellLists())
        host.every_s(options.metadata_s, LookAtFiles())

    def saved(self) -> object | None:
        return {
            "nodes": tuple(self.nodes),
            "user": (self.careless, self.fakes),
            "moved": (self.uploads.sent, self.uploads.got),
            "uptime": self.uptime.kept(),
            "unopened": self.unopened,
        }

    def joined(self, links: Sequence[PeerId]) -> bool:
        return self.super_node or self.parent >= 0

    def able(self, host: Host) -> bool:
        """Whether it can be a super node. FastTrack's own test is not known; this is LimeWire's."""
        least_min = host.options.uptime_min
        return not self.firewalled and can_be_super_peer(host, self.uptime, self.speed, least_min, least_min)

    def load(self) -> int:
        """Places that are taken, in %."""
        return min(100, 100 * len(self.children) // max(1, self.places))

    # --- lists of super nodes ---------------------------------------------------------------------------------------

    def learn(self, host: Host, node: Listed) -> None:
        """Remember a super node. A fresher entry replaces an older one."""
        if node.address == host.me or not 0 <= node.address <= WORD_MAX:
            return
        heard_us = max(0, host.now_us - int(max(0, node.minutes) * MINUTE_S) * SECOND_US)
        if heard_us >= self.nodes.addresses.get(node.address, HostCache.NEVER_US):
            put_bounded(self.loads, node.address, max(0, min(node.load, 100)), LIST_MOST)
        self.nodes.remember(node.address, heard_us, LIST_MOST)

    def learn_all(self, host: Host, nodes: Iterable[Listed]) -> None:
        for node in tuple(nodes)[:LIST_MOST]:
            self.learn(host, node)

    def forget(self, address: PeerId) -> None:
        """Remove an address from the list: it is no super node, or not any more."""
        self.nodes.forget(address)
        self.loads.pop(address, None)

    def listed(self, host: Host, to: PeerId) -> tuple[Listed, ...]:
        """The list for another peer: super nodes of which it is known when they were seen, and this node itself if it
        is one."""
        seen = [(heard, one) for one, heard in self.nodes.addresses.items() if heard >= 0 and one != to]
        own = [Listed(host.me, 0, self.load())] if self.super_node else []
        others = [
            Listed(one, min(255, (host.now_us - heard) // (60 * SECOND_US)), self.loads.get(one, 0))
            for heard, one in seen[-LIST_MOST + 1 :]
        ]
        return (*own, *others)

    @on(SuperNodes)
    def super_nodes(self, host: Host, sender: PeerId, message: SuperNodes) -> None:
        if sender in self.supers or sender == self.parent:
            self.learn_all(host, message.nodes)

    @on(TellLists)
    def tell_lists(self, host: Host, tick: TellLists) -> None:
        if self.super_node:
            for other in (*self.supers, *self.children):
                host.send(other, SuperNodes(self.listed(host, other)))

    # --- an ordinary node finds a super node ------------------------------------------------------------------------

    @on(Seek)
    def seek(self, host: Host, tick: Seek) -> None:
        """Call some super nodes of the list at once. An ordinary node takes the first that has room."""
        if self.calling or self.parent >= 0:
            return
        options = host.options
        missing = min(options.probes, options.super_links - len(self.supers)) if self.super_node else options.probes
        unconnected = [one for one in self.nodes if one not in self.supers and one not in self.children]
        if missing <= 0:
            return
        if not unconnected and len(self.supers) < LEAST_SUPER_NODES - 1:
            # All nodes call the bootstrap peers: they learn of a new super node by its call, and name it to others.
            unconnected = [one for one in self.bootstrap if one != host.me and one not in self.supers]
        # Super nodes that were full when they were last heard of are called last.
        host.rng.shuffle(unconnected)
        unconnected.sort(key=lambda one: self.loads.get(one, 0) >= 100)
        self.full = False
        for address in unconnected[:missing]:
            self.calling += 1
            host.call(
                address,
                Hello(self.super_node),
                timeout_s=options.connect_s,
                context=address,
                cause=None,
            )
        if not unconnected and not self.super_node:
            self.no_super_node_found(host)

    @on(Hello)
    def hello(self, host: Host, sender: PeerId, message: Hello) -> None:
        if message.super_node:
            self.learn(host, Listed(sender, 0, 0))
        room = self.super_node and (
            len(self.supers) < host.options.super_links
            if message.super_node
            else len(self.children) < host.options.children
        )
        if room:
            host.reply(Welcome(self.load()))
        elif not self.firewalled:
            host.reply(NoPlace(self.super_node, self.listed(host, sender)))

    @on_reply(Hello)
    def hello_answered(self, host: Host, sender: PeerId, answer: Welcome | NoPlace, context: PeerId) -> None:
        self.calling -= 1
        if isinstance(answer, NoPlace):
            self.full = self.full or answer.full
            if not answer.full:
                self.forget(sender)
            else:
                self.learn(host, Listed(sender, 0, 100))
            self.learn_all(host, answer.nodes)
        else:
            self.learn(host, Listed(sender, 0, answer.load))
            self.maybe_demote(host, sender, answer.load)
            user = User(self.super_node, self.speed, self.firewalled)
            if self.super_node and len(self.supers) < host.options.super_links:
                host.send(sender, user)
                self.add_super(host, sender)
            elif not self.super_node and self.parent < 0:
                host.send(sender, user)
                self.set_parent(host, sender)
                self.own.clear()
                self.update_files(host)
        self.next_round(host)

    @on_timeout(Hello)
    def hello_unanswered(self, host: Host, to: PeerId, context: PeerId, reason: CallEnd) -> None:
        self.calling -= 1
        self.forget(to)
        self.next_round(host)

    def next_round(self, host: Host) -> None:
        """When all calls of a round have ended without success: decide when to call again."""
        if self.calling or self.parent >= 0:
            return
        if not self.super_node:
            self.no_super_node_found(host)
        elif len(self.supers) < LEAST_SUPER_NODES - 1 and host.now_us - self.promoted_us < NEW_US:
            # Others that became super nodes at about the same time are not on any list yet.
            host.after(SEEK_US, Seek(), cause=None)

    def no_super_node_found(self, host: Host) -> None:
        """No super node was found: call again later. A node that could be a super node also waits for a random time,
        after which it calls once more and then becomes one. Few of these waits end early (they are the largest of four
        uniform draws), so that the other nodes find the first super nodes."""
        if self.last_round:
            self.become_super(host)
            return
        host.after(SEEK_US, Seek(), cause=None)
        if not self.volunteers and self.able(host):
            self.volunteers = True
            share = max(host.rng.random() for _ in range(4)) if not self.full else host.rng.random()
            host.after(int(host.options.volunteer_s * share * SECOND_US), Volunteer(), cause=None)

    @on(Volunteer)
    def volunteer(self, host: Host, tick: Volunteer) -> None:
        """Look once more, since others may have become super nodes meanwhile."""
        self.volunteers = False
        if self.parent < 0 and not self.super_node:
            self.last_round = True
            self.seek(host, Seek())

    def set_parent(self, host: Host, parent: PeerId) -> None:
        """Take a super node as the own one."""
        self.parent, self.parent_us, self.last_round = parent, host.now_us, False
        host.link(parent)
        host.mark(parent, "super node")

    # --- a super node ---------------------------------------------------------------------------------------------

    def become_super(self, host: Host) -> None:
        """Become a super node. Its super node so far stays a neighbour."""
        before, self.parent, self.last_round = self.parent, -1, False
        self.super_node, self.unneeded_us, self.promoted_us = True, host.now_us, host.now_us
        host.set_role("super node")
        host.log("promoted")
        for file in self.own.values():
            self.list_file(self.entry(host, file))
        if before >= 0:
            host.send(before, User(True, self.speed, self.firewalled), cause=None)
            self.add_super(host, before)
        self.update_files(host)
        host.after(NEXT_US, Seek(), cause=None)

    def become_ordinary(self, host: Host) -> None:
        """End all links, and look for a super node as a node does."""
        self.super_node = False
        host.set_role("node")
        host.log("demoted")
        for other in (*self.supers, *self.children):
            host.unlink(other)
        self.supers.clear()
        self.children.clear()
        self.names = NameIndex()
        self.hashes.clear()
        self.count = 0
        host.after(NEXT_US, Seek(), cause=None)

    def maybe_demote(self, host: Host, other: PeerId, load: int) -> None:
        """Become an ordinary node if no node has chosen this super node yet, and `other` has a higher load, or the same
        load and a lower address: so of several that became super nodes at about the same time, few stay."""
        others_do = len(self.supers) >= LEAST_SUPER_NODES - 1
        if self.super_node and not self.children and others_do and (load, -other) > (self.load(), -host.me):
            self.become_ordinary(host)

    def add_super(self, host: Host, other: PeerId) -> None:
        """Add a link to another super node."""
        self.supers[other] = host.now_us
        host.link(other)
        host.mark(other, "super node")

    @on(User)
    def user(self, host: Host, sender: PeerId, message: User) -> None:
        """A peer takes a place as an ordinary node, or a link as a super node."""
        if not 0 < message.kbit_s <= WORD_MAX:
            host.log("nonsense")
            return
        options = host.options
        # A place or a link that the sender had before is free now. `super_links` and one more are accepted: the one
        # more is for a node that this one has promoted.
        self.lose_child(sender)
        self.supers.pop(sender, None)
        if message.super_node and self.super_node and len(self.supers) <= options.super_links:
            self.add_super(host, sender)
            self.learn(host, Listed(sender, 0, 0))
        elif not message.super_node and self.super_node and len(self.children) < options.children:
            self.add_child(host, sender, message)
            host.send(sender, SuperNodes(self.listed(host, sender)))
            self.maybe_promote_child(host)
        else:
            host.send(sender, NoPlace(self.super_node, self.listed(host, sender)))
            host.unlink(sender)

    def add_child(self, host: Host, other: PeerId, user: User) -> None:
        """Add an ordinary node."""
        self.children[other] = Child(user.kbit_s, user.firewalled, host.now_us)
        host.link(other)
        host.mark(other, "node")

    @on(NoPlace)
    def no_place(self, host: Host, sender: PeerId, message: NoPlace) -> None:
        """The place or the link was taken by another peer meanwhile."""
        if sender == self.parent or sender in self.supers:
            self.learn_all(host, message.nodes)
            host.unlink(sender)
            self.closed(host, sender)

    def maybe_promote_child(self, host: Host) -> None:
        """If few places are left, ask the node with the fastest line to become a super node, at most every
        `PROMOTE_US`."""
        nearly = len(self.children) >= host.options.children * NEARLY_FULL
        able = [one for one, child in self.children.items() if not child.firewalled]
        if nearly and able and host.now_us - self.promoted_us >= PROMOTE_US:
            self.promoted_us = host.now_us
            host.send(max(able, key=lambda one: (self.children[one].kbit_s, -one)), Promote(), cause=None)

    @on(Promote)
    def promote(self, host: Host, sender: PeerId, message: Promote) -> None:
        if sender == self.parent and self.able(host):
            self.become_super(host)

    # --- neighbours -----------------------------------------------------------------------------------------------

    def connections(self) -> tuple[PeerId, ...]:
        return (*((self.parent,) if self.parent >= 0 else ()), *self.supers, *self.children)

    @on(KeepAlive)
    def keep_alive(self, host: Host, tick: KeepAlive) -> None:
        """Ping the neighbours, drop those that have been silent for too long, and become an ordinary node if it has
        long not been needed as a super node."""
        options = host.options
        self.uptime.look(host.now_us)
        self.places = options.children
        old_us = host.now_us - int(options.ping_s * SILENCE * SECOND_US)
        silent = [one for one, heard in self.supers.items() if heard < old_us]
        silent += [one for one, child in self.children.items() if child.heard_us < old_us]
        silent += [self.parent] if self.parent >= 0 and self.parent_us < old_us else []
        for other in silent:
            host.log("silent neighbour", peer=other)
            host.unlink(other)
            self.closed(host, other)
        host.multicast(self.connections(), Ping())
        others_do = len(self.supers) >= LEAST_SUPER_NODES - 1
        if not self.super_node or len(self.children) >= options.children * FEW or not others_do:
            self.unneeded_us = host.now_us
        elif host.now_us - self.unneeded_us >= options.demotion_s * SECOND_US:
            self.become_ordinary(host)
        self.seek(host, Seek())

    @on(Forget)
    def forget_searches(self, host: Host, tick: Forget) -> None:
        self.seen.turn()

    @on(Ping)
    def ping(self, host: Host, sender: PeerId, message: Ping) -> None:
        if sender in self.supers or sender in self.children or sender == self.parent:
            host.send(sender, Pong())

    @on(Pong)
    def pong(self, host: Host, sender: PeerId, message: Pong) -> None:
        if sender == self.parent:
            self.parent_us = host.now_us
        elif sender in self.supers:
            self.supers[sender] = host.now_us
        elif sender in self.children:
            self.children[sender].heard_us = host.now_us
            return
        if sender in self.nodes:
            self.nodes.remember(sender, host.now_us, LIST_MOST)

    def closed(self, host: Host, peer: PeerId) -> None:
        """A neighbour is gone."""
        self.lose_child(peer)
        lost = self.supers.pop(peer, None) is not None
        if peer == self.parent:
            self.parent, lost = -1, True
            self.forget(peer)
        if lost:
            self.seek(host, Seek())

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        self.forget(to)
        self.closed(host, to)

    # --- metadata -------------------------------------------------------------------------------------------------

    def entry(self, host: Host, file: Meta) -> Result:
        """An own file in its index."""
        return Result(file.name, file.size, file.hash, host.me, self.speed, self.firewalled)

    def list_file(self, entry: Result) -> None:
        self.count += 1
        self.names.add(entry.name, entry)
        self.hashes.setdefault(entry.hash, {})[entry] = None

    def unlist_file(self, entry: Result) -> None:
        self.count -= 1
        self.names.remove(entry.name, entry)
        same = self.hashes[entry.hash]
        del same[entry]
        if not same:
            del self.hashes[entry.hash]

    def update_files(self, host: Host) -> None:
        """Tell the super node, or the own index, which files are new and which are gone."""
        now = {one.file.name: Meta(one.file.name, one.file.size, one.file.weak) for one in self.unopened.values()}
        now.update((file.name, Meta(file.name, file.size, file.weak)) for file in host.library.files())
        gone = [file for name, file in self.own.items() if now.get(name) != file]
        new = [file for name, file in now.items() if self.own.get(name) != file]
        if self.super_node:
            for file in gone:
                self.unlist_file(self.entry(host, file))
            for file in new:
                self.list_file(self.entry(host, file))
        elif self.parent >= 0:
            if gone:
                host.send(self.parent, Unshare(tuple(file.name for file in gone)))
            if new:
                host.send(self.parent, Share(tuple(new[:SHARED_MOST])))
        else:
            return
        self.own = now

    @on(LookAtFiles)
    def look_at_files(self, host: Host, tick: LookAtFiles) -> None:
        self.update_files(host)

    @on(Share)
    def share(self, host: Host, sender: PeerId, message: Share) -> None:
        if sender in self.children:
            self.index_files(host, sender, message.files)

    def index_files(self, host: Host, sender: PeerId, files: Sequence[Meta]) -> None:
        """Put the files of a node into the index."""
        child = self.children[sender]
        for file in files:
            if not sound(file):
                host.log("nonsense")
                continue
            old = child.files.pop(file.name, None)
            if old is not None:
                self.unlist_file(old)
            elif len(child.files) >= SHARED_MOST:
                continue
            made = Result(file.name, file.size, file.hash, sender, child.kbit_s, child.firewalled)
            child.files[file.name] = made
            self.list_file(made)

    @on(Unshare)
    def unshare(self, host: Host, sender: PeerId, message: Unshare) -> None:
        child = self.children.get(sender)
        if child is None:
            return
        for name in message.names:
            old = child.files.pop(name, None)
            if old is not None:
                self.unlist_file(old)

    def lose_child(self, other: PeerId) -> None:
        child = self.children.pop(other, None)
        if child is not None:
            for entry in child.files.values():
                self.unlist_file(entry)

    def keeps(self, text: str) -> bool:
        return self.super_node and next(self.names.matching(text), None) is not None

    # --- search ---------------------------------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        if ask.goal == PUBLISH.name:
            self.update_files(host)
            return
        if ask.goal == GET.name and own_file(host, ask.text) is not None:
            # This peer has the file already.
            host.hit(host.me, ask.text)
            host.fetched(host.me, ask.text)
            return
        number = host.rng.getrandbits(63)
        wanted = ask.goal == GET.name or host.options.download
        put_bounded(self.searches, number, Search(ask.text, host.cause, wanted), ASKS)
        self.send_query(host, Query(number, host.options.scope, ask.text[:TEXT_MAX]))

    def send_query(self, host: Host, query: Query) -> None:
        """Send a query to the super node. A super node looks into its own index, and sends it to other super nodes."""
        if self.super_node:
            self.seen.put(query.number, host.me, QUERIES)
            found = self.found(host, query)
            if found:
                self.take_results(host, query.number, host.me, found)
            host.multicast(tuple(self.supers), query)
        elif self.parent >= 0:
            host.send(self.parent, query)

    def found(self, host: Host, query: Query) -> tuple[Result, ...]:
        """What the index has for a query, at most `options.results`."""
        entries = self.hashes.get(query.hash, ()) if query.hash else self.names.matching(query.text)
        return tuple(islice(entries, host.options.results))

    @on(Query)
    def query(self, host: Host, sender: PeerId, message: Query) -> Known:
        if self.seen.get(message.number) is not None:
            return DUPLICATE
        if not self.super_node or not (sender in self.supers or sender in self.children):
            return None
        if not (len(message.text) <= TEXT_MAX and 0 <= message.ttl <= 255 and message.number >= 0):
            host.log("nonsense")
            return None
        self.seen.put(message.number, sender, QUERIES)
        found = self.found(host, message)
        if found:
            host.send(sender, Reply(message.number, host.me, found))
        # The TTL counts hops among super nodes; the hop from an ordinary node to its super node is not counted.
        ttl = min(message.ttl, host.options.scope) - (sender in self.supers)
        if ttl > 0:
            onward = Query(message.number, ttl, message.text, message.hash)
            host.multicast([one for one in self.supers if one != sender], onward)
        return None

    @on(Reply)
    def reply(self, host: Host, sender: PeerId, message: Reply) -> None:
        if sender != self.parent and sender not in self.supers:
            return
        results = tuple(filter(sound, message.results[:FOUND_MOST]))
        if not results or not 0 <= message.super_node <= WORD_MAX:
            host.log("nonsense")
            return
        if message.number in self.searches:
            self.take_results(host, message.number, message.super_node, results)
            return
        back = self.seen.get(message.number)
        if back is not None and (back in self.supers or back in self.children):
            host.send(back, message)

    def take_results(self, host: Host, number: int, super_node: PeerId, results: Sequence[Result]) -> None:
        """Results of an own search."""
        search = self.searches[number]
        running = self.downloads.get(number)
        for result in results:
            if result.holder == host.me or not 0 <= result.holder <= WORD_MAX or search.count >= FOUND_MOST:
                continue
            version = search.versions.setdefault((result.hash, result.size), {})
            if result.holder in version:
                continue
            search.count += 1
            version[result.holder] = (result, super_node)
            host.hit(result.holder, result.name, by=super_node)
            if running is not None and (running.hash, running.size) == (result.hash, result.size):
                running.holders[result.holder] = (result, super_node)
        if running is not None:
            self.ask_holders(host, running)
        elif search.fetch and search.count and not search.waits:
            search.waits = True
            host.after_s(host.options.choose_s, Choose(number), cause=search.cause)

    # --- fetching -------------------------------------------------------------------------------------------------

    @on(Choose)
    def choose(self, host: Host, tick: Choose) -> None:
        search = self.searches.get(tick.number)
        if search is not None and tick.number not in self.downloads and not self.fetch(host, tick.number, search):
            host.remark(
                CHOICE, "none: busy" if len(self.downloads) >= DOWNLOADS else "none: has all", cause=search.cause
            )

    def fetch(self, host: Host, number: int, search: Search) -> bool:
        """Fetch one of the versions that were not tried. Returns False if there is none. Users prefer versions with
        many holders: two results are drawn, and the version with more holders is fetched. Results whose name is exactly
        the text that was asked for come first."""
        left = {key: version for key, version in search.versions.items() if key not in search.tried}
        exact = {k: v for k, v in left.items() if any(one.name == search.text for one, _ in v.values())}
        rows = [(key, one) for key, version in (exact or left).items() for one, _ in version.values()]
        rows = [(key, one) for key, one in rows if own_file(host, one.name) is None]
        if not rows or len(search.tried) >= host.options.versions or len(self.downloads) >= DOWNLOADS:
            return False
        drawn = (rows[host.rng.randrange(len(rows))] for _ in range(2))
        key, result = max(drawn, key=lambda row: len(search.versions[row[0]]))
        search.tried[key] = None
        made = Fetching(number, result.name, result.size, result.hash, search.cause)
        made.missing = [(0, result.size)]
        holders = list(search.versions[key].items())
        host.rng.shuffle(holders)
        made.holders.update(holders)
        self.downloads[number] = made
        self.ask_holders(host, made)
        return True

    def ask_holders(self, host: Host, download: Fetching) -> None:
        """Ask each holder that is not being asked for a range. Their order was drawn and stays, so a holder that has
        sent a range is asked for the next one."""
        options = host.options
        idle = [one for one in download.holders if one not in download.asked and one not in download.resting]
        for holder in idle:
            if not download.missing or len(download.asked) >= options.parallel:
                break
            result, super_node = download.holders[holder]
            if result.firewalled and (self.firewalled or super_node == holder):
                del download.holders[holder]
                continue
            begin, end = download.take(options.chunk_kb * 1024)
            download.asked[holder] = (begin, end, None)
            if not result.firewalled:
                self.get(host, download, holder)
                continue
            host.send(super_node, Push(holder, host.me, download.hash), cause=download.cause)
            host.after(
                int(options.range_s * SECOND_US), NotCalled(download.number, holder, begin), cause=download.cause
            )
        if not download.asked and not download.resting and download.missing:
            self.no_holders(host, download)

    def get(self, host: Host, download: Fetching, holder: PeerId) -> None:
        """Ask a holder for its range."""
        begin, end, _ = download.asked[holder]
        name = download.holders[holder][0].name
        call = host.call(
            holder,
            Get(name, download.hash, begin, end - begin, self.claimed()),
            timeout_s=host.options.range_s,
            context=download.number,
            cause=download.cause,
        )
        download.asked[holder] = (begin, end, call)

    def no_holders(self, host: Host, download: Fetching) -> None:
        """No holder is left: search for others by the hash, once; after that, give up."""
        if not download.searched:
            download.searched = True
            search = self.searches.get(download.number)
            number = host.rng.getrandbits(63)
            if search is not None and (self.super_node or self.parent >= 0):
                self.end(host, download)
                put_bounded(self.searches, number, replace(search, versions={}, count=0), ASKS)
                self.downloads[number] = replace(download, number=number, holders={}, asked={}, resting={})
                self.send_query(host, Query(number, host.options.scope, "", download.hash))
                host.after_s(host.options.connect_s, NoneFound(number), cause=download.cause)
                return
        self.end(host, download)
        self.fail(host, download.number, "no holder is left", download.cause)

    def fail(self, host: Host, number: int, why: str, cause: Cause) -> None:
        """The search fails: none of its results could be fetched."""
        self.searches.pop(number, None)
        host.failed(why, cause=cause)

    def end(self, host: Host, download: Fetching) -> None:
        """A download is over."""
        self.downloads.pop(download.number, None)
        for _, _, call in download.asked.values():
            if call is not None:
                host.cancel(call)
        download.asked.clear()

    def range_failed(self, host: Host, download: Fetching, holder: PeerId) -> None:
        """A holder did not send its range."""
        begin, end, _ = download.asked.pop(holder, (0, 0, None))
        download.holders.pop(holder, None)
        download.give_back(begin, end)
        self.ask_holders(host, download)

    @on_timeout(Get)
    def get_unanswered(self, host: Host, to: PeerId, context: int, reason: CallEnd) -> None:
        download = self.downloads.get(context)
        if download is not None and to in download.asked:
            self.range_failed(host, download, to)

    @on_reply(Get)
    def get_answered(self, host: Host, sender: PeerId, answer: Chunk | NotHere, context: int) -> None:
        download = self.downloads.get(context)
        if download is None or sender not in download.asked:
            return
        begin, end, _ = download.asked[sender]
        if isinstance(answer, NotHere) and answer.busy and download.count_refusal(sender) < RETRIES:
            # The sender stays a holder, and is asked again later.
            del download.asked[sender]
            download.give_back(begin, end)
            download.resting[sender] = None
            host.after(REST_US, Rested(download.number, sender), cause=download.cause)
            self.ask_holders(host, download)
            return
        if isinstance(answer, NotHere):
            self.range_failed(host, download, sender)
            return
        size = answer.data.size
        right = answer.offset == begin and answer.hash == download.hash
        if not right or not min(end - begin, RANGE_LEAST) <= size <= end - begin:
            host.log("nonsense")
            self.range_failed(host, download, sender)
            return
        del download.asked[sender]
        samples = answer.samples if sampled(download.size, begin, begin + size) else 0
        covered = inside(download.size, begin, begin + size)
        download.parts.append(Part(begin, begin + size, sender, answer.data.digest, samples, covered))
        download.give_back(begin + size, end)
        self.uploads.got += size
        search = self.searches.get(download.number)
        if search is not None and len(search.tried) == 1:
            # Only for the first version: the progress that is reported must never decrease.
            host.progress(download.here, download.size, cause=download.cause)
        if download.missing or download.asked:
            self.ask_holders(host, download)
        else:
            self.complete(host, download, sender)

    def complete(self, host: Host, download: Fetching, last: PeerId) -> None:
        """All ranges have come: compare the hash, and keep the file. A genuine file is in the library at once; a decoy
        is recognised when its user opens it, and is shared until then."""
        self.end(host, download)
        if not download.verified():
            self.try_another_version(host, download.number, "the hash was wrong", download.cause)
            return
        parts = download.unproven()
        bad = host.library.spoilt(dict.fromkeys(part.digest for part in parts))
        file = File(download.name, download.size, parts[0].digest, weak=download.hash)
        if not bad and host.library.add(file):
            host.fetched(last, download.name, cause=download.cause)
            self.searches.pop(download.number, None)
            self.unopened.pop(download.name, None)
            self.update_files(host)
            return
        put_bounded(self.unopened, download.name, Unopened(file, tuple(download.parts)), UNOPENED_MOST)
        host.remark(UNOPENED, "decoy", cause=download.cause)
        self.update_files(host)
        if not self.careless:
            holders = tuple(dict.fromkeys(part.holder for part in parts if part.digest in bad))
            look_us = int(host.options.look_s * SECOND_US)
            host.after(look_us, Look(download.number, download.name, holders), cause=download.cause)

    @on(Look)
    def look(self, host: Host, tick: Look) -> None:
        """The user opens a decoy, sees that it is not what its name says, deletes it, and tries another version."""
        self.unopened.pop(tick.name, None)
        self.update_files(host)
        for holder in tick.holders:
            host.decoy(holder, tick.name)
        self.try_another_version(host, tick.number, "what came was a decoy", host.cause)

    def try_another_version(self, host: Host, number: int, why: str, cause: Cause) -> None:
        """A version was not what its hash or its name says: try another one. If there is none, fail with the reason
        `why`."""
        search = self.searches.get(number)
        if search is None or not self.fetch(host, number, search):
            self.fail(host, number, why, cause)

    @on(Rested)
    def rested(self, host: Host, tick: Rested) -> None:
        """A holder that was busy can be asked again."""
        download = self.downloads.get(tick.number)
        if download is not None and tick.holder in download.resting:
            del download.resting[tick.holder]
            self.ask_holders(host, download)

    @on(NotCalled)
    def not_called(self, host: Host, tick: NotCalled) -> None:
        download = self.downloads.get(tick.number)
        begin, _, call = download.asked.get(tick.holder, (-1, -1, None)) if download is not None else (-1, -1, None)
        if download is not None and begin == tick.begin and call is None:
            self.range_failed(host, download, tick.holder)

    @on(NoneFound)
    def none_found(self, host: Host, tick: NoneFound) -> None:
        download = self.downloads.get(tick.number)
        if download is not None and not download.holders and not download.asked:
            self.no_holders(host, download)

    # --- holders that cannot be called ----------------------------------------------------------------------------

    @on(Push)
    def push(self, host: Host, sender: PeerId, message: Push) -> None:
        if message.holder == host.me:
            if 0 <= message.to <= WORD_MAX:
                put_bounded(self.pushed, message.to, None, PUSHED)
                host.send(message.to, Giv(message.hash))
        elif message.holder in self.children:
            host.send(message.holder, message)

    @on(Giv)
    def giv(self, host: Host, sender: PeerId, message: Giv) -> None:
        for download in list(self.downloads.values()):
            if download.hash == message.hash and sender in download.asked and download.asked[sender][2] is None:
                self.get(host, download, sender)
                return

    # --- uploads --------------------------------------------------------------------------------------------------

    def claimed(self) -> int:
        """The participation level that it claims."""
        return LEVEL_MOST if self.fakes else self.uploads.level()

    @on(Get)
    def serve(self, host: Host, sender: PeerId, message: Get) -> None:
        if self.firewalled and sender not in self.pushed:
            return
        if not named(message.name):
            host.reply(NotHere(False))
            return
        self.uploads.get(host, message, self.speed, self.unopened)

    @on(Sent)
    def range_sent(self, host: Host, tick: Sent) -> None:
        self.uploads.done(host, tick, self.speed, self.unopened)

    # --- inspection -----------------------------------------------------------------------------------------------

    def contacts(self) -> Sequence[PeerId]:
        return self.connections()

    def shown(self) -> tuple[float | str, ...]:
        return len(self.children), self.count, self.load() / 100, self.claimed(), len(self.unopened)

    def beliefs(self) -> Beliefs:
        known = {
            one: Belief(None if heard == HostCache.NEVER_US else heard, f"super node, load {self.loads.get(one, 0)} %")
            for one, heard in self.nodes.addresses.items()
        }
        known.update((one, Belief(heard, "super node", True)) for one, heard in self.supers.items())
        for one, child in self.children.items():
            known[one] = Belief(child.heard_us, f"node, {child.kbit_s} kb/s", True, len(child.files))
        if self.parent >= 0:
            known[self.parent] = Belief(self.parent_us, "its super node", True)
        facts = {
            "super nodes known": str(len(self.nodes)),
            "line": f"{self.speed} kb/s{', firewalled' if self.firewalled else ''}",
            "participation level": f"{self.claimed()}{' (faked)' if self.fakes else ''}",
            "average uptime": f"{self.uptime.average_s / 3600:.1f} h",
            "looks at what it fetched": "never" if self.careless else "yes",
        }
        if self.super_node:
            facts["nodes"] = f"{len(self.children)} of {self.places}"
            facts["index"] = f"{self.count} files"
        if self.uploads.waiting:
            facts["waiting for its line"] = str(len(self.uploads.waiting))
        if self.downloads:
            facts["fetching"] = ", ".join(
                f"{one.name} {100 * one.here // one.size} % from {len(one.asked)}" for one in self.downloads.values()
            )
        return Beliefs(known, facts)
