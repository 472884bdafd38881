"""BitTorrent

Who downloads a file uploads it at the same time. A file is cut into pieces; peers tell each other which pieces they
have, ask for the rarest first, and upload to those that upload to them: tit for tat. A free rider gets what is left
over. A tracker tells who takes part and nothing else, and there can be several. Neighbours tell each other of further
peers as well (peer exchange), and all clients together keep a hash table of who takes part in what: so a swarm goes on
when its trackers are gone, and newcomers find it. An index site has the .torrent files by title: it can be seized, and
come back under another operator, while swarms go on without it.

Each title is one torrent. A user who wants a title searches the index site, announces itself to the trackers of the
torrent and in the hash table, connects to peers and downloads. A seed stays until it is told to stop, or as long as
`seed_s` says.

The hash table is that of Kademlia with the values of BEP 5 (`--set dht.k=8` and so on); the key of a torrent is its
info-hash. A client that knows no node of it learns of one from the first peer that it is connected to.

A seed serves its neighbours in turn, as clients do since version 4 of the original client; `seed_choking=rate` sets the
rule of BEP 3, by which a seed serves the neighbours that download fastest from it.

Sources: BEP 3 (protocol, choking), 5 (hash table), 9 (metadata from peers), 11 (peer exchange), 12 (several trackers),
15 (UDP trackers), 16 (super-seeding), 23 (compact addresses); Cohen, "Incentives build robustness in BitTorrent", 2003;
Legout, Urvoy-Keller and Michiardi, "Rarest first and choke algorithms are enough", IMC 2006.

What is simplified: the bytes of a .torrent file are in one message; its list of piece hashes is the digest of the file,
from which the hash of any part follows; the message `port`, by which a peer tells where its node of the hash table is,
is part of the handshake. Encryption and allowed-fast are left out.
"""

# `messages.py`: messages and sizes. `pieces.py`: pieces and blocks. `choking.py`: whom to upload to. `trackers.py`:
# trackers and the index site. The peer is here.

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from ...api import (
    PUBLISH,
    Ask,
    Belief,
    Beliefs,
    Candidate,
    Cause,
    Facts,
    File,
    Goal,
    Host,
    Need,
    NetworkStart,
    Peer,
    PeerId,
    Rng,
    Shown,
    Station,
    Timer,
    component,
    mentions,
    on,
    on_reply,
    on_timeout,
    option,
    part_of,
    switch,
    verb,
    words_of,
)
from ...kit import bits_of, own_file, put_bounded
from ..kademlia import BEP5, Dht, DhtOptions, Found, Joined, keep_at_start
from .choking import Rated, next_optimistic, unchoked
from .messages import (
    METADATA_PART_BYTES,
    PIECES_MOST,
    Announce,
    Announced,
    Bitfield,
    Cancel,
    Choke,
    Close,
    Event,
    Handshake,
    Have,
    Haves,
    Interested,
    MetadataPart,
    MetadataRequest,
    Metainfo,
    NotInterested,
    PeerExchange,
    Piece,
    Request,
    Requests,
    SearchTorrents,
    Stopped,
    TorrentsFound,
    UdpAnnounce,
    UdpAnnounced,
    UdpConnect,
    UdpConnected,
    Unchoke,
    Upload,
    info_hash_of,
    state_message,
)
from .pieces import BLOCK_BYTES, Downloading, Layout
from .trackers import IndexSite, Tiers, Tracker

RELEASE_US = 120_000_000
"""Time between two new titles. Days are minutes here."""
STILL_WANTED = 0.5
"""The share of the users who want an older title than the newest one, of these the share who want a still older one,
and so on: interest falls by half from one new title to the next."""


def newest(titles: Sequence[str], rng: Rng, now_us: int) -> str:
    """Which title a user wants: most want what is new. All titles become new in turn, and the crowd for each falls off
    exponentially, as was measured (Guo, Chen, Xiao, Tan, Ding and Zhang, "Measurements, analysis, and modeling of
    BitTorrent-like systems", IMC 2005; there within days)."""
    at = now_us // RELEASE_US
    while rng.random() < STILL_WANTED:
        at -= 1
    return titles[at % len(titles)]


DOWNLOAD = Goal(
    "download",
    "download",
    "Get a file from a swarm of peers, piece by piece.",
    success_s=600.0,
    fetched=True,
    draw=newest,
)
SEED = replace(PUBLISH, about="Share a new file: put its .torrent file on the index site and seed it.")

RATE_WINDOW_S = 20
"""Rates are measured over the last 20 s (Cohen 2003, 2.4)."""
NEW_US = 60_000_000
"""A connection is new for this long."""
SEARCH_TIMEOUT_US = 20_000_000
JOIN_OVER_S = 5.0
"""A hash table that does not start converged: all nodes join within so many seconds."""
TABLE_SPACING_US = 5_000_000
"""Seeds announce one torrent after the other in the hash table, so far apart (libtorrent, `on_dht_announce`)."""
RETRY_US = 60_000_000
"""Until a torrent is announced again when no tracker answered."""
CONNECT_TIMEOUT_US = 15_000_000
METADATA_TIMEOUT_US = 20_000_000
OFFER_US = 60_000_000
"""Super-seeding: time until a neighbour whose piece nobody fetches is told of another one."""
ASKS_MOST = 8
"""Asks of one peer for the same torrent that the progress of its download is reported to."""
BANNED_MOST = 1_000
PEX_MOST = 50
REQUESTS_MOST = 500
METADATA_PIECES_ALL = (1 << PIECES_MOST) - 1
"""The set of the pieces that are recorded of a neighbour while the metadata of the torrent are missing."""
CANDIDATES_MOST = 500
"""Addresses of a torrent that are kept to connect to later."""


@dataclass(slots=True)
class BitTorrentOptions:
    """Values of BEP 3 and of the first clients; where these say nothing, those of libtorrent."""

    piece_kib: int = option(256, "length of a piece", low=16, high=65_536, unit="KiB", fixed=True)
    upload_slots: int = option(4, "interested peers that are unchoked, the optimistic one among them", low=1, high=100)
    rechoke_s: float = option(10.0, "time between two rounds of choking, in s", low=1.0)
    seed_choking: Literal["turns", "rate"] = option("turns", "whom a seed serves: each in turn, or who takes most")
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
    stalled_s: float = option(
        600.0, "a download has failed if for so long no block comes and no neighbour gets a piece, in s", low=1.0
    )
    have_s: float = option(
        5.0, "time between two announcements of pieces to an interested peer, in s; 0: each piece at once", low=0.0
    )
    seed_s: float = option(0.0, "mean time that a peer seeds what it downloaded, in s; 0: for ever", low=0.0)
    seed_law: Literal["exponential", "fixed"] = option("exponential", "how that time is drawn")
    super_seeding: bool = option(False, "a first seed tells each peer of one piece at a time (BEP 16)")
    magnet: bool = option(False, "the index site has magnet links: peers send the metadata (BEP 9)")
    free_rider_share: float = option(0.0, "share of the peers that never upload", low=0.0, high=1.0, fixed=True)
    hash_table: bool = option(True, "peers of a torrent are found by the hash table too (BEP 5)", fixed=True)
    converge: bool = option(True, "trackers, index and hash table know all seeds at the beginning", fixed=True)
    dht: DhtOptions = field(default_factory=lambda: DhtOptions(**BEP5))


@dataclass(slots=True)
class Rechoke:
    """A round of choking is due."""


@dataclass(slots=True)
class Exchange:
    """Peer exchange is due."""


@dataclass(slots=True)
class TellHaves:
    """Time to announce pieces of a torrent that became complete to the neighbours."""

    part: ClassVar = "notice"
    info_hash: int


@dataclass(slots=True)
class AnnounceDue:
    """The next announce of a torrent is due."""

    info_hash: int


@dataclass(slots=True)
class TableDue:
    """All torrents are announced in the hash table again."""


@dataclass(slots=True)
class NextInTable:
    """The next of the torrents that wait for it is announced in the hash table."""


@dataclass(slots=True)
class SeedEnds:
    """A user ends the seeding of this torrent."""

    info_hash: int


@dataclass(slots=True)
class Connection:
    """What one end knows of a connection for one torrent, which begins choked and not interested at both ends.

    theirs    pieces that the other end has
    choking   we choke it; choked: it chokes us
    interested: it wants pieces of ours; interesting: it has pieces that we want, and we have told it so
    received, sent: bytes of blocks in this round; received_before, sent_before: in the round before
    block_us  when the last block came; since_us: when it was opened; snubbed: no block came for long
    asked     blocks that we wait for: (piece, block)
    owed      blocks that it asked for and that were sent, and perhaps not begun: (piece, begin)
    was_unchoked: whether it was ever unchoked; unchoked_us: when last
    metadata_bytes: size of the metadata that it can send (BEP 9), 0 for none
    unannounced: pieces of ours that it lacks and that were not announced to it yet
    link_word how this end marks the link, see `Client.link_words`
    """

    since_us: int
    theirs: int = 0
    choking: bool = True
    interested: bool = False
    choked: bool = True
    interesting: bool = False
    received: int = 0
    received_before: int = 0
    sent: int = 0
    sent_before: int = 0
    block_us: int = 0
    snubbed: bool = False
    asked: dict[tuple[int, int], None] = field(default_factory=dict)
    owed: dict[tuple[int, int], Piece] = field(default_factory=dict)
    was_unchoked: bool = False
    unchoked_us: int = 0
    metadata_bytes: int = 0
    unannounced: int = 0
    link_word: str = ""


@dataclass(slots=True)
class Torrent:
    """One torrent at one peer: what it has, whom it is connected to, and what for.

    metainfo  of a magnet link it has no length before the metadata has come; file: what is shared
    trackers  to which it was announced; they receive a `Stopped` when it stops
    cause     of the asks that it is downloaded for, 0 for none; given_up: its failure was reported to them
    unchoked  neighbours that are not choked
    known     addresses not connected to, and who told them; opening: whom a handshake was sent to, and when
    exchanged neighbours at the last peer exchange; haves_due: the timer of `TellHaves` runs
    suspects  (piece, block) of a piece with a wrong hash -> who sent which bytes
    seen      pieces that it has or that some neighbour had, as a bit set; none of a magnet link
    unavailable_us: since when a missing piece is at no neighbour, and no piece was seen for the first time; or None
    progress_us: when a block came or a neighbour got a piece, last; or when the download began
    offered   super-seeding: neighbour -> (piece that it was told of last, when), None while it does not super-seed
    parts     parts of the metadata that were asked for: number -> when, -1 once it has come
    """

    metainfo: Metainfo
    state: Downloading
    file: File
    cause: Cause = 0
    given_up: bool = False
    peers: dict[PeerId, Connection] = field(default_factory=dict)
    unchoked: dict[PeerId, None] = field(default_factory=dict)
    opening: dict[PeerId, int] = field(default_factory=dict)
    known: dict[PeerId, PeerId | None] = field(default_factory=dict)
    tiers: Tiers = field(default_factory=lambda: Tiers([]))
    trackers: dict[PeerId, None] = field(default_factory=dict)
    optimistic: PeerId | None = None
    rounds: int = 0
    uploaded: int = 0
    downloaded: int = 0
    wasted: int = 0
    exchanged: dict[PeerId, None] = field(default_factory=dict)
    haves_due: bool = False
    suspects: dict[tuple[int, int], dict[PeerId, int]] = field(default_factory=dict)
    seen: int = 0
    unavailable_us: int | None = None
    progress_us: int = 0
    reannounce: Timer | None = None
    offered: dict[PeerId, tuple[int, int]] | None = None
    parts: dict[int, int] = field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        """How it is cut into pieces."""
        return self.state.layout

    @property
    def ready(self) -> bool:
        """Whether the metadata are there."""
        return self.metainfo.length > 0

    @property
    def live_cause(self) -> Cause:
        """The cause of messages that are sent for it; 0 once its failure was reported."""
        return 0 if self.given_up else self.cause

    @property
    def left(self) -> int:
        """Bytes that are missing, whole pieces counted."""
        missing = self.layout.all & ~self.state.have
        last = self.layout.pieces - 1
        whole = missing.bit_count() * self.layout.piece_length
        return whole - (self.layout.piece_length - self.layout.size(last) if missing >> last & 1 else 0)


def seeds_nothing(peer: Client) -> str | None:
    """Why it cannot stop seeding."""
    return None if any(one.state.complete for one in peer.torrents.values()) else "it seeds nothing"


def seeds_all(peer: Client) -> str | None:
    """Why it cannot begin to seed."""
    if peer.rides_free:
        return "it uploads nothing"
    if peer.unseeded:
        return None
    return "it has nothing to seed" if seeds_nothing(peer) else "it seeds all that it has"


@dataclass(slots=True, eq=False)
class Client(Peer, name="bittorrent", options=BitTorrentOptions):
    """A BitTorrent client. `torrents` by info-hash; `to_announce`: torrents that wait to be announced in the hash
    table; `unseeded`: complete torrents that it has stopped to seed; `banned`: peers that sent wrong bytes; `uploaded`,
    `downloaded`: bytes of blocks since it started; `wasted`: downloaded bytes that were thrown away; `ticking`,
    `exchanging`: the timers `Rechoke` and `Exchange` run."""

    role = "peer"
    roles: ClassVar = ("leecher", "seed", "free rider")
    goals = (DOWNLOAD, SEED)
    overlay = False
    shows: ClassVar = (
        Shown("pieces", "of what it downloads, else of what it seeds", "share"),
        Shown("down", "received in the last 20 s", "rate"),
        Shown("up", "sent in the last 20 s", "rate"),
        Shown("neighbours", "connections of all torrents", "count"),
        Shown("wasted", "bytes thrown away: wrong or not needed", "count"),
    )
    link_words: ClassVar = ("choked", "interested", "unchoked", "optimistic")

    dht: Dht = component(Dht)
    index: PeerId = -1
    trackers: tuple[PeerId, ...] = ()
    rides_free: bool = switch(
        "ride-free",
        "share",
        about="Upload nothing from now on.",
        off_about="Upload again.",
        then="riding_switched",
    )
    torrents: dict[int, Torrent] = field(default_factory=dict)
    banned: dict[PeerId, None] = field(default_factory=dict)
    unseeded: dict[int, None] = field(default_factory=dict)
    uploaded: int = 0
    downloaded: int = 0
    wasted: int = 0
    ticking: bool = False
    exchanging: bool = False
    to_announce: dict[int, None] = field(default_factory=dict)

    # --- what the network consists of ---------------------------------------------------------------------------

    @classmethod
    def stations(cls, options: BitTorrentOptions, peers: int) -> Sequence[Station]:
        trackers = [Station(Tracker, f"tracker{n}", f"tracker operator {n}") for n in range(1, options.trackers + 1)]
        return (Station(IndexSite, "index", "index operator"), *trackers)

    @classmethod
    def cast(cls, options: BitTorrentOptions, members: Sequence[Candidate], rng: Rng) -> Sequence[type[Peer]]:
        """A share of the peers with an empty library never uploads; the others have something to seed."""
        return [
            FreeRider if not len(one.library) and rng.random() < options.free_rider_share else Client for one in members
        ]

    @classmethod
    def converge(cls, world: NetworkStart, options: BitTorrentOptions, rng: Rng) -> None:
        """The index has all titles, and the trackers and the hash table know all seeds."""
        if not options.converge:
            return
        super(Client, cls).converge(world, options, rng)
        clients = list(world.of(Client))
        if options.hash_table:
            pairs = ((number, one.id) for one in clients for number in one.peer.torrents)
            keep_at_start((one.peer.dht for one in clients), pairs, options.dht, rng)
        for one in clients:
            for number, torrent in one.peer.torrents.items():
                for site in world.of(IndexSite):
                    site.peer.torrents.setdefault(number, torrent.metainfo)
                for tracker in world.of(Tracker):
                    tracker.peer.registry.announce(one.id, number, 0, "", 0)
                    torrent.trackers[tracker.id] = None

    @classmethod
    def key_of(cls, text: str) -> object | None:
        """The info-hash."""
        return info_hash_of(text)

    def keeps(self, text: str) -> bool:
        """Whether its node of the hash table knows peers of the torrent of this title."""
        number = info_hash_of(text)
        return number is not None and self.dht.has_record(number)

    def members(self, number: int) -> Iterable[PeerId]:
        """The peers of the torrent with this info-hash that its node of the hash table keeps."""
        return self.dht.records.kept.get(number, ())

    @classmethod
    def verdict(cls, facts: Facts, options: BitTorrentOptions) -> str | None:
        """How many pieces came, and why not all."""
        return verdict(facts, options.hash_table)

    @classmethod
    def needs(
        cls, text: str, goal: str, origin: PeerId, programs: Sequence[Peer | None], options: BitTorrentOptions
    ) -> Sequence[Need]:
        """A .torrent file, somebody who knows who takes part, and of each piece a peer that has it."""
        return needs(text, origin, programs)

    def brought(self, text: str, goal: str) -> str:
        """The .torrent file, pieces and neighbours of a download."""
        torrent = self.torrents.get(info_hash_of(text) or 0)
        if torrent is None:
            torrent = next((one for one in self.torrents.values() if mentions(words_of(one.metainfo.name), text)), None)
        if torrent is None or torrent.state.complete:
            return ""
        pieces = f"{torrent.state.pieces} of {torrent.layout.pieces} pieces" if torrent.ready else "a magnet link"
        near = len(torrent.peers)
        return f"{pieces} and {near} {'neighbour' if near == 1 else 'neighbours'}"

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """Seed all files of the library. Stations are the first contacts: the index site, then the trackers."""
        stations = 1 + host.options.trackers
        self.index, self.trackers = contacts[0], tuple(contacts[1:stations])
        known = host.now_us == 0 and host.options.converge
        if not host.options.hash_table:
            self.dht.stay_out()
        else:
            # The stations are no nodes of the table.
            self.dht.boot = tuple(peer for peer in self.dht.boot if peer not in contacts[:stations])
            if host.options.dht.publish_s:
                host.every(max(TABLE_SPACING_US, int(host.options.dht.publish_s * 1e6)), TableDue())
            if host.now_us == 0 and not host.options.converge:
                self.dht.join(host, JOIN_OVER_S)
        for file in host.library.files():
            self._seed(host, file, publish=not known, announce=not known)
        if isinstance(saved, list):
            for metainfo, have in saved:
                if metainfo.info_hash not in self.torrents:
                    self._add(host, metainfo, have)
                    self._announce(host, self.torrents[metainfo.info_hash], "started")
                    self._start_rounds(host)
        self._tell_role(host)

    def saved(self) -> object | None:
        """Complete pieces of downloads are on disk."""
        kept = [
            (one.metainfo, one.state.have) for one in self.torrents.values() if one.ready and not one.state.complete
        ]
        return kept or None

    def stop(self, host: Host) -> None:
        """Tell the trackers, so that they name this peer to nobody."""
        for torrent in self.torrents.values():
            self._tell_stopped(host, torrent)

    def joined(self, links: Sequence[PeerId]) -> bool:
        return True

    def _metainfo(self, host: Host, file: File) -> Metainfo | None:
        """The .torrent file of a shared file: each tracker is a tier. None for a file whose name has no words."""
        number = info_hash_of(file.name)
        if number is None:
            return None
        piece_length = host.options.piece_kib << 10
        tiers = tuple((tracker,) for tracker in self.trackers)
        return Metainfo(number, file.name, max(file.size, 1), piece_length, file.digest, tiers)

    def _seed(self, host: Host, file: File, *, publish: bool, announce: bool = True) -> None:
        metainfo = self._metainfo(host, file)
        if metainfo is None or metainfo.info_hash in self.torrents:
            return
        torrent = self._add(host, metainfo, metainfo.layout.all)
        if host.options.super_seeding:
            torrent.offered = {}
        if publish:
            host.send(self.index, Upload(metainfo))
        if announce:
            self._announce(host, torrent, "started")

    def _add(self, host: Host, metainfo: Metainfo, have: int, cause: Cause = 0) -> Torrent:
        file = File(metainfo.name, metainfo.length, metainfo.digest)
        layout = metainfo.layout if metainfo.length else Layout(1, 1)
        torrent = self.torrents[metainfo.info_hash] = Torrent(metainfo, Downloading(layout, have), file, cause)
        torrent.tiers = Tiers.shuffled(metainfo.tiers, host.rng)
        self.unseeded.pop(metainfo.info_hash, None)
        return torrent

    def _tell_role(self, host: Host) -> None:
        if any(not torrent.state.complete for torrent in self.torrents.values()):
            host.set_role("free rider" if self.rides_free else "leecher")
        else:
            host.set_role("seed" if self.torrents and not self.rides_free else self.role)

    # --- what users want --------------------------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        """Download a title, or seed a new file."""
        file = own_file(host, ask.text)
        if ask.goal == SEED.name:
            if file is not None:
                self._seed(host, file, publish=True)
                self._tell_role(host)
            return
        host.call(self.index, SearchTorrents(ask.text), timeout_us=SEARCH_TIMEOUT_US, context=ask.text)

    @on_reply(SearchTorrents)
    def found(self, host: Host, sender: PeerId, answer: TorrentsFound, context: str) -> None:
        """Download the torrent with exactly that title, else the first one."""
        found = [one for one in answer.found if one.sound]
        if not found:
            host.failed("the index site has no such title")
            return
        exact = [one for one in found if one.name == context]
        self._download(host, (exact or found)[0], sender)

    @on_timeout(SearchTorrents)
    def not_found(self, host: Host, to: PeerId, context: str, reason: str) -> None:
        """Without the index site no .torrent file is found."""
        host.failed("the index site does not answer")

    def _download(self, host: Host, metainfo: Metainfo, index: PeerId) -> None:
        torrent = self.torrents.get(metainfo.info_hash)
        if torrent is not None and torrent.metainfo.digest != metainfo.digest:
            # The index has another file under this title.
            self._forget(host, metainfo.info_hash)
            torrent = None
        if torrent is not None and torrent.state.complete:
            # This peer has the file already.
            host.hit(host.me, metainfo.name, by=index)
            host.fetched(host.me, metainfo.name)
            return
        cause = host.cause
        if torrent is None:
            torrent = self._add(host, metainfo, 0, cause)
        elif isinstance(torrent.cause, tuple) or (torrent.cause and not torrent.given_up):
            known = torrent.cause if isinstance(torrent.cause, tuple) else (torrent.cause,)
            new = cause if isinstance(cause, tuple) else (cause,)
            torrent.cause = (*known, *new)[-ASKS_MOST:]
        else:
            torrent.cause = cause
        torrent.given_up, torrent.unavailable_us, torrent.progress_us = False, None, host.now_us
        if cause:
            host.keep_open(cause)
            if torrent.ready:
                host.progress(torrent.state.pieces, torrent.layout.pieces, cause=cause)
        self._tell_role(host)
        self._announce(host, torrent, "started")
        self._start_rounds(host)

    # --- trackers -----------------------------------------------------------------------------------------------------

    def _announce(self, host: Host, torrent: Torrent, event: Event, tracker: PeerId | None = None) -> None:
        """Announce this peer to the first tracker and in the hash table, or to the tracker given."""
        order = torrent.tiers.order()
        if tracker is None:
            if event != "completed":
                self._announce_in_table(host, torrent)
            if not order:
                return
            tracker = order[0]
        timeout_us = int(host.options.tracker_timeout_s * 1e6)
        number, cause = torrent.metainfo.info_hash, torrent.live_cause
        if host.options.udp:
            host.call(tracker, UdpConnect(), timeout_us=timeout_us, context=(number, event), cause=cause)
        else:
            torrent.trackers[tracker] = None
            request = Announce(number, torrent.uploaded, torrent.downloaded, torrent.left, event, host.options.numwant)
            host.call(tracker, request, timeout_us=timeout_us, context=(number, event), cause=cause)

    @on_reply(UdpConnect)
    def udp_connected(self, host: Host, sender: PeerId, answer: UdpConnected, context: tuple[int, Event]) -> None:
        """The second step of an announce over UDP."""
        number, event = context
        torrent = self.torrents.get(number)
        if torrent is None:
            return
        torrent.trackers[sender] = None
        counters = torrent.uploaded, torrent.downloaded, torrent.left
        request = UdpAnnounce(answer.connection_id, number, *counters, event, host.options.numwant)
        timeout_us = int(host.options.tracker_timeout_s * 1e6)
        host.call(sender, request, timeout_us=timeout_us, context=context, cause=torrent.live_cause)

    @on_reply(UdpAnnounce)
    def udp_announced(self, host: Host, sender: PeerId, answer: UdpAnnounced, context: tuple[int, Event]) -> None:
        self._tracker_answered(host, sender, answer)

    @on_reply(Announce)
    def announced(self, host: Host, sender: PeerId, answer: Announced, context: tuple[int, Event]) -> None:
        self._tracker_answered(host, sender, answer)

    @on_timeout(UdpConnect)
    def udp_silent(self, host: Host, to: PeerId, context: tuple[int, Event], reason: str) -> None:
        self._next_tracker(host, to, context)

    @on_timeout(UdpAnnounce)
    def udp_announce_silent(self, host: Host, to: PeerId, context: tuple[int, Event], reason: str) -> None:
        self._next_tracker(host, to, context)

    @on_timeout(Announce)
    def announce_silent(self, host: Host, to: PeerId, context: tuple[int, Event], reason: str) -> None:
        self._next_tracker(host, to, context)

    def _next_tracker(self, host: Host, failed: PeerId, context: tuple[int, Event]) -> None:
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

    def _tracker_answered(self, host: Host, tracker: PeerId, answer: Announced | UdpAnnounced) -> None:
        torrent = self.torrents.get(answer.info_hash)
        if torrent is None:
            return
        torrent.tiers.answered(tracker)
        self._learn(host, torrent, answer.peers, tracker)
        self._announce_later(host, torrent, max(1, answer.interval_s) * 1_000_000)

    def _announce_later(self, host: Host, torrent: Torrent, delay_us: int) -> None:
        if torrent.reannounce is not None:
            host.cancel(torrent.reannounce)
        torrent.reannounce = host.after(delay_us, AnnounceDue(torrent.metainfo.info_hash), cause=None)

    @on(AnnounceDue)
    def announce_due(self, host: Host, tick: AnnounceDue) -> None:
        """Announce a torrent again, since trackers forget peers that are silent."""
        torrent = self.torrents.get(tick.info_hash)
        if torrent is not None:
            torrent.reannounce = None
            self._announce(host, torrent, "")

    # --- the hash table (BEP 5) -----------------------------------------------------------------------------------

    def _announce_in_table(self, host: Host, torrent: Torrent) -> None:
        """Ask the nodes nearest to the info-hash for peers, and tell them that this one takes part: at once for a
        download; for a seed, when it is this torrent's turn. A client that is not in the table yet does so when it has
        joined."""
        number = torrent.metainfo.info_hash
        if not self.dht.is_in:
            return
        if not torrent.state.complete:
            self.dht.announce(host, number, cause=torrent.live_cause, context=number)
        elif number not in self.to_announce:
            if not self.to_announce:
                host.after(TABLE_SPACING_US, NextInTable(), cause=None)
            self.to_announce[number] = None

    @on(NextInTable)
    def next_in_table(self, host: Host, tick: NextInTable) -> None:
        """Announce the next torrent in the hash table, if the client still has it."""
        number = next(iter(self.to_announce), None)
        if number is None:
            return
        del self.to_announce[number]
        if number in self.torrents:
            self.dht.announce(host, number, context=number)
        if self.to_announce:
            host.after(TABLE_SPACING_US, tick, cause=None)

    @on(Joined)
    def is_in_table(self, host: Host, joined: Joined) -> None:
        """It has joined the hash table: announce all torrents there."""
        self._announce_all_in_table(host)

    @on(TableDue)
    def table_due(self, host: Host, tick: TableDue) -> None:
        """Announce all torrents again, since nodes of the table forget peers that are silent."""
        self._announce_all_in_table(host)

    def _announce_all_in_table(self, host: Host) -> None:
        for torrent in list(self.torrents.values()):
            self._announce_in_table(host, torrent)

    @on(Found)
    def found_in_table(self, host: Host, found: Found) -> None:
        """Peers of a torrent: a leecher connects to them; a seed waits until they connect."""
        torrent = self.torrents.get(found.context)
        if torrent is not None and not torrent.state.complete:
            self._learn(host, torrent, found.values, found.by)

    def _tell_stopped(self, host: Host, torrent: Torrent) -> None:
        """Tell all trackers that it was announced to that this peer stops."""
        counters = torrent.uploaded, torrent.downloaded, torrent.left
        for tracker in torrent.trackers:
            host.send(tracker, Stopped(torrent.metainfo.info_hash, *counters), cause=None)

    # --- connections ------------------------------------------------------------------------------------------------

    def _learn(self, host: Host, torrent: Torrent, peers: Sequence[PeerId], by: PeerId | None) -> None:
        """Keep addresses of peers of a torrent, and connect to some. by: who told them, None if unknown."""
        for peer in peers:
            if peer != host.me and peer >= 0 and peer not in torrent.peers and peer not in torrent.opening:
                put_bounded(torrent.known, peer, by, CANDIDATES_MOST)
        self._connect(host, torrent)

    def _connect(self, host: Host, torrent: Torrent) -> None:
        """Open connections to known peers, drawn at random, while there are fewer than wanted."""
        while torrent.known and len(torrent.peers) + len(torrent.opening) < host.options.connections:
            peer = host.rng.choice(list(torrent.known))
            by = torrent.known.pop(peer)
            if peer in self.banned:
                continue
            torrent.opening[peer] = host.now_us
            host.link(peer)
            host.send(peer, self._own_handshake(torrent, False), cause=torrent.live_cause, via=by)
            self._start_rounds(host)

    @staticmethod
    def _own_handshake(torrent: Torrent, answer: bool) -> Handshake:
        meta = torrent.metainfo
        return Handshake(meta.info_hash, meta.digest, meta.bytes if torrent.ready else 0, answer)

    @on(Handshake)
    def handshake(self, host: Host, sender: PeerId, message: Handshake) -> None:
        """A connection is complete when both ends have sent a handshake."""
        number = message.info_hash
        torrent = self.torrents.get(number)
        if torrent is not None and torrent.metainfo.digest != message.digest:
            torrent = self._seed_again(host, torrent, message.digest)
        if torrent is None or sender in self.banned:
            self._disconnect(host, number, sender)
            return
        if sender in torrent.peers:
            return
        if sender in torrent.opening:
            del torrent.opening[sender]
        elif message.answer:
            # This end has closed the connection meanwhile.
            return
        elif len(torrent.peers) >= host.options.connections_max:
            self._disconnect(host, number, sender)
            return
        else:
            torrent.known.pop(sender, None)
            host.link(sender)
            host.send(sender, self._own_handshake(torrent, True), cause=torrent.live_cause)
        connection = torrent.peers[sender] = Connection(host.now_us, block_us=host.now_us)
        connection.metadata_bytes = message.metadata_bytes
        if not self.dht.is_in:
            self.dht.join_by(host, sender)
        self._mark(host, torrent, sender, connection)
        if torrent.offered is not None:
            self._offer(host, torrent, sender)
        elif torrent.state.have and torrent.ready:
            bitfield = Bitfield(number, torrent.state.have, torrent.layout.pieces)
            host.send(sender, bitfield, cause=torrent.live_cause)
        if not torrent.ready:
            self._ask_metadata(host, torrent)
        self._start_rounds(host)

    def _seed_again(self, host: Host, torrent: Torrent, digest: int) -> Torrent | None:
        """A peer names a torrent of the same title with another digest. If the file in the library has changed to that
        one, seed it in place of the old torrent. Returns the new torrent, or None."""
        file = own_file(host, torrent.metainfo.name)
        if file is None or file.digest != digest:
            return None
        self._forget(host, torrent.metainfo.info_hash)
        self._seed(host, file, publish=False)
        return self.torrents.get(torrent.metainfo.info_hash)

    def _disconnect(self, host: Host, number: int, peer: PeerId) -> None:
        """End the connection of one torrent, and the stream if no other torrent needs it."""
        for torrent in self.torrents.values():
            if torrent.metainfo.info_hash != number and (peer in torrent.peers or peer in torrent.opening):
                host.send(peer, Close(number))
                return
        host.unlink(peer)

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
        """A connection is gone: ask others for the blocks that were asked of it."""
        if peer in torrent.known:
            del torrent.known[peer]
        connection = torrent.peers.pop(peer, None)
        torrent.unchoked.pop(peer, None)
        if torrent.opening.pop(peer, None) is None and connection is None:
            return
        if connection is not None:
            if torrent.ready:
                torrent.state.count(connection.theirs, -1)
            if torrent.optimistic == peer:
                torrent.optimistic = None
            if torrent.offered:
                torrent.offered.pop(peer, None)
            if connection.asked:
                self._unask(torrent, peer, connection)
                self._refill(host, torrent)
        if not torrent.state.complete:
            self._connect(host, torrent)

    def _drop(self, host: Host, torrent: Torrent, peer: PeerId) -> None:
        """End a connection."""
        self._disconnect(host, torrent.metainfo.info_hash, peer)
        self._lose(host, torrent, peer)

    @staticmethod
    def _unask(torrent: Torrent, peer: PeerId, connection: Connection) -> None:
        for piece, block in connection.asked:
            torrent.state.unask(peer, piece, block)
        connection.asked.clear()

    def _refill(self, host: Host, torrent: Torrent) -> None:
        """Blocks became free: ask neighbours for them that unchoke us and were asked for nothing."""
        if not torrent.state.complete:
            for peer, one in torrent.peers.items():
                if not one.choked and not one.asked:
                    self._request(host, torrent, peer, one)

    # --- metadata of a magnet link (BEP 9) --------------------------------------------------------------------------

    def _ask_metadata(self, host: Host, torrent: Torrent) -> None:
        """Ask for each part of the metadata that nobody was asked for: each of a neighbour that has the metadata, drawn
        at random."""
        able = [(peer, one.metadata_bytes) for peer, one in torrent.peers.items() if one.metadata_bytes > 0]
        if not able or torrent.ready:
            return
        number = torrent.metainfo.info_hash
        for part in range(-(-min(able[0][1], 20 * PIECES_MOST) // METADATA_PART_BYTES)):
            if part not in torrent.parts:
                torrent.parts[part] = host.now_us
                host.send(host.rng.choice(able)[0], MetadataRequest(number, part), cause=torrent.live_cause)

    @on(MetadataRequest)
    def metadata_wanted(self, host: Host, sender: PeerId, message: MetadataRequest) -> None:
        """Send a part, or a reject."""
        torrent = self.torrents.get(message.info_hash)
        metainfo = torrent.metainfo if torrent is not None and torrent.ready else None
        host.send(sender, MetadataPart(message.info_hash, message.part_number, metainfo))

    @on(MetadataPart)
    def metadata(self, host: Host, sender: PeerId, message: MetadataPart) -> None:
        """A part of the metadata. When all have come, their hash is compared with the info-hash."""
        torrent, connection = self._connection_of(message.info_hash, sender)
        part, metainfo = message.part_number, message.metainfo
        if torrent is None or connection is None or torrent.ready or part not in torrent.parts:
            return
        wanted = torrent.metainfo.info_hash, torrent.metainfo.digest
        if metainfo is None or (metainfo.info_hash, metainfo.digest) != wanted or not metainfo.whole:
            connection.metadata_bytes = 0
            del torrent.parts[part]
            self._ask_metadata(host, torrent)
            return
        torrent.parts[part] = -1
        if len(torrent.parts) * METADATA_PART_BYTES >= metainfo.bytes and max(torrent.parts.values()) < 0:
            self._begin(host, torrent, metainfo)

    def _begin(self, host: Host, torrent: Torrent, metainfo: Metainfo) -> None:
        """The metadata are there: the download can begin."""
        torrent.metainfo = metainfo._replace(tiers=torrent.metainfo.tiers)
        torrent.file = File(metainfo.name, metainfo.length, metainfo.digest)
        torrent.state = Downloading(metainfo.layout)
        torrent.parts = {}
        if torrent.cause:
            host.progress(0, torrent.layout.pieces, cause=torrent.cause)
        for peer, one in torrent.peers.items():
            one.theirs &= torrent.layout.all
            torrent.state.count(one.theirs, 1)
            self._tell_if_seed(host, torrent, peer, one)
        for peer, one in list(torrent.peers.items()):
            self._show_interest(host, torrent, peer, one)

    # --- who has what ----------------------------------------------------------------------------------------------

    def _connection_of(self, info_hash: int, peer: PeerId) -> tuple[Torrent, Connection] | tuple[None, None]:
        torrent = self.torrents.get(info_hash)
        if torrent is None:
            return None, None
        connection = torrent.peers.get(peer)
        return (None, None) if connection is None else (torrent, connection)

    @staticmethod
    def _tell_if_seed(host: Host, torrent: Torrent, peer: PeerId, connection: Connection) -> None:
        if torrent.cause and connection.theirs == torrent.layout.all:
            host.hit(peer, torrent.metainfo.name, cause=torrent.cause)

    @on(Bitfield)
    def bitfield(self, host: Host, sender: PeerId, message: Bitfield) -> None:
        """The pieces that a new neighbour has. A seed closes a connection to another seed."""
        torrent, connection = self._connection_of(message.info_hash, sender)
        if torrent is None or connection is None or message.pieces < 0:
            return
        if not torrent.ready:
            connection.theirs = message.pieces & METADATA_PIECES_ALL
            return
        bits = message.pieces & torrent.layout.all
        torrent.state.count(connection.theirs, -1)
        connection.theirs = bits
        torrent.state.count(bits, 1)
        self._pieces_seen(host, torrent, sender, connection)

    @on(Have)
    def has(self, host: Host, sender: PeerId, message: Have) -> None:
        """A neighbour completed a piece."""
        torrent, connection = self._connection_of(message.info_hash, sender)
        if torrent is not None and connection is not None and 0 <= message.piece < PIECES_MOST:
            torrent.progress_us = host.now_us
            self._has_more(host, torrent, sender, connection, 1 << message.piece)

    @on(Haves)
    def has_some(self, host: Host, sender: PeerId, message: Haves) -> None:
        """A neighbour completed several pieces."""
        torrent, connection = self._connection_of(message.info_hash, sender)
        if torrent is not None and connection is not None and message.pieces > 0:
            torrent.progress_us = host.now_us
            self._has_more(host, torrent, sender, connection, message.pieces)

    def _has_more(self, host: Host, torrent: Torrent, peer: PeerId, connection: Connection, bits: int) -> None:
        if not torrent.ready:
            connection.theirs |= bits & METADATA_PIECES_ALL
            return
        state = torrent.state
        new = bits & state.layout.all & ~connection.theirs
        if not new:
            return
        connection.theirs |= new
        if state.complete:
            if torrent.offered is not None:
                state.count(new, 1)
                self._offer_on(host, torrent, peer, new)
            if connection.theirs == state.layout.all:
                self._drop(host, torrent, peer)
            return
        state.count(new, 1)
        if connection.theirs == state.layout.all:
            self._tell_if_seed(host, torrent, peer, connection)
        if new & ~state.have and (not connection.interesting or not (connection.choked or connection.asked)):
            self._show_interest(host, torrent, peer, connection)

    def _pieces_seen(self, host: Host, torrent: Torrent, peer: PeerId, connection: Connection) -> None:
        if connection.theirs == torrent.layout.all:
            if torrent.state.complete:
                self._drop(host, torrent, peer)
                return
            self._tell_if_seed(host, torrent, peer, connection)
        self._show_interest(host, torrent, peer, connection)

    def _show_interest(self, host: Host, torrent: Torrent, peer: PeerId, connection: Connection) -> None:
        """Tell a neighbour when it becomes interesting or is so no more; ask it for blocks, if it unchokes us."""
        wanted = torrent.ready and torrent.state.wants(connection.theirs)
        if wanted != connection.interesting:
            connection.interesting = wanted
            kind = Interested if wanted else NotInterested
            host.send(peer, state_message(kind, torrent.metainfo.info_hash))
            self._mark(host, torrent, peer, connection)
        if wanted and not connection.choked:
            self._request(host, torrent, peer, connection)

    @on(Interested)
    def interested(self, host: Host, sender: PeerId, message: Interested) -> None:
        """A neighbour is interested: it gets a slot at once, if one is free."""
        torrent, connection = self._connection_of(message.info_hash, sender)
        if torrent is None or connection is None:
            return
        connection.interested = True
        if connection.choking:
            self._fill_slot(host, torrent)

    @on(NotInterested)
    def not_interested(self, host: Host, sender: PeerId, message: NotInterested) -> None:
        """A neighbour is interested no more. It stays unchoked until the next round, but takes no slot: the best
        neighbour that waits gets that slot."""
        torrent, connection = self._connection_of(message.info_hash, sender)
        if torrent is not None and connection is not None:
            connection.interested = False
            if connection.unannounced:
                self._announce_pieces(host, torrent, sender, connection)
            if not connection.choking:
                self._fill_slot(host, torrent)

    def _tell_have(self, host: Host, torrent: Torrent, piece: int) -> None:
        """Announce a complete piece to neighbours that lack it. To those that are interested in us already, several
        pieces are announced together later, as nothing that they do depends on one more; to the others, it is announced
        at once."""
        bit, number, cause = 1 << piece, torrent.metainfo.info_hash, torrent.live_cause
        at_once, late = [], not host.options.have_s or torrent.state.complete
        for peer, one in torrent.peers.items():
            if not one.theirs & bit:
                if one.interested and not late:
                    one.unannounced |= bit
                elif one.unannounced:
                    self._announce_pieces(host, torrent, peer, one, bit)
                else:
                    at_once.append(peer)
        if at_once:
            host.multicast(at_once, Have(number, piece), cause=cause)
        if not late and not torrent.haves_due:
            torrent.haves_due = True
            host.after_s(host.options.have_s, TellHaves(number), cause=cause)

    @staticmethod
    def _announce_pieces(host: Host, torrent: Torrent, peer: PeerId, connection: Connection, more: int = 0) -> None:
        bits, connection.unannounced = (connection.unannounced | more) & ~connection.theirs, 0
        if bits:
            number = torrent.metainfo.info_hash
            message = Haves(number, bits) if bits & (bits - 1) else Have(number, bits.bit_length() - 1)
            host.send(peer, message, cause=torrent.live_cause)

    @on(TellHaves)
    def tell_haves(self, host: Host, tick: TellHaves) -> None:
        torrent = self.torrents.get(tick.info_hash)
        if torrent is not None:
            torrent.haves_due = False
            for peer, one in torrent.peers.items():
                if one.unannounced:
                    self._announce_pieces(host, torrent, peer, one)

    def _fill_slot(self, host: Host, torrent: Torrent) -> None:
        """Give a free slot to the best neighbour that waits for one, ties at random."""
        if self.rides_free:
            return
        taken = sum([torrent.peers[peer].interested for peer in torrent.unchoked])
        if taken >= host.options.upload_slots:
            return
        best, waiting = -1, []
        seeding = torrent.state.complete
        for peer, one in torrent.peers.items():
            if one.interested and one.choking and (seeding or not one.snubbed):
                rate = one.sent + one.sent_before if seeding else one.received + one.received_before
                if rate > best:
                    best, waiting = rate, [peer]
                elif rate == best:
                    waiting.append(peer)
        if waiting:
            peer = host.rng.choice(waiting)
            self._set_choking(host, torrent, peer, torrent.peers[peer], choking=False)

    # --- super-seeding (BEP 16) --------------------------------------------------------------------------------

    def _offer(self, host: Host, torrent: Torrent, peer: PeerId) -> None:
        """Announce one piece to a neighbour that lacks it: the one that fewest neighbours have or were told of, ties at
        random."""
        offered, connection = torrent.offered, torrent.peers.get(peer)
        if offered is None or connection is None:
            return
        lacking = list(bits_of(torrent.layout.all & ~connection.theirs))
        if not lacking:
            return
        told: dict[int, int] = {}
        for piece, _ in offered.values():
            told[piece] = told.get(piece, 0) + 1
        counts = torrent.state.availability
        least = min(counts[piece] + told.get(piece, 0) for piece in lacking)
        piece = host.rng.choice([one for one in lacking if counts[one] + told.get(one, 0) == least])
        offered[peer] = piece, host.now_us
        host.send(peer, Have(torrent.metainfo.info_hash, piece), cause=None)

    def _offer_on(self, host: Host, torrent: Torrent, sender: PeerId, new: int) -> None:
        """`sender` has new pieces: the neighbours to which these were announced have passed them on, and are told of
        another piece each. `sender` itself is, if it is the only neighbour."""
        if torrent.offered is None:
            return
        for peer, (piece, _) in list(torrent.offered.items()):
            if new >> piece & 1 and (peer != sender or len(torrent.peers) == 1):
                self._offer(host, torrent, peer)

    def _offer_again(self, host: Host, torrent: Torrent) -> None:
        """Neighbours that have had their piece for long, and that nobody took it from, are told of another one."""
        for peer, (piece, at_us) in list((torrent.offered or {}).items()):
            connection = torrent.peers.get(peer)
            if connection is not None and connection.theirs >> piece & 1 and host.now_us - at_us > OFFER_US:
                self._offer(host, torrent, peer)

    # --- choking ------------------------------------------------------------------------------------------------

    def _start_rounds(self, host: Host) -> None:
        """Start the timers of choking and of peer exchange, unless they run. They run while there is a connection or a
        download."""
        if not self.ticking:
            self.ticking = True
            # After a random time: else all peers that join together would choke at the same instants.
            host.after(int(host.rng.uniform(0.5, 1.0) * host.options.rechoke_s * 1e6), Rechoke(), cause=None)
        if not self.exchanging and host.options.pex_s:
            self.exchanging = True
            host.after_s(host.options.pex_s, Exchange(), cause=None)

    def _busy(self) -> bool:
        return any(one.peers or one.opening or not one.state.complete for one in self.torrents.values())

    @on(Rechoke)
    def rechoke(self, host: Host, tick: Rechoke) -> None:
        """A round for each torrent."""
        if not self._busy():
            self.ticking = False
            return
        host.after_s(host.options.rechoke_s, tick, cause=None)
        for torrent in list(self.torrents.values()):
            late_us = host.now_us - CONNECT_TIMEOUT_US
            for peer in [peer for peer, since_us in torrent.opening.items() if since_us <= late_us]:
                self._disconnect(host, torrent.metainfo.info_hash, peer)
                self._lose(host, torrent, peer)
            late_us = host.now_us - METADATA_TIMEOUT_US
            for part in [part for part, asked_us in torrent.parts.items() if 0 <= asked_us <= late_us]:
                del torrent.parts[part]
            if not torrent.ready:
                self._ask_metadata(host, torrent)
            if torrent.peers:
                self._round(host, torrent)
            if not torrent.state.complete:
                self._check_availability(host, torrent)

    def _round(self, host: Host, torrent: Torrent) -> None:
        seeding = torrent.state.complete
        snubbed_us = host.now_us - int(host.options.snubbed_s * 1e6)
        # In turns, the three that were unchoked last stay, and each round another one is drawn (Legout et al. 2006).
        turns = seeding and host.options.seed_choking == "turns"
        neighbours = []
        for peer, one in torrent.peers.items():
            if not seeding and one.asked and one.block_us < snubbed_us:
                one.snubbed = True
                self._unask(torrent, peer, one)
            new = host.now_us - one.since_us < NEW_US and not one.was_unchoked
            rate = one.received + one.received_before
            if seeding:
                rate = one.unchoked_us if turns else one.sent + one.sent_before
            neighbours.append(Rated(peer, rate, one.interested, one.snubbed and not seeding, new))
        torrent.rounds += 1
        if self.rides_free:
            chosen: set[PeerId] = set()
        else:
            if turns or torrent.optimistic is None or torrent.rounds % host.options.optimistic_rounds == 0:
                held = unchoked(neighbours, host.options.upload_slots - 1, None)
                torrent.optimistic = next_optimistic(neighbours, held, host.rng)
            chosen = unchoked(neighbours, host.options.upload_slots, torrent.optimistic)
        for peer, one in torrent.peers.items():
            choking = peer not in chosen
            # Nothing changes for a neighbour that stays choked. One that stays unchoked may be the optimistic one now.
            if not (choking and one.choking):
                self._set_choking(host, torrent, peer, one, choking=choking)
            one.received_before, one.received, one.sent_before, one.sent = one.received, 0, one.sent, 0
        if torrent.offered is not None:
            self._offer_again(host, torrent)
        self._refill(host, torrent)

    def _set_choking(
        self, host: Host, torrent: Torrent, peer: PeerId, connection: Connection, *, choking: bool
    ) -> None:
        """Choke or unchoke a neighbour. If it is choked, a block that is being sent is finished; others that it asked
        for are not sent."""
        if choking != connection.choking:
            connection.choking = choking
            if choking:
                for message in reversed(list(connection.owed.values())):
                    self._take_back(host, torrent, peer, connection, message)
                connection.owed.clear()
                torrent.unchoked.pop(peer, None)
            else:
                torrent.unchoked[peer] = None
                connection.was_unchoked, connection.unchoked_us = True, host.now_us
            host.send(peer, state_message(Choke if choking else Unchoke, torrent.metainfo.info_hash))
        self._mark(host, torrent, peer, connection)

    def _take_back(self, host: Host, torrent: Torrent, peer: PeerId, connection: Connection, message: Piece) -> None:
        """Withdraw a block that was not begun to be sent."""
        if host.withdraw(peer, message):
            size = message.block.size
            self.uploaded -= size
            torrent.uploaded -= size
            connection.sent = max(0, connection.sent - size)

    @staticmethod
    def _mark(host: Host, torrent: Torrent, peer: PeerId, connection: Connection) -> None:
        if not connection.choking:
            word = "optimistic" if peer == torrent.optimistic else "unchoked"
        else:
            word = "interested" if connection.interesting else "choked"
        if word != connection.link_word:
            connection.link_word = word
            host.mark(peer, word)

    @on(Choke)
    def choked(self, host: Host, sender: PeerId, message: Choke) -> None:
        """A neighbour chokes us: blocks that were asked of it and have not come will not come."""
        torrent, connection = self._connection_of(message.info_hash, sender)
        if torrent is not None and connection is not None:
            connection.choked = True
            if connection.asked:
                self._unask(torrent, sender, connection)
                self._refill(host, torrent)

    @on(Unchoke)
    def unchoked(self, host: Host, sender: PeerId, message: Unchoke) -> None:
        torrent, connection = self._connection_of(message.info_hash, sender)
        if torrent is not None and connection is not None:
            connection.choked = False
            connection.block_us = host.now_us
            self._request(host, torrent, sender, connection)

    # --- blocks ---------------------------------------------------------------------------------------------------

    def _request(self, host: Host, torrent: Torrent, peer: PeerId, connection: Connection) -> None:
        """Keep the pipeline of requests full; a neighbour that snubs us is asked for one block at a time."""
        if connection.choked or not connection.interesting:
            return
        state, asked, options = torrent.state, connection.asked, host.options
        most = 1 if connection.snubbed else options.pipeline
        # Requests are sent several at a time: with a pipeline of five, when two are free.
        if len(asked) > most - max(1, most // 2):
            return
        new = []
        while len(asked) < most:
            found = state.next_block(peer, connection.theirs, host.rng, options.random_pieces)
            if found is None:
                break
            asked[found] = None
            new.append(found)
        if len(new) == 1:
            piece, block = new[0]
            request = Request(torrent.metainfo.info_hash, piece, *state.layout.block(piece, block))
            host.send(peer, request, cause=torrent.live_cause)
        elif new:
            host.send(peer, Requests(torrent.metainfo.info_hash, tuple(new)), cause=torrent.live_cause)

    @on(Request)
    def requested(self, host: Host, sender: PeerId, message: Request) -> None:
        """Send a block, unless the sender is choked."""
        torrent, connection = self._connection_of(message.info_hash, sender)
        if torrent is None or connection is None or connection.choking:
            return
        layout, piece, begin, length = torrent.layout, message.piece, message.begin, message.length
        if not (0 <= piece < layout.pieces and torrent.state.have >> piece & 1 and 0 < length <= BLOCK_BYTES):
            return
        if begin < 0 or begin + length > layout.size(piece):
            return
        self._send_block(host, torrent, sender, connection, piece, begin, length)

    @on(Requests)
    def requested_some(self, host: Host, sender: PeerId, message: Requests) -> None:
        """Send blocks, unless the sender is choked."""
        torrent, connection = self._connection_of(message.info_hash, sender)
        if torrent is None or connection is None or connection.choking:
            return
        layout = torrent.layout
        for piece, block in message.blocks[:REQUESTS_MOST]:
            if 0 <= piece < layout.pieces and 0 <= block < layout.blocks(piece) and torrent.state.have >> piece & 1:
                self._send_block(host, torrent, sender, connection, piece, *layout.block(piece, block))

    def _send_block(
        self, host: Host, torrent: Torrent, peer: PeerId, connection: Connection, piece: int, begin: int, length: int
    ) -> None:
        block = host.blob(torrent.file, piece * torrent.layout.piece_length + begin, length)
        answer = Piece(torrent.metainfo.info_hash, piece, begin, block)
        connection.sent += length
        self.uploaded += length
        torrent.uploaded += length
        put_bounded(connection.owed, (piece, begin), answer, host.options.pipeline)
        host.send(peer, answer)

    @on(Cancel)
    def cancelled(self, host: Host, sender: PeerId, message: Cancel) -> None:
        """A block is not needed any more: it is not sent, if it was not begun."""
        torrent, connection = self._connection_of(message.info_hash, sender)
        if torrent is not None and connection is not None:
            answer = connection.owed.pop((message.piece, message.begin), None)
            if answer is not None:
                self._take_back(host, torrent, sender, connection, answer)

    @on(Piece)
    def block(self, host: Host, sender: PeerId, message: Piece) -> None:
        """A block has come."""
        size, piece = message.block.size, message.piece
        self.downloaded += size
        torrent, connection = self._connection_of(message.info_hash, sender)
        if torrent is None or connection is None:
            self.wasted += size
            return
        state = torrent.state
        block = message.begin // BLOCK_BYTES
        connection.asked.pop((piece, block), None)
        connection.received += size
        connection.block_us = torrent.progress_us = host.now_us
        connection.snubbed = False
        torrent.downloaded += size
        others = state.arrived(sender, piece, block, message.block.digest)
        if others is None:
            self._waste(torrent, size)
        else:
            for other in others:
                theirs = torrent.peers.get(other)
                if theirs is not None and (piece, block) in theirs.asked:
                    del theirs.asked[piece, block]
                    host.send(other, Cancel(message.info_hash, piece, message.begin, size), cause=torrent.live_cause)
            if state.full(piece):
                self._check(host, torrent, piece)
        if not state.complete and sender in torrent.peers:
            self._request(host, torrent, sender, connection)

    def _waste(self, torrent: Torrent, size: int) -> None:
        torrent.wasted += size
        self.wasted += size

    def _check(self, host: Host, torrent: Torrent, piece: int) -> None:
        """All blocks of a piece have come: compare its hash."""
        state, layout, digest = torrent.state, torrent.layout, torrent.metainfo.digest
        first = piece * layout.piece_length
        for block, (_, sent) in state.partial[piece].by.items():
            if sent != part_of(digest, first + block * BLOCK_BYTES):
                self._reject(host, torrent, piece)
                return
        state.keep(piece)
        if torrent.suspects:
            for block in range(layout.blocks(piece)):
                right = part_of(digest, first + block * BLOCK_BYTES)
                for peer, sent in torrent.suspects.pop((piece, block), {}).items():
                    if sent != right:
                        self._ban(host, torrent, peer)
        self._tell_have(host, torrent, piece)
        if torrent.cause:
            host.progress(state.pieces, layout.pieces, cause=torrent.cause)
        wanted = ~state.have
        for peer, one in list(torrent.peers.items()):
            if one.interesting and not one.theirs & wanted:
                self._show_interest(host, torrent, peer, one)
        if state.complete:
            self._completed(host, torrent)

    def _reject(self, host: Host, torrent: Torrent, piece: int) -> None:
        """The hash of a piece is wrong: all of it is thrown away and fetched again. If one peer sent all of it, it is
        banned at once; else those are banned whose blocks differ from the right ones, once these are known."""
        part = torrent.state.discard(piece)
        self._waste(torrent, torrent.layout.size(piece))
        host.log("wrong hash", cause=torrent.live_cause, title=torrent.metainfo.name, piece=piece)
        senders = list(dict.fromkeys(peer for peer, _ in part.by.values()))
        if len(senders) == 1:
            self._ban(host, torrent, senders[0])
            return
        for block, (peer, digest) in part.by.items():
            torrent.suspects.setdefault((piece, block), {})[peer] = digest

    def _ban(self, host: Host, torrent: Torrent, peer: PeerId) -> None:
        if peer not in self.banned:
            put_bounded(self.banned, peer, None, BANNED_MOST)
            host.log("banned", cause=torrent.live_cause, peer=peer)
        for one in list(self.torrents.values()):
            if peer in one.peers:
                self._drop(host, one, peer)

    def _completed(self, host: Host, torrent: Torrent) -> None:
        """All pieces are there: the user opens the file, and the peer seeds it."""
        meta = torrent.metainfo
        kept = host.library.add(torrent.file)
        if torrent.cause:
            holder = next((peer for peer, one in torrent.peers.items() if one.theirs == torrent.layout.all), host.me)
            host.hit(holder, meta.name, cause=torrent.cause)
            (host.fetched if kept else host.decoy)(holder, meta.name, cause=torrent.cause)
            host.let_close(torrent.cause)
            torrent.cause = 0
        torrent.unavailable_us, torrent.suspects = None, {}
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
            share = host.rng.expovariate(1.0) if host.options.seed_law == "exponential" else 1.0
            host.after(int(share * host.options.seed_s * 1e6), SeedEnds(meta.info_hash), cause=None)

    @on(SeedEnds)
    def seed_ends(self, host: Host, tick: SeedEnds) -> None:
        """This peer seeds the torrent no more; the file stays in its library."""
        self._forget(host, tick.info_hash)

    def _forget(self, host: Host, info_hash: int) -> None:
        torrent = self.torrents.pop(info_hash, None)
        if torrent is None:
            return
        if torrent.state.complete:
            self.unseeded[info_hash] = None
        if torrent.cause:
            host.let_close(torrent.cause)
        self._tell_stopped(host, torrent)
        if torrent.reannounce is not None:
            host.cancel(torrent.reannounce)
        for peer in (*torrent.peers, *torrent.opening):
            self._disconnect(host, info_hash, peer)
        self._tell_role(host)

    def _check_availability(self, host: Host, torrent: Torrent) -> None:
        """Report to its asks that a download has failed, if for long no neighbour has the pieces that are missing; it
        goes on if a peer comes that has them. Pieces of a neighbour that was asked and sends nothing do not count.
        While neighbours get pieces that no neighbour had before, some peer that is no neighbour has them: the only seed
        of a large swarm is a neighbour of few, and sends its last piece late."""
        theirs = 0
        for one in torrent.peers.values():
            if not one.snubbed:
                theirs |= one.theirs
        known = (theirs | torrent.state.have) & torrent.layout.all if torrent.ready else 0
        more, torrent.seen = known & ~torrent.seen, torrent.seen | known
        missing = (torrent.layout.all & ~torrent.state.have & ~theirs).bit_count() if torrent.ready else 1
        if not torrent.ready and any(one.metadata_bytes for one in torrent.peers.values()):
            missing = 0
        if host.now_us - torrent.progress_us >= host.options.stalled_s * 1e6:
            self._give_up(host, torrent, f"no block came for {host.options.stalled_s:g} s")
        elif not missing or more:
            torrent.unavailable_us = None
        elif torrent.unavailable_us is None:
            torrent.unavailable_us = host.now_us
            self._announce(host, torrent, "")
        elif host.now_us - torrent.unavailable_us >= host.options.give_up_s * 1e6:
            torrent.unavailable_us = None
            pieces = f"{missing} of its {torrent.layout.pieces} pieces" if torrent.ready else "the metadata"
            self._give_up(host, torrent, f"nobody has {pieces}")

    def _give_up(self, host: Host, torrent: Torrent, why: str) -> None:
        if torrent.cause and not torrent.given_up:
            host.failed(why, cause=torrent.cause)
            host.let_close(torrent.cause)
            torrent.given_up = True

    # --- peer exchange ------------------------------------------------------------------------------------------

    @on(Exchange)
    def exchange(self, host: Host, tick: Exchange) -> None:
        """Tell neighbours of a torrent about each other (BEP 11)."""
        if not self.ticking or not host.options.pex_s:
            self.exchanging = False
            return
        host.after_s(host.options.pex_s, tick, cause=None)
        for number, torrent in self.torrents.items():
            now = dict.fromkeys(torrent.peers)
            added = tuple(peer for peer in now if peer not in torrent.exchanged)[:PEX_MOST]
            dropped = tuple(peer for peer in torrent.exchanged if peer not in now)[:PEX_MOST]
            torrent.exchanged = now
            if added or dropped:
                host.multicast(list(now), PeerExchange(number, added, dropped))

    @on(PeerExchange)
    def exchanged(self, host: Host, sender: PeerId, message: PeerExchange) -> None:
        """A leecher that lacks neighbours connects to them."""
        torrent, connection = self._connection_of(message.info_hash, sender)
        if torrent is not None and connection is not None and not torrent.state.complete:
            for peer in message.dropped:
                torrent.known.pop(peer, None)
            self._learn(host, torrent, message.added[:PEX_MOST], sender)

    # --- verbs ------------------------------------------------------------------------------------------------------

    def riding_switched(self, host: Host) -> None:
        """`rides_free` was switched: a free rider chokes all neighbours. Of a peer that uploads again, the next round
        of choking unchokes some."""
        for torrent in self.torrents.values() if self.rides_free else ():
            torrent.optimistic = None
            for peer, one in torrent.peers.items():
                self._set_choking(host, torrent, peer, one, choking=True)
        self._tell_role(host)

    @verb("stop-seeding", undo="seed", about="Seed nothing more; downloads go on.", why_not=seeds_nothing)
    def stop_seeding(self, host: Host) -> None:
        """Leave all swarms in which it has everything."""
        for number in [number for number, torrent in self.torrents.items() if torrent.state.complete]:
            self._forget(host, number)

    @verb("seed", undo="stop-seeding", about="Seed all files of the library.", why_not=seeds_all)
    def seed(self, host: Host) -> None:
        """Seed the files of the library that are not seeded yet."""
        for file in host.library.files():
            self._seed(host, file, publish=False)
        self.unseeded.clear()
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
        down = sum(link.received + link.received_before for link in links) / RATE_WINDOW_S
        up = sum(link.sent + link.sent_before for link in links) / RATE_WINDOW_S
        return share, down, up, float(len(links)), float(self.wasted)

    def contacts(self) -> Sequence[PeerId]:
        return tuple(dict.fromkeys(peer for torrent in self.torrents.values() for peer in torrent.peers))

    def beliefs(self) -> Beliefs:
        known: dict[int, Belief] = {}
        facts: dict[str, str] = {}
        for torrent in self.torrents.values():
            for peer, one in torrent.peers.items():
                what = f"{one.theirs.bit_count()} of {torrent.layout.pieces} pieces of “{torrent.metainfo.name}”"
                known[peer] = Belief(one.block_us, what, True)
            if not torrent.ready:
                facts[torrent.metainfo.name] = "a magnet link: the metadata are missing"
            elif not torrent.state.complete:
                facts[torrent.metainfo.name] = f"{torrent.state.pieces} of {torrent.layout.pieces} pieces"
        seeding = sum(torrent.state.complete for torrent in self.torrents.values())
        facts["seeds"] = f"{seeding} {'torrent' if seeding == 1 else 'torrents'}"
        facts["uploaded"], facts["downloaded"] = f"{self.uploaded:,} B", f"{self.downloaded:,} B"
        if self.wasted:
            facts["thrown away"] = f"{self.wasted:,} B"
        if self.banned:
            facts["banned"] = f"{len(self.banned)} {'peer' if len(self.banned) == 1 else 'peers'}"
        return Beliefs(known, facts)


@dataclass(slots=True, eq=False)
class FreeRider(Client):
    """Downloads and never uploads."""

    rides_free: bool = True


def needs(text: str, origin: PeerId, programs: Sequence[Peer | None]) -> list[Need]:
    """See `Client.needs`."""
    if not isinstance(programs[origin], Client):
        return []
    sites = {peer: one.matching(text) for peer, one in enumerate(programs) if isinstance(one, IndexSite)}
    made = [Need("index site with its .torrent file", tuple(peer for peer, found in sites.items() if found))]
    offered = [one for found in sites.values() for one in found]
    chosen = next((one for one in offered if one.name == text), offered[0] if offered else None)
    if chosen is None:
        return made
    number = chosen.info_hash
    knowing: list[PeerId] = []
    groups: dict[int, list[PeerId]] = {}
    for peer, one in enumerate(programs):
        if peer == origin:
            continue
        # A record of nobody but the asker leads it to no other peer.
        if isinstance(one, (Client, Tracker)) and any(member != origin for member in one.members(number)):
            knowing.append(peer)
        theirs = one.torrents.get(number) if isinstance(one, Client) and not one.rides_free else None
        if theirs is not None and theirs.ready:
            groups.setdefault(theirs.state.have, []).append(peer)
    made.append(Need("tracker or node of the hash table that knows who takes part", tuple(knowing)))
    every = 0
    for have in groups:
        every |= have
    holders = dict.fromkeys(
        tuple(sorted(peer for have, some in groups.items() if have >> at & 1 for peer in some)) for at in bits_of(every)
    )
    made += [Need("peer that has one of the pieces", some) for some in holders]
    if not every:
        made.append(Need("peer that has any piece", ()))
    return made


def verdict(facts: Facts, hash_table: bool) -> str | None:
    """The result of a download or a publication in a sentence, or None for the general sentence. hash_table: whether
    the clients keep a hash table."""
    if facts.goal == SEED.name and not facts.trouble and (down := _index_down(facts)):
        return f"Not published: nobody can find its .torrent file, since {down}."
    if facts.goal != DOWNLOAD.name or facts.decoys:
        return None
    if facts.fetched:
        return f"Downloaded: all {facts.of:,g} pieces came." if facts.of else "It had the file already."
    came = f"{facts.done:,g} of {facts.of:,g} pieces" if facts.of else ""
    if facts.trouble:
        return f"Not downloaded: {came + '; ' if came else ''}the asker {facts.trouble}."
    if not came:
        return _without_metainfo(facts, hash_table)
    up = facts.holders.up
    if facts.holders.total == 0:
        why = "no peer has the whole file"
    elif up == 0:
        gone = facts.holders.dead + facts.holders.left
        why = "the last seed left" if gone else "all seeds are censored"
    elif facts.holders.living == 0:
        why = "all seeds are behind the partition" if facts.holders.parted else "all seeds enforce a ban"
    elif not facts.hits:
        which = "the peer that has it was not" if up == 1 else f"none of the {up} peers that have it was"
        why = f"{which} found{_nobody_to_ask(facts, hash_table)}"
    else:
        why = facts.setback or "it was cut off"
    return f"Not downloaded: {came}; {why}."


def _without_metainfo(facts: Facts, hash_table: bool) -> str:
    if down := _index_down(facts):
        return f"Not downloaded: no .torrent file could be found, since {down}."
    return f"Not downloaded: {facts.setback or 'the index site was not reached'}{_nobody_to_ask(facts, hash_table)}."


def _index_down(facts: Facts) -> str:
    """What is wrong with the index site, as "index is dead"; "" if nothing is."""
    states = {label: state for label, state in facts.stations.items() if label.startswith("index")}
    return " and ".join(f"{label} is {state}" for label, state in states.items() if state != "alive")


def _nobody_to_ask(facts: Facts, hash_table: bool) -> str:
    """Why nobody tells who takes part, as a clause; "" while a tracker is up."""
    states = [state for label, state in facts.stations.items() if label.startswith("tracker")]
    if any(state == "alive" for state in states):
        return ""
    if not states:
        trackers = "there is no tracker"
    elif all(state in ("dead", "left", "censored") for state in states):
        trackers = "no tracker is up"
    elif all(state == "colluding" for state in states):
        trackers = "all trackers enforce a ban"
    else:
        trackers = "no tracker that can be reached names a peer"
    if not hash_table:
        return f", as {trackers}"
    # Trackers are counted as keepers too: at most all of them are among those that are gone.
    gone = facts.keepers.dead + facts.keepers.left - len(states)
    nodes = (
        f": of the nodes that kept its record at least {gone} {'is' if gone == 1 else 'are'} gone" if gone > 0 else ""
    )
    return f", as {trackers} and the hash table led to nobody{nodes}"
