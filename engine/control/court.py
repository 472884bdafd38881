"""The court: whoever answers is censored, a set time later.

It is part of the world and not of the dashboard, so that a scenario can convene it, a recording holds one command
instead of each order, and a run repeats. The court reads hits, as a plaintiff does who asks like anybody else: the
peer that a hit names is whom the order is against. Between the answer and the order lies `after_us`, the time that
justice takes; a peer goes on answering until then. Orders stand when the court adjourns: only those that were not
served yet lapse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..api import PeerId
from ..commands import Censor, Command
from ..measure.snapshot import Docket


@dataclass(slots=True)
class Order:
    """An engine timer: a peer is to be censored now, unless the sitting it was ordered in is over."""

    peer: PeerId
    sitting: int


class Bench:
    """`later(delay_us, tick)` sets an engine timer, `served(command)` has it done at the end of this instant."""

    def __init__(self, later: Callable[[int, Order], None], served: Callable[[Command], None]) -> None:
        self._later = later
        self._served = served
        self._sitting = 0
        self._pending: dict[PeerId, None] = {}
        self.after_us: int | None = None
        self.orders = 0
        self.answers = 0
        self.answers_after = 0

    def convene(self, after_us: int) -> None:
        """From now on. Sitting already, it only changes its pace: the score goes on."""
        if self.after_us is None:
            self.orders = self.answers = self.answers_after = 0
        self.after_us = after_us

    def adjourn(self) -> None:
        """No more orders; those under way lapse."""
        self.after_us = None
        self._sitting += 1
        self._pending = {}

    def hit(self, holder: PeerId, censored: bool) -> None:
        """Somebody learned that `holder` has what was asked for."""
        if self.after_us is None:
            return
        self.answers += 1
        self.answers_after += self.orders > 0
        if not censored and holder not in self._pending:
            self._pending[holder] = None
            self._later(self.after_us, Order(holder, self._sitting))

    def rang(self, order: Order) -> None:
        """The time has come."""
        if order.sitting == self._sitting:
            del self._pending[order.peer]
            self.orders += 1
            self._served(Censor((order.peer,)))

    def docket(self) -> Docket | None:
        """How it stands; None while no court sits."""
        if self.after_us is None:
            return None
        return Docket(self.after_us, self.orders, len(self._pending), self.answers, self.answers_after)
