"""Relays: those of the public list, exits among them, and bridges (tor-spec 5 and 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ...api import (
    Belief,
    Beliefs,
    CallEnd,
    Host,
    PeerId,
    Rng,
    Shown,
    on,
    on_reply,
    on_timeout,
    switch,
)
from ...kit import put_bounded
from .consensus import Relay
from .messages import (
    DATA_BYTES,
    END_DONE,
    END_NO_EXIT,
    END_PROTOCOL,
    END_REFUSED,
    END_RESOURCES,
    END_TIMEOUT,
    PROTOCOL,
    RESOURCES,
    BeginStream,
    Body,
    Connected,
    Consensus,
    Create2,
    Created2,
    Data,
    Descriptor,
    Destroy,
    Dial,
    Dialled,
    End,
    Extend2,
    Get,
    Probe,
    Reached,
    ReachTest,
    RelayAnswer,
    RelayCell,
    RelayControl,
    RelayData,
    RelayEarly,
    Sendme,
    Wanted,
    WebPage,
)
from .onion import (
    PAIRS_MOST,
    RELAYED_MOST,
    SECOND_US,
    SITE,
    STREAMS_MOST,
    WATCHER,
    Describe,
    ExitStream,
    Hop,
    OnionPeer,
    SkinDone,
    table_of,
)


@dataclass(slots=True, eq=False)
class OnionRouter(OnionPeer):
    """A relay that is in the public list. It is a client, too.

    bandwidth   in kB/s, as its descriptor states it; uptime_s: how long it had been up at `started_us`
    seen        number of circuits that its watcher has seen; pairs_seen: (neighbour towards the client, neighbour away
                from it) -> how many of these circuits
    """

    role = "middle"
    shows: ClassVar[tuple[Shown, ...]] = (
        Shown("circuits", "circuits of its own that are open", "count"),
        Shown("relayed", "circuits that lead over it", "count"),
        Shown("bandwidth", "bandwidth that its descriptor states, in kB/s", "count"),
        Shown("watched", "whether somebody watches it", "category", ("watched", "unwatched")),
        Shown("seen", "circuits that its watcher has seen", "count"),
    )
    is_relay: ClassVar[bool] = True
    exits: ClassVar[bool] = False

    bandwidth: int = 0
    family: int = 0
    uptime_s: int = 0
    started_us: int = 0
    seen: int = 0
    pairs_seen: dict[tuple[PeerId, PeerId], int] = field(default_factory=dict)
    watched: bool = switch(
        "watch",
        "unwatch",
        about="Somebody watches it: who its neighbours are on each circuit, and when cells pass.",
        off_about="It is not watched any more; what was seen is kept.",
    )

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """Its bandwidth and family are drawn once; the time that it has been up is counted from its start."""
        self.started_us = host.now_us
        if isinstance(saved, tuple) and len(saved) == 3:
            saved, self.bandwidth, self.family = saved
        else:
            self._draw(host)
        self.uptime_s = 0 if host.now_us else host.rng.randrange(60 * 86_400)
        super().start(host, contacts, saved)
        host.every(int(18 * host.options.consensus_s * 1e6), Describe())
        if host.now_us:
            host.after(SECOND_US, Describe(), cause=None)

    def _draw(self, host: Host) -> None:
        slow = 100 << host.rng.randrange(7)
        line = min(host.line.up_kbit_s, host.line.down_kbit_s) // 8
        self.bandwidth = line or slow + host.rng.randrange(slow)
        if host.rng.random() < host.options.family_share:
            self.family = 1 + host.rng.randrange(8)

    def saved(self) -> object | None:
        return super().saved(), self.bandwidth, self.family

    def descriptor(self, host: Host) -> Descriptor:
        up_s = self.uptime_s + (host.now_us - self.started_us) // SECOND_US
        return Descriptor(self.bandwidth, self.exits, host.address(host.me) >> 16, self.family, up_s)

    @on(Describe)
    def publish(self, host: Host, tick: Describe) -> None:
        host.multicast(self.authorities, self.descriptor(host), cause=None)

    @on(ReachTest)
    def tested(self, host: Host, sender: PeerId, message: ReachTest) -> None:
        host.reply(Reached())

    def relay_of(self, host: Host) -> Relay | None:
        return Relay(host.me, self.bandwidth, False, self.exits, host.address(host.me) >> 16, self.family)

    def fetch_us(self, rng: Rng, consensus: Consensus) -> int:
        """Relays fetch the next one in the first half interval after it is not fresh any more, so that they have it
        before clients ask them for it (dir-spec 4.1)."""
        return consensus.fresh_until_us + int(rng.random() * consensus.interval_us / 2)

    def listed(self, host: Host) -> None:
        """Its role follows from its flags."""
        assert self.consensus is not None
        mine = table_of(self.consensus).by_peer.get(host.me)
        if mine is not None:
            host.set_role("exit" if mine.exit else "guard" if mine.guard else "middle")

    # --- circuits over this relay ---------------------------------------------------------------------------

    @on(Create2)
    def create2(self, host: Host, sender: PeerId, message: Create2) -> None:
        """The first relay of a circuit, or a further one. The answer comes when the handshake has been computed."""
        key = (sender, message.circuit)
        if key in self.hops or key in self.own or message.skin.relay != host.me or not 0 < message.circuit < 1 << 32:
            host.send(sender, Destroy(message.circuit, PROTOCOL), cause=None)
            return
        if len(self.hops) >= RELAYED_MOST or sender not in self.channels:
            host.send(sender, Destroy(message.circuit, RESOURCES), cause=None)
            return
        self.hops[key] = Hop(sender, message.circuit, message.skin.key)
        compute_us = int(host.options.handshake_ms * 1_000)
        if compute_us:
            host.after(compute_us, SkinDone(host.request, message.circuit), cause=None)
        else:
            host.reply(Created2(message.circuit))

    @on(SkinDone)
    def skin_done(self, host: Host, tick: SkinDone) -> None:
        if (tick.ticket.sender, tick.circuit) in self.hops:
            host.reply(Created2(tick.circuit), to=tick.ticket)
            self.link_used(host, tick.ticket.sender)

    def recognized(self, host: Host, hop: Hop, cell: RelayCell) -> None:
        body = cell.body
        if isinstance(body, Extend2):
            if hop.ahead != -1 or not isinstance(cell, RelayEarly) or body.relay in (host.me, hop.before):
                self.end_hop(host, hop, PROTOCOL)
                return
            hop.ahead = -2
            self.open_circuit(host, body.relay, body.skin, ("extend", hop.before, hop.before_number))
        elif isinstance(body, BeginStream):
            self.begin(host, hop, body)
        elif isinstance(body, Wanted):
            self.wanted(host, hop, body)
        elif isinstance(body, Sendme):
            self.acknowledged(host, hop, body)
        elif isinstance(body, End):
            hop.streams.pop(body.stream, None)

    def begin(self, host: Host, hop: Hop, body: BeginStream) -> None:
        """Only an exit opens streams."""
        self.answer(host, hop, End(body.stream, END_NO_EXIT))

    def wanted(self, host: Host, hop: Hop, body: Wanted) -> None:
        """Ignored: this relay has no streams."""

    def answer(self, host: Host, hop: Hop, body: Body) -> None:
        host.send(hop.before, RelayAnswer(hop.before_number, (hop.key,), body))
        hop.cells_back += 1
        self.link_used(host, hop.before)

    def acknowledged(self, host: Host, hop: Hop, body: Sendme) -> None:
        """A SENDME has come: send what its window allows now. A SENDME that was not due ends the circuit."""
        stream = hop.streams.get(body.stream)
        try:
            if body.stream == 0:
                hop.window.sendme()
            elif stream is not None:
                stream.window.sendme()
        except ValueError:
            self.end_hop(host, hop, PROTOCOL)
            return
        for number in list(hop.streams) if body.stream == 0 else [body.stream]:
            self.pump(host, hop, number)

    def pump(self, host: Host, hop: Hop, number: int) -> None:
        """Send data of a stream: only an exit has any."""

    # --- what a watcher sees ----------------------------------------------------------------------------------------

    def note(self, host: Host, hop: Hop, what: str) -> None:
        """A watcher has seen a circuit: count it once, with its neighbours, and remark on the ask what the watcher
        knows (`CLIENT` or `SITE`)."""
        host.remark(WATCHER, what)
        if not hop.noted:
            hop.noted = True
            self.seen += 1
            pair = (hop.before, hop.ahead)
            put_bounded(self.pairs_seen, pair, self.pairs_seen.get(pair, 0) + 1, PAIRS_MOST)

    def shown(self) -> tuple[float | str, ...]:
        watched = "watched" if self.watched else "unwatched"
        own = sum(one.open for one in self.circuits.values())
        return own, self.relayed(), self.bandwidth, watched, self.seen

    def relayed(self) -> int:
        """The number of circuits that lead over it. `hops` has a circuit twice if it goes on from here."""
        return sum(key == (hop.before, hop.before_number) for key, hop in self.hops.items())

    def beliefs(self) -> Beliefs:
        """Its neighbours on circuits, and nobody else: it does not know who is behind them."""
        known: dict[int, Belief] = {}
        for hop in self.hops.values():
            channel = self.channels.get(hop.before)
            before = "relay before it" if channel is not None and channel.relay else "client before it"
            known[hop.before] = Belief(None, before, alive=True)
            if hop.ahead >= 0:
                known[hop.ahead] = Belief(None, "relay behind it", alive=True)
            for stream in hop.streams.values():
                known[stream.address] = Belief(None, "destination", alive=True)
        facts = {"circuits over it": f"{self.relayed():,}", "bandwidth": f"{self.bandwidth:,} kB/s"}
        if self.family:
            facts["family"] = str(self.family)
        if self.seen:
            facts["seen by its watcher"] = f"{self.seen:,} circuits, {len(self.pairs_seen):,} pairs of neighbours"
        return Beliefs(known, facts)


@dataclass(slots=True, eq=False)
class ExitRouter(OnionRouter):
    """A relay whose policy lets streams to ports 80 and 443 leave."""

    role = "exit"
    exits: ClassVar[bool] = True

    def begin(self, host: Host, hop: Hop, body: BeginStream) -> None:
        """Connect to the address; the answer is CONNECTED, or END."""
        if body.stream in hop.streams or body.stream <= 0:
            self.answer(host, hop, End(body.stream, END_PROTOCOL))
            return
        if len(hop.streams) >= STREAMS_MOST:
            self.answer(host, hop, End(body.stream, END_RESOURCES))
            return
        hop.streams[body.stream] = ExitStream(body.address, host.cause)
        wait_us = int(host.options.stream_s * 1e6)
        host.call(body.address, Dial(), timeout_us=wait_us, context=(hop.before, hop.before_number, body.stream))

    @on_reply(Dial)
    def dialled(self, host: Host, sender: PeerId, answer: Dialled, context: tuple[PeerId, int, int]) -> None:
        hop = self.hops.get(context[:2])
        if hop is not None and context[2] in hop.streams:
            self.answer(host, hop, Connected(context[2]))

    @on_timeout(Dial)
    def not_dialled(self, host: Host, to: PeerId, context: tuple[PeerId, int, int], reason: CallEnd) -> None:
        self.end_stream(host, context, END_TIMEOUT if reason == "silent" else END_REFUSED)

    def end_stream(self, host: Host, at: tuple[PeerId, int, int], reason: int) -> None:
        hop = self.hops.get(at[:2])
        if hop is not None and hop.streams.pop(at[2], None) is not None:
            self.answer(host, hop, End(at[2], reason))

    def wanted(self, host: Host, hop: Hop, body: Wanted) -> None:
        """Request a page from the website. Here its text can be read: a watcher of this exit knows what is visited."""
        stream = hop.streams.get(body.stream)
        try:
            due = hop.window.delivered()
            if stream is not None:
                stream.window.delivered()
        except ValueError:
            self.end_hop(host, hop, PROTOCOL)
            return
        if due:
            self.send_back(host, hop, RelayControl(hop.before_number, (hop.key,), Sendme(0)), None)
        if stream is None or stream.total:
            return
        stream.cause = host.cause
        if self.watched:
            self.note(host, hop, SITE)
        wait_us = 2 * int(host.options.stream_s * 1e6)
        host.call(
            stream.address, Get(body.text), timeout_us=wait_us, context=(hop.before, hop.before_number, body.stream)
        )

    @on_reply(Get)
    def got_page(self, host: Host, sender: PeerId, answer: WebPage, context: tuple[PeerId, int, int]) -> None:
        hop = self.hops.get(context[:2])
        stream = None if hop is None else hop.streams.get(context[2])
        if hop is None or stream is None or not 0 < answer.data.size < 1 << 50:
            return
        stream.left = stream.total = answer.data.size
        self.pump(host, hop, context[2])

    @on_timeout(Get)
    def no_page(self, host: Host, to: PeerId, context: tuple[PeerId, int, int], reason: CallEnd) -> None:
        self.end_stream(host, context, END_TIMEOUT if reason == "silent" else END_REFUSED)

    def pump(self, host: Host, hop: Hop, number: int) -> None:
        """Pack the page into cells, as far as both windows allow it."""
        stream = hop.streams.get(number)
        if stream is None or not stream.left:
            return
        whole = RelayData(hop.before_number, (hop.key,), Data(number, DATA_BYTES, stream.total))
        while stream.left and stream.window.package > 0 and hop.window.pack():
            stream.window.pack()
            cell = whole
            if stream.left < DATA_BYTES:
                cell = RelayData(hop.before_number, (hop.key,), Data(number, stream.left, stream.total))
            stream.left -= min(DATA_BYTES, stream.left)
            host.send(hop.before, cell, cause=stream.cause)
            hop.cells_back += 1
        self.link_used(host, hop.before)
        if not stream.left:
            del hop.streams[number]
            # A RelayData as the cells before it: of another class it could overtake them.
            host.send(hop.before, RelayData(hop.before_number, (hop.key,), End(number, END_DONE)), cause=stream.cause)


@dataclass(slots=True, eq=False)
class Bridge(OnionRouter):
    """A relay that is in no public list: clients get its address from the distributor. `found`: whether a censor has
    probed it, so that firewalls block it."""

    role = "bridge"
    shows = (*OnionRouter.shows, Shown("found", "whether a censor has found it", "category", ("found", "hidden")))
    found: bool = False

    @on(Describe)
    def publish(self, host: Host, tick: Describe) -> None:
        if self.distributor >= 0:
            host.send(self.distributor, self.descriptor(host), cause=None)

    def is_on_blocklist(self) -> bool:
        return self.found

    @on(Probe)
    def probed(self, host: Host, sender: PeerId, message: Probe) -> None:
        """A censor has found it: links through a firewall are cut, and no new ones are possible."""
        self.found = True
        for peer, channel in list(self.channels.items()):
            if channel.walled:
                self.lost_link(host, peer)

    def shown(self) -> tuple[float | str, ...]:
        return (*super().shown(), "found" if self.found else "hidden")
