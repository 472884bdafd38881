"""Carries out commands: one function for each verb, in the table `EFFECTS`. All are called through `Swarm.do`.

A function gets the parts that it may change (`Parts`), the command, and its source ("person", "scenario", ...). It
returns the peers that it changed. An InputError is raised before anything has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, TypeAlias

from .. import commands as c
from .. import programs
from ..api import PUBLISH, Ban, Peer, PeerId, mentions, words_of
from ..commands import Censor
from ..errors import InputError, PeerFailed, nearest, plain
from ..measure.snapshot import ALIVE, DEAD, LEFT, CourtStatus
from ..options import as_number, option_values, set_option
from ..simulation import Simulation
from ..values import dataclass
from ..world.content import file_of
from ..world.decoys import PoisonedLibrary
from .arrivals import ArrivalProcess
from .attacks import AttackRunner, CommandExecutor
from .workload import Due, Workload

LISTED_MOST = 1_000
"""Most peers whose links to each other one command may hold or cut: half a million links."""
TEXT_MAX = 200
"""Characters of an ask; a longer text is cut."""
JOINING_US = 3_000_000
"""Time after its start from which a peer issues its asks although it has no link."""


@dataclass(slots=True)
class BlockOrder:
    """An engine timer: the peer is censored when it is due, unless `Adjourn` has ended that session of the court."""

    peer: PeerId
    session: int


class CourtOrders:
    """The command `Court`: each peer that a hit names is censored, `after_us` after the hit.

    It is part of the engine and not of the dashboard: so a scenario can use it, a recording has one command and not one
    for each order, and the run is the same when it is repeated. Until its order is carried out, a peer answers as
    before. `Adjourn` cancels the orders that are not carried out yet; censored peers stay censored.
    """

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self._session = 0
        self._pending: dict[PeerId, None] = {}
        self.after_us: int | None = None
        """None while no court is in session. In us."""
        self.orders = 0
        """Orders carried out in this session."""
        self.answers = 0
        """Hits in this session."""
        self.answers_after = 0
        """Hits since the first order was carried out."""

    def convene(self, after_us: int) -> None:
        """Begin a session; in a session, only change the delay."""
        if self.after_us is None:
            self.orders = self.answers = self.answers_after = 0
        self.after_us = after_us

    def adjourn(self) -> None:
        """End the session, and cancel the orders that are not carried out yet."""
        self.after_us = None
        self._session += 1
        self._pending = {}

    def hit(self, holder: PeerId, censored: bool) -> None:
        """The origin of an ask learned of a holder."""
        if self.after_us is None:
            return
        self.answers += 1
        self.answers_after += self.orders > 0
        if not censored and holder not in self._pending:
            self._pending[holder] = None
            self.workload.later(self.after_us, BlockOrder(holder, self._session))

    def fire(self, order: BlockOrder) -> None:
        """An order is due: have the peer censored at the end of this instant."""
        if order.session == self._session:
            del self._pending[order.peer]
            self.orders += 1
            self.workload.enqueue(Due(Censor((order.peer,)), "court"))

    def status(self) -> CourtStatus | None:
        """Counts of this session; None while no court is in session."""
        if self.after_us is None:
            return None
        return CourtStatus(self.after_us, self.orders, len(self._pending), self.answers, self.answers_after)


@dataclass(slots=True)
class Parts:
    """The parts of a swarm that commands change. `executor` resolves selectors."""

    simulation: Simulation
    workload: Workload
    arrivals: ArrivalProcess
    attacks: AttackRunner
    court: CourtOrders
    executor: CommandExecutor
    waiting_asks: dict[PeerId, list[tuple[c.AskFor, str]]] = field(default_factory=dict)
    """Asks of peers that are not alive, with the sources of the commands; issued once the peer has joined."""
    groups: int = 0
    """Number of groups that partitions have made so far."""


def _in_state(parts: Parts, peers: c.Peers, *states: int) -> tuple[PeerId, ...]:
    return tuple(p for p in parts.executor.resolve(peers) if parts.simulation.state[p] in states)


def _stop(parts: Parts, peers: Sequence[PeerId], state: int) -> tuple[PeerId, ...]:
    for peer in peers:
        parts.simulation.end(peer, state)
        parts.workload.touched(peer)
    return tuple(peers)


def _begin(parts: Parts, peers: Sequence[PeerId]) -> tuple[PeerId, ...]:
    for peer in peers:
        parts.simulation.start(peer)
        parts.workload.touched(peer)
    return tuple(peers)


def kill(parts: Parts, command: c.Kill, by: str) -> tuple[PeerId, ...]:
    return _stop(parts, _in_state(parts, command.peers, ALIVE), DEAD)


def revive(parts: Parts, command: c.Revive, by: str) -> tuple[PeerId, ...]:
    return _begin(parts, _in_state(parts, command.peers, DEAD))


def leave(parts: Parts, command: c.Leave, by: str) -> tuple[PeerId, ...]:
    return _stop(parts, _in_state(parts, command.peers, ALIVE), LEFT)


def join(parts: Parts, command: c.Join, by: str) -> tuple[PeerId, ...]:
    return _begin(parts, _in_state(parts, command.peers, LEFT))


def _operated_by(parts: Parts, operator: str) -> list[PeerId]:
    # Ordinary peers have the operator "": an empty name must not select all of them.
    operated = [p for p, name in enumerate(parts.simulation.operators) if operator and name == operator]
    if not operated:
        known = sorted({name for name in parts.simulation.operators if name})
        raise InputError(f'no peer is run by an operator called "{plain(operator)}"{nearest(operator, known)}')
    return operated


def shutdown(parts: Parts, command: c.Shutdown, by: str) -> tuple[PeerId, ...]:
    return _stop(parts, [p for p in _operated_by(parts, command.operator) if parts.simulation.state[p] == ALIVE], DEAD)


def reopen(parts: Parts, command: c.Reopen, by: str) -> tuple[PeerId, ...]:
    sim = parts.simulation
    those = [p for p in _operated_by(parts, command.operator) if sim.state[p] != ALIVE]
    if command.under:
        sim.set_operator(those, plain(command.under, limit=40).strip())
    return _begin(parts, those)


def arrive(parts: Parts, command: c.Arrive, by: str) -> tuple[PeerId, ...]:
    return parts.arrivals.arrive(command, None if command.via is None else parts.executor.resolve(command.via))


def depart(parts: Parts, command: c.Depart, by: str) -> tuple[PeerId, ...]:
    return parts.arrivals.depart(command, parts.executor.resolve(command.peers))


def attack(parts: Parts, command: c.Attack, by: str) -> tuple[PeerId, ...]:
    return parts.attacks.begin(command)


def call_off(parts: Parts, command: c.CallOff, by: str) -> tuple[PeerId, ...]:
    parts.attacks.call_off(command.name)
    return ()


def _block(parts: Parts, peers: c.Peers, blocked: bool) -> tuple[PeerId, ...]:
    censored = parts.simulation.faults.censored
    those = tuple(p for p in parts.executor.resolve(peers) if censored[p] != blocked)
    for peer in those:
        censored[peer] = blocked
    parts.simulation.refresh_columns(those)
    return those


def censor(parts: Parts, command: c.Censor, by: str) -> tuple[PeerId, ...]:
    return _block(parts, command.peers, True)


def uncensor(parts: Parts, command: c.Uncensor, by: str) -> tuple[PeerId, ...]:
    return _block(parts, command.peers, False)


def collude(parts: Parts, command: c.Collude, by: str) -> tuple[PeerId, ...]:
    if not words_of(command.word):
        raise InputError('collude needs a word to ban, such as word = "blue train"')
    if not 0 <= command.leak <= 1:
        raise InputError(f'"leak" of collude is a share from 0 to 1, not {plain(command.leak, 40)}')
    those = parts.executor.resolve(command.peers)
    ban = _ban(parts, command.word, those[0]) if those else Ban(command.word)
    for peer in those:
        parts.simulation.faults.bans[peer] = (ban, float(command.leak))
    parts.simulation.refresh_columns(those)
    return those


def _ban(parts: Parts, word: str, peer: PeerId) -> Ban:
    """A ban on a phrase, with the keys of all titles that contain it, where the network has keys. peer: the peer that
    is named if `key_of` fails. Raises PeerFailed."""
    sim = parts.simulation
    if sim.program.key_of.__func__ is Peer.key_of.__func__:  # type: ignore[attr-defined]
        return Ban(word)
    titles = [title for title in parts.workload.catalogue.titles if mentions(words_of(title), word)]
    try:
        return Ban(word, map(sim.program.key_of, dict.fromkeys((*titles, *sim.holders.names(word)))))
    except Exception as error:
        raise PeerFailed(peer, "key_of", error) from error


def defect(parts: Parts, command: c.Defect, by: str) -> tuple[PeerId, ...]:
    those = tuple(p for p in parts.executor.resolve(command.peers) if p in parts.simulation.faults.bans)
    for peer in those:
        del parts.simulation.faults.bans[peer]
    parts.simulation.refresh_columns(those)
    return those


def poison(parts: Parts, command: c.Poison, by: str) -> tuple[PeerId, ...]:
    those = parts.executor.resolve(command.peers)
    sharing = tuple(p for p in those if parts.simulation.program_types[p].shares_files)
    if those and not sharing:
        one = "this peer shares" if len(those) == 1 else "these peers share"
        who = (
            one if any(kind.shares_files for kind in parts.simulation.program_types) else "peers of this network share"
        )
        raise InputError(f"poison: {who} no files, so decoys would have no effect")
    sim, catalogue = parts.simulation, parts.workload.catalogue
    genuine = catalogue.files if command.weak else None
    changed = []
    for peer in sharing:
        host = sim.peer_hosts[peer]
        if isinstance(host.library, PoisonedLibrary) and (host.library.genuine is None) is (genuine is None):
            continue
        sim.poisoned[peer] = True
        host.library = PoisonedLibrary(peer, sim.libraries[peer], catalogue.titles, genuine=genuine)
        changed.append(peer)
    return tuple(changed)


def cure(parts: Parts, command: c.Cure, by: str) -> tuple[PeerId, ...]:
    sim = parts.simulation
    those = tuple(p for p in parts.executor.resolve(command.peers) if sim.poisoned[p])
    for peer in those:
        sim.poisoned[peer] = False
        sim.peer_hosts[peer].library = sim.libraries[peer]
    return those


def partition(parts: Parts, command: c.Partition, by: str) -> tuple[PeerId, ...]:
    group = parts.simulation.faults.group
    trait = _trait(parts, command.by)
    those = parts.executor.resolve(command.peers)
    renamed: dict[tuple[int, Any], int] = {}
    for peer in those:
        was = (group[peer], trait[peer] if trait else None)
        side = renamed.get(was)
        if side is None:
            parts.groups += 1
            side = renamed[was] = parts.groups
        group[peer] = side
    parts.simulation.faults.split = True
    if command.by is not None:
        parts.simulation.faults.split_by[command.by] = None
    parts.simulation.refresh_columns(those)
    return those


def _trait(parts: Parts, by: str | None) -> Sequence[Any]:
    """The column by whose values a partition divides these peers further; empty for none."""
    sim = parts.simulation
    if by is None:
        return ()
    if by not in c.SIDES:
        raise InputError(f'partition does not go by "{plain(by)}"{nearest(str(by), c.SIDES)}')
    return sim.trait(by)


def hold(parts: Parts, command: c.Hold, by: str) -> tuple[PeerId, ...]:
    those = parts.executor.resolve(command.peers)
    if len(those) > LISTED_MOST:
        raise InputError(
            f"hold takes at most {LISTED_MOST:,} peers, because it lists each link; these are {len(those):,}"
        )
    if those:
        parts.simulation.network.hold(those)
    return those


def release(parts: Parts, command: c.Release, by: str) -> tuple[PeerId, ...]:
    return parts.simulation.network.release(parts.executor.resolve(command.peers))


def cut(parts: Parts, command: c.Cut, by: str) -> tuple[PeerId, ...]:
    those = parts.executor.resolve(command.peers)
    if len(those) > LISTED_MOST:
        raise InputError(
            f"cut takes at most {LISTED_MOST:,} peers, because it lists each link; these are {len(those):,}"
        )
    if those:
        parts.simulation.network.cut(those)
    return those


def mend(parts: Parts, command: c.Mend, by: str) -> tuple[PeerId, ...]:
    ends = parts.simulation.network.mend(parts.executor.resolve(command.peers))
    parts.simulation.mended(ends)
    return ends


def act(parts: Parts, command: c.Act, by: str) -> tuple[PeerId, ...]:
    sim, verb = parts.simulation, command.name
    kinds = tuple(dict.fromkeys(sim.program_types))
    programs.check_verb(verb, kinds, "act")
    those = parts.executor.resolve(command.peers)
    having = [kind for kind in kinds if verb in programs.verbs_of(kind)]
    able = [p for p in those if sim.program_types[p] in having]
    if those and not able:
        whose = " or ".join(dict.fromkeys(kind.role for kind in having))
        raise InputError(f'act: none of these peers can "{plain(verb)}": that is for a {whose}')
    values = {
        kind: programs.read_values(kind, verb, command.values, "act")
        for kind in dict.fromkeys(sim.program_types[p] for p in able)
    }
    ready: list[PeerId] = []
    reason = ""
    for peer in able:
        program = sim.programs[peer]
        if program is None:
            continue
        why = programs.why_not(program, verb)
        if why:
            reason = reason or f"{sim.labels[peer]} cannot: {why}"
        else:
            ready.append(peer)
    if reason and not ready:
        raise InputError(f'act: "{plain(verb)}" was not done, since {plain(reason)}')
    for peer in ready:
        sim.act(peer, verb, values[sim.program_types[peer]])
    return tuple(ready)


def heal(parts: Parts, command: c.Heal, by: str) -> tuple[PeerId, ...]:
    faults = parts.simulation.faults
    those = tuple(p for p, side in enumerate(faults.group) if side)
    faults.group[:] = [0] * parts.simulation.n
    faults.split = False
    faults.split_by = {}
    parts.simulation.refresh_columns(those)
    return those


def court(parts: Parts, command: c.Court, by: str) -> tuple[PeerId, ...]:
    after_s = as_number(command.after_s, "court: after_s", 0.0, c.COURT_S_MAX, texts=True)
    parts.court.convene(round(after_s * 1e6))
    return ()


def adjourn(parts: Parts, command: c.Adjourn, by: str) -> tuple[PeerId, ...]:
    parts.court.adjourn()
    return ()


def ask(parts: Parts, command: c.AskFor, by: str) -> tuple[PeerId, ...]:
    if not plain(command.text).strip():
        raise InputError("an ask needs something to ask for")
    c.check_goal(command, parts.simulation.program, "ask")
    those = parts.executor.resolve(command.peers)
    for peer in those:
        if parts.simulation.state[peer] == ALIVE:
            _issue(parts, peer, command, by)
        else:
            parts.waiting_asks.setdefault(peer, []).append((command, by))
    return those


def _issue(parts: Parts, peer: PeerId, command: c.AskFor, by: str) -> None:
    goals = parts.simulation.program.goals
    goal = next((goal for goal in goals if goal.name == command.goal), goals[0])
    parts.simulation.ask(peer, plain(command.text, limit=TEXT_MAX).strip(), goal, by)


def issue_waiting(parts: Parts) -> None:
    """Issue the waiting asks of peers that are alive now.

    Where the network keeps links, a peer is waited for until it has one, but no longer than `JOINING_US`. Called after
    each command and engine timer. Raises PeerFailed.
    """
    sim = parts.simulation
    long_ago_us = sim.kernel.now_us - JOINING_US
    for peer in [p for p in parts.waiting_asks if sim.state[p] == ALIVE]:
        if sim.streams.near[peer] or not sim.program_types[peer].overlay or sim.started_us[peer] <= long_ago_us:
            for command, by in parts.waiting_asks.pop(peer):
                _issue(parts, peer, command, by)


def publish(parts: Parts, command: c.Publish, by: str) -> tuple[PeerId, ...]:
    if not words_of(command.text):
        raise InputError("publish needs a name for the file")
    those = parts.executor.resolve(command.peers)
    file = file_of(command.text, parts.simulation.seed, parts.simulation.file_mib)
    for peer in those:
        parts.simulation.libraries[peer].add(file)
    bans = parts.simulation.faults.bans
    if those and any(mentions(words_of(file.name), word) for word, _ in bans.values()):
        anew = {word: _ban(parts, word, those[0]) for word, _ in bans.values()}
        bans.update({peer: (anew[word], leak) for peer, (word, leak) in bans.items()})
    for peer in those:
        if parts.simulation.state[peer] == ALIVE:
            parts.simulation.ask(peer, file.name, parts.simulation.goals[PUBLISH.name], by)
    return those


def set_parameter(parts: Parts, command: c.Set, by: str) -> tuple[PeerId, ...]:
    name, value = command.name, command.value
    sim = parts.simulation
    number = as_number(value, f"set: {name}", *c.SET_RANGES[name], texts=True) if name in c.SET_RANGES else 0.0
    if name == "churn":
        parts.workload.set_churn(str(value), parts.executor.contents_of_trace)
    elif name == "polite":
        parts.workload.polite = number
    elif name == "arrivals":
        parts.arrivals.set_law(replace(parts.arrivals.spec, law=str(value)))
    elif name == "loss":
        sim.network.set_loss(number)
    elif name == "latency":
        sim.network.set_factor(number)
    elif name == "jitter":
        sim.network.set_jitter(round(number * 1000))
    elif name == "capacity":
        bandwidth = sim.network.bandwidth
        if bandwidth is None:
            raise InputError('set: links have no capacity in this run; its setup gives one, as in capacity = "saroiu"')
        bandwidth.set_factor(number)
    elif name == "asks":
        parts.workload.set_asks(number)
    else:
        set_option(sim.shared.options, name, value, "set", also=c.SET_WORLD)
    return ()


def settings(parts: Parts) -> dict[str, object]:
    """Present values of the parameters that `set` changes, the protocol's options included."""
    sim = parts.simulation
    options, links, bandwidth = sim.shared.options, sim.network.links, sim.network.bandwidth
    return {
        "churn": parts.workload.churn_spec,
        "polite": parts.workload.polite,
        "arrivals": parts.arrivals.spec.law,
        "loss": links.loss,
        "latency": links.factor,
        "asks": parts.workload.asks_per_s,
        "jitter": links.jitter_us / 1000,
        **({"capacity": bandwidth.factor} if bandwidth is not None else {}),
        **option_values(options),
    }


Effect: TypeAlias = Callable[[Parts, Any, str], tuple[PeerId, ...]]
EFFECTS: Mapping[type[c.Command], Effect] = {
    c.Kill: kill,
    c.Revive: revive,
    c.Leave: leave,
    c.Join: join,
    c.Shutdown: shutdown,
    c.Reopen: reopen,
    c.Arrive: arrive,
    c.Depart: depart,
    c.Attack: attack,
    c.CallOff: call_off,
    c.Censor: censor,
    c.Uncensor: uncensor,
    c.Collude: collude,
    c.Defect: defect,
    c.Poison: poison,
    c.Cure: cure,
    c.Partition: partition,
    c.Hold: hold,
    c.Release: release,
    c.Cut: cut,
    c.Mend: mend,
    c.Act: act,
    c.Heal: heal,
    c.Court: court,
    c.Adjourn: adjourn,
    c.AskFor: ask,
    c.Publish: publish,
    c.Set: set_parameter,
}


def apply(parts: Parts, command: c.Command, by: str) -> tuple[PeerId, ...]:
    """Carry out a command by the function of its verb. Returns the peers that it changed. Raises PeerFailed, and
    InputError before anything has changed."""
    c.check(command)
    return EFFECTS[type(command)](parts, command, by)
