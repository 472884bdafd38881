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

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...api import (
    DUPLICATE,
    FETCH,
    FIND,
    PUBLISH,
    Ask,
    Beliefs,
    File,
    Host,
    Known,
    Peer,
    PeerId,
    Theory,
    on,
)
from ...kit import SPEEDS_KBIT_S, flood, put_bounded, tree_reach
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
    headed,
)
from .neighbours import NEXT_US, ConnectTimeout, KeepAlive, Neighbours, Seek
from .pushes import Pushes
from .transfers import ASKS, Downloads, Sent, Stalled, Uploads

HITS = 32
"""Results in one QueryHit; the specification's limit of 4 kB, at about 100 bytes each. Others go into a further one."""
EMPTY: dict[bytes, PeerId] = {}
"""Shared by all servents as the table of queries while it is empty. Never written to: see `Servent.remember_query`."""


@dataclass(slots=True)
class Forget:
    """Time to forget old GUIDs."""


class Servent(Peer, name="gnutella", options=GnutellaOptions):
    """A servent.

    seen, seen_before   GUID -> the connection that a query came from, in two generations as in a `RecentTable`
    latest              the GUID of the query that came last
    connections         neighbour -> when it last answered a ping, in us; `near` keeps it
    near                its neighbours, and how it finds them
    id, speed, firewalled
                        its servent id, the speed of its line in kbit/s, whether it accepts no connections
    pushes              the ways to servents that accept no connections
    downloads, uploads  the files that are being fetched and served
    """

    # A flood looks into `seen` once for each delivery, and nineteen of twenty deliveries are duplicates. With ten
    # thousand servents, most time of such a look-up is waiting for memory: the servent, its table and the entries are
    # at different places. Therefore most duplicates are recognised by `latest` alone, and an empty table is shared by
    # all servents: so the tables are made while the first flood passes, next to each other in memory.

    role = "servent"
    goals = (FIND, FETCH, PUBLISH)
    __slots__ = (
        "connections",
        "downloads",
        "firewalled",
        "id",
        "latest",
        "near",
        "pushes",
        "seen",
        "seen_before",
        "speed",
        "uploads",
    )

    def __init__(self) -> None:
        self.latest = b""
        self.seen = EMPTY
        self.seen_before = EMPTY
        self.id = b""
        self.speed = 1
        self.firewalled = False
        self.connections: dict[PeerId, int] = {}
        self.pushes = Pushes(self.connections)
        self.near = Neighbours(self.connections)
        self.downloads = Downloads(self.pushes)
        self.uploads = Uploads()

    @classmethod
    def horizon(cls, options: GnutellaOptions) -> int:
        return min(options.ttl, options.hop_limit, TTL_MAX)

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: GnutellaOptions) -> Sequence[Theory]:
        """A flood over the links as they are, and what it would reach if they had no cycles (Ritter 2001)."""
        if facts["goal"] == PUBLISH.name or not facts["degree"]:
            return ()
        ttl, degree = cls.horizon(options), round(facts["mean_degree"])
        reach = flood(facts["levels"], ttl)
        who = "everybody" if reach.complete else "all peers within them"
        return (
            Theory("reached", reach.reached, f"a flood of {ttl} hops comes to {who}"),
            Theory("messages", reach.messages, "2E - N + 1" if reach.complete else "deg + sum of (deg - 1)"),
            Theory("duplicates", reach.messages - reach.reached, "messages less those reached"),
            Theory("tree", tree_reach(degree, ttl), f"reached without cycles, degree {degree} (Ritter)"),
        )

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        # A newcomer looks for as many neighbours as it would accept at most.
        wanted = int(min(host.options.connections, host.options.max_connections))
        self.begin(host, contacts, saved if isinstance(saved, tuple) else (), wanted)

    def begin(self, host: Host, contacts: Sequence[PeerId], saved: Sequence[PeerId], wanted: int) -> None:
        """Begin with these bootstrap peers, the addresses of an earlier session, and so many neighbours to look for."""
        self.id = host.rng.bytes(16)
        self.speed = host.line.up_kbit_s or host.rng.choice(SPEEDS_KBIT_S)
        self.firewalled = bool(host.line.nat) or host.rng.random() < host.options.firewalled
        self.downloads.firewalled = self.firewalled
        self.near.start(host, contacts, saved, self.firewalled, wanted)
        host.every_s(host.options.ping_s, KeepAlive())
        host.after(NEXT_US, Seek(), cause=None)
        host.every_s(host.options.guid_memory_s, Forget())

    # --- search (Query, QueryHit) ---------------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        if ask.goal == PUBLISH.name:
            return
        number = host.rng.bytes(16)
        put_bounded(self.downloads.mine, number, "", ASKS)
        self.remember_query(host, number, host.me)
        host.multicast(list(self.connections), Query(number, min(host.options.ttl, TTL_MAX), 0, 0, ask.text[:TEXT_MAX]))

    @on(Query)
    def query(self, host: Host, sender: PeerId, message: Query) -> Known:
        number = message.guid
        if number is self.latest or number in self.seen or number in self.seen_before:
            return DUPLICATE
        if not self.accepts(host, sender, message):
            return None
        text = message.text
        self.remember_query(host, number, sender)
        hops = message.hops + 1
        found = host.library.matching(text)
        if found and self.speed >= message.speed:
            self.answer(host, sender, number, found, hops)
        # TTL + Hops stays the same, unless it was more than relays allow.
        ttl = min(message.ttl - 1, host.options.hop_limit - hops)
        if ttl > 0:
            onward = Query(number, ttl, hops, message.speed, text)
            host.multicast([n for n in self.connections if n != sender], onward)
        return None

    def accepts(self, host: Host, sender: PeerId, message: Query) -> bool:
        """Whether a new query came from a neighbour and is well formed."""
        if sender not in self.connections:
            return False
        if not (headed(message) and len(message.text) <= TEXT_MAX and 0 <= message.speed <= WORD_MAX):
            host.log("nonsense")
            return False
        return True

    def answer(self, host: Host, sender: PeerId, number: bytes, found: Sequence[File], hops: int) -> None:
        """Send found files back, at most `HITS` in a QueryHit. hops: how many the query has travelled."""
        # Section "QueryHit": the TTL should be at least the hops of the query plus two.
        ttl = min(hops + 2, TTL_MAX)
        for at in range(0, len(found), HITS):
            some = tuple(found[at : at + HITS])
            host.send(sender, QueryHit(number, ttl, 0, host.me, self.speed, self.firewalled, some, self.id))

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
        self.pushes.ways.put(m.servent, sender, host.options.guid_table)
        if m.guid in self.downloads.mine:
            self.downloads.found(host, m)
            return
        back = self.way_back(m.guid)
        if back is None or back not in self.connections or m.ttl <= 1 or m.hops >= BYTE_MAX:
            host.log("hit without a way back")
            return
        onward = QueryHit(m.guid, m.ttl - 1, m.hops + 1, m.address, m.speed, m.push, m.results, m.servent)
        host.send(back, onward)

    # --- the way back of a query ----------------------------------------------------------------------------------

    def remember_query(self, host: Host, number: bytes, sender: PeerId) -> None:
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

    # --- neighbours (sections "Connecting", "Ping", "Pong"; see `neighbours`) ----------------------------------------

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        # A peer without a living neighbour in the overlay looks for neighbours as a newcomer does.
        if links:
            self.near.wanted = len(links)
        for link in links:
            self.connections[link] = host.now_us
            self.near.remember(host, link, host.now_us)

    def saved(self) -> object | None:
        return tuple(self.near.cache)

    @on(Seek)
    def seek(self, host: Host, tick: Seek) -> None:
        self.near.seek(host)

    @on(ConnectTimeout)
    def unanswered(self, host: Host, tick: ConnectTimeout) -> None:
        self.near.unanswered(host, tick)

    @on(Connect)
    def connect(self, host: Host, sender: PeerId, message: Connect) -> None:
        self.near.connect(host, sender)

    @on(Ok)
    def ok(self, host: Host, sender: PeerId, message: Ok) -> None:
        self.near.ok(host, sender)

    @on(Full)
    def full(self, host: Host, sender: PeerId, message: Full) -> None:
        self.near.full(host, sender, message)

    def closed(self, host: Host, peer: PeerId) -> None:
        self.near.lose(host, peer)

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        self.near.refused(host, to)
        self.downloads.refused(host, to, message)

    @on(KeepAlive)
    def keep_alive(self, host: Host, tick: KeepAlive) -> None:
        self.near.keep_alive(host)

    @on(Ping)
    def ping(self, host: Host, sender: PeerId, message: Ping) -> Known:
        return self.near.ping(host, sender, message)

    @on(Pong)
    def pong(self, host: Host, sender: PeerId, message: Pong) -> None:
        self.near.pong(host, sender, message)

    # --- files (sections "File Downloads", "Firewalled Servents"; see `transfers`, `pushes`) --------------------------

    @on(Stalled)
    def stalled(self, host: Host, tick: Stalled) -> None:
        self.downloads.stalled(host, tick)

    @on(Giv)
    def giv(self, host: Host, sender: PeerId, message: Giv) -> None:
        self.downloads.giv(host, sender, message)

    @on(Chunk)
    def chunk(self, host: Host, sender: PeerId, message: Chunk) -> None:
        self.downloads.chunk(host, sender, message)

    @on(Gone)
    def gone(self, host: Host, sender: PeerId, message: Gone) -> None:
        self.downloads.gone(host, sender, message)

    @on(Push)
    def push(self, host: Host, sender: PeerId, message: Push) -> None:
        self.pushes.push(host, sender, message, self.id)

    @on(Get)
    def get(self, host: Host, sender: PeerId, message: Get) -> None:
        if not self.firewalled or sender in self.pushes.given:
            self.uploads.get(host, sender, message, self.speed)

    @on(Sent)
    def sent(self, host: Host, tick: Sent) -> None:
        self.uploads.sent(host, tick)

    # --- upkeep and inspection ------------------------------------------------------------------------------------

    @on(Forget)
    def forget(self, host: Host, tick: Forget) -> None:
        self.turn()
        self.near.pings.turn()
        self.pushes.ways.turn()

    def contacts(self) -> Sequence[PeerId]:
        """Its neighbours in the overlay; a stream that carries a file is no way for a query."""
        return tuple(self.connections)

    def beliefs(self) -> Beliefs:
        facts = {
            "neighbours": f"{len(self.connections)} of {self.near.wanted} wanted",
            "host cache": f"{len(self.near.cache)} addresses",
            "GUIDs": f"{len(self.seen) + len(self.seen_before)} queries remembered",
            "ways to push": f"{len(self.pushes.ways)} servents",
            "line": f"{self.speed} kb/s{', firewalled' if self.firewalled else ''}",
        }
        if waiting := self.uploads.waiting:
            facts["uploading"] = f"{waiting} range{'' if waiting == 1 else 's'} waiting for the line"
        if running := self.downloads.running:
            facts["fetching"] = ", ".join(
                f"{name} {100 * d.here // d.source.file.size} %" for name, d in running.items()
            )
        return Beliefs(self.near.beliefs(), facts)
