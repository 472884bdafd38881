"""Lines of values as other programs write them: separator, comments, quotes, header words.

The separator is a tab, semicolon, comma, vertical bar, or blanks. It is determined from the first lines, because a file
has only one separator, and not by `csv.Sniffer`, which may take a letter for it. A comment begins with #, % (KONECT,
Matrix Market, Pajek) or // at the beginning of a line or after a blank or a separator; a line that begins with ; is a
comment too, unless the separator is a semicolon: then its first value is empty. Values may be in double or single
quotes; the `csv` module reads these.
"""

from __future__ import annotations

import csv
import functools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

from ...errors import InputError, plain
from ...values import dataclass

SAMPLE = 200
"""Number of lines from which the separator is found."""
_COMMENT = re.compile(r"(?:^|(?<=[ \t,;|]))(?:#|%|//)")
_QUOTED = re.compile(r'"[^"]*+"?')
_WORDS = re.compile(r"[^ \t\f\v]+")
_AFTER_QUOTE = re.compile(r"""(?<=["'])[ \t]+(?=[,;|\t])""")
_OPENING_IN_TEXT = re.compile(r"'(?<=[ \t,;|\n]')|\A'")
_OPENING = re.compile(r"(?:^|[ \t,;|])'")
BLANKS = " \t\f\v"
PIECE = 1_000
"""Lines that are read one by one if one of them is irregular."""
_OTHER_BLANK = re.compile(r"[^\S \t\f\v\n]")
_NEEDS_QUOTES = re.compile(r"""["',;|\s#%/{\[(<]""")
_BOUNDS = " ,;|\t\n"
FEW = 200
_QUOTED_CELL = re.compile(r"""(["'])(?<=[ ,;|\t\n]["'])[^"',;|\s#%/{\[(<]++\1(?=[ \t,;|\n]|$)""")
_COMMENT_HERE = r"(?:(?<=\n#)(?!\d)|(?<=\n%)|(?<=\n/)/|(?<=[ \t,;|][#%])|(?<=[ \t,;|]/)/)"
_COMMENTS = re.compile(rf"(?:[#%/]{_COMMENT_HERE}|;(?<=\n;))[^\n]*+")
_COMMENTS_BUT_SEMICOLON = re.compile(rf"[#%/]{_COMMENT_HERE}[^\n]*+")
_COMMENT_LINES = {
    (semicolon, names): re.compile(rf"(?:[ \t\f\v]*+(?:(?:#{names}|%|//{semicolon})[^\n]*+)?\n)*")
    for semicolon in ("", "|;")
    for names in ("", r"(?!\d)")
}
_AT_ENDS = re.compile(r"[ \t\f\v](?:(?=\n|\Z)|(?<=\n.)|(?<=\A.))")
_HASH = re.compile(r"#[^\n]*+")
# The patterns above begin with the characters that they search for, which `re` finds fast. The text has to begin with a
# line feed.
MISSING = frozenset(
    ("", "-", "--", "na", "n/a", "nan", "-nan", "+nan", "null", "none", "nil", "?", "*", ".", "n.a.", "<na>")
)
"""Words for a missing value, in lower case."""
_EXCEL_SEPARATOR = re.compile(r"""["']?[sS][eE][pP]=[^\n]?["']?[;,\t]*+(?=\n)""")


def blocks(text: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The blocks of a file of values. A first line `sep=;`, which tells Excel the separator, is left empty."""
    for at, block in text:
        yield at, _EXCEL_SEPARATOR.sub("", block, count=1) if at == 1 and _EXCEL_SEPARATOR.match(block) else block


def without_comment(line: str, sep: str, *, hash_anywhere: bool = False) -> str:
    """A line without its comment. `hash_anywhere`: a # within a word begins one too."""
    if "#" not in line and "%" not in line and "//" not in line and ";" not in line:
        return line
    if sep != ";" and line.lstrip(BLANKS).startswith(";"):
        return ""
    # Text in quotes keeps its length, so that positions are those of the line.
    bare = _QUOTED.sub(lambda found: "x" * len(found[0]), line) if '"' in line else line
    found = _COMMENT.search(bare)
    end = found.start() if found else len(line)
    if hash_anywhere and "#" in bare[:end]:
        end = bare.index("#")
    return line[:end]


def bare(text: str, sep: str, *, names: bool) -> str | None:
    """The same number of lines, without comments and without quotes around values; None where they have to be read one
    by one.

    names: whether # and a digit at the beginning of a line are the name of a peer rather than a comment.
    """
    text = "\n" + text
    if "\n " in text or "\n\t" in text:
        return None
    if "'" in text or '"' in text:
        unquoted = _without_quotes(text)
        if unquoted is None:
            return None
        text = unquoted
    if not names and "#" in text:
        text = _HASH.sub("", text)
    if sep == ";":
        if "#" in text or "%" in text or "//" in text:
            text = _COMMENTS_BUT_SEMICOLON.sub("", text)
    elif "#" in text or "%" in text or "//" in text or "\n;" in text:
        text = _COMMENTS.sub("", text)
    return text[1:]


def _without_quotes(text: str) -> str | None:
    """A text that begins with a line feed, without the quotes around its values; None where a quote may mean something
    else, or a value needs its quotes."""
    if ("'" in text) != ('"' in text):
        parts = text.split('"' if '"' in text else "'")
        within, between = parts[1::2], set(parts[2:-1:2])
        # A file has few kinds of text between two quotes, unless some of its values are without.
        if len(parts) % 2 and len(between) < FEW:
            ends = [parts[0][-1], *(parts[-1][:1] or "\n"), *(end for each in between for end in (each[:1], each[-1:]))]
            good = all(within) and all(end and end in _BOUNDS for end in ends)
            return "".join(parts) if good and not _NEEDS_QUOTES.search("".join(within)) else None
    rest = _QUOTED_CELL.sub("", text)
    return None if "'" in rest or '"' in rest else text.replace('"', "").replace("'", "")


def has_comment(text: str, sep: str) -> bool:
    """Whether a text has what may be a comment, # before a digit at the beginning of a line included."""
    if text[:1] in ("#", "%", ";") or text[:2] == "//" or (";" in text and sep != ";" and "\n;" in text):
        return True
    if "#" not in text and "%" not in text and "//" not in text:
        return False
    return "\n#" in text or _COMMENTS_BUT_SEMICOLON.search(text) is not None


def has_opening(text: str) -> bool:
    """Whether a single quote in a text may open a value. One within a word does not."""
    return "'" in text and _OPENING_IN_TEXT.search(text) is not None


def has_other_blank(text: str) -> bool:
    """Whether a text has a blank or line end that separates for Python and numpy, and not here."""
    if text.isascii():
        return any(sign in text for sign in "\r\x1c\x1d\x1e\x1f")
    return _OTHER_BLANK.search(text) is not None


def end_of_lines(text: str, count: int, at: int = 0) -> int:
    """Where `count` lines of a text end, the first of which begins at `at`."""
    end = at
    for _ in range(count):
        found = text.find("\n", end)
        if found < 0:
            return len(text)
        end = found + 1
    return end


def first_lines(
    block: str, bare_line: Callable[[str], str], *, keep_empty: bool, names: bool = False
) -> tuple[int, str] | None:
    """Where the lines that are no comments begin in a block, and their separator; None where all are comments.

    `bare_line` removes a comment that does not begin with a semicolon from a line. names: see `bare`.
    """
    digit = r"(?!\d)" if names else ""
    at, end = 0, len(block)
    while at < end:
        at = _end_of_comments(block, at, "|;", digit)
        stop = end_of_lines(block, 2 * SAMPLE, at)
        lines = [bare_line(line) for line in block[at:stop].split("\n") if not line.lstrip(BLANKS).startswith(";")]
        if any(line.strip(BLANKS) for line in lines):
            sep = find_separator(lines, keep_empty=keep_empty)
            return (_end_of_comments(block, 0, "", digit) if sep == ";" else at), sep
        at = stop
    start = _end_of_comments(block, 0, "", digit)
    lines = block[start : end_of_lines(block, SAMPLE, start)].split("\n")
    counts = {line.count(";") for line in lines if line.strip(BLANKS)}
    # Each line begins with a semicolon and has as many more: the first value of each is empty.
    return (start, ";") if len(counts) == 1 and min(counts) > 1 else None


def _end_of_comments(block: str, at: int, semicolon: str, digit: str) -> int:
    found = _COMMENT_LINES[semicolon, digit].match(block, at)
    return found.end() if found else at


def find_separator(lines: Iterable[str], *, keep_empty: bool) -> str:
    """The separator of lines without comments: one of the characters above, or "" for blanks of any number.

    keep_empty   whether two tabs have an empty value between them; else they count as one
    """
    some = [line for line in lines if line.strip(BLANKS)][:SAMPLE]
    bare = [_QUOTED.sub('""', line) for line in some]
    if not bare:
        return ""
    tabs = all("\t" in line.strip(BLANKS) for line in bare)
    if tabs and any(_has_blank_inside(cell) and not _all_numbers(cell) for line in bare for cell in _filled(line)[:2]):
        return "\t"
    for sep in ";,|":
        if all(sep in line for line in bare) and not any(_numbers_between(line, sep) for line in bare):
            return sep
    if tabs and keep_empty and len({line.count("\t") for line in bare}) == 1:
        return "" if any(_has_blank_inside(cell) for line in bare for cell in line.split("\t")) else "\t"
    if not _has_blank_inside(bare[0]):
        # If most lines have a separator, the lines without it are the wrong ones.
        return next((sep for sep in ";,|" if sep in bare[0] and 2 * sum(sep in line for line in bare) > len(bare)), "")
    return ""


def _numbers_between(line: str, sep: str) -> bool:
    """Whether there are two numbers between two separators. These are then no separators but commas in numbers (1 0,5
    or 1,000 2,000)."""
    return _two_numbers(sep).search(line) is not None


@functools.cache
def _two_numbers(sep: str) -> re.Pattern[str]:
    sep = re.escape(sep)
    number = r"[+-]?+[\d.]++(?:[eE][+-]?+\d++)?"
    return re.compile(rf"(?:^|{sep})[ \t]*+{number}(?:[ \t]++{number})+[ \t]*+(?:{sep}|$)", re.ASCII)


def _has_blank_inside(cell: str) -> bool:
    return len(_WORDS.findall(cell)) > 1


def _filled(line: str) -> list[str]:
    return [cell for cell in line.split("\t") if cell.strip(BLANKS)]


def _all_numbers(cell: str) -> bool:
    return all(is_number(word) for word in _WORDS.findall(cell))


def is_number(word: str) -> bool:
    """Whether Python reads a word as a float, infinity and nan included; 1_000 is refused."""
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word and word.isascii()


def cells(line: str, sep: str, where: str, expected: str) -> list[str]:
    """The values of a line without a comment, stripped of blanks. `sep` is what `find_separator` returned.

    Raises InputError for an open quote; `where` and `expected` are parts of its sentence.
    """
    quote = '"' if '"' in line else "'" if "'" in line and _OPENING.search(line) else ""
    if not quote:
        if not sep:
            return _WORDS.findall(line)
        return [cell.strip(BLANKS) for cell in line.split(sep)]
    text = _AFTER_QUOTE.sub("", line.strip(BLANKS))
    if not sep:
        text = text.replace("\t", " ").replace("\f", " ").replace("\v", " ")
    try:
        row = next(csv.reader([text], delimiter=sep or " ", quotechar=quote, skipinitialspace=True, strict=True), [])
    except csv.Error:
        raise InputError(f"{where}: a quote ({quote}) is not closed, or something follows it; {expected}") from None
    return [cell.strip(BLANKS) for cell in row if cell or sep]


def all_quoted(text: str, sep: str, width: int) -> list[str] | None:
    """The values of lines that have `width` values each, all of them in quotes of one kind, as one list; None where the
    lines are not of this form, or it is not certain. The values are those of `cells`, in a tenth of the time."""
    quote = text[:1]
    if quote not in ('"', "'") or (quote == "'" and has_comment(text, sep)):
        return None
    parts = text.split(quote)
    count = len(parts) // 2
    if len(parts) % 2 == 0 or count % width or parts[-1] not in ("", "\n"):
        return None
    after = parts[2:-1:2]
    if any(each != "\n" for each in set(after[width - 1 :: width])):
        return None
    between = {each for at in range(width - 1) for each in after[at::width]}
    if not all(_separates(each, sep) for each in between):
        return None
    if text.count("\n") != count // width - (parts[-1] == ""):
        return None  # a line ends within a value
    return parts[1::2]


def _separates(text: str, sep: str) -> bool:
    """Whether a text between two values in quotes is a separator, perhaps with blanks around it."""
    if sep == "\t":
        return text == sep
    return text.strip(BLANKS) == sep and text != ""


def rows_of(text: str, sep: str) -> list[list[str]] | None:
    """The values of each line of a text without comments, in which some values may have quotes of one kind; None where
    the lines have to be read one by one. After `stripped` they are the values of `cells`. One `csv.reader` reads all
    lines in a fifth of the time."""
    if "\r" in text or has_comment(text, sep):
        return None
    single = has_opening(text)
    if single and '"' in text:
        return None
    if single or '"' in text:
        text = _AFTER_QUOTE.sub("", text)
    if not sep:
        text = text.replace("\t", " ").replace("\f", " ").replace("\v", " ")
    lines = text.split("\n")
    whole = lines if "\n " not in text and not _AT_ENDS.search(text) else [line.strip(BLANKS) for line in lines]
    if sep == "\t" and lines != whole:
        return None
    quote = "'" if single else '"'
    try:
        rows = list(csv.reader(whole, delimiter=sep or " ", quotechar=quote, skipinitialspace=True, strict=True))
    except csv.Error:
        return None
    if len(rows) != len(lines):
        return None  # a quote is closed in a later line
    return rows


def stripped(rows: list[list[str]], sep: str) -> list[list[str]]:
    """Rows of `rows_of` as `cells` returns them: without blanks around values."""
    return [[cell.strip(BLANKS) for cell in row if cell or sep] for row in rows]


def of_width(rows: list[list[str]], width: int) -> bool:
    """Remove empty values at the end of rows that are too long. Returns whether all rows then have `width` values."""
    for row in rows:
        while len(row) > width and not row[-1]:
            row.pop()
    return all(len(row) == width for row in rows)


def word_of(cell: str) -> str:
    """The letters of a header word in lower case: "Node_1" and "node 1" give "node"."""
    return re.sub(r"[^a-z]", "", cell.lower())


def quoted(cell: str) -> str:
    """A value in quotes for an error sentence, with the Unicode name of a character that looks like an ASCII one."""
    shown = plain(cell, limit=40)
    odd = next((ch for ch in cell[:40] if unicodedata.category(ch) == "Cc" and ch not in BLANKS), "")
    odd = odd or next((ch for ch in shown if not ch.isascii() and (ch.isspace() or ch.isdecimal())), "")
    if not odd:
        return f'"{shown}"'
    return f'"{shown}" (with U+{ord(odd):04X}, {unicodedata.name(odd, "a control character").lower()})'


def counted(count: int, what: str = "value") -> str:
    """ "1 value", "2 values"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


@dataclass(slots=True)
class ColumnLayout:
    """The number of columns and the positions of those that are read: set by the first line, the same for all lines."""

    width: int
    wanted: tuple[int, ...]

    def note(self, name: str, too: int | None = None) -> str:
        """A sentence about the columns that are left out; empty if there are none. too: a further column that is
        read."""
        read = self.wanted if too is None else (*self.wanted, too)
        left = self.width - len(read)
        if not left:
            return ""
        which = f"columns {', '.join(str(at + 1) for at in read)}"
        return f"{name}: {counted(left, 'further column')} left out; {which} are read"


def named_columns(header: Sequence[str], kinds: Sequence[frozenset[str]]) -> tuple[int, ...] | None:
    """Position in a header of the word of each kind; None where a kind is missing or occurs twice."""
    words = [word_of(cell) for cell in header]
    positions = [[at for at, word in enumerate(words) if word in kind] for kind in kinds]
    if any(len(place) != 1 for place in positions) or len({place[0] for place in positions}) != len(kinds):
        return None
    return tuple(place[0] for place in positions)
