"""How long peers stay, and how long they are away.

    none                   nobody comes or goes by itself
    exponential:MEAN_S     sessions without memory
    weibull:SHAPE:SCALE_S  with SHAPE below 1: most sessions are short, a few very long

Weibull is what measurements of real networks fit: for instance shape 0.59 and scale 41.9 minutes, that is
`weibull:0.59:2514` (Stutzbach and Rejaie, "Understanding churn in peer-to-peer networks", IMC 2006). A session
ends in a kill. The time away is exponential with a quarter of the mean session, so that 80 % are up.

A run starts at equilibrium, as if churn had been going on for ever; starting everybody afresh would show a
wave of early deaths that no running network has. By renewal theory a peer that is up at a random moment is in
a session of *length-biased* law, since long sessions cover more moments, and the moment lies uniformly in it.
What remains has the density (1 - F(x)) / mean. For the exponential law that is the law itself. For a Weibull of
shape k and scale s, the biased length is s * G ** (1/k) with G drawn from Gamma(1 + 1/k): put t = (x/s) ** k into
x * f(x).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..core.rand import Stream
from ..errors import plain
from .specs import number, split

UP_SHARE = 0.8
MEAN_S_MIN = 0.1
MEAN_S_MAX = 1e9
GRAIN_S = 0.001
"""Draws are whole milliseconds and at least one: the last bit of a logarithm is not the same in all maths
libraries, and must not reach the run."""

FORMS = {"none": "none", "exponential": "exponential:MEAN_S", "weibull": "weibull:SHAPE:SCALE_S"}


@dataclass(frozen=True, slots=True)
class Churn:
    """A law of session lengths. An exponential one has shape 1 and its mean as scale, as a Weibull would."""

    shape: float
    scale_s: float

    @property
    def mean_s(self) -> float:
        """Mean session length in seconds."""
        return self.scale_s * math.gamma(1 + 1 / self.shape)

    @property
    def median_s(self) -> float:
        """Half of the sessions are shorter than that, in seconds."""
        return self.scale_s * float(math.log(2) ** (1 / self.shape))

    @property
    def mean_downtime_s(self) -> float:
        """Mean time away, in seconds, such that `UP_SHARE` of the peers are up."""
        return self.mean_s * (1 - UP_SHARE) / UP_SHARE

    def session_s(self, rng: Stream) -> float:
        """The length of a session that begins now, in seconds."""
        return _grained(rng.weibullvariate(self.scale_s, self.shape))

    def downtime_s(self, rng: Stream) -> float:
        """How long a peer that goes now stays away, in seconds."""
        return _grained(rng.expovariate(1 / self.mean_downtime_s))

    def start(self, rng: Stream) -> tuple[bool, float]:
        """A peer at t = 0: whether it is up, and the seconds until that ends, both at equilibrium."""
        if rng.random() >= UP_SHARE:
            # Time away has no memory: what remains of it is distributed as all of it.
            return False, self.downtime_s(rng)
        if self.shape == 1:
            return True, self.session_s(rng)
        biased_s = self.scale_s * gamma_variate(rng, 1 + 1 / self.shape) ** (1 / self.shape)
        return True, _grained(rng.random() * biased_s)

    def describe(self) -> str:
        """One line for a person: "weibull sessions: mean 64 min, median 22 min; away 16 min; 80 % up"."""
        law = "exponential" if self.shape == 1 else f"weibull ({self.shape:g})"
        mean, median, away = (_span(value) for value in (self.mean_s, self.median_s, self.mean_downtime_s))
        return f"{law} sessions: mean {mean}, median {median}; away {away}; {UP_SHARE:.0%} up".replace("%", " %")


def parse(spec: str) -> Churn | None:
    """The law of a spec, None for "none". Raises InputError for a spec that is not understood or out of range."""
    word, fields = split("churn", spec, FORMS)
    where = f'churn "{plain(spec)}"'
    if word == "none":
        return None
    if word == "exponential":
        return Churn(1.0, number(fields[0], "MEAN_S", where, MEAN_S_MIN, MEAN_S_MAX))
    shape = number(fields[0], "SHAPE", where, 0.1, 10)
    # A heavy tail may put the mean far above the scale, so both are held to the same limits.
    churn = Churn(shape, number(fields[1], "SCALE_S", where, 1e-6, MEAN_S_MAX))
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
