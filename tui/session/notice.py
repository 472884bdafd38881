"""The notice: one sentence for the user, shown for some seconds."""

from __future__ import annotations

from collections.abc import Callable

from engine import plain

NOTICE_S = 6.0
"""Wall seconds that a notice is shown."""


class Notice:
    """The latest sentence. Parts of a session write to it, frames read it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sentence, self._until_s = "", 0.0

    def say(self, sentence: str) -> None:
        """Show a sentence. It replaces the one before."""
        self._sentence, self._until_s = plain(sentence, limit=400), self._clock() + NOTICE_S

    def clear(self) -> None:
        """Show none."""
        self._sentence = ""

    @property
    def text(self) -> str:
        """The sentence, or empty when its time is over."""
        return self._sentence if self._clock() < self._until_s else ""
