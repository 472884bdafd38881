"""What may be done to a swarm, as values. One door takes them: `Swarm.do`.

A `peers` field is a selector ("p017", "#3", "role=index", "random 10%"), a PeerId or a sequence of them.
Verbs stand in pairs; what each does and what others notice of it is told in its docstring.
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, replace
from typing import Any, ClassVar, TypeAlias

from .api import PeerId, Want
from .errors import InputError, nearest, plain

Peers: TypeAlias = str | PeerId | Sequence[PeerId]
TEXT_MAX = 100_000
"""Characters of a text in a command: a selector may name many peers one by one."""
SIDES = ("city", "role", "operator")
"""What a partition can go by."""


@dataclass(frozen=True, slots=True)
class Command:
    """Base. `verb` is its name on the command line, in a scenario and in a recording.

    Texts are made harmless here, whether a person typed them, or a file, a recording or a program said them; a spec of
    churn is left as it is, since it may name a file.
    """

    verb: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name in (f.name for f in fields(self)):
            value = getattr(self, name)
            if isinstance(value, str) and not (name == "value" and getattr(self, "name", "") == "churn"):
                object.__setattr__(self, name, plain(value, limit=TEXT_MAX))


@dataclass(frozen=True, slots=True)
class Kill(Command):
    """The process dies and its memory goes; its disk stays. Streams close after one latency."""

    verb: ClassVar[str] = "kill"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Revive(Command):
    """Start a dead peer again, from its disk."""

    verb: ClassVar[str] = "revive"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Leave(Command):
    """Goodbye, politely: the protocol's own farewell."""

    verb: ClassVar[str] = "leave"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Join(Command):
    """Come back after a leave, from disk."""

    verb: ClassVar[str] = "join"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Censor(Command):
    """An authority blocks the peer: all that it sends or should get vanishes. It lives on. Others see silence."""

    verb: ClassVar[str] = "censor"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Uncensor(Command):
    """Lift the block."""

    verb: ClassVar[str] = "uncensor"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Shutdown(Command):
    """All peers of one operator are killed, by court order."""

    verb: ClassVar[str] = "shutdown"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Reopen(Command):
    """The operator's peers start again."""

    verb: ClassVar[str] = "reopen"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Collude(Command):
    """The peer itself enforces a ban on a word, but for a share `leak` (0..1) that slips through."""

    verb: ClassVar[str] = "collude"
    peers: Peers = ""
    word: str = ""
    leak: float = 0.0


@dataclass(frozen=True, slots=True)
class Defect(Command):
    """Stop enforcing any ban."""

    verb: ClassVar[str] = "defect"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Poison(Command):
    """The peer claims to have everything and serves decoys. They verify; only the user who opens one can tell."""

    verb: ClassVar[str] = "poison"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Cure(Command):
    """The peer shares again what it has, and nothing else."""

    verb: ClassVar[str] = "cure"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Partition(Command):
    """Messages between these peers and all others vanish. Repeated, it splits further. `by`, one of "city", "role"
    and "operator", splits these peers among themselves as well: each city is a side of its own."""

    verb: ClassVar[str] = "partition"
    peers: Peers = ""
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Heal(Command):
    """All partitions end."""

    verb: ClassVar[str] = "heal"


@dataclass(frozen=True, slots=True)
class Hold(Command):
    """Freeze what is on the links between these peers, to be looked at. Of a single peer, all of its links."""

    verb: ClassVar[str] = "hold"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Release(Command):
    """What is held on the links between these peers goes on, in order. Of a single peer, on all of its links."""

    verb: ClassVar[str] = "release"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Arrive(Command):
    """Newcomers, who were never there before, find their way in: `count` of them within `over_s` seconds. They know the
    bootstrap peers, or those that `via` names; `operator` runs them, if they are not users of their own."""

    verb: ClassVar[str] = "arrive"
    count: int = 1
    over_s: float = 0.0
    operator: str | None = None
    via: str | None = None


@dataclass(frozen=True, slots=True)
class Depart(Command):
    """These peers go for good within `over_s` seconds, a share `polite` of them (0..1) with a goodbye."""

    verb: ClassVar[str] = "depart"
    peers: Peers = ""
    over_s: float = 0.0
    polite: float = 1.0


@dataclass(frozen=True, slots=True)
class Attack(Command):
    """A preset of `world.attacks`, which says what its fields mean and what they are when they are left out. It expands
    to other commands, some of them later, which the seed decides."""

    verb: ClassVar[str] = "attack"
    name: str = ""
    peers: Peers | None = None
    share: float | None = None
    count: int | None = None
    over_s: float | None = None
    means: str | None = None
    whom: str | None = None
    word: str | None = None
    leak: float | None = None
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class CallOff(Command):
    """What attacks have still to do is given up, of all that are under way or of those that `name` names. What they did
    stands, until the verbs that they did it with are taken back."""

    verb: ClassVar[str] = "calloff"
    name: str | None = None


@dataclass(frozen=True, slots=True)
class AskFor(Command):
    """A user at each of these peers wants `text`; `want` defaults to what the network is for."""

    verb: ClassVar[str] = "ask"
    peers: Peers = ""
    text: str = ""
    want: Want | None = None


@dataclass(frozen=True, slots=True)
class Publish(Command):
    """A user at each of these peers shares a new file called `text`."""

    verb: ClassVar[str] = "publish"
    peers: Peers = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Set(Command):
    """Change a parameter while it runs: `churn` (a spec), `polite` (0..1), `arrivals` (a spec), `loss` (0..1),
    `latency` (a factor), `jitter` (ms), `capacity` (a factor on the lines, if the run has any), `asks` (per second), or
    an option of the protocol."""

    verb: ClassVar[str] = "set"
    name: str = ""
    value: Any = None


@dataclass(frozen=True, slots=True)
class Court(Command):
    """A court sits: whoever answers an ask is censored `after_s` seconds of virtual time later. Repeated, it changes
    its pace."""

    verb: ClassVar[str] = "court"
    after_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Adjourn(Command):
    """The court rises: orders not served yet lapse, those that were stand."""

    verb: ClassVar[str] = "adjourn"


VERBS: dict[str, type[Command]] = {
    c.verb: c
    for c in (
        Kill,
        Revive,
        Leave,
        Join,
        Censor,
        Uncensor,
        Shutdown,
        Reopen,
        Collude,
        Defect,
        Poison,
        Cure,
        Partition,
        Heal,
        Hold,
        Release,
        Arrive,
        Depart,
        Attack,
        CallOff,
        AskFor,
        Publish,
        Set,
        Court,
        Adjourn,
    )
}


def resolved(command: Command, named: Mapping[str, Sequence[PeerId]]) -> Command:
    """The same with its selectors replaced by the peers that they named."""
    whom = {f.name: getattr(command, f.name) for f in fields(command) if names_peers(f)}
    found = {name: named[peers] for name, peers in whom.items() if isinstance(peers, str) and peers in named}
    return replace(command, **found)


def names_peers(f: Field[Any]) -> bool:
    """Whether a field of a command says whom it is about."""
    return "Peers" in str(f.type)


def command_from(verb: str, values: Mapping[str, object], where: str) -> Command:
    """A command by its name and fields, as a scenario or a recording has them. Raises InputError."""
    kind = VERBS.get(verb)
    if kind is None:
        raise InputError(f'{where}: no command is called "{plain(verb)}"{nearest(verb, VERBS)}')
    known = {f.name: f for f in fields(kind)}
    for name, value in values.items():
        if name not in known:
            raise InputError(f'{where}: "{verb}" has no field "{plain(name)}"{nearest(name, known)}')
        # A list of peers has no spelling in a file: there it is a selector.
        _hold(known[name], value, f'{where}: "{name}" of "{verb}"', lists=False)
    for name, f in known.items():
        if name not in values and f.default in ("", MISSING):
            raise InputError(f'{where}: "{verb}" needs "{name}"')
    return kind(**values)


def check(command: Command) -> None:
    """Raise InputError unless each field of a command holds what its type says; ranges are for who carries it out."""
    for f in fields(command):
        _hold(f, getattr(command, f.name), f"{command.verb}: {f.name}")


def _hold(f: Field[Any], value: object, where: str, *, lists: bool = True) -> None:
    """Raise InputError unless a field may hold a value."""
    kind = str(f.type)
    if kind == "Any" or (value is None and f.default is None):
        return
    if "Peers" in kind:
        many = isinstance(value, Sequence) and lists and all(map(_is_whole, value))
        if not (isinstance(value, str) or _is_whole(value) or many):
            raise InputError(f'{where} should be a text such as "random 10%", not {_shown(value)}')
    elif "str" in kind or "Want" in kind:
        if not isinstance(value, str):
            raise InputError(f"{where} should be a text, not {_shown(value)}")
    elif "float" in kind:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise InputError(f"{where} should be a number, not {_shown(value)}")
    elif not _is_whole(value):
        raise InputError(f"{where} should be a whole number, not {_shown(value)}")


def _is_whole(value: object) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _shown(value: object) -> str:
    return f'"{plain(value, 40)}"' if isinstance(value, str) else plain(value, 40)
