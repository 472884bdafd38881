"""Where peers are, and the one-way delay between any two of them.

    world            by the distance between cities
    constant:MS      the same for all pairs; fractions of a millisecond are kept, at least 1 µs
    uniform:MIN-MAX  one value for each pair, whole milliseconds, both limits included
    FILE             half of the round trips in a file (see `readers.rtt_matrix`), whole milliseconds

Except with `constant`, delays are whole milliseconds and at least 1 ms, so that many deliveries have the same time: the
kernel handles those together, which makes it fast. Peers are in cities with every model except a file, so the map works
with `constant` too.

With a file, places are rows of the matrix. Peer i is at row i, so that a swarm of as many peers as rows is the measured
one; further peers get random rows. A matrix does not say where its hosts were, and positions cannot be computed from
it: measured round trips do not fit a plane. On the map the rows are drawn at the cities of our list, one after the
other, which has no meaning.

The constants of `world`. Light in glass has 2/3 of its speed in vacuum, 200 km a millisecond. Cables do not follow
great circles, but coasts, railways and exchange points; published round trips are about 1.5 times those of a straight
fibre. Each end adds 3 ms for the access network (cable and DSL of 2002 with light load; a modem would add 60). The
median round trip between two cities of our list is then 140 ms. Public measurements agree: 142 ms between
WonderNetwork's 222 cities (2020), 135 ms between 490 PlanetLab hosts (NetLatency-Data, 2017). Our distribution has a
shorter tail (95 % below 259 ms against 312 ms), because it has no badly routed pairs.

No number is stored here for each pair: `world` is a table of cities, and `uniform` hashes (seed, lower id, higher id).
So the order of look-ups changes nothing. `sim.links` keeps the delays of pairs that have a link or have sent something.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cache
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError, plain
from ..files import looks_like_path
from ..measure.snapshot import Places
from ..sim.rng import GAMMA, MASK, Stream, cumulate, mix, mix_all, seed_of
from ..values import dataclass
from .cities import CITIES
from .specs import number, split

EARTH_KM = 6371.0
GLASS_KM_PER_MS = 299_792.458 / 1000 * 2 / 3
PATH_FACTOR = 1.5
ACCESS_MS = 3.0
"""Added at each end, one way."""
MS_MAX = 600_000.0
"""The largest delay: ten minutes."""

FORMS = {"world": "world", "constant": "constant:MS", "uniform": "uniform:MIN-MAX"}


@dataclass(slots=True)
class Latency:
    """The one-way delay between any two peers.

    kind      "world", "constant", "uniform" or "matrix"
    places    the cities, or those rows of a matrix that are in use
    place     for each peer its index into `places`
    flat_us   the delay of `constant`, else None
    table_us  delays from place to place, of `world` and of a matrix, else None
    low_ms, span, salt
              `uniform` hashes to low_ms .. low_ms + span - 1; `salt` is derived from the seed
    notes     sentences about how a file was understood
    """

    kind: str
    places: Places
    place: list[int]
    flat_us: int | None = None
    table_us: list[list[int]] | None = None
    low_ms: int = 0
    span: int = 1
    salt: int = 0
    notes: tuple[str, ...] = ()

    def newcomer_place(self, peer: int, seed: int) -> int:
        """The place of a peer that joins while a swarm runs: an index into `places`."""
        rng = Stream(f"{seed}/place/{peer}")
        if self.kind == "matrix":
            return rng.randrange(len(self.places.names))
        return rng.weighted(_CITY_SHARES)

    def pair_us(self, a: int, b: int) -> int:
        """One-way delay from a to b in microseconds. Only with a matrix may the delay from b to a be another one."""
        if self.flat_us is not None:
            return self.flat_us
        if self.table_us is not None:
            place = self.place
            return self.table_us[place[a]][place[b]]
        if a > b:
            a, b = b, a
        drawn = mix((mix((self.salt + a * GAMMA) & MASK) + b * GAMMA) & MASK)
        return (self.low_ms + (drawn * self.span >> 64)) * 1000

    def pairs_us(self, near: Sequence[Collection[int]]) -> Iterator[list[int]]:
        """For each peer, by its number, the one-way delays to the peers in its entry of `near`, in us: the values of
        `pair_us`, computed for a whole swarm in one pass."""
        if self.flat_us is not None or self.table_us is not None:
            for peer, others in enumerate(near):
                yield [self.pair_us(peer, other) for other in others]
            return
        lengths = np.fromiter(map(len, near), np.int64, len(near))
        frm = np.repeat(np.arange(len(near), dtype=np.uint64), lengths)
        to = np.fromiter(chain.from_iterable(near), np.uint64, len(frm))
        lower: NDArray[np.uint64] = np.minimum(frm, to) * np.uint64(GAMMA) + np.uint64(self.salt)
        higher: NDArray[np.uint64] = np.maximum(frm, to) * np.uint64(GAMMA)
        drawn = mix_all(mix_all(lower) + higher)
        # The upper half of a product of 128 bits; `span` has 20.
        half, low, span = np.uint64(32), drawn & np.uint64(0xFFFFFFFF), np.uint64(self.span)
        ms = ((drawn >> half) * span + (low * span >> half)) >> half
        # One object for each delay rather than one for each pair.
        us = [(self.low_ms + step) * 1000 for step in range(self.span)]
        at = 0
        found = list(map(us.__getitem__, ms.tolist()))
        for count in lengths.tolist():
            yield found[at : at + count]
            at += count


def build(spec: str, n: int, seed: int) -> Latency:
    """Build the latency model of a spec for peers 0..n-1. Raises InputError for an unknown spec, a delay out of range,
    and a file that is no matrix.

    A peer's city depends on the seed and its id alone: neither on `n` nor on the spec, unless that is a file.
    """
    path = spec.strip()
    if path.split(":")[0] not in FORMS and looks_like_path(path):
        return _from_matrix(path, n, seed)
    word, fields = split("latency", spec, FORMS)
    where = f'latency "{plain(spec)}"'
    made = Latency(word, _PLACES, _assign_cities(n, seed))
    if word == "constant":
        made.flat_us = max(1, round(number(fields[0], "MS", where, 0, MS_MAX) * 1000))
    elif word == "uniform":
        low, high = _range_ms(fields[0], where)
        made.low_ms, made.span = low, high - low + 1
        made.salt = seed_of(f"{seed}/latency")
    else:
        made.table_us = _table_us()
    return made


def distance_km(lat_a: ArrayLike, lon_a: ArrayLike, lat_b: ArrayLike, lon_b: ArrayLike) -> NDArray[np.float64]:
    """Lengths of the great circles between points given in degrees, by the haversine formula."""
    phi_a, phi_b = np.radians(lat_a), np.radians(lat_b)
    half = np.sin((phi_b - phi_a) / 2) ** 2
    half = half + np.cos(phi_a) * np.cos(phi_b) * np.sin(np.radians(np.subtract(lon_b, lon_a)) / 2) ** 2
    far: NDArray[np.float64] = 2 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(1.0, half)))
    return far


def _assign_cities(n: int, seed: int) -> list[int]:
    rng = Stream(f"{seed}/place")
    return [rng.weighted(_CITY_SHARES) for _ in range(n)]


def _from_matrix(path: str, n: int, seed: int) -> Latency:
    from .readers import rtt_matrix  # readers of files are imported where a file is read

    way_ms, notes = rtt_matrix.read(path)
    rows = len(way_ms)
    rng = Stream(f"{seed}/place")
    place = [peer if peer < rows else rng.randrange(rows) for peer in range(n)]
    # Rows without a peer are dropped: they would only make checkpoints larger.
    used = min(n, rows)
    way_ms = way_ms[:used, :used]
    # One object for each delay rather than one for each entry: a large table takes a quarter of the memory.
    us = [ms * 1000 for ms in range(int(way_ms.max(initial=0)) + 1)]
    table_us = [[us[ms] for ms in row.tolist()] for row in way_ms]
    city = np.arange(used) % len(CITIES)
    names = tuple(f"row {row}" for row in range(used))
    return Latency("matrix", Places(names, _PLACES.lat[city], _PLACES.lon[city]), place, table_us=table_us, notes=notes)


def _range_ms(text: str, where: str) -> tuple[int, int]:
    """MIN-MAX in whole milliseconds, at least 1. The split is at the last hyphen, so that "-5-10" is MIN -5."""
    first, hyphen, second = text.rpartition("-")
    if not hyphen:
        raise InputError(f"{where} should be written {FORMS['uniform']}")
    low, high = number(first, "MIN", where, 0, MS_MAX), number(second, "MAX", where, 0, MS_MAX)
    if low > high:
        raise InputError(f"{where}: MIN should not be above MAX")
    return max(1, round(low)), max(1, round(high))


@cache
def _table_us() -> list[list[int]]:
    lat, lon = (np.array([city[at] for city in CITIES]) for at in (1, 2))
    far = distance_km(lat[:, None], lon[:, None], lat, lon)
    # One computation for both directions, so that rounding cannot make them differ. The last bit of a sine depends on
    # the processor, so the value is rounded before it is rounded to milliseconds.
    far = np.tril(far) + np.tril(far, -1).T
    way_ms = np.round(far / GLASS_KM_PER_MS * PATH_FACTOR, 9)
    table: list[list[int]] = (np.maximum(1, np.rint(way_ms + 2 * ACCESS_MS)).astype(np.int64) * 1000).tolist()
    return table


_PLACES = Places(
    names=tuple(name for name, _, _, _ in CITIES),
    lat=np.array([lat for _, lat, _, _ in CITIES], dtype=np.float32),
    lon=np.array([lon for _, _, lon, _ in CITIES], dtype=np.float32),
)
_CITY_SHARES = cumulate(weight for _, _, _, weight in CITIES)
