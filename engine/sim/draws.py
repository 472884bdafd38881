"""Many draws from a named stream at once.

A generator of a million links asks for millions of random bits; one at a time they cost a second in Python.
SplitMix64 is a counter with a finaliser, so numpy can work the next `count` values out in one go, and they
are *the same values* that `Stream.bits64` would have given one by one. numpy.random is no help here: its
streams may change with its version, and a seed is a promise.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .rng import GAMMA, MASK, TO_UNIT, Stream

U64 = NDArray[np.uint64]


def bits(rng: Stream, count: int) -> U64:
    """The next `count` values of `rng.bits64()`; the stream moves on by as many."""
    z = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GAMMA) + np.uint64(rng.state)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    rng.state = (rng.state + count * GAMMA) & MASK
    return z ^ (z >> np.uint64(31))


def below(rng: Stream, stop: int, count: int) -> NDArray[np.int64]:
    """Uniform integers in 0..stop-1, for a stop below 2**32; their bias is below stop / 2**32."""
    return (((bits(rng, count) >> np.uint64(32)) * np.uint64(stop)) >> np.uint64(32)).astype(np.int64)


def units(rng: Stream, count: int) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1): the next `count` values of `rng.random()`."""
    high: NDArray[np.float64] = (bits(rng, count) >> np.uint64(11)).astype(np.float64)
    return high * TO_UNIT


def unit_iter(rng: Stream, chunk: int = 1 << 14) -> Iterator[float]:
    """Endless uniform numbers, for a loop that cannot say beforehand how many it needs."""
    while True:
        yield from units(rng, chunk).tolist()
