"""Trackers and the index site: who takes part in a torrent, and where .torrent files come from.

A tracker knows which peers take part in a torrent and nothing else: neither names nor data (BEP 3). The trackers of a
torrent are grouped in tiers (BEP 12). The index site has the .torrent files with their titles; it can be shut down and
be opened by somebody else, while trackers and running downloads go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ...api import Host, Peer, PeerId, Rng, on, words_of
from ...kit import put_bounded
from .messages import (
    Announce,
    Announced,
    Metainfo,
    SearchTorrents,
    Stopped,
    TorrentsFound,
    UdpAnnounce,
    UdpAnnounced,
    UdpConnect,
    UdpConnected,
    Upload,
    info_hash_of,
)

FOUND_MOST = 30
"""Results on the first page of an index site."""
TORRENTS_MOST = 200_000
CONNECTION_IDS_MOST = 10_000
CONNECTION_ID_US = 120_000_000
"""A tracker accepts a connection id for two minutes (BEP 15)."""


@dataclass(slots=True)
class Participant:
    """What a tracker knows of one peer in one torrent: bytes it lacks, and when it last announced itself."""

    left: int
    at_us: int


@dataclass(slots=True)
class Registry:
    """Who takes part in each torrent."""

    torrents: dict[int, dict[PeerId, Participant]] = field(default_factory=dict)

    def announce(self, peer: PeerId, info_hash: int, left: int, event: str, now_us: int) -> None:
        """Note an announce of a peer. left: bytes that it lacks; event "stopped" removes it."""
        members = self.torrents.get(info_hash)
        if event == "stopped":
            if members is not None and members.pop(peer, None) is not None and not members:
                del self.torrents[info_hash]
            return
        if members is None:
            members = {}
            put_bounded(self.torrents, info_hash, members, TORRENTS_MOST)
        members[peer] = Participant(left, now_us)

    def expire(self, before_us: int) -> None:
        """Forget all peers that have not announced themselves since `before_us`."""
        for info_hash, members in list(self.torrents.items()):
            for peer in [peer for peer, one in members.items() if one.at_us < before_us]:
                del members[peer]
            if not members:
                del self.torrents[info_hash]

    def counts(self, info_hash: int) -> tuple[int, int]:
        """(complete, incomplete): seeds and leechers of a torrent."""
        members = self.torrents.get(info_hash, {})
        seeds = sum(not one.left for one in members.values())
        return seeds, len(members) - seeds

    def sample(self, info_hash: int, asker: PeerId, most: int, rng: Rng) -> tuple[PeerId, ...]:
        """At most so many peers of a torrent, drawn at random, without the one that asks; a seed gets leechers only."""
        members = self.torrents.get(info_hash, {})
        seeding = asker in members and not members[asker].left
        others = [peer for peer, one in members.items() if peer != asker and (one.left or not seeding)]
        return tuple(rng.sample(others, most) if len(others) > most else others)


@dataclass(slots=True)
class Expire:
    """Time to forget peers that announce themselves no more."""


@dataclass(slots=True, eq=False)
class Tracker(Peer):
    """Answers announces over HTTP and over UDP. `ids`: connection ids, and until when each is accepted, in us."""

    role = "tracker"
    overlay = False
    shares_files = False

    registry: Registry = field(default_factory=Registry)
    ids: dict[int, int] = field(default_factory=dict)

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        host.every_s(host.options.interval_s, Expire())

    def joined(self, links: Sequence[PeerId]) -> bool:
        return True

    @on(Expire)
    def expire(self, host: Host, tick: Expire) -> None:
        """Peers announce themselves each interval: who missed two is gone."""
        self.registry.expire(host.now_us - int(2e6 * host.options.interval_s))
        self.ids = {number: until_us for number, until_us in self.ids.items() if until_us > host.now_us}

    def keeps(self, text: str) -> bool:
        """Whether it knows peers of the torrent of this title."""
        number = info_hash_of(text)
        return number is not None and number in self.registry.torrents

    def members(self, number: int) -> Iterable[PeerId]:
        """Who takes part in the torrent with this info-hash."""
        return self.registry.torrents.get(number, ())

    def _register(
        self, host: Host, peer: PeerId, message: Announce | UdpAnnounce
    ) -> tuple[int, int, tuple[PeerId, ...]]:
        self.registry.announce(peer, message.info_hash, message.left, message.event, host.now_us)
        complete, incomplete = self.registry.counts(message.info_hash)
        most = 0 if message.event == "stopped" else min(max(message.numwant, 0), host.options.numwant_max)
        return complete, incomplete, self.registry.sample(message.info_hash, peer, most, host.rng)

    @on(Announce)
    def announced(self, host: Host, sender: PeerId, message: Announce) -> None:
        """Over HTTP: one request, one answer."""
        counts_and_peers = self._register(host, sender, message)
        host.reply(Announced(message.info_hash, int(host.options.interval_s), *counts_and_peers))

    @on(Stopped)
    def stopped(self, host: Host, sender: PeerId, message: Stopped) -> None:
        """Somebody takes part no more."""
        self.registry.announce(sender, message.info_hash, message.left, "stopped", host.now_us)

    @on(UdpConnect)
    def connect(self, host: Host, sender: PeerId, message: UdpConnect) -> None:
        """Over UDP, first step: a connection id that only the owner of the address gets."""
        number = host.rng.getrandbits(62)
        put_bounded(self.ids, number, host.now_us + CONNECTION_ID_US, CONNECTION_IDS_MOST)
        host.reply(UdpConnected(number))

    @on(UdpAnnounce)
    def udp_announced(self, host: Host, sender: PeerId, message: UdpAnnounce) -> None:
        """Over UDP, second step. An announce with a connection id that is not valid is not answered."""
        if self.ids.get(message.connection_id, 0) > host.now_us:
            counts_and_peers = self._register(host, sender, message)
            host.reply(UdpAnnounced(message.info_hash, int(host.options.interval_s), *counts_and_peers))


@dataclass(slots=True, eq=False)
class IndexSite(Peer):
    """An index site such as The Pirate Bay: .torrent files by title. Its catalogue is on disk."""

    role = "index"
    overlay = False
    shares_files = False

    torrents: dict[int, Metainfo] = field(default_factory=dict)

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        if isinstance(saved, dict):
            self.torrents = dict(saved)

    def saved(self) -> object | None:
        return dict(self.torrents)

    def joined(self, links: Sequence[PeerId]) -> bool:
        return True

    def matching(self, text: str) -> list[Metainfo]:
        """The .torrent files whose titles have every word of a text."""
        words = set(words_of(text))
        if not words:
            return []
        return [one for one in self.torrents.values() if words <= set(words_of(one.name))]

    @on(SearchTorrents)
    def search(self, host: Host, sender: PeerId, message: SearchTorrents) -> None:
        found = self.matching(message.text)[:FOUND_MOST]
        if host.options.magnet:
            found = [one.magnet() for one in found]
        host.reply(TorrentsFound(message.text, tuple(found)))

    @on(Upload)
    def upload(self, host: Host, sender: PeerId, message: Upload) -> None:
        """Somebody publishes a .torrent file; a known one stays as it is."""
        if message.metainfo.whole and message.metainfo.info_hash not in self.torrents:
            put_bounded(self.torrents, message.metainfo.info_hash, message.metainfo, TORRENTS_MOST)


@dataclass(slots=True)
class Tiers:
    """The trackers of a torrent in the order in which they are tried (BEP 12): each tier shuffled once; a tracker that
    answers moves to the front of its tier; the next tier comes only when all of this one failed."""

    tiers: list[list[PeerId]]

    @classmethod
    def shuffled(cls, tiers: Iterable[Iterable[PeerId]], rng: Rng) -> Tiers:
        """The tiers of a metainfo, each shuffled."""
        made = [list(tier) for tier in tiers]
        for tier in made:
            rng.shuffle(tier)
        return cls(made)

    def order(self) -> list[PeerId]:
        """All trackers, in the order in which they are tried."""
        return [one for tier in self.tiers for one in tier]

    def after(self, tracker: PeerId) -> PeerId | None:
        """The tracker to try when this one failed; None if it was the last."""
        order = self.order()
        at = order.index(tracker) + 1 if tracker in order else 0
        return order[at] if at < len(order) else None

    def answered(self, tracker: PeerId) -> None:
        """Move a tracker to the front of its tier."""
        for tier in self.tiers:
            if tracker in tier:
                tier.remove(tracker)
                tier.insert(0, tracker)
