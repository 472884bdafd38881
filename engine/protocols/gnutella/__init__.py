"""Gnutella 0.4.

No server: every program is a *servent*, server and client in one, and keeps open a handful of connections to
others. A question (Query) goes to all neighbours, which pass it on to theirs, each time with one less to live (TTL);
a servent that has the file answers (QueryHit), and the answer walks back the way the question came, for
nobody knows who asked: only who passed it on. The file itself is fetched directly.

Things to try: ask from a peer, then kill or censor the one who answered and ask again. Kill the best connected. Set
ttl=2 and see how far a question comes. Make half of them collude.

Source: The Gnutella Protocol Specification v0.4 (Clip2, revision 1.2). Sections named below are its headings.
Pongs are cached as later clients did (0.6, "Pong caching"): with one ping of TTL 7 per servent and minute the
pings would dwarf the queries that they serve. Messages of the real protocol that are handled at the level of
TCP and HTTP are written out here: Connect, Ok, Full, Giv, Get, Chunk, Gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...api import Ask, Belief, Beliefs, Cause, Host, PeerId, on
from .fetch import Download, Fetcher, Table
from .wire import Chunk, Connect, Full, Get, Giv, GnutellaOptions, Gone, Ok, Ping, Pong, Push, Query, QueryHit

SECOND_US = 1_000_000
PONGS = 10
"""Cached pongs in reply to a ping (0.6, "Pong caching": about ten)."""
HITS = 32
"""Results in one QueryHit; the specification's 4 kB limit, at some 100 bytes each."""
SPEEDS_KBPS = (56, 128, 1500, 1500, 3000, 10000)
"""Line speeds that users have: modem, ISDN, DSL, cable (commonest), T1 and better."""


# --- ticks ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class KeepAlive:
    """Time to ping the neighbours."""


@dataclass(slots=True)
class Forget:
    """Time to forget old GUIDs."""


@dataclass(slots=True)
class Seek:
    """Time to look for a neighbour again."""


@dataclass(slots=True)
class Unanswered:
    """A Connect that nobody answered."""

    to: PeerId


class Servent(Fetcher, name="gnutella", options=GnutellaOptions):
    """A servent. `connections` holds when each neighbour last answered a ping (us). `seen` is the way back of each
    query, by GUID, and `seen_before` of older ones; a plain attribute, since nine in ten queries of a flood are known
    and end there. Slots for the same reason: a swarm of thousands is slow by cache misses, not by arithmetic."""

    role = "servent"
    __slots__ = (
        "cache",
        "calling",
        "firewalled",
        "mine",
        "pings",
        "seen",
        "seen_before",
        "wanted",
    )

    def __init__(self) -> None:
        self.id = b""
        self.speed = 0
        self.firewalled = False
        self.wanted = 0
        self.connections: dict[PeerId, int] = {}
        self.calling: dict[PeerId, object] = {}
        self.cache: dict[PeerId, int] = {}
        self.seen: dict[bytes, PeerId] = {}
        self.seen_before: dict[bytes, PeerId] = {}
        self.pings = Table()
        self.pushes = Table()
        self.mine: dict[bytes, Cause] = {}
        self.downloads: dict[str, Download] = {}

    # --- joining ("Connect") -----------------------------------------------------------------------------

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        options = host.options
        self.id = host.rng.bytes(16)
        self.speed = host.rng.choice(SPEEDS_KBPS)
        self.firewalled = host.rng.random() < options.firewalled
        self.wanted = options.connections
        for address in (*(saved if isinstance(saved, tuple) else ()), *contacts):
            self.remember(host, address, 0)
        host.every(int(options.ping_s * SECOND_US), KeepAlive())
        host.every(int(options.guid_memory_s * SECOND_US), Forget())
        host.after(1, Seek())

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        self.wanted = len(links)
        for link in links:
            self.connections[link] = host.now_us
            self.remember(host, link, host.now_us)

    def saved(self) -> object | None:
        return tuple(self.cache)

    def remember(self, host: Host, address: PeerId, heard_us: int) -> None:
        """Into the host cache; the address longest unheard of makes room."""
        if address == host.me or not isinstance(address, int) or address < 0:
            return
        known = self.cache.pop(address, -1)
        self.cache[address] = max(known, heard_us)
        if len(self.cache) > host.options.host_cache:
            del self.cache[next(iter(self.cache))]

    @on(Seek)
    def seek(self, host: Host, tick: Seek) -> None:
        """Call addresses from the host cache until there are neighbours enough."""
        missing = self.wanted - len(self.connections) - len(self.calling)
        if missing <= 0:
            return
        strangers = [a for a in self.cache if a not in self.connections and a not in self.calling]
        for address in host.rng.sample(strangers, min(missing, len(strangers))):
            wait_us = int(host.options.connect_timeout_s * SECOND_US)
            self.calling[address] = host.after(wait_us, Unanswered(address), cause=None)
            host.send(address, Connect())
        if missing > len(strangers):
            host.after(int(host.options.ping_s * SECOND_US), Seek(), cause=None)

    @on(Unanswered)
    def unanswered(self, host: Host, tick: Unanswered) -> None:
        if self.calling.pop(tick.to, None) is not None:
            self.cache.pop(tick.to, None)
            self.seek(host, Seek())

    @on(Connect)
    def connect(self, host: Host, sender: PeerId, message: Connect) -> None:
        if sender not in self.connections and len(self.connections) >= host.options.max_connections:
            host.send(sender, Full())
            return
        host.send(sender, Ok())
        self.connected(host, sender)

    @on(Ok)
    def ok(self, host: Host, sender: PeerId, message: Ok) -> None:
        if sender in self.calling or sender in self.connections:
            self.connected(host, sender)
            host.send(sender, Ping(host.rng.bytes(16), 1, 0))

    @on(Full)
    def full(self, host: Host, sender: PeerId, message: Full) -> None:
        if self.calling.get(sender) is not None:
            host.cancel(self.calling.pop(sender))
            self.cache.pop(sender, None)
            self.seek(host, Seek())

    def connected(self, host: Host, other: PeerId) -> None:
        timer = self.calling.pop(other, None)
        if timer is not None:
            host.cancel(timer)
        self.connections[other] = host.now_us
        self.remember(host, other, host.now_us)
        host.link(other)

    def lost(self, host: Host, other: PeerId) -> None:
        """A neighbour is no more; look for another."""
        if self.connections.pop(other, None) is not None:
            self.seek(host, Seek())

    def closed(self, host: Host, peer: PeerId) -> None:
        self.lost(host, peer)

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        self.cache.pop(to, None)
        timer = self.calling.pop(to, None)
        if timer is not None:
            host.cancel(timer)
            self.seek(host, Seek())
        self.lost(host, to)
        if isinstance(message, Get):
            self.downloads.pop(message.name, None)
            host.note("download failed", name=message.name, holder=to, why="refused")

    # --- who is there (Ping, Pong) -------------------------------------------------------------------------

    @on(KeepAlive)
    def keep_alive(self, host: Host, tick: KeepAlive) -> None:
        """Ping the neighbours, and give up those that have been silent for too long."""
        patience_us = int(host.options.ping_s * host.options.silence * SECOND_US)
        for other, heard_us in list(self.connections.items()):
            if host.now_us - heard_us > patience_us:
                self.cache.pop(other, None)
                del self.connections[other]
                host.unlink(other)
        host.multicast(list(self.connections), Ping(host.rng.bytes(16), 1, 0))
        self.seek(host, Seek())

    @on(Ping)
    def ping(self, host: Host, sender: PeerId, message: Ping) -> None:
        if sender not in self.connections or self.pings.get(message.guid) is not None:
            return
        self.pings.new[message.guid] = sender
        shared = host.library.files()
        kilobytes = sum(file.size for file in shared) // 1024
        host.send(sender, Pong(message.guid, message.hops + 1, 0, host.me, len(shared), kilobytes))
        others = [a for a in self.cache if a != sender]
        for address in others[-PONGS:]:
            host.send(sender, Pong(message.guid, message.hops + 1, 1, address, 0, 0))
        ttl, hops = min(message.ttl - 1, host.options.ttl - message.hops - 1), message.hops + 1
        if ttl > 0:
            host.multicast([n for n in self.connections if n != sender], Ping(message.guid, ttl, hops))

    @on(Pong)
    def pong(self, host: Host, sender: PeerId, message: Pong) -> None:
        if sender not in self.connections:
            return
        if message.hops == 0:
            self.connections[sender] = host.now_us
        self.remember(host, message.address, host.now_us if message.hops == 0 else 0)
        back = self.pings.get(message.guid)
        if back is not None and back in self.connections and message.ttl > 1:
            onward = Pong(
                message.guid, message.ttl - 1, message.hops + 1, message.address, message.files, message.kilobytes
            )
            host.send(back, onward)

    # --- who has it (Query, QueryHit) ----------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        if ask.want == "publish":
            return
        guid = host.rng.bytes(16)
        self.mine[guid] = host.cause
        if len(self.mine) > PONGS * HITS:
            del self.mine[next(iter(self.mine))]
        self.seen[guid] = host.me
        host.multicast(list(self.connections), Query(guid, host.options.ttl, 0, 0, ask.text))

    @on(Query)
    def query(self, host: Host, sender: PeerId, message: Query) -> None:
        guid = message.guid
        seen = self.seen
        if guid in seen or guid in self.seen_before:
            host.note("duplicate")
            return
        if sender not in self.connections:
            return
        options = host.options
        seen[guid] = sender
        if len(seen) * 2 > options.guid_table:
            self.seen, self.seen_before = {}, seen
        hops = message.hops + 1
        found = host.library.matching(message.text)
        if found and self.speed >= message.speed:
            # "QueryHit": the TTL should be at least the hops of the query plus two.
            hit = QueryHit(guid, hops + 2, 0, host.me, self.speed, self.firewalled, tuple(found[:HITS]), self.id)
            host.send(sender, hit)
        ttl = min(message.ttl - 1, options.ttl - hops)
        if ttl > 0:
            onward = Query(guid, ttl, hops, message.speed, message.text)
            host.multicast([n for n in self.connections if n != sender], onward)

    @on(QueryHit)
    def query_hit(self, host: Host, sender: PeerId, message: QueryHit) -> None:
        self.pushes.new[message.servent] = sender
        if len(self.pushes) > host.options.guid_table:
            self.pushes.turn()
        if message.guid in self.mine:
            self.found(host, message)
            return
        back = self.seen.get(message.guid, self.seen_before.get(message.guid))
        if back is None or back not in self.connections or message.ttl <= 1:
            host.note("hit without a way back")
            return
        m = message
        host.send(
            back,
            QueryHit(m.guid, m.ttl - 1, m.hops + 1, m.address, m.speed, m.push, m.results, m.servent),
        )

    # --- memory ------------------------------------------------------------------------------------------------

    @on(Forget)
    def forget(self, host: Host, tick: Forget) -> None:
        self.seen, self.seen_before = {}, self.seen
        self.pings.turn()
        self.pushes.turn()

    def beliefs(self) -> Beliefs:
        known = {a: Belief(heard or None, "host cache") for a, heard in self.cache.items()}
        known.update((a, Belief(heard, "neighbour")) for a, heard in self.connections.items())
        facts = {
            "neighbours": f"{len(self.connections)} of {self.wanted} wanted",
            "host cache": f"{len(self.cache)} addresses",
            "GUIDs": f"{len(self.seen) + len(self.seen_before)} queries remembered",
            "line": f"{self.speed} kb/s{', firewalled' if self.firewalled else ''}",
        }
        if self.downloads:
            facts["fetching"] = ", ".join(f"{n} {100 * d.here // d.file.size} %" for n, d in self.downloads.items())
        return Beliefs(known, facts)


__all__ = [
    "Chunk",
    "Connect",
    "Download",
    "Full",
    "Get",
    "Giv",
    "GnutellaOptions",
    "Gone",
    "Ok",
    "Ping",
    "Pong",
    "Push",
    "Query",
    "QueryHit",
    "Servent",
]
