"""Sharing on Gnutella as Adar and Huberman measured it: who shares how much, who answers, what is asked for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import pytest

from engine.errors import InputError
from engine.lab.scenario import parse
from engine.setup import ContentSpec, Setup
from engine.sim.rng import Stream
from engine.swarm import Swarm
from engine.world import popularity
from engine.world.content import Catalogue, grown

pytestmark = pytest.mark.uncounted

PEERS = 3_000
SEEDS = (1, 2, 3, 4, 5)
ASKS = 30_000
MEASURED = ContentSpec(sharing="adar-huberman")


def of_top(values: Sequence[int], share: float) -> float:
    """The part of the sum that the largest values have, of which there is this share."""
    ranked = sorted(values, reverse=True)
    return sum(ranked[: round(len(ranked) * share)]) / sum(ranked)


def figures(seeds: Sequence[int]) -> dict[str, float]:
    """The published figures, as means over seeds. Every peer that has what is asked for answers."""
    sums: Counter[str] = Counter()
    for seed in seeds:
        made = Catalogue.generate(MEASURED, PEERS, seed)
        asked = Counter(made.sample_title(rng) for rng in [Stream(f"{seed}/asks")] for _ in range(ASKS))
        files = [len(library) for library in made.libraries]
        answers = [sum(asked[file.name] for file in library.files()) for library in made.libraries if len(library)]
        sums["nothing"] += sum(n == 0 for n in files) / PEERS
        sums["ten or fewer"] += sum(n <= 10 for n in files) / PEERS
        sums["files of the top 1 %"] += of_top(files, 0.01)
        sums["files of the top 20 %"] += of_top(files, 0.20)
        sums["sharers who never answer"] += sum(n == 0 for n in answers) / len(answers)
        sums["answers of the top 1 %"] += of_top(answers, 0.01)
        sums["answers of the top 25 %"] += of_top(answers, 0.25)
        sums["volume of the top 1 % of queries"] += of_top(list(asked.values()), 0.01)
    return {name: value / len(seeds) for name, value in sums.items()}


PUBLISHED = {
    "nothing": (0.66, 0.005),
    "ten or fewer": (0.73, 0.005),
    "files of the top 1 %": (0.37, 0.005),
    "files of the top 20 %": (0.98, 0.005),
    "sharers who never answer": (0.63, 0.01),
    "answers of the top 1 %": (0.47, 0.04),
    "answers of the top 25 %": (0.98, 0.015),
    "volume of the top 1 % of queries": (0.37, 0.015),
}
"""Each with the largest allowed difference of a mean over the seeds; of one swarm it may be twice as large."""


@pytest.mark.parametrize(
    ("seeds", "times"), [((1,), 2.0), pytest.param(SEEDS, 1.0, marks=pytest.mark.campaign)], ids=["one", "all"]
)
def test_swarms_have_the_published_figures(seeds: Sequence[int], times: float) -> None:
    # One test for all figures, since they are of the same swarms, which take long to make.
    found = figures(seeds)
    assert found.keys() == PUBLISHED.keys()
    for figure, (published, within) in PUBLISHED.items():
        assert found[figure] == pytest.approx(published, abs=within * times), figure


def test_peers_that_share_most_are_not_those_that_answer_most() -> None:
    made = Catalogue.generate(MEASURED, PEERS, 1)
    wanted = dict.fromkeys(made.titles)
    rich = sorted(made.libraries, key=len, reverse=True)[: PEERS // 10]
    answering = sum(any(file.name in wanted for file in library.files()) for library in rich)
    assert 0.5 < answering / len(rich) < 0.95


def test_wanted_titles_have_equal_numbers_of_copies_and_at_least_the_given_one() -> None:
    made = Catalogue.generate(ContentSpec(sharing="adar-huberman", replicas=12), PEERS, 1)
    held = Counter(file.name for library in made.libraries for file in library.files())
    assert {held[title] for title in made.titles} == {12}
    assert len(made.titles) == len(made.files) == 200
    assert all(popularity.mean_copies(200, 4, peers) >= 4 for peers in (1, 64, 100_000))


@pytest.mark.parametrize(
    ("peers", "replication"),
    [
        *((peers, "square-root") for peers in (1, 2, 3, 20, 64)),
        *((peers, law) for peers in (1, 64) for law in ("uniform", "proportional")),
    ],
)
def test_small_swarms_follow_the_curves_approximately(peers: int, replication: str) -> None:
    made = Catalogue.generate(ContentSpec(sharing="adar-huberman", replication=replication), peers, 1)
    files = [len(library) for library in made.libraries]
    assert sum(n > 0 for n in files) == round(peers * 0.34)
    assert sum(n > 10 for n in files) == round(peers * 0.27)


def held_by_title(made: Catalogue) -> Counter[str]:
    return Counter(file.name for library in made.libraries for file in library.files())


@pytest.mark.parametrize("law", popularity.LAWS)
@pytest.mark.parametrize(
    ("peers", "items", "replicas", "free_riders", "zipf"),
    [
        (64, 200, 4, 0.66, 1.0),
        (64, 1, 1, 0.66, 1.0),
        (64, 3, 500, 0.5, 2.4),
        (1_000, 200, 4, 0.66, 2.4),
        (1_000, 64, 2.5, 0.0, 5.0),
        (3_000, 10, 300, 0.2, 2.4),
        (10_000, 200, 4, 0.66, 2.4),
        (10_000, 100, 100, 0.0, 2.4),
        (10_000, 1, 7, 0.9, 0.0),
    ],
)
def test_the_share_of_free_riders_and_the_total_of_copies_hold_at_any_size(
    law: str, peers: int, items: int, replicas: float, free_riders: float, zipf: float
) -> None:
    made = Catalogue.generate(ContentSpec(items, replicas, zipf, free_riders, law), peers, 1)
    sharers = peers - round(peers * free_riders)
    titles = len(made.titles)
    assert sum(not len(library) for library in made.libraries) == peers - sharers
    held = held_by_title(made)
    assert abs(sum(held.values()) - titles * min(replicas, sharers)) <= 1
    assert min(held[title] for title in made.titles) >= 1
    assert max(held.values()) <= sharers
    if items * min(replicas, sharers) >= sharers:
        assert (titles, made.notes) == (items, ())
    else:
        assert titles == math.ceil(sharers / replicas)
        copies = "copy" if replicas == 1 else "copies"
        assert made.notes == (
            f"content: {titles:,} titles instead of {items:,}, with {replicas:.3g} {copies} of each, "
            f"so that each of the {sharers:,} peers that share has a file",
        )


def test_a_world_that_has_more_titles_than_its_setup_says_so() -> None:
    swarm = Swarm(Setup(peers=200, topology="ring", content=ContentSpec(items=5, replicas=2)))
    assert [said.split(",")[0] for said in swarm.warnings] == ["content: 34 titles instead of 5"]


def test_where_all_titles_are_used_each_has_more_copies() -> None:
    made = grown(ContentSpec(replicas=1.5, free_riders=0), 100_000)
    assert made.items == popularity.COUNT_MAX
    assert made.items * made.replicas == pytest.approx(100_000)


@pytest.mark.parametrize("law", popularity.LAWS)
@pytest.mark.parametrize(
    ("peers", "items", "replicas"), [(64, 200, 4), (64, 10, 10), (64, 1_000, 2.5), (1_000, 200, 4), (1_000, 64, 1)]
)
def test_measured_sharing_places_all_copies_for_which_there_is_room(
    law: str, peers: int, items: int, replicas: float
) -> None:
    made = Catalogue.generate(ContentSpec(items, replicas, sharing="adar-huberman", replication=law), peers, 1)
    wanted = dict.fromkeys(made.titles)
    placed = [sum(file.name in wanted for file in library.files()) for library in made.libraries]
    due = items * popularity.mean_copies(items, replicas, peers)
    room = sum(min(len(library), items) for library, n in zip(made.libraries, placed, strict=True) if n)
    assert sum(placed) == pytest.approx(min(due, room), abs=1)
    held = held_by_title(made)
    assert min(held[title] for title in made.titles) >= 1


def test_the_curves_go_through_their_points() -> None:
    for curve in (popularity.FILES_CURVE, popularity.ANSWERS_CURVE):
        assert [popularity.cumulative_share(curve, at) for at, _ in curve[:-1]] == pytest.approx(
            [y for _, y in curve[:-1]]
        )
        steps = [
            popularity.cumulative_share(curve, (k + 1) / 500) - popularity.cumulative_share(curve, k / 500)
            for k in range(500)
        ]
        assert min(steps) >= 0
    assert popularity.zipf_exponent(1) == 0


def test_a_scenario_chooses_it() -> None:
    made = parse('[content]\nsharing = "adar-huberman"\nreplication = "square-root"', "x").setup.content
    assert (made.sharing, made.replication) == ("adar-huberman", "square-root")
    for line, sentence in (
        (
            'sharing = "adar-hubermann"',
            'x: content.sharing should not be "adar-hubermann"; did you mean "adar-huberman"?',
        ),
        ('replication = "sqrt"', 'x: content.replication should not be "sqrt"'),
        ("sharing = 3", "x: content.sharing should be a text"),
    ):
        with pytest.raises(InputError) as caught:
            parse(f"[content]\n{line}", "x")
        assert str(caught.value).startswith(sentence)


def test_content_that_is_too_large_for_memory_is_refused() -> None:
    with pytest.raises(InputError, match="at most 40,000 peers"):
        Catalogue.generate(MEASURED, 100_000, 1)
    with pytest.raises(InputError, match=r'items should be at most .* with sharing = "adar-huberman"'):
        Catalogue.generate(ContentSpec(sharing="adar-huberman", items=30_000, replicas=1), 64, 1)
