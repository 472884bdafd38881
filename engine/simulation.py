"""Peers, network and metrics together: start and end peers, deliver messages, and notify peers as a network would.

`Simulation` owns all that a run consists of below the commands; `engine.swarm.Swarm` is the facade over it. Kernel,
hosts and stalled streams call back into it by the interfaces that it implements: `KernelOwner`, `HostOwner` and
`StallOwner`; it calls the swarm by `SimulationOwner`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import is_dataclass, replace
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from . import programs, rules
from .api import (
    PARTS,
    PUBLISH,
    Ask,
    CallEnd,
    Candidate,
    Goal,
    Host,
    Known,
    Library,
    Line,
    Machine,
    Member,
    NetworkStart,
    OpenCall,
    Peer,
    PeerId,
)
from .commands import SIDES, TEXT_MAX
from .errors import InputError, PeerFailed, plain
from .measure.archive import AskArchive
from .measure.asks import AskRecord, JointRecord, NullRecord, record_drop
from .measure.events import AskIssued, EventLog, Hit, Noted, Refused, RoleChanged
from .measure.metrics import WINDOW_FACTOR, Metrics, kinds_of
from .measure.snapshot import ALIVE, LEFT, STATES, Kind
from .options import options_for
from .registry import casts, check_names, messages_of, name_of, network, roles_of
from .setup import Setup
from .sim.addresses import address_of
from .sim.calls import Called, PendingCall, Wrapped, handlers_of, time_out
from .sim.encoding import why_malformed
from .sim.faults import Faults
from .sim.host import UNLIMITED, HostOwner, PeerHost, SharedHostState
from .sim.kernel import HOP_BITS, NEVER_US, Envelope, Kernel, KernelOwner, KernelTimer
from .sim.links import LinkModel, Streams
from .sim.misuse import check_holder
from .sim.nat import SILENCE_US
from .sim.network import Network
from .sim.rng import Stream
from .sim.stalls import RetryDue, StallOwner
from .sim.ways import Ways
from .sim.words import Roles, word_text
from .values import dataclass
from .world import access_links, content
from .world.machines import machine_of, station_machine
from .world.world import World

NO_LINK = "no link"
"""Why a message is dropped whose receiver is not at the other end of a link of its sender, see `api.Peer.reach`."""
PEER_NUMBER = re.compile(r"#(\d{1,9})\b")
"""The number of a peer in a text of a program."""
CONTACTS = 8
"""How many living peers each peer knows when a run begins, and the number of bootstrap peers where there is no
infrastructure."""


@dataclass(slots=True)
class ConnectionRefused:
    """Notice on the way back to the sender `peer`: no process is at `to`. Dropped if the sender has restarted since
    (`epoch`).

    It is no message, so it is not counted; but it takes its time, and faults block it as they block messages.
    """

    peer: PeerId
    epoch: int
    to: PeerId
    message: Any


@dataclass(slots=True)
class StreamClosed:
    """Notice on the way to `peer`: the stream from `other` is closed. `parked`: it has waited for what was sent before.
    `broken`: the peer's own end gave up, so nothing can block or hold the notice."""

    peer: PeerId
    epoch: int
    other: PeerId
    parked: bool = False
    broken: bool = False


@dataclass(slots=True)
class StreamOpened:
    """Notice on the way to `peer`: the stream with `other` is open. cable: the stream over a cable has broken, and is
    opened again when the notice arrives, see `api.Peer.reach`."""

    peer: PeerId
    epoch: int
    other: PeerId
    cable: bool = False


class LivingUsers:
    """The living peers that are no infrastructure, with their number in each block of `BLOCK` peers: so they are
    counted, and the k-th is found, without visiting all."""

    BLOCK = 1_024

    def __init__(self, n: int) -> None:
        self.count = 0
        self._flags = np.zeros(0, np.bool_)
        self._counts: list[int] = []
        self.grow(n)

    def grow(self, count: int) -> None:
        """Add so many peers, none of them alive."""
        self._flags = np.concatenate([self._flags, np.zeros(count, np.bool_)])
        self._counts += [0] * (-(-len(self._flags) // self.BLOCK) - len(self._counts))

    def __contains__(self, peer: PeerId) -> bool:
        return bool(self._flags[peer])

    @property
    def flags(self) -> NDArray[np.bool_]:
        """A flag for each peer, to read."""
        return self._flags

    def set(self, peer: PeerId, alive: bool) -> None:
        """A user has started or stopped."""
        change = int(alive) - int(self._flags[peer])
        self._flags[peer] = alive
        self.count += change
        self._counts[peer // self.BLOCK] += change

    def nth(self, k: int) -> PeerId:
        """The k-th of them by id, from 0; k is less than `count`."""
        for block, count in enumerate(self._counts):
            if k < count:
                first = block * self.BLOCK
                if count == self.BLOCK:
                    return first + k
                return first + int(np.flatnonzero(self._flags[first : first + self.BLOCK])[k])
            k -= count
        raise IndexError(k)


class Chosen:
    """The living ones of some peers: `count` of them, as flags."""

    def __init__(self, peers: Iterable[PeerId], alive: NDArray[np.bool_]) -> None:
        self.flags = np.zeros(len(alive), np.bool_)
        self.flags[list(peers)] = True
        self.flags &= alive
        self.count = int(np.count_nonzero(self.flags))

    def __contains__(self, peer: PeerId) -> bool:
        return bool(self.flags[peer])


class SimulationOwner(Protocol):
    """What the simulation calls; implemented by `engine.swarm.Swarm`."""

    def timer_fired(self, tick: Any) -> None:
        """An engine timer is due that is neither one of access links nor a notice to a peer."""

    def end_of_instant(self) -> None:
        """See `KernelOwner.end_of_instant`."""

    def hit_recorded(self, holder: PeerId) -> None:
        """The origin of an ask has learned of a holder."""

    def ask_closed(self, record: AskRecord) -> None:
        """Nothing of an ask is pending any more."""


class Simulation(KernelOwner, HostOwner, StallOwner):
    """All peers, alive or not, and the network between them. `programs[p]` is None while p is not alive."""

    def __init__(
        self,
        setup: Setup,
        world: World,
        program: type[Peer],
        options: Any,
        owner: SimulationOwner,
    ) -> None:
        """Peers of `world` come first, the stations of `program` after them. No peer has started yet.

        Raises InputError when the setup is not possible, or the world does not fit it.
        """
        graph, delays, seed = world.graph, world.delays, setup.seed
        stations = rules.stations_of(program, options, graph.n)
        n = self.n = graph.n + len(stations)
        if len(delays.place) != n or len(world.catalogue.libraries) != graph.n:
            raise InputError(f"the world should have {graph.n:,} peers and {len(stations):,} stations")
        self.owner = owner
        self.graph = graph
        self.program = program
        self.libraries = [*world.libraries(), *(content.SharedFiles((), world.catalogue.word_index) for _ in stations)]
        self._casting = Stream(f"{seed}/cast")
        self.seed = seed
        self.options = options
        self.program_types = [
            *self._cast(range(graph.n), world.lines[: graph.n], self.libraries[: graph.n]),
            *(station.program for station in stations),
        ]
        self.file_mib = setup.content.file_mib
        rules.check(tuple(dict.fromkeys((program, *self.program_types))))
        self.all_programs = tuple(
            dict.fromkeys((program, *(station.program for station in stations), *roles_of(program)))
        )
        """Programs that peers and stations run, or that a newcomer may run: first the program of the network itself."""
        check_names(self.all_programs)
        classes = [part for kind in self.all_programs for part in (kind, *programs.components_of(kind).values())]
        self.roles = Roles(
            [kind.role for kind in self.program_types], [role for kind in classes for role in kind.roles]
        )
        messages = messages_of(*self.all_programs)
        kinds, parts = kinds_of(messages)
        names = [name_of(kind, *self.all_programs) for kind in messages]
        self.kinds = tuple(
            Kind(name, PARTS[kind.part_code], kind.over) for kind, name in zip(messages, names, strict=True)
        )
        """The kinds of messages, by their number."""
        self.null_record = NullRecord()
        self.kernel = Kernel(n, self.null_record, self)
        self.programs: list[Peer | None] = self.kernel.peers
        ids = tuple(range(n))
        self.streams = Streams(ids)
        for kind in classes:
            for word in kind.link_words:
                self.streams.words.code(word_text(word))
        self.ways = Ways()
        self.remark_keys = frozenset(key for kind in classes for key in kind.remark_keys)
        self.started_us = [0] * n
        """When each peer was last started, in us."""
        links = LinkModel(delays, setup.loss, Stream(f"{seed}/loss"))
        self.faults = Faults(n, seed)
        state = np.full(n, LEFT, np.uint8)
        self.network = Network(
            self.kernel, links, self.faults, state, self.streams.near, self.started_us, world.lines, self
        )
        if program.reach == "links":
            self.network.wire()
        self.cables: dict[PeerId, dict[PeerId, None]] = {}
        """Where `Peer.reach` is "links": the links of each peer, open or not. Empty otherwise."""
        self.network.set_jitter(round(setup.links.jitter_ms * 1000))
        self.records = AskArchive(self.null_record)
        requests = [kind for each in self.all_programs for kind in (*each.replies, *each.timeouts)]
        self.shared = SharedHostState(self.kernel, self.network, kinds, parts, options, self.records, self, requests)
        self.metrics = Metrics(
            n, self.kernel, self.shared, names, round(WINDOW_FACTOR * program.goals[0].success_s * 1e6)
        )
        self.event_log = EventLog(self.kernel)
        self.holders = content.HolderIndex(self.libraries, world.catalogue.word_index)
        self.peer_hosts = [PeerHost(p, self.shared, Stream(f"{seed}/peer/{p}"), self.libraries[p]) for p in ids]
        self.downloads: dict[PeerId, set[str]] = {}
        """Names of the files that each peer has downloaded for an ask of its own."""
        self.saved_states: list[object | None] = [None] * n
        """What each peer's disk holds, see `api.Peer.saved`."""
        self.censored = np.zeros(n, np.bool_)
        self.colluding = np.zeros(n, np.bool_)
        self.poisoned = np.zeros(n, np.bool_)
        """Whose `PeerHost.library` serves decoys; `libraries` are what peers truly have, poisoned or not."""
        self.group = np.zeros(n, np.int32)
        self.since_us = np.zeros(n, np.int64)
        """When the present session of each peer began: before 0 for one that was under way when the run began."""
        self.labels: list[str] = [*world.names(), *(station.label for station in stations)]
        self.operators: list[str] = [""] * graph.n + [station.operator for station in stations]
        self.infrastructure = np.zeros(n, np.bool_)
        """A flag for each peer, since the ids of newcomers follow those of stations."""
        self.infrastructure[graph.n :] = True
        self.living_users = LivingUsers(n)
        self.stations: tuple[PeerId, ...] = tuple(range(graph.n, n))
        self.known_stations = tuple(graph.n + i for i, station in enumerate(stations) if station.known)
        self.linked_stations = tuple(graph.n + i for i, station in enumerate(stations) if station.linked)
        self.open_asks: dict[int, AskRecord] = {}
        self.goals: dict[str, Goal] = {goal.name: goal for goal in (PUBLISH, *program.goals)}
        """By name: the goals of the network, and the goals of asks that it opened itself."""
        self.begun: dict[tuple[str, Hashable], int] = {}
        """Open asks of the network itself, by goal and key."""
        self.stopped: dict[PeerId, Peer] = {}
        """The programs of peers that do not live, as they were when they stopped, where `Peer.keeps` may be asked."""
        self.joined_asks: dict[int, tuple[PeerId, ...]] = {}
        """By ask: peers that have joined an ask of the network itself (`Host.begin`), its origin left out."""
        self.bootstrap: tuple[PeerId, ...] = ()
        """Peers that all peers know: stations, or else some peers that were up at the start. They may be killed too."""
        self.joining: dict[PeerId, None] = {}
        """Newcomers that had not joined when this was checked."""
        self._contacts = Stream(f"{seed}/contacts")
        self._handlers: dict[type[Peer], dict[type, Callable[..., Known]]] = {}

    @property
    def state(self) -> NDArray[np.uint8]:
        """ALIVE, DEAD or LEFT of each peer."""
        return self.network.state

    def users(self) -> list[PeerId]:
        """All peers but infrastructure, in order."""
        return list(map(int, np.flatnonzero(~self.infrastructure)))

    def __getstate__(self) -> dict[str, Any]:
        self.metrics.flush()
        return {**self.__dict__, "_handlers": {}}

    def restore_caches(self) -> None:
        """After unpickling, when all parts exist: restore what one part keeps of another for speed."""
        self.holders = content.HolderIndex(self.libraries, self.holders.word_index)
        for peer, program in enumerate(self.programs):
            self.peer_hosts[peer].row = self.network.links.row(peer)
            if program is not None:
                self.kernel.tables[peer] = self._table(self.program_types[peer])

    # --- bootstrap -----------------------------------------------------------------------------------------
    #
    # When a run begins the network has existed for a while, and each peer knows some living others, or all, as
    # `Peer.knows` says. A peer that starts later knows the bootstrap peers only: stations, if there are any, or a few
    # well-known peers that were up at the start. They may be killed as any other; then a newcomer gets no answer.

    def publish_bootstrap(self, up: NDArray[np.int64]) -> None:
        """Choose the bootstrap peers among those that are `up` when the run begins."""
        nat = self.network.nat
        if nat is not None:
            # Newcomers cannot connect to a peer behind a NAT.
            up = up[~np.array(nat.behind, np.bool_)[up]]
        some = Stream(f"{self.seed}/bootstrap").sample(range(len(up)), min(CONTACTS, len(up)))
        known = sorted(up[some].tolist()) if self.program.overlay or not self.known_stations else ()
        self.bootstrap = (*self.known_stations, *known)

    def contacts(self, peer: PeerId, living: NDArray[np.int64] | None = None) -> Sequence[PeerId]:
        """The contacts of a peer that starts. living: peers that are up when the run begins, None for a later start."""
        if living is None:
            return tuple(one for one in self.bootstrap if one != peer)
        if self.program_types[peer].knows == "everyone":
            return range(self.n) if not self.stations else (*self.known_stations, *self.users())
        some = self._contacts.sample(range(len(living)), min(CONTACTS + 1, len(living)))
        others = [other for other in living[some].tolist() if other != peer][:CONTACTS]
        return (*(s for s in self.known_stations if s != peer), *others)

    def has_joined(self, peer: PeerId) -> bool:
        """Whether a living peer says that it has joined the network. Raises PeerFailed."""
        program = self.programs[peer]
        assert program is not None
        try:
            return program.joined(tuple(self.streams.near[peer]))
        except Exception as error:
            raise PeerFailed(peer, "joined", error) from error

    def bootstrap_status(self) -> str:
        """The states of the bootstrap peers in words, to say why a newcomer finds no peer."""
        if not self.bootstrap:
            return "there are no bootstrap peers"
        counts: dict[str, int] = {}
        for peer in self.bootstrap:
            word = "censored" if self.censored[peer] else STATES[self.state[peer]]
            counts[word] = counts.get(word, 0) + 1
        many = len(self.bootstrap)
        if many == 1:
            return f"the one bootstrap peer, {self.labels[self.bootstrap[0]]}, is {next(iter(counts))}"
        return f"of {many} bootstrap peers {', '.join(f'{count} are {word}' for word, count in counts.items())}"

    # --- which programs run, and what they hold when a run begins -------------------------------------------------

    def _cast(
        self, peers: Sequence[PeerId], lines: Sequence[Line], libraries: Sequence[Library]
    ) -> Sequence[type[Peer]]:
        """The programs of these peers, see `api.Peer.cast`. Raises InputError."""
        program = self.program
        if not casts(program) or not peers:
            return [program] * len(peers)
        candidates = [
            Candidate(peer, lines[at] if lines else UNLIMITED, libraries[at], machine_of(self.seed, peer))
            for at, peer in enumerate(peers)
        ]
        said = rules.cast_of(program, self.options, candidates, self._casting)
        chosen = list(said) if isinstance(said, Sequence) else []
        if len(chosen) != len(peers):
            raise InputError(
                f"{program.__qualname__}.cast should return {len(peers):,} programs for as many peers, "
                f"not {len(chosen):,}"
            )
        roles = roles_of(program)
        for one in chosen:
            if one not in roles:
                named = one.__qualname__ if isinstance(one, type) else type(one).__qualname__
                expected = ", ".join(role.__qualname__ for role in roles)
                raise InputError(f"{program.__qualname__}.cast returned {named}: it may be {expected}")
        rules.check(tuple(dict.fromkeys((program, *chosen))))
        return chosen

    def open_overlay(self, a: NDArray[np.int32], b: NDArray[np.int32], up: Sequence[PeerId]) -> None:
        """Open at t = 0 the streams of the topology between peers whose programs have an overlay, and those to linked
        stations, and notify both ends. Raises PeerFailed."""
        alive = self.state == ALIVE
        overlay = np.array([kind.overlay for kind in self.program_types], np.bool_)
        if self.network.wired:
            wire = overlay[a] & overlay[b]
            for x, y in zip(a[wire].tolist(), b[wire].tolist(), strict=True):
                self._add_cable(x, y)
        both = alive[a] & alive[b] & overlay[a] & overlay[b]
        for x, y in zip(a[both].tolist(), b[both].tolist(), strict=True):
            self.streams.open(x, y)
        for station in self.linked_stations:
            for peer in up:
                self.streams.open(peer, station)
        self.network.links.prepare(self.streams.near)
        for peer in (*up, *self.linked_stations):
            if overlay[peer] or self.linked_stations:
                program, host = self.programs[peer], self.peer_hosts[peer]
                assert program is not None
                self.call(peer, "neighbours", programs.neighbours, program, host, tuple(self.streams.near[peer]))

    def converge(self) -> None:
        """Let the network fill what it would hold if it had been running for long. Raises InputError if it sends."""
        parts = (self.program, *programs.components_of(self.program).values())
        if all(kind.converge.__func__ is Peer.converge.__func__ for kind in parts):  # type: ignore[attr-defined]
            return
        members = tuple(
            Member(peer, self.labels[peer], host.line, host.library, cast("Host", host), program)
            for peer, (host, program) in enumerate(zip(self.peer_hosts, self.programs, strict=True))
            if program is not None
        )
        before, me = self.shared.sent, members[0].id if members else 0
        rng = Stream(f"{self.seed}/converge")
        self.call(me, "converge", self.program.converge, NetworkStart(members), self.options, rng)
        if self.shared.sent != before:
            raise InputError(f"{self.program.__qualname__}.converge sent a message: it may only fill what peers hold")

    # --- start and end ---------------------------------------------------------------------------------------

    def start(self, peer: PeerId, contacts: Sequence[PeerId] | None = None) -> None:
        """Start a peer, with what is on its disk. contacts: those of `contacts` unless given. Raises PeerFailed."""
        kernel = self.kernel
        kind = self.program_types[peer]
        program = kind()
        kernel.epoch[peer] += 1
        self.stopped.pop(peer, None)
        self.state[peer] = ALIVE
        if not self.infrastructure[peer]:
            self.living_users.set(peer, True)
        kernel.peers[peer], kernel.hosts[peer], kernel.tables[peer] = program, self.peer_hosts[peer], self._table(kind)
        self.started_us[peer] = kernel.now_us
        if kernel.now_us or kernel.epoch[peer] > 1:
            self.since_us[peer] = kernel.now_us
        kernel.alive_since_us[peer] = NEVER_US if self.faults.censored[peer] else kernel.now_us
        if contacts is None:
            contacts = self.contacts(peer)
        self.roles.set(peer, kind.role)
        host = self.peer_hosts[peer]
        self.call(peer, "start", programs.start, program, host, contacts, self.saved_states[peer])
        if self.network.wired and (kernel.now_us or kernel.epoch[peer] > 1):
            for other in self.cables.get(peer, ()):
                if self._open(peer, other):
                    self._tell_opened(other, peer, 1)
            self.call(peer, "neighbours", programs.neighbours, program, host, tuple(self.streams.near[peer]))

    def end(self, peer: PeerId, state: int) -> None:
        """End the process of a peer: `state` is DEAD or LEFT. Streams close, timers stop; the disk stays. Raises
        PeerFailed."""
        program = self.programs[peer]
        if program is None:
            return
        kernel = self.kernel
        if state == LEFT:
            self.call(peer, "stop", programs.stop, program, self.peer_hosts[peer])
        try:
            self.saved_states[peer] = programs.saved_of(program)
        except Exception as error:
            raise PeerFailed(peer, "saved", error) from error
        if type(program).keeps is not Peer.keeps:
            self.stopped[peer] = program
        self.state[peer] = state
        self.living_users.set(peer, False)
        kernel.peers[peer] = kernel.hosts[peer] = kernel.tables[peer] = None
        kernel.alive_since_us[peer] = NEVER_US
        kernel.epoch[peer] += 1
        self.peer_hosts[peer].process_ended()
        self.network.ended(peer, politely=state == LEFT)
        for other in list(self.streams.near[peer]):
            self._close(peer, other)
        self.streams.forget_marks_of(peer)
        self.ways.forget(peer)

    def add_peers(
        self,
        libraries: Sequence[content.SharedFiles],
        places: Sequence[int],
        lines: Sequence[Line],
        labels: Sequence[str],
        operator: str,
    ) -> range:
        """Add as many newcomers as there are libraries, and return their ids. They have not started yet.

        New ids are appended after all others, so no id changes. Lists grow in place, since hot loops and hosts keep
        them; arrays are replaced, and are kept nowhere else.
        """
        count = len(libraries)
        ids = range(self.n, self.n + count)
        self.kernel.grow(count)
        self.started_us += [0] * count
        self.streams.grow(ids)
        self.network.grow(np.concatenate([self.state, np.full(count, LEFT, np.uint8)]), places, lines)
        self.metrics.grow(count)
        self.n += count
        for at, peer in enumerate(ids):
            self.program_types += self._cast((peer,), lines[at : at + 1], libraries[at : at + 1])
        self.roles.grow([kind.role for kind in self.program_types[-count:]])
        self.labels += labels
        self.operators += [operator] * count
        self.libraries += libraries
        self.holders.enter(ids)
        self.living_users.grow(count)
        self.peer_hosts += [PeerHost(p, self.shared, Stream(f"{self.seed}/peer/{p}"), self.libraries[p]) for p in ids]
        self.saved_states += [None] * count
        more = np.zeros(count, np.bool_)
        self.censored = np.concatenate([self.censored, more])
        self.colluding = np.concatenate([self.colluding, more])
        self.poisoned = np.concatenate([self.poisoned, more])
        self.infrastructure = np.concatenate([self.infrastructure, more])
        self.group = np.concatenate([self.group, np.zeros(count, np.int32)])
        self.since_us = np.concatenate([self.since_us, np.zeros(count, np.int64)])
        if self.faults.split:
            for peer in ids:
                self.group[peer] = self.faults.group[peer] = self._group_of_newcomer(peer)
        return ids

    def trait(self, by: str) -> Sequence[Any]:
        """The place, role or operator of each peer: what a partition goes `by`, see `commands.SIDES`."""
        if by == "city":
            return self.network.links.place
        return self.roles.all() if by == "role" else self.operators

    def _group_of_newcomer(self, peer: PeerId) -> int:
        """The group of a newcomer in a partition: the group of its city, role or operator, if the partition divides
        peers by that trait; else it is drawn, in proportion to the users of the groups.

        Stations count where they alone have the city, role or operator of the newcomer; no draw counts them. A
        partition whose command lists its peers one by one (the selector of a recorded command is not known) counts as
        one by a trait if all peers with the same value of the trait, or all such users, are in one group. Then the
        operator is tried first, which a person names, and the city last, which is drawn: so a newcomer is not cut off
        with a station only because it lives in the same city.
        """
        alike = list(range(peer))
        for by in (*self.faults.split_by, *(by for by in reversed(SIDES) if by not in self.faults.split_by)):
            trait = self.trait(by)
            closer = [one for one in alike if trait[one] == trait[peer]]
            if not 0 < len(closer) < len(alike):
                continue
            if by in self.faults.split_by or self._divides_by(trait, alike, closer):
                alike = closer
        groups = self.group[self._users_of(alike) or alike]
        if not len(groups):
            return 0
        return int(groups[Stream(f"{self.seed}/partition/{peer}").randrange(len(groups))])

    def _users_of(self, peers: Sequence[PeerId]) -> list[PeerId]:
        ids = np.asarray(peers, np.int64)
        users: list[PeerId] = ids[~self.infrastructure[ids]].tolist()
        return users

    def _divides_by(self, trait: Sequence[Any], peers: Sequence[PeerId], closer: Sequence[PeerId]) -> bool:
        """Whether all of `peers` with the same value of a trait are in one group, and some value has several peers;
        else whether this is true of the users alone, if there are any in `closer`."""
        users = self._users_of(peers) if self._users_of(closer) else []
        for those in (peers, users):
            known: dict[Any, int] = {}
            groups = self.group[those].tolist() if those else ()
            same = all(known.setdefault(trait[one], group) == group for one, group in zip(those, groups, strict=True))
            if same and len(known) < len(those):
                return True
        return False

    def call(self, peer: PeerId, what: str, act: Callable[..., None], *args: Any) -> None:
        """Run a peer's own code outside a delivery, without a cause. Raises PeerFailed."""
        before, self.kernel.envelope = self.kernel.envelope, self.kernel.no_envelope
        try:
            act(*args)
        except Exception as error:
            raise PeerFailed(peer, what, error) from error
        finally:
            self.kernel.envelope = before

    def _table(self, kind: type[Peer]) -> dict[type, Callable[..., Known]]:
        """The handlers of a class of programs, with one that does nothing for each kind of message that it does not
        handle."""
        table = self._handlers.get(kind)
        if table is None:
            kinds = [each for each in self.shared.kinds if not issubclass(each, Wrapped)]
            messages = {each: kind.handlers.get(each, _ignore) for each in kinds}
            table = self._handlers[kind] = {**messages, **handlers_of(messages), **kind.handlers}
        return table

    def refresh_columns(self, peers: Sequence[PeerId]) -> None:
        """Update columns and the checks of the kernel after faults of these peers have changed."""
        faults, kernel = self.faults, self.kernel
        for peer in peers:
            self.censored[peer] = faults.censored[peer]
            self.colluding[peer] = peer in faults.bans
            self.group[peer] = faults.group[peer]
            if self.state[peer] == ALIVE:
                kernel.alive_since_us[peer] = NEVER_US if faults.censored[peer] else self.started_us[peer]
        self.network.update_checked()

    def act(self, peer: PeerId, verb: str, values: Mapping[str, Any]) -> None:
        """Do a verb of its program to a living peer. Raises PeerFailed."""
        program = self.programs[peer]
        assert program is not None
        self.call(peer, verb, programs.act, program, self.peer_hosts[peer], verb, values)

    # --- asks ----------------------------------------------------------------------------------------------

    def ask(self, peer: PeerId, text: str, goal: Goal, by: str) -> AskRecord:
        """A user at a living peer wants something. Raises PeerFailed."""
        kernel = self.kernel
        record = self._record(peer, text, goal, by)
        record.pending += 1
        program = self.programs[peer]
        assert program is not None
        kernel.envelope = (peer, None, record.id << HOP_BITS, kernel.now_us, record, 0)
        try:
            program.ask(self.peer_hosts[peer], Ask(record.id, goal.name, text))
        except Exception as error:
            raise PeerFailed(peer, "ask", error) from error
        finally:
            kernel.envelope = kernel.no_envelope
            kernel.release(record)
        return record

    def _record(self, peer: PeerId, text: str, goal: Goal, by: str) -> AskRecord:
        """The record of an ask that begins now. Raises ValueError for another goal that has the name of a known one."""
        known = self.goals.setdefault(goal.name, goal)
        if known is not goal and known != goal:
            raise ValueError(f'there are two goals that are called "{goal.name}"')
        others = self.living_users.count - (peer in self.living_users)
        if self.stations and goal.sought != "share":  # a rumour is for users, and a question may go to a station
            others += sum(bool(self.state[one] == ALIVE) for one in self.stations if one != peer)
        record = AskRecord(len(self.records), peer, text, goal, by, self.kernel.now_us, others)
        self.shared.traced_parts |= record.reached_by
        self.records.append(record)
        self.open_asks[record.id] = record
        self.event_log.append(AskIssued, record.id, record.origin, record.text, record.by)
        return record

    def close_quiescent(self, records: list[Any]) -> None:
        for record in records:
            if isinstance(record, JointRecord):
                for each in record.records:
                    each.duplicates += record.duplicates
                    for reason, count in record.losses.items():
                        each.lose(reason, count)
                    self.kernel.release(each)
                record.records = ()
        if self.kernel.quiescent:
            done, self.kernel.quiescent = self.kernel.quiescent, []
            records = records + [each for each in done if not each.pending]
        for record in dict.fromkeys(records):
            if isinstance(record, AskRecord) and not record.pending:
                record.closed_us = self.kernel.now_us
                self.open_asks.pop(record.id, None)
                if record.by == "network":
                    self._forget_key(record.id)
                self.owner.ask_closed(record)

    def _forget_key(self, ask: int) -> None:
        """An ask of the network has closed: `begin` with the same key opens another one from now on."""
        self.joined_asks.pop(ask, None)
        for key in [key for key, open_ask in self.begun.items() if open_ask == ask]:
            del self.begun[key]

    def audience_of(self, record: AskRecord) -> LivingUsers | Chosen:
        """The living peers that an ask should reach, its origin perhaps among them. Raises PeerFailed."""
        audience = self.goals[record.goal].audience
        if not callable(audience):
            return self.living_users
        try:
            return Chosen(audience(record.text, self.programs), self.state == ALIVE)
        except Exception as error:
            raise PeerFailed(record.origin, f"the audience of {record.goal}", error) from error

    def share_heard(self, record: AskRecord) -> float | None:
        audience = self.audience_of(record)
        others = audience.count - (record.origin in audience)
        return record.heard_by(audience, record.success_us) / others if others else None

    def spread_of(self, record: AskRecord) -> tuple[int | None, ...]:
        """See `AskRecord.spread_over`; empty for an ask without an audience."""
        return record.spread_over(self.audience_of(record)) if record.sought == "share" else ()

    # --- what hosts ask for ----------------------------------------------------------------------------------

    def join(self, causes: tuple[int, ...]) -> JointRecord:
        return JointRecord([self.reopen(cause) for cause in causes])

    def reopen(self, cause: int) -> AskRecord:
        """Between two cycles of a batched gossip nothing is pending, and the ask is closed; it is open again when the
        next cycle passes on what it caused."""
        record: AskRecord = self.records.reopen(cause >> HOP_BITS)
        if record.closed_us is not None:
            record.closed_us = None
            self.open_asks[record.id] = record
            self.kernel.quiescent.append(record)
        return record

    def link(self, a: PeerId, b: PeerId) -> None:
        if type(b) is int and 0 <= b < self.n and self._open(a, b):
            if self.network.wired:
                self._add_cable(a, b)
            delay_us = self.network.links.delay_us(a, b)
            self._tell_opened(a, b, delay_us)
            self._tell_opened(b, a, delay_us)

    def _open(self, a: PeerId, b: PeerId) -> bool:
        """Open a stream if it can be. Returns whether it was opened now."""
        if not self.state[a] == ALIVE == self.state[b]:
            return False
        # A stream to a peer behind a NAT opens only if that peer has called.
        network, cut_links = self.network, self.faults.cut_links
        shut = network.nat is not None and not network.wired and network.nat.shuts_out(a, b, stream=True)
        return not shut and not (cut_links and cut_links.has(a, b)) and self.streams.open(a, b)

    def _add_cable(self, a: PeerId, b: PeerId) -> None:
        self.cables.setdefault(a, {})[b] = None
        self.cables.setdefault(b, {})[a] = None

    def mended(self, peers: Sequence[PeerId]) -> None:
        """The cables of these peers are open again, as far as they can be; both ends are notified."""
        for peer in peers:
            for other in self.cables.get(peer, ()):
                if self._open(peer, other):
                    self._tell_opened(peer, other, 1)
                    self._tell_opened(other, peer, 1)

    def _tell_opened(self, peer: PeerId, other: PeerId, delay_us: int) -> None:
        kind = self.program_types[peer]
        if any(one.opened is not Peer.opened for one in (kind, *kind.components.values())):
            self._notify(delay_us, StreamOpened(peer, self.kernel.epoch[peer], other), 0, self.null_record)

    def unlink(self, a: PeerId, b: PeerId) -> None:
        if type(b) is int and b in self.cables.get(a, ()):
            del self.cables[a][b], self.cables[b][a]
        self._close(a, b)

    def _close(self, a: PeerId, b: PeerId) -> None:
        if type(b) is int and 0 <= b < self.n and self.streams.close(a, b):
            notice = StreamClosed(b, self.kernel.epoch[b], a)
            self._notify(self.network.closing_us(a, b), notice, 0, self.null_record)

    def cost(self, peer: PeerId, to: PeerId) -> int:
        graph = self.graph
        if graph.costs is None:
            return self.delay_ms(peer, to)
        known = graph.cost(peer, to) if self._is_peer(to) else None
        return int(np.median(graph.costs)) if known is None else known

    def delay_ms(self, peer: PeerId, to: PeerId) -> int:
        if not self._is_peer(to):
            return 1
        links = self.network.links
        row = links.row(peer)
        return max(1, round((row[links.column[to]] if row or links.by_pair else links.flat_us) / 1_000))

    def address(self, peer: PeerId) -> int:
        exists = self._is_peer(peer)
        place = self.network.links.place[peer] if exists else None
        return address_of(self.seed, int(peer), place, self.operators[peer] if exists else "")

    def machine(self, peer: PeerId) -> Machine:
        return station_machine() if self.infrastructure[peer] else machine_of(self.seed, peer)

    # --- what peers report about asks -------------------------------------------------------------------------

    def _writable_records(self, peer: PeerId, causes: Sequence[int] | None) -> list[AskRecord]:
        """The records that a peer may write to: of the asks that it names, those that began at this peer, and those
        that it joined. An ask that has closed is open again for this instant."""
        record = self.kernel.envelope[4]
        if causes is not None:
            those = [self.reopen(cause) for cause in causes if self._may_write(peer, self.records[cause >> HOP_BITS])]
        else:
            those = list(record.records) if isinstance(record, JointRecord) else [record]
        return [each for each in those if self._may_write(peer, each)]

    def _may_write(self, peer: PeerId, record: AskRecord) -> bool:
        return bool(record.id) and (record.origin == peer or peer in self.joined_asks.get(record.id, ()))

    def begin(self, peer: PeerId, text: str, goal: Goal, key: object) -> int:
        name = (goal.name, key)
        ask = None if key is None else self.begun.get(name)
        if ask is not None:
            if peer != self.records[ask].origin and peer not in self.joined_asks.get(ask, ()):
                self.joined_asks[ask] = (*self.joined_asks.get(ask, ()), peer)
            return ask << HOP_BITS
        record = self._record(peer, plain(self._labelled(text), limit=TEXT_MAX).strip(), goal, "network")
        if key is not None:
            self.begun[name] = record.id
        self.kernel.quiescent.append(record)
        return record.id << HOP_BITS

    def hit(self, peer: PeerId, holder: PeerId, content: str, by: PeerId | None, causes: Sequence[int] | None) -> None:
        check_holder("hit", holder)
        # Numbers of peers may come out of a message, so they are checked here.
        if not self._is_peer(holder):
            return
        named_by = by if by is not None and self._is_peer(by) else holder
        living = bool(self.state[holder] == ALIVE)
        records = self._writable_records(peer, causes)
        if not records:
            self.metrics.stray_hits += 1
            self.event_log.append(Noted, peer, "hit of no ask", {"holder": holder}, 0)
        for record in records:
            if record.hit(holder, named_by, living, self.kernel.now_us):
                self.event_log.append(Hit, record.id, peer, holder, str(content), named_by)
                self.owner.hit_recorded(holder)

    def unhit(self, peer: PeerId, holder: PeerId, causes: Sequence[int] | None) -> None:
        check_holder("unhit", holder)
        for record in self._writable_records(peer, causes):
            if self._is_peer(holder) and record.unhit(holder):
                self.event_log.append(Noted, peer, "hit taken back", {"holder": holder}, record.id)

    def progress(self, peer: PeerId, done: float, of: float, causes: Sequence[int] | None) -> None:
        for record in self._writable_records(peer, causes):
            record.done, record.of = float(done), float(of)

    def file_opened(
        self, peer: PeerId, holder: PeerId, content: str, decoy: bool, causes: Sequence[int] | None
    ) -> None:
        check_holder("decoy" if decoy else "fetched", holder)
        for record in self._writable_records(peer, causes):
            self.metrics.decoys += decoy
            if self._is_peer(holder):
                record.file_opened(holder, decoy, self.kernel.now_us)
            if not decoy:
                record.setback = ""
                self.downloads.setdefault(peer, set()).add(str(content))
        self.log(peer, "decoy" if decoy else "fetched", {"holder": holder, "content": content}, causes)

    def failed(self, peer: PeerId, why: str, causes: Sequence[int] | None) -> None:
        for record in self._writable_records(peer, causes):
            record.setback = self._labelled(str(why))
        self.log(peer, "failed", {"why": why}, causes)

    def _labelled(self, text: str) -> str:
        """With labels in place of the numbers of peers: a program knows #6, and not what it is called."""
        return PEER_NUMBER.sub(lambda found: self._called(int(found[1])), text) if "#" in text else text

    def _called(self, peer: PeerId) -> str:
        return self.labels[peer] if self._is_peer(peer) else f"#{peer}"

    def duplicate(self, causes: Sequence[int] | None) -> None:
        self.kernel.duplicates += 1
        if causes is None:
            self.kernel.envelope[4].duplicates += 1
        for cause in causes or ():
            self.records.reopen(cause >> HOP_BITS).duplicates += 1

    def log(self, peer: PeerId, kind: str, facts: dict[str, Any], causes: Sequence[int] | None) -> None:
        if causes is None:
            record = self.kernel.envelope[4]
            asks = [each.id for each in record.records] if isinstance(record, JointRecord) else [record.id]
        else:
            asks = [cause >> HOP_BITS for cause in causes] or [0]
        for key, value in facts.items():
            if value.__class__ is str and "#" in value:
                facts = {**facts, key: self._labelled(value)}
        for ask in asks:
            self.event_log.append(Noted, peer, kind, facts, ask)

    def _is_peer(self, number: object) -> bool:
        return type(number) is int and 0 <= number < self.n

    def set_operator(self, peers: Sequence[PeerId], operator: str) -> None:
        """Somebody else operates these peers from now on."""
        operators = list(self.operators)
        for peer in peers:
            operators[peer] = operator
        self.operators = operators

    def set_role(self, peer: PeerId, role: str) -> None:
        before = self.roles.set(peer, role)
        # What it takes in the instant of its start is its first role, and no change.
        if before != self.roles[peer] and self.started_us[peer] != self.kernel.now_us:
            self.event_log.append(RoleChanged, peer, self.roles[peer], before)

    def mark(self, peer: PeerId, to: PeerId, word: str, topic: str) -> None:
        if type(to) is not int or not 0 <= to < self.n or self.programs[peer] is None:
            return
        if to in self.streams.near[peer] or self.program_types[peer].contacts is not Peer.contacts:
            self.streams.mark(peer, to, word, topic)

    def remark(self, key: str, value: str, causes: Sequence[int] | None) -> None:
        if key not in self.remark_keys:
            raise ValueError(f'the key of a remark, "{plain(key, 40)}", should be among the remark_keys of its network')
        record = self.kernel.envelope[4]
        if causes is not None:
            records: Sequence[AskRecord] = [self.reopen(cause) for cause in causes]
        else:
            records = record.records if isinstance(record, JointRecord) else (record,)
        for each in records:
            if each.id:
                each.remark(word_text(key), word_text(value))

    def path(self, peer: PeerId, key: Hashable, hops: Sequence[PeerId], word: str, onward: bool) -> None:
        if self.programs[peer] is not None:
            # Numbers of peers may come out of a message.
            self.ways.tell(peer, key, [one for one in hops if self._is_peer(one)], word, onward)

    def drop_unknown(self, many: tuple[Any, ...], envelope: Envelope) -> tuple[PeerId, ...]:
        kept = tuple(one for one in many if type(one) is int and 0 <= one < self.n)
        for _ in range(len(many) - len(kept)):
            self.metrics.drop(self.kernel.now_us, envelope[0], -1, envelope[5], "nowhere")
            envelope[4].lose("nowhere")
        return kept

    def drop_unlinked(self, many: tuple[PeerId, ...], envelope: Envelope) -> tuple[PeerId, ...]:
        near = self.streams.near[envelope[0]]
        kept = tuple(one for one in many if one in near)
        for one in many if len(kept) < len(many) else ():
            if one not in near:
                self.metrics.drop(self.kernel.now_us, envelope[0], one, envelope[5], NO_LINK)
                envelope[4].lose(NO_LINK)
        return kept

    def drop_malformed(self, many: tuple[Any, ...], envelope: Envelope) -> None:
        message: Any = envelope[1]
        if not is_dataclass(message):
            message = message.message  # of a call
        if message.kind not in self.metrics.malformed:
            self.metrics.malformed[message.kind] = plain(why_malformed(message))
        for one in many:
            self.metrics.drop(self.kernel.now_us, envelope[0], one, envelope[5], "malformed")
            envelope[4].lose("malformed")

    # --- arrivals, drops and notices -------------------------------------------------------------------------

    def drop(self, to: PeerId, envelope: Envelope, reason: str) -> None:
        sender, message, cause, sent_us, record, header = envelope
        self.metrics.drop(self.kernel.now_us, sender, to, header, reason)
        record.lose(reason)
        record_drop(record, sender, to, sent_us, self.kernel.now_us, reason)
        if message.over != "stream":
            return
        if reason == "lost":
            self.network.stalls.lost(sender, to, sent_us)
        if reason in ("dead", "left", "reset", "cut"):
            if reason == "cut" and self.network.stalls.broke_after(sender, to, sent_us):
                return  # it was under way when the link was cut, of which the sender has been notified
            # The sender is one hop nearer to the origin of the ask than its message was.
            back = tuple(one - 1 for one in cause) if cause.__class__ is tuple else cause and cause - 1
            # That a link is cut the sender learns from its own end.
            delay_us = 1 if reason == "cut" else self.network.links.delay_us(to, sender)
        elif reason == "nat":
            back = cause
            delay_us = SILENCE_US + self.network.links.delay_us(to, sender)
        else:
            return
        # The notice is for the process that sent the message: the present one if it started before the sending.
        epoch = self.kernel.epoch[sender] if self.started_us[sender] <= sent_us else -1
        self._notify(delay_us, ConnectionRefused(sender, epoch, to, message), back, record)

    def lose(self, to: PeerId, envelope: Envelope, reason: str) -> None:
        sender, _, cause, sent_us, _, header = envelope
        self.metrics.drop(self.kernel.now_us, sender, to, header, reason)
        for record in self._records_of(cause):
            record.lose(reason)
            record_drop(record, sender, to, sent_us, self.kernel.now_us, reason)

    def take_back(self, to: PeerId, envelope: Envelope, reason: str) -> None:
        sender, _, cause, sent_us, _, header = envelope
        self.metrics.take_back(self.kernel.now_us, sender, to, header, reason)
        for record in self._records_of(cause):
            record.take_back(sender, to, sent_us, reason)

    def _records_of(self, cause: Any) -> list[AskRecord]:
        """Records of all asks that something descends from, to write to."""
        causes = cause if cause.__class__ is tuple else (cause,)
        return [self.records.reopen(one >> HOP_BITS) for one in causes if one]

    def live_record(self, cause: Any) -> Any:
        if cause.__class__ is tuple:
            return self.join(cause)
        return self.reopen(cause) if cause else self.null_record

    def resume(self, envelope: Envelope) -> Envelope:
        record = self.live_record(envelope[2])
        record.pending += 1
        return (*envelope[:4], record, envelope[5])

    def broken(self, a: PeerId, b: PeerId, peers: tuple[PeerId, ...]) -> None:
        was_open = self.streams.close(a, b)
        for peer in (a, b):
            if was_open or peer in peers:
                notice = StreamClosed(peer, self.kernel.epoch[peer], b if peer == a else a, broken=True)
                # After the instant of the break: what is sent before that was sent on the old stream.
                self._notify(1, notice, 0, self.null_record)
        if b in self.cables.get(a, ()) and not self.faults.cut_links.has(a, b):
            # The stream over the cable has broken, but not the cable.
            self._notify(2, StreamOpened(a, self.kernel.epoch[a], b, cable=True), 0, self.null_record)

    def _notify(
        self, delay_us: int, notice: ConnectionRefused | StreamClosed | StreamOpened, cause: Any, record: Any
    ) -> None:
        self.kernel.arm(self.kernel.now_us + delay_us, KernelTimer(-1, 0, notice, cause, record))

    def fire(self, timer: KernelTimer) -> None:
        tick = timer.tick
        if tick.__class__ is RetryDue:
            self.network.stalls.fire(tick)
        elif isinstance(tick, (ConnectionRefused, StreamClosed)):
            self._deliver_notice(timer, tick)
        elif isinstance(tick, StreamOpened):
            self._deliver_opened(tick)
        else:
            self.owner.timer_fired(tick)

    def end_of_instant(self) -> None:
        self.owner.end_of_instant()

    def _deliver_opened(self, notice: StreamOpened) -> None:
        peer, other = notice.peer, notice.other
        if notice.cable:
            self.mended((peer,))
            return
        program = self.programs[peer]
        if program is not None and self.kernel.epoch[peer] == notice.epoch and other in self.streams.near[peer]:
            self.call(peer, "opened", programs.opened, program, self.peer_hosts[peer], other)

    def _deliver_notice(self, timer: KernelTimer, notice: ConnectionRefused | StreamClosed) -> None:
        peer = notice.peer
        program = self.programs[peer]
        if program is None or self.kernel.epoch[peer] != notice.epoch:
            return
        kernel, host = self.kernel, self.peer_hosts[peer]
        other = notice.to if isinstance(notice, ConnectionRefused) else notice.other
        broken = isinstance(notice, StreamClosed) and notice.broken
        if not broken and self._has_to_wait(timer, notice, other, peer):
            return
        kernel.envelope = (peer, None, timer.cause, kernel.now_us, timer.record, 0)
        try:
            if isinstance(notice, ConnectionRefused):
                # A stream that is still open is one to a later process of `other`; the refusal closes it at both ends.
                # A cable does not belong to a process.
                if not self.network.wired:
                    self._close(peer, other)
                ask = timer.record.id if isinstance(timer.record, AskRecord) else 0
                if ask:
                    name = self.kinds[self.shared.kinds[type(notice.message)]].name
                    self.event_log.append(Refused, peer, other, name, ask)
                if isinstance(notice.message, Called):
                    if (call := host.calls.get(notice.message.token)) is not None:
                        self._end_call(peer, call, "refused")
                else:
                    refused = notice.message.message if isinstance(notice.message, Wrapped) else notice.message
                    programs.refused(program, host, other, refused)
            elif other not in self.streams.near[peer]:
                programs.closed(program, host, other)
                self._calls_closed(peer, other)
        except Exception as error:
            what = "refused" if isinstance(notice, ConnectionRefused) else "closed"
            raise PeerFailed(peer, what, error) from error
        finally:
            kernel.envelope = kernel.no_envelope

    def _calls_closed(self, peer: PeerId, other: PeerId) -> None:
        """The stream is closed: calls that wait for an answer on it are over."""
        host = self.peer_hosts[peer]
        waiting = [call for call in host.calls.values() if call.to == other and call.request.over == "stream"]
        for call in waiting:
            if call.token in host.calls:
                self._end_call(peer, call, "closed")

    def _end_call(self, peer: PeerId, call: PendingCall, reason: CallEnd) -> None:
        """Tell a peer that a call is over; what it does then has the cause of the call."""
        kernel, timer, program = self.kernel, call.timer, self.programs[peer]
        assert timer is not None
        assert program is not None
        kernel.envelope = (peer, None, timer.cause, kernel.now_us, timer.record, 0)
        timer.record.pending += 1
        time_out(program, self.peer_hosts[peer], call, reason)
        kernel.release(timer.record)

    def open_calls(self, peer: PeerId) -> tuple[OpenCall, ...]:
        """The calls that wait at a peer, in the order in which they were made."""
        return self.peer_hosts[peer].open_calls()

    def _has_to_wait(
        self, timer: KernelTimer, notice: ConnectionRefused | StreamClosed, frm: PeerId, to: PeerId
    ) -> bool:
        """Whether a notice has to wait: on a held link, in a stalled stream, or for messages sent on the stream before
        it was closed."""
        network = self.network
        if network.held_links.holds(frm, to):
            network.held_links.freeze_notice(frm, to, KernelTimer(-1, 0, notice, timer.cause, timer.record))
            return True
        if network.stalls.put_notice(frm, to, KernelTimer(-1, 0, notice, timer.cause, self.null_record)):
            return True
        if network.bandwidth is None or not isinstance(notice, StreamClosed) or notice.parked:
            return False
        notice.parked = True
        if network.bandwidth.park(frm, to, KernelTimer(-1, 0, notice, timer.cause, timer.record)):
            return True
        late_us = network.links.last_us(frm, to) - self.kernel.now_us
        if late_us > 0:
            self._notify(late_us, notice, timer.cause, timer.record)
        return late_us > 0


def _ignore(*_: Any) -> None:
    """A message or tick that this role does not handle."""


def build_world(setup: Setup, program: type[Peer] | None, world: World | None) -> tuple[type[Peer], Any, World]:
    """The program of a setup, its options, and the world it begins in: that given, or one drawn from the setup.

    Raises InputError when the setup is not possible.
    """
    if program is None:
        program = network(setup.protocol)
    if not 0 <= setup.loss < 1:
        raise InputError(f"loss is a share from 0 to less than 1, not {setup.loss}")
    options = options_for(program, setup.options, "options")
    access_links.check(setup.links)
    if world is None:
        chosen = program
        setup = replace(setup, links=access_links.of_network(setup.links, program.usual_nat))
        world = World.generate(setup, lambda peers: rules.stations_of(chosen, options, peers))
    return program, options, world
