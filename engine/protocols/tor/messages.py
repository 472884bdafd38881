"""What is sent over a link: cells of 514 bytes, the handshake of a link, directory documents, and what an exit sends to
a website (tor-spec 3, 4, 5 and 6; dir-spec).

Encryption is modelled. A relay cell has a tuple of keys, one for each layer, the outermost first: the peer that has the
first key takes it off, and only the peer that takes off the last one may read the body. All relay cells look alike to a
relay that passes them on; they are classes of their own here, so that a picture shows what an ask does and what is
upkeep.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...api import Blob, PeerId, message
from .consensus import Relay

CELL = 514
"""Bytes of a cell: circuit 4, command 1, payload 509."""
DATA_BYTES = 498
"""Data in a relay cell: 509 less a header of 11."""
LINK_STEPS = 3
LINK_BYTES = ((60, 60), (600, 3_000), (11, 2_800))
"""Bytes of each step of the handshake of a link, and of its answer: TCP; TLS; VERSIONS, answered by VERSIONS, CERTS,
AUTH_CHALLENGE and NETINFO."""

# Reasons of a DESTROY (tor-spec 5.4) and of an END (6.3), as far as they occur here.
PROTOCOL, RESOURCES, CONNECT_FAILED, CHANNEL_CLOSED, FINISHED, TIMEOUT = 1, 5, 6, 8, 9, 10
REASONS = {
    PROTOCOL: "against the protocol",
    RESOURCES: "out of resources",
    CONNECT_FAILED: "could not connect",
    CHANNEL_CLOSED: "link closed",
    FINISHED: "finished",
    TIMEOUT: "took too long",
}
END_DONE, END_REFUSED, END_TIMEOUT, END_NO_EXIT, END_RESOURCES, END_PROTOCOL = 6, 3, 7, 4, 11, 13

# --- links and circuits ----------------------------------------------------------------------------------------


@message()
class LinkStep:
    """A step of the handshake of a link. relay: whether the sender authenticates itself as a relay; walled: whether the
    sender is behind a firewall that lets nothing through to the addresses on its list."""

    step: int
    relay: bool
    walled: bool

    def wire_size(self) -> int:
        return LINK_BYTES[min(max(self.step, 0), LINK_STEPS - 1)][0]


@message()
class LinkStepped:
    """The answer to a step."""

    step: int

    def wire_size(self) -> int:
        return LINK_BYTES[min(max(self.step, 0), LINK_STEPS - 1)][1]


@dataclass(frozen=True, slots=True)
class Onionskin:
    """The client's half of an ntor handshake with one relay, from which both derive the key: that relay alone reads
    it."""

    relay: PeerId
    key: int


@message(size=CELL)
class Create2:
    """Open a circuit. `circuit` is its number on this link."""

    circuit: int
    skin: Onionskin


@message(size=CELL)
class Created2:
    """The circuit is open as far as this relay."""

    circuit: int


@message(size=CELL)
class Destroy:
    """A circuit has ended."""

    circuit: int
    reason: int


@message(size=CELL)
class Padding:
    """A cell without content (padding-spec 2)."""


# --- bodies of relay cells ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Body:
    """The content of a relay cell, inside all layers."""


@dataclass(frozen=True, slots=True)
class Extend2(Body):
    """Make the circuit one hop longer."""

    relay: PeerId
    skin: Onionskin


@dataclass(frozen=True, slots=True)
class Extended2(Body):
    """The circuit is one hop longer."""


@dataclass(frozen=True, slots=True)
class BeginStream(Body):
    """Open a stream to an address."""

    stream: int
    address: PeerId


@dataclass(frozen=True, slots=True)
class Connected(Body):
    """The stream is open."""

    stream: int


@dataclass(frozen=True, slots=True)
class Wanted(Body):
    """DATA from the client: the request for a page."""

    stream: int
    text: str


@dataclass(frozen=True, slots=True)
class Data(Body):
    """DATA to the client: `size` bytes of a page of `total`."""

    stream: int
    size: int
    total: int


@dataclass(frozen=True, slots=True)
class End(Body):
    """The stream is closed."""

    stream: int
    reason: int


@dataclass(frozen=True, slots=True)
class Sendme(Body):
    """The receiver has taken 50 cells of a stream, or 100 of the circuit (stream 0)."""

    stream: int


# --- relay cells -------------------------------------------------------------------------------------------------


@message(size=CELL)
class RelayEarly:
    """RELAY_EARLY: an EXTEND2 travels in nothing else, and at most eight of these in one circuit."""

    circuit: int
    layers: tuple[int, ...]
    body: Body


@message(size=CELL)
class RelayControl:
    """RELAY: EXTENDED2, SENDME."""

    circuit: int
    layers: tuple[int, ...]
    body: Body


@message(size=CELL, part="question")
class RelayRequest:
    """RELAY: BEGIN, and DATA from the client."""

    circuit: int
    layers: tuple[int, ...]
    body: Body


@message(size=CELL, part="answer")
class RelayAnswer:
    """RELAY: CONNECTED, and END without a page."""

    circuit: int
    layers: tuple[int, ...]
    body: Body


@message(size=CELL, part="transfer")
class RelayData:
    """RELAY: DATA to the client, and the END after the last."""

    circuit: int
    layers: tuple[int, ...]
    body: Body


RelayCell = RelayEarly | RelayControl | RelayRequest | RelayAnswer | RelayData

# --- between an exit and a website ---------------------------------------------------------------------------------


@message(size=60, part="question")
class Dial:
    """TCP SYN."""


@message(size=60, part="answer")
class Dialled:
    """TCP SYN, ACK."""


@message(part="question", about="text")
class Get:
    """A request without encryption: here the text can be read, and nowhere before."""

    text: str


@message(part="transfer", about="text")
class WebPage:
    """The page."""

    text: str
    data: Blob


# --- the directory -----------------------------------------------------------------------------------------------


@message()
class Descriptor:
    """A relay describes itself to an authority, or a bridge to the distributor. bandwidth in kB/s, uptime in s."""

    bandwidth: int
    exit: bool
    network: int
    family: int
    uptime_s: int

    def wire_size(self) -> int:
        return 2_500


@message()
class ReachTest:
    """An authority tests whether a relay can be reached."""


@message()
class Reached:
    """The answer of a relay that can be reached."""


@message()
class Vote:
    """The relays that an authority lists, with their flags, for the consensus of one period."""

    period: int
    relays: tuple[Relay, ...]

    def wire_size(self) -> int:
        return 3_000 + 300 * len(self.relays)


@message()
class WantVotes:
    """Half of the time to vote is over: send the votes that you have of others than these."""

    period: int
    have: tuple[PeerId, ...]


@message()
class Votes:
    """Votes of others: (authority, its relays)."""

    period: int
    votes: tuple[tuple[PeerId, tuple[Relay, ...]], ...]

    def wire_size(self) -> int:
        return 100 + sum(3_000 + 300 * len(relays) for _, relays in self.votes)


@message(size=600)
class Signature:
    """An authority signs the consensus of a period that has this digest."""

    period: int
    digest: int


@message()
class FetchConsensus:
    """Send the consensus. walled: see `LinkStep`."""

    walled: bool

    def wire_size(self) -> int:
        return 300


@message()
class Consensus:
    """The list of relays that more than half of the authorities signed (dir-spec 1.4): fresh for one interval, valid
    for three, and used for 24 more."""

    valid_after_us: int
    interval_us: int
    relays: tuple[Relay, ...]
    signed: tuple[PeerId, ...]

    def wire_size(self) -> int:
        return 2_000 + 300 * len(self.relays)

    def __hash__(self) -> int:
        return self.valid_after_us ^ len(self.relays)

    @property
    def fresh_until_us(self) -> int:
        return self.valid_after_us + self.interval_us

    @property
    def valid_until_us(self) -> int:
        return self.valid_after_us + 3 * self.interval_us

    @property
    def used_until_us(self) -> int:
        """A client uses an old one for 24 intervals more, if it gets no newer one."""
        return self.valid_until_us + 24 * self.interval_us

    @classmethod
    def is_one(cls, value: Any) -> bool:
        """Whether a value is a consensus with possible values."""
        return isinstance(value, cls) and value.interval_us > 0 and len(value.relays) <= RELAYS_MOST


RELAYS_MOST = 1_900

# --- bridges -------------------------------------------------------------------------------------------------------


@message(size=400)
class WantBridges:
    """A client asks the distributor for bridges."""


@message()
class Bridges:
    """Addresses of some bridges: the same ones for all who ask from one /16 within some hours."""

    bridges: tuple[PeerId, ...]

    def wire_size(self) -> int:
        return 300 + 80 * len(self.bridges)


@message(size=60)
class Probe:
    """A censor connects to the address of a bridge to make sure that it is one, and then has the firewall block it."""
