"""Where peers, kernel and rules meet: births, deaths, streams, refusals. The lower half of the facade.

`Swarm` (the upper half) builds a town and lets commands, churn and background asks act on it. They are apart only
because one file of both would be too long to read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import simulation
from .api import Ask, Known, Line, Peer, PeerId, Want
from .errors import PeerFailed
from .measure.archive import AskArchive
from .measure.asks import AskRecord, JointRecord, NullRecord, died
from .measure.metrics import Metrics, kinds_of
from .measure.snapshot import ALIVE, DEAD, LEFT, STATES
from .sim.bandwidth import TICKS
from .sim.faults import Faults
from .sim.host import PeerHost, SharedHostState
from .sim.kernel import HOP_BITS, NEVER_US, Envelope, Kernel, Timer
from .sim.links import Links, Streams
from .sim.nat import SILENCE_US
from .sim.rng import Stream
from .world.content import Shelf

# What the network tells a peer without anybody having sent it: a refusal, and the end of a stream.
#
# No messages: they are not counted, but they take their time, and interference stops them as it stops messages.


@dataclass(slots=True)
class ConnectionRefused:
    """Under way back to a sender: nobody is at `to`. Only the life that sent it is told."""

    peer: PeerId
    epoch: int
    to: PeerId
    message: Any


@dataclass(slots=True)
class StreamClosed:
    """Under way to `peer`: the stream from `other` is closed. `parked`: it waited for what was sent before."""

    peer: PeerId
    epoch: int
    other: PeerId
    parked: bool = False


# How a peer finds the network: what it is told when it starts, whether it got in, and why not.
#
# When a run begins it has been going on for a while, and each peer knows some living others, or all, as `Peer.knows`
# says. Who starts later knows the bootstrap peers and nobody else: stations, where there are any, or a few well-known
# peers of the beginning. They may be killed as any other; then a newcomer calls in vain.

CONTACTS = 8
"""How many living peers each knows of when a run begins, and how many well-known ones there are for who comes later."""


def publish(sim: Simulation, up: NDArray[np.int64]) -> None:
    """Choose whom everybody will know, among those that are `up` when the run begins."""
    nat = sim.shared.links.nat
    if nat is not None:
        # Who cannot be called cannot be well-known.
        up = up[~np.array(nat.behind, np.bool_)[up]]
    some = Stream(f"{sim.seed}/bootstrap").sample(range(len(up)), min(CONTACTS, len(up)))
    known = sorted(up[some].tolist()) if sim.program.overlay or not sim.stations else ()
    sim.bootstrap = (*sim.stations, *known)


def contacts(sim: Simulation, peer: PeerId, living: NDArray[np.int64] | None = None) -> Sequence[PeerId]:
    """What a peer is told; `living` are those that are up when the run begins, and None is for who starts later."""
    if living is None:
        return tuple(one for one in sim.bootstrap if one != peer)
    if sim.program_types[peer].knows == "everyone":
        return range(sim.n) if not sim.stations else (*sim.stations, *sim.users())
    some = sim.published.sample(range(len(living)), min(CONTACTS + 1, len(living)))
    others = [other for other in living[some].tolist() if other != peer][:CONTACTS]
    return (*(s for s in sim.stations if s != peer), *others)


def has_joined(sim: Simulation, peer: PeerId) -> bool:
    """Whether a living peer says that it has found its way in."""
    program = sim.programs[peer]
    assert program is not None
    try:
        return program.joined(tuple(sim.streams.near[peer]))
    except Exception as error:
        raise PeerFailed(peer, "joined", error) from error


def why_not(sim: Simulation) -> str:
    """What those are through whom a newcomer finds the network, in words."""
    if not sim.bootstrap:
        return "there are no bootstrap peers"
    counts: dict[str, int] = {}
    for peer in sim.bootstrap:
        word = "censored" if sim.censored[peer] else STATES[sim.state[peer]]
        counts[word] = counts.get(word, 0) + 1
    many = len(sim.bootstrap)
    if many == 1:
        return f"the one bootstrap peer, {sim.labels[sim.bootstrap[0]]}, is {next(iter(counts))}"
    return f"of {many} bootstrap peers {', '.join(f'{count} are {word}' for word, count in counts.items())}"


class Simulation:
    """All peers, alive or not, and what lies between them. `programs[p]` is None while p is not alive."""

    def __init__(
        self,
        program: type[Peer],
        program_types: Sequence[type[Peer]],
        messages: Sequence[type[Any]],
        links: Links,
        shelves: Sequence[Shelf],
        seed: int,
        options: Any,
    ) -> None:
        n = self.n = len(program_types)
        self.program = program
        self.program_types = list(program_types)
        self.seed = seed
        kinds, parts, names = kinds_of(messages)
        self.null_record = NullRecord()
        self.kernel = Kernel(n, self.null_record)
        self.shared = SharedHostState(self.kernel, links, kinds, parts)
        self.shared.options = options
        self.shared.records = AskArchive(self.null_record)
        self.metrics = Metrics(n, self.kernel, self.shared, names)
        self.faults = Faults(n, seed)
        ids = tuple(range(n))
        self.streams = Streams(ids)
        self.shelves = list(shelves)
        self.peer_hosts = [PeerHost(p, self.shared, Stream(f"{seed}/peer/{p}"), shelves[p]) for p in ids]
        self.programs: list[Peer | None] = [None] * n
        self.saved_states: list[object | None] = [None] * n
        self.state = np.full(n, LEFT, np.uint8)
        self.censored = np.zeros(n, np.bool_)
        self.colluding = np.zeros(n, np.bool_)
        self.poisoned = np.zeros(n, np.bool_)
        """Whose `PeerHost.library` serves decoys; `shelves` are what peers truly have, poisoned or not."""
        self.group = np.zeros(n, np.int32)
        self.started_us = [0] * n
        """When the present life of each peer began."""
        self.since_us = np.zeros(n, np.int64)
        """When the present session of each peer began: before 0 for one that was under way when the run began."""
        self.labels: list[str] = []
        self.operators: list[str] = []
        self.infrastructure = np.zeros(n, np.bool_)
        """A flag, not a threshold of ids: newcomers come after the stations."""
        self.stations: tuple[PeerId, ...] = ()
        self.open_asks: dict[int, AskRecord] = {}
        self._handlers: dict[type[Peer], dict[type, Callable[..., Known]]] = {}
        self.bootstrap: tuple[PeerId, ...] = ()
        """Whom everybody knows: stations, or else some peers of the beginning. They may be killed as any other."""
        self.joining: dict[PeerId, None] = {}
        """Newcomers that have not been seen to have found their way in."""
        self.published = Stream(f"{seed}/contacts")
        self.tell: Callable[..., None]
        """(kind of event, fields): the swarm keeps events."""
        self.rang: Callable[[Any], None]
        """(tick): an engine timer that is not the town's own."""
        self.close: Callable[[AskRecord], None]
        kernel, shared = self.kernel, self.shared
        kernel.judge = self.faults.judge
        kernel.missed = self._missed
        kernel.fire = self._fire
        kernel.settle = self._settle
        self.faults.drop = self._drop
        self.faults.programs = self.programs
        shared.join = self._join
        shared.kept = self._kept
        shared.noted = self._noted
        shared.linked = self._linked
        shared.nowhere = self._nowhere
        shared.unlinked = self._unlinked
        kernel.checked = links.lossy

    def lay(self, lines: Sequence[Line]) -> None:
        """Peers have these lines; none at all where nothing limits anybody. Before anybody starts."""
        links = self.shared.links
        links.lay(lines, self.kernel, self.null_record, self.streams.near, self.started_us)
        self.faults.nat = links.nat
        if links.bandwidth is not None:
            links.bandwidth.drop = self._drop
        self.restate(())

    def users(self) -> list[PeerId]:
        """Everybody but infrastructure, in order."""
        return list(map(int, np.flatnonzero(~self.infrastructure)))

    def __getstate__(self) -> dict[str, Any]:
        self.metrics.post()
        return {**self.__dict__, "_handlers": {}}

    def thaw(self) -> None:
        """After unpickling, when everybody is here: what one part keeps of another to have it at hand."""
        for peer, program in enumerate(self.programs):
            self.peer_hosts[peer].row = self.shared.links.row(peer)
            if program is not None:
                self.kernel.tables[peer] = self._table(self.program_types[peer])

    # --- births and deaths -------------------------------------------------------------------------------

    def start(self, peer: PeerId, contacts: Sequence[PeerId] | None = None) -> None:
        """A new life, from disk; `contacts` as the network gives them unless told."""
        kernel = self.kernel
        kind = self.program_types[peer]
        program = kind()
        kernel.epoch[peer] += 1
        self.programs[peer] = program
        self.state[peer] = ALIVE
        kernel.peers[peer], kernel.hosts[peer], kernel.tables[peer] = program, self.peer_hosts[peer], self._table(kind)
        self.started_us[peer] = kernel.now_us
        if kernel.now_us or kernel.epoch[peer] > 1:
            self.since_us[peer] = kernel.now_us
        kernel.alive_since_us[peer] = NEVER_US if self.faults.censored[peer] else kernel.now_us
        if contacts is None:
            contacts = simulation.contacts(self, peer)
        self.call(peer, "start", program.start, self.peer_hosts[peer], contacts, self.saved_states[peer])

    def die(self, peer: PeerId, state: int) -> None:
        """The process ends: `state` is DEAD or LEFT. Streams close, timers stop; the disk stays."""
        program = self.programs[peer]
        if program is None:
            return
        kernel = self.kernel
        if state == LEFT:
            self.call(peer, "stop", program.stop, self.peer_hosts[peer])
        try:
            self.saved_states[peer] = program.saved()
        except Exception as error:
            raise PeerFailed(peer, "saved", error) from error
        self.programs[peer] = None
        self.state[peer] = state
        kernel.peers[peer] = kernel.hosts[peer] = kernel.tables[peer] = None
        kernel.alive_since_us[peer] = NEVER_US
        kernel.epoch[peer] += 1
        self.peer_hosts[peer].let_go()
        links = self.shared.links
        if links.bandwidth is not None:
            links.bandwidth.died(peer, politely=state == LEFT)
        if links.nat is not None:
            links.nat.forgets(peer)
        for other in list(self.streams.near[peer]):
            self._unlinked(peer, other)

    def call(self, peer: PeerId, what: str, act: Callable[..., None], *args: Any) -> None:
        """Run a peer's own code outside a delivery, as nothing's effect."""
        before, self.kernel.envelope = self.kernel.envelope, self.kernel.no_envelope
        try:
            act(*args)
        except Exception as error:
            raise PeerFailed(peer, what, error) from error
        finally:
            self.kernel.envelope = before

    def _table(self, kind: type[Peer]) -> dict[type, Callable[..., Known]]:
        """Handlers of a class, with a deaf one for each kind of message that it does not handle."""
        table = self._handlers.get(kind)
        if table is None:
            table = self._handlers[kind] = {**dict.fromkeys(self.shared.kinds, _deaf), **kind.handlers}
        return table

    # --- asks ----------------------------------------------------------------------------------------------

    def ask(self, peer: PeerId, text: str, want: Want, by: str) -> AskRecord:
        """A user at a living peer wants something."""
        kernel = self.kernel
        record = AskRecord(len(self.shared.records), peer, text, want, by, kernel.now_us)
        self.shared.records.append(record)
        self.open_asks[record.id] = record
        record.pending += 1
        program = self.programs[peer]
        assert program is not None
        self.tell("asked", record)
        kernel.envelope = (peer, None, record.id << HOP_BITS, kernel.now_us, record, 0)
        try:
            program.ask(self.peer_hosts[peer], Ask(record.id, want, text))
        except Exception as error:
            raise PeerFailed(peer, "ask", error) from error
        finally:
            kernel.envelope = kernel.no_envelope
            kernel.release(record)
        return record

    def _join(self, causes: Any) -> JointRecord:
        return JointRecord([self._kept(cause) for cause in causes])

    def _kept(self, cause: int) -> AskRecord:
        """The account of a cause that a protocol kept. Between two cycles of a batched gossip nothing is pending, and
        the ask is closed; it is open again when the next cycle passes on what it caused."""
        record: AskRecord = self.shared.records.wake(cause >> HOP_BITS)
        if record.closed_us is not None:
            record.closed_us = None
            self.open_asks[record.id] = record
            self.kernel.settling.append(record)
        return record

    def _settle(self, records: list[Any]) -> None:
        """Accounts that ran out of pending work at the end of an instant."""
        for record in records:
            if isinstance(record, JointRecord):
                for each in record.records:
                    each.duplicates += record.duplicates
                    for reason, count in record.losses.items():
                        each.losses[reason] = each.losses.get(reason, 0) + count
                    self.kernel.release(each)
                record.records = ()
        if self.kernel.settling:
            done, self.kernel.settling = self.kernel.settling, []
            records = records + [each for each in done if not each.pending]
        for record in dict.fromkeys(records):
            if isinstance(record, AskRecord) and not record.pending:
                record.closed_us = self.kernel.now_us
                self.open_asks.pop(record.id, None)
                self.close(record)

    # --- what hosts ask for -------------------------------------------------------------------------------

    def _linked(self, a: PeerId, b: PeerId) -> None:
        if type(b) is int and 0 <= b < self.n and self.state[a] == ALIVE == self.state[b]:
            # Nobody opens a stream to one behind a NAT by saying so: it must have called.
            nat = self.shared.links.nat
            if nat is None or not nat.shuts_out(a, b, stream=True):
                self.streams.open(a, b)

    def _unlinked(self, a: PeerId, b: PeerId) -> None:
        if type(b) is int and 0 <= b < self.n and self.streams.close(a, b):
            notice = StreamClosed(b, self.kernel.epoch[b], a)
            self._later(self.shared.links.closing_us(a, b, self.kernel.now_us), notice, 0, self.null_record)

    def _noted(self, peer: PeerId, kind: str, facts: dict[str, Any]) -> None:
        record = self.kernel.envelope[4]
        asks = record.records if isinstance(record, JointRecord) else (record,)
        for each in asks:
            if kind == "hit":
                holder = facts.get("holder")
                if not isinstance(holder, int) or not 0 <= holder < self.n:
                    continue
                if each.id and each.origin == peer and holder not in each.hits:
                    each.hits[holder] = self.kernel.now_us
                    self.tell("hit", each.id, peer, holder, str(facts.get("content", "")))
            else:
                if kind in ("decoy", "downloaded") and each.id and each.origin == peer:
                    self.metrics.decoys += kind == "decoy"
                    each.opened(facts.get("holder"), kind == "decoy", self.kernel.now_us)
                if kind in ("downloaded", "download failed"):
                    each.setback = str(facts.get("why", ""))
                self.tell("note", peer, kind, facts, each.id)

    # --- losses and notices ----------------------------------------------------------------------------------

    def _missed(self, to: PeerId, envelope: Envelope) -> bool:
        """A closed gate: why? A datagram to a machine that came back meanwhile is delivered all the same."""
        message = envelope[1]
        if self.faults.censored[to]:
            reason = "censored"
        elif self.state[to] == DEAD:
            reason = "dead"
        elif self.state[to] == LEFT:
            reason = "left"
        elif message.over == "datagram":
            return True
        else:
            reason = "reset"
        self._drop(to, envelope, reason)
        return False

    def _drop(self, to: PeerId, envelope: Envelope, reason: str) -> None:
        sender, message, cause, sent_us, record, code = envelope
        self.metrics.drop(self.kernel.now_us, sender, to, code, reason)
        losses = record.losses
        losses[reason] = losses.get(reason, 0) + 1
        died(record, sender, to, sent_us, self.kernel.now_us, reason)
        if reason in ("dead", "left", "reset") and message.over == "stream":
            notice = ConnectionRefused(sender, _epoch_at(self, envelope), to, message)
            # Who is refused stands one hop nearer to the ask than what it sent.
            back = tuple(one - 1 for one in cause) if cause.__class__ is tuple else cause and cause - 1
            self._later(self.shared.links.delay_us(to, sender), notice, back, record)
        elif reason == "nat" and message.over == "stream":
            notice = ConnectionRefused(sender, _epoch_at(self, envelope), to, message)
            self._later(SILENCE_US + self.shared.links.delay_us(to, sender), notice, cause, record)

    def _nowhere(self, many: tuple[Any, ...], envelope: Envelope) -> tuple[PeerId, ...]:
        """Somebody made up an address: what goes there meets silence. Returns the receivers that are somebody."""
        kept = tuple(one for one in many if type(one) is int and 0 <= one < self.n)
        losses = envelope[4].losses
        for _ in range(len(many) - len(kept)):
            self.metrics.drop(self.kernel.now_us, envelope[0], -1, envelope[5], "nowhere")
            losses["nowhere"] = losses.get("nowhere", 0) + 1
        return kept

    def _later(self, delay_us: int, notice: Any, cause: Any, record: Any) -> None:
        self.kernel.arm(self.kernel.now_us + delay_us, Timer(-1, 0, notice, cause, record))

    def _fire(self, timer: Timer) -> None:
        notice = timer.tick
        if notice.__class__ is not ConnectionRefused and notice.__class__ is not StreamClosed:
            bandwidth = self.shared.links.bandwidth
            if bandwidth is not None and notice.__class__ in TICKS:
                bandwidth.rang(notice)
            else:
                self.rang(notice)
            return
        peer = notice.peer
        program = self.programs[peer]
        if program is None or self.kernel.epoch[peer] != notice.epoch:
            return
        kernel, seat = self.kernel, self.peer_hosts[peer]
        other = notice.to if isinstance(notice, ConnectionRefused) else notice.other
        if self.faults.blocked(peer, other) or self._waits(timer, notice, other, peer):
            return
        kernel.envelope = (peer, None, timer.cause, kernel.now_us, timer.record, 0)
        try:
            if isinstance(notice, ConnectionRefused):
                # Only a stream to a later life of `other` can still stand; the refusal ends it for both.
                self._unlinked(peer, other)
                ask = timer.record.id if isinstance(timer.record, AskRecord) else 0
                if ask:
                    self.tell("refused", peer, other, notice.message.kind, ask)
                program.refused(seat, other, notice.message)
            elif other not in self.streams.near[peer]:
                program.closed(seat, other)
        except Exception as error:
            raise PeerFailed(peer, type(notice).__name__.lower(), error) from error
        finally:
            kernel.envelope = kernel.no_envelope

    def _waits(self, timer: Timer, notice: ConnectionRefused | StreamClosed, frm: PeerId, to: PeerId) -> bool:
        """Whether a notice has to wait: on a held link, or for what was said in the stream before it was closed."""
        links = self.shared.links
        if links.held(frm, to):
            assert links.holds is not None
            links.holds.freeze_notice(frm, to, Timer(-1, 0, notice, timer.cause, timer.record))
            return True
        if links.bandwidth is None or not isinstance(notice, StreamClosed) or notice.parked:
            return False
        notice.parked = True
        if links.bandwidth.park(frm, to, Timer(-1, 0, notice, timer.cause, timer.record)):
            return True
        late_us = links.last_us(frm, to) - self.kernel.now_us
        if late_us > 0:
            self._later(late_us, notice, timer.cause, timer.record)
        return late_us > 0

    def restate(self, peers: Sequence[PeerId]) -> None:
        """Gates and columns after rules about these peers changed."""
        faults, kernel = self.faults, self.kernel
        for peer in peers:
            self.censored[peer] = faults.censored[peer]
            self.colluding[peer] = peer in faults.bans
            self.group[peer] = faults.group[peer]
            if self.state[peer] == ALIVE:
                kernel.alive_since_us[peer] = NEVER_US if faults.censored[peer] else self.started_us[peer]
        kernel.checked = self.shared.links.lossy or faults.active


def _deaf(*_: Any) -> None:
    """A message or tick that this role does not handle."""


def _epoch_at(sim: Simulation, envelope: Envelope) -> int:
    """The life of the sender that sent a parcel: the present one if it began before, else one that is gone."""
    sender = envelope[0]
    return sim.kernel.epoch[sender] if sim.started_us[sender] <= envelope[3] else -1


# Room for newcomers: every column of a town that has an entry for each peer, lengthened.
#
# New ids are appended after all others, so nobody's id changes and stations stay where they stand. Lists grow in place,
# since hot loops and hosts hold on to them; arrays are replaced, and nobody keeps one.


def grow(
    sim: Simulation,
    shelves: Sequence[Shelf],
    places: Sequence[int],
    lines: Sequence[Line],
    labels: Sequence[str],
    operator: str,
) -> range:
    """As many newcomers as there are shelves. They have not started yet; their ids are returned."""
    count = len(shelves)
    ids = range(sim.n, sim.n + count)
    sim.kernel.grow(count)
    sim.shared.links.grow(places, lines)
    sim.streams.grow(ids)
    sim.faults.grow(count)
    sim.metrics.grow(count)
    sim.n += count
    sim.program_types += [sim.program] * count
    sim.labels += labels
    sim.operators += [operator] * count
    sim.shelves += shelves
    sim.peer_hosts += [PeerHost(p, sim.shared, Stream(f"{sim.seed}/peer/{p}"), sim.shelves[p]) for p in ids]
    sim.programs += [None] * count
    sim.saved_states += [None] * count
    sim.started_us += [0] * count
    sim.state = np.concatenate([sim.state, np.full(count, LEFT, np.uint8)])
    more = np.zeros(count, np.bool_)
    sim.censored = np.concatenate([sim.censored, more])
    sim.colluding = np.concatenate([sim.colluding, more])
    sim.poisoned = np.concatenate([sim.poisoned, more])
    sim.infrastructure = np.concatenate([sim.infrastructure, more])
    sim.group = np.concatenate([sim.group, np.zeros(count, np.int32)])
    sim.since_us = np.concatenate([sim.since_us, np.zeros(count, np.int64)])
    return ids
