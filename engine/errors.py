"""Errors, split by blame.

`InputError` is the person's: one sentence that says what, where, what was expected and the nearest
spelling. `PeerFailed` is ours or a protocol author's: a handler raised. Nonsense from another *peer* is
neither: it is counted and ignored, never raised.
"""

from __future__ import annotations

import copyreg
import difflib
import unicodedata
from collections.abc import Iterable


class SwarmError(Exception):
    """Anything swarmtop raises on purpose."""


class InputError(SwarmError):
    """Bad input: a scenario, theme, edge list, recording, selector or command line.

    `str(error)` is one clear sentence, safe to print: control characters and markup are harmless.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(plain(sentence, limit=400))


class PeerFailed(SwarmError):
    """A handler of a protocol raised. The peer's program is wrong, not its input."""

    def __init__(self, peer: int, kind: str, error: BaseException) -> None:
        super().__init__(f"peer #{peer} failed on {kind}: {type(error).__name__}: {error}")
        self.peer = peer
        self.kind = kind

    def __reduce__(self) -> tuple[object, ...]:
        # Not by calling `__init__`, as exceptions do: it comes from other processes.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


BREAKS = "\t\n\r\u2028\u2029"
"""What a blank stands in for. The last two, the separators of lines and of paragraphs, are no control characters by
their category, and some terminals break the line there all the same."""


def plain(text: object, limit: int = 120) -> str:
    """Text from outside as data: no control characters, no bidirectional tricks, one line, at most `limit` long."""
    shown = (ch for ch in str(text) if ch in BREAKS or unicodedata.category(ch)[0] != "C")
    kept = "".join(" " if ch in BREAKS else ch for ch in shown)
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


NEAR = 0.65
"""How alike two spellings have to be for one to be suggested: one letter of three, or two of six, may differ."""


def nearest(word: str, choices: Iterable[str]) -> str:
    """A tail for an error sentence: `; did you mean "gnutella"?`, or the choices when few, or nothing."""
    known = sorted(choices)
    close = difflib.get_close_matches(word, known, n=1, cutoff=NEAR)
    if close:
        return f'; did you mean "{close[0]}"?'
    if 0 < len(known) <= 12:
        return f" (one of {', '.join(known)})"
    return ""
