"""Where peers live, and how long a message takes between two of them.

    world            by distance between cities
    constant:MS      the same for all pairs; fractions of a millisecond are kept, at least 1 µs
    uniform:MIN-MAX  drawn once per pair, whole milliseconds, both limits included
    FILE             half of the round trips in a file (see `matrix`), whole milliseconds

Delays are one way. But for `constant` they are whole milliseconds and at least 1 ms, so that
deliveries share instants, which is what makes the kernel fast. Peers live in cities under every model: the
map works with `constant` too.

The rows of a file are its places. Peer i lives on row i, so that a swarm of as many peers is the measured one;
peers beyond the last row are drawn to rows. A matrix does not say where its hosts stood, and it could not: real
round trips fit no plane. On the map, rows stand in the cities of our list in turn, which means nothing.

The constants of `world`. Light in glass makes 2/3 of its speed in vacuum, 200 km a millisecond. Cables do not
follow great circles: they follow coasts, railways and the exchanges where carriers meet; published round trips
are about 1.5 times what the straight glass would give. Each end adds 3 ms for the way from a house to the
backbone (cable and DSL of 2002 with light load; a modem would add 60). Together they put the median round
trip between two cities of our list at 140 ms. Public measurements agree: 142 ms between WonderNetwork's 222
cities (2020), 135 ms between 490 PlanetLab hosts (NetLatency-Data, 2017). The tails are milder than theirs
(95 % below 259 ms against 312 ms), for we have no badly routed pairs.

No number is kept per pair: `world` is a table of cities, and `uniform` hashes (seed, lower id, higher id), so
that it costs no memory and the order of asking changes nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, plain
from ..files import looks_like_path
from ..measure.snapshot import Places
from ..sim.rng import GAMMA, MASK, Stream, cumulate, mix, seed_of
from .cities import CITIES
from .readers import rtt_matrix
from .specs import number, split

EARTH_KM = 6371.0
GLASS_KM_PER_MS = 299_792.458 / 1000 * 2 / 3
PATH_FACTOR = 1.5
ACCESS_MS = 3.0
"""At each end, one way."""
MS_MAX = 600_000.0
"""Ten minutes: what is slower than that is not a network."""

FORMS = {"world": "world", "constant": "constant:MS", "uniform": "uniform:MIN-MAX"}


@dataclass(slots=True)
class Latency:
    """The one-way delay between any two peers.

    kind: "world", "constant", "uniform" or "matrix". places: the cities, or the rows in use of a matrix; place: for
    each peer its index into them. flat_us: the one delay of `constant`, else None. table_us: from place to place, of
    `world` and of a matrix, else None.
    low_ms, span: `uniform` draws from low_ms .. low_ms + span - 1; salt is its part of the seed.
    notes: sentences about how a file was understood.
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

    def newcomer(self, peer: int, seed: int) -> int:
        """The place of a peer that comes while a swarm runs: a city, or a row of the matrix that is in use."""
        rng = Stream(f"{seed}/place/{peer}")
        if self.kind == "matrix":
            return rng.randrange(len(self.places.names))
        return rng.weighted(_SHARES)

    def pair_us(self, a: int, b: int) -> int:
        """One-way delay from a to b in microseconds; only a matrix may tell the two directions apart."""
        if self.flat_us is not None:
            return self.flat_us
        if self.table_us is not None:
            place = self.place
            return self.table_us[place[a]][place[b]]
        if a > b:
            a, b = b, a
        drawn = mix((mix((self.salt + a * GAMMA) & MASK) + b * GAMMA) & MASK)
        return (self.low_ms + (drawn * self.span >> 64)) * 1000


def build(spec: str, n: int, seed: int) -> Latency:
    """The latency model of a spec for peers 0..n-1. Raises InputError for a spec that is not understood.

    A peer's city depends on the seed and its id alone: neither on `n` nor on the spec, unless that is a file.
    """
    path = spec.strip()
    if path.split(":")[0] not in FORMS and looks_like_path(path):
        return _measured(path, n, seed)
    word, fields = split("latency", spec, FORMS)
    where = f'latency "{plain(spec)}"'
    made = Latency(word, _PLACES, _settle(n, seed))
    if word == "constant":
        made.flat_us = max(1, round(number(fields[0], "MS", where, 0, MS_MAX) * 1000))
    elif word == "uniform":
        low, high = _limits(fields[0], where)
        made.low_ms, made.span = low, high - low + 1
        made.salt = seed_of(f"{seed}/latency")
    else:
        made.table_us = _TABLE_US
    return made


def distance_km(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    """Along the great circle, by the haversine formula; arguments in degrees."""
    phi_a, phi_b = math.radians(lat_a), math.radians(lat_b)
    half = math.sin((phi_b - phi_a) / 2) ** 2
    half += math.cos(phi_a) * math.cos(phi_b) * math.sin(math.radians(lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


def _settle(n: int, seed: int) -> list[int]:
    rng = Stream(f"{seed}/place")
    return [rng.weighted(_SHARES) for _ in range(n)]


def _measured(path: str, n: int, seed: int) -> Latency:
    way_ms, notes = rtt_matrix.read(path)
    rows = len(way_ms)
    rng = Stream(f"{seed}/place")
    place = [peer if peer < rows else rng.randrange(rows) for peer in range(n)]
    # Rows that nobody lives on would only make checkpoints larger.
    used = min(n, rows)
    way_ms = way_ms[:used, :used]
    # One object for each delay rather than one for each entry: a large table takes a quarter of the memory.
    us = [ms * 1000 for ms in range(int(way_ms.max(initial=0)) + 1)]
    table_us = [[us[ms] for ms in row.tolist()] for row in way_ms]
    city = np.arange(used) % len(CITIES)
    names = tuple(f"row {row}" for row in range(used))
    return Latency("matrix", Places(names, _PLACES.lat[city], _PLACES.lon[city]), place, table_us=table_us, notes=notes)


def _limits(text: str, where: str) -> tuple[int, int]:
    """MIN-MAX in whole milliseconds, at least 1. The split is at the last hyphen, so that "-5-10" is MIN -5."""
    first, hyphen, second = text.rpartition("-")
    if not hyphen:
        raise InputError(f"{where} should be written {FORMS['uniform']}")
    low, high = number(first, "MIN", where, 0, MS_MAX), number(second, "MAX", where, 0, MS_MAX)
    if low > high:
        raise InputError(f"{where}: MIN should not be above MAX")
    return max(1, round(low)), max(1, round(high))


def _delay_us(a: int, b: int) -> int:
    _, lat_a, lon_a, _ = CITIES[a]
    _, lat_b, lon_b, _ = CITIES[b]
    # The last bit of a sine depends on the processor, and must not decide between two milliseconds.
    way_ms = round(distance_km(lat_a, lon_a, lat_b, lon_b) / GLASS_KM_PER_MS * PATH_FACTOR, 9)
    return max(1, round(way_ms + 2 * ACCESS_MS)) * 1000


def _table_us() -> list[list[int]]:
    table = [[0] * len(CITIES) for _ in CITIES]
    for a in range(len(CITIES)):
        for b in range(a + 1):
            # One computation for both directions: symmetry does not hang on how a sine rounds.
            table[a][b] = table[b][a] = _delay_us(a, b)
    return table


_PLACES = Places(
    names=tuple(name for name, _, _, _ in CITIES),
    lat=np.array([lat for _, lat, _, _ in CITIES], dtype=np.float32),
    lon=np.array([lon for _, _, lon, _ in CITIES], dtype=np.float32),
)
_TABLE_US = _table_us()
_SHARES = cumulate(weight for _, _, _, weight in CITIES)
