"""What clients and relays have in common: links, own circuits, pages, and the consensus (tor-spec, path-spec)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, ClassVar

from ...api import (
    FETCH,
    PUBLISH,
    Ask,
    Belief,
    Beliefs,
    CallEnd,
    Cause,
    Host,
    Peer,
    PeerId,
    Rng,
    Ticket,
    Timer,
    on,
    on_reply,
    on_timeout,
)
from ...kit import Failure, failed_again, may_be_asked, put_bounded
from .consensus import Relay, Table, path_from
from .guards import PRIMARY, BuildTimes, Guards
from .messages import (
    CHANNEL_CLOSED,
    CONNECT_FAILED,
    END_REFUSED,
    END_TIMEOUT,
    FINISHED,
    LINK_STEPS,
    PROTOCOL,
    REASONS,
    TIMEOUT,
    BeginStream,
    Body,
    Bridges,
    Connected,
    Consensus,
    Create2,
    Created2,
    Data,
    Destroy,
    End,
    Extend2,
    Extended2,
    FetchConsensus,
    LinkStep,
    LinkStepped,
    Onionskin,
    Padding,
    Probe,
    RelayAnswer,
    RelayCell,
    RelayControl,
    RelayData,
    RelayEarly,
    RelayRequest,
    Sendme,
    WantBridges,
    Wanted,
)
from .windows import Window

PAGE = replace(
    FETCH,
    verb="visit",
    about="Fetch a page from the website over a circuit.",
    success_s=10.0,
    audience="one",
    fetched=True,
    did="visited",
    one="website",
    what="a page: any name",
)
BY_BRIDGE = replace(
    PAGE, name="bridge", verb="visit by a bridge", about="Fetch a page over a circuit whose first relay is in no list."
)
HOPS = 3
SECOND_US = 1_000_000
BRIDGE_RETRY_US = 60 * SECOND_US
"""A bridge that could not be reached is tried again after a minute."""
HOUR_US = 3_600 * SECOND_US
KEEP_US = 10 * SECOND_US
"""Time between two looks at circuits, links and the consensus."""
IDLE_LINK_US = 180 * SECOND_US
"""A link without circuits is closed after three minutes."""
PAD_LEAST_S = 1.5
FETCH_TRIES = 4
"""Sources of a consensus that are asked at once one after the other, if they refuse."""
CIRCUITS_MOST, BUILDING_MOST = 12, 6
"""Circuits of a client that are open and clean, and that are being built, at most (path-spec 2.1)."""
RELAYED_MOST = 1_900
"""Ends of circuits that a relay has at a time, at most."""
EARLY_MOST = 8
STREAMS_MOST = 200
"""Pages of a client that are under way, and streams of one circuit at its exit, at most."""
STREAM_TRIES = 8
PAIRS_MOST = 200
"""Pairs of neighbours that a watcher remembers, at most."""
SEEN_CELLS = 4
"""With this many cells towards the client, the watcher of a guard knows that data flow: a circuit of three hops needs
two cells to be built and one to open a stream."""
WATCHER, CLIENT, SITE = "watcher", "client", "page"
"""The key of the remark on an ask, and its two values: the watcher knows who asked, or what for."""


# --- timers ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Keep:
    """Time to look at circuits, links, and the consensus."""


@dataclass(slots=True)
class BuildMore:
    """Time to build circuits that are missing, after a failure."""


@dataclass(slots=True)
class FetchNow:
    """Time to fetch a consensus."""


@dataclass(slots=True)
class CircuitSlow:
    """The time for building a circuit is over."""

    number: int


@dataclass(slots=True)
class StreamSlow:
    """The time for a stream on one circuit is over, unless more than `got` bytes have arrived: so many had when the
    timer was set."""

    number: int
    tries: int
    got: int


@dataclass(slots=True)
class GiveUp:
    """The application has waited long enough."""

    number: int


@dataclass(slots=True)
class Describe:
    """Time for a relay to send its descriptor."""


@dataclass(slots=True)
class SkinDone:
    """A handshake has been computed."""

    ticket: Ticket
    circuit: int


@dataclass(slots=True)
class PadDue:
    """Time to see whether padding is due on a link."""

    peer: PeerId


@dataclass(slots=True)
class SpyDue:
    """Time to ask for bridges again."""


# --- state -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Channel:
    """A link to another relay, or between client and guard.

    open      the handshake is done; relay: the other end has authenticated itself as one, or was called as one
    walled    the other end is behind a firewall
    waiting   circuits to open once the link is open: (onionskin, context of the call)
    used_us   when a cell last went over it; pad_at_us: when padding is due, -1 without padding
    """

    open: bool
    relay: bool
    walled: bool = False
    waiting: list[tuple[Onionskin, tuple[Any, ...]]] = field(default_factory=list)
    used_us: int = 0
    pad_at_us: int = -1


@dataclass(slots=True)
class Circuit:
    """One of a client's own circuits.

    path, keys  its relays, and the key that it shares with each; built: how many hops are built
    number      its number on the first link, -1 before that is open
    began_us, opened_us, dirty_us
                when it was begun, opened and first used; -1 before
    streams     numbers of its streams; closing: whether it takes no new ones; bridge: whether it begins at a bridge
    """

    path: tuple[PeerId, ...]
    began_us: int
    bridge: bool
    keys: list[int] = field(default_factory=list)
    number: int = -1
    built: int = 0
    opened_us: int = -1
    dirty_us: int = -1
    closing: bool = False
    window: Window = field(default_factory=Window.circuit)
    streams: dict[int, None] = field(default_factory=dict)
    timer: Timer | None = None

    @property
    def open(self) -> bool:
        return self.opened_us >= 0


@dataclass(slots=True)
class Visit:
    """A page that an application of this client wants.

    circuit    the circuit in use, -1 while it waits for one; tries: how many streams were opened for it
    got, total bytes of the page that have come, and all
    avoid      exits that did not serve it; why: why the last try failed
    """

    text: str
    cause: Cause
    bridge: bool
    circuit: int = -1
    stream: int = 0
    tries: int = 0
    got: int = 0
    total: int = 0
    connected: bool = False
    window: Window = field(default_factory=Window.stream)
    avoid: list[PeerId] = field(default_factory=list)
    slow: Timer | None = None
    give_up: Timer | None = None
    why: str = ""


@dataclass(slots=True)
class ExitStream:
    """A stream at an exit. left, total: bytes of the page that are still to be sent, and all."""

    address: PeerId
    cause: Cause
    window: Window = field(default_factory=Window.stream)
    left: int = 0
    total: int = 0


@dataclass(slots=True)
class Hop:
    """What a relay knows of a circuit that leads over it: its neighbours there, and its own key.

    before, before_number
                    the neighbour towards the client, and the number of the circuit on that link
    ahead, ahead_number
                    the same away from the client: ahead is -1 if the circuit ends here, -2 while it is being extended
    early           RELAY_EARLY cells that came
    cells_back      cells that went towards the client
    last_in, last_out
                    the last cell that came from ahead, and the cell that was made of it
    noted           whether the watcher of the relay has noted the circuit
    """

    before: PeerId
    before_number: int
    key: int
    ahead: PeerId = -1
    ahead_number: int = -1
    early: int = 0
    cells_back: int = 0
    noted: bool = False
    window: Window = field(default_factory=Window.circuit)
    streams: dict[int, ExitStream] = field(default_factory=dict)
    last_in: RelayCell | None = None
    last_out: RelayCell | None = None


@lru_cache(32)
def table_of(consensus: Consensus) -> Table:
    """The relays of a consensus, to draw from."""
    return Table(consensus.relays)


@dataclass(slots=True, eq=False)
class OnionPeer(Peer):
    """A peer that opens circuits of its own, as clients and relays do.

    circuits  its own circuits, by a number; own: (first relay, number on that link) -> that number
    visits    pages under way; failures: circuits that failed one after the other
    channels  its links; hops: the circuits of others that lead over it, by (neighbour, number on that link)
    down      bridges that could not be reached; walled: whether it is behind a firewall
    broke_at  how many hops were built of the circuit that a DESTROY ended last
    """

    overlay = False
    shares_files = False
    is_relay: ClassVar[bool] = False

    website: PeerId = -1
    distributor: PeerId = -1
    authorities: tuple[PeerId, ...] = ()
    consensus: Consensus | None = None
    guards: Guards = field(default_factory=Guards)
    times: BuildTimes = field(default_factory=BuildTimes)
    channels: dict[PeerId, Channel] = field(default_factory=dict)
    circuits: dict[int, Circuit] = field(default_factory=dict)
    own: dict[tuple[PeerId, int], int] = field(default_factory=dict)
    visits: dict[int, Visit] = field(default_factory=dict)
    hops: dict[tuple[PeerId, int], Hop] = field(default_factory=dict)
    last_number: int = 0
    failures: int = 0
    waiting_to_build: bool = False
    guards_fail: bool = False
    broke_at: int = 0
    fetching: bool = False
    fetch_tries: int = 0
    fetch_at_us: int = 0
    visited_us: int = 0
    learnt_us: int = 0
    fetched: int = 0
    use_bridges: bool = False
    asking_bridges: bool = False
    bridges: tuple[PeerId, ...] = ()
    down: dict[PeerId, Failure] = field(default_factory=dict)
    walled: bool = False
    spying: bool = False
    spied: dict[PeerId, None] = field(default_factory=dict)
    watched: bool = False

    # --- start and end ------------------------------------------------------------------------------------------

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """At t = 0 `converge` gives it the consensus; a peer that starts later has to fetch it, unless it is on
        disk."""
        if len(contacts) > 1:
            self.website, self.distributor = contacts[0], contacts[1]
            self.authorities = tuple(contacts[2 : 2 + host.options.authorities])
        # A relay builds no circuits in advance until its user asks for something.
        self.visited_us = host.now_us - (2 * HOUR_US if self.is_relay else 0)
        self.learnt_us = host.now_us
        if isinstance(saved, tuple) and len(saved) == 4:
            consensus, guards, self.use_bridges, self.bridges = saved
            self.guards = Guards.unpacked(guards)
            if Consensus.is_one(consensus):
                self.use_consensus(host, consensus)
        host.every(KEEP_US, Keep())
        host.after(int(host.rng.random() * SECOND_US), BuildMore(), cause=None)
        self.waiting_to_build = True

    def saved(self) -> object | None:
        return self.consensus, self.guards.packed(), self.use_bridges, self.bridges

    def stop(self, host: Host) -> None:
        for peer in list(self.channels):
            host.unlink(peer)

    def joined(self, links: Sequence[PeerId]) -> bool:
        return self.consensus is not None

    def table(self, host: Host) -> Table | None:
        """The relays of the consensus; None if it is too old to be used, or there is none."""
        consensus = self.consensus
        return None if consensus is None or host.now_us >= consensus.used_until_us else table_of(consensus)

    # --- the consensus ------------------------------------------------------------------------------------------

    def use_consensus(self, host: Host, consensus: Consensus | None, rng: Rng | None = None) -> None:
        """Use a consensus if it is newer than the present one and signed by enough authorities, and plan when to fetch
        the next one. rng: from which that time is drawn, the peer's own by default."""
        if consensus is None or not Consensus.is_one(consensus) or host.now_us >= consensus.used_until_us:
            return
        if self.consensus is not None and consensus.valid_after_us <= self.consensus.valid_after_us:
            return
        if 2 * sum(one in self.authorities for one in consensus.signed) <= len(self.authorities):
            return
        self.consensus = consensus
        self.listed(host)
        self.fetch_at_us = self.fetch_us(rng or host.rng, consensus)
        host.after(max(SECOND_US // 2, self.fetch_at_us - host.now_us), FetchNow(), cause=None)

    def fetch_us(self, rng: Rng, consensus: Consensus) -> int:
        """When a client fetches the next consensus: drawn from the time that begins three quarters of an interval after
        this one ceased to be fresh, and takes seven eighths of what is left until it ceases to be valid (dir-spec
        5.1)."""
        begin = consensus.fresh_until_us + consensus.interval_us * 3 // 4
        return begin + int(rng.random() * (consensus.valid_until_us - begin) * 7 / 8)

    def listed(self, host: Host) -> None:
        """A new consensus is in use."""

    @on(FetchNow)
    def fetch_now(self, host: Host, tick: FetchNow) -> None:
        self.fetch(host)

    def fetch(self, host: Host) -> None:
        """Ask for a newer consensus: a client asks a relay, which keeps a copy, or an authority if it has no consensus,
        or a bridge if it uses bridges; a relay asks an authority."""
        if self.fetching:
            return
        if self.consensus is not None and host.now_us < self.consensus.fresh_until_us:
            return
        table = self.table(host)
        if self.use_bridges and not self.is_relay:
            sources: Sequence[PeerId] = [one.peer for one in self.first_bridges(host)]
        elif self.is_relay or table is None or not table.relays:
            sources = self.authorities
        else:
            sources = [one.peer for one in table.relays if one.peer != host.me]
        if sources:
            self.fetching = True
            every_us = 0 if self.consensus is None else self.consensus.interval_us // 60
            self.fetch_at_us = host.now_us + max(KEEP_US, every_us)
            wait_us = int(host.options.connect_s * 1e6)
            host.call(host.rng.choice(sources), FetchConsensus(self.walled), timeout_us=wait_us, cause=None)

    @on_reply(FetchConsensus)
    def fetched_consensus(self, host: Host, sender: PeerId, answer: Consensus, context: None) -> None:
        self.fetching, self.fetch_tries = False, 0
        had = self.consensus
        self.use_consensus(host, answer)
        if had is None and self.consensus is not None:
            self.build_missing(host)

    @on_timeout(FetchConsensus)
    def consensus_not_fetched(self, host: Host, to: PeerId, context: None, reason: CallEnd) -> None:
        """Ask another source: at once if this one refused, up to `FETCH_TRIES`; else at the next `Keep`."""
        self.fetching = False
        self.fetch_tries += 1
        if reason != "silent" and self.fetch_tries % FETCH_TRIES:
            self.fetch(host)

    @on(FetchConsensus)
    def serve_consensus(self, host: Host, sender: PeerId, message: FetchConsensus) -> None:
        """Relays and bridges keep a copy for clients."""
        if self.is_relay and self.consensus is not None and not (message.walled and self.is_on_blocklist()):
            host.reply(self.consensus)

    def is_on_blocklist(self) -> bool:
        """Whether firewalls block its address."""
        return True

    # --- links --------------------------------------------------------------------------------------------------

    def open_circuit(self, host: Host, to: PeerId, skin: Onionskin, context: tuple[Any, ...]) -> None:
        """CREATE2 to another relay, over a link that is opened first if there is none."""
        channel = self.channels.get(to)
        if channel is None:
            channel = self.channels[to] = Channel(False, relay=True)
            self.step(host, to, 0)
        if channel.open:
            self.create(host, to, skin, context)
        else:
            channel.waiting.append((skin, context))

    def step(self, host: Host, to: PeerId, step: int) -> None:
        wait_us = int(host.options.connect_s * 1e6)
        request = LinkStep(step, self.is_relay, self.walled)
        host.call(to, request, timeout_us=wait_us, context=step, cause=None)

    @on(LinkStep)
    def link_step(self, host: Host, sender: PeerId, message: LinkStep) -> None:
        """A peer opens a link to this relay. Clients accept no links."""
        if not self.is_relay or (message.walled and self.is_on_blocklist()):
            return
        if message.step == LINK_STEPS - 1:
            if sender not in self.channels and len(self.channels) >= RELAYED_MOST:
                return
            channel = self.channels.setdefault(sender, Channel(False, message.relay))
            channel.walled = message.walled
            self.opened_link(host, sender, channel)
        host.reply(LinkStepped(message.step))

    @on_reply(LinkStep)
    def link_stepped(self, host: Host, sender: PeerId, answer: LinkStepped, context: int) -> None:
        channel = self.channels.get(sender)
        if channel is None or channel.open:
            return
        if context + 1 < LINK_STEPS:
            self.step(host, sender, context + 1)
        else:
            self.opened_link(host, sender, channel)

    def opened_link(self, host: Host, peer: PeerId, channel: Channel) -> None:
        host.link(peer)
        if channel.open:
            return
        channel.open, channel.used_us = True, host.now_us
        waiting, channel.waiting = channel.waiting, []
        for skin, context in waiting:
            self.create(host, peer, skin, context)
        if host.options.link_padding and channel.relay != self.is_relay:
            self.pad_from_now(host, channel)
            self.look_at_padding(host, peer, channel)

    @on_timeout(LinkStep)
    def link_failed(self, host: Host, to: PeerId, context: int, reason: CallEnd) -> None:
        channel = self.channels.get(to)
        if channel is not None and not channel.open:
            self.lost_link(host, to)

    def closed(self, host: Host, peer: PeerId) -> None:
        self.lost_link(host, peer)

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        self.lost_link(host, to)

    def lost_link(self, host: Host, peer: PeerId) -> None:
        """A link is gone: end all circuits that lead over it."""
        channel = self.channels.pop(peer, None)
        if channel is None:
            return
        if channel.open:
            host.unlink(peer)
        for _, context in channel.waiting:
            self.not_created(host, peer, context, CONNECT_FAILED)
        for (other, number), hop in list(self.hops.items()):
            if other == peer and (other, number) in self.hops:
                self.end_hop(host, hop, CHANNEL_CLOSED, gone=peer)
        for number, circuit in list(self.circuits.items()):
            if circuit.path[0] == peer and number in self.circuits and circuit.number >= 0:
                self.circuit_failed(host, number, at_first=True)

    def close_idle_links(self, host: Host) -> None:
        known = dict.fromkeys(other for other, _ in self.hops)
        known |= dict.fromkeys(one.path[0] for one in self.circuits.values())
        for peer, channel in list(self.channels.items()):
            if channel.open and peer not in known and host.now_us - channel.used_us > IDLE_LINK_US:
                del self.channels[peer]
                host.unlink(peer)

    # --- padding ------------------------------------------------------------------------------------------------

    def pad_from_now(self, host: Host, channel: Channel) -> None:
        """Padding is due when the link has been silent for the greater of two times, each drawn from 1.5 to 9.5 s. The
        time begins again with each cell in either direction."""
        wait_s = max(host.rng.uniform(PAD_LEAST_S, 9.5), host.rng.uniform(PAD_LEAST_S, 9.5))
        channel.pad_at_us = host.now_us + int(wait_s * 1e6)

    def look_at_padding(self, host: Host, peer: PeerId, channel: Channel) -> None:
        # No later than the shortest time, since a new time may begin meanwhile and must not be missed.
        wait_us = min(channel.pad_at_us - host.now_us, int(PAD_LEAST_S * 1e6))
        host.after(wait_us, PadDue(peer), cause=None)

    @on(PadDue)
    def pad(self, host: Host, tick: PadDue) -> None:
        channel = self.channels.get(tick.peer)
        if channel is None or channel.pad_at_us < 0:
            return
        if not host.options.link_padding:
            channel.pad_at_us = -1
            return
        if host.now_us >= channel.pad_at_us:
            host.send(tick.peer, Padding(), cause=None)
            self.link_used(host, tick.peer)
        self.look_at_padding(host, tick.peer, channel)

    @on(Padding)
    def padded(self, host: Host, sender: PeerId, message: Padding) -> None:
        """Padding is thrown away."""
        self.link_used(host, sender)

    # --- circuits of other peers, and the own ones: CREATE2 --------------------------------------------------------

    def create(self, host: Host, to: PeerId, skin: Onionskin, context: tuple[Any, ...]) -> None:
        """Send CREATE2. The number is new on this link; the end with the higher id sets its highest bit (tor-spec
        5.1.1)."""
        top = 1 << 31 if host.me > to else 0
        while True:
            number = top | host.rng.getrandbits(31)
            if (to, number) not in self.hops and (to, number) not in self.own and number:
                break
        self.link_used(host, to)
        wait_us = 4 * int(host.options.connect_s * 1e6)
        if context[0] == "own":
            circuit = self.circuits.get(context[1])
            if circuit is None:
                return
            circuit.number = number
            self.own[to, number] = context[1]
        host.call(to, Create2(number, skin), timeout_us=wait_us, context=(number, *context), cause=None)

    def link_used(self, host: Host, peer: PeerId) -> None:
        channel = self.channels.get(peer)
        if channel is not None:
            channel.used_us = host.now_us
            if channel.pad_at_us >= 0:
                self.pad_from_now(host, channel)

    @on_reply(Create2)
    def created(self, host: Host, sender: PeerId, answer: Created2, context: tuple[Any, ...]) -> None:
        """The first hop of an own circuit is built, or the next one of another peer's circuit."""
        number, whose = context[0], context[1]
        if whose == "own":
            if context[2] in self.circuits:
                self.hop_built(host, context[2])
            else:
                self.own.pop((sender, number), None)
                host.send(sender, Destroy(number, FINISHED), cause=None)
            return
        hop = self.hops.get((context[2], context[3]))
        if hop is None or hop.ahead != -2 or (sender, number) in self.hops:
            host.send(sender, Destroy(number, FINISHED), cause=None)
            return
        hop.ahead, hop.ahead_number = sender, number
        self.hops[sender, number] = hop
        self.send_back(host, hop, RelayControl(hop.before_number, (hop.key,), Extended2()), None)

    @on_timeout(Create2)
    def create_failed(self, host: Host, to: PeerId, context: tuple[Any, ...], reason: CallEnd) -> None:
        number = context[0]
        self.own.pop((to, number), None)
        if reason == "silent":
            host.send(to, Destroy(number, TIMEOUT), cause=None)
        self.not_created(host, to, context[1:], TIMEOUT if reason == "silent" else CONNECT_FAILED)

    def not_created(self, host: Host, to: PeerId, context: tuple[Any, ...], reason: int) -> None:
        """A hop could not be built: give the circuit up."""
        if context[0] == "own":
            if context[1] in self.circuits:
                self.circuit_failed(host, context[1], at_first=True)
            return
        hop = self.hops.get((context[1], context[2]))
        if hop is not None and hop.ahead == -2:
            hop.ahead = -1
            self.end_hop(host, hop, reason)

    # --- circuits of this client ------------------------------------------------------------------------------------

    def build_missing(self, host: Host) -> None:
        """Build circuits that are missing: for visits that wait, and clean ones, unless it was idle for an hour."""
        waiting = [one for one in self.visits.values() if one.circuit < 0]
        idle = host.now_us - self.visited_us > HOUR_US
        for bridge in (False, True):
            mine = [one for one in self.circuits.values() if one.bridge == bridge and not one.closing]
            building = sum(not one.open for one in mine)
            clean = sum(one.open and one.dirty_us < 0 for one in mine)
            usual = bridge == self.use_bridges
            wanted = (0 if idle or not usual else host.options.ready_circuits) - clean - building
            if any(self.by_bridge(one) == bridge for one in waiting):
                wanted = max(wanted, 1 - building)
            for _ in range(min(wanted, BUILDING_MOST - building, CIRCUITS_MOST - clean)):
                if not self.build(host, bridge):
                    break

    def by_bridge(self, visit: Visit) -> bool:
        return visit.bridge or self.use_bridges

    def build(self, host: Host, bridge: bool) -> bool:
        """Begin a circuit. Returns whether a path was found and its first relay was called."""
        path = self.choose_path(host, bridge)
        if path is None:
            return False
        self.last_number += 1
        number = self.last_number
        circuit = self.circuits[number] = Circuit(path, host.now_us, bridge)
        wait_us = self.times.timeout_ms * 1_000
        circuit.timer = host.after(wait_us, CircuitSlow(number), cause=None)
        circuit.keys.append(host.rng.getrandbits(63))
        host.path(number, path, "circuit being built")
        self.open_circuit(host, path[0], Onionskin(path[0], circuit.keys[0]), ("own", number))
        return number in self.circuits

    def choose_path(self, host: Host, bridge: bool) -> tuple[PeerId, ...] | None:
        """A path: the exit is chosen first, then the guard or bridge, then the middle. No two of them are of one family
        or one /16. None if there is none."""
        table = self.table(host)
        if table is None:
            return None
        mine = self.relay_of(host)
        without = () if mine is None else (mine,)
        if bridge:
            first: list[Relay] = self.first_bridges(host)
            if not first:
                return None
        elif host.options.guards:
            first = self.guards.preferred(
                table,
                host.rng,
                host.now_us,
                many=host.options.guards,
                lifetime_us=int(host.options.guard_days * 86_400e6),
                without=without,
            )
            if not first:
                return None
        else:
            first = []
        rng = host.rng
        avoid = [exit_ for visit in self.visits.values() if visit.circuit < 0 for exit_ in visit.avoid]
        for _ in range(8):
            path = path_from(lambda position, free: table.choose(position, rng, free), first, HOPS, without)
            if path is not None and (path[-1].peer not in avoid or len(avoid) > 4):
                return tuple(one.peer for one in path)
        return None if path is None else tuple(one.peer for one in path)

    def relay_of(self, host: Host) -> Relay | None:
        """This peer as a line of the consensus; None for a client."""
        return None

    @on(CircuitSlow)
    def circuit_slow(self, host: Host, tick: CircuitSlow) -> None:
        circuit = self.circuits.get(tick.number)
        if circuit is not None and not circuit.open:
            if circuit.built:
                self.times.too_slow()
            self.circuit_failed(host, tick.number, at_first=circuit.built == 0)

    def hop_built(self, host: Host, number: int) -> None:
        """One more hop is built: extend the circuit by the next one; after the last one it is open."""
        circuit = self.circuits[number]
        circuit.built += 1
        if circuit.built < len(circuit.path):
            relay = circuit.path[circuit.built]
            circuit.keys.append(host.rng.getrandbits(63))
            body = Extend2(relay, Onionskin(relay, circuit.keys[-1]))
            layers = tuple(circuit.keys[: circuit.built])
            host.send(circuit.path[0], RelayEarly(circuit.number, layers, body), cause=None)
            self.link_used(host, circuit.path[0])
            return
        circuit.opened_us = host.now_us
        self.failures = 0
        self.times.built((host.now_us - circuit.began_us) // 1_000)
        if circuit.timer is not None:
            host.cancel(circuit.timer)
            circuit.timer = None
        if circuit.bridge:
            self.down.pop(circuit.path[0], None)
        else:
            self.guards.reached(circuit.path[0])
            self.guards_fail = False
        host.path(number, circuit.path, "clean circuit")
        self.attach_all(host)

    def circuit_failed(self, host: Host, number: int, *, at_first: bool = False) -> None:
        """A circuit is gone, or could not be built. Its visits go on over another one. at_first: whether its first
        relay could not be reached."""
        circuit = self.circuits[number]
        if at_first:
            if circuit.bridge:
                failed_again(self.down, circuit.path[0], host.now_us, BRIDGE_RETRY_US)
            else:
                self.guards.failed(circuit.path[0], host.now_us)
                self.guards_fail = True
        self.failures += 1
        self.end_circuit(host, number)
        self.build_later(host)

    def end_circuit(self, host: Host, number: int) -> None:
        """Take a circuit down, at this end and along its way."""
        circuit = self.circuits.pop(number)
        self.own.pop((circuit.path[0], circuit.number), None)
        if circuit.timer is not None:
            host.cancel(circuit.timer)
        channel = self.channels.get(circuit.path[0])
        if circuit.built and channel is not None and channel.open:
            host.send(circuit.path[0], Destroy(circuit.number, FINISHED), cause=None)
        host.path(number, ())
        for visit in [one for one in self.visits.values() if one.circuit == number]:
            self.detach(host, visit)

    def build_later(self, host: Host) -> None:
        """Build circuits soon; the more failed in a row, the later."""
        if not self.waiting_to_build:
            self.waiting_to_build = True
            host.after(min(10_000_000, 10_000 << min(self.failures, 10)), BuildMore(), cause=None)

    @on(BuildMore)
    def build_more(self, host: Host, tick: BuildMore) -> None:
        self.waiting_to_build = False
        if self.consensus is None:
            self.fetch(host)
        self.want_bridges(host)
        self.build_missing(host)

    @on(Keep)
    def keep(self, host: Host, tick: Keep) -> None:
        """Retire circuits, close links that nobody uses, fetch a consensus that is due, and build what is missing."""
        now, idle = host.now_us, host.now_us - self.visited_us > HOUR_US
        for number, circuit in list(self.circuits.items()):
            old = circuit.dirty_us >= 0 and now - circuit.dirty_us > int(host.options.dirtiness_s * 1e6)
            spare = circuit.open and circuit.dirty_us < 0 and idle
            circuit.closing = circuit.closing or old or spare
            if circuit.closing and not circuit.streams:
                self.end_circuit(host, number)
        self.close_idle_links(host)
        if now >= self.fetch_at_us:
            self.fetch(host)
        self.want_bridges(host)
        learn_us = int(host.options.learn_s * 1e6)
        if learn_us and now - self.learnt_us >= learn_us and len(self.times.times_ms) < 100:
            self.learnt_us = now
            if len(self.circuits) < CIRCUITS_MOST:
                self.build(host, self.use_bridges)
        self.build_missing(host)

    @on(Destroy)
    def destroyed(self, host: Host, sender: PeerId, message: Destroy) -> None:
        """A circuit was taken down by a neighbour on it."""
        number = self.own.get((sender, message.circuit))
        if number is not None:
            circuit = self.circuits[number]
            self.broke_at = len(circuit.path) if circuit.open else circuit.built
            circuit.built = 0  # so no DESTROY is sent
            host.log("circuit destroyed", reason=REASONS.get(message.reason, str(message.reason)), cause=None)
            self.circuit_failed(host, number)
            return
        hop = self.hops.get((sender, message.circuit))
        if hop is not None:
            self.end_hop(host, hop, message.reason, gone=sender)

    def end_hop(self, host: Host, hop: Hop, reason: int, gone: PeerId = -1) -> None:
        """Take a circuit of another peer down. gone: the neighbour that is not told."""
        self.hops.pop((hop.before, hop.before_number), None)
        self.hops.pop((hop.ahead, hop.ahead_number), None)
        if gone != hop.before:
            host.send(hop.before, Destroy(hop.before_number, reason), cause=None)
        if hop.ahead >= 0 and gone != hop.ahead:
            host.send(hop.ahead, Destroy(hop.ahead_number, reason), cause=None)

    # --- visits ---------------------------------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        """Fetch a page. It waits for a circuit if none is open."""
        if ask.goal == PUBLISH.name:
            return
        if len(self.visits) >= STREAMS_MOST:
            host.failed("too many pages are under way")
            return
        self.last_number += 1
        visit = self.visits[self.last_number] = Visit(ask.text, host.cause, ask.goal == BY_BRIDGE.name)
        visit.give_up = host.after_s(host.options.give_up_s, GiveUp(self.last_number))
        self.visited_us = host.now_us
        self.want_bridges(host)
        self.attach(host, self.last_number, visit)
        self.build_missing(host)

    def attach_all(self, host: Host) -> None:
        for number, visit in list(self.visits.items()):
            if visit.circuit < 0:
                self.attach(host, number, visit)

    def attach(self, host: Host, number: int, visit: Visit) -> None:
        """Open a stream for a visit on a circuit that takes one: the used (dirty) one that was opened last, else a
        clean one."""
        bridge = self.by_bridge(visit)
        oldest_us = host.now_us - int(host.options.dirtiness_s * 1e6)
        fit = [
            (one.dirty_us >= 0, one.opened_us, at)
            for at, one in self.circuits.items()
            if one.open and not one.closing and one.bridge == bridge and one.path[-1] not in visit.avoid
            if one.dirty_us < 0 or one.dirty_us >= oldest_us
        ]
        if not fit:
            return
        at = max(fit)[2]
        circuit = self.circuits[at]
        if circuit.dirty_us < 0:
            circuit.dirty_us = host.now_us
            host.path(at, circuit.path, "circuit in use")
        self.last_number += 1
        visit.circuit, visit.stream, visit.connected = at, 1 + (self.last_number - 1) % 0xFFFF, False
        visit.tries += 1
        visit.got = visit.total = 0
        visit.window = Window.stream()
        circuit.streams[visit.stream] = None
        self.send_to_exit(host, circuit, visit, BeginStream(visit.stream, self.website))
        self.watch_stream(host, number, visit)

    def send_to_exit(self, host: Host, circuit: Circuit, visit: Visit, body: Body) -> None:
        cell = RelayRequest(circuit.number, tuple(circuit.keys), body)
        host.send(circuit.path[0], cell, cause=visit.cause)
        self.link_used(host, circuit.path[0])

    def watch_stream(self, host: Host, number: int, visit: Visit) -> None:
        if visit.slow is not None:
            host.cancel(visit.slow)
        tick = StreamSlow(number, visit.tries, visit.got)
        visit.slow = host.after_s(host.options.stream_s, tick, cause=visit.cause)

    @on(StreamSlow)
    def stream_slow(self, host: Host, tick: StreamSlow) -> None:
        """Nothing came for long: try another circuit."""
        visit = self.visits.get(tick.number)
        if visit is None or visit.tries != tick.tries or visit.circuit < 0:
            return
        visit.slow = None
        if visit.got > tick.got:
            self.watch_stream(host, tick.number, visit)
            return
        visit.why = "the relays of the circuit were silent"
        self.leave_circuit(host, visit)

    def leave_circuit(self, host: Host, visit: Visit) -> None:
        """Give this circuit no further streams, and go on over another one."""
        circuit = self.circuits.get(visit.circuit)
        if circuit is not None:
            circuit.closing = True
            visit.avoid = [*visit.avoid, circuit.path[-1]][-8:]
        self.detach(host, visit)
        self.attach_all(host)
        self.build_missing(host)

    def detach(self, host: Host, visit: Visit) -> None:
        circuit = self.circuits.get(visit.circuit)
        if circuit is not None:
            circuit.streams.pop(visit.stream, None)
        visit.circuit = -1
        if visit.slow is not None:
            host.cancel(visit.slow)
            visit.slow = None

    @on(GiveUp)
    def give_up(self, host: Host, tick: GiveUp) -> None:
        visit = self.visits.get(tick.number)
        if visit is not None:
            visit.give_up = None
            self.end_visit(host, tick.number, visit)
            host.failed(self.failure_reason(host, visit), cause=visit.cause)

    def end_visit(self, host: Host, number: int, visit: Visit) -> None:
        self.detach(host, visit)
        del self.visits[number]
        if visit.give_up is not None:
            host.cancel(visit.give_up)

    def failure_reason(self, host: Host, visit: Visit) -> str:
        """Why a page was not fetched, as the end of a sentence."""
        if visit.got:
            return f"only {visit.got:,} of {visit.total:,} bytes came"
        if visit.why:
            return visit.why
        if self.consensus is None:
            return "the client never got a consensus, so it knows no relays"
        table = self.table(host)
        if table is None:
            return "the last consensus is too old to be used, and no newer one could be fetched"
        if self.by_bridge(visit):
            if not self.bridges:
                return "the client knows no bridge"
            if not self.first_bridges(host):
                return "none of the bridges that the client knows could be reached"
        elif self.guards_fail:
            guarded = bool(host.options.guards)
            return "its guards could not be reached" if guarded else "the first relays could not be reached"
        if not any(one.exit for one in table.relays):
            return "the consensus lists no exit"
        hop = {1: "second relay", 2: "exit"}.get(self.broke_at)
        if hop:
            return f"each circuit broke off at its {hop}"
        return "no circuit stayed open for long enough" if visit.tries else "no circuit could be built"

    # --- relay cells ------------------------------------------------------------------------------------------------

    @on(RelayEarly)  # type: ignore[arg-type]
    @on(RelayControl)  # type: ignore[arg-type]
    @on(RelayRequest)  # type: ignore[arg-type]
    @on(RelayAnswer)  # type: ignore[arg-type]
    @on(RelayData)
    def relay_cell(self, host: Host, sender: PeerId, cell: Any) -> None:
        """Take a layer off a cell and pass it on, or add one and pass it back, or read the cell if it is for this
        peer."""
        self.link_used(host, sender)
        hop = self.hops.get((sender, cell.circuit))
        if hop is None:
            number = self.own.get((sender, cell.circuit))
            if number is not None:
                self.cell_for_client(host, number, cell)
            return
        if sender == hop.ahead and cell.circuit == hop.ahead_number:
            if cell is not hop.last_in:
                hop.last_in = cell
                hop.last_out = type(cell)(hop.before_number, (hop.key, *cell.layers), cell.body)
            self.send_back(host, hop, hop.last_out, cell)
            return
        if not cell.layers or cell.layers[0] != hop.key:
            self.end_hop(host, hop, PROTOCOL)
            return
        if isinstance(cell, RelayEarly):
            hop.early += 1
            if hop.early > EARLY_MOST:
                self.end_hop(host, hop, PROTOCOL)
                return
        if len(cell.layers) == 1:
            self.recognized(host, hop, cell)
        elif hop.ahead >= 0:
            host.send(hop.ahead, type(cell)(hop.ahead_number, cell.layers[1:], cell.body))
            self.link_used(host, hop.ahead)
        else:
            self.end_hop(host, hop, PROTOCOL)

    def send_back(self, host: Host, hop: Hop, cell: RelayCell | None, came: RelayCell | None) -> None:
        """Send a cell towards the client. came: the cell that it was made of; None for one of this relay's own, which
        belongs to no ask."""
        assert cell is not None
        if came is None:
            host.send(hop.before, cell, cause=None)
        else:
            host.send(hop.before, cell)
        hop.cells_back += 1
        self.link_used(host, hop.before)
        if self.watched and hop.cells_back >= SEEN_CELLS:
            channel = self.channels.get(hop.before)
            if channel is not None and not channel.relay:
                self.note(host, hop, CLIENT)

    def note(self, host: Host, hop: Hop, what: str) -> None:
        """A watcher has seen a circuit. Only relays are watched, see `OnionRouter.note`."""

    def recognized(self, host: Host, hop: Hop, cell: RelayCell) -> None:
        """A cell for this relay."""

    # --- cells for the client ---------------------------------------------------------------------------------------

    def cell_for_client(self, host: Host, number: int, cell: RelayCell) -> None:
        """Take all layers off a cell for this client, and read it. It has as many layers as its sender is hops away."""
        circuit = self.circuits[number]
        far = len(cell.layers)
        if not 0 < far <= circuit.built or cell.layers != tuple(circuit.keys[:far]):
            self.circuit_failed(host, number)
            return
        body = cell.body
        if isinstance(body, Extended2):
            if far == circuit.built < len(circuit.path):
                self.hop_built(host, number)
            return
        if far < len(circuit.path) or not circuit.open:
            return
        if isinstance(body, Sendme) and body.stream == 0:
            try:
                circuit.window.sendme()
            except ValueError:
                self.circuit_failed(host, number)
            return
        stream = getattr(body, "stream", 0)
        found = next(
            ((at, one) for at, one in self.visits.items() if one.circuit == number and one.stream == stream), None
        )
        if isinstance(body, Data):
            self.take_data(host, number, circuit, found, body)
        elif found is None:
            return
        elif isinstance(body, Connected) and not found[1].connected:
            found[1].connected = True
            if circuit.window.pack() and found[1].window.pack():
                self.send_to_exit(host, circuit, found[1], Wanted(stream, found[1].text))
        elif isinstance(body, End):
            self.stream_ended(host, found[0], found[1], body.reason)

    def take_data(self, host: Host, number: int, circuit: Circuit, found: tuple[int, Visit] | None, body: Data) -> None:
        """Data have come: count them in both windows, acknowledge them by SENDME, and end the visit with the last."""
        try:
            if circuit.window.delivered():
                self.send_me(host, circuit, 0)
            if found is None:
                return
            at, visit = found
            if visit.window.delivered():
                self.send_me(host, circuit, visit.stream)
                host.progress(visit.got, max(visit.got, body.total), cause=visit.cause)
        except ValueError:
            self.circuit_failed(host, number)
            return
        if body.size <= 0 or body.total <= 0:
            return
        visit.total = max(body.total, visit.got)
        visit.got = min(visit.got + body.size, visit.total)
        if visit.got >= visit.total:
            exit_ = circuit.path[-1]
            self.end_visit(host, at, visit)
            self.fetched += 1
            host.progress(visit.total, visit.total, cause=visit.cause)
            host.hit(self.website, visit.text, by=exit_, cause=visit.cause)
            host.fetched(self.website, visit.text, cause=visit.cause)

    def send_me(self, host: Host, circuit: Circuit, stream: int) -> None:
        cell = RelayControl(circuit.number, tuple(circuit.keys), Sendme(stream))
        host.send(circuit.path[0], cell, cause=None)
        self.link_used(host, circuit.path[0])

    def stream_ended(self, host: Host, number: int, visit: Visit, reason: int) -> None:
        """An END came before the page: try another exit, up to `STREAM_TRIES`."""
        visit.why = {
            END_REFUSED: "the exits could not connect to the website",
            END_TIMEOUT: "the exits got no answer from the website",
        }.get(reason, "the exits refused the stream")
        if visit.tries >= STREAM_TRIES:
            self.end_visit(host, number, visit)
            host.failed(visit.why, cause=visit.cause)
        else:
            self.leave_circuit(host, visit)

    # --- bridges ------------------------------------------------------------------------------------------------------

    def want_bridges(self, host: Host) -> None:
        """Ask the distributor for bridges, if they are wanted and no known one can be tried."""
        wanted = self.use_bridges or any(one.bridge for one in self.visits.values())
        if wanted and not self.asking_bridges and not self.first_bridges(host) and not self.is_relay:
            self.ask_for_bridges(host)

    def ask_for_bridges(self, host: Host) -> None:
        if self.distributor >= 0:
            self.asking_bridges = True
            host.call(self.distributor, WantBridges(), timeout_s=host.options.connect_s, cause=None)

    @on_reply(WantBridges)
    def got_bridges(self, host: Host, sender: PeerId, answer: Bridges, context: None) -> None:
        self.asking_bridges = False
        told = tuple(one for one in answer.bridges[:50] if one >= 0 and one != host.me)
        if self.spying:
            for one in told:
                if one not in self.spied:
                    put_bounded(self.spied, one, None, 1_000)
                    host.send(one, Probe(), cause=None)
        if told and told != self.bridges:
            self.bridges, self.down = told, {}
        if self.consensus is None:
            self.fetch(host)
        self.build_missing(host)

    @on_timeout(WantBridges)
    def no_bridges(self, host: Host, to: PeerId, context: None, reason: CallEnd) -> None:
        self.asking_bridges = False

    def first_bridges(self, host: Host) -> list[Relay]:
        """The bridges that it knows as first hops, those that could not be reached left out for a minute."""
        return [
            Relay(one, 0, True, False, host.address(one) >> 16)
            for one in self.bridges
            if may_be_asked(self.down, one, host.now_us)
        ]

    # --- what is shown ------------------------------------------------------------------------------------------------

    def contacts(self) -> Iterable[PeerId]:
        """The relays that it has a link to."""
        return [peer for peer, channel in self.channels.items() if channel.open]

    def beliefs(self) -> Beliefs:
        known: dict[int, Belief] = {}
        for at, guard in enumerate(self.guards.sample):
            what, up = "primary guard" if at < PRIMARY else "guard", guard.peer not in self.guards.down
            known[guard.peer] = Belief(None, what, alive=up)
        for one in self.bridges:
            known[one] = Belief(None, "bridge", alive=one not in self.down)
        for circuit in self.circuits.values():
            for place, peer in zip(("first hop", "middle", "exit"), circuit.path, strict=False):
                known.setdefault(peer, Belief(None, place, alive=True))
        facts = {
            "circuits": str(sum(one.open for one in self.circuits.values())),
            "pages": f"{self.fetched:,}, {len(self.visits)} under way",
            "consensus": "none" if self.consensus is None else f"{len(self.consensus.relays)} relays",
        }
        return Beliefs(known, facts)
