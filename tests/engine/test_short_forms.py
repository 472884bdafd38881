"""Short forms of the interface for networks: a pair of verbs for a field, what a message is about, texts that can be
asked for, and times in seconds."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from engine import (
    BROADCAST,
    Act,
    Ask,
    Component,
    FakeHost,
    Host,
    InputError,
    Peer,
    PeerId,
    Setup,
    Swarm,
    component,
    message,
    on,
    switch,
    verbs_of,
)
from engine.errors import NetworkFault
from engine.rules import check

SECOND = 1_000_000


@message(part="question", about="text")
class Say:
    number: int
    text: str


@dataclass(slots=True)
class Later:
    number: int


@dataclass(slots=True, eq=False)
class Speaker(Peer, name="speaker"):
    """A peer that can be muted and watched. It counts how often it was muted or not."""

    shares_files = False
    goals = (replace(BROADCAST, examples=("good news", "bad news")),)

    changes: int = 0
    muted: bool = switch("mute", "speak", about="It says nothing.", off_about="It speaks again.", then="changed")
    watched: bool = switch("watch", "look-away", about="Somebody looks.", off_about="Nobody looks.")

    def changed(self, host: Host) -> None:
        self.changes += 1
        host.log("muted" if self.muted else "speaks")

    def ask(self, host: Host, ask: Ask) -> None: ...

    @on(Say)
    def hear(self, host: Host, sender: PeerId, message: Say) -> None: ...

    @on(Later)
    def later(self, host: Host, tick: Later) -> None:
        host.log("later", at_us=host.now_us)


# --- switch ---------------------------------------------------------------------------------------------------------


def test_a_switch_is_a_pair_of_verbs_that_undo_each_other() -> None:
    known = verbs_of(Speaker)
    assert [(one.name, one.undo, one.about) for one in known.values()] == [
        ("mute", "speak", "It says nothing."),
        ("speak", "mute", "It speaks again."),
        ("watch", "look-away", "Somebody looks."),
        ("look-away", "watch", "Nobody looks."),
    ]
    host, one = FakeHost(0), Speaker()
    host.act(one, "mute")
    assert (one.muted, one.watched, one.changes) == (True, False, 1)
    assert host.noted("muted") == [{}]
    host.act(one, "speak")
    host.act(one, "watch")
    assert (one.muted, one.watched, one.changes) == (False, True, 2)
    assert Speaker().watched is False, "each peer has its own"


def test_a_switch_that_is_on_already_is_refused_and_undone_in_a_swarm() -> None:
    swarm = Swarm(Setup("speaker", 4, asks_per_s=0.0), Speaker)
    with pytest.raises(InputError, match='"mute" has not been done to it'):
        swarm.do(Act(2, "speak"))
    swarm.do(Act(2, "mute"))
    with pytest.raises(InputError, match="it does so already"):
        swarm.do(Act(2, "mute"))
    copy = pickle.loads(pickle.dumps(swarm.peer(2)))
    assert copy.muted
    swarm.do(Act(2, "speak"))
    assert not swarm.peer(2).muted  # type: ignore[union-attr]


def test_a_switch_of_a_component_has_its_name_and_its_host() -> None:
    @dataclass(slots=True, eq=False)
    class Part(Component):
        on_now: bool = switch("start-up", "shut-up", about="It begins.", off_about="It ends.", then="turned")

        def turned(self, host: Host) -> None:
            host.log("turned")

    @dataclass(slots=True, eq=False)
    class Owner(Peer, name="owner"):
        part: Part = component(Part)

        def ask(self, host: Host, ask: Ask) -> None: ...

    assert list(verbs_of(Owner)) == ["part.start-up", "part.shut-up"]
    host, one = FakeHost(0), Owner()
    host.act(one, "part.start-up")
    assert one.part.on_now
    assert host.noted("part.turned") == [{}]


def test_a_switch_that_names_no_method_or_a_verb_of_the_engine_is_refused() -> None:
    @dataclass(slots=True, eq=False)
    class Misspelt(Peer):
        muted: bool = switch("mute", "speak", about="x", off_about="y", then="chanegd")

        def changed(self, host: Host) -> None: ...

    with pytest.raises(InputError, match='muted: then="chanegd" is no method of it; did you mean "changed"') as told:
        check((Misspelt,))
    assert "test_short_forms.py:" in str(told.value)

    @dataclass(slots=True, eq=False)
    class Taken(Peer):
        muted: bool = switch("kill", "speak", about="x", off_about="y")

    with pytest.raises(InputError, match=r'verb "kill" is a command of the engine.*\(test_short_forms.py:'):
        check((Taken,))


# --- what a message is about ----------------------------------------------------------------------------------------


def test_a_message_is_about_the_words_of_the_field_that_it_names() -> None:
    assert list(Say(1, "Blue Train!").about()) == ["blue", "train"]

    with pytest.raises(ValueError, match='Wrong is about "txet", which is none of its fields; did you mean "text"'):

        @message(about="txet")
        class Wrong:
            text: str


# --- texts that can be asked for ------------------------------------------------------------------------------------


def test_background_asks_are_for_one_of_the_texts_that_a_goal_lists() -> None:
    swarm = Swarm(Setup("speaker", 4, asks_per_s=5.0), Speaker)
    swarm.advance(20 * SECOND)
    assert {row.text for row in swarm.asks()} == {"good news", "bad news"}
    assert swarm.examples(1) == ["good news"]
    assert swarm.examples(9) == ["good news", "bad news"]


@pytest.mark.parametrize("texts", [(), (1,), "news", None])
def test_examples_that_are_no_texts_are_refused(texts: Any) -> None:
    class Wrong(Peer):
        goals = (replace(BROADCAST, examples=texts),)

    with pytest.raises(InputError, match='examples should be "title", a tuple of texts or a function, not'):
        check((Wrong,))


# --- times ----------------------------------------------------------------------------------------------------------


def hosts() -> Iterable[Callable[[], tuple[Any, Callable[[float], list[int]]]]]:
    """A host of a test and one of a swarm, each with a function that runs it for so many seconds and returns when ticks
    came."""

    def fake() -> tuple[Any, Callable[[float], list[int]]]:
        host, one = FakeHost(0), Speaker()

        def run(seconds: float) -> list[int]:
            host.wait(one, round(seconds * SECOND))
            return [facts["at_us"] for facts in host.noted("later")]

        return host, run

    def real() -> tuple[Any, Callable[[float], list[int]]]:
        swarm = Swarm(Setup("speaker", 2, asks_per_s=0.0), Speaker)

        def run(seconds: float) -> list[int]:
            swarm.advance(swarm.now_us + round(seconds * SECOND))
            return [event.at_us for event in swarm.events() if getattr(event, "kind", "") == "later"]

        return swarm.simulation.peer_hosts[0], run

    return fake, real


@pytest.mark.parametrize("made", hosts())
def test_timers_in_seconds(made: Callable[[], tuple[Any, Callable[[float], list[int]]]]) -> None:
    host, run = made()
    host.after_s(0.25, Later(1))
    host.every_s(2.0, Later(2), phase=0)
    assert run(4.5) == [250_000, 2 * SECOND, 4 * SECOND]


@pytest.mark.parametrize("made", hosts())
@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda host: host.after(0.5, Later(1)), r"host.after\(0.5, ...\): the delay is a whole number of microsec"),
        (lambda host: host.after(2e6, Later(1)), "host.after_s takes seconds"),
        (lambda host: host.every(2.5, Later(1)), r"host.every\(2.5, ...\): the period is a whole number of micros"),
        (lambda host: host.every(5, Later(1)), "should be at least 1,000; host.every_s takes seconds"),
        (lambda host: host.after_s("5", Later(1)), r"host.after_s\(5, ...\): a number of seconds is expected"),
        (lambda host: host.after_s(None, Later(1)), r"host.after_s\(None, ...\): a number of seconds is expected"),
        (lambda host: host.every_s(float("nan"), Later(1)), r"host.every_s\(nan, ...\): a number of seconds is expec"),
        (lambda host: host.every_s(1e-5, Later(1)), "should be at least 1,000"),
        (lambda host: host.call(1, Say(1, "x"), timeout_us=1.5), "timeout_s= takes seconds"),
        (lambda host: host.call(1, Say(1, "x"), timeout_us=(1_000_000, 1.5)), "timeout_s= takes seconds"),
    ],
)
def test_invalid_times_are_refused(
    made: Callable[[], tuple[Any, Callable[[float], list[int]]]], call: Callable[[Any], None], says: str
) -> None:
    host, _ = made()
    with pytest.raises(NetworkFault, match=says):
        call(host)
