"""How popular titles are, how many copies each has, and which peers hold them; and names for the titles.

Replication: the three laws of Cohen and Shenker ("Replication strategies in unstructured peer-to-peer networks",
SIGCOMM 2002). A peer that probes others at random finds a title with r copies among n peers after n / r probes on
average, so a search costs A = sum of q * n / r, where q is the title's share of the asks. With m titles and rho copies
a peer, A is m / rho both when all titles have as many copies (`uniform`) and when copies follow the asks
(`proportional`): the gain on popular titles equals the loss on rare ones. Where the law gives a title less than one
copy, it has one all the same, and a search costs less than m / rho: 62 in place of 100 with a Zipf exponent of 2.4, 100
titles and one copy a peer among 10,000 peers. The optimum lies between the two laws: copies in proportion to the square
root of the asks, A = (sum of sqrt q) ** 2 / rho. A test compares this module with their figures.

Sharing: who shares how much, and whose files are wanted, as Adar and Huberman measured it on Gnutella ("Free riding on
Gnutella", First Monday 5:10, 2000). Of 33,335 hosts 66 % shared nothing and 73 % ten files or fewer; the top 1 % of
hosts held 37 % of all files and the top 20 % held 98 %. Files that are shared need not be wanted: 63 % of those who
shared never answered a query, the top 1 % of them gave 47 % of the answers and the top 25 % gave 98 %. And the top 1 %
of distinct queries were 37 % of all queries.

So with this law there are two kinds of titles: wanted titles, which are asked for, and others, which are not. Copies of
wanted titles are placed by the curve of answers; libraries are then filled with other titles up to the size that the
curve of files gives them. Each wanted title is placed by systematic sampling, which gives each answering peer its exact
share and never two copies of one title. An answering peer that would get no wanted title takes a copy of a rare one
from a peer that has several.

Between the published points the curves are our own: cumulative shares, interpolated by powers. The mean number of files
is ours too: a bottom 80 % that holds 2 % of the files, and a quarter of all hosts with more than ten files, allow no
fewer than 42 files a host; ours is not much larger, since files of ten thousand peers take memory. Small swarms follow
the curves as far as they can: the top 1 % of 64 peers is one peer.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import TypeAlias, TypeVar

from ..sim.rng import Stream

T = TypeVar("T")

# --- replication ---------------------------------------------------------------------------------------------------

LAWS: dict[str, Callable[[float], float]] = {
    "uniform": lambda share: 1.0,
    "proportional": lambda share: share,
    "square-root": math.sqrt,
}
"""Weight of a title, from its share of the asks."""


def copies(law: str, shares: Sequence[float], total: float, most: int, rng: Stream) -> list[int]:
    """Copies of each title, about `total` of them, by a law of `LAWS`.

    shares   of the asks, for each title; they need not sum to 1
    most     copies that one title can have: as many as there are peers to hold them

    A title has at least one copy and at most `most`; the difference is distributed among the others. Fractions are
    rounded systematically, with one random start: the expected number of each title is exactly what the law says, and
    the numbers of neighbours in rank differ by at most one more than by the law.
    """
    weights = [LAWS[law](share) for share in shares]
    return _rounded(_within([max(weight, 1e-300) for weight in weights], total, float(most)), most, rng)


def _rounded(targets: Sequence[float], most: int, rng: Stream) -> list[int]:
    """Systematic rounding with one random start, to numbers from 1 to `most`."""
    start = rng.random()
    # A whole sum of fractions may come out a little below the whole number.
    marks = [math.floor(mark + start + 1e-9) for mark in accumulate(targets)]
    return [min(most, max(1, after - before)) for before, after in zip([0, *marks], marks, strict=False)]


def _within(weights: Sequence[float], total: float, most: float) -> list[float]:
    """Numbers in proportion to the weights and within 1..most, that sum to `total` as far as these allow."""
    total = min(max(total, float(len(weights))), most * len(weights))
    low, high = 0.0, most / min(weights)
    for _ in range(200):
        factor = (low + high) / 2
        if math.fsum(min(most, max(1.0, weight * factor)) for weight in weights) < total:
            low = factor
        else:
            high = factor
    return [min(most, max(1.0, weight * high)) for weight in weights]


# --- sharing ----------------------------------------------------------------------------------------------------

Curve: TypeAlias = tuple[tuple[float, float], ...]
"""Points (a top share of the population, share of the whole that it has), ascending; the last is (_, 1)."""

FILES_CURVE: Curve = ((0.01, 0.37), (0.05, 0.70), (0.10, 0.87), (0.15, 0.94), (0.20, 0.98), (0.27, 0.9965), (0.34, 1.0))
"""Cumulative share of all files, hosts ranked by their number of files."""
ANSWERS_CURVE: Curve = ((0.01, 0.47), (0.05, 0.70), (0.25, 0.98), (0.37, 1.0))
"""Cumulative share of all answers, among the hosts that share, ranked by their number of answers."""
MEAN_FILES = 50
"""Mean number of files of a host, hosts that share nothing included."""
FEW_FILES = 10
MORE_THAN_FEW_SHARE = 0.27
"""Share of hosts with more than `FEW_FILES` files."""
SHARERS_SHARE = 0.34
TOP_QUERIES, TOP_QUERIES_SHARE = 0.01, 0.37
WANTED_COPIES_PER_PEER = 0.5
"""Copies of wanted titles for each peer, all peers counted. With fewer, not all answering peers could have one."""
COPIES_PER_PEER_MAX = 0.006
"""Most copies of one title for each peer, unless the setup has more `replicas`: with more, the top 1 % could not have
its share."""


def cumulative_share(curve: Curve, at: float) -> float:
    """The share of the whole that the top share `at` (0 to 1) of a population has."""
    x0 = y0 = 0.0
    for x1, y1 in curve:
        if at < x1:
            # A power of the rank inside each interval: steeper at the top, and exact at the points.
            bend = 0.7 if x0 else 1.0
            part: float = (at**bend - x0**bend) / (x1**bend - x0**bend)
            return y0 + (y1 - y0) * part
        x0, y0 = x1, y1
    return 1.0


def library_sizes(peers: int) -> list[int]:
    """Number of files of each of so many peers, in descending order."""
    total = MEAN_FILES * peers
    sharers, many = round(peers * SHARERS_SHARE), round(peers * MORE_THAN_FEW_SHARE)
    # Powers are rounded first: their last bit depends on the processor.
    marks = [round(round(total * cumulative_share(FILES_CURVE, rank / peers), 6)) for rank in range(peers + 1)]
    made = [after - before for before, after in pairwise(marks)]
    made = [max(FEW_FILES + 1, size) for size in made[:many]] + [
        min(FEW_FILES, max(1, size)) for size in made[many:sharers]
    ]
    return made + [0] * (peers - sharers)


def zipf_exponent(titles: int) -> float:
    """Exponent of Zipf's law with which the top 1 % of so many titles, at least one title, get 37 % of the asks."""
    top = max(1, round(titles * TOP_QUERIES))
    low, high = 0.0, 5.0
    for _ in range(60):
        zipf = (low + high) / 2
        weights = [rank**-zipf for rank in range(1, titles + 1)]
        if math.fsum(weights[:top]) < TOP_QUERIES_SHARE * math.fsum(weights):
            low = zipf
        else:
            high = zipf
    return high if titles > 1 else 0.0


def mean_copies(items: int, replicas: float, peers: int) -> float:
    """Mean copies of a wanted title: `replicas`, or more where the measured curves need them."""
    return max(replicas, min(WANTED_COPIES_PER_PEER * peers / items, COPIES_PER_PEER_MAX * peers))


def give_each_one(held: Sequence[list[T]], sharers: Sequence[int], rng: Stream) -> None:
    """Move a copy to each sharer that holds none, from one that holds several, as long as there are such.

    held   what each peer holds; changed in place

    Each copy that a holder can spare is moved with equal probability. Nothing is drawn if each sharer holds a copy.
    """
    without = [peer for peer in sharers if not held[peer]]
    if not without:
        return
    spare = [peer for peer in sharers for _ in range(len(held[peer]) - 1)]
    for peer, giver in zip(without, rng.sample(spare, min(len(without), len(spare))), strict=False):
        held[peer].append(held[giver].pop(rng.randrange(len(held[giver]))))


def answering_of(sharers: int) -> int:
    """How many of so many sharers hold wanted titles: at least one."""
    return max(1, round(sharers * ANSWERS_CURVE[-1][0]))


def place_titles(copies: Sequence[int], sizes: Sequence[int], rng: Stream) -> list[list[int]]:
    """Ranks of the wanted titles that each sharer gets: one ascending list a sharer.

    copies   of each title, the most popular first
    sizes    files of each sharer, in descending order; a sharer gets no more titles than that

    All copies are placed if they fit. If they are more than the libraries of the answering peers can hold, each title
    has fewer, but at least one as long as there is space. Copies of a title for which there are too few libraries with
    space go to other titles, one each, the most popular first.
    """
    sharers = len(sizes)
    keys = sorted(range(sharers), key=lambda at: -sizes[at] * rng.random())
    answering = keys[: answering_of(sharers)]
    marks = [cumulative_share(ANSWERS_CURVE, rank / sharers) for rank in range(len(answering))] + [1.0]
    weights = [after - before for before, after in pairwise(marks)]
    held: list[list[int]] = [[] for _ in sizes]
    room = sum(min(sizes[peer], len(copies)) for peer in answering)
    if sum(copies) > room:
        copies = _rounded(_within(copies, room, float(len(answering))), len(answering), rng)
    for title, count in enumerate(copies):
        candidates = [at for at, peer in enumerate(answering) if len(held[peer]) < sizes[peer]]
        for at in _systematic([weights[at] for at in candidates], min(count, len(candidates)), rng):
            held[answering[candidates[at]]].append(title)
    _place_rest(held, answering, sizes, copies)
    _give_rare_copies(held, answering, len(copies), rng)
    return held


def _place_rest(held: list[list[int]], answering: Sequence[int], sizes: Sequence[int], copies: Sequence[int]) -> None:
    """Place the copies for which there was no library with space: titles without a copy first, then one more of each
    title in order of rank, in the library with the most space that does not have the title."""
    missing = sum(copies) - sum(map(len, held))
    if not missing:
        return
    holders = [0] * len(copies)
    for titles in held:
        for title in titles:
            holders[title] += 1
    order = sorted(range(len(copies)), key=lambda title: holders[title] > 0)
    room = {peer: sizes[peer] - len(held[peer]) for peer in answering if len(held[peer]) < sizes[peer]}
    has = {peer: set(held[peer]) for peer in room}
    placed = True
    while missing and placed:
        placed = False
        for title in order:
            free = [peer for peer in room if title not in has[peer]]
            if not free or not missing:
                continue
            peer = max(free, key=room.__getitem__)
            insort(held[peer], title)
            has[peer].add(title)
            missing, placed = missing - 1, True
            room[peer] -= 1
            if not room[peer]:
                del room[peer]


def _systematic(weights: Sequence[float], count: int, rng: Stream) -> list[int]:
    """`count` distinct positions, each with a probability in proportion to its weight, or 1 where that is more."""
    order = list(range(len(weights)))
    rng.shuffle(order)
    sure: list[int] = []
    while count > len(sure):
        rest = math.fsum(weights[at] for at in order)
        step = rest / (count - len(sure))
        heavy = [at for at in order if weights[at] >= step]
        if not heavy:
            sums = list(accumulate(weights[at] for at in order))
            start = rng.random()
            picks = [bisect_right(sums, (k + start) * step) for k in range(count - len(sure))]
            return sure + [order[min(at, len(order) - 1)] for at in dict.fromkeys(picks)]
        sure += heavy
        order = [at for at in order if weights[at] < step]
    return sure[:count]


def _give_rare_copies(held: list[list[int]], answering: Sequence[int], titles: int, rng: Stream) -> None:
    """Move a copy of a rare title to each answering sharer without a wanted title, from one that has several."""
    rare = titles // 5
    # The lists are in order of rank, so the rarer titles of a peer are at the end of its list.
    givers = [peer for peer in answering if len(held[peer]) - bisect_left(held[peer], rare) > 2]
    for peer in answering:
        if held[peer] or not givers:
            continue
        at = rng.randrange(len(givers))
        giver = held[givers[at]]
        first = bisect_left(giver, rare)
        held[peer].append(giver.pop(first + rng.randrange(len(giver) - first)))
        if len(giver) - first <= 3:
            givers[at] = givers[-1]
            givers.pop()


# --- titles ---------------------------------------------------------------------------------------------------------

# Two lists without a word in common, so that two titles never have the same words in another order. They are texts that
# are split on import, since four hundred quoted words would fill pages; this needs two exceptions for the linter.

FIXED_TITLES = ("blue train", "night owl", "tin soldier")
"""The first three titles of every swarm: examples ask for them."""

FIRST = tuple(
    """amber ancient autumn bitter black blue bold brass bright broken bronze brown burning calm candid careful
    clear clever clumsy coal cold copper coral crimson crooked crystal curious damp daring dark deep distant double
    dusty early eager easy eastern electric emerald empty endless evening faded faithful false famous far fast
    feather final first foggy foreign forgotten fragile free frozen gentle giant gilded glass gloomy golden grand
    green grey half happy hasty hazel heavy hidden high hollow honest humble hungry icy idle indigo inner iron ivory
    jade jolly kind late lazy lead light little lively lonely long lost loud loyal lucky lunar magic marble mellow
    merry midnight mild misty modest morning narrow nervous new night nimble noble northern odd old olive open
    orange outer pale paper patient peaceful pearl plain polite proud purple quick quiet rapid rare red restless
    rough round royal ruby rusty sable salty sandy scarlet second secret serene shallow sharp shiny short shy silent
    silver simple sleepy slow small smooth soft solar solemn southern spare square stale steady steep sticky still
    stone stormy strange strong stubborn sudden sunny sweet swift tall tame tender thin thirsty tidy timid tin tiny
    tired true twin upper vague velvet violet warm weary western white wide wild windy winter wise wooden yellow
    young""".split()  # noqa: SIM905
)

SECOND = tuple(
    """acrobat anchor apple arrow atlas baker ballad bandit barge beacon bear beetle bell bicycle bird blossom boat
    bottle bridge brook bucket button cabin camel candle canyon captain carnival castle cat cathedral cellar chapel
    cherry chimney circus clock cloud coast comet compass corner cousin cricket crow crown dancer daughter delta
    desert diary dog dolphin donkey door dove dragon drum eagle echo elephant engine falcon farmer ferry fiddle field
    fire fisherman flame flute forest fountain fox garden gate ghost glacier goat guitar hammer harbour harvest hat
    hawk heron hill horizon horse hotel hunter island jacket journey juggler kettle key king kite kitchen ladder lake
    lamp lantern lark lemon letter library lighthouse lion lizard machine magpie map market meadow melody mill miner
    mirror monkey moon moth mountain museum needle nephew oak ocean orchard orchestra otter owl oyster painter palace
    parade parrot path peach pebble pepper piano pigeon pilot planet pocket poet pond postman prairie queen rabbit
    radio railway rain raven reef ribbon river road robin rocket roof rose sailor saxophone scholar sea shadow ship
    shoe sister sky snail soldier song sparrow spider spring stable staircase star station stranger stream street
    student summer sun swallow swan table tailor teacher temple theatre thief thunder tiger tower traffic train
    traveller tree trumpet tunnel turtle umbrella uncle valley village violin voyage wagon waltz watchman water wave
    whale wheel whistle widow willow wind window wolf woodpecker writer""".split()  # noqa: SIM905
)

COUNT_MAX = len(FIRST) * len(SECOND)
"""Number of different titles of two words."""


def generate_titles(count: int, rng: Stream) -> list[str]:
    """So many distinct titles of two words, in lower case; those of `FIXED_TITLES` come first."""
    titles = dict.fromkeys(FIXED_TITLES[:count])
    for at in rng.sample(range(COUNT_MAX), min(COUNT_MAX, count + len(FIXED_TITLES))):
        if len(titles) == count:
            break
        titles[f"{FIRST[at // len(SECOND)]} {SECOND[at % len(SECOND)]}"] = None
    return list(titles)
