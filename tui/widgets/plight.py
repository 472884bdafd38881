"""How a peer is, in a word: its state, or the gravest of what was done to it."""

from __future__ import annotations

from engine import STATES, PeerId, Snapshot
from tui.session.frame import Frame


def state_word(frame: Frame, peer: PeerId) -> str:
    """`alive`, `dead` or `left`; of one that is up and censored, colluding, poisoned or held, that."""
    snapshot = frame.snapshot
    word = STATES[int(snapshot.state[peer])]
    if word != "alive":
        return word
    return next(iter(plights(snapshot, peer)), word)


def plights(snapshot: Snapshot, peer: PeerId) -> list[str]:
    """What was done to a peer beside its state, the gravest first: censored, colluding, poisoned, held."""
    names = ("censored", "colluding", "poisoned", "held")
    columns = ((name, getattr(snapshot, name)) for name in names)
    return [name for name, column in columns if peer < len(column) and column[peer]]
