"""Opening a file that a person named: an edge list, a matrix, a trace. Plain or packed with gzip, which its first bytes
tell and not its name.

What can go wrong with a file before anybody has looked at what it says goes wrong here, so that all three kinds are
refused in the same words. A helper that stands by itself, since none of the three should have to know another.
"""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from typing import BinaryIO

from ..errors import InputError, plain

GZIP = b"\x1f\x8b"


def read_text(path: str, expected: str, bytes_max: int, encoding: str = "latin-1") -> str:
    """The text of a file, unpacked, without the mark of its encoding that some editors begin a text with.

    expected    how each sentence ends: "expected an edge list, two node ids a line"
    bytes_max   after unpacking
    encoding    latin-1 never fails, and is enough where anything beyond ASCII is found and named later, or stands in a
                comment

    Raises InputError, one sentence with the file and, where there is one, the line.
    """
    name = plain(path)
    try:
        # Asked before opening it, since to open a pipe that nobody writes to is to wait for ever.
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"{name}: a directory; {expected}")
        if not stat.S_ISREG(mode):
            raise InputError(f"{name}: not a plain file; {expected}")
        with open(path, "rb") as file:
            data = _unpacked(file, bytes_max)
    except FileNotFoundError:
        raise InputError(f"{name}: no such file; {expected}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(f"{name}: its gzip packing is broken or cut short") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no name of a file"
        raise InputError(f"{name}: cannot be read: {why}") from None
    if len(data) > bytes_max:
        raise InputError(f"{name}: larger than the {bytes_max >> 20} MB that are read")
    if b"\0" in data:
        raise InputError(f"{name}:{_line(data, data.index(0))}: binary data; {expected}")
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"{name}:{_line(data, error.start)}: no {encoding.upper()} text; {expected}") from None


def _unpacked(file: BinaryIO, bytes_max: int) -> bytes:
    packed = file.read(len(GZIP)) == GZIP
    file.seek(0)
    if packed:
        with gzip.open(file) as inner:
            return inner.read(bytes_max + 1)
    return file.read(bytes_max + 1)


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1
