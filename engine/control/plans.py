"""What each attack comes to: from what is so in a swarm and the parameters, a list of commands with their times.

Whom an attack takes is decided when it begins, with one exception: an eclipse looks for the neighbours that its victim
has found meanwhile, so its later steps name them by a selector. The presets themselves stand in `attacks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..commands import Arrive, Censor, Collude, Command, Depart, Kill, Leave, Poison, Shutdown
from ..errors import plain
from ..sim.rng import Stream

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
