"""Analyses of the chosen ask and the selected peer: facts, theory, belief view, minimum cut, next arrival."""

from __future__ import annotations

from collections.abc import Callable, Collection

from engine import (
    AskId,
    Beliefs,
    Censor,
    Command,
    InputError,
    MinimumCut,
    PeerFailed,
    PeerId,
    Theory,
    Uncensor,
    VerbOffer,
    beliefs_of,
)

from .frame import PeerFacts
from .notice import Notice
from .player import Player
from .selection import Selection

FACTS_S = 0.2
"""Wall seconds after which the facts about the selected peer are read again: its beliefs may be long."""
KEEPERS_S = 1.0
"""Wall seconds after which the keepers of a record are found again, for which each peer is asked."""
THEORY_S = 1.0
"""Wall seconds between two computations of theory while asks are followed: each computation searches all links."""
LINKS_MANY = 2_000
"""With fewer links, theory is computed for each followed ask."""
THEORIES_MAX = 50


class Analysis:
    """Computes for frames, and moves time to the next arrival."""

    def __init__(self, player: Player, selection: Selection, notice: Notice, clock: Callable[[], float]) -> None:
        self._player, self._selection, self._notice, self._clock = player, selection, notice, clock
        self.reset()

    def reset(self) -> None:
        """Another run begins."""
        self.show_belief = False
        """The picture shows what the selected peer believes."""
        self._facts: PeerFacts | None = None
        self._facts_s = -1.0
        self._facts_with = False
        """Whether contacts were read for them."""
        self._theory_s = -1e9
        self.on_seeked()

    def on_seeked(self) -> None:
        """The cursor moved: what was computed is no longer valid."""
        self.min_cut: MinimumCut | None = None
        self._theories: dict[AskId, tuple[Theory, ...]] = {}
        self._offers: tuple[VerbOffer, ...] = ()
        self._offered: tuple[PeerId, ...] = ()
        self._kept: tuple[PeerId, ...] = ()
        self._kept_of: AskId | None = None
        self.refresh_facts()

    def state(self) -> tuple[object, ...]:
        """What the user has switched on, to find out whether that changed."""
        return self.show_belief, self.min_cut

    def refresh_facts(self) -> None:
        """A command was done: read the facts again for the next frame."""
        self._facts_s = self._offers_s = self._kept_s = -1.0

    def facts(self, now_s: float, contacts: bool) -> PeerFacts | None:
        """The facts about the selected peer, not older than `FACTS_S`. now_s: wall seconds; contacts: whether somebody
        looks at its links, so that contacts are read where no stream is open."""
        peer = self._selection.selected
        if peer is None:
            return None
        facts = self._facts
        same = facts is not None and facts.peer == peer and self._facts_with == contacts
        if same and 0 <= now_s - self._facts_s < FACTS_S:
            return facts
        swarm = self._player.swarm
        program = swarm.peer(peer)
        self._facts_s, self._facts_with = now_s, contacts
        try:
            shown = swarm.shown_of(peer)
        except PeerFailed as error:
            self._player.fail(error)
            shown = ()
        streams = swarm.links_of(peer)
        links = self.neighbours((peer,)) if contacts and not streams else streams
        self._facts = PeerFacts(
            peer=peer,
            files=tuple(swarm.library(peer).files()),
            beliefs=beliefs_of(program) if program is not None else Beliefs(),
            links=links,
            contacts=bool(links) and not streams,
            ban=swarm.ban_of(peer),
            last=swarm.last_messages(peer),
            shown=shown,
            calls=swarm.open_calls(peer),
            marks=swarm.marks_of(peer),
            paths=swarm.paths_of(peer),
        )
        return self._facts

    def neighbours(self, peers: Collection[PeerId]) -> tuple[PeerId, ...]:
        """See `Swarm.neighbours_of`. Empty where the program of a peer fails, which ends the run."""
        try:
            return self._player.swarm.neighbours_of(peers)
        except PeerFailed as error:
            if not self._player.alarm:
                self._player.fail(error)
            return ()

    def offers(self, now_s: float) -> tuple[VerbOffer, ...]:
        """What can be done to the chosen peers that only this network has; not older than `FACTS_S`."""
        selection = self._selection
        chosen = selection.marked or (() if selection.selected is None else (selection.selected,))
        if chosen == self._offered and 0 <= now_s - self._offers_s < FACTS_S:
            return self._offers
        self._offered, self._offers_s = chosen, now_s
        try:
            self._offers = self._player.swarm.verbs_for(chosen)
        except PeerFailed as error:
            self._player.fail(error)
            self._offers = ()
        return self._offers

    def keepers(self, now_s: float) -> tuple[PeerId, ...]:
        """Living peers that keep a record of what the chosen ask is about; not older than `KEEPERS_S`."""
        ask, swarm = self._selection.ask, self._player.swarm
        if ask is None or not swarm.keeps_records:
            return ()
        if ask != self._kept_of or not 0 <= now_s - self._kept_s < KEEPERS_S:
            self._kept_of, self._kept_s = ask, now_s
            try:
                self._kept = swarm.keepers_of(ask)
            except PeerFailed as error:
                self._player.fail(error)
                self._kept = ()
        return self._kept

    def theory(self) -> tuple[Theory, ...]:
        """The theory of the chosen ask, computed once, when the ask was first shown, as it depends on the links of that
        moment."""
        ask = self._selection.ask
        if ask is None:
            return ()
        if ask not in self._theories:
            now_s, swarm = self._clock(), self._player.swarm
            recent = 0 <= now_s - self._theory_s < THEORY_S
            if self._selection.following and recent and swarm.edges > LINKS_MANY:
                return ()
            self._theory_s = now_s
            if len(self._theories) >= THEORIES_MAX:
                del self._theories[next(iter(self._theories))]
            self._theories[ask] = swarm.theory(ask)
        return self._theories[ask]

    def step_until(self, hop: bool) -> None:
        """Advance to the next arrival of the chosen ask, or to its next hop, and pause there."""
        ask = self._selection.ask
        if ask is None:
            return
        self._selection.choose(ask)
        step = self._player.swarm.step_until(ask, "hop" if hop else "arrival", self._player.machine)

        def chunk(budget: int) -> bool:
            complete = step(budget)
            if complete:
                self._notice.say(step.told)
            return complete

        self._player.pacer.run_until(chunk)

    def toggle_belief(self) -> None:
        """Show the network as the selected peer believes it to be, or as it is."""
        self.show_belief = not self.show_belief
        self.refresh_facts()

    def min_cut_goal(self) -> tuple[PeerId, str, str] | None:
        """The origin, the text and the goal that a minimum cut is computed for: those of the chosen ask; while asks are
        followed, the selected peer, and the text and the goal of the latest. None without an ask."""
        selection = self._selection
        if selection.ask is None:
            return None
        row = self._player.swarm.record(selection.ask)
        selected = selection.selected if selection.following else None
        return (row.origin if selected is None else selected), row.text, row.goal

    def toggle_min_cut(self) -> None:
        """Compute the fewest peers whose loss makes the search fail; or hide them."""
        goal = None if self.min_cut is not None else self.min_cut_goal()
        try:
            self.min_cut = None if goal is None else self._player.swarm.min_cut(*goal)
        except InputError as error:
            self._notice.say(str(error))

    def min_cut_command(self) -> Command | None:
        """Censors the minimum cut, or uncensors it when all of it is censored. None without a cut."""
        cut = self.min_cut
        if cut is None or not cut.peers:
            return None
        censored = self._player.swarm.snapshot().censored
        return Uncensor(cut.peers) if all(censored[peer] for peer in cut.peers) else Censor(cut.peers)
