"""The messages of the skype network.

Skype's own are encrypted and were never published. These stand for the steps that Baset and Schulzrinne (2006) saw a
client take, one message for each step; a `Card` has what a super node must know of a user to tell others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...api import Blob, NatKind, PeerId, mentions, message, words_of

CARDS_MOST, NODES_MOST, TEXTS_MOST = 20, 32, 50
"""Entries of one message."""
NAME_MOST = 200
"""Characters of a name."""


@dataclass(frozen=True, slots=True)
class Card:
    """A user as a super node knows it: address, name, the text of its profile that matched, the kind of its NAT, its
    super node, and whether it is on line."""

    user: PeerId
    name: str
    text: str
    nat: int
    node: PeerId
    online: bool


def without_word(cards: tuple[Card, ...], word: str) -> tuple[Card, ...]:
    """The cards whose text does not mention a word."""
    return tuple(card for card in cards if not mentions(words_of(card.text), word))


# --- logging in --------------------------------------------------------------------------------------------------


@message()
class Login:
    """Name and password, for the login server."""

    name: str


@message()
class LoggedIn:
    """A certificate, good for this session."""


@message()
class LoginLater:
    """The login server lets nobody in now: come again after `after_s`."""

    after_s: float


@message()
class Attach:
    """A client wants to attach to this super node. able: whether it could be a super node itself; texts: what its user
    writes about itself; buddies: users that are to be told that it is on line, each with its last known super node."""

    name: str
    nat: int
    able: bool
    texts: tuple[str, ...]
    buddies: tuple[tuple[PeerId, PeerId], ...]

    def about(self) -> Iterable[str]:
        return (word for text in self.texts for word in words_of(text))

    def without(self, word: str) -> object:
        texts = tuple(text for text in self.texts if not mentions(words_of(text), word))
        return Attach(self.name, self.nat, self.able, texts, self.buddies)


@message()
class Profile:
    """From a client to its super node: the texts and buddies of its user as they are now, see `Attach`."""

    texts: tuple[str, ...]
    buddies: tuple[tuple[PeerId, PeerId], ...]

    def about(self) -> Iterable[str]:
        return (word for text in self.texts for word in words_of(text))

    def without(self, word: str) -> object:
        return Profile(tuple(text for text in self.texts if not mentions(words_of(text), word)), self.buddies)


@message()
class Attached:
    """The client is attached. nodes: other super nodes, for its host cache."""

    nodes: tuple[PeerId, ...]


@message()
class NoPlace:
    """The receiver of an `Attach` is full, or (`stopped`) is no super node. nodes: other super nodes."""

    nodes: tuple[PeerId, ...]
    stopped: bool


@message()
class KeepAlive:
    """From a client to its super node, at intervals: are you there?"""


@message()
class Alive:
    """`attached`: the client is known here."""

    attached: bool


@message()
class Promote:
    """A super node that is nearly full wants this client to become one."""


@message()
class Promoted:
    """`done`: whether the client is a super node now."""

    done: bool


@message()
class Exchange:
    """Between super nodes: some that the sender knows, and a request for some that the receiver knows."""

    nodes: tuple[PeerId, ...]


@message()
class Nodes:
    """Super nodes; or peers that may be asked to relay."""

    nodes: tuple[PeerId, ...]


@message()
class Presence:
    """Tells `to`, by way of its super node, whether `user` is on line, and that it is attached to `node`. `asks`:
    `user` wants to be told the same of `to`."""

    to: PeerId
    user: PeerId
    node: PeerId
    online: bool
    asks: bool


# --- searching ---------------------------------------------------------------------------------------------------


@message(part="question", about="text")
class Search:
    """From a client to its super node: which such users do you know, and which other super nodes may I ask? There are
    more of these in each round. `proxy`: ask them for me, since I cannot send datagrams."""

    text: str
    round: int
    proxy: bool


@message(part="answer")
class Results:
    """Users that were found, or super nodes to ask."""

    cards: tuple[Card, ...]
    nodes: tuple[PeerId, ...]

    def about(self) -> Iterable[str]:
        return (word for card in self.cards for word in words_of(card.text))

    def without(self, word: str) -> object:
        return Results(without_word(self.cards, word), self.nodes)


@message(over="datagram", part="question", about="text")
class Find:
    """For another super node: do you know such a user?"""

    text: str


@message(over="datagram", part="answer")
class Found:
    """The users that it knows, if any."""

    cards: tuple[Card, ...]

    def about(self) -> Iterable[str]:
        return (word for card in self.cards for word in words_of(card.text))

    def without(self, word: str) -> object:
        return Found(without_word(self.cards, word))


# --- calls -------------------------------------------------------------------------------------------------------


@message(part="notice")
class WantRelays:
    """From a caller to its super node: who can relay?"""


@message(part="notice")
class OpenRelay:
    """From a caller: relay this call. tcp: whether the sender needs TCP, since its datagrams are blocked."""

    call: int
    tcp: bool


@message(part="notice")
class JoinRelay:
    """From the called end to the relay that the caller named. tcp: as in `OpenRelay`."""

    call: int
    tcp: bool


@message(part="notice")
class RelayIs:
    """Whether the sender relays the call."""

    ready: bool


@message(part="question")
class Ring:
    """A call for `callee`: sent to it, or to its super node, which passes it on. nat: the kind of the caller's NAT;
    way: one of `WAYS`, chosen by the caller; relay: the relay to join, -1 for none. A Ring with the same `call` comes
    again when another relay takes over."""

    call: int
    callee: PeerId
    caller: PeerId
    nat: int
    way: str
    relay: PeerId


@message(part="answer")
class Answer:
    """The call is taken, or why not."""

    taken: bool
    why: str


@message(over="datagram", part="notice")
class Probe:
    """Sent by both ends at the same time, or by the end that is not open, until one arrives: it opens the NAT of its
    sender (RFC 5128, 3.3)."""

    call: int


@message(over="datagram", part="transfer")
class Voice:
    """What is said in two seconds. `last`: the call ends."""

    call: int
    number: int
    last: bool
    data: Blob


@message(part="transfer")
class VoiceTcp:
    """As `Voice`, for a peer whose datagrams are blocked."""

    call: int
    number: int
    last: bool
    data: Blob


def sound_nat(code: int) -> bool:
    """Whether `code` is the number of a kind of NAT."""
    return 0 <= code < len(NatKind)
