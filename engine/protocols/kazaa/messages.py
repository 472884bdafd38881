"""The messages of FastTrack, and those of its downloads over HTTP.

Sizes are those on the wire where giFT's description tells them; Unshare, Push, Giv, Get and NotHere are counted in
MessagePack. A packet has 5 bytes before its data: 0x4B, and type and length in scrambled order. Types in the docstrings
are those of giFT's description. A peer's address (IP and port) is its PeerId; the hash of a file is its `File.weak`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ...api import Blob, PeerId, mentions, message, option, words_of
from .uuhash import HASH_BYTES

PACKET_BYTES = 5
NAME_BYTES = 8
"""Bytes of a user name."""
WORD_MAX = (1 << 32) - 1
HASH_MAX = (1 << 64) - 1
TEXT_MAX = 1_000
NAME_MAX = 255
LEVEL_START, LEVEL_MOST = 10, 1_000
"""Participation levels: of a newcomer, and the highest one, which Kazaa Lite always claims."""
TAGS_BYTES = 24
"""Bytes of the tags of a file: artist, title, length, bit rate and so on. A guess: half of what the tags of songs
take."""
SHARED_MOST = 1_000
"""Files of one node that its super node lists."""
QUEUE = 20
"""Requests that wait for the line of a holder."""
SILENCE = 3
"""Pings without an answer after which a neighbour is given up."""
LIST_MOST = 200
"""Entries of a list of super nodes."""


@dataclass(slots=True)
class KazaaOptions:
    """Defaults from measurements of the network (Liang, Kumar and Ross) where there are any."""

    children: int = option(100, "ordinary nodes that a super node takes", low=1, high=1_000, unit="nodes")
    super_links: int = option(40, "links that a super node has to others", low=1, high=200, unit="links")
    scope: int = option(2, "how far a search goes among super nodes", low=1, high=5, unit="hops")
    probes: int = option(5, "super nodes that a node without one calls at once", low=1, high=20)
    results: int = option(50, "results that a super node gives for one search", low=1, high=1_000)
    uptime_min: float = option(
        60.0, "minutes that a peer has to be up, now or on average, to be a super node", low=0, high=10_000
    )
    demotion_s: float = option(
        600.0, "seconds with few nodes after which a super node becomes an ordinary node", low=1, high=86_400
    )
    volunteer_s: float = option(
        10.0, "seconds that a node which found no super node waits before it becomes one, at most", low=0.1, high=600
    )
    lists_s: float = option(300.0, "seconds between two lists of super nodes to each neighbour", low=5, high=86_400)
    ping_s: float = option(60.0, "seconds between two pings of a neighbour", low=1, high=3_600)
    connect_s: float = option(5.0, "seconds to wait for the answer of a super node", low=0.1, high=600)
    metadata_s: float = option(60.0, "seconds after which a changed list of files is uploaded", low=1, high=3_600)
    download: bool = option(True, "fetch what was found")
    choose_s: float = option(2.0, "seconds from the first result until the user chooses one", low=0, high=600)
    parallel: int = option(8, "holders from which a file is fetched at a time", low=1, high=100)
    chunk_kb: int = option(256, "size of one range of a download, in kilobytes", low=32, high=65_536)
    range_s: float = option(120.0, "seconds to wait for a range before another holder is asked", low=1, high=3_600)
    versions: int = option(3, "versions of a file that a user tries when he gets decoys", low=1, high=50)
    look_s: float = option(20.0, "seconds until a user opens what he fetched, and sees a decoy", low=0, high=86_400)
    careless: float = option(0.2, "share of the users who never look, and so share decoys", low=0, high=1)
    fakers: float = option(0.3, "share of the users who claim the highest participation level", low=0, high=1)
    firewalled: float = option(0.0, "share of the peers that accept no connections", low=0, high=1)
    converged: bool = option(
        True, "begin as a network that has been running for long; else everybody begins as a newcomer", fixed=True
    )


class Listed(NamedTuple):
    """A super node in a list: its address, the minutes since it was last seen, and its load in %."""

    address: PeerId
    minutes: int
    load: int


class Meta(NamedTuple):
    """A file as its holder describes it: name, size in bytes, hash."""

    name: str
    size: int
    hash: int


class Result(NamedTuple):
    """A file at a holder: its address, the speed of its line in kbit/s, whether it accepts no connections."""

    name: str
    size: int
    hash: int
    holder: PeerId
    kbit_s: int
    firewalled: bool


def named(name: str) -> bool:
    """Whether a text can be the name of a file."""
    return 0 < len(name) <= NAME_MAX and name.isprintable()


def sound(file: Meta | Result) -> bool:
    """Whether a file is well described."""
    return named(file.name) and 1 <= file.size <= WORD_MAX and 0 <= file.hash <= HASH_MAX


def bytes_of(files: Iterable[Meta | Result]) -> int:
    """Bytes of the names, sizes, hashes and tags of files on the wire."""
    return sum(len(file.name.encode("utf-8", "surrogatepass")) + 1 + 4 + HASH_BYTES + TAGS_BYTES for file in files)


# --- the handshake, and lists of super nodes --------------------------------------------------------------------


@message(size=12)
class Hello:
    """The first 12 bytes on a connection. `super_node`: the caller is a super node and wants a link; else it wants a
    place."""

    super_node: bool


@message(size=8)
class Welcome:
    """The answer: there is room. The place is taken by a `User`."""

    load: int


@message()
class NoPlace:
    """The answer: no. `full`: the sender is a super node without room; else it is no super node. A list of super nodes
    follows."""

    full: bool
    nodes: tuple[Listed, ...]

    def wire_size(self) -> int:
        return 8 + PACKET_BYTES + 8 * len(self.nodes)


@message()
class SuperNodes:
    """0x00: super nodes, 8 bytes each."""

    nodes: tuple[Listed, ...]

    def wire_size(self) -> int:
        return PACKET_BYTES + 8 * len(self.nodes)


@message(size=PACKET_BYTES + 8 + NAME_BYTES)
class User:
    """0x02: who the caller is. The speed is one byte, about 14 log2(kbit/s) + 59."""

    super_node: bool
    kbit_s: int
    firewalled: bool


@message(size=PACKET_BYTES)
class Promote:
    """A super node with few places left asks its best node to become one. The real message is not known."""


@message(size=1)
class Ping:
    """0x50"""


@message(size=1)
class Pong:
    """0x52"""


# --- metadata and search ------------------------------------------------------------------------------------------


@message(part="notice")
class Share:
    """Files that a node shares, for the index of its super node."""

    files: tuple[Meta, ...]

    def about(self) -> Iterable[str]:
        return words_of(" ".join(file.name for file in self.files))

    def without(self, word: str) -> object | None:
        return Share(tuple(file for file in self.files if not mentions(words_of(file.name), word)))

    def wire_size(self) -> int:
        return PACKET_BYTES + bytes_of(self.files)


@message(part="notice")
class Unshare:
    """Names of files that a node shares no more."""

    names: tuple[str, ...]


@message(part="question", about="text")
class Query:
    """0x06: a search for files with all words of `text`, or with this hash if it is not 0. `number` identifies the
    search; `ttl`: how often it may still be passed on."""

    number: int
    ttl: int
    text: str
    hash: int = 0

    def wire_size(self) -> int:
        return PACKET_BYTES + 12 + (HASH_BYTES if self.hash else len(self.text.encode("utf-8", "surrogatepass")))


@message(part="answer")
class Reply:
    """0x07: results in the index of `super_node`. It goes back the way that the query came."""

    number: int
    super_node: PeerId
    results: tuple[Result, ...]

    def about(self) -> Iterable[str]:
        return words_of(" ".join(file.name for file in self.results))

    def without(self, word: str) -> object | None:
        rest = tuple(file for file in self.results if not mentions(words_of(file.name), word))
        return Reply(self.number, self.super_node, rest) if rest else None

    def wire_size(self) -> int:
        return PACKET_BYTES + 10 + bytes_of(self.results) + (7 + NAME_BYTES) * len(self.results)


# --- downloads ------------------------------------------------------------------------------------------------


@message(part="transfer")
class Push:
    """To the super node of a holder that cannot be called, which passes it on: the holder should call `to`, which wants
    this file."""

    holder: PeerId
    to: PeerId
    hash: int


@message(part="transfer")
class Giv:
    """The holder has called: the file may be fetched over this connection."""

    hash: int


@message(part="transfer", about="name")
class Get:
    """GET /.hash=.., a range, with the participation level of the user (X-Kazaa-Username and so on)."""

    name: str
    hash: int
    offset: int
    size: int
    level: int

    def without(self, word: str) -> object | None:
        return Get("", 0, 0, 0, 0)


@message(part="transfer")
class Chunk:
    """206: a range, which may be shorter than was asked for. `samples`, in place of those of its bytes that the hash
    covers: the hash of the file that they are from, or 0 if the hash covers none of them. It is not counted in the
    size."""

    hash: int
    offset: int
    data: Blob
    samples: int

    def wire_size(self) -> int:
        return 150 + max(0, min(self.data.size, 1 << 30))


@message(part="transfer")
class NotHere:
    """404, or 503: the file is not here, or too many wait."""

    busy: bool
