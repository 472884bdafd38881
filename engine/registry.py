"""Finds the networks: each is a file or a folder in `engine/protocols/`, or a file that a person names (`use_file`).

The docstring of the module that has a network's program is its help; the first line is its title.
"""

from __future__ import annotations

import contextlib
import importlib
import keyword
import linecache
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable
from functools import cache
from hashlib import sha1
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, TypeGuard, get_args

from . import child, protocols
from .api import Component, Message, Peer, Shown, ShownKind
from .commands import SELECTOR_WORDS, VERBS
from .errors import InputError, Place, nearest, place_in_protocol, plain
from .files import opened
from .measure.metrics import GAUGES, SERIES
from .options import allowed_of, option_values
from .programs import components_of, owner_of
from .rules import check, check_source, check_whole, stations_of


@cache
def networks() -> dict[str, type[Peer]]:
    """Name -> the program of an ordinary peer, in the order of names. A file that cannot be imported does no harm to
    the others: `network_named` tells what is wrong with it."""
    found: dict[str, type[Peer]] = {}
    for file in files():
        with contextlib.suppress(Exception):
            found.update(programs_in(file))
    return dict(sorted(found.items()))


def network_faults() -> list[str]:
    """A sentence for each file of networks that cannot be imported or breaks a rule (`rules`)."""
    sentences = []
    for file in files():
        try:
            programs_in(file)
        except Exception as error:
            sentences.append(_import_fault(file, error))
    return sentences


def files() -> list[str]:
    """Names of the files and folders that have networks, in order; then those of `use_file`."""
    return [*(info.name for info in pkgutil.iter_modules(protocols.__path__)), *_given.files]


class _GivenFiles:
    """Lets Python import the files of networks that a person named, as if they were in the folder of networks."""

    def __init__(self) -> None:
        self.files: dict[str, Path] = {}

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        package, _, stem = name.rpartition(".")
        found = self.files.get(stem) if package == protocols.__name__ else None
        return None if found is None else spec_from_file_location(name, found, loader=_Uncached(name, str(found)))


class _Uncached(SourceFileLoader):
    """Compiles the source each time. Compiled files of Python are compared with the source by seconds, and a file that
    is being written may change twice in one second. Nothing is written into the folder of the author."""

    def get_code(self, fullname: str) -> CodeType:
        """See `importlib.abc.InspectLoader`."""
        source = self.get_data(self.path)
        child.loaded[self.path] = sha1(source).hexdigest()
        made: CodeType = self.source_to_code(source, self.path)
        return made


_given = _GivenFiles()


def use_file(path: str) -> type[Peer]:
    """The network in a file outside of the folder of networks, which is executed. From now on it is known by its name,
    here and in processes that are started later. Raises InputError for a file that is no network, and for the name of
    another network."""
    with opened(path, "expected a network, in Python"):
        where = Path(path).resolve()
    shown, stem = plain(path), where.stem
    if str(where.parent) in protocols.__path__:
        return _the_one_in(stem, shown)
    if stem == "__init__":
        raise InputError(f"{shown}: only a network in one file can be named; a folder belongs in engine/protocols")
    if not stem.isidentifier() or keyword.iskeyword(stem):
        raise InputError(f"{shown}: the name of a network's file should be a word that Python can import, as my_net.py")
    if _given.files.get(stem) != where:
        if stem in files():
            raise InputError(f'{shown}: there is another network file of that name, so "{stem}.py" needs another')
        if _given not in sys.meta_path:
            sys.meta_path.append(_given)
        _given.files[stem] = where
        networks.cache_clear()
    try:
        program = _the_one_in(stem, shown)
        # A network called as its file is found without importing the other files; only another name is compared with
        # their names.
        if program.name != stem and program.name in _names_beside(stem):
            raise InputError(f'{shown}: there is another network called "{program.name}"')
    except InputError:
        del _given.files[stem]
        sys.modules.pop(f"{protocols.__name__}.{stem}", None)
        networks.cache_clear()
        raise
    if str(where) not in child.network_files:
        child.network_files.append(str(where))
    return program


def file_of(name: str) -> Path | None:
    """The file outside of the folder of networks that a network comes from, see `use_file`; None for the others."""
    for stem, path in _given.files.items():
        module = sys.modules.get(f"{protocols.__name__}.{stem}")
        if module is not None and any(getattr(value, "name", "") == name for value in _networks_in(module)):
            return path
    return None


def load_again(name: str) -> tuple[type[Peer], Callable[[], None]]:
    """Execute the file of a network (`file_of`) anew. Returns its program as it is there now, and a function that
    restores the former one, for a caller that cannot use the new one. Raises InputError for a file that cannot be used;
    the former program then stays."""
    path = file_of(name)
    if path is None:
        raise InputError(f'the network "{plain(name)}" comes from no file that can be loaded again')
    key = f"{protocols.__name__}.{path.stem}"
    former, digest = sys.modules.pop(key), child.loaded.get(str(path), "")

    def back() -> None:
        sys.modules[key], child.loaded[str(path)] = former, digest
        setattr(protocols, path.stem, former)
        _given.files[path.stem] = path
        networks.cache_clear()

    networks.cache_clear()
    linecache.checkcache(str(path))
    try:
        return use_file(str(path)), back
    except BaseException:
        back()
        raise


def _names_beside(file: str) -> dict[str, None]:
    """Names of the networks in all files but this one."""
    found: dict[str, None] = {}
    for other in files():
        with contextlib.suppress(Exception):
            found.update(dict.fromkeys(programs_in(other) if other != file else ()))
    return found


def _the_one_in(file: str, shown: str) -> type[Peer]:
    try:
        found = programs_in(file)
    except Exception as error:
        raise InputError(_import_fault(file, error)) from error
    if len(found) != 1:
        has = f"has {len(found)} networks ({', '.join(found)}), and one is expected" if found else "has no network"
        raise InputError(f"{shown} {has}: a class that derives from Peer with a name, class Member(Peer, name=...)")
    return next(iter(found.values()))


def programs_in(file: str) -> dict[str, type[Peer]]:
    """The networks in one file or folder, as `networks` gives them. Raises whatever importing it raises, and InputError
    for a program that breaks a rule (`rules`), and for a name that cannot be used (`check_names`)."""
    try:
        module = importlib.import_module(f"{protocols.__name__}.{file}")
    except SystemExit as error:
        raise InputError(_import_fault(file, error)) from error
    found = {value.name: value for value in _networks_in(module)}
    for program in found.values():
        check(classes_of(program))
        check_names(classes_of(program))
    if found:
        _check_whole(module.__name__, tuple(found.values()))
        if file in _given.files:
            check_source(parts_of(tuple(found.values())))
    return found


def _networks_in(module: ModuleType) -> list[type[Peer]]:
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Peer) and "name" in vars(value) and value.name
    ]


@cache
def _check_whole(module: str, programs: tuple[type[Peer], ...]) -> None:
    """See `rules.check_whole`."""
    classes = parts_of(programs)
    own = [kind for kind in messages_of(*classes) if f"{kind.__module__}.".startswith(f"{module}.")]
    check_whole(classes, own)


def parts_of(programs: Iterable[type[Peer]]) -> tuple[type[Peer], ...]:
    """All programs of networks, those without a name included, and their components."""
    classes = dict.fromkeys(one for program in programs for one in classes_of(program))
    parts = dict.fromkeys(part for one in classes for part in components_of(one).values())
    return (*classes, *parts)


def roles_of(program: type[Peer]) -> tuple[type[Peer], ...]:
    """The programs that `Peer.cast` of a network may return: its own, and if it casts, `classes_of` it."""
    return classes_of(program) if casts(program) else (program,)


def classes_of(program: type[Peer]) -> tuple[type[Peer], ...]:
    """The program of a network, and those in its module that have no name of their own and are no components."""
    others = (
        value
        for value in vars(sys.modules[program.__module__]).values()
        if isinstance(value, type)
        and issubclass(value, Peer)
        and value is not Peer
        and not issubclass(value, Component)
    )
    return tuple(dict.fromkeys((program, *(one for one in others if not vars(one).get("name")))))


def casts(program: type[Peer]) -> bool:
    """Whether peers of a network run several programs."""
    return getattr(program.cast, "__func__", None) is not vars(Peer)["cast"].__func__


def network_named(name: str) -> type[Peer] | None:
    """The program of a network; None if there is none of that name. Raises InputError if its file cannot be
    imported."""
    # If possible only its own file is imported: an error in another network then does no harm, and importing all takes
    # a third of the time until the dashboard shows something.
    if name.isidentifier() and name in files():
        try:
            found = programs_in(name).get(name)
        except Exception as error:
            raise InputError(_import_fault(name, error)) from error
        if found is not None:
            return found
    return networks().get(name)


FAULT_MAX = 400
"""Characters of the error sentence for a file that cannot be imported."""


def _import_fault(file: str, error: BaseException) -> str:
    """What is wrong with the file of a network, and where."""
    if isinstance(error, InputError):
        return str(error)
    what = f"{type(error).__name__}: {error}{place_in_protocol(error)}"
    if isinstance(error, SyntaxError) and error.filename:
        what = f"{Path(error.filename).name}:{error.lineno}: {error.msg}"
    return plain(f'the network "{file}" cannot be used: {what}', FAULT_MAX)


def network(name: str) -> type[Peer]:
    """The program of a network. Raises InputError for an unknown name."""
    if (found := network_named(name)) is not None:
        return found
    raise InputError(f'no network is called "{plain(name)}"{nearest(name, networks())}')


def title_of(program: type[Peer]) -> str:
    """The title of a network, in one line."""
    return ((sys.modules[program.__module__].__doc__ or "").strip() or program.name).splitlines()[0].rstrip(".")


def help_of(program: type[Peer]) -> str:
    """The help text of a network, without the title."""
    lines = (sys.modules[program.__module__].__doc__ or "").strip().splitlines()
    return "\n".join(lines[1:]).strip()


def messages_of(*programs: type[Peer]) -> tuple[type[Any], ...]:
    """The kinds of message of a network with these programs, each once.

    Those that the programs' modules name come first, in that order, then others that have a handler, then others that
    are defined in the same module as one of these. The order numbers the kinds, and fingerprints depend on the numbers.
    Components count as programs that come last.
    """
    kinds: dict[type[Any], None] = {}
    programs = (*programs, *(part for program in programs for part in components_of(program).values()))
    for program in programs:
        kinds.update(_messages_in(program.__module__))
    for program in programs:
        handled = (*program.handlers, *program.replies, *program.timeouts)
        kinds.update((kind, None) for kind in handled if _is_message(kind))
    for module in dict.fromkeys(kind.__module__ for kind in kinds):
        kinds.update((kind, None) for kind in _messages_in(module) if kind.__module__ == module)
    return tuple(kinds)


def name_of(kind: type[Any], *programs: type[Peer]) -> str:
    """What a kind of message is called in a network with these programs: `Ping`, or `dht.Ping` of a component."""
    owner = owner_of(kind, *programs)
    return f"{owner}.{kind.kind}" if owner else kind.kind


def _messages_in(module: str) -> dict[type[Any], None]:
    return {value: None for value in vars(sys.modules[module]).values() if _is_message(value)}


def _is_message(value: object) -> TypeGuard[type[Any]]:
    return isinstance(value, type) and issubclass(value, Message) and value is not Message


def programs_of(program: type[Peer], options: Any, peers: int) -> tuple[type[Peer], ...]:
    """All programs that run, or may run, in a network of so many peers: that of its ordinary peers first, those of its
    stations, and those that it casts."""
    stations = (station.program for station in stations_of(program, options, peers))
    return tuple(dict.fromkeys((program, *stations, *roles_of(program))))


NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
"""A name of a shown column, which is used in selectors and in the names of time series."""
TAKEN = {
    **dict.fromkeys(SELECTOR_WORDS, "a word of selectors"),
    **dict.fromkeys((*SERIES, *GAUGES, "bytes_per_s"), "a time series of every network"),
    **dict.fromkeys(VERBS, "a command"),
}
"""Names that mean something in every network already."""


def check_names(programs: Iterable[type[Peer]]) -> None:
    """Raise InputError for a shown column of one network whose name is not possible: it is no word, it means something
    else already, or it is the name of another column."""
    known: dict[str, Shown] = {}
    for program in programs:
        own: dict[str, None] = {}
        line = Place(program)
        for column in program.shows:
            name = str(column.name)
            where = f'the column "{plain(name, 40)}" of {program.__name__}'
            if not NAME.fullmatch(name):
                raise InputError(
                    f"{where} should have a name of small letters, digits and _, such as pieces_left{line}"
                )
            if name in TAKEN:
                raise InputError(f'{where} needs another name: "{name}" is {TAKEN[name]}{line}')
            if column.kind not in get_args(ShownKind):
                raise InputError(
                    f'{where} is no "{plain(column.kind, 40)}"{nearest(str(column.kind), get_args(ShownKind))}{line}'
                )
            if name in own or known.setdefault(name, column).kind != column.kind:
                raise InputError(f"{where} needs another name: there is another column of that name{line}")
            own[name] = None
            for other in known:
                if other.startswith(f"{name}.") or name.startswith(f"{other}."):
                    raise InputError(
                        f'{where} needs another name: beside "{other}" it reads as a value of the other{line}'
                    )


def options_of(program: type[Peer]) -> dict[str, str]:
    """Name -> "default: sentence" for each option."""
    allowed = allowed_of(program.options_type)
    return {name: f"{value}: {allowed[name].about}" for name, value in option_values(program.options_type()).items()}
