"""Faults that act on every protocol alike: censorship, partition, cut links, collusion. `Network.fate` applies them on
arrival.

Both ends notice at once that their link is cut: their stream closes, a new one cannot be opened, a message over a
stream is refused, and a datagram is lost. Messages over streams to or from a censored peer, or across a partition, only
wait, see `stalls`.

Protocols have no code for this. A peer that enforces a ban acts twice: a question or answer that *reaches* it is
stripped of what it must not serve (`Message.without`: a request then finds nothing, a flooded query is dropped), and so
is what *comes from* it. Upkeep that reaches it is left alone: the peer may know what is banned, but it does not pass it
on. So it can stop colluding without a restart.

`leak` is the share of asks that pass all the same. One draw for each pair of an ask and a colluder decides about all
messages of that ask; independent draws on the way in and out would square the share.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..api import Ban, PeerId, mentions
from .kernel import HOP_BITS, Envelope
from .links import LinkSet
from .rng import GAMMA, MASK, TO_UNIT, Stream, mix

UPKEEP = 3


class Faults:
    """Censored peers, groups of partitions, cut links, and the bans that peers enforce."""

    def __init__(self, n: int, seed: int) -> None:
        self.censored: list[bool] = [False] * n
        self.group: list[int] = [0] * n
        self.split = False
        self.split_by: dict[str, None] = {}
        """The traits by which the partitions in force divide peers, of `commands.SIDES`."""
        self.cut_links = LinkSet()
        self.bans: dict[PeerId, tuple[Ban, float]] = {}
        self.salt = mix(seed & MASK)
        self.rng = Stream(f"{seed}/collusion")

    def grow(self, count: int) -> None:
        """Add newcomers without faults, in group 0; see `Simulation.add_peers` for their groups in a partition."""
        self.censored.extend([False] * count)
        self.group.extend([0] * count)

    @property
    def active(self) -> bool:
        """Whether any fault is in force."""
        return self.split or bool(self.bans) or bool(self.cut_links) or any(self.censored)

    def why_blocked(self, a: PeerId, b: PeerId) -> str:
        """Why nothing passes between two peers, as the reason of a drop; "" if something does."""
        if self.cut_links and self.cut_links.has(a, b):
            return "cut"
        if self.censored[a] or self.censored[b]:
            return "censored"
        return "partition" if self.group[a] != self.group[b] else ""

    def visible(self, to: PeerId, envelope: Envelope, alive: bool) -> Any:
        """What is left of a message for its receiver once colluders have enforced their bans: the message, the rest of
        it, or None. `alive`: whether the receiver is; a dead process enforces nothing."""
        sender, message = envelope[0], envelope[1]
        if to in self.bans and message.part_code != UPKEEP and alive:
            message = self._strip(to, message, envelope)
        if message is not None and sender in self.bans:
            message = self._strip(sender, message, envelope)
        return message

    def suppresses(self, peer: PeerId, about: Iterable[object], ask: int) -> bool:
        """Whether a peer enforces a ban on these words: those of an ask, or those that it would name in its answer.
        False if it leaks that ask."""
        if peer not in self.bans:
            return False
        word, leak = self.bans[peer]
        return mentions(about, word) and not (leak and self._coin(peer, ask << HOP_BITS) < leak)

    def _strip(self, colluder: PeerId, message: Any, envelope: Envelope) -> Any:
        word, leak = self.bans[colluder]
        if not mentions(message.about(), word):
            return message
        if leak and self._coin(colluder, envelope[2]) < leak:
            return message
        return message.without(word)

    def _coin(self, colluder: PeerId, cause: Any) -> float:
        if not cause:
            return self.rng.random()
        ask = (cause[0] if cause.__class__ is tuple else cause) >> HOP_BITS
        return (mix((self.salt + colluder * GAMMA + mix(ask)) & MASK) >> 11) * TO_UNIT
