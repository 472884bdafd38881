"""The address manager of Bitcoin Core: which addresses of other nodes a node knows.

Addresses that it was connected to are in buckets of the table `tried`, others in buckets of `new`. The bucket of an
address follows from a secret key, from the group of the address (its /16) and, in `new`, from the group of the node
that told it: so whoever owns few networks can fill few buckets. An address that falls into a full bucket takes the
place of another one, which is how a victim is eclipsed (Heilman, Kendler, Zohar and Goldberg, "Eclipse attacks on
Bitcoin's peer-to-peer network", USENIX Security 2015).

Sizes and rules are those of Bitcoin Core 0.9.3 (`addrman.h`, `addrman.cpp`) and of later versions, see `Tables`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from ...api import PeerId, Rng
from ...kit import digest

DAY_US = 86_400_000_000
HORIZON_US = 30 * DAY_US
RETRIES = 3
FAILURES_MOST, FAILURES_OVER_US = 10, 7 * DAY_US
FRESH_US = 600_000_000
"""Before 0.10.1 an address that was seen this long ago is chosen with half the chance of a fresh one."""
FAILED = tuple(accumulate([0.66] * 8, lambda chance, each: chance * each, initial=1.0))
"""Factor of the chance after 0, 1, 2 ... failed attempts. Products, since the last bit of a power differs between
machines."""
SEEN_AGAIN_US = 20 * 60_000_000
RECENT_TRY_US = 600_000_000
"""An address that was tried in the last ten minutes is chosen with a hundredth of the chance."""
FUTURE_US = 600_000_000
GETADDR_SHARE = 0.23
EVICTION_LOOKS = 4
"""Entries of a full bucket of `tried` that 0.9.3 looks at; the oldest of them is replaced."""
REPLACEMENT_US = 4 * 3_600_000_000
"""An address that was reached in the last four hours keeps its place in `tried`."""
TEST_WINDOW_US = 40 * 60_000_000
COLLISIONS_MOST = 10
LOOKS_MOST = 2_000
"""Draws from a table for one address; after so many, all that is in the table was tried a moment ago."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Sizes of the tables.

    tried, new                 buckets
    bucket                     entries of a bucket
    tried_a_group              buckets of `tried` that the addresses of one /16 can be in
    new_a_source               buckets of `new` that one source group can fill
    new_an_address             buckets of `new` that one address can be in
    getaddr                    most addresses that are told to one who asks
    one_place                  since 0.10.1 an address has one place in its bucket, `tried` and `new` are drawn from
                               alike, and it does not count how long ago an address was seen
    tested                     since 0.17 an address in `tried` is tested before another one gets its place
    """

    tried: int = 64
    new: int = 256
    bucket: int = 64
    tried_a_group: int = 4
    new_a_source: int = 32
    new_an_address: int = 4
    getaddr: int = 2_500
    one_place: bool = False
    tested: bool = False


BITCOIND_0_9_3 = Tables()
TODAY = Tables(256, 1_024, 64, 8, 64, 8, 1_000, one_place=True, tested=True)


class Address(NamedTuple):
    """Who, and its group: the first two bytes of its IPv4 address."""

    peer: PeerId
    group: int


@dataclass(slots=True)
class Entry:
    """What is known of an address. Times in us, below 0 for never."""

    address: Address
    source_group: int
    seen_us: int
    tried_us: int = -1
    success_us: int = -1
    attempts: int = 0
    in_tried: bool = False
    buckets: list[int] = field(default_factory=list)
    """Buckets of `new` that it is in."""

    def terrible(self, now_us: int) -> bool:
        """Whether it can be thrown away: not seen for a month, never reached in three tries, or not reached ten times
        within a week. One that was tried in the last minute is kept."""
        if self.tried_us >= 0 and now_us - self.tried_us < 60_000_000:
            return False
        if now_us - self.seen_us > HORIZON_US or self.seen_us > now_us + FUTURE_US:
            return True
        if self.success_us < 0 and self.attempts >= RETRIES:
            return True
        return self.attempts >= FAILURES_MOST and now_us - self.success_us > FAILURES_OVER_US

    def chance(self, now_us: int, *, fresh_first: bool) -> float:
        """Its relative chance to be chosen, 0 to 1 (`addrman.cpp`, GetChance). fresh_first: the chance is lower the
        longer ago the address was seen."""
        recent = 0.01 if self.tried_us >= 0 and now_us - self.tried_us < RECENT_TRY_US else 1.0
        fresh = FRESH_US / (FRESH_US + max(0, now_us - self.seen_us)) if fresh_first else 1.0
        return recent * fresh * FAILED[min(self.attempts, len(FAILED) - 1)]


@dataclass(slots=True)
class AddrMan:
    """The two tables of one node. `key`: its secret, 64 bits. Survives a restart (peers.dat)."""

    key: int
    tables: Tables = BITCOIND_0_9_3
    entries: dict[PeerId, Entry] = field(default_factory=dict)
    tried: dict[int, list[PeerId]] = field(default_factory=dict)
    new: dict[int, list[PeerId]] = field(default_factory=dict)
    tried_count: int = 0
    collisions: dict[PeerId, int] = field(default_factory=dict)
    """Addresses that were reached while another one had their place in `tried` -> since when they wait, in us."""

    # --- buckets ------------------------------------------------------------------------------------------------

    def tried_bucket(self, address: Address) -> int:
        """Bucket of `tried`: one of `tried_a_group` of its group."""
        within = digest(self.key, 1, address.peer) % self.tables.tried_a_group
        return digest(self.key, 2, address.group, within) % self.tables.tried

    def new_bucket(self, address: Address, source_group: int) -> int:
        """Bucket of `new`: one of `new_a_source` of the source's group."""
        within = digest(self.key, 3, address.group, source_group) % self.tables.new_a_source
        return digest(self.key, 4, source_group, within) % self.tables.new

    def _place(self, peer: PeerId, bucket: int) -> int:
        return digest(self.key, 5, bucket, peer) % self.tables.bucket

    @property
    def counts(self) -> tuple[int, int]:
        """Addresses in `tried` and in `new`."""
        return self.tried_count, len(self.entries) - self.tried_count

    # --- changes --------------------------------------------------------------------------------------------------

    def add(self, address: Address, source_group: int, seen_us: int, now_us: int, rng: Rng) -> bool:
        """Add an address to `new`, or to one more bucket of `new`. source_group: the /16 of the node that sent it;
        seen_us: when it was last seen. Returns whether it was added."""
        entry = self.entries.get(address.peer)
        if entry is not None:
            entry.seen_us = max(entry.seen_us, seen_us)
            if entry.in_tried or len(entry.buckets) >= self.tables.new_an_address:
                return False
            # Each further bucket is half as likely as the one before.
            if len(entry.buckets) and rng.randrange(1 << len(entry.buckets)):
                return False
        else:
            entry = Entry(address, source_group, seen_us)
        bucket = self.new_bucket(address, source_group)
        members = self.new.setdefault(bucket, [])
        if address.peer in members:
            return False
        if not self._make_room(members, bucket, address.peer, now_us, rng):
            return False
        self.entries[address.peer] = entry
        entry.buckets.append(bucket)
        members.append(address.peer)
        return True

    def _make_room(self, members: list[PeerId], bucket: int, peer: PeerId, now_us: int, rng: Rng) -> bool:
        """Make room for one more in a bucket of `new`, and return whether there is. 0.9.3 removes a terrible address,
        else the oldest of four drawn; later versions remove the address that has the place, if it is terrible or is in
        another bucket too."""
        if self.tables.one_place:
            place = self._place(peer, bucket)
            there = next((one for one in members if self._place(one, bucket) == place), None)
            if there is None:
                return True
            entry = self.entries[there]
            if not entry.terrible(now_us) and len(entry.buckets) < 2:
                return False
            self._leave_new(there, bucket)
            return True
        if len(members) < self.tables.bucket:
            return True
        terrible = next((one for one in members if self.entries[one].terrible(now_us)), None)
        if terrible is None:
            drawn = rng.sample(members, min(EVICTION_LOOKS, len(members)))
            terrible = min(drawn, key=lambda one: (self.entries[one].seen_us, one))
        self._leave_new(terrible, bucket)
        return True

    def _leave_new(self, peer: PeerId, bucket: int) -> None:
        self.new[bucket].remove(peer)
        entry = self.entries[peer]
        entry.buckets.remove(bucket)
        if not entry.buckets and not entry.in_tried:
            del self.entries[peer]

    def attempt(self, peer: PeerId, now_us: int) -> None:
        """A connection to an address is tried; it counts as failed until `good`."""
        entry = self.entries.get(peer)
        if entry is not None:
            entry.tried_us = now_us
            entry.attempts += 1

    def connected(self, peer: PeerId, now_us: int) -> None:
        """A node that this one has connected to is still there. Noted each twenty minutes."""
        entry = self.entries.get(peer)
        if entry is not None and now_us - entry.seen_us > SEEN_AGAIN_US:
            entry.seen_us = now_us

    def good(self, peer: PeerId, now_us: int, rng: Rng) -> None:
        """A connection to an address was made: the address moves to `tried`, and the one that it replaces back to
        `new`. Where addresses are tested (`Tables.tested`), it waits until the one that has its place was tested, see
        `resolve`."""
        entry = self.entries.get(peer)
        if entry is None:
            return
        entry.tried_us = entry.success_us = entry.seen_us = now_us
        entry.attempts = 0
        if entry.in_tried:
            return
        if self.tables.tested and self.rival(peer) is not None:
            if len(self.collisions) < COLLISIONS_MOST:
                self.collisions.setdefault(peer, now_us)
            return
        self._to_tried(entry, now_us, rng)

    def _to_tried(self, entry: Entry, now_us: int, rng: Rng) -> None:
        peer = entry.address.peer
        for bucket in entry.buckets:
            self.new[bucket].remove(peer)
        entry.buckets.clear()
        entry.in_tried = True
        self.tried_count += 1
        bucket = self.tried_bucket(entry.address)
        members = self.tried.setdefault(bucket, [])
        out = self._evicted(members, bucket, peer, rng)
        if out is not None:
            members.remove(out)
            self._back_to_new(out, now_us, rng)
        members.append(peer)

    def rival(self, peer: PeerId) -> PeerId | None:
        """Who has the place in `tried` that an address should have."""
        bucket = self.tried_bucket(self.entries[peer].address)
        place = self._place(peer, bucket)
        return next((one for one in self.tried.get(bucket, ()) if self._place(one, bucket) == place), None)

    def resolve(self, now_us: int, rng: Rng) -> PeerId | None:
        """Settle collisions: an address in `tried` that was reached within four hours keeps its place; one that was
        tried since the collision and not reached loses it, and after 40 minutes any does. Returns one that should be
        tested now, or None."""
        wanted: PeerId | None = None
        for peer, since_us in list(self.collisions.items()):
            entry = self.entries.get(peer)
            rival = self.rival(peer) if entry is not None and not entry.in_tried else None
            if entry is None or entry.in_tried:
                del self.collisions[peer]
                continue
            old = self.entries[rival] if rival is not None else None
            if old is not None and old.success_us >= 0 and now_us - old.success_us < REPLACEMENT_US:
                del self.collisions[peer]
            elif old is None or old.tried_us >= since_us or now_us - since_us > TEST_WINDOW_US:
                # A test takes some seconds to fail.
                if old is None or now_us - old.tried_us > 60_000_000:
                    del self.collisions[peer]
                    self._to_tried(entry, now_us, rng)
            else:
                wanted = rival
        return wanted

    def _evicted(self, members: list[PeerId], bucket: int, peer: PeerId, rng: Rng) -> PeerId | None:
        """Who leaves a bucket of `tried`: in 0.9.3 the oldest of four drawn from a full one, later who has the
        place."""
        if self.tables.one_place:
            place = self._place(peer, bucket)
            return next((one for one in members if self._place(one, bucket) == place), None)
        if len(members) < self.tables.bucket:
            return None
        drawn = rng.sample(members, min(EVICTION_LOOKS, len(members)))
        return min(drawn, key=lambda one: (self.entries[one].success_us, one))

    def _back_to_new(self, peer: PeerId, now_us: int, rng: Rng) -> None:
        entry = self.entries[peer]
        entry.in_tried = False
        self.tried_count -= 1
        bucket = self.new_bucket(entry.address, entry.source_group)
        members = self.new.setdefault(bucket, [])
        if self._make_room(members, bucket, peer, now_us, rng):
            members.append(peer)
            entry.buckets.append(bucket)
        else:
            del self.entries[peer]

    # --- use --------------------------------------------------------------------------------------------------------

    def select(self, outbound: int, now_us: int, rng: Rng) -> Address | None:
        """An address to connect to; None if there is none. outbound: the number of connections that the node has
        opened: in 0.9.3, the more there are, the more likely is an address of `new` (`Select_`); later both tables are
        equally likely."""
        tried, new = self.counts
        if not tried and not new:
            return None
        if self.tables.one_place:
            weight_tried, weight_new = float(tried > 0), float(new > 0)
        else:
            bias = 10 + 10 * min(8, outbound)
            weight_tried = math.sqrt(tried) * (100 - bias)
            weight_new = math.sqrt(new) * bias
        from_tried = rng.random() * (weight_tried + weight_new) < weight_tried
        return self._drawn(self.tried if from_tried else self.new, now_us, rng)

    def select_new(self, now_us: int, rng: Rng) -> Address | None:
        """An address of `new`, to be tested."""
        return self._drawn(self.new, now_us, rng) if len(self.entries) > self.tried_count else None

    def _drawn(self, table: dict[int, list[PeerId]], now_us: int, rng: Rng) -> Address | None:
        # Versions with `one_place` draw places until one is filled: so all addresses of the table are equally likely.
        filled = [members for members in table.values() if members]
        if self.tables.one_place:
            filled = [[peer for members in filled for peer in members]]
        factor, fresh_first = 1.0, not self.tables.one_place
        for _ in range(LOOKS_MOST):
            entry = self.entries[rng.choice(rng.choice(filled))]
            if rng.random() < factor * entry.chance(now_us, fresh_first=fresh_first):
                return entry.address
            factor *= 1.2
        return None

    def getaddr(self, now_us: int, rng: Rng) -> list[Address]:
        """The answer to `getaddr`: 23 % of all addresses, at most 2,500 or 1,000, drawn at random."""
        good = [entry.address for entry in self.entries.values() if not entry.terrible(now_us)]
        most = min(self.tables.getaddr, math.ceil(GETADDR_SHARE * len(self.entries)))
        return rng.sample(good, min(most, len(good)))
