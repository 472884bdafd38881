"""What the colour of a peer means: its state, role or load, what the selected peer believes of it, when it was last
heard, or whether it was asked and answered the selected ask.

A colouring is a short list of *looks*, and for each peer the index of one of them. A look has a shape as well as an
ink, so a colouring can be read without colours. Dead peers and those that left have the same looks in all colourings: a
peer that is gone has no load, and must not look like one that is idle. Looks are in the order of importance; where
peers share a cell, the most important look is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine import ALIVE, DEAD, LEFT, Beliefs, PeerId, Shown, ShownColumn, Snapshot, Trace, dataclass

from .chart import si
from .rounding import rounded
from .styles import GLYPHS, HEAT, INK, LEVELS, STEPS, Mode

U8: TypeAlias = NDArray[np.uint8]
ColourBy: TypeAlias = str
"""One of COLOURS, or the name of a column that the network shows."""
COLOURS: tuple[ColourBy, ...] = ("state", "role", "load", "belief", "heard", "answer")
ABOUT: dict[ColourBy, str] = {
    "state": "Alive, dead, censored, colluding, poisoned; and the peers that the chosen ask reached.",
    "role": "The role of each peer in its network.",
    "load": "Messages delivered to each in the last second.",
    "belief": "What the selected peer knows of the others, and which beliefs are wrong.",
    "heard": "How long ago a message of each last arrived anywhere.",
    "answer": "The chosen ask: which peers were asked, after how many hops, and which answered.",
}


def colourings(snapshot: Snapshot) -> dict[ColourBy, str]:
    """All that peers of this network can be coloured by, and what each is."""
    return ABOUT | {one.name: f"{one.about[:1].upper()}{one.about[1:]}." for one in snapshot.fixed.shows}


STALE_US = 30_000_000
"""A belief about a peer not heard from for longer than this is stale."""
HEARD_S = (1.0, 5.0, 20.0, 60.0)
"""Limits of the steps of "last heard", the brightest first."""


@dataclass(frozen=True, slots=True)
class Look:
    """shape: the name of a glyph, or the number of a level as text; counted: where many share a cell, the glyph's size
    shows how many."""

    name: str
    word: str
    shape: str
    ink: int
    counted: bool = False

    def glyph(self, mode: Mode) -> str:
        """Its character."""
        return LEVELS[mode][int(self.shape)] if self.shape.isdigit() else str(getattr(GLYPHS[mode], self.shape))


@dataclass(frozen=True, slots=True)
class Colouring:
    """looks: by rising importance; of: index into looks (N,); ends: words at both ends of the gradient, if it has one;
    kept: looks that are drawn even where most peers of the cell have another; always: looks that the legend names even
    where no peer has them."""

    by: ColourBy
    title: str
    looks: tuple[Look, ...]
    of: U8
    ends: tuple[str, str] | None = None
    kept: tuple[int, ...] = ()
    always: tuple[str, ...] = ()

    def codes(self, mode: Mode) -> NDArray[np.uint32]:
        """Code point of each look."""
        return np.array([ord(look.glyph(mode)) for look in self.looks], np.uint32)

    @property
    def inks(self) -> U8:
        """Ink of each look."""
        return np.array([look.ink for look in self.looks], np.uint8)


# --- state ---

STATE: tuple[Look, ...] = (
    Look("left", "left", "left", INK["left"]),
    Look("dead", "dead", "dead", INK["dead"]),
    Look("alive", "alive", "alive", INK["alive"], counted=True),
    Look("censored", "censored", "censored", INK["censored"]),
    Look("colluding", "colluding", "colluding", INK["colluding"]),
    Look("poisoned", "poisoned", "poisoned", INK["poisoned"]),
    Look("held", "held", "held", INK["held"]),
    Look("infrastructure", "server", "infrastructure", INK["infrastructure"]),
    Look("asked", "asked", "asked", INK["asked"], counted=True),
    Look("keeper", "keeps a record", "keeper", INK["keeper"]),
    Look("answerer", "named it", "answerer", INK["answerer"]),
    Look("answered", "has it", "hit", INK["answered"]),
    Look("origin", "asker", "origin", INK["origin"]),
)
LOOKS = tuple(look.name for look in STATE)
LOOK = {name: number for number, name in enumerate(LOOKS)}
KEPT = tuple(LOOK[name] for name in ("infrastructure", "keeper", "answerer", "answered", "origin"))
GONE = STATE[:2]


def looks_of(snapshot: Snapshot, trace: Trace | None, keepers: Sequence[PeerId] = ()) -> U8:
    """What each peer is shown as by its state: an index into LOOKS (N,). A dead peer is shown as dead even where the
    ask reached it. keepers: peers that keep a record of what the ask is about."""
    n = len(snapshot.state)
    looks = np.full(n, LOOK["alive"], np.uint8)
    if trace is not None:
        looks[: len(trace.hop)][trace.hop[:n] > 0] = LOOK["asked"]
        for those, name in ((keepers, "keeper"), (trace.answerers, "answerer")):
            if len(those):
                looks[np.asarray(those, np.int64)] = LOOK[name]
    looks[snapshot.fixed.infrastructure] = LOOK["infrastructure"]
    if trace is not None:
        if len(trace.holders):
            looks[np.asarray(trace.holders, np.int64)] = LOOK["answered"]
        looks[trace.origin] = LOOK["origin"]
    if len(snapshot.held):
        looks[: len(snapshot.held)][snapshot.held[:n]] = LOOK["held"]
    looks[snapshot.poisoned] = LOOK["poisoned"]
    looks[snapshot.colluding] = LOOK["colluding"]
    looks[snapshot.censored] = LOOK["censored"]
    looks[snapshot.state == DEAD] = LOOK["dead"]
    looks[snapshot.state == LEFT] = LOOK["left"]
    return looks


def by_state(snapshot: Snapshot, trace: Trace | None, keepers: Sequence[PeerId] = ()) -> Colouring:
    """The colouring at the start."""
    return Colouring("state", "state", STATE, looks_of(snapshot, trace, keepers), kept=KEPT, always=("alive", "dead"))


# --- the others ---


def colouring(
    by: ColourBy,
    snapshot: Snapshot,
    trace: Trace | None = None,
    selected: int | None = None,
    held: Beliefs | None = None,
    keepers: Sequence[PeerId] = (),
) -> Colouring:
    """Colour the peers of a snapshot; trace: of the chosen ask; held: what the selected peer believes; keepers: who
    keeps a record of what the chosen ask is about."""
    if by in snapshot.shown:
        return by_column(snapshot, snapshot.shown[by])
    if by == "role":
        return by_category(snapshot, "role", snapshot.role, snapshot.roles)
    if by == "load":
        return _by_load(snapshot)
    if by == "belief":
        return _by_belief(snapshot, selected, held)
    if by == "heard":
        return _by_heard(snapshot)
    if by == "answer":
        return _by_answer(snapshot, trace, keepers)
    return by_state(snapshot, trace, keepers)


def _gone(snapshot: Snapshot, of: U8) -> U8:
    """Left and dead, the first two looks of every colouring."""
    of[snapshot.state == LEFT] = 0
    of[snapshot.state == DEAD] = 1
    return of


def _ramp(first: int = 0) -> tuple[Look, ...]:
    """The steps of a gradient, from little to much."""
    return tuple(Look(f"heat-{step}", "", str(step), HEAT[step], counted=True) for step in range(first, STEPS))


def _by_load(snapshot: Snapshot) -> Colouring:
    """Logarithmic, as loads are: one peer in a hundred may carry half of the messages."""
    most = float(snapshot.load.max(initial=0.0))
    # In double precision: in single precision the steps would depend on the seventh digit.
    share = rounded(np.log1p(snapshot.load.astype(np.float64)) / math.log1p(max(most, 1.0)))
    of = (2 + np.clip(np.round(share * (STEPS - 1)), 0, STEPS - 1)).astype(np.uint8)
    return Colouring("load", "load, messages/s", (*GONE, *_ramp()), _gone(snapshot, of), ends=("0", f"{most:,.0f}"))


def _by_heard(snapshot: Snapshot) -> Colouring:
    """The more recent, the brighter; a peer that was never heard is a small dot."""
    age_s = (snapshot.now_us - snapshot.last_heard_us) / 1e6
    step = STEPS - 1 - np.searchsorted(HEARD_S, age_s, side="left")
    of = np.where(snapshot.last_heard_us < 0, 2, 3 + step).astype(np.uint8)
    never = Look("never", "never", "upkeep", INK["unknown"], counted=True)
    ends = (f"> {HEARD_S[-1]:.0f} s", f"< {HEARD_S[0]:.0f} s")
    return Colouring("heard", "last heard", (*GONE, never, *_ramp()), _gone(snapshot, of), ends=ends)


# --- what a network shows of its peers ---

CATEGORY_SHAPES = ("alive", "infrastructure", "colluding", "origin", "asked", "poisoned")
CATEGORY_INKS = tuple(INK[f"role-{number + 1}"] for number in range(len(CATEGORY_SHAPES)))
SHOWN_LOW, SHOWN_HIGH = 0.02, 0.98
"""A gradient of numbers goes from one of these quantiles to the other, so that one extreme value does not hide all
other differences."""


def by_column(snapshot: Snapshot, column: ShownColumn) -> Colouring:
    """The colouring by a column that the network shows."""
    shown = column.shown
    if shown.kind == "category":
        return by_category(snapshot, shown.name, column.codes.astype(np.int64) - 1, column.names[1:])
    return by_figure(snapshot, shown, column.values)


def value_text(shown: Shown, value: float | str) -> str:
    """A value of a column as it is written: `73%`, `1.2k`, `34 kB/s`, `4.2 s`, a text; `–` for none."""
    if isinstance(value, str):
        return value or "–"
    if math.isnan(value):
        return "–"
    if shown.kind == "share":
        return f"{value:.0%}"
    if shown.kind == "age":
        return f"{value:.1f} s" if abs(value) < 100 else f"{value:,.0f} s"
    figure = si(round(value) if shown.kind == "count" else value)
    if shown.kind == "rate":
        return f"{figure} B/s" if figure[-1].isdigit() else f"{figure[:-1]} {figure[-1]}B/s"
    return figure


def by_category(snapshot: Snapshot, by: str, codes: NDArray[Any], names: Sequence[str]) -> Colouring:
    """A colour for each value of a text. codes: index into names (N,), below 0 where a peer has none; the first six
    names have a colour of their own, others share one."""
    many = min(len(names), len(CATEGORY_SHAPES))
    looks = tuple(
        Look(name, name, CATEGORY_SHAPES[number], CATEGORY_INKS[number], counted=not number)
        for number, name in enumerate(names[:many])
    )
    rest = (Look("", "other" if len(names) > many else "", "question", INK["role-other"]), NOTHING)
    of = np.where(codes < 0, 3 + many, 2 + np.minimum(codes, many)).astype(np.uint8)
    return Colouring(by, by, (*GONE, *looks, *rest), _gone(snapshot, of), kept=tuple(range(3, 2 + many)))


NOTHING = Look("none", "no value", "upkeep", INK["unknown"], counted=True)


def by_figure(snapshot: Snapshot, shown: Shown, values: NDArray[np.float64]) -> Colouring:
    """A gradient of a figure, (N,), NaN where a peer has none. A share goes from 0 to 1, a count or a rate from 0 to
    the greatest."""
    kind = shown.kind
    known = np.isfinite(values)
    seen = values[known]
    low, high = 0.0, 1.0
    if kind == "number" and len(seen):
        low, high = float(np.quantile(seen, SHOWN_LOW)), float(np.quantile(seen, SHOWN_HIGH))
    elif kind != "share":
        high = float(seen.max(initial=0.0))
    span = high - low if high > low else 1.0
    share = rounded(np.clip((np.where(known, values, low) - low) / span, 0.0, 1.0))
    of = np.where(known, 3 + np.round(share * (STEPS - 1)), 2).astype(np.uint8)
    ends = value_text(shown, low), value_text(shown, high)
    return Colouring(shown.name, shown.name, (*GONE, NOTHING, *_ramp()), _gone(snapshot, of), ends=ends)


BELIEF: tuple[Look, ...] = (
    Look("unknown", "not known", "upkeep", INK["unknown"], counted=True),
    Look("hearsay", "from others", "question", INK["label"]),
    Look("stale", f"silent {STALE_US // 1_000_000} s", "left", INK["stale"]),
    Look("known", "known", "alive", INK["alive"]),
    Look("wrong", "gone, and it does not know", "dead", INK["wrong"]),
    Look("self", "who believes it", "selected", INK["selected"]),
)


def _by_belief(snapshot: Snapshot, selected: int | None, held: Beliefs | None) -> Colouring:
    """Believing that a peer is up is wrong for dead and for censored peers: a peer cannot tell them apart."""
    n = len(snapshot.state)
    of = np.zeros(n, np.uint8)
    title = "belief: select a peer"
    if selected is not None and held is not None:
        title = f"what {snapshot.fixed.labels[selected]} believes"
        silent = (snapshot.state != ALIVE) | snapshot.censored
        for peer, belief in held.known.items():
            if 0 <= peer < n:
                late = belief.heard_us is not None and snapshot.now_us - belief.heard_us > STALE_US
                of[peer] = 4 if silent[peer] else 1 if belief.heard_us is None else 2 if late else 3
        of[selected] = 5
    return Colouring("belief", title, BELIEF, of, kept=(2, 3, 4, 5), always=("known", "unknown"))


def _by_answer(snapshot: Snapshot, trace: Trace | None, keepers: Sequence[PeerId] = ()) -> Colouring:
    """Asked peers by their hop, in a gradient from the asker outwards; peers that passed an answer on are drawn on
    top."""
    n = len(snapshot.state)
    of = np.full(n, 2, np.uint8)
    looks = (
        *GONE,
        Look("unreached", "not reached", "upkeep", INK["unknown"], counted=True),
        *_ramp(),
        Look("bearer", "passed it on", "answer", INK["answered"]),
        Look("keeper", "keeps a record", "keeper", INK["keeper"]),
        Look("answerer", "named it", "answerer", INK["answerer"]),
        Look("answered", "has it", "hit", INK["answered"]),
        Look("origin", "asker", "origin", INK["origin"]),
    )
    kept, always = tuple(range(3 + STEPS, len(looks))), ("answered",)
    if trace is None:
        return Colouring("answer", "answer: choose an ask", looks, _gone(snapshot, of), kept=kept, always=always)
    hop = trace.hop[:n]
    deepest = max(int(hop.max(initial=1)), 1)
    step = STEPS - 1 - np.round((hop - 1) / max(deepest - 1, 1) * (STEPS - 1)).astype(np.int64)
    of[: len(hop)] = np.where(hop > 0, 3 + np.clip(step, 0, STEPS - 1), 2)
    of[trace.answers_frm] = 3 + STEPS
    for look, those in enumerate((keepers, trace.answerers), 4 + STEPS):
        if len(those):
            of[np.asarray(those, np.int64)] = look
    of = _gone(snapshot, of)
    if len(trace.holders):
        of[np.asarray(trace.holders, np.int64)] = 6 + STEPS
    of[trace.origin] = 7 + STEPS
    ends = (f"hop {deepest}", "hop 1")
    return Colouring("answer", f"ask {trace.ask}", looks, _gone(snapshot, of), ends=ends, kept=kept, always=always)
