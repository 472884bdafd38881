"""The neighbours of a servent: the handshake, the host cache, pings and pongs.

Source: sections "Connecting to the network", "Ping (0x00)" and "Pong (0x01)"; "Pong caching" of 0.6.
"""

# Overlay. When a neighbour dies, a servent sees it at once (a refused message, a closed stream) and looks for another
# one. When a neighbour is censored, it sees that only by missing pongs. An address that is known from others only is
# never passed on as a cached pong: otherwise the address of a dead servent would stay in the caches for ever, since
# each servent that repeats it would make it look recent.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...api import DUPLICATE, Belief, Host, Known, PeerId
from ...kit import HostCache, RecentTable, put_bounded, some_of
from .messages import BYTE_MAX, TTL_MAX, WORD_MAX, Connect, Full, Ok, Ping, Pong, headed

SECOND_US = 1_000_000
NEXT_US = 1
"""One microsecond later: all that begins at this instant has begun by then."""
NEVER_US = HostCache.NEVER_US
PINGED = 32
"""How many GUIDs of pings that were answered and not passed on are remembered: enough for some minutes."""
PONGS = 10
"""Cached pongs in reply to a discovery ping (0.6, "Pong caching": about ten)."""
KEEP_ALIVE, DISCOVERY = 1, 2
"""TTL of a ping that asks whether the neighbour lives, and of one that asks for addresses. If each keep-alive ping were
answered with ten cached pongs, a thousand idle servents would exchange four thousand messages a second."""
KNOWN_ENOUGH = 12
"""Addresses in the host cache below which one ping of a round is a discovery ping."""


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


class Neighbours:
    """The neighbours of a servent, and the addresses where it looks for others.

    connections  neighbour -> when it last answered a ping, in us
    cache        addresses of servents
    calling      address -> the timer of a Connect that is not answered yet
    declined     servents that were full since the last round of pings
    shares       servent -> how many files and kilobytes it shares, by its latest pong
    pings        GUID of a ping -> the neighbour to send the pongs back to
    pinged       GUIDs of pings that were answered and not passed on
    wanted       neighbours that it tries to have
    bootstrap    addresses to begin again with when no other is left
    firewalled   whether it accepts no connections
    """

    __slots__ = (
        "bootstrap",
        "cache",
        "calling",
        "connections",
        "declined",
        "firewalled",
        "pinged",
        "pings",
        "shares",
        "wanted",
    )

    def __init__(self, connections: dict[PeerId, int]) -> None:
        self.connections = connections
        self.cache = HostCache()
        self.calling: dict[PeerId, object] = {}
        self.declined: dict[PeerId, None] = {}
        self.shares: dict[PeerId, tuple[int, int]] = {}
        self.pings: RecentTable[bytes, PeerId] = RecentTable()
        self.pinged: dict[bytes, None] = {}
        self.wanted = 0
        self.bootstrap: Sequence[PeerId] = ()
        self.firewalled = False

    def start(
        self, host: Host, bootstrap: Sequence[PeerId], saved: Sequence[PeerId], firewalled: bool, wanted: int
    ) -> None:
        self.firewalled = firewalled
        self.wanted = wanted
        self.bootstrap = bootstrap
        for address in (*saved, *bootstrap):
            self.remember(host, address, NEVER_US)

    def remember(self, host: Host, address: PeerId, heard_us: int) -> None:
        """Put an address into the host cache, as its latest entry."""
        if address != host.me:
            self.cache.remember(address, heard_us, host.options.host_cache)

    # --- the handshake ("Connecting to the network") --------------------------------------------------------------

    def seek(self, host: Host) -> None:
        """Send Connect to addresses from the host cache, as many as neighbours are missing."""
        missing = self.wanted - len(self.connections) - len(self.calling)
        if missing <= 0:
            return
        busy = (self.connections, self.calling, self.declined)
        unconnected = [address for address in self.cache if not any(address in each for each in busy)]
        for address in some_of(unconnected, missing, host.rng):
            wait_us = int(host.options.connect_timeout_s * SECOND_US)
            self.calling[address] = host.after(wait_us, ConnectTimeout(address), cause=None)
            host.send(address, Connect())

    def stop_waiting(self, host: Host, address: PeerId) -> bool:
        """Stop waiting for the answer to a Connect. Returns whether there was one to wait for."""
        timer = self.calling.pop(address, None)
        if timer is None:
            return False
        host.cancel(timer)
        return True

    def unanswered(self, host: Host, tick: ConnectTimeout) -> None:
        if self.stop_waiting(host, tick.to):
            self.cache.forget(tick.to)
            self.seek(host)

    def connect(self, host: Host, sender: PeerId) -> None:
        if sender not in self.connections:
            if self.firewalled and sender not in self.calling:
                return
            # A peer whose topology has more links accepts as many.
            if len(self.connections) >= max(host.options.max_connections, self.wanted):
                host.send(sender, Full(tuple(self.recently_heard(host, sender)[-PONGS:])))
                return
        host.send(sender, Ok())
        self.connected(host, sender)

    def ok(self, host: Host, sender: PeerId) -> None:
        if sender in self.calling:
            self.connected(host, sender)
            host.send(sender, Ping(host.rng.bytes(16), DISCOVERY, 0))
        elif sender not in self.connections:
            # The answer came too late. Without this, the sender would count us as a neighbour until it misses our
            # pongs.
            host.unlink(sender)

    def full(self, host: Host, sender: PeerId, message: Full) -> None:
        if self.stop_waiting(host, sender):
            self.declined[sender] = None
            for address in message.others[:PONGS]:
                if 0 <= address <= WORD_MAX:
                    self.remember(host, address, NEVER_US)
            self.seek(host)

    def connected(self, host: Host, other: PeerId) -> None:
        """A handshake is complete: add a neighbour."""
        self.stop_waiting(host, other)
        self.connections[other] = host.now_us
        self.remember(host, other, host.now_us)
        host.link(other)

    # --- lost neighbours ------------------------------------------------------------------------------------------

    def lose(self, host: Host, other: PeerId) -> None:
        """A peer is no neighbour any more: look for another."""
        if self.connections.pop(other, None) is not None:
            self.seek(host)

    def refused(self, host: Host, to: PeerId) -> None:
        """The machine of a servent refused a message: it is gone."""
        self.cache.forget(to)
        if self.stop_waiting(host, to):
            self.seek(host)
        self.lose(host, to)

    # --- who is alive (Ping, Pong) --------------------------------------------------------------------------------

    def patience_us(self, host: Host) -> int:
        """How long a neighbour may be silent, in us."""
        return int(host.options.ping_s * host.options.silence * SECOND_US)

    def keep_alive(self, host: Host) -> None:
        """Ping the neighbours, and drop those that have been silent for too long."""
        patience_us = self.patience_us(host)
        for other, heard_us in list(self.connections.items()):
            if host.now_us - heard_us > patience_us:
                self.cache.forget(other)
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
                # Nothing is known of the files of an address that has sent no pong yet.
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
        return [a for a, heard_us in self.cache.addresses.items() if NEVER_US < heard_us >= since_us and a != stranger]

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

    def beliefs(self) -> dict[PeerId, Belief]:
        """The peers that it knows: neighbours, servents that it calls, and addresses in the host cache."""

        def files(address: PeerId) -> int | None:
            shares = self.shares.get(address)
            return None if shares is None else shares[0]

        known = {
            a: Belief(None if heard == NEVER_US else heard, "host cache", files=files(a))
            for a, heard in self.cache.addresses.items()
        }
        known.update((a, Belief(None, "calling", files=files(a))) for a in self.calling)
        known.update((a, Belief(heard, "neighbour", True, files(a))) for a, heard in self.connections.items())
        return known
