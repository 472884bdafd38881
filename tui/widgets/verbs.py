"""What may be done to the selected peer just now: one table for the inspector's chips, the keys and the palette.

A verb that cannot be had says why. A disabled button without a reason is a riddle.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine import (
    ALIVE,
    DEAD,
    Censor,
    Collude,
    Command,
    Defect,
    Join,
    Kill,
    Leave,
    PeerId,
    Revive,
    Snapshot,
    Uncensor,
)
from tui.frame import Frame


@dataclass(frozen=True, slots=True)
class Verb:
    """`key` also does it; `tip` says what happens, or why nothing can. `command` is None when it cannot be done; for
    asking it is None too, as there is no text yet: `possible` tells."""

    key: str
    label: str
    tip: str
    possible: bool
    command: Command | None = None


def phrase_of(frame: Frame) -> str:
    """What a colluding peer would be told to hide: the text of the chosen ask, else of the latest."""
    asks = frame.snapshot.asks
    chosen = next((row.text for row in reversed(asks) if row.id == frame.ask), "")
    return chosen or (asks[-1].text if asks else "")


def asker_of(frame: Frame) -> PeerId | None:
    """Who would ask now: the selected peer, or when none is selected anybody (None).

    A peer that is gone cannot ask. Somebody who has just killed the one that answered wants to ask again, and to
    compare: then it is the peer that asked the chosen ask, if it lives.
    """
    snapshot = frame.snapshot
    if frame.selected is None or snapshot.state[frame.selected] == ALIVE:
        return frame.selected
    before = next((row.origin for row in reversed(snapshot.asks) if row.id == frame.ask), None)
    return before if before is not None and snapshot.state[before] == ALIVE else None


def verbs_for(frame: Frame) -> tuple[Verb, ...]:
    """The five verbs for the selected peer, in the order of their chips; none when no peer is selected."""
    peer = frame.selected
    if peer is None:
        return ()
    snapshot = frame.snapshot
    who = snapshot.fixed.labels[peer]
    return (
        _kill(snapshot, peer, who),
        _censor(snapshot, peer, who),
        _collude(frame, peer, who),
        _leave(snapshot, peer, who),
        _ask(snapshot, peer, who),
    )


def _kill(snapshot: Snapshot, peer: PeerId, who: str) -> Verb:
    state = snapshot.state[peer]
    if state == ALIVE:
        tip = f"{who} dies without a word: its memory goes, its disk stays. Its links close one latency later."
        return Verb("x", "Kill", tip, True, Kill(peer))
    if state == DEAD:
        return Verb("x", "Revive", f"Start {who} again, from what is on its disk.", True, Revive(peer))
    return Verb("x", "Kill", f"{who} has left, so there is nothing to kill. Have it join again first.", False)


def _censor(snapshot: Snapshot, peer: PeerId, who: str) -> Verb:
    if snapshot.censored[peer]:
        return Verb("c", "Uncensor", f"Let the traffic of {who} pass again.", True, Uncensor(peer))
    tip = f"All that {who} sends or should get vanishes on the way. It lives on; the others see only silence."
    return Verb("c", "Censor", tip, True, Censor(peer))


def _collude(frame: Frame, peer: PeerId, who: str) -> Verb:
    snapshot = frame.snapshot
    if snapshot.colluding[peer]:
        facts = frame.facts
        ban = facts.ban if facts is not None and facts.peer == peer else ""
        hidden = f"“{ban}”" if ban else "anything"
        return Verb("o", "Defect", f"{who} stops hiding {hidden}.", True, Defect(peer))
    if snapshot.state[peer] != ALIVE:
        return Verb("o", "Collude", f"{who} is {_gone(snapshot, peer)}: what does not run hides nothing.", False)
    phrase = phrase_of(frame)
    if not phrase:
        return Verb("o", "Collude", "There is no ask yet, so there is no word to hide. Ask for something first.", False)
    tip = f"{who} would hide “{phrase}”: not show it, not pass on what is about it. Nobody is told."
    return Verb("o", "Collude", tip, True, Collude(peer, phrase))


def _leave(snapshot: Snapshot, peer: PeerId, who: str) -> Verb:
    state = snapshot.state[peer]
    if state == ALIVE:
        return Verb("l", "Leave", f"{who} says goodbye as its protocol would, and goes.", True, Leave(peer))
    if state == DEAD:
        return Verb("l", "Leave", f"{who} is dead: it cannot say goodbye. Revive it first.", False)
    return Verb("l", "Join", f"{who} comes back, from what is on its disk.", True, Join(peer))


def _ask(snapshot: Snapshot, peer: PeerId, who: str) -> Verb:
    if snapshot.state[peer] != ALIVE:
        return Verb("a", "Ask from here", f"{who} is {_gone(snapshot, peer)}: it cannot ask.", False)
    return Verb("a", "Ask from here", f"Type what {who} should look for, and watch the question spread.", True)


def _gone(snapshot: Snapshot, peer: PeerId) -> str:
    return "dead" if snapshot.state[peer] == DEAD else "gone"
