"""The messages of BitTorrent with their sizes on the wire (BEP 3, 6, 9, 10, 11, 12, 15, 23).

Each torrent has connections of its own on the real wire, so that only the handshake names it. Here two peers have one
stream for all torrents; so each message names its torrent by `info_hash`, which is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

from ...api import Blob, PeerId, mentions, message, words_of
from ...kit import key_of
from .pieces import Layout

PIECES_MOST = 1 << 20
PIECE_BYTES_MOST = 1 << 26
"""A torrent with more or larger pieces is refused."""
LENGTH_BYTES = 4
"""Each message between peers begins with its length, u32."""
PEER_BYTES = 6
"""An address in the compact form of BEP 23: IPv4 and port."""
HTTP_ANNOUNCE_BYTES = 1_206
"""Request and answer of an HTTP announce with their TCP packets, without the addresses (BEP 15, "Overhead")."""
METADATA_PART_BYTES = 1 << 14
EXTENSION_BYTES = 90
"""An extension handshake of BEP 10: names of two extensions, port, client, metadata size."""

Event = Literal["started", "completed", "stopped", ""]


def info_hash_of(name: str) -> int | None:
    """The info-hash of a title, 160 bits; None for a title without words. On the real wire it is the SHA-1 of the
    metadata, so it depends on the name and on the hashes of the pieces; here it depends on the words of the name only,
    since one title is one file."""
    return key_of(name)


class Metainfo(NamedTuple):
    """A .torrent file: what a downloader needs to know. Without a length it is a magnet link.

    info_hash     SHA-1 of the bencoded `info`: names the torrent
    digest        the digest of the file's bytes, in place of the hashes of all pieces, see `api.part_of`. On the real
                  wire the info-hash depends on it: the same title with other bytes is another torrent
    tiers         trackers (BEP 12): tiers of addresses
    """

    info_hash: int
    name: str
    length: int
    piece_length: int
    digest: int
    tiers: tuple[tuple[PeerId, ...], ...]

    @property
    def layout(self) -> Layout:
        """How it is cut into pieces."""
        return Layout(self.length, self.piece_length)

    @property
    def bytes(self) -> int:
        """Size in bytes. Of a .torrent file: 20 bytes of SHA-1 for each piece, and 200 for the rest. Of a magnet link:
        its info-hash in 40 digits, the name, and an address of 30 bytes for each tracker."""
        if not self.whole:
            return 60 + len(self.name.encode(errors="replace")) + 30 * len(self.tiers)
        return 20 * self.layout.pieces + 200

    @property
    def whole(self) -> bool:
        """Whether it says how its file is cut into pieces, and not too many."""
        return 0 < self.length <= PIECES_MOST * min(self.piece_length, PIECE_BYTES_MOST)

    @property
    def sound(self) -> bool:
        """Whether it is a .torrent file or a magnet link that a client can use."""
        return bool(words_of(self.name)) and (self.whole or self.length == 0)

    def magnet(self) -> Metainfo:
        """Its magnet link: info-hash, name and trackers."""
        return self._replace(length=0)


# --- the index site -----------------------------------------------------------------------------------------


@message(part="question")
class SearchTorrents:
    """A user types words into the search field of an index site."""

    text: str

    def about(self) -> Iterable[str]:
        """The words that it looks for."""
        return words_of(self.text)

    def without(self, word: str) -> SearchTorrents:
        """It finds nothing."""
        return SearchTorrents("")

    def wire_size(self) -> int:
        return 400 + len(self.text.encode(errors="replace"))


@message(part="answer")
class TorrentsFound:
    """The .torrent files of what was found, none if there is nothing."""

    text: str
    found: tuple[Metainfo, ...]

    def about(self) -> Iterable[str | int]:
        """The titles and their info-hashes."""
        for one in self.found:
            yield from words_of(one.name)
            yield one.info_hash

    def without(self, word: str) -> TorrentsFound:
        """The others."""
        left = tuple(one for one in self.found if not mentions((*words_of(one.name), one.info_hash), word))
        return TorrentsFound(self.text, left)

    def wire_size(self) -> int:
        return 300 + sum(one.bytes for one in self.found)


@message()
class Upload:
    """A user puts a .torrent file on the index site."""

    metainfo: Metainfo

    def about(self) -> Iterable[str | int]:
        """The words of the title, and its info-hash."""
        return (*words_of(self.metainfo.name), self.metainfo.info_hash)

    def wire_size(self) -> int:
        return 400 + self.metainfo.bytes


# --- trackers --------------------------------------------------------------------------------------------------


@message(part="question")
class Announce:
    """To a tracker: I take part in this torrent (BEP 3). The counters are bytes."""

    info_hash: int
    uploaded: int
    downloaded: int
    left: int
    event: Event
    numwant: int

    def about(self) -> Iterable[int]:
        """The info-hash."""
        return (self.info_hash,)

    def without(self, word: str) -> Announce:
        """The tracker does not serve this torrent: a peer that announces it is not registered, and gets no peers."""
        return Announce(self.info_hash, self.uploaded, self.downloaded, self.left, "stopped", 0)

    def wire_size(self) -> int:
        return HTTP_ANNOUNCE_BYTES // 2


@message()
class Stopped:
    """An announce with the event "stopped": the sender takes part no more. No answer is waited for."""

    info_hash: int
    uploaded: int
    downloaded: int
    left: int

    def wire_size(self) -> int:
        return HTTP_ANNOUNCE_BYTES // 2


@message(part="answer")
class Announced:
    """The tracker's answer: peers of the torrent, drawn at random. `failure`: a reason, and nothing else counts."""

    info_hash: int
    interval_s: int
    complete: int
    incomplete: int
    peers: tuple[PeerId, ...]
    failure: str = ""

    def about(self) -> Iterable[int]:
        """The info-hash."""
        return (self.info_hash,)

    def without(self, word: str) -> Announced:
        """It names nobody."""
        return Announced(self.info_hash, self.interval_s, 0, 0, ())

    def wire_size(self) -> int:
        return HTTP_ANNOUNCE_BYTES // 2 + PEER_BYTES * len(self.peers)


@message(over="datagram", part="question")
class UdpConnect:
    """BEP 15: asks for a connection id, so that the sender's address is proved."""

    def wire_size(self) -> int:
        return 16


@message(over="datagram", part="answer")
class UdpConnected:
    """BEP 15: the connection id, good for two minutes."""

    connection_id: int

    def wire_size(self) -> int:
        return 16


@message(over="datagram", part="question")
class UdpAnnounce:
    """BEP 15: as Announce."""

    connection_id: int
    info_hash: int
    uploaded: int
    downloaded: int
    left: int
    event: Event
    numwant: int

    def about(self) -> Iterable[int]:
        """The info-hash."""
        return (self.info_hash,)

    def without(self, word: str) -> UdpAnnounce:
        """As an Announce."""
        counters = self.uploaded, self.downloaded, self.left
        return UdpAnnounce(self.connection_id, self.info_hash, *counters, "stopped", 0)

    def wire_size(self) -> int:
        return 98


@message(over="datagram", part="answer")
class UdpAnnounced:
    """BEP 15: as Announced."""

    info_hash: int
    interval_s: int
    complete: int
    incomplete: int
    peers: tuple[PeerId, ...]

    def about(self) -> Iterable[int]:
        """The info-hash."""
        return (self.info_hash,)

    def without(self, word: str) -> UdpAnnounced:
        """It names nobody."""
        return UdpAnnounced(self.info_hash, self.interval_s, 0, 0, ())

    def wire_size(self) -> int:
        return 20 + PEER_BYTES * len(self.peers)


# --- between peers ---------------------------------------------------------------------------------------------


@message()
class Handshake:
    """Opens a connection for one torrent; the other end answers with its own. 68 bytes, and the extension handshake
    (BEP 10) with the size of the metadata, 0 for a sender that has none (BEP 9). The digest belongs to the info-hash,
    see `Metainfo`. `answer`: it is the other end's; on the real wire the connection tells which end opened it."""

    info_hash: int
    digest: int
    metadata_bytes: int
    answer: bool = False

    def about(self) -> Iterable[int]:
        """The info-hash."""
        return (self.info_hash,)

    def wire_size(self) -> int:
        return 68 + EXTENSION_BYTES


@message()
class Close:
    """The connection of one torrent ends, while other torrents still use the stream. In place of a FIN."""

    info_hash: int

    def wire_size(self) -> int:
        return 1


@message(part="notice")
class Bitfield:
    """Which pieces the sender has; the first message after the handshake, left out by a peer that has nothing."""

    info_hash: int
    pieces: int
    count: int

    def wire_size(self) -> int:
        return LENGTH_BYTES + 1 + -(-min(max(self.count, 0), PIECES_MOST) // 8)


@message(part="notice")
class Have:
    """The sender has completed a piece, and checked its hash."""

    info_hash: int
    piece: int

    def wire_size(self) -> int:
        return LENGTH_BYTES + 5


@message(part="notice")
class Haves:
    """Several Have messages that are sent together: the same bytes as one by one."""

    info_hash: int
    pieces: int

    def wire_size(self) -> int:
        return (LENGTH_BYTES + 5) * max(1, self.pieces.bit_count())


class _State:
    def wire_size(self) -> int:
        return LENGTH_BYTES + 1


@message()
class Choke(_State):
    """The sender uploads nothing to you until it unchokes you."""

    info_hash: int


@message()
class Unchoke(_State):
    """You may ask for blocks."""

    info_hash: int


@message()
class Interested(_State):
    """You have pieces that the sender lacks."""

    info_hash: int


@message()
class NotInterested(_State):
    """You have no piece that the sender lacks."""

    info_hash: int


@lru_cache(4_096)
def state_message(
    kind: type[Choke | Unchoke | Interested | NotInterested], info_hash: int
) -> Choke | Unchoke | Interested | NotInterested:
    """The message of this class for a torrent: one object for all senders, so that its size is computed once."""
    return kind(info_hash)


@message(part="question")
class Request:
    """Send this block."""

    info_hash: int
    piece: int
    begin: int
    length: int

    def about(self) -> Iterable[int]:
        """The info-hash."""
        return (self.info_hash,)

    def wire_size(self) -> int:
        return LENGTH_BYTES + 13


@message(part="question")
class Requests:
    """Several Request messages that are sent together, as (piece, block): the same bytes as one by one."""

    info_hash: int
    blocks: tuple[tuple[int, int], ...]

    def about(self) -> Iterable[int]:
        """The info-hash."""
        return (self.info_hash,)

    def wire_size(self) -> int:
        return (LENGTH_BYTES + 13) * max(1, len(self.blocks))


@message(part="transfer")
class Piece:
    """A block: the specification calls the message that carries it `piece`."""

    info_hash: int
    piece: int
    begin: int
    block: Blob

    def wire_size(self) -> int:
        return LENGTH_BYTES + 9 + min(max(self.block.size, 0), PIECE_BYTES_MOST)


@message(part="transfer")
class Cancel:
    """The block came from somebody else (end game)."""

    info_hash: int
    piece: int
    begin: int
    length: int

    def wire_size(self) -> int:
        return LENGTH_BYTES + 13


@message()
class PeerExchange:
    """BEP 11: peers that the sender was connected to, or no more, since its last such message. At most 50 each, once a
    minute."""

    info_hash: int
    added: tuple[PeerId, ...]
    dropped: tuple[PeerId, ...]

    def about(self) -> Iterable[int]:
        """The info-hash."""
        return (self.info_hash,)

    def wire_size(self) -> int:
        return LENGTH_BYTES + 30 + (PEER_BYTES + 1) * len(self.added) + PEER_BYTES * len(self.dropped)


@message(part="transfer")
class MetadataRequest:
    """BEP 9: asks for a part of 16 KiB of the `info` of a torrent of which only the info-hash is known."""

    info_hash: int
    part_number: int

    def about(self) -> Iterable[int]:
        """The info-hash."""
        return (self.info_hash,)

    def wire_size(self) -> int:
        return LENGTH_BYTES + 2 + 25


@message(part="transfer")
class MetadataPart:
    """BEP 9: a part of the `info`; `metainfo` is None where the sender does not have it (reject)."""

    info_hash: int
    part_number: int
    metainfo: Metainfo | None

    def about(self) -> Iterable[str | int]:
        """The info-hash, and the words of the title."""
        return (self.info_hash, *(words_of(self.metainfo.name) if self.metainfo is not None else ()))

    def wire_size(self) -> int:
        if self.metainfo is None:
            return LENGTH_BYTES + 2 + 25
        rest = self.metainfo.bytes - max(0, self.part_number) * METADATA_PART_BYTES
        return LENGTH_BYTES + 2 + 45 + max(0, min(METADATA_PART_BYTES, rest))
