"""Decoys: files whose content is not what their name says, and the library of a poisoned peer, which serves only them.

A poisoned peer claims to have every file. Its library does that, which belongs to the engine, so a protocol has no code
for it: for any query the library has a file of that name, and as a list of its files it gives the whole catalogue. The
content is junk with a digest of its own: a hash proves the bytes and not the name, so a download is complete and
verifies. Each poisoned peer makes its own decoys; no two are alike.

Only a user who opens the file can tell. The engine plays this user: `Library.add` returns whether the file was kept. It
knows a decoy by its digest, the second half of which is a keyed hash of the first half. So nothing has to be stored, a
decoy is recognised at every peer, and no message carries a mark that a protocol could read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b

from ..api import File, Library, PeerId, words_of
from ..sim.rng import mix

HALF = (1 << 32) - 1
KEY = 0xDEC0
SIZE_BYTES = 2_000_000
"""A decoy has from one to three times this many bytes, as genuine files have."""
NAME_MAX = 200


def _keyed_hash(head: int) -> int:
    return mix(head << 16 | KEY) & HALF


@lru_cache(maxsize=1 << 14)
def decoy(peer: PeerId, name: str) -> File | None:
    """The decoy that a poisoned peer serves for a name; equal for equal words. None for a name no query can match."""
    words = words_of(name)
    if not words or len(name) > NAME_MAX or not name.isprintable():
        return None
    head = int.from_bytes(blake2b(f"{peer}/{' '.join(words)}".encode(), digest_size=4).digest(), "little")
    return File(name, SIZE_BYTES + mix(head) % (2 * SIZE_BYTES), head << 32 | _keyed_hash(head))


def is_decoy(digest: object) -> bool:
    """Whether a digest is that of a decoy. By chance one genuine file in 2 ** 32 would be taken for one."""
    return type(digest) is int and 0 <= digest >> 32 <= HALF and _keyed_hash(digest >> 32) == digest & HALF


class PoisonedLibrary:
    """The library of a poisoned peer. `real` is its own library, which it serves again when it is cured."""

    __slots__ = ("marked", "me", "real", "titles")

    def __init__(self, me: PeerId, real: Library, titles: Sequence[str], marked: bool = False) -> None:
        self.marked = marked
        """Whether `File.genuine` tells that the files are decoys: for display only, never for a protocol."""
        self.me = me
        self.real = real
        self.titles = titles
        """The titles it claims to have: the list of the catalogue itself, not a copy."""

    def matching(self, text: str) -> tuple[File, ...]:
        """One decoy, with the queried text as its name."""
        return self._made((text,))

    def files(self) -> tuple[File, ...]:
        """A decoy for each title of the catalogue and for each name in the real library."""
        return self._made(dict.fromkeys((*self.titles, *(file.name for file in self.real.files()))))

    def _made(self, names: Iterable[str]) -> tuple[File, ...]:
        made = (decoy(self.me, name) for name in names)
        return tuple(replace(file, genuine=False) if self.marked else file for file in made if file is not None)

    def add(self, file: File) -> bool:
        """Add a file to the real library; its user throws decoys away as any user does."""
        return self.real.add(file)

    def serves(self, file: File) -> File:
        """A decoy in place of any file."""
        return decoy(self.me, file.name) or file

    def __len__(self) -> int:
        return len(self.titles)
