"""Recordings that were cut, damaged or changed: they replay or are refused in one sentence."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded import replayed, ticking, written
from recording_file import AROUND, FIRST_LINE, parts, save, sealed
from recording_file import values as values_of
from stories import SECOND, setup
from test_time_machine import go

from engine import InputError, Kill, Swarm
from engine.record import codec
from engine.record.file import read
from engine.record.time_machine import TimeMachine

T = TypeVar("T")


def result_or_refusal(how: Callable[[], T]) -> T | None:
    """What a function returns, or None if it refuses its input in one sentence."""
    said = ""
    try:
        return how()
    except InputError as error:
        said = str(error)
    assert said
    assert "\n" not in said
    assert len(said) < 500
    return None


def small(path: Path) -> TimeMachine:
    return written(path, until_us=2_200_000, peers=6, asks_per_s=0.5)


@pytest.mark.uncounted
def test_cut_at_every_byte_it_replays_or_is_refused_in_one_sentence(tmp_path: Path) -> None:
    whole, cut = tmp_path / "run.swarm", tmp_path / "cut.swarm"
    live = small(whole)
    data = whole.read_bytes()
    values = values_of(whole)
    begins = len(data) - sum(len(msgpack.packb(v)) + AROUND for v in values[1:] if v[0] != "world")
    ends: set[int] = set()
    for size in range(len(data)):
        # Within the world only some bytes are tried, since to read it takes the longest.
        if begins // 8 < size < begins - 8 and size % 97:
            continue
        cut.write_bytes(data[:size])
        recording = result_or_refusal(lambda: read(str(cut)))
        assert (recording is not None) == (size >= begins), size
        if recording is None:
            continue
        assert "stops at" in recording.note
        if recording.end_us not in ends:
            ends.add(recording.end_us)
            assert replayed(recording).diverged is None
    assert len(ends) > 3
    assert max(ends) == live.end_us


def test_a_run_that_is_not_the_one_that_was_recorded_says_where_it_diverges(tmp_path: Path) -> None:
    path = tmp_path / "run.swarm"
    written(path)
    values = values_of(path)
    tampered = next(value for value in values[1:] if value[0:1] == ["do"] and value[3] == "kill")
    at_us, peers = tampered[1], tampered[4]["peers"]
    tampered[4]["peers"] = peers[:-4]
    diverged = replayed(read(save(tmp_path / "other.swarm", values))).diverged
    assert diverged is not None
    assert diverged[0] <= at_us < diverged[1]
    assert diverged[1] - diverged[0] <= SECOND


def test_a_difference_at_the_end_is_found(tmp_path: Path) -> None:
    path = tmp_path / "run.swarm"
    machine = TimeMachine(Swarm(setup("gnutella")))
    machine.record(str(path), {}, ticking())
    go(machine, 2 * SECOND + 300_000)
    machine.swarm.do(Kill("#1"))
    machine.close()
    values = values_of(path)
    values[-2][4]["peers"] = b"\x02\x00\x00\x00"
    assert replayed(read(save(tmp_path / "other.swarm", values))).diverged == (2 * SECOND, 2 * SECOND + 300_000)


def test_an_impossible_command_is_refused_at_its_time(tmp_path: Path) -> None:
    path = tmp_path / "run.swarm"
    written(path)
    values = values_of(path)
    tampered = next(value for value in values[1:] if value[0:1] == ["do"] and value[3] == "kill")
    tampered[4]["peers"] = b"\xff\xff\xff\x7f"
    with pytest.raises(InputError, match=r"at 1\.200 s, kill: there is no peer"):
        replayed(read(save(tmp_path / "other.swarm", values)))


ZEROS = zlib.compress(bytes(4 << 20))
BLANKS = zlib.compress(msgpack.packb([""] * (1 << 14)))
HURT: dict[str, Callable[[list[Any]], None]] = {
    "the first record should be a map": lambda v: v.__delitem__(0),
    "its setup should be a map": lambda v: v[0].update(setup=[]),
    "this version does not know": lambda v: v[0]["setup"].update(gravity=1),
    "setup.peers should be": lambda v: v[0]["setup"].update(peers="many"),
    "setup.loss should be": lambda v: v[0]["setup"].update(loss=float("nan")),
    "setup.content.zipf": lambda v: v[0]["setup"]["content"].update(zipf=[1]),
    "a time in it that cannot be": lambda v: v[0]["setup"].update(schedule=[[-1, "heal", {}]]),
    'has no field "peer"': lambda v: v[0]["setup"].update(schedule=[[0, "kill", {"peer": 3}]]),
    "a column has no meaning": lambda v: v[1].__setitem__(1, "moon"),
    "does not unpack": lambda v: v[1].__setitem__(2, b"nothing"),
    "cut short": lambda v: v[1].__setitem__(2, v[1][2][:-5]),
    "larger than 16 MB": lambda v: v.__setitem__(slice(2, 2), [["world", "links", ZEROS]] * 5),
    "more than 524,288 titles": lambda v: v.__setitem__(slice(2, 2), [["world", "titles", BLANKS]] * 33),
    "too large": lambda v: v[1].__setitem__(2, zlib.compress(bytes(80 << 20))),
    "in it is damaged": lambda v: v.__delitem__(slice(3, None)),
    "the world in it is damaged": lambda v: v.__delitem__(1),
    "no entry is called": lambda v: v.insert(-1, ["fly", 1]),
    "an entry should be a list": lambda v: v.insert(-1, 7),
    "should not have 1 fields": lambda v: v.insert(-1, ["print", 1]),
    "time goes back": lambda v: v.insert(-1, ["at", 1]),
    "goes on after its end": lambda v: v.append(["at", 1 << 40]),
    "that the run has not reached": lambda v: v.insert(-1, ["back", 1, 1 << 40]),
    "keeps commands that are later": lambda v: v.insert(-1, ["back", 0, 2]),
    "a fingerprint should": lambda v: v.insert(-1, ["print", v[-1][1], b"1"]),
    "does not know": lambda v: v.insert(-1, ["do", v[-1][1], "person", "explode", {}, {}, 0]),
    "who gave it": lambda v: v.insert(-1, ["do", v[-1][1], "scenario", "heal", {}, {}, 0]),
    "a random state of 64 bits": lambda v: v.insert(-1, ["do", v[-1][1], "person", "heal", {}, {}, -1]),
    "should not be bytes": lambda v: v.insert(-1, ["do", v[-1][1], "person", "ask", {"text": b"xxxx"}, {}, 0]),
}


@pytest.mark.parametrize("says", HURT)
def test_each_fault_is_reported_in_one_sentence(says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert codec.WORLD_MAX == 256 << 20
    monkeypatch.setattr(codec, "WORLD_MAX", 16 << 20)  # a test should not unpack more
    path = tmp_path / "run.swarm"
    small(path)
    values = values_of(path)
    HURT[says](values)
    with pytest.raises(InputError) as told:
        read(save(path, values))
    assert says in str(told.value)
    assert "\n" not in str(told.value)


NONE = {
    "empty": b"",
    "list": b"\xdd\xff\xff\xff\xff",
    "deep": b"\x91" * 100_000,
    "never": b"\xc1",
    "zip": b"PK\x03\x04",
    "zeros": bytes(5_000),
    "version 1": b"\x84\xa6format\xb2swarmtop recording\xa7version\x01",
    "version 3": FIRST_LINE.replace(b"2", b"3"),
}


@pytest.mark.parametrize("kind", NONE)
def test_a_file_that_is_no_recording_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "run.swarm"
    path.write_bytes(NONE[kind])
    version = f"is a recording in {kind} of the format, and this swarmtop reads version 2: record the run again"
    with pytest.raises(InputError, match=version if kind.startswith("version") else "is no recording of swarmtop"):
        read(str(path))


HUGE = {
    "list": (b"\xdd\xff\xff\xff\xff", "no value of a recording"),
    "map": (b"\xdf\xff\xff\xff\xff", "no value of a recording"),
    "bytes": (b"\xc6\xff\xff\xff\xff", "no value of a recording"),
    "none": (b"\xc1", "no value of a recording"),
    "deep": (b"\x91" * 100_000, "more than 100 levels"),
    "a little too deep": (b"\x91" * 101 + b"\x01", "more than 100 levels"),
    "long": (bytes(7 << 20), "longer than the 6,291,456"),
}


@pytest.mark.parametrize("what", HUGE)
def test_a_huge_size_is_refused_before_memory_is_taken(what: str, tmp_path: Path) -> None:
    path = tmp_path / "run.swarm"
    small(path)
    content, says = HUGE[what]
    path.write_bytes(sealed([*parts(path.read_bytes())[:-1], content]))
    with pytest.raises(InputError, match=f"at byte .*{says}"):
        read(str(path))


def test_a_size_of_4_gb_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "run.swarm"
    size = b"\xff\xff\xff\xff"
    path.write_bytes(FIRST_LINE + size + zlib.crc32(bytes(8) + size).to_bytes(4, "little") + bytes(100))
    with pytest.raises(InputError, match="at byte 25, a record of 4,294,967,295 bytes is longer"):
        read(str(path))


@pytest.mark.parametrize("what", ["missing", "folder", "pipe", "zero"])
def test_a_path_that_is_no_file_is_refused(what: str, tmp_path: Path) -> None:
    path = str(tmp_path / what) if what != "zero" else "a\0b"
    if what == "folder":
        os.mkdir(path)
    if what == "pipe":
        os.mkfifo(path)
    with pytest.raises(InputError):
        read(path)


def test_a_recording_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    machine = TimeMachine(Swarm(setup("gnutella")))
    with pytest.raises(InputError, match="cannot be written"):
        machine.record(str(tmp_path / "nowhere" / "run.swarm"), {}, ticking())


PLAIN: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    path = tmp_path_factory.mktemp("sound") / "run.swarm"
    small(path)
    return values_of(path)


def spots(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each part of a value that may be replaced."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from spots(value[key], (*path, key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from spots(each, (*path, number))


@pytest.mark.uncounted
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_with_any_value_anywhere_it_replays_or_is_refused(
    data: st.DataObject, sound: list[Any], tmp_path: Path
) -> None:
    values: list[Any] = msgpack.unpackb(msgpack.packb(sound), strict_map_key=False)
    where = data.draw(st.sampled_from(list(spots(values))))
    holder = values
    for key in where[:-1]:
        holder = holder[key]
    holder[where[-1]] = data.draw(PLAIN)
    recording = result_or_refusal(lambda: read(save(tmp_path / "odd.swarm", values)))
    if recording is not None:
        recording.end_us = min(recording.end_us, 5 * SECOND)
        result_or_refusal(lambda: replayed(recording))
