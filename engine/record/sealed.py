"""The file format under a recording: records one after another, every byte of them under a checksum.

    first line   89 "swarmtop recording 2" 0D 0A 1A 0A; the number is the version of the format
    record       size      4 bytes, little-endian: bytes of the content
                 check     4 bytes, little-endian: CRC-32 of the digest of the record before (8 zero bytes for the
                           first) and of the size
                 content
                 digest    8 bytes: BLAKE2b of the file so far, checks and digests left out

Each digest depends on all that stands before it, so a record that is changed, missing, doubled or in another place is
found, and so is a second file behind the first. The check on the size tells a size that was changed from a file that
ends within a record: a writer that is killed leaves whole records and perhaps a part of one, and these can be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b
from struct import Struct
from typing import BinaryIO
from zlib import crc32

from ..errors import InputError

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
        begins = file.read(64)
        if not begins.startswith(FIRST_LINE):
            raise InputError(_no_recording(name, begins))
        file.seek(len(FIRST_LINE))

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
