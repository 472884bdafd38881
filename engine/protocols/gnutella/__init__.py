"""Gnutella 0.4.

No server: every program is a *servent*, server and client in one, and keeps open a handful of connections to
others. A question (Query) goes to all neighbours, which pass it on to theirs, each time with one less to live (TTL);
a servent that has the file answers (QueryHit), and the answer walks back the way the question came, for
nobody knows who asked: only who passed it on. The file itself is fetched directly.

Things to try: ask from a peer, then kill or censor the one who answered and ask again. Kill the best connected. Set
ttl=2 and see how far a question comes. Make half of them collude.

Source: The Gnutella Protocol Specification v0.4 (Clip2, revision 1.2). Sections named in the code are its headings.
Pongs are cached as later clients did (0.6, "Pong caching"): with one ping of TTL 7 per servent and minute the
pings would dwarf the queries that they serve. Messages of the real protocol that are handled at the level of
TCP and HTTP are written out here: Connect, Ok, Full, Giv, Get, Chunk, Gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...api import DUPLICATE, Ask, Beliefs, Host, Known, PeerId, Theory, on
from ...kit import flood, tree_reach
from .download import SECOND_US, Download
from .messages import (
    BYTE_MAX,
    TEXT_MAX,
    WORD_MAX,
    Chunk,
    Connect,
    Full,
    Get,
    Giv,
    GnutellaOptions,
    Gone,
    Ok,
    Ping,
    Pong,
    Push,
    Query,
    QueryHit,
    guid,
    headed,
    whole,
)
from .overlay import Neighbour

HITS = 32
"""Results in one QueryHit; the specification's 4 kB limit, at some 100 bytes each."""
ASKS = 256
"""Own queries whose answers are still known for such."""
SPEEDS_KBPS = (56, 128, 1500, 1500, 3000, 10000)
"""Line speeds that users have: modem, ISDN, DSL, cable (commonest), T1 and better."""


@dataclass(slots=True)
class Forget:
    """Time to forget old GUIDs."""


class Servent(Neighbour, name="gnutella", options=GnutellaOptions):
    """A servent. Slots, here and in its bases: a swarm of thousands is slow by cache misses, not by arithmetic."""

    role = "servent"
    __slots__ = ()

    @classmethod
    def horizon(cls, options: GnutellaOptions) -> int:
        return options.ttl

    @classmethod
    def theory(cls, facts: Mapping[str, Any], options: GnutellaOptions) -> Sequence[Theory]:
        """A flood over the links as they are, and what it would reach if they had no cycles (Ritter 2001)."""
        if facts["want"] == "publish" or not facts["degree"]:
            return ()
        ttl, degree = options.ttl, round(facts["mean_degree"])
        told = flood(facts["levels"], ttl)
        who = "everybody" if told.complete else "all peers"
        return (
            Theory("reached", told.reached, f"{who} within {ttl} hops"),
            Theory("messages", told.messages, "2E - N + 1" if told.complete else "deg + sum of (deg - 1)"),
            Theory("duplicates", told.messages - told.reached, "messages less those reached"),
            Theory("tree", tree_reach(degree, ttl), f"reached without cycles, degree {degree} (Ritter)"),
        )

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.id = host.rng.bytes(16)
        self.speed = host.line.up_kbit_s or host.rng.choice(SPEEDS_KBPS)
        self.firewalled = host.line.nat or host.rng.random() < host.options.firewalled
        self.join(host, contacts, saved)
        host.every(int(host.options.guid_memory_s * SECOND_US), Forget())

    # --- who has it (Query, QueryHit) ----------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        if ask.want == "publish":
            return
        number = host.rng.bytes(16)
        self.mine[number] = ""
        if len(self.mine) > ASKS:
            del self.mine[next(iter(self.mine))]
        self.came_from(host, number, host.me)
        host.multicast(list(self.connections), Query(number, host.options.ttl, 0, 0, ask.text[:TEXT_MAX]))

    @on(Query)
    def query(self, host: Host, sender: PeerId, message: Query) -> Known:
        number = message.guid
        try:
            if number is self.latest or number in self.seen or number in self.seen_before:
                return DUPLICATE
        except TypeError:  # A list, say: no GUID, and nothing that a table could be asked for.
            host.note("nonsense")
            return None
        if sender not in self.connections:
            return None
        text = message.text
        if not (
            headed(message) and text.__class__ is str and len(text) <= TEXT_MAX and whole(message.speed, 0, WORD_MAX)
        ):
            host.note("nonsense")
            return None
        self.came_from(host, number, sender)
        hops = message.hops + 1
        found = host.library.matching(text)
        if found and self.speed >= message.speed:
            # "QueryHit": the TTL should be at least the hops of the query plus two.
            ttl = min(hops + 2, BYTE_MAX)
            hit = QueryHit(number, ttl, 0, host.me, self.speed, self.firewalled, tuple(found[:HITS]), self.id)
            host.send(sender, hit)
        # TTL + Hops stays what it was, unless it was more than relays allow.
        ttl = min(message.ttl - 1, host.options.ttl - hops)
        if ttl > 0:
            onward = Query(number, ttl, hops, message.speed, text)
            host.multicast([n for n in self.connections if n != sender], onward)
        return None

    @on(QueryHit)
    def query_hit(self, host: Host, sender: PeerId, message: QueryHit) -> None:
        m = message
        if sender not in self.connections:
            return
        if not (
            headed(m)
            and guid(m.servent)
            and whole(m.address, 0, WORD_MAX)
            and whole(m.speed, 0, WORD_MAX)
            and m.push.__class__ is bool
            and m.results.__class__ is tuple
            and 0 < len(m.results) <= BYTE_MAX
        ):
            host.note("nonsense")
            return
        self.pushes.put(m.servent, sender, host.options.guid_table)
        if m.guid in self.mine:
            self.found(host, m)
            return
        back = self.way_back(m.guid)
        if back is None or back not in self.connections or m.ttl <= 1 or m.hops >= BYTE_MAX:
            host.note("hit without a way back")
            return
        onward = QueryHit(m.guid, m.ttl - 1, m.hops + 1, m.address, m.speed, m.push, m.results, m.servent)
        host.send(back, onward)

    # --- memory ------------------------------------------------------------------------------------------------

    @on(Forget)
    def forget(self, host: Host, tick: Forget) -> None:
        self.turn()
        self.pings.turn()
        self.pushes.turn()

    def beliefs(self) -> Beliefs:
        facts = {
            "neighbours": f"{len(self.connections)} of {self.wanted} wanted",
            "host cache": f"{len(self.cache)} addresses",
            "GUIDs": f"{len(self.seen) + len(self.seen_before)} queries remembered",
            "ways to push": f"{len(self.pushes)} servents",
            "line": f"{self.speed} kb/s{', firewalled' if self.firewalled else ''}",
        }
        if self.uploading:
            facts["uploading"] = f"{self.uploading} range{'' if self.uploading == 1 else 's'} waiting for the line"
        if self.downloads:
            facts["fetching"] = ", ".join(
                f"{name} {100 * d.here // d.source.file.size} %" for name, d in self.downloads.items()
            )
        return Beliefs(self.acquaintances(), facts)


__all__ = [
    "Chunk",
    "Connect",
    "Download",
    "Full",
    "Get",
    "Giv",
    "GnutellaOptions",
    "Gone",
    "Ok",
    "Ping",
    "Pong",
    "Push",
    "Query",
    "QueryHit",
    "Servent",
]
