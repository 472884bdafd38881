"""Which names have which words, for all the shelves of a world at once.

Copies of one file lie on many shelves, and a flooded query visits a thousand of them with the same words. An index for
each shelf would say the same thing again for each copy, a kilobyte a download, and downloads are most of what a run
grows by in an hour. Here it is said once: a shelf looks up which of the names that have these words are its own.

What stands here is only ever a superset of what the shelves have, so it does not matter that it outlives a checkpoint,
a seek or a peer, and that swarms of one world share it: it is no part of a run's state and is not pickled.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from ..api import File, words_of

TEXTS_MAX = 1 << 12
"""Texts whose names are remembered. When there are more, all are forgotten, and found again when asked for."""
NONE: frozenset[str] = frozenset()


class Lexicon:
    """All names of the shelves that have it in common."""

    __slots__ = ("_asked", "_files", "_fresh", "_index")

    def __init__(self) -> None:
        self._files: dict[str, File] = {}
        self._fresh: list[str] = []
        """Names not in the index yet: where nobody asks, nobody pays for one."""
        self._index: dict[str, set[str]] = {}
        self._asked: dict[str, AbstractSet[str]] = {}

    def __reduce__(self) -> tuple[type[Lexicon], tuple[()]]:
        # The shelves enter their files again.
        return Lexicon, ()

    def enter(self, file: File) -> File:
        """Know its name from now on. Returns an equal file: the first that came, so that all copies are one object."""
        known = self._files.get(file.name)
        if known is None:
            self._files[file.name] = file
            self._fresh.append(file.name)
            return file
        return known if known == file else file

    def names(self, text: str) -> AbstractSet[str]:
        """Those that have every word of `text`; none for a text without words."""
        if self._fresh:
            self._learn()
        found = self._asked.get(text)
        if found is None:
            if len(self._asked) >= TEXTS_MAX:
                self._asked.clear()
            found = self._asked[text] = self._find(text)
        return found

    def _find(self, text: str) -> AbstractSet[str]:
        entries = [self._index.get(word, NONE) for word in dict.fromkeys(words_of(text))]
        if not entries:
            return NONE
        entries.sort(key=len)
        return entries[0].intersection(*entries[1:]) or NONE

    def _learn(self) -> None:
        for name in self._fresh:
            for word in words_of(name):
                self._index.setdefault(word, set()).add(name)
        self._fresh.clear()
        self._asked.clear()
