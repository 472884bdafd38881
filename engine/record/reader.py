"""Reads a recording, whoever wrote it. Nothing in a file is believed, and nothing in it is code.

What was torn off at the end is missed and no more: a writer that was killed leaves a whole header and whole records
behind it, and then perhaps a part of one. Anything else that is amiss is refused with `InputError`: where, what, and
what was expected. Checksums (`sealed`) tell what happened to a file by chance; whoever forges them too meets the checks
here. Lengths are held to limits before room is made for them, and a piece that unpacks to more than it may is not
unpacked to its end.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, BinaryIO

import msgpack

from ..errors import InputError, plain
from ..files import MissingFileError, opened
from ..setup import Setup
from ..world.world import World
from .codec import to_command, to_setup, to_time
from .log import Given
from .sealed import RECORD_MAX, Records
from .worlds import PIECE_MAX, Damaged, world_of

ITEMS_MAX = 1 << 16
"""Entries of one list or map: a schedule, at most. What is longer is packed into bytes."""
COMMANDS_MAX = 1_000_000
PRINTS_MAX = 4_000_000
BY_MAX = 40


@dataclass(slots=True)
class Recording:
    """What a file says of a run. `prints` are fingerprints by the time of their sample in us; `final` is the last
    one, at `end_us`, where the run ended and was not torn; `note` is a sentence to warn with, or empty."""

    setup: Setup
    story: dict[str, Any]
    world: World
    log: list[Given] = field(default_factory=list)
    prints: dict[int, str] = field(default_factory=dict)
    end_us: int = 0
    final: str = ""
    note: str = ""


def read(path: str) -> Recording:
    """A recording. Raises InputError for what is none."""
    name = plain(path)
    try:
        with opened(path, "expected a recording of swarmtop") as file:
            return _read(name, file)
    except MissingFileError:
        raise InputError(f'there is no file "{name}"') from None


def _values(records: Records) -> Iterator[Any]:
    for content in records:
        try:
            yield msgpack.unpackb(
                content,
                max_str_len=RECORD_MAX,
                max_bin_len=RECORD_MAX,
                max_array_len=ITEMS_MAX,
                max_map_len=ITEMS_MAX,
                max_ext_len=16,
                unicode_errors="surrogatepass",
            )
        except (msgpack.StackError, RecursionError):
            raise records.wrong("lists stand within lists, too many deep") from None
        except (ValueError, TypeError, MemoryError, msgpack.UnpackException):
            raise records.wrong("what stands there is no value of a recording") from None


def _read(name: str, file: BinaryIO) -> Recording:
    records = Records(name, file)
    stream = _values(records)
    header = next(stream, None)
    if header is None and records.torn:
        raise records.wrong("it ends before the setup is complete")
    if not isinstance(header, dict):
        raise records.wrong("the first record should be a map with the setup")
    story = header.get("story")
    try:
        setup = to_setup(header.get("setup"))
        world, after = _world(stream)
    except InputError as error:
        raise records.wrong("it ends before the world is complete" if records.torn else error) from None
    made = Recording(setup, story if isinstance(story, dict) else {}, world)
    reader = _Reader(made)
    for value in chain(after, stream):
        try:
            reader.take(value)
        except InputError as error:
            raise records.wrong(error) from None
    if records.torn and reader.ended:
        raise records.wrong("it goes on after its end")
    if not reader.ended:
        torn = "the rest was torn off" if records.torn else "it was never closed"
        made.note = f'"{name}" stops at {made.end_us / 1e6:.3f} s: {torn}'
    return made


def _world(stream: Iterator[Any]) -> tuple[World, list[Any]]:
    """The world, and the value after it, if there is one."""
    after: list[Any] = []

    def parts() -> Iterator[tuple[str, bytes]]:
        for value in stream:
            if not isinstance(value, list) or value[:1] != ["world"]:
                after.append(value)
                return
            if len(value) != 3 or not isinstance(value[1], str) or not isinstance(value[2], bytes):
                raise Damaged("a piece of it is none")
            yield value[1], _unpacked(value[2])

    return world_of(parts()), after


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        out = unpacker.decompress(data, PIECE_MAX)
    except zlib.error:
        raise Damaged("a piece of it does not unpack") from None
    if not unpacker.eof:
        raise Damaged("a piece of it is too large or cut short")
    return out


class _Reader:
    """Takes the values after the world, one by one."""

    def __init__(self, made: Recording) -> None:
        self.made = made
        self.ended = False

    def take(self, value: Any) -> None:
        """One more. Raises InputError when it does not fit."""
        if not isinstance(value, list) or not value or not isinstance(value[0], str):
            raise InputError("something is no entry of a recording")
        if self.ended:
            raise InputError("it goes on after its end")
        word, rest = value[0], value[1:]
        how: dict[str, Callable[..., None]] = {
            "do": self._do,
            "print": self._print,
            "at": self._at,
            "back": self._back,
            "end": self._end,
        }
        if word not in how:
            raise InputError(f'no entry is called "{plain(word, 40)}"')
        try:
            how[word](*rest)
        except TypeError:
            raise InputError(f'a "{word}" should not have {len(rest)} fields') from None

    def _time(self, value: Any) -> int:
        at_us = to_time(value)
        if at_us < self.made.end_us:
            raise InputError(f"time goes back to {at_us / 1e6:.3f} s from {self.made.end_us / 1e6:.3f} s")
        self.made.end_us = at_us
        return at_us

    def _do(self, at_us: Any, by: Any, verb: Any, values: Any, said: Any, drawn: Any) -> None:
        at_us = self._time(at_us)
        if not isinstance(by, str) or len(by) > BY_MAX or by == "scenario":
            raise InputError("a command should say who gave it")
        if type(drawn) is not int or not 0 <= drawn < 1 << 64:
            raise InputError("a command should say what was drawn")
        if not isinstance(said, dict) or not isinstance(values, dict):
            raise InputError("a command should say how it was said, and what it meant")
        if len(self.made.log) >= COMMANDS_MAX:
            raise InputError(f"there are more than {COMMANDS_MAX:,} commands")
        meant = to_command(verb, values)
        self.made.log.append(Given(at_us, to_command(verb, {**values, **said}), meant, by, drawn, fresh=False))

    def _print(self, at_us: Any, digest: Any) -> None:
        self.made.prints[self._time(at_us)] = _digest(digest)
        if len(self.made.prints) > PRINTS_MAX:
            raise InputError("there are too many fingerprints")

    def _at(self, at_us: Any) -> None:
        self._time(at_us)

    def _back(self, at_us: Any, commands: Any) -> None:
        made = self.made
        at_us = to_time(at_us)
        if at_us > made.end_us or type(commands) is not int or not 0 <= commands <= len(made.log):
            raise InputError("somebody goes back to where nobody has been")
        if made.log[:commands] and made.log[commands - 1].at_us > at_us:
            raise InputError("somebody goes back and keeps what came later")
        del made.log[commands:]
        while made.prints and next(reversed(made.prints)) > at_us:
            made.prints.popitem()
        made.end_us = at_us

    def _end(self, at_us: Any, digest: Any) -> None:
        self._time(at_us)
        self.made.final = _digest(digest) if digest else ""
        self.ended = True


def _digest(value: Any) -> str:
    if not isinstance(value, bytes) or len(value) != 8:
        raise InputError("a fingerprint should have 8 bytes")
    return value.hex()
