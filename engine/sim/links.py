"""Latency, loss and order of messages between two peers, and the table of open streams.

Delays are a table between places, multiplied by a factor that a person may change while it runs. A lost datagram is
gone. A message of a stream that is lost arrives later, by a retransmission: TCP waits for its retransmission timeout
and doubles it (RFC 6298: at least 200 ms in the usual stacks; section 2 has about twice the round trip before it is
measured).

While there is no loss and the factor has not changed, streams keep their order by themselves: the delay of a pair is
fixed, so what was sent first arrives first, and the fast paths of `host` may look the delay up themselves
(`SendPath.FAST`). After the first loss or change the last arrival of each pair is kept and no message overtakes it
(`ORDERED`).

Jitter is drawn for each message, evenly from 0 to its limit, and is only ever added: the latency is that of an idle
path, and what varies is the waiting at routers. It may reorder datagrams; a stream waits for what was sent before.

Access links, NAT, held links and faults have modules of their own (`bandwidth`, `nat`, `hold`, `faults`); `network`
puts them together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import Enum
from typing import Any, Protocol

import numpy as np

from ..api import PeerId
from .kernel import Kernel, split
from .paths import PathLengths
from .rng import Stream
from .words import Words, word_text

RTO_LEAST_US = 200_000
RTO_MOST_US = 60_000_000
"""Upper limit of the retransmission timeout: RFC 6298, 2.5."""
BREAK_US = 100_000_000
"""A stream without progress for that long breaks: RFC 1122, 4.2.3.5, R2."""
BULK = 1 << 62
"""In a key of a pair: its transfers, where these have a connection of their own (see `bandwidth`)."""


class SendPath(Enum):
    """How a message is sent. FAST: `host` looks its delay up. GENERAL: `Network.post_all` asks about each receiver.
    ORDERED: that too, and the order within each stream is kept."""

    FAST = 0
    GENERAL = 1
    ORDERED = 2


FAST, ORDERED = SendPath.FAST, SendPath.ORDERED


class Delays(Protocol):
    """What `world.latency` builds: a flat delay, a table between places, or a delay per pair."""

    place: list[int]
    flat_us: int | None
    table_us: list[list[int]] | None

    def pair_us(self, a: int, b: int) -> int: ...

    def pairs_us(self, near: Sequence[Collection[int]]) -> Iterator[list[int]]:
        """For each peer the delays to the peers in its entry of `near`, in us, as `pair_us` gives them."""


class PairRow(dict[PeerId, int]):
    """Delays from one peer to others in us, each looked up when it is first needed."""

    __slots__ = ("delays", "me")

    def __init__(self, delays: Delays, me: PeerId) -> None:
        super().__init__()
        self.delays = delays
        self.me = me

    def __missing__(self, to: PeerId) -> int:
        found = self[to] = self.delays.pair_us(self.me, to)
        return found


class LinkModel:
    """Delays, loss and the order of streams. `loss` is a share of messages (0..1); `factor` scales delays."""

    def __init__(self, delays: Delays, loss: float, rng: Stream) -> None:
        self.delays = delays
        self.place = list(delays.place)
        """A copy, since newcomers are added to it and the world of the setup must not change."""
        self.loss = loss
        self.factor = 1.0
        self.rng = rng
        self.flat_us = delays.flat_us or 0
        self.by_pair = delays.table_us is None and not self.flat_us
        """Whether each pair of peers has a delay of its own."""
        self._make_rows()
        self.last: dict[int, int] = {}
        self.lossy = loss > 0
        """Whether there has been loss: lost datagrams may be under way."""
        self.path = FAST
        """ORDERED is never set back to FAST: the arrivals of messages that were sent on the fast path are not known."""
        if self.lossy:
            self.path = ORDERED
        self.jitter_us = 0
        self.jitters = Stream(rng.state ^ 1)

    def grow(self, places: Sequence[int]) -> None:
        """Add newcomers at these places."""
        n = len(self.place)
        self.place.extend(places)
        if self.by_pair:
            more = range(n, n + len(places))
            self.column.extend(more)
            self._rows.extend(PairRow(self.delays, peer) for peer in more)

    def _make_rows(self) -> None:
        self._rows: list[Any]
        if self.by_pair:
            self.column = list(range(len(self.place)))
            self._rows = [PairRow(self.delays, peer) for peer in self.column]
        else:
            self.column = self.place
            """The index of each peer in a row of delays: its place, or its own number where each pair has a delay of
            its own."""
            self._rows = [list(row) for row in self.delays.table_us or []]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_rows", "column")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._make_rows()

    def row(self, peer: PeerId) -> Any:
        """Delays from this peer in us, by `column`, without the factor; empty where all are the same."""
        if not self._rows:
            return []
        return self._rows[peer if self.by_pair else self.place[peer]]

    def prepare(self, near: Sequence[Collection[PeerId]]) -> None:
        """Look up the delays from each peer to those of `near` together, which costs a tenth of looking up each when a
        message is first sent. Does nothing unless each pair has a delay of its own."""
        if self.by_pair:
            for row, others, delays in zip(self._rows, near, self.delays.pairs_us(near), strict=True):
                row.update(zip(others, delays, strict=True))

    def set_loss(self, loss: float) -> None:
        """From now on, this share of messages (0..1) is lost."""
        self.loss = loss
        if loss:
            self.lossy = True
            self.path = ORDERED

    def set_factor(self, factor: float, kernel: Kernel) -> None:
        """From now on, delays are this many times those of the model. What is under way keeps its time of arrival,
        and nothing that is sent from now on overtakes it in its stream."""
        self.keep_orders(kernel)
        self.factor = factor

    def keep_orders(self, kernel: Kernel) -> None:
        """From now on, keep the order within each stream. For messages that are under way already it is read from the
        kernel's buckets, once: the other paths do not keep it."""
        if self.path is not ORDERED:
            for at, bucket in kernel.messages.items():
                for to, envelope in zip(*split(bucket), strict=True):
                    if envelope[1].over == "stream":
                        for one in to if to.__class__ is tuple else (to,):
                            self.keep_order(envelope[0], one, at)
        self.path = ORDERED

    def keep_order(self, frm: PeerId, to: PeerId, at_us: int) -> None:
        """What is sent later in the stream of a pair arrives no earlier than that."""
        key = frm << 32 | to
        self.last[key] = max(at_us, self.last.get(key, 0))

    def closing_us(self, a: PeerId, b: PeerId, now_us: int) -> int:
        """How long until `b` learns that `a` closed their stream: one latency, but not before what was sent on it."""
        return max(self.delay_us(a, b), self.last_us(a, b) - now_us)

    def last_us(self, a: PeerId, b: PeerId) -> int:
        """When the last message of the stream from `a` to `b` arrives, as far as that is kept and known; or 0."""
        return self.last.get(a << 32 | b, 0)

    def delay_us(self, a: PeerId, b: PeerId) -> int:
        """One way, without loss."""
        rows = self._rows
        if not rows:
            plain = self.flat_us
        elif self.by_pair:
            plain = rows[a][b]
        else:
            plain = rows[self.place[a]][self.place[b]]
        return plain if self.factor == 1.0 else max(1, round(plain * self.factor))

    def retransmission_us(self, delay_us: int) -> int:
        """Draw how much later a message of a stream arrives that is lost once, and perhaps again when it is resent.
        delay_us: what it takes without loss. `BREAK_US`, if the stream breaks before it has arrived."""
        later = wait = self.rto_us(delay_us)
        while later < BREAK_US and self.rng.random() < self.loss:
            wait = min(RTO_MOST_US, 2 * wait)
            later += wait
        return min(later, BREAK_US)

    @staticmethod
    def rto_us(delay_us: int) -> int:
        """The first retransmission timeout of a stream whose messages take `delay_us` one way."""
        return max(RTO_LEAST_US, 2 * delay_us)

    @staticmethod
    def stream_key(frm: PeerId, to: PeerId, bulk: bool) -> int:
        """How tables name the stream from one peer to another; bulk: its transfers, on a connection of their own."""
        return frm << 32 | to | (BULK if bulk else 0)

    def forget(self, peers: int, now_us: int) -> None:
        """Forget the last arrivals that are past, when there are many; called once a second."""
        if len(self.last) > 4 * peers:
            self.last = {key: at for key, at in self.last.items() if at > now_us}


CONTACTS_MARKED_MOST = 1_000
"""Contacts without a stream that a peer may have marked at a time: above that the oldest mark is removed."""


def _foremost(said: dict[str, int]) -> int:
    """Of the marks on one link the one without a topic, else the one given first; 0 without any."""
    return said.get("") or next(iter(said.values()), 0)


class LinkSet:
    """A set of links, each between two peers; `whole` are peers that have all of their links in it, also those to
    newcomers."""

    def __init__(self) -> None:
        self.whole: dict[PeerId, None] = {}
        self.pairs: dict[tuple[PeerId, PeerId], None] = {}

    def __bool__(self) -> bool:
        return bool(self.whole or self.pairs)

    def has(self, a: PeerId, b: PeerId) -> bool:
        """Whether the link between two peers is in it."""
        return a in self.whole or b in self.whole or ((a, b) if a < b else (b, a)) in self.pairs

    def ends(self) -> set[PeerId]:
        """Peers with a link in it."""
        return {*self.whole, *(peer for pair in self.pairs for peer in pair)}

    def add(self, peers: Sequence[PeerId]) -> None:
        """Add the links between these peers; of a single one, all of its links."""
        if len(peers) == 1:
            self.whole[peers[0]] = None
        else:
            ordered = sorted(peers)
            for at, a in enumerate(ordered):
                self.pairs.update(((a, b), None) for b in ordered[at + 1 :])

    def remove(self, peers: Sequence[PeerId]) -> tuple[PeerId, ...]:
        """Remove the links between these peers, of a single one all of its links, and all links of each of them that is
        in it as a whole. Returns the ends of what was removed, in order."""
        named = dict.fromkeys(peers)
        gone = [p for p in self.whole if p in named]
        ends = min(2, len(named))
        pairs = [(a, b) for a, b in self.pairs if (a in named) + (b in named) >= ends]
        for peer in gone:
            del self.whole[peer]
        for pair in pairs:
            del self.pairs[pair]
        return tuple(sorted({*gone, *(one for pair in pairs for one in pair)}))


class Streams:
    """Open streams between peers, undirected, as columns that are updated with each change.

    When a stream is closed the last row takes its place, so the columns have no gaps and a frame copies two arrays.
    `version` increases with each change.
    """

    def __init__(self, ids: Sequence[PeerId]) -> None:
        self.ids = list(ids)
        """One integer object a peer. Integers that are read from an array are new objects each time, and a flood over
        them misses the processor's cache at every step (measured: a fifth of its time at 10,000 peers)."""
        self.near: list[dict[int, None]] = [{} for _ in ids]
        self._slot: dict[int, int] = {}
        self._ends = np.zeros((2, 64), np.int32)
        self.words = Words(("",))
        """The words of marks, by their number; 0 means no mark."""
        self.topics: dict[str, None] = {}
        """Topics of marks that have been given."""
        self.marks_version = 0
        self._says = np.zeros((2, 64), np.uint8)
        """The mark of each end of a stream: the number of its word, in the rows of `_ends`."""
        self._said: dict[int, dict[str, int]] = {}
        """frm << 32 | to -> topic -> number of a word: all marks, also those on contacts without a stream."""
        self._contacts_marked: dict[PeerId, dict[PeerId, None]] = {}
        self.count = 0
        self.version = 0
        self._paths: PathLengths | None = None
        """Paths from one peer, as far as `connected` has searched since the last stream was opened or closed."""
        self._paths_version = 0

    def grow(self, ids: Sequence[PeerId]) -> None:
        """Add newcomers."""
        self.ids.extend(ids)
        self.near.extend({} for _ in ids)

    def __getstate__(self) -> dict[str, Any]:
        state = {
            name: value
            for name, value in self.__dict__.items()
            if name not in ("ids", "_slot", "_ends", "_says", "_paths")
        }
        return {**state, "_ends": self._ends[:, : self.count], "_says": self._says[:, : self.count]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        ids = self.ids = list(range(len(self.near)))
        for near in self.near:
            # In place, as other objects keep these dictionaries too; and with the one integer object of each peer.
            others = [ids[other] for other in near]
            near.clear()
            near.update(dict.fromkeys(others))
        self._paths, self._paths_version = None, 0
        ends = np.zeros((2, max(64, self.count)), np.int32)
        ends[:, : self.count] = state["_ends"]
        self._ends = ends
        self._says = np.zeros(ends.shape, np.uint8)
        self._says[:, : self.count] = state["_says"]
        self._slot = {self._key(a, b): slot for slot, (a, b) in enumerate(state["_ends"].T.tolist())}

    @staticmethod
    def _key(a: int, b: int) -> int:
        return a << 32 | b if a < b else b << 32 | a

    def open(self, a: PeerId, b: PeerId) -> bool:
        """Open a stream. Returns False if it was open already, or both ends are one peer."""
        if a == b or b in self.near[a]:
            return False
        ids = self.ids
        self.near[a][ids[b]] = None
        self.near[b][ids[a]] = None
        if self.count == self._ends.shape[1]:
            self._ends = np.concatenate([self._ends, np.zeros_like(self._ends)], axis=1)
            self._says = np.concatenate([self._says, np.zeros_like(self._says)], axis=1)
        self._ends[:, self.count] = (a, b) if a < b else (b, a)
        self._slot[self._key(a, b)] = self.count
        self._says[:, self.count] = 0
        self.count += 1
        self.version += 1
        if self._said:
            self._forget_marks(a, b)  # marks on a contact: a stream begins without marks
        return True

    def close(self, a: PeerId, b: PeerId) -> bool:
        """Close a stream. Returns False if there was none."""
        if b not in self.near[a]:
            return False
        del self.near[a][b]
        del self.near[b][a]
        slot = self._slot.pop(self._key(a, b))
        self.count -= 1
        if slot != self.count:
            x, y = self._ends[:, self.count].tolist()
            self._ends[:, slot] = (x, y)
            self._says[:, slot] = self._says[:, self.count]
            self._slot[self._key(x, y)] = slot
        self.version += 1
        if self._said:
            self._forget_marks(a, b)
        return True

    # --- marks: the words of ends for their links --------------------------------------------------------------

    def mark(self, frm: PeerId, to: PeerId, word: str, topic: str) -> None:
        """`frm` marks its link with `to` by a word; an empty word removes the mark."""
        if word.__class__ is str and word and not topic and "" in (known := self._said.get(frm << 32 | to, {})):
            # Most marks replace another one: a neighbour that becomes interested, and later is not interested.
            code, slot = self.words.codes.get(word), self._slot.get(self._key(frm, to))
            if code is not None and slot is not None:
                known[""] = code
                self._says[0 if frm < to else 1, slot] = code
                self.marks_version += 1
                return
        key, text, topic = frm << 32 | to, word_text(word), word_text(topic)
        code = self.words.code(text)
        slot = self._slot.get(self._key(frm, to))
        if slot is None:
            marked = self._contacts_marked.setdefault(frm, {})
            if to not in marked and len(marked) >= CONTACTS_MARKED_MOST:
                oldest = next(iter(marked))
                del marked[oldest]
                self._said.pop(frm << 32 | oldest, None)
            marked[to] = None
        said = self._said.setdefault(key, {})
        if code:
            said[topic] = code
            if topic:
                self.topics.setdefault(topic)
        else:
            said.pop(topic, None)
            if not said:
                del self._said[key]
                if slot is None:
                    del self._contacts_marked[frm][to]
        if slot is not None:
            self._says[0 if frm < to else 1, slot] = _foremost(said)
        self.marks_version += 1

    def marks_of(self, peer: PeerId) -> list[tuple[PeerId, str, str]]:
        """(other end, topic, word) for each mark of a peer, by the other end."""
        names = tuple(self.words.codes)
        others = sorted((*self.near[peer], *self._contacts_marked.get(peer, ())))
        said = ((other, self._said.get(peer << 32 | other, {})) for other in others)
        return [(other, topic, names[code]) for other, words in said for topic, code in words.items()]

    def says(self, topic: str = "") -> tuple[Any, Any]:
        """The marks of both ends of each stream, uint8 (L,) each, in the order of `columns`. topic: the marks of this
        topic alone; without one, the mark that has no topic, or else the one that was given first."""
        if not topic:
            return self._says[0, : self.count].copy(), self._says[1, : self.count].copy()
        return self.says_of(*self.columns(), topic)

    def says_of(self, a: Any, b: Any, topic: str = "") -> tuple[Any, Any]:
        """The same for any pairs of peers; a, b: int32 (L,) each."""
        codes = np.zeros((2, len(a)), np.uint8)
        if self._said:
            for row, (x, y) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
                for end, key in enumerate((x << 32 | y, y << 32 | x)):
                    if said := self._said.get(key):
                        codes[end, row] = said.get(topic, 0) if topic else _foremost(said)
        return codes[0], codes[1]

    def forget_marks_of(self, peer: PeerId) -> None:
        """A peer has stopped: remove its marks on contacts without a stream."""
        for other in self._contacts_marked.pop(peer, ()):
            self._said.pop(peer << 32 | other, None)
            self.marks_version += 1

    def _forget_marks(self, a: PeerId, b: PeerId) -> None:
        for frm, to in ((a, b), (b, a)):
            if self._said.pop(frm << 32 | to, None) is not None:
                self.marks_version += 1
                self._contacts_marked.get(frm, {}).pop(to, None)

    def known_to_connect(self, a: PeerId, peers: Iterable[PeerId]) -> bool:
        """Whether an earlier search has found that paths lead from a peer to all of these. If not, there may be paths
        nevertheless, see `connected`."""
        paths = self._paths
        return paths is not None and self._paths_version == self.version and paths.known_to_join((a, *peers))

    def connected(self, a: PeerId, b: PeerId) -> bool:
        """Whether a path of open streams leads from one peer to the other."""
        paths = self._paths
        if paths is None or self._paths_version != self.version:
            paths = self._paths = PathLengths(self.near, a)
            self._paths_version = self.version
        if paths.lead_to(a):
            return paths.lead_to(b)
        if paths.lead_to(b):
            return False
        self._paths = PathLengths(self.near, a)
        return self._paths.lead_to(b)

    def columns(self) -> tuple[Any, Any]:
        """Copies of both ends, int32 (L,)."""
        return self._ends[0, : self.count].copy(), self._ends[1, : self.count].copy()
