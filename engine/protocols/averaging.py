"""Push-pull averaging

Each peer has a number, and nobody has a list of them: how large is the mean of all, and how many peers are there? In a
round each peer sends its estimate to one neighbour in each cycle. The neighbour answers with its own estimate, and both
take the mean of the two. So the sum stays as it is, while the estimates come closer to each other: on a random graph
their variance falls to 1/(2√e) = 30 % in each cycle. In the end every peer knows the mean of all. For the second
question the peer that asks begins with 1, all others with 0: with n peers the mean of that is 1/n.

Things to try: colour by `estimate` and ask. Begin with `--topology ring` and ask again: neighbours agree soon, the ring
as a whole does not. Kill half of the peers a few seconds after an ask: what they held is missing in the sum, and this
round is wrong; the next one is right. Let one peer lie (menu of the peer): no other peer can tell.

Source: Jelasity, Montresor and Babaoglu, "Gossip-based aggregation in large dynamic networks", ACM Transactions on
Computer Systems 23 (2005): figure 1, and the sections on the rate, on counting and on lost messages. Here a peer adds
half of the difference, which is the mean unless exchanges of a peer overlap, and keeps the sum also if they do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite, nan

from .. import api
from ..api import Host, PeerId, component, message, on, on_reply, option, switch
from ..kit import NeighbourList, put_bounded

MEAN = replace(
    api.BROADCAST,
    name="mean",
    verb="measure",
    about="Find the mean of all numbers, and how many peers there are.",
    success_s=30.0,
    did="began a round for",
    what="a name for the round: any words",
    examples=("mean load", "mean age", "how many we are"),
)
Pair = tuple[float, float]
"""Two estimates of a peer: of the mean of all numbers, and of 1 / n, where n is the number of peers."""


@message(over="datagram", part="question", about="text")
class Push:
    """The sender's estimates in a round; `key` is drawn by the peer that begins it."""

    key: int
    text: str
    mine: Pair


@message(over="datagram", part="answer")
class Pull:
    """The estimates of a peer as they were when the `Push` came."""

    mine: Pair


@dataclass(slots=True)
class Cycle:
    """A cycle of a round begins."""

    key: int


@dataclass(slots=True)
class AveragingOptions:
    """How long a round takes. The options of `NeighbourList` are `links.wanted` and so on."""

    cycle_s: float = option(1.0, "time between two exchanges that a peer begins, in s", low=0.05, high=60.0)
    cycles: int = option(30, "exchanges that a peer begins in a round", low=1, high=1_000)
    remember: int = option(100, "rounds that a peer remembers, the latest ones", low=1, high=10_000)


@dataclass(slots=True, eq=False)
class Estimates:
    """A round as one peer sees it. `left`: exchanges that it has still to begin; `asked_here`: whether this peer began
    it."""

    text: str
    mine: Pair
    left: int
    asked_here: bool


@dataclass(slots=True, eq=False)
class Averager(api.Peer, name="averaging", options=AveragingOptions):
    """A peer with a number, which stays the same when it starts again. `rounds`: those that it knows of, by key."""

    role = "averager"
    goals = (MEAN,)
    shares_files = False
    remark_keys = ("mean", "peers")
    shows = (
        api.Shown("number", "its own number", "number"),
        api.Shown("estimate", "the mean of all numbers, as it estimates in its latest round", "number"),
        api.Shown("counted", "how many peers there are, as it estimates in its latest round", "number"),
    )

    number: float = 0.0
    rounds: dict[int, Estimates] = field(default_factory=dict)
    links: NeighbourList = component(NeighbourList)
    lies: bool = switch(
        "lie",
        "confess",
        about="It says that its number is a million, and never changes its estimate.",
        off_about="It takes part as all others do, from the next round on.",
    )

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.number = saved if isinstance(saved, float) else round(100 * host.rng.random(), 3)

    def saved(self) -> object | None:
        return self.number

    def ask(self, host: Host, ask: api.Ask) -> None:
        self.take_part(host, host.rng.getrandbits(64), ask.text, asked_here=True)

    def take_part(self, host: Host, key: int, text: str, asked_here: bool = False) -> Estimates:
        """Take part in a round, beginning with the own number at a random moment of a cycle. The timer has the cause of
        the message or ask that is handled now, so all that follows belongs to the ask."""
        number = 1_000_000.0 if self.lies else self.number
        one = Estimates(text, (number, 1.0 if asked_here else 0.0), host.options.cycles, asked_here)
        put_bounded(self.rounds, key, one, host.options.remember)
        host.after_s(host.rng.random() * host.options.cycle_s, Cycle(key))
        return one

    @on(Cycle)
    def cycle(self, host: Host, tick: Cycle) -> None:
        """Exchange estimates with one neighbour."""
        one, neighbour = self.rounds.get(tick.key), self.links.one_of(host)
        if one is None:
            return
        if neighbour is not None:
            push = Push(tick.key, one.text, one.mine)
            host.call(neighbour, push, timeout_s=host.options.cycle_s, context=push)
        one.left -= 1
        if one.left > 0:
            host.after_s(host.options.cycle_s, tick)
        elif one.asked_here:
            host.remark("mean", f"{one.mine[0]:.4g}")
            host.remark("peers", f"{1 / one.mine[1]:.4g}" if one.mine[1] > 0 else "unknown")

    @on(Push)
    def pushed(self, host: Host, sender: PeerId, push: Push) -> api.Known:
        if not all(map(isfinite, push.mine)):
            return None
        known = self.rounds.get(push.key)
        one = known or self.take_part(host, push.key, push.text)
        host.reply(Pull(one.mine))
        self.approach(one, one.mine, push.mine)
        return api.DUPLICATE if known else None

    @on_reply(Push)
    def pulled(self, host: Host, sender: PeerId, pull: Pull | None, context: Push) -> None:
        """The neighbour has added half of the difference to its estimates: subtract the same here. If its answer was
        lost, nothing is subtracted, and the sum has changed."""
        if pull is not None and context.key in self.rounds and all(map(isfinite, pull.mine)):
            self.approach(self.rounds[context.key], context.mine, pull.mine)

    def approach(self, one: Estimates, mine: Pair, theirs: Pair) -> None:
        if not self.lies:
            one.mine = one.mine[0] + (theirs[0] - mine[0]) / 2, one.mine[1] + (theirs[1] - mine[1]) / 2

    @classmethod
    def verdict(cls, facts: api.Facts, options: AveragingOptions) -> str | None:
        said = {key: values[-1] for key, values in facts.remarks.items()}
        return "It estimates a mean of {mean} and counts {peers} peers.".format_map(said) if said else None

    def shown(self) -> tuple[float | str, ...]:
        mean, part = next(reversed(self.rounds.values())).mine if self.rounds else (nan, nan)
        return self.number, mean, 1 / part if part > 0 else nan

    def beliefs(self) -> api.Beliefs:
        return api.Beliefs(facts={one.text: f"{one.mine[0]:.4g}" for one in self.rounds.values()})
