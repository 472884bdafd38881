"""Runs a swarm until the next event of one ask: its next arrival, or its next hop.

The run is done in steps of some deliveries, so that a screen can be drawn between them. Before each instant, its bucket
is searched for messages of the ask; this takes about as long as delivering them. The run ends after the first instant
with such a message, when the ask has closed, or after `SPAN_US`, and a sentence says which.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np

from ..measure.asks import AskRecord
from ..sim.kernel import HOP_BITS, HOP_MASK, KIND_MASK, KIND_SHIFT, split
from ..simulation import Simulation

StepTarget = Literal["arrival", "hop"]
SPAN_US = 60_000_000
"""The most virtual time that is run: longer than the timeouts of the networks."""
STEP_DELIVERIES = 2_000
NAMED = 3
"""Arrivals that the sentence names."""
PART_WORDS = ("asks", "answers", "serves", "greets", "notifies")


class Mover(Protocol):
    """Advances virtual time: a swarm, or a time machine, which repeats logged commands on the way."""

    def advance(self, until_us: int, budget: int | None = None) -> int:
        """See `Swarm.advance`."""


class StepUntil:
    """A run until the next arrival or the next hop of an ask. Call it until it returns True.

    record: the record of the ask; target: "arrival" or "hop"; mover: advances time; span_us: the most virtual time to
    run, in us.

    told: a sentence that says how the run ended, "" before; found: number of arrivals in the instant that ended it.
    """

    def __init__(
        self, sim: Simulation, record: AskRecord, target: StepTarget, mover: Mover, span_us: int = SPAN_US
    ) -> None:
        self._simulation = sim
        self._mover = mover
        self._record = record
        self._target = target
        self._kernel = sim.kernel
        self._until_us = sim.kernel.now_us + span_us
        self._span_us = span_us
        self._deepest = record.deepest
        self._rows: list[tuple[int, int, int, int, bool]] = []
        self.found = 0
        self.told = ""
        if target == "hop" and record.closed_us is None and not self._question_under_way():
            self.told = self._no_deeper()

    def __call__(self, budget: int = STEP_DELIVERIES) -> bool:
        """Advance by about `budget` deliveries. True when the run has ended. Raises PeerFailed, as `advance` does."""
        mover, kernel = self._mover, self._kernel
        left = max(1, budget)
        while not self.told:
            if kernel.mid_instant:
                left -= mover.advance(kernel.now_us, left)
            elif self._rows:
                self._check_target()
            elif self._record.closed_us is not None:
                self.told = f"Ask {self._record.id} is over: no message of it is under way."
            elif not kernel.instants or kernel.instants[0] > self._until_us:
                mover.advance(self._until_us, 1)
                self.told = f"Nothing of ask {self._record.id} arrived within {self._span_us / 1e6:g} s."
            else:
                at_us = kernel.instants[0]
                self._rows = self._due(at_us)
                left -= max(1, mover.advance(at_us, max(1, left)))
            if left <= 0 and not self.told:
                return False
        return True

    def _reaches(self, part: int) -> bool:
        """Whether the arrival of a message with this part counts as reaching a peer, see `Goal.reached_by`."""
        return bool(self._record.reached_by >> part & 1)

    def _no_deeper(self) -> str:
        record = self._record
        return f"No question of ask {record.id} is under way: the deepest hop was {record.deepest}."

    def _question_under_way(self) -> bool:
        """Whether a question of the ask is under way. The search ends at the first one found."""
        ask, parts = self._record.id, self._simulation.shared.parts
        return any(
            envelope[2] and self._reaches(parts[envelope[5] >> KIND_SHIFT & KIND_MASK]) and _hop(envelope[2], ask) >= 0
            for bucket in self._kernel.messages.values()
            for envelope in bucket[1::2]
        )

    def _due(self, at_us: int) -> list[tuple[int, int, int, int, bool]]:
        """Messages of the ask that are due then: (from, to, part, hop, whether a question has reached `to` before)."""
        ask, parts = self._record.id, self._simulation.shared.parts
        rows = []
        for to, envelope in zip(*split(self._kernel.messages.get(at_us, [])), strict=True):
            hop = _hop(envelope[2], ask)
            if hop < 0:
                continue
            part = parts[envelope[5] >> KIND_SHIFT & KIND_MASK]
            if self._target == "hop" and not self._reaches(part):
                continue
            for one in to if to.__class__ is tuple else (to,):
                one = one if one >= 0 else -1 - one
                rows.append((envelope[0], one, part, hop, self._reaches(part) and self._record.heard(one)))
        return rows

    def _check_target(self) -> None:
        """After an instant with messages of the ask: end the run if the target is reached."""
        rows, self._rows = self._rows, []
        sim, record = self._simulation, self._record
        sim.metrics.flush()
        if self._target == "hop":
            if record.deepest <= self._deepest:
                if not self._question_under_way():
                    self.told = self._no_deeper()
                return
            # Where peers are referred to each other, the hop of a message follows from the tree.
            found = (to for _, to, _, hop, again in rows if not again and (record.referred or hop == record.deepest))
            reached = sum(1 for to in found if not record.referred or record.hop_of(to) == record.deepest)
            peers = f"{reached} peer{'s' if reached != 1 else ''}"
            self.told = f"Hop {record.deepest}: the question is at {peers} there so far."
        else:
            lost = record.lost.view()
            now = np.flatnonzero(lost.at_us == sim.kernel.now_us).tolist()
            self.told = self._sentence(rows, {int(lost.to[i]): lost.reasons[lost.reason[i]] for i in now})
        self.found = len(rows)

    def _sentence(self, rows: list[tuple[int, int, int, int, bool]], died: dict[int, str]) -> str:
        labels = self._simulation.labels
        said = []
        for frm, to, part, hop, again in rows[:NAMED]:
            tail = f" (hop {hop})" if self._reaches(part) else ""
            if to in died:
                tail = f": lost ({died[to]})"
            elif again:
                tail = " again, nothing new"
            said.append(f"{labels[frm]} {PART_WORDS[part]} {labels[to]}{tail}")
        more = len(rows) - len(said)
        return ", ".join(said) + (f", and {more:,} more" if more else "") + "."


def _hop(cause: Any, ask: int) -> int:
    """At which hop of `ask` a message is, or -1 when it does not descend from it."""
    for one in cause if cause.__class__ is tuple else (cause,):
        if one >> HOP_BITS == ask:
            return int(one & HOP_MASK)
    return -1
