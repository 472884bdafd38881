"""The selection: the selected peer, the marked peers, the chosen ask, and the filter of the table of peers.

One peer is *selected*: the inspector explains it, the picture rings it. Any number may be *marked*: by a selector, by a
box drawn in the picture, one by one. Actions apply to the marked peers, and to the selected one when none is marked. As
in a file manager, a plain click removes all marks, and the arrow keys keep them.

An ask is chosen by the user, or else the latest one is *followed*.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from engine import AskId, InputError, PeerId, Swarm

from .notice import Notice

FILTER_S = 1.0
"""Wall seconds after which a filter is evaluated again: which peers `state=dead` names changes."""


class HasSwarm(Protocol):
    """Has the swarm at the cursor."""

    @property
    def swarm(self) -> Swarm: ...


class Selection:
    """What the user looks at. Selectors are evaluated against the swarm that `source` has."""

    def __init__(self, source: HasSwarm, notice: Notice) -> None:
        self._source, self._notice = source, notice
        self.selected: PeerId | None = None
        self.marked: tuple[PeerId, ...] = ()
        self.ask: AskId | None = None
        self.following = True
        """No ask was chosen: `ask` is the latest one, and the next takes its place."""
        self.filter = ""
        self._filtered: tuple[PeerId, ...] | None = None
        self._filtered_s = -1.0

    def reset(self, peers: int) -> None:
        """Another run begins, with so many peers. The selected peer stays selected if there is one of its number."""
        self.selected = self.selected if self.selected is not None and self.selected < peers else None
        self.marked, self.ask, self.following = (), None, True
        self.filter, self._filtered, self._filtered_s = "", None, -1.0

    def on_seeked(self) -> None:
        """The cursor moved: drop peers and asks that do not exist at that moment."""
        existing = len(self._source.swarm.labels)
        self.marked = tuple(peer for peer in self.marked if peer < existing)
        if self.selected is not None and self.selected >= existing:
            self.selected = None
        if self.following or (self.ask is not None and self.ask > self._source.swarm.asks_total):
            self.choose(None)
        self._filtered_s = -1.0

    def state(self) -> tuple[object, ...]:
        """All of the selection that a frame shows, to find out whether it changed."""
        return self.selected, self.marked, self.ask, self.following, self.filter

    # --- peers -----------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> tuple[PeerId, ...]:
        """The peers that actions apply to: the marked ones, else the selected one."""
        return self.marked or (() if self.selected is None else (self.selected,))

    def select(self, peer: PeerId | None, *, keep: bool = False) -> None:
        """Select a peer, or none. All marks are removed unless `keep`."""
        if not keep:
            self.marked = ()
        self.selected = peer

    def mark(self, selector: str) -> tuple[PeerId, ...]:
        """Mark the peers that a selector names and select the first. An empty text marks none."""
        try:
            found = self._source.swarm.select(selector) if selector.strip() else ()
        except InputError as error:
            self._notice.say(str(error))
            return ()
        self.mark_peers(found)
        if selector.strip() and not found:
            self._notice.say("No peer matches this now")
        return found

    def mark_peers(self, peers: Sequence[PeerId], *, add: bool = False) -> None:
        """Mark these peers, in addition to those that are marked if `add`, and select the first. A single peer is only
        selected, as with a click on it."""
        labels = self._source.swarm.labels
        those = tuple(dict.fromkeys((*self.chosen, *peers) if add else peers))
        if len(those) > 1:
            self.marked = those
            if self.selected not in those:
                self.select(those[0], keep=True)
            names = ", ".join(labels[peer] for peer in those[:4])
            more = ", …" if len(those) > 4 else ""
            self._notice.say(
                f"{len(those):,} peers marked: {names}{more}. Actions apply to all of them. {{peer.menu}}: list actions"
            )
        else:
            self.marked = ()
            if those:
                self.select(those[0])
                if peers and not add:
                    self._notice.say(f"{labels[those[0]]} selected")

    def toggle_chosen(self, peer: PeerId) -> None:
        """Add a peer to the chosen ones, or remove it: a click with ctrl."""
        chosen = self.chosen
        if peer in chosen:
            left = tuple(one for one in chosen if one != peer)
            self.marked = left if len(left) > 1 else ()
            self.select(left[0] if left else None, keep=True)
        else:
            self.marked = (*chosen, peer) if chosen else ()
            self.select(peer, keep=True)

    def toggle_mark(self, peer: PeerId) -> None:
        """Mark a peer, or remove its mark. The selected peer stays, so that an arrow key goes on to the next one."""
        if peer in self.marked:
            self.marked = tuple(one for one in self.marked if one != peer)
        else:
            self.marked = (*self.marked, peer)

    def preview(self, selector: str) -> tuple[str, bool]:
        """The peers that a selector names now, in words, or what is wrong with it; and whether something is wrong.

        It changes nothing, even where a selector chooses at random.
        """
        if not selector.strip():
            return "", False
        swarm = self._source.swarm
        try:
            peers = swarm.select(selector)
        except InputError as error:
            return str(error), True
        names = " ".join(swarm.labels[peer] for peer in peers[:6])
        many = f"{len(peers):,} peer{'s' if len(peers) > 1 else ''}"
        return f"{many}: {names}{' …' if len(peers) > 6 else ''}" if peers else "no peer matches now", False

    def completions(self, text: str) -> list[str]:
        """How a selector that is being typed may go on: whole texts, the most likely first."""
        from engine import last_word

        head = last_word(text)[0]
        return [head + word for word in self._source.swarm.completions(text)]

    # --- asks ------------------------------------------------------------------------------------------------

    def choose(self, ask: AskId | None) -> None:
        """Choose an ask; None: follow the latest."""
        self.following = ask is None
        self.ask = ask if ask is not None else self._source.swarm.asks_total or None

    def follow(self, ask: AskId) -> None:
        """An ask was issued: it is the latest. Nothing changes if the user chose one."""
        if self.following:
            self.ask = ask

    # --- the filter of the table -----------------------------------------------------------------------------

    def apply_filter(self, selector: str) -> bool:
        """Show only peers in the table that a selector names; empty: all. False, and a notice, if it is wrong."""
        try:
            self._filtered = self._source.swarm.select(selector) if selector.strip() else None
        except InputError as error:
            self._notice.say(str(error))
            return False
        self.filter, self._filtered_s = selector.strip(), -1.0
        return True

    def filtered(self, now_s: float) -> tuple[PeerId, ...] | None:
        """The peers that the filter names, evaluated again each second; None without a filter. now_s: wall seconds."""
        if self.filter and not 0 <= now_s - self._filtered_s < FILTER_S:
            self._filtered_s = now_s
            try:
                self._filtered = self._source.swarm.select(self.filter)
            except InputError:  # at another moment it may name a peer that does not exist
                self._filtered = ()
        return self._filtered
