"""Networks with faulty components, verbs or converged starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from broken.sound import Sound, Wanted

from engine import Candidate, Component, Host, NetworkStart, Peer, PeerId, Rng, component, on, verb

DRAWN = count()
"""A counter that is not reset from one swarm to the next."""


@dataclass(slots=True)
class Fade:
    """Time to forget an asker."""


class Askers(Component):
    """The last peers that asked this one: nothing is wrong with it."""

    def __init__(self) -> None:
        self.latest: dict[PeerId, None] = {}

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.latest = dict.fromkeys(saved if isinstance(saved, tuple) else ())
        host.every(1_000_000, Fade())

    def note(self, host: Host, asker: PeerId) -> None:
        self.latest[asker] = None

    @on(Fade)
    def fade(self, host: Host, tick: Fade) -> None:
        if self.latest:
            del self.latest[next(iter(self.latest))]

    @verb("clear", undo="fill", about="Forget all.", why_not=lambda it: None if it.latest else "it knows no asker")
    def clear(self, host: Host) -> None:
        self.latest = {}

    @verb("fill", about="Remember a peer.", values={"asker": "e.g. 3"})
    def fill(self, host: Host, asker: int, also: int = 0) -> None:
        self.note(host, asker)

    @classmethod
    def converge(cls, world: NetworkStart, options: Any, rng: Rng) -> None:
        for one in world.members:
            one.peer.note(one.host, rng.choice(world.members).id)

    def saved(self) -> object | None:
        return tuple(self.latest)


class Composed(Sound, name="composed"):
    """A sound network with a component and two programs."""

    askers: Askers = component(Askers)

    @classmethod
    def cast(cls, options: Any, members: Sequence[Candidate], rng: Rng) -> Sequence[type[Peer]]:
        return [rng.choice((Composed, Twin)) for _ in members]

    def go_on(self, host: Host, sender: PeerId, message: Wanted) -> None:
        self.askers.note(host, sender)
        super().go_on(host, sender, message)


class Twin(Composed):
    """The other program of `Composed`."""

    role = "twin"


class Locked(Component):
    """Holds a function that cannot be pickled."""

    def __init__(self) -> None:
        self.key = lambda: 1


class Unpicklable(Sound, name="unpicklable"):
    """Has a component that no checkpoint can hold."""

    lock: Locked = component(Locked)


class Clutching(Component):
    """Keeps the host that it was handed."""

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.hand = host


class Clutcher(Sound, name="clutcher"):
    """Has a component that keeps its host."""

    part: Clutching = component(Clutching)


class Drifter(Sound, name="drifter"):
    """Converges to another network each time."""

    @classmethod
    def converge(cls, world: NetworkStart, options: Any, rng: Rng) -> None:
        for one in world.members:
            one.peer.keep(one.peer.seen, next(DRAWN))


class Borrower(Sound, name="borrower"):
    """Converges with the random streams of its peers."""

    @classmethod
    def converge(cls, world: NetworkStart, options: Any, rng: Rng) -> None:
        for one in world.members:
            one.peer.keep(one.peer.seen, one.host.rng.getrandbits(64))


class Caller(Sound, name="caller"):
    """Sends while it converges."""

    @classmethod
    def converge(cls, world: NetworkStart, options: Any, rng: Rng) -> None:
        first = world.members[0]
        first.peer.go_on(first.host, first.id, Wanted(1, 2, 0, "x"))


class Fickle(Sound, name="fickle"):
    """Casts its peers differently each time."""

    @classmethod
    def cast(cls, options: Any, members: Sequence[Candidate], rng: Rng) -> Sequence[type[Peer]]:
        return [(cls, Other)[next(DRAWN) % 5 == 0] for _ in members]


class Other(Fickle):
    """The other program of `Fickle`."""

    role = "other"


class Stumbler(Sound, name="stumbler"):
    """Has a verb that fails at its own example."""

    @verb("look-up", about="Forget a neighbour.", values={"neighbour": "e.g. 1000"})
    def look_up(self, host: Host, neighbour: int) -> None:
        del self.near[neighbour]
