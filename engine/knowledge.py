"""What a peer can tell a watcher of itself: what it believes, and what a textbook foretells for its network.

A part of `api`, which protocols import it from; apart from it for length.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Belief:
    """What one peer holds to be so about another. `heard_us` is None for hearsay, else when it last spoke; `what` is
    in the protocol's own words; `alive` whether it is counted on, None for no opinion; `files` how many it is said
    to share, None for no idea."""

    heard_us: int | None = None
    what: str = ""
    alive: bool | None = None
    files: int | None = None


@dataclass(slots=True)
class Beliefs:
    """What one peer knows: other peers, and facts in the protocol's own words for the inspector."""

    known: dict[int, Belief] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Theory:
    """A figure that a protocol foretells for an ask. `of` is a figure of the account ("reached", "messages",
    "duplicates", "hops"), or any other name, which is told by itself; `why` the formula, in a few words."""

    of: str
    value: float
    why: str = ""
