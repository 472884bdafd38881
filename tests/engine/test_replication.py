"""Copies of each title by the three laws of replication, and the cost of a search by random probing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import pytest

from engine.setup import ContentSpec
from engine.sim.rng import Stream
from engine.world.content import Catalogue
from engine.world.popularity import LAWS, copies

pytestmark = pytest.mark.uncounted

COHEN_SHENKER = {0.4: 95.6, 0.8: 79.1, 1.0: 66.6, 1.2: 53.3, 1.6: 30.3, 2.0: 16.5, 2.4: 9.4}
"""Expected search size of square-root replication by Zipf exponent, for 100 objects and one copy a node; the other two
laws need 100."""
PEERS = 20_000


def zipf(alpha: float, titles: int = 100) -> list[float]:
    total = math.fsum(rank**-alpha for rank in range(1, titles + 1))
    return [rank**-alpha / total for rank in range(1, titles + 1)]


def search_size(shares: Sequence[float], held: Sequence[float], peers: float) -> float:
    """Mean number of random probes until a title is found, titles being asked for by `shares` (Cohen and Shenker 2002,
    section 2).

    held     copies of each title among so many peers
    """
    asks = math.fsum(shares)
    return math.fsum(share * peers / count for share, count in zip(shares, held, strict=True)) / asks


def expected_search_size(law: str, shares: Sequence[float], rho: float) -> float:
    """The closed form: what `search_size` is when rho copies a peer follow the law without rounding."""
    weights = [LAWS[law](share) for share in shares]
    factor = rho / math.fsum(weights)
    return search_size(shares, [weight * factor for weight in weights], 1.0)


@pytest.mark.parametrize(("alpha", "size"), COHEN_SHENKER.items())
def test_the_closed_form_is_that_of_cohen_and_shenker(alpha: float, size: float) -> None:
    shares = zipf(alpha)
    assert round(expected_search_size("square-root", shares, 1.0), 1) == size
    for law in ("uniform", "proportional"):
        assert expected_search_size(law, shares, 1.0) == pytest.approx(100)
    assert expected_search_size("square-root", shares, 2.0) == pytest.approx(size / 2, abs=0.03)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("alpha", [0.4, 1.2])
def test_random_probes_agree_with_the_closed_form(law: str, alpha: float) -> None:
    spec = ContentSpec(items=100, replicas=PEERS / 100, zipf=alpha, free_riders=0.0, replication=law)
    made = Catalogue.generate(spec, PEERS, 7)
    rng = Stream(f"probes/{law}/{alpha}")
    probes = []
    for _ in range(1_500):
        title, tries = made.sample_title(rng), 1
        while title not in made.libraries[rng.randrange(PEERS)]:
            tries += 1
        probes.append(tries)
    mean = sum(probes) / len(probes)
    error = math.sqrt(sum((n - mean) ** 2 for n in probes)) / len(probes)
    expected = expected_search_size(law, zipf(alpha), 1.0)
    assert abs(mean - expected) < 3.5 * error
    held = Counter(file.name for library in made.libraries for file in library.files())
    assert search_size(zipf(alpha), [held[title] for title in made.titles], PEERS) == pytest.approx(expected, rel=0.01)


def test_a_title_has_one_copy_where_the_law_gives_less_and_the_total_is_kept() -> None:
    shares = zipf(2.4)
    spec = ContentSpec(items=100, replicas=PEERS / 100, zipf=2.4, free_riders=0.0, replication="proportional")
    made = Catalogue.generate(spec, PEERS, 7)
    held = Counter(file.name for library in made.libraries for file in library.files())
    law = [max(1.0, share / math.fsum(shares) * PEERS) for share in shares]
    factor = (PEERS - sum(n == 1 for n in law)) / math.fsum(n for n in law if n > 1)
    law = [n if n == 1 else max(1.0, n * factor) for n in law]
    assert sum(held.values()) == PEERS
    assert all(abs(held[title] - due) <= 1.1 for title, due in zip(made.titles, law, strict=True))


@pytest.mark.parametrize("law", LAWS)
def test_copies_follow_the_law(law: str) -> None:
    shares = zipf(0.8, 50)
    drawn = [copies(law, shares, 2_000, 10_000, Stream(f"copies/{seed}")) for seed in range(40)]
    total = math.fsum(LAWS[law](share) for share in shares)
    for title, share in enumerate(shares):
        target = 2_000 * LAWS[law](share) / total
        assert all(abs(counts[title] - target) < 1 for counts in drawn), "rounded up or down, and never further"
        assert sum(counts[title] for counts in drawn) / 40 == pytest.approx(target, abs=0.35)
    assert {sum(counts) for counts in drawn} <= {1_999, 2_000, 2_001}


def test_each_title_has_from_one_copy_to_one_at_each_peer() -> None:
    steep = copies("proportional", zipf(2.4, 100), 400, 40, Stream("steep"))
    assert (max(steep), min(steep)) == (40, 1)
    assert sum(steep) == pytest.approx(400, abs=1), "what the first may not have, the others have"
    assert copies("square-root", zipf(1.0, 3), 1e9, 5, Stream("full")) == [5, 5, 5]
    assert copies("proportional", [0.0, 1.0], 6, 5, Stream("unasked")) == [1, 5]


def test_the_three_laws_differ() -> None:
    held = {law: copies(law, zipf(1.0, 100), 1_000, 500, Stream("laws")) for law in LAWS}
    assert held["uniform"][0] < held["square-root"][0] < held["proportional"][0]
    assert held["uniform"][-1] > held["square-root"][-1] > held["proportional"][-1]
