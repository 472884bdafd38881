"""The messages that Gnutella 0.6 adds to those of 0.4: the handshake with headers, Bye, query routing, leaf guidance.

Pings, pongs, queries, hits, pushes and downloads are those of Gnutella 0.4.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...api import PeerId, message, option
from ..gnutella.messages import BYTE_MAX, TEXT_MAX, WORD_MAX, QueryHit
from .dynamic_query import RESULTS_WANTED, RESULTS_WANTED_OF_LEAF, WAIT_A_HOP_US
from .qrp import BITS_MAX, INFINITY, PATCHES_MOST, TABLE_BITS, compressed

HEADER_BYTES = 23
VENDOR_BYTES = 8
"""Vendor, selector and version of a vendor message."""
ADDRESS_LETTERS = 21
"""The letters of "111.111.111.111:6346,": addresses in a header are texts."""
OTHERS_MOST = 10
"""Addresses in an X-Try-Ultrapeers header."""
DEGREE_MAX = 1_000
TTL_HIGHEST = 15
CODE_MAX = 65_535


@dataclass(slots=True)
class LimewireOptions:
    """Defaults from the specifications and from LimeWire."""

    leaf_links: int = option(3, "ultrapeers that a leaf connects to", low=1, high=30, unit="links")
    max_leaves: int = option(30, "leaves that an ultrapeer accepts", low=1, high=1000)
    ultrapeer_links: int = option(32, "links to other ultrapeers that an ultrapeer accepts", low=1, high=200)
    max_ttl: int = option(3, "TTL of a query beyond the first ultrapeer, at most", low=1, high=6, unit="hops")
    results: int = option(
        RESULTS_WANTED, "results that an ultrapeer looks for when its own user asks", low=1, high=10_000
    )
    results_of_leaf: int = option(
        RESULTS_WANTED_OF_LEAF, "results that it looks for when a leaf asks", low=1, high=10_000
    )
    wait_ms: float = option(
        WAIT_A_HOP_US / 1000,
        "milliseconds a hop to wait for results before a query is sent on the next link",
        low=10,
        high=60_000,
    )
    table_bits: int = option(
        TABLE_BITS, "a query routing table has 2 to the power of this entries", low=4, high=BITS_MAX, fixed=True
    )
    tables_s: float = option(60.0, "seconds after which a changed table is sent to ultrapeers", low=1, high=3600)
    uptime_min: float = option(
        120.0,
        "minutes that a peer has to be up to become an ultrapeer, if its average is too short",
        low=0,
        high=10_000,
    )
    average_min: float = option(
        60.0, "minutes of average uptime with which a peer can become an ultrapeer", low=0, high=10_000
    )
    demotion_s: float = option(
        600.0, "seconds with few leaves after which an ultrapeer becomes a leaf", low=1, high=86_400
    )
    converged: bool = option(
        True, "begin as a network that has been running for long; else everybody begins as a newcomer", fixed=True
    )
    out_of_band: bool = option(True, "results come from their holder directly, over UDP, where both can be called")
    queue_kb: int = option(
        32,
        "kilobytes for one neighbour that may wait for the line; flow control begins at a quarter",
        low=1,
        high=65_536,
    )
    host_cache: int = option(200, "addresses of ultrapeers remembered", low=1, high=10_000)
    ping_s: float = option(30.0, "seconds between keep-alive pings (TTL 1) to a neighbour", low=0.5, high=3600)
    silence: int = option(3, "pings without an answer after which a neighbour is given up", low=1, high=100)
    connect_timeout_s: float = option(5.0, "seconds to wait for an answer in the handshake", low=0.1, high=600)
    guid_memory_s: float = option(600.0, "seconds after which a GUID is forgotten, at the least", low=1, high=86_400)
    guid_table: int = option(20_000, "GUIDs remembered at most, half of them for certain", low=16, high=10_000_000)
    download: bool = option(True, "fetch the first file found")
    download_timeout_s: float = option(
        30.0, "seconds of silence after which a download tries another holder", low=1, high=3600
    )
    uploads: int = option(4, "uploads at a time beyond which a new one is turned away", low=1, high=1000)
    chunk_kb: int = option(256, "size of one ranged request of a download, in kilobytes", low=1, high=65_536)
    firewalled: float = option(0.0, "share of servents that cannot be called and need a Push", low=0, high=1)


# --- handshake ("Connection handshake", "Ultrapeers") -----------------------------------------------------------

CAPABLE = len(
    "User-Agent: LimeWire/4.0\r\nX-Query-Routing: 0.1\r\nX-Ultrapeer-Query-Routing: 0.1\r\n"
    "X-Dynamic-Querying: 0.1\r\nX-Degree: 32\r\nX-Max-TTL: 3\r\nVendor-Message: 0.1\r\n\r\n"
)
"""Bytes of the headers that are the same in each handshake."""


@message()
class Handshake:
    """GNUTELLA CONNECT/0.6. `ultrapeer` (X-Ultrapeer): the caller is an ultrapeer, or could be one. `degree`
    (X-Degree), `ttl_max` (X-Max-TTL)."""

    ultrapeer: bool
    degree: int
    ttl_max: int

    def wire_size(self) -> int:
        return CAPABLE + len("GNUTELLA CONNECT/0.6\r\nX-Ultrapeer: False\r\n") - self.ultrapeer


@message()
class Accept:
    """GNUTELLA/0.6 200 OK of an ultrapeer that was called. `needed` (X-Ultrapeer-Needed): another ultrapeer is needed.
    `others` (X-Try-Ultrapeers): addresses of ultrapeers."""

    needed: bool
    degree: int
    ttl_max: int
    others: tuple[PeerId, ...]

    def wire_size(self) -> int:
        fixed = "GNUTELLA/0.6 200 OK\r\nX-Ultrapeer: True\r\nX-Ultrapeer-Needed: False\r\nX-Try-Ultrapeers: \r\n"
        return CAPABLE + len(fixed) - self.needed + ADDRESS_LETTERS * len(self.others)


@message()
class Confirm:
    """GNUTELLA/0.6 200 OK of the caller, the third step: what it is on this connection."""

    ultrapeer: bool

    def wire_size(self) -> int:
        return len("GNUTELLA/0.6 200 OK\r\nX-Ultrapeer: False\r\n\r\n") - self.ultrapeer


@message()
class Refuse:
    """GNUTELLA/0.6 503: no room, or a shielded leaf. `others` (X-Try-Ultrapeers) may have room."""

    needed: bool
    others: tuple[PeerId, ...]

    def wire_size(self) -> int:
        fixed = "GNUTELLA/0.6 503 Full\r\nX-Ultrapeer-Needed: False\r\nX-Try-Ultrapeers: \r\n\r\n"
        return len(fixed) - self.needed + ADDRESS_LETTERS * len(self.others)


@message()
class Bye:
    """Payload 0x02: the last message on a connection, and why it is closed."""

    code: int
    text: str

    def wire_size(self) -> int:
        return HEADER_BYTES + 3 + len(self.text.encode("utf-8", "surrogatepass"))


# --- query routing (payload 0x30) -------------------------------------------------------------------------------


@message()
class Reset:
    """Variant 0: begin with an empty table of `entries` entries, each of which is `infinity`."""

    entries: int
    infinity: int = INFINITY

    def wire_size(self) -> int:
        return HEADER_BYTES + 6


@message()
class Patch:
    """Variant 1: part `number` of `of` of a patch.

    changed: the entries that it changes, 2 bytes each, ascending. On the wire it is a signed difference of 4 bits for
    each entry, compressed with zlib. Entries are either 1 or infinity, so which ones change tells the difference. The
    compressed length is taken from measured ones (`qrp.compressed`): versions of zlib differ.
    """

    number: int
    of: int
    bits: int
    changed: bytes

    def wire_size(self) -> int:
        of = max(1, min(self.of, PATCHES_MOST))
        return HEADER_BYTES + 5 + compressed(len(self.changed) // 2 * of, self.bits) // of


# --- leaf guidance (vendor messages, payload 0x31) -----------------------------------------------------------------


@message(part="notice", size=HEADER_BYTES + VENDOR_BYTES)
class StatusRequest:
    """BEAR/11 version 1: how many results has the leaf for the query of this GUID? On the wire the GUID is in the
    header."""

    guid: bytes


@message(part="notice", size=HEADER_BYTES + VENDOR_BYTES + 2)
class StatusResponse:
    """BEAR/12 version 1: how many results the leaf has."""

    guid: bytes
    results: int


# --- out-of-band replies (vendor messages over UDP) -----------------------------------------------------------------


@message(over="datagram", part="notice", size=HEADER_BYTES + VENDOR_BYTES + 1)
class ReplyNumber:
    """LIME/12 version 1: so many results for the query of this GUID are here, 255 for that many or more."""

    guid: bytes
    results: int


@message(over="datagram", part="notice", size=HEADER_BYTES + VENDOR_BYTES + 1)
class ReplyAck:
    """LIME/11 version 1: how many of these results are wanted."""

    guid: bytes
    results: int


@message(over="datagram", part="answer")
class DirectHit(QueryHit):
    """A query hit over UDP, from its holder to the asker."""


def address_in(guid: bytes) -> PeerId:
    """The address of the asker in the GUID of a query for out-of-band replies: the first four bytes are its IP address.
    On the wire two more bytes are its port, which is part of a PeerId here."""
    return int.from_bytes(guid[:4], "big")


def guid_of(address: PeerId, random: bytes) -> bytes:
    """A GUID with an address in it, and twelve random bytes."""
    return address.to_bytes(4, "big") + random


def possible_count(results: int) -> bool:
    """Whether it can be the number in a `ReplyNumber` or `ReplyAck`."""
    return 1 <= results <= BYTE_MAX


# --- checks of what arrives -------------------------------------------------------------------------------------


def addresses(others: tuple[PeerId, ...]) -> tuple[PeerId, ...]:
    """The valid addresses among those in a header, at most `OTHERS_MOST`."""
    return tuple(one for one in others[:OTHERS_MOST] if 0 <= one <= WORD_MAX)


def possible_limits(degree: int, ttl_max: int) -> bool:
    """Whether X-Degree and X-Max-TTL are possible."""
    return 1 <= degree <= DEGREE_MAX and 1 <= ttl_max <= TTL_HIGHEST


def well_formed_bye(bye: Bye) -> bool:
    """Whether a Bye is well formed."""
    return 0 <= bye.code <= CODE_MAX and len(bye.text) <= TEXT_MAX
