"""Named random streams of 64 bits of state.

`Stream("7/peer/12/links")` is the same stream on any machine and under any hash seed: its initial state is the BLAKE2b
hash of its name. The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014, section 5). Its state is one integer, so the streams of 100,000 peers take little memory and make small
checkpoints; a Mersenne twister has a state of 2.5 KB. Not for cryptography.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15
TO_UNIT = 1.0 / (1 << 53)


def mix(state: int) -> int:
    """The finaliser of SplitMix64: maps a 64-bit integer to 64 well-mixed bits."""
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
    return state ^ (state >> 31)


def mix_all(states: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """`mix` of each of many integers."""
    states = (states ^ (states >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    states = (states ^ (states >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return states ^ (states >> np.uint64(31))


def seed_of(name: str) -> int:
    """The initial state of the stream of this name."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little")


class Stream:
    """A named stream. Methods with names of `random.Random` have the same meaning."""

    __slots__ = ("state",)

    def __init__(self, name: str | int) -> None:
        self.state = seed_of(name) if isinstance(name, str) else name & MASK

    def __getstate__(self) -> int:
        return self.state

    def __setstate__(self, state: int) -> None:
        self.state = state

    def bits64(self) -> int:
        """The next 64 bits."""
        state = self.state = (self.state + GAMMA) & MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
        return state ^ (state >> 31)

    def getrandbits(self, bits: int) -> int:
        """Uniform in 0 .. 2 ** bits - 1."""
        value, have = 0, 0
        while have < bits:
            value |= self.bits64() << have
            have += 64
        return value & ((1 << bits) - 1)

    def bytes(self, n: int) -> bytes:
        return self.getrandbits(8 * n).to_bytes(n, "little")

    def random(self) -> float:
        """Uniform in [0, 1)."""
        # `bits64`, inlined.
        state = self.state = (self.state + GAMMA) & MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
        return ((state ^ (state >> 31)) >> 11) * TO_UNIT

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.random()

    def randrange(self, stop: int) -> int:
        """Uniform in 0..stop-1. Raises ValueError for an empty range."""
        if stop <= 0:
            raise ValueError("empty range")
        # Multiply and shift (Lemire 2019); the bias is below stop / 2**64.
        return (self.bits64() * stop) >> 64

    def choice(self, items: Sequence[T]) -> T:
        stop = len(items)
        if not stop:
            raise ValueError("empty range")
        return items[(self.bits64() * stop) >> 64]  # as `randrange`

    def sample(self, items: Sequence[T], k: int) -> list[T]:
        """Items at k distinct positions, in the order drawn. Raises ValueError if k is above their number."""
        n = len(items)
        if not 0 <= k <= n:
            raise ValueError("sample larger than population")
        if k * 4 < n:
            # Drawing positions and skipping repeats is faster than a copy of all items.
            taken: dict[int, None] = {}
            while len(taken) < k:
                taken[self.randrange(n)] = None
            return [items[i] for i in taken]
        pool = list(items)
        for i in range(k):
            j = i + self.randrange(n - i)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:k]

    def shuffle(self, items: list[Any]) -> None:
        for i in range(len(items) - 1, 0, -1):
            j = self.randrange(i + 1)
            items[i], items[j] = items[j], items[i]

    def expovariate(self, rate: float) -> float:
        """From the exponential distribution of that rate; the mean is 1 / rate."""
        return -math.log(1.0 - self.random()) / rate

    def weibullvariate(self, scale: float, shape: float) -> float:
        return scale * float((-math.log(1.0 - self.random())) ** (1.0 / shape))

    def weighted(self, cumulative: Sequence[float]) -> int:
        """An index, drawn with a probability in proportion to its weight. cumulative: running sums of the weights."""
        return min(bisect_right(cumulative, self.random() * cumulative[-1]), len(cumulative) - 1)


def cumulate(weights: Iterable[float]) -> list[float]:
    """Running sums, for `Stream.weighted`."""
    total, out = 0.0, []
    for weight in weights:
        total += weight
        out.append(total)
    return out


# Many draws from a named stream at once.
#
# A generator of a million links draws millions of values; one by one, that takes a second in Python. SplitMix64 is a
# counter with a finaliser, so numpy can compute the next `count` values together. They are the same values that
# `Stream.bits64` would return one by one. numpy.random is not used, because its streams may change between versions.

U64 = NDArray[np.uint64]


def bits(rng: Stream, count: int) -> U64:
    """The next `count` values of `rng.bits64()`, uint64 (count,). The stream advances by as many."""
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GAMMA) + np.uint64(rng.state)
    rng.state = (rng.state + count * GAMMA) & MASK
    return mix_all(z)


def below(rng: Stream, stop: int, count: int) -> NDArray[np.int64]:
    """Uniform integers in 0..stop-1, int64 (count,), for a stop below 2**32; the bias is below stop / 2**32."""
    return (((bits(rng, count) >> np.uint64(32)) * np.uint64(stop)) >> np.uint64(32)).astype(np.int64)


def units(rng: Stream, count: int) -> NDArray[np.float64]:
    """The next `count` values of `rng.random()`, float64 (count,)."""
    high: NDArray[np.float64] = (bits(rng, count) >> np.uint64(11)).astype(np.float64)
    return high * TO_UNIT


def unit_iter(rng: Stream, chunk: int = 1 << 14) -> Iterator[float]:
    """Values of `rng.random()` without end, for a loop that does not know how many it needs. The stream advances by
    whole chunks."""
    while True:
        yield from units(rng, chunk).tolist()
