"""Directory authorities, the distributor of bridges, and the website that is visited (dir-spec 1.4, 3.4 and 3.8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ...api import Belief, Beliefs, Blob, Host, Peer, PeerId, Shown, on, on_reply
from ...kit import digest, put_bounded
from .consensus import Relay
from .messages import (
    RELAYS_MOST,
    Bridges,
    Consensus,
    Descriptor,
    Dial,
    Dialled,
    FetchConsensus,
    Get,
    Reached,
    ReachTest,
    Signature,
    Vote,
    Votes,
    WantBridges,
    WantVotes,
    WebPage,
)

FAST_KB_S, GUARD_KB_S, STABLE_S = 100, 2_000, 7 * 86_400
GUARDS_LEAST = 3
"""In a network with fewer guards than this, this many of the fastest relays are guards."""


def voted(known: dict[PeerId, Descriptor]) -> tuple[Relay, ...]:
    """The vote of an authority on running relays: a line with flags for each (dir-spec 3.4.2), in order of their ids.

    Fast: among the fastest 7/8, or 100 kB/s. Stable: up for at least the median, or 7 days. Guard: Fast and Stable, and
    among the fastest quarter, or 2 MB/s.
    """
    if not known:
        return ()
    speeds = sorted(one.bandwidth for one in known.values())
    fast = min(speeds[len(speeds) // 8], FAST_KB_S)
    quarter = min(speeds[len(speeds) * 3 // 4], GUARD_KB_S)
    uptimes = sorted(one.uptime_s for one in known.values())
    stable = min(uptimes[len(uptimes) // 2], STABLE_S)
    guards = [
        peer
        for peer, one in known.items()
        if one.bandwidth >= max(fast, quarter) and one.uptime_s >= stable and one.bandwidth > 0
    ]
    if len(guards) < GUARDS_LEAST:
        guards = sorted(known, key=lambda peer: (-known[peer].bandwidth, peer))[:GUARDS_LEAST]
    flagged = dict.fromkeys(guards)
    return tuple(
        Relay(peer, one.bandwidth, peer in flagged, one.exit, one.network, one.family)
        for peer, one in sorted(known.items())
    )


def agreed(votes: dict[PeerId, tuple[Relay, ...]], authorities: int) -> tuple[Relay, ...]:
    """The relays that more than half of the authorities list. Each has the flags for which most of these authorities
    vote, and the low median of their bandwidths (dir-spec 3.8.0)."""
    said: dict[PeerId, list[Relay]] = {}
    for voter in sorted(votes):
        for one in votes[voter]:
            said.setdefault(one.peer, []).append(one)
    made = []
    for peer in sorted(said):
        those = said[peer]
        if 2 * len(those) <= authorities:
            continue
        bandwidth = sorted(one.bandwidth for one in those)[(len(those) - 1) // 2]
        guard = 2 * sum(one.guard for one in those) > len(those)
        exit_ = 2 * sum(one.exit for one in those) > len(those)
        made.append(replace(those[0], bandwidth=bandwidth, guard=guard, exit=exit_))
    return tuple(made[:RELAYS_MOST])


def digest_of(period: int, relays: Sequence[Relay]) -> int:
    """The digest of a consensus, which authorities sign: 64 bits of a hash of its content."""
    return digest(period, [(r.peer, r.bandwidth, r.guard, r.exit, r.network, r.family) for r in relays])


@dataclass(slots=True)
class VoteDue:
    """Time to vote on the consensus of this period."""

    period: int


@dataclass(slots=True)
class FetchDue:
    """Half of the time for votes is over: missing votes are fetched."""

    period: int


@dataclass(slots=True)
class ComputeDue:
    """The time for votes is over: the consensus is computed and signed."""

    period: int


@dataclass(slots=True)
class PublishDue:
    """The consensus becomes valid, if enough have signed it."""

    period: int


@dataclass(slots=True)
class TestDue:
    """Time to test which relays can be reached."""


@dataclass(slots=True)
class Known:
    """What an authority knows of a relay: its descriptor, when it came, and when the relay was last reached, in us; -1
    for never."""

    descriptor: Descriptor
    heard_us: int
    reached_us: int = -1


@dataclass(slots=True, eq=False)
class Authority(Peer):
    """A directory authority. known: the relays that sent it a descriptor.

    votes, signatures, made: those of `period`, which is voted on, by authority, and the relays that were agreed on;
    consensus: the one that it serves; missed: periods in a row without one.
    """

    role = "authority"
    overlay = False
    shares_files = False
    shows = (Shown("signed", "authorities that signed the consensus that it has", "count"),)

    others: tuple[PeerId, ...] = ()
    known: dict[PeerId, Known] = field(default_factory=dict)
    period: int = 0
    votes: dict[PeerId, tuple[Relay, ...]] = field(default_factory=dict)
    signatures: dict[PeerId, int] = field(default_factory=dict)
    made: tuple[Relay, ...] | None = None
    consensus: Consensus | None = None
    missed: int = 0

    def start(self, host: Host, contacts: Sequence[PeerId], saved: object | None) -> None:
        """Plan the next vote. The last consensus is on disk."""
        self.others = tuple(one for one in contacts[2 : 1 + host.options.authorities] if one != host.me)
        if Consensus.is_one(saved):
            self.consensus = saved  # type: ignore[assignment]
        interval = self.interval_us(host)
        host.every(max(1_000_000, interval * 35 // 100), TestDue())
        self._plan_vote(host, (host.now_us + interval // 6) // interval + 1)

    def saved(self) -> object | None:
        return self.consensus

    @staticmethod
    def interval_us(host: Host) -> int:
        return int(host.options.consensus_s * 1e6)

    def _plan_vote(self, host: Host, period: int) -> None:
        interval = self.interval_us(host)
        host.after(period * interval - interval // 6 - host.now_us, VoteDue(period), cause=None)

    # --- relays ------------------------------------------------------------------------------------------------

    @on(Descriptor)
    def described(self, host: Host, sender: PeerId, message: Descriptor) -> None:
        """Keep the descriptor that a relay has sent, and test at once whether the relay can be reached."""
        if not (0 <= message.bandwidth < 1 << 40 and 0 <= message.uptime_s < 1 << 40):
            return
        before = self.known.pop(sender, None)
        reached_us = before.reached_us if before is not None else -1
        put_bounded(self.known, sender, Known(message, host.now_us, reached_us), RELAYS_MOST)
        self._test(host, sender)

    @on(TestDue)
    def test_all(self, host: Host, tick: TestDue) -> None:
        for relay in self.known:
            self._test(host, relay)

    @staticmethod
    def _test(host: Host, relay: PeerId) -> None:
        host.call(relay, ReachTest(), timeout_s=host.options.connect_s, cause=None)

    @on_reply(ReachTest)
    def was_reached(self, host: Host, sender: PeerId, answer: Reached | None, context: None) -> None:
        if answer is not None and sender in self.known:
            self.known[sender].reached_us = host.now_us

    def running(self, host: Host) -> dict[PeerId, Descriptor]:
        """Descriptors of relays that were reached within three quarters of an interval (45 minutes of an hour), with
        their present uptime."""
        since = host.now_us - self.interval_us(host) * 3 // 4
        return {
            peer: replace(one.descriptor, uptime_s=one.descriptor.uptime_s + (host.now_us - one.heard_us) // 1_000_000)
            for peer, one in self.known.items()
            if one.reached_us >= since
        }

    # --- votes ---------------------------------------------------------------------------------------------------

    @on(VoteDue)
    def vote(self, host: Host, tick: VoteDue) -> None:
        """Vote, and send the vote to the others. The other times of the period are planned here."""
        interval = self.interval_us(host)
        self._begin(tick.period)
        mine = Vote(tick.period, voted(self.running(host)))
        self.votes[host.me] = mine.relays
        host.multicast(self.others, mine, cause=None)
        host.after(interval // 24, FetchDue(tick.period), cause=None)
        host.after(interval // 12, ComputeDue(tick.period), cause=None)
        host.after(interval // 6, PublishDue(tick.period), cause=None)

    def _begin(self, period: int) -> None:
        if period != self.period:
            self.period, self.votes, self.signatures, self.made = period, {}, {}, None

    @on(Vote)
    def heard_vote(self, host: Host, sender: PeerId, message: Vote) -> None:
        self._count_vote(host, sender, message.period, message.relays)

    def _count_vote(self, host: Host, voter: PeerId, period: int, relays: tuple[Relay, ...]) -> None:
        """Count a vote, if it is of the period that is voted on, or of the next one, and comes in time."""
        next_period = (host.now_us + self.interval_us(host) // 6) // self.interval_us(host)
        if voter in self.others and period in (self.period, next_period) and len(relays) <= RELAYS_MOST:
            self._begin(period)
            if self.made is None:
                self.votes.setdefault(voter, relays)

    @on(FetchDue)
    def fetch(self, host: Host, tick: FetchDue) -> None:
        """Ask the others for votes that are missing."""
        if len(self.votes) <= len(self.others):
            host.multicast(self.others, WantVotes(tick.period, tuple(self.votes)), cause=None)

    @on(WantVotes)
    def wants_votes(self, host: Host, sender: PeerId, message: WantVotes) -> None:
        if message.period == self.period and sender in self.others:
            known = tuple((one, relays) for one, relays in self.votes.items() if one not in message.have)
            if known:
                host.send(sender, Votes(message.period, known), cause=None)

    @on(Votes)
    def heard_votes(self, host: Host, sender: PeerId, message: Votes) -> None:
        if sender in self.others:
            for voter, relays in message.votes[:20]:
                self._count_vote(host, voter, message.period, relays)

    @on(ComputeDue)
    def compute(self, host: Host, tick: ComputeDue) -> None:
        """Compute the consensus of all votes, sign it, and send the signature to the others."""
        if tick.period != self.period:
            return
        self.made = agreed(self.votes, len(self.others) + 1)
        mine = digest_of(tick.period, self.made)
        self.signatures[host.me] = mine
        host.multicast(self.others, Signature(tick.period, mine), cause=None)

    @on(Signature)
    def signs(self, host: Host, sender: PeerId, message: Signature) -> None:
        if sender in self.others and message.period == self.period:
            self.signatures[sender] = message.digest

    @on(PublishDue)
    def publish(self, host: Host, tick: PublishDue) -> None:
        """The consensus is valid if more than half of all authorities have signed the same one."""
        self._plan_vote(host, tick.period + 1)
        if tick.period != self.period or self.made is None:
            return
        mine = self.signatures.get(host.me)
        signed = tuple(sorted(one for one, digest in self.signatures.items() if digest == mine))
        if 2 * len(signed) > len(self.others) + 1:
            interval = self.interval_us(host)
            self.consensus = Consensus(tick.period * interval, interval, self.made, signed)
            self.missed = 0
        else:
            self.missed += 1
            host.log("no consensus", signed=len(signed), of=len(self.others) + 1, cause=None)

    @on(FetchConsensus)
    def serve(self, host: Host, sender: PeerId, message: FetchConsensus) -> None:
        """Send the consensus; not through a firewall: one that blocks the public list blocks the authorities too."""
        if self.consensus is not None and not message.walled:
            host.reply(self.consensus)

    def shown(self) -> tuple[float | str, ...]:
        return (len(self.consensus.signed) if self.consensus is not None else 0,)

    def beliefs(self) -> Beliefs:
        listed = {one.peer: one for one in (self.consensus.relays if self.consensus is not None else ())}
        known = {
            peer: Belief(one.reached_us if one.reached_us >= 0 else None, "relay", peer in listed)
            for peer, one in self.known.items()
        }
        facts = {"votes": f"{len(self.votes)} of {len(self.others) + 1}", "relays listed": str(len(listed))}
        if self.missed:
            facts["without consensus"] = f"{self.missed} times"
        return Beliefs(known, facts | {"guards listed": str(sum(one.guard for one in listed.values()))})


BRIDGES_MOST = 1_000


@dataclass(slots=True, eq=False)
class Distributor(Peer):
    """It knows all bridges. Clients of one network (/16) are told the same few of them for some hours, as by BridgeDB:
    so to find all bridges, one needs addresses in many networks, or much time.

    bridges: when the descriptor of each came, in us; times_asked: how often it was asked.
    """

    role = "bridge distributor"
    overlay = False
    shares_files = False

    bridges: dict[PeerId, int] = field(default_factory=dict)
    times_asked: int = 0

    @on(Descriptor)
    def described(self, host: Host, sender: PeerId, message: Descriptor) -> None:
        self.bridges.pop(sender, None)
        put_bounded(self.bridges, sender, host.now_us, BRIDGES_MOST)

    @on(WantBridges)
    def bridges_asked(self, host: Host, sender: PeerId, message: WantBridges) -> None:
        """Name some bridges: those after a place on the ring of all bridges that a hash of the network and of the
        period gives."""
        self.times_asked += 1
        period = host.now_us // max(1, int(host.options.bridge_period_s * 1e6))
        at = digest(host.address(sender) >> 16, period)
        ring = sorted(self.bridges)
        many = min(host.options.bridges_told, len(ring))
        host.reply(Bridges(tuple(ring[(at + step) % len(ring)] for step in range(many))))

    def beliefs(self) -> Beliefs:
        known = {one: Belief(heard, "bridge") for one, heard in self.bridges.items()}
        return Beliefs(known, {"asked": f"{self.times_asked:,} times"})


@dataclass(slots=True, eq=False)
class Website(Peer):
    """The website that is visited. It has every page, and knows the exit that asked for a page, but no peer behind
    that. `visitors`: who asked lately, and how often."""

    role = "website"
    overlay = False
    shares_files = False
    has_all = True

    visitors: dict[PeerId, int] = field(default_factory=dict)

    @on(Dial)
    def dialled(self, host: Host, sender: PeerId, message: Dial) -> None:
        host.reply(Dialled())

    @on(Get)
    def get(self, host: Host, sender: PeerId, message: Get) -> None:
        put_bounded(self.visitors, sender, self.visitors.pop(sender, 0) + 1, 200)
        host.reply(WebPage(message.text, Blob(int(host.options.page_kb * 1_000))))

    def beliefs(self) -> Beliefs:
        known = {one: Belief(None, "visitor") for one in self.visitors}
        return Beliefs(known, {"pages": f"{sum(self.visitors.values()):,}"})
