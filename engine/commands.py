"""What may be done to a swarm, as values. All of them go through `Swarm.do`.

A `peers` field is a selector ("p017", "#3", "role=index", "random 10%"), a PeerId or a sequence of them. The docstring
of a command says what it does and what other peers notice. `UNDO` says which verb takes back which.
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, field, fields, replace
from functools import cache
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from .api import Peer, PeerId, goals_to_ask
from .errors import InputError, nearest, plain, shown
from .values import dataclass

Peers: TypeAlias = str | PeerId | Sequence[PeerId]
FieldKind: TypeAlias = Literal["peers", "text", "number", "whole", "flag", "values", "any"]
"""What a field of a command holds, apart from None where that is its default."""

TEXT_MAX = 100_000
"""Characters of a text in a command: a selector may name many peers one by one."""
SIDES = ("city", "role", "operator")
"""The traits by which a partition can divide peers."""

ASKS_PER_S_MAX = 10_000.0
COURT_S_MAX = 86_400.0
JITTER_MS_MAX = 600_000.0
SET_WORLD = ("churn", "polite", "arrivals", "loss", "latency", "jitter", "capacity", "asks")
"""Parameters that `Set` changes besides the options of the protocol."""
SET_RANGES: Mapping[str, tuple[float, float]] = {
    "polite": (0.0, 1.0),
    "loss": (0.0, 0.99),
    "latency": (0.001, 1_000.0),
    "jitter": (0.0, JITTER_MS_MAX),
    "capacity": (0.001, 1_000.0),
    "asks": (0.0, ASKS_PER_S_MAX),
}
"""Those that are numbers: the least and the greatest value."""

SELECTOR_KEYS = ("role", "state", "city", "operator", "degree", "load", "nat", "betweenness", "uptime")
SELECTOR_MEASURES = ("degree", "load", "betweenness", "uptime")
SELECTOR_LEADING = ("random", "top", "holds", "keeps", "not", "all", "near", "bootstrap", "newcomers")
SELECTOR_JOINING = ("and", "or")
SELECTOR_WORDS = (*SELECTOR_KEYS, *SELECTOR_LEADING, *SELECTOR_JOINING, "peers")
"""Words with a meaning in the selectors that name the peers of a command, see `analysis.selectors`: no column of a
network may be called so."""


@dataclass(frozen=True, slots=True)
class Command:
    """Base of all commands. `verb` is its name on the command line, in a scenario and in a recording.

    Control characters and the like are taken out of texts here (`errors.plain`), wherever they come from. A churn spec
    is left as it is, since it may name a file.
    """

    verb: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name in (f.name for f in fields(self)):
            value = getattr(self, name)
            if isinstance(value, str) and not (name == "value" and getattr(self, "name", "") == "churn"):
                object.__setattr__(self, name, plain(value, limit=TEXT_MAX))
            elif name == "values" and isinstance(value, Mapping):
                made = {at: plain(one, limit=TEXT_MAX) if isinstance(one, str) else one for at, one in value.items()}
                object.__setattr__(self, name, made)


@dataclass(frozen=True, slots=True)
class Kill(Command):
    """The process is killed: its memory is lost, its disk is kept. Streams close after one latency."""

    verb: ClassVar[str] = "kill"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Revive(Command):
    """Start a dead peer again, from its disk."""

    verb: ClassVar[str] = "revive"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Leave(Command):
    """The peer leaves as its protocol says: with a goodbye, where there is a message for that."""

    verb: ClassVar[str] = "leave"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Join(Command):
    """A peer that left starts again, from its disk."""

    verb: ClassVar[str] = "join"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Censor(Command):
    """All messages from and to the peer are lost. It runs on; others get no answer, so only a timeout shows it."""

    verb: ClassVar[str] = "censor"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Uncensor(Command):
    """Lift the block."""

    verb: ClassVar[str] = "uncensor"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Shutdown(Command):
    """All peers of one operator are killed. Others notice the same as with `Kill`."""

    verb: ClassVar[str] = "shutdown"
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Reopen(Command):
    """The dead peers of the operator start again, and belong to the operator `under` from then on, if it is given: a
    site that was seized is put up again by somebody else."""

    verb: ClassVar[str] = "reopen"
    operator: str = ""
    under: str | None = None


@dataclass(frozen=True, slots=True)
class Collude(Command):
    """The peer enforces a ban on a word: it neither answers nor passes on what contains the word, except for a share
    `leak` (0..1) of the asks."""

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
    """The peer claims to have every file and serves decoys. Their hashes are correct; only a user who opens one notices
    it. `weak`: a decoy has the size of the genuine file and its weak hash (`api.File.weak`), so networks that identify
    a file by such a hash take it for the genuine file."""

    verb: ClassVar[str] = "poison"
    peers: Peers = ""
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Cure(Command):
    """The peer serves no more decoys: it shares what it has."""

    verb: ClassVar[str] = "cure"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Partition(Command):
    """Messages between these peers and all others are lost. Given again, it splits further. `by`, one of "city",
    "role" and "operator", splits these peers among themselves as well: each city is a side of its own."""

    verb: ClassVar[str] = "partition"
    peers: Peers = ""
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Heal(Command):
    """All partitions end."""

    verb: ClassVar[str] = "heal"


@dataclass(frozen=True, slots=True)
class Hold(Command):
    """Stop all messages on the links between these peers, so that they can be looked at; for a single peer, on all of
    its links."""

    verb: ClassVar[str] = "hold"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Release(Command):
    """Messages held on the links between these peers go on, in order; for a single peer, on all of its links."""

    verb: ClassVar[str] = "release"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Cut(Command):
    """Cut the links between these peers; for a single peer, all of its links. Streams on them break at once, which both
    ends notice, and none can be opened; what is sent over a stream is refused, and datagrams are lost."""

    verb: ClassVar[str] = "cut"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Mend(Command):
    """The links between these peers can be used again; for a single peer, all of its links. Streams stay closed until a
    peer opens them; only cables between routers are open again at once."""

    verb: ClassVar[str] = "mend"
    peers: Peers = ""


@dataclass(frozen=True, slots=True)
class Act(Command):
    """Do something that only this network has: `name` is a verb of the peers' program (`swarmtop protocols NAME` lists
    them), and `values` are the values that the verb takes."""

    verb: ClassVar[str] = "act"
    peers: Peers = ""
    name: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Arrive(Command):
    """`count` new peers start within `over_s` seconds. They know the bootstrap peers, or those that the selector `via`
    names; `operator`, if given, runs them."""

    verb: ClassVar[str] = "arrive"
    count: int = 1
    over_s: float = 0.0
    operator: str | None = None
    via: str | None = None


@dataclass(frozen=True, slots=True)
class Depart(Command):
    """These peers leave for good within `over_s` seconds; a share `polite` (0..1) says goodbye, the others die."""

    verb: ClassVar[str] = "depart"
    peers: Peers = ""
    over_s: float = 0.0
    polite: float = 1.0


@dataclass(frozen=True, slots=True)
class Attack(Command):
    """A preset of `control.attacks`, which says what its fields mean and what their defaults are. It expands to other
    commands, some of them at later times that follow from the seed."""

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
    """Running attacks, all or those called `name`, do nothing more. What they have done stays until it is undone by the
    opposite commands."""

    verb: ClassVar[str] = "calloff"
    name: str | None = None


@dataclass(frozen=True, slots=True)
class AskFor(Command):
    """A user at each of these peers wants `text`; `goal` is the name of a goal of the network, by default its first."""

    verb: ClassVar[str] = "ask"
    peers: Peers = ""
    text: str = ""
    goal: str | None = None


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
    """From now on each peer that answers an ask is censored `after_s` seconds of virtual time later. Given again, it
    changes the delay."""

    verb: ClassVar[str] = "court"
    after_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Adjourn(Command):
    """End of `Court`: orders that are not carried out yet are dropped; peers that were censored stay so."""

    verb: ClassVar[str] = "adjourn"


VERBS: dict[str, type[Command]] = {
    it.verb: it for it in tuple(globals().values()) if isinstance(it, type) and issubclass(it, Command) and it.verb
}
"""Every command of this module by its verb, in the order of their definition."""

UNDO: dict[str, str] = {
    "kill": "revive",
    "leave": "join",
    "censor": "uncensor",
    "shutdown": "reopen",
    "collude": "defect",
    "poison": "cure",
    "partition": "heal",
    "hold": "release",
    "cut": "mend",
    "court": "adjourn",
    "attack": "calloff",
}
"""Verb -> the verb that takes it back. An attack that is called off does nothing more; what it did, and what the orders
of a court did, is undone by the opposite of each command. "ask", "publish", "set", "arrive" and "depart" have no
opposite; the opposite of "act" is stated by the network, see `api.verb`."""

_KINDS: dict[frozenset[Any], FieldKind] = {
    frozenset(get_args(Peers)): "peers",
    frozenset((str,)): "text",
    frozenset((float,)): "number",
    frozenset((int,)): "whole",
    frozenset((bool,)): "flag",
    frozenset((Mapping[str, Any],)): "values",
    frozenset((Any,)): "any",
}
"""The members of the type of a field, None left out."""


def _kind(hint: Any) -> FieldKind:
    members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return _KINDS[frozenset(members) - {NoneType}]


@cache
def field_kinds(verb: str) -> dict[str, FieldKind]:
    """What each field of a command holds, by its name, from the annotations. They are resolved when a verb is first
    used: doing that for all of them takes milliseconds of each start."""
    types = get_type_hints(VERBS[verb])
    return {f.name: _kind(types[f.name]) for f in fields(VERBS[verb])}


def resolved(command: Command, named: Mapping[str, Sequence[PeerId]]) -> Command:
    """The same command with each selector replaced by the peers that it named. named: selector -> these peers."""
    selectors = {name: getattr(command, name) for name, kind in field_kinds(command.verb).items() if kind == "peers"}
    found = {name: named[it] for name, it in selectors.items() if isinstance(it, str) and it in named}
    return replace(command, **found)


EARLIER_FIELDS = {("ask", "want"): "goal"}
"""(verb, earlier name of a field) -> its present name. Files may still have the earlier names."""


def command_from(verb: str, values: Mapping[str, object], where: str) -> Command:
    """A command by its name and fields, as a scenario or a recording has them. Raises InputError."""
    kind = VERBS.get(verb)
    if kind is None:
        raise InputError(f'{where}: no command is called "{plain(verb)}"{nearest(verb, VERBS)}')
    known = {f.name: f for f in fields(kind)}
    values = {EARLIER_FIELDS.get((verb, name), name): value for name, value in values.items()}
    for name, value in values.items():
        if name not in known:
            raise InputError(f'{where}: "{verb}" has no field "{plain(name)}"{nearest(name, known)}')
        # A file cannot have a list of peers: there it is a selector.
        _check_field(verb, known[name], value, f'{where}: "{name}" of "{verb}"', lists=False)
    for name, f in known.items():
        if name not in values and f.default in ("", MISSING) and f.default_factory is MISSING:
            raise InputError(f'{where}: "{verb}" needs "{name}"')
    return kind(**values)


def check_goal(command: AskFor, network: type[Peer], where: str) -> None:
    """Raise InputError unless the network has the goal that an ask names, and users can ask for it (`goals_to_ask`)."""
    if command.goal is None:
        return
    goals = {goal.name: goal for goal in network.goals}
    name = plain(command.goal, 40)
    if command.goal not in goals:
        raise InputError(f'{where}: {network.name} has no goal "{name}"{nearest(name, goals)}')
    asked = [goal.name for goal in goals_to_ask(network.goals)]
    if command.goal not in asked:
        expected = " or ".join(f'"{each}"' for each in asked) + " is expected"
        if goals[command.goal].asked:
            raise InputError(f'{where}: "{name}" is not asked for, a file is shared by the command publish: {expected}')
        raise InputError(f'{where}: only {network.name} itself opens asks with the goal "{name}": {expected}')


def check(command: Command) -> None:
    """Raise InputError unless each field of a command has the type it is annotated with. Ranges are not checked here:
    the function that carries the command out does that."""
    for f in fields(command):
        _check_field(command.verb, f, getattr(command, f.name), f"{command.verb}: {f.name}")


def _check_field(verb: str, f: Field[Any], value: object, where: str, *, lists: bool = True) -> None:
    """Raise InputError unless this field may hold the value. `lists`: whether peers may be a sequence."""
    if value is None and f.default is None:
        return
    match field_kinds(verb)[f.name]:
        case "peers":
            many = isinstance(value, Sequence) and lists and all(map(_is_whole, value))
            good, wanted = isinstance(value, str) or _is_whole(value) or many, 'a text such as "random 10%"'
        case "text":
            good, wanted = isinstance(value, str), "a text"
        case "number":
            good, wanted = isinstance(value, (int, float)) and not isinstance(value, bool), "a number"
        case "whole":
            good, wanted = _is_whole(value), "a whole number"
        case "flag":
            good, wanted = isinstance(value, bool), "true or false"
        case "values":
            good = isinstance(value, Mapping) and all(
                isinstance(name, str) and isinstance(one, (str, int, float)) for name, one in value.items()
            )
            wanted = 'a table of values such as { prefix = "10.0.0.0/8" }'
        case "any":
            return
    if not good:
        raise InputError(f"{where} should be {wanted}, not {shown(value)}")


def _is_whole(value: object) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)
