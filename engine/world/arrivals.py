"""When newcomers come: peers that were never there before.

    none                   nobody new
    poisson:PER_S          so many a second on average, without memory
    weibull:SHAPE:SCALE_S  with SHAPE below 1: in bursts, with long pauses between them

The gaps that were measured fit Weibull laws too: shape 0.53, 0.79 and 0.62 for the three swarms whose sessions go by a
name (Stutzbach and Rejaie, "Understanding churn in peer-to-peer networks", IMC 2006). A run begins in the midst of a
gap, as it begins in the midst of sessions.
"""

from __future__ import annotations

from ..errors import plain
from .churn import MEAN_S_MAX, Churn, Weibull
from .specs import number, split

FORMS = {"none": "none", "poisson": "poisson:PER_S", "weibull": "weibull:SHAPE:SCALE_S"}
PER_S_MAX = 1_000.0
GAP_S_MIN = 1 / PER_S_MAX


def parse(spec: str) -> Churn | None:
    """The law of the gaps, None for "none". Raises InputError for a spec that is not understood or out of range."""
    word, fields = split("arrivals", spec, FORMS)
    where = f'arrivals "{plain(spec)}"'
    if word == "none":
        return None
    if word == "poisson":
        return Weibull(1.0, 1 / number(fields[0], "PER_S", where, 1 / MEAN_S_MAX, PER_S_MAX))
    gaps = Weibull(number(fields[0], "SHAPE", where, 0.1, 10.0), number(fields[1], "SCALE_S", where, 1e-6, MEAN_S_MAX))
    number(f"{gaps.mean_s:g}", "the mean gap in seconds", where, GAP_S_MIN, MEAN_S_MAX)
    return gaps
