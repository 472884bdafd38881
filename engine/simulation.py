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
from .measure.archive import Ledger
from .measure.asks import Account, Joint, Nothing, died
from .measure.metrics import Books, kinds_of
from .measure.snapshot import ALIVE, DEAD, LEFT, STATES
from .sim.bandwidth import TICKS
from .sim.faults import Rules
from .sim.host import Desk, Seat
from .sim.kernel import HOP_BITS, NEVER_US, Kernel, Parcel, Timer
from .sim.links import Links, Streams
from .sim.nat import SILENCE_US
from .sim.rng import Stream
from .world.content import Shelf

# What the network tells a peer without anybody having sent it: a refusal, and the end of a stream.
#
# No messages: they are not counted, but they take their time, and interference stops them as it stops messages.


@dataclass(slots=True)
class Refusal:
    """Under way back to a sender: nobody is at `to`. Only the life that sent it is told."""

    peer: PeerId
    epoch: int
    to: PeerId
    message: Any


@dataclass(slots=True)
class Closing:
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


def publish(town: Town, up: NDArray[np.int64]) -> None:
    """Choose whom everybody will know, among those that are `up` when the run begins."""
    nat = town.desk.links.nat
    if nat is not None:
        # Who cannot be called cannot be well-known.
        up = up[~np.array(nat.behind, np.bool_)[up]]
    some = Stream(f"{town.seed}/bootstrap").sample(range(len(up)), min(CONTACTS, len(up)))
    known = sorted(up[some].tolist()) if town.program.overlay or not town.stations else ()
    town.bootstrap = (*town.stations, *known)


def contacts(town: Town, peer: PeerId, living: NDArray[np.int64] | None = None) -> Sequence[PeerId]:
    """What a peer is told; `living` are those that are up when the run begins, and None is for who starts later."""
    if living is None:
        return tuple(one for one in town.bootstrap if one != peer)
    if town.crew[peer].knows == "everyone":
        return range(town.n) if not town.stations else (*town.stations, *town.users())
    some = town.published.sample(range(len(living)), min(CONTACTS + 1, len(living)))
    others = [other for other in living[some].tolist() if other != peer][:CONTACTS]
    return (*(s for s in town.stations if s != peer), *others)


def has_joined(town: Town, peer: PeerId) -> bool:
    """Whether a living peer says that it has found its way in."""
    program = town.programs[peer]
    assert program is not None
    try:
        return program.joined(tuple(town.streams.near[peer]))
    except Exception as error:
        raise PeerFailed(peer, "joined", error) from error


def why_not(town: Town) -> str:
    """What those are through whom a newcomer finds the network, in words."""
    if not town.bootstrap:
        return "there are no bootstrap peers"
    counts: dict[str, int] = {}
    for peer in town.bootstrap:
        word = "censored" if town.censored[peer] else STATES[town.state[peer]]
        counts[word] = counts.get(word, 0) + 1
    many = len(town.bootstrap)
    if many == 1:
        return f"the one bootstrap peer, {town.labels[town.bootstrap[0]]}, is {next(iter(counts))}"
    return f"of {many} bootstrap peers {', '.join(f'{count} are {word}' for word, count in counts.items())}"


class Town:
    """All peers, alive or not, and what lies between them. `programs[p]` is None while p is not alive."""

    def __init__(
        self,
        program: type[Peer],
        crew: Sequence[type[Peer]],
        messages: Sequence[type[Any]],
        links: Links,
        shelves: Sequence[Shelf],
        seed: int,
        options: Any,
    ) -> None:
        n = self.n = len(crew)
        self.program = program
        self.crew = list(crew)
        self.seed = seed
        kinds, parts, names = kinds_of(messages)
        self.nothing = Nothing()
        self.kernel = Kernel(n, self.nothing)
        self.desk = Desk(self.kernel, links, kinds, parts)
        self.desk.options = options
        self.desk.accounts = Ledger(self.nothing)
        self.books = Books(n, self.kernel, self.desk, names)
        self.rules = Rules(n, seed)
        ids = tuple(range(n))
        self.streams = Streams(ids)
        self.shelves = list(shelves)
        self.seats = [Seat(p, self.desk, Stream(f"{seed}/peer/{p}"), shelves[p]) for p in ids]
        self.programs: list[Peer | None] = [None] * n
        self.disks: list[object | None] = [None] * n
        self.state = np.full(n, LEFT, np.uint8)
        self.censored = np.zeros(n, np.bool_)
        self.colluding = np.zeros(n, np.bool_)
        self.poisoned = np.zeros(n, np.bool_)
        """Whose `Seat.library` serves decoys; `shelves` are what peers truly have, poisoned or not."""
        self.group = np.zeros(n, np.int32)
        self.born_us = [0] * n
        """When the present life of each peer began."""
        self.since_us = np.zeros(n, np.int64)
        """When the present session of each peer began: before 0 for one that was under way when the run began."""
        self.labels: list[str] = []
        self.operators: list[str] = []
        self.infrastructure = np.zeros(n, np.bool_)
        """A flag, not a threshold of ids: newcomers come after the stations."""
        self.stations: tuple[PeerId, ...] = ()
        self.open_asks: dict[int, Account] = {}
        self._handlers: dict[type[Peer], dict[type, Callable[..., Known]]] = {}
        self.bootstrap: tuple[PeerId, ...] = ()
        """Whom everybody knows: stations, or else some peers of the beginning. They may be killed as any other."""
        self.seeking: dict[PeerId, None] = {}
        """Newcomers that have not been seen to have found their way in."""
        self.published = Stream(f"{seed}/contacts")
        self.tell: Callable[..., None]
        """(kind of event, fields): the swarm keeps events."""
        self.rang: Callable[[Any], None]
        """(tick): an engine timer that is not the town's own."""
        self.close: Callable[[Account], None]
        kernel, desk = self.kernel, self.desk
        kernel.judge = self.rules.judge
        kernel.missed = self._missed
        kernel.fire = self._fire
        kernel.settle = self._settle
        self.rules.drop = self._drop
        self.rules.programs = self.programs
        desk.join = self._join
        desk.kept = self._kept
        desk.noted = self._noted
        desk.linked = self._linked
        desk.nowhere = self._nowhere
        desk.unlinked = self._unlinked
        kernel.careful = links.lossy

    def lay(self, lines: Sequence[Line]) -> None:
        """Peers have these lines; none at all where nothing limits anybody. Before anybody starts."""
        links = self.desk.links
        links.lay(lines, self.kernel, self.nothing, self.streams.near, self.born_us)
        self.rules.nat = links.nat
        if links.pipes is not None:
            links.pipes.drop = self._drop
        self.restate(())

    def users(self) -> list[PeerId]:
        """Everybody but infrastructure, in order."""
        return list(map(int, np.flatnonzero(~self.infrastructure)))

    def __getstate__(self) -> dict[str, Any]:
        self.books.post()
        return {**self.__dict__, "_handlers": {}}

    def thaw(self) -> None:
        """After unpickling, when everybody is here: what one part keeps of another to have it at hand."""
        for peer, program in enumerate(self.programs):
            self.seats[peer].row = self.desk.links.row(peer)
            if program is not None:
                self.kernel.tables[peer] = self._table(self.crew[peer])

    # --- births and deaths -------------------------------------------------------------------------------

    def start(self, peer: PeerId, contacts: Sequence[PeerId] | None = None) -> None:
        """A new life, from disk; `contacts` as the network gives them unless told."""
        kernel = self.kernel
        kind = self.crew[peer]
        program = kind()
        kernel.epoch[peer] += 1
        self.programs[peer] = program
        self.state[peer] = ALIVE
        kernel.peers[peer], kernel.hosts[peer], kernel.tables[peer] = program, self.seats[peer], self._table(kind)
        self.born_us[peer] = kernel.now_us
        if kernel.now_us or kernel.epoch[peer] > 1:
            self.since_us[peer] = kernel.now_us
        kernel.gate[peer] = NEVER_US if self.rules.censored[peer] else kernel.now_us
        if contacts is None:
            contacts = simulation.contacts(self, peer)
        self.call(peer, "start", program.start, self.seats[peer], contacts, self.disks[peer])

    def die(self, peer: PeerId, state: int) -> None:
        """The process ends: `state` is DEAD or LEFT. Streams close, timers stop; the disk stays."""
        program = self.programs[peer]
        if program is None:
            return
        kernel = self.kernel
        if state == LEFT:
            self.call(peer, "stop", program.stop, self.seats[peer])
        try:
            self.disks[peer] = program.saved()
        except Exception as error:
            raise PeerFailed(peer, "saved", error) from error
        self.programs[peer] = None
        self.state[peer] = state
        kernel.peers[peer] = kernel.hosts[peer] = kernel.tables[peer] = None
        kernel.gate[peer] = NEVER_US
        kernel.epoch[peer] += 1
        self.seats[peer].let_go()
        links = self.desk.links
        if links.pipes is not None:
            links.pipes.died(peer, politely=state == LEFT)
        if links.nat is not None:
            links.nat.forgets(peer)
        for other in list(self.streams.near[peer]):
            self._unlinked(peer, other)

    def call(self, peer: PeerId, what: str, act: Callable[..., None], *args: Any) -> None:
        """Run a peer's own code outside a delivery, as nothing's effect."""
        before, self.kernel.parcel = self.kernel.parcel, self.kernel.idle
        try:
            act(*args)
        except Exception as error:
            raise PeerFailed(peer, what, error) from error
        finally:
            self.kernel.parcel = before

    def _table(self, kind: type[Peer]) -> dict[type, Callable[..., Known]]:
        """Handlers of a class, with a deaf one for each kind of message that it does not handle."""
        table = self._handlers.get(kind)
        if table is None:
            table = self._handlers[kind] = {**dict.fromkeys(self.desk.kinds, _deaf), **kind.handlers}
        return table

    # --- asks ----------------------------------------------------------------------------------------------

    def ask(self, peer: PeerId, text: str, want: Want, by: str) -> Account:
        """A user at a living peer wants something."""
        kernel = self.kernel
        account = Account(len(self.desk.accounts), peer, text, want, by, kernel.now_us)
        self.desk.accounts.append(account)
        self.open_asks[account.id] = account
        account.pending += 1
        program = self.programs[peer]
        assert program is not None
        self.tell("asked", account)
        kernel.parcel = (peer, None, account.id << HOP_BITS, kernel.now_us, account, 0)
        try:
            program.ask(self.seats[peer], Ask(account.id, want, text))
        except Exception as error:
            raise PeerFailed(peer, "ask", error) from error
        finally:
            kernel.parcel = kernel.idle
            kernel.release(account)
        return account

    def _join(self, causes: Any) -> Joint:
        return Joint([self._kept(cause) for cause in causes])

    def _kept(self, cause: int) -> Account:
        """The account of a cause that a protocol kept. Between two cycles of a batched gossip nothing is pending, and
        the ask is closed; it is open again when the next cycle passes on what it caused."""
        account: Account = self.desk.accounts.wake(cause >> HOP_BITS)
        if account.closed_us is not None:
            account.closed_us = None
            self.open_asks[account.id] = account
            self.kernel.settling.append(account)
        return account

    def _settle(self, accounts: list[Any]) -> None:
        """Accounts that ran out of pending work at the end of an instant."""
        for account in accounts:
            if isinstance(account, Joint):
                for each in account.accounts:
                    each.duplicates += account.duplicates
                    for reason, count in account.losses.items():
                        each.losses[reason] = each.losses.get(reason, 0) + count
                    self.kernel.release(each)
                account.accounts = ()
        if self.kernel.settling:
            done, self.kernel.settling = self.kernel.settling, []
            accounts = accounts + [each for each in done if not each.pending]
        for account in dict.fromkeys(accounts):
            if isinstance(account, Account) and not account.pending:
                account.closed_us = self.kernel.now_us
                self.open_asks.pop(account.id, None)
                self.close(account)

    # --- what hosts ask for -------------------------------------------------------------------------------

    def _linked(self, a: PeerId, b: PeerId) -> None:
        if type(b) is int and 0 <= b < self.n and self.state[a] == ALIVE == self.state[b]:
            # Nobody opens a stream to one behind a NAT by saying so: it must have called.
            nat = self.desk.links.nat
            if nat is None or not nat.shuts_out(a, b, stream=True):
                self.streams.open(a, b)

    def _unlinked(self, a: PeerId, b: PeerId) -> None:
        if type(b) is int and 0 <= b < self.n and self.streams.close(a, b):
            notice = Closing(b, self.kernel.epoch[b], a)
            self._later(self.desk.links.closing_us(a, b, self.kernel.now_us), notice, 0, self.nothing)

    def _noted(self, peer: PeerId, kind: str, facts: dict[str, Any]) -> None:
        account = self.kernel.parcel[4]
        asks = account.accounts if isinstance(account, Joint) else (account,)
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
                    self.books.decoys += kind == "decoy"
                    each.opened(facts.get("holder"), kind == "decoy", self.kernel.now_us)
                if kind in ("downloaded", "download failed"):
                    each.setback = str(facts.get("why", ""))
                self.tell("note", peer, kind, facts, each.id)

    # --- losses and notices ----------------------------------------------------------------------------------

    def _missed(self, to: PeerId, parcel: Parcel) -> bool:
        """A closed gate: why? A datagram to a machine that came back meanwhile is delivered all the same."""
        message = parcel[1]
        if self.rules.censored[to]:
            reason = "censored"
        elif self.state[to] == DEAD:
            reason = "dead"
        elif self.state[to] == LEFT:
            reason = "left"
        elif message.over == "datagram":
            return True
        else:
            reason = "reset"
        self._drop(to, parcel, reason)
        return False

    def _drop(self, to: PeerId, parcel: Parcel, reason: str) -> None:
        sender, message, cause, sent_us, account, code = parcel
        self.books.drop(self.kernel.now_us, sender, to, code, reason)
        losses = account.losses
        losses[reason] = losses.get(reason, 0) + 1
        died(account, sender, to, sent_us, self.kernel.now_us, reason)
        if reason in ("dead", "left", "reset") and message.over == "stream":
            notice = Refusal(sender, _epoch_at(self, parcel), to, message)
            # Who is refused stands one hop nearer to the ask than what it sent.
            back = tuple(one - 1 for one in cause) if cause.__class__ is tuple else cause and cause - 1
            self._later(self.desk.links.delay_us(to, sender), notice, back, account)
        elif reason == "nat" and message.over == "stream":
            notice = Refusal(sender, _epoch_at(self, parcel), to, message)
            self._later(SILENCE_US + self.desk.links.delay_us(to, sender), notice, cause, account)

    def _nowhere(self, many: tuple[Any, ...], parcel: Parcel) -> tuple[PeerId, ...]:
        """Somebody made up an address: what goes there meets silence. Returns the receivers that are somebody."""
        kept = tuple(one for one in many if type(one) is int and 0 <= one < self.n)
        losses = parcel[4].losses
        for _ in range(len(many) - len(kept)):
            self.books.drop(self.kernel.now_us, parcel[0], -1, parcel[5], "nowhere")
            losses["nowhere"] = losses.get("nowhere", 0) + 1
        return kept

    def _later(self, delay_us: int, notice: Any, cause: Any, account: Any) -> None:
        self.kernel.arm(self.kernel.now_us + delay_us, Timer(-1, 0, notice, cause, account))

    def _fire(self, timer: Timer) -> None:
        notice = timer.tick
        if notice.__class__ is not Refusal and notice.__class__ is not Closing:
            pipes = self.desk.links.pipes
            if pipes is not None and notice.__class__ in TICKS:
                pipes.rang(notice)
            else:
                self.rang(notice)
            return
        peer = notice.peer
        program = self.programs[peer]
        if program is None or self.kernel.epoch[peer] != notice.epoch:
            return
        kernel, seat = self.kernel, self.seats[peer]
        other = notice.to if isinstance(notice, Refusal) else notice.other
        if self.rules.blocked(peer, other) or self._waits(timer, notice, other, peer):
            return
        kernel.parcel = (peer, None, timer.cause, kernel.now_us, timer.account, 0)
        try:
            if isinstance(notice, Refusal):
                # Only a stream to a later life of `other` can still stand; the refusal ends it for both.
                self._unlinked(peer, other)
                ask = timer.account.id if isinstance(timer.account, Account) else 0
                if ask:
                    self.tell("refused", peer, other, notice.message.kind, ask)
                program.refused(seat, other, notice.message)
            elif other not in self.streams.near[peer]:
                program.closed(seat, other)
        except Exception as error:
            raise PeerFailed(peer, type(notice).__name__.lower(), error) from error
        finally:
            kernel.parcel = kernel.idle

    def _waits(self, timer: Timer, notice: Refusal | Closing, frm: PeerId, to: PeerId) -> bool:
        """Whether a notice has to wait: on a held link, or for what was said in the stream before it was closed."""
        links = self.desk.links
        if links.held(frm, to):
            assert links.holds is not None
            links.holds.freeze_notice(frm, to, Timer(-1, 0, notice, timer.cause, timer.account))
            return True
        if links.pipes is None or not isinstance(notice, Closing) or notice.parked:
            return False
        notice.parked = True
        if links.pipes.park(frm, to, Timer(-1, 0, notice, timer.cause, timer.account)):
            return True
        late_us = links.last_us(frm, to) - self.kernel.now_us
        if late_us > 0:
            self._later(late_us, notice, timer.cause, timer.account)
        return late_us > 0

    def restate(self, peers: Sequence[PeerId]) -> None:
        """Gates and columns after rules about these peers changed."""
        rules, kernel = self.rules, self.kernel
        for peer in peers:
            self.censored[peer] = rules.censored[peer]
            self.colluding[peer] = peer in rules.bans
            self.group[peer] = rules.group[peer]
            if self.state[peer] == ALIVE:
                kernel.gate[peer] = NEVER_US if rules.censored[peer] else self.born_us[peer]
        kernel.careful = self.desk.links.lossy or rules.active


def _deaf(*_: Any) -> None:
    """A message or tick that this role does not handle."""


def _epoch_at(town: Town, parcel: Parcel) -> int:
    """The life of the sender that sent a parcel: the present one if it began before, else one that is gone."""
    sender = parcel[0]
    return town.kernel.epoch[sender] if town.born_us[sender] <= parcel[3] else -1


# Room for newcomers: every column of a town that has an entry for each peer, lengthened.
#
# New ids are appended after all others, so nobody's id changes and stations stay where they stand. Lists grow in place,
# since hot loops and hosts hold on to them; arrays are replaced, and nobody keeps one.


def grow(
    town: Town,
    shelves: Sequence[Shelf],
    places: Sequence[int],
    lines: Sequence[Line],
    labels: Sequence[str],
    operator: str,
) -> range:
    """As many newcomers as there are shelves. They have not started yet; their ids are returned."""
    count = len(shelves)
    ids = range(town.n, town.n + count)
    town.kernel.grow(count)
    town.desk.links.grow(places, lines)
    town.streams.grow(ids)
    town.rules.grow(count)
    town.books.grow(count)
    town.n += count
    town.crew += [town.program] * count
    town.labels += labels
    town.operators += [operator] * count
    town.shelves += shelves
    town.seats += [Seat(p, town.desk, Stream(f"{town.seed}/peer/{p}"), town.shelves[p]) for p in ids]
    town.programs += [None] * count
    town.disks += [None] * count
    town.born_us += [0] * count
    town.state = np.concatenate([town.state, np.full(count, LEFT, np.uint8)])
    more = np.zeros(count, np.bool_)
    town.censored = np.concatenate([town.censored, more])
    town.colluding = np.concatenate([town.colluding, more])
    town.poisoned = np.concatenate([town.poisoned, more])
    town.infrastructure = np.concatenate([town.infrastructure, more])
    town.group = np.concatenate([town.group, np.zeros(count, np.int32)])
    town.since_us = np.concatenate([town.since_us, np.zeros(count, np.int64)])
    return ids
