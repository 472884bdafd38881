"""Seeking in a run: every moment is as it was the first time, and another future can begin there."""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from stories import END_US, SECOND, setup, story

from engine import AskFor, Command, Heal, Kill, Partition, Peer, Revive, Setup, Swarm, networks
from engine.commands import VERBS
from engine.record.checkpoints import Checkpoints, CheckpointStore, is_page, pack_swarm
from engine.record.log import KILL_VERBS, Fingerprints
from engine.record.time_machine import TimeMachine


def at_once(steps: Iterator[float]) -> list[float]:
    return list(steps)


def played(name: str = "gnutella", *, checkpoints: Checkpoints | None = None, **changes: object) -> TimeMachine:
    """A run to its end with the commands of the story, in slices that end anywhere."""
    machine = TimeMachine(Swarm(setup(name, **changes)), checkpoints=checkpoints)
    for at_s, command in story(name):
        go(machine, round(at_s * SECOND))
        machine.swarm.do(command)
    go(machine, END_US)
    return machine


def go(machine: TimeMachine, to_us: int) -> None:
    budgets = random.Random(to_us)
    while machine.now_us < to_us:
        machine.advance(to_us, budgets.choice([3, 50, 700]))
    machine.advance(to_us)


def prints(machine: TimeMachine) -> tuple[object, ...]:
    swarm = machine.swarm
    return swarm.now_us, swarm.given, swarm.fingerprint(), swarm.snapshot().totals, len(swarm.asks())


@pytest.mark.parametrize(("name", "spacing"), [*((name, 40) for name in networks()), ("gnutella", 1_000_000)])
def test_every_moment_is_as_it_was(name: str, spacing: int) -> None:
    checkpoints = Checkpoints(spacing=spacing)
    machine = played(name, checkpoints=checkpoints)
    assert bool(checkpoints.store.checkpoints) == (spacing < 1000)
    end = prints(machine)
    straight = TimeMachine(Swarm(setup(name)))
    moments = sorted(random.Random(7).sample(range(END_US), 4))
    was = {}
    for at_us in moments:
        for number, (at_s, command) in enumerate(story(name)):
            if straight.now_us <= round(at_s * SECOND) <= at_us and straight.swarm.given == number:
                go(straight, round(at_s * SECOND))
                straight.swarm.do(command)
        go(straight, at_us)
        was[at_us] = prints(straight)
    for at_us in [*moments[::-1], *random.Random(8).sample(moments, 2)]:
        at_once(machine.seek(at_us))
        assert prints(machine) == was[at_us]
        assert not machine.live
    at_once(machine.seek(END_US))
    assert machine.live
    assert prints(machine) == end
    assert machine.diverged is None


def test_playing_on_from_the_past_repeats_the_commands() -> None:
    machine = played()
    end = prints(machine)
    at_once(machine.seek(1 * SECOND))
    go(machine, END_US)
    assert machine.live
    assert prints(machine) == end
    go(machine, END_US + SECOND)
    assert machine.end_us == END_US + SECOND


def test_a_seek_yields_how_far_it_is_and_can_be_cancelled() -> None:
    machine = played(peers=60)
    steps = machine.seek(12 * SECOND)
    next(steps)
    assert machine.live, "the cursor stays where it was until it is there"
    steps.close()
    assert machine.now_us == END_US
    told = at_once(machine.seek(12 * SECOND))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_command_in_the_past_begins_another_future() -> None:
    checkpoints = Checkpoints(spacing=40)
    machine = played(checkpoints=checkpoints)
    at_once(machine.seek(6 * SECOND))
    kept = machine.swarm.given
    machine.swarm.do(Kill("random 5"))
    assert machine.live
    assert (machine.end_us, len(machine.log), machine.forks) == (6 * SECOND, kept + 1, 1)
    assert all(one.at[0] <= 6 * SECOND for one in checkpoints.store.checkpoints)
    go(machine, 9 * SECOND)
    other = prints(machine)
    at_once(machine.seek(3 * SECOND))
    at_once(machine.seek(9 * SECOND))
    assert prints(machine) == other
    again = TimeMachine(Swarm(setup("gnutella")))
    for given in machine.log:
        go(again, given.at_us)
        again.swarm.do(given.command, given.by)
    go(again, 9 * SECOND)
    assert prints(again) == other


def test_what_cannot_be_done_in_the_past_discards_nothing() -> None:
    machine = played()
    at_once(machine.seek(6 * SECOND))
    with pytest.raises(Exception, match="nobody called"):
        machine.swarm.do(Kill("nobody called that"))
    assert not machine.live
    assert machine.end_us == END_US


def test_undo_goes_to_just_before_the_last_command() -> None:
    machine = TimeMachine(Swarm(setup("gnutella")))
    machine.advance(3 * SECOND)
    machine.swarm.do(Kill("#1"))
    before = prints(machine)
    machine.swarm.do(Partition("random 50%"))
    machine.swarm.do(Heal())
    go(machine, 5 * SECOND)
    at_once(machine.undo())
    at_once(machine.undo())
    assert prints(machine) == before
    assert machine.live, "what came after is gone"
    at_once(machine.undo())
    assert (machine.now_us, machine.swarm.given) == (3 * SECOND, 0)
    assert at_once(machine.undo()) == []
    go(machine, 5 * SECOND)
    plain = Swarm(setup("gnutella"))
    plain.advance(5 * SECOND)
    assert machine.swarm.fingerprint() == plain.fingerprint()


def test_the_swarm_at_the_end_is_kept_during_a_seek() -> None:
    machine = played()
    end = machine.swarm
    at_once(machine.seek(2 * SECOND))
    assert machine.swarm is not end
    assert at_once(machine.seek(END_US)) == [1.0]
    assert machine.swarm is end


@pytest.mark.uncounted
def test_checkpoints_stay_within_their_budget_and_thin_out_with_age() -> None:
    budget = 800_000
    checkpoints = Checkpoints(CheckpointStore(budget), spacing=30)
    machine = TimeMachine(Swarm(setup("gnutella")), checkpoints=checkpoints)
    store = checkpoints.store
    most = 0
    for second in range(1, 40):
        go(machine, second * SECOND)
        most = max(most, store.bytes)
    assert 0 < most <= budget
    real = sum(one.bytes for one in store.checkpoints) + sum(200 + len(path) for path in store.parts.values())
    assert store.bytes == real
    gaps = [b.cost - a.cost for a, b in zip(store.checkpoints, store.checkpoints[1:], strict=False)]
    half = len(gaps) // 2
    assert half >= 2
    assert sum(gaps[-half:]) < 0.9 * sum(gaps[:half]), "the latest are nearer to each other"
    assert store.checkpoints[-1].at[0] > 33 * SECOND


def test_there_are_so_many_checkpoints_at_most_and_a_quarter_of_the_room_is_for_paths() -> None:
    checkpoints = Checkpoints(CheckpointStore(400_000, checkpoints_max=8), spacing=100)
    machine = TimeMachine(Swarm(setup("gnutella", asks_per_s=3.0)), checkpoints=checkpoints)
    store = checkpoints.store
    for second in range(1, 15):
        go(machine, second * SECOND)
        paths = sum(200 + len(path) for key, path in store.parts.items() if not is_page(key))
        assert paths == store._paths_bytes <= 100_000
        assert len(store.checkpoints) <= 8
        assert store.bytes <= 400_000
    assert store.checkpoints[-1].at[0] > 12 * SECOND


def test_pages_of_the_archive_are_part_of_a_checkpoint() -> None:
    checkpoints = Checkpoints(spacing=400)
    machine = TimeMachine(Swarm(Setup(protocol="web", peers=12, asks_per_s=30.0)), checkpoints=checkpoints)
    go(machine, 20 * SECOND)
    end, asks = prints(machine), machine.swarm.asks()
    assert any(is_page(key) for key in checkpoints.store.parts)
    at_once(machine.seek(15 * SECOND))
    copy = pickle.loads(pickle.dumps(machine.swarm))
    assert copy.asks() == machine.swarm.asks()
    assert machine.swarm.asks()[:200] == asks[:200]
    at_once(machine.seek(19 * SECOND))
    go(machine, 20 * SECOND)
    assert prints(machine) == end
    assert machine.swarm.asks() == asks
    last = checkpoints.store.checkpoints[-1]
    store = CheckpointStore()
    store.add(last, {})
    assert not store.checkpoints, "a swarm cannot be unpacked without its pages"


def test_checkpoints_share_the_names_of_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.record.checkpoints.pack_swarm", lambda *args: _read_from_a_pipe(pack_swarm(*args)))
    machine = TimeMachine(
        Swarm(setup("gnutella", asks_per_s=20.0)), checkpoints=(checkpoints := Checkpoints(spacing=200))
    )
    go(machine, 10 * SECOND)
    store = checkpoints.store
    one, other = store.checkpoints[-2:]
    both = set(one.packed.keys) & set(other.packed.keys)
    assert len(both) > 10
    assert {id(key) for key in one.packed.keys if key in both} == {id(key) for key in other.packed.keys if key in both}
    store.truncate((0, 0))
    assert not store._interned


def _read_from_a_pipe(made: Any) -> Any:
    return pickle.loads(pickle.dumps(made))


def test_fingerprints_take_sixteen_bytes_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.record.log.FINGERPRINTS_MAX", 500)
    kept = Fingerprints({1_000_000: "00000000deadbeef"})
    for second in range(2, 2_000):
        assert kept.add(second * SECOND, f"{second:016x}") == (second <= 500)
    assert len(kept) == 500
    assert kept[1_000_000] == "00000000deadbeef"
    assert kept.get(1_500_000) is None
    kept.truncate(10 * SECOND)
    assert list(kept) == [second * SECOND for second in range(1, 11)]
    assert kept.add(11 * SECOND, "ffffffffffffffff")


def test_marks_are_so_many_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.record.log.MARKS_MAX", 100)
    machine = TimeMachine(Swarm(setup("gnutella", asks_per_s=20.0)))
    machine.swarm.do(Kill("#1"))
    for second in range(1, 20):
        go(machine, second * SECOND)
        assert len(machine.marks.all()) <= 100 + 1
    assert machine.marks.all()[0].by == "person"


def test_a_swarm_too_large_for_its_budget_goes_back_from_the_beginning() -> None:
    checkpoints = Checkpoints(CheckpointStore(1_000), spacing=30)
    machine = played(checkpoints=checkpoints)
    assert not checkpoints.store.checkpoints
    end = prints(machine)
    at_once(machine.seek(3 * SECOND))
    at_once(machine.seek(END_US))
    assert prints(machine) == end


def test_the_marks_of_kills_are_of_verbs_that_exist() -> None:
    assert set(KILL_VERBS) <= VERBS.keys()


def test_marks_are_the_same_wherever_the_cursor_is() -> None:
    machine = played()
    marks = machine.marks.all()
    assert {mark.kind for mark in marks} == {"command", "kill", "ask"}
    assert {mark.by for mark in marks} == {"person", "scenario", "background", "churn"}
    assert [mark.at_us for mark in marks] == sorted(mark.at_us for mark in marks)
    at_once(machine.seek(4 * SECOND))
    go(machine, END_US)
    assert machine.marks.all() == marks, "and nothing twice"
    at_once(machine.seek(4 * SECOND))
    machine.swarm.do(Revive("#1"))
    assert machine.marks.all()[-1].text == "revive #1"
    assert max(mark.at_us for mark in machine.marks.all()) == 4 * SECOND


def test_a_run_that_differs_from_its_fingerprints_is_reported() -> None:
    machine = played()
    at_once(machine.seek(2 * SECOND))
    machine.swarm.simulation.shared.links.rng.state ^= 1
    machine.swarm.selector_rng.state ^= 1
    machine.swarm.simulation.peer_hosts[3].rng.state ^= 1
    go(machine, END_US)
    assert machine.diverged is not None
    assert machine.diverged[0] < machine.diverged[1]


def test_a_program_that_fails_is_where_the_run_ends(peer_that_breaks: type[Peer]) -> None:
    machine = TimeMachine(Swarm(setup("gnutella", asks_per_s=0.0), peer_that_breaks), program=peer_that_breaks)
    machine.advance(2 * SECOND)
    with pytest.raises(Exception, match="broke"):
        machine.swarm.do(AskFor("#2", "the"))
    at_once(machine.seek(1 * SECOND))
    assert machine.swarm.failure is None
    at_once(machine.seek(2 * SECOND))
    assert machine.swarm.failure is not None
    at_once(machine.undo())
    assert machine.swarm.failure is None
    machine.advance(4 * SECOND)


@pytest.fixture
def peer_that_breaks() -> type[Peer]:
    @dataclass
    class NoOptions:
        pass

    class Fragile(Peer, name="fragile", options=NoOptions):
        def ask(self, host: object, ask: object) -> None:
            raise ValueError("it broke")

    return Fragile


def test_a_swarm_reports_to_its_last_watcher_until_it_is_unwatched() -> None:
    class Log:
        def __init__(self) -> None:
            self.seen: list[str] = []

        def on_command(self, command: Command, resolved: Command, by: str, contents: bytes | None) -> None:
            self.seen.append(f"{command.verb} by {by}")

        def on_sample(self) -> None:
            self.seen.append("sample")

    swarm, first, second = Swarm(setup("gossip", schedule=())), Log(), Log()
    swarm.watch(first)
    swarm.advance(SECOND)
    swarm.do(Kill("#1"))
    swarm.watch(second)
    swarm.advance(2 * SECOND)
    swarm.unwatch()
    swarm.do(Revive("#1"))
    swarm.advance(3 * SECOND)
    assert (first.seen, second.seen) == (["sample", "kill by person"], ["sample"])
