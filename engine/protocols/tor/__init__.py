"""Tor

A client fetches a page over a circuit of three relays. Each relay takes one layer of encryption off what comes from the
client and adds one to what goes back, so each knows its two neighbours and nothing else: the guard knows who the client
is, the exit knows what is visited, and the one between them neither. Directory authorities vote on the list of all
relays (the consensus), from which clients choose relays at random, in proportion to their bandwidth. A client keeps to
a few guards for months: whoever watches a share c of the relays sees both ends of one circuit with a chance of c²; with
new guards for each circuit every client would be seen sooner or later, with fixed ones most never are.

An ask fetches a page from the website, which has every page. No relay but the exit can read what a cell is about: so a
relay that bans a word can suppress only what leaves by it as an exit. Bridges are relays that are in no public list.

Things to try: select a client, and see its circuits as lines over three relays. Watch some relays (menu of a relay, or
the attack "role" with the means `watch`): the frame of the asks counts what the watcher knows, and `guards=0` draws the
first relay anew for each circuit. Kill all guards, or all exits. Set `consensus_s=20`, restart, kill the authorities,
and see for how long the last consensus is used. Block the clients of a city (attack "city", means `block`), let them
use bridges (means `use-bridges`), and let other clients `spy` until all bridges are found. Set `page_kb=2000`: at most
500 cells of a page are under way, and SENDME lets further ones through.

Sources: Dingledine, Mathewson and Syverson, "Tor: The Second-Generation Onion Router", USENIX Security 2004; tor-spec,
dir-spec, path-spec, guard-spec and padding-spec. What is modelled: keys are numbers that only their owners read; times
of a period (votes for a sixth of it, fresh for one, valid for three, used for 24 more) follow `consensus_s`; hidden
services, directory mirrors that are known beforehand and congestion control are left out.
"""

# `messages.py`: cells and documents. `consensus.py`: weights and choice of relays. `guards.py`: guards and build times.
# `windows.py`: flow control. `onion.py`: links, circuits and pages of clients and relays. `relays.py`: what relays do.
# `directory.py`: authorities, distributor of bridges, website. `odds.py`: closed forms. Clients, the cast and the
# options are here.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...api import (
    PUBLISH,
    Candidate,
    Facts,
    Host,
    Need,
    NetworkStart,
    Peer,
    PeerId,
    Rng,
    Shown,
    Station,
    Theory,
    on,
    option,
    switch,
)
from . import onion
from .directory import Authority, Distributor, Known, Website, voted
from .messages import RELAYS_MOST, Consensus
from .onion import BY_BRIDGE, CIRCUITS_MOST, CLIENT, HOPS, PAGE, SECOND_US, SITE, WATCHER, SpyDue
from .relays import Bridge, ExitRouter, OnionRouter

AUTHORITIES = ("moria1", "tor26", "dizum", "gabelmoo", "dannenberg", "maatuska", "longclaw", "bastet", "faravahar")
ENTRIES = ("guard", "bridge", "blocked", "blocked, by a bridge")


@dataclass(slots=True)
class TorOptions:
    """Who takes part, and the figures of the specifications, where they are not fixed in them."""

    relay_share: float = option(0.4, "share of the peers that are relays", low=0.0, high=0.95, fixed=True)
    exit_share: float = option(0.3, "share of the relays that are exits", low=0.0, high=1.0, fixed=True)
    bridge_share: float = option(0.05, "share of the peers that are bridges", low=0.0, high=0.5, fixed=True)
    family_share: float = option(0.2, "share of the relays that belong to a family", low=0.0, high=1.0, fixed=True)
    authorities: int = option(9, "directory authorities", low=1, high=9, unit="authorities", fixed=True)
    consensus_s: float = option(3_600.0, "time between two consensuses, in s", low=2.0, high=86_400.0, fixed=True)
    page_kb: float = option(10.0, "size of a page, in KB of 1,000 bytes", low=0.1, high=1e6)
    guards: int = option(
        1, "guards in use; 0: the first relay is drawn for each circuit", low=0, high=20, unit="guards"
    )
    guard_days: float = option(120.0, "how long a client keeps a guard, in days", low=0.001, high=10_000.0)
    ready_circuits: int = option(2, "circuits that a client has ready", low=0, high=CIRCUITS_MOST, unit="circuits")
    dirtiness_s: float = option(600.0, "how long a circuit takes new streams after its first, in s", low=1.0)
    learn_s: float = option(0.0, "time between circuits that are built to measure the time, in s; 0: none", low=0.0)
    connect_s: float = option(15.0, "how long a link may take to open a step further, in s", low=0.1, high=120.0)
    stream_s: float = option(10.0, "how long a stream may be silent before another circuit is tried, in s", low=0.5)
    give_up_s: float = option(120.0, "how long an application waits for a page, in s", low=1.0, high=280.0)
    handshake_ms: float = option(0.2, "time that a relay takes for a handshake, in ms", low=0.0, high=1_000.0)
    link_padding: bool = option(False, "links between clients and guards are padded (padding-spec 2)")
    bridges_told: int = option(3, "bridges that a client is told of", low=1, high=50, unit="bridges")
    bridge_period_s: float = option(10_800.0, "how long a network is told of the same bridges, in s", low=1.0)


@dataclass(slots=True, eq=False)
class OnionProxy(onion.OnionPeer, name="tor", options=TorOptions):
    """A client."""

    role = "client"
    roles = ("client", "guard", "middle", "exit", "bridge")
    goals = (PAGE, BY_BRIDGE)
    remark_keys = (WATCHER,)
    shows = (
        Shown("circuits", "circuits of its own that are open", "count"),
        Shown("pages", "pages that it has fetched", "count"),
        Shown("entry", "how it enters the network", "category", ENTRIES),
    )

    walled: bool = switch(
        "block",
        "unblock",
        about="A firewall lets nothing through from it to relays of the public list, nor to bridges that were found.",
        off_about="No firewall is in its way any more.",
        then="firewall_switched",
    )
    use_bridges: bool = switch(
        "use-bridges",
        "use-guards",
        about="It asks the distributor for bridges, and enters the network by them.",
        off_about="It enters the network by its guards.",
        then="entry_switched",
    )
    spying: bool = switch(
        "spy",
        "stop-spying",
        about="It asks for bridges again and again, and has the firewall block all that it is told of.",
        off_about="It asks for no more bridges; those that were found stay blocked.",
        then="spying_switched",
    )

    # --- the network --------------------------------------------------------------------------------------------

    @classmethod
    def needs(
        cls, text: str, goal: str, origin: PeerId, programs: Sequence[Peer | None], options: TorOptions
    ) -> Sequence[Need]:
        """The website, an exit, and a relay to enter by, as the asker's consensus lists them; an authority, if it has
        no consensus. For a visit by a bridge, a client that does not always use bridges has to be told of bridges
        first."""
        asker = programs[origin]
        made = [Need("website", tuple(peer for peer, one in enumerate(programs) if isinstance(one, Website)))]
        if not isinstance(asker, onion.OnionPeer):
            return made
        relays = asker.consensus.relays if asker.consensus is not None else ()
        listed = [one for one in relays if one.peer != origin and programs[one.peer] is not None]
        if asker.use_bridges and not asker.is_relay:
            made.append(Need("bridge that it knows", asker.bridges))
        elif goal == BY_BRIDGE.name and not asker.is_relay:
            sites = {peer: one for peer, one in enumerate(programs) if isinstance(one, Distributor)}
            made.append(Need("bridge distributor", tuple(sites)))
            # It is told of some of all bridges; if it was told of some already, it is told of the same again.
            there = asker.bridges or tuple(dict.fromkeys(one for site in sites.values() for one in site.bridges))
            if sites:
                made.append(Need("bridge that it is told of", there))
        elif asker.consensus is None:
            made.append(Need("directory authority", asker.authorities))
        elif options.guards:
            made.append(Need("guard", tuple(one.peer for one in listed if one.guard)))
        if asker.consensus is not None:
            made.append(Need("exit", tuple(one.peer for one in listed if one.exit)))
        return made

    def brought(self, text: str, goal: str) -> str:
        """How many bridges it was told of for a visit."""
        if goal != BY_BRIDGE.name or self.use_bridges or not self.bridges:
            return ""
        return "1 bridge" if len(self.bridges) == 1 else f"{len(self.bridges)} bridges"

    @classmethod
    def stations(cls, options: TorOptions, peers: int) -> Sequence[Station]:
        """The website, the distributor of bridges, and the authorities, each under an operator of its own."""
        return [
            Station(Website, "website", "website"),
            Station(Distributor, "bridgedb", "bridgedb"),
            *(Station(Authority, name, name) for name in AUTHORITIES[: options.authorities]),
        ]

    @classmethod
    def cast(cls, options: TorOptions, members: Sequence[Candidate], rng: Rng) -> Sequence[type[Peer]]:
        """Choose which peers are relays (a share of them exits) and which are bridges; the others are clients. When the
        run begins the shares are exact, and at least five peers are relays, two of them exits, if there are so many; a
        peer behind a NAT is a client."""
        if len(members) == 1:
            drawn = rng.random()
            if members[0].line.nat or drawn >= options.relay_share + options.bridge_share:
                return (cls,)
            if drawn >= options.relay_share:
                return (Bridge,)
            return (ExitRouter if rng.random() < options.exit_share else OnionRouter,)
        able = [at for at, one in enumerate(members) if not one.line.nat]
        order = rng.sample(able, len(able))
        n = len(members)
        relays = min(len(order), max(round(options.relay_share * n), min(5, n - 1) if options.relay_share else 0))
        exits = min(relays, max(round(options.exit_share * relays), min(2, relays) if options.exit_share else 0))
        bridges = min(
            len(order) - relays, max(round(options.bridge_share * n), int(options.bridge_share > 0 and n > 8))
        )
        made: list[type[Peer]] = [cls] * n
        for at in order[:exits]:
            made[at] = ExitRouter
        for at in order[exits:relays]:
            made[at] = OnionRouter
        for at in order[relays : relays + bridges]:
            made[at] = Bridge
        return made

    @classmethod
    def converge(cls, world: NetworkStart, options: TorOptions, rng: Rng) -> None:
        """All have the consensus of this hour, the authorities know all relays, and the distributor all bridges."""
        described = {
            one.id: one.peer.descriptor(one.host)
            for one in world.of(OnionRouter)
            if not isinstance(one.peer, Bridge) and not one.line.nat
        }
        relays = voted(described)[:RELAYS_MOST]
        authorities = world.of(Authority)
        interval = int(options.consensus_s * 1e6)
        made = Consensus(0, interval, relays, tuple(one.id for one in authorities)) if authorities else None
        for one in authorities:
            one.peer.consensus = made
            one.peer.known = {peer: Known(each, 0, 0) for peer, each in described.items()}
        for one in world.of(Distributor):
            one.peer.bridges = {bridge.id: 0 for bridge in world.of(Bridge) if not bridge.line.nat}
        for one in world.of(onion.OnionPeer):
            one.peer.use_consensus(one.host, made, rng)

    @classmethod
    def verdict(cls, facts: Facts, options: TorOptions) -> str | None:
        """What became of a page, and what watchers of its relays know."""
        if facts.goal == PUBLISH.name:
            return None
        if facts.trouble and not facts.fetched:
            return None
        if not facts.fetched:
            return f"No page: {facts.setback or 'the client was still trying'}."
        seen = facts.remarks.get(WATCHER, ())
        if CLIENT in seen and SITE in seen:
            return "Fetched and linked from end to end: watched relays saw who asked, and what for."
        if seen:
            knows = "who asked, and not what for" if CLIENT in seen else "what was asked for, and not by whom"
            return f"Fetched; a watched relay saw {knows}."
        return f"Fetched over {'a bridge and two' if facts.goal == BY_BRIDGE.name else 'three'} relays."

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: TorOptions) -> Sequence[Theory]:
        """For an ask that finds an open circuit, and is served by the first exit."""
        if facts["goal"] == PUBLISH.name:
            return ()
        return (
            Theory("reached", HOPS + 1, "the relays of the circuit, and the website"),
            Theory("messages", 2 * (HOPS + 1), "BEGIN and the request, over each hop and to the website"),
        )

    # --- what a person does and sees ----------------------------------------------------------------------------------

    def firewall_switched(self, host: Host) -> None:
        """`walled` was switched. Behind a firewall it closes all links, those to bridges too: when they are opened
        again the bridge learns that they lead through the firewall. Without one it tries again guards and bridges that
        could not be reached."""
        for peer in list(self.channels) if self.walled else ():
            self.lost_link(host, peer)
        self.down = {}
        if not self.walled:
            self.guards.down.clear()
            self.build_later(host)

    def entry_switched(self, host: Host) -> None:
        """`use_bridges` was switched: build circuits by the other kind of entry."""
        self.failures = 0
        if self.use_bridges:
            self.want_bridges(host)
        self.build_missing(host)

    def spying_switched(self, host: Host) -> None:
        if self.spying:
            self.spy_now(host, SpyDue())

    @on(SpyDue)
    def spy_now(self, host: Host, tick: SpyDue) -> None:
        if self.spying:
            if not self.asking_bridges:
                self.ask_for_bridges(host)
            period_us = int(min(host.options.bridge_period_s, 600.0) * 1e6)
            host.after(max(SECOND_US, period_us), SpyDue(), cause=None)

    def shown(self) -> tuple[float | str, ...]:
        ways = ("bridge" if self.use_bridges else "guard", "blocked, by a bridge" if self.use_bridges else "blocked")
        return sum(one.open for one in self.circuits.values()), self.fetched, ways[self.walled]
