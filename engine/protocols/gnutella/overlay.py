"""Who is connected to whom: the handshake, the host cache, keep-alive pings, and new neighbours for lost ones.

A servent that is told of a death (a refused message, a closed stream) looks for another neighbour at once. Of a
censored one it is told nothing: only unanswered pings give it away.

A pong for a stranger is passed on from the cache only while the stranger was itself heard of late. Were hearsay passed
on as well, the address of a dead servent would go round for ever, each servent that repeats it making it young again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...api import Belief, Host, PeerId, on
from .download import SECOND_US, Fetcher
from .messages import BYTE_MAX, WORD_MAX, Connect, Full, Ok, Ping, Pong, headed, whole
from .routes import Table

PONGS = 10
"""Cached pongs in reply to a ping that looks for strangers (0.6, "Pong caching": about ten)."""
KEEP_ALIVE, DISCOVERY = 1, 2
"""TTL of a ping that asks whether the neighbour lives, and of one that asks whom it knows. Were each keep-alive
answered with ten cached pongs, a thousand idle servents would exchange four thousand messages a second."""
KNOWN_ENOUGH = 12
"""Addresses in the host cache below which a round of pings has one that looks for more."""
NEVER_US = -1
"""When an address was heard that is known from others only."""
LOOSE_BYTES, FEW = 64, 12
"""Bytes an entry above which a dict of more than a few has too much room: 24 and its share of the index are used, and
up to 52 are taken where it was filled in one go."""


@dataclass(slots=True)
class KeepAlive:
    """Time to ping the neighbours."""


@dataclass(slots=True)
class Seek:
    """Time to look for neighbours."""


@dataclass(slots=True)
class Unanswered:
    """A Connect that nobody answered."""

    to: PeerId


class Neighbour(Fetcher):
    """The part of a servent that has neighbours.

    `shares` is how many files a servent said it shares when it last answered a ping. `connections` holds when each
    neighbour last answered a ping (us), `cache` when each known address was last heard, `calling` the timer of each
    Connect under way, `declined` who was full since the last round of pings. `pings` is the way back for pongs.
    `wanted` is how many neighbours it keeps up. `bootstrap` are addresses to begin anew with.
    """

    __slots__ = ("bootstrap", "cache", "calling", "declined", "pings", "shares", "wanted")

    def __init__(self) -> None:
        super().__init__()
        self.cache: dict[PeerId, int] = {}
        self.calling: dict[PeerId, object] = {}
        self.declined: dict[PeerId, None] = {}
        self.pings = Table()
        self.shares: dict[PeerId, int] = {}
        self.wanted = 0
        self.bootstrap: Sequence[PeerId] = ()

    # --- the host cache ---------------------------------------------------------------------------------------

    def join(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """Begin with the addresses that are on disk and those that the network is known by."""
        self.wanted = self.newcomers_want(host)
        self.bootstrap = contacts
        for address in (*(saved if isinstance(saved, tuple) else ()), *contacts):
            self.remember(host, address, NEVER_US)
        host.every(int(host.options.ping_s * SECOND_US), KeepAlive())
        host.after(1, Seek(), cause=None)

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        # Who has no neighbour in the overlay, since all are away, is a newcomer like any other.
        self.wanted = len(links) or self.newcomers_want(host)
        for link in links:
            self.connections[link] = host.now_us
            self.remember(host, link, host.now_us)

    def newcomers_want(self, host: Host) -> int:
        """Neighbours to look for; more than one would accept make no sense."""
        return int(min(host.options.connections, host.options.max_connections))

    def saved(self) -> object | None:
        return tuple(self.cache)

    def remember(self, host: Host, address: PeerId, heard_us: int) -> None:
        """Into the host cache; the address longest unheard of makes room."""
        if address == host.me or address.__class__ is not int or address < 0:
            return
        self.cache[address] = max(self.cache.pop(address, NEVER_US), heard_us)
        while len(self.cache) > host.options.host_cache:
            del self.cache[next(iter(self.cache))]
        self.cache = tight(self.cache)

    def patience_us(self, host: Host) -> int:
        """How long a neighbour may be silent."""
        return int(host.options.ping_s * host.options.silence * SECOND_US)

    # --- the handshake ("Connecting to the network") -------------------------------------------------------------

    @on(Seek)
    def seek_now(self, host: Host, tick: Seek) -> None:
        self.seek(host)

    def seek(self, host: Host) -> None:
        """Call addresses from the host cache until there are neighbours enough."""
        missing = self.wanted - len(self.connections) - len(self.calling)
        if missing <= 0:
            return
        busy = (self.connections, self.calling, self.declined)
        strangers = [address for address in self.cache if not any(address in each for each in busy)]
        for address in host.rng.sample(strangers, min(missing, len(strangers))):
            wait_us = int(host.options.connect_timeout_s * SECOND_US)
            self.calling[address] = host.after(wait_us, Unanswered(address), cause=None)
            host.send(address, Connect())

    def hang_up(self, host: Host, address: PeerId) -> bool:
        """No longer wait for an answer to Connect. Says whether we did."""
        timer = self.calling.pop(address, None)
        if timer is None:
            return False
        host.cancel(timer)
        return True

    @on(Unanswered)
    def unanswered(self, host: Host, tick: Unanswered) -> None:
        if self.hang_up(host, tick.to):
            self.cache.pop(tick.to, None)
            self.seek(host)

    @on(Connect)
    def connect(self, host: Host, sender: PeerId, message: Connect) -> None:
        if sender not in self.connections:
            if self.firewalled and sender not in self.calling:
                return
            # Who began with more neighbours than that has room for as many.
            if len(self.connections) >= max(host.options.max_connections, self.wanted):
                host.send(sender, Full(tuple(self.heard_of_late(host, sender)[-PONGS:])))
                return
        host.send(sender, Ok())
        self.connected(host, sender)

    @on(Ok)
    def ok(self, host: Host, sender: PeerId, message: Ok) -> None:
        if sender in self.calling:
            self.connected(host, sender)
            host.send(sender, Ping(host.rng.bytes(16), DISCOVERY, 0))
        elif sender not in self.connections:
            # We gave up waiting; without this it would take us for a neighbour until it misses our pongs.
            host.unlink(sender)

    @on(Full)
    def full(self, host: Host, sender: PeerId, message: Full) -> None:
        if self.hang_up(host, sender):
            self.declined[sender] = None
            others = message.others if message.others.__class__ is tuple else ()
            for address in others[:PONGS]:
                if whole(address, 0, WORD_MAX):
                    self.remember(host, address, NEVER_US)
            self.seek(host)

    def connected(self, host: Host, other: PeerId) -> None:
        """A stream to it is open."""
        self.hang_up(host, other)
        self.connections[other] = host.now_us
        self.remember(host, other, host.now_us)
        host.link(other)

    # --- losses ---------------------------------------------------------------------------------------------

    def lost(self, host: Host, other: PeerId) -> None:
        """It is no neighbour any more; look for another."""
        if self.connections.pop(other, None) is not None:
            self.seek(host)

    def closed(self, host: Host, peer: PeerId) -> None:
        self.lost(host, peer)

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        self.cache.pop(to, None)
        if self.hang_up(host, to):
            self.seek(host)
        self.lost(host, to)
        self.unheard(host, to, message)

    # --- who is there (Ping, Pong) -------------------------------------------------------------------------------

    @on(KeepAlive)
    def keep_alive(self, host: Host, tick: KeepAlive) -> None:
        """Ping the neighbours, and give up those that have been silent for too long."""
        patience_us = self.patience_us(host)
        for other, heard_us in list(self.connections.items()):
            if host.now_us - heard_us > patience_us:
                self.cache.pop(other, None)
                del self.connections[other]
                host.unlink(other)
                host.note("silent neighbour", peer=other)
        neighbours = list(self.connections)
        if neighbours and len(self.cache) < KNOWN_ENOUGH:
            who = neighbours.pop(host.rng.randrange(len(neighbours)))
            host.send(who, Ping(host.rng.bytes(16), DISCOVERY, 0))
        host.multicast(neighbours, Ping(host.rng.bytes(16), KEEP_ALIVE, 0))
        self.declined.clear()
        if not self.connections and not self.cache:
            # Nobody it knew is there any more: what it began with may be back.
            for address in self.bootstrap:
                self.remember(host, address, NEVER_US)
        self.seek(host)

    @on(Ping)
    def ping(self, host: Host, sender: PeerId, message: Ping) -> None:
        if sender not in self.connections:
            return
        if not headed(message):
            host.note("nonsense")
            return
        guid, hops = message.guid, message.hops + 1
        if self.pings.get(guid) is not None:
            return
        options = host.options
        shared = host.library.files()
        kilobytes = sum(file.size for file in shared) // 1024
        back = min(hops, BYTE_MAX)
        host.send(sender, Pong(guid, back, 0, host.me, len(shared), kilobytes))
        if message.ttl == KEEP_ALIVE:
            return
        for address in self.heard_of_late(host, sender)[-PONGS:]:
            host.send(sender, Pong(guid, back, 1, address, 0, 0))
        ttl = min(message.ttl - 1, options.ttl - hops)
        if ttl > 0:
            # Only who passes a ping on will have pongs to pass back.
            self.pings.put(guid, sender, options.guid_table)
            host.multicast([n for n in self.connections if n != sender], Ping(guid, ttl, hops))

    def heard_of_late(self, host: Host, stranger: PeerId) -> list[PeerId]:
        """Addresses that a stranger may be told of: those that were heard from themselves, and not long ago."""
        since_us = host.now_us - self.patience_us(host)
        return [a for a, heard_us in self.cache.items() if NEVER_US < heard_us >= since_us and a != stranger]

    @on(Pong)
    def pong(self, host: Host, sender: PeerId, message: Pong) -> None:
        if sender not in self.connections:
            return
        m = message
        if not (headed(m) and all(whole(each, 0, WORD_MAX) for each in (m.address, m.files, m.kilobytes))):
            host.note("nonsense")
            return
        if m.hops == 0 and m.address == sender:
            self.connections[sender] = host.now_us
            self.remember(host, sender, host.now_us)
            self.shares[sender] = m.files
            if len(self.shares) > host.options.host_cache:
                del self.shares[next(iter(self.shares))]
        else:
            self.remember(host, m.address, NEVER_US)
        back = self.pings.get(m.guid)
        if back is not None and back in self.connections and m.ttl > 1 and m.hops < BYTE_MAX:
            host.send(back, Pong(m.guid, m.ttl - 1, m.hops + 1, m.address, m.files, m.kilobytes))

    def acquaintances(self) -> dict[PeerId, Belief]:
        """Whom it knows, and how."""
        files = self.shares.get
        known = {
            a: Belief(None if heard == NEVER_US else heard, "host cache", files=files(a))
            for a, heard in self.cache.items()
        }
        known.update((a, Belief(None, "calling", files=files(a))) for a in self.calling)
        known.update((a, Belief(heard, "neighbour", True, files(a))) for a, heard in self.connections.items())
        return known


def tight(table: dict[PeerId, int]) -> dict[PeerId, int]:
    """The same entries in the same order, in no more room than they need.

    Python makes room in a dict for three times what it holds. One that is kept in order of last use, by taking entries
    out and putting them in again, therefore has twice the room of one that was filled once: 18 KB for 200 addresses.
    """
    return dict(table) if table.__sizeof__() > LOOSE_BYTES * (len(table) + FEW) else table
