"""Interference, judged on arrival, for every protocol alike: censorship, partition, NAT, collusion.

A protocol carries no code for being attacked. A peer that enforces a ban is judged twice: a question or answer
that *reaches* it is stripped of what it must not serve (`Message.without`: a request that lawfully finds nothing, a
flooded query that is nothing at all), and so is what *comes from* it. Upkeep that reaches it is left alone: it may
know, it does not tell, and so a defection needs no second start.

`leak` is the share of asks that slip through. One coin decides for an ask and a colluder, at each of its messages
alike; two independent coins on the way in and out would square the share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..api import PeerId, mentions
from .kernel import HOP_BITS, Envelope
from .nat import Nat
from .rng import GAMMA, MASK, TO_UNIT, Stream, mix

UPKEEP = 3


class Faults:
    """Who is censored, who stands on which side, who enforces which ban."""

    def __init__(self, n: int, seed: int) -> None:
        self.censored: list[bool] = [False] * n
        self.group: list[int] = [0] * n
        self.split = False
        self.bans: dict[PeerId, tuple[str, float]] = {}
        self.nat: Nat | None = None
        self.salt = mix(seed & MASK)
        self.rng = Stream(f"{seed}/collusion")
        self.programs: Sequence[Any]
        """None for who is not alive: a process that is no more enforces nothing, its machine refuses as any other."""
        self.drop: Callable[[PeerId, Envelope, str], None]

    def grow(self, count: int) -> None:
        """Room for newcomers, whom nobody interferes with yet. They stand outside of any partition."""
        self.censored.extend([False] * count)
        self.group.extend([0] * count)

    @property
    def active(self) -> bool:
        """Whether any delivery needs judging."""
        return self.split or self.nat is not None or bool(self.bans) or any(self.censored)

    def blocked(self, a: PeerId, b: PeerId) -> bool:
        """Whether nothing passes between two peers: one is censored or they are parted."""
        return self.censored[a] or self.censored[b] or self.group[a] != self.group[b]

    def judge(self, to: int, envelope: Envelope) -> Any:
        """What the receiver gets to see: the message, the rest of it, or None (and `drop` was told why)."""
        if to < 0:
            self.drop(-1 - to, envelope, "lost")
            return None
        sender, message = envelope[0], envelope[1]
        if self.censored[to] or self.censored[sender]:
            self.drop(to, envelope, "censored")
            return None
        if self.group[to] != self.group[sender]:
            self.drop(to, envelope, "partition")
            return None
        if self.nat is not None and self.nat.shuts_out(sender, to, message.over == "stream"):
            self.drop(to, envelope, "nat")
            return None
        if self.bans:
            if to in self.bans and message.part_code != UPKEEP and self.programs[to] is not None:
                message = self._strip(to, message, envelope)
            if message is not None and sender in self.bans:
                message = self._strip(sender, message, envelope)
            if message is None:
                self.drop(to, envelope, "colluded")
        return message

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
