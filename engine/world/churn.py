"""How long peers stay, and how long they are away.

    none                   nobody comes or goes by itself
    exponential:MEAN_S     sessions without memory
    weibull:SHAPE:SCALE_S  with SHAPE below 1: most sessions are short, a few very long
    pareto:SHAPE:SCALE_S   none below SCALE_S, and a tail that falls off as a power of the length
    redhat, debian, flatout
                           Weibull laws that were fitted to three real networks
    FILE                   sessions that were recorded (see `sessions`)

Weibull is what measurements of real networks fit. The three that go by a name are those of BitTorrent swarms that
fetched Red Hat, Debian and FlatOut: shape 0.34, 0.38 and 0.59, scale 21.3, 42.4 and 41.9 minutes (Stutzbach and
Rejaie, "Understanding churn in peer-to-peer networks", IMC 2006), so that `flatout` is `weibull:0.59:2514`. Pareto is
what much of the theory assumes (Leonard, Rai and Loguinov, "On lifetime-based node failure and stochastic resilience
of decentralized peer-to-peer networks", SIGMETRICS 2005): the longer a peer has been up, the longer it will stay. Its
SHAPE is above 1, since the mean is infinite otherwise and there is no equilibrium to start from; up to 2 the mean
of what remains is infinite even so, and the peers that are up at the start outlast any newcomers.

A session ends in a kill, or in a polite leave for as large a share as the setup says. The time away is exponential
with a quarter of the mean session, so that 80 % are up.

A run starts at equilibrium, as if churn had been going on for ever; starting everybody afresh would show a
wave of early deaths that no running network has. By renewal theory a peer that is up at a random moment is in
a session of *length-biased* law, since long sessions cover more moments, and the moment lies uniformly in it.
What remains has the density (1 - F(x)) / mean. For the exponential law that is the law itself. For a Weibull of
shape k and scale s, the biased length is s * G ** (1/k) with G drawn from Gamma(1 + 1/k): put t = (x/s) ** k into
x * f(x). For a Pareto law of shape a it is a Pareto law of shape a - 1, since x * f(x) falls off by one power less.
How old that session is by then has the same law as what remains of it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import plain
from ..sim.rng import Stream, mix
from .specs import number, split

UP_SHARE = 0.8
MEAN_S_MIN = 0.1
MEAN_S_MAX = 1e9
GRAIN_S = 0.001
"""Draws are whole milliseconds and at least one: the last bit of a logarithm is not the same in all maths
libraries, and must not reach the run."""

FORMS = {
    "none": "none",
    "exponential": "exponential:MEAN_S",
    "weibull": "weibull:SHAPE:SCALE_S",
    "pareto": "pareto:SHAPE:SCALE_S",
    "redhat": "redhat",
    "debian": "debian",
    "flatout": "flatout",
}
FITS = {"redhat": (0.34, 1278.0), "debian": (0.38, 2544.0), "flatout": (0.59, 2514.0)}
"""Shape and scale in s of the fits that go by a name."""


class Start(NamedTuple):
    """A peer at t = 0: whether it is up, the seconds until that ends, and how long it has been up (0 if it is not)."""

    up: bool
    left_s: float
    age_s: float


@dataclass(frozen=True, slots=True)
class Churn(ABC):
    """A law of session lengths: its shape, and its scale in seconds."""

    shape: float
    scale_s: float

    @property
    @abstractmethod
    def law(self) -> str:
        """Its name for a person: "weibull (0.59)"."""

    @property
    @abstractmethod
    def mean_s(self) -> float:
        """Mean session length in seconds."""

    @property
    @abstractmethod
    def median_s(self) -> float:
        """Half of the sessions are shorter than that, in seconds."""

    @property
    def mean_downtime_s(self) -> float:
        """Mean time away, in seconds, such that `UP_SHARE` of the peers are up."""
        return self.mean_s * (1 - UP_SHARE) / UP_SHARE

    def session_s(self, rng: Stream) -> float:
        """The length of a session that begins now, in seconds."""
        return _grained(self._length_s(rng))

    def downtime_s(self, rng: Stream) -> float:
        """How long a peer that goes now stays away, in seconds."""
        return _grained(rng.expovariate(1 / self.mean_downtime_s))

    def first_s(self, rng: Stream) -> float:
        """What remains of the one that is under way when a run begins, in seconds."""
        return _grained(self._parts_s(rng)[0])

    def start(self, rng: Stream) -> Start:
        """A peer at t = 0, at equilibrium."""
        if rng.random() >= UP_SHARE:
            # Time away has no memory: what remains of it is distributed as all of it.
            return Start(False, self.downtime_s(rng), 0.0)
        left_s, age_s = self._parts_s(rng)
        return Start(True, _grained(left_s), _grained(age_s))

    def describe(self) -> str:
        """One line for a person: "weibull (0.59) sessions: mean 64 min, median 22 min; away 16 min; 80 % up"."""
        mean, median, away = (_span(value) for value in (self.mean_s, self.median_s, self.mean_downtime_s))
        return f"{self.law} sessions: mean {mean}, median {median}; away {away}; {UP_SHARE:.0%} up".replace("%", " %")

    @abstractmethod
    def _length_s(self, rng: Stream) -> float:
        """A session length, in seconds."""

    @abstractmethod
    def _biased_s(self, rng: Stream) -> float:
        """The length of the session that a random moment falls into, in seconds."""

    def _parts_s(self, rng: Stream) -> tuple[float, float]:
        """What a random moment leaves of the session that it falls into, and what is behind it, in seconds."""
        share = rng.random()
        length_s = self._biased_s(rng)
        return share * length_s, (1 - share) * length_s


class Weibull(Churn):
    """F(x) = 1 - exp(-(x / scale) ** shape). An exponential law has shape 1 and its mean as scale."""

    __slots__ = ()

    @property
    def law(self) -> str:
        return "exponential" if self.shape == 1 else f"weibull ({self.shape:g})"

    @property
    def mean_s(self) -> float:
        return self.scale_s * math.gamma(1 + 1 / self.shape)

    @property
    def median_s(self) -> float:
        return self.scale_s * float(math.log(2) ** (1 / self.shape))

    def _length_s(self, rng: Stream) -> float:
        return rng.weibullvariate(self.scale_s, self.shape)

    def _biased_s(self, rng: Stream) -> float:
        return self.scale_s * float(gamma_variate(rng, 1 + 1 / self.shape) ** (1 / self.shape))

    def _parts_s(self, rng: Stream) -> tuple[float, float]:
        if self.shape != 1:
            return super()._parts_s(rng)
        # Without memory, what remains is distributed as all of it, and so is what was, independently: that is drawn
        # from a branch of the stream.
        branch = Stream(mix(rng.state))
        return self._length_s(rng), self._length_s(branch)


class Pareto(Churn):
    """F(x) = 1 - (scale / x) ** shape from `scale` on; shape is above 1."""

    __slots__ = ()

    @property
    def law(self) -> str:
        return f"pareto ({self.shape:g})"

    @property
    def mean_s(self) -> float:
        return self.scale_s * self.shape / (self.shape - 1)

    @property
    def median_s(self) -> float:
        return self.scale_s * float(2 ** (1 / self.shape))

    def _length_s(self, rng: Stream) -> float:
        return self.scale_s * _power_tail(rng, self.shape)

    def _biased_s(self, rng: Stream) -> float:
        return self.scale_s * _power_tail(rng, self.shape - 1)


def parse(spec: str) -> Churn | None:
    """The law of a spec, None for "none". Raises InputError for a spec that is not understood or out of range."""
    word, fields = split("churn", spec, FORMS)
    where = f'churn "{plain(spec)}"'
    if word == "none":
        return None
    if word == "exponential":
        return Weibull(1.0, number(fields[0], "MEAN_S", where, MEAN_S_MIN, MEAN_S_MAX))
    if word in FITS:
        return Weibull(*FITS[word])
    law, low, high = (Pareto, 1.01, 100.0) if word == "pareto" else (Weibull, 0.1, 10.0)
    shape = number(fields[0], "SHAPE", where, low, high)
    # A heavy tail may put the mean far above the scale, so both are held to the same limits.
    churn: Churn = law(shape, number(fields[1], "SCALE_S", where, 1e-6, MEAN_S_MAX))
    number(f"{churn.mean_s:g}", "the mean session in seconds", where, MEAN_S_MIN, MEAN_S_MAX)
    return churn


def gamma_variate(rng: Stream, shape: float) -> float:
    """A draw from Gamma(shape, 1) for a shape of at least 1.

    Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26:3 (2000): cube a normal
    draw and reject a few per cent.
    """
    d = shape - 1 / 3
    c = 1 / math.sqrt(9 * d)
    while True:
        x = _normal(rng)
        v = (1 + c * x) ** 3
        if v > 0 and math.log(1 - rng.random()) < x * x / 2 + d - d * v + d * math.log(v):
            return d * v


def _power_tail(rng: Stream, shape: float) -> float:
    """A draw from the Pareto law of that shape and scale 1.

    A shape near 0 reaches beyond what a float can hold; that is cut at e ** 600, which nobody will sit through.
    """
    return math.exp(min(600.0, -math.log(1 - rng.random()) / shape))


def _normal(rng: Stream) -> float:
    """Standard normal, by Box and Muller; the second value is not kept, for a stream is all state there is."""
    return math.sqrt(-2 * math.log(1 - rng.random())) * math.cos(2 * math.pi * rng.random())


def _grained(seconds: float) -> float:
    return max(GRAIN_S, round(seconds, 3))


def _span(seconds: float) -> str:
    """A length of time in the unit a person would use."""
    for unit_s, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.3g} {unit}"
    return f"{seconds:.3g} s"


# When newcomers come: peers that were never there before.
#
#     none                   nobody new
#     poisson:PER_S          so many a second on average, without memory
#     weibull:SHAPE:SCALE_S  with SHAPE below 1: in bursts, with long pauses between them
#
# The gaps that were measured fit Weibull laws too: shape 0.53, 0.79 and 0.62 for the three swarms whose sessions go by
# a name (Stutzbach and Rejaie, "Understanding churn in peer-to-peer networks", IMC 2006). A run begins in the midst of
# a gap, as it begins in the midst of sessions.

ARRIVAL_FORMS = {"none": "none", "poisson": "poisson:PER_S", "weibull": "weibull:SHAPE:SCALE_S"}
PER_S_MAX = 1_000.0
GAP_S_MIN = 1 / PER_S_MAX


def parse_arrivals(spec: str) -> Churn | None:
    """The law of the gaps, None for "none". Raises InputError for a spec that is not understood or out of range."""
    word, fields = split("arrivals", spec, ARRIVAL_FORMS)
    where = f'arrivals "{plain(spec)}"'
    if word == "none":
        return None
    if word == "poisson":
        return Weibull(1.0, 1 / number(fields[0], "PER_S", where, 1 / MEAN_S_MAX, PER_S_MAX))
    gaps = Weibull(number(fields[0], "SHAPE", where, 0.1, 10.0), number(fields[1], "SCALE_S", where, 1e-6, MEAN_S_MAX))
    number(f"{gaps.mean_s:g}", "the mean gap in seconds", where, GAP_S_MIN, MEAN_S_MAX)
    return gaps
