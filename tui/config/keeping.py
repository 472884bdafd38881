"""Keep what was chosen on screen: one line of the person's own configuration, and not a letter more.

The file is the person's: its comments, its order and what is not understood in it stay as they are. What comes out is
read again before it is written, and must say what was said before but for that one line; where it would not, nothing is
written. It is replaced in one piece, so that nobody ever finds half of it, and behind a link it is the file that the
link leads to.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path

from engine import InputError, opened, parse_toml

from .settings import SIZE_LIMIT, template


def keep(path: Path, name: str, value: str | bool) -> None:
    """Have the file at `path` say `name = value` at its top level; where there is none, one that explains itself.

    Raises InputError, in a sentence, where that cannot be done.
    """
    real = path.resolve()
    try:
        if real.exists():
            with opened(str(real), "expected a configuration in TOML") as file:
                before = file.read(SIZE_LIMIT + 1)
        else:
            before = template().encode()
        if len(before) > SIZE_LIMIT:
            raise InputError(f"{path}: this is too long for a configuration")
        after = changed(before.decode("utf-8"), name, value)
        if after.encode() != before or not real.exists():
            real.parent.mkdir(parents=True, exist_ok=True)
            _replace(real, after)
    except UnicodeDecodeError:
        raise InputError(f"{path}: this is not UTF-8 text") from None
    except InputError as error:
        raise InputError(f"{path}: {error}" if str(path) not in str(error) else str(error)) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None


def changed(text: str, name: str, value: str | bool) -> str:
    """A configuration in which `name` has this value; its line is changed, or stands where a comment offers it, or on
    top. Raises InputError where the text is not understood, or would be another one."""
    data = parse_toml(text, "the configuration")
    written = ("true" if value else "false") if isinstance(value, bool) else _quoted(value)
    lines = text.splitlines(keepends=True)
    top = next((n for n, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    said = re.compile(rf"(\s*(?:{name}|\"{name}\"|'{name}')\s*=\s*)([^#\n\r]*?)(\s*(?:#.*)?[\n\r]*)$")
    offered = re.compile(rf"#\s*{name}\s*=\s*\S+")
    for number in range(top):
        if name in data and (found := said.match(lines[number])):
            lines[number] = f"{found[1]}{written}{found[3]}"
            break
    else:
        at = next((number + 1 for number in range(top) if offered.match(lines[number])), 0)
        lines.insert(at, f"{name} = {written}\n")
    after = "".join(lines)
    with contextlib.suppress(ValueError, RecursionError):
        if parse_toml(after, "the configuration") == data | {name: value}:
            return after
    raise InputError(f"{name} = {written} could not be put in without changing something else; put it there by hand")


def _quoted(value: str) -> str:
    """As a basic string: what a name may have in it is told by its number."""
    return '"' + "".join(ch if ch.isprintable() and ch not in '"\\' else f"\\U{ord(ch):08X}" for ch in value) + '"'


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        os.chmod(name, mode)
        os.replace(name, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
