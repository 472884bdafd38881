"""What a person wants to know of an ask or a peer beyond the picture: the session's other half.

Theory, what a peer believes, who stands between, and going on to the next arrival. Apart from `session.py` because none
of it moves time by itself or chooses what is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine import Adjourn, AskId, Censor, Command, Court, InputError, MinimumCut, Pacer, PeerId, Theory, Uncensor

if TYPE_CHECKING:
    from engine import Swarm, TimeMachine

COURT_S = 2.0
THEORY_S = 1.0
"""Theory of a followed ask is worked out this often at most, in wall seconds: it searches all links."""
THEORIES_MOST = 50


class Inquiry:
    """A mixin of `Session`."""

    live: Pacer
    machine: TimeMachine
    ask: AskId | None
    following: bool
    selected: PeerId | None
    _clock: Callable[[], float]
    _facts_at: float

    if TYPE_CHECKING:  # what Session has

        @property
        def swarm(self) -> Swarm: ...
        def do(self, command: Command) -> tuple[PeerId, ...]: ...
        def say(self, sentence: str) -> None: ...
        def touch(self) -> None: ...

    def forget_inquiry(self) -> None:
        """Of a swarm that was."""
        self.believing = False
        self.silencing: MinimumCut | None = None
        self._theories: dict[AskId, tuple[Theory, ...]] = {}
        self._theory_s = -1e9

    def theory(self) -> tuple[Theory, ...]:
        """Of the chosen ask, as it was when it was first looked at: links change, and its figures with them."""
        ask = self.ask
        if ask is None:
            return ()
        if ask not in self._theories:
            now = self._clock()
            if self.following and 0 <= now - self._theory_s < THEORY_S and self.swarm.edges > 2_000:
                return ()
            self._theory_s = now
            if len(self._theories) >= THEORIES_MOST:
                del self._theories[next(iter(self._theories))]
            self._theories[ask] = self.swarm.theory(ask)
        return self._theories[ask]

    def pursue(self, hop: bool) -> None:
        """Go on to the next arrival of the chosen ask, or to its next hop, and stop there."""
        if self.ask is None:
            return
        self.following = False
        step = self.swarm.step_until(self.ask, "hop" if hop else "arrival", self.machine)

        def chunk(budget: int) -> bool:
            over = step(budget)
            if over:
                self.say(step.told)
            return over

        self.live.run_until(chunk)
        self.touch()

    def believe(self) -> None:
        """Show the network as the selected peer believes it to be, or as it is."""
        self.believing = not self.believing
        self._facts_at = -1.0
        self.touch()

    def wanted(self) -> tuple[PeerId, str] | None:
        """Who wants what: the asker of a chosen ask, or the selected peer what the latest ask is about."""
        if self.ask is None:
            return None
        row = self.swarm.record(self.ask)
        chosen = self.selected if self.following and self.selected is not None else row.origin
        return chosen, row.text

    def silence(self) -> None:
        """Work out whom it would take to silence; or put that away."""
        wanted = None if self.silencing is not None else self.wanted()
        try:
            self.silencing = None if wanted is None else self.swarm.min_cut(*wanted)
        except InputError as error:
            self.say(str(error))
        self.touch()

    def censor_set(self) -> None:
        """Censor the set that was found; when all of it is, lift that again."""
        found = self.silencing
        if found is not None and found.peers:
            blocked = self.swarm.snapshot().censored
            all_blocked = all(blocked[p] for p in found.peers)
            self.do(Uncensor(found.peers) if all_blocked else Censor(found.peers))

    def court(self) -> None:
        """Convene a court, or have it rise."""
        court_status = self.swarm.snapshot().court
        if court_status is None:
            self.do(Court(COURT_S))
            self.say(f"A court sits: whoever answers is censored {COURT_S:g} s later. {{run.court}} ends it.")
        else:
            self.do(Adjourn())
            self.say(
                f"The court rises. Its {court_status.orders} orders stand: {{peer.filter}} state=censored finds them."
            )
