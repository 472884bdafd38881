"""How a peer finds the network: what it is told when it starts, whether it got in, and why not.

When a run begins it has been going on for a while, and each peer knows some living others, or all, as `Peer.knows`
says. Who starts later knows the bootstrap peers and nobody else: stations, where there are any, or a few well-known
peers of the beginning. They may be killed as any other; then a newcomer calls in vain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .api import PeerId
from .errors import PeerFailed
from .measure.snapshot import STATES
from .sim.rng import Stream

if TYPE_CHECKING:
    from .simulation import Town

CONTACTS = 8
"""How many living peers each knows of when a run begins, and how many well-known ones there are for who comes later."""


def publish(town: Town, up: NDArray[np.int64]) -> None:
    """Choose whom everybody will know, among those that are `up` when the run begins."""
    nat = town.desk.links.nat
    if nat is not None:
        # Who cannot be called cannot be well-known.
        up = up[~np.array(nat.behind, np.bool_)[up]]
    some = Stream(f"{town.seed}/bootstrap").sample(range(len(up)), min(CONTACTS, len(up)))
    known = sorted(up[some].tolist()) if town.program.overlay or not town.stations else ()
    town.bootstrap = (*town.stations, *known)


def contacts(town: Town, peer: PeerId, living: NDArray[np.int64] | None = None) -> Sequence[PeerId]:
    """What a peer is told; `living` are those that are up when the run begins, and None is for who starts later."""
    if living is None:
        return tuple(one for one in town.bootstrap if one != peer)
    if town.crew[peer].knows == "everyone":
        return range(town.n) if not town.stations else (*town.stations, *town.users())
    some = town.published.sample(range(len(living)), min(CONTACTS + 1, len(living)))
    others = [other for other in living[some].tolist() if other != peer][:CONTACTS]
    return (*(s for s in town.stations if s != peer), *others)


def has_joined(town: Town, peer: PeerId) -> bool:
    """Whether a living peer says that it has found its way in."""
    program = town.programs[peer]
    assert program is not None
    try:
        return program.joined(tuple(town.streams.near[peer]))
    except Exception as error:
        raise PeerFailed(peer, "joined", error) from error


def why_not(town: Town) -> str:
    """What those are through whom a newcomer finds the network, in words."""
    if not town.bootstrap:
        return "there are no bootstrap peers"
    counts: dict[str, int] = {}
    for peer in town.bootstrap:
        word = "censored" if town.censored[peer] else STATES[town.state[peer]]
        counts[word] = counts.get(word, 0) + 1
    many = len(town.bootstrap)
    if many == 1:
        return f"the one bootstrap peer, {town.labels[town.bootstrap[0]]}, is {next(iter(counts))}"
    return f"of {many} bootstrap peers {', '.join(f'{count} are {word}' for word, count in counts.items())}"
