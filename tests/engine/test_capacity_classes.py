"""Access links of peers: the classes and shares of the study, specs, and the columns of a snapshot."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from engine import InputError, LinkSpec, Set, Setup, Swarm
from engine.measure.snapshot import ALIVE
from engine.world import access_links


def test_access_links_have_the_shares_of_the_study() -> None:
    n = 20_000
    drawn = access_links.generate(LinkSpec("saroiu"), n, 0, seed=11)
    up = [line.up_kbit_s for line in drawn]
    down = [line.down_kbit_s for line in drawn]
    published = {
        0.22: sum(rate <= 100 for rate in up),
        0.08: sum(rate >= 10_000 for rate in up),
        0.92: sum(rate >= 100 for rate in down),
    }
    for share, count in published.items():
        assert abs(count / n - share) < 4 * math.sqrt(share * (1 - share) / n)
    assert sum(1_000 <= rate <= 3_500 for rate in down) > n / 2, "cable and DSL are commonest"
    assert sum(line.share for line in access_links.CLASSES) == pytest.approx(1)


def test_a_peer_has_the_same_link_in_a_larger_swarm_and_stations_a_fast_one() -> None:
    small, big = (access_links.generate(LinkSpec("saroiu", nat=0.3), n, 2, seed=1) for n in (50, 500))
    assert small[:50] == big[:50]
    for station in small[50:]:
        assert station.up_kbit_s == station.down_kbit_s == access_links.STATION_KBIT_S
        assert not station.nat
    more = access_links.generate(LinkSpec("saroiu", nat=0.5), 500, 0, seed=1)
    assert all(now.nat for was, now in zip(big, more, strict=False) if was.nat)


def test_no_access_links_where_nothing_is_limited() -> None:
    assert access_links.generate(LinkSpec(), 10, 2, seed=1) == []
    swarm = Swarm(Setup(peers=8))
    fixed = swarm.snapshot().fixed
    assert not fixed.up_kbit_s.any()
    assert not fixed.nat.any()
    with pytest.raises(InputError, match="have no capacity"):
        swarm.do(Set("capacity", 2))


@pytest.mark.parametrize(
    ("links", "words"),
    [
        (LinkSpec("saroui"), "saroiu"),
        (LinkSpec("100"), "UP:DOWN"),
        (LinkSpec("0:100"), "whole number"),
        (LinkSpec("100:x"), "DOWN"),
        (LinkSpec("1:2:3"), "DOWN"),
        (LinkSpec(nat=1.5), "0 to 1"),
        (LinkSpec(nat=math.nan), "0 to 1"),
        (LinkSpec(jitter_ms=-1.0), "jitter"),
    ],
)
def test_bad_link_specs_are_refused_in_one_sentence(links: LinkSpec, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Swarm(replace(Setup(peers=4), links=links))


def test_a_snapshot_has_the_access_links() -> None:
    swarm = Swarm(Setup(protocol="napster", peers=40, links=LinkSpec("saroiu", nat=0.4)))
    fixed = swarm.snapshot().fixed
    assert fixed.up_kbit_s[:40].max() <= 44_736 < fixed.up_kbit_s[40]
    behind = swarm.select("nat=yes")
    assert behind == tuple(peer for peer in range(41) if fixed.nat[peer])
    assert 5 < len(behind) < 30
    assert swarm.select("nat=no and role=index") == (40,)
    assert (swarm.snapshot().state[list(behind)] == ALIVE).all()
