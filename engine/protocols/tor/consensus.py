"""The consensus: which relays there are, their flags and bandwidth, and how often each is chosen for each position.

Sources: dir-spec 3.4.2 (flags) and 3.8.3 (bandwidth weights), path-spec 2.2 (choice of relays).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ...api import PeerId, Rng

Position = Literal["guard", "middle", "exit"]
POSITIONS: tuple[Position, ...] = ("guard", "middle", "exit")


@dataclass(frozen=True, slots=True)
class Relay:
    """A line of the consensus. bandwidth: in kB/s; network: the first two bytes of its address; family: a number that
    the relays of one operator have in common, 0 for none."""

    peer: PeerId
    bandwidth: int
    guard: bool
    exit: bool
    network: int
    family: int = 0


class Weights(NamedTuple):
    """The share of a relay's bandwidth that counts when a relay is chosen for a position. A name is W + position (g, m,
    e) + kind of relay (g: guard, m: neither, e: exit, d: both). All follow from the bandwidths, except Wmm and Wgm,
    which are 1 and left out."""

    wgg: float
    wgd: float
    wmg: float
    wme: float
    wmd: float
    wee: float
    wed: float
    case: str

    def possible(self) -> bool:
        """Whether each weight is from 0 to 1, and the three of relays that are both have a sum of at most 1."""
        shares = all(0.0 <= value <= 1.0 for value in self[:-1])
        return shares and self.wgd + self.wmd + self.wed <= 1.0 + 1e-9

    def of(self, relay: Relay, position: Position) -> float:
        """The weight of a relay in a position, without its bandwidth. It is 0 for a guard or an exit without that
        flag."""
        if position == "guard":
            return (self.wgd if relay.exit else self.wgg) if relay.guard else 0.0
        if position == "exit":
            return (self.wed if relay.guard else self.wee) if relay.exit else 0.0
        if relay.guard:
            return self.wmd if relay.exit else self.wmg
        return self.wme if relay.exit else 1.0


def weights(relays: Iterable[Relay]) -> Weights:
    """The bandwidth weights of a consensus, with scale 1 (dir-spec 3.8.3).

    G, M, E, D are the bandwidths of relays that are guards only, neither, exits only, and both. The weights give the
    three positions the same bandwidth, if that is possible.
    """
    g = m = e = d = 0.0
    for relay in relays:
        if relay.guard and relay.exit:
            d += relay.bandwidth
        elif relay.guard:
            g += relay.bandwidth
        elif relay.exit:
            e += relay.bandwidth
        else:
            m += relay.bandwidth
    third = (g + m + e + d) / 3
    if not third:
        return Weights(1.0, 1 / 3, 0.0, 0.0, 1 / 3, 1.0, 1 / 3, "no bandwidth")
    if e >= third and g >= third:
        wee, wmg = (e + g + m) / (3 * e), (2 * g - e - m) / (3 * g)
        return Weights(1 - wmg, 1 / 3, wmg, 1 - wee, 1 / 3, wee, 1 / 3, "1: neither is scarce")
    if e < third and g < third:
        return _both_scarce(g, m, e, d)
    return _one_scarce(g, m, e, d, third)


def _both_scarce(g: float, m: float, e: float, d: float) -> Weights:
    """Case 2: guards and exits are kept for their positions, and those that are both go to what is scarcer."""
    if min(e, g) + d < max(e, g):
        wgd, wed = (0.0, 1.0) if e < g else (1.0, 0.0)
        return Weights(1.0, wgd, 0.0, 0.0, 0.0, 1.0, wed, "2a: both are scarce, one of them much more")
    if e and d:
        wed = (d - 2 * e + 4 * g - 2 * m) / (3 * d)
        rest = (1 - wed) / 2
        made = Weights(1.0, rest, 0.0, (g - m) / e, rest, (e - g + m) / e, wed, "2b1: both are scarce, Wmd = Wgd")
        if made.possible():
            return made
    # Nothing of D is left for the middle if M alone is more than a third.
    wed = (d - 2 * e + g + m) / (3 * d) if d else 0.0
    wmd = max((d - 2 * m + g + e) / (3 * d), 0.0) if d else 0.0
    wed = min(wed, 1 - wmd)
    return Weights(1.0, 1 - wed - wmd, 0.0, 0.0, wmd, 1.0, wed, "2b2: both are scarce, Wgg = Wee = 1")


def _one_scarce(g: float, m: float, e: float, d: float, third: float) -> Weights:
    """Case 3: exits or guards are scarce, the others are not."""
    guards = g < third
    scarce = g if guards else e
    if scarce + d < third:
        # 3a: relays of the scarce kind, and relays that are both, are used in the scarce position only.
        if guards:
            wme = 0.0 if e < m else (e - m) / (2 * e)
            return Weights(1.0, 1.0, 0.0, wme, 0.0, 1 - wme, 0.0, "3a: guards are scarce")
        wmg = 0.0 if g < m else (g - m) / (2 * g)
        return Weights(1 - wmg, 0.0, wmg, 0.0, 0.0, 1.0, 1.0, "3a: exits are scarce")
    if guards:
        wgd = (d - 2 * g + e + m) / (3 * d)
        wee = min((e + m) / (2 * e), 1.0)
        rest = (1 - wgd) / 2
        return Weights(1.0, wgd, 0.0, 1 - wee, rest, wee, rest, "3b: guards are scarce")
    wed = (d - 2 * e + g + m) / (3 * d)
    wgg = min((g + m) / (2 * g), 1.0)
    rest = (1 - wed) / 2
    return Weights(wgg, rest, 1 - wgg, 0.0, rest, 1.0, wed, "3b: exits are scarce")


def choose(
    relays: Sequence[Relay], position: Position, of: Weights, rng: Rng, allowed: Callable[[Relay], bool]
) -> Relay | None:
    """A relay for a position, drawn in proportion to its weighted bandwidth among those that are allowed; None if there
    is none."""
    shares = [(one, one.bandwidth * of.of(one, position)) for one in relays if allowed(one)]
    total = sum(share for _, share in shares)
    if total <= 0:
        return None
    at = rng.random() * total
    for one, share in shares:
        at -= share
        if at < 0:
            return one
    return next(one for one, share in reversed(shares) if share > 0)


TRIES = 10
"""How often a relay is drawn among all, before `choose` draws among those that are allowed."""


class Table:
    """The relays of a consensus with its weights and the sums of weighted bandwidths, to draw many paths from."""

    def __init__(self, relays: Sequence[Relay]) -> None:
        self.relays = tuple(relays)
        self.weights = weights(relays)
        self.by_peer = {relay.peer: relay for relay in relays}
        self._sums: dict[Position, list[float]] = {position: self._summed(position) for position in POSITIONS}

    def _summed(self, position: Position) -> list[float]:
        sums, total = [], 0.0
        for one in self.relays:
            total += one.bandwidth * self.weights.of(one, position)
            sums.append(total)
        return sums

    def choose(self, position: Position, rng: Rng, allowed: Callable[[Relay], bool]) -> Relay | None:
        """The same as `choose`, in the same proportions: draws that are not allowed are made again."""
        sums = self._sums[position]
        if not sums or sums[-1] <= 0:
            return None
        for _ in range(TRIES):
            one = self.relays[min(bisect_right(sums, rng.random() * sums[-1]), len(sums) - 1)]
            if one.bandwidth * self.weights.of(one, position) > 0 and allowed(one):
                return one
        return choose(self.relays, position, self.weights, rng, allowed)

    def share(self, peers: Iterable[PeerId], position: Position) -> float:
        """The share of the weighted bandwidth of a position that these relays have, 0 to 1."""
        named = dict.fromkeys(peers)
        total = sum(one.bandwidth * self.weights.of(one, position) for one in self.relays)
        mine = sum(one.bandwidth * self.weights.of(one, position) for one in self.relays if one.peer in named)
        return mine / total if total else 0.0


def related(a: Relay, b: Relay) -> bool:
    """Whether two relays must not be in one circuit: the same relay, one /16, or one family (path-spec 2.2)."""
    return a.peer == b.peer or a.network == b.network or (a.family != 0 and a.family == b.family)


def path_from(
    draw: Callable[[Position, Callable[[Relay], bool]], Relay | None],
    guards: Sequence[Relay] = (),
    hops: int = 3,
    without: Sequence[Relay] = (),
) -> tuple[Relay, ...] | None:
    """A path of a circuit: the exit is drawn first, then the guard, then the middle (path-spec 2.2).

    draw: draws a relay for a position among those that are allowed; guards: those of the client, of which the first
    that may be used is taken; if there are none the first hop is drawn as well; without: relays to which no relay of
    the path may be related, as the relay that builds the circuit. The result begins with the guard. None: no path is
    possible. Raises ValueError for fewer than one hop."""
    if hops < 1:
        raise ValueError("a circuit has at least one hop")
    taken: list[Relay] = list(without)

    def free(relay: Relay) -> bool:
        return not any(related(relay, one) for one in taken)

    last = draw("exit", free)
    if last is None:
        return None
    if hops == 1:
        return (last,)
    taken.append(last)
    first = next((one for one in guards if free(one)), None) if guards else draw("guard", free)
    if first is None:
        return None
    taken.append(first)
    middle: list[Relay] = []
    for _ in range(hops - 2):
        one = draw("middle", free)
        if one is None:
            return None
        taken.append(one)
        middle.append(one)
    return (first, *middle, last)
