"""The same seed and commands give the same run, bit for bit: under any hash seed, in any slices, observed or not."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from engine import (
    ArrivalSpec,
    Arrive,
    AskFor,
    Censor,
    Collude,
    Command,
    ContentSpec,
    Defect,
    Depart,
    Heal,
    Kill,
    Leave,
    Partition,
    Publish,
    Revive,
    Set,
    Setup,
    Swarm,
    Uncensor,
    networks,
)

pytestmark = pytest.mark.uncounted

SECOND = 1_000_000
ROOT = Path(__file__).resolve().parent.parent
NETWORKS = tuple(networks())
IN_SLICES = ("gnutella", "kademlia")
"""Networks that are run in slices of every size: floods, and calls. The engine makes slices without regard to the
network, so the others are run in slices of one size."""

STORY: tuple[tuple[float, Command], ...] = (
    (0.0, AskFor("random 3", "the")),
    (1.2, Kill("random 10%")),
    (2.0, Censor("top 2 degree")),
    (2.5, Publish("random 2", "an unheard song")),
    (3.1, Collude("random 20%", "song", 0.5)),
    (3.1, AskFor("random 4", "unheard song")),
    (3.5, Arrive(3)),
    (4.0, Set("loss", 0.05)),
    (4.4, Leave("random 2")),
    (5.0, Set("latency", 0.5)),
    (5.0, Partition("random 30%")),
    (5.5, Arrive(8, over_s=2.0, operator="acme")),
    (6.3, Heal()),
    (6.3, Uncensor("all")),
    (7.0, Revive("state=dead")),
    (7.5, Defect("all")),
    (7.6, Depart("random 20%", over_s=2.0, polite=0.5)),
    (8.0, Set("churn", "exponential:15")),
    (9.0, AskFor("random 3", "song")),
)
END_S = 12


def setup(name: str, **changes: Any) -> Setup:
    values: dict[str, Any] = {"protocol": name, "peers": 40, "seed": 11, "asks_per_s": 3.0, "loss": 0.02, "polite": 0.3}
    # Some pieces or chunks a file, the last one shorter: with 4 MB most of a run is the middle of transfers.
    values |= {"arrivals": ArrivalSpec("poisson:0.5"), "content": ContentSpec(file_mib=0.6), **changes}
    return Setup(**{"churn": "exponential:20", **values})


def observed(swarm: Swarm) -> dict[str, Any]:
    """Everything that can be observed of a run, and its fingerprint."""
    frame = swarm.snapshot()
    traces = [swarm.trace(row.id) for row in swarm.asks()]
    return {
        "fingerprint": swarm.fingerprint(),
        "totals": repr(frame.totals),
        "asks": [repr(row) for row in swarm.asks()],
        "events": [repr(event) for event in swarm.events()],
        "states": frame.state.tolist(),
        "heard": frame.last_heard_us.tolist(),
        "load": frame.load.tolist(),
        "links": sorted(zip(frame.links.a.tolist(), frame.links.b.tolist(), strict=True)),
        "flight": [frame.flight.frm.tolist(), frame.flight.to.tolist(), frame.flight.arrives_us.tolist()],
        "series": {name: [repr(x) for x in column.tolist()] for name, column in frame.series.columns.items()},
        "paths": [t and (t.frm.tolist(), t.hop.tolist(), t.repeats.tolist(), t.answers_frm.tolist()) for t in traces],
        "settings": repr(frame.settings),
    }


def play(made: Setup, budget: int | None = None, look: int = 0) -> Swarm:
    """Run the story, in slices of `budget` deliveries; with `look`, read everything that a screen reads, after so many
    slices and after the last one before each command."""
    swarm, slices = Swarm(made), 0
    for at_s, command in (*STORY, (END_S, None)):
        until_us = round(at_s * SECOND)
        while True:
            done = swarm.advance(until_us, budget)
            slices += 1
            last = budget is None or done < budget
            if look and (last or not slices % look):
                read_everything(swarm)
            if last:
                break
        if command is not None:
            swarm.do(command)
    return swarm


@functools.cache
def in_one_go(name: str) -> Swarm:
    """The run that others are compared with, made once in a process: it is only read."""
    return play(setup(name))


def read_everything(swarm: Swarm) -> None:
    """Call everything that a screen may call while it draws."""
    swarm.snapshot()
    swarm.select("random 20% or top 3 load or state=dead")
    swarm.completions("role=")
    swarm.fingerprint()
    swarm.success(0, 60)
    swarm.settings()
    list(swarm.events(10))
    for row in swarm.asks()[-3:]:
        swarm.trace(row.id)
    for peer in (0, 7):
        program = swarm.peer(peer)
        if program is not None:
            program.beliefs()
        swarm.library(peer).matching("the")
        swarm.links_of(peer)
        swarm.neighbours_of((peer,))


def same(a: Swarm, b: Swarm) -> None:
    one, other = observed(a), observed(b)
    for key, value in one.items():
        assert value == other[key], key


@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_seed_and_commands_give_the_same_run_in_slices_with_everything_read_between_them(name: str) -> None:
    """If it fails, `look=0` tells whether the slices or the reading are the cause."""
    whole = in_one_go(name)
    assert whole.snapshot().totals.delivered > 50, "too little happens in this run to compare anything"
    same(whole, play(setup(name), budget=7, look=57))


@pytest.mark.parametrize("budget", [1, 250])
@pytest.mark.parametrize("name", IN_SLICES)
def test_slicing_changes_nothing(name: str, budget: int) -> None:
    same(in_one_go(name), play(setup(name), budget=budget))


@pytest.mark.parametrize("latency", ["constant:20", "uniform:5-60"])
@pytest.mark.parametrize("loss", [0.0, 0.1])
def test_slicing_changes_nothing_under_any_latency_with_and_without_loss(latency: str, loss: float) -> None:
    made = setup("gnutella", latency=latency, loss=loss, churn="none")
    same(play(made), play(made, budget=13))


@pytest.mark.parametrize(("name", "budget"), [("gnutella", 3), *((name, 40) for name in IN_SLICES)])
def test_a_command_in_the_middle_of_an_instant_acts_at_its_end(name: str, budget: int) -> None:
    """A key is pressed between two frames; a replay knows only the virtual time."""
    made = setup(name)
    live = Swarm(made)
    commands = iter([command for _, command in STORY])
    keys: list[tuple[int, Command]] = []
    mid_instant = 0
    command = next(commands, None)
    while live.now_us < END_S * SECOND:
        live.advance(min(END_S * SECOND, live.now_us + SECOND // 4), budget)
        if command is not None and live.now_us >= len(keys) * SECOND // 2:
            mid_instant += live.simulation.kernel.mid_instant
            keys.append((live.now_us, command))
            live.do(command)
            command = next(commands, None)
    assert len(keys) == len(STORY)
    replayed = Swarm(made)
    for at_us, command in keys:
        replayed.advance(at_us)
        replayed.do(command)
    replayed.advance(live.now_us)
    live.advance(live.now_us)
    same(live, replayed)
    if budget == 3 and name == "gnutella":
        assert mid_instant, "some of the keys were pressed inside an instant"


def test_a_frame_between_two_commands_at_one_moment_changes_nothing() -> None:
    def run(frames: bool) -> Swarm:
        swarm = Swarm(setup("gnutella", churn="none"))
        for command in (AskFor("p003", "the"), Kill("p004"), Revive("p004"), AskFor("p004", "song"), Kill("p003")):
            swarm.do(command)
            if frames:
                swarm.advance(swarm.now_us)
        swarm.advance(5 * SECOND)
        return swarm

    same(run(frames=False), run(frames=True))


def test_slicing_changes_nothing_in_a_schedule() -> None:
    schedule = tuple((round(at_s * SECOND), command) for at_s, command in STORY)
    made = setup("gnutella", schedule=schedule)
    whole, sliced = Swarm(made), Swarm(made)
    whole.advance(END_S * SECOND)
    while sliced.advance(END_S * SECOND, 17) >= 17:
        pass
    same(whole, sliced)


SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from test_determinism import digests
print(hash("swarmtop"), *digests(), sep="\\n")
"""


def digests() -> list[str]:
    """A line for each network: of all that can be observed of its run, and of its order."""
    lines = []
    for name in NETWORKS:
        seen = observed(in_one_go(name))
        hashed = blake2b(repr(seen).encode(), digest_size=8).hexdigest()
        lines.append(f"{name} {seen['fingerprint']} {hashed}")
    return lines


def test_two_processes_with_different_hash_seeds_agree() -> None:
    script = SCRIPT.format(root=str(ROOT), tests=str(ROOT / "tests"))
    own = hash("swarmtop")
    # At least one of two seeds differs from that of this process.
    for seed in ("1", "4242"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        other, *told = done.stdout.splitlines()
        assert told == digests()
        if int(other) != own:
            return
    pytest.fail("both processes hash as this one")
