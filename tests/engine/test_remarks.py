"""Remarks on an ask: what peers keep in its record, and how it is told and counted."""

from __future__ import annotations

import pickle
from collections.abc import Mapping

from tiny import Diary, host, make_swarm

from engine import AskFor, Facts, FakeHost, Swarm, message, on
from engine.api import Host, PeerId
from engine.measure.asks import REMARKS_MOST
from tui.widgets.asks_table import remarks_counted


@message(part="question")
class Rumour:
    """A word that each peer passes on to the next one."""

    left: int


class Overhearer(Diary, name="overhearer"):
    """Peer 2 remarks that it heard of an ask, and peer 1 who asked."""

    overlay = False

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
    copy: Swarm = pickle.loads(pickle.dumps(swarm))
    assert remarks(copy) == remarks(swarm)


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
