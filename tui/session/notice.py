"""The notice: one sentence for the user, shown for some seconds."""

from __future__ import annotations

from collections.abc import Callable

from engine import Command, PeerId, plain

NOTICE_S = 6.0
"""Wall seconds that a notice is shown."""


class Notice:
    """The latest sentence. Parts of a session write to it, frames read it.

    The sentence about a command is made when the next frame is (`Session.frame`); until then the command is in `done`.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sentence, self._until_s = "", 0.0
        self.done: tuple[Command, tuple[PeerId, ...], str] | None = None
        """A command that was done, the peers that it changed, and a sentence to add to the notice about it (or "")."""

    def say(self, sentence: str) -> None:
        """Show a sentence. It replaces the one before."""
        self._sentence, self._until_s = plain(sentence, limit=400), self._clock() + NOTICE_S
        self.done = None

    def clear(self) -> None:
        """Show none."""
        self._sentence, self.done = "", None

    @property
    def text(self) -> str:
        """The sentence, or empty when its time is over."""
        return self._sentence if self._clock() < self._until_s else ""
