"""The settings of a person: `config.toml` in the configuration folder.

An error in it never keeps the program from starting: each is reported in one sentence (file, key, what was expected,
the nearest spelling), and all other settings are used. Flags of the command line override settings. Nothing here
imports Textual.

`load` reads the file; `keep` writes one setting into it and leaves the rest as it is. Keys are taken as they are
written; `keymap.py` knows which there are.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Literal, TypeAlias

from engine import (
    InputError,
    MissingFileError,
    allowed_of,
    dataclass,
    opened,
    option,
    parse_toml,
    plain,
    read_toml,
    read_value,
    shown,
)

from ..draw.styles import MODES, Mode
from .keys import Key

Seen: TypeAlias = dict[str, tuple[int, int, int]]


class Watch:
    """`changed()` says whether the `.toml` files under these paths are others than at the last call. Raises nothing.

    A call costs one `stat`, or one listing with a `stat` for each file: some microseconds. A library that is notified
    by the system would be one more dependency and would not work on all file systems.
    """

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
    # An editor may write a new file and rename it over the old one within one tick of a coarse clock.
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


Density: TypeAlias = Literal["comfortable", "compact"]
SIZE_LIMIT = 65_536


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, and the file that they are from. None means: not set, the code that uses the setting has a default.

    `keys` maps the id of a key in `actions.table.ALL` to Textual's names of the keys that should do it. `complaints`
    are sentences about errors in the file. `Settings()` shows no tour, as tests and benchmarks need it.
    """

    theme: str | None = option(None, "one of: swarmtop themes", example="swarm", names_file=True)
    fps: float | None = option(None, "frames a second at most; fewer over a slow line", low=1, high=120, example="30")
    density: Density = option("comfortable", "comfortable or compact", example="comfortable")
    reduced_motion: bool = option(False, "true: no animations; messages still move", example="false")
    glyphs: Mode | None = option(None, ", ".join(MODES), example="braille")
    tour: bool = option(False, "false: no tour on the first start", example="true")
    keys: Mapping[str, str] = field(default_factory=dict)
    path: Path | None = None
    complaints: tuple[str, ...] = ()


ALLOWED = {name: allowed for name, allowed in allowed_of(Settings).items() if allowed.about}
"""What each setting may be; `keys` is a table and is read by `_keys`."""


def user_file() -> Path:
    """The path of the file, whether or not it exists."""
    import platformdirs

    return platformdirs.user_config_path("swarmtop") / "config.toml"


def load(path: Path | None = None) -> Settings:
    """The settings in the file, as far as they can be read; the defaults when there is no file. Raises nothing."""
    where = path or user_file()
    try:
        return read(read_toml(str(where), "expected a configuration in TOML", SIZE_LIMIT), where)
    except MissingFileError:
        return Settings(tour=True, path=where)
    except InputError as error:
        said = f"{error}; the defaults are used"
    return Settings(tour=True, path=where, complaints=(plain(said, limit=400),))


def read(text: str, where: Path) -> Settings:
    """The settings in the text of a file. Errors become complaints; raises InputError when it is not TOML."""
    data = parse_toml(text, plain(where, 200))
    found: dict[str, object] = {"tour": True, "path": where}
    complaints: list[str] = []
    for name, value in data.items():
        try:
            if name == "keys":
                found[name] = _keys(value, str(where))
            else:
                found[name] = read_value(ALLOWED, name, value, str(where), "setting", also=("keys",))
        except InputError as error:
            complaints.append(str(error))
    return Settings(**found, complaints=tuple(complaints))  # type: ignore[arg-type]


def _keys(value: object, where: str) -> dict[str, str]:
    """`"peer.kill" = "ctrl+k"` and `peer.kill = "ctrl+k"` mean the same: TOML makes a table of the second."""
    if not isinstance(value, dict):
        raise InputError(f"{where}: keys should be a table, [keys], not {shown(value)}")
    flat: dict[str, str] = {}
    for name, keys in value.items():
        inner = {f"{name}.{rest}": key for rest, key in keys.items()} if isinstance(keys, dict) else {name: keys}
        for id_, written in inner.items():
            many = written if isinstance(written, list) else [written]
            if not all(isinstance(key, str) for key in many):
                raise InputError(
                    f'{where}: [keys] "{plain(id_)}" should be a text such as "ctrl+k", not {shown(written)}'
                )
            flat[id_] = ",".join(many)
    return flat


def write_default(path: Path, table: Sequence[Key]) -> bool:
    """Write a file that sets nothing and explains everything, unless there is one. Returns whether one was written.

    Raises OSError.
    """
    if path.exists():
        return False
    real = path.resolve()
    real.parent.mkdir(parents=True, exist_ok=True)
    _replace(real, template(table).encode())
    return True


def template(table: Sequence[Key]) -> str:
    """A config file in which every line is a comment, made of the settings and of the table of keys."""
    lines = [
        "# swarmtop's configuration. Remove the # from what you want to change; it is read again when you save it.",
        "# Flags of the command line override what is set here. Your own themes go into the folder themes/ beside this",
        "# file: one TOML file each, named as the theme.",
        "",
    ]
    for name, allowed in ALLOWED.items():
        value = f'"{allowed.example}"' if allowed.kind is str or allowed.choices else allowed.example
        lines.append(f"{f'# {name} = {value}':<28} # {allowed.about}")
    lines += [
        "",
        '# Keys as Textual names them: "x", "X", "ctrl+k", "f5", "shift+up", "?". Several: "x,delete". None: "".',
        "[keys]",
    ]
    wide = max(len(f'# "{key.id}" = "{key.keys}"') for key in table)
    lines += [f"{f'# {chr(34)}{key.id}{chr(34)} = {chr(34)}{key.keys}{chr(34)}':<{wide}}  # {key.tip}" for key in table]
    return "\n".join(lines) + "\n"


# Writing one setting that was chosen on screen.
#
# tomlkit keeps comments, order and layout. The result is parsed before it is written, and must have the same settings
# as the file before, except for that one; otherwise nothing is written. The file is replaced in one piece, so that no
# reader gets half of it. A symbolic link stays a link: the file that it leads to is replaced.


def keep(path: Path, name: str, value: str | bool, table: Sequence[Key]) -> None:
    """Set `name` to `value` in the file at `path`; where there is none, in a new one made of `template`.

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
        mark = codecs.BOM_UTF8 if before.startswith(codecs.BOM_UTF8) else b""
        after = mark + changed(before.removeprefix(mark).decode("utf-8"), name, value).encode()
        if after != before or not real.exists():
            real.parent.mkdir(parents=True, exist_ok=True)
            _replace(real, after)
    except UnicodeDecodeError:
        raise InputError(f"{path}: this is not UTF-8 text") from None
    except InputError as error:
        raise InputError(f"{path}: {error}" if str(path) not in str(error) else str(error)) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from None


def changed(text: str, name: str, value: str | bool) -> str:
    """The text of a configuration in which `name` has this value. A new setting goes below the comment that offers it,
    or to the top. Raises InputError where the text is not understood, or where another setting would change too."""
    data = parse_toml(text, "the configuration")
    with contextlib.suppress(ValueError, RecursionError):  # tomlkit's errors are ValueErrors
        after = _edited(text, name, value, name in data)
        after.encode()
        if not isinstance(data.get(name), dict) and parse_toml(after, "the configuration") == data | {name: value}:
            return after
    raise InputError(f"{name} = {shown(value)} could not be set without changing something else; set it by hand")


def _edited(text: str, name: str, value: str | bool, there: bool) -> str:
    import tomlkit
    from tomlkit.items import Comment

    document = tomlkit.parse(text)
    if there:
        document[name] = value
        return document.as_string()
    place = 0
    for number, (_, item) in enumerate(document.body, 1):
        line = item.as_string() if isinstance(item, Comment) else ""
        if line.lstrip("# ").startswith((f"{name} =", f"{name}=")) and line.endswith("\n"):
            place = number
            break
    del document.body[place:]
    before = document.as_string()
    added = tomlkit.document()
    added.add(name, tomlkit.item(value))
    return before + added.as_string() + text[len(before) :]


def _replace(path: Path, text: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        os.chmod(name, mode)
        os.replace(name, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
