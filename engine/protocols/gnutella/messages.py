"""The messages of servents: the descriptors of Gnutella 0.4, and the HTTP of its downloads.

GUID, TTL and Hops of the 23 bytes of the descriptor header are fields of each descriptor. A peer's address (IP and
port) is its PeerId.

The docstring of the package says how the bytes that are counted differ from those on the wire.

The fields of a message that arrives are what their annotations say, with any value. `headed` and `sound` tell whether
they are possible, and limit them to the values that their bytes on the wire can hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from ...api import Blob, File, PeerId, mentions, message, option, words_of

GUID_BYTES = 16
BYTE_MAX = 255
TTL_MAX = 15
"""A descriptor with a higher TTL is dropped (0.6, "Message header")."""
WORD_MAX = (1 << 32) - 1
TEXT_MAX = 4_000
"""Characters of a search: a descriptor should stay below 4 kB (section "Descriptor Header")."""
NAME_MAX = 255


@dataclass(slots=True)
class GnutellaOptions:
    """Defaults from the specification, or from the classic client where it has none."""

    ttl: int = option(
        7,
        "initial TTL, in hops: by the specification at most 10; sent as 15 at most, more is dropped",
        low=1,
        high=255,
        unit="hops",
    )
    hop_limit: int = option(7, "relays lower the TTL until TTL + Hops is at most this", low=1, high=255, unit="hops")
    connections: int = option(4, "neighbours that a newcomer looks for", low=1, high=100, unit="links")
    max_connections: int = option(8, "neighbours beyond which a Connect is turned away", low=1, high=1000)
    host_cache: int = option(200, "addresses remembered", low=1, high=10_000)
    ping_s: float = option(20.0, "seconds between keep-alive pings (TTL 1) to a neighbour", low=0.5, high=3600)
    silence: int = option(3, "pings without an answer after which a neighbour is given up", low=1, high=100)
    connect_timeout_s: float = option(5.0, "seconds to wait for an answer to Connect", low=0.1, high=600)
    guid_memory_s: float = option(600.0, "seconds after which a GUID is forgotten, at the least", low=1, high=86_400)
    guid_table: int = option(20_000, "GUIDs remembered at most, half of them for certain", low=16, high=10_000_000)
    download: bool = option(True, "fetch the first file found")
    download_timeout_s: float = option(
        30.0, "seconds of silence after which a download tries another holder", low=1, high=3600
    )
    uploads: int = option(4, "uploads at a time beyond which a new one is turned away", low=1, high=1000)
    chunk_kb: int = option(256, "size of one ranged request of a download, in kilobytes", low=1, high=65_536)
    firewalled: float = option(0.0, "share of servents that cannot be called and need a Push", low=0, high=1)


# --- checks of what arrives -------------------------------------------------------------------------------


def headed(descriptor: Any) -> bool:
    """Whether the header is well formed: a GUID of 16 bytes, a TTL from 1 to 15, and Hops from 0 to 255."""
    return len(descriptor.guid) == GUID_BYTES and 1 <= descriptor.ttl <= TTL_MAX and 0 <= descriptor.hops <= BYTE_MAX


def named(name: str) -> bool:
    """Whether a text can be the name of a file."""
    return 0 < len(name) <= NAME_MAX and name.isprintable()


def sound(file: File) -> bool:
    """Whether a file is a well-formed result of a QueryHit."""
    return named(file.name) and 1 <= file.size <= WORD_MAX


def files_of(results: tuple[File, ...]) -> tuple[File, ...]:
    """The well-formed ones of these files."""
    return tuple(file for file in results if sound(file))


def index_of(name: str) -> int:
    """The index, of 4 bytes, under which a servent lists its file of this name. A hash, so that it stays the same when
    other files come and go; to everybody else it is only a number."""
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).digest())


# --- descriptors ------------------------------------------------------------------------------------------


@message()
class Connect:
    """GNUTELLA CONNECT/0.4"""


@message()
class Ok:
    """GNUTELLA OK"""


@message()
class Full:
    """The connection is refused, since there are neighbours enough; `others` may have room. As in 0.6 (section
    "Connection handshake"), whose X-Try header names other servents: without it many newcomers that know the same few
    servents could not join."""

    others: tuple[PeerId, ...] = ()


@message()
class Ping:
    """Payload 0x00: asks for pongs."""

    guid: bytes
    ttl: int
    hops: int


@message()
class Pong:
    """Payload 0x01: the address of a servent, and how many files and kilobytes it shares."""

    guid: bytes
    ttl: int
    hops: int
    address: PeerId
    files: int
    kilobytes: int


@message(part="question", about="text")
class Query:
    """Payload 0x80: a search for files with these words in their names, where the line has at least `speed` kb/s."""

    guid: bytes
    ttl: int
    hops: int
    speed: int
    text: str


@message(part="answer")
class QueryHit:
    """Payload 0x81: files at `address`, speed in kb/s. `push`: it accepts no connections. `servent` is its id."""

    guid: bytes
    ttl: int
    hops: int
    address: PeerId
    speed: int
    push: bool
    results: tuple[File, ...]
    servent: bytes

    def about(self) -> Iterable[str]:
        return words_of(" ".join(file.name for file in files_of(self.results)))

    def without(self, word: str) -> object | None:
        rest = tuple(file for file in files_of(self.results) if not mentions(words_of(file.name), word))
        if not rest:
            return None
        return QueryHit(self.guid, self.ttl, self.hops, self.address, self.speed, self.push, rest, self.servent)


@message(part="transfer")
class Push:
    """Payload 0x40: the servent with this id should connect to `address` and offer the file of this index. It has no
    words: a servent that passes it on does not know which file is meant."""

    guid: bytes
    ttl: int
    hops: int
    servent: bytes
    index: int
    address: PeerId


# --- HTTP ---------------------------------------------------------------------------------------------------


@message(part="transfer", about="name")
class Giv:
    """GIV: opens the connection that a Push asked for; the file may be fetched over it."""

    name: str


@message(part="transfer", about="name")
class Get:
    """GET /get/<index>/<name>/ with a range starting at `offset` bytes."""

    name: str
    offset: int

    def without(self, word: str) -> object | None:
        return Get("", 0)


@message(part="transfer", about="name")
class Chunk:
    """206 Partial Content: a range, whose size the server chooses."""

    name: str
    offset: int
    data: Blob


@message(part="transfer")
class Gone:
    """404 Not Found, or 503 Busy. With an empty name it declines everything that was asked for."""

    name: str
