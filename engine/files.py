"""Opens and reads a file that a person named: scenario, edge list, matrix, sessions, configuration, theme, recording.

All kinds of files are opened here, so that errors about the file itself, and not its contents, have the same words
everywhere. Reading is bounded: `BYTES_MAX` after unpacking, `LINE_MAX` for a line, `NESTING_MAX` levels of tables and
lists in TOML.

A FIFO, a device, a socket and a directory are refused, because opening or reading them may never end. The pipes that a
shell makes for `<(command)` (/dev/fd/N) and /dev/stdin are read; their contents are kept, because a pipe can be read
only once and a swarm may be made again from the same setup.

A byte order mark decides the encoding (UTF-8, UTF-16, UTF-32); without one it is UTF-8. A byte that is not UTF-8 is
kept as a lone surrogate, so that it is accepted in a comment; `check_text` refuses it elsewhere. LF, CR LF and CR alone
end a line. A file may be packed with gzip, which is recognised by its first bytes and not by its name.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import os
import re
import select
import stat
import tomllib
import zlib
from collections import deque
from collections.abc import Iterator
from typing import Any

from .errors import InputError, nearest, plain

BYTES_MAX = 256 << 20
"""Bytes of a file, unpacked."""
LINE_MAX = 1 << 20
"""Characters of one line."""
NESTING_MAX = 100
"""Levels of tables in tables and lists in lists."""
NESTING_WORK_MAX = 20_000_000
"""Steps that tomllib may take to find the tables of all keys, which is some seconds. A key of few parts takes a few
steps."""
BLOCK = 1 << 20
GZIP = b"\x1f\x8b"
BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, which begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DESCRIPTOR = re.compile(r"/dev/stdin|/dev/fd/(\d{1,9})|/proc/(?:self|thread-self)/fd/(\d{1,9})")
_ENDING = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,11}$")

_pipes: dict[str, list[bytes]] = {}
"""Contents of the pipes that were read, by the name of the file."""


class MissingFileError(InputError):
    """There is no file of that name."""


BESIDE_MOST = 1_000
"""Entries of a folder that are looked at for the nearest spelling of a file."""


def files_beside(path: str, endings: tuple[str, ...] = ("",)) -> list[str]:
    """Entries of the folder of a path that have one of these endings, sorted, with the folder as it is written in the
    path."""
    folder = os.path.dirname(path)
    try:
        with os.scandir(folder or ".") as entries:
            listed = [entry.name for _, entry in zip(range(BESIDE_MOST), entries, strict=False)]
    except (OSError, ValueError):
        return []
    return sorted(os.path.join(folder, name) for name in listed if name.endswith(endings) and not name.startswith("."))


RECORDING = b"\x89swarmtop recording "
"""The first bytes of each recording."""


def is_recording(path: str) -> bool:
    """Whether a plain file begins as a recording does."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, "rb") as file:
            return file.read(len(RECORDING)) == RECORDING
    except (OSError, ValueError):
        return False


def pipe_contents() -> dict[str, list[bytes]]:
    """Contents of the pipes that this process has read, by name: for `use_pipe_contents` in another process."""
    return _pipes


def use_pipe_contents(contents: dict[str, list[bytes]]) -> None:
    """From now on, use these contents for files of these names."""
    _pipes.update(contents)


def is_descriptor(path: str) -> bool:
    """Whether this is the name of an open file of this process, such as a shell makes for `<(command)`."""
    return _DESCRIPTOR.fullmatch(path) is not None


def looks_like_path(text: str) -> bool:
    """Whether a word names a file and not a generator such as "random:4": by its form, or because the file exists."""
    if "/" in text or os.sep in text or (":" not in text and _ENDING.search(text)):
        return True
    if not text or "\0" in text:
        return False
    try:
        return os.path.exists(text)
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def opened(path: str, expected: str, contents: bytes | None = None) -> Iterator[io.BufferedReader]:
    """A context manager: the bytes of a file as a stream. gzip is not unpacked.

    expected: the end of each error sentence, as "expected an edge list, two node ids a line". contents: the bytes, if
    they were read before. Raises InputError, one sentence that names the file, also for errors while the stream is
    read; MissingFileError if there is no file.
    """
    name = plain(path)
    try:
        with _open(path, name, expected, contents) as file:
            yield file
    except FileNotFoundError:
        near = nearest(path, files_beside(path), listed=False)
        raise MissingFileError(f"{name}: no such file; {expected}{near}") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(f"{name}: its gzip packing is broken or cut short") from None
    except OSError as error:
        raise InputError(f"{name}: cannot be read: {error.strerror or 'the system does not say why'}") from None


def _open(path: str, name: str, expected: str, contents: bytes | None) -> io.BufferedReader:
    if contents is not None:
        return io.BufferedReader(_Blocks([contents]))
    if "\0" in path:
        raise InputError(f"{name}: cannot be read: no file name holds a zero byte")
    try:
        os.fsencode(path)
    except UnicodeEncodeError as error:
        where = f"{name}: cannot be read"
        raise InputError(f"{where}: no file name holds the character U+{ord(path[error.start]):04X}") from None
    if path in _pipes:
        return io.BufferedReader(_Blocks(_pipes[path]))
    number = _descriptor(path)
    if number is not None:
        return _open_descriptor(path, number, name, expected)
    try:
        # O_NONBLOCK: opening a FIFO without a writer would wait for ever. It has no effect on regular files.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        # A socket cannot be opened: its kind says more than the error of the system.
        _check_kind(os.stat(path).st_mode, name, expected)
        raise
    try:
        _check_kind(os.fstat(handle).st_mode, name, expected)
    except BaseException:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def _descriptor(path: str) -> int | None:
    found = _DESCRIPTOR.fullmatch(path)
    return int(found[1] or found[2] or 0) if found else None


def _open_descriptor(path: str, number: int, name: str, expected: str) -> io.BufferedReader:
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        raise FileNotFoundError from None
    if stat.S_ISDIR(mode):
        raise InputError(f"{name}: a directory; {expected}")
    if stat.S_ISREG(mode):
        # Opened again by name, it has a position of its own and can be read more than once.
        with contextlib.suppress(OSError):
            return open(path, "rb")
    if os.isatty(number):
        raise InputError(f"{name}: a terminal; expected a file or a pipe behind it, as in < FILE")
    blocks: list[bytes] = []
    size = 0
    while size <= BYTES_MAX and (block := _read_waiting(number)):
        blocks.append(block)
        size += len(block)
    if size > BYTES_MAX:
        raise InputError(f"{name}: larger than the {_size(BYTES_MAX)} that are read")
    _pipes[path] = blocks
    return io.BufferedReader(_Blocks(blocks))


class _Blocks(io.RawIOBase):
    """A stream over blocks of bytes, which are not joined."""

    def __init__(self, blocks: list[bytes]) -> None:
        self._blocks = iter(blocks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._blocks, b""))
        count = min(len(room), len(self._rest))
        room[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _read_waiting(number: int) -> bytes:
    """Read from an open file, and wait for data also where it is set not to block."""
    while True:
        try:
            return os.read(number, BLOCK)
        except BlockingIOError:
            select.select([number], [], [])


def _check_kind(mode: int, name: str, expected: str) -> None:
    if stat.S_ISREG(mode):
        return
    kinds = (
        (stat.S_ISDIR, "a directory"),
        (stat.S_ISFIFO, "not a plain file but a named pipe"),
        (stat.S_ISSOCK, "not a plain file but a socket"),
    )
    kind = next((word for test, word in kinds if test(mode)), "not a plain file but a device")
    raise InputError(f"{name}: {kind}; {expected}")


def read_packed(path: str, expected: str) -> bytes:
    """The contents of a file, packed with gzip, to be kept and read again by `Text`. A file that is packed already is
    left as it is.

    Raises InputError, also for a file that is larger than `BYTES_MAX`. Its size when unpacked is limited by the reader.
    """
    name = plain(path)
    packer = zlib.compressobj(1, wbits=31)
    parts, size = [], 0
    with opened(path, expected) as file:
        packed = file.peek(len(GZIP))[: len(GZIP)] == GZIP
        while block := file.read(BLOCK):
            size += len(block)
            if size > BYTES_MAX:
                raise InputError(f"{name}: larger than the {_size(BYTES_MAX)} that are read")
            parts.append(block if packed else packer.compress(block))
    return b"".join(parts if packed else (*parts, packer.flush()))


class Text:
    """The text of a file, in blocks of whole lines. Can be iterated only once, since each block is freed.

    bytes: size after unpacking. lines: about how many lines it has, counted before they are decoded.
    """

    def __init__(self, path: str, expected: str, bytes_max: int | None = None, contents: bytes | None = None) -> None:
        """Read the file, and unpack it if it is gzip. Raises InputError, also while it is iterated.

        contents: what was read from the file before (`read_packed`); the file itself is then not opened.
        """
        self.name = plain(path)
        self.expected = expected
        limit = BYTES_MAX if bytes_max is None else bytes_max
        self._blocks: deque[bytes] = deque()
        self.bytes = 0
        with opened(path, expected, contents) as file:
            start = file.peek(len(GZIP))[: len(GZIP)]
            stream: Any = gzip.GzipFile(fileobj=file) if start == GZIP else file
            while self.bytes <= limit and (block := stream.read(min(BLOCK, limit + 1))):
                self._blocks.append(block)
                self.bytes += len(block)
        if self.bytes > limit:
            packed = " unpacked" if start == GZIP else ""
            raise InputError(f"{self.name}: larger than the {_size(limit)}{packed} that are read")
        head = self._blocks[0][:4] if self._blocks else b""
        mark, self.encoding = next(((mark, name) for mark, name in BOMS if head.startswith(mark)), (b"", "utf-8"))
        if mark:
            self._blocks[0] = self._blocks[0][len(mark) :]
        self.lines = max(sum(block.count(end) for block in self._blocks) for end in (b"\n", b"\r"))

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """Yields (number of the first line, from 1; text) for each block. All but the last end with a line feed."""
        errors = "surrogateescape" if self.encoding == "utf-8" else "strict"
        decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(self.encoding)(errors), translate=True)
        at, parts, waiting = 1, [""], 0
        while self._blocks:
            block = self._blocks.popleft()
            try:
                text = decoder.decode(block, final=not self._blocks)
            except UnicodeDecodeError:
                raise self._not_text(at) from None
            if "\0" in text:
                line = at + sum(part.count("\n") for part in parts) + text.count("\n", 0, text.index("\0"))
                raise InputError(f"{self.name}:{line}: binary data; {self.expected}")
            end = text.find("\n")
            if waiting + (len(text) if end < 0 else end) > LINE_MAX:
                raise InputError(f"{self.name}:{at}: a line longer than the {_size(LINE_MAX)} that are read")
            cut = text.rfind("\n") + 1
            if cut or not self._blocks:
                cut = cut if self._blocks else len(text)
                whole = "".join((*parts, text[:cut]))
                if whole:
                    yield at, whole
                at += whole.count("\n")
                parts, waiting = [text[cut:]], len(text) - cut
            else:
                parts.append(text)
                waiting += len(text)

    def _not_text(self, at: int) -> InputError:
        return InputError(f"{self.name}:{at}: from this line on, no {self.encoding[:6].upper()} text; {self.expected}")

    def whole(self) -> str:
        """All blocks as one text."""
        return "".join(text for _, text in self)


def check_text(text: str, where: str, expected: str) -> None:
    """Raise InputError if `text` holds a byte that was not UTF-8."""
    if not text.isascii() and any("\ud800" <= ch <= "\udfff" for ch in text):
        raise InputError(f"{where}: no UTF-8 text; {expected}")


def read_toml(path: str, expected: str, bytes_max: int) -> str:
    """The text of a TOML file, for `parse_toml`. Raises InputError if it is missing, longer than `bytes_max`, or no
    text."""
    text = Text(path, expected, bytes_max).whole()
    bad = next((at for at, ch in enumerate(text) if "\ud800" <= ch <= "\udfff"), None) if not text.isascii() else None
    if bad is not None:
        line = text.count("\n", 0, bad) + 1
        raise InputError(f"{plain(path)}: line {line} is not UTF-8 text; {expected}")
    return text


_TOKENS = re.compile(
    r'"""[^"\\]*+(?:(?:\\.|"(?!""))[^"\\]*+)*(?:"""|\Z)'
    r"|'''[^']*+(?:'(?!'')[^']*+)*(?:'''|\Z)"
    r'|"[^"\\\n]*+(?:\\[^\n][^"\\\n]*+)*"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+"
    r"|[\[\]{}.=,\n]",
    re.DOTALL,
)
_OPENS, _CLOSES, _PARTS = "[{", "]}", "=,\n"

_TOML_ERRORS = (
    (r"Cannot overwrite a value|Duplicate inline table key .*", "a key occurs for the second time"),
    (r"Cannot declare .* twice", "a table is declared for the second time"),
    (r"Cannot mutate .*|Cannot redefine .*", "it changes a table or list that was complete already"),
    (r"Escaped character is not .*|Invalid hex value", "an escape in a text is no character"),
    (r"Unescaped .*", "a text has a backslash that begins no escape; in '...' a backslash is only itself"),
    (r"Unterminated string|Expected \"(\"\"\"|'|'''|\")\"|Expected '.*'", "a text in quotes is not closed"),
    (r"Expected '=' after a key.*", "after a key, = and a value are expected"),
    (r"Expected '\]\]' at .*", "the name of a table in a list should end with ]]"),
    (r"Expected '\]' at .*", "the name of a table should end with ]"),
    (r"Expected newline or end of document.*", "after a value, the end of the line is expected"),
    (r"Invalid date or datetime", "no such date or time"),
    (r"Invalid initial character for a key part", "a key of letters, digits, - and _ is expected, or one in quotes"),
    (r"Invalid statement", "a key, a [table] or a comment is expected"),
    (r"Invalid value", "a value is expected: a text in quotes, a number, true, false, a list or a table"),
    (r"Unclosed array", "a list that begins with [ is not closed"),
    (r"Unclosed inline table", "a table that begins with { is not closed"),
    (r"Found invalid character .*|Illegal character .*", "a character that may not stand there"),
    (r"Exceeds the limit .*", "a number of too many digits"),
)
_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|(end of document))\)", re.DOTALL)


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """The table of a TOML text. `where` begins each error sentence. Raises InputError."""
    _check_nesting(text, where)
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise InputError(_too_deep(where)) from None
    except ValueError as error:
        found = _PLACE.fullmatch(str(error))
        what = found[1] if found else str(error)
        place = ""
        if found:
            place = "end of file: " if found[4] else f"line {found[2]}, column {found[3]}: "
        said = next((ours for theirs, ours in _TOML_ERRORS if re.fullmatch(theirs, what, re.DOTALL)), "not understood")
        raise InputError(f"{where}: {place}not TOML: {said}{_character(text, found, said)}") from None
    _check_table(table, where)
    return table


def _character(text: str, found: re.Match[str] | None, said: str) -> str:
    """The character at the place of the error, quoted; its number if it cannot be shown."""
    if found is None or found[4] or not said.startswith("a character"):
        return ""
    lines = text.split("\n")
    line, column = int(found[2]) - 1, int(found[3]) - 1
    if line >= len(lines) or column >= len(lines[line]):
        return ": an end of line"
    ch = lines[line][column]
    return f': "{ch}"' if ch.isprintable() else f": U+{ord(ch):04X}"


def _too_deep(where: str) -> str:
    return f"{where}: not TOML that can be read: nested too deeply, more than {NESTING_MAX} levels"


def _check_nesting(text: str, where: str) -> None:
    """Raise InputError for a text that tomllib would take too long to read: its time grows with the square of the
    depth."""
    depth = dots = header = work = 0
    fresh, in_header = True, False
    for found in _TOKENS.finditer(text):
        token = found[0]
        if token in _OPENS:
            if fresh and not depth:
                in_header, header = True, 0
            depth, dots = depth + 1, 0
        elif token in _CLOSES:
            depth = max(0, depth - 1)
        elif token == ".":
            dots += 1
            header += in_header
        elif token in _PARTS:
            if token == "=":
                work += (header + dots) * (dots + 5)
            if token == "\n" and in_header:
                in_header, depth = False, 0
            dots = 0
        fresh = token == "\n"
        if depth + dots + (0 if in_header else header) > NESTING_MAX or work > NESTING_WORK_MAX:
            raise InputError(_too_deep(f"{where}: line {text.count(chr(10), 0, found.start()) + 1}"))


def _check_table(table: object, where: str) -> None:
    """Raise InputError for tables nested too deeply, and for integers of more than the 64 bits that TOML allows, which
    Python reads but may not print."""
    level: list[object] = [table]
    depth = 0
    while level:
        depth += 1
        if depth > NESTING_MAX:
            raise InputError(_too_deep(where))
        below: list[object] = []
        for value in level:
            if isinstance(value, int) and value.bit_length() > 64:
                raise InputError(f"{where}: a number is too long")
            if isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        level = below


def _size(count: int) -> str:
    return f"{count >> 20} MB" if count >= 1 << 20 else f"{count:,} bytes"
