"""The networks there are: one file each in `engine/protocols/`, found by looking into the folder.

A network's file is its own documentation: the first line of its docstring is its title, the rest its help.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from dataclasses import fields
from functools import cache
from typing import Any

from . import protocols
from .api import Message, Peer
from .errors import InputError, nearest, plain


@cache
def networks() -> dict[str, type[Peer]]:
    """Name -> the program of an ordinary peer, in the order of names."""
    found: dict[str, type[Peer]] = {}
    for info in pkgutil.iter_modules(protocols.__path__):
        found.update(_programs(info.name))
    return dict(sorted(found.items()))


def _programs(file: str) -> dict[str, type[Peer]]:
    module = importlib.import_module(f"{protocols.__name__}.{file}")
    return {
        value.name: value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Peer) and "name" in vars(value) and value.name
    }


def network(name: str) -> type[Peer]:
    """The program of a network. Raises InputError for an unknown name."""
    # Its own file first: one network must not wait for, or fail with, all the others.
    if name.isidentifier() and any(info.name == name for info in pkgutil.iter_modules(protocols.__path__)):
        found = _programs(name)
        if name in found:
            return found[name]
    if name in networks():
        return networks()[name]
    raise InputError(f'no network is called "{plain(name)}"{nearest(name, networks())}')


def title_of(program: type[Peer]) -> str:
    """One line for the picker."""
    return (sys.modules[program.__module__].__doc__ or program.name).strip().splitlines()[0].rstrip(".")


def help_of(program: type[Peer]) -> str:
    """What the file says of its network, less the title."""
    lines = (sys.modules[program.__module__].__doc__ or "").strip().splitlines()
    return "\n".join(lines[1:]).strip()


def messages_of(*programs: type[Peer]) -> tuple[type[Any], ...]:
    """The kinds of message that peers with these programs speak: those of the programs' files, in the order in which
    the files define them, then those that only their handlers mention."""
    kinds: dict[type[Any], None] = {}
    for program in programs:
        kinds.update((v, None) for v in vars(sys.modules[program.__module__]).values() if _is_message(v))
    for program in programs:
        kinds.update((kind, None) for kind in program.handlers if _is_message(kind))
    return tuple(kinds)


def _is_message(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Message) and value is not Message


def options_of(program: type[Peer]) -> dict[str, str]:
    """Name -> "default: sentence" for each option."""
    return {f.name: f"{f.default}: {f.metadata.get('about', '')}" for f in fields(program.options_type)}
