"""IPv4 addresses of peers: the network (/16) by place and operator, the rest drawn.

An address follows from the seed of the run, the peer, its place and its operator, and from nothing that happens: so
nothing is kept. Two peers may have the same address, as behind one router.
"""

from __future__ import annotations

from hashlib import blake2b

NETWORKS_A_PLACE = 64
"""Networks (/16) in which the users of one place are."""
NETWORKS_AN_OPERATOR = 4
"""Networks that one operator has in one place."""


def address_of(seed: int, peer: int, place: int | None, operator: str) -> int:
    """The address of a peer as a number of 32 bits. place: None for a number that is no peer, which has an address
    anywhere."""
    drawn = _drawn(seed, "peer", peer)
    if place is None:
        return _public(drawn)
    many = NETWORKS_AN_OPERATOR if operator else NETWORKS_A_PLACE
    network = _drawn(seed, "network", place, operator, (drawn >> 16) % many)
    return _public(network) & 0xFFFF0000 | drawn & 0xFFFF


def _public(drawn: int) -> int:
    """An address whose first byte is 1 to 223 without 10 and 127."""
    first = 1 + (drawn >> 24) % 221
    first += first >= 10
    first += first >= 127
    return first << 24 | drawn & 0xFFFFFF


def _drawn(*parts: object) -> int:
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=4).digest(), "little")
