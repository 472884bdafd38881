"""How each command is carried out. One method a verb; all are reached through `Swarm.do`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from .. import commands as c
from ..api import PeerId, Want, words_of
from ..commands import Censor, Command
from ..errors import InputError, nearest, plain
from ..measure.snapshot import ALIVE, DEAD, LEFT, CourtStatus
from ..options import as_number, set_option
from ..simulation import Simulation
from ..world.access_links import JITTER_MS_MAX
from ..world.content import file_of
from ..world.decoys import Poisoned
from .arrivals import ArrivalProcess
from .attacks import Attacks
from .workload import ASKS_PER_S_MAX, Workload

# The court: whoever answers is censored, a set time later.
#
# It is part of the world and not of the dashboard, so that a scenario can convene it, a recording holds one command
# instead of each order, and a run repeats. The court reads hits, as a plaintiff does who asks like anybody else: the
# peer that a hit names is whom the order is against. Between the answer and the order lies `after_us`, the time that
# justice takes; a peer goes on answering until then. Orders stand when the court adjourns: only those that were not
# served yet lapse.


@dataclass(slots=True)
class BlockOrder:
    """An engine timer: a peer is to be censored now, unless the sitting it was ordered in is over."""

    peer: PeerId
    sitting: int


class CourtOrders:
    """`later(delay_us, tick)` sets an engine timer, `served(command)` has it done at the end of this instant."""

    def __init__(self, later: Callable[[int, BlockOrder], None], served: Callable[[Command], None]) -> None:
        self._later = later
        self._served = served
        self._sitting = 0
        self._pending: dict[PeerId, None] = {}
        self.after_us: int | None = None
        self.orders = 0
        self.answers = 0
        self.answers_after = 0

    def convene(self, after_us: int) -> None:
        """From now on. Sitting already, it only changes its pace: the score goes on."""
        if self.after_us is None:
            self.orders = self.answers = self.answers_after = 0
        self.after_us = after_us

    def adjourn(self) -> None:
        """No more orders; those under way lapse."""
        self.after_us = None
        self._sitting += 1
        self._pending = {}

    def hit(self, holder: PeerId, censored: bool) -> None:
        """Somebody learned that `holder` has what was asked for."""
        if self.after_us is None:
            return
        self.answers += 1
        self.answers_after += self.orders > 0
        if not censored and holder not in self._pending:
            self._pending[holder] = None
            self._later(self.after_us, BlockOrder(holder, self._sitting))

    def rang(self, order: BlockOrder) -> None:
        """The time has come."""
        if order.sitting == self._sitting:
            del self._pending[order.peer]
            self.orders += 1
            self._served(Censor((order.peer,)))

    def status(self) -> CourtStatus | None:
        """How it stands; None while no court sits."""
        if self.after_us is None:
            return None
        return CourtStatus(self.after_us, self.orders, len(self._pending), self.answers, self.answers_after)


HELD_MOST = 1_000
"""Peers whose links among each other may be held at once: half a million links."""
COURT_S_MAX = 86_400.0
TEXT_MAX = 200
"""Characters of an ask; the rest of a longer text is cut off."""
Resolve = Callable[[c.Peers], tuple[PeerId, ...]]


WORLD = ("churn", "loss", "latency", "asks")
"""What `set` changes besides the protocol's options."""


class Acts:
    """Commands on a town. Each method returns the peers that it changed."""

    def __init__(
        self,
        sim: Simulation,
        workload: Workload,
        arrival_process: ArrivalProcess,
        attacks: Attacks,
        resolve: Resolve,
        bench: CourtOrders,
    ) -> None:
        self.simulation = sim
        self.workload = workload
        self.arrival_process = arrival_process
        self.attacks = attacks
        self.resolve = resolve
        self.bench = bench
        self.asking: dict[PeerId, list[tuple[c.AskFor, str]]] = {}
        """Asks of peers that are not there yet."""
        self._groups = 0
        self._how: dict[type[c.Command], Callable[[Any, str], tuple[PeerId, ...]]] = {
            c.Kill: self._kill,
            c.Revive: self._revive,
            c.Leave: self._leave,
            c.Join: self._join,
            c.Censor: self._censor,
            c.Uncensor: self._uncensor,
            c.Shutdown: self._shutdown,
            c.Reopen: self._reopen,
            c.Collude: self._collude,
            c.Defect: self._defect,
            c.Poison: self._poison,
            c.Cure: self._cure,
            c.Partition: self._partition,
            c.Heal: self._heal,
            c.Hold: self._hold,
            c.Release: self._release,
            c.Arrive: self._arrive,
            c.Depart: self._depart,
            c.Attack: self._attack,
            c.CallOff: self._call_off,
            c.AskFor: self._ask,
            c.Publish: self._publish,
            c.Set: self._set,
            c.Court: self._court,
            c.Adjourn: self._adjourn,
        }

    def carry_out(self, command: c.Command, by: str) -> tuple[PeerId, ...]:
        """Do it. Raises InputError before anything has changed."""
        c.check(command)
        return self._how[type(command)](command, by)

    # --- life and death ------------------------------------------------------------------------------------

    def _those(self, peers: c.Peers, *states: int) -> tuple[PeerId, ...]:
        return tuple(p for p in self.resolve(peers) if self.simulation.state[p] in states)

    def _stop(self, peers: Sequence[PeerId], state: int) -> tuple[PeerId, ...]:
        for peer in peers:
            self.simulation.die(peer, state)
            self.workload.touched(peer)
        return tuple(peers)

    def _begin(self, peers: Sequence[PeerId]) -> tuple[PeerId, ...]:
        for peer in peers:
            self.simulation.start(peer)
            self.workload.touched(peer)
        return tuple(peers)

    def _kill(self, command: c.Kill, by: str) -> tuple[PeerId, ...]:
        return self._stop(self._those(command.peers, ALIVE), DEAD)

    def _revive(self, command: c.Revive, by: str) -> tuple[PeerId, ...]:
        return self._begin(self._those(command.peers, DEAD))

    def _leave(self, command: c.Leave, by: str) -> tuple[PeerId, ...]:
        return self._stop(self._those(command.peers, ALIVE), LEFT)

    def _join(self, command: c.Join, by: str) -> tuple[PeerId, ...]:
        return self._begin(self._those(command.peers, LEFT))

    def _of(self, operator: str) -> list[PeerId]:
        # Ordinary peers have an empty operator: nobody may shut down everybody by a name left out.
        mine = [p for p, name in enumerate(self.simulation.operators) if operator and name == operator]
        if not mine:
            known = sorted({name for name in self.simulation.operators if name})
            raise InputError(f'nobody is run by an operator called "{operator}"{nearest(operator, known)}')
        return mine

    def _shutdown(self, command: c.Shutdown, by: str) -> tuple[PeerId, ...]:
        return self._stop([p for p in self._of(command.operator) if self.simulation.state[p] == ALIVE], DEAD)

    def _reopen(self, command: c.Reopen, by: str) -> tuple[PeerId, ...]:
        return self._begin([p for p in self._of(command.operator) if self.simulation.state[p] != ALIVE])

    def _arrive(self, command: c.Arrive, by: str) -> tuple[PeerId, ...]:
        return self.arrival_process.arrive(command, None if command.via is None else self.resolve(command.via))

    def _depart(self, command: c.Depart, by: str) -> tuple[PeerId, ...]:
        return self.arrival_process.depart(command, self.resolve(command.peers))

    def _attack(self, command: c.Attack, by: str) -> tuple[PeerId, ...]:
        return self.attacks.carry_out(command)

    def _call_off(self, command: c.CallOff, by: str) -> tuple[PeerId, ...]:
        self.attacks.call_off(command.name)
        return ()

    # --- interference -----------------------------------------------------------------------------------------

    def _block(self, peers: c.Peers, blocked: bool) -> tuple[PeerId, ...]:
        censored = self.simulation.faults.censored
        those = tuple(p for p in self.resolve(peers) if censored[p] != blocked)
        for peer in those:
            censored[peer] = blocked
        self.simulation.restate(those)
        return those

    def _censor(self, command: c.Censor, by: str) -> tuple[PeerId, ...]:
        return self._block(command.peers, True)

    def _uncensor(self, command: c.Uncensor, by: str) -> tuple[PeerId, ...]:
        return self._block(command.peers, False)

    def _collude(self, command: c.Collude, by: str) -> tuple[PeerId, ...]:
        if not words_of(command.word):
            raise InputError('collude needs a word to ban, such as word = "blue train"')
        if not 0 <= command.leak <= 1:
            raise InputError(f'"leak" of collude is a share from 0 to 1, not {plain(command.leak, 40)}')
        those = self.resolve(command.peers)
        for peer in those:
            self.simulation.faults.bans[peer] = (command.word, float(command.leak))
        self.simulation.restate(those)
        return those

    def _defect(self, command: c.Defect, by: str) -> tuple[PeerId, ...]:
        those = tuple(p for p in self.resolve(command.peers) if p in self.simulation.faults.bans)
        for peer in those:
            del self.simulation.faults.bans[peer]
        self.simulation.restate(those)
        return those

    def _poison(self, command: c.Poison, by: str) -> tuple[PeerId, ...]:
        those = self.resolve(command.peers)
        sharing = tuple(p for p in those if self.simulation.program_types[p].shares_files)
        if those and not sharing:
            one = "this peer shares" if len(those) == 1 else "these peers share"
            who = (
                one
                if any(kind.shares_files for kind in self.simulation.program_types)
                else "peers of this network share"
            )
            raise InputError(f"poison: {who} no files, so there is nothing that decoys could stand in for")
        return self._serve(sharing, True)

    def _cure(self, command: c.Cure, by: str) -> tuple[PeerId, ...]:
        return self._serve(command.peers, False)

    def _serve(self, peers: c.Peers, decoys: bool) -> tuple[PeerId, ...]:
        sim = self.simulation
        those = tuple(p for p in self.resolve(peers) if sim.poisoned[p] != decoys)
        for peer in those:
            sim.poisoned[peer] = decoys
            real = sim.shelves[peer]
            sim.peer_hosts[peer].library = Poisoned(peer, real, self.workload.catalogue.titles) if decoys else real
        return those

    def _partition(self, command: c.Partition, by: str) -> tuple[PeerId, ...]:
        group = self.simulation.faults.group
        trait = self._trait(command.by)
        those = self.resolve(command.peers)
        renamed: dict[tuple[int, Any], int] = {}
        for peer in those:
            was = (group[peer], trait[peer] if trait else None)
            side = renamed.get(was)
            if side is None:
                self._groups += 1
                side = renamed[was] = self._groups
            group[peer] = side
        self.simulation.faults.split = True
        self.simulation.restate(those)
        return those

    def _trait(self, by: str | None) -> Sequence[Any]:
        """By what a partition parts peers among themselves: a column, or none."""
        sim = self.simulation
        if by is None:
            return ()
        if by not in c.SIDES:
            raise InputError(f'partition does not go by "{plain(by)}"{nearest(str(by), c.SIDES)}')
        columns = (sim.shared.links.place, [kind.role for kind in sim.program_types], sim.operators)
        return columns[c.SIDES.index(by)]

    def _hold(self, command: c.Hold, by: str) -> tuple[PeerId, ...]:
        those = self.resolve(command.peers)
        if len(those) > HELD_MOST:
            raise InputError(
                f"hold takes at most {HELD_MOST:,} peers, for it looks at each link; these are {len(those):,}"
            )
        if those:
            self.simulation.shared.links.hold(those, self.simulation.kernel)
        return those

    def _release(self, command: c.Release, by: str) -> tuple[PeerId, ...]:
        return self.simulation.shared.links.release(self.resolve(command.peers), self.simulation.kernel)

    def _heal(self, command: c.Heal, by: str) -> tuple[PeerId, ...]:
        faults = self.simulation.faults
        those = tuple(p for p, side in enumerate(faults.group) if side)
        faults.group[:] = [0] * self.simulation.n
        faults.split = False
        self.simulation.restate(those)
        return those

    def _court(self, command: c.Court, by: str) -> tuple[PeerId, ...]:
        after_s = as_number(command.after_s, "court: after_s", 0.0, COURT_S_MAX, texts=True)
        self.bench.convene(round(after_s * 1e6))
        return ()

    def _adjourn(self, command: c.Adjourn, by: str) -> tuple[PeerId, ...]:
        self.bench.adjourn()
        return ()

    # --- wishes -----------------------------------------------------------------------------------------------

    def _ask(self, command: c.AskFor, by: str) -> tuple[PeerId, ...]:
        if not plain(command.text).strip():
            raise InputError("an ask needs something to ask for")
        if command.want is not None and command.want not in get_args(Want):
            raise InputError(f'no ask wants to "{plain(command.want)}"{nearest(str(command.want), get_args(Want))}')
        those = self.resolve(command.peers)
        for peer in those:
            if self.simulation.state[peer] == ALIVE:
                self._issue(peer, command, by)
            else:
                self.asking.setdefault(peer, []).append((command, by))
        return those

    def _issue(self, peer: PeerId, command: c.AskFor, by: str) -> None:
        want = command.want or self.simulation.program.wants
        self.simulation.ask(peer, plain(command.text, limit=TEXT_MAX).strip(), want, by)

    def arrived(self, peer: PeerId) -> None:
        """A peer is back: its user asks what waited."""
        for command, by in self.asking.pop(peer, ()):
            self._issue(peer, command, by)

    def _publish(self, command: c.Publish, by: str) -> tuple[PeerId, ...]:
        if not words_of(command.text):
            raise InputError("publish needs a name for the file")
        those = self.resolve(command.peers)
        file = file_of(command.text, self.simulation.seed)
        for peer in those:
            self.simulation.shelves[peer].add(file)
            if self.simulation.state[peer] == ALIVE:
                self.simulation.ask(peer, file.name, "publish", by)
        return those

    # --- parameters -----------------------------------------------------------------------------------------

    def _set(self, command: c.Set, by: str) -> tuple[PeerId, ...]:
        name, value = command.name, command.value
        sim = self.simulation
        if name == "churn":
            self.workload.set_churn(str(value))
        elif name == "polite":
            self.workload.polite = as_number(value, "set: polite", 0.0, 1.0, texts=True)
        elif name == "arrivals":
            self.arrival_process.set_law(replace(self.arrival_process.spec, law=str(value)))
        elif name == "loss":
            sim.shared.links.set_loss(as_number(value, "set: loss", 0.0, 0.99, texts=True))
            sim.restate(())
        elif name == "latency":
            sim.shared.links.set_factor(as_number(value, "set: latency", 0.001, 1000.0, texts=True), sim.kernel)
        elif name == "jitter":
            jitter_ms = as_number(value, "set: jitter", 0.0, JITTER_MS_MAX, texts=True)
            sim.shared.links.set_jitter(round(jitter_ms * 1000), sim.kernel)
        elif name == "capacity":
            factor = as_number(value, "set: capacity", 0.001, 1000.0, texts=True)
            bandwidth = sim.shared.links.bandwidth
            if bandwidth is None:
                raise InputError(
                    'set: lines have no capacity in this run; it begins with one, as in capacity = "saroiu"'
                )
            bandwidth.set_factor(factor)
        elif name == "asks":
            self.workload.set_asks(as_number(value, "set: asks", 0.0, ASKS_PER_S_MAX, texts=True))
        else:
            set_option(sim.shared.options, name, value, "set", also=WORLD)
        return ()
