"""Names of peers in a text, each of which a click selects."""

from __future__ import annotations

from collections.abc import Iterable

from engine import STATES, PeerId, Snapshot

from .text import Row, Span, width_of


class Name(str):
    """The name of a peer as a part of a row: whoever is clicked on it learns who is meant."""

    peer: PeerId

    @classmethod
    def of(cls, snapshot: Snapshot, peer: PeerId) -> Name:
        """A peer's label."""
        name = cls(snapshot.fixed.labels[peer])
        name.peer = peer
        return name


def names(snapshot: Snapshot, peers: Iterable[PeerId], room: int, ink: str = "text") -> list[Span]:
    """As many names as fit into so many cells, each in the ink of its state where that is not alive."""
    spans: list[Span] = []
    for peer in peers:
        name = Name.of(snapshot, peer)
        if width_of(spans) + len(name) + 1 > room - 2:
            return [*spans, (" …", "dim")]
        state = STATES[int(snapshot.state[peer])]
        spans += [(" ", "text"), (name, ink if state == "alive" else state)]
    return spans


def peer_at(row: Row, x: int) -> PeerId | None:
    """Whose name stands at a cell of a row, if anybody's does."""
    for text, _ in row:
        wide = width_of([(text, "")])
        if 0 <= x < wide:
            return text.peer if isinstance(text, Name) else None
        x -= wide
    return None
