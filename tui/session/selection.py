"""Whom and what a person looks at: the selected peer, the marked ones, the chosen ask. A mixin of `Session`.

One peer is *selected*: the inspector explains it, the picture rings it. Any number may be *marked*: by a selector, by a
box drawn in the picture, one by one. Verbs act on the marked peers, and on the selected one when none is marked
(`Frame.chosen`). As in a file manager, a plain click unmarks all, and the arrows walk on and leave the marks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine import AskId, InputError, PeerId, Swarm, last_word

SIFT_S = 1.0
"""A filter is looked at again this often, in wall seconds: `state=dead` names others by and by."""


class Choosing:
    """Needs a swarm, and what a session does with a choice."""

    selected: PeerId | None
    marked: tuple[PeerId, ...]
    ask: AskId | None
    following: bool
    sieve: str
    _sifted: tuple[PeerId, ...] | None
    _sifted_at: float
    _facts_at: float

    if TYPE_CHECKING:  # what Session has

        @property
        def swarm(self) -> Swarm: ...
        def touch(self) -> None: ...
        def say(self, sentence: str) -> None: ...

    def select(self, peer: PeerId | None, *, keep: bool = False) -> None:
        """Choose a peer, or none. `keep`: what is marked stays so, or else nothing is marked any more."""
        if not keep and self.marked:
            self.marked = ()
            self.touch()
        if peer != self.selected:
            self.selected, self._facts_at = peer, -1.0
            self.touch()

    def choose(self, ask: AskId | None) -> None:
        """Choose an ask to look at; None goes back to following the latest."""
        self.following = ask is None
        if ask is None:
            asks = self.swarm.snapshot().asks
            ask = asks[-1].id if asks else None
        self.ask = ask
        self.touch()

    def mark(self, selector: str) -> tuple[PeerId, ...]:
        """Mark the peers that a selector names and select the first. An empty text marks none."""
        try:
            found = self.swarm.select(selector) if selector.strip() else ()
        except InputError as error:
            self.say(str(error))
            return ()
        self.mark_peers(found)
        if selector.strip() and not found:
            self.say("no peer is like that just now")
        return found

    def mark_peers(self, peers: Sequence[PeerId], *, add: bool = False) -> None:
        """Mark these, and those that are marked already if they are added. The first is selected; one alone is only
        selected, as a click on it would do."""
        before = self._so_far() if add else ()
        those = tuple(dict.fromkeys((*before, *peers)))
        if len(those) > 1:
            self.marked = those
            if self.selected not in those:
                self.select(those[0], keep=True)
            names = ", ".join(self.swarm.labels[peer] for peer in those[:4])
            more = ", …" if len(those) > 4 else ""
            self.say(f"{len(those):,} peers marked: {names}{more}. Verbs act on all of them; {{peer.menu}} lists them")
        else:
            self.marked = ()
            if those:
                self.select(those[0])
                if peers and not add:
                    self.say(f"{self.swarm.labels[those[0]]} selected")
        self.touch()

    def toggle(self, peer: PeerId) -> None:
        """Choose one peer beside those chosen already, or no more: a click with ctrl."""
        those = self._so_far()
        if peer in those:
            left = tuple(one for one in those if one != peer)
            self.marked = left if len(left) > 1 else ()
            self.select(left[0] if left else None, keep=True)
        else:
            self.marked = (*those, peer) if those else ()
            self.select(peer, keep=True)
        self.touch()

    def tag(self, peer: PeerId) -> None:
        """Mark a peer, or no more. The selection stays where it is: the next peer is an arrow away."""
        if peer in self.marked:
            self.marked = tuple(one for one in self.marked if one != peer)
        else:
            self.marked = (*self.marked, peer)
        self.touch()

    def _so_far(self) -> tuple[PeerId, ...]:
        return self.marked or (() if self.selected is None else (self.selected,))

    def wonder(self, selector: str) -> tuple[str, bool]:
        """Whom a selector means just now, in words, or what is wrong with it; and whether something is wrong.

        Looking changes nothing, even where a selector draws by lot.
        """
        if not selector.strip():
            return "", False
        try:
            peers = self.swarm.select(selector)
        except InputError as error:
            return str(error), True
        names = " ".join(self.swarm.labels[peer] for peer in peers[:6])
        many = f"{len(peers):,} peer{'s' if len(peers) > 1 else ''}"
        return f"{many}: {names}{' …' if len(peers) > 6 else ''}" if peers else "nobody just now", False

    def completions(self, text: str) -> list[str]:
        """How a selector that is being typed may go on: whole texts, the likeliest first."""
        head = last_word(text)[0]
        return [head + word for word in self.swarm.completions(text)]

    def chosen_then(self) -> None:
        """It is another moment: who is not born yet cannot be chosen, nor an ask that nobody has issued."""
        born = len(self.swarm.labels)
        self.marked = tuple(peer for peer in self.marked if peer < born)
        if self.selected is not None and self.selected >= born:
            self.selected = None
        if self.following or (self.ask is not None and self.ask > self.swarm.snapshot().asks_total):
            self.choose(None)
        self._sifted_at = -1.0

    # --- the table of peers --------------------------------------------------------------------------------

    def sift(self, selector: str) -> bool:
        """Show only those in the table whom a selector names; empty for all. False, and a notice, if it is wrong."""
        try:
            self._sifted = self.swarm.select(selector) if selector.strip() else None
        except InputError as error:
            self.say(str(error))
            return False
        self.sieve, self._sifted_at = selector.strip(), -1.0
        self.touch()
        return True

    def _sift(self, now_s: float) -> tuple[PeerId, ...] | None:
        if self.sieve and not 0 <= now_s - self._sifted_at < SIFT_S:
            self._sifted_at = now_s
            self._sifted = self.swarm.select(self.sieve)
        return self._sifted
