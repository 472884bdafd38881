"""Remarks on an ask: what peers keep in its record, and how it is told and counted."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping

import pytest
from tiny import Diary, host, make_swarm

from engine import AskFor, Facts, FakeHost, InputError, Swarm, message, on
from engine.api import Host, PeerId
from engine.lab import scenario
from engine.lab.check import Expect, check, measure
from engine.measure.asks import REMARKS_MOST
from tui.widgets.asks_table import remarks_counted


@message(part="question")
class Rumour:
    """A text that each peer passes on to the next one."""

    left: int


class Overhearer(Diary, name="overhearer"):
    """Peer 2 remarks that it heard of an ask, and peer 1 who asked."""

    overlay = False
    remark_keys = ("overheard",)

    @classmethod
    def verdict(cls, facts: Facts, options: object) -> str | None:
        return f"Overheard: {dict(facts.remarks)}." if facts.remarks else None

    def ask(self, host: Host, ask: object) -> None:
        host.send(host.me + 1, Rumour(2))

    @on(Rumour)
    def hear(self, host: Host, sender: PeerId, message: Rumour) -> None:
        if host.me in (1, 2):
            host.remark("overheard", "by two" if host.me == 2 else "by one")
        if message.left:
            host.send(host.me + 1, Rumour(message.left - 1))


def remarks(swarm: Swarm) -> list[Mapping[str, tuple[str, ...]]]:
    return [row.remarks for row in swarm.asks()]


def test_a_remark_by_itself() -> None:
    fake = FakeHost()
    fake.remark("watcher", "client")
    assert fake.noted("remark") == [{"key": "watcher", "value": "client"}]


def test_any_peer_on_the_way_may_remark_and_values_of_one_key_stand_side_by_side() -> None:
    swarm = make_swarm(6, Overhearer)
    for origin in (0, 1, 2):
        swarm.do(AskFor(origin, "x"))
    swarm.advance(2_000_000)
    assert remarks(swarm) == [{"overheard": ("by one", "by two")}, {"overheard": ("by two",)}, {}]
    assert swarm.asks()[0].verdict == "Overheard: {'overheard': ('by one', 'by two')}."
    assert remarks_counted(swarm.asks()) == "overheard: by one + by two 1 · by two 1 · none 1"
    assert remarks_counted(swarm.asks()[2:]) == ""
    for metric, share in (
        ("remark.overheard.by one + by two", 1 / 3),
        ("remark.overheard.by two + by one", 1 / 3),
        ("askers.overheard.by two", 1 / 3),
        ("remark.overheard.by one", 0),
        ("remark.unheard.x", 0),
    ):
        assert measure(swarm, metric, 0, 1) == share
    for metric, told in (
        ("remark", "33.3% of the asks have"),
        ("askers", "33.3% of the peers that asked have an ask with"),
    ):
        sentence = check(swarm, Expect(f"{metric}.overheard.by two", 0, 1, max=0.5)).told()
        assert sentence == f"From 0 to 1 s {told} the remark overheard: by two; as expected: at most 50.0%."
    copy: Swarm = pickle.loads(pickle.dumps(swarm))
    assert remarks(copy) == remarks(swarm)


@pytest.mark.parametrize(
    ("network", "metric", "said"),
    [
        ("tor", "remark.watcher.client + page", ""),
        ("limewire", "askers.flow control.dropped", ""),
        ("tor", "remark.watchr.client", 'this network makes no remark called "watchr"; did you mean "watcher"?'),
        ("volunteer", "askers.projct.x", 'this network makes no remark called "projct"; did you mean "project"?'),
        ("gnutella", "remark.watcher.client", 'this network makes no remark called "watcher": it remarks nothing'),
    ],
)
def test_a_key_that_the_network_never_remarks_is_refused_in_a_scenario(network: str, metric: str, said: str) -> None:
    text = f"""
protocol = "{network}"

[[expect]]
metric = "{metric}"
from_s = 0
to_s = 5
min = 0
"""
    if not said:
        assert scenario.parse(text, "x.toml").expects[0].metric == metric
        return
    with pytest.raises(InputError, match=re.escape(said)):
        scenario.parse(text, "x.toml")


def test_a_remark_under_a_key_that_is_not_declared_is_an_error_of_the_program() -> None:
    swarm = make_swarm(6, Overhearer)
    with pytest.raises(ValueError, match=r'"overhaerd", should be among the remark_keys'):
        host(swarm, 3).remark("overhaerd", "nothing")


def test_remarks_are_limited_and_without_an_ask_they_are_nothing() -> None:
    swarm = make_swarm(6, Overhearer)
    host(swarm, 3).remark("overheard", "nothing")
    swarm.do(AskFor(0, "x"))
    swarm.advance(2_000_000)
    record = swarm.simulation.records[1]
    for number in range(2 * REMARKS_MOST):
        record.remark("overheard", f"{number}")
        record.remark(f"key {number}", "x")
    assert len(record.remarks) == len(record.remarks["overheard"]) == REMARKS_MOST
