"""The sentence on the picture: about each ask and each action, at the cursor, with nothing that the record does not
have."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import frames
import numpy as np
import pytest
from stage import Stage, lines_of
from textual.widgets import Input

from engine import (
    ALIVE,
    DEAD,
    Adjourn,
    Arrive,
    Attack,
    CallOff,
    Censor,
    Collude,
    Command,
    Court,
    Cure,
    Defect,
    Depart,
    Heal,
    Hold,
    Join,
    Kill,
    Leave,
    Partition,
    Poison,
    Publish,
    Release,
    Revive,
    Scenario,
    Set,
    Setup,
    Uncensor,
    goals_to_ask,
    networks,
)
from tui.session.frame import Frame
from tui.session.session import Session
from tui.session.telling import NUMBERS, called, part_in, through
from tui.session.verbs import askers_of, told_of
from tui.widgets.ask_bar import AskBar
from tui.widgets.asks_table import account_rows, reached_share
from tui.widgets.swarm_view import SwarmView

pytestmark = pytest.mark.anyio


class Watch:
    """A session whose time passes only by `go`."""

    def __init__(self, protocol: str = "gnutella", seed: int = 1, setup: Setup | None = None) -> None:
        self.now_s = 0.0
        setup = setup or Setup(protocol=protocol, seed=seed, asks_per_s=0)
        self.session = Session(Scenario(setup=setup), clock=lambda: self.now_s)
        self.session.player.pacer.pause()
        self.go(1.0)

    def go(self, seconds: float) -> Frame:
        machine = self.session.player.machine
        machine.advance(machine.now_us + round(seconds * 1e6))
        self.now_s += seconds
        return self.session.frame(30)

    def ask(self, origin: int = 7) -> Frame:
        self.session.ask_for(self.session.swarm.catalogue_titles(1)[0], origin)
        return self.session.frame(30)

    def do(self, command: Command) -> Frame:
        self.session.do(command)
        return self.session.frame(30)


def said(frame: Frame) -> str:
    return frame.told[0] if frame.told else ""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ask_kill_who_answered_and_ask_again_is_told_and_compared(seed: int) -> None:
    watch = Watch(seed=seed)
    watch.ask()
    under_way = watch.go(0.15)
    (row,) = under_way.snapshot.asks
    assert f"p007 asked for “{row.text}”: {row.reached} of 63 living peers reached" in said(under_way)
    over = watch.go(3.0)
    assert over.trace is not None
    victim = over.trace.holders[0]
    killed = watch.do(Kill(victim))
    label = over.snapshot.fixed.labels[victim]
    assert said(killed) == f"{label} is dead; it answered ask 1. 63 of 64 peers are alive."
    watch.ask()
    again = watch.go(3.0)
    first, second = again.snapshot.asks
    assert said(again).startswith(f"{label} is dead. ")
    assert f"it reached {second.reached} of 62 living peers" in said(again), "not the one that is dead"
    fewer = first.hits - second.hits
    words = {0: "", 1: "one holder fewer", 2: "two holders fewer", -1: "one holder more"}
    assert words[fewer] in said(again).lower()
    assert "ask 1" in said(again)


ASKS = [
    ("gnutella", ""),
    ("napster", ""),
    ("kazaa", ""),
    ("skype", "user9"),
    ("tor", ""),
    ("web", ""),
]


@pytest.mark.parametrize(("protocol", "text"), ASKS)
def test_the_key_selects_whom_the_sentence_names_and_says_what_each_was(protocol: str, text: str) -> None:
    watch = Watch(protocol)
    watch.go(30.0)
    asker = 21
    watch.session.ask_for(text or watch.session.swarm.catalogue_titles(1)[0], asker)
    frame = watch.go(40.0)
    (row,) = frame.snapshot.asks
    labels, trace = frame.snapshot.fixed.labels, frame.trace
    assert row.found
    assert trace is not None
    first = told_of(trace)[0]
    between = through(trace)
    if between:
        assert f"found through {called(between, labels)}" in said(frame)
        assert first in between
        named, shares = trace.holders[0], first in trace.holders
        assert part_in(trace, first, labels).startswith("it answered" if shares else "through it ask 1 found ")
        assert named in between or part_in(trace, named, labels).startswith("ask 1 found it through ")
    else:
        assert " answered" in said(frame)
        assert part_in(trace, first, labels) == "it answered ask 1"
    assert set(trace.holders) - {asker} <= set(told_of(trace)), "the holders are what the key selects after that"
    killed = said(watch.do(Kill(first)))
    assert part_in(trace, first, labels) in killed


@pytest.mark.parametrize("protocol", ["gnutella", "kazaa", "napster"])
def test_one_that_was_silenced_does_not_ask_however_often_it_is_asked_again(protocol: str) -> None:
    watch = Watch(protocol)
    watch.go(30.0)
    watch.ask(21)
    frame = watch.go(20.0)
    assert frame.trace is not None
    victim = next(peer for peer in frame.trace.holders if peer != 21)
    watch.session.selection.select(victim)
    watch.do(Censor(victim))
    for _ in range(3):
        assert askers_of(watch.session.frame(30)) == 21
        watch.ask(21)
        watch.go(20.0)
    watch.session.selection.mark_peers(frame.trace.holders)
    watch.do(Censor(frame.trace.holders))
    assert askers_of(watch.session.frame(30)) == 21


def test_nobody_asks_from_the_index_after_it_was_revived() -> None:
    watch = Watch("napster")
    watch.go(3.0)
    watch.ask(21)
    index = int(np.flatnonzero(watch.go(5.0).snapshot.fixed.infrastructure)[0])
    watch.session.selection.select(index)
    assert askers_of(watch.session.frame(30)) == 21
    for command in (Kill(index), Revive(index)):
        watch.do(command)
        watch.go(1.0)
        assert askers_of(watch.session.frame(30)) == 21


def test_a_loss_is_told_in_percent_and_a_router_by_its_label() -> None:
    watch = Watch("routing")
    assert "oss is set to 2 %" in said(watch.do(Set("loss", 0.02)))
    assert "loss is set to 0.02" not in said(watch.do(Set("loss", 0.0))).lower()
    for peer in range(1, 8):
        watch.do(Kill(peer))
    watch.session.ask_for("#3", 9)
    frame = watch.go(30.0)
    assert "#" not in said(frame).replace("“#3”", "")
    assert frame.snapshot.asks[0].verdict


def test_holders_are_called_others_only_if_none_of_them_is_the_one_that_was_silenced() -> None:
    watch = Watch("napster")
    watch.go(3.0)
    watch.ask(21)
    frame = watch.go(5.0)
    assert frame.trace is not None
    victim = next(peer for peer in frame.trace.holders if peer != 21)
    watch.do(Censor(victim))
    watch.ask(21)
    again = watch.go(5.0)
    assert again.trace is not None
    assert victim in again.trace.holders, "the index still has it on its list"
    assert " other " not in said(again)


def test_names_of_a_file_with_braces_are_told_as_they_are(tmp_path: Path) -> None:
    graph = tmp_path / "names.tgf"
    nodes = [f"{number} peer{{{number}}}" for number in range(12)]
    links = [f"{a} {b}" for a, b in combinations(range(12), 2)]
    graph.write_text("\n".join((*nodes, "#", *links, "")))
    watch = Watch(setup=Setup("napster", topology=str(graph), asks_per_s=0))
    watch.do(Publish((3,), "rare tune"))
    watch.go(5.0)
    watch.session.ask_for("rare tune", 5)
    frame = watch.go(20.0)
    assert frame.trace is not None
    (index,) = through(frame.trace)
    assert "is dead; through it ask 2 found peer{3}. " in said(watch.do(Kill(index)))


PROMPTS = {
    "averaging": ("measure", "round"),
    "bitcoin": ("pay", "payment"), "bittorrent": ("download", "title"), "gnutella": ("find", "title"),
    "gossip": ("tell", "rumour"), "kademlia": ("find", "title"), "kazaa": ("find", "title"),
    "limewire": ("find", "title"), "napster": ("find", "title"), "routing": ("send a packet to", "destination"),
    "skype": ("call", "user"), "swim": ("tell", "news"), "tor": ("visit", "page"), "volunteer": ("compute", "batch"),
    "web": ("fetch", "page"),
}  # fmt: skip


def test_each_network_has_a_prompt_here() -> None:
    assert set(PROMPTS) == set(networks())


@pytest.mark.parametrize("protocol", PROMPTS)
async def test_the_prompt_has_the_words_of_the_network_and_its_example_works(protocol: str) -> None:
    watch = Watch(protocol)
    frame = watch.go(20.0)
    verb, what = PROMPTS[protocol]
    bar = AskBar()
    async with Stage(bar).run_test(size=(120, 5)) as pilot:
        bar.open(frame)
        await pilot.pause()
        placeholder = bar.query_one(Input).placeholder
        assert lines_of(bar, "#who").startswith(f"any peer wants to {verb} ")
    goals = goals_to_ask(frame.snapshot.fixed.goals)
    example = frame.texts[goals[0].name][0]
    assert placeholder.startswith(f"press enter for “{example}”, or type ")
    assert what in placeholder.partition("or type")[2]
    assert ("title" in placeholder) == (what == "title")
    for goal in goals:
        if goal.name == "bridge":  # without this option no peer is a bridge
            continue
        watch.session.ask_for(frame.texts[goal.name][0], None, goal.name)
        watch.go(0.1)
        for _ in range(40):
            *_, row = [row for row in watch.go(2.0).snapshot.asks if row.by == "person"]
            if row.found or (row.sought == "share" and row.reached > row.others / 2):
                break
        else:
            pytest.fail(f"{goal.name} {row.text}: {row.verdict or row}")
        assert row.goal == goal.name


def test_the_figure_of_the_panel_is_that_of_the_sentence() -> None:
    watch = Watch(seed=2)
    dead = (10, 11, 12, 13, 14)
    watch.do(Kill(dead))
    watch.go(1.0)
    watch.ask()
    frame = watch.go(12.0)
    (row,) = frame.snapshot.asks
    assert row.others == 63 - len(dead)
    told = re.search(r"it reached (\d+) of (\d+) living peers", said(frame))
    assert told
    rows = ["".join(text for text, _ in spans) for spans in account_rows(row, frame.snapshot, 60)]
    assert any(re.match(rf"reached +{told[1]} of {told[2]} ", text) for text in rows), rows
    assert reached_share(row) == int(told[1]) / int(told[2])
    watch.do(Kill((20, 21, 22)))
    assert f"of {told[2]} living peers" in said(watch.go(20.0)), "it stays that of the moment of the ask"


def test_a_payment_is_for_users_so_stations_do_not_count_among_those_who_could_have_heard() -> None:
    watch = Watch("bitcoin")
    watch.go(20.0)
    watch.session.ask_for("a coffee", 7)
    frame = watch.go(10.0)
    users = int((~frame.snapshot.fixed.infrastructure).sum())
    assert 0 < users < len(frame.snapshot.state)
    assert f"p007 paid “a coffee”: 63 of {users - 1} living peers have heard it so far" in said(frame)


def test_a_user_that_has_it_already_is_not_compared_with_one_that_asked_for_it() -> None:
    watch = Watch("bittorrent")
    watch.go(10.0)
    title = watch.session.swarm.catalogue_titles(1)[0]
    watch.session.ask_for(title, 0)
    for _ in range(60):
        if watch.go(10.0).snapshot.asks[-1].fetched:
            break
    watch.session.ask_for(title, 0)
    told = said(watch.go(12.0))
    assert told.startswith(f"p000 asked for “{title}”: it has that itself.")
    assert "than ask" not in told


def test_the_sentence_follows_the_cursor_to_the_past_and_back() -> None:
    watch = Watch()
    watch.ask()
    watch.go(3.0)
    watch.do(Kill(12))
    dead = watch.go(1.0)
    assert "p012 is dead" in said(dead)
    player = watch.session.player
    player.seek_to(2_000_000)
    player.finish_seek()
    past = watch.session.frame(30)
    assert past.snapshot.now_us == 2_000_000
    assert past.snapshot.state[12] == ALIVE
    assert "p007 asked for" in said(past)
    assert "dead" not in said(past)
    player.go_live()
    player.finish_seek()
    assert said(watch.session.frame(30)) == said(dead)


def test_after_some_time_the_sentence_is_about_the_chosen_ask_and_not_the_action() -> None:
    watch = Watch()
    watch.ask()
    watch.go(3.0)
    watch.do(Kill(40))
    assert "p040 is dead" in said(watch.go(9.0))
    assert "p007 asked for" in said(watch.go(2.0))


def commands(rng: random.Random) -> Iterator[Command]:
    """Each verb, at peers drawn anew."""
    for make in (
        Kill, Censor, Leave, Uncensor, Revive, Join, Hold, Release, Partition, Poison, Cure, Depart,
        lambda peers: Collude(peers, word="blue"), Defect, lambda peers: Publish(peers, text="new song"),
        lambda peers: Heal(), lambda peers: Set("loss", 0.1), lambda peers: Arrive(2, over_s=1.0),
        lambda peers: Attack(name="random", share=0.1), lambda peers: CallOff(), lambda peers: Court(1.0),
        lambda peers: Adjourn(), lambda peers: Set("churn", "exponential:60"),
    ):  # fmt: skip
        yield make(tuple(rng.sample(range(64), rng.choice((1, 1, 2, 5)))))


@pytest.mark.parametrize(("protocol", "seed"), [("gnutella", 4), ("napster", 5), ("gossip", 6), ("web", 7)])
def test_every_verb_has_a_sentence_that_agrees_with_the_snapshot(protocol: str, seed: int) -> None:
    rng = random.Random(seed)
    watch = Watch(protocol, seed)
    told: dict[str, str] = {}
    for command in commands(rng):
        watch.do(command)
        taken = not watch.session.notice.text
        watch.session.notice.clear()
        if taken:
            told[command.verb] = said(watch.session.frame(30))
            assert told[command.verb], command
        for _ in range(3):
            agrees(watch.go(0.4))
        if rng.random() < 0.5:
            watch.ask(rng.randrange(64))
            for _ in range(4):
                agrees(watch.go(rng.choice((0.1, 0.4, 3.0))))
    assert len(told) >= 15
    assert len(set(told.values())) >= 12, "each verb has words of its own"


def agrees(frame: Frame) -> None:
    """Raise AssertionError unless each form of the sentence agrees with the snapshot."""
    snapshot, labels = frame.snapshot, frame.snapshot.fixed.labels
    row = next((row for row in snapshot.asks if row.id == frame.ask), None)
    for sentence in frame.told:
        if found := re.search(r"(\d+) of (\d+) living peers", sentence):
            assert row is not None
            assert (int(found[1]), int(found[2])) == (row.reached, max(row.reached, row.alive))
        if found := re.search(r"(\d+) of (\d+) peers are alive", sentence):
            users = ~snapshot.fixed.infrastructure
            alive = int(((snapshot.state == ALIVE) & users).sum())
            assert (int(found[1]), int(found[2])) == (alive, int(users.sum()))
        for label in re.findall(r"(?<!\w)(p\d+) is dead", sentence):
            assert snapshot.state[labels.index(label)] == DEAD
        for label in re.findall(r"(?<!\w)(p\d+) is censored", sentence):
            assert snapshot.censored[labels.index(label)]
        for label in re.findall(r"(?<!\w)(p\d+) runs again", sentence):
            assert snapshot.state[labels.index(label)] == ALIVE
        if found := re.search(r"between the (\w+) sides", sentence):
            sides = len(set(snapshot.group.tolist()))
            assert found[1] in (str(sides), NUMBERS[sides])


@pytest.mark.parametrize(("protocol", "waves"), [("limewire", True), ("kazaa", False), ("kademlia", False)])
def test_what_is_told_as_final_is_not_taken_back_between_two_waves_of_a_search(protocol: str, waves: bool) -> None:
    """A dynamic query of LimeWire waits for the results of each ultrapeer before the next one is asked."""
    watch = Watch(protocol)
    watch.ask()
    frame, waited, final = watch.go(0.2), 0, []
    while not final or len(final) < 5:
        (row,) = frame.snapshot.asks
        between = row.found and row.closed_us is None and row.id in frame.snapshot.searching
        waited += bool(between)
        assert ("so far; more peers may be asked." in said(frame)) == bool(between), said(frame)
        if "so far" not in said(frame):
            final.append(row.found)
        frame = watch.go(1.0)
        assert frame.snapshot.now_us < 240_000_000, "a dynamic query ends after 200 s, and its sentence with it"
    assert bool(waited) == waves
    watch.go(60.0)
    (row,) = watch.session.frame(30).snapshot.asks
    assert {*final, row.found} == {row.found}, "the number of holders was final when it was told as such"


def test_a_dead_index_is_reported_at_once() -> None:
    watch = Watch("napster")
    index = int(watch.session.swarm.snapshot().fixed.infrastructure.argmax())
    watch.do(Kill(index))
    watch.ask()
    sentence = said(watch.go(0.1))
    assert "no answer so far: index is dead, so nobody can answer" in sentence
    assert "reached" not in sentence, "how many an index reached says nothing"


async def test_the_sentence_has_at_most_two_lines_on_the_picture() -> None:
    words = "p012 is dead. Three other holders answered p007, the first after 0.24 s; it reached 62 of 62 living peers."
    longest = f"{words} One holder fewer, 0.1 s slower than ask 1."
    for (wide, high), expected in (((80, 24), longest), ((62, 24), words), ((160, 40), longest)):
        view = SwarmView()
        async with Stage(view).run_test(size=(wide, high)) as pilot:
            view.show(frames.frame(told=(longest, words, "Three holders.")))
            await pilot.pause()
            rows = view.text.split("\n")
            shown = [row.strip(" │") for row in rows[:4]]
            assert expected in " ".join(row for row in shown if row), rows
            assert not any("Three holders." in row for row in rows)
