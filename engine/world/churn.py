"""Session lengths, times away, and arrivals of newcomers.

Churn, how long peers stay:

    none                   no churn
    exponential:MEAN_S     memoryless sessions
    weibull:SHAPE:SCALE_S  with SHAPE below 1: most sessions are short, a few very long
    pareto:SHAPE:SCALE_S   no session below SCALE_S, and a tail that falls off as a power of the length
    redhat, debian, flatout
                           Weibull distributions that were fitted to three real networks
    FILE                   recorded sessions (see `readers.sessions`)

Arrivals, when newcomers join that were never there before:

    none                   no newcomers
    poisson:PER_S          that many a second on average, memoryless
    weibull:SHAPE:SCALE_S  the gaps between them; with SHAPE below 1 in bursts, with long pauses

Measured sessions fit Weibull distributions. The three names are BitTorrent swarms that distributed Red Hat, Debian and
FlatOut: shape 0.34, 0.38 and 0.59, scale 21.3, 42.4 and 41.9 minutes (Stutzbach and Rejaie, "Understanding churn in
peer-to-peer networks", IMC 2006), so that `flatout` is `weibull:0.59:2514`. The gaps between arrivals in these swarms
fit Weibull distributions too, of shape 0.53, 0.79 and 0.62 (same paper).

Much of the theory assumes Pareto (Leonard, Rai and Loguinov, "On lifetime-based node failure and stochastic resilience
of decentralized peer-to-peer networks", SIGMETRICS 2005): the longer a peer has been up, the longer it will stay. Its
SHAPE has to be above 1, since the mean is infinite otherwise and there is no equilibrium to start from; with a SHAPE up
to 2 the mean of the residual session is infinite, and peers that are up at the start stay longer than any newcomer.

A session ends in a kill, or in a polite leave for the share that the setup states. The time away is exponential with a
mean of a quarter of the mean session, so that 80 % of the peers are up.

A run starts at equilibrium, as if churn had been going on for ever; if all sessions began at t = 0, many peers would
leave early at once, as in no running network. By renewal theory a peer that is up at a random moment is in a session of
*length-biased* distribution, since long sessions cover more moments, and the moment is uniform within it.
The residual session has the density (1 - F(x)) / mean. For the exponential distribution that is the distribution
itself. For a Weibull of shape k and scale s, the biased length is s * G ** (1/k) with G drawn from Gamma(1 + 1/k): put
t = (x/s) ** k into x * f(x). For a Pareto of shape a it is a Pareto of shape a - 1, since x * f(x) falls off by one
power less. The age of the session has the same distribution as its residual. Arrivals start in the middle of a gap in
the same way.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from typing import NamedTuple

from ..api import PeerId
from ..errors import plain
from ..files import looks_like_path
from ..sim.rng import Stream, mix
from ..values import dataclass
from .specs import number, split

UP_SHARE = 0.8
MEAN_S_MIN = 0.1
MEAN_S_MAX = 1e9
RESOLUTION_S = 0.001
"""Draws are rounded to whole milliseconds, at least one: the last bit of a logarithm differs between maths libraries,
and must not change a run."""

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
"""Shape and scale in s of the named Weibull fits."""
ARRIVAL_FORMS = {"none": "none", "poisson": "poisson:PER_S", "weibull": "weibull:SHAPE:SCALE_S"}
PER_S_MAX = 1_000.0
GAP_S_MIN = 1 / PER_S_MAX


class InitialState(NamedTuple):
    """A peer at t = 0: whether it is up, the seconds until this changes, and the age in s of its session (0 if it is
    down)."""

    up: bool
    left_s: float
    age_s: float


@dataclass(frozen=True, slots=True)
class Churn(ABC):
    """A distribution of session lengths, or of gaps between arrivals: its shape, and its scale in seconds."""

    shape: float
    scale_s: float

    @property
    @abstractmethod
    def law(self) -> str:
        """Its name with its shape, for display: "weibull (0.59)"."""

    @property
    @abstractmethod
    def mean_s(self) -> float:
        """Mean session length in seconds."""

    @property
    @abstractmethod
    def median_s(self) -> float:
        """Median session length in seconds."""

    @property
    def mean_downtime_s(self) -> float:
        """Mean time away in seconds: such that `UP_SHARE` of the peers are up."""
        return self.mean_s * (1 - UP_SHARE) / UP_SHARE

    def session_s(self, rng: Stream) -> float:
        """Draw the length in seconds of a session that begins now."""
        return _rounded(self._length_s(rng))

    def downtime_s(self, rng: Stream) -> float:
        """Draw the time away in seconds of a peer that leaves now."""
        return _rounded(rng.expovariate(1 / self.mean_downtime_s))

    def first_s(self, rng: Stream) -> float:
        """Draw the residual in seconds of the session or gap that is under way at t = 0."""
        return _rounded(self._residual_and_age_s(rng)[0])

    def start(self, rng: Stream) -> InitialState:
        """Draw the state of a peer at t = 0, at equilibrium."""
        if rng.random() >= UP_SHARE:
            # Time away is memoryless: its residual has the same distribution as the whole.
            return InitialState(False, self.downtime_s(rng), 0.0)
        left_s, age_s = self._residual_and_age_s(rng)
        return InitialState(True, _rounded(left_s), _rounded(age_s))

    def describe(self) -> str:
        """One line for display: "weibull (0.59) sessions: mean 64 min, median 22 min; away 16 min; 80 % up"."""
        mean, median, away = (_duration(value) for value in (self.mean_s, self.median_s, self.mean_downtime_s))
        return f"{self.law} sessions: mean {mean}, median {median}; away {away}; {UP_SHARE:.0%} up".replace("%", " %")

    @abstractmethod
    def _length_s(self, rng: Stream) -> float:
        """Draw a session length in seconds, not rounded."""

    @abstractmethod
    def _length_biased_s(self, rng: Stream) -> float:
        """Draw the length in seconds of the session that is under way at a random moment."""

    def _residual_and_age_s(self, rng: Stream) -> tuple[float, float]:
        """Draw the residual and the age, in seconds, of the session that is under way at a random moment."""
        share = rng.random()
        length_s = self._length_biased_s(rng)
        return share * length_s, (1 - share) * length_s


class Weibull(Churn):
    """F(x) = 1 - exp(-(x / scale) ** shape). The exponential distribution has shape 1 and its mean as scale."""

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

    def _length_biased_s(self, rng: Stream) -> float:
        return self.scale_s * float(gamma_variate(rng, 1 + 1 / self.shape) ** (1 / self.shape))

    def _residual_and_age_s(self, rng: Stream) -> tuple[float, float]:
        if self.shape != 1:
            return super()._residual_and_age_s(rng)
        # An exponential session is memoryless: residual and age are independent, and both have the distribution of a
        # whole session. The age is drawn from another stream, which follows from the state of this one.
        branch = Stream(mix(rng.state))
        return self._length_s(rng), self._length_s(branch)


class Pareto(Churn):
    """F(x) = 1 - (scale / x) ** shape for x >= scale; shape is above 1."""

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
        return self.scale_s * _pareto_variate(rng, self.shape)

    def _length_biased_s(self, rng: Stream) -> float:
        return self.scale_s * _pareto_variate(rng, self.shape - 1)


def parse(spec: str) -> Churn | None:
    """The distribution of a spec of churn, None for "none". A file of sessions is read by `readers.sessions`.

    Raises InputError for an unknown spec or a field out of range.
    """
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
    # With a heavy tail the mean may be far above the scale, so both have limits.
    churn: Churn = law(shape, number(fields[1], "SCALE_S", where, 1e-6, MEAN_S_MAX))
    number(f"{churn.mean_s:g}", "the mean session in seconds", where, MEAN_S_MIN, MEAN_S_MAX)
    return churn


def parse_arrivals(spec: str) -> Churn | None:
    """The distribution of the gaps of a spec of arrivals, None for "none".

    Raises InputError for an unknown spec or a field out of range.
    """
    word, fields = split("arrivals", spec, ARRIVAL_FORMS)
    where = f'arrivals "{plain(spec)}"'
    if word == "none":
        return None
    if word == "poisson":
        return Weibull(1.0, 1 / number(fields[0], "PER_S", where, 1 / MEAN_S_MAX, PER_S_MAX))
    gaps = Weibull(number(fields[0], "SHAPE", where, 0.1, 10.0), number(fields[1], "SCALE_S", where, 1e-6, MEAN_S_MAX))
    number(f"{gaps.mean_s:g}", "the mean gap in seconds", where, GAP_S_MIN, MEAN_S_MAX)
    return gaps


@dataclass(frozen=True, slots=True)
class SessionTrace:
    """Sessions of each peer that the file names, in order: when they begin and when they end, in µs of virtual time."""

    begins_us: dict[PeerId, list[int]]
    ends_us: dict[PeerId, list[int]]
    notes: tuple[str, ...] = ()
    """Sentences about how the file was understood."""

    def up(self, peer: PeerId, at_us: int) -> bool:
        """Whether a peer is up at a moment. A peer that is not in the trace always is."""
        if peer not in self.begins_us:
            return True
        return bisect_right(self.begins_us[peer], at_us) > bisect_right(self.ends_us[peer], at_us)

    def since_us(self, peer: PeerId, at_us: int) -> int:
        """Start of the session that is under way at a moment; `at_us` where there is none."""
        if peer not in self.begins_us or not self.up(peer, at_us):
            return at_us
        return self.begins_us[peer][bisect_right(self.begins_us[peer], at_us) - 1]

    def stay_us(self, peer: PeerId, at_us: int) -> int | None:
        """Time from a moment to the end of the present or next session of a peer; None if there is no end."""
        ends = self.ends_us.get(peer, [])
        at = bisect_right(ends, at_us)
        return ends[at] - at_us if at < len(ends) else None

    def away_us(self, peer: PeerId, at_us: int) -> int | None:
        """Time from a moment to the beginning of the next session of a peer; None if there is none."""
        begins = self.begins_us.get(peer, [])
        at = bisect_left(begins, at_us)
        return begins[at] - at_us if at < len(begins) else None


def is_trace(spec: str) -> bool:
    """Whether a spec of churn is the name of a file: it looks like a path, or a file of that name exists."""
    path = spec.strip()
    return path.split(":")[0] not in FORMS and looks_like_path(path)


def gamma_variate(rng: Stream, shape: float) -> float:
    """Draw from Gamma(shape, 1) for a shape of at least 1.

    Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26:3 (2000): the cube of a normal
    draw, of which a few per cent are rejected.
    """
    d = shape - 1 / 3
    c = 1 / math.sqrt(9 * d)
    while True:
        x = _normal(rng)
        v = (1 + c * x) ** 3
        if v > 0 and math.log(1 - rng.random()) < x * x / 2 + d - d * v + d * math.log(v):
            return d * v


def _pareto_variate(rng: Stream, shape: float) -> float:
    """Draw from the Pareto distribution of that shape and scale 1, limited to e ** 600 so that a float can hold it."""
    return math.exp(min(600.0, -math.log(1 - rng.random()) / shape))


def _normal(rng: Stream) -> float:
    """Draw from the standard normal distribution by Box and Muller. The second value is dropped, since a stream has no
    place to keep it."""
    return math.sqrt(-2 * math.log(1 - rng.random())) * math.cos(2 * math.pi * rng.random())


def _rounded(seconds: float) -> float:
    return max(RESOLUTION_S, round(seconds, 3))


def _duration(seconds: float) -> str:
    """A duration as text in a suitable unit."""
    for unit_s, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.3g} {unit}"
    return f"{seconds:.3g} s"
