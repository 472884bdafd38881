"""UUHash, by which FastTrack identifies a file: fast to calculate, since it covers samples of the file only.

16 bytes are the MD5 of the first 300 KiB, 4 bytes a CRC-32 over 300 KiB at 1, 2, 4, 8 .. MiB and over the last 300 KiB.
Bytes outside of these samples can be changed, and the hash stays the same.
"""

from __future__ import annotations

from binascii import crc32
from hashlib import md5

SAMPLE_BYTES = 307_200
FIRST_MIB = 1 << 20
HASH_BYTES = 20


def samples(size: int) -> list[tuple[int, int]]:
    """The ranges (begin, end) of a file of `size` bytes that the hash covers, ascending. Those at powers of two end
    more than a sample before the end of the file; the last one may be shorter than the others."""
    found = [(0, min(size, SAMPLE_BYTES))]
    at = FIRST_MIB
    while at + 2 * SAMPLE_BYTES < size:
        found.append((at, at + SAMPLE_BYTES))
        at *= 2
    if size > SAMPLE_BYTES:
        found.append((max(SAMPLE_BYTES, size - SAMPLE_BYTES), size))
    return found


def covered(size: int) -> float:
    """Share of the bytes of a file that the hash covers, 0 to 1."""
    return sum(end - begin for begin, end in samples(size)) / size if size > 0 else 1.0


def sampled(size: int, begin: int, end: int) -> bool:
    """Whether any of the bytes begin..end-1 of a file of `size` bytes is covered."""
    return any(begin < last and first < end for first, last in samples(size))


def inside(size: int, begin: int, end: int) -> bool:
    """Whether all of the bytes begin..end-1 are covered."""
    return any(first <= begin and end <= last for first, last in samples(size))


def uuhash(data: bytes) -> bytes:
    """The hash of a file, 20 bytes."""
    first, *others = samples(len(data))
    small = 0
    for begin, end in others:
        small = crc32(data[begin:end], small)
    last = (small ^ 0xFFFFFFFF) ^ len(data) & 0xFFFFFFFF
    return md5(data[slice(*first)], usedforsecurity=False).digest() + last.to_bytes(4, "little")
