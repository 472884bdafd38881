"""What the three protocols have in common: addresses, packets, and the ask that a change of the network opens."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from ...api import Cause, Goal, Host, PeerId, message
from ...kit import digest

Prefix: TypeAlias = int
"""The network part of an IPv4 address and its length in bits, `10.3.0.0/16`, as one number: network << 6 | length."""
NET_10 = 10 << 24
LAN = 24
LINKS_MOST = 500
"""The most links of one router, and the most prefixes that it announces."""
ROUTES_MOST = 1_900
"""The most destinations in the table of one router."""
HERE: PeerId = -1
"""The next hop to a network that is attached to the router itself."""


def destinations(titles: Sequence[str], users: int) -> Sequence[str]:
    """Addresses of some routers, and a name."""
    return (*(address_text(address_of(peer)) for peer in range(5, users, 11)), "name 17")


PACKET = Goal("packet", "send a packet to", "Send a packet, which is to be answered.", success_s=5.0, audience="one",
              did="sent a packet to", doing="on its way", one="host",
              what="a destination: an address, a peer as #17, or any name", examples=destinations)  # fmt: skip
UPDATE = Goal("update", "report", "A change of the network, and all that routers tell each other of it.",
              audience="nobody")  # fmt: skip


# --- addresses ---------------------------------------------------------------------------------------------------


def lan_of(peer: PeerId) -> Prefix:
    """The network of a peer: 10.0.17.0/24 is that of #17."""
    return NET_10 + (peer << 8) << 6 | LAN


def address_of(peer: PeerId) -> int:
    """The address of a peer in its network: 10.0.17.1 is that of #17."""
    return NET_10 + (peer << 8) + 1


def peer_of(address: int) -> PeerId:
    """The peer in whose network an address is; for addresses outside of 10.0.0.0/8 a number that is no peer."""
    return (address - NET_10) >> 8


def longest(prefixes: Container[Prefix], address: int) -> Prefix | None:
    """The longest of these prefixes that covers an address; None if none does."""
    for rest in range(33):
        prefix = address >> rest << rest << 6 | 32 - rest
        if prefix in prefixes:
            return prefix
    return None


def address_text(address: int) -> str:
    """`10.0.17.1`."""
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))


def prefix_text(prefix: Prefix) -> str:
    """`10.0.17.0/24`."""
    return f"{address_text(prefix >> 6)}/{prefix & 63}"


def address_from(text: str) -> int | None:
    """The address that a text names: `10.0.17.1`, or `#17` or `17` for that of a peer; None for any other text."""
    text = text.strip().removeprefix("#")
    if text.isascii() and text.isdecimal():
        return address_of(int(text)) if len(text) < 8 else None
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdecimal() and len(part) < 4 for part in parts):
        return None
    numbers = [int(part) for part in parts]
    return sum(one << shift for one, shift in zip(numbers, (24, 16, 8, 0), strict=True)) if max(numbers) < 256 else None


def prefix_of(text: str) -> Prefix:
    """`10.3.0.0/16` as a prefix; `#17` is the network of a peer. Raises ValueError for any other text."""
    if text.strip().startswith("#") and (found := address_from(text)) is not None:
        return lan_of(peer_of(found))
    address, slash, length = text.strip().partition("/")
    if not slash or not (length.isascii() and length.isdecimal()) or int(length) > 32 or "." not in address:
        raise ValueError(f'a prefix reads as "10.3.0.0/16", not "{text}"')
    network = address_from(address)
    if network is None:
        raise ValueError(f'a prefix has four numbers from 0 to 255, not "{address}"')
    if network & ((1 << (32 - int(length))) - 1):
        raise ValueError(f'"{text}" has bits of hosts: only the first {length} may be set')
    return network << 6 | int(length)


# --- packets -----------------------------------------------------------------------------------------------------

WENT_WRONG = ("", "{} has no route to it", "its time to live ended at {}", "{} has no host of that address")
"""Why a packet was given up at a router, by the number in an `Answer`; 0: it has arrived."""
ARRIVED, NO_ROUTE, TTL_ENDED, NO_HOST = range(4)
HEADERS, PING, PACKET_MOST = 28, 84, 65_535
"""Bytes of the headers of IP and ICMP, of a packet as `ping` sends it, and of the largest packet."""


def bytes_of(size: int) -> int:
    """The bytes of a packet whose field says `size`, between the least and the most that are possible."""
    return min(PACKET_MOST, max(HEADERS, size))


@message(over="datagram", part="question", about="name")
class Packet:
    """A packet of a user at `source` to the address `to`: 0 while `name` is still to be looked up, which the first
    router does. An ICMP echo request of `size` bytes."""

    source: PeerId
    to: int
    name: str
    ttl: int
    size: int = PING

    def wire_size(self) -> int:
        return bytes_of(self.size)


@message(over="datagram", part="answer", about="name")
class Answer:
    """The answer of `source` to a packet for `asked`: an ICMP echo reply, or what went wrong there, see `WENT_WRONG`.
    hops: links that the packet has passed; size: bytes of the packet, and of an echo reply to it."""

    source: PeerId
    to: int
    name: str
    ttl: int
    asked: int
    wrong: int
    hops: int
    size: int = PING

    def wire_size(self) -> int:
        return bytes_of(self.size) if self.wrong == ARRIVED else PING


@message(over="datagram")
class Attach:
    """The sender tells the peer at the other end of a link that it is a host."""

    def wire_size(self) -> int:
        return 28


class Attached(Protocol):
    """A router: its neighbours, and the hosts behind it."""

    links: dict[PeerId, None]
    hosts: dict[PeerId, None]


@dataclass(slots=True)
class TableChanged:
    """A protocol tells its router that a route has changed."""


def ask_of_change(host: Host, what: str, *key: object) -> Cause:
    """Begin the ask of a change, or join it: changes with the same key at several routers are one ask while it is
    open."""
    return host.begin(what, UPDATE, key=key)


def link_text(a: PeerId, b: PeerId) -> str:
    """`#3-#7`."""
    return f"#{min(a, b)}-#{max(a, b)}"


# --- capacities --------------------------------------------------------------------------------------------------


def rate_of(a: int, b: int, slowest_kbit_s: int, fastest_kbit_s: int) -> int:
    """The capacity of a link in kbit/s, drawn from the addresses of its ends, so that both ends find the same: the
    slowest one or 2, 4, 8, ... times as much, up to the fastest, all equally likely. Whole numbers are the same on all
    machines."""
    doublings = max(0, (fastest_kbit_s // slowest_kbit_s).bit_length() - 1)
    return slowest_kbit_s << digest(*sorted((a, b))) * (doublings + 1) // (1 << 64)
