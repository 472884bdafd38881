"""What line each peer has: how fast it sends and receives, and whether it stands behind a NAT.

    none      size takes no time on the way; the networks then pace transfers as their programs see fit
    saroiu    classes of lines as Saroiu, Gummadi and Gribble measured Gnutella's users ("A Measurement Study of
              Peer-to-Peer File Sharing Systems", MMCN 2002; `CLASSES`)
    UP:DOWN   the same line for all, in kbit/s

The study publishes marginals, not joint classes: 92 % of the users receive at 100 kbit/s or more, 22 % send at
100 kbit/s or less, 8 % send at 10 Mbit/s or more, and cable or DSL of 1 to 3.5 Mbit/s is commonest. Six classes meet
all of these at once. How the rest is cut up, between 3.5 and 10 Mbit/s above all, is ours.

A peer's class depends on the seed and its id alone, so that a bigger swarm begins with the smaller one's lines; who is
behind a NAT with a share of 0.3 is so with 0.5 too. Stations (servers, indexes, trackers) stand in a machine room:
they have a fat line of their own, and no NAT. Lines do not change while a swarm runs, but for a common factor: what
somebody subscribed to is as fixed as the city that he lives in, and a frame may rely on it.
"""

from __future__ import annotations

from typing import NamedTuple

from ..api import Line
from ..errors import InputError, nearest, plain
from ..setup import LinkSpec
from ..sim.rng import Stream, cumulate
from .specs import whole

FORMS = ("none", "saroiu", "UP:DOWN")
KBIT_S_MAX = 1_000_000_000
JITTER_MS_MAX = 600_000.0
STATION_KBIT_S = 1_000_000
"""A gigabit each way."""


class LineClass(NamedTuple):
    """A kind of line: its share of the users, and its rates in kbit/s."""

    name: str
    share: float
    up_kbit_s: int
    down_kbit_s: int


CLASSES = (
    LineClass("modem", 0.08, 34, 56),
    LineClass("slow DSL", 0.14, 96, 640),
    LineClass("DSL", 0.30, 1_000, 1_500),
    LineClass("cable", 0.30, 1_500, 3_000),
    LineClass("office", 0.10, 5_000, 5_000),
    LineClass("campus", 0.08, 44_736, 44_736),
)
"""Sends at 100 kbit/s or less: modem and slow DSL, 22 %. Receives at 100 or more: all but modems, 92 %."""


def parse(spec: str) -> tuple[LineClass, ...]:
    """The classes of a spec, none of them for "none". Raises InputError for a spec that is not understood."""
    text = spec.strip()
    if text in ("none", "saroiu"):
        return CLASSES if text == "saroiu" else ()
    up, colon, down = text.partition(":")
    where = f'capacity "{plain(spec)}"'
    if not colon:
        near = nearest(text, ("none", "saroiu"))
        meant = near if near.startswith(";") else ""
        raise InputError(f"{where} should be none, saroiu, or UP:DOWN in kbit/s such as 256:1500{meant}")
    rates = (whole(each, what, where, 1, KBIT_S_MAX) for each, what in ((up, "UP"), (down, "DOWN")))
    return (LineClass("line", 1.0, *rates),)


def newcomer(spec: LinkSpec, peer: int, seed: int) -> Line:
    """The line of a peer that comes while a swarm runs."""
    classes = parse(spec.capacity)
    up = down = 0
    if classes:
        kind = classes[Stream(f"{seed}/capacity/{peer}").weighted(cumulate(each.share for each in classes))]
        up, down = kind.up_kbit_s, kind.down_kbit_s
    return Line(up, down, Stream(f"{seed}/nat/{peer}").random() < spec.nat)


def check(spec: LinkSpec) -> tuple[LineClass, ...]:
    """The classes of lines of a spec. Raises InputError for a capacity that is not understood, a share that is none,
    and a jitter out of range."""
    classes = parse(spec.capacity)
    if not 0 <= spec.jitter_ms <= JITTER_MS_MAX:
        raise InputError(f"jitter in ms is a number from 0 to {JITTER_MS_MAX:,.0f}, not {spec.jitter_ms}")
    if not 0 <= spec.nat <= 1:
        raise InputError(f"the share of peers behind a NAT is a number from 0 to 1, not {spec.nat}")
    return classes


def draw(spec: LinkSpec, peers: int, stations: int, seed: int) -> list[Line]:
    """The line of each peer, stations after them; no lines at all where there is neither capacity nor NAT.

    Raises InputError as `check` does.
    """
    classes = check(spec)
    if not classes and not spec.nat:
        return []
    rng, walls = Stream(f"{seed}/capacity"), Stream(f"{seed}/nat")
    shares = cumulate(each.share for each in classes)
    made = []
    for _ in range(peers):
        kind = classes[rng.weighted(shares)] if classes else LineClass("", 1.0, 0, 0)
        made.append(Line(kind.up_kbit_s, kind.down_kbit_s, walls.random() < spec.nat))
    fat = STATION_KBIT_S if classes else 0
    return made + [Line(fat, fat)] * stations
