"""A digest of a stream that can be put away and taken up again.

`hashlib`'s objects cannot be pickled, and a swarm has to be. So the stream is cut into blocks of a fixed length, each
is hashed together with the digest of the one before, and what does not fill a block yet is kept as it is. Where the
blocks begin depends on the stream alone, not on the pieces it came in, and neither does the digest.
"""

from __future__ import annotations

from hashlib import blake2b

BLOCK = 1 << 14
"""Bytes. Half of that is what a pickle carries on average; hashing is no slower than in one go from 4 KB on."""
SIZE = 8


class Chain:
    """Feed it with `update`; `digest` is 8 bytes over all so far, and may be asked for at any time."""

    __slots__ = ("_link", "_rest")

    def __init__(self) -> None:
        self._link = b""
        self._rest = bytearray()

    def __getstate__(self) -> tuple[bytes, bytes]:
        return self._link, bytes(self._rest)

    def __setstate__(self, state: tuple[bytes, bytes]) -> None:
        self._link, self._rest = state[0], bytearray(state[1])

    def update(self, data: bytes) -> None:
        """More of the stream."""
        rest = self._rest
        rest += data
        if len(rest) < BLOCK:
            return
        whole = len(rest) - len(rest) % BLOCK
        view = bytes(memoryview(rest)[:whole])
        for at in range(0, whole, BLOCK):
            link = blake2b(self._link, digest_size=SIZE)
            link.update(view[at : at + BLOCK])
            self._link = link.digest()
        del rest[:whole]

    def digest(self) -> bytes:
        """8 bytes over all that came."""
        last = blake2b(self._link, digest_size=SIZE)
        last.update(self._rest)
        return last.digest()
