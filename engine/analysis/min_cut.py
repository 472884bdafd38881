"""The fewest peers to silence so that an asker no longer finds what it wants: a minimum vertex cut.

The size of the cut differs between architectures: with a central index it is one peer, in an overlay it is as many
peers as the asker has neighbours or the title has holders. Paths lead over open streams between peers that are alive,
not censored, on the asker's side of a partition, and do not suppress the title.

The question is judged as if it were asked now for the first time. What earlier asks brought does not count: neither
the copies that the asker itself has downloaded, nor parts of one (`Peer.brought`), nor streams that only carry files
(`Peer.contacts`). Copies that other peers have downloaded do count, since these peers would answer.

The peers that could answer are the holders; or, in a network where peers keep records that point to holders
(`Peer.keeps`), the keepers, as long as a holder lives: a holder is asked there only when a keeper has named it.

Where a question travels a limited number of hops (`Peer.horizon`), only paths of at most that length count, and fewer
peers may be enough than for cutting all paths. Finding the fewest is NP-hard then (Baier et al. 2010, "Length-bounded
cuts and flows", from a length of five on), so it is searched for with a budget; `MinimumCut.exact` tells whether the
search was complete.

For a broadcast, the cut has the peers to silence so that no other peer gets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..api import Need, PeerId, mentions, words_of
from ..errors import PeerFailed, plain
from ..measure.snapshot import ALIVE
from ..sim.paths import PathLengths
from ..simulation import Simulation
from ..values import dataclass
from .contacts import contacts_of_all, have_contacts, pairs_of
from .verdict import keepers_of, keeps_records, plural

# A minimum vertex cut between one node and a group of others, as a maximum flow.
#
# Menger (1927): the fewest nodes that separate two others are as many as there are paths between them that share no
# inner node. So paths are added until no further one fits. Each is found by a breadth-first search over the graph with
# each node split in two, an entrance and an exit with an edge of capacity 1 between them; a path that was added may be
# undone by going backwards along it (Ford and Fulkerson 1956, in the order of Edmonds and Karp 1972). There are at most
# as many paths as the source has links, so there are few searches, and all but the last end early in an overlay.
#
# The cut consists of the nodes whose entrance can be reached when no further path fits and whose exit cannot. Of
# several minimum cuts this is the one nearest to the source.

NONE = -1
OTHERS_LISTED = 3
"""Kinds of peers that are needed besides those of the cut, and are listed with their numbers."""


def vertex_cut(near: Sequence[Iterable[int]], source: int, goals: Iterable[int]) -> tuple[int, ...]:
    """The fewest nodes, ascending, without which no path leads from `source` to any of `goals`.

    near: for each node its neighbours; the graph is undirected
    source, goals: numbers of nodes. A goal may be in the cut, so there always is one

    Raises ValueError if the source is a goal.
    """
    wanted = bytearray(len(near))
    for goal in goals:
        wanted[goal] = 1
    if wanted[source]:
        raise ValueError(f"node {source} is on both sides")
    onward = [NONE] * len(near)  # The next node on the path through this one, or itself at a goal. NONE: on no path.
    before = [NONE] * len(near)  # The previous node on that path.
    while True:
        came_in, came_out, end = _search(near, source, wanted, onward, before)
        if end == NONE:
            return tuple(v for v in range(len(near)) if came_in[v] != NONE and came_out[v] == NONE and v != source)
        _add_path(source, came_in, came_out, end, onward, before)


def _search(
    near: Sequence[Iterable[int]], source: int, wanted: bytearray, onward: list[int], before: list[int]
) -> tuple[list[int], list[int], int]:
    """Search for one more path: from where each entrance and exit was first reached, and the goal reached, or NONE.

    came_in[v]: the node whose exit leads to the entrance of v, or v itself if that was reached backwards from its exit.
    came_out[v]: v itself if its exit was reached from its entrance, or the node from whose entrance a path led back.
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
                    # A link that a path uses already has no capacity left.
                    if came_in[other] == NONE and other != source and onward[state] != other:
                        came_in[other] = state
                        reached.append(-1 - other)
                # The exit of a node on a path was reached backwards: its entrance can be, too.
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


def _add_path(
    source: int, came_in: list[int], came_out: list[int], end: int, onward: list[int], before: list[int]
) -> None:
    """Add the path that was found; where it goes backwards along another one, that part of the other is removed."""
    added: list[tuple[int, int]] = []
    removed: list[tuple[int, int]] = []
    node, at_exit = end, True
    while not (node == source and at_exit):
        if at_exit:
            came = came_out[node]
            if came == node:
                at_exit = False
            else:
                removed.append((node, came))  # From the entrance of `came` backwards to the exit of `node`.
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


BUDGET = 600_000
"""Links that the search for a smaller cut of short paths may visit: some tenths of a second."""


def bounded_cut(
    near: Sequence[Sequence[int]], source: int, goals: Iterable[int], longest: int, budget: int = BUDGET
) -> tuple[tuple[int, ...], bool]:
    """The fewest nodes, ascending, without which no path of at most `longest` links leads from `source` to any of
    `goals`; and whether they are known to be the fewest. If not, the search has visited `budget` links.

    near: for each node its neighbours; the graph is undirected
    source, goals: numbers of nodes. A goal may be in the cut, so there always is one

    Raises ValueError if the source is a goal.
    """
    wanted = frozenset(goals)
    if source in wanted:
        raise ValueError(f"node {source} is on both sides")
    # Only nodes on a short enough walk matter: the distance from the source and that to a goal say which.
    there, back = PathLengths(near, source).within(longest), PathLengths(near, *wanted).within(longest)
    inside = bytearray(len(near))
    for node in there.keys() & back.keys():
        inside[node] = there[node] + back[node] <= longest
    short = [[q for q in row if inside[q]] if inside[p] else [] for p, row in enumerate(near)]
    in_reach = [goal for goal in wanted if inside[goal]]
    if not in_reach:
        return (), True
    best = vertex_cut(short, source, in_reach)
    return _ShortPaths(short, source, frozenset(in_reach), longest, budget).fewer(best)


class _BudgetSpent(Exception):
    """The search has visited as many links as it may."""


class _ShortPaths:
    """A search for the fewest nodes that together are on all paths of at most `longest` links.

    A cut has a node of each path. So the search takes a path and tries each of its nodes in turn; where it finds more
    paths without a common node than nodes may still be added, it goes no further (a bounded search tree).
    """

    def __init__(
        self, near: Sequence[Sequence[int]], source: int, goals: frozenset[int], longest: int, budget: int
    ) -> None:
        self._near, self._source, self._goals, self._longest = near, source, goals, longest
        self._left = budget

    def fewer(self, best: tuple[int, ...]) -> tuple[tuple[int, ...], bool]:
        """The smallest cut, if it has fewer nodes than `best`, else `best`; and whether the search was complete."""
        gone, kept = bytearray(len(self._near)), bytearray(len(self._near))
        try:
            # Small sizes are tried first, so that the first cut that is found is a smallest one.
            for most in range(len(self._apart(gone, len(best))), len(best)):
                if self._cut(gone, kept, most):
                    return tuple(node for node, is_gone in enumerate(gone) if is_gone), True
        except _BudgetSpent:
            return best, False
        return best, True

    def _cut(self, gone: bytearray, kept: bytearray, most: int) -> bool:
        """Whether at most `most` nodes that are not `kept` cut all paths without `gone`; these are `gone` then."""
        paths = self._apart(gone, most)
        if not paths:
            return True
        if len(paths) > most:
            return False
        path = min(paths, key=lambda one: sum(not kept[node] for node in one))
        tried = []
        for node in path:
            if kept[node]:
                continue
            gone[node] = 1
            if self._cut(gone, kept, most - 1):
                return True
            # Cuts with this node have been tried: from here on it is not removed.
            gone[node], kept[node] = 0, 1
            tried.append(node)
        for node in tried:
            kept[node] = 0
        return False

    def _apart(self, gone: bytearray, most: int) -> list[list[int]]:
        """Short paths without a common node, each without its source; at most `most` + 1 of them."""
        used = bytearray(gone)
        paths: list[list[int]] = []
        while len(paths) <= most and (path := self._path(used)):
            paths.append(path)
            for node in path:
                used[node] = 1
        return paths

    def _path(self, used: bytearray) -> list[int]:
        """A shortest path to a goal without `used` nodes, the source left out; empty if all are too long."""
        came = {self._source: NONE}
        front = [self._source]
        for _ in range(self._longest):
            onward = []
            for p in front:
                self._left -= len(self._near[p])
                for q in self._near[p]:
                    if q in came or used[q]:
                        continue
                    came[q] = p
                    if q in self._goals:
                        path = []
                        while q != self._source:
                            path.append(q)
                            q = came[q]
                        return path
                    onward.append(q)
            if self._left < 0:
                raise _BudgetSpent
            front = onward
        return []


NAMED = 4
"""Peers that the sentence names."""


def _names(labels: Sequence[str], peers: Sequence[PeerId]) -> str:
    """The first of these peers, for the sentence."""
    return ", ".join(labels[p] for p in peers[:NAMED]) + (" …" if len(peers) > NAMED else "")


@dataclass(frozen=True, slots=True)
class MinimumCut:
    """The fewest peers to silence so that `origin` no longer finds `text`.

    peers     the cut, empty where there is none
    holders   peers that could answer now
    sentence  the cut in words and what was assumed, or why there is no cut
    exact     False if there may be fewer: the search has ended before it was complete
    """

    origin: PeerId
    text: str
    peers: tuple[PeerId, ...]
    holders: tuple[PeerId, ...]
    sentence: str
    exact: bool = True


def min_cut(
    sim: Simulation, labels: Sequence[str], origin: PeerId, text: str, goal_name: str | None = None
) -> MinimumCut:
    """The minimum cut between a peer and `text`, as things are now. labels: of all peers, by number. goal_name: the
    goal of the ask; None is the first goal of the network, and a name that is none of its goals means an ask that the
    network itself opened. Raises PeerFailed."""
    goals = sim.program.goals
    goal = next((one for one in goals if one.name == goal_name), goals[0])
    opened_by_network = goal_name is not None and goal.name != goal_name
    who, what = labels[origin], f"“{plain(text, limit=40)}”"

    def none(sentence: str, holders: Sequence[PeerId] = ()) -> MinimumCut:
        return MinimumCut(origin, text, (), tuple(holders), sentence)

    if sim.state[origin] != ALIVE or sim.censored[origin]:
        return none(f"{who} is {'censored' if sim.censored[origin] else 'not up'}: it is silenced already.")
    silent = _silent(sim, origin, text)
    if goal.sought == "share":
        return none(_broadcast(sim, who, origin, silent, _needs(sim, origin, text, goal.name)))
    if opened_by_network:
        return none(f"{what} is news that the network itself spreads: nobody looks for it, so nobody can be cut off.")
    served = any(kind.has_all for kind in sim.program_types)
    own = (
        {file.name for file in sim.libraries[origin].matching(text)}
        if not served and sim.program.shares_files
        else set()
    )
    brought = own & sim.downloads.get(origin, set())
    if own - brought and not goal.another:
        return none(f"{who} has {what} itself: silencing others does not keep it from it.")
    holders = [p for p in range(sim.n) if p != origin and not silent[p] and _holds(sim, p, text, served)]
    unlike = _not_counted(sim, who, origin, text, goal.name, brought)
    needs = _needs(sim, origin, text, goal.name)
    if needs is not None:
        cut = _cut_of_needs(labels, origin, text, needs, silent, holders)
        return replace(cut, sentence=cut.sentence + unlike)
    keepers = _keepers(sim, text, silent)
    files = served or sim.program.shares_files
    if not files and keepers is None:
        return none(f"The peers of this network share no files, and it does not say who could answer for {what}.")
    if not holders and served:
        return none(f"No {goal.one} is up and would answer: {who} is cut off from {what} already.")
    if not holders and files:
        return none(f"No other peer that is up and would answer has {what}: there is no peer left to silence.")
    held = "holder of" if keepers is None else "peer that keeps a record of"
    if keepers is not None:
        if origin in keepers:
            return none(f"{who} keeps a record of {what} itself: silencing others does not keep it from the holders.")
        if not keepers:
            return none(f"No peer that is up and would answer keeps a record of {what}: nobody is left to silence.")
        holders = keepers
    by_streams = sim.streams.count or not have_contacts(sim)
    if by_streams and not sim.streams.near[origin] and sim.program_types[origin].knows == "everyone":
        several = "holders of" if keepers is None else "peers that keep a record of"
        those = plural(len(holders), held, several)
        sentence = f"{who} can connect to any peer itself: all {those} {what} must be silenced."
        return MinimumCut(origin, text, tuple(holders), tuple(holders), sentence + unlike)
    near = _question_links(sim, silent)
    hops = PathLengths(near, origin).within()
    reachable = [p for p in holders if p in hops]
    if not reachable:
        return none(f"No path leads from {who} to {what} over the links as they are: it is cut off already.", holders)
    horizon = sim.program.horizon(sim.shared.options)
    in_reach = [p for p in reachable if horizon is None or hops[p] <= horizon]
    if not in_reach:
        away = min(hops[p] for p in reachable)
        sentence = f"The nearest {held} {what} is {plural(away, 'hop')} away from {who}"
        return none(f"{sentence} and a question travels {horizon}: it is out of reach already.", holders)
    if horizon is None:
        peers, exact = vertex_cut(near, origin, in_reach), True
    else:
        peers, exact = bounded_cut(near, origin, in_reach, horizon)
    most = "" if exact else "at most "
    sentence = f"Silencing {most}{plural(len(peers), 'peer')} ({_names(labels, peers)}) cuts {who} off from {what}"
    share = f"; {len(in_reach):,} could answer." if len(in_reach) > 1 else "."
    assumed = "" if horizon is None else f" Assumed: the links of now, and {plural(horizon, 'hop')} for a question."
    return MinimumCut(origin, text, peers, tuple(in_reach), sentence + share + assumed + unlike, exact)


def _needs(sim: Simulation, origin: PeerId, text: str, goal: str) -> Sequence[Need] | None:
    """See `Peer.needs`. Raises PeerFailed."""
    try:
        return sim.program.needs(text, goal, origin, sim.programs, sim.shared.options)
    except Exception as error:
        raise PeerFailed(origin, "needs", error) from error


def _not_counted(sim: Simulation, who: str, origin: PeerId, text: str, goal: str, brought: set[str]) -> str:
    """A sentence to append, about what earlier asks have brought the asker and is not counted; "" for nothing. brought:
    names of files that it has downloaded. Raises PeerFailed."""
    if brought:
        return f" Not counted: the copy that {who} has downloaded."
    program = sim.programs[origin]
    try:
        part = "" if program is None else program.brought(text, goal)
    except Exception as error:
        raise PeerFailed(origin, "brought", error) from error
    return f" Not counted: what {who} has got by asking before, {plain(part, limit=80)}." if part else ""


def _cut_of_needs(
    labels: Sequence[str],
    origin: PeerId,
    text: str,
    needs: Sequence[Need],
    silent: Sequence[bool],
    holders: Sequence[PeerId],
) -> MinimumCut:
    """The cut in a network with needs (`Peer.needs`): the smallest of the groups, without peers that are silent
    already."""
    who, what = labels[origin], f"“{plain(text, limit=40)}”"
    left = [
        replace(need, peers=tuple(p for p in need.peers if not silent[p])) for need in needs if origin not in need.peers
    ]
    if not left:
        return MinimumCut(origin, text, (), tuple(holders), f"{who} needs nobody else for {what}.")
    best = min(left, key=lambda need: len(need.peers))
    if not best.peers:
        sentence = f"No {best.what} is up and would answer: {who} is cut off from {what} already."
        return MinimumCut(origin, text, (), tuple(holders), sentence)
    those = f"{plural(len(best.peers), 'peer')} ({_names(labels, best.peers)})"
    until = f" until {best.until}" if best.until else ""
    sentence = f"Silencing {those} cuts {who} off from {what}{until}: there is no other {best.what}."
    others: dict[str, int] = {}
    for need in left:
        if need.what != best.what:
            others[need.what] = min(others.get(need.what, len(need.peers)), len(need.peers))
    if others:
        fewest = sorted(others.items(), key=lambda one: one[1])[:OTHERS_LISTED]
        sentence += f" {who} also needs {_in_words([f'{_with_article(one)} ({count:,} up)' for one, count in fewest])}."
    return MinimumCut(origin, text, best.peers, tuple(holders), sentence)


def _with_article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _in_words(some: Sequence[str]) -> str:
    """`a`, `a and b` or `a, b and c`."""
    return f"{', '.join(some[:-1])} and {some[-1]}" if len(some) > 1 else some[0]


def _keepers(sim: Simulation, text: str, silent: Sequence[bool]) -> list[PeerId] | None:
    """The peers that keep records of a title and would answer; None in a network where nobody keeps any."""
    if not keeps_records(sim.program_types):
        return None
    return [peer for peer in keepers_of(sim, text) if not silent[peer]]


def _question_links(sim: Simulation, silent: Sequence[bool]) -> list[list[PeerId]]:
    """For each peer the peers to which it would pass a question: over an open stream, or as contacts where the network
    keeps no streams. Silent peers are left out."""
    named: list[frozenset[PeerId] | None] = []
    for peer, program in enumerate(sim.programs):
        contacts = None if program is None else _contacts_of(sim, peer)
        named.append(None if contacts is None else frozenset(contacts))
    near: list[list[PeerId]] = []
    if not sim.streams.count and have_contacts(sim):
        # In both directions: a peer that is asked may learn of the asker, and the search needs undirected links.
        a, b = pairs_of(contacts_of_all(sim))
        near = [[] for _ in silent]
        for p, q in zip(a.tolist(), b.tolist(), strict=True):
            if not silent[p] and not silent[q]:
                near[p].append(q)
                near[q].append(p)
        return near
    for p, row in enumerate(sim.streams.near):
        mine = named[p]
        near.append([] if silent[p] else [q for q in row if not silent[q] and _is_link(mine, p, named[q], q)])
    return near


def _is_link(mine: frozenset[PeerId] | None, me: PeerId, theirs: frozenset[PeerId] | None, other: PeerId) -> bool:
    """Whether a stream is a link of the network: one of its ends has the other as a contact, or neither has
    contacts."""
    if mine is None and theirs is None:
        return True
    return (mine is not None and other in mine) or (theirs is not None and me in theirs)


def _silent(sim: Simulation, origin: PeerId, text: str) -> list[bool]:
    """A flag for each peer that passes nothing on: not alive, censored, behind a partition, or suppressing the title
    without a leak."""
    bans, group, words = sim.faults.bans, sim.faults.group, words_of(text)
    silent = [
        bool(state != ALIVE) or blocked or side != group[origin]
        for state, blocked, side in zip(sim.state.tolist(), sim.faults.censored, group, strict=True)
    ]
    for peer, (word, leak) in bans.items():
        silent[peer] = silent[peer] or (leak == 0 and mentions(words, word))
    return silent


def _holds(sim: Simulation, peer: PeerId, text: str, served: bool) -> bool:
    """Whether a peer would answer: as a server that has everything, where there are such (`served`), else from its
    library."""
    if served:
        return sim.program_types[peer].has_all
    return sim.program.shares_files and bool(len(sim.libraries[peer]) and sim.libraries[peer].matching(text))


def _contacts_of(sim: Simulation, peer: PeerId) -> tuple[PeerId, ...] | None:
    """`Peer.contacts` of a living peer. Raises PeerFailed."""
    program = sim.programs[peer]
    try:
        contacts = None if program is None else program.contacts()
        return None if contacts is None else tuple(contacts)
    except Exception as error:
        raise PeerFailed(peer, "contacts", error) from error


def _broadcast(sim: Simulation, who: str, origin: PeerId, silent: Sequence[bool], needs: Sequence[Need] | None) -> str:
    """The sentence for a broadcast. needs: the peers that it depends on, as the network says; None for all
    neighbours."""
    near: Sequence[PeerId] = tuple(sim.streams.near[origin])
    if needs:
        near = min((need.peers for need in needs), key=len)
    contacts = None if near or needs else _contacts_of(sim, origin)
    # In a network that keeps connections, a peer that has lost its last neighbour cannot tell anybody.
    keeps_streams = needs is not None or sim.program.overlay or sim.streams.count
    if not near and contacts is None and not keeps_streams:
        others = sum(1 for p in sim.users() if p != origin and not silent[p])
        return (
            f"No connections are kept here: {who} tells any of {plural(others, 'living peer')}, chosen at random, and "
            f"so does each of them. No small set separates it from the others; only silencing {who} itself would."
        )
    first = [q for q in dict.fromkeys(near or contacts or ()) if not silent[q]]
    one = "contact" if contacts is not None else "neighbour"
    if not first:
        return f"{who} has no {one} that is up and would pass it on: nobody else would hear of it."
    those = f"{plural(len(first), one)} ({_names(sim.labels, first)})"
    return f"{who} tells its {those}: without them nobody else would hear of it."
