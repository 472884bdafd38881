"""A peer together with its components, and its verbs.

The engine starts, stops and reads a peer by the functions of this module, which do the same for its components.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from .api import Beliefs, Component, Host, Peer, PeerId, Shown, Verb
from .errors import InputError, NetworkFault, nearest, place_in_protocol, place_of, plain
from .options import Allowed
from .values import dataclass

# --- a peer with its components ------------------------------------------------------------------------------


def _parts(peer: Peer, host: Host) -> Iterator[tuple[Component, Host]]:
    for name in peer.components:
        part = getattr(peer, name)
        yield part, host.inside(part)


def start(peer: Peer, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
    """The process starts: the components, in the order of their definition, then the peer. saved: see `saved_of`."""
    if peer.components:
        kept = saved if isinstance(saved, Mapping) else {}
        for part, inner in _parts(peer, host):
            start(part, inner, contacts, kept.get(part.part_name))
        saved = kept.get("")
    peer.start(host, contacts, saved)


def neighbours(peer: Peer, host: Host, links: Sequence[PeerId]) -> None:
    """See `api.Peer.neighbours`."""
    for part, inner in _parts(peer, host):
        neighbours(part, inner, links)
    peer.neighbours(host, links)


def stop(peer: Peer, host: Host) -> None:
    """The peer leaves politely, then its components do."""
    peer.stop(host)
    for part, inner in _parts(peer, host):
        stop(part, inner)


def opened(peer: Peer, host: Host, other: PeerId) -> None:
    """See `api.Peer.opened`."""
    for part, inner in _parts(peer, host):
        opened(part, inner, other)
    peer.opened(host, other)


def closed(peer: Peer, host: Host, other: PeerId) -> None:
    """See `api.Peer.closed`."""
    for part, inner in _parts(peer, host):
        closed(part, inner, other)
    peer.closed(host, other)


def refused(peer: Peer, host: Host, to: PeerId, message: object) -> None:
    """A message was refused. If it belongs to a component, only the component is notified."""
    name = owner_of(type(message), type(peer)).partition(".")[0] if peer.components else ""
    if name:
        part = getattr(peer, name)
        refused(part, host.inside(part), to, message)
    else:
        peer.refused(host, to, message)


def saved_of(peer: Peer) -> object | None:
    """What the disk of a peer holds: what `saved` of the peer returns; for a peer with components a dict of that, under
    "", and of what each component returns, under its name."""
    if not peer.components:
        return peer.saved()
    kept = {"": peer.saved(), **{name: saved_of(getattr(peer, name)) for name in peer.components}}
    return kept if any(value is not None for value in kept.values()) else None


def beliefs_of(peer: Peer) -> Beliefs:
    """What a peer and its components know: facts of a component have its name before theirs."""
    found: object = peer.beliefs()
    if not isinstance(found, Beliefs):
        where = place_of(inspect.unwrap(type(peer).beliefs))
        raise NetworkFault(
            f"{type(peer).__qualname__}.beliefs returned a {type(found).__name__}, and Beliefs(...) is expected{where}"
        )
    if not peer.components:
        return found
    known, facts = dict(found.known), dict(found.facts)
    for name in peer.components:
        inner = beliefs_of(getattr(peer, name))
        for other, belief in inner.known.items():
            known.setdefault(other, belief)
        facts.update({f"{name}.{fact}": text for fact, text in inner.facts.items()})
    return Beliefs(known, facts)


def shows_of(program: type[Peer]) -> tuple[Shown, ...]:
    """The columns of a program, then those of its components, which have its name before theirs."""
    found = program.shows
    for name, kind in program.components.items():
        found = (*found, *(replace(column, name=f"{name}.{column.name}") for column in shows_of(kind)))
    return found


def shown_of(peer: Peer) -> tuple[float | str, ...]:
    """The values of `shows_of` its program. Raises NetworkFault where a part returns too many or too few."""
    found = peer.shown()
    if not isinstance(found, tuple) or len(found) != len(peer.shows):
        has = f"{len(found)} values" if isinstance(found, tuple) else f"a {type(found).__name__}, which is no tuple,"
        made = inspect.unwrap(type(peer).shown)
        where = place_of(made if made is not Peer.shown else type(peer))
        raise NetworkFault(f"{type(peer).__qualname__}.shown returned {has} for {len(peer.shows)} columns{where}")
    for name in peer.components:
        found = (*found, *shown_of(getattr(peer, name)))
    return found


# --- kinds of message ----------------------------------------------------------------------------------------


def components_of(program: type[Peer], path: str = "") -> dict[str, type[Component]]:
    """Path -> class of all components of a program, those within components included: `dht`, `dht.table`."""
    found: dict[str, type[Component]] = {}
    for name, kind in program.components.items():
        found.update(components_of(kind, f"{path}{name}."))
        found[path + name] = kind
    return found


ANSWER_AT = 3
"""Place of the answer among the parameters of a handler of answers, `self` counted."""


def owner_of(kind: type, *programs: type[Peer]) -> str:
    """The path of the component to which a kind of message belongs, "" if that is none.

    It is the component that handles it, or the only part of a peer that gets it as an answer to a call; or, of a kind
    that nobody handles, a component whose module has the kind, where that of no program does.
    """
    parts = {path: part for program in programs for path, part in components_of(program).items()}
    for path, part in parts.items():
        if kind in part.handlers:
            return path
    name = kind.__name__
    if not any(kind in program.handlers for program in programs):
        takers = [path for path, part in parts.items() if name in _answers_of(part)]
        own = {name for program in programs for name in _answers_of(program, but=parts.values())}
        if len(takers) == 1 and name not in own:
            return takers[0]
    if not any(_names(program, kind) for program in programs):
        for path, part in parts.items():
            if any(_names(base, kind) for base in part.__mro__):
                return path
    return ""


def _answers_of(program: type[Peer], but: Iterable[type[Peer]] = ()) -> dict[str, None]:
    """Names of the answers that the handlers of a program take, by their annotations. but: classes whose handlers are
    left out, since the handlers of components are among those of their owner."""
    found: dict[str, None] = {}
    others = {inspect.unwrap(handler) for each in but for handler in each.replies.values()}
    for handler in program.replies.values():
        function: Any = inspect.unwrap(handler)
        names = function.__code__.co_varnames
        if function not in others and len(names) > ANSWER_AT:
            hint = function.__annotations__.get(names[ANSWER_AT], "")
            found.update(dict.fromkeys(str(getattr(hint, "__name__", hint)).replace("|", " ").split()))
    return found


def _names(program: type, kind: type) -> bool:
    """Whether the module of a program has this kind of message: defined there or imported."""
    return program.__module__ == kind.__module__ or vars(sys.modules[program.__module__]).get(kind.__name__) is kind


# --- verbs -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VerbValue:
    """A value that a verb takes. example: a hint for a person who types it, which ends in "e.g. " and a text that can
    be given (`allowed.example`); needed: it has no default."""

    allowed: Allowed
    example: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True)
class VerbOffer:
    """A verb of the network for some peers. able: those to which it can be done now; why_not: if there are none, why it
    cannot be done to the first peer."""

    verb: Verb
    name: str
    able: tuple[PeerId, ...]
    why_not: str
    values: Mapping[str, VerbValue]


_verbs: dict[type[Peer], Mapping[str, Verb]] = {}


def verbs_of(program: type[Peer]) -> Mapping[str, Verb]:
    """The verbs of a program by name, in the order of their definition, those of components as `dht.hijack`."""
    found = _verbs.get(program)
    if found is None:
        found = _verbs[program] = _verbs_of(program)
    return found


def _verbs_of(program: type[Peer]) -> dict[str, Verb]:
    found: dict[str, Verb] = {}
    for base in reversed(program.__mro__):
        for value in vars(base).values():
            made = getattr(value, "_verb", None)
            if isinstance(made, Verb):
                found[made.name] = made
    for name, kind in program.components.items():
        found.update({f"{name}.{verb}": made for verb, made in verbs_of(kind).items()})
    return found


def values_of(program: type[Peer], verb: str) -> dict[str, VerbValue]:
    """The values of a verb of a program by name, in order."""
    kind, made = _placed(program, verb)
    method = inspect.unwrap(getattr(kind, made.method))
    hints = get_type_hints(method)
    return {
        name: VerbValue(
            _allowed(hints.get(name, str), made.examples.get(name, "")),
            made.examples.get(name, ""),
            parameter.default is inspect.Parameter.empty,
        )
        for name, parameter in list(inspect.signature(method).parameters.items())[2:]
    }


def read_values(program: type[Peer], verb: str, values: Mapping[str, object], where: str) -> dict[str, Any]:
    """Typed values for a verb. Raises InputError, a sentence that begins with `where`: for an unknown verb or value,
    with the nearest spelling, for one that is missing, for a wrong type, and for what the verb refuses (`checks`)."""
    check_verb(verb, (program,), where)
    wanted = values_of(program, verb)
    for name in values:
        if name not in wanted:
            raise InputError(f'{where}: "{verb}" takes no "{plain(name)}"{nearest(str(name), wanted)}')
    for name, one in wanted.items():
        if one.needed and name not in values:
            example = f", {one.example}" if one.example else ""
            raise InputError(f'{where}: "{verb}" needs "{name}"{example}')
    typed = {
        name: wanted[name].allowed.read(value, f'{where}: "{name}" of "{verb}"', texts=True)
        for name, value in values.items()
    }
    checks = verbs_of(program)[verb].checks
    for name in typed:
        if name in checks:
            try:
                checks[name](typed[name])
            except ValueError as error:
                raise InputError(f'{where}: "{name}" of "{verb}": {plain(error)}') from None
            except Exception as error:
                said = f"its check failed: {type(error).__name__}: {error}{place_in_protocol(error)}"
                raise InputError(f'{where}: "{name}" of "{verb}": {plain(said)}') from error
    return typed


def offers(programs: Sequence[tuple[PeerId, Peer | None]]) -> tuple[VerbOffer, ...]:
    """The verbs of these peers, None for one that is not alive: each once, in the order of their classes."""
    names = dict.fromkeys(name for _, program in programs if program is not None for name in verbs_of(type(program)))
    made: list[VerbOffer] = []
    for name in names:
        able: list[PeerId] = []
        why = ""
        of: type[Peer] = Peer
        for peer, program in programs:
            if program is None or name not in verbs_of(type(program)):
                continue
            of = type(program)
            reason = why_not(program, name)
            if reason:
                why = why or reason
            else:
                able.append(peer)
        made.append(VerbOffer(verbs_of(of)[name], name, tuple(able), "" if able else why, values_of(of, name)))
    return tuple(made)


def verbs_without_values(*kinds: type[Peer]) -> tuple[str, ...]:
    """Verbs of these programs that can be done without stating a value, each once."""
    found: dict[str, None] = {}
    for kind in kinds:
        for name in verbs_of(kind):
            if not any(value.needed for value in values_of(kind, name).values()):
                found[name] = None
    return tuple(found)


def opposite(program: type[Peer], verb: str, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """The verb that takes back what a verb did with these values, and its values; None if there is none, or if it needs
    a value that is not among them."""
    made = verbs_of(program).get(verb)
    if made is None or not made.undo:
        return None
    owner, dot, _ = verb.rpartition(".")
    name = f"{owner}{dot}{made.undo}"
    takes = values_of(program, name)
    if any(one.needed and value not in values for value, one in takes.items()):
        return None
    return name, {value: values[value] for value in takes if value in values}


def check_verb(verb: str, programs: Sequence[type[Peer]], where: str) -> None:
    """Raise InputError unless one of these programs has the verb."""
    known = {name for program in programs for name in verbs_of(program)}
    if verb not in known:
        ends = [name for name in known if verb and name.endswith(f".{verb}")]
        tail = f'; did you mean "{ends[0]}"?' if len(ends) == 1 else nearest(verb, known)
        tail = tail if known else ": it has none of its own"
        raise InputError(f'{where}: no verb of this network is called "{plain(verb)}"{tail}')


def why_not(peer: Peer, verb: str) -> str | None:
    """Why a verb of its program cannot be done to a peer now, or None."""
    part: Any = peer
    for name in verb.split(".")[:-1]:
        part = getattr(part, name)
    _, made = _placed(type(peer), verb)
    return None if made.why_not is None else made.why_not(part)


def act(peer: Peer, host: Host, verb: str, values: Mapping[str, Any]) -> None:
    """Do a verb of its program to a peer. values: those that `read_values` returned."""
    part: Any = peer
    for name in verb.split(".")[:-1]:
        part = getattr(part, name)
        host = host.inside(part)
    _, made = _placed(type(peer), verb)
    getattr(part, made.method)(host, **values)


def _placed(program: type[Peer], verb: str) -> tuple[type[Peer], Verb]:
    """The class whose method does a verb, a component's for `dht.hijack`, and the verb."""
    made = verbs_of(program)[verb]
    for name in verb.split(".")[:-1]:
        program = program.components[name]
    return program, made


def _allowed(hint: Any, example: str) -> Allowed:
    if get_origin(hint) in (Union, UnionType):
        others = [each for each in get_args(hint) if each is not NoneType]
        hint = others[0] if len(others) == 1 else object
    choices = get_args(hint) if get_origin(hint) is Literal else ()
    return Allowed(hint if isinstance(hint, type) else object, choices=choices, example=example_in(example))


def example_in(hint: str) -> str:
    """The example in a hint such as "seconds, e.g. 3600": what follows "e.g. "; "" where there is none."""
    return hint.rpartition("e.g. ")[2].strip() if "e.g. " in hint else ""
