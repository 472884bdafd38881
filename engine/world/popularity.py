"""How many copies of each title there are: the three laws of Cohen and Shenker (SIGCOMM 2002).

A peer that probes others at random finds a title with r copies among n peers after n / r probes on average, so a search
costs A = sum of q * n / r, where q is the title's share of the asks. With m titles and rho copies a peer, A is m / rho
both when all titles have as many copies (`uniform`) and when copies follow the asks (`proportional`): what the one
wins on popular titles, the other wins on rare ones. The best lies between them: copies as the square root of the
asks, A = (sum of sqrt q) ** 2 / rho. A test holds this module against their numbers.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import TypeAlias

from ..sim.rng import Stream

LAWS: dict[str, Callable[[float], float]] = {
    "uniform": lambda share: 1.0,
    "proportional": lambda share: share,
    "square-root": math.sqrt,
}
"""Weight of a title by its share of the asks."""


def copies(law: str, shares: Sequence[float], total: float, most: int, rng: Stream) -> list[int]:
    """Copies of each title, about `total` of them, by a law of `LAWS`.

    shares   of the asks for each title; they need not sum to 1
    most     copies that one title can have: as many as there are peers to hold them

    A title has at least one copy, else it would be none, and at most `most`; what that gives or takes is shared out
    among the others. Fractions are rounded systematically, with one random start: every title's expected number is
    exactly what the law says, and neighbours in rank differ by no more than the law and one.
    """
    weights = [LAWS[law](share) for share in shares]
    targets = _within([max(weight, 1e-300) for weight in weights], total, float(most))
    start = rng.random()
    # A whole sum of fractions may come out a hair below the whole.
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


def search_size(shares: Sequence[float], held: Sequence[float], peers: float) -> float:
    """Mean number of random probes until a title is found, titles being asked for as `shares` say.

    held     copies of each title among so many peers. Cohen and Shenker 2002, section 2.
    """
    asks = math.fsum(shares)
    return math.fsum(share * peers / count for share, count in zip(shares, held, strict=True)) / asks


def expected_search_size(law: str, shares: Sequence[float], rho: float) -> float:
    """The closed form: what `search_size` is when rho copies a peer follow the law without rounding."""
    weights = [LAWS[law](share) for share in shares]
    room = rho / math.fsum(weights)
    return search_size(shares, [weight * room for weight in weights], 1.0)


# Who shares how much, and whose files are wanted: Gnutella as Adar and Huberman met it (First Monday 5:10, 2000).
#
# Of 33,335 hosts 66 % shared nothing and 73 % ten files or fewer; the top 1 % of hosts held 37 % of all files and the
# top 20 % held 98 %. Having files is not having files that are wanted: 63 % of those who shared never answered a query,
# the top 1 % of them gave 47 % of the answers and the top 25 % gave 98 %. And the top 1 % of distinct queries were 37 %
# of all queries.
#
# So there are two kinds of titles here: some are asked for, and the rest are what disks are full of. Shelves are filled
# with the second kind to the size that the first law gives them; copies of the first kind are placed by the second law.
# Every wanted title is placed by systematic sampling, which gives each answering peer its share exactly and never two
# copies of one title. Those who would come away empty get a copy of something rare, from a peer that has much.
#
# The curves are ours between the published points: cumulative shares, powers in between. The mean number of files is
# ours too. Bottom four fifths that hold 2 %, and a quarter of all hosts with more than ten files, leave no choice below
# 42 files a host; it stays near that, for each file of ten thousand peers takes memory.
#
# Small swarms follow as far as they can: the top 1 % of 64 peers is one peer.

Curve: TypeAlias = tuple[tuple[float, float], ...]
"""Points (share of the population from the top, share of the whole that it has), ascending, the last (_, 1)."""

FILES: Curve = ((0.01, 0.37), (0.05, 0.70), (0.10, 0.87), (0.15, 0.94), (0.20, 0.98), (0.27, 0.9965), (0.34, 1.0))
"""Files of hosts."""
ANSWERS: Curve = ((0.01, 0.47), (0.05, 0.70), (0.25, 0.98), (0.37, 1.0))
"""Answers of hosts that share."""
MEAN_FILES = 50
FEW = 10
MORE_THAN_FEW = 0.27
"""Share of hosts with more than `FEW` files."""
SHARERS = 0.34
QUERIES_TOP, QUERIES_SHARE = 0.01, 0.37
WANTED_A_PEER = 0.5
"""Copies of wanted titles a peer, all peers counted: fewer, and not all who should answer could have one."""
COPIES_MOST = 0.006
"""Copies of one title a peer, at most, unless more are asked for: with more, the top 1 % could not have its share."""


def share_of(curve: Curve, at: float) -> float:
    """What the top share `at` of a population has."""
    x0 = y0 = 0.0
    for x1, y1 in curve:
        if at < x1:
            # A power of the rank inside each stretch: steeper at the top, and through the points exactly.
            bend = 0.7 if x0 else 1.0
            part: float = (at**bend - x0**bend) / (x1**bend - x0**bend)
            return y0 + (y1 - y0) * part
        x0, y0 = x1, y1
    return 1.0


def sizes(peers: int) -> list[int]:
    """Files of each of so many peers, the richest first."""
    total = MEAN_FILES * peers
    sharers, many = round(peers * SHARERS), round(peers * MORE_THAN_FEW)
    # Powers are rounded first: their last bit depends on the processor.
    marks = [round(round(total * share_of(FILES, rank / peers), 6)) for rank in range(peers + 1)]
    made = [after - before for before, after in pairwise(marks)]
    made = [max(FEW + 1, size) for size in made[:many]] + [min(FEW, max(1, size)) for size in made[many:sharers]]
    return made + [0] * (peers - sharers)


def zipf_of(titles: int) -> float:
    """Exponent at which the top 1 % of so many distinct titles are 37 % of the asks; of few, the top one is."""
    top = max(1, round(titles * QUERIES_TOP))
    low, high = 0.0, 5.0
    for _ in range(60):
        zipf = (low + high) / 2
        weights = [rank**-zipf for rank in range(1, titles + 1)]
        if math.fsum(weights[:top]) < QUERIES_SHARE * math.fsum(weights):
            low = zipf
        else:
            high = zipf
    return high if titles > 1 else 0.0


def copies_wanted(items: int, replicas: float, peers: int) -> float:
    """Copies of each wanted title, on average: as many as are asked for, or more where the law needs them."""
    return max(replicas, min(WANTED_A_PEER * peers / items, COPIES_MOST * peers))


def place(copies: Sequence[int], rooms: Sequence[int], rng: Stream) -> list[list[int]]:
    """Titles (their ranks) of each sharer, one list each.

    copies   of each title, the most wanted first
    rooms    files of each sharer, the richest first; nobody gets more titles than that
    """
    sharers = len(rooms)
    keys = sorted(range(sharers), key=lambda at: -rooms[at] * rng.random())
    answering = keys[: max(1, round(sharers * ANSWERS[-1][0]))]
    marks = [share_of(ANSWERS, rank / sharers) for rank in range(len(answering))] + [1.0]
    weights = [after - before for before, after in pairwise(marks)]
    held: list[list[int]] = [[] for _ in rooms]
    for title, count in enumerate(copies):
        open_to = [at for at, peer in enumerate(answering) if len(held[peer]) < rooms[peer]]
        for at in _systematic([weights[at] for at in open_to], min(count, len(open_to)), rng):
            held[answering[open_to[at]]].append(title)
    _console(held, answering, len(copies), rng)
    return held


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


def _console(held: list[list[int]], answering: Sequence[int], titles: int, rng: Stream) -> None:
    """A copy of something rare for each answering sharer that has nothing wanted yet, from one that has much."""
    rare = titles // 5
    # The lists are in order of rank: what a peer has of the rarer titles is their tail.
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


# Names for things that do not exist: "blue train", "night owl", "tin soldier".
#
# Two lists without a word in common, so that a title is told by its words whatever their order. The first
# three titles are the same in every swarm: they are the ones that examples ask for.
#
# The lists are texts, split on loading: four hundred quoted words would fill pages, hence the two exceptions
# for the linter.

HOUSE = ("blue train", "night owl", "tin soldier")

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
"""As many titles of two words there are."""


def draw_titles(count: int, rng: Stream) -> list[str]:
    """So many distinct titles, lower case, two words each; those of `HOUSE` open the list."""
    titles = dict.fromkeys(HOUSE[:count])
    for at in rng.sample(range(COUNT_MAX), min(COUNT_MAX, count + len(HOUSE))):
        if len(titles) == count:
            break
        titles[f"{FIRST[at // len(SECOND)]} {SECOND[at % len(SECOND)]}"] = None
    return list(titles)
