"""Errors, split by blame.

`InputError` is the person's: one sentence that says what, where, what was expected and the nearest
spelling. `PeerFailed` is ours or a protocol author's: a handler raised. Nonsense from another *peer* is
neither: it is counted and ignored, never raised.
"""

from __future__ import annotations

import copyreg
import difflib
import functools
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


BREAKS = frozenset("\t\n\r\u2028\u2029")
"""What a blank stands in for."""

MARKS_MAX = 3
"""Combining marks that one letter keeps. Written languages need no more once letter and mark are composed."""

UNMEASURED = frozenset(
    (
        0x034F,  # combining grapheme joiner
        *(0x115F, 0x1160, 0x3164, 0xFFA0, 0x17B4, 0x17B5),  # letters that are drawn as nothing
        *range(0x1176, 0x11A8),  # vowels and ends of old Korean syllables, which compose with nothing
        *range(0x11C3, 0x1200),
        *range(0xD7B0, 0xD800),
        *range(0x180B, 0x1810),  # Mongolian variation selectors
        *range(0xFE00, 0xFE10),  # variation selectors
        *range(0xE0100, 0xE01F0),
        *range(0x1F3FB, 0x1F400),  # skin tones
    )
)
"""Characters, beside controls and formats, that take a column on one terminal and none, or two, on another."""

FLAG_A = 0x1F1E6
"""The first of the 26 regional indicators: a pair of them is one flag or two letters, as the terminal likes."""
_CACHED_MAX = 200


def plain(text: object, limit: int = 120) -> str:
    """Text from outside as data: one line, at most `limit` characters, that any encoding of Unicode can write and that
    every terminal measures alike.

    Taken out: controls, escape sequences' first characters, lone surrogates, noncharacters, private use, formats (bidi
    marks, joiners, tags), variation selectors and marks beyond `MARKS_MAX` a letter. Ends of lines become blanks, and
    letters are composed with their marks (NFC). Doing it twice changes nothing more. Markup is not touched: whoever
    shows text has to take it as text.
    """
    if not isinstance(text, str):
        try:
            text = str(text)
        except (ValueError, RecursionError):  # an integer of thousands of digits, lists in lists in lists
            text = "something too long to be shown"
    if text.isascii() and text.isprintable():
        kept = text
    else:
        # Four marks and letters for one that stays are room enough; what is cut off here is over the limit anyway.
        kept = _cleaned(text) if len(text) <= _CACHED_MAX else _clean(text, 8 * limit + 64)
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


NEAR = 0.65
"""How alike two spellings have to be for one to be suggested: one letter of three, or two of six, may differ."""


def distinct(texts: Iterable[str], limit: int = 120) -> tuple[str, ...]:
    """Labels, each `plain`, with something in it, and no two alike: those that would be get their number behind."""
    made: dict[str, None] = {}
    for number, text in enumerate(texts):
        label = plain(text, limit).strip() or f"#{number}"
        while label in made:
            label = f"{label}~{number}"
        made[label] = None
    return tuple(made)


def _clean(text: str, most: int) -> str:
    """`text` without what `plain` takes out, cut at about `most` characters."""
    while True:
        made = _composed(_measurable(text, most))
        if made == text:
            return made
        text = made


_cleaned = functools.lru_cache(4096)(functools.partial(_clean, most=1 << 20))


def _measurable(text: str, most: int) -> str:
    kept: list[str] = []
    run = 0
    for ch in text:
        if ch in BREAKS:
            kept.append(" ")
            run = 0
            continue
        code = ord(ch)
        kind = unicodedata.category(ch)
        if kind[0] == "C" or kind == "Me" or code in UNMEASURED:
            continue
        if kind == "Mn":
            # Composing sorts marks, in a time that grows with the square of their number.
            run += 1
            if run > 2 * MARKS_MAX:
                continue
        else:
            run = 0
        kept.append(chr(ord("A") + code - FLAG_A) if FLAG_A <= code < FLAG_A + 26 else ch)
        if len(kept) >= most:
            break
    return "".join(kept)


def _composed(text: str) -> str:
    """Letters composed with their marks, and no mark that has no letter or is one too many."""
    kept: list[str] = []
    run = MARKS_MAX
    for ch in unicodedata.normalize("NFC", text):
        run = run + 1 if unicodedata.category(ch) == "Mn" else MARKS_MAX if ch.isspace() else 0
        if run <= MARKS_MAX:
            kept.append(ch)
    return "".join(kept)


def nearest(word: str, choices: Iterable[str]) -> str:
    """A tail for an error sentence: `; did you mean "gnutella"?`, or the choices when few, or nothing."""
    known = sorted(choices)
    close = difflib.get_close_matches(word[:80], known, n=1, cutoff=NEAR)
    if close:
        return f'; did you mean "{close[0]}"?'
    if 0 < len(known) <= 12:
        return f" (one of {', '.join(known)})"
    return ""
