"""A run is written into a file while it goes on, and read again, also after its writer was killed."""

from __future__ import annotations

import gzip
import signal
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recorded import replayed, ticking, written
from stories import END_US, LINKS, SECOND, STORY, setup, story
from test_time_machine import at_once, go, prints

from engine import ContentSpec, Kill, Set, Swarm, networks
from engine.record.file import read
from engine.record.time_machine import TimeMachine
from engine.world.content import SharedFiles
from engine.world.world import World

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("budget", [None, 11])
@pytest.mark.parametrize("name", networks())
def test_a_recording_replays(name: str, budget: int | None, tmp_path: Path) -> None:
    path = tmp_path / "run.swarm"
    live = written(path, name)
    recording = read(str(path))
    assert (recording.note, recording.story, recording.end_us) == ("", {"title": "a story"}, END_US)
    assert recording.setup == live.setup
    assert len(recording.log) == len(story(name))
    assert all(not isinstance(getattr(one.resolved, "peers", ()), str) for one in recording.log), (
        "selectors are resolved"
    )
    assert [one.command for one in recording.log] == [command for _, command in story(name)]
    assert len(recording.fingerprints) == END_US // SECOND
    again = replayed(recording, budget)
    assert prints(again) == prints(live)
    assert again.diverged is None
    assert again.live


@pytest.mark.parametrize("latency", ["constant:30", "uniform:5-40", "MATRIX"])
def test_a_recording_needs_neither_files_nor_generators(latency: str, tmp_path: Path) -> None:
    matrix, edges, trace = (tmp_path / name for name in ("rtt.txt", "edges.txt", "trace.csv"))
    matrix.write_text("\n".join(" ".join(str(10 + 3 * a + 7 * b) for b in range(9)) for a in range(9)))
    edges.write_text("\n".join(f"{a} {b}" for a in range(30) for b in (a + 1, a + 7)))
    made: dict[str, Any] = {"topology": str(edges), "latency": latency, "links": LINKS}
    if latency == "MATRIX":
        trace.write_text("".join(f"{peer},{peer / 9},{3 + peer / 9}\n" for peer in range(20)))
        made |= {"latency": str(matrix), "churn": str(trace)}
    live = written(tmp_path / "run.swarm", **made)
    for path in (matrix, edges, trace):
        path.unlink(missing_ok=True)
    again = replayed(read(str(tmp_path / "run.swarm")))
    assert prints(again) == prints(live)
    assert again.swarm.labels == live.swarm.labels


@pytest.mark.parametrize("packed", [False, True])
def test_a_recording_needs_no_files_that_commands_name(
    packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of the scenario, and files that a person names while it runs, also after going back and more than once."""
    monkeypatch.chdir(tmp_path)
    days, nights = tmp_path / "days.csv", tmp_path / "nights"

    def write(path: Path, low: int, high: int) -> None:
        text = "".join(f"p{peer:03d},{peer / 9},{6 + peer / 5}\n" for peer in range(low, high)).encode()
        path.write_bytes(gzip.compress(text) if packed else text)

    write(days, 0, 9)
    write(nights, 4, 20)
    path, late = tmp_path / "run.swarm", tmp_path / "late.swarm"
    machine = TimeMachine(Swarm(setup("gnutella", schedule=((2 * SECOND, Set("churn", "days.csv")),))))
    days.unlink()
    machine.record(str(path), {}, ticking())
    go(machine, 4 * SECOND)
    machine.swarm.do(Set("churn", "nights"))
    write(nights, 0, 3)
    go(machine, 5 * SECOND)
    machine.swarm.do(Set("churn", "nights"))
    nights.unlink()
    go(machine, 7 * SECOND)
    at_once(machine.seek(1 * SECOND))
    go(machine, 6 * SECOND)
    machine.swarm.do(Kill("random 1"))
    go(machine, 8 * SECOND)
    machine.record(str(late), {}, ticking())
    go(machine, 9 * SECOND)
    machine.close()
    for each in (path, late):
        again = replayed(read(str(each)))
        assert again.diverged is None
        assert again.swarm.warnings == machine.swarm.warnings
        end = 8 * SECOND if each == path else 9 * SECOND
        assert again.now_us == end
    assert prints(again) == prints(machine)
    at_once(machine.seek(3 * SECOND))
    at_once(machine.undo())


def test_all_random_parts_of_the_world_are_in_the_file(tmp_path: Path) -> None:
    """A new random part of a world has to be written by `record.codec` too."""
    content = ContentSpec(items=30, sharing="adar-huberman")
    trace = tmp_path / "trace.csv"
    trace.write_text("3,0.5,2\n3,4,5\n7,-3,9\n")
    later = ((SECOND, Set("churn", str(trace))),)
    odd = {"latency": "uniform:5-40", "content": content, "churn": str(trace), "schedule": later}
    for number, changes in enumerate(({"links": LINKS}, odd)):
        path = tmp_path / f"{number}.swarm"
        world = written(path, until_us=1, **changes).world
        read_back = read(str(path)).world
        for name in [*World.__dataclass_fields__, "files"]:
            assert plainly(getattr(read_back, name)) == plainly(getattr(world, name)), name


def plainly(value: Any) -> Any:
    """A value in a form that can be compared, also of arrays and libraries."""
    if is_dataclass(value):
        return {f.name: plainly(getattr(value, f.name)) for f in fields(value) if f.compare}
    if isinstance(value, (list, tuple)):
        return [plainly(each) for each in value]
    if isinstance(value, np.ndarray):
        return (str(value.dtype), value.tolist())
    return value.files() if isinstance(value, SharedFiles) else value


def test_a_recording_may_begin_late_and_knows_what_was_before(tmp_path: Path) -> None:
    machine = TimeMachine(Swarm(setup("gnutella")))
    go(machine, 3 * SECOND)
    machine.swarm.do(Kill("random 4"))
    go(machine, 6 * SECOND)
    machine.record(str(tmp_path / "run.swarm"), {}, ticking())
    assert machine.recording
    go(machine, 8 * SECOND)
    machine.stop_recording()
    assert not machine.recording
    assert prints(replayed(read(str(tmp_path / "run.swarm")))) == prints(machine)


def test_going_back_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "run.swarm"
    machine = TimeMachine(Swarm(setup("gnutella")))
    machine.record(str(path), {}, ticking())
    for at_s, command in STORY:
        go(machine, round(at_s * SECOND))
        machine.swarm.do(command)
    go(machine, END_US)
    at_once(machine.seek(6 * SECOND))
    go(machine, 7 * SECOND)
    machine.swarm.do(Kill("random 6"))
    go(machine, 10 * SECOND)
    at_once(machine.undo())
    machine.swarm.do(Kill("random 2"))
    go(machine, 9 * SECOND)
    machine.close()
    recording = read(str(path))
    assert recording.end_us == 9 * SECOND
    again = replayed(recording)
    assert prints(again) == prints(machine)
    assert again.diverged is None


def test_what_is_recorded_again_is_the_same(tmp_path: Path) -> None:
    first, second = tmp_path / "one.swarm", tmp_path / "two.swarm"
    written(first)
    recording = read(str(first))
    machine = TimeMachine(Swarm(recording.setup, world=recording.world), recording=recording)
    machine.record(str(second), recording.story, ticking())
    machine.advance(recording.end_us)
    machine.close()
    again = read(str(second))
    assert (again.log, again.fingerprints, again.end_us) == (recording.log, recording.fingerprints, recording.end_us)


# --- a writer that was killed -------------------------------------------------------------------------------------

WRITER = """
import sys, time
sys.path[:0] = [{root!r}, {tests!r}]
from engine import Kill, Swarm
from engine.record.time_machine import TimeMachine
from stories import SECOND, setup
machine = TimeMachine(Swarm(setup("gnutella")))
machine.record({path!r}, {{}}, time.monotonic)
while True:
    machine.advance(machine.now_us + SECOND // 50, 500)
    if machine.now_us % SECOND == 0:
        machine.swarm.do(Kill("random 1"))
    print(machine.now_us, machine.swarm.given, time.monotonic(), flush=True)
"""


def test_a_writer_that_is_killed_leaves_all_but_the_last_second(tmp_path: Path) -> None:
    path = tmp_path / "run.swarm"
    script = WRITER.format(root=str(ROOT), tests=str(Path(__file__).parent), path=str(path))
    writer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    lines: list[tuple[int, int, float]] = []
    for line in writer.stdout:
        now_us, commands, wall_s = line.split()
        lines.append((int(now_us), int(commands), float(wall_s)))
        if lines[-1][2] - lines[0][2] > 1.3 and len(lines) > 20:
            break
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read()
    writer.wait()
    writer.stdout.close()
    whole = [row.split() for row in rest.rpartition("\n")[0].splitlines()]
    lines += [(int(row[0]), int(row[1]), float(row[2])) for row in whole if len(row) == 3]
    recording = read(str(path))
    assert "stops at" in recording.note
    killed_s = lines[-1][2]
    before = max(now_us for now_us, _, wall_s in lines if wall_s <= killed_s - 1.0)
    assert recording.end_us >= before
    assert len(recording.log) >= lines[-1][1], "commands are written at once"
    assert replayed(recording).diverged is None
