"""What several networks share: a hash, identifiers, sets as integers, bounded tables, an index of names, neighbours,
super peers, a host cache, downloads that resume, routing tables as they are after a long time, and closed forms of
theory.

For the files of `engine/protocols/`. Nothing else in the engine imports it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import lru_cache
from hashlib import blake2b, sha1
from math import comb, exp, log
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from .api import (
    Beliefs,
    Cause,
    Component,
    File,
    Host,
    NatKind,
    PeerId,
    Rng,
    Theory,
    Timer,
    can_meet,
    on,
    option,
    words_of,
)
from .values import dataclass

K = TypeVar("K")
V = TypeVar("V")
E = TypeVar("E")


def digest(*parts: object) -> int:
    """A hash of 64 bits of some values, the same on every machine. parts: numbers, texts, and lists and tuples of them:
    `repr` of them is hashed."""
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest(), "little")


def within(low: float, high: float) -> Callable[[float], None]:
    """A check of a number that a person states (`verb`): it should be from `low` to `high`, both included."""

    def check(value: float) -> None:
        # Every comparison with nan is false, so that this refuses it too.
        if not low <= value <= high:
            raise ValueError(f"it should be from {low:,} to {high:,}, not {value:,}")

    return check


ID_BITS = 160
ID_END = 1 << ID_BITS
"""Identifiers of hash tables are numbers of 160 bits, below this: those of SHA-1 (Kademlia 2.1, BEP 5)."""


@lru_cache(maxsize=1 << 12)
def key_of(text: str) -> int | None:
    """The key of a name: SHA-1 of its words in lower case, with one space between them. None for a text without words.

    It depends on nothing else, so it is the same in every run.
    """
    words = words_of(text)
    return int.from_bytes(sha1(" ".join(words).encode()).digest(), "big") if words else None


def near(key: int, bits: int, rng: Rng) -> int:
    """An identifier that begins with the first `bits` bits of a key; the others are drawn."""
    rest = ID_BITS - bits
    return key >> rest << rest | rng.getrandbits(rest) if rest else key


def is_id(value: object) -> bool:
    """Whether a value from a message is an identifier."""
    return type(value) is int and 0 <= value < ID_END


def bits_of(bits: int) -> Iterator[int]:
    """The positions of the bits that are set, ascending. A set of small numbers is kept as one integer, as the bitfield
    of BitTorrent is."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


def lowest_bits(bits: int, most: int) -> int:
    """The lowest bits that are set, at most `most` of them, as a set."""
    if bits.bit_count() <= most:
        return bits
    low, high = 0, bits.bit_length()
    while low < high:
        middle = (low + high) // 2
        if (bits & ((1 << middle) - 1)).bit_count() < most:
            low = middle + 1
        else:
            high = middle
    return bits & ((1 << low) - 1)


def put_bounded(table: dict[K, V], key: K, value: V, most: int) -> None:
    """Store an entry in a table of at most `most` entries; the entries that were added first are removed.

    A new value for a key that is there does not make the entry newer: `table.pop(key, None)` before it does. The limit
    is an argument, since most limits are options that may change while a run goes on. The table is a plain dict: each
    instance of a subclass adds 0.9 us to a checkpoint (an empty dict takes 0.04), and every peer has several.
    """
    table[key] = value
    while len(table) > most:
        del table[next(iter(table))]


def some_of(items: Sequence[E], most: int, rng: Rng) -> list[E]:
    """At most `most` of some items, drawn at random, each once; all in a drawn order where they are no more."""
    return rng.sample(items, max(0, min(most, len(items))))


class Failure(NamedTuple):
    """What is kept of a peer that did not answer. calls: how many calls in a row had no answer; until_us: from when on
    it may be asked again, in us of virtual time."""

    calls: int
    until_us: int


def failed_again(
    table: dict[K, Failure], key: K, now_us: int, wait_us: int, *, doublings: int = 0, most: int = 1_000
) -> None:
    """Note that a peer has not answered, and is not to be asked for `wait_us`: twice as long after each further failure
    in a row, at most `doublings` times (exponential back-off). The table is a plain dict of at most `most` entries; the
    caller removes a peer that answers (`pop`)."""
    before = table.pop(key, None)
    calls = 1 if before is None else before.calls + 1
    put_bounded(table, key, Failure(calls, now_us + (wait_us << min(calls - 1, doublings))), most)


def may_be_asked(table: Mapping[K, Failure], key: K, now_us: int) -> bool:
    """Whether the waiting time of a peer is over, or it has not failed, see `failed_again`."""
    failure = table.get(key)
    return failure is None or now_us >= failure.until_us


SPEEDS_KBIT_S = (56, 128, 1500, 1500, 3000, 10000)
"""Speeds of the lines of users where a run sets none: modem, ISDN, DSL, cable (commonest), T1 and better."""


def own_file(host: Host, name: str) -> File | None:
    """The file of exactly that name in the library of this peer."""
    return next((file for file in host.library.matching(name) if file.name == name), None)


class NameIndex(Generic[E]):
    """Entries by the words of their names: an inverted index. A search takes time in proportion to the entries of its
    rarest word. Entries are hashable, and the names are kept by whoever has the index.

    words  for each word the entries whose names have it, in the order in which they were added
    """

    __slots__ = ("words",)

    def __init__(self) -> None:
        self.words: dict[str, dict[E, None]] = {}

    def add(self, name: str, entry: E) -> None:
        """List an entry under each word of its name."""
        for word in words_of(name):
            self.words.setdefault(word, {})[entry] = None

    def remove(self, name: str, entry: E) -> None:
        """Remove an entry that was added with this name, and words that have no entries left."""
        for word in dict.fromkeys(words_of(name)):
            del self.words[word][entry]
            if not self.words[word]:
                del self.words[word]

    def matching(self, text: str) -> Iterator[E]:
        """The entries whose names have all words of a text, in the order in which they were added; none for a text
        without words."""
        lists = sorted((self.words.get(word, {}) for word in dict.fromkeys(words_of(text))), key=len)
        return (entry for entry in (lists[0] if lists else ()) if all(entry in other for other in lists[1:]))


# --- neighbours -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class LookForNeighbours:
    """Time to see whether a peer has enough neighbours."""


@dataclass(slots=True)
class NeighbourOptions:
    """How many neighbours a peer wants, and where it looks for them."""

    wanted: int = option(3, "neighbours that a peer wants at least", low=1, high=50, unit="peers")
    look_s: float = option(5.0, "time between two looks for more, in s", low=0.1, high=600.0, fixed=True)
    known: int = option(100, "peers that it remembers, the latest ones", low=1, high=10_000, unit="peers")


@dataclass(slots=True, eq=False)
class NeighbourList(Component, options=NeighbourOptions):
    """The peers that a peer has an open stream with: those of the topology; as a newcomer, or where some have gone, it
    connects to others that it knows. For networks without a handshake of their own:

        links: NeighbourList = component(NeighbourList)

    near   its neighbours, in the order in which they became so
    known  peers that it may connect to, the latest last; they are on its disk
    """

    near: dict[PeerId, None] = field(default_factory=dict)
    known: dict[PeerId, None] = field(default_factory=dict)

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        for peer in (*contacts, *(saved if isinstance(saved, tuple) else ())):
            self.learn(host, peer)
        host.every_s(host.options.look_s, LookForNeighbours())
        if host.now_us:
            self.look(host, LookForNeighbours())

    def saved(self) -> object | None:
        return tuple(self.known)

    def learn(self, host: Host, peer: PeerId) -> None:
        """Remember a peer that was named by another one, as the latest."""
        if peer != host.me and peer >= 0:
            self.known.pop(peer, None)
            put_bounded(self.known, peer, None, host.options.known)

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        for peer in links:
            self.opened(host, peer)

    def opened(self, host: Host, peer: PeerId) -> None:
        self.near[peer] = None
        self.learn(host, peer)

    def closed(self, host: Host, peer: PeerId) -> None:
        self.near.pop(peer, None)

    @on(LookForNeighbours)
    def look(self, host: Host, tick: LookForNeighbours) -> None:
        """Connect to as many known peers as are lacking. With a dead one no stream opens, so that others are tried next
        time."""
        others = [peer for peer in self.known if peer not in self.near]
        for peer in some_of(others, host.options.wanted - len(self.near), host.rng):
            host.link(peer)

    def one_of(self, host: Host, but: PeerId = -1) -> PeerId | None:
        """A neighbour, drawn at random; None where there is none. but: a peer that is returned only where there is no
        other."""
        others = [peer for peer in self.near if peer != but] or list(self.near)
        return host.rng.choice(others) if others else None

    def beliefs(self) -> Beliefs:
        return Beliefs.of(self.near, "a neighbour")


# --- super peers ----------------------------------------------------------------------------------------------

UPTIME_MEAN_S = 19_650.0
"""Mean uptime: that of an exponential distribution of which 40 % exceed 5 hours, as of the peers that were up in
Gnutella (Stutzbach and Rejaie 2006)."""
SUPER_UP_KBIT_S, SUPER_DOWN_KBIT_S = 80, 160
"""The line of a super peer has at least one of these rates, as in LimeWire's test: 10 KB/s up or 20 KB/s down."""


@dataclass(slots=True)
class Uptime:
    """How long a peer has been up, now and on average: this decides whether it can be expected to stay.

    A run lasts minutes and such tests ask for hours, so each peer has been up before the run: an average, which is on
    its disk, and at t = 0 a session that began earlier. Both are drawn.

    since_us             when it came up, before the run for those that were up then (negative)
    average_s, sessions  average uptime of earlier sessions, and their number
    up_s                 of this session, as of the last `look`
    """

    since_us: int = 0
    average_s: float = 0.0
    sessions: int = 1
    up_s: float = 0.0

    @classmethod
    def begun(cls, host: Host, kept: tuple[float, int] | None) -> Uptime:
        """The uptime of a process that starts now. kept: what `kept` returned before, None at the first start."""
        drawn_s = host.rng.expovariate(1 / UPTIME_MEAN_S)
        average_s, sessions = kept or (drawn_s, 1)
        since_us = host.now_us
        if not host.now_us:
            since_us -= int(host.rng.expovariate(1 / UPTIME_MEAN_S) * 1_000_000)
        return cls(since_us, average_s, sessions)

    def now_s(self, now_us: int) -> float:
        """Seconds that it has been up."""
        return (now_us - self.since_us) / 1_000_000

    def look(self, now_us: int) -> None:
        """Note how long it has been up: a process that is killed cannot note it any more."""
        self.up_s = self.now_s(now_us)

    def kept(self) -> tuple[float, int]:
        """What goes on its disk: the average, with this session as of the last `look`, and the number of sessions."""
        sessions = self.sessions + 1
        return (self.average_s * self.sessions + self.up_s) / sessions, sessions


def can_be_super_peer(host: Host, uptime: Uptime, speed_kbit_s: int, now_min: float, average_min: float) -> bool:
    """Whether a peer that accepts connections can be a super peer (an ultrapeer): its line is fast enough, and it can
    be expected to stay, since it has been up for `now_min` minutes or for `average_min` on average.

    speed_kbit_s: of its line, where the run sets none
    """
    up, down = host.line.up_kbit_s or speed_kbit_s, host.line.down_kbit_s or speed_kbit_s
    lasts = uptime.now_s(host.now_us) >= now_min * 60 or uptime.average_s >= average_min * 60
    return lasts and (up >= SUPER_UP_KBIT_S or down >= SUPER_DOWN_KBIT_S)


def random_links(peers: int, degree: int, rng: Rng) -> list[tuple[int, int]]:
    """The links of a random graph of this degree: pairs of 0 .. peers - 1. Each peer is in `degree` pairs, or in fewer
    where there are not many more peers than that (some pair is then drawn twice and counts once). With at most
    `degree` + 1 peers, all pairs."""
    if peers - 1 <= degree:
        return [(a, b) for a in range(peers) for b in range(a + 1, peers)]
    order = list(range(peers))
    found: dict[tuple[int, int], None] = {}
    # Random cycles over all peers: each adds two links to every peer, and one is enough to connect them all. For an odd
    # degree random pairs are added.
    for left in range(degree, 0, -2):
        rng.shuffle(order)
        ends = (order, (*order[1:], order[0])) if left > 1 else (order[::2], order[1::2])
        found.update(((min(a, b), max(a, b)), None) for a, b in zip(*ends, strict=False))
    return list(found)


# --- routing tables of a hash table ---------------------------------------------------------------------------


def drawn(rng: Rng, rows: int, columns: int, stops: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Integers, uniform in 0..stop-1 for the stop of each row, int64 (rows, columns). stops: one for each row, or one
    for all; below 2**32.

    They are draws of SplitMix64 seeded by the next 64 bits of `rng`, all at once and the same on every machine.
    """
    z = np.arange(1, rows * columns + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z += np.uint64(rng.getrandbits(64))
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = ((z ^ (z >> np.uint64(31))) >> np.uint64(32)).reshape(rows, columns)
    return ((z * np.asarray(stops, np.uint64).reshape(-1, 1)) >> np.uint64(32)).astype(np.int64)


def distinct(rng: Rng, sizes: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """For each size, `k` different integers in 0..size-1, in an order that is drawn: int64 (len(sizes), k). Each size
    is at least `k`. Floyd's algorithm (Bentley and Floyd, CACM 30(9), 1987), for all rows at once."""
    made = np.empty((len(sizes), k), np.int64)
    for at in range(k):
        stops = sizes - k + at + 1
        one = drawn(rng, len(sizes), 1, stops)[:, 0]
        again = (made[:, :at] == one[:, None]).any(axis=1)
        made[:, at] = np.where(again, stops - 1, one)
    order = np.argsort(drawn(rng, len(sizes), k, 1 << 31), axis=1, kind="stable")
    return np.take_along_axis(made, order, axis=1)


def converged_buckets(ids: Sequence[int], bits: int, k: int, rng: Rng) -> list[list[list[int]]]:
    """The k-buckets of each node of a hash table that has been running for long, as positions in `ids`.

    ids: identifiers of `bits` bits, each once. Bucket i of a node has at most k of the nodes that share exactly i
    leading bits with it, drawn at random; its last bucket has all nodes that share at least as many leading bits as its
    number, which are at most k. The order in a bucket is drawn too. Only the first 64 bits of identifiers are compared.
    """
    n = len(ids)
    order = np.array(sorted(range(n), key=ids.__getitem__), np.int64)
    top = np.array([ids[at] >> max(0, bits - 64) for at in order.tolist()], np.uint64)
    if bits < 64:
        top <<= np.uint64(64 - bits)
    tables: list[list[list[int]]] = [[] for _ in range(n)]
    active = np.arange(n)
    for level in range(64):
        own = top >> np.uint64(64 - level) if level else np.zeros(n, np.uint64)
        low = np.searchsorted(own, own[active], "left")
        size = np.searchsorted(own, own[active], "right") - low
        done = size - 1 <= k if level < 63 else np.ones(len(active), np.bool_)
        for at, first, many in zip(active[done].tolist(), low[done].tolist(), size[done].tolist(), strict=True):
            others = [one for one in order[first : first + many].tolist() if one != order[at]]
            mixed = np.argsort(drawn(rng, 1, len(others), 1 << 31)[0], kind="stable").tolist() if others else []
            tables[order[at]].append([others[one] for one in mixed][:k])
        active = active[~done]
        if not len(active):
            break
        split = top >> np.uint64(63 - level)
        other = split[active] ^ np.uint64(1)
        low = np.searchsorted(split, other, "left")
        size = np.searchsorted(split, other, "right") - low
        for few in range(k + 1):
            some = size == few if few < k else size >= k
            if some.any():
                rows = order[low[some][:, None] + distinct(rng, size[some], few)].tolist()
                for at, row in zip(order[active[some]].tolist(), rows, strict=True):
                    tables[at].append(row)
    return tables


def nearest(ordered: Sequence[int], key: int, bits: int, k: int) -> list[int]:
    """The `k` identifiers nearest to a key by exclusive or, the nearest first.

    ordered: identifiers of `bits` bits in ascending order. Those that share many leading bits with the key follow each
    other, so only the smallest such block with at least k identifiers is searched.
    """
    shared = max(0, (len(ordered) // max(k, 1)).bit_length() + 2)
    while True:
        low = key >> (bits - shared) << (bits - shared)
        first = bisect_left(ordered, low)
        last = bisect_left(ordered, low + (1 << (bits - shared)), first)
        if last - first >= k or not shared:
            return sorted(ordered[first:last], key=key.__xor__)[:k]
        shared -= 1


class RecentTable(Generic[K, V]):
    """The latest entries of a table in two generations, of which the older one is forgotten as a whole: an entry costs
    no more than in a dict, and nothing is removed one by one."""

    __slots__ = ("new", "old")

    def __init__(self) -> None:
        self.new: dict[K, V] = {}
        self.old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """The value, or None for a key that is unknown or forgotten."""
        return self.new.get(key, self.old.get(key))

    def put(self, key: K, value: V, most: int) -> None:
        """Remember one more. A generation is full when it has more than half of `most` entries; so the table has at
        most `most` + 1 entries, and always the latest `most` / 2."""
        self.new[key] = value
        if len(self.new) * 2 > most:
            self.turn()

    def turn(self) -> None:
        """Forget the older generation."""
        self.old, self.new = self.new, {}

    def __len__(self) -> int:
        return len(self.new) + len(self.old)


LOOSE_BYTES, FEW = 64, 12
"""Bytes per entry above which a dict has too much unused space, and a number of entries that is added so that small
dicts are left alone. An entry needs 24 bytes and its share of the index, and takes up to 52 where the dict was filled
at once."""


class HostCache:
    """Addresses of peers, the latest last: those that a peer calls when it looks for others.

    addresses  address -> when it was last heard from, in us; NEVER_US where it is known from others only
    """

    NEVER_US = -1
    __slots__ = ("addresses",)

    def __init__(self) -> None:
        self.addresses: dict[PeerId, int] = {}

    def remember(self, address: PeerId, heard_us: int, most: int) -> None:
        """Make an address the latest of at most `most` entries. A later time at which it was heard from is kept. A
        value that is no address is ignored."""
        if address.__class__ is not int or address < 0:
            return
        heard_us = max(self.addresses.pop(address, self.NEVER_US), heard_us)
        put_bounded(self.addresses, address, heard_us, most)
        self.addresses = tight(self.addresses)

    def forget(self, address: PeerId) -> None:
        """Remove an address, if it is there."""
        self.addresses.pop(address, None)

    def __iter__(self) -> Iterator[PeerId]:
        return iter(self.addresses)

    def __contains__(self, address: object) -> bool:
        return address in self.addresses

    def __len__(self) -> int:
        return len(self.addresses)


def tight(table: dict[PeerId, int]) -> dict[PeerId, int]:
    """A dict with the same entries in the same order that takes no more memory than needed.

    A Python dict grows to three times the entries it holds. One that is kept in order of last use, by removing entries
    and adding them again, takes twice the memory of one that was filled once: 18 KB for 200 addresses.
    """
    return dict(table) if table.__sizeof__() > LOOSE_BYTES * (len(table) + FEW) else table


class Holder(Protocol):
    """What `Download` needs to know of a peer that has a file."""

    @property
    def content(self) -> object:
        """A hash of the bytes of its file: equal where two holders have the same file."""
        ...


S = TypeVar("S", bound=Holder)


@dataclass(slots=True)
class Download(Generic[S]):
    """A file that is being fetched from one holder after the other, and goes on where it stopped.

    source    the holder that is asked now
    others    those that are tried after it
    cause     the ask that it is for, since a retry may be started by an event without a cause
    moved_us  when data came last, or this attempt began
    here      bytes that have arrived
    attempt   number of the present attempt, by which its timer differs from those of earlier attempts
    watch     the timer of this attempt, which keeps the ask open
    """

    source: S
    others: list[S]
    cause: Cause
    moved_us: int
    here: int = 0
    attempt: int = 0
    watch: Timer | None = None

    def next_source(self) -> bool:
        """Go on to the next holder, and return whether there is one. What has arrived is kept if the next holder has
        the same bytes."""
        if not self.others:
            return False
        before, self.source = self.source, self.others.pop(0)
        if self.source.content != before.content:
            self.here = 0
        return True

    def look_later(self, host: Host, delay_us: int, tick: object) -> None:
        """Set the timer that looks for progress, in place of the one before."""
        self.unwatch(host)
        self.watch = host.after(delay_us, tick, cause=self.cause)

    def unwatch(self, host: Host) -> None:
        """Cancel the timer."""
        if self.watch is not None:
            host.cancel(self.watch)
            self.watch = None


# --- closed forms --------------------------------------------------------------------------------------------

EXACT_MOST = 400
"""Living peers up to which the exact mean of a rumour is calculated: this takes some milliseconds, once for each number
of peers."""


class Epidemic(NamedTuple):
    """The expected outcome of an infect-and-die rumour, see `infect_and_die`."""

    fanout: int
    """Peers that each informed peer tells: not more than there are others."""
    mean: float
    """Of these, the mean number that are alive."""
    missed: float
    """Share of the living peers that it does not reach, 0 to 1: the mean of rumours that spread and that die out."""
    extinct: float
    """Chance that it dies out early, since the first peers send it to dead peers only."""
    reached: float
    """Living peers that it reaches, the origin left out."""
    messages: float
    rounds: float | None
    """Generations until the last peer is reached, if the rumour spreads; None where it dies out."""
    living: int
    """Living peers, the origin left out."""

    def theory(self) -> tuple[Theory, ...]:
        """As rows beside a measured ask; none where no other peer is alive."""
        if not self.living:
            return ()
        spread = 1.0 - self.extinct
        left = 1.0 - (1.0 - self.missed) / spread if spread else 1.0
        share = f"1 - s of the living, s = e^(-{self.mean:.2g} (1 - s)) = {left:.1%}"
        if self.extinct >= 0.0005:
            share += f", less {self.extinct:.1%} that die out early"
        rows = (
            Theory("reached", self.reached, share),
            Theory("messages", self.messages, f"{self.fanout} by each who heard"),
        )
        if self.rounds is None:
            return rows
        why = f"ln n / ln {self.mean:.2g} to grow to n, then ln n / |ln {self.mean * left:.2g}| for the last"
        return (*rows, Theory("rounds", self.rounds, why))


def infect_and_die(others: int, living: int, fanout: int) -> Epidemic:
    """A rumour that each peer, when it first hears it, tells to `fanout` others chosen at random, and never again.

    others: peers besides the origin, dead ones included, since they are drawn too
    living: of these, how many are alive
    fanout: peers that each one tells

    Of a rumour that spreads, the share s that never hears solves s = exp(-mean (1 - s)), mean = fanout living / others;
    the iteration from 0 converges from below to the smaller root. Source: Kermarrec, Massoulié and Ganesh,
    "Probabilistic reliable dissemination in large-scale systems", IEEE TPDS 14(3), 2003.

    Where peers are dead it may die out at once: with the chance x, the smaller root of x = E[x^L], where L is how many
    of the drawn peers are alive (hypergeometric). So a share 1 - (1 - s) (1 - x) misses it on average.

    Both are limits for large n. Up to `EXACT_MOST` living peers, `reached` and `messages` are the exact means.

    Rounds: ln n / ln mean to grow to all n, and a tail ln n / |ln(mean s)| in which those that are left are reached:
    there each informed peer informs mean s new ones (Fernholz and Ramachandran, "The diameter of sparse random graphs",
    2007).
    """
    fanout = min(fanout, others)
    mean = fanout * living / others if others else 0.0
    alive = [_drawn(others, living, fanout, lucky) for lucky in range(fanout + 1)]
    left = extinct = 0.0
    for _ in range(200):
        left = exp(-mean * (1.0 - left))
        extinct = sum(chance * extinct**lucky for lucky, chance in enumerate(alive))
    missed = 1.0 - (1.0 - left) * (1.0 - extinct) if extinct else left
    reached = _mean_reached(others, living, fanout) if living <= EXACT_MOST else living * (1.0 - missed)
    rounds = None
    if mean > 1.0:
        n = log(max(living + 1, 2))
        rounds = n / log(mean) + (n / -log(mean * left) if 0.0 < mean * left < 1.0 else 0.0)
    return Epidemic(fanout, mean, missed, extinct, reached, fanout * (reached + 1), rounds, living)


def _drawn(others: int, living: int, fanout: int, lucky: int) -> float:
    """The chance that of `fanout` drawn from `others`, of whom `living` count, exactly `lucky` do."""
    if lucky > living or fanout - lucky > others - living:
        return 0.0
    return comb(living, lucky) * comb(others - living, fanout - lucky) / comb(others, fanout)


@lru_cache(maxsize=256)
def _mean_reached(others: int, living: int, fanout: int) -> float:
    """The mean number of peers that an infect-and-die rumour reaches, exactly.

    The order in which the informed peers pass it on does not matter, so they do it one after the other. The calculation
    follows how many of the living are still uninformed; the rumour is over when all informed peers have passed it on.
    """
    chances = np.array([[_drawn(others, left, fanout, new) for left in range(living + 1)] for new in range(fanout + 1)])
    at = np.zeros(living + 1)
    at[living] = 1.0
    reached = 0.0
    for told in range(1, living + 2):
        after = np.zeros(living + 1)
        for new, chance in enumerate(chances[: living + 1]):
            after[: living + 1 - new] += (at * chance)[new:]
        # With `told` peers informed, of whom the origin is one, nobody is left to tell it.
        over = living + 1 - told
        reached += (living - over) * float(after[over])
        after[over] = 0.0
        at = after
    return reached


class Flood(NamedTuple):
    """The exact outcome of a flood over a given graph, see `flood`."""

    reached: int
    """Peers that it arrives at, the origin left out."""
    messages: int
    complete: bool
    """Whether no reachable peer is further away than the flood travels."""


def flood(levels: Sequence[tuple[int, int]], hops: int) -> Flood:
    """A flood without losses in which each peer passes a question on to all neighbours but the one it came from.

    levels: for each distance from the origin 0, 1, …: (peers at that distance, sum of their degrees)
    hops: how far the question travels, at least 1

    The origin sends one message to each neighbour, and each peer reached before the last hop one to all but one of its
    own; a flood of a whole connected graph of N peers and E links therefore takes 2 E - N + 1 messages.
    """
    reached = sum(peers for peers, _ in levels[1 : hops + 1])
    messages = levels[0][1] + sum(degrees - peers for peers, degrees in levels[1:hops])
    return Flood(reached, messages, len(levels) <= hops)


def tree_reach(degree: int, hops: int) -> int:
    """Peers within `hops` hops of the root of a tree in which each peer has `degree` neighbours: an upper bound of what
    a flood reaches in a regular graph, which has cycles. Source: Ritter, "Why Gnutella can't scale. No, really.", 2001.
    """
    return sum(degree * (degree - 1) ** hop for hop in range(hops))


def relay_share(shares: Mapping[NatKind, float], punching: bool = True) -> float:
    """The share of pairs of peers that cannot open a path between them, so that a third peer has to relay.

    shares: of each kind of NAT, 0 to 1; peers of no listed kind are open. punching: a third peer tells both to send at
    the same time (`api.can_meet`); then the share is s² + 2sp + b² + 2b(1 - o - b), with s symmetric, p
    port-restricted, b UDP blocked and o open. Without, one of the two has to be open: (1 - o)².
    """
    all_shares = {**shares, NatKind.OPEN: 1.0 - sum(share for kind, share in shares.items() if kind)}
    pairs = ((a, b) for a in all_shares for b in all_shares)
    apart = ((a, b) for a, b in pairs if (not can_meet(a, b) if punching else a and b))
    return sum(all_shares[a] * all_shares[b] for a, b in apart)
