"""Attacks that have a name: each is a list of commands, made from what is so in a swarm and from the seed.

Nothing here is new to a protocol: an attack is carried out by the verbs that a person has, at the times that stand
beside them. So it can be undone as they can, and what it does can be read in the feed.

A *Sybil* is an identity that costs its owner nothing (Douceur, "The Sybil attack", IPTPS 2002). Ours is a newcomer that
speaks the protocol as any other and gets connections as any other; but about a word it answers nothing and passes
nothing on. An *eclipse* gives all neighbours of one victim to such identities (Singh, Ngan, Druschel and Wallach,
"Eclipse attacks on overlay networks", INFOCOM 2006): they call it, and its true neighbours are taken away until it has
no others, so that it sees what they let it see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

from ..api import words_of
from ..commands import Attack
from ..errors import InputError, nearest, plain
from ..sim.rng import Stream
from . import plans
from .plans import MEANS, ROUND_S, Facts, Plan

COUNT_MAX = 2_000
SPAN_S_MAX = 86_400.0


@dataclass(frozen=True, slots=True)
class Param:
    """One field of `Attack` as a preset takes it. kind: share, count, seconds, choice, word or peers; low and high
    bound numbers, both allowed; choices are what a choice may be, in this swarm."""

    name: str
    about: str
    kind: str
    default: Any
    low: float | None = None
    high: float | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preset:
    """An attack for a panel. name is what `Attack.name` wants; title two or three words; about a sentence; why_not:
    why it cannot be had in this swarm now, in a sentence, or empty."""

    name: str
    title: str
    about: str
    params: tuple[Param, ...]
    why_not: str = ""


_SHARE = Param("share", "how many of the living users", "share", 0.1, 0.0, 1.0)
_MEANS = Param("means", "what happens to them", "choice", "kill", choices=tuple(MEANS))
_AT_ONCE = Param("over_s", "spread over", "seconds", 0.0, 0.0, SPAN_S_MAX, "s")
_WORD = Param("word", "what nobody may find", "word", None)


Make: TypeAlias = Callable[[Facts, Mapping[str, Any], Stream], Plan]

PRESETS: dict[str, tuple[Preset, Make]] = {
    preset.name: (preset, make)
    for preset, make in (
        (
            Preset("random", "At random", "A share of the users, drawn by lot, as breakdowns do.",
                   (_SHARE, _MEANS, _AT_ONCE)),
            plans.random,
        ),
        (
            Preset("degree", "The hubs", "Those with the most links, which hold an uneven network together.",
                   (replace(_SHARE, default=0.04), _MEANS, _AT_ONCE)),
            plans.degree,
        ),
        (
            Preset("betweenness", "The bridges", "Those through whom the most shortest ways lead, well linked or not.",
                   (replace(_SHARE, default=0.04), _MEANS, _AT_ONCE)),
            plans.betweenness,
        ),
        (
            Preset("role", "A role", "All that do one job, such as the servers.",
                   (Param("whom", "which role", "choice", None), replace(_SHARE, about="how many of them", default=1.0),
                    _MEANS)),
            plans.role,
        ),
        (
            Preset("city", "A city", "All that runs in one city goes dark.",
                   (Param("whom", "which city", "choice", None), _MEANS)),
            plans.city,
        ),
        (
            Preset("operator", "An operator", "A court orders one company to shut down what it runs.",
                   (Param("whom", "whose peers", "choice", None),)),
            plans.operator,
        ),
        (
            Preset("bootstrap", "The way in", "The peers that everybody knows, without whom newcomers find nobody.",
                   (_MEANS,)),
            plans.bootstrap,
        ),
        (
            Preset("collusion", "Collusion", "A growing share enforces a ban on a word, each in its own library and in "
                   "what it passes on.",
                   (_WORD, replace(_SHARE, about="how many of all that run", default=0.5),
                    replace(_AT_ONCE, about="growing over", default=30.0),
                    Param("leak", "how much slips through", "share", 0.0, 0.0, 1.0))),
            plans.collusion,
        ),
        (
            Preset("poison", "Poison", "A share claims to have whatever is asked for, and serves decoys.",
                   (_SHARE, _AT_ONCE)),
            plans.poison,
        ),
        (
            Preset("sybil", "Sybil", "One owner joins under many names, which all suppress a word.",
                   (Param("count", "identities", "count", 30, 1, COUNT_MAX), replace(_AT_ONCE, default=20.0), _WORD,
                    Param("operator", "their owner", "word", "sybil"))),
            plans.sybil,
        ),
        (
            Preset("eclipse", "Eclipse", "All neighbours of one victim are replaced by one owner's identities: it sees "
                   "nobody else.",
                   (Param("peers", "the victim", "peers", None),
                    Param("count", "identities", "count", 24, 1, COUNT_MAX),
                    replace(_AT_ONCE, about="for", default=40.0, low=ROUND_S),
                    _WORD, _MEANS, Param("operator", "their owner", "word", "eclipse"))),
            plans.eclipse,
        ),
        (
            Preset("crowd", "Flash crowd", "Everybody wants in at once, through the same few peers.",
                   (Param("count", "newcomers", "count", 50, 1, COUNT_MAX), replace(_AT_ONCE, default=10.0))),
            plans.crowd,
        ),
        (
            Preset("exodus", "Mass exit", "A share of the users goes within seconds, half of them with a goodbye.",
                   (replace(_SHARE, default=0.3), replace(_AT_ONCE, default=10.0))),
            plans.exodus,
        ),
    )
}  # fmt: skip


# --- for the facade ------------------------------------------------------------------------------------------


def offered(facts: Facts) -> tuple[Preset, ...]:
    """The presets that there are, their defaults and choices those of this swarm."""
    return tuple(
        replace(
            preset,
            params=tuple(_here(preset.name, param, facts) for param in preset.params),
            why_not=_why_not(preset, facts),
        )
        for preset, _ in PRESETS.values()
    )


def known(name: str, where: str) -> None:
    """Raise InputError unless a preset has this name."""
    if name not in PRESETS:
        raise InputError(f'{where}: no attack is called "{plain(name)}"{nearest(name, PRESETS)}')


def checked(command: Attack, where: str) -> None:
    """Raise InputError unless there is such a preset and it takes these fields; who they name shows when it is used."""
    known(command.name, where)
    preset = PRESETS[command.name][0]
    takes = {param.name: param for param in preset.params}
    for field in fields(command):
        value = getattr(command, field.name)
        if field.name == "name" or value is None:
            continue
        param = takes.get(field.name)
        if param is None:
            raise InputError(f'{where}: attack "{preset.name}" takes no "{field.name}"{nearest(field.name, takes)}')
        _fits(value, param, f'{where}: "{param.name}" of attack "{preset.name}"')


def plan(command: Attack, facts: Facts, rng: Stream) -> Plan:
    """What a command comes to. Raises InputError for what cannot be in this swarm."""
    checked(command, "attack")
    preset, make = PRESETS[command.name]
    why_not = _why_not(preset, facts, command)
    if why_not:
        raise InputError(f'attack "{preset.name}": {why_not[:1].lower()}{why_not[1:].rstrip(".")}')
    values: dict[str, Any] = {}
    for param in (_here(preset.name, param, facts) for param in preset.params):
        given = getattr(command, param.name)
        where = f'attack "{preset.name}"'
        if param.kind == "peers":
            if given is not None and not facts.victims:
                raise InputError(f"{where}: the victim is nobody who runs")
            given = None if given is None else facts.victims[0]
        value = param.default if given is None else given
        if value is None:
            raise InputError(f"{where}: {param.about}? There is nothing to choose from here")
        if param.kind == "choice" and value not in param.choices:
            raise InputError(f'{where}: {param.about}? Not "{plain(value)}"{nearest(str(value), param.choices)}')
        values[param.name] = value
    return make(facts, values, rng)


NOTHING_TO_CHOOSE = {
    "role": "Nobody runs, so there is no role.",
    "city": "No peer runs in any city: this run has no places.",
    "operator": "Nobody here runs more than one peer: there is no company to order anything.",
}
ON_LINKS = ("degree", "betweenness")


def _why_not(preset: Preset, facts: Facts, command: Attack | None = None) -> str:
    """What an attack would need and does not find here; empty when it can be had. `command`: what it is told."""
    name = preset.name
    if name in NOTHING_TO_CHOOSE:
        column = {"role": facts.role, "city": facts.city, "operator": facts.operator}[name]
        return "" if facts.known(column) else NOTHING_TO_CHOOSE[name]
    if name == "bootstrap":
        known = frozenset(facts.bootstrap)
        return "" if any(peer in known for peer in facts.living) else "None of the peers that everybody knows runs."
    if name == "crowd":
        return ""
    if not facts.users:
        return "No user is left."
    if name == "eclipse" and not facts.overlay:
        return "Users keep no links to each other in this network, so none can be replaced."
    if name in ON_LINKS and not _linked(facts):
        return "No user has a link to another here, so none stands out."
    if name == "poison" and not facts.shares:
        return "Users share no files in this network, so there is nothing that decoys could stand in for."
    told = command is not None and command.word is not None
    if not told and not facts.titles and any(p.kind == "word" and p.default is None for p in preset.params):
        return "Nothing is shared here, so there is no word to hide."
    return ""


def _linked(facts: Facts) -> bool:
    """Whether any user is linked to another: found at the first user, in a network of peers."""
    return any(not facts.infrastructure[other] for peer in facts.users for other in facts.near(peer))


def _here(name: str, param: Param, facts: Facts) -> Param:
    """A parameter with the default and the choices that it has in a swarm."""
    if param.name == "whom":
        column = {"role": facts.role, "city": facts.city, "operator": facts.operator}[name]
        choices = facts.known(column)
        # The rarest role is that of the servers, if there are any; of cities and operators the largest.
        first = (choices[-1] if name == "role" else choices[0]) if choices else None
        return replace(param, choices=choices, default=first)
    if param.name == "word":
        return replace(param, default=facts.titles[0] if facts.titles else None, choices=facts.titles)
    if param.kind == "peers":
        busiest = max(facts.users, key=lambda peer: (facts.degree[peer], -peer), default=None)
        return replace(param, default=busiest)
    return param


def _fits(value: object, param: Param, where: str) -> None:
    if param.kind in ("share", "count", "seconds"):
        whole = param.kind == "count"
        right = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        # Nothing compares true with nan, so that this refuses it too.
        if not right or not (param.low or 0) <= value <= (param.high or 0):  # type: ignore[operator]
            kind = "a whole number" if whole else "a number"
            span = f"from {param.low or 0:,g} to {param.high or 0:,g}"
            raise InputError(f'{where} should be {kind} {span}, not "{plain(value, 40)}"')
    elif param.kind in ("word", "choice"):
        if not isinstance(value, str):
            raise InputError(f'{where} should be a text, not "{plain(value, 40)}"')
        if param.kind == "word" and (not words_of(value) or '"' in value):
            raise InputError(f'{where} should be words, not "{plain(value, 40)}"')
        if param.choices and param.name == "means" and value not in param.choices:
            raise InputError(f'{where} should not be "{plain(value, 40)}"{nearest(value, param.choices)}')
