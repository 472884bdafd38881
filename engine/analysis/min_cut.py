"""How few peers would have to be silenced to keep an asker from what it wants?

The question that tells an architecture apart: an index is one peer, an overlay is as many as the asker has neighbours
or the title has holders. Ways lead over open streams between peers that are up, not censored, on the asker's side of
a partition, and not themselves suppressing the title. How far a question goes is left out: a TTL can only make the
set smaller than what is told here, never larger.

Who wants nothing in particular (a rumour) is asked about in the same words: whom would it take to keep it from
everybody else?
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..api import PeerId, mentions, words_of
from ..errors import plain
from ..measure.snapshot import ALIVE
from ..simulation import Simulation
from .verdict import distance, plural

# The smallest set of nodes that stands between one node and a group of others: a minimum vertex cut.
#
# Menger (1927): the fewest nodes that part two others are as many as there are paths between them that share no node
# within. So paths are packed until no further one fits. Each search for one is a breadth-first search over the graph
# with each node split in two, an entrance and an exit with one place between them; what is packed already may be undone
# by going backwards along it (Ford and Fulkerson 1956, in the order of Edmonds and Karp 1972). There are never more
# paths than the source has links, so a dozen searches do, and all but the last end early in a graph as wide as an
# overlay.
#
# The nodes to cut are those whose entrance can be reached when no further path fits and whose exit cannot. This is the
# cut nearest to the source; of several smallest ones it is the one that the asker would notice.

NONE = -1


def vertex_cut(near: Sequence[Iterable[int]], source: int, goals: Iterable[int]) -> tuple[int, ...]:
    """The fewest nodes, ascending, without which no way leads from `source` to any of `goals`.

    near: neighbours of each node, undirected. A goal may be in the cut, so there always is one, but for a source that
    is a goal itself: that raises ValueError.
    """
    wanted = bytearray(len(near))
    for goal in goals:
        wanted[goal] = 1
    if wanted[source]:
        raise ValueError(f"node {source} is on both sides")
    onward = [NONE] * len(near)  # Along a packed path: the node after this one, or itself at a goal.
    before = [NONE] * len(near)  # And the one before it. NONE: on no path.
    while True:
        came_in, came_out, end = _search(near, source, wanted, onward, before)
        if end == NONE:
            return tuple(v for v in range(len(near)) if came_in[v] != NONE and came_out[v] == NONE and v != source)
        _pack(source, came_in, came_out, end, onward, before)


def _search(
    near: Sequence[Iterable[int]], source: int, wanted: bytearray, onward: list[int], before: list[int]
) -> tuple[list[int], list[int], int]:
    """From where each entrance and exit was first reached, and a goal whose exit was, or NONE.

    came_in[v]: whose exit leads to the entrance of v, or v itself when it was reached from its own exit, backwards.
    came_out[v]: v itself when its exit was reached through it, or the node whose entrance led back along a path.
    """
    n = len(near)
    came_in, came_out = [NONE] * n, [NONE] * n
    came_out[source] = source
    front = [source]  # exits as they are, entrances as -1 - node
    while front:
        reached: list[int] = []
        for state in front:
            if state >= 0:
                if wanted[state] and onward[state] != state:
                    return came_in, came_out, state
                for other in near[state]:
                    # Along a packed link there is no room left.
                    if came_in[other] == NONE and other != source and onward[state] != other:
                        came_in[other] = state
                        reached.append(-1 - other)
                # Back through a node that is on a path: its exit was left by going backwards.
                if before[state] != NONE and came_in[state] == NONE:
                    came_in[state] = state
                    reached.append(-1 - state)
            else:
                node = -1 - state
                back = before[node]
                if back == NONE:
                    if came_out[node] == NONE:
                        came_out[node] = node
                        reached.append(node)
                elif back != source and came_out[back] == NONE:
                    came_out[back] = node
                    reached.append(back)
        front = reached
    return came_in, came_out, NONE


def _pack(source: int, came_in: list[int], came_out: list[int], end: int, onward: list[int], before: list[int]) -> None:
    """Put the path that was found among the others; where it went backwards, theirs is undone."""
    added: list[tuple[int, int]] = []
    removed: list[tuple[int, int]] = []
    node, at_exit = end, True
    while not (node == source and at_exit):
        if at_exit:
            came = came_out[node]
            if came == node:
                at_exit = False
            else:
                removed.append((node, came))  # It went from the entrance of `came` back to the exit of `node`.
                node, at_exit = came, False
        else:
            came = came_in[node]
            if came == node:
                at_exit = True
            else:
                added.append((came, node))
                node, at_exit = came, True
    for a, b in removed:
        onward[a] = before[b] = NONE
    for a, b in added:
        if a != source:
            onward[a] = b
        before[b] = a
    onward[end] = end


NAMED = 4


@dataclass(frozen=True, slots=True)
class MinimumCut:
    """The smallest set between `origin` and `text`: `peers`, empty where there is none; `holders` who could answer;
    `sentence` says it, or why there is none."""

    origin: PeerId
    text: str
    peers: tuple[PeerId, ...]
    holders: tuple[PeerId, ...]
    sentence: str


def min_cut(sim: Simulation, labels: Sequence[str], origin: PeerId, text: str) -> MinimumCut:
    """Of a title that `origin` wants, as things stand."""
    who, what = labels[origin], f"“{plain(text, limit=40)}”"

    def none(sentence: str, holders: Sequence[PeerId] = ()) -> MinimumCut:
        return MinimumCut(origin, text, (), tuple(holders), sentence)

    if sim.state[origin] != ALIVE or sim.censored[origin]:
        return none(f"{who} is {'censored' if sim.censored[origin] else 'not up'}: it is silenced already.")
    silent = _silent(sim, origin, text)
    if sim.program.wants == "broadcast":
        return none(_broadcast(sim, who, origin, silent))
    served = any(kind.has_all for kind in sim.program_types)
    if not served and sim.libraries[origin].matching(text):
        return none(f"{who} has {what} itself: nobody stands between.")
    holders = [p for p in range(sim.n) if p != origin and not silent[p] and _holds(sim, p, text, served)]
    if not holders:
        return none(f"Nobody who is up and would answer has {what}: there is nobody left to silence.")
    if not sim.streams.near[origin] and sim.program_types[origin].knows == "everyone":
        told = f"{who} can call anybody itself: all {plural(len(holders), 'holder')} of {what} would have to go."
        return MinimumCut(origin, text, tuple(holders), tuple(holders), told)
    near = [[q for q in row if not silent[q]] if not silent[p] else [] for p, row in enumerate(sim.streams.near)]
    if distance(sim, origin, holders) is None:
        return none(f"{who} has no way to {what} over the links as they stand: it is cut off already.", holders)
    peers = vertex_cut(near, origin, holders)
    names = ", ".join(labels[p] for p in peers[:NAMED]) + (" …" if len(peers) > NAMED else "")
    told = f"Silencing {plural(len(peers), 'peer')} ({names}) cuts {who} off from {what}"
    share = f"; {len(holders):,} could answer." if len(holders) > 1 else "."
    return MinimumCut(origin, text, peers, tuple(holders), told + share)


def _silent(sim: Simulation, origin: PeerId, text: str) -> list[bool]:
    """Who passes nothing on: down, censored, behind a partition, or suppressing the title without a leak."""
    bans, group, words = sim.faults.bans, sim.faults.group, words_of(text)
    silent = [
        bool(state != ALIVE) or blocked or side != group[origin]
        for state, blocked, side in zip(sim.state.tolist(), sim.faults.censored, group, strict=True)
    ]
    for peer, (word, leak) in bans.items():
        silent[peer] = silent[peer] or (leak == 0 and mentions(words, word))
    return silent


def _holds(sim: Simulation, peer: PeerId, text: str, served: bool) -> bool:
    """Whether it would answer: from its library, or, where everybody is `served`, as a server that has everything."""
    return (
        sim.program_types[peer].has_all
        if served
        else bool(len(sim.libraries[peer]) and sim.libraries[peer].matching(text))
    )


def _broadcast(sim: Simulation, who: str, origin: PeerId, silent: Sequence[bool]) -> str:
    others = sum(1 for p in sim.users() if p != origin and not silent[p])
    if not sim.streams.near[origin]:
        return (
            f"Nobody keeps connections here: {who} tells any of {plural(others, 'living peer')} by lot, and so does "
            "each of them. No few peers stand between; only silencing the teller itself would do."
        )
    near = [q for q in sim.streams.near[origin] if not silent[q]]
    return f"{who} tells its {plural(len(near), 'neighbour')}: without them nobody else would hear of it."
