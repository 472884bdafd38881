"""Random walks

A peer that looks for a file sends a few walkers. Each goes from neighbour to neighbour, drawn at random, until it comes
to a peer that has the file, or has made so many steps. A flood asks all; a walker asks one peer a step, so few messages
find what many have, and what is rare is mostly not found.

Things to try: colour by `stepped` and ask for a popular title, then for a rare one. Set walkers=16.

Source: Lv, Cao, Cohen, Li and Shenker, "Search and replication in unstructured peer-to-peer networks", ICS 2002: 16 to
64 walkers (section 5.2).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from engine import (
    DUPLICATE,
    FIND,
    PUBLISH,
    Ask,
    Facts,
    Host,
    Known,
    Peer,
    PeerId,
    Shown,
    component,
    message,
    on,
    option,
    switch,
)
from engine.kit import NeighbourList, put_bounded


@message(part="question", about="text")
class Walker:
    """Who has it? Tell `origin`. It makes `left` more steps; `key` is drawn by the origin."""

    key: int
    text: str
    origin: PeerId
    left: int


@message(over="datagram", part="answer", about="name")
class Found:
    """I have this file."""

    name: str


@dataclass(slots=True)
class WalkOptions:
    """How a walk goes."""

    walkers: int = option(4, "walkers that a search sends", low=1, high=64)
    steps: int = option(30, "steps that a walker makes at most", low=1, high=1_000)


@dataclass(slots=True, eq=False)
class Walking(Peer, name="walks", options=WalkOptions):
    """A peer. `seen`: the latest walks that came by, by key."""

    role = "peer"
    goals = (FIND, PUBLISH)
    shows = (Shown("stepped", "walkers that it has passed on", "count"),)

    stepped: int = 0
    seen: dict[int, None] = field(default_factory=dict)
    links: NeighbourList = component(NeighbourList)
    lazy: bool = switch("rest", "work", about="It passes no walker on.", off_about="It passes walkers on.")

    def ask(self, host: Host, ask: Ask) -> None:
        if ask.goal == FIND.name:
            walker = Walker(host.rng.getrandbits(64), ask.text, host.me, host.options.steps)
            for _ in range(host.options.walkers):
                self.step(host, walker)

    @on(Walker)
    def arrived(self, host: Host, sender: PeerId, walker: Walker) -> Known:
        known = walker.key in self.seen
        put_bounded(self.seen, walker.key, None, 200)
        found = host.library.matching(walker.text)
        if found and walker.origin != host.me:
            host.send(walker.origin, Found(found[0].name))
        elif walker.left > 0 and not self.lazy:
            self.stepped += 1
            left = min(walker.left, host.options.steps) - 1
            self.step(host, Walker(walker.key, walker.text, walker.origin, left), but=sender)
        return DUPLICATE if known else None

    def step(self, host: Host, walker: Walker, but: PeerId = -1) -> None:
        to = self.links.one_of(host, but)
        if to is not None:
            host.send(to, walker)

    def refused(self, host: Host, to: PeerId, message: object) -> None:
        """The neighbour is dead: the walker takes another way."""
        self.links.closed(host, to)
        if isinstance(message, Walker):
            self.step(host, message)

    @on(Found)
    def found(self, host: Host, sender: PeerId, message: Found) -> None:
        host.hit(sender, message.name)

    @classmethod
    def verdict(cls, facts: Facts, options: WalkOptions) -> str | None:
        if facts.hits or facts.trouble or facts.goal != FIND.name:
            return None
        return (
            f"No walker came to a holder: {facts.reached} peers were asked, and {facts.holders.living} others have it."
        )

    def shown(self) -> tuple[float | str, ...]:
        return (self.stepped,)
