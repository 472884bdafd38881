"""What a person has settled once and for all: `config.toml` in their own configuration folder.

A slip in it is never a reason not to start: each is told in one sentence (file, key, what was expected, the nearest
spelling), and all the rest is used. Flags of the command line go before it. Nothing here imports Textual, and a person
without such a file pays for one look at the disk.

Keys are taken as they are written and understood by `keymap.py`, which knows which there are.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from engine import InputError, MissingFileError, nearest, opened, parse_toml, plain, read_toml

if TYPE_CHECKING:
    from ..draw.styles import Mode
    from .keys import Key

# Whether a file, or the files of a folder, have been saved since somebody last looked.
#
# Looking is one `stat`, or one listing with a `stat` a file: some microseconds, once a second, which no figure shows. A
# library that is told by the system would be one more dependency, and would not work on all file systems.

Seen: TypeAlias = dict[str, tuple[int, int, int]]


class Watch:
    """`changed()` says whether the `.toml` files under these paths are others than at the last call. Raises nothing."""

    def __init__(self, *paths: Path) -> None:
        self.paths = paths
        self._seen = self._look()

    def changed(self) -> bool:
        """Whether one was saved, made, renamed or deleted."""
        before, self._seen = self._seen, self._look()
        return before != self._seen

    def _look(self) -> Seen:
        seen: Seen = {}
        for path in self.paths:
            try:
                if path.is_dir():
                    with os.scandir(path) as entries:
                        seen |= {entry.path: _mark(entry.stat()) for entry in entries if entry.name.endswith(".toml")}
                else:
                    seen[str(path)] = _mark(path.stat())
            except OSError:
                continue
        return seen


def _mark(stat: os.stat_result) -> tuple[int, int, int]:
    # An editor may write a new file and rename it over the old one, within one tick of a coarse clock.
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


Density: TypeAlias = Literal["comfortable", "compact"]
DENSITIES: tuple[Density, ...] = ("comfortable", "compact")
GLYPHS: tuple[Mode, ...] = ("braille", "block", "ascii")
FPS_LEAST, FPS_MOST = 1, 120
SIZE_LIMIT = 65_536


@dataclass(frozen=True, slots=True)
class Settings:
    """What a config file may say. None: it says nothing, and whoever asks has a default of their own.

    `keys` holds what was written under `[keys]`: the id of a key in `keys.ALL`, and Textual's names of the keys that
    should do it. `tour` is whether a first start shows the tour. `complaints` are sentences. What is made without a
    file is quiet: no tour, as tests and benchmarks want it.
    """

    theme: str | None = None
    fps: float | None = None
    density: Density = "comfortable"
    reduced_motion: bool = False
    glyphs: Mode | None = None
    tour: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)
    path: Path | None = None
    complaints: tuple[str, ...] = ()


def user_file() -> Path:
    """Where it is, or would be."""
    import platformdirs

    return platformdirs.user_config_path("swarmtop") / "config.toml"


def load(path: Path | None = None) -> Settings:
    """What the file says, as far as it can be understood; the defaults when there is none. Raises nothing."""
    where = path or user_file()
    try:
        return read(read_toml(str(where), "expected a configuration in TOML", SIZE_LIMIT), where)
    except MissingFileError:
        return Settings(tour=True, path=where)
    except InputError as error:
        said = f"{error}; the defaults are used"
    return Settings(tour=True, path=where, complaints=(plain(said, limit=400),))


def read(text: str, where: Path) -> Settings:
    """Understand the text of a file. What is wrong in it is a complaint; raises InputError when it is not TOML."""
    data = parse_toml(text, plain(where, 200))
    found: dict[str, object] = {"tour": True, "path": where}
    complaints: list[str] = []
    for name, value in data.items():
        try:
            if name not in READERS:
                raise InputError(f'there is no "{plain(name)}"{nearest(name, READERS)}')
            found[name] = READERS[name](value)
        except InputError as error:
            complaints.append(plain(f"{where}: {error}", limit=400))
    return Settings(**found, complaints=tuple(complaints))  # type: ignore[arg-type]


def _text(name: str) -> Callable[[object], str]:
    def read_text(value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise InputError(f"{name} should be a text in quotes, not {shown(value)}")
        return value.strip()

    return read_text


def _one_of(name: str, words: tuple[str, ...]) -> Callable[[object], str]:
    def read_word(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            close = nearest(value, words) if isinstance(value, str) else ""
            raise InputError(f"{name} should be {' or '.join(words)}, not {shown(value)}{close}")
        return value

    return read_word


def _switch(name: str) -> Callable[[object], bool]:
    def read_switch(value: object) -> bool:
        if not isinstance(value, bool):
            raise InputError(f"{name} should be true or false, not {shown(value)}")
        return value

    return read_switch


def _fps(value: object) -> float:
    # Compared as it is: an integer of a thousand digits has no float, and nan lies between no two numbers.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not FPS_LEAST <= value <= FPS_MOST:
        raise InputError(f"fps should be a number from {FPS_LEAST} to {FPS_MOST}, not {shown(value)}")
    return float(value)


def _keys(value: object) -> dict[str, str]:
    """`"peer.kill" = "ctrl+k"` and `peer.kill = "ctrl+k"` mean the same: TOML makes a table of the second."""
    if not isinstance(value, dict):
        raise InputError(f"keys should be a table, [keys], not {shown(value)}")
    flat: dict[str, str] = {}
    for name, keys in value.items():
        inner = {f"{name}.{rest}": key for rest, key in keys.items()} if isinstance(keys, dict) else {name: keys}
        for id_, written in inner.items():
            many = written if isinstance(written, list) else [written]
            if not all(isinstance(key, str) for key in many):
                raise InputError(f'[keys] "{plain(id_)}" should be a text such as "ctrl+k", not {shown(written)}')
            flat[id_] = ",".join(many)
    return flat


READERS: dict[str, Callable[[object], object]] = {
    "theme": _text("theme"),
    "fps": _fps,
    "density": _one_of("density", DENSITIES),
    "reduced_motion": _switch("reduced_motion"),
    "glyphs": _one_of("glyphs", GLYPHS),
    "tour": _switch("tour"),
    "keys": _keys,
}
assert set(READERS) == {f.name for f in fields(Settings)} - {"path", "complaints"}


def shown(value: object) -> str:
    """A value in a sentence. Never its repr: that of a deep table or of a huge number raises."""
    if isinstance(value, str):
        return f'"{plain(value, limit=40)}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < 10**12):
        return f"{value:g}"
    return {int: "a number", list: "a list", dict: "a table"}.get(type(value), "a date or time")


def write_default(path: Path, table: Sequence[Key]) -> bool:
    """Write a file that says nothing yet and explains everything, unless there is one. Whether one was written.

    Raises OSError.
    """
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(template(table), encoding="utf-8")
    return True


def template(table: Sequence[Key]) -> str:
    """A config file in which every line is a comment, made of the table of keys."""
    lines = [
        "# swarmtop's configuration. Take the # away from what you want to change; it is read again when you save it.",
        "# Flags of the command line go before what is said here. Themes of your own go into the folder themes/ beside",
        "# this file: one TOML each, called what its file is called.",
        "",
        '# theme = "swarm"            # one of: swarmtop themes',
        "# fps = 30                   # frames a second at most; fewer over a slow line",
        f'# density = "comfortable"    # {" or ".join(DENSITIES)}',
        "# reduced_motion = false     # true: peers do not move gradually and nothing blinks",
        f'# glyphs = "braille"         # {", ".join(GLYPHS)}',
        "# tour = true                # false: no tour on the first start",
        "",
        '# Keys as Textual names them: "x", "X", "ctrl+k", "f5", "shift+up", "?". Several: "x,delete". None: "".',
        "[keys]",
    ]
    wide = max(len(f'# "{key.id}" = "{key.keys}"') for key in table)
    lines += [f"{f'# {chr(34)}{key.id}{chr(34)} = {chr(34)}{key.keys}{chr(34)}':<{wide}}  # {key.tip}" for key in table]
    return "\n".join(lines) + "\n"


# Keep what was chosen on screen: one line of the person's own configuration, and not a letter more.
#
# The file is the person's: its comments, its order and what is not understood in it stay as they are. What comes out is
# read again before it is written, and must say what was said before but for that one line; where it would not, nothing
# is written. It is replaced in one piece, so that nobody ever finds half of it, and behind a link it is the file that
# the link leads to.


def keep(path: Path, name: str, value: str | bool, table: Sequence[Key]) -> None:
    """Have the file at `path` say `name = value` at its top level; where there is none, one that explains itself
    and the keys of this table.

    Raises InputError, in a sentence, where that cannot be done.
    """
    real = path.resolve()
    try:
        if real.exists():
            with opened(str(real), "expected a configuration in TOML") as file:
                before = file.read(SIZE_LIMIT + 1)
        else:
            before = template(table).encode()
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
