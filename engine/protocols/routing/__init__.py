"""IP routing

Routers pass packets on, each to the neighbour that it thinks is nearer to the destination. A router can send to its
neighbours only, and nobody has the map: each router has a table with a neighbour for each destination, and learns all
that is in it from its neighbours. Hosts are behind routers: a host sends all packets to its gateway.

How the tables come about is the option `protocol`:

distance vector (RIP 2): a router tells its neighbours how far away each destination is. It is simple, but a route that
is gone can come back from a neighbour that learned it from this router: then distances count up to 16, which is
infinity. A link costs 1; with `rip.metric=weight` it costs its weight, if the topology is a file with weights.

link state (OSPF): a router tells all routers about its own links. Each has the whole map, and computes shortest paths.
A link costs its weight, if the topology is a file with weights, else its delay in ms; `ospf.metric` may say otherwise.

path vector (BGP): each router stands for a provider (an autonomous system) with customers, and tells the whole path of
a route, so that no system uses a route that leads through itself. Customers pay: a route over a customer is preferred
to one over a peer, and a route over a peer to one over a provider; routes of peers and providers are told to customers
only.

Links may have a capacity (slowest_kbit_s, fastest_kbit_s): then packets wait in a queue for each link, and are dropped
where it is full. With ospf.metric=capacity OSPF computes the cost of a link from its capacity.

An ask sends a packet, to `#17`, to an address (`10.0.17.1`), or to any other text, which is a name: the first router
looks it up. Each change (a link that is down, a router that starts) is an ask of the network itself: its messages are
those by which routers tell each other of the change, so it shows how far the news goes, and for how long.

The next hops to the peer of the option `towards` are drawn; together they form a tree. A loop in it has a colour and a
line of its own: packets go round in it until their time to live ends, and no router can see it.

Things to try: cut a link, and mend it; kill a router that many ways go through. Set detect=timers: then routers notice
only by silence that a link is down. `hijack` announces addresses of somebody else at a router (`10.0.3.0/25` is half of
those of #3: the longer prefix is preferred everywhere). `lie` makes a router tell that it is next to everything.

Source: RFC 2453 (RIP 2), RFC 2328 (OSPF 2), RFC 4271 (BGP 4); Gao and Rexford, "Stable Internet routing without global
coordination" (2001).
"""

# What is left out: areas, designated routers, networks of several routers and checksums in OSPF; internal BGP, MED and
# communities; authentication. A host is a destination of its own, which its gateway announces.

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha1
from typing import Any, Literal, Protocol

from ...api import (
    Ask,
    Belief,
    Beliefs,
    Candidate,
    Cause,
    Facts,
    Host,
    Need,
    NetworkStart,
    Peer,
    PeerId,
    Rng,
    Shown,
    Theory,
    component,
    on,
    option,
    verb,
)
from ...kit import some_of
from .distance_vector import DistanceVector
from .link_state import LinkState
from .packets import (
    ARRIVED,
    HEADERS,
    HERE,
    LINKS_MOST,
    NO_HOST,
    NO_ROUTE,
    PACKET,
    PACKET_MOST,
    PING,
    TTL_ENDED,
    UPDATE,
    WENT_WRONG,
    Answer,
    Attach,
    Packet,
    Prefix,
    TableChanged,
    address_from,
    address_of,
    address_text,
    ask_of_change,
    lan_of,
    link_text,
    longest,
    peer_of,
    prefix_of,
    prefix_text,
    rate_of,
)
from .path_vector import PathVector

JOIN_US = 5_000_000
LINKS_TOLD = 20
"""The most links of one router that the inspector lists one by one."""


class Speaker(Protocol):
    """What each of the three protocols does for a router. They are components of it."""

    def begin(self, host: Host) -> None:
        """The router starts."""

    def up(self, host: Host, neighbour: PeerId, cause: Cause) -> None:
        """There is a link with a neighbour."""

    def down(self, host: Host, neighbour: PeerId, cause: Cause) -> None:
        """The link with a neighbour is gone."""

    def announce(self, host: Host, prefix: Prefix, cause: Cause, *, behind: bool = False) -> None:
        """Tell that a prefix is attached to this router, whether it is true or not. behind: whether it is the network
        of a host, one link away."""

    def withdraw(self, host: Host, prefix: Prefix, cause: Cause) -> None:
        """Tell that a prefix is not attached to this router any more."""

    def lie(self, host: Host, lies: bool, cause: Cause) -> None:
        """lies: tell from now on that this router is next to everything; else tell the truth again."""

    def next_hop(self, address: int) -> PeerId | None:
        """The neighbour to which a packet goes, `HERE` where it has arrived, None without a route."""

    def routes(self) -> list[tuple[Prefix, PeerId, int]]:
        """(destination, next hop, distance) of all routes that can be used."""

    def changes(self) -> int:
        """How often a route has changed."""

    def link_to(self, neighbour: PeerId) -> str:
        """The link with a neighbour in some words: its cost, or who pays whom."""


@dataclass(slots=True)
class ColdStart:
    """The run begins: routers that have no tables yet meet their neighbours."""


@dataclass(slots=True)
class Look:
    """Time to see whether the next hop to the chosen destination has changed."""


@dataclass(slots=True)
class FindRouter:
    """Time to look for a router to be linked with."""


@dataclass(slots=True)
class RoutingOptions:
    """Which protocol the routers speak, and what is common to all three."""

    protocol: Literal["distance vector", "link state", "path vector"] = option(
        "distance vector", "what routers speak: RIP 2, OSPF or BGP", fixed=True
    )
    cold: bool = option(False, "whether tables are empty when the run begins, and not complete", fixed=True)
    detect: Literal["carrier", "timers"] = option(
        "carrier", "how a router notices that a link is down: at once, or when nothing was heard for long enough"
    )
    hosts_share: float = option(0.25, "share of the peers that are hosts behind routers", low=0.0, high=0.9, fixed=True)
    uplinks: int = option(2, "routers that a new router is linked with", low=1, high=8, unit="routers")
    ttl: int = option(64, "routers that a packet may pass", low=1, high=255, unit="routers")
    slowest_kbit_s: int = option(
        0, "capacity of the slowest links, in kbit/s; 0: links take all at once", low=0, high=100_000_000, fixed=True
    )
    fastest_kbit_s: int = option(
        0,
        "capacity of the fastest links at most, in kbit/s: each link has that of the slowest or 2, 4, 8, ... times as "
        "much, drawn at random; 0: all are as slow as the slowest",
        low=0,
        high=100_000_000,
        fixed=True,
    )
    buffer_bytes: int = option(
        65_536,
        "what waits at a router for one link at most; further packets are dropped",
        low=0,
        high=100_000_000,
        fixed=True,
    )
    packet_bytes: int = option(PING, "size of the packets that users send", low=HEADERS, high=PACKET_MOST)
    towards: int = option(0, "the peer to which the next hops of all are drawn", low=0, high=1_000_000, unit="number")


def random_name(titles: Sequence[str], rng: Rng, now_us: int) -> str:
    """The text of a background ask: a name."""
    return f"name {rng.randrange(10_000)}"


@dataclass(slots=True, eq=False)
class Router(Peer, name="routing", options=RoutingOptions):
    """A router. `links`: the routers that it has a link with, `hosts`: those behind it; `prefixes`: what it announces;
    `shown_hop`: the next hop that is drawn (-1: none) and the destination; `routers`: those that a newcomer may be
    linked with; `seeking`: the timer to try some of these is set; `rates`: capacities of its links in kbit/s, if they
    have any."""

    role = "router"
    goals = (replace(PACKET, draw=random_name),)
    reach = "links"
    has_all = True
    shares_files = False
    shows = (
        Shown("routes", "destinations that it has a route to", "count"),
        Shown("changes", "changes of its routes since it started", "count"),
        Shown("distance", "how far away the chosen destination is by its table: links, cost or systems", "number"),
        Shown("way", "what it knows of the chosen destination", "category", ("is here", "has a route", "no route")),
        Shown("origin", "path vector: who announces the chosen destination, as it has heard", "category"),
    )

    rip: DistanceVector = component(DistanceVector)
    ospf: LinkState = component(LinkState)
    bgp: PathVector = component(PathVector)
    links: dict[PeerId, None] = field(default_factory=dict)
    hosts: dict[PeerId, None] = field(default_factory=dict)
    prefixes: dict[Prefix, None] = field(default_factory=dict)
    speaks: str = ""
    destination: PeerId = 0
    shown_hop: tuple[PeerId, PeerId] = (-1, -1)
    routers: Sequence[PeerId] = ()
    newcomer: bool = False
    seeking: bool = False
    lies: bool = False
    rates: dict[PeerId, int] = field(default_factory=dict)

    @classmethod
    def cast(cls, options: RoutingOptions, members: Sequence[Candidate], rng: Rng) -> Sequence[type[Peer]]:
        return [EndHost if rng.random() < options.hosts_share and one.id else Router for one in members]

    @classmethod
    def converge(cls, world: NetworkStart, options: RoutingOptions, rng: Rng) -> None:
        """Hosts are put behind routers, and tables filled."""
        converge(world, options)

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: RoutingOptions) -> Sequence[Theory]:
        """An LSA goes over each link in both directions, but not back to where a router first had it from."""
        if facts["goal"] != UPDATE.name or options.protocol != "link state" or options.hosts_share:
            return ()
        routers = facts["living"] + 1
        sent = facts["mean_degree"] * routers - (routers - 1)
        return (Theory("messages of one LSA", sent, "2 L - (n - 1), L links between n routers"),)

    @classmethod
    def horizon(cls, options: RoutingOptions) -> int | None:
        return options.ttl

    @classmethod
    def verdict(cls, facts: Facts, options: RoutingOptions) -> str | None:
        return update_verdict(facts) if facts.goal == UPDATE.name else packet_verdict(facts)

    @property
    def speaker(self) -> Speaker:
        """The protocol."""
        if self.speaks == "path vector":
            return self.bgp
        return self.ospf if self.speaks == "link state" else self.rip

    # --- links -----------------------------------------------------------------------------------------------------

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.speaks, self.destination = host.options.protocol, host.options.towards
        self.routers = tuple(contacts)
        self.newcomer = bool(host.now_us)
        self.prefixes[lan_of(host.me)] = None
        self.speaker.begin(host)
        self.speaker.announce(host, lan_of(host.me), 0)
        host.every(1_000_000, Look())

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        """Take these links as they are. At t = 0 nothing is sent: `converge` does the rest."""
        if not host.now_us:
            self.links = dict.fromkeys(links)
            host.after(0, ColdStart(), cause=None)
            return
        if links:
            for one in links:
                self.add_link(host, one)
        else:
            self.join(host, FindRouter())

    @on(ColdStart)
    def cold(self, host: Host, tick: ColdStart) -> None:
        """The tables are filled from here, unless the run began with full ones."""
        if host.options.cold:
            cause = ask_of_change(host, "all routers start", "all start")
            self.speaker.announce(host, lan_of(host.me), cause)
            for one in self.hosts:
                self.speaker.announce(host, lan_of(one), cause, behind=True)
            for one in self.links:
                self.speaker.up(host, one, cause)
        self.show_next_hop(host)

    def add_link(self, host: Host, peer: PeerId) -> None:
        """Add a link. The peer at its other end is taken for a router until it says otherwise (`Attach`)."""
        if peer not in self.links and peer not in self.hosts and len(self.links) < LINKS_MOST:
            self.links[peer] = None
            self.rates[peer] = limit(host, peer)
            link = link_text(host.me, peer)
            self.speaker.up(host, peer, ask_of_change(host, f"link {link} is up", "up", link))

    def opened(self, host: Host, peer: PeerId) -> None:
        self.add_link(host, peer)

    def closed(self, host: Host, peer: PeerId) -> None:
        self.rates.pop(peer, None)
        if peer in self.hosts:
            del self.hosts[peer]
            self.prefixes.pop(lan_of(peer), None)
            self.speaker.withdraw(host, lan_of(peer), ask_of_change(host, f"#{peer} is gone", "host", peer))
        elif peer in self.links:
            del self.links[peer]
            if host.options.detect == "carrier":
                link = link_text(host.me, peer)
                self.speaker.down(host, peer, ask_of_change(host, f"link {link} is down", "down", link))
        self.show_next_hop(host)
        if self.newcomer and not self.links:
            self.seek_later(host)

    @on(Attach)
    def attach(self, host: Host, sender: PeerId, message: Attach) -> None:
        """The peer at the other end of this link is a host."""
        if sender in self.links:
            del self.links[sender]
            cause = ask_of_change(host, f"#{sender} is behind #{host.me}", "host", sender)
            self.speaker.down(host, sender, cause)
            self.hosts[sender] = None
            self.prefixes[lan_of(sender)] = None
            self.speaker.announce(host, lan_of(sender), cause, behind=True)

    def seek_later(self, host: Host) -> None:
        if not self.seeking:
            self.seeking = True
            host.after(JOIN_US, FindRouter(), cause=None)

    @on(FindRouter)
    def join(self, host: Host, tick: FindRouter) -> None:
        """A newcomer is linked with some routers that it was told of, and tries others if they are not there."""
        self.seeking = False
        others = [one for one in self.routers if one not in self.links and one != host.me]
        for one in some_of(others, host.options.uplinks - len(self.links), host.rng):
            host.link(one)
        if others and not self.links:
            self.seek_later(host)

    # --- packets ---------------------------------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        options = host.options
        self.route(host, Packet(host.me, address_from(ask.text) or 0, ask.text, options.ttl, options.packet_bytes))

    @on(Packet)
    def passing(self, host: Host, sender: PeerId, message: Packet) -> None:
        if sender in self.links or sender in self.hosts:
            self.route(host, message)

    def route(self, host: Host, packet: Packet) -> None:
        """Pass a packet on to the next hop, or answer it. The router's own address is looked up in the table as all
        others are, so that a longer prefix of another router has effect there too."""
        to = packet.to or self.look_up(packet.name, packet.source)
        hop = self.hop_to(to)
        if hop == HERE and peer_of(to) in self.hosts:
            host.send(peer_of(to), replace(packet, to=to))
        elif hop == HERE:
            self.answer(host, packet, to, NO_HOST if longest(self.prefixes, to) is None else ARRIVED)
        elif hop is None:
            self.answer(host, packet, to, NO_ROUTE)
        elif packet.ttl <= 1:
            self.answer(host, packet, to, TTL_ENDED)
        else:
            host.send(hop, replace(packet, to=to, ttl=packet.ttl - 1))

    def hop_to(self, address: int) -> PeerId | None:
        """The neighbour to which a packet goes, `HERE` where it has arrived; None without a route, or where the link
        with the neighbour is down."""
        hop = self.speaker.next_hop(address) if 0 < address < 1 << 32 else None
        return hop if hop == HERE or hop in self.links else None

    def look_up(self, name: str, source: PeerId) -> int:
        """The address of a name: that of one of the destinations that it has a route to, but not of `source` itself.
        0 if there is none."""
        own = lan_of(source)
        found = sorted(prefix for prefix, _, _ in self.speaker.routes() if prefix != own)
        number = int.from_bytes(sha1(name.encode("utf-8", "replace")).digest()[:8])
        return (found[number % len(found)] >> 6) + 1 if found else 0

    @classmethod
    def needs(
        cls, text: str, goal: str, origin: PeerId, programs: Sequence[Peer | None], options: RoutingOptions
    ) -> Sequence[Need]:
        """The peer that has the address (of a name: the address that the first router finds for it), and each router
        that the packet and its answer pass, by the tables as they are."""
        asker, address = programs[origin], address_from(text) or 0
        if isinstance(asker, EndHost) and peer_of(address) == origin:
            return ()
        first = asker.gateway if isinstance(asker, EndHost) else origin
        near = programs[first] if first >= 0 else None
        if not isinstance(near, Router):
            return (Need("gateway", ()),)
        address = address or near.look_up(text, origin)
        owner = peer_of(address)
        there = routers_passed(programs, first, address, options.ttl)
        back = routers_passed(programs, there[-1], address_of(origin), options.ttl, answer=True) if there else ()
        made = [Need("peer of that address", (owner,) if 0 <= owner < len(programs) else ())]
        if not back:
            made.append(Need("route there and back", ()))
        others = [one for one in dict.fromkeys((*there, *back)) if one not in (origin, owner)]
        return made + [Need("router that packets pass now", (one,)) for one in others]

    def answer(self, host: Host, packet: Packet, asked: int, wrong: int) -> None:
        """Answer a packet. asked: the address that it was sent to; wrong: `ARRIVED`, or why it goes no further (an
        index of `WENT_WRONG`)."""
        if wrong:
            host.log(
                "packet dropped", why=WENT_WRONG[wrong].format(f"#{host.me}"), to=address_text(asked), ttl=packet.ttl
            )
        hops = max(0, host.options.ttl - packet.ttl)
        if packet.source == host.me:
            report_answer(host, Answer(host.me, address_of(host.me), packet.name, 1, asked, wrong, hops))
        else:
            back = Answer(
                host.me, address_of(packet.source), packet.name, host.options.ttl, asked, wrong, hops, packet.size
            )
            self.pass_answer(host, back)

    @on(Answer)
    def answered(self, host: Host, sender: PeerId, message: Answer) -> None:
        if sender in self.links or sender in self.hosts:
            self.pass_answer(host, message)

    def pass_answer(self, host: Host, message: Answer) -> None:
        """Pass an answer on, or report it to the user. An answer without a route is dropped."""
        hop = self.hop_to(message.to)
        if peer_of(message.to) == host.me:
            report_answer(host, message)
        elif hop == HERE and peer_of(message.to) in self.hosts:
            host.send(peer_of(message.to), message)
        elif hop is None or hop == HERE or message.ttl <= 1:
            why = NO_HOST if hop == HERE else TTL_ENDED if message.ttl <= 1 else NO_ROUTE
            host.log(
                "answer dropped", why=WENT_WRONG[why].format(f"#{host.me}"), to=address_text(message.to & 0xFFFFFFFF)
            )
        else:
            host.send(hop, replace(message, ttl=message.ttl - 1))

    # --- what a person does and sees -------------------------------------------------------------------------------

    @verb(
        "hijack",
        undo="withdraw",
        about="Announce addresses of somebody else: the network of a peer (#3), or a part of it (10.0.3.0/25).",
        values={"prefix": "e.g. 10.0.3.0/25"},
        checks={"prefix": prefix_of},
    )
    def hijack(self, host: Host, prefix: str) -> None:
        self.announce(host, prefix)

    @verb(
        "announce",
        undo="withdraw",
        about="Announce a prefix.",
        values={"prefix": "e.g. 10.0.3.0/24"},
        checks={"prefix": prefix_of},
    )
    def announce(self, host: Host, prefix: str) -> None:
        wanted = prefix_of(prefix)
        if len(self.prefixes) < LINKS_MOST:
            self.prefixes[wanted] = None
            what = prefix_text(wanted)
            self.speaker.announce(
                host, wanted, ask_of_change(host, f"#{host.me} announces {what}", "prefix", host.me, wanted)
            )

    @verb(
        "withdraw",
        about="Do not announce a prefix any more.",
        values={"prefix": "e.g. 10.0.3.0/25"},
        checks={"prefix": prefix_of},
    )
    def withdraw(self, host: Host, prefix: str) -> None:
        wanted = prefix_of(prefix)
        if wanted in self.prefixes:
            del self.prefixes[wanted]
            what = prefix_text(wanted)
            self.speaker.withdraw(
                host, wanted, ask_of_change(host, f"#{host.me} withdraws {what}", "prefix", host.me, wanted)
            )

    @verb(
        "lie",
        undo="tell-the-truth",
        about="It tells its neighbours that it is next to every destination.",
        why_not=lambda peer: "it lies already" if peer.lies else None,
    )
    def lie(self, host: Host) -> None:
        self.lies = True
        self.speaker.lie(host, True, ask_of_change(host, f"#{host.me} lies", "lie", host.me))

    @verb(
        "tell-the-truth",
        undo="lie",
        about="It tells its neighbours its true distances again.",
        why_not=lambda peer: None if peer.lies else "it tells the truth",
    )
    def tell_the_truth(self, host: Host) -> None:
        self.lies = False
        self.speaker.lie(host, False, ask_of_change(host, f"#{host.me} tells the truth", "lie", host.me))

    @on(Look)
    def look(self, host: Host, tick: Look) -> None:
        self.show_next_hop(host)

    @on(TableChanged)
    def changed(self, host: Host, value: TableChanged) -> None:
        self.show_next_hop(host)

    def show_next_hop(self, host: Host) -> None:
        """Draw the link over which a packet to the chosen destination goes, if it has changed."""
        self.destination = host.options.towards
        hop = self.hop_to(address_of(self.destination))
        hop = self.destination if hop == HERE and self.destination in self.hosts else hop
        hop = -1 if hop is None or hop == HERE else hop
        if (hop, self.destination) != self.shown_hop:
            host.path("next hop", (hop,) if hop >= 0 else (), f"to #{self.destination}", onward=True)
            self.shown_hop = (hop, self.destination)

    def shown(self) -> tuple[float | str, ...]:
        routes = self.speaker.routes()
        hop = self.speaker.next_hop(address_of(self.destination))
        far = [metric for prefix, _, metric in routes if prefix == lan_of(self.destination)]
        way = "no route" if hop is None else "is here" if hop == HERE else "has a route"
        origin = self.bgp.origin(address_of(self.destination)) if self.speaks == "path vector" else None
        announces = "" if origin is None else f"#{origin}"
        return len(routes), self.speaker.changes(), far[0] if far else float("nan"), way, announces

    def capacity(self, neighbour: PeerId) -> str:
        """The capacity of a link as it is shown after its cost; "" if it has none."""
        rate = self.rates.get(neighbour)
        return f" ({rate:,} kbit/s)" if rate else ""

    def beliefs(self) -> Beliefs:
        """Its links and its table: for each destination the next hop and the distance."""
        known: dict[PeerId, Belief] = {}
        more: list[str] = []
        for prefix, hop, metric in self.speaker.routes():
            over = "attached" if hop == HERE else f"by way of #{hop}"
            cost = f", cost {metric}" if self.speaks == "link state" and metric else ""
            owner = peer_of(prefix >> 6)
            if prefix == lan_of(owner):
                hops = metric if self.speaks == "distance vector" else None
                known[owner] = Belief(None, over + cost, True, hops=hops)
            else:
                more.append(f"{prefix_text(prefix)} {over}")
        links = [f"#{one} {self.speaker.link_to(one)}{self.capacity(one)}" for one in self.links]
        facts = {
            "speaks": self.speaks,
            "announces": ", ".join(map(prefix_text, self.prefixes)),
            "links": ", ".join(links[:LINKS_TOLD]) + (", …" if len(links) > LINKS_TOLD else ""),
        }
        return Beliefs(known, facts | ({"further routes": ", ".join(sorted(more))} if more else {}))


@dataclass(slots=True, eq=False)
class EndHost(Peer):
    """A host behind a router: it sends all packets to its gateway (-1: it has none). `trying`: the router that it wants
    to be linked with; `links`: those of the topology, until it has a gateway; `seeking`: the timer to try a router is
    set."""

    role = "host"
    goals = Router.goals
    reach = "links"
    has_all = True
    shares_files = False

    links: dict[PeerId, None] = field(default_factory=dict)
    gateway: PeerId = -1
    trying: PeerId = -1
    routers: Sequence[PeerId] = ()
    seeking: bool = False

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.routers = tuple(contacts)

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        """The first link leads to its gateway, if that is a router. At t = 0 `converge` decides."""
        if not host.now_us:
            self.links = dict.fromkeys(links)
            return
        for one in links[1:]:
            host.unlink(one)
        if links:
            self.trying = links[0]
            self.opened(host, links[0])
        else:
            self.join(host, FindRouter())

    def seek_later(self, host: Host) -> None:
        if not self.seeking:
            self.seeking = True
            host.after(JOIN_US, FindRouter(), cause=None)

    @on(FindRouter)
    def join(self, host: Host, tick: FindRouter) -> None:
        """Try a router that it was told of, until it has a gateway."""
        self.seeking = False
        if self.gateway < 0 and self.routers:
            self.trying = host.rng.choice(self.routers)
            host.link(self.trying)
            self.seek_later(host)

    def opened(self, host: Host, peer: PeerId) -> None:
        """Take the peer as the gateway, if it is the one that was tried; a host keeps no other link."""
        if peer == self.trying and self.gateway in (-1, peer):
            self.gateway = peer
            limit(host, peer)
            host.send(peer, Attach())
        elif peer != self.gateway:
            host.unlink(peer)

    @on(Attach)
    def no_router(self, host: Host, sender: PeerId, message: Attach) -> None:
        """The peer at the other end is a host too, and takes this one for a router."""
        if sender == self.gateway:
            self.gateway = -1
        host.unlink(sender)
        self.seek_later(host)

    def closed(self, host: Host, peer: PeerId) -> None:
        if peer == self.gateway:
            # The link comes back if its other end does; else another router is looked for.
            self.gateway, self.trying = -1, peer
            self.seek_later(host)

    def joined(self, links: Sequence[PeerId]) -> bool:
        return self.gateway >= 0

    def ask(self, host: Host, ask: Ask) -> None:
        to = address_from(ask.text) or 0
        if peer_of(to) == host.me:
            report_answer(host, Answer(host.me, to, ask.text, 1, to, ARRIVED, 0))
        elif self.gateway < 0:
            host.failed("the host has no gateway")
        else:
            host.send(self.gateway, Packet(host.me, to, ask.text, host.options.ttl, host.options.packet_bytes))

    @on(Packet)
    def arrived(self, host: Host, sender: PeerId, message: Packet) -> None:
        if sender == self.gateway:
            hops = max(0, host.options.ttl - message.ttl) + 1
            to = address_of(message.source)
            ttl, size = host.options.ttl, message.size
            host.send(sender, Answer(host.me, to, message.name, ttl, message.to, ARRIVED, hops, size))

    @on(Answer)
    def answered(self, host: Host, sender: PeerId, message: Answer) -> None:
        if sender == self.gateway and peer_of(message.to) == host.me:
            report_answer(host, message)

    def beliefs(self) -> Beliefs:
        gateway = [self.gateway] if self.gateway >= 0 else []
        return Beliefs.of(gateway, "gateway", {"speaks": "no routing protocol: it is a host"})


def limit(host: Host, peer: PeerId) -> int:
    """Limit what is sent over a link to its capacity, if links have one. Returns it in kbit/s, 0 for none."""
    options = host.options
    if not options.slowest_kbit_s:
        return 0
    rate = rate_of(host.address(host.me), host.address(peer), options.slowest_kbit_s, options.fastest_kbit_s)
    host.limit(peer, rate, options.buffer_bytes)
    return rate


def routers_passed(
    programs: Sequence[Peer | None], router: PeerId, address: int, ttl: int, *, answer: bool = False
) -> tuple[PeerId, ...]:
    """The routers that a packet or an answer passes, by the tables as they are, from `router` to the one that has the
    address or has its host behind it, both included; none if it does not come there. See `Router.route` and
    `Router.pass_answer`."""
    owner = peer_of(address)
    found: list[PeerId] = []
    while len(found) < ttl:
        at = programs[router]
        if not isinstance(at, Router):
            break
        found.append(router)
        hop = at.hop_to(address)
        if (answer and owner == router) or (hop == HERE and (owner == router or owner in at.hosts)):
            return tuple(found)
        if hop is None or hop == HERE:
            break
        router = hop
    return ()


def report_answer(host: Host, answer: Answer) -> None:
    """Report to the ask of the peer that sent a packet what became of it."""
    if not 0 <= answer.wrong < len(WENT_WRONG):
        return
    if answer.wrong:
        host.failed(WENT_WRONG[answer.wrong].format(f"#{answer.source}"))
    elif peer_of(answer.asked) == answer.source:
        host.hit(answer.source, answer.name)
    else:
        host.decoy(answer.source, answer.name)


# --- what became of an ask -----------------------------------------------------------------------------------------


def packet_verdict(facts: Facts) -> str:
    """What became of a packet."""
    passed = "1 link" if facts.hops == 1 else f"{facts.hops} links"
    if facts.hits:
        if not facts.hops:
            return "It was for the sender itself."
        shortest, way = facts.shortest, "the way has as many links as the shortest one"
        if shortest is None:
            way = "no way leads there any more"
        elif shortest and shortest < facts.hops:
            way = f"the shortest way has {shortest}: {facts.hops / shortest:.2f} times as many"
        return f"The packet arrived over {passed}, and was answered; {way}."
    if facts.decoys and not facts.hops:
        return "The sender itself announces this address, which is not its own."
    if facts.decoys:
        return f"The packet came to a router that announces addresses which are not its own, over {passed}."
    if facts.trouble:
        return f"No answer: the sender {facts.trouble}."
    if facts.setback:
        return f"Not delivered: {facts.setback}."
    came = f"came as far as {passed} away" if facts.hops else "did not get over its first link"
    return f"No answer: the packet {came}{lost_text(facts, 'it or its answer was lost')}."


def update_verdict(facts: Facts) -> str:
    """How far the news of a change went, and for how long."""
    if not facts.reached:
        return f"Nobody was told of it{lost_text(facts, 'messages were lost')}."
    far = "1 link" if facts.hops == 1 else f"{facts.hops} links"
    routers = "1 router was" if facts.reached == 1 else f"{facts.reached:,} routers were"
    return f"{routers} told of it, up to {far} away; after {facts.lasted_s:.3g} s nobody had more to tell."


def lost_text(facts: Facts, what: str) -> str:
    """The number of lost messages by reason, after `what`; "" if none was lost."""
    why = ", ".join(f"{reason}: {count:,}" for reason, count in facts.losses.items())
    return f"; {what} ({why})" if why else ""


# --- the beginning of a run ----------------------------------------------------------------------------------------


def converge(world: NetworkStart, options: RoutingOptions) -> None:
    """Put each host behind one router, so that no way leads through a host, and fill the tables as they would be after
    a long time.

    The gateway of a host is the first router among the peers that it has links with. That router gets the other links
    of the host (the link between the two is contracted), so routers that were connected through the host stay
    connected."""
    routers: dict[PeerId, Router] = {one.id: one.peer for one in world.members if isinstance(one.peer, Router)}
    hosts: dict[PeerId, EndHost] = {one.id: one.peer for one in world.members if isinstance(one.peer, EndHost)}
    before = {one.id: dict(one.peer.links) for one in world.members}
    near = behind_routers(before, routers, hosts)
    for one in world.members:
        for other in before[one.id]:
            if one.id < other and other not in near[one.id]:
                one.host.unlink(other)
        for other in near[one.id]:
            if one.id < other and other not in before[one.id]:
                one.host.link(other)
            rate = limit(one.host, other)
            if isinstance(one.peer, Router):
                one.peer.rates[other] = rate
    for me, router in routers.items():
        router.links = {one: None for one in near[me] if one in routers}
        router.hosts = {one: None for one in near[me] if one in hosts}
        router.prefixes.update((lan_of(one), None) for one in router.hosts)
    for me, end in hosts.items():
        end.links = {}
        end.gateway = next(iter(near[me]), -1)
    if options.protocol == "path vector":
        PathVector.fill({me: router.bgp for me, router in routers.items()}, routers, options.cold)
    elif options.cold:
        return
    elif options.protocol == "distance vector":
        inside = {one.id: one.host.inside(one.peer.rip) for one in world.of(Router)}
        DistanceVector.fill({me: router.rip for me, router in routers.items()}, routers, inside)
    else:
        inside = {one.id: one.host.inside(one.peer.ospf) for one in world.of(Router)}
        LinkState.fill({me: router.ospf for me, router in routers.items()}, routers, inside)


def behind_routers(
    links: Mapping[PeerId, Mapping[PeerId, None]], routers: Container[PeerId], hosts: Iterable[PeerId]
) -> dict[PeerId, dict[PeerId, None]]:
    """The links of all peers when each host has only the one with its gateway, which has taken over its other links."""
    near = {me: dict.fromkeys(sorted(others)) for me, others in links.items()}
    left, count = list(hosts), -1
    while len(left) != count:
        count = len(left)
        for me in left:
            gateway = next((one for one in near[me] if one in routers), None)
            if gateway is None:
                continue
            for other in list(near[me]):
                if other != gateway:
                    del near[me][other], near[other][me]
                    near[gateway][other] = near[other][gateway] = None
        left = [me for me in left if not any(one in routers for one in near[me])]
    for me in left:
        for other in list(near[me]):
            del near[me][other], near[other][me]
    return near
