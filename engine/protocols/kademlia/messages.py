"""Messages of the hash table, with the sizes of KRPC: one bencoded dictionary a datagram (BEP 5).

A size is that of the datagram's content; UDP and IP add 28 bytes. It has a transaction number of 2 bytes and, where
tokens are used, a token of 8. `node` is the identifier of the sender with its address: on the wire only the identifier
is sent, since UDP tells the address.

FIND_VALUE and STORE are BEP 5's get_peers and announce_peer. STORE carries more here: several pairs, and the time to
live of each, since the paper lets any node store and republish what another has published.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from ...api import PeerId, message
from ...kit import is_id
from .table import Contact

PING_BYTES = 56
REPLY_BYTES = 47
FIND_NODE_BYTES = 92
GET_PEERS_BYTES = 95
ANNOUNCE_BYTES = 147
ERROR_BYTES = 45
"""d1:eli203e9:Bad Tokene1:t2:aa1:y1:ee; the text may be longer."""
NODE_BYTES = 26
VALUE_BYTES = 8
"""6 bytes of an address as a string of bencode."""


@lru_cache(maxsize=256)
def nodes_bytes(count: int) -> int:
    """Bytes that a reply has for so many nodes: the key, a length, and 26 bytes a node."""
    size = NODE_BYTES * count
    return 7 + len(str(size)) + 1 + size


@message(over="datagram", size=PING_BYTES)
class Ping:
    """Is this node alive?"""

    node: Contact


@message(over="datagram", size=REPLY_BYTES)
class Pong:
    """Answer to Ping."""

    node: Contact


@message(over="datagram", part="question", size=FIND_NODE_BYTES)
class FindNode:
    """Which nodes are nearest to `target`?"""

    node: Contact
    target: int


@message(over="datagram", part="answer")
class Nodes:
    """Answer to FindNode: the k nearest nodes that the sender knows."""

    node: Contact
    nodes: tuple[Contact, ...]

    def wire_size(self) -> int:
        return REPLY_BYTES + nodes_bytes(len(self.nodes))


@message(over="datagram", part="question", size=GET_PEERS_BYTES)
class FindValue:
    """Which values has `key`? Without one, which nodes are nearest to it?"""

    node: Contact
    key: int

    def about(self) -> Iterable[int]:
        """Its key, which is that of a name. A node that bans the name answers as if it kept no record of it."""
        return (self.key,) if is_id(self.key) else ()

    def without(self, word: str) -> object | None:
        return FindNode(self.node, self.key)


@message(over="datagram", part="answer")
class Values:
    """Answer to FindValue: the values that the sender keeps, the k nearest nodes that it knows, and a token with which
    the receiver may store something at the sender."""

    node: Contact
    token: bytes
    values: tuple[PeerId, ...]
    nodes: tuple[Contact, ...]

    def wire_size(self) -> int:
        size = REPLY_BYTES + nodes_bytes(len(self.nodes))
        if self.token:
            size += 9 + len(self.token)
        if self.values:
            size += 10 + VALUE_BYTES * len(self.values)
        return size


@message(over="datagram", part="notice")
class Store:
    """Keep these pairs: (value, time to live in s) under `key`. `copied`: a copy on the path of a lookup."""

    node: Contact
    key: int
    pairs: tuple[tuple[PeerId, int], ...]
    token: bytes
    copied: bool

    def about(self) -> Iterable[int]:
        """As for FindValue. A node that bans the name says that it has stored the pairs, and keeps none."""
        return (self.key,) if is_id(self.key) else ()

    def without(self, word: str) -> object | None:
        return Store(self.node, self.key, (), self.token, self.copied)

    def wire_size(self) -> int:
        return ANNOUNCE_BYTES + VALUE_BYTES * max(0, len(self.pairs) - 1)


@message(over="datagram", part="answer", size=REPLY_BYTES)
class Stored:
    """Answer to Store."""

    node: Contact


@message(over="datagram", part="answer", size=ERROR_BYTES)
class BadToken:
    """Answer to Store with a token that is not valid, or not any more: error 203."""

    node: Contact
