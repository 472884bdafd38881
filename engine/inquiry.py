"""What a watcher may ask of a swarm: its parameters, and questions that cost a search each.

A part of the facade, see `swarm.Swarm`, and apart from it for length.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from .analysis.min_cut import Silencing, silencing
from .analysis.stepping import Hunt, Quarry
from .analysis.theory import theory_of
from .api import AskId, PeerId, Theory
from .errors import InputError
from .measure.asks import Account
from .simulation import Town

if TYPE_CHECKING:
    from .control.arrivals import Crowds
    from .control.workload import Life
    from .pacer import Engine


class Inquiry:
    """A mixin of `Swarm`."""

    town: Town

    @property
    def labels(self) -> tuple[str, ...]:
        """What each peer is called, index = PeerId."""
        return tuple(self.town.labels)

    if TYPE_CHECKING:  # what Swarm has
        life: Life
        crowds: Crowds

        def _account(self, ask: AskId) -> Account: ...

    def theory(self, ask: AskId) -> tuple[Theory, ...]:
        """What a textbook foretells for an ask over the links as they stand: a search through them all."""
        return theory_of(self.town, self._account(ask), self.labels)

    def silencing(self, origin: PeerId, text: str) -> Silencing:
        """How few peers stand between a peer and what it wants, see `engine.analysis.min_cut`."""
        if not 0 <= origin < self.town.n:
            raise InputError(f"there is no peer #{origin}: they are #0 to #{self.town.n - 1}")
        return silencing(self.town, self.labels, origin, text)

    def hunt(self, ask: AskId, quarry: Quarry, engine: Engine | None = None) -> Hunt:
        """To go on to the next arrival of an ask, or its next hop; see `engine.analysis.stepping`. `engine` moves time, where
        that is not the swarm itself."""
        swarm: Any = self
        return Hunt(swarm, self._account(ask), quarry, engine)

    def settings(self) -> dict[str, object]:
        """Parameters as they are now: those of the world and the protocol's options."""
        options = self.town.desk.options
        return {
            "churn": self.life.churn_spec,
            "polite": self.life.polite,
            "arrivals": self.crowds.spec.law,
            "loss": self.town.desk.links.loss,
            "latency": self.town.desk.links.factor,
            "asks": self.life.asks_per_s,
            "jitter": self.town.desk.links.jitter_us / 1000,
            **({"capacity": pipes.factor} if (pipes := self.town.desk.links.pipes) is not None else {}),
            **({f.name: getattr(options, f.name) for f in fields(options)} if options is not None else {}),
        }
