"""Writes a run into a file while it goes on.

The file is made of records under checksums, see `sealed`. The content of each is one MessagePack value. First a map,
the header: `setup`, and `story`, what the program that recorded wants to have again. Then lists, each with a word in
front:

    ["world", name, packed]                        pieces of the world as it was drawn, see `worlds`
    ["do", at_us, by, verb, fields, said, drawn]   a command from outside, its selectors resolved; as it was said
    ["print", at_us, fingerprint]                  at the sample of that second of virtual time
    ["at", at_us]                                  the run came as far as this
    ["back", at_us, commands]                      somebody went back, and what came after is discarded
    ["end", at_us, fingerprint]                    the run ended here, and nobody tore the file

Names in it are those of scenarios and of the command line, never those of Python modules or classes, so that the code
may be moved and recordings still be read.

What a file says is always a moment of the run that is written: before anything is discarded, the file is brought to
where the run had come. Commands are handed to the operating system at once, and the rest when `FLUSH_S` have passed:
whoever kills the writer loses what was in its memory, and that is less than a second of it. A clock is handed in, as
the engine has none.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO
from zlib import crc32

import msgpack

from ..errors import InputError, plain
from ..files import NESTING_MAX, MissingFileError, opened
from ..setup import Setup
from ..world.world import World
from .codec import PIECE_MAX, WORLD_MAX, Damaged, of_command, of_setup, pieces, to_command, to_setup, to_time, world_of
from .log import Given, Position

# The file format under a recording: records one after another, every byte of them under a checksum.
#
#     first line   89 "swarmtop recording 2" 0D 0A 1A 0A; the number is the version of the format
#     record       size      4 bytes, little-endian: bytes of the content
#                  check     4 bytes, little-endian: CRC-32 of the digest of the record before (8 zero bytes for the
#                            first) and of the size
#                  content
#                  digest    8 bytes: BLAKE2b of the file so far, checks and digests left out
#
# Each digest depends on all that stands before it, so a record that is changed, missing, doubled or in another place is
# found, and so is a second file behind the first. The check on the size tells a size that was changed from a file that
# ends within a record: a writer that is killed leaves whole records and perhaps a part of one, and these can be read.

VERSION = 2
FIRST_LINE = b"\x89swarmtop recording %d\r\n\x1a\n" % VERSION
ANY_VERSION = re.compile(rb"\x89swarmtop recording (\d{1,9})\r\n\x1a\n")
VERSION_1 = b"\x84\xa6format\xb2swarmtop recording"
RECORD_MAX = 6 << 20
"""Bytes of one record: a command that names a million peers has four million."""
HEAD = Struct("<II")
SIZE = Struct("<I")
DIGEST_BYTES = 8
NO_DIGEST = bytes(DIGEST_BYTES)


class Sealer:
    """Puts records into the form of the file, in order. `FIRST_LINE` goes before the first."""

    def __init__(self) -> None:
        self._sum = blake2b(FIRST_LINE, digest_size=DIGEST_BYTES)
        self._last = NO_DIGEST

    def seal(self, content: bytes) -> bytes:
        """One more record as it stands in the file."""
        size = SIZE.pack(len(content))
        check = SIZE.pack(crc32(size, crc32(self._last)))
        self._sum.update(size)
        self._sum.update(content)
        # A copy is finished, so that the sum can go on.
        self._last = self._sum.copy().digest()
        return b"".join((size, check, content, self._last))


class Records:
    """The records of a file, opened at its beginning. `torn` once it has ended within one."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        """Raises InputError for a file that is no recording, or one of another version."""
        self.name = name
        self.at = len(FIRST_LINE)
        """Where the record begins that was read last."""
        self.torn = False
        self._file = file
        begins = file.read(len(FIRST_LINE))  # a pipe cannot be rewound
        if begins != FIRST_LINE:
            raise InputError(_no_recording(name, begins + file.read(64)))

    def __iter__(self) -> Iterator[bytes]:
        total = blake2b(FIRST_LINE, digest_size=DIGEST_BYTES)
        last, next_at = NO_DIGEST, self.at
        while head := self._file.read(HEAD.size):
            self.at = next_at
            if len(head) < HEAD.size:
                self.torn = True
                return
            size, check = HEAD.unpack(head)
            if check != crc32(head[: SIZE.size], crc32(last)):
                raise self.wrong("the file is not as it was written: a checksum differs")
            if size > RECORD_MAX:
                raise self.wrong(f"a record of {size:,} bytes is longer than the {RECORD_MAX:,} that are read")
            content = self._file.read(size)
            digest = self._file.read(DIGEST_BYTES)
            if len(content) < size or len(digest) < DIGEST_BYTES:
                self.torn = True
                return
            total.update(head[: SIZE.size])
            total.update(content)
            last = total.copy().digest()
            if digest != last:
                raise self.wrong("the file is not as it was written: a checksum differs")
            next_at = self.at + HEAD.size + size + DIGEST_BYTES
            yield content

    def wrong(self, what: object) -> InputError:
        """It cannot be replayed, and why; what is such an error already stays as it is."""
        if isinstance(what, Unreadable):
            return what
        return Unreadable(f'"{self.name}" cannot be replayed: at byte {self.at:,}, {what}')


class Unreadable(InputError):
    """A sentence that names the file and the place in it."""


def _no_recording(name: str, begins: bytes) -> str:
    other = ANY_VERSION.match(begins)
    version = "1" if begins.startswith(VERSION_1) else str(int(other[1])) if other else ""
    if version:
        return (
            f'"{name}" is a recording in version {version} of the format, and this swarmtop reads version {VERSION}: '
            "record the run again"
        )
    ends = FIRST_LINE.startswith(begins)
    return f'"{name}" is no recording of swarmtop: it {"ends before it has begun" if ends else "does not begin as one"}'


FLUSH_S = 0.4


class Scribe:
    """One recording in the making. Raises InputError when the file cannot be written, then or later."""

    def __init__(
        self, path: str, setup: Setup, world: World, story: Mapping[str, Any], clock: Callable[[], float]
    ) -> None:
        self.path = path
        self._clock = clock
        self._pack = msgpack.Packer(unicode_errors="surrogatepass").pack
        self._seal = Sealer().seal
        self._waiting = bytearray(FIRST_LINE)
        self._at_us = 0
        """How far the run has come, as the file tells it."""
        try:
            self._file = Path(path).open("wb", buffering=0)  # noqa: SIM115 - open for as long as the run goes on
        except (OSError, ValueError) as error:
            raise self._trouble(error) from None
        try:
            self._begin(setup, world, story)
        except InputError:
            self._file.close()
            raise

    def _begin(self, setup: Setup, world: World, story: Mapping[str, Any]) -> None:
        self._put({"setup": of_setup(setup), "story": dict(story)})
        size = 0
        for name, data in pieces(world):
            size += len(data)
            if size > WORLD_MAX:
                raise InputError(f"a run whose world has more than {WORLD_MAX >> 20} MB cannot be recorded")
            self._put(["world", name, zlib.compress(data, 6)])
            if len(self._waiting) > 1 << 20:
                self.flush()
        self.flush()

    def did(self, given: Given) -> None:
        """A command from outside."""
        verb, values = of_command(given.meant)
        said = {name: each for name, each in of_command(given.said)[1].items() if each != values[name]}
        self._put(["do", given.at_us, given.by, verb, values, said, given.drawn])
        self._at_us = given.at_us
        self.flush()

    def print(self, at_us: int, fingerprint: str) -> None:
        """What the run was like at a sample."""
        self._put(["print", at_us, bytes.fromhex(fingerprint)])
        self._at_us = at_us

    def back(self, from_us: int, to: Position) -> None:
        """The run had come to `from_us`, and all after that position is discarded."""
        self._reached(from_us)
        self._put(["back", *to])
        self._at_us = to[0]
        self.flush()

    def came(self, at_us: int) -> None:
        """The run has come that far; written when it is time to."""
        if self._clock() - self._flushed_s >= FLUSH_S:
            self._reached(at_us)
            self.flush()

    def close(self, at_us: int, fingerprint: str) -> None:
        """The end."""
        self._put(["end", at_us, bytes.fromhex(fingerprint)])
        self.flush()
        self._file.close()

    def break_off(self) -> None:
        """Somebody interrupted, maybe in the middle of an entry: what is in the file stands."""
        self._file.close()

    def past(self, log: Iterable[Given], prints: Mapping[int, str], end_us: int) -> None:
        """What had been before the recording began, in a run that came as far as `end_us`."""
        marks = [*((given.at_us, 1, given) for given in log), *((at, 0, text) for at, text in prints.items())]
        for at_us, _, what in sorted(marks, key=lambda mark: mark[:2]):
            if isinstance(what, Given):
                self.did(what)
            else:
                self.print(at_us, str(what))
        self._reached(end_us)
        self.flush()

    def _reached(self, at_us: int) -> None:
        if at_us > self._at_us:
            self._put(["at", at_us])
            self._at_us = at_us

    def _put(self, value: Any) -> None:
        content = self._pack(value)
        if len(content) > RECORD_MAX:
            raise InputError(
                f'"{plain(self.path)}": one entry is longer than the {RECORD_MAX:,} bytes that are written'
            )
        self._waiting += self._seal(content)

    def flush(self) -> None:
        """Hand over to the operating system what has been written."""
        self._flushed_s = self._clock()
        try:
            while self._waiting:
                del self._waiting[: self._file.write(self._waiting)]
        except (OSError, ValueError) as error:
            raise self._trouble(error) from None

    def _trouble(self, error: Exception) -> InputError:
        why = getattr(error, "strerror", None) or "it is no name of a file"
        return InputError(f'"{plain(self.path)}" cannot be written: {why}')


# Reads a recording, whoever wrote it. Nothing in a file is believed, and nothing in it is code.
#
# What was torn off at the end is missed and no more: a writer that was killed leaves a whole header and whole records
# behind it, and then perhaps a part of one. Anything else that is amiss is refused with `InputError`: where, what, and
# what was expected. Checksums (`sealed`) tell what happened to a file by chance; whoever forges them too meets the
# checks here. Lengths are held to limits before room is made for them, and a piece that unpacks to more than it may is
# not unpacked to its end.

ITEMS_MAX = 1 << 16
"""Entries of one list or map: a schedule, at most. What is longer is packed into bytes."""
COMMANDS_MAX = 1_000_000
PRINTS_MAX = 4_000_000
BY_MAX = 40
TOO_DEEP = f"lists and maps are nested too deeply, more than {NESTING_MAX} levels"


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
            value = msgpack.unpackb(
                content,
                max_str_len=RECORD_MAX,
                max_bin_len=RECORD_MAX,
                max_array_len=ITEMS_MAX,
                max_map_len=ITEMS_MAX,
                max_ext_len=16,
                unicode_errors="surrogatepass",
            )
        except (msgpack.StackError, RecursionError):
            raise records.wrong(TOO_DEEP) from None
        except (ValueError, TypeError, MemoryError, msgpack.UnpackException):
            raise records.wrong("what stands there is no value of a recording") from None
        if not _is_flat(value, NESTING_MAX):
            raise records.wrong(TOO_DEEP)
        yield value


def _is_flat(value: Any, levels: int) -> bool:
    """Whether no more than so many lists and maps stand within each other."""
    if not isinstance(value, (list, dict)):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_flat(each, levels - 1) for each in inner if isinstance(each, (list, dict)))


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
