"""A load of many small asks: lookups of 12 messages each, the same number a second in a network of any size.

An asker sends a request to one of the peers that it knows, waits for the reply, and goes on with another peer, six
times: a lookup in a hash table has this form. The cost of such an ask must not depend on the number of peers. So the
same messages are also sent without asks, by a timer of each peer, and the two speeds are compared.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence

from ..api import Ask, Host, Peer, PeerId, message, on, option
from ..setup import Setup
from ..swarm import Swarm
from ..values import dataclass

ROUNDS = 6
"""Requests of a lookup; each has one reply."""
MESSAGES = 2 * ROUNDS
LOOKUPS_PER_S = 1_000
"""Lookups of all peers together, in a second of virtual time."""
WARM_UP_S = 2
MEASURED_S = 3


@dataclass(slots=True)
class LookupOptions:
    """Options of the load."""

    hits: bool = option(False, "whether the last peer of a lookup says that it has the file")
    period_s: float = option(0.0, "seconds between two lookups of a peer without an ask, 0 for none", low=0.0)


@message(over="datagram", part="question")
class LookupRequest:
    """A request of a lookup: the text that is looked for, and how many rounds are left."""

    text: str
    left: int


@message(over="datagram", part="answer")
class LookupReply:
    """The reply. found: True in the last round of a lookup that finds something."""

    text: str
    left: int
    found: bool


@dataclass(slots=True)
class NextLookup:
    """A tick: the next lookup of a peer without an ask."""


class Lookups(Peer, options=LookupOptions):
    """A peer that does lookups and answers those of others."""

    def __init__(self) -> None:
        self.known: tuple[PeerId, ...] = ()

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.known = tuple(contacts)
        if host.options.period_s:
            self._wait(host, host.rng.random())

    def ask(self, host: Host, ask: Ask) -> None:
        self._request(host, ask.text, ROUNDS)

    @on(NextLookup)
    def again(self, host: Host, tick: NextLookup) -> None:
        self._request(host, "without an ask", ROUNDS)
        self._wait(host, 0.5 + host.rng.random())

    def _wait(self, host: Host, periods: float) -> None:
        # In whole microseconds, as asks are issued: so both kinds of lookups share instants with others equally often.
        host.after(round(periods * host.options.period_s * 1e6), NextLookup())

    @on(LookupRequest)
    def request(self, host: Host, sender: PeerId, request: LookupRequest) -> None:
        host.send(sender, LookupReply(request.text, request.left, request.left == 1 and host.options.hits))

    @on(LookupReply)
    def reply(self, host: Host, sender: PeerId, reply: LookupReply) -> None:
        if reply.left > 1:
            self._request(host, reply.text, reply.left - 1)
        elif reply.found:
            host.hit(sender, reply.text)

    def _request(self, host: Host, text: str, left: int) -> None:
        host.send(host.rng.choice(self.known), LookupRequest(text, left))


@dataclass(frozen=True, slots=True)
class LookupSpeed:
    """`deliveries` in `took_s` seconds of processor time; `asks`: asks that were measured and are closed; `messages`:
    questions of the largest of them; `first`: deliveries a second in the time before, from the start on, when nothing
    is in a cache."""

    first: float
    deliveries: int
    took_s: float
    asks: int
    messages: int
    fingerprint: str

    @property
    def per_s(self) -> float:
        return self.deliveries / self.took_s


def lookups(peers: int, *, asks: bool, hits: bool = False, latency: str = "world") -> Swarm:
    """A swarm that does `LOOKUPS_PER_S` lookups a second, as asks or without."""
    options = {"hits": hits, "period_s": 0.0 if asks else peers / LOOKUPS_PER_S}
    setup = Setup(peers=peers, latency=latency, asks_per_s=float(LOOKUPS_PER_S) if asks else 0.0, options=options)
    return Swarm(setup, program=Lookups)


def speed(swarm: Swarm, warm_up_s: int = WARM_UP_S, measured_s: int = MEASURED_S) -> LookupSpeed:
    """Measure `measured_s` seconds of virtual time, after `warm_up_s` seconds in which the first asks are closed and
    archived."""
    start_us, delivered = swarm.now_us, swarm.snapshot().totals.delivered
    gc.collect()
    begun = time.process_time()
    swarm.advance(start_us + warm_up_s * 1_000_000)
    warm_s = time.process_time() - begun
    before, first = swarm.snapshot().totals.delivered, swarm.asks_total
    first_per_s = (before - delivered) / max(warm_s, 1e-9)
    gc.collect()
    begun = time.process_time()
    swarm.advance(start_us + (warm_up_s + measured_s) * 1_000_000)
    print_ = swarm.fingerprint()
    took_s = time.process_time() - begun
    delivered = swarm.snapshot().totals.delivered - before
    done = [row for row in swarm.asks()[first:] if row.closed_us is not None]
    messages = max((row.messages for row in done), default=0)
    return LookupSpeed(first_per_s, delivered, took_s, len(done), messages, print_)


def measured(load: tuple[int, bool, bool]) -> tuple[float, float]:
    """Deliveries a second of a load, in the warm-up and after it. load: (peers, whether as asks, whether with hits)."""
    peers, asks, hits = load
    done = speed(lookups(peers, asks=asks, hits=hits))
    return done.first, done.per_s
