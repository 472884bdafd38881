"""Kademlia

A hash table with no server. Each node has an identifier and each name a key: the k nodes nearest to it, by exclusive
or, keep the record of who has the thing. A search asks the nearest nodes that it knows for nearer ones, until the k
nearest have answered: about three steps and 23 requests among 10,000 nodes.

Only whole names are found: a part of a name has another key.

The holder of a thing, the nodes that keep its record (its keepers) and the node that answers are different nodes. When
all holders are dead the record is still found, until it expires, and is of no use. When the keepers die the record is
gone until the holder publishes it again.

Sources, section by section: P. Maymounkov and D. Mazières, "Kademlia: A peer-to-peer information system based on the
XOR metric" (IPTPS 2002, and its long version), and BEP 5, the table of BitTorrent. The options are the paper's.
BitTorrent's differ: k 8, refresh 15 min, expiry 30 min, a holder publishes again every 15 min and nobody else does, no
copies on the path, tokens (`BEP5` in `dht.py`; `--set dht.k=8 --set dht.refresh_s=900` and so on).

Paper  here
2.1    identifiers of 160 bits and the metric (`table.py`). An address is a peer; a key is the SHA-1 of a name's words
2.2    k-buckets, the least recently heard of contact first. It is pinged only if it was silent for 15 min (BEP 5): a
       ping for each newcomer would make ten times the traffic
2.3    PING, STORE, FIND_NODE, FIND_VALUE (`messages.py`, with the sizes of KRPC); the lookup (`lookup.py`), with alpha
       requests always in flight, or in rounds. The last request to all of the k nearest at once is left out. A value
       found is copied to the nearest node that did not have it, for 24 h, halved for each node in between. Refresh.
       A newcomer refreshes only those farther buckets whose ranges the lookup of itself has not covered
2.4    the bucket with the own identifier is split. The relaxed rule for unbalanced trees is left out
2.5    republishing each hour, unless another has; each day by the holder; records handed to newcomers; a leaving node
       hands them over (BEP 5 has no such thing)
4.1    replacement cache, a pause for contacts that do not answer, stale contacts
4.2    several bits a hop: left out
BEP 5  tokens of 5 to 10 min; answers with values and nodes; error 203

The identifier is drawn, and kept on disk. Nothing binds it to an address, so an attacker may choose its own
(`act move-near`).
"""

# `dht.py` is the table as a component of any network; this file is the network around it: what a user asks, and which
# names a node publishes.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log2
from typing import Any

from ...api import (
    FIND,
    PUBLISH,
    Ask,
    Beliefs,
    Facts,
    Host,
    NetworkStart,
    Peer,
    PeerId,
    Rng,
    Theory,
    component,
    on,
    option,
    verb,
)
from ...kit import ID_BITS, ID_END, key_of, near
from .dht import BEP5, Dht, DhtOptions, Ended, Found, Joined, Published, keep_at_start, keepers_in

__all__ = ["BEP5", "Dht", "DhtOptions", "Ended", "Found", "Joined", "Node", "Published", "keep_at_start"]

RESCAN_US = 30_000_000
JOIN_OVER_S = 5.0
"""A network that does not start converged: all nodes join within so many seconds."""
PUBLISHING_MOST = 3
"""Names that a node publishes at once."""
NEAR_BITS = 20
"""Leading bits that an identifier near a key shares with it: among 10,000 honest nodes there is one that shares as many
in 1 % of cases. More bits would not help, and each costs a node that joins one lookup more."""


NO_KEY = "a text without words has no key"


def key_of_name(text: str) -> int:
    """The key of a name. Raises ValueError for a text without words."""
    key = key_of(text)
    if key is None:
        raise ValueError(NO_KEY)
    return key


@dataclass(slots=True)
class KademliaOptions:
    """How the network begins."""

    converge: bool = option(
        True, "whether tables and records are full when a run begins; else all nodes join", fixed=True
    )


@dataclass(slots=True)
class Rescan:
    """Time to look for names to publish."""


@dataclass(slots=True, eq=False)
class Node(Peer, name="kademlia", options=KademliaOptions):
    """A node of the table, and a user who looks for names.

    published  name -> when it was last published; due: names to be published; publishing: those under way
    """

    role = "node"
    goals = (replace(FIND, what="a title, all of it: its key is made of the whole text"), PUBLISH)
    overlay = False

    dht: Dht = component(Dht)
    published: dict[str, int] = field(default_factory=dict)
    due: dict[str, None] = field(default_factory=dict)
    publishing: dict[str, None] = field(default_factory=dict)

    # --- the network begins ---------------------------------------------------------------------------------

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """The component joins by itself if the network is running already. A node that starts again publishes all that
        it has, unless it publishes once and for all."""
        if isinstance(saved, tuple) and not host.options.dht.publish_s:
            self.published = dict(saved)
        host.every(RESCAN_US, Rescan())
        if not host.now_us and not host.options.converge:
            self.dht.join(host, JOIN_OVER_S)

    @classmethod
    def converge(cls, world: NetworkStart, options: Any, rng: Rng) -> None:
        """Full tables, and the record of each file on the k nodes nearest to its key."""
        if not options.converge:
            return
        super().converge(world, options, rng)
        named = [
            (one, file.name, key)
            for one in world.members
            for file in one.library.files()
            if (key := key_of(file.name)) is not None
        ]
        pairs = ((key, one.id) for one, _, key in named)
        ages = keep_at_start((one.peer.dht for one in world.members), pairs, options.dht, rng)
        for (one, name, _), age_us in zip(named, ages, strict=True):
            one.peer.published[name] = -age_us

    @on(Joined)
    def is_in(self, host: Host, joined: Joined) -> None:
        """Publish what the library has."""
        self.rescan(host, Rescan())

    def joined(self, links: Sequence[PeerId]) -> bool:
        return self.dht.is_in

    def saved(self) -> object | None:
        """Which names it has published, and when."""
        return tuple(self.published.items())

    # --- names that this node has ----------------------------------------------------------------------------

    @on(Rescan)
    def rescan(self, host: Host, tick: Rescan) -> None:
        """Publish names that are new in the library, and again those that were published `publish_s` ago. Up to a tenth
        earlier, drawn: else the record would expire at the moment at which it is stored again."""
        if not self.dht.is_in:
            return
        again_us = int(host.options.dht.publish_s * 1e6)
        names = [file.name for file in host.library.files()]
        if len(self.published) > len(names):
            kept = dict.fromkeys(names)
            self.published = {name: at_us for name, at_us in self.published.items() if name in kept}
        for name in names:
            at_us = self.published.get(name)
            if at_us is None or (again_us and host.now_us - at_us >= again_us * host.rng.uniform(0.9, 1.0)):
                self.due[name] = None
        self.publish_next(host)

    def publish_next(self, host: Host) -> None:
        """Publish what is due, a few names at a time."""
        while self.due and len(self.publishing) < PUBLISHING_MOST:
            name = next(iter(self.due))
            del self.due[name]
            key = key_of(name)
            self.published[name] = host.now_us
            if key is not None and name not in self.publishing:
                self.publishing[name] = None
                self.dht.publish(host, key, context=name, upkeep=True)

    @on(Published)
    def is_published(self, host: Host, result: Published) -> None:
        """Report to the ask on how many nodes the name is stored."""
        self.publishing.pop(result.context, None)
        if host.cause:
            host.progress(result.stored, result.of)
        self.publish_next(host)

    # --- what a user asks ------------------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        """Find who has a name, or publish it."""
        key = key_of(ask.text)
        if key is None:
            host.failed(NO_KEY)
        elif ask.goal == PUBLISH.name:
            self.published[ask.text] = host.now_us
            self.dht.publish(host, key, context=ask.text)
        else:
            self.dht.find(host, key, context=ask.text)

    @on(Found)
    def found(self, host: Host, found: Found) -> None:
        """Report each holder that a node has named as a hit."""
        for holder in found.values:
            if holder != host.me:
                host.hit(holder, found.context, by=found.by)

    # --- what is shown ---------------------------------------------------------------------------------------

    @classmethod
    def key_of(cls, text: str) -> object | None:
        return key_of(text)

    @classmethod
    def place_of(cls, text: str) -> float | None:
        key = key_of(text)
        return None if key is None else key / ID_END

    def keeps(self, text: str) -> bool:
        return key_of(text) in self.dht.records.kept

    def contacts(self) -> list[PeerId]:
        return self.dht.contacts()

    def identifier(self) -> float | None:
        return self.dht.identifier()

    def beliefs(self) -> Beliefs:
        """What it publishes; the beliefs of the component are added."""
        return Beliefs(facts={"published": str(len(self.published))})

    @classmethod
    def verdict(cls, facts: Facts, options: Any) -> str | None:
        """Says whether the holders, the keepers or the asker are the reason."""
        if facts.trouble:
            return None
        if facts.setback:
            return f"No answer: {facts.setback}."
        if facts.goal == PUBLISH.name:
            if facts.joined is False:
                return "Not published yet: this node has not joined the table."
            if not facts.of:
                return "Not published: no other node of the table answers."
            nodes = f"the {facts.of:.0f} nodes nearest to its key"
            return (
                f"Published: stored on {facts.done:.0f} of {nodes}."
                if facts.done
                else f"Not published: {nodes} did not answer."
            )
        if facts.hits:
            return None
        if facts.joined is False:
            return "No answer: the asker has not joined the table: no node has answered it so far."
        keepers = facts.keepers
        if not keepers.total:
            if not facts.holders.total:
                return None
            return "No answer: no node keeps a record of this name. Only whole names that were published can be found."
        if not keepers.up:
            gone = "dead" if keepers.dead == keepers.total else "dead, gone or censored"
            if keepers.total <= keepers_in(options.dht):
                return f"No answer: the {keepers.total} nodes nearest to the key, which kept its record, are {gone}."
            return f"No answer: all {keepers.total} nodes that kept its record or a copy of it are {gone}."
        if keepers.living:
            return (
                f"No answer: nodes that keep its record: {keepers.living}, but the lookup did not come to one of them: "
                f"the {options.dht.k} nodes nearest to the key are others."
            )
        if keepers.colluding:
            return f"No answer: the {keepers.colluding} nodes that keep its record hide it."
        return "No answer: the nodes that keep its record are behind the partition."

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: Any) -> Sequence[Theory]:
        """Each step of a lookup halves the distance at least."""
        if facts["living"] < 1:
            return ()
        return (Theory("hops", max(1.0, log2(facts["living"] + 1)), "at most log2 n, if tables are full"),)

    # --- an identifier of one's choice --------------------------------------------------------------------------

    @verb(
        "move-near",
        about="Take an identifier next to the key of a text and join again under it, as Sybils do.",
        values={"text": "a name, e.g. blue train"},
        checks={"text": key_of_name},
    )
    def move_near(self, host: Host, text: str) -> None:
        """Nothing binds an identifier to an address (BEP 42 would)."""
        key = key_of_name(text)
        if (key ^ self.dht.table.me.id) >> (ID_BITS - NEAR_BITS):
            self.dht.move(host, near(key, NEAR_BITS, host.rng))
