"""BitTorrent

Who downloads a file uploads it at the same time. A file is cut into pieces; peers tell each other which pieces they
have, ask for the rarest first, and upload to those that upload to them: tit for tat. A free rider gets what is left
over. A tracker tells who takes part and nothing else; there can be several, and the hash table of all peers does it
without any. An index site has the .torrent files by title: it can be seized, and comes back elsewhere, while swarms go
on without it.

Each title is one torrent. A user who wants a title searches the index site, announces itself to the trackers of the
torrent, connects to peers and downloads. A seed stays until it is told to stop, or as long as `seed_s` says.

Sources: BEP 3 (protocol, choking), 9 (metadata from peers), 11 (peer exchange), 12 (several trackers), 15 (UDP
trackers), 16 (super-seeding), 23 (compact addresses); Cohen, "Incentives build robustness in BitTorrent", 2003.

What is folded: the bytes of a .torrent file stand in one message; its list of piece hashes is the digest of the file,
from which the hash of any part follows. Encryption, DHT ports and allowed-fast are left out.
"""

# `messages.py`: messages and sizes. `pieces.py`: pieces and blocks. `choking.py`: whom to upload to. `trackers.py`:
# trackers and the index site. The peer is here.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ...api import (
    Ask,
    Belief,
    Beliefs,
    Cause,
    File,
    Goal,
    Host,
    Peer,
    PeerId,
    Shown,
    Station,
    Timer,
    on,
    on_reply,
    on_timeout,
    option,
    part_of,
    verb,
)
from ...kit import own_file, put_bounded
from .choking import Candidate, next_optimistic, unchoked
from .messages import (
    Announce,
    Announced,
    Bitfield,
    Cancel,
    Choke,
    Close,
    Handshake,
    Have,
    Interested,
    Metainfo,
    NotInterested,
    PeerExchange,
    Piece,
    Request,
    SearchTorrents,
    TorrentsFound,
    UdpAnnounce,
    UdpAnnounced,
    UdpConnect,
    UdpConnected,
    Unchoke,
    Upload,
)
from .pieces import BLOCK_BYTES, Downloading, Layout
from .trackers import IndexSite, Tiers, Tracker

DOWNLOAD = Goal("download", "download", "Get a file from a swarm of peers, piece by piece.", success_s=600.0)
SEED = Goal("publish", "publish", "Share a new file: put its .torrent file on the index site and seed it.")

RATE_WINDOW_US = 20_000_000
"""Rates are measured over the last 20 s (Cohen 2003, 2.4)."""
NEW_US = 60_000_000
"""A connection is new for this long."""
SEARCH_TIMEOUT_US = 20_000_000
RETRY_US = 60_000_000
"""Until a torrent is announced again when no tracker answered."""
BANNED_MOST = 1_000
PEX_MOST = 50
CANDIDATES_MOST = 500
"""Addresses of a torrent that are kept to connect to later."""


@dataclass(slots=True)
class BitTorrentOptions:
    """Figures of BEP 3 and of the first clients, where they say nothing of libtorrent."""

    piece_kib: int = option(256, "length of a piece", low=16, high=65_536, unit="KiB", fixed=True)
    slots: int = option(4, "interested peers that are unchoked, the optimistic one among them", low=1, high=100)
    rechoke_s: float = option(10.0, "time between two rounds of choking, in s", low=1.0)
    optimistic_rounds: int = option(3, "rounds that an optimistic unchoke lasts: 30 s", low=1, high=100)
    pipeline: int = option(5, "blocks that are asked of one peer at a time", low=1, high=500, unit="blocks")
    connections: int = option(40, "peers of a torrent that a client looks for", low=1, high=500, unit="peers")
    connections_max: int = option(80, "connections of a torrent that it accepts", low=1, high=1_000, unit="peers")
    random_pieces: int = option(4, "pieces drawn at random before the rarest come first", low=0, high=100)
    snubbed_s: float = option(60.0, "a peer that sends no block for so long is snubbing, in s", low=1.0)
    interval_s: float = option(1_800.0, "time between two announces, in s", low=10.0)
    numwant: int = option(50, "peers that a client asks a tracker for", low=0, high=200, unit="peers")
    numwant_max: int = option(200, "peers that a tracker gives at most", low=0, high=1_000, unit="peers")
    tracker_timeout_s: float = option(15.0, "a tracker that is silent for so long failed, in s", low=0.1)
    trackers: int = option(2, "trackers, each run by another operator", low=0, high=20, fixed=True)
    udp: bool = option(True, "announce over UDP (BEP 15) instead of HTTP")
    pex_s: float = option(60.0, "time between two messages of peer exchange, in s; 0: none (BEP 11)", low=0.0)
    give_up_s: float = option(120.0, "a download that nobody can help for so long has failed, in s", low=1.0)
    seed_s: float = option(0.0, "mean time that a peer seeds what it downloaded, in s; 0: for ever", low=0.0)
    free_riders: float = option(0.0, "share of the peers that never upload", low=0.0, high=1.0, fixed=True)
    converge: bool = option(True, "trackers and index know all seeds when the run begins", fixed=True)


@dataclass(slots=True)
class Rechoke:
    """A round of choking is due."""


@dataclass(slots=True)
class Exchange:
    """Peer exchange is due."""


@dataclass(slots=True)
class AnnounceDue:
    """The next announce of a torrent is due."""

    info_hash: int


@dataclass(slots=True)
class SeedEnds:
    """A user closes the client's window on this torrent."""

    info_hash: int


@dataclass(slots=True)
class Connection:
    """What one end knows of a connection for one torrent, which begins choked and not interested at both ends.

    theirs    pieces that the other end has
    choking   we choke it; interested: it wants pieces of ours; choked: it chokes us; interesting: we told it so
    came, went: bytes of blocks of this round and of the one before, see `rate`
    block_us  when the last block came; since_us: when it was opened
    asked     blocks that we wait for, and when we asked: (piece, begin)
    owed      blocks that it asked for and that were sent, and perhaps not begun
    """

    since_us: int
    theirs: int = 0
    choking: bool = True
    interested: bool = False
    choked: bool = True
    interesting: bool = False
    came: list[int] = field(default_factory=lambda: [0, 0])
    went: list[int] = field(default_factory=lambda: [0, 0])
    block_us: int = 0
    asked: dict[tuple[int, int], int] = field(default_factory=dict)
    owed: dict[tuple[int, int], Piece] = field(default_factory=dict)
    tried: bool = False


@dataclass(slots=True)
class Torrent:
    """One torrent at one peer: what it has, whom it is connected to, and what for.

    cause: of the ask that it is downloaded for, 0 for a seed. known: addresses not connected to, and who told them.
    opening: whom a handshake was sent to. told: neighbours of the last peer exchange. suspects: (piece, block) of a
    piece with a wrong hash -> who sent which bytes. lonely_us: since when nobody has a piece that is missing, None
    while somebody has.
    """

    metainfo: Metainfo
    state: Downloading
    cause: Cause = 0
    peers: dict[PeerId, Connection] = field(default_factory=dict)
    opening: dict[PeerId, None] = field(default_factory=dict)
    known: dict[PeerId, PeerId | None] = field(default_factory=dict)
    tiers: Tiers = field(default_factory=lambda: Tiers([]))
    optimistic: PeerId | None = None
    rounds: int = 0
    uploaded: int = 0
    downloaded: int = 0
    wasted: int = 0
    told: dict[PeerId, None] = field(default_factory=dict)
    suspects: dict[tuple[int, int], dict[PeerId, int]] = field(default_factory=dict)
    lonely_us: int | None = None
    reannounce: Timer | None = None

    @property
    def layout(self) -> Layout:
        """How it is cut into pieces."""
        return self.state.layout

    @property
    def left(self) -> int:
        """Bytes that are missing, whole pieces counted."""
        missing = self.layout.all & ~self.state.have
        last = self.layout.pieces - 1
        whole = missing.bit_count() * self.layout.piece_length
        return whole - (self.layout.piece_length - self.layout.size(last) if missing >> last & 1 else 0)


@dataclass(slots=True, eq=False)
class Client(Peer, name="bittorrent", options=BitTorrentOptions):
    """A BitTorrent client. `torrents` by info-hash; `wanted`: searches under way, text -> cause; `banned`: peers that
    sent wrong bytes."""

    role = "peer"
    goals = (DOWNLOAD, SEED)
    overlay = False
    shows: ClassVar = (
        Shown("pieces", "of what it downloads, else of what it seeds", "share"),
        Shown("down", "received in the last 20 s", "rate"),
        Shown("up", "sent in the last 20 s", "rate"),
        Shown("neighbours", "connections of all torrents", "count"),
    )
    link_words: ClassVar = ("choked", "unchoked", "optimistic", "interested")

    index: PeerId = -1
    trackers: tuple[PeerId, ...] = ()
    rides_free: bool = False
    torrents: dict[int, Torrent] = field(default_factory=dict)
    banned: dict[PeerId, None] = field(default_factory=dict)
    ticking: bool = False

    # --- what the network consists of ---------------------------------------------------------------------------

    @classmethod
    def stations(cls, options: BitTorrentOptions, peers: int) -> Sequence[Station]:
        trackers = [Station(Tracker, f"tracker{n}", f"tracker operator {n}") for n in range(1, options.trackers + 1)]
        return (Station(IndexSite, "index", "index site"), *trackers)

    @classmethod
    def cast(cls, options: BitTorrentOptions, members: Sequence[Any], rng: Any) -> Sequence[type[Peer]]:
        """A share of the peers never uploads."""
        return [FreeRider if options.free_riders and rng.random() < options.free_riders else cls for _ in members]

    @classmethod
    def converge(cls, world: Any, options: BitTorrentOptions, rng: Any) -> None:
        """The index has all titles, and the trackers know all seeds."""
        if not options.converge:
            return
        members = list(world.members)
        sites = [one.peer for one in members if isinstance(one.peer, IndexSite)]
        trackers = [one for one in members if isinstance(one.peer, Tracker)]
        for one in members:
            if not isinstance(one.peer, Client):
                continue
            for torrent in one.peer.torrents.values():
                for site in sites:
                    site.torrents.setdefault(torrent.metainfo.info_hash, torrent.metainfo)
                for tracker in trackers:
                    tracker.peer.registry.announce(one.id, torrent.metainfo.info_hash, 0, "", 0)

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """Seed all files of the library. Stations are the first contacts: the index site, then the trackers."""
        self.index, self.trackers = contacts[0], tuple(contacts[1 : 1 + host.options.trackers])
        known = host.now_us == 0 and host.options.converge
        for file in host.library.files():
            torrent = self._add(host, self._metainfo(host, file), complete=True)
            if not known:
                host.send(self.index, Upload(torrent.metainfo))
                self._announce(host, torrent, "started")
        self._tell_role(host)

    def stop(self, host: Host) -> None:
        """Tell the trackers, so that nobody is sent here."""
        for torrent in self.torrents.values():
            order = torrent.tiers.order()
            if order:
                host.send(order[0], Announce(torrent.metainfo.info_hash, 0, 0, torrent.left, "stopped", 0))

    def joined(self, links: Sequence[PeerId]) -> bool:
        return True

    def _metainfo(self, host: Host, file: File) -> Metainfo:
        """The .torrent file of a shared file."""
        piece_length = host.options.piece_kib << 10
        return Metainfo(file.digest, file.name, max(file.size, 1), piece_length, file.digest, (self.trackers,))

    def _add(self, host: Host, metainfo: Metainfo, *, complete: bool, cause: Cause = 0) -> Torrent:
        layout = metainfo.layout
        torrent = Torrent(metainfo, Downloading(layout, layout.all if complete else 0), cause)
        torrent.tiers = Tiers.shuffled(metainfo.tiers, host.rng)
        self.torrents[metainfo.info_hash] = torrent
        return torrent

    def _tell_role(self, host: Host) -> None:
        leeching = any(not torrent.state.complete for torrent in self.torrents.values())
        host.set_role("leecher" if leeching else "seed" if self.torrents and not self.rides_free else "peer")

    # --- what users want --------------------------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        """Download a title, or seed a new file."""
        if ask.goal == SEED.name:
            file = own_file(host, ask.text)
            if file is not None and file.digest not in self.torrents:
                torrent = self._add(host, self._metainfo(host, file), complete=True)
                host.send(self.index, Upload(torrent.metainfo))
                self._announce(host, torrent, "started")
                self._tell_role(host)
            return
        host.call(self.index, SearchTorrents(ask.text), timeout_us=SEARCH_TIMEOUT_US, context=ask.text)

    @on_reply(SearchTorrents)
    def found(self, host: Host, sender: PeerId, answer: TorrentsFound, context: str) -> None:
        """Download the torrent with exactly that title, else the first one."""
        if not answer.found:
            host.failed("the index site has no such title")
            return
        exact = [one for one in answer.found if one.name == context]
        self._download(host, (exact or list(answer.found))[0])

    @on_timeout(SearchTorrents)
    def not_found(self, host: Host, to: PeerId, context: str, reason: str) -> None:
        """Without the index site no .torrent file is found."""
        host.failed("the index site does not answer")

    def _download(self, host: Host, metainfo: Metainfo) -> None:
        if metainfo.info_hash in self.torrents:
            return
        torrent = self._add(host, metainfo, complete=False, cause=host.cause)
        if torrent.cause:
            host.keep_open(torrent.cause)
            host.progress(0, torrent.layout.pieces)
        self._tell_role(host)
        self._announce(host, torrent, "started")
        self._tick(host)

    # --- trackers -----------------------------------------------------------------------------------------------------

    def _announce(self, host: Host, torrent: Torrent, event: str, tracker: PeerId | None = None) -> None:
        """Announce this peer to the first tracker, or to the one given."""
        order = torrent.tiers.order()
        if tracker is None:
            if not order:
                return
            tracker = order[0]
        timeout_us = int(host.options.tracker_timeout_s * 1e6)
        number = torrent.metainfo.info_hash
        if host.options.udp:
            host.call(tracker, UdpConnect(), timeout_us=timeout_us, context=(number, event), cause=torrent.cause)
        else:
            request = Announce(number, torrent.uploaded, torrent.downloaded, torrent.left, event, host.options.numwant)
            host.call(tracker, request, timeout_us=timeout_us, context=(number, event), cause=torrent.cause)

    @on_reply(UdpConnect)
    def udp_connected(self, host: Host, sender: PeerId, answer: UdpConnected, context: tuple[int, str]) -> None:
        """The second step of an announce over UDP."""
        number, event = context
        torrent = self.torrents.get(number)
        if torrent is None:
            return
        counters = torrent.uploaded, torrent.downloaded, torrent.left
        request = UdpAnnounce(answer.connection_id, number, *counters, event, host.options.numwant)
        timeout_us = int(host.options.tracker_timeout_s * 1e6)
        host.call(sender, request, timeout_us=timeout_us, context=context, cause=torrent.cause)

    @on_reply(UdpAnnounce)
    def udp_announced(self, host: Host, sender: PeerId, answer: UdpAnnounced, context: tuple[int, str]) -> None:
        self._peers_told(host, sender, answer)

    @on_reply(Announce)
    def announced(self, host: Host, sender: PeerId, answer: Announced, context: tuple[int, str]) -> None:
        self._peers_told(host, sender, answer)

    @on_timeout(UdpConnect)
    def udp_silent(self, host: Host, to: PeerId, context: tuple[int, str], reason: str) -> None:
        self._next_tracker(host, to, context)

    @on_timeout(UdpAnnounce)
    def udp_announce_silent(self, host: Host, to: PeerId, context: tuple[int, str], reason: str) -> None:
        self._next_tracker(host, to, context)

    @on_timeout(Announce)
    def announce_silent(self, host: Host, to: PeerId, context: tuple[int, str], reason: str) -> None:
        self._next_tracker(host, to, context)

    def _next_tracker(self, host: Host, failed: PeerId, context: tuple[int, str]) -> None:
        number, event = context
        torrent = self.torrents.get(number)
        if torrent is None:
            return
        other = torrent.tiers.after(failed)
        if other is not None:
            self._announce(host, torrent, event, other)
        else:
            host.log("no tracker", title=torrent.metainfo.name)
            self._announce_later(host, torrent, RETRY_US)

    def _peers_told(self, host: Host, tracker: PeerId, answer: Announced | UdpAnnounced) -> None:
        torrent = self.torrents.get(answer.info_hash)
        if torrent is None:
            return
        torrent.tiers.answered(tracker)
        if not torrent.state.complete:
            self._learn(host, torrent, answer.peers, tracker)
        self._announce_later(host, torrent, int(answer.interval_s * 1e6))

    def _announce_later(self, host: Host, torrent: Torrent, delay_us: int) -> None:
        if torrent.reannounce is not None:
            host.cancel(torrent.reannounce)
        torrent.reannounce = host.after(delay_us, AnnounceDue(torrent.metainfo.info_hash), cause=None)

    @on(AnnounceDue)
    def announce_due(self, host: Host, tick: AnnounceDue) -> None:
        """Trackers forget who is silent."""
        torrent = self.torrents.get(tick.info_hash)
        if torrent is not None:
            torrent.reannounce = None
            self._announce(host, torrent, "")

    # --- connections ------------------------------------------------------------------------------------------------

    def _learn(self, host: Host, torrent: Torrent, peers: Sequence[PeerId], by: PeerId | None) -> None:
        """Addresses of peers of a torrent."""
        for peer in peers:
            if type(peer) is int and peer != host.me and peer not in torrent.peers and peer not in torrent.opening:
                put_bounded(torrent.known, peer, by, CANDIDATES_MOST)
        self._connect(host, torrent)

    def _connect(self, host: Host, torrent: Torrent) -> None:
        """Open connections to known peers, drawn at random, while there are fewer than wanted."""
        while torrent.known and len(torrent.peers) + len(torrent.opening) < host.options.connections:
            peer = host.rng.choice(list(torrent.known))
            by = torrent.known.pop(peer)
            if peer in self.banned:
                continue
            torrent.opening[peer] = None
            host.link(peer)
            host.send(peer, Handshake(torrent.metainfo.info_hash), cause=torrent.cause, via=by)

    @on(Handshake)
    def handshake(self, host: Host, sender: PeerId, message: Handshake) -> None:
        """A connection is complete when both ends have sent a handshake."""
        torrent = self.torrents.get(message.info_hash)
        if torrent is None or sender in self.banned:
            host.send(sender, Close(message.info_hash))
            return
        if sender in torrent.peers:
            return
        if sender in torrent.opening:
            del torrent.opening[sender]
        elif len(torrent.peers) >= host.options.connections_max:
            host.send(sender, Close(message.info_hash))
            return
        else:
            torrent.known.pop(sender, None)
            host.link(sender)
            host.send(sender, message)
        torrent.peers[sender] = Connection(host.now_us, block_us=host.now_us)
        if torrent.state.have:
            bits = torrent.state.have
            host.send(sender, Bitfield(message.info_hash, bits, torrent.layout.pieces), cause=torrent.cause)
        self._tick(host)

    @on(Close)
    def close(self, host: Host, sender: PeerId, message: Close) -> None:
        """The other end ends the connection of one torrent."""
        torrent = self.torrents.get(message.info_hash)
        if torrent is not None:
            self._lose(host, torrent, sender)

    def closed(self, host: Host, peer: PeerId) -> None:
        for torrent in list(self.torrents.values()):
            self._lose(host, torrent, peer)

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        self.closed(host, to)

    def _lose(self, host: Host, torrent: Torrent, peer: PeerId) -> None:
        """A connection is gone: what was asked of it is asked of others."""
        torrent.opening.pop(peer, None)
        torrent.known.pop(peer, None)
        connection = torrent.peers.pop(peer, None)
        if connection is not None:
            torrent.state.count(connection.theirs, -1)
            self._unask(torrent, peer, connection)
            if torrent.optimistic == peer:
                torrent.optimistic = None
        if not torrent.state.complete:
            self._connect(host, torrent)

    def _drop(self, host: Host, torrent: Torrent, peer: PeerId) -> None:
        """End a connection. The stream is closed when no torrent needs it."""
        host.send(peer, Close(torrent.metainfo.info_hash))
        self._lose(host, torrent, peer)

    @staticmethod
    def _unask(torrent: Torrent, peer: PeerId, connection: Connection) -> None:
        for piece, begin in connection.asked:
            torrent.state.unask(peer, piece, begin // BLOCK_BYTES)
        connection.asked.clear()

    # --- who has what ----------------------------------------------------------------------------------------------

    def _of(self, info_hash: int, peer: PeerId) -> tuple[Torrent, Connection] | tuple[None, None]:
        torrent = self.torrents.get(info_hash)
        connection = torrent.peers.get(peer) if torrent is not None else None
        return (torrent, connection) if torrent is not None and connection is not None else (None, None)

    @on(Bitfield)
    def bitfield(self, host: Host, sender: PeerId, message: Bitfield) -> None:
        """What a new neighbour has. Two seeds have nothing for each other."""
        torrent, connection = self._of(message.info_hash, sender)
        if torrent is None or connection is None:
            return
        bits = message.pieces & torrent.layout.all
        torrent.state.count(connection.theirs, -1)
        connection.theirs = bits
        torrent.state.count(bits, 1)
        if bits == torrent.layout.all:
            if torrent.state.complete:
                self._drop(host, torrent, sender)
                return
            if torrent.cause:
                host.hit(sender, torrent.metainfo.name, cause=torrent.cause)
        self._show_interest(host, torrent, sender, connection)

    @on(Have)
    def has(self, host: Host, sender: PeerId, message: Have) -> None:
        """A neighbour completed a piece."""
        torrent, connection = self._of(message.info_hash, sender)
        if torrent is None or connection is None or not 0 <= message.piece < torrent.layout.pieces:
            return
        bit = 1 << message.piece
        if connection.theirs & bit:
            return
        connection.theirs |= bit
        torrent.state.availability[message.piece] += 1
        if torrent.state.complete:
            if connection.theirs == torrent.layout.all:
                self._drop(host, torrent, sender)
            return
        if not torrent.state.have & bit:
            self._show_interest(host, torrent, sender, connection)

    def _show_interest(self, host: Host, torrent: Torrent, peer: PeerId, connection: Connection) -> None:
        """Tell a neighbour when it becomes interesting or is so no more; ask it, if it lets us."""
        wanted = torrent.state.wants(connection.theirs)
        if wanted != connection.interesting:
            connection.interesting = wanted
            number = torrent.metainfo.info_hash
            host.send(peer, Interested(number) if wanted else NotInterested(number))
        if wanted and not connection.choked:
            self._request(host, torrent, peer, connection)

    @on(Interested)
    def interested(self, host: Host, sender: PeerId, message: Interested) -> None:
        """It gets a free slot at once."""
        torrent, connection = self._of(message.info_hash, sender)
        if torrent is None or connection is None:
            return
        connection.interested = True
        taken = sum(not one.choking and one.interested for one in torrent.peers.values())
        if connection.choking and taken < host.options.slots and not self.rides_free:
            self._set_choking(host, torrent, sender, connection, choking=False)

    @on(NotInterested)
    def not_interested(self, host: Host, sender: PeerId, message: NotInterested) -> None:
        """It keeps its slot until the next round, and takes none of the four."""
        _, connection = self._of(message.info_hash, sender)
        if connection is not None:
            connection.interested = False

    # --- choking ------------------------------------------------------------------------------------------------

    def _tick(self, host: Host) -> None:
        """Rounds of choking go on while there is a connection, or a download."""
        if not self.ticking:
            self.ticking = True
            host.after(int(host.options.rechoke_s * 1e6), Rechoke(), cause=None)
            if host.options.pex_s:
                host.after(int(host.options.pex_s * 1e6), Exchange(), cause=None)

    def _busy(self) -> bool:
        return any(torrent.peers or not torrent.state.complete for torrent in self.torrents.values())

    @on(Rechoke)
    def rechoke(self, host: Host, tick: Rechoke) -> None:
        """A round for each torrent."""
        if not self._busy():
            self.ticking = False
            return
        host.after(int(host.options.rechoke_s * 1e6), tick, cause=None)
        for torrent in list(self.torrents.values()):
            if torrent.peers:
                self._round(host, torrent)
            if not torrent.state.complete:
                self._look_for_help(host, torrent)

    def _round(self, host: Host, torrent: Torrent) -> None:
        seeding = torrent.state.complete
        snubbed_us = host.now_us - int(host.options.snubbed_s * 1e6)
        neighbours = []
        for peer, one in torrent.peers.items():
            snubbing = not seeding and bool(one.asked) and one.block_us < snubbed_us
            if snubbing:
                self._unask(torrent, peer, one)
            new = host.now_us - one.since_us < NEW_US and not one.tried
            rate = sum(one.went if seeding else one.came)
            neighbours.append(Candidate(peer, rate, one.interested, snubbing, new))
        torrent.rounds += 1
        if self.rides_free:
            chosen: set[PeerId] = set()
        else:
            if torrent.optimistic is None or torrent.rounds % host.options.optimistic_rounds == 0:
                held = unchoked(neighbours, host.options.slots - 1, None)
                torrent.optimistic = next_optimistic(neighbours, held, host.rng)
            chosen = unchoked(neighbours, host.options.slots, torrent.optimistic)
        for peer, one in list(torrent.peers.items()):
            self._set_choking(host, torrent, peer, one, choking=peer not in chosen)
            one.came, one.went = [0, one.came[0]], [0, one.went[0]]

    def _set_choking(
        self, host: Host, torrent: Torrent, peer: PeerId, connection: Connection, *, choking: bool
    ) -> None:
        """Choke or unchoke a neighbour. Of what it asked for, the block on the wire is finished."""
        if not choking:
            connection.tried = True
        if choking == connection.choking:
            return
        connection.choking = choking
        number = torrent.metainfo.info_hash
        if choking:
            for message in connection.owed.values():
                host.withdraw(peer, message)
            connection.owed.clear()
        host.send(peer, Choke(number) if choking else Unchoke(number))
        host.mark(peer, "choked" if choking else "optimistic" if peer == torrent.optimistic else "unchoked")

    @on(Choke)
    def choked(self, host: Host, sender: PeerId, message: Choke) -> None:
        """What was asked and not sent yet will not come."""
        torrent, connection = self._of(message.info_hash, sender)
        if torrent is not None and connection is not None:
            connection.choked = True
            self._unask(torrent, sender, connection)

    @on(Unchoke)
    def unchoked(self, host: Host, sender: PeerId, message: Unchoke) -> None:
        torrent, connection = self._of(message.info_hash, sender)
        if torrent is not None and connection is not None:
            connection.choked = False
            connection.block_us = host.now_us
            self._request(host, torrent, sender, connection)

    # --- blocks ---------------------------------------------------------------------------------------------------

    def _request(self, host: Host, torrent: Torrent, peer: PeerId, connection: Connection) -> None:
        """Keep the pipeline of requests full."""
        state, number = torrent.state, torrent.metainfo.info_hash
        while not connection.choked and len(connection.asked) < host.options.pipeline:
            found = state.next_block(peer, connection.theirs, host.rng, host.options.random_pieces)
            if found is None:
                return
            piece, block = found
            begin, length = torrent.layout.block(piece, block)
            connection.asked[piece, begin] = host.now_us
            host.send(peer, Request(number, piece, begin, length), cause=torrent.cause)

    @on(Request)
    def requested(self, host: Host, sender: PeerId, message: Request) -> None:
        """Send a block, unless the sender is choked."""
        torrent, connection = self._of(message.info_hash, sender)
        if torrent is None or connection is None or connection.choking:
            return
        layout, piece = torrent.layout, message.piece
        if not (0 <= piece < layout.pieces and torrent.state.have >> piece & 1 and 0 < message.length <= BLOCK_BYTES):
            return
        if message.begin < 0 or message.begin + message.length > layout.size(piece):
            return
        meta = torrent.metainfo
        file = File(meta.name, meta.length, meta.digest)
        block = host.blob(file, piece * meta.piece_length + message.begin, message.length)
        answer = Piece(message.info_hash, piece, message.begin, block)
        connection.went[0] += message.length
        torrent.uploaded += message.length
        put_bounded(connection.owed, (piece, message.begin), answer, host.options.pipeline)
        host.send(sender, answer)

    @on(Cancel)
    def cancelled(self, host: Host, sender: PeerId, message: Cancel) -> None:
        """A block is not needed any more: it is not sent, if it was not begun."""
        _, connection = self._of(message.info_hash, sender)
        if connection is not None:
            answer = connection.owed.pop((message.piece, message.begin), None)
            if answer is not None:
                host.withdraw(sender, answer)

    @on(Piece)
    def block(self, host: Host, sender: PeerId, message: Piece) -> None:
        """A block has come."""
        torrent, connection = self._of(message.info_hash, sender)
        if torrent is None or connection is None:
            return
        size, piece, state = message.block.size, message.piece, torrent.state
        connection.asked.pop((piece, message.begin), None)
        connection.came[0] += size
        connection.block_us = host.now_us
        torrent.downloaded += size
        others = state.arrived(sender, piece, message.begin // BLOCK_BYTES, message.block.digest)
        if others is None:
            torrent.wasted += size
        else:
            for other in others:
                theirs = torrent.peers.get(other)
                if theirs is not None and theirs.asked.pop((piece, message.begin), None) is not None:
                    host.send(other, Cancel(message.info_hash, piece, message.begin, size))
            if state.full(piece):
                self._check(host, torrent, piece)
        if not state.complete and message.info_hash in self.torrents:
            self._request(host, torrent, sender, connection)

    def _check(self, host: Host, torrent: Torrent, piece: int) -> None:
        """All blocks of a piece have come: compare its hash."""
        meta, state, layout = torrent.metainfo, torrent.state, torrent.layout
        right = {
            block: part_of(meta.digest, piece * meta.piece_length + layout.block(piece, block)[0])
            for block in range(layout.blocks(piece))
        }
        sent = state.partial[piece].by
        if any(digest != right[block] for block, (_, digest) in sent.items()):
            self._reject(host, torrent, piece)
            return
        state.keep(piece)
        for block in right:
            for peer, digest in torrent.suspects.pop((piece, block), {}).items():
                if digest != right[block]:
                    self._ban(host, torrent, peer)
        number = meta.info_hash
        host.multicast(list(torrent.peers), Have(number, piece), cause=torrent.cause)
        if torrent.cause:
            host.progress(state.pieces, layout.pieces, cause=torrent.cause)
        for peer, one in list(torrent.peers.items()):
            if one.interesting and not state.wants(one.theirs):
                self._show_interest(host, torrent, peer, one)
        if state.complete:
            self._completed(host, torrent)

    def _reject(self, host: Host, torrent: Torrent, piece: int) -> None:
        """The hash of a piece is wrong: all of it is thrown away and fetched again. A single sender is banned at once;
        of several, those whose blocks differ from the right ones, once these are known."""
        part = torrent.state.discard(piece)
        torrent.wasted += torrent.layout.size(piece)
        host.log("wrong hash", title=torrent.metainfo.name, piece=piece)
        senders = {peer for peer, _ in part.by.values()}
        if len(senders) == 1:
            self._ban(host, torrent, senders.pop())
            return
        for block, (peer, digest) in part.by.items():
            torrent.suspects.setdefault((piece, block), {})[peer] = digest

    def _ban(self, host: Host, torrent: Torrent, peer: PeerId) -> None:
        put_bounded(self.banned, peer, None, BANNED_MOST)
        host.log("banned", peer=peer)
        if peer in torrent.peers:
            self._drop(host, torrent, peer)

    def _completed(self, host: Host, torrent: Torrent) -> None:
        """All pieces are there: the user opens the file, and the peer seeds it."""
        meta = torrent.metainfo
        kept = host.library.add(File(meta.name, meta.length, meta.digest))
        if torrent.cause:
            holder = next((peer for peer, one in torrent.peers.items() if one.theirs == torrent.layout.all), host.me)
            tell = host.fetched if kept else host.decoy
            tell(holder, meta.name, cause=torrent.cause)
            host.let_close(torrent.cause)
            torrent.cause = 0
        torrent.lonely_us = None
        self._tell_role(host)
        if not kept:
            self._forget(host, meta.info_hash)
            return
        self._announce(host, torrent, "completed")
        for peer, one in list(torrent.peers.items()):
            if one.theirs == torrent.layout.all:
                self._drop(host, torrent, peer)
        if self.rides_free:
            self._forget(host, meta.info_hash)
        elif host.options.seed_s:
            delay_s = host.rng.expovariate(1.0 / host.options.seed_s)
            host.after(int(delay_s * 1e6), SeedEnds(meta.info_hash), cause=None)

    @on(SeedEnds)
    def seed_ends(self, host: Host, tick: SeedEnds) -> None:
        """This peer seeds the torrent no more; the file stays in its library."""
        self._forget(host, tick.info_hash)

    def _forget(self, host: Host, info_hash: int) -> None:
        torrent = self.torrents.pop(info_hash, None)
        if torrent is None:
            return
        order = torrent.tiers.order()
        if order:
            counters = torrent.uploaded, torrent.downloaded, torrent.left
            host.send(order[0], Announce(info_hash, *counters, "stopped", 0))
        if torrent.reannounce is not None:
            host.cancel(torrent.reannounce)
        for peer in (*torrent.peers, *torrent.opening):
            host.send(peer, Close(info_hash))
        self._tell_role(host)

    def _look_for_help(self, host: Host, torrent: Torrent) -> None:
        """A download that nobody can complete has failed, as far as its ask is concerned; it goes on if somebody comes
        who can help."""
        theirs = 0
        for one in torrent.peers.values():
            theirs |= one.theirs
        missing = (torrent.layout.all & ~torrent.state.have & ~theirs).bit_count()
        if not missing or torrent.known or torrent.opening:
            torrent.lonely_us = None
            return
        if torrent.lonely_us is None:
            torrent.lonely_us = host.now_us
            self._announce(host, torrent, "")
        elif torrent.cause and host.now_us - torrent.lonely_us >= host.options.give_up_s * 1e6:
            pieces = torrent.layout.pieces
            host.failed(f"nobody has {missing} of its {pieces} pieces", cause=torrent.cause)
            host.let_close(torrent.cause)
            torrent.lonely_us = host.now_us

    # --- peer exchange ------------------------------------------------------------------------------------------

    @on(Exchange)
    def exchange(self, host: Host, tick: Exchange) -> None:
        """Tell neighbours of a torrent about each other (BEP 11)."""
        if not self.ticking or not host.options.pex_s:
            return
        host.after(int(host.options.pex_s * 1e6), tick, cause=None)
        for number, torrent in self.torrents.items():
            now = dict.fromkeys(torrent.peers)
            added = tuple(peer for peer in now if peer not in torrent.told)[:PEX_MOST]
            dropped = tuple(peer for peer in torrent.told if peer not in now)[:PEX_MOST]
            torrent.told = now
            if added or dropped:
                host.multicast(list(now), PeerExchange(number, added, dropped))

    @on(PeerExchange)
    def exchanged(self, host: Host, sender: PeerId, message: PeerExchange) -> None:
        """A leecher that lacks neighbours connects to them."""
        torrent, connection = self._of(message.info_hash, sender)
        if torrent is not None and connection is not None and not torrent.state.complete:
            for peer in message.dropped:
                torrent.known.pop(peer, None)
            self._learn(host, torrent, message.added[:PEX_MOST], sender)

    # --- verbs ------------------------------------------------------------------------------------------------------

    @verb("ride free", undo="share", about="Upload nothing from now on.")
    def ride_free(self, host: Host) -> None:
        self.rides_free = True
        for torrent in self.torrents.values():
            for peer, one in torrent.peers.items():
                self._set_choking(host, torrent, peer, one, choking=True)
        self._tell_role(host)

    @verb("share", undo="ride free", about="Upload again.")
    def share(self, host: Host) -> None:
        self.rides_free = False
        self._tell_role(host)

    @verb("stop seeding", undo="seed", about="Seed nothing more; downloads go on.")
    def stop_seeding(self, host: Host) -> None:
        for number in [number for number, torrent in self.torrents.items() if torrent.state.complete]:
            self._forget(host, number)

    @verb("seed", undo="stop seeding", about="Seed all files of the library.")
    def seed(self, host: Host) -> None:
        for file in host.library.files():
            if file.digest not in self.torrents:
                torrent = self._add(host, self._metainfo(host, file), complete=True)
                self._announce(host, torrent, "started")
        self._tell_role(host)

    # --- what is seen ------------------------------------------------------------------------------------------------

    def shown(self) -> tuple[float | str, ...]:
        all_ = list(self.torrents.values())
        leeching = [one for one in all_ if not one.state.complete]
        share = float("nan")
        if leeching:
            share = sum(one.state.pieces for one in leeching) / sum(one.layout.pieces for one in leeching)
        elif all_:
            share = 1.0
        links = [link for one in all_ for link in one.peers.values()]
        down, up = (sum(sum(getattr(link, way)) for link in links) / 20 for way in ("came", "went"))
        return share, down, up, float(len(links))

    def contacts(self) -> Sequence[PeerId]:
        return tuple(dict.fromkeys(peer for torrent in self.torrents.values() for peer in torrent.peers))

    def beliefs(self) -> Beliefs:
        known: dict[int, Belief] = {}
        facts: dict[str, str] = {}
        for torrent in self.torrents.values():
            for peer, one in torrent.peers.items():
                what = f"{one.theirs.bit_count()} of {torrent.layout.pieces} pieces of “{torrent.metainfo.name}”"
                known[peer] = Belief(one.block_us, what, True)
            if not torrent.state.complete:
                facts[torrent.metainfo.name] = f"{torrent.state.pieces} of {torrent.layout.pieces} pieces"
        seeding = sum(torrent.state.complete for torrent in self.torrents.values())
        facts["seeds"] = f"{seeding} torrents"
        if self.banned:
            facts["banned"] = f"{len(self.banned)} peers"
        return Beliefs(known, facts)


@dataclass(slots=True, eq=False)
class FreeRider(Client):
    """Downloads and never uploads."""

    role = "free rider"
    rides_free: bool = True
