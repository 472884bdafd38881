"""Gnutella 0.4.

There is no server: every program is a *servent*, server and client in one, and keeps a handful of connections to
others. A search (Query) goes to all neighbours, which pass it on to theirs, each time with one hop less to live (TTL).
A servent that has the file answers (QueryHit), and the answer goes back the way the query came: only the servents on
that way know where it came from. The file itself is fetched from its holder directly.

Things to try: ask from a peer, then kill or censor the one that answered and ask again. Kill the best connected. Set
ttl=2 and see how far a query travels. Make half of them collude.

Source: The Gnutella Protocol Specification v0.4 (Clip2, revision 1.2). Sections named in the code are its headings.
Bytes are counted in MessagePack: a search for 18 letters counts 42 bytes and has 44 on the wire, without TCP and IP.
Pongs are cached as later clients did (0.6, "Pong caching"): with one ping of TTL 7 per servent and minute there would
be far more pings than queries. Messages of the real protocol that belong to TCP and HTTP are written out here:
Connect, Ok, Full, Giv, Get, Chunk, Gone.
"""

# Overlay. A servent that is told of a death (a refused message, a closed stream) looks for another neighbour at once.
# Of a censored one it is told nothing: only missing pongs show it. An address that is known from others only is never
# passed on as a cached pong: otherwise the address of a dead servent would stay in the caches for ever, since each
# servent that repeats it would make it look recent.
#
# Downloads. The downloader asks for one range at a time, so that no servent keeps state for one that is gone: a dead
# holder refuses the next request, a dead downloader sends no more. A holder that refuses, declines, sends other bytes
# than it promised, or falls silent is replaced by the next one that answered the same query; the bytes that have
# arrived are kept if the next has the same file. A timer with the cause of the ask runs until the file has arrived or
# no holder is left, so an ask stays open exactly as long as its download. Transfers open no stream that is drawn: they
# are no part of the overlay, and no query travels over them.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...api import (
    DUPLICATE,
    FETCH,
    FIND,
    PUBLISH,
    Ask,
    Belief,
    Beliefs,
    Blob,
    Cause,
    File,
    Host,
    Known,
    Peer,
    PeerId,
    Theory,
    on,
)
from ...kit import flood, own_file, put_bounded, tree_reach
from .messages import (
    BYTE_MAX,
    GUID_BYTES,
    TEXT_MAX,
    TTL_MAX,
    WORD_MAX,
    Chunk,
    Connect,
    Full,
    Get,
    Giv,
    GnutellaOptions,
    Gone,
    Ok,
    Ping,
    Pong,
    Push,
    Query,
    QueryHit,
    files_of,
    headed,
    index_of,
    named,
)

SECOND_US = 1_000_000
HITS = 32
"""Results in one QueryHit; the specification's limit of 4 kB, at about 100 bytes each. Others go into a further one."""
PINGED = 32
"""Pings that were answered and not passed on whose GUIDs are remembered: those of some minutes."""
ASKS = 256
"""Own queries whose answers are still recognised."""
SPEEDS_KBPS = (56, 128, 1500, 1500, 3000, 10000)
"""Line speeds that users have: modem, ISDN, DSL, cable (commonest), T1 and better."""
PONGS = 10
"""Cached pongs in reply to a discovery ping (0.6, "Pong caching": about ten)."""
KEEP_ALIVE, DISCOVERY = 1, 2
"""TTL of a ping that asks whether the neighbour lives, and of one that asks for addresses. If each keep-alive ping were
answered with ten cached pongs, a thousand idle servents would exchange four thousand messages a second."""
KNOWN_ENOUGH = 12
"""Addresses in the host cache below which one ping of a round is a discovery ping."""
NEVER_US = -1
"""Stands for the time of the last message of an address that is known from others only."""
LOOSE_BYTES, FEW = 64, 12
"""Bytes per entry above which a dict of more than a few entries has too much unused space: 24 and its share of the
index are needed, and up to 52 are taken where it was filled at once."""
SOURCES = 16
"""Holders remembered for one download."""
DOWNLOADS = 64
"""Downloads at a time; what is found while there are so many is not fetched."""
GIVEN = 64
"""Peers that a firewalled servent has called (Giv) and that may fetch over that connection."""
RANGE_S = 3
"""No range takes the line longer than this, so that all that share it hear of it within their timeouts."""
RANGE_LEAST = 1024
"""Bytes of the smallest range that is accepted, but for the last of a file: with less a download would never end."""
WAITING = 4
"""A download that goes on is turned away only when this many times the allowed uploads are waiting."""
EMPTY: dict[bytes, PeerId] = {}
"""Shared by all servents as the table of queries while it is empty. Never written to: see `Servent.came_from`."""


# --- timers ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Forget:
    """Time to forget old GUIDs."""


@dataclass(slots=True)
class KeepAlive:
    """Time to ping the neighbours."""


@dataclass(slots=True)
class Seek:
    """Time to look for neighbours."""


@dataclass(slots=True)
class ConnectTimeout:
    """A Connect was not answered in time."""

    to: PeerId


@dataclass(slots=True)
class Sent:
    """The line has taken a range: send it now, unless `handed`: then it was sent at once, and the link delays it."""

    to: PeerId
    name: str
    offset: int
    size: int
    handed: bool = False


@dataclass(slots=True)
class Stalled:
    """Time to look whether this attempt at a download still makes progress."""

    name: str
    attempt: int


# --- what a servent keeps ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Table:
    """GUID -> the connection it came from. Two generations: the older one is forgotten as a whole."""

    new: dict[bytes, PeerId] = field(default_factory=dict)
    old: dict[bytes, PeerId] = field(default_factory=dict)

    def get(self, key: bytes) -> PeerId | None:
        """The connection, or None for a GUID that is unknown or forgotten."""
        return self.new.get(key, self.old.get(key))

    def put(self, key: bytes, came_from: PeerId, most: int) -> None:
        """Remember one more. When both generations together could exceed `most`, the older one is forgotten."""
        self.new[key] = came_from
        if len(self.new) * 2 > most:
            self.turn()

    def turn(self) -> None:
        """Forget the older generation."""
        self.old, self.new = self.new, {}

    def __len__(self) -> int:
        return len(self.new) + len(self.old)


@dataclass(frozen=True, slots=True)
class Source:
    """A holder of a file: the file as it names it, and its address. If it must be pushed, `servent` is its id and `ttl`
    is large enough for a Push to arrive; else `servent` is empty."""

    file: File
    holder: PeerId
    servent: bytes
    ttl: int


@dataclass(slots=True)
class Download:
    """A file that is being fetched.

    source    the holder that is asked now
    others    those that are tried after it
    moved_us  when the last range arrived
    here      bytes that have arrived
    attempt   number of the present attempt, which tells its timer from those of earlier ones
    watch     that timer
    spare     holders that answered the same query with another name
    """

    source: Source
    others: list[Source]
    cause: Cause
    moved_us: int
    here: int = 0
    attempt: int = 0
    watch: object = None
    spare: list[Source] = field(default_factory=list)


class Servent(Peer, name="gnutella", options=GnutellaOptions):
    """A servent.

    seen, seen_before   GUID -> the connection that a query came from, in two generations as in a `Table`
    latest              the GUID of the query that came last
    mine                GUID of an own query -> name of the file that is fetched for it, or "" before there is one
    connections         neighbour -> when it last answered a ping, in us
    cache               the host cache: address -> when it was last heard from, in us
    calling             address -> the timer of a Connect that is not answered yet
    declined            servents that were full since the last round of pings
    shares              servent -> how many files and kilobytes it shares, by the latest pong that told it
    pings, pushes       the way back for pongs, by GUID; the way to a servent, by its id
    pinged              GUIDs of pings that were answered and not passed on
    wanted              neighbours that it tries to have
    bootstrap           addresses to begin anew with
    id, speed, firewalled
                        its servent id, the speed of its line in kbit/s, whether it accepts no connections
    downloads, attempts the files being fetched, by name; attempts made so far
    busy_us, uploading  when the line will have taken all ranges that wait for it, and how many these are
    given               peers that may fetch although it is firewalled, since it called them
    """

    # A flood looks into `seen` once for each delivery, and nineteen of twenty are duplicates. With ten thousand
    # servents such a look-up waits for memory and hardly computes: the servent, its table and the entries are each
    # somewhere else. Therefore most duplicates are recognised by `latest` alone, and an empty table is shared by all
    # servents: the tables are then made while the first flood passes, next to each other in memory.

    role = "servent"
    goals = (FIND, FETCH, PUBLISH)
    __slots__ = (
        "attempts",
        "bootstrap",
        "busy_us",
        "cache",
        "calling",
        "connections",
        "declined",
        "downloads",
        "firewalled",
        "given",
        "id",
        "latest",
        "mine",
        "pinged",
        "pings",
        "pushes",
        "seen",
        "seen_before",
        "shares",
        "speed",
        "uploading",
        "wanted",
    )

    def __init__(self) -> None:
        self.latest = b""
        self.seen = EMPTY
        self.seen_before = EMPTY
        self.id = b""
        self.speed = 1
        self.firewalled = False
        self.connections: dict[PeerId, int] = {}
        self.pushes = Table()
        self.mine: dict[bytes, str] = {}
        self.downloads: dict[str, Download] = {}
        self.attempts = 0
        self.busy_us = 0
        self.uploading = 0
        self.given: dict[PeerId, None] = {}
        self.cache: dict[PeerId, int] = {}
        self.calling: dict[PeerId, object] = {}
        self.declined: dict[PeerId, None] = {}
        self.pings = Table()
        self.pinged: dict[bytes, None] = {}
        self.shares: dict[PeerId, tuple[int, int]] = {}
        self.wanted = 0
        self.bootstrap: Sequence[PeerId] = ()

    @classmethod
    def horizon(cls, options: GnutellaOptions) -> int:
        return min(options.ttl, options.hop_limit, TTL_MAX)

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: GnutellaOptions) -> Sequence[Theory]:
        """A flood over the links as they are, and what it would reach if they had no cycles (Ritter 2001)."""
        if facts["goal"] == PUBLISH.name or not facts["degree"]:
            return ()
        ttl, degree = cls.horizon(options), round(facts["mean_degree"])
        told = flood(facts["levels"], ttl)
        who = "everybody" if told.complete else "all peers within them"
        return (
            Theory("reached", told.reached, f"a flood of {ttl} hops comes to {who}"),
            Theory("messages", told.messages, "2E - N + 1" if told.complete else "deg + sum of (deg - 1)"),
            Theory("duplicates", told.messages - told.reached, "messages less those reached"),
            Theory("tree", tree_reach(degree, ttl), f"reached without cycles, degree {degree} (Ritter)"),
        )

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.id = host.rng.bytes(16)
        self.speed = host.line.up_kbit_s or host.rng.choice(SPEEDS_KBPS)
        self.firewalled = host.line.nat or host.rng.random() < host.options.firewalled
        self.wanted = self.newcomers_want(host)
        self.bootstrap = contacts
        for address in (*(saved if isinstance(saved, tuple) else ()), *contacts):
            self.remember(host, address, NEVER_US)
        host.every(int(host.options.ping_s * SECOND_US), KeepAlive())
        host.after(1, Seek(), cause=None)
        host.every(int(host.options.guid_memory_s * SECOND_US), Forget())

    # --- search (Query, QueryHit) ---------------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        if ask.goal == PUBLISH.name:
            return
        number = host.rng.bytes(16)
        put_bounded(self.mine, number, "", ASKS)
        self.came_from(host, number, host.me)
        host.multicast(list(self.connections), Query(number, min(host.options.ttl, TTL_MAX), 0, 0, ask.text[:TEXT_MAX]))

    @on(Query)
    def query(self, host: Host, sender: PeerId, message: Query) -> Known:
        number = message.guid
        if number is self.latest or number in self.seen or number in self.seen_before:
            return DUPLICATE
        if sender not in self.connections:
            return None
        text = message.text
        if not (headed(message) and len(text) <= TEXT_MAX and 0 <= message.speed <= WORD_MAX):
            host.log("nonsense")
            return None
        self.came_from(host, number, sender)
        hops = message.hops + 1
        found = host.library.matching(text)
        if found and self.speed >= message.speed:
            # Section "QueryHit": the TTL should be at least the hops of the query plus two.
            ttl = min(hops + 2, TTL_MAX)
            for at in range(0, len(found), HITS):
                some = tuple(found[at : at + HITS])
                hit = QueryHit(number, ttl, 0, host.me, self.speed, self.firewalled, some, self.id)
                host.send(sender, hit)
        # TTL + Hops stays the same, unless it was more than relays allow.
        ttl = min(message.ttl - 1, host.options.hop_limit - hops)
        if ttl > 0:
            onward = Query(number, ttl, hops, message.speed, text)
            host.multicast([n for n in self.connections if n != sender], onward)
        return None

    @on(QueryHit)
    def query_hit(self, host: Host, sender: PeerId, message: QueryHit) -> None:
        m = message
        if sender not in self.connections:
            return
        if not (
            headed(m)
            and len(m.servent) == GUID_BYTES
            and 0 <= m.address <= WORD_MAX
            and 0 <= m.speed <= WORD_MAX
            and 0 < len(m.results) <= BYTE_MAX
        ):
            host.log("nonsense")
            return
        self.pushes.put(m.servent, sender, host.options.guid_table)
        if m.guid in self.mine:
            self.found(host, m)
            return
        back = self.way_back(m.guid)
        if back is None or back not in self.connections or m.ttl <= 1 or m.hops >= BYTE_MAX:
            host.log("hit without a way back")
            return
        onward = QueryHit(m.guid, m.ttl - 1, m.hops + 1, m.address, m.speed, m.push, m.results, m.servent)
        host.send(back, onward)

    # --- the way back of a query ----------------------------------------------------------------------------------

    def came_from(self, host: Host, number: bytes, sender: PeerId) -> None:
        """Remember the connection that a query came from."""
        if not self.seen:
            # The empty table is shared: EMPTY, or its copy in a swarm that was restored from a checkpoint.
            self.seen = {}
        self.latest = number
        self.seen[number] = sender
        if len(self.seen) * 2 > host.options.guid_table:
            self.turn()

    def way_back(self, number: bytes) -> PeerId | None:
        """The connection that a query came from, or None for a GUID that is unknown or forgotten."""
        return self.seen.get(number, self.seen_before.get(number))

    def turn(self) -> None:
        """Forget the older generation."""
        self.latest = b""
        self.seen, self.seen_before = EMPTY, self.seen

    # --- the host cache -------------------------------------------------------------------------------------------

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        # A peer without a living neighbour in the overlay looks for neighbours as a newcomer does.
        self.wanted = len(links) or self.newcomers_want(host)
        for link in links:
            self.connections[link] = host.now_us
            self.remember(host, link, host.now_us)

    def newcomers_want(self, host: Host) -> int:
        """How many neighbours a newcomer looks for: not more than it would accept."""
        return int(min(host.options.connections, host.options.max_connections))

    def saved(self) -> object | None:
        return tuple(self.cache)

    def remember(self, host: Host, address: PeerId, heard_us: int) -> None:
        """Put an address into the host cache, as its latest entry."""
        if address == host.me or address.__class__ is not int or address < 0:
            return
        heard_us = max(self.cache.pop(address, NEVER_US), heard_us)
        put_bounded(self.cache, address, heard_us, host.options.host_cache)
        self.cache = tight(self.cache)

    def patience_us(self, host: Host) -> int:
        """How long a neighbour may be silent, in us."""
        return int(host.options.ping_s * host.options.silence * SECOND_US)

    # --- the handshake ("Connecting to the network") --------------------------------------------------------------

    @on(Seek)
    def seek_now(self, host: Host, tick: Seek) -> None:
        self.seek(host)

    def seek(self, host: Host) -> None:
        """Send Connect to addresses from the host cache, as many as neighbours are missing."""
        missing = self.wanted - len(self.connections) - len(self.calling)
        if missing <= 0:
            return
        busy = (self.connections, self.calling, self.declined)
        strangers = [address for address in self.cache if not any(address in each for each in busy)]
        for address in host.rng.sample(strangers, min(missing, len(strangers))):
            wait_us = int(host.options.connect_timeout_s * SECOND_US)
            self.calling[address] = host.after(wait_us, ConnectTimeout(address), cause=None)
            host.send(address, Connect())

    def hang_up(self, host: Host, address: PeerId) -> bool:
        """Stop waiting for the answer to a Connect. Returns whether there was one to wait for."""
        timer = self.calling.pop(address, None)
        if timer is None:
            return False
        host.cancel(timer)
        return True

    @on(ConnectTimeout)
    def unanswered(self, host: Host, tick: ConnectTimeout) -> None:
        if self.hang_up(host, tick.to):
            self.cache.pop(tick.to, None)
            self.seek(host)

    @on(Connect)
    def connect(self, host: Host, sender: PeerId, message: Connect) -> None:
        if sender not in self.connections:
            if self.firewalled and sender not in self.calling:
                return
            # A peer whose topology has more links accepts as many.
            if len(self.connections) >= max(host.options.max_connections, self.wanted):
                host.send(sender, Full(tuple(self.recently_heard(host, sender)[-PONGS:])))
                return
        host.send(sender, Ok())
        self.connected(host, sender)

    @on(Ok)
    def ok(self, host: Host, sender: PeerId, message: Ok) -> None:
        if sender in self.calling:
            self.connected(host, sender)
            host.send(sender, Ping(host.rng.bytes(16), DISCOVERY, 0))
        elif sender not in self.connections:
            # The wait is over; without this it would count us as a neighbour until it misses our pongs.
            host.unlink(sender)

    @on(Full)
    def full(self, host: Host, sender: PeerId, message: Full) -> None:
        if self.hang_up(host, sender):
            self.declined[sender] = None
            for address in message.others[:PONGS]:
                if 0 <= address <= WORD_MAX:
                    self.remember(host, address, NEVER_US)
            self.seek(host)

    def connected(self, host: Host, other: PeerId) -> None:
        """A handshake is complete: add a neighbour."""
        self.hang_up(host, other)
        self.connections[other] = host.now_us
        self.remember(host, other, host.now_us)
        host.link(other)

    # --- lost neighbours ------------------------------------------------------------------------------------------

    def lose(self, host: Host, other: PeerId) -> None:
        """A peer is no neighbour any more: look for another."""
        if self.connections.pop(other, None) is not None:
            self.seek(host)

    def closed(self, host: Host, peer: PeerId) -> None:
        self.lose(host, peer)

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        self.cache.pop(to, None)
        if self.hang_up(host, to):
            self.seek(host)
        self.lose(host, to)
        self.fetch_refused(host, to, message)

    # --- who is alive (Ping, Pong) --------------------------------------------------------------------------------

    @on(KeepAlive)
    def keep_alive(self, host: Host, tick: KeepAlive) -> None:
        """Ping the neighbours, and drop those that have been silent for too long."""
        patience_us = self.patience_us(host)
        for other, heard_us in list(self.connections.items()):
            if host.now_us - heard_us > patience_us:
                self.cache.pop(other, None)
                del self.connections[other]
                host.unlink(other)
                host.log("silent neighbour", peer=other)
        neighbours = list(self.connections)
        if neighbours and len(self.cache) < KNOWN_ENOUGH:
            who = neighbours.pop(host.rng.randrange(len(neighbours)))
            host.send(who, Ping(host.rng.bytes(16), DISCOVERY, 0))
        host.multicast(neighbours, Ping(host.rng.bytes(16), KEEP_ALIVE, 0))
        self.declined.clear()
        if not self.connections and not self.cache:
            # No known address is left: the bootstrap peers may be alive again.
            for address in self.bootstrap:
                self.remember(host, address, NEVER_US)
        self.seek(host)

    @on(Ping)
    def ping(self, host: Host, sender: PeerId, message: Ping) -> Known:
        if sender not in self.connections:
            return None
        if not headed(message):
            host.log("nonsense")
            return None
        guid, hops = message.guid, message.hops + 1
        if guid in self.pinged or self.pings.get(guid) is not None:
            return DUPLICATE
        options = host.options
        shared = host.library.files()
        kilobytes = sum(file.size for file in shared) // 1024
        back = min(hops, TTL_MAX)
        host.send(sender, Pong(guid, back, 0, host.me, len(shared), kilobytes))
        if message.ttl > KEEP_ALIVE:
            for address in self.recently_heard(host, sender)[-PONGS:]:
                # Of an address that has sent no pong yet nothing is known.
                host.send(sender, Pong(guid, back, 1, address, *self.shares.get(address, (0, 0))))
        ttl = min(message.ttl - 1, options.hop_limit - hops)
        if ttl <= 0:
            put_bounded(self.pinged, guid, None, PINGED)
            return None
        # Only a servent that passes a ping on gets pongs to pass back.
        self.pings.put(guid, sender, options.guid_table)
        host.multicast([n for n in self.connections if n != sender], Ping(guid, ttl, hops))
        return None

    def recently_heard(self, host: Host, stranger: PeerId) -> list[PeerId]:
        """Addresses for cached pongs to `stranger`: those heard from directly and not long ago, the latest last."""
        since_us = host.now_us - self.patience_us(host)
        return [a for a, heard_us in self.cache.items() if NEVER_US < heard_us >= since_us and a != stranger]

    @on(Pong)
    def pong(self, host: Host, sender: PeerId, message: Pong) -> None:
        if sender not in self.connections:
            return
        m = message
        if not (headed(m) and all(0 <= each <= WORD_MAX for each in (m.address, m.files, m.kilobytes))):
            host.log("nonsense")
            return
        if m.hops == 0 and m.address == sender:
            self.connections[sender] = host.now_us
            self.remember(host, sender, host.now_us)
            put_bounded(self.shares, sender, (m.files, m.kilobytes), host.options.host_cache)
        else:
            self.remember(host, m.address, NEVER_US)
        back = self.pings.get(m.guid)
        if back is not None and back in self.connections and m.ttl > 1 and m.hops < BYTE_MAX:
            host.send(back, Pong(m.guid, m.ttl - 1, m.hops + 1, m.address, m.files, m.kilobytes))

    # --- fetching -------------------------------------------------------------------------------------------------

    def found(self, host: Host, hit: QueryHit) -> None:
        """An answer to one of our own queries; all fields but `results` have been checked."""
        files = files_of(hit.results)
        if not files or hit.address == host.me:
            host.log("nonsense")
            return
        for file in files:
            host.hit(hit.address, file.name)
        if not host.options.download:
            return
        name = self.mine[hit.guid]
        file = next((f for f in files if f.name == name or (not name and own_file(host, f.name) is None)), files[0])
        if own_file(host, file.name) is not None:
            return
        source = Source(file, hit.address, hit.servent if hit.push else b"", min(hit.hops + 2, TTL_MAX))
        if name and file.name != name:
            chosen = self.downloads.get(name)
            if chosen is not None and len(chosen.spare) < SOURCES:
                chosen.spare.append(source)
            return
        download = self.downloads.get(file.name)
        if download is not None:
            known = (download.source, *download.others)
            if len(known) < SOURCES and all(each.holder != hit.address for each in known):
                download.others.append(source)
        elif len(self.downloads) < DOWNLOADS:
            download = self.downloads[file.name] = Download(source, [], host.cause, host.now_us)
            self.attempt(host, download)
        self.mine[hit.guid] = file.name

    def attempt(self, host: Host, download: Download) -> None:
        """Ask the present source. The cause is stated, since a retry may be started by something without a cause."""
        self.attempts += 1
        download.attempt = self.attempts
        download.moved_us = host.now_us
        source = download.source
        if source.servent:
            way = self.pushes.get(source.servent)
            if self.firewalled or way not in self.connections:
                self.other(host, download, "both are firewalled" if self.firewalled else "no way to push")
                return
            assert way is not None
            push = Push(host.rng.bytes(16), source.ttl, 0, source.servent, index_of(source.file.name), host.me)
            host.send(way, push, cause=download.cause)
        else:
            host.send(source.holder, Get(source.file.name, download.here), cause=download.cause)
        self.look_later(host, download)

    def look_later(self, host: Host, download: Download) -> None:
        """Set the timer for the moment at which the source counts as silent."""
        silent_us = download.moved_us + self.silence_us(host) - host.now_us
        tick = Stalled(download.source.file.name, download.attempt)
        download.watch = host.after(silent_us, tick, cause=download.cause)

    def silence_us(self, host: Host) -> int:
        """How long a download may make no progress, in us. A range is delivered as a whole, so the time that our own
        line needs for it while all downloads share the line is added."""
        patience_us = int(host.options.download_timeout_s * SECOND_US)
        if host.line.down_kbit_s:
            patience_us += host.options.chunk_kb * 8_192_000 * len(self.downloads) // host.line.down_kbit_s
        return patience_us

    @on(Stalled)
    def stalled(self, host: Host, tick: Stalled) -> None:
        """Look again later if there was progress, else try another holder."""
        download = self.downloads.get(tick.name)
        if download is None or download.attempt != tick.attempt:
            return
        download.watch = None
        if host.now_us < download.moved_us + self.silence_us(host):
            self.look_later(host, download)
        else:
            self.other(host, download, "silent")

    def other(self, host: Host, download: Download, why: str) -> None:
        """Give up the present source: try the next one, or fail."""
        self.unwatch(host, download)
        before = download.source
        if not download.others:
            del self.downloads[before.file.name]
            host.failed(why, cause=download.cause)
            return
        download.source = download.others.pop(0)
        file = download.source.file
        if (file.size, file.digest) != (before.file.size, before.file.digest):
            download.here = 0
        host.log("another holder", name=file.name, holder=download.source.holder, instead_of=before.holder, why=why)
        self.attempt(host, download)

    def unwatch(self, host: Host, download: Download) -> None:
        """Cancel the timer of a download, which would keep the ask open."""
        if download.watch is not None:
            host.cancel(download.watch)
            download.watch = None

    def fetch_refused(self, host: Host, to: PeerId, message: object) -> None:
        """A Get, or the first hop of a Push, was refused."""
        if isinstance(message, Get):
            self.unserved(host, message.name, to, "refused")
        elif isinstance(message, Push) and message.address == host.me:
            for download in list(self.downloads.values()):
                source = download.source
                if source.servent == message.servent and index_of(source.file.name) == message.index:
                    self.other(host, download, "no way to push")

    @on(Giv)
    def giv(self, host: Host, sender: PeerId, message: Giv) -> None:
        download = self.downloads.get(message.name) if named(message.name) else None
        if download is not None and download.source.holder == sender and download.source.servent:
            download.moved_us = host.now_us
            host.send(sender, Get(message.name, download.here), cause=download.cause)

    @on(Chunk)
    def chunk(self, host: Host, sender: PeerId, message: Chunk) -> None:
        download = self.downloads.get(message.name) if named(message.name) else None
        if download is None or download.source.holder != sender or message.offset != download.here:
            return
        file, data = download.source.file, message.data
        rest = file.size - download.here
        if not min(rest, RANGE_LEAST) <= data.size <= rest:
            host.log("nonsense")
            self.other(host, download, "nonsense")
            return
        if data.digest != file.digest:
            download.here = 0
            self.other(host, download, "other bytes than promised")
            return
        download.here += data.size
        download.moved_us = host.now_us
        if data.size < rest:
            host.send(sender, Get(file.name, download.here), cause=download.cause)
            return
        if not host.library.add(file):
            host.decoy(sender, file.name, cause=download.cause)
            self.got_decoy(host, download)
            return
        self.unwatch(host, download)
        del self.downloads[file.name]
        host.fetched(sender, file.name, cause=download.cause)

    def got_decoy(self, host: Host, download: Download) -> None:
        """The hash was right and the user deleted the file, since it is not what its name says. If no other holder has
        this name, a file of another name that answered the same query is tried."""
        download.here = 0
        if not download.others:
            names = (source.file.name for source in download.spare)
            name = next((one for one in names if one not in self.downloads and own_file(host, one) is None), None)
            if name is not None:
                self.downloads[name] = self.downloads.pop(download.source.file.name)
                download.others = [source for source in download.spare if source.file.name == name]
                download.spare = [source for source in download.spare if source.file.name != name]
                before, download.source = download.source, download.others[0]
                download.source = Source(download.source.file, before.holder, b"", 0)
        self.other(host, download, "a decoy")

    @on(Gone)
    def gone(self, host: Host, sender: PeerId, message: Gone) -> None:
        if message.name == "" or named(message.name):
            self.unserved(host, message.name, sender, "not to be had there")

    def unserved(self, host: Host, name: str, holder: PeerId, why: str) -> None:
        """A holder does not serve this file, or, with an empty name, anything that it was asked for."""
        for download in [d for d in self.downloads.values() if d.source.holder == holder]:
            if name in ("", download.source.file.name):
                self.other(host, download, why)

    # --- serving --------------------------------------------------------------------------------------------------

    @on(Push)
    def push(self, host: Host, sender: PeerId, message: Push) -> None:
        m = message
        if sender not in self.connections:
            return
        if not (headed(m) and len(m.servent) == GUID_BYTES and 0 <= m.index <= WORD_MAX and m.address >= 0):
            host.log("nonsense")
            return
        if m.servent == self.id:
            name = next((file.name for file in host.library.files() if index_of(file.name) == m.index), None)
            if name is not None:
                put_bounded(self.given, m.address, None, GIVEN)
                host.send(m.address, Giv(name))
            return
        way = self.pushes.get(m.servent)
        if way is not None and way in self.connections and way != sender and m.ttl > 1 and m.hops < BYTE_MAX:
            host.send(way, Push(m.guid, m.ttl - 1, m.hops + 1, m.servent, m.index, m.address))

    @on(Get)
    def get(self, host: Host, sender: PeerId, message: Get) -> None:
        """Queue a range for the line, which takes one after the other."""
        if self.firewalled and sender not in self.given:
            return
        name, offset = message.name, message.offset
        if name != "" and not (named(name) and 0 <= offset <= 1 << 62):
            host.log("nonsense")
            return
        file = own_file(host, name)
        slots = host.options.uploads * (WAITING if offset else 1)
        if file is None or offset >= file.size or self.uploading >= slots:
            host.send(sender, Gone(name))
            return
        size = min(host.options.chunk_kb * 1024, self.speed * 125 * RANGE_S, file.size - offset)
        # bits / (kb/s) = ms
        self.busy_us = max(host.now_us, self.busy_us) + size * 8_000 // self.speed
        self.uploading += 1
        if host.line.up_kbit_s:
            # The link delays it. The timer only tells when the next upload may take its place.
            host.send(sender, Chunk(name, offset, Blob(size, file.digest)))
            host.after(self.busy_us - host.now_us, Sent(sender, name, offset, size, handed=True), cause=None)
            return
        host.after(self.busy_us - host.now_us, Sent(sender, name, offset, size))

    @on(Sent)
    def sent(self, host: Host, tick: Sent) -> None:
        self.uploading -= 1
        file = None if tick.handed else own_file(host, tick.name)
        if file is not None:
            host.send(tick.to, Chunk(tick.name, tick.offset, Blob(tick.size, file.digest)))

    # --- upkeep and inspection ------------------------------------------------------------------------------------

    @on(Forget)
    def forget(self, host: Host, tick: Forget) -> None:
        self.turn()
        self.pings.turn()
        self.pushes.turn()

    def contacts(self) -> Sequence[PeerId]:
        """Its neighbours in the overlay; a stream that carries a file is no way for a query."""
        return tuple(self.connections)

    def beliefs(self) -> Beliefs:
        facts = {
            "neighbours": f"{len(self.connections)} of {self.wanted} wanted",
            "host cache": f"{len(self.cache)} addresses",
            "GUIDs": f"{len(self.seen) + len(self.seen_before)} queries remembered",
            "ways to push": f"{len(self.pushes)} servents",
            "line": f"{self.speed} kb/s{', firewalled' if self.firewalled else ''}",
        }
        if self.uploading:
            facts["uploading"] = f"{self.uploading} range{'' if self.uploading == 1 else 's'} waiting for the line"
        if self.downloads:
            facts["fetching"] = ", ".join(
                f"{name} {100 * d.here // d.source.file.size} %" for name, d in self.downloads.items()
            )
        return Beliefs(self.known_peers(), facts)

    def known_peers(self) -> dict[PeerId, Belief]:
        """The peers it knows, with the relation to each."""
        told = self.shares.get

        def files(address: PeerId) -> int | None:
            shares = told(address)
            return None if shares is None else shares[0]

        known = {
            a: Belief(None if heard == NEVER_US else heard, "host cache", files=files(a))
            for a, heard in self.cache.items()
        }
        known.update((a, Belief(None, "calling", files=files(a))) for a in self.calling)
        known.update((a, Belief(heard, "neighbour", True, files(a))) for a, heard in self.connections.items())
        return known


def tight(table: dict[PeerId, int]) -> dict[PeerId, int]:
    """A dict with the same entries in the same order that takes no more memory than needed.

    A Python dict grows to three times the entries it holds. One that is kept in order of last use, by removing entries
    and adding them again, takes twice the memory of one that was filled once: 18 KB for 200 addresses.
    """
    return dict(table) if table.__sizeof__() > LOOSE_BYTES * (len(table) + FEW) else table
