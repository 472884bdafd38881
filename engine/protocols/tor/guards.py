"""Entry guards, and how long a circuit may take to build (guard-spec; path-spec 2.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, log

from ...api import PeerId, Rng
from ...kit import Failure, failed_again, may_be_asked
from .consensus import Relay, Table

PRIMARY = 3
"""N_PRIMARY_GUARDS: the first guards of the sample that are listed; one of them is used."""
SAMPLE_MOST = 20
RETRY_US = 600_000_000
"""A primary guard that could not be reached is tried again after ten minutes."""


@dataclass(slots=True)
class Guard:
    """A guard of the sample."""

    peer: PeerId
    added_us: int


@dataclass(slots=True)
class Guards:
    """The sample of a client, in the order in which its guards are preferred. It is on disk. down: guards that could
    not be reached."""

    sample: list[Guard] = field(default_factory=list)
    down: dict[PeerId, Failure] = field(default_factory=dict)

    def preferred(
        self, table: Table, rng: Rng, now_us: int, *, many: int, lifetime_us: int, without: Sequence[Relay] = ()
    ) -> list[Relay]:
        """Guards to build a circuit with, the best first; empty if there are none. many: how many primary guards are in
        use: if several are, as by old clients, one is drawn each time; without: relays that must not become guards."""
        self.sample = [one for one in self.sample if now_us - one.added_us < lifetime_us]
        primary = max(PRIMARY, many)
        if not self._up(table, now_us, primary):
            self._extend(table, rng, now_us, primary, without)
        found = self._up(table, now_us, primary) or self._up(table, now_us, SAMPLE_MOST)
        if not found and self.sample:
            # No guard can be reached: the fault may be at this end, so all are tried again.
            self.down.clear()
            found = self._up(table, now_us, primary)
        first = [table.by_peer[one.peer] for one in found]
        if many > 1:
            head = first[:many]
            rng.shuffle(head)
            first[:many] = head
        return first

    def _listed(self, table: Table) -> list[Guard]:
        return [one for one in self.sample if one.peer in table.by_peer and table.by_peer[one.peer].guard]

    def _up(self, table: Table, now_us: int, most: int) -> list[Guard]:
        listed = self._listed(table)[:most]
        return [one for one in listed if may_be_asked(self.down, one.peer, now_us)]

    def _extend(self, table: Table, rng: Rng, now_us: int, wanted: int, without: Sequence[Relay]) -> None:
        """Draw further guards, until so many of the sample are listed and up, or the sample is full."""
        taken = dict.fromkeys([*(one.peer for one in self.sample), *(one.peer for one in without)])
        while len(self.sample) < SAMPLE_MOST and len(self._up(table, now_us, SAMPLE_MOST)) < wanted:
            drawn = table.choose("guard", rng, lambda one: one.peer not in taken)
            if drawn is None:
                break
            taken[drawn.peer] = None
            self.sample.append(Guard(drawn.peer, now_us))

    def reached(self, peer: PeerId) -> None:
        """A circuit was opened over a guard."""
        self.down.pop(peer, None)

    def failed(self, peer: PeerId, now_us: int) -> None:
        """A guard could not be reached."""
        failed_again(self.down, peer, now_us, RETRY_US)

    def packed(self) -> tuple[tuple[PeerId, int], ...]:
        """The sample as it is saved on disk."""
        return tuple((one.peer, one.added_us) for one in self.sample)

    @staticmethod
    def unpacked(kept: Sequence[tuple[PeerId, int]]) -> Guards:
        """The guards of a sample from disk; none of them counts as down."""
        return Guards([Guard(peer, added_us) for peer, added_us in kept])


TIMES_MOST, TIMES_LEAST = 1_000, 100
INITIAL_MS, LEAST_MS = 60_000, 10
QUANTILE, BIN_MS, MODES = 0.80, 10, 10
FIT_EVERY = 10
"""Times after which the distribution is fitted again."""
RECENT, RECENT_MOST = 20, 18


@dataclass(slots=True)
class BuildTimes:
    """How long circuits took to build, in ms, and the timeout of the next ones: once 100 times are known, the 0.80
    quantile of the Pareto distribution that fits them; 60 s before."""

    times_ms: list[int] = field(default_factory=list)
    timed_out: list[bool] = field(default_factory=list)
    """For each of the last circuits whose first hop was built, whether it took too long."""
    since_fit: int = 0
    """Times that came after the distribution was fitted for the last time."""
    timeout_ms: int = INITIAL_MS

    def built(self, took_ms: int) -> None:
        """A circuit is open."""
        self.times_ms = [*self.times_ms, took_ms][-TIMES_MOST:]
        self._recent(False)
        self.since_fit += 1
        if len(self.times_ms) >= TIMES_LEAST and self.since_fit >= FIT_EVERY:
            self.since_fit = 0
            self.timeout_ms = max(LEAST_MS, pareto_quantile(self.times_ms, QUANTILE))

    def too_slow(self) -> None:
        """A circuit whose first hop was built took too long. If 18 of the last 20 did, the network has changed: all
        times are forgotten, and the timeout is 60 s again, or twice as long as before if it was 60 s or more."""
        self._recent(True)
        if sum(self.timed_out) >= RECENT_MOST:
            self.timeout_ms = INITIAL_MS if self.timeout_ms < INITIAL_MS else min(2 * self.timeout_ms, 600_000)
            self.times_ms, self.timed_out, self.since_fit = [], [], 0

    def _recent(self, late: bool) -> None:
        self.timed_out = [*self.timed_out, late][-RECENT:]


def pareto_quantile(times_ms: Sequence[int], quantile: float) -> int:
    """The quantile of the Pareto distribution that fits these times (path-spec 2.4.2), in whole ms. The least value of
    the distribution is the mean of the ten most frequent bins of 10 ms."""
    bins = Counter(time // BIN_MS * BIN_MS + BIN_MS // 2 for time in times_ms)
    modes = sorted(bins.items(), key=lambda one: (-one[1], one[0]))[:MODES]
    least = sum(middle * count for middle, count in modes) / sum(count for _, count in modes)
    total = sum(log(max(time, least) / least) for time in times_ms)
    if total <= 0:
        return round(least)
    return int(least * exp(-log(1 - quantile) * total / len(times_ms)) + 0.5)
