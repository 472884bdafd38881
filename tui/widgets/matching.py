"""How well a typed text fits a line of a list: the rule of the palette, of pickers and of help.

Words are compared without case and accents. A line is found when each typed word is in its title, in a synonym, or in
its tip. A title comes before synonyms, these before tips; in each, whole words come before beginnings of words, and
these before letters inside a word. If nothing is found so, the nearest spelling is tried, then titles that have the
typed letters in this order.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache

from engine import dataclass

WORD = re.compile(r"[^\W_]+")
TITLE, SYNONYM, TIP = 3, 2, 1
"""Where a line was found, the best first; 0 for the nearest spelling and for scattered letters."""
WHOLE, BEGINNING, INSIDE = 3, 2, 1
INSIDE_MIN = 3
"""Letters that a typed word needs to be looked for inside other words: two letters are in almost every line."""
SIMILAR = 0.7
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """How a line was found. where: `TITLE`, `SYNONYM`, `TIP` or 0; fit: larger is better among equals; spans: the
    letters of the title that were typed, as (start, end); synonym: the one that was found, if the title was not."""

    where: int
    fit: float
    spans: tuple[Span, ...] = ()
    synonym: str = ""


@lru_cache(8_192)
def folded(text: str) -> str:
    """The text without case and accents, letter by letter, so that positions stay those of the text."""
    if text.isascii():
        return text.lower()
    return "".join((unicodedata.normalize("NFD", ch)[0].lower() or ch)[0] for ch in text)


def words_of(typed: str) -> list[str]:
    """The words of what was typed: at most twelve, which is more than a line has."""
    return folded(typed).split()[:12]


def found(words: Sequence[str], title: str, synonyms: Sequence[str] = (), tip: str = "") -> Found | None:
    """How well the line fits all `words` (of `words_of`), or None. Every line fits no words."""
    if not words:
        return Found(TITLE, 0.0)
    in_title = _all_in(words, folded(title))
    if in_title is not None:
        fit, spans = in_title
        return Found(TITLE, fit + _brief(words, title), spans)
    best: Found | None = None
    for synonym in synonyms:
        in_synonym = _all_in(words, folded(synonym))
        if in_synonym is not None:
            one = Found(SYNONYM, in_synonym[0] + _brief(words, synonym), (), synonym)
            best = one if best is None or one.fit > best.fit else best
    if best is not None:
        return best
    # The words may be in several of them; the title's are marked.
    in_any = _all_in(words, folded(" ".join((title, *synonyms, tip))))
    if in_any is None:
        return None
    spans = tuple(span for word in words if (place := _in(word, folded(title))) is not None for span in (place[1],))
    return Found(TIP, in_any[0] + 0.5 * len(spans), tuple(sorted(spans)))


def _all_in(words: Sequence[str], text: str) -> tuple[float, tuple[Span, ...]] | None:
    """The mean fit of the words, and where they are."""
    total, spans = 0, []
    for word in words:
        one = _in(word, text)
        if one is None:
            return None
        total += one[0]
        spans.append(one[1])
    return total / len(words), tuple(sorted(spans))


def _in(word: str, text: str) -> tuple[int, Span] | None:
    """The best fit of one word, and where it is; the first of equals."""
    at, best = text.find(word), (0, (0, 0))
    while at >= 0:
        end = at + len(word)
        begins = at == 0 or not text[at - 1].isalnum() or not word[0].isalnum()
        whole = begins and (end == len(text) or not text[end].isalnum())
        fit = WHOLE if whole else BEGINNING if begins else INSIDE if len(word) >= INSIDE_MIN else 0
        if fit > best[0]:
            best = fit, (at, end)
            if whole:
                break
        at = text.find(word, at + 1)
    return best if best[0] else None


def _brief(words: Sequence[str], text: str) -> float:
    """A bonus below 1: larger for a text that has little else in it, and where the words are next to each other."""
    joined = " ".join(words)
    return 0.6 * min(1.0, len(joined) / max(1, len(text))) + (0.3 if joined in folded(text) else 0.0)


def corrected(words: Sequence[str], lines: Iterable[str]) -> list[str]:
    """The words, each replaced by the nearest spelling among the words of these lines, if there is one."""
    known = sorted({word for line in lines for word in WORD.findall(folded(line)) if len(word) > 2})
    return [next(iter(difflib.get_close_matches(word[:40], known, 1, SIMILAR)), word) for word in words]


def scattered(typed: str, title: str) -> Found | None:
    """The title has the typed letters in this order, the first of them at the beginning of a word."""
    letters, text = folded(typed).replace(" ", ""), folded(title)
    if len(letters) < 2:
        return None
    for start in WORD.finditer(text):
        at = start.start()
        spans: list[Span] = []
        for letter in letters:
            at = text.find(letter, at)
            if at < 0 or (not spans and at != start.start()):
                break
            spans.append((at, at + 1))
            at += 1
        if len(spans) == len(letters):
            return Found(0, -float(spans[-1][1] - spans[0][0]), tuple(spans))
    return None


TYPED_MOST = 40
"""The most characters that a list is filtered by."""


def typed_after(typed: str, key: str, character: str | None) -> str | None:
    """What is typed after one more key, in a list that is filtered by it; None for a key that does not type."""
    if key == "backspace":
        return typed[:-1] if typed else None
    if key == "ctrl+u":
        return "" if typed else None
    if character is None or not character.isprintable() or (character == " " and not typed):
        return None
    return (typed + character)[:TYPED_MOST]


def marked_with(text: str, spans: Iterable[Span], style: str, mark: str) -> list[tuple[str, str]]:
    """(part, style) of a text whose spans have the style `mark`, as `Content.assemble` takes them."""
    parts, at = [], 0
    for start, end in sorted(spans):
        if start >= at:
            parts += [(text[at:start], style), (text[start:end], mark)]
            at = end
    parts.append((text[at:], style))
    return [part for part in parts if part[0]]


Line = tuple[str, Sequence[str], str]


def ranked(typed: str, lines: Sequence[Line], first: int = 0) -> list[tuple[int, Found]]:
    """(number of the line, how it was found) for lines of (title, synonyms, tip), the best first; equals in order.

    Among lines that were found equally well, apart from their length, the `first` lines of the list come before the
    others. Without a typed word all lines are returned, in order.
    """
    words = words_of(typed)
    hits = [(n, hit) for n, line in enumerate(lines) if (hit := found(words, *line)) is not None]
    if not hits:
        near = corrected(words, (text for title, synonyms, _ in lines for text in (title, *synonyms)))
        if near != words:
            hits = [(n, replace(hit, where=0)) for n, line in enumerate(lines) if (hit := found(near, *line[:2]))]
    if not hits:
        hits = [(n, hit) for n, line in enumerate(lines) if (hit := scattered(typed, line[0])) is not None]

    def order(pair: tuple[int, Found]) -> tuple[int, int, bool, float]:
        number, hit = pair
        return hit.where, int(hit.fit), number < first, hit.fit

    return sorted(hits, key=order, reverse=True)
