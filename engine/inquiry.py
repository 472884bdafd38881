"""Questions that a watcher puts to a swarm and that cost a search each, so nobody asks them for every frame.

A part of the facade, see `swarm.Swarm`, and apart from it for length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .accounts import Account
from .api import AskId, PeerId, Theory
from .errors import InputError
from .hunt import Hunt, Quarry
from .silencing import Silencing, silencing
from .theory import theory_of
from .town import Town


class Inquiry:
    """A mixin of `Swarm`."""

    town: Town

    @property
    def labels(self) -> tuple[str, ...]:
        """What each peer is called, index = PeerId."""
        return tuple(self.town.labels)

    if TYPE_CHECKING:  # what Swarm has

        def _account(self, ask: AskId) -> Account: ...

    def theory(self, ask: AskId) -> tuple[Theory, ...]:
        """What a textbook foretells for an ask over the links as they stand: a search through them all."""
        return theory_of(self.town, self._account(ask), self.labels)

    def silencing(self, origin: PeerId, text: str) -> Silencing:
        """How few peers stand between a peer and what it wants, see `engine.silencing`."""
        if not 0 <= origin < self.town.n:
            raise InputError(f"there is no peer #{origin}: they are #0 to #{self.town.n - 1}")
        return silencing(self.town, self.labels, origin, text)

    def hunt(self, ask: AskId, quarry: Quarry) -> Hunt:
        """To go on to the next arrival of an ask, or its next hop; see `engine.hunt`."""
        swarm: Any = self
        return Hunt(swarm, self._account(ask), quarry)
