"""The computer of each peer: the speed of its processor, and its memory.

Speeds are log-normal, as Heien, Kondo and Anderson fitted them to hosts of SETI@home and other projects ("A correlated
resource model of Internet end hosts", IEEE TPDS 2012). The mean of 1.87 and the standard deviation of 0.70 GFLOPS are
about those of the Whetstone speeds for the year 2010 in their earlier paper, which fits a normal distribution
("Correlated resource models of Internet end hosts", ICDCS 2011). The shares of the sizes of memory are our own, for the
same year.

A computer depends only on the seed of the run and the number of the peer. So it need not be stored, and the first peers
of a larger swarm have the computers of a smaller one.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from ..api import Machine, PeerId
from ..sim.rng import Stream, cumulate

if TYPE_CHECKING:
    from statistics import NormalDist

MEAN_GFLOPS, DEVIATION_GFLOPS = 1.87, 0.70
SLOWEST_GFLOPS = 0.1
MEMORY_MB = (512, 1_024, 2_048, 4_096, 8_192)
MEMORY_SHARES = (0.10, 0.22, 0.32, 0.26, 0.10)

_VARIANCE = math.log(1 + (DEVIATION_GFLOPS / MEAN_GFLOPS) ** 2)
_UP_TO = cumulate(MEMORY_SHARES)


@lru_cache(maxsize=1)
def _log_speed() -> NormalDist:
    from statistics import NormalDist  # few networks ask for machines

    return NormalDist(math.log(MEAN_GFLOPS) - _VARIANCE / 2, math.sqrt(_VARIANCE))


@lru_cache(maxsize=1 << 16)
def machine_of(seed: int, peer: PeerId) -> Machine:
    """The computer of a user. The speed is a multiple of 0.01 GFLOPS: the last bit of a logarithm differs between maths
    libraries, and must not change a run."""
    rng = Stream(f"{seed}/machine/{peer}")
    share = min(max(rng.random(), 1e-12), 1 - 1e-12)
    gflops = max(SLOWEST_GFLOPS, round(math.exp(_log_speed().inv_cdf(share)), 2))
    return Machine(gflops, MEMORY_MB[rng.weighted(_UP_TO)])


def station_machine() -> Machine:
    """The computer of infrastructure."""
    return Machine(100.0, 65_536)
