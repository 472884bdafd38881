"""Decoys: files whose content is not what their name says, and the library of a poisoned peer, which serves only them.

A poisoned peer claims to have every file. Its library does this, which belongs to the engine, so protocols have no code
for it: for any query the library has a file of that name, and its list of files is the whole catalogue. The content is
useless and has a digest of its own: a hash proves the bytes and not the name, so a download is complete and its hash is
right. Each poisoned peer makes its own decoys; no two are alike.

Only a user who opens the file notices it. The engine plays this user: `Library.add` returns whether the file was kept.
The engine recognises a decoy by its digest, the second half of which is a keyed hash of the first half. So nothing has
to be stored, a decoy is recognised at every peer, and no message has a mark that a protocol could read.

A decoy may be made so that it has the size and the weak hash of the genuine file (`api.File.weak`, `Poison.weak`): a
weak hash covers some samples of the bytes, and only the other bytes differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b

from ..api import File, Library, PeerId, mentions, words_of
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
    """The decoy that a poisoned peer serves for a name: the same content for names with the same words. None for a name
    that no query can match."""
    words = words_of(name)
    if not words or len(name) > NAME_MAX or not name.isprintable():
        return None
    head = int.from_bytes(blake2b(f"{peer}/{' '.join(words)}".encode(), digest_size=4).digest(), "little")
    return File(name, SIZE_BYTES + mix(head) % (2 * SIZE_BYTES), head << 32 | _keyed_hash(head))


@lru_cache(maxsize=1 << 14)
def alike(peer: PeerId, file: File) -> File:
    """The decoy of a peer for a genuine file that has the name, the size and the weak hash of that file."""
    made = decoy(peer, file.name)
    return file if made is None else replace(file, digest=made.digest)


def is_decoy(digest: object) -> bool:
    """Whether a digest is that of a decoy. By chance one genuine file in 2 ** 32 would be taken for one."""
    return type(digest) is int and 0 <= digest >> 32 <= HALF and _keyed_hash(digest >> 32) == digest & HALF


class PoisonedLibrary:
    """The library of a poisoned peer. `real` is its own library, which it serves again when it is cured.

    genuine: the files of the catalogue, in the order of `titles`. Decoys for these then have their sizes and weak
    hashes (`alike`); without it, and for other names, a decoy has a size and a weak hash of its own.
    """

    __slots__ = ("genuine", "marked", "me", "real", "titles")

    def __init__(
        self,
        me: PeerId,
        real: Library,
        titles: Sequence[str],
        marked: bool = False,
        genuine: Sequence[File] | None = None,
    ) -> None:
        self.genuine = genuine
        self.marked = marked
        """Whether `File.genuine` is False for its decoys: for display only, never for a protocol."""
        self.me = me
        self.real = real
        self.titles = titles
        """The titles it claims to have: the list of the catalogue itself, not a copy."""

    def matching(self, text: str) -> tuple[File, ...]:
        """One decoy, with the queried text as its name; with weak hashes, one of the most popular title with its
        words."""
        return self._made((text,))

    def files(self) -> tuple[File, ...]:
        """A decoy for each title of the catalogue and for each name in the real library."""
        if self.genuine is None:
            return self._made(dict.fromkeys((*self.titles, *(file.name for file in self.real.files()))))
        made: dict[str, File | None] = {file.name: alike(self.me, file) for file in self.genuine}
        made |= {file.name: decoy(self.me, file.name) for file in self.real.files() if file.name not in made}
        return self._marked(made.values())

    def _made(self, names: Iterable[str]) -> tuple[File, ...]:
        return self._marked(map(self._decoy, names))

    def _marked(self, made: Iterable[File | None]) -> tuple[File, ...]:
        return tuple(replace(file, genuine=False) if self.marked else file for file in made if file is not None)

    def _decoy(self, name: str) -> File | None:
        file = None if self.genuine is None else _of_name(self.genuine, name)
        return decoy(self.me, name) if file is None else alike(self.me, file)

    def add(self, file: File) -> bool:
        """Add a file to the real library; its user throws decoys away as any user does."""
        return self.real.add(file)

    def spoilt(self, digests: Iterable[int]) -> tuple[int, ...]:
        """The digests that are those of decoys."""
        return self.real.spoilt(digests)

    def serves(self, file: File) -> File:
        """A decoy in place of any file."""
        return self._decoy(file.name) or file

    def __len__(self) -> int:
        return len(self.titles)


def _of_name(files: Sequence[File], text: str) -> File | None:
    """The file of this name, or else the first that has all words of it."""
    exact = next((file for file in files if file.name == text), None)
    if exact is not None or not words_of(text):
        return exact
    return next((file for file in files if mentions(words_of(file.name), text)), None)
