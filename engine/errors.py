"""Errors that swarmtop raises, and functions that make text from outside safe to show.

`InputError` is a mistake in what a person gave: one sentence that says what, where, what was expected and the nearest
spelling. `PeerFailed` is a mistake in the code of a protocol: a handler raised. A wrong message from another peer is
neither: it is counted and dropped.
"""

from __future__ import annotations

import copyreg
import difflib
import functools
import inspect
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from traceback import walk_tb
from types import FunctionType


class SwarmError(Exception):
    """Base of all errors that swarmtop raises on purpose."""


class InputError(SwarmError):
    """Wrong input: a scenario, theme, edge list, recording, selector or command line.

    `str(error)` is one sentence without control characters, see `plain`.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(plain(sentence, limit=400))


class PeerFailed(SwarmError):
    """A handler of a protocol raised. `peer` is its number, `kind` what it handled; `__cause__` has the traceback."""

    def __init__(self, peer: int, kind: str, error: BaseException) -> None:
        said = str(error) if isinstance(error, NetworkFault) else f"{type(error).__name__}: {error}"
        super().__init__(f"peer #{peer} failed on {kind}: {said}{place_in_protocol(error)}")
        self.peer = peer
        self.kind = kind

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are unpickled by calling `__init__` with `args`, but `__init__` takes other arguments here.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


def place_in_protocol(error: BaseException) -> str:
    """` (file.py:12)`: the innermost line of a protocol where it was raised; empty where there is none."""
    steps = walk_tb(error.__traceback__)
    inside = [(frame.f_code, line) for frame, line in steps if _of_protocol(frame.f_globals.get("__name__"))]
    return f" ({Path(inside[-1][0].co_filename).name}:{inside[-1][1]})" if inside else ""


def place_of(made: object) -> str:
    """` (file.py:12)`: where a class or a function is defined; empty where that is not known."""
    if isinstance(made, FunctionType):
        return f" ({Path(made.__code__.co_filename).name}:{made.__code__.co_firstlineno})"
    try:
        path, (_, line) = inspect.getsourcefile(made), inspect.getsourcelines(made)  # type: ignore[arg-type]
    except (OSError, TypeError):
        return ""
    return f" ({Path(path or '').name}:{line})"


class Place:
    """`place_of` a class or a function, computed only when it is formatted: to find the line of a class takes
    milliseconds."""

    def __init__(self, made: object) -> None:
        self.made = made

    def __str__(self) -> str:
        return place_of(self.made)


def _of_protocol(module: object) -> bool:
    return isinstance(module, str) and module.startswith(f"{__name__.partition('.')[0]}.protocols.")


class NetworkFault(SwarmError):
    """The code of a network asked the engine for something impossible. The message is one sentence for its author."""


class NothingToReplyTo(NetworkFault):
    """A protocol replied where no request waits for an answer."""


LINE_BREAKS = frozenset("\t\n\r\u2028\u2029")
"""Replaced by blanks."""

COMBINING_MAX = 3
"""Combining marks that one letter keeps. Written languages need no more when letter and mark are composed."""

NO_COMMON_WIDTH = frozenset(
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
"""Characters, besides controls and formats, whose width in columns differs between terminals."""

FLAG_A = 0x1F1E6
"""The first of the 26 regional indicators: terminals show a pair of them as one flag or as two letters."""
_CACHED_MAX = 200
"""Characters of a text whose cleaned form is cached."""


def plain(text: object, limit: int = 120) -> str:
    """Text from outside, safe to print: one line of at most `limit` characters, which any Unicode encoding can write
    and which has the same width on every terminal.

    Removed: controls (so the first characters of escape sequences), lone surrogates, noncharacters, private use,
    formats (bidi marks, joiners, tags), variation selectors, and marks beyond `COMBINING_MAX` for a letter. Ends of
    lines become blanks, and letters are composed with their marks (NFC). `plain(plain(text))` equals `plain(text)`.
    Markup stays: a widget has to show the text without reading markup.
    """
    if not isinstance(text, str):
        try:
            text = str(text)
        except (ValueError, RecursionError):  # an integer of thousands of digits, lists in lists in lists
            text = "something too long to be shown"
    if text.isascii() and text.isprintable():
        kept = text
    else:
        # Eight characters of the input for one of the result: NFC joins at most a few marks with a letter.
        kept = _cleaned(text) if len(text) <= _CACHED_MAX else _clean(text, 8 * limit + 64)
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def distinct(texts: Iterable[str], limit: int = 120) -> tuple[str, ...]:
    """Labels made of texts: `plain`, not empty and all different. An empty text becomes "#3", and "~3" is added to a
    label that was there before, 3 being the index of the text."""
    made: dict[str, None] = {}
    for number, text in enumerate(texts):
        label = plain(text, limit).strip() or f"#{number}"
        while label in made:
            label = f"{label}~{number}"
        made[label] = None
    return tuple(made)


def _clean(text: str, most: int) -> str:
    """`text` without what `plain` removes, cut at about `most` characters."""
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
        if ch in LINE_BREAKS:
            kept.append(" ")
            run = 0
            continue
        code = ord(ch)
        kind = unicodedata.category(ch)
        if kind[0] == "C" or kind == "Me" or code in NO_COMMON_WIDTH:
            continue
        if kind == "Mn":
            # NFC sorts marks in a time that grows with the square of their number.
            run += 1
            if run > 2 * COMBINING_MAX:
                continue
        else:
            run = 0
        kept.append(chr(ord("A") + code - FLAG_A) if FLAG_A <= code < FLAG_A + 26 else ch)
        if len(kept) >= most:
            break
    return "".join(kept)


def _composed(text: str) -> str:
    """Letters composed with their marks, without marks that have no letter or are too many."""
    kept: list[str] = []
    run = COMBINING_MAX
    for ch in unicodedata.normalize("NFC", text):
        run = run + 1 if unicodedata.category(ch) == "Mn" else COMBINING_MAX if ch.isspace() else 0
        if run <= COMBINING_MAX:
            kept.append(ch)
    return "".join(kept)


def shown(value: object) -> str:
    """A value in an error sentence, as TOML writes it, cut short. Never its `repr`, which raises for deep tables and
    for numbers of thousands of digits."""
    if isinstance(value, str):
        return f'"{plain(value, 40)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 200:
        return "a number that long"
    if isinstance(value, Mapping):
        return "a table"
    return "a list" if isinstance(value, list) else plain(value, 40)


SIMILARITY_MIN = 0.65
"""Least similarity of two spellings at which one is suggested for the other: one letter in three, or two in six,
differ."""


def nearest(word: str, choices: Iterable[str], *, listed: bool = True, similarity: float = SIMILARITY_MIN) -> str:
    """The end of an error sentence: `; did you mean "gnutella"?`, or, if `listed`, up to 12 choices, or nothing."""
    known = sorted(choices)
    by_letters = {name.casefold(): name for name in reversed(known)}
    close = difflib.get_close_matches(word[:80].casefold(), by_letters, n=1, cutoff=similarity)
    if close:
        return f'; did you mean "{by_letters[close[0]]}"?'
    if listed and 0 < len(known) <= 12:
        return f" (one of {', '.join(known)})"
    return ""
