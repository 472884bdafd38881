"""Reads and writes recordings by the description of their format, without code of the engine.

`parts` returns the contents of the records of a file, `sealed` makes a file of contents, with right checksums.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgpack

FIRST_LINE = b"\x89swarmtop recording 2\r\n\x1a\n"
AROUND = 16
"""Bytes of a record that are not its content: 8 before it, 8 after it."""


def parts(data: bytes) -> list[bytes]:
    """The contents of all records. Checks nothing."""
    found, at = [], len(FIRST_LINE)
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        found.append(data[at + 8 : at + 8 + size])
        at += AROUND + size
    return found


def sealed(contents: Iterable[bytes]) -> bytes:
    """The bytes of a file with these records."""
    out, last = [FIRST_LINE], bytes(8)
    running = blake2b(FIRST_LINE, digest_size=8)
    for content in contents:
        size = struct.pack("<I", len(content))
        running.update(size + content)
        check = struct.pack("<I", zlib.crc32(last + size))
        last = running.copy().digest()
        out += [size, check, content, last]
    return b"".join(out)


def values(path: Path) -> list[Any]:
    """The decoded records of a file."""
    return [msgpack.unpackb(part, strict_map_key=False) for part in parts(path.read_bytes())]


def save(path: Path, said: Iterable[Any]) -> str:
    """Write a file with these values as records. Returns its name."""
    path.write_bytes(sealed(msgpack.packb(value) for value in said))
    return str(path)
