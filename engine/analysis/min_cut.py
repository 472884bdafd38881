"""How few peers would have to be silenced to keep an asker from what it wants?

The question that tells an architecture apart: an index is one peer, an overlay is as many as the asker has neighbours
or the title has holders. Ways lead over open streams between peers that are up, not censored, on the asker's side of
a partition, and not themselves suppressing the title. How far a question goes is left out: a TTL can only make the
set smaller than what is told here, never larger.

Who wants nothing in particular (a rumour) is asked about in the same words: whom would it take to keep it from
everybody else?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..api import PeerId, mentions, words_of
from ..errors import plain
from ..measure.snapshot import ALIVE
from ..simulation import Town
from .cuts import vertex_cut
from .facts import distance
from .verdict import plural

NAMED = 4


@dataclass(frozen=True, slots=True)
class Silencing:
    """The smallest set between `origin` and `text`: `peers`, empty where there is none; `holders` who could answer;
    `sentence` says it, or why there is none."""

    origin: PeerId
    text: str
    peers: tuple[PeerId, ...]
    holders: tuple[PeerId, ...]
    sentence: str


def silencing(town: Town, labels: Sequence[str], origin: PeerId, text: str) -> Silencing:
    """Of a title that `origin` wants, as things stand."""
    who, what = labels[origin], f"“{plain(text, limit=40)}”"

    def none(sentence: str, holders: Sequence[PeerId] = ()) -> Silencing:
        return Silencing(origin, text, (), tuple(holders), sentence)

    if town.state[origin] != ALIVE or town.censored[origin]:
        return none(f"{who} is {'censored' if town.censored[origin] else 'not up'}: it is silenced already.")
    silent = _silent(town, origin, text)
    if town.program.wants == "broadcast":
        return none(_broadcast(town, who, origin, silent))
    served = any(kind.has_all for kind in town.crew)
    if not served and town.shelves[origin].matching(text):
        return none(f"{who} has {what} itself: nobody stands between.")
    holders = [p for p in range(town.n) if p != origin and not silent[p] and _holds(town, p, text, served)]
    if not holders:
        return none(f"Nobody who is up and would answer has {what}: there is nobody left to silence.")
    if not town.streams.near[origin] and town.crew[origin].knows == "everyone":
        told = f"{who} can call anybody itself: all {plural(len(holders), 'holder')} of {what} would have to go."
        return Silencing(origin, text, tuple(holders), tuple(holders), told)
    near = [[q for q in row if not silent[q]] if not silent[p] else [] for p, row in enumerate(town.streams.near)]
    if distance(town, origin, holders) is None:
        return none(f"{who} has no way to {what} over the links as they stand: it is cut off already.", holders)
    peers = vertex_cut(near, origin, holders)
    names = ", ".join(labels[p] for p in peers[:NAMED]) + (" …" if len(peers) > NAMED else "")
    told = f"Silencing {plural(len(peers), 'peer')} ({names}) cuts {who} off from {what}"
    share = f"; {len(holders):,} could answer." if len(holders) > 1 else "."
    return Silencing(origin, text, peers, tuple(holders), told + share)


def _silent(town: Town, origin: PeerId, text: str) -> list[bool]:
    """Who passes nothing on: down, censored, behind a partition, or suppressing the title without a leak."""
    bans, group, words = town.rules.bans, town.rules.group, words_of(text)
    silent = [
        bool(state != ALIVE) or blocked or side != group[origin]
        for state, blocked, side in zip(town.state.tolist(), town.rules.censored, group, strict=True)
    ]
    for peer, (word, leak) in bans.items():
        silent[peer] = silent[peer] or (leak == 0 and mentions(words, word))
    return silent


def _holds(town: Town, peer: PeerId, text: str, served: bool) -> bool:
    """Whether it would answer: from its library, or, where everybody is `served`, as a server that has everything."""
    return town.crew[peer].has_all if served else bool(len(town.shelves[peer]) and town.shelves[peer].matching(text))


def _broadcast(town: Town, who: str, origin: PeerId, silent: Sequence[bool]) -> str:
    others = sum(1 for p in town.users() if p != origin and not silent[p])
    if not town.streams.near[origin]:
        return (
            f"Nobody keeps connections here: {who} tells any of {plural(others, 'living peer')} by lot, and so does "
            "each of them. No few peers stand between; only silencing the teller itself would do."
        )
    near = [q for q in town.streams.near[origin] if not silent[q]]
    return f"{who} tells its {plural(len(near), 'neighbour')}: without them nobody else would hear of it."
