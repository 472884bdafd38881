"""Verbs that a network declares itself, done by the command `Act`."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from tables import Table, Watcher, peer_of

from engine import (
    Act,
    Arrive,
    Cut,
    Host,
    InputError,
    Kill,
    Mend,
    Peer,
    PeerFailed,
    Set,
    Setup,
    Swarm,
    TimeMachine,
    command_from,
    scenario_files,
    to_toml,
    verb,
    verbs_of,
)
from engine.kit import within
from engine.lab.conformance.manners import examples_of
from engine.measure.events import Commanded
from engine.options import options_for
from engine.programs import values_of
from engine.record.checkpoints import pack_swarm, unpack_swarm
from engine.record.codec import command_from_fields, command_to_fields, setup_from_map, setup_to_map
from engine.record.file import read
from engine.rules import check
from engine.testing import FakeHost

S = 1_000_000
SETUP = Setup(peers=10, seed=4, asks_per_s=0, options={"watchers": 1})


def swarm_of(program: type[Peer] = Watcher, **options: Any) -> Swarm:
    return Swarm(replace(SETUP, options={**SETUP.options, **options} if program is Watcher else {}), program)


# --- with a FakeHost --------------------------------------------------------------------------------------------


def test_a_verb_is_done_with_a_fake_host() -> None:
    host, peer = FakeHost(me=0, options=options_for(Watcher, {}, "")), Watcher()
    host.start(peer, [5])
    host.act(peer, "shout", words="hear", times="2", high="yes")
    assert peer.tone == "HEAR HEAR"
    host.act(peer, "call")
    assert [to for to, _ in host.take()] == [5]
    host.act(peer, "table.clear")
    assert peer.table.known == {}
    host.act(peer, "table.refill", peer=7)
    assert (list(peer.table.known), peer.met) == ([7], [7]), "the verb of a component has its host"
    with pytest.raises(InputError, match=r'"shout" needs "words", e\.g\. hear, hear'):
        host.act(peer, "shout")


# --- in a swarm ------------------------------------------------------------------------------------------------


def test_act_does_a_verb_to_the_peers_that_live() -> None:
    swarm = swarm_of()
    swarm.do(Kill(2))
    assert swarm.do(Act("#1 or #2 or #3", "shout", {"words": "now"})) == (1, 3)
    assert [peer_of(swarm, p).tone for p in (0, 1, 3)] == ["", "now", "now"]
    last = [event for event in swarm.events() if isinstance(event, Commanded)][-1]
    assert (last.command, last.peers) == (Act("#1 or #2 or #3", "shout", {"words": "now"}), (1, 3))
    assert swarm.do(Act(1, "call")) == (1,)
    swarm.advance(3 * S)
    assert swarm.simulation.shared.sent_by_kind[[kind.name for kind in swarm.simulation.kinds].index("Wanted")] == 4
    assert swarm.do(Act(1, "hang-up")) == (1,)


def test_a_peer_that_cannot_is_left_out_and_the_reason_is_given_if_none_can() -> None:
    swarm = swarm_of()
    swarm.do(Act(1, "hang-up"))
    assert swarm.do(Act((1, 2), "call")) == (2,)
    with pytest.raises(InputError, match=r'act: "call" was not done, since p001 cannot: it is quiet'):
        swarm.do(Act(1, "call"))
    swarm.do(Act("not role=tower", "table.clear"))
    with pytest.raises(InputError, match="p000 cannot: it is empty"):
        swarm.do(Act(0, "table.clear"))


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (Act(1, "shuot", {"words": "x"}), 'act: no verb of this network is called "shuot"; did you mean "shout"?'),
        (Act(1, "clear"), 'no verb of this network is called "clear"; did you mean "table.clear"?'),
        (Act(1, "", {}), 'no verb of this network is called ""'),
        (Act(1, "shout"), 'act: "shout" needs "words", e.g. hear, hear'),
        (Act(1, "shout", {"words": "x", "time": 2}), '"shout" takes no "time"; did you mean "times"?'),
        (Act(1, "call", {"times": 2}), 'act: "call" takes no "times"'),
        (Act(1, "shout", {"words": "x", "times": "two"}), '"times" of "shout" should be a whole number, not "two"'),
        (Act(1, "shout", {"words": "x", "high": 3}), '"high" of "shout" should be true or false, not 3'),
        (Act(1, "shout", {"words": ""}), 'act: "words" of "shout" is empty'),
        (Act(1, "shout", {"words": 3}), '"words" of "shout" should be a text such as "hear, hear", not 3'),
        (
            Act("role=tower", "shout", {"words": "x"}),
            'act: none of these peers can "shout": that is for a watcher',
        ),
        (Act(1, "shout", {"words": ["x"]}), "act: values should be a table of values such as"),
        (Act(1, "shout", "words"), "act: values should be a table of values such as"),  # type: ignore[arg-type]
        (Act(99, "shout", {"words": "x"}), "there is no peer #99"),
    ],
)
def test_a_verb_that_is_not_possible_is_refused_in_one_sentence_and_changes_nothing(command: Act, says: str) -> None:
    swarm = swarm_of()
    before = swarm.fingerprint()
    with pytest.raises(InputError) as caught:
        swarm.do(command)
    assert says in str(caught.value)
    assert swarm.fingerprint() == before
    assert swarm.history == []


def test_a_network_without_verbs_says_so() -> None:
    swarm = Swarm(Setup(protocol="gossip", peers=5))
    with pytest.raises(InputError, match='no verb of this network is called "shout": it has none of its own'):
        swarm.do(Act(1, "shout"))


class Broken(Watcher):
    """A peer whose verb raises."""

    @verb("fall", about="Fail.")
    def fall(self, host: Host) -> None:
        raise IndexError("down")


def test_a_verb_that_fails_is_a_failure_of_the_peer() -> None:
    swarm = swarm_of(Broken)
    with pytest.raises(PeerFailed, match="peer #3 failed on fall: IndexError: down"):
        swarm.do(Act(3, "fall"))


def test_values_are_part_of_the_fingerprint_and_a_copy_goes_on_as_the_run_does() -> None:
    def told(words: str) -> str:
        swarm = swarm_of()
        swarm.do(Act(1, "shout", {"words": words}))
        swarm.advance(S)
        return swarm.fingerprint()

    assert told("a") == told("a") != told("b")
    swarm = swarm_of()
    swarm.advance(2 * S)
    swarm.do(Act("random 3", "shout", {"words": "a"}))
    packed, parts = pack_swarm(swarm, {})
    copy = unpack_swarm(packed, swarm, parts)
    for each in (swarm, copy):
        each.do(Act("random 3", "table.clear"))
        each.do(Act("random 3", "call"))
        each.advance(9 * S)
    assert copy.fingerprint() == swarm.fingerprint()
    assert [peer_of(copy, p).tone for p in range(10)] == [peer_of(swarm, p).tone for p in range(10)]


# --- scenarios and recordings ---------------------------------------------------------------------------------


def test_a_scenario_names_verb_and_values() -> None:
    made = command_from("act", {"peers": "p001", "name": "shout", "values": {"words": "x", "times": 2}}, "here")
    assert made == Act("p001", "shout", {"words": "x", "times": 2})
    assert command_from("act", {"peers": "p001", "name": "call"}, "here") == Act("p001", "call")
    with pytest.raises(InputError, match='here: "act" needs "name"'):
        command_from("act", {"peers": "p001"}, "here")
    with pytest.raises(InputError, match=r'here: "values" of "act" should be a table of values such as'):
        command_from("act", {"peers": "p001", "name": "call", "values": "x"}, "here")
    assert Act("a\x1b[0m", "b", {"c": "\x1b[31md"}) == Act("a[0m", "b", {"c": "[31md"}), "texts are cleaned"


def test_a_recording_holds_verb_and_values() -> None:
    for command in (Act((1, 2), "shout", {"words": "x", "times": 2, "high": True}), Act("all", "call")):
        assert command_from_fields(*command_to_fields(command)) == command
    with pytest.raises(InputError):
        command_from_fields("act", {"peers": "all", "name": "x", "values": {"a": {"b": 1}}})


# --- what is declared -----------------------------------------------------------------------------------------


def test_verbs_and_their_values_are_listed() -> None:
    assert list(verbs_of(Watcher)) == ["shout", "call", "hang-up", "table.clear", "table.refill"]
    assert verbs_of(Watcher)["call"].undo == "hang-up"
    assert list(verbs_of(Table)) == ["clear", "refill"]
    values = values_of(Watcher, "shout")
    assert {name: (it.allowed.kind, it.needed) for name, it in values.items()} == {
        "words": (str, True),
        "times": (int, False),
        "high": (bool, False),
    }
    assert values["words"].example == "e.g. hear, hear"


class Typed(Peer):
    """A verb with a choice, and one that may be left out."""

    @verb("paint", about="Paint it.")
    def paint(self, host: Host, colour: Literal["red", "blue"], share: float | None = None) -> None:
        pass


def test_choices_and_optional_values() -> None:
    values = values_of(Typed, "paint")
    assert values["colour"].allowed.choices == ("red", "blue")
    assert (values["share"].allowed.kind, values["share"].needed) == (float, False)
    check((Typed,))


class NoUndo(Peer):
    """Undone by what is no verb."""

    @verb("one", undo="onw", about="…")
    def one(self, host: Host) -> None:
        pass


class TakesName(Peer):
    """A verb of the engine's name."""

    @verb("kill", about="…")
    def kill(self, host: Host) -> None:
        pass


class OddValue(Peer):
    """A value of a type that cannot be typed."""

    @verb("give", about="…")
    def give(self, host: Host, peers: list[int]) -> None:
        pass


class OddExample(Peer):
    """An example for no value."""

    @verb("give", about="…", values={"prefx": "e.g. 10.0.0.0/8"})
    def give(self, host: Host, prefix: str) -> None:
        pass


class OddCheck(Peer):
    """A check of no value."""

    @verb("give", about="…", checks={"prefx": within(0, 1)})
    def give(self, host: Host, prefix: float) -> None:
        pass


class NoExample(Peer):
    """A hint without an example."""

    @verb("skew", about="…", values={"by_s": "seconds"})
    def skew(self, host: Host, by_s: float) -> None:
        pass


class WrongExample(Peer):
    """A hint whose example is no valid value."""

    @verb("skew", about="…", values={"by_s": "e.g. soon"})
    def skew(self, host: Host, by_s: float) -> None:
        pass


class NoHint(Peer):
    """A hint that is no text."""

    @verb("skew", about="…", values={"by_s": 3600})  # type: ignore[dict-item]
    def skew(self, host: Host, by_s: float) -> None:
        pass


class TwoWords(Peer):
    """A verb of two words."""

    @verb("take back", about="…")
    def take(self, host: Host) -> None:
        pass


@pytest.mark.parametrize(
    ("program", "says"),
    [
        (NoUndo, 'NoUndo: verb "one" is undone by "onw", which is no verb of this class; did you mean "one"?'),
        (TakesName, 'TakesName: verb "kill" is a command of the engine, so it needs another name'),
        (OddValue, 'OddValue: verb "give": "peers" should be a str, int, float, bool or Literal'),
        (OddExample, 'verb "give" has an example for "prefx", which is no value of it; did you mean "prefix"?'),
        (OddCheck, 'verb "give" has a check for "prefx", which is no value of it; did you mean "prefix"?'),
        (NoExample, 'verb "skew": "by_s": its hint should end in an example, as "e.g. 10", and it is "seconds"'),
        (WrongExample, '"by_s": its hint has an example, what follows "e.g. ", which should be a number, not "soon"'),
        (NoHint, 'verb "skew": the hint for "by_s" should be a text, not 3600'),
        (TwoWords, 'verb "take back" should be one word'),
    ],
)
def test_a_malformed_verb_is_refused_when_its_network_is_loaded(program: type[Peer], says: str) -> None:
    with pytest.raises(InputError) as caught:
        check((program,))
    assert says in str(caught.value)
    with pytest.raises(InputError):
        Swarm(Setup(peers=4), program)


@pytest.mark.parametrize(
    ("protocol", "command", "says"),
    [
        ("volunteer", Act(1, "cheat", {"share": 7}), '"share" of "cheat": it should be from 0 to 1, not 7'),
        ("volunteer", Act(1, "cheat", {"share": "nan"}), '"share" of "cheat"'),
        ("bitcoin", Act(1, "power", {"share": -1}), '"share" of "power": it should be from 0 to 1,000, not -1'),
        (
            "bitcoin",
            Act(1, "tell-addresses", {"of": -3}),
            '"of" of "tell-addresses": it should be from 0 to 536,870,911, not -3',
        ),
    ],
)
def test_a_number_out_of_range_is_refused_and_not_replaced(protocol: str, command: Act, says: str) -> None:
    swarm = Swarm(Setup(protocol, 8, asks_per_s=0.0))
    with pytest.raises(InputError) as caught:
        swarm.do(command)
    assert says in str(caught.value)
    assert swarm.history == []


def test_the_example_of_a_hint_is_what_follows_e_g_anywhere_in_it() -> None:
    class Skewed(Peer, name="skewed-of-tests"):
        @verb("skew", about="…", values={"by_s": "seconds, e.g. 3600"})
        def skew(self, host: Host, by_s: float, way: Literal["on", "back"] = "on") -> None:
            pass

    check((Skewed,))
    assert examples_of(Skewed, "skew") == {"by_s": "3600", "way": "on"}


def test_the_time_machine_repeats_what_was_done() -> None:
    machine = TimeMachine(swarm_of(), program=Watcher)
    machine.advance(3 * S)
    machine.swarm.do(Act("random 4", "shout", {"words": "x"}))
    machine.swarm.do(Act("random 4", "table.clear"))
    machine.advance(8 * S)
    live, tones = machine.swarm.fingerprint(), [peer_of(machine.swarm, p).tone for p in range(10)]
    for at_us in (S, 8 * S):
        for _ in machine.seek(at_us):
            pass
    assert machine.swarm.fingerprint() == live
    assert [peer_of(machine.swarm, p).tone for p in range(10)] == tones
    machine.close()


def test_a_recording_of_components_verbs_and_cut_links_replays(tmp_path: Path) -> None:
    setup = replace(SETUP, options={**SETUP.options, "quiet_share": 0.4, "table.k": 6, "linked": True})
    machine = TimeMachine(Swarm(setup, Watcher), program=Watcher)
    machine.record(str(tmp_path / "act.swarm"), {"title": "acts"}, itertools.count().__next__)
    steps = (
        (1, Act("random 4", "shout", {"words": "x", "times": 2})),
        (2, Cut("random 5")),
        (3, Act("random 4", "table.clear")),
        (4, Arrive(5)),
        (5, Mend("random 80%")),
        (6, Act("not role=tower", "call")),
    )
    for at_s, command in steps:
        machine.advance(at_s * S)
        machine.swarm.do(command)
    machine.advance(9 * S)
    machine.close()
    recording = read(str(tmp_path / "act.swarm"))
    assert [type(logged.command) for logged in recording.log] == [type(command) for _, command in steps]
    again = Swarm(recording.setup, Watcher, recording.world)
    replayed = TimeMachine(again, program=Watcher, recording=recording)
    replayed.advance(recording.end_us)
    replayed.check_final_fingerprint()
    assert replayed.swarm.fingerprint() == machine.swarm.fingerprint()
    assert [kind.role for kind in replayed.swarm.simulation.program_types[11:]] == [
        kind.role for kind in machine.swarm.simulation.program_types[11:]
    ], "newcomers are cast the same"


SCENARIO = """
protocol = "watched"
peers = 10
[options]
loud = false
table.k = 9
[options.table.counter]
step = 3
[[at]]
s = 1.0
do = "act"
peers = "p001"
name = "shout"
values = { words = "hear", times = 2 }
[[at]]
s = 2.0
do = "act"
peers = "all"
name = "table.clear"
[[at]]
s = 3.0
do = "cut"
peers = "random 2"
"""


def test_a_scenario_is_read_and_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.lab.scenario.network_named", {"watched": Watcher}.get)
    made = scenario_files.parse(SCENARIO, "act.toml")
    assert made.setup.options == {"loud": False, "table.k": 9, "table.counter.step": 3}
    assert made.setup.schedule[0] == (S, Act("p001", "shout", {"words": "hear", "times": 2}))
    assert scenario_files.parse(to_toml(made.setup, "again"), "again.toml").setup == made.setup
    assert setup_from_map(setup_to_map(made.setup)) == made.setup, "as a recording has it"
    swarm = Swarm(made.setup, Watcher)
    swarm.advance(1_500_000)
    assert peer_of(swarm, 1).tone == "hear hear"
    swarm.advance(4 * S)
    assert swarm.warnings == ()
    assert swarm.settings()["table.k"] == 9


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ('"shout"', '"shuot"', 'no verb of this network is called "shuot"; did you mean "shout"?'),
        ("times = 2", "time = 2", '"shout" takes no "time"; did you mean "times"?'),
        ("times = 2", 'times = "two"', '"times" of "shout" should be a whole number, not "two"'),
        ('values = { words = "hear", times = 2 }', "", '"shout" needs "words", e.g. hear, hear'),
        ('values = { words = "hear", times = 2 }', "values = 3", '"values" of "act" should be a table of values'),
        ("table.k = 9", "table.kk = 9", 'no option is called "table.kk"; did you mean "table.k"?'),
        ("step = 3", "step = 30", "table.counter.step should be a whole number from 1 to 10, not 30"),
    ],
)
def test_what_is_wrong_in_a_scenario_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, was: str, now: str, says: str
) -> None:
    monkeypatch.setattr("engine.lab.scenario.network_named", {"watched": Watcher}.get)
    with pytest.raises(InputError) as caught:
        scenario_files.parse(SCENARIO.replace(was, now), "act.toml")
    assert str(caught.value).startswith("act.toml:")
    assert says in str(caught.value)


def test_a_fixed_option_cannot_be_set_while_it_runs() -> None:
    swarm = swarm_of()
    with pytest.raises(InputError, match="set: refuses is read when a run begins and cannot be changed while it runs"):
        swarm.do(Set("refuses", True))
    with pytest.raises(InputError, match=r"set: table\.seed is read when a run begins"):
        swarm.do(Set("table.seed", 5))
    swarm.do(Set("table.k", 5))
    assert swarm.settings()["table.k"] == 5
