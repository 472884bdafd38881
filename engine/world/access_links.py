"""The access link of each peer: how fast it sends and receives, and whether it is behind a NAT.

    none      no limit: a message takes no time for its size; the networks then pace transfers as their programs do
    saroiu    classes of links as Saroiu, Gummadi and Gribble measured them among Gnutella's users ("A Measurement Study
              of Peer-to-Peer File Sharing Systems", MMCN 2002; `CLASSES`)
    UP:DOWN   the same link for all, in kbit/s

The study publishes marginal distributions, no joint classes: 92 % of the users receive at 100 kbit/s or more, 22 % send
at 100 kbit/s or less, 8 % send at 10 Mbit/s or more, and cable or DSL of 1 to 3.5 Mbit/s is the most common. Six
classes meet all of these at once. The rest of the division, above all between 3.5 and 10 Mbit/s, is our own.

A peer's class depends on the seed and its id alone, so that the first peers of a larger swarm have the links of a
smaller one; a peer that is behind a NAT with a share of 0.3 is also behind one with 0.5. Stations (servers, indexes,
trackers) have a fast link of their own, and no NAT. The class of a peer does not change while a swarm runs; `set
capacity` multiplies the rates of all links by one factor. So a frame may treat the links as constant.

A spec of NATs (`api.NatKind`) is the share of peers that accept no connections, as 0.3, all of them port-restricted; or
the share of each kind, as "full:0.15,port:0.3,symmetric:0.1", where all other peers are open; or "usual": what the
network states (`Peer.usual_nat`), which for most networks is no NAT.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ..api import Line, NatKind
from ..commands import JITTER_MS_MAX
from ..errors import InputError, nearest, plain
from ..setup import LinkSpec
from ..sim.rng import Stream, cumulate
from .specs import whole

FORMS = ("none", "saroiu", "UP:DOWN")
KBIT_S_MAX = 1_000_000_000
STATION_KBIT_S = 1_000_000
"""1 Gbit/s in each direction."""


class LineClass(NamedTuple):
    """A class of access links: its share of the users (0 to 1), and its rates in kbit/s."""

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
"""Send at 100 kbit/s or less: modem and slow DSL, 22 %. Receive at 100 kbit/s or more: all but modems, 92 %."""


def parse(spec: str) -> tuple[LineClass, ...]:
    """The classes of a spec; no classes for "none". Raises InputError for an unknown spec and a rate out of range."""
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


NAT_KINDS = {
    "open": NatKind.OPEN,
    "full": NatKind.FULL_CONE,
    "address": NatKind.ADDRESS_RESTRICTED,
    "port": NatKind.PORT_RESTRICTED,
    "symmetric": NatKind.SYMMETRIC,
    "blocked": NatKind.UDP_BLOCKED,
}
"""The kinds of NAT as a spec names them."""
USUAL = "usual"
ROUNDING = 1e-9


def parse_nat(spec: float | str, where: str = "nat") -> tuple[tuple[NatKind, float], ...]:
    """The kinds of NAT of a spec with the share of each. Kinds with the share 0 and the open kind are left out. Empty
    for "usual". Raises InputError."""
    if isinstance(spec, str) and spec.strip() == USUAL:
        return ()
    text = str(spec) if isinstance(spec, str) else repr(spec)
    shares: dict[NatKind, float] = {}
    for each in text.split(",") if ":" in text else (f"port:{text}",):
        word, colon, share_text = each.partition(":")
        kind = NAT_KINDS.get(word.strip().lower())
        try:
            share = float(share_text)
        except ValueError:
            share = -1.0
        if not colon or (kind is not None and not 0 <= share <= 1) or kind in shares:
            raise InputError(
                f'{where} "{plain(text, 60)}" should be a share from 0 to 1, or the share of each kind such as '
                "full:0.2,port:0.3,symmetric:0.1"
            )
        if kind is None:
            raise InputError(f'{where}: no kind of NAT is called "{plain(word)}"{nearest(word.strip(), NAT_KINDS)}')
        shares[kind] = share
    if sum(shares.values()) > 1 + ROUNDING:
        raise InputError(f'{where} "{plain(text, 60)}": the shares are {sum(shares.values()):g} in sum, more than 1')
    return tuple((kind, share) for kind, share in shares.items() if share and kind is not NatKind.OPEN)


def of_network(spec: LinkSpec, usual_nat: str) -> LinkSpec:
    """The same links, in which "usual" is replaced by the kinds of NAT that the network states."""
    return spec if spec.nat != USUAL else replace(spec, nat=usual_nat or 0.0)


def _nat_of(kinds: Sequence[tuple[NatKind, float]], drawn: float) -> NatKind:
    """The kind of a peer that drew this number from 0 to 1."""
    top = 0.0
    for kind, share in kinds:
        top += share
        if drawn < top:
            return kind
    return NatKind.OPEN


def newcomer_line(spec: LinkSpec, peer: int, seed: int) -> Line:
    """The access link of a peer that joins while a swarm runs. Raises InputError as `parse` does."""
    classes = parse(spec.capacity)
    up = down = 0
    if classes:
        kind = classes[Stream(f"{seed}/capacity/{peer}").weighted(cumulate(each.share for each in classes))]
        up, down = kind.up_kbit_s, kind.down_kbit_s
    return Line(up, down, _nat_of(parse_nat(spec.nat), Stream(f"{seed}/nat/{peer}").random()))


def check(spec: LinkSpec) -> tuple[LineClass, ...]:
    """The classes of a spec. Raises InputError for an unknown capacity, and for a jitter or a share out of range."""
    classes = parse(spec.capacity)
    if not 0 <= spec.jitter_ms <= JITTER_MS_MAX:
        raise InputError(f"jitter in ms is a number from 0 to {JITTER_MS_MAX:,.0f}, not {spec.jitter_ms}")
    parse_nat(spec.nat)
    return classes


def generate(spec: LinkSpec, peers: int, stations: int, seed: int) -> list[Line]:
    """The access link of each peer, then of each station; an empty list where there is neither capacity nor NAT.

    Raises InputError as `check` does.
    """
    classes = check(spec)
    nats = parse_nat(spec.nat)
    if not classes and not nats:
        return []
    rng, nat_rng = Stream(f"{seed}/capacity"), Stream(f"{seed}/nat")
    shares = cumulate(each.share for each in classes)
    made = []
    for _ in range(peers):
        kind = classes[rng.weighted(shares)] if classes else LineClass("", 1.0, 0, 0)
        made.append(Line(kind.up_kbit_s, kind.down_kbit_s, _nat_of(nats, nat_rng.random())))
    station_rate = STATION_KBIT_S if classes else 0
    return made + [Line(station_rate, station_rate)] * stations
