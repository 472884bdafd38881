"""The file of a recording: its format, the writer and the reader.

A file is a first line and records. Every byte of a record is under a checksum:

    first line   89 "swarmtop recording 2" 0D 0A 1A 0A; the number is the version of the format
    record       size      4 bytes, little-endian: bytes of the content
                 check     4 bytes, little-endian: CRC-32 of the digest of the record before (8 zero bytes for the
                           first) and of the size
                 content
                 digest    8 bytes: BLAKE2b of the file so far, checks and digests left out

Each digest depends on everything before it, so a record that is changed, missing, doubled or moved is found, and so is
a second file that is appended. By the check of the size a changed size can be told from a file that ends within a
record: a writer that is killed leaves whole records and perhaps a part of one, and such a file can be read.

The content of a record is one MessagePack value. The first is a map, the header: `setup`, and `story`, which are values
of the program that recorded, for itself. The others are lists that begin with a word:

    ["world", name, packed]                      pieces of the world as it was generated, see `codec`
    ["input", bytes]                             contents of the file that the next command names, or a part of them;
                                                 packed with gzip
    ["do", at_us, by, verb, fields, said, rng]   a command from outside: `fields` with selectors resolved, `said` the
                                                 fields that were given differently (as selectors), `rng` the state of
                                                 the stream of selectors
    ["print", at_us, fingerprint]                the fingerprint at the end of a second of virtual time
    ["at", at_us]                                the run has reached this time
    ["back", at_us, commands]                    the cursor was moved back, and what came after it is discarded
    ["end", at_us, fingerprint]                  the end of a run that was closed

The names in a file are those of scenarios and of the command line and never those of Python modules or classes, so
recordings can still be read after the code was moved.

The file always describes a state that the run had: before a part is discarded, the time that the run has reached is
written. Commands are handed to the operating system at once, everything else after `FLUSH_S`, so a writer that is
killed loses less than a second. The clock is an argument, since the engine has none.

The reader checks everything in a file, and nothing in it is code. A part that is missing at the end is reported in
`Recording.note`. Anything else that is wrong is refused with `InputError`: where, what, and what was expected. The
checksums find accidental damage; the checks of the reader also find what is wrong in a file with forged checksums.
Lengths are limited before memory is allocated, and a piece of the world is not unpacked beyond its limit.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO
from zlib import crc32

import msgpack

from ..commands import Set
from ..errors import InputError, nearest, plain
from ..files import BYTES_MAX, NESTING_MAX, RECORDING, MissingFileError, files_beside, opened
from ..setup import Setup
from ..values import dataclass
from ..world.world import World
from .codec import (
    PIECE_MAX,
    WORLD_MAX,
    DamagedWorldError,
    bytes_to_pieces,
    checked_time_us,
    command_from_fields,
    command_to_fields,
    setup_from_map,
    setup_to_map,
    world_from_pieces,
    world_to_pieces,
)
from .log import LoggedCommand, Position


@dataclass(slots=True)
class Recording:
    """What a file says of a run.

    story: values of the program that recorded. log: commands from outside, in order.
    fingerprints: virtual time in us -> 16 hex digits, one a second.
    end_us: how far the run came. final: the fingerprint there, or empty if the file was not closed.
    note: a sentence to warn with, or empty.
    """

    setup: Setup
    story: dict[str, Any]
    world: World
    log: list[LoggedCommand] = field(default_factory=list)
    fingerprints: dict[int, str] = field(default_factory=dict)
    end_us: int = 0
    final: str = ""
    note: str = ""


# --- records ----------------------------------------------------------------------------------------------------

VERSION = 2
FIRST_LINE = b"%b%d\r\n\x1a\n" % (RECORDING, VERSION)
ANY_VERSION = re.compile(rb"\x89swarmtop recording (\d{1,9})\r\n\x1a\n")
VERSION_1 = b"\x84\xa6format\xb2swarmtop recording"
RECORD_MAX = 6 << 20
"""Bytes of one record: a command that names a million peers has four million."""
SIZE_AND_CHECK = Struct("<II")
SIZE = Struct("<I")
DIGEST_BYTES = 8
NO_DIGEST = bytes(DIGEST_BYTES)


class RecordEncoder:
    """Makes records of contents, in order. `FIRST_LINE` goes before the first."""

    def __init__(self) -> None:
        self._hash = blake2b(FIRST_LINE, digest_size=DIGEST_BYTES)
        self._last = NO_DIGEST

    def encode(self, content: bytes) -> bytes:
        """The next record as it is written in the file."""
        size = SIZE.pack(len(content))
        check = SIZE.pack(crc32(size, crc32(self._last)))
        self._hash.update(size)
        self._hash.update(content)
        # The digest is taken from a copy, since the hash is continued.
        self._last = self._hash.copy().digest()
        return b"".join((size, check, content, self._last))


class RecordReader:
    """Yields the contents of the records of a file, opened at its beginning.

    torn: set when the file has ended within a record.
    """

    def __init__(self, name: str, file: BinaryIO) -> None:
        """Raises InputError for a file that is no recording, or one of another version."""
        self.name = name
        self.at = len(FIRST_LINE)
        """Position of the last record that was read, in bytes."""
        self.torn = False
        self._file = file
        begins = file.read(len(FIRST_LINE))  # a pipe cannot be rewound
        if begins != FIRST_LINE:
            raise InputError(_no_recording(name, begins + file.read(64)))

    def __iter__(self) -> Iterator[bytes]:
        total = blake2b(FIRST_LINE, digest_size=DIGEST_BYTES)
        last, next_at = NO_DIGEST, self.at
        while head := self._file.read(SIZE_AND_CHECK.size):
            self.at = next_at
            if len(head) < SIZE_AND_CHECK.size:
                self.torn = True
                return
            size, check = SIZE_AND_CHECK.unpack(head)
            if check != crc32(head[: SIZE.size], crc32(last)):
                raise self.error("the file is not as it was written: a checksum differs")
            if size > RECORD_MAX:
                raise self.error(f"a record of {size:,} bytes is longer than the {RECORD_MAX:,} that are read")
            content = self._file.read(size)
            digest = self._file.read(DIGEST_BYTES)
            if len(content) < size or len(digest) < DIGEST_BYTES:
                self.torn = True
                return
            total.update(head[: SIZE.size])
            total.update(content)
            last = total.copy().digest()
            if digest != last:
                raise self.error("the file is not as it was written: a checksum differs")
            next_at = self.at + SIZE_AND_CHECK.size + size + DIGEST_BYTES
            yield content

    def error(self, what: object) -> InputError:
        """An error that names the file and the place of the last record. `what` is the rest of the sentence; an error
        of this method is returned as it is."""
        if isinstance(what, UnreadableError):
            return what
        return UnreadableError(f'"{self.name}" cannot be replayed: at byte {self.at:,}, {what}')


class UnreadableError(InputError):
    """An error that names the file and the place in it."""


def _no_recording(name: str, begins: bytes) -> str:
    other = ANY_VERSION.match(begins)
    version = "1" if begins.startswith(VERSION_1) else str(int(other[1])) if other else ""
    if version:
        return (
            f'"{name}" is a recording in version {version} of the format, and this swarmtop reads version {VERSION}: '
            "record the run again"
        )
    what = "it ends within its first line" if FIRST_LINE.startswith(begins) else "its first line is not that of one"
    return f'"{name}" is no recording of swarmtop: {what}'


# --- writer -----------------------------------------------------------------------------------------------------

FLUSH_S = 0.4
"""Seconds after which what is buffered is handed to the operating system."""


class RecordingWriter:
    """Writes one recording while the run goes on. Each method raises InputError when the file cannot be written."""

    def __init__(
        self, path: str, setup: Setup, world: World, story: Mapping[str, Any], clock: Callable[[], float]
    ) -> None:
        """Create the file and write its header and world. clock: returns seconds."""
        self.path = path
        self._clock = clock
        self._pack = msgpack.Packer(unicode_errors="surrogatepass").pack
        self._encode = RecordEncoder().encode
        self._buffer = bytearray(FIRST_LINE)
        self._at_us = 0
        """The time of the run up to which the file is written."""
        try:
            self._file = Path(path).open("wb", buffering=0)  # noqa: SIM115 - open for as long as the run goes on
        except (OSError, ValueError) as error:
            raise self._error(error) from None
        try:
            self._begin(setup, world, story)
        except InputError:
            self._file.close()
            raise

    def _begin(self, setup: Setup, world: World, story: Mapping[str, Any]) -> None:
        self._put({"setup": setup_to_map(setup), "story": dict(story)})
        size = 0
        for name, data in world_to_pieces(world):
            size += len(data)
            if size > WORLD_MAX:
                raise InputError(f"a run whose world has more than {WORLD_MAX >> 20} MB cannot be recorded")
            self._put(["world", name, zlib.compress(data, 6)])
            if len(self._buffer) > 1 << 20:
                self.flush()
        self.flush()

    def write_past(self, log: Iterable[LoggedCommand], fingerprints: Mapping[int, str], end_us: int) -> None:
        """Write what happened before the recording began, in a run that has reached `end_us`."""
        entries = [*((each.at_us, 1, each) for each in log), *((at, 0, text) for at, text in fingerprints.items())]
        for at_us, _, entry in sorted(entries, key=lambda entry: entry[:2]):
            if isinstance(entry, LoggedCommand):
                self.command(entry)
            else:
                self.fingerprint(at_us, str(entry))
        self._put_time(end_us)
        self.flush()

    def command(self, logged: LoggedCommand) -> None:
        verb, values = command_to_fields(logged.resolved)
        given = command_to_fields(logged.command)[1]
        said = {name: value for name, value in given.items() if value != values[name]}
        if logged.contents is not None:
            for piece in bytes_to_pieces(logged.contents):
                self._put(["input", piece])
        self._put(["do", logged.at_us, logged.by, verb, values, said, logged.rng_state])
        self._at_us = logged.at_us
        self.flush()

    def fingerprint(self, at_us: int, fingerprint: str) -> None:
        self._put(["print", at_us, bytes.fromhex(fingerprint)])
        self._at_us = at_us

    def truncate(self, from_us: int, to: Position) -> None:
        """The run had reached `from_us`, and everything after the position `to` is discarded."""
        self._put_time(from_us)
        self._put(["back", *to])
        self._at_us = to[0]
        self.flush()

    def on_advanced(self, at_us: int) -> None:
        """The run has reached `at_us`. Written when `FLUSH_S` have passed."""
        if self._clock() - self._flushed_s >= FLUSH_S:
            self._put_time(at_us)
            self.flush()

    def close(self, at_us: int, fingerprint: str) -> None:
        """Write the end of the run, and close the file. `fingerprint` may be empty."""
        self._put(["end", at_us, bytes.fromhex(fingerprint)])
        self.flush()
        self._file.close()

    def abandon(self) -> None:
        """Close the file as it is, without an end, as after an interrupt in the middle of an entry."""
        self._file.close()

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._flushed_s = self._clock()
        try:
            while self._buffer:
                del self._buffer[: self._file.write(self._buffer)]
        except (OSError, ValueError) as error:
            raise self._error(error) from None

    def _put_time(self, at_us: int) -> None:
        if at_us > self._at_us:
            self._put(["at", at_us])
            self._at_us = at_us

    def _put(self, value: Any) -> None:
        content = self._pack(value)
        if len(content) > RECORD_MAX:
            raise InputError(
                f'"{plain(self.path)}": one entry is longer than the {RECORD_MAX:,} bytes that are written'
            )
        self._buffer += self._encode(content)

    def _error(self, error: Exception) -> InputError:
        why = getattr(error, "strerror", None) or "it is no name of a file"
        return InputError(f'"{plain(self.path)}" cannot be written: {why}')


# --- reader -----------------------------------------------------------------------------------------------------

ITEMS_MAX = 1 << 16
"""Entries of one list or map; the longest is a schedule. Longer columns are bytes."""
COMMANDS_MAX = 1_000_000
FINGERPRINTS_MAX = 4_000_000
BY_MAX = 40
TOO_DEEP = f"lists and maps are nested too deeply, more than {NESTING_MAX} levels"


def read(path: str) -> Recording:
    """Read a recording. Raises InputError, one sentence, for a file that is none."""
    name = plain(path)
    try:
        with opened(path, "expected a recording of swarmtop") as file:
            return _read(name, file)
    except MissingFileError:
        raise InputError(f'there is no file "{name}"{nearest(path, files_beside(path), listed=False)}') from None


def _read(name: str, file: BinaryIO) -> Recording:
    records = RecordReader(name, file)
    values = _values(records)
    header = next(values, None)
    if header is None and records.torn:
        raise records.error("it ends before the setup is complete")
    if not isinstance(header, dict):
        raise records.error("the first record should be a map with the setup")
    story = header.get("story")
    try:
        setup = setup_from_map(header.get("setup"))
        world, after = _read_world(values)
    except InputError as error:
        raise records.error("it ends before the world is complete" if records.torn else error) from None
    recording = Recording(setup, story if isinstance(story, dict) else {}, world)
    entries = _EntryReader(recording)
    for value in chain(after, values):
        try:
            entries.read(value)
        except InputError as error:
            raise records.error(error) from None
    if records.torn and entries.ended:
        raise records.error("it goes on after its end")
    if not entries.ended:
        why = "its last record is not complete" if records.torn else "it was never closed"
        recording.note = f'"{name}" stops at {recording.end_us / 1e6:.3f} s: {why}'
    return recording


def _values(records: RecordReader) -> Iterator[Any]:
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
            raise records.error(TOO_DEEP) from None
        except (ValueError, TypeError, MemoryError, msgpack.UnpackException):
            raise records.error("its content is no value of a recording") from None
        if not _is_flat(value, NESTING_MAX):
            raise records.error(TOO_DEEP)
        yield value


def _is_flat(value: Any, levels: int) -> bool:
    """Whether no more than so many lists and maps are nested."""
    if not isinstance(value, (list, dict)):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_flat(each, levels - 1) for each in inner if isinstance(each, (list, dict)))


def _read_world(values: Iterator[Any]) -> tuple[World, list[Any]]:
    """The world, and the value after it, if there is one."""
    after: list[Any] = []

    def pieces() -> Iterator[tuple[str, bytes]]:
        for value in values:
            if not isinstance(value, list) or value[:1] != ["world"]:
                after.append(value)
                return
            if len(value) != 3 or not isinstance(value[1], str) or not isinstance(value[2], bytes):
                raise DamagedWorldError("a piece of it is not a name and bytes")
            yield value[1], _unpacked(value[2])

    return world_from_pieces(pieces()), after


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    try:
        out = unpacker.decompress(data, PIECE_MAX)
    except zlib.error:
        raise DamagedWorldError("a piece of it does not unpack") from None
    if not unpacker.eof:
        raise DamagedWorldError("a piece of it is too large or cut short")
    return out


class _EntryReader:
    """Adds the entries after the world to a recording, one by one."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.ended = False
        self._contents: bytearray | None = None
        """Of the file that the next command names."""

    def read(self, value: Any) -> None:
        """Add an entry. Raises InputError for a value that is no entry, or that does not fit the entries before it."""
        if not isinstance(value, list) or not value or not isinstance(value[0], str):
            raise InputError("an entry should be a list that begins with a word")
        if self.ended:
            raise InputError("it goes on after its end")
        word, rest = value[0], value[1:]
        if self._contents is not None and word not in ("input", "do"):
            raise InputError("contents of a file should be followed by a command")
        readers: dict[str, Callable[..., None]] = {
            "input": self._input,
            "do": self._do,
            "print": self._print,
            "at": self._at,
            "back": self._back,
            "end": self._end,
        }
        if word not in readers:
            raise InputError(f'no entry is called "{plain(word, 40)}"')
        try:
            readers[word](*rest)
        except TypeError:
            raise InputError(f'a "{word}" should not have {len(rest)} fields') from None

    def _time(self, value: Any) -> int:
        at_us = checked_time_us(value)
        if at_us < self.recording.end_us:
            raise InputError(f"time goes back to {at_us / 1e6:.3f} s from {self.recording.end_us / 1e6:.3f} s")
        self.recording.end_us = at_us
        return at_us

    def _input(self, piece: Any) -> None:
        if not isinstance(piece, bytes):
            raise InputError("the contents of a file should be bytes")
        self._contents = bytearray() if self._contents is None else self._contents
        self._contents += piece
        if len(self._contents) > BYTES_MAX:
            raise InputError(f"the contents of a file are longer than the {BYTES_MAX >> 20} MB that are read")

    def _do(self, at_us: Any, by: Any, verb: Any, values: Any, said: Any, rng_state: Any) -> None:
        at_us = self._time(at_us)
        if not isinstance(by, str) or len(by) > BY_MAX or by == "scenario":
            raise InputError("a command should say who gave it")
        if type(rng_state) is not int or not 0 <= rng_state < 1 << 64:
            raise InputError("a command should have a random state of 64 bits")
        if not isinstance(said, dict) or not isinstance(values, dict):
            raise InputError("a command should have two maps of fields")
        if len(self.recording.log) >= COMMANDS_MAX:
            raise InputError(f"there are more than {COMMANDS_MAX:,} commands")
        resolved = command_from_fields(verb, values)
        command = command_from_fields(verb, {**values, **said})
        contents, self._contents = self._contents, None
        if contents is not None and not (isinstance(command, Set) and command.name == "churn"):
            raise InputError(f"contents of a file are followed by a {command.verb} that names no file")
        read = None if contents is None else bytes(contents)
        self.recording.log.append(LoggedCommand(at_us, command, resolved, by, rng_state, fresh=False, contents=read))

    def _print(self, at_us: Any, digest: Any) -> None:
        self.recording.fingerprints[self._time(at_us)] = _fingerprint(digest)
        if len(self.recording.fingerprints) > FINGERPRINTS_MAX:
            raise InputError(f"there are more than {FINGERPRINTS_MAX:,} fingerprints")

    def _at(self, at_us: Any) -> None:
        self._time(at_us)

    def _back(self, at_us: Any, commands: Any) -> None:
        recording = self.recording
        at_us = checked_time_us(at_us)
        if at_us > recording.end_us or type(commands) is not int or not 0 <= commands <= len(recording.log):
            raise InputError('a "back" leads to a moment that the run has not reached')
        if recording.log[:commands] and recording.log[commands - 1].at_us > at_us:
            raise InputError('a "back" keeps commands that are later than its time')
        del recording.log[commands:]
        while recording.fingerprints and next(reversed(recording.fingerprints)) > at_us:
            recording.fingerprints.popitem()
        recording.end_us = at_us

    def _end(self, at_us: Any, digest: Any) -> None:
        self._time(at_us)
        self.recording.final = _fingerprint(digest) if digest else ""
        self.ended = True


def _fingerprint(value: Any) -> str:
    if not isinstance(value, bytes) or len(value) != 8:
        raise InputError("a fingerprint should have 8 bytes")
    return value.hex()
