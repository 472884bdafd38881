"""Components: parts of a peer with handlers, ticks, options, saved state, beliefs and verbs of their own."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from tables import CounterOptions, Met, Ping, Pong, Table, TableOptions, Wanted, Watcher, WatcherOptions, peer_of

from engine import (
    AskFor,
    Component,
    Host,
    InputError,
    Kill,
    Peer,
    PeerId,
    Revive,
    Set,
    Setup,
    Swarm,
    beliefs_of,
    component,
    message,
    on,
    on_reply,
    option_values,
    options_for,
)
from engine.options import set_option
from engine.programs import components_of
from engine.record.checkpoints import pack_swarm, unpack_swarm
from engine.registry import name_of
from engine.rules import check
from engine.testing import FakeHost

S = 1_000_000


def swarm_of(program: type[Peer] = Watcher, peers: int = 12, **options: Any) -> Swarm:
    return Swarm(Setup(peers=peers, seed=3, asks_per_s=0, options=options), program)


# --- with a FakeHost ---------------------------------------------------------------------------------------------


def host_of(**values: object) -> FakeHost:
    return FakeHost(me=0, options=options_for(Watcher, values, "test"))


def test_the_engine_starts_a_component_before_its_owner() -> None:
    host, peer = host_of(**{"table.k": 2}), Watcher()
    host.start(peer, [5, 6, 7])
    assert list(peer.table.known) == [5, 6]
    assert peer.started == (5, 6, 7)
    assert [type(timer.tick).__name__ for timer in host.timers] == ["CountDue", "Probe"], "the innermost first"
    assert peer.table.part_name == "table"
    assert peer.table.counter.part_name == "counter"


def test_messages_and_ticks_reach_the_component_with_its_own_options() -> None:
    host, peer = host_of(**{"table.k": 2, "table.counter.step": 3}), Watcher()
    host.start(peer, [5])
    host.give(peer, Ping(9), sender=8)
    host.give(peer, Ping(9), sender=7)
    assert host.take() == [(8, Pong(9)), (7, Pong(9))]
    assert list(peer.table.known) == [5, 8], "its table holds k = 2"
    host.wait(peer, 2 * S)
    assert peer.table.counter.count == 6
    assert [type(sent) for _, sent in host.take()] == [Ping]


def test_an_owner_passes_its_own_host_and_hears_what_is_emitted() -> None:
    host, peer = host_of(), Watcher()
    host.start(peer)
    assert peer.table.learn(host, 4)
    assert peer.table.learn(host.inside(peer.table), 6), "the host of the component does as well"
    assert not peer.table.learn(host, 4)
    assert host.emitted == [Met(4), Met(6)]
    assert peer.met == [4, 6], "the owner's handler has the owner's options"


def test_a_component_is_tested_by_itself() -> None:
    host, table = FakeHost(me=1, options=TableOptions(k=1)), Table()
    host.start(table, [9, 8])
    assert list(table.known) == [9]
    table.known = {}
    host.give(table, Ping(1), sender=3)
    assert host.take() == [(3, Pong(1))]
    assert host.emitted == [Met(3)]
    host.wait(table, 1 * S)
    assert table.counter.count == 1


def test_a_refusal_is_told_to_the_part_that_sent_the_message_and_an_end_to_all() -> None:
    host, peer = host_of(), Watcher()
    host.start(peer)
    host.refuse(peer, 3, Ping(1))
    host.refuse(peer, 3, Wanted("x"))
    assert peer.table.refusals == 1
    host.end(peer, 3)
    assert (peer.table.ends, peer.told) == (1, [3])


def test_super_works_in_slotted_dataclasses() -> None:
    assert not hasattr(Watcher(), "__dict__")
    assert not hasattr(Table(), "__dict__")

    @dataclass(slots=True, eq=False)
    class Louder(Watcher):
        def saved(self) -> object | None:
            return super().saved(), "louder"

        @property
        def loudness(self) -> int:
            return len(super().__class__.__name__)

    assert Louder().saved() == ([], "louder")
    assert Louder().loudness


def test_a_peer_with_components_pickles() -> None:
    host, peer = host_of(), Watcher()
    host.start(peer, [5, 6])
    again = pickle.loads(pickle.dumps(peer))
    assert (again.table.part_name, list(again.table.known)) == ("table", [5, 6])
    assert again.table.counter.part_name == "counter"


# --- options -------------------------------------------------------------------------------------------------


def test_options_carry_the_name_of_the_component() -> None:
    options = options_for(Watcher, {"table.k": "8", "loud": "no", "table.counter.step": 2}, "--set")
    assert (options.table.k, options.loud, options.table.counter.step) == (8, False, 2)
    assert isinstance(options, WatcherOptions)
    assert option_values(options)["table.probe_s"] == 2.0
    assert options_for(Watcher, {"table": {"k": 8, "counter": {"step": 2}}}, "[options]").table.k == 8, (
        "as TOML reads it"
    )
    assert pickle.loads(pickle.dumps(options)) == options
    set_option(options, "table.k", 5, "set")
    assert options.table.k == 5
    assert options_for(Watcher, {}, "x").table.k == 4, "the default is not shared"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("table.k", 0, "--set: table.k should be a whole number from 1 to 100, not 0"),
        ("table.kk", 1, '--set: no option is called "table.kk"; did you mean "table.k"'),
        ("table", 1, '--set: no option is called "table"'),
        ("tabel.k", 1, 'did you mean "table.k"'),
    ],
)
def test_a_wrong_option_of_a_component_is_one_sentence(name: str, value: object, says: str) -> None:
    with pytest.raises(InputError) as caught:
        options_for(Watcher, {name: value}, "--set")
    assert says in str(caught.value)


# --- in a running swarm --------------------------------------------------------------------------------------------


def test_a_component_runs_in_a_swarm_and_its_kinds_carry_its_name() -> None:
    swarm = swarm_of(**{"table.k": 3})
    swarm.advance(10 * S)
    names = [kind.name for kind in swarm.simulation.kinds]
    assert sorted(names) == ["Have", "Wanted", "table.Ping", "table.Pong"]
    assert all(len(peer_of(swarm, p).table.known) <= 3 for p in range(12))
    assert peer_of(swarm, 0).table.counter.count in (9, 10)
    facts = beliefs_of(peer_of(swarm, 0))
    assert facts.facts["table.size"] == "3"
    assert facts.facts["table.counter.count"] == str(peer_of(swarm, 0).table.counter.count)
    assert set(facts.known) == set(peer_of(swarm, 0).table.known)
    assert swarm.settings()["table.k"] == 3
    swarm.do(Set("table.k", 12))
    swarm.advance(60 * S)
    assert any(len(peer_of(swarm, p).table.known) > 3 for p in range(12))
    swarm.do(AskFor(0, swarm.catalogue_titles(1)[0]))
    swarm.advance(62 * S)
    assert swarm.record(1).messages > 3


def test_shown_columns_of_a_component_carry_its_name() -> None:
    swarm = swarm_of(watchers=1)
    swarm.advance(5 * S)
    fixed = swarm.snapshot().fixed
    assert [column.name for column in fixed.shows] == ["met", "table.size", "table.mood"]
    made = swarm.snapshot(shown=("table.size", "table.mood", "met")).shown
    sizes = [len(peer_of(swarm, p).table.known) for p in range(12)]
    values = made["table.size"].values
    assert values is not None
    assert values[:12].tolist() == sizes
    assert np.isnan(values[12]), "a station without the component has no value"
    assert made["table.mood"].names[1] == "some"
    assert [value for _, value in swarm.shown_of(3)] == [len(peer_of(swarm, 3).met), sizes[3], "some"]
    assert swarm.shown_of(12) == ()


def test_what_a_component_saves_outlives_a_kill() -> None:
    swarm = swarm_of()
    swarm.advance(10 * S)
    before = peer_of(swarm, 4)
    known, met, count = tuple(before.table.known), before.met, before.table.counter.count
    swarm.do(Kill(4))
    assert swarm.simulation.saved_states[4] == {"": met, "table": {"": known, "counter": count}}
    swarm.do(Revive(4))
    after = peer_of(swarm, 4)
    assert after is not before
    assert (tuple(after.table.known), after.met, after.table.counter.count) == (known, met, count)
    swarm.advance(20 * S)
    assert after.table.counter.count > count, "its host still serves it"


def test_a_checkpoint_holds_components_and_goes_on_as_the_run_does() -> None:
    swarm = swarm_of()
    swarm.advance(7 * S)
    packed, parts = pack_swarm(swarm, {})
    copy = unpack_swarm(packed, swarm, parts)
    for each in (swarm, copy):
        each.do(Set("table.k", 9))
        each.do(Kill("random 3"))
        each.advance(30 * S)
    assert copy.fingerprint() == swarm.fingerprint()
    assert peer_of(copy, 5).table.known == peer_of(swarm, 5).table.known
    assert peer_of(copy, 5).table is not peer_of(swarm, 5).table


class Lone(Component, name="lone", options=CounterOptions):
    """A component that is a whole network too."""

    overlay = False

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        self.step = host.options.step
        self.first = self.look(host)

    def look(self, host: Host) -> int:
        host.emit(Met(host.me))
        return int(host.options.step)


@dataclass(slots=True, eq=False)
class Plain(Peer, name="plain-owner"):
    """An owner without options."""

    lone: Lone = component(Lone)


class PlainClass(Peer, name="plain-class"):
    """An owner that is no dataclass, with an `__init__` of its own."""

    lone: Lone = component(Lone)

    def __init__(self) -> None:
        self.mine: list[int] = []


def test_a_component_may_be_a_network_by_itself() -> None:
    assert peer_of(swarm_of(Lone, step=4), 3).first == 4


@pytest.mark.parametrize("program", [Plain, PlainClass])
def test_an_owner_needs_neither_options_nor_a_dataclass(program: type[Peer]) -> None:
    swarm = swarm_of(program, **{"lone.step": 7})
    assert peer_of(swarm, 3).lone.first == 7
    assert peer_of(swarm, 3).lone is not peer_of(swarm, 4).lone
    assert pickle.loads(pickle.dumps(swarm)).peer(3).lone.step == 7


@message(over="datagram")
class Probe:
    """A request of a component."""


@message(over="datagram")
class Probed:
    """The answer to it, in a module where the owner is, too."""


class Prober(Component):
    """Asks and answers."""

    @on(Probe)
    def probe(self, host: Host, sender: PeerId, message: Probe) -> None:
        host.reply(Probed())

    @on_reply(Probe)
    def probed(self, host: Host, sender: PeerId, answer: Probed, context: object) -> None:
        """Does nothing."""


class Probing(Peer, name="probing"):
    """Has it as a component."""

    prober: Prober = component(Prober)


class Listening(Peer):
    """Another program, which makes such calls itself."""

    @on_reply(Probe)
    def probed(self, host: Host, sender: PeerId, answer: Probed, context: object) -> None:
        """Does nothing."""


def test_an_answer_that_a_component_alone_is_told_of_has_its_name() -> None:
    assert name_of(Probe, Probing) == "prober.Probe"
    assert name_of(Probed, Probing) == "prober.Probed"
    assert name_of(Probed, Probing, Listening) == "Probed"


# --- refusals ------------------------------------------------------------------------------------------------


class Greedy(Peer, name="greedy"):
    """Handles what its component handles."""

    table: Table = component(Table)

    @on(Ping)
    def pinged(self, host: Host, sender: PeerId, message: Ping) -> None:
        pass


class Twice(Peer, name="twice"):
    """Has two components of one class."""

    one: Table = component(Table)
    two: Table = component(Table)


class Alone(Component, options=CounterOptions):
    """One more class."""


class Outer(Peer, name="outer"):
    """A program whose station has a component that is missing in its options."""


class Elsewhere(Peer):
    """The station."""

    alone: Alone = component(Alone)


class Cabled(Peer):
    """A station that sends over its links alone, in a network where all send to anyone."""

    reach = "links"


@pytest.mark.parametrize(
    ("programs", "says"),
    [
        ((Watcher, Cabled), 'Cabled has the reach "links" and Watcher "anyone": all programs of a network'),
        ((Greedy,), 'Greedy handles Ping, as its component "table" does'),
        ((Twice,), 'Twice: "one" and "two" both handle'),
        ((Outer, Elsewhere), 'the options of "outer" need a field alone: CounterOptions'),
    ],
)
def test_invalid_programs_are_refused_in_a_sentence(programs: tuple[type[Peer], ...], says: str) -> None:
    with pytest.raises(InputError) as caught:
        check(programs)
    assert says in str(caught.value)


def test_a_swarm_refuses_an_invalid_program() -> None:
    with pytest.raises(InputError, match="Greedy handles Ping"):
        swarm_of(Greedy)


def test_paths_of_components() -> None:
    assert {path: kind.__name__ for path, kind in components_of(Watcher).items()} == {
        "table.counter": "Counter",
        "table": "Table",
    }
