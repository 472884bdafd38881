"""Decoys: files that are not what they are called, and the peers that serve nothing else.

A poisoned peer claims to have everything. That is a matter of its library, which is the engine's, so a protocol
carries no code for it: asked for any words, the library has a file of that name, and asked for all it has, it lists
whatever there is. The bytes are rubbish, and their digest is the digest of these bytes: a hash proves the bytes and
not the name, so a download verifies and is complete. Each poisoner makes its own, so that no two decoys are alike.

Who can tell? Only a user who opens the file. The engine plays that user: `Library.add` says whether the file was kept.
It knows a decoy by its digest, the second half of which is a keyed hash of the first: nothing has to be remembered, a
decoy is known as such wherever it has got to, and no message carries a mark that a protocol could read.
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
"""A decoy has this many bytes and up to three times as many, as the things have that it goes for."""
NAME_MAX = 200


def _seal(head: int) -> int:
    return mix(head << 16 | KEY) & HALF


@lru_cache(maxsize=1 << 14)
def decoy(peer: PeerId, name: str) -> File | None:
    """What a poisoner makes of a name; the same again for the same words. None for a name nobody could ask for."""
    words = words_of(name)
    if not words or len(name) > NAME_MAX or not name.isprintable():
        return None
    head = int.from_bytes(blake2b(f"{peer}/{' '.join(words)}".encode(), digest_size=4).digest(), "little")
    return File(name, SIZE_BYTES + mix(head) % (2 * SIZE_BYTES), head << 32 | _seal(head))


def is_decoy(digest: object) -> bool:
    """Whether these bytes are rubbish. One genuine file in four thousand million would be called so by chance."""
    return type(digest) is int and 0 <= digest >> 32 <= HALF and _seal(digest >> 32) == digest & HALF


class Poisoned:
    """The library of a poisoned peer. `real` is what it had before and will have again when it is cured."""

    __slots__ = ("marked", "me", "real", "titles")

    def __init__(self, me: PeerId, real: Library, titles: Sequence[str], marked: bool = False) -> None:
        self.marked = marked
        """Whether the files tell what they are: for a watcher, never for a protocol."""
        self.me = me
        self.real = real
        self.titles = titles
        """All there is to claim; the catalogue's own list, shared and not copied."""

    def matching(self, text: str) -> tuple[File, ...]:
        """The very thing that was asked for."""
        return self._made((text,))

    def files(self) -> tuple[File, ...]:
        """Everything, and what the real library has besides: none of it genuine."""
        return self._made(dict.fromkeys((*self.titles, *(file.name for file in self.real.files()))))

    def _made(self, names: Iterable[str]) -> tuple[File, ...]:
        made = (decoy(self.me, name) for name in names)
        return tuple(replace(file, genuine=False) if self.marked else file for file in made if file is not None)

    def add(self, file: File) -> bool:
        """Its user is as any other."""
        return self.real.add(file)

    def __len__(self) -> int:
        return len(self.titles)
