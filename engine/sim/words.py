"""Roles and words that protocols give while they run: short texts, each with a small number that columns hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..api import PeerId
from ..errors import plain

TEXT_MAX = 24
"""Characters of a role or a word that are kept."""
CODES_MOST = 200
"""Different texts that have a number of their own; all further ones are "other"."""
OTHER = "other"


class Words:
    """Short texts with their numbers, in the order in which they were first given."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self.codes: dict[str, int] = {}
        for word in known:
            self.code(word)

    def code(self, text: str) -> int:
        """The number of a text."""
        code = self.codes.get(text)
        if code is None:
            if len(self.codes) >= CODES_MOST:
                text = OTHER
            code = self.codes.setdefault(text, len(self.codes))
        return code


def word_text(word: object) -> str:
    """A word as it is kept and shown."""
    if type(word) is str and len(word) <= TEXT_MAX:
        return _word_text(word)
    return plain(word, TEXT_MAX).strip()


@lru_cache(1_024)
def _word_text(word: str) -> str:
    """`word_text` of a short text, cached: links are marked with the same few words again and again."""
    return plain(word, TEXT_MAX).strip()


def role_text(role: object) -> str:
    """A role as it is kept and shown. Raises ValueError where nothing of it can be shown."""
    text = word_text(role)
    if not text:
        raise ValueError("a role is a word that can be shown, and this one is empty")
    return text


class Roles:
    """What each peer is called in its specification now, uint8 (n,), index into the names."""

    def __init__(self, roles: Sequence[str], further: Iterable[str] = ()) -> None:
        """roles: that of each peer; further: known ones that no peer has yet."""
        self.words = Words(map(role_text, (*dict.fromkeys(roles), *further)))
        self.column: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self.grow(roles)

    def grow(self, roles: Sequence[str]) -> None:
        """Add newcomers with these roles."""
        codes = {role: self.words.code(role_text(role)) for role in dict.fromkeys(roles)}
        self.column = np.concatenate([self.column, np.array([codes[role] for role in roles], np.uint8)])
        self.names: tuple[str, ...] = tuple(self.words.codes)

    def __getitem__(self, peer: PeerId) -> str:
        return self.names[int(self.column[peer])]

    def all(self) -> list[str]:
        """The role of each peer."""
        names = self.names
        return [names[code] for code in self.column.tolist()]

    def set(self, peer: PeerId, role: str) -> str:
        """Give a peer another role. Returns the earlier one. Raises ValueError for an empty role."""
        before = self.names[int(self.column[peer])]
        code = self.words.code(role_text(role))
        if code >= len(self.names):
            self.names = tuple(self.words.codes)
        self.column[peer] = code
        return before
