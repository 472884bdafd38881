"""Selectors against a running swarm: every property they can name is the swarm's own, at this moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tiny import SECOND, Bureau, Clerk, Say, give, host, make_swarm

from engine import Censor, Collude, Component, InputError, Kill, Leave, Station, component


def test_each_property_is_read_from_the_swarm() -> None:
    swarm = make_swarm(6, Bureau, topology="ring")
    give(swarm, 4, "blue train")
    swarm.do(Kill(0))
    swarm.do(Leave(1))
    swarm.do(Censor((2, 0)))
    swarm.do(Collude(3, "train"))
    for _ in range(9):
        host(swarm, 5).send(4, Say("x"))
    swarm.advance(SECOND)
    city = swarm.snapshot().fixed.places.names[int(swarm.snapshot().fixed.place[5])]
    for selector, peers in {
        "p003": (3,),
        "#3": (3,),
        "desk-b": (7,),
        "role=clerk": (6, 7, 8),
        "role=writer and not state=alive": (0, 1),
        "state=dead": (0,),
        "state=left": (1,),
        "state=censored": (0, 2),
        "operator=acme": (6, 7),
        "operator=BOLT": (8,),
        "degree>1": (3, 4),
        "degree=1": (2, 5),
        "load>5": (4,),
        'holds "train blue"': (4,),
        "top 1 load": (4,),
    }.items():
        assert swarm.select(selector) == peers, selector
    assert 5 in swarm.select(f'city="{city}"')


def test_random_draws_from_the_runs_own_stream_when_done_and_not_when_looked_at() -> None:
    swarm, twin = make_swarm(50), make_swarm(50)
    shown = swarm.select("random 5")
    assert swarm.select("random 5") == shown, "looking twice shows the same"
    assert swarm.do(Kill("random 5")) == shown, "what is shown is what is done"
    assert twin.do(Kill("random 5")) == shown
    assert swarm.do(Kill("random 5")) == twin.do(Kill("random 5")) != shown
    assert not set(swarm.select("random 40")) & set(swarm.select("state=dead")), "among the living"


def test_infrastructure_is_not_drawn_unless_it_is_named() -> None:
    swarm = make_swarm(6, Bureau)
    assert swarm.select("random 100%") == tuple(range(6))
    assert swarm.select("role=clerk and random 100%") == (6, 7, 8)


def test_a_name_that_the_swarm_does_not_have_is_an_error() -> None:
    swarm = make_swarm(3, Bureau)
    for selector in ("p999", "#99", "role=clrk", "operator=acne", 'city="Atlantis"'):
        with pytest.raises(InputError):
            swarm.select(selector)


def test_completions_know_the_swarm() -> None:
    swarm = make_swarm(3, Bureau)
    assert swarm.completions("role=") == ["clerk", "writer"]
    assert swarm.completions("operator=b") == ["bolt"]
    assert "colluding" not in swarm.completions("state=")


class Gauge(Component):
    roles = ("measured",)


class Meter(Bureau, name="meters"):
    gauge: Gauge = component(Gauge)

    @classmethod
    def stations(cls, options: Any, peers: int) -> Sequence[Station]:
        return [Station(Judge, "judge", "")]


class Judge(Clerk):
    role = "judge"
    roles = ("judge on leave",)


def test_roles_that_stations_and_components_declare_are_known_though_nobody_has_them() -> None:
    swarm = make_swarm(3, Meter)
    assert swarm.select("role=judge") == (3,)
    assert swarm.select("role=measured or role=judge on leave") == ()
    assert swarm.completions("role=") == ["judge", '"judge on leave"', "measured", "writer"]
    with pytest.raises(InputError, match='did you mean "measured"'):
        swarm.select("role=mesured")
