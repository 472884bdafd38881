"""Push-pull averaging

Each peer has a number, and nobody has a list of them: how large is the mean of all, and how many peers are there? In a
round each peer sends its estimate to one neighbour in each cycle. That one answers with its own, and both take the
mean of the two. So the sum stays as it is, while the estimates come closer to each other: on a random graph their
variance falls to 1/(2√e) = 30 % in each cycle. In the end every peer knows the mean of all. For the second question
the peer that asks begins with 1, all others with 0: the mean of that is one part in as many as there are.

Things to try: colour by `estimate` and ask. Begin with `--topology ring` and ask again: neighbours agree soon, the ring
as a whole does not. Kill half of the peers a few seconds after an ask: what they held is missing in the sum, and this
round is wrong; the next one is right. Let one peer lie (menu of the peer): no other peer can tell.

Source: Jelasity, Montresor and Babaoglu, "Gossip-based aggregation in large dynamic networks", ACM Transactions on
Computer Systems 23 (2005): figure 1, and the sections on the rate, on counting and on lost messages. Here a peer adds
half of the difference, which is the mean unless exchanges of a peer overlap, and keeps the sum also if they do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite, nan

from ..api import (
    BROADCAST,
    DUPLICATE,
    Ask,
    Beliefs,
    CallEnd,
    Facts,
    Host,
    Known,
    Peer,
    PeerId,
    Rng,
    Shown,
    message,
    on,
    on_reply,
    on_timeout,
    option,
    verb,
    words_of,
)
from ..kit import put_bounded

Pair = tuple[float, float]
"""Two estimates: of the mean of all numbers, and of one part in as many as there are peers."""


def names(titles: Sequence[str], users: int) -> Sequence[str]:
    """What a round may be called."""
    return "mean load", "mean age", "how many we are"


def any_name(titles: Sequence[str], rng: Rng, now_us: int) -> str:
    return rng.choice(names(titles, 0))


MEAN = replace(
    BROADCAST,
    name="mean",
    verb="measure",
    about="Find the mean of all numbers, and how many peers there are.",
    success_s=30.0,
    draw=any_name,
    did="began a round for",
    what="a name for the round: any words",
    examples=names,
)


@message(over="datagram", part="question")
class Push:
    """The sender's estimates in a round; `key` is drawn by the peer that begins it."""

    key: int
    text: str
    mine: Pair

    def about(self) -> Iterable[str]:
        return words_of(self.text)


@message(over="datagram", part="answer")
class Pull:
    """The estimates of a peer as they were when the `Push` came."""

    mine: Pair


@dataclass(slots=True)
class Cycle:
    """A cycle of a round begins."""

    key: int


@dataclass(slots=True)
class Look:
    """Time to see whether it has enough neighbours."""


@dataclass(slots=True)
class AveragingOptions:
    """How long a round takes, and how many neighbours a peer wants."""

    cycle_s: float = option(1.0, "time between two exchanges that a peer begins, in s", low=0.05, high=60.0)
    cycles: int = option(30, "exchanges that a peer begins in a round", low=1, high=1_000)
    neighbours: int = option(3, "neighbours that a peer wants at least", low=1, high=50, unit="peers")
    remember: int = option(100, "rounds that a peer remembers, the latest ones", low=1, high=10_000)


@dataclass(slots=True, eq=False)
class Estimates:
    """A round as one peer sees it. `mine`: its estimates; `left`: exchanges that it has still to begin; `here`: the
    round was asked for here."""

    text: str
    mine: Pair
    left: int
    here: bool


@dataclass(slots=True, eq=False)
class Averager(Peer, name="averaging", options=AveragingOptions):
    """A peer with a number. `near`: its neighbours; `known`: peers that it may connect to; `rounds`: by their keys."""

    role = "averager"
    goals = (MEAN,)
    shares_files = False
    remark_keys = ("mean", "peers")
    shows = (
        Shown("number", "its own number", "number"),
        Shown("estimate", "the mean of all numbers, as it estimates in its latest round", "number"),
        Shown("counted", "how many peers there are, as it estimates in its latest round", "number"),
    )

    number: float = 0.0
    lies: bool = False
    near: dict[PeerId, None] = field(default_factory=dict)
    known: dict[PeerId, None] = field(default_factory=dict)
    rounds: dict[int, Estimates] = field(default_factory=dict)

    # --- neighbours -------------------------------------------------------------------------------------------------

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        number, known = saved if isinstance(saved, tuple) else (round(100 * host.rng.random(), 3), ())
        self.number, self.known = number, dict.fromkeys((*contacts, *known))
        host.every(5_000_000, Look())
        if host.now_us:
            self.look(host, Look())

    def saved(self) -> object | None:
        return self.number, tuple(self.known)

    def neighbours(self, host: Host, links: Sequence[PeerId]) -> None:
        for peer in links:
            self.opened(host, peer)

    def opened(self, host: Host, peer: PeerId) -> None:
        self.near[peer] = None
        put_bounded(self.known, peer, None, 100)

    def closed(self, host: Host, peer: PeerId) -> None:
        self.near.pop(peer, None)

    @on(Look)
    def look(self, host: Host, tick: Look) -> None:
        """Connect to as many peers as are lacking. With a dead one no link opens, so others are tried next time."""
        others = [peer for peer in self.known if peer not in self.near and peer != host.me]
        for peer in host.rng.sample(others, min(len(others), max(0, host.options.neighbours - len(self.near)))):
            host.link(peer)

    # --- a round ----------------------------------------------------------------------------------------------------

    def ask(self, host: Host, ask: Ask) -> None:
        self.take_part(host, host.rng.getrandbits(64), ask.text, here=True)

    def take_part(self, host: Host, key: int, text: str, here: bool = False) -> Estimates:
        """Begin with the own number, at some moment of a cycle. The timer has the cause of what is handled now, so all
        that follows belongs to the ask."""
        number = 1_000_000.0 if self.lies else self.number
        one = Estimates(text, (number, 1.0 if here else 0.0), host.options.cycles, here)
        put_bounded(self.rounds, key, one, host.options.remember)
        host.after(int(host.rng.random() * host.options.cycle_s * 1e6), Cycle(key))
        return one

    @on(Cycle)
    def cycle(self, host: Host, tick: Cycle) -> None:
        """Exchange estimates with one neighbour."""
        one, cycle_us = self.rounds.get(tick.key), int(host.options.cycle_s * 1e6)
        if one is None:
            return
        if self.near:
            push = Push(tick.key, one.text, one.mine)
            host.call(host.rng.choice(list(self.near)), push, timeout_us=cycle_us, context=push)
        one.left -= 1
        if one.left > 0:
            host.after(cycle_us, tick)
        elif one.here:
            host.remark("mean", f"{one.mine[0]:.4g}")
            host.remark("peers", f"{1 / one.mine[1]:.4g}" if one.mine[1] > 0 else "unknown")

    @on(Push)
    def pushed(self, host: Host, sender: PeerId, push: Push) -> Known:
        if not all(map(isfinite, push.mine)):
            return None
        one = self.rounds.get(push.key)
        new = one is None
        one = one or self.take_part(host, push.key, push.text)
        host.reply(Pull(one.mine))
        self.approach(one, one.mine, push.mine)
        return None if new else DUPLICATE

    @on_reply(Push)
    def pulled(self, host: Host, sender: PeerId, pull: Pull, context: Push) -> None:
        """The other one has added half of the difference to its estimates: the same is taken off here."""
        if context.key in self.rounds and all(map(isfinite, pull.mine)):
            self.approach(self.rounds[context.key], context.mine, pull.mine)

    @on_timeout(Push)
    def silent(self, host: Host, to: PeerId, context: Push, reason: CallEnd) -> None:
        """Nothing is added. If only the answer was lost, the other one has added its half, and the sum has changed."""

    def approach(self, one: Estimates, mine: Pair, theirs: Pair) -> None:
        if not self.lies:
            one.mine = one.mine[0] + (theirs[0] - mine[0]) / 2, one.mine[1] + (theirs[1] - mine[1]) / 2

    # --- what a person does and sees --------------------------------------------------------------------------------

    @verb(
        "lie",
        undo="confess",
        about="It says that its number is a million, and never changes its estimate.",
        why_not=lambda peer: "it lies already" if peer.lies else None,
    )
    def lie(self, host: Host) -> None:
        self.lies = True

    @verb(
        "confess",
        undo="lie",
        about="It takes part as all others do, from the next round on.",
        why_not=lambda peer: None if peer.lies else "it does not lie",
    )
    def confess(self, host: Host) -> None:
        self.lies = False

    @classmethod
    def verdict(cls, facts: Facts, options: AveragingOptions) -> str | None:
        said = {key: facts.remarks[key][-1] for key in cls.remark_keys if key in facts.remarks}
        return "It estimates a mean of {mean} and counts {peers} peers.".format_map(said) if said else None

    def shown(self) -> tuple[float | str, ...]:
        mean, part = next(reversed(self.rounds.values())).mine if self.rounds else (nan, nan)
        return self.number, mean, 1 / part if part > 0 else nan

    def beliefs(self) -> Beliefs:
        return Beliefs.of(self.near, "a neighbour", {one.text: f"{one.mine[0]:.4g}" for one in self.rounds.values()})
