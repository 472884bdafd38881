"""What a node keeps for others: pairs of a key and a value with a time to live (Kademlia 2.3, 2.5), and tokens (BEP 5).

A value is the address of a peer that has the thing that the key names. Times are microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha1

from ...api import PeerId
from ...kit import put_bounded

TOKEN_PERIOD_US = 300_000_000
"""The secret behind the tokens changes every five minutes; a token of the last one is still good (BEP 5)."""


@dataclass(slots=True, eq=False)
class Record:
    """The record of one pair. stored_us: when a STORE of it last came; copied: it is a copy on the path of a lookup
    (2.3), which is never republished, and is replaced when a STORE that is no copy comes."""

    expires_us: int
    stored_us: int
    copied: bool = False


@dataclass(slots=True, eq=False)
class Records:
    """key -> value -> record, in the order in which they came."""

    kept: dict[int, dict[PeerId, Record]] = field(default_factory=dict)

    def store(
        self, key: int, value: PeerId, now_us: int, ttl_us: int, *, copied: bool, keys: int, values: int
    ) -> Record:
        """Keep a pair for `ttl_us`. At most `keys` keys and `values` values of each are kept: the oldest are removed.

        A copy changes nothing of a record that was stored, and never shortens the life of another copy.
        """
        under = self.kept.get(key)
        if under is None:
            put_bounded(self.kept, key, under := {}, keys)
        known = under.pop(value, None)
        if known is None or not copied:
            known = Record(now_us + ttl_us, now_us, copied)
        elif known.copied:
            known.expires_us = max(known.expires_us, now_us + ttl_us)
        put_bounded(under, value, known, values)
        return known

    def values(self, key: int, now_us: int, most: int) -> tuple[PeerId, ...]:
        """The values of a key that have not expired, those that were stored last first."""
        under = self.kept.get(key)
        if not under:
            return ()
        return tuple([value for value, record in reversed(under.items()) if record.expires_us > now_us][:most])

    def expire(self, now_us: int) -> None:
        """Remove what has expired."""
        for key, under in list(self.kept.items()):
            for value in [value for value, record in under.items() if record.expires_us <= now_us]:
                del under[value]
            if not under:
                del self.kept[key]

    def due(self, now_us: int, republish_us: int) -> list[int]:
        """Keys that have a record, not a copy, for which no STORE came for `republish_us`."""
        return [key for key, under in self.kept.items() if any(self._due(under.values(), now_us, republish_us))]

    def _due(self, records: Iterable[Record], now_us: int, republish_us: int) -> list[Record]:
        return [one for one in records if not one.copied and now_us - one.stored_us >= republish_us]

    def stored(self, key: int, now_us: int) -> list[tuple[PeerId, int]]:
        """(value, time to live left) of the records of a key that are no copies."""
        under = self.kept.get(key, {})
        return [
            (value, record.expires_us - now_us)
            for value, record in under.items()
            if not record.copied and record.expires_us > now_us
        ]

    def pairs(self) -> int:
        """How many pairs are kept, copies included."""
        return sum([len(under) for under in self.kept.values()])


def copy_ttl_us(ttl_us: int, nearer: int) -> int:
    """How long a copy on the path of a lookup lives: halved for each node known between the one that keeps it and the
    one nearest to the key ("exponentially inverse", 2.3; the base 2 is ours)."""
    return ttl_us >> min(nearer, 62)


def token(secret: int, sender: PeerId, now_us: int) -> bytes:
    """What `sender` has to show before it may store something: 8 bytes of a hash of its address and a secret."""
    return sha1(b"%d/%d/%d" % (secret, sender, now_us // TOKEN_PERIOD_US)).digest()[:8]


def good_token(shown: object, secret: int, sender: PeerId, now_us: int) -> bool:
    """Whether a token was given to this sender in the present period of five minutes or in the one before."""
    return shown in (token(secret, sender, now_us), token(secret, sender, now_us - TOKEN_PERIOD_US))
