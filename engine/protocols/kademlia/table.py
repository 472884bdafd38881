"""The routing table of k-buckets (Kademlia 2.2, 2.4 and 4.1; BEP 5, "Routing Table").

Pure data: it sends nothing. The time is an argument, in microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ...api import PeerId, Rng
from ...kit import ID_BITS, Failure, failed_again, near

BACKOFF_MOST = 10
"""Failures in a row up to which the pause of a contact that does not answer grows."""


class Contact(NamedTuple):
    """A node: its identifier, and its address, which in this engine is a PeerId."""

    id: int
    peer: PeerId


@dataclass(slots=True, eq=False)
class Bucket:
    """Contacts in one range of identifiers.

    nodes      contact -> when it was last heard from, the least recently heard first
    spare      the replacement cache (4.1), as `nodes`; None while it is empty
    looked_us  when this node last looked for an identifier in the range
    checking   whether a ping of the first contact is under way
    """

    nodes: dict[Contact, int] = field(default_factory=dict)
    spare: dict[Contact, int] | None = None
    looked_us: int = 0
    checking: bool = False


@dataclass(slots=True, eq=False)
class RoutingTable:
    """The k-buckets of one node.

    Bucket i holds contacts that share exactly i leading bits with the node's own identifier, the last one all that
    share at least so many: it is the only one whose range has the own identifier, so it is split when it is full (2.4;
    BEP 5).

    failures   of nodes that have not answered their last calls: one that does not answer is left alone for a time that
               doubles with each failure (4.1); after `stale_after` in a row a newcomer takes its place
    """

    me: Contact
    buckets: list[Bucket] = field(default_factory=lambda: [Bucket()])
    failures: dict[Contact, Failure] = field(default_factory=dict)
    stale_after: int = 0

    def __len__(self) -> int:
        return sum([len(bucket.nodes) for bucket in self.buckets])

    def __contains__(self, contact: Contact) -> bool:
        return contact in self.buckets[self.index(contact.id)].nodes

    def contacts(self) -> Iterator[Contact]:
        """All contacts, those that share most bits with the own identifier last."""
        for bucket in self.buckets:
            yield from bucket.nodes

    def index(self, target: int) -> int:
        """The bucket in whose range an identifier is."""
        return min(ID_BITS - (self.me.id ^ target).bit_length(), len(self.buckets) - 1)

    # --- learning ------------------------------------------------------------------------------------------------

    def heard(self, contact: Contact, now_us: int, k: int, silent_us: int) -> Contact | None:
        """A message of a node has arrived: the node becomes the most recently heard contact, or a new one (2.2).

        Where its bucket is full and cannot be split, it takes the place of a stale contact; else it goes to the
        replacement cache. Returns the node itself if it has become a contact; or a contact that has to be pinged, since
        it is the least recently heard of a full bucket and was silent for `silent_us` (when the ping has ended, the
        caller calls `checked`, and `heard` or `failed`); or None.
        """
        buckets = self.buckets
        at = ID_BITS - (self.me.id ^ contact.id).bit_length()
        last = len(buckets) - 1
        bucket = buckets[at if at < last else last]
        nodes = bucket.nodes
        if contact in nodes:
            del nodes[contact]
            nodes[contact] = now_us
            if self.failures:
                self.failures.pop(contact, None)
            return None
        if at == ID_BITS:
            return None
        while len(nodes) >= k:
            if at < last or last == ID_BITS - 1:
                return self._full(bucket, contact, now_us, k, silent_us)
            self.split()
            last += 1
            bucket = buckets[at if at < last else last]
            nodes = bucket.nodes
        return self._insert(bucket, contact, now_us)

    def _full(self, bucket: Bucket, contact: Contact, now_us: int, k: int, silent_us: int) -> Contact | None:
        nodes = bucket.nodes
        if self.failures:
            for known in nodes:
                if known in self.failures and self.failures[known].calls >= self.stale_after:
                    self._remove(bucket, known)
                    return self._insert(bucket, contact, now_us)
        if bucket.spare is None:
            bucket.spare = {}
        bucket.spare.pop(contact, None)
        bucket.spare[contact] = now_us
        if len(bucket.spare) > k:
            del bucket.spare[next(iter(bucket.spare))]
        head, heard_us = next(iter(nodes.items()))
        if bucket.checking or now_us - heard_us < silent_us:
            return None
        bucket.checking = True
        return head

    def _insert(self, bucket: Bucket, contact: Contact, now_us: int) -> Contact | None:
        # A known identifier keeps its address as long as that answers: no other address may take its place.
        if any(known.id == contact.id for known in bucket.nodes):
            return None
        bucket.nodes[contact] = now_us
        return contact

    def split(self) -> None:
        """Divide the last bucket: contacts that share more bits than its number go to a new one."""
        at = len(self.buckets) - 1
        old = self.buckets[at]
        new = Bucket(looked_us=old.looked_us)
        bit = ID_BITS - 1 - at
        mine = self.me.id >> bit & 1
        for kept, moved in ((old.nodes, new.nodes), (old.spare, {})):
            for contact in [one for one in kept or () if one.id >> bit & 1 == mine]:
                moved[contact] = kept.pop(contact)  # type: ignore[union-attr]
            if kept is old.spare:
                new.spare, old.spare = moved or None, kept or None
        self.buckets.append(new)

    def failed(self, contact: Contact, now_us: int, wait_us: int, stale_after: int, most: int = 1_000) -> None:
        """A contact has not answered a call. It is replaced by the most recently heard of the replacement cache; where
        that is empty it stays, and is asked nothing for `wait_us`, doubled with each failure in a row (4.1).

        most: contacts whose failures are remembered.
        """
        bucket = self.buckets[self.index(contact.id)]
        if contact in bucket.nodes and bucket.spare:
            self._remove(bucket, contact)
            newest, heard_us = bucket.spare.popitem()
            bucket.spare = bucket.spare or None
            if self._insert(bucket, newest, heard_us):
                # Its place follows from when it was heard, not from when it was moved.
                bucket.nodes = dict(sorted(bucket.nodes.items(), key=lambda each: each[1]))
            return
        self.stale_after = stale_after
        failed_again(self.failures, contact, now_us, 2 * wait_us, doublings=BACKOFF_MOST - 1, most=most)

    def checked(self, contact: Contact) -> None:
        """The ping of a contact has ended."""
        self.buckets[self.index(contact.id)].checking = False

    def tidy(self, now_us: int) -> None:
        """Forget the failures of nodes that are no contacts and may be asked again."""
        for node, failure in list(self.failures.items()):
            if now_us >= failure.until_us and node not in self:
                del self.failures[node]

    def forget(self, contact: Contact) -> None:
        """Remove a contact whose address has another identifier now."""
        bucket = self.buckets[self.index(contact.id)]
        self._remove(bucket, contact)
        if bucket.spare and bucket.spare.pop(contact, None) is not None:
            bucket.spare = bucket.spare or None

    def _remove(self, bucket: Bucket, contact: Contact) -> None:
        bucket.nodes.pop(contact, None)
        self.failures.pop(contact, None)

    # --- asking --------------------------------------------------------------------------------------------------

    def closest(self, target: int, count: int, now_us: int | None = None) -> list[Contact]:
        """The `count` contacts nearest to an identifier, the nearest first.

        now_us: for a lookup of this node's own: contacts that are not to be asked now are left out. None: for an answer
        to others, which names no contact that has failed to answer.
        """
        # Ranges are nearer or farther as a whole, so a bucket is looked at only if those before it had too few. For
        # t = own identifier xor target, whose first bit is that of bucket i: bucket i; then those behind it where t has
        # a 1, in order; the last one; those where it has a 0, in the other order; at last those before i, from i on.
        buckets, failures = self.buckets, self.failures
        last = len(buckets) - 1
        t = self.me.id ^ target
        at = min(ID_BITS - t.bit_length(), last)
        by_distance = {one[0] ^ target: one for one in buckets[at].nodes}
        found = [by_distance[far] for far in sorted(by_distance)]
        if failures:
            found = [one for one in found if self._usable(one, now_us)]
        if len(found) < count:
            deeper = range(at + 1, last)
            order = [i for i in deeper if t >> (ID_BITS - 1 - i) & 1]
            if at < last:
                order.append(last)
            order += [i for i in reversed(deeper) if not t >> (ID_BITS - 1 - i) & 1]
            order += range(at - 1, -1, -1)
            for i in order:
                if not buckets[i].nodes:
                    continue
                by_distance = {one[0] ^ target: one for one in buckets[i].nodes}
                more = [by_distance[far] for far in sorted(by_distance)]
                found += [one for one in more if self._usable(one, now_us)] if failures else more
                if len(found) >= count:
                    break
        return found[:count]

    def _usable(self, contact: Contact, now_us: int | None) -> bool:
        failure = self.failures.get(contact)
        return failure is None or (now_us is not None and now_us >= failure.until_us)

    # --- refresh -------------------------------------------------------------------------------------------------

    def looked(self, target: int, now_us: int) -> None:
        """Note that this node looks for an identifier: the bucket in whose range it is needs no refresh for a while
        (2.3)."""
        self.buckets[self.index(target)].looked_us = now_us

    def due(self, now_us: int, refresh_us: int) -> list[int]:
        """Buckets in whose range this node has looked for nothing for `refresh_us`."""
        return [i for i, bucket in enumerate(self.buckets) if now_us - bucket.looked_us >= refresh_us]

    def draw(self, index: int, rng: Rng) -> int:
        """An identifier in the range of a bucket."""
        if index < len(self.buckets) - 1:
            return near(self.me.id ^ 1 << (ID_BITS - 1 - index), index + 1, rng)
        return near(self.me.id, index, rng)
