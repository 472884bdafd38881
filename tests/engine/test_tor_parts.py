"""Bandwidth weights, paths and windows of Tor, without a network."""

from __future__ import annotations

from math import isclose
from random import Random

import pytest

from engine.protocols.tor.consensus import Position, Relay, Table, Weights, path_from, related, weights
from engine.protocols.tor.windows import Window

POSITIONS: tuple[Position, ...] = ("guard", "middle", "exit")


def relays(g: int, m: int, e: int, d: int) -> list[Relay]:
    """One relay of each kind with that bandwidth."""
    kinds = ((g, True, False), (m, False, False), (e, False, True), (d, True, True))
    return [Relay(n, b, guard, exit_, n) for n, (b, guard, exit_) in enumerate(kinds) if b]


def widths(all_: list[Relay], of: Weights) -> list[float]:
    return [sum(one.bandwidth * of.of(one, position) for one in all_) for position in POSITIONS]


def test_where_nothing_is_scarce_the_three_positions_are_equally_wide() -> None:
    all_ = relays(500, 200, 400, 90)
    of = weights(all_)
    assert of.case.startswith("1")
    guard, middle, last = widths(all_, of)
    assert isclose(guard, middle)
    assert isclose(middle, last)
    assert isclose(of.wgd + of.wmd + of.wed, 1)
    assert isclose(of.wee + of.wme, 1)
    assert isclose(of.wgg + of.wmg, 1)


@pytest.mark.parametrize("bandwidths", [(100, 300, 600, 500), (600, 300, 100, 500)])
def test_where_one_is_scarce_the_relays_that_are_both_make_up_for_it(bandwidths: tuple[int, int, int, int]) -> None:
    all_ = relays(*bandwidths)
    of = weights(all_)
    assert of.case.startswith("3b")
    guard, middle, last = widths(all_, of)
    assert isclose(guard, last)
    assert isclose(middle, last)


def test_where_exits_are_very_scarce_they_serve_as_exits_alone() -> None:
    of = weights(relays(900, 300, 50, 40))
    assert of.case == "3a: exits are scarce"
    assert (of.wee, of.wed, of.wmd, of.wgd) == (1.0, 1.0, 0.0, 0.0)


@pytest.mark.parametrize("seed", range(5))
def test_weights_are_shares_for_any_bandwidths(seed: int) -> None:
    rng = Random(seed)
    for _ in range(400):
        of = weights(relays(*(rng.choice((0, rng.randrange(1, 1_000))) for _ in range(4))))
        assert all(-1e-9 <= value <= 1 + 1e-9 for value in of[:-1]), of
        assert of.wgd + of.wmd + of.wed <= 1 + 1e-9


def test_a_path_has_no_relay_network_or_family_twice_and_the_client_keeps_its_guard() -> None:
    rng = Random(1)
    all_ = [
        Relay(n, 1 + n % 7, n % 3 == 0, n % 4 == 0, network=n % 40, family=n % 9 if n % 2 else 0) for n in range(120)
    ]
    guard, table = all_[33], Table(all_)
    found = 0
    for _ in range(300):
        path = path_from(lambda position, free: table.choose(position, rng, free), [guard])
        if path is None:
            continue
        found += 1
        assert path[0] is guard
        assert path[2].exit
        assert not any(related(a, b) for i, a in enumerate(path) for b in path[:i])
    assert found > 250, "the others have an exit that the guard is related to"
    alone = Table(all_[:1])
    assert path_from(lambda position, free: alone.choose(position, rng, free)) is None


def test_two_watched_relays_are_both_ends_as_often_as_a_draw_without_replacement_says() -> None:
    # n relays of equal weight, m of them watched, no relay twice: (m/n) (m-1)/(n-1).
    n, m, tries = 100, 30, 4_000
    all_ = [Relay(k, 10, True, True, k) for k in range(n)]
    rng = Random(6)
    table = Table(all_)
    paths = [path_from(lambda position, free: table.choose(position, rng, free)) for _ in range(tries)]
    both = sum(path is not None and path[0].peer < m and path[2].peer < m for path in paths) / tries
    expected = m / n * (m - 1) / (n - 1)
    assert abs(both - expected) < 4 * (expected * (1 - expected) / tries) ** 0.5


def test_a_window_empties_and_opens_again_with_a_sendme() -> None:
    sender, receiver = Window.stream(), Window.stream()
    sent, due = 0, 0
    while sender.pack():
        sent += 1
        due += receiver.delivered()
    assert (sent, due) == (500, 10)
    sender.sendme()
    assert sender.package == 50
    with pytest.raises(ValueError, match="not sent"):
        Window.stream().sendme()
