"""Attack presets. Each makes a list of commands with times, from the state of a swarm and the seed.

An attack consists of commands that a person can give too, so each step can be undone by the opposite verb, and the
event feed shows it. The peers are chosen when the attack begins. The exception is an eclipse: its later steps use a
selector that names the neighbours that the victim has found meanwhile. Steps are carried out by the same function as
commands of a person: the first ones before the command returns, the others at the end of the instant at which they are
due. Until then they can be called off, and so can the arrivals and departures that a step has scheduled.

A *Sybil* is an identity that costs its owner nothing (Douceur, "The Sybil attack", IPTPS 2002). Here it is a newcomer
that follows the protocol and gets connections, but neither answers nor passes on what contains a word. In an *eclipse*
all neighbours of one victim are such identities (Singh, Ngan, Druschel and Wallach, "Eclipse attacks on overlay
networks", INFOCOM 2006): they connect to it, and its other neighbours are killed, censored or made to leave, until the
victim gets only the messages that the owner of the identities lets pass.

In a network whose peers choose their own identifiers, as nodes of a hash table do, the identities of a Sybil attack
choose theirs next to the key of the word. Such a network has a verb `move-near` with a value `text` (`api.verb`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any, Protocol, TypeAlias

import numpy as np

from ..analysis.capture import PeerColumns
from ..api import PeerId, words_of
from ..commands import (
    Act,
    Arrive,
    Attack,
    Censor,
    Collude,
    Command,
    Cut,
    Depart,
    Kill,
    Leave,
    Mend,
    Peers,
    Poison,
    Reopen,
    Shutdown,
)
from ..errors import InputError, PeerFailed, nearest, plain
from ..measure.snapshot import ALIVE, RunningAttack
from ..programs import verbs_of, verbs_without_values, why_not
from ..sim.rng import Stream
from ..simulation import Simulation
from ..values import dataclass
from .workload import Due, Workload

STEPS = 40
"""Most commands into which an attack on many peers is divided."""
ROUND_S = 2.0
"""Seconds between two steps of an eclipse that remove neighbours."""
GAP_S = 0.2
"""Seconds from a kill to the arrival of identities: by then the neighbours have noticed it, and have not replaced the
peer yet."""
BATCHES = 6
"""Groups in which the identities of an eclipse arrive."""
MOVE_NEAR = "move-near"
"""Verb of networks whose peers choose their own identifiers."""
MEANS: dict[str, type[Kill] | type[Censor] | type[Leave]] = {"kill": Kill, "censor": Censor, "leave": Leave}
"""What can be done to the peers that an attack chooses, in each network; further means are its own verbs."""
ON_LINK: dict[str, type[Cut] | type[Mend]] = {"cut": Cut, "mend": Mend}
"""What can be done to links."""
LINKS_MOST = 200
"""Links that one attack cuts or mends, each by a command of its own."""
WOULD = {"kill": "kill {}", "censor": "censor {}", "leave": "make {} leave"}
ANY_VERB = ("random", "degree", "betweenness", "role", "city", "operator")
"""Presets whose `means` may be a verb of the network."""

Steps: TypeAlias = list[tuple[float, Command]]
"""Commands and when they are due, in seconds from the attack on."""


@dataclass(frozen=True, slots=True)
class AttackContext:
    """What a plan reads of a swarm.

    columns   of all peers
    living    peers that are alive, in order of id; users: those of them that are no infrastructure
    titles    the most popular ones, the most popular first
    overlay   whether peers keep streams to each other
    relays    whether messages about an ask travel through other users
    shares    whether users share files
    moves     whether peers can take an identifier near the key of a text
    victims   living peers that `Attack.peers` names
    verbs     verbs of this network that need no value, see `api.verb`
    able      whether such a verb can be done to a peer now; raises PeerFailed
    cuts      what is cut: tuples of both ends of a link, or of one peer whose links are all cut
    """

    columns: PeerColumns
    living: tuple[int, ...]
    users: tuple[int, ...]
    titles: tuple[str, ...]
    overlay: bool
    relays: bool
    shares: bool
    moves: bool
    victims: tuple[int, ...]
    verbs: tuple[str, ...]
    able: Callable[[int, str], bool]
    cuts: tuple[tuple[int, ...], ...]

    def links(self) -> list[tuple[int, int]]:
        """The links between living peers that are not cut, the smaller peer of each first."""
        alive, near = set(self.living), self.columns.near
        cut = {peers[0] for peers in self.cuts if len(peers) == 1}
        found = {
            (min(peer, other), max(peer, other))
            for peer in self.living
            if peer not in cut
            for other in near(peer)
            if other in alive and other not in cut
        }
        return sorted(found.difference(self.cuts))

    def living_with(self, column: Sequence[str], value: str) -> list[int]:
        """Living peers with a value in a column."""
        return [peer for peer in self.living if column[peer] == value]

    def bootstrap(self) -> list[int]:
        """Bootstrap peers that are alive."""
        flags = self.columns.bootstrap()
        return [peer for peer in self.living if flags[peer]]

    def choices(self, preset: str) -> tuple[str, ...]:
        """Values that `whom` of a preset may have: those of living peers, the most frequent first."""
        column = self.column_of(preset)
        counts = Counter(column[peer] for peer in self.living if column[peer])
        return tuple(sorted(counts, key=lambda value: (-counts[value], value)))

    def column_of(self, preset: str) -> Sequence[str]:
        """The column that `whom` of a preset refers to."""
        columns = self.columns
        by = {"role": columns.roles, "city": columns.cities, "operator": columns.operators}
        return by.get(preset, columns.operators)()

    def names(self, peers: Sequence[int]) -> str:
        """`p017`, `13 peers`, or `no peer`."""
        if not peers:
            return "no peer"
        return plain(self.columns.labels[peers[0]], 40) if len(peers) == 1 else f"{len(peers):,} peers"

    def of_users(self, peers: Sequence[int]) -> str:
        """`13 of 64 live users`."""
        return f"{len(peers):,} of {len(self.users):,} live users"


@dataclass(frozen=True, slots=True)
class Plan:
    """The commands of an attack with their times in seconds from its begin, and a sentence that describes them."""

    steps: tuple[tuple[float, Command], ...]
    sentence: str

    @property
    def peers(self) -> tuple[int, ...]:
        """Peers that the steps name by id, in order, each once; selectors and newcomers are left out."""
        named: dict[int, None] = {}
        for _, step in self.steps:
            some = getattr(step, "peers", ())
            named.update(dict.fromkeys(some if isinstance(some, tuple) else ()))
        return tuple(named)


def _would(values: Mapping[str, Any], whom: str) -> str:
    """`Would kill 13 of 64 live users`, `Would have 13 of 64 live users ride free`."""
    means = values["means"]
    if means in WOULD:
        return f"Would {WOULD[means].format(whom)}"
    return f"Would have {whom} {means.rpartition('.')[2].replace('-', ' ').replace('_', ' ')}"


def _means(values: Mapping[str, Any]) -> Callable[[tuple[int, ...]], Command]:
    """Makes the command for some of the chosen peers."""
    means: str = values["means"]
    return MEANS.get(means) or (lambda peers: Act(peers, means))


def _able(context: AttackContext, peers: Sequence[int], values: Mapping[str, Any]) -> tuple[list[int], str]:
    """The chosen peers to which the means can be applied now, and a clause that says how many others there are."""
    means = values["means"]
    able = [peer for peer in peers if means in MEANS or context.able(peer, means)]
    others = len(peers) - len(able)
    return able, f"; {others:,} more that {'was' if others == 1 else 'were'} chosen cannot" if others else ""


def _amount(share: float, of: int) -> int:
    """A share of a number, rounded, halves up; at least 1 for a share above 0, if `of` is not 0."""
    return min(of, max(int(share > 0), int(of * share + 0.5)))


def _spread(peers: Sequence[int], over_s: float, make: Callable[[tuple[int, ...]], Command]) -> Steps:
    """One command for all peers, divided into at most `STEPS` commands that are spread evenly over `over_s`."""
    steps = min(len(peers), STEPS) if over_s else min(len(peers), 1)
    cuts = [len(peers) * at // steps for at in range(steps + 1)] if steps else [0]
    return [(over_s * at / max(1, steps - 1), make(tuple(peers[cuts[at] : cuts[at + 1]]))) for at in range(steps)]


def _against(context: AttackContext, peers: Sequence[int], values: Mapping[str, Any], how: str) -> Plan:
    """A plan in which these users are killed, censored, made to leave, or have a verb of the network done to them."""
    over_s = values.get("over_s", 0.0)
    when = f" within {over_s:g} s" if over_s else ""
    able, others = _able(context, peers, values)
    steps = _spread(able, over_s, _means(values))
    return Plan(tuple(steps), f"{_would(values, context.of_users(able))}{when}{how}{others}.")


def _random_users(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> list[int]:
    return rng.sample(context.users, _amount(values["share"], len(context.users)))


def random(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> Plan:
    """A share of the users, chosen at random."""
    return _against(context, _random_users(context, values, rng), values, ", chosen at random")


def degree(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> Plan:
    """The users with the most links."""
    return _highest(context, values, context.columns.degrees(), ": those with the most links")


def betweenness(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> Plan:
    """The users with the highest betweenness."""
    return _highest(context, values, context.columns.betweenness(), ": those on the most shortest paths")


def _highest(context: AttackContext, values: Mapping[str, Any], measure: Sequence[float], how: str) -> Plan:
    # Measured once, before the first peer is removed. Peers with equal values are taken in order of id.
    order = sorted(context.users, key=lambda peer: (-measure[peer], peer))
    return _against(context, order[: _amount(values["share"], len(order))], values, how)


def links(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> Plan:
    """Links chosen at random, which are cut or mended one after another. Raises InputError if there are none."""
    means, over_s = values["means"], values["over_s"]
    those: Sequence[tuple[int, ...]] = context.cuts if means == "mend" else context.links()
    if not those:
        why = "no link is cut, so none can be mended" if means == "mend" else "no link is left that could be cut"
        raise InputError(f'attack "links": {why}')
    some = rng.sample(those, min(values["count"], len(those)))
    steps = [(over_s * at / max(1, len(some) - 1), ON_LINK[means](peers)) for at, peers in enumerate(some)]
    when = f" within {over_s:g} s" if over_s else ""
    of = "that are cut" if means == "mend" else "that there are"
    return Plan(tuple(steps), f"Would {means} {len(some):,} of {len(those):,} links {of}{when}, chosen at random.")


def role(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> Plan:
    """All or a share of the peers with a role."""
    peers = context.living_with(context.columns.roles(), values["whom"])
    some = rng.sample(peers, _amount(values["share"], len(peers)))
    return _at_once(context, some, values, f"with role {values['whom']}")


def city(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> Plan:
    """All peers in a city."""
    return _at_once(
        context, context.living_with(context.columns.cities(), values["whom"]), values, f"in {values['whom']}"
    )


def _at_once(context: AttackContext, peers: Sequence[int], values: Mapping[str, Any], where: str) -> Plan:
    able, others = _able(context, peers, values)
    steps = _spread(able, 0.0, _means(values))
    return Plan(tuple(steps), f"{_would(values, f'{context.names(able)} {plain(where)}')}{others}.")


def operator(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> Plan:
    """All peers of an operator."""
    if values["means"] != SHUTDOWN:
        peers = context.living_with(context.columns.operators(), values["whom"])
        return _at_once(context, peers, values, f"of {values['whom']}")
    peers = context.living_with(context.columns.operators(), values["whom"])
    sentence = f"Would shut down all peers of {plain(values['whom'])}, as by a court order: {context.names(peers)}."
    return Plan(((0.0, Shutdown(values["whom"])),), sentence)


def whack_a_mole(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> Plan:
    """A service is shut down, and comes back under another operator, again and again."""
    whom, count, over_s = values["whom"], values["count"], values["over_s"]
    gap_s = over_s / count
    steps: Steps = []
    now = whom
    for at in range(count):
        steps.append((at * gap_s, Shutdown(now)))
        after = f"{whom} {at + 2}"
        steps.append(((at + 0.5) * gap_s, Reopen(now, after)))
        now = after
    peers = context.living_with(context.columns.operators(), whom)
    times = "once" if count == 1 else f"{count} times"
    sentence = (
        f"Would shut down {context.names(peers)} of {plain(whom, 40)} {times} within {over_s:g} s, {gap_s:g} s apart; "
        f"each time another operator opens the service again after {gap_s / 2:g} s."
    )
    return Plan(tuple(steps), sentence)


def bootstrap(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> Plan:
    """All living bootstrap peers."""
    some = context.bootstrap()
    sentence = f"{_would(values, f'the {len(some):,} live bootstrap peers')}: newcomers could not join."
    return Plan(tuple(_spread(some, 0.0, MEANS[values["means"]])), sentence)


def collusion(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> Plan:
    """A share of all living peers suppresses a word; the share grows."""
    # Infrastructure is included, as a court would address it first.
    some = rng.sample(context.living, _amount(values["share"], len(context.living)))
    word, over_s = values["word"], values["over_s"]
    steps: Steps = []
    for at_s, command in _spread(some, over_s, Collude):
        assert isinstance(command, Collude)
        steps.append((at_s, Collude(command.peers, word, values["leak"])))
    when = f", more and more of them over {over_s:g} s" if over_s else ""
    who = f"{len(some):,} of {len(context.living):,} live peers, chosen at random,"
    return Plan(tuple(steps), f"Would make {who} suppress \u201c{plain(word)}\u201d{when}.")


def poison(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> Plan:
    """A share of the users serves decoys."""
    some = _random_users(context, values, rng)
    sentence = f"Would make {context.of_users(some)}, chosen at random, claim to have every file and serve decoys"
    weak = values["means"] == RIGHT_HASH
    steps = _spread(some, values["over_s"], partial(Poison, weak=weak))
    if weak:
        sentence += ", with the size and the weak hash of the genuine file"
    return Plan(tuple(steps), f"{sentence}.")


def crowd(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> Plan:
    """Many newcomers in a short time."""
    count, over_s = values["count"], values["over_s"]
    known = sum(context.columns.bootstrap())
    sentence = (
        f"Would let {count:,} newcomers join within {over_s:g} s, all of which know the same {known:,} bootstrap peers."
    )
    return Plan(((0.0, Arrive(count, over_s)),), sentence)


def exodus(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> Plan:
    """A share of the users leaves."""
    some = _random_users(context, values, rng)
    over_s = values["over_s"]
    sentence = (
        f"Would make {context.of_users(some)}, chosen at random, leave within {over_s:g} s, half of them politely."
    )
    return Plan(((0.0, Depart(tuple(some), over_s, 0.5)),), sentence)


def sybil(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> Plan:
    """Identities of one owner join, and suppress a word."""
    count, over_s, word = values["count"], values["over_s"], values["word"]
    steps: Steps = []
    many = min(count, STEPS) if over_s else 1
    for at in range(many):
        size = count * (at + 1) // many - count * at // many
        steps += _identities(over_s * at / max(1, many - 1), size, values, near=context.moves)
    sentence = f"Would let {count:,} identities of one owner join within {over_s:g} s. {_effect(context, word)}"
    return Plan(tuple(steps), sentence)


def _identities(
    at_s: float, count: int, values: Mapping[str, Any], via: str | None = None, near: bool = False
) -> Steps:
    """Steps in which `count` identities arrive, and all identities of their owner suppress the word. near: whether they
    take identifiers near the key of the word."""
    owner, word = values["operator"], values["word"]
    all_of_them = f'operator="{owner}" and newcomers'
    moved: Steps = [(at_s, Act(all_of_them, MOVE_NEAR, {"text": word}))] if near else []
    return [(at_s, Arrive(count, 0.0, owner, via)), *moved, (at_s, Collude(all_of_them, word))]


def _effect(context: AttackContext, word: str) -> str:
    """A sentence that says what identities do in this network."""
    about = f"\u201c{plain(word)}\u201d"
    if context.moves:
        return f"Their identifiers are next to the key of {about}, so they are asked for it, and hide it."
    if _keeps_links(context):
        return f"They take connections, and pass on no question or answer about {about}."
    if context.relays:
        return f"They receive {about} as other peers do, and do not pass it on."
    if not context.shares:
        return f"Nothing is relayed through users here: each only drops what it is sent about {about}."
    return f"Nothing is relayed through users here: they only hide their own files about {about}."


def eclipse(context: AttackContext, values: Mapping[str, Any], rng: Stream) -> Plan:
    """All neighbours of a victim are replaced by identities of one owner."""
    columns = context.columns
    infrastructure = columns.infrastructure()
    victim, count, over_s = values["peers"], values["count"], values["over_s"]
    label, via, owner = plain(columns.labels[victim], 40), f"#{victim}", values["operator"]
    kind = MEANS[values["means"]]
    stations = " or ".join(f"#{peer}" for peer, flag in enumerate(infrastructure) if flag)
    # At the first step no peer belongs to the owner yet, so a selector with the owner's name would be refused.
    near = f"near #{victim} and not ({stations})" if stations else f"near #{victim}"
    not_owned = f'{near} and not operator="{owner}"'
    rounds = max(1, int(over_s / ROUND_S))
    batches = min(rounds, BATCHES)
    # Half of the identities arrive at once, when the first links have just been closed, the others evenly after that.
    late = count // 2
    cuts = [0, *(count - late * (batches - 1 - at) // max(1, batches - 1) for at in range(batches))]
    steps: Steps = []
    for at in range(rounds):
        steps.append((at * ROUND_S, kind(not_owned if at else near)))
        if at < batches and cuts[at + 1] > cuts[at]:
            steps += _identities(at * ROUND_S + GAP_S, cuts[at + 1] - cuts[at], values, via)
    honest = [peer for peer in columns.near(victim) if not infrastructure[peer]]
    sentence = (
        f"{_would(values, f'the {len(honest)} neighbours of {label}')}, and each peer that "
        f"replaces one within {over_s:g} s; {count:,} identities connect to it instead. "
        f"{_effect(context, values['word'])}"
    )
    return Plan(tuple(steps), sentence)


COUNT_MAX = 2_000
SPAN_S_MAX = 86_400.0


@dataclass(frozen=True, slots=True)
class Param:
    """A field of `Attack` that a preset uses.

    kind: share, count, seconds, choice, word or peers; low, high: limits of a number, both included; choices: values
    that a choice may have in this swarm.
    """

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
    """A named attack, as a panel shows it.

    name: value of `Attack.name`; title: two or three words; about: a sentence; why_not: a sentence that says why it is
    not possible in this swarm now, or "".
    """

    name: str
    title: str
    about: str
    params: tuple[Param, ...]
    why_not: str = ""


_SHARE = Param("share", "how many of the live users", "share", 0.1, 0.0, 1.0)
_MEANS = Param("means", "what happens to them", "choice", "kill", choices=tuple(MEANS))
OWN_HASH, RIGHT_HASH = "own", "right"
"""Decoys with hashes of their own, and decoys with the weak hash of the genuine file, see `Poison.weak`."""
SHUTDOWN = "shutdown"
"""What a court orders an operator to do, beside the means of other presets."""
_AT_ONCE = Param("over_s", "spread over", "seconds", 0.0, 0.0, SPAN_S_MAX, "s")
_WORD = Param("word", "the word to suppress", "word", None)


Make: TypeAlias = Callable[[AttackContext, Mapping[str, Any], Stream], Plan]

PRESETS: dict[str, tuple[Preset, Make]] = {
    preset.name: (preset, make)
    for preset, make in (
        (
            Preset("random", "At random", "A share of the users, chosen at random, as in failures.",
                   (_SHARE, _MEANS, _AT_ONCE)),
            random,
        ),
        (
            Preset("degree", "Highest degree", "Those with the most links, on which an uneven network depends.",
                   (replace(_SHARE, default=0.04), _MEANS, _AT_ONCE)),
            degree,
        ),
        (
            Preset("betweenness", "Highest betweenness", "Those on the most shortest paths, with many links or few.",
                   (replace(_SHARE, default=0.04), _MEANS, _AT_ONCE)),
            betweenness,
        ),
        (
            Preset("links", "Links", "Links break one after another, as cables do, or are mended.",
                   (Param("count", "how many links", "count", 5, 1, LINKS_MOST),
                    replace(_MEANS, default="cut", choices=tuple(ON_LINK)), _AT_ONCE)),
            links,
        ),
        (
            Preset("role", "A role", "All peers with one role, such as the servers.",
                   (Param("whom", "which role", "choice", None), replace(_SHARE, about="how many of them", default=1.0),
                    _MEANS)),
            role,
        ),
        (
            Preset("city", "A city", "All peers in one city.",
                   (Param("whom", "which city", "choice", None), _MEANS)),
            city,
        ),
        (
            Preset("operator", "An operator", "A court orders one company to shut down its peers.",
                   (Param("whom", "whose peers", "choice", None),
                    replace(_MEANS, default=SHUTDOWN, choices=(SHUTDOWN, *MEANS)))),
            operator,
        ),
        (
            Preset("whack-a-mole", "Whack-a-mole", "A service is shut down again and again, and each time somebody "
                   "else opens it anew.",
                   (Param("whom", "whose service", "choice", None),
                    Param("count", "how many times", "count", 3, 1, 40),
                    Param("over_s", "within", "seconds", 30.0, 1.0, SPAN_S_MAX, "s"))),
            whack_a_mole,
        ),
        (
            Preset("bootstrap", "Bootstrap nodes", "The bootstrap peers, without which newcomers cannot join.",
                   (_MEANS,)),
            bootstrap,
        ),
        (
            Preset("collusion", "Collusion", "A growing share of the peers enforces a ban on a word: in their "
                   "libraries, and in what they pass on.",
                   (_WORD, replace(_SHARE, about="how many of all live peers", default=0.5),
                    replace(_AT_ONCE, about="growing over", default=30.0),
                    Param("leak", "share that is missed by the ban", "share", 0.0, 0.0, 1.0))),
            collusion,
        ),
        (
            Preset("poison", "Poison", "A share of the users claims to have every file, and serves decoys.",
                   (_SHARE, _AT_ONCE,
                    replace(_MEANS, about="which hash decoys have", default=OWN_HASH, choices=(OWN_HASH, RIGHT_HASH)))),
            poison,
        ),
        (
            Preset("sybil", "Sybil", "One owner joins under many names, which all suppress a word.",
                   (Param("count", "identities", "count", 30, 1, COUNT_MAX), replace(_AT_ONCE, default=20.0), _WORD,
                    Param("operator", "their owner", "word", "sybil"))),
            sybil,
        ),
        (
            Preset("eclipse", "Eclipse", "All neighbours of one victim are replaced by one owner's identities.",
                   (Param("peers", "the victim", "peers", None),
                    Param("count", "identities", "count", 24, 1, COUNT_MAX),
                    replace(_AT_ONCE, about="for", default=40.0, low=ROUND_S),
                    _WORD, _MEANS, Param("operator", "their owner", "word", "eclipse"))),
            eclipse,
        ),
        (
            Preset("crowd", "Flash crowd", "Many newcomers at once, which all know the same few peers.",
                   (Param("count", "newcomers", "count", 50, 1, COUNT_MAX), replace(_AT_ONCE, default=10.0))),
            crowd,
        ),
        (
            Preset("exodus", "Mass exit", "A share of the users leaves within seconds, half of them politely.",
                   (replace(_SHARE, default=0.3), replace(_AT_ONCE, default=10.0))),
            exodus,
        ),
    )
}  # fmt: skip


def offered(context: AttackContext) -> tuple[Preset, ...]:
    """All presets, with the defaults and choices that they have in a swarm."""
    return tuple(
        replace(
            preset,
            params=tuple(_in_swarm(preset.name, param, context) for param in preset.params),
            why_not=_why_not(preset, context),
        )
        for preset, _ in PRESETS.values()
    )


def check_name(name: str, where: str) -> None:
    """Raise InputError unless a preset has this name."""
    if name not in PRESETS:
        raise InputError(f'{where}: no attack is called "{plain(name)}"{nearest(name, PRESETS)}')


def check_fields(command: Attack, where: str, verbs: Sequence[str] | None = None) -> None:
    """Raise InputError for an unknown preset, and for fields that it does not take or that are out of range. Whether
    the peers exist is not checked. verbs: the verbs of the network that need no value; None: any verb is accepted."""
    check_name(command.name, where)
    preset = PRESETS[command.name][0]
    takes = {param.name: param for param in preset.params}
    for field in fields(command):
        value = getattr(command, field.name)
        if field.name == "name" or value is None:
            continue
        param = takes.get(field.name)
        if param is None:
            raise InputError(f'{where}: attack "{preset.name}" takes no "{field.name}"{nearest(field.name, takes)}')
        if param.name == "means" and preset.name in ANY_VERB:
            param = replace(param, choices=(*param.choices, *(verbs if verbs is not None else (str(value),))))
        _fits(value, param, f'{where}: "{param.name}" of attack "{preset.name}"')


def plan(command: Attack, context: AttackContext, rng: Stream) -> Plan:
    """The plan of an attack. Raises InputError for one that is not possible in this swarm."""
    check_fields(command, "attack", context.verbs)
    preset, make = PRESETS[command.name]
    why_not = _why_not(preset, context, command)
    if why_not:
        raise InputError(f'attack "{preset.name}": {why_not[:1].lower()}{why_not[1:].rstrip(".")}')
    values: dict[str, Any] = {}
    for param in (_in_swarm(preset.name, param, context) for param in preset.params):
        given = getattr(command, param.name)
        where = f'attack "{preset.name}"'
        if param.kind == "peers":
            if given is not None and not context.victims:
                raise InputError(f"{where}: the victim is no peer that is up")
            given = None if given is None else context.victims[0]
        value = param.default if given is None else given
        if value is None:
            raise InputError(f"{where}: {param.about}? There is nothing to choose from here")
        if param.kind == "choice" and value not in param.choices:
            raise InputError(f'{where}: {param.about}? Not "{plain(value)}"{nearest(str(value), param.choices)}')
        values[param.name] = value
    return make(context, values, rng)


NOTHING_TO_CHOOSE = {
    "role": "No peer is alive, so there is no role.",
    "city": "No peer is in a city: this run has no places.",
    "operator": "No peer that is up has an operator: there is no company to order anything.",
    "whack-a-mole": "Nobody runs a service here that could be shut down.",
}
ON_LINKS = ("degree", "betweenness")


def attack_title(name: str) -> str:
    """The title of an attack of this name."""
    return PRESETS[name][0].title


def _why_not(preset: Preset, context: AttackContext, command: Attack | None = None) -> str:
    """A sentence that says why an attack is not possible in a swarm, or "". command: its values, if they are known."""
    name = preset.name
    if name in NOTHING_TO_CHOOSE:
        return "" if context.choices(name) else NOTHING_TO_CHOOSE[name]
    if name == "bootstrap":
        return "" if context.bootstrap() else "No bootstrap peer is alive."
    if name == "crowd":
        return ""
    if name == "links":
        linked = context.cuts or any(context.columns.near(peer) for peer in context.living)
        return "" if linked else "No peer has a link to another here."
    if not context.users:
        return "No user is left."
    if name == "eclipse" and not _keeps_links(context):
        if _linked(context):
            return (
                "Users of this network choose their links themselves, so who joins replaces no neighbour of a victim."
            )
        return "Users keep no links to each other in this network, so none can be replaced."
    if name in ON_LINKS and not _linked(context):
        return "No user has a link to another here, so none stands out."
    if name == "poison" and not context.shares:
        return "Users share no files in this network, so decoys would have no effect."
    word_given = command is not None and command.word is not None
    if not word_given and not context.titles and any(p.kind == "word" and p.default is None for p in preset.params):
        return "Nothing is shared here, so there is no word to hide."
    return ""


def _keeps_links(context: AttackContext) -> bool:
    """Whether users have neighbours that can be replaced: by streams, or as contacts where there are no streams."""
    return context.overlay or (context.columns.contacts() is not None and _linked(context))


def _linked(context: AttackContext) -> bool:
    """Whether a user has a link to another user. In a network of peers, the first user with a link ends the search."""
    infrastructure = context.columns.infrastructure()
    return any(not infrastructure[other] for peer in context.users for other in context.columns.near(peer))


def _in_swarm(name: str, param: Param, context: AttackContext) -> Param:
    """A parameter with its default and its choices in a swarm."""
    if param.name == "whom":
        choices = context.choices(name)
        # By default the rarest role, which is the role of the servers if there are any; the largest city or operator.
        first = (choices[-1] if name == "role" else choices[0]) if choices else None
        return replace(param, choices=choices, default=first)
    if param.name == "word":
        return replace(param, default=context.titles[0] if context.titles else None, choices=context.titles)
    if param.name == "means" and name in ANY_VERB:
        return replace(param, choices=(*param.choices, *context.verbs))
    if param.kind == "peers":
        degrees = context.columns.degrees()
        return replace(param, default=max(context.users, key=lambda peer: (degrees[peer], -peer), default=None))
    return param


def _fits(value: object, param: Param, where: str) -> None:
    if param.kind in ("share", "count", "seconds"):
        whole = param.kind == "count"
        right = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        # Every comparison with nan is false, so that this refuses it too.
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
"""Titles that are offered as words to ban."""


class CommandExecutor(Protocol):
    """Resolves selectors, and carries out the steps of attacks; implemented by `engine.swarm.Swarm`."""

    def resolve(self, peers: Peers) -> tuple[PeerId, ...]:
        """The peers that a selector names. Raises InputError."""

    def carry_out(self, command: Command, by: str) -> tuple[PeerId, ...]:
        """Carry out a command inside of another one. Returns the peers that it changed. Raises InputError."""

    def contents_of_trace(self, spec: str) -> bytes | None:
        """The contents of the file of sessions that a churn spec names, as `files.read_packed` returns them; None for a
        spec that names no file. Raises InputError."""


class AttackRunner:
    """Begins attacks, and knows which ones have steps left. `columns` are the columns of all peers."""

    def __init__(self, sim: Simulation, workload: Workload, columns: PeerColumns, executor: CommandExecutor) -> None:
        self.simulation = sim
        self.workload = workload
        self.columns = columns
        self.executor = executor
        self.done = 0
        """Number of attacks so far, and the number of the last one. Each has a random stream of its own."""
        self._running: dict[int, RunningAttack] = {}
        """Attacks that may have steps left, by number."""

    def presets(self) -> tuple[Preset, ...]:
        """All presets, see `offered`."""
        return offered(self._context(()))

    def preview(self, command: Attack, victims: tuple[PeerId, ...]) -> Plan:
        """The plan of an attack if it began now, with the same random draws. Changes nothing. Raises InputError."""
        return plan(command, self._context(victims), self._stream())

    def begin(self, command: Attack) -> tuple[PeerId, ...]:
        """Begin an attack. Returns the peers that its first steps changed. Raises InputError."""
        victims = () if command.peers is None else self.executor.resolve(command.peers)
        planned = plan(command, self._context(victims), self._stream())
        self.done += 1
        until_us = self.simulation.kernel.now_us + round(max(map(_over_s, planned.steps), default=0.0) * 1e6)
        self._running[self.done] = RunningAttack(command.name, attack_title(command.name), until_us)
        changed: dict[PeerId, None] = {}
        outer, self.workload.attack = self.workload.attack, self.done
        for at_s, step in planned.steps:
            if at_s > 0:
                self.workload.later(max(1, round(at_s * 1e6)), Due(step, "attack", self.workload.attack))
            else:
                changed.update(dict.fromkeys(self.executor.carry_out(step, "attack")))
        self.workload.attack = outer
        return tuple(changed)

    def under_way(self) -> tuple[RunningAttack, ...]:
        """Attacks with steps left, in the order in which they were begun."""
        now_us = self.simulation.kernel.now_us
        self._running = {number: one for number, one in self._running.items() if one.until_us > now_us}
        return tuple(self._running.values())

    def call_off(self, name: str | None) -> None:
        """Cancel the steps left of all attacks, or of those with this name. Raises InputError if there are none."""
        if name is not None:
            check_name(name, "calloff")
        names = dict.fromkeys(one.name for one in self.under_way())
        those = [number for number, one in self._running.items() if name in (None, one.name)]
        if not those:
            what = "no attack has anything" if name is None else f'no attack "{name}" has anything'
            others = f"; under way: {', '.join(names)}" if names else ""
            raise InputError(f"calloff: {what} still to do{others}")
        for number in those:
            del self._running[number]
            self.workload.off[number] = None

    def _stream(self) -> Stream:
        return Stream(f"{self.simulation.seed}/attack/{self.done}")

    def _context(self, victims: tuple[PeerId, ...]) -> AttackContext:
        sim = self.simulation
        alive = sim.state == ALIVE
        return AttackContext(
            columns=self.columns,
            living=tuple(np.flatnonzero(alive).tolist()),
            users=tuple(np.flatnonzero(alive & ~sim.infrastructure).tolist()),
            titles=tuple(self.workload.catalogue.popular(TITLES)),
            overlay=sim.program.overlay,
            relays=sim.program.overlay or not sim.stations,
            shares=sim.program.shares_files,
            moves=MOVE_NEAR in verbs_of(sim.program),
            victims=tuple(peer for peer in victims if alive[peer]),
            verbs=verbs_without_values(*dict.fromkeys(sim.program_types)),
            able=self._able,
            cuts=(*sim.faults.cut_links.pairs, *((peer,) for peer in sim.faults.cut_links.whole)),
        )

    def _able(self, peer: PeerId, verb: str) -> bool:
        program = self.simulation.programs[peer]
        if program is None or verb not in verbs_of(type(program)):
            return False
        try:
            return not why_not(program, verb)
        except Exception as error:
            raise PeerFailed(peer, f'why_not of "{verb}"', error) from error


def _over_s(step: tuple[float, Command]) -> float:
    """Seconds until a step and the arrivals or departures that it schedules are done."""
    at_s, command = step
    return at_s + (command.over_s if isinstance(command, Arrive | Depart) else 0.0)
