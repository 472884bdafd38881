"""Attacks that have a name: each is a list of commands with times, made from the state of a swarm and the seed.

An attack uses the verbs that a person has. So it can be undone as they can, and the event feed shows what it does. Its
peers are chosen when it begins, with one exception: an eclipse looks for the neighbours that its victim has found
meanwhile, so its later steps name them by a selector. Its steps go through the same function as a person's commands:
those due at once before the command returns, the others at the end of the instant at which they fall due. Until then it
can be called off; a crowd that a step has set in motion belongs to the attack too.

A *Sybil* is an identity that costs its owner nothing (Douceur, "The Sybil attack", IPTPS 2002). Ours is a newcomer that
speaks the protocol as any other and gets connections as any other; but about a word it answers nothing and passes
nothing on. An *eclipse* gives all neighbours of one victim to such identities (Singh, Ngan, Druschel and Wallach,
"Eclipse attacks on overlay networks", INFOCOM 2006): they call it, and its true neighbours are taken away until it has
no others, so that it sees what they let it see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, TypeAlias

import numpy as np

from ..analysis.capture import PeerColumns
from ..api import PeerId, words_of
from ..commands import Arrive, Attack, Censor, Collude, Command, Depart, Kill, Leave, Peers, Poison, Shutdown
from ..errors import InputError, nearest, plain
from ..measure.snapshot import ALIVE, RunningAttack
from ..sim.rng import Stream
from ..simulation import Simulation
from ..world.content import Catalogue
from .workload import Due, Workload

STEPS = 40
"""At so many moments at most a share is done, rather than at one for each peer."""
ROUND_S = 2.0
"""An eclipse looks again for true neighbours this often."""
GAP_S = 0.2
"""So long after a kill its neighbours have heard of it, and have not replaced it yet."""
BATCHES = 6
MEANS: dict[str, type[Kill] | type[Censor] | type[Leave]] = {"kill": Kill, "censor": Censor, "leave": Leave}
PAST = {"kill": "killed", "censor": "censored", "leave": "made to leave"}

Steps: TypeAlias = list[tuple[float, Command]]
"""Commands and when they are due, in seconds from the attack on."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan may know of a swarm. Peers that run, index into columns = PeerId.

    living: everybody who runs, in order; users: those of them that are no infrastructure; degree, betweenness: measures
    of all; role, city, operator: of all; titles: the most wanted first; overlay: whether peers keep streams to each
    other; relays: whether what one asks travels through others; shares: whether users share files; victims: who
    `Attack.peers` means.
    """

    labels: Sequence[str]
    living: tuple[int, ...]
    users: tuple[int, ...]
    degree: Sequence[float]
    betweenness: Callable[[], Sequence[float]]
    near: Callable[[int], Sequence[int]]
    role: Sequence[str]
    city: Sequence[str]
    operator: Sequence[str]
    infrastructure: Sequence[bool]
    bootstrap: tuple[int, ...]
    titles: tuple[str, ...]
    overlay: bool
    relays: bool
    shares: bool
    victims: tuple[int, ...]

    def known(self, column: Sequence[str]) -> tuple[str, ...]:
        """Values of a column among those who run, the commonest first."""
        counts: dict[str, int] = {}
        for peer in self.living:
            if column[peer]:
                counts[column[peer]] = counts.get(column[peer], 0) + 1
        return tuple(sorted(counts, key=lambda value: (-counts[value], value)))

    def names(self, peers: Sequence[int]) -> str:
        """`p017`, or `13 peers`."""
        return plain(self.labels[peers[0]], 40) if len(peers) == 1 else f"{len(peers):,} peers"


@dataclass(frozen=True, slots=True)
class Plan:
    """What an attack comes to: its commands, and a sentence that says so."""

    steps: tuple[tuple[float, Command], ...]
    sentence: str

    @property
    def peers(self) -> tuple[int, ...]:
        """Whom its steps name, in order and each once; without those that are found only later, or are to come yet."""
        named: dict[int, None] = {}
        for _, step in self.steps:
            some = getattr(step, "peers", ())
            named.update(dict.fromkeys(some if isinstance(some, tuple) else ()))
        return tuple(named)


def _amount(share: float, of: int) -> int:
    """A share of so many: rounded, halves up, and at least one if there is any."""
    return min(of, max(int(share > 0), int(of * share + 0.5)))


def _spread(peers: Sequence[int], over_s: float, make: Callable[[tuple[int, ...]], Command]) -> Steps:
    """The same for all, some at a time."""
    steps = min(len(peers), STEPS) if over_s else min(len(peers), 1)
    cuts = [len(peers) * at // steps for at in range(steps + 1)] if steps else [0]
    return [(over_s * at / max(1, steps - 1), make(tuple(peers[cuts[at] : cuts[at + 1]]))) for at in range(steps)]


def _taken(facts: Facts, peers: Sequence[int], values: Mapping[str, Any], who: str) -> Plan:
    """Those are killed, censored or made to leave."""
    over_s = values.get("over_s", 0.0)
    when = f" within {over_s:g} s" if over_s else ""
    told = f"{who}: {facts.names(peers) if peers else 'nobody'} of {len(facts.users):,} living users"
    kind = MEANS[values["means"]]
    return Plan(tuple(_spread(peers, over_s, kind)), f"{told}, {PAST[values['means']]}{when}.")


def random(facts: Facts, values: Mapping[str, Any], rng: Stream) -> Plan:
    """Some of the users by lot."""
    some = rng.sample(facts.users, _amount(values["share"], len(facts.users)))
    return _taken(facts, some, values, "Drawn at random")


def degree(facts: Facts, values: Mapping[str, Any], rng: Stream) -> Plan:
    """The best linked users."""
    return _top(facts, values, facts.degree, "Those with the most links")


def betweenness(facts: Facts, values: Mapping[str, Any], rng: Stream) -> Plan:
    """Those between most others."""
    return _top(facts, values, facts.betweenness(), "Those through whom the most shortest ways lead")


def _top(facts: Facts, values: Mapping[str, Any], measure: Sequence[float], who: str) -> Plan:
    # Static: who is on top is measured once, before the first of them falls. Equals stand in order of id.
    order = sorted(facts.users, key=lambda peer: (-measure[peer], peer))
    return _taken(facts, order[: _amount(values["share"], len(order))], values, who)


def role(facts: Facts, values: Mapping[str, Any], rng: Stream) -> Plan:
    """All, or some, that do one job."""
    those = [peer for peer in facts.living if facts.role[peer] == values["whom"]]
    some = rng.sample(those, _amount(values["share"], len(those)))
    return _some(facts, some, values, f"role {values['whom']}")


def city(facts: Facts, values: Mapping[str, Any], rng: Stream) -> Plan:
    """All that runs in a city."""
    return _some(facts, [p for p in facts.living if facts.city[p] == values["whom"]], values, values["whom"])


def _some(facts: Facts, peers: Sequence[int], values: Mapping[str, Any], where: str) -> Plan:
    kind = MEANS[values["means"]]
    told = f"{plain(where)}: {facts.names(peers) if peers else 'nobody'}"
    return Plan(tuple(_spread(peers, 0.0, kind)), f"{told}, {PAST[values['means']]}.")


def operator(facts: Facts, values: Mapping[str, Any], rng: Stream) -> Plan:
    """All that one operator runs."""
    those = [peer for peer in facts.living if facts.operator[peer] == values["whom"]]
    told = f"By court order all that {plain(values['whom'])} runs is shut down: {facts.names(those)}."
    return Plan(((0.0, Shutdown(values["whom"])),), told)


def bootstrap(facts: Facts, values: Mapping[str, Any], rng: Stream) -> Plan:
    """Those whom everybody knows."""
    some = [peer for peer in facts.living if peer in facts.bootstrap]
    told = f"The {len(some):,} bootstrap peers that run, {PAST[values['means']]}: newcomers find no way in."
    return Plan(tuple(_spread(some, 0.0, MEANS[values["means"]])), told)


def collusion(facts: Facts, values: Mapping[str, Any], rng: Stream) -> Plan:
    """A growing share of all that run suppresses a word."""
    # Stations are what a court calls upon first, and are among those who can be made to collude.
    some = rng.sample(facts.living, _amount(values["share"], len(facts.living)))
    word, over_s = values["word"], values["over_s"]
    steps: Steps = []
    for at_s, command in _spread(some, over_s, Collude):
        assert isinstance(command, Collude)
        steps.append((at_s, Collude(command.peers, word, values["leak"])))
    when = f", more and more over {over_s:g} s" if over_s else ""
    return Plan(tuple(steps), f"{facts.names(some)} of {len(facts.living):,} suppress \u201c{plain(word)}\u201d{when}.")


def poison(facts: Facts, values: Mapping[str, Any], rng: Stream) -> Plan:
    """Some of the users serve decoys."""
    some = rng.sample(facts.users, _amount(values["share"], len(facts.users)))
    who = facts.names(some) if some else "Nobody"
    told = f"{who} of {len(facts.users):,} living users claim to have everything, and serve decoys."
    return Plan(tuple(_spread(some, values["over_s"], Poison)), told)


def crowd(facts: Facts, values: Mapping[str, Any], rng: Stream) -> Plan:
    """Newcomers, all at once."""
    count, over_s = values["count"], values["over_s"]
    told = (
        f"{count:,} newcomers within {over_s:g} s, all of whom know the same {len(facts.bootstrap):,} bootstrap peers."
    )
    return Plan(((0.0, Arrive(count, over_s)),), told)


def exodus(facts: Facts, values: Mapping[str, Any], rng: Stream) -> Plan:
    """Some of the users go."""
    some = rng.sample(facts.users, _amount(values["share"], len(facts.users)))
    over_s = values["over_s"]
    told = f"{facts.names(some) if some else 'Nobody'} of {len(facts.users):,} living users go within {over_s:g} s."
    return Plan(((0.0, Depart(tuple(some), over_s, 0.5)),), told)


def sybil(facts: Facts, values: Mapping[str, Any], rng: Stream) -> Plan:
    """Identities of one owner join and suppress a word."""
    count, over_s, word = values["count"], values["over_s"], values["word"]
    steps: Steps = []
    many = min(count, STEPS) if over_s else 1
    for at in range(many):
        size = count * (at + 1) // many - count * at // many
        steps += _identities(over_s * at / max(1, many - 1), size, values)
    told = f"{count:,} identities of one owner join within {over_s:g} s. {_silence(facts, word)}"
    return Plan(tuple(steps), told)


def _identities(at_s: float, count: int, values: Mapping[str, Any], via: str | None = None) -> Steps:
    """So many newcomers of the owner, and what all that it has suppress."""
    owner = values["operator"]
    return [
        (at_s, Arrive(count, 0.0, owner, via)),
        (at_s, Collude(f'operator="{owner}" and newcomers', values["word"])),
    ]


def _silence(facts: Facts, word: str) -> str:
    """What Sybils do, in terms of what peers do in this network."""
    about = f"\u201c{plain(word)}\u201d"
    if facts.overlay:
        return f"They take connections, and each question or answer about {about} that comes their way goes no further."
    if facts.relays:
        return f"They are told of {about} as others are, and tell nobody."
    return f"Nothing is relayed through users here: they only hide what they have of {about} themselves."


def eclipse(facts: Facts, values: Mapping[str, Any], rng: Stream) -> Plan:
    """A victim is surrounded by identities of one owner."""
    victim, count, over_s = values["peers"], values["count"], values["over_s"]
    label, via, owner = plain(facts.labels[victim], 40), f"#{victim}", values["operator"]
    kind = MEANS[values["means"]]
    # While it owns nobody, nobody could be told apart by that.
    near = " and not ".join((f"near #{victim}", *([f"({_stations(facts)})"] if _stations(facts) else [])))
    true = f'{near} and not operator="{owner}"'
    rounds = max(1, int(over_s / ROUND_S))
    batches = min(rounds, BATCHES)
    # Half of them at once, when the first links have just been cut; the others keep what they took.
    late = count // 2
    cuts = [0, *(count - late * (batches - 1 - at) // max(1, batches - 1) for at in range(batches))]
    steps: Steps = []
    for at in range(rounds):
        steps.append((at * ROUND_S, kind(true if at else near)))
        if at < batches and cuts[at + 1] > cuts[at]:
            steps += _identities(at * ROUND_S + GAP_S, cuts[at + 1] - cuts[at], values, via)
    honest = [peer for peer in facts.near(victim) if not facts.infrastructure[peer]]
    told = (
        f"{count:,} identities call {label}; its {len(honest)} neighbours are {PAST[values['means']]}, and for "
        f"{over_s:g} s whoever takes their place. {_silence(facts, values['word'])}"
    )
    return Plan(tuple(steps), told)


def _stations(facts: Facts) -> str:
    return " or ".join(f"#{peer}" for peer, flag in enumerate(facts.infrastructure) if flag)


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
            random,
        ),
        (
            Preset("degree", "The hubs", "Those with the most links, which hold an uneven network together.",
                   (replace(_SHARE, default=0.04), _MEANS, _AT_ONCE)),
            degree,
        ),
        (
            Preset("betweenness", "The bridges", "Those through whom the most shortest ways lead, well linked or not.",
                   (replace(_SHARE, default=0.04), _MEANS, _AT_ONCE)),
            betweenness,
        ),
        (
            Preset("role", "A role", "All that do one job, such as the servers.",
                   (Param("whom", "which role", "choice", None), replace(_SHARE, about="how many of them", default=1.0),
                    _MEANS)),
            role,
        ),
        (
            Preset("city", "A city", "All that runs in one city goes dark.",
                   (Param("whom", "which city", "choice", None), _MEANS)),
            city,
        ),
        (
            Preset("operator", "An operator", "A court orders one company to shut down what it runs.",
                   (Param("whom", "whose peers", "choice", None),)),
            operator,
        ),
        (
            Preset("bootstrap", "The way in", "The peers that everybody knows, without whom newcomers find nobody.",
                   (_MEANS,)),
            bootstrap,
        ),
        (
            Preset("collusion", "Collusion", "A growing share enforces a ban on a word, each in its own library and in "
                   "what it passes on.",
                   (_WORD, replace(_SHARE, about="how many of all that run", default=0.5),
                    replace(_AT_ONCE, about="growing over", default=30.0),
                    Param("leak", "how much slips through", "share", 0.0, 0.0, 1.0))),
            collusion,
        ),
        (
            Preset("poison", "Poison", "A share claims to have whatever is asked for, and serves decoys.",
                   (_SHARE, _AT_ONCE)),
            poison,
        ),
        (
            Preset("sybil", "Sybil", "One owner joins under many names, which all suppress a word.",
                   (Param("count", "identities", "count", 30, 1, COUNT_MAX), replace(_AT_ONCE, default=20.0), _WORD,
                    Param("operator", "their owner", "word", "sybil"))),
            sybil,
        ),
        (
            Preset("eclipse", "Eclipse", "All neighbours of one victim are replaced by one owner's identities: it sees "
                   "nobody else.",
                   (Param("peers", "the victim", "peers", None),
                    Param("count", "identities", "count", 24, 1, COUNT_MAX),
                    replace(_AT_ONCE, about="for", default=40.0, low=ROUND_S),
                    _WORD, _MEANS, Param("operator", "their owner", "word", "eclipse"))),
            eclipse,
        ),
        (
            Preset("crowd", "Flash crowd", "Everybody wants in at once, through the same few peers.",
                   (Param("count", "newcomers", "count", 50, 1, COUNT_MAX), replace(_AT_ONCE, default=10.0))),
            crowd,
        ),
        (
            Preset("exodus", "Mass exit", "A share of the users goes within seconds, half of them with a goodbye.",
                   (replace(_SHARE, default=0.3), replace(_AT_ONCE, default=10.0))),
            exodus,
        ),
    )
}  # fmt: skip


# --- for the facade ------------------------------------------------------------------------------------------


def offered(facts: Facts) -> tuple[Preset, ...]:
    """The presets that there are, their defaults and choices those of this swarm."""
    return tuple(
        replace(
            preset,
            params=tuple(_in_swarm(preset.name, param, facts) for param in preset.params),
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
    for param in (_in_swarm(preset.name, param, facts) for param in preset.params):
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


def _in_swarm(name: str, param: Param, facts: Facts) -> Param:
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


# --- carrying out ---------------------------------------------------------------------------------------------

TITLES = 20
"""Words that are offered as a ban."""


class Door(Protocol):
    """How an attack resolves selectors and does its steps; implemented by `engine.swarm.Swarm`."""

    def resolve(self, peers: Peers) -> tuple[PeerId, ...]:
        """Whom a selector means. Raises InputError."""

    def carry_out(self, command: Command, by: str) -> tuple[PeerId, ...]:
        """Do a command within the one that is being done; returns the peers it changed. Raises InputError."""

    def contents_of_trace(self, spec: str) -> bytes | None:
        """Contents of the file of sessions that a spec of churn names, as `files.read_packed` returns them; None if it
        names none. Raises InputError."""


class AttackRunner:
    """Attacks that were begun, and what they have still to do. `columns` are what a watcher sees of all peers."""

    def __init__(self, sim: Simulation, workload: Workload, columns: PeerColumns, door: Door) -> None:
        self.simulation = sim
        self.workload = workload
        self.columns = columns
        self.door = door
        self.done = 0
        """How many there were: each has a stream of its own, and a number from 1 on."""
        self._going: dict[int, RunningAttack] = {}
        """Those that may have something to do yet, by number."""

    def presets(self) -> tuple[Preset, ...]:
        """What there is to choose from."""
        return offered(self._facts(()))

    def preview(self, command: Attack, victims: tuple[PeerId, ...]) -> Plan:
        """What it would do now, and to whom. Draws what it would draw, and changes nothing."""
        return plan(command, self._facts(victims), self._stream())

    def begin(self, command: Attack) -> tuple[PeerId, ...]:
        """Begin. Returns the peers that its first steps changed."""
        victims = () if command.peers is None else self.door.resolve(command.peers)
        planned = plan(command, self._facts(victims), self._stream())
        self.done += 1
        until_us = self.simulation.kernel.now_us + round(max(map(_over_s, planned.steps), default=0.0) * 1e6)
        self._going[self.done] = RunningAttack(command.name, PRESETS[command.name][0].title, until_us)
        changed: dict[PeerId, None] = {}
        outer, self.workload.attack = self.workload.attack, self.done
        for at_s, step in planned.steps:
            if at_s > 0:
                self.workload.later(max(1, round(at_s * 1e6)), Due(step, "attack", self.workload.attack))
            else:
                changed.update(dict.fromkeys(self.door.carry_out(step, "attack")))
        self.workload.attack = outer
        return tuple(changed)

    def under_way(self) -> tuple[RunningAttack, ...]:
        """Those that have something still to do, in the order in which they were begun."""
        now_us = self.simulation.kernel.now_us
        self._going = {number: one for number, one in self._going.items() if one.until_us > now_us}
        return tuple(self._going.values())

    def call_off(self, name: str | None) -> None:
        """What is still to come of all, or of those of this name, does not. Raises InputError where nothing is."""
        if name is not None:
            known(name, "calloff")
        going = dict.fromkeys(one.name for one in self.under_way())
        those = [number for number, one in self._going.items() if name in (None, one.name)]
        if not those:
            what = "no attack has anything" if name is None else f'no attack "{name}" has anything'
            others = f"; under way: {', '.join(going)}" if going else ""
            raise InputError(f"calloff: {what} still to do{others}")
        for number in those:
            del self._going[number]
            self.workload.off[number] = None

    def _stream(self) -> Stream:
        return Stream(f"{self.simulation.seed}/attack/{self.done}")

    def _facts(self, victims: tuple[PeerId, ...]) -> Facts:
        sim, columns = self.simulation, self.columns
        alive = sim.state == ALIVE
        catalogue: Catalogue = self.workload.catalogue
        return Facts(
            labels=sim.labels,
            living=tuple(np.flatnonzero(alive).tolist()),
            users=tuple(np.flatnonzero(alive & ~sim.infrastructure).tolist()),
            degree=columns.degrees(),
            betweenness=columns.betweenness,
            near=columns.near,
            role=columns.roles(),
            city=columns.cities(),
            operator=sim.operators,
            infrastructure=columns.infrastructure(),
            bootstrap=sim.bootstrap,
            titles=tuple(catalogue.popular(TITLES)),
            overlay=sim.program.overlay,
            relays=sim.program.overlay or not sim.stations,
            shares=sim.program.shares_files,
            victims=tuple(peer for peer in victims if alive[peer]),
        )


def _over_s(step: tuple[float, Command]) -> float:
    """When a step, and the crowd that it sets in motion, is over."""
    at_s, command = step
    return at_s + (command.over_s if isinstance(command, Arrive | Depart) else 0.0)
